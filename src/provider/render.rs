//! Render: what a key acts on, and what lies there.
//!
//! <https://render.com/docs/api-keys>, `docs/projects`, `docs/postgresql-backups`, `docs/disks`; the fields are those of the
//! client that Render generates from its own description (`render-oss/cli`). A classic key may do all that its user may, a
//! scoped one may do less, and no call tells which of them a key is. Lists of exports come with links to download them, and
//! are not asked.

mod inventory;

use std::collections::BTreeMap;

use deadstop_core::fact::Fact;
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::time::Time;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, May, anything};
use super::token::{Client, Got, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};
use inventory::Shelf;

pub(super) const HOST: &str = "api.render.com";
/// Kinds of credential that are asked about.
pub(super) const KINDS: [&str; 2] = ["api_key", "cli_token"];

const ABOUT: About =
    About { provider: "render", scope: "Render", allow: "to the key: a classic one reads all that its user may" };

const OWNERS: &str = "GET /owners";
const PROJECTS: &str = "GET /projects";
const ENVIRONMENTS: &str = "GET /environments";
const POSTGRES: &str = "GET /postgres";
const RECOVERY: &str = "GET /postgres/{}/recovery";
const KEY_VALUE: &str = "GET /key-value";
const SERVICES: &str = "GET /services";
const DISKS: &str = "GET /disks";
const SNAPSHOTS: &str = "GET /disks/{}/snapshots";

const PAGE: &[&str] = &["limit", "cursor"];

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "render",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(OWNERS, "/v1/owners", PAGE),
        Read::rest(PROJECTS, "/v1/projects", PAGE),
        Read::rest(ENVIRONMENTS, "/v1/environments", &["projectId", "limit", "cursor"]),
        Read::rest(POSTGRES, "/v1/postgres", PAGE),
        Read::rest(RECOVERY, "/v1/postgres/{}/recovery", &[]),
        Read::rest(KEY_VALUE, "/v1/key-value", PAGE),
        Read::rest(SERVICES, "/v1/services", PAGE),
        Read::rest(DISKS, "/v1/disks", PAGE),
        Read::rest(SNAPSHOTS, "/v1/disks/{}/snapshots", &[]),
    ],
};

/// Asks Render about these keys.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

/// A member of a list, beside its cursor.
#[derive(Deserialize)]
struct Item<T> {
    #[serde(
        alias = "owner",
        alias = "project",
        alias = "environment",
        alias = "postgres",
        alias = "keyValue",
        alias = "service",
        alias = "disk"
    )]
    item: T,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer);
    let credential = token.credential.as_str();
    let owners = items::<Named>(&client, OWNERS, &[]);
    let shelf = Shelf::of(&client);
    if let (Some(fault), true) = (&owners.fault, shelf.nothing_answered()) {
        learnt.refuse(OWNERS, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    // No call tells a key's own id; the name of its user says nothing of what the key may do.
    let who = PrincipalId(format!("render:key/{credential}"));
    facts.principal(&who, "the user of a Render key, as far as the key goes", None, (OWNERS, credential));
    let unlisted = facts.outcome(OWNERS, credential, owners.fault);
    let mut names: BTreeMap<String, String> = shelf.owners();
    names.extend(owners.items.into_iter().map(|one| (one.id, one.name)));
    let known: BTreeMap<String, String> = names.into_iter().filter(|(id, _)| is_id(id)).collect();
    let why = "whether a key is a classic one, which may do all that its user may, or a scoped one is not told";
    let untold = facts.doubt(credential, why);
    facts.everywhere(Some(&who), &untold, (OWNERS, credential));
    let may = May::NotKnown(untold);
    let unread = shelf.list(&client, &NodeId(format!("render:scope/{credential}")), facts);
    let mut titles = Vec::new();
    for (id, name) in &known {
        let (node, name) = (owner_node(id), shown(name));
        facts.grant(Some(&who), anything(), node.clone(), &may, (OWNERS, credential));
        let hidden = "a scoped key may not be shown everything in a workspace";
        let gap = unlisted.clone().or_else(|| unread.contents.clone());
        let gap = gap.unwrap_or_else(|| facts.doubt(&name, hidden));
        let title = format!("Render workspace {name}");
        let contents = Fact::Unknown(gap);
        facts.container(
            Container { kind: "workspace", name: &title, contents, ..Container::of(node) },
            (OWNERS, credential),
        );
        titles.push(name);
    }
    let lost = unread.orphans.then(|| facts.doubt(credential, "a disk is of a service that is not listed"));
    let none = known.is_empty().then(|| facts.doubt(credential, "a key works and names no workspace"));
    if let Some(gap) = unlisted.or(lost).or(none) {
        facts.beyond(&token.credential, Some(&who), (&gap, &may), OWNERS);
    }
    let scope = format!("workspaces {}, as far as the key goes, which is not told", titles.join(", "));
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

/// All members of a list, whose next page begins behind the cursor of the last one.
fn items<T: DeserializeOwned>(client: &Client<'_>, operation: &str, query: &[(&str, &str)]) -> Got<T> {
    let query = [query, &[("limit", "100")]].concat();
    let got = client.get_pages::<Item<T>>(operation, &[], &query, "", ("cursor", next));
    Got { items: got.items.into_iter().map(|one| one.item).collect(), fault: got.fault }
}

fn next(page: &Value) -> Result<Option<String>, Fault> {
    let Some(last) = page.as_array().ok_or_else(Fault::malformed)?.last() else { return Ok(None) };
    let cursor = last.get("cursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty());
    cursor.map(|cursor| Some(cursor.to_owned())).ok_or_else(Fault::malformed)
}

fn owner_node(id: &str) -> NodeId {
    NodeId(format!("render:{id}"))
}
