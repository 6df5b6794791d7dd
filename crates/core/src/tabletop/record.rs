//! What people write down in the room: `tabletop.yaml` (floor 3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::inject::Trigger;
use super::{SCHEMA, digest};
use crate::assessment::Assessment;
use crate::time::{Span, Time};

/// `tabletop.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// `deadstop.tabletop/1`.
    pub schema: String,
    /// The digest of the facts that it was written from.
    pub assessment: String,
    /// When, and who.
    pub exercise: Exercise,
    /// What was told, with the answers.
    #[serde(default)]
    pub injects: Vec<Answered>,
    /// What was seen.
    #[serde(default)]
    pub observations: Vec<Observation>,
    /// What is done about it.
    #[serde(default)]
    pub improvement_plan: Vec<Action>,
}

/// When it was held, by whom and to what end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// The day: `2026-11-20`.
    #[serde(default)]
    pub date: Option<String>,
    /// How long it took, in minutes.
    #[serde(default)]
    pub duration_min: Option<u32>,
    /// The story in a sentence.
    #[serde(default)]
    pub scenario: Option<String>,
    /// Who leads it.
    #[serde(default)]
    pub facilitator: Option<String>,
    /// Who writes.
    #[serde(default)]
    pub scribe: Option<String>,
    /// Who takes part.
    #[serde(default)]
    pub players: Vec<Player>,
    /// What should be known afterwards.
    #[serde(default)]
    pub objectives: Vec<String>,
}

/// Someone who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Player {
    /// The name.
    pub name: String,
    /// What for.
    #[serde(default)]
    pub role: String,
}

/// An inject with its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// `I-01`.
    pub id: String,
    /// What it is about.
    pub trigger: Trigger,
    /// The path's `key` in the assessment.
    pub path: String,
    /// A hash of the facts that it told.
    pub facts_hash: String,
    /// The questions.
    #[serde(default)]
    pub questions: Vec<Answer>,
}

/// A question with its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `I-01-Q1`.
    pub id: String,
    /// The question.
    pub ask: String,
    /// What was said; empty is printed as "No answer recorded".
    #[serde(default)]
    pub answer: String,
    /// Who said it.
    #[serde(default)]
    pub by: String,
    /// `P` performed without challenges, `S` with some, `M` with major ones, `U` unable to be performed.
    #[serde(default)]
    pub rating: String,
}

/// Something that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// `O-01`.
    pub id: String,
    /// `strength` or `improve`.
    pub kind: String,
    /// What.
    pub text: String,
    /// During which injects.
    #[serde(default)]
    pub injects: Vec<String>,
}

/// A line of the improvement plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// `IP-1`.
    pub id: String,
    /// The observation that it answers.
    #[serde(default)]
    pub observation: Option<String>,
    /// The key of the fix that it is, if it is one.
    #[serde(default)]
    pub fix: Option<String>,
    /// What is done.
    pub action: String,
    /// By whom.
    #[serde(default)]
    pub owner: String,
    /// From when.
    #[serde(default)]
    pub start: String,
    /// Until when.
    #[serde(default)]
    pub due: String,
    /// `open`, `started` or `done`.
    #[serde(default)]
    pub status: String,
}

/// What is wrong with a record: where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The id of the thing.
    pub at: String,
    /// What is wrong, in a sentence without a full stop.
    pub what: String,
}

impl Answered {
    /// Whether anything was answered.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.questions.iter().any(|one| !one.answer.trim().is_empty())
    }
}

impl Exercise {
    /// The day, if it is one of the year before `at`: CP-4 and SOC 2 A1.3 are asked for once a year.
    #[must_use]
    pub fn held(&self, at: Time) -> Option<&str> {
        let day = self.date.as_deref().filter(|day| is_day(day))?;
        let on: Time = day.parse().ok()?;
        (on <= at && at.since(on) <= YEAR).then_some(day)
    }
}

/// How long an exercise counts.
const YEAR: Span = Span::days(366);

impl Record {
    /// Whether anything was answered at all.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.injects.iter().any(Answered::answered)
    }
}

/// Actions that are not done and past their day, by `today` (`2026-12-24`); their ids.
#[must_use]
pub fn open_actions<'r>(record: &'r Record, today: &str) -> Vec<&'r Action> {
    let late = |action: &&Action| action.status != "done" && action.due.as_str() < today;
    record.improvement_plan.iter().filter(late).collect()
}

/// What is wrong with a record beside an assessment. A path that the assessment does not have is a mistake only if it was written
/// from these very facts: else it was closed since.
#[must_use]
pub fn check(record: &Record, assessment: &Assessment) -> Vec<Mistake> {
    let mut all = Vec::new();
    let mut wrong = |at: &str, what: String| all.push(Mistake { at: at.to_owned(), what });
    if record.schema != SCHEMA {
        wrong("schema", format!("this version reads `{SCHEMA}`"));
    }
    if let Some(date) = record.exercise.date.as_deref().filter(|date| !is_day(date)) {
        wrong("exercise.date", format!("{} is no day such as 2026-11-20", crate::quote::word(date)));
    }
    if record.answered() && record.exercise.date.is_none() {
        wrong("exercise.date", "there are answers and no day on which they were given".to_owned());
    }
    let same = record.assessment == digest(assessment);
    let known: BTreeSet<&str> = assessment
        .paths
        .iter()
        .map(|path| path.key.as_str())
        .chain(assessment.assets.iter().map(|asset| asset.key.as_str()))
        .collect();
    let mut ids = BTreeSet::new();
    for inject in &record.injects {
        if !ids.insert(&inject.id) {
            wrong(&inject.id, "two have this id".to_owned());
        }
        if same && !known.contains(inject.path.as_str()) {
            wrong(&inject.id, "the assessment has no path of this key".to_owned());
        }
        for one in &inject.questions {
            if !ids.insert(&one.id) {
                wrong(&one.id, "two have this id".to_owned());
            }
            if !matches!(one.rating.as_str(), "" | "P" | "S" | "M" | "U") {
                wrong(&one.id, "a rating is P, S, M or U".to_owned());
            } else if !one.rating.is_empty() && one.answer.trim().is_empty() {
                wrong(&one.id, "it is rated and has no answer".to_owned());
            }
        }
    }
    let injects: BTreeSet<&String> = record.injects.iter().map(|inject| &inject.id).collect();
    for one in &record.observations {
        if !ids.insert(&one.id) {
            wrong(&one.id, "two have this id".to_owned());
        }
        if !matches!(one.kind.as_str(), "strength" | "improve") {
            wrong(&one.id, "its kind is `strength` or `improve`".to_owned());
        }
        if one.injects.iter().any(|id| !injects.contains(id)) {
            wrong(&one.id, "it names an inject that is not there".to_owned());
        }
    }
    let observations: BTreeSet<&String> = record.observations.iter().map(|one| &one.id).collect();
    for one in &record.improvement_plan {
        if !ids.insert(&one.id) {
            wrong(&one.id, "two have this id".to_owned());
        }
        if one.owner.trim().is_empty() {
            wrong(&one.id, "an action needs an owner".to_owned());
        }
        match (is_day(&one.start), is_day(&one.due)) {
            (_, false) => wrong(&one.id, "an action needs a `due` day such as 2026-12-04".to_owned()),
            (true, true) if one.due < one.start => wrong(&one.id, "it is due before it starts".to_owned()),
            (false, true) if !one.start.is_empty() => {
                wrong(&one.id, "its `start` is no day such as 2026-11-23".to_owned())
            }
            _ => {}
        }
        if !matches!(one.status.as_str(), "" | "open" | "started" | "done") {
            wrong(&one.id, "its status is `open`, `started` or `done`".to_owned());
        }
        if one.observation.as_ref().is_some_and(|id| !observations.contains(id)) {
            wrong(&one.id, "it names an observation that is not there".to_owned());
        }
    }
    all
}

/// Whether a text is a day by ISO 8601, so that days are in the order of their texts.
fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}
