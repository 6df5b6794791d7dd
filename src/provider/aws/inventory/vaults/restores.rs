//! Restores of recovery points that were tried, and of which somebody has said whether they were any good (AWS Backup API
//! reference: `ListRestoreJobs`, `PutRestoreValidationResult`; Developer Guide, `restore-testing`). One that has merely ended
//! says nothing of what is in it.

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Basis, Drill};
use deadstop_core::time::Time;
use serde_json::Value;

use super::super::parts::{arn, text, time};
use super::super::{DRILLS, Desk};
use super::bodies::Point;
use super::pages;

const LIST: &str = "backup:ListRestoreJobs";

/// A restore that was tried.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Restore {
    job: String,
    point: Option<String>,
    begun: Option<Time>,
    ended: Option<Time>,
    /// Whether it was any good; nothing, if it has not ended or nobody has said.
    worked: Option<bool>,
}

impl Restore {
    /// Whether somebody has said what came of it, and not when.
    fn without_end(&self) -> bool {
        self.worked.is_some() && self.ended.is_none()
    }
}

fn restore(value: &Value) -> Option<Restore> {
    let status = text(value, "Status")?;
    let worked = match (status.as_str(), text(value, "ValidationStatus").as_deref()) {
        ("COMPLETED", Some("SUCCESSFUL")) => Some(true),
        ("FAILED", _) | ("COMPLETED", Some("FAILED")) => Some(false),
        _ => None,
    };
    Some(Restore {
        job: text(value, "RestoreJobId")?,
        point: arn(value, "RecoveryPointArn"),
        begun: time(value.get("CreationDate")),
        ended: time(value.get("CompletionDate")),
        worked,
    })
}

/// Reads the restores of the desk's Region.
pub(super) fn read(desk: &mut Desk<'_>) -> Result<Vec<Restore>, Gap> {
    desk.ask(LIST, None, |client| pages(client, "/restore-jobs/", "RestoreJobs", restore))
}

/// Adds the restores of a recovery point, and says whether these are all.
pub(super) fn of(desk: &mut Desk<'_>, point: &Point, restores: &Result<Vec<Restore>, Gap>) -> Fact<Listed> {
    let restores = match restores {
        Ok(restores) => restores,
        Err(gap) => return Fact::Unknown(gap.clone()),
    };
    // The last one counts, and which that is cannot be said. One that does not tell its point may be of any.
    let lost = |one: &Restore| one.point.is_none() && one.worked.is_some();
    let of_point: Vec<&Restore> = restores.iter().filter(|one| one.point.as_ref() == Some(&point.arn)).collect();
    if of_point.iter().any(|one| one.without_end()) || restores.iter().any(lost) {
        return desk.unread("of which copy a restore was, or when it ended, was not in the answer");
    }
    for one in of_point {
        let (Some(worked), Some(ended)) = (one.worked, one.ended) else { continue };
        let took = match one.begun.filter(|begun| *begun <= ended) {
            Some(begun) => Fact::Known(ended.since(begun)),
            None => desk.unread("how long a restore took was not in the answer"),
        };
        desk.facts.drills.push(Drill {
            asset: NodeId(point.of.clone()),
            copy: NodeId(point.arn.clone()),
            tested_at: ended,
            took,
            worked,
            by: Some("AWS Backup restore testing".to_owned()),
            evidence: Some(format!("restore job {}", one.job)),
            basis: Basis::Observed,
        });
    }
    DRILLS
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The forms of the API reference: `RestoreJobsListMember`.
    #[test]
    fn restores_that_somebody_looked_at() {
        let body = |status: &str, said: Option<&str>| {
            json!({ "RestoreJobId": "job-1", "Status": status, "ValidationStatus": said, "CreationDate": 1.5e9,
                "CompletionDate": 1_500_000_600.5, "RecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-1" })
        };
        let worked = |status: &str, said| restore(&body(status, said)).unwrap().worked;
        assert_eq!(worked("COMPLETED", Some("SUCCESSFUL")), Some(true));
        assert_eq!(worked("COMPLETED", Some("FAILED")), Some(false));
        assert_eq!(worked("FAILED", None), Some(false));
        // That it has ended says nothing of what is in it.
        for (status, said) in [
            ("COMPLETED", None),
            ("COMPLETED", Some("TIMED_OUT")),
            ("COMPLETED", Some("VALIDATING")),
            ("RUNNING", Some("SUCCESSFUL")),
            ("ABORTED", None),
            ("PENDING", None),
        ] {
            assert_eq!(worked(status, said), None, "{status} {said:?}");
        }
        // A completion date is not required.
        let without = json!({ "RestoreJobId": "job-1", "Status": "FAILED", "CreationDate": 1.5e9 });
        assert!(restore(&without).unwrap().without_end());
        assert!(!restore(&body("FAILED", None)).unwrap().without_end());
        let one = restore(&body("COMPLETED", Some("SUCCESSFUL"))).unwrap();
        assert_eq!(one.ended.unwrap().since(one.begun.unwrap()).0, 600);
        assert_eq!(restore(&json!({ "Status": "COMPLETED" })), None);
    }
}
