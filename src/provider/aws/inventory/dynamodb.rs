//! DynamoDB tables, with deletion protection, point-in-time recovery and backups (DynamoDB API reference: `DescribeTable`,
//! `DescribeContinuousBackups`, `ListBackups`; Developer Guide: `PointInTimeRecovery_Howitworks`).

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::iam::{Kind, Policy};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Basis, Class, Copy, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde_json::{Value, json};

use super::parts::{text, time};
use super::{DRILLS, Desk, Seen, one_call};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::paged;
use crate::provider::aws::rights::{Opens, ResourcePolicy};

const TABLE: &str = "dynamodb:DescribeTable";
const PITR: &str = "dynamodb:DescribeContinuousBackups";
const BACKUPS: &str = "dynamodb:ListBackups";
/// "LatestRestorableDateTime is typically 5 minutes before the current time" (API reference).
const LAG: Span = Span(300);

/// Lists the tables of the desk's region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    match desk.ask("dynamodb:ListTables", None, names) {
        Ok(names) => names.iter().for_each(|name| one(desk, name)),
        Err(gap) => desk.unlisted.push(gap),
    }
}

fn call(client: &Client<'_>, operation: &str, body: &Value) -> Result<Value, Fault> {
    client.target("dynamodb", &format!("DynamoDB_20120810.{operation}"), "1.0", body)
}

fn names(client: &Client<'_>) -> Result<Vec<String>, Fault> {
    let name = |one: &Value| one.as_str().map(str::to_owned);
    paged("TableNames", "LastEvaluatedTableName", name, |from| {
        let body = from.map_or_else(|| json!({}), |from| json!({ "ExclusiveStartTableName": from }));
        call(client, "ListTables", &body)
    })
}

fn one(desk: &mut Desk<'_>, name: &str) {
    let by_name = json!({ "TableName": name });
    let described = desk.ask(TABLE, Some(name), |client| call(client, "DescribeTable", &by_name));
    let described = match described {
        Ok(answer) => answer,
        Err(gap) => return desk.unlisted.push(gap),
    };
    let table = described.get("Table").unwrap_or(&Value::Null);
    let Some(arn) = table.get("TableArn").and_then(Value::as_str).filter(|arn| arn.starts_with("arn:")) else {
        let fault = Fault::malformed();
        let gap = desk.facts.refused(TABLE, &format!("{}/{name}", desk.scope()), &fault);
        return desk.unlisted.push(gap);
    };
    let backups = desk.ask(BACKUPS, Some(name), |client| backups(client, name));
    let pitr = desk.ask(PITR, Some(name), |client| call(client, "DescribeContinuousBackups", &by_name));
    let copies = backups.as_ref().err().or(pitr.as_ref().err()).cloned();
    let gibibytes = table.get("TableSizeBytes").and_then(Value::as_u64).map(|bytes| bytes >> 30);
    let items = table.get("ItemCount").and_then(Value::as_u64);
    let key = table.pointer("/SSEDescription/KMSMasterKeyArn").and_then(Value::as_str);
    // A name may be used again; what is kept of an older table is no copy of this one.
    let number = table.get("TableId").and_then(Value::as_str);
    let (tags, policy) = (tags(desk, name, arn), policy(desk, name, arn));
    let id = desk.asset(Seen {
        arn,
        kind: "table",
        class: Class::Database,
        name,
        tags: &tags,
        protections: Fact::Known(Listed::Complete),
        copies: copies.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: items.map(|items| format!("about {items} items, {} GiB", gibibytes.unwrap_or_default())),
        operation: "dynamodb:ListTables",
        key,
        policy,
    });
    let protected = match table.get("DeletionProtectionEnabled") {
        Some(Value::Bool(on)) => Fact::Known(*on),
        _ => Fact::Unknown(desk.facts.doubt(desk.account, "a table's deletion protection was not in the answer")),
    };
    desk.policy_calls(
        &id,
        &[("dynamodb:PutResourcePolicy", Opens::Gives), ("dynamodb:DeleteResourcePolicy", Opens::Frees)],
    );
    // What is written to a replica is written to all of them (DynamoDB Developer Guide, `GlobalTables`).
    let replicas = table.get("Replicas").and_then(Value::as_array).into_iter().flatten();
    for replica in replicas.filter_map(|replica| replica_arn(replica, arn)).filter(|replica| replica != arn) {
        for action in ITEMS {
            desk.also(&id, action, &replica);
        }
    }
    let scope = format!("{}/{name}", desk.scope());
    desk.facts.source(TABLE, &scope);
    desk.protection(&id, "dynamodb:DeleteTable*", protected, "dynamodb:UpdateTable", "dynamodb:ListTables");
    let key: Vec<NodeId> = key.map(NodeId::from).into_iter().collect();
    if let Ok(answer) = &pitr {
        continuous(desk, answer, &id, name, &key);
    }
    for backup in
        backups.iter().flatten().filter(|one| one.available && number.is_some() && one.table.as_deref() == number)
    {
        backup.state(desk, &id, name, &key);
    }
}

/// The ARN of a replica, which may be of another account; by default the table's, in another Region (`ReplicaDescription`).
fn replica_arn(replica: &Value, table: &str) -> Option<String> {
    if let Some(arn) = text(replica, "ReplicaArn").filter(|arn| arn.starts_with("arn:")) {
        return Some(arn);
    }
    let region = text(replica, "RegionName")?;
    let mut parts: Vec<&str> = table.splitn(5, ':').collect();
    *parts.get_mut(3)? = &region;
    Some(parts.join(":"))
}

/// What destroys items, by whichever replica.
const ITEMS: [&str; 7] = [
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLUpdate",
    "dynamodb:UpdateTimeToLive",
];

fn tags(desk: &mut Desk<'_>, name: &str, arn: &str) -> BTreeMap<String, String> {
    let body = json!({ "ResourceArn": arn });
    let answer =
        desk.ask("dynamodb:ListTagsOfResource", Some(name), |client| call(client, "ListTagsOfResource", &body));
    let list = answer.ok().and_then(|answer| answer.get("Tags").and_then(Value::as_array).cloned()).unwrap_or_default();
    let text = |tag: &Value, key: &str| tag.get(key).and_then(Value::as_str).map(str::to_owned);
    list.iter().filter_map(|tag| Some((text(tag, "Key")?, text(tag, "Value")?))).collect()
}

/// The table's own policy, which may allow or refuse beside those of identities.
fn policy(desk: &mut Desk<'_>, name: &str, arn: &str) -> ResourcePolicy {
    let body = json!({ "ResourceArn": arn });
    let answer =
        desk.ask("dynamodb:GetResourcePolicy", Some(name), |client| match call(client, "GetResourcePolicy", &body) {
            Err(fault) if fault.says(&["PolicyNotFoundException"]) => Ok(Value::Null),
            other => other,
        });
    let Ok(answer) = answer else { return ResourcePolicy::NotKnown("table's policy") };
    if answer.is_null() {
        return ResourcePolicy::None;
    }
    let document = answer.get("Policy").and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    let policy = document.and_then(|document: Value| Policy::new(&document, Kind::Resource).ok());
    policy.map_or(ResourcePolicy::NotKnown("table's policy"), ResourcePolicy::Read)
}

/// Point-in-time recovery. When a table that has it is deleted, a system backup of its last moment stays for 35 days.
fn continuous(desk: &mut Desk<'_>, answer: &Value, table: &NodeId, name: &str, key: &[NodeId]) {
    let at = "/ContinuousBackupsDescription/PointInTimeRecoveryDescription/PointInTimeRecoveryStatus";
    if answer.pointer(at).and_then(Value::as_str) != Some("ENABLED") {
        return;
    }
    let window = "/ContinuousBackupsDescription/PointInTimeRecoveryDescription/RecoveryPeriodInDays";
    let days = answer.pointer(window).and_then(Value::as_u64).unwrap_or(35);
    desk.also(table, "dynamodb:UpdateContinuousBackups", table.as_str());
    desk.also(table, "dynamodb:DeleteBackup", &format!("{table}/backup/system"));
    let source = desk.facts.source(PITR, &format!("{}/{name}", desk.scope()));
    desk.facts.copies.push(Copy {
        id: NodeId(format!("{table}#point-in-time-recovery")),
        of: table.clone(),
        kind: CopyKind::Pitr,
        name: format!("point-in-time recovery of {name}"),
        place: Some(desk.parent.clone()),
        lag: Fact::Known(LAG),
        // What deletes items goes back no further than the window; a deleted table, 35 days.
        ends: Fact::Known(End::After(Span::days(days.min(35)))),
        dies_with: Fact::Known(Vec::new()),
        destroyed_by: Fact::Known(vec![
            one_call("dynamodb:UpdateContinuousBackups", table, "switch point-in-time recovery off before the delete"),
            one_call("dynamodb:DeleteBackup", table, "delete the system backup that the delete leaves"),
        ]),
        needs: key.to_vec(),
        drills: DRILLS,
        basis: Basis::Observed,
        because: "point-in-time recovery is on, and leaves a system backup for 35 days after the table is deleted"
            .to_owned(),
        sources: vec![source],
    });
}

struct Backup {
    arn: String,
    name: String,
    at: Option<Time>,
    /// Which table of that name it is of.
    table: Option<String>,
    available: bool,
    /// Whether its vault, and not DynamoDB, keeps it.
    vaulted: bool,
}

fn backup(one: &Value) -> Option<Backup> {
    Some(Backup {
        arn: text(one, "BackupArn")?,
        name: text(one, "BackupName")?,
        at: time(one.get("BackupCreationDateTime")),
        table: text(one, "TableId"),
        available: text(one, "BackupStatus").as_deref() == Some("AVAILABLE"),
        vaulted: text(one, "BackupType").as_deref() == Some("AWS_BACKUP"),
    })
}

fn backups(client: &Client<'_>, table: &str) -> Result<Vec<Backup>, Fault> {
    paged("BackupSummaries", "LastEvaluatedBackupArn", backup, |from| {
        let mut body = json!({ "TableName": table, "BackupType": "ALL" });
        if let (Some(from), Some(body)) = (from, body.as_object_mut()) {
            body.insert("ExclusiveStartBackupArn".to_owned(), json!(from));
        }
        call(client, "ListBackups", &body)
    })
}

impl Backup {
    fn state(&self, desk: &mut Desk<'_>, table: &NodeId, of: &str, key: &[NodeId]) {
        if self.vaulted && desk.knows_vaults() {
            return;
        }
        let id = NodeId(self.arn.clone());
        let source = desk.facts.source(BACKUPS, &format!("{}/{of}", desk.scope()));
        let lag = match self.at {
            Some(at) => Fact::Known(desk.facts.at().since(at)),
            None => Fact::Unknown(desk.facts.doubt(desk.account, "a backup's time was not in the answer")),
        };
        let destroyed_by = if self.vaulted {
            Fact::Unknown(desk.facts.doubt(desk.account, "who may delete what AWS Backup keeps was not read"))
        } else {
            desk.also(&id, "dynamodb:DeleteBackup", &self.arn);
            Fact::Known(vec![one_call("dynamodb:DeleteBackup", &id, "delete the backup")])
        };
        desk.facts.copies.push(Copy {
            id,
            of: table.clone(),
            kind: CopyKind::Snapshot,
            name: format!("backup {}", self.name),
            place: Some(desk.parent.clone()),
            lag,
            ends: Fact::Known(End::Never),
            dies_with: Fact::Known(Vec::new()),
            destroyed_by,
            needs: key.to_vec(),
            drills: DRILLS,
            basis: Basis::Observed,
            because: "a backup of its own, kept when the table is deleted".to_owned(),
            sources: vec![source],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_by_their_arns() {
        let table = "arn:aws:dynamodb:eu-west-1:111122223333:table/t";
        let there = "arn:aws:dynamodb:eu-central-1:111122223333:table/t";
        assert_eq!(replica_arn(&json!({ "RegionName": "eu-central-1" }), table).as_deref(), Some(there));
        let other = "arn:aws:dynamodb:eu-central-1:444455556666:table/t";
        let replica = json!({ "RegionName": "eu-central-1", "ReplicaArn": other });
        assert_eq!(replica_arn(&replica, table).as_deref(), Some(other));
        assert_eq!(replica_arn(&json!({}), table), None);
    }
}
