//! A call as a gate sees it, and what the gate says to it (floor 2). Every agent's gate speaks in these.

use super::{Level, Place};
use crate::fact::GapReason;
use crate::id::CredentialId;
use crate::model::Decision;

/// A call as the gate sees it. Agents differ in what they do with one, not in what there is to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A shell command line.
    Shell {
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
    Fetch {
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

impl Call {
    /// A shell command line.
    #[must_use]
    pub fn shell(command: &str) -> Self {
        Self::Shell { command: command.to_owned() }
    }
}

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

/// How an open question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// So that the call runs.
    Worst,
    /// So that it does not.
    Best,
}

/// A rule that a decision rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cited {
    /// What it does.
    pub effect: Effect,
    /// As written, with nothing in it that may be a secret.
    pub text: String,
    /// Whose it is.
    pub level: Level,
    /// Whether it covers every call of its tool.
    pub whole: bool,
}

/// What a decision rests on, and whose word that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A rule.
    Rule(Cited),
    /// The mode, or another setting for every call.
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

    /// Why, in a sentence: both answers where they differ.
    #[must_use]
    pub fn because(&self) -> String {
        if self.known().is_some() || self.worst.because == self.best.because {
            return self.worst.because.clone();
        }
        format!("at worst {}; at best {}", self.worst.because, self.best.because)
    }
}

/// The freest answer over several calls, at its worst and at its best.
pub(super) fn freest(decisions: impl IntoIterator<Item = GateDecision>) -> Option<GateDecision> {
    decisions.into_iter().reduce(|mut freest, next| {
        if next.best.decision > freest.best.decision {
            freest.best = next.best;
            freest.overridable_by = next.overridable_by;
        }
        if next.worst.decision > freest.worst.decision {
            freest.worst = next.worst;
            freest.doubt = next.doubt.or(freest.doubt);
        }
        freest
    })
}

/// A server that a session may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpServer {
    /// Its name in the settings.
    pub name: String,
    /// Its tools, if known.
    pub tools: Option<Vec<String>>,
    /// The credentials that it uses on the session's word.
    pub credentials: Vec<CredentialId>,
    /// The file that names it.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
}

impl McpServer {
    /// Whether it may be one that shows files: what its tools show is not known, so a name that hints at it is enough.
    pub(super) fn shows_files(&self) -> bool {
        let about_files = ["file", "fs", "shell", "desktop", "commander", "terminal", "exec", "code", "git"];
        let lower = self.name.to_lowercase();
        about_files.iter().any(|word| lower.contains(word))
    }
}
