//! The ways of a session, as the gate leaves them (floor 2).
//!
//! A gate sees the text of a command, and a script is not in it. So the shell is as free as the freest of the commands
//! that can carry anything, and a rule against one program stops nothing while another may run.

use std::collections::BTreeMap;

use super::step::{Names, OWN, accepted, overrides};
use super::table::{ANYTHING, CARRIERS, CLIENTS, SHOWS};
use super::{
    Basis, Call, ClaudePolicy, Effect, GateDecision, McpServer, Rule, Ruling, bash, decide, mcp, sandbox, step,
};
use crate::fact::{Fact, Gap, GapReason};
use crate::gate::Level;
use crate::gate::shell::{word, words};
use crate::id::{SessionId, SourceId, WayId};
use crate::model::reach::Answered;
use crate::model::{Decision, Override, Source, Way, WayKind, reach::Outcome};
use crate::time::Time;

/// Turns a policy into the ways of a session, with a source for every reason.
#[must_use]
pub fn ways(policy: &ClaudePolicy, session: &SessionId, servers: &[McpServer], at: Time) -> (Vec<Way>, Vec<Source>) {
    let names = Names::new(session, servers);
    let mut desk = Desk { policy, session, names, at, sources: BTreeMap::new() };
    let shell = general(policy);
    let mut ways = vec![desk.shell(&shell)];
    ways.extend(desk.files());
    ways.push(desk.fetch());
    ways.extend(desk.clients(&shell));
    ways.extend(servers.iter().map(|server| desk.server(server)));
    (ways, desk.sources.into_values().collect())
}

fn run(policy: &ClaudePolicy, command: &str) -> GateDecision {
    decide(policy, &Call::Bash { command: command.to_owned() })
}

/// The freest answer over several calls, at its worst and at its best.
fn freest(decisions: impl IntoIterator<Item = GateDecision>) -> Option<GateDecision> {
    decisions.into_iter().reduce(|mut freest, next| {
        if next.best.decision > freest.best.decision {
            freest.best = next.best;
            freest.overridable_by = next.overridable_by;
        }
        if next.worst.decision > freest.worst.decision {
            freest.worst = next.worst;
            freest.doubt = next.doubt.or(freest.doubt);
        }
        freest
    })
}

/// What a command meets that carries anything at all.
fn general(policy: &ClaudePolicy) -> GateDecision {
    let listed = ANYTHING.iter().map(|command| run(policy, command));
    let allowed = policy.rules.iter().filter(|rule| rule.effect == Effect::Allow && bash::tool(rule));
    let carried = allowed.filter_map(carrier).map(|command| run(policy, &command));
    freest(listed.chain(carried)).unwrap_or_else(|| run(policy, "./run"))
}

/// A command that a rule with a wildcard lets run and that carries anything.
fn carrier(rule: &Rule) -> Option<String> {
    let spec = rule.spec.as_deref().filter(|spec| spec.contains('*'))?;
    let command = sample(spec);
    let (program, _) = word(&command);
    let program = program.rsplit('/').next().unwrap_or(program);
    CARRIERS.contains(&program).then_some(command)
}

/// A command that a rule's pattern covers.
fn sample(spec: &str) -> String {
    match spec.strip_suffix(":*") {
        Some(prefix) => format!("{} x", prefix.replace('*', "x")),
        None => spec.replace('*', "x"),
    }
}

struct Desk<'a> {
    policy: &'a ClaudePolicy,
    session: &'a SessionId,
    names: Names,
    at: Time,
    sources: BTreeMap<SourceId, Source>,
}

impl Desk<'_> {
    fn shell(&mut self, met: &GateDecision) -> Way {
        let id = self.names.bash.clone();
        let mut way = self.way(id, WayKind::Shell, "Bash", &["*"], met);
        way.reads = true;
        way.contained = match sandbox::contained(self.policy) {
            Some(contained) => Fact::Known(contained),
            None => Fact::Unknown(self.gap("sandbox", GapReason::Unsupported, "what the sandbox lets through", None)),
        };
        way.escapes = sandbox::escapes(self.policy, &self.names);
        way
    }

    fn files(&mut self) -> Vec<Way> {
        let policy = self.policy;
        let inside = format!("{}/file", policy.ground.root);
        let read = decide(policy, &Call::Read { path: inside.clone() });
        let shown = run(policy, "cat file");
        let edit = decide(policy, &Call::Edit { path: inside });
        let own = [format!("{}/{OWN}", policy.ground.root), format!("{}/.claude/settings.json", policy.ground.root)];
        let user = policy.ground.home.iter().map(|home| format!("{home}/.claude/settings.json"));
        let own = own.into_iter().chain(user).map(|path| decide(policy, &Call::Edit { path }));
        let own = freest(own).unwrap_or_else(|| edit.clone());
        let (read_id, shown_id) = (self.names.read.clone(), self.names.shown.clone());
        let (edit_id, own_id) = (self.names.edit.clone(), self.names.settings.clone());
        let mut read = self.way(read_id, WayKind::FileRead, "Read", &[], &read);
        read.reads = true;
        let mut shown = self.way(shown_id, WayKind::FileRead, "Bash, commands that only read", &[], &shown);
        shown.reads = true;
        let edit = self.way(edit_id, WayKind::FileWrite, "Edit", &[], &edit);
        let own = self.way(own_id, WayKind::FileWrite, "Edit, its own settings", &[], &own);
        vec![read, shown, edit, own]
    }

    fn fetch(&mut self) -> Way {
        let met = decide(self.policy, &Call::WebFetch { domain: "example.com".to_owned() });
        let id = self.names.fetch.clone();
        self.way(id, WayKind::Fetch, "WebFetch", &[], &met)
    }

    /// Clients that a rule lets run more freely than anything else.
    fn clients(&mut self, shell: &GateDecision) -> Vec<Way> {
        let mut found: BTreeMap<&str, GateDecision> = BTreeMap::new();
        let rules = self.policy.rules.iter().filter(|rule| rule.effect == Effect::Allow && bash::tool(rule));
        for rule in rules {
            let Some(spec) = rule.spec.as_deref() else { continue };
            let command = sample(spec);
            let program = word(&command).0;
            let Some((name, _, _)) = CLIENTS.iter().find(|(name, _, _)| *name == program) else { continue };
            let met = run(self.policy, &command);
            let freer = met.worst.decision > shell.worst.decision || met.best.decision > shell.best.decision;
            if freer && !only_shows(spec) {
                let joined = freest(found.remove(name).into_iter().chain([met]));
                found.extend(joined.map(|met| (*name, met)));
            }
        }
        let mut ways = Vec::new();
        for (name, carries, kind) in CLIENTS {
            let Some(met) = found.get(name) else { continue };
            let id = WayId(format!("{}/cli/{name}", self.session));
            let mut way = self.way(id, kind, name, carries, met);
            way.reads = kind != WayKind::Cli
                || matches!(name, "aws" | "awslocal" | "kubectl" | "oc" | "az" | "gcloud" | "gsutil");
            ways.push(way);
        }
        ways
    }

    fn server(&mut self, server: &McpServer) -> Way {
        let policy = self.policy;
        let prefix = mcp::name(&server.name, "");
        let named = policy.rules.iter().filter(|rule| rule.effect == Effect::Allow);
        let named = named.filter_map(|rule| rule.tool.strip_prefix(&prefix)).map(|tool| tool.replace('*', "x"));
        let tools = server.tools.clone().unwrap_or_else(|| vec!["any_other_tool".to_owned()]);
        let calls = tools.into_iter().chain(named).map(|tool| Call::Mcp { server: server.name.clone(), tool });
        let decisions: Vec<GateDecision> = calls.map(|call| decide(policy, &call)).collect();
        let tool = || Call::Mcp { server: server.name.clone(), tool: "any_other_tool".to_owned() };
        let met = freest(decisions).unwrap_or_else(|| decide(policy, &tool()));
        let id = self.names.servers.iter().find(|(name, _)| *name == server.name).map(|(_, id)| id.clone());
        let id = id.unwrap_or_else(|| WayId(format!("{}/mcp/{}", self.session, mcp::plain(&server.name))));
        let mut way = self.way(id, WayKind::Mcp, &format!("MCP server {}", server.name), &["*"], &met);
        way.holds.clone_from(&server.credentials);
        // What its tools show is not known, so a server that may be about files shows them.
        let about_files = ["file", "fs", "shell", "desktop", "commander", "terminal", "exec", "code", "git"];
        let lower = server.name.to_lowercase();
        way.reads = about_files.iter().any(|word| lower.contains(word));
        let place = server.line.map_or_else(|| server.file.clone(), |line| format!("{}:{line}", server.file));
        way.sources.push(self.source(&server.file, Some(place), None));
        way.sources.sort();
        way
    }

    fn way(&mut self, id: WayId, kind: WayKind, name: &str, carries: &[&str], met: &GateDecision) -> Way {
        let mut sources = Vec::new();
        for ruling in [&met.worst, &met.best] {
            if let Some(place) = &ruling.place {
                let rule = if let Basis::Rule(rule) = &ruling.basis { Some(rule.text.clone()) } else { None };
                sources.push(self.source(&place.path, Some(place.to_string()), rule));
            }
        }
        if sources.is_empty() {
            let files = self.policy.files.clone();
            sources.extend(files.iter().map(|(path, _)| self.source(path, None, None)));
        }
        let decision = self.decision(met);
        sources.extend(decision.gap().map(|gap| gap.source.clone()));
        sources.sort();
        sources.dedup();
        Way {
            overrides: self.overrides(met, &id),
            id,
            session: Some(self.session.clone()),
            kind,
            name: name.to_owned(),
            carries: carries.iter().map(|carried| (*carried).to_owned()).collect(),
            reads: false,
            decision,
            contained: Fact::Known(false),
            escapes: Vec::new(),
            holds: Vec::new(),
            acts_as: Vec::new(),
            needs: Vec::new(),
            managed: managed(&met.worst),
            rule: met.rule().map(str::to_owned),
            because: because(met),
            sources,
        }
    }

    fn decision(&mut self, met: &GateDecision) -> Fact<Decision> {
        match (met.known(), &met.doubt) {
            (Some(decision), _) => Fact::Known(decision),
            (None, Some(doubt)) => {
                let place = doubt.place.as_ref().map(ToString::to_string);
                let mut gap = self.gap(&doubt.id, doubt.reason, &doubt.question, place);
                if let Some(source) = self.sources.get_mut(&gap.source) {
                    source.settle = Some(doubt.settle.clone());
                }
                gap.reason = doubt.reason;
                Fact::Unknown(gap)
            }
            (None, None) => Fact::Unknown(self.gap("gate", GapReason::Unsupported, "what the gate decides", None)),
        }
    }

    fn overrides(&self, met: &GateDecision, id: &WayId) -> Vec<Override> {
        let mut steps = overrides(self.policy, &self.names, &met.best, id);
        let asked = met.best.decision == Decision::Ask && !step::fixed(self.policy, &met.best, false);
        if *id == self.names.settings && asked {
            steps.insert(0, accepted("accept the edit, which the prompt offers for the rest of the session"));
        }
        steps.sort();
        steps.dedup();
        steps
    }

    fn source(&mut self, path: &str, place: Option<String>, rule: Option<String>) -> SourceId {
        let id = SourceId(format!("gate/{}/{}", self.session, place.as_deref().unwrap_or(path)));
        let source = self.sources.entry(id.clone()).or_insert_with(|| Source {
            id: id.clone(),
            provider: None,
            operation: format!("read {path}"),
            scope: None,
            outcome: Outcome::Answered(Answered::Answered),
            at: self.at,
            run: None,
            excerpt: None,
            place,
            settle: None,
        });
        source.excerpt = source.excerpt.take().or(rule);
        id
    }

    fn gap(&mut self, name: &str, reason: GapReason, question: &str, place: Option<String>) -> Gap {
        let id = SourceId(format!("gate/{}/{name}", self.session));
        self.sources.entry(id.clone()).or_insert_with(|| Source {
            id: id.clone(),
            provider: None,
            operation: question.to_owned(),
            scope: None,
            outcome: Outcome::Not(reason),
            at: self.at,
            run: None,
            excerpt: None,
            place,
            settle: None,
        });
        Gap { source: id, reason }
    }
}

fn managed(ruling: &Ruling) -> bool {
    match &ruling.basis {
        Basis::Rule(rule) => rule.level == Level::Managed,
        Basis::Mode(level) => *level == Some(Level::Managed),
        Basis::Hook(level) => *level == Level::Managed,
        Basis::BuiltIn | Basis::Unread => false,
    }
}

fn because(met: &GateDecision) -> String {
    if met.known().is_some() || met.worst.because == met.best.because {
        return met.worst.because.clone();
    }
    format!("at worst {}; at best {}", met.worst.because, met.best.because)
}

/// Whether what a pattern covers only shows something: one of the fixed words in front of its first wildcard says so.
fn only_shows(spec: &str) -> bool {
    let fixed = spec.split('*').next().unwrap_or(spec).trim_end_matches(':');
    words(fixed).iter().skip(1).any(|word| SHOWS.contains(word))
}
