//! What an identity may do: which permissions it has on a project, and where a kind has rights of its own, on each thing.
//!
//! `testIamPermissions` (<https://cloud.google.com/iam/docs/testing-permissions>) answers for whoever asks, at that moment and on
//! that very resource. What it says that somebody may do counts. What it does not say counts for nothing: a condition may grant on
//! a resource what the project denies, and what somebody may become is not in it.

use std::collections::BTreeSet;

/// What is asked on a project: what destroys, what lifts a protection, what destroys a copy, and what leads to more. An answer is
/// for at most 100 permissions.
pub(super) const ON_PROJECT: [&str; 48] = [
    "bigquery.datasets.delete",
    "bigquery.datasets.update",
    "bigquery.tables.delete",
    "cloudfunctions.functions.create",
    "cloudkms.cryptoKeyVersions.destroy",
    "cloudsql.backupRuns.delete",
    "cloudsql.databases.delete",
    "cloudsql.instances.delete",
    "cloudsql.instances.restoreBackup",
    "cloudsql.instances.update",
    "compute.disks.delete",
    "compute.images.delete",
    "compute.instances.create",
    "compute.instances.delete",
    "compute.instances.detachDisk",
    "compute.instances.setDeletionProtection",
    "compute.instances.setDiskAutoDelete",
    "compute.snapshots.delete",
    "container.clusters.delete",
    "datastore.backups.delete",
    "datastore.databases.delete",
    "datastore.databases.update",
    "datastore.entities.delete",
    "iam.roles.update",
    "iam.serviceAccountKeys.create",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.setIamPolicy",
    "iam.serviceAccounts.signBlob",
    "iam.serviceAccounts.signJwt",
    "resourcemanager.projects.delete",
    "resourcemanager.projects.setIamPolicy",
    "resourcemanager.projects.updateLiens",
    "run.services.create",
    "secretmanager.secrets.delete",
    "secretmanager.secrets.setIamPolicy",
    "secretmanager.versions.destroy",
    "spanner.backups.delete",
    "spanner.databases.drop",
    "spanner.databases.setIamPolicy",
    "spanner.databases.update",
    "spanner.databases.updateDdl",
    "spanner.databases.write",
    "spanner.instances.delete",
    "storage.buckets.delete",
    "storage.buckets.setIamPolicy",
    "storage.buckets.update",
    "storage.objects.delete",
];

/// What is asked on a bucket.
pub(super) const ON_BUCKETS: [&str; 4] =
    ["storage.buckets.delete", "storage.buckets.setIamPolicy", "storage.buckets.update", "storage.objects.delete"];
/// What is asked on a disk.
pub(super) const ON_DISKS: [&str; 1] = ["compute.disks.delete"];
/// What is asked on a machine.
pub(super) const ON_MACHINES: [&str; 4] = [
    "compute.instances.delete",
    "compute.instances.detachDisk",
    "compute.instances.setDeletionProtection",
    "compute.instances.setDiskAutoDelete",
];
/// What is asked on a snapshot of a disk.
pub(super) const ON_SNAPSHOTS: [&str; 1] = ["compute.snapshots.delete"];
/// What is asked on a table.
pub(super) const ON_TABLES: [&str; 1] = ["bigquery.tables.delete"];
/// What is asked on an instance of Spanner. What it says of databases holds for each in it.
pub(super) const ON_SPANNERS: [&str; 6] = [
    "spanner.backups.delete",
    "spanner.databases.drop",
    "spanner.databases.update",
    "spanner.databases.updateDdl",
    "spanner.databases.write",
    "spanner.instances.delete",
];
/// What is asked on a database of Spanner.
pub(super) const ON_SPANNER_DATABASES: [&str; 5] = [
    "spanner.databases.drop",
    "spanner.databases.setIamPolicy",
    "spanner.databases.update",
    "spanner.databases.updateDdl",
    "spanner.databases.write",
];
/// What is asked on a secret.
pub(super) const ON_SECRETS: [&str; 3] =
    ["secretmanager.secrets.delete", "secretmanager.secrets.setIamPolicy", "secretmanager.versions.destroy"];
/// What is asked on a service account.
pub(super) const ON_ACCOUNTS: [&str; 6] = [
    "iam.serviceAccountKeys.create",
    "iam.serviceAccounts.actAs",
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.setIamPolicy",
    "iam.serviceAccounts.signBlob",
    "iam.serviceAccounts.signJwt",
];

/// What lets somebody act as a service account, whether that changes anything, and how
/// (<https://cloud.google.com/iam/docs/service-account-permissions>).
pub(super) const AS_ANOTHER: [(&str, bool, &str); 5] = [
    ("iam.serviceAccounts.getAccessToken", false, "have a token of a service account issued"),
    ("iam.serviceAccounts.signJwt", false, "have a statement signed by which a service account is given a token"),
    ("iam.serviceAccounts.signBlob", false, "have a statement signed by which a service account is given a token"),
    ("iam.serviceAccountKeys.create", true, "make a key of a service account"),
    ("iam.serviceAccounts.setIamPolicy", true, "let itself have tokens of a service account"),
];

/// What runs programs as a service account, for whoever has `iam.serviceAccounts.actAs` on it.
pub(super) const RUNS: [&str; 3] =
    ["cloudfunctions.functions.create", "compute.instances.create", "run.services.create"];

/// What is still to be asked of a thing, where this is what holds for all that lies in the project.
pub(super) fn beside(asked: &'static [&'static str], known: &BTreeSet<&'static str>) -> Vec<&'static str> {
    asked.iter().copied().filter(|one| !known.contains(one)).collect()
}

#[cfg(test)]
mod tests {
    use deadstop_core::catalogue;

    use super::*;

    /// A permission that nobody asks about is known of nobody, and one that is asked twice may be asked once.
    #[test]
    fn what_destroys_is_asked_about() {
        let listed: Vec<_> =
            catalogue::actions().into_iter().filter(|one| one.provider == super::super::NAME).collect();
        let kinds = [
            "bucket",
            "cluster",
            "dataset",
            "db_instance",
            "disk",
            "disk_snapshot",
            "firestore_database",
            "instance",
            "project",
            "secret",
            "spanner_database",
            "spanner_instance",
        ];
        // To change rows takes the right to run a job somewhere, too; what comes of a project without an account, and when, is not
        // told. Both stay in doubt.
        let left_open = ["bigquery.tables.updateData", "resourcemanager.projects.deleteBillingAssignment"];
        for action in listed.iter().filter(|one| kinds.contains(&one.kind.as_str())) {
            if left_open.contains(&action.action.as_str()) {
                continue;
            }
            assert!(ON_PROJECT.contains(&action.action.as_str()), "{}", action.action);
        }
        assert!(ON_PROJECT.is_sorted() && ON_PROJECT.len() <= 100);
        for asked in [ON_BUCKETS.as_slice(), &ON_DISKS, &ON_MACHINES, &ON_SNAPSHOTS, &ON_TABLES, &ON_SPANNERS] {
            assert!(asked.iter().all(|one| ON_PROJECT.contains(one)), "{asked:?}");
        }
        for asked in [ON_SPANNER_DATABASES.as_slice(), &ON_SECRETS, &ON_ACCOUNTS] {
            assert!(asked.iter().all(|one| ON_PROJECT.contains(one)), "{asked:?}");
        }
    }
}
