//! PostgreSQL: who a login is and can become, what that may destroy, and what is seen of a way back.
//!
//! Nothing at PostgreSQL protects a database from its owner, and no copy of it is seen from a connection to it: an archive of
//! its log is named where there is one, and proves nothing. <https://www.postgresql.org/docs/current/ddl-priv.html>,
//! `role-attributes`, `role-membership`, `predefined-roles`, `continuous-archiving`.

pub(super) mod rights;
mod statements;

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Asset, Basis, Class, Copy, CopyKind};
use deadstop_core::time::{Span, Time};

use super::Learnt;
use super::databases::{ALLOW, Server, fault};
use super::facts::{About, Facts, Told};
use super::platform::{Container, listed, untried};
use super::token::shown;
use crate::collector::Login;
use crate::readonly::ReadOnly;
use crate::readonly::postgres::{Row, Session};
use crate::readonly::statement::{self, Trouble};
use rights::{Reach, Tables};
use statements::{ARCHIVE, DATABASES, IDENTITY, LARGEST, RIGHTS};

pub(super) use statements::QUESTIONS;

const ABOUT: About = About { provider: "postgres", scope: "PostgreSQL", allow: ALLOW };

/// The oldest version whose catalogue is as this reads it.
const OLDEST: u32 = 120_000;
/// How many databases of one server are looked into.
const MOST: usize = 64;
/// Every operation of the catalogue.
const ACTIONS: [&str; 6] = ["DROP DATABASE", "DROP SCHEMA", "DROP TABLE", "TRUNCATE", "DELETE", "UPDATE"];

/// A database as its server lists it.
#[derive(Clone, Debug)]
struct Database {
    name: String,
    allowed: bool,
    owned: bool,
    owned_later: bool,
    open: bool,
    open_later: bool,
}

/// Who is connected, and to what.
struct Identity {
    version: u32,
    release: String,
    standby: bool,
}

/// Asks a server with the logins that were found for one name.
pub(super) fn ask(door: &ReadOnly, server: &Server<'_>, at: Time) -> Learnt {
    let mut last = Trouble::from(GapReason::Unsupported);
    for login in &server.logins {
        let user = login.user.as_deref().unwrap_or_default();
        let database = login.database.as_deref().unwrap_or(user);
        match session(door, server, login, database) {
            Ok(mut session) => return learn(door, server, login, (&mut session, database), at),
            Err(trouble) => last = trouble,
        }
    }
    server.refused(ABOUT, at, &last)
}

fn session<'a>(
    door: &'a ReadOnly,
    server: &Server<'_>,
    login: &'a Login,
    database: &'a str,
) -> Result<Session<'a>, Trouble> {
    let user = login.user.as_deref().filter(|user| !user.is_empty());
    let login = statement::Login {
        place: server.place.clone(),
        tls: login.tls,
        user: user.ok_or(GapReason::Unsupported)?,
        database,
        password: login.secret.as_ref(),
        credential: login.credential.as_str(),
    };
    door.postgres(&QUESTIONS, login)
}

fn learn(
    door: &ReadOnly,
    server: &Server<'_>,
    login: &Login,
    (home, at_home): (&mut Session<'_>, &str),
    at: Time,
) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let place = server.place.to_string();
    let identity = match home.ask(IDENTITY).and_then(identity) {
        Ok(identity) => identity,
        Err(trouble) => return server.refused(ABOUT, at, &trouble),
    };
    server.accepted(&mut learnt);
    let facts = &mut learnt.facts;
    server.principal(facts, Fact::Known(Listed::Complete), IDENTITY);
    let reach = rights::reach(home, server, identity.version, facts);
    let scope = format!("{} at {place}: {}", identity.release, reach.words());
    let scope =
        if identity.standby { format!("{scope}; a standby, which refuses what its primary may not") } else { scope };
    for login in &server.logins {
        let told = Told { kind: None, scope: scope.clone(), environment: None };
        facts.told.insert(login.credential.clone(), told);
    }
    let (databases, unlisted) = match home.ask(DATABASES).and_then(|rows| all(&rows, database)) {
        Ok(databases) => {
            facts.source(DATABASES, &place);
            (databases, None)
        }
        Err(trouble) => (Vec::new(), Some(facts.refused(DATABASES, &place, &fault(&trouble)))),
    };
    if let Some(gap) = &unlisted {
        rights::doubt(facts, server, &server.node, gap);
    }
    let archive = archive(home, &place, facts);
    for (count, database) in databases.iter().filter(|database| !template(database)).enumerate() {
        let node = NodeId(format!("{}/{}", server.node, database.name));
        let scope = format!("{place}/{}", database.name);
        let tables = if count >= MOST {
            Err(GapReason::NotAsked.into())
        } else if database.name == at_home {
            look(home, server, (&node, &scope), &reach, facts)
        } else if database.allowed && database.open {
            let session = session(door, server, login, &database.name);
            session.and_then(|mut session| look(&mut session, server, (&node, &scope), &reach, facts))
        } else {
            // Nobody gets in who may not connect, so that nothing in it is within reach.
            Ok(None)
        };
        let named = server.logins.iter().any(|login| login.database.as_deref() == Some(database.name.as_str()));
        let bare = matches!(&tables, Ok(Some(seen)) if seen.total == 0 && seen.objects == 0);
        // The database that every server is made with, and that nobody put anything into.
        if database.name == "postgres" && bare && !named {
            continue;
        }
        let (tables, unread) = match tables {
            Ok(tables) => (tables, None),
            Err(trouble) => (None, Some(facts.refused(RIGHTS, &scope, &fault(&trouble)))),
        };
        if let Some(gap) = &unread {
            // What runs as somebody else there may reach the whole server.
            rights::doubt(facts, server, &server.node, gap);
        }
        if database.allowed && database.open_later && !database.open {
            let gap = facts.doubt(&scope, "a login that may come to connect there was not looked into");
            rights::doubt(facts, server, &node, &gap);
        }
        rights::drop_database(facts, server, (&node, &scope), &reach, (database.owned, database.owned_later));
        describe(facts, server, (database, &node, &scope), tables.as_ref());
        if let Some(archive) = &archive {
            let copy = archive.copy(&node, facts);
            facts.copies.push(copy);
        }
    }
    let title = format!("PostgreSQL at {place}");
    facts.container(
        Container { kind: "server", name: &title, contents: listed(unlisted), ..Container::of(server.node.clone()) },
        (IDENTITY, &place),
    );
    learnt
}

/// What is in one database, with what the login may do to it.
fn look(
    session: &mut Session<'_>,
    server: &Server<'_>,
    (node, scope): (&NodeId, &str),
    reach: &Reach,
    facts: &mut Facts,
) -> Result<Option<Tables>, Trouble> {
    let mut tables = rights::tables(session, server, (node, scope), reach, facts)?;
    // Only names in the report rest on this.
    if let Ok(rows) = session.ask(LARGEST) {
        tables.largest = rows.iter().filter_map(largest).collect();
        tables.size = rows.first().and_then(|row| number(row, 3));
    }
    Ok(Some(tables))
}

fn describe(
    facts: &mut Facts,
    server: &Server<'_>,
    (database, node, scope): (&Database, &NodeId, &str),
    tables: Option<&Tables>,
) {
    let gap = facts.doubt(scope, "copies of a database lie outside of it and are not seen from a connection to it");
    let source = facts.source(DATABASES, &server.place.to_string());
    facts.assets.push(Asset {
        id: node.clone(),
        provider: facts.provider().to_owned(),
        kind: "database".to_owned(),
        class: Class::Database,
        name: database.name.clone(),
        parent: Some(server.node.clone()),
        environment: Fact::Known(String::new()),
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Unknown(gap),
        behind: Vec::new(),
        holds: tables.and_then(Tables::words),
        sources: vec![source],
    });
}

/// What is seen of an archive of the log.
struct Archive {
    because: String,
    tool: String,
    lag: Option<Span>,
    gap: Gap,
    place: String,
}

/// Asks whether the log is archived, and whether that works now.
fn archive(home: &mut Session<'_>, place: &str, facts: &mut Facts) -> Option<Archive> {
    let rows = match home.ask(ARCHIVE) {
        Ok(rows) => rows,
        Err(trouble) => {
            facts.refused(ARCHIVE, place, &fault(&trouble));
            return None;
        }
    };
    facts.source(ARCHIVE, place);
    let row = rows.first()?;
    let mode = text(row, 0)?;
    let tool = shown(text(row, 2)?);
    if mode == "off" || tool == "nothing" {
        return None;
    }
    let (last, failed, now) = (number(row, 4), number(row, 6), number(row, 7)?);
    let ago = |moment: u64| Span(now.saturating_sub(moment));
    let works = match (last, failed) {
        (None, None) => "nothing was archived yet".to_owned(),
        (None, Some(_)) => "archiving fails, and never worked since its count began".to_owned(),
        (Some(last), Some(failed)) if failed > last => format!("archiving fails; it last worked {} ago", ago(last)),
        (Some(last), _) => format!("it last worked {} ago", ago(last)),
    };
    let fails = matches!((last, failed), (last, Some(failed)) if last.is_none_or(|last| failed > last));
    let why = "an archive of the log was seen, not the base backup that it needs, nor who may delete both";
    Some(Archive {
        because: format!("archive_mode is {mode}, with {tool}: {works}. No base backup is seen from here"),
        lag: last.filter(|_| fails).map(ago),
        gap: facts.doubt(place, why),
        tool,
        place: place.to_owned(),
    })
}

impl Archive {
    /// A copy of which nothing is known but that somebody meant to keep one.
    fn copy(&self, of: &NodeId, facts: &mut Facts) -> Copy {
        let source = facts.source(ARCHIVE, &self.place);
        let unknown = || self.gap.clone();
        Copy {
            id: NodeId(format!("{of}#wal-archive")),
            of: of.clone(),
            kind: CopyKind::Pitr,
            name: format!("the log archive of {} ({})", self.place, self.tool),
            place: None,
            lag: self.lag.map_or_else(|| Fact::Unknown(unknown()), Fact::Known),
            ends: Fact::Unknown(unknown()),
            dies_with: Fact::Unknown(unknown()),
            destroyed_by: Fact::Unknown(unknown()),
            needs: Vec::new(),
            drills: untried(),
            basis: Basis::Inferred,
            because: self.because.clone(),
            sources: vec![source],
        }
    }
}

/// The databases that a server is made with, to copy new ones from.
fn template(database: &Database) -> bool {
    ["template0", "template1"].contains(&database.name.as_str())
}

fn identity(rows: Vec<Row>) -> Result<Identity, Trouble> {
    let row = one(&rows)?;
    let release: String =
        text(row, 0).map(|text| text.split(' ').take(2).collect::<Vec<_>>().join(" ")).unwrap_or_default();
    let version = text(row, 1).and_then(|text| text.parse().ok()).ok_or(GapReason::Malformed)?;
    let standby = flag(row, 4)?;
    // What speaks the protocol and is another server has other rights.
    if !release.starts_with("PostgreSQL ") || version < OLDEST {
        return Err(GapReason::Unsupported.into());
    }
    Ok(Identity { version, release: shown(&release), standby })
}

fn database(row: &Row) -> Result<Database, Trouble> {
    let name = text(row, 0).filter(|name| !name.is_empty() && shown(name) == **name).ok_or(GapReason::Malformed)?;
    Ok(Database {
        name: name.to_owned(),
        allowed: flag(row, 1)?,
        owned: flag(row, 2)?,
        owned_later: flag(row, 3)?,
        open: flag(row, 4)?,
        open_later: flag(row, 5)?,
    })
}

/// Every row read, or none.
fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, Trouble>) -> Result<Vec<T>, Trouble> {
    // A server without databases cannot be connected to.
    if rows.is_empty() {
        return Err(GapReason::Malformed.into());
    }
    rows.iter().map(read).collect()
}

/// The only row.
fn one(rows: &[Row]) -> Result<&Row, Trouble> {
    match rows {
        [row] => Ok(row),
        _ => Err(GapReason::Malformed.into()),
    }
}

fn text(row: &Row, at: usize) -> Option<&str> {
    row.get(at)?.as_deref()
}

fn number(row: &Row, at: usize) -> Option<u64> {
    text(row, at)?.parse().ok()
}

/// A truth value as PostgreSQL writes it.
fn flag(row: &Row, at: usize) -> Result<bool, Trouble> {
    match text(row, at) {
        Some("t") => Ok(true),
        Some("f") => Ok(false),
        Some(_) | None => Err(GapReason::Malformed.into()),
    }
}

/// A table in a few words: its name and its size.
fn largest(row: &Row) -> Option<String> {
    let (schema, name, bytes) = (text(row, 0)?, text(row, 1)?, number(row, 2)?);
    let name = if schema == "public" { shown(name) } else { shown(&format!("{schema}.{name}")) };
    Some(format!("{name} ({})", rights::size(bytes)))
}
