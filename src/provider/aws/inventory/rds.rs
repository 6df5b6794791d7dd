//! RDS instances, with their automated backups and snapshots (RDS API reference: `DescribeDBInstances`,
//! `DescribeDBSnapshots`; RDS User Guide: `USER_DeleteInstance`, `USER_PIT`).

mod by_others;
mod clusters;

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Basis, Class, Copy, CopyKind, End};
use deadstop_core::time::{Span, Time};
use roxmltree::Node;

use super::parts::{NEW_PASSWORD, Query};
use super::{DRILLS, Desk, Seen, one_call};
use crate::provider::aws::reads::RDS;
use crate::provider::aws::rights::ResourcePolicy;
use crate::provider::aws::xml::{child, list, text, yes};

const INSTANCES: &str = "rds:DescribeDBInstances";
const PROXIES: &str = "rds:DescribeDBProxies";
const SNAPSHOTS: &str = "rds:DescribeDBSnapshots";
/// "Amazon RDS uploads transaction logs for DB instances to Amazon S3 every five minutes" (`USER_PIT`).
const LAG: Span = Span(300);

/// Lists the instances of the desk's region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let proxy = |node: Node<'_, '_>| text(node, "DBProxyName").map(str::to_owned);
    let proxies = desk.ask(PROXIES, None, |client| query("DescribeDBProxies", "DBProxies").read(client, proxy));
    let proxied = proxies.map_or(true, |proxies| !proxies.is_empty());
    let clusters = clusters::list_all(desk, proxied);
    let instances =
        match desk.ask(INSTANCES, None, |client| query("DescribeDBInstances", "DBInstances").read(client, instance)) {
            Ok(instances) => instances,
            Err(gap) => return desk.hidden("rds", gap),
        };
    // The data of a cluster lies with the cluster, whatever becomes of its instances.
    let own = |instance: &&Instance| instance.cluster.as_ref().is_none_or(|cluster| !clusters.contains(cluster));
    let instances: Vec<&Instance> = instances.iter().filter(own).collect();
    if instances.is_empty() {
        return;
    }
    let snapshots =
        desk.ask(SNAPSHOTS, None, |client| query("DescribeDBSnapshots", "DBSnapshots").read(client, snapshot));
    let named: BTreeMap<&str, &str> =
        instances.iter().filter_map(|one| Some((one.arn.as_str(), one.source.as_deref()?))).collect();
    for instance in &instances {
        let sources = by_others::sources(&named, &instance.arn);
        one(desk, instance, &snapshots, (proxied, &sources));
    }
}

/// A listing of RDS.
const fn query(action: &'static str, items: &'static str) -> Query {
    Query { service: "rds", version: RDS, action, items, next: "Marker", fields: &[("MaxRecords", "100")] }
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
    host: Option<String>,
    gigabytes: Option<String>,
    /// What it is a replica of, by ARN.
    source: Option<String>,
    tags: BTreeMap<String, String>,
}

fn instance(node: Node<'_, '_>) -> Option<Instance> {
    Some(Instance {
        arn: text(node, "DBInstanceArn")?.to_owned(),
        source: by_others::source_of_instance(node),
        name: text(node, "DBInstanceIdentifier")?.to_owned(),
        number: text(node, "DbiResourceId").map(str::to_owned),
        engine: text(node, "Engine").unwrap_or("database").to_owned(),
        cluster: text(node, "DBClusterIdentifier").map(str::to_owned),
        protected: yes(node, "DeletionProtection"),
        by_iam: yes(node, "IAMDatabaseAuthenticationEnabled"),
        retention: text(node, "BackupRetentionPeriod").and_then(|days| days.parse().ok()),
        key: key(node),
        host: child(node, "Endpoint").and_then(|end| text(end, "Address")).map(str::to_owned),
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

fn one(
    desk: &mut Desk<'_>,
    instance: &Instance,
    snapshots: &Result<Vec<Snapshot>, Gap>,
    (proxied, sources): (bool, &[&str]),
) {
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
    desk.perhaps_after(&db, "rds:ModifyDBInstance", NEW_PASSWORD, REACHED);
    if instance.cluster.is_some() {
        desk.beside(&db, "destroy it with its cluster", "the cluster that it is in was not listed");
    }
    by_parameters(desk, &db, &instance.arn, &instance.engine);
    if let Some(engine) = logins(&instance.engine) {
        desk.facts.endpoint(&db, engine, instance.host.as_deref());
    }
    signed_in(desk, &db, &instance.arn, (instance.by_iam, instance.number.as_deref(), proxied));
    by_others::tenants(desk, &db, &instance.engine);
    by_others::of_sources(desk, &db, logins(&instance.engine), sources);
    automated(desk, instance, &db);
    for snapshot in
        snapshots.iter().flatten().filter(|snapshot| snapshot.is_of(&instance.name, instance.number.as_deref()))
    {
        manual(desk, snapshot, &db, "rds:DeleteDBSnapshot", SNAPSHOTS);
    }
}

/// The provider of the logins of an engine, where URLs of it are found (`CreateDBInstance`, `Engine`).
fn logins(engine: &str) -> Option<&'static str> {
    match engine {
        "postgres" | "aurora-postgresql" => Some("postgres"),
        "mysql" | "mariadb" | "aurora-mysql" | "aurora" => Some("mysql"),
        "docdb" => Some("mongodb"),
        _ => None,
    }
}

/// MySQL and `MariaDB` run what `init_connect` says in the name of whoever connects without administering the server (MySQL
/// Reference Manual, `sysvar_init_connect`), and that is a parameter of their groups (RDS User Guide, `Appendix.MySQL.Parameters`).
/// Which group a database has was not read.
pub(super) fn by_parameters(desk: &mut Desk<'_>, db: &NodeId, arn: &str, engine: &str) {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ([prefix, partition, _, region, account, _], Some("mysql")) = (parts.as_slice(), logins(engine)) else {
        return;
    };
    for (action, group) in by_others::PARAMETERS {
        desk.also_below(db, action, &format!("{prefix}:{partition}:rds:{region}:{account}:{group}:"));
        desk.perhaps_after(
            db,
            action,
            "have every sign-in run a statement that drops its tables",
            "whether users sign in that may drop them was not read",
        );
    }
}

const REACHED: &str = "whether the database can be reached from here was not read";

/// Where users of a database sign in by IAM, what they may do there is its own to say (RDS User Guide,
/// `UsingWithRDS.IAMDBAuth.IAMPolicy`: `arn:aws:rds-db:region:account-id:dbuser:DbiResourceId/db-user-name`).
pub(super) fn signed_in(
    desk: &mut Desk<'_>,
    db: &NodeId,
    arn: &str,
    (by_iam, number, proxied): (Option<bool>, Option<&str>, bool),
) {
    const CONNECT: &str = "rds-db:connect";
    let Some(users) = signed_in_below(arn) else { return };
    if proxied {
        by_others::through_proxies(desk, db, arn);
    }
    // A proxy is signed in to by IAM, and signs in to its database by a password (RDS User Guide, `rds-proxy-connecting`).
    let proxy = proxied.then(|| "prx-".to_owned());
    let own = (by_iam != Some(false)).then(|| number.map_or_else(String::new, |number| format!("{number}/")));
    if proxy.is_none() && own.is_none() {
        return;
    }
    for within in proxy.into_iter().chain(own) {
        desk.also_below(db, CONNECT, &format!("{users}{within}"));
    }
    desk.perhaps(
        db,
        CONNECT,
        "sign in to it and drop its tables",
        "what the database itself lets a user do was not read",
    );
}

/// Where the ARNs of those begin who sign in by IAM in the Region and the account of a database.
fn signed_in_below(arn: &str) -> Option<String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, _, region, account, _] = parts.as_slice() else { return None };
    Some(format!("{prefix}:{partition}:rds-db:{region}:{account}:dbuser:"))
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
