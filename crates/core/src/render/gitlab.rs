//! GitLab code quality (floor 3): the results as the Code Climate subset that GitLab reads, one file a job.

use serde_json::{Value, json};

use super::outcome::{Limits, Outcome, outcomes};
use super::sarif::anchor;
use super::shown::Shown;
use super::{RenderError, pretty};
use crate::assessment::Assessment;
use crate::verdict::Severity;

/// Renders what is to be looked at: answers short of two stopping layers, failing checks and unknowns.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn gitlab(assessment: &Assessment) -> Result<String, RenderError> {
    let all = outcomes(assessment, Limits::default());
    let rows: Vec<Value> = all.iter().filter(|one| one.is_result()).map(row).collect();
    pretty(&Value::Array(rows))
}

fn row(one: &Outcome<'_>) -> Value {
    let place = anchor(one);
    json!({
        "description": one.told(),
        "check_name": one.rule,
        "fingerprint": one.fingerprint,
        "severity": severity(one.severity),
        "location": {"path": Shown::name(&place.path), "lines": {"begin": place.line}},
    })
}

/// The words of GitLab's `severity`, worst first: blocker, critical, major, minor, info.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
        Severity::Info => "info",
    }
}
