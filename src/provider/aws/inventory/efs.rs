//! EFS file systems (EFS API reference: `DescribeFileSystems`, `DescribeFileSystemPolicy`,
//! `DescribeReplicationConfigurations`, `DeleteFileSystem`). Backups lie in vaults of AWS Backup; a replica follows its
//! file system, so that it is no copy.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Basis, Class};
use serde_json::Value;

use super::parts::{Guard, allowing, arn, tags, text};
use super::{Desk, Seen, one_call};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::paged;
use crate::provider::aws::partition;
use crate::provider::aws::rights::Opens;

const LIST: &str = "elasticfilesystem:DescribeFileSystems";
const REPLICAS: &str = "elasticfilesystem:DescribeReplicationConfigurations";
const DELETE: &str = "elasticfilesystem:DeleteFileSystem";
const UNMOUNT: &str = "elasticfilesystem:DeleteMountTarget";
const PART: &str = "elasticfilesystem:DeleteReplicationConfiguration";
const TARGET: &str = "elasticfilesystem:CreateMountTarget";
const REPLICATE: &str = "elasticfilesystem:CreateReplicationConfiguration";
const WRITE: &str = "elasticfilesystem:ClientWrite";
const PATH: &str = "/2015-02-01/file-systems";

#[derive(Debug, PartialEq, Eq)]
struct System {
    id: String,
    arn: String,
    name: Option<String>,
    targets: Option<u64>,
    gibibytes: Option<u64>,
    key: Option<String>,
    tags: BTreeMap<String, String>,
}

fn system(value: &Value) -> Option<System> {
    let plain =
        |id: &String| id.starts_with("fs-") && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    Some(System {
        id: text(value, "FileSystemId").filter(plain)?,
        arn: arn(value, "FileSystemArn")?,
        name: text(value, "Name"),
        targets: value.get("NumberOfMountTargets").and_then(Value::as_u64),
        gibibytes: value.pointer("/SizeInBytes/Value").and_then(Value::as_u64).map(|bytes| bytes >> 30),
        key: text(value, "KmsKeyId"),
        tags: tags(value.get("Tags"), "Key", "Value"),
    })
}

/// The file systems that one replication is about.
fn pair(value: &Value) -> Option<Vec<String>> {
    let replicas = value.get("Destinations")?.as_array()?.iter().map(|one| text(one, "FileSystemId"));
    std::iter::once(text(value, "SourceFileSystemId")).chain(replicas).collect()
}

fn query(limit: &str, next: &str, token: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair(limit, "100");
    query.extend_pairs(token.map(|token| (next, token)));
    query.finish()
}

fn list(client: &Client<'_>) -> Result<Vec<System>, Fault> {
    paged("FileSystems", "NextMarker", system, |token| {
        client.get("elasticfilesystem", &format!("{PATH}?{}", query("MaxItems", "Marker", token)))
    })
}

fn replicas(client: &Client<'_>) -> Result<Vec<Vec<String>>, Fault> {
    paged("Replications", "NextToken", pair, |token| {
        client.get(
            "elasticfilesystem",
            &format!("{PATH}/replication-configurations?{}", query("MaxResults", "NextToken", token)),
        )
    })
}

/// Lists the file systems of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let systems = match desk.ask(LIST, None, list) {
        Ok(systems) => systems,
        Err(gap) => return desk.unlisted.push(gap),
    };
    if systems.is_empty() {
        return;
    }
    let replicated = desk.ask(REPLICAS, None, replicas);
    for system in &systems {
        one(desk, system, &replicated);
    }
}

fn one(desk: &mut Desk<'_>, system: &System, replicated: &Result<Vec<Vec<String>>, Gap>) {
    let policy = desk.ask("elasticfilesystem:DescribeFileSystemPolicy", Some(&system.id), |client| {
        match client.get("elasticfilesystem", &format!("{PATH}/{}/policy", system.id)) {
            Err(fault) if fault.says(&["PolicyNotFound"]) => Ok(None),
            other => text(&other?, "Policy").ok_or_else(Fault::malformed).map(Some),
        }
    });
    let copies = desk.kept_elsewhere(&system.id, &system.arn);
    let id = desk.asset(Seen {
        arn: &system.arn,
        kind: "file_system",
        class: Class::Volume,
        name: &system.name.as_ref().map_or_else(|| system.id.clone(), |name| format!("{name} ({})", system.id)),
        tags: &system.tags,
        protections: Fact::Known(Listed::Complete),
        copies: copies.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: system.gibibytes.map(|size| format!("{size} GiB")),
        operation: LIST,
        key: system.key.as_deref(),
        // Such a policy speaks of those who mount, and may speak of other calls.
        policy: allowing(&policy, "file system's policy"),
    });
    desk.policy_calls(
        &id,
        &[
            ("elasticfilesystem:PutFileSystemPolicy", Opens::Gives),
            ("elasticfilesystem:DeleteFileSystemPolicy", Opens::Frees),
        ],
    );
    desk.also(&id, WRITE, id.as_str());
    let unless = "whether a mount target can be reached, and whether it asks who mounts, was not read";
    if system.targets == Some(0) {
        desk.also(&id, TARGET, id.as_str());
        desk.perhaps_after(&id, TARGET, "give it a mount target, mount it and delete its files", unless);
    } else {
        // Without a policy that asks for more, whoever reaches a mount target may write (EFS User Guide,
        // `iam-access-control-nfs-efs`).
        desk.beside(&id, "mount it and delete its files", unless);
    }
    desk.perhaps(&id, WRITE, "mount it and delete its files", unless);
    for action in [REPLICATE, "elasticfilesystem:UpdateFileSystemProtection"] {
        desk.also(&id, action, id.as_str());
        desk.perhaps_after(
            &id,
            action,
            "let another file system be replicated over it",
            "what a replication would overwrite was not read",
        );
    }
    mounted(desk, system, &id);
    in_replication(desk, system, &id, replicated);
}

/// "You can't delete a file system that is in use. That is, if the file system has any mount targets" (`DeleteFileSystem`).
fn mounted(desk: &mut Desk<'_>, system: &System, id: &NodeId) {
    desk.also(id, UNMOUNT, id.as_str());
    let (enabled, said) = match system.targets {
        Some(0) => (Fact::Known(false), "it has no mount targets".to_owned()),
        Some(targets) => (Fact::Known(true), format!("it has {targets} mount targets")),
        None => (
            desk.unread("a file system's mount targets were not in the answer"),
            "its mount targets were not read".to_owned(),
        ),
    };
    let guard = Guard {
        name: "mount-targets",
        kind: "a file system with mount targets is not deleted",
        covers: &[DELETE],
        enabled,
        lifts: vec![one_call(UNMOUNT, id, "delete its mount targets first")],
        basis: Basis::Observed,
        because: said,
        operation: LIST,
    };
    desk.guard(id, guard);
}

/// "You cannot delete a file system that is part of an EFS replication configuration" (`DeleteFileSystem`).
fn in_replication(desk: &mut Desk<'_>, system: &System, id: &NodeId, replicated: &Result<Vec<Vec<String>>, Gap>) {
    // The call may name either side of it.
    desk.also_below(id, PART, &format!("arn:{}:elasticfilesystem:", partition(desk.region)));
    let enabled = match replicated {
        Ok(all) => Fact::Known(all.iter().flatten().any(|one| *one == system.id)),
        Err(gap) => Fact::Unknown(gap.clone()),
    };
    let said = match enabled {
        Fact::Known(true) => "it is part of a replication",
        Fact::Known(false) => "it is part of no replication",
        Fact::Unknown(_) => "whether it is part of a replication was not read",
    };
    let guard = Guard {
        name: "replication",
        kind: "a file system in a replication is not deleted",
        covers: &[DELETE],
        enabled,
        lifts: vec![one_call(PART, id, "end its replication first")],
        basis: Basis::Observed,
        because: said.to_owned(),
        operation: REPLICAS,
    };
    desk.guard(id, guard);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn file_systems_and_replications() {
        let body = json!({ "FileSystemId": "fs-1a", "NumberOfMountTargets": 2, "SizeInBytes": { "Value": 6_442_450_944_u64 },
            "FileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1a",
            "KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1", "Tags": [{ "Key": "env", "Value": "prod" }] });
        let read = system(&body).unwrap();
        assert_eq!((read.targets, read.gibibytes, read.tags.len()), (Some(2), Some(6), 1));
        assert_eq!(system(&json!({ "FileSystemId": "../x", "FileSystemArn": "arn:aws:elasticfilesystem:::x" })), None);
        let body = json!({ "SourceFileSystemId": "fs-1", "Destinations": [{ "FileSystemId": "fs-2" }] });
        assert_eq!(pair(&body).unwrap(), ["fs-1", "fs-2"]);
        assert_eq!(pair(&json!({ "SourceFileSystemId": "fs-1", "Destinations": [{}] })), None);
    }
}
