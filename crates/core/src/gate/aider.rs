//! The gate of Aider (floor 2).
//!
//! It follows the source of Aider-AI/aider at 5dc9490b (May 2026): `aider/io.py`, `aider/coders/base_coder.py`, `aider/args.py` and
//! `aider/main.py`. A shell command that the model suggests takes a plain yes: where everything is answered with yes
//! (`--yes-always`) it does not run. Where nobody is there and its input has ended, the question is taken for answered with what
//! it proposes, and that is yes; who starts it with its input closed is not in its settings. Files that were added to the chat are
//! written unasked, and commands that are set for tests and for linting run after each change, its own linter among them, so that
//! what they run may be written by the model. What it is given to do may be a command, which runs unasked. It calls no MCP
//! servers; programs derived from it do.

mod decide;
mod settings;

use crate::fact::GapReason;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Aider.
#[derive(Clone, Copy, Debug)]
pub struct Aider;

impl AgentGate for Aider {
    fn id(&self) -> &'static str {
        "aider"
    }

    fn agent(&self) -> Agent {
        Agent::Aider
    }

    fn name(&self) -> &'static str {
        "Aider"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.ends_with(".aider.conf.yml")
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

const FILES: [GateFile; 3] = [
    GateFile { name: "home", level: Level::User, path: "~/.aider.conf.yml" },
    GateFile { name: "project", level: Level::Project, path: ".aider.conf.yml" },
    GateFile { name: "started", level: Level::Local, path: "--started-as" },
];

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said<T> {
    value: T,
    place: Place,
    level: Level,
}

/// A command for linting, behind the language that it is for; for all of them, where none is named.
type Linted = (String, Said<String>);

/// All settings of one session.
#[derive(Clone, Debug)]
struct AiderPolicy {
    ground: Ground,
    /// Whether every question is answered with yes.
    yes: Option<Said<bool>>,
    /// Whether commands that the model suggests are looked at.
    suggests: Option<Said<bool>>,
    /// The command for tests, and whether it runs after each change.
    test: Option<Said<String>>,
    tests: Option<Said<bool>>,
    /// Whether it runs at the start.
    tested: Option<Said<bool>>,
    /// The commands for linting, and whether they run after each change.
    lint: Vec<Linted>,
    lints: Option<Said<bool>>,
    /// Whether they run at the start.
    linted: Option<Said<bool>>,
    /// The command that tells a person, and whether it runs.
    notify: Option<Said<String>>,
    notifies: Option<Said<bool>>,
    /// Whether the hooks of git run as it commits, and whether it commits at all.
    verifies: Option<Said<bool>>,
    git: Option<Said<bool>>,
    /// Where it is given all that it is to do, so that nobody may be there: the text, where that is known.
    message: Option<Said<Option<String>>>,
    /// Whether it is said how it was started.
    started: bool,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
