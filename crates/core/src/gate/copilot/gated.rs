//! What lets a session's commands run, and what it may change to be let (floor 2).

use super::CopilotPolicy;
use super::decide::decide;
use crate::gate::desk::accepted;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Call, Effect, GateDecision};
use crate::model::{Decision, Override};

impl Gated for CopilotPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: self.brings.as_ref(), root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let mut found: Vec<Lets> = Vec::new();
        let own = self.allow.iter().filter(|rule| rule.kind == "shell").map(|rule| {
            let spec = match rule.argument.as_deref() {
                None => "*".to_owned(),
                Some(argument) => format!("{} *", argument.strip_suffix(":*").unwrap_or(argument)),
            };
            (spec, rule.text(), &rule.place)
        });
        let managed = self.managed.rules.iter().filter(|rule| rule.family == "Shell" && rule.effect == Effect::Allow);
        let managed = managed.map(|rule| (rule.argument.clone(), rule.text(), &rule.place));
        for (spec, text, place) in own.chain(managed) {
            let lets = Lets { spec, shown: format!("`{text}`, which is allowed ({place})") };
            if !found.contains(&lets) {
                found.push(lets);
            }
        }
        found
    }

    fn own(&self) -> Vec<String> {
        self.own_files()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("be started with `--allow-all`")];
        if met.best.decision == Decision::Ask {
            steps.push(accepted("approve it for the folder, which the prompt offers"));
            steps.push(accepted("choose `/permissions allow-all`"));
        }
        steps
    }

    fn fixed(&self, _: &Call, met: &GateDecision) -> bool {
        self.fixed_by(&met.best)
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for rule in self.allow.iter().filter(|rule| rule.kind == server) {
            found.extend(rule.argument.clone().filter(|tool| !found.contains(tool)));
        }
        found
    }

    fn hides(&self, met: &GateDecision) -> String {
        let place = met.worst.place.as_ref().filter(|place| place.path != "--started-as");
        place.map_or_else(|| "~/.copilot/settings.json".to_owned(), |place| place.path.clone())
    }
}
