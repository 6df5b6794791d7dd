//! The gate of Claude Code (floor 2).
//!
//! It follows the documentation at code.claude.com as of version 2.1.240. Every question that the documentation leaves
//! open is answered twice, at its worst and at its best; [`GateDecision`] holds both.

mod bash;
mod decide;
mod hook;
mod mcp;
mod refusal;
mod sandbox;
mod settings;
mod shown;
mod step;
mod table;
mod ways;

use crate::fact::GapReason;
use crate::gate::{Level, Place};
use crate::model::Decision;

pub use decide::decide;
pub use mcp::McpServer;
pub use refusal::refusals;
pub use sandbox::Sandbox;
pub use settings::parse;
pub use ways::ways;

/// What a rule does with a call that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Refuse.
    Deny,
    /// Ask a person.
    Ask,
    /// Let it run.
    Allow,
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

/// A hook that is run before a tool is used. It is never run to learn its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The tools that it is for; none is all.
    pub matcher: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// Whose it is.
    pub level: Level,
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

/// Where the session stands, for rules that name paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// The user's home, as an absolute path.
    pub home: Option<String>,
    /// The folder that the session starts in, as an absolute path.
    pub root: String,
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

/// Something in the settings that does not do what it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub place: Place,
    /// What, in a sentence.
    pub text: String,
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
    /// Hooks before tool use that are not switched off.
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
}

/// A call as the gate sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A shell command line.
    Bash {
        /// The command line.
        command: String,
    },
    /// The agent's own tool reads a file.
    Read {
        /// Its path, absolute or under `~`.
        path: String,
    },
    /// The agent's own tool writes a file.
    Edit {
        /// Its path, absolute or under `~`.
        path: String,
    },
    /// The agent fetches a page.
    WebFetch {
        /// The host.
        domain: String,
    },
    /// The agent calls a tool of an MCP server.
    Mcp {
        /// The server.
        server: String,
        /// The tool.
        tool: String,
    },
}

/// What a decision rests on, and whose word that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A rule.
    Rule(Rule),
    /// The mode.
    Mode(Option<Level>),
    /// A hook.
    Hook(Level),
    /// A fixed behaviour of the agent.
    BuiltIn,
    /// Settings that were not read.
    Unread,
}

/// One answer of the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What it does.
    pub decision: Decision,
    /// What that rests on.
    pub basis: Basis,
    /// Where that stands.
    pub place: Option<Place>,
    /// Why, in a sentence without a full stop.
    pub because: String,
}

/// Why a decision is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// A short name for it, unique among the doubts of one policy.
    pub id: String,
    /// What kind of not knowing it is.
    pub reason: GapReason,
    /// What was asked.
    pub question: String,
    /// What would settle it.
    pub settle: String,
    /// Where it comes from.
    pub place: Option<Place>,
}

/// What the gate does with a call, at its worst and at its best. If both agree it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateDecision {
    /// The freest answer that the settings leave possible.
    pub worst: Ruling,
    /// The strictest answer that they leave possible.
    pub best: Ruling,
    /// Why the two differ.
    pub doubt: Option<Doubt>,
    /// Whether the operating system keeps the call from the network, if known.
    pub contained: Option<bool>,
    /// What the session may change to get another answer; empty if an administrator has fixed it.
    pub overridable_by: Vec<String>,
}

impl GateDecision {
    /// The decision, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<Decision> {
        (self.worst.decision == self.best.decision).then_some(self.worst.decision)
    }

    /// The deciding rule as written, if a rule decides.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        match &self.worst.basis {
            Basis::Rule(rule) => Some(&rule.text),
            Basis::Mode(_) | Basis::Hook(_) | Basis::BuiltIn | Basis::Unread => None,
        }
    }
}

#[cfg(test)]
mod tests;
