"""Makes stacks in a moto server that enforces IAM, with tables and a database in them, and prints keys of users as JSON. The
server deletes what is in a stack whatever the role of the stack may, and does not know termination protection.

Usage: stacks.py ENDPOINT POLICY (what an auditor is granted: a file, as `deadstop permissions aws` prints it)
"""
import json
import pathlib
import sys
import urllib.request

import boto3

endpoint, granted = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text())
region, ACCOUNT = "eu-west-1", "123456789012"


def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name=region, aws_access_key_id="root", aws_secret_access_key="root")


def post(path, body=""):
    request = urllib.request.Request(f"{endpoint}{path}", data=body.encode(), headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(request).read()


def allow(actions):
    return {"Effect": "Allow", "Action": actions, "Resource": "*"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


TAGS = [{"Key": "env", "Value": "production"}]


def table(name, **more):
    return {"Type": "AWS::DynamoDB::Table", **more, "Properties": {
        "TableName": name, "BillingMode": "PAY_PER_REQUEST", "Tags": TAGS,
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}}


DATABASE = {"Type": "AWS::RDS::DBInstance", "Properties": {
    "DBInstanceIdentifier": "shop", "Engine": "postgres", "DBInstanceClass": "db.m5.large", "AllocatedStorage": "20", "Tags": TAGS,
    "BackupRetentionPeriod": 7, "MasterUsername": "app", "MasterUserPassword": "Vk3mQ9xT2bLr-in-the-template"}}
# By stack: its role, what is in it, and what else is said.
STACKS = {"open": ("deployer", {"Carts": table("carts"), "Db": DATABASE}, {}),
          "protected": ("deployer", {"Ledger": table("ledger")}, {"EnableTerminationProtection": True}),
          "retained": ("deployer", {"Orders": table("orders", DeletionPolicy="Retain"), "Topic": {"Type": "AWS::SNS::Topic"}}, {}),
          "weak": ("weak", {"Sessions": table("sessions")}, {}),
          "own": (None, {"Baskets": table("baskets")}, {})}
USERS = {"agent-readonly": [granted["Statement"][0]], "agent-delete": [allow("cloudformation:DeleteStack")],
         "agent-unprotect": [allow(["cloudformation:DeleteStack", "cloudformation:UpdateTerminationProtection"])],
         "agent-update": [allow("cloudformation:UpdateStack")],
         "agent-change-sets": [allow(["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"])],
         "agent-execute": [allow("cloudformation:ExecuteChangeSet")]}

post("/moto-api/reset")
iam = client("iam")
trust = document({"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"})
for name, actions in (("deployer", ["dynamodb:*", "rds:*"]), ("weak", ["sns:*"])):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(allow(actions)))
cloudformation = client("cloudformation")
for name, (role, resources, more) in STACKS.items():
    named = {"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/{role}"} if role else {}
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
    cloudformation.create_stack(StackName=name, TemplateBody=template, **named, **more)
keys = {}
for name, statements in USERS.items():
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys[name] = [key["AccessKeyId"], key["SecretAccessKey"]]
post("/moto-api/reset-auth", "0")
print(json.dumps(keys))
