"""Makes a small company in a moto server that enforces IAM, and prints the keys of its users as JSON.

Usage: company.py ENDPOINT POLICY (what an auditor is granted: a file, as `deadstop permissions aws` prints it)
"""
import io
import json
import pathlib
import sys
import urllib.request
import zipfile

import boto3

endpoint = sys.argv[1]
region = "eu-west-1"


def client(service, key=("root", "root"), at=region):
    return boto3.client(service, endpoint_url=endpoint, region_name=at,
                        aws_access_key_id=key[0], aws_secret_access_key=key[1])


def post(path, body=""):
    request = urllib.request.Request(f"{endpoint}{path}", data=body.encode(), headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(request).read()


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resource="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def zipped(name, text):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr(name, text)
    return packed.getvalue()


post("/moto-api/reset")
rds = client("rds")
for name, protected, environment in [("prod-orders", True, "production"), ("prod-ledger", False, "production"),
                                     ("staging-orders", False, "staging")]:
    rds.create_db_instance(DBInstanceIdentifier=name, Engine="postgres", DBInstanceClass="db.m5.large",
                           MasterUsername="app", MasterUserPassword="made-up-password", AllocatedStorage=20,
                           DeletionProtection=protected, BackupRetentionPeriod=7,
                           Tags=[{"Key": "env", "Value": environment}])
rds.create_db_instance(DBInstanceIdentifier="prod-shop", Engine="mysql", DBInstanceClass="db.m5.large", MasterUsername="app",
                       MasterUserPassword="made-up-password", AllocatedStorage=20, Tags=[{"Key": "env", "Value": "production"}])
rds.create_db_snapshot(DBInstanceIdentifier="prod-orders", DBSnapshotIdentifier="before-the-move")
dynamodb = client("dynamodb")
for name, protected, pitr in [("carts", False, True), ("sessions", True, False)]:
    dynamodb.create_table(TableName=name, AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                          KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                          DeletionProtectionEnabled=protected, Tags=[{"Key": "env", "Value": "production"}])
    if pitr:
        dynamodb.update_continuous_backups(TableName=name,
                                           PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})

key = client("kms").create_key(Description="ledger")["KeyMetadata"]["Arn"]
rds.create_db_instance(DBInstanceIdentifier="prod-vault", Engine="postgres", DBInstanceClass="db.m5.large",
                       MasterUsername="app", MasterUserPassword="made-up-password", AllocatedStorage=20,
                       StorageEncrypted=True, KmsKeyId=key, Tags=[{"Key": "env", "Value": "production"}])
rds.create_db_cluster(DBClusterIdentifier="prod-cluster", Engine="aurora-postgresql", MasterUsername="app",
                      MasterUserPassword="made-up-password", DeletionProtection=True, BackupRetentionPeriod=7,
                      Tags=[{"Key": "env", "Value": "production"}])
rds.create_db_instance(DBInstanceIdentifier="prod-cluster-1", DBClusterIdentifier="prod-cluster", Engine="aurora-postgresql",
                       DBInstanceClass="db.m5.large")
rds.create_db_cluster_snapshot(DBClusterIdentifier="prod-cluster", DBClusterSnapshotIdentifier="cluster-before-the-move")
backup = client("backup")
for name in ("open", "sealed"):
    backup.create_backup_vault(BackupVaultName=name)
ec2 = client("ec2")
tags = [{"ResourceType": "volume", "Tags": [{"Key": "env", "Value": "production"}]}]
volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=8, TagSpecifications=tags)["VolumeId"]
ec2.create_snapshot(VolumeId=volume)
disk = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8, "DeleteOnTermination": True}}]
ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, BlockDeviceMappings=disk, TagSpecifications=tags)
s3 = client("s3")
for name, versions, environment in [("media", True, "production"), ("exports", False, "production"),
                                    ("archive", True, "production"), ("sealed", False, "staging")]:
    # Buckets are listed wherever they lie.
    place = "eu-central-1" if name == "exports" else region
    client("s3", at=place).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": place},
                                         ObjectLockEnabledForBucket=name == "archive")
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "env", "Value": environment}]})
    if versions and name != "archive":
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
retention = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
s3.put_object_lock_configuration(Bucket="archive", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": retention})
sse = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
s3.put_bucket_encryption(Bucket="sealed", ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": sse}]})
for name in ("media", "exports", "archive", "sealed"):
    for place in ("old/one", "new/two"):
        s3.put_object(Bucket=name, Key=place, Body=b"data")
# An object with a key of its own, which nothing of the bucket tells.
other = client("kms").create_key(Description="one object")["KeyMetadata"]["Arn"]
s3.put_object(Bucket="media", Key="other/one", Body=b"data", ServerSideEncryption="aws:kms", SSEKMSKeyId=other)
secrets = client("secretsmanager")
for name in ("prod/db", "prod/api"):
    secrets.create_secret(Name=name, SecretString="made-up", Tags=[{"Key": "env", "Value": "production"}])
secrets.create_secret(Name="prod/everywhere", SecretString="made-up", AddReplicaRegions=[{"Region": "eu-central-1"}],
                      Tags=[{"Key": "env", "Value": "production"}])
production = [{"Key": "env", "Value": "production"}]
efs = client("efs")
for name in ("home", "mounted"):
    system = efs.create_file_system(CreationToken=name, Tags=[*production, {"Key": "Name", "Value": name}])["FileSystemId"]
    if name == "mounted":
        subnet = client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        efs.create_mount_target(FileSystemId=system, SubnetId=subnet)
client("redshift").create_cluster(ClusterIdentifier="prod-lake", NodeType="ra3.large", MasterUsername="app",
                                  MasterUserPassword="Made-up-passw0rd", Tags=production)
client("redshift").create_cluster_snapshot(ClusterIdentifier="prod-lake", SnapshotIdentifier="lake-before-the-move")
client("elasticache").create_replication_group(ReplicationGroupId="prod-group", ReplicationGroupDescription="of the shop",
                                               Engine="redis", CacheNodeType="cache.m5.large", NumCacheClusters=1, Tags=production)
client("elasticache").create_cache_cluster(CacheClusterId="prod-cache", Engine="redis", CacheNodeType="cache.m5.large",
                                           NumCacheNodes=1, Tags=production)
client("memorydb").create_cluster(ClusterName="prod-memory", NodeType="db.r6g.large", ACLName="open-access", Tags=production)
client("opensearch").create_domain(DomainName="prod-search", TagList=production)
client("ecr").create_repository(repositoryName="prod/app", tags=production)
role = "arn:aws:iam::123456789012:role/eks"
client("eks").create_cluster(name="prod-eks", roleArn=role, resourcesVpcConfig={}, tags={"env": "production"})
subnet = client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
client("fsx").create_file_system(FileSystemType="LUSTRE", StorageCapacity=1200, SubnetIds=[subnet], Tags=production)
iam = client("iam")
read = ["s3:GetBucket*", "s3:GetObject*", "s3:GetEncryption*", "s3:GetLifecycle*", "s3:GetReplication*", "s3:List*", "ec2:Describe*", "rbin:Get*", "rbin:List*", "sts:GetCallerIdentity", "iam:GetAccountAuthorizationDetails", "iam:Get*", "iam:List*", "rds:Describe*", "rds:ListTagsForResource",
        "dynamodb:Describe*", "dynamodb:List*", "dynamodb:GetResourcePolicy", "organizations:Describe*", "backup:List*", "kms:ListKeys", "kms:DescribeKey", "kms:GetKeyPolicy",
        "kms:ListResourceTags", "secretsmanager:ListSecrets", "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy",
        "elasticfilesystem:Describe*", "fsx:Describe*", "redshift:DescribeClusters", "redshift:DescribeClusterSnapshots",
        "elasticache:Describe*", "elasticache:List*", "memorydb:Describe*", "memorydb:List*", "es:List*", "es:DescribeDomain",
        "ecr:Describe*", "ecr:Get*", "ecr:List*", "eks:List*", "eks:Describe*", "cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*",
        "lambda:ListFunctions", "lambda:GetPolicy"]
users = {
    "agent-admin": [allow("*")],
    "agent-readonly": [allow(read)],
    "agent-delete": [allow(["rds:DeleteDBInstance"]), allow(["sts:GetCallerIdentity"])],
    "agent-kms": [allow(["kms:ScheduleKeyDeletion", "sts:GetCallerIdentity"])],
    "agent-patch": [allow(["sts:AssumeRole", "iam:PutRolePolicy", "sts:GetCallerIdentity"])],
    "agent-abroad": [allow(["sts:AssumeRole", "sts:GetCallerIdentity"])],
    "agent-assume": [allow(["sts:AssumeRole", "sts:GetCallerIdentity"])],
    "agent-objects": [allow("s3:DeleteObject"), allow("sts:GetCallerIdentity")],
    "agent-old": [allow("s3:DeleteObject", "arn:aws:s3:::exports/old/*"), allow("sts:GetCallerIdentity")],
    "agent-denied": [allow("s3:*"), allow("sts:GetCallerIdentity"),
                     {"Effect": "Deny", "Action": ["s3:Delete*", "s3:Put*", "s3:UpdateJobStatus", "s3:GetDataAccess", "s3:CreateAccessGrant", "s3:UpdateAccessGrantsLocation"], "Resource": "*"}],
    "agent-points": [allow(["s3:DeleteObject", "sts:GetCallerIdentity"]), {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::exports/*"}],
    "agent-buckets": [allow(["s3:DeleteBucket", "sts:GetCallerIdentity"])],
    "agent-vaults": [allow(["rds:DeleteDBInstance", "backup:DeleteRecoveryPoint", "backup:DeleteBackupVaultLockConfiguration", "sts:GetCallerIdentity"])],
    "agent-release": [allow(["rds:DeleteDBInstance", "iam:PutUserPolicy", "sts:GetCallerIdentity"])],
    "agent-volumes": [allow(["ec2:DeleteVolume", "sts:GetCallerIdentity"])],
    "agent-terminate": [allow(["ec2:TerminateInstances", "sts:GetCallerIdentity"])],
    "agent-nothing": [],
    # The auditor's own: it may take on roles, and nothing else.
    "auditor": [allow("sts:AssumeRole")],
    "agent-stores": [allow(["elasticfilesystem:DeleteFileSystem", "redshift:DeleteCluster", "elasticache:DeleteReplicationGroup",
                            "elasticache:DeleteCacheCluster", "memorydb:DeleteCluster", "es:DeleteDomain", "ecr:DeleteRepository",
                            "eks:DeleteCluster", "fsx:DeleteFileSystem", "sts:GetCallerIdentity"])],
    "agent-gets": [allow(["s3:Get*", "sts:GetCallerIdentity"])],
    "agent-password": [allow(["rds:ModifyDBInstance", "sts:GetCallerIdentity"])],
    "agent-braket": [allow(["braket:CreateJob", "sts:GetCallerIdentity"])],
    "agent-sealed-but": [allow("*"), {"Effect": "Deny", "NotAction": ["rds:Describe*", "secretsmanager:Get*"], "Resource": "*"}],
    "agent-peek": [allow(["secretsmanager:GetSecretValue", "sts:GetCallerIdentity"])],
    "agent-sql": [allow(["redshift-data:ExecuteStatement", "sts:GetCallerIdentity"])],
    "agent-secrets": [allow(["secretsmanager:DeleteSecret", "sts:GetCallerIdentity"])],
    "agent-sealed": [allow("*"), {"Effect": "Deny", "NotAction": [one for one in read if one != "backup:List*"], "Resource": "*"}],
    # Each a call that leads on, or is in no list; and calls of the same services that lead nowhere.
    "agent-canary": [allow(["synthetics:UpdateCanary", "sts:GetCallerIdentity"])],
    "agent-alarm": [allow(["cloudwatch:Put*", "sts:GetCallerIdentity"])],
    "agent-lifecycle": [allow(["dlm:*", "sts:GetCallerIdentity"])],
    "agent-job": [allow(["codepipeline:Get*", "sts:GetCallerIdentity"])],
    "agent-new": [allow(["rds:DoWhatIsNew", "sts:GetCallerIdentity"])],
    "agent-nowhere": [allow(["cloudwatch:PutDashboard", "dlm:Delete*", "rds:CreateDBSnapshot", "synthetics:StopCanary", "s3:UpdateObjectEncryption",
                             "dynamodb:UpdateTable", "codepipeline:Get*", "sts:GetCallerIdentity"]),
                      {"Effect": "Deny", "Action": ["codepipeline:GetJobDetails", "codepipeline:GetThirdPartyJobDetails"], "Resource": "*"}],
    "agent-namespace": [allow(["redshift-serverless:DeleteNamespace", "sts:GetCallerIdentity"])],
    "agent-restore": [allow(["redshift-serverless:RestoreFromRecoveryPoint", "sts:GetCallerIdentity"])],
    "agent-snapshots": [allow(["redshift-serverless:CreateSnapshot", "redshift-serverless:DeleteWorkgroup", "sts:GetCallerIdentity"])],
    "agent-stop": [allow(["ec2:StopInstances", "sts:GetCallerIdentity"])],
    "agent-health": [allow(["autoscaling:SetInstanceHealth", "sts:GetCallerIdentity"])],
    "agent-parameters": [allow(["rds:ModifyDBParameterGroup", "sts:GetCallerIdentity"])],
    "agent-keyed": [allow(["s3:UpdateObjectEncryption", "dynamodb:UpdateTable", "kms:ReEncryptTo", "sts:GetCallerIdentity"])],
    # Rights at the source of a replica alone; at tags of objects; at what a proxy runs; at the keys of others.
    "agent-source": [allow("rds:ModifyDBInstance", "arn:aws:rds:eu-west-1:123456789012:db:prod-vault"),
                     allow("s3:PutObject", "arn:aws:s3:::media/*"), allow("sts:GetCallerIdentity")],
    "agent-tags": [allow(["s3:PutObjectTagging", "sts:GetCallerIdentity"])],
    "agent-proxy": [allow(["rds:ModifyDBProxyTargetGroup", "sts:GetCallerIdentity"])],
    "agent-disable": [allow(["kms:DisableKey", "sts:GetCallerIdentity"])],
    "agent-policies": [allow(["s3:PutBucketPolicy", "sts:GetCallerIdentity"])],
    "agent-coder": [allow("sts:GetCallerIdentity")],
    "agent-joins": [allow(["iam:AddUserToGroup", "sts:GetCallerIdentity"])],
}
keys = {}
for name, statements in users.items():
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys[name] = [key["AccessKeyId"], key["SecretAccessKey"]]
trust = document({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/agent-assume"}, "Action": "sts:AssumeRole"})
# It runs no statements, which might reach databases of other accounts, and gives no snapshots or logs away.
iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust)
iam.put_role_policy(RoleName="deployer", PolicyName="own", PolicyDocument=document(allow(["rds:Delete*", "rds:Describe*", "dynamodb:*"])))
trust = document({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/agent-patch"}, "Action": "sts:AssumeRole"})
iam.create_role(RoleName="clerk", AssumeRolePolicyDocument=trust)

# What whoever joins it gains, and no more.
iam.create_group(GroupName="deleters")
iam.put_group_policy(GroupName="deleters", PolicyName="own", PolicyDocument=document(allow("rds:DeleteDBInstance")))
# A function that may do everything: whoever changes its code may, too. Its policy lets a service call it.
trust = document({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
acting = iam.create_role(RoleName="tidy", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
iam.put_role_policy(RoleName="tidy", PolicyName="own", PolicyDocument=document(allow("*")))
client("lambda").create_function(FunctionName="prod-tidy", Runtime="python3.13", Role=acting, Handler="tidy.main", Code={"ZipFile": zipped("tidy.py", "")})
client("lambda").add_permission(FunctionName="prod-tidy", StatementId="events", Action="lambda:InvokeFunction", Principal="events.amazonaws.com")

# What every account with databases has: a role that no database is given.
iam.create_service_linked_role(AWSServiceName="rds.amazonaws.com")
# What a permission set of single sign-on is in an account.
trust = document({"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::123456789012:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"}, "Action": "sts:AssumeRoleWithSAML"})
iam.create_role(RoleName="AWSReservedSSO_Deployers_0123456789abcdef", Path="/aws-reserved/sso.amazonaws.com/eu-west-1/", AssumeRolePolicyDocument=trust)
iam.put_role_policy(RoleName="AWSReservedSSO_Deployers_0123456789abcdef", PolicyName="AwsSSOInlinePolicy", PolicyDocument=document(allow("rds:*")))

# Another account, whose role lets somebody of the first one in.
there = client("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/setup", RoleSessionName="setup")["Credentials"]


def abroad(service):
    return boto3.client(service, endpoint_url=endpoint, region_name=region, aws_access_key_id=there["AccessKeyId"],
                        aws_secret_access_key=there["SecretAccessKey"], aws_session_token=there["SessionToken"])


abroad("rds").create_db_instance(DBInstanceIdentifier="prod-abroad", Engine="postgres", DBInstanceClass="db.m5.large",
                                 MasterUsername="app", MasterUserPassword="made-up-password", AllocatedStorage=20,
                                 Tags=[{"Key": "env", "Value": "production"}])
iam = abroad("iam")
iam.create_user(UserName="reader-abroad")
iam.put_user_policy(UserName="reader-abroad", PolicyName="own", PolicyDocument=document(allow(read)))
made = iam.create_access_key(UserName="reader-abroad")["AccessKey"]
keys["reader-abroad"] = [made["AccessKeyId"], made["SecretAccessKey"]]
trust = document({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/agent-abroad"}, "Action": "sts:AssumeRole"})
iam.create_role(RoleName="keeper", AssumeRolePolicyDocument=trust)
iam.put_role_policy(RoleName="keeper", PolicyName="own", PolicyDocument=document(allow("rds:*")))
granted = json.loads(pathlib.Path(sys.argv[2]).read_text())
# The server asks for another right than S3 does for what it does not know by its query.
granted["Statement"][0]["Action"].append("s3:ListBucket")
granted = json.dumps(granted)
# Roles that let the auditor in: one with what is printed for it, one with everything, one with nothing.
trust = document({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/auditor"}, "Action": "sts:AssumeRole"})
for where in (client("iam"), abroad("iam")):
    for name, policy in [("audit", granted), ("audit-all", document(allow("*"))), ("audit-none", None)]:
        where.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        if policy:
            where.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
post("/moto-api/reset-auth", "0")
print(json.dumps(keys))
