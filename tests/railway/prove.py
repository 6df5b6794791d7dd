"""Holds the answers of `deadstop run --live` about Railway against a server that really deletes (server.py).

Usage: prove.py DEADSTOP FOLDER

What was said to be open must go through there, what was said to be stopped must be refused. Then each answer is taken away
or spoilt in turn: no answer may become better for it.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

from server import ACCOUNT, DEAD, MEMBER, PRODUCTION, STAGING, WORKSPACE, Railway, company

program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
failures = []
BOOKINGS = "railway:prj-storefront/env-production/vol-bookings"
UPLOADS = "railway:prj-storefront/env-production/vol-shared"
MADE_UP = "railway:prj-storefront/env-staging/vol-made-up"


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAIL {what}")


def run(endpoint, files, name, *flags, policy=""):
    """Runs Deadstop over a folder with these files; gives the exit code, the assessment and the report folder."""
    root = folder / name
    for part in ("home", "system"):
        (root / part).mkdir(parents=True, exist_ok=True)
    for place, text in files.items():
        path = root / "work" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    config = root / "deadstop.yaml"
    config.write_text("schema: deadstop.config/1\nproviders:\n  railway: {endpoint: \"%s\"}\n%s" % (endpoint, policy))
    out = root / "out"
    done = subprocess.run([program, "run", root / "work", "--home", root / "home", "--system", root / "system", "--config", config, "-o", out,
                           "--quiet", *flags], capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    if not (out / "assessment.json").exists():
        sys.exit(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    shown = done.stdout + done.stderr + "".join(path.read_text() for path in out.iterdir())
    for secret in (ACCOUNT, WORKSPACE, STAGING, PRODUCTION, MEMBER, DEAD):
        check(secret not in shown, f"{name}: a secret is in the output")
    return done.returncode, json.loads((out / "assessment.json").read_text()), out


def live(railway, files, name, *flags, policy=""):
    quick = ["--no-fixes"] if railway.fault else []
    code, assessment, out = run(railway.url, files, name, "--live", *quick, *flags, policy=policy)
    check(not railway.wrong, f"{name}: {railway.wrong}")
    asked = [question for question in railway.asked]
    check(railway.fault or len(asked) == len(set(asked)), f"{name}: a question was asked twice: {[q for q in asked if asked.count(q) > 1]}")
    return code, assessment, out


def answers(assessment):
    return {asset["key"]: asset for asset in assessment["assets"]}


def layers(assessment, asset):
    path = next(path for path in assessment["paths"] if path["id"] == asset["worst_path"])
    return {layer["layer"]: layer for layer in path["layers"]}


def env(token, name="RAILWAY_API_TOKEN"):
    return {"ops/domains/.env": f"# for the domain names of the marketing site\n{name}={token}\n"}


def deletes(railway, token, header, mutation):
    """Whether the server lets a token do this, for real."""
    answer, wrong = railway.execute("mutation { %s }" % mutation, {}, token, header)
    check(not wrong, f"{mutation}: {wrong}")
    return "errors" not in answer


def the_incident():
    """A token for domain names, in a file that has nothing to do with it, is good for the production volume."""
    for kind, name in [("account_token", "RAILWAY_API_TOKEN"), ("project_token", "RAILWAY_TOKEN")]:
        with Railway(company(bucket=True)) as railway:
            code, assessment, out = live(railway, env(ACCOUNT, name), f"incident-{kind}")
            found = answers(assessment)
            bookings = found[BOOKINGS]
            check(code == 1, f"incident: exit {code}")
            check(bookings["answer"] == "nothing" and bookings["recovery"] == "none", f"incident: {bookings}")
            check(bookings["environment"] == "production" and not bookings["assumed_environment"], f"incident: {bookings}")
            states = {name: layer["state"] for name, layer in layers(assessment, bookings).items()}
            check(states["reach"] == states["permit"] == states["protect"] == states["survive"] == "open", f"incident: {states}")
            check(found[MADE_UP]["environment"] == "staging", f"incident: {found[MADE_UP]}")
            check(all(asset["answer"] == "nothing" for asset in found.values() if asset["kind"] in ("volume", "bucket")), f"incident: {found}")
            credential = next(one for one in assessment["credentials"] if one["provider"] == "railway")
            check(credential["status"] == "live" and "user-dana" in credential["identity"], f"incident: {credential}")
            check("Northwind" in credential["scope"] and credential["kind"] == "account_token", f"incident: {credential}")
            check(credential["locations"][0]["path"].endswith("ops/domains/.env"), f"incident: {credential}")
            text = json.dumps(assessment)
            check("deleted with it" in text or "kept with the volume" in text, "incident: the backups go with the volume")
            calls = [json.loads(line) for line in (out / "calls.jsonl").read_text().splitlines()]
            check(calls and all(call["operation"].startswith("query ") for call in calls), f"incident: {calls}")
            check(len(railway.data["backups"]["instance-vol-bookings-env-production"]) == 4, "nothing was deleted by looking")
            check(deletes(railway, ACCOUNT, "bearer", 'volumeDelete(volumeId: "vol-bookings")'), "the server deletes the volume")
            check("instance-vol-bookings-env-production" not in railway.data["backups"], "and its backups")


def a_workspace():
    with Railway(company()) as railway:
        code, assessment, _ = live(railway, env(WORKSPACE), "workspace")
        bookings = answers(assessment)[BOOKINGS]
        check(code == 1 and bookings["answer"] == "nothing", f"workspace: exit {code}, {bookings}")
        credential = next(one for one in assessment["credentials"] if one["provider"] == "railway")
        check("workspace" in credential["identity"] and credential["kind"] == "workspace_token", f"workspace: {credential}")
        check(deletes(railway, WORKSPACE, "bearer", 'volumeDelete(volumeId: "vol-bookings")'), "the server lets a workspace token delete")


def staging_alone():
    """A token of staging alone does not reach production, and is refused there."""
    for name in ("RAILWAY_TOKEN", "RAILWAY_API_TOKEN"):
        with Railway(company()) as railway:
            code, assessment, _ = live(railway, env(STAGING, name), f"staging-{name}")
            found = answers(assessment)
            bookings, made_up = found[BOOKINGS], found[MADE_UP]
            check(bookings["answer"] == "stopped", f"staging: {bookings}")
            check(layers(assessment, bookings)["permit"]["state"] == "stops", f"staging: {layers(assessment, bookings)}")
            check(made_up["prevention"] == "open" and made_up["environment"] == "staging", f"staging: {made_up}")
            # Whether such a token is shown all of its project is not documented, and a volume may be one in all environments.
            rest = [asset for asset in found.values() if asset["kind"] == "rest"]
            check(rest and all(asset["answer"] == "unknown" for asset in rest), f"staging: {rest}")
            listed = [asset for asset in found.values() if asset["environment"] == "production" and asset["kind"] == "volume"]
            check(len(listed) == 1 and listed[0]["answer"] == "stopped", f"staging: {listed}")
            credential = next(one for one in assessment["credentials"] if one["provider"] == "railway")
            check(credential["environment"] == "staging" and credential["status"] == "live" and credential["kind"] == "project_token", f"staging: {credential}")
            for mutation in ('volumeDelete(volumeId: "vol-bookings")', 'environmentDelete(id: "env-production")',
                             'projectScheduleDelete(id: "prj-storefront")', 'projectScheduleDeleteForce(id: "prj-storefront")'):
                check(not deletes(railway, STAGING, "project", mutation), f"the server refuses a token of staging {mutation}")
            check(deletes(railway, STAGING, "project", 'volumeDelete(volumeId: "vol-made-up")'), "the server lets it delete in staging")


def by_a_login():
    """A login at a host of Railway may be one at the database that a volume keeps, which a token's rights say nothing of."""
    for name, url, expected in [
            ("proxy", "postgres://postgres:k3-quarry-fern@shuttle.proxy.rlwy.net:23456/railway", "unknown"),
            ("within", "postgres://postgres:k3-quarry-fern@postgres.railway.internal:5432/railway", "unknown"),
            ("elsewhere", "postgres://postgres:k3-quarry-fern@ep-cool-1.eu-central-1.aws.neon.tech/shop", "stopped"),
            ("another", "mysql://root:k3-quarry-fern@shuttle.proxy.rlwy.net:23456/railway", "stopped")]:
        with Railway(company()) as railway:
            files = env(STAGING, "RAILWAY_TOKEN")
            files["db/.env"] = f"DATABASE_URL={url}\n"
            _, assessment, _ = live(railway, files, f"login-{name}")
            bookings = answers(assessment)[BOOKINGS]
            check(bookings["answer"] == expected, f"login {name}: {bookings['sentence']}")


def one_volume_in_two_environments():
    """What an agent that deletes in staging did not look at: the same volume in production."""
    with Railway(company(shared=True)) as railway:
        _, assessment, _ = live(railway, env(STAGING, "RAILWAY_TOKEN"), "shared")
        found = answers(assessment)
        check(found[UPLOADS]["answer"] == "unknown", f"shared: {found[UPLOADS]}")
        check(found[BOOKINGS]["answer"] == "stopped", f"shared: another volume is not meant: {found[BOOKINGS]}")


def a_member():
    """Which ways of deleting are closed to a member is not documented for all of them."""
    with Railway(company()) as railway:
        code, assessment, _ = live(railway, env(MEMBER), "member")
        bookings = answers(assessment)[BOOKINGS]
        check(code != 0 and bookings["answer"] == "unknown" and bookings["bounds"] == ["nothing", "stopped"], f"member: exit {code}, {bookings}")


def invited():
    """A project of another workspace, to which the user was invited, is in reach too."""
    data = company()
    data["invited"] = ["prj-guest"]
    data["volumes"].append({**data["volumes"][0], "id": "instance-guest", "volumeId": "vol-guest", "environmentId": "env-guest", "volume": {"id": "vol-guest", "name": "guest"}})
    with Railway(data) as railway:
        _, assessment, _ = live(railway, env(ACCOUNT), "invited")
        guest = answers(assessment)["railway:prj-guest/env-guest/vol-guest"]
        check(guest["answer"] == "unknown" and guest["bounds"][0] == "nothing", f"invited: {guest}")


def queued():
    """Where a loss is noticed in time, the 48 hours count; who may end them has no use for them."""
    policy = "policy: {time_to_notice: 24h}\n"
    data = company()
    data["backups"] = {}
    with Railway(data) as railway:
        _, assessment, _ = live(railway, env(ACCOUNT), "queued-account", policy=policy)
        bookings = answers(assessment)[BOOKINGS]
        check(bookings["answer"] == "nothing", f"queued: an account ends the 48 hours itself: {bookings}")
        check(deletes(railway, ACCOUNT, "bearer", 'projectScheduleDelete(id: "prj-storefront")'), "the server schedules the deletion")
        check(deletes(railway, ACCOUNT, "bearer", 'projectScheduleDeleteForce(id: "prj-storefront")'), "and ends the 48 hours")
    with Railway(data) as railway:
        _, assessment, _ = live(railway, env(PRODUCTION, "RAILWAY_TOKEN"), "queued-project", policy=policy)
        bookings = answers(assessment)[BOOKINGS]
        # Some ways of deleting wait 48 hours; of the others nobody says so.
        check(bookings["prevention"] == "open" and bookings["answer"] == "unknown", f"queued: {bookings}")
        check(bookings["bounds"] == ["nothing", "recoverable-untested"], f"queued: {bookings}")
    with Railway(data) as railway:
        _, assessment, _ = live(railway, env(PRODUCTION, "RAILWAY_TOKEN"), "queued-late")
        check(answers(assessment)[BOOKINGS]["answer"] == "nothing", "queued: they end before a loss is noticed")


def dead():
    """Railway says the same of a token that is gone and of one that may not: it is not taken for gone."""
    with Railway(company()) as railway:
        code, assessment, _ = live(railway, env(DEAD), "dead")
        status = [one["status"] for one in assessment["credentials"] if one["provider"] == "railway"]
        check(status == ["unverified"] and code == 3, f"dead: exit {code}, {status}")
        check(all(asset["answer"] != "stopped" for asset in assessment["assets"]), f"dead: {assessment['assets']}")


def not_asked():
    with Railway(company()) as railway:
        run(railway.url, env(ACCOUNT), "offline", "--live", "--offline")
        run(railway.url, env(ACCOUNT), "not-live")
        run(railway.url, env(ACCOUNT), "another", "--live", "--provider", "aws")
        refresh = {"user": {"refreshToken": ACCOUNT}}
        run(railway.url, {"x.txt": f"{ACCOUNT}\n", ".railway/config.json": json.dumps(refresh)}, "no-context", "--live")
        check(not railway.asked, f"nobody was to be asked: {railway.asked}")
    done = subprocess.run([program, "run", "--live", "--plan", "--provider", "railway", "--no-home", folder], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"]})
    check("query environment.volumeInstances" in done.stdout and "backboard.railway.com" in done.stdout and "sts:" not in done.stdout, f"plan: {done.stdout}")


def polite():
    """A host that asks to wait is left alone for so long; a few credentials are asked about at once, and no more."""
    with Railway(company()) as railway:
        first = []
        def once(body):
            first.append(time.monotonic())
            return (429, b"", [("Retry-After", "1")]) if len(first) == 1 else (200, body, [])
        railway.fault = ("Volumes", once)
        _, assessment, _ = live(railway, env(ACCOUNT), "asked-to-wait")
        check(answers(assessment)[BOOKINGS]["answer"] == "nothing", "asked to wait: it is asked again")
        check(len(first) > 1 and first[1] - first[0] >= 1, f"asked to wait: {first}")
    with Railway(company()) as railway:
        railway.fault = ("Volumes", lambda body: (429, b"", [("Retry-After", "86400")]))
        started = time.monotonic()
        code, assessment, _ = live(railway, env(ACCOUNT), "asked-to-wait-for-a-day")
        check(time.monotonic() - started < 20 and code != 0, "a day is not waited")
        check(len([question for question in railway.asked if question[2] == "Volumes"]) == 1, "and nobody is asked again before")
    tokens = {f"{at}/.env": f"RAILWAY_TOKEN=6d0f6c39-2f0b-4a52-9f27-3f1f0f6c{at:04x}\n" for at in range(40)}
    data = company()
    for at in range(40):
        data["tokens"][f"6d0f6c39-2f0b-4a52-9f27-3f1f0f6c{at:04x}"] = data["tokens"][STAGING]
    runs = []
    for number in range(2):
        with Railway(data) as railway:
            railway.delay = 0.02
            _, assessment, out = live(railway, tokens, f"many-{number}")
            check(1 < railway.most <= 8, f"many: {railway.most} at once")
            facts = json.loads((out / "facts.json").read_text())
            runs.append({key: facts[key] for key in ("assets", "grants", "principals", "recovery_points", "credentials")})
    check(len(runs[0]["credentials"]["items"]) == 40, "many: forty credentials")
    names = [[item["id"] for item in one["assets"]["items"]] for one in runs]
    check(names[0] == names[1], "many: two runs say the same in the same order")


FAULTS = {
    "not authorized": lambda body: (200, b'{"errors": [{"message": "Not Authorized"}], "data": null}', []),
    "an error beside data": lambda body: (200, json.dumps({**json.loads(body), "errors": [{"message": "Problem processing request"}]}).encode(), []),
    "denied": lambda body: (403, b"", []),
    "throttled": lambda body: (429, b"", []),
    "broken": lambda body: (500, b"", []),
    "empty": lambda body: (200, b"", []),
    "no JSON": lambda body: (200, b"<html>a proxy says hello</html>", []),
    "no data": lambda body: (200, b'{"data": null}', []),
    "an empty object": lambda body: (200, b'{"data": {}}', []),
    "cut off": lambda body: (200, body[:len(body) * 2 // 3], []),
    "redirected": lambda body: (302, b"", [("Location", "http://127.0.0.1:1/graphql/v2")]),
}
QUERIES = ["ProjectToken", "ApiToken", "Me", "Roles", "External", "Projects", "Environments", "Buckets", "Volumes", "Services", "Backups", "Schedules"]


def spoilt():
    """Every answer in turn is refused, broken off or garbled."""
    def account(case):
        query, fault = case
        with Railway(company()) as railway:
            railway.fault = (query, FAULTS[fault])
            code, assessment, _ = live(railway, env(ACCOUNT), f"spoilt-account-{query}-{fault}".replace(" ", "-"))
            found, what = answers(assessment), f"an account, {query} {fault}"
            check(code in (1, 3), f"{what}: exit {code}")
            check(found, f"{what}: nothing is left of what there was")
            for key, asset in found.items():
                if asset["environment"] != "staging":
                    check(asset["bounds"][0] == "nothing", f"{what}: the worst of {key} became {asset['bounds']}")
            check(BOOKINGS in found or any(asset["answer"] in ("nothing", "unknown") for asset in found.values()), f"{what}: {found}")

    def staging(case):
        query, fault = case
        with Railway(company(shared=True)) as railway:
            railway.fault = (query, FAULTS[fault])
            code, assessment, _ = live(railway, env(STAGING, "RAILWAY_TOKEN"), f"spoilt-staging-{query}-{fault}".replace(" ", "-"))
            found, what = answers(assessment), f"staging, {query} {fault}"
            for key, asset in found.items():
                if asset["environment"] == "staging" or key == UPLOADS:
                    check(asset["bounds"][0] == "nothing", f"{what}: the worst of {key} became {asset['bounds']}")
            check(UPLOADS in found or code == 3, f"{what}: exit {code}")

    cases = [(query, fault) for query in QUERIES for fault in FAULTS]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(account, cases))
        list(pool.map(staging, cases))
    return 2 * len(cases)


the_incident()
a_workspace()
staging_alone()
by_a_login()
one_volume_in_two_environments()
a_member()
invited()
queued()
dead()
not_asked()
polite()
runs = spoilt()
if failures:
    sys.exit(f"{len(failures)} failed")
print(f"Answers agree with a server that really deletes; {runs} spoilt runs made none better.")
