//! Checks (floor 2): one question with a verdict for each subject. A check is data, a YAML file with a CEL condition,
//! and can read facts and nothing else.
//!
//! A fact that is not known gives `unknown`, never a pass and never a failure; so does a condition of whether a check
//! applies at all. There is no check written in Rust: if one cannot be written, a fact is missing.

pub mod cases;
pub mod expr;
pub mod facts;
pub mod load;
pub mod message;
pub mod subject;

use cel::Context;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use crate::assessment::CheckRow;
use crate::fact::Gap;
use crate::verdict::{Severity, Verdict};
use cases::Case;
use expr::{Condition, Truth};
use facts::Facts;
use message::Message;
use subject::Subject;

/// The six items of the checklist, in their order, each with what it asks.
pub const CHECKLIST: [(&str, &str); 6] = [
    (
        "inventory",
        "Every credential in reach of a session, and whether any goes beyond what the agent is meant to touch",
    ),
    ("delete-rights", "Which of them can delete production resources"),
    ("confirmation", "Whether a person confirms a call that cannot be undone"),
    ("isolation", "Whether production and staging use separate credentials, with nothing across"),
    ("recovery", "Whether copies lie out of the session's reach, go back to any moment, and were restored"),
    ("tabletop", "The delete paths themselves, and what the people who ran the exercise answered"),
];

/// A check, ready to run.
#[derive(Debug)]
pub struct Check {
    /// Its name: kebab-case, `vendor/id` for those of others.
    pub id: String,
    /// The desired state of one subject.
    pub title: String,
    /// The checklist item.
    pub item: String,
    /// What it is about.
    pub subject: Subject,
    /// How bad its failure is.
    pub severity: Severity,
    /// Of which subjects it is asked, as written.
    pub applies_if: Option<String>,
    /// What has to hold, as written.
    pub pass_if: String,
    /// Why it matters.
    pub why: String,
    /// What to do where it fails.
    pub fix: String,
    /// Public pages.
    pub references: Vec<String>,
    /// The controls that it gives evidence for.
    pub maps_to: BTreeMap<String, Vec<String>>,
    /// Its own cases.
    pub cases: Vec<Case>,
    applies: Option<Condition>,
    passes: Condition,
    message: Message,
}

/// Checks by their id.
#[derive(Debug, Default)]
pub struct CheckSet {
    checks: BTreeMap<String, Check>,
}

/// A verdict on one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The verdict.
    pub verdict: Verdict,
    /// In a sentence.
    pub message: String,
    /// The gaps of what is not known, where the verdict is unknown.
    pub gaps: BTreeSet<Gap>,
}

impl CheckSet {
    /// The checks, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Check> {
        self.checks.values()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.checks.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// The check of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Check> {
        self.checks.get(id)
    }
}

impl Check {
    /// The row that an assessment keeps of it.
    #[must_use]
    pub fn row(&self) -> CheckRow {
        CheckRow {
            id: self.id.clone(),
            title: self.title.clone(),
            item: self.item.clone(),
            subject: self.subject.word().to_owned(),
            severity: self.severity.word().to_owned(),
            why: self.why.clone(),
            fix: self.fix.clone(),
            references: self.references.clone(),
            maps_to: self.maps_to.clone(),
        }
    }

    /// The fields that its conditions look at.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<&str> {
        let applies = self.applies.iter().flat_map(|condition| &condition.fields);
        applies.chain(&self.passes.fields).map(String::as_str).collect()
    }

    /// The verdict on a subject. `context` is what [`context`] makes of its values.
    #[must_use]
    pub fn rule(&self, facts: &Facts, context: &Context<'_, '_>) -> Ruling {
        let applies = self.applies.as_ref().map_or(Truth::True, |condition| condition.holds(context));
        let (verdict, fields) = match applies {
            Truth::False => return self.ruling(Verdict::NotApplicable, format!("not asked of {}", facts.name)),
            Truth::Broken(why) => return self.broken(facts, &why),
            Truth::Unknown => (Verdict::Unknown, self.fields()),
            Truth::True => match self.passes.holds(context) {
                Truth::True => (Verdict::Pass, BTreeSet::new()),
                Truth::False => (Verdict::Fail, BTreeSet::new()),
                Truth::Broken(why) => return self.broken(facts, &why),
                Truth::Unknown => (Verdict::Unknown, self.fields()),
            },
        };
        match verdict {
            Verdict::Pass | Verdict::NotApplicable => self.ruling(verdict, format!("{}: {}", facts.name, self.title)),
            Verdict::Fail => self.ruling(verdict, self.message.of(&facts.values)),
            Verdict::Unknown => {
                let gaps = facts.gaps_of(&fields);
                let missing: Vec<&str> = fields.into_iter().filter(|field| facts.lacks(field)).collect();
                let message = format!("{}: not known whether so: {}", facts.name, self.title);
                let of =
                    if missing.is_empty() { String::new() } else { format!(" (not known: {})", missing.join(", ")) };
                Ruling { gaps, ..self.ruling(Verdict::Unknown, format!("{message}{of}")) }
            }
        }
    }

    fn ruling(&self, verdict: Verdict, message: String) -> Ruling {
        Ruling { verdict, message, gaps: BTreeSet::new() }
    }

    fn broken(&self, facts: &Facts, why: &str) -> Ruling {
        let message = format!("{}: the check `{}` could not be evaluated: {why}", facts.name, self.id);
        self.ruling(Verdict::Unknown, message)
    }
}

/// What every condition sees: the functions of CEL. Made once, as it is far dearer than what one subject adds.
#[must_use]
pub fn functions() -> Context<'static, 'static> {
    Context::default()
}

/// What conditions see of a subject.
#[must_use]
pub fn context<'f>(functions: &'f Context<'f, 'static>, subject: Subject, values: &Value) -> Context<'f, 'static> {
    let mut context = functions.new_inner_scope();
    // What cannot be handed over is left out, and so is not known.
    let values =
        cel::to_value(values).unwrap_or_else(|_| cel::Value::Map(cel::objects::Map { map: std::sync::Arc::default() }));
    context.add_variable_from_value(subject.word(), values);
    context
}
