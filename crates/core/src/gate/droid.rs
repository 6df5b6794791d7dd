//! The gate of Factory's Droid (floor 2).
//!
//! Droid is closed: this follows its documentation (docs.factory.ai, 2026; `autonomy-and-safety/auto-run`, `droid-cli/settings`,
//! `enterprise/hierarchical-settings-and-org-control`). A level of autonomy says how risky a call may be that runs unasked; the
//! risk of a command is judged by the model. What the list of denied commands names is asked about at every level, what that
//! of allowed ones names runs at every level, and what an organisation blocks never runs. Lists grow over files, and for all else the
//! stronger file comes first: the organisation's, the project's, the user's. How a command is held against a list is not
//! said, nor what the lists hold that it brings, so that nothing it would ask about is relied on.

mod decide;
mod settings;

use crate::fact::GapReason;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Factory's Droid.
#[derive(Clone, Copy, Debug)]
pub struct Droid;

impl AgentGate for Droid {
    fn id(&self) -> &'static str {
        "factory-droid"
    }

    fn agent(&self) -> Agent {
        Agent::FactoryDroid
    }

    fn name(&self) -> &'static str {
        "Factory Droid"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.ends_with(".factory/mcp.json")
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where its settings lie.
const SETTINGS: &str = "~/.factory/settings.json";

const FILES: [GateFile; 6] = [
    GateFile { name: "user", level: Level::User, path: SETTINGS },
    GateFile { name: "user-local", level: Level::User, path: "~/.factory/settings.local.json" },
    GateFile { name: "project", level: Level::Project, path: ".factory/settings.json" },
    GateFile { name: "local", level: Level::Project, path: ".factory/settings.local.json" },
    GateFile { name: "system", level: Level::Managed, path: "/etc/factory/settings.json" },
    GateFile { name: "started", level: Level::Local, path: "--started-as" },
];

/// How risky a call may be that runs unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Autonomy {
    Off,
    Low,
    Medium,
    High,
}

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said<T> {
    value: T,
    place: Place,
    level: Level,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct DroidPolicy {
    ground: Ground,
    /// Where it is said that nothing is asked about, which is typed.
    skips: Option<Said<bool>>,
    /// The level, and the most that it may be.
    autonomy: Option<Said<Autonomy>>,
    most: Option<Said<Autonomy>>,
    /// Whether the level was typed, so that no file sets another.
    typed: bool,
    allowed: Vec<Said<String>>,
    denied: Vec<Said<String>>,
    blocked: Vec<Said<String>>,
    /// Its own files, as they are shown.
    own: Vec<String>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
