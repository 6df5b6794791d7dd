//! Redshift clusters with their snapshots (Redshift API reference: `DescribeClusters`, `DescribeClusterSnapshots`,
//! `DeleteCluster`, `ModifyClusterSnapshot`; Management Guide: `working-with-snapshots`).

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind, End};
use deadstop_core::time::{Span, Time};
use roxmltree::Node;

use super::parts::{Kept, NEW_PASSWORD, Query, xml_tags};
use super::{Desk, Seen, one_call};
use crate::provider::aws::partition;
use crate::provider::aws::reads::REDSHIFT as VERSION;
use crate::provider::aws::rights::ResourcePolicy;
use crate::provider::aws::xml::{child, text, yes};

const LIST: &str = "redshift:DescribeClusters";
const SNAPSHOTS: &str = "redshift:DescribeClusterSnapshots";
const DELETE: &str = "redshift:DeleteCluster";
const MODIFY: &str = "redshift:ModifyCluster";
const SQL: [&str; 4] = [
    "redshift-data:ExecuteStatement",
    "redshift-data:BatchExecuteStatement",
    "redshift:GetIdentityCenterAuthToken",
    "redshift:ExecuteQuery",
];
/// What hands out a password, each with what it is called on (Service Authorization Reference, Amazon Redshift).
const SIGN_IN: [(&str, &str); 4] = [
    ("redshift:GetClusterCredentials", "dbuser"),
    ("redshift:GetClusterCredentialsWithIAM", "dbname"),
    ("redshift:CreateClusterUser", "dbuser"),
    ("redshift:JoinGroup", "dbgroup"),
];
const REACHED: &str = "whether it can be reached, and what the database itself lets a caller do, was not read";
/// "By default, Amazon Redshift takes a snapshot about every eight hours or following every 5 GB per node of data changes,
/// or whichever comes first" (`working-with-snapshots`).
const LAG: Span = Span(8 * 3600);

const fn query(action: &'static str, items: &'static str) -> Query {
    Query { service: "redshift", version: VERSION, action, items, next: "Marker", fields: &[("MaxRecords", "100")] }
}

#[derive(Debug, PartialEq, Eq)]
struct Cluster {
    name: String,
    /// When it was made: a name may be used again.
    made: Option<String>,
    days: Option<u64>,
    /// Whether a schedule of its own says when snapshots are taken.
    scheduled: bool,
    host: Option<String>,
    key: Option<String>,
    tags: BTreeMap<String, String>,
}

fn cluster(node: Node<'_, '_>) -> Option<Cluster> {
    Some(Cluster {
        name: text(node, "ClusterIdentifier")?.to_owned(),
        made: text(node, "ClusterCreateTime").map(str::to_owned),
        days: text(node, "AutomatedSnapshotRetentionPeriod").and_then(|days| days.parse().ok()),
        scheduled: text(node, "SnapshotScheduleIdentifier").is_some(),
        host: child(node, "Endpoint").and_then(|end| text(end, "Address")).map(str::to_owned),
        key: key(node),
        tags: xml_tags(node, "Tags"),
    })
}

fn key(node: Node<'_, '_>) -> Option<String> {
    text(node, "KmsKeyId").filter(|_| yes(node, "Encrypted") != Some(false)).map(str::to_owned)
}

#[derive(Debug, PartialEq, Eq)]
struct Snapshot {
    name: String,
    of: String,
    made: Option<String>,
    manual: bool,
    available: bool,
    at: Option<Time>,
    /// The days that are left; -1: all.
    left: Option<i64>,
    key: Option<String>,
}

fn snapshot(node: Node<'_, '_>) -> Option<Snapshot> {
    let number = |name: &str| text(node, name).and_then(|days| days.parse::<i64>().ok());
    Some(Snapshot {
        name: text(node, "SnapshotIdentifier")?.to_owned(),
        of: text(node, "ClusterIdentifier")?.to_owned(),
        made: text(node, "ClusterCreateTime").map(str::to_owned),
        manual: text(node, "SnapshotType") == Some("manual"),
        available: text(node, "Status") == Some("available"),
        at: text(node, "SnapshotCreateTime").and_then(|at| at.parse().ok()),
        left: number("ManualSnapshotRetentionPeriod")
            .filter(|days| *days == -1)
            .or_else(|| number("ManualSnapshotRemainingDays")),
        key: key(node),
    })
}

/// Lists the clusters of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let clusters = match desk.ask(LIST, None, |client| query("DescribeClusters", "Clusters").read(client, cluster)) {
        Ok(clusters) => clusters,
        Err(gap) => return desk.hidden("redshift", gap),
    };
    if clusters.is_empty() {
        return;
    }
    let snapshots =
        desk.ask(SNAPSHOTS, None, |client| query("DescribeClusterSnapshots", "Snapshots").read(client, snapshot));
    for cluster in &clusters {
        one(desk, cluster, &snapshots);
    }
}

fn one(desk: &mut Desk<'_>, cluster: &Cluster, snapshots: &Result<Vec<Snapshot>, Gap>) {
    let place = format!("arn:{}:redshift:{}:{}", partition(desk.region), desk.region, desk.account);
    let arn = format!("{place}:cluster:{}", cluster.name);
    let elsewhere = desk.kept_elsewhere(&cluster.name, &arn);
    let copies = snapshots.as_ref().err().cloned().or(elsewhere);
    let id = desk.asset(Seen {
        arn: &arn,
        kind: "redshift_cluster",
        class: Class::Database,
        name: &cluster.name,
        tags: &cluster.tags,
        protections: Fact::Known(Listed::Complete),
        copies: copies.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: None,
        operation: LIST,
        key: cluster.key.as_deref(),
        policy: ResourcePolicy::None,
    });
    desk.facts.endpoint(&id, "postgres", cluster.host.as_deref());
    desk.also(&id, MODIFY, &arn);
    desk.perhaps_after(&id, MODIFY, NEW_PASSWORD, REACHED);
    for (action, kind) in SIGN_IN {
        desk.also_below(&id, action, &format!("{place}:{kind}:{}", cluster.name));
        desk.perhaps(&id, action, "sign in to it and drop its tables", REACHED);
    }
    for action in SQL {
        desk.also(&id, action, &arn);
        desk.perhaps(&id, action, "drop its tables", "what the database itself lets a caller do was not read");
    }
    if let Some(days) = cluster.days.filter(|days| *days > 0) {
        let kept = Kept {
            id: NodeId(format!("{id}#automated-snapshots")),
            kind: CopyKind::AutomatedBackup,
            name: format!("automated snapshots of {}", cluster.name),
            lag: if cluster.scheduled {
                desk.unread("what the schedule of a cluster's snapshots says was not read")
            } else {
                Fact::Known(LAG)
            },
            ends: Fact::Known(End::After(Span::days(days))),
            dies_with: &[DELETE],
            destroyed_by: Fact::Known(vec![one_call(MODIFY, &id, "cut the retention of automated snapshots")]),
            needs: cluster.key.iter().map(|key| NodeId(desk.key(key))).collect(),
            because: format!("snapshots are kept for {days} days, and deleted with the cluster"),
            operation: LIST,
        };
        desk.keep(&id, kept);
    }
    let of = |one: &&Snapshot| one.of == cluster.name && one.made.is_some() && one.made == cluster.made;
    for snapshot in snapshots.iter().flatten().filter(|one| one.manual && one.available).filter(of) {
        manual(desk, snapshot, &id, &place);
    }
}

/// A manual snapshot. It stays when its cluster is deleted, for as long as it is set to be kept.
fn manual(desk: &mut Desk<'_>, snapshot: &Snapshot, cluster: &NodeId, place: &str) {
    let arn = format!("{place}:snapshot:{}/{}", snapshot.of, snapshot.name);
    let id = NodeId(arn.clone());
    let calls = [
        ("redshift:DeleteClusterSnapshot", "delete the snapshot"),
        ("redshift:BatchDeleteClusterSnapshots", "delete the snapshot among others"),
        ("redshift:ModifyClusterSnapshot", "cut the days that the snapshot is kept"),
        ("redshift:BatchModifyClusterSnapshots", "cut the days that snapshots are kept"),
    ];
    let lifts = calls.map(|(action, because)| {
        desk.also(&id, action, &arn);
        one_call(action, &id, because)
    });
    let ends = match snapshot.left {
        Some(-1) => Fact::Known(End::Never),
        Some(days) => {
            let left = Span::days(u64::try_from(days).unwrap_or_default());
            Fact::Known(End::At(desk.facts.at().plus(left)))
        }
        None => desk.unread("how long a snapshot is kept was not in the answer"),
    };
    let kept = Kept {
        kind: CopyKind::Snapshot,
        name: format!("snapshot {}", snapshot.name),
        lag: desk.age(snapshot.at, "a snapshot's time was not in the answer"),
        ends,
        dies_with: &[],
        destroyed_by: Fact::Known(lifts.to_vec()),
        needs: desk.needed(snapshot.key.as_ref()),
        because: "a manual snapshot, kept when the cluster is deleted".to_owned(),
        operation: SNAPSHOTS,
        id,
    };
    desk.keep(cluster, kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use roxmltree::Document;

    #[test]
    fn snapshots_of_this_very_cluster() {
        let text = "<S><SnapshotIdentifier>s</SnapshotIdentifier><ClusterIdentifier>c</ClusterIdentifier>\
                    <ClusterCreateTime>2026-01-01T00:00:00Z</ClusterCreateTime><SnapshotType>manual</SnapshotType>\
                    <Status>available</Status><ManualSnapshotRetentionPeriod>-1</ManualSnapshotRetentionPeriod>\
                    <SnapshotCreateTime>2026-11-01T00:00:00Z</SnapshotCreateTime><Encrypted>true</Encrypted></S>";
        let document = Document::parse(text).unwrap();
        let read = snapshot(document.root_element()).unwrap();
        assert!(read.manual && read.available && read.at.is_some());
        assert_eq!((read.left, read.key), (Some(-1), None));
        let text = text
            .replace(">-1<", ">7<")
            .replace("<Encrypted>", "<ManualSnapshotRemainingDays>3</ManualSnapshotRemainingDays><Encrypted>");
        let document = Document::parse(&text).unwrap();
        assert_eq!(snapshot(document.root_element()).unwrap().left, Some(3));
        let document = Document::parse("<C><ClusterStatus>available</ClusterStatus></C>").unwrap();
        assert_eq!(cluster(document.root_element()), None);
    }
}
