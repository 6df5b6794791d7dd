//! The facts bundle: reading, merging and writing it (floor 1).
//!
//! Merging keeps every reading and decides nothing, so it is commutative, associative and idempotent. Which of two
//! readings counts is decided when the facts are resolved (`world`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assessment::Tool;
use crate::fact::Listing;
use crate::model::{Action, Asset, Copy, Credential, Drill, Grant, Principal, Protection, Session, Source, Step, Way};
use crate::time::Time;

/// The schema name that every bundle carries.
pub const SCHEMA: &str = "deadstop.facts/1";

/// Everything that was read, redacted: the only thing that crosses from the world to the answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// `deadstop.facts/1`.
    pub schema: String,
    /// The newest reading in it.
    pub collected_at: Time,
    /// What wrote it.
    pub tool: Tool,
    /// The machine whose sessions it holds: any name that no other machine has. Left out by a collector without
    /// sessions, and once bundles were merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The story of a built-in world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<Story>,
    /// Every question asked.
    pub sources: Vec<Source>,
    /// Actors.
    pub sessions: Listing<Session>,
    /// How sessions may issue calls.
    pub ways: Listing<Way>,
    /// What providers accept.
    pub credentials: Listing<Credential>,
    /// Identities.
    pub principals: Listing<Principal>,
    /// Rights.
    pub grants: Listing<Grant>,
    /// What widens power.
    pub steps: Listing<Step>,
    /// What can be lost.
    pub assets: Listing<Asset>,
    /// What guards it.
    pub protections: Listing<Protection>,
    /// What brings it back.
    pub recovery_points: Listing<Copy>,
    /// Restores that were tried.
    pub drills: Listing<Drill>,
    /// Provider operations beyond the built-in catalogue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// What a built-in world tells, and the public record it is made from. All names are invented.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// The invented organisation.
    pub client: String,
    /// The world in a line.
    pub title: String,
    /// What happened, in paragraphs.
    pub paragraphs: Vec<String>,
    /// The public record.
    pub references: Vec<String>,
}

/// A bundle that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not JSON, or not a bundle.
    #[error("line {line}, column {column}: {message}")]
    Malformed {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A schema of another kind or a newer version.
    #[error("the schema is `{0}`, and this version reads `{SCHEMA}`")]
    Schema(String),
    /// An id that is referred to and not there.
    #[error("{what} `{from}` refers to {kind} `{to}`, which is not in the bundle")]
    Dangling {
        /// The kind of the referring item.
        what: &'static str,
        /// Its id.
        from: String,
        /// The kind of the missing item.
        kind: &'static str,
        /// Its id.
        to: String,
    },
}

impl Bundle {
    /// A bundle with nothing in it and nothing missing from it.
    #[must_use]
    pub fn empty(collected_at: Time, version: &str) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            collected_at,
            tool: Tool { name: "deadstop".to_owned(), version: version.to_owned() },
            machine: None,
            story: None,
            sources: Vec::new(),
            sessions: Listing::empty(),
            ways: Listing::empty(),
            credentials: Listing::empty(),
            principals: Listing::empty(),
            grants: Listing::empty(),
            steps: Listing::empty(),
            assets: Listing::empty(),
            protections: Listing::empty(),
            recovery_points: Listing::empty(),
            drills: Listing::empty(),
            actions: Vec::new(),
        }
    }
}

/// Reads one bundle from JSON text and gives every session, way and place the name of its machine.
///
/// # Errors
/// If it is not a bundle of this version, or refers to something that is not in it.
pub fn parse(_text: &str) -> Result<Bundle, BundleError> {
    unimplemented!()
}

/// Joins bundles. Every reading is kept; the order and the number of times a bundle is given do not matter.
#[must_use]
pub fn merge(_bundles: &[Bundle]) -> Bundle {
    unimplemented!()
}

/// The bundle as JSON text: sorted, two spaces, a newline at the end.
#[must_use]
pub fn to_json(_bundle: &Bundle) -> String {
    unimplemented!()
}
