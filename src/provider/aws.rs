//! AWS: who each key is, what it may do and become, and what there is to lose.
//!
//! A key is asked about in its own name. An account is read by the auditor, where the user names one ([`auditor`]), and
//! else with whichever of its keys may read it.

pub mod auditor;
mod client;
mod iam;
mod identify;
mod inventory;
mod organization;
mod pages;
mod proof;
mod reads;
mod regions;
mod rights;
mod sign_on;
mod simulate;
mod xml;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{CredentialId, NodeId, PrincipalId};
use deadstop_core::model::{Asset, Atom, Basis, Class, Grant, Principal, Status, Step};
use deadstop_core::time::Time;

use super::Learnt;
use super::facts::{About, Facts};
use super::pool::at_once;
use crate::collector::{AwsKey, Token};
use crate::readonly::ReadOnly;
use auditor::{Auditor, Readers};
use client::{Client, Fault};
use iam::Directory;
use iam::narrow::Wanted;
use identify::{Accepted, homes, homes_of, identify, partition};
use inventory::{Holdings, Read, Scene};
use organization::{Above, Organizations, closing};
use regions::enabled;
use rights::{Account, Accounts};
use sign_on::SignIn;

/// The region that is asked where the user names none.
pub const REGION: &str = "us-east-1";

const IDENTITY: &str = "sts:GetCallerIdentity";
const DETAILS: &str = "iam:GetAccountAuthorizationDetails";

const ABOUT: About = About {
    provider: "aws",
    scope: "AWS account",
    allow: "to the auditor (providers.aws.profile), or to one of the keys found",
};

/// What is read of AWS, one operation a line. What an auditor's credentials are asked for by is no part of it.
pub fn operations() -> impl Iterator<Item = &'static str> {
    reads::READS.list.iter().filter(|read| !read.issues() && !read.proves()).map(|read| read.operation)
}

/// What is made as a dry run, where the user asks for a proof.
pub fn proofs() -> impl Iterator<Item = &'static str> {
    reads::READS.list.iter().filter(|read| read.proves()).map(|read| read.operation)
}

/// Whether an operation is one of these.
#[must_use]
pub fn is_proof(operation: &str) -> bool {
    proofs().any(|proof| proof == operation)
}

/// What is not listed of an account.
const NOT_LISTED: &str = "resources other than S3 buckets, RDS instances and clusters, DynamoDB tables, EBS volumes, \
                          vaults of AWS Backup, secrets, KMS keys, EFS and FSx file systems, Redshift clusters, caches, \
                          OpenSearch domains, ECR repositories and EKS clusters, and Regions that are not named or not enabled, were not listed";

/// How many accounts are read at a time.
const AT_ONCE: usize = 2;

/// Asks AWS about these keys, and whether profiles in reach may take on their roles. `regions` are those that the user
/// names; where he names none, those that are enabled for each account are read. With an auditor, nothing but who it is is asked
/// in the name of a key, but for dry runs where the user wants them.
#[must_use]
pub fn ask(
    door: &ReadOnly,
    (keys, tokens): (&[AwsKey], &[Token]),
    chains: &[Step],
    auditor: Option<&Auditor>,
    regions: &[String],
    at: Time,
) -> Learnt {
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
    let sign_ins = signed_in(door, tokens, &mut learnt);
    let found: BTreeSet<String> = accepted.keys().cloned().collect();
    let readers = auditor.map(|auditor| auditor.readers(door, regions, &found, &mut learnt.facts));
    let mut numbers = found;
    if let Some(readers) = &readers {
        numbers.extend(readers.keys.keys().chain(readers.gaps.keys()).cloned());
    }
    numbers.extend(sign_ins.iter().flat_map(|one| one.roles.iter().map(|(number, _)| number.clone())));
    let numbers: Vec<String> = numbers.into_iter().collect();
    let keys_of = |number: &String| -> Vec<&AwsKey> {
        match &readers {
            Some(readers) => readers.keys.get(number).into_iter().flatten().collect(),
            None => accepted.get(number).into_iter().flatten().map(|one| one.key).collect(),
        }
    };
    let read = at_once(AT_ONCE, &numbers, |number| {
        let keys = keys_of(number);
        let mut facts = Facts::new(ABOUT, at);
        let (account, holdings) = if keys.is_empty() {
            (unread_account(number, readers.as_ref(), &mut facts), Holdings::default())
        } else {
            let callers = accepted.get(number).into_iter().flatten().map(|one| (one.arn.as_str(), one.key)).collect();
            describe(door, (number, keys, callers), regions, &mut facts)
        };
        (facts, account, holdings)
    });
    let mut holdings = Holdings::default();
    let mut accounts = BTreeMap::new();
    let home = homes(regions).first().copied().unwrap_or(REGION);
    let mut all: Vec<&AwsKey> = numbers.iter().flat_map(keys_of).collect();
    all.extend(readers.iter().flat_map(|readers| &readers.own));
    let mut organizations = Organizations::new(clients(door, all, home));
    for (number, (facts, mut account, held)) in numbers.iter().zip(read) {
        learnt.described.push(account.node.clone());
        learnt.facts.absorb(facts);
        holdings.join(held);
        account.above = organizations.above(number, &clients(door, keys_of(number), home), &mut learnt.facts);
        accounts.insert(number.clone(), account);
    }
    within(&mut learnt.facts);
    members(&organizations, &accounts, &mut holdings, &mut learnt.facts);
    let (mut starts, known) = callers_found(&accepted, &accounts, &mut learnt);
    starts.extend(signed_in_as(&sign_ins, &accounts, &mut learnt));
    let clients_of = |number: &str| clients(door, keys_of(&number.to_owned()), home);
    follow(&mut accounts, &holdings, (&starts, chains), clients_of, &mut learnt.facts);
    let all = Accounts::new(&accounts, &holdings);
    let settled = all.chains(chains, &known, &mut learnt.facts);
    // What begins with something that was not read begins anywhere.
    let taken =
        chains.iter().filter(|step| settled.get(&step.id).is_none_or(|possible| *possible != Fact::Known(false)));
    let gained = taken.flat_map(|step| &step.gains);
    starts.extend(gained.filter_map(role_of));
    learnt.settled = settled;
    all.state(&starts, &mut learnt.facts);
    all.by_stacks(&holdings.stacks, &mut learnt.facts);
    let found = accepted.values().flatten().map(|one| (one.key, known.get(&one.key.credential)));
    proof::prove(&all, (door, home), found, numbers.iter().flat_map(&keys_of), &mut learnt.facts);
    simulate::confirm(&all, clients_of, &mut learnt.facts);
    learnt
}

fn role_of(atom: &Atom) -> Option<String> {
    if let Atom::Principal(role) = atom { Some(role.to_string()) } else { None }
}

/// States who each key is: those whose rights may be stated, and by credential.
fn callers_found(
    accepted: &BTreeMap<String, Vec<Accepted<'_>>>,
    accounts: &BTreeMap<String, Account>,
    learnt: &mut Learnt,
) -> (BTreeSet<String>, BTreeMap<CredentialId, PrincipalId>) {
    let (mut starts, mut known) = (BTreeSet::new(), BTreeMap::new());
    for (number, one) in accepted.iter().flat_map(|(number, all)| all.iter().map(move |one| (number, one))) {
        let directory = accounts.get(number).and_then(|account| account.directory.as_ref());
        let who = directory.and_then(|directory| named(directory, &one.arn));
        if who.is_none() {
            let gap = directory.and_then(|directory| directory.why_not(&one.arn));
            unread(&mut learnt.facts, &one.arn, number, gap);
        }
        let id = PrincipalId(who.clone().unwrap_or_else(|| one.arn.clone()));
        known.insert(one.key.credential.clone(), id.clone());
        learnt.identities.insert(one.key.credential.clone(), (Fact::Known(id), Fact::Known(Status::Live)));
        starts.extend(who);
    }
    (starts, known)
}

/// States whom each sign-in may become, and gives all of these.
fn signed_in_as(sign_ins: &[SignIn], accounts: &BTreeMap<String, Account>, learnt: &mut Learnt) -> Vec<String> {
    let mut all = Vec::new();
    for one in sign_ins {
        let mut arns = Vec::new();
        for (number, set) in &one.roles {
            let directory = accounts.get(number).and_then(|account| account.directory.as_ref());
            arns.extend(sign_on::roles(directory, number, set).unwrap_or_else(|arn| {
                if !learnt.facts.principals.iter().any(|known| known.id.as_str() == arn) {
                    unread(&mut learnt.facts, &arn, number, None);
                }
                vec![arn]
            }));
        }
        one.state(&arns, &mut learnt.facts);
        learnt.described.push(NodeId(format!("aws:scope/{}", one.credential)));
        learnt.identities.insert(one.credential.clone(), (Fact::Known(one.who()), Fact::Known(Status::Live)));
        all.extend(arns);
    }
    all
}

/// Reads the rights of roles that were only listed and that somebody may come to be: whoever is found to begin with, what
/// profiles in reach take on, and what these may take on in turn.
fn follow<'c>(
    accounts: &mut BTreeMap<String, Account>,
    holdings: &Holdings,
    (starts, chains): (&BTreeSet<String>, &[Step]),
    clients: impl Fn(&str) -> Vec<Client<'c>>,
    facts: &mut Facts,
) {
    let gained = chains.iter().flat_map(|step| &step.gains);
    let starts: BTreeSet<String> = starts.iter().cloned().chain(gained.filter_map(role_of)).collect();
    loop {
        // INVARIANT: each of these is asked for once, whatever is answered, so that this ends.
        let wanted = Accounts::new(accounts, holdings).not_asked(&starts);
        if wanted.is_empty() {
            return;
        }
        for (number, names) in wanted {
            let Some(directory) = accounts.get_mut(&number).and_then(|account| account.directory.as_mut()) else {
                continue;
            };
            let roles: Vec<Wanted<'_>> = names.into_iter().map(|name| Wanted::role(name, clients(&number))).collect();
            directory.read_more(&number, &roles, facts);
        }
    }
}

/// What each sign-in may take on.
fn signed_in(door: &ReadOnly, tokens: &[Token], learnt: &mut Learnt) -> Vec<SignIn> {
    let mut sign_ins = Vec::new();
    let of_aws = |token: &&Token| token.provider == "aws" && token.kind == sign_on::KIND;
    for token in tokens.iter().filter(of_aws).take(super::MOST) {
        match SignIn::ask(door, token, &mut learnt.facts) {
            Ok(one) => sign_ins.push(one),
            Err(gap) => {
                let unknown = (Fact::Unknown(gap.clone()), Fact::Unknown(gap));
                learnt.identities.insert(token.credential.clone(), unknown);
            }
        }
    }
    sign_ins
}

/// What closing the members of organisations takes along. Of an organisation whose manager was met with, the accounts
/// that nobody reads are one asset more: whoever has rights there reaches them all.
fn members(
    organizations: &Organizations<'_>,
    accounts: &BTreeMap<String, Account>,
    holdings: &mut Holdings,
    facts: &mut Facts,
) {
    let (members, listed, whole) = organizations.members(facts);
    if !whole {
        holdings.hidden.insert("organizations");
    }
    closing(&members, accounts, holdings, facts);
    for (manager, account) in accounts.iter().filter(|(number, _)| organizations.manages(number)) {
        let own = members.iter().filter(|one| one.manager == *manager);
        let count = own.filter(|one| !accounts.contains_key(&one.number)).count();
        let count = match (listed.contains(manager), count) {
            (true, 0) => continue,
            (true, count) => format!("{count} other accounts"),
            // How many there are was not told.
            (false, _) => "other accounts".to_owned(),
        };
        let id = NodeId(format!("aws:organization/{manager}/accounts-not-read"));
        let settle = "name a role of each in providers.aws.roles";
        let gap = facts.not_asked(manager, "other accounts of its organisation were not read", settle);
        let name = format!("{count} of the organisation of {manager}");
        container(facts, &id, Some(&account.node), name, Fact::Unknown(gap), manager);
        holdings.elsewhere.push(id);
    }
}

/// Leaves out copies of what is no longer there, or of kinds that are not listed, and what keeps no others.
fn within(facts: &mut Facts) {
    let there: BTreeSet<NodeId> = facts.assets.iter().map(|asset| asset.id.clone()).collect();
    facts.copies.retain(|copy| there.contains(&copy.of));
    facts.drills.retain(|drill| there.contains(&drill.asset));
    for asset in &mut facts.assets {
        asset.behind.retain(|behind| there.contains(behind));
    }
}

/// Reads one account with these keys; `callers` are those of it that were found, each with its own key.
fn describe(
    door: &ReadOnly,
    (number, keys, callers): (&str, Vec<&AwsKey>, Vec<(&str, &AwsKey)>),
    regions: &[String],
    facts: &mut Facts,
) -> (Account, Holdings) {
    let (node, rest) = nodes(number);
    let scene = Scene { door, account: number, node: node.clone(), keys, at: facts.at() };
    let home = regions.first().map_or(REGION, String::as_str);
    let enabled = enabled(&scene.clients(home), number, facts);
    let regions: Vec<&str> = match &enabled {
        Ok(all) if regions.is_empty() => all.iter().map(String::as_str).collect(),
        Err(_) if regions.is_empty() => vec![REGION],
        Ok(_) | Err(_) => regions.iter().map(String::as_str).collect(),
    };
    let homes = homes_of(&regions);
    let Read { facts: read, holdings, unlisted, .. } = scene.read(&regions, &homes, &enabled);
    facts.absorb(read);
    let name = format!("AWS account {number}");
    container(facts, &node, None, name.clone(), Fact::Known(Listed::Complete), number);
    let elsewhere = unlisted.first().cloned().unwrap_or_else(|| facts.doubt(number, NOT_LISTED));
    container(facts, &rest, Some(&node), name, Fact::Unknown(elsewhere), number);
    let region = regions.first().copied().unwrap_or(REGION);
    let clients = scene.clients(region);
    (
        Account {
            node,
            rest,
            directory: directory(&clients, number, &callers, facts),
            above: Above::default(),
            anyone: anyone(number),
        },
        holdings,
    )
}

fn clients<'a>(door: &'a ReadOnly, keys: Vec<&'a AwsKey>, region: &'a str) -> Vec<Client<'a>> {
    keys.into_iter().map(|key| Client { door, key, region }).collect()
}

/// An account that nobody reads.
fn unread_account(number: &str, readers: Option<&Readers>, facts: &mut Facts) -> Account {
    let gap = readers.and_then(|readers| readers.gaps.get(number).or(readers.refused.as_ref())).cloned();
    let gap = gap.unwrap_or_else(|| {
        let settle = format!("name a role of account {number} in providers.aws.roles");
        facts.not_asked(number, "no role of the auditor's is named for it", &settle)
    });
    let (node, rest) = nodes(number);
    let name = format!("AWS account {number}");
    container(facts, &node, None, name.clone(), Fact::Known(Listed::Complete), number);
    container(facts, &rest, Some(&node), name, Fact::Unknown(gap), number);
    Account { node, rest, directory: None, above: Above::default(), anyone: anyone(number) }
}

/// Whoever has all rights that an account may give.
fn anyone(number: &str) -> String {
    format!("aws:account/{number}/whoever-has-all-rights")
}

/// An account, and the part of it that was not listed.
fn nodes(number: &str) -> (NodeId, NodeId) {
    (NodeId(format!("aws:account/{number}")), NodeId(format!("aws:account/{number}/not-listed")))
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
fn unread(facts: &mut Facts, arn: &str, number: &str, why: Option<&Gap>) {
    let gap = why.cloned().unwrap_or_else(|| facts.doubt(number, "the policies of this identity were not read"));
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

/// The users and roles of an account, read with the first key that may. Where none may read all of them, those that were
/// found are read one by one.
fn directory(
    clients: &[Client<'_>],
    number: &str,
    callers: &[(&str, &AwsKey)],
    facts: &mut Facts,
) -> Option<Directory> {
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
    // Whoever asks to be left alone, or is not there, is not asked more instead.
    if matches!(fault.reason, GapReason::Throttled | GapReason::TimedOut | GapReason::Unreachable | GapReason::NotAsked)
    {
        return None;
    }
    let arns: BTreeSet<&str> = callers.iter().map(|(arn, _)| *arn).collect();
    let wanted = arns.into_iter().filter_map(|arn| {
        let own = |client: &&Client<'_>| {
            callers.iter().any(|(of, key)| *of == arn && key.credential == client.key.credential)
        };
        let others = clients.iter().filter(|client| !own(client));
        Wanted::caller(arn, clients.iter().filter(own).chain(others).copied().collect())
    });
    Some(Directory::narrow(number, clients, &wanted.collect::<Vec<_>>(), facts))
}
