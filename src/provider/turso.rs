//! Turso: what a token acts on, and what lies there.
//!
//! <https://docs.turso.tech/api-reference>, `features/point-in-time-recovery`, `features/recover-deleted-databases`; the fields
//! are those of its OpenAPI description (`tursodatabase/turso-docs`). A token may be one of an organization, of a group with
//! some scopes, or of all that its user may do, and no call tells which it is.

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Class, CopyKind};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, Guard, Kept, May, Seen, anything, can, listed, names};
use super::token::{Client, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "api.turso.tech";
/// Kinds of credential that are asked about. Tokens of a database are for its data alone.
pub(super) const KINDS: [&str; 1] = ["api_token"];

const ABOUT: About =
    About { provider: "turso", scope: "Turso", allow: "to the token: one of its organization reads all of this" };

const VALIDATE: &str = "GET /auth/validate";
const USER: &str = "GET /user";
const ORGANIZATIONS: &str = "GET /organizations";
const GROUPS: &str = "GET /organizations/{}/groups";
const DATABASES: &str = "GET /organizations/{}/databases";

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "turso",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(VALIDATE, "/v1/auth/validate", &[]),
        Read::rest(USER, "/v1/user", &[]),
        Read::rest(ORGANIZATIONS, "/v1/organizations", &[]),
        Read::rest(GROUPS, "/v1/organizations/{}/groups", &[]),
        Read::rest(DATABASES, "/v1/organizations/{}/databases", &[]),
    ],
};

/// How far point-in-time recovery may be behind (`features/point-in-time-recovery`).
const BEHIND: Span = Span(15);

/// Asks Turso about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Valid {
    #[expect(dead_code, reason = "an answer without it is none")]
    exp: i64,
}

#[derive(Deserialize)]
struct Whole {
    user: User,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Organization {
    slug: String,
    name: String,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    delete_protection: Option<bool>,
}

#[derive(Deserialize)]
struct Database {
    #[serde(rename = "Name")]
    name: String,
    group: String,
    delete_protection: Option<bool>,
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer);
    let credential = token.credential.as_str();
    let organizations = client.get_list::<Organization>(ORGANIZATIONS, &[], "");
    let valid = client.get_object::<Valid>(VALIDATE, &[]);
    if let (Err(fault), Some(_)) = (&valid, &organizations.fault) {
        learnt.refuse(VALIDATE, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    let user = client.get_object::<Whole>(USER, &[]).map(|answer| answer.user.username);
    let user = user.and_then(|name| if is_id(&name) { Ok(name) } else { Err(Fault::malformed()) });
    let (who, name) = match &user {
        Ok(user) => (format!("turso:user/{user}#{credential}"), format!("Turso user {user}, by one token")),
        Err(fault) => {
            facts.refused(USER, credential, fault);
            (format!("turso:token/{credential}"), "a Turso token that is not told whose it is".to_owned())
        }
    };
    let who = PrincipalId(who);
    facts.principal(&who, &name, None, (ORGANIZATIONS, credential));
    let why = "whether a token is one of a group with some scopes, or of more, is not told";
    let untold = facts.doubt(credential, why);
    facts.everywhere(Some(&who), &untold, (ORGANIZATIONS, credential));
    let may = May::NotKnown(untold);
    let mut unlisted = facts.outcome(ORGANIZATIONS, credential, organizations.fault);
    let mut titles = Vec::new();
    for organization in &organizations.items {
        if is_id(&organization.slug) {
            list(&client, organization, (&who, &may), facts);
            titles.push(shown(&organization.name));
        } else {
            unlisted = Some(facts.refused(ORGANIZATIONS, credential, &Fault::malformed()));
        }
    }
    let none = titles.is_empty().then(|| facts.doubt(credential, "a token works and names no organization"));
    if let Some(gap) = unlisted.or(none) {
        facts.beyond(&token.credential, Some(&who), (&gap, &may), ORGANIZATIONS);
    }
    let scope = format!("organizations {}, as far as the token goes, which is not told", titles.join(", "));
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

/// An organization with its groups, and their databases.
fn list(client: &Client<'_>, organization: &Organization, (who, may): (&PrincipalId, &May), facts: &mut Facts) {
    let (slug, name) = (organization.slug.as_str(), shown(&organization.name));
    let node = NodeId(format!("turso:{slug}"));
    facts.grant(Some(who), anything(), node.clone(), may, (ORGANIZATIONS, &name));
    let groups = client.get_list::<Group>(GROUPS, &[slug], "groups");
    let databases = client.get_list::<Database>(DATABASES, &[slug], "databases");
    let ungrouped = facts.outcome(GROUPS, &name, groups.fault);
    let mut gap = facts.outcome(DATABASES, &name, databases.fault);
    let ids = groups.items.iter().map(|one| &one.name).chain(databases.items.iter().map(|one| &one.name));
    if !ids.into_iter().all(|id| is_id(id)) {
        gap = Some(facts.refused(DATABASES, &name, &Fault::malformed()));
    }
    for group in groups.items.iter().filter(|one| is_id(&one.name)) {
        let below = group_node(slug, &group.name);
        let title = format!("Turso group {}", shown(&group.name));
        let contents = listed(gap.clone());
        let seen =
            Container { kind: "group", name: &title, parent: Some(&node), contents, ..Container::of(below.clone()) };
        facts.container(seen, (GROUPS, &name));
        guard(facts, (&below, &title), ("group:delete", "group:configure"), group.delete_protection, (GROUPS, &name));
    }
    for database in databases.items.iter().filter(|one| is_id(&one.name)) {
        let group = groups.items.iter().find(|one| one.name == database.group && is_id(&one.name));
        let parent = group.map_or_else(|| node.clone(), |group| group_node(slug, &group.name));
        database_of(facts, (slug, &name), &parent, database);
    }
    let hidden = "a token of a group may not be shown the databases of others";
    let gap = gap.or(ungrouped).unwrap_or_else(|| facts.doubt(&name, hidden));
    let title = format!("Turso organization {name}");
    let contents = Fact::Unknown(gap);
    facts.container(
        Container { kind: "organization", name: &title, contents, ..Container::of(node) },
        (ORGANIZATIONS, &name),
    );
}

fn group_node(organization: &str, group: &str) -> NodeId {
    NodeId(format!("turso:{organization}/group/{group}"))
}

/// Delete protection, which the call that sets it takes off.
fn guard(
    facts: &mut Facts,
    (on, name): (&NodeId, &str),
    (delete, configure): (&str, &str),
    protected: Option<bool>,
    asked: (&str, &str),
) {
    let enabled = match protected {
        Some(protected) => Fact::Known(protected),
        None => Fact::Unknown(facts.doubt(name, "whether delete protection is on was not in the answer")),
    };
    let because = match protected {
        Some(true) => "delete protection is on",
        Some(false) => "delete protection is off",
        None => "whether delete protection is on was not told",
    };
    let lifts = Fact::Known(vec![can(configure, on, "switch delete protection off")]);
    let guard =
        Guard { on, kind: "delete protection", covers: &[delete], enabled, holds_parent: false, lifts, because };
    facts.guarded(guard, asked);
}

fn database_of(facts: &mut Facts, (slug, organization): (&str, &str), parent: &NodeId, database: &Database) {
    let name = shown(&database.name);
    let node = NodeId(format!("turso:{slug}/{}", database.name));
    let asked = (DATABASES, organization);
    let environment = Fact::Unknown(facts.doubt(&name, "nothing says which environment a database belongs to"));
    let copies: Gap = facts.doubt(
        &name,
        "whether a deleted database can be recovered depends on the plan and on a switch, of which no call tells",
    );
    facts.seen(
        Seen {
            id: node.clone(),
            kind: "database",
            class: Class::Database,
            name: name.clone(),
            parent: Some(parent),
            environment,
            contents: None,
            copies: Fact::Unknown(copies),
            holds: None,
        },
        asked,
    );
    guard(facts, (&node, &name), ("db:delete", "db:configure"), database.delete_protection, asked);
    let ends = Fact::Unknown(facts.doubt(&name, "how far point-in-time recovery goes back depends on the plan"));
    facts.kept(
        Kept {
            id: "point-in-time-recovery",
            of: &node,
            kind: CopyKind::Pitr,
            name: format!("point-in-time recovery of {name}"),
            place: None,
            lag: Fact::Known(BEHIND),
            ends,
            dies_with: Fact::Known(names(&["db:delete", "group:delete"])),
            destroyed_by: Fact::Known(Vec::new()),
            because: "any moment of a database that is still there",
        },
        asked,
    );
}
