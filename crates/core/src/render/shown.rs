//! Text that is safe to show (floor 3): no control character, no character that reorders or hides others, no endless name.
//!
//! Escaping for HTML, Markdown or a terminal comes on top; this type says that it has something sane to escape.

use serde::Serialize;
use std::fmt;

/// The characters of a name that are shown.
const NAME: usize = 160;
/// The characters of a sentence that are shown.
const LINE: usize = 2_000;
/// The characters of an excerpt or an artefact that are shown.
const BLOCK: usize = 20_000;

/// A string in which nothing is hidden.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Shown(String);

impl Shown {
    /// A name or an id: one line, cut early.
    pub(crate) fn name(text: &str) -> Self {
        Self(spell(text, NAME, false))
    }

    /// A sentence or two: one line.
    pub(crate) fn line(text: &str) -> Self {
        Self(spell(text, LINE, false))
    }

    /// Something to copy: line breaks and tabs stay.
    pub(crate) fn block(text: &str) -> Self {
        Self(spell(text, BLOCK, true))
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self::line(text)
    }
}

impl From<&String> for Shown {
    fn from(text: &String) -> Self {
        Self::line(text)
    }
}

impl From<String> for Shown {
    fn from(text: String) -> Self {
        Self::line(&text)
    }
}

/// An anchor from a display number: letters and digits only, never a name.
pub(crate) fn anchor(prefix: &str, id: &str) -> String {
    let kept: String = id.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
    format!("{prefix}-{kept}")
}

/// Breaks a text into at most `lines` lines of `width` characters; what does not fit ends in an ellipsis.
pub(crate) fn wrap(text: &str, width: usize, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut current = String::new();
    for word in text.split_whitespace().flat_map(|word| pieces(word, width)) {
        let used = current.chars().count();
        if used > 0 && used + 1 + word.chars().count() > width {
            out.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(&word);
    }
    if !current.is_empty() {
        out.push(current);
    }
    if out.len() > lines {
        out.truncate(lines);
        if let Some(last) = out.last_mut() {
            let kept: String = last.chars().take(width.saturating_sub(1)).collect();
            *last = format!("{}…", kept.trim_end());
        }
    }
    out
}

/// A word in pieces of at most `width` characters.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(width.max(1)).map(|chunk| chunk.iter().collect()).collect()
}

fn spell(text: &str, most: usize, block: bool) -> String {
    let mut out = String::with_capacity(text.len().min(most * 4));
    for (at, c) in text.chars().enumerate() {
        if at == most {
            out.push_str(&format!("… (cut, {} characters)", text.chars().count()));
            break;
        }
        if block && matches!(c, '\n' | '\t') || !disturbs(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// Whether a character moves the cursor, turns the reading direction or is not seen at all.
fn disturbs(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_disturb_is_spelled() {
        assert_eq!(Shown::name("a\u{202e}b\u{1b}[31m\nc").as_str(), "a\\u{202e}b\\u{1b}[31m\\u{a}c");
        assert_eq!(Shown::block("a\n\tb\r").as_str(), "a\n\tb\\u{d}");
        assert_eq!(Shown::name("Zoë 資料").as_str(), "Zoë 資料");
    }

    #[test]
    fn what_is_cut_says_so() {
        let shown = Shown::name(&"x".repeat(10_000));
        assert!(shown.as_str().ends_with("… (cut, 10000 characters)"));
        assert!(shown.as_str().len() < 250);
    }

    #[test]
    fn anchors_hold_no_name() {
        assert_eq!(anchor("a", "A1"), "a-A1");
        assert_eq!(anchor("a", "\"><b>"), "a-b");
    }

    #[test]
    fn lines_wrap_and_end() {
        assert_eq!(wrap("one two three", 7, 2), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4, 2), ["abcd", "efg…"]);
    }
}
