//! Hooks: which calls they see (floor 2).

use super::{ClaudePolicy, Event, Hook, mcp};
use crate::gate::Call;

/// The first hook of an event that sees a call, or may see it.
pub(super) fn seeing<'a>(policy: &'a ClaudePolicy, call: &Call, event: Event) -> Option<&'a Hook> {
    let names = names(call);
    let mut heard = policy.hooks.iter().filter(|hook| hook.event == event);
    heard.find(|hook| hook.matcher.as_deref().is_none_or(|matcher| sees(matcher, &names)))
}

fn names(call: &Call) -> Vec<String> {
    match call {
        Call::Shell { .. } => vec!["Bash".to_owned()],
        Call::Read { .. } => vec!["Read".to_owned()],
        Call::Edit { .. } => ["Edit", "Write", "MultiEdit", "NotebookEdit"].map(str::to_owned).to_vec(),
        Call::Fetch { .. } => vec!["WebFetch".to_owned()],
        Call::Mcp { server, tool } => vec![mcp::name(server, tool)],
    }
}

/// A matcher of plain characters is a list of exact names; anything else is an expression, which is not run here, so
/// it may see every call.
fn sees(matcher: &str, names: &[String]) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ',' | '|' | ' ');
    if matches!(matcher, "" | "*") || !matcher.chars().all(plain) {
        return true;
    }
    matcher.split(['|', ',']).any(|name| names.iter().any(|n| n == name.trim()))
}
