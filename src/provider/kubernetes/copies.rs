//! What brings a claim back: snapshots of its volume, and backups of Velero.
//!
//! <https://kubernetes.io/docs/concepts/storage/volume-snapshots/>, <https://velero.io/docs/main/api-types/backup/>. A snapshot
//! whose policy is Delete goes with its object, and so with its namespace; one whose policy is Retain stays at the storage.

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Listed as All};
use deadstop_core::id::NodeId;
use deadstop_core::model::{CopyKind, End};
use deadstop_core::time::Time;
use serde::Deserialize;

use super::client::Client;
use super::objects::{self, Listed, Meta, Object};
use super::{BACKUPS, BACKUPS_IN, CONTENTS, SNAPSHOTS, SNAPSHOTS_IN, Seen, name_of, rights};
use crate::provider::facts::Facts;
use crate::provider::platform::{Kept, listed};

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Snapshot {
    metadata: Meta,
    spec: SnapshotSpec,
    #[serde(default)]
    status: Option<SnapshotStatus>,
}

#[derive(Clone, Debug, Deserialize)]
struct SnapshotSpec {
    source: SnapshotSource,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotSource {
    #[serde(default)]
    persistent_volume_claim_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotStatus {
    #[serde(default)]
    ready_to_use: Option<bool>,
    #[serde(default)]
    creation_time: Option<Time>,
    #[serde(default)]
    bound_volume_snapshot_content_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Content {
    metadata: Meta,
    spec: ContentSpec,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContentSpec {
    #[serde(default)]
    driver: Option<String>,
    #[serde(default)]
    deletion_policy: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Backup {
    metadata: Meta,
    spec: BackupSpec,
    #[serde(default)]
    status: Option<BackupStatus>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BackupSpec {
    #[serde(default)]
    included_namespaces: Option<Vec<String>>,
    #[serde(default)]
    excluded_namespaces: Option<Vec<String>>,
    #[serde(default)]
    storage_location: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BackupStatus {
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    start_timestamp: Option<Time>,
    #[serde(default)]
    expiration: Option<Time>,
}

/// Drivers of storages whose snapshots are kept when their volume is deleted.
///
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-snapshots.html>,
/// <https://cloud.google.com/compute/docs/disks/create-snapshots>,
/// <https://learn.microsoft.com/azure/virtual-machines/disks-incremental-snapshots>
const INDEPENDENT: [&str; 3] = ["ebs.csi.aws.com", "pd.csi.storage.gke.io", "disk.csi.azure.com"];

objects::objects!(Snapshot, Content, Backup);

/// What brings things back.
pub(super) struct Copies {
    snapshots: Listed<Snapshot>,
    contents: Listed<Content>,
    backups: Listed<Backup>,
}

/// Lists what brings things back.
pub(super) fn look(clients: &[Client<'_>], namespaces: &BTreeSet<String>, facts: &mut Facts) -> Copies {
    let none = BTreeSet::new();
    Copies {
        snapshots: objects::list(clients, (SNAPSHOTS, Some(SNAPSHOTS_IN)), namespaces, facts),
        contents: objects::list(clients, (CONTENTS, None), &none, facts),
        backups: objects::list(clients, (BACKUPS, Some(BACKUPS_IN)), namespaces, facts),
    }
}

impl Copies {
    /// Whether all copies of a claim are seen.
    pub(super) fn of(&self, namespace: &str) -> Fact<All> {
        listed(self.snapshots.gap_in(namespace).or_else(|| self.backups.gap.clone()))
    }
}

/// States the copies of a claim.
pub(super) fn describe(seen: &Seen, (namespace, name): (&str, &str), facts: &mut Facts) {
    let node = seen.claim(namespace, name);
    for ((within, called), snapshot) in &seen.copies.snapshots.items {
        let of = snapshot.spec.source.persistent_volume_claim_name.as_deref();
        let status = snapshot.status.as_ref().filter(|status| status.ready_to_use == Some(true));
        if let (true, true, Some(status)) = (within == namespace, of == Some(name), status) {
            snapshot_of(seen, (&node, namespace, called), status, facts);
        }
    }
    let holds = |backup: &&Backup| backup.holds(namespace);
    let newest = seen.copies.backups.items.values().filter(holds).max_by_key(|backup| backup.taken());
    if let Some(backup) = newest {
        backup_of(&node, namespace, backup, facts);
    }
}

fn snapshot_of(
    seen: &Seen,
    (node, namespace, name): (&NodeId, &str, &str),
    status: &SnapshotStatus,
    facts: &mut Facts,
) {
    let scope = format!("{namespace}/{name}");
    let content = status.bound_volume_snapshot_content_name.as_ref();
    let content = content.and_then(|name| seen.copies.contents.items.get(&(String::new(), name.clone())));
    let policy = content.and_then(|content| content.spec.deletion_policy.as_deref());
    // Only of these storages is it documented that a snapshot outlives its volume.
    let outlives = content.and_then(|content| content.spec.driver.as_deref());
    let outlives = outlives.is_some_and(|driver| INDEPENDENT.contains(&driver));
    let (dies_with, because) = match policy.filter(|_| outlives) {
        Some("Delete") => (
            Fact::Known(vec![rights::DELETE_NAMESPACE.to_owned()]),
            "a snapshot whose policy is Delete: it goes with its object and its namespace",
        ),
        Some("Retain") => (Fact::Known(Vec::new()), "a snapshot whose policy is Retain: it stays at the storage"),
        Some(_) | None => {
            let why = "what becomes of a snapshot with its object was not read";
            let gap = seen.copies.contents.gap.clone().unwrap_or_else(|| facts.doubt(&scope, why));
            (Fact::Unknown(gap), "a snapshot, of which it is not known what it goes with")
        }
    };
    // What the storage's own interface lets somebody delete is not seen here, nor what owns the snapshot's object, nor whether
    // it is of this very volume and not of one of the same name before.
    let destroyed_by = Fact::Unknown(facts.doubt(&scope, "who may delete the snapshot at its storage was not asked"));
    let lag = match status.creation_time {
        Some(at) => Fact::Known(facts.at().since(at)),
        None => Fact::Unknown(facts.doubt(&scope, "when it was taken is not in the answer")),
    };
    facts.kept(
        Kept {
            id: &format!("snapshot/{name}"),
            of: node,
            kind: CopyKind::Snapshot,
            name: format!("snapshot {scope}"),
            place: None,
            lag,
            ends: Fact::Known(End::Never),
            dies_with,
            destroyed_by,
            because,
        },
        (SNAPSHOTS, &scope),
    );
}

impl Backup {
    /// Whether it is whole and of a namespace; one that names none is of all.
    fn holds(&self, namespace: &str) -> bool {
        let is = |list: &Option<Vec<String>>| list.iter().flatten().any(|one| one == namespace || one == "*");
        let all = self.spec.included_namespaces.as_ref().is_none_or(Vec::is_empty);
        let done = self.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Completed");
        done && (all || is(&self.spec.included_namespaces)) && !is(&self.spec.excluded_namespaces)
    }

    fn taken(&self) -> Option<Time> {
        self.status.as_ref().and_then(|status| status.start_timestamp)
    }
}

/// The newest backup of a namespace. Whether it holds what is in a volume, and who may empty the bucket that it lies in, is in
/// no answer of the cluster's.
fn backup_of(node: &NodeId, namespace: &str, backup: &Backup, facts: &mut Facts) {
    let name = name_of(&backup.metadata.name);
    let scope = format!("{namespace} in {name}");
    let why = "whether a backup holds what is in volumes, and who may delete it where it lies, was not read";
    let gap = facts.doubt(&scope, why);
    let place = backup.spec.storage_location.as_ref().map(|place| format!(" in {}", name_of(place)));
    let lag = match backup.taken() {
        Some(at) => Fact::Known(facts.at().since(at)),
        None => Fact::Unknown(gap.clone()),
    };
    let expiration = backup.status.as_ref().and_then(|status| status.expiration);
    facts.kept(
        Kept {
            id: "velero",
            of: node,
            kind: CopyKind::AutomatedBackup,
            name: format!("Velero's backup {name}{}", place.unwrap_or_default()),
            place: None,
            lag,
            ends: expiration.map_or(Fact::Unknown(gap.clone()), |at| Fact::Known(End::At(at))),
            dies_with: Fact::Unknown(gap.clone()),
            destroyed_by: Fact::Unknown(gap),
            because: "a backup that is completed; the object in the cluster is not the backup itself",
        },
        (BACKUPS, &scope),
    );
}
