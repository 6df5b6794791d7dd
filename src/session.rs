//! Finds the sessions of this machine: who can act here without a person, and by which ways.
//!
//! It reads settings files, looks whether a database of an agent holds an account, and reads nothing else. It follows no link at the end of a path, and runs nothing that it finds.

mod agent;
mod aider;
mod amazonq;
mod amp;
mod ask;
mod claude_code;
mod cline;
mod codex;
mod continue_cli;
mod copilot;
mod crush;
mod cursor;
mod definitions;
mod droid;
mod gemini;
mod goose;
mod join;
mod junie;
mod kiro;
mod opencode;
pub mod programs;
mod qwen;
mod read;
mod roo;
pub mod started;
mod vscode;
mod warp;
mod windsurf;
mod zed;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::gate::{self, FileText, GatePolicy, McpServer};
use deadstop_core::id::{SessionId, WayId};
use deadstop_core::model::{Agent, Decision, Refusal, Session, Source, Way, WayKind};
use deadstop_core::time::Time;

pub use ask::{Asked, discover_as};

/// Where one agent keeps its settings on a machine.
trait Finder: Sync {
    /// The gate that understands them.
    fn gate(&self) -> &'static str;
    /// Whether there is a sign of the agent.
    fn present(&self, place: &Where<'_>) -> bool;
    /// The files that hold for every folder, the stronger first within a level.
    fn common(&self, place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText>;
    /// The files of one folder.
    fn own(&self, place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText>;
}

/// Every agent that is looked for. Adding one is adding a line.
const FINDERS: [&dyn Finder; 25] = [
    &claude_code::ClaudeCode,
    &cursor::Cursor,
    &cursor::CursorCli,
    &codex::Codex,
    &gemini::Gemini,
    &opencode::OpenCode,
    &copilot::CopilotCli,
    &vscode::VsCode,
    &cline::Cline,
    &cline::ClineCli,
    &roo::Roo,
    &roo::RooCli,
    &crush::Crush,
    &qwen::Qwen,
    &amazonq::AmazonQ,
    &continue_cli::ContinueCli,
    &goose::Goose,
    &zed::Zed,
    &aider::Aider,
    &kiro::Kiro,
    &droid::Droid,
    &amp::Amp,
    &windsurf::Windsurf,
    &warp::Warp,
    &junie::Junie,
];

/// Where sessions are looked for.
#[derive(Clone, Debug)]
pub struct Where<'a> {
    /// The user's home.
    pub home: Option<&'a Path>,
    /// The folders that sessions start in.
    pub roots: &'a [PathBuf],
    /// The environment of the user.
    pub env: &'a BTreeMap<String, String>,
    /// The folder that `etc` lies in, where administrators put their settings; `/` unless a test says otherwise.
    pub system: &'a Path,
    /// When this is.
    pub now: Time,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Discovered {
    /// The sessions. That they reach all they can read is taken for granted here; the caller replaces it.
    pub sessions: Vec<Session>,
    /// Their ways.
    pub ways: Vec<Way>,
    /// What these rest on.
    pub sources: Vec<Source>,
    /// What is worth saying about the settings.
    pub notes: Vec<String>,
    /// What each agent was found to do, for asking it about files.
    agents: Vec<Found>,
}

/// The gates of one agent, and the servers that its ways were made with.
#[derive(Clone, Debug)]
struct Found {
    session: SessionId,
    /// One for each folder.
    policies: Vec<Rc<dyn GatePolicy>>,
    servers: Vec<McpServer>,
}

impl Discovered {
    /// Asks every gate about the built-in corpus of destructive calls, and writes the decisions to its session.
    pub fn tally(&mut self) {
        for session in &mut self.sessions {
            session.tally = match self.agents.iter().find(|agent| agent.session == session.id) {
                None => (session.agent == Agent::Plain).then(gate::ungated),
                Some(agent) => {
                    let policies: Vec<&dyn GatePolicy> = agent.policies.iter().map(AsRef::as_ref).collect();
                    gate::tally(&policies)
                }
            };
        }
    }

    /// The ways by which sessions are refused a file. One that any of the folders leaves open is open.
    #[must_use]
    pub fn refusals(&self, path: &str) -> Vec<Refusal> {
        self.agents
            .iter()
            .flat_map(|agent| {
                let refused = agent.policies.iter().map(|one| one.refusals(&agent.session, &agent.servers, path));
                join::refusals(refused)
            })
            .collect()
    }
}

/// Looks for the sessions of this machine.
///
/// `servers` are the MCP servers that its files name, with the credentials that they hold.
#[must_use]
pub fn discover(place: &Where<'_>, servers: &[McpServer]) -> Discovered {
    let mut found = Discovered::default();
    let (session, way) = plain(place);
    found.sessions.push(session);
    found.ways.push(way);
    for finder in FINDERS {
        agent::discover(finder, place, servers, &mut found, &agent::Launch::default());
    }
    found.notes.sort();
    found.notes.dedup();
    found
}

/// Any program of the user: it has no gate.
fn plain(place: &Where<'_>) -> (Session, Way) {
    let id = SessionId::from("plain");
    let session = Session {
        id: id.clone(),
        key: "plain".to_owned(),
        name: "any program of this user".to_owned(),
        agent: Agent::Plain,
        machine: None,
        environment: None,
        roots: roots(place),
        reach: Fact::Known(Listed::Complete),
        ways: Fact::Known(Listed::Complete),
        tally: None,
        sources: Vec::new(),
    };
    let way = Way {
        id: WayId::from("plain/program"),
        session: Some(id),
        kind: WayKind::Program,
        name: "any program".to_owned(),
        carries: vec!["*".to_owned()],
        reads: true,
        decision: Fact::Known(Decision::Allow),
        overrides: Vec::new(),
        contained: Fact::Known(false),
        escapes: Vec::new(),
        holds: Vec::new(),
        acts_as: Vec::new(),
        needs: Vec::new(),
        managed: false,
        rule: None,
        because: "a program of this user runs with nothing in between".to_owned(),
        approval: None,
        sources: Vec::new(),
    };
    (session, way)
}

fn roots(place: &Where<'_>) -> Vec<String> {
    place.roots.iter().map(|root| read::shown(root, place.home)).collect()
}

#[cfg(test)]
mod tests;
