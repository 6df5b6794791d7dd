//! Upstash: which databases and indexes an account has, and the newest backup of each database.
//!
//! <https://upstash.com/docs/devops/developer-api>, `redis/features/backup`, `agent-resources/mcp`; the fields are those of its
//! OpenAPI description (`upstash/docs`, `devops/developer-api/openapi.yml`). A key is sent beside the account's address. There are
//! keys that only read, and no call tells them apart but one that would delete (`upstash/mcp-server`, `src/test-connection.ts`):
//! what a key may do stays unknown, but where it is shown a token of the data.

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Basis, Class, CopyKind};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, Kept, May, Seen, anything, can, listed, names};
use super::same::ANY_UPSTASH;
use super::token::{Client, Got, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "api.upstash.com";
/// Kinds of credential that are asked about. Tokens of a database are for its data alone.
pub(super) const KINDS: [&str; 1] = ["api_key"];

const ABOUT: About =
    About { provider: "upstash", scope: "Upstash", allow: "to the key: one that only reads, reads all of this" };

const DATABASES: &str = "GET /redis/databases";
const BACKUPS: &str = "GET /redis/list-backup/{}";
const VECTORS: &str = "GET /vector/index";
const SEARCHES: &str = "GET /search";
const TEAMS: &str = "GET /teams";

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "upstash",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(DATABASES, "/v2/redis/databases", &[]),
        Read::rest(BACKUPS, "/v2/redis/list-backup/{}", &[]),
        Read::rest(VECTORS, "/v2/vector/index", &[]),
        Read::rest(SEARCHES, "/v2/search", &[]),
        Read::rest(TEAMS, "/v2/teams", &[]),
    ],
};

/// Where answers hold secrets.
const SECRETS: &[&str] = &["password", "read_only_rest_token", "read_only_token", "rest_token", "token"];

/// Asks Upstash about these keys.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Database {
    database_id: String,
    database_name: String,
    endpoint: Option<String>,
    customer_id: Option<String>,
    /// Whether the password of its data was in the answer, or a token of it.
    password: Option<bool>,
    rest_token: Option<bool>,
}

#[derive(Deserialize)]
struct Backup {
    creation_time: i64,
    state: String,
}

#[derive(Deserialize)]
struct Index {
    id: String,
    name: String,
    customer_id: Option<String>,
    /// Whether a token of its data was in the answer.
    token: Option<bool>,
}

#[derive(Deserialize)]
struct Team {
    team_id: String,
    team_name: String,
}

/// Where what is listed lies: the account, and its teams.
struct Account {
    node: NodeId,
    teams: Vec<(String, NodeId)>,
}

impl Account {
    /// The team that an asset says it belongs to, else the account.
    fn of(&self, customer: Option<&String>) -> &NodeId {
        let team = customer.and_then(|id| self.teams.iter().find(|(team, _)| team == id));
        team.map_or(&self.node, |(_, node)| node)
    }
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let credential = token.credential.as_str();
    let Some(address) = token.account.as_deref().map(shown).filter(|address| !address.is_empty()) else {
        let why = "a key is sent beside the address of its account, which does not lie beside it";
        let settle = "write UPSTASH_EMAIL beside the key";
        let gap = learnt.facts.not_asked(credential, why, settle);
        learnt.identities.insert(token.credential.clone(), (Fact::Unknown(gap.clone()), Fact::Unknown(gap)));
        return learnt;
    };
    let client = Client::new(door, &READS, HOST, token, Shown::Basic).hiding(SECRETS);
    let databases = client.get_list::<Database>(DATABASES, &[], "");
    let vectors = client.get_list::<Index>(VECTORS, &[], "");
    let searches = client.get_list::<Index>(SEARCHES, &[], "");
    if let (Some(fault), Some(_), Some(_)) = (&databases.fault, &vectors.fault, &searches.fault) {
        learnt.refuse(DATABASES, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    let who = PrincipalId(format!("upstash:account/{address}#{credential}"));
    facts.principal(&who, &format!("Upstash account {address}, by one key"), None, (DATABASES, credential));
    let untold = facts.doubt(credential, "whether a key only reads is not told");
    facts.everywhere(Some(&who), &untold, (DATABASES, credential));
    let may = May::NotKnown(untold);
    let node = NodeId(format!("upstash:account/{address}"));
    facts.grant(Some(&who), anything(), node.clone(), &may, (DATABASES, credential));
    let teams = client.get_list::<Team>(TEAMS, &[], "");
    let (teams, mut gap) = teams_of(teams, (&who, &may), (&node, credential), facts);
    let account = Account { node: node.clone(), teams };
    let faults = [(DATABASES, databases.fault), (VECTORS, vectors.fault), (SEARCHES, searches.fault)];
    for (operation, fault) in faults {
        gap = facts.outcome(operation, credential, fault).or(gap);
    }
    for database in &databases.items {
        if is_id(&database.database_id) {
            database_of(&client, (&who, account.of(database.customer_id.as_ref())), database, facts);
        } else {
            gap = Some(facts.refused(DATABASES, credential, &Fault::malformed()));
        }
    }
    for (kind, operation, indexes) in
        [("vector_index", VECTORS, &vectors.items), ("search_index", SEARCHES, &searches.items)]
    {
        for index in indexes {
            if is_id(&index.id) {
                index_of((&who, account.of(index.customer_id.as_ref())), kind, index, (operation, credential), facts);
            } else {
                gap = Some(facts.refused(operation, credential, &Fault::malformed()));
            }
        }
    }
    let why = "queues and schedules were not listed";
    let contents = Fact::Unknown(gap.unwrap_or_else(|| facts.doubt(credential, why)));
    let title = format!("Upstash account {address}");
    facts.container(
        Container { kind: "account", name: &title, contents, ..Container::of(node) },
        (DATABASES, credential),
    );
    let scope = format!("what the account {address} may do, unless it only reads, which is not told");
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

/// The teams of an account. Whether what they have is listed with a key of the account is not documented.
fn teams_of(
    teams: Got<Team>,
    (who, may): (&PrincipalId, &May),
    (account, credential): (&NodeId, &str),
    facts: &mut Facts,
) -> (Vec<(String, NodeId)>, Option<Gap>) {
    let mut gap = facts.outcome(TEAMS, credential, teams.fault);
    let mut all = Vec::new();
    for team in teams.items {
        if !is_id(&team.team_id) {
            gap = Some(facts.refused(TEAMS, credential, &Fault::malformed()));
            continue;
        }
        let (node, name) = (NodeId(format!("upstash:team/{}", team.team_id)), shown(&team.team_name));
        let why = "whether a key of an account lists what a team has is not documented";
        let contents = Fact::Unknown(facts.doubt(&name, why));
        let title = format!("Upstash team {name}");
        let seen =
            Container { kind: "team", name: &title, parent: Some(account), contents, ..Container::of(node.clone()) };
        facts.container(seen, (TEAMS, credential));
        facts.grant(Some(who), anything(), node.clone(), may, (TEAMS, credential));
        all.push((team.team_id, node));
    }
    (all, gap)
}

fn unnamed(name: &str, facts: &mut Facts) -> Fact<String> {
    Fact::Unknown(facts.doubt(name, "nothing at Upstash says which environment something belongs to"))
}

fn database_of(client: &Client<'_>, (who, parent): (&PrincipalId, &NodeId), database: &Database, facts: &mut Facts) {
    let name = shown(&database.database_name);
    let node = NodeId(format!("upstash:redis/{}", database.database_id));
    let backups = client.get_list::<Backup>(BACKUPS, &[&database.database_id], "");
    let copies = listed(facts.outcome(BACKUPS, &name, backups.fault));
    let environment = unnamed(&name, facts);
    let asked = (DATABASES, name.as_str());
    let seen = Seen {
        id: node.clone(),
        kind: "database",
        class: Class::Store,
        name: name.clone(),
        parent: Some(parent),
        environment,
        contents: None,
        copies,
        holds: Some("Redis".to_owned()),
    };
    facts.seen(seen, asked);
    if [database.password, database.rest_token].contains(&Some(true)) {
        let because = "the list of databases shows a secret of the data, with which all of it can be deleted";
        facts.granted(who, names(&["getDatabase"]), node.clone(), (Basis::Observed, because), asked);
    }
    // "Endpoint identifier or hostname of the database (may be a slug)": hosts of older ones begin with a Region, too.
    let host = database.endpoint.as_deref().filter(|host| !host.is_empty());
    match host {
        Some(host) if host.contains('.') => facts.endpoint(&node, "redis", Some(host)),
        Some(slug) => {
            facts.endpoint(&node, "redis", Some(&format!("{slug}{ANY_UPSTASH}")));
            facts.endpoint(&node, "redis", Some(ANY_UPSTASH));
        }
        None => facts.endpoint(&node, "redis", Some(ANY_UPSTASH)),
    }
    let made = backups.items.iter().filter(|one| one.state == "completed");
    if let Some(newest) = made.map(|one| Time::from_unix(one.creation_time)).max() {
        backup_of(&node, &name, newest, facts);
    }
}

/// The newest backup. Daily ones are kept for one day or three (`redis/features/backup`), those made by hand until deleted;
/// the answer tells neither.
fn backup_of(node: &NodeId, name: &str, newest: Time, facts: &mut Facts) {
    let ends = Fact::Unknown(facts.doubt(name, "how long a backup is kept was not in the answer"));
    let dies_with = Fact::Unknown(facts.doubt(name, "whether backups outlive their database is not documented"));
    let age = facts.at().since(newest);
    facts.kept(
        Kept {
            id: "backup",
            of: node,
            kind: CopyKind::AutomatedBackup,
            name: format!("backup of {name}"),
            place: None,
            lag: Fact::Known(age.max(Span::days(1))),
            ends,
            dies_with,
            destroyed_by: Fact::Known(vec![can("deleteBackup", node, "delete the backup")]),
            because: "the newest backup, which a call of its own deletes",
        },
        (BACKUPS, name),
    );
}

fn index_of((who, parent): (&PrincipalId, &NodeId), kind: &str, index: &Index, asked: (&str, &str), facts: &mut Facts) {
    let name = shown(&index.name);
    let node = NodeId(format!("upstash:{kind}/{}", index.id));
    let environment = unnamed(&name, facts);
    let copies =
        Fact::Unknown(facts.doubt(&name, "whether anything is kept of an index that is deleted is not documented"));
    facts.seen(
        Seen {
            id: node.clone(),
            kind,
            class: Class::Index,
            name: name.clone(),
            parent: Some(parent),
            environment,
            contents: None,
            copies,
            holds: None,
        },
        asked,
    );
    if index.token == Some(true) {
        let because = "the list of indexes shows a token of the data, with which all of it can be deleted";
        facts.granted(who, names(&["listIndexes"]), node, (Basis::Observed, because), asked);
    }
}
