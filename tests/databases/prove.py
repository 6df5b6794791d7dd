"""Holds what Deadstop says of logins at databases against servers at which each login then really tries to destroy.

Usage: prove.py DEADSTOP FOLDER [PROGRAMS LIBRARIES]...

What was said to be stopped must be refused, what was said to be slowed must be refused until something is changed. The log of
the server must show nothing but the statements that `deadstop permissions` prints. Then each answer is taken away or spoilt:
none may make an answer better. PROGRAMS is where the programs of PostgreSQL are, LIBRARIES what they need, or `-`.
"""
import concurrent.futures
import pathlib
import socket
import subprocess
import sys
import threading
import time

import psycopg

import documents
import keyvalue
import mariadb
import onefile
from deadstop import Deadstop, said
from faults import ANSWERS, Alias, Cut, Listener, Proxy, Trickle
from ports import free
from postgres import Case, Cluster, attempts, cases, lost

folder = pathlib.Path(sys.argv[2])
deadstop = Deadstop(pathlib.Path(sys.argv[1]).resolve(), folder)
check = deadstop.check
HANDS = 4
# How many databases a server has at a time.
TOGETHER = 8


def each(work, items):
    with concurrent.futures.ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(work, items))


def tries(case, later):
    """The first thing by which the login destroys something: by its own rights and roles, or after it changed something."""
    before = case.state()
    todo, mark = attempts(case)
    with case.cluster.connect(case.database) as session:
        member = f"pg_has_role('{case.login}', r.oid, 'MEMBER')"
        roles = [row[0] for row in session.execute(f"SELECT quote_ident(r.rolname) FROM pg_roles r WHERE r.rolname <> '{case.login}' AND {member}")]
        others = [row[0] for row in session.execute(f"SELECT quote_ident(r.rolname) FROM pg_roles r WHERE r.rolname NOT LIKE 'login%' AND NOT r.rolsuper")]

    def gone():
        return lost(before, case.state()) or pathlib.Path(mark).exists()

    def session(role, database=None):
        one = case.connect(database)
        if role:
            one.execute(f"SET ROLE {role}")
        return one

    if later:
        with case.connect() as one:
            for granting in [None, *roles]:
                for role in others:
                    try:
                        one.execute(f"SET ROLE {granting or 'NONE'}")
                        one.execute(f"GRANT {role} TO {case.login}")
                        roles.append(role)
                    except psycopg.Error:
                        pass
    for role in dict.fromkeys([None, *roles]):
        try:
            one = session(role)
        except psycopg.Error:
            continue
        with one:
            for statements in todo:
                try:
                    for text in statements:
                        one.execute(text)
                except psycopg.Error:
                    continue
                if statements[0].startswith(("CREATE FUNCTION", "CREATE SCHEMA")):
                    case.others()
                if gone():
                    return f"{role or 'itself'}: {statements[-1]}"
        try:
            # A session of a superuser is not ended by anybody else.
            case.watch.close()
            with session(role, "postgres") as one:
                one.execute(f"DROP DATABASE {case.database} WITH (FORCE)")
        except psycopg.Error:
            continue
        if gone():
            return f"{role or 'itself'}: DROP DATABASE"
    return None


# What must be seen to be stopped: a tool that knows nothing is never wrong.
STOPPED = {"nothing", "reads", "inserts", "bypasses row security", "signals", "may not call it", "another's large object", "neither"}
OPEN = {"deletes", "deletes blindly", "truncates", "updates a column", "everybody deletes", "owns a table", "owns the schema", "owns the database", "superuser", "member of the owner",
        "member without inheriting", "member of a member", "member of a superuser", "helper owns the database", "writes all data", "runs programs", "writes files", "deletes by a view",
        "owns a large object", "inherits, may not set", "may set, does not inherit", "sets, then inherits"}
# What must be seen to be in doubt; of most of it that it destroys is shown, too.
SHOWN = {"calls a function of the owner", "sets off a trigger", "sets off a rule", "may put triggers", "owns a type", "owns a function", "owns a schema of types", "writes a large object", "reaches another server",
         "may write files by a function", "calls a function outside of SQL", "an aggregate of others", "sets off a trigger by a view", "sets off a trigger of a partition", "under an event trigger of others",
         "adds to a schema", "makes schemas", "maintains", "maintains everything"}
DOUBTED = SHOWN | {"makes databases", "reads all data", "monitors", "replicates", "reads files", "reads password hashes", "reads hashes by a view", "reads connection strings", "reads user mappings", "reads the server's settings",
                   "reads a file by a function", "lists files by a function", "imports a file", "calls by dblink", "owns an empty schema", "owns a sequence", "sets a sequence", "writes a table of an extension",
                   "uses a foreign data wrapper", "a provider's role", "sets a parameter", "subscribes"}


def matrix(cluster):
    """Every set-up: what is said of it, and what then happens."""
    started = time.monotonic()
    what, counts, idle = cluster.version // 10000, {}, []
    listing = list(enumerate(cases(cluster).items()))
    for at in range(0, len(listing), TOGETHER):
        some(cluster, [Case(cluster, number, name, texts) for number, (name, texts) in listing[at:at + TOGETHER]], counts, idle)
    print(f"PostgreSQL {what}: {len(listing)} set-ups: {counts}; not stopped, and yet nothing was destroyed: {', '.join(idle) or 'none'} ({time.monotonic() - started:.0f} s)", flush=True)


def some(cluster, all_, counts, idle):
    """Some set-ups beside each other at one server."""
    what = cluster.version // 10000
    hosts = [f"127.0.0.1:{cluster.port}"]
    before = wrote(cluster)

    def ask(case):
        _, assessment, found, calls = deadstop.run(f"{what}-{case.login}", f"DATABASE_URL={case.url()}\n", "postgres", hosts, "--live")
        asset = found.get(f"postgres://127.0.0.1:{cluster.port}/{case.database}")
        check(asset, f"{what} {case.name}: the database is not among the assets")
        check(calls and all(call["host"] == hosts[0] and call["outcome"] == "answered" for call in calls), f"{what} {case.name}: {calls}")
        credential = next(one for one in assessment["credentials"] if one["provider"] == "postgres")
        check(credential["status"] == "live", f"{what} {case.name}: {credential}")
        return said(asset)

    answers = each(ask, all_)
    check(wrote(cluster) == before, f"{what}: rows were written while Deadstop asked: {before}, {wrote(cluster)}")

    def attempt(pair):
        case, answer = pair
        now = tries(case, False)
        then = now or tries(case, True)
        return case, answer, now, then

    for case, answer, now, then in each(attempt, zip(all_, answers)):
        counts[answer] = counts.get(answer, 0) + 1
        check(answer != "stopped" or not then, f"{what} {case.name}: said to be stopped, and destroyed by {then}")
        check(answer != "slowed" or not now, f"{what} {case.name}: said to be slowed, and destroyed at once by {now}")
        check(case.name not in STOPPED or answer == "stopped", f"{what} {case.name}: {answer} instead of stopped")
        check(case.name not in OPEN or answer == "open", f"{what} {case.name}: {answer} instead of open")
        check(case.name not in DOUBTED or answer == "unknown", f"{what} {case.name}: {answer} instead of unknown")
        check(case.name not in OPEN | SHOWN or now or case.name in ("deletes blindly",), f"{what} {case.name}: nothing was destroyed, so that nothing is proved")
        if answer != "stopped" and not then:
            idle.append(f"{case.name} ({answer})")
    each(lambda case: case.drop(), all_)


def wrote(cluster):
    """How many rows were ever written, once the counts have come in."""
    return cluster.ask("SELECT sum(tup_inserted + tup_updated + tup_deleted) FROM pg_stat_database WHERE datname LIKE 'shop%'")[0][0]


def logged(cluster):
    """What the server was asked by Deadstop, and which locks that took."""
    printed = subprocess.run([deadstop.program, "permissions", "postgres"], capture_output=True, text=True, check=True).stdout
    allowed, text = [], []
    for line in printed.splitlines():
        if line.startswith("-- ") or not line:
            if text:
                allowed.append("\n".join(text).rstrip(";"))
            text = []
        else:
            text.append(line)
    allowed.append("\n".join(text).rstrip(";"))
    entries, current = [], None
    for line in cluster.log.read_text(errors="replace").splitlines():
        if line.startswith("\t") and current is not None:
            entries[current] += "\n" + line[1:]
        elif line.startswith("deadstop|") and "LOG:  statement: " in line:
            entries.append(line.split("LOG:  statement: ", 1)[1])
            current = len(entries) - 1
        else:
            current = None
    seen = set(entries)
    begin = {one for one in seen if one.startswith("BEGIN TRANSACTION READ ONLY; SET LOCAL ")}
    strange = seen - set(allowed) - begin - {"ROLLBACK"}
    check(not strange and len(begin) == 1, f"statements that are on no list: {strange}, {begin}")
    check(set(allowed) & seen, "no statement was logged")
    for text in allowed:
        with cluster.connect() as session:
            session.autocommit = False
            session.execute(text)
            modes = {row[0] for row in session.execute("SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype <> 'virtualxid'")}
            check(modes <= {"AccessShareLock"}, f"{modes} by {text[:60]}")
    return len(entries)


def spoilt(cluster):
    """Each answer taken away or spoilt, for a login that may do nothing and for one that may do all."""
    cluster.do("postgres", "ALTER SYSTEM SET log_statement = 'none'", "SELECT pg_reload_conf()")
    listing = cases(cluster)
    subjects = [Case(cluster, number, name, listing[name]) for number, name in [(900, "reads"), (901, "owns the database"), (902, "makes roles")]]
    texts = {"identity": "version()", "roles": "rolreplication", "databases": "datallowconn", "rights": "has_any_column_privilege(w.oid, t.oid", "routes": "pg_shdepend",
             "large objects": "lomowner", "parameters": "pg_parameter_acl", "largest": "pg_total_relation_size", "archive": "pg_stat_archiver", "begin": "BEGIN TRANSACTION READ ONLY"}
    few = {"denied", "no rows", "no text", "hangs up"}
    runs = [(case, what, fault) for case in subjects for what in texts for fault in ANSWERS if case is subjects[0] or fault in few and (case is subjects[1] or what == "roles")]
    # No parameter that may be set is an answer, and so are no tables that could be largest; a fourth value is not looked at.
    runs = [run for run in runs if not (run[1] in ("parameters", "largest") and run[2] in ("no rows", "a row twice", "a value less", "a row cut off"))]
    if cluster.version < 150000:
        runs = [run for run in runs if run[1] != "parameters"]
    whole = {}

    def bounds(case, name, port):
        _, _, found, _ = deadstop.run(name, f"DATABASE_URL={case.url().replace(str(cluster.port), str(port))}\n", "postgres", [f"127.0.0.1:{port}"], "--live")
        return found, found.get(f"postgres://127.0.0.1:{port}/{case.database}")

    for case in subjects:
        whole[case] = bounds(case, f"whole-{case.login}", cluster.port)[1]
    check([said(whole[case]) for case in subjects] == ["stopped", "open", "slowed" if cluster.version < 160000 else "stopped"], f"{[whole[case] for case in subjects]}")

    def one(numbered):
        number, (case, what, fault) = numbered
        with Proxy(cluster.port, texts[what], fault) as proxy:
            found, asset = bounds(case, f"spoilt-{number}", proxy.port)
        name = f"{case.name}, {what}, {fault}"
        check(proxy.spoilt, f"{name}: nothing was spoilt")
        asset = asset or found.get(f"postgres://127.0.0.1:{proxy.port}/?")
        check(asset, f"{name}: nothing is left of the database")
        if asset:
            # What decides nothing may be lost without a loss.
            harmless = what in ("largest", "archive") or fault == "a row twice" and what in ("roles", "databases", "parameters")
            check(asset["bounds"][0] == whole[case]["bounds"][0] or said(whole[case]) != "open", f"{name}: the worst became {asset['bounds']}")
            check(asset["answer"] != "stopped" or harmless and said(whole[case]) == "stopped", f"{name}: {asset['answer']}")
            check(said(whole[case]) != "stopped" or harmless or "nothing" in asset["bounds"], f"{name}: {asset['bounds']}")

    each(one, enumerate(runs))

    # The same at the server itself: each part of the catalogue closed to everybody.
    closed = ["TABLE pg_catalog.pg_roles", "TABLE pg_catalog.pg_auth_members", "TABLE pg_catalog.pg_database", "TABLE pg_catalog.pg_class", "TABLE pg_catalog.pg_namespace", "TABLE pg_catalog.pg_proc",
              "TABLE pg_catalog.pg_language", "TABLE pg_catalog.pg_trigger", "TABLE pg_catalog.pg_rewrite", "TABLE pg_catalog.pg_shdepend", "TABLE pg_catalog.pg_foreign_server",
              "TABLE pg_catalog.pg_largeobject_metadata", "TABLE pg_catalog.pg_depend", "TABLE pg_catalog.pg_init_privs", "TABLE pg_catalog.pg_event_trigger", "TABLE pg_catalog.pg_foreign_data_wrapper", "TABLE pg_catalog.pg_stat_activity", "FUNCTION pg_catalog.has_table_privilege(oid, oid, text)", "FUNCTION pg_catalog.has_any_column_privilege(oid, oid, text)",
              "FUNCTION pg_catalog.has_database_privilege(oid, oid, text)", "FUNCTION pg_catalog.has_function_privilege(oid, oid, text)", "FUNCTION pg_catalog.has_schema_privilege(oid, oid, text)", "FUNCTION pg_catalog.has_column_privilege(oid, oid, text, text)", "FUNCTION pg_catalog.current_database()", "FUNCTION pg_catalog.pg_is_in_recovery()",
              "FUNCTION pg_catalog.version()", "FUNCTION pg_catalog.current_setting(text)", "FUNCTION pg_catalog.to_jsonb(anyelement)"]
    if cluster.version >= 150000:
        closed.append("TABLE pg_catalog.pg_parameter_acl")
    reader = subjects[0]
    for number, part in enumerate(closed):
        right = "SELECT" if part.startswith("TABLE") else "EXECUTE"
        cluster.do(reader.database, f"REVOKE {right} ON {part} FROM PUBLIC")
        found, asset = bounds(reader, f"closed-{number}", cluster.port)
        cluster.do(reader.database, f"GRANT {right} ON {part} TO PUBLIC")
        asset = asset or found.get(f"postgres://127.0.0.1:{cluster.port}/?")
        check(asset and asset["answer"] == "unknown", f"{part} closed: {asset and asset['answer']}")
    each(lambda case: case.drop(), subjects)
    return len(runs) + len(closed)


def unanswered(cluster):
    """Servers that refuse, say nothing, or are not to be asked."""
    case = Case(cluster, 910, "owns the database", cases(cluster)["owns the database"])
    here = f"127.0.0.1:{cluster.port}"
    text = f"DATABASE_URL={case.url()}\n"
    key = f"postgres://{here}/{case.database}"

    def unknown(name, text, key, hosts, reason, *flags, config=True):
        code, assessment, found, calls = deadstop.run(name, text, "postgres", hosts, "--live", *flags, config=config)
        check(code == 3 and found[key]["answer"] == "unknown" and found[key]["bounds"][0] == "nothing", f"{name}: {code}, {found[key]}")
        check(any(reason in str(gap) for gap in assessment["gaps"]), f"{name}: {assessment['gaps']}")
        return calls

    variables = {"PGHOST": "127.0.0.1", "PGPORT": str(cluster.port), "PGUSER": case.login, "PGDATABASE": case.database, "PGPASSWORD": case.password, "PGSSLMODE": "disable"}
    _, _, found, _ = deadstop.run("variables", "", "postgres", [here], "--live", env=variables)
    check(said(found[key]) == "open", f"variables of libpq: {found}")
    calls = unknown("wrong password", text.replace(case.password, "other-Tr0ub4dor-3x"), key, [here], "denied")
    check([call["outcome"] for call in calls] == ["access was denied"], f"wrong password: {calls}")
    port = free()
    unknown("refused", text.replace(here, f"127.0.0.1:{port}"), key.replace(here, f"127.0.0.1:{port}"), [f"127.0.0.1:{port}"], "unreachable")
    unknown("no TLS", text.replace("sslmode=disable", "sslmode=require"), key, [here], "unsupported")
    with Listener() as silent:
        place = f"127.0.0.1:{silent.port}"
        started = time.monotonic()
        unknown("silent", text.replace(here, place), key.replace(here, place), [place], "timed_out")
        check(silent.seen == 1 and time.monotonic() - started < 30, f"silent: {silent.seen} connections, {time.monotonic() - started:.0f} s")
    # A server that goes on for ever, a byte at a time, before the handshake of TLS is over.
    with Trickle(b"S") as slow:
        place = f"127.0.0.1:{slow.port}"
        started = time.monotonic()
        unknown("trickles", text.replace(here, place).replace("sslmode=disable", "sslmode=require"), key.replace(here, place), [place], "timed_out")
        check(slow.said > 20 and time.monotonic() - started < 30, f"trickles: {slow.said} bytes, {time.monotonic() - started:.0f} s")
    with Listener() as other:
        place = f"127.0.0.1:{other.port}"
        elsewhere, there = text.replace(here, place), key.replace(here, place)
        for name, hosts in [("not named", []), ("another port named", [here]), ("another host named", ["db.internal.example"]), ("a pattern named", ["127.0.0.1.example"])]:
            calls = unknown(name, elsewhere, there, hosts, "postgres: {hosts")
            check(not calls, f"{name}: {calls}")
        # A configuration that lies in the tree names nobody.
        root = deadstop.place("named in the tree", elsewhere, "postgres", [place])
        (root / "work" / "deadstop.yaml").write_text(f"schema: deadstop.config/1\nproviders: {{postgres: {{hosts: [\"{place}\"]}}}}\n")
        calls = unknown("named in the tree", elsewhere, there, [place], "postgres: {hosts", config=False)
        check(not calls, f"named in the tree: {calls}")
        deadstop.run("offline", elsewhere, "postgres", [place], "--live", "--offline")
        deadstop.run("not live", elsewhere, "postgres", [place])
        deadstop.run("another provider", elsewhere, "postgres", [place], "--live", "--provider", "aws")
        root = deadstop.place("plan", elsewhere, "postgres", [place])
        plan = subprocess.run([deadstop.program, "run", root / "work", "--home", root / "home", "--system", root / "system", "--config", root / "deadstop.yaml", "--live", "--plan"],
                              capture_output=True, text=True, check=True).stdout
        check(place in plan and "  rights" in plan, f"plan: {plan}")
        check(other.seen == 0, f"{other.seen} connections to a server that nobody named")
    case.drop()


def between(cluster):
    """What stands round a login that may do nothing and makes it more than it is."""
    case = Case(cluster, 920, "reads", cases(cluster)["reads"])
    here, port = f"127.0.0.1:{cluster.port}", str(cluster.port)

    def answer(name, url, hosts):
        _, _, found, _ = deadstop.run(name, f"DATABASE_URL={url}\n", "postgres", hosts, "--live")
        return {key: said(asset) for key, asset in found.items() if asset["in_headline"]}

    key = f"postgres://{here}/{case.database}"
    check(answer("as it is", case.url(), [here])[key] == "stopped", "reads: not stopped")
    # A server that lets in whoever comes.
    cluster.trust("127.0.0.1/32")
    try:
        told = answer("trusted", case.url(), [here])
        with cluster.connect(case.database, "postgres", "no password at all") as session:
            session.execute("DELETE FROM sales.lines WHERE id = 1")
        check(told[key] == "unknown", f"a server that trusts everybody: {told}")
    finally:
        cluster.trust(None)
    # A pooler that goes to another database than it is asked for, and one that is asked for a database under another name.
    with Alias(cluster.port, case.database, "postgres") as alias:
        told = answer("another database", case.url().replace(port, str(alias.port)), [f"127.0.0.1:{alias.port}"])
        check(alias.renamed and set(told.values()) == {"unknown"}, f"another database: {told}")
    with Alias(cluster.port, "shop_of_old", case.database) as alias:
        url = case.url().replace(port, str(alias.port)).replace(f"/{case.database}", "/shop_of_old")
        told = answer("another name", url, [f"127.0.0.1:{alias.port}"])
        check(alias.renamed and set(told.values()) == {"unknown"}, f"another name: {told}")
    # What may be put into the template comes into every database that is made.
    cluster.do("template1", f"GRANT CREATE ON SCHEMA public TO {case.login}")
    told = answer("template", case.url(), [here])
    cluster.do("template1", f"REVOKE CREATE ON SCHEMA public FROM {case.login}")
    check(told[key] == "unknown", f"adds to a schema of the template: {told}")
    # Several hosts: which of them the login reaches is not known.
    for name, url in [("two hosts", case.url().replace(here, f"{here},localhost:{port}")), ("two hosts asked for", case.url() + "&host=127.0.0.1,localhost")]:
        _, assessment, found, calls = deadstop.run(name, f"DATABASE_URL={url}\n", "postgres", [here], "--live")
        check(not calls and not any(asset["answer"] == "stopped" for asset in found.values()) and any(one["provider"] == "postgres" for one in assessment["credentials"]), f"{name}: {calls}, {found}")
    # Somebody else's login at one of several hosts may be anybody's at this one, and so may a password for every host.
    several = f"postgres://chief:word-chief-Tr0ub4dor-3x@{here},localhost:{port}/{case.database}"
    _, _, found, _ = deadstop.run("beside two hosts", f"DATABASE_URL={case.url()}\nOTHER_URL={several}\n", "postgres", [here], "--live")
    check(said(found[key]) == "unknown", f"beside a login of two hosts: {found[key]}")
    root = deadstop.place("beside a password for all", "", "postgres", [here])
    (root / "home" / ".pgpass").write_text("*:*:*:chief:word-chief-Tr0ub4dor-3x\n")
    told = answer("beside a password for all", case.url(), [here])
    check(told[key] == "unknown", f"beside a password for every host: {told}")
    # The same server under another name, with a login that may do all there.
    owner = case.url().replace("127.0.0.1", "localhost").replace(f"{case.login}:{case.password}", f"postgres:{cluster.password}")
    for name, hosts in [("another name", [here, f"localhost:{port}"]), ("another name that is not to be asked", [here])]:
        _, _, found, _ = deadstop.run(f"beside {name}", f"DATABASE_URL={case.url()}\nOTHER_URL={owner}\n", "postgres", hosts, "--live")
        check(said(found[key]) == "unknown", f"beside {name}: {found[key]}")
    with Alias(cluster.port, "nobody asks for this", "") as pooler:
        owner = owner.replace(f"localhost:{port}", f"127.0.0.1:{pooler.port}")
        _, _, found, _ = deadstop.run("beside a pooler", f"DATABASE_URL={case.url()}\nOTHER_URL={owner}\n", "postgres", [here, f"127.0.0.1:{pooler.port}"], "--live")
        check(said(found[key]) == "unknown", f"beside a pooler: {found[key]}")
    # A part after the question mark is the one that libpq goes by.
    url = case.url().replace(here, "db.internal.example:1").replace(f"/{case.database}", "/elsewhere")
    told = answer("query", f"{url}&host=127.0.0.1&port={port}&dbname={case.database}", [here])
    check(told == {key: "stopped"}, f"parts after the question mark: {told}")
    case.drop()


def environments():
    """Logins of one name, and of one password, in two environments: what is told of them where the environments are known, and where not."""
    hosts = ["db-prod.internal.example", "db-staging.internal.example"]
    keys = [f"postgres://{host}:5432/shop" for host in hosts]
    placed = "environments:\n" + "".join(f"  {name}: {{ids: [\"{key}\", \"{key.rsplit('/', 1)[0]}\"]}}\n" for name, key in zip(("production", "staging"), keys))
    for name, users, words, more, login, password in [
        ("another name", ("app", "app_staging"), ("one-Tr0ub4dor-3x", "two-Tr0ub4dor-3x"), placed, "pass", "pass"), ("one name", ("app", "app"), ("one-Tr0ub4dor-3x", "two-Tr0ub4dor-3x"), placed, "fail", "pass"),
        ("one name and password", ("app", "app"), ("one-Tr0ub4dor-3x", "one-Tr0ub4dor-3x"), placed, "fail", "fail"), ("one name, somewhere", ("app", "app"), ("one-Tr0ub4dor-3x", "two-Tr0ub4dor-3x"), "", "unknown", "pass")]:
        text = "".join(f"{number}_DATABASE_URL=postgres://{user}:{word}@{host}/shop\n".replace("0_", "A_").replace("1_", "B_") for number, (user, word, host) in enumerate(zip(users, words, hosts)))
        _, assessment, _, _ = deadstop.run(f"environments {name}", text, "postgres", [], more=more)
        found = {check_id: {one["verdict"] for one in assessment["findings"] if one["check"] == check_id} for check_id in ("login-keeps-to-one-environment", "login-shares-no-password")}
        check(found == {"login-keeps-to-one-environment": {login}, "login-shares-no-password": {password}}, f"environments, {name}: {found}")


def archives(cluster):
    """The tools that archive the log are known by their command."""
    case = Case(cluster, 930, "reads", cases(cluster)["reads"])
    known = cluster.ask("SHOW archive_command")[0][0]
    for command, tool in [("pgbackrest --stanza=shop archive-push %p", "pgBackRest"), ("wal-g wal-push %p", "WAL-G"), ("barman-wal-archive backup shop %p", "Barman"), ("false word-Tr0ub4dor-3x", "a command")]:
        cluster.do("postgres", f"ALTER SYSTEM SET archive_command = '{command}'", "SELECT pg_reload_conf()")
        for _ in range(50):
            if cluster.ask("SHOW archive_command")[0][0] == command:
                break
            time.sleep(0.1)
        deadstop.run(f"archive {tool}", f"DATABASE_URL={case.url()}\n", "postgres", [f"127.0.0.1:{cluster.port}"], "--live")
        facts = (folder / f"archive {tool}" / "out" / "facts.json").read_text()
        check(f"({tool})" in facts and "Tr0ub4dor" not in facts, f"archive: {tool} is not told")
    cluster.do("postgres", f"ALTER SYSTEM SET archive_command = '{known}'", "SELECT pg_reload_conf()")
    case.drop()


def others(module, server):
    """The same for another kind of server, whose set-ups lie beside each other."""
    started = time.monotonic()
    hosts, counts, idle = [f"127.0.0.1:{server.port}"], {}, []
    listing = list(enumerate(server.cases()))
    for at in range(0, len(listing), TOGETHER):
        all_ = [server.case(number, name) for number, name in listing[at:at + TOGETHER]]

        def ask(case):
            _, assessment, found, calls = deadstop.run(f"{server.provider}-{case.login}", f"DATABASE_URL={case.url()}\n", server.provider, hosts, "--live")
            credential = next(one for one in assessment["credentials"] if one["provider"] == server.provider)
            check(calls and credential["status"] == "live", f"{server.name} {case.name}: {credential}, {calls}")
            asset = found.get(case.key()) or found.get(f"{server.provider}://{hosts[0]}/?")
            check(asset, f"{server.name} {case.name}: the database is not among the assets")
            return said(asset)

        for case, answer in zip(all_, each(ask, all_)):
            now = case.tries(False)
            then = now or case.tries(True)
            counts[answer] = counts.get(answer, 0) + 1
            check(answer != "stopped" or not then, f"{server.name} {case.name}: said to be stopped, and destroyed by {then}")
            check(answer != "slowed" or not now, f"{server.name} {case.name}: said to be slowed, and destroyed at once by {now}")
            check(case.name not in module.STOPPED or answer == "stopped", f"{server.name} {case.name}: {answer} instead of stopped")
            check(case.name not in module.OPEN or answer == "open", f"{server.name} {case.name}: {answer} instead of open")
            check(case.name not in getattr(module, "SLOWED", ()) or answer == "slowed" and then and not now, f"{server.name} {case.name}: {answer}, {now}, {then}")
            check(answer != "stopped" or module.STOPPED, f"{server.name} {case.name}: said to be stopped, as nothing is there")
            check(case.name not in module.DOUBTED or answer == "unknown", f"{server.name} {case.name}: {answer} instead of unknown")
            check(case.name not in module.SHOWN or now and answer == "unknown", f"{server.name} {case.name}: {answer}, {now}")
            check(case.name not in module.OPEN or now, f"{server.name} {case.name}: nothing was destroyed, so that nothing is proved")
            if answer != "stopped" and not then:
                idle.append(f"{case.name} ({answer})")
        for case in all_:
            case.drop()
    print(f"{server.name}: {len(listing)} set-ups: {counts}; not stopped, and yet nothing was destroyed: {', '.join(idle) or 'none'} ({time.monotonic() - started:.0f} s)", flush=True)


def badly(server):
    """Servers of another kind that refuse, say nothing, speak otherwise, or are not to be asked."""
    case = server.case(900, "all" if "all" in server.cases() else "all there is")
    here, key = f"127.0.0.1:{server.port}", case.key()
    text = f"DATABASE_URL={case.url()}\n"

    def unknown(name, text, port, hosts):
        code, assessment, found, calls = deadstop.run(f"{server.provider} {name}", text, server.provider, hosts, "--live")
        asset = found[case.key(port)]
        check(code == 3 and asset["answer"] == "unknown" and asset["bounds"][0] == "nothing", f"{server.name} {name}: {code}, {asset}")
        return calls

    unknown("wrong password", text.replace(case.password, "other-Tr0ub4dor-3x"), server.port, [here])
    port = free()
    unknown("refused", text.replace(here, f"127.0.0.1:{port}"), port, [f"127.0.0.1:{port}"])
    with Listener() as silent:
        place = f"127.0.0.1:{silent.port}"
        calls = unknown("not named", text.replace(here, place), silent.port, [here])
        check(silent.seen == 0 and not calls, f"{server.name}: {silent.seen} connections to a server that nobody named")
        unknown("silent", text.replace(here, place), silent.port, [place])
        check(silent.seen == 1, f"{server.name} silent: {silent.seen} connections")
    for said_first in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 200, b"\xff" * 200, b"*9\r\n" * 50, b"\x0a\0\0\0\x0a5.5.5\0"):
        with Listener(said_first) as odd:
            place = f"127.0.0.1:{odd.port}"
            unknown(f"speaks otherwise {said_first[:4].hex()}", text.replace(here, place), odd.port, [place])
    # Every answer of the server cut off after so many bytes.
    for limit in (*range(10, 120, 17), 200, 400, 800, 1600):
        with Cut(server.port, limit) as cut:
            place = f"127.0.0.1:{cut.port}"
            _, _, found, _ = deadstop.run(f"{server.provider} cut {limit}", text.replace(here, place), server.provider, [place], "--live")
            assets = [asset for asset in found.values() if asset["in_headline"]]
            check(assets and all("nothing" in asset["bounds"] or asset["answer"] == "unknown" for asset in assets), f"{server.name} cut after {limit}: {assets}")
    case.drop()


def clusters():
    pairs = sys.argv[3:] or [str(max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))), "-"]
    return [(programs, None if libraries == "-" else libraries) for programs, libraries in zip(pairs[::2], pairs[1::2])]


statements = runs = 0
for number, (programs, libraries) in enumerate(clusters()):
    cluster = Cluster(programs, libraries)
    try:
        cluster.do("postgres", "CREATE ROLE keeper NOLOGIN")
        started = time.monotonic()
        matrix(cluster)
        statements += logged(cluster)
        if number == 0:
            unanswered(cluster)
            between(cluster)
            archives(cluster)
            runs += spoilt(cluster)
        print(f"{time.monotonic() - started:.0f} s", flush=True)
    finally:
        cluster.stop()
for module in (mariadb, keyvalue, documents):
    server = module.Server()
    try:
        others(module, server)
        badly(server)
        if module is not mariadb:
            server.anyone(deadstop, check, said)
        if module is documents:
            statements += server.logged(deadstop, check)
            runs += server.spoilt(deadstop, check, said, each)
    finally:
        server.stop()
onefile.prove(deadstop, check, said)
environments()
if deadstop.failures:
    sys.exit(f"{len(deadstop.failures)} failed")
print(f"No login destroyed what was said to be stopped. {statements} logged statements were all on the list; {runs} spoilt runs made no answer better.")
