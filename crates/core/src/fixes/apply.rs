//! What a change does to the facts (floor 2).

use std::collections::BTreeSet;

use crate::bundle::Bundle;
use crate::fact::{Fact, Listed};
use crate::id::{CredentialId, NodeId, PrincipalId, SessionId, WayId};
use crate::model::{Atom, Basis, Copy, CopyKind, Decision, Drill, End, Grant, Protection, Side, Status, Way};
use crate::pattern;
use crate::time::{Span, Time};

/// One change to the world, as the facts would show it.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// The provider no longer accepts the credential.
    Revoke(CredentialId),
    /// The identity loses the right to some actions, wherever it had it.
    Deny { principal: PrincipalId, denied: BTreeSet<String>, kept: BTreeSet<String> },
    /// Every way of the session asks a person, by a rule that the session cannot change.
    Gate(SessionId),
    /// One way asks a person, by a rule that nothing in reach can change.
    Approve(WayId),
    /// The asset refuses some actions, and nothing in reach may switch that off.
    Protect { asset: NodeId, actions: BTreeSet<String>, kind: String },
    /// A copy of the asset where nothing in reach can touch it.
    CopyOut { asset: NodeId, lag: Span },
    /// A restore of a copy was tried and worked.
    Drill { asset: NodeId, copy: NodeId, at: Time },
}

impl Change {
    pub(super) fn apply(&self, bundle: &mut Bundle) {
        match self {
            Self::Revoke(id) => {
                for credential in bundle.credentials.items.iter_mut().filter(|c| c.id == *id) {
                    credential.status = Fact::Known(Status::Revoked);
                    credential.locations.clear();
                }
            }
            Self::Deny { principal, denied, kept } => deny(bundle, principal, denied, kept),
            Self::Gate(session) => {
                for held in bundle.sessions.items.iter_mut().filter(|s| s.id == *session) {
                    held.ways = Fact::Known(Listed::Complete);
                }
                bundle.ways.items.iter_mut().filter(|way| way.session.as_ref() == Some(session)).for_each(ask);
            }
            Self::Approve(way) => bundle.ways.items.iter_mut().filter(|held| held.id == *way).for_each(ask),
            Self::Protect { asset, actions, kind } => protect(bundle, asset, actions, kind),
            Self::CopyOut { asset, lag } => bundle.recovery_points.items.push(copy_out(asset, *lag)),
            Self::Drill { asset, copy, at } => bundle.drills.items.push(Drill {
                asset: asset.clone(),
                copy: copy.clone(),
                tested_at: *at,
                took: Fact::Known(Span(0)),
                worked: true,
                by: None,
                evidence: None,
                basis: Basis::Observed,
            }),
        }
    }
}

fn ask(way: &mut Way) {
    if way.decision != Fact::Known(Decision::Deny) {
        way.decision = Fact::Known(Decision::Ask);
    }
    way.managed = true;
    way.overrides.clear();
    way.because = "a person is asked, by a rule that the session cannot change".to_owned();
}

/// Takes actions out of every grant of an identity. What is left is spelled out, so that no pattern covers them.
fn deny(bundle: &mut Bundle, principal: &PrincipalId, denied: &BTreeSet<String>, kept: &BTreeSet<String>) {
    let mut more = Vec::new();
    for held in bundle.principals.items.iter_mut().filter(|p| p.id == *principal) {
        if let Fact::Unknown(gap) = &held.grants
            && !kept.is_empty()
        {
            more.push(Grant {
                principal: principal.clone(),
                actions: kept.iter().cloned().collect(),
                target: "*".into(),
                allowed: Fact::Unknown(gap.clone()),
                basis: Basis::None,
                because: "its other rights are not known".to_owned(),
                sources: Vec::new(),
            });
        }
        held.grants = Fact::Known(Listed::Complete);
    }
    for grant in bundle.grants.items.iter_mut().filter(|grant| grant.principal == *principal) {
        let covered = |action: &&String| pattern::any(&grant.actions, action);
        grant.actions = kept.iter().filter(covered).cloned().collect();
    }
    bundle.grants.items.retain(|grant| grant.principal != *principal || !grant.actions.is_empty());
    bundle.grants.items.extend(more);
    let gives = |atom: &Atom| match atom {
        Atom::Right { principal: of, action, .. } => {
            of == principal && denied.iter().any(|denied| pattern::matches(action, denied))
        }
        Atom::Credential(_)
        | Atom::Principal(_)
        | Atom::Way(_)
        | Atom::Lifted(_)
        | Atom::Can { .. }
        | Atom::Destroyed(_) => false,
    };
    for step in bundle.steps.items.iter_mut().filter(|step| step.gains.iter().any(gives)) {
        step.possible = Fact::Known(false);
    }
}

fn protect(bundle: &mut Bundle, asset: &NodeId, actions: &BTreeSet<String>, kind: &str) {
    for held in bundle.protections.items.iter_mut().filter(|p| p.on == *asset && p.side == Side::Protect) {
        held.enabled = Fact::Known(true);
        held.whole = Fact::Known(true);
        held.lifts = Fact::Known(Vec::new());
        held.only_ways.clear();
        if held.basis == Basis::Declared {
            held.basis = Basis::Observed;
        }
    }
    bundle.protections.items.push(Protection {
        id: format!("fix:protect:{asset}").into(),
        on: asset.clone(),
        side: Side::Protect,
        kind: kind.to_owned(),
        covers: actions.iter().cloned().collect(),
        enabled: Fact::Known(true),
        whole: Fact::Known(true),
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(Vec::new()),
        basis: Basis::Observed,
        because: format!("{kind} is on, and nothing in reach may switch it off"),
        sources: Vec::new(),
    });
}

fn copy_out(asset: &NodeId, lag: Span) -> Copy {
    Copy {
        id: format!("fix:copy:{asset}").into(),
        of: asset.clone(),
        kind: CopyKind::Snapshot,
        name: "a copy out of reach".to_owned(),
        place: None,
        lag: Fact::Known(lag),
        ends: Fact::Known(End::Never),
        dies_with: Fact::Known(Vec::new()),
        destroyed_by: Fact::Known(Vec::new()),
        needs: Vec::new(),
        drills: Fact::Known(Listed::Complete),
        basis: Basis::Observed,
        because: "in an account that nothing in reach can become".to_owned(),
        sources: Vec::new(),
    }
}

/// The id that a copy out of reach gets.
pub(super) fn copy_out_id(asset: &NodeId) -> NodeId {
    format!("fix:copy:{asset}").into()
}
