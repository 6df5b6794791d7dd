"""Runs Deadstop over a folder with one connection URL in it."""
import json
import os
import subprocess


class Deadstop:
    """The program, and a folder of its own for each run."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.failures = []

    def check(self, holds, what):
        if not holds:
            self.failures.append(what)
            print(f"FAIL {what}", flush=True)

    def place(self, name, text, provider, hosts, more=""):
        root = self.folder / name
        for part in ("home", "system", "work"):
            (root / part).mkdir(parents=True, exist_ok=True)
        (root / "work" / ".env").write_text(text)
        (root / "deadstop.yaml").write_text(f"schema: deadstop.config/1\nproviders:\n  {provider}: {json.dumps(hosts if isinstance(hosts, dict) else {'hosts': hosts})}\n{more}")
        return root

    def run(self, name, text, provider, hosts, *flags, config=True, env=None, more=""):
        """Gives the exit code, the assessment, its assets by key and the calls."""
        root = self.place(name, text, provider, hosts, more)
        out = root / "out"
        named = ["--config", root / "deadstop.yaml"] if config else []
        done = subprocess.run([self.program, "run", root / "work", "--home", root / "home", "--system", root / "system", *named, "-o", out, "--quiet", *flags],
                              capture_output=True, text=True, cwd=root / "work", env={"PATH": os.environ["PATH"], **(env or {})})
        if not (out / "assessment.json").exists():
            raise SystemExit(f"{name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        shown = done.stdout + done.stderr + "".join(path.read_text() for path in out.iterdir())
        for word in text.replace("@", "\n").replace(":", "\n").split():
            self.check("Tr0ub4dor" not in word or word not in shown, f"{name}: a password is in the output")
        assessment = json.loads((out / "assessment.json").read_text())
        calls = [json.loads(line) for line in (out / "calls.jsonl").read_text().splitlines()]
        return done.returncode, assessment, {asset["key"]: asset for asset in assessment["assets"]}, calls


RANKS = ["nothing", "slowed-no-recovery", "recoverable-untested", "recoverable-tested", "slowed-untested", "slowed-tested", "stopped"]


def said(asset):
    """What is said of an asset: stopped, slowed, open, or that it is not known."""
    if asset["answer"] == "stopped":
        return "stopped"
    return asset["prevention"] if "stopped" not in asset["bounds"] else "unknown"
