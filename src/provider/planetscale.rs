//! PlanetScale: what each token may delete, and what lies there.
//!
//! Its OpenAPI description says of every operation which accesses of a service token it takes, and a service token with the
//! access `read_service_tokens` is told its own (<https://planetscale.com/docs/api/reference/service-tokens>,
//! `security/deletion-protection`, `security/multiple-admins-required-for-deletion`).

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{NodeId, PrincipalId, ProtectionId};
use deadstop_core::model::{Asset, Basis, Class, Copy, CopyKind, End, Lift, Protection, Side};
use deadstop_core::time::Time;
use serde::Deserialize;
use serde_json::Value;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, May, anything, can, listed, untried};
use super::same::ANY_PLANETSCALE;
use super::token::{Client, Got, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "api.planetscale.com";
/// Kinds of credential that are asked about. A password of a branch is for its database alone.
pub(super) const KINDS: [&str; 2] = ["service_token", "oauth_token"];

const ABOUT: About = About {
    provider: "planetscale",
    scope: "PlanetScale",
    allow: "to the token, or read its accesses by hand: `read_service_tokens` lets a service token read its own",
};

const ORGANIZATIONS: &str = "GET /organizations";
const USER: &str = "GET /user";
const SERVICE_TOKEN: &str = "GET /organizations/{}/service-tokens/{}";
const DATABASES: &str = "GET /organizations/{}/databases";
const BRANCHES: &str = "GET /organizations/{}/databases/{}/branches";
const BACKUPS: &str = "GET /organizations/{}/databases/{}/branches/{}/backups";

const PAGE: &[&str] = &["page", "per_page"];

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "planetscale",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(ORGANIZATIONS, "/v1/organizations", PAGE),
        Read::rest(USER, "/v1/user", &[]),
        Read::rest(SERVICE_TOKEN, "/v1/organizations/{}/service-tokens/{}", &[]),
        Read::rest(DATABASES, "/v1/organizations/{}/databases", PAGE),
        Read::rest(BRANCHES, "/v1/organizations/{}/databases/{}/branches", PAGE),
        Read::rest(BACKUPS, "/v1/organizations/{}/databases/{}/branches/{}/backups", PAGE),
    ],
};

/// Asks PlanetScale about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Clone, Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct ServiceToken {
    service_token_accesses: Option<Vec<Access>>,
}

#[derive(Clone, Deserialize)]
struct Access {
    access: String,
    resource_name: String,
    resource_type: String,
}

#[derive(Deserialize)]
struct Database {
    name: String,
    deletion_protected: bool,
    multiple_admins_required_for_deletion: bool,
}

#[derive(Deserialize)]
struct Branch {
    name: String,
    production: bool,
    deletion_protected: bool,
}

#[derive(Deserialize)]
struct Backup {
    id: String,
    name: String,
    state: String,
    created_at: Time,
    #[serde(deserialize_with = "Option::deserialize")]
    expires_at: Option<Time>,
    #[serde(deserialize_with = "Option::deserialize")]
    deleted_at: Option<String>,
    protected: bool,
    required: bool,
}

/// What a token may do in an organization.
enum Rights {
    /// A service token with these accesses.
    Accesses(Vec<Access>),
    NotKnown(Gap),
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let service = token.kind == "service_token";
    if service && token.public_id.is_none() {
        // It is sent with its id, which lies elsewhere.
        learnt.refuse(ORGANIZATIONS, token, &Fault::of(GapReason::NotAsked));
        return learnt;
    }
    let client = Client::new(door, &READS, HOST, token, if service { Shown::Pair } else { Shown::Bearer });
    let organizations = pages::<Named>(&client, ORGANIZATIONS, &[]);
    if let (Some(fault), true) = (&organizations.fault, organizations.items.is_empty()) {
        learnt.refuse(ORGANIZATIONS, token, fault);
        return learnt;
    }
    let credential = token.credential.as_str();
    let who = match (&token.public_id, service) {
        (Some(id), true) => PrincipalId(format!("planetscale:service-token/{id}")),
        _ => {
            let user = client
                .get_object::<User>(USER, &[])
                .and_then(|user| if is_id(&user.id) { Ok(user.id) } else { Err(Fault::of(GapReason::Malformed)) });
            match user {
                Ok(id) => PrincipalId(format!("planetscale:user/{id}#oauth")),
                Err(fault) => {
                    let gap = learnt.facts.refused(USER, credential, &fault);
                    learnt.unnamed(token, gap);
                    PrincipalId(format!("?{credential}"))
                }
            }
        }
    };
    let known = !who.as_str().starts_with('?');
    let facts = &mut learnt.facts;
    let unlisted = facts.outcome(ORGANIZATIONS, credential, organizations.fault);
    if known {
        let name = who.as_str().trim_start_matches("planetscale:").replace('/', " ").replace("#oauth", "");
        facts.principal(&who, &format!("PlanetScale {name}"), None, (ORGANIZATIONS, credential));
    }
    let mut names = Vec::new();
    for organization in organizations.items.iter().filter(|one| is_id(&one.name)) {
        let rights = rights(&client, token, &organization.name, service, facts);
        list(&client, &organization.name, known.then_some((&who, &rights)), facts);
        names.push(shown(&organization.name));
    }
    let malformed = !organizations.items.iter().all(|one| is_id(&one.name));
    let unlisted = unlisted
        .or_else(|| malformed.then(|| facts.refused(ORGANIZATIONS, credential, &Fault::of(GapReason::Malformed))))
        .or_else(|| names.is_empty().then(|| facts.doubt(credential, "a token works and names no organization")));
    if let Some(gap) = unlisted {
        let may = May::NotKnown(gap.clone());
        facts.beyond(&token.credential, known.then_some(&who), (&gap, &may), ORGANIZATIONS);
    }
    let scope = format!("organizations {}", names.join(", "));
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    if known {
        learnt.accept(token, who);
    }
    learnt
}

fn rights(client: &Client<'_>, token: &Token, organization: &str, service: bool, facts: &mut Facts) -> Rights {
    let id = token.public_id.as_deref().filter(|_| service);
    let Some(id) = id else {
        return Rights::NotKnown(facts.doubt(organization, "the scopes that were granted to a login are not told"));
    };
    match client.get_object::<ServiceToken>(SERVICE_TOKEN, &[organization, id]) {
        Ok(ServiceToken { service_token_accesses: Some(accesses) }) => {
            facts.source(SERVICE_TOKEN, organization);
            Rights::Accesses(accesses)
        }
        Ok(ServiceToken { service_token_accesses: None }) => {
            Rights::NotKnown(facts.doubt(organization, "the accesses of a service token were not in the answer"))
        }
        Err(fault) => Rights::NotKnown(facts.refused(SERVICE_TOKEN, organization, &fault)),
    }
}

fn pages<T: serde::de::DeserializeOwned>(client: &Client<'_>, operation: &str, segments: &[&str]) -> Got<T> {
    client.get_pages(operation, segments, &[("per_page", "100")], "data", ("page", next))
}

fn next(page: &Value) -> Result<Option<String>, Fault> {
    match page.get("next_page") {
        Some(Value::Null) => Ok(None),
        Some(Value::Number(next)) => Ok(Some(next.to_string())),
        _ => Err(Fault::of(GapReason::Malformed)),
    }
}

fn organization_node(name: &str) -> NodeId {
    NodeId(format!("planetscale:{name}"))
}

fn list(client: &Client<'_>, organization: &str, who: Option<(&PrincipalId, &Rights)>, facts: &mut Facts) {
    let node = organization_node(organization);
    let databases = pages::<Database>(client, DATABASES, &[organization]);
    let mut gap = facts.outcome(DATABASES, organization, databases.fault);
    for database in &databases.items {
        if is_id(&database.name) {
            database_of(client, organization, database, who, facts);
        } else {
            gap = Some(facts.refused(DATABASES, organization, &Fault::of(GapReason::Malformed)));
        }
    }
    let asked = (DATABASES, organization);
    match who {
        Some((who, Rights::NotKnown(why))) => {
            facts.grant(Some(who), anything(), node.clone(), &May::NotKnown(why.clone()), asked);
        }
        Some((who, Rights::Accesses(accesses))) => {
            // What is not listed may be one of those that the accesses are to; so is what they name and is not shown.
            let shown = |access: &Access| {
                access.resource_type == "Database"
                    && databases.items.iter().any(|one| one.name == access.resource_name && is_id(&one.name))
            };
            let mut beyond = accesses.iter().filter(|access| !is_harmless(&access.access) && !shown(access));
            let unseen = (!lists_all(accesses) && beyond.next().is_some())
                .then(|| facts.doubt(organization, "an access may be to a database that the token is not shown"));
            let some = accesses.iter().any(|access| !is_harmless(&access.access));
            if let Some(gap) = gap.clone().filter(|_| some).or(unseen) {
                facts.grant(Some(who), anything(), node.clone(), &May::NotKnown(gap), asked);
            }
        }
        None => {}
    }
    if gap.is_none() {
        let whole = matches!(who, Some((_, Rights::Accesses(all))) if lists_all(all));
        gap =
            (!whole).then(|| facts.doubt(organization, "a token may not be shown databases that it has no access to"));
    }
    let title = format!("PlanetScale organization {organization}");
    facts.container(
        Container { kind: "organization", name: &title, contents: listed(gap), ..Container::of(node) },
        asked,
    );
}

/// Whether accesses show every database of the organization.
fn lists_all(accesses: &[Access]) -> bool {
    let lists = |one: &Access| {
        one.resource_type == "Organization" && ["read_database", "read_databases"].contains(&one.access.as_str())
    };
    accesses.iter().any(lists)
}

/// Accesses that change no data. Those that are neither here nor below may be anything: one that deploys a change of the
/// schema may drop a table by it.
fn is_harmless(access: &str) -> bool {
    const OTHERS: [&str; 5] = [
        "connect_production_read_only_branch",
        "create_comment",
        "create_databases",
        "create_production_read_only_branch_password",
        "delete_production_read_only_branch_password",
    ];
    access.starts_with("read_") || OTHERS.contains(&access)
}

/// What an access lets its holder do to a branch, or to a database: operations of the catalogue, and steps towards one.
/// `production` says which branches are meant; nothing: the access is not known.
fn operations(access: &str) -> Option<(&'static [&'static str], Production)> {
    Some(match access {
        "delete_database" => (&["delete_database"], Production::Either),
        "write_database" => (&["write_database"], Production::Either),
        "delete_branch" => (&["delete_branch", "delete_keyspace"], Production::No),
        "delete_production_branch" => (&["delete_production_branch", "delete_keyspace"], Production::Yes),
        // A role or a password of the branch runs any SQL.
        "connect_branch" | "create_branch_password" | "delete_branch_password" => {
            (&["create_password"], Production::No)
        }
        "connect_production_branch" | "create_production_branch_password" | "delete_production_branch_password" => {
            (&["create_password"], Production::Yes)
        }
        "delete_backups" => (&["delete_backup"], Production::No),
        "delete_production_branch_backups" => (&["delete_backup"], Production::Yes),
        "write_backups" => (&["update_backup"], Production::Either),
        "demote_branches" => (&["demote_branch"], Production::Yes),
        _ => return None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Production {
    Yes,
    No,
    Either,
}

impl Production {
    /// Whether it holds for a branch that is or is not one of production; nothing: for the database itself.
    fn holds_for(self, production: Option<bool>) -> bool {
        match self {
            Self::Yes => production == Some(true),
            Self::No => production == Some(false),
            Self::Either => true,
        }
    }
}

/// Grants what the accesses to a database let their holder do, at the database or at one of its branches.
fn grants(
    facts: &mut Facts,
    (who, accesses): (&PrincipalId, &[Access]),
    (organization, database): (&str, &str),
    at: (&NodeId, Option<bool>),
) {
    let (node, production) = at;
    let to = |access: &&Access| match access.resource_type.as_str() {
        "Organization" => access.resource_name == organization,
        "Database" => access.resource_name == database,
        // Some other resource: it may lie here.
        _ => true,
    };
    let (mut may, mut unknown) = (BTreeSet::new(), false);
    let here: BTreeSet<&str> = accesses.iter().filter(to).map(|access| access.access.as_str()).collect();
    for access in here.iter().filter(|access| !is_harmless(access)) {
        match operations(access) {
            Some((names, which)) if which.holds_for(production) => {
                may.extend(names.iter().map(|name| (*name).to_owned()));
            }
            Some(_) => {}
            None => unknown = true,
        }
    }
    // A production branch that may be made another one is deleted as that.
    let demotes = here.contains("demote_branches") || here.contains("connect_production_branch");
    if production == Some(true) && demotes && here.contains("delete_branch") {
        may.extend(["delete_branch", "delete_keyspace"].map(str::to_owned));
    }
    let asked = (SERVICE_TOKEN, organization);
    if !may.is_empty() {
        let because = format!("its accesses are {}", here.iter().copied().collect::<Vec<_>>().join(", "));
        facts.granted(who, may.into_iter().collect(), node.clone(), (Basis::Observed, &because), asked);
    }
    if unknown {
        let gap = facts.doubt(organization, "a service token has an access that this version does not know");
        facts.grant(Some(who), anything(), node.clone(), &May::NotKnown(gap), asked);
    }
}

fn database_of(
    client: &Client<'_>,
    organization: &str,
    database: &Database,
    who: Option<(&PrincipalId, &Rights)>,
    facts: &mut Facts,
) {
    let node = NodeId(format!("planetscale:{organization}/{}", database.name));
    let scope = format!("{organization}/{}", database.name);
    let source = facts.source(DATABASES, organization);
    let protection = |kind: &str, side, enabled, lifts, because: &str| Protection {
        id: ProtectionId(format!("{node}#{}", kind.replace(' ', "-"))),
        on: node.clone(),
        side,
        kind: kind.to_owned(),
        covers: vec!["delete_database".to_owned()],
        enabled: Fact::Known(enabled),
        whole: Fact::Known(true),
        holds_parent: false,
        only_ways: Vec::new(),
        lifts,
        basis: Basis::Observed,
        because: because.to_owned(),
        sources: vec![source.clone()],
    };
    let switch = Fact::Known(vec![can("write_database", &node, "switch deletion protection off")]);
    let said = if database.deletion_protected { "deletion protection is on" } else { "deletion protection is off" };
    let locked = protection("deletion protection", Side::Protect, database.deletion_protected, switch, said);
    // Who else is an administrator, and whether a token of one is in reach, is not told.
    let second =
        Fact::Unknown(facts.doubt(&scope, "whose approval counts as that of a second administrator was not asked"));
    let two = database.multiple_admins_required_for_deletion;
    let approved = protection(
        "approval of a second administrator",
        Side::Confirm,
        two,
        second,
        "a deletion takes two administrators",
    );
    facts.protections.push(locked);
    if two {
        facts.protections.push(approved);
    }
    let names = (organization, database.name.as_str());
    if let Some((who, Rights::Accesses(accesses))) = who {
        grants(facts, (who, accesses), names, (&node, None));
    }
    let branches = pages::<Branch>(client, BRANCHES, &[organization, &database.name]);
    let mut gap = facts.outcome(BRANCHES, &scope, branches.fault);
    for branch in &branches.items {
        if is_id(&branch.name) {
            branch_of(client, names, branch, who, facts);
        } else {
            gap = Some(facts.refused(BRANCHES, &scope, &Fault::of(GapReason::Malformed)));
        }
    }
    if let (Some((who, Rights::Accesses(accesses))), Some(gap)) = (who, &gap)
        && accesses.iter().any(|access| !is_harmless(&access.access))
    {
        // A branch that was not listed may be one that the accesses are to.
        let may = May::NotKnown(gap.clone());
        facts.grant(Some(who), anything(), node.clone(), &may, (BRANCHES, &scope));
    }
    let title = format!("PlanetScale database {scope}");
    let parent = organization_node(organization);
    facts.container(
        Container {
            kind: "database",
            name: &title,
            parent: Some(&parent),
            contents: listed(gap),
            ..Container::of(node)
        },
        (DATABASES, organization),
    );
}

fn branch_of(
    client: &Client<'_>,
    (organization, database): (&str, &str),
    branch: &Branch,
    who: Option<(&PrincipalId, &Rights)>,
    facts: &mut Facts,
) {
    let above = NodeId(format!("planetscale:{organization}/{database}"));
    let node = NodeId(format!("{above}/{}", branch.name));
    let (scope, name) = (format!("{organization}/{database}"), format!("{database}/{}", branch.name));
    let source = facts.source(BRANCHES, &scope);
    let backups = pages::<Backup>(client, BACKUPS, &[organization, database, &branch.name]);
    let mut unkept = facts.outcome(BACKUPS, &format!("{scope}/{}", branch.name), backups.fault);
    if !backups.items.iter().all(|backup| is_id(&backup.id)) {
        unkept = Some(facts.refused(BACKUPS, &scope, &Fault::of(GapReason::Malformed)));
    }
    facts.assets.push(Asset {
        id: node.clone(),
        provider: "planetscale".to_owned(),
        kind: "branch".to_owned(),
        class: Class::Database,
        name,
        parent: Some(above.clone()),
        environment: Fact::Known(if branch.production { "production" } else { "development" }.to_owned()),
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: listed(unkept),
        behind: Vec::new(),
        holds: None,
        sources: vec![source.clone()],
    });
    // Vitess speaks MySQL; others are of PostgreSQL. Which one this is is not asked.
    ["mysql", "postgres"].iter().for_each(|engine| facts.endpoint(&node, engine, Some(ANY_PLANETSCALE)));
    facts.protections.push(Protection {
        id: ProtectionId(format!("{node}#deletion-protection")),
        on: node.clone(),
        side: Side::Protect,
        kind: "deletion protection".to_owned(),
        covers: vec!["delete_branch".to_owned(), "delete_production_branch".to_owned()],
        enabled: Fact::Known(branch.deletion_protected),
        whole: Fact::Known(true),
        // Whether it also keeps the database is not documented.
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(vec![can("write_database", &node, "switch deletion protection off")]),
        basis: Basis::Observed,
        because: if branch.deletion_protected { "deletion protection is on" } else { "deletion protection is off" }
            .to_owned(),
        sources: vec![source],
    });
    if let Some((who, Rights::Accesses(accesses))) = who {
        grants(facts, (who, accesses), (organization, database), (&node, Some(branch.production)));
    }
    let kept = |backup: &&Backup| backup.state == "success" && backup.deleted_at.is_none() && is_id(&backup.id);
    for backup in backups.items.iter().filter(kept) {
        backup_of(facts, (&above, &node), &scope, backup);
    }
}

/// A backup. It goes with its database: deleting that takes "all branches, data, and backups" (docs).
fn backup_of(facts: &mut Facts, (database, branch): (&NodeId, &NodeId), scope: &str, backup: &Backup) {
    let gap = facts.doubt(scope, "whether a backup outlives its branch is not documented");
    let source = facts.source(BACKUPS, scope);
    let age = facts.at().since(backup.created_at);
    let mut lift: Lift = can("delete_backup", branch, "delete the backup");
    if backup.protected {
        let off = can("update_backup", branch, "take the protection off the backup");
        lift = Lift {
            needs: [off.needs, lift.needs].concat(),
            changes: true,
            because: "take the protection off the backup, and delete it".to_owned(),
        };
    }
    facts.copies.push(Copy {
        id: NodeId(format!("{branch}/backup/{}", backup.id)),
        of: branch.clone(),
        kind: if backup.required { CopyKind::AutomatedBackup } else { CopyKind::Snapshot },
        name: format!("backup {}", shown(&backup.name)),
        place: Some(database.clone()),
        lag: Fact::Known(age),
        ends: Fact::Known(backup.expires_at.map_or(End::Never, End::At)),
        dies_with: Fact::Unknown(gap),
        destroyed_by: Fact::Known(vec![lift]),
        needs: Vec::new(),
        drills: untried(),
        basis: Basis::Observed,
        because: "a backup, which goes with its database".to_owned(),
        sources: vec![source],
    });
}
