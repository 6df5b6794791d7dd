//! What an agent's own approval gate does with a call: settings text in, decisions out (floor 2).
//!
//! Nothing here reads a file or runs a hook. What the agent's documentation does not say stays open between two
//! decisions, and never becomes a refusal.

pub mod aider;
pub mod amazonq;
pub mod amp;
mod bounds;
mod call;
pub mod claude_code;
pub mod cline;
pub mod codex;
pub mod continue_cli;
pub mod copilot;
pub mod crush;
pub mod cursor;
mod desk;
pub mod droid;
mod expression;
pub mod gemini;
pub mod goose;
mod ignore;
pub mod junie;
pub mod kiro;
mod listed;
mod nodes;
pub mod opencode;
mod pattern;
mod programs;
pub mod qwen;
pub mod roo;
pub mod shell;
mod shown;
mod tally;
mod tree;
mod unsettled;
pub mod vscode;
pub mod warp;
mod weak;
pub mod windsurf;
mod writer;
pub mod zed;

use crate::fact::Fact;
use crate::id::SessionId;
use crate::model::{Agent, Refusal, Source, Way};
use crate::time::Time;

pub use call::{Basis, Call, Cited, Doubt, Effect, GateDecision, McpServer, Ruling};
pub use desk::{THIS_CALL, plain_name};
pub use tally::{decide_in, tally, ungated};
pub use unsettled::reliable;

/// One agent's approval gate. Pure: text in, decisions out.
pub trait AgentGate: Sync {
    /// The name of its sessions, and of the folder of its cases.
    fn id(&self) -> &'static str;
    /// Which agent it is.
    fn agent(&self) -> Agent;
    /// What the agent is called.
    fn name(&self) -> &'static str;
    /// The files that it reads, each with a short name, whose it is, and where it lies for a session in `.`.
    fn files(&self) -> &'static [GateFile];
    /// Whether the MCP servers that a file names are this agent's.
    fn serves(&self, file: &str) -> bool;
    /// Whether what is known of it may be relied on to stop a call. One that was not held against the agent itself is not.
    fn is_settled(&self) -> bool {
        true
    }
    /// What the files say together. What cannot be understood is kept as a doubt.
    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy>;
}

/// The settings of one agent in one folder, understood.
pub trait GatePolicy: std::fmt::Debug {
    /// What the gate does with a call.
    fn decide(&self, call: &Call) -> GateDecision;
    /// The ways of a session, with a source for every reason.
    fn ways(&self, session: &SessionId, servers: &[McpServer], at: Time) -> (Vec<Way>, Vec<Source>);
    /// The way by which one very call goes, given what the gate decides on it, with a source for every reason. It carries
    /// nothing else.
    fn way(
        &self,
        session: &SessionId,
        servers: &[McpServer],
        call: &Call,
        met: &GateDecision,
        at: Time,
    ) -> (Way, Vec<Source>);
    /// The ways by which a session is refused a file, absolute or under `~`.
    fn refusals(&self, session: &SessionId, servers: &[McpServer], path: &str) -> Vec<Refusal>;
    /// Settings that do not do what they seem to.
    fn notes(&self) -> &[Note];
    /// Where something is switched on that may bring ways of its own, such as a plugin with MCP servers: they are not
    /// among [`GatePolicy::ways`].
    fn brings(&self) -> Option<&Place> {
        None
    }
    /// Whether a hook that fails, is missing or takes too long lets the call through, where that is known.
    fn hooks_fail_open(&self) -> Option<bool> {
        None
    }
}

/// Every gate that is known. Adding one is adding a line.
pub const GATES: [&dyn AgentGate; 25] = [
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

/// The most rules of one file that are weighed. Every rule is held against every other, so a file of more, which nobody
/// writes, is one that was not read.
const MOST_RULES: usize = 2_000;

/// The gate of that id.
#[must_use]
pub fn gate(id: &str) -> Option<&'static dyn AgentGate> {
    GATES.into_iter().find(|gate| gate.id() == id)
}

/// A file that a gate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateFile {
    /// What it is called in the gate's cases.
    pub name: &'static str,
    /// Whose settings it holds.
    pub level: Level,
    /// Where it lies, as it is shown.
    pub path: &'static str,
}

/// Where a session stands, for rules that name paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// The user's home, as an absolute path.
    pub home: Option<String>,
    /// The folder that the session starts in, as an absolute path.
    pub root: String,
}

impl Ground {
    /// A path without `~`, `.` and `..`, from the session's folder.
    fn absolute(&self, path: &str) -> String {
        let home = self.home.as_deref().unwrap_or("~");
        let full = match path.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
            _ if path.starts_with('/') => path.to_owned(),
            Some(_) | None => format!("{}/{path}", self.root),
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in full.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                _ => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    }
}

/// Something in the settings that does not do what it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub place: Place,
    /// What, in a sentence.
    pub text: String,
}

/// Whose settings a file holds, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What the agent remembers by itself: trust in folders, servers added by hand.
    State,
    /// The user's settings for every project.
    User,
    /// The project's settings, shared with everyone who has the repository.
    Project,
    /// The user's settings for this project.
    Local,
    /// Settings that an administrator put there.
    Managed,
}

/// A settings file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    /// Whose settings it holds.
    pub level: Level,
    /// Where it lies, as it is shown.
    pub path: String,
    /// What it says, or why that is not known. A file that is not there is left out.
    pub text: Fact<String>,
    /// Whether the session's own user may write it. A managed file that the user may write binds nobody.
    pub writable: bool,
}

/// A line in a settings file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The line, from 1, if it was found.
    pub line: Option<u64>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.path),
            None => f.write_str(&self.path),
        }
    }
}
