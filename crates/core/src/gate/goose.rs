//! The gate of goose (floor 2).
//!
//! It follows the source of block/goose and of aaif-goose/goose (2026), `crates/goose/src/permission`,
//! `crates/goose/src/config` and the tools of `crates/goose/src/agents/platform_extensions/developer`, and its documentation. The
//! mode decides: in `auto`, which is the default and what a word that is not known is taken for, everything runs and no list
//! counts; in `chat` nothing does; in `approve` a person is asked and in `smart_approve` a model judges, but for tools that
//! `permission.yaml` names and those of which their own server says that they only read. There are no rules for commands. Tools
//! have had other names in other versions, and a list binds a name. Where another agent is its model, that one's tools run by
//! its own gate.

mod decide;
mod settings;

use std::collections::BTreeMap;

use crate::fact::GapReason;
use crate::gate::bounds::Odd;
use crate::gate::{AgentGate, Effect, FileText, GateFile, GatePolicy, Ground, Level, Note, Place};
use crate::model::Agent;

/// The gate of goose.
#[derive(Clone, Copy, Debug)]
pub struct Goose;

impl AgentGate for Goose {
    fn id(&self) -> &'static str {
        "goose"
    }

    fn agent(&self) -> Agent {
        Agent::Goose
    }

    fn name(&self) -> &'static str {
        "goose"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.ends_with("goose/config.yaml")
    }

    fn is_settled(&self) -> bool {
        false
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

/// Where its settings lie.
const CONFIG: &str = "~/.config/goose/config.yaml";

/// Where its lists of tools lie.
const PERMISSION: &str = "~/.config/goose/permission.yaml";

const FILES: [GateFile; 9] = [
    GateFile { name: "config", level: Level::User, path: CONFIG },
    GateFile { name: "permission", level: Level::User, path: PERMISSION },
    GateFile { name: "pricing", level: Level::User, path: "~/.config/goose/pricing.yaml" },
    GateFile { name: "more", level: Level::State, path: "/srv/goose/more.yaml" },
    GateFile { name: "system", level: Level::Managed, path: "/etc/goose/config.yaml" },
    GateFile { name: "variable", level: Level::Local, path: "GOOSE_MODE" },
    GateFile { name: "provider", level: Level::Local, path: "GOOSE_PROVIDER" },
    GateFile { name: "lead", level: Level::Local, path: "GOOSE_LEAD_PROVIDER" },
    GateFile { name: "plugins", level: Level::Project, path: ".agents/plugins" },
];

/// Something that is said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    place: Place,
    level: Level,
}

/// In which mode a session works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Auto,
    Approve,
    Smart,
    Chat,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct GoosePolicy {
    ground: Ground,
    mode: Mode,
    /// Where the mode is set.
    set: Option<Said>,
    /// Tools that a person decided on.
    tools: BTreeMap<String, (Effect, Said)>,
    /// Tools that were judged before.
    judged: BTreeMap<String, (Effect, Said)>,
    /// Its own files, as they are shown.
    own: Vec<String>,
    odd: Vec<Odd>,
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

#[cfg(test)]
mod tests;
