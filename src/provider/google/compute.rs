//! Compute Engine: machines, their disks, and what is kept of disks.
//!
//! <https://cloud.google.com/compute/docs/disks/snapshots>, <https://cloud.google.com/compute/docs/instances/preventing-accidental-vm-deletion>.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind, End, Lift};
use deadstop_core::time::Time;
use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, DISABLED};
use super::desk::{DELETE_PROJECT, Desk, Encryption, Held, Labels, Resource, last};
use super::reads::{
    BACKED_UP, DISKS, IMAGES, MACHINE_IMAGES, MACHINES, ON_DISK, ON_MACHINE, ON_REGIONAL_DISK, ON_SNAPSHOT, SNAPSHOTS,
};
use super::rights::{ON_DISKS, ON_MACHINES, ON_SNAPSHOTS, beside};
use crate::provider::platform::{Container, Guard, Kept, can, listed, names};
use crate::provider::token::{Got, is_id};

const DELETE_DISK: &str = "compute.disks.delete";
const DELETE_MACHINE: &str = "compute.instances.delete";

/// How many of one kind in one project are asked about one by one.
const MOST: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Disk {
    name: String,
    zone: Option<String>,
    region: Option<String>,
    id: Option<String>,
    size_gb: Option<String>,
    labels: Option<Labels>,
    disk_encryption_key: Option<Encryption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Machine {
    name: String,
    zone: String,
    labels: Option<Labels>,
    #[serde(default)]
    deletion_protection: bool,
    disks: Option<Vec<Attached>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attached {
    source: Option<String>,
    #[serde(default)]
    auto_delete: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    name: String,
    creation_timestamp: Option<Time>,
    source_disk: Option<String>,
    source_disk_id: Option<String>,
    status: Option<String>,
    #[serde(default)]
    auto_created: bool,
    labels: Option<Labels>,
}

/// Disks and machines of a project, with what is kept of them.
pub(super) struct Seen {
    disks: Got<Disk>,
    machines: Got<Machine>,
    snapshots: Got<Snapshot>,
    images: Got<Snapshot>,
    machine_images: Got<Value>,
    backed_up: Got<Value>,
    on_disks: Vec<Held>,
    on_machines: Vec<Held>,
    on_snapshots: Vec<Held>,
}

impl Seen {
    pub(super) fn of(client: &Client<'_>, project: &str, known: &BTreeSet<&'static str>) -> Self {
        let disks = client.aggregated::<Disk>(DISKS, &[project], ("disks", "compute#diskAggregatedList"));
        let machines =
            client.aggregated::<Machine>(MACHINES, &[project], ("instances", "compute#instanceAggregatedList"));
        let snapshots = client.list::<Snapshot>(SNAPSHOTS, &[project], &[], ("items", Some("compute#snapshotList")));
        let images = client.list(IMAGES, &[project], &[], ("items", Some("compute#imageList")));
        let kind = ("items", Some("compute#machineImageList"));
        let machine_images = client.list(MACHINE_IMAGES, &[project], &[], kind);
        let backed_up = client.list(BACKED_UP, &[project, "-"], &[], ("dataSourceReferences", None));
        let asked = beside(&ON_DISKS, known);
        let on_disk = |disk: &Disk| {
            let (operation, place) = match (&disk.zone, &disk.region) {
                (Some(zone), _) => (ON_DISK, zone),
                (None, Some(region)) => (ON_REGIONAL_DISK, region),
                (None, None) => return None,
            };
            (!asked.is_empty()).then(|| client.holds(operation, &[project, last(place), &disk.name], &asked))
        };
        let on_disks = disks.items.iter().take(MOST).map(on_disk).collect();
        let asked = beside(&ON_MACHINES, known);
        let on_machine = |machine: &Machine| {
            let at = [project, last(&machine.zone), machine.name.as_str()];
            (!asked.is_empty()).then(|| client.holds(ON_MACHINE, &at, &asked))
        };
        let on_machines = machines.items.iter().take(MOST).map(on_machine).collect();
        let asked = beside(&ON_SNAPSHOTS, known);
        let on_snapshot =
            |one: &Snapshot| (!asked.is_empty()).then(|| client.holds(ON_SNAPSHOT, &[project, &one.name], &asked));
        let on_snapshots = snapshots.items.iter().take(MOST).map(on_snapshot).collect();
        Self { disks, machines, snapshots, images, machine_images, backed_up, on_disks, on_machines, on_snapshots }
    }

    pub(super) fn describe(self, desk: &mut Desk<'_>) -> Option<Gap> {
        let disks = desk.listed(DISKS, self.disks.fault);
        let machines = desk.listed(MACHINES, self.machines.fault);
        let snapshots = desk.listed(SNAPSHOTS, self.snapshots.fault);
        let images = desk.listed(IMAGES, self.images.fault);
        let whole = whole(desk, &self.machine_images);
        let machine_images = desk.listed(MACHINE_IMAGES, self.machine_images.fault);
        let unkept = snapshots.clone().or(images).or(machine_images).or(whole).or(elsewhere(desk, self.backed_up));
        let mut gap = disks.clone().or_else(|| machines.clone()).or_else(|| snapshots.clone());
        if [self.disks.items.len(), self.machines.items.len(), self.snapshots.items.len()]
            .iter()
            .any(|many| *many > MOST)
        {
            let why = "not every disk, machine and snapshot was asked about";
            desk.facts.not_asked(desk.id, why, "merge facts of it (--merge)");
        }
        // What each disk is attached to: the machine, and whether the disk goes with it.
        let mut attached: BTreeMap<String, Vec<(NodeId, bool)>> = BTreeMap::new();
        let none = || std::iter::repeat_with(|| None);
        for (one, held) in self.machines.items.iter().zip(self.on_machines.into_iter().chain(none())) {
            let zone = last(&one.zone);
            if !(is_id(&one.name) && is_id(zone)) {
                gap = Some(desk.strange(MACHINES));
                continue;
            }
            let node = desk.node(&format!("zone/{zone}/instance/{}", one.name));
            machine(desk, one, &node, (held, disks.as_ref()));
            for disk in one.disks.iter().flatten() {
                let Some(path) = disk.source.as_deref().and_then(place) else { continue };
                attached.entry(path).or_default().push((node.clone(), disk.auto_delete));
            }
        }
        for (one, held) in self.disks.items.iter().zip(self.on_disks.into_iter().chain(none())) {
            let at = one.zone.as_deref().map(|zone| format!("zone/{}", last(zone)));
            let at = at.or_else(|| one.region.as_deref().map(|region| format!("region/{}", last(region))));
            let Some(at) = at.filter(|at| is_id(&one.name) && is_id(last(at))) else {
                gap = Some(desk.strange(DISKS));
                continue;
            };
            let path = format!("{at}/disk/{}", one.name);
            let machines = attached.get(&path).map(Vec::as_slice).unwrap_or_default();
            let node = desk.node(&path);
            disk(desk, one, (&node, held), machines, unkept.as_ref());
            for (kind, operation, kept) in
                [("snapshot", SNAPSHOTS, &self.snapshots.items), ("image", IMAGES, &self.images.items)]
            {
                copy(desk, (one, &node), (kind, operation), kept);
            }
        }
        let there: BTreeSet<&str> = self.disks.items.iter().filter_map(|disk| disk.id.as_deref()).collect();
        for (one, held) in self.snapshots.items.iter().zip(self.on_snapshots.into_iter().chain(none())) {
            if !is_id(&one.name) {
                gap = Some(desk.strange(SNAPSHOTS));
                continue;
            }
            let same = |other: &&Snapshot| other.source_disk_id == one.source_disk_id && other.name != one.name;
            let kept = self.snapshots.items.iter().chain(&self.images.items);
            let of = Of {
                is_there: one.source_disk_id.as_deref().is_some_and(|id| there.contains(id)),
                alone: one.source_disk_id.is_some() && kept.filter(same).count() == 0,
                unkept: unkept.as_ref(),
            };
            snapshot(desk, one, held, of);
        }
        gap
    }
}

/// What a snapshot is of.
#[derive(Clone, Copy)]
struct Of<'a> {
    /// The disk is there.
    is_there: bool,
    /// Nothing else is kept of the disk.
    alone: bool,
    /// Why it is not known what else is kept.
    unkept: Option<&'a Gap>,
}

/// Images of machines keep all of their disks (<https://cloud.google.com/compute/docs/machine-images>).
fn whole(desk: &mut Desk<'_>, images: &Got<Value>) -> Option<Gap> {
    let some = !images.items.is_empty();
    some.then(|| desk.facts.doubt(desk.id, "which disks the images of machines keep was not worked out"))
}

/// Why it is not known whether a vault keeps backups, in this project or another one: each resource that it keeps some of is
/// listed where the resource is (Backup and DR, data source references). Where that service is not in use, there are none.
fn elsewhere(desk: &mut Desk<'_>, backed_up: Got<Value>) -> Option<Gap> {
    match backed_up.fault {
        Some(fault) if fault.says(&DISABLED) => None,
        Some(fault) => Some(desk.facts.refused(BACKED_UP, desk.id, &fault)),
        None if backed_up.items.is_empty() => {
            desk.facts.source(BACKED_UP, desk.id);
            None
        }
        None => Some(desk.facts.doubt(desk.id, "what vaults of backups keep of disks and machines was not read")),
    }
}

/// The way to a disk below its project, as its URL says: `zone/Z/disk/D`.
fn place(url: &str) -> Option<String> {
    let mut parts = url.rsplit('/');
    let (name, _, at, scope) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let scope = match scope {
        "zones" => "zone",
        "regions" => "region",
        _ => return None,
    };
    Some(format!("{scope}/{at}/disk/{name}"))
}

/// A machine, which takes along the disks that are set to go with it.
fn machine(desk: &mut Desk<'_>, one: &Machine, node: &NodeId, (held, disks): (Held, Option<&Gap>)) {
    let project = desk.project.clone();
    desk.facts.container(
        Container {
            kind: "instance",
            name: &one.name,
            parent: Some(&project),
            environment: Fact::Known(super::desk::labelled(one.labels.as_ref())),
            contents: listed(disks.cloned()),
            ..Container::of(node.clone())
        },
        (MACHINES, desk.id),
    );
    desk.holds(node, (ON_MACHINE, &one.name), held.as_ref());
    let because = if one.deletion_protection { "deletion protection is on" } else { "deletion protection is off" };
    desk.facts.guarded(
        Guard {
            on: node,
            kind: "deletion protection",
            covers: &[DELETE_MACHINE],
            enabled: Fact::Known(one.deletion_protection),
            holds_parent: false,
            lifts: Fact::Known(vec![can(
                "compute.instances.setDeletionProtection",
                node,
                "switch deletion protection off",
            )]),
            because,
        },
        (MACHINES, desk.id),
    );
    from_within(desk, &one.name);
}

/// Whoever may sign in to a machine, or have it run a script, wipes its disks from within, whatever is protected.
fn from_within(desk: &mut Desk<'_>, name: &str) {
    let whole =
        desk.unread(name, "who may wipe a disk from within the machine that it is attached to was not worked out");
    if let Some(protection) = desk.facts.protections.last_mut() {
        protection.whole = whole;
    }
}

fn disk(
    desk: &mut Desk<'_>,
    one: &Disk,
    (node, held): (&NodeId, Held),
    machines: &[(NodeId, bool)],
    unkept: Option<&Gap>,
) {
    let key = Desk::key(one.disk_encryption_key.as_ref());
    let size = one.size_gb.as_deref().filter(|size| size.bytes().all(|b| b.is_ascii_digit()));
    let goes = machines.iter().find(|(_, goes)| *goes).map(|(machine, _)| machine);
    desk.resource(
        Resource {
            id: node.clone(),
            kind: "disk",
            class: Class::Volume,
            name: &one.name,
            parent: goes,
            labels: one.labels.as_ref(),
            contents: None,
            copies: listed(unkept.cloned()),
            holds: size.map(|size| format!("{size} GB")),
            key: key.as_ref(),
        },
        (DISKS, desk.id),
    );
    desk.holds(node, (ON_DISK, &one.name), held.as_ref());
    if machines.is_empty() {
        return;
    }
    // "You can't delete a disk that is attached to a VM" (compute/docs/disks/detach-reattach-disks).
    let lifts: Vec<Lift> = machines
        .iter()
        .flat_map(|(machine, _)| {
            [
                can("compute.instances.detachDisk", machine, "detach it first"),
                can(DELETE_MACHINE, machine, "delete the machine that it is attached to"),
            ]
        })
        .collect();
    desk.facts.guarded(
        Guard {
            on: node,
            kind: "an attached disk is not deleted",
            covers: &[DELETE_DISK],
            enabled: Fact::Known(true),
            holds_parent: false,
            lifts: Fact::Known(lifts),
            because: "it is attached to a machine",
        },
        (DISKS, desk.id),
    );
    from_within(desk, &one.name);
}

/// The newest of what is kept of a disk, which stays when the disk is deleted. One of a schedule ends by it.
fn copy(desk: &mut Desk<'_>, (disk, node): (&Disk, &NodeId), (kind, operation): (&str, &str), kept: &[Snapshot]) {
    let of = |one: &&Snapshot| {
        disk.id.is_some() && one.source_disk_id == disk.id && one.status.as_deref() == Some("READY") && is_id(&one.name)
    };
    let newest = kept.iter().filter(of).max_by_key(|one| (one.creation_timestamp, &one.name));
    let Some(newest) = newest else { return };
    let lag = match newest.creation_timestamp {
        Some(at) => Fact::Known(desk.facts.at().since(at)),
        None => desk.unread(&newest.name, "when a copy of a disk was made was not in the answer"),
    };
    let ends = if newest.auto_created {
        desk.unread(&newest.name, "for how long a schedule keeps its snapshots was not read")
    } else {
        Fact::Known(End::Never)
    };
    let delete = if kind == "image" { "compute.images.delete" } else { "compute.snapshots.delete" };
    let id = format!("{kind}/{}", newest.name);
    let key = Desk::key(disk.disk_encryption_key.as_ref());
    let project = desk.project.clone();
    let own = desk.node(&format!("{kind}/{}", newest.name));
    desk.copy(
        Kept {
            id: &id,
            of: node,
            kind: CopyKind::Snapshot,
            name: format!("{kind} {}", newest.name),
            place: Some(&project),
            lag,
            ends,
            dies_with: Fact::Known(names(&[DELETE_PROJECT])),
            destroyed_by: Fact::Known(vec![can(delete, &own, "delete it")]),
            because: "the newest of the disk, which stays until it is deleted",
        },
        key.as_ref(),
        (operation, desk.id),
    );
    // It is a thing of its own, and rights may be to it alone.
    if let Some(copy) = desk.facts.copies.last_mut() {
        copy.id = own;
    }
}

/// A snapshot as a thing of its own: a copy of a disk that is there, or all that is left of one that is gone.
fn snapshot(desk: &mut Desk<'_>, one: &Snapshot, held: Held, of: Of<'_>) {
    let node = desk.node(&format!("snapshot/{}", one.name));
    if of.is_there && !desk.facts.copies.iter().any(|copy| copy.id == node) {
        // A newer one of the same disk is there.
        return;
    }
    if !of.is_there {
        let from = one.source_disk.as_deref().map(last).filter(|name| is_id(name));
        let copies = if of.alone {
            listed(of.unkept.cloned())
        } else {
            desk.unread(&one.name, "which snapshots of a disk that is gone hold the same was not worked out")
        };
        desk.resource(
            Resource {
                id: node.clone(),
                kind: "disk_snapshot",
                class: Class::Backup,
                name: &one.name,
                parent: None,
                labels: one.labels.as_ref(),
                contents: None,
                copies,
                holds: from.map(|from| format!("what was on the disk {from}")),
                key: None,
            },
            (SNAPSHOTS, desk.id),
        );
    }
    desk.holds(&node, (ON_SNAPSHOT, &one.name), held.as_ref());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_found_by_its_url() {
        let url = "https://www.googleapis.com/compute/v1/projects/p/zones/europe-west1-b/disks/data";
        assert_eq!(place(url).as_deref(), Some("zone/europe-west1-b/disk/data"));
        assert_eq!(place("projects/p/regions/r/disks/d").as_deref(), Some("region/r/disk/d"));
        assert_eq!(place("d"), None);
    }
}
