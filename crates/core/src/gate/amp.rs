//! The gate of Amp (floor 2).
//!
//! Amp is closed: this follows its manual (ampcode.com/manual, 2026), which says in which order rules count and what they do,
//! and not what is in the list that is built in, nor how a command line is held against a rule. So nothing that it would ask about
//! or reject is relied on. The first rule that fits decides; where none does the built-in list does, which is not known.
//! `amp.dangerouslyAllowAll` lets everything run. Rules of more than one file may be joined in either order.

mod decide;
mod settings;

use crate::fact::GapReason;
use crate::gate::{AgentGate, Effect, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Amp.
#[derive(Clone, Copy, Debug)]
pub struct Amp;

impl AgentGate for Amp {
    fn id(&self) -> &'static str {
        "amp"
    }

    fn agent(&self) -> Agent {
        Agent::Amp
    }

    fn name(&self) -> &'static str {
        "Amp"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.ends_with("amp/settings.json")
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where its settings lie.
const SETTINGS: &str = "~/.config/amp/settings.json";

const FILES: [GateFile; 4] = [
    GateFile { name: "user", level: Level::User, path: SETTINGS },
    GateFile { name: "project", level: Level::Project, path: ".amp/settings.json" },
    GateFile { name: "managed", level: Level::Managed, path: "/etc/ampcode/managed-settings.json" },
    GateFile { name: "started", level: Level::Local, path: "--started-as" },
];

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    place: Place,
    level: Level,
}

/// A rule for a tool.
#[derive(Clone, Debug)]
struct Rule {
    tool: String,
    /// What its arguments have to be, by their names.
    wanted: Vec<(String, Vec<String>)>,
    /// Whether it says more than is understood here.
    loose: bool,
    /// What it does; nothing where another program is asked.
    effect: Option<Effect>,
    said: Said,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct AmpPolicy {
    ground: Ground,
    /// Where it is said whether everything runs, the stronger last.
    all: Vec<(bool, Said)>,
    /// The rules of each file.
    rules: Vec<Vec<Rule>>,
    /// Beginnings of commands that run unasked.
    allowed: Vec<(String, Said)>,
    /// Its own files, as they are shown.
    own: Vec<String>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
