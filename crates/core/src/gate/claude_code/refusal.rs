//! Which files the session is not shown, and by which of its ways (floor 2).

use super::decide::{decide, path_fits};
use super::step::{OWN, overrides};
use super::{ClaudePolicy, sandbox};
use crate::gate::desk::{Names, accepted};
use crate::gate::{Call, Effect, McpServer, pattern};
use crate::id::SessionId;
use crate::model::{Decision, Override, Refusal};

/// The ways by which the session is refused a file, absolute or under `~`.
///
/// A rule on the agent's own tools says nothing of a script: the shell way is refused by the sandbox alone.
pub(super) fn refusals(policy: &ClaudePolicy, session: &SessionId, servers: &[McpServer], path: &str) -> Vec<Refusal> {
    let names = Names::new(session, servers);
    let mut found = Vec::new();
    let met = decide(policy, &Call::Read { path: path.to_owned() });
    if met.worst.decision <= Decision::Ask {
        let because = met.worst.because.clone();
        found.push(Refusal {
            way: names.read.clone(),
            because,
            overrides: overrides(policy, &names, &met.worst, &names.read),
        });
    }
    let full = policy.ground.absolute(path);
    let boxed = hidden(policy, &names, &full);
    if let Some((because, steps)) = boxed {
        for way in [&names.bash, &names.shown] {
            found.push(Refusal { way: way.clone(), because: because.clone(), overrides: steps.clone() });
        }
        return found;
    }
    let denied = policy.rules.iter().find(|rule| {
        rule.effect == Effect::Deny && rule.certain && rule.tool == "Read" && path_fits(policy, rule, &full)
    });
    if let Some(rule) = denied.filter(|_| policy.unread.is_empty()) {
        let mut steps = vec![accepted("read it by a command that the rule does not recognise")];
        steps.extend(names.edits(OWN, Some(&names.shown)));
        let because =
            format!("`{}` also binds the file commands that the agent recognises ({})", rule.text, rule.place);
        found.push(Refusal { way: names.shown.clone(), because, overrides: steps });
    }
    found
}

/// Whether the sandbox hides a file, and what lifts that.
fn hidden(policy: &ClaudePolicy, names: &Names, full: &str) -> Option<(String, Vec<Override>)> {
    let sandbox = &policy.sandbox;
    if sandbox.on.is_none() || !sandbox.sure {
        return None;
    }
    let (path, place) = sandbox.hidden.iter().find(|(path, _)| pattern::covers(&policy.ground.absolute(path), full))?;
    // A command that may run outside unasked reads it there.
    let free = !sandbox.exits.is_empty() && sandbox::outside(policy).0 > Decision::Ask;
    let because = format!("the sandbox hides `{path}` ({place})");
    (!free).then(|| (because, sandbox::escapes(policy, names)))
}
