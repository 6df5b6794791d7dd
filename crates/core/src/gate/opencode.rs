//! The gate of OpenCode (floor 2).
//!
//! It follows the package `opencode-linux-x64` 1.18.34 (November 2026), whose program holds its source, and
//! opencode.ai/docs/permissions. Rules of all files become one list for each of its agents, and of the rules that match
//! the last one has the word; a command line is parsed, and every command in it is asked about for itself. What a
//! plugin answers, and what an agent described in a file of its own may do, is answered at its worst and at its best.

mod decide;
mod gated;
mod hidden;
mod rules;
mod settings;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of OpenCode.
#[derive(Clone, Copy, Debug)]
pub struct OpenCode;

impl AgentGate for OpenCode {
    fn id(&self) -> &'static str {
        "opencode"
    }

    fn agent(&self) -> Agent {
        Agent::OpenCode
    }

    fn name(&self) -> &'static str {
        "OpenCode"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        let name = file.rsplit('/').next().unwrap_or(file);
        matches!(name, "opencode.json" | "opencode.jsonc") || file.ends_with("/opencode/config.json")
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

const FILES: [GateFile; 6] = [
    GateFile { name: "user", level: Level::User, path: "~/.config/opencode/opencode.json" },
    GateFile { name: "project", level: Level::Project, path: "opencode.json" },
    GateFile { name: "folder", level: Level::Local, path: ".opencode/opencode.json" },
    GateFile { name: "agent", level: Level::Local, path: ".opencode/agent/mine.md" },
    GateFile { name: "plugin", level: Level::Local, path: ".opencode/plugin/mine.ts" },
    GateFile { name: "managed", level: Level::Managed, path: "/etc/opencode/opencode.json" },
];

/// A server that settings switch off.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Off {
    server: String,
    place: Place,
    level: Level,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct OpenCodePolicy {
    ground: Ground,
    /// The agent that it starts with first, then those that it may hand work to.
    agents: Vec<rules::Agent>,
    odd: Vec<Odd>,
    off: Vec<Off>,
    /// Files that were not read, with the reason.
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
    /// The first plugin or tool of the user's own.
    plugin: Option<Place>,
}

#[cfg(test)]
mod tests;
