//! What a login may do, itself or as a role that it can become; and what it can come to be able to do.

use deadstop_core::fact::{Fact, GapReason};
use deadstop_core::id::{NodeId, StepId};
use deadstop_core::model::{Atom, Step};

use super::statements::{LATER, OBJECTS, PARAMETERS, RIGHTS, ROLES, ROUTES};
use super::{ACTIONS, all, flag, number, one, text};
use crate::provider::databases::{Server, fault, size};
use crate::provider::facts::Facts;
use crate::provider::platform::anything;
use crate::readonly::postgres::Session;
use crate::readonly::statement::{Row, Trouble};

/// The first version with rights to parameters.
const WITH_PARAMETERS: u32 = 150_000;

/// Roles that do to a server what nobody may undo: `predefined-roles` of the manual.
const PROGRAMS: &str = "pg_execute_server_program";
const WRITES: &str = "pg_write_server_files";
/// Roles that the server is made with and that change nothing, or nothing but what rights to tables tell.
const KNOWN: [&str; 7] = [
    "pg_database_owner",
    "pg_write_all_data",
    "pg_stat_scan_tables",
    "pg_signal_backend",
    "pg_signal_autovacuum_worker",
    "pg_checkpoint",
    "pg_use_reserved_connections",
];
/// Roles of providers: what they may beyond their grants, or whoever stands in for a superuser, is their provider's own.
const MANAGED: [&str; 9] = [
    "postgres",
    "azuresu",
    "avnadmin",
    "doadmin",
    "tsdbadmin",
    "enterprisedb",
    "databricks_superuser",
    "crunchy_superuser",
    "polar_superuser",
];
const MANAGED_BEGIN: [&str; 10] =
    ["rds", "cloudsql", "alloydb", "azure_", "neon_", "supabase_", "yb_", "gp_", "aiven", "heroku"];

/// Why a role leaves its members in doubt. <https://www.postgresql.org/docs/current/predefined-roles.html>
fn doubtful(role: &Role) -> Option<&'static str> {
    Some(match role.name.as_str() {
        "pg_read_server_files" => "a login that reads files of the server may read secrets there",
        "pg_read_all_data" => "a login that reads all data reads password hashes and connection strings among it",
        "pg_monitor" | "pg_read_all_settings" | "pg_read_all_stats" => {
            "a login that reads all settings or statements may read passwords in them"
        }
        name if name.starts_with("pg_") && !KNOWN.contains(&name) => {
            "what a role that the server is made with lets a login do was not worked out"
        }
        name if MANAGED.contains(&name) || MANAGED_BEGIN.iter().any(|begin| name.starts_with(begin)) => {
            "what a provider's own role may beyond its grants is not told by PostgreSQL"
        }
        _ if role.bootstrap => "the role that the server was made with owns more than is told",
        _ if role.replicates => "a login that replicates has a copy of everything, password hashes among it",
        _ if role.makes_databases => {
            "a database of its own is where whoever keeps the server may come to run what lies in it"
        }
        _ => return None,
    })
}

/// How far the roles of a login reach.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Why it may do anything at all.
    all: Option<String>,
    /// Why it may come to.
    all_later: Option<String>,
    /// Whether it can come to be more roles than it is.
    grows: bool,
}

impl Reach {
    /// In a few words.
    pub(super) fn words(&self) -> String {
        match (&self.all, &self.all_later) {
            (Some(why), _) => why.clone(),
            (None, Some(why)) => format!("{why}, after a change"),
            (None, None) => "its own rights and those of its roles".to_owned(),
        }
    }
}

/// What is in a database, and how much of it is in reach.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) total: u64,
    pub(super) objects: u64,
    pub(super) largest: Vec<String>,
    pub(super) size: Option<u64>,
}

impl Tables {
    /// In a few words.
    pub(super) fn words(&self) -> Option<String> {
        let tables = match self.total {
            0 => return self.size.map(|bytes| format!("no tables, {}", size(bytes))),
            1 => "1 table".to_owned(),
            total => format!("{total} tables"),
        };
        let tables = self.size.map_or_else(|| tables.clone(), |bytes| format!("{tables}, {}", size(bytes)));
        let largest = (!self.largest.is_empty()).then(|| format!("; largest {}", self.largest.join(", ")));
        Some(tables + &largest.unwrap_or_default())
    }
}

/// A role that the login is or can become.
struct Role {
    name: String,
    now: bool,
    superuser: bool,
    replicates: bool,
    makes_roles: bool,
    makes_databases: bool,
    /// Whether it is the first of all, which whoever takes superuser from it leaves the owner of everything.
    bootstrap: bool,
}

fn role(row: &Row) -> Result<Role, Trouble> {
    let name = text(row, 0).ok_or(GapReason::Malformed)?.to_owned();
    Ok(Role {
        name,
        now: flag(row, 1)?,
        superuser: flag(row, 2)?,
        replicates: flag(row, 3)?,
        makes_roles: flag(row, 4)?,
        makes_databases: flag(row, 5)?,
        bootstrap: flag(row, 6)?,
    })
}

/// Asks who the login is and can become, and says what follows for the whole server.
pub(super) fn reach(home: &mut Session<'_>, server: &Server<'_>, version: u32, facts: &mut Facts) -> Reach {
    let place = server.place.to_string();
    let roles = match home.ask(ROLES).and_then(|rows| all(&rows, role)) {
        Ok(roles) => roles,
        Err(trouble) => {
            let gap = facts.refused(ROLES, &place, &fault(&trouble));
            server.doubt(facts, &server.node, &gap);
            return Reach { grows: true, ..Reach::default() };
        }
    };
    facts.source(ROLES, &place);
    let own = server.user();
    let named = |role: &Role| {
        if role.name == own { "the login".to_owned() } else { format!("role {}", server.told(&role.name)) }
    };
    let power = |role: &Role| match role.name.as_str() {
        _ if role.superuser => Some(format!("{} is a superuser", named(role))),
        PROGRAMS => Some(format!("it may run programs as the server ({PROGRAMS})")),
        WRITES => Some(format!("it may write files as the server ({WRITES})")),
        _ => None,
    };
    let mut reach = Reach { grows: roles.iter().any(|role| !role.now), ..Reach::default() };
    reach.all = roles.iter().filter(|role| role.now).find_map(power);
    reach.all_later = roles.iter().find_map(power);
    if let Some(because) = &reach.all {
        server.may(facts, (&server.node, &place), (anything(), because, ROLES));
        return reach;
    }
    if reach.grows {
        let by = if roles.iter().any(|role| role.makes_roles) && version < 160_000 {
            "grant itself a role, as CREATEROLE lets it before PostgreSQL 16"
        } else {
            "grant itself a role that it may administer"
        };
        let (possible, because) = match &reach.all_later {
            Some(why) => (Fact::Known(true), format!("{by}: then {why}")),
            // What those roles may do to tables is read in each database; what else they may is not.
            None => {
                let why =
                    "what roles that a login can come to be may do beside the rights to tables was not worked out";
                (Fact::Unknown(facts.doubt(&place, why)), by.to_owned())
            }
        };
        gains(facts, server, (&server.node, &place), (&ACTIONS, possible), (&because, ROLES));
    }
    for why in roles.iter().filter(|role| role.now).filter_map(doubtful) {
        server.in_doubt(facts, why);
    }
    if version >= WITH_PARAMETERS {
        parameters(home, server, facts);
    }
    reach
}

/// Rights to set what only superusers set: by some of these a login runs programs.
fn parameters(home: &mut Session<'_>, server: &Server<'_>, facts: &mut Facts) {
    let place = server.place.to_string();
    match home.ask(PARAMETERS) {
        Ok(rows) if rows.is_empty() => {
            facts.source(PARAMETERS, &place);
        }
        Ok(_) => server.in_doubt(facts, "a login that may set parameters of superusers may get past its rights"),
        Err(trouble) => {
            let gap = facts.refused(PARAMETERS, &place, &fault(&trouble));
            server.doubt(facts, &server.node, &gap);
        }
    }
}

/// What each route round the rights of tables amounts to, and whether it ends at the database.
const ROUTE: [(&str, bool); 15] = [
    ("functions that run with the rights of others, or outside of SQL, may be called there", false),
    ("types, operators or aggregates there use functions that run with the rights of others, or outside of SQL", false),
    ("functions that the server keeps from everybody may be called there", false),
    ("event triggers there run with the rights of others, or outside of SQL", false),
    ("triggers that run with the rights of others may be set off there", false),
    ("rules that act with the rights of others may be set off there", false),
    ("triggers may be put on tables of others, to run with the rights of whoever writes there next", false),
    ("schemas may be made or added to there, so that others may come to run what is put into their way", false),
    ("another server may be reached from there with somebody's password", false),
    ("password hashes or connection strings may be read there", false),
    ("tables of extensions may be written there, which tell workers of the server what to do", false),
    ("tables of the server itself may be written there", false),
    ("schemas, types, functions or other things belong to it there: what depends on them goes with them", true),
    ("sequences there may be set to another value", true),
    ("materialized views there may be made anew, whatever is left of what they were made from", true),
];

/// Asks by which ways round the rights of tables the login may get further from the database that a session is in; `at` is
/// the database, where it is an asset of its own, and whether its tables may be dropped anyway.
pub(super) fn routes(
    session: &mut Session<'_>,
    server: &Server<'_>,
    (scope, at): (&str, Option<(&NodeId, bool)>),
    facts: &mut Facts,
) -> Result<(), Trouble> {
    let rows = session.ask(ROUTES)?;
    let row = one(&rows)?;
    for (number, (why, here)) in ROUTE.into_iter().enumerate() {
        if !flag(row, number)? {
            continue;
        }
        let node = match at {
            // Whoever may drop tables there needs no such way round.
            Some((_, true)) if here => continue,
            Some((node, false)) if here => node,
            // Nothing in a template is anybody's data.
            None if here => continue,
            Some(_) | None => &server.node,
        };
        let gap = facts.doubt(scope, why);
        server.doubt(facts, node, &gap);
    }
    Ok(())
}

/// Asks what the login may do to the tables of the database that a session is in.
pub(super) fn tables(
    session: &mut Session<'_>,
    server: &Server<'_>,
    at: (&NodeId, &str),
    reach: &Reach,
    facts: &mut Facts,
) -> Result<Tables, Trouble> {
    let counts = session.ask(RIGHTS).and_then(|rows| counts(&rows))?;
    facts.source(RIGHTS, at.1);
    let mut tables = Tables { total: counts.total, ..Tables::default() };
    if reach.all.is_some() {
        return Ok(tables);
    }
    counts.granted(facts, server, at);
    if reach.grows && reach.all_later.is_none() {
        let later = session.ask(LATER).and_then(|rows| self::counts(&rows))?;
        let more: Vec<&str> = later.actions().filter(|action| !counts.actions().any(|now| now == *action)).collect();
        gains(facts, server, at, (&more, Fact::Known(true)), ("grant itself a role that it may administer", LATER));
    }
    let drops = counts.actions().any(|action| action == "DROP TABLE");
    routes(session, server, (at.1, Some((at.0, drops))), facts)?;
    let rows = session.ask(OBJECTS)?;
    let row = one(&rows)?;
    let count = |at: usize| number(row, at).ok_or_else(|| Trouble::from(GapReason::Malformed));
    tables.objects = count(0)?;
    let (own, later, shared) = (count(1)?, count(2)?, count(3)?);
    let unguarded = text(row, 4).ok_or(GapReason::Malformed)? != "off";
    if own > 0 || (unguarded && tables.objects > 0) {
        let because = "large objects there are in its hands";
        server.may(facts, at, (vec!["DELETE".to_owned()], because, OBJECTS));
    } else if later > 0 || shared > 0 {
        let gap = facts.doubt(at.1, "rights to large objects were not worked out");
        server.doubt(facts, at.0, &gap);
    }
    Ok(tables)
}

/// How many tables there are, and how many of them each operation reaches.
struct Counts {
    total: u64,
    /// `DROP SCHEMA`, `DROP TABLE`, `TRUNCATE`, `DELETE`, `UPDATE`.
    reached: [u64; 5],
}

fn counts(rows: &[Row]) -> Result<Counts, Trouble> {
    let row = one(rows)?;
    let mut all = [0; 6];
    for (at, count) in all.iter_mut().enumerate() {
        *count = number(row, at).ok_or(GapReason::Malformed)?;
    }
    let [total, reached @ ..] = all;
    Ok(Counts { total, reached })
}

impl Counts {
    /// The operations that reach some table, each with how many.
    fn each(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ACTIONS.into_iter().skip(1).zip(self.reached).filter(|(_, count)| *count > 0)
    }

    fn actions(&self) -> impl Iterator<Item = &'static str> {
        self.each().map(|(action, _)| action)
    }

    fn granted(&self, facts: &mut Facts, server: &Server<'_>, at: (&NodeId, &str)) {
        for (action, count) in self.each() {
            let right = if action.starts_with("DROP") {
                "its owner, or the schema's, is in reach"
            } else {
                "the right is granted"
            };
            let because = format!("of {count} tables and views {right}");
            server.may(facts, at, (vec![action.to_owned()], &because, RIGHTS));
        }
    }
}

/// Whether the database itself may be dropped: by its owner, and by nobody else but a superuser.
pub(super) fn drop_database(
    facts: &mut Facts,
    server: &Server<'_>,
    at: (&NodeId, &str),
    reach: &Reach,
    (owned, later): (bool, bool),
) {
    if reach.all.is_some() {
        return;
    }
    if owned {
        let because = "it owns the database, or a role that it can become does";
        server.may(facts, at, (vec!["DROP DATABASE".to_owned()], because, super::DATABASES));
    } else if later {
        let by = "grant itself the role that owns the database";
        gains(facts, server, at, (&["DROP DATABASE"], Fact::Known(true)), (by, super::DATABASES));
    }
}

/// Notes that the login can give itself rights by changing something.
fn gains(
    facts: &mut Facts,
    server: &Server<'_>,
    (node, scope): (&NodeId, &str),
    (actions, possible): (&[&str], Fact<bool>),
    (because, operation): (&str, &str),
) {
    if actions.is_empty() {
        return;
    }
    let source = facts.source(operation, scope);
    let right = |action: &&str| Atom::Right {
        principal: server.who.clone(),
        action: (*action).to_owned(),
        target: node.clone(),
    };
    facts.steps.push(Step {
        id: StepId(format!("{}:{operation}:{node}:{}", server.who, actions.join(","))),
        session: None,
        needs: vec![Atom::Principal(server.who.clone())],
        gains: actions.iter().map(right).collect(),
        changes: true,
        possible,
        because: because.to_owned(),
        sources: vec![source],
    });
}
