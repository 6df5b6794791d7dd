//! A check's own cases (floor 2): facts of one subject, and the verdict that they must give.

use serde_json::Value;

use super::facts::Facts;
use super::{Check, context, functions};
use crate::verdict::Verdict;
use crate::yaml::Place;

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is.
    pub name: String,
    /// What is known of the subject.
    pub values: Value,
    /// The verdict that it must give.
    pub expect: Verdict,
    /// Where it stands in its file.
    pub at: Place,
}

/// A case that does not give its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Where it stands.
    pub at: Place,
    /// What is wrong.
    pub message: String,
}

/// Runs a check's cases.
#[must_use]
pub fn run(check: &Check) -> Vec<Failed> {
    let functions = functions();
    let failed = |case: &Case| {
        let facts = Facts::given(check.subject, case.values.clone());
        let ruling = check.rule(&facts, &context(&functions, check.subject, &facts.values));
        (ruling.verdict != case.expect).then(|| Failed {
            at: case.at,
            message: format!(
                "case `{}` expects {} and gives {}: {}",
                case.name,
                case.expect.word(),
                ruling.verdict.word(),
                ruling.message
            ),
        })
    };
    check.cases.iter().filter_map(failed).collect()
}
