"""A Redis server of its own for each run, and the access lists that logins are tried with."""
import shutil
import signal
import socket
import subprocess
import time

from ports import folder, free


class Refused(Exception):
    pass


class Connection:
    """As much of RESP as is needed."""

    def __init__(self, port, user=None, password=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.file = self.socket.makefile("rb")
        if user:
            self.do("AUTH", user, password)

    def do(self, *words):
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in (str(one).encode() for one in words)))
        return self.read()

    def read(self):
        line = self.file.readline()
        if not line:
            raise Refused("gone")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Refused(rest.decode())
        if kind == b"$":
            return None if int(rest) < 0 else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        return rest

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Server:
    """Redis on a port of its own."""

    name, provider = "Redis", "redis"

    def __init__(self):
        self.folder = folder()
        self.port, self.password = free(), "super-Tr0ub4dor-3x"
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "", "--loglevel", "warning",
                                         "--user", "default", "off", "--user", "chief", "on", ">" + self.password, "+@all", "~*", "&*"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.connect().__exit__()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("Redis does not start")

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self):
        return Connection(self.port, "chief", self.password)

    def cases(self):
        return CASES

    def anyone(self, deadstop, check, said):
        """A login that may do nothing, at a server that lets others in without a password: what they destroy is shown."""
        case, here = self.case(930, "reads some"), f"127.0.0.1:{self.port}"
        answers = []
        for name, rules in [("default", ["+@all"]), ("default, and says nothing of itself", ["+@all", "-acl"])]:
            with self.connect() as chief:
                chief.do("ACL", "SETUSER", "default", "reset", "on", "nopass", "~*", *rules)
            _, _, found, _ = deadstop.run(f"redis {name}", f"DATABASE_URL={case.url()}\n", "redis", [here], "--live")
            with Connection(self.port) as nobody:
                nobody.do("FLUSHALL")
            answers.append(said(found[case.key()]))
        with self.connect() as chief:
            chief.do("ACL", "SETUSER", "default", "reset")
        # A replica: what its master is told goes for it, too.
        with self.connect() as chief:
            chief.do("REPLICAOF", "127.0.0.1", free())
            _, _, found, _ = deadstop.run("redis replica", f"DATABASE_URL={case.url()}\n", "redis", [here], "--live")
            chief.do("REPLICAOF", "NO", "ONE")
        check(said(found[case.key()]) == "unknown", f"Redis, a replica: {found[case.key()]}")
        check(answers == ["unknown"] * 2, f"Redis: whoever comes without a password may do all, and {answers}")
        case.drop()

    def case(self, number, name):
        return Case(self, number, name, CASES[name])


SELF = ["+acl|whoami", "+acl|getuser"]
CASES = {
    "all": ["+@all", "~*"], "all but administration": ["+@all", "-@admin", "~app:*", *SELF], "all but what is dangerous": ["+@all", "-@dangerous", "~*", *SELF], "all of some keys": ["+@all", "-@dangerous", "~app:*", *SELF],
    "all of no keys": ["+@all", "-@dangerous", "-@admin", *SELF], "all but writing": ["+@all", "-@write", "-@admin", "-@dangerous", "~*", *SELF], "reads": ["-@all", "+@read", "~*", *SELF], "reads some": ["-@all", "+get", "+mget", "+info", "~*", *SELF],
    "writes": ["-@all", "+@write", "~*", *SELF], "writes no keys": ["-@all", "+@write", *SELF], "reads keys, writes none": ["-@all", "+@write", "%R~*", *SELF], "sets": ["-@all", "+set", "~*", *SELF], "deletes": ["-@all", "+del", "~*", *SELF],
    "unlinks": ["-@all", "+unlink", "~*", *SELF], "expires": ["-@all", "+expire", "~*", *SELF], "flushes": ["-@all", "+flushall", *SELF], "flushes one": ["-@all", "+flushdb", *SELF], "scripts": ["-@all", "+@read", "+@scripting", "~*", *SELF],
    "scripts and deletes": ["-@all", "+eval", "+del", "~*", *SELF], "swaps": ["-@all", "+swapdb", *SELF], "sets rules": ["-@all", "+acl", *SELF], "configures": ["-@all", "+config", *SELF], "nothing": ["-@all", *SELF],
    "reads, and is told of modules": ["-@all", "+@read", "+info", "~*", *SELF], "all but writing, and is told of modules": ["+@all", "-@write", "-@admin", "-@dangerous", "+info", "~*", *SELF],
    "sends to every channel": ["+@all", "-@write", "-@admin", "-@dangerous", "+info", "~*", "&*", *SELF], "reads, and sends to every channel": ["-@all", "+@read", "+@pubsub", "+info", "~*", "&*", *SELF],
    "reads, and sends to none": ["-@all", "+@read", "+@pubsub", "+info", "~*", *SELF], "nothing, and is told of itself": ["-@all", "+info", *SELF], "blind": ["-@all", "+@read", "~*"], "blind and writes": ["-@all", "+@read", "+@write", "~*"], "flushes, then not": ["+@all", "-flushall", "-flushdb", "~other:*", *SELF], "a selector": ["-@all", "+@read", "~*", *SELF, "(+del ~app:*)"],
    "a selector that reads": ["-@all", *SELF, "(+get ~app:*)"], "written, then read only": ["+@all", "-@all", "+get", "~*", *SELF], "strings": ["-@all", "+@string", "~*", *SELF],
}
STOPPED = {"reads some", "reads, and is told of modules", "all but writing, and is told of modules", "reads, and sends to none", "nothing, and is told of itself"}
DOUBTED = {"nothing", "a selector that reads", "written, then read only", "reads", "all but writing", "sends to every channel", "reads, and sends to every channel", "all of no keys", "scripts", "configures", "sets rules", "blind"}
SHOWN = {"unlinks", "expires", "swaps", "blind and writes"}
OPEN = {"all", "all but administration", "all but what is dangerous", "all of some keys", "writes", "writes no keys", "sets", "deletes", "flushes", "flushes one", "scripts and deletes", "a selector", "reads keys, writes none"}


class Case:
    """A login of one set-up; the keys are the server's."""

    def __init__(self, server, number, name, rules):
        self.server, self.name = server, name
        self.login, self.password = f"login{number}", f"word-{number}-Tr0ub4dor-3x"
        with server.connect() as chief:
            # Selectors are set one by one.
            chief.do("ACL", "SETUSER", self.login, "reset", "on", f">{self.password}", *rules)
            self.fill(chief)

    def fill(self, chief):
        chief.do("FLUSHALL")
        chief.do("SET", "app:text", "data")
        chief.do("RPUSH", "app:list", "a", "b")
        chief.do("HSET", "app:hash", "a", "b")
        chief.do("SADD", "app:set", "a", "b")
        chief.do("SELECT", "0")

    def drop(self):
        with self.server.connect() as chief:
            chief.do("ACL", "DELUSER", self.login)

    def url(self):
        return f"redis://{self.login}:{self.password}@127.0.0.1:{self.server.port}/0"

    def key(self, port=None):
        return f"redis://127.0.0.1:{port or self.server.port}/0"

    def state(self):
        with self.server.connect() as chief:
            return {name: {str(value)} for name, value in [("text", chief.do("GET", "app:text")), ("list", chief.do("LRANGE", "app:list", 0, -1)), ("hash", chief.do("HGETALL", "app:hash")),
                                                           ("set", sorted(chief.do("SMEMBERS", "app:set") or []))]}

    def tries(self, later):
        """The first thing by which the login destroys something."""
        with self.server.connect() as chief:
            self.fill(chief)
        before = self.state()
        key = "app:text"
        todo = [["FLUSHALL"], ["FLUSHDB"], ["DEL", key], ["UNLINK", key], ["SET", key, "gone"], ["GETDEL", key], ["GETSET", key, "gone"], ["MSET", key, "gone"], ["SETRANGE", key, 0, "gone"], ["APPEND", key, "x"], ["PEXPIRE", key, 1],
                ["EXPIRE", key, -1], ["RENAME", key, "app:other"], ["MOVE", key, 1], ["COPY", "app:list", key, "REPLACE"], ["LPOP", "app:list"], ["LTRIM", "app:list", 1, 0], ["HDEL", "app:hash", "a"], ["SPOP", "app:set"], ["SREM", "app:set", "a"],
                ["BITOP", "NOT", key, key], ["SWAPDB", 0, 1], ["SORT", "app:list", "ALPHA", "STORE", key], ["EVAL", "return redis.call('del', KEYS[1])", 1, key], ["EVAL", "return redis.call('set', KEYS[1], 'x')", 1, key],
                ["PFMERGE", key, key], ["INCRBY", key, 1], ["GETEX", key, "PX", 1]]
        try:
            with Connection(self.server.port, self.login, self.password) as session:
                if later:
                    session.do("ACL", "SETUSER", self.login, "+@all", "~*")
                for words in todo:
                    try:
                        session.do(*words)
                    except Refused:
                        continue
                    time.sleep(0.005)
                    if self.state() != before:
                        return " ".join(map(str, words))
        except Refused:
            pass
        return None
