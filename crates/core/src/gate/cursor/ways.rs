//! The ways of a session, as the gate leaves them, and the files that it is not shown (floor 2).
//!
//! As with every agent the shell is as free as the freest command that can carry anything.

use std::collections::BTreeMap;

use super::decide::{decide, fixed};
use super::{CursorPolicy, Surface, Tool};
use crate::fact::{Fact, GapReason};
use crate::gate::call::freest;
use crate::gate::desk::{Desk, Names, accepted};
use crate::gate::programs::{
    ANYTHING, CARRIERS, CLIENTS, RUNNERS, carried, client_reads, clients, disguised, only_shows,
};
use crate::gate::shell::word;
use crate::gate::{Call, Effect, GateDecision, McpServer};
use crate::id::{SessionId, WayId};
use crate::model::{Atom, Decision, Override, Refusal, Source, Way, WayKind};
use crate::time::Time;

/// Turns a policy into the ways of a session, with a source for every reason.
pub(super) fn ways(
    policy: &CursorPolicy,
    session: &SessionId,
    servers: &[McpServer],
    at: Time,
) -> (Vec<Way>, Vec<Source>) {
    let names = Names::new(session, servers);
    let mut writer = Writer { policy, names, desk: Desk::new(session, policy.files.clone(), at) };
    let shell = general(policy);
    let mut ways = vec![writer.shell(&shell)];
    ways.extend(writer.files());
    let met = decide(policy, &Call::Fetch { domain: "example.com".to_owned() });
    let id = writer.names.fetch.clone();
    ways.push(writer.way(id, WayKind::Fetch, "Fetch", &[], &met));
    ways.extend(writer.clients(&shell));
    ways.extend(servers.iter().map(|server| writer.server(server)));
    (ways, writer.desk.sources())
}

/// The way of one very call.
pub(super) fn this_call(
    policy: &CursorPolicy,
    session: &SessionId,
    servers: &[McpServer],
    call: &Call,
    met: &GateDecision,
    at: Time,
) -> (Way, Vec<Source>) {
    let (names, mut desk) = (Names::new(session, servers), Desk::new(session, policy.files.clone(), at));
    let mut way = desk.this_call(&names, servers, call, met);
    let (like, _, _) = names.like(call);
    let mut steps = overrides(policy, &names, met, &like);
    if !steps.is_empty() {
        steps.extend(names.edits(policy.surface.own(), None));
    }
    steps.sort();
    steps.dedup();
    way.overrides = steps;
    if matches!(call, Call::Shell { .. }) && met.contained != Some(false) {
        way.escapes.push(accepted("accept the prompt to run it outside the sandbox"));
        way.escapes.extend(names.edits(".cursor/sandbox.json", None));
    }
    (way, desk.sources())
}

fn run(policy: &CursorPolicy, command: &str) -> GateDecision {
    decide(policy, &Call::shell(command))
}

/// What a command meets that carries anything at all.
fn general(policy: &CursorPolicy) -> GateDecision {
    let listed = ANYTHING.iter().map(|command| run(policy, command));
    let allowed = allowed(policy, Tool::Shell);
    let carried = allowed.iter().flat_map(|(spec, _)| carried(&sample(spec, "*"))).map(|command| run(policy, &command));
    // Whether every part of a chain has to be allowed is not documented, so one that is may bring anything along.
    let chained = allowed.iter().map(|(spec, _)| run(policy, &format!("{} && ./run", sample(spec, "x"))));
    let all: Vec<GateDecision> = listed.chain(carried).chain(chained).collect();
    // One command that no sandbox holds is enough.
    let open = all.iter().any(|met| met.contained == Some(false));
    let mut met = freest(all).unwrap_or_else(|| run(policy, "./run"));
    met.contained = open.then_some(false);
    met
}

/// The patterns that are allowed for a tool, as they stand and as they are shown.
fn allowed(policy: &CursorPolicy, tool: Tool) -> Vec<(String, String)> {
    let entries = policy.entries.iter().filter(|e| e.effect == Effect::Allow && e.tool == tool);
    entries.map(|entry| (entry.spec.clone(), format!("`{}`, which is allowed ({})", entry.text, entry.place))).collect()
}

/// A command that an entry names, with something in the place of what it leaves open.
fn sample(spec: &str, open: &str) -> String {
    let plain = spec.replacen(':', " ", 1).replace('*', open);
    if spec.contains([' ', ':']) { plain } else { format!("{plain} {open}") }
}

struct Writer<'a> {
    policy: &'a CursorPolicy,
    names: Names,
    desk: Desk<'a>,
}

impl Writer<'_> {
    fn shell(&mut self, met: &GateDecision) -> Way {
        let id = self.names.bash.clone();
        let mut way = self.way(id, WayKind::Shell, "Shell", &["*"], met);
        way.reads = true;
        way.contained = match met.contained {
            Some(contained) => Fact::Known(contained),
            None => {
                Fact::Unknown(self.desk.gap("sandbox", GapReason::Unsupported, "what the sandbox lets through", None))
            }
        };
        if met.contained.is_none() {
            way.escapes.push(accepted("accept the prompt to run it outside the sandbox"));
            way.escapes.extend(self.names.edits(".cursor/sandbox.json", None));
        }
        way
    }

    fn files(&mut self) -> Vec<Way> {
        let policy = self.policy;
        let inside = format!("{}/file", policy.ground.root);
        let read = decide(policy, &Call::Read { path: inside.clone() });
        let shown = run(policy, "cat file");
        let edit = decide(policy, &Call::Edit { path: inside });
        let own = decide(policy, &Call::Edit { path: format!("{}/{}", policy.ground.root, policy.surface.own()) });
        let (read_id, shown_id) = (self.names.read.clone(), self.names.shown.clone());
        let (edit_id, own_id) = (self.names.edit.clone(), self.names.settings.clone());
        let mut read = self.way(read_id, WayKind::FileRead, "Read", &[], &read);
        read.reads = true;
        let mut shown = self.way(shown_id, WayKind::FileRead, "Shell, commands that only read", &[], &shown);
        shown.reads = true;
        let edit = self.way(edit_id, WayKind::FileWrite, "Edit", &[], &edit);
        let own = self.way(own_id, WayKind::FileWrite, "Edit, its own settings", &[], &own);
        vec![read, shown, edit, own]
    }

    /// Clients that a list lets run more freely than anything else.
    fn clients(&mut self, shell: &GateDecision) -> Vec<Way> {
        let mut found: BTreeMap<&str, GateDecision> = BTreeMap::new();
        for (spec, _) in allowed(self.policy, Tool::Shell) {
            if only_shows(&spec.split('*').next().unwrap_or(&spec).replace(':', " ")) {
                continue;
            }
            for (name, command) in clients(&sample(&spec, "*")) {
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
            let mut way = self.way(self.names.client(name), kind, name, carries, met);
            way.reads = client_reads(name, kind);
            ways.push(way);
        }
        ways
    }

    fn server(&mut self, server: &McpServer) -> Way {
        let policy = self.policy;
        let prefix = format!("{}:", server.name);
        let named = allowed(policy, Tool::Mcp).into_iter();
        let named = named.filter_map(|(spec, _)| spec.strip_prefix(&prefix).map(|tool| tool.replace('*', "x")));
        let tools = server.tools.clone().unwrap_or_else(|| vec!["any_other_tool".to_owned()]);
        let call = |tool| decide(policy, &Call::Mcp { server: server.name.clone(), tool });
        let met = freest(tools.into_iter().chain(named).map(call)).unwrap_or_else(|| call("any_other_tool".to_owned()));
        let mut way = self.desk.server(&self.names, server, &met);
        way.overrides = overrides(policy, &self.names, &met, &way.id);
        way
    }

    fn way(&mut self, id: WayId, kind: WayKind, name: &str, carries: &[&str], met: &GateDecision) -> Way {
        let overrides = overrides(self.policy, &self.names, met, &id);
        let mut way = self.desk.way(id, kind, name, carries, met);
        way.overrides = overrides;
        way
    }
}

/// The steps that turn a deny or an ask into an allow.
fn overrides(policy: &CursorPolicy, names: &Names, met: &GateDecision, own: &WayId) -> Vec<Override> {
    let best = &met.best;
    if best.decision > Decision::Ask || fixed(best) {
        return Vec::new();
    }
    let mut steps = Vec::new();
    if *own == names.bash {
        for (spec, shown) in allowed(policy, Tool::Shell) {
            let command = sample(&spec, "x");
            let program = word(&command).0;
            if RUNNERS.contains(&program) || CARRIERS.contains(&program) || program.contains('/') {
                let because = format!("edit what is run by {shown}");
                steps.push(Override { needs: vec![Atom::Way(names.edit.clone())], because, sources: Vec::new() });
            }
        }
    }
    if best.decision == Decision::Ask {
        steps.push(accepted("accept \"add to allowlist\", which the prompt offers"));
    }
    let mode = match policy.surface {
        Surface::Editor => "be set to another run mode",
        Surface::Terminal => "be started with `--force`",
    };
    steps.push(accepted(mode));
    steps.extend(names.edits(policy.surface.own(), Some(own)));
    steps.sort();
    steps.dedup();
    steps
}

/// The ways by which the session is refused a file, absolute or under `~`. Shell commands and servers still read it.
pub(super) fn refusals(policy: &CursorPolicy, session: &SessionId, servers: &[McpServer], path: &str) -> Vec<Refusal> {
    let names = Names::new(session, servers);
    let met = decide(policy, &Call::Read { path: path.to_owned() });
    if met.worst.decision > Decision::Ask {
        return Vec::new();
    }
    let mut steps = names.edits(met.worst.place.as_ref().map_or(policy.surface.own(), |place| &place.path), None);
    steps.sort();
    let because = format!("{}; a shell command such as `cat` still reads it", met.worst.because);
    vec![Refusal { way: names.read.clone(), because, overrides: steps }]
}
