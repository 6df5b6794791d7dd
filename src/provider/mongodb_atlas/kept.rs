//! What is kept of a cluster of MongoDB Atlas, and what keeps it.

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::NodeId;
use deadstop_core::model::{CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Cluster, POLICY, SHARDED, SNAPSHOTS, pages};
use crate::provider::facts::{Facts, Fault};
use crate::provider::platform::{Kept, can, names};
use crate::provider::token::Client;

#[derive(Deserialize)]
struct Policy {
    state: Option<String>,
    deletable: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    created_at: Option<Time>,
    expires_at: Option<Time>,
    status: Option<String>,
    /// Names the key that it is encrypted with, where that is one of the customer's own.
    #[serde(rename = "masterKeyUUID")]
    master_key: Option<IgnoredAny>,
}

/// The newest snapshot of a cluster that is whole.
pub(super) struct Newest {
    made: Time,
    expires: Option<Time>,
    own_key: bool,
}

/// What keeps the backups of a project.
pub(super) enum Keeps {
    /// "Prevents any user, regardless of role, from modifying or deleting existing snapshots prior to their expiration"; that it
    /// may be disabled takes a ticket at MongoDB's support.
    Policy,
    Nothing,
    NotKnown(Gap),
}

impl Keeps {
    pub(super) fn of(client: &Client<'_>, group: &str, name: &str, facts: &mut Facts) -> Self {
        match client.get_object::<Policy>(POLICY, &[group]) {
            Ok(Policy { state: Some(state), deletable: Some(deletable) }) => {
                facts.source(POLICY, name);
                if state == "ACTIVE" && !deletable { Self::Policy } else { Self::Nothing }
            }
            Ok(Policy { state: Some(state), deletable: None }) if state != "ACTIVE" => {
                facts.source(POLICY, name);
                Self::Nothing
            }
            // Nothing says whether it is on, or whether it may be switched off.
            Ok(_) => Self::NotKnown(facts.refused(POLICY, name, &Fault::malformed())),
            // Where there is none.
            Err(fault) if fault.says(&["404"]) => Self::Nothing,
            Err(fault) => Self::NotKnown(facts.refused(POLICY, name, &fault)),
        }
    }
}

/// The newest snapshot of a cluster that is whole.
pub(super) fn snapshots(client: &Client<'_>, group: &str, cluster: &Cluster) -> Result<Option<Newest>, Option<Fault>> {
    if cluster.backup_enabled == Some(false) {
        return Ok(None);
    }
    let got = match cluster.cluster_type.as_deref() {
        Some("REPLICASET") => pages::<Snapshot>(client, SNAPSHOTS, &[group, &cluster.name]),
        Some("SHARDED" | "GEOSHARDED") => client.get_list::<Snapshot>(SHARDED, &[group, &cluster.name], "results"),
        _ => return Err(Some(Fault::of(GapReason::Unsupported))),
    };
    let made = got.items.iter().filter(|one| one.status.as_deref() == Some("completed"));
    let newest = made.filter_map(|one| {
        let (expires, own_key) = (one.expires_at, one.master_key.is_some());
        Some(Newest { made: one.created_at?, expires, own_key })
    });
    let newest = newest.max_by_key(|one| one.made);
    match got.fault {
        Some(fault) => Err(Some(fault)),
        None => Ok(newest),
    }
}

/// The newest snapshot. A cluster that is deleted takes its snapshots along, unless whoever deletes it asks to keep them
/// (`retainBackups`), or a backup compliance policy keeps them from everybody.
pub(super) fn snapshot_of(
    id: &NodeId,
    name: &str,
    newest: Newest,
    (keeps, cluster): (&Keeps, &Cluster),
    facts: &mut Facts,
) {
    let ends = match newest.expires {
        Some(expires) => Fact::Known(End::At(expires)),
        None => Fact::Unknown(facts.doubt(name, "when a snapshot ends was not in the answer")),
    };
    // A snapshot stays encrypted as it was made, whatever the cluster says now. Whoever has the key has the snapshots.
    let why = match cluster.encryption_at_rest_provider.as_deref() {
        _ if newest.own_key => {
            Some("it is encrypted with a key of your own, and who may destroy that was not followed")
        }
        None => Some("whether it is encrypted with a key of your own was not in the answer"),
        Some("NONE") => None,
        Some(_) => Some("its cluster has a key of your own, and who may destroy that was not followed"),
    };
    let key = why.map(|why| Fact::Unknown(facts.doubt(name, why)));
    let (dies_with, destroyed_by, because) = match keeps {
        Keeps::Policy => {
            let destroyed_by = key.unwrap_or_else(|| Fact::Known(Vec::new()));
            (Fact::Known(Vec::new()), destroyed_by, "a backup compliance policy keeps it from everybody until it ends")
        }
        Keeps::Nothing => {
            let lifts = vec![
                can("deleteClusterBackupSnapshot", id, "delete the snapshot"),
                can("updateClusterBackupSnapshot", id, "let the snapshot end"),
                can("updateClusterBackupSchedule", id, "drop the policy with its snapshots"),
            ];
            let dies_with = Fact::Known(names(&["deleteCluster"]));
            (
                dies_with,
                key.unwrap_or(Fact::Known(lifts)),
                "the newest snapshot, which goes with its cluster unless asked to stay",
            )
        }
        Keeps::NotKnown(gap) => {
            let unknown = || Fact::Unknown(gap.clone());
            (unknown(), Fact::Unknown(gap.clone()), "the newest snapshot; whether a policy keeps it was not read")
        }
    };
    let age = facts.at().since(newest.made);
    facts.kept(
        Kept {
            id: "snapshot",
            of: id,
            kind: CopyKind::AutomatedBackup,
            name: format!("snapshot of {name}"),
            place: None,
            lag: Fact::Known(age.max(Span::days(1))),
            ends,
            dies_with,
            destroyed_by,
            because,
        },
        (SNAPSHOTS, name),
    );
}
