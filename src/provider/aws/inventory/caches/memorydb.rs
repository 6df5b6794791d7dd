//! Clusters of `MemoryDB`.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::model::Class;
use serde_json::{Value, json};

use super::super::parts::{Listing, arn, tags, text};
use super::super::{Desk, Seen};
use crate::provider::aws::rights::ResourcePolicy;

const LIST: &str = "memorydb:DescribeClusters";
const CLUSTERS: Listing = Listing {
    service: "memorydb",
    target: "AmazonMemoryDB.DescribeClusters",
    items: "Clusters",
    next: ("NextToken", "NextToken"),
};

#[derive(Debug, PartialEq, Eq)]
struct Cluster {
    arn: String,
    name: String,
    key: Option<String>,
}

fn cluster(value: &Value) -> Option<Cluster> {
    Some(Cluster { arn: arn(value, "ARN")?, name: text(value, "Name")?, key: text(value, "KmsKeyId") })
}

/// Lists the clusters of the desk's Region.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    match desk.ask(LIST, None, |client| CLUSTERS.read(client, &json!({}), cluster)) {
        Ok(clusters) => clusters.iter().for_each(|cluster| one(desk, cluster)),
        Err(gap) => desk.unlisted.push(gap),
    }
}

fn one(desk: &mut Desk<'_>, cluster: &Cluster) {
    let tags = marks(desk, cluster);
    // A snapshot names its cluster, and a name may be used again; when a cluster was made, AWS does not tell.
    let copies = desk.unread("of which cluster of a name a snapshot is was not read");
    let id = desk.asset(Seen {
        arn: &cluster.arn,
        kind: "memorydb_cluster",
        class: Class::Store,
        name: &cluster.name,
        tags: &tags,
        protections: Fact::Known(Listed::Complete),
        copies,
        holds: None,
        operation: LIST,
        key: cluster.key.as_deref(),
        policy: ResourcePolicy::None,
    });
    desk.beside(&id, super::EMPTY, super::REACHED);
}

fn marks(desk: &mut Desk<'_>, cluster: &Cluster) -> BTreeMap<String, String> {
    let body = json!({ "ResourceArn": cluster.arn });
    let answer = desk.ask("memorydb:ListTags", Some(&cluster.name), |client| {
        client.target("memorydb", "AmazonMemoryDB.ListTags", "1.1", &body)
    });
    answer.map(|answer| tags(answer.get("TagList"), "Key", "Value")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters() {
        let body = json!({ "Name": "c", "ARN": "arn:aws:memorydb:eu-west-1:111122223333:cluster/c", "KmsKeyId": "k" });
        assert_eq!(cluster(&body).unwrap().key.as_deref(), Some("k"));
        assert_eq!(cluster(&json!({ "Name": "c" })), None);
    }
}
