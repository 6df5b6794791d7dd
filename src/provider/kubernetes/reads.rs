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
