//! Spanner: instances, databases and backups.
//!
//! <https://cloud.google.com/spanner/docs/prevent-database-deletion>, <https://cloud.google.com/spanner/docs/backup>. Drop protection knows
//! of the database alone: its tables are dropped and its rows deleted all the same, and a project is deleted over it.

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind, End};
use deadstop_core::time::Time;
use serde::Deserialize;

use super::client::Client;
use super::desk::{DELETE_PROJECT, Desk, Held, Labels, Resource, last};
use super::reads::{ON_SPANNER, ON_SPANNER_DATABASE, SPANNER_BACKUPS, SPANNER_DATABASES, SPANNERS};
use super::rights::{ON_SPANNER_DATABASES, ON_SPANNERS, beside};
use super::steps;
use crate::provider::platform::{Container, Guard, Kept, can, listed, names};
use crate::provider::token::{Got, is_id};

const DELETE_INSTANCE: &str = "spanner.instances.delete";
const DROP: &str = "spanner.databases.drop";

#[derive(Deserialize)]
struct Instance {
    name: String,
    labels: Option<Labels>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Database {
    name: String,
    #[serde(default)]
    enable_drop_protection: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backup {
    name: String,
    database: String,
    create_time: Option<Time>,
    expire_time: Option<Time>,
    state: Option<String>,
}

/// An instance, with what lies in it and what somebody may do to it.
struct One {
    instance: Instance,
    held: Held,
    databases: Got<Database>,
    on_databases: Vec<Held>,
    backups: Got<Backup>,
}

/// The instances of a project.
pub(super) struct Seen {
    each: Vec<One>,
    fault: Option<crate::provider::facts::Fault>,
    strange: bool,
}

impl Seen {
    pub(super) fn of(client: &Client<'_>, project: &str, known: &BTreeSet<&'static str>) -> Self {
        let Got { mut items, fault } = client.list::<Instance>(SPANNERS, &[project], &[], ("instances", None));
        let all = items.len();
        items.retain(|one| is_id(last(&one.name)));
        let strange = items.len() != all;
        let one = |instance: Instance| {
            let at = [project, last(&instance.name)];
            let asked = beside(&ON_SPANNERS, known);
            let held: Held = (!asked.is_empty()).then(|| client.holds(ON_SPANNER, &at, &asked));
            let mut known = known.clone();
            known.extend(held.iter().flatten().flatten());
            let databases = client.list::<Database>(SPANNER_DATABASES, &at, &[], ("databases", None));
            let asked = beside(&ON_SPANNER_DATABASES, &known);
            let of_database = |database: &Database| {
                let at = [at[0], at[1], last(&database.name)];
                (!asked.is_empty()).then(|| client.holds(ON_SPANNER_DATABASE, &at, &asked))
            };
            let on_databases = databases.items.iter().map(of_database).collect();
            let backups = client.list::<Backup>(SPANNER_BACKUPS, &at, &[], ("backups", None));
            One { held, databases, on_databases, backups, instance }
        };
        Self { each: items.into_iter().map(one).collect(), fault, strange }
    }

    pub(super) fn describe(self, desk: &mut Desk<'_>) -> Option<Gap> {
        let mut gap = desk.listed(SPANNERS, self.fault);
        if self.strange {
            gap = Some(desk.strange(SPANNERS));
        }
        for one in self.each {
            instance(desk, one);
        }
        gap
    }
}

fn instance(desk: &mut Desk<'_>, one: One) {
    let name = last(&one.instance.name);
    let (node, project) = (desk.node(&format!("spanner/{name}")), desk.project.clone());
    let mut unlisted = desk.facts.outcome(SPANNER_DATABASES, node.as_str(), one.databases.fault);
    let unkept = desk.facts.outcome(SPANNER_BACKUPS, node.as_str(), one.backups.fault);
    if one.databases.items.iter().any(|database| !is_id(last(&database.name))) {
        unlisted = Some(desk.strange(SPANNER_DATABASES));
    }
    desk.facts.container(
        Container {
            kind: "spanner_instance",
            name,
            parent: Some(&project),
            environment: Fact::Known(super::desk::labelled(one.instance.labels.as_ref())),
            contents: listed(unlisted),
            ..Container::of(node.clone())
        },
        (SPANNERS, desk.id),
    );
    desk.holds(&node, (ON_SPANNER, name), one.held.as_ref());
    for (database, held) in one.databases.items.iter().zip(one.on_databases) {
        if is_id(last(&database.name)) {
            of(desk, &node, database, (held, &one.backups.items, unkept.as_ref()));
        }
    }
}

fn of(
    desk: &mut Desk<'_>,
    instance: &NodeId,
    database: &Database,
    (held, backups, unkept): (Held, &[Backup], Option<&Gap>),
) {
    let name = last(&database.name);
    let node = NodeId(format!("{instance}/database/{name}"));
    // Copies of a backup in another instance, or another project, name no database that is here.
    let copied = desk.facts.doubt(name, "copies of its backups in other instances were not read");
    desk.resource(
        Resource {
            id: node.clone(),
            kind: "spanner_database",
            class: Class::Database,
            name,
            parent: Some(instance),
            labels: None,
            contents: None,
            copies: Fact::Unknown(unkept.cloned().unwrap_or(copied)),
            holds: None,
            key: None,
        },
        (SPANNER_DATABASES, instance.as_str()),
    );
    desk.holds(&node, (ON_SPANNER_DATABASE, name), held.as_ref());
    steps::gives(desk, &node, "spanner.databases.setIamPolicy", &held);
    let because = if database.enable_drop_protection { "drop protection is on" } else { "drop protection is off" };
    desk.facts.guarded(
        Guard {
            on: &node,
            kind: "drop protection",
            // Whether it also keeps the instance is said of the project alone: that it does not.
            covers: &[DROP],
            enabled: Fact::Known(database.enable_drop_protection),
            holds_parent: false,
            lifts: Fact::Known(vec![can("spanner.databases.update", &node, "switch drop protection off")]),
            because,
        },
        (SPANNER_DATABASES, instance.as_str()),
    );
    let ready = |one: &&Backup| one.database == database.name && one.state.as_deref() == Some("READY");
    let newest = backups.iter().filter(ready).filter(|one| is_id(last(&one.name)));
    if let Some(newest) = newest.max_by_key(|one| (one.create_time, &one.name)) {
        backup(desk, newest, instance, &node);
    }
}

/// A backup stays when its database is dropped, until it expires (`dropDatabase`). It lies in the instance.
fn backup(desk: &mut Desk<'_>, newest: &Backup, instance: &NodeId, node: &NodeId) {
    let name = last(&newest.name);
    let lag = match newest.create_time {
        Some(at) => Fact::Known(desk.facts.at().since(at)),
        None => desk.unread(name, "when a backup was made was not in the answer"),
    };
    let ends = match newest.expire_time {
        Some(at) => Fact::Known(End::At(at)),
        None => desk.unread(name, "when a backup expires was not in the answer"),
    };
    let delete = can("spanner.backups.delete", instance, "delete the backup");
    desk.copy(
        Kept {
            id: &format!("backup/{name}"),
            of: node,
            kind: CopyKind::Snapshot,
            name: format!("backup {name}"),
            place: Some(instance),
            lag,
            ends,
            dies_with: Fact::Known(names(&[DELETE_INSTANCE, DELETE_PROJECT])),
            destroyed_by: Fact::Known(vec![delete]),
            because: "the newest backup, which stays until it expires",
        },
        None,
        (SPANNER_BACKUPS, instance.as_str()),
    );
}
