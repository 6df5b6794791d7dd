//! Clusters of EKS (EKS API reference: `ListClusters`, `DescribeCluster`, `DeleteCluster`). What lies in a cluster, and who
//! may delete it by the interface of Kubernetes, is not read here; whoever may let itself in may be one of them.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::model::Class;
use serde_json::Value;

use super::parts::{arn, text};
use super::{Desk, Seen};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::paged;
use crate::provider::aws::rights::ResourcePolicy;

const LIST: &str = "eks:ListClusters";
const DESCRIBE: &str = "eks:DescribeCluster";
/// What lets an identity in.
const ENTRIES: [&str; 3] = ["eks:CreateAccessEntry", "eks:UpdateAccessEntry", "eks:AssociateAccessPolicy"];

#[derive(Debug, PartialEq, Eq)]
struct Cluster {
    arn: String,
    protected: Option<bool>,
    key: Option<String>,
    tags: BTreeMap<String, String>,
}

fn cluster(answer: &Value) -> Option<Cluster> {
    let of = answer.get("cluster")?;
    let tags = of.get("tags").and_then(Value::as_object).into_iter().flatten();
    Some(Cluster {
        arn: arn(of, "arn")?,
        protected: of.get("deletionProtection").and_then(Value::as_bool),
        key: of.pointer("/encryptionConfig/0/provider").and_then(|of| text(of, "keyArn")),
        tags: tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect(),
    })
}

/// A name: letters, digits, `-` and `_` (`CreateCluster`).
fn name(value: &Value) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    value.as_str().filter(|name| !name.is_empty() && name.bytes().all(plain)).map(str::to_owned)
}

fn names(client: &Client<'_>) -> Result<Vec<String>, Fault> {
    paged("clusters", "nextToken", name, |token| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("maxResults", "100");
        query.extend_pairs(token.map(|token| ("nextToken", token)));
        client.get("eks", &format!("/clusters?{}", query.finish()))
    })
}

/// Lists the clusters of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    match desk.ask(LIST, None, names) {
        Ok(names) => names.iter().for_each(|name| one(desk, name)),
        Err(gap) => desk.unlisted.push(gap),
    }
}

fn one(desk: &mut Desk<'_>, name: &str) {
    let read = desk.ask(DESCRIBE, Some(name), |client| {
        cluster(&client.get("eks", &format!("/clusters/{name}"))?).ok_or_else(Fault::malformed)
    });
    let cluster = match read {
        Ok(cluster) => cluster,
        Err(gap) => return desk.unlisted.push(gap),
    };
    let elsewhere = desk.kept_elsewhere(name, &cluster.arn);
    let id = desk.asset(Seen {
        arn: &cluster.arn,
        kind: "cluster",
        class: Class::Cluster,
        name,
        tags: &cluster.tags,
        protections: Fact::Known(Listed::Complete),
        copies: elsewhere.map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        holds: Some("a cluster of Kubernetes".to_owned()),
        operation: LIST,
        key: cluster.key.as_deref(),
        policy: ResourcePolicy::None,
    });
    let protected = match cluster.protected {
        Some(on) => Fact::Known(on),
        None => desk.unread("a cluster's deletion protection was not in the answer"),
    };
    desk.protection(&id, "eks:DeleteCluster", protected, "eks:UpdateClusterConfig", LIST);
    // Whom it lets in already, its access entries and its own configuration say.
    desk.beside(
        &id,
        "delete what is in it by its own interface",
        "whom a cluster's own interface lets in was not read",
    );
    let entry = cluster.arn.replacen(":cluster/", ":access-entry/", 1);
    for action in ENTRIES {
        desk.also(&id, action, &cluster.arn);
        desk.also_below(&id, action, &format!("{entry}/"));
        desk.perhaps_after(
            &id,
            action,
            "let itself into it and delete what is in it",
            "what a cluster's own interface refuses was not read",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn clusters() {
        let body = json!({ "cluster": { "arn": "arn:aws:eks:eu-west-1:111122223333:cluster/c", "deletionProtection": true,
            "encryptionConfig": [{ "provider": { "keyArn": "arn:aws:kms:eu-west-1:111122223333:key/1" } }], "tags": { "env": "prod" } } });
        let read = cluster(&body).unwrap();
        assert_eq!((read.protected, read.tags.len(), read.key.is_some()), (Some(true), 1, true));
        assert_eq!(cluster(&json!({ "cluster": {} })), None);
        assert_eq!(name(&json!("../x")), None);
    }
}
