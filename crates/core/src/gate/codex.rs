//! The gate of OpenAI Codex: the command line and the editors' extension, which share their settings (floor 2).
//!
//! It follows developers.openai.com/codex and github.com/openai/codex as of October 2026. Three things stand together: a
//! sandbox of the operating system, in which commands run unasked; the approval policy, which says when a person is
//! asked to let one out of it; and rules, by which a command runs outside it unasked, is asked about, or is refused.
//! Which settings hold depends on whether the folder is trusted, on profiles and on what an administrator requires:
//! where the files do not tell, every way in which a session may start is judged, and both ends are kept.

mod commands;
mod decide;
mod launch;
mod layer;
mod literal;
mod mcp;
mod rules;
mod script;
mod settings;
mod start;
mod ways;

use crate::fact::GapReason;
use crate::gate::{
    AgentGate, Call, FileText, GateDecision, GateFile, GatePolicy, Ground, Level, McpServer, Note, Place,
};
use crate::id::SessionId;
use crate::model::{Agent, Refusal, Source, Way};
use crate::time::Time;

/// The gate of OpenAI Codex.
#[derive(Clone, Copy, Debug)]
pub struct Codex;

impl AgentGate for Codex {
    fn id(&self) -> &'static str {
        "codex"
    }

    fn agent(&self) -> Agent {
        Agent::Codex
    }

    fn name(&self) -> &'static str {
        "OpenAI Codex"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        file.split('/').any(|part| part == ".codex")
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

const FILES: [GateFile; 9] = [
    GateFile { name: "config", level: Level::User, path: "~/.codex/config.toml" },
    GateFile { name: "rules", level: Level::User, path: "~/.codex/rules/default.rules" },
    GateFile { name: "hooks", level: Level::User, path: "~/.codex/hooks.json" },
    GateFile { name: "project", level: Level::Project, path: ".codex/config.toml" },
    GateFile { name: "project-rules", level: Level::Project, path: ".codex/rules/default.rules" },
    GateFile { name: "project-hooks", level: Level::Project, path: ".codex/hooks.json" },
    GateFile { name: "system", level: Level::Managed, path: "/etc/codex/config.toml" },
    GateFile { name: "requirements", level: Level::Managed, path: "/etc/codex/requirements.toml" },
    GateFile { name: "managed", level: Level::Managed, path: "/etc/codex/managed_config.toml" },
];

/// A hook that may see a call. It is never run to learn its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hook {
    /// Whether it is asked in a person's stead, and may let a call through.
    answers: bool,
    place: Place,
    level: Level,
    /// Whether it counts in a trusted folder only.
    project: bool,
}

/// A file that was not read or not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unread {
    path: String,
    reason: GapReason,
    /// Whether it counts in a trusted folder only.
    project: bool,
}

/// All settings of one session.
#[derive(Clone, Debug)]
struct CodexPolicy {
    ground: Ground,
    /// The folder of the user's own settings, as it is shown.
    home: String,
    /// Every way in which it may start; never empty.
    starts: Vec<start::Start>,
    rules: rules::Rules,
    hooks: Vec<Hook>,
    /// What settings start, which no sandbox holds.
    launched: Vec<launch::Launched>,
    unread: Vec<Unread>,
    files: Vec<String>,
    notes: Vec<Note>,
    /// The first plugin that is switched on.
    plugin: Option<Place>,
}

impl CodexPolicy {
    /// The file that a session's own approvals are written to.
    fn own(&self) -> String {
        format!("{}/rules/default.rules", self.home)
    }
}

impl GatePolicy for CodexPolicy {
    fn decide(&self, call: &Call) -> GateDecision {
        decide::decide(self, call)
    }

    fn ways(&self, session: &SessionId, servers: &[McpServer], at: Time) -> (Vec<Way>, Vec<Source>) {
        ways::ways(self, session, servers, at)
    }

    fn way(
        &self,
        session: &SessionId,
        servers: &[McpServer],
        call: &Call,
        met: &GateDecision,
        at: Time,
    ) -> (Way, Vec<Source>) {
        ways::this_call(self, session, servers, call, met, at)
    }

    fn refusals(&self, session: &SessionId, servers: &[McpServer], path: &str) -> Vec<Refusal> {
        ways::refusals(self, session, servers, path)
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn brings(&self) -> Option<&Place> {
        self.plugin.as_ref()
    }
}

#[cfg(test)]
mod tests;
