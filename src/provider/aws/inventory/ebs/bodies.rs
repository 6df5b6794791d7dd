//! The answers of EC2 (service model `ec2/2016-11-15`). One item that cannot be understood spoils the whole.

use std::collections::BTreeMap;

use deadstop_core::time::Time;
use roxmltree::{Document, Node};

use crate::provider::aws::xml::{child, list, text, yes};

/// A page of a listing, and where the next begins.
pub(super) type Page<T> = Option<(Vec<T>, Option<String>)>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) id: String,
    pub(super) gibibytes: Option<u64>,
    pub(super) key: Option<String>,
    pub(super) attached: Vec<Attachment>,
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attachment {
    pub(super) instance: String,
    pub(super) device: Option<String>,
    /// Whether it goes when the instance is terminated.
    pub(super) goes: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) id: String,
    /// The device that it starts from.
    pub(super) root: Option<String>,
    /// Whether a volume goes with it, by the volume's id.
    pub(super) goes: BTreeMap<String, bool>,
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) id: String,
    pub(super) volume: String,
    pub(super) complete: bool,
    pub(super) at: Option<Time>,
    pub(super) key: Option<String>,
    /// Whether a vault of AWS Backup keeps it.
    pub(super) vaulted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lock {
    pub(super) snapshot: String,
    /// Whether nobody can undo it.
    pub(super) hard: bool,
    pub(super) until: Option<Time>,
}

fn page<T>(answer: &str, response: &str, set: &str, read: impl Fn(Node<'_, '_>) -> Option<Vec<T>>) -> Page<T> {
    let document = Document::parse(answer).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != response {
        return None;
    }
    child(root, set)?;
    let mut all = Vec::new();
    for node in list(root, set) {
        all.extend(read(node)?);
    }
    Some((all, text(root, "nextToken").map(str::to_owned)))
}

fn tags(node: Node<'_, '_>) -> BTreeMap<String, String> {
    let tag = |tag| Some((text(tag, "key")?.to_owned(), text(tag, "value").unwrap_or_default().to_owned()));
    list(node, "tagSet").filter_map(tag).collect()
}

fn time(node: Node<'_, '_>, name: &str) -> Option<Time> {
    text(node, name).and_then(|at| at.parse().ok())
}

/// An id of EC2: it becomes part of an ARN.
fn id(node: Node<'_, '_>, name: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text(node, name).filter(|id| id.bytes().all(plain)).map(str::to_owned)
}

pub(super) fn volumes(answer: &str) -> Page<Volume> {
    page(answer, "DescribeVolumesResponse", "volumeSet", |node| {
        let attached = list(node, "attachmentSet").filter(|one| text(*one, "status") != Some("detached"));
        let attachment = |one| {
            Some(Attachment {
                instance: id(one, "instanceId")?,
                device: text(one, "device").map(str::to_owned),
                goes: yes(one, "deleteOnTermination"),
            })
        };
        Some(vec![Volume {
            id: id(node, "volumeId")?,
            gibibytes: text(node, "size").and_then(|size| size.parse().ok()),
            key: text(node, "kmsKeyId").map(str::to_owned),
            attached: attached.map(attachment).collect::<Option<_>>()?,
            tags: tags(node),
        }])
    })
}

pub(super) fn instances(answer: &str) -> Page<Instance> {
    page(answer, "DescribeInstancesResponse", "reservationSet", |reservation| {
        let one = |node| {
            let root = text(node, "rootDeviceName").map(str::to_owned);
            let disks = list(node, "blockDeviceMapping").filter_map(|disk| child(disk, "ebs"));
            let goes = disks.filter_map(|disk| Some((id(disk, "volumeId")?, yes(disk, "deleteOnTermination")?)));
            Some(Instance { id: id(node, "instanceId")?, root, goes: goes.collect(), tags: tags(node) })
        };
        child(reservation, "instancesSet")?;
        list(reservation, "instancesSet").map(one).collect()
    })
}

pub(super) fn snapshots(answer: &str) -> Page<Snapshot> {
    page(answer, "DescribeSnapshotsResponse", "snapshotSet", |node| {
        Some(vec![Snapshot {
            id: id(node, "snapshotId")?,
            volume: text(node, "volumeId").unwrap_or_default().to_owned(),
            complete: text(node, "status") == Some("completed"),
            at: time(node, "startTime"),
            key: text(node, "kmsKeyId").map(str::to_owned),
            vaulted: tags(node).keys().any(|key| key.starts_with("aws:backup:")),
        }])
    })
}

/// The locks that hold. "compliance-cooloff": it can still be undone.
pub(super) fn locks(answer: &str) -> Page<Lock> {
    page(answer, "DescribeLockedSnapshotsResponse", "snapshotSet", |node| {
        let hard = match text(node, "lockState")? {
            "expired" => return Some(Vec::new()),
            state => state == "compliance",
        };
        Some(vec![Lock { snapshot: id(node, "snapshotId")?, hard, until: time(node, "lockExpiresOn") }])
    })
}

/// Whether termination protection is on.
pub(super) fn kept(answer: &str) -> Option<bool> {
    let document = Document::parse(answer).ok()?;
    yes(child(document.root_element(), "disableApiTermination")?, "value")
}

#[cfg(test)]
mod tests;
