//! One rule of the policy engine, and which calls it matches (floor 2).
//!
//! The engine turns settings and policy files into one list and takes the first rule that matches, the highest number
//! first (google-gemini/gemini-cli `packages/core/src/policy/policy-engine.ts`). Arguments are matched as text: as JSON
//! with its keys in order.

use regex::Regex;

use super::Mode;
use crate::gate::expression::{Fit, alike};
use crate::gate::{Effect, Level, Place};

/// What a rule asks of a call's arguments.
#[derive(Clone, Debug)]
pub(super) enum Args {
    /// Nothing.
    Any,
    /// That the command begins with this, up to the end of a word.
    Prefix(String),
    /// That an expression is found in them.
    Found(Box<Found>),
    /// Something that is not understood here.
    Unclear,
}

/// An expression on the arguments of a call.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The expression, if it means the same here and there.
    expression: Option<Regex>,
    /// Whether it begins at the command: what it says stands in the command, or behind it.
    command: bool,
    /// The plain text that it begins with, behind where the command begins.
    plain: String,
    /// Whether it may reach beyond what it spells out, into arguments that the model is free to choose.
    wild: bool,
    /// Whether more arguments could keep it from matching.
    ends: bool,
    /// Whether it begins at an argument of the call itself, and not at one within another.
    top: bool,
}

/// A rule, whatever it was written as.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// The tool's name, or a pattern for it.
    pub(super) tool: String,
    /// The server that it is bound to; `*` is any.
    pub(super) server: Option<String>,
    pub(super) args: Args,
    pub(super) effect: Effect,
    /// Thousandths: the tier before the point, the priority behind it.
    pub(super) priority: u32,
    /// The modes that it counts in; none is all.
    pub(super) modes: Vec<Mode>,
    /// Whether it counts only with a person there, or only without.
    pub(super) interactive: Option<bool>,
    /// Whether it lets redirects through.
    pub(super) redirects: bool,
    /// Whether it is sure to be in force.
    pub(super) sure: bool,
    /// As it is shown.
    pub(super) text: String,
    /// Where it stands; nowhere for the agent's own.
    pub(super) place: Option<Place>,
    pub(super) level: Level,
}

/// A tool, as rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    /// Its name and what it was called before.
    pub(super) names: &'a [&'a str],
    /// The server that it belongs to.
    pub(super) server: Option<&'a str>,
}

impl Rule {
    /// Whether it is about a tool at all, in this mode.
    pub(super) fn about(&self, tool: Named<'_>, mode: Mode, headless: bool) -> bool {
        let of_server = match self.server.as_deref() {
            None => true,
            Some("*") => tool.server.is_some(),
            Some(server) if self.open(server) => tool.server.is_some(),
            Some(server) => tool.server == Some(server),
        };
        of_server
            && (self.modes.is_empty() || self.modes.contains(&mode))
            && self.interactive.is_none_or(|wanted| wanted != headless)
            && tool.names.iter().any(|name| self.names(name, tool.server))
    }

    /// Whether a name in what is allowed holds a variable, which may stand for any name.
    fn open(&self, name: &str) -> bool {
        self.effect == Effect::Allow && !self.sure && name.contains('$')
    }

    fn names(&self, name: &str, server: Option<&str>) -> bool {
        let own = self.tool.as_str();
        if own == "*" || own == name || self.open(own) {
            return true;
        }
        if own.contains('*') {
            if own == "mcp_*" {
                return server.is_some();
            }
            let wanted = own.strip_prefix("mcp_").and_then(|rest| rest.strip_suffix("_*"));
            return wanted.is_some_and(|wanted| {
                server == Some(wanted)
                    && name.strip_prefix("mcp_").is_some_and(|n| n.starts_with(&format!("{wanted}_")))
            });
        }
        let Some(server) = server else { return false };
        let short = self.server.as_ref().filter(|_| !own.starts_with("mcp_"));
        short.is_some_and(|bound| name == format!("mcp_{bound}_{own}")) || own == format!("mcp_{server}_{name}")
    }

    /// Whether it matches a command line.
    pub(super) fn fits(&self, command: &str) -> Fit {
        let fit = match &self.args {
            Args::Any => Fit::Sure,
            Args::Unclear => Fit::May,
            Args::Prefix(prefix) => {
                if begins(prefix, command) {
                    Fit::Sure
                } else {
                    Fit::No
                }
            }
            Args::Found(found) => found.fits(command),
        };
        if fit == Fit::Sure && !self.sure { Fit::May } else { fit }
    }

    /// Whether it matches a command line in a call to which the session may add arguments: an expression on the command
    /// is met by one of that name within another as well. A refusal that is met that way is the session's own doing.
    pub(super) fn padded(&self, command: &str) -> Fit {
        let narrow = match &self.args {
            Args::Prefix(_) => true,
            Args::Found(found) => !found.top,
            Args::Any | Args::Unclear => false,
        };
        let fit = self.fits(command);
        if fit == Fit::No && narrow && self.effect != Effect::Deny { Fit::May } else { fit }
    }

    /// Whether it matches a call of another tool, whose arguments are not known.
    pub(super) const fn fits_any(&self) -> Fit {
        match self.args {
            Args::Any if self.sure => Fit::Sure,
            Args::Any | Args::Found(_) | Args::Unclear => Fit::May,
            Args::Prefix(_) => Fit::No,
        }
    }

    /// Whether it stands for every call of its tool.
    pub(super) const fn whole(&self) -> bool {
        matches!(self.args, Args::Any)
    }

    /// A pattern for the commands that it may match: `*` for what it leaves open.
    pub(super) fn commands(&self) -> String {
        match &self.args {
            Args::Any | Args::Unclear => "*".to_owned(),
            Args::Prefix(prefix) => format!("{prefix} *"),
            Args::Found(found) => format!("{}*", found.plain),
        }
    }
}

/// A text as it stands in JSON, without its quotes.
fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// `commandPrefix`: the command's JSON begins with it, and then come a blank, its end or a quote.
fn begins(prefix: &str, command: &str) -> bool {
    let whole = json(command);
    whole
        .strip_prefix(&json(prefix))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') || rest.starts_with("\\\""))
}

impl Found {
    /// An expression in JavaScript's syntax; `None` if the agent drops the rule for it.
    pub(super) fn read(pattern: &str) -> Option<Args> {
        if pattern.chars().count() > 2048 || nested(pattern) {
            return None;
        }
        let start = ["\"command\":\"", "\\x00\"command\":\"", "\\0\"command\":\""];
        let rest = start.iter().find_map(|start| pattern.strip_prefix(start));
        let plain: String = rest.unwrap_or_default().chars().take_while(|c| plain(*c)).collect();
        // What a quantifier or a choice behind it makes of its last letter, or of all of it, is not plain.
        let behind = rest.unwrap_or_default().get(plain.len()..).unwrap_or_default();
        let open = pattern.contains('|') && !grouped(pattern);
        let plain = if open {
            String::new()
        } else if behind.starts_with(['?', '*', '{', '+']) {
            plain.chars().take(plain.chars().count().saturating_sub(1)).collect()
        } else {
            plain
        };
        // Only what may stand for a quote gets past the end of the command.
        let past = [".", "[^", "\\S", "\\D", "\\W", "\\x", "\\u", "\""];
        let wild = open || past.iter().any(|part| rest.unwrap_or(".").contains(part));
        let expression = if alike(pattern) { Regex::new(pattern).ok() } else { None };
        let (command, ends) = (rest.is_some(), pattern.contains('$'));
        let top = command && !open && !pattern.starts_with('"');
        Some(Args::Found(Box::new(Self { expression, command, plain, wild, ends, top })))
    }

    fn fits(&self, command: &str) -> Fit {
        let whole = json(command);
        // With nothing behind the command, where the model may put what it likes.
        let text = format!("{{\0\"command\":\"{whole}\"\0");
        let begins = !self.command || whole.starts_with(&self.plain) || self.plain.starts_with(&whole);
        let Some(expression) = self.expression.as_ref().filter(|_| command.is_ascii()) else {
            return if begins { Fit::May } else { Fit::No };
        };
        match expression.is_match(&text) {
            true if self.ends => Fit::May,
            true => Fit::Sure,
            false if self.wild && begins => Fit::May,
            false => Fit::No,
        }
    }
}

const fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '/' | ':' | '=' | ',' | '~' | '@' | '%')
}

/// Whether every choice stands in brackets.
fn grouped(pattern: &str) -> bool {
    let mut depth = 0_i32;
    for c in pattern.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth <= 0 => return false,
            _ => {}
        }
    }
    true
}

/// Whether the agent takes an expression for one that may run for ever, and drops its rule: something that repeats, in
/// brackets that repeat.
fn nested(pattern: &str) -> bool {
    Regex::new(r"\([^)]*[*+?{].*\)[*+?{]").is_ok_and(|nested| nested.is_match(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pattern: &str, command: &str) -> Fit {
        let Some(Args::Found(found)) = Found::read(&format!("\"command\":\"{pattern}")) else { panic!("{pattern}") };
        found.fits(command)
    }

    #[test]
    fn a_prefix_ends_at_a_word() {
        assert!(begins("git push", "git push") && begins("git push", "git push -f") && begins("echo", "echo\"x\""));
        for other in ["git pushx", "git  push", " git push", "A=1 git push", "git\npush", "git\tpush"] {
            assert!(!begins("git push", other), "{other}");
        }
        assert!(!begins("git", "git\npush"));
    }

    #[test]
    fn an_expression_begins_where_the_command_does() {
        assert_eq!(fit("git (status|log)", "git status -s"), Fit::Sure);
        assert_eq!(fit("git (status|log)", "git push"), Fit::No);
        assert_eq!(fit("rm -rf", "cd x && rm -rf /"), Fit::No);
        // The dots may reach into what the model says of the call.
        assert_eq!(fit("git .*status", "git push"), Fit::May);
        assert_eq!(fit("git .*status", "aws s3 ls"), Fit::No);
        assert_eq!(fit(".*", "aws s3 ls"), Fit::Sure);
        assert_eq!(fit("^rm", "rm -rf /"), Fit::No);
        assert_eq!(fit("(?i)rm", "rm"), Fit::May);
        assert_eq!(fit("git|aws", "aws s3 ls"), Fit::Sure);
        assert_eq!(fit("git|aws", "rm -rf /"), Fit::May);
        assert_eq!(fit("git\\s+push\\b", "git push -f"), Fit::Sure);
        assert_eq!(fit("git\\s+push\\b", "git status"), Fit::No);
    }

    #[test]
    fn what_repeats_in_what_repeats_is_dropped() {
        assert!(Found::read("(a+)+").is_none() && Found::read("(a|b)").is_some());
        assert!(Found::read(&"a".repeat(3000)).is_none());
    }
}
