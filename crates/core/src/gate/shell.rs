//! Cuts a shell command line into the commands that a gate judges one by one (floor 2).
//!
//! It knows quotes, operators, redirects and substitutions. Anything else (loops, functions, subshells, here
//! documents, unbalanced quotes) is [`Opaque`]: the caller says what that means, and never that it is refused.

/// A command line that is not cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opaque;

/// One command of a command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The command as written, without its redirects.
    pub text: String,
    /// The files that it writes by a redirect.
    pub writes: Vec<String>,
    /// The command lines inside `$(…)`, backticks and `<(…)`.
    pub inner: Vec<String>,
}

/// The longest command line that Claude Code looks into.
pub const LONGEST: usize = 10_000;

/// Words that begin something other than a plain command.
pub(super) const GRAMMAR: [&str; 17] = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "select", "function",
    "{", "}", "[[",
];

/// Cuts a command line at `&&`, `||`, `;`, `|`, `|&`, `&` and newlines.
///
/// # Errors
/// If it holds anything but plain commands.
pub fn split(line: &str) -> Result<Vec<Part>, Opaque> {
    if line.chars().count() > LONGEST {
        return Err(Opaque);
    }
    let mut cutter = Cutter { chars: line.chars().collect(), at: 0, part: Part::default(), parts: Vec::new() };
    cutter.run()?;
    if cutter.parts.iter().any(|part| GRAMMAR.contains(&word(&part.text).0)) {
        return Err(Opaque);
    }
    Ok(cutter.parts)
}

/// The first word of a command and what follows it. Quotes hold a word together and are kept.
#[must_use]
pub fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, _) if c.is_whitespace() => {
                return (text.get(..at).unwrap_or(text), text.get(at..).unwrap_or("").trim_start());
            }
            (None | Some(_), _) => {}
        }
    }
    (text, "")
}

/// All words of a command.
#[must_use]
pub fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut first, mut rest) = word(text);
    while !first.is_empty() {
        found.push(first);
        (first, rest) = word(rest);
    }
    found
}

struct Cutter {
    chars: Vec<char>,
    at: usize,
    part: Part,
    parts: Vec<Part>,
}

impl Cutter {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn run(&mut self) -> Result<(), Opaque> {
        while let Some(c) = self.peek(0) {
            match c {
                '\\' => self.keep(2),
                '\'' => self.single()?,
                '"' => self.double()?,
                '`' => self.backticks()?,
                '$' if self.peek(1) == Some('\'') => return Err(Opaque),
                '$' if self.peek(1) == Some('(') => self.substitution(2)?,
                '<' | '>' if self.peek(1) == Some('(') => self.substitution(2)?,
                '<' if self.peek(1) == Some('<') => return Err(Opaque),
                '(' | ')' => return Err(Opaque),
                '&' if self.peek(1) == Some('>') => self.redirect(1)?,
                '>' => self.redirect(0)?,
                '&' | '|' | ';' | '\n' => self.operator(c)?,
                '#' if self.part.text.is_empty() || self.part.text.ends_with(char::is_whitespace) => self.comment(),
                _ => self.keep(1),
            }
        }
        self.finish();
        Ok(())
    }

    fn keep(&mut self, count: usize) {
        self.part.text.extend(self.chars.iter().skip(self.at).take(count));
        self.at += count;
    }

    fn finish(&mut self) {
        let mut part = std::mem::take(&mut self.part);
        part.text = part.text.trim().to_owned();
        if !part.text.is_empty() || !part.writes.is_empty() {
            self.parts.push(part);
        }
    }

    fn operator(&mut self, c: char) -> Result<(), Opaque> {
        // `;;` belongs to `case`, and `2>&1` never gets here.
        if c == ';' && self.peek(1) == Some(';') {
            return Err(Opaque);
        }
        let double = matches!((c, self.peek(1)), ('&', Some('&')) | ('|', Some('|' | '&')));
        self.at += if double { 2 } else { 1 };
        self.finish();
        Ok(())
    }

    fn comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.at += 1;
        }
    }

    fn single(&mut self) -> Result<(), Opaque> {
        self.keep(1);
        while let Some(c) = self.peek(0) {
            self.keep(1);
            if c == '\'' {
                return Ok(());
            }
        }
        Err(Opaque)
    }

    fn double(&mut self) -> Result<(), Opaque> {
        self.keep(1);
        while let Some(c) = self.peek(0) {
            match c {
                '\\' => self.keep(2),
                '`' => self.backticks()?,
                '$' if self.peek(1) == Some('(') => self.substitution(2)?,
                '"' => {
                    self.keep(1);
                    return Ok(());
                }
                _ => self.keep(1),
            }
        }
        Err(Opaque)
    }

    fn backticks(&mut self) -> Result<(), Opaque> {
        let close = self.chars.iter().skip(self.at + 1).position(|&c| c == '`').ok_or(Opaque)?;
        self.part.inner.push(self.chars.iter().skip(self.at + 1).take(close).collect());
        self.keep(close + 2);
        Ok(())
    }

    /// `$(…)`, `<(…)`, `>(…)`: found by counting parentheses outside quotes.
    fn substitution(&mut self, open: usize) -> Result<(), Opaque> {
        let (mut depth, mut length, mut quote) = (1_usize, 0_usize, None);
        for &c in self.chars.iter().skip(self.at + open) {
            match (quote, c) {
                (Some(q), _) if q == c => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                (None | Some(_), _) => {}
            }
            if depth == 0 {
                let inner = self.chars.iter().skip(self.at + open).take(length).collect();
                self.part.inner.push(inner);
                self.keep(open + length + 1);
                return Ok(());
            }
            length += 1;
        }
        Err(Opaque)
    }

    /// `>`, `>>`, `>|`, `>&`, `&>`: takes the target out of the text.
    fn redirect(&mut self, before: usize) -> Result<(), Opaque> {
        // A digit right before names the descriptor.
        if before == 0 {
            let text = self.part.text.trim_end_matches(|c: char| c.is_ascii_digit());
            if text.is_empty() || text.ends_with(char::is_whitespace) {
                self.part.text = text.to_owned();
            }
        }
        self.at += before + 1;
        while self.peek(0).is_some_and(|c| c == '>' || c == '|') {
            self.at += 1;
        }
        let copies = self.peek(0) == Some('&');
        if copies {
            self.at += 1;
        }
        while self.peek(0).is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
        let start = self.part.text.chars().count();
        while let Some(c) = self.peek(0) {
            match c {
                '\'' => self.single()?,
                '"' => self.double()?,
                '\\' => self.keep(2),
                '$' | '`' | '(' | ')' => return Err(Opaque),
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' => break,
                _ => self.keep(1),
            }
        }
        let target: String = self.part.text.chars().skip(start).collect();
        self.part.text = self.part.text.chars().take(start).collect();
        self.part.text.push(' ');
        let target = target.trim_matches(['\'', '"']).to_owned();
        let descriptor = copies && target.chars().all(|c| c.is_ascii_digit() || c == '-');
        match target.as_str() {
            "" => Err(Opaque),
            "/dev/null" | "/dev/stdout" | "/dev/stderr" => Ok(()),
            _ if descriptor => Ok(()),
            _ => {
                self.part.writes.push(target);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        split(line).unwrap().into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn operators_cut_and_quotes_do_not() {
        assert_eq!(texts("a && b || c; d | e |& f & g\nh"), ["a", "b", "c", "d", "e", "f", "g", "h"]);
        assert_eq!(texts("echo 'a && b' \"c; d\" e\\;f"), ["echo 'a && b' \"c; d\" e\\;f"]);
    }

    #[test]
    fn redirects_are_taken_out() {
        let parts = split("make >out.txt 2>&1 2>/dev/null").unwrap();
        assert_eq!(parts[0].text, "make");
        assert_eq!(parts[0].writes, ["out.txt"]);
    }

    #[test]
    fn substitutions_are_kept_and_shown() {
        let parts = split("echo \"$(aws s3 ls | wc)\" `id`").unwrap();
        assert_eq!(parts[0].inner, ["aws s3 ls | wc", "id"]);
    }

    #[test]
    fn grammar_is_opaque() {
        for line in
            ["for x in a; do b; done", "(cd a)", "cat <<EOF\nx\nEOF", "echo 'a", "echo $(a", "a > $X", "f() { a; }"]
        {
            assert_eq!(split(line), Err(Opaque), "{line}");
        }
    }
}
