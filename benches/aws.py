#!/usr/bin/env python3
"""Times the assessment of a big account of AWS, in a server made for it.

Usage: aws.py DEADSTOP MOTO_SERVER FOLDER [ROLES VOLUMES SECRETS]   (from a Python with moto and boto3: see tests/run)

A user whose key is in the scanned folder may take on each of the roles, so that the rights of all of them are worked out. A
role has ten statements: most allow a few calls by name, on everything, on one resource or on those whose names begin alike;
every third has a condition, some refuse something, and one role in a hundred may do everything. Made anew by a seed.
"""
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "aws"))
program, server, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
roles, volumes, secrets = (int(number) for number in (sys.argv[4:7] or ("2000", "4000", "1000")))
ACCOUNT, REGION = "123456789012", "eu-west-1"
SERVICES = {
    "ec2": ["DeleteVolume", "DeleteSnapshot", "DescribeVolumes", "Delete*", "CreateTags", "RunInstances", "*"],
    "secretsmanager": ["DeleteSecret", "PutSecretValue", "GetSecretValue", "Describe*", "*"],
    "s3": ["GetObject", "DeleteObject", "PutObject", "List*", "DeleteBucket"],
    "rds": ["DeleteDBInstance", "ModifyDBInstance", "Describe*", "Delete*", "*"],
    "dynamodb": ["DeleteTable", "GetItem", "Query", "PutItem", "Describe*", "Delete*"],
    "logs": ["CreateLogGroup", "PutLogEvents", "DeleteLogGroup"],
    "sqs": ["SendMessage", "ReceiveMessage", "DeleteQueue"],
}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(rng, ids):
    service = rng.choice(sorted(SERVICES))
    actions = [f"{service}:{action}" for action in rng.sample(SERVICES[service], rng.randint(1, 3))]
    kind = rng.random()
    if kind < 0.4 or service not in ids:
        resource_ = "*"
    else:
        one = rng.choice(ids[service])
        resource_ = one if kind < 0.8 else one[:-4] + "*"
    made = {"Effect": "Deny" if rng.random() < 0.1 else "Allow", "Action": actions, "Resource": resource_}
    if rng.random() < 0.33:
        made["Condition"] = rng.choice([
            {"StringEquals": {"aws:ResourceTag/team": rng.choice(["a", "b", "c"])}},
            {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
            {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            {"StringEquals": {"aws:RequestedRegion": rng.choice([REGION, "us-east-1"])}},
        ])
    return made


def main():
    import boto3

    folder.mkdir(parents=True, exist_ok=True)
    port = 5999
    url = f"http://127.0.0.1:{port}"
    moto = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            env={**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"})
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{url}/moto-api/data.json").read()
                break
            except OSError:
                time.sleep(0.5)

        def client(service):
            return boto3.client(service, endpoint_url=url, region_name=REGION, aws_access_key_id="root", aws_secret_access_key="root")

        rng, ids = random.Random(1), {}
        ec2, store, iam = client("ec2"), client("secretsmanager"), client("iam")
        made = [ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=8)["VolumeId"] for _ in range(volumes)]
        ids["ec2"] = [f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{volume}" for volume in made]
        ids["secretsmanager"] = [store.create_secret(Name=f"secret-{at}", SecretString="made-up")["ARN"] for at in range(secrets)]
        user = iam.create_user(UserName="agent")["User"]["Arn"]
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_user_policy(UserName="agent", PolicyName="own", PolicyDocument=document({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}))
        trust = document({"Effect": "Allow", "Principal": {"AWS": user}, "Action": "sts:AssumeRole"})
        for at in range(roles):
            iam.create_role(RoleName=f"role-{at}", AssumeRolePolicyDocument=trust)
            own = [everything] if at % 100 == 50 else [statement(rng, ids) for _ in range(10)]
            iam.put_role_policy(RoleName=f"role-{at}", PolicyName="own", PolicyDocument=document(*own))
        key = iam.create_access_key(UserName="agent")["AccessKey"]
        iam.create_user(UserName="auditor")
        own = iam.create_access_key(UserName="auditor")["AccessKey"]
        for name in ("home", "system", "work", "own/.aws"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "work" / ".env").write_text(f"AWS_ACCESS_KEY_ID={key['AccessKeyId']}\nAWS_SECRET_ACCESS_KEY={key['SecretAccessKey']}\n")
        (folder / "own" / ".aws" / "credentials").write_text(f"[security-audit]\naws_access_key_id = {own['AccessKeyId']}\naws_secret_access_key = {own['SecretAccessKey']}\n")
        config = folder / "deadstop.yaml"
        config.write_text("schema: deadstop.config/1\nproviders:\n  aws: {regions: [%s], endpoint: \"%s\", profile: security-audit}\n" % (REGION, url))
        told = subprocess.run([program, "run", folder / "work", "--home", folder / "home", "--system", folder / "system", "--config", config, "-o",
                               folder / "out", "--quiet", "--live", "--no-fixes"], env={"PATH": os.environ["PATH"], "HOME": str(folder / "own")},
                              capture_output=True, text=True)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(told.stderr[-2000:])
        log = folder / "out" / "facts.json"
        print(f"{roles} roles, {volumes} volumes, {secrets} secrets: exit {told.returncode}, {spent.ru_utime:.1f} s of user time, {spent.ru_maxrss // 1024} MiB, "
              f"bundle {log.stat().st_size >> 20 if log.exists() else '?'} MB")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        begun = time.time()
        subprocess.run([program, "assess", folder / "out" / "facts.json", "-o", folder / "again", "--quiet", "--no-fixes"], capture_output=True)
        print(f"assess alone: {time.time() - begun:.1f} s, {resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before:.1f} s of user time")
    finally:
        moto.terminate()
        moto.wait()


if __name__ == "__main__":
    main()
