//! The calls that are ever sent to a cluster: three reviews, which are answered and not stored, and lists.

use std::collections::{BTreeMap, BTreeSet};

use super::NAME;
use crate::readonly::{Read, Reads, Shape};

pub(super) const WHO: &str = "create selfsubjectreviews";
pub(super) const RULES: &str = "create selfsubjectrulesreviews";
pub(super) const MAY: &str = "create selfsubjectaccessreviews";
pub(super) const NAMESPACES: &str = "list namespaces";
pub(super) const CLAIMS: &str = "list persistentvolumeclaims";
pub(super) const CLAIMS_IN: &str = "list persistentvolumeclaims of a namespace";
pub(super) const VOLUMES: &str = "list persistentvolumes";
pub(super) const VALIDATING: &str = "list validatingwebhookconfigurations";
pub(super) const MUTATING: &str = "list mutatingwebhookconfigurations";
pub(super) const POLICIES: &str = "list validatingadmissionpolicies";
pub(super) const BINDINGS: &str = "list validatingadmissionpolicybindings";
pub(super) const SNAPSHOTS: &str = "list volumesnapshots";
pub(super) const SNAPSHOTS_IN: &str = "list volumesnapshots of a namespace";
pub(super) const CONTENTS: &str = "list volumesnapshotcontents";
pub(super) const BACKUPS: &str = "list backups.velero.io";
pub(super) const BACKUPS_IN: &str = "list backups.velero.io of a namespace";
/// What is not there where nobody installed it.
pub(super) const OPTIONAL: [&str; 5] = [SNAPSHOTS, SNAPSHOTS_IN, CONTENTS, BACKUPS, BACKUPS_IN];

const PAGE: &[&str] = &["limit", "continue"];

const fn review(operation: &'static str, path: &'static str, version: &'static str, kind: &'static str) -> Read {
    const FIELDS: &[&str] = &["namespace", "resourceAttributes", "verb", "group", "resource", "subresource", "name"];
    Read { operation, shape: Shape::Review { path, version, kind, fields: FIELDS } }
}

/// The only calls that are ever sent. The first three store nothing.
pub(in crate::provider) static READS: Reads = Reads {
    provider: NAME,
    own_host: |_| false,
    throttled: |answer| answer.status == 429,
    list: &[
        review(
            WHO,
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            "authentication.k8s.io/v1",
            "SelfSubjectReview",
        ),
        review(
            RULES,
            "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
            "authorization.k8s.io/v1",
            "SelfSubjectRulesReview",
        ),
        review(
            MAY,
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            "authorization.k8s.io/v1",
            "SelfSubjectAccessReview",
        ),
        Read::rest(NAMESPACES, "/api/v1/namespaces", PAGE),
        Read::rest(CLAIMS, "/api/v1/persistentvolumeclaims", PAGE),
        Read::rest(CLAIMS_IN, "/api/v1/namespaces/{}/persistentvolumeclaims", PAGE),
        Read::rest(VOLUMES, "/api/v1/persistentvolumes", PAGE),
        Read::rest(VALIDATING, "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", PAGE),
        Read::rest(MUTATING, "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", PAGE),
        Read::rest(POLICIES, "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", PAGE),
        Read::rest(BINDINGS, "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", PAGE),
        Read::rest(SNAPSHOTS, "/apis/snapshot.storage.k8s.io/v1/volumesnapshots", PAGE),
        Read::rest(SNAPSHOTS_IN, "/apis/snapshot.storage.k8s.io/v1/namespaces/{}/volumesnapshots", PAGE),
        Read::rest(CONTENTS, "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents", PAGE),
        Read::rest(BACKUPS, "/apis/velero.io/v1/backups", PAGE),
        Read::rest(BACKUPS_IN, "/apis/velero.io/v1/namespaces/{}/backups", PAGE),
    ],
};

/// What is asked, one operation each.
pub fn operations() -> impl Iterator<Item = &'static str> {
    READS.list.iter().map(|read| read.operation)
}

/// The resources that are listed, by group.
pub fn lists() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in READS.list.iter().filter(|read| !read.reviews()).filter_map(Read::path) {
        let mut parts = path.trim_start_matches('/').split('/');
        let group = if parts.next() == Some("apis") { parts.next().unwrap_or_default() } else { "" };
        let resource = path.rsplit('/').next().filter(|resource| !resource.is_empty() && *resource != "apis");
        all.entry(group).or_default().extend(resource);
    }
    all.retain(|_, resources| !resources.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use deadstop_core::fact::GapReason;
    use ureq::http::Request;

    use super::*;
    use crate::readonly::{ReadOnly, Wire};

    /// What becomes of a request at the door, which is open to one host on which nobody listens.
    fn sent(method: &str, url: &str, body: &str, base: &str) -> GapReason {
        let hosts = BTreeMap::from([(NAME.to_owned(), vec!["127.0.0.1:1".to_owned()])]);
        let door = ReadOnly::new(BTreeMap::new(), Duration::from_millis(300), std::sync::Arc::default());
        let door = door.with_hosts(hosts);
        let wire = Wire::new(base, None, None).unwrap();
        let mut request = Request::builder().method(method).uri(url);
        if method != "GET" {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body.as_bytes().to_vec()).unwrap();
        door.send_by(&wire, &READS, "c", &request).unwrap_err()
    }

    const REVIEW: &str = r#"{"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {"verb": "delete", "resource": "pods"}}}"#;
    const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

    #[test]
    fn lists_and_reviews_pass_and_nothing_else() {
        let host = "https://127.0.0.1:1";
        // What passes is sent, and nobody answers.
        for (method, path, body) in [
            ("GET", "/api/v1/namespaces?limit=500", ""),
            ("GET", "/api/v1/namespaces/prod/persistentvolumeclaims?limit=500&continue=abc", ""),
            ("POST", REVIEWS, REVIEW),
        ] {
            assert_ne!(sent(method, &format!("{host}{path}"), body, ""), GapReason::Unsupported, "{method} {path}");
        }
        for (method, path, body) in [
            ("DELETE", "/api/v1/namespaces/prod", ""),
            ("DELETE", "/api/v1/namespaces/prod/persistentvolumeclaims", ""),
            ("PATCH", "/api/v1/persistentvolumes/a", "{}"),
            ("GET", "/api/v1/namespaces/prod/secrets", ""),
            ("GET", "/api/v1/namespaces/prod/secrets/a", ""),
            ("GET", "/api/v1/namespaces/prod", ""),
            ("GET", "/api/v1/namespaces?watch=true", ""),
            ("GET", "/api/v1/namespaces/prod/pods/a/exec?command=rm", ""),
            ("POST", "/api/v1/namespaces", REVIEW),
            ("POST", "/api/v1/namespaces/prod/pods/a/exec", REVIEW),
            ("POST", REVIEWS, r#"{"apiVersion": "v1", "kind": "Namespace"}"#),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?dryRun=All", REVIEW),
            ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", REVIEW),
            ("PUT", REVIEWS, REVIEW),
        ] {
            assert_eq!(sent(method, &format!("{host}{path}"), body, ""), GapReason::Unsupported, "{method} {path}");
        }
    }

    #[test]
    fn only_the_servers_that_are_named_are_asked() {
        let path = "/api/v1/namespaces";
        for url in [
            "https://127.0.0.1:2",
            "http://127.0.0.1:1",
            "https://127.0.0.2:1",
            "https://user@127.0.0.1:1",
            "https://127.0.0.1:1.evil.example",
        ] {
            let Ok(url) = format!("{url}{path}").parse::<ureq::http::Uri>() else { continue };
            assert_eq!(sent("GET", &url.to_string(), "", ""), GapReason::Unsupported, "{url}");
        }
        let below = "https://127.0.0.1:1/k8s/clusters/c-1/api/v1/namespaces";
        assert_ne!(sent("GET", below, "", "/k8s/clusters/c-1"), GapReason::Unsupported);
        assert_eq!(sent("GET", below, "", ""), GapReason::Unsupported);
        assert_eq!(sent("GET", below, "", "/k8s/clusters/c-2"), GapReason::Unsupported);
    }
}
