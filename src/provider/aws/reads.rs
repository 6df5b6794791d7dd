//! What is asked of AWS: every operation, and how it is told on the wire. Names and versions are those of the service
//! models; each operation's name is its IAM action, too, unless `permissions` says otherwise.

use crate::readonly::{Answer, Read, Reads, Shape};

const fn form(operation: &'static str, action: &'static str, version: &'static str) -> Read {
    Read { operation, shape: Shape::Form { action, version } }
}

const fn assume(operation: &'static str, action: &'static str, fields: &'static [&'static str]) -> Read {
    Read { operation, shape: Shape::Assume { action, version: STS, fields } }
}

const fn dry(operation: &'static str, action: &'static str, field: &'static str) -> Read {
    Read { operation, shape: Shape::DryRun { action, version: EC2, field } }
}

const fn target(operation: &'static str, target: &'static str) -> Read {
    Read { operation, shape: Shape::Target(target) }
}

const fn get(operation: &'static str, path: &'static str, query: &'static str) -> Read {
    Read { operation, shape: Shape::Get { path, query } }
}

const fn post(operation: &'static str, path: &'static str) -> Read {
    Read { operation, shape: Shape::Post(path) }
}

pub(super) const EC2: &str = "2016-11-15";
pub(super) const STS: &str = "2011-06-15";
pub(super) const IAM: &str = "2010-05-08";
pub(super) const RDS: &str = "2014-10-31";
pub(super) const REDSHIFT: &str = "2012-12-01";
pub(super) const ELASTICACHE: &str = "2015-02-02";
pub(super) const CLOUDFORMATION: &str = "2010-05-15";

/// Calls that are made with a token, not with a key, so that no policy of the caller's allows them.
pub(super) const WEB_IDENTITY: &str = "sts:AssumeRoleWithWebIdentity";
pub(super) const SINGLE_SIGN_ON: &str = "sso:GetRoleCredentials";

/// The only calls that are ever sent.
pub(super) const READS: Reads = Reads {
    provider: "aws",
    own_host,
    throttled,
    list: &[
        form("sts:GetCallerIdentity", "GetCallerIdentity", STS),
        // These are answered with credentials, of what the user named as the auditor's and of nothing else.
        assume("sts:AssumeRole", "AssumeRole", &["RoleArn", "RoleSessionName", "ExternalId"]),
        assume(WEB_IDENTITY, "AssumeRoleWithWebIdentity", &["RoleArn", "RoleSessionName", "WebIdentityToken"]),
        Read {
            operation: SINGLE_SIGN_ON,
            shape: Shape::Issue { path: "/federation/credentials", keys: &["account_id", "role_name"] },
        },
        form("iam:GetAccountAuthorizationDetails", "GetAccountAuthorizationDetails", IAM),
        // What follows is asked of single identities, where the account is not told as a whole.
        form("iam:ListRoles", "ListRoles", IAM),
        form("iam:GetUser", "GetUser", IAM),
        form("iam:ListUserPolicies", "ListUserPolicies", IAM),
        form("iam:GetUserPolicy", "GetUserPolicy", IAM),
        form("iam:ListAttachedUserPolicies", "ListAttachedUserPolicies", IAM),
        form("iam:ListGroupsForUser", "ListGroupsForUser", IAM),
        form("iam:ListGroupPolicies", "ListGroupPolicies", IAM),
        form("iam:GetGroupPolicy", "GetGroupPolicy", IAM),
        form("iam:ListAttachedGroupPolicies", "ListAttachedGroupPolicies", IAM),
        form("iam:GetRole", "GetRole", IAM),
        form("iam:ListRolePolicies", "ListRolePolicies", IAM),
        form("iam:GetRolePolicy", "GetRolePolicy", IAM),
        form("iam:ListAttachedRolePolicies", "ListAttachedRolePolicies", IAM),
        form("iam:GetPolicy", "GetPolicy", IAM),
        form("iam:GetPolicyVersion", "GetPolicyVersion", IAM),
        form("iam:SimulatePrincipalPolicy", "SimulatePrincipalPolicy", IAM),
        form("rds:DescribeDBInstances", "DescribeDBInstances", RDS),
        form("rds:DescribeDBProxies", "DescribeDBProxies", RDS),
        form("rds:DescribeDBSnapshots", "DescribeDBSnapshots", RDS),
        form("rds:DescribeDBClusters", "DescribeDBClusters", RDS),
        form("rds:DescribeDBClusterSnapshots", "DescribeDBClusterSnapshots", RDS),
        form("ec2:DescribeRegions", "DescribeRegions", EC2),
        form("ec2:DescribeVolumes", "DescribeVolumes", EC2),
        form("ec2:DescribeInstances", "DescribeInstances", EC2),
        form("ec2:DescribeInstanceAttribute", "DescribeInstanceAttribute", EC2),
        form("ec2:DescribeSnapshots", "DescribeSnapshots", EC2),
        form("ec2:DescribeLockedSnapshots", "DescribeLockedSnapshots", EC2),
        // Nothing is deleted: these are told from deletes by `DryRun`, and sent only where the user asks for a proof.
        dry("ec2:DeleteVolume", "DeleteVolume", "VolumeId"),
        dry("ec2:DeleteSnapshot", "DeleteSnapshot", "SnapshotId"),
        dry("ec2:TerminateInstances", "TerminateInstances", "InstanceId.1"),
        post("rbin:ListRules", "/list-rules"),
        get("rbin:GetRule", "/rules/{}", ""),
        get("sso:ListAccounts", "/assignment/accounts", "max_result"),
        get("sso:ListAccountRoles", "/assignment/roles", "max_result"),
        form("cloudformation:DescribeStacks", "DescribeStacks", CLOUDFORMATION),
        form("cloudformation:ListStackResources", "ListStackResources", CLOUDFORMATION),
        form("cloudformation:GetTemplate", "GetTemplate", CLOUDFORMATION),
        target("organizations:DescribeOrganization", "AWSOrganizationsV20161128.DescribeOrganization"),
        target("organizations:ListAccounts", "AWSOrganizationsV20161128.ListAccounts"),
        target("organizations:ListRoots", "AWSOrganizationsV20161128.ListRoots"),
        target("organizations:ListParents", "AWSOrganizationsV20161128.ListParents"),
        target("organizations:ListPoliciesForTarget", "AWSOrganizationsV20161128.ListPoliciesForTarget"),
        target("organizations:DescribePolicy", "AWSOrganizationsV20161128.DescribePolicy"),
        target("organizations:DescribeResourcePolicy", "AWSOrganizationsV20161128.DescribeResourcePolicy"),
        target("kms:ListKeys", "TrentService.ListKeys"),
        target("kms:DescribeKey", "TrentService.DescribeKey"),
        target("kms:GetKeyPolicy", "TrentService.GetKeyPolicy"),
        target("kms:ListResourceTags", "TrentService.ListResourceTags"),
        target("secretsmanager:ListSecrets", "secretsmanager.ListSecrets"),
        target("secretsmanager:DescribeSecret", "secretsmanager.DescribeSecret"),
        target("secretsmanager:GetResourcePolicy", "secretsmanager.GetResourcePolicy"),
        target("dynamodb:ListTables", "DynamoDB_20120810.ListTables"),
        target("dynamodb:DescribeTable", "DynamoDB_20120810.DescribeTable"),
        target("dynamodb:DescribeContinuousBackups", "DynamoDB_20120810.DescribeContinuousBackups"),
        target("dynamodb:ListBackups", "DynamoDB_20120810.ListBackups"),
        target("dynamodb:ListTagsOfResource", "DynamoDB_20120810.ListTagsOfResource"),
        target("dynamodb:GetResourcePolicy", "DynamoDB_20120810.GetResourcePolicy"),
        get("backup:ListBackupVaults", "/backup-vaults/", "maxResults"),
        get("backup:ListRecoveryPointsByBackupVault", "/backup-vaults/{}/recovery-points/", "maxResults"),
        get("backup:GetBackupVaultAccessPolicy", "/backup-vaults/{}/access-policy", ""),
        get("backup:ListRecoveryPointsByResource", "/resources/{}/recovery-points", ""),
        get("backup:ListLegalHolds", "/legal-holds/", "maxResults"),
        get("backup:ListRecoveryPointsByLegalHold", "/legal-holds/{}/recovery-points", "maxResults"),
        get("backup:ListRestoreJobs", "/restore-jobs/", "maxResults"),
        get("elasticfilesystem:DescribeFileSystems", "/2015-02-01/file-systems", "MaxItems"),
        get("elasticfilesystem:DescribeFileSystemPolicy", "/2015-02-01/file-systems/{}/policy", ""),
        get(
            "elasticfilesystem:DescribeReplicationConfigurations",
            "/2015-02-01/file-systems/replication-configurations",
            "",
        ),
        target("fsx:DescribeFileSystems", "AWSSimbaAPIService_v20180301.DescribeFileSystems"),
        target("fsx:DescribeBackups", "AWSSimbaAPIService_v20180301.DescribeBackups"),
        form("redshift:DescribeClusters", "DescribeClusters", REDSHIFT),
        form("redshift:DescribeClusterSnapshots", "DescribeClusterSnapshots", REDSHIFT),
        target("redshift-serverless:ListNamespaces", "RedshiftServerless.ListNamespaces"),
        target("redshift-serverless:ListWorkgroups", "RedshiftServerless.ListWorkgroups"),
        target("redshift-serverless:ListSnapshots", "RedshiftServerless.ListSnapshots"),
        target("redshift-serverless:ListRecoveryPoints", "RedshiftServerless.ListRecoveryPoints"),
        target("redshift-serverless:ListTagsForResource", "RedshiftServerless.ListTagsForResource"),
        form("elasticache:DescribeReplicationGroups", "DescribeReplicationGroups", ELASTICACHE),
        form("elasticache:DescribeCacheClusters", "DescribeCacheClusters", ELASTICACHE),
        form("elasticache:DescribeServerlessCaches", "DescribeServerlessCaches", ELASTICACHE),
        form("elasticache:DescribeSnapshots", "DescribeSnapshots", ELASTICACHE),
        form("elasticache:ListTagsForResource", "ListTagsForResource", ELASTICACHE),
        target("memorydb:DescribeClusters", "AmazonMemoryDB.DescribeClusters"),
        target("memorydb:ListTags", "AmazonMemoryDB.ListTags"),
        get("es:ListDomainNames", "/2021-01-01/domain", ""),
        get("es:DescribeDomain", "/2021-01-01/opensearch/domain/{}", ""),
        get("es:ListTags", "/2021-01-01/tags/", "arn"),
        target("ecr:DescribeRepositories", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"),
        target("ecr:GetRepositoryPolicy", "AmazonEC2ContainerRegistry_V20150921.GetRepositoryPolicy"),
        target("ecr:GetRegistryPolicy", "AmazonEC2ContainerRegistry_V20150921.GetRegistryPolicy"),
        target("ecr:DescribeRegistry", "AmazonEC2ContainerRegistry_V20150921.DescribeRegistry"),
        target("ecr:ListTagsForResource", "AmazonEC2ContainerRegistry_V20150921.ListTagsForResource"),
        get("eks:ListClusters", "/clusters", ""),
        get("eks:DescribeCluster", "/clusters/{}", ""),
        get("lambda:ListFunctions", "/2015-03-31/functions/", "MaxItems"),
        get("lambda:GetPolicy", "/2015-03-31/functions/{}/policy", ""),
        get("s3:ListAllMyBuckets", "/", "max-buckets"),
        get("s3:GetBucketLocation", "/{}", "location"),
        get("s3:GetBucketVersioning", "/{}", "versioning"),
        get("s3:GetBucketObjectLockConfiguration", "/{}", "object-lock"),
        get("s3:GetBucketPolicy", "/{}", "policy"),
        get("s3:GetBucketAcl", "/{}", "acl"),
        get("s3:GetBucketTagging", "/{}", "tagging"),
        get("s3:GetEncryptionConfiguration", "/{}", "encryption"),
        get("s3:GetLifecycleConfiguration", "/{}", "lifecycle"),
        get("s3:GetReplicationConfiguration", "/{}", "replication"),
    ],
};

/// Hosts of AWS: `<service>.<region>.amazonaws.com` and `<service>.amazonaws.com`, in China below `.cn`
/// (AWS General Reference, service endpoints).
fn own_host(host: &str) -> bool {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let Some(name) = host.strip_suffix(".amazonaws.com") else { return false };
    let plain = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    // Services of two labels.
    if ["portal.sso.", "api.ecr."].into_iter().filter_map(|service| name.strip_prefix(service)).any(plain) {
        return true;
    }
    // Two labels at most: a bucket's own host has the bucket's name in front, which anyone may choose.
    let mut labels = name.split('.');
    let service = labels.next().is_some_and(|label| SERVICES.contains(&label));
    let region = labels.next().is_none_or(plain);
    service && region && labels.next().is_none()
}

const SERVICES: [&str; 21] = [
    "sts",
    "iam",
    "rds",
    "dynamodb",
    "organizations",
    "backup",
    "kms",
    "s3",
    "ec2",
    "rbin",
    "secretsmanager",
    "elasticfilesystem",
    "fsx",
    "redshift",
    "redshift-serverless",
    "elasticache",
    "memory-db",
    "es",
    "eks",
    "lambda",
    "cloudformation",
];

/// The error codes that ask to slow down (AWS SDK reference, retry behaviour).
fn throttled(answer: &Answer) -> bool {
    const CODES: [&str; 8] = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "ProvisionedThroughputExceededException",
    ];
    answer.status == 429 || super::client::code(answer).is_some_and(|code| CODES.contains(&code.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_aws_and_no_others() {
        for host in [
            "sts.eu-west-1.amazonaws.com",
            "iam.amazonaws.com",
            "rds.cn-north-1.amazonaws.com.cn",
            "portal.sso.eu-west-1.amazonaws.com",
            "api.ecr.eu-west-1.amazonaws.com",
            "memory-db.eu-west-1.amazonaws.com",
        ] {
            assert!(own_host(host), "{host}");
        }
        for host in [
            "amazonaws.com",
            "evil.example",
            "rds.eu-west-1.amazonaws.com.evil.example",
            "my-bucket.s3.amazonaws.com",
            "x.execute-api.eu-west-1.amazonaws.com",
            "rds.a.b.amazonaws.com",
            "portal.sso.amazonaws.com",
            "x.portal.sso.eu-west-1.amazonaws.com",
            "api-ecr.eu-west-1.amazonaws.com",
            "api.ecr.a.b.amazonaws.com",
            "api.rds.eu-west-1.amazonaws.com",
            "notamazonaws.com",
        ] {
            assert!(!own_host(host), "{host}");
        }
    }

    #[test]
    fn no_operation_writes() {
        for read in READS.list {
            let name = read.operation.split(':').nth(1).unwrap();
            assert!(
                read.issues()
                    || read.proves()
                    || ["Get", "List", "Describe", "Simulate"].iter().any(|verb| name.starts_with(verb)),
                "{name}"
            );
            if let Shape::Form { action, .. } = read.shape {
                assert_eq!(action, name);
            }
        }
    }
}
