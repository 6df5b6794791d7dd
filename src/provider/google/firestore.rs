//! Firestore: databases and backups.
//!
//! <https://cloud.google.com/firestore/docs/manage-databases>, <https://cloud.google.com/firestore/docs/backups>,
//! <https://cloud.google.com/firestore/docs/pitr>. Delete protection knows of the database alone: its documents are deleted all the same.
//! It knows no rights to one database but by conditions; what the project says holds for each.

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::model::{Class, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::client::Client;
use super::desk::{DELETE_PROJECT, Desk, Encryption, Resource, last};
use super::reads::{FIRESTORE_BACKUPS, FIRESTORES};
use crate::provider::platform::{Guard, Kept, can, listed, names};
use crate::provider::token::{Got, is_id, shown};

const DELETE: &str = "datastore.databases.delete";
const UPDATE: &str = "datastore.databases.update";
/// The database of a project that has no name of its own.
const DEFAULT: &str = "(default)";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Database {
    name: String,
    uid: Option<String>,
    location_id: Option<String>,
    delete_protection_state: Option<String>,
    point_in_time_recovery_enablement: Option<String>,
    cmek_config: Option<Encryption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backup {
    name: String,
    database_uid: Option<String>,
    snapshot_time: Option<Time>,
    expire_time: Option<Time>,
    state: Option<String>,
}

/// The databases of a project.
pub(super) struct Seen {
    databases: Got<Database>,
    backups: Got<Backup>,
}

impl Seen {
    pub(super) fn of(client: &Client<'_>, project: &str) -> Self {
        Self {
            databases: client.list(FIRESTORES, &[project], &[], ("databases", None)),
            backups: client.list(FIRESTORE_BACKUPS, &[project, "-"], &[], ("backups", None)),
        }
    }

    pub(super) fn describe(self, desk: &mut Desk<'_>) -> Option<Gap> {
        let mut gap = desk.listed(FIRESTORES, self.databases.fault);
        let unkept = desk.listed(FIRESTORE_BACKUPS, self.backups.fault);
        for database in &self.databases.items {
            let name = last(&database.name);
            if name == DEFAULT || is_id(name) {
                one(desk, database, &self.backups.items, unkept.as_ref());
            } else {
                gap = Some(desk.strange(FIRESTORES));
            }
        }
        gap
    }
}

fn one(desk: &mut Desk<'_>, database: &Database, backups: &[Backup], unkept: Option<&Gap>) {
    let name = last(&database.name);
    let node = desk.node(&format!("firestore/{name}"));
    let key = Desk::key(database.cmek_config.as_ref());
    desk.resource(
        Resource {
            id: node.clone(),
            kind: "firestore_database",
            class: Class::Database,
            name,
            parent: None,
            labels: None,
            contents: None,
            copies: listed(unkept.cloned()),
            holds: database.location_id.as_deref().map(|place| format!("in {}", shown(place))),
            key: key.as_ref(),
        },
        (FIRESTORES, desk.id),
    );
    let enabled = match database.delete_protection_state.as_deref() {
        Some("DELETE_PROTECTION_ENABLED") => Fact::Known(true),
        Some("DELETE_PROTECTION_DISABLED") | None => Fact::Known(false),
        Some(_) => desk.unread(name, "whether delete protection is on was not in the answer"),
    };
    let because = match &enabled {
        Fact::Known(true) => "delete protection is on",
        Fact::Known(false) => "delete protection is off",
        Fact::Unknown(_) => "whether delete protection is on was not read",
    };
    desk.facts.guarded(
        Guard {
            on: &node,
            kind: "delete protection",
            covers: &[DELETE],
            enabled,
            holds_parent: false,
            lifts: Fact::Known(vec![can(UPDATE, &node, "switch delete protection off")]),
            because,
        },
        (FIRESTORES, desk.id),
    );
    let project = desk.project.clone();
    let of = |one: &&Backup| database.uid.is_some() && one.database_uid == database.uid;
    let ready = backups.iter().filter(of).filter(|one| one.state.as_deref() == Some("READY") && is_id(last(&one.name)));
    if let Some(newest) = ready.max_by_key(|one| (one.snapshot_time, &one.name)) {
        let id = last(&newest.name);
        let lag = match newest.snapshot_time {
            Some(at) => Fact::Known(desk.facts.at().since(at)),
            None => desk.unread(id, "when a backup was made was not in the answer"),
        };
        let ends = match newest.expire_time {
            Some(at) => Fact::Known(End::At(at)),
            None => desk.unread(id, "when a backup expires was not in the answer"),
        };
        desk.copy(
            Kept {
                id: &format!("backup/{id}"),
                of: &node,
                kind: CopyKind::Snapshot,
                name: format!("backup {id}"),
                place: Some(&project),
                lag,
                ends,
                dies_with: Fact::Known(names(&[DELETE_PROJECT])),
                destroyed_by: Fact::Known(vec![can("datastore.backups.delete", &project, "delete the backup")]),
                because: "the newest backup, which stays until it expires",
            },
            key.as_ref(),
            (FIRESTORE_BACKUPS, desk.id),
        );
    }
    if database.point_in_time_recovery_enablement.as_deref() == Some("POINT_IN_TIME_RECOVERY_ENABLED") {
        desk.copy(
            Kept {
                id: "pitr",
                of: &node,
                kind: CopyKind::Pitr,
                name: format!("point-in-time recovery of {name}"),
                place: Some(&project),
                lag: Fact::Known(Span(60)),
                ends: Fact::Known(End::After(Span::days(7))),
                dies_with: Fact::Known(names(&[DELETE, DELETE_PROJECT])),
                destroyed_by: Fact::Known(vec![can(UPDATE, &node, "switch point-in-time recovery off")]),
                because: "point-in-time recovery is on; it goes with the database",
            },
            key.as_ref(),
            (FIRESTORES, desk.id),
        );
    }
}
