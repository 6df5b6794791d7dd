//! DigitalOcean: whose each token is, what it is seen to be able to do, and what lies there.
//!
//! <https://docs.digitalocean.com/reference/api/>, its `scopes`, `products/databases` and `products/snapshots`; the fields are
//! those of its OpenAPI description (`digitalocean/openapi`), which names the scope of every operation. No call tells a token
//! its scopes. One of them shows: who may see the credentials of databases is answered with their passwords.

mod inventory;

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::time::Time;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{May, anything};
use super::token::{Client, Got, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};
use inventory::Seen;

pub(super) const HOST: &str = "api.digitalocean.com";
/// Kinds of credential that are asked about. Keys of Spaces are for objects alone.
pub(super) const KINDS: [&str; 2] = ["personal_token", "oauth_token"];

const ABOUT: About = About {
    provider: "digitalocean",
    scope: "DigitalOcean",
    allow: "to the token: one of read access to everything reads all of this",
};

const ACCOUNT: &str = "GET /account";
const PROJECTS: &str = "GET /projects";
const RESOURCES: &str = "GET /projects/{}/resources";
const DATABASES: &str = "GET /databases";
const BACKUPS: &str = "GET /databases/{}/backups";
const DROPLETS: &str = "GET /droplets";
const VOLUMES: &str = "GET /volumes";
const SNAPSHOTS: &str = "GET /snapshots";
const CLUSTERS: &str = "GET /kubernetes/clusters";
const ASSOCIATED: &str = "GET /kubernetes/clusters/{}/destroy_with_associated_resources";

const PAGE: &[&str] = &["page", "per_page"];

/// The only calls that are ever sent. The last one lists what a cluster could be destroyed with, and destroys nothing.
pub(super) static READS: Reads = Reads {
    provider: "digitalocean",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(ACCOUNT, "/v2/account", &[]),
        Read::rest(PROJECTS, "/v2/projects", PAGE),
        Read::rest(RESOURCES, "/v2/projects/{}/resources", PAGE),
        Read::rest(DATABASES, "/v2/databases", &[]),
        Read::rest(BACKUPS, "/v2/databases/{}/backups", &[]),
        Read::rest(DROPLETS, "/v2/droplets", &["page", "per_page", "type"]),
        Read::rest(VOLUMES, "/v2/volumes", PAGE),
        Read::rest(SNAPSHOTS, "/v2/snapshots", PAGE),
        Read::rest(CLUSTERS, "/v2/kubernetes/clusters", PAGE),
        Read::rest(ASSOCIATED, "/v2/kubernetes/clusters/{}/destroy_with_associated_resources", &[]),
    ],
};

/// Where answers about databases hold passwords: users, and URLs to connect by.
const SECRETS: &[&str] = &["password", "uri", "users"];

/// Asks DigitalOcean about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Account {
    account: Holder,
}

#[derive(Deserialize)]
struct Holder {
    uuid: String,
    team: Option<Team>,
}

#[derive(Deserialize)]
struct Team {
    uuid: String,
    name: String,
}

#[derive(Deserialize)]
struct Project {
    id: String,
    name: String,
    environment: Option<String>,
}

#[derive(Deserialize)]
struct Resource {
    urn: String,
}

/// Which environment each project is said to be of, and which project each resource is in.
struct Projects {
    environments: BTreeMap<String, Fact<String>>,
    /// By the URN of the resource: `do:volume:ID`.
    resources: BTreeMap<String, String>,
    /// Why not all of them were read.
    gap: Option<Gap>,
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer).hiding(SECRETS);
    let credential = token.credential.as_str();
    let ids = |account: &Holder| is_id(&account.uuid) && account.team.as_ref().is_none_or(|team| is_id(&team.uuid));
    let account = client.get_object::<Account>(ACCOUNT, &[]).map(|answer| answer.account);
    let account = account.and_then(|account| if ids(&account) { Ok(account) } else { Err(Fault::malformed()) });
    let seen = Seen::of(&client);
    if let (Err(fault), true) = (&account, seen.nothing_answered()) {
        learnt.refuse(ACCOUNT, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    let scope = NodeId(format!("digitalocean:scope/{credential}"));
    let (root, place, who, name) = match &account {
        Ok(Holder { uuid, team }) => {
            facts.source(ACCOUNT, credential);
            let (root, place) = match team {
                Some(team) => (format!("team/{}", team.uuid), format!("DigitalOcean team {}", shown(&team.name))),
                None => (format!("user/{uuid}"), format!("DigitalOcean account {uuid}")),
            };
            // Each token has scopes of its own, of which no call tells.
            let who = format!("digitalocean:user/{uuid}#{credential}");
            (NodeId(format!("digitalocean:{root}")), place, who, format!("DigitalOcean user {uuid}, by one token"))
        }
        Err(fault) => {
            facts.refused(ACCOUNT, credential, fault);
            let name = "a DigitalOcean token that is not told whose it is".to_owned();
            let place = "DigitalOcean, as a token sees it".to_owned();
            (scope, place, format!("digitalocean:token/{credential}"), name)
        }
    };
    let who = PrincipalId(who);
    let asked = (ACCOUNT, credential);
    facts.principal(&who, &name, None, asked);
    let scopes = facts.doubt(&place, "which scopes a token was granted is not told");
    facts.everywhere(Some(&who), &scopes, asked);
    facts.grant(Some(&who), anything(), root.clone(), &May::NotKnown(scopes), asked);
    let projects = Projects::of(&client, facts);
    seen.list(&client, &who, (&root, &place), &projects, facts);
    let scope = format!("{place}, as far as its scopes go, which are not told");
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

impl Projects {
    fn of(client: &Client<'_>, facts: &mut Facts) -> Self {
        let got = pages::<Project>(client, PROJECTS, &[], &[], "projects");
        let mut gap = facts.outcome(PROJECTS, "all", got.fault);
        let (mut environments, mut resources) = (BTreeMap::new(), BTreeMap::new());
        for project in got.items {
            if !is_id(&project.id) {
                gap = Some(facts.refused(PROJECTS, "all", &Fault::of(GapReason::Malformed)));
                continue;
            }
            let name = shown(&project.name);
            let environment = match &project.environment {
                Some(environment) if !environment.is_empty() => Fact::Known(shown(&environment.to_ascii_lowercase())),
                _ => Fact::Unknown(facts.doubt(&name, "a project is said to be of no environment")),
            };
            let got = pages::<Resource>(client, RESOURCES, &[&project.id], &[], "resources");
            gap = gap.or(facts.outcome(RESOURCES, &name, got.fault));
            resources.extend(got.items.into_iter().map(|resource| (resource.urn, project.id.clone())));
            environments.insert(project.id, environment);
        }
        Self { environments, resources, gap }
    }

    /// The environment of a resource that is of this project, or is in one by its URN.
    fn environment(&self, project: Option<&str>, urn: &str, facts: &mut Facts) -> Fact<String> {
        let project = project.or_else(|| self.resources.get(urn).map(String::as_str));
        let known = project.and_then(|project| self.environments.get(project));
        known.cloned().unwrap_or_else(|| {
            let why = "no project that was read holds this, so that nothing says which environment it belongs to";
            Fact::Unknown(self.gap.clone().unwrap_or_else(|| facts.doubt(urn, why)))
        })
    }
}

/// All pages of a list. Each says how many there are in all.
fn pages<T: DeserializeOwned>(
    client: &Client<'_>,
    operation: &str,
    segments: &[&str],
    query: &[(&str, &str)],
    key: &str,
) -> Got<T> {
    let query = [query, &[("per_page", "100")]].concat();
    let mut got = client.get_pages(operation, segments, &query, key, ("page", next));
    if got.fault.is_none() {
        let first = client.get(operation, segments, &query);
        let total = first.ok().and_then(|page| page.pointer("/meta/total")?.as_u64());
        if total != u64::try_from(got.items.len()).ok() {
            got.fault = Some(Fault::malformed());
        }
    }
    got
}

/// The number of the next page, which a link tells (API reference, "Links & Pagination").
fn next(page: &Value) -> Result<Option<String>, Fault> {
    let links = page.get("links").filter(|links| links.is_object()).ok_or_else(Fault::malformed)?;
    let Some(next) = links.pointer("/pages/next") else { return Ok(None) };
    let url = next.as_str().and_then(|next| url::Url::parse(next).ok()).ok_or_else(Fault::malformed)?;
    let number = url.query_pairs().find(|(key, _)| key == "page").map(|(_, number)| number.into_owned());
    number.filter(|number| number.parse::<u64>().is_ok()).map(Some).ok_or_else(Fault::malformed)
}
