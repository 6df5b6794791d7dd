//! The keys that data is encrypted with (KMS API reference: `DescribeKey`, `GetKeyPolicy`).

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::iam::{Kind, Policy};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Asset, Class};
use serde_json::{Value, json};

use super::Desk;
use crate::provider::aws::rights::ResourcePolicy;

const DESCRIBE: &str = "kms:DescribeKey";
const POLICY: &str = "kms:GetKeyPolicy";

/// Describes the keys that the desk's assets and copies named. Whoever destroys one destroys what stands behind it.
pub(in crate::provider::aws) fn describe_all(desk: &mut Desk<'_>) {
    let mut of_aws = BTreeSet::new();
    for (arn, behind) in std::mem::take(&mut desk.keys) {
        if !one(desk, &arn, behind) {
            of_aws.insert(NodeId(arn));
        }
    }
    for copy in &mut desk.facts.copies {
        copy.needs.retain(|need| !of_aws.contains(need));
    }
}

/// Whether anybody can destroy it: "You cannot ... schedule their deletion" of AWS managed keys (KMS Developer Guide,
/// `concepts`).
fn one(desk: &mut Desk<'_>, arn: &str, behind: Vec<NodeId>) -> bool {
    let by_id = json!({ "KeyId": arn });
    let described =
        desk.ask(DESCRIBE, Some(arn), |client| client.target("kms", "TrentService.DescribeKey", "1.1", &by_id));
    let manager = described.as_ref().ok().and_then(|answer| answer.pointer("/KeyMetadata/KeyManager")?.as_str());
    if manager == Some("AWS") {
        return false;
    }
    let body = json!({ "KeyId": arn, "PolicyName": "default" });
    let answer = desk.ask(POLICY, Some(arn), |client| client.target("kms", "TrentService.GetKeyPolicy", "1.1", &body));
    let text = answer.ok().and_then(|answer| answer.get("Policy").and_then(Value::as_str).map(str::to_owned));
    let document = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let policy = document.and_then(|document| Policy::new(&document, Kind::Resource).ok());
    let id = NodeId(arn.to_owned());
    desk.destroyers(&id, "key");
    let policy = policy.map_or(ResourcePolicy::NotKnown("key's policy"), ResourcePolicy::Read);
    desk.holdings.policies.insert(id.clone(), policy);
    let gap = desk.facts.doubt(desk.account, "a key belongs to the environments of what it encrypts");
    let source = desk.facts.source(DESCRIBE, &format!("{}/{arn}", desk.scope()));
    desk.facts.assets.push(Asset {
        id,
        provider: "aws".to_owned(),
        kind: "key".to_owned(),
        class: Class::Key,
        name: format!("key {}", arn.rsplit('/').next().unwrap_or(arn)),
        parent: Some(desk.parent.clone()),
        environment: Fact::Unknown(gap),
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Known(Listed::Complete),
        behind,
        holds: None,
        sources: vec![source],
    });
    true
}
