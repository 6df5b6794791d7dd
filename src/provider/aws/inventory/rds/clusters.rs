//! DB clusters: Aurora, Multi-AZ clusters of RDS, `DocumentDB` and Neptune, which one call lists (RDS API reference:
//! `DescribeDBClusters`, `DescribeDBClusterSnapshots`, `DeleteDBCluster`; the IAM prefix of all of them is `rds`).

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Basis, Class, Copy, CopyKind, End};
use deadstop_core::time::Span;
use roxmltree::Node;

use super::super::{DRILLS, Desk, Seen, one_call};
use super::{LAG, Snapshot, key, manual, pages, tags};
use crate::provider::aws::rights::ResourcePolicy;
use crate::provider::aws::xml::{text, yes};

const CLUSTERS: &str = "rds:DescribeDBClusters";
const SNAPSHOTS: &str = "rds:DescribeDBClusterSnapshots";
const DELETE: &str = "rds:DeleteDBCluster";
const MODIFY: &str = "rds:ModifyDBCluster";
const SQL: [&str; 3] = ["rds-data:ExecuteStatement", "rds-data:BatchExecuteStatement", "rds-data:ExecuteSql"];

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cluster {
    pub(super) arn: String,
    pub(super) name: String,
    /// Which cluster of that name: a name may be used again.
    pub(super) number: Option<String>,
    pub(super) engine: String,
    pub(super) protected: Option<bool>,
    pub(super) retention: Option<u64>,
    pub(super) key: Option<String>,
    /// Whether statements can be run by calls (RDS Data API).
    pub(super) by_calls: Option<bool>,
    /// Whether users of it sign in by IAM.
    by_iam: Option<bool>,
    pub(super) tags: BTreeMap<String, String>,
}

pub(super) fn cluster(node: Node<'_, '_>) -> Option<Cluster> {
    Some(Cluster {
        arn: text(node, "DBClusterArn")?.to_owned(),
        name: text(node, "DBClusterIdentifier")?.to_owned(),
        number: text(node, "DbClusterResourceId").map(str::to_owned),
        engine: text(node, "Engine").unwrap_or("database").to_owned(),
        protected: yes(node, "DeletionProtection"),
        retention: text(node, "BackupRetentionPeriod").and_then(|days| days.parse().ok()),
        key: key(node),
        by_calls: yes(node, "HttpEndpointEnabled"),
        by_iam: yes(node, "IAMDatabaseAuthenticationEnabled"),
        tags: tags(node),
    })
}

pub(super) fn snapshot(node: Node<'_, '_>) -> Option<Snapshot> {
    Some(Snapshot {
        arn: text(node, "DBClusterSnapshotArn")?.to_owned(),
        name: text(node, "DBClusterSnapshotIdentifier")?.to_owned(),
        of: text(node, "DBClusterIdentifier")?.to_owned(),
        number: text(node, "DbClusterResourceId").map(str::to_owned),
        kind: text(node, "SnapshotType")?.to_owned(),
        available: text(node, "Status") == Some("available"),
        at: text(node, "SnapshotCreateTime").and_then(|at| at.parse().ok()),
        key: key(node),
    })
}

/// Lists the clusters of the desk's Region, and gives their names.
pub(super) fn list_all(desk: &mut Desk<'_>) -> BTreeSet<String> {
    let clusters = match desk.ask(CLUSTERS, None, |c| pages(c, "DescribeDBClusters", "DBClusters", cluster)) {
        Ok(clusters) => clusters,
        Err(gap) => {
            desk.unlisted.push(gap);
            return BTreeSet::new();
        }
    };
    if clusters.is_empty() {
        return BTreeSet::new();
    }
    let snapshots =
        desk.ask(SNAPSHOTS, None, |c| pages(c, "DescribeDBClusterSnapshots", "DBClusterSnapshots", snapshot));
    for cluster in &clusters {
        one(desk, cluster, &snapshots);
    }
    clusters.into_iter().map(|cluster| cluster.name).collect()
}

fn one(desk: &mut Desk<'_>, cluster: &Cluster, snapshots: &Result<Vec<Snapshot>, Gap>) {
    let elsewhere = desk.kept_elsewhere(&cluster.name, &cluster.arn);
    let copies = snapshots.as_ref().err().cloned().or(elsewhere);
    let db = desk.asset(Seen {
        arn: &cluster.arn,
        kind: "db_cluster",
        class: Class::Database,
        name: &cluster.name,
        tags: &cluster.tags,
        protections: Fact::Known(Listed::Complete),
        copies: copies.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: Some(format!("a cluster of {}", cluster.engine)),
        operation: CLUSTERS,
        key: cluster.key.as_deref(),
        policy: ResourcePolicy::None,
    });
    let protected = match cluster.protected {
        Some(on) => Fact::Known(on),
        None => desk.unread("a cluster's deletion protection was not in the answer"),
    };
    desk.protection(&db, DELETE, protected, MODIFY, CLUSTERS);
    if cluster.by_calls != Some(false) {
        for action in SQL {
            desk.also(&db, action, db.as_str());
            desk.perhaps(&db, action, "drop its tables", "what the database itself lets a caller do was not read");
        }
    }
    if cluster.by_iam != Some(false) {
        super::signed_in(desk, &db, &cluster.arn, cluster.number.as_deref());
    }
    automated(desk, cluster, &db);
    let of = |snapshot: &&Snapshot| snapshot.is_of(&cluster.name, cluster.number.as_deref());
    for snapshot in snapshots.iter().flatten().filter(of) {
        manual(desk, snapshot, &db, "rds:DeleteDBClusterSnapshot", SNAPSHOTS);
    }
}

/// The automated backups. They go with the cluster, by the default of the call that deletes it, and cannot be switched off,
/// but cut to a day.
fn automated(desk: &mut Desk<'_>, cluster: &Cluster, db: &NodeId) {
    let Some(days) = cluster.retention.filter(|days| *days > 0) else { return };
    let source = desk.facts.source(CLUSTERS, &desk.scope());
    desk.facts.copies.push(Copy {
        id: NodeId(format!("{db}#automated-backups")),
        of: db.clone(),
        kind: CopyKind::Pitr,
        name: format!("automated backups of {}", cluster.name),
        place: Some(desk.parent.clone()),
        lag: Fact::Known(LAG),
        ends: Fact::Known(End::After(Span::days(days))),
        dies_with: Fact::Known(vec![DELETE.to_owned()]),
        destroyed_by: Fact::Known(vec![one_call(MODIFY, db, "set the backup retention to a day")]),
        needs: cluster.key.iter().map(|key| NodeId(desk.key(key))).collect(),
        drills: DRILLS,
        basis: Basis::Observed,
        because: format!("backups are kept for {days} days, and deleted with the cluster unless the caller keeps them"),
        sources: vec![source],
    });
}
