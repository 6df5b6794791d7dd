//! One call, one decision (floor 2).

use super::aws::{reads, services};
use super::line::{Line, taken};
use super::{Hook, Pattern, Profile, QPolicy, SETTINGS, Said, Tool, globs};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, any, ruling, unread};
use crate::gate::desk::accepted;
use crate::gate::expression::Fit;
use crate::gate::shown::shown;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Level, Place, Ruling};
use crate::model::{Decision, Override};

/// The agent that is built in.
const BUILT_IN: &str = "q_cli_default";

/// Lines that fetch a page.
const FETCHES: [&str; 5] =
    ["curl https://{}/", "curl -s https://{}/", "wget https://{}/", "wget -qO- https://{}/", "http https://{}/"];

/// What the gate does with a call.
fn decide(policy: &QPolicy, call: &Call) -> GateDecision {
    let agents = policy.active();
    let many = agents.len() > 1;
    let mut bounds = any(agents.iter().map(|agent| policy.of(agent, call)));
    let mut doubt = agents.iter().flat_map(|agent| &agent.hooks).next().map(hooked);
    let apart = |met: &Bounds| met.worst.decision != met.best.decision;
    if many && apart(&bounds) && agents.iter().all(|agent| !apart(&policy.of(agent, call))) {
        doubt = Some(Doubt {
            id: "agent".to_owned(),
            reason: GapReason::NotAsked,
            question: "which of its agents it is started with".to_owned(),
            settle: "`--started-as \"q chat --agent NAME\"`".to_owned(),
            place: bounds.worst.place.clone(),
        });
    }
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| {
        doubt.unwrap_or_else(|| Doubt {
            id: "pattern".to_owned(),
            reason: GapReason::Unsupported,
            question: "whether a pattern of the settings means this call".to_owned(),
            settle: "patterns that are plain".to_owned(),
            place: best.place.clone(),
        })
    });
    let overridable_by = if best.decision > Decision::Ask {
        Vec::new()
    } else {
        let mut levers = policy.own_files();
        levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| !levers.contains(path)));
        levers.push("starting it with another agent, or with `--trust-all-tools`".to_owned());
        levers
    };
    GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
}

fn hooked(hook: &Hook) -> Doubt {
    Doubt {
        id: "hook".to_owned(),
        reason: GapReason::NotAsked,
        question: "ask the hook".to_owned(),
        settle: "trying the call with it in place, or taking it out of the settings".to_owned(),
        place: Some(hook.said.place.clone()),
    }
}

/// An answer by a pattern.
fn by(decision: Decision, effect: Effect, pattern: &Pattern, why: &str) -> Ruling {
    let text = shown(&format!("Bash({})", pattern.text));
    let text = text.strip_prefix("Bash(").and_then(|text| text.strip_suffix(')')).unwrap_or("…").to_owned();
    let because = format!("`{text}` {why} ({})", pattern.said.place);
    let cited = Cited { effect, text, level: pattern.said.level, whole: pattern.text == ".*" };
    ruling(decision, Basis::Rule(cited), Some(&pattern.said.place), because)
}

/// An answer that a setting gives.
fn set(decision: Decision, said: &Said, why: &str) -> Ruling {
    ruling(decision, Basis::Mode(Some(said.level)), Some(&said.place), format!("{why} ({})", said.place))
}

fn asks(tool: &str) -> Bounds {
    Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, None, format!("the tool `{tool}` is asked about")))
}

/// The first pattern that surely fits, and the first that may.
fn fitting<'p>(all: &'p [Pattern], text: &str) -> (Option<&'p Pattern>, Option<&'p Pattern>) {
    let fits = |one: &&Pattern| one.expression.as_ref().is_some_and(|expression| expression.is_match(text));
    let open = |one: &&Pattern| one.expression.is_none();
    (all.iter().find(|one| !one.loose && fits(one)), all.iter().find(|one| open(one) || (one.loose && fits(one))))
}

/// What refusals, and then what lets, make of an answer.
fn listed(tool: &Tool, text: &str, trusted: Option<Ruling>, otherwise: Bounds) -> Bounds {
    let deny = |pattern| Bounds::one(by(Decision::Deny, Effect::Deny, pattern, "refuses it"));
    let (denied, maybe) = fitting(&tool.denied, text);
    if let Some(pattern) = denied {
        return deny(pattern);
    }
    let let_in = |pattern| Bounds::one(by(Decision::Allow, Effect::Allow, pattern, "lets it run"));
    let met = match trusted {
        Some(trusted) => Bounds::one(trusted),
        None => match fitting(&tool.allowed, text) {
            (Some(pattern), _) => let_in(pattern),
            (None, Some(pattern)) if pattern.expression.is_some() => let_in(pattern),
            (None, Some(pattern)) => otherwise.or(let_in(pattern)),
            (None, None) => otherwise,
        },
    };
    match maybe {
        Some(pattern) => met.or(deny(pattern)),
        None => met,
    }
}

/// A page that is fetched: it has no tool for that, and the shell has many, of which the session takes the freest.
fn fetched(agent: &Profile, domain: &str) -> Bounds {
    let lines = FETCHES.map(|line| line.replace("{}", domain));
    let all = lines.iter().map(|line| bash(agent, line)).reduce(Bounds::freer);
    let met = all.unwrap_or_else(|| asks("execute_bash"));
    // What is allowed may be a line that fetches and is none of these.
    let allowed = agent.tools.get("execute_bash").and_then(|tool| tool.allowed.first());
    match allowed {
        Some(pattern) => met.or(Bounds::one(by(Decision::Allow, Effect::Allow, pattern, "may let a page be fetched"))),
        None => met,
    }
}

impl QPolicy {
    /// The agents that a session may work as: one, where it is said how it was started.
    fn active(&self) -> Vec<Profile> {
        let named = |name: &str| -> Vec<&Profile> {
            let all: Vec<&Profile> = self.agents.iter().filter(|agent| agent.name == name).collect();
            let project = all.iter().any(|agent| agent.project);
            // Where that of the project may not be loaded, that of the user counts.
            let doubted = all.iter().any(|agent| agent.project && agent.doubted);
            all.into_iter().filter(|agent| agent.project == project || doubted).collect()
        };
        let built_in = || Profile { name: BUILT_IN.to_owned(), ..Profile::default() };
        let asked = self.launch.as_ref().and_then(|launch| launch.agent.as_deref());
        let chosen = asked.map(named).filter(|found| !found.is_empty());
        let usual = || self.default.as_deref().map(named).filter(|found| !found.is_empty());
        let mut found: Vec<Profile> = match chosen.or_else(usual) {
            Some(found) => found.into_iter().cloned().collect(),
            None => vec![built_in()],
        };
        if found.iter().any(|agent| agent.doubted) {
            found.push(built_in());
        }
        match &self.launch {
            Some(launch) => {
                for agent in &mut found {
                    let said = Said { place: launch.place.clone(), level: Level::User };
                    agent.trusted.extend(launch.trusted.iter().map(|tool| (tool.clone(), said.clone())));
                }
            }
            None => {
                let mut names: Vec<String> = found.iter().map(|agent| agent.name.clone()).collect();
                for agent in &self.agents {
                    if !names.contains(&agent.name) {
                        names.push(agent.name.clone());
                        found.extend(named(&agent.name).into_iter().cloned());
                    }
                }
            }
        }
        found
    }

    fn of(&self, agent: &Profile, call: &Call) -> Bounds {
        let met = self.by_tools(agent, call);
        let Some(place) = &self.delegate else { return met };
        let because =
            format!("it may hand the task to a session in which everything is trusted, with nobody asked ({place})");
        let free = ruling(Decision::Allow, Basis::Mode(Some(Level::User)), Some(place), because);
        met.freer(self.hooked(agent, "delegate", Bounds::one(free)))
    }

    fn by_tools(&self, agent: &Profile, call: &Call) -> Bounds {
        let all = self.launch.as_ref().filter(|launch| launch.all).map(|launch| &launch.place);
        let free = |met: Bounds| match all {
            Some(place) => {
                let because = format!("everything is trusted ({place})");
                let one = ruling(Decision::Allow, Basis::Mode(Some(Level::User)), Some(place), because);
                // A refusal stands above it.
                let over = |met: Ruling| if met.decision == Decision::Deny { met } else { one.clone() };
                Bounds { worst: over(met.worst), best: over(met.best) }
            }
            None => met,
        };
        match call {
            Call::Shell { command } => {
                let shell = self.hooked(agent, "execute_bash", free(bash(agent, command)));
                services(command).into_iter().fold(shell, |met, (named, sure)| {
                    let aws = free(aws(agent, &named, sure));
                    met.freer(self.hooked(agent, "use_aws", aws))
                })
            }
            Call::Read { path } => {
                let met = self.hooked(agent, "fs_read", free(self.read(agent, path)));
                let kept = trusted(agent, "knowledge", None).filter(|_| self.knowledge);
                match kept {
                    Some((_, one)) => met.or(Bounds::one(one)),
                    None => met,
                }
            }
            Call::Edit { path } => self.hooked(agent, "fs_write", free(self.write(agent, path))),
            Call::Fetch { domain } => {
                let met = free(fetched(agent, domain));
                self.hooked(agent, "execute_bash", met)
            }
            Call::Mcp { server, tool } => {
                let met = match trusted(agent, tool, Some(server)) {
                    Some((Fit::Sure, one)) => Bounds::one(one),
                    Some((_, one)) => asks(tool).or(Bounds::one(one)),
                    None => asks(tool),
                };
                self.hooked(agent, &format!("@{server}/{tool}"), free(met))
            }
        }
    }

    /// A hook may refuse what runs or is asked about, and never lets anything run.
    fn hooked(&self, agent: &Profile, tool: &str, met: Bounds) -> Bounds {
        let external = tool.starts_with('@');
        let means = |hook: &&Hook| match hook.matcher.as_deref() {
            None | Some("*") => true,
            Some("@builtin") => !external,
            Some(wanted) => {
                let server = external && tool.split('/').next() == Some(wanted);
                server || globs::name(wanted, tool) != Fit::No
            }
        };
        let Some(hook) = agent.hooks.iter().find(means) else { return met };
        let because =
            format!("the hook ({}) may refuse it, and it is not run to learn whether it does", hook.said.place);
        let best = ruling(Decision::Deny, Basis::Hook(hook.said.level), Some(&hook.said.place), because);
        met.or(Bounds::one(best))
    }

    fn read(&self, agent: &Profile, path: &str) -> Bounds {
        let none = Tool::default();
        let tool = agent.tools.get("fs_read").unwrap_or(&none);
        if let Some(said) = &tool.broken {
            return broken(said);
        }
        let full = self.ground.absolute(path);
        let root = self.ground.absolute(&self.ground.root);
        let inside = full == root || full.starts_with(&format!("{}/", root.trim_end_matches('/')));
        let otherwise = match &tool.reading {
            Some(said) => Bounds::one(set(Decision::Allow, said, "files may be read")),
            None if inside => {
                let because = "files of its folder may be read".to_owned();
                Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because))
            }
            None => asks("fs_read"),
        };
        over(agent, "fs_read", |trusted| listed(tool, &full, trusted, otherwise.clone()))
    }

    fn write(&self, agent: &Profile, path: &str) -> Bounds {
        let none = Tool::default();
        let tool = agent.tools.get("fs_write").unwrap_or(&none);
        if let Some(said) = &tool.broken {
            return broken(said);
        }
        let full = self.ground.absolute(path);
        over(agent, "fs_write", |trusted| listed(tool, &full, trusted, asks("fs_write")))
    }

    fn own_files(&self) -> Vec<String> {
        let mut all = vec![SETTINGS.to_owned()];
        all.extend(self.active().into_iter().filter_map(|agent| Some(agent.file?.path)));
        all
    }
}

fn broken(said: &Said) -> Bounds {
    let because = format!("what is set for the tool is not understood, and it asks ({})", said.place);
    Bounds::one(ruling(Decision::Ask, Basis::BuiltIn, Some(&said.place), because))
}

/// What an answer is with a tool trusted or not, or with either.
fn over(agent: &Profile, tool: &str, met: impl Fn(Option<Ruling>) -> Bounds) -> Bounds {
    match trusted(agent, tool, None) {
        Some((Fit::Sure, one)) => met(Some(one)),
        Some((_, one)) => met(None).or(met(Some(one))),
        None => met(None),
    }
}

/// What trusts a tool (`crates/chat-cli/src/util/tool_permission_checker.rs`).
fn trusted(agent: &Profile, tool: &str, server: Option<&str>) -> Option<(Fit, Ruling)> {
    let fit = |key: &str| match server {
        None => match key.strip_prefix("@builtin") {
            Some("" | "/" | "/*") => Fit::Sure,
            Some(rest) => rest.strip_prefix('/').map_or(Fit::No, |rest| globs::name(rest, tool)),
            None if key.starts_with('@') => Fit::No,
            None => globs::name(key, tool),
        },
        Some(server) if key.starts_with('@') => {
            let whole = globs::name(key, &format!("@{server}"));
            whole.max(globs::name(key, &format!("@{server}/{tool}")))
        }
        Some(_) => Fit::No,
    };
    let (key, said, fit) = agent
        .trusted
        .iter()
        .map(|(key, said)| (key, said, fit(key)))
        .filter(|(_, _, fit)| *fit != Fit::No)
        .max_by_key(|(_, _, fit)| *fit)?;
    let text = shown(key);
    let because = format!("`{text}` is trusted ({})", said.place);
    let cited = Cited { effect: Effect::Allow, text, level: said.level, whole: true };
    Some((fit, ruling(Decision::Allow, Basis::Rule(cited), Some(&said.place), because)))
}

fn bash(agent: &Profile, command: &str) -> Bounds {
    let none = Tool::default();
    let tool = agent.tools.get("execute_bash").unwrap_or(&none);
    if let Some(said) = &tool.broken {
        return broken(said);
    }
    let line = taken(command);
    let asked = match &tool.shut {
        Some(said) => Bounds::one(set(Decision::Deny, said, "what is not allowed is refused")),
        None => asks("execute_bash"),
    };
    let otherwise = match (line, &tool.reading) {
        (Line::Empty, _) => {
            Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, "there is nothing in it to run".to_owned()))
        }
        (Line::Reads, Some(said)) => Bounds::one(set(Decision::Allow, said, "commands that only read may run")),
        (Line::Odd | Line::Plain | Line::Reads, _) => asked,
    };
    // A line that is not plain asks whatever is allowed.
    let plain = Tool { allowed: if line == Line::Odd { Vec::new() } else { tool.allowed.clone() }, ..tool.clone() };
    over(agent, "execute_bash", |trusted| listed(&plain, command, trusted, otherwise.clone()))
}

/// The tool that runs AWS's client. What it takes for the service is a word that the caller may place elsewhere.
fn aws(agent: &Profile, named: &[String], sure: bool) -> Bounds {
    let none = Tool::default();
    let tool = agent.tools.get("use_aws").unwrap_or(&none);
    if let Some(said) = &tool.broken {
        return broken(said);
    }
    let one = |service: &str| {
        let of = |all: &[Pattern]| all.iter().find(|one| one.text == service).cloned();
        if let Some(pattern) = of(&tool.denied) {
            return Bounds::one(by(Decision::Deny, Effect::Deny, &pattern, "is a service that is refused"));
        }
        over(agent, "use_aws", |trusted| match (trusted, of(&tool.allowed)) {
            (Some(trusted), _) => Bounds::one(trusted),
            (None, Some(pattern)) => {
                Bounds::one(by(Decision::Allow, Effect::Allow, &pattern, "is a service that is let"))
            }
            (None, None) => match &tool.reading {
                Some(said) if sure && reads(named) => {
                    Bounds::one(set(Decision::Allow, said, "calls that only read are let"))
                }
                // An option in the service's place takes a word that only reads for its own, and what is named like
                // other options may be the call.
                Some(said) => {
                    let why = "only the word in the operation's place is looked at, and it may stand behind an option";
                    asks("use_aws").or(Bounds::one(set(Decision::Allow, said, why)))
                }
                None => asks("use_aws"),
            },
        })
    };
    let count = if sure { 1 } else { named.len() };
    let met = any(named.iter().take(count).map(|service| one(service)).chain(named.is_empty().then(|| one(""))));
    // In the service's place may stand an option, which no list names, and the service behind it.
    met.clone().or(met.freer(one("--debug")))
}

impl Gated for QPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        // It runs the client of AWS whatever is done with the shell.
        let mut lets = vec![Lets { spec: "aws *".to_owned(), shown: "its tool for AWS".to_owned() }];
        let mut add = |spec: String, place: &Place| lets.push(Lets { shown: format!("what is let at {place}"), spec });
        for agent in self.active() {
            for (key, said) in &agent.trusted {
                let alone =
                    Profile { trusted: std::iter::once((key.clone(), said.clone())).collect(), ..Profile::default() };
                for (tool, spec) in [("execute_bash", "*"), ("use_aws", "aws *")] {
                    if trusted(&alone, tool, None).is_some() {
                        add(spec.to_owned(), &said.place);
                    }
                }
            }
            for pattern in agent.tools.get("execute_bash").into_iter().flat_map(|tool| &tool.allowed) {
                add(spec(&pattern.text), &pattern.said.place);
            }
            if let Some(said) = agent.tools.get("use_aws").and_then(|tool| tool.reading.as_ref()) {
                add("aws *".to_owned(), &said.place);
            }
            for pattern in agent.tools.get("use_aws").into_iter().flat_map(|tool| &tool.allowed) {
                add(format!("aws {} *", pattern.text), &pattern.said.place);
            }
        }
        lets
    }

    fn more(&self) -> Vec<String> {
        // A pipe is none of the signs at which it asks, and an expression may stand for what is behind one.
        let agents = self.active();
        let tools = agents.iter().filter_map(|agent| agent.tools.get("execute_bash"));
        let open = tools.flat_map(|tool| &tool.allowed).filter_map(|one| one.text.strip_suffix(".*"));
        // The sign for anything stands for no more than a line of several, which is asked about where no refusal fits it.
        open.map(|text| format!("{text}x | ./run")).chain(["./run\n./run".to_owned()]).collect()
    }

    /// Exit 2 blocks, and any other warns (github.com/aws/amazon-q-developer-cli).
    fn hooks_fail_open(&self) -> Option<bool> {
        Some(true)
    }

    fn own(&self) -> Vec<String> {
        self.own_files()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("be started with another agent")];
        if met.worst.decision == Decision::Ask {
            steps.push(accepted("be started with `--trust-all-tools`"));
            steps.push(accepted("trust the tool for the session, which the prompt offers, or `/tools trust-all`"));
        }
        steps
    }

    fn fixed(&self, _: &Call, _: &GateDecision) -> bool {
        false
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let agents = self.active();
        let keys = agents.iter().flat_map(|agent| agent.trusted.keys()).filter_map(|key| key.split_once('/'));
        let mine = keys.filter(|(named, _)| globs::name(named, &format!("@{server}")) != Fit::No);
        // One that a pattern names stands for all of them.
        mine.map(|(_, tool)| tool.replace(['*', '?'], "x")).collect()
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.best.place.as_ref().map_or_else(|| SETTINGS.to_owned(), |place| place.path.clone())
    }
}

/// What an expression may let run, with `*` for anything.
fn spec(expression: &str) -> String {
    let plain =
        |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '/' | ':' | '=' | ',' | '~' | '@');
    let mut found: String = expression.chars().take_while(plain).collect();
    if found.len() == expression.len() {
        return found;
    }
    let rest = expression.get(found.len()..).unwrap_or_default();
    if rest.starts_with(['?', '*', '{', '+']) {
        found.pop();
    }
    // What stands on either side of a bar is not tied to both ends.
    if expression.contains('|') || !found.contains(' ') { "*".to_owned() } else { format!("{found}*") }
}
