"""Servers that answer as Neon, PlanetScale and Supabase describe themselves (paths.json), and really delete.

A path, a query key or a field that the provider does not publish fails: requests are held against the list of paths, and
what is answered against the types. Who may do what is as the providers document it. A request that does not read is noted.
"""
import copy
import datetime
import hashlib
import http.server
import json
import pathlib
import re
import threading
import urllib.parse

import jsonschema

PUBLISHED = json.loads((pathlib.Path(__file__).parent / "paths.json").read_text())
NOW = datetime.datetime.now(datetime.timezone.utc)


def ago(**span):
    return (NOW - datetime.timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ahead(**span):
    return ago(**{name: -value for name, value in span.items()})


def made_up(name, length):
    """A value that no one has, and that looks like one."""
    return hashlib.sha256(name.encode()).hexdigest()[:length]


class Denied(Exception):
    def __init__(self, status=403, message="no"):
        super().__init__(status)
        self.status, self.message = status, message


class Platform:
    """A server. `fault` names a path of the list and what becomes of its answer."""

    provider, host = None, None
    # Whether a secret is proven, and not sent.
    proves = False

    def __init__(self, data=None):
        self.data = copy.deepcopy(data or self.company())
        self.asked, self.came, self.wrong, self.fault, self.lock = [], 0, [], None, threading.Lock()
        self.published = {key: (re.compile("^" + re.sub(r"\{[A-Za-z_]+\}", "([^/]+)", key.split(" ")[1]) + "$"), value)
                          for key, value in PUBLISHED[self.provider]["paths"].items()}
        platform = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Each answer is sent as one: otherwise its body waits 40 ms for its head to be acknowledged.
            wbufsize = -1

            def log_message(self, *_):
                pass

            def answer(self, status, body, headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_one(self):
                platform.reply(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_one

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def find(self, method, path):
        for key, (pattern, value) in self.published.items():
            found = pattern.match(path)
            if key.startswith(method + " ") and found:
                return key, value, found.groups()
        return None, None, ()

    def reply(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        key, published, parts = self.find(request.command, url.path)
        question = ""
        if request.command == "POST" and url.path == "/graphql":
            # A document of the list, to the letter; its variables stand where a path has its query.
            asked = json.loads(body)
            key, published = next(((one, value) for one, (_, value) in self.published.items() if value.get("document") == asked["query"]), (None, None))
            query, question = {name: value for name, value in asked["variables"].items() if value is not None}, body.decode()
        elif request.command != "GET" or body:
            self.wrong.append(f"{request.command} {request.path}")
        if key is None or set(query) - set(published.get("query", [])):
            self.wrong.append(f"{request.command} {request.path} is not published")
            return request.answer(404, b"{}")
        ranged = request.headers.get("Range")
        if ranged:
            query["range"] = ranged
        with self.lock:
            self.came += 1
            # A question that comes without a proof is put again with one.
            if not self.proves or request.headers.get("Authorization"):
                self.asked.append((request.headers.get("Authorization"), request.path, ranged, question))
            status, answer = self.call(key, parts, query, request.headers.get("Authorization") or "")
        if question:
            status, answer = (200, {"data": answer}) if status == 200 else (status, {"errors": [{"message": "no"}]})
        headers = self.told(key, query, request.headers.get("Authorization") or "") if status == 200 else self.asks(status)
        status = 206 if any(name == "Next-Range" for name, _ in headers) else status
        body = json.dumps(answer).encode()
        # What asks for a proof first is answered when that has come.
        if self.fault and self.fault[0] == key and not (status == 401 and headers):
            status, body, headers = self.fault[1](status, body)
            return request.answer(status, body, headers)
        request.answer(status, body, headers)

    def told(self, key, query, shown):
        """What the headers of an answer say."""
        return []

    def asks(self, status):
        """What the headers of a refusal ask for."""
        return []

    def call(self, key, parts, query, shown):
        """The status and the answer of an operation to whoever shows this."""
        try:
            answer = self.operations()[key](self.who(shown), *parts, **query)
        except Denied as denied:
            return denied.status, {"message": denied.message}
        schema = PUBLISHED[self.provider]["paths"][key].get("answer")
        if schema:
            for error in jsonschema.Draft202012Validator(schema).iter_errors(answer):
                self.wrong.append(f"{key}: {error.message}")
        return 200, answer

    def deletes(self, key, parts, shown):
        """Whether the server lets whoever shows this do that, for real."""
        return self.call(key, parts, {}, shown)[0] == 200


class Neon(Platform):
    provider = "neon"
    USER, ORGANIZATION, PROJECT, MEMBER = (f"napi_{made_up(name, 64)}" for name in ("user", "organization", "project", "member"))

    @staticmethod
    def company():
        branch = lambda project, name, protected: {"id": f"br-{name}", "project": project, "name": name, "protected": protected, "logical_size": 52_000_000}
        return {
            "organizations": [{"id": "org-northwind", "name": "Northwind"}],
            "members": [{"member": {"user_id": "user-dana", "role": "admin"}}, {"member": {"user_id": "user-milan", "role": "member"}}],
            "projects": [{"id": "morning-sky-7", "name": "pricing", "org_id": "org-northwind", "owner_id": "org-northwind", "history_retention_seconds": 604800}],
            "branches": [branch("morning-sky-7", "main", True), branch("morning-sky-7", "dev-1", False), branch("morning-sky-7", "dev-2", False)],
            "snapshots": [{"id": "snap-1", "name": "before the move", "source_branch_id": "br-main", "created_at": ago(days=20)}],
            "keys": {
                f"Bearer {Neon.USER}": {"kind": "api_key_user", "account": "user-dana"},
                f"Bearer {Neon.MEMBER}": {"kind": "api_key_user", "account": "user-milan"},
                f"Bearer {Neon.ORGANIZATION}": {"kind": "api_key_org", "account": "org-northwind"},
                f"Bearer {Neon.PROJECT}": {"kind": "api_key_org", "account": "org-northwind", "project": "morning-sky-7"},
            },
        }

    def who(self, shown):
        held = self.data["keys"].get(shown)
        if held is None:
            raise Denied(401)
        return held

    def operations(self):
        base = "/api/v2"
        return {
            f"GET {base}/auth": lambda who: {"account_id": who["account"], "auth_method": who["kind"]},
            f"GET {base}/users/me/organizations": self.organizations,
            f"GET {base}/organizations/{{org_id}}/members": self.members,
            f"GET {base}/projects": self.projects,
            f"GET {base}/projects/shared": lambda who, limit=None, cursor=None: {"projects": [], "pagination": {"cursor": ""}},
            f"GET {base}/projects/{{project_id}}/branches": self.branches,
            f"GET {base}/projects/{{project_id}}/branches/{{branch_id}}/databases": lambda who, project, branch: {"databases": [{"name": "app"}]},
            f"GET {base}/projects/{{project_id}}/snapshots": lambda who, project: {"snapshots": self.data["snapshots"]},
            f"GET {base}/projects/{{project_id}}/endpoints": lambda who, project: {"endpoints": [
                {"id": f"ep-calm-{b['name']}", "host": f"ep-calm-{b['name']}.c-2.eu-central-1.aws.neon.tech", "project_id": project, "branch_id": b["id"]}
                for b in self.data["branches"] if b["project"] == project and b["name"] != "dev-2"]},
            f"DELETE {base}/projects/{{project_id}}": self.delete_project,
            f"DELETE {base}/projects/{{project_id}}/branches/{{branch_id}}": self.delete_branch,
            f"DELETE {base}/projects/{{project_id}}/branches/{{branch_id}}/databases/{{database_name}}": lambda who, project, branch, name: {},
            f"PATCH {base}/projects/{{project_id}}/branches/{{branch_id}}": self.unprotect,
        }

    def organizations(self, who):
        if who["kind"] != "api_key_user":
            raise Denied(404)
        return {"organizations": self.data["organizations"]}

    def members(self, who, organization):
        if "project" in who:
            raise Denied()
        return {"members": self.data["members"]}

    def projects(self, who, org_id=None, limit=None, cursor=None):
        if who["kind"] == "api_key_user" and org_id is None:
            raise Denied(400, "org_id is required")
        after = [p for p in self.data["projects"] if p["id"] > (cursor or "")]
        return {"projects": after[:1], "pagination": {"cursor": after[0]["id"] if after else cursor or ""}}

    def branches(self, who, project, limit=None, cursor=None):
        all, at = [b for b in self.data["branches"] if b["project"] == project], int(cursor or 0)
        page = [{key: value for key, value in branch.items() if key != "project"} for branch in all[at:at + 2]]
        return {"branches": page, "pagination": {"next": str(at + 2)} if at + 2 < len(all) else {}}

    def may_write(self, who, project=False):
        roles = {m["member"]["user_id"]: m["member"]["role"] for m in self.data["members"]}
        if (project and "project" in who) or (who["kind"] == "api_key_user" and roles.get(who["account"]) != "admin"):
            raise Denied()

    def delete_project(self, who, project):
        self.may_write(who, project=True)
        if any(branch["protected"] for branch in self.data["branches"] if branch["project"] == project):
            raise Denied(422)
        self.data["projects"] = [p for p in self.data["projects"] if p["id"] != project]
        return {}

    def delete_branch(self, who, project, branch):
        self.may_write(who)
        if next(b for b in self.data["branches"] if b["id"] == branch)["protected"]:
            raise Denied(422)
        self.data["branches"] = [b for b in self.data["branches"] if b["id"] != branch]
        return {}

    def unprotect(self, who, project, branch):
        self.may_write(who)
        next(b for b in self.data["branches"] if b["id"] == branch)["protected"] = False
        return {}


class PlanetScale(Platform):
    provider = "planetscale"
    IDS = {"deployer": "a1b2c3d4e5f6", "reader": "b1b2c3d4e5f6", "developer": "c1b2c3d4e5f6", "settings": "d1b2c3d4e5f6", "blind": "e1b2c3d4e5f6", "unseen": "f1b2c3d4e5f6"}
    ACCESSES = {
        "deployer": ["delete_database", "delete_production_branch", "read_branch", "read_backups", "read_service_tokens"],
        "reader": ["read_database", "read_branch", "read_backups", "read_service_tokens"],
        "developer": ["delete_branch", "connect_branch", "read_branch", "read_backups", "read_service_tokens"],
        "settings": ["delete_database", "write_database", "read_branch", "read_backups", "read_service_tokens"],
        "blind": ["delete_database", "delete_production_branch", "read_branch", "read_backups"],
        "unseen": ["delete_database", "read_service_tokens"],
    }

    @classmethod
    def secret(cls, name):
        return f"pscale_tkn_{made_up(name, 43)}"

    @staticmethod
    def company():
        backup = lambda name, days: {"id": f"backup-{name}-{days}", "name": f"{name} {days}", "state": "success", "created_at": ago(days=days), "expires_at": ahead(days=30),
                                     "deleted_at": None, "protected": False, "required": True}
        return {
            "databases": [{"name": "orders", "deletion_protected": True, "multiple_admins_required_for_deletion": False}],
            "branches": [{"name": "main", "production": True, "deletion_protected": False}, {"name": "try-out", "production": False, "deletion_protected": False},
                         {"name": "try-more", "production": False, "deletion_protected": False}],
            "backups": {"main": [backup("main", days) for days in range(3)], "try-out": [], "try-more": []},
        }

    def who(self, shown):
        for name, identity in self.IDS.items():
            if shown == f"{identity}:{self.secret(name)}":
                return name
        raise Denied(401)

    def needs(self, who, *accesses):
        if not set(accesses) & set(self.ACCESSES[who]):
            raise Denied()

    @staticmethod
    def page(items, page):
        at = int(page or 1)
        return {"data": items[(at - 1) * 2:at * 2], "next_page": at + 1 if at * 2 < len(items) else None}

    def operations(self):
        base = "/v1/organizations"
        database = f"{base}/{{organization}}/databases"
        return {
            f"GET {base}": lambda who, page=None, per_page=None: self.page([{"name": "northwind"}], page),
            f"GET {base}/{{organization}}/service-tokens/{{id}}": self.token,
            f"GET {database}": lambda who, org, page=None, per_page=None: self.page([] if who == "unseen" else self.data["databases"], page),
            f"GET {database}/{{database}}/branches": lambda who, org, db, page=None, per_page=None: (self.needs(who, "read_branch"), self.page(self.data["branches"], page))[1],
            f"GET {database}/{{database}}/branches/{{branch}}/backups": self.backups,
            f"DELETE {database}/{{database}}": self.delete_database,
            f"DELETE {database}/{{database}}/branches/{{branch}}": self.delete_branch,
            f"PATCH {database}/{{database}}": lambda who, org, db: (self.needs(who, "write_database"), self.data["databases"][0].update(deletion_protected=False), {})[2],
        }

    def token(self, who, organization, identity):
        self.needs(who, "read_service_tokens")
        accesses = [{"access": access, "resource_name": "orders", "resource_type": "Database"} for access in self.ACCESSES[who] if access != "read_service_tokens"]
        accesses.append({"access": "read_service_tokens", "resource_name": organization, "resource_type": "Organization"})
        return {"id": identity, "service_token_accesses": accesses}

    def backups(self, who, organization, database, branch, page=None, per_page=None):
        self.needs(who, "read_backups")
        return self.page(self.data["backups"].get(branch, []), page)

    def delete_database(self, who, organization, database):
        self.needs(who, "delete_database")
        if self.data["databases"][0]["deletion_protected"]:
            raise Denied(422)
        self.data.update(databases=[], branches=[], backups={})
        return {}

    def delete_branch(self, who, organization, database, branch):
        found = next(b for b in self.data["branches"] if b["name"] == branch)
        self.needs(who, "delete_production_branch" if found["production"] else "delete_branch")
        self.data["branches"].remove(found)
        return {}


class Supabase(Platform):
    provider = "supabase"
    OWNER, DEVELOPER = f"sbp_{made_up('owner', 40)}", f"sbp_{made_up('developer', 40)}"
    SCOPED = f"sbp_fc{made_up('scoped', 40)}"

    @staticmethod
    def company():
        return {
            "members": [{"user_id": "user-dana", "role_name": "Owner"}, {"user_id": "user-milan", "role_name": "Developer"}],
            "projects": [{"ref": "abcdefghijklmnopqrst", "organization_slug": "northwind", "name": "shop", "region": "eu-central-1"}],
            "branches": [{"id": "branch-main", "name": "main", "is_default": True, "persistent": True}, {"id": "branch-pr", "name": "pr-7", "is_default": False, "persistent": False}],
            "buckets": [{"id": "avatars", "name": "avatars"}],
            "backups": {"pitr_enabled": False, "backups": [{"status": "COMPLETED", "inserted_at": ago(days=days)} for days in range(3)], "physical_backup_data": {}},
        }

    def who(self, shown):
        users = {self.OWNER: "user-dana", self.DEVELOPER: "user-milan", self.SCOPED: None}
        token = shown.removeprefix("Bearer ")
        if token not in users:
            raise Denied(401)
        return users[token]

    def operations(self):
        project = "/v1/projects/{ref}"
        return {
            "GET /v1/profile": self.profile,
            "GET /v1/organizations": lambda who: [{"slug": "northwind", "name": "Northwind"}],
            "GET /v1/organizations/{slug}/members": lambda who, slug: self.data["members"],
            "GET /v1/projects": lambda who: self.data["projects"],
            f"GET {project}/branches": lambda who, ref: self.data["branches"],
            f"GET {project}/database/backups": lambda who, ref: self.data["backups"],
            f"GET {project}/storage/buckets": lambda who, ref: self.data["buckets"],
            f"DELETE {project}": self.delete_project,
        }

    def profile(self, who):
        if who is None:
            raise Denied(404)
        return {"gotrue_id": who}

    def delete_project(self, who, ref):
        if who != "user-dana":
            raise Denied()
        self.data.update(projects=[], branches=[], buckets=[], backups={})
        return {}
