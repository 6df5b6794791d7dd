//! EBS volumes and their snapshots (EC2 API reference: `DescribeVolumes`, `DescribeInstances`, `DescribeInstanceAttribute`,
//! `DescribeSnapshots`, `DescribeLockedSnapshots`; EBS User Guide: `ebs-deleting-volume`, `ebs-snapshot-lock`; Recycle Bin
//! API reference).

mod bin;
mod bodies;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, ProtectionId};
use deadstop_core::model::{Atom, Basis, Class, Copy, CopyKind, End, Lift, Protection, Side};

use super::{DRILLS, Desk, Seen, one_call};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::pages as paging;
use crate::provider::aws::partition;
use crate::provider::aws::reads::EC2;
use crate::provider::aws::rights::ResourcePolicy;
use bodies::{Attachment, Instance, Lock, Snapshot, Volume};

const VOLUMES: &str = "ec2:DescribeVolumes";
const SNAPSHOTS: &str = "ec2:DescribeSnapshots";
const LOCKS: &str = "ec2:DescribeLockedSnapshots";
const INSTANCES: &str = "ec2:DescribeInstances";
const ATTRIBUTE: &str = "ec2:DescribeInstanceAttribute";
const TERMINATE: &str = "ec2:TerminateInstances";
const MODIFY: &str = "ec2:ModifyInstanceAttribute";

/// What else ends machines, by the tag that a service puts on its own: the calls, and what their ARNs begin with after
/// the account.
const SERVICES: [(&str, &str, &str, &[&str]); 5] = [
    (
        GROUP,
        "autoscaling",
        "autoScalingGroup:",
        &[
            "autoscaling:TerminateInstanceInAutoScalingGroup",
            "autoscaling:SetDesiredCapacity",
            "autoscaling:UpdateAutoScalingGroup",
            "autoscaling:DeleteAutoScalingGroup",
            "autoscaling:StartInstanceRefresh",
            "autoscaling:SetInstanceHealth",
            "autoscaling:PutScheduledUpdateGroupAction",
            "autoscaling:BatchPutScheduledUpdateGroupAction",
            "autoscaling:PutScalingPolicy",
            "autoscaling:ExecutePolicy",
        ],
    ),
    ("aws:ec2:fleet-id", "ec2", "fleet/", &["ec2:DeleteFleets", "ec2:ModifyFleet"]),
    (
        "aws:ec2spot:fleet-request-id",
        "ec2",
        "spot-fleet-request/",
        &["ec2:CancelSpotFleetRequests", "ec2:ModifySpotFleetRequest"],
    ),
    (
        "aws:elasticmapreduce:job-flow-id",
        "elasticmapreduce",
        "cluster/",
        &["elasticmapreduce:TerminateJobFlows", "elasticmapreduce:ModifyInstanceGroups"],
    ),
    (
        "eks:nodegroup-name",
        "eks",
        "nodegroup/",
        &["eks:DeleteNodegroup", "eks:UpdateNodegroupConfig", "eks:UpdateNodegroupVersion"],
    ),
];

/// A group of Auto Scaling takes a machine that does not run for unhealthy, and terminates it (EC2 Auto Scaling User Guide,
/// `ec2-auto-scaling-health-checks`).
const STOP: &str = "ec2:StopInstances";
const GROUP: &str = "aws:autoscaling:groupName";

/// What is known in a Region beside its volumes.
struct Around {
    /// By id; why, if they were not read.
    instances: Result<BTreeMap<String, Instance>, Gap>,
    snapshots: Result<Vec<Snapshot>, Gap>,
    locks: Result<BTreeMap<String, Lock>, Gap>,
    bin: Result<bin::Bin, Gap>,
    /// Whether termination protection is on, by instance.
    kept: BTreeMap<String, Fact<bool>>,
}

/// Lists the volumes of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let volumes = match desk.ask(VOLUMES, None, |c| pages(c, "DescribeVolumes", &[], bodies::volumes)) {
        Ok(volumes) => volumes,
        Err(gap) => return desk.unlisted.push(gap),
    };
    if volumes.is_empty() {
        return;
    }
    let instances = desk.ask(INSTANCES, None, |c| pages(c, "DescribeInstances", &[], bodies::instances));
    let snapshots =
        desk.ask(SNAPSHOTS, None, |c| pages(c, "DescribeSnapshots", &[("Owner.1", "self")], bodies::snapshots));
    let locks = desk.ask(LOCKS, None, |c| pages(c, "DescribeLockedSnapshots", &[], bodies::locks));
    let attached: BTreeSet<&str> =
        volumes.iter().flat_map(|volume| &volume.attached).map(|one| one.instance.as_str()).collect();
    let kept = attached.into_iter().map(|id| (id.to_owned(), protected(desk, id))).collect();
    let around = Around {
        instances: instances.map(|all| all.into_iter().map(|one| (one.id.clone(), one)).collect()),
        snapshots,
        locks: locks.map(|all| all.into_iter().map(|lock| (lock.snapshot.clone(), lock)).collect()),
        bin: bin::read(desk),
        kept,
    };
    for volume in &volumes {
        one(desk, volume, &around);
    }
}

/// Every page of a listing.
fn pages<T>(
    client: &Client<'_>,
    action: &str,
    more: &[(&str, &str)],
    read: fn(&str) -> bodies::Page<T>,
) -> Result<Vec<T>, Fault> {
    paging(|place| {
        let mut fields = vec![("MaxResults", "500")];
        fields.extend(more);
        fields.extend(place.map(|place| ("NextToken", place)));
        read(&client.form("ec2", action, EC2, &fields)?).ok_or_else(Fault::malformed)
    })
}

/// Whether termination protection of an instance is on.
fn protected(desk: &mut Desk<'_>, instance: &str) -> Fact<bool> {
    let fields = [("InstanceId", instance), ("Attribute", "disableApiTermination")];
    let answer = desk.ask(ATTRIBUTE, Some(instance), |client| {
        let answer = client.form("ec2", "DescribeInstanceAttribute", EC2, &fields)?;
        bodies::kept(&answer).ok_or_else(Fault::malformed)
    });
    answer.map_or_else(Fact::Unknown, Fact::Known)
}

fn one(desk: &mut Desk<'_>, volume: &Volume, around: &Around) {
    let place = format!("arn:{}:ec2:{}", partition(desk.region), desk.region);
    let arn = format!("{place}:{}:volume/{}", desk.account, volume.id);
    let bin = around.bin.as_ref();
    let doubtful = bin.is_ok_and(|bin| bin.by_tags).then(|| {
        desk.facts.doubt(desk.account, "which of the rules of the Recycle Bin that go by tags hold was not worked out")
    });
    let gap = around.snapshots.as_ref().err().or(bin.err()).cloned().or(doubtful);
    let copies = gap.or_else(|| desk.kept_elsewhere(&volume.id, &arn));
    let name = volume.tags.get("Name").filter(|name| !name.is_empty());
    let id = desk.asset(Seen {
        arn: &arn,
        kind: if volume.attached.is_empty() { "volume" } else { "instance_volume" },
        class: Class::Volume,
        name: &name.map_or_else(|| volume.id.clone(), |name| format!("{name} ({})", volume.id)),
        tags: &volume.tags,
        protections: Fact::Known(Listed::Complete),
        copies: copies.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: volume.gibibytes.map(|size| format!("{size} GiB")),
        operation: VOLUMES,
        key: volume.key.as_deref(),
        policy: ResourcePolicy::None,
    });
    if !volume.attached.is_empty() {
        attached(desk, volume, &id, around, &place);
    }
    let of = |snapshot: &&Snapshot| snapshot.complete && snapshot.volume == volume.id;
    for snapshot in around.snapshots.iter().flatten().filter(of) {
        copy(desk, snapshot, &id, around, &place);
    }
    if let Ok(bin) = &around.bin {
        bin.state(desk, &id, volume.key.as_deref());
    }
}

/// What an instance does to a volume: it keeps it from being deleted by itself, and may take it along.
fn attached(desk: &mut Desk<'_>, volume: &Volume, id: &NodeId, around: &Around, place: &str) {
    let account = desk.account.to_owned();
    desk.also(id, "ec2:DeleteVolume", id.as_str());
    desk.also(id, "ec2:DetachVolume", id.as_str());
    for one in &volume.attached {
        let instance = format!("{place}:{account}:instance/{}", one.instance);
        desk.also(id, TERMINATE, &instance);
        desk.also(id, MODIFY, &instance);
        let known = around.instances.as_ref().ok().and_then(|all| all.get(&one.instance));
        if known.is_none_or(|known| known.root.is_none() || known.root.as_deref() == one.device.as_deref()) {
            desk.also(id, "ec2:CreateReplaceRootVolumeTask", &instance);
        }
        for (tag, service, kind, calls) in SERVICES {
            if known.is_none_or(|known| known.tags.contains_key(tag)) {
                let prefix = format!("arn:{}:{service}:{}:{account}:{kind}", partition(desk.region), desk.region);
                calls.iter().for_each(|call| desk.also_below(id, call, &prefix));
            }
        }
        let goes = one.goes.or_else(|| known?.goes.get(&volume.id).copied());
        if known.is_none_or(|known| known.tags.contains_key(GROUP)) {
            desk.also(id, STOP, &instance);
        }
        stays(desk, one, goes, id);
        terminated(desk, one, id, around);
    }
    let lifts = vec![
        one_call("ec2:DetachVolume", id, "detach it first"),
        one_call(TERMINATE, id, "terminate the instance that it is attached to"),
    ];
    protection(
        desk,
        id,
        Shield {
            name: "attached".to_owned(),
            kind: "an attached volume is not deleted",
            covers: vec!["ec2:DeleteVolume".to_owned()],
            enabled: Fact::Known(true),
            lifts,
            because: "it is attached to an instance".to_owned(),
            operation: VOLUMES,
        },
    );
}

/// A volume that is not set to go with its instance stays, until it is set so.
fn stays(desk: &mut Desk<'_>, one: &Attachment, goes: Option<bool>, id: &NodeId) {
    let services = SERVICES.iter().flat_map(|(_, _, _, calls)| *calls).map(|call| (*call).to_owned());
    let said = if goes == Some(true) { "it goes with" } else { "it stays without" };
    let enabled = match goes {
        Some(goes) => Fact::Known(!goes),
        None => desk.unread("whether a volume goes with its instance was not in the answer"),
    };
    protection(
        desk,
        id,
        Shield {
            name: format!("stays-without/{}", one.instance),
            kind: "DeleteOnTermination is off",
            covers: services.chain([TERMINATE, STOP].map(str::to_owned)).collect(),
            enabled,
            lifts: vec![one_call(MODIFY, id, "set the volume to go with its instance")],
            because: format!("{said} instance {}", one.instance),
            operation: VOLUMES,
        },
    );
}

fn terminated(desk: &mut Desk<'_>, one: &Attachment, id: &NodeId, around: &Around) {
    let Some(enabled) = around.kept.get(&one.instance).cloned() else { return };
    let said = match &enabled {
        Fact::Known(true) => "termination protection is on",
        Fact::Known(false) => "termination protection is off",
        Fact::Unknown(_) => "whether termination protection is on was not read",
    };
    protection(
        desk,
        id,
        Shield {
            name: format!("termination-protection/{}", one.instance),
            kind: "termination protection",
            covers: vec![TERMINATE.to_owned()],
            enabled,
            lifts: vec![one_call(MODIFY, id, "switch termination protection off")],
            because: format!("{said} for instance {}", one.instance),
            operation: VOLUMES,
        },
    );
}

struct Shield {
    name: String,
    kind: &'static str,
    covers: Vec<String>,
    enabled: Fact<bool>,
    lifts: Vec<Lift>,
    because: String,
    operation: &'static str,
}

fn protection(desk: &mut Desk<'_>, on: &NodeId, shield: Shield) {
    let source = desk.facts.source(shield.operation, &desk.scope());
    desk.facts.protections.push(Protection {
        id: ProtectionId(format!("{on}#{}", shield.name)),
        on: on.clone(),
        side: Side::Protect,
        kind: shield.kind.to_owned(),
        covers: shield.covers,
        enabled: shield.enabled,
        whole: Fact::Known(true),
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(shield.lifts),
        basis: Basis::Observed,
        because: shield.because,
        sources: vec![source],
    });
}

/// A snapshot, which stays when its volume is deleted.
fn copy(desk: &mut Desk<'_>, snapshot: &Snapshot, volume: &NodeId, around: &Around, place: &str) {
    if snapshot.vaulted && desk.knows_vaults() {
        return;
    }
    // The ARN of a snapshot names no account (Service Authorization Reference, Amazon EC2).
    let id = NodeId(format!("{place}::snapshot/{}", snapshot.id));
    let source = desk.facts.source(SNAPSHOTS, &desk.scope());
    let lag = match snapshot.at {
        Some(at) => Fact::Known(desk.facts.at().since(at)),
        None => desk.unread("a snapshot's time was not in the answer"),
    };
    desk.also(&id, "ec2:DeleteSnapshot", id.as_str());
    let delete = one_call("ec2:DeleteSnapshot", &id, "delete the snapshot");
    let mut ends = Fact::Known(End::Never);
    let mut said = "a snapshot, kept when the volume is deleted".to_owned();
    let destroyed_by = if snapshot.vaulted {
        desk.unread("who may delete what AWS Backup keeps was not read")
    } else {
        match around.locks.as_ref().map(|locks| locks.get(&snapshot.id)) {
            Err(gap) => Fact::Unknown(gap.clone()),
            Ok(None) => Fact::Known(vec![delete]),
            Ok(Some(lock)) if lock.hard => {
                said = format!("{said}, locked in compliance mode");
                ends = match lock.until {
                    Some(until) => Fact::Known(End::At(until)),
                    None => desk.unread("until when a snapshot is locked was not in the answer"),
                };
                Fact::Known(Vec::new())
            }
            Ok(Some(_)) => {
                said = format!("{said}, locked, which can be undone");
                desk.also(&id, "ec2:UnlockSnapshot", id.as_str());
                let mut needs = delete.needs;
                needs.push(Atom::Can { action: "ec2:UnlockSnapshot".to_owned(), target: id.clone() });
                let because = "unlock and delete the snapshot (ec2:UnlockSnapshot, ec2:DeleteSnapshot)".to_owned();
                Fact::Known(vec![Lift { needs, changes: true, because }])
            }
        }
    };
    let needs = desk.needed(snapshot.key.as_ref());
    desk.facts.copies.push(Copy {
        id,
        of: volume.clone(),
        kind: CopyKind::Snapshot,
        name: format!("snapshot {}", snapshot.id),
        place: Some(desk.parent.clone()),
        lag,
        ends,
        dies_with: Fact::Known(Vec::new()),
        destroyed_by,
        needs,
        drills: DRILLS,
        basis: Basis::Observed,
        because: said,
        sources: vec![source],
    });
}

#[cfg(test)]
mod tests {
    use deadstop_core::catalogue;

    use super::*;

    /// A right that is asked for and that the catalogue does not know destroys nothing in the model.
    #[test]
    fn the_catalogue_knows_what_ends_machines() {
        let rows = catalogue::actions();
        let known = |call: &str| rows.iter().any(|row| row.kind == "instance_volume" && row.action == call);
        for call in SERVICES.iter().flat_map(|(_, _, _, calls)| *calls).chain([&STOP, &TERMINATE]) {
            assert!(known(call), "{call}");
        }
    }
}
