//! What lies in a cluster as facts: claims with their volumes, volumes that nobody claims, and what they lie in.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::NodeId;
use deadstop_core::model::Class;

use super::objects::{Claim, Meta, Owner, Volume, is_name};
use super::owners::{self, Kind};
use super::{CLAIMS, NAMESPACES, Seen, Server, VALIDATING, VOLUMES, copies, name_of, rights};
use crate::provider::facts::Facts;
use crate::provider::platform::{self, Container, Guard, can, listed};

/// Labels that say which environment something is of.
const LABELS: [&str; 3] = ["environment", "env", "app.kubernetes.io/environment"];

impl Seen {
    /// What owns claims, by its node. Whoever deletes it has them collected.
    pub(super) fn owners(&self) -> BTreeMap<NodeId, Option<&'static Kind>> {
        let mut all = BTreeMap::new();
        for ((namespace, _), claim) in &self.claims.items {
            if let Some(owner) = owner_of(claim) {
                all.insert(self.owner(namespace, owner), owners::kind_of(owner));
            }
        }
        all
    }

    /// The node of an owner.
    fn owner(&self, namespace: &str, owner: &Owner) -> NodeId {
        let class = owners::kind_of(owner).map_or(owners::OTHER, |kind| kind.class);
        NodeId(format!("{}/{class}/{}", self.namespace(namespace), owner.name))
    }
}

/// What a claim goes with. One of several is enough for it to stay, so that only a single owner takes it along; the node of
/// the first stands for all of them.
fn owner_of(claim: &Claim) -> Option<&Owner> {
    claim.metadata.owner_references.iter().flatten().find(|owner| is_name(&owner.name))
}

/// The names of what is called so in a namespace.
pub(super) fn names(seen: &Seen, namespace: &str, resource: &str) -> Vec<String> {
    if resource != "persistentvolumeclaims" {
        return Vec::new();
    }
    let of = |(within, name): &(String, String)| (within == namespace).then(|| name.clone());
    seen.claims.items.keys().filter_map(of).collect()
}

/// States what was seen.
pub(super) fn describe(seen: &Seen, server: &Server<'_>, facts: &mut Facts) {
    let title = format!("cluster {}", server.place);
    let scope = seen.node.to_string();
    let gap = seen.namespaces.gap.clone().or_else(|| seen.volumes.gap.clone());
    let environment = Fact::Known(String::new());
    let contents = listed(gap);
    let cluster =
        Container { kind: "cluster", name: &title, contents, environment, ..Container::of(seen.node.clone()) };
    facts.container(cluster, (NAMESPACES, &scope));
    for namespace in &seen.known {
        let node = seen.namespace(namespace);
        let title = format!("namespace {namespace}");
        let environment = of_namespace(seen, namespace);
        let contents = listed(seen.claims.gap_in(namespace));
        facts.container(
            Container {
                kind: "namespace",
                name: &title,
                parent: Some(&seen.node),
                environment,
                contents,
                ..Container::of(node)
            },
            (NAMESPACES, namespace),
        );
    }
    for (node, kind) in seen.owners() {
        let Some((namespace, name)) = owner_name(seen, &node) else { continue };
        let parent = seen.namespace(&namespace);
        let class = kind.map_or(owners::OTHER, |kind| kind.class);
        let contents = listed(seen.claims.gap_in(&namespace));
        let title = format!("{namespace}/{name}");
        let container = Container {
            kind: class,
            name: &title,
            parent: Some(&parent),
            environment: Fact::Known(String::new()),
            contents,
            ..Container::of(node)
        };
        facts.container(container, (CLAIMS, &namespace));
    }
    for ((namespace, name), claim) in &seen.claims.items {
        claim_of(seen, (namespace, name), claim, facts);
    }
    for ((_, name), volume) in &seen.volumes.items {
        if seen.claimant(name).is_none() {
            volume_of(seen, name, volume, facts);
        }
    }
}

/// The namespace and the name that a node of an owner is made of.
pub(super) fn owner_name(seen: &Seen, node: &NodeId) -> Option<(String, String)> {
    let rest = node.as_str().strip_prefix(&format!("{}/namespace/", seen.node))?;
    let mut parts = rest.split('/');
    let (namespace, _, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((namespace.to_owned(), name.to_owned()))
}

fn labelled(meta: &Meta) -> Option<String> {
    let labels = meta.labels.as_ref()?;
    LABELS.iter().find_map(|label| labels.get(*label)).map(|value| name_of(value)).filter(|value| !value.is_empty())
}

/// The environment of a namespace: what its labels say, else its name.
fn of_namespace(seen: &Seen, namespace: &str) -> Fact<String> {
    match (seen.namespaces.items.get(&(String::new(), namespace.to_owned())), &seen.namespaces.gap) {
        (Some(object), _) => Fact::Known(labelled(&object.metadata).unwrap_or_else(|| by_name(namespace))),
        (None, Some(gap)) => Fact::Unknown(gap.clone()),
        (None, None) => Fact::Known(by_name(namespace)),
    }
}

fn by_name(namespace: &str) -> String {
    if namespace == "default" { String::new() } else { namespace.to_owned() }
}

fn claim_of(seen: &Seen, (namespace, name): (&str, &str), claim: &Claim, facts: &mut Facts) {
    let node = seen.claim(namespace, name);
    let parent = owner_of(claim).map_or_else(|| seen.namespace(namespace), |owner| seen.owner(namespace, owner));
    let scope = format!("{namespace}/{name}");
    let size = claim.spec.resources.as_ref().and_then(|all| all.requests.as_ref()?.get("storage"));
    let class = claim.spec.storage_class_name.as_ref().map(|class| format!("class {}", name_of(class)));
    let holds: Vec<String> = size.map(|size| name_of(size)).into_iter().chain(class).collect();
    let copies = seen.copies.of(namespace);
    let environment = labelled(&claim.metadata).map_or(Fact::Known(String::new()), Fact::Known);
    volume(seen, (&node, "pvc", &scope), (&parent, environment, copies, holds), (facts, CLAIMS));
    retained(seen, &node, claim.spec.volume_name.as_deref(), facts);
    copies::describe(seen, (namespace, name), facts);
}

fn volume_of(seen: &Seen, name: &str, one: &Volume, facts: &mut Facts) {
    let node = seen.volume(name);
    let copies = Fact::Unknown(facts.doubt(name, "snapshots and backups were not read"));
    // Whose it was says which environment it is of.
    let was = one.spec.claim_ref.as_ref().and_then(|claim| claim.namespace.as_deref()).filter(|was| is_name(was));
    let environment = labelled(&one.metadata).or_else(|| was.map(by_name)).unwrap_or_default();
    let class = one.spec.storage_class_name.as_ref().map(|class| format!("class {}", name_of(class)));
    let holds = class.into_iter().chain(["no claim".to_owned()]).collect();
    let parent = (&seen.node, Fact::Known(environment), copies, holds);
    volume(seen, (&node, "pv", name), parent, (facts, VOLUMES));
    retained(seen, &node, Some(name), facts);
}

type Where<'a> = (&'a NodeId, Fact<String>, Fact<deadstop_core::fact::Listed>, Vec<String>);

fn volume(
    seen: &Seen,
    (node, kind, name): (&NodeId, &str, &str),
    (parent, environment, copies, holds): Where<'_>,
    (facts, operation): (&mut Facts, &str),
) {
    facts.seen(
        platform::Seen {
            id: node.clone(),
            kind,
            class: Class::Volume,
            name: name.to_owned(),
            parent: Some(parent),
            environment,
            contents: None,
            copies,
            holds: (!holds.is_empty()).then(|| holds.join(", ")),
        },
        (operation, name),
    );
    if let (Some(gap), Some(asset)) = (&seen.admission.gap, facts.assets.last_mut()) {
        asset.protections = Fact::Unknown(gap.clone());
    }
    for (by, actions) in &seen.admission.by {
        let covers: Vec<&str> = actions.iter().copied().collect();
        let kind = format!("admission {by}");
        let gap = facts.doubt(by, "what it decides is in no answer");
        facts.guarded(
            Guard {
                on: node,
                kind: &kind,
                covers: &covers,
                enabled: Fact::Unknown(gap),
                holds_parent: true,
                lifts: Fact::Known(Vec::new()),
                because: "the cluster asks it about such calls; what it decides is not known",
            },
            (VALIDATING, by),
        );
    }
}

/// Whether the disk is kept when the claim or the volume is deleted: then its data is there, and only the object is gone
/// (`persistent-volumes`, reclaim policy Retain). It can be changed at any time.
fn retained(seen: &Seen, node: &NodeId, volume: Option<&str>, facts: &mut Facts) {
    let known = volume.and_then(|name| seen.volumes.items.get(&(String::new(), name.to_owned())));
    let policy = known.and_then(|volume| volume.spec.persistent_volume_reclaim_policy.as_deref());
    let enabled: Fact<bool> = match (policy, known, volume) {
        (Some(policy), ..) => Fact::Known(policy == "Retain"),
        // A claim that nothing is bound to keeps nothing.
        (None, None, None) => Fact::Known(false),
        (None, ..) => Fact::Unknown(unread(seen, node, facts)),
    };
    let mut covers = vec![rights::DELETE_CLAIM, rights::DELETE_NAMESPACE, rights::DELETE_VOLUME, owners::DELETE_OTHER];
    covers.extend(owners::KINDS.iter().map(|kind| kind.action));
    let because = match &enabled {
        Fact::Known(true) => "its reclaim policy is Retain: the disk stays",
        Fact::Known(false) => "its reclaim policy deletes the disk with it",
        Fact::Unknown(_) => "its reclaim policy was not read",
    };
    facts.guarded(
        Guard {
            on: node,
            kind: "reclaim policy Retain",
            covers: &covers,
            enabled,
            holds_parent: true,
            lifts: Fact::Known(vec![can(rights::PATCH_VOLUME, node, "set the reclaim policy to Delete")]),
            because,
        },
        (VOLUMES, node.as_str()),
    );
}

fn unread(seen: &Seen, node: &NodeId, facts: &mut Facts) -> Gap {
    let why = "its volume is not in the list of volumes";
    seen.volumes.gap.clone().unwrap_or_else(|| facts.doubt(node.as_str(), why))
}
