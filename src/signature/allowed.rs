//! Who may sign: the file of allowed signers that `ssh-keygen -Y verify -f` reads (see ssh-keygen(1)). What of a line is not
//! understood makes that line permit nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;

use deadstop_core::time::Time;

/// The largest file that is read.
const LARGEST: u64 = 4 << 20;

/// How far the time zone of whoever wrote a moment without one may lie from the meridian, in seconds: a moment counts for
/// the signer only if it does so in every zone.
const EAST: i64 = 14 * 3600;
const WEST: i64 = 12 * 3600;

/// Who may sign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Line>);

/// A file that says nothing.
#[derive(Debug, thiserror::Error)]
pub enum AllowedError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// A line of it is wrong.
    #[error("line {0}: {1}")]
    Line(usize, &'static str),
}

/// A line: these people may sign with this key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    people: String,
    authority: bool,
    namespaces: Option<String>,
    after: Option<i64>,
    before: Option<i64>,
    unknown: bool,
    key: Vec<u8>,
}

impl Allowed {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or a line of it is no line of such a file.
    pub fn read(path: &Path) -> Result<Self, AllowedError> {
        let size = std::fs::metadata(path).map_err(AllowedError::Unreadable)?.len();
        if size > LARGEST {
            return Err(AllowedError::Unreadable(std::io::Error::other("it is larger than 4 MiB")));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(AllowedError::Unreadable)?)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// If a line of it is no line of such a file.
    pub fn parse(text: &str) -> Result<Self, AllowedError> {
        let mut lines = Vec::new();
        for (at, text) in text.lines().enumerate() {
            let text = text.trim();
            if !text.is_empty() && !text.starts_with('#') {
                lines.push(Line::parse(text).map_err(|why| AllowedError::Line(at + 1, why))?);
            }
        }
        Ok(Self(lines))
    }

    /// Whether `by` may sign with a key at a moment; if not, why.
    ///
    /// # Errors
    /// If no line permits it.
    pub fn permit(&self, key: &[u8], by: &str, namespace: &str, at: Time) -> Result<(), &'static str> {
        let mut why = "its key is not that of the signer named, as the file of --allowed-signers has it";
        for line in self.0.iter().filter(|line| line.key == key && listed(&line.people, by)) {
            match line.permits(namespace, at) {
                Ok(()) => return Ok(()),
                Err(refused) => why = refused,
            }
        }
        Err(why)
    }
}

impl Line {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words = words(text).ok_or("a quotation is not closed")?.into_iter();
        let people = words.next().unwrap_or_default().replace('"', "");
        let mut line = Self { people, ..Self::default() };
        let mut kind = words.next().ok_or("there is no key")?;
        let encoded = words.next().ok_or("there is no key")?;
        let encoded = match decoded(&kind, &encoded) {
            Some(key) => key,
            None => {
                line.options(&kind)?;
                kind = encoded;
                let encoded = words.next().ok_or("there is no key")?;
                decoded(&kind, &encoded).ok_or("the key is damaged")?
            }
        };
        line.key = encoded;
        Ok(line)
    }

    fn options(&mut self, text: &str) -> Result<(), &'static str> {
        for option in split(text, ',').ok_or("a quotation is not closed")? {
            let (name, value) =
                option.split_once('=').map_or((option.as_str(), None), |(name, value)| (name, Some(value)));
            let value = value.map(|value| value.strip_prefix('"').and_then(|value| value.strip_suffix('"')));
            let seen = "an option stands there twice";
            match (name.to_ascii_lowercase().as_str(), value) {
                ("cert-authority", None) => self.authority = true,
                ("namespaces", Some(Some(value))) => set(&mut self.namespaces, value.to_owned(), seen)?,
                ("valid-after", Some(Some(value))) => {
                    let moment = moment(value, WEST)
                        .ok_or("valid-after is no date: YYYYMMDD, or YYYYMMDDHHMM[SS], and a Z for UTC")?;
                    set(&mut self.after, moment, seen)?;
                }
                ("valid-before", Some(Some(value))) => {
                    let moment = moment(value, -EAST)
                        .ok_or("valid-before is no date: YYYYMMDD, or YYYYMMDDHHMM[SS], and a Z for UTC")?;
                    set(&mut self.before, moment, seen)?;
                }
                _ => self.unknown = true,
            }
        }
        Ok(())
    }

    fn permits(&self, namespace: &str, at: Time) -> Result<(), &'static str> {
        if self.unknown {
            return Err("the line that names the key has an option that is not understood, so that it permits nothing");
        }
        if self.authority {
            return Err("the line that names the key is for certificates (cert-authority), and those are not checked");
        }
        if self.namespaces.as_ref().is_some_and(|namespaces| !listed(namespaces, namespace)) {
            return Err("the signer may not sign manifests: the line that names the key is for other namespaces");
        }
        if self.after.is_some_and(|after| at.unix() < after) {
            return Err("the key is not valid yet (valid-after)");
        }
        if self.before.is_some_and(|before| at.unix() > before) {
            return Err("the key is not valid any more (valid-before)");
        }
        Ok(())
    }
}

fn set<T>(place: &mut Option<T>, value: T, seen: &'static str) -> Result<(), &'static str> {
    if place.replace(value).is_some() { Err(seen) } else { Ok(()) }
}

/// The bytes of a key, if they are of the kind that stands before them.
fn decoded(kind: &str, encoded: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(encoded).ok()?;
    let (length, rest) = key.split_first_chunk::<4>()?;
    let own = rest.get(..u32::from_be_bytes(*length) as usize)?;
    (own == kind.as_bytes()).then_some(key)
}

/// The words of a line; blanks in quotation marks are part of a word.
fn words(text: &str) -> Option<Vec<String>> {
    let blank = text.replace('\t', " ");
    Some(split(&blank, ' ')?.into_iter().filter(|word| !word.is_empty()).collect())
}

/// The parts of a text between separators that are not in quotation marks; nothing if one is not closed.
fn split(text: &str, separator: char) -> Option<Vec<String>> {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        quoted ^= c == '"';
        if c == separator && !quoted {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(c);
        }
    }
    parts.push(part);
    (!quoted).then_some(parts)
}

/// Whether a word is in a list of patterns and in none that begins with `!`.
fn listed(patterns: &str, word: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if like(pattern.as_bytes(), word.as_bytes()) => return false,
            None if like(pattern.as_bytes(), word.as_bytes()) => found = true,
            Some(_) | None => {}
        }
    }
    found
}

/// Whether a word is like a pattern: `*` is any run of characters and `?` any one.
fn like(pattern: &[u8], word: &[u8]) -> bool {
    // Places in the pattern that what was read so far may have led to.
    let mut places = vec![false; pattern.len() + 1];
    let on = |places: &mut Vec<bool>| {
        for (at, c) in pattern.iter().enumerate() {
            if *c == b'*'
                && places.get(at) == Some(&true)
                && let Some(next) = places.get_mut(at + 1)
            {
                *next = true;
            }
        }
    };
    if let Some(first) = places.first_mut() {
        *first = true;
    }
    on(&mut places);
    for byte in word {
        let mut next = vec![false; pattern.len() + 1];
        for (at, c) in pattern.iter().enumerate().filter(|(at, _)| places.get(*at) == Some(&true)) {
            let to = if *c == b'*' { at } else { at + 1 };
            if (*c == b'*' || *c == b'?' || c == byte)
                && let Some(place) = next.get_mut(to)
            {
                *place = true;
            }
        }
        on(&mut next);
        places = next;
    }
    places.last() == Some(&true)
}

/// A moment in seconds, moved by `doubt` if no zone is named.
fn moment(text: &str, doubt: i64) -> Option<i64> {
    let (digits, doubt) = text.strip_suffix(['Z', 'z']).map_or((text, doubt), |digits| (digits, 0));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to);
    let time = match digits.len() {
        8 => "00:00:00".to_owned(),
        12 => format!("{}:{}:00", part(8, 10)?, part(10, 12)?),
        14 => format!("{}:{}:{}", part(8, 10)?, part(10, 12)?, part(12, 14)?),
        _ => return None,
    };
    let moment = format!("{}-{}-{}T{time}Z", part(0, 4)?, part(4, 6)?, part(6, 8)?).parse::<Time>().ok()?;
    Some(moment.unix() + doubt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKtmG1zEWRGmCQkUOJMUEd7VmNvTlhFbE9SQnBHVXZK";

    fn permits(text: &str, by: &str, at: &str) -> Result<(), &'static str> {
        let key = STANDARD.decode(KEY.split(' ').nth(1).unwrap()).unwrap();
        Allowed::parse(text).unwrap().permit(&key, by, super::super::NAMESPACE, at.parse().unwrap())
    }

    #[test]
    fn a_line_permits_whom_it_names() {
        let at = "2026-12-01T00:00:00Z";
        for line in [
            format!("anna {KEY}"),
            format!("# people\n\nbob {KEY}\nanna {KEY} a comment"),
            format!("*@x,an?a {KEY}"),
            format!("\"anna\"\t{KEY}"),
            format!("anna namespaces=\"git,deadstop-*\" {KEY}"),
            format!("anna namespaces=\"git\" {KEY}\nanna {KEY}"),
            format!("anna valid-after=\"20261130Z\",valid-before=\"20261201000000Z\" {KEY}"),
        ] {
            assert_eq!(permits(&line, "anna", at), Ok(()), "{line}");
        }
        for line in [
            format!("bob {KEY}"),
            format!("*,!anna {KEY}"),
            "anna ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKtmG1zEWRGmCQkUOJMUEd7VmNvTlhFbE9SQnBHVXZL".to_owned(),
            format!("anna cert-authority {KEY}"),
            format!("anna cert-authority,namespaces=\"*\" {KEY}"),
            format!("anna namespaces=\"git\" {KEY}"),
            format!("anna namespaces=\"*,!deadstop-manifest\" {KEY}"),
            format!("anna valid-after=\"202612010001Z\" {KEY}"),
            format!("anna valid-before=\"20261130Z\" {KEY}"),
            // In some zone it is not yet, or not any more.
            format!("anna valid-after=\"20261201\" {KEY}"),
            format!("anna valid-before=\"202612011300\" {KEY}"),
            format!("anna touch-required {KEY}"),
            format!("anna namespaces=git {KEY}"),
            String::new(),
        ] {
            assert!(permits(&line, "anna", at).is_err(), "{line}");
        }
    }

    #[test]
    fn what_is_no_line_is_refused_with_its_number() {
        for line in [
            "anna",
            "anna ssh-ed25519",
            "anna ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJKtmG1zEWRGmCQkUOJMUEd7VmNvTlhFbE9SQnBHVXZK",
            "anna namespaces=\"x ssh-ed25519 AAAA",
            "anna valid-after=\"yesterday\" ssh-ed25519 AAAA",
            "anna valid-after=\"20261301Z\" ssh-ed25519 AAAA",
            "anna valid-after=\"20260101Z\",valid-after=\"20260102Z\" ssh-ed25519 AAAA",
        ] {
            let error = Allowed::parse(&format!("\n{line}\n")).unwrap_err();
            assert!(error.to_string().starts_with("line 2: "), "{line}: {error}");
        }
    }

    #[test]
    fn patterns_are_those_of_ssh() {
        for (pattern, word) in [("*", ""), ("a*b*c", "axxbc"), ("?", "x"), ("*@x", "a@x"), ("**", "a"), ("a*?", "abc")]
        {
            assert!(like(pattern.as_bytes(), word.as_bytes()), "{pattern} {word}");
        }
        for (pattern, word) in [("", "a"), ("?", ""), ("a*b", "abc"), ("*@x", "a@y"), ("A", "a")] {
            assert!(!like(pattern.as_bytes(), word.as_bytes()), "{pattern} {word}");
        }
    }
}
