//! DB clusters: Aurora, Multi-AZ clusters of RDS, `DocumentDB` and Neptune, which one call lists (RDS API reference:
//! `DescribeDBClusters`, `DescribeDBClusterSnapshots`, `DeleteDBCluster`; the IAM prefix of all of them is `rds`).

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Basis, Class, Copy, CopyKind, End};
use deadstop_core::time::Span;
use roxmltree::Node;

use super::super::parts::NEW_PASSWORD;
use super::super::{DRILLS, Desk, Seen, one_call};
use super::{LAG, Snapshot, by_others, key, manual, query, tags};
use crate::provider::aws::rights::ResourcePolicy;
use crate::provider::aws::xml::{text, yes};

const CLUSTERS: &str = "rds:DescribeDBClusters";
const SNAPSHOTS: &str = "rds:DescribeDBClusterSnapshots";
const DELETE: &str = "rds:DeleteDBCluster";
const MODIFY: &str = "rds:ModifyDBCluster";
const BACKTRACK: &str = "rds:BacktrackDBCluster";
const GRAPH: [&str; 5] = [
    "neptune-db:ResetDatabase",
    "neptune-db:DeleteDataViaQuery",
    "neptune-db:WriteDataViaQuery",
    "neptune-db:StartLoaderJob",
    "neptune-db:connect",
];
pub(super) const SQL: [&str; 3] =
    ["rds-data:ExecuteStatement", "rds-data:BatchExecuteStatement", "rds-data:ExecuteSql"];

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
    host: Option<String>,
    /// Whether statements can be run by calls (RDS Data API).
    pub(super) by_calls: Option<bool>,
    /// Whether users of it sign in by IAM.
    by_iam: Option<bool>,
    /// What it is a replica of, by ARN; of a secondary cluster of a global database, the primary one.
    pub(super) source: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
}

pub(super) fn cluster(node: Node<'_, '_>) -> Option<Cluster> {
    Some(Cluster {
        arn: text(node, "DBClusterArn")?.to_owned(),
        source: by_others::source_of_cluster(node),
        name: text(node, "DBClusterIdentifier")?.to_owned(),
        number: text(node, "DbClusterResourceId").map(str::to_owned),
        engine: text(node, "Engine").unwrap_or("database").to_owned(),
        protected: yes(node, "DeletionProtection"),
        retention: text(node, "BackupRetentionPeriod").and_then(|days| days.parse().ok()),
        key: key(node),
        host: text(node, "Endpoint").map(str::to_owned),
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
pub(super) fn list_all(desk: &mut Desk<'_>, proxied: bool) -> BTreeSet<String> {
    let clusters = match desk.ask(CLUSTERS, None, |c| query("DescribeDBClusters", "DBClusters").read(c, cluster)) {
        Ok(clusters) => clusters,
        Err(gap) => {
            desk.hidden("rds", gap);
            return BTreeSet::new();
        }
    };
    if clusters.is_empty() {
        return BTreeSet::new();
    }
    let snapshots =
        desk.ask(SNAPSHOTS, None, |c| query("DescribeDBClusterSnapshots", "DBClusterSnapshots").read(c, snapshot));
    let named: BTreeMap<&str, &str> =
        clusters.iter().filter_map(|one| Some((one.arn.as_str(), one.source.as_deref()?))).collect();
    for cluster in &clusters {
        let sources = by_others::sources(&named, &cluster.arn);
        one(desk, cluster, &snapshots, (proxied, &sources));
    }
    clusters.into_iter().map(|cluster| cluster.name).collect()
}

fn one(
    desk: &mut Desk<'_>,
    cluster: &Cluster,
    snapshots: &Result<Vec<Snapshot>, Gap>,
    (proxied, sources): (bool, &[&str]),
) {
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
    desk.perhaps_after(&db, MODIFY, NEW_PASSWORD, super::REACHED);
    super::by_parameters(desk, &db, &cluster.arn, &cluster.engine);
    if let Some(engine) = super::logins(&cluster.engine) {
        desk.facts.endpoint(&db, engine, cluster.host.as_deref());
    }
    if cluster.by_calls != Some(false) {
        for action in SQL {
            desk.also(&db, action, db.as_str());
            desk.perhaps(&db, action, "drop its tables", "what the database itself lets a caller do was not read");
        }
    }
    super::signed_in(desk, &db, &cluster.arn, (cluster.by_iam, cluster.number.as_deref(), proxied));
    by_others::of_sources(desk, &db, super::logins(&cluster.engine), sources);
    by_others::fails_over(desk, &db, &cluster.arn);
    desk.also(&db, BACKTRACK, db.as_str());
    desk.perhaps(&db, BACKTRACK, "put an older state in its place", "how far back that may go was not read");
    if cluster.engine == "neptune" {
        graph(desk, &db, cluster);
    }
    automated(desk, cluster, &db);
    let of = |snapshot: &&Snapshot| snapshot.is_of(&cluster.name, cluster.number.as_deref());
    for snapshot in snapshots.iter().flatten().filter(of) {
        manual(desk, snapshot, &db, "rds:DeleteDBClusterSnapshot", SNAPSHOTS);
    }
}

/// What calls on the data of Neptune may do (Neptune User Guide, `iam-dp-actions`, `manage-console-fast-reset`). Where users
/// do not sign in by IAM, whoever reaches it may.
fn graph(desk: &mut Desk<'_>, db: &NodeId, cluster: &Cluster) {
    let parts: Vec<&str> = cluster.arn.splitn(6, ':').collect();
    let [prefix, partition, _, region, account, _] = parts.as_slice() else { return };
    let place = format!("{prefix}:{partition}:neptune-db:{region}:{account}:");
    for action in GRAPH {
        desk.also_below(db, action, &place);
        desk.perhaps(db, action, "delete what is in the graph", super::REACHED);
    }
    if cluster.by_iam != Some(true) {
        desk.beside(db, "delete what is in the graph", super::REACHED);
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
