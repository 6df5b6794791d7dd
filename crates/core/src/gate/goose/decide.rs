//! One call, one decision (floor 2).

use super::{GoosePolicy, Mode, Said};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, Odd, ruling, unread};
use crate::gate::desk::accepted;
use crate::gate::shown::shown;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Ruling};
use crate::model::{Decision, Override};

/// The tool for commands, by its name of today and by the one before.
const SHELL: [&str; 2] = ["shell", "developer__shell"];

/// Other tools that run what they are given, where they are switched on: by themselves, through other agents or by the clock.
const RUNS: [&str; 9] = [
    "computercontroller__automation_script",
    "computercontroller__computer_control",
    "execute_typescript",
    "code_execution__execute_typescript",
    "code_execution__execute_code",
    "delegate",
    "subagent",
    "subagent__execute_task",
    "platform__manage_schedule",
];

/// Tools of its own that run nothing. What any other of its own tools does is not known.
const RUNS_NOTHING: [&str; 12] = [
    "write",
    "edit",
    "tree",
    "text_editor",
    "read_image",
    "analyze",
    "load",
    "load_skill",
    "list_functions",
    "get_function_details",
    "platform__read_resource",
    "platform__list_resources",
];

/// How the names begin of its own tools that may run something, where names have a beginning.
const OWN: [&str; 9] = [
    "platform",
    "code_execution",
    "computercontroller",
    "subagent",
    "summon",
    "dynamic_task",
    "orchestrator",
    "scheduler",
    "process",
];

/// Whether a tool may be one of its own that runs what it is given.
fn may_run(name: &str) -> bool {
    let own = name.split_once("__").is_none_or(|(begin, _)| OWN.contains(&begin));
    own && !RUNS_NOTHING.contains(&name) && !SHELL.contains(&name)
}

/// What the gate does with a call.
fn decide(policy: &GoosePolicy, call: &Call) -> GateDecision {
    let mut bounds = policy.answer(call);
    let mut doubt = Odd::first(&policy.odd, &mut bounds)
        .map(|odd| odd.doubt("plugin", "trying the call with it in place, or taking it out of the settings"));
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| {
        doubt.unwrap_or_else(|| Doubt {
            id: "tool".to_owned(),
            reason: GapReason::Unsupported,
            question: "what its tools are called, and which of them are said to only read".to_owned(),
            settle: "naming the tool in `permission.yaml` by each of its names".to_owned(),
            place: worst.place.clone().or_else(|| best.place.clone()),
        })
    });
    let overridable_by = if best.decision > Decision::Ask {
        Vec::new()
    } else {
        let mut levers = policy.own.clone();
        levers.push("starting it with `GOOSE_MODE=auto`".to_owned());
        levers
    };
    GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
}

impl GoosePolicy {
    fn answer(&self, call: &Call) -> Bounds {
        if let Some(whole) = self.whole() {
            return Bounds::one(whole);
        }
        match call {
            Call::Shell { .. } => self.shell(),
            Call::Read { .. } => {
                let because = "some of its tools only read, and are not asked about".to_owned();
                let free = Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because));
                self.carried(self.tool("developer__text_editor").or(free))
            }
            Call::Edit { .. } => {
                let today = self.tool("write").freer(self.tool("edit"));
                self.carried(today.or(self.tool("developer__text_editor")))
            }
            Call::Fetch { .. } => {
                let shell = self.shell();
                let because = "a tool that fetches may be said to only read, and is then not asked about".to_owned();
                let free = Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because));
                shell.clone().or(shell.freer(self.tool("computercontroller__web_scrape"))).or(free)
            }
            // What runs code calls tools of servers from it.
            Call::Mcp { server, tool } => self.carried(self.server(server, tool)),
        }
    }

    /// What the mode decides on every call.
    fn whole(&self) -> Option<Ruling> {
        let at = self.set.as_ref().map(|said| &said.place);
        let level = self.set.as_ref().map(|said| said.level);
        let by = |decision, why: &str| {
            let because = at.map_or_else(|| why.to_owned(), |place| format!("{why} ({place})"));
            Some(ruling(decision, Basis::Mode(level), at, because))
        };
        match self.mode {
            Mode::Auto if at.is_none() => by(Decision::Allow, "no mode is set, and everything runs"),
            Mode::Auto => by(Decision::Allow, "everything runs in the mode `auto`"),
            Mode::Chat => by(Decision::Deny, "no tool is run in the mode `chat`"),
            Mode::Approve | Mode::Smart => None,
        }
    }

    fn shell(&self) -> Bounds {
        let [today, before] = SHELL.map(|name| self.tool(name));
        self.carried(today.or(before))
    }

    /// What a tool meets, or one of those that run what they are given, where they are switched on: these do all that it does.
    fn carried(&self, own: Bounds) -> Bounds {
        let named = self.tools.keys().map(String::as_str).filter(|name| may_run(name) && !RUNS.contains(name));
        RUNS.into_iter().chain(named).fold(own, |met, name| met.clone().or(met.freer(self.tool(name))))
    }

    /// A tool that does more than read.
    fn tool(&self, name: &str) -> Bounds {
        match self.tools.get(name) {
            Some((effect, said)) => Bounds::one(by(name, *effect, said)),
            None => self.unnamed(name),
        }
    }

    fn unnamed(&self, name: &str) -> Bounds {
        let text = shown(name);
        let asks = || {
            let because = format!("the tool `{text}` is asked about");
            Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, because))
        };
        if self.mode != Mode::Smart {
            return asks();
        }
        match self.judged.get(name) {
            Some((Effect::Ask, said)) => Bounds::one(by(name, Effect::Ask, said)),
            Some((effect, said)) => asks().or(Bounds::one(by(name, *effect, said))),
            None => {
                let because = format!("a model judges whether the tool `{text}` only reads");
                asks().or(Bounds::one(ruling(Decision::Reviewed, Basis::BuiltIn, None, because)))
            }
        }
    }

    fn server(&self, server: &str, tool: &str) -> Bounds {
        let key =
            |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c.to_ascii_lowercase() } else { '_' };
        let name: String = server.chars().filter(|c| !c.is_whitespace()).map(key).collect();
        let name = format!("{name}__{tool}");
        if let Some((effect, said)) = self.tools.get(&name) {
            return Bounds::one(by(&name, *effect, said));
        }
        let because = "its server may say of the tool that it only reads, and then nobody is asked".to_owned();
        let met = self.unnamed(&name).or(Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because)));
        match self.tools.get(&format!("{server}__{tool}")) {
            Some((effect, said)) => met.or(Bounds::one(by(&name, *effect, said))),
            None => met,
        }
    }
}

fn by(name: &str, effect: Effect, said: &Said) -> Ruling {
    let (decision, does) = match effect {
        Effect::Deny => (Decision::Deny, "is never run"),
        Effect::Ask => (Decision::Ask, "is asked about"),
        Effect::Allow => (Decision::Allow, "is always run"),
    };
    let text = shown(name);
    let because = format!("the tool `{text}` {does} ({})", said.place);
    let cited = Cited { effect, text, level: said.level, whole: true };
    ruling(decision, Basis::Rule(cited), Some(&said.place), because)
}

impl Gated for GoosePolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let named = SHELL.iter().chain(&RUNS).filter_map(|name| Some((name, self.tools.get(*name)?)));
        let let_run = named.filter(|(_, (effect, _))| *effect == Effect::Allow);
        let_run
            .map(|(name, (_, said))| Lets { spec: "*".to_owned(), shown: format!("`{name}` ({})", said.place) })
            .collect()
    }

    fn own(&self) -> Vec<String> {
        self.own.clone()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("be started with `GOOSE_MODE=auto`, or set to it by `/mode auto`")];
        if met.worst.decision == Decision::Ask {
            steps.push(accepted("approve the tool for good, which the prompt offers"));
        }
        steps
    }

    fn fixed(&self, _: &Call, _: &GateDecision) -> bool {
        false
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let prefix = format!("{server}__");
        self.tools.keys().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    fn hides(&self, met: &GateDecision) -> String {
        let usual = || self.own.first().cloned().unwrap_or_default();
        met.worst.place.as_ref().map_or_else(usual, |place| place.path.clone())
    }
}
