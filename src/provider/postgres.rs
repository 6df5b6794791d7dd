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
use super::databases::{ALLOW, Server, fault, size};
use super::facts::{About, Facts, Told};
use super::platform::{Container, listed, untried};
use super::token::shown;
use crate::collector::Login;
use crate::readonly::ReadOnly;
use crate::readonly::postgres::Session;
use crate::readonly::statement::{self, Row, Trouble};
use rights::{Reach, Tables};
use statements::{ARCHIVE, DATABASES, IDENTITY, LARGEST, MARK, RIGHTS, ROUTES};

pub(super) use statements::QUESTIONS;

const ABOUT: About = About { provider: "postgres", scope: "PostgreSQL", allow: ALLOW };

/// The oldest version whose catalogue is as this reads it, and the first whose rights may be more than this knows.
const OLDEST: u32 = 120_000;
const UNKNOWN: u32 = 190_000;
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
    database: String,
    user: String,
    standby: bool,
    /// Whether whoever opened the connection is another, to which it may be set back.
    lent: bool,
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
    let identity = match seen(home, at_home) {
        Ok(identity) => identity,
        Err(trouble) => return server.refused(ABOUT, at, &trouble),
    };
    server.accepted(&mut learnt);
    let facts = &mut learnt.facts;
    server.principal(facts, Fact::Known(Listed::Complete), IDENTITY);
    doubts(server, &identity, (home.unproved, login), facts);
    // Its copies and whatever stands before it have the same.
    if let Some(mark) = home.ask(MARK).ok().and_then(|rows| text(rows.first()?, 0).map(str::to_owned)) {
        learnt.marks.insert(server.node.clone(), mark);
    }
    let facts = &mut learnt.facts;
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
        server.doubt(facts, &server.node, gap);
    }
    let listed_all = |name: &str| databases.iter().any(|database| database.name == name);
    if server.logins.iter().filter_map(|login| login.database.as_deref()).any(|name| !listed_all(name)) {
        server.in_doubt(facts, "a database that a place of the login names is not among those of the server");
    }
    let archive = archive(home, &place, facts);
    for template in databases.iter().filter(|database| template(database) && database.allowed && database.open) {
        // No asset, but what is put there comes into each database that is made, and what runs there may reach all.
        let scope = format!("{place}/{}", template.name);
        let looked = if template.name == at_home {
            rights::routes(home, server, (&scope, None), facts)
        } else {
            elsewhere(door, server, login, (&template.name, &identity.user))
                .and_then(|mut session| rights::routes(&mut session, server, (&scope, None), facts))
        };
        if let Err(trouble) = looked {
            let gap = facts.refused(ROUTES, &scope, &fault(&trouble));
            server.doubt(facts, &server.node, &gap);
        }
    }
    for (count, database) in databases.iter().filter(|database| !template(database)).enumerate() {
        let node = NodeId(format!("{}/{}", server.node, database.name));
        let scope = format!("{place}/{}", database.name);
        let tables = if count >= MOST {
            Err(GapReason::NotAsked.into())
        } else if database.name == at_home {
            look(home, server, (&node, &scope), &reach, facts)
        } else if database.allowed && database.open {
            elsewhere(door, server, login, (&database.name, &identity.user))
                .and_then(|mut session| look(&mut session, server, (&node, &scope), &reach, facts))
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
            server.doubt(facts, &server.node, gap);
        }
        if database.allowed && database.open_later && !database.open {
            let gap = facts.doubt(&scope, "a login that may come to connect there was not looked into");
            server.doubt(facts, &node, &gap);
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

/// What leaves every right in doubt, whatever the server tells of it.
fn doubts(server: &Server<'_>, identity: &Identity, (unproved, login): (bool, &Login), facts: &mut Facts) {
    let renamed = identity.lent || Some(identity.user.as_str()) != login.user.as_deref();
    for (so, why) in [
        (unproved, "the server asked for nothing that proves a login: whoever reaches it may be anyone"),
        (renamed, "whoever stands between gave the login another name"),
        (identity.standby, "a standby follows what its primary is told, and who may tell it that was not asked"),
        (identity.version >= UNKNOWN, "the server is newer than the rights that are known"),
    ] {
        if so {
            server.in_doubt(facts, why);
        }
    }
}

/// A session in another database of the server, as the same role.
fn elsewhere<'a>(
    door: &'a ReadOnly,
    server: &Server<'_>,
    login: &'a Login,
    (database, user): (&'a str, &str),
) -> Result<Session<'a>, Trouble> {
    let mut session = session(door, server, login, database)?;
    let identity = seen(&mut session, database)?;
    // A pooler may be set up to go to each database as somebody else.
    if identity.lent || identity.user != user { Err(GapReason::Conflicting.into()) } else { Ok(session) }
}

/// Who is connected, if it is to the database that was asked for: a pooler may give one the name of another.
fn seen(session: &mut Session<'_>, database: &str) -> Result<Identity, Trouble> {
    let identity = session.ask(IDENTITY).and_then(|rows| identity(&rows))?;
    if identity.database == database { Ok(identity) } else { Err(GapReason::Conflicting.into()) }
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
        tables.largest = rows.iter().filter_map(|row| largest(row, server)).collect();
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

fn identity(rows: &[Row]) -> Result<Identity, Trouble> {
    let row = one(rows)?;
    let word = |at: usize| text(row, at).map(str::to_owned).ok_or_else(|| Trouble::from(GapReason::Malformed));
    let version: u32 = text(row, 1).and_then(|text| text.parse().ok()).ok_or(GapReason::Malformed)?;
    let (database, user) = (word(2)?, word(3)?);
    let standby = flag(row, 4)?;
    let release = release(&word(0)?, version).filter(|_| version >= OLDEST).ok_or(GapReason::Unsupported)?;
    let lent = text(row, 5) != Some(user.as_str());
    Ok(Identity { version, release, database, user, standby, lent })
}

/// The release, if the server is PostgreSQL itself, as its own project or an operating system builds it. What merely speaks
/// the protocol says so in its version (`PostgreSQL 11.2-YB-2.19`, `PostgreSQL 9.4.24 (Greenplum Database 6.0.0)`, `…, Redshift
/// 1.0.12103`), and has other rights.
fn release(version: &str, number: u32) -> Option<String> {
    const BUILDERS: [&str; 5] = ["Debian ", "Ubuntu ", "Raspbian ", "Homebrew", "Postgres.app"];
    let rest = version.strip_prefix("PostgreSQL ")?;
    let release = format!("{}.{}", number / 10_000, number % 10_000);
    let rest = rest.strip_prefix(release.as_str())?;
    let rest = match rest.strip_prefix(" (") {
        Some(built) => {
            let (builder, rest) = built.split_once(')')?;
            BUILDERS.iter().any(|known| builder.starts_with(known)).then_some(rest)?
        }
        None => rest,
    };
    let (on, compiler) = rest.split_once(", compiled by ")?;
    let machine = on.strip_prefix(" on ").unwrap_or(on);
    let plain = machine.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let (compiler, bits) = compiler.rsplit_once(", ")?;
    let whole = plain && !compiler.contains(',') && ["64-bit", "32-bit"].contains(&bits) && number < 1_000_000;
    whole.then(|| format!("PostgreSQL {release}"))
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
fn largest(row: &Row, server: &Server<'_>) -> Option<String> {
    let (schema, name, bytes) = (text(row, 0)?, text(row, 1)?, number(row, 2)?);
    let name = if schema == "public" { server.told(name) } else { server.told(&format!("{schema}.{name}")) };
    Some(format!("{name} ({})", size(bytes)))
}

#[cfg(test)]
mod tests {
    use super::release;

    #[test]
    fn only_postgresql_itself_is_taken_for_it() {
        for (version, number, told) in [
            (
                "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0-14+deb12u1) 12.2.0, 64-bit",
                150_018,
                "PostgreSQL 15.18",
            ),
            (
                "PostgreSQL 16.2 on x86_64-pc-linux-musl, compiled by gcc (Alpine 13.2.1_git20231014) 13.2.1 20231014, 64-bit",
                160_002,
                "PostgreSQL 16.2",
            ),
            (
                "PostgreSQL 14.10 (Homebrew) on aarch64-apple-darwin23.0.0, compiled by Apple clang version 15.0.0 (clang-1500.0.40.1), 64-bit",
                140_010,
                "PostgreSQL 14.10",
            ),
            ("PostgreSQL 15.4, compiled by Visual C++ build 1914, 64-bit", 150_004, "PostgreSQL 15.4"),
            ("PostgreSQL 17.0 on x86_64-windows, compiled by msvc-19.41.34120, 64-bit", 170_000, "PostgreSQL 17.0"),
        ] {
            assert_eq!(release(version, number).as_deref(), Some(told), "{version}");
        }
        for (version, number) in [
            (
                "PostgreSQL 11.2-YB-2.19.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 15.0.3, 64-bit",
                110_002,
            ),
            (
                "PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6, 64-bit",
                150_002,
            ),
            (
                "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.12103",
                80_002,
            ),
            (
                "PostgreSQL 12.12 (Greenplum Database 7.0.0 build dev) on x86_64-pc-linux-gnu, compiled by gcc (GCC) 8.5.0, 64-bit",
                120_012,
            ),
            (
                "PostgreSQL 15.2 (EnterpriseDB Advanced Server 15.2.0) on x86_64-pc-linux-gnu, compiled by gcc (GCC) 8.5.0, 64-bit",
                150_002,
            ),
            ("CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27 01:53:43, go1.19.10)", 130_000),
            ("PostgreSQL 13.14.0-RisingWave-1.10.0 (unknown)", 130_014),
            ("PostgreSQL 12.3, compiled by Visual C++ build 1914, 64-bit, QuestDB", 120_003),
            (
                "PostgreSQL 17.2 - Percona Server for PostgreSQL 17.2.1 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
                170_002,
            ),
            ("PostgreSQL 16.2 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit", 150_002),
            ("PostgreSQL 16.2 on hunter2 hunter2, compiled by gcc, 64-bit", 160_002),
            ("PostgreSQL", 160_002),
            ("", 160_002),
        ] {
            assert_eq!(release(version, number), None, "{version}");
        }
    }
}
