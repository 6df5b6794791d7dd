//! Cloudflare: what each token may do, where it may read its own policies, and which buckets and databases lie there.
//!
//! <https://developers.cloudflare.com/api/>, `fundamentals/api/reference/permissions`, `r2/buckets/bucket-locks`,
//! `d1/reference/time-travel`; the fields are those of the client that Cloudflare generates from its OpenAPI description
//! (`cloudflare/cloudflare-python`). Any token is told its own id; its policies only one that may read tokens.

mod inventory;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::Basis;
use deadstop_core::time::Time;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, May, anything, names};
use super::token::{Client, Got, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "api.cloudflare.com";
/// Kinds of credential that are asked about. A global key is sent with an address that lies elsewhere.
pub(super) const KINDS: [&str; 4] = ["account_token", "api_token", "oauth_token", "user_token"];

const ABOUT: About = About {
    provider: "cloudflare",
    scope: "Cloudflare",
    allow: "to the token: `API Tokens Read` lets a token read its own policies",
};

const VERIFY: &str = "GET /user/tokens/verify";
const POLICIES: &str = "GET /user/tokens/{}";
const ACCOUNTS: &str = "GET /accounts";
const VERIFY_THERE: &str = "GET /accounts/{}/tokens/verify";
const POLICIES_THERE: &str = "GET /accounts/{}/tokens/{}";
const BUCKETS: &str = "GET /accounts/{}/r2/buckets";
const LOCK: &str = "GET /accounts/{}/r2/buckets/{}/lock";
const DATABASES: &str = "GET /accounts/{}/d1/database";
const NAMESPACES: &str = "GET /accounts/{}/storage/kv/namespaces";

const PAGE: &[&str] = &["page", "per_page"];

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "cloudflare",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(VERIFY, "/client/v4/user/tokens/verify", &[]),
        Read::rest(POLICIES, "/client/v4/user/tokens/{}", &[]),
        Read::rest(ACCOUNTS, "/client/v4/accounts", PAGE),
        Read::rest(VERIFY_THERE, "/client/v4/accounts/{}/tokens/verify", &[]),
        Read::rest(POLICIES_THERE, "/client/v4/accounts/{}/tokens/{}", &[]),
        Read::rest(BUCKETS, "/client/v4/accounts/{}/r2/buckets", &["cursor", "per_page"]),
        Read::rest(LOCK, "/client/v4/accounts/{}/r2/buckets/{}/lock", &[]),
        Read::rest(DATABASES, "/client/v4/accounts/{}/d1/database", PAGE),
        Read::rest(NAMESPACES, "/client/v4/accounts/{}/storage/kv/namespaces", PAGE),
    ],
};

/// Asks Cloudflare about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

/// What every answer is wrapped in; one that does not say that it succeeded is none.
#[derive(Deserialize)]
struct Whole<T> {
    #[expect(dead_code, reason = "an answer without it is none")]
    success: Success,
    result: T,
}

#[derive(Deserialize)]
#[serde(try_from = "bool")]
struct Success;

impl TryFrom<bool> for Success {
    type Error = &'static str;

    fn try_from(success: bool) -> Result<Self, Self::Error> {
        if success { Ok(Self) } else { Err("no success") }
    }
}

#[derive(Deserialize)]
struct Verified {
    id: String,
    status: String,
}

#[derive(Deserialize)]
struct Account {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Policies {
    policies: Option<Vec<Policy>>,
}

#[derive(Deserialize)]
struct Policy {
    effect: String,
    permission_groups: Vec<Group>,
    resources: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Group {
    name: Option<String>,
}

/// What a token may do.
enum Rights {
    Policies(Vec<Policy>),
    NotKnown(Gap),
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer);
    let credential = token.credential.as_str();
    let mut got = pages::<Account>(&client, ACCOUNTS, &[]);
    if !got.items.iter().all(|one| is_id(&one.id)) {
        got.items.retain(|one| is_id(&one.id));
        got.fault = Some(Fault::of(GapReason::Malformed));
    }
    let told = identity(&client, &got.items);
    if let (Err(fault), Some(_)) = (&told, &got.fault) {
        learnt.refuse(VERIFY, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    let (who, name, rights) = match &told {
        Ok((id, of)) => {
            let name = format!("Cloudflare token {id}");
            (format!("cloudflare:token/{id}"), name, rights(&client, (id, of.as_deref()), credential, facts))
        }
        Err(fault) => {
            let gap = facts.refused(VERIFY, credential, fault);
            let name = "a Cloudflare login or token that is not told its id".to_owned();
            (format!("cloudflare:token/{credential}"), name, Rights::NotKnown(gap))
        }
    };
    let who = PrincipalId(who);
    facts.principal(&who, &name, None, (VERIFY, credential));
    let unlisted = facts.outcome(ACCOUNTS, credential, got.fault);
    let mut titles = Vec::new();
    let ids: BTreeSet<&str> = got.items.iter().map(|one| one.id.as_str()).collect();
    grants(facts, (&who, &rights), &ids, credential);
    for account in &got.items {
        let name = shown(&account.name);
        let node = account_node(&account.id);
        let gap = inventory::list(&client, account, facts);
        if let (Rights::Policies(_), Some(gap)) = (&rights, &gap) {
            // What is not listed may be what it has rights to.
            let rest = NodeId(format!("{node}/?"));
            facts.grant(Some(&who), anything(), rest, &May::NotKnown(gap.clone()), (ACCOUNTS, &name));
        }
        // A list is of the buckets of one jurisdiction.
        let hidden = "buckets of other jurisdictions are in lists of their own, which were not asked";
        let gap = gap.unwrap_or_else(|| facts.doubt(&name, hidden));
        let title = format!("Cloudflare account {name}");
        let contents = Fact::Unknown(gap);
        facts
            .container(Container { kind: "account", name: &title, contents, ..Container::of(node) }, (ACCOUNTS, &name));
        titles.push(name);
    }
    let none = titles.is_empty().then(|| facts.doubt(credential, "a token works and names no account"));
    if let Some(gap) = unlisted.or(none) {
        facts.beyond(&token.credential, Some(&who), (&gap, &May::NotKnown(gap.clone())), ACCOUNTS);
    }
    let read = if matches!(rights, Rights::Policies(_)) {
        "as its policies say"
    } else {
        "as its policies say, which it may not read"
    };
    let scope = format!("accounts {}, {read}", titles.join(", "));
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

/// The id of a token, and the account that it belongs to where it is no user's.
fn identity(client: &Client<'_>, accounts: &[Account]) -> Result<(String, Option<String>), Fault> {
    let active = |whole: Whole<Verified>| {
        let one = whole.result;
        if is_id(&one.id) && one.status == "active" { Ok(one.id) } else { Err(Fault::malformed()) }
    };
    let of_user = client.get_object::<Whole<Verified>>(VERIFY, &[]).and_then(active);
    let fault = match of_user {
        Ok(id) => return Ok((id, None)),
        Err(fault) => fault,
    };
    let of_account = |account: &Account| {
        let id = client.get_object::<Whole<Verified>>(VERIFY_THERE, &[&account.id]).and_then(active).ok()?;
        Some((id, Some(account.id.clone())))
    };
    accounts.iter().find_map(of_account).ok_or(fault)
}

fn rights(client: &Client<'_>, (id, of): (&str, Option<&str>), credential: &str, facts: &mut Facts) -> Rights {
    let (operation, segments) = match of {
        Some(account) => (POLICIES_THERE, vec![account, id]),
        None => (POLICIES, vec![id]),
    };
    match client.get_object::<Whole<Policies>>(operation, &segments) {
        Ok(Whole { result: Policies { policies: Some(policies) }, .. }) => {
            facts.source(operation, credential);
            Rights::Policies(policies)
        }
        Ok(_) => Rights::NotKnown(facts.refused(operation, credential, &Fault::malformed())),
        Err(fault) => Rights::NotKnown(facts.refused(operation, credential, &fault)),
    }
}

/// All numbered pages of a list.
fn pages<T: DeserializeOwned>(client: &Client<'_>, operation: &str, segments: &[&str]) -> Got<T> {
    client.get_pages(operation, segments, &[("per_page", "50")], "result", ("page", next))
}

fn next(page: &Value) -> Result<Option<String>, Fault> {
    succeeded(page)?;
    let number = |name: &str| page.pointer(&format!("/result_info/{name}")).and_then(Value::as_u64);
    match (number("page"), number("per_page"), number("total_count")) {
        (Some(page), Some(size), Some(total)) => {
            Ok((page.saturating_mul(size) < total).then(|| page.saturating_add(1).to_string()))
        }
        _ => Err(Fault::malformed()),
    }
}

fn succeeded(page: &Value) -> Result<(), Fault> {
    if page.get("success") == Some(&Value::Bool(true)) { Ok(()) } else { Err(Fault::malformed()) }
}

fn account_node(id: &str) -> NodeId {
    NodeId(format!("cloudflare:{id}"))
}

/// Permissions that only read (`fundamentals/api/reference/permissions`).
const READING: [&str; 36] = [
    "API Tokens Read",
    "Access: Apps and Policies Read",
    "Access: Audit Logs Read",
    "Account Analytics Read",
    "Account Firewall Access Rules Read",
    "Account Rule Lists Read",
    "Account Rulesets Read",
    "Account Settings Read",
    "Account WAF Read",
    "Analytics Read",
    "Billing Read",
    "Bot Management Read",
    "Bulk URL Redirects Read",
    "DDoS Protection Read",
    "DNS Firewall Read",
    "DNS Read",
    "Email Routing Rules Read",
    "Firewall Services Read",
    "Health Checks Read",
    "Images Read",
    "Load Balancing: Monitors and Pools Read",
    "Logs Read",
    "Magic Firewall Read",
    "Memberships Read",
    "Rule Policies Read",
    "Stream Read",
    "Teams Read",
    "Transform Rules Read",
    "User Details Read",
    "Workers KV Storage Read",
    "Workers R2 Storage Bucket Item Read",
    "Workers R2 Storage Read",
    "Workers Scripts Read",
    "Workers Tail Read",
    "Zone Read",
    "Zone Settings Read",
];

/// What the permissions of this name lead to; nothing: it is not known.
fn operations(group: &str) -> Option<&'static [&'static str]> {
    Some(match group {
        "Workers R2 Storage Write" => &["r2:DeleteObject", "r2:PutBucketLock", "r2:PutLifecycle", "r2:PutObject"],
        "Workers R2 Storage Bucket Item Write" => &["r2:DeleteObject", "r2:PutObject"],
        "D1 Write" => &["d1:DeleteDatabase", "d1:Query"],
        "Workers KV Storage Write" => &["kv:DeleteNamespace", "kv:WriteKey"],
        _ if READING.contains(&group) => &[],
        // One that deploys a script binds it to any bucket or database of the account. What runs as a query may write, so
        // that `D1 Read` is among these.
        _ => return None,
    })
}

/// What each policy allows, wherever it does: in accounts that are listed, and in others.
fn grants(facts: &mut Facts, (who, rights): (&PrincipalId, &Rights), listed: &BTreeSet<&str>, credential: &str) {
    let asked = (POLICIES, credential);
    let policies = match rights {
        Rights::NotKnown(gap) => {
            facts.everywhere(Some(who), gap, asked);
            return;
        }
        Rights::Policies(policies) => policies,
    };
    let mut beyond = BTreeSet::new();
    // A policy that denies takes away from those that allow, which was not followed: what they allow counts.
    for policy in policies.iter().filter(|policy| policy.effect != "deny") {
        let places: BTreeSet<Place<'_>> = policy.resources.keys().map(|resource| place(resource)).collect();
        for group in &policy.permission_groups {
            let group = group.name.as_deref().unwrap_or_default();
            let actions = operations(group);
            if actions.is_some_and(<[_]>::is_empty) {
                continue;
            }
            let why = "what a permission of a policy leads to is not known to this version";
            let because = format!("its policies have `{}`", shown(group));
            for place in &places {
                let targets: Vec<&str> = match place {
                    Place::Account(id) => vec![*id],
                    Place::Anywhere => listed.iter().copied().collect(),
                    Place::Elsewhere | Place::User => Vec::new(),
                };
                beyond.extend(targets.iter().copied().filter(|id| !listed.contains(id)));
                for node in targets.into_iter().map(account_node) {
                    match actions {
                        Some(actions) => {
                            facts.granted(who, names(actions), node, (Basis::Observed, &because), asked);
                        }
                        None => {
                            let gap = facts.doubt(credential, why);
                            facts.grant(Some(who), anything(), node, &May::NotKnown(gap), asked);
                        }
                    }
                }
                if *place == Place::Anywhere {
                    let gap = facts.doubt(credential, "a policy is for all accounts, and not all may be listed");
                    let may = May::NotKnown(gap);
                    facts.grant(Some(who), actions.map_or_else(anything, names), "*".into(), &may, asked);
                }
                if *place == Place::User {
                    let why = "who may change a user may give himself any of the user's rights, which was not followed";
                    let gap = facts.doubt(credential, why);
                    facts.everywhere(Some(who), &gap, asked);
                }
            }
        }
    }
    for id in beyond {
        let contents = Fact::Unknown(facts.doubt(credential, "a policy names an account that is not listed"));
        let title = format!("Cloudflare account {id}");
        let seen = Container { kind: "account", name: &title, contents, ..Container::of(account_node(id)) };
        facts.container(seen, asked);
    }
}

/// Where a policy holds that has a resource.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    Account(&'a str),
    /// In any account of the token.
    Anywhere,
    /// At the user himself.
    User,
    /// In zones, where none of the assets lies.
    Elsewhere,
}

/// `com.cloudflare.api.account.ID`, `com.cloudflare.edge.r2.bucket.ID_JURISDICTION_NAME`, `com.cloudflare.api.user.ID`; what
/// has another form may be anywhere.
fn place(resource: &str) -> Place<'_> {
    if resource.starts_with("com.cloudflare.api.account.zone") {
        return Place::Elsewhere;
    }
    if resource.starts_with("com.cloudflare.api.user") {
        return Place::User;
    }
    let rest = ["com.cloudflare.api.account.", "com.cloudflare.edge.r2.bucket."];
    let rest = rest.iter().find_map(|start| resource.strip_prefix(start)).unwrap_or_default();
    match rest.split_once('_').map_or(rest, |(id, _)| id) {
        id if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) => Place::Account(id),
        _ => Place::Anywhere,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_says_where_its_policy_holds() {
        let id = "023e105f4ecef8ad9ca31a8372d0c353";
        for (resource, there) in [
            (format!("com.cloudflare.api.account.{id}"), Place::Account(id)),
            (format!("com.cloudflare.edge.r2.bucket.{id}_default_uploads"), Place::Account(id)),
            ("com.cloudflare.api.account.*".to_owned(), Place::Anywhere),
            ("com.cloudflare.api.account.zone.*".to_owned(), Place::Elsewhere),
            (format!("com.cloudflare.api.user.{id}"), Place::User),
            ("com.cloudflare.api.something".to_owned(), Place::Anywhere),
        ] {
            assert!(place(&resource) == there, "{resource}");
        }
    }

    #[test]
    fn what_does_not_say_that_it_succeeded_is_no_answer() {
        for page in [json!({"result": []}), json!({"success": false, "result": []}), json!({"success": "true"})] {
            assert!(next(&page).is_err() && serde_json::from_value::<Whole<Value>>(page).is_err());
        }
        assert!(serde_json::from_value::<Whole<Value>>(json!({"success": true, "result": {}})).is_ok());
    }

    #[test]
    fn a_permission_that_is_not_known_is_none_that_only_reads() {
        for group in ["D1 Read", "Anything New Read", "API Tokens Write", ""] {
            assert!(operations(group).is_none(), "{group}");
        }
        assert_eq!(operations("Workers R2 Storage Read"), Some([].as_slice()));
    }
}
