//! One call, one decision (floor 2).

use super::{Kind, RooPolicy};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, ruling, unread};
use crate::gate::desk::accepted;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Doubt, GateDecision, Level, Place, Ruling};
use crate::model::{Decision, Override};

/// What is asked about although every command runs: expansions that may hide another command
/// (`src/core/auto-approval/commands.ts`).
const HIDING: [&str; 5] = ["${", "<<<", "=(", "(e:", "@("];

/// What the gate does with a call.
fn decide(policy: &RooPolicy, call: &Call) -> GateDecision {
    let mut bounds = match policy.kind {
        Kind::Editor => policy.editor(call),
        Kind::Terminal => policy.terminal(call),
    };
    let hidden = if let Call::Read { path } | Call::Edit { path } = call {
        policy.ignored.hides(&policy.ground.absolute(path))
    } else {
        None
    };
    if let Some(place) = hidden {
        let because = format!("the file is hidden from it ({place})");
        // A link to the file is not hidden.
        bounds.best = ruling(Decision::Deny, Basis::Mode(Some(Level::Project)), Some(place), because);
    }
    let mut doubt = None;
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| doubt.unwrap_or_else(|| policy.open(&worst)));
    let overridable_by = if best.decision > Decision::Ask { Vec::new() } else { policy.levers(&best) };
    GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
}

impl RooPolicy {
    fn editor(&self, call: &Call) -> Bounds {
        let because = "nothing runs unasked until its switches are on".to_owned();
        let ask = Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, because));
        let met = match (&self.state, &self.imports) {
            (None, None) => {
                let because = "its switches are kept where nothing reads them".to_owned();
                ask.or(Bounds::one(ruling(Decision::Allow, Basis::Unread, None, because)))
            }
            (_, Some(imports)) => {
                let because = format!("settings that are brought in may switch anything on ({})", imports.place);
                ask.or(Bounds::one(ruling(Decision::Allow, Basis::Unread, Some(&imports.place), because)))
            }
            (Some(state), None) => {
                let because = format!("its switches are kept in {state}, which is not read");
                ask.or(Bounds::one(ruling(Decision::Allow, Basis::Unread, None, because)))
            }
        };
        if !matches!(call, Call::Shell { .. }) {
            return met;
        }
        // A list that is kept there refuses too, once commands run unasked; one in the settings adds to it.
        let (place, because) = match &self.denied {
            Some(denied) => (Some(&denied.place), format!("commands may be refused by a list ({})", denied.place)),
            None => (None, "commands may be refused by a list that is kept there".to_owned()),
        };
        met.or(Bounds::one(ruling(Decision::Deny, Basis::Unread, place, because)))
    }

    fn terminal(&self, call: &Call) -> Bounds {
        if let Some(place) = &self.asks {
            let because = format!("it was started so that a person is asked ({place})");
            let ask = Bounds::one(ruling(Decision::Ask, Basis::Mode(Some(Level::User)), Some(place), because));
            let Some(tools) = &self.tools else { return ask };
            let because = format!("tools of a folder run unasked, and what they do is not known ({tools})");
            return ask.or(Bounds::one(ruling(Decision::Allow, Basis::Unread, Some(tools), because)));
        }
        let because = "everything runs unasked unless it is started otherwise".to_owned();
        let free = Bounds::one(ruling(Decision::Allow, Basis::Mode(None), None, because));
        let asked = || {
            let because = "what may hide another command is asked about".to_owned();
            Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, because))
        };
        match call {
            Call::Shell { command } if HIDING.iter().any(|sign| command.contains(sign)) => free.or(asked()),
            Call::Mcp { .. } => {
                let because = "tools of servers run unasked where they are listed".to_owned();
                free.or(Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, because)))
            }
            Call::Shell { .. } | Call::Read { .. } | Call::Edit { .. } | Call::Fetch { .. } => free,
        }
    }

    fn open(&self, worst: &Ruling) -> Doubt {
        let (question, settle) = match (self.kind, &self.state) {
            (Kind::Editor, Some(state)) => {
                (format!("read {state}"), "looking at its switches in the editor, as no tool should read that database")
            }
            (Kind::Editor, None) if self.imports.is_none() => {
                ("read what its switches are".to_owned(), "looking at its switches in the editor")
            }
            (Kind::Editor, None) => ("read the settings that are brought in".to_owned(), "taking that setting away"),
            (Kind::Terminal, _) => {
                ("which tools are listed, and what the line holds".to_owned(), "a command line that is plain")
            }
        };
        let (id, reason) = ("switches".to_owned(), GapReason::NotAsked);
        Doubt { id, reason, question, settle: settle.to_owned(), place: worst.place.clone() }
    }

    fn levers(&self, best: &Ruling) -> Vec<String> {
        let mut levers = self.own_files();
        levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| !levers.contains(path)));
        match self.kind {
            Kind::Editor => levers.push("switching on what runs unasked".to_owned()),
            Kind::Terminal => levers.push("starting it without `--require-approval`".to_owned()),
        }
        levers
    }

    fn own_files(&self) -> Vec<String> {
        match self.kind {
            Kind::Editor => vec![".vscode/settings.json".to_owned(), ".roo/mcp.json".to_owned()],
            Kind::Terminal => vec![".roo/mcp.json".to_owned()],
        }
    }
}

impl Gated for RooPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: self.tools.as_ref(), root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let allowed = self.allowed.iter();
        let shown = |place: &Place| format!("the commands that are listed ({place})");
        allowed.map(|listed| Lets { spec: "*".to_owned(), shown: shown(&listed.place) }).collect()
    }

    fn own(&self) -> Vec<String> {
        self.own_files()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = Vec::new();
        match self.kind {
            Kind::Terminal => steps.push(accepted("be started without `--require-approval`")),
            Kind::Editor if met.best.decision <= Decision::Ask => {
                steps.push(accepted("switch on what runs unasked, which the editor offers"));
            }
            Kind::Editor => {}
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
        met.worst.place.as_ref().map_or_else(|| ".rooignore".to_owned(), |place| place.path.clone())
    }
}
