//! The rules that a cluster lists for somebody, and what they allow.
//!
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>; of a listed rule it is safe to take that it holds, and of
//! one that is not in a list that is not complete nothing (SubjectRulesReviewStatus).

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::provider::facts::Fault;

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    verbs: Vec<String>,
    #[serde(default)]
    api_groups: Option<Vec<String>>,
    #[serde(default)]
    resources: Option<Vec<String>>,
    #[serde(default)]
    resource_names: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    incomplete: bool,
    resource_rules: Option<Vec<Rule>>,
    #[serde(default)]
    evaluation_error: Option<String>,
}

/// The rules of a namespace.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) rules: Vec<Rule>,
    /// Whether no other rule holds there.
    pub(super) whole: bool,
}

/// What rules say of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// All of these.
    All,
    /// Those of these names, and no others that are listed.
    Named(BTreeSet<String>),
}

impl Rules {
    /// Reads the status of a review.
    pub(super) fn of(status: Value) -> Result<Self, Fault> {
        let status: Status = serde_json::from_value(status).map_err(|_| Fault::malformed())?;
        let whole = !status.incomplete && status.evaluation_error.is_none_or(|error| error.is_empty());
        let rules = status.resource_rules.ok_or_else(Fault::malformed)?;
        Ok(Self { rules, whole })
    }

    /// What they allow of a verb on a resource.
    pub(super) fn say(&self, verb: &str, group: &str, resource: &str) -> Said {
        let mut names = BTreeSet::new();
        for rule in self.rules.iter().filter(|rule| rule.covers(verb, group, resource)) {
            match &rule.resource_names {
                Some(named) if !named.is_empty() && !named.iter().any(|name| name == "*") => {
                    names.extend(named.iter().cloned());
                }
                Some(_) | None => return Said::All,
            }
        }
        Said::Named(names)
    }

    /// Whether some of them let something be written that nobody here knows to be harmless.
    pub(super) fn write_more(&self) -> bool {
        self.rules.iter().any(Rule::writes_more)
    }
}

fn has(list: Option<&Vec<String>>, wanted: &str) -> bool {
    list.into_iter().flatten().any(|one| one == wanted || one == "*")
}

impl Rule {
    fn covers(&self, verb: &str, group: &str, resource: &str) -> bool {
        let below = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
        let fits = |one: &String| one == resource || one == "*" || Some(one) == below.as_ref();
        has(Some(&self.verbs), verb)
            && has(self.api_groups.as_ref(), group)
            && self.resources.iter().flatten().any(fits)
    }

    fn writes_more(&self) -> bool {
        let groups = self.api_groups.iter().flatten();
        groups
            .flat_map(|group| self.resources.iter().flatten().map(move |resource| (group, resource)))
            .any(|(group, resource)| self.verbs.iter().any(|verb| !reads(verb) && !harmless(verb, group, resource)))
    }
}

fn reads(verb: &str) -> bool {
    ["get", "list", "watch"].contains(&verb)
}

/// Groups of the server itself of which everything that may destroy or open something is asked by itself, or is in
/// [`HARMLESS`]. Anything written to another is done by whatever watches it there.
const KNOWN: [&str; 17] = [
    "",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "metrics.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "snapshot.storage.k8s.io",
    "storage.k8s.io",
    "scheduling.k8s.io",
];

/// What may be written without any volume, right or program being touched, or is asked by itself.
const HARMLESS: [&str; 35] = [
    "bindings",
    "controllerrevisions",
    "cronjobs",
    "daemonsets",
    "deployments",
    "endpoints",
    "endpointslices",
    "events",
    "horizontalpodautoscalers",
    "ingresses",
    "jobs",
    "leases",
    "limitranges",
    "localsubjectaccessreviews",
    "namespaces",
    "networkpolicies",
    "persistentvolumeclaims",
    "persistentvolumes",
    "poddisruptionbudgets",
    "pods",
    "pods/ephemeralcontainers",
    "pods/eviction",
    "pods/exec",
    "pods/log",
    "replicasets",
    "replicationcontrollers",
    "resourcequotas",
    "selfsubjectaccessreviews",
    "selfsubjectreviews",
    "selfsubjectrulesreviews",
    "serviceaccounts/token",
    "services",
    "statefulsets",
    "subjectaccessreviews",
    "volumesnapshots",
];

fn harmless(verb: &str, group: &str, resource: &str) -> bool {
    // Rights to rights are asked by themselves.
    let rights = ["bind", "escalate", "impersonate"].contains(&verb)
        || (group == "rbac.authorization.k8s.io" && resource != "*");
    // What is deleted of these runs nowhere any more, and is made anew.
    let gone = ["delete", "deletecollection"].contains(&verb) && resource != "*" && resource != "secrets";
    KNOWN.contains(&group) && (rights || gone || HARMLESS.contains(&resource))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(rules: &Value) -> Rules {
        Rules::of(json!({"incomplete": false, "resourceRules": rules, "nonResourceRules": []})).unwrap()
    }

    #[test]
    fn rules_are_read_as_rbac_reads_them() {
        let some = rules(&json!([
            {"verbs": ["delete"], "apiGroups": [""], "resources": ["persistentvolumeclaims"], "resourceNames": ["a", "b"]},
            {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["*"]},
            {"verbs": ["create"], "apiGroups": [""], "resources": ["*/exec"]},
        ]));
        assert_eq!(
            some.say("delete", "", "persistentvolumeclaims"),
            Said::Named(["a".to_owned(), "b".to_owned()].into())
        );
        assert_eq!(some.say("deletecollection", "apps", "statefulsets"), Said::All);
        assert_eq!(some.say("create", "", "pods/exec"), Said::All);
        assert_eq!(some.say("create", "", "pods"), Said::Named(BTreeSet::new()));
        // A rule on a resource says nothing of what lies below it (RBAC, "Referring to resources").
        let pods = rules(&json!([{"verbs": ["create"], "apiGroups": [""], "resources": ["pods"]}]));
        assert_eq!(pods.say("create", "", "pods/exec"), Said::Named(BTreeSet::new()));
        let all = rules(&json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "resourceNames": ["*"]}]));
        assert_eq!(all.say("escalate", "rbac.authorization.k8s.io", "clusterroles"), Said::All);
    }

    #[test]
    fn what_is_not_known_to_be_harmless_is_more() {
        let more = |verb: &str, group: &str, resource: &str| {
            rules(&json!([{"verbs": [verb], "apiGroups": [group], "resources": [resource]}])).write_more()
        };
        for (verb, group, resource) in [
            ("get", "", "secrets"),
            ("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
            ("patch", "", "events"),
            ("delete", "apps", "deployments"),
        ] {
            assert!(!more(verb, group, resource), "{verb} {group} {resource}");
        }
        for (verb, group, resource) in [
            ("patch", "", "configmaps"),
            ("update", "", "secrets"),
            ("delete", "", "secrets"),
            ("create", "argoproj.io", "applications"),
            ("delete", "postgresql.cnpg.io", "clusters"),
            ("*", "*", "*"),
            ("patch", "apps", "statefulsets/scale"),
            ("create", "", "services/proxy"),
        ] {
            assert!(more(verb, group, resource), "{verb} {group} {resource}");
        }
    }

    #[test]
    fn a_list_that_is_not_whole_is_none() {
        let read = |status: Value| Rules::of(status).map(|rules| rules.whole);
        assert_eq!(read(json!({"incomplete": false, "resourceRules": []})), Ok(true));
        assert_eq!(read(json!({"incomplete": true, "resourceRules": []})), Ok(false));
        let failed = json!({"incomplete": false, "resourceRules": [], "evaluationError": "webhook"});
        assert_eq!(read(failed), Ok(false));
        for odd in [
            json!({}),
            json!({"incomplete": false}),
            json!({"resourceRules": []}),
            json!({"incomplete": "no", "resourceRules": []}),
        ] {
            assert!(read(odd).is_err());
        }
    }
}
