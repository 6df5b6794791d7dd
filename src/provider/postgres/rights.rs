//! What a login may do, itself or as a role that it can become; and what it can come to be able to do.

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{NodeId, StepId};
use deadstop_core::model::{Atom, Basis, Grant, Step};

use super::statements::{LATER, OBJECTS, PARAMETERS, RIGHTS, ROLES, ROUTES};
use super::{ACTIONS, all, flag, number, one, text};
use crate::provider::databases::{Server, fault};
use crate::provider::facts::Facts;
use crate::provider::platform::anything;
use crate::provider::token::shown;
use crate::readonly::postgres::{Row, Session};
use crate::readonly::statement::Trouble;

/// The first version with rights to parameters.
const WITH_PARAMETERS: u32 = 150_000;

/// Roles that do to a server what nobody may undo: `predefined-roles` of the manual.
const PROGRAMS: &str = "pg_execute_server_program";
const WRITES: &str = "pg_write_server_files";
const READS: &str = "pg_read_server_files";
/// Roles of providers that stand in for a superuser; what they may beyond is their provider's own.
const MANAGED: [&str; 6] =
    ["rds_superuser", "cloudsqlsuperuser", "alloydbsuperuser", "azure_pg_admin", "neon_superuser", "supabase_admin"];

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

/// Bytes in words.
pub(in crate::provider) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000_000 => format!("{} kB", bytes / 1_000),
        10_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        more => format!("{} GB", more / 1_000_000_000),
    }
}

/// A role that the login is or can become.
struct Role {
    name: String,
    now: bool,
    superuser: bool,
    replicates: bool,
    makes_roles: bool,
}

fn role(row: &Row) -> Result<Role, Trouble> {
    let name = text(row, 0).ok_or(GapReason::Malformed)?.to_owned();
    Ok(Role {
        name,
        now: flag(row, 1)?,
        superuser: flag(row, 2)?,
        replicates: flag(row, 3)?,
        makes_roles: flag(row, 4)?,
    })
}

/// Asks who the login is and can become, and says what follows for the whole server.
pub(super) fn reach(home: &mut Session<'_>, server: &Server<'_>, version: u32, facts: &mut Facts) -> Reach {
    let place = server.place.to_string();
    let roles = match home.ask(ROLES).and_then(|rows| all(&rows, role)) {
        Ok(roles) => roles,
        Err(trouble) => {
            let gap = facts.refused(ROLES, &place, &fault(&trouble));
            doubt(facts, server, &server.node, &gap);
            return Reach { grows: true, ..Reach::default() };
        }
    };
    let source = facts.source(ROLES, &place);
    let own = server.user();
    let named =
        |role: &Role| if role.name == own { "the login".to_owned() } else { format!("role {}", shown(&role.name)) };
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
        facts.grants.push(Grant {
            principal: server.who.clone(),
            actions: anything(),
            target: server.node.clone(),
            allowed: Fact::Known(true),
            basis: Basis::Observed,
            because: because.clone(),
            sources: vec![source],
        });
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
    for role in roles.iter().filter(|role| role.now) {
        let why = match role.name.as_str() {
            READS => "a login that reads files of the server may read secrets there",
            name if MANAGED.contains(&name) => {
                "what a provider's own superuser may beyond its grants is not told by PostgreSQL"
            }
            _ if role.replicates => "a login that replicates has a copy of everything, password hashes among it",
            _ => continue,
        };
        let gap = facts.doubt(&place, why);
        doubt(facts, server, &server.node, &gap);
    }
    if version >= WITH_PARAMETERS {
        parameters(home, server, facts);
    }
    reach
}

/// Rights to set what only superusers set: by some of these a login runs programs.
fn parameters(home: &mut Session<'_>, server: &Server<'_>, facts: &mut Facts) {
    let place = server.place.to_string();
    let gap = match home.ask(PARAMETERS) {
        Ok(rows) if rows.is_empty() => {
            facts.source(PARAMETERS, &place);
            return;
        }
        Ok(_) => facts.doubt(&place, "a login that may set parameters of superusers may get past its rights"),
        Err(trouble) => facts.refused(PARAMETERS, &place, &fault(&trouble)),
    };
    doubt(facts, server, &server.node, &gap);
}

/// What each route round the rights of tables amounts to, and whether it ends at the database.
const ROUTE: [(&str, bool); 7] = [
    ("functions that run with the rights of others, or outside of SQL, may be called there", false),
    ("functions that write files of the server may be called there", false),
    ("triggers that run with the rights of others may be set off there", false),
    ("rules that act with the rights of others may be set off there", false),
    ("triggers may be put on tables of others, to run with the rights of whoever writes there next", false),
    ("objects that are no tables belong to it there: dropping them may take columns of others along", true),
    ("another server may be reached from there with somebody's password", false),
];

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
    let routes = session.ask(ROUTES)?;
    let row = one(&routes)?;
    for (number, (why, here)) in ROUTE.into_iter().enumerate() {
        // Whoever may drop tables there needs no such way round.
        let needless = here && counts.actions().any(|action| action == "DROP TABLE");
        if flag(row, number)? && !needless {
            let gap = facts.doubt(at.1, why);
            doubt(facts, server, if here { at.0 } else { &server.node }, &gap);
        }
    }
    let rows = session.ask(OBJECTS)?;
    let row = one(&rows)?;
    let count = |at: usize| number(row, at).ok_or_else(|| Trouble::from(GapReason::Malformed));
    tables.objects = count(0)?;
    let (own, later, shared) = (count(1)?, count(2)?, count(3)?);
    let unguarded = text(row, 4).ok_or(GapReason::Malformed)? != "off";
    if own > 0 || (unguarded && tables.objects > 0) {
        allow(facts, server, at, ("DELETE", "large objects there are in its hands", OBJECTS));
    } else if later > 0 || shared > 0 {
        let gap = facts.doubt(at.1, "rights to large objects were not worked out");
        doubt(facts, server, at.0, &gap);
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
            allow(facts, server, at, (action, &because, RIGHTS));
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
        allow(
            facts,
            server,
            at,
            ("DROP DATABASE", "it owns the database, or a role that it can become does", super::DATABASES),
        );
    } else if later {
        let by = "grant itself the role that owns the database";
        gains(facts, server, at, (&["DROP DATABASE"], Fact::Known(true)), (by, super::DATABASES));
    }
}

fn allow(
    facts: &mut Facts,
    server: &Server<'_>,
    (node, scope): (&NodeId, &str),
    (action, because, operation): (&str, &str, &str),
) {
    let source = facts.source(operation, scope);
    facts.grants.push(Grant {
        principal: server.who.clone(),
        actions: vec![action.to_owned()],
        target: node.clone(),
        allowed: Fact::Known(true),
        basis: Basis::Observed,
        because: because.to_owned(),
        sources: vec![source],
    });
}

/// Notes that it is not known what the login may do there.
pub(super) fn doubt(facts: &mut Facts, server: &Server<'_>, node: &NodeId, gap: &Gap) {
    facts.grants.push(Grant {
        principal: server.who.clone(),
        actions: anything(),
        target: node.clone(),
        allowed: Fact::Unknown(gap.clone()),
        basis: Basis::None,
        because: "what it may do there is not all known".to_owned(),
        sources: vec![gap.source.clone()],
    });
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
