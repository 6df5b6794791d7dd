//! Statements that reach a database by what stands before it, by what it is in, or by what it is a replica of.

use std::collections::BTreeMap;

use deadstop_core::id::{NodeId, StepId};
use deadstop_core::model::{Atom, Step};
use roxmltree::Node;

use super::super::Desk;
use super::super::parts::NEW_PASSWORD;
use super::clusters::SQL;
use super::{REACHED, signed_in_below};
use crate::provider::aws::rights::{SOURCE, runs};
use crate::provider::aws::xml::text;

const CONNECT: &str = "rds-db:connect";
/// What changes the statement that a proxy runs on each connection which it opens, as the user whose secret it has
/// (`ConnectionPoolConfiguration`: `InitQuery`), and which databases it stands before.
const OF_PROXIES: [&str; 2] = ["rds:ModifyDBProxyTargetGroup", "rds:RegisterDBProxyTargets"];

/// What changes the parameters of a database, each with the kind of group.
pub(super) const PARAMETERS: [(&str, &str); 2] =
    [("rds:ModifyDBParameterGroup", "pg"), ("rds:ModifyDBClusterParameterGroup", "cluster-pg")];

/// Another resource of RDS, or all of a kind, in the Region and the account of this one.
fn near(arn: &str, name: &str) -> Option<String> {
    let place: Vec<&str> = arn.splitn(6, ':').take(5).collect();
    (place.len() == 5).then(|| format!("{}:{name}", place.join(":")))
}

/// Proxies of the Region. Which databases they stand before was not read.
pub(super) fn through_proxies(desk: &mut Desk<'_>, db: &NodeId, arn: &str) {
    let Some(groups) = near(arn, "target-group:") else { return };
    for action in OF_PROXIES {
        desk.also_below(db, action, &groups);
        let why = "which databases proxies stand before, and whom they sign in as, was not read";
        desk.perhaps_after(db, action, "have a proxy run a statement that drops its tables", why);
    }
}

/// What a global database has not yet copied is lost when another of its clusters takes over (`FailoverGlobalCluster`:
/// `AllowDataLoss`). Which clusters are in one was not read.
pub(super) fn fails_over(desk: &mut Desk<'_>, db: &NodeId, arn: &str) {
    const FAIL_OVER: &str = "rds:FailoverGlobalCluster";
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [prefix, partition, _, _, account, _] = parts.as_slice() else { return };
    desk.also_below(db, FAIL_OVER, &format!("{prefix}:{partition}:rds::{account}:global-cluster:"));
    let why = "whether it is in a global database, and how far behind the others are, was not read";
    desk.perhaps_after(db, FAIL_OVER, "have another cluster take over without what it has not copied", why);
}

/// The databases within one of Oracle have passwords of their own (`ModifyTenantDatabase`: `MasterUserPassword`).
pub(super) fn tenants(desk: &mut Desk<'_>, db: &NodeId, engine: &str) {
    const MODIFY: &str = "rds:ModifyTenantDatabase";
    if engine.ends_with("-cdb") {
        desk.also(db, MODIFY, db.as_str());
        desk.perhaps_after(db, MODIFY, NEW_PASSWORD, REACHED);
    }
}

/// What an instance is a replica of, by ARN. In its own Region it is named without one (`DBInstance`).
pub(super) fn source_of_instance(node: Node<'_, '_>) -> Option<String> {
    let own = text(node, "DBInstanceArn")?;
    let named = |field: &str, kind: &str| match text(node, field)? {
        arn if arn.starts_with("arn:") => Some(arn.to_owned()),
        name => near(own, &format!("{kind}:{name}")),
    };
    named("ReadReplicaSourceDBInstanceIdentifier", "db")
        .or_else(|| named("ReadReplicaSourceDBClusterIdentifier", "cluster"))
}

/// What a cluster is a replica of, by ARN (`DBCluster`).
pub(super) fn source_of_cluster(node: Node<'_, '_>) -> Option<String> {
    match text(node, "ReplicationSourceIdentifier")? {
        arn if arn.starts_with("arn:") => Some(arn.to_owned()),
        name => near(text(node, "DBClusterArn")?, &format!("cluster:{name}")),
    }
}

/// What a database is a replica of, and what that is one of, by these names of sources.
pub(super) fn sources<'a>(named: &BTreeMap<&'a str, &'a str>, arn: &'a str) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    let mut next = named.get(arn);
    while let Some(source) = next.filter(|source| **source != arn && !all.contains(*source)) {
        all.push(source);
        next = named.get(source);
    }
    all
}

/// What is dropped in the source of a replica is dropped in the replica. The source may not have been listed, so that a
/// login, too, may be one of it.
pub(super) fn of_sources(desk: &mut Desk<'_>, db: &NodeId, engine: Option<&'static str>, sources: &[&str]) {
    if let Some(engine) = engine.filter(|_| !sources.is_empty()) {
        desk.facts.endpoint(db, engine, None);
    }
    for (number, source) in sources.iter().enumerate() {
        of_source(desk, db, source, &NodeId(format!("{db}{SOURCE}{}", "-".repeat(number))));
    }
}

fn of_source(desk: &mut Desk<'_>, db: &NodeId, source: &str, at: &NodeId) {
    let mut calls = vec![CONNECT];
    if let Some(users) = signed_in_below(source) {
        desk.also_below(at, CONNECT, &users);
    }
    if let Some(groups) = near(source, "target-group:") {
        OF_PROXIES.iter().for_each(|action| desk.also_below(at, action, &groups));
        calls.extend(OF_PROXIES);
    }
    for (action, group) in PARAMETERS {
        if let Some(groups) = near(source, &format!("{group}:")) {
            desk.also_below(at, action, &groups);
            calls.push(action);
        }
    }
    let modify = if source.contains(":cluster:") { "rds:ModifyDBCluster" } else { "rds:ModifyDBInstance" };
    for action in SQL.into_iter().chain([modify, "rds:ModifyTenantDatabase"]) {
        desk.also(at, action, source);
        calls.push(action);
    }
    for action in calls {
        let possible = desk.unread("what the database that it is a replica of lets a user do was not read");
        desk.facts.steps.push(Step {
            id: StepId(format!("{at}:{action}")),
            session: None,
            needs: vec![Atom::Can { action: action.to_owned(), target: at.clone() }],
            gains: vec![Atom::Destroyed(db.clone())],
            changes: !runs(action),
            possible,
            because: format!("drop tables in {source}, of which it is a replica, by way of {action}"),
            sources: Vec::new(),
        });
    }
}
