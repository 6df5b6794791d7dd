//! One call, one decision (floor 2).

use super::{SETTINGS, Said, WindsurfPolicy};
use crate::gate::bounds::{Bounds, Odd, Open, ruling};
use crate::gate::desk::accepted;
use crate::gate::listed::{begins, listed, may_name};
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Effect, GateDecision, shell};
use crate::model::{Decision, Override};

/// What is not known of it.
const OPEN: Open = Open {
    id: "level",
    question: "which level its panel is set to, and how a command is held against its lists",
    settle: "looking at the panel of its settings, or trying the call in the agent",
};

/// What the gate does with a call.
fn decide(policy: &WindsurfPolicy, call: &Call) -> GateDecision {
    let mut met = policy.answer(call);
    let hooks: Vec<Odd> = policy.before(call).cloned().collect();
    if !hooks.is_empty() && policy.unread.is_empty() {
        Odd::first(&hooks, &mut met);
    }
    let mut met = met.decided(&policy.unread, &OPEN, || policy.levers());
    if let (Some(hook), true, Some(doubt)) = (hooks.first(), policy.unread.is_empty(), &mut met.doubt) {
        *doubt = hook.doubt("hook", "reading what the hook does; one that fails lets the call through");
    }
    met
}

fn by(decision: Decision, said: &Said<String>, why: &str) -> Bounds {
    let because = format!("{why} ({})", said.place);
    Bounds::one(ruling(decision, Basis::Mode(Some(said.level)), Some(&said.place), because))
}

fn built_in(decision: Decision, why: &str) -> Bounds {
    Bounds::one(ruling(decision, Basis::BuiltIn, None, why.to_owned()))
}

/// Asked about or not, by what is not read.
fn open(why: &str) -> Bounds {
    built_in(Decision::Allow, why).or(built_in(Decision::Ask, why))
}

impl WindsurfPolicy {
    fn answer(&self, call: &Call) -> Bounds {
        match call {
            Call::Shell { command } => self.shell(command),
            Call::Fetch { .. } => self.level(&self.pages, "pages are fetched"),
            Call::Read { .. } => Bounds::unknown("whether it asks before it reads is not said"),
            Call::Edit { .. } => open("it writes files, and shows what it wrote to be accepted"),
            Call::Mcp { .. } => open("whether a tool of a server is asked about is not said"),
        }
    }

    /// The hooks that run before a call.
    fn before(&self, call: &Call) -> impl Iterator<Item = &Odd> {
        let event = match call {
            Call::Shell { .. } => "pre_run_command",
            Call::Read { .. } => "pre_read_code",
            Call::Edit { .. } => "pre_write_code",
            Call::Mcp { .. } => "pre_mcp_tool_use",
            Call::Fetch { .. } => "",
        };
        self.hooks.iter().filter(move |(name, _)| name == event).map(|(_, hook)| hook)
    }

    /// What a level decides alone. One that is known to let everything run does; the panel may say otherwise of any other.
    fn level(&self, levels: &[Said<String>], what: &str) -> Bounds {
        let free = |said: &&Said<String>| said.value.eq_ignore_ascii_case("turbo");
        let turbo = |said: &Said<String>| by(Decision::Allow, said, &format!("{what} unasked at this level"));
        match levels.last() {
            Some(said) if free(&said) => turbo(said),
            Some(said) if said.value.eq_ignore_ascii_case("auto") => {
                let judged = by(Decision::Reviewed, said, "a model judges whether it is safe");
                // A weaker file may be the one that counts.
                let met = judged.or(by(Decision::Ask, said, "what the model does not take to be safe is asked about"));
                levels.iter().find(free).map_or_else(|| met.clone(), |said| met.clone().or(turbo(said)))
            }
            Some(_) | None => open("the level is set in a panel, which is not read"),
        }
    }

    fn shell(&self, command: &str) -> Bounds {
        let mut met = self.level(&self.levels, "commands run");
        let plain = shell::split(command).is_ok_and(|parts| {
            parts.len() == 1 && parts.iter().all(|part| part.inner.is_empty() && part.writes.is_empty())
        });
        let lets = |said: &Said<String>| {
            listed(&said.value, (&said.place, said.level), Effect::Allow, "is on the list of what runs")
        };
        if let Some(said) = self.allowed.iter().find(|said| begins(&said.value, command)) {
            let on = self.levels.last().is_some_and(|level| {
                ["allowlist", "auto", "turbo"].iter().any(|name| level.value.to_lowercase().starts_with(name))
            });
            met = if plain && on { lets(said) } else { met.or(lets(said)) };
        }
        if let Some(said) = self.denied.iter().find(|said| may_name(&said.value, command)) {
            met = met.or(listed(
                &said.value,
                (&said.place, said.level),
                Effect::Ask,
                "is on the list of what is asked about",
            ));
        }
        met
    }

    fn levers(&self) -> Vec<String> {
        let mut levers = self.own.clone();
        levers.push("setting another level in its panel".to_owned());
        levers
    }
}

impl Gated for WindsurfPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let shown = |said: &Said<String>| format!("what is let at {}", said.place);
        let spec = |said: &Said<String>| format!("{} *", said.value);
        self.allowed.iter().map(|said| Lets { spec: spec(said), shown: shown(said) }).collect()
    }

    fn more(&self) -> Vec<String> {
        // What stands behind the first command of a line may not be looked at.
        self.allowed.iter().map(|said| format!("{} && ./run", said.value.replace('*', "x"))).collect()
    }

    /// Exit 2 blocks, and with any other the action goes on (docs.windsurf.com/windsurf/cascade/hooks).
    fn hooks_fail_open(&self) -> Option<bool> {
        Some(true)
    }

    fn own(&self) -> Vec<String> {
        self.own.clone()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("be set to the level `Turbo` in its panel")];
        if met.worst.decision == Decision::Ask {
            steps.push(accepted("let it run for good, which the prompt offers"));
        }
        steps
    }

    fn fixed(&self, _: &Call, _: &GateDecision) -> bool {
        false
    }

    fn tools(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst.place.as_ref().map_or_else(|| SETTINGS.to_owned(), |place| place.path.clone())
    }
}
