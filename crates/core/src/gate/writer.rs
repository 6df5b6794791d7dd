//! Writes the ways of a session from what its gate decides, for agents whose rules name commands by how they begin
//! (floor 2).
//!
//! As with every agent the shell is as free as the freest command that can carry anything.

use std::collections::BTreeMap;

use super::call::{Call, GateDecision, McpServer, freest};
use super::desk::{Desk, Names, accepted};
use super::programs::{ANYTHING, CARRIERS, CLIENTS, RUNNERS, carried, client_reads, clients, disguised, only_shows};
use super::shell::word;
use super::{GatePolicy, Note, Place};
use crate::fact::{Fact, GapReason};
use crate::id::{SessionId, WayId};
use crate::model::{Atom, Decision, Override, Refusal, Source, Way, WayKind};
use crate::time::Time;

/// A pattern for commands that something lets run unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lets {
    /// `*` stands for anything.
    pub(super) spec: String,
    /// As it is shown, with where it stands.
    pub(super) shown: String,
}

/// What was read of a gate, beside what it decides by.
pub(super) struct About<'a> {
    /// Settings that do not do what they seem to.
    pub(super) notes: &'a [Note],
    /// Where something is switched on that may bring ways of its own.
    pub(super) brings: Option<&'a Place>,
    /// The folder that the session starts in.
    pub(super) root: &'a str,
    /// The files that were read.
    pub(super) files: &'a [String],
}

/// A gate whose ways are written here.
pub(super) trait Gated: std::fmt::Debug {
    /// What it decides.
    fn met(&self, call: &Call) -> GateDecision;
    /// What was read of it.
    fn about(&self) -> About<'_>;
    /// What lets commands run unasked.
    fn lets(&self) -> Vec<Lets>;
    /// Commands that may carry anything and are met otherwise than plain ones.
    fn odd(&self) -> &'static [&'static str] {
        &[]
    }
    /// Command lines that carry anything behind what is let.
    fn more(&self) -> Vec<String> {
        Vec::new()
    }
    /// Whether a hook that fails, is missing or takes too long lets the call through, where that is known.
    fn hooks_fail_open(&self) -> Option<bool> {
        None
    }
    /// What some command line may meet that no command written here shows, if anything.
    fn most(&self) -> Option<GateDecision> {
        None
    }
    /// The files that the session may edit to be let.
    fn own(&self) -> Vec<String>;
    /// What a person may say or do that lets it run what is not let, as steps beside editing.
    fn words(&self, met: &GateDecision) -> Vec<Override>;
    /// Whether a decision is out of the session's power to change.
    fn fixed(&self, call: &Call, met: &GateDecision) -> bool;
    /// The tools of a server that a rule names.
    fn tools(&self, server: &str) -> Vec<String>;
    /// The file whose change lifts what hides another from the tool that reads.
    fn hides(&self, met: &GateDecision) -> String;
}

impl<T: Gated> GatePolicy for T {
    fn decide(&self, call: &Call) -> GateDecision {
        self.met(call)
    }

    fn ways(&self, session: &SessionId, servers: &[McpServer], at: Time) -> (Vec<Way>, Vec<Source>) {
        ways(self, session, servers, at)
    }

    fn way(
        &self,
        session: &SessionId,
        servers: &[McpServer],
        call: &Call,
        met: &GateDecision,
        at: Time,
    ) -> (Way, Vec<Source>) {
        this_call(self, session, servers, call, met, at)
    }

    fn refusals(&self, session: &SessionId, servers: &[McpServer], path: &str) -> Vec<Refusal> {
        refusals(self, session, servers, path)
    }

    fn notes(&self) -> &[Note] {
        self.about().notes
    }

    fn brings(&self) -> Option<&Place> {
        self.about().brings
    }

    fn hooks_fail_open(&self) -> Option<bool> {
        Gated::hooks_fail_open(self)
    }
}

/// The ways of a session, with a source for every reason.
fn ways(gated: &dyn Gated, session: &SessionId, servers: &[McpServer], at: Time) -> (Vec<Way>, Vec<Source>) {
    let names = Names::new(session, servers);
    let mut writer = Writer { gated, names, desk: Desk::new(session, gated.about().files.to_vec(), at) };
    let (shell, command) = writer.general();
    let mut ways = vec![writer.shell(&shell, &command)];
    ways.extend(writer.files());
    // Rules may speak of one of them.
    let page = |domain: &str| Call::Fetch { domain: domain.to_owned() };
    let (one, other) = (page("example.org"), page("example.com"));
    let freer = gated.met(&one).worst.decision > gated.met(&other).worst.decision;
    let fetch = if freer { &one } else { &other };
    let id = writer.names.fetch.clone();
    ways.push(writer.way(id, WayKind::Fetch, "Fetch", &[], fetch));
    ways.extend(writer.clients(&shell));
    ways.extend(servers.iter().map(|server| writer.server(server)));
    (ways, writer.desk.sources())
}

/// The way of one very call.
fn this_call(
    gated: &dyn Gated,
    session: &SessionId,
    servers: &[McpServer],
    call: &Call,
    met: &GateDecision,
    at: Time,
) -> (Way, Vec<Source>) {
    let names = Names::new(session, servers);
    let mut writer = Writer { gated, names, desk: Desk::new(session, gated.about().files.to_vec(), at) };
    let mut way = writer.desk.this_call(&writer.names, servers, call, met);
    let (like, _, _) = writer.names.like(call);
    let mut steps = writer.overrides(call, met, &like);
    if !steps.is_empty() {
        for file in gated.own() {
            steps.extend(writer.names.edits(&file, None));
        }
    }
    steps.sort();
    steps.dedup();
    way.managed &= steps.is_empty();
    way.overrides = steps;
    if matches!(call, Call::Shell { .. }) && met.contained != Some(false) {
        way.escapes = writer.escapes();
    }
    (way, writer.desk.sources())
}

/// The ways by which the session is refused a file, absolute or under `~`. Shell commands and servers still read it.
fn refusals(gated: &dyn Gated, session: &SessionId, servers: &[McpServer], path: &str) -> Vec<Refusal> {
    let names = Names::new(session, servers);
    let met = gated.met(&Call::Read { path: path.to_owned() });
    if met.worst.decision > Decision::Ask {
        return Vec::new();
    }
    let mut steps = names.edits(&gated.hides(&met), None);
    steps.sort();
    let because = format!("{}; a shell command such as `cat` may still read it", met.worst.because);
    vec![Refusal { way: names.read.clone(), because, overrides: steps }]
}

struct Writer<'a> {
    gated: &'a dyn Gated,
    names: Names,
    desk: Desk<'a>,
}

impl Writer<'_> {
    fn run(&self, command: &str) -> GateDecision {
        self.gated.met(&Call::shell(command))
    }

    /// What a command meets that carries anything at all, and one that meets it.
    fn general(&self) -> (GateDecision, String) {
        let lets = self.gated.lets();
        let listed = ANYTHING.iter().chain(self.gated.odd()).map(|command| (*command).to_owned());
        let carried = lets.iter().flat_map(|lets| carried(&lets.spec));
        let found = listed.chain(carried).chain(self.gated.more()).map(|command| (self.run(&command), command));
        let most = self.gated.most().map(|met| (met, "./run".to_owned()));
        let all: Vec<(GateDecision, String)> = found.chain(most).collect();
        // One command that no sandbox holds is enough.
        let open = all.iter().any(|(met, _)| met.contained == Some(false));
        let freest_of = all.iter().max_by_key(|(met, _)| (met.worst.decision, met.best.decision));
        let command = freest_of.map_or_else(|| "./run".to_owned(), |(_, command)| command.clone());
        let mut met = freest(all.into_iter().map(|(met, _)| met)).unwrap_or_else(|| self.run("./run"));
        met.contained = open.then_some(false);
        (met, command)
    }

    fn shell(&mut self, met: &GateDecision, command: &str) -> Way {
        let id = self.names.bash.clone();
        let mut way = self.met(id, WayKind::Shell, "Shell", &["*"], (&Call::shell(command), met));
        way.reads = true;
        way.contained = match met.contained {
            Some(contained) => Fact::Known(contained),
            None => {
                Fact::Unknown(self.desk.gap("sandbox", GapReason::Unsupported, "what the sandbox lets through", None))
            }
        };
        if met.contained != Some(false) {
            way.escapes = self.escapes();
        }
        way
    }

    fn escapes(&self) -> Vec<Override> {
        let mut steps = vec![accepted("accept the prompt to run it outside the sandbox")];
        for file in self.gated.own() {
            steps.extend(self.names.edits(&file, None));
        }
        steps
    }

    fn files(&mut self) -> Vec<Way> {
        let inside = format!("{}/file", self.gated.about().root);
        let (read, edit) = (Call::Read { path: inside.clone() }, Call::Edit { path: inside });
        let own = self.gated.own().into_iter().map(|path| Call::Edit { path });
        let own = own.map(|call| (self.gated.met(&call), call));
        let own = own.max_by_key(|(met, _)| (met.worst.decision, met.best.decision));
        let (read_id, shown_id) = (self.names.read.clone(), self.names.shown.clone());
        let (edit_id, own_id) = (self.names.edit.clone(), self.names.settings.clone());
        let mut read = self.way(read_id, WayKind::FileRead, "Read", &[], &read);
        read.reads = true;
        let shown = Call::shell("cat file");
        let mut shown = self.way(shown_id, WayKind::FileRead, "Shell, commands that only read", &[], &shown);
        shown.reads = true;
        let mut ways = vec![read, shown, self.way(edit_id, WayKind::FileWrite, "Edit", &[], &edit)];
        if let Some((met, call)) = own {
            ways.push(self.met(own_id, WayKind::FileWrite, "Edit, its own settings", &[], (&call, &met)));
        }
        ways
    }

    /// Clients that something lets run more freely than anything else.
    fn clients(&mut self, shell: &GateDecision) -> Vec<Way> {
        let mut found: BTreeMap<&str, (GateDecision, String)> = BTreeMap::new();
        for lets in self.gated.lets() {
            if only_shows(lets.spec.split('*').next().unwrap_or(&lets.spec)) {
                continue;
            }
            for (name, command) in clients(&lets.spec) {
                if found.get(name).is_some_and(|(met, _)| met.best.decision == Decision::Allow) {
                    continue;
                }
                for form in disguised(&command) {
                    let met = self.run(&form);
                    if met.worst.decision <= shell.worst.decision && met.best.decision <= shell.best.decision {
                        continue;
                    }
                    let before = found.remove(name);
                    let joined = match before {
                        Some((before, command)) if before.worst.decision >= met.worst.decision => {
                            freest([before, met]).map(|met| (met, command))
                        }
                        Some((before, _)) => freest([before, met]).map(|met| (met, form)),
                        None => Some((met, form)),
                    };
                    found.extend(joined.map(|joined| (name, joined)));
                }
            }
        }
        let mut ways = Vec::new();
        for (name, carries, kind) in CLIENTS {
            let Some((met, command)) = found.get(name) else { continue };
            let id = self.names.client(name);
            let mut way = self.met(id, kind, name, carries, (&Call::shell(command), met));
            way.reads = client_reads(name, kind);
            ways.push(way);
        }
        ways
    }

    fn server(&mut self, server: &McpServer) -> Way {
        let named = self.gated.tools(&server.name);
        let tools = server.tools.clone().unwrap_or_else(|| vec!["any_other_tool".to_owned()]);
        let call = |tool: String| Call::Mcp { server: server.name.clone(), tool };
        let calls: Vec<Call> = tools.into_iter().chain(named).map(call).collect();
        let met = freest(calls.iter().map(|call| self.gated.met(call)));
        let any = call("any_other_tool".to_owned());
        let met = met.unwrap_or_else(|| self.gated.met(&any));
        let mut way = self.desk.server(&self.names, server, &met);
        let steps: Vec<Vec<Override>> = calls.iter().map(|call| self.overrides(call, &met, &way.id)).collect();
        way.overrides = steps.into_iter().max_by_key(Vec::len).unwrap_or_else(|| self.overrides(&any, &met, &way.id));
        way.managed &= way.overrides.is_empty();
        way
    }

    fn way(&mut self, id: WayId, kind: WayKind, name: &str, carries: &[&str], call: &Call) -> Way {
        let met = self.gated.met(call);
        self.met(id, kind, name, carries, (call, &met))
    }

    fn met(&mut self, id: WayId, kind: WayKind, name: &str, carries: &[&str], of: (&Call, &GateDecision)) -> Way {
        let overrides = self.overrides(of.0, of.1, &id);
        let mut way = self.desk.way(id, kind, name, carries, of.1);
        way.managed &= overrides.is_empty();
        way.overrides = overrides;
        way
    }

    /// The steps that turn a deny or an ask into an allow.
    fn overrides(&self, call: &Call, met: &GateDecision, own: &WayId) -> Vec<Override> {
        if met.best.decision > Decision::Ask || self.gated.fixed(call, met) {
            return Vec::new();
        }
        let mut steps = self.gated.words(met);
        if *own == self.names.bash {
            for lets in self.gated.lets() {
                let program = word(&lets.spec).0;
                if RUNNERS.contains(&program) || CARRIERS.contains(&program) || program.contains('/') {
                    let because = format!("edit what is run by {}", lets.shown);
                    let needs = vec![Atom::Way(self.names.edit.clone())];
                    steps.push(Override { needs, because, sources: Vec::new() });
                }
            }
        }
        for file in self.gated.own() {
            steps.extend(self.names.edits(&file, Some(own)));
        }
        steps.sort();
        steps.dedup();
        steps
    }
}
