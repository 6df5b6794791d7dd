//! What an account has, what guards it and what brings it back.

mod caches;
mod dynamodb;
mod ebs;
mod efs;
mod eks;
mod fsx;
mod functions;
mod images;
mod kms;
mod parts;
mod rds;
mod redshift;
mod s3;
mod search;
mod secrets;
mod serverless;
mod stacks;
mod vaults;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::catalogue;
use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{NodeId, ProtectionId};
use deadstop_core::model::{Asset, Atom, Basis, Class, Lift, Protection, Side};
use deadstop_core::time::Time;

use super::ABOUT;
use super::client::{Client, Fault};
use super::partition;
use super::rights::{Ask, On, Opener, Opens, ResourcePolicy};
use crate::collector::AwsKey;
use crate::provider::facts::Facts;
use crate::provider::pool::at_once;
use crate::readonly::ReadOnly;
use stacks::Told;
pub(super) use stacks::{EXECUTE, Kept, Owned, PROPOSE, REMOVE_STACK, Stack, UPDATE_STACK};

/// Services keep no record of whether a restore was any good; AWS Backup keeps one where somebody has had it tested. Others
/// that count are those that were written down (`restore_tests`), so a copy of which there is none is untested, not unknown.
const DRILLS: Fact<Listed> = Fact::Known(Listed::Complete);

/// What rights will be asked about.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    pub(super) asks: Vec<Ask>,
    /// The policies of the resources themselves.
    pub(super) policies: BTreeMap<NodeId, ResourcePolicy>,
    /// Calls that change these policies.
    pub(super) openers: Vec<Opener>,
    /// Services of which databases, or stacks, were not listed somewhere.
    pub(super) hidden: BTreeSet<&'static str>,
    /// Regions in which buckets lie.
    pub(super) homes: BTreeSet<String>,
    /// Stacks that act in the name of a role.
    pub(super) stacks: Vec<Stack>,
    /// What stands for accounts of an organisation that were not read.
    pub(super) elsewhere: Vec<NodeId>,
}

impl Holdings {
    pub(super) fn join(&mut self, other: Self) {
        self.asks.extend(other.asks);
        self.policies.extend(other.policies);
        self.openers.extend(other.openers);
        self.hidden.extend(other.hidden);
        self.homes.extend(other.homes);
        self.stacks.extend(other.stacks);
        self.elsewhere.extend(other.elsewhere);
    }
}

/// What lists one kind, or several, of one Region.
type Lister = fn(&mut Desk<'_>);

/// Each without the others, beside the vaults, which each may look at.
const LISTERS: [Lister; 14] = [
    rds::list_all,
    dynamodb::list_all,
    ebs::list_all,
    secrets::list_all,
    efs::list_all,
    fsx::list_all,
    redshift::list_all,
    serverless::list_all,
    caches::list_all,
    search::list_all,
    images::list_all,
    eks::list_all,
    kms::list_all,
    stacks::list_all,
];

/// How many calls are under way at a time.
const AT_ONCE: usize = 8;

/// One account, and who reads it.
pub(super) struct Scene<'a> {
    pub(super) door: &'a ReadOnly,
    pub(super) account: &'a str,
    pub(super) node: NodeId,
    /// The keys that may read, the auditor's first.
    pub(super) keys: Vec<&'a AwsKey>,
    pub(super) at: Time,
}

impl<'a> Scene<'a> {
    pub(super) fn clients<'b>(&'b self, region: &'b str) -> Vec<Client<'b>> {
        self.keys.iter().map(|key| Client { door: self.door, key, region }).collect()
    }

    fn desk<'b>(&'b self, region: &'b str) -> Desk<'b> {
        Desk {
            account: self.account,
            parent: self.node.clone(),
            region,
            clients: self.clients(region),
            facts: Facts::new(ABOUT, self.at),
            holdings: Holdings::default(),
            keys: BTreeMap::new(),
            unlisted: Vec::new(),
            told: Vec::new(),
            vaults: None,
            any_key: None,
        }
    }

    /// Reads what the account has: in these Regions, and what lies in none. `homes` are Regions of which one knows all
    /// buckets. Functions are read in all that are `enabled`: what one lets somebody do ends at no Region.
    pub(super) fn read(&self, regions: &[&str], homes: &[&str], enabled: &Result<Vec<String>, Gap>) -> Read {
        let mut all = Read::new(self.at);
        let mut anywhere: BTreeSet<&str> = regions.iter().copied().collect();
        match enabled {
            Ok(enabled) => anywhere.extend(enabled.iter().map(String::as_str)),
            Err(gap) => {
                all.unlisted.push(gap.clone());
                functions::elsewhere(homes.first().copied().unwrap_or_default(), self.account, &mut all.holdings);
            }
        }
        let anywhere: Vec<&str> = anywhere.into_iter().collect();
        let read = at_once(AT_ONCE, &anywhere, |region| {
            let mut desk = self.desk(region);
            functions::list_all(&mut desk);
            desk.done()
        });
        read.into_iter().for_each(|one| all.join(one));
        let mut desk = self.desk(homes.first().copied().unwrap_or_default());
        let buckets = s3::list_all(&mut desk, homes);
        all.join(desk.done());
        let read = at_once(AT_ONCE, regions, |region| {
            let mut desk = self.desk(region);
            desk.vaults = Some(vaults::list_all(&mut desk));
            desk.done()
        });
        read.into_iter().for_each(|one| all.join(one));
        let kinds: Vec<(&str, Lister)> =
            regions.iter().flat_map(|region| LISTERS.map(|lister| (*region, lister))).collect();
        let read = at_once(AT_ONCE, &kinds, |(region, lister)| {
            let mut desk = self.desk(region);
            desk.vaults = all.vaults.get(*region).cloned();
            lister(&mut desk);
            desk.done()
        });
        read.into_iter().for_each(|one| all.join(one));
        let any_key = kms::of_objects(self, &buckets, &mut all);
        let read = at_once(AT_ONCE, &buckets, |bucket| {
            let mut desk = self.desk(&bucket.region);
            desk.any_key = any_key.get(&bucket.region).cloned();
            desk.vaults = all.vaults.get(&bucket.region).cloned();
            s3::describe(&mut desk, bucket, &buckets);
            desk.done()
        });
        read.into_iter().for_each(|one| all.join(one));
        kms::describe_all(self, &mut all);
        stacks::describe_all(self, &mut all);
        all
    }
}

/// What was read of an account, or of a part of it.
pub(super) struct Read {
    pub(super) facts: Facts,
    pub(super) holdings: Holdings,
    /// What is encrypted with each key that was named, by ARN.
    pub(super) keys: BTreeMap<String, Vec<NodeId>>,
    /// Kinds that could not be listed.
    pub(super) unlisted: Vec<Gap>,
    /// Stacks, as far as they were told.
    told: Vec<Told>,
    /// Whether all that vaults keep was listed, by Region.
    vaults: BTreeMap<String, Result<(), Gap>>,
}

impl Read {
    fn new(at: Time) -> Self {
        Self {
            facts: Facts::new(ABOUT, at),
            holdings: Holdings::default(),
            keys: BTreeMap::new(),
            unlisted: Vec::new(),
            told: Vec::new(),
            vaults: BTreeMap::new(),
        }
    }

    fn join(&mut self, other: Self) {
        self.facts.absorb(other.facts);
        self.holdings.join(other.holdings);
        for (key, behind) in other.keys {
            self.keys.entry(key).or_default().extend(behind);
        }
        self.unlisted.extend(other.unlisted);
        self.told.extend(other.told);
        self.vaults.extend(other.vaults);
    }
}

/// What is collected on the way.
pub(super) struct Desk<'a> {
    pub(super) account: &'a str,
    pub(super) parent: NodeId,
    pub(super) region: &'a str,
    pub(super) clients: Vec<Client<'a>>,
    pub(super) facts: Facts,
    pub(super) holdings: Holdings,
    /// What is encrypted with each key that was named, by ARN.
    pub(super) keys: BTreeMap<String, Vec<NodeId>>,
    /// Kinds that could not be listed.
    pub(super) unlisted: Vec<Gap>,
    /// Stacks, as far as they were told.
    told: Vec<Told>,
    /// Whether all that the vaults of the Region keep was listed; none: they were not asked for.
    vaults: Option<Result<(), Gap>>,
    /// Whichever keys of the Region objects are encrypted with, beside the default of their bucket.
    any_key: Option<NodeId>,
}

impl Desk<'_> {
    fn done(self) -> Read {
        let Self { facts, holdings, keys, unlisted, told, vaults, region, .. } = self;
        let vaults = vaults.map(|listed| (region.to_owned(), listed)).into_iter().collect();
        Read { facts, holdings, keys, unlisted, told, vaults }
    }

    pub(super) fn scope(&self) -> String {
        format!("{}/{}", self.account, self.region)
    }

    /// Asks as one key after the other, until one is answered.
    pub(super) fn ask<T>(
        &mut self,
        operation: &str,
        of: Option<&str>,
        call: impl Fn(&Client<'_>) -> Result<T, Fault>,
    ) -> Result<T, Gap> {
        let scope = of.map_or_else(|| self.scope(), |of| format!("{}/{of}", self.scope()));
        let mut last = None;
        for client in &self.clients {
            match call(client) {
                Ok(answer) => {
                    self.facts.source(operation, &scope);
                    return Ok(answer);
                }
                Err(fault) => last = Some(fault),
            }
        }
        let fault = last.unwrap_or(Fault::of(GapReason::Denied));
        Err(self.facts.refused(operation, &scope, &fault))
    }

    /// Adds an asset, with the operations of the catalogue that destroy its kind.
    pub(super) fn asset(&mut self, seen: Seen<'_>) -> NodeId {
        let id = NodeId(seen.arn.to_owned());
        let environment = environment(seen.tags);
        let source = self.facts.source(seen.operation, &self.scope());
        let environment = environment.map_or_else(
            || Fact::Unknown(self.facts.doubt(self.account, "no tag says which environment it belongs to")),
            Fact::Known,
        );
        if !BY_OTHERS.contains(&seen.kind) {
            self.destroyers(&id, seen.kind);
        }
        self.facts.assets.push(Asset {
            id: id.clone(),
            provider: "aws".to_owned(),
            kind: seen.kind.to_owned(),
            class: seen.class,
            name: seen.name.to_owned(),
            parent: Some(self.parent.clone()),
            environment,
            contents: None,
            protections: seen.protections,
            copies: seen.copies,
            behind: Vec::new(),
            holds: seen.holds,
            sources: vec![source],
        });
        self.holdings.policies.insert(id.clone(), seen.policy);
        if let Some(key) = seen.key {
            self.keys.entry(self.key(key)).or_default().push(id.clone());
        }
        id
    }

    /// A key by its ARN: it may be named by its id or by an alias, too.
    pub(super) fn key(&self, name: &str) -> String {
        let place = format!("arn:{}:kms:{}:{}", partition(self.region), self.region, self.account);
        if name.starts_with("arn:") {
            name.to_owned()
        } else if name.starts_with("alias/") {
            format!("{place}:{name}")
        } else {
            format!("{place}:key/{name}")
        }
    }

    /// The key that a copy cannot be restored without; it is described with the others.
    pub(super) fn needed(&mut self, key: Option<&String>) -> Vec<NodeId> {
        let Some(key) = key.map(|key| self.key(key)) else { return Vec::new() };
        self.keys.entry(key.clone()).or_default();
        vec![NodeId(key)]
    }

    /// Adds deletion protection, which one more call takes off.
    pub(super) fn protection(&mut self, on: &NodeId, covers: &str, enabled: Fact<bool>, lift: &str, operation: &str) {
        self.also(on, lift, on.as_str());
        let source = self.facts.source(operation, &self.scope());
        let said = match &enabled {
            Fact::Known(true) => "deletion protection is on",
            Fact::Known(false) => "deletion protection is off",
            Fact::Unknown(_) => "whether deletion protection is on was not read",
        };
        self.facts.protections.push(Protection {
            id: ProtectionId(format!("{on}#deletion-protection")),
            on: on.clone(),
            side: Side::Protect,
            kind: "deletion protection".to_owned(),
            covers: vec![covers.to_owned()],
            enabled,
            whole: Fact::Known(true),
            holds_parent: false,
            only_ways: Vec::new(),
            lifts: Fact::Known(vec![one_call(lift, on, "switch deletion protection off")]),
            basis: Basis::Observed,
            because: said.to_owned(),
            sources: vec![source],
        });
    }

    /// Asks for the operations of the catalogue that destroy this kind of resource.
    fn destroyers(&mut self, node: &NodeId, kind: &str) {
        let actions = catalogue::actions();
        for action in actions.iter().filter(|action| action.provider == "aws" && action.kind == kind) {
            if FROM_ELSEWHERE.contains(&action.action.as_str()) {
                continue;
            }
            if OF_OBJECTS.contains(&action.action.as_str()) {
                self.also_below(node, &action.action, &format!("{node}/"));
            } else {
                self.also(node, &action.action, node.as_str());
            }
        }
    }

    /// Asks for a right on a resource; its ARN says whose it is.
    pub(super) fn also(&mut self, node: &NodeId, action: &str, resource: &str) {
        self.right(node, action, resource, On::This(resource.to_owned()));
    }

    /// Asks for a right on anything whose ARN begins so and goes on.
    pub(super) fn also_below(&mut self, node: &NodeId, action: &str, prefix: &str) {
        self.right(node, action, prefix, On::Below(prefix.to_owned()));
    }

    fn right(&mut self, node: &NodeId, action: &str, arn: &str, on: On) {
        let owner = arn.split(':').nth(4).filter(|owner| !owner.is_empty()).unwrap_or(self.account).to_owned();
        self.holdings.asks.push(Ask { node: node.clone(), owner, action: action.to_owned(), on });
    }

    /// Asks for calls that change the policy of a resource.
    pub(super) fn policy_calls(&mut self, node: &NodeId, calls: &[(&'static str, Opens)]) {
        for (action, opens) in calls {
            self.also(node, action, node.as_str());
            let opener = Opener { node: node.clone(), action, opens: *opens };
            self.holdings.openers.push(opener);
        }
    }

    /// What AWS Backup keeps of a resource, which its own service does not show. Nothing, if it keeps nothing.
    pub(super) fn kept_elsewhere(&mut self, name: &str, arn: &str) -> Option<Gap> {
        if let Some(listed) = &self.vaults {
            return listed.as_ref().err().cloned();
        }
        let kept = self.ask("backup:ListRecoveryPointsByResource", Some(name), |client| {
            let arn: String = url::form_urlencoded::byte_serialize(arn.as_bytes()).collect();
            client.get("backup", &format!("/resources/{arn}/recovery-points"))
        });
        match kept {
            Ok(answer) => match answer.get("RecoveryPoints").and_then(serde_json::Value::as_array) {
                Some(points) if points.is_empty() && answer.get("NextToken").is_none_or(serde_json::Value::is_null) => {
                    None
                }
                Some(_) | None => {
                    Some(self.facts.doubt(self.account, "recovery points in AWS Backup vaults are not described"))
                }
            },
            Err(gap) => Some(gap),
        }
    }

    /// Whether what AWS Backup keeps is stated with its vaults.
    pub(super) fn knows_vaults(&self) -> bool {
        self.vaults.as_ref().is_some_and(Result::is_ok)
    }

    pub(super) fn unread<T>(&mut self, what: &str) -> Fact<T> {
        Fact::Unknown(self.facts.doubt(self.account, what))
    }
}

/// Kinds that are destroyed by calls on others: the volume of a machine by those on the machine, or on what has made it, a
/// replica of a secret by those on the secret. Of caches and file systems of `FSx` each sort has calls of its own.
const BY_OTHERS: [&str; 4] = ["instance_volume", "secret_replica", "cache", "fsx_file_system"];

/// Actions that are called on another resource of the same kind, or on what is in one.
const FROM_ELSEWHERE: [&str; 6] = [
    "secretsmanager:ReplicateSecretToRegions",
    "es:ESHttpDelete",
    "es:ESHttpPost",
    "es:ESHttpPut",
    "redshift-serverless:RestoreFromSnapshot",
    "redshift-serverless:RestoreFromRecoveryPoint",
];

/// Actions that are called on the objects of a bucket, not on the bucket (Service Authorization Reference, Amazon S3).
const OF_OBJECTS: [&str; 3] = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"];

/// An asset as it was seen.
pub(super) struct Seen<'a> {
    pub(super) arn: &'a str,
    pub(super) kind: &'a str,
    pub(super) class: Class,
    pub(super) name: &'a str,
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) protections: Fact<Listed>,
    pub(super) copies: Fact<Listed>,
    pub(super) holds: Option<String>,
    pub(super) operation: &'a str,
    /// The key that its data is encrypted with, by ARN.
    pub(super) key: Option<&'a str>,
    pub(super) policy: ResourcePolicy,
}

/// A lift that takes one call.
pub(super) fn one_call(action: &str, on: &NodeId, because: &str) -> Lift {
    let can = Atom::Can { action: action.to_owned(), target: on.clone() };
    Lift { needs: vec![can], changes: true, because: format!("{because} ({action})") }
}

/// The environment that tags name, in the ways that are common.
fn environment(tags: &BTreeMap<String, String>) -> Option<String> {
    const KEYS: [&str; 4] = ["environment", "env", "stage", "deployment-environment"];
    let named = |key: &str| tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
    KEYS.iter()
        .find_map(|key| named(key))
        .filter(|value| !value.trim().is_empty())
        .map(|value| value.trim().to_lowercase())
}
