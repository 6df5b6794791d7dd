//! One call, one decision (floor 2).

use super::{Autonomy, DroidPolicy, SETTINGS, Said};
use crate::gate::bounds::{Bounds, Open, ruling};
use crate::gate::desk::accepted;
use crate::gate::listed::{self, begins, may_name};
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Effect, GateDecision};
use crate::model::{Decision, Override};

/// Programs that the list of denied commands is known to name where nobody has written one.
const FEARED: [&str; 12] =
    ["rm", "mkfs", "dd", "shutdown", "reboot", "halt", "poweroff", "init", "chmod", "chown", "sudo", "fdisk"];

/// What is not known of it.
const OPEN: Open = Open {
    id: "list",
    question: "how a command is held against its lists, and how risky the model takes it to be",
    settle: "trying the call in the agent",
};

/// What the gate does with a call.
fn decide(policy: &DroidPolicy, call: &Call) -> GateDecision {
    policy.answer(call).decided(&policy.unread, &OPEN, || policy.levers())
}

fn by<T>(decision: Decision, said: &Said<T>, why: &str) -> Bounds {
    let because = format!("{why} ({})", said.place);
    Bounds::one(ruling(decision, Basis::Mode(Some(said.level)), Some(&said.place), because))
}

fn built_in(decision: Decision, why: &str) -> Bounds {
    Bounds::one(ruling(decision, Basis::BuiltIn, None, why.to_owned()))
}

impl DroidPolicy {
    fn answer(&self, call: &Call) -> Bounds {
        if let Some(said) = &self.skips {
            return by(Decision::Allow, said, "nothing is asked about");
        }
        match call {
            Call::Shell { command } => self.shell(command),
            Call::Read { .. } => built_in(Decision::Allow, "tools that only read run at every level"),
            Call::Edit { .. } => match self.level() {
                (Autonomy::Off, said) => Self::asked(said, "files are written when a person says so"),
                (_, Some(said)) => by(Decision::Allow, said, "files are written unasked at this level"),
                (_, None) => built_in(Decision::Allow, "files are written unasked at this level"),
            },
            Call::Fetch { .. } | Call::Mcp { .. } => self.risky(),
        }
    }

    /// The level, and where it is set.
    fn level(&self) -> (Autonomy, Option<&Said<Autonomy>>) {
        let set = self.autonomy.as_ref();
        let value = set.map_or(Autonomy::Off, |said| said.value);
        match &self.most {
            Some(most) if most.value < value => (most.value, Some(most)),
            Some(_) | None => (value, set),
        }
    }

    fn asked(said: Option<&Said<Autonomy>>, why: &str) -> Bounds {
        said.map_or_else(|| built_in(Decision::Ask, why), |said| by(Decision::Ask, said, why))
    }

    /// A call that has some risk.
    fn risky(&self) -> Bounds {
        match self.level() {
            (Autonomy::High, Some(said)) => by(Decision::Allow, said, "calls of every risk run unasked"),
            (Autonomy::Off | Autonomy::High, said) => Self::asked(said, "what is not on a list is asked about"),
            (Autonomy::Low | Autonomy::Medium, said) => {
                let why = "a model judges how risky it is, and what it takes for less runs unasked";
                let judged =
                    said.map_or_else(|| built_in(Decision::Reviewed, why), |said| by(Decision::Reviewed, said, why));
                judged.or(Self::asked(said, "what is riskier than the level is asked about"))
            }
        }
    }

    fn shell(&self, command: &str) -> Bounds {
        let mut met = self.risky();
        let whole = |said: &&Said<String>| said.value == "*" || said.value.trim() == command.trim();
        let lets = |said| listed(said, Effect::Allow, "is on the list of what runs");
        if let Some(said) = self.allowed.iter().find(whole) {
            met = lets(said);
        } else if let Some(said) = self.allowed.iter().find(|said| begins(&said.value, command)) {
            met = met.or(lets(said));
        }
        if let Some(said) = self.denied.iter().find(|said| may_name(&said.value, command)) {
            met = met.or(listed(said, Effect::Ask, "is on the list of what is asked about"));
        }
        // Without a list of one's own there is one that it brings.
        let mut words = command.split(|c: char| !c.is_ascii_alphanumeric());
        if self.denied.is_empty() && words.any(|word| FEARED.contains(&word)) {
            met = met.or(built_in(Decision::Ask, "what is dangerous is asked about at every level"));
        }
        if let Some(said) = self.blocked.iter().find(|said| may_name(&said.value, command)) {
            met = met.or(listed(said, Effect::Deny, "is on the list of what never runs"));
        }
        met
    }

    fn levers(&self) -> Vec<String> {
        let mut levers = self.own.clone();
        levers.push("starting it with another level, or changing the level in the session".to_owned());
        levers
    }
}

fn listed(said: &Said<String>, effect: Effect, why: &str) -> Bounds {
    listed::listed(&said.value, (&said.place, said.level), effect, why)
}

impl Gated for DroidPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let spec = |said: &Said<String>| {
            if said.value.contains('*') { said.value.clone() } else { format!("{} *", said.value) }
        };
        let shown = |said: &Said<String>| format!("what is let at {}", said.place);
        self.allowed.iter().map(|said| Lets { spec: spec(said), shown: shown(said) }).collect()
    }

    fn more(&self) -> Vec<String> {
        // What stands behind the first command of a line may not be looked at.
        self.allowed.iter().map(|said| format!("{} && ./run", said.value.replace('*', "x"))).collect()
    }

    fn own(&self) -> Vec<String> {
        self.own.clone()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("be started with a higher level of autonomy, or switched to one in the session")];
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
