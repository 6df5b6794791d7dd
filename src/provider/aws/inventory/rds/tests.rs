use super::*;
use crate::provider::aws::xml::result;
use roxmltree::Document;

fn body(action: &str, inner: &str) -> String {
    format!(
        r#"<{action}Response xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><{action}Result>{inner}</{action}Result></{action}Response>"#
    )
}

fn first<T>(body: &str, name: &str, read: fn(Node<'_, '_>) -> Option<T>) -> Option<T> {
    let document = Document::parse(body).unwrap();
    let result = result(&document).unwrap();
    list(result, name).map(read).next().unwrap()
}

#[test]
fn clusters_and_their_snapshots() {
    let inner = "<DBClusters><DBCluster><DBClusterIdentifier>c</DBClusterIdentifier>\
                 <DBClusterArn>arn:aws:rds:eu-west-1:111122223333:cluster:c</DBClusterArn><Engine>aurora-postgresql</Engine>\
                 <DbClusterResourceId>cluster-A</DbClusterResourceId><DeletionProtection>true</DeletionProtection>\
                 <BackupRetentionPeriod>7</BackupRetentionPeriod><TagList><Tag><Key>env</Key><Value>staging</Value></Tag></TagList>\
                 </DBCluster></DBClusters>";
    let cluster = first(&body("DescribeDBClusters", inner), "DBClusters", clusters::cluster).unwrap();
    assert_eq!((cluster.name.as_str(), cluster.protected, cluster.retention), ("c", Some(true), Some(7)));
    assert_eq!(cluster.tags.get("env").map(String::as_str), Some("staging"));
    let snapshot = |of: &str, kind: &str, status: &str| {
        let inner = format!(
            "<DBClusterSnapshots><DBClusterSnapshot><DBClusterSnapshotIdentifier>s</DBClusterSnapshotIdentifier>\
             <DBClusterIdentifier>c</DBClusterIdentifier><DbClusterResourceId>{of}</DbClusterResourceId><Status>{status}</Status>\
             <SnapshotType>{kind}</SnapshotType><SnapshotCreateTime>2026-11-01T00:00:00Z</SnapshotCreateTime>\
             <DBClusterSnapshotArn>arn:aws:rds:eu-west-1:111122223333:cluster-snapshot:s</DBClusterSnapshotArn>\
             </DBClusterSnapshot></DBClusterSnapshots>"
        );
        let read =
            first(&body("DescribeDBClusterSnapshots", &inner), "DBClusterSnapshots", clusters::snapshot).unwrap();
        read.is_of(&cluster.name, cluster.number.as_deref())
    };
    assert!(snapshot("cluster-A", "manual", "available"));
    // Of an older cluster of that name; gone with the cluster; not whole yet.
    assert!(!snapshot("cluster-B", "manual", "available"));
    assert!(!snapshot("cluster-A", "automated", "available"));
    assert!(!snapshot("cluster-A", "manual", "creating"));
}

#[test]
fn an_item_without_its_arn_is_none() {
    let inner = "<DBClusters><DBCluster><DBClusterIdentifier>c</DBClusterIdentifier></DBCluster></DBClusters>";
    assert_eq!(first(&body("DescribeDBClusters", inner), "DBClusters", clusters::cluster), None);
}

/// RDS API reference, `DBInstance` and `DBCluster`: a replica names its source by its name, or by its ARN in another Region.
#[test]
fn what_a_replica_is_of() {
    let instance = |field: &str| {
        let inner = format!(
            "<DBInstances><DBInstance><DBInstanceIdentifier>i</DBInstanceIdentifier>\
             <DBInstanceArn>arn:aws:rds:eu-west-1:111122223333:db:i</DBInstanceArn>{field}</DBInstance></DBInstances>"
        );
        first(&body("DescribeDBInstances", &inner), "DBInstances", instance).unwrap().source
    };
    let there = "arn:aws:rds:us-east-1:111122223333:db:there";
    let named = |name: &str, to: &str| instance(&format!("<{name}>{to}</{name}>"));
    let of = "ReadReplicaSourceDBInstanceIdentifier";
    assert_eq!(named(of, "here").as_deref(), Some("arn:aws:rds:eu-west-1:111122223333:db:here"));
    assert_eq!(named(of, there).as_deref(), Some(there));
    let of = "ReadReplicaSourceDBClusterIdentifier";
    assert_eq!(named(of, "c").as_deref(), Some("arn:aws:rds:eu-west-1:111122223333:cluster:c"));
    assert_eq!(instance(""), None);
    let primary = "arn:aws:rds:us-east-1:111122223333:cluster:primary";
    let inner = format!(
        "<DBClusters><DBCluster><DBClusterIdentifier>c</DBClusterIdentifier>\
         <DBClusterArn>arn:aws:rds:eu-west-1:111122223333:cluster:c</DBClusterArn>\
         <ReplicationSourceIdentifier>{primary}</ReplicationSourceIdentifier></DBCluster></DBClusters>"
    );
    let cluster = first(&body("DescribeDBClusters", &inner), "DBClusters", clusters::cluster).unwrap();
    assert_eq!(cluster.source.as_deref(), Some(primary));
}
