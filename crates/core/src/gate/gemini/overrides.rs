//! What a session may change to be let (floor 2), and what lets its commands run.

use super::decide::{decide, fixed};
use super::{GeminiPolicy, Mode};
use crate::gate::desk::accepted;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Call, Effect, GateDecision};
use crate::model::{Decision, Override};

impl Gated for GeminiPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: self.extension.as_ref(), root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let mut found: Vec<Lets> = Vec::new();
        for rule in self.starts.iter().flat_map(|start| &start.laid.rules) {
            let about = matches!(rule.tool.as_str(), "*" | "run_shell_command");
            let Some(place) = rule.place.as_ref().filter(|_| rule.effect == Effect::Allow && about) else { continue };
            let shown = format!("`{}`, which is allowed ({place})", rule.text);
            let lets = Lets { spec: rule.commands(), shown };
            if !found.contains(&lets) {
                found.push(lets);
            }
        }
        found
    }

    /// Only exit 2, or a decision that it writes, blocks (geminicli.com/docs/hooks).
    fn hooks_fail_open(&self) -> Option<bool> {
        Some(true)
    }

    fn own(&self) -> Vec<String> {
        vec![".gemini/settings.json".to_owned(), "~/.gemini/settings.json".to_owned()]
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = Vec::new();
        if met.best.decision == Decision::Ask && self.starts.iter().any(|start| start.laid.always) {
            steps.push(accepted("accept to always allow it, which the prompt offers"));
        }
        if self.starts.iter().all(|start| start.mode != Mode::Yolo) {
            steps.push(accepted("be started with `--yolo`"));
        }
        steps
    }

    fn fixed(&self, call: &Call, met: &GateDecision) -> bool {
        fixed(self, call, &met.best)
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let prefix = format!("mcp_{server}_");
        for rule in self.starts.iter().flat_map(|start| &start.laid.rules) {
            let named = rule.tool.strip_prefix(&prefix).or_else(|| rule.tool.strip_prefix("mcp_*_"));
            let named = named.filter(|tool| rule.effect == Effect::Allow && *tool != "*");
            found.extend(named.map(str::to_owned).filter(|tool| !found.contains(tool)));
        }
        found
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst.place.as_ref().map_or_else(|| ".gemini/settings.json".to_owned(), |place| place.path.clone())
    }
}
