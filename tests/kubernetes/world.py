"""A cluster of Kubernetes in small: it authenticates, decides by RBAC, and really deletes.

Rights are as documented (RBAC, "Referring to resources", "Privilege escalation prevention"; the group system:masters is
allowed everything), and so is what follows from a call: a claim that goes has its volume reclaimed by its policy, a namespace
takes what lies in it, an owner takes what it alone owns, a volume whose claim is not there is released and reclaimed, a
program in a pod writes to the claims that the pod mounts.
"""
import copy
import hashlib

BUILT_IN = {
    "basic": [{"verbs": ["create"], "apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
              {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]}],
    "cluster-admin": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
    # The parts of the role `view` that matter here.
    "view": [{"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["configmaps", "namespaces", "persistentvolumeclaims", "pods", "pods/log", "services", "events"]},
             {"verbs": ["get", "list", "watch"], "apiGroups": ["apps"], "resources": ["deployments", "statefulsets"]}],
}


def made_up(name, length=32):
    return hashlib.sha256(name.encode()).hexdigest()[:length]


def rule(verbs, resources, groups="", names=None):
    split = lambda text: text.split(",") if isinstance(text, str) else text
    one = {"verbs": split(verbs), "apiGroups": split(groups), "resources": split(resources)}
    return {**one, "resourceNames": names} if names else one


LISTS = [rule("list", "namespaces"), rule("list", "persistentvolumeclaims"), rule("list", "persistentvolumes"),
         rule("list", "validatingwebhookconfigurations,mutatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings", "admissionregistration.k8s.io"),
         rule("list", "volumesnapshots,volumesnapshotcontents,volumesnapshotclasses", "snapshot.storage.k8s.io"),
         rule("list", "backups,schedules,backupstoragelocations", "velero.io"), rule("list", "statefulsets", "apps"),
         rule("list", "clusters", "postgresql.cnpg.io")]


class Refused(Exception):
    def __init__(self, status=403):
        super().__init__(status)
        self.status = status


class World:
    """`users`: name → groups. `bound`: (subject, namespace or None, rules)."""

    def __init__(self):
        self.users, self.bound, self.tokens, self.webhook, self.silent = {}, [], {}, [], set()
        self.namespaces, self.claims, self.volumes, self.pods, self.sets, self.customs, self.secrets = {}, {}, {}, {}, {}, {}, {}
        self.hooks, self.policies, self.bindings, self.snapshots, self.contents, self.backups, self.locations = {}, {}, {}, {}, {}, {}, {}
        self.kinds = {"clusters.postgresql.cnpg.io"}
        # What is on each disk.
        self.disks = {}

    def copy(self):
        return copy.deepcopy(self)

    # What there is

    def namespace(self, name, labels=None):
        self.namespaces[name] = {"metadata": {"name": name, "uid": made_up(f"ns {name}"), "labels": {"kubernetes.io/metadata.name": name, **(labels or {})}}}

    def volume(self, namespace, name, policy="Delete", owner=None, labels=None):
        """A claim with its volume, and a pod that mounts it."""
        disk = f"vol-{made_up(f'{namespace}/{name}', 17)}"
        uid = made_up(f"pvc {namespace}/{name}")
        meta = {"name": name, "namespace": namespace, "uid": uid, "finalizers": ["kubernetes.io/pvc-protection"]}
        if labels:
            meta["labels"] = labels
        if owner:
            meta["ownerReferences"] = [owner]
        self.claims[namespace, name] = {"metadata": meta, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}, "storageClassName": "gp3", "volumeName": f"pvc-{uid}"}, "status": {"phase": "Bound"}}
        self.volumes[f"pvc-{uid}"] = {"metadata": {"name": f"pvc-{uid}", "uid": made_up(f"pv {uid}"), "finalizers": ["kubernetes.io/pv-protection"]},
                                      "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "10Gi"}, "storageClassName": "gp3", "persistentVolumeReclaimPolicy": policy, "claimRef": {"namespace": namespace, "name": name, "uid": uid},
                                               "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": disk}}, "status": {"phase": "Bound"}}
        self.disks[disk] = True
        self.pods[namespace, f"of-{name}"] = {"claims": [name], "account": "default"}
        return f"pvc-{uid}"

    def disk(self, namespace, name):
        """Whether what the claim was for is still there."""
        return self.disks.get(f"vol-{made_up(f'{namespace}/{name}', 17)}", False)

    def user(self, name, groups=()):
        token = made_up(f"token of {name}", 40)
        self.users[name] = ["system:authenticated", *groups]
        self.tokens[token] = name
        return token

    def bind(self, subject, rules, namespace=None):
        self.bound.append((subject, namespace, rules))

    # Who may do what

    def rules(self, user, namespace, groups=None):
        subjects = {user, *(self.users.get(user, []) if groups is None else groups)}
        # Bound to whoever is authenticated, as a cluster comes.
        if "system:authenticated" in subjects:
            yield from BUILT_IN["basic"]
        for subject, within, rules in self.bound:
            if subject in subjects and within in (None, namespace):
                yield from rules

    @staticmethod
    def matches(one, verb, group, resource, name):
        main, _, sub = resource.partition("/")
        has = lambda key, wanted: wanted in one[key] or "*" in one[key]
        fits = has("resources", resource) or (sub and f"*/{sub}" in one["resources"])
        return has("verbs", verb) and has("apiGroups", group) and fits and (not one.get("resourceNames") or name in one["resourceNames"])

    def may(self, user, verb, group, resource, namespace=None, name=None, groups=None):
        held = self.users.get(user, []) if groups is None else groups
        if "system:masters" in held:
            return True
        if any(self.matches(one, verb, group, resource, name) for one in self.rules(user, namespace or None, groups)):
            return True
        # A webhook that decides, and lists nothing.
        return any(subject == user and within in (None, namespace) and self.matches(one, verb, group, resource, name) for subject, within, rules in self.webhook for one in rules)

    def review_rules(self, user, namespace):
        rules = [dict(one) for one in self.rules(user, namespace)]
        incomplete = any(subject == user for subject, _, _ in self.webhook) or user in self.silent
        status = {"resourceRules": rules, "nonResourceRules": [], "incomplete": incomplete}
        if incomplete:
            status["evaluationError"] = "webhook authorizer does not support user rule resolution"
        return status

    # What follows

    def demand(self, user, verb, group, resource, namespace=None, name=None, groups=None):
        if not self.may(user, verb, group, resource, namespace, name, groups):
            raise Refused()
        for asked in self.hooks.values():
            if (verb, resource) in asked.get("refuses", []):
                raise Refused()

    def reclaim(self, name):
        volume = self.volumes.get(name)
        if volume and volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
            self.disks[volume["spec"]["csi"]["volumeHandle"]] = False
            del self.volumes[name]
        elif volume:
            volume["status"]["phase"] = "Released"

    def drop_claim(self, key):
        claim = self.claims.pop(key)
        self.reclaim(claim["spec"]["volumeName"])

    def drop_namespace(self, name):
        for key in [key for key in self.claims if key[0] == name]:
            self.drop_claim(key)
        for table in (self.pods, self.sets, self.customs, self.secrets, self.snapshots):
            for key in [key for key in table if key[0] == name]:
                if table is self.snapshots:
                    self.drop_snapshot(key)
                else:
                    del table[key]
        del self.namespaces[name]

    def drop_snapshot(self, key):
        content = self.snapshots.pop(key)["status"]["boundVolumeSnapshotContentName"]
        if self.contents.get(content, {}).get("spec", {}).get("deletionPolicy") == "Delete":
            del self.contents[content]

    def drop_owner(self, namespace, kind, name):
        for key in [key for key, claim in self.claims.items() if key[0] == namespace]:
            owners = self.claims[key]["metadata"].get("ownerReferences", [])
            if owners and all((owner["kind"], owner["name"]) == (kind, name) for owner in owners):
                self.drop_claim(key)

    def wipe(self, namespace, claims):
        for name in claims:
            if (namespace, name) in self.claims:
                volume = self.volumes.get(self.claims[namespace, name]["spec"]["volumeName"])
                if volume:
                    self.disks[volume["spec"]["csi"]["volumeHandle"]] = False

    def settle(self, name):
        """What the controller of volumes does with a volume after a change."""
        volume = self.volumes[name]
        claim = volume["spec"].get("claimRef")
        if claim and claim.get("uid"):
            held = self.claims.get((claim["namespace"], claim["name"]))
            if not held or held["metadata"]["uid"] != claim["uid"]:
                self.reclaim(name)
