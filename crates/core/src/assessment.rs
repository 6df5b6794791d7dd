//! The answer, as `assessment.json` writes it (floor 1). Its own types: what scripts read changes only on purpose.

mod tally;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fact::GapReason;
use crate::model::Basis;
use crate::time::{Span, Time};
use crate::verdict::{Answer, LayerName, LayerState, Prevention, Rank, Recovery};

pub use tally::{DecidedCall, SessionTally, TallyCounts, WayTally};

/// The schema name that every assessment carries.
pub const SCHEMA: &str = "deadstop.assessment/1";

/// Everything that was answered, with the evidence for each word of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assessment {
    /// `deadstop.assessment/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// The moment it speaks of: the newest reading, unless another was given.
    pub assessed_at: Time,
    /// What it is about, for the report's margin.
    pub subject: Subject,
    /// The answer to the question.
    pub headline: Headline,
    /// Every asset, worst first.
    pub assets: Vec<AssetAnswer>,
    /// Delete paths: per asset and session the worst one for each distinct vector of states.
    pub paths: Vec<PathAnswer>,
    /// Every credential found.
    pub credentials: Vec<CredentialRow>,
    /// Every session.
    pub sessions: Vec<SessionRow>,
    /// Verdicts of checks.
    pub findings: Vec<Finding>,
    /// The checks that gave them, by id.
    #[serde(default)]
    pub checks: Vec<CheckRow>,
    /// What would help, and the plan of least effort.
    pub fixes: FixPlan,
    /// What could not be read.
    pub gaps: Vec<GapRow>,
    /// What was read.
    pub evidence: Vec<Evidence>,
    /// What was taken for granted, in sentences.
    pub assumed: Vec<String>,
    /// Answers that the configuration raised or left out, in sentences.
    pub notes: Vec<String>,
    /// How many layer states rest on which basis.
    pub basis: BTreeMap<String, usize>,
    /// What each `stopped` covers.
    pub covers: Covers,
    /// SHA-256 of the facts that it follows from, in hex.
    pub facts_sha256: String,
    /// The tabletop exercise, once one is recorded.
    pub tabletop: Option<serde_json::Value>,
}

/// The program that wrote a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `deadstop`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What an assessment is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// The organisation, if `deadstop.yaml` or the world names one.
    pub client: Option<String>,
    /// Who assesses.
    pub assessor: Option<String>,
    /// The period.
    pub period: Option<String>,
    /// How the report may be handed on.
    pub handling: Option<String>,
    /// The story of a built-in world: its title.
    pub title: Option<String>,
    /// The story of a built-in world: its paragraphs.
    pub story: Vec<String>,
    /// The story of a built-in world: the public record it is made from.
    pub references: Vec<String>,
}

/// The literal answer to the question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Headline {
    /// The worst answer that is not unknown, else `unknown`.
    pub answer: Answer,
    /// The answer in full.
    pub sentence: String,
    /// Its first word or words, which the report sets apart: `Nothing`, `Nothing that we could read`, `Unknown`.
    pub lead: String,
    /// What follows the lead in the first sentence: `for 3 of 7 production assets`.
    pub rest: String,
    /// The sentences after the first.
    pub detail: Vec<String>,
    /// How many assets the headline is about.
    pub of: usize,
    /// How many of these were only assumed to be production.
    pub assumed: usize,
    /// How many assets have which answer.
    pub counts: Counts,
    /// What any other program of this user meets, where agents were found.
    pub plain: Option<String>,
}

/// How many assets of the headline have which answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Nothing stops it, nothing brings it back.
    pub nothing: usize,
    /// Nothing stops it, a copy survives.
    pub recoverable: usize,
    /// Something slows it.
    pub slowed: usize,
    /// It stops.
    pub stopped: usize,
    /// It depends on what could not be read.
    pub unknown: usize,
}

/// The answer for one asset: that of its worst path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetAnswer {
    /// A display number: `A1`.
    pub id: String,
    /// The provider's own id.
    pub key: String,
    /// The provider.
    pub provider: String,
    /// The provider's kind.
    pub kind: String,
    /// The class, across providers.
    pub class: String,
    /// Its name.
    pub name: String,
    /// The provider's tree above it, nearest last.
    pub place: Vec<String>,
    /// What is in it.
    pub holds: Option<String>,
    /// Its environment, if known.
    pub environment: Option<String>,
    /// Whether it counts as production only because its environment is not known.
    pub assumed_environment: bool,
    /// Whether the headline counts it.
    pub in_headline: bool,
    /// The answer.
    pub answer: Answer,
    /// The worst and the best it may be; equal unless the answer is unknown.
    pub bounds: [Rank; 2],
    /// Where it is rated, once RPO and RTO are counted.
    pub rated: Rank,
    /// What stops the call, at its worst reading.
    pub prevention: Prevention,
    /// What brings it back, at its worst reading.
    pub recovery: Recovery,
    /// Whether what comes back lies outside the declared RPO or RTO.
    pub outside_rpo_rto: bool,
    /// The answer in one sentence.
    pub sentence: String,
    /// A few words that stand below the answer.
    pub aside: String,
    /// The worst path, if there is one.
    pub worst_path: Option<String>,
    /// The paths shown.
    pub paths: Vec<String>,
    /// How many there are in all.
    pub paths_total: usize,
    /// The six layers of the worst path; for an asset without a path, where it stops.
    pub layers: Vec<Layer>,
    /// The gaps that would settle it: their ids.
    pub settled_by: Vec<String>,
    /// The bounds for any other program of this user, where agents were found.
    pub plain_bounds: Option<[Rank; 2]>,
    /// Declared criticality.
    pub criticality: Option<String>,
    /// Declared owner.
    pub owner: Option<String>,
    /// Declared recovery point objective.
    pub rpo: Option<Span>,
    /// Declared recovery time objective.
    pub rto: Option<Span>,
    /// Its copies.
    pub recovery_points: Vec<CopyRow>,
}

/// A copy as the report lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopyRow {
    /// The provider's own id.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Whether it outlives the delete.
    pub survives: LayerState,
    /// Whether it was restored.
    pub restored: LayerState,
    /// Why, in a sentence.
    pub because: String,
    /// When it ends, in words.
    pub ends: Option<String>,
}

/// One delete path: session, credential, principals, action, asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PathAnswer {
    /// A display number: `P1`.
    pub id: String,
    /// A hash of session, last principal, action and asset keys.
    pub key: String,
    /// The session's display number.
    pub session: String,
    /// The credential's display number, if the chain begins with one.
    pub credential: Option<String>,
    /// The chain of identities, the acting one last.
    pub principals: Vec<String>,
    /// The provider's operation.
    pub action: String,
    /// What the caller chooses, at its worst.
    pub chosen: Option<String>,
    /// What the operation does, in a sentence.
    pub action_because: String,
    /// The node the operation is called on, if that is not the asset itself.
    pub on: Option<String>,
    /// The way by which the call is issued.
    pub way: Option<String>,
    /// The asset's display number.
    pub asset: String,
    /// The answer of this path.
    pub answer: Answer,
    /// The worst and the best it may be.
    pub bounds: [Rank; 2],
    /// Whether it depends on an agent's own gate or sandbox.
    pub rests_on_agent: bool,
    /// The six layers, in order.
    pub layers: Vec<Layer>,
    /// The chain in words, one hop each.
    pub chain: Vec<String>,
    /// Seconds to destroy, if known.
    pub destroys_in: Option<Span>,
}

/// The state of one layer on one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// Which layer.
    pub layer: LayerName,
    /// Its state.
    pub state: LayerState,
    /// How well it is founded.
    pub basis: Basis,
    /// Why, in a few words.
    pub because: String,
    /// The step that changes something and gets past it, if it only slows.
    pub bypass: Option<String>,
    /// The gaps it depends on, if it is unknown: their display numbers.
    pub gaps: Vec<String>,
    /// The evidence: display numbers.
    pub evidence: Vec<String>,
}

/// A credential as the report lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialRow {
    /// A display number: `C1`.
    pub id: String,
    /// Stable between runs.
    pub key: String,
    /// The provider.
    pub provider: String,
    /// The provider's kind.
    pub kind: String,
    /// The public id that the provider gives it.
    pub public_id: Option<String>,
    /// A fingerprint of its secret under a key that the user holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// When it ends, or ended, by its own account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// `live`, `revoked` or `unverified`.
    pub status: String,
    /// Who it authenticates as, if known.
    pub identity: Option<String>,
    /// What it acts on, in words.
    pub scope: Option<String>,
    /// Its environment, if known.
    pub environment: Option<String>,
    /// Where it lies.
    pub locations: Vec<LocationRow>,
    /// The sessions that get hold of it: display numbers.
    pub sessions: Vec<String>,
    /// How many headline assets it can destroy at the worst reading.
    pub destroys: usize,
}

/// Where a credential lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct LocationRow {
    /// `file`, `environment`, …
    pub kind: String,
    /// The path.
    pub path: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The name it has there.
    pub key: Option<String>,
}

/// A session as the report lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionRow {
    /// A display number: `S1`.
    pub id: String,
    /// Stable between runs.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Which agent it is.
    pub agent: String,
    /// The environment it is meant to touch.
    pub environment: Option<String>,
    /// The folders it reads.
    pub roots: Vec<String>,
    /// Whether the headline counts it.
    pub counted: bool,
    /// Its gate, way by way.
    pub ways: Vec<WayRow>,
    /// Files with credentials that one of its ways does not show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptRow>,
    /// What its gate decides on the built-in corpus of destructive calls, if that was asked. No answer rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tally: Option<SessionTally>,
}

/// A file with a credential that a session is refused by one of its ways or more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct KeptRow {
    /// The file.
    pub path: String,
    /// The ways that do not show it.
    pub refused_by: Vec<String>,
    /// The rule that refuses, and where it stands.
    pub because: String,
    /// The ways that still may read it. None is no way that is known.
    pub still_read_by: Vec<String>,
    /// Steps that lift the refusal.
    pub lifted_by: Vec<String>,
}

/// One way of a session as the report lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WayRow {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// `deny`, `ask`, `reviewed`, `allow` or `unknown`.
    pub decision: String,
    /// Whether a sandbox keeps it from the network: `yes`, `no` or `unknown`.
    pub contained: String,
    /// Whether someone other than the user sets the gate.
    pub managed: bool,
    /// The deciding rule.
    pub rule: Option<String>,
    /// Where the rule stands, as `path:line`.
    pub source: Option<String>,
    /// Why, in a sentence.
    pub because: String,
    /// What gets past it.
    pub overridable_by: Vec<String>,
}

/// A check's verdict on one subject. There may be a million: what many of them say alike, they share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The check.
    pub check: SmolStr,
    /// The checklist item.
    pub item: SmolStr,
    /// The subject's key.
    pub subject: SmolStr,
    /// What the subject is: `asset`, `credential`, `session`, `principal`, `environment`, `recovery_point` or `path`.
    #[serde(default)]
    pub subject_kind: SmolStr,
    /// The subject's name, for people.
    #[serde(default)]
    pub subject_name: SmolStr,
    /// `pass`, `fail`, `unknown` or `not_applicable`.
    pub verdict: SmolStr,
    /// `critical`, `high`, `medium`, `low` or `info`.
    pub severity: SmolStr,
    /// In a sentence.
    pub message: String,
    /// The waiver that covers it: who accepted it, why and until when, in a sentence.
    pub waiver: Option<String>,
    /// Display numbers.
    pub evidence: Arc<[String]>,
    /// Where it can be seen in a file, if it can.
    #[serde(default)]
    pub location: Option<Arc<LocationRow>>,
}

/// A check that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckRow {
    /// Its id.
    pub id: String,
    /// The desired state of one subject.
    pub title: String,
    /// The checklist item that it belongs to.
    pub item: String,
    /// The kind of its subjects.
    pub subject: String,
    /// `critical`, `high`, `medium`, `low` or `info`.
    pub severity: String,
    /// Why it matters.
    pub why: String,
    /// What to do where it fails.
    pub fix: String,
    /// Where the rule comes from.
    pub references: Vec<String>,
    /// The controls that it gives evidence for: framework to control ids.
    pub maps_to: BTreeMap<String, Vec<String>>,
}

/// What would help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FixPlan {
    /// The answer that the plan brings every production asset to.
    pub target: String,
    /// Whether the plan was shown to reach the target.
    pub reached: bool,
    /// Whether no plan of less total effort does.
    pub optimal: bool,
    /// No plan has fewer total effort points than this.
    pub at_least: u32,
    /// The plan: display numbers, in the order to take them.
    pub minimal: Vec<String>,
    /// Every candidate.
    pub all: Vec<Fix>,
    /// Why no plan reaches the target, if none does.
    pub short_of: Option<String>,
}

/// One candidate change, which may be several that only work together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// A display number: `F1`.
    pub id: String,
    /// Stable between runs.
    pub key: String,
    /// What kind of change it is.
    pub kind: String,
    /// What to do, in a sentence.
    pub title: String,
    /// Why and how, in a few sentences.
    pub detail: String,
    /// Effort, from 1 (an hour) to 8 (a week).
    pub effort: u32,
    /// The effort in words.
    pub effort_words: String,
    /// The paths that reach the target with this change alone: display numbers.
    pub closes: Vec<String>,
    /// The assets that reach the target with this change alone: display numbers.
    pub closes_assets: Vec<String>,
    /// The layer it adds to.
    pub layer: LayerName,
    /// Something to paste: a policy, a setting, a command.
    pub artefact: Option<String>,
    /// How to see that it worked.
    pub proves: Option<String>,
    /// Declared owner.
    pub owner: Option<String>,
    /// Declared date.
    pub due: Option<String>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GapRow {
    /// A display number: `U1`.
    pub id: String,
    /// What kind of not knowing.
    pub reason: GapReason,
    /// What was asked.
    pub asked: String,
    /// Of what.
    pub scope: Option<String>,
    /// What came back, in words.
    pub came_back: String,
    /// The least that would answer it.
    pub settle: Option<String>,
    /// The assets whose answer it decides: display numbers.
    pub decides: Vec<String>,
    /// The layers it leaves unknown.
    pub layers: Vec<LayerName>,
}

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// A display number: `E1`.
    pub id: String,
    /// The provider asked.
    pub provider: Option<String>,
    /// The call made or the file read.
    pub operation: String,
    /// Of what.
    pub scope: Option<String>,
    /// When.
    pub at: Time,
    /// A redacted excerpt.
    pub excerpt: Option<String>,
    /// `path:line`.
    pub place: Option<String>,
}

/// What a `stopped` covers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Covers {
    /// Sessions.
    pub sessions: Vec<String>,
    /// Their folders.
    pub roots: Vec<String>,
    /// Accounts and other containers.
    pub scopes: Vec<String>,
    /// Kinds of asset.
    pub kinds: Vec<String>,
    /// Actions.
    pub actions: Vec<String>,
}
