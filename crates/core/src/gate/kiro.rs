//! The gate of Kiro, its editor and its command-line agent (floor 2).
//!
//! Kiro is closed: this follows its documentation (kiro.dev/docs, 2026; `permissions`, `cli/v3/permissions`,
//! `cli/custom-agents/configuration-reference`). From version 1.0 of the editor and 3.0 of the command line rules say for a
//! capability what is denied, asked about and allowed, the strictest counting over all files; without any a person is asked about
//! commands, but for some that only read. Before that the editor had a list of trusted commands, and the command line agents with
//! trusted tools, as Amazon Q has. How a line of several commands is held against a rule is not said, nor which of the folders of
//! a workspace's rules is whose, nor which version runs, so that nothing it would ask about or deny is relied on.

mod decide;
mod settings;

use crate::fact::GapReason;
use crate::gate::{AgentGate, Effect, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Kiro.
#[derive(Clone, Copy, Debug)]
pub struct Kiro;

impl AgentGate for Kiro {
    fn id(&self) -> &'static str {
        "kiro"
    }

    fn agent(&self) -> Agent {
        Agent::Kiro
    }

    fn name(&self) -> &'static str {
        "Kiro"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.contains(".kiro/") && file.ends_with(".json")
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where the rules of the user lie.
const RULES: &str = "~/.kiro/settings/permissions.yaml";

const FILES: [GateFile; 8] = [
    GateFile { name: "rules", level: Level::User, path: RULES },
    GateFile { name: "workspace", level: Level::State, path: "~/.kiro/workspace-roots/7f3a/permissions.yaml" },
    GateFile { name: "cli", level: Level::User, path: "~/.kiro/settings/cli.json" },
    GateFile { name: "editor", level: Level::User, path: "~/.config/Kiro/User/settings.json" },
    GateFile { name: "project", level: Level::Project, path: ".vscode/settings.json" },
    GateFile { name: "user-agent", level: Level::User, path: "~/.kiro/agents/ops.json" },
    GateFile { name: "project-agent", level: Level::Project, path: ".kiro/agents/ops.json" },
    GateFile { name: "started", level: Level::Local, path: "--started-as" },
];

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    place: Place,
    level: Level,
}

/// A rule for a capability. Without patterns it is for all of it.
#[derive(Clone, Debug)]
struct Rule {
    capability: String,
    wanted: Vec<String>,
    spared: Vec<String>,
    effect: Effect,
    /// Whether it is sure to count here.
    sure: bool,
    said: Said,
}

/// An agent of one's own.
#[derive(Clone, Debug)]
struct Profile {
    name: String,
    trusted: Vec<(String, Said)>,
    /// Expressions for commands that run unasked.
    allowed: Vec<(String, Said)>,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct KiroPolicy {
    ground: Ground,
    rules: Vec<Rule>,
    /// Commands that the editor trusts.
    trusted: Vec<(String, Said)>,
    agents: Vec<Profile>,
    /// The agent that it works as, where that is said.
    agent: Option<String>,
    /// Where it is said that every tool is trusted.
    all: Option<Said>,
    /// Its own files, as they are shown.
    own: Vec<String>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
