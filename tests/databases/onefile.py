"""Files of SQLite in folders of every kind, of which each is then really written, removed or replaced by the same user.

Deadstop runs as a user that is nobody else's; where the caller is root, as one that owns nothing.
"""
import itertools
import json
import os
import pathlib
import shutil
import sqlite3
import stat
import subprocess
import sys
import time

from ports import folder

NOBODY = 65534
# One that another user may start, too.
PYTHON = "/usr/bin/python3" if os.geteuid() == 0 and os.path.exists("/usr/bin/python3") else sys.executable
TRY = """
import os, sqlite3, sys
path, later = sys.argv[1], sys.argv[2] == "later"
def whole():
    try:
        one = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        return one.execute("SELECT count(*) FROM orders").fetchone()[0] == 500
    except (sqlite3.Error, OSError):
        return not os.access(path, os.R_OK) and os.path.exists(path)
def sql(text):
    one = sqlite3.connect(path, timeout=1)
    one.execute(text)
    one.commit()
def modes():
    for what, mode in ((path, 0o644), (os.path.dirname(path), 0o755)):
        try:
            os.chmod(what, mode)
        except OSError:
            pass
ways = [lambda: sql("DELETE FROM orders"), lambda: sql("DROP TABLE orders"), lambda: os.truncate(path, 0), lambda: os.unlink(path), lambda: os.rename(path, path + ".gone")]
if later:
    modes()
for number, way in enumerate(ways):
    try:
        way()
    except (sqlite3.Error, OSError):
        continue
    if not os.path.exists(path) or not whole():
        print(("DELETE", "DROP TABLE", "truncate", "unlink", "rename")[number])
        break
"""


def make(path, mode="delete"):
    one = sqlite3.connect(path)
    one.execute(f"PRAGMA journal_mode = {mode}")
    one.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT)")
    one.execute("CREATE TABLE lines (id INTEGER PRIMARY KEY, what TEXT)")
    one.executemany("INSERT INTO orders (what) VALUES (?)", [("x" * 900,)] * 500)
    one.executemany("INSERT INTO lines (what) VALUES (?)", [("x" * 90,)] * 50)
    one.commit()
    one.close()


def prove(deadstop, check, said):
    root, started, counts = folder(), time.monotonic(), {}
    me = NOBODY if os.geteuid() == 0 else os.geteuid()
    owners = [True, False] if os.geteuid() == 0 else [True]
    modes = list(itertools.product([0o644, 0o444, 0o666, 0o600], [0o755, 0o555, 0o777, 0o1777], owners))
    program = pathlib.Path(root) / "deadstop"
    shutil.copy(deadstop.program, program)
    program.chmod(0o755)
    asked, original = 0, deadstop.program
    deadstop.program = program

    def run(name, text, place=None):
        """Runs Deadstop as the other user over a folder, and gives what it found."""
        nonlocal asked
        asked += 1
        work = place or root / name / "work"
        for part in ("home", "system", "out"):
            (root / name / part).mkdir(parents=True, exist_ok=True)
            os.chown(root / name / part, me, -1)
        (root / name / "work").mkdir(parents=True, exist_ok=True)
        env = root / name / "work" / ".env"
        env.write_text(text)
        out = root / name / "out" / "report"
        done = subprocess.run([program, "run", root / name / "work", "--home", root / name / "home", "--system", root / name / "system", "-o", out, "--quiet", "--no-env"], capture_output=True, text=True,
                              user=me if os.geteuid() == 0 else None, cwd=root / name / "out", env={"PATH": os.environ["PATH"]})
        if not (out / "assessment.json").exists():
            raise SystemExit(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        assessment = json.loads((out / "assessment.json").read_text())
        return {asset["key"]: asset for asset in assessment["assets"]}, assessment

    for number, (mode, above, own) in enumerate(modes):
        name = f"case{number}"
        place = root / name / "work" / "data"
        place.mkdir(parents=True)
        path = place / "app.db"
        make(path, "wal" if number % 2 else "delete")
        if os.geteuid() == 0:
            os.chown(path, me if own else 0, -1)
            os.chown(place, me if own else 0, -1)
        path.chmod(mode)
        place.chmod(above)
        before = sorted(os.listdir(place)), path.stat().st_mtime_ns
        found, told = run(name, f"DATABASE_URL=sqlite:///data/app.db\n")
        fixes = told["fixes"]
        check(not any(fix["kind"] == "remove-or-rotate" for fix in fixes["all"]), f"SQLite {mode:o}: the name of a file is to be rotated")
        check(not (fixes["reached"] and fixes["target"] == "stopped"), f"SQLite {mode:o}: a plan promises that it is stopped: {fixes['minimal']}")
        check((sorted(os.listdir(place)), path.stat().st_mtime_ns) == before, f"SQLite {mode:o} in {above:o}: looking at it wrote {os.listdir(place)}")
        asset = next((asset for key, asset in found.items() if key.endswith("data/app.db")), None)
        check(asset, f"SQLite {mode:o} in {above:o}: not among {list(found)}")
        if not asset:
            continue
        # Open for sure, or between that and slowed by a mode that its owner may change.
        answer = "unknown" if asset["bounds"][1].startswith("slowed") else said(asset)
        counts[answer] = counts.get(answer, 0) + 1

        def tries(when):
            return subprocess.run([PYTHON, "-c", TRY, path, when], capture_output=True, text=True, user=me if os.geteuid() == 0 else None, cwd="/").stdout.strip()

        now = tries("now")
        then = now or tries("later")
        about = f"SQLite {mode:o} in {above:o}, {'its own' if own else 'of another'}"
        check(answer != "stopped", f"{about}: said to be stopped")
        check((answer == "open") == bool(now), f"{about}: said to be {answer}, and {now or 'nothing'} went through ({asset['bounds']})")
        check(not then or asset["bounds"][0] == "nothing" or answer == "slowed", f"{about}: {answer}, and {then} went through")
        check(mode == 0o600 and not own or "largest" in (asset["holds"] or "") and asset["holds"].index("orders") < asset["holds"].index("lines"), f"{about}: {asset['holds']}")
    print(f"SQLite: {len(modes)} set-ups: {counts} ({time.monotonic() - started:.0f} s)", flush=True)

    # What a file says cannot do any harm, and a path cannot lead out of what is read.
    odd = root / "odd" / "work"
    odd.mkdir(parents=True)
    whole = root / "whole.db"
    make(whole)
    good = whole.read_bytes()
    spoilt = {"empty": b"", "no database": b"HTTP/1.1 200 OK" * 9, "cut": good[:3000], "zeros": good[:100] + bytes(len(good) - 100), "ones": good[:100] + b"\xff" * (len(good) - 100),
              "a circle": good[:4096] + good[:4096] * 4, "huge pages": good[:16] + b"\x00\x01" + good[18:]}
    urls = []
    for number, (name, content) in enumerate(spoilt.items()):
        (odd / f"odd{number}.db").write_bytes(content)
        urls.append(f"A{number}_DATABASE_URL=sqlite:///odd{number}.db\n")
    os.mkfifo(odd / "pipe.db")
    (root / "outside.db").write_bytes(good)
    (root / "outside.db").chmod(0o666)
    (odd / "link.db").symlink_to(root / "outside.db")
    urls += [f"B{number}_DATABASE_URL={url}\n" for number, url in enumerate(["sqlite:///pipe.db", "file:./link.db", f"sqlite:///{root}/outside.db", "sqlite:////etc/passwd", "sqlite:///:memory:", "file:../../outside.db"])]
    began = time.monotonic()
    found, _ = run("odd", "".join(urls))
    check(time.monotonic() - began < 30, "SQLite: a hostile file holds it up")
    check(not any("outside" in key and said(asset) != "unknown" for key, asset in found.items()), f"SQLite: what lies outside was looked at: {found}")
    check(all(f"sqlite:./odd{number}.db" in found or any(key.endswith(f"odd{number}.db") for key in found) for number in range(len(spoilt))), f"SQLite: {list(found)}")
    # What Litestream leaves is a trace of a copy, of which nothing else is known.
    (root / "traced" / "work" / ".app.db-litestream").mkdir(parents=True)
    make(root / "traced" / "work" / "app.db")
    found, assessment = run("traced", "DATABASE_URL=file:./app.db\n")
    asset = next(asset for key, asset in found.items() if key.endswith("app.db"))
    facts = (root / "traced" / "out" / "report" / "facts.json").read_text()
    check("Litestream has been at work" in facts and asset["answer"] != "stopped", f"SQLite, Litestream: {asset}")
    deadstop.program = original
    for path in root.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(stat.S_IRWXU)
    shutil.rmtree(root, ignore_errors=True)
    return asked
