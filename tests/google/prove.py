"""Holds what `deadstop run --live` says of Google Cloud against a cloud in small that really deletes (world.py, server.py).

Usage: prove.py DEADSTOP FOLDER

For each set-up of rights it is said what would stop a credential; then whoever holds it tries everything, as himself and as whoever
he can become (attack.py). Then each answer is taken away or spoilt in turn: no answer may become better for it. What a hostile file of
credentials says is neither run nor contacted.
"""
import concurrent.futures
import json
import socket
import subprocess
import sys
import threading

import attack
from deadstop import RANKS, check, failures, folder, program, run, service_account
from published import Published
from server import SCOPE, Server, key, pem
from world import World

MAIL = "me@shop.iam.gserviceaccount.com"
ME = f"serviceAccount:{MAIL}"
DEPLOYER = "deployer@shop.iam.gserviceaccount.com"
KEY, OTHER = key(), key()
PEM = pem(KEY)
operations = subprocess.run([program, "permissions", "google"], capture_output=True, text=True, check=True).stdout
NAMES = [line for line in operations.splitlines() if line and not line.startswith("#")]
PUBLISHED = Published(NAMES)
DAY = 86400


def world():
    """A project for production and one for staging, each with data of every kind that is listed."""
    one = World()
    one.project("shop", "415104041262", labels={"environment": "production"})
    one.project("staging", "415104041263", labels={"environment": "staging"})
    one.thing("shop", "sql", "orders", copies={"nightly": 1, "pitr": 1})
    one.thing("shop", "sql", "guarded", protected=True, retained=True, copies={"nightly": 1})
    one.thing("shop", "bucket", "shop-exports", soft=7 * DAY)
    one.thing("shop", "bucket", "shop-kept", soft=90 * DAY, versions=True)
    one.thing("shop", "bucket", "shop-locked", soft=7 * DAY, retention=365 * DAY, locked=True)
    one.thing("shop", "disk", "data", zone="europe-west1-b")
    one.thing("shop", "disk", "alone", zone="europe-west1")
    one.thing("shop", "disk", "boot", zone="europe-west1-b", goes=True)
    one.thing("shop", "instance", "web", protected=True, disks=["boot"])
    one.thing("shop", "snapshot", "of-data", of="data")
    one.thing("shop", "snapshot", "orphan", of="gone")
    one.thing("shop", "dataset", "sales")
    one.thing("shop", "table", "orders", up="projects/shop/dataset/sales")
    one.thing("shop", "spanner", "main")
    one.thing("shop", "spanner_database", "ledger", up="projects/shop/spanner/main", protected=True, copies={"weekly": 1})
    one.thing("shop", "firestore", "(default)", protected=True, copies={"daily": 1})
    one.thing("shop", "secret", "db-url")
    one.thing("shop", "cluster", "prod")
    one.thing("staging", "bucket", "staging-scratch", soft=0)
    one.thing("staging", "sql", "test")
    # Whoever locks a retention policy is given a lien on the project (storage/docs/bucket-lock).
    one.liens["shop"] = ["1"]
    one.account("shop", "me")
    one.account("shop", "deployer")
    one.account("shop", "reader")
    one.account("staging", "old", disabled=True)
    one.bind("projects/shop", f"serviceAccount:{DEPLOYER}", "owner")
    return one


def asset(thing):
    """The key of a thing in an assessment."""
    _, project, kind, name = thing.split("/")
    at = {"disk": "region/europe-west1/disk" if name == "alone" else "zone/europe-west1-b/disk", "spanner_database": "spanner/main/database", "cluster": "location/europe-west1/cluster"}.get(kind, kind)
    return f"google:project/{project}/{at}/{name}"


SETUPS = {}


def setup(name, *bound, more=None, sees=True, **claims):
    """Somebody with these bindings: (node, role, …); what is expected of things: an answer."""
    def make():
        one = world()
        if sees:
            for project in one.projects:
                one.bind(f"projects/{project}", ME, "viewer")
        for node, *roles in bound:
            one.bind(node, ME, *roles)
        if more:
            more(one)
        return one
    SETUPS[name] = (make, {key.replace("__", "/"): said for key, said in claims.items()})


SHOP = "projects/shop"
GUARDED, ORDERS, TEST = f"{SHOP}/sql/guarded", f"{SHOP}/sql/orders", "projects/staging/sql/test"
EXPORTS, KEPT, LOCKED, SCRATCH = f"{SHOP}/bucket/shop-exports", f"{SHOP}/bucket/shop-kept", f"{SHOP}/bucket/shop-locked", "projects/staging/bucket/staging-scratch"
DATA, ALONE, BOOT, ORPHAN = f"{SHOP}/disk/data", f"{SHOP}/disk/alone", f"{SHOP}/disk/boot", f"{SHOP}/snapshot/orphan"
SALES, TABLE, LEDGER, STORE = f"{SHOP}/dataset/sales", f"{SHOP}/table/orders", f"{SHOP}/spanner_database/ledger", f"{SHOP}/firestore/(default)"
SECRET, CLUSTER, MAIN = f"{SHOP}/secret/db-url", f"{SHOP}/cluster/prod", f"{SHOP}/spanner/main"
EVERY = [GUARDED, ORDERS, TEST, EXPORTS, KEPT, LOCKED, SCRATCH, DATA, ALONE, BOOT, ORPHAN, SALES, LEDGER, STORE, SECRET, CLUSTER]


def claims(name, said, *things):
    """What is expected of these things, and of all others that it is not known."""
    SETUPS[name][1].update({**{thing: "unknown" for thing in EVERY}, **{thing: said for thing in things}})


def conveniently(member_roles):
    """Bindings that each bucket and dataset has for the basic roles of its project."""
    def more(one):
        for key_of, thing in list(one.things.items()):
            if thing["kind"] == "bucket" and thing["project"] == "shop":
                one.bind(key_of, ME, *member_roles)
            if thing["kind"] == "dataset":
                one.bind(key_of, ME, "bigquery.admin")
    return more


setup("viewer")
claims("viewer", "unknown")
setup("nothing at all", sees=False)
setup("owner", (SHOP, "owner"), more=conveniently(["storage.legacyBucketOwner"]))
claims("owner", "nothing", ORDERS, GUARDED, EXPORTS, KEPT, DATA, ALONE, ORPHAN, SALES, STORE, SECRET)
setup("editor", (SHOP, "editor"), more=conveniently(["storage.legacyBucketOwner"]))
claims("editor", "nothing", ORDERS, GUARDED, EXPORTS, KEPT, DATA, ALONE, ORPHAN, SALES, SECRET)
setup("editor without bindings of buckets", (SHOP, "editor"))
claims("editor without bindings of buckets", "nothing", ORDERS, GUARDED, DATA, ALONE, ORPHAN, SECRET)
setup("owner of the folder", ("folders/2", "owner"))
claims("owner of the folder", "nothing", ORDERS, GUARDED, TEST, SCRATCH, DATA, ALONE, ORPHAN, SALES, STORE, SECRET)
setup("owner of the organisation", ("organizations/1", "owner", "storage.admin"))
claims("owner of the organisation", "nothing", ORDERS, GUARDED, TEST, EXPORTS, KEPT, SCRATCH, DATA, ALONE, ORPHAN, SALES, STORE, SECRET)
setup("sql admin", (SHOP, "cloudsql.admin"))
claims("sql admin", "nothing", ORDERS, GUARDED)
setup("sql editor", (SHOP, "cloudsql.editor"))
claims("sql editor", "unknown")
setup("sql delete", (SHOP, "cloudsql.instances.delete"))
claims("sql delete", "nothing", ORDERS)
setup("sql databases", (SHOP, "cloudsql.databases.delete"))
claims("sql databases", "unknown")
setup("storage admin", (SHOP, "storage.admin"))
claims("storage admin", "nothing", EXPORTS, KEPT)
setup("objects of a bucket", (EXPORTS, "storage.objectAdmin"))
claims("objects of a bucket", "nothing", EXPORTS)
setup("objects that are kept", (KEPT, "storage.objectAdmin"))
claims("objects that are kept", "unknown")
setup("empty buckets", (SHOP, "storage.buckets.delete"))
claims("empty buckets", "unknown")
setup("may open a bucket", (EXPORTS, "storage.buckets.setIamPolicy"))
claims("may open a bucket", "unknown")
setup("scratch", (SCRATCH, "storage.objectAdmin"))
claims("scratch", "nothing", SCRATCH)
setup("on a condition", more=lambda one: one.bind(SHOP, ME, "storage.objectAdmin", condition=lambda node: node == EXPORTS))
claims("on a condition", "nothing", EXPORTS)
setup("until yesterday", more=lambda one: one.bind(SHOP, ME, "cloudsql.admin", condition=lambda node: False))
claims("until yesterday", "unknown")
setup("denied", (SHOP, "cloudsql.admin"), more=lambda one: one.deny("folders/2", ME, "cloudsql.instances.delete", "cloudsql.databases.delete", "cloudsql.instances.restoreBackup"))
claims("denied", "unknown")
setup("a member", more=lambda one: (one.groups.update({"group:dbas@example.com": {ME}}), one.bind(SHOP, "group:dbas@example.com", "cloudsql.admin")))
claims("a member", "nothing", ORDERS, GUARDED)
setup("everybody", more=lambda one: one.bind(EXPORTS, "allAuthenticatedUsers", "storage.objectAdmin"))
claims("everybody", "nothing", EXPORTS)
setup("machines", (SHOP, "compute.admin"))
claims("machines", "nothing", DATA, ALONE, ORPHAN)
setup("one disk", (ALONE, "compute.disks.delete"))
claims("one disk", "nothing", ALONE)
setup("one disk with a snapshot", (DATA, "compute.disks.delete"))
claims("one disk with a snapshot", "unknown")
setup("one snapshot", (ORPHAN, "compute.snapshots.delete"))
claims("one snapshot", "nothing", ORPHAN)
setup("disk and its snapshot", (DATA, "compute.disks.delete"), (f"{SHOP}/snapshot/of-data", "compute.snapshots.delete"))
claims("disk and its snapshot", "nothing", DATA)
setup("vaults", (SHOP, "compute.admin"), more=lambda one: one.projects["shop"].update(vaulted=["vm-1"]))
claims("vaults", "unknown")
setup("machine images", (SHOP, "compute.admin"), more=lambda one: one.projects["shop"].update({"machine images": ["of-web"]}))
claims("machine images", "unknown")
setup("objects that are held", (EXPORTS, "storage.objectAdmin"), more=lambda one: one.things[EXPORTS].update(held=True))
claims("objects that are held", "unknown")
setup("a table", (TABLE, "bigquery.dataEditor"))
claims("a table", "nothing", SALES)
setup("datasets", (SHOP, "bigquery.admin"))
claims("datasets", "nothing", SALES)
setup("spanner admin", (SHOP, "spanner.admin"))
claims("spanner admin", "unknown")
setup("spanner rows", (LEDGER, "spanner.databaseUser"))
claims("spanner rows", "unknown")
setup("documents", (SHOP, "datastore.owner"))
claims("documents", "nothing", STORE)
setup("documents alone", (SHOP, "datastore.entities.delete"))
claims("documents alone", "unknown")
setup("a secret", (SECRET, "secretmanager.admin"))
claims("a secret", "nothing", SECRET)
setup("may open a secret", (SECRET, "secretmanager.secrets.setIamPolicy"))
claims("may open a secret", "unknown")
setup("clusters", (SHOP, "container.admin"))
claims("clusters", "unknown")
setup("deletes the project", (SHOP, "resourcemanager.projectDeleter"))
claims("deletes the project", "unknown")
setup("no lien", (SHOP, "resourcemanager.projectDeleter"), more=lambda one: one.liens.update({"shop": []}))
claims("no lien", "unknown")
setup("a lien to lift", (SHOP, "resourcemanager.projectDeleter", "resourcemanager.lienModifier"))
claims("a lien to lift", "unknown")
setup("grants itself", (SHOP, "resourcemanager.projectIamAdmin"))
claims("grants itself", "unknown")
setup("writes its role", (SHOP, "iam.roleAdmin"), more=lambda one: one.own_roles.update({"shop": {ME}}))
claims("writes its role", "unknown")
setup("tokens of another", (f"{SHOP}/serviceAccounts/{DEPLOYER}", "iam.serviceAccountTokenCreator"))
claims("tokens of another", "unknown")
setup("tokens of all", (SHOP, "iam.serviceAccountTokenCreator"))
claims("tokens of all", "unknown")
setup("keys of another", (SHOP, "iam.serviceAccountKeyAdmin"))
claims("keys of another", "unknown")
setup("accounts", (SHOP, "iam.serviceAccountAdmin"))
claims("accounts", "unknown")
setup("runs as another", (SHOP, "iam.serviceAccountUser", "run.admin"))
claims("runs as another", "unknown")
setup("blind", (SHOP, "cloudsql.admin", "resourcemanager.projects.get"), sees=False)


def agreement():
    """What is said of each set-up, and what becomes of it."""
    def one(case):
        name, (make, expected) = case
        state = make()
        with Server(state, PUBLISHED, {MAIL: KEY.public_key()}) as server:
            code, assessment, found, calls = run(f"setup-{name.replace(' ', '-')}", server.url, {"work/key.json": service_account(MAIL, PEM)}, secrets=[PEM, *state.tokens])
        check(not server.wrong, f"{name}: {server.wrong[:3]}")
        [mine] = [one for one in assessment["credentials"] if one["kind"] == "service_account_key"]
        check(mine["status"] == "live" and mine["identity"] == MAIL, f"{name}: {mine['status']} {mine['identity']}")
        check(not any(one["answer"] == "stopped" for one in found.values()), f"{name}: something is stopped")
        check(any(one["bounds"][0] == "nothing" and one["kind"] == "" or one["key"].startswith("google:scope/") for one in found.values()), f"{name}: {sorted(found)}")
        check(set(call["operation"] for call in calls) <= set(NAMES), f"{name}: a call that is on no list")
        happened = attack.outcome(make(), ME)
        for thing, told in happened.items():
            said = found.get(asset(thing))
            if said is None:
                # What is not shown lies in what else there is.
                rest = [one for one in found.values() if one["bounds"][0] == "nothing"]
                check(rest, f"{name}: {thing} is not there, and nothing is in doubt")
                continue
            (lost, _), (lost_after, for_good) = told["free"], told["changed"]
            worst = RANKS.index(said["bounds"][0])
            check(not lost or worst <= RANKS.index("recoverable-tested") and said["bounds"][0] != "slowed-no-recovery", f"{name}: {thing} is lost at once, and said to be {said['bounds']}")
            check(not lost_after or worst < RANKS.index("stopped"), f"{name}: {thing} is lost, and said to be {said['bounds']}")
            check(not for_good or worst <= RANKS.index("slowed-no-recovery"), f"{name}: {thing} is lost for good, and said to be {said['bounds']}")
            check(said["answer"] != "nothing" or lost and for_good, f"{name}: {thing} is said to be nothing, and it is {told}")
            check(said["answer"] != "slowed" or lost_after and not lost, f"{name}: {thing} is said to be slowed, and it is {told}")
            check(said["answer"] != "recoverable" or lost and not for_good, f"{name}: {thing} is said to be recoverable, and it is {told}")
        for thing, wanted in expected.items():
            said = found.get(asset(thing))
            check(said and said["answer"] == wanted, f"{name}: {thing} is {said and (said['answer'], said['bounds'])}, not {wanted}")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(one, SETUPS.items()))
    return len(SETUPS)


def spoil(change):
    """An answer with something changed in it."""
    return lambda status, text: (status, json.dumps(change(json.loads(text))).encode())


def stripped(value):
    """Without every field that is not a list or an object."""
    if isinstance(value, list):
        return [stripped(one) for one in value]
    return {key: stripped(one) for key, one in value.items() if isinstance(one, (list, dict))} if isinstance(value, dict) else value


def strange(value):
    """With every text a number, and every number a text."""
    if isinstance(value, list):
        return [strange(one) for one in value]
    if isinstance(value, dict):
        return {key: strange(one) for key, one in value.items()}
    return 7 if isinstance(value, str) else "7"


FAULTS = {
    "denied": lambda status, text: (403, b'{"error": {"code": 403, "status": "PERMISSION_DENIED"}}'),
    "disabled": lambda status, text: (403, b'{"error": {"code": 403, "details": [{"reason": "SERVICE_DISABLED"}]}}'),
    "limited": lambda status, text: (403, b'{"error": {"code": 403, "details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}'),
    "invalid": lambda status, text: (400, b'{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}'),
    "gone": lambda status, text: (404, b"not found"),
    "malformed": lambda status, text: (200, text[: len(text) // 2]),
    "empty": lambda status, text: (200, b"{}"),
    "nothing": lambda status, text: (200, b""),
    "a list": lambda status, text: (200, b"[]"),
    "null": lambda status, text: (200, b"null"),
    "fields": spoil(stripped),
    "types": spoil(strange),
    "another page": spoil(lambda told: {**told, "nextPageToken": "never"}),
    "no text for a page": spoil(lambda told: {**told, "nextPageToken": 7}),
    "unreachable": spoil(lambda told: {**told, "unreachable": ["projects/shop/locations/europe-west1"], "missingZones": ["b"], "warning": {"code": "UNREACHABLE"}}),
    "server": lambda status, text: (500, b"oops"),
    "throttled": lambda status, text: (429, b"{}"),
    "drops": "drops",
}
# Those that are sent again a few times take a while.
SLOW = {"server", "throttled", "drops"}
# Those that every answer is spoilt by; the others, those that everything rests on.
EACH = {"denied", "malformed", "empty", "fields", "types", "another page"}
CENTRAL = {"oauth2.token", "cloudresourcemanager.projects.search", "cloudresourcemanager.projects.testIamPermissions", "iam.projects.serviceAccounts.list", "sql.instances.list", "compute.disks.aggregatedList",
           "bigquery.datasets.list", "spanner.projects.instances.list", "backupdr.projects.locations.dataSourceReferences.list"}


def spoilt():
    """Each answer taken away or spoilt in turn: nothing may be said to fare better."""
    before = {}
    for name in ("owner", "storage admin", "viewer"):
        with Server(SETUPS[name][0](), PUBLISHED, {MAIL: KEY.public_key()}) as server:
            _, _, found, _ = run(f"before-{name.replace(' ', '-')}", server.url, {"work/key.json": service_account(MAIL, PEM)})
            before[name] = (sorted(set(server.asked)), {key: (one["answer"], one["bounds"]) for key, one in found.items()})
    check(set(before["viewer"][0]) | {"oauth2.userinfo.get"} == set(NAMES), f"never asked: {sorted(set(NAMES) - set(before['viewer'][0]))}")
    cases = [("owner", question, fault) for question in before["owner"][0] for fault in FAULTS if fault in EACH or question in CENTRAL and fault not in SLOW]
    cases += [("owner", question, fault) for question in ("oauth2.token", "cloudresourcemanager.projects.search", "sql.backupRuns.list", "compute.disks.aggregatedList") for fault in sorted(SLOW)]
    cases += [("storage admin", "storage.buckets.testIamPermissions", fault) for fault in FAULTS if fault not in SLOW]
    cases += [(name, "everything", fault) for name in ("owner", "viewer") for fault in ("denied", "malformed", "empty", "limited")]

    def one(case):
        number, (name, question, fault) = case
        with Server(SETUPS[name][0](), PUBLISHED, {MAIL: KEY.public_key()}) as server:
            server.fault = lambda asked: FAULTS[fault] if question in ("everything", asked) else None
            what = f"{name}: {question} {fault}"
            _, assessment, found, _ = run(f"spoilt-{number}", server.url, {"work/key.json": service_account(MAIL, PEM)}, secrets=[PEM, *server.world.tokens])
        check(found, f"{what}: nothing is left of what there was")
        for key, (answer, (worst, best)) in before[name][1].items():
            asset = found.get(key)
            if asset is None:
                check(any(one["bounds"][0] == "nothing" for one in found.values()), f"{what}: {key} is gone, and nothing is in doubt")
                continue
            check(RANKS.index(asset["bounds"][0]) <= RANKS.index(worst), f"{what}: the worst of {key} became {asset['bounds']}")
            check(asset["answer"] in (answer, "unknown", "nothing"), f"{what}: {key} became {asset['answer']}")
        check(all(one["answer"] != "stopped" for one in found.values()), f"{what}: something is stopped")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(one, enumerate(cases)))
    return len(cases)


def silent():
    """A service that takes a call and says nothing."""
    with Server(SETUPS["owner"][0](), PUBLISHED, {MAIL: KEY.public_key()}) as server:
        server.fault = lambda asked: "hangs" if asked == "oauth2.token" else None
        _, _, found, _ = run("silent", server.url, {"work/key.json": service_account(MAIL, PEM)}, secrets=[PEM])
        check(server.asked == ["oauth2.token"], f"silent: asked {server.asked}")
        check(found and all(one["answer"] != "stopped" for one in found.values()), "silent: something is stopped")


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


ADC = ".config/gcloud/application_default_credentials.json"
USER = {"type": "authorized_user", "client_id": "764086051850.apps.googleusercontent.com", "client_secret": "d-FL95Q19q7MQmFpd7hHD0Ty", "refresh_token": "1//0" + "Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd1Js5Gf0Yy", "account": ""}


def hostile():
    """What a file names is neither run nor contacted, and what renews a login is sent nowhere."""
    ran = folder / "ran"
    with Listener() as listener, Server(SETUPS["owner"][0](), PUBLISHED, {MAIL: KEY.public_key()}) as server:
        url = f"http://{listener.place}"
        program_of = {"executable": {"command": f"/bin/sh -c 'touch {ran}'", "timeout_millis": 5000, "output_file": str(folder / "output")}}
        federation = lambda source: json.dumps({"type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                                                "token_url": f"{url}/v1/token", "service_account_impersonation_url": f"{url}/v1/projects/-/serviceAccounts/{DEPLOYER}:generateAccessToken", "credential_source": source})
        impersonated = json.dumps({"type": "impersonated_service_account", "service_account_impersonation_url": f"{url}/v1/projects/-/serviceAccounts/{DEPLOYER}:generateAccessToken", "source_credentials": USER, "delegates": []})
        for name, text in [
                ("issuer", service_account(MAIL, PEM, token_uri=f"{url}/token")), ("issuer in another spelling", service_account(MAIL, PEM, token_uri="https://oauth2.googleapis.com@" + listener.place + "/token")),
                ("another cloud", service_account(MAIL, PEM, universe_domain="example.com")), ("issuer of a number", service_account(MAIL, PEM).replace('"https://oauth2.googleapis.com/token"', "7")),
                ("program", federation(program_of)), ("address", federation({"url": f"{url}/token", "headers": {"Authorization": "secret"}})), ("file", federation({"file": "/etc/hostname"})),
                ("cloud", federation({"environment_id": "aws1", "regional_cred_verification_url": url})), ("another account", impersonated), ("user", json.dumps({**USER, "token_uri": f"{url}/token"})),
                ("no key", service_account(MAIL, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")), ("no mail", service_account("x@y", PEM).replace('"x@y"', '"x\\ny"'))]:
            for where in ("work/key.json", f"home/{ADC}"):
                server.asked.clear()
                _, _, found, calls = run(f"hostile-{name.replace(' ', '-')}-{where.split('/')[0]}", server.url, {where: text}, secrets=[PEM, USER["refresh_token"]])
                sent = [call["operation"] for call in calls]
                if name == "no mail":
                    check(sent in ([], ["oauth2.token"]), f"hostile {name}: {sent}")
                else:
                    check(not sent and not server.asked, f"hostile {name} {where}: {sent}")
                check(all(one["answer"] != "stopped" for one in found.values()), f"hostile {name}: {[(one['key'], one['answer']) for one in found.values()]}")
        # Two files that give different keys one id.
        server.keys[DEPLOYER] = OTHER.public_key()
        _, _, found, calls = run("hostile-id", server.url, {"work/one.json": service_account(MAIL, PEM), "work/two.json": service_account(DEPLOYER, pem(OTHER))}, secrets=[PEM, pem(OTHER)])
        check(not calls and all(one["answer"] != "stopped" for one in found.values()), f"hostile id: {calls[:1]}")
        # An address that a folder names in its own configuration counts for nothing.
        _, _, found, calls = run("hostile-configuration", None, {"work/key.json": service_account(MAIL, pem(OTHER), token_uri=f"{url}/token"), "work/deadstop.yaml": f"schema: deadstop.config/1\nproviders: {{google: {{endpoint: \"{url}\"}}}}\n"})
        check(not calls, f"hostile configuration: {calls}")
        check(listener.knocks == 0, f"hostile: {listener.knocks} knocks")
    check(not ran.exists(), "hostile: a program ran")


def credentials():
    """The kinds of credential that are asked with."""
    for name, make, expected in [
            ("key of the home", lambda one: {"files": {f"home/{ADC}": service_account(MAIL, PEM)}}, ("service_account_key", MAIL, "nothing")),
            ("variable", lambda one: {"files": {"work/x": ""}, "env": {"GOOGLE_OAUTH_ACCESS_TOKEN": one("ya29.a0" + "Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd1")}}, ("access_token", "anna@example.com", "nothing")),
            ("gcloud's variable", lambda one: {"files": {"work/x": ""}, "env": {"CLOUDSDK_AUTH_ACCESS_TOKEN": one("ya29.a0" + "Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd2")}}, ("access_token", "anna@example.com", "nothing"))]:
        state = world()
        for member in (ME, "user:anna@example.com"):
            state.bind(SHOP, member, "owner")
        token = lambda text: state.tokens.update({text: "user:anna@example.com"}) or text
        arguments = make(token)
        with Server(state, PUBLISHED, {MAIL: KEY.public_key()}) as server:
            _, assessment, found, _ = run(f"credential-{name.replace(' ', '-')}", server.url, **arguments, secrets=[PEM, *state.tokens])
            mine = [(one["kind"], one["identity"], one["status"]) for one in assessment["credentials"] if one["provider"] == "google"]
            check(mine == [(*expected[:2], "live")], f"credential {name}: {mine}")
            check(asset(ORDERS) in found and found[asset(ORDERS)]["answer"] == expected[2], f"credential {name}: {found.get(asset(ORDERS))}")
    text = "ya29.a0" + "Zk7Qm2Xw9Rt4Lp8Vb3Nc6Hd3"
    owner = lambda: (one := world(), one.tokens.update({text: "user:anna@example.com"}), one.bind(SHOP, "user:anna@example.com", "owner"))[0]
    env = {"GOOGLE_OAUTH_ACCESS_TOKEN": text}
    # A token that only reads, and one that is not told whose it is.
    for name, scopes, nameless, wanted in [("reads", {f"{SCOPE}.read-only"}, False, "unknown"), ("nameless", {SCOPE}, True, "nothing")]:
        with Server(owner(), PUBLISHED) as server:
            server.scopes = {text: scopes}
            server.nameless = {text} if nameless else set()
            _, assessment, found, _ = run(f"token-{name}", server.url, {"work/x": ""}, env=env, secrets=[text])
            if wanted == "nothing":
                check(found[asset(ORDERS)]["answer"] == "nothing", f"token {name}: {found[asset(ORDERS)]['bounds']}")
            else:
                check(all(one["answer"] == "unknown" for one in found.values()), f"token {name}: {[(one['key'], one['answer']) for one in found.values()]}")
    # Two tokens of one user say everything twice.
    state = owner()
    state.tokens[text + "more"] = "user:anna@example.com"
    with Server(state, PUBLISHED) as server:
        _, assessment, found, _ = run("token-twice", server.url, {"work/x": ""}, env={**env, "CLOUDSDK_AUTH_ACCESS_TOKEN": text + "more"}, secrets=[text])
        check(len(assessment["credentials"]) == 2 and found[asset(ORDERS)]["answer"] == "nothing", f"token twice: {found[asset(ORDERS)]['bounds']}")
        # What a command would do to what was seen.
        for command, action, wanted in [("gcloud sql instances delete orders -q", "cloudsql.instances.delete", "nothing"), ("gcloud storage rm -r gs://shop-exports", "storage.objects.delete", "unknown"),
                                        ("bq rm -r -f -d shop:sales", "bigquery.datasets.delete", "nothing"), ("gcloud firestore databases delete --database='(default)' -q", "datastore.databases.delete", "unknown")]:
            facts = folder / "token-twice" / "out" / "facts.json"
            done = subprocess.run([program, "what-if", "--facts", facts, "--format", "json", "--", command], capture_output=True, text=True)
            told = json.loads(done.stdout)
            check(told["actions"] == [action] and told["answer"] == wanted, f"what-if {command}: {told['actions']} {told['answer']}")
    # One that is not accepted, and a key of somebody else's.
    with Server(world(), PUBLISHED, {MAIL: OTHER.public_key()}) as server:
        _, assessment, found, _ = run("token-dead", server.url, {"work/key.json": service_account(MAIL, PEM)}, env=env, secrets=[text, PEM])
        mine = {(one["kind"], one["status"]) for one in assessment["credentials"] if one["provider"] == "google"}
        check(mine == {("access_token", "unverified"), ("service_account_key", "unverified")}, f"token dead: {mine}")
        check(all(one["answer"] == "unknown" for one in found.values()), f"token dead: {[(one['key'], one['answer']) for one in found.values()]}")
    # Whoever may act as an account whose key is found, too, may do what that may.
    state = SETUPS["tokens of another"][0]()
    deployer = key()
    with Server(state, PUBLISHED, {MAIL: KEY.public_key(), DEPLOYER: deployer.public_key()}) as server:
        _, _, found, _ = run("two-keys", server.url, {"work/one.json": service_account(MAIL, PEM), "work/two.json": service_account(DEPLOYER, pem(deployer), private_key_id="f" * 40)}, secrets=[PEM, pem(deployer)])
        check(found[asset(ORDERS)]["answer"] == "nothing", f"two keys: {found[asset(ORDERS)]['bounds']}")
    # Services that are not in use in a project, one that is being deleted, and one that no service of ours can name.
    state = SETUPS["sql admin"][0]()
    state.project("example.com:legacy", "415104041264")
    state.project("leaving", "415104041265")
    state.projects["leaving"]["state"] = "DELETE_REQUESTED"
    state.bind("folders/2", ME, "viewer")
    with Server(state, PUBLISHED, {MAIL: KEY.public_key()}) as server:
        server.disabled = {"spanner", "firestore", "backupdr", "container"}
        _, _, found, _ = run("services", server.url, {"work/key.json": service_account(MAIL, PEM)}, secrets=[PEM])
        check(found[asset(ORDERS)]["answer"] == "nothing", f"services: {found[asset(ORDERS)]['bounds']}")
        check("google:project/leaving/?" in found or "google:project/leaving" in found, f"services: {sorted(found)}")
        check(not server.wrong, f"services: {server.wrong[:3]}")
    # Something that is encrypted by a key of the customer's own is lost with the key.
    state = SETUPS["sql admin"][0]()
    state.things[ORDERS]["key"] = "projects/shop/locations/europe-west1/keyRings/ring/cryptoKeys/data/cryptoKeyVersions/3"
    with Server(state, PUBLISHED, {MAIL: KEY.public_key()}) as server:
        _, _, found, _ = run("keys", server.url, {"work/key.json": service_account(MAIL, PEM)}, secrets=[PEM])
        check(found["google:project/shop/location/europe-west1/keyRing/ring/key/data"]["kind"] == "key", f"keys: {sorted(found)}")


if PUBLISHED.missing:
    sys.exit(f"not published: {PUBLISHED.missing}")
waiting = threading.Thread(target=silent)
waiting.start()
setups = agreement()
credentials()
hostile()
runs = spoilt()
waiting.join()
if failures:
    sys.exit(f"{len(failures)} failed")
print(f"Answers on {setups} set-ups of rights agree with a cloud that really deletes; {runs} spoilt runs made none better.")
