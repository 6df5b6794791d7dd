//! MongoDB Atlas: what a key may do by its roles, which clusters lie in each project, and what is kept of them.
//!
//! <https://www.mongodb.com/docs/api/doc/atlas-admin-api-v2/>, `atlas/reference/user-roles`,
//! `atlas/backup/cloud-backup/backup-compliance-policy`; the fields are those of its OpenAPI description, which tells of each
//! operation the roles that it takes, too (`mongodb/mongodb-atlas-cli`, `tools/internal/specs/spec.yaml`). A key is proven by its pair, and not
//! sent. A service account has to be issued a token first, which is not asked for: its secret is sent nowhere.

mod kept;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::Class;
use deadstop_core::time::Time;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, Guard, May, Seen, anything, can};
use super::same::ANY_ATLAS;
use super::token::{Client, Got, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};
use kept::{Keeps, snapshot_of, snapshots};

pub(super) const HOST: &str = "cloud.mongodb.com";
/// Kinds of credential that are asked about.
pub(super) const KINDS: [&str; 2] = ["api_key", "oauth_token"];

const ABOUT: About = About {
    provider: "mongodb_atlas",
    scope: "MongoDB Atlas",
    allow: "to the key: the role Project Read Only reads all of this but the backup compliance policy, which takes Project Owner",
};

const STATUS: &str = "GET /";
const ORGS: &str = "GET /orgs";
const GROUPS: &str = "GET /groups";
const CLUSTERS: &str = "GET /groups/{}/clusters";
const FLEX: &str = "GET /groups/{}/flexClusters";
const POLICY: &str = "GET /groups/{}/backupCompliancePolicy";
const SNAPSHOTS: &str = "GET /groups/{}/clusters/{}/backup/snapshots";
const SHARDED: &str = "GET /groups/{}/clusters/{}/backup/snapshots/shardedClusters";

const PAGE: &[&str] = &["itemsPerPage", "pageNum"];

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "mongodb_atlas",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(STATUS, "/api/atlas/v2", &[]),
        Read::rest(ORGS, "/api/atlas/v2/orgs", PAGE),
        Read::rest(GROUPS, "/api/atlas/v2/groups", PAGE),
        Read::rest(CLUSTERS, "/api/atlas/v2/groups/{}/clusters", PAGE),
        Read::rest(FLEX, "/api/atlas/v2/groups/{}/flexClusters", PAGE),
        Read::rest(POLICY, "/api/atlas/v2/groups/{}/backupCompliancePolicy", &[]),
        Read::rest(SNAPSHOTS, "/api/atlas/v2/groups/{}/clusters/{}/backup/snapshots", PAGE),
        Read::rest(SHARDED, "/api/atlas/v2/groups/{}/clusters/{}/backup/snapshots/shardedClusters", &[]),
    ],
};

/// The version of each resource that is understood here.
const FIRST: &str = "application/vnd.atlas.2023-01-01+json";
const OF_CLUSTERS: &str = "application/vnd.atlas.2024-08-05+json";
const OF_FLEX: &str = "application/vnd.atlas.2024-11-13+json";

/// Roles that let nothing be changed (`atlas/reference/user-roles`: "read-only access").
const READ_ONLY: [&str; 4] = ["GROUP_READ_ONLY", "ORG_BILLING_READ_ONLY", "ORG_MEMBER", "ORG_READ_ONLY"];

/// How many of a list are on a page.
const FULL: (&str, &str, usize) = ("itemsPerPage", "100", 100);

/// Asks MongoDB Atlas about these keys.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Status {
    #[serde(rename = "apiKey")]
    key: Key,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    roles: Vec<Role>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Role {
    org_id: Option<String>,
    group_id: Option<String>,
    role_name: String,
}

#[derive(Deserialize)]
struct Org {
    id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: String,
    name: String,
    org_id: String,
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    id: String,
    name: String,
    cluster_type: Option<String>,
    backup_enabled: Option<bool>,
    encryption_at_rest_provider: Option<String>,
    termination_protection_enabled: Option<bool>,
    /// Each way to its hosts: `standard`, `privateSrv`, `privateEndpoint` and more.
    connection_strings: Option<Value>,
    tags: Option<Vec<Tag>>,
}

/// What a key may do, by the id of the organization or the project, where its roles there do not only read; and why it is not
/// known where no role says.
struct Roles {
    may: BTreeMap<String, May>,
    /// Places of which a role says what the key may do in their projects, if only to read.
    told: BTreeSet<String>,
    untold: Option<Gap>,
}

impl Roles {
    fn of(roles: &[Role], credential: &str, facts: &mut Facts) -> Self {
        let mut may: BTreeMap<String, May> = BTreeMap::new();
        let mut told = BTreeSet::new();
        let mut untold = roles.is_empty().then(|| facts.doubt(credential, "a key works and tells no role"));
        for role in roles {
            let Some(place) = role.group_id.as_ref().or(role.org_id.as_ref()).filter(|place| is_id(place)) else {
                untold = Some(facts.doubt(credential, "a role of a key is for no organization and no project"));
                continue;
            };
            if role.group_id.is_some() || ["ORG_OWNER", "ORG_READ_ONLY"].contains(&role.role_name.as_str()) {
                told.insert(place.clone());
            }
            let held = match role.role_name.as_str() {
                "ORG_OWNER" => May::Everything("the key owns the organization, and every project in it"),
                "GROUP_OWNER" => May::Everything("the key owns the project"),
                name if READ_ONLY.contains(&name) => continue,
                name => {
                    let why = "what a role allows that neither owns nor only reads was not followed";
                    May::NotKnown(facts.doubt(&shown(name), why))
                }
            };
            if !matches!(may.get(place), Some(May::Everything(_))) {
                may.insert(place.clone(), held);
            }
        }
        Self { may, told, untold }
    }

    /// No role was read.
    const fn not_read(gap: Gap) -> Self {
        Self { may: BTreeMap::new(), told: BTreeSet::new(), untold: Some(gap) }
    }

    /// Grants what each role allows, whether its place was listed or not: nothing says which of the two it is.
    fn grant(&self, who: &PrincipalId, asked: (&str, &str), facts: &mut Facts) {
        for (id, may) in &self.may {
            for kind in ["org", "project"] {
                facts.grant(Some(who), anything(), node(kind, id), may, asked);
            }
        }
    }

    /// Grants what roles allow in a project that was listed. Where none says why it is shown, the list of roles is not whole.
    fn grant_in(&self, who: &PrincipalId, group: &Group, asked: (&str, &str), facts: &mut Facts) {
        let at = node("project", &group.id);
        // The organization may not have been listed.
        if let Some(may) = self.may.get(&group.org_id) {
            facts.grant(Some(who), anything(), at.clone(), may, asked);
        }
        if self.untold.is_none() && ![&group.id, &group.org_id].iter().any(|id| self.told.contains(*id)) {
            let gap = facts.doubt(&shown(&group.name), "a key is shown a project, and no role of it says why");
            facts.grant(Some(who), anything(), at, &May::NotKnown(gap.clone()), asked);
            facts.everywhere(Some(who), &gap, asked);
        }
    }

    /// What the key may do where its roles are and no list was shown.
    fn beyond(&self, listed: &BTreeSet<&str>, credential: &str, facts: &mut Facts) -> Option<(Gap, May)> {
        let mut unlisted = self.may.iter().filter(|(id, _)| !listed.contains(id.as_str())).map(|(_, may)| may);
        let first = unlisted.next()?;
        let owned = [first].into_iter().chain(unlisted).find(|may| matches!(may, May::Everything(_)));
        let gap = facts.doubt(credential, "a role of a key is for a place that was not listed");
        Some((gap, owned.unwrap_or(first).clone()))
    }
}

/// The same place, asked for the version of each resource that is understood here.
struct Clients<'a> {
    first: Client<'a>,
    clusters: Client<'a>,
    flex: Client<'a>,
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let credential = token.credential.as_str();
    let key = token.kind == "api_key";
    if key && token.public_id.is_none() {
        let why = "a private key is proven beside its public key, which does not lie beside it";
        let gap = learnt.facts.not_asked(credential, why, "write MONGODB_ATLAS_PUBLIC_API_KEY beside the key");
        learnt.identities.insert(token.credential.clone(), (Fact::Unknown(gap.clone()), Fact::Unknown(gap)));
        return learnt;
    }
    let login = if key { Shown::Digest } else { Shown::Bearer };
    let client = |accept| Client::new(door, &READS, HOST, token, login).accepting(accept);
    let clients = Clients { first: client(FIRST), clusters: client(OF_CLUSTERS), flex: client(OF_FLEX) };
    let status = key.then(|| clients.first.get_object::<Status>(STATUS, &[]).map(|status| status.key));
    let groups = pages::<Group>(&clients.first, GROUPS, &[]);
    let refused = match &status {
        Some(Err(fault)) => Some((STATUS, fault)),
        None => groups.fault.as_ref().map(|fault| (GROUPS, fault)),
        Some(Ok(_)) => None,
    };
    if let (Some((operation, fault)), Some(_)) = (refused, &groups.fault) {
        learnt.refuse(operation, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    let (who, name, roles) = match status {
        Some(Ok(key)) if is_id(&key.id) => {
            let roles = Roles::of(&key.roles, credential, facts);
            (format!("mongodb_atlas:key/{}", key.id), format!("MongoDB Atlas key {}", key.id), roles)
        }
        other => {
            let gap = match other {
                None => facts.doubt(credential, "what a login may do is told by no call"),
                Some(Ok(_)) => facts.refused(STATUS, credential, &Fault::malformed()),
                Some(Err(fault)) => facts.refused(STATUS, credential, &fault),
            };
            let name = "a login or a key of MongoDB Atlas".to_owned();
            (format!("mongodb_atlas:token/{credential}"), name, Roles::not_read(gap))
        }
    };
    let who = PrincipalId(who);
    facts.principal(&who, &name, None, (GROUPS, credential));
    if let Some(gap) = &roles.untold {
        facts.everywhere(Some(&who), gap, (GROUPS, credential));
    }
    roles.grant(&who, (STATUS, credential), facts);
    let orgs = pages::<Org>(&clients.first, ORGS, &[]);
    let mut unlisted = facts.outcome(ORGS, credential, orgs.fault);
    unlisted = facts.outcome(GROUPS, credential, groups.fault).or(unlisted);
    let ids = orgs.items.iter().map(|org| &org.id).chain(groups.items.iter().map(|group| &group.id));
    if !ids.chain(groups.items.iter().map(|group| &group.org_id)).all(|id| is_id(id)) {
        unlisted = Some(facts.refused(GROUPS, credential, &Fault::malformed()));
    }
    for org in orgs.items.iter().filter(|org| is_id(&org.id)) {
        let (node, name) = (node("org", &org.id), shown(&org.name));
        let why = "a key may not be shown every project of an organization";
        let contents = Fact::Unknown(unlisted.clone().unwrap_or_else(|| facts.doubt(&name, why)));
        let title = format!("MongoDB Atlas organization {name}");
        let seen = Container { kind: "organization", name: &title, contents, ..Container::of(node) };
        facts.container(seen, (ORGS, credential));
    }
    let mut titles = Vec::new();
    for group in groups.items.iter().filter(|group| is_id(&group.id) && is_id(&group.org_id)) {
        let node = node("project", &group.id);
        roles.grant_in(&who, group, (STATUS, &shown(&group.name)), facts);
        list(&clients, group, &node, facts);
        titles.push(shown(&group.name));
    }
    let none = titles.is_empty().then(|| facts.doubt(credential, "a key works and names no project"));
    let orgs = orgs.items.iter().map(|org| org.id.as_str());
    let listed: BTreeSet<&str> = orgs.chain(groups.items.iter().map(|group| group.id.as_str())).collect();
    let beyond = roles.beyond(&listed, credential, facts).or_else(|| {
        let gap = unlisted.or(none)?;
        Some((gap.clone(), May::NotKnown(roles.untold.clone().unwrap_or(gap))))
    });
    if let Some((gap, may)) = beyond {
        facts.beyond(&token.credential, Some(&who), (&gap, &may), GROUPS);
    }
    let scope = format!("projects {}, by its roles", titles.join(", "));
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

fn node(kind: &str, id: &str) -> NodeId {
    NodeId(format!("mongodb_atlas:{kind}/{id}"))
}

/// A list that lies on numbered pages.
fn pages<T: DeserializeOwned>(client: &Client<'_>, operation: &str, segments: &[&str]) -> Got<T> {
    client.get_pages(operation, segments, &[(FULL.0, FULL.1)], "results", ("pageNum", next))
}

/// The number of the page behind this one, which a link names. A page that is full has another behind it.
fn next(page: &Value) -> Result<Option<String>, Fault> {
    let links = page.get("links").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let next = links.iter().find(|link| link.get("rel").and_then(Value::as_str) == Some("next"));
    let Some(next) = next else {
        let full = page.get("results").and_then(Value::as_array).is_some_and(|all| all.len() >= FULL.2);
        return if full { Err(Fault::malformed()) } else { Ok(None) };
    };
    let url = next.get("href").and_then(Value::as_str).and_then(|href| Url::parse(href).ok());
    let number = url.and_then(|url| url.query_pairs().find(|(key, _)| key == "pageNum").map(|(_, at)| at.into_owned()));
    number.map(Some).ok_or_else(Fault::malformed)
}

fn environment(tags: [Option<&Vec<Tag>>; 2], name: &str, facts: &mut Facts) -> Fact<String> {
    let tagged = |tags: &Vec<Tag>| {
        let of = |wanted: &str| tags.iter().find(|tag| tag.key.eq_ignore_ascii_case(wanted));
        of("environment").or_else(|| of("env")).map(|tag| shown(&tag.value))
    };
    match tags.into_iter().flatten().find_map(tagged) {
        Some(tag) => Fact::Known(tag),
        None => {
            Fact::Unknown(facts.doubt(name, "no tag of a cluster or its project says which environment it belongs to"))
        }
    }
}

/// A project with its clusters. It is not deleted while it has one (`CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS`).
fn list(clients: &Clients<'_>, group: &Group, parent: &NodeId, facts: &mut Facts) {
    let (id, name) = (group.id.as_str(), shown(&group.name));
    let clusters = pages::<Cluster>(&clients.clusters, CLUSTERS, &[id]);
    let flex = pages::<Cluster>(&clients.flex, FLEX, &[id]);
    let mut gap = facts.outcome(CLUSTERS, &name, clusters.fault);
    gap = facts.outcome(FLEX, &name, flex.fault).or(gap);
    let keeps = Keeps::of(&clients.first, id, &name, facts);
    for (flexible, cluster) in
        clusters.items.iter().map(|one| (false, one)).chain(flex.items.iter().map(|one| (true, one)))
    {
        // Former small clusters are in both lists.
        let twice = !flexible && flex.items.iter().any(|one| one.id == cluster.id);
        if twice {
            continue;
        }
        if is_id(&cluster.id) && is_id(&cluster.name) {
            let environment = environment([cluster.tags.as_ref(), group.tags.as_ref()], &shown(&cluster.name), facts);
            cluster_of(&clients.first, (group, parent), &keeps, (cluster, flexible), environment, facts);
        } else {
            gap = Some(facts.refused(CLUSTERS, &name, &Fault::malformed()));
        }
    }
    let why = "archives, data federation and streams of a project were not listed";
    let contents = Fact::Unknown(gap.unwrap_or_else(|| facts.doubt(&name, why)));
    let title = format!("MongoDB Atlas project {name}");
    let above = node("org", &group.org_id);
    let seen =
        Container { kind: "project", name: &title, parent: Some(&above), contents, ..Container::of(parent.clone()) };
    facts.container(seen, (GROUPS, &name));
}

fn cluster_of(
    client: &Client<'_>,
    (group, parent): (&Group, &NodeId),
    keeps: &Keeps,
    (cluster, flexible): (&Cluster, bool),
    environment: Fact<String>,
    facts: &mut Facts,
) {
    let name = format!("{}/{}", shown(&group.name), shown(&cluster.name));
    let id = node("cluster", &cluster.id);
    let asked = (if flexible { FLEX } else { CLUSTERS }, name.as_str());
    let (kind, delete, update) = if flexible {
        ("flex_cluster", "deleteFlexCluster", "updateFlexCluster")
    } else {
        ("cluster", "deleteCluster", "updateCluster")
    };
    let snapshots = if flexible { Err(None) } else { snapshots(client, &group.id, cluster) };
    let copies = match &snapshots {
        Ok(_) => Fact::Known(Listed::Complete),
        Err(Some(fault)) => Fact::Unknown(facts.refused(SNAPSHOTS, &name, fault)),
        Err(None) => {
            Fact::Unknown(facts.doubt(&name, "whether snapshots of a flex cluster outlive it is not documented"))
        }
    };
    facts.seen(
        Seen {
            id: id.clone(),
            kind,
            class: Class::Database,
            name: name.clone(),
            parent: Some(parent),
            environment,
            contents: None,
            copies,
            holds: None,
        },
        asked,
    );
    let enabled = match cluster.termination_protection_enabled {
        Some(on) => Fact::Known(on),
        None => Fact::Unknown(facts.doubt(&name, "whether termination protection is on was not in the answer")),
    };
    let because = match cluster.termination_protection_enabled {
        Some(true) => "termination protection is on",
        Some(false) => "termination protection is off",
        None => "whether termination protection is on was not told",
    };
    let lifts = Fact::Known(vec![can(update, &id, "switch termination protection off")]);
    let kind = "termination protection";
    // "Cannot close group while it has active clusters", and a protected one stays.
    let covers = &[delete, "deleteProject"];
    let guard = Guard { on: &id, kind, covers, enabled, holds_parent: true, lifts, because };
    facts.guarded(guard, asked);
    if let Ok(Some(newest)) = snapshots {
        snapshot_of(&id, &name, newest, (keeps, cluster), facts);
    }
    for host in cluster.connection_strings.iter().flat_map(hosts) {
        facts.endpoint(&id, "mongodb", Some(&host));
    }
    // A host of a federated database, or of a private endpoint that was not told.
    facts.endpoint(&id, "mongodb", Some(ANY_ATLAS));
}

/// The hosts in all connection strings: `mongodb+srv://HOST`, `mongodb://HOST:PORT,HOST:PORT/?OPTIONS`.
fn hosts(strings: &Value) -> Vec<String> {
    match strings {
        Value::String(text) => {
            let Some((_, rest)) = text.split_once("://") else { return Vec::new() };
            let all = rest.split(['/', '?']).next().unwrap_or(rest);
            let all = all.rsplit_once('@').map_or(all, |(_, all)| all);
            let host = |one: &str| one.split(':').next().unwrap_or(one).to_owned();
            all.split(',').map(host).filter(|host| !host.is_empty()).collect()
        }
        Value::Array(all) => all.iter().flat_map(hosts).collect(),
        Value::Object(all) => all.values().flat_map(hosts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_page_has_another_behind_it() {
        let page = |links: Value, results: usize| next(&json!({"links": links, "results": vec![0; results]}));
        let link = |href: &str| json!([{"rel": "self", "href": "x"}, {"rel": "next", "href": href}]);
        let base = "https://cloud.mongodb.com/api/atlas/v2/groups";
        assert_eq!(page(link(&format!("{base}?itemsPerPage=100&pageNum=2")), 100).unwrap().as_deref(), Some("2"));
        assert_eq!(page(json!([]), 99).unwrap(), None);
        assert!(page(json!([]), 100).is_err());
        assert!(page(link(base), 100).is_err());
        assert!(page(link("x"), 1).is_err());
    }

    /// The forms of `ClusterConnectionStrings` in the OpenAPI description.
    #[test]
    fn hosts_stand_in_all_members() {
        let strings = json!({
            "standard": "mongodb://ac-1-shard-00-00.ab1cd.mongodb.net:27017,ac-1-shard-00-01.ab1cd.mongodb.net:27017/?ssl=true",
            "standardSrv": "mongodb+srv://trial.ab1cd.mongodb.net",
            "privateEndpoint": [{"connectionString": "mongodb://pl-0.ab1cd.mongodb.net:1024/?ssl=true", "type": "MONGOD"}],
        });
        let expected =
            ["pl-0", "ac-1-shard-00-00", "ac-1-shard-00-01", "trial"].map(|name| format!("{name}.ab1cd.mongodb.net"));
        assert_eq!(hosts(&strings), expected);
    }
}
