//! One call, one decision (floor 2).

use super::{KiroPolicy, Profile, Rule, Said};
use crate::gate::bounds::{Bounds, Open, ruling};
use crate::gate::desk::accepted;
use crate::gate::expression::Fit;
use crate::gate::pattern;
use crate::gate::shown::shown;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Cited, Effect, GateDecision, Ruling};
use crate::model::{Decision, Override};

/// The names that its tools have had, by capability.
const TOOLS: [(&str, &[&str]); 3] = [
    ("shell", &["shell", "execute_bash", "use_aws", "aws"]),
    ("fs_write", &["write", "fs_write"]),
    ("fs_read", &["read", "fs_read"]),
];

/// Commands that the rules that it brings allow, by how they begin.
const READS: [&str; 7] = ["git status", "git log", "git diff", "git branch", "pwd", "whoami", "uname"];

/// What is not known of it.
const OPEN: Open = Open {
    id: "rule",
    question: "which version runs, as which agent, and how a rule is held against a command",
    settle: "trying the call in the agent",
};

/// What the gate does with a call.
fn decide(policy: &KiroPolicy, call: &Call) -> GateDecision {
    policy.answer(call).decided(&policy.unread, &OPEN, || policy.levers())
}

impl KiroPolicy {
    fn answer(&self, call: &Call) -> Bounds {
        if let Some(said) = &self.all {
            let because = format!("every tool is trusted ({})", said.place);
            let free = Bounds::one(ruling(Decision::Allow, Basis::Mode(Some(said.level)), Some(&said.place), because));
            // A rule that denies binds where rules are read.
            let (capability, text) = asked(call);
            let denies = |rule: &&Rule| rule.effect == Effect::Deny && fits(rule, capability, &text) != Fit::No;
            return self.rules.iter().find(denies).map_or_else(|| free.clone(), |rule| free.clone().or(does(rule)));
        }
        let met = self.ruled(call);
        let met = self.trusting(call, met);
        match call {
            Call::Shell { command } => self.named(command, met),
            Call::Read { .. } | Call::Edit { .. } | Call::Fetch { .. } | Call::Mcp { .. } => met,
        }
    }

    /// What rules decide: the strictest that fits.
    fn ruled(&self, call: &Call) -> Bounds {
        let (capability, text) = asked(call);
        let fitting = |effect: Effect| -> Vec<(&Rule, Fit)> {
            let all = self.rules.iter().filter(|rule| rule.effect == effect);
            all.map(|rule| (rule, fits(rule, capability, &text))).filter(|(_, fit)| *fit != Fit::No).collect()
        };
        let mut met = built_in(call);
        for effect in [Effect::Allow, Effect::Ask, Effect::Deny] {
            for (rule, fit) in fitting(effect) {
                let one = does(rule);
                met = if fit == Fit::Sure && rule.sure { one } else { met.or(one) };
            }
        }
        met
    }

    /// What agents of one's own trust. Where it is not said which of them it works as, any may be.
    fn trusting(&self, call: &Call, met: Bounds) -> Bounds {
        let (capability, _) = asked(call);
        let names: Vec<String> = match call {
            Call::Mcp { server, tool } => vec![format!("@{server}"), format!("@{server}/{tool}")],
            Call::Shell { .. } | Call::Read { .. } | Call::Edit { .. } | Call::Fetch { .. } => {
                let known = TOOLS.iter().find(|(name, _)| *name == capability);
                known.map_or(&[][..], |(_, names)| names).iter().map(|name| (*name).to_owned()).collect()
            }
        };
        let is = |key: &str| {
            let builtin = matches!(key, "*" | "@builtin") && !matches!(call, Call::Mcp { .. });
            builtin || names.iter().any(|name| pattern::glob(key, name, true))
        };
        let found = |agent: &Profile| agent.trusted.iter().find(|(key, _)| is(key)).cloned();
        let mut met = met;
        for agent in &self.agents {
            let Some((key, said)) = found(agent) else { continue };
            let one = trusts(&shown(&key), &said, "is trusted", true);
            // One that is trusted by an option is trusted whichever agent it is.
            let here = agent.name.is_empty() || self.agent.as_ref() == Some(&agent.name);
            met = if here && !self.rules.iter().any(|rule| rule.effect != Effect::Allow) { one } else { met.or(one) };
        }
        met
    }

    /// What lists of commands let run.
    fn named(&self, command: &str, met: Bounds) -> Bounds {
        let mut met = met;
        for (text, said) in &self.trusted {
            let one = trusts(&bare(text), said, "is a trusted command", text == "*");
            if text == "*" {
                met = if self.rules.is_empty() { one } else { met.or(one) };
            } else if begins(text, command) {
                met = met.or(one);
            }
        }
        for (text, said) in self.agents.iter().flat_map(|agent| &agent.allowed) {
            // An expression, which is not read.
            let fixed: String = text.trim_start_matches('^').chars().take_while(|c| plain(*c)).collect();
            if begins(&fixed, command) {
                met = met.or(trusts(&bare(text), said, "may let it run", false));
            }
        }
        met
    }

    fn levers(&self) -> Vec<String> {
        let mut levers = self.own.clone();
        levers.push("starting it with `--trust-all-tools`, or as another agent".to_owned());
        levers
    }
}

const fn plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_')
}

/// The capability that a call takes, and what it is for.
fn asked(call: &Call) -> (&'static str, String) {
    match call {
        Call::Shell { command } => ("shell", command.clone()),
        Call::Read { path } => ("fs_read", path.clone()),
        Call::Edit { path } => ("fs_write", path.clone()),
        Call::Fetch { domain } => ("web_fetch", domain.clone()),
        Call::Mcp { server, tool } => ("mcp", format!("{server}/{tool}")),
    }
}

fn built_in(call: &Call) -> Bounds {
    let of = |decision, why: &str| Bounds::one(ruling(decision, Basis::BuiltIn, None, why.to_owned()));
    let asks = || of(Decision::Ask, "what no rule names is asked about");
    match call {
        Call::Shell { command } if READS.iter().any(|begin| command.trim().starts_with(begin)) => {
            asks().or(of(Decision::Allow, "some commands that only read are allowed"))
        }
        Call::Read { .. } => asks().or(of(Decision::Allow, "files of the workspace are read unasked")),
        // The editor writes by itself where its autopilot is on, which is not read.
        Call::Edit { .. } => asks().or(of(Decision::Allow, "its autopilot writes files unasked")),
        Call::Shell { .. } | Call::Fetch { .. } | Call::Mcp { .. } => asks(),
    }
}

/// Whether a rule fits. Patterns of paths, and lines of more than one command, are not judged here.
fn fits(rule: &Rule, capability: &str, text: &str) -> Fit {
    if rule.capability != capability && rule.capability != "all" {
        return Fit::No;
    }
    let every = |all: &[String]| all.iter().any(|one| matches!(one.as_str(), "*" | "**"));
    if every(&rule.spared) {
        return Fit::May;
    }
    let fit = if rule.wanted.is_empty() || every(&rule.wanted) {
        Fit::Sure
    } else if capability == "shell" || capability == "mcp" {
        let held = |one: &String| pattern::matches(one, text);
        // A rule that lets more than the first command of a line would have to fit each; one that does not may fit any.
        let within = |one: &String| match rule.effect {
            Effect::Allow => begins(one, text),
            Effect::Ask | Effect::Deny => one.split('*').all(|part| text.contains(part.trim())),
        };
        let single = !text.contains([';', '&', '|', '$', '`', '(', '<', '>', '\n']);
        match (rule.wanted.iter().any(held), rule.wanted.iter().any(within)) {
            (true, _) if single => Fit::Sure,
            (true, _) | (_, true) => Fit::May,
            (false, false) => Fit::No,
        }
    } else {
        Fit::May
    };
    if rule.spared.is_empty() { fit } else { fit.min(Fit::May) }
}

/// Whether a line begins with what a pattern is for, if not every command of it.
fn begins(wanted: &str, line: &str) -> bool {
    let fixed = wanted.split('*').next().unwrap_or(wanted).trim();
    if fixed.is_empty() {
        return pattern::matches(wanted, line);
    }
    let rest = line.trim().strip_prefix(fixed);
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
}

fn bare(text: &str) -> String {
    let text = shown(&format!("Bash({text})"));
    text.strip_prefix("Bash(").and_then(|text| text.strip_suffix(')')).unwrap_or("…").to_owned()
}

fn trusts(text: &str, said: &Said, why: &str, whole: bool) -> Bounds {
    let because = format!("`{text}` {why} ({})", said.place);
    let cited = Cited { effect: Effect::Allow, text: text.to_owned(), level: said.level, whole };
    Bounds::one(ruling(Decision::Allow, Basis::Rule(cited), Some(&said.place), because))
}

/// What a rule does.
fn does(rule: &Rule) -> Bounds {
    let wanted: Vec<String> = rule.wanted.iter().map(|one| bare(one)).collect();
    let text = format!("{} {}", shown(&rule.capability), wanted.join(" ")).trim_end().to_owned();
    let (decision, does) = match rule.effect {
        Effect::Allow => (Decision::Allow, "is allowed"),
        Effect::Ask => (Decision::Ask, "is asked about"),
        Effect::Deny => (Decision::Deny, "is denied"),
    };
    let because = format!("`{text}` {does} ({})", rule.said.place);
    let whole = rule.spared.is_empty() && (rule.wanted.is_empty() || rule.wanted.iter().any(|one| one == "*"));
    let cited = Cited { effect: rule.effect, text, level: rule.said.level, whole };
    let one: Ruling = ruling(decision, Basis::Rule(cited), Some(&rule.said.place), because);
    Bounds::one(one)
}

impl Gated for KiroPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let mut lets = Vec::new();
        let mut add = |spec: String, said: &Said| {
            lets.push(Lets { spec, shown: format!("what is let at {}", said.place) });
        };
        let shells = self.rules.iter().filter(|rule| matches!(rule.capability.as_str(), "shell" | "all"));
        for rule in shells.filter(|rule| rule.effect != Effect::Deny) {
            if rule.wanted.is_empty() {
                add("*".to_owned(), &rule.said);
            }
            rule.wanted.iter().for_each(|one| add(one.clone(), &rule.said));
        }
        for (text, said) in &self.trusted {
            add(text.clone(), said);
        }
        for (text, said) in self.agents.iter().flat_map(|agent| &agent.allowed) {
            let fixed: String = text.trim_start_matches('^').chars().take_while(|c| plain(*c)).collect();
            add(format!("{}*", fixed.trim_end()), said);
        }
        lets
    }

    fn more(&self) -> Vec<String> {
        // What stands behind the first command of a line may not be looked at.
        self.lets().into_iter().map(|lets| format!("{} && ./run", lets.spec.replace('*', "x"))).collect()
    }

    fn own(&self) -> Vec<String> {
        self.own.clone()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("be started with `--trust-all-tools`, or as another agent")];
        if met.worst.decision == Decision::Ask {
            steps.push(accepted("allow it for good, which the prompt offers"));
        }
        steps
    }

    fn fixed(&self, _: &Call, _: &GateDecision) -> bool {
        false
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let prefix = format!("{server}/");
        let rules = self.rules.iter().flat_map(|rule| &rule.wanted).filter_map(|one| one.strip_prefix(&prefix));
        rules.map(|tool| tool.replace('*', "x")).collect()
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst
            .place
            .as_ref()
            .map_or_else(|| self.own.first().cloned().unwrap_or_default(), |place| place.path.clone())
    }
}
