"""How long 200 credentials of 16 platforms take, at servers each of whose answers is on its way for 100 ms.

Usage: many.py DEADSTOP FOLDER

Every one of them must be identified, with no host asked for more than eight things at once, no identical question put twice,
and in less than twice the time that the calls of the slowest platform take at eight at once, however slow the machine makes
them. Then one host asks to be left alone for a second, and is, which holds up no other.
"""
import functools
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

program, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])

import server as platforms  # noqa: E402
from aiven import Aiven, text as aiven  # noqa: E402
from cloudflare import Cloudflare, text as cloudflare  # noqa: E402
from digitalocean import DigitalOcean, text as digitalocean  # noqa: E402
from fly import Fly, text as fly  # noqa: E402
from github import GitHub, text as github  # noqa: E402
from heroku import Heroku, text as heroku  # noqa: E402
from mongodb_atlas import Atlas, text as atlas  # noqa: E402
from render import Render, text as render  # noqa: E402
from terraform import Terraform, text as terraform  # noqa: E402
from turso import Turso, text as turso  # noqa: E402
from upstash import Upstash, text as upstash  # noqa: E402
from vercel import Vercel, text as vercel  # noqa: E402

spec = importlib.util.spec_from_file_location("railway_server", pathlib.Path(__file__).parent.parent / "railway" / "server.py")
railway = importlib.util.module_from_spec(spec)
spec.loader.exec_module(railway)

# What is published is held against elsewhere: here, all servers share one interpreter with what is measured.
platforms.PUBLISHED = {name: {**about, "paths": {key: {part: value for part, value in one.items() if part != "answer"} for key, one in about["paths"].items()}} for name, about in platforms.PUBLISHED.items()}
railway.graphql.validate = lambda *_: []
railway.graphql.parse = functools.cache(railway.graphql.parse)

EACH, LATENCY, AT_ONCE = 13, 0.1, 8
NAMES = [f"many{number}" for number in range(EACH)]


def of(kind, table, text):
    """A platform, and credentials of it that are like the first it knows."""
    held = getattr(kind, table)
    held.update(dict.fromkeys(NAMES, next(iter(held.values()))))
    return kind, kind(), [text(name) for name in NAMES]


def neon():
    server, keys = platforms.Neon(), [f"napi_{platforms.made_up(name, 64)}" for name in NAMES]
    known = server.data["keys"]
    known.update({f"Bearer {key}": known[f"Bearer {platforms.Neon.USER}"] for key in keys})
    return platforms.Neon, server, [f"NEON_API_KEY={key}\n" for key in keys]


def supabase():
    server, tokens = platforms.Supabase(), [f"sbp_{platforms.made_up(name, 40)}" for name in NAMES]
    known = server.who
    server.who = lambda shown: known(f"Bearer {platforms.Supabase.OWNER}" if shown.removeprefix("Bearer ") in tokens else shown)
    return platforms.Supabase, server, [f"SUPABASE_ACCESS_TOKEN={token}\n" for token in tokens]


def planetscale():
    kind = platforms.PlanetScale
    for number, name in enumerate(NAMES):
        kind.IDS[name], kind.ACCESSES[name] = f"a1b2c3d4e{number:03x}", kind.ACCESSES["deployer"]
    return kind, kind(), [f"PLANETSCALE_SERVICE_TOKEN_ID={kind.IDS[name]}\nPLANETSCALE_SERVICE_TOKEN={kind.secret(name)}\n" for name in NAMES]


def of_railway():
    data, tokens = railway.company(), [f"6d0f6c39-2f0b-4a52-9f27-3f1f0f6c{number:04x}" for number in range(EACH)]
    data["tokens"].update({token: data["tokens"][railway.STAGING] for token in tokens})
    server = railway.Railway(data)
    return type(server), server, [f"RAILWAY_TOKEN={token}\n" for token in tokens]


def slow(server):
    """The same server behind a line on which each answer takes its time; what came at once is counted."""
    server.at_once = server.most_at_once = 0
    count, answer = threading.Lock(), server.reply

    def reply(request):
        with count:
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        time.sleep(LATENCY)
        try:
            answer(request)
        finally:
            with count:
                server.at_once -= 1

    server.reply = reply


def main():
    every = {
        "aiven": of(Aiven, "USERS", aiven), "cloudflare": of(Cloudflare, "TOKENS", cloudflare), "digitalocean": of(DigitalOcean, "TOKENS", digitalocean), "fly": of(Fly, "USERS", fly),
        "github": of(GitHub, "TOKENS", github), "heroku": of(Heroku, "KEYS", heroku), "mongodb_atlas": of(Atlas, "KEYS", atlas), "neon": neon(), "planetscale": planetscale(), "railway": of_railway(),
        "render": of(Render, "KEYS", render), "supabase": supabase(), "terraform": of(Terraform, "TEAMS", terraform), "turso": of(Turso, "TOKENS", turso), "upstash": of(Upstash, "KEYS", upstash),
        "vercel": of(Vercel, "TOKENS", vercel),
    }
    for part in ("home", "system"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    endpoints = []
    for name, (_, server, texts) in every.items():
        slow(server)
        server.__enter__()
        endpoints.append(f"  {name}: {{endpoint: \"{server.url}{'/graphql/v2' if name == 'railway' else ''}\"}}\n".replace("/graphql/v2", ""))
        for number, text in enumerate(texts):
            place = folder / "work" / name / str(number)
            place.mkdir(parents=True, exist_ok=True)
            (place / ".env").write_text(text)
    (folder / "deadstop.yaml").write_text("schema: deadstop.config/1\nproviders:\n" + "".join(endpoints))

    def run(name):
        started = time.monotonic()
        done = subprocess.run([program, "run", folder / "work", "--home", folder / "home", "--system", folder / "system", "--config", folder / "deadstop.yaml", "-o", folder / name, "--quiet", "--live", "--no-fixes"],
                              capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
        took = time.monotonic() - started
        if not (folder / name / "assessment.json").exists():
            sys.exit(f"exit {done.returncode}\n{done.stdout}{done.stderr}")
        calls = [json.loads(line) for line in (folder / name / "calls.jsonl").read_text().splitlines()]
        found = json.loads((folder / name / "assessment.json").read_text())["credentials"]
        return took, calls, {one["provider"]: [other for other in found if other["provider"] == one["provider"]] for one in found}

    failures = []
    took, calls, found = run("out")
    live = {name: sum(one["status"] == "live" for one in found.get(name, [])) for name in every}
    total = sum(live.values())
    slowest = max(sum(call["milliseconds"] for call in calls if call["provider"] == name) for name in every)
    print(f"{total} credentials of {len(every)} platforms in {took:.2f} s, by {len(calls)} calls; the calls of the slowest platform add up to {slowest / 1000:.1f} s")
    failures += [f"{name}: {number} of {EACH} are live" for name, number in live.items() if number != EACH]
    limit = 2 * slowest / 1000 / AT_ONCE
    failures += [f"{took:.2f} s for {total} credentials, and not {limit:.2f} s"] if took >= limit or total < 200 else []
    for name, (_, server, _) in every.items():
        failures += [f"{name}: {server.wrong[:3]}"] if server.wrong else []
        failures += [f"{name}: {server.most_at_once} at once"] if server.most_at_once > AT_ONCE else []
        failures += [f"{name}: a question was put twice"] if len(server.asked) != len(set(server.asked)) else []
        server.asked.clear()

    # One host that wants to be left alone, once.
    server, first = every["render"][1], []
    answer = server.reply

    def asks_to_wait(request):
        first.append(time.monotonic())
        if len(first) > 1:
            return answer(request)
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        return request.answer(429, b"{}", [("Retry-After", "1")])

    server.reply = asks_to_wait
    took, calls, found = run("again")
    live = sum(one["status"] == "live" for all_ in found.values() for one in all_)
    waited = [at - first[0] for at in first[1:] if at - first[0] > 0.5]
    # What was on its way by then arrives all the same.
    early = [at - first[0] for at in first[AT_ONCE:] if at - first[0] < 1]
    print(f"with one host that asks to be left alone for a second: {live} in {took:.2f} s")
    failures += [f"asked too early: {early}"] if early or not waited else []
    failures += [f"{live} are live, in {took:.2f} s"] if live < 200 or took >= limit + 1.5 else []
    for _, server, _ in every.values():
        server.__exit__()
    if failures:
        sys.exit("\n".join(f"FAIL {failure}" for failure in failures))


main()
