//! Caches: replication groups, clusters and serverless caches of `ElastiCache` (API reference: `DescribeReplicationGroups`,
//! `DescribeCacheClusters`, `DescribeServerlessCaches`, `DescribeSnapshots`, `RebootCacheCluster`, `StartMigration`), and
//! clusters of `MemoryDB` (`DescribeClusters`, `DescribeSnapshots`).

mod memorydb;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind, End};
use deadstop_core::time::Time;
use roxmltree::{Document, Node};

use super::parts::{Kept, Query, xml_tags};
use super::{Desk, Seen, one_call};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::reads::ELASTICACHE as VERSION;
use crate::provider::aws::rights::ResourcePolicy;
use crate::provider::aws::xml::{list, result, text, yes};

const GROUPS: &str = "elasticache:DescribeReplicationGroups";
const CLUSTERS: &str = "elasticache:DescribeCacheClusters";
const SERVERLESS: &str = "elasticache:DescribeServerlessCaches";
const SNAPSHOTS: &str = "elasticache:DescribeSnapshots";
/// What destroys a cluster, and what a group.
const CALLS: [&str; 3] =
    ["elasticache:DeleteCacheCluster", "elasticache:RebootCacheCluster", "elasticache:ModifyCacheCluster"];
const OF_GROUPS: [&str; 2] = ["elasticache:DeleteReplicationGroup", "elasticache:StartMigration"];
/// Beside AWS, a cache is kept by a password or by users of its own, if by any (`ElastiCache` User Guide, `auth`).
pub(super) const EMPTY: &str = "connect to it and empty it";
pub(super) const REACHED: &str = "whether it can be reached, and whom it lets in, was not read";
const DELETE_SNAPSHOT: &str = "elasticache:DeleteSnapshot";

const fn query(action: &'static str, items: &'static str) -> Query {
    Query { service: "elasticache", version: VERSION, action, items, next: "Marker", fields: &[("MaxRecords", "100")] }
}

/// A cache of one of the three sorts.
#[derive(Debug, PartialEq, Eq)]
struct Cache {
    arn: String,
    name: String,
    engine: Option<String>,
    /// When it was made: a name may be used again.
    made: Option<Time>,
    key: Option<String>,
    /// The replication group that a cluster is in, or the clusters that are in a group.
    others: Vec<String>,
    /// Whether it is a group in which no node is rebooted.
    sharded: bool,
}

fn cache(node: Node<'_, '_>, name: &str, made: &str) -> Option<Cache> {
    Some(Cache {
        arn: text(node, "ARN").filter(|arn| arn.starts_with("arn:"))?.to_owned(),
        name: text(node, name)?.to_owned(),
        engine: text(node, "Engine").map(str::to_owned),
        made: text(node, made).and_then(|at| at.parse().ok()),
        key: text(node, "KmsKeyId").map(str::to_owned),
        others: Vec::new(),
        sharded: yes(node, "ClusterEnabled") == Some(true),
    })
}

fn group(node: Node<'_, '_>) -> Option<Cache> {
    let members = list(node, "MemberClusters").filter_map(|member| member.text().map(|text| text.trim().to_owned()));
    Some(Cache { others: members.collect(), ..cache(node, "ReplicationGroupId", "ReplicationGroupCreateTime")? })
}

fn cluster(node: Node<'_, '_>) -> Option<Cache> {
    let group = text(node, "ReplicationGroupId").map(str::to_owned);
    Some(Cache { others: group.into_iter().collect(), ..cache(node, "CacheClusterId", "CacheClusterCreateTime")? })
}

fn serverless(node: Node<'_, '_>) -> Option<Cache> {
    cache(node, "ServerlessCacheName", "CreateTime")
}

#[derive(Debug, PartialEq, Eq)]
struct Snapshot {
    arn: String,
    name: String,
    /// The group or the cluster.
    of: String,
    manual: bool,
    available: bool,
    at: Option<Time>,
    key: Option<String>,
}

fn snapshot(node: Node<'_, '_>) -> Option<Snapshot> {
    let times = list(node, "NodeSnapshots").map(|one| text(one, "SnapshotCreateTime").and_then(|at| at.parse().ok()));
    let times: Option<Vec<Time>> = times.collect();
    Some(Snapshot {
        arn: text(node, "ARN").filter(|arn| arn.starts_with("arn:"))?.to_owned(),
        name: text(node, "SnapshotName")?.to_owned(),
        of: text(node, "ReplicationGroupId").or_else(|| text(node, "CacheClusterId"))?.to_owned(),
        manual: text(node, "SnapshotSource") == Some("manual"),
        available: text(node, "SnapshotStatus") == Some("available"),
        // It is as old as the oldest of its parts.
        at: times.and_then(|times| times.into_iter().min()),
        key: text(node, "KmsKeyId").map(str::to_owned),
    })
}

/// Lists the caches of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let groups = desk.ask(GROUPS, None, |c| query("DescribeReplicationGroups", "ReplicationGroups").read(c, group));
    let clusters = desk.ask(CLUSTERS, None, |c| query("DescribeCacheClusters", "CacheClusters").read(c, cluster));
    let without = Query { fields: &[], next: "NextToken", ..query("DescribeServerlessCaches", "ServerlessCaches") };
    let serverless = desk.ask(SERVERLESS, None, |c| without.read(c, serverless));
    let mut read = |caches: Result<Vec<Cache>, Gap>| {
        caches.unwrap_or_else(|gap| {
            desk.unlisted.push(gap);
            Vec::new()
        })
    };
    let (groups, clusters, serverless) = (read(groups), read(clusters), read(serverless));
    let known: BTreeSet<&String> = groups.iter().map(|group| &group.name).collect();
    let alone: Vec<&Cache> =
        clusters.iter().filter(|cluster| cluster.others.iter().all(|group| !known.contains(group))).collect();
    if !groups.is_empty() || !alone.is_empty() {
        let snapshots = desk.ask(SNAPSHOTS, None, |c| query("DescribeSnapshots", "Snapshots").read(c, snapshot));
        for group in &groups {
            of_group(desk, group, &snapshots);
        }
        for cluster in alone {
            let id = one(desk, cluster, CLUSTERS, &CALLS, &snapshots);
            // It goes with a group that was not listed, too.
            for group in &cluster.others {
                let place = cluster.arn.rsplitn(3, ':').nth(2).unwrap_or_default();
                for action in OF_GROUPS {
                    desk.also(&id, action, &format!("{place}:replicationgroup:{group}"));
                }
            }
        }
    }
    for cache in &serverless {
        let copies = desk.facts.doubt(desk.account, "snapshots of serverless caches are not described");
        one(desk, cache, SERVERLESS, &["elasticache:DeleteServerlessCache"], &Err(copies));
    }
    memorydb::list_all(desk);
}

fn of_group(desk: &mut Desk<'_>, group: &Cache, snapshots: &Result<Vec<Snapshot>, Gap>) {
    let id = one(desk, group, GROUPS, &OF_GROUPS, snapshots);
    // "The reboot causes the contents of the cache (for each cache node being rebooted) to be lost."
    for member in group.others.iter().filter(|_| !group.sharded) {
        let place = group.arn.rsplitn(3, ':').nth(2).unwrap_or_default();
        desk.also(&id, "elasticache:RebootCacheCluster", &format!("{place}:cluster:{member}"));
    }
}

fn one(
    desk: &mut Desk<'_>,
    cache: &Cache,
    operation: &'static str,
    calls: &[&str],
    snapshots: &Result<Vec<Snapshot>, Gap>,
) -> NodeId {
    let elsewhere = desk.kept_elsewhere(&cache.name, &cache.arn);
    let tags = marks(desk, cache);
    let copies = snapshots.as_ref().err().cloned().or(elsewhere);
    let id = desk.asset(Seen {
        arn: &cache.arn,
        kind: "cache",
        class: Class::Store,
        name: &cache.name,
        tags: &tags,
        protections: Fact::Known(Listed::Complete),
        copies: copies.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: cache.engine.as_ref().map(|engine| format!("a cache of {engine}")),
        operation,
        key: cache.key.as_deref(),
        policy: ResourcePolicy::None,
    });
    for call in calls {
        desk.also(&id, call, &cache.arn);
    }
    desk.beside(&id, EMPTY, REACHED);
    let of = |one: &&Snapshot| {
        let since = one.at.is_some_and(|at| cache.made.is_some_and(|made| at >= made));
        one.manual && one.available && one.of == cache.name && since
    };
    for snapshot in snapshots.iter().flatten().filter(of) {
        copy(desk, snapshot, &id);
    }
    id
}

/// A manual snapshot; automatic ones are deleted with what they are of.
fn copy(desk: &mut Desk<'_>, snapshot: &Snapshot, cache: &NodeId) {
    let id = NodeId(snapshot.arn.clone());
    desk.also(&id, DELETE_SNAPSHOT, &snapshot.arn);
    let kept = Kept {
        kind: CopyKind::Snapshot,
        name: format!("snapshot {}", snapshot.name),
        lag: desk.age(snapshot.at, "a snapshot's time was not in the answer"),
        ends: Fact::Known(End::Never),
        dies_with: &[],
        destroyed_by: Fact::Known(vec![one_call(DELETE_SNAPSHOT, &id, "delete the snapshot")]),
        needs: desk.needed(snapshot.key.as_ref()),
        because: "a manual snapshot, kept when the cache is deleted".to_owned(),
        operation: SNAPSHOTS,
        id,
    };
    desk.keep(cache, kept);
}

fn marks(desk: &mut Desk<'_>, cache: &Cache) -> BTreeMap<String, String> {
    let read = desk.ask("elasticache:ListTagsForResource", Some(&cache.name), |client: &Client<'_>| {
        let fields = [("ResourceName", cache.arn.as_str())];
        let answer = client.form("elasticache", "ListTagsForResource", VERSION, &fields)?;
        let document = Document::parse(&answer).map_err(|_| Fault::malformed())?;
        result(&document).map(|result| xml_tags(result, "TagList")).ok_or_else(Fault::malformed)
    });
    read.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(text: &str, read: fn(Node<'_, '_>) -> Option<T>) -> Option<T> {
        let document = Document::parse(text).unwrap();
        read(document.root_element())
    }

    #[test]
    fn groups_and_snapshots() {
        let text = "<ReplicationGroup><ReplicationGroupId>g</ReplicationGroupId><MemberClusters><ClusterId>g-001</ClusterId>\
                    </MemberClusters><ClusterEnabled>false</ClusterEnabled>\
                    <ReplicationGroupCreateTime>2026-01-01T00:00:00Z</ReplicationGroupCreateTime>\
                    <ARN>arn:aws:elasticache:eu-west-1:111122223333:replicationgroup:g</ARN></ReplicationGroup>";
        let group = read(text, group).unwrap();
        assert_eq!((group.others.as_slice(), group.sharded), (["g-001".to_owned()].as_slice(), false));
        assert!(group.made.is_some());
        let text = "<Snapshot><SnapshotName>s</SnapshotName><ReplicationGroupId>g</ReplicationGroupId>\
                    <SnapshotStatus>available</SnapshotStatus><SnapshotSource>manual</SnapshotSource><NodeSnapshots>\
                    <NodeSnapshot><SnapshotCreateTime>2026-02-02T00:00:00Z</SnapshotCreateTime></NodeSnapshot>\
                    <NodeSnapshot><SnapshotCreateTime>2026-02-01T00:00:00Z</SnapshotCreateTime></NodeSnapshot></NodeSnapshots>\
                    <ARN>arn:aws:elasticache:eu-west-1:111122223333:snapshot:s</ARN></Snapshot>";
        let snapshot = read(text, snapshot).unwrap();
        assert!(snapshot.manual && snapshot.available);
        assert_eq!(snapshot.at, "2026-02-01T00:00:00Z".parse().ok());
        assert_eq!(read("<C><CacheClusterId>c</CacheClusterId></C>", cluster), None);
    }
}
