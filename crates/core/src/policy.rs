//! What the user decided, as the answer needs it (floor 1). `deadstop.yaml` is read elsewhere; this is what it means.

use std::collections::BTreeMap;

use crate::model::Drill;
use crate::time::{Span, Time};
use crate::verdict::Rank;

/// Decisions that shape an assessment, all with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The moment the assessment speaks of; left out: the newest reading.
    pub assessed_at: Option<Time>,
    /// How long until a loss is noticed; left out: eight days, shown as assumed.
    pub time_to_notice: Option<Span>,
    /// How old a restore drill may be.
    pub drill_max_age: Span,
    /// How much older than the newest reading a fact may be.
    pub fact_max_age: Span,
    /// The rank that the fix plan brings every production asset to.
    pub target: Rank,
    /// Whether a fix plan is looked for, which takes far longer than the answers do.
    pub plans: bool,
    /// How names, accounts and projects map to environments, in the order of the file.
    pub environments: Vec<Environment>,
    /// What a session is meant to touch, by its key.
    pub intended: BTreeMap<String, Vec<Intended>>,
    /// Declared criticality, objectives and owners, by asset key.
    pub assets: BTreeMap<String, Declared>,
    /// Restores that the configuration records.
    pub drills: Vec<Drill>,
    /// Owners and dates of fixes, by fix key.
    pub fixes: BTreeMap<String, Assigned>,
    /// Whether the configuration may excuse: it was named by the user, not found in a scanned root.
    pub trusted: bool,
    /// Who the report is for and by.
    pub engagement: Engagement,
    /// Waivers of the built-in check `asset-would-survive-a-delete`.
    pub waivers: Vec<Waiver>,
}

/// One environment and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Its name; `production` is what the headline counts.
    pub name: String,
    /// Exact ids of assets or of containers above them.
    pub ids: Vec<String>,
    /// Name patterns, with `*` for any run of characters.
    pub patterns: Vec<String>,
}

/// A part of a provider that a session is meant to touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intended {
    /// The provider, if it is not any.
    pub provider: Option<String>,
    /// The id of an asset or of a container above it; left out, everything of that provider.
    pub id: Option<String>,
}

/// What was declared of an asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// `critical`, `high`, …
    pub criticality: Option<String>,
    /// How much data may be lost.
    pub rpo: Option<Span>,
    /// How long it may be gone.
    pub rto: Option<Span>,
    /// Who owns it.
    pub owner: Option<String>,
}

/// Who does a fix, and by when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assigned {
    /// Who.
    pub owner: Option<String>,
    /// By when.
    pub due: Option<String>,
}

/// Who the report is for and by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engagement {
    /// The organisation assessed.
    pub client: Option<String>,
    /// The assessor.
    pub assessor: Option<String>,
    /// The period.
    pub period: Option<String>,
    /// How the report may be handed on.
    pub handling: Option<String>,
}

/// An answer that someone accepted until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The check.
    pub check: String,
    /// The subject's key.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub approved_by: String,
    /// Until when.
    pub expires: Time,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            assessed_at: None,
            time_to_notice: None,
            drill_max_age: Span::days(90),
            fact_max_age: Span::days(30),
            target: Rank::Stopped,
            environments: Vec::new(),
            intended: BTreeMap::new(),
            assets: BTreeMap::new(),
            drills: Vec::new(),
            fixes: BTreeMap::new(),
            plans: true,
            trusted: true,
            engagement: Engagement::default(),
            waivers: Vec::new(),
        }
    }
}
