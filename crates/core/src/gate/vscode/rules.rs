//! Rules for commands in the terminal (floor 2): a command's beginning or an expression, and whether it runs unasked.

use regex::Regex;

use crate::gate::expression::{self, Fit};
use crate::gate::shown::shown;
use crate::gate::{Cited, Effect, Level, Place};

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) key: String,
    pub(super) approve: bool,
    /// Whether it is held against the whole line and not against each command.
    pub(super) line: bool,
    /// Where it stands; nowhere for those that the program brings.
    pub(super) place: Option<Place>,
    pub(super) level: Level,
    pub(super) test: Test,
}

/// What a rule matches.
#[derive(Clone, Debug)]
pub(super) enum Test {
    All,
    Never,
    Some(Box<Matching>),
}

/// An expression that is matched; none where it is not sure what it means.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    pub(super) expression: Option<Regex>,
    /// What a text surely begins with that it matches.
    pub(super) stem: Option<String>,
    /// What it does not match, though the expression does.
    pub(super) unless: Option<Regex>,
}

impl Test {
    /// Reads a key. What is between `/` is an expression, with letters behind it that change how it is read; one that
    /// matches the empty text never matches, but for a few. Anything else is how a command begins, up to the end of a
    /// word.
    pub(super) fn read(key: &str) -> Self {
        let cut = key.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')).filter(|(pattern, flags)| {
            !pattern.is_empty() && !pattern.contains('\n') && flags.chars().all(|flag| "dgimsuvy".contains(flag))
        });
        if let Some((pattern, flags)) = cut {
            return Self::expression(pattern, flags);
        }
        if key.is_empty() {
            return Self::Never;
        }
        if key.contains('/') || key.contains('\\') {
            return Self::path(key);
        }
        let expression = Regex::new(&format!("^{}(?-u:\\b)", regex::escape(key))).ok();
        Self::Some(Box::new(Matching { expression, stem: Some(key.to_owned()), unless: None }))
    }

    fn expression(pattern: &str, flags: &str) -> Self {
        if pattern == ".*" {
            return Self::All;
        }
        // Twice the same letter is no expression.
        if flags.chars().any(|flag| flag != 'g' && flags.matches(flag).count() > 1) {
            return Self::Never;
        }
        let plain = flags.chars().all(|flag| matches!(flag, 'd' | 'g' | 'i'));
        let caseless = flags.contains('i');
        let expression = if plain { expression::read(pattern, caseless) } else { None };
        let empty = ["^", "^$", "$", "^\\s*$"].contains(&pattern);
        if !empty && expression.as_ref().is_some_and(|one| one.is_match("")) {
            return Self::Never;
        }
        if pattern == "^" {
            return Self::All;
        }
        let stem = if plain && !caseless { expression::stem(pattern) } else { None };
        Self::Some(Box::new(Matching { expression, stem, unless: None }))
    }

    /// What looks like a path is meant with either separator, and with `./` in front or without.
    fn path(key: &str) -> Self {
        let escaped: Vec<String> = key.split(['/', '\\']).map(regex::escape).collect();
        // Of separators in a row it makes something else.
        let odd = ["//", "\\\\", "/\\", "\\/"].iter().any(|two| key.contains(two));
        let expression = format!("^(?:\\.[/\\\\])?{}(?-u:\\b)", escaped.join("[/\\\\]"));
        let expression = if odd { None } else { Regex::new(&expression).ok() };
        Self::Some(Box::new(Matching { expression, stem: None, unless: None }))
    }

    pub(super) fn fits(&self, text: &str) -> Fit {
        match self {
            Self::All => Fit::Sure,
            Self::Never => Fit::No,
            Self::Some(one) => {
                if one.stem.as_ref().is_some_and(|stem| !text.starts_with(stem.as_str())) {
                    return Fit::No;
                }
                let met = expression::fit(one.expression.as_ref(), text);
                let but = met == Fit::Sure && one.unless.as_ref().is_some_and(|unless| unless.is_match(text));
                if but { Fit::No } else { met }
            }
        }
    }
}

impl Rule {
    /// As it is shown, with nothing in it that may be a secret.
    pub(super) fn text(&self) -> String {
        let whole = shown(&format!("Bash({})", self.key));
        whole.strip_prefix("Bash(").and_then(|rest| rest.strip_suffix(')')).unwrap_or("…").to_owned()
    }

    pub(super) fn cited(&self) -> Cited {
        let effect = if self.approve { Effect::Allow } else { Effect::Ask };
        Cited { effect, text: self.text(), level: self.level, whole: matches!(self.test, Test::All) }
    }

    /// Where it stands, for what is written of it.
    pub(super) fn at(&self) -> String {
        self.place.as_ref().map_or_else(|| "of the program itself".to_owned(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(key: &str, text: &str) -> Fit {
        Test::read(key).fits(text)
    }

    #[test]
    fn keys_are_read_as_the_program_reads_them() {
        assert_eq!(fits("rm", "rm -rf x"), Fit::Sure);
        assert_eq!(fits("rm", "rmdir x"), Fit::No);
        assert_eq!(fits("rm", "/bin/rm x"), Fit::No);
        assert_eq!(fits("npm run build", "npm run build:prod"), Fit::Sure);
        assert_eq!(fits("bin/test.sh", "./bin/test.sh x"), Fit::Sure);
        assert_eq!(fits("bin/test.sh", "bin\\test.sh"), Fit::Sure);
        assert_eq!(fits("/^git (status|show\\b.*)$/", "git show x"), Fit::Sure);
        assert_eq!(fits("/^git (status|show\\b.*)$/", "git status -s"), Fit::No);
        assert_eq!(fits("/^git/i", "GIT push"), Fit::Sure);
        assert_eq!(fits("", "ls"), Fit::No);
    }

    #[test]
    fn what_matches_nothing_is_for_nothing() {
        assert_eq!(fits("/.*/", "rm x"), Fit::Sure);
        assert_eq!(fits("/(.*)/", "rm x"), Fit::No);
        assert_eq!(fits("/a*/", "a"), Fit::No);
        assert_eq!(fits("/^/", "rm x"), Fit::Sure);
        assert_eq!(fits("/(/", "("), Fit::May);
        assert_eq!(fits("/^rm(?! -r)/", "rm x"), Fit::May);
        assert_eq!(fits("/^rm(?! -r)/", "ls"), Fit::No);
        assert_eq!(fits("/rm/y", "rm x"), Fit::May);
    }
}
