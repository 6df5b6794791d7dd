//! The keys that data is encrypted with (KMS API reference: `DescribeKey`, `GetKeyPolicy`).

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::iam::{Kind, Policy};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Asset, Class};
use serde_json::{Value, json};

use super::{Desk, Read, Scene, at_once};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::rights::ResourcePolicy;

const DESCRIBE: &str = "kms:DescribeKey";
const POLICY: &str = "kms:GetKeyPolicy";

/// What a name of a key turned out to be.
enum Named {
    /// A key of AWS: "You cannot ... schedule their deletion" (KMS Developer Guide, `concepts`).
    OfAws,
    /// This key, by ARN.
    Key(String),
}

/// Describes the keys that assets and copies named. Whoever destroys one destroys what stands behind it.
pub(super) fn describe_all(scene: &Scene<'_>, all: &mut Read) {
    let names: Vec<String> = all.keys.keys().cloned().collect();
    let read = at_once(&names, |name| {
        let mut desk = scene.desk(region(name));
        let named = resolve(&mut desk, name);
        (named, desk.done())
    });
    let mut meant: BTreeMap<NodeId, Option<NodeId>> = BTreeMap::new();
    let mut keys: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
    for (name, (named, read)) in names.into_iter().zip(read) {
        all.join(read);
        let behind = all.keys.remove(&name).unwrap_or_default();
        match named {
            Named::OfAws => meant.insert(NodeId(name), None),
            Named::Key(arn) => {
                keys.entry(arn.clone()).or_default().extend(behind);
                meant.insert(NodeId(name), Some(NodeId(arn)))
            }
        };
    }
    for copy in &mut all.facts.copies {
        let needs = std::mem::take(&mut copy.needs).into_iter();
        copy.needs = needs.filter_map(|need| meant.get(&need).cloned().unwrap_or(Some(need))).collect();
    }
    let keys: Vec<(String, Vec<NodeId>)> = keys.into_iter().collect();
    let read = at_once(&keys, |(arn, behind)| {
        let mut desk = scene.desk(region(arn));
        one(&mut desk, arn, behind);
        desk.done()
    });
    read.into_iter().for_each(|one| all.join(one));
}

fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

fn call(client: &Client<'_>, target: &str, body: &Value) -> Result<Value, Fault> {
    client.target("kms", target, "1.1", body)
}

/// The key behind a name, which may be an alias; the name itself, if that is not told.
fn resolve(desk: &mut Desk<'_>, name: &str) -> Named {
    let by_id = json!({ "KeyId": name });
    let answer = desk.ask(DESCRIBE, Some(name), |client| call(client, "TrentService.DescribeKey", &by_id));
    let text = |at: &str| answer.as_ref().ok().and_then(|answer| answer.pointer(at)?.as_str().map(str::to_owned));
    if text("/KeyMetadata/KeyManager").as_deref() == Some("AWS") {
        return Named::OfAws;
    }
    let arn = text("/KeyMetadata/Arn").filter(|arn| arn.starts_with("arn:") && arn.contains(":key/"));
    Named::Key(arn.unwrap_or_else(|| name.to_owned()))
}

fn one(desk: &mut Desk<'_>, arn: &str, behind: &[NodeId]) {
    let body = json!({ "KeyId": arn, "PolicyName": "default" });
    let answer = desk.ask(POLICY, Some(arn), |client| call(client, "TrentService.GetKeyPolicy", &body));
    let text = answer.ok().and_then(|answer| answer.get("Policy").and_then(Value::as_str).map(str::to_owned));
    let document = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let policy = document.and_then(|document| Policy::new(&document, Kind::Resource).ok());
    let id = NodeId(arn.to_owned());
    desk.destroyers(&id, "key");
    let policy = policy.map_or(ResourcePolicy::NotKnown("key's policy"), ResourcePolicy::Read);
    desk.holdings.policies.insert(id.clone(), policy);
    asset(desk, id, format!("key {}", arn.rsplit('/').next().unwrap_or(arn)), behind.to_vec());
}

/// Adds a key that nobody told of, but which may be there: what stands behind it may be destroyed by way of it.
pub(super) fn not_read(desk: &mut Desk<'_>, of: &NodeId, name: &str) {
    let id = NodeId(format!("{of}#key"));
    let partition = of.as_str().split(':').nth(1).unwrap_or("aws");
    let prefix = format!("arn:{partition}:kms:{}:{}:key/", desk.region, desk.account);
    for action in ["kms:ScheduleKeyDeletion", "kms:DeleteImportedKeyMaterial", "kms:PutKeyPolicy"] {
        desk.also_below(&id, action, &prefix);
    }
    desk.holdings.policies.insert(id.clone(), ResourcePolicy::NotKnown("policy of the key that it may have"));
    asset(desk, id, format!("the key of {name}, which was not read"), vec![of.clone()]);
}

fn asset(desk: &mut Desk<'_>, id: NodeId, name: String, behind: Vec<NodeId>) {
    let gap = desk.facts.doubt(desk.account, "a key belongs to the environments of what it encrypts");
    let source = desk.facts.source(DESCRIBE, &format!("{}/{id}", desk.scope()));
    desk.facts.assets.push(Asset {
        id,
        provider: "aws".to_owned(),
        kind: "key".to_owned(),
        class: Class::Key,
        name,
        parent: Some(desk.parent.clone()),
        environment: Fact::Unknown(gap),
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Known(Listed::Complete),
        behind,
        holds: None,
        sources: vec![source],
    });
}
