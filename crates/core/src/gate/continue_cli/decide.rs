//! One call, one decision (floor 2).

use super::critical::critical;
use super::rule::Rule;
use super::{ContinuePolicy, Mode};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, Odd, ruling, unread};
use crate::gate::desk::accepted;
use crate::gate::expression::Fit;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Level, Ruling};
use crate::model::{Decision, Override};

/// Tools that are asked about, and those that are not, where no rule names them
/// (`extensions/cli/src/permissions/defaultPolicies.ts`).
const ASKED: [&str; 3] = ["Edit", "MultiEdit", "Write"];
const FREE: [&str; 13] = [
    "CheckBackgroundJob",
    "AskQuestion",
    "Checklist",
    "Diff",
    "Skills",
    "Exit",
    "Fetch",
    "List",
    "Read",
    "Search",
    "Status",
    "ReportFailure",
    "UploadArtifact",
];

/// What the gate does with a call.
fn decide(policy: &ContinuePolicy, call: &Call) -> GateDecision {
    let mut bounds = policy.answer(call);
    if policy.headless {
        bounds = Bounds { worst: policy.nobody(bounds.worst), best: policy.nobody(bounds.best) };
    }
    let mut doubt = Odd::first(&policy.odd, &mut bounds)
        .map(|odd| odd.doubt("hook", "trying the call with it in place, or taking it out of the settings"));
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| {
        doubt.unwrap_or_else(|| Doubt {
            id: "pattern".to_owned(),
            reason: GapReason::Unsupported,
            question: "whether a rule means this call".to_owned(),
            settle: "a command line that is plain, and rules without patterns for files".to_owned(),
            place: worst.place.clone().or_else(|| best.place.clone()),
        })
    });
    let overridable_by = if stays(&worst) || best.decision > Decision::Ask {
        Vec::new()
    } else {
        vec![policy.kept.clone(), "starting it with `--auto`, or as `cn -p`".to_owned()]
    };
    GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
}

/// Whether an answer is, even at its worst, one that no settings change.
fn stays(worst: &Ruling) -> bool {
    worst.decision == Decision::Deny && worst.basis == Basis::BuiltIn
}

impl ContinuePolicy {
    fn answer(&self, call: &Call) -> Bounds {
        match call {
            Call::Shell { command } => {
                let met = self.tool("Bash", Some(command));
                let refused = || {
                    let because = "a command in it is refused in every mode".to_owned();
                    Bounds::one(ruling(Decision::Deny, Basis::BuiltIn, None, because))
                };
                match critical(command) {
                    Fit::Sure => refused(),
                    Fit::May => met.or(refused()),
                    Fit::No => met,
                }
            }
            Call::Read { .. } => {
                let read = self.tool("Read", None);
                // Its search shows lines of files, where there is a program for it.
                read.clone().or(read.freer(self.tool("Search", None)))
            }
            Call::Edit { .. } => {
                let all = ASKED.iter().map(|tool| self.tool(tool, None));
                all.reduce(Bounds::freer).unwrap_or_else(|| Bounds::unknown("nothing decides"))
            }
            Call::Fetch { .. } => self.tool("Fetch", None),
            // Its tools are called by their names alone, whatever server they are of.
            Call::Mcp { tool, .. } => self.tool(tool, None),
        }
    }

    /// The first rule that fits.
    fn tool(&self, tool: &str, command: Option<&str>) -> Bounds {
        let mode = |decision, why: &str| {
            let place = self.place();
            Bounds::one(ruling(decision, Basis::Mode(Some(Level::User)), Some(&place), format!("{why} ({place})")))
        };
        match self.mode {
            Mode::Auto => mode(Decision::Allow, "everything runs in the mode `auto`"),
            Mode::Plan if ASKED.contains(&tool) => mode(Decision::Deny, "files are not written in the mode for plans"),
            Mode::Plan => mode(Decision::Allow, "everything but writing files runs in the mode for plans"),
            Mode::Normal => self.ruled(&self.rules, tool, command),
        }
    }

    fn ruled(&self, rules: &[Rule], tool: &str, command: Option<&str>) -> Bounds {
        let mut open: Vec<&Rule> = Vec::new();
        let mut met = self.built_in(tool);
        for rule in rules {
            match rule.fits(tool, command) {
                Fit::Sure => {
                    met = Bounds::one(by(rule));
                    break;
                }
                Fit::May => open.push(rule),
                Fit::No => {}
            }
        }
        open.into_iter().fold(met, |met, rule| met.or(Bounds::one(by(rule))))
    }

    /// Where nobody is there to be asked, what would be asked about does not run.
    fn nobody(&self, met: Ruling) -> Ruling {
        if met.decision != Decision::Ask {
            return met;
        }
        let because = format!("{}; nobody is there to be asked ({})", met.because, self.place());
        Ruling { decision: Decision::Deny, basis: Basis::Mode(Some(Level::User)), because, ..met }
    }

    fn built_in(&self, tool: &str) -> Bounds {
        let one = |decision, because: String| Bounds::one(ruling(decision, Basis::BuiltIn, None, because));
        if ASKED.contains(&tool) {
            return one(Decision::Ask, format!("the tool `{tool}` is asked about"));
        }
        if FREE.contains(&tool) {
            return one(Decision::Allow, format!("the tool `{tool}` runs unasked"));
        }
        if self.headless {
            let place = self.place();
            let because = format!("nobody is there to be asked, and what no rule names runs ({place})");
            return Bounds::one(ruling(Decision::Allow, Basis::Mode(Some(Level::User)), Some(&place), because));
        }
        one(Decision::Ask, "what no rule names is asked about".to_owned())
    }
}

fn by(rule: &Rule) -> Ruling {
    let (decision, does) = match rule.effect {
        Effect::Deny => (Decision::Deny, "excludes it"),
        Effect::Ask => (Decision::Ask, "asks"),
        Effect::Allow => (Decision::Allow, "lets it run"),
    };
    let text = rule.shown();
    let because = format!("`{text}` {does} ({})", rule.place);
    let cited = Cited { effect: rule.effect, text, level: rule.level, whole: rule.whole() };
    ruling(decision, Basis::Rule(cited), Some(&rule.place), because)
}

impl Gated for ContinuePolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let allowed = self.rules.iter().filter(|rule| rule.effect == Effect::Allow);
        let bash = allowed.filter(|rule| rule.fits("Bash", None) != Fit::No);
        let spec = |rule: &Rule| rule.argument.clone().unwrap_or_else(|| "*".to_owned());
        bash.map(|rule| Lets { spec: spec(rule), shown: format!("`{}` ({})", rule.shown(), rule.place) }).collect()
    }

    fn more(&self) -> Vec<String> {
        // Lines are not cut, so that a wildcard stands for other commands too.
        let allowed = self.rules.iter().filter(|rule| rule.effect == Effect::Allow && rule.tool == "Bash");
        let patterns = allowed.filter_map(|rule| rule.argument.as_deref());
        patterns.map(|text| text.replacen('*', " && ./run ", 1).replace(['*', '?'], "x")).collect()
    }

    fn own(&self) -> Vec<String> {
        vec![self.kept.clone()]
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![
            accepted("be started with `--auto`, with `--allow` or with an agent file"),
            accepted("be started as `cn -p`, where what no rule names runs"),
            accepted("switch the mode, which a key does"),
        ];
        if met.worst.decision == Decision::Ask {
            steps.push(accepted("approve it for good, which the prompt offers, and with it all that begins alike"));
        }
        steps
    }

    fn fixed(&self, _: &Call, met: &GateDecision) -> bool {
        stays(&met.worst)
    }

    fn tools(&self, _: &str) -> Vec<String> {
        // One that a pattern names stands for all of them.
        let named =
            self.rules.iter().filter(|rule| rule.argument.is_none()).map(|rule| rule.tool.replace(['*', '?'], "x"));
        named.filter(|tool| tool != "Bash").collect()
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst.place.as_ref().map_or_else(|| self.kept.clone(), |place| place.path.clone())
    }
}
