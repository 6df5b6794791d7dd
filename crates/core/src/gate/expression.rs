//! Expressions that agents match with JavaScript's or another engine (floor 2).

use regex::{Regex, RegexBuilder};

/// The longest expression that is read.
const LONGEST: usize = 2_048;

/// How large an expression may become.
const LARGEST: usize = 1 << 20;

/// How sure a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It does not match.
    No,
    /// It may match, or the caller may make it match or not.
    May,
    /// It matches.
    Sure,
}

/// Whether an expression means the same in JavaScript and here. What is not sure to is none.
pub(super) fn alike(pattern: &str) -> bool {
    let chars: Vec<char> = pattern.chars().collect();
    let at = |index: usize| chars.get(index).copied();
    let mut class = false;
    let mut index = 0;
    while let Some(c) = at(index) {
        let next = at(index + 1);
        if !c.is_ascii() {
            return false;
        }
        match c {
            '\\' => {
                match next {
                    Some('d' | 'D' | 'w' | 'W' | 's' | 'S' | 'b' | 'B' | 'n' | 'r' | 't' | 'x') => {}
                    Some(c) if c.is_ascii_punctuation() || c == ' ' => {}
                    _ => return false,
                }
                index += 1;
            }
            // Lists within lists, and those that are taken from one another, are of one engine alone.
            '[' if class => return false,
            '&' | '-' | '~' if class && next == Some(c) => return false,
            '[' => {
                class = true;
                let first = index + if next == Some('^') { 2 } else { 1 };
                if at(first) == Some(']') {
                    return false;
                }
            }
            ']' => class = false,
            '(' if !class && next == Some('?') && at(index + 2) != Some(':') => return false,
            _ => {}
        }
        index += 1;
    }
    true
}

/// What a text surely begins with where an expression matches it, if anything.
pub(super) fn stem(pattern: &str) -> Option<String> {
    let rest = pattern.strip_prefix('^').filter(|rest| !rest.contains('|'))?;
    let plain =
        |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '/' | ':' | '=' | ',' | '~' | '@');
    let mut found: String = rest.chars().take_while(plain).collect();
    if rest.get(found.len()..).is_some_and(|behind| behind.starts_with(['?', '*', '{', '+'])) {
        found.pop();
    }
    (!found.is_empty()).then_some(found)
}

/// Reads an expression that is to mean here what it means in JavaScript. None if it is not sure to.
pub(super) fn read(pattern: &str, caseless: bool) -> Option<Regex> {
    if pattern.len() > LONGEST || !alike(pattern) {
        return None;
    }
    RegexBuilder::new(pattern).case_insensitive(caseless).size_limit(LARGEST).build().ok()
}

/// Whether an expression that was read matches a text. Of what is not ASCII it differs between engines, and so it does of
/// where a line ends.
pub(super) fn fit(expression: Option<&Regex>, text: &str) -> Fit {
    match expression {
        Some(expression) if text.is_ascii() && !text.contains('\r') => {
            if expression.is_match(text) {
                Fit::Sure
            } else {
                Fit::No
            }
        }
        Some(_) | None => Fit::May,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_engines_read_alike_is_read() {
        for pattern in ["^git (status|log)\\b", "^a(?:b)+\\s--c$", "[a-z_-]+", "\\.ps1", "^x[^/]*$"] {
            assert!(read(pattern, false).is_some(), "{pattern}");
        }
        for pattern in ["a(?!b)", "(?<n>a)", "(?i)a", "[a--b]", "[a[b]]", "[]a]", "\\1", "\\p{L}", "\\cA", "\u{e9}"] {
            assert!(read(pattern, false).is_none(), "{pattern}");
        }
        assert_eq!(stem("^sed\\b(?!x)").as_deref(), Some("sed"));
        assert_eq!(stem("^seds?").as_deref(), Some("sed"));
        assert_eq!(stem("^a|b"), None);
        assert_eq!(fit(read("^a", false).as_ref(), "\u{e9}a"), Fit::May);
    }
}
