"""Holds what `deadstop run --live` says of clusters of Kubernetes against a cluster in small that really deletes (world.py, server.py).

Usage: prove.py DEADSTOP FOLDER

For each set-up of rights it is said what would stop the login; then the login tries everything, as itself and as whoever it
can become (attack.py). Then each answer is taken away or spoilt in turn: no answer may become better for it. What a hostile
kubeconfig of a folder says is neither run nor contacted.
"""
import concurrent.futures
import json
import socket
import sys
import threading

import attack
from deadstop import RANKS, certificate, check, failures, folder, kubeconfig, run
from server import Authority, Server
from world import BUILT_IN, LISTS, World, made_up, rule

RBAC = "rbac.authorization.k8s.io"
CLUSTER = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "shop-db", "uid": made_up("shop-db"), "controller": True}
SET = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": made_up("web")}


def world():
    """Two namespaces: production with a claim of each kind, and staging."""
    one = World()
    one.namespace("prod")
    one.namespace("staging", {"environment": "staging"})
    one.volume("prod", "data-0")
    one.volume("prod", "kept-0", policy="Retain")
    one.volume("prod", "web-0", owner=SET)
    one.sets["prod", "web"] = {}
    one.volume("prod", "shop-db-1", owner=CLUSTER)
    one.customs["prod", "shop-db"] = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "shop-db", "namespace": "prod", "uid": made_up("shop-db")}, "spec": {"instances": 1}}
    one.volume("staging", "data-0")
    one.users["system:serviceaccount:prod:default"] = ["system:authenticated", "system:serviceaccounts", "system:serviceaccounts:prod"]
    one.users["system:serviceaccount:prod:operator"] = ["system:authenticated", "system:serviceaccounts", "system:serviceaccounts:prod"]
    one.bind("system:serviceaccount:prod:operator", BUILT_IN["cluster-admin"])
    one.secrets["prod", "token-operator"] = {}
    return one


SETUPS = {}


def setup(name, *rules, namespace=None, groups=(), more=None, lists=LISTS, webhook=None):
    """A login called `name` with these rules; what is expected of a claim: `prevention` or `answer`."""
    def make():
        one = world()
        token = one.user(name, groups)
        if rules:
            one.bind(name, list(rules), namespace)
        one.bind(name, BUILT_IN["view"] + lists)
        if webhook:
            one.webhook.append((name, namespace, webhook))
        if more:
            more(one)
        return one, token
    return make


def expected(name, make, **claims):
    SETUPS[name] = (make, claims)


PVC = rule("delete", "persistentvolumeclaims")
ALL = ["prod/data-0", "prod/kept-0", "prod/web-0", "prod/shop-db-1", "staging/data-0"]
PROD = [claim for claim in ALL if claim.startswith("prod/")]
each = lambda claims, said: {claim: said for claim in claims}
rest = lambda said, **more: {**each(ALL, said), **{name.replace("__", "/").replace("_", "-"): value for name, value in more.items()}}

expected("viewer", setup("viewer"), **each(ALL, "unknown"))
expected("administrator", setup("administrator", *BUILT_IN["cluster-admin"]), **each(ALL, "open"))
expected("masters", setup("masters", groups=["system:masters"]), **each(ALL, "open"))
expected("claims", setup("claims", PVC, namespace="prod"), **{**rest("open"), "prod/kept-0": "unknown", "staging/data-0": "unknown"})
expected("collection", setup("collection", rule("deletecollection", "persistentvolumeclaims"), namespace="prod"), **{**rest("open"), "prod/kept-0": "unknown", "staging/data-0": "unknown"})
expected("everywhere", setup("everywhere", PVC), **{**rest("open"), "prod/kept-0": "unknown"})
expected("named", setup("named", rule("delete", "persistentvolumeclaims", names=["data-0"]), namespace="prod"), **{**rest("unknown"), "prod/data-0": "open"})
expected("volumes", setup("volumes", rule("patch", "persistentvolumes")), **each(ALL, "open"))
expected("volume maker", setup("volume maker", rule("create", "persistentvolumes")), **each(ALL, "open"))
expected("keeper", setup("keeper", PVC, rule("update", "persistentvolumes"), lists=LISTS), **each(ALL, "open"))
expected("namespace", setup("namespace", rule("delete", "namespaces"), namespace="prod"), **{**rest("open"), "prod/kept-0": "unknown", "staging/data-0": "unknown"})
expected("namespaces by name", setup("namespaces by name", rule("delete", "namespaces", names=["staging"])), **{**rest("unknown"), "staging/data-0": "open"})
expected("exec", setup("exec", rule("create", "pods/exec"), namespace="prod"), **{**each(PROD, "open"), "staging/data-0": "unknown"})
expected("exec by get", setup("exec by get", rule("get", "pods/exec"), namespace="prod"), **{**each(PROD, "open"), "staging/data-0": "unknown"})
expected("debug", setup("debug", rule("patch", "pods/ephemeralcontainers"), namespace="prod"), **{**each(PROD, "open"), "staging/data-0": "unknown"})
expected("kubelet", setup("kubelet", rule("create", "nodes/proxy")), **each(ALL, "open"))
expected("pods", setup("pods", rule("create", "pods"), namespace="staging"), **{**each(PROD, "unknown"), "staging/data-0": "open"})
expected("deployments", setup("deployments", rule("patch", "deployments", "apps"), namespace="staging"), **{**each(PROD, "unknown"), "staging/data-0": "open"})
expected("sets", setup("sets", rule("delete", "statefulsets", "apps"), namespace="prod"), **{**rest("unknown"), "prod/web-0": "open"})
expected("databases", setup("databases", rule("delete", "clusters", "postgresql.cnpg.io"), namespace="prod"), **{"prod/shop-db-1": "open"})
expected("kinds", setup("kinds", rule("delete", "customresourcedefinitions", "apiextensions.k8s.io")), **{"prod/shop-db-1": "open"})
expected("binder", setup("binder", rule("create", "rolebindings", RBAC), rule("bind", "clusterroles", RBAC), namespace="prod"), **{**each(PROD, "open"), "staging/data-0": "unknown"})
expected("binder across", setup("binder across", rule("create", "rolebindings", RBAC), namespace="prod", more=lambda one: one.bind("binder across", [rule("bind", "clusterroles", RBAC)])), **{**each(PROD, "open")})
expected("bindings across", setup("bindings across", rule("bind", "roles", RBAC), namespace="prod", more=lambda one: one.bind("bindings across", [rule("update", "rolebindings", RBAC)])), **{**each(PROD, "open")})
expected("attach", setup("attach", rule("create", "pods/attach"), namespace="prod"), **each(ALL, "unknown"))
expected("binder of all", setup("binder of all", rule("create", "clusterrolebindings", RBAC), rule("bind", "clusterroles", RBAC)), **each(ALL, "open"))
expected("escalates", setup("escalates", rule("escalate,update", "clusterroles", RBAC)), **each(ALL, "open"))
expected("binds nothing", setup("binds nothing", rule("create", "rolebindings,clusterrolebindings", RBAC)), **each(ALL, "unknown"))
expected("impersonator", setup("impersonator", rule("impersonate", "users,groups")), **each(ALL, "open"))
expected("impersonates one", setup("impersonates one", rule("impersonate", "serviceaccounts", names=["operator"]), namespace="prod"), **each(ALL, "unknown"))
expected("tokens", setup("tokens", rule("create", "serviceaccounts/token"), namespace="prod"), **each(ALL, "unknown"))
expected("secrets", setup("secrets", rule("get", "secrets"), namespace="prod"), **each(ALL, "unknown"))
expected("secrets listed", setup("secrets listed", rule("list", "secrets"), namespace="prod"), **each(ALL, "unknown"))
expected("settings", setup("settings", rule("patch", "configmaps"), namespace="prod", more=lambda one: one.silent.add(("steers", "prod", "operator"))), **each(PROD, "unknown"))
expected("custom", setup("custom", rule("create", "applications", "argoproj.io"), namespace="prod"), **each(PROD, "unknown"))
expected("webhook", setup("webhook", webhook=[PVC], namespace="prod"), **{**rest("unknown"), "prod/data-0": "open", "prod/web-0": "open", "prod/shop-db-1": "open"})
expected("webhook of nothing", setup("webhook of nothing", webhook=[rule("get", "nodes")]), **each(ALL, "unknown"))
expected("webhook by name", setup("webhook by name", webhook=[rule("delete", "persistentvolumeclaims", names=["data-0"])], namespace="prod"), **{"prod/data-0": "open"})


def hook(one, *refuses, name="guard", operations=("DELETE",), groups=("",), resources=("persistentvolumeclaims",)):
    rules = [{"operations": list(operations), "apiGroups": list(groups), "apiVersions": ["*"], "resources": list(resources), "scope": "*"}]
    one.hooks[name] = {"refuses": refuses, "object": {"metadata": {"name": name}, "webhooks": [{"name": f"{name}.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "clientConfig": {"url": "https://example.com/"}, "rules": rules}]}}


expected("webhook that refuses", setup("webhook that refuses", PVC, namespace="prod", more=lambda one: hook(one, ("delete", "persistentvolumeclaims"))), **{**each(PROD, "unknown"), "prod/kept-0": "unknown"})
expected("webhook of pods", setup("webhook of pods", PVC, namespace="prod", more=lambda one: hook(one, resources=("pods",), operations=("CREATE",))), **{"prod/data-0": "open"})
expected("sees no volumes", setup("sees no volumes", PVC, namespace="prod", lists=[one for one in LISTS if "persistentvolumes" not in one["resources"]]), **{"prod/data-0": "unknown", "prod/kept-0": "unknown"})
expected("sees no guards", setup("sees no guards", PVC, namespace="prod", lists=[one for one in LISTS if "admissionregistration.k8s.io" not in one["apiGroups"]]), **{"prod/data-0": "unknown", "prod/kept-0": "unknown"})


def snapshot(one, policy, claim="data-0", ago="2026-11-30T00:00:00Z"):
    name = f"of-{claim}"
    one.snapshots["prod", name] = {"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": {"name": name, "namespace": "prod", "uid": made_up(name)},
                                   "spec": {"source": {"persistentVolumeClaimName": claim}, "volumeSnapshotClassName": "fast"},
                                   "status": {"readyToUse": True, "creationTime": ago, "boundVolumeSnapshotContentName": f"content-{name}", "restoreSize": "10Gi"}}
    one.contents[f"content-{name}"] = {"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent", "metadata": {"name": f"content-{name}", "uid": made_up(f"content {name}")},
                                       "spec": {"deletionPolicy": policy, "driver": "ebs.csi.aws.com", "source": {"snapshotHandle": "snap-0"}, "volumeSnapshotRef": {"name": name, "namespace": "prod"}}}


def backup(one):
    one.backups["velero", "nightly"] = {"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": "nightly", "namespace": "velero"}, "spec": {"includedNamespaces": ["prod"], "storageLocation": "default", "ttl": "720h0m0s"},
                                        "status": {"phase": "Completed", "startTimestamp": "2026-11-30T00:00:00Z", "expiration": "2026-12-30T00:00:00Z"}}


SNAPSHOTS = rule("delete", "volumesnapshots", "snapshot.storage.k8s.io")
CONTENTS = rule("patch", "volumesnapshotcontents", "snapshot.storage.k8s.io")
# What may be left of a claim after its delete: policy of its snapshot, rights beside those to delete it, and the best that is said.
# Who may delete a snapshot at its storage is in no answer, so that no copy is sure to be left.
COPIES = {
    "kept": ("Retain", [PVC], "prod", "untested"), "goes along": ("Delete", [rule("delete", "namespaces")], "prod", "none"), "stays behind": ("Delete", [PVC], "prod", "untested"),
    "stays without": ("Retain", [rule("delete", "namespaces")], "prod", "untested"), "deleted too": ("Delete", [PVC, SNAPSHOTS], "prod", "none"), "only its object": ("Retain", [PVC, SNAPSHOTS], "prod", "untested"),
    "rewritten": ("Retain", [PVC, SNAPSHOTS, CONTENTS], None, "none"), "none": (None, [PVC], "prod", "none"),
}


def copies(authority):
    """What a claim has left: a snapshot that nothing in reach can destroy."""
    for name, (policy, rules, namespace, recovery) in COPIES.items():
        state, token = setup(name, *rules, namespace=namespace, more=lambda one: policy and snapshot(one, policy))()
        with Server(state, authority) as server:
            config = kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem"))
            asset = run(f"copies-{name.replace(' ', '-')}", [server.place], home=config, secrets=[token])[2][key(server, "prod/data-0")]
            left = asset["recovery"] == "none" if recovery == "none" else asset["bounds"] == ["nothing", "recoverable-untested"]
            check(said(asset) == "open" and left, f"copies {name}: {asset['answer']} {asset['recovery']} {asset['bounds']}")
            check(not server.wrong, f"copies {name}: {server.wrong[:2]}")
    state, token = setup("velero", PVC, namespace="prod", more=backup)()
    with Server(state, authority) as server:
        config = kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem"))
        asset = run("copies-velero", [server.place], home=config, secrets=[token])[2][key(server, "prod/data-0")]
        check(asset["answer"] == "unknown" and asset["bounds"][0] == "nothing" and asset["bounds"][1] != "stopped", f"copies velero: {asset['bounds']}")


def clouds(authority):
    """A key of the cloud that the disks are in may be a way to them, whatever the cluster says."""
    state, token = SETUPS["viewer"][0]()
    keys = "[default]\naws_access_key_id = AKIAQ3EGRZ7XV5N2WJ4K\naws_secret_access_key = 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\n"
    with Server(state, authority) as server, Server(state, authority) as twin:
        config = kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem"))
        found = run("clouds", [server.place], home=config, secrets=[token], files={"home/.aws/credentials": keys}, flags=["--provider", "kubernetes"])[2]
        check(all(found[key(server, claim)]["answer"] == "unknown" for claim in ALL), f"clouds: {[(one['key'], one['bounds']) for one in found.values()]}")
        # One cluster under two names: what somebody is allowed under one holds under the other.
        deleter = state.user("deleter")
        state.bind("deleter", [PVC, *LISTS])
        other = kubeconfig(twin.url, {"me": {"token": deleter}}, authority.read("ca.pem"))
        found = run("names", [server.place, twin.place], home=config, files={"home/.kube/twin": other}, secrets=[token, deleter])[2]
        check(said(found[key(twin, "prod/data-0")]) == "open" and found[key(server, "prod/data-0")]["answer"] == "unknown", f"names: {[(one['key'], one['bounds']) for one in found.values()]}")


def said(asset):
    """What is said of an asset: stopped, slowed, open, or that it is not known."""
    if asset["answer"] == "stopped":
        return "stopped"
    return asset["prevention"] if "stopped" not in asset["bounds"] else "unknown"


def key(server, claim):
    namespace, name = claim.split("/")
    return f"kubernetes:{server.url}/namespace/{namespace}/pvc/{name}"


def held(server, found, one, user, groups, name, claims):
    """Holds what is said against what the login then does."""
    gone, all_gone = attack.lost(one, user, groups), attack.all_lost(one, user, groups)
    for claim in ALL:
        asset = found.get(key(server, claim))
        if asset is None:
            check(False, f"{name}: {claim} is not there")
            continue
        really = tuple(claim.split("/"))
        answer = said(asset)
        check(answer != "stopped" or really not in all_gone, f"{name}: {claim} was said to be stopped, and is gone")
        check(answer != "open" or really in all_gone, f"{name}: {claim} was said to be open, and stays")
        check(answer != "slowed" or really in all_gone and really not in gone, f"{name}: {claim} was said to be slowed: {really in gone} {really in all_gone}")
        # Whatever is not known, the worst of it is not better than what is done.
        worst = RANKS.index(asset["bounds"][0])
        check(worst == 0 or really not in gone, f"{name}: {claim} is gone, and the worst was {asset['bounds'][0]}")
        if claim in claims:
            check(answer == claims[claim], f"{name}: {claim} is {answer}, not {claims[claim]}: {asset['bounds']}")


def agreement(authority):
    def one(item):
        name, (make, claims) = item
        state, token = make()
        with Server(state, authority, page=2) as server:
            config = kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem"))
            _, assessment, found, calls = run(f"agree-{name.replace(' ', '-')}", [server.place], home=config, secrets=[token])
            held(server, found, state, name, state.users[name], name, claims)
            check(not server.wrong, f"{name}: {sorted(set(server.wrong))[:3]}")
            check(len(server.asked) == len(set(server.asked)), f"{name}: a question was asked twice: {[q for q in server.asked if server.asked.count(q) > 1][:2]}")
            check(calls and all(call["provider"] == "kubernetes" for call in calls), f"{name}: {calls[:1]}")
            mine = next(one for one in assessment["credentials"] if one["provider"] == "kubernetes")
            check(mine["status"] == "live" and mine["identity"] == name, f"{name}: {mine['status']} {mine['identity']}")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one, SETUPS.items()))
    return len(SETUPS)


def denied(status, body):
    return 403, json.dumps({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Forbidden", "code": 403}).encode(), []


def without(status, body):
    """What is listed of rights is not all, and nothing of it is there."""
    answer = json.loads(body)
    if answer.get("kind") == "SelfSubjectRulesReview" and "status" in answer:
        answer["status"] = {"resourceRules": [], "nonResourceRules": [], "incomplete": True, "evaluationError": "webhook authorizer does not support user rule resolution"}
    elif answer.get("kind") == "SelfSubjectAccessReview" and "status" in answer:
        answer["status"] = {"allowed": False, "evaluationError": "the webhook did not answer"}
    else:
        answer.pop("metadata", None)
    return status, json.dumps(answer).encode(), []


FAULTS = {
    "denied": denied,
    "not known": lambda status, body: (401, b"{}", []),
    "throttled": lambda status, body: (429, b"{}", [("Retry-After", "3600")]),
    "broken": lambda status, body: (500, b"", []),
    "dropped": "drops",
    "empty": lambda status, body: (200, b"", []),
    "no JSON": lambda status, body: (200, b"<html>a proxy says hello</html>", []),
    "an empty object": lambda status, body: (200, b"{}", []),
    "null": lambda status, body: (200, b"null", []),
    "cut off": lambda status, body: (status, body[:len(body) * 2 // 3], []),
    "incomplete": without,
    "redirected": lambda status, body: (302, b"", [("Location", "https://127.0.0.1:1/")]),
}
# Whose answers are spoilt: some who may destroy something, and some who may not; and of some the answers that they stand on.
SPOILT = {"claims": "", "viewer": "", "binder": "rbac", "databases": "postgresql", "exec": "pods/exec"}


def spoilt(authority):
    """Spoils every answer in turn. What there is to ask is what is asked without a fault."""
    cases, before = [], {}
    for name in SPOILT:
        state, token = SETUPS[name][0]()
        with Server(state, authority) as server:
            found = run(f"whole-{name}", [server.place], home=kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem")))[2]
            before[name] = {claim: found[key(server, claim)]["bounds"] for claim in ALL}
            questions = sorted({one[1:4] for one in server.asked})
        single = list(FAULTS)
        for number, question in enumerate(one for one in questions if SPOILT[name] in str(one)):
            every = name == "claims" and not question[2].count("resourceAttributes")
            lists = question[0] == "GET"
            several = single[number % 2::2] if lists else single
            for fault in several if every else [single[(number + len(cases)) % len(single)]]:
                cases.append((name, question, fault))
    cases += [(name, "everything", fault) for name in ("claims", "viewer") for fault in ("denied", "throttled", "incomplete", "cut off")]

    def one(case):
        number, (name, question, fault) = case
        state, token = SETUPS[name][0]()
        with Server(state, authority) as server:
            server.fault = lambda asked: FAULTS[fault] if question in ("everything", asked) else None
            what = f"{name}: {question} {fault}"
            code, _, found, _ = run(f"spoilt-{number}", [server.place], home=kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem")), secrets=[token])
            check(not server.wrong, f"{what}: {server.wrong[:2]}")
            check(found, f"{what}: nothing is left of what there was")
            for claim, (worst, best) in before[name].items():
                asset = found.get(key(server, claim))
                if asset is None:
                    check(any(one["bounds"][0] == "nothing" for one in found.values()), f"{what}: {claim} is gone, and nothing is in doubt")
                    continue
                check(RANKS.index(asset["bounds"][0]) <= RANKS.index(worst), f"{what}: the worst of {claim} became {asset['bounds']}")
                check(asset["answer"] != "stopped" or worst == best == "stopped", f"{what}: {claim} became stopped")
            if question == "everything":
                check(all(one["answer"] != "stopped" for one in found.values()), f"{what}: something is stopped")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(one, enumerate(cases)))
    return len(cases)


def silent(authority):
    """A cluster that takes a call and says nothing."""
    state, token = SETUPS["claims"][0]()
    with Server(state, authority) as server:
        server.fault = lambda asked: "hangs"
        _, assessment, found, _ = run("silent", [server.place], home=kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem")), secrets=[token])
        check(len(server.asked) == 1, f"silent: asked {len(server.asked)} times")
        check(all(one["answer"] != "stopped" for one in found.values()), "silent: something is stopped")


def unclaimed(authority):
    """Volumes without a claim: one that is free may be claimed by whoever makes claims; one that was released may not."""
    for name, rules, namespace, free, released in [("nothing", [], None, "unknown", "unknown"), ("claims", [PVC], "staging", "unknown", "unknown"), ("pods", [rule("create", "pods")], "staging", "unknown", "unknown"),
                                                   ("volumes", [rule("delete", "persistentvolumes")], None, "open", "unknown"), ("by name", [rule("delete", "persistentvolumes", names=["free"])], None, "open", "unknown"), ("changes", [rule("patch", "persistentvolumes")], None, "open", "open")]:
        state, token = setup(name, *rules, namespace=namespace)()
        spec = lambda policy, **more: {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "persistentVolumeReclaimPolicy": policy, "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-0"}, **more}
        state.volumes["free"] = {"metadata": {"name": "free"}, "spec": spec("Delete"), "status": {"phase": "Available"}}
        state.volumes["released"] = {"metadata": {"name": "released"}, "spec": spec("Retain", claimRef={"namespace": "prod", "name": "gone", "uid": made_up("gone")}), "status": {"phase": "Released"}}
        with Server(state, authority) as server:
            found = run(f"unclaimed-{name.replace(' ', '-')}", [server.place], home=kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem")), secrets=[token])[2]
            told = [said(found[f"kubernetes:{server.url}/pv/{volume}"]) for volume in ("free", "released")]
            check(told == [free, released], f"unclaimed {name}: {told}")
            check(found[f"kubernetes:{server.url}/pv/released"]["environment"] == "prod", f"unclaimed {name}: {found[f'kubernetes:{server.url}/pv/released']['environment']}")


def strangers(authority):
    """Whoever shows nothing may do what the cluster lets anybody do."""
    for name, rules, claims in [("nothing", [], "unknown"), ("lists", [rule("list", "persistentvolumeclaims")], "unknown"), ("deletes unasked", [PVC, rule("list", "namespaces")], "unknown"),
                                ("deletes", [PVC, *BUILT_IN["basic"]], "open"), ("everything", BUILT_IN["cluster-admin"], "open"), ("asks", BUILT_IN["basic"], "unknown")]:
        state, token = SETUPS["viewer"][0]()
        state.users["system:anonymous"] = ["system:unauthenticated"]
        state.bind("system:unauthenticated", rules)
        with Server(state, authority) as server:
            config = kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem"))
            found = run(f"stranger-{name.replace(' ', '-')}", [server.place], home=config, secrets=[token])[2]
            check(said(found[key(server, "prod/data-0")]) == claims, f"stranger {name}: {found[key(server, 'prod/data-0')]['bounds']}")
            check(not server.wrong, f"stranger {name}: {server.wrong[:2]}")


def echoes(authority):
    """A cluster that calls things by what it was sent."""
    for name, make in [("user", lambda one, token: None), ("namespace", lambda one, token: one.namespace(token)), ("claim", lambda one, token: one.volume("prod", token)), ("label", lambda one, token: one.namespace("named", {"environment": token}))]:
        state, token = SETUPS["claims"][0]()
        make(state, token)
        if name == "user":
            state.tokens[token] = f"user {token}"
            state.users[f"user {token}"] = ["system:authenticated"]
        with Server(state, authority) as server:
            _, _, found, _ = run(f"echo-{name}", [server.place], home=kubeconfig(server.url, {"me": {"token": token}}, authority.read("ca.pem")), secrets=[token])
            check(any(one["bounds"][0] == "nothing" for one in found.values()), f"echo {name}: {[(one['key'], one['bounds']) for one in found.values()]}")


class Listener:
    """Counts who knocks."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.place, self.knocks = f"127.0.0.1:{self.socket.getsockname()[1]}", 0
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self):
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.knocks += 1

    def __exit__(self, *_):
        self.socket.close()


def hostile(authority):
    """What is written in a folder, or asks for what is not done, is neither run nor sent anywhere."""
    ca = authority.read("ca.pem")
    ran = folder / "ran"
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "args": ["-c", f"touch {ran}"], "interactiveMode": "Never"}}
    provider = {"auth-provider": {"name": "gcp", "config": {"cmd-path": "/bin/sh", "cmd-args": f"-c 'touch {ran}'"}}}
    token = made_up("a token of a folder", 40)
    with Listener() as listener:
        url = f"https://{listener.place}"
        for name, where, hosts, user, cluster in [
                ("not named", "work", [], {"token": token}, {}), ("not named in the home", "home", [], {"token": token}, {}), ("another port", "work", ["127.0.0.1:1"], {"token": token}, {}),
                ("no configuration", "work", None, {"token": token}, {}),
                ("plugin", "work", [listener.place], plugin, {}), ("plugin of the home", "home", [listener.place], plugin, {}),
                ("provider", "work", [listener.place], provider, {}), ("provider of the home", "home", [listener.place], provider, {}),
                ("password", "home", [listener.place], {"username": "me", "password": token}, {}),
                ("insecure", "home", [listener.place], {"token": token}, {"insecure-skip-tls-verify": True}),
                ("proxy", "home", [listener.place], {"token": token}, {"proxy-url": f"http://{listener.place}"}),
                ("other name", "home", [listener.place], {"token": token}, {"tls-server-name": "kubernetes.default"}),
                ("plain", "home", [listener.place], {"token": token}, {"server": f"http://{listener.place}"}),
                ("path", "work", [listener.place], {"token": token}, {"server": f"{url}/k8s/clusters/c-1"}),
                ("path of the API", "home", [listener.place], {"token": token}, {"server": f"{url}/api/v1/namespaces/prod/services/x/proxy"}),
                ("file of the home", "work", [listener.place], {"tokenFile": "../home/token"}, {}), ("file by its path", "work", [listener.place], {"tokenFile": str(folder / "hostile-file-by-its-path/home/token")}, {}),
                ("file of a folder", "home", [listener.place], {"tokenFile": str(folder / "hostile-file-of-a-folder/work/token")}, {}),
                ("another's key", "home", [listener.place], certificate((authority.certificate("one", "/CN=one")[0], authority.certificate("two", "/CN=two")[1])), {}),
                ("no key", "home", [listener.place], certificate((b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")), {}),
                ("key of the home", "work", [listener.place], {"client-certificate": "../home/token", "client-key": "../home/token"}, {})]:
            text = kubeconfig(url, {"me": user}, ca, cluster=cluster)
            more = {"home/token": token, "work/token": token}
            code, assessment, found, calls = run(f"hostile-{name.replace(' ', '-')}", hosts, **{where: text}, secrets=[token], files=more)
            check(not calls, f"hostile {name}: {calls}")
            check(found and all(one["answer"] != "stopped" for one in found.values()), f"hostile {name}: {[(one['key'], one['answer']) for one in found.values()]}")
        check(listener.knocks == 0, f"hostile: {listener.knocks} knocks")
    check(not ran.exists(), "hostile: a program ran")
    # A server of another authority is shown nothing.
    state, token = SETUPS["viewer"][0]()
    other = Authority(folder / "another")
    with Server(state, other) as server:
        for name, shown in [("token", {"token": token}), ("certificate", certificate(authority.certificate("me", "/CN=me")))]:
            _, _, found, calls = run(f"authority-{name}", [server.place], home=kubeconfig(server.url, {"me": shown}, ca), secrets=[token])
            check(not server.asked and all(one["answer"] != "stopped" for one in found.values()), f"authority {name}: {server.asked[:1]}")


def logins(authority):
    """The ways of showing who one is."""
    ca = authority.read("ca.pem")
    state, token = SETUPS["claims"][0]()
    state.users["someone"] = ["system:authenticated"]
    pair = authority.certificate("someone", "/O=team/CN=someone")
    state.bind("team", [PVC, *LISTS])
    masters = authority.certificate("root", "/O=system:masters/CN=root")
    rsa = authority.certificate("rsa", "/O=team/CN=someone", kind="rsa")
    sec1 = authority.certificate("sec1", "/O=team/CN=someone", kind="sec1")
    with Server(state, authority) as server:
        at = kubeconfig(server.url, {"me": {"token": token}}, ca)
        home = lambda user, **more: {"home": kubeconfig(server.url, {"me": user}, ca, **more)}
        for name, arguments, who in [
                ("token", {"home": at}, "claims"), ("folder", {"work": at}, "claims"),
                ("file", {**home({"tokenFile": "token"}), "files": {"home/.kube/token": token + "\n"}}, "claims"),
                ("variable", {"files": {"elsewhere/config": at}, "env": {"KUBECONFIG": str(folder / "login-variable/elsewhere/config")}}, "claims"),
                ("certificate", home(certificate(pair)), "someone"), ("masters", home(certificate(masters)), "root"),
                ("certificate of RSA", home(certificate(rsa)), "someone"), ("certificate of SEC 1", home(certificate(sec1)), "someone"),
                ("certificate in files", {**home({"client-certificate": "me.pem", "client-key": "me.key"}), "files": {"home/.kube/me.pem": pair[0].decode(), "home/.kube/me.key": pair[1].decode()}}, "someone")]:
            _, assessment, found, calls = run(f"login-{name.replace(' ', '-')}", ["127.0.0.1"], **arguments, secrets=[token, pair[1], masters[1]])
            mine = [one for one in assessment["credentials"] if one["provider"] == "kubernetes"]
            check(calls and any(one["identity"] == who and one["status"] == "live" for one in mine), f"login {name}: {[(one['kind'], one['identity'], one['status']) for one in mine]}")
            check(key(server, "prod/data-0") in found and said(found[key(server, "prod/data-0")]) == "open", f"login {name}: {found.get(key(server, 'prod/data-0'))}")
        # Two users of one cluster: each is asked what it may, whoever lists what lies there.
        viewer = state.user("viewer")
        state.bind("viewer", BUILT_IN["view"] + LISTS)
        blind = state.user("blind")
        state.bind("blind", [PVC], "staging")
        text = kubeconfig(server.url, {"seer": {"token": viewer}, "blind": {"token": blind}}, ca)
        found = run("login-two", [server.place], home=text, secrets=[viewer, blind])[2]
        check(said(found[key(server, "staging/data-0")]) == "open" and said(found[key(server, "prod/data-0")]) == "unknown", f"login two: {[(one['key'], one['answer']) for one in found.values()]}")
        found = run("login-blind", [server.place], home=kubeconfig(server.url, {"blind": {"token": blind}}, ca, namespace="staging"), secrets=[blind])[2]
        rests = [found.get(f"kubernetes:{server.url}{of}/?") for of in ("", "/namespace/staging")]
        check(all(one and one["answer"] == "unknown" and one["bounds"][0] == "nothing" for one in rests), f"login blind: {[(one['key'], one['answer'], one['bounds']) for one in found.values()]}")
        # Whoever is found with a plugin beside a token may be anyone.
        text = kubeconfig(server.url, {"seer": {"token": viewer}, "other": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "aws", "args": ["eks", "get-token"]}}}, ca)
        found = run("login-plugin", [server.place], home=text, secrets=[viewer])[2]
        check(found[key(server, "prod/data-0")]["answer"] == "unknown", f"login plugin: {found[key(server, 'prod/data-0')]['bounds']}")
        check(not server.wrong, f"logins: {server.wrong[:3]}")


authority = Authority(folder / "authority")
waiting = threading.Thread(target=silent, args=(authority,))
waiting.start()
setups = agreement(authority)
copies(authority)
clouds(authority)
unclaimed(authority)
strangers(authority)
echoes(authority)
logins(authority)
hostile(authority)
runs = spoilt(authority)
waiting.join()
if failures:
    sys.exit(f"{len(failures)} failed")
print(f"Answers on {setups} set-ups of rights agree with a cluster that really deletes; {runs} spoilt runs made none better.")
