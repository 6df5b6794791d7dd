//! What is kept of a call.

use serde::Serialize;

/// One call as `calls.jsonl` lists it. No secret is part of it, nor anything that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The provider.
    pub provider: String,
    /// The operation.
    pub operation: String,
    /// The host.
    pub host: String,
    /// The credential that signed it, by its id in the bundle.
    pub credential: String,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// What became of a statement that a database was asked: `answered`, or why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// How long it took, all attempts together.
    pub milliseconds: u64,
}
