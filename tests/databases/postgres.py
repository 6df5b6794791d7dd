"""A PostgreSQL cluster of its own for each run, and the set-ups of privileges that logins are tried in."""
import os
import pathlib
import pwd
import shutil
import subprocess
import time

import psycopg

from ports import folder, free


class Cluster:
    """PostgreSQL on a port of its own, as a user that is not root."""

    def __init__(self, programs, libraries):
        self.programs, self.folder = pathlib.Path(programs), folder()
        self.env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        if libraries:
            self.env["LD_LIBRARY_PATH"] = str(libraries)
        self.archive = self.folder / "archive"
        self.archive.mkdir()
        self.user = None
        if os.getuid() == 0:
            self.user = pwd.getpwnam("postgres").pw_uid if "postgres" in {one.pw_name for one in pwd.getpwall()} else 65534
            for path in (self.folder, self.archive):
                os.chown(path, self.user, -1)
        self.port = free()
        self.password = "super-Tr0ub4dor-3x"
        word = self.folder / "word"
        word.write_text(self.password)
        word.chmod(0o644)
        self.run("initdb", "-D", self.folder / "data", "-A", "scram-sha-256", "-U", "postgres", f"--pwfile={word}", "-E", "UTF8", "--no-sync")
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off", "autovacuum": "off",
            "log_statement": "all", "log_line_prefix": "%a|%p|", "log_min_messages": "log", "archive_mode": "on", "max_connections": 60,
            "archive_command": f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f",
        }
        (self.folder / "data" / "postgresql.auto.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()))
        self.log = self.folder / "log"
        self.run("pg_ctl", "-D", self.folder / "data", "-l", self.log, "-w", "-s", "start")
        self.version = int(self.ask("SHOW server_version_num")[0][0])

    def run(self, program, *args):
        done = subprocess.run([self.programs / program, *args], env=self.env, user=self.user, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) \
            if program != "pg_ctl" else subprocess.run([self.programs / program, *args], env=self.env, user=self.user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(f"{program}: {done.stdout}")

    def stop(self):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-s", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def trust(self, network):
        """Lets everybody in from a network without a password; nobody any more, if there is none."""
        path = self.folder / "data" / "pg_hba.conf"
        lines = [line for line in path.read_text().splitlines() if not line.endswith(" trust")]
        path.write_text("\n".join(([f"host all all {network} trust"] if network else []) + lines) + "\n")
        self.do("postgres", "SELECT pg_reload_conf()")
        time.sleep(0.5)

    def connect(self, database="postgres", user="postgres", password=None):
        return psycopg.connect(host="127.0.0.1", port=self.port, dbname=database, user=user, password=password or self.password, autocommit=True,
                               sslmode="disable", application_name="proof", connect_timeout=5, options="-c statement_timeout=5s -c lock_timeout=2s")

    def ask(self, text, database="postgres"):
        with self.connect(database) as session:
            return session.execute(text).fetchall()

    def do(self, database, *texts):
        with self.connect(database) as session:
            for text in texts:
                session.execute(text)


BASE = """
CREATE SCHEMA sales AUTHORIZATION keeper;
SET ROLE keeper;
CREATE TYPE sales.kind AS ENUM ('a', 'b');
CREATE TABLE sales.orders (id int PRIMARY KEY, what text, kind sales.kind DEFAULT 'a');
CREATE TABLE sales.lines (id int PRIMARY KEY, orders int REFERENCES sales.orders ON DELETE CASCADE, what text);
INSERT INTO sales.orders SELECT i, 'order ' || i FROM generate_series(1, 20) i;
INSERT INTO sales.lines SELECT i, i, 'line ' || i FROM generate_series(1, 20) i;
CREATE VIEW sales.recent AS SELECT id, what FROM sales.orders WHERE id > 10;
CREATE MATERIALIZED VIEW sales.sums AS SELECT count(*) FROM sales.orders;
GRANT USAGE ON SCHEMA sales TO PUBLIC;
RESET ROLE;
"""

# What a login is given: {l} is the login, {d} its database, {h} a helper role of its own. With `since` and `until`: versions.
CASES = {
    "nothing": [],
    "reads": ["GRANT SELECT ON ALL TABLES IN SCHEMA sales TO {l}"],
    "inserts": ["GRANT INSERT, SELECT ON sales.orders TO {l}"],
    "deletes": ["GRANT DELETE, SELECT ON sales.lines TO {l}"],
    "deletes blindly": ["GRANT DELETE ON sales.lines TO {l}"],
    "truncates": ["GRANT TRUNCATE ON sales.lines TO {l}"],
    "updates a column": ["GRANT UPDATE (what) ON sales.lines TO {l}"],
    "everybody deletes": ["GRANT DELETE ON sales.lines TO PUBLIC"],
    "owns a table": ["ALTER TABLE sales.lines OWNER TO {l}"],
    "owns the schema": ["ALTER SCHEMA sales OWNER TO {l}"],
    "owns the database": ["ALTER DATABASE {d} OWNER TO {l}"],
    "superuser": ["ALTER ROLE {l} SUPERUSER"],
    "member of the owner": ["GRANT keeper TO {l}"],
    "member without inheriting": ["ALTER ROLE {l} NOINHERIT", "GRANT keeper TO {l}"],
    "member of a member": ["CREATE ROLE {h} NOINHERIT", "GRANT keeper TO {h}", "GRANT {h} TO {l}"],
    "member of a superuser": ["CREATE ROLE {h} SUPERUSER", "GRANT {h} TO {l}"],
    "helper owns the database": ["CREATE ROLE {h}", "ALTER DATABASE {d} OWNER TO {h}", "GRANT {h} TO {l}"],
    "makes roles": ["ALTER ROLE {l} CREATEROLE"],
    "member of one that makes roles": ["CREATE ROLE {h} CREATEROLE", "GRANT {h} TO {l}"],
    "makes databases": ["ALTER ROLE {l} CREATEDB"],
    "replicates": ["ALTER ROLE {l} REPLICATION"],
    "bypasses row security": ["ALTER ROLE {l} BYPASSRLS"],
    "writes all data": ["GRANT pg_write_all_data TO {l}"],
    "reads all data": ["GRANT pg_read_all_data TO {l}"],
    "monitors": ["GRANT pg_monitor TO {l}"],
    "signals": ["GRANT pg_signal_backend TO {l}"],
    "runs programs": ["GRANT pg_execute_server_program TO {l}"],
    "writes files": ["GRANT pg_write_server_files TO {l}"],
    "reads files": ["GRANT pg_read_server_files TO {l}"],
    "administers the owner": ["GRANT keeper TO {l} WITH ADMIN OPTION"],
    "calls a function of the owner": ["CREATE FUNCTION sales.clean() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM sales.lines'", "ALTER FUNCTION sales.clean() OWNER TO keeper"],
    "may not call it": ["CREATE FUNCTION sales.clean() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM sales.lines'", "ALTER FUNCTION sales.clean() OWNER TO keeper", "REVOKE EXECUTE ON FUNCTION sales.clean() FROM PUBLIC"],
    "deletes by a view": ["GRANT DELETE ON sales.recent TO {l}"],
    "sets off a trigger": ["CREATE FUNCTION sales.clean() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM sales.lines; RETURN new; END'", "ALTER FUNCTION sales.clean() OWNER TO keeper", "REVOKE EXECUTE ON FUNCTION sales.clean() FROM PUBLIC",
                           "CREATE TRIGGER cleans AFTER INSERT ON sales.orders FOR EACH ROW EXECUTE FUNCTION sales.clean()", "GRANT INSERT ON sales.orders TO {l}"],
    "sets off a rule": ["CREATE RULE cleans AS ON INSERT TO sales.orders DO ALSO DELETE FROM sales.lines", "GRANT INSERT ON sales.orders TO {l}"],
    "may put triggers": ["GRANT TRIGGER ON sales.orders TO {l}"],
    "owns a type": ["ALTER TYPE sales.kind OWNER TO {l}"],
    "owns a function": ["CREATE FUNCTION sales.twice(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT i * 2'", "ALTER TABLE sales.lines ADD COLUMN double int GENERATED ALWAYS AS (sales.twice(id)) STORED", "ALTER FUNCTION sales.twice(int) OWNER TO {l}"],
    "owns a schema of types": ["CREATE SCHEMA types", "CREATE TYPE types.shade AS ENUM ('red')", "GRANT USAGE ON SCHEMA types TO PUBLIC", "ALTER TABLE sales.lines ADD COLUMN shade types.shade DEFAULT 'red'", "ALTER SCHEMA types OWNER TO {l}"],
    "owns a large object": ["SELECT lo_from_bytea(4242, 'data')", "ALTER LARGE OBJECT 4242 OWNER TO {l}"],
    "writes a large object": ["SELECT lo_from_bytea(4242, 'data')", "GRANT SELECT, UPDATE ON LARGE OBJECT 4242 TO {l}"],
    "another's large object": ["SELECT lo_from_bytea(4242, 'data')"],
    "deletes behind row security": ["ALTER TABLE sales.lines ENABLE ROW LEVEL SECURITY", "GRANT DELETE ON sales.lines TO {l}"],
    "deletes in a closed schema": ["REVOKE USAGE ON SCHEMA sales FROM PUBLIC", "GRANT DELETE ON sales.lines TO {l}"],
    "owns, under an event trigger": ["ALTER TABLE sales.lines OWNER TO {l}", "CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$", "CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA') EXECUTE FUNCTION public.no()"],
    "reaches another server": ["CREATE EXTENSION postgres_fdw", "CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{p}', dbname '{d}')", "CREATE USER MAPPING FOR PUBLIC SERVER loop OPTIONS (user 'postgres', password '{w}')", "GRANT USAGE ON FOREIGN SERVER loop TO {l}", "CREATE SCHEMA own AUTHORIZATION {l}"],
    "sets a parameter": ["GRANT ALTER SYSTEM ON PARAMETER archive_command TO {l}"],
    "may write files by a function": ["GRANT EXECUTE ON FUNCTION lo_export(oid, text) TO {l}"],
    "reads password hashes": ["GRANT SELECT ON pg_authid TO {l}"],
    "reads hashes by a view": ["CREATE VIEW sales.accounts AS SELECT usename, passwd FROM pg_shadow", "GRANT SELECT ON sales.accounts TO {l}"],
    "reads connection strings": ["GRANT SELECT ON pg_subscription TO {l}"],
    "reads user mappings": ["GRANT SELECT ON pg_user_mapping TO {l}"],
    "reads the server's settings": ["GRANT SELECT ON pg_file_settings TO {l}", "GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO {l}"],
    "reads a file by a function": ["GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {l}"],
    "lists files by a function": ["GRANT EXECUTE ON FUNCTION pg_ls_dir(text) TO {l}"],
    "imports a file": ["GRANT EXECUTE ON FUNCTION lo_import(text) TO {l}"],
    "calls a function outside of SQL": ["CREATE FUNCTION public.export(oid, text) RETURNS int LANGUAGE internal STRICT AS 'be_lo_export'"],
    "calls by dblink": ["CREATE EXTENSION dblink"],
    "an aggregate of others": ["CREATE FUNCTION sales.step(int, int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM sales.lines; SELECT 1'", "ALTER FUNCTION sales.step(int, int) OWNER TO keeper", "REVOKE EXECUTE ON FUNCTION sales.step(int, int) FROM PUBLIC",
                               "CREATE AGGREGATE sales.tally(int) (sfunc = sales.step, stype = int, initcond = '0')", "ALTER AGGREGATE sales.tally(int) OWNER TO keeper"],
    "sets off a trigger by a view": ["CREATE FUNCTION sales.clean() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM sales.lines; RETURN new; END'", "ALTER FUNCTION sales.clean() OWNER TO keeper",
                                     "REVOKE EXECUTE ON FUNCTION sales.clean() FROM PUBLIC", "CREATE TRIGGER cleans AFTER INSERT ON sales.orders FOR EACH ROW EXECUTE FUNCTION sales.clean()", "GRANT INSERT ON sales.recent TO {l}"],
    "sets off a trigger of a partition": ["CREATE FUNCTION sales.clean() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM sales.lines; RETURN new; END'", "ALTER FUNCTION sales.clean() OWNER TO keeper",
                                          "REVOKE EXECUTE ON FUNCTION sales.clean() FROM PUBLIC", "CREATE TABLE sales.whole (id int, what text) PARTITION BY RANGE (id)", "CREATE TABLE sales.part PARTITION OF sales.whole FOR VALUES FROM (0) TO (9999)",
                                          "CREATE TRIGGER cleans AFTER INSERT ON sales.part FOR EACH ROW EXECUTE FUNCTION sales.clean()", "GRANT INSERT ON sales.whole TO {l}"],
    "under an event trigger of others": ["CREATE FUNCTION public.cleans() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN IF session_user LIKE 'login%' THEN DELETE FROM sales.lines; END IF; END$$",
                                         "REVOKE EXECUTE ON FUNCTION public.cleans() FROM PUBLIC", "CREATE EVENT TRIGGER cleans ON ddl_command_end EXECUTE FUNCTION public.cleans()"],
    "adds to a schema": ["GRANT CREATE ON SCHEMA public TO {l}"],
    "makes schemas": ["GRANT CREATE ON DATABASE {d} TO {l}"],
    "owns an empty schema": ["CREATE SCHEMA own AUTHORIZATION {l}"],
    "owns a sequence": ["CREATE SEQUENCE sales.numbers", "ALTER TABLE sales.lines ALTER id SET DEFAULT nextval('sales.numbers')", "ALTER SEQUENCE sales.numbers OWNER TO {l}"],
    "sets a sequence": ["CREATE SEQUENCE sales.numbers", "GRANT UPDATE ON SEQUENCE sales.numbers TO {l}"],
    "writes a table of an extension": ["ALTER EXTENSION plpgsql ADD TABLE sales.orders", "GRANT INSERT ON sales.orders TO {l}"],
    "uses a foreign data wrapper": ["CREATE EXTENSION postgres_fdw", "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC", "GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {l}"],
    "a provider's role": ["CREATE ROLE rds_{h}", "GRANT rds_{h} TO {l}"],
    "owns a table of its own": ["CREATE SCHEMA own AUTHORIZATION {l}", "CREATE TABLE own.notes AS SELECT i AS id, 'note' AS what FROM generate_series(1, 5) i", "ALTER TABLE own.notes OWNER TO {l}"],
}
SINCE_17 = {
    "maintains": ["CREATE TABLE sales.gone AS SELECT 1 AS id, 'kept' AS what", "CREATE MATERIALIZED VIEW sales.kept AS SELECT * FROM sales.gone", "DELETE FROM sales.gone", "GRANT MAINTAIN ON sales.kept TO {l}"],
    "maintains everything": ["CREATE TABLE sales.gone AS SELECT 1 AS id, 'kept' AS what", "CREATE MATERIALIZED VIEW sales.kept AS SELECT * FROM sales.gone", "DELETE FROM sales.gone", "GRANT pg_maintain TO {l}"],
}
SINCE_16 = {
    "subscribes": ["GRANT pg_create_subscription TO {l}"],
    "inherits, may not set": ["GRANT keeper TO {l} WITH INHERIT TRUE, SET FALSE"],
    "may set, does not inherit": ["GRANT keeper TO {l} WITH INHERIT FALSE, SET TRUE"],
    "neither": ["GRANT keeper TO {l} WITH INHERIT FALSE, SET FALSE"],
    "administers alone": ["GRANT keeper TO {l} WITH INHERIT FALSE, SET FALSE, ADMIN TRUE"],
    "sets, then inherits": ["CREATE ROLE {h}", "GRANT keeper TO {h} WITH INHERIT TRUE, SET FALSE", "GRANT {h} TO {l} WITH INHERIT FALSE, SET TRUE"],
    "inherits, then would set": ["CREATE ROLE {h}", "GRANT keeper TO {h} WITH INHERIT FALSE, SET TRUE", "GRANT {h} TO {l} WITH INHERIT TRUE, SET FALSE"],
}


def cases(cluster):
    """The set-ups that this version has."""
    old = cluster.version < 150000
    all_ = {**CASES, **(SINCE_16 if cluster.version >= 160000 else {}), **(SINCE_17 if cluster.version >= 170000 else {})}
    return {name: texts for name, texts in all_.items() if not (old and name == "sets a parameter")}


class Case:
    """A database and a login of one set-up. They are made again once something is lost."""

    def __init__(self, cluster, number, name, texts):
        self.cluster, self.name, self.texts = cluster, name, texts
        self.login, self.database, self.helper = f"login{number}", f"shop{number}", f"helper{number}"
        self.password = f"word-{number}-Tr0ub4dor-3x"
        self.watch = None
        self.make()

    def make(self):
        names = {"l": self.login, "d": self.database, "h": self.helper, "p": self.cluster.port, "w": self.cluster.password}
        self.cluster.do("postgres", f"CREATE ROLE {self.login} LOGIN PASSWORD '{self.password}'", f"CREATE DATABASE {self.database} OWNER keeper",
                        f"REVOKE CONNECT ON DATABASE {self.database} FROM PUBLIC", f"GRANT CONNECT ON DATABASE {self.database} TO {self.login}")
        self.cluster.do(self.database, BASE, *[text if "$$" in text else text.format(**names) for text in self.texts])

    def drop(self):
        self.cluster.do("postgres", f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")
        for role in (self.login, self.helper):
            try:
                self.cluster.do("postgres", f"DROP OWNED BY {role}", f"DROP ROLE {role}")
            except psycopg.errors.UndefinedObject:
                pass

    def url(self):
        return f"postgres://{self.login}:{self.password}@127.0.0.1:{self.cluster.port}/{self.database}?sslmode=disable"

    def state(self):
        """Everything in the database, in a word; nothing, if it is gone."""
        try:
            if self.watch is None or self.watch.closed:
                self.watch = self.cluster.connect(self.database)
            with self.watch.transaction():
                session = self.watch
                names = session.execute("SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                                        "WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1").fetchall()
                sums = {name: set(row[0] for row in session.execute(f"SELECT t::text FROM {name} t")) for (name,) in names}
                sums["large objects"] = {str(row) for row in session.execute("SELECT loid, pageno, encode(data, 'hex') FROM pg_largeobject WHERE loid = 4242")}
                return sums
        except psycopg.OperationalError:
            return None

    def others(self):
        """What a superuser does there in the meantime: into whose way something may have been put."""
        with self.cluster.connect(self.database) as session:
            for text in ("SELECT lower('A'::varchar)", "INSERT INTO sales.orders VALUES (555, 'by the superuser')", "DELETE FROM sales.orders WHERE id = 555"):
                try:
                    session.execute(text)
                except psycopg.Error:
                    pass

    def connect(self, database=None):
        return self.cluster.connect(database or self.database, self.login, self.password)


def lost(before, after):
    """Whether anything that was there is not there any more."""
    return after is None or any(not rows <= after.get(name, set()) for name, rows in before.items())


def attempts(case):
    """What the login tries, each a list of statements, without changing who it is."""
    with case.cluster.connect(case.database) as session:
        names = lambda text: [row[0] for row in session.execute(text)]
        bare = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        tables = names(f"SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm') AND {bare} ORDER BY c.oid")
        schemas = names(f"SELECT quote_ident(n.nspname) FROM pg_namespace n WHERE {bare}")
        types = names(f"SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e' AND {bare}")
        functions = session.execute(f"SELECT p.oid::regprocedure::text, p.pronargs, p.prorettype::regtype::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {bare}").fetchall()
        objects = names("SELECT oid FROM pg_largeobject_metadata WHERE oid = 4242")
    # First of all, for it takes a schema of its own, which goes further down.
    out = [["IMPORT FOREIGN SCHEMA sales LIMIT TO (lines) FROM SERVER loop INTO own", "DELETE FROM own.lines"]]
    for table in tables:
        out += [[f"DELETE FROM {table}"], [f"TRUNCATE {table} CASCADE"], [f"UPDATE {table} SET what = 'gone'"], [f"DROP TABLE {table} CASCADE"],
                [f"DROP MATERIALIZED VIEW {table} CASCADE"], [f"INSERT INTO {table} (id, what) VALUES (999, 'new')"]]
    out += [[f"DROP SCHEMA {schema} CASCADE"] for schema in schemas]
    out += [[f"DROP TYPE {one} CASCADE"] for one in types]
    out += [[f"SELECT {name}"] for name, count, kind in functions if not count and kind not in ("trigger", "event_trigger")]
    out += [[f"DROP FUNCTION {name} CASCADE"] for name, _, _ in functions]
    out += [[f"SELECT lo_unlink({one})"] for one in objects] + [[f"SELECT lo_put({one}, 0, 'gone')"] for one in objects]
    planted = "RETURNS text LANGUAGE sql AS $$DELETE FROM sales.lines; SELECT 'planted'$$"
    trigger = "RETURNS trigger LANGUAGE plpgsql AS $$BEGIN DELETE FROM sales.lines; RETURN new; END$$"
    out += [["CREATE TEMP TABLE own_temporary (id int)"], ["SELECT sales.tally(1)"], [f"CREATE FUNCTION public.lower(varchar) {planted}"],
            ["CREATE SCHEMA postgres", f"CREATE FUNCTION postgres.lower(varchar) {planted}"],
            [f"CREATE FUNCTION pg_temp.cleans() {trigger}", "CREATE TRIGGER planted BEFORE INSERT ON sales.orders FOR EACH ROW EXECUTE FUNCTION pg_temp.cleans()"]]
    out += [["DROP OWNED BY CURRENT_USER CASCADE"]]
    out += [[f"REFRESH MATERIALIZED VIEW {table}"] for table in tables]
    data = case.cluster.folder / "data" / "base"
    (oid,), = case.cluster.ask(f"SELECT oid FROM pg_database WHERE datname = '{case.database}'")
    # Enough to show that files of the server are in its hands, and harmless to the other cases.
    mark = f"{data}/{oid}/lost"
    out += [[f"COPY (SELECT 1) TO PROGRAM 'touch {mark}'"], [f"COPY (SELECT 1) TO '{mark}'"], ["SELECT lo_from_bytea(4343, 'x')", f"SELECT lo_export(4343, '{mark}')"],
            ["SELECT lo_from_bytea(4444, 'x')", f"SELECT public.export(4444, '{mark}')"]]
    return out, mark
