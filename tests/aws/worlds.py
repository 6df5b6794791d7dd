"""Holds what Deadstop foretells of made-up worlds against what a client can destroy in them for real.

Usage: worlds.py DEADSTOP MOTO_SERVER FOLDER [COUNT [SEED [OPERATION...]]]   (these operations are refused)

Each world is an account with stores, backups, users, groups and roles, all by its seed. For each user Deadstop says, by an
auditor's reads, what its key may destroy. Then a client with that key does its worst: at first without changing anything
(it takes on roles and deletes), then with everything that it may change (it gives itself rights and keys, switches off what
protects, and deletes backups first). Whatever was destroyed must not have been foretold to fare better.

Policies speak of actions and of no single resources, as the server compares most resources with `*` alone. Where something
was foretold to be lost and was not, that has to be for one of a few reasons, which are counted.
"""
import collections
import concurrent.futures
import json
import random
import shutil
import subprocess
import sys
import threading
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

import prove

REGION, ACCOUNT = "eu-west-1", prove.ACCOUNT
# From the worst, as the answers are ranked.
RANKS = prove.RANKS
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ACTIONS = {
    "rds": ["*", "Delete*", "DeleteDBInstance", "DeleteDBCluster", "ModifyDBInstance", "ModifyDBCluster", "Delete*Snapshot", "Modify*", "Describe*"],
    "dynamodb": ["*", "Delete*", "DeleteTable", "DeleteItem", "PutItem", "UpdateTable", "UpdateContinuousBackups", "DeleteBackup", "Update*", "Describe*"],
    "s3": ["*", "Delete*", "DeleteObject", "DeleteObjectVersion", "PutObject", "PutBucketVersioning", "BypassGovernanceRetention", "DeleteBucket",
           "PutLifecycleConfiguration", "Get*", "List*"],
    "ec2": ["*", "Delete*", "DeleteVolume", "DeleteSnapshot", "Describe*"],
    "kms": ["*", "ScheduleKeyDeletion", "DisableKey", "Describe*"],
    "secretsmanager": ["*", "DeleteSecret", "PutSecretValue", "List*"],
    "elasticfilesystem": ["*", "DeleteFileSystem", "Describe*"],
    "ecr": ["*", "DeleteRepository", "BatchDeleteImage", "Describe*"],
    "elasticache": ["*", "Delete*", "DeleteReplicationGroup", "Describe*"],
    "memorydb": ["*", "DeleteCluster", "Describe*"],
    "es": ["*", "DeleteDomain", "Describe*"],
    "redshift": ["*", "DeleteCluster", "DeleteClusterSnapshot", "Describe*"],
    "iam": ["*", "PutUserPolicy", "PutRolePolicy", "PutGroupPolicy", "CreateAccessKey", "AttachUserPolicy", "AttachRolePolicy", "UpdateAssumeRolePolicy",
            "CreatePolicyVersion", "SetDefaultPolicyVersion", "AddUserToGroup", "DeleteUserPolicy", "DetachUserPolicy", "DeleteGroupPolicy", "Get*"],
    "sts": ["AssumeRole"],
}
HARMLESS = ["sts:GetCallerIdentity", "sts:AssumeRole", "rds:Describe*", "s3:Get*", "s3:List*", "dynamodb:Describe*", "cloudwatch:GetMetricData"]
MANAGED, POWER = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("managed", "power"))
PASSWORD = "Made-up-passw0rd"
PRODUCTION = [{"Key": "env", "Value": "production"}]
# The server breaks on some calls.
FAILED = (ClientError, BotoCoreError, ResponseParserError)
# Nothing is tried twice, and no call waits for long.
QUIET = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30)


# Why something is kept that was said to be lost: what holds of the store, of the answer, and of whether the user could take on
# a role that lets him in by name.
LIMITS = {
    "AWS lets somebody take on a role whose policy names him (IAM User Guide, `reference_policies_evaluation-logic`), the server asks for a right of his own, too":
        lambda store, asset, taken: not taken,
    "an object under a lock is lost with a key that it may be encrypted with, and here with none":
        lambda store, asset, taken: store.get("versions") in ("kept", "GOVERNANCE", "COMPLIANCE"),
}


def statement(rng):
    """A statement about actions of some services."""
    effect = "Deny" if rng.random() < 0.25 else "Allow"
    if effect == "Deny" and rng.random() < 0.2:
        return {"Effect": effect, "NotAction": HARMLESS, "Resource": "*"}
    if effect == "Allow" and rng.random() < 0.06:
        return {"Effect": effect, "Action": "*", "Resource": "*"}
    services = rng.sample(sorted(ACTIONS), rng.randint(1, 3))
    named = [f"{service}:{rng.choice(ACTIONS[service])}" for service in services]
    if effect == "Allow" and rng.random() < 0.08:
        return {"Effect": effect, "NotAction": named, "Resource": "*"}
    return {"Effect": effect, "Action": named, "Resource": "*"}


def document(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def plan(seed):
    """What a world is made of."""
    rng = random.Random(seed)

    def policy():
        return document([statement(rng) for _ in range(rng.randint(1, 3))])

    def some(most):
        return range(rng.randint(0, most))

    stores = []
    for number in some(3):
        stores.append({"kind": "instance", "name": f"db-{number}", "protected": rng.random() < 0.5, "days": rng.choice([0, 7, 14]),
                       "copied": rng.random() < 0.5, "sealed": rng.random() < 0.25})
    for number in some(1):
        stores.append({"kind": "cluster", "name": f"cluster-{number}", "protected": rng.random() < 0.5, "copied": rng.random() < 0.5})
    for number in some(2):
        stores.append({"kind": "table", "name": f"table-{number}", "protected": rng.random() < 0.5, "pitr": rng.random() < 0.5, "copied": rng.random() < 0.5})
    for number in some(2):
        stores.append({"kind": "bucket", "name": f"bucket-{number}", "versions": rng.choice(["", "kept", "GOVERNANCE", "COMPLIANCE"])})
    for kind in ("volume", "secret", "key", "files", "images", "group", "memory", "search", "lake"):
        if rng.random() < 0.3:
            stores.append({"kind": kind, "name": f"{kind}-0", "copied": rng.random() < 0.5})
    users = {f"user-{number}": {"own": policy(), "groups": [f"group-{at}" for at in range(2) if rng.random() < 0.3], "managed": rng.random() < 0.2}
             for number in range(3)}
    groups = {f"group-{at}": policy() for at in range(2)}
    roles = {f"role-{at}": {"lets_in": rng.choice([[], ["user-0"], ["user-1"], ["user-0", "user-2"], ["*"]]), "own": policy()} for at in range(rng.randint(0, 2))}
    return {"stores": stores, "users": users, "groups": groups, "roles": roles, "managed": policy(), "older": policy() if rng.random() < 0.5 else None}


class Actor:
    """Whoever holds a key, or a session of a role."""

    def __init__(self, url, name, key, secret, token=None):
        self.url, self.name, self.held, self.clients = url, name, (key, secret, token), {}

    def __call__(self, service):
        if service not in self.clients:
            key, secret, token = self.held
            client = SESSIONS.here().client(service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=key,
                                            aws_secret_access_key=secret, aws_session_token=token, config=QUIET)
            if service in ("efs", "eks", "opensearch"):
                client.meta.events.register("before-sign", prove.hashed)
            self.clients[service] = client
        return self.clients[service]


class Sessions(threading.local):
    """One for each thread, which reads the service models once."""

    session = None

    def here(self):
        self.session = self.session or boto3.Session()
        return self.session


SESSIONS = Sessions()


def tried(call, **arguments):
    """What the server says of a call, or nothing if it went through."""
    try:
        call(**arguments)
        return None
    except ClientError as error:
        return error.response["Error"]["Code"] or "error"
    except (BotoCoreError, ResponseParserError) as error:
        return type(error).__name__


class Ground:
    """A server in which one world after another is made."""

    def __enter__(self):
        self.company = prove.Company()
        port = prove.free_port()
        self.company.url = self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([prove.server, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={**prove.os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"})
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/data.json").read()
                break
            except OSError:
                time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def post(self, path, body=""):
        request = urllib.request.Request(f"{self.url}{path}", data=body.encode(), headers={"Content-Type": "text/plain"})
        urllib.request.urlopen(request).read()

    def make(self, world):
        """Makes a world; gives the actor of each user, and its stores with their ARNs."""
        self.post("/moto-api/reset")
        self.post("/moto-api/reset-auth", "inf")
        root = Actor(self.url, "root", "root", "root")
        stores = [{**store, **MAKE[store["kind"]](root, store)} for store in world["stores"]]
        iam = root("iam")
        actors = {}
        managed = iam.create_policy(PolicyName="managed", PolicyDocument=world["managed"])["Policy"]["Arn"]
        # What `AdministratorAccess` is of AWS's own.
        iam.create_policy(PolicyName="power", PolicyDocument=EVERYTHING)
        if world["older"]:
            iam.create_policy_version(PolicyArn=managed, PolicyDocument=world["older"], SetAsDefault=False)
        for name, policy in world["groups"].items():
            iam.create_group(GroupName=name)
            iam.put_group_policy(GroupName=name, PolicyName="own", PolicyDocument=policy)
        plain = document([{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}])
        fixed = {"auditor": {"own": document([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}])}, "observer": {"own": EVERYTHING}}
        for name, user in {**world["users"], **fixed}.items():
            iam.create_user(UserName=name)
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=user["own"])
            iam.put_user_policy(UserName=name, PolicyName="plain", PolicyDocument=plain)
            for group in user.get("groups", ()):
                iam.add_user_to_group(GroupName=group, UserName=name)
            if user.get("managed"):
                iam.attach_user_policy(UserName=name, PolicyArn=managed)
            made = iam.create_access_key(UserName=name)["AccessKey"]
            actors[name] = Actor(self.url, name, made["AccessKeyId"], made["SecretAccessKey"])
        # One that lets everybody in by name, and may do nothing.
        probe = {"lets_in": sorted(world["users"]), "own": None}
        roles = {**world["roles"], "probe": probe, "audit": {"lets_in": ["auditor"], "own": EVERYTHING}}
        for name, role in roles.items():
            who = ["*" if one == "*" else f"arn:aws:iam::{ACCOUNT}:user/{one}" for one in role["lets_in"]]
            # One that lets in nobody lets in a service of which none is in the world.
            named = {"AWS": who[0] if len(who) == 1 else who} if who else {"Service": "budgets.amazonaws.com"}
            trust = document([{"Effect": "Allow", "Principal": named, "Action": "sts:AssumeRole"}])
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
            if role["own"]:
                iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=role["own"])
        self.post("/moto-api/reset-auth", "0")
        return actors, stores


def make_instance(root, store):
    more = {}
    if store["sealed"]:
        more = {"StorageEncrypted": True, "KmsKeyId": root("kms").create_key(Description=store["name"])["KeyMetadata"]["Arn"]}
    made = root("rds").create_db_instance(DBInstanceIdentifier=store["name"], Engine="postgres", DBInstanceClass="db.m5.large", MasterUsername="app",
                                          MasterUserPassword=PASSWORD, AllocatedStorage=20, DeletionProtection=store["protected"],
                                          BackupRetentionPeriod=store["days"], Tags=PRODUCTION, **more)["DBInstance"]
    if store["copied"]:
        root("rds").create_db_snapshot(DBInstanceIdentifier=store["name"], DBSnapshotIdentifier=f"of-{store['name']}")
    return {"arn": made["DBInstanceArn"], "sealed_by": more.get("KmsKeyId")}


def make_cluster(root, store):
    made = root("rds").create_db_cluster(DBClusterIdentifier=store["name"], Engine="aurora-postgresql", MasterUsername="app", MasterUserPassword=PASSWORD,
                                         DeletionProtection=store["protected"], BackupRetentionPeriod=7, Tags=PRODUCTION)["DBCluster"]
    if store["copied"]:
        root("rds").create_db_cluster_snapshot(DBClusterIdentifier=store["name"], DBClusterSnapshotIdentifier=f"of-{store['name']}")
    return {"arn": made["DBClusterArn"]}


def make_table(root, store):
    dynamodb, name = root("dynamodb"), store["name"]
    made = dynamodb.create_table(TableName=name, AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
                                 KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], DeletionProtectionEnabled=store["protected"], Tags=PRODUCTION)
    dynamodb.put_item(TableName=name, Item={"id": {"S": "1"}, "text": {"S": "data"}})
    if store["pitr"]:
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    if store["copied"]:
        dynamodb.create_backup(TableName=name, BackupName=f"of-{name}")
    return {"arn": made["TableDescription"]["TableArn"]}


def make_bucket(root, store):
    s3, name, versions = root("s3"), store["name"], store["versions"]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}, ObjectLockEnabledForBucket=versions not in ("", "kept"))
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": PRODUCTION})
    if versions == "kept":
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if versions in ("GOVERNANCE", "COMPLIANCE"):
        s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": versions, "Days": 30}}})
    s3.put_object(Bucket=name, Key="one", Body=b"data")
    return {"arn": f"arn:aws:s3:::{name}"}


def make_volume(root, store):
    volume = root("ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=8, TagSpecifications=[{"ResourceType": "volume", "Tags": PRODUCTION}])["VolumeId"]
    copy = root("ec2").create_snapshot(VolumeId=volume)["SnapshotId"] if store["copied"] else None
    return {"arn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{volume}", "id": volume, "copy": copy}


def make_lake(root, store):
    root("redshift").create_cluster(ClusterIdentifier=store["name"], NodeType="ra3.large", MasterUsername="app", MasterUserPassword=PASSWORD, Tags=PRODUCTION)
    if store["copied"]:
        root("redshift").create_cluster_snapshot(ClusterIdentifier=store["name"], SnapshotIdentifier=f"of-{store['name']}")
    return {"arn": f"arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:{store['name']}"}


def make_files(root, store):
    made = root("efs").create_file_system(CreationToken=store["name"], Tags=PRODUCTION)
    return {"arn": made["FileSystemArn"], "id": made["FileSystemId"]}


MAKE = {
    "instance": make_instance, "cluster": make_cluster, "table": make_table, "bucket": make_bucket, "volume": make_volume, "lake": make_lake, "files": make_files,
    "secret": lambda root, store: {"arn": root("secretsmanager").create_secret(Name=store["name"], SecretString="made-up", Tags=PRODUCTION)["ARN"]},
    "key": lambda root, store: {"arn": root("kms").create_key(Description=store["name"], Tags=[{"TagKey": "env", "TagValue": "production"}])["KeyMetadata"]["Arn"]},
    "images": lambda root, store: {"arn": root("ecr").create_repository(repositoryName=store["name"], tags=PRODUCTION)["repository"]["repositoryArn"]},
    "group": lambda root, store: {"arn": root("elasticache").create_replication_group(
        ReplicationGroupId=store["name"], ReplicationGroupDescription="of the shop", Engine="redis", CacheNodeType="cache.m5.large", NumCacheClusters=1,
        Tags=PRODUCTION)["ReplicationGroup"]["ARN"]},
    "memory": lambda root, store: {"arn": root("memorydb").create_cluster(ClusterName=store["name"], NodeType="db.r6g.large", ACLName="open-access",
                                                                          Tags=PRODUCTION)["Cluster"]["ARN"]},
    "search": lambda root, store: {"arn": root("opensearch").create_domain(DomainName=store["name"], TagList=PRODUCTION)["DomainStatus"]["ARN"]},
}


class Attack:
    """Somebody who starts as one user and does his worst."""

    def __init__(self, url, actor, world, changes):
        self.url, self.world, self.changes = url, world, changes
        self.others = [*world["roles"], "probe"]
        self.actors, self.own, self.roles, self.said = [actor], actor.name, set(), collections.defaultdict(set)
        self.grow()

    def by_any(self, store, service, operation, **arguments):
        """Whether a call goes through for one of those that the attacker has become."""
        for actor in self.actors:
            said = tried(getattr(actor(service), operation), **arguments)
            if said is None:
                return True
            self.said[store].add(f"{operation}: {said}")
        return False

    def any_may(self, operation, **arguments):
        return any(tried(getattr(actor("iam"), operation), **arguments) is None for actor in self.actors)

    def take_on(self):
        """Takes on each role that lets somebody in whom the attacker has become."""
        for name in (*self.others, "audit"):
            for actor in list(self.actors):
                if name in self.roles:
                    break
                try:
                    held = actor("sts").assume_role(RoleArn=prove.role(name), RoleSessionName="worst")["Credentials"]
                except FAILED:
                    continue
                self.roles.add(name)
                self.actors.append(Actor(self.url, name, held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"]))

    def grow(self):
        """Comes to all rights that it may come to by giving more."""
        self.take_on()
        if not self.changes:
            return
        for _ in range(3):
            before = len(self.actors)
            changed = [self.any_may("create_policy_version", PolicyArn=MANAGED, PolicyDocument=EVERYTHING, SetAsDefault=True)]
            if changed[0]:
                self.attach(MANAGED)
            changed.append(self.attach(POWER))
            for group in self.world["groups"]:
                changed.append(self.any_may("put_group_policy", GroupName=group, PolicyName="worst", PolicyDocument=EVERYTHING))
                if changed[-1]:
                    self.any_may("add_user_to_group", GroupName=group, UserName=self.own)
            changed.append(self.any_may("put_user_policy", UserName=self.own, PolicyName="worst", PolicyDocument=EVERYTHING))
            for role in self.others:
                changed.append(self.any_may("put_role_policy", RoleName=role, PolicyName="worst", PolicyDocument=EVERYTHING))
            for role in (*self.others, "audit"):
                trust = document([{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}])
                changed.append(self.any_may("update_assume_role_policy", RoleName=role, PolicyDocument=trust))
            for user in [*self.world["users"], "auditor"]:
                self.new_key(user)
            self.take_on()
            if len(self.actors) == before and not any(changed):
                break

    def attach(self, policy):
        """Attaches a policy to whomever it can."""
        attached = [self.any_may("attach_user_policy", UserName=self.own, PolicyArn=policy)]
        attached += [self.any_may("attach_role_policy", RoleName=role, PolicyArn=policy) for role in self.others]
        return any(attached)

    def gamble(self):
        """Takes policies that are there, which may refuse more than they allow."""
        self.attach(MANAGED)
        for group in self.world["groups"]:
            self.any_may("add_user_to_group", GroupName=group, UserName=self.own)
        self.grow()

    def older(self):
        """Goes back to an older version of the policy of the account."""
        self.any_may("set_default_policy_version", PolicyArn=MANAGED, VersionId="v2")
        self.grow()

    def shed(self):
        """Takes policies away that refuse something, and what they allow with them."""
        for group in self.world["groups"]:
            self.any_may("delete_group_policy", GroupName=group, PolicyName="own")
        for actor in self.actors:
            self.any_may("detach_user_policy", UserName=actor.name, PolicyArn=MANAGED)
            self.any_may("delete_user_policy", UserName=actor.name, PolicyName="own")
        self.grow()

    def new_key(self, user):
        if any(actor.name == user for actor in self.actors):
            return
        for actor in list(self.actors):
            try:
                made = actor("iam").create_access_key(UserName=user)["AccessKey"]
            except FAILED:
                continue
            self.actors.append(Actor(self.url, user, made["AccessKeyId"], made["SecretAccessKey"]))
            return

    def destroy(self, store):
        """Whether the store is gone, or what was in it."""
        return DESTROY[store["kind"]](self, store, lambda service, operation, **arguments: self.by_any(store["name"], service, operation, **arguments))


def destroy_instance(attack, store, may):
    name = store["name"]
    if attack.changes:
        may("rds", "delete_db_snapshot", DBSnapshotIdentifier=f"of-{name}")
        if store["protected"]:
            may("rds", "modify_db_instance", DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
    gone = may("rds", "delete_db_instance", DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)
    sealed = store["sealed_by"]
    return gone or bool(sealed) and may("kms", "schedule_key_deletion", KeyId=sealed.rsplit("/")[-1], PendingWindowInDays=7)


def destroy_cluster(attack, store, may):
    name = store["name"]
    if attack.changes:
        may("rds", "delete_db_cluster_snapshot", DBClusterSnapshotIdentifier=f"of-{name}")
        if store["protected"]:
            may("rds", "modify_db_cluster", DBClusterIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
    return may("rds", "delete_db_cluster", DBClusterIdentifier=name, SkipFinalSnapshot=True)


def destroy_table(attack, store, may):
    name = store["name"]
    store.setdefault("kept", store["pitr"])
    if attack.changes:
        off = {"PointInTimeRecoveryEnabled": False}
        if store["pitr"] and may("dynamodb", "update_continuous_backups", TableName=name, PointInTimeRecoverySpecification=off):
            store["kept"] = False
        for actor in attack.actors:
            try:
                for one in attack.observer("dynamodb").list_backups(TableName=name)["BackupSummaries"]:
                    tried(actor("dynamodb").delete_backup, BackupArn=one["BackupArn"])
            except ClientError:
                pass
        if store["protected"]:
            may("dynamodb", "update_table", TableName=name, DeletionProtectionEnabled=False)
    key = {"id": {"S": "1"}}
    return (may("dynamodb", "delete_table", TableName=name) or may("dynamodb", "delete_item", TableName=name, Key=key)
            or may("dynamodb", "put_item", TableName=name, Item=key))


def destroy_bucket(attack, store, may):
    name = store["name"]
    if not store["versions"]:
        return may("s3", "delete_object", Bucket=name, Key="one") or may("s3", "put_object", Bucket=name, Key="one", Body=b"other")
    version = attack.observer("s3").list_object_versions(Bucket=name).get("Versions", [])
    if not version:
        return True
    for past in ({}, {"BypassGovernanceRetention": True}):
        if may("s3", "delete_object", Bucket=name, Key="one", VersionId=version[0]["VersionId"], **past):
            left = attack.observer("s3").list_object_versions(Bucket=name).get("Versions", [])
            return version[0]["VersionId"] not in [one["VersionId"] for one in left]
    return False


def destroy_volume(attack, store, may):
    if attack.changes and store["copy"]:
        may("ec2", "delete_snapshot", SnapshotId=store["copy"])
    return may("ec2", "delete_volume", VolumeId=store["id"])


def destroy_lake(attack, store, may):
    name = store["name"]
    if attack.changes and store["copied"]:
        may("redshift", "delete_cluster_snapshot", SnapshotIdentifier=f"of-{name}")
    return may("redshift", "delete_cluster", ClusterIdentifier=name, SkipFinalClusterSnapshot=True)


DESTROY = {
    "instance": destroy_instance, "cluster": destroy_cluster, "table": destroy_table, "bucket": destroy_bucket, "volume": destroy_volume, "lake": destroy_lake,
    "secret": lambda attack, store, may: may("secretsmanager", "put_secret_value", SecretId=store["name"], SecretString="other")
    or may("secretsmanager", "delete_secret", SecretId=store["name"], ForceDeleteWithoutRecovery=True),
    "key": lambda attack, store, may: may("kms", "schedule_key_deletion", KeyId=store["arn"].rsplit("/")[-1], PendingWindowInDays=7),
    "files": lambda attack, store, may: may("efs", "delete_file_system", FileSystemId=store["id"]),
    "images": lambda attack, store, may: may("ecr", "delete_repository", repositoryName=store["name"], force=True)
    or may("ecr", "batch_delete_image", repositoryName=store["name"], imageIds=[{"imageTag": "latest"}]),
    "group": lambda attack, store, may: may("elasticache", "delete_replication_group", ReplicationGroupId=store["name"]),
    "memory": lambda attack, store, may: may("memorydb", "delete_cluster", ClusterName=store["name"]),
    "search": lambda attack, store, may: may("opensearch", "delete_domain", DomainName=store["name"]),
}


def copies_left(observer, store):
    """Whether something is left from which it can be brought back."""
    name, kind = store["name"], store["kind"]
    if kind == "instance":
        every = observer("rds").describe_db_snapshots()["DBSnapshots"]
        return any(one["DBSnapshotIdentifier"] == f"of-{name}" for one in every) and not pending(observer, store["sealed_by"])
    if kind == "cluster":
        return any(one["DBClusterSnapshotIdentifier"] == f"of-{name}" for one in observer("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"])
    if kind == "table":
        # AWS keeps a backup of its own of a table with continuous backups, for 35 days.
        return bool(store.get("kept") or observer("dynamodb").list_backups(TableName=name)["BackupSummaries"])
    if kind == "volume":
        every = observer("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
        return any(one["SnapshotId"] == store["copy"] for one in every)
    if kind == "lake":
        return any(one["SnapshotIdentifier"] == f"of-{name}" for one in observer("redshift").describe_cluster_snapshots()["Snapshots"])
    return False


def pending(observer, key):
    if not key:
        return False
    return observer("kms").describe_key(KeyId=key.rsplit("/")[-1])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def attack(ground, seed, world, user, changes):
    """What a user destroys, by the number of the store, with whether something is left to bring it back; whether he may take on a
    role that names him; and what the server said to whatever it refused."""
    actors, stores = ground.make(world)
    worst = Attack(ground.url, actors[user], world, changes)
    worst.observer = actors["observer"]
    taken = tried(actors[user]("sts").assume_role, RoleArn=prove.role("probe"), RoleSessionName="probe") is None
    lost = set()
    for step in [None, worst.gamble, worst.older, worst.shed] if changes else [None]:
        if step and len(lost) < len(stores):
            step()
        lost |= {number for number, store in enumerate(stores) if worst.destroy(store)}
    left = {number: copies_left(actors["observer"], stores[number]) for number in lost}
    return left, taken, {number: sorted(worst.said[store["name"]]) for number, store in enumerate(stores)}


def one(ground, seed, count):
    """Foretells and attacks one world."""
    world = plan(seed)
    actors, stores = ground.make(world)
    auditor = [*actors["auditor"].held[:2], prove.role("audit")]
    told, known = {}, {}
    for user in world["users"]:
        with prove.between(ground.company, set(sys.argv[6:]), "denied", known) as endpoint:
            _, assessment, out = prove.run(endpoint, [actors[user].held[:2]], f"world-{seed}-{user}", "--live", auditor=auditor)
        shutil.rmtree(out.parent)
        found = prove.answers(assessment)
        told[user] = [found.get(store["arn"]) for store in stores]
    for user in world["users"]:
        at_once, _, _ = attack(ground, seed, world, user, False)
        in_all, taken, said = attack(ground, seed, world, user, True)
        for number, store in enumerate(stores):
            asset, what = told[user][number], f"seed {seed}, {user}, {store}"
            count["pairs"] += 1
            prove.check(asset, f"{what}: it was not listed")
            if not asset:
                continue
            low, _ = asset["bounds"]
            count[f"said {asset['answer']}"] += 1
            if number not in at_once and number not in in_all:
                count[f"kept, and said {'stopped' if asset['answer'] == 'stopped' else 'otherwise'}"] += 1
                if asset["answer"] not in ("stopped", "unknown"):
                    why = next((why for why, holds in LIMITS.items() if holds(store, asset, taken)), None)
                    count[f"kept, and said lost: {why}"] += 1
                    prove.check(why, f"{what}: it was kept, and was said to be {asset['answer']}: {asset['sentence']} {said[number]}")
                continue
            count[f"lost, and said {'unknown' if asset['answer'] == 'unknown' else 'lost'}"] += 1
            slowed, left = number not in at_once, in_all.get(number, at_once.get(number))
            truth = ("slowed-untested" if left else "slowed-no-recovery") if slowed else ("recoverable-untested" if left else "nothing")
            prove.check(RANKS.index(low) <= RANKS.index(truth), f"{what}: it is {truth}, and was said to be {asset['answer']} {asset['bounds']}: {asset['sentence']}")


def main():
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 25
    first = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    seeds = iter(range(first, first + count))
    lock = threading.Lock()

    def work():
        told = collections.Counter()
        with Ground() as ground:
            while True:
                with lock:
                    seed = next(seeds, None)
                if seed is None:
                    return told
                one(ground, seed, told)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        tally = sum((done.result() for done in [pool.submit(work) for _ in range(2)]), collections.Counter())
    for what, times in sorted(tally.items()):
        print(f"{times:6} {what}")
    if prove.failures:
        sys.exit(f"{len(prove.failures)} failed, of the seeds {first} to {first + count - 1}")
    print(f"worlds: {tally['pairs']} answers of {count} worlds (seeds {first} to {first + count - 1}); nothing that was lost was said to fare better")


if __name__ == "__main__":
    main()
