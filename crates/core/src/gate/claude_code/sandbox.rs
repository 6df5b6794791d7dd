//! The operating-system sandbox around shell commands (floor 2).

use serde_json::Value;

use super::decide::decide;
use super::settings::Settings;
use super::step::OWN;
use super::{ClaudePolicy, Event, Mode, Unread};
use crate::gate::desk::{Names, accepted};
use crate::gate::{Call, Effect, Note, Place, programs};
use crate::meaning::{self, Around};
use crate::model::{Decision, Override};

/// What the settings say of the sandbox, after merging.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Where it is switched on; none if it is off.
    pub on: Option<Place>,
    /// Whether it is sure to be there: switched on in a file that is read, with no falling back to none.
    pub sure: bool,
    /// Whether commands inside it run unasked.
    pub auto_allow: bool,
    /// Where a command may be run outside of it, and how: `dangerouslyDisableSandbox`, `excludedCommands`.
    pub exits: Vec<String>,
    /// Settings that open the network, in whole or in part.
    pub openings: Vec<String>,
    /// Paths that cannot be read inside it.
    pub hidden: Vec<(String, Place)>,
}

/// Settings of `sandbox` that let no traffic out and weaken no wall (code.claude.com/docs/en/settings-reference). Any
/// other may, one that this version does not know among them.
const TIGHT: [&str; 7] = [
    "enabled",
    "failIfUnavailable",
    "autoAllowBashIfSandboxed",
    "allowUnsandboxedCommands",
    "excludedCommands",
    "credentials",
    "filesystem",
];

/// The same below `sandbox.network`.
const TIGHT_NETWORK: [&str; 3] = ["deniedDomains", "allowManagedDomainsOnly", "strictAllowlist"];

/// How many rules of the user's are tried outside of the sandbox.
const MOST_SAMPLES: usize = 100;

impl Sandbox {
    pub(super) fn merge(settings: &[&Settings], unread: &[Unread]) -> Self {
        let scalar = |key: &str, default: bool| {
            let path = format!("sandbox.{key}");
            settings.iter().find_map(|file| file.get(&path).and_then(Value::as_bool)).unwrap_or(default)
        };
        let uncertain = settings.iter().any(|file| !file.certain);
        let on = settings.iter().find(|file| file.get("sandbox.enabled").is_some_and(Value::is_boolean));
        let on = on.filter(|file| file.get("sandbox.enabled") == Some(&Value::Bool(true)));
        let mut exits = Vec::new();
        if scalar("allowUnsandboxedCommands", true) {
            exits.push("dangerouslyDisableSandbox".to_owned());
        }
        if settings.iter().any(|file| file.get("sandbox.excludedCommands").is_some_and(filled)) {
            exits.push("excludedCommands".to_owned());
        }
        let openings = settings.iter().flat_map(|file| {
            let own = loose(file, "sandbox", &TIGHT).into_iter().filter(|key| key != "sandbox.network");
            own.chain(loose(file, "sandbox.network", &TIGHT_NETWORK))
        });
        let fetches = settings.iter().flat_map(|file| file.list("permissions.allow"));
        let fetches = fetches.filter(|rule| rule.starts_with("WebFetch")).map(str::to_owned);
        Self {
            on: on.map(|file| file.place("sandbox", "enabled")),
            sure: on.is_some() && !uncertain && unread.is_empty() && scalar("failIfUnavailable", false),
            auto_allow: scalar("autoAllowBashIfSandboxed", true),
            exits,
            openings: openings.chain(fetches).collect(),
            hidden: hidden(settings),
        }
    }

    /// What a reader should know about it.
    pub(super) fn note(&self) -> Option<Note> {
        let place = self.on.clone()?;
        let text = "the sandbox falls back to none where it cannot start, as `failIfUnavailable` is not set";
        (!self.sure).then(|| Note { place, text: text.to_owned() })
    }
}

/// The settings of a group that say something and are not among the tight ones.
fn loose(file: &Settings, group: &str, tight: &[&str]) -> Vec<String> {
    let held = file.get(group).and_then(Value::as_object).into_iter().flatten();
    let loose = held.filter(|(key, value)| filled(value) && !tight.contains(&key.as_str()));
    loose.map(|(key, _)| format!("{group}.{key}")).collect()
}

/// Whether a setting says more than nothing.
fn filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(set) => *set,
        Value::Array(items) => !items.is_empty(),
        Value::Number(_) | Value::String(_) | Value::Object(_) => true,
    }
}

fn hidden(settings: &[&Settings]) -> Vec<(String, Place)> {
    let mut hidden = Vec::new();
    let lifts = ["sandbox.filesystem.allowRead", "sandbox.filesystem.disabled"];
    if settings.iter().any(|file| lifts.iter().any(|key| file.get(key).is_some_and(filled))) {
        return hidden;
    }
    for file in settings.iter().filter(|file| file.certain) {
        for path in file.list("sandbox.filesystem.denyRead") {
            hidden.push((path.to_owned(), file.place("denyRead", path)));
        }
        for entry in file.get("sandbox.credentials.files").and_then(Value::as_array).into_iter().flatten() {
            let path = entry.get("path").and_then(Value::as_str);
            let mode = entry.get("mode").and_then(Value::as_str);
            if let (Some(path), Some("deny" | "mask")) = (path, mode) {
                hidden.push((path.to_owned(), file.place("credentials", path)));
            }
        }
    }
    hidden
}

/// What the gate says of a command that leaves the sandbox: the freest answer over whatever may run.
pub(super) fn outside(policy: &ClaudePolicy) -> (Decision, Decision) {
    let mut open = policy.clone();
    open.sandbox = Sandbox::default();
    let least = (Decision::Deny, Decision::Deny);
    let let_run = let_run(policy);
    let commands = programs::ANYTHING.iter().copied().chain(let_run.iter().map(String::as_str));
    commands.fold(least, |(worst, best), command| {
        let met = decide(&open, &Call::shell(command));
        (worst.max(met.worst.decision), best.max(met.best.decision))
    })
}

/// Commands that the user's own rules let run and that are not known to be harmless: what does not run inside the sandbox falls
/// back to the rules (code.claude.com/docs/en/sandboxing).
fn let_run(policy: &ClaudePolicy) -> Vec<String> {
    let rules = policy.rules.iter().filter(|rule| rule.effect == Effect::Allow && rule.tool == "Bash");
    let specs = rules.filter_map(|rule| rule.spec.as_deref()).take(MOST_SAMPLES);
    let samples =
        specs.map(|spec| spec.strip_suffix(":*").map_or_else(|| spec.replace('*', "x"), |head| format!("{head} x")));
    samples.filter(|command| !meaning::of_command(command, &Around::default()).harmless()).collect()
}

/// Whether commands are kept from the network, if that is known.
pub(super) fn contained(policy: &ClaudePolicy) -> Option<bool> {
    let sandbox = &policy.sandbox;
    if sandbox.on.is_none() {
        return Some(false);
    }
    if !sandbox.exits.is_empty() {
        let (worst, best) = outside(policy);
        if best > Decision::Ask {
            return Some(false);
        }
        if worst > Decision::Ask {
            return None;
        }
    }
    // New hosts are put to a person, or to whatever stands in for one.
    let asked = policy.starts.iter().all(|s| matches!(s.mode, Mode::Default | Mode::AcceptEdits | Mode::DontAsk));
    let answered = policy.hooks.iter().any(|hook| hook.event == Event::OnPrompt);
    (sandbox.sure && sandbox.openings.is_empty() && asked && !answered).then_some(true)
}

/// The ways out of the sandbox that change something.
pub(super) fn escapes(policy: &ClaudePolicy, names: &Names) -> Vec<Override> {
    let sandbox = &policy.sandbox;
    if sandbox.on.is_none() {
        return Vec::new();
    }
    let mut escapes = Vec::new();
    if let Some(exit) = sandbox.exits.first()
        && outside(policy).0 != Decision::Deny
    {
        escapes.push(accepted(&format!("accept the prompt to run it outside the sandbox (`{exit}`)")));
    }
    if policy.starts.iter().any(|start| start.mode != Mode::DontAsk) {
        escapes.push(accepted("accept the prompt for a new network host"));
    }
    escapes.extend(names.edits(OWN, None));
    escapes
}
