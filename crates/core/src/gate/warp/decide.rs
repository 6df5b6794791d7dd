//! One call, one decision (floor 2).

use super::{Asks, Listed, Profile, Program, SETTINGS, Said, WarpPolicy};
use crate::gate::bounds::{Bounds, Open, any, ruling};
use crate::gate::desk::accepted;
use crate::gate::expression::Fit;
use crate::gate::listed::listed;
use crate::gate::shell::{self, word};
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Effect, GateDecision, Level, Place};
use crate::model::{Decision, Override};

/// Programs that the list of denied commands names where a profile has none of its own.
const FEARED: [&str; 18] = [
    "bash", "fish", "pwsh", "sh", "zsh", "curl", "eval", "exec", "source", "wget", "dig", "nslookup", "host", "ssh",
    "scp", "rsync", "telnet", "rm",
];

/// What is not known of it.
const OPEN: Open = Open {
    id: "profile",
    question: "which of its programs and profiles it is, what the account and the team set, and what the agent decides",
    settle: "trying the call in the agent",
};

/// What the gate does with a call.
fn decide(policy: &WarpPolicy, call: &Call) -> GateDecision {
    policy.answer(call).decided(&policy.unread, &OPEN, || policy.levers())
}

fn by(decision: Decision, place: &Place, why: &str) -> Bounds {
    let because = format!("{why} ({place})");
    Bounds::one(ruling(decision, Basis::Mode(Some(Level::User)), Some(place), because))
}

fn built_in(decision: Decision, why: &str) -> Bounds {
    Bounds::one(ruling(decision, Basis::BuiltIn, None, why.to_owned()))
}

/// What the agent decides by itself: at its best it asks.
fn judged(place: Option<&Place>) -> Bounds {
    let why = "the agent decides whether to ask";
    let of = |decision, why| place.map_or_else(|| built_in(decision, why), |place| by(decision, place, why));
    of(Decision::Reviewed, why).or(of(Decision::Ask, "what it is not sure of is asked about"))
}

fn is(entry: &Listed, effect: Effect, why: &str) -> Bounds {
    listed(&entry.text, (&entry.place, Level::User), effect, why)
}

impl WarpPolicy {
    fn answer(&self, call: &Call) -> Bounds {
        any(self.programs.iter().map(|program| self.of(*program, call)))
    }

    fn of(&self, program: Program, call: &Call) -> Bounds {
        let profiles: Vec<&Profile> = self.profiles.iter().filter(|profile| profile.program == program).collect();
        if let Some(place) = &self.all {
            let free = by(Decision::Allow, place, "everything runs unasked");
            let feared = profiles.iter().map(|profile| profile.refused(call)).chain(Some(brought(call)));
            return feared.flatten().fold(free, Bounds::or);
        }
        match program {
            Program::Oz if self.named.is_some() => Bounds::unknown("the profile that was named lies with the account"),
            Program::Oz => {
                let free = built_in(Decision::Allow, "its profile for the command line lets everything run");
                match call {
                    Call::Mcp { .. } => Bounds::unknown("whether a server may be called is not said"),
                    Call::Shell { .. } | Call::Read { .. } | Call::Edit { .. } | Call::Fetch { .. } => {
                        brought(call).map_or_else(|| free.clone(), |asks| free.clone().or(asks))
                    }
                }
            }
            _ if !profiles.is_empty() => any(profiles.iter().map(|profile| profile.answer(call))),
            Program::Terminal => {
                let why = "its profiles may lie with the account, which is not read";
                built_in(Decision::Allow, why).or(built_in(Decision::Ask, why))
            }
            Program::Cli => match call {
                Call::Read { .. } => built_in(Decision::Allow, "files are read unasked"),
                Call::Edit { .. } => built_in(Decision::Ask, "what it writes is shown first"),
                Call::Fetch { .. } => Bounds::unknown("whether pages are fetched unasked is not said"),
                Call::Mcp { .. } => judged(None),
                Call::Shell { .. } => brought(call).unwrap_or_else(|| judged(None)),
            },
        }
    }

    fn levers(&self) -> Vec<String> {
        let mut levers = self.own.clone();
        levers.push("picking another profile in the session, or letting a task run to its end".to_owned());
        levers
    }
}

/// What the list that it brings says of a call, if it may name it.
fn brought(call: &Call) -> Option<Bounds> {
    let Call::Shell { command } = call else { return None };
    let asks = || built_in(Decision::Ask, "what its list of denied commands names is asked about");
    let feared = |text: &str| FEARED.contains(&word(bare(text)).0);
    match cut(command) {
        Some(parts) => parts.iter().any(|part| feared(part)).then(asks),
        None => {
            let mut words = command.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| FEARED.contains(&word)).then(asks)
        }
    }
}

/// The commands of a line, those in substitutions among them; none if it is not plain.
fn cut(command: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for part in shell::split(command).ok()? {
        for inner in &part.inner {
            found.extend(shell::split(inner).ok()?.into_iter().map(|part| part.text.trim().to_owned()));
        }
        found.push(part.text.trim().to_owned());
    }
    Some(found)
}

/// A command without the assignments that it begins with.
fn bare(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        let (first, behind) = word(rest);
        let named = first
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        if !named || behind.is_empty() {
            return rest;
        }
        rest = behind;
    }
}

impl Profile {
    fn answer(&self, call: &Call) -> Bounds {
        match call {
            Call::Shell { command } => self.shell(call, command),
            Call::Read { .. } => match self.reads.value {
                Asks::Always => {
                    let met = by(Decision::Ask, &self.reads.place, "files are read when a person says so");
                    let free = || by(Decision::Allow, &self.reads.place, "some folders are read unasked");
                    if self.folders { met.or(free()) } else { met }
                }
                Asks::AgentDecides | Asks::Never => by(Decision::Allow, &self.reads.place, "files are read unasked"),
            },
            Call::Edit { path } => match self.edits.value {
                Asks::Never => {
                    let free = by(Decision::Allow, &self.edits.place, "files are written unasked");
                    let asks =
                        || by(Decision::Ask, &self.edits.place, "files that name servers are always asked about");
                    if path.to_lowercase().contains("mcp") { free.or(asks()) } else { free }
                }
                Asks::Always | Asks::AgentDecides => {
                    by(Decision::Ask, &self.edits.place, "what it writes is shown first")
                }
            },
            Call::Fetch { .. } => Bounds::unknown("whether pages are fetched unasked is not said"),
            Call::Mcp { .. } => self.server(),
        }
    }

    fn server(&self) -> Bounds {
        let place = &self.servers.place;
        let asks = || by(Decision::Ask, place, "servers are asked about");
        let free = || by(Decision::Allow, place, "servers are called unasked");
        let met = match self.servers.value {
            Asks::Never => free(),
            Asks::AgentDecides => judged(Some(place)),
            Asks::Always => asks(),
        };
        let met = if self.servers_let { met.or(free()) } else { met };
        if self.servers_asked { met.or(asks()) } else { met }
    }

    fn shell(&self, call: &Call, command: &str) -> Bounds {
        let Said { value, place } = &self.commands;
        let met = match value {
            Asks::Never => by(Decision::Allow, place, "commands run unasked"),
            Asks::AgentDecides => judged(Some(place)),
            Asks::Always => by(Decision::Ask, place, "commands run when a person says so"),
        };
        let met = match self.lets(command) {
            Some((entry, Fit::Sure)) => is(entry, Effect::Allow, "is on the list of what runs"),
            Some((entry, Fit::May | Fit::No)) => met.or(is(entry, Effect::Allow, "may let a part of it run")),
            None => met,
        };
        self.refused(call).map_or_else(|| met.clone(), |asks| met.clone().or(asks))
    }

    /// The entry that lets a command run, and whether every part of it is let.
    fn lets(&self, command: &str) -> Option<(&Listed, Fit)> {
        let named = |text: &str| self.allowed.iter().find(|entry| entry.expression.is_match(text));
        let parts = cut(command).unwrap_or_default();
        let found = parts.iter().find_map(|part| named(part)).or_else(|| named(command.trim()))?;
        let redirects = shell::split(command).map_or(true, |parts| parts.iter().any(|part| !part.writes.is_empty()));
        let sure = !redirects && !parts.is_empty() && parts.iter().all(|part| named(part).is_some());
        Some((found, if sure { Fit::Sure } else { Fit::May }))
    }

    /// What its list of denied commands says of a call, if it may name it.
    fn refused(&self, call: &Call) -> Option<Bounds> {
        let Some(denied) = &self.denied else { return brought(call) };
        let Call::Shell { command } = call else { return None };
        let mut texts = vec![command.trim().to_owned(), bare(command).to_owned()];
        let plain = cut(command);
        texts.extend(plain.iter().flatten().flat_map(|part| [part.clone(), bare(part).to_owned()]));
        // How a line that is not plain is cut is not known.
        let found =
            denied.iter().find(|entry| plain.is_none() || texts.iter().any(|text| entry.expression.is_match(text)))?;
        Some(is(found, Effect::Ask, "is on the list of what is asked about"))
    }
}

impl Gated for WarpPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let entries = self.profiles.iter().flat_map(|profile| &profile.allowed);
        let fixed = |text: &str| -> String {
            text.trim_start_matches('^')
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || " -_/".contains(*c))
                .collect()
        };
        let spec = |entry: &Listed| match fixed(&entry.text) {
            text if text.trim().is_empty() => "*".to_owned(),
            text => format!("{} *", text.trim()),
        };
        entries.map(|entry| Lets { spec: spec(entry), shown: format!("what is let at {}", entry.place) }).collect()
    }

    fn own(&self) -> Vec<String> {
        self.own.clone()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("let a task run to its end, or pick another profile in the session")];
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
