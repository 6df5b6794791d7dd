//! Vercel: whose each token is, which teams and projects it acts on, and which stores lie there.
//!
//! <https://vercel.com/docs/rest-api>, `rbac/access-roles`; the fields are those of its own SDK, which is made from its OpenAPI
//! description (`vercel/sdk`), and for the list of stores, which that lacks, of its own command-line client
//! (`vercel/vercel`, `commands/blob/store-list.ts`, `util/integration-resource/types.ts`). A token tells its scopes: the user's
//! own, or teams. Answers about projects hold variables, of which nothing is kept.

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::Class;
use deadstop_core::time::Time;
use serde::Deserialize;
use serde_json::Value;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, May, Seen, anything};
use super::same::{ANY_ATLAS, ANY_NEON, ANY_SUPABASE, ANY_UPSTASH};
use super::token::{Client, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "api.vercel.com";
/// Kinds of credential that are asked about. Tokens of a store are for its data alone, and keys of the gateway for models.
pub(super) const KINDS: [&str; 4] = ["access_token", "personal_access_token", "app_token", "integration_token"];

const ABOUT: About = About {
    provider: "vercel",
    scope: "Vercel",
    allow: "to the token: one of the scope of its team reads all of this, and is asked anew where the team asks for a sign-on",
};

const USER: &str = "GET /user";
const TOKEN: &str = "GET /user/tokens/current";
const TEAMS: &str = "GET /teams";
const PROJECTS: &str = "GET /projects";
const STORES: &str = "GET /storage/stores";
const CONFIGS: &str = "GET /global-config";

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "vercel",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(USER, "/v2/user", &[]),
        Read::rest(TOKEN, "/v5/user/tokens/current", &[]),
        Read::rest(TEAMS, "/v2/teams", &["limit", "until"]),
        Read::rest(PROJECTS, "/v10/projects", &["from", "limit", "teamId"]),
        Read::rest(STORES, "/v1/storage/stores", &["teamId"]),
        Read::rest(CONFIGS, "/v1/global-config", &["teamId"]),
    ],
};

/// Where answers hold secrets.
const SECRETS: &[&str] = &["env", "envs", "passwordProtection", "protectionBypass", "secrets"];

/// How many of a list are asked for at once.
const FULL: (&str, &str) = ("limit", "100");

/// Asks Vercel about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Whole {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Current {
    token: Scopes,
}

#[derive(Deserialize)]
struct Scopes {
    scopes: Option<Vec<Scope>>,
}

#[derive(Deserialize)]
struct Scope {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "teamId")]
    team: Option<String>,
}

#[derive(Deserialize)]
struct Team {
    id: String,
    slug: String,
    /// There, where the token may not see all of it: the team asks for a sign-on, or for a second factor.
    limited: Option<bool>,
    membership: Option<Membership>,
}

#[derive(Deserialize)]
struct Membership {
    role: String,
    confirmed: bool,
}

#[derive(Deserialize)]
struct Project {
    id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Store {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    product: Option<Product>,
    projects_metadata: Option<Vec<Connection>>,
}

#[derive(Deserialize)]
struct Product {
    name: Option<String>,
    slug: Option<String>,
}

/// Products of the Marketplace that are databases, by a word of their name or slug, with what signs in to them and the hosts
/// of their platform (<https://vercel.com/marketplace/category/storage>). Prisma's hosts are no database's own.
const DATABASES: [(&str, &str, &[&str]); 6] = [
    ("neon", "postgres", &[ANY_NEON]),
    ("supabase", "postgres", &ANY_SUPABASE),
    ("prisma", "postgres", &[]),
    ("upstash", "redis", &[ANY_UPSTASH]),
    ("redis", "redis", &[]),
    ("mongo", "mongodb", &[ANY_ATLAS]),
];

#[derive(Deserialize)]
struct Connection {
    environments: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    id: String,
    slug: String,
    deleted_at: Option<i64>,
}

/// What a token acts on, as it tells itself.
enum Reach {
    /// Its user's own account, these teams, and what else this version does not know.
    Told {
        user: bool,
        teams: BTreeSet<String>,
        else_: Option<Gap>,
    },
    NotTold(Gap),
}

impl Reach {
    fn of(current: Result<Current, Fault>, credential: &str, facts: &mut Facts) -> Self {
        let scopes = match current.map(|current| current.token.scopes) {
            Ok(Some(scopes)) if !scopes.is_empty() => scopes,
            Ok(_) => return Self::NotTold(facts.doubt(credential, "a token tells no scopes")),
            Err(fault) => return Self::NotTold(facts.refused(TOKEN, credential, &fault)),
        };
        let strange =
            scopes.iter().any(|one| !matches!((one.kind.as_str(), &one.team), ("user", _) | ("team", Some(_))));
        let else_ = strange.then(|| facts.doubt(credential, "a token has a scope that this version does not know"));
        let user = scopes.iter().any(|one| one.kind == "user");
        let teams = scopes.into_iter().filter(|one| one.kind == "team").filter_map(|one| one.team).collect();
        Self::Told { user, teams, else_ }
    }

    /// Whether it acts for its user in a team, or in the user's own account; and if that is not known, why.
    fn enters(&self, team: Option<&str>) -> Result<bool, Gap> {
        match self {
            Self::NotTold(gap) | Self::Told { else_: Some(gap), .. } => Err(gap.clone()),
            Self::Told { user, teams, else_: None } => Ok(*user || team.is_some_and(|team| teams.contains(team))),
        }
    }
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer).hiding(SECRETS);
    let credential = token.credential.as_str();
    let user = client.get_object::<Whole>(USER, &[]).map(|answer| answer.user.id);
    let user = user.and_then(|id| if is_id(&id) { Ok(id) } else { Err(Fault::malformed()) });
    let current = client.get_object::<Current>(TOKEN, &[]);
    let teams = client.get_pages::<Team>(TEAMS, &[], &[FULL], "teams", ("until", next));
    if let (Err(fault), Err(_), Some(_)) = (&user, &current, &teams.fault) {
        learnt.refuse(USER, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    let (who, name) = match &user {
        Ok(id) => (format!("vercel:user/{id}#{credential}"), format!("Vercel user {id}, by one token")),
        Err(fault) => {
            facts.refused(USER, credential, fault);
            (format!("vercel:token/{credential}"), "a Vercel token that is not told whose it is".to_owned())
        }
    };
    let who = PrincipalId(who);
    facts.principal(&who, &name, None, (TEAMS, credential));
    let reach = Reach::of(current, credential, facts);
    let mut unlisted = facts.outcome(TEAMS, credential, teams.fault);
    let mut ids = BTreeSet::new();
    let mut titles = Vec::new();
    for team in &teams.items {
        if !is_id(&team.id) {
            unlisted = Some(facts.refused(TEAMS, credential, &Fault::malformed()));
            continue;
        }
        let may = of_member(team, &reach, facts);
        let place = Place { node: node(&team.id), kind: "team", title: format!("Vercel team {}", shown(&team.slug)) };
        list(&client, (Some(&team.id), place), (&who, &may), &mut ids, facts);
        titles.push(shown(&team.slug));
    }
    // What lies in no team is the user's own; a token of teams alone is not shown it.
    let own = reach.enters(None);
    if own != Ok(false) {
        let place = match &user {
            Ok(id) => node(&format!("account/{id}")),
            Err(_) => node(&format!("account/of/{credential}")),
        };
        let may = match own {
            Err(gap) => May::NotKnown(gap),
            Ok(_) => May::Everything("a token of the user's own account may do all that its user may"),
        };
        let place = Place { node: place, kind: "account", title: "Vercel, the account of a user".to_owned() };
        list(&client, (None, place), (&who, &may), &mut ids, facts);
    }
    if let Err(gap) = reach.enters(None) {
        facts.everywhere(Some(&who), &gap, (TEAMS, credential));
    }
    if let Reach::Told { teams: scopes, .. } = &reach
        && !scopes.iter().all(|scope| teams.items.iter().any(|team| team.id == *scope))
    {
        unlisted = Some(facts.doubt(credential, "a team of a token's scopes was not listed"));
    }
    let none = titles.is_empty().then(|| facts.doubt(credential, "a token works and names no team"));
    if let Some(gap) = unlisted.or(none) {
        facts.beyond(&token.credential, Some(&who), (&gap, &May::NotKnown(gap.clone())), TEAMS);
    }
    let scope = match &reach {
        Reach::Told { user: true, .. } => format!("all that its user may do, in teams {} too", titles.join(", ")),
        Reach::Told { .. } => format!("teams {}", titles.join(", ")),
        Reach::NotTold(_) => format!("teams {}, as far as the token goes, which is not told", titles.join(", ")),
    };
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

/// The page behind this one: "Timestamp that must be used to request the next page", or a "continuation token".
fn next(page: &Value) -> Result<Option<String>, Fault> {
    match page.pointer("/pagination/next") {
        Some(Value::Null) => Ok(None),
        Some(Value::String(next)) => Ok(Some(next.clone())),
        Some(Value::Number(next)) => Ok(Some(next.to_string())),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => Err(Fault::malformed()),
    }
}

/// What a token may do in a team. Owners may do everything (`rbac/access-roles`, "Owner role"); what others may depends on
/// their roles in each project, on groups and on further permissions.
fn of_member(team: &Team, reach: &Reach, facts: &mut Facts) -> May {
    let name = shown(&team.slug);
    match reach.enters(Some(&team.id)) {
        Err(gap) => return May::NotKnown(gap),
        Ok(false) => return May::NotKnown(facts.doubt(&name, "a token is shown a team that is not in its scopes")),
        Ok(true) => {}
    }
    if team.limited == Some(true) {
        return May::NotKnown(facts.doubt(&name, "a team asks for another sign-on than that of the token"));
    }
    match &team.membership {
        Some(member) if member.confirmed && member.role == "OWNER" => May::Everything(
            "a token may do all that its user may in the teams of its scopes, and the user owns this one",
        ),
        Some(_) => May::NotKnown(
            facts.doubt(&name, "what a member who is no owner may delete depends on roles that were not read"),
        ),
        None => May::NotKnown(facts.doubt(&name, "the role of the token's user in a team was not told")),
    }
}

/// A team, or the account of a user.
struct Place {
    node: NodeId,
    kind: &'static str,
    title: String,
}

fn node(id: &str) -> NodeId {
    NodeId(format!("vercel:{id}"))
}

/// What lies in a team, or in the account of a user.
fn list(
    client: &Client<'_>,
    (team, place): (Option<&str>, Place),
    (who, may): (&PrincipalId, &May),
    ids: &mut BTreeSet<String>,
    facts: &mut Facts,
) {
    let scope = team.map_or_else(|| place.node.to_string(), str::to_owned);
    let of: Vec<(&str, &str)> = team.map(|team| ("teamId", team)).into_iter().collect();
    let above = &place.node;
    facts.grant(Some(who), anything(), above.clone(), may, (TEAMS, &scope));
    let projects =
        client.get_pages::<Project>(PROJECTS, &[], &[of.as_slice(), &[FULL]].concat(), "projects", ("from", next));
    let stores = client.get_pages::<Store>(STORES, &[], &of, "stores", ("", |_| Ok(None)));
    let configs = client.get_pages::<Config>(CONFIGS, &[], &of, "", ("", |_| Ok(None)));
    let gaps = [(PROJECTS, projects.fault), (STORES, stores.fault), (CONFIGS, configs.fault)]
        .map(|(operation, fault)| facts.outcome(operation, &scope, fault));
    let all = projects.items.iter().map(|one| &one.id).chain(stores.items.iter().map(|one| &one.id));
    let strange = !all.chain(configs.items.iter().map(|one| &one.id)).all(|id| is_id(id));
    let strange = strange.then(|| facts.refused(PROJECTS, &scope, &Fault::malformed()));
    let mut new = |id: &str| is_id(id) && ids.insert(id.to_owned());
    for project in projects.items.iter().filter(|one| new(&one.id)) {
        let name = shown(&project.name);
        let why = "a project has all environments of what is deployed in it";
        let environment = Fact::Unknown(facts.doubt(&name, why));
        // "Permanently delete this project and all deployments, domains, environment variables": there is no way back.
        let seen = asset(&project.id, ("project", Class::Store), name, above, environment);
        facts.seen(Seen { holds: Some("its deployments and variables".to_owned()), ..seen }, (PROJECTS, &scope));
    }
    for store in stores.items.iter().filter(|one| new(&one.id)) {
        store_of(facts, (above, &scope), store);
    }
    for config in configs.items.iter().filter(|one| one.deleted_at.is_none() && new(&one.id)) {
        let name = shown(&config.slug);
        let why = "nothing says which environment a global config belongs to";
        let environment = Fact::Unknown(facts.doubt(&name, why));
        let why = "whether backups of a global config outlive it is not documented";
        let copies = Fact::Unknown(facts.doubt(&name, why));
        let seen = asset(&config.id, ("global_config", Class::Store), name, above, environment);
        facts.seen(Seen { copies, ..seen }, (CONFIGS, &scope));
    }
    let gap = strange.or_else(|| gaps.into_iter().flatten().next());
    let gap = gap.unwrap_or_else(|| facts.doubt(&scope, "domains, images and sandboxes were not listed"));
    let contents = Fact::Unknown(gap);
    let seen = Container { kind: place.kind, name: &place.title, contents, ..Container::of(above.clone()) };
    facts.container(seen, (TEAMS, &scope));
}

fn asset<'a>(
    id: &str,
    (kind, class): (&'a str, Class),
    name: String,
    parent: &'a NodeId,
    environment: Fact<String>,
) -> Seen<'a> {
    let (id, parent, copies) = (node(id), Some(parent), Fact::Known(Listed::Complete));
    Seen { id, kind, class, name, parent, environment, contents: None, copies, holds: None }
}

/// A store of files, or one that an integration of the Marketplace provides. Of files nothing brings back what is deleted:
/// "This action cannot be undone" (`commands/blob/store-remove.ts`).
fn store_of(facts: &mut Facts, (above, scope): (&NodeId, &str), store: &Store) {
    let name = shown(&store.name);
    let connected = store.projects_metadata.iter().flatten().flat_map(|one| one.environments.iter().flatten());
    let environment = if connected.into_iter().any(|environment| environment == "production") {
        Fact::Known("production".to_owned())
    } else {
        Fact::Unknown(facts.doubt(&name, "a store is connected to no production environment that is told"))
    };
    let files = store.kind.as_deref() == Some("blob");
    let (kind, class) = if files { ("store", Class::Bucket) } else { ("resource", Class::Database) };
    let copies = if files {
        Fact::Known(Listed::Complete)
    } else {
        Fact::Unknown(
            facts.doubt(&name, "what an integration keeps of a store of its own is told by its provider alone"),
        )
    };
    let holds = store.product.as_ref().and_then(|product| product.name.as_deref()).map(shown);
    let seen = asset(&store.id, (kind, class), name, above, environment);
    facts.seen(Seen { copies, holds, ..seen }, (STORES, scope));
    if !files {
        endpoints(facts, &node(&store.id), store);
    }
}

/// Where a store may be signed in to, which is not told: at a host of its product's platform, or under a name of one's own. One
/// of a product that this version does not know may be any of them.
fn endpoints(facts: &mut Facts, id: &NodeId, store: &Store) {
    let product = store.product.as_ref();
    let words =
        product.into_iter().flat_map(|one| [&one.name, &one.slug]).flatten().map(|word| word.to_ascii_lowercase());
    let words: Vec<String> = words.collect();
    let is = |product: &str| words.iter().any(|word| word.contains(product));
    let known = DATABASES.iter().any(|(product, ..)| is(product));
    for (product, engine, hosts) in DATABASES {
        if !known || is(product) {
            facts.endpoint(id, engine, None);
            hosts.iter().for_each(|host| facts.endpoint(id, engine, Some(host)));
        }
    }
    if !known {
        facts.endpoint(id, "mysql", None);
    }
}
