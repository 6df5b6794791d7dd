//! One call, one decision: what refuses, what allows, the mode, and a hook that may say otherwise (floor 2).

use super::matching::{may, surely};
use super::{CursorPolicy, Entry, Hook, Mode, Surface};
use crate::fact::GapReason;
use crate::gate::bounds::{ruling, unread};
use crate::gate::call::View;
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Level, Ruling};
use crate::model::Decision;

/// What the gate does with a call.
pub(super) fn decide(policy: &CursorPolicy, call: &Call) -> GateDecision {
    let (mut worst, mut best) = (answer(policy, call, View::Worst), answer(policy, call, View::Best));
    let mut doubt = None;
    if let Some(hook) = policy.hooks.iter().find(|hook| sees(hook, call)) {
        let by_hook = |decision| ruling(decision, Basis::Hook(hook.level), Some(&hook.place), hook_says(hook));
        // Whether a hook that allows is heard over a rule that refuses is not documented.
        if worst.decision < Decision::Allow {
            worst = by_hook(Decision::Allow);
        }
        best = by_hook(Decision::Deny);
        doubt = Some(hook_doubt(hook));
    }
    if let Some((unknown, why)) = unread(&policy.unread) {
        (worst, best, doubt) = (unknown.worst, unknown.best, Some(why));
    }
    let doubt = (worst.decision != best.decision).then(|| doubt.unwrap_or_else(|| mode_doubt(policy, &worst)));
    let overridable_by = levers(policy, &best);
    GateDecision { contained: contained(policy, call), worst, best, doubt, overridable_by }
}

/// Whether the operating system keeps a call from the network. A sandbox may hold a shell command; which network it
/// leaves depends on settings that are in no file. What is on a list runs outside it.
fn contained(policy: &CursorPolicy, call: &Call) -> Option<bool> {
    let shell = matches!(call, Call::Shell { .. });
    let listed = policy.entries.iter().any(|e| e.effect == Effect::Allow && surely(policy, e, call));
    (!shell || policy.unboxed || listed).then_some(false)
}

/// What the session may change to get another answer. It is empty where an administrator's hook may refuse.
fn levers(policy: &CursorPolicy, best: &Ruling) -> Vec<String> {
    if best.decision > Decision::Ask || fixed(best) {
        return Vec::new();
    }
    let mut levers = vec![policy.surface.own().to_owned()];
    levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| path != policy.surface.own()));
    if best.decision == Decision::Ask {
        levers.push("\"add to allowlist\" in the prompt".to_owned());
    }
    levers
}

/// Whether a ruling is out of the session's power to change.
pub(super) fn fixed(ruling: &Ruling) -> bool {
    matches!(ruling.basis, Basis::Hook(Level::Managed))
}

fn answer(policy: &CursorPolicy, call: &Call, view: View) -> Ruling {
    let names = |entry: &&Entry| match (entry.effect, view) {
        // What refuses counts at worst only if it is sure to; what allows counts at best only then.
        (Effect::Deny, View::Worst) | (Effect::Allow, View::Best) => entry.sure && surely(policy, entry, call),
        (Effect::Deny, View::Best) | (Effect::Allow, View::Worst) => may(policy, entry, call),
        (Effect::Ask, _) => false,
    };
    let find = |effect| policy.entries.iter().filter(|entry| entry.effect == effect).find(names);
    if let Some(entry) = find(Effect::Deny) {
        return by(entry);
    }
    if let Some(ruling) = ignored(policy, call, view) {
        return ruling;
    }
    if let Some(entry) = find(Effect::Allow) {
        return by(entry);
    }
    if view == View::Worst && matches!(call, Call::Edit { .. }) {
        // Neither agent is documented to ask before every edit, whatever its mode.
        let because = "whether the agent asks before this edit is not documented".to_owned();
        return built_in(policy, call).unwrap_or_else(|| ruling(Decision::Allow, Basis::BuiltIn, None, because));
    }
    built_in(policy, call).unwrap_or_else(|| {
        let mode = if matches!(call, Call::Shell { .. }) { &policy.shell } else { &policy.others };
        by_mode(policy.surface, mode, view)
    })
}

/// `.cursorignore` keeps files from the editor's own tools. That it binds the command-line agent is not documented.
fn ignored(policy: &CursorPolicy, call: &Call, view: View) -> Option<Ruling> {
    let (path, reads) = match call {
        Call::Read { path } => (path, true),
        Call::Edit { path } => (path, false),
        Call::Shell { .. } | Call::Fetch { .. } | Call::Mcp { .. } => return None,
    };
    let place = policy.ignored.hides(&policy.ground.absolute(path))?;
    let sure = reads && policy.surface == Surface::Editor;
    let because = format!("the ignore file keeps it from the agent's own tools ({place})");
    (sure || view == View::Best)
        .then(|| ruling(Decision::Deny, Basis::Mode(Some(Level::Project)), Some(place), because))
}

/// Reading needs no approval, nor does editing in the workspace, but for files of settings (cursor.com/docs/agent/security).
fn built_in(policy: &CursorPolicy, call: &Call) -> Option<Ruling> {
    let free = |because: &str| Some(ruling(Decision::Allow, Basis::BuiltIn, None, because.to_owned()));
    match call {
        Call::Read { .. } => free("the agent reads files without asking"),
        Call::Edit { path } if policy.surface == Surface::Editor => {
            let full = policy.ground.absolute(path);
            let inside = full.strip_prefix(policy.ground.root.trim_end_matches('/'))?;
            let settings = inside.split('/').any(|part| part.starts_with('.'));
            if inside.starts_with('/') && !settings {
                return free("the agent edits files of the workspace without asking");
            }
            None
        }
        Call::Edit { .. } | Call::Shell { .. } | Call::Fetch { .. } | Call::Mcp { .. } => None,
    }
}

fn by(entry: &Entry) -> Ruling {
    let (decision, verb) = match entry.effect {
        Effect::Deny => (Decision::Deny, "refuses"),
        Effect::Ask => (Decision::Ask, "asks"),
        Effect::Allow => (Decision::Allow, "lets it run unasked"),
    };
    let whole = matches!(entry.spec.as_str(), "*" | "**" | "*:*");
    let cited = Cited { effect: entry.effect, text: entry.text.clone(), level: entry.level, whole };
    let because = format!("`{}` {verb} ({})", entry.text, entry.place);
    ruling(decision, Basis::Rule(cited), Some(&entry.place), because)
}

fn by_mode(surface: Surface, mode: &Mode, view: View) -> Ruling {
    let decision = if view == View::Worst { mode.worst } else { mode.best };
    let does = match decision {
        Decision::Deny => "refuses it",
        Decision::Ask => "asks a person",
        Decision::Reviewed => "lets a model decide",
        Decision::Allow => "lets it run",
    };
    let because = match (&mode.place, surface) {
        (Some(place), _) => format!("no rule decides, and the approval mode ({place}) {does}"),
        (None, Surface::Editor) => format!("no list names it, and the run mode, which no file tells, {does}"),
        (None, Surface::Terminal) => format!("no rule decides, and the approval mode, which no file sets, {does}"),
    };
    ruling(decision, Basis::Mode(mode.place.as_ref().map(|_| Level::User)), mode.place.as_ref(), because)
}

fn sees(hook: &Hook, call: &Call) -> bool {
    match hook.event.as_str() {
        "beforeShellExecution" => matches!(call, Call::Shell { .. }),
        "beforeMCPExecution" => matches!(call, Call::Mcp { .. }),
        "beforeReadFile" => matches!(call, Call::Read { .. }),
        _ => true,
    }
}

fn hook_says(hook: &Hook) -> String {
    format!("the `{}` hook sees the call ({}), and it is not run to learn its answer", hook.event, hook.place)
}

fn hook_doubt(hook: &Hook) -> Doubt {
    Doubt {
        id: "hook".to_owned(),
        reason: GapReason::NotAsked,
        question: "ask the hook".to_owned(),
        settle: "trying the call with the hook in place; no setting of Cursor shows its answer".to_owned(),
        place: Some(hook.place.clone()),
    }
}

fn mode_doubt(policy: &CursorPolicy, worst: &Ruling) -> Doubt {
    let (question, settle) = match policy.surface {
        Surface::Editor => (
            "the run mode, which Cursor keeps in its own database",
            "looking at Settings > Agents > Approvals & Execution; no file that can be read tells the run mode",
        ),
        Surface::Terminal => (
            "the approval mode and which rules are in force",
            "`approvalMode` and `sandbox.mode` in `~/.cursor/cli-config.json`, with rules that name one program each",
        ),
    };
    Doubt {
        id: "run-mode".to_owned(),
        reason: GapReason::Unsupported,
        question: question.to_owned(),
        settle: settle.to_owned(),
        place: worst.place.clone(),
    }
}
