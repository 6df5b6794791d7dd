//! The gate of the Continue CLI, `cn` (floor 2).
//!
//! It follows the source of continuedev/continue at d0a3c0b6 (June 2026): `extensions/cli/src/permissions`,
//! `extensions/cli/src/services/ToolPermissionService.ts`, `extensions/cli/src/tools` and `packages/terminal-security`. The first
//! rule that fits decides: those of the command line, then those of `permissions.yaml`, then the built-in ones, and of each the
//! ones that exclude first. Without a person at the terminal what is built in lets everything run. In the mode for plans the shell
//! is let, and so it is in the one that lets everything. A pattern for commands has to fit the whole line, and ends at the end of
//! one. Patterns for files name an argument that the tools that read and write do not have. A few commands are refused in
//! every mode, by the word that they begin with. Hooks are read and, before tools, never run; a later version may run them.

mod critical;
mod decide;
mod rule;
mod settings;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;
use rule::Rule;

/// The gate of the Continue CLI.
#[derive(Clone, Copy, Debug)]
pub struct ContinueCli;

impl AgentGate for ContinueCli {
    fn id(&self) -> &'static str {
        "continue-cli"
    }

    fn agent(&self) -> Agent {
        Agent::Continue
    }

    fn name(&self) -> &'static str {
        "Continue CLI"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.contains(".continue/") && !file.ends_with("settings.json")
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where its rules lie.
const PERMISSIONS: &str = "~/.continue/permissions.yaml";

const FILES: [GateFile; 6] = [
    GateFile { name: "permissions", level: Level::User, path: PERMISSIONS },
    GateFile { name: "hooks", level: Level::User, path: "~/.continue/settings.json" },
    GateFile { name: "project", level: Level::Project, path: ".continue/settings.json" },
    GateFile { name: "local", level: Level::Local, path: ".continue/settings.local.json" },
    GateFile { name: "claude", level: Level::User, path: "~/.claude/settings.json" },
    GateFile { name: "started", level: Level::User, path: "--started-as" },
];

/// In which mode a session works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Normal,
    Plan,
    Auto,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct ContinuePolicy {
    ground: Ground,
    mode: Mode,
    /// Whether nobody is there to be asked.
    headless: bool,
    /// In the order in which they are tried.
    rules: Vec<Rule>,
    /// The file of its rules, as it is shown.
    kept: String,
    odd: Vec<Odd>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

impl ContinuePolicy {
    fn place(&self) -> Place {
        Place { path: "--started-as".to_owned(), line: None }
    }
}

#[cfg(test)]
mod tests;
