//! What lets a session's commands run, and what it may change to be let (floor 2).

use super::OpenCodePolicy;
use super::decide::{at, decide};
use crate::gate::desk::accepted;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Call, Effect, GateDecision};
use crate::model::{Decision, Override};

impl Gated for OpenCodePolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: self.plugin.as_ref(), root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let mut found: Vec<Lets> = Vec::new();
        for rule in self.agents.iter().flat_map(|agent| &agent.rules) {
            let about = rule.place.is_some() && super::rules::fits_text(&rule.permission, "bash");
            if rule.effect != Effect::Allow || !about {
                continue;
            }
            let shown = format!("`{}`, which is allowed ({})", rule.text(), at(rule.place.as_ref()));
            let lets = Lets { spec: rule.pattern.replace('?', "*"), shown };
            if !found.contains(&lets) {
                found.push(lets);
            }
        }
        found
    }

    fn own(&self) -> Vec<String> {
        vec!["opencode.json".to_owned(), "~/.config/opencode/opencode.json".to_owned()]
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = Vec::new();
        if met.best.decision == Decision::Ask {
            steps.push(accepted("accept \"always\", which the prompt offers"));
            steps.push(accepted("be started with `--auto`"));
        }
        steps.push(accepted("be started with `OPENCODE_PERMISSION`"));
        steps
    }

    fn fixed(&self, _: &Call, _: &GateDecision) -> bool {
        false
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let prefix = format!("{server}_");
        let mut found: Vec<String> = Vec::new();
        for rule in self.agents.iter().flat_map(|agent| &agent.rules).filter(|rule| rule.effect == Effect::Allow) {
            let named = rule.permission.strip_prefix(&prefix).filter(|tool| !tool.contains(['*', '?']));
            found.extend(named.map(str::to_owned).filter(|tool| !found.contains(tool)));
        }
        found
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst.place.as_ref().map_or_else(|| "opencode.json".to_owned(), |place| place.path.clone())
    }
}
