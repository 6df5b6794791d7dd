//! The gates of Cursor: the editor's agent and the command-line agent (floor 2).
//!
//! They follow cursor.com/docs as of version 3.23 (October 2026). They are two sessions, as they read different files
//! and know different rules: the editor has lists of what runs unasked (`permissions.json`) and keeps its run mode in a
//! database that is not read; the command-line agent has rules that refuse (`cli-config.json`) and names its mode there.
//! What the documentation leaves open is answered twice, at its worst and at its best; [`GateDecision`] holds both.

mod decide;
mod matching;
mod settings;
mod ways;

use crate::fact::GapReason;
use crate::gate::ignore::Ignored;
use crate::gate::{
    AgentGate, Call, Effect, FileText, GateDecision, GateFile, GatePolicy, Ground, Level, McpServer, Note, Place,
};
use crate::id::SessionId;
use crate::model::{Agent, Decision, Refusal, Source, Way};
use crate::time::Time;

/// The gate of the agent in Cursor's editor.
#[derive(Clone, Copy, Debug)]
pub struct Cursor;

/// The gate of Cursor's command-line agent.
#[derive(Clone, Copy, Debug)]
pub struct CursorCli;

impl AgentGate for Cursor {
    fn id(&self) -> &'static str {
        "cursor"
    }

    fn agent(&self) -> Agent {
        Agent::Cursor
    }

    fn name(&self) -> &'static str {
        "Cursor"
    }

    fn files(&self) -> &'static [GateFile] {
        &EDITOR
    }

    fn serves(&self, file: &str) -> bool {
        serves(file)
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(Surface::Editor, files, ground))
    }
}

impl AgentGate for CursorCli {
    fn id(&self) -> &'static str {
        "cursor-cli"
    }

    fn agent(&self) -> Agent {
        Agent::Cursor
    }

    fn name(&self) -> &'static str {
        "Cursor CLI"
    }

    fn files(&self) -> &'static [GateFile] {
        &TERMINAL
    }

    fn serves(&self, file: &str) -> bool {
        serves(file)
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(Surface::Terminal, files, ground))
    }
}

/// Both read `.cursor/mcp.json`, in the home and in the project (cursor.com/docs/context/mcp).
fn serves(file: &str) -> bool {
    file.split('/').any(|part| part == ".cursor")
}

const EDITOR: [GateFile; 8] = [
    GateFile { name: "permissions", level: Level::User, path: "~/.cursor/permissions.json" },
    GateFile { name: "project-permissions", level: Level::Project, path: ".cursor/permissions.json" },
    GateFile { name: "sandbox", level: Level::User, path: "~/.cursor/sandbox.json" },
    GateFile { name: "project-sandbox", level: Level::Project, path: ".cursor/sandbox.json" },
    GateFile { name: "hooks", level: Level::User, path: "~/.cursor/hooks.json" },
    GateFile { name: "project-hooks", level: Level::Project, path: ".cursor/hooks.json" },
    GateFile { name: "managed-hooks", level: Level::Managed, path: "/etc/cursor/hooks.json" },
    GateFile { name: "ignore", level: Level::Project, path: ".cursorignore" },
];

const TERMINAL: [GateFile; 6] = [
    GateFile { name: "config", level: Level::User, path: "~/.cursor/cli-config.json" },
    GateFile { name: "project", level: Level::Project, path: ".cursor/cli.json" },
    GateFile { name: "hooks", level: Level::User, path: "~/.cursor/hooks.json" },
    GateFile { name: "project-hooks", level: Level::Project, path: ".cursor/hooks.json" },
    GateFile { name: "managed-hooks", level: Level::Managed, path: "/etc/cursor/hooks.json" },
    GateFile { name: "ignore", level: Level::Project, path: ".cursorignore" },
];

/// Which of the two agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surface {
    /// The one in the editor.
    Editor,
    /// The one on the command line.
    Terminal,
}

impl Surface {
    /// The file that a session's own approvals may be written to.
    fn own(self) -> &'static str {
        match self {
            Self::Editor => ".cursor/permissions.json",
            Self::Terminal => ".cursor/cli.json",
        }
    }
}

/// What kind of call an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Shell,
    Read,
    Write,
    Fetch,
    Mcp,
}

/// One entry of a list of what is allowed or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    effect: Effect,
    tool: Tool,
    /// The pattern.
    spec: String,
    /// As it is shown.
    text: String,
    place: Place,
    level: Level,
    /// Whether it is sure to be in force.
    sure: bool,
}

/// What happens to a call that no entry names, at its worst and at its best.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mode {
    worst: Decision,
    best: Decision,
    /// Where it is set, if a file sets it.
    place: Option<Place>,
}

/// A hook that may see a call. It is never run to learn its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hook {
    event: String,
    place: Place,
    level: Level,
    /// Whether it lets calls through when it fails.
    open: bool,
}

/// All settings of one session, merged.
#[derive(Clone, Debug)]
struct CursorPolicy {
    surface: Surface,
    ground: Ground,
    entries: Vec<Entry>,
    /// For shell commands, which a sandbox may run unasked.
    shell: Mode,
    /// For everything else.
    others: Mode,
    /// Whether it is known that no sandbox holds shell commands.
    unboxed: bool,
    hooks: Vec<Hook>,
    ignored: Ignored,
    /// Files that were not read, with the reason.
    unread: Vec<(String, GapReason)>,
    files: Vec<String>,
    notes: Vec<Note>,
}

impl GatePolicy for CursorPolicy {
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

    /// A hook that fails lets the call through, unless it sets `failClosed` (cursor.com/docs/agent/hooks).
    fn hooks_fail_open(&self) -> Option<bool> {
        let first = self.hooks.first()?.open;
        self.hooks.iter().all(|hook| hook.open == first).then_some(first)
    }
}

#[cfg(test)]
mod tests;
