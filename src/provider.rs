//! What providers say of the credentials that were found: who each is, what it may destroy, and what guards that (floor 5).
//!
//! Asked only with `--live`, by read operations alone ([`crate::readonly`]), in the name of the credential itself.

pub mod aws;
mod facts;

use std::collections::BTreeMap;

use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::{CredentialId, NodeId, PrincipalId};
use deadstop_core::model::Status;

use facts::Facts;

/// What was learnt of credentials and of what lies behind them.
#[derive(Debug)]
pub struct Learnt {
    /// Of each credential that was asked about: who it is, and whether it works.
    pub(crate) identities: BTreeMap<CredentialId, (Fact<PrincipalId>, Fact<Status>)>,
    /// The parts of the tree that are described now.
    pub(crate) described: Vec<NodeId>,
    pub(crate) facts: Facts,
}

/// Puts what was learnt in the place of what was not known.
pub fn join(bundle: &mut Bundle, learnt: Learnt) {
    let Learnt { identities, described, facts } = learnt;
    for credential in &mut bundle.credentials.items {
        if let Some((identity, status)) = identities.get(&credential.id) {
            credential.identity = identity.clone();
            // A login that renews it lies beside it: it works, whatever the provider says of what has expired.
            if credential.status.known() != Some(&Status::Live) {
                credential.status = status.clone();
            }
        }
    }
    bundle.assets.items.retain(|asset| !described.contains(&asset.id));
    let read: Vec<&PrincipalId> = facts.principals.iter().map(|principal| &principal.id).collect();
    bundle.principals.items.retain(|principal| !read.contains(&&principal.id));
    bundle.sources.extend(facts.sources.into_values());
    bundle.principals.items.extend(facts.principals);
    bundle.grants.items.extend(facts.grants);
    bundle.steps.items.extend(facts.steps);
    bundle.assets.items.extend(facts.assets);
    bundle.protections.items.extend(facts.protections);
    bundle.recovery_points.items.extend(facts.copies);
    // What was missing because nobody had asked is there, once every credential of it is known.
    let mut open: Vec<Gap> = bundle.credentials.items.iter().filter_map(|one| one.identity.gap().cloned()).collect();
    open.sort();
    open.dedup();
    bundle.principals.gaps.clone_from(&open);
    bundle.grants.gaps = open;
    bundle.grants.items.sort();
    bundle.grants.items.dedup();
}
