//! What a claim goes with: an object that owns it. Whoever deletes that has the claim collected as garbage.
//!
//! <https://kubernetes.io/docs/concepts/architecture/garbage-collection/>; groups and plurals are those of the custom resource
//! definitions that each operator publishes.

use super::objects::Owner;

/// A kind of owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) group: &'static str,
    kind: &'static str,
    /// Its name in paths and rules.
    pub(super) plural: &'static str,
    /// Its kind in the catalogue.
    pub(super) class: &'static str,
    /// What deletes it, in the catalogue.
    pub(super) action: &'static str,
}

const fn kind(
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    class: &'static str,
    action: &'static str,
) -> Kind {
    Kind { group, kind, plural, class, action }
}

/// The kinds that are known. Pods are not among them: they go with whatever made them, under whatever name.
pub(super) const KINDS: [Kind; 8] = [
    kind("apps", "StatefulSet", "statefulsets", "statefulset", "delete statefulsets"),
    kind("postgresql.cnpg.io", "Cluster", "clusters", "cnpg_cluster", "delete clusters.postgresql.cnpg.io"),
    kind("acid.zalan.do", "postgresql", "postgresqls", "zalando_postgresql", "delete postgresqls.acid.zalan.do"),
    kind(
        "pxc.percona.com",
        "PerconaXtraDBCluster",
        "perconaxtradbclusters",
        "percona_pxc",
        "delete perconaxtradbclusters.pxc.percona.com",
    ),
    kind(
        "psmdb.percona.com",
        "PerconaServerMongoDB",
        "perconaservermongodbs",
        "percona_mongodb",
        "delete perconaservermongodbs.psmdb.percona.com",
    ),
    kind(
        "pgv2.percona.com",
        "PerconaPGCluster",
        "perconapgclusters",
        "percona_postgresql",
        "delete perconapgclusters.pgv2.percona.com",
    ),
    kind(
        "ps.percona.com",
        "PerconaServerMySQL",
        "perconaservermysqls",
        "percona_mysql",
        "delete perconaservermysqls.ps.percona.com",
    ),
    kind(
        "mongodbcommunity.mongodb.com",
        "MongoDBCommunity",
        "mongodbcommunity",
        "mongodb_community",
        "delete mongodbcommunity.mongodbcommunity.mongodb.com",
    ),
];

/// The kind of an owner that is not known here, and what deletes it.
pub(super) const OTHER: &str = "owner";
pub(super) const DELETE_OTHER: &str = "delete owners";

/// The kind of an owner.
pub(super) fn kind_of(owner: &Owner) -> Option<&'static Kind> {
    let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    KINDS.iter().find(|known| known.group == group && known.kind == owner.kind)
}
