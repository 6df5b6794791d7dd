//! The tabletop exercise (floor 3): injects from the delete paths of an assessment, what was answered in the room, and both
//! together in the report. Pure: the same assessment gives the same words.
//!
//! The parts are those of CISA's Tabletop Exercise Packages and of the After-Action Report of FEMA's Homeland Security Exercise and
//! Evaluation Program, from which the four ratings are. Nothing is touched in an exercise (NIST SP 800-84, section 4).

mod inject;
mod record;
mod write;

pub use inject::{Inject, Trigger, injects};
pub use record::{Action, Answer, Answered, Exercise, Mistake, Observation, Player, Record, check, open_actions};
pub use write::{facilitator, participants, start};

use serde_json::{Value, json};

use crate::assessment::Assessment;
use crate::verdict::Verdict;

/// The schema name that every record carries.
pub const SCHEMA: &str = "deadstop.tabletop/1";

/// The check that asks whether one was recorded.
const RECORDED: &str = "tabletop-recorded";

/// What an exercise was written from: the digest of the facts.
#[must_use]
pub fn digest(assessment: &Assessment) -> String {
    format!("sha256:{}", assessment.facts_sha256)
}

/// Puts a record that [`check`] accepts into an assessment. An inject whose facts are others by now is marked; one whose path
/// is gone is kept, and says so. The check that asks for an exercise passes only by one of the last year in which something
/// was answered about facts that still stand.
pub fn merge(assessment: &mut Assessment, record: &Record) {
    let now = injects(assessment);
    let rows: Vec<Value> = record
        .injects
        .iter()
        .map(|answered| {
            let same = now.iter().find(|one| one.path == answered.path && one.trigger == answered.trigger);
            let stale = same.is_none_or(|one| one.facts_hash != answered.facts_hash);
            json!({
                "id": answered.id,
                "path": answered.path,
                "at": same.map_or("", |one| one.at),
                "title": same.map_or_else(|| format!("{}: no longer there", answered.id), |one| one.title.clone()),
                "text": same.map_or("The path that this was about is not in this assessment.", |one| one.text.as_str()),
                "stale": stale,
                "questions": answered.questions,
            })
        })
        .collect();
    assessment.tabletop = Some(json!({
        "schema": SCHEMA,
        "assessment": record.assessment,
        "exercise": record.exercise,
        "injects": rows,
        "observations": record.observations,
        "improvement_plan": record.improvement_plan,
    }));
    let fresh = |answered: &&Answered| {
        now.iter().any(|one| {
            one.path == answered.path && one.trigger == answered.trigger && one.facts_hash == answered.facts_hash
        })
    };
    let of_this = record.injects.iter().filter(fresh).any(Answered::answered);
    let Some(held) = record.exercise.held(assessment.assessed_at).filter(|_| of_this) else { return };
    for finding in assessment.findings.iter_mut().filter(|one| one.check == RECORDED && one.verdict == "fail") {
        finding.verdict = Verdict::Pass.word().into();
        finding.message = format!("{}: an exercise was recorded on {held}", finding.subject_name);
    }
}

#[cfg(test)]
mod tests;
