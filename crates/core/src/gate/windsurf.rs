//! The gate of Cascade, the agent of Windsurf (floor 2).
//!
//! Windsurf is closed: this follows its documentation (docs.windsurf.com, 2026; `windsurf/terminal`, `windsurf/cascade/hooks`,
//! `windsurf/cascade/web-search`). A level says which commands run unasked: none, those on the list, those that the model takes to
//! be safe, or all but those on the list of denied ones, which are asked about. The documentation names the settings of both
//! lists, and of the level only that a panel sets it: where the settings name a level at which nothing is asked about that is
//! told, and any other may be another one by now. A hook before a command may block it, and one that fails lets it run. How a line of
//! several commands is held against a list is not said, so that nothing it would ask about is relied on.

mod decide;
mod settings;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Windsurf.
#[derive(Clone, Copy, Debug)]
pub struct Windsurf;

impl AgentGate for Windsurf {
    fn id(&self) -> &'static str {
        "windsurf"
    }

    fn agent(&self) -> Agent {
        Agent::Windsurf
    }

    fn name(&self) -> &'static str {
        "Windsurf"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.contains(".codeium/") && file.ends_with("mcp_config.json")
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where the user's settings lie.
const SETTINGS: &str = "~/.config/Windsurf/User/settings.json";

const FILES: [GateFile; 5] = [
    GateFile { name: "user", level: Level::User, path: SETTINGS },
    GateFile { name: "project", level: Level::Project, path: ".vscode/settings.json" },
    GateFile { name: "user-hooks", level: Level::User, path: "~/.codeium/windsurf/hooks.json" },
    GateFile { name: "project-hooks", level: Level::Project, path: ".windsurf/hooks.json" },
    GateFile { name: "system-hooks", level: Level::Managed, path: "/etc/windsurf/hooks.json" },
];

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said<T> {
    value: T,
    place: Place,
    level: Level,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct WindsurfPolicy {
    ground: Ground,
    /// The level for commands, and that for pages, as written, the weaker first.
    levels: Vec<Said<String>>,
    pages: Vec<Said<String>>,
    allowed: Vec<Said<String>>,
    denied: Vec<Said<String>>,
    /// Hooks before reading, writing, commands and tools of servers.
    hooks: Vec<(String, Odd)>,
    /// Its own files, as they are shown.
    own: Vec<String>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
