//! One call, one decision (floor 2).

use super::{Mode, Pattern, Rules, ZedPolicy};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, Odd, ruling, unread};
use crate::gate::desk::accepted;
use crate::gate::expression::{Fit, stem};
use crate::gate::nodes;
use crate::gate::shown::shown;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Level, Ruling};
use crate::model::{Decision, Override};

/// What `rm` is not given, whatever is set.
const KEPT: [&str; 5] = ["/", "~", "$HOME", ".", ".."];

/// Signs at which later versions refuse a command, unless everything runs.
const SIGNS: [&str; 4] = ["$", "`", "<(", ">("];

/// What the gate does with a call.
fn decide(policy: &ZedPolicy, call: &Call) -> GateDecision {
    let mut bounds = policy.answer(call);
    if let Some(place) = &policy.older {
        let because = format!("before version 0.224 this lets everything run ({place})");
        bounds = bounds.or(Bounds::one(ruling(Decision::Allow, Basis::Mode(Some(Level::User)), Some(place), because)));
    }
    let mut doubt = Odd::first(&policy.odd, &mut bounds)
        .map(|odd| odd.doubt("settings", "saying it at the top of the user's settings alone"));
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| {
        doubt.unwrap_or_else(|| Doubt {
            id: "expression".to_owned(),
            reason: GapReason::Unsupported,
            question: "what its expressions are held against".to_owned(),
            settle: "a command line that is plain".to_owned(),
            place: worst.place.clone().or_else(|| best.place.clone()),
        })
    });
    let overridable_by =
        if stays(&worst) || best.decision > Decision::Ask { Vec::new() } else { vec![policy.own.clone()] };
    GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
}

/// Whether an answer is, even at its worst, one that no settings change.
fn stays(worst: &Ruling) -> bool {
    worst.decision == Decision::Deny && worst.basis == Basis::BuiltIn
}

impl ZedPolicy {
    fn answer(&self, call: &Call) -> Bounds {
        match call {
            Call::Shell { command } => self.terminal(command),
            Call::Read { .. } => {
                let because = "files of the project are read unasked".to_owned();
                Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because))
            }
            Call::Edit { .. } => {
                let edit = self.loose("edit_file");
                edit.clone().or(edit.freer(self.loose("write_file")))
            }
            Call::Fetch { .. } => self.loose("fetch"),
            Call::Mcp { server, tool } => self.loose(&format!("mcp:{server}:{tool}")),
        }
    }

    /// What is done with a tool where no expression fits.
    fn otherwise(&self, tool: &str) -> Bounds {
        let own = self.tools.get(tool).and_then(|rules| rules.default.as_ref());
        let Some((mode, place)) = own.or(self.default.as_ref()) else {
            let because = "what is not let is asked about".to_owned();
            return Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, because));
        };
        let (decision, does) = match mode {
            Mode::Allow => (Decision::Allow, "what no expression names runs"),
            Mode::Confirm => (Decision::Ask, "what no expression names is asked about"),
            Mode::Deny => (Decision::Deny, "what no expression names is refused"),
        };
        Bounds::one(ruling(decision, Basis::Mode(Some(Level::User)), Some(place), format!("{does} ({place})")))
    }

    /// A tool of which it is not judged here what its expressions are held against.
    fn loose(&self, tool: &str) -> Bounds {
        let met = self.otherwise(tool);
        let Some(rules) = self.tools.get(tool) else { return met };
        let all = rules.deny.iter().map(|one| by(one, Effect::Deny));
        let all = all.chain(rules.confirm.iter().map(|one| by(one, Effect::Ask)));
        let all = all.chain(rules.allow.iter().map(|one| by(one, Effect::Allow)));
        all.fold(met, |met, one| met.or(Bounds::one(one)))
    }

    /// The expressions by which a command is freer than one that none fits, the freest first.
    fn opening(&self) -> Vec<(&Pattern, Effect)> {
        let Some(rules) = self.tools.get("terminal") else { return Vec::new() };
        let refused = self.otherwise("terminal").best.decision == Decision::Deny;
        let asked = rules.confirm.iter().filter(|_| refused).map(|one| (one, Effect::Ask));
        rules.allow.iter().map(|one| (one, Effect::Allow)).chain(asked).collect()
    }

    fn terminal(&self, line: &str) -> Bounds {
        let refused = || {
            let because = "a form of `rm` that is refused whatever is set".to_owned();
            Bounds::one(ruling(Decision::Deny, Basis::BuiltIn, None, because))
        };
        let none = Rules::default();
        let rules = self.tools.get("terminal").unwrap_or(&none);
        let plain = plain(line);
        let met = match &plain {
            Some(commands) => self.held(rules, commands),
            None => self.open(rules, line),
        };
        match removes(line, plain.is_some()) {
            Fit::Sure => refused(),
            Fit::May => met.or(refused()),
            Fit::No => met,
        }
    }

    /// A plain line: the strictest of its commands counts.
    fn held(&self, rules: &Rules, commands: &[String]) -> Bounds {
        let any = |all: &[Pattern], effect: Effect| -> Vec<(Ruling, Fit)> {
            let fit = |one: &Pattern| commands.iter().map(|command| fits(one, command)).max().unwrap_or(Fit::No);
            all.iter().map(|one| (by(one, effect), fit(one))).filter(|(_, fit)| *fit != Fit::No).collect()
        };
        // Every command has to be let; what lets the first stands for all.
        let let_in = |sure: bool| {
            let enough = |fit: Fit| if sure { fit == Fit::Sure } else { fit != Fit::No };
            let lets = |command: &String| rules.allow.iter().find(|one| enough(fits(one, command)));
            let found: Option<Vec<&Pattern>> = commands.iter().map(lets).collect();
            found.and_then(|found| found.first().copied())
        };
        let otherwise = self.otherwise("terminal");
        let mut met = match (let_in(true), let_in(false)) {
            (Some(one), _) => Bounds::one(by(one, Effect::Allow)),
            (None, Some(one)) => otherwise.or(Bounds::one(by(one, Effect::Allow))),
            (None, None) => otherwise,
        };
        for (one, fit) in any(&rules.confirm, Effect::Ask).into_iter().chain(any(&rules.deny, Effect::Deny)) {
            let one = Bounds::one(one);
            // What refuses is held last, and counts over what asks.
            met = if fit == Fit::Sure { one } else { met.or(one) };
        }
        met
    }

    /// Any other line: whatever may fit may count.
    fn open(&self, rules: &Rules, line: &str) -> Bounds {
        let mut met = self.otherwise("terminal");
        let nodes = nodes::read(line);
        let may = |one: &&Pattern| {
            let found = nodes.commands.iter().flat_map(|node| [node.text.as_str(), node.full.as_str()]);
            !nodes.sure || found.chain([line]).any(|text| fits(one, text) != Fit::No)
        };
        // Each command that is found has to be let.
        let let_in = |node: &nodes::Node| {
            let bare = node.text.replace(['"', '\'', '\\'], "");
            let texts = [node.text.as_str(), node.full.as_str(), bare.as_str()];
            rules.allow.iter().any(|one| texts.iter().any(|text| fits(one, text) != Fit::No))
        };
        let every = nodes.commands.iter().all(let_in);
        for (all, effect) in [(&rules.deny, Effect::Deny), (&rules.confirm, Effect::Ask), (&rules.allow, Effect::Allow)]
        {
            if effect == Effect::Allow && !every {
                continue;
            }
            met = all.iter().filter(may).fold(met, |met, one| met.or(Bounds::one(by(one, effect))));
        }
        let everything = met.best.decision == Decision::Allow && rules.deny.is_empty() && rules.confirm.is_empty();
        if !everything && (!nodes.sure || SIGNS.iter().any(|sign| line.contains(sign))) {
            let because = "a command in which something is put in by the shell may be refused".to_owned();
            met = met.or(Bounds::one(ruling(Decision::Deny, Basis::BuiltIn, None, because)));
        }
        met
    }
}

/// The commands of a line in which there is no doubt what they are.
fn plain(line: &str) -> Option<Vec<String>> {
    let fine = |c: char| c.is_ascii_alphanumeric() || " _./:=,@%+-&|;".contains(c);
    let nodes = nodes::read(line);
    let words = |text: &str| text.split(' ').any(|word| word.is_empty());
    let sound = nodes.sure
        && !nodes.redirects
        && !nodes.assigns
        && !nodes.commands.is_empty()
        && line.chars().all(fine)
        && nodes.commands.iter().all(|node| !node.declares && !words(&node.text) && node.words.join(" ") == node.text);
    sound.then(|| nodes.commands.into_iter().map(|node| node.text).collect())
}

/// Whether an expression may fit a line whatever it runs: it is not tied to how a line begins, or to no more than the name
/// of a variable that is set there.
fn anywhere(pattern: &Pattern) -> bool {
    let named = |stem: String| stem.contains('=') || stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    pattern.expression.is_none() || stem(&pattern.text).is_none_or(named)
}

fn fits(pattern: &Pattern, text: &str) -> Fit {
    match &pattern.expression {
        Some(expression) if expression.is_match(text) => Fit::Sure,
        Some(_) => Fit::No,
        None => Fit::May,
    }
}

/// Whether a line removes what is kept from it. It is sure of one command with plain options and one such path.
fn removes(line: &str, plain: bool) -> Fit {
    let lower = line.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let bare = |word: &&str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '/').ends_with("rm");
    let Some(at) = words.iter().position(bare) else { return Fit::No };
    // What stands behind it has to be one of these, or lead to one.
    let leads = |word: &&str| word.trim_matches(['"', '\'']).starts_with(['/', '~', '.', '$']);
    if !words.iter().skip(at + 1).any(leads) {
        return Fit::No;
    }
    let first = words.first() == Some(&"rm");
    let rest: Vec<&str> = words.into_iter().skip(1).collect();
    let options = rest.iter().take_while(|word| word.starts_with('-')).count();
    let letters = |word: &&str| word.trim_start_matches('-').chars().all(|c| c.is_ascii_lowercase()) && word.len() > 1;
    let simple = rest.iter().take(options).all(letters);
    if plain && first && simple && rest.len() == options + 1 && rest.last().is_some_and(|path| KEPT.contains(path)) {
        return Fit::Sure;
    }
    Fit::May
}

fn by(pattern: &Pattern, effect: Effect) -> Ruling {
    let (decision, does) = match effect {
        Effect::Deny => (Decision::Deny, "refuses it"),
        Effect::Ask => (Decision::Ask, "asks"),
        Effect::Allow => (Decision::Allow, "lets it run"),
    };
    let text = shown(&format!("Bash({})", pattern.text));
    let text = text.strip_prefix("Bash(").and_then(|text| text.strip_suffix(')')).unwrap_or("…").to_owned();
    let because = format!("`{text}` {does} ({})", pattern.place);
    let whole = matches!(pattern.text.as_str(), "" | ".*");
    let cited = Cited { effect, text, level: pattern.level, whole };
    ruling(decision, Basis::Rule(cited), Some(&pattern.place), because)
}

impl Gated for ZedPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let mut lets = Vec::new();
        for (one, _) in self.opening() {
            let shown = format!("what is let at {}", one.place);
            let mut add = |spec: String| lets.push(Lets { spec, shown: shown.clone() });
            // Without a beginning it may fit anywhere.
            let Some(stem) = stem(&one.text) else {
                add("*".to_owned());
                continue;
            };
            // Letters are not told apart unless it is said, and programs are named in small ones.
            let lower = stem.to_ascii_lowercase();
            if lower != stem {
                add(format!("{lower}*"));
            }
            add(format!("{stem}*"));
        }
        lets
    }

    fn most(&self) -> Option<GateDecision> {
        let (one, effect) = self.opening().into_iter().find(|(one, _)| anywhere(one))?;
        let Bounds { worst, best } = self.otherwise("terminal").or(Bounds::one(by(one, effect)));
        let doubt = (worst.decision != best.decision).then(|| Doubt {
            id: "expression".to_owned(),
            reason: GapReason::Unsupported,
            question: "what else its expressions fit".to_owned(),
            settle: "expressions that begin with `^` and hold more than the name of a program".to_owned(),
            place: Some(one.place.clone()),
        });
        Some(GateDecision { contained: Some(false), worst, best, doubt, overridable_by: vec![self.own.clone()] })
    }

    fn own(&self) -> Vec<String> {
        vec![self.own.clone()]
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        if met.worst.decision != Decision::Ask {
            return Vec::new();
        }
        vec![accepted("approve it for good, for the tool or for all that begins alike, which the prompt offers")]
    }

    fn fixed(&self, _: &Call, met: &GateDecision) -> bool {
        stays(&met.worst)
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let prefix = format!("mcp:{server}:");
        self.tools.keys().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    fn hides(&self, _: &GateDecision) -> String {
        self.own.clone()
    }
}
