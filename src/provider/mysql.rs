//! MySQL and MariaDB: what a login is granted, what of that destroys, and what is seen of a way back.
//!
//! Nothing is ever said to be stopped there. A grant that destroys is known to; a login without one is in doubt, for what it
//! is granted does not bound what it may do, and most of the rest is not told to it: accounts without a name that match whoever
//! connects, roles that it may take on, views, routines, triggers and events that run with the rights of others, functions that
//! are loaded, servers that tables reach, and accounts that a socket of the machine lets in.
//! <https://dev.mysql.com/doc/refman/8.4/en/connection-access.html>, `stored-objects-security`, `create-server`,
//! `socket-pluggable-authentication`.
//!
//! Nothing at either protects a database from who may drop it, and no copy is seen from a connection: the binary log lies on the
//! same server, and goes with it. <https://dev.mysql.com/doc/refman/8.4/en/show-grants.html>, `binary-log`,
//! <https://mariadb.com/kb/en/show-grants/>.

mod grants;

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{NodeId, StepId};
use deadstop_core::model::{Asset, Atom, Basis, Class, Copy, CopyKind, Step};
use deadstop_core::time::Time;

use super::Learnt;
use super::databases::{ALLOW, Server, fault, series, size};
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, listed, untried};
use crate::readonly::ReadOnly;
use crate::readonly::mysql::Session;
use crate::readonly::statement::{self, Questions, Row, Statement, Trouble, reads};
use grants::{ACTIONS, Effect, Granted, Place, holds_for};

const ABOUT: About = About { provider: "mysql", scope: "MySQL", allow: ALLOW };

const GRANTS: &str = "grants";
const DATABASES: &str = "databases";
const LARGEST: &str = "largest tables";
const LOG: &str = "binary log";

/// The only statements that a server is asked.
pub(super) static QUESTIONS: Questions = Questions {
    provider: "mysql",
    reads,
    list: &[
        Statement { operation: GRANTS, text: "SHOW GRANTS" },
        Statement { operation: DATABASES, text: "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA" },
        Statement {
            operation: LARGEST,
            text: "SELECT TABLE_SCHEMA, TABLE_NAME, DATA_LENGTH + INDEX_LENGTH FROM information_schema.TABLES \
                   WHERE TABLE_TYPE = 'BASE TABLE' ORDER BY 3 DESC, 1, 2 LIMIT 200",
        },
        Statement { operation: LOG, text: "SELECT @@GLOBAL.log_bin, @@GLOBAL.expire_logs_days, @@GLOBAL.read_only" },
    ],
};

/// Why no login at such a server is ever said to be stopped.
const BEYOND: &str = "what a login is granted does not bound what it may do: what accounts without a name, roles, and views, \
                      routines, triggers and functions of others let it do is not told to it";

/// The series that are told apart; of another, no version is shown.
const SERIES: [&str; 14] =
    ["5.5", "5.6", "5.7", "8.0", "8.1", "8.2", "8.3", "8.4", "9.0", "9.1", "9.2", "9.3", "9.4", "9.5"];
const MARIADB_SERIES: [&str; 24] = [
    "5.5", "10.0", "10.1", "10.2", "10.3", "10.4", "10.5", "10.6", "10.7", "10.8", "10.9", "10.10", "10.11", "11.0",
    "11.1", "11.2", "11.3", "11.4", "11.5", "11.6", "11.7", "11.8", "12.0", "12.1",
];

/// Databases of the server itself.
const OWN: [&str; 4] = ["information_schema", "performance_schema", "mysql", "sys"];

/// Asks a server with the logins that were found for one name.
pub(super) fn ask(door: &ReadOnly, server: &Server<'_>, at: Time) -> Learnt {
    let mut last = Trouble::from(GapReason::Unsupported);
    for login in &server.logins {
        let Some(user) = login.user.as_deref() else { continue };
        let login = statement::Login {
            place: server.place.clone(),
            tls: login.tls,
            user,
            database: "",
            password: login.secret.as_ref(),
            credential: login.credential.as_str(),
        };
        match door.mysql(&QUESTIONS, login) {
            Ok(mut session) => return learn(&mut session, server, at),
            Err(trouble) => last = trouble,
        }
    }
    server.refused(ABOUT, at, &last)
}

fn learn(session: &mut Session<'_>, server: &Server<'_>, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let place = server.place.to_string();
    let maria = session.version.contains("MariaDB");
    server.accepted(&mut learnt);
    let facts = &mut learnt.facts;
    server.principal(facts, Fact::Known(Listed::Complete), "connect");
    server.in_doubt(facts, BEYOND);
    let granted = rights(session, server, facts);
    let (databases, unlisted) = databases(session, server, &granted, facts);
    let log = log(session, &place, facts);
    let largest = session.ask(LARGEST).unwrap_or_default();
    for name in &databases {
        let node = NodeId(format!("{}/{name}", server.node));
        describe(facts, server, (name, &node), &largest);
        granted_at(facts, server, &granted, (name, &node));
        if let Some((because, gap)) = &log {
            let copy = copy(&node, &place, because, gap, facts);
            facts.copies.push(copy);
        }
    }
    // MariaDB puts another number before its own, for clients that know no newer.
    let version = session.version.strip_prefix("5.5.5-").filter(|_| maria).unwrap_or(&session.version);
    let release = series(version, if maria { &MARIADB_SERIES } else { &SERIES });
    let release = release.map_or_else(String::new, |release| format!(" {release}"));
    let title = if maria { "MariaDB" } else { "MySQL" };
    for login in &server.logins {
        let scope = format!("{title}{release} at {place}: {}", words(&granted));
        facts.told.insert(login.credential.clone(), Told { kind: None, scope, environment: None });
    }
    let name = format!("{title} at {place}");
    facts.container(
        Container { kind: "server", name: &name, contents: listed(unlisted), ..Container::of(server.node.clone()) },
        (DATABASES, &place),
    );
    learnt
}

fn words(granted: &Granted) -> String {
    let all = granted
        .rights
        .iter()
        .any(|(_, place, effect)| *place == Place::Everywhere && matches!(effect, Effect::Destroys(_)));
    if all { "rights to every database that destroy".to_owned() } else { "what it is granted".to_owned() }
}

/// What the login is granted, and what of that holds for the whole server.
fn rights(session: &mut Session<'_>, server: &Server<'_>, facts: &mut Facts) -> Granted {
    let place = server.place.to_string();
    let granted = match session.ask(GRANTS) {
        Ok(rows) => {
            facts.source(GRANTS, &place);
            grants::read(rows.iter().map(|row| row.first().and_then(Option::as_deref).unwrap_or_default()))
        }
        Err(trouble) => {
            let gap = facts.refused(GRANTS, &place, &fault(&trouble));
            server.doubt(facts, &server.node, &gap);
            return Granted::default();
        }
    };
    for (privilege, held, effect) in &granted.rights {
        match effect {
            // Also for what is not shown to the login.
            Effect::Destroys(actions) if *held == Place::Everywhere => {
                let actions = actions.iter().map(|action| (*action).to_owned()).collect();
                let because = format!("{privilege} is granted everywhere");
                server.may(facts, (&server.node, &place), (actions, &because, GRANTS));
            }
            Effect::Accounts => accounts(facts, server),
            Effect::Destroys(_) => {}
        }
    }
    granted
}

/// Whoever may change accounts may give a greater one a password, and log in as it.
fn accounts(facts: &mut Facts, server: &Server<'_>) {
    let source = facts.source(GRANTS, &server.place.to_string());
    let right = |action: &str| Atom::Right {
        principal: server.who.clone(),
        action: action.to_owned(),
        target: server.node.clone(),
    };
    facts.steps.push(Step {
        id: StepId(format!("{}:accounts", server.who)),
        session: None,
        needs: vec![Atom::Principal(server.who.clone())],
        gains: ACTIONS.iter().map(|action| right(action)).collect(),
        changes: true,
        possible: Fact::Known(true),
        because: "give an account with more rights another password, as CREATE USER lets it".to_owned(),
        sources: vec![source],
    });
}

/// What the grants say of one database.
fn granted_at(facts: &mut Facts, server: &Server<'_>, granted: &Granted, (name, node): (&str, &NodeId)) {
    let at = server.place.to_string();
    for (privilege, place, effect) in &granted.rights {
        let (holds, inside) = match place {
            // Said of the whole server already.
            Place::Everywhere => (false, false),
            Place::Databases(pattern) => (holds_for(pattern, name), false),
            Place::Inside(database) => (database.eq_ignore_ascii_case(name), true),
        };
        let Effect::Destroys(actions) = effect else { continue };
        if holds {
            let actions = actions.iter().filter(|action| !(inside && **action == "DROP DATABASE"));
            let because = format!("{privilege} is granted{}", if inside { " on a part of it" } else { "" });
            let actions = actions.map(|action| (*action).to_owned()).collect();
            server.may(facts, (node, &at), (actions, &because, GRANTS));
        }
    }
}

/// The databases that the login is shown, and why that may not be all.
fn databases(
    session: &mut Session<'_>,
    server: &Server<'_>,
    granted: &Granted,
    facts: &mut Facts,
) -> (Vec<String>, Option<Gap>) {
    let at = server.place.to_string();
    let rows = match session.ask(DATABASES) {
        Ok(rows) => rows,
        Err(trouble) => return (Vec::new(), Some(facts.refused(DATABASES, &at, &fault(&trouble)))),
    };
    facts.source(DATABASES, &at);
    let names: Vec<Option<&str>> = rows.iter().map(|row| row.first().and_then(Option::as_deref)).collect();
    let plain = |name: &&str| !name.is_empty() && server.told(name) == **name;
    let whole = names.iter().all(|name| name.as_ref().is_some_and(plain));
    let mut all: Vec<String> = names.into_iter().flatten().filter(plain).map(str::to_owned).collect();
    // Every login is shown this one.
    let answered = all.iter().any(|name| name.eq_ignore_ascii_case("information_schema"));
    for place in &granted.public {
        let named = match place {
            Place::Inside(name) => Some(name.clone()),
            Place::Databases(pattern) => grants::plain(pattern),
            Place::Everywhere => None,
        };
        match named {
            Some(name) if all.iter().any(|known| known.eq_ignore_ascii_case(&name)) => {}
            Some(name) if plain(&name.as_str()) => all.push(name),
            Some(_) | None => {}
        }
    }
    all.retain(|name| !OWN.contains(&name.to_ascii_lowercase().as_str()));
    if !whole || !answered {
        return (all, Some(facts.refused(DATABASES, &at, &Fault::malformed())));
    }
    let gap =
        (!granted.shown_all).then(|| facts.doubt(&at, "databases to which a login has no right are not shown to it"));
    (all, gap)
}

fn describe(facts: &mut Facts, server: &Server<'_>, (name, node): (&str, &NodeId), largest: &[Row]) {
    let place = server.place.to_string();
    let why = "copies of a database lie outside of it and are not seen from a connection to it";
    let gap = facts.doubt(&format!("{place}/{name}"), why);
    let source = facts.source(DATABASES, &place);
    let text = |row: &Row, at: usize| row.get(at).cloned().flatten();
    let here = largest.iter().filter(|row| text(row, 0).as_deref() == Some(name));
    let tables: Vec<String> = here
        .take(3)
        .filter_map(|row| Some(format!("{} ({})", server.told(&text(row, 1)?), size(text(row, 2)?.parse().ok()?))))
        .collect();
    facts.assets.push(Asset {
        id: node.clone(),
        provider: "mysql".to_owned(),
        kind: "database".to_owned(),
        class: Class::Database,
        name: name.to_owned(),
        parent: Some(server.node.clone()),
        environment: Fact::Known(String::new()),
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Unknown(gap),
        behind: Vec::new(),
        holds: (!tables.is_empty()).then(|| format!("largest {}", tables.join(", "))),
        sources: vec![source],
    });
}

/// Whether there is a binary log, in a sentence.
fn log(session: &mut Session<'_>, place: &str, facts: &mut Facts) -> Option<(String, Gap)> {
    let rows = match session.ask(LOG) {
        Ok(rows) => rows,
        Err(trouble) => {
            facts.refused(LOG, place, &fault(&trouble));
            return None;
        }
    };
    facts.source(LOG, place);
    let row = rows.first()?;
    let text = |at: usize| row.get(at).cloned().flatten();
    if text(0).as_deref() != Some("1") {
        return None;
    }
    let days =
        text(1).and_then(|days| days.parse::<f32>().ok()).filter(|days| (1.0..1_000.0).contains(days)).map(f32::round);
    let kept = days.map_or_else(String::new, |days| format!(", and is kept for {days} days"));
    let gap = facts.doubt(place, "the binary log lies on the server itself; the dump that it needs is not seen");
    Some((format!("the binary log is on{kept}. It lies on the same server, and no dump is seen from here"), gap))
}

fn copy(of: &NodeId, place: &str, because: &str, gap: &Gap, facts: &mut Facts) -> Copy {
    let source = facts.source(LOG, place);
    let unknown = || gap.clone();
    Copy {
        id: NodeId(format!("{of}#binary-log")),
        of: of.clone(),
        kind: CopyKind::Pitr,
        name: format!("the binary log of {place}"),
        place: None,
        lag: Fact::Unknown(unknown()),
        ends: Fact::Unknown(unknown()),
        dies_with: Fact::Unknown(unknown()),
        destroyed_by: Fact::Unknown(unknown()),
        needs: Vec::new(),
        drills: untried(),
        basis: Basis::Inferred,
        because: because.to_owned(),
        sources: vec![source],
    }
}
