//! The gate of the Amazon Q Developer CLI (floor 2).
//!
//! It follows the source of aws/amazon-q-developer-cli at 15cc8f3c (April 2026): `crates/chat-cli/src/cli/agent`,
//! `crates/chat-cli/src/cli/chat/tools`, `crates/chat-cli/src/util` and `docs`. A session works as one agent: the one that it is
//! started with, else the one that the settings name, else one that is built in and asks. An agent is a JSON file of the user's or
//! of the project's, and the project's stands above the user's of the same name. It says which tools are trusted, and what the
//! tools for commands, files and AWS are let and refused by expressions, which have to match a command from end to end. Refusals
//! bind trusted tools and sessions where everything is trusted. What an agent's list of tools leaves out is not shown to
//! the model and runs if it is called all the same, so that the list is no gate. The tool for AWS runs the same client as the
//! shell, by rules of its own. Where tasks may be handed on, they run in a session that trusts every tool. What its
//! administrators set is asked of a server, and only ever takes servers away.

mod aws;
mod decide;
mod globs;
mod line;
mod settings;

use std::collections::BTreeMap;

use regex::Regex;

use crate::fact::GapReason;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of the Amazon Q Developer CLI.
#[derive(Clone, Copy, Debug)]
pub struct AmazonQ;

impl AgentGate for AmazonQ {
    fn id(&self) -> &'static str {
        "amazon-q"
    }

    fn agent(&self) -> Agent {
        Agent::AmazonQ
    }

    fn name(&self) -> &'static str {
        "Amazon Q Developer CLI"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.ends_with("amazonq/mcp.json") || file.contains("amazonq/cli-agents/")
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where it keeps its settings.
const SETTINGS: &str = "~/.local/share/amazon-q/settings.json";

const FILES: [GateFile; 4] = [
    GateFile { name: "settings", level: Level::User, path: SETTINGS },
    GateFile { name: "user", level: Level::User, path: "~/.aws/amazonq/cli-agents/ops.json" },
    GateFile { name: "project", level: Level::Project, path: ".amazonq/cli-agents/ops.json" },
    GateFile { name: "started", level: Level::User, path: "--started-as" },
];

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    place: Place,
    level: Level,
}

/// An expression for commands, or a pattern for paths; none where it may mean something else than here.
#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    said: Said,
    expression: Option<Regex>,
    /// Whether it may be gone around by a link.
    loose: bool,
}

/// What is set for one tool.
#[derive(Clone, Debug, Default)]
struct Tool {
    /// Where what is set is not understood by it either, and it asks.
    broken: Option<Said>,
    allowed: Vec<Pattern>,
    denied: Vec<Pattern>,
    /// Whether what is not allowed is refused.
    shut: Option<Said>,
    /// Whether what only reads is let.
    reading: Option<Said>,
}

/// A hook before tools.
#[derive(Clone, Debug)]
struct Hook {
    matcher: Option<String>,
    said: Said,
}

/// One agent.
#[derive(Clone, Debug, Default)]
struct Profile {
    name: String,
    /// The file that describes it; none for the one that is built in.
    file: Option<Place>,
    project: bool,
    /// Whether it may not be loaded.
    doubted: bool,
    trusted: BTreeMap<String, Said>,
    tools: BTreeMap<&'static str, Tool>,
    hooks: Vec<Hook>,
}

/// How it was started.
#[derive(Clone, Debug)]
struct Launch {
    place: Place,
    agent: Option<String>,
    all: bool,
    trusted: Vec<String>,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct QPolicy {
    ground: Ground,
    agents: Vec<Profile>,
    /// The agent that the settings name.
    default: Option<String>,
    /// Where it is said that tasks may be handed on.
    delegate: Option<Place>,
    /// Whether there is a tool that shows what it was given to keep.
    knowledge: bool,
    launch: Option<Launch>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
