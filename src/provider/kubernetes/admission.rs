//! What may refuse a call after it was allowed: webhooks and policies. What they decide is not known.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/>,
//! `validating-admission-policy`.

use std::collections::BTreeSet;

use deadstop_core::fact::Gap;
use serde::Deserialize;

use super::client::Client;
use super::objects::{self, Listed, Meta, Object};
use super::{BINDINGS, MUTATING, POLICIES, VALIDATING, owners, rights};
use crate::provider::facts::Facts;

/// A configuration of webhooks.
#[derive(Clone, Debug, Deserialize)]
struct Hooks {
    metadata: Meta,
    #[serde(default)]
    webhooks: Option<Vec<Hook>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Hook {
    #[serde(default)]
    rules: Option<Vec<Match>>,
}

/// What a webhook or a policy is asked about.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    #[serde(default)]
    operations: Option<Vec<String>>,
    #[serde(default)]
    api_groups: Option<Vec<String>>,
    #[serde(default)]
    resources: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Policy {
    metadata: Meta,
    spec: PolicySpec,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicySpec {
    #[serde(default)]
    match_constraints: Option<Constraints>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Constraints {
    #[serde(default)]
    resource_rules: Option<Vec<Match>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Binding {
    metadata: Meta,
    spec: BindingSpec,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BindingSpec {
    #[serde(default)]
    policy_name: Option<String>,
}

objects::objects!(Hooks, Policy, Binding);

/// What may refuse.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    /// Names, each with the actions that it is asked about.
    pub(super) by: Vec<(String, BTreeSet<&'static str>)>,
    /// Why not everything that may refuse was seen.
    pub(super) gap: Option<Gap>,
}

/// The calls by which data is lost, as admission sees them: action, operation, group, resource.
const CALLS: [(&str, &str, &str, &str); 8] = [
    (rights::DELETE_CLAIM, "DELETE", "", "persistentvolumeclaims"),
    (rights::DELETE_NAMESPACE, "DELETE", "", "namespaces"),
    (rights::DELETE_VOLUME, "DELETE", "", "persistentvolumes"),
    (rights::PATCH_VOLUME, "UPDATE", "", "persistentvolumes"),
    (rights::EXEC, "CONNECT", "", "pods/exec"),
    (rights::DEBUG, "UPDATE", "", "pods/ephemeralcontainers"),
    (rights::RUN, "CREATE", "", "pods"),
    (rights::DELETE_KIND, "DELETE", "apiextensions.k8s.io", "customresourcedefinitions"),
];

/// Lists what may refuse.
pub(super) fn look(clients: &[Client<'_>], facts: &mut Facts) -> Admission {
    let none = BTreeSet::new();
    let mut by = Vec::new();
    let validating: Listed<Hooks> = objects::list(clients, (VALIDATING, None), &none, facts);
    let mutating: Listed<Hooks> = objects::list(clients, (MUTATING, None), &none, facts);
    let policies: Listed<Policy> = objects::list(clients, (POLICIES, None), &none, facts);
    let bindings: Listed<Binding> = objects::list(clients, (BINDINGS, None), &none, facts);
    for hooks in validating.items.values().chain(mutating.items.values()) {
        let rules = hooks.webhooks.iter().flatten().flat_map(|hook| hook.rules.iter().flatten());
        by.push((format!("webhook {}", hooks.metadata.name), asked_about(rules)));
    }
    // A policy without a binding has no effect.
    let bound: BTreeSet<&str> =
        bindings.items.values().filter_map(|binding| binding.spec.policy_name.as_deref()).collect();
    for policy in policies.items.values().filter(|policy| bound.contains(policy.metadata.name.as_str())) {
        let rules = policy.spec.match_constraints.iter().flat_map(|all| all.resource_rules.iter().flatten());
        by.push((format!("policy {}", policy.metadata.name), asked_about(rules)));
    }
    by.retain(|(_, actions)| !actions.is_empty());
    let gap = validating.gap.or(mutating.gap).or(policies.gap).or(bindings.gap);
    Admission { by, gap }
}

fn asked_about<'a>(rules: impl Iterator<Item = &'a Match>) -> BTreeSet<&'static str> {
    let mut actions = BTreeSet::new();
    let owners = owners::KINDS.iter().map(|kind| (kind.action, "DELETE", kind.group, kind.plural));
    let calls: Vec<(&str, &str, &str, &str)> = CALLS.into_iter().chain(owners).collect();
    for rule in rules {
        for (action, operation, group, resource) in &calls {
            if rule.fits(operation, group, resource) {
                actions.insert(*action);
            }
        }
    }
    actions
}

impl Match {
    fn fits(&self, operation: &str, group: &str, resource: &str) -> bool {
        let has =
            |list: &Option<Vec<String>>, wanted: &str| list.iter().flatten().any(|one| one == wanted || one == "*");
        let (main, sub) = resource.split_once('/').unwrap_or((resource, ""));
        let matches = |one: &String| match one.split_once('/') {
            Some((of, part)) => (of == "*" || of == main) && (part == "*" || part == sub),
            None => sub.is_empty() && (one == "*" || one == main),
        };
        has(&self.operations, operation) && has(&self.api_groups, group) && self.resources.iter().flatten().any(matches)
    }
}
