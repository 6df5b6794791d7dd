"""Runs Deadstop over a home with kubeconfigs in it, and looks at what it says."""
import base64
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


def kubeconfig(server, users, authority=None, namespace=None, cluster=None):
    """A kubeconfig of these users: name → the fields of `user`."""
    held = {"server": server, **({"certificate-authority-data": base64.b64encode(authority).decode()} if authority else {}), **(cluster or {})}
    context = lambda name: {"cluster": "shop", "user": name, **({"namespace": namespace} if namespace else {})}
    return json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": next(iter(users)), "clusters": [{"name": "shop", "cluster": held}],
                       "users": [{"name": name, "user": user} for name, user in users.items()],
                       "contexts": [{"name": name, "context": context(name)} for name in users]})


def certificate(pair):
    return {"client-certificate-data": base64.b64encode(pair[0]).decode(), "client-key-data": base64.b64encode(pair[1]).decode()}


def run(name, hosts, home=None, work=None, env=None, secrets=(), fixes=False, files=None, flags=()):
    """Gives the exit code, the assessment, its assets by key and the calls."""
    root = folder / name
    for part in ("home/.kube", "system", "work"):
        (root / part).mkdir(parents=True, exist_ok=True)
    for path, text in {**({"home/.kube/config": home} if home else {}), **({"work/kubeconfig.yaml": work} if work else {}), **(files or {})}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    config = root / "deadstop.yaml"
    config.write_text(f"schema: deadstop.config/1\nproviders:\n  kubernetes: {{hosts: {json.dumps(hosts)}}}\n" if hosts is not None else "schema: deadstop.config/1\n")
    out = root / "out"
    done = subprocess.run([program, "run", root / "work", "--home", root / "home", "--system", root / "system", "--config", config, "-o", out, "--quiet", "--live",
                           *flags, *([] if fixes else ["--no-fixes"])], capture_output=True, text=True, env={"PATH": os.environ["PATH"], **(env or {})})
    if not (out / "assessment.json").exists():
        sys.exit(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    shown = done.stdout + done.stderr + "".join(path.read_text() for path in out.iterdir())
    for secret in secrets:
        text = secret if isinstance(secret, str) else secret.decode()
        parts = [line for line in text.splitlines() if len(line) >= 20 and "-----" not in line]
        check(not any(part in shown for part in parts), f"{name}: a secret is in the output")
        check(not any(base64.b64encode(part.encode()).decode()[:40] in shown for part in [text]), f"{name}: a secret in base64 is in the output")
    assessment = json.loads((out / "assessment.json").read_text())
    calls = [json.loads(line) for line in (out / "calls.jsonl").read_text().splitlines()]
    return done.returncode, assessment, {asset["key"]: asset for asset in assessment["assets"]}, calls


def layer(assessment, asset, name):
    path = next(path for path in assessment["paths"] if path["id"] == asset["worst_path"])
    return next(one["state"] for one in path["layers"] if one["layer"] == name)
