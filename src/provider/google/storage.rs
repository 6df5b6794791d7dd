//! Cloud Storage: buckets.
//!
//! <https://cloud.google.com/storage/docs/soft-delete>, <https://cloud.google.com/storage/docs/bucket-lock>,
//! <https://cloud.google.com/storage/docs/object-versioning>. Basic roles of a project are given to a bucket by bindings of its own, so
//! that each is asked. Which objects are under a retention of their own, or a hold, is not read.

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind, End, Lift};
use deadstop_core::time::Span;
use serde::Deserialize;
use serde_json::Value;

use super::client::Client;
use super::desk::{DELETE_PROJECT, Desk, Held, Labels, Resource};
use super::reads::{BUCKETS, ON_BUCKET};
use super::rights::{ON_BUCKETS, beside};
use super::steps;
use crate::provider::platform::{Guard, Kept, can, names};
use crate::provider::token::{Got, is_id, shown};

const DELETE: &str = "storage.buckets.delete";
const DELETE_OBJECTS: &str = "storage.objects.delete";
const UPDATE: &str = "storage.buckets.update";

/// How many buckets of one project are asked about one by one.
const MOST: usize = 300;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bucket {
    name: String,
    location: Option<String>,
    labels: Option<Labels>,
    versioning: Option<Versioning>,
    retention_policy: Option<Retention>,
    soft_delete_policy: Option<SoftDelete>,
    object_retention: Option<Value>,
    #[serde(default)]
    default_event_based_hold: bool,
    encryption: Option<Key>,
}

#[derive(Deserialize)]
struct Versioning {
    #[serde(default)]
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Retention {
    /// Seconds; a number of 64 bits is a text in JSON.
    retention_period: Option<String>,
    #[serde(default)]
    is_locked: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SoftDelete {
    retention_duration_seconds: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    default_kms_key_name: Option<String>,
}

/// The buckets of a project, and what somebody may do to each.
pub(super) struct Seen {
    buckets: Got<Bucket>,
    held: Vec<Held>,
}

impl Seen {
    pub(super) fn of(client: &Client<'_>, project: &str, known: &BTreeSet<&'static str>) -> Self {
        let query = [("project", project), ("projection", "noAcl")];
        let buckets = client.list::<Bucket>(BUCKETS, &[], &query, ("items", Some("storage#buckets")));
        let asked = beside(&ON_BUCKETS, known);
        let one = |bucket: &Bucket| {
            (!asked.is_empty() && is_id(&bucket.name)).then(|| client.holds(ON_BUCKET, &[&bucket.name], &asked))
        };
        let held = buckets.items.iter().take(MOST).map(one).collect();
        Self { buckets, held }
    }

    pub(super) fn describe(self, desk: &mut Desk<'_>) -> Option<Gap> {
        let mut gap = desk.listed(BUCKETS, self.buckets.fault);
        if self.buckets.items.len() > MOST {
            desk.facts.not_asked(desk.id, "not every bucket was asked about", "merge facts of it (--merge)");
        }
        let held = self.held.into_iter().chain(std::iter::repeat_with(|| None));
        for (bucket, held) in self.buckets.items.iter().zip(held) {
            if is_id(&bucket.name) {
                one(desk, bucket, held);
            } else {
                gap = Some(desk.strange(BUCKETS));
            }
        }
        gap
    }
}

fn one(desk: &mut Desk<'_>, bucket: &Bucket, held: Held) {
    let (name, node) = (bucket.name.as_str(), desk.node(&format!("bucket/{}", bucket.name)));
    let key = bucket.encryption.as_ref().and_then(|key| Desk::key_named(key.default_kms_key_name.as_deref()));
    desk.resource(
        Resource {
            id: node.clone(),
            kind: "bucket",
            class: Class::Bucket,
            name,
            parent: None,
            labels: bucket.labels.as_ref(),
            contents: None,
            copies: Fact::Known(Listed::Complete),
            holds: bucket.location.as_deref().map(|place| format!("in {}", shown(place))),
            key: key.as_ref(),
        },
        (BUCKETS, desk.id),
    );
    desk.holds(&node, (ON_BUCKET, name), held.as_ref());
    steps::gives(desk, &node, "storage.buckets.setIamPolicy", &held);
    not_empty(desk, &node);
    if let Some(retention) = &bucket.retention_policy {
        retained(desk, &node, name, retention);
    }
    if bucket.object_retention.is_some() || bucket.default_event_based_hold {
        held_one_by_one(desk, &node, name);
    }
    if let Some(policy) = &bucket.soft_delete_policy {
        soft_deleted(desk, (&node, name), policy, key.as_ref());
    }
    if bucket.versioning.as_ref().is_some_and(|versioning| versioning.enabled) {
        versions(desk, (&node, name), key.as_ref());
    }
}

/// Only an empty bucket is deleted (<https://cloud.google.com/storage/docs/deleting-buckets>).
fn not_empty(desk: &mut Desk<'_>, node: &NodeId) {
    let lifts: Vec<Lift> = vec![
        can(DELETE_OBJECTS, node, "delete every object first"),
        can(UPDATE, node, "have a lifecycle rule delete every object first"),
    ];
    desk.facts.guarded(
        Guard {
            on: node,
            kind: "only an empty bucket is deleted",
            covers: &[DELETE],
            enabled: Fact::Known(true),
            holds_parent: false,
            lifts: Fact::Known(lifts),
            because: "a bucket with objects in it is not deleted",
        },
        (BUCKETS, desk.id),
    );
}

/// A retention policy keeps objects that are younger than its period; which are, is not read. Locked, it can be neither shortened
/// nor taken away. Projects are deleted over it, but that locking puts a lien on them.
fn retained(desk: &mut Desk<'_>, node: &NodeId, name: &str, retention: &Retention) {
    let seconds = retention.retention_period.as_deref().and_then(|text| text.parse::<u64>().ok());
    let period = seconds.map_or_else(|| "a while".to_owned(), |seconds| Span(seconds).human());
    let (kind, covers, lifts): (&str, &[&str], Vec<Lift>) = if retention.is_locked {
        ("locked retention policy", &[DELETE_OBJECTS, DELETE, UPDATE], Vec::new())
    } else {
        ("retention policy", &[DELETE_OBJECTS, DELETE], vec![can(UPDATE, node, "take the retention policy away")])
    };
    let locked = if retention.is_locked { ", and cannot be shortened" } else { "" };
    desk.facts.guarded(
        Guard {
            on: node,
            kind,
            covers,
            enabled: Fact::Known(true),
            holds_parent: false,
            lifts: Fact::Known(lifts),
            because: &format!("objects are kept for {period} from when they were written{locked}"),
        },
        (BUCKETS, desk.id),
    );
    let whole = desk.unread(name, "which objects are older than the retention policy keeps them was not read");
    if let Some(protection) = desk.facts.protections.last_mut() {
        protection.whole = whole;
    }
}

/// Objects that have a retention or a hold of their own are not deleted before its end (storage/docs/object-lock, holding-objects).
fn held_one_by_one(desk: &mut Desk<'_>, node: &NodeId, name: &str) {
    let lifts = desk.unread(name, "who may end the retention or the hold of each object was not asked");
    desk.facts.guarded(
        Guard {
            on: node,
            kind: "retention of objects",
            covers: &[DELETE_OBJECTS, DELETE, UPDATE],
            enabled: Fact::Known(true),
            holds_parent: false,
            lifts,
            because: "its objects may have a retention or a hold of their own",
        },
        (BUCKETS, desk.id),
    );
    let whole = desk.unread(name, "which objects have a retention or a hold of their own was not read");
    if let Some(protection) = desk.facts.protections.last_mut() {
        protection.whole = whole;
    }
}

/// Deleted objects are kept for a while, and nobody can destroy them sooner. The policy can be taken away before the delete.
fn soft_deleted(desk: &mut Desk<'_>, (node, name): (&NodeId, &str), policy: &SoftDelete, key: Option<&NodeId>) {
    let ends = match policy.retention_duration_seconds.as_deref().map(str::parse::<u64>) {
        Some(Ok(0)) => return,
        Some(Ok(seconds)) => Fact::Known(End::After(Span(seconds))),
        Some(Err(_)) | None => desk.unread(name, "for how long deleted objects are kept was not in the answer"),
    };
    let off = can(UPDATE, node, "switch soft delete off first");
    desk.copy(
        Kept {
            id: "soft-deleted",
            of: node,
            kind: CopyKind::GracePeriod,
            name: format!("soft-deleted objects of {name}"),
            place: Some(&desk.project.clone()),
            lag: Fact::Known(Span(0)),
            ends,
            dies_with: Fact::Known(names(&[DELETE_PROJECT])),
            destroyed_by: Fact::Known(vec![off]),
            because: "soft delete is on",
        },
        key,
        (BUCKETS, desk.id),
    );
}

/// Earlier versions: who may delete objects may delete those, too.
fn versions(desk: &mut Desk<'_>, (node, name): (&NodeId, &str), key: Option<&NodeId>) {
    let destroyed = vec![
        can(DELETE_OBJECTS, node, "delete the earlier versions, too"),
        can(UPDATE, node, "have a lifecycle rule delete the earlier versions"),
    ];
    let ends = desk.unread(name, "for how long its lifecycle keeps earlier versions was not worked out");
    desk.copy(
        Kept {
            id: "versions",
            of: node,
            kind: CopyKind::Versions,
            name: format!("earlier versions in {name}"),
            place: Some(&desk.project.clone()),
            lag: Fact::Known(Span(0)),
            ends,
            dies_with: Fact::Known(names(&[DELETE, DELETE_PROJECT])),
            destroyed_by: Fact::Known(destroyed),
            because: "versions are kept, so that a delete or an overwrite leaves what was there",
        },
        key,
        (BUCKETS, desk.id),
    );
}
