"""Holds the tables that `deadstop export` writes to the JSON that they are made from, as DuckDB reads them, and every query of
docs/formats.md to what Python counts.

    prove.py DEADSTOP FOLDER
"""

import json
import os
import re
import subprocess
import sys

import duckdb

program, work = sys.argv[1], sys.argv[2]
here = os.path.dirname(os.path.abspath(__file__))
os.makedirs(work, exist_ok=True)


def run(*args):
    env = {"PATH": os.environ["PATH"], "HOME": work}
    done = subprocess.run([program, *args], cwd=work, env=env, capture_output=True, text=True)
    assert done.returncode == 0, (args, done.returncode, done.stderr)
    return done.stdout


# Lists within lists: table, way to the outer list, its own number, way to the inner list.
NESTED = [
    ("asset_layers", "assets", "asset_id", "layers"),
    ("recovery_points", "assets", "asset_id", "recovery_points"),
    ("layers", "paths", "path_id", "layers"),
    ("path_principals", "paths", "path_id", "principals"),
    ("locations", "credentials", "credential_id", "locations"),
    ("credential_sessions", "credentials", "credential_id", "sessions"),
    ("ways", "sessions", "session_id", "ways"),
    ("fix_closes", "fixes", "fix_id", "closes_assets"),
    ("gap_decides", "gaps", "gap_id", "decides"),
]
# Columns whose name is not that of the key.
RENAMED = {
    "asset_id": "id", "path_id": "id", "credential_id": "id", "session_id": "id", "fix_id": "id", "gap_id": "id", "evidence_id": "id",
    "check_id": "id",
}
IN_PATHS = {"path_id": "id", "asset_id": "asset", "credential_id": "credential", "session_id": "session", "on_key": "on"}
WITHIN = {"bound_worst": ("bounds", 0), "bound_best": ("bounds", 1), "location_path": ("location", "path"), "location_line": ("location", "line")}


def lists(whole):
    flat = {name: whole[name] for name in ["assets", "paths", "credentials", "sessions", "findings", "checks", "gaps", "evidence"]}
    flat["fixes"] = whole["fixes"]["all"]
    return flat


def plain(value):
    """A value as JSON has it."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else value


def compare(table, columns, rows, items):
    assert len(rows) == len(items), (table, len(rows), len(items))
    for row, item in zip(rows, items):
        for column, value in zip(columns, row):
            if column in WITHIN:
                outer, inner = WITHIN[column]
                wanted = item[outer][inner] if item.get(outer) is not None else None
            elif table == "paths":
                wanted = item[IN_PATHS.get(column, column)]
            elif table == "findings" and column == "check_id":
                wanted = item["check"]
            else:
                wanted = item[RENAMED.get(column, column)] if column in RENAMED or column in item else None
            assert plain(value) == wanted, (table, column, value, wanted)


def held(folder, whole, facts):
    count = 0
    rows = lambda name: duckdb.sql(f"SELECT * FROM '{folder}/{name}.parquet'")
    head = rows("assessment")
    (row,) = head.fetchall()
    told = dict(zip(head.columns, map(plain, row)))
    assert told["sentence"] == whole["headline"]["sentence"] and told["assessed_at"] == whole["assessed_at"]
    for answer, number in whole["headline"]["counts"].items():
        assert told[answer] == number, answer
    flat = lists(whole)
    for name, items in flat.items():
        table = rows(name)
        found = table.fetchall()
        compare(name, table.columns, found, items)
        count += len(found)
    for name, outer, number, inner in NESTED:
        table = rows(name)
        found = table.fetchall()
        wanted = [(item["id"], one) for item in flat[outer] for one in item[inner]]
        assert len(found) == len(wanted), (name, len(found), len(wanted))
        for row, (own, one) in zip(found, wanted):
            assert row[0] == own, (name, row, own)
            for column, value in list(zip(table.columns, row))[1:]:
                assert value == (one[column] if isinstance(one, dict) else one), (name, column, value)
        count += len(found)
    if facts is not None:
        wanted = []
        for name in sorted(facts):
            if isinstance(facts[name], dict):
                wanted += [(name, False, one) for one in facts[name].get("items") or []]
                wanted += [(name, True, one) for one in facts[name].get("gaps") or []]
            elif isinstance(facts[name], list):
                wanted += [(name, False, one) for one in facts[name]]
        found = duckdb.sql(f"SELECT list, gap, json FROM '{folder}/facts.parquet'").fetchall()
        assert [(name, gap, json.loads(text)) for name, gap, text in found] == wanted, "facts"
        count += len(found)
    return count


def answers(whole):
    """What each query of the documentation must give, counted from the JSON."""
    assets = {asset["id"]: asset for asset in whole["assets"]}
    environments = {}
    for path in whole["paths"]:
        environments.setdefault(path["credential"], set()).add(assets[path["asset"]]["environment"])
    reached = [key for key, found in environments.items() if key is not None and len(found - {None}) > 1]
    failing, unknown = {}, {}
    for finding in whole["findings"]:
        if finding["verdict"] == "fail" and finding["waiver"] is None:
            failing[(finding["item"], finding["severity"])] = failing.get((finding["item"], finding["severity"]), 0) + 1
    for gap in whole["gaps"]:
        for _ in gap["decides"]:
            unknown[gap["reason"]] = unknown.get(gap["reason"], 0) + 1
    weak = {}
    for path in whole["paths"]:
        for layer in path["layers"]:
            weak[(layer["layer"], layer["state"])] = weak.get((layer["layer"], layer["state"]), 0) + 1
    return {
        "nothing-stops": sorted(a["asset_id"] if "asset_id" in a else a["id"] for a in whole["assets"] if a["in_headline"] and a["prevention"] == "open"),
        "two-environments": sorted(reached),
        "failing-by-item": sorted((item, severity, number) for (item, severity), number in failing.items()),
        "unknown-by-gap": sorted(unknown.items()),
        "layers": sorted((layer, state, number) for (layer, state), number in weak.items()),
    }


text = open(os.path.join(here, "../../docs/formats.md"), encoding="utf-8").read()
queries = dict(re.findall(r"```sql\n-- ([a-z-]+):[^\n]*\n(.*?)```", text, re.S))
total = asked = 0
for world in re.findall(r"^(\S+)", run("demo", "--list"), re.M):
    run("demo", world, "-q", "-o", world)
    whole = json.load(open(f"{work}/{world}/assessment.json", encoding="utf-8"))
    facts = json.load(open(f"{work}/{world}/facts.json", encoding="utf-8"))
    run("export", f"{world}/assessment.json", "--facts", f"{world}/facts.json", "--parquet", f"tables/{world}")
    total += held(f"{work}/tables/{world}", whole, facts)
    wanted = answers(whole)
    assert set(queries) == set(wanted), (set(queries), set(wanted))
    os.chdir(f"{work}/tables/{world}")
    for name, query in queries.items():
        found = duckdb.sql(query).fetchall()
        found = sorted(row[0] if name in ("nothing-stops", "two-environments") else tuple(row) for row in found)
        assert found == wanted[name], (world, name, found, wanted[name])
        asked += len(found)
    run("report", f"{world}/assessment.json", "--format", "json", "--redact", "names", "-o", f"{world}-redacted.json")
    run("export", f"{world}/assessment.json", "--redact", "names", "--parquet", f"redacted/{world}")
    total += held(f"{work}/redacted/{world}", json.load(open(f"{work}/{world}-redacted.json", encoding="utf-8")), None)
# More rows than one group of a file holds, and values of every length.
whole["findings"] = [dict(finding, message=finding["message"] * (at % 7)) for finding in whole["findings"] for at in range(1 + 120_000 // len(whole["findings"]))]
json.dump(whole, open(f"{work}/large.json", "w", encoding="utf-8"))
run("export", "large.json", "--parquet", "large")
total += held(f"{work}/large", whole, None)
assert total > 120_000 and asked > 20, (total, asked)
print(f"{total} rows are those of the JSON; {len(queries)} queries gave {asked} rows, as counted")
