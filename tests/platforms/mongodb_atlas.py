"""MongoDB Atlas: a server that answers as it describes itself, and what must hold of the answers about it."""
import hashlib
import re
import threading

from runs import adds, check, credential, folder, live, state
from server import Denied, Platform, ago, ahead, made_up

ORG, GROUP, OTHER = made_up("org", 24), made_up("group", 24), made_up("other group", 24)
BASE = "/api/atlas/v2/groups/{groupId}"
READS = "GROUP_READ_ONLY"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Atlas(Platform):
    provider = "mongodb_atlas"
    proves = True
    # The roles of each key, in the project but where they are of the organization.
    KEYS = {"owner": ["GROUP_OWNER"], "root": ["ORG_OWNER"], "reader": [READS, "ORG_MEMBER"], "manager": ["GROUP_CLUSTER_MANAGER"], "none": [],
            "member": ["ORG_MEMBER"], "elsewhere": [READS, "ORG_MEMBER", "GROUP_OWNER@other"]}
    LOGIN = f"eyJ{made_up('login', 60)}"

    def __init__(self, data=None):
        super().__init__(data)
        self.here, self.nonces = threading.local(), {}

    @classmethod
    def pair(cls, name):
        digits = made_up(name, 32)
        return "".join(chr(97 + int(digit, 16)) for digit in digits[:8]), f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"

    @staticmethod
    def company():
        cluster = lambda name, kind, protected: {"id": made_up(name, 24), "name": name, "groupId": GROUP, "clusterType": kind, "backupEnabled": True, "pitEnabled": False, "terminationProtectionEnabled": protected,
                                                 "encryptionAtRestProvider": "NONE", "connectionStrings": {"standard": f"mongodb://ac-{name}-shard-00-00.ab1cd.mongodb.net:27017,ac-{name}-shard-00-01.ab1cd.mongodb.net:27017/?ssl=true", "standardSrv": f"mongodb+srv://{name}.ab1cd.mongodb.net"}, "stateName": "IDLE", "tags": []}
        snapshot = lambda hours, status: {"id": made_up(f"s{hours}", 24), "createdAt": ago(hours=hours), "expiresAt": ahead(days=30), "status": status, "type": "replicaSet"}
        flex = {key: value for key, value in cluster("small", "REPLICASET", False).items() if key not in ("backupEnabled", "pitEnabled", "encryptionAtRestProvider")}
        return {"clusters": [cluster("orders", "REPLICASET", True), cluster("trial", "REPLICASET", False), cluster("big", "SHARDED", False)], "flex": [flex], "policy": None,
                "snapshots": {name: [snapshot(1, "queued"), snapshot(3, "completed"), snapshot(27, "completed")] for name in ("orders", "trial", "big")}}

    def reply(self, request):
        self.here.path = request.path
        key, published, _ = self.find(request.command, request.path.split("?")[0])
        if published and published.get("accept") != request.headers.get("Accept"):
            self.wrong.append(f"{key}: {request.headers.get('Accept')} is no version of it")
        super().reply(request)

    def asks(self, status):
        if status != 401:
            return []
        nonce = made_up(f"nonce {len(self.nonces)}", 32)
        self.nonces[nonce] = 0
        return [("WWW-Authenticate", f'Digest realm="MMS Public API", domain="", nonce="{nonce}", algorithm=MD5, qop="auth", stale=false')]

    def who(self, shown, method="GET"):
        if shown == f"Bearer {self.LOGIN}":
            return "login"
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', shown.removeprefix("Digest ")))
        for name in self.KEYS:
            public, private = self.pair(name)
            if shown == f"for real {name}":
                return name
            if not shown.startswith("Digest ") or said["username"] != public:
                continue
            # The secret is no part of what is sent, and a nonce serves three times.
            assert private not in shown
            count = self.nonces.get(said["nonce"], 9)
            login, asked = md5(":".join((public, said["realm"], private))), md5(f"{method}:" + said["uri"])
            proof = md5(":".join((login, said["nonce"], said["nc"], said["cnonce"], "auth", asked)))
            if count >= 3 or int(said["nc"], 16) != count + 1 or said["uri"] != self.here.path or said["response"] != proof:
                break
            self.nonces[said["nonce"]] += 1
            return name
        raise Denied(401)

    def page(self, items, at):
        at = int(at or 1)
        links = [{"rel": "self", "href": f"https://cloud.mongodb.com{BASE}"}]
        if at * 2 < len(items):
            links.append({"rel": "next", "href": f"https://cloud.mongodb.com{BASE}?itemsPerPage=100&pageNum={at + 1}"})
        return {"links": links, "results": items[(at - 1) * 2:at * 2], "totalCount": len(items)}

    def operations(self):
        cluster = f"{BASE}/clusters/{{clusterName}}"
        return {
            "GET /api/atlas/v2": self.status,
            "GET /api/atlas/v2/orgs": lambda who, itemsPerPage=None, pageNum=None: self.page(self.data.get("orgs", [{"id": ORG, "name": "Northwind"}]), pageNum),
            "GET /api/atlas/v2/groups": lambda who, itemsPerPage=None, pageNum=None: self.page(
                [{"id": GROUP, "name": "shop", "orgId": ORG, "clusterCount": 4, "created": ago(days=90), "tags": [{"key": "environment", "value": "production"}]}], pageNum),
            f"GET {BASE}/clusters": lambda who, group, itemsPerPage=None, pageNum=None: self.page(self.data["clusters"], pageNum),
            f"GET {BASE}/flexClusters": lambda who, group, itemsPerPage=None, pageNum=None: self.page(self.data["flex"], pageNum),
            f"GET {BASE}/backupCompliancePolicy": self.policy,
            f"GET {cluster}/backup/snapshots": lambda who, group, name, itemsPerPage=None, pageNum=None: self.page(self.data["snapshots"][name], pageNum),
            f"GET {cluster}/backup/snapshots/shardedClusters": lambda who, group, name: {"results": self.data["snapshots"][name]},
            f"DELETE {cluster}": self.delete,
            f"PATCH {cluster}": self.unprotect,
            f"DELETE {cluster}/backup/snapshots/{{snapshotId}}": self.drop,
            f"DELETE {BASE}": self.close,
            f"POST {BASE}/databaseUsers": lambda who, group: (self.owns(who), {})[1],
        }

    def status(self, who):
        if who == "login":
            raise Denied(404)
        place = lambda role: {"orgId": ORG} if role.startswith("ORG_") else {"groupId": OTHER if role.endswith("@other") else GROUP}
        roles = [{"roleName": role.split("@")[0], **place(role)} for role in self.KEYS[who]]
        return {"apiKey": {"id": made_up(who, 24), "publicKey": self.pair(who)[0], "accessList": [], "roles": roles}, "appName": "MongoDB Atlas", "build": "b", "throttling": False}

    def owns(self, who):
        if not {"GROUP_OWNER", "ORG_OWNER"} & set(self.KEYS.get(who, ())):
            raise Denied()

    def policy(self, who, group):
        self.owns(who)
        if self.data["policy"] is None:
            raise Denied(404)
        return self.data["policy"]

    def delete(self, who, group, name):
        self.owns(who)
        if next(one for one in self.data["clusters"] if one["name"] == name)["terminationProtectionEnabled"]:
            raise Denied(400)
        self.data["clusters"] = [one for one in self.data["clusters"] if one["name"] != name]
        if self.data["policy"] is None:
            self.data["snapshots"].pop(name)
        return {}

    def unprotect(self, who, group, name):
        self.owns(who)
        next(one for one in self.data["clusters"] if one["name"] == name)["terminationProtectionEnabled"] = False
        return {}

    def drop(self, who, group, name, snapshot):
        self.owns(who)
        if self.data["policy"] is not None:
            raise Denied(409)
        self.data["snapshots"][name] = []
        return {}

    def close(self, who, group):
        self.owns(who)
        if self.data["clusters"] or self.data["flex"]:
            raise Denied(409)
        return {}


ORDERS, TRIAL, BIG, SMALL = (f"mongodb_atlas:cluster/{made_up(name, 24)}" for name in ("orders", "trial", "big", "small"))
CLUSTER = f"{BASE}/clusters/{{clusterName}}"


def text(name):
    public, private = Atlas.pair(name)
    return f"MONGODB_ATLAS_PUBLIC_API_KEY={public}\nMONGODB_ATLAS_PRIVATE_API_KEY={private}\n"


def policy(state, deletable):
    return {**Atlas.company(), "policy": {"authorizedEmail": "dana@northwind.example", "authorizedUserFirstName": "Dana", "authorizedUserLastName": "D", "state": state, "deletable": deletable, "projectId": GROUP}}


def prove():
    real = lambda name: f"for real {name}"
    for name in ("owner", "root"):
        with Atlas() as platform:
            code, assessment, found = live(platform, text(name), f"atlas-{name}")
            for key in (TRIAL, BIG):
                check(code == 1 and found[key]["answer"] == "nothing" and found[key]["environment"] == "production", f"atlas {name}: exit {code}, {found[key]}")
            # Protection knows nothing of what lies in the cluster.
            check(found[ORDERS]["prevention"] == "open" and found[ORDERS]["answer"] == "nothing", f"atlas {name}: {found[ORDERS]}")
            paths = [path for path in assessment["paths"] if path["id"] in found[ORDERS]["paths"] and path["action"] == "deleteCluster"]
            check(paths and all(one["state"] == "slows" for path in paths for one in path["layers"] if one["layer"] == "protect"), f"atlas {name}: {paths}")
            # A project goes once its clusters are gone, and a protected one stays.
            paths = [path for path in assessment["paths"] if path["id"] in found[ORDERS]["paths"] and path["action"] == "deleteProject"]
            check(paths and all(one["state"] == "slows" for path in paths for one in path["layers"] if one["layer"] == "protect"), f"atlas {name}: {paths}")
            check(found[SMALL]["prevention"] == "open" and found[SMALL]["bounds"][0] == "nothing", f"atlas {name}: {found[SMALL]}")
            check(any("project shop" in place for place in found[ORDERS]["place"]) and any("organization Northwind" in place for place in found[ORDERS]["place"]), f"atlas {name}: {found[ORDERS]['place']}")
            key = credential(assessment, "mongodb_atlas")
            check(key["status"] == "live" and key["public_id"] == Atlas.pair(name)[0] and "projects shop" in key["scope"], f"atlas {name}: {key}")
            check(not platform.deletes(f"DELETE {BASE}", (GROUP,), real(name)), "the server refuses a project with clusters")
            check(not platform.deletes(f"DELETE {CLUSTER}", (GROUP, "orders"), real(name)), "and a protected cluster")
            check(platform.deletes(f"POST {BASE}/databaseUsers", (GROUP,), real(name)), "but makes a user of its databases")
            check(platform.deletes(f"PATCH {CLUSTER}", (GROUP, "orders"), real(name)) and platform.deletes(f"DELETE {CLUSTER}", (GROUP, "orders"), real(name)), "and takes the protection off")
            check("orders" not in platform.data["snapshots"], "and its snapshots go along")
    for name, deletable in (("ACTIVE", False), ("ACTIVE", True), ("DISABLING", False)):
        with Atlas(policy(name, deletable)) as platform:
            _, assessment, found = live(platform, text("owner"), f"atlas-policy-{name}-{deletable}")
            kept = (name, deletable) == ("ACTIVE", False)
            check(found[TRIAL]["bounds"] == (["recoverable-untested"] * 2 if kept else ["nothing"] * 2), f"atlas policy {name} {deletable}: {found[TRIAL]}")
            if kept:
                check(not platform.deletes(f"DELETE {CLUSTER}/backup/snapshots/{{snapshotId}}", (GROUP, "trial", "s"), real("owner")), "the server refuses to drop a snapshot that a policy keeps")
                check(platform.deletes(f"DELETE {CLUSTER}", (GROUP, "trial"), real("owner")) and "trial" in platform.data["snapshots"], "and keeps it when the cluster goes")
    own_key = policy("ACTIVE", False)
    own_key["clusters"][1]["encryptionAtRestProvider"] = "AWS"
    with Atlas(own_key) as platform:
        # Whoever has the key has the snapshot.
        _, _, found = live(platform, text("owner"), "atlas-own-key")
        check(found[TRIAL]["bounds"] == ["nothing", "recoverable-untested"], f"atlas own key: {found[TRIAL]}")
    untold = policy("ACTIVE", False)
    untold["policy"].pop("deletable")
    silent = policy("ACTIVE", False)
    silent["clusters"][1].pop("encryptionAtRestProvider")
    former = policy("ACTIVE", False)
    former["snapshots"]["trial"][1]["masterKeyUUID"] = made_up("key", 36)
    for name, data in (("untold", untold), ("silent", silent), ("former", former)):
        with Atlas(data) as platform:
            # Whether the policy may be switched off, or whose key the snapshot has, is not told; or it was another key once.
            _, _, found = live(platform, text("owner"), f"atlas-kept-{name}")
            check(found[TRIAL]["bounds"] == ["nothing", "recoverable-untested"], f"atlas kept {name}: {found[TRIAL]}")
    for name, host, trial, orders in (("shard", "ac-trial-shard-00-01.ab1cd.mongodb.net:27017", True, False), ("srv", "trial.ab1cd.mongodb.net", True, False),
                                      ("private", "trial-pl-0.ab1cd.mongodb.net:1024", True, True), ("federated", "northwind-zk7qm.a.query.mongodb.net", True, True)):
        with Atlas() as platform:
            # A login at any host of a cluster is one to it; at another host of Atlas it may be one to any.
            _, assessment, found = live(platform, f"MONGO_URL=mongodb{'+srv' if name == 'srv' else ''}://app:{made_up('data', 30)}@{host}/shop\n" + text("reader"), f"atlas-url-{name}")
            actions = lambda key: {path["action"] for path in assessment["paths"] if path["id"] in found[key]["paths"]}
            for key, expected in ((TRIAL, trial), (ORDERS, orders)):
                check(any("same:" in action for action in actions(key)) == expected and (found[key]["answer"] == "stopped") != expected, f"atlas url {name}: {found[key]} {actions(key)}")
    with Atlas({**Atlas.company(), "orgs": []}) as platform:
        _, _, found = live(platform, text("root"), "atlas-no-orgs")
        check(found[TRIAL]["answer"] == "nothing" and found[ORDERS]["prevention"] == "open", f"atlas without a list of organizations: {found[TRIAL]}")
    for name in ("member", "elsewhere"):
        with Atlas() as platform:
            # A project that is shown though no role says why; a role of a project that is not shown.
            _, assessment, found = live(platform, text(name), f"atlas-{name}")
            check(found[TRIAL]["bounds"] == ["nothing", "stopped"] and state(assessment, found[TRIAL], "permit") == "unknown", f"atlas {name}: {found[TRIAL]}")
    with Atlas() as platform:
        _, assessment, found = live(platform, text("reader"), "atlas-reader")
        for key in (ORDERS, TRIAL, BIG, SMALL):
            check(found[key]["answer"] == "stopped" and state(assessment, found[key], "permit") == "stops", f"atlas reader: {found[key]}")
        for key, parts in [(f"DELETE {CLUSTER}", (GROUP, "trial")), (f"PATCH {CLUSTER}", (GROUP, "orders")), (f"POST {BASE}/databaseUsers", (GROUP,)), (f"DELETE {BASE}", (GROUP,))]:
            check(not platform.deletes(key, parts, real("reader")), f"the server refuses a reader {key}")
    for name in ("manager", "none"):
        with Atlas() as platform:
            _, assessment, found = live(platform, text(name), f"atlas-{name}")
            check(found[TRIAL]["bounds"] == ["nothing", "stopped"] and state(assessment, found[TRIAL], "permit") == "unknown", f"atlas {name}: {found[TRIAL]}")
    for service, sent in (("cloud", True), ("cloudgov", False)):
        with Atlas() as platform:
            # A login of the command-line client tells no rights; one of another cloud is sent nowhere.
            home = folder / f"atlas-login-{service}" / "home/.config/atlascli"
            home.mkdir(parents=True, exist_ok=True)
            (home / "config.toml").write_text(f"[default]\nservice = '{service}'\naccess_token = '{Atlas.LOGIN}'\nrefresh_token = '{Atlas.LOGIN[::-1]}'\n")
            _, assessment, found = live(platform, "", f"atlas-login-{service}", secrets=[Atlas.LOGIN, Atlas.LOGIN[::-1]])
            check(bool(platform.came) == sent and all(shown == f"Bearer {Atlas.LOGIN}" for shown, *_ in platform.asked), f"atlas login {service}: {platform.asked}")
            check(not sent or found[TRIAL]["bounds"] == ["nothing", "stopped"], f"atlas login {service}: {list(found)}")
    for name, line in (("alone", f"MONGODB_ATLAS_PRIVATE_API_KEY={Atlas.pair('owner')[1]}\n"), ("ops", f"{text('owner')}MONGODB_ATLAS_OPS_MANAGER_URL=https://ops.northwind.example\n"),
                       ("service", f"{text('owner')}MONGODB_ATLAS_SERVICE=cloudgov\n"), ("client", f"MCLI_SERVICE=ops-manager\n{text('owner')}"),
                       ("account", f"MONGODB_ATLAS_CLIENT_SECRET=mdb_sa_sk_{made_up('account', 40)}\n")):
        with Atlas() as platform:
            code, _, _ = live(platform, line, f"atlas-{name}")
            check(not platform.came and code == 3, f"atlas {name}: exit {code}, {platform.came}")
    with Atlas() as platform:
        check(adds(platform, text("reader"), text("manager"), TRIAL, "atlas-two"), "atlas two")
    with Atlas() as platform:
        code, assessment, _ = live(platform, text("nobody"), "atlas-dead")
        check(credential(assessment, "mongodb_atlas")["status"] == "unverified" and code == 3, f"atlas dead: exit {code}")
    return [[Atlas, text("owner"), [TRIAL, BIG, ORDERS], lambda asset: asset["in_headline"]]]
