//! The gate of Gemini CLI (floor 2).
//!
//! It follows the source of google-gemini/gemini-cli at commit 5411f113 (August 2026) and the package
//! `@google/gemini-cli-core` 0.61.0 (November 2026). Settings and policy files become one list of rules, of which the
//! first that matches decides; a command line is taken apart, and each command in it is held against the list again. What
//! the two versions do differently, and what no file tells, is answered twice, at its worst and at its best.

mod built_in;
mod decide;
mod known;
mod laid;
mod overrides;
mod policy;
mod rule;
mod settings;
mod strict;
mod tool;

use std::rc::Rc;

use crate::fact::GapReason;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Gemini CLI.
#[derive(Clone, Copy, Debug)]
pub struct Gemini;

impl AgentGate for Gemini {
    fn id(&self) -> &'static str {
        "gemini-cli"
    }

    fn agent(&self) -> Agent {
        Agent::GeminiCli
    }

    fn name(&self) -> &'static str {
        "Gemini CLI"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        let mut parts = file.rsplit('/');
        let (name, folder) = (parts.next().unwrap_or(file), parts.next().unwrap_or_default());
        (name == "settings.json" && matches!(folder, ".gemini" | "gemini-cli" | "GeminiCli"))
            || name == "gemini-extension.json"
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

const FILES: [GateFile; 10] = [
    GateFile { name: "user", level: Level::User, path: "~/.gemini/settings.json" },
    GateFile { name: "policy", level: Level::User, path: "~/.gemini/policies/rules.toml" },
    GateFile { name: "project", level: Level::Project, path: ".gemini/settings.json" },
    GateFile { name: "project-policy", level: Level::Project, path: ".gemini/policies/rules.toml" },
    GateFile { name: "ignore", level: Level::Project, path: ".geminiignore" },
    GateFile { name: "trust", level: Level::State, path: "~/.gemini/trustedFolders.json" },
    GateFile { name: "extension", level: Level::State, path: "~/.gemini/extensions/x/gemini-extension.json" },
    GateFile { name: "system", level: Level::Managed, path: "/etc/gemini-cli/settings.json" },
    GateFile { name: "system-defaults", level: Level::Managed, path: "/etc/gemini-cli/system-defaults.json" },
    GateFile { name: "admin", level: Level::Managed, path: "/etc/gemini-cli/policies/rules.toml" },
];

/// What happens to a call that no rule of anybody's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    /// `plan`: nothing but reading.
    Plan,
    /// `default`: a person is asked.
    Default,
    /// `autoEdit`: files are written unasked.
    AutoEdit,
    /// `yolo`: everything runs.
    Yolo,
}

impl Mode {
    /// A mode by what rules call it.
    fn of_rule(word: &str) -> Option<Self> {
        match word {
            "plan" => Some(Self::Plan),
            "default" => Some(Self::Default),
            "autoEdit" => Some(Self::AutoEdit),
            "yolo" => Some(Self::Yolo),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Default => "default",
            Self::AutoEdit => "auto_edit",
            Self::Yolo => "yolo",
        }
    }
}

/// One way in which a session may start.
#[derive(Clone, Debug)]
struct Start {
    mode: Mode,
    /// Where the mode is set, and by whom.
    place: Option<(Place, Level)>,
    /// Whether nobody is there to be asked.
    headless: bool,
    /// Whether the folder is trusted.
    trusted: bool,
    /// The settings, one over the other.
    laid: Rc<laid::Laid>,
}

/// A hook that may see a call. It is never run to learn its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hook {
    /// The tools that it is for.
    matcher: Option<String>,
    place: Place,
    level: Level,
    /// What it is called.
    what: &'static str,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct GeminiPolicy {
    ground: Ground,
    /// Every way in which it may start; never empty.
    starts: Vec<Start>,
    /// Files that were not read, with the reason.
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
    /// The first extension there is.
    extension: Option<Place>,
    /// Whether an administrator keeps everything from running unasked.
    no_yolo: bool,
}

#[cfg(test)]
mod tests;
