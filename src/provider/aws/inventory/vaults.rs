//! Vaults of AWS Backup and the recovery points in them (AWS Backup API reference: `ListBackupVaults`,
//! `ListRecoveryPointsByBackupVault`, `GetBackupVaultAccessPolicy`, `PutBackupVaultLockConfiguration`; Developer Guide,
//! `vault-lock`).
//!
//! What plans will have backed up is no copy yet, so that plans are not read.

mod bodies;
mod holds;
mod restores;

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::iam::{Kind, Policy};
use deadstop_core::id::{NodeId, ProtectionId};
use deadstop_core::model::{Asset, Atom, Basis, Class, Copy, CopyKind, End, Lift, Protection, Side};
use serde_json::Value;

use super::{Desk, one_call};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::paged;
use crate::provider::aws::rights::{Opens, ResourcePolicy};
use bodies::{Point, Vault};
use holds::Hold;
use restores::Restore;

const LIST: &str = "backup:ListBackupVaults";
const POINTS: &str = "backup:ListRecoveryPointsByBackupVault";
const POLICY: &str = "backup:GetBackupVaultAccessPolicy";
const DELETE: &str = "backup:DeleteRecoveryPoint";
const LIFECYCLE: &str = "backup:UpdateRecoveryPointLifecycle";
const UNLOCK: &str = "backup:DeleteBackupVaultLockConfiguration";

/// Lists the vaults of the desk's Region and what they keep. A gap says that they may keep more.
pub(super) fn list_all(desk: &mut Desk<'_>) -> Result<(), Gap> {
    let list = |client: &Client<'_>| pages(client, "/backup-vaults/", "BackupVaultList", bodies::vault);
    let vaults = match desk.ask(LIST, None, list) {
        Ok(vaults) => vaults,
        Err(gap) => {
            desk.unlisted.push(gap.clone());
            return Err(gap);
        }
    };
    if vaults.is_empty() {
        return Ok(());
    }
    let around = Around { holds: holds::read(desk), restores: restores::read(desk) };
    let mut all = Ok(());
    for vault in &vaults {
        let path = format!("/backup-vaults/{}/recovery-points/", vault.name);
        let points = desk.ask(POINTS, Some(&vault.name), |c| pages(c, &path, "RecoveryPoints", bodies::point));
        one(desk, vault, &points, &around);
        if let Err(gap) = points {
            all = Err(gap);
        }
    }
    all
}

/// Every page of a listing. One item that cannot be understood spoils the whole: it may be the one that counts.
fn pages<T>(client: &Client<'_>, path: &str, name: &str, read: fn(&Value) -> Option<T>) -> Result<Vec<T>, Fault> {
    paged(name, "NextToken", read, |place| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("maxResults", "1000");
        query.extend_pairs(place.map(|place| ("nextToken", place)));
        client.get("backup", &format!("{path}?{}", query.finish()))
    })
}

/// What is known of recovery points beside their vaults.
struct Around {
    holds: Result<Vec<Hold>, Gap>,
    restores: Result<Vec<Restore>, Gap>,
}

fn one(desk: &mut Desk<'_>, vault: &Vault, points: &Result<Vec<Point>, Gap>, around: &Around) {
    let id = NodeId(vault.arn.clone());
    let policy = policy(desk, &vault.name);
    desk.holdings.policies.insert(id.clone(), policy);
    let source = desk.facts.source(LIST, &desk.scope());
    let behind: BTreeSet<NodeId> = points.iter().flatten().map(|point| NodeId(point.of.clone())).collect();
    desk.also(&id, "backup:DeleteBackupVault", &vault.arn);
    rights(desk, &id, points.as_deref().unwrap_or_default(), points.is_err());
    let gap = desk.facts.doubt(desk.account, "a vault belongs to the environments of what it keeps");
    desk.facts.assets.push(Asset {
        id: id.clone(),
        provider: "aws".to_owned(),
        kind: "vault".to_owned(),
        class: Class::Vault,
        name: format!("vault {}", vault.name),
        parent: Some(desk.parent.clone()),
        environment: Fact::Unknown(gap),
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Known(Listed::Complete),
        behind: behind.into_iter().collect(),
        holds: points.as_ref().ok().map(|points| format!("{} recovery points", points.len())),
        sources: vec![source],
    });
    desk.policy_calls(
        &id,
        &[("backup:PutBackupVaultAccessPolicy", Opens::Gives), ("backup:DeleteBackupVaultAccessPolicy", Opens::Frees)],
    );
    not_empty(desk, &id);
    locked(desk, vault, &id);
    for point in points.iter().flatten().filter(|point| point.whole) {
        copy(desk, point, vault, around);
    }
}

/// The rights to recovery points. Their ARNs are those of the services whose copies they are, so that each kind is asked
/// for; what may be done to one of them is taken for all of the vault.
fn rights(desk: &mut Desk<'_>, vault: &NodeId, points: &[Point], more: bool) {
    let until_name = |arn: &str| arn.rfind([':', '/']).and_then(|at| arn.get(..=at)).map(str::to_owned);
    let mut prefixes: BTreeSet<String> = points.iter().filter_map(|point| until_name(&point.arn)).collect();
    if more {
        // Whatever it keeps.
        prefixes.insert("arn:".to_owned());
    }
    for prefix in prefixes {
        for action in [DELETE, LIFECYCLE] {
            desk.also_below(vault, action, &prefix);
        }
    }
}

/// The vault's own policy, which may allow or refuse beside those of identities.
fn policy(desk: &mut Desk<'_>, name: &str) -> ResourcePolicy {
    let answer = desk.ask(POLICY, Some(name), |client| {
        match client.get("backup", &format!("/backup-vaults/{name}/access-policy")) {
            Err(fault) if fault.says(&["ResourceNotFoundException"]) => Ok(Value::Null),
            other => other,
        }
    });
    let Ok(answer) = answer else { return ResourcePolicy::NotKnown("vault's policy") };
    if answer.is_null() {
        return ResourcePolicy::None;
    }
    let document = answer.get("Policy").and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    let policy = document.and_then(|document: Value| Policy::new(&document, Kind::Resource).ok());
    policy.map_or(ResourcePolicy::NotKnown("vault's policy"), ResourcePolicy::Read)
}

/// "A vault can be deleted only if it is empty" (`DeleteBackupVault`).
fn not_empty(desk: &mut Desk<'_>, vault: &NodeId) {
    let source = desk.facts.source(LIST, &desk.scope());
    desk.facts.protections.push(Protection {
        id: ProtectionId(format!("{vault}#not-empty")),
        on: vault.clone(),
        side: Side::Protect,
        kind: "only an empty vault is deleted".to_owned(),
        covers: vec!["backup:DeleteBackupVault".to_owned()],
        enabled: Fact::Known(true),
        whole: Fact::Known(true),
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(vec![one_call(DELETE, vault, "delete what is in it first")]),
        basis: Basis::Inferred,
        because: "a vault with recovery points in it is not deleted".to_owned(),
        sources: vec![source],
    });
}

/// Vault Lock: it prevents that recovery points are deleted, or their lifecycle changed. Past its date nobody can undo it.
fn locked(desk: &mut Desk<'_>, vault: &Vault, id: &NodeId) {
    let hard = vault.locked == Some(true) && vault.date.is_some_and(|date| date <= desk.facts.at());
    let enabled = match vault.locked {
        Some(locked) => Fact::Known(locked),
        None => desk.unread("whether a vault is locked was not in the answer"),
    };
    let (kind, said) = match (vault.locked, vault.date) {
        (Some(true), Some(date)) if hard => {
            ("vault lock, compliance mode", format!("locked since {}, and nobody can undo it", date.day()))
        }
        (Some(true), Some(date)) => ("vault lock", format!("locked, which can be undone until {}", date.day())),
        (Some(true), None) => ("vault lock, governance mode", "locked, which can be undone".to_owned()),
        (Some(false), _) => ("vault lock", "not locked".to_owned()),
        (None, _) => ("vault lock", "whether it is locked was not read".to_owned()),
    };
    let mut lifts: Vec<Lift> = Vec::new();
    if !hard {
        desk.also(id, UNLOCK, id.as_str());
        lifts.push(one_call(UNLOCK, id, "undo the lock of the vault"));
    }
    let source = desk.facts.source(LIST, &desk.scope());
    desk.facts.protections.push(Protection {
        id: ProtectionId(format!("{id}#lock")),
        on: id.clone(),
        side: Side::Protect,
        kind: kind.to_owned(),
        covers: vec![DELETE.to_owned(), LIFECYCLE.to_owned()],
        enabled,
        whole: Fact::Known(true),
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(lifts),
        basis: Basis::Observed,
        because: said,
        sources: vec![source],
    });
}

/// A recovery point. Rights and locks are those of its vault; legal holds are its own.
fn copy(desk: &mut Desk<'_>, point: &Point, vault: &Vault, around: &Around) {
    let id = &NodeId(vault.arn.clone());
    let held = holds::on(desk, id, &point.arn, &around.holds);
    let past = |mut lift: Lift| {
        lift.needs.extend(held.iter().cloned().map(Atom::Lifted));
        lift
    };
    let drills = restores::of(desk, point, &around.restores);
    let source = desk.facts.source(POINTS, &format!("{}/{}", desk.scope(), vault.name));
    let lag = match point.at {
        Some(at) => Fact::Known(desk.facts.at().since(at)),
        None => desk.unread("a recovery point's time was not in the answer"),
    };
    let key = point.key.as_deref().map(|key| desk.key(key));
    if let Some(key) = &key {
        let behind = desk.keys.entry(key.clone()).or_default();
        if !behind.contains(id) {
            behind.push(id.clone());
        }
    }
    desk.facts.copies.push(Copy {
        id: NodeId(point.arn.clone()),
        of: NodeId(point.of.clone()),
        kind: CopyKind::Snapshot,
        name: format!("recovery point in {}", vault.name),
        place: Some(id.clone()),
        lag,
        ends: Fact::Known(point.ends.map_or(End::Never, End::At)),
        dies_with: Fact::Known(Vec::new()),
        destroyed_by: Fact::Known(vec![
            past(one_call(DELETE, id, "delete the recovery point")),
            past(one_call(LIFECYCLE, id, "let the recovery point expire")),
        ]),
        needs: key.map(NodeId).into_iter().collect(),
        drills,
        basis: Basis::Observed,
        because: format!("a recovery point in vault {}, kept when what it is of is deleted", vault.name),
        sources: vec![source],
    });
}
