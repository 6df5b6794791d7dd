"""Makes an account in a moto server that enforces IAM, whose users may not be told as a whole to everybody, and another one whose
roles let some of them in; prints keys as JSON.

Usage: pieces.py ENDPOINT POLICY (not used)
"""
import json
import sys
import urllib.request

import boto3

endpoint, region, ACCOUNT, ABROAD = sys.argv[1], "eu-west-1", "123456789012", "210987654321"


def client(service, key=("root", "root", None)):
    return boto3.client(service, endpoint_url=endpoint, region_name=region, aws_access_key_id=key[0], aws_secret_access_key=key[1], aws_session_token=key[2])


def post(path, body=""):
    request = urllib.request.Request(f"{endpoint}{path}", data=body.encode(), headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(request).read()


def allow(actions):
    return {"Effect": "Allow", "Action": actions, "Resource": "*"}


def deny(**what):
    return {"Effect": "Deny", "Resource": "*", **what}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def lets_in(user):
    return document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{user}"}, "Action": "sts:AssumeRole"})


def database(rds, name):
    rds.create_db_instance(DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.m5.large", MasterUsername="app",
                           MasterUserPassword="made-up-password", AllocatedStorage=20, Tags=TAGS)


def user(iam, name, *statements):
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys[name] = [key["AccessKeyId"], key["SecretAccessKey"]]


TAGS, keys = [{"Key": "env", "Value": "production"}], {}
post("/moto-api/reset")
database(client("rds"), "prod-ledger")
client("dynamodb").create_table(TableName="carts", AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST", Tags=TAGS)
client("ecr").create_repository(repositoryName="prod/app", tags=TAGS)
client("redshift").create_cluster(ClusterIdentifier="prod-lake", NodeType="ra3.large", MasterUsername="app", MasterUserPassword="Made-up-passw0rd", Tags=TAGS)
client("memorydb").create_cluster(ClusterName="prod-memory", NodeType="db.r6g.large", ACLName="open-access", Tags=TAGS)
client("opensearch").create_domain(DomainName="prod-search", TagList=TAGS)
DETAILS = "iam:GetAccountAuthorizationDetails"
see = [f"{service}:{verb}*" for service in ("s3", "ec2", "rbin", "rds", "dynamodb", "organizations", "backup", "kms", "elasticfilesystem", "fsx", "redshift",
                                            "elasticache", "memorydb", "es", "ecr", "eks", "cloudformation") for verb in ("Describe", "List")]
see += ["s3:GetBucket*", "s3:GetEncryption*", "s3:GetLifecycle*", "s3:GetReplication*", "dynamodb:GetResourcePolicy", "backup:GetBackupVaultAccessPolicy",
        "kms:GetKeyPolicy", "ecr:GetRepositoryPolicy", "ecr:GetRegistryPolicy", "secretsmanager:ListSecrets", "secretsmanager:DescribeSecret",
        "secretsmanager:GetResourcePolicy", "cloudformation:GetTemplate", "lambda:ListFunctions", "lambda:GetPolicy", "sts:GetCallerIdentity"]
read = [*see, DETAILS, "iam:Get*", "iam:List*"]
own = client("iam")
user(own, "reader", allow(read))
# What it may do is told piece by piece, each of which gives it something that no other does.
user(own, "piecewise", allow([*see, "iam:Get*", "iam:List*", "rds:DeleteDBInstance"]), deny(Action=DETAILS))
managed = {name: own.create_policy(PolicyName=name, PolicyDocument=document(allow(action)))["Policy"]["Arn"]
           for name, action in [("of-the-user", "dynamodb:DeleteTable"), ("of-the-group", "ecr:DeleteRepository"), ("of-the-role", "redshift:DeleteCluster"),
                                ("bounds", "*")]}
own.create_group(GroupName="pieces")
own.put_group_policy(GroupName="pieces", PolicyName="own", PolicyDocument=document(allow("es:DeleteDomain")))
own.attach_group_policy(GroupName="pieces", PolicyArn=managed["of-the-group"])
own.add_user_to_group(GroupName="pieces", UserName="piecewise")
own.attach_user_policy(UserName="piecewise", PolicyArn=managed["of-the-user"])
own.create_role(RoleName="piecework", Path="/of/pieces/", AssumeRolePolicyDocument=lets_in("piecewise"), PermissionsBoundary=managed["bounds"])
own.put_role_policy(RoleName="piecework", PolicyName="own", PolicyDocument=document(allow("memorydb:DeleteCluster")))
own.attach_role_policy(RoleName="piecework", PolicyArn=managed["of-the-role"])
# Others, each with a way to rights that are not its own.
user(own, "nothing")
user(own, "deleter", allow(["rds:DeleteDBInstance", "sts:GetCallerIdentity"]))
user(own, "assumer", allow(["sts:AssumeRole", "sts:GetCallerIdentity"]))
own.create_role(RoleName="deployer", AssumeRolePolicyDocument=lets_in("assumer"))
own.put_role_policy(RoleName="deployer", PolicyName="own", PolicyDocument=document(allow("rds:*")))
user(own, "keymaker", allow(["iam:CreateAccessKey", "sts:GetCallerIdentity"]))
user(own, "lets-in", allow(["iam:UpdateAssumeRolePolicy", "sts:GetCallerIdentity"]))
user(own, "sealed", allow("*"), deny(NotAction=[one for one in read if not one.startswith("backup:")]))
user(own, "traveller", allow(["sts:AssumeRole", "sts:GetCallerIdentity"]))
there = client("sts").assume_role(RoleArn=f"arn:aws:iam::{ABROAD}:role/setup", RoleSessionName="setup")["Credentials"]
there = (there["AccessKeyId"], there["SecretAccessKey"], there["SessionToken"])
database(client("rds", there), "prod-abroad")
abroad = client("iam", there)
user(abroad, "reader-abroad", allow(read))
abroad.create_role(RoleName="keeper", AssumeRolePolicyDocument=lets_in("traveller"))
abroad.put_role_policy(RoleName="keeper", PolicyName="own", PolicyDocument=document(allow("rds:*")))
# Roles that let an auditor in; the one abroad sees what there is, and nobody's policies.
user(own, "auditor", allow("sts:AssumeRole"))
for iam, granted in ((own, read), (abroad, see)):
    iam.create_role(RoleName="audit", AssumeRolePolicyDocument=lets_in("auditor"))
    iam.put_role_policy(RoleName="audit", PolicyName="own", PolicyDocument=document(allow(granted)))
post("/moto-api/reset-auth", "0")
print(json.dumps(keys))
