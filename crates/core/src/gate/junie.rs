//! The gate of Junie, JetBrains' agent (floor 2).
//!
//! Junie is closed: this follows its documentation (junie.jetbrains.com/docs, 2026; `action-allowlist-junie-cli`,
//! `junie-cli-configuration`, `junie-cli-usage`, `action-allowlist`). Its command line asks about most commands, about files outside
//! of the project and about tools of servers, but for what a list of the user's lets run, of which the first rule that fits
//! counts; brave mode asks about nothing, and a trusted project may switch it on. What it does with nobody there is not said, nor how
//! a line of several commands is held against a rule, and the list and the mode of its editors lie in settings that are not
//! read, so that nothing it would ask about is relied on.

mod decide;
mod settings;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::{AgentGate, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of Junie.
#[derive(Clone, Copy, Debug)]
pub struct Junie;

impl AgentGate for Junie {
    fn id(&self) -> &'static str {
        "junie"
    }

    fn agent(&self) -> Agent {
        Agent::Junie
    }

    fn name(&self) -> &'static str {
        "Junie"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.contains(".junie/") && file.ends_with(".json")
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where the user's list lies.
const LIST: &str = "~/.junie/allowlist.json";

const FILES: [GateFile; 6] = [
    GateFile { name: "list", level: Level::User, path: LIST },
    GateFile { name: "config", level: Level::User, path: "~/.junie/config.json" },
    GateFile { name: "settings", level: Level::User, path: "~/.junie/settings.json" },
    GateFile { name: "project", level: Level::Project, path: ".junie/config.json" },
    GateFile { name: "project-list", level: Level::Project, path: ".junie/allowlist.json" },
    GateFile { name: "started", level: Level::Local, path: "--started-as" },
];

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said<T> {
    value: T,
    place: Place,
    level: Level,
}

/// What a rule is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// The beginning of it.
    Prefix(String),
    /// All of it, with `*`, `**`, `?` and lists of characters.
    Pattern(String),
}

/// A rule of a list.
#[derive(Clone, Debug)]
struct Rule {
    wanted: Wanted,
    allows: bool,
    said: Said<()>,
}

/// The rules of one kind of calls, and what is done where none fits.
#[derive(Clone, Debug, Default)]
struct Group {
    rules: Vec<Rule>,
    default: Option<Said<bool>>,
}

/// One list.
#[derive(Clone, Debug, Default)]
struct List {
    commands: Group,
    edits: Group,
    servers: Group,
    reads: Group,
    default: Option<Said<bool>>,
    reading: Option<Said<bool>>,
    /// Whether it is known to count: the documentation tells of the user's alone.
    sure: bool,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct JuniePolicy {
    ground: Ground,
    lists: Vec<List>,
    /// Whether brave mode is on, wherever that is said.
    brave: Vec<Said<bool>>,
    /// Whether nobody is there.
    headless: Option<Place>,
    /// Hooks before a tool runs.
    hooks: Vec<Odd>,
    /// Its own files, as they are shown.
    own: Vec<String>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
