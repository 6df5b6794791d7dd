"""The services of Google Cloud over a world (world.py), at one address: tokens for keys, lists in pages, questions about permissions."""
import base64
import http.server
import json
import re
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from world import Refused

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# Lists that say what they are, and the permission that each takes.
LISTS = {
    "cloudresourcemanager.projects.search": ("projects", None, None), "cloudresourcemanager.liens.list": ("liens", None, "resourcemanager.projects.get"),
    "iam.projects.serviceAccounts.list": ("accounts", None, "iam.serviceAccounts.list"),
    "sql.instances.list": ("items", "sql#instancesList", "cloudsql.instances.list"), "sql.backupRuns.list": ("items", "sql#backupRunsList", "cloudsql.backupRuns.list"),
    "storage.buckets.list": ("items", "storage#buckets", "storage.buckets.list"),
    "compute.disks.aggregatedList": ("disks", "compute#diskAggregatedList", "compute.disks.list"), "compute.instances.aggregatedList": ("instances", "compute#instanceAggregatedList", "compute.instances.list"),
    "compute.snapshots.list": ("items", "compute#snapshotList", "compute.snapshots.list"), "compute.images.list": ("items", "compute#imageList", "compute.images.list"),
    "compute.machineImages.list": ("items", "compute#machineImageList", "compute.machineImages.list"),
    "backupdr.projects.locations.dataSourceReferences.list": ("dataSourceReferences", None, "backupdr.dataSourceReferences.list"),
    "bigquery.datasets.list": ("datasets", "bigquery#datasetList", "bigquery.datasets.list"), "bigquery.tables.list": ("tables", "bigquery#tableList", "bigquery.tables.list"),
    "spanner.projects.instances.list": ("instances", None, "spanner.instances.list"), "spanner.projects.instances.databases.list": ("databases", None, "spanner.databases.list"),
    "spanner.projects.instances.backups.list": ("backups", None, "spanner.backups.list"), "firestore.projects.databases.list": ("databases", None, "datastore.databases.list"),
    "firestore.projects.locations.backups.list": ("backups", None, "datastore.backups.list"), "secretmanager.projects.secrets.list": ("secrets", None, "secretmanager.secrets.list"),
    "container.projects.locations.clusters.list": ("clusters", None, "container.clusters.list"),
}
# Lists that have no pages.
WHOLE = {"firestore.projects.databases.list", "firestore.projects.locations.backups.list", "container.projects.locations.clusters.list"}
ZONES = {"europe-west1-b": "zones", "europe-west1": "regions"}


def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(private):
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def number(text):
    return str(sum(ord(c) * 31**at for at, c in enumerate(text)) % 10**15)


def error(status, reason=None, words="PERMISSION_DENIED"):
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}] if reason else []
    return status, {"error": {"code": status, "message": "no", "status": words, "details": details}}


class Server:
    """`fault`: a function of the method's name that gives what becomes of its answer, or nothing. `keys`: public keys by address."""

    def __init__(self, world, published, keys=None, page=2):
        self.world, self.published, self.keys, self.page = world, published, keys or {}, page
        self.fault, self.asked, self.wrong, self.lock, self.issued = None, [], [], threading.Lock(), 0
        self.disabled, self.scopes, self.nameless = set(), {}, set()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            timeout = 60

            def log_message(self, *_):
                pass

            def handle_one(self):
                server.reply(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_one

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    def reply(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(request.path)
        with self.lock:
            name, status, answer = self.answered(request, url, body)
            self.asked.append(name)
            text = json.dumps(answer).encode()
            fault = self.fault(name) if self.fault else None
        if fault == "hangs":
            time.sleep(40)
            return self.drop(request)
        if fault == "drops":
            return self.drop(request)
        if fault:
            status, text = fault(status, text)
        request.send_response(status)
        request.send_header("Content-Type", "application/json; charset=UTF-8")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    @staticmethod
    def drop(request):
        request.close_connection = True
        try:
            request.connection.shutdown(2)
        except OSError:
            pass

    def answered(self, request, url, body):
        if (request.command, request.path) == ("POST", "/token"):
            return ("oauth2.token", *self.token(request, body))
        route = self.published.route(request.command, url.path)
        if route is None:
            self.wrong.append(f"{request.command} {url.path} is not published")
            return ("", *error(404))
        name, segments, known, service, response, asks = route
        query = urllib.parse.parse_qs(url.query)
        if set(query) - known:
            self.wrong.append(f"{name} knows no {sorted(set(query) - known)}")
        said = json.loads(body) if body else None
        if said is not None:
            self.wrong += list(self.published.check(service, asks, said))
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        who = self.world.tokens.get(bearer)
        if who is None:
            return (name, *error(401, words="UNAUTHENTICATED"))
        scopes = self.scopes.get(bearer, {SCOPE})
        if SCOPE not in scopes and name != "oauth2.userinfo.get" and not (name.startswith("cloudresourcemanager") and f"{SCOPE}.read-only" in scopes):
            return (name, *error(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"))
        if service in self.disabled:
            return (name, *error(403, "SERVICE_DISABLED"))
        try:
            if name == "oauth2.userinfo.get":
                if bearer in self.nameless:
                    return (name, *error(401, words="UNAUTHENTICATED"))
                answer = {"id": number(who), "email": who.split(":")[1], "verified_email": True}
            elif name in LISTS:
                answer = self.listed(name, segments, query, who)
            elif name == "bigquery.datasets.get":
                answer = self.dataset(segments, who)
            else:
                asked = said["permissions"] if said else query["permissions"]
                held = [one for one in asked if self.world.may(who, one, self.place(name, segments))]
                answer = {"permissions": held} if held else {}
                if name.startswith("storage."):
                    answer["kind"] = "storage#testIamPermissionsResponse"
        except Refused:
            return (name, *error(403))
        except KeyError:
            return (name, *error(404, words="NOT_FOUND"))
        self.wrong += list(self.published.check(service, response, answer))
        return name, 200, answer

    def token(self, request, body):
        """A token for a statement that a key of a service account signed (RFC 7523, and Google's own description of it)."""
        form = urllib.parse.parse_qs(body.decode())
        if form.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"] or set(form) != {"grant_type", "assertion"} or request.headers.get("Authorization"):
            self.wrong.append("a token was asked for in another way")
        [statement] = form["assertion"]
        head, claims, signature = statement.split(".")
        read = lambda part: base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        said = json.loads(read(claims))
        kind = json.loads(read(head))
        now = time.time()
        wrong = kind.get("alg") != "RS256" or said["aud"] != "https://oauth2.googleapis.com/token" or said["scope"] != SCOPE or not now - 300 < said["iat"] <= now + 5 or not said["iat"] < said["exp"] <= said["iat"] + 3600 or "sub" in said
        if wrong:
            self.wrong.append(f"a statement of {said}")
        public = self.keys.get(said["iss"])
        try:
            public.verify(read(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except Exception:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        self.issued += 1
        bearer = f"ya29.c.{number(said['iss'])}{self.issued}" + "x" * 40
        self.world.tokens[bearer] = f"serviceAccount:{said['iss']}"
        return 200, {"access_token": bearer, "expires_in": 3599, "token_type": "Bearer"}

    def place(self, name, segments):
        """The node that is asked about."""
        world, project = self.world, f"projects/{segments[0]}"
        if name.startswith("cloudresourcemanager"):
            return project
        if name.startswith("iam."):
            return next(one["key"] for one in world.accounts.values() if one["id"] == segments[1])
        if name.startswith("storage."):
            return next(key for key, one in world.things.items() if one["kind"] == "bucket" and one["name"] == segments[0])
        kinds = {"compute.disks": ("disk", 2), "compute.regionDisks": ("disk", 2), "compute.instances": ("instance", 2), "compute.snapshots": ("snapshot", 1), "bigquery.tables": ("table", 2),
                 "spanner.projects.instances.databases": ("spanner_database", 2), "spanner.projects.instances": ("spanner", 1), "secretmanager.projects.secrets": ("secret", 1)}
        kind, at = next(kinds[prefix] for prefix in sorted(kinds, key=len, reverse=True) if name.startswith(prefix))
        key = f"{project}/{kind}/{segments[at]}"
        return key if key in world.things else world.things[key]

    def listed(self, name, segments, query, who):
        world = self.world
        key, kind, permission = LISTS[name]
        if name == "cloudresourcemanager.projects.search":
            seen = [project for project in world.projects if world.may(who, "resourcemanager.projects.get", f"projects/{project}")]
            items = [{"name": f"projects/{world.projects[one]['number']}", "projectId": one, "displayName": one.title(), "state": world.projects[one].get("state", "ACTIVE"), "labels": world.projects[one]["labels"], "parent": world.parents[f"projects/{one}"]} for one in seen]
            return self.paged(name, key, kind, items, query)
        if name == "cloudresourcemanager.liens.list":
            [parent] = query["parent"]
            project = next(one for one, held in world.projects.items() if f"projects/{held['number']}" == parent)
            world.demand(who, permission, f"projects/{project}")
            items = [{"name": f"liens/{at}", "parent": parent, "restrictions": ["resourcemanager.projects.delete"], "reason": "kept", "origin": "audit"} for at in world.liens.get(project, [])]
            return self.paged(name, key, kind, items, query)
        project = query["project"][0] if name == "storage.buckets.list" else segments[0]
        within = f"projects/{project}/spanner/{segments[1]}" if name.startswith("spanner.projects.instances.") and len(segments) > 1 else f"projects/{project}"
        if name == "bigquery.tables.list":
            within = f"projects/{project}/dataset/{segments[1]}"
        world.demand(who, permission, within)
        return self.paged(name, key, kind, getattr(self, "of_" + name.replace(".", "_"))(project, segments), query)

    def paged(self, name, key, kind, items, query):
        answer = {"kind": kind} if kind else {}
        start = int(query.get("pageToken", ["0"])[0])
        part = items if name in WHOLE else items[start:start + self.page]
        if "aggregated" in name:
            scopes = {}
            for one in part:
                at = (one.get("zone") or one["region"]).rsplit("/", 2)[-2:]
                scopes.setdefault("/".join(at), {}).setdefault(key, []).append(one)
            empty = {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope 'zones/us-east1-b' on this page."}}
            answer.update({"id": "1", "items": {**scopes, "zones/us-east1-b": empty}})
        elif part:
            answer[key] = part
        if name not in WHOLE and start + self.page < len(items):
            answer["nextPageToken"] = str(start + self.page)
        return answer

    # What each list holds.

    def of_iam_projects_serviceAccounts_list(self, project, _):
        return [{"name": one["key"], "projectId": project, "uniqueId": one["id"], "email": mail, **({"disabled": True} if one["disabled"] else {})} for mail, one in self.world.accounts.items() if one["project"] == project]

    def of_sql_instances_list(self, project, _):
        configuration = lambda one: {"kind": "sql#backupConfiguration", "enabled": bool(one["copies"]), "pointInTimeRecoveryEnabled": "pitr" in one["copies"], "transactionLogRetentionDays": 7, "backupTier": one.get("tier", "STANDARD")}
        return [{"kind": "sql#instance", "name": one["name"], "project": project, "region": "europe-west1", "databaseVersion": "POSTGRES_17", "instanceType": "CLOUD_SQL_INSTANCE", "state": "RUNNABLE", "ipAddresses": [{"type": "PRIMARY", "ipAddress": "203.0.113.7"}],
                 **({"diskEncryptionConfiguration": {"kind": "sql#diskEncryptionConfiguration", "kmsKeyName": one["key"]}} if one.get("key") else {}),
                 "settings": {"kind": "sql#settings", "tier": "db-f1-micro", "deletionProtectionEnabled": one.get("protected", False), "retainBackupsOnDelete": one.get("retained", False), "backupConfiguration": configuration(one), "userLabels": {}}}
                for one in self.world.at(project, "sql").values()]

    def of_sql_backupRuns_list(self, project, segments):
        one = self.world.things[f"projects/{project}/sql/{segments[1]}"]
        return [{"kind": "sql#backupRun", "id": number(name), "instance": one["name"], "status": "SUCCESSFUL", "type": "ON_DEMAND", "endTime": "2026-11-30T02:00:00.000Z"} for name in one["copies"] if name != "pitr"]

    def of_storage_buckets_list(self, project, _):
        buckets = []
        for one in self.world.at(project, "bucket").values():
            told = {"kind": "storage#bucket", "id": one["name"], "name": one["name"], "location": "EUROPE-WEST1", "softDeletePolicy": {"retentionDurationSeconds": str(one.get("soft", 0))}}
            if one.get("held"):
                told["objectRetention"] = {"mode": "Enabled"}
            if one.get("versions"):
                told["versioning"] = {"enabled": True}
            if one.get("retention"):
                told["retentionPolicy"] = {"retentionPeriod": str(one["retention"]), "effectiveTime": "2026-01-01T00:00:00Z", "isLocked": one.get("locked", False)}
            buckets.append(told)
        return buckets

    def of_compute_disks_aggregatedList(self, project, _):
        url = "https://www.googleapis.com/compute/v1"
        disks = []
        for one in self.world.at(project, "disk").values():
            scope = ZONES[one["zone"]]
            disks.append({"kind": "compute#disk", "id": number(one["name"]), "name": one["name"], "sizeGb": "10", "status": "READY", scope[:-1]: f"{url}/projects/{project}/{scope}/{one['zone']}"})
        return disks

    def of_compute_instances_aggregatedList(self, project, _):
        url = f"https://www.googleapis.com/compute/v1/projects/{project}"
        attached = lambda name: {"kind": "compute#attachedDisk", "source": f"{url}/zones/europe-west1-b/disks/{name}", "autoDelete": self.world.things[f"projects/{project}/disk/{name}"].get("goes", False), "boot": True}
        return [{"kind": "compute#instance", "id": number(one["name"]), "name": one["name"], "zone": f"{url}/zones/europe-west1-b", "status": "RUNNING", "deletionProtection": one.get("protected", False), "disks": [attached(name) for name in one["disks"]]}
                for one in self.world.at(project, "instance").values()]

    def of_compute_snapshots_list(self, project, _):
        snapshots = []
        for one in self.world.at(project, "snapshot").values():
            snapshots.append({"kind": "compute#snapshot", "id": number(one["name"]), "name": one["name"], "status": "READY", "creationTimestamp": "2026-11-30T00:00:00.000-08:00", "sourceDisk": f"https://www.googleapis.com/compute/v1/projects/{project}/zones/europe-west1-b/disks/{one['of']}", "sourceDiskId": number(one["of"])})
        return snapshots

    def of_compute_images_list(self, *_):
        return []

    def of_compute_machineImages_list(self, project, _):
        return [{"kind": "compute#machineImage", "id": "1", "name": name, "status": "READY"} for name in self.world.projects[project].get("machine images", [])]

    def of_backupdr_projects_locations_dataSourceReferences_list(self, project, _):
        return [{"name": f"projects/{project}/locations/europe-west1/dataSourceReferences/{one}"} for one in self.world.projects[project].get("vaulted", [])]

    def of_bigquery_datasets_list(self, project, _):
        return [{"kind": "bigquery#dataset", "id": f"{project}:{one['name']}", "datasetReference": {"datasetId": one["name"], "projectId": project}} for one in self.world.at(project, "dataset").values()]

    def of_bigquery_tables_list(self, project, segments):
        return [{"kind": "bigquery#table", "id": f"{project}:{segments[1]}.{one['name']}", "tableReference": {"projectId": project, "datasetId": segments[1], "tableId": one["name"]}, "type": "TABLE"}
                for one in self.world.at(project, "table").values() if one["up"].endswith(f"/{segments[1]}")]

    def dataset(self, segments, who):
        project, name = segments
        self.world.demand(who, "bigquery.datasets.get", f"projects/{project}/dataset/{name}")
        if f"projects/{project}/dataset/{name}" not in self.world.things:
            raise KeyError(name)
        return {"kind": "bigquery#dataset", "id": f"{project}:{name}", "datasetReference": {"datasetId": name, "projectId": project}, "location": "EU", "maxTimeTravelHours": "168", "type": "DEFAULT", "labels": {}}

    def of_spanner_projects_instances_list(self, project, _):
        return [{"name": f"projects/{project}/instances/{one['name']}", "displayName": one["name"], "config": f"projects/{project}/instanceConfigs/regional-europe-west1", "state": "READY"} for one in self.world.at(project, "spanner").values()]

    def of_spanner_projects_instances_databases_list(self, project, segments):
        return [{"name": f"projects/{project}/instances/{segments[1]}/databases/{one['name']}", "state": "READY", "enableDropProtection": one.get("protected", False)} for one in self.world.at(project, "spanner_database").values() if one["up"].endswith(f"/{segments[1]}")]

    def of_spanner_projects_instances_backups_list(self, project, segments):
        at = f"projects/{project}/instances/{segments[1]}"
        return [{"name": f"{at}/backups/{name}", "database": f"{at}/databases/{one['name']}", "createTime": "2026-11-30T00:00:00Z", "expireTime": "2027-11-30T00:00:00Z", "state": "READY"}
                for one in self.world.at(project, "spanner_database").values() if one["up"].endswith(f"/{segments[1]}") for name in one["copies"]]

    def of_firestore_projects_databases_list(self, project, _):
        return [{"name": f"projects/{project}/databases/{one['name']}", "uid": f"uid-{one['name'].strip('()')}", "locationId": "eur3", "type": "FIRESTORE_NATIVE", "deleteProtectionState": "DELETE_PROTECTION_ENABLED" if one.get("protected") else "DELETE_PROTECTION_DISABLED",
                 "pointInTimeRecoveryEnablement": "POINT_IN_TIME_RECOVERY_DISABLED"} for one in self.world.at(project, "firestore").values()]

    def of_firestore_projects_locations_backups_list(self, project, _):
        return [{"name": f"projects/{project}/locations/eur3/backups/{name}", "database": f"projects/{project}/databases/{one['name']}", "databaseUid": f"uid-{one['name'].strip('()')}", "snapshotTime": "2026-11-30T00:00:00Z", "expireTime": "2027-02-01T00:00:00Z", "state": "READY"}
                for one in self.world.at(project, "firestore").values() for name in one["copies"]]

    def of_secretmanager_projects_secrets_list(self, project, _):
        return [{"name": f"projects/{self.world.projects[project]['number']}/secrets/{one['name']}", "createTime": "2026-01-01T00:00:00Z", "labels": {}} for one in self.world.at(project, "secret").values()]

    def of_container_projects_locations_clusters_list(self, project, _):
        return [{"name": one["name"], "location": "europe-west1", "status": "RUNNING"} for one in self.world.at(project, "cluster").values()]


def plain(text):
    return re.sub(r"\s+", " ", text)
