//! Patterns for files (floor 2): `**/` is any number of folders, `*` stays within one, `{a,b}` is one of several.

use regex::Regex;

use crate::gate::expression::Fit;

/// The longest pattern that is read.
const LONGEST: usize = 512;

/// A pattern that is matched with paths from the top of the workspace; none where it is not sure what it means.
#[derive(Clone, Debug)]
pub(super) struct Glob(Option<Regex>);

impl Glob {
    pub(super) fn read(pattern: &str) -> Self {
        Self(translated(pattern).and_then(|text| Regex::new(&text).ok()))
    }

    pub(super) fn fits(&self, path: &str) -> Fit {
        match &self.0 {
            Some(expression) if expression.is_match(path) => Fit::Sure,
            Some(_) => Fit::No,
            None => Fit::May,
        }
    }
}

fn translated(pattern: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "*?{},./_-@+ ~".contains(c);
    if pattern.len() > LONGEST || !pattern.chars().all(plain) {
        return None;
    }
    let mut text = String::from("(?s)^");
    let mut rest = pattern;
    let mut open = false;
    while let Some(c) = rest.chars().next() {
        let (part, length) = if rest.starts_with("**/") {
            ("(?:.*/)?".to_owned(), 3)
        } else if rest == "/**" {
            ("(?:/.*)?".to_owned(), 3)
        } else if rest == "**" {
            (".*".to_owned(), 2)
        } else {
            match c {
                '*' if rest.starts_with("**") => return None,
                '*' => ("[^/]*".to_owned(), 1),
                '?' => ("[^/]".to_owned(), 1),
                '{' if open => return None,
                '{' => {
                    open = true;
                    ("(?:".to_owned(), 1)
                }
                '}' => {
                    open = false;
                    (")".to_owned(), 1)
                }
                ',' if open => ("|".to_owned(), 1),
                c => (regex::escape(c.encode_utf8(&mut [0; 4])), 1),
            }
        };
        text.push_str(&part);
        rest = rest.get(length..)?;
    }
    text.push('$');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_for_paths() {
        let fits = |pattern: &str, path: &str| Glob::read(pattern).fits(path);
        assert_eq!(fits("**/.git/**", ".git/config"), Fit::Sure);
        assert_eq!(fits("**/*.lock", "a/b.lock"), Fit::Sure);
        assert_eq!(fits("**/{package.json,.env}", "a/.env"), Fit::Sure);
        assert_eq!(fits("**/.env", "a/.env.local"), Fit::No);
        assert_eq!(fits("*.md", "a/x.md"), Fit::No);
        assert_eq!(fits("[ab]", "a"), Fit::May);
        assert_eq!(fits("**/*", ".vscode/settings.json"), Fit::Sure);
    }
}
