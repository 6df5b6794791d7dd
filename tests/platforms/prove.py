"""Holds the answers of `deadstop run --live` about platforms against servers that really delete (server.py and one file for each).

Usage: prove.py DEADSTOP FOLDER [PLATFORM]...

What was said to be open must go through there, what was said to be stopped must be refused. Then each answer is taken away
or spoilt in turn: no answer may become better for it.
"""
import concurrent.futures
import sys

import aiven
import cloudflare
import digitalocean
import fly
import github
import heroku
import mongodb_atlas
import render
import terraform
import turso
import upstash
import vercel
from runs import adds, check, credential, failures, live, state
from server import Neon, PlanetScale, Supabase, made_up

# Neon

MAIN = "neon:morning-sky-7/br-main"
DEV = "neon:morning-sky-7/br-dev-1"
PROJECT = "/api/v2/projects/{project_id}"


def neon_key(key):
    return f"NEON_API_KEY={key}\n"


def neon():
    with Neon() as platform:
        for name, key in [("user", Neon.USER), ("organization", Neon.ORGANIZATION)]:
            platform.asked.clear()
            code, assessment, found = live(platform, neon_key(key), f"neon-{name}")
            check(code == 1 and found[MAIN]["answer"] == "nothing", f"neon {name}: {found[MAIN]}")
            check(found[DEV]["environment"] == "dev-1" and not found[DEV]["in_headline"], f"neon {name}: {found[DEV]}")
            check(found[MAIN]["environment"] == "main" and found[MAIN]["assumed_environment"], f"neon {name}: {found[MAIN]}")
            check("databases app" in found[MAIN]["holds"], f"neon {name}: {found[MAIN]}")
            check(credential(assessment, "neon")["status"] == "live", f"neon {name}: {credential(assessment, 'neon')}")
        shown = f"Bearer {Neon.USER}"
        delete = f"DELETE {PROJECT}/branches/{{branch_id}}"
        check(not platform.deletes(delete, ("morning-sky-7", "br-main"), shown), "the server refuses a protected branch")
        check(not platform.deletes(f"DELETE {PROJECT}", ("morning-sky-7",), shown), "and its project")
        # Protection knows nothing of what lies in the branch, and comes off by one call.
        check(platform.deletes(f"{delete}/databases/{{database_name}}", ("morning-sky-7", "br-main", "app"), shown), "but not its databases")
        check(platform.deletes(f"PATCH {PROJECT}/branches/{{branch_id}}", ("morning-sky-7", "br-main"), shown), "the server lets the protection be taken off")
        check(platform.deletes(delete, ("morning-sky-7", "br-main"), shown), "the server deletes the branch")
    with Neon() as platform:
        _, assessment, found = live(platform, neon_key(Neon.PROJECT), "neon-project")
        check(state(assessment, found[DEV], "permit") == "open", f"neon project: {found[DEV]}")
        check("key of project" in credential(assessment, "neon")["identity"], f"neon project: {credential(assessment, 'neon')}")
        shown = f"Bearer {Neon.PROJECT}"
        check(not platform.deletes(f"DELETE {PROJECT}", ("morning-sky-7",), shown), "the server refuses a key of the project to delete it")
        check(platform.deletes(f"DELETE {PROJECT}/branches/{{branch_id}}", ("morning-sky-7", "br-dev-1"), shown), "and lets it delete a branch")
    with Neon() as platform:
        # A URL that is in reach is that of the branch whose compute it names, with a pooler and without; what names none
        # may be any branch's.
        url = lambda host: f"DATABASE_URL=postgres://app:Tr0ub4dor-and-3@{host}/app\n"
        for name, host, main, dev in [("own", "ep-calm-main.c-2.eu-central-1.aws.neon.tech", True, False), ("pooler", "ep-calm-main-pooler.eu-central-1.aws.neon.tech", True, False),
                                      ("another", "ep-other-9.eu-central-1.aws.neon.tech", False, False), ("proxy", "pg.neon.tech", True, True), ("tunnel", "localhost", True, True)]:
            platform.asked.clear()
            _, assessment, found = live(platform, url(host) + neon_key(Neon.PROJECT), f"neon-url-{name}")
            (shop,) = [asset for key, asset in found.items() if key.startswith("postgres://") and key.endswith("/app")]
            joined = any("main" in place for place in shop["place"])
            check(joined == (name in ("own", "pooler")), f"neon url {name}: {shop['place']}")
            actions = lambda asset: {path["action"] for path in assessment["paths"] if path["id"] in asset["paths"]}
            for key, expected in ((MAIN, main), (DEV, dev)):
                by_url = any("same:" in action for action in actions(found[key]))
                check(by_url == expected, f"neon url {name}: {key}: {actions(found[key])}")
        platform.asked.clear()
        code, assessment, found = live(platform, neon_key(Neon.MEMBER), "neon-member")
        check(found[MAIN]["answer"] == "unknown" and found[MAIN]["bounds"][0] == "nothing", f"neon member: {found[MAIN]}")
    with Neon() as platform:
        code, assessment, _ = live(platform, neon_key("napi_" + made_up("nobody", 64)), "neon-dead")
        check(credential(assessment, "neon")["status"] == "unverified" and code == 3, f"neon dead: exit {code}")
    return [Neon, neon_key(Neon.USER), [MAIN], lambda asset: asset["in_headline"]], [Neon, neon_key(Neon.ORGANIZATION), [MAIN], lambda asset: asset["in_headline"]]


# PlanetScale

ORDERS = "planetscale:northwind/orders/main"
TRY = "planetscale:northwind/orders/try-out"
DATABASE = "/v1/organizations/{organization}/databases/{database}"


def planetscale_token(name):
    return f"PLANETSCALE_SERVICE_TOKEN_ID={PlanetScale.IDS[name]}\nPLANETSCALE_SERVICE_TOKEN={PlanetScale.secret(name)}\n"


def shown_as(name):
    return f"{PlanetScale.IDS[name]}:{PlanetScale.secret(name)}"


def planetscale():
    branch = f"DELETE {DATABASE}/branches/{{branch}}"
    with PlanetScale() as platform:
        code, assessment, found = live(platform, planetscale_token("deployer"), "planetscale-deployer")
        check(code == 1 and found[ORDERS]["prevention"] == "open", f"planetscale deployer: {found[ORDERS]}")
        check(found[ORDERS]["environment"] == "production" and found[TRY]["environment"] == "development", f"planetscale deployer: {found}")
        check(credential(assessment, "planetscale")["public_id"] == PlanetScale.IDS["deployer"], f"planetscale: {credential(assessment, 'planetscale')}")
        check(not platform.deletes(f"DELETE {DATABASE}", ("northwind", "orders"), shown_as("deployer")), "the server refuses a protected database")
        check(platform.deletes(branch, ("northwind", "orders", "main"), shown_as("deployer")), "and deletes its production branch")
    with PlanetScale() as platform:
        _, assessment, found = live(platform, planetscale_token("reader"), "planetscale-reader")
        check(found[ORDERS]["answer"] == "stopped" and state(assessment, found[ORDERS], "permit") == "stops", f"planetscale reader: {found[ORDERS]}")
        for key, parts in [(f"DELETE {DATABASE}", ("northwind", "orders")), (branch, ("northwind", "orders", "main")), (f"PATCH {DATABASE}", ("northwind", "orders"))]:
            check(not platform.deletes(key, parts, shown_as("reader")), f"the server refuses a reader {key}")
    with PlanetScale() as platform:
        # A login at its hosts may be one at that branch, which a token's rights say nothing of.
        login = "DATABASE_URL=mysql://app:k3-quarry-fern@aws.connect.psdb.cloud/orders\n"
        _, _, more = live(platform, planetscale_token("reader") + login, "planetscale-reader-login")
        check(more[ORDERS]["answer"] == "unknown", f"planetscale reader with a login: {more[ORDERS]}")
    with PlanetScale() as platform:
        _, assessment, found = live(platform, planetscale_token("developer"), "planetscale-developer")
        check(found[ORDERS]["answer"] == "stopped", f"planetscale developer: {found[ORDERS]}")
        check(found[TRY]["prevention"] == "open", f"planetscale developer: {found[TRY]}")
        check(not platform.deletes(branch, ("northwind", "orders", "main"), shown_as("developer")), "the server refuses a developer the production branch")
        check(platform.deletes(branch, ("northwind", "orders", "try-out"), shown_as("developer")), "and deletes another")
    with PlanetScale() as platform:
        code, assessment, found = live(platform, planetscale_token("settings"), "planetscale-settings")
        check(code == 1 and found[ORDERS]["prevention"] == "slowed" and found[ORDERS]["recovery"] == "none", f"planetscale settings: {found[ORDERS]}")
        check(not platform.deletes(f"DELETE {DATABASE}", ("northwind", "orders"), shown_as("settings")), "the server refuses a protected database")
        check(platform.deletes(f"PATCH {DATABASE}", ("northwind", "orders"), shown_as("settings")), "lets the protection be switched off")
        check(platform.deletes(f"DELETE {DATABASE}", ("northwind", "orders"), shown_as("settings")), "and deletes it then")
    data = PlanetScale.company()
    data["databases"][0].update(deletion_protected=False, multiple_admins_required_for_deletion=True)
    with PlanetScale(data) as platform:
        _, assessment, found = live(platform, planetscale_token("settings"), "planetscale-two")
        check(found[ORDERS]["answer"] == "unknown", f"planetscale two administrators: {found[ORDERS]}")
    with PlanetScale() as platform:
        code, assessment, found = live(platform, planetscale_token("blind"), "planetscale-blind")
        check(found[ORDERS]["answer"] == "unknown" and found[ORDERS]["bounds"][0] == "nothing", f"planetscale blind: {found[ORDERS]}")
    data = PlanetScale.company()
    data["databases"][0].update(deletion_protected=False)
    with PlanetScale(data) as platform:
        # An access to a database that its token is not shown, and another is.
        check(adds(platform, planetscale_token("reader"), planetscale_token("unseen"), ORDERS, "planetscale-unseen"), "planetscale unseen")
        check(platform.deletes(f"DELETE {DATABASE}", ("northwind", "orders"), shown_as("unseen")), "the server deletes what it does not show")
    with PlanetScale() as platform:
        code, assessment, _ = live(platform, f"PLANETSCALE_SERVICE_TOKEN={PlanetScale.secret('deployer')}\n", "planetscale-without-id")
        check(not platform.asked and code == 3, f"planetscale without its id: exit {code}, {platform.asked}")
    return [[PlanetScale, planetscale_token("deployer"), [ORDERS], lambda asset: asset["in_headline"]]]


# Supabase

SHOP = "supabase:abcdefghijklmnopqrst"


def supabase():
    text = lambda token: f"SUPABASE_ACCESS_TOKEN={token}\n"
    with Supabase() as platform:
        code, assessment, found = live(platform, text(Supabase.OWNER), "supabase-owner")
        check(code == 1 and found[SHOP]["answer"] == "nothing", f"supabase owner: {found[SHOP]}")
        check(found[f"{SHOP}/bucket/avatars"]["answer"] == "nothing", f"supabase owner: {found}")
        check(f"{SHOP}/branch/branch-main" not in found and not found[f"{SHOP}/branch/branch-pr"]["in_headline"], f"supabase owner: {list(found)}")
        check(platform.deletes("DELETE /v1/projects/{ref}", ("abcdefghijklmnopqrst",), f"Bearer {Supabase.OWNER}"), "the server deletes the project")
        check(not platform.data["backups"], "and its backups")
    for name, token in [("developer", Supabase.DEVELOPER), ("scoped", Supabase.SCOPED)]:
        with Supabase() as platform:
            code, assessment, found = live(platform, text(token), f"supabase-{name}")
            check(found[SHOP]["answer"] == "unknown" and found[SHOP]["bounds"][0] == "nothing", f"supabase {name}: {found[SHOP]}")
    with Supabase() as platform:
        code, assessment, _ = live(platform, text("sbp_" + made_up("nobody", 40)), "supabase-dead")
        check(credential(assessment, "supabase")["status"] == "unverified" and code == 3, f"supabase dead: exit {code}")
    return [[Supabase, text(Supabase.OWNER), [SHOP], lambda asset: asset["in_headline"]]]


FAULTS = {
    "denied": lambda status, body: (403, b"{}", []),
    "not known": lambda status, body: (401, b"{}", []),
    "not found": lambda status, body: (404, b"", []),
    "throttled": lambda status, body: (429, b"", [("Retry-After", "3600")]),
    "broken": lambda status, body: (500, b"", []),
    "empty": lambda status, body: (200, b"", []),
    "no JSON": lambda status, body: (200, b"<html>a proxy says hello</html>", []),
    "an empty object": lambda status, body: (200, b"{}", []),
    "an empty list": lambda status, body: (200, b"[]", []),
    "null": lambda status, body: (200, b"null", []),
    "cut off": lambda status, body: (status, body[:len(body) * 2 // 3], []),
    "redirected": lambda status, body: (302, b"", [("Location", "http://127.0.0.1:1/")]),
}
# A list that is empty is an answer, not a fault, where the list is all there is to the answer.
LISTS = {"GET /v1/organizations", "GET /v1/organizations/{slug}/members", "GET /v1/projects", "GET /v1/projects/{ref}/branches", "GET /v1/projects/{ref}/storage/buckets",
         "GET /user/memberships/orgs", "GET /user/repos",
         "GET /teams", "GET /apps", "GET /pipeline-couplings", "GET /addons",
         "GET /v1/owners", "GET /v1/environments", "GET /v1/postgres", "GET /v1/key-value", "GET /v1/services", "GET /v1/disks", "GET /v1/disks/{diskId}/snapshots",
         "GET /v1/global-config",
         "GET /v1/apps/{app_name}/volumes", "GET /v1/apps/{app_name}/volumes/{volume_id}/snapshots",
         "GET /v2/redis/databases", "GET /v2/redis/list-backup/{id}", "GET /v2/vector/index", "GET /v2/search", "GET /v2/teams"}


def spoilt(subjects):
    def one(case):
        number, (platform, text, keys, counted, path, fault) = case
        with platform() as server:
            server.fault = (path, FAULTS[fault])
            what = f"{path} {fault}"
            code, assessment, found = live(server, text, f"spoilt-{number}")
            check(code in (1, 3), f"{what}: exit {code}")
            check(found, f"{what}: nothing is left of what there was")
            for key, asset in found.items():
                # What no access is to is stopped without a fault, too: databases that a token is not shown.
                if counted(asset) and key not in stopped[platform]:
                    check(asset["answer"] != "stopped", f"{what}: {key} became stopped")
            for key in keys:
                if key in found:
                    check(found[key]["bounds"][0] == before[platform][key], f"{what}: the worst of {key} became {found[key]['bounds']}")
                else:
                    check(any(asset["bounds"][0] == "nothing" for asset in found.values()), f"{what}: {key} is gone")

    before, stopped = {}, {}
    for platform, text, keys, counted in subjects:
        with platform() as server:
            found = live(server, text, f"whole-{platform.provider}")[2]
            before[platform] = {key: found[key]["bounds"][0] for key in keys}
            stopped[platform] = {key for key, asset in found.items() if counted(asset) and asset["answer"] == "stopped"}
            check(stopped[platform] <= {"planetscale:northwind/?", "terraform:northwind/?", f"mongodb_atlas:org/{made_up('org', 24)}/?"}, f"{platform.provider}: {stopped[platform]}")
    cases = []
    for platform, text, keys, counted in subjects:
        for path in platform().published:
            if path.startswith(("GET", "QUERY")):
                cases += [(platform, text, keys, counted, path, fault) for fault in FAULTS if not (fault == "an empty list" and path in LISTS)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(one, enumerate(cases)))
    return len(cases)


PROOFS = {"aiven": aiven.prove, "cloudflare": cloudflare.prove, "digitalocean": digitalocean.prove, "fly": fly.prove, "github": github.prove, "heroku": heroku.prove, "mongodb_atlas": mongodb_atlas.prove, "neon": neon, "planetscale": planetscale, "render": render.prove,
          "supabase": supabase, "terraform": terraform.prove, "turso": turso.prove, "upstash": upstash.prove, "vercel": vercel.prove}
runs = spoilt([subject for name in sys.argv[3:] or PROOFS for subject in PROOFS[name]()])
if failures:
    sys.exit(f"{len(failures)} failed")
print(f"Answers agree with servers that really delete; {runs} spoilt runs made none better.")
