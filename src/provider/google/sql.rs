//! Cloud SQL: instances with their backups.
//!
//! <https://cloud.google.com/sql/docs/mysql/backup-recovery/backups>, <https://cloud.google.com/sql/docs/mysql/deletion-protection>.
//! It knows no rights to one instance; what the project says holds for each.

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind, End, Lift};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::client::Client;
use super::desk::{DELETE_PROJECT, Desk, Encryption, Labels, Resource};
use super::reads::{BACKUPS, INSTANCES};
use crate::provider::platform::{Guard, Kept, can, names};
use crate::provider::token::{Got, is_id, shown};

const DELETE: &str = "cloudsql.instances.delete";
const UPDATE: &str = "cloudsql.instances.update";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    name: String,
    region: Option<String>,
    database_version: Option<String>,
    settings: Option<Settings>,
    ip_addresses: Option<Vec<Address>>,
    dns_name: Option<String>,
    disk_encryption_configuration: Option<Encryption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(default)]
    deletion_protection_enabled: bool,
    #[serde(default)]
    retain_backups_on_delete: bool,
    backup_configuration: Option<Configuration>,
    user_labels: Option<Labels>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    point_in_time_recovery_enabled: bool,
    #[serde(default)]
    binary_log_enabled: bool,
    transaction_log_retention_days: Option<u64>,
    backup_tier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    ip_address: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backup {
    id: String,
    status: String,
    end_time: Option<Time>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// The instances of a project, each with its backups.
pub(super) struct Seen {
    instances: Got<Instance>,
    backups: Vec<Got<Backup>>,
}

impl Seen {
    pub(super) fn of(client: &Client<'_>, project: &str) -> Self {
        let instances = client.list::<Instance>(INSTANCES, &[project], &[], ("items", Some("sql#instancesList")));
        let of = |instance: &Instance| {
            client.list(BACKUPS, &[project, &instance.name], &[], ("items", Some("sql#backupRunsList")))
        };
        let backups = instances.items.iter().map(of).collect();
        Self { instances, backups }
    }

    pub(super) fn describe(self, desk: &mut Desk<'_>) -> Option<Gap> {
        let mut gap = desk.listed(INSTANCES, self.instances.fault);
        for (instance, backups) in self.instances.items.into_iter().zip(self.backups) {
            if is_id(&instance.name) {
                one(desk, &instance, backups);
            } else {
                gap = Some(desk.strange(INSTANCES));
            }
        }
        gap
    }
}

fn one(desk: &mut Desk<'_>, instance: &Instance, backups: Got<Backup>) {
    let (name, node) = (instance.name.as_str(), desk.node(&format!("sql/{}", instance.name)));
    let version = instance.database_version.as_deref().map(shown).unwrap_or_default();
    let region = instance.region.as_deref().map(|region| format!("in {}", shown(region)));
    let key = Desk::key(instance.disk_encryption_configuration.as_ref());
    let settings = instance.settings.as_ref();
    let configuration = settings.and_then(|settings| settings.backup_configuration.as_ref());
    let mut unlisted = desk.facts.outcome(BACKUPS, &node.to_string(), backups.fault);
    // Those of a vault are kept in another project (the backup option of an instance).
    let kept_here = configuration.is_none_or(|one| {
        one.backup_tier.as_deref().is_none_or(|tier| ["STANDARD", "BACKUP_TIER_UNSPECIFIED"].contains(&tier))
    });
    if settings.is_none() || !kept_here {
        let why = "what a service for backups keeps of it in another project was not read";
        unlisted = unlisted.or_else(|| Some(desk.facts.doubt(name, why)));
    }
    let copies = unlisted.map_or(Fact::Known(Listed::Complete), Fact::Unknown);
    desk.resource(
        Resource {
            id: node.clone(),
            kind: "db_instance",
            class: Class::Database,
            name,
            parent: None,
            labels: settings.and_then(|settings| settings.user_labels.as_ref()),
            contents: None,
            copies,
            holds: Some([Some(version.clone()), region].into_iter().flatten().collect::<Vec<_>>().join(" ")),
            key: key.as_ref(),
        },
        (INSTANCES, desk.id),
    );
    protected(desk, settings, &node, name);
    let retained = settings.is_some_and(|settings| settings.retain_backups_on_delete);
    if let Some(newest) = newest(&backups.items) {
        backup(desk, newest, (&node, name, retained), (configuration, key.as_ref()));
    }
    if configuration.is_some_and(|one| one.enabled && (one.point_in_time_recovery_enabled || one.binary_log_enabled)) {
        pitr(desk, configuration, (&node, name), key.as_ref());
    }
    if settings.is_none() {
        let environment =
            desk.unread(name, "the settings of an instance, and its labels with them, were not in the answer");
        desk.facts
            .assets
            .iter_mut()
            .filter(|asset| asset.id == node)
            .for_each(|asset| asset.environment = environment.clone());
    }
    hosts(desk, instance, &node, &version);
}

/// Where the engine of an instance listens. An address within a network may be another machine's in another network, and one of
/// which the engine or the kind was not told may be anything's (`IpMapping`).
fn hosts(desk: &mut Desk<'_>, instance: &Instance, node: &NodeId, version: &str) {
    let engines: &[&'static str] = match version.split('_').next().unwrap_or_default() {
        "POSTGRES" => &["postgres"],
        "MYSQL" => &["mysql"],
        "SQLSERVER" => &["mssql"],
        _ => &["postgres", "mysql", "mssql"],
    };
    let sure = engines.len() == 1 && !version.starts_with("SQLSERVER");
    let addresses = instance.ip_addresses.iter().flatten().filter(|one| one.kind.as_deref() == Some("PRIMARY"));
    let addresses = addresses.filter_map(|one| one.ip_address.as_deref()).chain(instance.dns_name.as_deref());
    let known: Vec<&str> = addresses.filter(|_| sure).collect();
    let others = instance.ip_addresses.iter().flatten();
    let others = others.filter(|one| !["PRIMARY", "OUTGOING"].contains(&one.kind.as_deref().unwrap_or_default()));
    for engine in engines {
        if known.is_empty() || others.clone().count() > 0 {
            desk.facts.endpoint(node, engine, None);
        }
        known.iter().for_each(|host| desk.facts.endpoint(node, engine, Some(host)));
    }
}

/// Deletion protection, which knows of the instance alone: its databases are dropped all the same.
fn protected(desk: &mut Desk<'_>, settings: Option<&Settings>, node: &NodeId, name: &str) {
    let enabled = match settings {
        Some(settings) => Fact::Known(settings.deletion_protection_enabled),
        None => desk.unread(name, "the settings of an instance were not in the answer"),
    };
    let because = match &enabled {
        Fact::Known(true) => "deletion protection is on",
        Fact::Known(false) => "deletion protection is off",
        Fact::Unknown(_) => "whether deletion protection is on was not read",
    };
    desk.facts.guarded(
        Guard {
            on: node,
            kind: "deletion protection",
            covers: &[DELETE],
            enabled,
            holds_parent: false,
            lifts: Fact::Known(vec![can(UPDATE, node, "switch deletion protection off")]),
            because,
        },
        (INSTANCES, desk.id),
    );
}

fn newest(backups: &[Backup]) -> Option<&Backup> {
    let good = backups.iter().filter(|one| one.status == "SUCCESSFUL" && is_id(&one.id) && one.end_time.is_some());
    good.max_by_key(|one| (one.end_time, &one.id))
}

/// The newest backup. "When you delete an instance, its backups are deleted", but where the instance is set to retain them, or a
/// backup of its end is asked for by whoever deletes it.
fn backup(
    desk: &mut Desk<'_>,
    newest: &Backup,
    (node, name, retained): (&NodeId, &str, bool),
    (configuration, key): (Option<&Configuration>, Option<&NodeId>),
) {
    let asked = (BACKUPS, node.to_string());
    let automated = newest.kind.as_deref() != Some("ON_DEMAND");
    let lag = match newest.end_time {
        Some(at) => {
            let age = desk.facts.at().since(at);
            let daily = configuration.is_some_and(|one| one.enabled);
            Fact::Known(if daily { age.max(Span::days(1)) } else { age })
        }
        None => desk.unread(name, "when a backup was made was not in the answer"),
    };
    let ends = if automated {
        desk.unread(name, "how long an automated backup is kept after its instance is gone was not read")
    } else {
        Fact::Known(End::Never)
    };
    let mut destroyed: Vec<Lift> = vec![can("cloudsql.backupRuns.delete", node, "delete the backup")];
    let mut dies = vec![DELETE_PROJECT];
    if retained {
        destroyed.push(can(UPDATE, node, "have backups go with the instance"));
    } else {
        dies.push(DELETE);
    }
    let kind = if automated { CopyKind::AutomatedBackup } else { CopyKind::Snapshot };
    desk.copy(
        Kept {
            id: &format!("backup/{}", newest.id),
            of: node,
            kind,
            name: format!("newest backup of {name}"),
            place: Some(&desk.project.clone()),
            lag,
            ends,
            dies_with: Fact::Known(names(&dies)),
            destroyed_by: Fact::Known(destroyed),
            because: if retained {
                "the newest backup; the instance is set to retain backups when it is deleted"
            } else {
                "the newest backup, which goes with the instance"
            },
        },
        key,
        (asked.0, &asked.1),
    );
}

/// Logs to go back to any moment by, which go with the instance, and when they are switched off.
fn pitr(
    desk: &mut Desk<'_>,
    configuration: Option<&Configuration>,
    (node, name): (&NodeId, &str),
    key: Option<&NodeId>,
) {
    let ends = match configuration.and_then(|one| one.transaction_log_retention_days) {
        Some(days) if days <= 36_500 => Fact::Known(End::After(Span::days(days))),
        Some(_) | None => desk.unread(name, "for how many days logs are kept was not in the answer"),
    };
    let off = can(UPDATE, node, "switch point-in-time recovery off");
    let remove = can("cloudsql.backupRuns.delete", node, "delete the backups that the logs follow");
    desk.copy(
        Kept {
            id: "pitr",
            of: node,
            kind: CopyKind::Pitr,
            name: format!("point-in-time recovery of {name}"),
            place: Some(&desk.project.clone()),
            lag: Fact::Known(Span(300)),
            ends,
            dies_with: Fact::Known(names(&[DELETE, DELETE_PROJECT, "cloudsql.instances.restoreBackup"])),
            destroyed_by: Fact::Known(vec![off, remove]),
            because: "point-in-time recovery is on; its logs go with the instance",
        },
        key,
        (INSTANCES, desk.id),
    );
}
