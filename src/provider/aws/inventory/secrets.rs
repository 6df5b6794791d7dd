//! Secrets of Secrets Manager and their replicas (Secrets Manager API reference: `ListSecrets`, `DescribeSecret`,
//! `GetResourcePolicy`, `DeleteSecret`, `ReplicateSecretToRegions`). What a secret says is never asked for.
//!
//! A secret that is deleted with a window can be restored within it, but the caller chooses: `ForceDeleteWithoutRecovery`
//! leaves none. A policy may refuse that by condition, which leaves the answer in doubt. A replica follows its secret, so
//! that it is no copy.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::model::{Basis, Class};
use serde_json::{Value, json};

use super::parts::{Guard, Listing, arn, own_policy, tags, text};
use super::{Desk, Seen, one_call};
use crate::provider::aws::partition;
use crate::provider::aws::rights::Opens;

const LIST: &str = "secretsmanager:ListSecrets";
const DESCRIBE: &str = "secretsmanager:DescribeSecret";
const DELETE: &str = "secretsmanager:DeleteSecret";
const REMOVE: &str = "secretsmanager:RemoveRegionsFromReplication";
const STOP: &str = "secretsmanager:StopReplicationToReplica";
const REPLICATE: &str = "secretsmanager:ReplicateSecretToRegions";
const SECRETS: Listing = Listing {
    service: "secretsmanager",
    target: "secretsmanager.ListSecrets",
    items: "SecretList",
    next: ("NextToken", "NextToken"),
};

#[derive(Debug, PartialEq, Eq)]
struct Secret {
    arn: String,
    name: String,
    key: Option<String>,
    /// The Region of which it is a replica, or its own.
    primary: Option<String>,
    tags: BTreeMap<String, String>,
}

fn secret(value: &Value) -> Option<Secret> {
    Some(Secret {
        arn: arn(value, "ARN")?,
        name: text(value, "Name")?,
        key: text(value, "KmsKeyId"),
        primary: text(value, "PrimaryRegion"),
        tags: tags(value.get("Tags"), "Key", "Value"),
    })
}

/// Lists the secrets of the desk's Region. Those that are deleted already, and wait for it, are not among them.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let body = json!({ "MaxResults": 100 });
    match desk.ask(LIST, None, |client| SECRETS.read(client, &body, secret)) {
        Ok(secrets) => secrets.iter().for_each(|secret| one(desk, secret)),
        Err(gap) => desk.unlisted.push(gap),
    }
}

fn one(desk: &mut Desk<'_>, secret: &Secret) {
    let by_id = json!({ "SecretId": secret.arn });
    let policy = desk.ask("secretsmanager:GetResourcePolicy", Some(&secret.name), |client| {
        let answer = client.target("secretsmanager", "secretsmanager.GetResourcePolicy", "1.1", &by_id)?;
        // An answer is one that says whose policy it is.
        arn(&answer, "ARN").ok_or_else(super::Fault::malformed)?;
        Ok(text(&answer, "ResourcePolicy"))
    });
    let replica = secret.primary.as_deref().filter(|primary| *primary != desk.region);
    let primary = replica.map(|region| of_region(&secret.arn, region));
    let id = desk.asset(Seen {
        arn: &secret.arn,
        kind: if primary.is_some() { "secret_replica" } else { "secret" },
        class: Class::Key,
        name: &format!("secret {}", secret.name),
        tags: &secret.tags,
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Known(Listed::Complete),
        holds: replica.map(|region| format!("a replica of {region}")),
        operation: LIST,
        key: secret.key.as_deref(),
        policy: own_policy(&policy, "secret's policy"),
    });
    desk.policy_calls(
        &id,
        &[("secretsmanager:PutResourcePolicy", Opens::Gives), ("secretsmanager:DeleteResourcePolicy", Opens::Frees)],
    );
    // One of the same name in another Region may be replicated over it.
    desk.also_below(&id, REPLICATE, &format!("arn:{}:secretsmanager:", partition(desk.region)));
    if let Some(primary) = primary {
        desk.also(&id, DELETE, &secret.arn);
        for action in [REMOVE, "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret"] {
            desk.also(&id, action, &primary);
        }
        return;
    }
    desk.also(&id, REMOVE, &secret.arn);
    let replicated = desk.ask(DESCRIBE, Some(&secret.name), |client| {
        let answer = client.target("secretsmanager", "secretsmanager.DescribeSecret", "1.1", &by_id)?;
        replicated(&answer).ok_or_else(super::Fault::malformed)
    });
    let regions = replicated.as_ref().cloned().unwrap_or_default();
    let replicated = replicated.map(|regions| !regions.is_empty());
    for region in &regions {
        desk.also(&id, STOP, &of_region(&secret.arn, region));
    }
    let said = match &replicated {
        Ok(true) => "it has replicas in other Regions",
        Ok(false) => "it has no replicas",
        Err(_) => "whether it has replicas was not read",
    };
    desk.guard(
        &id,
        Guard {
            name: "replicated",
            kind: "a secret with replicas is not deleted",
            covers: &[DELETE],
            enabled: replicated.map_or_else(Fact::Unknown, Fact::Known),
            lifts: vec![
                one_call(REMOVE, &id, "remove its replicas first"),
                one_call(STOP, &id, "make secrets of their own of its replicas first"),
            ],
            basis: Basis::Observed,
            because: said.to_owned(),
            operation: LIST,
        },
    );
}

/// The Regions in which a secret has replicas. A secret without any has no such member.
fn replicated(answer: &Value) -> Option<Vec<String>> {
    arn(answer, "ARN")?;
    match answer.get("ReplicationStatus") {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(replicas)) => replicas.iter().map(|one| text(one, "Region")).collect(),
        Some(_) => None,
    }
}

/// The ARN of the same secret in another Region.
fn of_region(arn: &str, region: &str) -> String {
    let mut parts: Vec<&str> = arn.splitn(5, ':').collect();
    if let Some(place) = parts.get_mut(3) {
        *place = region;
    }
    parts.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-a1b2c3";

    #[test]
    fn secrets_and_replicas() {
        let body = json!({ "ARN": ARN, "Name": "db", "KmsKeyId": "alias/db", "PrimaryRegion": "us-east-1",
                           "Tags": [{ "Key": "env", "Value": "production" }] });
        let read = secret(&body).unwrap();
        assert_eq!((read.name.as_str(), read.key.as_deref()), ("db", Some("alias/db")));
        assert_eq!(read.tags.get("env").map(String::as_str), Some("production"));
        assert_eq!(of_region(ARN, "us-east-1"), "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-a1b2c3");
        assert_eq!(secret(&json!({ "Name": "db" })), None);
        assert_eq!(replicated(&json!({ "ARN": ARN })), Some(Vec::new()));
        let body = json!({ "ARN": ARN, "ReplicationStatus": [{ "Region": "us-east-1" }] });
        assert_eq!(replicated(&body), Some(vec!["us-east-1".to_owned()]));
        assert_eq!(replicated(&json!({ "ARN": ARN, "ReplicationStatus": [{}] })), None);
        assert_eq!(replicated(&json!({ "ARN": ARN, "ReplicationStatus": "?" })), None);
        // An answer of another shape says nothing of replicas.
        assert_eq!(replicated(&json!({})), None);
    }
}
