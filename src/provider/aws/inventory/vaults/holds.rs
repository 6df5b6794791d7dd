//! Legal holds: "Any actions to delete or disassociate a recovery point will fail with an error if one or more active legal
//! holds are on the recovery point" (AWS Backup API reference, `CreateLegalHold`; `ListLegalHolds`,
//! `ListRecoveryPointsByLegalHold`, `CancelLegalHold`; Developer Guide, `legalhold`). Neither does it expire while it is held,
//! which is not counted: its own end stays what it was.

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::{NodeId, ProtectionId};
use deadstop_core::model::{Basis, Lift, Protection, Side};
use serde_json::Value;

use super::super::parts::{arn, text};
use super::super::{Desk, one_call};
use super::{DELETE, LIFECYCLE, pages};

const LIST: &str = "backup:ListLegalHolds";
const POINTS: &str = "backup:ListRecoveryPointsByLegalHold";
const CANCEL: &str = "backup:CancelLegalHold";

/// A legal hold, and the recovery points under it, by ARN.
#[derive(Debug)]
pub(super) struct Hold {
    arn: String,
    points: BTreeSet<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Told {
    arn: String,
    id: String,
    active: bool,
}

fn told(value: &Value) -> Option<Told> {
    let plain = |id: &String| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    Some(Told {
        arn: arn(value, "LegalHoldArn")?,
        id: text(value, "LegalHoldId").filter(plain)?,
        // One that is still made, or already released, holds nothing for certain.
        active: text(value, "Status")? == "ACTIVE",
    })
}

fn point(value: &Value) -> Option<String> {
    arn(value, "RecoveryPointArn")
}

/// The holds of the desk's Region. Where one of them was not read, it may be on any recovery point.
pub(super) fn read(desk: &mut Desk<'_>) -> Result<Vec<Hold>, Gap> {
    let all = desk.ask(LIST, None, |client| pages(client, "/legal-holds/", "LegalHolds", told))?;
    let active = all.into_iter().filter(|hold| hold.active);
    let read = active.map(|hold| {
        let path = format!("/legal-holds/{}/recovery-points", hold.id);
        let points = desk.ask(POINTS, Some(&hold.id), |client| pages(client, &path, "RecoveryPoints", point))?;
        Ok(Hold { arn: hold.arn, points: points.into_iter().collect() })
    });
    read.collect()
}

/// Adds the holds on a recovery point: whoever deletes it has to get past each. The right to release one is asked for with the
/// vault, which lies in the account, so that whoever comes to all rights there has it.
pub(super) fn on(
    desk: &mut Desk<'_>,
    vault: &NodeId,
    point: &str,
    holds: &Result<Vec<Hold>, Gap>,
) -> Vec<ProtectionId> {
    match holds {
        Ok(holds) => {
            let mut all = Vec::new();
            for hold in holds.iter().filter(|hold| hold.points.contains(point)) {
                desk.also(vault, CANCEL, &hold.arn);
                let lifts = vec![one_call(CANCEL, vault, "release the legal hold")];
                all.push(state(desk, point, &hold.arn, Fact::Known(true), lifts));
            }
            all
        }
        Err(gap) => vec![state(desk, point, "legal-holds", Fact::Unknown(gap.clone()), Vec::new())],
    }
}

fn state(desk: &mut Desk<'_>, point: &str, name: &str, enabled: Fact<bool>, lifts: Vec<Lift>) -> ProtectionId {
    let id = ProtectionId(format!("{point}#{name}"));
    let said = if enabled.known().is_some() { "it is under a legal hold" } else { "its legal holds were not read" };
    let source = desk.facts.source(LIST, &desk.scope());
    desk.facts.protections.push(Protection {
        id: id.clone(),
        on: NodeId(point.to_owned()),
        side: Side::Protect,
        kind: "legal hold".to_owned(),
        covers: vec![DELETE.to_owned(), LIFECYCLE.to_owned()],
        enabled,
        whole: Fact::Known(true),
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(lifts),
        basis: Basis::Observed,
        because: said.to_owned(),
        sources: vec![source],
    });
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The forms of the API reference: `LegalHold`, `RecoveryPointMember`.
    #[test]
    fn holds_that_are_active() {
        let of = "arn:aws:backup:eu-west-1:111122223333:legal-hold:1b2c3d4e-0000";
        let body = |status: &str| json!({ "Title": "t", "Status": status, "LegalHoldId": "1b2c3d4e-0000", "LegalHoldArn": of, "CreationDate": 1.5e9 });
        assert!(told(&body("ACTIVE")).unwrap().active);
        for status in ["CREATING", "CANCELING", "CANCELED"] {
            assert!(!told(&body(status)).unwrap().active, "{status}");
        }
        assert_eq!(told(&json!({ "LegalHoldArn": of, "Status": "ACTIVE", "LegalHoldId": "../x" })), None);
        assert_eq!(told(&json!({ "LegalHoldArn": of, "LegalHoldId": "1" })), None);
        let member = json!({ "RecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-1", "BackupVaultName": "v" });
        assert_eq!(point(&member).as_deref(), Some("arn:aws:ec2:eu-west-1::snapshot/snap-1"));
        assert_eq!(point(&json!({ "BackupVaultName": "v" })), None);
    }
}
