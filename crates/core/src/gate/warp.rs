//! The gate of Warp's agent, in its terminal and on its command line (floor 2).
//!
//! This follows its documentation (docs.warp.dev, 2026; `agents/capabilities/agent-profiles-permissions`,
//! `agents/cli/permissions-and-profiles`, `terminal/settings`). A profile says of commands, edits, reading and servers whether a
//! person is always asked, never, or when the agent decides so. Expressions name commands that run unasked, and others, whole as
//! well, that are asked about even where nothing else is. The terminal and the command line have a settings file each; profiles of
//! the terminal may instead lie with the account, and a team's settings stand above both, so that nothing it would ask about is
//! relied on. Whoever sits before it may pick another profile, or let one task run to its end.

mod decide;
mod settings;

use regex::Regex;

use crate::fact::GapReason;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Warp.
#[derive(Clone, Copy, Debug)]
pub struct Warp;

impl AgentGate for Warp {
    fn id(&self) -> &'static str {
        "warp"
    }

    fn agent(&self) -> Agent {
        Agent::Warp
    }

    fn name(&self) -> &'static str {
        "Warp"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        // It reads the servers of some other agents as well (`app/src/ai/mcp/mod.rs` of its source).
        [".mcp.json", ".claude.json", ".codex/config.toml"].iter().any(|name| file.ends_with(name))
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where the settings of the terminal lie.
const SETTINGS: &str = "~/.config/warp-terminal/settings.toml";

const FILES: [GateFile; 3] = [
    GateFile { name: "terminal", level: Level::User, path: SETTINGS },
    GateFile { name: "cli", level: Level::User, path: "~/.config/warp-terminal/cli/settings.toml" },
    GateFile { name: "started", level: Level::Local, path: "--started-as" },
];

/// Which of its programs a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Program {
    /// The terminal.
    Terminal,
    /// The agent on the command line.
    Cli,
    /// The older command line, with nobody to ask.
    Oz,
}

/// Whether a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Always,
    AgentDecides,
    Never,
}

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said<T> {
    value: T,
    place: Place,
}

/// An expression that is held against a whole command.
#[derive(Clone, Debug)]
struct Listed {
    text: String,
    expression: Regex,
    place: Place,
}

/// What one profile says.
#[derive(Clone, Debug)]
struct Profile {
    program: Program,
    commands: Said<Asks>,
    edits: Said<Asks>,
    reads: Said<Asks>,
    servers: Said<Asks>,
    allowed: Vec<Listed>,
    /// What is asked about; nothing where the list that it brings counts.
    denied: Option<Vec<Listed>>,
    /// Whether folders are named that are read unasked.
    folders: bool,
    /// Whether servers are named that are called unasked, and some that are asked about.
    servers_let: bool,
    servers_asked: bool,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct WarpPolicy {
    ground: Ground,
    profiles: Vec<Profile>,
    /// The programs that it may be.
    programs: Vec<Program>,
    /// Whether it was started so that everything runs.
    all: Option<Place>,
    /// Whether it was started with a profile that is not read.
    named: Option<Place>,
    /// Its own files, as they are shown.
    own: Vec<String>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
