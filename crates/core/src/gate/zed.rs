//! The gate of Zed's own agent (floor 2).
//!
//! It follows the source of zed-industries/zed at 00b6ce1c (2026), `crates/agent/src/tool_permissions.rs`, and its documentation,
//! `docs/src/ai/tool-permissions.md` (from version 0.224 on). Expressions decide for each tool: what is refused first, then what is
//! asked about, then what is let, then the tool's own word and that for every tool, which is to ask. They may match anywhere in a
//! command, and each command of a line is held against them. A few forms of `rm` are refused whatever is set. Only lines that
//! are plain are judged here as it judges them. Settings of a project do not reach the agent. Agents that it runs for others,
//! such as Claude Code, have gates of their own.

mod decide;
mod settings;

use std::collections::BTreeMap;

use regex::Regex;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Zed's own agent.
#[derive(Clone, Copy, Debug)]
pub struct Zed;

impl AgentGate for Zed {
    fn id(&self) -> &'static str {
        "zed"
    }

    fn agent(&self) -> Agent {
        Agent::Zed
    }

    fn name(&self) -> &'static str {
        "Zed"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.ends_with("zed/settings.json")
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where its settings lie.
const SETTINGS: &str = "~/.config/zed/settings.json";

const FILES: [GateFile; 3] = [
    GateFile { name: "user", level: Level::User, path: SETTINGS },
    GateFile { name: "global", level: Level::State, path: "~/.config/zed/global_settings.json" },
    GateFile { name: "project", level: Level::Project, path: ".zed/settings.json" },
];

/// What is done where no expression fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Allow,
    Confirm,
    Deny,
}

/// An expression; none where it may mean something else than here.
#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    place: Place,
    level: Level,
    expression: Option<Regex>,
}

/// What is set for one tool.
#[derive(Clone, Debug, Default)]
struct Rules {
    default: Option<(Mode, Place)>,
    allow: Vec<Pattern>,
    confirm: Vec<Pattern>,
    deny: Vec<Pattern>,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct ZedPolicy {
    ground: Ground,
    default: Option<(Mode, Place)>,
    tools: BTreeMap<String, Rules>,
    /// Where an older setting lets everything run.
    older: Option<Place>,
    /// Its own file, as it is shown.
    own: String,
    odd: Vec<Odd>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
