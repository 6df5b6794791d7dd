//! The only calls that are ever sent to Google Cloud, each under the name of its method in the discovery document of its service
//! (<https://developers.google.com/discovery/v1/reference/apis>).

use super::client::throttled;
use crate::readonly::{Read, Reads, Shape};

pub(super) const TOKEN: &str = "oauth2.token";
pub(super) const WHO: &str = "oauth2.userinfo.get";
pub(super) const PROJECTS: &str = "cloudresourcemanager.projects.search";
pub(super) const MAY: &str = "cloudresourcemanager.projects.testIamPermissions";
pub(super) const LIENS: &str = "cloudresourcemanager.liens.list";
pub(super) const ACCOUNTS: &str = "iam.projects.serviceAccounts.list";
pub(super) const ON_ACCOUNT: &str = "iam.projects.serviceAccounts.testIamPermissions";
pub(super) const INSTANCES: &str = "sql.instances.list";
pub(super) const BACKUPS: &str = "sql.backupRuns.list";
pub(super) const BUCKETS: &str = "storage.buckets.list";
pub(super) const ON_BUCKET: &str = "storage.buckets.testIamPermissions";
pub(super) const DISKS: &str = "compute.disks.aggregatedList";
pub(super) const MACHINES: &str = "compute.instances.aggregatedList";
pub(super) const SNAPSHOTS: &str = "compute.snapshots.list";
pub(super) const IMAGES: &str = "compute.images.list";
pub(super) const MACHINE_IMAGES: &str = "compute.machineImages.list";
pub(super) const ON_DISK: &str = "compute.disks.testIamPermissions";
pub(super) const ON_REGIONAL_DISK: &str = "compute.regionDisks.testIamPermissions";
pub(super) const ON_MACHINE: &str = "compute.instances.testIamPermissions";
pub(super) const ON_SNAPSHOT: &str = "compute.snapshots.testIamPermissions";
pub(super) const BACKED_UP: &str = "backupdr.projects.locations.dataSourceReferences.list";
pub(super) const DATASETS: &str = "bigquery.datasets.list";
pub(super) const DATASET: &str = "bigquery.datasets.get";
pub(super) const TABLES: &str = "bigquery.tables.list";
pub(super) const ON_TABLE: &str = "bigquery.tables.testIamPermissions";
pub(super) const SPANNERS: &str = "spanner.projects.instances.list";
pub(super) const ON_SPANNER: &str = "spanner.projects.instances.testIamPermissions";
pub(super) const SPANNER_DATABASES: &str = "spanner.projects.instances.databases.list";
pub(super) const ON_SPANNER_DATABASE: &str = "spanner.projects.instances.databases.testIamPermissions";
pub(super) const SPANNER_BACKUPS: &str = "spanner.projects.instances.backups.list";
pub(super) const FIRESTORES: &str = "firestore.projects.databases.list";
pub(super) const FIRESTORE_BACKUPS: &str = "firestore.projects.locations.backups.list";
pub(super) const SECRETS: &str = "secretmanager.projects.secrets.list";
pub(super) const ON_SECRET: &str = "secretmanager.projects.secrets.testIamPermissions";
pub(super) const CLUSTERS: &str = "container.projects.locations.clusters.list";

/// The hosts, in words.
pub(in crate::provider) const HOSTS: &str = "oauth2.googleapis.com/, https://www.googleapis.com/ and, by the name of the service, https://SERVICE.googleapis.com";

/// Where each service is asked, by the word that the names of its methods begin with.
const SERVICES: [(&str, &str); 12] = [
    ("backupdr", "backupdr.googleapis.com"),
    ("bigquery", "bigquery.googleapis.com"),
    ("cloudresourcemanager", "cloudresourcemanager.googleapis.com"),
    ("compute", "compute.googleapis.com"),
    ("container", "container.googleapis.com"),
    ("firestore", "firestore.googleapis.com"),
    ("iam", "iam.googleapis.com"),
    ("oauth2", "www.googleapis.com"),
    ("secretmanager", "secretmanager.googleapis.com"),
    ("spanner", "spanner.googleapis.com"),
    ("sql", "sqladmin.googleapis.com"),
    ("storage", "storage.googleapis.com"),
];

/// Where tokens are issued.
pub(super) const ISSUER: &str = "oauth2.googleapis.com";

/// Where an operation is asked.
pub(super) fn host(operation: &str) -> Option<&'static str> {
    if operation == TOKEN {
        return Some(ISSUER);
    }
    let service = operation.split('.').next()?;
    SERVICES.iter().find(|(name, _)| *name == service).map(|(_, host)| *host)
}

const PAGE: &[&str] = &["pageSize", "pageToken"];
const RESULTS: &[&str] = &["maxResults", "pageToken"];

const fn permissions(operation: &'static str, path: &'static str) -> Read {
    Read { operation, shape: Shape::Permissions { path } }
}

pub(in crate::provider) static READS: Reads = Reads {
    provider: super::NAME,
    own_host: |host| host == ISSUER || SERVICES.iter().any(|(_, own)| *own == host),
    throttled,
    list: &[
        Read { operation: TOKEN, shape: Shape::Signed { path: "/token" } },
        Read::rest(WHO, "/oauth2/v2/userinfo", &[]),
        Read::rest(PROJECTS, "/v3/projects:search", PAGE),
        permissions(MAY, "/v3/projects/{}:testIamPermissions"),
        Read::rest(LIENS, "/v3/liens", &["parent", "pageSize", "pageToken"]),
        Read::rest(ACCOUNTS, "/v1/projects/{}/serviceAccounts", PAGE),
        permissions(ON_ACCOUNT, "/v1/projects/{}/serviceAccounts/{}:testIamPermissions"),
        Read::rest(INSTANCES, "/sql/v1beta4/projects/{}/instances", RESULTS),
        Read::rest(BACKUPS, "/sql/v1beta4/projects/{}/instances/{}/backupRuns", RESULTS),
        Read::rest(BUCKETS, "/storage/v1/b", &["maxResults", "pageToken", "project", "projection"]),
        Read::rest(ON_BUCKET, "/storage/v1/b/{}/iam/testPermissions", &["permissions"]),
        Read::rest(DISKS, "/compute/v1/projects/{}/aggregated/disks", RESULTS),
        Read::rest(MACHINES, "/compute/v1/projects/{}/aggregated/instances", RESULTS),
        Read::rest(SNAPSHOTS, "/compute/v1/projects/{}/global/snapshots", RESULTS),
        Read::rest(IMAGES, "/compute/v1/projects/{}/global/images", RESULTS),
        Read::rest(MACHINE_IMAGES, "/compute/v1/projects/{}/global/machineImages", RESULTS),
        permissions(ON_DISK, "/compute/v1/projects/{}/zones/{}/disks/{}/testIamPermissions"),
        permissions(ON_REGIONAL_DISK, "/compute/v1/projects/{}/regions/{}/disks/{}/testIamPermissions"),
        permissions(ON_MACHINE, "/compute/v1/projects/{}/zones/{}/instances/{}/testIamPermissions"),
        permissions(ON_SNAPSHOT, "/compute/v1/projects/{}/global/snapshots/{}/testIamPermissions"),
        Read::rest(BACKED_UP, "/v1/projects/{}/locations/{}/dataSourceReferences", PAGE),
        Read::rest(DATASETS, "/bigquery/v2/projects/{}/datasets", &["all", "maxResults", "pageToken"]),
        Read::rest(DATASET, "/bigquery/v2/projects/{}/datasets/{}", &[]),
        Read::rest(TABLES, "/bigquery/v2/projects/{}/datasets/{}/tables", RESULTS),
        permissions(ON_TABLE, "/bigquery/v2/projects/{}/datasets/{}/tables/{}:testIamPermissions"),
        Read::rest(SPANNERS, "/v1/projects/{}/instances", PAGE),
        permissions(ON_SPANNER, "/v1/projects/{}/instances/{}:testIamPermissions"),
        Read::rest(SPANNER_DATABASES, "/v1/projects/{}/instances/{}/databases", PAGE),
        permissions(ON_SPANNER_DATABASE, "/v1/projects/{}/instances/{}/databases/{}:testIamPermissions"),
        Read::rest(SPANNER_BACKUPS, "/v1/projects/{}/instances/{}/backups", PAGE),
        Read::rest(FIRESTORES, "/v1/projects/{}/databases", &[]),
        Read::rest(FIRESTORE_BACKUPS, "/v1/projects/{}/locations/{}/backups", &[]),
        Read::rest(SECRETS, "/v1/projects/{}/secrets", PAGE),
        permissions(ON_SECRET, "/v1/projects/{}/secrets/{}:testIamPermissions"),
        Read::rest(CLUSTERS, "/v1/projects/{}/locations/{}/clusters", &[]),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_host() {
        for read in READS.list {
            assert!(host(read.operation).is_some_and(READS.own_host), "{}", read.operation);
        }
        assert!(!(READS.own_host)("evil.googleapis.com") && !(READS.own_host)("googleapis.com"));
    }
}
