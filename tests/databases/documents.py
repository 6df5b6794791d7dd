"""A server that speaks as MongoDB documents it, and holds each login to the privileges that MongoDB documents for its roles.

No real server is to be had here, so this one is written from the documentation of the wire protocol, of the commands and of the
roles: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/, reference/built-in-roles, reference/resource-document,
reference/privilege-actions. It is used through MongoDB's own client.
"""
import base64
import hashlib
import hmac
import os
import socket
import socketserver
import struct
import subprocess
import threading

import bson
import pymongo
import pymongo.errors

READ = ["changeStream", "collStats", "dbHash", "dbStats", "find", "killCursors", "listCollections", "listIndexes", "listSearchIndexes", "planCacheRead"]
WRITE = READ + ["convertToCapped", "createCollection", "createIndex", "dropCollection", "dropIndex", "insert", "remove", "renameCollectionSameDB", "update"]
ADMIN = ["bypassDocumentValidation", "collMod", "collStats", "compact", "convertToCapped", "createCollection", "createIndex", "dbStats", "dropCollection", "dropDatabase", "dropIndex", "enableProfiler",
         "listCollections", "listIndexes", "planCacheIndexFilter", "planCacheRead", "planCacheWrite", "reIndex", "renameCollectionSameDB", "storageDetails", "validate"]
USERS = ["changeCustomData", "changePassword", "createRole", "createUser", "dropRole", "dropUser", "grantRole", "revokeRole", "setAuthenticationRestriction", "viewRole", "viewUser"]
MONITOR = ["connPoolStats", "getCmdLineOpts", "getLog", "getParameter", "getShardMap", "hostInfo", "inprog", "listDatabases", "listSessions", "listShards", "netstat", "replSetGetConfig", "replSetGetStatus",
           "serverStatus", "shardingState", "top", "useUUID"]
RESTORE = ["bypassDocumentValidation", "collMod", "convertToCapped", "createCollection", "createIndex", "dropCollection", "insert"]


def at(database, collection, actions):
    return ({"db": database, "collection": collection}, list(actions))


CLUSTER, EVERYTHING, BUCKETS = {"cluster": True}, {"anyResource": True}, {"db": "", "system_buckets": ""}
# Roles of each database, and roles of `admin` alone.
ROLES = {
    "read": lambda db: [at(db, "", READ), at(db, "system.js", READ)],
    "readWrite": lambda db: [at(db, "", WRITE), at(db, "system.js", WRITE)],
    "dbAdmin": lambda db: [at(db, "", ADMIN), at(db, "system.profile", READ + ["convertToCapped", "createCollection", "dropCollection"])],
    "userAdmin": lambda db: [at(db, "", USERS)],
    "dbOwner": lambda db: ROLES["readWrite"](db) + ROLES["dbAdmin"](db) + ROLES["userAdmin"](db),
    "enableSharding": lambda _: [at("", "", ["enableSharding", "refineCollectionShardKey", "reshardCollection"])],
    "readAnyDatabase": lambda _: [at("", "", READ), (CLUSTER, ["listDatabases"]), at("", "system.js", READ), (BUCKETS, READ)],
    "readWriteAnyDatabase": lambda _: ROLES["readAnyDatabase"](_) + [at("", "", WRITE), at("", "system.js", WRITE), (BUCKETS, WRITE)],
    "dbAdminAnyDatabase": lambda _: [(CLUSTER, ["listDatabases", "applyOps"]), at("", "", ADMIN), (BUCKETS, ADMIN)],
    "userAdminAnyDatabase": lambda _: [at("", "", USERS), at("local", "", USERS), at("config", "", USERS), (CLUSTER, ["listDatabases", "authSchemaUpgrade", "invalidateUserCache", "viewUser"]),
                                       at("admin", "system.users", READ), at("admin", "system.roles", READ), at("", "system.users", READ)],
    "clusterMonitor": lambda _: ROLES["read"]("config") + ROLES["read"]("local") + [(CLUSTER, MONITOR), at("", "", ["collStats", "dbStats", "getDatabaseVersion", "getShardVersion", "indexStats"])],
    "hostManager": lambda _: [(CLUSTER, ["applicationMessage", "fsync", "invalidateUserCache", "killAnyCursor", "killAnySession", "killop", "logRotate", "resync", "setParameter", "shutdown", "unlock"]), at("", "", ["killCursors"])],
    "clusterManager": lambda _: ROLES["read"]("config") + [(CLUSTER, ["addShard", "appendOplogNote", "removeShard", "replSetConfigure", "replSetStateChange", "resync"]), at("", "", ["moveChunk", "splitChunk", "enableSharding"]),
                                                           at("config", "", ["insert", "remove", "update"]), at("local", "", ["insert", "remove", "update"])],
    "clusterAdmin": lambda _: ROLES["clusterMonitor"](_) + ROLES["hostManager"](_) + ROLES["clusterManager"](_) + [at("", "", ["dropDatabase"])],
    "backup": lambda _: [(EVERYTHING, ["collStats", "listCollections", "listIndexes"]), at("", "", ["find"]), (CLUSTER, ["appendOplogNote", "getParameter", "listDatabases", "serverStatus"]), at("local", "", ["find"]),
                         at("", "system.users", ["find"]), at("config", "settings", ["find", "insert", "update"])],
    "restore": lambda _: [(CLUSTER, ["getParameter", "applyOps", "useUUID", "forceUUID"]), at("", "", RESTORE + USERS), at("local", "", RESTORE), at("config", "", RESTORE), (EVERYTHING, ["listCollections"]),
                          at("", "system.users", RESTORE + ["find", "update", "remove"])],
    "root": lambda _: sum((ROLES[name](_) for name in ("clusterAdmin", "userAdminAnyDatabase", "dbAdminAnyDatabase", "readWriteAnyDatabase", "backup", "restore")), []),
    "__system": lambda _: [(EVERYTHING, ["anyAction"])],
}
NAMES = {"ok": 1.0}
# What each command takes of the database or the collection that it is put to (reference/privilege-actions).
TAKES = {"find": "find", "aggregate": "find", "count": "find", "distinct": "find", "insert": "insert", "delete": "remove", "drop": "dropCollection", "dropDatabase": "dropDatabase", "convertToCapped": "convertToCapped",
         "create": "createCollection", "createIndexes": "createIndex", "collMod": "collMod", "collStats": "collStats", "dbStats": "dbStats"}


class Refused(Exception):
    def __init__(self, code, name):
        super().__init__(name)
        self.code, self.name = code, name


def holds(resource, action, actions, database, collection):
    """Whether a privilege lets an action pass for a collection; `None`: for the database itself, of which that of the server is one."""
    if action not in actions and "anyAction" not in actions:
        return False
    if resource.get("anyResource"):
        return True
    if resource.get("cluster"):
        return database is None
    if database is None:
        return False
    if "system_buckets" in resource:
        return bool(collection) and collection.startswith("system.buckets.") and resource["db"] in ("", database)
    if resource["db"] == "" and database in ("local", "config") and resource["collection"] == "":
        return False
    if resource["db"] not in ("", database):
        return False
    if resource["collection"] == "":
        return not (collection or "").startswith("system.")
    return collection == resource["collection"]


class Session(socketserver.BaseRequestHandler):
    """One connection."""

    def setup(self):
        self.world = self.server.world
        self.user, self.talk = None, None
        self.request.settimeout(60)

    def exactly(self, count):
        out = b""
        while len(out) < count:
            part = self.request.recv(count - len(out))
            if not part:
                raise OSError
            out += part
        return out

    def handle(self):
        try:
            while True:
                size, number, _, code = struct.unpack("<iiii", self.exactly(16))
                body = self.exactly(size - 16)
                if code == 2004:
                    # The first greeting of a client of any age.
                    text = body[4:].split(b"\0", 1)[1][8:]
                    command = bson.decode(text)
                    self.legacy(number, self.answer({**command, "$db": "admin"}))
                    continue
                flags, rest, command = struct.unpack("<I", body[:4])[0], body[4:], None
                while rest:
                    kind, rest = rest[0], rest[1:]
                    length = struct.unpack("<i", rest[:4])[0]
                    part, rest = rest[:length], rest[length:]
                    if kind == 0:
                        command = {**bson.decode(part), **(command or {})} if command else bson.decode(part)
                    else:
                        name, documents = part[4:].split(b"\0", 1)
                        command = {**(command or {}), name.decode(): bson.decode_all(documents)}
                answer = self.answer(command)
                if not flags & 2:
                    self.say(number, answer)
        except OSError:
            pass

    def say(self, number, document):
        body = struct.pack("<I", 0) + b"\0" + bson.encode(document)
        self.request.sendall(struct.pack("<iiii", len(body) + 16, 1, number, 2013) + body)

    def legacy(self, number, document):
        body = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(document)
        self.request.sendall(struct.pack("<iiii", len(body) + 16, 1, number, 1) + body)

    def answer(self, command):
        name = next(iter(command))
        with self.world.lock:
            self.world.log.append((self.client(command), command))
            fault = self.world.fault if self.world.fault and self.world.fault[0] == name else None
            if fault and fault[1] == "timed out":
                return {"ok": 0.0, "code": 50, "codeName": "MaxTimeMSExpired", "errmsg": "operation exceeded time limit Tr0ub4dor-in-a-message"}
            if fault and fault[1] == "denied":
                return {"ok": 0.0, "code": 13, "codeName": "Unauthorized", "errmsg": "not authorized Tr0ub4dor-in-a-message"}
            try:
                done = getattr(self, "do_" + name.lower(), None)
                if done is None:
                    raise Refused(59, "CommandNotFound")
                answer = {**done(command), "ok": 1.0}
            except Refused as why:
                answer = {"ok": 0.0, "errmsg": "no", "code": why.code, "codeName": why.name}
        return SPOILT[fault[1]](answer) if fault and fault[1] in SPOILT else answer

    def client(self, command):
        if "client" in command:
            self.name = command["client"].get("application", {}).get("name", "a client")
        return getattr(self, "name", "nobody's client")

    def privileges(self):
        if self.user is None:
            return []
        return self.world.privileges(self.user)

    def need(self, action, database, collection=None):
        if not self.world.access:
            return
        if not any(holds(resource, action, actions, database, collection) for resource, actions in self.privileges()):
            raise Refused(13, "Unauthorized")

    # Before a login.

    def do_hello(self, command):
        mechanisms = {}
        if "saslSupportedMechs" in command:
            user = self.world.users.get(tuple(command["saslSupportedMechs"].split(".", 1)))
            mechanisms = {"saslSupportedMechs": user["ways"] if user else ["SCRAM-SHA-256", "SCRAM-SHA-1"]}
        return {"isWritablePrimary": True, "topologyVersion": {"processId": self.world.process, "counter": 0}, "maxBsonObjectSize": 1 << 24, "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000,
                "localTime": 0, "logicalSessionTimeoutMinutes": 30, "connectionId": 1, "minWireVersion": 0, "maxWireVersion": 21, "readOnly": False, **mechanisms, **self.world.topology}

    do_ismaster = do_hello

    def do_ping(self, _):
        return {}

    def do_endsessions(self, _):
        return {}

    def do_buildinfo(self, _):
        return {"version": self.world.version, "gitVersion": "0" * 40, "modules": [], "storageEngines": self.world.engines, "openssl": {}, "javascriptEngine": "mozjs", "bits": 64}

    def do_saslstart(self, command):
        who = (command["$db"], None)
        said = dict(part.split("=", 1) for part in command["payload"].decode()[3:].split(","))
        name = said["n"].replace("=2C", ",").replace("=3D", "=")
        user = self.world.users.get((who[0], name))
        way = command["mechanism"]
        if way not in ("SCRAM-SHA-1", "SCRAM-SHA-256") or user is None or way not in user["ways"]:
            raise Refused(18, "AuthenticationFailed")
        salt, rounds = os.urandom(16), 15000 if way == "SCRAM-SHA-256" else 10000
        first = f"r={said['r']}{base64.b64encode(os.urandom(18)).decode()},s={base64.b64encode(salt).decode()},i={rounds}"
        self.talk = (way, user, (who[0], name), command["payload"].decode()[3:], first, salt, rounds)
        return {"conversationId": 7, "done": False, "payload": first.encode()}

    def do_saslcontinue(self, command):
        if self.talk == "proven":
            return {"conversationId": 7, "done": True, "payload": b""}
        way, user, who, bare, first, salt, rounds = self.talk
        said, digest = command["payload"].decode(), "sha256" if way == "SCRAM-SHA-256" else "sha1"
        last, proof = said.rsplit(",p=", 1)
        word = user["password"] if digest == "sha256" else hashlib.md5(f"{who[1]}:mongo:{user['password']}".encode()).hexdigest()
        key = hashlib.pbkdf2_hmac(digest, word.encode(), salt, rounds)
        sign = lambda secret, text: hmac.new(secret, text, digest).digest()
        client, text = sign(key, b"Client Key"), f"{bare},{first},{last}".encode()
        wanted = bytes(a ^ b for a, b in zip(client, sign(hashlib.new(digest, client).digest(), text)))
        if base64.b64decode(proof) != wanted or f"r={first[2:].split(',')[0]}" not in last:
            raise Refused(18, "AuthenticationFailed")
        self.user, self.talk = who, "proven"
        verifier = base64.b64encode(sign(sign(key, b"Server Key"), text)).decode()
        return {"conversationId": 7, "done": self.world.short, "payload": f"v={verifier}".encode()}

    # What reads.

    def do_connectionstatus(self, command):
        if self.user is None:
            return {"authInfo": {"authenticatedUsers": [], "authenticatedUserRoles": [], "authenticatedUserPrivileges": []}}
        told = {"authenticatedUsers": [{"user": self.user[1], "db": self.user[0]}], "authenticatedUserRoles": [{"role": role, "db": db} for role, db in self.world.users[self.user]["roles"]]}
        if command.get("showPrivileges"):
            told["authenticatedUserPrivileges"] = [{"resource": resource, "actions": sorted(set(actions))} for resource, actions in self.privileges()]
        return {"authInfo": told}

    def do_listdatabases(self, command):
        if self.world.access and self.user is None:
            raise Refused(13, "Unauthorized")
        every = not self.world.access or any(holds(resource, "listDatabases", actions, None, None) for resource, actions in self.privileges())

        def some(name):
            return any(resource.get("anyResource") or resource.get("db") == name or resource.get("db") == "" and name not in ("local", "config") for resource, _ in self.privileges())

        shown = [name for name in sorted(self.world.data) if every or some(name)]
        return {"databases": [{"name": name, **({} if command.get("nameOnly") else {"sizeOnDisk": self.world.weigh(name), "empty": False})} for name in shown], "totalSize": 0}

    def do_listcollections(self, command):
        database = command["$db"]
        try:
            self.need("listCollections", database)
            shown = list(self.world.data.get(database, {}))
        except Refused:
            if not (command.get("nameOnly") and command.get("authorizedCollections")):
                raise
            shown = [name for name in self.world.data.get(database, {}) if any(resource.get("db") == database and resource.get("collection") == name for resource, _ in self.privileges())]
        return {"cursor": {"id": 0, "ns": f"{database}.$cmd.listCollections", "firstBatch": [{"name": name, "type": "collection"} for name in sorted(shown)]}}

    def do_collstats(self, command):
        database, name = command["$db"], command["collStats"]
        self.need("collStats", database, name)
        documents = self.world.data.get(database, {}).get(name, [])
        return {"ns": f"{database}.{name}", "count": len(documents), "size": 100 * len(documents), "storageSize": 10_000_000 * len(documents), "totalIndexSize": 4096}

    def do_find(self, command):
        database, name = command["$db"], command["find"]
        self.need("find", database, name)
        return {"cursor": {"id": 0, "ns": f"{database}.{name}", "firstBatch": [dict(one) for one in self.world.data.get(database, {}).get(name, [])]}}

    # What changes something.

    def do_insert(self, command):
        database, name = command["$db"], command["insert"]
        self.need("insert", database, name)
        held = self.world.data.setdefault(database, {}).setdefault(name, [])
        held.extend(command["documents"])
        most = self.world.capped.get((database, name))
        if most:
            del held[:-most]
        return {"n": len(command["documents"])}

    def do_delete(self, command):
        database, name = command["$db"], command["delete"]
        self.need("remove", database, name)
        held = self.world.data.get(database, {}).get(name, [])
        count = len(held)
        held.clear()
        return {"n": count}

    def do_update(self, command):
        database, name = command["$db"], command["update"]
        self.need("update", database, name)
        for one in self.world.data.get(database, {}).get(name, []):
            one["what"] = "overwritten"
        return {"n": 1, "nModified": 1}

    def do_drop(self, command):
        database, name = command["$db"], command["drop"]
        self.need("dropCollection", database, name)
        self.world.data.get(database, {}).pop(name, None)
        return {}

    def do_dropdatabase(self, command):
        self.need("dropDatabase", command["$db"])
        self.world.data.pop(command["$db"], None)
        return {"dropped": command["$db"]}

    def do_converttocapped(self, command):
        self.need("convertToCapped", command["$db"], command["convertToCapped"])
        del self.world.data[command["$db"]][command["convertToCapped"]][1:]
        return {}

    def do_collmod(self, command):
        self.need("collMod", command["$db"], command["collMod"])
        if "index" in command:
            self.world.data[command["$db"]][command["collMod"]].clear()
        return {}

    def do_createindexes(self, command):
        self.need("createIndex", command["$db"], command["createIndexes"])
        if any("expireAfterSeconds" in one for one in command["indexes"]):
            self.world.data[command["$db"]][command["createIndexes"]].clear()
        return {}

    def do_aggregate(self, command):
        database, name = command["$db"], command["aggregate"]
        self.need("find", database, name)
        out = next((stage["$out"] for stage in command["pipeline"] if "$out" in stage), None)
        if out:
            self.need("insert", database, out)
            self.need("remove", database, out)
            self.world.data[database][out] = [{"what": "replaced"}]
        return {"cursor": {"id": 0, "ns": f"{database}.{name}", "firstBatch": []}}

    def do_renamecollection(self, command):
        (database, name), (there, other) = command["renameCollection"].split(".", 1), command["to"].split(".", 1)
        if database != there:
            raise Refused(13, "Unauthorized")
        self.need("renameCollectionSameDB", database, name)
        if command.get("dropTarget"):
            self.need("dropCollection", database, other)
        self.world.data[database][other] = self.world.data[database].pop(name)
        return {}

    def do_applyops(self, command):
        self.need("applyOps", None)
        for one in command["applyOps"]:
            database, name = one["ns"].split(".", 1)
            self.need("remove", database, name)
            self.world.data[database][name].clear()
        return {}

    def do_grantrolestouser(self, command):
        for role in command["roles"]:
            role = {"role": role, "db": command["$db"]} if isinstance(role, str) else role
            self.need("grantRole", role["db"])
            user = self.world.users.get((command["$db"], command["grantRolesToUser"]))
            if user is None:
                raise Refused(11, "UserNotFound")
            user["roles"].append((role["role"], role["db"]))
        return {}

    def do_createuser(self, command):
        self.need("createUser", command["$db"])
        for role in command["roles"]:
            self.need("grantRole", role["db"])
        self.world.users[(command["$db"], command["createUser"])] = {"password": command["pwd"], "roles": [(role["role"], role["db"]) for role in command["roles"]], "ways": ["SCRAM-SHA-256"]}
        return {}

    def do_updateuser(self, command):
        user = self.world.users.get((command["$db"], command["updateUser"]))
        if "pwd" in command:
            self.need("changePassword", command["$db"])
            user["password"] = command["pwd"]
        return {}


def cut(answer):
    """The same answer without what it is asked for."""
    return {"ok": answer["ok"]}


SPOILT = {
    "nothing in it": cut,
    "other kinds": lambda answer: {name: 7 if isinstance(value, (dict, list, bytes)) else value for name, value in answer.items()},
    "emptied": lambda answer: {name: type(value)() if isinstance(value, (dict, list, bytes)) else value for name, value in answer.items()},
}


class World(socketserver.ThreadingTCPServer):
    """A server on a port of its own, with its users and what they keep there."""

    allow_reuse_address = daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.world, self.lock, self.log, self.fault = self, threading.RLock(), [], None
        self.process, self.topology, self.short = bson.ObjectId(), {}, False
        self.version, self.engines, self.access = "7.0.14", ["devnull", "wiredTiger"], True
        self.users, self.roles, self.data, self.capped = {}, {}, {}, {}
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def weigh(self, name):
        return sum(1000 * len(documents) for documents in self.data[name].values())

    def privileges(self, who):
        out = []
        for role, database in self.users[who]["roles"]:
            out += self.roles[(database, role)] if (database, role) in self.roles else ROLES[role](database)
        return out


class Server(World):
    """The server with its chief and what is kept there."""

    name, provider = "MongoDB as documented", "mongodb"

    def __init__(self):
        super().__init__()
        self.password = "super-Tr0ub4dor-3x"
        for database, name, role in [("admin", "chief", "root"), ("shop", "owner", "dbOwner")]:
            self.users[(database, name)] = {"password": self.password, "roles": [(role, database)], "ways": ["SCRAM-SHA-256", "SCRAM-SHA-1"]}
        self.fill()

    def fill(self):
        with self.lock:
            few = lambda: [{"_id": number, "what": "kept"} for number in range(3)]
            self.data = {"admin": {"system.version": few()}, "config": {}, "local": {}, "other": {"notes": few()},
                         "shop": {"orders": few(), "lines": few(), "log": few(), "system.buckets.weather": few()}}
            self.capped = {("shop", "log"): 3}

    def stop(self):
        self.shutdown()
        self.server_close()

    def cases(self):
        return CASES

    def case(self, number, name):
        return Case(self, number, name, *CASES[name])

    def anyone(self, deadstop, check, said):
        """What stands round a login that may only read and makes it more than it is, or what the server says of it no bound."""
        case, here = self.case(930, "reads"), f"127.0.0.1:{self.port}"

        def answer(name, more="", others=()):
            self.fill()
            _, assessment, found, _ = deadstop.run(f"mongodb {name}", f"DATABASE_URL={case.url()}\n{more}", "mongodb", [here, *others], "--live")
            return said(found[case.key()]), found[case.key()], assessment

        told, asset, assessment = answer("as it is")
        check(told == "stopped" and "largest" in str(asset), f"MongoDB, reads: {asset}")
        self.short = True
        check(answer("with a word less")[0] == "stopped", "MongoDB: a proof that is done with the second word")
        self.short = False
        # Whoever comes may do all.
        self.access = False
        told, asset, _ = answer("without access control")
        with pymongo.MongoClient("127.0.0.1", self.port, directConnection=True) as nobody:
            nobody["shop"].command({"drop": "orders"})
        check(told == "open" and "orders" not in self.data["shop"], f"MongoDB without access control: {asset}")
        _, _, found, _ = deadstop.run("mongodb nobody", f"DATABASE_URL=mongodb://{here}/shop\n", "mongodb", [here], "--live")
        check(said(found[case.key()]) == "open", f"MongoDB without access control and without a login: {found}")
        self.access = True
        code, _, found, _ = deadstop.run("mongodb nobody refused", f"DATABASE_URL=mongodb://{here}/shop\n", "mongodb", [here], "--live")
        check(said(found[case.key()]) == "unknown", f"MongoDB without a login: {code}, {found}")
        # A user of the same name that another database keeps is another.
        self.users[("admin", case.login)]["roles"] = [("read", "shop")]
        self.users[("shop", case.login)] = {"password": "other-Tr0ub4dor-3x", "roles": [("dbOwner", "shop")], "ways": ["SCRAM-SHA-256"]}
        told, asset, assessment = answer("two of one name", f"OTHER_URL=mongodb://{case.login}:other-Tr0ub4dor-3x@{here}/shop\n")
        keys = {one["key"] for one in assessment["credentials"] if one["provider"] == "mongodb"}
        check(told == "open" and len(keys) == 2, f"MongoDB, two of one name: {told}, {keys}")
        del self.users[("shop", case.login)]
        # Another member of its set, and what stands behind a router: logins there are logins here.
        other = Server()
        there = f"127.0.0.1:{other.port}"
        chief = f"OTHER_URL=mongodb://chief:{other.password}@{there}/?authSource=admin\n"
        check(answer("beside another server", chief, [there])[0] == "stopped", "MongoDB beside a login at another server")
        check(answer("beside a server that was not asked", chief)[0] == "unknown", "MongoDB beside a login that was not asked")
        for name, topology in [("a member", {"setName": "rs0", "hosts": [here, there]}), ("a shard", {"msg": "isdbgrid"})]:
            self.topology = topology
            check(answer(f"beside {name}", chief, [there])[0] == "unknown", f"MongoDB beside a login at {name}")
            check(answer(f"alone with {name}")[0] == "stopped", f"MongoDB alone with {name}")
        self.topology = {}
        other.stop()
        # Other servers that speak the same, and a version that came later.
        for name, version, engines in [("a later version", "9.0.0", self.engines), ("another server", "7.0.14", []), ("no version", "correct.horse", self.engines)]:
            self.version, kept = version, self.engines
            self.engines = engines
            check(answer(name)[0] == "unknown", f"MongoDB, {name}")
            self.version, self.engines = "7.0.14", kept
        # The name of a service is looked up where the user says, if the user names it; without an answer nothing is known.
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            nobody = "127.0.0.1:%d" % taken.getsockname()[1]
        for hosts, most in [({"hosts": ["db.internal.example"], "resolver": nobody}, 1), ({"hosts": [], "resolver": nobody}, 0)]:
            _, _, found, calls = deadstop.run(f"mongodb service {most}", f"DATABASE_URL=mongodb+srv://app:word-Tr0ub4dor-3x@db.internal.example/shop\n", "mongodb", hosts, "--live")
            check([call["operation"] for call in calls] == ["look up the members (SRV)"] * most, f"MongoDB, a service: {calls}")
            check({said(asset) for asset in found.values() if asset["in_headline"]} == {"unknown"}, f"MongoDB, a service: {found}")
        case.drop()

    def logged(self, deadstop, check):
        """What Deadstop asked, held against what it prints that it asks."""
        printed = subprocess.run([deadstop.program, "permissions", "mongodb"], capture_output=True, text=True, check=True).stdout
        allowed = {line.strip("{}") if "{}" not in line else line[1:-1] for line in printed.splitlines() if line.startswith("{")}
        seen = set()
        for client, command in self.log:
            if client not in ("deadstop", "the test", "nobody's client", "a client"):
                check(False, f"MongoDB: {client} is not known")
            if client == "deadstop":
                limited = command.get("maxTimeMS") == 5000 and "mode" in command.get("$readPreference", {})
                name = next(iter(command))
                fields = {field: value for field, value in command.items() if field not in ("$db", "maxTimeMS", "$readPreference", "client", "saslSupportedMechs")}
                if name in ("saslStart", "saslContinue"):
                    continue
                text = ", ".join(f"{field}: {'{}' if isinstance(value, str) else 'true' if value is True else value}" for field, value in fields.items())
                check(limited or name == "hello", f"MongoDB: {text} without an end")
                seen.add(text)
        before = {"hello: 1", "listDatabases: 1, nameOnly: true"}
        check(seen == allowed | before, f"MongoDB: commands that are on no list, or never sent: {seen ^ (allowed | before)}")
        return sum(client == "deadstop" for client, _ in self.log)

    def spoilt(self, deadstop, check, said, each):
        """Each answer taken away or spoilt, for a login that may only read, one that may do all, and one that may give roles."""
        def subject(pair):
            # Each at a server of its own, beside the others.
            number, name = pair
            server, runs = Server(), 0
            case = server.case(number, name)

            def one(what):
                server.fault = what
                server.fill()
                _, _, found, _ = deadstop.run(f"mongodb {name} {what and '-'.join(what)}", f"DATABASE_URL={case.url()}\n", "mongodb", [f"127.0.0.1:{server.port}"], "--live")
                server.fault = None
                return found[case.key()]

            whole = one(None)
            for command in ("hello", "saslStart", "saslContinue", "buildInfo", "connectionStatus", "listDatabases", "listCollections", "collStats"):
                for fault in ("denied", "timed out", *SPOILT):
                    runs += 1
                    asset = one((command, fault))
                    # What weighs collections decides nothing, and of what was asked before a login nothing but a yes.
                    idle = command in ("listCollections", "collStats") or command == "listDatabases" and fault in ("denied", "other kinds", "emptied") or command == "hello" and fault in SPOILT
                    check(asset["bounds"][0] == whole["bounds"][0] or said(whole) == "stopped" or said(whole) == "slowed" and asset["bounds"][0] == "nothing", f"MongoDB {name}, {command} {fault}: the worst became {asset['bounds']}")
                    check(said(asset) != "stopped" or idle and said(whole) == "stopped", f"MongoDB {name}, {command} {fault}: {asset['answer']} {asset['bounds']}")
                    check(said(whole) != "stopped" or idle or "nothing" in asset["bounds"], f"MongoDB {name}, {command} {fault}: {asset['bounds']}")
            server.stop()
            return runs

        return sum(each(subject, [(940, "reads"), (941, "reads and writes"), (942, "gives roles"), (943, "all")]))

    def connect(self, user, password, source):
        return pymongo.MongoClient("127.0.0.1", self.port, username=user, password=password, authSource=source, appname="the test", directConnection=True, serverSelectionTimeoutMS=5000, retryReads=False, retryWrites=False)


def custom(*privileges):
    return ([("custom", "admin")], "admin", list(privileges))


def built_in(*roles, kept="admin"):
    return (list(roles), kept, [])


# Of each set-up: the roles, the database that keeps the user, and the privileges of a role of its own.
CASES = {
    "all": built_in(("root", "admin")), "the system": built_in(("__system", "admin")), "reads": built_in(("read", "shop")), "reads, kept in its database": built_in(("read", "shop"), kept="shop"), "reads everything": built_in(("readAnyDatabase", "admin")),
    "reads and writes": built_in(("readWrite", "shop")), "writes, kept in its database": built_in(("readWrite", "shop"), kept="shop"), "reads and writes everything": built_in(("readWriteAnyDatabase", "admin")), "administers": built_in(("dbAdmin", "shop")),
    "administers everything": built_in(("dbAdminAnyDatabase", "admin")), "owns": built_in(("dbOwner", "shop")), "keeps users": built_in(("userAdmin", "shop")), "keeps users of everything": built_in(("userAdminAnyDatabase", "admin")),
    "monitors": built_in(("clusterMonitor", "admin")), "manages hosts": built_in(("hostManager", "admin")), "manages the cluster": built_in(("clusterManager", "admin")), "administers the cluster": built_in(("clusterAdmin", "admin")),
    "backs up": built_in(("backup", "admin")), "restores": built_in(("restore", "admin")), "shards": built_in(("enableSharding", "admin")), "writes another": built_in(("readWrite", "other"), ("read", "shop")), "reads another": built_in(("read", "other")),
    "has no role": built_in(), "finds in one": custom(at("shop", "orders", ["find"])), "lists": custom((CLUSTER, ["listDatabases"]), at("shop", "", ["find", "collStats", "listCollections"])), "deletes from one": custom(at("shop", "lines", ["remove"])),
    "updates one": custom(at("shop", "orders", ["update"])), "drops one": custom(at("shop", "orders", ["dropCollection"])), "drops the database": custom(at("shop", "", ["dropDatabase"])), "caps one": custom(at("shop", "orders", ["convertToCapped"])),
    "deletes by name anywhere": custom(at("", "orders", ["remove"])), "does anything in one": custom(at("shop", "", ["anyAction"])), "deletes from a time series": custom(({"db": "shop", "system_buckets": "weather"}, ["remove"])),
    "inserts": custom(at("shop", "", ["find", "insert"])), "makes indexes": custom(at("shop", "", ["find", "createIndex"])), "modifies": custom(at("shop", "", ["find", "collMod"])), "renames": custom(at("shop", "", ["find", "renameCollectionSameDB"])),
    "drops of elsewhere": custom(at("other", "", ["dropDatabase"]), at("shop", "", ["find"])), "gives roles": custom(at("shop", "", ["find", "grantRole"])), "gives any role": custom(at("admin", "", ["grantRole"]), at("shop", "", ["find"])),
    "changes passwords": custom(at("shop", "", ["find", "changePassword"])), "makes users": custom(at("shop", "", ["find", "createUser"])), "sees users": custom(at("shop", "", ["find", "viewUser"])), "reads all there is": custom((EVERYTHING, ["find"])),
    "reads the log of changes": custom(at("local", "", ["find"]), at("shop", "", ["find"])), "applies operations": custom((CLUSTER, ["applyOps"]), at("shop", "", ["find"])), "may what is not known": custom(at("shop", "", ["find", "conquer"])),
}
STOPPED = {"reads", "reads, kept in its database", "reads everything", "writes another", "reads another", "finds in one", "lists", "drops of elsewhere", "makes users"}
OPEN = {"all", "the system", "reads and writes", "writes, kept in its database", "reads and writes everything", "administers", "administers everything", "owns", "administers the cluster", "restores", "deletes from one", "updates one", "drops one",
        "drops the database", "caps one", "deletes by name anywhere", "does anything in one", "deletes from a time series"}
SHOWN = {"inserts", "makes indexes", "modifies"}
DOUBTED = SHOWN | {"monitors", "manages hosts", "manages the cluster", "backs up", "shards", "has no role", "renames", "changes passwords", "sees users", "reads all there is", "reads the log of changes",
                   "applies operations", "may what is not known"}
SLOWED = {"gives roles", "gives any role"}


class Case:
    """A login of one set-up; what is kept is the server's."""

    def __init__(self, server, number, name, roles, kept, privileges):
        self.server, self.name, self.kept = server, name, kept
        self.login, self.password = f"login{number}", f"word-{number}-Tr0ub4dor-3x"
        self.role = f"role{number}"
        roles = [(self.role if role == "custom" else role, database) for role, database in roles]
        with server.lock:
            server.roles[("admin", self.role)] = privileges
            # Every other one is of the older kind.
            server.users[(kept, self.login)] = {"password": self.password, "roles": roles, "ways": ["SCRAM-SHA-1"] if number % 2 else ["SCRAM-SHA-1", "SCRAM-SHA-256"]}
        self.before = list(roles)
        server.fill()

    def drop(self):
        with self.server.lock:
            self.server.users.pop((self.kept, self.login), None)
            self.server.users = {who: user for who, user in self.server.users.items() if not who[1].startswith("made")}

    def url(self):
        source = "" if self.kept == "shop" else f"?authSource={self.kept}"
        return f"mongodb://{self.login}:{self.password}@127.0.0.1:{self.server.port}/shop{source}"

    def key(self, port=None):
        return f"mongodb://127.0.0.1:{port or self.server.port}/shop"

    def state(self):
        """Each document of the shop, wherever there it lies."""
        with self.server.lock:
            return sorted((one["_id"], one["what"]) for held in self.server.data.get("shop", {}).values() for one in held if "_id" in one and one["what"] == "kept")

    def tries(self, later):
        """The first thing by which the login destroys something."""
        with self.server.lock:
            self.server.users[(self.kept, self.login)]["roles"] = list(self.before)
            self.server.users[("shop", "owner")]["password"] = self.server.password
        self.server.fill()
        before = self.state()
        logins = [(self.login, self.password, self.kept)]
        if later:
            with self.server.connect(*logins[0]) as client:
                for database, role in [("admin", "root"), ("shop", "dbOwner")]:
                    self.attempt(client[self.kept], {"grantRolesToUser": self.login, "roles": [{"role": role, "db": database}]})
                    made = f"made-{self.login}"
                    if self.attempt(client[database], {"createUser": made, "pwd": self.password, "roles": [{"role": role, "db": database}]}):
                        logins.append((made, self.password, database))
                    for name in ("chief", "owner"):
                        if (database, name) in self.server.users and name == "owner" and self.attempt(client[database], {"updateUser": name, "pwd": self.password}):
                            logins.append((name, self.password, database))
        for user, password, source in logins:
            with self.server.connect(user, password, source) as client:
                shop = client["shop"]
                for command in self.todo():
                    database = client["admin"] if next(iter(command)) in ("renameCollection", "applyOps") else shop
                    if self.attempt(database, command) and self.state() != before:
                        return f"{user}: {command}"
        return None

    def attempt(self, database, command):
        try:
            database.command(command)
            return True
        except pymongo.errors.PyMongoError:
            return False

    def todo(self):
        each = ["orders", "lines", "log", "system.buckets.weather"]
        for name in each:
            yield {"delete": name, "deletes": [{"q": {}, "limit": 0}]}
            yield {"update": name, "updates": [{"q": {}, "u": {"$set": {"what": "overwritten"}}, "multi": True}]}
            yield {"drop": name}
            yield {"convertToCapped": name, "size": 1}
            yield {"insert": name, "documents": [{"_id": number, "what": "new"} for number in range(9, 14)]}
            yield {"collMod": name, "index": {"name": "when", "expireAfterSeconds": 0}}
            yield {"createIndexes": name, "indexes": [{"key": {"when": 1}, "name": "when", "expireAfterSeconds": 0}]}
            yield {"aggregate": "orders", "pipeline": [{"$out": name}], "cursor": {}}
            yield {"applyOps": [{"op": "d", "ns": f"shop.{name}", "o": {}}]}
        yield {"renameCollection": "shop.orders", "to": "shop.lines", "dropTarget": True}
        yield {"dropDatabase": 1}
