//! Rights of a cluster as facts, and what they lead to: other identities, rights that one gives oneself.
//!
//! <https://kubernetes.io/docs/concepts/security/rbac-good-practices/>, "privilege escalation risks".

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::{NodeId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Basis, Step};

use super::rights::{self, Reach, Rights};
use super::{MAY, RULES, Seen, owners};
use crate::provider::facts::Facts;
use crate::provider::platform::{May, anything};

/// Whoever else a cluster knows.
pub(super) fn others_at(cluster: &NodeId) -> PrincipalId {
    PrincipalId(format!("{cluster}#others"))
}

/// What leads to another identity of the cluster, and whether it changes anything.
const TO_OTHERS: [(&str, bool, &str); 9] = [
    (rights::RUN, true, "start a pod as another service account of the namespace"),
    (rights::EXEC, false, "read the token of a pod's service account in it"),
    (rights::DEBUG, true, "put a container beside those of a pod, which has its token"),
    (rights::TOKENS, false, "have a token made of a service account"),
    (rights::ACCOUNTS, false, "act as a service account"),
    (rights::IMPERSONATE, false, "act as another user"),
    (rights::GROUPS, false, "act as a member of another group"),
    (rights::OTHER, true, "have the cluster take it for another, or do its work"),
    (rights::SECRETS, false, "read a token or a key of another from a secret"),
];

/// What rights lead to, whoever has them.
pub(super) fn of(seen: &Seen, facts: &mut Facts) {
    let who = others_at(&seen.node);
    let scope = seen.node.to_string();
    let asked = (MAY, scope.as_str());
    facts.principal(&who, "another identity of the cluster", None, asked);
    let gap = facts.doubt(&scope, "a cluster tells nobody but an identity itself what it may do");
    facts.grant(Some(&who), anything(), seen.node.clone(), &May::NotKnown(gap), asked);
    let unread = facts.doubt(&scope, "secrets are not read, so that it is not known what is in them");
    let mut nodes: Vec<NodeId> = seen.known.iter().map(|namespace| seen.namespace(namespace)).collect();
    nodes.push(seen.node.clone());
    for node in nodes {
        for (action, changes, because) in TO_OTHERS {
            let possible = if action == rights::SECRETS { Fact::Unknown(unread.clone()) } else { Fact::Known(true) };
            let gains = vec![Atom::Principal(who.clone())];
            step(facts, (&node, action), (vec![can(action, &node)], gains), (changes, possible, because));
        }
    }
    // A volume that is free is bound to the next claim that fits, by whoever makes one.
    let free: Vec<Atom> = seen.free().into_iter().map(Atom::Destroyed).collect();
    for namespace in seen.known.iter().filter(|_| !free.is_empty()) {
        let node = seen.namespace(namespace);
        for action in [rights::DELETE_CLAIM, rights::RUN] {
            let possible = facts.doubt(&scope, "whether somebody may claim a volume that is free was not asked");
            let because = "claim a volume that is free, and destroy it as a claim of its own";
            let name = format!("free volumes: {action}");
            step(
                facts,
                (&node, &name),
                (vec![can(action, &node)], free.clone()),
                (true, Fact::Unknown(possible), because),
            );
        }
    }
    // Whoever deletes a kind has every object of it deleted (Custom Resources, "Delete a CustomResourceDefinition").
    for (owner, kind) in seen.owners() {
        let Some(kind) = kind.filter(|kind| kind.group.contains('.')) else { continue };
        let gains = vec![can(kind.action, &owner)];
        let needs = vec![can(rights::DELETE_KIND, &seen.node)];
        let because = "delete the kind of a database operator, and with it every object of that kind";
        step(facts, (&owner, "kind"), (needs, gains), (true, Fact::Known(true), because));
    }
}

fn can(action: &str, target: &NodeId) -> Atom {
    Atom::Can { action: action.to_owned(), target: target.clone() }
}

fn step(
    facts: &mut Facts,
    (node, name): (&NodeId, &str),
    (needs, gains): (Vec<Atom>, Vec<Atom>),
    (changes, possible, because): (bool, Fact<bool>, &str),
) {
    let source = facts.source(MAY, node.as_str());
    facts.steps.push(Step {
        id: StepId(format!("{node}#{}", name.replace(' ', "-"))),
        session: None,
        needs,
        gains,
        changes,
        possible,
        because: because.to_owned(),
        sources: vec![source],
    });
}

/// Nothing is needed to act as whoever has no credential.
pub(super) fn for_anybody(node: &NodeId, who: PrincipalId, facts: &mut Facts) {
    let because = "call the cluster without a credential";
    step(facts, (node, "anybody"), (Vec::new(), vec![Atom::Principal(who)]), (false, Fact::Known(true), because));
}

/// Rights that somebody may give to himself; `known` is what he may do everywhere.
pub(super) fn own(
    (rights, known): (&Rights, &Rights),
    who: &PrincipalId,
    namespace: Option<&str>,
    seen: &Seen,
    facts: &mut Facts,
) {
    let node = namespace.map_or_else(|| seen.node.clone(), |namespace| seen.namespace(namespace));
    let pairs = [
        (rights::BIND_ALL, rights::WRITE_ALL_BINDINGS, true, "bind itself to a role that may do everything"),
        (rights::ESCALATE_ALL, rights::WRITE_ALL_ROLES, true, "write more rights into a role that everybody has"),
        (rights::IMPERSONATE, rights::GROUPS, false, "act as a member of system:masters"),
        (rights::BIND, rights::WRITE_BINDINGS, true, "bind itself to a role that may do everything there"),
        (rights::ESCALATE, rights::WRITE_ROLES, true, "write more rights into a role of its own"),
    ];
    for (one, other, changes, because) in pairs {
        // One of the two may hold everywhere, and the other here alone.
        let here = [one, other].iter().any(|action| rights.reach.contains_key(action));
        let has = |action: &str| rights.reach.contains_key(action) || known.reach.contains_key(action);
        if !(here && has(one) && has(other)) {
            continue;
        }
        let possible = if one == rights::ESCALATE {
            Fact::Unknown(facts.doubt(node.as_str(), "whether a role of a namespace is one of its own was not asked"))
        } else {
            Fact::Known(true)
        };
        let gains = vec![Atom::Right { principal: who.clone(), action: "*".to_owned(), target: node.clone() }];
        let needs = vec![Atom::Principal(who.clone()), can(one, &node), can(other, &node)];
        step(facts, (&node, &format!("{who} {one}")), (needs, gains), (changes, possible, because));
    }
}

/// States what somebody may do.
pub(super) fn grant(
    rights: &Rights,
    (who, name): (&PrincipalId, &str),
    namespace: Option<&str>,
    seen: &Seen,
    facts: &mut Facts,
) {
    let node = namespace.map_or_else(|| seen.node.clone(), |namespace| seen.namespace(namespace));
    let scope = namespace.map_or_else(|| name.to_owned(), |namespace| format!("{name} in {namespace}"));
    let asked = (MAY, scope.as_str());
    if let Some(gap) = &rights.more {
        facts.grant(Some(who), anything(), node.clone(), &May::NotKnown(gap.clone()), (RULES, &scope));
    }
    for (action, reach) in &rights.reach {
        let one = || vec![(*action).to_owned()];
        match reach {
            Reach::All => {
                let because = "the cluster says that it may";
                facts.granted(who, one(), node.clone(), (Basis::Simulated, because), asked);
            }
            Reach::Open(gap) => facts.grant(Some(who), one(), node.clone(), &May::NotKnown(gap.clone()), asked),
            Reach::Named(names) => by_name(action, names, (who, &node, namespace), seen, (facts, asked)),
        }
    }
}

/// States what somebody may do to what is called so, and to nothing else.
fn by_name(
    action: &str,
    names: &BTreeSet<String>,
    (who, node, namespace): (&PrincipalId, &NodeId, Option<&str>),
    seen: &Seen,
    (facts, asked): (&mut Facts, (&str, &str)),
) {
    let because = "the cluster lists a rule that names it";
    let give = |facts: &mut Facts, action: &str, target: NodeId| {
        facts.granted(who, vec![action.to_owned()], target, (Basis::Observed, because), asked);
    };
    let unlisted = |gap: Option<Gap>, facts: &mut Facts, around: &NodeId| {
        let Some(gap) = gap else { return };
        let rest = NodeId(format!("{around}/?"));
        facts.grant(Some(who), vec![action.to_owned()], rest, &May::NotKnown(gap), asked);
    };
    match (action, namespace) {
        (rights::DELETE_CLAIM, Some(namespace)) => {
            for name in names {
                if seen.claims.items.contains_key(&(namespace.to_owned(), name.clone())) {
                    give(facts, action, seen.claim(namespace, name));
                } else {
                    unlisted(seen.claims.gap_in(namespace), facts, node);
                }
            }
        }
        (rights::DELETE_SET, Some(_)) => {
            let sets = names.iter().map(|name| NodeId(format!("{node}/statefulset/{name}")));
            let known: BTreeSet<NodeId> = seen.owners().into_keys().collect();
            for set in sets.filter(|set| known.contains(set)) {
                give(facts, action, set);
            }
        }
        (rights::PATCH_VOLUME | rights::DELETE_VOLUME, _) => {
            for name in names {
                match seen.claimant(name) {
                    Some((namespace, claim)) => give(facts, action, seen.claim(namespace, claim)),
                    None if seen.volumes.items.contains_key(&(String::new(), name.clone())) => {
                        give(facts, action, seen.volume(name));
                    }
                    None => unlisted(seen.volumes.gap.clone(), facts, &seen.node),
                }
            }
        }
        (rights::DELETE_KIND, _) => {
            for (owner, kind) in seen.owners() {
                let Some(kind) = kind else { continue };
                if names.contains(&format!("{}.{}", kind.plural, kind.group)) {
                    give(facts, kind.action, owner);
                }
            }
            if names.iter().any(|name| name.ends_with(".snapshot.storage.k8s.io")) {
                let gap = facts.doubt(asked.1, "it may delete the kind of snapshots, and no other kind");
                facts.grant(Some(who), vec![action.to_owned()], node.clone(), &May::NotKnown(gap), asked);
            }
        }
        (rights::GROUPS, _) if !names.contains("system:masters") => give(facts, rights::OTHER, node.clone()),
        (
            rights::SECRETS
            | rights::TOKENS
            | rights::ACCOUNTS
            | rights::IMPERSONATE
            | rights::OTHER
            | rights::GROUPS
            | owners::DELETE_OTHER,
            _,
        ) => give(facts, action, node.clone()),
        _ => {
            let gap = facts.doubt(asked.1, "what a rule of names leads to was not followed");
            facts.grant(Some(who), vec![action.to_owned()], node.clone(), &May::NotKnown(gap), asked);
        }
    }
}
