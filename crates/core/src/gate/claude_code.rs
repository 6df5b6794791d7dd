//! The gate of Claude Code (floor 2).
//!
//! It follows the documentation at code.claude.com as of version 2.1.240. Every question that the documentation leaves
//! open is answered twice, at its worst and at its best; [`GateDecision`] holds both.

mod bash;
mod decide;
mod definition;
mod hook;
mod mcp;
mod refusal;
mod sandbox;
mod settings;
mod step;
mod table;
mod ways;

use crate::fact::GapReason;
use crate::gate::{
    AgentGate, Call, Effect, FileText, GateDecision, GateFile, GatePolicy, Ground, Level, McpServer, Note, Place,
};
use crate::id::SessionId;
use crate::model::{Agent, Refusal, Source, Way};
use crate::time::Time;

pub use sandbox::Sandbox;

/// The gate of Claude Code.
#[derive(Clone, Copy, Debug)]
pub struct ClaudeCode;

impl AgentGate for ClaudeCode {
    fn id(&self) -> &'static str {
        "claude-code"
    }

    fn agent(&self) -> Agent {
        Agent::ClaudeCode
    }

    fn name(&self) -> &'static str {
        "Claude Code"
    }

    fn files(&self) -> &'static [GateFile] {
        &FILES
    }

    fn serves(&self, file: &str) -> bool {
        let name = file.rsplit('/').next().unwrap_or(file);
        matches!(name, ".mcp.json" | ".claude.json" | "managed-mcp.json")
            || file.split('/').any(|part| part == ".claude")
    }

    fn parse(&self, files: &[FileText], ground: &Ground) -> Box<dyn GatePolicy> {
        Box::new(settings::parse(files, ground))
    }
}

const FILES: [GateFile; 5] = [
    GateFile { name: "managed", level: Level::Managed, path: "/etc/claude-code/managed-settings.json" },
    GateFile { name: "local", level: Level::Local, path: ".claude/settings.local.json" },
    GateFile { name: "project", level: Level::Project, path: ".claude/settings.json" },
    GateFile { name: "user", level: Level::User, path: "~/.claude/settings.json" },
    GateFile { name: "state", level: Level::State, path: "~/.claude.json" },
];

impl GatePolicy for ClaudePolicy {
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
        refusal::refusals(self, session, servers, path)
    }

    fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn brings(&self) -> Option<&Place> {
        self.plugin.as_ref()
    }

    /// Only exit 2, or a decision that it writes, blocks (code.claude.com/docs/en/hooks), but where it is told otherwise. Which
    /// version is installed is not read.
    fn hooks_fail_open(&self) -> Option<bool> {
        let mut hooks = self.hooks.iter().filter(|hook| hook.event != Event::Definition).peekable();
        if hooks.peek().is_some() && hooks.all(|hook| hook.holds) { None } else { Some(true) }
    }
}

/// One entry of `permissions.deny`, `ask` or `allow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it does.
    pub effect: Effect,
    /// The tool that it names.
    pub tool: String,
    /// What stands in its parentheses.
    pub spec: Option<String>,
    /// As written.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// Whose it is.
    pub level: Level,
    /// Whether it is sure to be in force: its file is sure to be read, and its folder is trusted.
    pub certain: bool,
}

/// What happens to a call that no rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// `default`, also called `manual`: a person is asked.
    Default,
    /// Edits in the working folders run.
    AcceptEdits,
    /// Planning. What runs depends on what else the session may switch to.
    Plan,
    /// A model decides.
    Auto,
    /// What would be asked is refused.
    DontAsk,
    /// Everything runs.
    Bypass,
}

/// A mode that the session may start in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The mode.
    pub mode: Mode,
    /// Where it is set; nowhere for the built-in one.
    pub place: Option<Place>,
    /// By whom.
    pub level: Option<Level>,
}

/// What may answer a call besides rules and the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A `PreToolUse` hook: it may refuse a call, or let run what the mode would ask about.
    BeforeUse,
    /// A `PermissionRequest` hook: it may answer any prompt in a person's stead (code.claude.com/docs/en/hooks).
    OnPrompt,
    /// A subagent, skill or command that brings its own mode or tools (`permissionMode`, `allowed-tools`): what the
    /// mode would ask about may run while it is at work (code.claude.com/docs/en/sub-agents, …/skills).
    Definition,
}

/// A hook, or what stands in for one. It is never run to learn its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// When it speaks.
    pub event: Event,
    /// The tools that it is for; none is all.
    pub matcher: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// Whose it is.
    pub level: Level,
    /// Whether all that it runs is told to refuse where it fails: `onFailure: "block"`, which versions before 2.1.295 pass over.
    pub holds: bool,
}

/// What an administrator has taken out of everybody else's hands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// Only managed rules count.
    pub rules: bool,
    /// Only managed hooks run.
    pub hooks: bool,
    /// The starting mode is managed, and neither bypass nor auto can be chosen instead.
    pub mode: bool,
    /// The sandbox cannot be used to let commands run unasked.
    pub sandbox: bool,
}

/// Settings that could not be read and may say anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The file.
    pub path: String,
    /// Whose settings it holds.
    pub level: Level,
    /// Why it was not read.
    pub reason: GapReason,
}

/// All settings of one session, merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaudePolicy {
    /// Where the session stands.
    pub ground: Ground,
    /// The rules, managed ones first.
    pub rules: Vec<Rule>,
    /// The modes that the session may start in; one if that is known.
    pub starts: Vec<Start>,
    /// Hooks that may answer a call and are not switched off.
    pub hooks: Vec<Hook>,
    /// The operating-system sandbox around shell commands.
    pub sandbox: Sandbox,
    /// Which servers of the project's `.mcp.json` are switched off.
    pub disabled_servers: Vec<(String, Place, Level)>,
    /// Folders beside the starting one in which files are read without asking, and whether that is sure.
    pub folders: Vec<(String, bool)>,
    /// What an administrator has fixed.
    pub locks: Locks,
    /// Whether bypass cannot be chosen.
    pub no_bypass: bool,
    /// Whether auto cannot be chosen.
    pub no_auto: bool,
    /// Settings that were not read.
    pub unread: Vec<Unread>,
    /// Files that were read.
    pub files: Vec<(String, Level)>,
    /// What is worth saying about the settings.
    pub notes: Vec<Note>,
    /// The first plugin that is switched on.
    pub plugin: Option<Place>,
}

#[cfg(test)]
mod tests;
