//! One call, one decision (floor 2).

use super::{ClinePolicy, Kind, Said};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, ruling, unread};
use crate::gate::desk::accepted;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Doubt, GateDecision, Ruling};
use crate::model::{Decision, Override};

/// What the gate does with a call.
fn decide(policy: &ClinePolicy, call: &Call) -> GateDecision {
    let mut bounds = policy.answer(call);
    let mut doubt = None;
    if let Some((place, level)) = &policy.hook {
        let because = format!("the hook ({place}) may refuse it, and it is not run to learn whether it does");
        bounds.best = ruling(Decision::Deny, Basis::Hook(*level), Some(place), because);
        doubt = Some(Doubt {
            id: "hook".to_owned(),
            reason: GapReason::NotAsked,
            question: "ask the hook".to_owned(),
            settle: "trying the call with it in place, or taking its file away".to_owned(),
            place: Some(place.clone()),
        });
    }
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| {
        doubt.unwrap_or_else(|| Doubt {
            id: "settings".to_owned(),
            reason: GapReason::NotAsked,
            question: "read what the editor keeps of it in its database, or of one task".to_owned(),
            settle: "starting a version that keeps its settings in ~/.cline/data".to_owned(),
            place: None,
        })
    });
    let overridable_by = if best.decision > Decision::Ask { Vec::new() } else { policy.levers(&best) };
    GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
}

impl ClinePolicy {
    fn answer(&self, call: &Call) -> Bounds {
        if let Call::Mcp { server, .. } = call
            && let Some(said) = self.servers.get(server).and_then(|server| server.off.as_ref())
        {
            return Bounds::one(by(Decision::Deny, said, "the server is switched off"));
        }
        match self.kind {
            Kind::Editor => {
                let met = self.editor(call);
                // What one task is given, what an organisation's configuration says, and a session that goes on from a
                // checkpoint without policies stand above the file (`StateManager.ts`, `SdkController.ts`).
                let because = "a task may have settings of its own, which nothing on the machine shows".to_owned();
                let free = ruling(Decision::Allow, Basis::Unread, None, because);
                if met.worst.decision == Decision::Ask { met.or(Bounds::one(free)) } else { met }
            }
            Kind::Terminal => self.terminal(call),
        }
    }

    fn editor(&self, call: &Call) -> Bounds {
        if let Some(said) = &self.all {
            return Bounds::one(by(Decision::Allow, said, "everything runs unasked"));
        }
        let action = match call {
            Call::Shell { .. } => "executeSafeCommands",
            Call::Read { .. } => "readFiles",
            Call::Edit { .. } => "editFiles",
            Call::Fetch { .. } => "useBrowser",
            Call::Mcp { .. } => "useMcp",
        };
        let ask = |because: &str| Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, because.to_owned()));
        if !self.known {
            let because = "what it keeps in the editor's database is not read".to_owned();
            let free = Bounds::one(ruling(Decision::Allow, Basis::Unread, None, because));
            return ask("calls of its kind may be asked about").or(free);
        }
        if let Call::Mcp { server, tool } = call
            && renamed(&format!("{server}__{tool}"))
        {
            let because = "the tool is called by another name than the one that is asked about".to_owned();
            let free = Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because));
            return ask("tools of servers are asked about unless they are listed").or(free);
        }
        let said = self.actions.get(action);
        let free = said.map_or_else(|| Self::by_itself(action), |said| said.value);
        if !free {
            return match said {
                Some(said) => Bounds::one(by(Decision::Ask, said, "calls of its kind are asked about")),
                None => ask("commands are asked about unless it is said otherwise"),
            };
        }
        let open = || match said {
            Some(said) => Bounds::one(by(Decision::Allow, said, "calls of its kind run unasked")),
            None => Bounds::one(ruling(
                Decision::Allow,
                Basis::Mode(None),
                None,
                "calls of its kind run unasked unless it is said otherwise".to_owned(),
            )),
        };
        let Call::Mcp { server, tool } = call else { return open() };
        match self.servers.get(server).and_then(|server| server.free.get(tool)) {
            Some(said) => Bounds::one(by(Decision::Allow, said, "the tool runs unasked")),
            None => ask("tools of servers are asked about unless they are listed"),
        }
    }

    fn terminal(&self, call: &Call) -> Bounds {
        let (tools, safe): (&[&str], bool) = match call {
            Call::Shell { .. } => (&["run_commands"], false),
            Call::Read { .. } => (&["read_files", "search_codebase"], true),
            Call::Edit { .. } => (&["editor", "apply_patch"], false),
            Call::Fetch { .. } => (&["fetch_web_content"], true),
            Call::Mcp { .. } => (&[], false),
        };
        let gone = |tool: &&str| self.disabled.get(*tool);
        if let Some(said) = tools.first().and_then(gone).filter(|_| tools.iter().all(|tool| gone(tool).is_some())) {
            return Bounds::one(by(Decision::Deny, said, "the tool is switched off"));
        }
        match &self.all {
            Some(said) if said.value => Bounds::one(by(Decision::Allow, said, "everything runs unasked")),
            None => Bounds::one(ruling(
                Decision::Allow,
                Basis::Mode(None),
                None,
                "everything runs unasked unless it is said otherwise".to_owned(),
            )),
            Some(_) if safe && self.asked_by_editor.is_none() => Bounds::one(ruling(
                Decision::Allow,
                Basis::BuiltIn,
                None,
                "tools that only read run unasked".to_owned(),
            )),
            Some(said) => {
                let ask = Bounds::one(by(Decision::Ask, said, "a person is asked"));
                match &self.asked_by_editor {
                    Some(place) => {
                        let because =
                            "the editor that it was started by answers in the person's place, or asks".to_owned();
                        ask.or(Bounds::one(ruling(Decision::Allow, Basis::Mode(None), Some(place), because)))
                    }
                    // Without anybody there the answer is no.
                    None if self.headless => {
                        Bounds::one(by(Decision::Deny, said, "nobody is there to be asked, and the answer is no"))
                    }
                    None => ask,
                }
            }
        }
    }

    fn levers(&self, best: &Ruling) -> Vec<String> {
        let mut levers = self.own_files();
        levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| !levers.contains(path)));
        if self.kind == Kind::Terminal {
            levers.push("starting it with `--auto-approve true`".to_owned());
        }
        levers
    }

    fn own_files(&self) -> Vec<String> {
        let own = match self.kind {
            Kind::Editor => "~/.cline/data/globalState.json",
            Kind::Terminal => "~/.cline/data/settings/global-settings.json",
        };
        vec![own.to_owned(), "~/.cline/data/settings/cline_mcp_settings.json".to_owned()]
    }
}

/// Whether a tool gets another name, which no question is asked about (`defaultMcpToolNameTransform`).
fn renamed(name: &str) -> bool {
    name.len() > 64 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn by(decision: Decision, said: &Said, why: &str) -> Ruling {
    ruling(decision, Basis::Mode(Some(said.level)), Some(&said.place), format!("{why} ({})", said.place))
}

impl Gated for ClinePolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: self.brings.as_ref(), root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        Vec::new()
    }

    fn own(&self) -> Vec<String> {
        self.own_files()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = Vec::new();
        if self.kind == Kind::Terminal {
            steps.push(accepted("be started with `--auto-approve true`"));
        }
        if self.kind == Kind::Editor && met.best.decision <= Decision::Ask {
            // The session that starts then is given no policies (`SdkController.ts`), and a task may have settings of its own.
            steps.push(accepted("restore a checkpoint with its messages, after which nothing is asked about"));
            steps.push(accepted("switch on for one task what runs unasked"));
        }
        if met.best.decision == Decision::Ask {
            steps.push(accepted("switch on what runs unasked, which the prompt offers"));
        }
        steps
    }

    fn fixed(&self, _: &Call, _: &GateDecision) -> bool {
        false
    }

    fn tools(&self, server: &str) -> Vec<String> {
        self.servers.get(server).into_iter().flat_map(|server| server.free.keys().cloned()).collect()
    }

    fn hides(&self, met: &GateDecision) -> String {
        let own = || self.own_files().into_iter().next().unwrap_or_default();
        met.worst.place.as_ref().map_or_else(own, |place| place.path.clone())
    }
}
