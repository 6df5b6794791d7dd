"""Runs Deadstop over a home with credentials of Google Cloud in it, and looks at what it says."""
import json
import os
import pathlib
import subprocess
import sys

program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
failures = []
RANKS = ["nothing", "slowed-no-recovery", "recoverable-untested", "recoverable-tested", "slowed-untested", "slowed-tested", "stopped"]


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAIL {what}", flush=True)


def service_account(mail, private, **more):
    """The file of a key, as the console gives it."""
    return json.dumps({"type": "service_account", "project_id": mail.split("@")[1].split(".")[0], "private_key_id": "0123456789abcdef0123456789abcdef01234567", "private_key": private, "client_email": mail,
                       "client_id": "100000000000000000001", "auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token", **more}, indent=2)


def run(name, endpoint, files=None, env=None, secrets=(), flags=(), config=None):
    """Gives the exit code, the assessment, its assets by key and the calls."""
    root = folder / name
    for part in ("home", "system", "work"):
        (root / part).mkdir(parents=True, exist_ok=True)
    for path, text in (files or {}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    settings = root / "deadstop.yaml"
    named = f"providers:\n  google: {{endpoint: \"{endpoint}\"}}\n" if endpoint else ""
    settings.write_text("schema: deadstop.config/1\n" + named + (config or ""))
    out = root / "out"
    done = subprocess.run([program, "run", root / "work", "--home", root / "home", "--system", root / "system", "--config", settings, "-o", out, "--quiet", "--live", "--provider", "google", "--no-fixes", *flags],
                          capture_output=True, text=True, env={"PATH": os.environ["PATH"], **(env or {})})
    if not (out / "assessment.json").exists():
        sys.exit(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    shown = done.stdout + done.stderr + "".join(path.read_text() for path in out.iterdir())
    for secret in secrets:
        parts = [line for line in secret.splitlines() if len(line) >= 20 and "-----" not in line]
        check(not any(part in shown for part in parts), f"{name}: a secret is in the output")
    assessment = json.loads((out / "assessment.json").read_text())
    calls = [json.loads(line) for line in (out / "calls.jsonl").read_text().splitlines()]
    return done.returncode, assessment, {asset["key"]: asset for asset in assessment["assets"]}, calls
