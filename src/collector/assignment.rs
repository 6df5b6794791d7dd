//! Values that a name marks as secret: `NAME=value`, `name: value`, `"name": "value"`, `--name value`, and a `value:`
//! on the line after its `name:` (floor 5).

use std::ops::Range;

use super::find::Strength;
use super::rules::Rules;
use super::scan::{Raw, Style, in_name, is_dummy};

/// The longest value that is looked at.
const LONGEST: usize = 3_500;
/// What a name of a secret ends in, where no provider documents the name.
const ENDS: [&str; 15] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASS",
    "PWD",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "SECRET_KEY",
    "PRIVATE_KEY",
    "ACCOUNT_KEY",
    "AUTH_KEY",
    "SIGNING_KEY",
    "ENCRYPTION_KEY",
];
/// Words that may follow.
const TAILS: [&str; 12] =
    ["PROD", "PRODUCTION", "STAGING", "STAGE", "DEV", "TEST", "LIVE", "1", "2", "OLD", "NEW", "VALUE"];

/// Looks at the name around `at`; returns where the name ends.
pub(crate) fn scan(rules: &Rules, text: &[u8], at: usize, style: Style, out: &mut Vec<Raw>) -> usize {
    let before = text.get(at.saturating_sub(80)..at).unwrap_or_default();
    let start = at - before.iter().rev().take_while(|byte| in_name(**byte)).count();
    let after = text.get(at..text.len().min(at + 80)).unwrap_or_default();
    // An anchor may begin with the quote before the name.
    let quoted = usize::from(after.first() == Some(&b'"'));
    let start = if quoted == 1 { at + 1 } else { start };
    let end = at + quoted + after.iter().skip(quoted).take_while(|byte| in_name(**byte)).count();
    let Some(name) = text.get(start..end) else { return end };
    let Some(range) = value_after(text, start, end, style) else { return end };
    let Some(value) = text.get(range.clone()) else { return end };
    // What a program defines is a setting, whoever chose it: `define('DB_PASSWORD', 'word')`.
    let style = if is_defined(text, start) { Style::Config } else { style };
    let name = String::from_utf8_lossy(name).trim_start_matches('-').to_owned();
    if let Some(raw) = judge(rules, &name, value, range, style) {
        out.push(raw);
    }
    end
}

fn judge(rules: &Rules, name: &str, value: &[u8], range: Range<usize>, style: Style) -> Option<Raw> {
    // In program text whatever stands after a name counts only if it looks like a secret too.
    if (style == Style::Code && !looks_random(value)) || placeholder(value) {
        return None;
    }
    let upper = upper_words(name);
    // `TF_TOKEN_HOST`: a token of that host (CLI configuration, "Environment Variable Credentials").
    let known: &str = if upper.starts_with("TF_TOKEN_") { "TFE_TOKEN" } else { &upper };
    let mut raw = if let Some(rule) = rules.by_name(known) {
        let fits = if rule.regex().is_some() {
            rule.regex().is_some_and(|regex| regex.is_match(value))
        } else {
            value.len() >= 4
        };
        if !fits {
            return None;
        }
        Raw::new(rule, Strength::Name, value, range)
    } else {
        let bare = TAILS.iter().find_map(|tail| upper.strip_suffix(tail)?.strip_suffix('_')).unwrap_or(&upper);
        let end =
            ENDS.iter().find(|end| bare == **end || bare.strip_suffix(**end).is_some_and(|rest| rest.ends_with('_')));
        let secret_word = end.is_some() || matches!(bare, "AUTH" | "AUTHORIZATION");
        let password = end.is_some_and(|end| ["PASSWORD", "PASSWD", "PASS", "PWD"].contains(end));
        // People choose passwords: where a setting is called one, any value is, unless it says that it is none.
        let chosen = password && style != Style::Code && value.len() >= 6 && !looks_like_a_path(value);
        if !secret_word || !(chosen || value.len() >= 16 && looks_random(value)) {
            return None;
        }
        let kind = match end {
            Some(_) if password => "password",
            Some(&("SECRET" | "SECRET_KEY")) => "secret",
            Some(&"PRIVATE_KEY") => "private_key",
            Some(end) if end.ends_with("KEY") => "api_key",
            _ => "token",
        };
        let provider = rules.by_word(&upper).unwrap_or("unknown");
        Raw::plain(provider, kind, Strength::Guess, Some(value), range)
    };
    raw.renews |= upper.ends_with("REFRESH_TOKEN");
    raw.dummy = is_dummy(value);
    raw.key = Some(name.to_owned());
    Some(raw)
}

/// `PWD` is a folder, and `PASSWORD_FILE` is not the only name whose value is one.
fn looks_like_a_path(value: &[u8]) -> bool {
    value.starts_with(b"/") || value.starts_with(b"./") || value.starts_with(b"~/")
}

/// `apiToken`, `api-token` and `api.token` as `API_TOKEN`.
fn upper_words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut lower_before = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && lower_before {
            words.push('_');
        }
        lower_before = c.is_ascii_lowercase();
        words.push(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    }
    words
}

/// Whether the name is the first argument of PHP's `define`.
fn is_defined(text: &[u8], start: usize) -> bool {
    let before = text.get(start.saturating_sub(16)..start).unwrap_or_default();
    let Some((b'"' | b'\'', head)) = before.split_last() else { return false };
    head.trim_ascii_end().strip_suffix(b"(").is_some_and(|head| head.trim_ascii_end().ends_with(b"define"))
}

/// The value after a name.
fn value_after(text: &[u8], start: usize, end: usize, style: Style) -> Option<Range<usize>> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let skip = |mut at: usize, wanted: &dyn Fn(&u8) -> bool| {
        while text.get(at).is_some_and(wanted) {
            at += 1;
        }
        at
    };
    let closed = skip(end, &|byte| matches!(byte, b'"' | b'\'' | b'\\' | b' ' | b'\t' | b']'));
    // A name has one quote behind it; two are a quote within a text.
    if text.get(end..closed)?.windows(2).any(|pair| pair == b"\"\"" || pair == b"''") {
        return None;
    }
    let rest = text.get(closed..text.len().min(closed + 200)).unwrap_or_default();
    let mut at = if rest.starts_with(b":=") || rest.starts_with(b"=>") {
        closed + 2
    } else if rest.first().is_some_and(|byte| matches!(byte, b'=' | b':'))
        || (rest.first() == Some(&b',') && is_defined(text, start))
    {
        closed + 1
    } else if text.get(start..start + 2) == Some(b"--") && text.get(end).is_some_and(is_space) {
        end
    } else {
        // `name: KEY`, then `value: VALUE`.
        let next = skip(closed, &|byte| matches!(byte, b'\n' | b'\r' | b' ' | b'\t' | b',' | b'"' | b'\''));
        let rest = text.get(next..)?;
        if next == end || !rest.get(..5)?.eq_ignore_ascii_case(b"value") {
            return None;
        }
        let sign = skip(next + 5, &|byte| matches!(byte, b'"' | b'\'' | b' ' | b'\t'));
        if !matches!(text.get(sign), Some(b':' | b'=')) {
            return None;
        }
        sign + 1
    };
    at = skip(at, &is_space);
    if style != Style::Code {
        at = block_scalar(text, at);
    }
    at = skip(at, &|byte| matches!(byte, b'\\'));
    let quote = text.get(at).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    if quote.is_none() && style == Style::Code {
        return None;
    }
    let from = if quote.is_some() { at + 1 } else { at };
    let body = text.get(from..text.len().min(from + LONGEST))?;
    let length = quote.map_or_else(
        || bare_length(body, style),
        |quote| body.iter().position(|byte| *byte == quote || matches!(byte, b'\n' | b'\\')).unwrap_or(body.len()),
    );
    let mut from = from;
    let mut to = from + length;
    for scheme in [b"Bearer ".as_slice(), b"bearer ", b"Basic ", b"token "] {
        if text.get(from..to).is_some_and(|value| value.starts_with(scheme)) {
            from += scheme.len();
        }
    }
    while to > from && text.get(to - 1).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        to -= 1;
    }
    let value = text.get(from..to)?;
    let is_value = if quote.is_none() { style == Style::Env || !names_what_follows(value) } else { !is_prose(value) };
    (from < to && is_value).then_some(from..to)
}

/// Whether a bare word is no value but the next name: the key of a mapping below (`password:` and `secure: …` on the next
/// line), the next option of a command line, or the next variable of a list of empty ones.
fn names_what_follows(value: &[u8]) -> bool {
    let name = value.strip_suffix(b"=").filter(|name| name.len() < 20 && name.iter().all(u8::is_ascii_alphabetic));
    value.ends_with(b":") || value.starts_with(b"--") || name.is_some()
}

/// Whether what stands between two quotes is the text between two quoted words.
fn is_prose(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_whitespace) && value.last().is_some_and(u8::is_ascii_whitespace)
}

/// After `key:` or `key: |` at the end of a line, the start of the next line's text.
fn block_scalar(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..text.len().min(at + 120)).unwrap_or_default();
    let marks = rest.iter().take_while(|byte| matches!(byte, b'|' | b'>' | b'-' | b'+' | b' ' | b'\r')).count();
    if rest.get(marks) != Some(&b'\n') {
        return at;
    }
    let indent = rest.iter().skip(marks + 1).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    // A value on the next line is indented; the next entry of a flat file is not.
    if indent == 0 { at } else { at + marks + 1 + indent }
}

fn bare_length(body: &[u8], style: Style) -> usize {
    let line = body.iter().position(|byte| *byte == b'\n').unwrap_or(body.len());
    let line_text = body.get(..line).unwrap_or(body);
    if style == Style::Env {
        return line_text.windows(2).position(|pair| pair == b" #").unwrap_or(line);
    }
    let scheme = [b"Bearer ".as_slice(), b"bearer ", b"Basic ", b"token "];
    let skipped = scheme.iter().find(|scheme| line_text.starts_with(scheme)).map_or(0, |scheme| scheme.len());
    let stop = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b')' | b'<' | b'>')
    };
    skipped + line_text.iter().skip(skipped).position(stop).unwrap_or(line - skipped)
}

/// Whether a value stands for one: a reference, a blank to fill in, a word from a manual.
pub(crate) fn placeholder(value: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(value).to_ascii_lowercase();
    let starts =
        ["$", "<", "{{", "%{", "${{", "env:", "secret:", "op://", "vault:", "ref+", "process.env", "os.environ", "@@"];
    let words = [
        "changeme",
        "change_me",
        "change-me",
        "placeholder",
        "your-",
        "your_",
        "password_here",
        "yourtoken",
        "replace",
        "insert",
        "dummy",
        "redacted",
        "todo",
        "fixme",
        "none",
        "null",
        "undefined",
        "true",
        "false",
        "****",
    ];
    let whole = ["example", "password", "secret", "token", "test", "xxx", "string", "required", "optional"];
    starts.iter().any(|start| lower.starts_with(start))
        || words.iter().any(|word| lower.starts_with(word))
        || whole.contains(&lower.as_str())
        || lower.contains("${")
        || lower.contains("xxxx")
        || (lower.starts_with("arn:aws:") && (lower.contains(":secretsmanager:") || lower.contains(":ssm:")))
        || (lower.starts_with("projects/") && lower.contains("/secrets/"))
        || names_itself(&lower)
        || is_variable(value)
}

/// Whether a value is nothing but words for what it is: `user-password`, `my_secret`.
fn names_itself(lower: &str) -> bool {
    const WORDS: [&str; 14] = [
        "password", "passwd", "pass", "secret", "token", "key", "user", "username", "admin", "my", "new", "old",
        "name", "value",
    ];
    lower.split(['-', '_', '.', ' ']).count() > 1 && lower.split(['-', '_', '.', ' ']).all(|word| WORDS.contains(&word))
}

/// Whether a value is the name of a variable: capitals parted by underscores.
fn is_variable(value: &[u8]) -> bool {
    let parts = value.split(|byte| *byte == b'_');
    value.contains(&b'_') && parts.clone().all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_uppercase))
}

/// Whether a value looks made by a machine: one word, of several kinds of characters, that repeats little.
pub(crate) fn looks_random(value: &[u8]) -> bool {
    let sound = value.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'(' | b'{' | b'[' | b'<' | b'|'));
    if !sound || value.len() < 8 {
        return false;
    }
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let distinct = counts(value).iter().filter(|count| **count > 0).count();
    let path_like = value.starts_with(b"/")
        || value.starts_with(b"./")
        || value.starts_with(b"~/")
        || value.windows(3).any(|w| w == b"://");
    digits >= 2 && letters >= 2 && !path_like && distinct >= value.len().min(16) / 2 && entropy(value) >= 2.9
}

/// How often each byte occurs.
fn counts(value: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    counts
}

/// Bits a byte.
fn entropy(value: &[u8]) -> f64 {
    let total = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let shares = counts(value).into_iter().filter(|count| *count > 0).map(|count| f64::from(count) / total);
    shares.map(|share| -share * share.log2()).sum()
}
