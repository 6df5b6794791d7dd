//! The gate of GitHub Copilot CLI (floor 2).
//!
//! It follows the program of the package `@github/copilot-linux-x64` 1.0.102 (November 2026), its own help, and
//! docs.github.com (Copilot CLI command reference, configuration directory). What only reads runs unasked, and what it takes
//! for reading is a list of names: `git branch` is one of them, with whatever stands behind it. Everything else is asked
//! about unless a rule of the command line or an approval that was kept names it; refusals come first. What hooks, plugins
//! and extensions answer, and skills that bring tools, leave it open. Settings that an organisation's server delivers are
//! not read.

mod command;
mod decide;
mod gated;
mod managed;
mod settings;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::shown::shown;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of GitHub Copilot CLI.
#[derive(Clone, Copy, Debug)]
pub struct CopilotCli;

impl AgentGate for CopilotCli {
    fn id(&self) -> &'static str {
        "copilot-cli"
    }

    fn agent(&self) -> Agent {
        Agent::CopilotCli
    }

    fn name(&self) -> &'static str {
        "GitHub Copilot CLI"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.ends_with("/.copilot/mcp-config.json") || file.ends_with(".github/mcp.json")
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

const FILES: [GateFile; 10] = [
    GateFile { name: "user", level: Level::User, path: "~/.copilot/settings.json" },
    GateFile { name: "approvals", level: Level::State, path: "~/.copilot/permissions-config.json" },
    GateFile { name: "state", level: Level::State, path: "~/.copilot/config.json" },
    GateFile { name: "project", level: Level::Project, path: ".github/copilot/settings.json" },
    GateFile { name: "local", level: Level::Local, path: ".github/copilot/settings.local.json" },
    GateFile { name: "hook", level: Level::Project, path: ".github/hooks/mine.json" },
    GateFile { name: "skill", level: Level::Project, path: ".github/skills/mine/SKILL.md" },
    GateFile { name: "managed", level: Level::Managed, path: "/etc/github-copilot/managed-settings.json" },
    GateFile { name: "started", level: Level::User, path: "--started-as" },
    GateFile { name: "variable", level: Level::User, path: "COPILOT_ALLOW_ALL" },
];

/// A rule: what kind of call it is about, and which. Without the second it is about all of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// `shell`, `write`, `read`, `url`, or the name of an MCP server.
    kind: String,
    argument: Option<String>,
    place: Place,
    level: Level,
}

impl Rule {
    /// As it is shown, with nothing in it that may be a secret.
    fn text(&self) -> String {
        match &self.argument {
            None => shown(&self.kind),
            Some(argument) if self.kind == "shell" => shown(&format!("Bash({argument})")).replacen("Bash", "shell", 1),
            Some(argument) => shown(&format!("{}({argument})", self.kind)),
        }
    }

    /// Whether its argument is a text, or how it begins: `git:*` is `git`, and whatever begins with it and a blank.
    fn fits(&self, text: &str) -> bool {
        let Some(argument) = &self.argument else { return true };
        match argument.strip_suffix(":*") {
            Some(stem) => text == stem || text.strip_prefix(stem).is_some_and(|rest| rest.starts_with(' ')),
            None => argument == text,
        }
    }
}

/// The name under which it is given that the policy of GitHub's server was not read. It "replaces the user's
/// defaultPermissionMode" and may have rules that allow (settings schema of the package @github/copilot 1.0.102), and nothing on
/// the machine shows it.
pub const SERVER: &str = "the policy of GitHub's server";

/// A setting, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set<T> {
    value: T,
    place: Place,
    level: Level,
}

/// In which mode new sessions start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// A person is asked.
    Manual,
    /// A model may answer in the person's place.
    Assisted,
    /// Everything runs.
    AllowAll,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct CopilotPolicy {
    ground: Ground,
    allow: Vec<Rule>,
    deny: Vec<Rule>,
    /// What an administrator has of rules.
    managed: managed::Managed,
    mode: Option<Set<Mode>>,
    /// Where it is said that a model answers, whether or not a person is there.
    assisted: Option<Place>,
    /// Where it is said that all tools, all paths and all pages are open.
    tools: Option<Place>,
    paths: bool,
    pages: bool,
    /// Where it is said that they may not be.
    bypass: Option<(Place, Level)>,
    /// Whether nobody is there to be asked.
    headless: bool,
    /// A mode of working that may refuse, or that may be let do everything, and where it is set.
    planning: Option<Place>,
    autopilot: Option<Place>,
    available: Option<Vec<String>>,
    excluded: Vec<String>,
    /// Folders that are open besides its own.
    folders: Vec<String>,
    off: Vec<Set<String>>,
    sandboxed: bool,
    odd: Vec<Odd>,
    /// Why it is not known what GitHub's server says, if that is so.
    server: Option<GapReason>,
    /// Files that were not read, with the reason.
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
    /// The first thing that may bring servers of its own.
    brings: Option<Place>,
}

#[cfg(test)]
mod tests;
