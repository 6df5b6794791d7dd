//! File systems of `FSx` with their backups (FSx API reference: `DescribeFileSystems`, `DescribeBackups`, `DeleteFileSystem`,
//! `DeleteVolume`, `RestoreVolumeFromSnapshot`). "Any existing automatic backups and snapshots are also deleted"; backups that
//! somebody made stay.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind, End};
use deadstop_core::time::Time;
use serde_json::{Value, json};

use super::parts::{Kept, Listing, arn, tags, text, time};
use super::{Desk, Seen, one_call};
use crate::provider::aws::rights::ResourcePolicy;

const LIST: &str = "fsx:DescribeFileSystems";
const BACKUPS: &str = "fsx:DescribeBackups";
const DELETE: &str = "fsx:DeleteFileSystem";
const DELETE_BACKUP: &str = "fsx:DeleteBackup";
/// What takes a volume of a file system, or what is in it.
const OF_VOLUMES: [&str; 3] = ["fsx:DeleteVolume", "fsx:RestoreVolumeFromSnapshot", "fsx:CopySnapshotAndUpdateVolume"];

const fn listing(target: &'static str, items: &'static str) -> Listing {
    Listing { service: "fsx", target, items, next: ("NextToken", "NextToken") }
}

#[derive(Debug, PartialEq, Eq)]
struct System {
    id: String,
    arn: String,
    kind: Option<String>,
    gibibytes: Option<u64>,
    key: Option<String>,
    tags: BTreeMap<String, String>,
}

fn system(value: &Value) -> Option<System> {
    Some(System {
        id: text(value, "FileSystemId")?,
        arn: arn(value, "ResourceARN")?,
        kind: text(value, "FileSystemType"),
        gibibytes: value.get("StorageCapacity").and_then(Value::as_u64),
        key: text(value, "KmsKeyId"),
        tags: tags(value.get("Tags"), "Key", "Value"),
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Backup {
    arn: String,
    name: String,
    /// The file system that it is of, as a whole.
    of: Option<String>,
    /// Whether it stays when that is deleted, and no vault keeps it.
    own: bool,
    /// Whether it is a copy of another one, which is older than it.
    copied: bool,
    at: Option<Time>,
    key: Option<String>,
}

fn backup(value: &Value) -> Option<Backup> {
    let whole = text(value, "ResourceType").is_none_or(|kind| kind == "FILE_SYSTEM");
    let own = text(value, "Type")? == "USER_INITIATED" && text(value, "Lifecycle")? == "AVAILABLE";
    Some(Backup {
        arn: arn(value, "ResourceARN")?,
        name: text(value, "BackupId")?,
        of: value.get("FileSystem").filter(|_| whole).and_then(|of| text(of, "FileSystemId")),
        own,
        copied: value.get("SourceBackupId").is_some_and(|from| !from.is_null()),
        at: time(value.get("CreationTime")),
        key: text(value, "KmsKeyId"),
    })
}

/// Lists the file systems of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let systems = listing("AWSSimbaAPIService_v20180301.DescribeFileSystems", "FileSystems");
    let systems = match desk.ask(LIST, None, |client| systems.read(client, &json!({}), system)) {
        Ok(systems) => systems,
        Err(gap) => return desk.unlisted.push(gap),
    };
    if systems.is_empty() {
        return;
    }
    let backups = listing("AWSSimbaAPIService_v20180301.DescribeBackups", "Backups");
    let backups = desk.ask(BACKUPS, None, |client| backups.read(client, &json!({}), backup));
    for system in &systems {
        one(desk, system, &backups);
    }
}

fn one(desk: &mut Desk<'_>, system: &System, backups: &Result<Vec<Backup>, Gap>) {
    let elsewhere = desk.kept_elsewhere(&system.id, &system.arn);
    // Volumes have backups of their own, which are not put together.
    let simple = matches!(system.kind.as_deref(), Some("WINDOWS" | "LUSTRE"));
    let parts =
        (!simple).then(|| desk.facts.doubt(desk.account, "backups of volumes of a file system were not put together"));
    let copies = backups.as_ref().err().cloned().or(elsewhere).or(parts);
    let id = desk.asset(Seen {
        arn: &system.arn,
        kind: "fsx_file_system",
        class: Class::Volume,
        name: &system.tags.get("Name").map_or_else(|| system.id.clone(), |name| format!("{name} ({})", system.id)),
        tags: &system.tags,
        protections: Fact::Known(Listed::Complete),
        copies: copies.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: system.gibibytes.map(|size| format!("{size} GiB")),
        operation: LIST,
        key: system.key.as_deref(),
        policy: ResourcePolicy::None,
    });
    desk.also(&id, DELETE, &system.arn);
    // Its shares are kept by its own users and permissions, or by nothing but the network.
    desk.beside(&id, "mount it and delete its files", "whether it can be reached, and whom it lets in, was not read");
    if !simple {
        // `volume/FILE_SYSTEM/VOLUME` (Service Authorization Reference, Amazon FSx).
        let place = system.arn.split(":file-system/").next().unwrap_or_default();
        for action in OF_VOLUMES {
            desk.also_below(&id, action, &format!("{place}:volume/{}/", system.id));
        }
    }
    let of = |one: &&Backup| one.own && one.of.as_ref() == Some(&system.id);
    for backup in backups.iter().flatten().filter(of) {
        copy(desk, backup, &id);
    }
}

fn copy(desk: &mut Desk<'_>, backup: &Backup, system: &NodeId) {
    let id = NodeId(backup.arn.clone());
    desk.also(&id, DELETE_BACKUP, &backup.arn);
    let kept = Kept {
        kind: CopyKind::Snapshot,
        name: format!("backup {}", backup.name),
        lag: match backup.at.filter(|_| !backup.copied) {
            Some(at) => desk.age(Some(at), ""),
            None => desk.unread("of when the data of a backup is was not in the answer"),
        },
        ends: Fact::Known(End::Never),
        dies_with: &[],
        destroyed_by: Fact::Known(vec![one_call(DELETE_BACKUP, &id, "delete the backup")]),
        needs: desk.needed(backup.key.as_ref()),
        because: "a backup that somebody made, kept when the file system is deleted".to_owned(),
        operation: BACKUPS,
        id,
    };
    desk.keep(system, kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_and_backups() {
        let body = json!({ "FileSystemId": "fs-1", "ResourceARN": "arn:aws:fsx:eu-west-1:111122223333:file-system/fs-1",
                           "FileSystemType": "WINDOWS", "StorageCapacity": 300 });
        assert_eq!(system(&body).unwrap().gibibytes, Some(300));
        assert_eq!(system(&json!({ "FileSystemId": "fs-1" })), None);
        let body = |kind: &str, of: &str| {
            json!({ "BackupId": "b", "Lifecycle": "AVAILABLE", "Type": kind, "CreationTime": 1.7e9, "ResourceType": of,
                    "ResourceARN": "arn:aws:fsx:eu-west-1:111122223333:backup/b", "FileSystem": { "FileSystemId": "fs-1" } })
        };
        let read = backup(&body("USER_INITIATED", "FILE_SYSTEM")).unwrap();
        assert_eq!((read.own, read.of.as_deref()), (true, Some("fs-1")));
        assert!(!backup(&body("AUTOMATIC", "FILE_SYSTEM")).unwrap().own);
        assert_eq!(backup(&body("USER_INITIATED", "VOLUME")).unwrap().of, None);
    }
}
