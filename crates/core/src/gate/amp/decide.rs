//! One call, one decision (floor 2).

use super::{AmpPolicy, Rule, Said};
use crate::gate::bounds::{Bounds, Open, ruling};
use crate::gate::desk::accepted;
use crate::gate::expression::Fit;
use crate::gate::pattern;
use crate::gate::shown::shown;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Cited, Effect, GateDecision, Ruling};
use crate::model::{Decision, Override};

/// The tool for commands, by the name that the manual has for it and by others.
const SHELL: [&str; 3] = ["Bash", "shell_command", "async_shell_command"];

/// The tools that write files.
const WRITES: [&str; 3] = ["edit_file", "create_file", "apply_patch"];

/// What is not known of it.
const OPEN: Open = Open {
    id: "built-in",
    question: "what its built-in list says, and how a rule is held against a command",
    settle: "`amp permissions test`",
};

/// What the gate does with a call.
fn decide(policy: &AmpPolicy, call: &Call) -> GateDecision {
    policy.answer(call).decided(&policy.unread, &OPEN, || policy.levers())
}

impl AmpPolicy {
    fn answer(&self, call: &Call) -> Bounds {
        let (tools, text): (Vec<String>, Option<&str>) = match call {
            Call::Shell { command } => (SHELL.map(str::to_owned).to_vec(), Some(command)),
            Call::Read { .. } => (vec!["Read".to_owned()], None),
            Call::Edit { .. } => (WRITES.map(str::to_owned).to_vec(), None),
            Call::Fetch { .. } => (vec!["read_web_page".to_owned()], None),
            Call::Mcp { server, tool } => (vec![format!("mcp__{server}__{tool}")], None),
        };
        let ruled = self.ruled(&tools, text);
        let refused = || {
            self.rules
                .iter()
                .flatten()
                .find(|rule| rule.effect == Some(Effect::Deny) && { fits(rule, &tools, text) != Fit::No })
        };
        let every = |said: &Said| {
            let because = format!("everything runs unasked ({})", said.place);
            let free = Bounds::one(ruling(Decision::Allow, Basis::Mode(Some(said.level)), Some(&said.place), because));
            // Whether what is rejected runs then is not said.
            refused().map_or_else(|| free.clone(), |rule| free.clone().or(does(rule)))
        };
        if let Some((true, said)) = self.all.last() {
            return every(said);
        }
        let mut met = self.listed(call, ruled);
        if let Some((_, said)) = self.all.iter().find(|(all, _)| *all) {
            met = met.or(every(said));
        }
        met
    }

    /// What lists of commands, older than rules, make of an answer.
    fn listed(&self, call: &Call, met: Bounds) -> Bounds {
        let Call::Shell { command } = call else { return met };
        let lets = |text: &str, said: &Said| {
            let text = bare(text);
            let because = format!("`{text}` lets it run ({})", said.place);
            let cited = Cited { effect: Effect::Allow, whole: text == "*", text, level: said.level };
            Bounds::one(ruling(Decision::Allow, Basis::Rule(cited), Some(&said.place), because))
        };
        if let Some((text, said)) = self.allowed.iter().find(|(text, _)| text == "*") {
            return lets(text, said);
        }
        let begins = |text: &str| {
            let fixed = text.split('*').next().unwrap_or(text).trim();
            !fixed.is_empty() && command.contains(fixed)
        };
        match self.allowed.iter().find(|(text, _)| begins(text)) {
            Some((text, said)) => met.or(lets(text, said)),
            None => met,
        }
    }

    /// What rules decide, or else the list that is built in.
    fn ruled(&self, tools: &[String], text: Option<&str>) -> Bounds {
        let built_in = || Bounds::unknown("the list that is built in decides, and it is not known");
        // Which of two files counts first is not said.
        let sure = self.rules.len() == 1;
        let mut met: Option<Bounds> = None;
        for rule in self.rules.iter().flatten() {
            let fit = fits(rule, tools, text);
            if fit == Fit::No {
                continue;
            }
            let one = does(rule);
            met = Some(met.map_or_else(|| one.clone(), |met| met.or(one.clone())));
            if fit == Fit::Sure && sure {
                return met.unwrap_or_else(built_in);
            }
        }
        met.map_or_else(built_in, |met| met.or(built_in()))
    }

    fn levers(&self) -> Vec<String> {
        let mut levers = self.own.clone();
        levers.push("starting it with `--dangerously-allow-all`".to_owned());
        levers
    }
}

/// Whether a rule fits a call.
fn fits(rule: &Rule, tools: &[String], text: Option<&str>) -> Fit {
    let named = |tool: &String| pattern::matches(&rule.tool, tool);
    if !tools.iter().any(named) {
        return Fit::No;
    }
    let mut fit = if tools.iter().all(named) || tools.first().is_some_and(named) { Fit::Sure } else { Fit::May };
    for (name, patterns) in &rule.wanted {
        let any = patterns.iter().any(|one| one == "*");
        let command = text.filter(|_| matches!(name.as_str(), "cmd" | "command"));
        if any {
            continue;
        }
        fit = fit.min(match command {
            None => Fit::May,
            // One between slashes is an expression.
            Some(_) if patterns.iter().any(|one| one.starts_with('/')) => Fit::May,
            Some(command) if patterns.iter().any(|one| pattern::matches(one, command)) => Fit::Sure,
            // Whether it is held against parts of a line is not said.
            Some(command) if patterns.iter().any(|one| within(one, command)) => Fit::May,
            Some(_) => Fit::No,
        });
    }
    if rule.loose { fit.min(Fit::May) } else { fit }
}

/// Whether a pattern may fit some part of a line.
fn within(one: &str, line: &str) -> bool {
    one.split('*').map(str::trim).all(|part| line.contains(part))
}

fn bare(text: &str) -> String {
    let text = shown(&format!("Bash({text})"));
    text.strip_prefix("Bash(").and_then(|text| text.strip_suffix(')')).unwrap_or("…").to_owned()
}

/// What a rule does.
fn does(rule: &Rule) -> Bounds {
    let commands = rule.wanted.iter().flat_map(|(_, all)| all).map(|one| bare(one)).collect::<Vec<_>>().join(" ");
    let tool = shown(&rule.tool);
    let text = if commands.is_empty() { tool } else { format!("{tool} {commands}") };
    let whole = !rule.loose && rule.wanted.iter().all(|(_, all)| all.iter().any(|one| one == "*"));
    let of = |decision, does: &str, effect| -> Ruling {
        let because = format!("`{text}` {does} ({})", rule.said.place);
        let cited = Cited { effect, text: text.clone(), level: rule.said.level, whole };
        ruling(decision, Basis::Rule(cited), Some(&rule.said.place), because)
    };
    match rule.effect {
        Some(Effect::Allow) => Bounds::one(of(Decision::Allow, "lets it run", Effect::Allow)),
        Some(Effect::Ask) => Bounds::one(of(Decision::Ask, "asks", Effect::Ask)),
        Some(Effect::Deny) => Bounds::one(of(Decision::Deny, "rejects it", Effect::Deny)),
        None => {
            let because = format!("another program decides, and it is not run to learn how ({})", rule.said.place);
            let of = |decision| ruling(decision, Basis::Hook(rule.said.level), Some(&rule.said.place), because.clone());
            Bounds { worst: of(Decision::Allow), best: of(Decision::Deny) }
        }
    }
}

impl Gated for AmpPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let rules = self.rules.iter().flatten().filter(|rule| rule.effect != Some(Effect::Deny));
        let rules = rules.filter(|rule| SHELL.iter().any(|tool| pattern::matches(&rule.tool, tool)));
        let mut lets = Vec::new();
        for rule in rules {
            let shown = format!("what is let at {}", rule.said.place);
            let commands: Vec<&String> = rule.wanted.iter().flat_map(|(_, all)| all).collect();
            let plain = |one: &&&String| !one.starts_with('/');
            let mut specs: Vec<String> = commands.iter().filter(plain).map(|one| (**one).clone()).collect();
            if specs.len() < commands.len() || commands.is_empty() {
                specs.push("*".to_owned());
            }
            lets.extend(specs.into_iter().map(|spec| Lets { spec, shown: shown.clone() }));
        }
        for (text, said) in &self.allowed {
            let spec = if text.contains('*') { text.clone() } else { format!("{text} *") };
            lets.push(Lets { spec, shown: format!("what is let at {}", said.place) });
        }
        lets
    }

    fn own(&self) -> Vec<String> {
        self.own.clone()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("be started with `--dangerously-allow-all`")];
        if met.worst.decision == Decision::Ask {
            steps.push(accepted("allow it for good, which the prompt offers"));
        }
        steps
    }

    fn fixed(&self, _: &Call, _: &GateDecision) -> bool {
        false
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let prefix = format!("mcp__{server}__");
        let named = self.rules.iter().flatten().filter_map(|rule| rule.tool.strip_prefix(&prefix));
        named.map(|tool| tool.replace('*', "x")).collect()
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst
            .place
            .as_ref()
            .map_or_else(|| self.own.first().cloned().unwrap_or_default(), |place| place.path.clone())
    }
}
