"""Holds the answers of `deadstop run --live` against a server that really deletes.

Usage: prove.py DEADSTOP MOTO_SERVER FOLDER [OPERATION...]   (with operations: only these are spoilt)

For each user of a made-up company (company.py) the answers are compared with what AWS documents, then the same calls
are made for real: what was said to be open must go through, what was said to be stopped must be refused. Then each
answer of the server is taken away or spoilt in turn: no answer may become better for it.
"""
import concurrent.futures
import contextlib
import hashlib
import http.server
import itertools
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3
from botocore.exceptions import ClientError
from moto.iam.access_control import IAMPolicy, PermissionResult

program, server, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
here = pathlib.Path(__file__).parent
ACCOUNT = "123456789012"
DB = f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:"
TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/"
REFUSED = ("AccessDenied", "UnauthorizedOperation", "403")
# Operations of which each says something of much that is there.
SHARED = ["sts:GetCallerIdentity", "iam:GetAccountAuthorizationDetails", "organizations:DescribeOrganization",
          "rds:DescribeDBInstances", "rds:DescribeDBProxies", "rds:DescribeDBSnapshots", "rds:DescribeDBClusters", "rds:DescribeDBClusterSnapshots",
          "backup:ListRecoveryPointsByResource", "backup:ListBackupVaults", "backup:ListRecoveryPointsByBackupVault",
          "backup:GetBackupVaultAccessPolicy", "backup:ListLegalHolds", "backup:ListRestoreJobs", "dynamodb:ListTables", "dynamodb:DescribeTable", "dynamodb:DescribeContinuousBackups",
          "dynamodb:ListBackups", "dynamodb:ListTagsOfResource", "dynamodb:GetResourcePolicy", "kms:ListKeys", "kms:DescribeKey",
          "kms:GetKeyPolicy", "s3:ListAllMyBuckets", "s3:GetBucketLocation", "s3:GetBucketVersioning",
          "s3:GetBucketObjectLockConfiguration", "s3:GetBucketPolicy", "s3:GetBucketAcl", "s3:GetBucketTagging",
          "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "ec2:DescribeVolumes",
          "ec2:DescribeInstances", "ec2:DescribeInstanceAttribute", "ec2:DescribeSnapshots", "ec2:DescribeLockedSnapshots", "rbin:ListRules",
          "lambda:ListFunctions", "lambda:GetPolicy", "ec2:DescribeRegions"]
# Operations that say nothing of what those of another line speak of, so that one of each line is spoilt in one run.
APART = [["kms:ListResourceTags"],
         ["secretsmanager:ListSecrets", "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"],
         ["elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DescribeFileSystemPolicy", "elasticfilesystem:DescribeReplicationConfigurations"],
         ["redshift:DescribeClusters", "redshift:DescribeClusterSnapshots", "redshift-serverless:ListNamespaces"],
         ["elasticache:DescribeReplicationGroups", "elasticache:DescribeCacheClusters", "elasticache:DescribeServerlessCaches",
          "elasticache:DescribeSnapshots", "elasticache:ListTagsForResource"],
         ["memorydb:DescribeClusters", "memorydb:ListTags"],
         ["es:ListDomainNames", "es:DescribeDomain", "es:ListTags"],
         ["ecr:DescribeRepositories", "ecr:GetRepositoryPolicy", "ecr:GetRegistryPolicy", "ecr:DescribeRegistry", "ecr:ListTagsForResource"],
         ["eks:ListClusters", "eks:DescribeCluster"],
         ["fsx:DescribeFileSystems", "fsx:DescribeBackups"],
         ["cloudformation:DescribeStacks"]]
SIMULATE = "iam:SimulatePrincipalPolicy"
SPOILT = [{operation} for operation in SHARED] + [set(filter(None, some)) for some in itertools.zip_longest(*APART)]
# Spoilt where there are legal holds, and stacks.
OF_HOLDS = ["backup:ListLegalHolds", "backup:ListRecoveryPointsByLegalHold", "backup:ListRestoreJobs"]
OF_STACKS = ["cloudformation:DescribeStacks", "cloudformation:ListStackResources", "cloudformation:GetTemplate"]
# Asked of single identities, where the account is not told as a whole.
DETAILS = "iam:GetAccountAuthorizationDetails"
OF_PIECES = [f"iam:{name}" for name in (
    "ListRoles", "GetUser", "ListUserPolicies", "GetUserPolicy", "ListAttachedUserPolicies", "ListGroupsForUser", "ListGroupPolicies",
    "GetGroupPolicy", "ListAttachedGroupPolicies", "GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies", "GetPolicy", "GetPolicyVersion")]
READS = set().union(*SPOILT, OF_HOLDS, OF_STACKS, OF_PIECES, {SIMULATE})
if sys.argv[4:]:
    SPOILT = [operations for operations in SPOILT if operations & set(sys.argv[4:])]
SECRET = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:"
CLUSTER = f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:"
VOLUME = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/"
BUCKET = "arn:aws:s3:::"
# By the query, as S3 tells calls about a bucket apart.
OF_S3 = {"max-buckets": "ListAllMyBuckets", "location": "GetBucketLocation", "versioning": "GetBucketVersioning",
         "object-lock": "GetBucketObjectLockConfiguration", "policy": "GetBucketPolicy", "acl": "GetBucketAcl",
         "tagging": "GetBucketTagging", "encryption": "GetEncryptionConfiguration",
         "lifecycle": "GetLifecycleConfiguration", "replication": "GetReplicationConfiguration"}
OF_PATHS = [(r"/2015-02-01/file-systems", "DescribeFileSystems"), (r"/2015-02-01/file-systems/[^/]+/policy", "DescribeFileSystemPolicy"),
            (r"/2015-02-01/file-systems/replication-configurations", "DescribeReplicationConfigurations"),
            (r"/2021-01-01/domain", "ListDomainNames"), (r"/2021-01-01/opensearch/domain/[^/]+", "DescribeDomain"),
            (r"/2021-01-01/tags/", "ListTags"), (r"/clusters", "ListClusters"), (r"/clusters/[^/]+", "DescribeCluster"),
            (r"/2015-03-31/functions/", "ListFunctions"), (r"/2015-03-31/functions/[^/]+/policy", "GetPolicy")]
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAIL {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Company:
    """A moto server with the company in it."""

    def __init__(self, made_by="company.py"):
        self.made_by = made_by

    def __enter__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
        self.process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(self.port)], env=environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/data.json").read()
                break
            except OSError:
                time.sleep(0.5)
        policy = folder / "policy.json"
        policy.parent.mkdir(parents=True, exist_ok=True)
        policy.write_bytes(subprocess.run([program, "permissions", "aws"], stdout=subprocess.PIPE, check=True).stdout)
        made = subprocess.run([sys.executable, here / self.made_by, self.url, policy], stdout=subprocess.PIPE, text=True)
        if made.returncode:
            self.__exit__()
            sys.exit("the company could not be made")
        self.keys = json.loads(made.stdout)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def client(self, service, user):
        key, secret = self.keys[user]
        client = boto3.client(service, endpoint_url=self.url, region_name="eu-west-1", aws_access_key_id=key,
                              aws_secret_access_key=secret)
        if service in ("efs", "eks", "opensearch"):
            # The server checks REST calls by this header alone, which AWS does not ask for.
            client.meta.events.register("before-sign", hashed)
        return client


def hashed(request, **_):
    body = request.data if isinstance(request.data, bytes) else (request.data or "").encode()
    request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()


def run(endpoint, keys, name, *flags, auditor=None, home=None, plans=False, regions="regions: [eu-west-1], "):
    """Runs Deadstop over a folder with these keys, one .env file each; gives the exit code and the assessment. The auditor
    is a key of the user's own, and the roles that it takes on; the home has these files, each by its path. Most runs look
    for no fix plan, which takes longer than all the rest."""
    root = folder / name
    for part in ("home", "system", "work"):
        (root / part).mkdir(parents=True, exist_ok=True)
    for number, (key, secret) in enumerate(keys):
        place = root / "work" / str(number)
        place.mkdir(parents=True, exist_ok=True)
        (place / ".env").write_text(f"AWS_ACCESS_KEY_ID={key}\nAWS_SECRET_ACCESS_KEY={secret}\n")
    for path, text in (home or {}).items():
        place = root / "home" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    config = root / "deadstop.yaml"
    named, own = "", {}
    if auditor:
        key, secret, *roles = auditor
        place = root / "own" / ".aws"
        place.mkdir(parents=True, exist_ok=True)
        (place / "credentials").write_text(f"[security-audit]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
        named, own = f", profile: security-audit, roles: {json.dumps(roles)}", {"HOME": str(root / "own")}
    config.write_text("schema: deadstop.config/1\nproviders:\n  aws: {%sendpoint: \"%s\"%s}\n" % (regions, endpoint, named))
    out = root / "out"
    done = subprocess.run([program, "run", root / "work", "--home", root / "home", "--system", root / "system", "--config", config, "-o", out, "--quiet",
                           *([] if plans else ["--no-fixes"]), *flags], capture_output=True, text=True, env={"PATH": os.environ["PATH"], **own})
    for _, secret in [*keys, *([auditor[:2]] if auditor else [])]:
        shown = done.stdout + done.stderr + "".join(path.read_text() for path in out.iterdir())
        check(secret not in shown and secret[:20] not in shown, f"{name}: a secret is in the output")
    return done.returncode, json.loads((out / "assessment.json").read_text()), out


def asked(company, keys, name, *flags):
    """The same over the company, where what its server lacks is answered as AWS answers where there is nothing."""
    with between(company) as endpoint:
        return run(endpoint, keys, name, *flags)


def answers(assessment):
    return {asset["key"]: asset for asset in assessment["assets"]}


def layers(assessment, asset):
    path = next(path for path in assessment["paths"] if path["id"] == asset["worst_path"])
    return {layer["layer"]: layer["state"] for layer in path["layers"]}


def tried(call, **arguments):
    """The error code of a call, or nothing if it went through."""
    try:
        call(**arguments)
        return None
    except ClientError as error:
        return error.response["Error"]["Code"]


def administrator(company):
    code, assessment, out = asked(company, [company.keys["agent-admin"]], "admin", "--live")
    found = answers(assessment)
    check(code == 1, f"admin: exit {code}")
    # The instance takes its automated backups along; whether AWS Backup keeps others the server does not tell.
    ledger, orders, carts, sessions = (found[key] for key in (DB + "prod-ledger", DB + "prod-orders", TABLE + "carts", TABLE + "sessions"))
    check(ledger["prevention"] == "open", "admin: nothing prevents deleting prod-ledger")
    check(layers(assessment, ledger)["permit"] == "open", "admin: prod-ledger is permitted")
    check(orders["prevention"] == "slowed", f"admin: deletion protection slows prod-orders: {orders}")
    check(layers(assessment, orders)["protect"] == "slows", "admin: one call takes the protection of prod-orders off")
    check(carts["answer"] == "nothing" and carts["recovery"] == "none", f"admin: PITR of carts can be switched off first: {carts}")
    # Deletion protection does not know of items.
    check(sessions["answer"] == "nothing", f"admin: the items of sessions can be deleted one by one: {sessions}")
    calls = [json.loads(line) for line in (out / "calls.jsonl").read_text().splitlines()]
    check(calls and {call["operation"] for call in calls} <= READS, "admin: only reads were sent")
    rds, dynamodb = company.client("rds", "agent-admin"), company.client("dynamodb", "agent-admin")
    check(tried(rds.delete_db_instance, DBInstanceIdentifier="prod-orders", SkipFinalSnapshot=True) is not None, "the server refuses prod-orders while it is protected")
    check(tried(rds.modify_db_instance, DBInstanceIdentifier="prod-orders", DeletionProtection=False) is None, "the server lets the protection be taken off")
    check(tried(rds.delete_db_instance, DBInstanceIdentifier="prod-orders", SkipFinalSnapshot=True) is None, "the server deletes prod-orders")
    check(tried(rds.delete_db_instance, DBInstanceIdentifier="prod-ledger", SkipFinalSnapshot=True) is None, "the server deletes prod-ledger")
    off = {"PointInTimeRecoveryEnabled": False}
    check(tried(dynamodb.update_continuous_backups, TableName="carts", PointInTimeRecoverySpecification=off) is None, "the server lets PITR be switched off")
    check(tried(dynamodb.delete_table, TableName="carts") is None, "the server deletes carts")
    check(tried(dynamodb.put_item, TableName="sessions", Item={"id": {"S": "1"}}) is None, "the server overwrites items of sessions")


def reader(company):
    code, assessment, _ = asked(company, [company.keys["agent-readonly"]], "reader", "--live")
    found = answers(assessment)
    check(code != 0, f"reader: what was not listed is not known to be safe: exit {code}")
    for key in (DB + "prod-vault", DB + "prod-orders", DB + "prod-ledger", DB + "staging-orders", TABLE + "carts", TABLE + "sessions"):
        states = layers(assessment, found[key])
        check(states["permit"] == "stops", f"reader: {key} is not permitted: {found[key]['answer']} {states}")
    rds, dynamodb = company.client("rds", "agent-readonly"), company.client("dynamodb", "agent-readonly")
    for call, arguments in [(rds.delete_db_instance, {"DBInstanceIdentifier": "prod-ledger", "SkipFinalSnapshot": True}),
                            (rds.modify_db_instance, {"DBInstanceIdentifier": "prod-orders", "DeletionProtection": False}),
                            (dynamodb.delete_table, {"TableName": "carts"}),
                            (dynamodb.put_item, {"TableName": "sessions", "Item": {"id": {"S": "1"}}})]:
        code = tried(call, **arguments)
        # AWS says AccessDeniedException for JSON services; moto gives them an XML body, which leaves the status.
        check(code in ("AccessDenied", "AccessDeniedException", "403"), f"the server refuses a reader: {code}")


def blind(company, user):
    """A key that cannot read its own policies is unknown, never safe."""
    code, assessment, _ = asked(company, [company.keys[user]], f"blind-{user}", "--live")
    check(code == 3, f"{user}: exit {code}")
    check(all(asset["answer"] in ("unknown", "nothing") for asset in assessment["assets"]), f"{user}: {assessment['headline']}")


# From the worst, as the answers are ranked.
RANKS = ["nothing", "slowed-no-recovery", "recoverable-untested", "recoverable-tested", "slowed-untested", "slowed-tested", "stopped"]


def piecewise(company):
    """Where the account is not told as a whole, the rights of identities are read one by one: what they are said to do is the same,
    or in doubt; and each call that is refused or garbled leaves them unknown, so that nothing becomes better."""
    known, number = {}, itertools.count()
    abroad = f"arn:aws:rds:eu-west-1:{ABROAD}:db:prod-abroad"

    def told(users, operations=(), fault="", auditor=None, **more):
        with between(company, operations, fault, known, **more) as endpoint:
            _, assessment, out = run(endpoint, [company.keys[user] for user in users], f"pieces-{next(number)}", "--live", auditor=auditor)
        calls = {json.loads(line)["operation"] for line in (out / "calls.jsonl").read_text().splitlines()}
        check(calls <= READS | {"sts:AssumeRole"}, f"pieces: {users}: only reads were sent: {calls - READS}")
        return {key: tuple(RANKS.index(bound) for bound in asset["bounds"]) for key, asset in answers(assessment).items()}, calls

    def within(what, wide, exact):
        """Whatever is the case lies within what is said."""
        check(wide.keys() == exact.keys(), f"pieces: {what}: other assets: {wide.keys() ^ exact.keys()}")
        for key, (low, high) in exact.items():
            check(wide[key][0] <= low and high <= wide[key][1], f"pieces: {what}: {key} is {wide[key]}, and was {(low, high)}")

    iam = company.client("iam", "piecewise")
    check(tried(iam.get_account_authorization_details) in REFUSED, "pieces: the server refuses to tell the account as a whole")
    check(tried(iam.get_user_policy, UserName="piecewise", PolicyName="own") is None, "pieces: the server tells a policy")
    exact, calls = told(["piecewise", "reader"])
    check(not calls & set(OF_PIECES), "pieces: nobody is asked about by himself where the account is told as a whole")
    for end in ("db:prod-ledger", "table/carts", "repository/prod/app", "domain/prod-search", "cluster:prod-lake", "cluster/prod-memory"):
        check([low for key, (low, _) in exact.items() if key.endswith(end)] == [0], f"pieces: {end} may be lost: {exact}")
    plain, calls = told(["piecewise"])
    check(set(OF_PIECES) <= calls, f"pieces: each is asked: {set(OF_PIECES) - calls}")
    check(plain == exact, f"pieces: the same is said: {[(key, plain.get(key), exact[key]) for key in exact if plain.get(key) != exact[key]]}")

    def other(user):
        # Of these another key reads the policies.
        users = [user, "reader"]
        exact, _ = told(users)
        wide, _ = told(users, {DETAILS}, "denied")
        within(user, wide, exact)
        # Who may make keys for others, or let himself in, may come to be somebody who was not read.
        far = user in ("keymaker", "lets-in")
        check(far or wide == exact, f"pieces: {user}: {[(key, wide[key], exact[key]) for key in exact if wide[key] != exact[key]]}")
        wide, _ = told(users, {DETAILS, "iam:ListRoles"}, "denied")
        within(f"{user}, whose roles are not listed", wide, exact)
        check(user == "sealed" or all(low == 0 for low, _ in wide.values()), f"pieces: {user}: a role that was not listed may let anybody in: {wide}")

    others = ["nothing", "deleter", "assumer", "keymaker", "lets-in", "sealed"]
    answers_of = {operation: f"<R><{operation.split(':')[1]}Result/></R>".encode() for operation in OF_PIECES}
    cases = [({operation}, fault, {}) for operation in OF_PIECES for fault in ("denied", "another shape", "cut off")]
    cases += [({operation}, "", {"more": {operation: answer}}) for operation, answer in answers_of.items()]

    def one(case):
        operations, fault, more = case
        what = f"{' '.join(operations)} {fault or 'tells nothing'}"
        wide, _ = told(["piecewise"], () if more else operations, fault, **more)
        within(what, wide, exact)
        if "Role" not in what:
            check(all(high == len(RANKS) - 1 for _, high in wide.values()), f"pieces: {what}: what was not read is not known: {wide}")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(other, others))
        list(pool.map(one, cases))
    # A role of an account that lists no roles may let in whoever may take on roles, and nobody else.
    auditor = [*company.keys["auditor"], role("audit"), role("audit", ABROAD)]
    for user, low in (("traveller", 0), ("deleter", len(RANKS) - 1)):
        found, _ = told([user], auditor=auditor)
        check(found[abroad] == (low, len(RANKS) - 1), f"pieces: {user}, by way of a role abroad that was not read: {found[abroad]}")
    found, _ = told(["traveller", "reader-abroad", "reader"])
    check(found[abroad][0] == 0, f"pieces: by way of the role abroad: {found[abroad]}")
    return len(cases)


def simulated(company):
    """The simulator of AWS, which the server lacks: told by the server's own reading of policies, or wrongly. What both say is
    said by AWS; where it allows what we do not, nothing is stopped by us; where it refuses what we do not, that counts for
    nothing."""
    iam = company.client("iam", "agent-admin")

    def honest(identity, action, resource):
        kind, name = ("Role" if ":role/" in identity else "User"), identity.split("/")[-1]
        read = (iam.list_role_policies, iam.get_role_policy) if kind == "Role" else (iam.list_user_policies, iam.get_user_policy)
        of = {f"{kind}Name": name}
        each = [IAMPolicy(json.dumps(read[1](**of, PolicyName=one)["PolicyDocument"])).is_action_permitted(action, resource)
                for one in read[0](**of)["PolicyNames"]]
        return PermissionResult.PERMITTED in each and PermissionResult.DENIED not in each

    def simulator(allows, missing=""):
        def answer(body):
            fields = urllib.parse.parse_qs(body.decode())
            several = lambda name: [value for key, (value,) in fields.items() if key.startswith(f"{name}.member.")]
            actions = several("ActionNames")
            asked.append((len(actions), fields["ResourceArns.member.1"][0]))
            told = "".join(
                f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>*</EvalResourceName><EvalDecision>implicitDeny</EvalDecision>"
                "<ResourceSpecificResults>" + "".join(
                    f"<member><EvalResourceName>{resource}</EvalResourceName><EvalResourceDecision>"
                    f"{'allowed' if allows(fields['PolicySourceArn'][0], action, resource) else 'implicitDeny'}</EvalResourceDecision>"
                    f"<MissingContextValues>{missing}</MissingContextValues></member>" for resource in several("ResourceArns"))
                + "</ResourceSpecificResults></member>" for action in actions)
            return (f"<R><SimulatePrincipalPolicyResult><EvaluationResults>{told}</EvaluationResults><IsTruncated>false</IsTruncated>"
                    "</SimulatePrincipalPolicyResult></R>").encode()
        return answer

    def told(name, *users, simulator=None, **more):
        asked.clear()
        with between(company, more={SIMULATE: simulator} if simulator else {}, **more) as endpoint:
            _, assessment, _ = run(endpoint, [company.keys[user] for user in users], f"simulated-{name}", "--live")
        path = lambda asset: next(path for path in assessment["paths"] if path["id"] == asset["worst_path"])
        basis = {key: next(layer["basis"] for layer in path(asset)["layers"] if layer["layer"] == "permit")
                 for key, asset in answers(assessment).items() if asset["worst_path"]}
        odd = [gap for gap in assessment["gaps"] if gap["reason"] == "conflicting"]
        odd += [layer["because"] for path in assessment["paths"] for layer in path["layers"] if "simulator refuses" in layer["because"]]
        return {key: (asset["answer"], asset["bounds"]) for key, asset in answers(assessment).items()}, basis, odd

    asked = []
    ledger, orders = DB + "prod-ledger", DB + "prod-orders"
    for users in (("agent-delete", "agent-readonly"), ("agent-readonly",), ("agent-sealed",), ("agent-volumes", "agent-readonly"), ("agent-admin",)):
        name = "-".join(users)
        plain, basis, odd = told(f"plain-{name}", *users)
        check("simulated" not in basis.values() and not odd, f"simulated: without a simulator: {basis}")
        found, basis, odd = told(f"honest-{name}", *users, simulator=simulator(honest))
        check(asked and max(number for number, _ in asked) > 1, f"simulated: {name}: several actions are asked about at once: {asked}")
        check(found == plain and not odd, f"simulated: {name}: an honest simulator says the same: {odd}")
        check("simulated" in basis.values(), f"simulated: {name}: {basis}")
        for fault in [*FAULTS, "cut off"] if name == "agent-delete-agent-readonly" else []:
            spoilt, basis, odd = told(f"{fault}-{name}", *users, simulator=simulator(lambda *_: False), operations={SIMULATE}, fault=fault)
            check(spoilt == plain and not odd, f"simulated: {name} {fault}: {odd}")
        found, basis, odd = told(f"missing-{name}", *users, simulator=simulator(lambda *_: True, "<member>aws:SourceIp</member>"))
        check(found == plain and not odd and "simulated" not in basis.values(), f"simulated: {name}: what misses a key says nothing: {odd}")
        found, basis, odd = told(f"refuses-{name}", *users, simulator=simulator(lambda *_: False))
        check(found == plain, f"simulated: {name}: what is refused there stays allowed")
        check(bool(odd) == (name not in ("agent-readonly", "agent-sealed")), f"simulated: {name}: it is told that they do not agree: {odd}")
        found, basis, odd = told(f"allows-{name}", *users, simulator=simulator(lambda *_: True))
        check(odd or name == "agent-admin", f"simulated: {name}: it is told that they do not agree")
        check(all(found[key][0] != "stopped" for key in (ledger, orders)), f"simulated: {name}: what AWS allows is not stopped: {found[orders]}")


def proved(company):
    """Deletes made as dry runs: nothing is deleted, and what AWS says would go through is open, whatever we thought."""
    ec2 = company.client("ec2", "agent-admin")
    there = lambda: sorted(one["VolumeId"] for one in ec2.describe_volumes()["Volumes"])
    before, deletes = there(), {"ec2:DeleteVolume", "ec2:DeleteSnapshot", "ec2:TerminateInstances"}
    (loose,) = [one["VolumeId"] for one in ec2.describe_volumes()["Volumes"] if not one["Attachments"]]

    def told(name, *users, flags=("--prove", "dry-run"), **more):
        with between(company, **more) as endpoint:
            _, assessment, out = run(endpoint, [company.keys[user] for user in users], f"proved-{name}", "--live", *flags)
        asset = answers(assessment)[VOLUME + loose]
        path = next(path for path in assessment["paths"] if path["id"] == asset["worst_path"])
        layer = next(layer for layer in path["layers"] if layer["layer"] == "permit")
        calls = {json.loads(line)["operation"] for line in (out / "calls.jsonl").read_text().splitlines()}
        check(there() == before, f"proved: {name}: nothing was deleted")
        check(calls <= READS | deletes, f"proved: {name}: only reads and dry runs were sent")
        odd = "though" in layer["because"]
        return asset["answer"], layer, bool(calls & deletes), odd

    answer, layer, sent, odd = told("without", "agent-volumes", "agent-readonly", flags=())
    check(answer == "recoverable" and layer["basis"] == "evaluated" and not sent, f"proved: not asked for: {answer} {layer} {sent}")
    answer, layer, sent, odd = told("volumes", "agent-volumes", "agent-readonly")
    check(answer == "recoverable" and layer["basis"] == "observed" and sent and not odd, f"proved: volumes: {answer} {layer} {odd}")
    answer, layer, sent, odd = told("readonly", "agent-readonly")
    check(answer == "stopped" and sent and not odd, f"proved: a reader: {answer} {layer} {odd}")
    # What a server says against us.
    goes = (412, b"<Response><Errors><Error><Code>DryRunOperation</Code></Error></Errors></Response>")
    answer, layer, _, odd = told("goes", "agent-readonly", more={name: goes for name in deletes})
    check(answer in ("recoverable", "nothing") and layer["state"] == "open" and odd, f"proved: AWS says that a reader may: {answer} {layer} {odd}")
    refused = (403, b"<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>")
    answer, layer, _, odd = told("refused", "agent-volumes", "agent-readonly", more={name: refused for name in deletes})
    check(answer == "recoverable" and layer["state"] == "open" and odd, f"proved: a refusal stops nothing: {answer} {layer} {odd}")
    # A server that does not take a read as a dry run is not asked to delete; one that lets a delete through is asked once.
    deaf = {"ec2:DescribeInstances": b"<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>"}
    _, _, sent, _ = told("deaf", "agent-volumes", "agent-readonly", more=deaf)
    check(not sent, "proved: a server that takes no dry runs")
    ran = []
    through = {name: lambda body: ran.append(body) or b"<Response><return>true</return></Response>" for name in deletes}
    answer, _, _, _ = told("through", "agent-volumes", "agent-readonly", "agent-admin", more=through)
    check(len(ran) == 1, f"proved: after a delete that went through: {len(ran)} calls")
    for fault in FAULTS:
        answer, layer, _, odd = told(fault, "agent-volumes", "agent-readonly", operations=deletes, fault=fault)
        check(answer == "recoverable" and layer["state"] == "open", f"proved: {fault}: {answer} {layer}")
        answer, layer, _, odd = told(f"{fault}-reader", "agent-readonly", operations=deletes, fault=fault)
        check(answer == "stopped" and not odd, f"proved: {fault}: a reader: {answer} {odd}")


def role_chain(company):
    """One key may take on a role that may delete; another reads the account."""
    keys = [company.keys["agent-assume"], company.keys["agent-readonly"]]
    code, assessment, _ = asked(company, keys, "chain", "--live")
    ledger = answers(assessment)[DB + "prod-ledger"]
    path = next(path for path in assessment["paths"] if path["id"] == ledger["worst_path"])
    check(code == 1 and ledger["prevention"] == "open", f"chain: exit {code}, {ledger}")
    check(any("deployer" in name for name in path["principals"]), f"chain: by way of the role: {path['principals']}")
    sts = company.client("sts", "agent-assume")
    role = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/deployer", RoleSessionName="proof")["Credentials"]
    rds = boto3.client("rds", endpoint_url=company.url, region_name="eu-west-1", aws_access_key_id=role["AccessKeyId"],
                       aws_secret_access_key=role["SecretAccessKey"], aws_session_token=role["SessionToken"])
    check(tried(rds.delete_db_instance, DBInstanceIdentifier="prod-ledger", SkipFinalSnapshot=True) is None, "the server lets the role delete prod-ledger")


def by_its_key(company):
    """Whoever may destroy the key that a database is encrypted with may destroy the database."""
    code, assessment, _ = asked(company, [company.keys["agent-kms"], company.keys["agent-readonly"]], "key", "--live")
    found = answers(assessment)
    check(code == 1 and found[DB + "prod-vault"]["prevention"] == "open", f"key: exit {code}, {found[DB + 'prod-vault']}")
    check(layers(assessment, found[DB + "prod-ledger"])["permit"] == "stops", "key: prod-ledger is not encrypted with it")
    kms = company.client("kms", "agent-kms")
    rds = company.client("rds", "agent-readonly")
    arn = rds.describe_db_instances(DBInstanceIdentifier="prod-vault")["DBInstances"][0]["KmsKeyId"]
    # moto takes the id alone; AWS takes the ARN, too.
    check(tried(kms.schedule_key_deletion, KeyId=arn.rsplit("/")[-1], PendingWindowInDays=7) is None, "the server schedules the deletion of the key")


def by_another_role(company):
    """A right to write the policy of a role, and one to assume it, are a right to everything, one change away."""
    code, assessment, _ = asked(company, [company.keys["agent-patch"], company.keys["agent-readonly"]], "patch", "--live")
    ledger = answers(assessment)[DB + "prod-ledger"]
    check(code == 1 and ledger["prevention"] == "slowed", f"patch: exit {code}, {ledger}")
    iam = company.client("iam", "agent-patch")
    everything = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    check(tried(iam.put_role_policy, RoleName="clerk", PolicyName="all", PolicyDocument=everything) is None, "the server lets the role be widened")


def across_accounts(company):
    """A role of another account lets an identity of this one in."""
    keys = [company.keys[name] for name in ("agent-abroad", "agent-readonly", "reader-abroad")]
    code, assessment, _ = asked(company, keys, "abroad", "--live")
    abroad = answers(assessment)["arn:aws:rds:eu-west-1:210987654321:db:prod-abroad"]
    check(code == 1 and abroad["prevention"] == "open", f"abroad: exit {code}, {abroad}")
    _, assessment, _ = asked(company, keys[1:], "abroad-without", "--live")
    abroad = answers(assessment)["arn:aws:rds:eu-west-1:210987654321:db:prod-abroad"]
    check(layers(assessment, abroad)["permit"] == "stops", f"abroad: without that identity nobody may: {abroad}")


def by_url(company):
    """A database whose URL is in reach is the instance at its host: one asset, and two ways in."""
    instances = company.client("rds", "agent-readonly").describe_db_instances()["DBInstances"]
    host = {one["DBInstanceIdentifier"]: one["Endpoint"]["Address"] for one in instances}
    hosts = {"own": host["prod-ledger"], "reader": host["prod-ledger"].replace(".", ".cluster-ro-", 1), "tunnel": "localhost", "another": "ep-any-1.eu-central-1.aws.neon.tech"}
    for name, place in hosts.items():
        url = {".env": f"DATABASE_URL=postgres://app:Tr0ub4dor-and-3@{place}:5432/shop\n"}
        with between(company) as endpoint:
            _, assessment, _ = run(endpoint, [company.keys["agent-readonly"]], f"url-{name}", "--live", home=url)
        found = answers(assessment)
        expected = "stopped" if name == "another" else "unknown"
        check(found[DB + "prod-ledger"]["answer"] == expected, f"url: {name}: {found[DB + 'prod-ledger']['sentence']}")
        # A host that is no instance's own may be any of the account's.
        orders = "unknown" if name in ("reader", "tunnel") else "stopped"
        check(found[DB + "prod-orders"]["answer"] == orders, f"url: {name}: {found[DB + 'prod-orders']['sentence']}")
        check(name != "own" or found[DB + "prod-ledger"]["bounds"][0] == "nothing", f"url: {found[DB + 'prod-ledger']['bounds']}")
        shop = found[f"postgres://{place}:5432/shop"]
        joined = name == "own"
        check((shop["environment"] == "production") == joined and ("prod-ledger" in shop["place"]) == joined, f"url: {name}: {shop['place']} {shop['environment']}")
    # A login at several hosts may be for any database of its kind, and for no other.
    several = {".env": f"DATABASE_URL=postgres://app:Tr0ub4dor-and-3@one.example.com,{host['prod-ledger']}:5432/shop\n"}
    for name, url, expected in [("several", several, "unknown"),
                                ("mysql", {".env": "DATABASE_URL=mysql://app:Tr0ub4dor-and-3@localhost/shop\n"}, "stopped")]:
        with between(company) as endpoint:
            _, assessment, _ = run(endpoint, [company.keys["agent-readonly"]], f"url-{name}", "--live", home=url)
        found = answers(assessment)
        check(found[DB + "prod-ledger"]["answer"] == expected, f"url: {name}: {found[DB + 'prod-ledger']['sentence']}")


def offline(company):
    _, assessment, out = run(company.url, [company.keys["agent-admin"]], "offline", "--live", "--offline")
    check((out / "calls.jsonl").read_text() == "", "--offline wins over --live")
    _, assessment, out = run(company.url, [company.keys["agent-admin"]], "not-live")
    check((out / "calls.jsonl").read_text() == "", "without --live nothing is asked")
    check(all(asset["answer"] != "stopped" for asset in assessment["assets"]), "what was not asked is not stopped")


def dead(company):
    """AWS itself says that there is no such key, in the only partition that the user works in."""
    # A temporary key without its token is as unknown to AWS as one that is gone; it is not taken for gone.
    _, assessment, _ = asked(company, [("ASIARZPUZDIKQ7WML2BC", "Vk3mQ9xT2bLr8WzYc4Nf/6Hd1Js5Gf0Pa7Ue+RtK")], "temporary", "--live")
    status = [credential["status"] for credential in assessment["credentials"] if credential["provider"] == "aws"]
    check(status == ["unverified"], f"temporary: {status}")
    _, assessment, _ = asked(company, [("AKIARZPUZDIKQ7WML2BC", "Vk3mQ9xT2bLr8WzYc4Nf/6Hd1Js5Gf0Pa7Ue+RtK")], "dead", "--live")
    status = [credential["status"] for credential in assessment["credentials"] if credential["provider"] == "aws"]
    check(status == ["revoked"], f"dead: {status}")


FAULTS = {
    "denied": (403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"),
    "throttled": (400, b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"),
    "broken": (500, b""),
    "empty": (200, b""),
    "not understood": (200, b"<html>a proxy says hello</html>"),
    "another shape": (200, b"{}"),
    "redirected": (302, b""),
}


# What the server does not have, as AWS answers where there is nothing (service model of AWS Backup).
LACKING = {"backup:ListRecoveryPointsByResource": b'{"RecoveryPoints": []}', "backup:ListLegalHolds": b'{"LegalHolds": []}',
           "backup:ListRestoreJobs": b'{"RestoreJobs": []}', "rbin:ListRules": b'{"Rules": []}',
           "elasticfilesystem:DescribeReplicationConfigurations": b'{"Replications": []}', "fsx:DescribeBackups": b'{"Backups": []}',
           "elasticache:DescribeServerlessCaches": b"<R><DescribeServerlessCachesResult><ServerlessCaches/></DescribeServerlessCachesResult></R>",
           "redshift-serverless:ListNamespaces": b'{"namespaces": []}',
           "ec2:DescribeLockedSnapshots": b"<DescribeLockedSnapshotsResponse><snapshotSet/></DescribeLockedSnapshotsResponse>"}


class Spoiler(http.server.BaseHTTPRequestHandler):
    """Hands calls on to the company, but for one operation, which it spoils."""

    company, operations, fault, known, vaults, points, portal, more = None, (), "", {}, [], {}, {}, {}
    protocol_version = "HTTP/1.1"
    # Each answer is sent as one: otherwise its body waits 40 ms for its head to be acknowledged.
    wbufsize = -1

    def log_message(self, *_):
        pass

    def answer(self, status, body, header=None):
        self.send_response(status)
        if header:
            self.send_header(*header)
        if status == 302:
            self.send_header("Location", f"{self.company.url}/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def named(self, body):
        """The operation that a call is, with the service that it is signed for."""
        scope = self.headers.get("Authorization", "").split("/")
        # The portal of single sign-on is asked by a token, and nothing is signed.
        return f"{scope[3] if len(scope) > 3 else 'sso'}:{self.called(body)}"

    def called(self, body):
        if self.headers.get("X-Amz-Target"):
            return self.headers["X-Amz-Target"].split(".")[-1]
        if self.path.startswith("/assignment/"):
            return {"accounts": "ListAccounts", "roles": "ListAccountRoles"}.get(self.path.split("/")[2].split("?")[0], "")
        if self.path == "/list-rules":
            return "ListRules"
        if self.command == "POST":
            return urllib.parse.parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
        if self.path.startswith("/backup-vaults/"):
            part = urllib.parse.urlsplit(self.path).path.split("/")[3:4]
            return {"recovery-points": "ListRecoveryPointsByBackupVault", "access-policy": "GetBackupVaultAccessPolicy"}.get("".join(part), "ListBackupVaults")
        if self.path.startswith("/legal-holds/"):
            return "ListRecoveryPointsByLegalHold" if "/recovery-points" in self.path else "ListLegalHolds"
        if self.path.startswith("/restore-jobs/"):
            return "ListRestoreJobs"
        if "/recovery-points" in self.path:
            return "ListRecoveryPointsByResource"
        path = urllib.parse.urlsplit(self.path).path
        for pattern, operation in OF_PATHS:
            if re.fullmatch(pattern, path):
                return operation
        query = urllib.parse.urlsplit(self.path).query
        return OF_S3.get(query.split("&")[0].split("=")[0], "")

    def asked(self, body):
        """What the company answers. It does not change while it is only read, so each question is asked once."""
        # The key and the Region, of Credential=KEY/DAY/REGION/….
        scope = tuple(self.headers.get("Authorization", "").split("/")[0:3:2])
        question = (self.command, self.path, body, self.headers.get("X-Amz-Target"), scope)
        if question not in self.known:
            request = urllib.request.Request(self.company.url + self.path, data=body or None, headers=dict(self.headers), method=self.command)
            try:
                with urllib.request.urlopen(request) as response:
                    self.known[question] = response.status, response.read()
            except urllib.error.HTTPError as error:
                self.known[question] = error.code, error.read()
        return self.known[question]

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = self.named(body)
        spoilt = name in self.operations
        if spoilt and self.fault != "cut off":
            return self.answer(*FAULTS[self.fault])
        if name == "organizations:DescribeResourcePolicy" and not spoilt:
            return self.answer(400, b'{"__type": "ResourcePolicyNotFoundException"}')
        if name in ("sso:ListAccounts", "sso:ListAccountRoles"):
            asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("account_id", [""])[0]
            if self.headers.get("x-amz-sso_bearer_token") != SIGNED_IN:
                return self.answer(401, b'{"message": "Session token not found or invalid"}', ("x-amzn-ErrorType", "UnauthorizedException"))
            told = ({"accountList": [{"accountId": number} for number in self.portal]} if name == "sso:ListAccounts" else
                    {"roleList": [{"roleName": one, "accountId": asked} for one in self.portal[asked]]})
            told = json.dumps(told).encode()
            return self.answer(200, told[:len(told) * 2 // 3] if spoilt else told)
        if name == "backup:GetBackupVaultAccessPolicy" and not spoilt:
            return self.answer(400, b'{"Message": "no policy"}', ("x-amzn-ErrorType", "ResourceNotFoundException:"))
        if name == "backup:ListBackupVaults" and not spoilt and self.vaults:
            return self.answer(200, json.dumps({"BackupVaultList": self.vaults}).encode())
        if name == "backup:ListRecoveryPointsByBackupVault" and not spoilt:
            points = self.points.get(self.path.split("/")[2], [])
            return self.answer(200, json.dumps({"RecoveryPoints": points}).encode())
        if name in self.more:
            more = self.more[name](body) if callable(self.more[name]) else self.more[name]
            status, more = more if isinstance(more, tuple) else (200, more)
            return self.answer(status, more[:len(more) * 2 // 3] if spoilt else more)
        if name == SIMULATE and not spoilt:
            return self.answer(*FAULTS["denied"])
        if name in LACKING and not spoilt:
            return self.answer(200, LACKING[name])
        status, answer = self.asked(body)
        if spoilt and self.fault == "cut off":
            answer = answer[:len(answer) * 2 // 3]
        self.answer(status, answer)

    do_GET = do_POST = handle_one


@contextlib.contextmanager
def between(company, operations=(), fault="", known=None, vaults=(), points=None, portal=None, more=None):
    """Stands between Deadstop and the company, and spoils some operations."""
    handler = type("Spoiler", (Spoiler,), {"company": company, "operations": operations, "fault": fault, "known": {} if known is None else known,
                                        "vaults": list(vaults), "points": points or {}, "portal": portal or {}, "more": more or {}})
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
    finally:
        proxy.shutdown()
        proxy.server_close()


def found_by(company, *users):
    """What is answered with these keys, where AWS Backup, the Recycle Bin and locks of snapshots hold nothing."""
    with between(company) as endpoint:
        _, assessment, _ = run(endpoint, [company.keys[name] for name in users], "found-" + "-".join(users), "--live")
    return assessment, answers(assessment)


def volumes(company):
    """Volumes by themselves and with their machines."""
    ec2 = company.client("ec2", "agent-admin")
    all_volumes = ec2.describe_volumes()["Volumes"]
    (loose,) = [one["VolumeId"] for one in all_volumes if not one["Attachments"]]
    (bound,) = [one["VolumeId"] for one in all_volumes if one["Attachments"]]
    instance = next(one["Attachments"][0]["InstanceId"] for one in all_volumes if one["Attachments"])
    # The snapshot stays for whoever may not delete it; an attached volume is not deleted.
    assessment, found = found_by(company, "agent-volumes", "agent-readonly")
    check(found[VOLUME + loose]["answer"] == "recoverable", f"volumes: {found[VOLUME + loose]}")
    check(layers(assessment, found[VOLUME + bound])["protect"] == "stops", f"volumes: {found[VOLUME + bound]}")
    limited = company.client("ec2", "agent-volumes")
    snapshot = ec2.describe_snapshots(OwnerIds=["self"], Filters=[{"Name": "volume-id", "Values": [loose]}])["Snapshots"][0]["SnapshotId"]
    check(tried(limited.delete_snapshot, SnapshotId=snapshot) in REFUSED, "the server refuses the snapshot")
    check(tried(limited.delete_volume, VolumeId=bound) == "VolumeInUse", "the server keeps an attached volume")
    check(tried(limited.delete_volume, VolumeId=loose) is None, "the server deletes the other")
    assessment, found = found_by(company, "agent-terminate", "agent-readonly")
    check(found[VOLUME + bound]["answer"] == "nothing", f"terminate: {found[VOLUME + bound]}")
    limited = company.client("ec2", "agent-terminate")
    check(tried(limited.delete_volume, VolumeId=bound) in REFUSED, "the server refuses the volume by itself")
    check(tried(limited.terminate_instances, InstanceIds=[instance]) is None, "the server terminates the instance")
    check(bound not in [one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]], "its volume is gone")


def vaults(company):
    """Recovery points count as far as nobody in reach may delete them, or undo the lock of their vault. The server has no
    recovery points, so that these are told as AWS does (service model of AWS Backup), and no delete is tried."""
    def answer(user, *locks):
        arn = f"arn:aws:backup:eu-west-1:{ACCOUNT}:backup-vault:"
        kept = [{"BackupVaultName": name, "BackupVaultArn": arn + name, **lock} for name, lock in locks]
        point = {"RecoveryPointArn": f"arn:aws:rds:eu-west-1:{ACCOUNT}:snapshot:awsbackup:job-1", "Status": "COMPLETED",
                 "ResourceArn": DB + "prod-ledger", "CreationDate": time.time() - 3600}
        with between(company, vaults=kept, points={name: [point] for name, _ in locks}) as endpoint:
            _, assessment, _ = run(endpoint, [company.keys[user], company.keys["agent-readonly"]], f"vaults-{user}", "--live")
        return answers(assessment)

    past, coming = {"Locked": True, "LockDate": time.time() - 86400}, {"Locked": True, "LockDate": time.time() + 86400}
    for user, lock, expected in [
            ("agent-delete", {"Locked": False}, "recoverable"), ("agent-vaults", {"Locked": False}, "nothing"),
            ("agent-vaults", {"Locked": True}, "nothing"), ("agent-vaults", coming, "nothing"),
            ("agent-vaults", past, "recoverable"), ("agent-admin", past, "recoverable"), ("agent-admin", coming, "nothing")]:
        found = answer(user, ("sealed", lock))
        check(found[DB + "prod-ledger"]["answer"] == expected, f"vaults: {user} {lock}: {found[DB + 'prod-ledger']}")
        vault = found[f"arn:aws:backup:eu-west-1:{ACCOUNT}:backup-vault:sealed"]
        stops = lock == past or user == "agent-delete"
        check((vault["prevention"] == "stopped") == stops, f"vaults: {user} {lock}: {vault}")


def holds(company):
    """A restore counts that somebody has said was good. A legal hold alone does not make a recovery point count yet, where the
    others of its vault may be deleted. The server has neither, so that these are told as AWS does, and no delete is tried."""
    vault, held = f"arn:aws:backup:eu-west-1:{ACCOUNT}:backup-vault:open", f"arn:aws:backup:eu-west-1:{ACCOUNT}:legal-hold:h-1"
    point = f"arn:aws:rds:eu-west-1:{ACCOUNT}:snapshot:awsbackup:job-1"
    now, known = time.time(), {}

    def answer(name, user, status="ACTIVE", points=(point,), said=None, operation=None, fault=""):
        kept = {"RecoveryPointArn": point, "Status": "COMPLETED", "ResourceArn": DB + "prod-ledger", "CreationDate": now - 7200}
        job = {"RestoreJobId": "restore-1", "RecoveryPointArn": point, "Status": "COMPLETED", "ValidationStatus": said,
               "CreationDate": now - 3600, "CompletionDate": now - 1800}
        more = {"backup:ListLegalHolds": {"LegalHolds": [{"LegalHoldId": "h-1", "LegalHoldArn": held, "Status": status, "Title": "t"}]},
                "backup:ListRecoveryPointsByLegalHold": {"RecoveryPoints": [{"RecoveryPointArn": one} for one in points]},
                "backup:ListRestoreJobs": {"RestoreJobs": [job]}}
        with between(company, {operation}, fault, known, vaults=[{"BackupVaultName": "open", "BackupVaultArn": vault, "Locked": False}],
                     points={"open": [kept]}, more={name: json.dumps(body).encode() for name, body in more.items()}) as endpoint:
            _, assessment, _ = run(endpoint, [company.keys[user], company.keys["agent-readonly"]], f"holds-{name}", "--live")
        return answers(assessment)[DB + "prod-ledger"]

    for name, user, more, expected in [("held", "agent-vaults", {}, "nothing"), ("released", "agent-admin", {}, "nothing"),
                                       ("ending", "agent-vaults", {"status": "CANCELING"}, "nothing"),
                                       ("another", "agent-vaults", {"points": (point + "0",)}, "nothing")]:
        found = answer(name, user, **more)
        check(found["answer"] == expected, f"holds: {name}: {found['sentence']}")
    # Whoever may give himself all rights may release the hold, too (CancelLegalHold).
    found = answer("given", "agent-release")
    check(found["bounds"][0] == "nothing", f"holds: whoever may give himself rights: {found['bounds']} {found['sentence']}")
    for said, expected in (("SUCCESSFUL", "tested"), ("FAILED", "untested"), ("TIMED_OUT", "untested"), (None, "untested")):
        found = answer(f"restored-{said}", "agent-delete", said=said)
        check(found["recovery"] == expected, f"holds: restored {said}: {found['recovery']}: {found['sentence']}")
    cases = [(operation, fault) for operation in OF_HOLDS for fault in [*FAULTS, "cut off"]]

    def spoil(case):
        number, (operation, fault) = case
        of_restores = operation == "backup:ListRestoreJobs"
        found = answer(f"spoilt-{number}", "agent-delete" if of_restores else "agent-vaults", said="SUCCESSFUL", operation=operation, fault=fault)
        # A hold that was not read may not be there; a restore that was not read may not have been tried.
        worst = "recoverable-untested" if of_restores else "nothing"
        check(found["bounds"][0] == worst, f"holds: {operation} {fault}: {found['answer']} {found['bounds']}")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(spoil, enumerate(cases)))
    return len(cases)


def secrets_and_keys(company):
    """Secrets, and keys as assets of their own."""
    root = company.client("secretsmanager", "agent-admin")
    arn = {one["Name"]: one["ARN"] for one in root.list_secrets()["SecretList"]}
    # A secret with replicas is kept until they are gone.
    assessment, found = found_by(company, "agent-secrets", "agent-readonly")
    check(found[arn["prod/db"]]["answer"] == "nothing", f"secrets: {found[arn['prod/db']]}")
    check(found[arn["prod/everywhere"]]["answer"] == "stopped", f"secrets: {found[arn['prod/everywhere']]}")
    check(layers(assessment, found[arn["prod/everywhere"]])["protect"] == "stops", "secrets: what has replicas is kept")
    _, admin = found_by(company, "agent-admin")
    check(admin[arn["prod/everywhere"]]["answer"] == "nothing", f"secrets: it can be overwritten: {admin[arn['prod/everywhere']]}")
    limited, reader = company.client("secretsmanager", "agent-secrets"), company.client("secretsmanager", "agent-readonly")
    check(tried(limited.delete_secret, SecretId="prod/everywhere", ForceDeleteWithoutRecovery=True) is not None, "the server keeps a secret with replicas")
    check(tried(limited.put_secret_value, SecretId="prod/everywhere", SecretString="other") in REFUSED, "the server refuses to overwrite it")
    check(tried(limited.delete_secret, SecretId="prod/db", ForceDeleteWithoutRecovery=True) is None, "the server deletes a secret at once")
    check(tried(root.put_secret_value, SecretId="prod/everywhere", SecretString="other") is None, "the server overwrites a secret")
    _, found = found_by(company, "agent-readonly")
    check(found[arn["prod/api"]]["answer"] == "stopped", f"secrets: a reader: {found[arn['prod/api']]}")
    check(tried(reader.delete_secret, SecretId="prod/api") in REFUSED, "the server refuses a reader")
    # Whoever reads a secret may come to whatever it opens.
    _, found = found_by(company, "agent-peek", "agent-readonly")
    check(found[DB + "prod-ledger"]["answer"] == "unknown", f"secrets: {found[DB + 'prod-ledger']['sentence']}")
    check(tried(company.client("secretsmanager", "agent-peek").get_secret_value, SecretId="prod/api") is None, "the server shows the secret")
    # The window of a key is 7 days at least, in which the loss is not noticed unless somebody says so.
    kms = company.client("kms", "agent-kms")
    (idle,) = [one["KeyArn"] for one in company.client("kms", "agent-admin").list_keys()["Keys"]
               if company.client("kms", "agent-admin").describe_key(KeyId=one["KeyId"])["KeyMetadata"]["Description"] == "one object"]
    _, found = found_by(company, "agent-kms", "agent-readonly")
    check(found[idle]["answer"] == "nothing", f"keys: {found[idle]['sentence']}")
    _, reading = found_by(company, "agent-readonly")
    check(reading[idle]["answer"] == "stopped", f"keys: a reader: {reading[idle]}")
    check(tried(company.client("kms", "agent-readonly").schedule_key_deletion, KeyId=idle.rsplit("/")[-1], PendingWindowInDays=7) in REFUSED, "the server refuses a reader")


def stores(company):
    """File systems, warehouses, caches, search, images, clusters: each by the call that deletes it."""
    admin, reader, limited = ({service: company.client(service, user) for service in STORES} for user in ("agent-admin", "agent-readonly", "agent-stores"))
    systems = {one["Name"]: one for one in admin["efs"].describe_file_systems()["FileSystems"]}
    (shared,) = admin["fsx"].describe_file_systems()["FileSystems"]
    place = f"eu-west-1:{ACCOUNT}:"
    calls = [(systems["home"]["FileSystemArn"], "efs", "delete_file_system", {"FileSystemId": systems["home"]["FileSystemId"]}),
             (f"arn:aws:redshift:{place}cluster:prod-lake", "redshift", "delete_cluster", {"ClusterIdentifier": "prod-lake", "SkipFinalClusterSnapshot": True}),
             (f"arn:aws:elasticache:{place}replicationgroup:prod-group", "elasticache", "delete_replication_group", {"ReplicationGroupId": "prod-group"}),
             (f"arn:aws:elasticache:{place}cluster:prod-cache", "elasticache", "delete_cache_cluster", {"CacheClusterId": "prod-cache"}),
             (f"arn:aws:memorydb:{place}cluster/prod-memory", "memorydb", "delete_cluster", {"ClusterName": "prod-memory"}),
             (f"arn:aws:es:{place}domain/prod-search", "opensearch", "delete_domain", {"DomainName": "prod-search"}),
             (f"arn:aws:ecr:{place}repository/prod/app", "ecr", "delete_repository", {"repositoryName": "prod/app", "force": True}),
             (f"arn:aws:eks:{place}cluster/prod-eks", "eks", "delete_cluster", {"name": "prod-eks"}),
             (shared["ResourceARN"], "fsx", "delete_file_system", {"FileSystemId": shared["FileSystemId"]})]
    mounted = systems["mounted"]
    _, all_found = found_by(company, "agent-admin")
    _, found = found_by(company, "agent-stores", "agent-readonly")
    _, reading = found_by(company, "agent-readonly")
    check(all_found[mounted["FileSystemArn"]]["bounds"] == ["nothing", "slowed-no-recovery"], f"stores: {all_found[mounted['FileSystemArn']]['sentence']}")
    check(found[mounted["FileSystemArn"]]["answer"] == "unknown", f"stores: whoever reaches its mount target: {found[mounted['FileSystemArn']]['sentence']}")
    check(tried(limited["efs"].delete_file_system, FileSystemId=mounted["FileSystemId"]) == "FileSystemInUse", "the server keeps what is mounted")
    check(tried(limited["efs"].delete_mount_target, MountTargetId=admin["efs"].describe_mount_targets(FileSystemId=mounted["FileSystemId"])["MountTargets"][0]["MountTargetId"]) in REFUSED, "the server refuses to unmount it")
    _, sql = found_by(company, "agent-sql", "agent-readonly")
    check(sql[calls[1][0]]["answer"] == "unknown", f"stores: by SQL: {sql[calls[1][0]]['sentence']}")
    for arn, service, call, arguments in calls:
        for who, answers_of in (("admin", all_found), ("limited", found), ("reader", reading)):
            check(arn in answers_of, f"stores: {who}: {arn} is listed")
        expected = "stopped" if service == "eks" and found[arn]["prevention"] == "stopped" else "open"
        check(found[arn]["prevention"] == expected, f"stores: {arn}: {found[arn]['sentence']}")
        expected = "unknown" if any(f":{one}:" in arn for one in BESIDE) else "stopped"
        check(reading[arn]["answer"] == expected, f"stores: a reader: {arn}: {reading[arn]['sentence']}")
        check(tried(getattr(reader[service], call), **arguments) in REFUSED + ("AccessDeniedException",), f"the server refuses a reader {call}")
    for arn, service, call, arguments in calls:
        if found[arn]["prevention"] == "open":
            check(tried(getattr(limited[service], call), **arguments) is None, f"the server takes {call} of {arn}")


# What lets others in than AWS's policies say.
BESIDE = ("fsx", "elasticache", "memorydb", "eks")
STORES = ("efs", "redshift", "elasticache", "memorydb", "opensearch", "ecr", "eks", "fsx")


def namespaces(company):
    """Redshift Serverless, which the server does not have: its answers are those of its API reference."""
    place = f"arn:aws:redshift-serverless:eu-west-1:{ACCOUNT}:"
    of, group, kept = f"{place}namespace/n-1", f"{place}workgroup/w-1", f"{place}snapshot/s-1"
    told = {"ListNamespaces": {"namespaces": [{"namespaceArn": of, "namespaceName": "prod-events", "kmsKeyId": "AWS_OWNED_KMS_KEY", "status": "AVAILABLE"}]},
            "ListWorkgroups": {"workgroups": [{"workgroupArn": group, "namespaceName": "prod-events", "endpoint": {"address": "events.example"}}]},
            "ListSnapshots": {"snapshots": [{"snapshotArn": kept, "snapshotName": "s", "namespaceArn": of, "status": "AVAILABLE", "snapshotRetentionPeriod": -1,
                                             "snapshotCreateTime": "2026-11-01T00:00:00Z", "kmsKeyId": "AWS_OWNED_KMS_KEY"}]},
            "ListRecoveryPoints": {"recoveryPoints": [{"recoveryPointId": "r", "namespaceArn": of, "recoveryPointCreateTime": "2026-11-01T00:00:00Z"}]},
            "ListTagsForResource": {"tags": [{"key": "env", "value": "production"}]}}
    more = {f"redshift-serverless:{operation}": json.dumps(answer).encode() for operation, answer in told.items()}

    def asset(user, operations=(), fault=""):
        with between(company, operations, fault, more=more) as endpoint:
            _, assessment, _ = run(endpoint, [company.keys[user], company.keys["agent-readonly"]], f"namespaces-{user}-{len(operations)}", "--live")
        return answers(assessment).get(of)

    for user, answer in (("agent-namespace", "open"), ("agent-restore", "open"), ("agent-sql", "unknown"), ("agent-readonly", "stopped"),
                         ("agent-snapshots", "stopped")):
        found = asset(user)
        check(found[("answer" if answer in ("unknown", "stopped") else "prevention")] == answer, f"namespaces: {user}: {found['sentence']}")
    check([point["kind"] for point in asset("agent-namespace")["recovery_points"]] == ["automated_backup", "snapshot"], "namespaces: what is kept")
    # A snapshot that may be without its namespace is no sure way back.
    check(asset("agent-namespace")["bounds"][0] == "nothing", "namespaces: at worst nothing brings it back")
    check(asset("agent-readonly", {"redshift-serverless:ListNamespaces"}, "cut off") is None, "namespaces: not listed")
    check(asset("agent-namespace", {"redshift-serverless:ListSnapshots"}, "cut off")["bounds"][0] == "nothing", "namespaces: snapshots not listed")
    check(asset("agent-readonly", {"redshift-serverless:ListWorkgroups"}, "cut off")["answer"] == "stopped", "namespaces: workgroups not listed")


def sealed(company):
    """A statement that refuses everything but reads stops what AWS decides by policies, and nothing else."""
    with between(company) as endpoint:
        _, assessment, _ = run(endpoint, [company.keys["agent-sealed"]], "sealed", "--live")
    systems = company.client("efs", "agent-admin").describe_file_systems()["FileSystems"]
    (mounted,) = [one["FileSystemArn"] for one in systems if one["Name"] == "mounted"]
    for key, asset in answers(assessment).items():
        beside = "not-listed" in key or key == mounted or any(f":{service}:" in key for service in BESIDE)
        check(asset["answer"] == ("unknown" if beside else "stopped"), f"sealed: {key}: {asset['sentence']}")
    for service, call, arguments in [
            ("rds", "delete_db_instance", {"DBInstanceIdentifier": "prod-ledger", "SkipFinalSnapshot": True}),
            ("dynamodb", "delete_table", {"TableName": "carts"}), ("s3", "delete_object", {"Bucket": "exports", "Key": "old/one"}),
            ("secretsmanager", "delete_secret", {"SecretId": "prod/api"}), ("sqs", "create_queue", {"QueueName": "any"}),
            ("sts", "assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/deployer", "RoleSessionName": "proof"}),
            ("iam", "put_user_policy", {"UserName": "agent-sealed", "PolicyName": "more", "PolicyDocument": "{}"})]:
        check(tried(getattr(company.client(service, "agent-sealed"), call), **arguments) in REFUSED + ("AccessDeniedException",), f"the server refuses {call}")
    # What is spared may lead on.
    _, found = found_by(company, "agent-sealed-but", "agent-readonly")
    check(found[DB + "prod-ledger"]["answer"] == "unknown", f"sealed: but for secrets: {found[DB + 'prod-ledger']['sentence']}")
    # A call that begins like a read may hand out credentials for objects.
    _, found = found_by(company, "agent-gets", "agent-readonly")
    check(found[BUCKET + "exports"]["answer"] == "unknown", f"gets: {found[BUCKET + 'exports']['sentence']}")
    check(found[DB + "prod-ledger"]["answer"] == "stopped", f"gets: {found[DB + 'prod-ledger']['sentence']}")
    # A new password of its main user may open a database, and what else a service does nobody has worked out.
    for user in ("agent-password", "agent-braket"):
        _, found = found_by(company, user, "agent-readonly")
        check(found[DB + "prod-ledger"]["answer"] == "unknown", f"{user}: {found[DB + 'prod-ledger']['sentence']}")
    check(tried(company.client("rds", "agent-password").modify_db_instance, DBInstanceIdentifier="prod-ledger", MasterUserPassword="an0ther-made-up") is None, "the server takes a new password")


def onward(company):
    """Where calls lead, beside what they do themselves."""
    for user in ("agent-canary", "agent-alarm", "agent-lifecycle", "agent-job", "agent-new"):
        _, found = found_by(company, user, "agent-readonly")
        for key in (DB + "prod-ledger", BUCKET + "exports"):
            check(found[key]["answer"] == "unknown", f"onward: {user}: {found[key]['sentence']}")
    _, found = found_by(company, "agent-nowhere", "agent-readonly")
    for key in (DB + "prod-ledger", BUCKET + "exports", TABLE + "carts"):
        check(found[key]["answer"] == "stopped", f"onward: nowhere: {found[key]['sentence']}")
    # A parameter of MySQL has whoever signs in run statements; PostgreSQL has none of that kind.
    _, found = found_by(company, "agent-parameters", "agent-readonly")
    for key, answer in ((DB + "prod-shop", "unknown"), (DB + "prod-ledger", "stopped")):
        check(found[key]["answer"] == answer, f"onward: parameters: {found[key]['sentence']}")
    # Under another key, which may be destroyed: what such calls reach, and nothing else.
    _, found = found_by(company, "agent-keyed", "agent-readonly")
    for key, answer in ((BUCKET + "exports", "unknown"), (TABLE + "carts", "unknown"), (DB + "prod-ledger", "stopped")):
        check(found[key]["answer"] == answer, f"onward: keyed: {found[key]['sentence']}")
    # Statements in a database reach as far as the roles that RDS may be given.
    _, found = found_by(company, "agent-password", "agent-readonly")
    check(found[BUCKET + "exports"]["answer"] == "stopped", f"onward: no role for databases: {found[BUCKET + 'exports']['sentence']}")
    trust = {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
    company.client("iam", "agent-admin").create_role(RoleName="exporter", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    _, found = found_by(company, "agent-password", "agent-readonly")
    check(found[BUCKET + "exports"]["answer"] == "unknown", f"onward: by a role for databases: {found[BUCKET + 'exports']['sentence']}")
    company.client("iam", "agent-admin").delete_role(RoleName="exporter")
    # The policy of a bucket may let somebody do so, too.
    s3 = company.client("s3", "agent-admin")
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/agent-volumes"}, "Action": "s3:PutBucketOwnershipControls",
                 "Resource": "arn:aws:s3:::exports"}
    s3.put_bucket_policy(Bucket="exports", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    _, found = found_by(company, "agent-volumes", "agent-readonly")
    for key, answer in ((BUCKET + "exports", "unknown"), (BUCKET + "media", "stopped")):
        check(found[key]["answer"] == answer, f"onward: by a bucket's policy: {found[key]['sentence']}")
    s3.delete_bucket_policy(Bucket="exports")


def replicas(company):
    """What is done at a source is done at its replicas; and other ways by which what is asked of one is done to another."""
    rds, s3, kms = (company.client(service, "agent-admin") for service in ("rds", "s3", "kms"))

    def expect(user, **wanted):
        _, found = found_by(company, user, "agent-readonly")
        for key, answer in wanted.items():
            check(found[key]["answer"] == answer, f"replicas: {user}: {found[key]['sentence']}")

    replica, carts = DB + "vault-replica", TABLE + "carts"
    rds.create_db_instance_read_replica(DBInstanceIdentifier="vault-replica", SourceDBInstanceIdentifier="prod-vault",
                                        DBInstanceClass="db.m5.large")
    # Statements may also reach whatever other databases these sign in to.
    expect("agent-source", **{replica: "unknown", DB + "prod-ledger": "unknown", carts: "stopped", BUCKET + "sealed": "stopped"})
    # A bucket, too; unless the tags of objects let them expire, they are but tags.
    expect("agent-source", **{BUCKET + "archive": "stopped"})
    expect("agent-tags", **{BUCKET + "media": "stopped", BUCKET + "archive": "stopped"})
    rule = {"ID": "all", "Priority": 1, "Filter": {"Prefix": ""}, "Status": "Enabled", "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": "arn:aws:s3:::archive"}}
    s3.put_bucket_replication(Bucket="media", ReplicationConfiguration={"Role": f"arn:aws:iam::{ACCOUNT}:role/copies", "Rules": [rule]})
    tagged = {"ID": "old", "Status": "Enabled", "Filter": {"Tag": {"Key": "keep", "Value": "no"}}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket="archive", LifecycleConfiguration={"Rules": [tagged]})
    expect("agent-source", **{BUCKET + "archive": "unknown", BUCKET + "sealed": "stopped"})
    expect("agent-tags", **{BUCKET + "media": "stopped", BUCKET + "archive": "unknown"})
    s3.delete_bucket_replication(Bucket="media")
    s3.delete_bucket_lifecycle(Bucket="archive")
    rds.delete_db_instance(DBInstanceIdentifier="vault-replica", SkipFinalSnapshot=True)
    # What a proxy runs when it connects, where there is one.
    expect("agent-proxy", **{BUCKET + "media": "stopped", carts: "stopped"})
    # A database that does not come to its key for a week is lost.
    expect("agent-disable", **{DB + "prod-vault": "unknown", DB + "prod-ledger": "stopped", carts: "stopped"})
    # The policy of a key lets somebody sign, or decrypt, who has nothing of the kind himself.
    key = kms.create_key(Description="of signatures")["KeyMetadata"]["KeyId"]
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    sign = {**own, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/agent-volumes"}, "Action": "kms:Sign"}
    expect("agent-volumes", **{DB + "prod-ledger": "stopped", carts: "stopped"})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": [own, sign]}))
    expect("agent-volumes", **{DB + "prod-ledger": "unknown", carts: "unknown"})
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": [own]}))


def machines(company):
    """The volumes of a machine that a group keeps go with whoever lets the group end it."""
    ec2, groups = company.client("ec2", "agent-admin"), company.client("autoscaling", "agent-admin")
    before = {one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]}
    groups.create_launch_configuration(LaunchConfigurationName="shop", ImageId="ami-12345678", InstanceType="t3.micro")
    groups.create_auto_scaling_group(AutoScalingGroupName="shop", LaunchConfigurationName="shop", MinSize=1, MaxSize=1,
                                     AvailabilityZones=["eu-west-1a"])
    (made,) = [one for one in ec2.describe_volumes()["Volumes"] if one["VolumeId"] not in before]
    others = [VOLUME + one for one in before]
    for user in ("agent-stop", "agent-health"):
        _, found = found_by(company, user, "agent-readonly")
        check(found[VOLUME + made["VolumeId"]]["prevention"] == "open", f"machines: {user}: {found[VOLUME + made['VolumeId']]['sentence']}")
        for key in others:
            check(found[key]["answer"] == "stopped", f"machines: {user}: of no group: {found[key]['sentence']}")
    (machine,) = groups.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]
    health = {"InstanceId": machine["InstanceId"], "HealthStatus": "Unhealthy"}
    check(tried(company.client("autoscaling", "agent-health").set_instance_health, **health) is None, "the server takes the machine for unhealthy")


def clusters(company):
    """A cluster, its protection and its snapshot; its instances are no databases of their own."""
    _, found = found_by(company, "agent-admin")
    check(DB + "prod-cluster-1" not in found, "cluster: an instance of it holds no data of its own")
    # Its users may sign in by IAM, and what they may do in it is its own to say.
    check(found[CLUSTER + "prod-cluster"]["bounds"] == ["nothing", "slowed-no-recovery"], f"cluster: {found[CLUSTER + 'prod-cluster']}")
    check(found[CLUSTER + "prod-cluster"]["recovery"] == "none", "cluster: its snapshot can be deleted, too")
    _, found = found_by(company, "agent-readonly")
    check(found[CLUSTER + "prod-cluster"]["answer"] == "stopped", f"cluster: {found[CLUSTER + 'prod-cluster']}")
    rds = company.client("rds", "agent-admin")
    name = {"DBClusterIdentifier": "prod-cluster"}
    check(tried(rds.delete_db_cluster, SkipFinalSnapshot=True, **name) is not None, "the server keeps a protected cluster")
    check(tried(rds.delete_db_instance, DBInstanceIdentifier="prod-cluster-1", SkipFinalSnapshot=True) is None, "the server deletes its instance")
    check(tried(rds.modify_db_cluster, DeletionProtection=False, **name) is None, "the server lets the protection be taken off")
    check(tried(rds.delete_db_cluster, SkipFinalSnapshot=True, **name) is None, "the server deletes the cluster")
    left = rds.describe_db_cluster_snapshots(**name)["DBClusterSnapshots"]
    # The server keeps automated snapshots, which AWS deletes with the cluster.
    check([one["DBClusterSnapshotIdentifier"] for one in left if one["SnapshotType"] == "manual"] == ["cluster-before-the-move"], f"its snapshot stays: {left}")
    check(tried(rds.delete_db_cluster_snapshot, DBClusterSnapshotIdentifier="cluster-before-the-move") is None, "the server deletes the snapshot")


def functions(company):
    """Whoever the policy of a function lets change or call it comes to what it may do. The server keeps such policies in another
    form than AWS, so that they are told here."""
    ledger = DB + "prod-ledger"
    arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:prod-tidy"
    coder = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/agent-coder"}

    def told(action, principal, condition=None):
        statement = {"Sid": "one", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": arn}
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": [{**statement, **({"Condition": condition} if condition else {})}]}
        return (200, json.dumps({"Policy": json.dumps(policy), "RevisionId": "1"}).encode())

    def answer(name, *users, **spoilt):
        with between(company, **spoilt) as endpoint:
            _, assessment, _ = run(endpoint, [company.keys[user] for user in (*users, "agent-readonly")], f"functions-{name}", "--live")
        return answers(assessment)[ledger]

    for name, policy, expected in [
            ("none", None, "stopped"), ("change", told("lambda:UpdateFunctionCode", coder), "unknown"), ("call", told("lambda:InvokeFunction", coder), "unknown"),
            ("anybody", told("lambda:InvokeFunction", "*"), "unknown"), ("reads", told("lambda:GetFunction", coder), "stopped"),
            ("another", told("lambda:UpdateFunctionCode", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/agent-stop"}), "stopped"),
            ("service", told("lambda:InvokeFunction", {"Service": "s3.amazonaws.com"}, {"StringEquals": {"AWS:SourceAccount": ACCOUNT}}), "stopped"),
            ("address", told("lambda:InvokeFunctionUrl", "*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}), "stopped")]:
        found = answer(name, "agent-coder", more={"lambda:GetPolicy": policy} if policy else None)
        check(found["answer"] == expected, f"functions: {name}: {found['sentence']}")
    for operation in ("lambda:GetPolicy", "lambda:ListFunctions"):
        for fault in FAULTS:
            found = answer(f"{operation}-{fault}", "agent-coder", operations={operation}, fault=fault)
            check(found["answer"] == "unknown", f"functions: {operation} {fault}: {found['sentence']}")
    found = answer("regions-denied", "agent-coder", operations={"ec2:DescribeRegions"}, fault="denied")
    check(found["answer"] == "unknown", f"functions: of Regions that were not told: {found['sentence']}")
    _, found = found_by(company, "agent-sealed")
    check(found[ledger]["answer"] == "stopped", f"functions: what it is refused on everything, no function gives: {found[ledger]['sentence']}")


def groups(company):
    """Whoever may join a group has what its policies give, after a change; all else is in doubt."""
    _, found = found_by(company, "agent-joins", "agent-readonly")
    ledger, carts = found[DB + "prod-ledger"], found[TABLE + "carts"]
    check(ledger["prevention"] == "slowed", f"groups: {ledger['sentence']}")
    check(carts["answer"] == "unknown", f"groups: of another service: {carts['sentence']}")
    joined = tried(company.client("iam", "agent-joins").add_user_to_group, GroupName="deleters", UserName="agent-joins")
    check(joined is None, f"the server lets it join: {joined}")
    check(tried(company.client("dynamodb", "agent-joins").delete_table, TableName="carts") in REFUSED + ("AccessDeniedException",), "the server refuses it the table")
    _, found = found_by(company, "agent-joins", "agent-readonly")
    check(found[DB + "prod-ledger"]["prevention"] == "open", f"groups: as a member: {found[DB + 'prod-ledger']['sentence']}")


def regions(company):
    """Where no Region is named, those that are enabled are read; where these are not told, one is, and nothing is claimed of the rest."""
    ledger = DB + "prod-ledger"
    with between(company) as endpoint:
        _, assessment, _ = run(endpoint, [company.keys["agent-readonly"]], "regions-all", "--live", regions="")
    # The server tells no policies of secrets that are replicas, so that it is not known whom these let in.
    found = answers(assessment)
    check(found[ledger]["answer"] == "unknown" and any(":eu-central-1:" in key for key in found), f"regions: {found[ledger]['sentence']}")
    for fault in FAULTS:
        with between(company, {"ec2:DescribeRegions"}, fault) as endpoint:
            code, assessment, _ = run(endpoint, [company.keys["agent-readonly"]], f"regions-{fault}", "--live", regions="")
        found = answers(assessment)
        check(code == 3 and ledger not in found and all(asset["answer"] != "stopped" for asset in found.values()), f"regions: {fault}: exit {code}")


def buckets(company):
    """What each key may do to buckets, and what is left then."""
    def found(*users):
        assessment, all_found = found_by(company, *users)
        return None, assessment, {key.removeprefix(BUCKET): asset for key, asset in all_found.items() if key.startswith(BUCKET)}

    # Whoever may delete objects hides them where versions are kept, and loses them where they are not.
    _, assessment, of = found("agent-objects", "agent-readonly")
    check(of["exports"]["answer"] == "nothing", f"objects: {of['exports']}")
    check(of["media"]["answer"] == "recoverable", f"objects: versions stay: {of['media']}")
    check(of["archive"]["answer"] == "recoverable", f"objects: locked versions stay, too: {of['archive']}")
    s3 = company.client("s3", "agent-objects")
    root = company.client("s3", "agent-admin")
    check(tried(s3.delete_object, Bucket="media", Key="old/one") is None, "the server hides an object of media")
    check(len([one for one in root.list_object_versions(Bucket="media")["Versions"] if one["Key"] == "old/one"]) == 1, "its version stays")
    version = root.list_object_versions(Bucket="media")["Versions"][0]
    check(tried(s3.delete_object, Bucket="media", Key=version["Key"], VersionId=version["VersionId"]) in REFUSED, "the server refuses its version")
    # A right to a part is a right to lose that part.
    _, _, of = found("agent-old", "agent-readonly")
    check(of["exports"]["answer"] == "nothing", f"part: {of['exports']}")
    check(of["media"]["answer"] == "stopped", f"part: another bucket: {of['media']}")
    s3 = company.client("s3", "agent-old")
    check(tried(s3.delete_object, Bucket="exports", Key="new/two") in REFUSED, "the server refuses the rest of exports")
    check(tried(s3.delete_object, Bucket="exports", Key="old/one") is None, "the server deletes the part of exports")
    check(tried(s3.delete_object, Bucket="media", Key="new/two") in REFUSED, "the server refuses media")
    # An explicit denial holds, whatever else is allowed.
    _, _, of = found("agent-denied", "agent-readonly")
    for name in ("exports", "media"):
        check(of[name]["answer"] == "stopped", f"denied: {name}: {of[name]}")
    s3 = company.client("s3", "agent-denied")
    check(tried(s3.delete_object, Bucket="exports", Key="new/two") in REFUSED, "the server refuses what is denied")
    check(tried(s3.put_object, Bucket="exports", Key="new/two", Body=b"") in REFUSED, "the server refuses to overwrite")
    # A denial on the bucket says nothing of its access points, of which each has an ARN of its own; the bucket's own policy does.
    _, _, of = found("agent-points", "agent-readonly")
    check(of["exports"]["answer"] == "unknown", f"points: {of['exports']}")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::exports/*"}
    root.put_bucket_policy(Bucket="exports", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    _, _, of = found("agent-points", "agent-readonly")
    check(of["exports"]["answer"] == "stopped", f"points: refused by the bucket: {of['exports']}")
    root.delete_bucket_policy(Bucket="exports")
    # A bucket goes only once it is empty.
    _, assessment, of = found("agent-buckets", "agent-readonly")
    check(of["exports"]["answer"] == "stopped", f"buckets: {of['exports']}")
    check(layers(assessment, of["exports"])["protect"] == "stops", f"buckets: it is not empty: {layers(assessment, of['exports'])}")
    s3 = company.client("s3", "agent-buckets")
    check(tried(s3.delete_bucket, Bucket="exports") == "BucketNotEmpty", "the server keeps a bucket with objects in it")
    # Whoever writes the policy of a bucket may let himself in.
    _, _, of = found("agent-policies", "agent-readonly")
    check(of["exports"]["prevention"] == "slowed", f"policies: {of['exports']}")
    s3 = company.client("s3", "agent-policies")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::sealed/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    check(tried(s3.put_bucket_policy, Bucket="sealed", Policy=document) is None, "the server takes the policy")
    # The key that new objects are encrypted with; and any other, as one may be named with every object.
    _, _, of = found("agent-kms", "agent-readonly")
    check(of["sealed"]["prevention"] == "open", f"kms: {of['sealed']}")
    # A key is of the Region of the bucket, and in that of exports there is none.
    check(of["media"]["answer"] == "unknown" and of["media"]["bounds"][1] == "stopped", f"kms: media: {of['media']}")
    check(of["exports"]["answer"] == "stopped", f"kms: exports: {of['exports']}")
    other = root.head_object(Bucket="media", Key="other/one")["SSEKMSKeyId"]
    kms = company.client("kms", "agent-kms")
    check(tried(kms.schedule_key_deletion, KeyId=other.rsplit("/")[-1], PendingWindowInDays=7) is None, "the server takes the key that an object of media needs")
    # Everything: versions go, too; whether every version is locked nobody says.
    _, assessment, of = found("agent-admin")
    check(of["media"]["answer"] == "nothing" and of["exports"]["answer"] == "nothing", f"admin: {of['media']}")
    check(of["archive"]["bounds"][0] == "nothing", f"admin: {of['archive']}")
    check(tried(root.delete_object, Bucket="media", Key=version["Key"], VersionId=version["VersionId"]) is None, "the server deletes a version")
    locked = root.list_object_versions(Bucket="archive")["Versions"][0]
    root.put_object_retention(Bucket="archive", Key=locked["Key"], VersionId=locked["VersionId"],
                              Retention={"Mode": "COMPLIANCE", "RetainUntilDate": "2099-01-01T00:00:00Z"})
    check(tried(root.delete_object, Bucket="archive", Key=locked["Key"], VersionId=locked["VersionId"]) == "AccessDenied", "the server keeps a locked version")


ABROAD = "210987654321"


def role(name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:role/{name}"


def gaps(assessment):
    return {(gap["asked"], gap["reason"]) for gap in assessment["gaps"]}


def consultant(company):
    """An auditor reads two accounts by a role in each; the keys that are found are asked who they are, and no more."""
    auditor = [*company.keys["auditor"], role("audit"), role("audit", ABROAD)]
    keys = [company.keys["agent-abroad"], company.keys["agent-assume"]]
    known = {}
    with between(company, known=known) as endpoint:
        code, assessment, out = run(endpoint, keys, "consultant", "--live", auditor=auditor, plans=True)
        refused = run(endpoint, keys[1:], "consultant-refused", "--live", auditor=auditor)
        # What is printed to be granted is enough: with everything, no gap is left that was not there before.
        everything = [*company.keys["auditor"], role("audit-all"), role("audit-all", ABROAD)]
        _, more, _ = run(endpoint, keys, "consultant-all", "--live", auditor=everything, plans=True)
    check(gaps(assessment) == gaps(more), f"granted: {gaps(assessment) ^ gaps(more)}")
    found = answers(assessment)
    abroad = found[f"arn:aws:rds:eu-west-1:{ABROAD}:db:prod-abroad"]
    check(code == 1 and abroad["prevention"] == "open", f"consultant: exit {code}, {abroad}")
    path = next(path for path in assessment["paths"] if path["id"] == abroad["worst_path"])
    check(any("keeper" in name for name in path["principals"]), f"consultant: by way of the role abroad: {path['principals']}")
    check(found[DB + "prod-ledger"]["prevention"] == "open", f"consultant: by way of deployer: {found[DB + 'prod-ledger']}")
    # The key that may cross does so for real.
    sts = company.client("sts", "agent-abroad")
    crossed = sts.assume_role(RoleArn=role("keeper", ABROAD), RoleSessionName="proof")["Credentials"]
    rds = boto3.client("rds", endpoint_url=company.url, region_name="eu-west-1", aws_access_key_id=crossed["AccessKeyId"],
                       aws_secret_access_key=crossed["SecretAccessKey"], aws_session_token=crossed["SessionToken"])
    check(tried(rds.modify_db_instance, DBInstanceIdentifier="prod-abroad", BackupRetentionPeriod=1) is None, "the server lets the role change prod-abroad")
    # The auditor's own is nobody's credential here, and no key that was found has asked for more than its name.
    ids = {credential["public_id"] for credential in assessment["credentials"] if credential["provider"] == "aws"}
    check(ids == {key for key, _ in keys}, f"consultant: credentials in reach: {ids}")
    text = "".join(path.read_text() for path in out.iterdir())
    check(auditor[0] not in text, "consultant: the auditor's key is named")
    calls = [json.loads(line) for line in (out / "calls.jsonl").read_text().splitlines()]
    asked = {call["operation"] for call in calls if not call["credential"].startswith("auditor:")}
    check(asked == {"sts:GetCallerIdentity"}, f"consultant: asked in the name of keys: {asked}")
    check({call["operation"] for call in calls} <= READS | {"sts:AssumeRole"}, "consultant: only reads were sent")
    lent = {call["credential"] for call in calls if call["operation"] == "sts:AssumeRole"}
    check(lent == {"auditor:security-audit"}, f"consultant: roles were taken on by {lent}")
    # One that the role's trust does not name is refused, there and here.
    _, assessment, _ = refused
    abroad = answers(assessment)[f"arn:aws:rds:eu-west-1:{ABROAD}:db:prod-abroad"]
    check(layers(assessment, abroad)["permit"] == "stops", f"refused: {abroad}")
    sts = company.client("sts", "agent-assume")
    # The server looks at the trust of roles of the caller's own account alone.
    check(tried(sts.assume_role, RoleArn=role("clerk"), RoleSessionName="proof") in REFUSED, "the server refuses a role that trusts another")


def blind_auditor(company):
    """An auditor who may read nothing, or cannot be had, leaves everything unknown; and what it was not named for is not read."""
    keys, own, known = [company.keys["agent-admin"]], company.keys["auditor"], {}
    for name, auditor in [("none", [*own, role("audit-none")]), ("refused", [*own, role("deployer")]),
                          ("elsewhere", [*own, role("audit", ABROAD)]), ("dead", [own[0], "x" * 40, role("audit")]),
                          ("lost", [*own, role("nobody")])]:
        with between(company, known=known) as endpoint:
            code, assessment, out = run(endpoint, keys, f"auditor-{name}", "--live", auditor=auditor)
        here = {key: asset for key, asset in answers(assessment).items() if ABROAD not in key}
        check(code == 3 and here, f"auditor {name}: exit {code}, {here}")
        check(all(asset["answer"] == "unknown" for asset in here.values()), f"auditor {name}: {assessment['headline']}")
        calls = [json.loads(line) for line in (out / "calls.jsonl").read_text().splitlines()]
        asked = {call["operation"] for call in calls if not call["credential"].startswith("auditor:")}
        check(asked == {"sts:GetCallerIdentity"}, f"auditor {name}: asked in the name of keys: {asked}")


SIGNED_IN = "eyJlbmMiOiJBMjU2R0NNIn0.Vk3mQ9xT2bLr8WzYc4NfHd1Js5Gf0Pa7Ue.made-up"


def sign_in(company):
    """A token of single sign-on is every role that its portal lists; a profile that names a role is that role, if it is let
    in. Neither is asked for credentials."""
    auditor, known = [*company.keys["auditor"], role("audit")], {}
    token = {"startUrl": "https://made-up.awsapps.com/start", "region": "eu-west-1", "accessToken": SIGNED_IN, "expiresAt": "2099-01-01T00:00:00Z"}
    home = {".aws/sso/cache/0123.json": json.dumps(token)}
    elsewhere = "333333333333"

    def told(name, operation="nothing:at all", fault="", sets=("Deployers",)):
        with between(company, {operation}, fault, known, portal={ACCOUNT: sets, elsewhere: ["ReadOnly"]}) as endpoint:
            code, assessment, out = run(endpoint, [], f"sign-in-{name}", "--live", auditor=auditor, home=home)
        text = "".join(path.read_text() for path in out.iterdir())
        check(SIGNED_IN not in text and SIGNED_IN[:20] not in text, f"sign-in {name}: the token is in the output")
        return code, assessment, answers(assessment), out

    code, assessment, found, out = told("there")
    ledger = found[DB + "prod-ledger"]
    check(code == 1 and ledger["prevention"] == "open", f"sign-in: {code}, {ledger}")
    path = next(path for path in assessment["paths"] if path["id"] == ledger["worst_path"])
    check(any("AWSReservedSSO_Deployers" in name for name in path["principals"]), f"sign-in: {path['principals']}")
    check(any(elsewhere in key and asset["answer"] == "unknown" for key, asset in found.items()), "sign-in: the account that nobody reads is unknown")
    calls = {call["operation"] for call in map(json.loads, (out / "calls.jsonl").read_text().splitlines()) if not call["credential"].startswith("auditor:")}
    check(calls == {"sso:ListAccounts", "sso:ListAccountRoles"}, f"sign-in: {calls}")
    _, assessment, found, _ = told("elsewhere", sets=())
    # What a role of an account that nobody reads may do here is not known.
    check(found[DB + "prod-ledger"]["answer"] == "unknown", f"sign-in: no role of this account: {found[DB + 'prod-ledger']}")
    cases = [(operation, fault) for operation in ("sso:ListAccounts", "sso:ListAccountRoles") for fault in [*FAULTS, "cut off"]]
    for operation, fault in cases:
        code, assessment, found, _ = told(f"{operation[4:]}-{fault}", operation, fault)
        check(code in (1, 3), f"{operation} {fault}: exit {code}")
        check(found[DB + "prod-ledger"]["answer"] in ("unknown", "nothing"), f"{operation} {fault}: {found[DB + 'prod-ledger']}")
    # The same of a profile that names a role: one that is let in, and one that is not.
    for user, expected in (("agent-assume", "open"), ("agent-kms", "stops")):
        key, secret = company.keys[user]
        home = {".aws/credentials": f"[base]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n",
                ".aws/config": f"[profile deploy]\nrole_arn = {role('deployer')}\nsource_profile = base\n"}
        with between(company, known=known) as endpoint:
            _, assessment, _ = run(endpoint, [], f"profile-{user}", "--live", auditor=auditor, home=home)
        state = layers(assessment, answers(assessment)[DB + "prod-ledger"])["permit"]
        check(state == expected, f"profile of {user}: {state}")
    return len(cases)


ORGANIZATION = ["DescribeOrganization", "ListParents", "ListRoots", "ListPoliciesForTarget", "DescribePolicy",
                "DescribeResourcePolicy"]


def organisation(company):
    """What the policies of an organisation deny is stopped for its members, as the Organizations User Guide says; not for the
    account that manages it, and not while one answer about them is missing."""
    member = company.keys["member"]
    roles = [role("audit"), role("audit", member)]
    orders = f"arn:aws:rds:eu-west-1:{member}:db:prod-orders"
    billing = DB + "prod-billing"
    known = {}

    def told(name, users, roles, operation=None, fault=""):
        with between(company, {operation}, fault, known) as endpoint:
            _, assessment, _ = run(endpoint, [company.keys[user] for user in users], f"organisation-{name}", "--live",
                                   auditor=[*company.keys["auditor"], *roles])
        return assessment, answers(assessment)

    assessment, found = told("rds", ["agent-rds"], roles)
    check(layers(assessment, found[orders])["permit"] == "stops", f"organisation: {found[orders]}")
    path = next(path for path in assessment["paths"] if path["id"] == found[orders]["worst_path"])
    check("organisation" in json.dumps(path), f"organisation: says why: {path}")
    # Whoever may give himself everything gets no further, as nobody there may leave, and the manager lets nobody in.
    assessment, found = told("admin", ["agent-admin"], roles)
    check(layers(assessment, found[orders])["permit"] == "stops", f"organisation: an administrator: {found[orders]}")
    # With the account that manages it not read, he may come in there.
    assessment, found = told("admin-alone", ["agent-admin"], roles[1:])
    check(layers(assessment, found[orders])["permit"] == "unknown", f"organisation: the manager is not read: {found[orders]}")
    # The policy is attached to the manager's account, too, and limits nobody there.
    assessment, found = told("manager", ["agent-manager"], roles)
    check(layers(assessment, found[billing])["permit"] == "open", f"organisation: the manager's own: {found[billing]}")
    rds = company.client("rds", "agent-manager")
    check(tried(rds.delete_db_instance, DBInstanceIdentifier="prod-billing", SkipFinalSnapshot=True) is None, "the server deletes prod-billing")

    def spoil(case):
        number, (operation, fault, user) = case
        assessment, found = told(f"spoilt-{number}", [user], roles, f"organizations:{operation}", fault)
        state = layers(assessment, found[orders])["permit"]
        settled = user == "agent-rds" and operation == "DescribeResourcePolicy"
        check(state == ("stops" if settled else "unknown"), f"organisation: {operation} {fault} {user}: {state}")

    # Whoever may close the member takes it along. The server closes it and deletes nothing; AWS does 90 days later.
    worst = {}
    for number, (operation, fault) in enumerate([(None, ""), *[("organizations:ListAccounts", fault) for fault in [*FAULTS, "cut off"]]]):
        with between(company, {operation}, fault, known) as endpoint:
            _, assessment, _ = run(endpoint, [company.keys["agent-closer"]], f"organisation-closer-{number}", "--live", auditor=[*company.keys["auditor"], *roles])
        found = answers(assessment)
        worst = worst or found[orders]["bounds"]
        check(found[orders]["answer"] == "unknown" and found[orders]["bounds"][0] == worst[0] == "nothing", f"organisation: closer {fault}: {found[orders]['bounds']}")
    # Of members that nobody reads it is said that there are some.
    assessment, found = told("members", ["agent-manager"], roles[:1])
    others = [asset for key, asset in found.items() if "accounts-not-read" in key]
    check(others and all(one["answer"] == "unknown" for one in others), f"organisation: other members: {list(found)}")
    # Who manages it is told by the same call, whichever account asks.
    cases = [(operation, fault, user) for operation in ORGANIZATION for fault in [*FAULTS, "cut off"]
             for user in ("agent-rds", "agent-admin") if user == "agent-rds" or operation == "DescribeResourcePolicy"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(spoil, enumerate(cases)))
    closer = company.client("organizations", "agent-closer")
    check(tried(company.client("organizations", "agent-manager").close_account, AccountId=member) in REFUSED + ("AccessDeniedException",), "the server refuses to close the member")
    # Whoever may go over to another organisation that has invited his account is rid of the policies of this one.
    head = company.client("organizations", "head")
    left = {"Effect": "Deny", "Action": ["redshift:*", "redshift-data:*", "redshift-serverless:*", "rds:Delete*", "rds:ModifyDBInstance", "organizations:LeaveOrganization"], "Resource": "*"}
    head.update_policy(PolicyId=company.keys["policy"], Content=json.dumps({"Version": "2012-10-17", "Statement": [left]}))
    known.clear()
    assessment, found = told("over", ["agent-admin"], roles)
    check(layers(assessment, found[orders])["permit"] == "unknown", f"organisation: it may go over: {found[orders]}")
    assessment, found = told("over-rds", ["agent-rds"], roles)
    check(layers(assessment, found[orders])["permit"] == "stops", f"organisation: who may not: {found[orders]}")
    check(tried(closer.close_account, AccountId=member) is None, "the server closes the member")
    return len(cases) + len(FAULTS) + 1


def stacks(company):
    """Whoever may delete or update a stack does what its role may. The server deletes whatever the role of a stack may, and
    whether termination protection is on, so that nothing is tried of these."""
    known = {}

    def told(name, user, operation=None, fault=""):
        with between(company, {operation}, fault, known) as endpoint:
            _, assessment, out = run(endpoint, [company.keys[user], company.keys["agent-readonly"]], f"stacks-{name}", "--live")
        text = "".join(path.read_text() for path in out.iterdir())
        check("Vk3mQ9xT2bLr" not in text, f"stacks: {name}: the template's password is in the output")
        return assessment, answers(assessment)

    tables = {name: TABLE + name for name in ("carts", "ledger", "orders", "sessions", "baskets")}
    db = DB + "shop"
    expected = {"agent-delete": {"carts": "open"}, "agent-unprotect": {"carts": "open", "ledger": "slowed"},
                "agent-update": {"carts": "open", "ledger": "open", "orders": "open", "db": "open"},
                "agent-change-sets": {}, "agent-execute": {}}
    for user, sure in expected.items():
        assessment, found = told(user, user)
        for name, key in {**tables, "db": db}.items():
            asset, wanted = found[key], sure.get(name, "unknown")
            is_so = asset["answer"] == "unknown" if wanted == "unknown" else asset["answer"] != "unknown" and asset["prevention"] == wanted
            check(is_so, f"stacks: {user} {name}: {asset['answer']} {asset['prevention']}: {asset['sentence']}")
            if user == "agent-change-sets" and name not in ("sessions", "baskets"):
                # A change set that would do it may be there already; at best it is to be made first.
                check(asset["bounds"] == ["nothing", "slowed-no-recovery"], f"stacks: change sets: {name}: {asset['bounds']}")
    assessment, found = told("reader", "agent-readonly")
    for name, key in {**tables, "db": db}.items():
        check(found[key]["answer"] == "stopped", f"stacks: a reader: {name}: {found[key]['sentence']}")

    worst = {key: asset["bounds"][0] for key, asset in told("unspoilt", "agent-delete")[1].items()}
    check(worst[tables["carts"]] == worst[db] == "nothing", f"stacks: unspoilt: {worst}")
    cases = [(operation, fault) for operation in OF_STACKS for fault in [*FAULTS, "cut off"]]

    def spoil(case):
        number, (operation, fault) = case
        _, found = told(f"spoilt-{number}", "agent-delete", operation, fault)
        for key, asset in found.items():
            check(asset["answer"] != "stopped" and asset["prevention"] != "stopped", f"stacks: {operation} {fault}: {key}: {asset['sentence']}")
            check(worst.get(key) != "nothing" or asset["bounds"][0] == "nothing", f"stacks: {operation} {fault}: the worst of {key} became {asset['bounds']}")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(spoil, enumerate(cases)))
    # The deletes for real: none of these users may touch a table by itself.
    tell = company.client("dynamodb", "agent-readonly")

    def there(name):
        return name in tell.list_tables()["TableNames"]

    limited = company.client("cloudformation", "agent-delete")
    check(tried(company.client("dynamodb", "agent-delete").delete_table, TableName="carts") in REFUSED + ("AccessDeniedException",), "the server refuses the table by itself")
    check(tried(company.client("cloudformation", "agent-readonly").delete_stack, StackName="open") in REFUSED, "the server refuses a reader the stack")
    check(tried(limited.delete_stack, StackName="open") is None and not there("carts"), "the server deletes carts with its stack")
    updater = company.client("cloudformation", "agent-update")
    check(there("orders"), "orders is there")
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    check(tried(updater.update_stack, StackName="retained", TemplateBody=json.dumps(template)) is None, "the server takes an update that leaves orders out")
    check(not there("orders"), "orders is gone with the update")
    return len(cases)


def spoilt(company):
    """Every read in turn is refused, broken off or garbled: nothing becomes a stop or better than it was, and no exit
    becomes 0."""
    known = {}
    worst = {}

    def one(case):
        number, (operations, fault, auditor) = case
        what = f"{' '.join(sorted(operations))} {fault}"
        with between(company, operations, fault, known) as endpoint:
            code, assessment, _ = run(endpoint, [company.keys["agent-admin"]], f"spoilt-{number}", "--live", auditor=auditor)
        found = answers(assessment)
        check(code in (1, 3), f"{what}: exit {code}")
        check(found, f"{what}: nothing is left of what there was")
        for key, asset in found.items():
            check(asset["answer"] != "stopped", f"{what}: {key} became stopped")
            check(asset["prevention"] != "stopped", f"{what}: {key} is prevented")
            check(worst.get(key) != "nothing" or asset["bounds"][0] == "nothing", f"{what}: the worst of {key} became {asset['bounds']}")
        return found

    worst = {key: asset["bounds"][0] for key, asset in one((0, ((), "not", None))).items()}
    listed = [key for key, answer in worst.items() if answer == "nothing"]
    for key in (DB + "prod-ledger", TABLE + "carts", TABLE + "sessions", BUCKET + "exports", BUCKET + "media", SECRET):
        check(any(one.startswith(key) for one in listed), f"unspoilt: the worst of {key} is nothing")
    faults = [*FAULTS, "cut off"]
    cases = [(operations, fault, None) for operations in SPOILT for fault in faults]
    auditor = [*company.keys["auditor"], role("audit"), role("audit", ABROAD)]
    cases += [({"sts:AssumeRole"}, fault, auditor) for fault in faults]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(one, enumerate(cases, 1)))
    return len(cases)


if __name__ == "__main__":
    with Company() as company:
        reader(company)
        blind(company, "agent-delete")
        blind(company, "agent-assume")
        offline(company)
        by_url(company)
        dead(company)
        runs = spoilt(company)
        sealed(company)
        onward(company)
        replicas(company)
        secrets_and_keys(company)
        stores(company)
        namespaces(company)
        functions(company)
        regions(company)
        groups(company)
        buckets(company)
        # Asks about the volume that the next one deletes for real.
        proved(company)
        volumes(company)
        machines(company)
        vaults(company)
        runs += holds(company)
        clusters(company)
        across_accounts(company)
        simulated(company)
        consultant(company)
        blind_auditor(company)
        runs += sign_in(company)
        by_another_role(company)
        by_its_key(company)
        administrator(company)
    with Company() as company:
        role_chain(company)
    with Company("organisation.py") as company:
        runs += organisation(company)
    with Company("stacks.py") as company:
        runs += stacks(company)
    with Company("pieces.py") as company:
        runs += piecewise(company)
    if failures:
        sys.exit(f"{len(failures)} failed")
    print(f"Answers agree with a server that really deletes; {runs} spoilt runs made none better.")
