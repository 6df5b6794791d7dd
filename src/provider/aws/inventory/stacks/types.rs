//! Which calls `CloudFormation` makes on a resource: to delete it, and where an update changes it (the handlers of each type in
//! the schemas that `CloudFormation` publishes for it).

/// A type of resource.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: &'static str,
    /// The service in its ARN.
    service: &'static str,
    /// What stands before its name there.
    before: &'static str,
    pub(super) deletes: &'static [&'static str],
    pub(super) changes: &'static [&'static str],
    /// What else decides whether it goes with its stack.
    pub(super) doubt: Option<&'static str>,
}

const fn of(
    name: &'static str,
    (service, before): (&'static str, &'static str),
    deletes: &'static [&'static str],
    changes: &'static [&'static str],
) -> Type {
    Type { name, service, before, deletes, changes, doubt: None }
}

const CLUSTER: (&str, &str) = ("rds", "cluster:");
const DELETE_CLUSTER: &[&str] = &["rds:DeleteDBCluster"];
const MODIFY_CLUSTER: &[&str] = &["rds:ModifyDBCluster"];
const TABLE: (&str, &str) = ("dynamodb", "table/");
const DELETE_TABLE: &[&str] = &["dynamodb:DeleteTable"];
const UPDATE_TABLE: &[&str] =
    &["dynamodb:UpdateTable", "dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTimeToLive"];

/// Types of which something is listed.
const TYPES: [Type; 25] = [
    of("AWS::RDS::DBInstance", ("rds", "db:"), &["rds:DeleteDBInstance"], &["rds:ModifyDBInstance"]),
    of("AWS::RDS::DBCluster", CLUSTER, DELETE_CLUSTER, MODIFY_CLUSTER),
    of("AWS::DocDB::DBCluster", CLUSTER, DELETE_CLUSTER, MODIFY_CLUSTER),
    of("AWS::Neptune::DBCluster", CLUSTER, DELETE_CLUSTER, MODIFY_CLUSTER),
    of("AWS::DynamoDB::Table", TABLE, DELETE_TABLE, UPDATE_TABLE),
    of("AWS::DynamoDB::GlobalTable", TABLE, DELETE_TABLE, UPDATE_TABLE),
    of(
        "AWS::S3::Bucket",
        ("s3", ""),
        &["s3:DeleteBucket"],
        &["s3:PutLifecycleConfiguration", "s3:PutBucketVersioning", "s3:PutReplicationConfiguration"],
    ),
    of(
        "AWS::EFS::FileSystem",
        ("elasticfilesystem", "file-system/"),
        &["elasticfilesystem:DeleteFileSystem", "elasticfilesystem:DeleteReplicationConfiguration"],
        &["elasticfilesystem:PutFileSystemPolicy", "elasticfilesystem:DeleteFileSystemPolicy"],
    ),
    of("AWS::FSx::FileSystem", ("fsx", "file-system/"), &["fsx:DeleteFileSystem"], &["fsx:UpdateFileSystem"]),
    of("AWS::EC2::Volume", ("ec2", "volume/"), &["ec2:DeleteVolume"], &[]),
    of("AWS::EC2::Instance", ("ec2", "instance/"), &["ec2:TerminateInstances"], &["ec2:ModifyInstanceAttribute"]),
    of(
        "AWS::SecretsManager::Secret",
        ("secretsmanager", "secret:"),
        &["secretsmanager:DeleteSecret", "secretsmanager:RemoveRegionsFromReplication"],
        &["secretsmanager:UpdateSecret"],
    ),
    of("AWS::KMS::Key", ("kms", "key/"), &["kms:ScheduleKeyDeletion"], &["kms:PutKeyPolicy"]),
    of("AWS::KMS::ReplicaKey", ("kms", "key/"), &["kms:ScheduleKeyDeletion"], &["kms:PutKeyPolicy"]),
    // Its ARN has an id that the stack does not know, so that none is found, which is in doubt.
    of(
        "AWS::RedshiftServerless::Namespace",
        ("redshift-serverless", "namespace/"),
        &["redshift-serverless:DeleteNamespace"],
        &["redshift-serverless:UpdateNamespace"],
    ),
    of("AWS::Redshift::Cluster", ("redshift", "cluster:"), &["redshift:DeleteCluster"], &["redshift:ModifyCluster"]),
    of(
        "AWS::ElastiCache::ReplicationGroup",
        ("elasticache", "replicationgroup:"),
        &["elasticache:DeleteReplicationGroup"],
        &["elasticache:ModifyReplicationGroup"],
    ),
    of(
        "AWS::ElastiCache::CacheCluster",
        ("elasticache", "cluster:"),
        &["elasticache:DeleteCacheCluster"],
        &["elasticache:ModifyCacheCluster", "elasticache:RebootCacheCluster"],
    ),
    of(
        "AWS::ElastiCache::ServerlessCache",
        ("elasticache", "serverlesscache:"),
        &["elasticache:DeleteServerlessCache"],
        &["elasticache:ModifyServerlessCache"],
    ),
    of("AWS::MemoryDB::Cluster", ("memorydb", "cluster/"), &["memorydb:DeleteCluster"], &["memorydb:UpdateCluster"]),
    of("AWS::OpenSearchService::Domain", ("es", "domain/"), &["es:DeleteDomain"], &["es:UpdateDomainConfig"]),
    of("AWS::Elasticsearch::Domain", ("es", "domain/"), &["es:DeleteElasticsearchDomain"], &[]),
    Type {
        doubt: Some("whether its template has a repository emptied before it is deleted was not read"),
        ..of("AWS::ECR::Repository", ("ecr", "repository/"), &["ecr:DeleteRepository"], &["ecr:PutLifecyclePolicy"])
    },
    of("AWS::EKS::Cluster", ("eks", "cluster/"), &["eks:DeleteCluster"], &["eks:UpdateClusterConfig"]),
    of(
        "AWS::Backup::BackupVault",
        ("backup", "backup-vault:"),
        &["backup:DeleteBackupVault"],
        &["backup:DeleteBackupVaultLockConfiguration", "backup:PutBackupVaultAccessPolicy"],
    ),
];

/// A type by its name.
pub(super) fn named(name: &str) -> Option<&'static Type> {
    TYPES.iter().find(|one| one.name == name)
}

impl Type {
    /// The ARN of one of a stack, by what the stack calls it.
    pub(super) fn arn(&self, stack: &str, physical: &str) -> Option<String> {
        let parts: Vec<&str> = stack.splitn(6, ':').collect();
        let [prefix, partition, _, region, account, _] = parts.as_slice() else { return None };
        if physical.starts_with("arn:") {
            return Some(physical.to_owned());
        }
        // A bucket's ARN has neither; names of RDS and of `ElastiCache` are kept in lower case.
        Some(match self.service {
            "s3" => format!("{prefix}:{partition}:s3:::{physical}"),
            service @ ("rds" | "elasticache") => {
                format!("{prefix}:{partition}:{service}:{region}:{account}:{}{}", self.before, physical.to_lowercase())
            }
            service => format!("{prefix}:{partition}:{service}:{region}:{account}:{}{physical}", self.before),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deadstop_core::catalogue;

    /// What deletes a resource is in the catalogue, so that a path shows what is lost by it.
    #[test]
    fn what_deletes_is_in_the_catalogue() {
        let actions = catalogue::actions();
        for one in &TYPES {
            let first = one.deletes.first().unwrap();
            assert!(actions.iter().any(|action| action.provider == "aws" && action.action == *first), "{}", one.name);
        }
    }

    #[test]
    fn names_become_arns() {
        let stack = "arn:aws-cn:cloudformation:cn-north-1:111122223333:stack/shop/51af3dc0-da77-11e4-872e-1234567db123";
        let arn = |name: &str, physical: &str| named(name).unwrap().arn(stack, physical).unwrap();
        assert_eq!(arn("AWS::RDS::DBInstance", "Orders"), "arn:aws-cn:rds:cn-north-1:111122223333:db:orders");
        let cache = "arn:aws-cn:elasticache:cn-north-1:111122223333:cluster:carts";
        assert_eq!(arn("AWS::ElastiCache::CacheCluster", "Carts"), cache);
        assert_eq!(arn("AWS::S3::Bucket", "media"), "arn:aws-cn:s3:::media");
        let secret = "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:db-a1b2c3";
        assert_eq!(arn("AWS::SecretsManager::Secret", secret), secret);
        assert!(named("AWS::Lambda::Function").is_none());
        assert_eq!(named("AWS::S3::Bucket").unwrap().arn("shop", "media"), None);
    }
}
