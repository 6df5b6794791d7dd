//! What a session may do to change its own gate (floor 2).

use super::{ClaudePolicy, Mode, bash};
use crate::gate::desk::{Names, accepted};
use crate::gate::programs::{CARRIERS, RUNNERS};
use crate::gate::shell::word;
use crate::gate::{Basis, Effect, Level, Ruling};
use crate::id::WayId;
use crate::model::{Atom, Decision, Override};

/// The file that a session's own approvals are written to.
pub(super) const OWN: &str = ".claude/settings.local.json";

/// Whether an administrator has put a decision out of the session's power to change.
pub(super) fn fixed(policy: &ClaudePolicy, ruling: &Ruling, shell: bool) -> bool {
    let locks = &policy.locks;
    match &ruling.basis {
        Basis::Rule(rule) if rule.level == Level::Managed => match rule.effect {
            Effect::Deny | Effect::Allow => true,
            // A sandbox lets commands run past an `ask` rule for the whole tool.
            Effect::Ask => !rule.whole || locks.sandbox,
        },
        Basis::Mode(Some(Level::Managed)) => locks.rules && locks.hooks && locks.mode && (locks.sandbox || !shell),
        Basis::Hook(Level::Managed) => true,
        Basis::Unread => policy.unread.iter().any(|file| file.level == Level::Managed),
        Basis::Rule(_) | Basis::Mode(_) | Basis::Hook(_) | Basis::BuiltIn => false,
    }
}

/// What the session may change to get another answer, in words.
pub(super) fn levers(policy: &ClaudePolicy, ruling: &Ruling, shell: bool) -> Vec<String> {
    if ruling.decision > Decision::Ask || fixed(policy, ruling, shell) {
        return Vec::new();
    }
    let mut levers = vec![OWN.to_owned()];
    if let Some(place) = ruling.place.as_ref().filter(|place| place.path != OWN) {
        levers.push(place.path.clone());
    }
    if offered(policy, ruling) {
        levers.push("\"always allow\" in the prompt".to_owned());
    }
    levers
}

/// Whether the prompt offers not to ask again. That it does for an explicit `ask` rule is not ruled out.
fn offered(policy: &ClaudePolicy, ruling: &Ruling) -> bool {
    ruling.decision == Decision::Ask && !policy.locks.rules
}

/// The steps that turn a deny or an ask into an allow.
pub(super) fn overrides(policy: &ClaudePolicy, names: &Names, ruling: &Ruling, own: &WayId) -> Vec<Override> {
    if ruling.decision > Decision::Ask {
        return Vec::new();
    }
    let shell = *own == names.bash;
    let mut steps = if shell { runners(policy, names) } else { Vec::new() };
    // Programs that settings name pass no gate, so one of the session's own is a shell even where the shell is refused:
    // a hook, and where hooks are locked a helper (`apiKeyHelper`, `statusLine`, `awsAuthRefresh`, `otelHeadersHelper`,
    // `fileSuggestion`). No managed setting is documented to lock all of these, so none is taken to.
    if shell {
        let adding =
            if policy.locks.hooks { "name a helper that runs anything in" } else { "add a hook that runs anything to" };
        steps.extend(names.edits(OWN, Some(own)).into_iter().map(|mut step| {
            step.because = step.because.replacen("edit", adding, 1);
            step
        }));
    }
    if fixed(policy, ruling, shell) {
        return steps;
    }
    if offered(policy, ruling) {
        steps.push(accepted("accept \"always allow\", which the prompt offers"));
    }
    if policy.starts.iter().any(|start| start.mode == Mode::DontAsk) {
        steps.push(accepted("be started in another permission mode"));
    }
    steps.extend(names.edits(OWN, Some(own)));
    steps
}

/// Commands that are allowed and run what lies in the folder: whoever edits that runs anything.
fn runners(policy: &ClaudePolicy, names: &Names) -> Vec<Override> {
    let mut steps: Vec<Override> = Vec::new();
    let allowed = policy.rules.iter().filter(|rule| rule.effect == Effect::Allow && bash::tool(rule));
    for rule in allowed {
        let Some(spec) = &rule.spec else { continue };
        let (program, _) = word(spec);
        let program = program.trim_end_matches([':', '*']);
        if RUNNERS.contains(&program) || CARRIERS.contains(&program) || program.contains('/') {
            steps.push(Override {
                needs: vec![Atom::Way(names.edit.clone())],
                because: format!("edit what `{}` runs, which is allowed ({})", rule.text, rule.place),
                sources: Vec::new(),
            });
        }
    }
    steps
}
