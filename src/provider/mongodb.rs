//! MongoDB: what a login's privileges come to, what of that destroys, and what is seen of a way back.
//!
//! A server tells each login all that its roles, and those that they take in, let it do. What is not known to change nothing
//! leaves open what it comes to. Members of a replica set follow what one of them is told, and their log has the delete in it:
//! they are no copy; backups lie outside and are not seen from a connection.
//! <https://www.mongodb.com/docs/manual/reference/command/connectionStatus/>, `core/authorization`, `replication`.

mod privileges;

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{NodeId, StepId};
use deadstop_core::model::{Asset, Atom, Class, Step};
use deadstop_core::time::Time;

use super::Learnt;
use super::databases::{ALLOW, Server, fault, series, size};
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, listed};
use crate::collector::Login;
use crate::readonly::ReadOnly;
use crate::readonly::bson::Document;
use crate::readonly::mongodb::{Session, reads};
use crate::readonly::statement::{self, Questions, Statement, Trouble};
use privileges::{ACTIONS, OWN, Place, Rights};

const ABOUT: About = About { provider: "mongodb", scope: "MongoDB", allow: ALLOW };

const BUILD: &str = "build";
const RIGHTS: &str = "privileges";
const DATABASES: &str = "databases";
const COLLECTIONS: &str = "collections";
const SIZE: &str = "size of a collection";

/// The only commands that a server is asked; `{}` is the name of a collection.
pub(super) static QUESTIONS: Questions = Questions {
    provider: "mongodb",
    reads,
    list: &[
        Statement { operation: BUILD, text: "buildInfo: 1" },
        Statement { operation: RIGHTS, text: "connectionStatus: 1, showPrivileges: true" },
        Statement { operation: DATABASES, text: "listDatabases: 1" },
        Statement { operation: COLLECTIONS, text: "listCollections: 1, nameOnly: true, authorizedCollections: true" },
        Statement { operation: SIZE, text: "collStats: {}, scale: 1" },
    ],
};

/// The series whose privileges are as this knows them.
const SERIES: [&str; 16] =
    ["4.4", "5.0", "5.1", "5.2", "5.3", "6.0", "6.1", "6.2", "6.3", "7.0", "7.1", "7.2", "7.3", "8.0", "8.1", "8.2"];
/// How many databases are looked into, and how many collections of each.
const LOOKED_INTO: usize = 8;
const WEIGHED: usize = 32;

/// How many members of a service are tried.
const MEMBERS: usize = 3;

/// Where a login's user is kept, where its place does not say.
const USUAL: &str = "admin";

/// Asks a server with the logins that were found for one name.
pub(super) fn ask(door: &ReadOnly, server: &Server<'_>, at: Time) -> Learnt {
    let mut last = Trouble::from(GapReason::Unsupported);
    let places = if server.looked_up {
        let credential = server.logins.first().map(|login| login.credential.as_str()).unwrap_or_default();
        match door.members(ABOUT.provider, &server.place, credential) {
            Ok(places) => places,
            Err(trouble) => return server.refused(ABOUT, at, &trouble),
        }
    } else {
        vec![server.place.clone()]
    };
    // One member that answers tells for all of them.
    let tries = server.logins.iter().flat_map(|found| places.iter().take(MEMBERS).map(move |place| (found, place)));
    let mut refused = BTreeSet::new();
    for (found, place) in tries {
        // What one member refuses the others do.
        if refused.contains(&found.credential) {
            continue;
        }
        let login = statement::Login {
            place: place.clone(),
            tls: found.tls,
            user: found.user.as_deref().unwrap_or_default(),
            database: found.source.as_deref().unwrap_or(USUAL),
            // Without a name, nobody's password is proven.
            password: found.secret.as_ref().filter(|_| found.user.is_some()),
            credential: found.credential.as_str(),
        };
        match door.mongodb(&QUESTIONS, login) {
            // Who comes without a password is nobody where others are asked for one.
            Ok(session) if session.open != Some(true) && (found.secret.is_none() || found.user.is_none()) => {
                last = GapReason::Denied.into();
            }
            Ok(mut session) => return learn(&mut session, server, found, at),
            Err(trouble) => {
                if trouble.reason == GapReason::Denied {
                    refused.insert(found.credential.clone());
                }
                last = trouble;
            }
        }
    }
    server.refused(ABOUT, at, &last)
}

fn learn(session: &mut Session<'_>, server: &Server<'_>, login: &Login, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let place = server.place.to_string();
    server.accepted(&mut learnt);
    let hello = session.hello.clone();
    let mark = match &hello.set {
        Some(set) => Some(format!("{set} of {}", hello.members.join(","))),
        None => hello.process.clone(),
    };
    learnt.marks.extend(mark.map(|mark| (server.node.clone(), mark)));
    learnt.members.insert(server.node.clone(), hello.members.iter().cloned().collect());
    if hello.router {
        learnt.fronts.insert(server.node.clone());
    }
    let facts = &mut learnt.facts;
    server.principal(facts, Fact::Known(Listed::Complete), RIGHTS);
    let release = build(session, server, facts);
    if session.open.is_none() {
        server.in_doubt(facts, "whether the server asks everybody who they are was not told");
    }
    let open = session.open == Some(true);
    let rights = if open {
        let because = "the server lets in whoever comes, and asks nobody who they are";
        let actions = ACTIONS.map(|(operation, _)| operation.to_owned()).to_vec();
        server.may(facts, (&server.node, &place), (actions, because, DATABASES));
        Ok(Rights { lists_all: true, ..Rights::default() })
    } else {
        rights(session, server, login, facts)
    };
    let (words, rights) = match rights {
        Ok(rights) if open => ("whoever reaches it may do anything".to_owned(), rights),
        Ok(rights) => (words(&rights), rights),
        Err(gap) => {
            server.doubt(facts, &server.node, &gap);
            ("what its roles allow was not read".to_owned(), Rights::default())
        }
    };
    let (databases, answered, unlisted) = databases(session, server, rights.lists_all, facts);
    let nodes: Vec<(String, NodeId)> =
        databases.iter().map(|(name, _)| (name.clone(), NodeId(format!("{}/{name}", server.node)))).collect();
    grant(facts, server, &rights, (&nodes, answered));
    let mut largest: Vec<(&String, u64)> = databases.iter().map(|(name, bytes)| (name, *bytes)).collect();
    largest.sort_by_key(|(name, bytes)| (std::cmp::Reverse(*bytes), (*name).clone()));
    let looked: BTreeSet<&String> = largest.into_iter().take(LOOKED_INTO).map(|(name, _)| name).collect();
    let following = hello.members.len().saturating_sub(1);
    for (name, node) in &nodes {
        let held = if looked.contains(name) { collections(session, server, name) } else { None };
        let members = (following > 0).then(|| format!("{following} more members of its set, which follow"));
        let holds: Vec<String> = held.into_iter().chain(members).collect();
        describe(facts, server, (name, node), holds.join("; "));
    }
    for found in &server.logins {
        let scope = format!("MongoDB{release} at {place}: {words}");
        facts.told.insert(found.credential.clone(), Told { kind: None, scope, environment: None });
    }
    let title = format!("MongoDB at {place}");
    facts.container(
        Container { kind: "server", name: &title, contents: listed(unlisted), ..Container::of(server.node.clone()) },
        (DATABASES, &place),
    );
    learnt
}

/// The version, where it is one that is known; of another, and of other servers that speak as MongoDB does, it is not known what
/// else they let a login do.
fn build(session: &mut Session<'_>, server: &Server<'_>, facts: &mut Facts) -> String {
    let place = server.place.to_string();
    let about = match session.ask(BUILD, USUAL, "") {
        Ok(about) => about,
        Err(trouble) => {
            let gap = facts.refused(BUILD, &place, &fault(&trouble));
            server.doubt(facts, &server.node, &gap);
            return String::new();
        }
    };
    facts.source(BUILD, &place);
    let version = about.text("version").and_then(|version| series(version, &SERIES));
    let engines = about.texts("storageEngines").unwrap_or_default();
    if version.is_none() || !engines.contains(&"wiredTiger") || about.get("ferretdb").is_some() {
        server.in_doubt(facts, "what a server of another kind or version lets a login do is not known");
    }
    version.map_or_else(String::new, |version| format!(" {version}"))
}

/// What the login may do, as the server tells it.
fn rights(session: &mut Session<'_>, server: &Server<'_>, login: &Login, facts: &mut Facts) -> Result<Rights, Gap> {
    let place = server.place.to_string();
    let answer = session.ask(RIGHTS, USUAL, "").map_err(|trouble| facts.refused(RIGHTS, &place, &fault(&trouble)))?;
    let read = |answer: &Document| {
        let about = answer.document("authInfo")?;
        let users = about.documents("authenticatedUsers")?;
        let [user] = users.as_slice() else { return None };
        let named = user.text("user") == login.user.as_deref();
        let kept = user.text("db") == Some(login.source.as_deref().unwrap_or(USUAL));
        (named && kept).then(|| privileges::read(&about.documents("authenticatedUserPrivileges")?))?
    };
    let rights = read(&answer).ok_or_else(|| facts.refused(RIGHTS, &place, &Fault::malformed()))?;
    facts.source(RIGHTS, &place);
    Ok(rights)
}

fn words(rights: &Rights) -> String {
    let everywhere = rights.destroys.iter().any(|(_, _, place)| *place == Place::Everywhere);
    let text = match (everywhere, rights.destroys.is_empty(), rights.gives.is_empty()) {
        (true, _, _) => "its roles let it destroy in every database",
        (false, false, _) => "its roles let it destroy in some databases",
        (false, true, false) => "its roles let it give itself others",
        (false, true, true) if !rights.more.is_empty() => "its roles let it do more than is known to change nothing",
        (false, true, true) => "its roles let it do nothing that changes data",
    };
    text.to_owned()
}

/// Notes what the login may do, and to what.
fn grant(facts: &mut Facts, server: &Server<'_>, rights: &Rights, (nodes, listed): (&[(String, NodeId)], bool)) {
    let place = server.place.to_string();
    let of = |name: &str| nodes.iter().find(|(known, _)| known == name).map_or(&server.node, |(_, node)| node);
    let named = rights.destroys.iter().filter_map(|(_, _, held)| match held {
        Place::Database(name) | Place::Inside(name) => Some(name),
        Place::Everywhere | Place::Anywhere => None,
    });
    if !listed && named.chain(rights.gives.iter().flatten()).any(|name| of(name) == &server.node) {
        server.in_doubt(facts, "it has rights to databases that are not among those that were told");
    }
    for (operation, action, held) in &rights.destroys {
        let (node, part) = match held {
            Place::Everywhere => (&server.node, ""),
            Place::Anywhere => (&server.node, " for one collection of each"),
            Place::Database(name) => (of(name), ""),
            Place::Inside(name) => (of(name), " for a part of it"),
        };
        // A database that is not among all those to which the login has a right is not there.
        if node == &server.node && matches!(held, Place::Database(_) | Place::Inside(_)) {
            continue;
        }
        let because = format!("a role allows {action} there{part}");
        server.may(facts, (node, &place), (vec![(*operation).to_owned()], &because, RIGHTS));
    }
    for given in &rights.gives {
        let target = given.as_deref().map_or(&server.node, of);
        if given.is_none() || target != &server.node {
            give(facts, server, target, given.as_deref());
        }
    }
    let doubted: BTreeSet<&NodeId> = rights
        .more
        .iter()
        .map(|(action, held)| match held {
            // A password that may be changed, or that may be guessed, is that of a user who may have rights elsewhere.
            _ if ["changePassword", "viewUser"].contains(&action.as_str()) => &server.node,
            Place::Database(name) | Place::Inside(name) => of(name),
            Place::Everywhere | Place::Anywhere => &server.node,
        })
        .collect();
    for node in doubted {
        let gap = facts.doubt(&place, "its roles allow more than is known to change nothing");
        server.doubt(facts, node, &gap);
    }
}

/// Whoever may give roles may give itself one that owns the database, or everything.
/// <https://www.mongodb.com/docs/manual/reference/command/grantRolesToUser/>
fn give(facts: &mut Facts, server: &Server<'_>, target: &NodeId, database: Option<&str>) {
    let source = facts.source(RIGHTS, &server.place.to_string());
    let right =
        |action: &str| Atom::Right { principal: server.who.clone(), action: action.to_owned(), target: target.clone() };
    let role = if database.is_some() { "dbOwner" } else { "root" };
    facts.steps.push(Step {
        id: StepId(format!("{}:roles:{}", server.who, database.unwrap_or("*"))),
        session: None,
        needs: vec![Atom::Principal(server.who.clone())],
        gains: ACTIONS.iter().map(|(operation, _)| right(operation)).collect(),
        changes: true,
        possible: Fact::Known(true),
        because: format!("give itself the role {role}, as grantRole lets it"),
        sources: vec![source],
    });
}

/// The databases that the login is shown and those that its places name, each with its size, and why that may not be all.
fn databases(
    session: &mut Session<'_>,
    server: &Server<'_>,
    all: bool,
    facts: &mut Facts,
) -> (Vec<(String, u64)>, bool, Option<Gap>) {
    let place = server.place.to_string();
    let plain = |name: &str| !name.is_empty() && server.told(name) == name;
    let mut seen: Vec<(String, u64)> = Vec::new();
    let answer = session.ask(DATABASES, USUAL, "");
    let mut answered = false;
    let gap = match answer.as_ref().map(|answer| answer.documents("databases")) {
        Ok(Some(told)) => {
            facts.source(DATABASES, &place);
            let whole = told.iter().all(|one| one.text("name").is_some_and(plain));
            for one in told {
                let name = one.text("name").filter(|name| plain(name) && !OWN.contains(name));
                let bytes = one.number("sizeOnDisk").and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default();
                seen.extend(name.map(|name| (name.to_owned(), bytes)));
            }
            answered = whole;
            let why = "databases to which a login has no right are not shown to it";
            match (whole, all) {
                (true, true) => None,
                (true, false) => Some(facts.doubt(&place, why)),
                (false, _) => Some(facts.refused(DATABASES, &place, &Fault::malformed())),
            }
        }
        Ok(None) => Some(facts.refused(DATABASES, &place, &Fault::malformed())),
        Err(trouble) => Some(facts.refused(DATABASES, &place, &fault(trouble))),
    };
    for name in server.logins.iter().filter_map(|login| login.database.clone()) {
        if !seen.iter().any(|(known, _)| *known == name) {
            seen.push((name, 0));
        }
    }
    seen.sort();
    seen.dedup_by(|a, b| a.0 == b.0);
    (seen, answered, gap)
}

/// The largest collections of a database, as far as the login may ask, in words.
fn collections(session: &mut Session<'_>, server: &Server<'_>, database: &str) -> Option<String> {
    let answer = session.ask(COLLECTIONS, database, "").ok()?;
    let told = answer.document("cursor")?.documents("firstBatch")?;
    let names: Vec<&str> = told
        .iter()
        .filter(|one| one.text("type") != Some("view"))
        .filter_map(|one| one.text("name"))
        .filter(|name| !name.starts_with("system."))
        .collect();
    let mut sizes: Vec<(u64, &str)> = Vec::new();
    for name in names.iter().take(WEIGHED) {
        match session.ask(SIZE, database, name) {
            Ok(about) => {
                let bytes = ["storageSize", "totalIndexSize"]
                    .iter()
                    .filter_map(|part| about.number(part))
                    .fold(0, i64::saturating_add);
                sizes.push((u64::try_from(bytes).unwrap_or_default(), name));
            }
            Err(trouble) if trouble.code.is_none() => return None,
            Err(_) => {}
        }
    }
    sizes.sort_by_key(|(bytes, name)| (std::cmp::Reverse(*bytes), *name));
    let shown: Vec<String> =
        sizes.iter().take(3).map(|(bytes, name)| format!("{} ({})", server.told(name), size(*bytes))).collect();
    let of = if names.len() > WEIGHED { format!(" of {WEIGHED} collections that were weighed") } else { String::new() };
    (!shown.is_empty()).then(|| format!("largest{of} {}", shown.join(", ")))
}

fn describe(facts: &mut Facts, server: &Server<'_>, (name, node): (&str, &NodeId), holds: String) {
    let place = server.place.to_string();
    let why = "copies of a database lie outside of it and are not seen from a connection to it";
    let gap = facts.doubt(&format!("{place}/{name}"), why);
    let source = facts.source(DATABASES, &place);
    facts.assets.push(Asset {
        id: node.clone(),
        provider: "mongodb".to_owned(),
        kind: "database".to_owned(),
        class: Class::Database,
        name: name.to_owned(),
        parent: Some(server.node.clone()),
        environment: Fact::Known(String::new()),
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Unknown(gap),
        behind: Vec::new(),
        holds: Some(holds).filter(|holds| !holds.is_empty()),
        sources: vec![source],
    });
}
