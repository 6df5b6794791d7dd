//! RDS instances, with their automated backups and snapshots (RDS API reference: `DescribeDBInstances`,
//! `DescribeDBSnapshots`; RDS User Guide: `USER_DeleteInstance`, `USER_PIT`).

mod clusters;

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Basis, Class, Copy, CopyKind, End};
use deadstop_core::time::{Span, Time};
use roxmltree::{Document, Node};

use super::{DRILLS, Desk, Seen, one_call};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::reads::RDS;
use crate::provider::aws::rights::ResourcePolicy;
use crate::provider::aws::xml::{child, list, result, text, yes};

const INSTANCES: &str = "rds:DescribeDBInstances";
const SNAPSHOTS: &str = "rds:DescribeDBSnapshots";
/// "Amazon RDS uploads transaction logs for DB instances to Amazon S3 every five minutes" (`USER_PIT`).
const LAG: Span = Span(300);

/// Lists the instances of the desk's region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let clusters = clusters::list_all(desk);
    let instances =
        match desk.ask(INSTANCES, None, |client| pages(client, "DescribeDBInstances", "DBInstances", instance)) {
            Ok(instances) => instances,
            Err(gap) => return desk.unlisted.push(gap),
        };
    // The data of a cluster lies with the cluster, whatever becomes of its instances.
    let own = |instance: &&Instance| instance.cluster.as_ref().is_none_or(|cluster| !clusters.contains(cluster));
    let instances: Vec<&Instance> = instances.iter().filter(own).collect();
    if instances.is_empty() {
        return;
    }
    let snapshots = desk.ask(SNAPSHOTS, None, |client| pages(client, "DescribeDBSnapshots", "DBSnapshots", snapshot));
    for instance in instances {
        one(desk, instance, &snapshots);
    }
}

/// Every page of a listing. One item that cannot be understood spoils the whole: it may be the one that counts.
fn pages<T>(
    client: &Client<'_>,
    action: &str,
    name: &str,
    read: fn(Node<'_, '_>) -> Option<T>,
) -> Result<Vec<T>, Fault> {
    let (mut all, mut marker) = (Vec::new(), None::<String>);
    loop {
        let mut fields = vec![("MaxRecords", "100")];
        fields.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let answer = client.form("rds", action, RDS, &fields)?;
        let document = Document::parse(&answer).map_err(|_| Fault::malformed())?;
        let result = result(&document).ok_or_else(Fault::malformed)?;
        child(result, name).ok_or_else(Fault::malformed)?;
        for node in list(result, name) {
            all.push(read(node).ok_or_else(Fault::malformed)?);
        }
        let next = text(result, "Marker").map(str::to_owned);
        if next.is_none() {
            return Ok(all);
        }
        if next == marker {
            return Err(Fault::malformed());
        }
        marker = next;
    }
}

struct Instance {
    arn: String,
    name: String,
    /// Which instance of that name: a name may be used again.
    number: Option<String>,
    engine: String,
    cluster: Option<String>,
    /// Whether users of it sign in by IAM.
    by_iam: Option<bool>,
    protected: Option<bool>,
    retention: Option<u64>,
    key: Option<String>,
    gigabytes: Option<String>,
    tags: BTreeMap<String, String>,
}

fn instance(node: Node<'_, '_>) -> Option<Instance> {
    Some(Instance {
        arn: text(node, "DBInstanceArn")?.to_owned(),
        name: text(node, "DBInstanceIdentifier")?.to_owned(),
        number: text(node, "DbiResourceId").map(str::to_owned),
        engine: text(node, "Engine").unwrap_or("database").to_owned(),
        cluster: text(node, "DBClusterIdentifier").map(str::to_owned),
        protected: yes(node, "DeletionProtection"),
        by_iam: yes(node, "IAMDatabaseAuthenticationEnabled"),
        retention: text(node, "BackupRetentionPeriod").and_then(|days| days.parse().ok()),
        key: key(node),
        gigabytes: text(node, "AllocatedStorage").map(str::to_owned),
        tags: tags(node),
    })
}

/// The key of what is encrypted.
fn key(node: Node<'_, '_>) -> Option<String> {
    let plain = ["StorageEncrypted", "Encrypted"].iter().any(|name| yes(node, name) == Some(false));
    text(node, "KmsKeyId").filter(|_| !plain).map(str::to_owned)
}

fn tags(node: Node<'_, '_>) -> BTreeMap<String, String> {
    let tag = |tag| Some((text(tag, "Key")?.to_owned(), text(tag, "Value").unwrap_or_default().to_owned()));
    list(node, "TagList").filter_map(tag).collect()
}

#[derive(Clone)]
struct Snapshot {
    arn: String,
    name: String,
    of: String,
    number: Option<String>,
    kind: String,
    available: bool,
    at: Option<Time>,
    key: Option<String>,
}

fn snapshot(node: Node<'_, '_>) -> Option<Snapshot> {
    Some(Snapshot {
        arn: text(node, "DBSnapshotArn")?.to_owned(),
        name: text(node, "DBSnapshotIdentifier")?.to_owned(),
        of: text(node, "DBInstanceIdentifier")?.to_owned(),
        number: text(node, "DbiResourceId").map(str::to_owned),
        kind: text(node, "SnapshotType")?.to_owned(),
        available: text(node, "Status") == Some("available"),
        at: text(node, "SnapshotCreateTime").and_then(|at| at.parse().ok()),
        key: key(node),
    })
}

fn one(desk: &mut Desk<'_>, instance: &Instance, snapshots: &Result<Vec<Snapshot>, Gap>) {
    // AWS Backup keeps copies that RDS does not show; those of a cluster lie with the cluster.
    let elsewhere = desk.kept_elsewhere(&instance.name, &instance.arn);
    let of_cluster =
        instance.cluster.is_some().then(|| desk.facts.doubt(desk.account, "copies of DB clusters are not described"));
    let gap = snapshots.as_ref().err().cloned().or(elsewhere).or(of_cluster);
    let copies = gap.map_or(Fact::Known(Listed::Complete), Fact::Unknown);
    let size = instance.gigabytes.as_ref().map(|gigabytes| format!("{gigabytes} GiB of {}", instance.engine));
    let db = desk.asset(Seen {
        arn: &instance.arn,
        kind: "db_instance",
        class: Class::Database,
        name: &instance.name,
        tags: &instance.tags,
        protections: Fact::Known(Listed::Complete),
        copies,
        holds: size,
        operation: INSTANCES,
        key: instance.key.as_deref(),
        policy: ResourcePolicy::None,
    });
    let protected = match instance.protected {
        Some(on) => Fact::Known(on),
        None => desk.unread("an instance's deletion protection was not in the answer"),
    };
    desk.protection(&db, "rds:DeleteDBInstance", protected, "rds:ModifyDBInstance", INSTANCES);
    if instance.by_iam != Some(false) {
        signed_in(desk, &db, &instance.arn, instance.number.as_deref());
    }
    automated(desk, instance, &db);
    for snapshot in
        snapshots.iter().flatten().filter(|snapshot| snapshot.is_of(&instance.name, instance.number.as_deref()))
    {
        manual(desk, snapshot, &db, "rds:DeleteDBSnapshot", SNAPSHOTS);
    }
}

/// Where users of a database sign in by IAM, what they may do there is its own to say (RDS User Guide,
/// `UsingWithRDS.IAMDBAuth.IAMPolicy`: `arn:aws:rds-db:region:account-id:dbuser:DbiResourceId/db-user-name`).
pub(super) fn signed_in(desk: &mut Desk<'_>, db: &NodeId, arn: &str, number: Option<&str>) {
    const CONNECT: &str = "rds-db:connect";
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, _, region, account, _] = parts.as_slice() else { return };
    let within = number.map_or_else(String::new, |number| format!("{number}/"));
    desk.also_below(db, CONNECT, &format!("{prefix}:{partition}:rds-db:{region}:{account}:dbuser:{within}"));
    desk.perhaps(
        db,
        CONNECT,
        "sign in to it and drop its tables",
        "what the database itself lets a user do was not read",
    );
}

impl Snapshot {
    /// Whether it is a whole copy of this very instance or cluster, and stays when that is deleted.
    fn is_of(&self, name: &str, number: Option<&str>) -> bool {
        let same = number.is_some() && self.number.as_deref() == number;
        same && self.available && self.kind != "automated" && self.of == name
    }
}

/// The automated backups. They go with the instance, by the default of the call that deletes it.
fn automated(desk: &mut Desk<'_>, instance: &Instance, db: &NodeId) {
    let Some(days) = instance.retention.filter(|days| *days > 0) else { return };
    let source = desk.facts.source(INSTANCES, &desk.scope());
    desk.facts.copies.push(Copy {
        id: NodeId(format!("{db}#automated-backups")),
        of: db.clone(),
        kind: CopyKind::Pitr,
        name: format!("automated backups of {}", instance.name),
        place: Some(desk.parent.clone()),
        lag: Fact::Known(LAG),
        ends: Fact::Known(End::After(Span::days(days))),
        dies_with: Fact::Known(vec!["rds:DeleteDBInstance".to_owned()]),
        destroyed_by: Fact::Known(vec![one_call("rds:ModifyDBInstance", db, "set the backup retention to 0")]),
        needs: instance.key.iter().map(|key| NodeId(desk.key(key))).collect(),
        drills: DRILLS,
        basis: Basis::Observed,
        because: format!(
            "backups are kept for {days} days, and deleted with the instance unless the caller keeps them"
        ),
        sources: vec![source],
    });
}

fn manual(desk: &mut Desk<'_>, snapshot: &Snapshot, db: &NodeId, delete: &'static str, operation: &'static str) {
    if snapshot.kind != "manual" && desk.knows_vaults() {
        return;
    }
    let id = NodeId(snapshot.arn.clone());
    let source = desk.facts.source(operation, &desk.scope());
    let lag = match snapshot.at {
        Some(at) => Fact::Known(desk.facts.at().since(at)),
        None => desk.unread("a snapshot's time was not in the answer"),
    };
    let destroyed_by = if snapshot.kind == "manual" {
        desk.also(&id, delete, &snapshot.arn);
        Fact::Known(vec![one_call(delete, &id, "delete the snapshot")])
    } else {
        desk.unread("who may delete snapshots that AWS Backup keeps was not read")
    };
    let kind = if snapshot.kind == "manual" { "manual" } else { "awsbackup" };
    let needs = desk.needed(snapshot.key.as_ref());
    desk.facts.copies.push(Copy {
        id,
        of: db.clone(),
        kind: CopyKind::Snapshot,
        name: format!("snapshot {}", snapshot.name),
        place: Some(desk.parent.clone()),
        lag,
        ends: Fact::Known(End::Never),
        dies_with: Fact::Known(Vec::new()),
        destroyed_by,
        needs,
        drills: DRILLS,
        basis: Basis::Observed,
        because: format!("a snapshot of type {kind}, kept when what it is of is deleted"),
        sources: vec![source],
    });
}

#[cfg(test)]
mod tests;
