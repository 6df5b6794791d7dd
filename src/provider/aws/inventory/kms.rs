//! The keys of an account, and what is encrypted with them (KMS API reference: `ListKeys`, `DescribeKey`, `GetKeyPolicy`,
//! `ListResourceTags`, `ScheduleKeyDeletion`, `DeleteImportedKeyMaterial`; Developer Guide: `deleting-keys`).
//!
//! A key that is scheduled for deletion can be saved for 7 days at least (`CancelKeyDeletion`), by whoever its policy still
//! lets in. To disable a key destroys nothing by itself, as it is enabled again by one call; but a database that has not come
//! to its key for a week is lost but for its backups (RDS User Guide, `Overview.Encryption.Keys`), so that it leaves what is
//! behind the key in doubt (`iam-onward.txt` of the core).

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::iam::{Kind, Policy};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Asset, Class, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde_json::{Value, json};

use super::parts::{Kept, Listing, tags, text, time};
use super::s3::Bucket;
use super::{AT_ONCE, Desk, Read, Scene, environment, one_call, s3};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::pages;
use crate::provider::aws::rights::ResourcePolicy;
use crate::provider::pool::at_once;

const LIST: &str = "kms:ListKeys";
const DESCRIBE: &str = "kms:DescribeKey";
const POLICY: &str = "kms:GetKeyPolicy";
const DELETE: &str = "kms:ScheduleKeyDeletion";
const MATERIAL: &str = "kms:DeleteImportedKeyMaterial";
const LOCK_OUT: &str = "kms:PutKeyPolicy";
/// "The minimum waiting period is 7 days" (`deleting-keys`): the caller chooses the least.
const WINDOW: Span = Span::days(7);

/// What a name of a key turned out to be.
enum Named {
    /// A key of AWS: "You cannot ... schedule their deletion" (KMS Developer Guide, `concepts`).
    OfAws,
    /// This key, by ARN, with what is told of it.
    Key(String, About),
}

/// What is told of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct About {
    origin: Option<String>,
    replicated: Option<bool>,
    /// When it goes, if its deletion is scheduled already.
    goes: Option<Time>,
}

fn about(answer: &Value) -> About {
    let of = answer.get("KeyMetadata").unwrap_or(&Value::Null);
    About {
        origin: text(of, "Origin"),
        // "Multi-Region keys have a distinctive key ID that begins with mrk-" (Developer Guide, `multi-region-keys-overview`).
        replicated: text(of, "KeyId").map(|id| id.starts_with("mrk-") || of.get("MultiRegion") == Some(&json!(true))),
        goes: time(of.get("DeletionDate")),
    }
}

/// Lists the keys of the desk's Region, to be described with those that data names.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    match desk.ask(LIST, None, list) {
        Ok(keys) => keys.into_iter().for_each(|key| {
            desk.keys.entry(key).or_default();
        }),
        Err(gap) => desk.unlisted.push(gap),
    }
}

/// Describes the keys that assets and copies named. Whoever destroys one destroys what stands behind it.
pub(super) fn describe_all(scene: &Scene<'_>, all: &mut Read) {
    let names: Vec<String> = all.keys.keys().cloned().collect();
    let read = at_once(AT_ONCE, &names, |name| {
        let mut desk = scene.desk(region(name));
        let named = resolve(&mut desk, name);
        (named, desk.done())
    });
    let mut meant: BTreeMap<NodeId, Option<NodeId>> = BTreeMap::new();
    let mut keys: BTreeMap<String, (Vec<NodeId>, About)> = BTreeMap::new();
    for (name, (named, read)) in names.into_iter().zip(read) {
        all.join(read);
        let behind = all.keys.remove(&name).unwrap_or_default();
        match named {
            Named::OfAws => meant.insert(NodeId(name), None),
            Named::Key(arn, about) => {
                let key = keys.entry(arn.clone()).or_default();
                key.0.extend(behind);
                key.1 = about;
                meant.insert(NodeId(name), Some(NodeId(arn)))
            }
        };
    }
    for copy in &mut all.facts.copies {
        let needs = std::mem::take(&mut copy.needs).into_iter();
        copy.needs = needs.filter_map(|need| meant.get(&need).cloned().unwrap_or(Some(need))).collect();
    }
    let keys: Vec<(String, (Vec<NodeId>, About))> = keys.into_iter().collect();
    let read = at_once(AT_ONCE, &keys, |(arn, (behind, about))| {
        let mut desk = scene.desk(region(arn));
        one(&mut desk, arn, behind, about);
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
    let about = answer.as_ref().map(about).unwrap_or_default();
    Named::Key(arn.unwrap_or_else(|| name.to_owned()), about)
}

fn one(desk: &mut Desk<'_>, arn: &str, behind: &[NodeId], about: &About) {
    let policy = policy(desk, arn).and_then(|document| Policy::new(&document, Kind::Resource).ok());
    let id = NodeId(arn.to_owned());
    // Only material that was imported can be taken away by itself.
    let imported = about.origin.as_deref() != Some("AWS_KMS");
    for action in [DELETE, LOCK_OUT].into_iter().chain(imported.then_some(MATERIAL)) {
        desk.also(&id, action, arn);
    }
    let policy = policy.map_or(ResourcePolicy::NotKnown("key's policy"), ResourcePolicy::Read);
    desk.holdings.policies.insert(id.clone(), policy);
    let named = asset(desk, id.clone(), format!("key {}", arn.rsplit('/').next().unwrap_or(arn)), behind.to_vec());
    let marked = environment(&marks(desk, arn)).map(Fact::Known);
    let elsewhere = match about {
        About { origin: Some(origin), replicated: Some(false), .. } if origin == "AWS_KMS" => None,
        About { replicated: None, .. } => Some("whether a key is there in other Regions was not read"),
        About { replicated: Some(true), .. } => {
            Some("what becomes of a key's replicas in other Regions was not worked out")
        }
        _ => Some("whether a key's material is kept outside of AWS was not read"),
    };
    let elsewhere = elsewhere.map(|why| desk.unread(why));
    if let Some(key) = desk.facts.assets.get_mut(named) {
        key.environment = marked.unwrap_or_else(|| key.environment.clone());
        key.copies = elsewhere.unwrap_or_else(|| key.copies.clone());
        key.holds = about.goes.map(|goes| format!("its deletion is scheduled for {}", goes.day()));
    }
    pending(desk, &id, about);
}

/// The days in which a scheduled deletion can be cancelled. Whoever may write the policy can lock out who might do it.
fn pending(desk: &mut Desk<'_>, key: &NodeId, about: &About) {
    let mut lifts = vec![one_call(LOCK_OUT, key, "lock out whoever may cancel it")];
    if about.origin.as_deref() != Some("AWS_KMS") {
        lifts.push(one_call(MATERIAL, key, "take the key material away at once"));
    }
    desk.keep(
        key,
        Kept {
            id: NodeId(format!("{key}#pending-deletion")),
            kind: CopyKind::GracePeriod,
            name: "the key until its deletion, which can be cancelled".to_owned(),
            lag: Fact::Known(Span(0)),
            ends: Fact::Known(about.goes.map_or(End::After(WINDOW), End::At)),
            dies_with: &[MATERIAL, LOCK_OUT],
            destroyed_by: Fact::Known(lifts),
            needs: Vec::new(),
            because: "the key is deleted 7 to 30 days after the call, and until then that can be cancelled".to_owned(),
            operation: DESCRIBE,
        },
    );
}

/// The tags of a key; none, if they cannot be read.
fn marks(desk: &mut Desk<'_>, arn: &str) -> BTreeMap<String, String> {
    let marks: Listing = Listing {
        service: "kms",
        target: "TrentService.ListResourceTags",
        items: "Tags",
        next: ("Marker", "NextMarker"),
    };
    let pair = |tag: &Value| tags(Some(&json!([tag])), "TagKey", "TagValue").into_iter().next();
    let body = json!({ "KeyId": arn });
    let read = desk.ask("kms:ListResourceTags", Some(arn), |client| marks.read(client, &body, pair));
    read.unwrap_or_default().into_iter().collect()
}

/// The policy of a key, if it can be read.
fn policy(desk: &mut Desk<'_>, arn: &str) -> Option<Value> {
    let body = json!({ "KeyId": arn, "PolicyName": "default" });
    let answer = desk.ask(POLICY, Some(arn), |client| call(client, "TrentService.GetKeyPolicy", &body)).ok()?;
    serde_json::from_str(answer.get("Policy")?.as_str()?).ok()
}

/// Adds, for each Region, whichever of its keys the objects of its buckets may be encrypted with: a bucket has a default, and
/// "you can specify" another key with every object (S3 User Guide, `specifying-kms-encryption`), which nothing but each
/// object tells. Gives the node by Region; none, where there is no key to destroy.
pub(super) fn of_objects(scene: &Scene<'_>, buckets: &[Bucket], all: &mut Read) -> BTreeMap<String, NodeId> {
    let mut regions: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
    for bucket in buckets {
        regions.entry(&bucket.region).or_default().push(NodeId(s3::arn(bucket)));
    }
    let regions: Vec<(&str, Vec<NodeId>)> = regions.into_iter().collect();
    let read = at_once(AT_ONCE, &regions, |(region, buckets)| {
        let mut desk = scene.desk(region);
        let node = any(&mut desk, buckets.clone());
        (node, desk.done())
    });
    let mut nodes = BTreeMap::new();
    for ((region, _), (node, read)) in regions.iter().zip(read) {
        all.join(read);
        nodes.extend(node.map(|node| ((*region).to_owned(), node)));
    }
    nodes
}

fn any(desk: &mut Desk<'_>, buckets: Vec<NodeId>) -> Option<NodeId> {
    let policy = match desk.ask(LIST, None, list) {
        Ok(keys) if keys.is_empty() => return None,
        Ok(keys) => together(desk, &keys),
        Err(_) => ResourcePolicy::NotKnown("list of keys"),
    };
    let id = NodeId(format!("aws:account/{}/keys/{}", desk.account, desk.region));
    destroyed(desk, &id, policy);
    asset(desk, id.clone(), format!("whichever keys of {} objects are encrypted with", desk.region), buckets);
    Some(id)
}

fn list(client: &Client<'_>) -> Result<Vec<String>, Fault> {
    pages(|place| {
        let body = place.map_or_else(|| json!({ "Limit": 1000 }), |place| json!({ "Limit": 1000, "Marker": place }));
        let answer = call(client, "TrentService.ListKeys", &body)?;
        let keys = answer.get("Keys").and_then(Value::as_array).ok_or_else(Fault::malformed)?;
        let keys = keys.iter().map(|key| text(key, "KeyArn")).collect::<Option<_>>().ok_or_else(Fault::malformed)?;
        match answer.get("Truncated") {
            None | Some(Value::Bool(false)) => Ok((keys, None)),
            Some(_) => Ok((keys, Some(text(&answer, "NextMarker").ok_or_else(Fault::malformed)?))),
        }
    })
}

/// What any of these keys' policies allows. What one of them refuses, another may not.
fn together(desk: &mut Desk<'_>, keys: &[String]) -> ResourcePolicy {
    let mut allowed = Vec::new();
    for key in keys {
        let statements = match policy(desk, key).and_then(|mut document| Some(document.get_mut("Statement")?.take())) {
            Some(Value::Array(statements)) => statements,
            Some(one @ Value::Object(_)) => vec![one],
            _ => return ResourcePolicy::NotKnown("policy of each key"),
        };
        // Whatever is not plainly a refusal is kept, so that one which cannot be understood spoils the whole.
        allowed.extend(statements.into_iter().filter(|one| one.get("Effect") != Some(&json!("Deny"))));
    }
    let document = json!({ "Version": "2012-10-17", "Statement": allowed });
    match Policy::new(&document, Kind::Resource) {
        Ok(policy) => ResourcePolicy::OneOf(policy, "whether an object is encrypted with a key that it may destroy"),
        Err(_) => ResourcePolicy::NotKnown("policy of each key"),
    }
}

/// Adds a key that nobody told of, but which may be there: what stands behind it may be destroyed by way of it.
pub(super) fn not_read(desk: &mut Desk<'_>, of: &NodeId, name: &str) {
    let id = NodeId(format!("{of}#key"));
    destroyed(desk, &id, ResourcePolicy::NotKnown("policy of the key that it may have"));
    asset(desk, id, format!("the key of {name}, which was not read"), vec![of.clone()]);
}

/// Asks for the operations that destroy some key of the account and the Region.
fn destroyed(desk: &mut Desk<'_>, id: &NodeId, policy: ResourcePolicy) {
    let prefix = desk.key("");
    for action in [DELETE, MATERIAL, LOCK_OUT] {
        desk.also_below(id, action, &prefix);
    }
    desk.holdings.policies.insert(id.clone(), policy);
}

/// Where in the list it stands.
fn asset(desk: &mut Desk<'_>, id: NodeId, name: String, behind: Vec<NodeId>) -> usize {
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
    desk.facts.assets.len() - 1
}
