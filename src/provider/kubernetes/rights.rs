//! What somebody may do in a cluster: asked of the cluster itself, one question for each call that could destroy something
//! or open a way to it.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/authorization/>, `rbac-good-practices`. The answer to a question
//! decides (SelfSubjectAccessReview); a list of rules is believed where it names something, and of what it does not name only
//! where it is complete.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Gap, GapReason};

use super::client::{About, Client, May};
use super::rules::{Rules, Said};
use crate::provider::facts::{Facts, Fault};

/// A call, as the server would be asked for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// What it amounts to: an action of the catalogue, or what steps call it.
    pub(super) action: &'static str,
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    /// Whether a complete list of rules is not enough.
    asked: bool,
}

const fn call(action: &'static str, verb: &'static str, group: &'static str, resource: &'static str) -> Call {
    Call { action, verb, group, resource, asked: true }
}

const fn also(action: &'static str, verb: &'static str, group: &'static str, resource: &'static str) -> Call {
    Call { action, verb, group, resource, asked: false }
}

pub(super) const DELETE_CLAIM: &str = "delete persistentvolumeclaims";
pub(super) const DELETE_NAMESPACE: &str = "delete namespaces";
pub(super) const DELETE_SET: &str = "delete statefulsets";
pub(super) const DELETE_VOLUME: &str = "delete persistentvolumes";
pub(super) const PATCH_VOLUME: &str = "patch persistentvolumes";
pub(super) const DELETE_KIND: &str = "delete customresourcedefinitions";
pub(super) const DELETE_SNAPSHOT: &str = "delete volumesnapshots";
pub(super) const DELETE_CONTENT: &str = "delete volumesnapshotcontents";
pub(super) const PATCH_CONTENT: &str = "patch volumesnapshotcontents";
pub(super) const EXEC: &str = "create pods/exec";
pub(super) const DEBUG: &str = "patch pods/ephemeralcontainers";
pub(super) const RUN: &str = "create pods";
pub(super) const SECRETS: &str = "get secrets";
pub(super) const TOKENS: &str = "create serviceaccounts/token";
pub(super) const IMPERSONATE: &str = "impersonate users";
pub(super) const ACCOUNTS: &str = "impersonate serviceaccounts";
pub(super) const GROUPS: &str = "impersonate groups";
pub(super) const BIND: &str = "bind roles";
pub(super) const ESCALATE: &str = "escalate roles";
pub(super) const WRITE_BINDINGS: &str = "create rolebindings";
pub(super) const WRITE_ROLES: &str = "patch roles";
pub(super) const BIND_ALL: &str = "bind clusterroles";
pub(super) const ESCALATE_ALL: &str = "escalate clusterroles";
pub(super) const WRITE_ALL_BINDINGS: &str = "create clusterrolebindings";
pub(super) const WRITE_ALL_ROLES: &str = "patch clusterroles";

const RBAC: &str = "rbac.authorization.k8s.io";
const SNAPSHOT: &str = "snapshot.storage.k8s.io";

/// What is asked in each namespace.
const IN_NAMESPACES: [Call; 49] = [
    call(DELETE_CLAIM, "delete", "", "persistentvolumeclaims"),
    call(DELETE_CLAIM, "deletecollection", "", "persistentvolumeclaims"),
    call(DELETE_NAMESPACE, "delete", "", "namespaces"),
    call(DELETE_SET, "delete", "apps", "statefulsets"),
    call(DELETE_SET, "deletecollection", "apps", "statefulsets"),
    // Before 1.35 a `get` was enough for it (kubernetes.io, RBAC good practices and the feature gate
    // AuthorizePodWebsocketUpgradeCreatePermission).
    call(EXEC, "create", "", "pods/exec"),
    call(EXEC, "get", "", "pods/exec"),
    // What a program makes of what it is told is not known.
    also(OTHER, "create", "", "pods/attach"),
    also(OTHER, "get", "", "pods/attach"),
    call(DEBUG, "patch", "", "pods/ephemeralcontainers"),
    call(DEBUG, "update", "", "pods/ephemeralcontainers"),
    // A pod may mount any claim of its namespace; so does whatever makes pods of a template.
    call(RUN, "create", "", "pods"),
    also(RUN, "patch", "", "pods"),
    also(RUN, "update", "", "pods"),
    also(RUN, "create", "", "replicationcontrollers"),
    also(RUN, "patch", "", "replicationcontrollers"),
    also(RUN, "update", "", "replicationcontrollers"),
    also(RUN, "create", "apps", "deployments"),
    also(RUN, "patch", "apps", "deployments"),
    also(RUN, "update", "apps", "deployments"),
    also(RUN, "create", "apps", "statefulsets"),
    also(RUN, "patch", "apps", "statefulsets"),
    also(RUN, "update", "apps", "statefulsets"),
    also(RUN, "create", "apps", "daemonsets"),
    also(RUN, "patch", "apps", "daemonsets"),
    also(RUN, "update", "apps", "daemonsets"),
    also(RUN, "create", "apps", "replicasets"),
    also(RUN, "patch", "apps", "replicasets"),
    also(RUN, "update", "apps", "replicasets"),
    also(RUN, "create", "batch", "jobs"),
    also(RUN, "create", "batch", "cronjobs"),
    also(RUN, "patch", "batch", "cronjobs"),
    also(RUN, "update", "batch", "cronjobs"),
    // Who lists or watches secrets is shown what is in them (RBAC good practices, "Listing secrets").
    call(SECRETS, "get", "", "secrets"),
    call(SECRETS, "list", "", "secrets"),
    call(SECRETS, "watch", "", "secrets"),
    call(TOKENS, "create", "", "serviceaccounts/token"),
    call(ACCOUNTS, "impersonate", "", "serviceaccounts"),
    call(BIND, "bind", RBAC, "clusterroles"),
    call(BIND, "bind", RBAC, "roles"),
    call(ESCALATE, "escalate", RBAC, "roles"),
    also(WRITE_BINDINGS, "create", RBAC, "rolebindings"),
    also(WRITE_BINDINGS, "patch", RBAC, "rolebindings"),
    also(WRITE_BINDINGS, "update", RBAC, "rolebindings"),
    also(WRITE_ROLES, "patch", RBAC, "roles"),
    also(WRITE_ROLES, "update", RBAC, "roles"),
    also(WRITE_ROLES, "create", RBAC, "roles"),
    also(DELETE_SNAPSHOT, "delete", SNAPSHOT, "volumesnapshots"),
    also(DELETE_SNAPSHOT, "deletecollection", SNAPSHOT, "volumesnapshots"),
];

/// What is asked of the cluster as a whole, which no rule of a namespace gives.
const IN_CLUSTER: [Call; 29] = [
    call(DELETE_VOLUME, "delete", "", "persistentvolumes"),
    call(DELETE_VOLUME, "deletecollection", "", "persistentvolumes"),
    call(PATCH_VOLUME, "patch", "", "persistentvolumes"),
    call(PATCH_VOLUME, "update", "", "persistentvolumes"),
    // A new volume may be one more name of the same disk, with a claim that is not there and the policy Delete.
    call(PATCH_VOLUME, "create", "", "persistentvolumes"),
    call(DELETE_KIND, "delete", "apiextensions.k8s.io", "customresourcedefinitions"),
    call(DELETE_KIND, "deletecollection", "apiextensions.k8s.io", "customresourcedefinitions"),
    call(DELETE_CONTENT, "delete", SNAPSHOT, "volumesnapshotcontents"),
    call(DELETE_CONTENT, "deletecollection", SNAPSHOT, "volumesnapshotcontents"),
    call(PATCH_CONTENT, "patch", SNAPSHOT, "volumesnapshotcontents"),
    call(PATCH_CONTENT, "update", SNAPSHOT, "volumesnapshotcontents"),
    call(PATCH_CONTENT, "create", SNAPSHOT, "volumesnapshotcontents"),
    // Whoever may speak to a node's kubelet runs commands in its pods (RBAC good practices, "nodes/proxy").
    call(EXEC, "create", "", "nodes/proxy"),
    call(EXEC, "get", "", "nodes/proxy"),
    call(IMPERSONATE, "impersonate", "", "users"),
    call(GROUPS, "impersonate", "", "groups"),
    call(BIND_ALL, "bind", RBAC, "clusterroles"),
    call(ESCALATE_ALL, "escalate", RBAC, "clusterroles"),
    call(WRITE_ALL_BINDINGS, "create", RBAC, "clusterrolebindings"),
    call(WRITE_ALL_BINDINGS, "patch", RBAC, "clusterrolebindings"),
    call(WRITE_ALL_BINDINGS, "update", RBAC, "clusterrolebindings"),
    call(WRITE_ALL_ROLES, "patch", RBAC, "clusterroles"),
    call(WRITE_ALL_ROLES, "update", RBAC, "clusterroles"),
    call(OTHER, "update", "certificates.k8s.io", "certificatesigningrequests/approval"),
    call(OTHER, "create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    call(OTHER, "patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    call(OTHER, "patch", "apiextensions.k8s.io", "customresourcedefinitions"),
    call(OTHER, "patch", "apiregistration.k8s.io", "apiservices"),
    call(OTHER, "impersonate", "authentication.k8s.io", "uids"),
];

/// What leads to whatever else the cluster knows, nobody can tell how far.
pub(super) const OTHER: &str = "act through another";

/// What an action may be done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Everything of the scope.
    All,
    /// Nothing but these names.
    Named(BTreeSet<String>),
    /// It is not known.
    Open(Gap),
}

/// What somebody may do in one scope, by action. What is not there may not be done.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights {
    pub(super) reach: BTreeMap<&'static str, Reach>,
    /// Why it may be allowed more than was asked.
    pub(super) more: Option<Gap>,
}

impl Rights {
    pub(super) fn all(&self, action: &str) -> bool {
        self.reach.get(action) == Some(&Reach::All)
    }

    fn add(&mut self, action: &'static str, said: Reach) {
        let known = self.reach.remove(action);
        let both = match (known, said) {
            (Some(Reach::All), _) | (_, Reach::All) => Reach::All,
            (Some(Reach::Open(gap)), _) | (_, Reach::Open(gap)) => Reach::Open(gap),
            (Some(Reach::Named(mut names)), Reach::Named(more)) => {
                names.extend(more);
                Reach::Named(names)
            }
            (None, Reach::Named(names)) => Reach::Named(names),
        };
        self.reach.insert(action, both);
    }

    fn take(&mut self, action: &'static str, names: BTreeSet<String>) {
        if !names.is_empty() {
            self.add(action, Reach::Named(names));
        }
    }
}

/// Whether somebody may do everything.
pub(super) fn everything(client: &Client<'_>) -> May {
    client.may(About { verb: "*", group: "*", resource: "*", namespace: "", name: "" })
}

/// The rules that hold for somebody in a namespace.
pub(super) fn rules_of(client: &Client<'_>, namespace: &str) -> Result<Rules, Fault> {
    client.rules(namespace).and_then(Rules::of)
}

/// What somebody may do in the cluster as a whole, and in all its namespaces. `rules` are those of one namespace, where
/// rules of the cluster are listed, too; `names` are those of volumes and of kinds.
pub(super) fn in_cluster(
    client: &Client<'_>,
    rules: Option<&Rules>,
    names: &dyn Fn(&str) -> Vec<String>,
    (who, facts): (&str, &mut Facts),
) -> Rights {
    let mut rights = Rights::default();
    let whole = rules.filter(|rules| rules.whole);
    for call in &IN_CLUSTER {
        ask(client, call, "", who, (&mut rights, facts));
        if rights.all(call.action) || ["create", "deletecollection"].contains(&call.verb) {
            continue;
        }
        // A rule may name what it holds for. Where not all are listed, each name that there is is asked.
        let listed = rules.map(|rules| rules.say(call.verb, call.group, call.resource));
        let mut named = match listed {
            Some(Said::Named(names)) => names,
            Some(Said::All) | None => BTreeSet::new(),
        };
        if whole.is_none() {
            named.extend(names(call.resource));
        }
        by_name(client, call, ("", &named), who, (&mut rights, facts));
    }
    for call in &IN_NAMESPACES {
        let listed = |rules: &Rules| rules.say(call.verb, call.group, call.resource) == Said::All;
        // What holds everywhere holds in that namespace, too.
        if !rights.all(call.action) && whole.is_none_or(listed) {
            ask(client, call, "", who, (&mut rights, facts));
        }
    }
    rights
}

/// What somebody may do in one namespace; `known` is what it may do everywhere, and `names` are those of what is in it.
pub(super) fn in_namespace(
    client: &Client<'_>,
    (namespace, known): (&str, &Rights),
    names: &dyn Fn(&str) -> Vec<String>,
    (who, facts): (&str, &mut Facts),
) -> Rights {
    let mut rights = Rights::default();
    let scope = format!("{who} in {namespace}");
    let rules = match rules_of(client, namespace) {
        Ok(rules) => Some(rules),
        Err(fault) => {
            rights.more = Some(facts.refused(super::RULES, &scope, &fault));
            None
        }
    };
    if let Some(rules) = &rules {
        if !rules.whole {
            rights.more = Some(facts.doubt(&scope, "the cluster does not list all the rules that hold there"));
        } else if rules.write_more() {
            let why = "it may write what programs of the cluster act on, and what these may do was not asked";
            rights.more = Some(facts.doubt(&scope, why));
        }
    }
    let whole = rules.as_ref().is_some_and(|rules| rules.whole);
    for call in &IN_NAMESPACES {
        if known.all(call.action) || rights.all(call.action) {
            continue;
        }
        let listed = rules.as_ref().map(|rules| rules.say(call.verb, call.group, call.resource));
        match listed {
            Some(Said::All) => rights.add(call.action, Reach::All),
            // The name of a namespace is the whole of it.
            Some(Said::Named(names)) if call.action == DELETE_NAMESPACE && names.contains(namespace) => {
                rights.add(call.action, Reach::All);
            }
            Some(Said::Named(names)) if call.action != DELETE_NAMESPACE && called_by_name(call) => {
                rights.take(call.action, names);
            }
            Some(Said::Named(_)) | None => {}
        }
        if !rights.all(call.action) && (call.asked || !whole) {
            ask(client, call, namespace, &scope, (&mut rights, facts));
        }
        if !rights.all(call.action) && !whole && called_by_name(call) && call.asked {
            let named = names(call.resource).into_iter().collect();
            by_name(client, call, (namespace, &named), &scope, (&mut rights, facts));
        }
    }
    rights
}

/// Nothing is called by name where it is made, or where all are meant.
fn called_by_name(call: &Call) -> bool {
    call.verb != "deletecollection" && (call.verb != "create" || call.resource.contains('/'))
}

fn ask(client: &Client<'_>, call: &Call, namespace: &str, scope: &str, (rights, facts): (&mut Rights, &mut Facts)) {
    if rights.all(call.action) {
        return;
    }
    let name = if call.action == DELETE_NAMESPACE { namespace } else { "" };
    let about = About { verb: call.verb, group: call.group, resource: call.resource, namespace, name };
    match client.may(about) {
        May::Yes => rights.add(call.action, Reach::All),
        May::No => {}
        May::Open(fault) => {
            let gap = facts.refused(super::MAY, &format!("{scope}: {} {}", call.verb, call.resource), &fault);
            rights.add(call.action, Reach::Open(gap));
        }
    }
}

/// How many names are asked one by one.
const NAMES: usize = 100;

/// Whether some of these may be done to.
fn by_name(
    client: &Client<'_>,
    call: &Call,
    (namespace, names): (&str, &BTreeSet<String>),
    who: &str,
    (rights, facts): (&mut Rights, &mut Facts),
) {
    if names.len() > NAMES {
        let gap = facts.refused(
            super::MAY,
            &format!("{who}: {} {}", call.verb, call.resource),
            &Fault::of(GapReason::TooLarge),
        );
        rights.add(call.action, Reach::Open(gap));
        return;
    }
    for name in names {
        match client.may(About { verb: call.verb, group: call.group, resource: call.resource, namespace, name }) {
            May::Yes => rights.take(call.action, BTreeSet::from([name.clone()])),
            May::No => {}
            May::Open(fault) => {
                let scope = format!("{who}: {} {} {name}", call.verb, call.resource);
                let gap = facts.refused(super::MAY, &scope, &fault);
                rights.add(call.action, Reach::Open(gap));
                return;
            }
        }
    }
}
