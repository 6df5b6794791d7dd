"""Runs of Deadstop against a server of a platform, and what must hold of them."""
import json
import os
import pathlib
import subprocess
import sys

program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAIL {what}")


def live(platform, text, name, *flags, policy="", secrets=()):
    """Runs Deadstop over a folder with this .env file; gives the exit code, the assessment and its assets by key."""
    root = folder / name
    for part in ("home", "system", "work"):
        (root / part).mkdir(parents=True, exist_ok=True)
    (root / "work" / ".env").write_text(text)
    config = root / "deadstop.yaml"
    config.write_text(f"schema: deadstop.config/1\nproviders:\n  {platform.provider}: {{endpoint: \"{platform.url}\"}}\n{policy}")
    out = root / "out"
    done = subprocess.run([program, "run", root / "work", "--home", root / "home", "--system", root / "system", "--config", config, "-o", out,
                           "--quiet", "--live", *(["--no-fixes"] if platform.fault else []), *flags], capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    if not (out / "assessment.json").exists():
        sys.exit(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    shown = done.stdout + done.stderr + "".join(path.read_text() for path in out.iterdir())
    for line in text.splitlines():
        secret = line.split("=")[1]
        check(len(secret) < 20 or secret not in shown and secret[8:28] not in shown, f"{name}: a secret is in the output")
    check(not any(secret in shown for secret in secrets), f"{name}: a secret of an answer is in the output")
    check(not platform.wrong, f"{name}: {platform.wrong}")
    check(platform.fault or len(platform.asked) == len(set(platform.asked)), f"{name}: a question was asked twice")
    assessment = json.loads((out / "assessment.json").read_text())
    return done.returncode, assessment, {asset["key"]: asset for asset in assessment["assets"]}


def state(assessment, asset, layer):
    path = next(path for path in assessment["paths"] if path["id"] == asset["worst_path"])
    return next(one["state"] for one in path["layers"] if one["layer"] == layer)


def adds(platform, one, other, key, name, **more):
    """Whether what another token lists may be lost by a token beside it, and nobody knows."""
    alone = live(platform, one, f"{name}-alone", **more)[2]
    platform.asked.clear()
    both = live(platform, one + other, f"{name}-both", **more)[2]
    return both[key]["answer"] == "unknown" and both[key]["paths_total"] > alone[key]["paths_total"]


def credential(assessment, provider):
    return next(one for one in assessment["credentials"] if one["provider"] == provider)
