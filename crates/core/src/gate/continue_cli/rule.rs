//! Rules, and what they fit (floor 2).

use regex::{Regex, RegexBuilder};

use crate::gate::expression::Fit;
use crate::gate::shown::shown;
use crate::gate::{Effect, Level, Place};

/// The argument that a pattern is held against, by the tool that it names
/// (`extensions/cli/src/permissions/permissionsYamlLoader.ts`).
const HELD: [(&str, &str); 8] = [
    ("Write", "file_path"),
    ("Edit", "file_path"),
    ("Read", "file_path"),
    ("List", "path"),
    ("Search", "query"),
    ("Bash", "command"),
    ("Fetch", "url"),
    ("Diff", "file_path"),
];

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) effect: Effect,
    /// The tool, with wildcards.
    pub(super) tool: String,
    /// What an argument has to be, with wildcards.
    pub(super) argument: Option<String>,
    /// Whether it was typed on the command line.
    pub(super) typed: bool,
    pub(super) place: Place,
    pub(super) level: Level,
}

impl Rule {
    /// A rule of the file; none where reading it is an error.
    pub(super) fn written(text: &str, effect: Effect, place: Place, level: Level) -> Option<Self> {
        let (tool, argument) = match text.split_once('(') {
            None => (text, None),
            Some((tool, rest)) => (tool, Some(rest.strip_suffix(')').filter(|rest| !rest.contains(')'))?)),
        };
        if tool.is_empty() || text.contains(['\n', '\r']) {
            return None;
        }
        let argument = argument.map(str::trim).filter(|argument| !argument.is_empty()).map(str::to_owned);
        Some(Self { effect, tool: tool.trim().to_owned(), argument, typed: false, place, level })
    }

    /// A rule of the command line, where only the shell has patterns.
    pub(super) fn typed(text: &str, effect: Effect, place: Place, level: Level) -> Self {
        let inner = text.strip_prefix("Bash(").and_then(|rest| rest.strip_suffix(')')).filter(|rest| !rest.is_empty());
        let tool = if inner.is_some() { "Bash" } else { text };
        Self { effect, tool: tool.to_owned(), argument: inner.map(str::to_owned), typed: true, place, level }
    }

    /// Whether it fits a call of a tool; of the shell with this command.
    pub(super) fn fits(&self, tool: &str, command: Option<&str>) -> Fit {
        let named = if self.tool == "*" { Fit::Sure } else { like(&self.tool, tool) };
        let Some(argument) = self.argument.as_deref().filter(|argument| *argument != "*") else { return named };
        if named == Fit::No {
            return Fit::No;
        }
        let held = HELD.iter().find(|(name, _)| *name == self.tool).map(|(_, held)| *held);
        match command {
            Some(command) if held == Some("command") => named.min(like(argument, command)),
            // The caller chooses how it writes the argument, and adds one that a rule names.
            _ => Fit::May,
        }
    }

    /// Whether it covers every call of its tool.
    pub(super) fn whole(&self) -> bool {
        self.argument.as_deref().is_none_or(|argument| argument == "*")
    }

    /// As it is shown.
    pub(super) fn shown(&self) -> String {
        match &self.argument {
            Some(argument) => shown(&format!("{}({argument})", self.tool)),
            None => shown(&self.tool),
        }
    }
}

/// Whether a text is what a pattern names: `*` and `?` stand for anything but the end of a line.
fn like(pattern: &str, text: &str) -> Fit {
    if pattern == text {
        return Fit::Sure;
    }
    if !pattern.contains(['*', '?']) {
        return Fit::No;
    }
    match expression(pattern) {
        Some(expression) if text.is_ascii() => {
            if expression.is_match(text) {
                Fit::Sure
            } else {
                Fit::No
            }
        }
        Some(_) | None => Fit::May,
    }
}

fn expression(pattern: &str) -> Option<Regex> {
    let mut found = String::from(r"\A");
    for c in pattern.chars() {
        match c {
            '*' => found.push_str(r"[^\n\r]*"),
            '?' => found.push_str(r"[^\n\r]"),
            c => found.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    found.push_str(r"\z");
    RegexBuilder::new(&found).size_limit(1 << 20).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        Rule::written(text, Effect::Allow, Place { path: "x".to_owned(), line: None }, Level::User).unwrap()
    }

    #[test]
    fn patterns_fit_whole_lines() {
        let fits = |text: &str, command: &str| rule(text).fits("Bash", Some(command));
        assert_eq!(fits("Bash", "x"), Fit::Sure);
        assert_eq!(fits("Bash()", "x"), Fit::Sure);
        assert_eq!(fits("*", "x"), Fit::Sure);
        assert_eq!(fits("Bash(ls)", "ls -l"), Fit::No);
        assert_eq!(fits("Bash( ls* )", "ls && railway down"), Fit::Sure);
        assert_eq!(fits("Bash(ls*)", "ls\nrailway down"), Fit::No);
        assert_eq!(fits("Bash(ls*)", "ls \u{e9}"), Fit::May);
        assert_eq!(fits("B*(ls)", "ls"), Fit::May);
        assert_eq!(rule("Read(.env)").fits("Read", None), Fit::May);
        assert!(
            Rule::written("Bash(a(b))", Effect::Deny, Place { path: "x".to_owned(), line: None }, Level::User)
                .is_none()
        );
    }
}
