"""Makes an organisation in a moto server that enforces IAM: one account that manages it, one member in a unit whose policy
denies deletes. Prints keys of users, and the member's number, as JSON. The server keeps policies of organisations and does
not hold anybody to them.

Usage: organisation.py ENDPOINT POLICY (what an auditor is granted: a file, as `deadstop permissions aws` prints it)
"""
import json
import pathlib
import sys
import urllib.request

import boto3

endpoint, granted = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()
region, ACCOUNT = "eu-west-1", "123456789012"


def client(service, key=("root", "root", None)):
    return boto3.client(service, endpoint_url=endpoint, region_name=region, aws_access_key_id=key[0],
                        aws_secret_access_key=key[1], aws_session_token=key[2])


def post(path, body=""):
    request = urllib.request.Request(f"{endpoint}{path}", data=body.encode(), headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(request).read()


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def says(effect, actions, resource="*"):
    return {"Effect": effect, "Action": actions, "Resource": resource}


post("/moto-api/reset")
organizations = client("organizations")
organizations.create_organization(FeatureSet="ALL")
top = organizations.list_roots()["Roots"][0]["Id"]
for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
    organizations.enable_policy_type(RootId=top, PolicyType=kind)
unit = organizations.create_organizational_unit(ParentId=top, Name="production")["OrganizationalUnit"]["Id"]
member = organizations.create_account(AccountName="shop", Email="shop@example.com")["CreateAccountStatus"]["AccountId"]
organizations.move_account(AccountId=member, SourceParentId=top, DestinationParentId=unit)
# The server has no Redshift Serverless, so that whoever may run statements in Redshift may do so in what was not listed.
guard = document(says("Deny", ["redshift:*", "redshift-data:*", "redshift-serverless:*", "rds:Delete*", "rds:ModifyDBInstance", "organizations:LeaveOrganization", "organizations:AcceptHandshake"]))
policy = organizations.create_policy(Name="guard", Description="no deletes", Type="SERVICE_CONTROL_POLICY", Content=guard)
for target in (unit, ACCOUNT):
    organizations.attach_policy(PolicyId=policy["Policy"]["PolicySummary"]["Id"], TargetId=target)
made = client("sts").assume_role(RoleArn=f"arn:aws:iam::{member}:role/setup", RoleSessionName="setup")["Credentials"]
there = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
keys = {"member": member, "policy": policy["Policy"]["PolicySummary"]["Id"]}
root = ("root", "root", None)
# Calls of RDS that give snapshots, logs or what an option does to others.
HANDS_OUT = ["rds:Download*", "rds:Modify*SnapshotAttribute", "rds:ModifyOptionGroup"]
for name, account, statements in [("auditor", root, [says("Allow", "sts:AssumeRole"), json.loads(granted)["Statement"][0]]),
                                  ("head", root, [says("Allow", "organizations:*")]),
                                  ("agent-closer", root, [says("Allow", "organizations:CloseAccount")]),
                                  ("agent-manager", root, [says("Allow", "rds:*")]),
                                  ("agent-rds", there, [says("Allow", "rds:*"), says("Deny", HANDS_OUT)]),
                                  ("agent-admin", there, [says("Allow", "*")])]:
    iam = client("iam", account)
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys[name] = [key["AccessKeyId"], key["SecretAccessKey"]]
trust = document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/auditor"}, "Action": "sts:AssumeRole"})
for account, name in ((root, "prod-billing"), (there, "prod-orders")):
    iam = client("iam", account)
    iam.create_role(RoleName="audit", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="audit", PolicyName="own", PolicyDocument=granted)
    client("rds", account).create_db_instance(
        DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.m5.large", MasterUsername="app",
        MasterUserPassword="made-up-password", AllocatedStorage=20, Tags=[{"Key": "env", "Value": "production"}])
post("/moto-api/reset-auth", "0")
print(json.dumps(keys))
