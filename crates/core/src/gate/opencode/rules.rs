//! Rules in their order, and which of them has the last word (floor 2).

use crate::gate::pattern;
use crate::gate::shown::shown;
use crate::gate::{Effect, Level, Place};

/// A rule: a permission, what it is asked for, and the answer. `*` and `?` stand for anything in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) permission: String,
    pub(super) pattern: String,
    pub(super) effect: Effect,
    /// Where it stands; nowhere for the agent's own.
    pub(super) place: Option<Place>,
    pub(super) level: Level,
    /// Whether it is sure to be read as it stands.
    pub(super) sure: bool,
}

/// One of its agents, with its rules in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Agent {
    pub(super) name: String,
    pub(super) rules: Vec<Rule>,
}

impl Rule {
    /// A rule that the agent brings.
    pub(super) fn built_in(permission: &str, pattern: &str, effect: Effect) -> Self {
        let (permission, pattern) = (permission.to_owned(), pattern.to_owned());
        Self { permission, pattern, effect, place: None, level: Level::State, sure: true }
    }

    /// As it is shown, with nothing in it that may be a secret.
    pub(super) fn text(&self) -> String {
        let tool = shown(&self.permission);
        if self.pattern == "*" {
            return tool;
        }
        let kind = if self.permission == "bash" { "Bash" } else { "Read" };
        shown(&format!("{kind}({})", self.pattern)).replacen(kind, &tool, 1)
    }
}

impl Agent {
    /// The rules that may have the last word on a request, each with whether it surely matches: the last that surely
    /// does, and those behind it that may.
    pub(super) fn last<'a>(
        &'a self,
        permission: &'a str,
        fits: impl Fn(&Rule) -> Option<bool> + 'a,
    ) -> Vec<Option<&'a Rule>> {
        let mut found = Vec::new();
        for rule in self.rules.iter().rev().filter(|rule| fits_text(&rule.permission, permission)) {
            match fits(rule) {
                Some(true) if rule.sure => {
                    found.push(Some(rule));
                    return found;
                }
                Some(true) | None => found.push(Some(rule)),
                Some(false) => {}
            }
        }
        found.push(None);
        found
    }

    /// Whether a tool is not even offered: the last rule about it refuses whatever it is asked for.
    pub(super) fn without(&self, permission: &str) -> Option<&Rule> {
        let last = self.rules.iter().rev().find(|rule| fits_text(&rule.permission, permission))?;
        (last.sure && last.pattern == "*" && last.effect == Effect::Deny).then_some(last)
    }
}

/// Whether a text is what a pattern says (`Wildcard.match`): `*` is any run of characters, `?` any one; a blank and a
/// star at the end may be missing; a backslash is a slash.
pub(super) fn fits_text(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.replace('\\', "/"), text.replace('\\', "/"));
    let glob = |pattern: &str| pattern::glob(pattern, &text, true);
    match pattern.strip_suffix(" *") {
        Some(short) => glob(short) || glob(&pattern),
        None => glob(&pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_matched_whole() {
        assert!(fits_text("git push *", "git push") && fits_text("git push *", "git push -f"));
        assert!(!fits_text("git push", "git push -f") && !fits_text("git push *", "git pushx"));
        assert!(
            fits_text("git*", "gitx") && fits_text("*down", "railway\ndown") && fits_text("r?ilway *", "railway x")
        );
        assert!(fits_text("*", "") && fits_text("*.env", "a/b/.env") && !fits_text("*.env", ".env.x"));
    }
}
