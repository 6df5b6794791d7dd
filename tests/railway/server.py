"""A server that speaks Railway's public schema (schema.graphql) about a made-up company, and really deletes.

Every document is validated and executed by graphql-core, so that a field or argument that Railway does not have fails. Who
may do what is as docs.railway.com says (integrations/api, projects/workspaces): an account token may do what its user may,
a workspace token everything in its workspace, a project token everything in its environment. A document that is no query
is noted, whoever sends it.
"""
import copy
import datetime
import http.server
import json
import pathlib
import threading
import time

import graphql

SCHEMA = graphql.build_schema((pathlib.Path(__file__).parent / "schema.graphql").read_text())
NOW = datetime.datetime.now(datetime.timezone.utc)


def ago(**span):
    return (NOW - datetime.timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def ahead(**span):
    return ago(**{name: -value for name, value in span.items()})


ACCOUNT = "6d0f6c39-2f0b-4a52-9f27-3f1f0f6c1a01"
WORKSPACE = "6d0f6c39-2f0b-4a52-9f27-3f1f0f6c1a02"
STAGING = "6d0f6c39-2f0b-4a52-9f27-3f1f0f6c1a03"
PRODUCTION = "6d0f6c39-2f0b-4a52-9f27-3f1f0f6c1a04"
MEMBER = "6d0f6c39-2f0b-4a52-9f27-3f1f0f6c1a05"
DEAD = "6d0f6c39-2f0b-4a52-9f27-3f1f0f6c1a06"


def company(shared=False, bucket=False):
    """Northwind: one project with production and staging; `shared` is a volume with an instance in both."""
    volume = lambda identity, name, environment, service: {
        "id": f"instance-{identity}-{environment}", "volumeId": identity, "environmentId": environment, "serviceId": service,
        "mountPath": "/var/lib/postgresql/data", "currentSizeMB": 5120.5, "state": "READY", "isPendingDeletion": False,
        "deletedAt": None, "volume": {"id": identity, "name": name}}
    volumes = [volume("vol-bookings", "bookings", "env-production", "svc-postgres"),
               volume("vol-made-up", "made-up", "env-staging", None)]
    if shared:
        volumes += [volume("vol-shared", "uploads", environment, None) for environment in ("env-production", "env-staging")]
    backups = {"instance-vol-bookings-env-production": [
        {"id": f"backup-{days}", "name": None, "createdAt": ago(days=days), "expiresAt": ahead(days=6 - days), "scheduleId": "daily"}
        for days in range(3)] + [{"id": "backup-kept", "name": "before the move", "createdAt": ago(days=90), "expiresAt": None, "scheduleId": None}]}
    schedules = {"instance-vol-bookings-env-production": [{"id": "daily", "kind": "DAILY", "cron": "0 2 * * *", "retentionSeconds": 518400}]}
    services = [{"id": f"in-{environment}", "serviceId": "svc-postgres", "serviceName": "Postgres", "environmentId": environment,
                 "source": {"image": "ghcr.io/railwayapp-templates/postgres-ssl:16", "repo": None}} for environment in ("env-production", "env-staging")]
    return {
        "workspaces": [{"id": "ws-northwind", "name": "Northwind", "redactedDueTo2FAPending": False,
                        "members": [{"id": "user-dana", "role": "ADMIN"}, {"id": "user-milan", "role": "MEMBER"}]},
                       {"id": "ws-guest", "name": "Guest", "redactedDueTo2FAPending": False, "members": [{"id": "user-else", "role": "ADMIN"}]}],
        "projects": [{"id": "prj-storefront", "name": "storefront", "workspaceId": "ws-northwind", "deletedAt": None},
                     {"id": "prj-guest", "name": "guest", "workspaceId": "ws-guest", "deletedAt": None}],
        "environments": [{"id": "env-production", "name": "production", "projectId": "prj-storefront", "isEphemeral": False},
                         {"id": "env-staging", "name": "staging", "projectId": "prj-storefront", "isEphemeral": False},
                         {"id": "env-guest", "name": "production", "projectId": "prj-guest", "isEphemeral": False}],
        "buckets": [{"id": "bkt-photos", "name": "photos", "projectId": "prj-storefront"}] if bucket else [],
        "volumes": volumes, "backups": backups, "schedules": schedules, "services": services,
        "invited": [],
        "tokens": {
            ACCOUNT: {"kind": "user", "user": "user-dana"},
            MEMBER: {"kind": "user", "user": "user-milan"},
            WORKSPACE: {"kind": "workspace", "workspace": "ws-northwind"},
            STAGING: {"kind": "project", "project": "prj-storefront", "environment": "env-staging"},
            PRODUCTION: {"kind": "project", "project": "prj-storefront", "environment": "env-production"},
        },
    }


class Refused(graphql.GraphQLError):
    def __init__(self):
        super().__init__("Not Authorized")


class Root:
    """What one token sees."""

    def __init__(self, data, token, header):
        self.data = data
        held = data["tokens"].get(token)
        shown = held and ("project" if held["kind"] == "project" else "bearer")
        self.token = held if held and shown == header else None

    def kind(self, *kinds):
        if not self.token or self.token["kind"] not in kinds:
            raise Refused()

    def workspaces_seen(self):
        self.kind("user", "workspace")
        if self.token["kind"] == "workspace":
            return [w for w in self.data["workspaces"] if w["id"] == self.token["workspace"]]
        return [w for w in self.data["workspaces"] if any(m["id"] == self.token["user"] for m in w["members"])]

    def one(self, kind, identity):
        found = next((one for one in self.data[kind] if one["id"] == identity), None)
        if found is None:
            raise Refused()
        return found

    def sees(self, project):
        self.kind("user", "workspace", "project")
        if self.token["kind"] == "project":
            allowed = project == self.token["project"]
        else:
            workspaces = [w["id"] for w in self.workspaces_seen()]
            allowed = self.one("projects", project)["workspaceId"] in workspaces or project in self.data["invited"]
        if not allowed:
            raise Refused()

    def may_delete(self, project, environment=None):
        self.sees(project)
        if self.token["kind"] == "project":
            if environment != self.token["environment"]:
                raise Refused()
        elif self.token["kind"] == "user":
            workspace = self.one("workspaces", self.one("projects", project)["workspaceId"])
            role = next((m["role"] for m in workspace["members"] if m["id"] == self.token["user"]), None)
            if role != "ADMIN":
                raise Refused()

    @staticmethod
    def page(items, first=None, after=None):
        """Two at a time, so that whoever asks must turn pages."""
        start = int(after) if after else 0
        size = min(first or 2, 2)
        edges = [{"node": item} for item in items[start:start + size]]
        more = start + size < len(items)
        return {"edges": edges, "pageInfo": {"hasNextPage": more, "endCursor": str(start + size) if more else None}}

    # Queries

    def projectToken(self, _):
        self.kind("project")
        token = self.token
        return {"id": "token", "projectId": token["project"], "environmentId": token["environment"],
                "project": self.one("projects", token["project"]),
                "environment": {**self.one("environments", token["environment"]), "canAccess": True}}

    def apiToken(self, _):
        return {"workspaces": self.workspaces_seen()}

    def me(self, _):
        self.kind("user")
        return {"id": self.token["user"], "workspaces": self.workspaces_seen()}

    def externalWorkspaces(self, _, projectId=None):
        self.kind("user")
        invited = [p for p in self.data["projects"] if p["id"] in self.data["invited"]]
        return [{"id": p["workspaceId"], "name": "Guest", "projects": [p]} for p in invited]

    def projects(self, _, workspaceId=None, first=None, after=None, **rest):
        if workspaceId not in [w["id"] for w in self.workspaces_seen()]:
            raise Refused()
        return self.page([p for p in self.data["projects"] if p["workspaceId"] == workspaceId], first, after)

    def project(self, _, id):
        self.sees(id)
        buckets = [b for b in self.data["buckets"] if b["projectId"] == id]
        return {**self.one("projects", id), "buckets": lambda _, first=None, after=None: self.page(buckets, first, after)}

    def environments(self, _, projectId, first=None, after=None, **rest):
        self.sees(projectId)
        return self.page([{**e, "canAccess": True} for e in self.data["environments"] if e["projectId"] == projectId], first, after)

    def environment(self, _, id, projectId=None):
        found = self.one("environments", id)
        self.sees(found["projectId"])
        of = lambda kind: [one for one in self.data[kind] if one["environmentId"] == id]
        return {**found, "canAccess": True,
                "volumeInstances": lambda _, first=None, after=None: self.page(of("volumes"), first, after),
                "serviceInstances": lambda _, first=None, after=None: self.page(of("services"), first, after)}

    def volumeInstanceBackupList(self, _, volumeInstanceId):
        return self.data["backups"].get(self.instance(volumeInstanceId), [])

    def volumeInstanceBackupScheduleList(self, _, volumeInstanceId):
        return self.data["schedules"].get(self.instance(volumeInstanceId), [])

    def instance(self, identity):
        found = self.one("volumes", identity)
        self.sees(self.one("environments", found["environmentId"])["projectId"])
        return identity

    # Mutations

    def volumeDelete(self, _, volumeId):
        instances = [v for v in self.data["volumes"] if v["volumeId"] == volumeId]
        if not instances:
            raise Refused()
        environment = instances[0]["environmentId"]
        self.may_delete(self.one("environments", environment)["projectId"], environment)
        self.data["volumes"] = [v for v in self.data["volumes"] if v["volumeId"] != volumeId]
        for gone in instances:
            self.data["backups"].pop(gone["id"], None)
        return True

    def environmentDelete(self, _, id):
        found = self.one("environments", id)
        self.may_delete(found["projectId"], id)
        self.data["environments"].remove(found)
        self.data["volumes"] = [v for v in self.data["volumes"] if v["environmentId"] != id]
        return True

    def projectScheduleDelete(self, _, id):
        self.may_delete(id)
        self.one("projects", id)["deletedAt"] = ahead(days=2)
        return True

    def projectScheduleDeleteForce(self, _, id):
        self.may_delete(id)
        self.data["projects"].remove(self.one("projects", id))
        return True


class Railway:
    """The server. `fault` names an operation and what becomes of its answer."""

    def __init__(self, data):
        self.data = copy.deepcopy(data)
        self.asked, self.wrong, self.fault = [], [], None
        self.delay, self.now, self.most, self.lock = 0, 0, 0, threading.Lock()
        railway = self

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
                railway.handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_one

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def execute(self, document, variables, token, header):
        """Validates and executes a document as the holder of a token."""
        errors = graphql.validate(SCHEMA, graphql.parse(document))
        if errors:
            return {"errors": [{"message": str(error)} for error in errors]}, errors
        done = graphql.execute(SCHEMA, graphql.parse(document), Root(self.data, token, header), variable_values=variables)
        return json.loads(json.dumps(done.formatted)), None

    def handle(self, request):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            self.reply(request)
        finally:
            with self.lock:
                self.now -= 1

    def reply(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if request.command != "POST" or request.path != "/graphql/v2":
            self.wrong.append(f"{request.command} {request.path}")
            return request.answer(404, b"")
        asked = json.loads(body)
        bearer, project = request.headers.get("Authorization"), request.headers.get("Project-Access-Token")
        token, header = (project, "project") if project else ((bearer or "").removeprefix("Bearer "), "bearer")
        parsed = graphql.parse(asked["query"])
        operation = parsed.definitions[0]
        name = operation.name.value
        if len(parsed.definitions) != 1 or operation.operation != graphql.OperationType.QUERY:
            self.wrong.append(f"no query: {asked['query']}")
        with self.lock:
            self.asked.append((token, header, name, json.dumps(asked["variables"], sort_keys=True)))
        time.sleep(self.delay)
        with self.lock:
            answer, errors = self.execute(asked["query"], asked["variables"], token, header)
        if errors:
            self.wrong.append(f"{name}: {errors}")
        body = json.dumps(answer).encode()
        if self.fault and self.fault[0] == name:
            status, body, headers = self.fault[1](body)
            return request.answer(status, body, headers)
        request.answer(200, body)
