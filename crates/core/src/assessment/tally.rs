//! What a session's gate decides on the built-in corpus of destructive calls, as `assessment.json` writes it (floor 1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The decisions of a session's gate on the corpus, counted. No answer rests on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionTally {
    /// The corpus, by a short hash of it: two tallies can be compared only if it is the same.
    pub corpus: String,
    /// All calls of it.
    pub total: TallyCounts,
    /// One row for each class of ways by which the corpus issues calls.
    pub rows: Vec<WayTally>,
    /// Where the rules and hooks stand that decide on them, as `path:line`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
}

/// How many calls meet which decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TallyCounts {
    /// All of them.
    pub calls: u32,
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
}

/// The decisions on the calls of one class of ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WayTally {
    /// `cli`, `http`, `sdk`, `iac`, `sql`, `mcp`, `script` or `file`.
    pub way: String,
    /// How many meet which decision.
    pub counts: TallyCounts,
    /// The freest of them, each for another reason.
    pub examples: Vec<DecidedCall>,
}

/// One call, with what decides on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecidedCall {
    /// Its id in the corpus.
    pub id: String,
    /// The call.
    pub call: String,
    /// `deny`, `ask`, `reviewed`, `allow` or `unknown`.
    pub decision: String,
    /// The freest and the strictest decision that the settings leave possible; equal unless it is unknown.
    pub bounds: [String; 2],
    /// Whether a sandbox keeps it from the network: `yes`, `no` or `unknown`.
    pub contained: String,
    /// The deciding rule.
    pub rule: Option<String>,
    /// Where it stands, as `path:line`.
    pub source: Option<String>,
    /// Why, in a sentence.
    pub because: String,
}
