//! AWS: who each key is, what it may do and become, and what there is to lose.
//!
//! A key is asked about in its own name, and the account is read with whichever of its keys may read it.

mod client;
mod iam;
mod inventory;
mod reads;
mod rights;
mod xml;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{CredentialId, NodeId, PrincipalId};
use deadstop_core::model::{Asset, Basis, Class, Grant, Principal, Status};
use deadstop_core::time::Time;
use roxmltree::Document;
use serde_json::json;

use super::Learnt;
use super::facts::{About, Facts};
use crate::collector::AwsKey;
use crate::readonly::ReadOnly;
use client::{Client, Fault};
use iam::Directory;
use inventory::{Holdings, Read, Scene};
use rights::{Above, Account, Accounts};

/// The region that is asked where the user names none.
pub const REGION: &str = "us-east-1";

const IDENTITY: &str = "sts:GetCallerIdentity";
const DETAILS: &str = "iam:GetAccountAuthorizationDetails";
const ORGANIZATION: &str = "organizations:DescribeOrganization";

const ABOUT: About = About {
    provider: "aws",
    scope: "AWS account",
    allow: "to the auditor (providers.aws.profile), or to one of the keys found",
};

/// What is asked of AWS, one operation a line.
pub fn operations() -> impl Iterator<Item = &'static str> {
    reads::READS.list.iter().map(|read| read.operation)
}

/// What is not listed of an account.
const NOT_LISTED: &str = "resources other than S3 buckets, RDS instances and clusters, DynamoDB tables, EBS volumes and \
                          vaults of AWS Backup, and Regions that are not named, were not listed";

/// A key that AWS accepts.
struct Accepted<'a> {
    key: &'a AwsKey,
    /// As AWS names it.
    arn: String,
}

/// Asks AWS about these keys. `regions` are those that the user works in.
#[must_use]
pub fn ask(door: &ReadOnly, keys: &[AwsKey], regions: &[String], at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let mut by_credential: BTreeMap<&CredentialId, Vec<&AwsKey>> = BTreeMap::new();
    for key in keys {
        by_credential.entry(&key.credential).or_default().push(key);
    }
    let mut accepted: BTreeMap<String, Vec<Accepted<'_>>> = BTreeMap::new();
    for (credential, keys) in by_credential {
        match identify(door, &keys, regions, &mut learnt.facts) {
            Ok((account, one)) => {
                learnt.described.push(NodeId(format!("aws:scope/{credential}")));
                accepted.entry(account).or_default().push(one);
            }
            Err((gap, status)) => {
                learnt.identities.insert(credential.clone(), (Fact::Unknown(gap), status));
            }
        }
    }
    let mut holdings = Holdings::default();
    let mut accounts = BTreeMap::new();
    for (number, accepted) in &accepted {
        accounts.insert(number.clone(), describe(door, number, accepted, regions, &mut learnt, &mut holdings));
    }
    within(&mut learnt.facts);
    let mut starts = BTreeSet::new();
    for (number, one) in accepted.iter().flat_map(|(number, all)| all.iter().map(move |one| (number, one))) {
        let directory = accounts.get(number).and_then(|account| account.directory.as_ref());
        let who = directory.and_then(|directory| named(directory, &one.arn));
        if who.is_none() {
            unread(&mut learnt.facts, &one.arn, number);
        }
        let id = PrincipalId(who.clone().unwrap_or_else(|| one.arn.clone()));
        learnt.identities.insert(one.key.credential.clone(), (Fact::Known(id), Fact::Known(Status::Live)));
        starts.extend(who);
    }
    Accounts { all: &accounts, asks: &holdings.asks, policies: &holdings.policies, openers: &holdings.openers }
        .state(&starts, &mut learnt.facts);
    learnt
}

/// Leaves out copies of what is no longer there, or of kinds that are not listed, and what keeps no others.
fn within(facts: &mut Facts) {
    let there: BTreeSet<NodeId> = facts.assets.iter().map(|asset| asset.id.clone()).collect();
    facts.copies.retain(|copy| there.contains(&copy.of));
    for asset in &mut facts.assets {
        asset.behind.retain(|behind| there.contains(behind));
    }
}

/// Who a credential is: the first of its secrets that AWS accepts.
fn identify<'a>(
    door: &ReadOnly,
    keys: &[&'a AwsKey],
    regions: &[String],
    facts: &mut Facts,
) -> Result<(String, Accepted<'a>), (Gap, Fact<Status>)> {
    let credential = keys.first().map_or("", |key| key.credential.as_str());
    let mut faults = Vec::new();
    for key in keys {
        for region in homes(regions) {
            match caller(&Client { door, key, region }) {
                Ok((account, arn)) => return Ok((account, Accepted { key, arn })),
                Err(fault) => faults.push(fault),
            }
        }
    }
    let fault = faults.last().cloned().unwrap_or(Fault::of(GapReason::NotAsked));
    let gap = facts.refused(IDENTITY, credential, &fault);
    // A temporary key without its own token, and a key of another partition, are as unknown to AWS as one that is gone.
    let lasting = keys.len() == 1 && keys.iter().all(|key| is_lasting(key)) && !regions.is_empty();
    let gone = lasting && !faults.is_empty() && faults.iter().all(|fault| fault.says(&["InvalidClientTokenId"]));
    let status = if gone { Fact::Known(Status::Revoked) } else { Fact::Unknown(gap.clone()) };
    Err((gap, status))
}

/// Whether a key works by itself, for as long as it is there (IAM User Guide, `reference_identifiers`).
fn is_lasting(key: &AwsKey) -> bool {
    key.id.starts_with("AKIA") && key.token.is_none() && !key.renewable
}

/// One region of each partition that the user works in: a key is known in its own partition alone.
fn homes(regions: &[String]) -> Vec<&str> {
    let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
    if regions.is_empty() { vec![REGION] } else { homes_of(&regions) }
}

fn homes_of<'a>(regions: &[&'a str]) -> Vec<&'a str> {
    let mut homes: BTreeMap<&str, &'a str> = BTreeMap::new();
    for region in regions {
        homes.entry(partition(region)).or_insert(region);
    }
    homes.into_values().collect()
}

fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

fn caller(client: &Client<'_>) -> Result<(String, String), Fault> {
    let answer = client.form("sts", "GetCallerIdentity", reads::STS, &[])?;
    let document = Document::parse(&answer).map_err(|_| Fault::malformed())?;
    let result = xml::result(&document).ok_or_else(Fault::malformed)?;
    let (account, arn) = (
        xml::text(result, "Account").ok_or_else(Fault::malformed)?,
        xml::text(result, "Arn").ok_or_else(Fault::malformed)?,
    );
    let numbered = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    if numbered && deadstop_core::iam::Caller::new(arn).is_some_and(|caller| caller.account() == account) {
        Ok((account.to_owned(), arn.to_owned()))
    } else {
        Err(Fault::malformed())
    }
}

/// Reads one account with the keys that belong to it.
fn describe(
    door: &ReadOnly,
    number: &str,
    accepted: &[Accepted<'_>],
    regions: &[String],
    learnt: &mut Learnt,
    holdings: &mut Holdings,
) -> Account {
    let node = NodeId(format!("aws:account/{number}"));
    let rest = NodeId(format!("aws:account/{number}/not-listed"));
    learnt.described.push(node.clone());
    let facts = &mut learnt.facts;
    let regions: Vec<&str> =
        if regions.is_empty() { vec![REGION] } else { regions.iter().map(String::as_str).collect() };
    let homes = homes_of(&regions);
    let keys = accepted.iter().map(|one| one.key).collect();
    let scene = Scene { door, account: number, node: node.clone(), keys, at: facts.at() };
    let Read { facts: read, holdings: held, unlisted, .. } = scene.read(&regions, &homes);
    facts.absorb(read);
    holdings.join(held);
    let name = format!("AWS account {number}");
    container(facts, &node, None, name.clone(), Fact::Known(Listed::Complete), number);
    let elsewhere = unlisted.first().cloned().unwrap_or_else(|| facts.doubt(number, NOT_LISTED));
    container(facts, &rest, Some(&node), name, Fact::Unknown(elsewhere), number);
    let region = regions.first().copied().unwrap_or(REGION);
    let clients = scene.clients(region);
    let above = above(&clients, number, facts);
    Account { node, rest, directory: directory(&clients, number, facts), above }
}

fn container(
    facts: &mut Facts,
    id: &NodeId,
    parent: Option<&NodeId>,
    name: String,
    contents: Fact<Listed>,
    number: &str,
) {
    let source = facts.source(IDENTITY, number);
    let gap = facts.doubt(number, "no tag says which environment it belongs to");
    facts.assets.push(Asset {
        id: id.clone(),
        provider: "aws".to_owned(),
        kind: if parent.is_none() { "account" } else { "not_listed" }.to_owned(),
        class: Class::Container,
        name,
        parent: parent.cloned(),
        environment: Fact::Unknown(gap),
        contents: Some(contents),
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Known(Listed::Complete),
        behind: Vec::new(),
        holds: None,
        sources: vec![source],
    });
}

/// The ARN of the user or role that a caller is; nothing for the root user and for federated users.
fn named(directory: &Directory, arn: &str) -> Option<String> {
    let (_, after) = arn.split_once(":assumed-role/").unzip();
    if let Some(role) = after.and_then(|rest| rest.split('/').next()) {
        return directory.roles.get(role).map(|role| role.arn.clone());
    }
    let name = arn.split_once(":user/")?.1.rsplit('/').next()?;
    directory.users.get(name).map(|user| user.arn.clone()).filter(|known| known == arn)
}

/// An identity whose rights are not known, but for those of the root user in its account.
fn unread(facts: &mut Facts, arn: &str, number: &str) {
    let gap = facts.doubt(number, "the policies of this identity were not read");
    let source = facts.source(IDENTITY, number);
    let id = PrincipalId(arn.to_owned());
    if arn.ends_with(":root") {
        facts.grants.push(Grant {
            principal: id.clone(),
            actions: vec!["*".to_owned()],
            target: NodeId(format!("aws:account/{number}")),
            allowed: Fact::Known(true),
            basis: Basis::Inferred,
            because: "the root user may do everything in its account".to_owned(),
            sources: vec![source.clone()],
        });
    }
    facts.principals.push(Principal {
        id,
        provider: "aws".to_owned(),
        name: format!("{} of {number}", arn.rsplit(':').next().unwrap_or(arn)),
        environment: None,
        grants: Fact::Unknown(gap),
        sources: vec![source],
    });
}

/// The users and roles of an account, read with the first key that may.
fn directory(clients: &[Client<'_>], number: &str, facts: &mut Facts) -> Option<Directory> {
    let mut last = None;
    for client in clients {
        match Directory::read(client) {
            Ok(directory) => {
                facts.source(DETAILS, number);
                return Some(directory);
            }
            Err(fault) => last = Some(fault),
        }
    }
    let fault = last.unwrap_or(Fault::of(GapReason::NotAsked));
    facts.refused(DETAILS, number, &fault);
    None
}

/// Whether policies of an organisation stand above the account.
fn above(clients: &[Client<'_>], number: &str, facts: &mut Facts) -> Above {
    for client in clients {
        match client.target("organizations", "AWSOrganizationsV20161128.DescribeOrganization", "1.1", &json!({})) {
            Err(fault) if fault.says(&["AWSOrganizationsNotInUseException"]) => {
                facts.source(ORGANIZATION, number);
                return Above::Nothing;
            }
            Ok(answer) => {
                facts.source(ORGANIZATION, number);
                // "SCPs don't affect users or roles in the management account" (Organizations User Guide).
                let manager = answer.pointer("/Organization/MasterAccountId").and_then(serde_json::Value::as_str);
                return if manager == Some(number) { Above::Nothing } else { Above::NotRead };
            }
            Err(_) => {}
        }
    }
    Above::NotRead
}
