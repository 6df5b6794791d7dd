//! What a session's gate decides on the built-in corpus of destructive calls (floor 0).
//!
//! It is information beside the answer: no answer rests on it, for a gate is judged by its ways.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reach::Decision;

/// How a destructive call is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WayClass {
    /// A command-line client of the provider.
    Cli,
    /// A request to the provider's API, by a program that sends requests.
    Http,
    /// A line or two of code on a client library, given to an interpreter.
    Sdk,
    /// An infrastructure-as-code client.
    Iac,
    /// A statement to a database.
    Sql,
    /// A tool of an MCP server.
    Mcp,
    /// A script or a task, whose text is in a file.
    Script,
    /// Files of this machine: removed, overwritten, or written so that something else destroys.
    File,
}

/// The decisions of a session's gate on the corpus, counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// The corpus, by a short hash of it: two tallies can be compared only if it is the same.
    pub corpus: String,
    /// One row for each class of ways by which the corpus issues calls.
    pub rows: Vec<TallyRow>,
    /// The rules and hooks that decide on them, the weak ones of each kind first. Left out where part of the settings was not
    /// read, and by whoever does not look for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<TallyRule>>,
}

/// What a rule is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// It lets calls run unasked.
    Allow,
    /// It refuses calls, or has a person asked.
    Refuse,
    /// A program that is asked, and is not run to learn its answer.
    Hook,
}

/// A rule or a hook that decides on calls of the corpus.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TallyRule {
    /// What it is there for.
    pub kind: RuleKind,
    /// As written, without what may be a secret.
    pub rule: String,
    /// Where it stands, as `path:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Whether it is weak: one that allows lets a call of the corpus run, one that refuses is gone around by the same call in
    /// other words, a hook that fails lets the call through. Left out where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak: Option<bool>,
    /// A call that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// What is decided on that call, where it is one decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// On how many calls of the corpus it decides.
    pub calls: u32,
}

/// The decisions on the calls of one class of ways.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TallyRow {
    /// How the calls are issued.
    pub way: WayClass,
    /// How many run.
    pub allow: u32,
    /// On how many a model decides.
    pub reviewed: u32,
    /// On how many a person is asked.
    pub ask: u32,
    /// How many are refused.
    pub deny: u32,
    /// How many are open between two decisions.
    pub unknown: u32,
    /// How many a sandbox is sure to keep from the network.
    pub contained: u32,
    /// The freest of them, each for another reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<TallyExample>,
}

/// One call of the corpus, with what decides on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TallyExample {
    /// Its id in the corpus.
    pub id: String,
    /// The call.
    pub call: String,
    /// The freest decision that the settings leave possible.
    pub worst: Decision,
    /// The strictest decision that they leave possible.
    pub best: Decision,
    /// Whether a sandbox keeps it from the network; left out where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contained: Option<bool>,
    /// The deciding rule, as written and without what may be a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where it stands, as `path:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Why, in a sentence.
    pub because: String,
}
