//! The gate of Qwen Code (floor 2).
//!
//! It follows the program of the package `@qwen-code/qwen-code` 0.24.4 (2026), QwenLM/qwen-code
//! `docs/users/features/approval-mode.md` and its settings' schema. It began as a fork of Gemini CLI, and decides by rules of its
//! own: a refusal holds in every mode, then what is asked about, then what is let run; what no rule names is answered by the
//! mode, which is a model's judgement unless it is set. Where everything runs, rules that ask are passed over. A project may set
//! any mode. Names of commands are compared behind variables and without quotes. Only lines that are plain are judged here as it
//! judges them; others may meet any rule. Hooks, subagents, skills and extensions may answer otherwise.

mod decide;
mod rules;
mod settings;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::ignore::Ignored;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Qwen Code.
#[derive(Clone, Copy, Debug)]
pub struct Qwen;

impl AgentGate for Qwen {
    fn id(&self) -> &'static str {
        "qwen-code"
    }

    fn agent(&self) -> Agent {
        Agent::QwenCode
    }

    fn name(&self) -> &'static str {
        "Qwen Code"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.ends_with(".qwen/settings.json") || file.ends_with("/qwen-code/settings.json")
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

const FILES: [GateFile; 7] = [
    GateFile { name: "user", level: Level::User, path: "~/.qwen/settings.json" },
    GateFile { name: "project", level: Level::Project, path: ".qwen/settings.json" },
    GateFile { name: "system", level: Level::Managed, path: "/etc/qwen-code/settings.json" },
    GateFile { name: "defaults", level: Level::Managed, path: "/etc/qwen-code/system-defaults.json" },
    GateFile { name: "agent", level: Level::Project, path: ".qwen/agents/mine.md" },
    GateFile { name: "ignore", level: Level::Project, path: ".qwenignore" },
    GateFile { name: "started", level: Level::User, path: "--started-as" },
];

/// In which mode a session works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Plan,
    Ask,
    Edits,
    Auto,
    Yolo,
}

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said<T> {
    value: T,
    place: Place,
    level: Level,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct QwenPolicy {
    ground: Ground,
    /// What was set of the mode, by the file that has the say.
    mode: Option<Said<Mode>>,
    rules: Vec<rules::Rule>,
    /// Where tools are listed beside which there are none.
    core: Option<Place>,
    /// Servers that are shut out, and those beside which there are none.
    shut: Vec<Said<String>>,
    only: Option<Said<Vec<String>>>,
    /// Whether it is asked whether a folder is trusted, so that what was set may not count.
    trust: bool,
    headless: bool,
    sandboxed: bool,
    ignored: Ignored,
    odd: Vec<Odd>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
    brings: Option<Place>,
    /// Whether an administrator's settings may be written by the user.
    loose: bool,
}

#[cfg(test)]
mod tests;
