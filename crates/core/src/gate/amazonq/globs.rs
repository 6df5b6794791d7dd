//! Wildcards in names of tools and in paths, as the crate `globset` reads them (floor 2).

use regex::{Regex, RegexBuilder};

use crate::gate::Ground;
use crate::gate::expression::Fit;
use crate::gate::pattern;

/// The longest pattern that is read.
const LONGEST: usize = 1_024;

/// Whether a name of a tool is meant.
pub(super) fn name(wanted: &str, name: &str) -> Fit {
    if wanted == name {
        return Fit::Sure;
    }
    if !wanted.contains(['*', '?']) {
        return Fit::No;
    }
    if wanted.contains(['[', ']', '{', '}', '\\']) || wanted.len() > LONGEST {
        return Fit::May;
    }
    if pattern::glob(wanted, name, true) { Fit::Sure } else { Fit::No }
}

/// A pattern for paths, from the session's folder, with what lies below what it names. None where it may mean
/// something else: a variable, a list, a class.
pub(super) fn path(wanted: &str, ground: &Ground) -> Option<Regex> {
    if wanted.contains(['$', '[', ']', '{', '}', '\\']) || wanted.is_empty() || wanted.len() > LONGEST {
        return None;
    }
    let full = ground.absolute(wanted);
    let mut expression = String::from(r"\A(?:");
    let mut rest = full.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("/**/") {
            expression.push_str("(?:/|/.*/)");
            rest = after;
            continue;
        }
        if rest == "/**" {
            expression.push_str("/.*");
            break;
        }
        match c {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            c => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    expression.push_str(r")(?:/.*)?\z");
    RegexBuilder::new(&expression).dot_matches_new_line(true).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_what_lies_below_it_too() {
        let ground = Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() };
        let covers = |wanted: &str, given: &str| path(wanted, &ground).unwrap().is_match(given);
        assert!(covers("~/.aws", "/home/u/.aws/credentials") && covers("~/.aws", "/home/u/.aws"));
        assert!(!covers("~/.aws", "/home/u/.awsx"));
        assert!(covers("**/.env", "/repo/.env") && covers("**/.env", "/repo/a/b/.env"));
        assert!(covers("/etc/*", "/etc/a/b") && !covers("/etc/*", "/etcx"));
        assert!(covers("src/**", "/repo/src/a") && !covers("src/**", "/repo/src"));
        assert!(covers("./a/../b", "/repo/b"));
        assert!(path("$HOME/x", &ground).is_none() && path("a{b,c}", &ground).is_none());
    }

    #[test]
    fn a_star_alone_names_every_tool() {
        assert_eq!(name("*", "execute_bash"), Fit::Sure);
        assert_eq!(name("fs_*", "execute_bash"), Fit::No);
        assert_eq!(name("[ef]*", "execute_bash"), Fit::May);
        assert_eq!(name("@git*", "@git/status"), Fit::Sure);
    }
}
