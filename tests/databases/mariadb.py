"""A MariaDB server of its own for each run, and the set-ups of privileges that logins are tried in."""
import os
import pwd
import shutil
import signal
import subprocess
import time

import pymysql

from ports import folder, free


class Server:
    """MariaDB on a port of its own."""

    name, provider = "MariaDB", "mysql"

    def __init__(self):
        self.folder = folder()
        self.port, self.password = free(), "super-Tr0ub4dor-3x"
        user = ["--user=mysql"] if os.getuid() == 0 else []
        if user:
            os.chown(self.folder, pwd.getpwnam("mysql").pw_uid, -1)
        data = self.folder / "data"
        subprocess.run(["mariadb-install-db", "--no-defaults", *user, f"--datadir={data}", "--innodb-use-native-aio=0", "--auth-root-authentication-method=normal", "--skip-test-db"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen([shutil.which("mariadbd", path=os.environ["PATH"] + ":/usr/sbin"), "--no-defaults", *user, f"--datadir={data}", "--innodb-use-native-aio=0", "--innodb-flush-log-at-trx-commit=0", f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.folder}/s",
                                         f"--pid-file={self.folder}/p", f"--log-bin={data}/bin", "--server-id=1", "--general-log=1", f"--general-log-file={data}/general.log", "--secure-file-priv="],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.log = data / "general.log"
        for _ in range(200):
            try:
                with pymysql.connect(unix_socket=f"{self.folder}/s", user="root", autocommit=True) as session:
                    for text in (f"CREATE USER 'chief'@'%' IDENTIFIED BY '{self.password}'", "GRANT ALL ON *.* TO 'chief'@'%' WITH GRANT OPTION", "CREATE USER 'keeper'@'%' IDENTIFIED BY 'keeper-Tr0ub4dor-3x'",
                                 "GRANT ALL ON *.* TO 'keeper'@'%'"):
                        session.cursor().execute(text)
                return
            except pymysql.err.OperationalError:
                time.sleep(0.1)
        raise SystemExit("MariaDB does not start")

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, user="chief", password=None):
        return pymysql.connect(host="127.0.0.1", port=self.port, user=user, password="" if user == "nobody" else password or self.password, autocommit=True, connect_timeout=5, read_timeout=10)

    def do(self, *texts):
        with self.connect() as session, session.cursor() as cursor:
            for text in texts:
                cursor.execute(text)

    def cases(self):
        return CASES

    def case(self, number, name):
        return Case(self, number, name, CASES[name])


BASE = ["CREATE DATABASE {d}", "CREATE TABLE {d}.orders (id int PRIMARY KEY, what varchar(40)) ENGINE=InnoDB", "CREATE TABLE {d}.`lines` (id int PRIMARY KEY, what varchar(40)) ENGINE=InnoDB",
        "INSERT INTO {d}.orders VALUES (1, 'a'), (2, 'b')", "INSERT INTO {d}.`lines` VALUES (1, 'a'), (2, 'b')", "CREATE DEFINER='keeper'@'%' SQL SECURITY DEFINER VIEW {d}.recent AS SELECT id, what FROM {d}.orders"]
CLEAN = "CREATE DEFINER='keeper'@'%' PROCEDURE {d}.clean() SQL SECURITY DEFINER DELETE FROM {d}.`lines`"
CASES = {
    "nothing": [], "reads": ["GRANT SELECT ON {d}.* TO {l}"], "inserts": ["GRANT INSERT ON {d}.orders TO {l}"], "deletes": ["GRANT SELECT, DELETE ON {d}.`lines` TO {l}"], "deletes blindly": ["GRANT DELETE ON {d}.`lines` TO {l}"],
    "updates a column": ["GRANT UPDATE (what) ON {d}.`lines` TO {l}"], "drops a table": ["GRANT DROP ON {d}.`lines` TO {l}"], "drops the database": ["GRANT DROP ON {d}.* TO {l}"], "all of a table": ["GRANT ALL ON {d}.`lines` TO {l}"],
    "all of the database": ["GRANT ALL ON {d}.* TO {l}"], "all there is": ["GRANT ALL ON *.* TO {l}"], "drops everywhere": ["GRANT DROP ON *.* TO {l}"], "a pattern": ["GRANT DELETE ON `{d}%`.* TO {l}"],
    "another's pattern": ["GRANT DELETE ON `{d}\\_x`.* TO {l}"], "alters": ["GRANT ALTER ON {d}.`lines` TO {l}"], "indexes": ["GRANT INDEX, REFERENCES, LOCK TABLES ON {d}.* TO {l}", "GRANT SELECT ON {d}.* TO {l}"],
    "creates": ["GRANT CREATE, CREATE VIEW, CREATE TEMPORARY TABLES, CREATE ROUTINE, EVENT, TRIGGER, SHOW VIEW ON {d}.* TO {l}"], "looks on": ["GRANT PROCESS, SHOW DATABASES, BINLOG MONITOR ON *.* TO {l}"],
    "super": ["GRANT SUPER ON *.* TO {l}"], "sets users": ["GRANT SET USER ON *.* TO {l}", "GRANT CREATE ROUTINE, EXECUTE ON {d}.* TO {l}"], "makes accounts": ["GRANT CREATE USER ON *.* TO {l}"], "writes files": ["GRANT FILE ON *.* TO {l}"],
    "replays": ["GRANT BINLOG REPLAY ON *.* TO {l}"], "a role": ["CREATE ROLE {r}", "GRANT DELETE ON {d}.* TO {r}", "GRANT {r} TO {l}"], "a role from the start": ["CREATE ROLE {r}", "GRANT DELETE ON {d}.* TO {r}", "GRANT {r} TO {l}", "SET DEFAULT ROLE {r} FOR {l}"],
    "calls a procedure": [CLEAN, "GRANT EXECUTE ON PROCEDURE {d}.clean TO {l}"], "may not call it": [CLEAN, "GRANT SELECT ON {d}.* TO {l}"],
    "sets off a trigger": ["CREATE DEFINER='keeper'@'%' TRIGGER {d}.cleans AFTER INSERT ON {d}.orders FOR EACH ROW DELETE FROM {d}.`lines`", "GRANT INSERT ON {d}.orders TO {l}"],
    "deletes by a view": ["GRANT DELETE ON {d}.recent TO {l}", "GRANT SELECT ON {d}.recent TO {l}"], "everybody deletes": ["GRANT DELETE ON {d}.`lines` TO PUBLIC"], "grants on": ["GRANT SELECT ON {d}.* TO {l} WITH GRANT OPTION"],
    "an account without a name": ["CREATE USER IF NOT EXISTS ''@'%'", "GRANT DELETE ON {d}.`lines` TO ''@'%'"], "reads the accounts": ["GRANT SELECT ON mysql.* TO {l}"], "adds to the accounts": ["GRANT INSERT, SELECT ON mysql.* TO {l}"],
}
# Nothing at all is ever said to be stopped there.
STOPPED = set()
DOUBTED = {"nothing", "reads", "another's pattern", "indexes", "creates", "looks on", "may not call it", "grants on", "reads the accounts", "adds to the accounts"}
SHOWN = {"a role", "calls a procedure", "sets off a trigger", "an account without a name"}
OPEN = {"deletes", "deletes blindly", "updates a column", "drops a table", "drops the database", "all of a table", "all of the database", "all there is", "drops everywhere", "a pattern", "alters", "deletes by a view", "everybody deletes"}


class Case:
    """A database and a login of one set-up."""

    def __init__(self, server, number, name, texts):
        self.server, self.name = server, name
        self.login, self.database, self.role, self.password = f"login{number}", f"shop{number:02}q", f"role{number}", f"word-{number}-Tr0ub4dor-3x"
        names = {"l": f"'{self.login}'@'%'", "d": self.database, "r": self.role}
        server.do(f"CREATE USER '{self.login}'@'%' IDENTIFIED BY '{self.password}'", *[text.format(**names) for text in [*BASE, *texts]])

    def drop(self):
        self.server.do("DROP USER IF EXISTS ''@'%'", f"DROP DATABASE IF EXISTS {self.database}", f"DROP USER IF EXISTS '{self.login}'@'%'", f"DROP ROLE IF EXISTS {self.role}", "ALTER USER 'keeper'@'%' IDENTIFIED BY 'keeper-Tr0ub4dor-3x'")

    def url(self):
        return f"mysql://{self.login}:{self.password}@127.0.0.1:{self.server.port}/{self.database}"

    def key(self, port=None):
        return f"mysql://127.0.0.1:{port or self.server.port}/{self.database}"

    def state(self):
        with self.server.connect() as session, session.cursor() as cursor:
            out = {}
            for table in ("orders", "`lines`"):
                try:
                    cursor.execute(f"SELECT id, what FROM {self.database}.{table}")
                    out[table] = set(cursor.fetchall())
                except pymysql.err.Error:
                    out[table] = set()
            return out

    def tries(self, later):
        """The first thing by which the login destroys something."""
        before = self.state()
        gone = lambda: any(not rows <= after for rows, after in zip(before.values(), self.state().values()))
        texts = []
        for table in ("orders", "`lines`", "recent"):
            at = f"{self.database}.{table}"
            texts += [f"DELETE FROM {at}", f"UPDATE {at} SET what = 'gone'", f"TRUNCATE {at}", f"ALTER TABLE {at} DROP COLUMN what", f"CREATE OR REPLACE TABLE {at} (id int)", f"REPLACE INTO {at} VALUES (1, 'gone')",
                      f"INSERT INTO {at} VALUES (9, 'new')", f"INSERT INTO {at} (id) VALUES (1) ON DUPLICATE KEY UPDATE what = 'gone'", f"RENAME TABLE {at} TO {self.database}.other", f"DROP TABLE {at}"]
        texts += [f"CALL {self.database}.clean()", f"CREATE DEFINER='keeper'@'%' PROCEDURE {self.database}.mine() SQL SECURITY DEFINER DELETE FROM {self.database}.orders", f"CALL {self.database}.mine()", f"DROP DATABASE {self.database}"]
        roles = [None, self.role]
        logins = [(self.login, self.password), ("nobody", None)]
        if later:
            try:
                with self.server.connect(self.login, self.password) as session, session.cursor() as cursor:
                    cursor.execute("ALTER USER 'keeper'@'%' IDENTIFIED BY 'taken'")
                logins = [("keeper", "taken")]
            except pymysql.err.Error:
                return None
        for login, password in logins:
            for role in roles:
                try:
                    session = self.server.connect(login, password)
                    cursor = session.cursor()
                    if role:
                        cursor.execute(f"SET ROLE {role}")
                except pymysql.err.Error:
                    continue
                for text in texts:
                    try:
                        cursor.execute(text)
                    except pymysql.err.Error:
                        continue
                    if gone():
                        return f"{login}, {role}: {text}"
        return None
