//! The only statements that a PostgreSQL server is asked. Each reads the catalogue and takes no lock but that of reading.
//!
//! <https://www.postgresql.org/docs/current/catalogs.html>, `functions-info`, `role-membership`, `monitoring-stats`.

use crate::readonly::statement::{Questions, Statement, reads};

pub(super) const IDENTITY: &str = "identity";
pub(super) const MARK: &str = "system identifier";
pub(super) const ROLES: &str = "roles";
pub(super) const DATABASES: &str = "databases";
pub(super) const RIGHTS: &str = "rights";
pub(super) const LATER: &str = "rights after a change";
pub(super) const ROUTES: &str = "routes";
pub(super) const OBJECTS: &str = "large objects";
pub(super) const PARAMETERS: &str = "parameters";
pub(super) const LARGEST: &str = "largest tables";
pub(super) const ARCHIVE: &str = "archive";

/// Who the login can be. `e`: memberships, each with what it lets a member do; before version 16 every member may `SET
/// ROLE`. `s`: by `SET ROLE`. `f`: what those inherit, too; all of it without changing anything. `g`: what it can come to
/// be by granting itself: what it may administer, and before version 16 with CREATEROLE every role but superusers.
macro_rules! roles {
    () => {
        "WITH RECURSIVE
e(member, roleid, can_set, inherits, admin) AS (
  SELECT m.member, m.roleid, coalesce((to_jsonb(m)->>'set_option')::boolean, true),
         coalesce((to_jsonb(m)->>'inherit_option')::boolean, true), m.admin_option
  FROM pg_auth_members m
  UNION ALL
  SELECT d.datdba, r.oid, false, true, false FROM pg_database d, pg_roles r
  WHERE d.datname = current_database() AND r.rolname = 'pg_database_owner'),
s(oid) AS (
  SELECT r.oid FROM pg_roles r WHERE r.rolname IN (session_user, current_user)
  UNION SELECT e.roleid FROM s JOIN e ON e.member = s.oid WHERE e.can_set),
f(oid) AS (
  SELECT s.oid FROM s
  UNION SELECT e.roleid FROM f JOIN e ON e.member = f.oid WHERE e.inherits),
g(oid) AS (
  SELECT f.oid FROM f
  UNION SELECT x.roleid FROM g JOIN (
    SELECT e.member, e.roleid FROM e WHERE e.can_set OR e.inherits OR e.admin
    UNION ALL SELECT c.oid, r.oid FROM pg_roles c, pg_roles r
    WHERE c.rolcreaterole AND NOT r.rolsuper AND current_setting('server_version_num')::integer < 160000
  ) x ON x.member = g.oid)"
    };
}

/// What the roles of one set may do to the tables of this database. Whoever owns a schema may drop what lies in it. What the
/// server was made with has lower numbers (`FirstNormalObjectId`); temporary tables end by themselves.
macro_rules! rights {
    ($set:literal) => {
        concat!(
            roles!(),
            ",
w AS (SELECT r.oid, r.rolsuper FROM pg_roles r WHERE r.oid IN (SELECT oid FROM ",
            $set,
            ")),
t AS (
  SELECT c.oid, c.relkind, c.relowner, n.nspowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid >= 16384 AND n.nspname !~ '^pg_(toast|temp)' AND c.relkind IN ('r', 'p', 'm', 'v', 'f'))
SELECT count(*) FILTER (WHERE t.relkind IN ('r', 'p', 'm', 'f')),
  count(*) FILTER (WHERE EXISTS (SELECT FROM w WHERE w.rolsuper OR w.oid = t.nspowner)),
  count(*) FILTER (WHERE EXISTS (SELECT FROM w WHERE w.rolsuper OR w.oid IN (t.nspowner, t.relowner))),
  count(*) FILTER (WHERE t.relkind IN ('r', 'p', 'f')
    AND EXISTS (SELECT FROM w WHERE has_table_privilege(w.oid, t.oid, 'TRUNCATE'))),
  count(*) FILTER (WHERE t.relkind <> 'm' AND EXISTS (SELECT FROM w WHERE has_table_privilege(w.oid, t.oid, 'DELETE'))),
  count(*) FILTER (WHERE t.relkind <> 'm' AND EXISTS (SELECT FROM w WHERE has_any_column_privilege(w.oid, t.oid, 'UPDATE')))
FROM t"
        )
    };
}

/// Ways round the rights of tables, each a column; [`super::rights`] says what each amounts to. `writes`: where the login may
/// write at all, by a view or a parent, too. `risky`: functions that run with the rights of somebody else, or as the server
/// itself, be they called, fired or used by a type, an operator or an aggregate (of these the owner's rights are asked).
/// `pg_init_privs` names what the server keeps from everybody when it is made. A view over password hashes is found by the
/// numbers of their tables in its tree.
const ROUTES_TEXT: &str = concat!(
    roles!(),
    ",
w AS (SELECT r.oid FROM pg_roles r WHERE r.oid IN (SELECT oid FROM f)),
writes AS (
  SELECT c.oid FROM pg_class c WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'f')
  AND EXISTS (SELECT FROM w WHERE has_table_privilege(w.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
    OR has_any_column_privilege(w.oid, c.oid, 'INSERT, UPDATE'))),
risky AS (
  SELECT p.oid FROM pg_proc p LEFT JOIN pg_language l ON l.oid = p.prolang
  WHERE (p.prosecdef AND p.proowner NOT IN (SELECT oid FROM w)) OR (p.oid >= 16384 AND l.lanpltrusted IS NOT TRUE))
SELECT
  EXISTS (SELECT FROM risky, w WHERE has_function_privilege(w.oid, risky.oid, 'EXECUTE')),
  EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid IN (SELECT oid FROM risky)
    AND d.classid NOT IN ('pg_trigger'::regclass, 'pg_event_trigger'::regclass, 'pg_rewrite'::regclass,
      'pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_class'::regclass)),
  EXISTS (SELECT FROM pg_proc p, w WHERE p.oid < 16384 AND (p.proname IN ('lo_import', 'lo_export', 'pg_read_file',
      'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file')
    OR EXISTS (SELECT FROM pg_init_privs i WHERE i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid))
    AND has_function_privilege(w.oid, p.oid, 'EXECUTE')),
  EXISTS (SELECT FROM pg_event_trigger e WHERE e.evtfoid IN (SELECT oid FROM risky)),
  EXISTS (SELECT FROM writes) AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgfoid IN (SELECT oid FROM risky)),
  EXISTS (SELECT FROM writes) AND EXISTS (SELECT FROM pg_rewrite r WHERE r.oid >= 16384 AND r.ev_type <> '1'),
  EXISTS (SELECT FROM pg_class c, w WHERE c.relkind IN ('r', 'p', 'v', 'f') AND c.relowner NOT IN (SELECT oid FROM w)
    AND has_table_privilege(w.oid, c.oid, 'TRIGGER')),
  EXISTS (SELECT FROM w WHERE has_database_privilege(w.oid, current_database(), 'CREATE'))
  OR EXISTS (SELECT FROM pg_namespace n, w WHERE n.nspname !~ '^pg_(toast|temp)'
    AND has_schema_privilege(w.oid, n.oid, 'CREATE')),
  EXISTS (SELECT FROM pg_foreign_server v, w WHERE has_server_privilege(w.oid, v.oid, 'USAGE'))
  OR EXISTS (SELECT FROM pg_foreign_data_wrapper v, w WHERE has_foreign_data_wrapper_privilege(w.oid, v.oid, 'USAGE')),
  EXISTS (SELECT FROM w WHERE has_column_privilege(w.oid, 'pg_authid'::regclass, 'rolpassword', 'SELECT')
    OR has_column_privilege(w.oid, 'pg_shadow'::regclass, 'passwd', 'SELECT')
    OR has_column_privilege(w.oid, 'pg_user_mapping'::regclass, 'umoptions', 'SELECT')
    OR has_column_privilege(w.oid, 'pg_subscription'::regclass, 'subconninfo', 'SELECT')
    OR has_any_column_privilege(w.oid, 'pg_file_settings'::regclass, 'SELECT'))
  OR EXISTS (SELECT FROM pg_rewrite r, unnest(ARRAY['pg_authid', 'pg_shadow', 'pg_user_mapping', 'pg_user_mappings',
      'pg_subscription', 'pg_file_settings']::regclass[]) s
    WHERE r.oid >= 16384 AND r.ev_action::text LIKE '%:relid ' || s::oid || ' %'),
  EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'
    AND d.objid IN (SELECT oid FROM writes)),
  EXISTS (SELECT FROM pg_class c, w WHERE c.oid < 16384 AND c.relkind IN ('r', 'v') AND c.oid <> 'pg_settings'::regclass
    AND (has_table_privilege(w.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
      OR has_any_column_privilege(w.oid, c.oid, 'INSERT, UPDATE'))),
  EXISTS (SELECT FROM pg_shdepend d WHERE d.deptype = 'o' AND d.refclassid = 'pg_authid'::regclass
    AND d.refobjid IN (SELECT oid FROM w)
    AND d.dbid IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
    AND d.classid NOT IN ('pg_largeobject'::regclass, 'pg_database'::regclass)
    AND NOT (d.classid = 'pg_class'::regclass
      AND EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid AND c.relkind IN ('r', 'p', 'm', 'v', 'f'))))
  OR EXISTS (SELECT FROM pg_namespace n WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspowner IN (SELECT oid FROM w)),
  EXISTS (SELECT FROM pg_class c, w WHERE c.relkind = 'S' AND c.oid >= 16384 AND has_table_privilege(w.oid, c.oid, 'UPDATE')),
  current_setting('server_version_num')::integer >= 170000 AND EXISTS (SELECT FROM pg_class c, w WHERE c.relkind = 'm'
    AND has_table_privilege(w.oid, c.oid,
      CASE WHEN current_setting('server_version_num')::integer >= 170000 THEN 'MAINTAIN' ELSE 'SELECT' END))"
);

pub(in crate::provider) static QUESTIONS: Questions = Questions {
    provider: "postgres",
    reads,
    list: &[
        Statement {
            operation: IDENTITY,
            text: "SELECT version(), current_setting('server_version_num'), current_database(), session_user, pg_is_in_recovery(),
  (SELECT a.usename FROM pg_stat_activity a WHERE a.pid = pg_backend_pid())",
        },
        Statement { operation: MARK, text: "SELECT system_identifier FROM pg_control_system()" },
        Statement {
            operation: ROLES,
            text: concat!(
                roles!(),
                "\nSELECT r.rolname, r.oid IN (SELECT oid FROM f), r.rolsuper, r.rolreplication, r.rolcreaterole,
  r.rolcreatedb, r.oid = 10
FROM pg_roles r WHERE r.oid IN (SELECT oid FROM g)"
            ),
        },
        Statement {
            operation: DATABASES,
            text: concat!(
                roles!(),
                "\nSELECT d.datname, d.datallowconn, d.datdba IN (SELECT oid FROM f), d.datdba IN (SELECT oid FROM g),
  has_database_privilege(session_user, d.oid, 'CONNECT'),
  EXISTS (SELECT FROM g WHERE has_database_privilege(g.oid, d.oid, 'CONNECT'))
FROM pg_database d"
            ),
        },
        Statement { operation: RIGHTS, text: rights!("f") },
        Statement { operation: LATER, text: rights!("g") },
        Statement { operation: ROUTES, text: ROUTES_TEXT },
        Statement {
            operation: OBJECTS,
            text: concat!(
                roles!(),
                "\nSELECT count(*), count(*) FILTER (WHERE o.lomowner IN (SELECT oid FROM f)),
  count(*) FILTER (WHERE o.lomowner IN (SELECT oid FROM g)), count(o.lomacl), current_setting('lo_compat_privileges')
FROM pg_largeobject_metadata o"
            ),
        },
        Statement {
            operation: PARAMETERS,
            text: concat!(
                roles!(),
                "\nSELECT p.parname FROM pg_parameter_acl p
WHERE EXISTS (SELECT FROM f WHERE has_parameter_privilege(f.oid, p.parname, 'SET, ALTER SYSTEM'))"
            ),
        },
        Statement {
            operation: LARGEST,
            text: "SELECT n.nspname, c.relname, pg_total_relation_size(c.oid), pg_database_size(current_database())
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'm')
ORDER BY 3 DESC NULLS LAST, 1, 2 LIMIT 3",
        },
        // The command may hold a password, so that the server says no more of it than which tool it names.
        Statement {
            operation: ARCHIVE,
            text: "SELECT current_setting('archive_mode'), current_setting('wal_level'), CASE
    WHEN coalesce(current_setting('archive_library', true), '') <> '' THEN 'a library'
    WHEN c.command ~* 'pgbackrest' THEN 'pgBackRest' WHEN c.command ~* 'wal-g' THEN 'WAL-G'
    WHEN c.command ~* 'barman' THEN 'Barman' WHEN c.command ~* 'wal-e' THEN 'WAL-E'
    WHEN c.command IN ('', '(disabled)') THEN 'nothing' WHEN c.command ~ '\\m(cp|install|mv)\\M' THEN 'a copy on the same machine'
    ELSE 'a command' END,
  a.archived_count, extract(epoch FROM a.last_archived_time)::bigint, a.failed_count,
  extract(epoch FROM a.last_failed_time)::bigint, extract(epoch FROM now())::bigint,
  (SELECT count(*) FROM pg_stat_replication)
FROM pg_stat_archiver a, (SELECT current_setting('archive_command')) c(command)",
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_statement_reads_and_calls_nothing_that_does_more() {
        let mut named = BTreeSet::new();
        for Statement { operation, text } in QUESTIONS.list {
            assert!(reads(text), "{operation}");
            assert!(named.insert(operation), "{operation}");
            for word in
                ["pg_terminate", "pg_cancel", "dblink", "lo_unlink(", "set_config", "nextval", "setval", "FOR UPDATE"]
            {
                assert!(!text.contains(word), "{operation}: {word}");
            }
            // Words that write stand in quotes alone, as names of privileges.
            let bare: String = text.split('\'').step_by(2).collect();
            for word in [
                "DELETE", "UPDATE", "INSERT", "TRUNCATE", "DROP", "ALTER", "CREATE", "GRANT", "INTO", "COPY", "CALL",
                "SET",
            ] {
                assert!(
                    !bare.split(|c: char| !c.is_ascii_alphabetic()).any(|part| part == word),
                    "{operation}: {word}"
                );
            }
        }
    }
}
