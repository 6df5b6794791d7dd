"""A cloud in small: a tree of an organisation, a folder, projects and what lies in them; who may do what there, decided as IAM documents
it (bindings flow down, conditions, groups, deny policies before everything); and data that is really lost.

https://cloud.google.com/iam/docs/resource-hierarchy-access-control, https://cloud.google.com/iam/docs/deny-overview,
https://cloud.google.com/iam/docs/conditions-overview, https://cloud.google.com/iam/docs/understanding-roles
"""
import copy


class Refused(Exception):
    pass


ROLES = {
    "viewer": ["resourcemanager.projects.get", "resourcemanager.projects.list", "cloudsql.instances.list", "cloudsql.backupRuns.list", "storage.buckets.list", "compute.disks.list", "compute.instances.list",
               "compute.snapshots.list", "compute.images.list", "compute.machineImages.list", "bigquery.datasets.list", "bigquery.datasets.get", "bigquery.tables.list", "spanner.instances.list", "spanner.databases.list", "spanner.backups.list",
               "datastore.databases.list", "datastore.backups.list", "secretmanager.secrets.list", "container.clusters.list", "iam.serviceAccounts.list", "backupdr.dataSourceReferences.list"],
    "cloudsql.admin": ["cloudsql.instances.delete", "cloudsql.instances.update", "cloudsql.instances.restoreBackup", "cloudsql.databases.delete", "cloudsql.backupRuns.delete"],
    "cloudsql.editor": ["cloudsql.instances.update"],
    "storage.admin": ["storage.buckets.delete", "storage.buckets.update", "storage.buckets.setIamPolicy", "storage.objects.delete"],
    "storage.objectAdmin": ["storage.objects.delete"],
    "storage.legacyBucketOwner": ["storage.buckets.update", "storage.buckets.setIamPolicy", "storage.objects.delete"],
    "compute.admin": ["compute.disks.delete", "compute.images.delete", "compute.instances.create", "compute.instances.delete", "compute.instances.detachDisk", "compute.instances.setDeletionProtection",
                      "compute.instances.setDiskAutoDelete", "compute.snapshots.delete"],
    "bigquery.admin": ["bigquery.datasets.delete", "bigquery.datasets.update", "bigquery.tables.delete", "bigquery.tables.updateData"],
    "bigquery.dataEditor": ["bigquery.tables.delete", "bigquery.tables.updateData"],
    "spanner.admin": ["spanner.backups.delete", "spanner.databases.drop", "spanner.databases.setIamPolicy", "spanner.databases.update", "spanner.databases.updateDdl", "spanner.databases.write", "spanner.instances.delete"],
    "spanner.databaseUser": ["spanner.databases.write", "spanner.databases.updateDdl"],
    "datastore.owner": ["datastore.backups.delete", "datastore.databases.delete", "datastore.databases.update", "datastore.entities.delete"],
    "secretmanager.admin": ["secretmanager.secrets.delete", "secretmanager.secrets.setIamPolicy", "secretmanager.versions.destroy"],
    "container.admin": ["container.clusters.delete"],
    "resourcemanager.projectDeleter": ["resourcemanager.projects.delete"],
    "resourcemanager.projectIamAdmin": ["resourcemanager.projects.setIamPolicy"],
    "resourcemanager.lienModifier": ["resourcemanager.projects.updateLiens"],
    "iam.serviceAccountTokenCreator": ["iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.signBlob", "iam.serviceAccounts.signJwt"],
    "iam.serviceAccountKeyAdmin": ["iam.serviceAccountKeys.create"],
    "iam.serviceAccountAdmin": ["iam.serviceAccounts.setIamPolicy"],
    "iam.serviceAccountUser": ["iam.serviceAccounts.actAs"],
    "iam.roleAdmin": ["iam.roles.update"],
    "run.admin": ["run.services.create"],
}
# What basic roles leave out, and bindings of each bucket give (https://cloud.google.com/storage/docs/access-control/iam-roles).
ROLES["editor"] = sorted({one for name in ("viewer", "cloudsql.admin", "compute.admin", "spanner.admin", "container.admin", "run.admin") for one in ROLES[name]} |
                         {"storage.buckets.delete", "datastore.entities.delete", "datastore.databases.update", "secretmanager.secrets.delete", "iam.serviceAccounts.actAs"} - {"spanner.databases.setIamPolicy"})
ROLES["owner"] = sorted(set(ROLES["editor"]) | {one for name in ("datastore.owner", "secretmanager.admin", "resourcemanager.projectDeleter", "resourcemanager.projectIamAdmin", "resourcemanager.lienModifier", "iam.serviceAccountKeyAdmin",
                                                                "iam.serviceAccountAdmin", "iam.roleAdmin") for one in ROLES[name]} | {"bigquery.datasets.delete", "spanner.databases.setIamPolicy"})
EVERYTHING = sorted({one for role in ROLES.values() for one in role})


class World:
    def __init__(self):
        self.parents = {"organizations/1": None, "folders/2": "organizations/1"}
        self.bindings, self.denies, self.groups = [], [], {}
        self.projects, self.things, self.accounts, self.tokens = {}, {}, {}, {}
        self.liens, self.own_roles, self.disabled = {}, {}, set()

    def copy(self):
        return copy.deepcopy(self)

    def project(self, name, number, folder="folders/2", labels=None):
        self.projects[name] = {"number": number, "labels": labels or {}, "gone": False}
        self.parents[f"projects/{name}"] = folder

    def thing(self, project, kind, name, **fields):
        """Something that lies in a project, by a name of its own; `up` is what else it lies in."""
        key = f"projects/{project}/{kind}/{name}"
        self.things[key] = {"project": project, "kind": kind, "name": name, "data": True, "copies": {}, **fields}
        self.parents[key] = fields.get("up") or f"projects/{project}"
        return key

    def account(self, project, name, disabled=False):
        mail = f"{name}@{project}.iam.gserviceaccount.com"
        key = f"projects/{project}/serviceAccounts/{mail}"
        self.parents[key] = f"projects/{project}"
        self.accounts[mail] = {"project": project, "id": str(10**20 + len(self.accounts)), "disabled": disabled, "key": key}
        return f"serviceAccount:{mail}"

    def bind(self, node, member, *roles, condition=None):
        """`condition`: a function of the resource that is asked about."""
        held = {one for role in roles for one in ROLES.get(role, [role])}
        self.bindings.append((node, member, frozenset(held), condition))

    def deny(self, node, member, *permissions):
        self.denies.append((node, member, frozenset(permissions)))

    def above(self, node):
        while node:
            yield node
            node = self.parents.get(node)

    def is_member(self, who, member):
        return member in (who, "allAuthenticatedUsers") or who in self.groups.get(member, ())

    def may(self, who, permission, node):
        line = list(self.above(node))
        if any(at in line and self.is_member(who, member) and permission in denied for at, member, denied in self.denies):
            return False
        return any(at in line and self.is_member(who, member) and permission in held and (condition is None or condition(node)) for at, member, held, condition in self.bindings)

    def demand(self, who, permission, node):
        if not self.may(who, permission, node):
            raise Refused()

    def at(self, project, kind):
        return {key: one for key, one in self.things.items() if one["project"] == project and one["kind"] == kind and not one.get("deleted")}
