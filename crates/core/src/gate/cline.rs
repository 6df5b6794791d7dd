//! The gates of Cline, in an editor and in a terminal (floor 2).
//!
//! They follow the source of cline/cline at 21cb8d25 (August 2026; extension 4.1.12, package `cline` 3.0.65):
//! `apps/vscode/src/sdk/sdk-tool-policies.ts`, `apps/cli/src/runtime/tool-policies.ts` and `sdk/packages/core`. There are no
//! rules for commands: of each kind of tool it is said whether it is asked about. In an editor commands are and files are
//! not, wherever they lie; in a terminal nothing is, unless it is said otherwise. `CLINE_COMMAND_PERMISSIONS` is documented
//! and nothing reads it; `.clineignore` binds no tool. Earlier versions keep the editor's settings in a database that is
//! not read: where there is no file of them, nothing is known. What an organisation sets, and settings of one task or session,
//! stand above the file and are not seen.

mod decide;
mod settings;

use std::collections::BTreeMap;

use crate::fact::GapReason;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Cline in an editor.
#[derive(Clone, Copy, Debug)]
pub struct Cline;

/// The gate of Cline in a terminal.
#[derive(Clone, Copy, Debug)]
pub struct ClineCli;

impl AgentGate for Cline {
    fn id(&self) -> &'static str {
        "cline"
    }

    fn agent(&self) -> Agent {
        Agent::Cline
    }

    fn name(&self) -> &'static str {
        "Cline"
    }

    fn files(&self) -> &'static [GateFile] {
        &EDITOR
    }

    fn serves(&self, file: &str) -> bool {
        serves(file)
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground, Kind::Editor))
    }
}

impl AgentGate for ClineCli {
    fn id(&self) -> &'static str {
        "cline-cli"
    }

    fn agent(&self) -> Agent {
        Agent::Cline
    }

    fn name(&self) -> &'static str {
        "Cline CLI"
    }

    fn files(&self) -> &'static [GateFile] {
        &TERMINAL
    }

    fn serves(&self, file: &str) -> bool {
        serves(file)
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground, Kind::Terminal))
    }
}

fn serves(file: &str) -> bool {
    file.ends_with("/cline_mcp_settings.json") || file.ends_with("/.cline/mcp.json")
}

const EDITOR: [GateFile; 3] = [
    GateFile { name: "state", level: Level::User, path: "~/.cline/data/globalState.json" },
    GateFile { name: "servers", level: Level::User, path: "~/.cline/data/settings/cline_mcp_settings.json" },
    GateFile { name: "hook", level: Level::Project, path: ".clinerules/hooks/PreToolUse" },
];

const TERMINAL: [GateFile; 4] = [
    GateFile { name: "settings", level: Level::User, path: "~/.cline/data/settings/global-settings.json" },
    GateFile { name: "servers", level: Level::User, path: "~/.cline/data/settings/cline_mcp_settings.json" },
    GateFile { name: "hook", level: Level::Project, path: ".clinerules/hooks/PreToolUse" },
    GateFile { name: "started", level: Level::User, path: "--started-as" },
];

/// In what it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Editor,
    Terminal,
}

/// What is said of something, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    value: bool,
    place: Place,
    level: Level,
}

/// What settings say of one server.
#[derive(Clone, Debug, Default)]
struct Server {
    off: Option<Said>,
    free: BTreeMap<String, Said>,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct ClinePolicy {
    kind: Kind,
    ground: Ground,
    /// Whether each kind of tool runs unasked.
    actions: BTreeMap<&'static str, Said>,
    /// Whether the file that says so was there.
    known: bool,
    /// Where everything is let run, by a switch that versions before this one had.
    all: Option<Said>,
    /// Tools that are not there.
    disabled: BTreeMap<String, Said>,
    servers: BTreeMap<String, Server>,
    /// Whether nobody is there to be asked.
    headless: bool,
    /// Whether an editor was told to answer.
    asked_by_editor: Option<Place>,
    /// The first hook, which may refuse and lets nothing run.
    hook: Option<(Place, Level)>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
    brings: Option<Place>,
}

#[cfg(test)]
mod tests;
