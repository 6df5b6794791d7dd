//! One agent on this machine: its settings in every folder, and what they come to.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::gate::{GATES, GatePolicy, Ground, McpServer, Place, gate, reliable};
use deadstop_core::id::{SessionId, SourceId};
use deadstop_core::model::reach::Outcome;
use deadstop_core::model::{Session, Source, Way};

use super::started::Started;
use super::{Discovered, Finder, Found, Where, join, roots};

/// How an agent is looked for.
#[derive(Default)]
pub(super) struct Launch<'a> {
    /// How it was started, if someone said so.
    pub(super) started: Option<&'a Started>,
    /// Whether it counts without a sign of it.
    pub(super) forced: bool,
}

/// Adds an agent, if there is a sign of it.
pub(super) fn discover(
    finder: &dyn Finder,
    place: &Where<'_>,
    servers: &[McpServer],
    found: &mut Discovered,
    launch: &Launch<'_>,
) {
    let Some(gate) = gate(finder.gate()).filter(|_| launch.forced || finder.present(place)) else { return };
    let id = SessionId::from(gate.id());
    let servers = mine(gate.id(), servers);
    let mut gaps: Vec<Gap> = Vec::new();
    let mut sources: Vec<Source> = Vec::new();
    let mut policies: Vec<Rc<dyn GatePolicy>> = Vec::new();
    let common = finder.common(place, &mut sources);
    let folders: Vec<PathBuf> = if place.roots.is_empty() {
        place.home.map(Path::to_path_buf).into_iter().collect()
    } else {
        place.roots.to_vec()
    };
    let mut merged: Vec<Way> = Vec::new();
    for root in &folders {
        let mut files = common.clone();
        files.extend(finder.own(place, root, &mut sources));
        gaps.extend(files.iter().filter_map(|file| file.text.gap().cloned()));
        if let Some(started) = launch.started {
            files = started.over(gate.id(), &root.display().to_string(), files);
        }
        let home = place.home.map(|home| home.display().to_string());
        let policy = gate.parse(&files, &Ground { home, root: root.display().to_string() });
        let policy = reliable(gate, policy);
        let (next, because) = policy.ways(&id, &servers, place.now);
        sources.extend(because);
        if let Some(from) = policy.brings() {
            let source = brought(&id, from, place);
            gaps.push(Gap { source: source.id.clone(), reason: GapReason::NotAsked });
            sources.push(source);
        }
        merged = if merged.is_empty() { next } else { join::ways(merged, next) };
        found.notes.extend(policy.notes().iter().map(|note| format!("{}: {}", note.place, note.text)));
        policies.push(policy.into());
    }
    sources.sort();
    sources.dedup_by(|a, b| a.id == b.id);
    gaps.sort();
    found.sessions.push(Session {
        id: id.clone(),
        key: gate.id().to_owned(),
        name: gate.name().to_owned(),
        agent: gate.agent(),
        machine: None,
        environment: None,
        roots: roots(place),
        reach: Fact::Known(Listed::Complete),
        ways: gaps.into_iter().next().map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        tally: None,
        sources: sources.iter().map(|source| source.id.clone()).collect(),
    });
    found.ways.extend(merged);
    found.sources.extend(sources);
    found.agents.push(Found { session: id, policies, servers });
}

/// What a plugin brings was not read: the servers among it may act for anyone.
fn brought(session: &SessionId, from: &Place, place: &Where<'_>) -> Source {
    Source {
        id: SourceId(format!("gate/{session}/plugins")),
        provider: None,
        operation: "which MCP servers plugins bring".to_owned(),
        scope: None,
        outcome: Outcome::Not(GapReason::NotAsked),
        at: place.now,
        run: None,
        excerpt: None,
        place: Some(from.to_string()),
        settle: Some(format!(
            "switching off what is switched on in {from}, or naming its servers in a file of the agent"
        )),
    }
}

/// The servers that an agent may call: those of its own files, and those of files that no agent is known to read.
fn mine(gate: &str, servers: &[McpServer]) -> Vec<McpServer> {
    let reads = |server: &McpServer| {
        let mut readers = GATES.iter().filter(|one| one.serves(&server.file)).peekable();
        readers.peek().is_none() || readers.any(|one| one.id() == gate)
    };
    servers.iter().filter(|server| reads(server)).cloned().collect()
}
