//! Namespaces of Redshift Serverless, which keep databases, with their snapshots and recovery points (Redshift Serverless
//! API reference: `ListNamespaces`, `ListWorkgroups`, `ListSnapshots`, `ListRecoveryPoints`, `DeleteNamespace`; Management
//! Guide: `serverless-snapshots-recovery-points`).
//!
//! A workgroup reckons, and keeps nothing. What is restored is put in the place of what a namespace has.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Basis, Class, Copy, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde_json::{Value, json};

use super::parts::{Kept, Listing, NEW_PASSWORD, arn, tags, text};
use super::{DRILLS, Desk, Seen, one_call};
use crate::provider::aws::partition;
use crate::provider::aws::rights::ResourcePolicy;

const LIST: &str = "redshift-serverless:ListNamespaces";
const WORKGROUPS: &str = "redshift-serverless:ListWorkgroups";
const SNAPSHOTS: &str = "redshift-serverless:ListSnapshots";
const POINTS: &str = "redshift-serverless:ListRecoveryPoints";
const TAGS: &str = "redshift-serverless:ListTagsForResource";
const MODIFY: &str = "redshift-serverless:UpdateNamespace";
/// What is restored, and where its ARNs begin after the account (Service Authorization Reference, Amazon Redshift
/// Serverless).
const RESTORE: [(&str, &str); 2] = [
    ("redshift-serverless:RestoreFromSnapshot", "snapshot/"),
    ("redshift-serverless:RestoreFromRecoveryPoint", "recoverypoint/"),
];
/// What signs in to a workgroup, or runs statements there.
const SQL: [&str; 4] = [
    "redshift-serverless:GetCredentials",
    "redshift-serverless:GetIdentityCenterAuthToken",
    "redshift-data:ExecuteStatement",
    "redshift-data:BatchExecuteStatement",
];
const REACHED: &str = "whether it can be reached, and what the database itself lets a caller do, was not read";
/// "All recovery points are kept for 24 hours."
const KEPT: Span = Span::days(1);

const fn listing(target: &'static str, items: &'static str) -> Listing {
    Listing { service: "redshift-serverless", target, items, next: ("nextToken", "nextToken") }
}

#[derive(Debug, PartialEq, Eq)]
struct Namespace {
    arn: String,
    name: String,
    key: Option<String>,
}

fn namespace(value: &Value) -> Option<Namespace> {
    Some(Namespace {
        arn: arn(value, "namespaceArn")?,
        name: text(value, "namespaceName")?,
        // A key of AWS's own is told by this word.
        key: text(value, "kmsKeyId").filter(|key| key != "AWS_OWNED_KMS_KEY"),
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Workgroup {
    arn: String,
    namespace: String,
    host: Option<String>,
}

fn workgroup(value: &Value) -> Option<Workgroup> {
    Some(Workgroup {
        arn: arn(value, "workgroupArn")?,
        namespace: text(value, "namespaceName")?,
        host: value.get("endpoint").and_then(|endpoint| text(endpoint, "address")),
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Snapshot {
    arn: String,
    name: String,
    /// The namespace, by its ARN: a name may be used again.
    of: Option<String>,
    available: bool,
    at: Option<Time>,
    /// How long it is kept, in days; less than none: for good.
    days: Option<i64>,
    left: Option<u64>,
    key: Option<String>,
}

fn snapshot(value: &Value) -> Option<Snapshot> {
    Some(Snapshot {
        arn: arn(value, "snapshotArn")?,
        name: text(value, "snapshotName")?,
        of: arn(value, "namespaceArn"),
        available: text(value, "status").as_deref() == Some("AVAILABLE"),
        at: text(value, "snapshotCreateTime").and_then(|at| at.parse().ok()),
        days: value.get("snapshotRetentionPeriod").and_then(Value::as_i64),
        left: value.get("snapshotRemainingDays").and_then(Value::as_u64),
        key: text(value, "kmsKeyId").filter(|key| key != "AWS_OWNED_KMS_KEY"),
    })
}

/// The namespace that a recovery point is of, by its ARN, and when it was made.
fn point(value: &Value) -> Option<(Option<String>, Option<Time>)> {
    text(value, "recoveryPointId")?;
    let at = text(value, "recoveryPointCreateTime").and_then(|at| at.parse().ok());
    Some((arn(value, "namespaceArn"), at))
}

/// Lists the namespaces of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let all = listing("RedshiftServerless.ListNamespaces", "namespaces");
    let namespaces = match desk.ask(LIST, None, |client| all.read(client, &json!({}), namespace)) {
        Ok(namespaces) => namespaces,
        Err(gap) => return desk.hidden("redshift-serverless", gap),
    };
    if namespaces.is_empty() {
        return;
    }
    let all = listing("RedshiftServerless.ListWorkgroups", "workgroups");
    let workgroups = desk.ask(WORKGROUPS, None, |client| all.read(client, &json!({}), workgroup));
    let all = listing("RedshiftServerless.ListSnapshots", "snapshots");
    let snapshots = desk.ask(SNAPSHOTS, None, |client| all.read(client, &json!({}), snapshot));
    let all = listing("RedshiftServerless.ListRecoveryPoints", "recoveryPoints");
    let points = desk.ask(POINTS, None, |client| all.read(client, &json!({}), point));
    for namespace in &namespaces {
        one(desk, namespace, &workgroups, &snapshots, &points);
    }
}

type Points = Result<Vec<(Option<String>, Option<Time>)>, Gap>;

fn one(
    desk: &mut Desk<'_>,
    namespace: &Namespace,
    workgroups: &Result<Vec<Workgroup>, Gap>,
    snapshots: &Result<Vec<Snapshot>, Gap>,
    points: &Points,
) {
    let tags = marks(desk, namespace);
    let elsewhere = desk.kept_elsewhere(&namespace.name, &namespace.arn);
    let gap = snapshots.as_ref().err().or(points.as_ref().err()).cloned().or(elsewhere);
    let id = desk.asset(Seen {
        arn: &namespace.arn,
        kind: "redshift_namespace",
        class: Class::Database,
        name: &namespace.name,
        tags: &tags,
        protections: Fact::Known(Listed::Complete),
        copies: gap.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: None,
        operation: LIST,
        key: namespace.key.as_deref(),
        policy: ResourcePolicy::None,
    });
    let place = format!("arn:{}:redshift-serverless:{}:{}", partition(desk.region), desk.region, desk.account);
    for (action, kind) in RESTORE {
        desk.also_below(&id, action, &format!("{place}:{kind}"));
    }
    let (restore, _) = RESTORE[0];
    for service in ["redshift-serverless", "redshift"] {
        // Of another account, or of a cluster (`RestoreFromSnapshot`: `ownerAccount`, `snapshotArn`).
        desk.also_below(&id, restore, &format!("arn:{}:{service}:{}:", partition(desk.region), desk.region));
    }
    desk.also(&id, MODIFY, &namespace.arn);
    desk.perhaps_after(&id, MODIFY, NEW_PASSWORD, REACHED);
    let own = |one: &&Workgroup| one.namespace == namespace.name;
    match workgroups {
        Ok(all) => all.iter().filter(own).for_each(|one| desk.facts.endpoint(&id, "postgres", one.host.as_deref())),
        Err(_) => desk.facts.endpoint(&id, "postgres", None),
    }
    for action in SQL {
        match workgroups {
            Ok(all) => all.iter().filter(own).for_each(|workgroup| desk.also(&id, action, &workgroup.arn)),
            Err(_) => desk.also_below(&id, action, &format!("{place}:workgroup/")),
        }
        desk.perhaps(&id, action, "sign in to it and drop its tables", REACHED);
    }
    let newest = points.iter().flatten().filter(|(of, _)| of.as_ref() == Some(&namespace.arn)).map(|(_, at)| *at).max();
    if let Some(at) = newest {
        let kept = Kept {
            id: NodeId(format!("{id}#recovery-points")),
            kind: CopyKind::AutomatedBackup,
            name: format!("recovery points of {}", namespace.name),
            lag: desk.age(at, "a recovery point's time was not in the answer"),
            ends: Fact::Known(End::After(KEPT)),
            dies_with: &["redshift-serverless:DeleteNamespace"],
            destroyed_by: desk.unread("whether recovery points outlast a restore or another key is not documented"),
            needs: desk.needed(namespace.key.as_ref()),
            because: "recovery points are kept for a day, as a part of the namespace".to_owned(),
            operation: POINTS,
        };
        desk.keep(&id, kept);
    }
    let of = |one: &&Snapshot| one.available && one.of.as_ref() == Some(&namespace.arn);
    for snapshot in snapshots.iter().flatten().filter(of) {
        manual(desk, snapshot, &id);
    }
}

/// A snapshot. That it stays when its namespace is deleted is documented of the final one alone.
fn manual(desk: &mut Desk<'_>, snapshot: &Snapshot, namespace: &NodeId) {
    let id = NodeId(snapshot.arn.clone());
    let source = desk.facts.source(SNAPSHOTS, &desk.scope());
    let calls = [
        ("redshift-serverless:DeleteSnapshot", "delete the snapshot"),
        ("redshift-serverless:UpdateSnapshot", "cut the days that the snapshot is kept"),
    ];
    let lifts = calls.map(|(action, because)| {
        desk.also(&id, action, &snapshot.arn);
        one_call(action, &id, because)
    });
    let ends = match (snapshot.days, snapshot.left) {
        (Some(..0), _) => Fact::Known(End::Never),
        (_, Some(left)) => Fact::Known(End::At(desk.facts.at().plus(Span::days(left)))),
        (_, None) => desk.unread("how long a snapshot is kept was not in the answer"),
    };
    let lag = desk.age(snapshot.at, "a snapshot's time was not in the answer");
    let dies_with = desk.unread("whether a snapshot stays without its namespace is not documented");
    let needs = desk.needed(snapshot.key.as_ref());
    desk.facts.copies.push(Copy {
        id,
        of: namespace.clone(),
        kind: CopyKind::Snapshot,
        name: format!("snapshot {}", snapshot.name),
        place: Some(desk.parent.clone()),
        lag,
        ends,
        dies_with,
        destroyed_by: Fact::Known(lifts.to_vec()),
        needs,
        drills: DRILLS,
        basis: Basis::Observed,
        because: "a snapshot of the namespace".to_owned(),
        sources: vec![source],
    });
}

fn marks(desk: &mut Desk<'_>, namespace: &Namespace) -> BTreeMap<String, String> {
    let body = json!({ "resourceArn": namespace.arn });
    let answer = desk.ask(TAGS, Some(&namespace.name), |client| {
        client.target("redshift-serverless", "RedshiftServerless.ListTagsForResource", "1.1", &body)
    });
    answer.map(|answer| tags(answer.get("tags"), "key", "value")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms of the API reference: `Namespace`, `Workgroup`, `Snapshot`, `RecoveryPoint`.
    #[test]
    fn namespaces_and_what_is_kept_of_them() {
        let of = "arn:aws:redshift-serverless:eu-west-1:111122223333:namespace/n-1";
        let body = json!({ "namespaceArn": of, "namespaceName": "n", "kmsKeyId": "AWS_OWNED_KMS_KEY" });
        assert_eq!(namespace(&body).unwrap().key, None);
        assert_eq!(namespace(&json!({ "namespaceName": "n" })), None);
        let body = json!({ "workgroupArn": "arn:aws:redshift-serverless:eu-west-1:111122223333:workgroup/w-1",
            "namespaceName": "n", "endpoint": { "address": "w.example" } });
        assert_eq!(workgroup(&body).unwrap().host.as_deref(), Some("w.example"));
        let body = json!({ "snapshotArn": "arn:aws:redshift-serverless:eu-west-1:111122223333:snapshot/s-1",
            "snapshotName": "s", "namespaceArn": of, "status": "AVAILABLE", "snapshotRetentionPeriod": -1,
            "snapshotCreateTime": "2026-11-01T00:00:00Z", "kmsKeyId": "k" });
        let read = snapshot(&body).unwrap();
        assert!(read.available && read.at.is_some() && read.days == Some(-1) && read.key.is_some());
        let body =
            json!({ "recoveryPointId": "r", "namespaceArn": of, "recoveryPointCreateTime": "2026-11-01T00:00:00Z" });
        let (namespace, at) = point(&body).unwrap();
        assert!(namespace.as_deref() == Some(of) && at.is_some());
        assert_eq!(point(&json!({ "namespaceArn": of })), None);
    }
}
