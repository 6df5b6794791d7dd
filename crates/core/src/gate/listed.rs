//! Lists of commands whose agents do not say how a line is held against them (floor 2).

use super::bounds::{Bounds, ruling};
use super::shown::shown;
use super::{Basis, Cited, Effect, Level, Place, pattern};
use crate::model::Decision;

/// Whether a line begins with what an entry is for, if not every command of it.
pub(super) fn begins(entry: &str, command: &str) -> bool {
    let fixed = entry.split('*').next().unwrap_or(entry).trim();
    if fixed.is_empty() {
        return pattern::matches(entry, command);
    }
    let rest = command.trim().strip_prefix(fixed);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
}

/// Whether a list may name a command, in whatever way it is held against it: the fixed parts of the entry stand in the line.
pub(super) fn may_name(entry: &str, command: &str) -> bool {
    let mut parts = entry.split('*').map(str::trim).filter(|part| !part.is_empty()).peekable();
    parts.peek().is_some() && parts.all(|part| command.contains(part)) || pattern::matches(entry, command)
}

/// An entry, with nothing in it that may be a secret.
pub(super) fn bare(entry: &str) -> String {
    let text = shown(&format!("Bash({entry})"));
    text.strip_prefix("Bash(").and_then(|text| text.strip_suffix(')')).unwrap_or("…").to_owned()
}

/// What an entry decides, and where it stands.
pub(super) fn listed(entry: &str, at: (&Place, Level), effect: Effect, why: &str) -> Bounds {
    let (place, level) = at;
    let decision = match effect {
        Effect::Deny => Decision::Deny,
        Effect::Ask => Decision::Ask,
        Effect::Allow => Decision::Allow,
    };
    let text = bare(entry);
    let because = format!("`{text}` {why} ({place})");
    let whole = matches!(entry.trim(), "*" | "**" | ".*");
    let cited = Cited { effect, whole, text, level };
    Bounds::one(ruling(decision, Basis::Rule(cited), Some(place), because))
}
