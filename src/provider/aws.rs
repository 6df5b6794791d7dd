//! AWS: who each key is, what it may do and become, and what there is to lose.
//!
//! A key is asked about in its own name, and the account is read with whichever of its keys may read it.

mod client;
mod facts;
mod iam;
mod inventory;
mod reads;
mod rights;
mod xml;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{CredentialId, NodeId, PrincipalId};
use deadstop_core::model::{Asset, Class, Principal, Status};
use deadstop_core::time::Time;
use roxmltree::Document;
use serde_json::json;

use super::Learnt;
use crate::collector::AwsKey;
use crate::readonly::ReadOnly;
use client::{Client, Fault};
pub(crate) use facts::Facts;
use iam::Directory;
use inventory::Desk;
use rights::{Above, Account};

/// The region that is asked where the user names none.
pub const REGION: &str = "us-east-1";

const IDENTITY: &str = "sts:GetCallerIdentity";
const DETAILS: &str = "iam:GetAccountAuthorizationDetails";
const ORGANIZATION: &str = "organizations:DescribeOrganization";

/// What is asked of AWS, one operation a line.
pub fn operations() -> impl Iterator<Item = &'static str> {
    reads::READS.list.iter().map(|read| read.operation)
}

/// A key that AWS accepts.
struct Accepted<'a> {
    key: &'a AwsKey,
    /// As AWS names it.
    arn: String,
}

/// Asks AWS about these keys. `regions` are those that the user works in.
#[must_use]
pub fn ask(door: &ReadOnly, keys: &[AwsKey], regions: &[String], at: Time) -> Learnt {
    let mut learnt = Learnt { identities: BTreeMap::new(), described: Vec::new(), facts: Facts::new(at) };
    let mut accounts: BTreeMap<String, Vec<Accepted<'_>>> = BTreeMap::new();
    let mut by_credential: BTreeMap<&CredentialId, Vec<&AwsKey>> = BTreeMap::new();
    for key in keys {
        by_credential.entry(&key.credential).or_default().push(key);
    }
    for (credential, keys) in by_credential {
        match identify(door, &keys, regions, &mut learnt.facts) {
            Ok((account, accepted)) => {
                learnt.identities.insert(
                    credential.clone(),
                    (Fact::Known(PrincipalId(accepted.arn.clone())), Fact::Known(Status::Live)),
                );
                accounts.entry(account).or_default().push(accepted);
            }
            Err((gap, status)) => {
                learnt.identities.insert(credential.clone(), (Fact::Unknown(gap), status));
            }
        }
    }
    for (account, accepted) in accounts {
        describe(door, &account, &accepted, regions, &mut learnt);
    }
    learnt
}

/// Who a credential is: the first of its secrets that AWS accepts.
fn identify<'a>(
    door: &ReadOnly,
    keys: &[&'a AwsKey],
    regions: &[String],
    facts: &mut Facts,
) -> Result<(String, Accepted<'a>), (Gap, Fact<Status>)> {
    let mut last = None;
    for key in keys {
        // A key of another partition is not known in this one, so each that the user works in is asked.
        let mut homes: Vec<&str> = regions.iter().map(String::as_str).collect();
        homes.sort_unstable_by_key(|region| partition(region));
        homes.dedup_by_key(|region| partition(region));
        if homes.is_empty() {
            homes.push(REGION);
        }
        for region in homes {
            match caller(&Client { door, key, region }) {
                Ok((account, arn)) => {
                    facts.source(IDENTITY, key.credential.as_str());
                    return Ok((account, Accepted { key, arn }));
                }
                Err(fault) => last = Some((*key, fault)),
            }
        }
    }
    let fault = last.as_ref().map_or(Fault { reason: GapReason::NotAsked, code: None }, |(_, fault)| fault.clone());
    let credential = keys.first().map_or("", |key| key.credential.as_str());
    let gap = facts.refused(IDENTITY, credential, &fault);
    // `InvalidClientTokenId` may come from the wrong partition, so it counts where the user said which ones there are.
    let gone = fault.says(&["InvalidClientTokenId"]) && !regions.is_empty() || fault.says(&["ExpiredToken"]);
    let renewed = keys.iter().any(|key| key.renewable);
    let status =
        if gone && !renewed && keys.len() == 1 { Fact::Known(Status::Revoked) } else { Fact::Unknown(gap.clone()) };
    Err((gap, status))
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
    let malformed = || Fault { reason: GapReason::Malformed, code: None };
    let document = Document::parse(&answer).map_err(|_| malformed())?;
    let result = xml::result(&document).ok_or_else(malformed)?;
    let (account, arn) =
        (xml::text(result, "Account").ok_or_else(malformed)?, xml::text(result, "Arn").ok_or_else(malformed)?);
    let numbered = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    if numbered && deadstop_core::iam::Caller::new(arn).is_some_and(|caller| caller.account() == account) {
        Ok((account.to_owned(), arn.to_owned()))
    } else {
        Err(malformed())
    }
}

/// Reads one account with the keys that belong to it.
fn describe(door: &ReadOnly, number: &str, accepted: &[Accepted<'_>], regions: &[String], learnt: &mut Learnt) {
    let node = NodeId(format!("aws:account/{number}"));
    let rest = NodeId(format!("aws:account/{number}/not-listed"));
    learnt.described.push(node.clone());
    let regions: Vec<&str> =
        if regions.is_empty() { vec![REGION] } else { regions.iter().map(String::as_str).collect() };
    let (mut asks, mut resources, mut unlisted) = (Vec::new(), BTreeMap::new(), Vec::new());
    for region in &regions {
        let clients: Vec<Client<'_>> = accepted.iter().map(|one| Client { door, key: one.key, region }).collect();
        let mut desk = Desk {
            account: number,
            parent: node.clone(),
            region,
            clients: &clients,
            facts: &mut learnt.facts,
            asks: &mut asks,
            resources: &mut resources,
            unlisted: &mut unlisted,
        };
        inventory::rds::list_all(&mut desk);
        inventory::dynamodb::list_all(&mut desk);
    }
    let facts = &mut learnt.facts;
    container(facts, &node, None, format!("AWS account {number}"), Fact::Known(Listed::Complete), number);
    let elsewhere = unlisted.first().cloned().unwrap_or_else(|| {
        facts.doubt(
            number,
            "resources other than RDS instances and DynamoDB tables, and Regions that are not named, were not listed",
        )
    });
    let name = format!("AWS account {number}");
    container(facts, &rest, Some(&node), name, Fact::Unknown(elsewhere), number);
    let clients: Vec<Client<'_>> = accepted
        .iter()
        .map(|one| Client { door, key: one.key, region: regions.first().copied().unwrap_or(REGION) })
        .collect();
    let above = above(&clients, number, facts);
    match directory(&clients, number, facts) {
        Ok(directory) => {
            let mut starts = BTreeSet::new();
            for one in accepted {
                let who = named(&directory, &one.arn);
                learnt.identities.insert(
                    one.key.credential.clone(),
                    (
                        Fact::Known(PrincipalId(who.clone().unwrap_or_else(|| one.arn.clone()))),
                        Fact::Known(Status::Live),
                    ),
                );
                match who {
                    Some(who) => drop(starts.insert(who)),
                    None => unread(facts, &one.arn, number, None),
                }
            }
            let account =
                Account { number, node, directory: &directory, above, asks: &asks, resources: &resources, rest };
            account.state(&starts, facts);
        }
        Err(gap) => accepted.iter().for_each(|one| unread(facts, &one.arn, number, Some(&gap))),
    }
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

/// An identity whose rights are not known; the root user's are.
fn unread(facts: &mut Facts, arn: &str, number: &str, gap: Option<&Gap>) {
    let root = arn.ends_with(":root");
    let gap = gap
        .cloned()
        .unwrap_or_else(|| facts.doubt(number, "an identity that is no user or role has policies of its own"));
    let source = facts.source(IDENTITY, number);
    let id = PrincipalId(arn.to_owned());
    if root {
        facts.grants.push(deadstop_core::model::Grant {
            principal: id.clone(),
            actions: vec!["*".to_owned()],
            target: NodeId(format!("aws:account/{number}")),
            allowed: Fact::Known(true),
            basis: deadstop_core::model::Basis::Inferred,
            because: "the root user may do everything in its account".to_owned(),
            sources: vec![source.clone()],
        });
    }
    facts.principals.push(Principal {
        id,
        provider: "aws".to_owned(),
        name: format!("{} of {number}", arn.rsplit(':').next().unwrap_or(arn)),
        environment: None,
        grants: if root { Fact::Known(Listed::Complete) } else { Fact::Unknown(gap) },
        sources: vec![source],
    });
}

fn directory(clients: &[Client<'_>], number: &str, facts: &mut Facts) -> Result<Directory, Gap> {
    let mut last = None;
    for client in clients {
        match Directory::read(client) {
            Ok(directory) => {
                facts.source(DETAILS, number);
                return Ok(directory);
            }
            Err(fault) => last = Some(fault),
        }
    }
    let fault = last.unwrap_or(Fault { reason: GapReason::NotAsked, code: None });
    Err(facts.refused(DETAILS, number, &fault))
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
