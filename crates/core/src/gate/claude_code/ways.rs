//! The ways of a session, as the gate leaves them (floor 2).
//!
//! A gate sees the text of a command, and a script is not in it. So the shell is as free as the freest of the commands
//! that can carry anything, and a rule against one program stops nothing while another may run.

use std::collections::BTreeMap;

use super::decide::decide;
use super::step::{OWN, overrides};
use super::{ClaudePolicy, bash, mcp, sandbox, step};
use crate::fact::{Fact, GapReason};
use crate::gate::call::freest;
use crate::gate::desk::{Desk, Names, accepted};
use crate::gate::programs::{ANYTHING, CLIENTS, carried, client_reads, clients, disguised, may_destroy, only_shows};
use crate::gate::{Call, Doubt, Effect, GateDecision, McpServer};
use crate::id::{SessionId, WayId};
use crate::model::{Decision, Override, Source, Way, WayKind};
use crate::time::Time;

/// Turns a policy into the ways of a session, with a source for every reason.
pub(super) fn ways(
    policy: &ClaudePolicy,
    session: &SessionId,
    servers: &[McpServer],
    at: Time,
) -> (Vec<Way>, Vec<Source>) {
    let files = policy.files.iter().map(|(path, _)| path.clone()).collect();
    let mut writer = Writer { policy, names: Names::new(session, servers), desk: Desk::new(session, files, at) };
    let shell = general(policy);
    let mut ways = vec![writer.shell(&shell)];
    ways.extend(writer.files());
    ways.push(writer.fetch());
    ways.extend(writer.clients(&shell));
    ways.extend(servers.iter().map(|server| writer.server(server)));
    (ways, writer.desk.sources())
}

/// The way of one very call. What may change its answer is what may change that of calls like it, and one more: a shell
/// that is not this very command may edit the settings.
pub(super) fn this_call(
    policy: &ClaudePolicy,
    session: &SessionId,
    servers: &[McpServer],
    call: &Call,
    met: &GateDecision,
    at: Time,
) -> (Way, Vec<Source>) {
    let files = policy.files.iter().map(|(path, _)| path.clone()).collect();
    let (names, mut desk) = (Names::new(session, servers), Desk::new(session, files, at));
    let mut way = desk.this_call(&names, servers, call, met);
    let (like, _, _) = names.like(call);
    let shell = matches!(call, Call::Shell { .. });
    let mut steps = overrides(policy, &names, &met.best, &like);
    if !steps.is_empty() {
        steps.extend(names.edits(OWN, None));
    }
    steps.sort();
    steps.dedup();
    way.overrides = steps;
    if shell && met.contained != Some(false) {
        way.escapes = sandbox::escapes(policy, &names);
    }
    (way, desk.sources())
}

fn run(policy: &ClaudePolicy, command: &str) -> GateDecision {
    decide(policy, &Call::shell(command))
}

/// What a command meets that carries anything at all.
fn general(policy: &ClaudePolicy) -> GateDecision {
    let listed = ANYTHING.iter().map(|command| run(policy, command));
    let allowed = policy.rules.iter().filter(|rule| rule.effect == Effect::Allow && bash::tool(rule));
    let specs = allowed.filter_map(|rule| rule.spec.as_deref());
    let carried = specs.clone().flat_map(carried).map(|command| run(policy, &command));
    let met = freest(listed.chain(carried)).unwrap_or_else(|| run(policy, "./run"));
    let exact = specs.filter(|spec| !spec.contains('*') && may_destroy(spec));
    let exact = freest(exact.map(|command| run(policy, command)));
    exact.map_or_else(|| met.clone(), |exact| with_exact(met.clone(), exact))
}

/// What a rule allows to the letter is one call. Whether it is one that destroys, and what, is not told by its text.
fn with_exact(mut met: GateDecision, exact: GateDecision) -> GateDecision {
    if exact.worst.decision <= met.worst.decision {
        return met;
    }
    let place = exact.worst.place.clone();
    met.worst = exact.worst;
    met.doubt = Some(Doubt {
        id: "exact-rule".to_owned(),
        reason: GapReason::Unsupported,
        question: "what the call does that a rule allows to the letter".to_owned(),
        settle: "taking that rule away, so that a person is asked about the call".to_owned(),
        place,
    });
    met
}

struct Writer<'a> {
    policy: &'a ClaudePolicy,
    names: Names,
    desk: Desk<'a>,
}

impl Writer<'_> {
    fn shell(&mut self, met: &GateDecision) -> Way {
        let id = self.names.bash.clone();
        let mut way = self.way(id, WayKind::Shell, "Bash", &["*"], met);
        way.reads = true;
        way.contained = match sandbox::contained(self.policy) {
            Some(contained) => Fact::Known(contained),
            None => {
                Fact::Unknown(self.desk.gap("sandbox", GapReason::Unsupported, "what the sandbox lets through", None))
            }
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
        let met = decide(self.policy, &Call::Fetch { domain: "example.com".to_owned() });
        let id = self.names.fetch.clone();
        self.way(id, WayKind::Fetch, "WebFetch", &[], &met)
    }

    /// Clients that a rule lets run more freely than anything else.
    fn clients(&mut self, shell: &GateDecision) -> Vec<Way> {
        let mut found: BTreeMap<&str, GateDecision> = BTreeMap::new();
        let rules = self.policy.rules.iter().filter(|rule| rule.effect == Effect::Allow && bash::tool(rule));
        for rule in rules {
            let Some(spec) = rule.spec.as_deref().filter(|spec| !only_shows(fixed(spec))) else { continue };
            for (name, command) in clients(spec) {
                if found.get(name).is_some_and(|met| met.best.decision == Decision::Allow) {
                    continue;
                }
                let forms = disguised(&command);
                let Some(met) = freest(forms.iter().map(|form| run(self.policy, form))) else { continue };
                if met.worst.decision > shell.worst.decision || met.best.decision > shell.best.decision {
                    let joined = freest(found.remove(name).into_iter().chain([met]));
                    found.extend(joined.map(|met| (name, met)));
                }
            }
        }
        let mut ways = Vec::new();
        for (name, carries, kind) in CLIENTS {
            let Some(met) = found.get(name) else { continue };
            let id = self.names.client(name);
            let mut way = self.way(id, kind, name, carries, met);
            way.reads = client_reads(name, kind);
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
        let overrides = self.overrides(&met, &self.names.server(&server.name));
        Way { overrides, ..self.desk.server(&self.names, server, &met) }
    }

    fn way(&mut self, id: WayId, kind: WayKind, name: &str, carries: &[&str], met: &GateDecision) -> Way {
        let overrides = self.overrides(met, &id);
        Way { overrides, ..self.desk.way(id, kind, name, carries, met) }
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
}

/// What a pattern fixes in front of its first wildcard.
fn fixed(spec: &str) -> &str {
    spec.split('*').next().unwrap_or(spec).trim_end_matches(':')
}
