//! The gate of Crush (floor 2).
//!
//! It follows the source of charmbracelet/crush at 37f36e93 (August 2026): `internal/agent/tools`, `internal/permission`,
//! `internal/config` and its documentation. There are no rules for commands: the tool that runs them is asked about or is
//! not. What it takes for harmless is a list of words that a line may begin with, `timeout`, `env` and `nohup` among them,
//! where the line holds none of five signs; a single `&` is none of these. Without a person at the terminal everything runs. Some
//! programs are refused whatever was allowed, by the name that they are called by. Arrays of several files are taken to be put
//! together. Approvals are kept for as long as it runs.

mod decide;
mod settings;

use std::collections::BTreeMap;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Crush.
#[derive(Clone, Copy, Debug)]
pub struct Crush;

impl AgentGate for Crush {
    fn id(&self) -> &'static str {
        "crush"
    }

    fn agent(&self) -> Agent {
        Agent::Crush
    }

    fn name(&self) -> &'static str {
        "Crush"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        let name = file.rsplit('/').next().unwrap_or(file);
        matches!(name, "crush.json" | ".crush.json" | "crushrc" | ".crushrc")
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

const FILES: [GateFile; 8] = [
    GateFile { name: "user", level: Level::User, path: "~/.config/crush/crush.json" },
    GateFile { name: "data", level: Level::State, path: "~/.local/share/crush/crush.json" },
    GateFile { name: "project", level: Level::Project, path: "crush.json" },
    GateFile { name: "hidden", level: Level::Project, path: ".crush.json" },
    GateFile { name: "shell", level: Level::Project, path: ".crushrc" },
    GateFile { name: "workspace", level: Level::Project, path: ".crush/crush.json" },
    GateFile { name: "system", level: Level::Managed, path: "/etc/crush/crush.json" },
    GateFile { name: "started", level: Level::User, path: "--started-as" },
];

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    place: Place,
    level: Level,
}

/// What settings say of one server.
#[derive(Clone, Debug, Default)]
struct Server {
    off: Option<Said>,
    disabled: BTreeMap<String, Said>,
    enabled: Option<(Vec<String>, Said)>,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct CrushPolicy {
    ground: Ground,
    /// Tools that are not asked about, alone or with one of their actions.
    allowed: BTreeMap<String, Said>,
    /// Tools that are not there.
    disabled: BTreeMap<String, Said>,
    servers: BTreeMap<String, Server>,
    /// Where it is said that nothing is asked about.
    yolo: Option<Place>,
    /// Whether nobody is there to be asked.
    headless: Option<Place>,
    odd: Vec<Odd>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
