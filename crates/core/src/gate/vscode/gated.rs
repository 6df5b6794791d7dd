//! What lets a session's commands run, and what it may change to be let (floor 2).

use super::VsCodePolicy;
use super::decide::decide;
use super::rules::Test;
use crate::gate::desk::accepted;
use crate::gate::expression::Fit;
use crate::gate::programs::{CARRIERS, CLIENTS};
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Call, GateDecision};
use crate::model::{Decision, Override};

impl Gated for VsCodePolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: self.brings.as_ref(), root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let mut found: Vec<Lets> = Vec::new();
        for rule in self.ways.iter().flat_map(|set| &set.rules).filter(|rule| rule.approve && rule.place.is_some()) {
            let shown = format!("`{}`, which is listed ({})", rule.text(), rule.at());
            let specs: Vec<String> = match &rule.test {
                Test::All => vec!["*".to_owned()],
                Test::Never => Vec::new(),
                Test::Some(_) if rule.line || rule.key.starts_with('/') => {
                    // An expression says which programs it is for by matching them.
                    let programs = CLIENTS.iter().map(|(name, _, _)| *name).chain(CARRIERS);
                    let fits = |name: &&str| {
                        ["x", "run x", "delete x"]
                            .iter()
                            .any(|rest| rule.test.fits(&format!("{name} {rest}")) != Fit::No)
                    };
                    programs.filter(fits).map(|name| format!("{name} *")).collect()
                }
                Test::Some(_) => vec![format!("{} *", rule.key)],
            };
            for spec in specs {
                let lets = Lets { spec, shown: shown.clone() };
                if !found.contains(&lets) {
                    found.push(lets);
                }
            }
        }
        found
    }

    fn own(&self) -> Vec<String> {
        self.own_files()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = Vec::new();
        if self.ways.iter().any(|set| set.barred.is_none()) || self.loose {
            steps.push(accepted("choose the level of permissions at which everything runs"));
        }
        if met.best.decision == Decision::Ask {
            steps.push(accepted("approve it for the session, which the prompt offers"));
        }
        steps
    }

    fn fixed(&self, _: &Call, met: &GateDecision) -> bool {
        self.fixed_by(&met.best)
    }

    fn tools(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn hides(&self, met: &GateDecision) -> String {
        let own = || self.own_files().pop().unwrap_or_default();
        met.worst.place.as_ref().map_or_else(own, |place| place.path.clone())
    }
}
