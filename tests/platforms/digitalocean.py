"""DigitalOcean: a server that answers as it describes itself, and what must hold of the answers about it."""
from runs import adds, check, credential, live, state
from server import Denied, Platform, ago, made_up

DATABASE, LEDGER, ORPHAN = "9cc10173-e9ea-4176-9dbc-a4cee4c4ff30", "506f78a4-e098-11e5-ad9f-000f53306ae1", "82a48a18-873f-11f0-96bf-000f53315a41"
CLUSTER, CLAIM = "bd5f5959-5e1e-4205-a714-a914373942af", "ba49449a-7435-11ea-b89e-0a58ac14480f"
PRODUCTION, STAGING = "4e1bfbc3-dc3e-41f2-a18f-1b4d7ba71679", "addb4547-6bab-419a-8542-76263a033cf6"


class DigitalOcean(Platform):
    provider = "digitalocean"
    # Scopes as the OpenAPI description names them; `*` is full access.
    TOKENS = {
        "full": {"*"},
        "reader": {"account:read", "project:read", "database:read", "droplet:read", "block_storage:read", "snapshot:read", "kubernetes:read"},
        "narrow": {"database:read", "database:delete", "project:read"},
    }
    PASSWORD = f"AVNS_{made_up('doadmin', 40)}"

    @classmethod
    def token(cls, name):
        return f"dop_v1_{made_up(name, 64)}"

    @classmethod
    def company(cls):
        host = "shop-do-user-1.db.ondigitalocean.com"
        connection = {"uri": f"postgresql://doadmin:{cls.PASSWORD}@{host}:25060/defaultdb", "database": "defaultdb", "host": host, "port": 25060, "user": "doadmin", "password": cls.PASSWORD}
        return {
            "projects": [{"id": PRODUCTION, "name": "shop", "environment": "Production"}, {"id": STAGING, "name": "try", "environment": "Staging"}],
            "resources": {PRODUCTION: [f"do:volume:{LEDGER}", "do:droplet:3164444", f"do:kubernetes:{CLUSTER}", f"do:volume:{CLAIM}", "do:space:uploads"], STAGING: [f"do:volume:{ORPHAN}"]},
            "databases": [{"id": DATABASE, "name": "shop", "engine": "pg", "region": "fra1", "status": "online", "project_id": PRODUCTION, "db_names": ["defaultdb"],
                           "connection": connection, "private_connection": {**connection, "host": f"private-{host}"}, "users": [{"name": "doadmin", "role": "primary", "password": cls.PASSWORD}]}],
            "backups": [{"created_at": ago(hours=hours), "size_gigabytes": 0.3} for hours in (4, 28)],
            "droplets": [{"id": 3164444, "name": "books", "features": ["backups"], "backup_ids": [53893572], "snapshot_ids": [], "volume_ids": [LEDGER]}],
            "volumes": [{"id": LEDGER, "name": "ledger", "size_gigabytes": 100, "droplet_ids": [3164444]}, {"id": ORPHAN, "name": "orphan", "size_gigabytes": 10, "droplet_ids": []},
                        {"id": CLAIM, "name": "claim", "size_gigabytes": 10, "droplet_ids": None}],
            "snapshots": [{"id": "fbe805e8-866b-11e6-96bf-000f53315a41", "name": "before the move", "created_at": ago(days=9), "resource_id": ORPHAN, "resource_type": "volume"},
                          {"id": "6372321", "name": "books in spring", "created_at": ago(days=90), "resource_id": "3164444", "resource_type": "droplet"}],
            "clusters": [{"id": CLUSTER, "name": "apps"}],
        }

    def who(self, shown):
        for name, scopes in self.TOKENS.items():
            if shown == f"Bearer {self.token(name)}":
                return scopes
        raise Denied(401)

    @staticmethod
    def needs(who, *scopes):
        if "*" not in who and not set(scopes) <= who:
            raise Denied()

    def page(self, who, scope, key, items, page, path):
        self.needs(who, scope)
        at, size = int(page or 1), 2
        more = {"pages": {"next": f"https://api.digitalocean.com{path}?page={at + 1}", "last": f"https://api.digitalocean.com{path}?page={(len(items) + 1) // size}"}} if at * size < len(items) else {}
        return {key: items[(at - 1) * size:at * size], "links": more, "meta": {"total": len(items)}}

    def operations(self):
        listed = lambda scope, key, path: lambda who, page=None, per_page=None, type=None: self.page(who, scope, key, [] if type else self.data[key], page, path)
        clusters = lambda who, page=None, per_page=None: self.page(who, "kubernetes:read", "kubernetes_clusters", self.data["clusters"], page, "/v2/kubernetes/clusters")
        return {
            "GET /v2/account": self.account,
            "GET /v2/projects": listed("project:read", "projects", "/v2/projects"),
            "GET /v2/projects/{project_id}/resources": lambda who, project, page=None, per_page=None: self.page(
                who, "project:read", "resources", [{"urn": urn, "status": "ok"} for urn in self.data["resources"][project]], page, f"/v2/projects/{project}/resources"),
            "GET /v2/databases": self.databases,
            "GET /v2/databases/{database_cluster_uuid}/backups": lambda who, database: (self.needs(who, "database:read"), {"backups": self.data["backups"]})[1],
            "GET /v2/droplets": listed("droplet:read", "droplets", "/v2/droplets"),
            "GET /v2/volumes": listed("block_storage:read", "volumes", "/v2/volumes"),
            "GET /v2/snapshots": listed("snapshot:read", "snapshots", "/v2/snapshots"),
            "GET /v2/kubernetes/clusters": clusters,
            "GET /v2/kubernetes/clusters/{cluster_id}/destroy_with_associated_resources": lambda who, cluster: (
                self.needs(who, "kubernetes:read"), {"volumes": [{"id": CLAIM, "name": "claim"}], "volume_snapshots": [], "load_balancers": []})[1],
            "DELETE /v2/databases/{database_cluster_uuid}": lambda who, database: (self.needs(who, "database:delete"), self.data.update(databases=[], backups=[]), {})[2],
            "DELETE /v2/volumes/{volume_id}": lambda who, volume: (self.needs(who, "block_storage:delete"), self.lose("volumes", volume), {})[2],
            "DELETE /v2/snapshots/{snapshot_id}": lambda who, snapshot: (self.needs(who, "image:delete", "snapshot:delete"), self.lose("snapshots", snapshot), {})[2],
        }

    def lose(self, kind, identity):
        self.data[kind] = [one for one in self.data[kind] if one["id"] != identity]

    def account(self, who):
        self.needs(who, "account:read")
        return {"account": {"uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef", "email": "dana@northwind.example", "status": "active",
                            "team": {"uuid": "5df3e3004a17e242b7c20ca6c9fc25b701a47ece", "name": "Northwind"}}}

    def databases(self, who):
        self.needs(who, "database:read")
        if "*" in who or "database:view_credentials" in who:
            return {"databases": self.data["databases"]}
        hide = lambda connection: {key: value for key, value in connection.items() if key not in ("password", "user", "uri")}
        return {"databases": [{**one, "connection": hide(one["connection"]), "private_connection": hide(one["private_connection"]), "users": [{"name": "doadmin", "role": "primary"}]} for one in self.data["databases"]]}


SHOP, LEDGER_KEY, ORPHAN_KEY = f"digitalocean:dbaas/{DATABASE}", f"digitalocean:volume/{LEDGER}", f"digitalocean:volume/{ORPHAN}"


def text(name):
    return f"DIGITALOCEAN_ACCESS_TOKEN={DigitalOcean.token(name)}\n"


def prove():
    shown = lambda name: f"Bearer {DigitalOcean.token(name)}"
    database = "DELETE /v2/databases/{database_cluster_uuid}"
    with DigitalOcean() as platform:
        code, assessment, found = live(platform, text("full"), "digitalocean-full", secrets=[DigitalOcean.PASSWORD])
        # The password that is shown is a way in; whether the cluster may be deleted is not told.
        check(code == 1 and found[SHOP]["prevention"] == "open" and found[SHOP]["answer"] == "unknown", f"digitalocean full: exit {code}, {found[SHOP]}")
        check(found[SHOP]["bounds"] == ["nothing", "recoverable-untested"], f"digitalocean full: {found[SHOP]}")
        check(found[SHOP]["environment"] == "production" and "databases defaultdb" in found[SHOP]["holds"], f"digitalocean full: {found[SHOP]}")
        check(found[ORPHAN_KEY]["environment"] == "staging" and not found[ORPHAN_KEY]["in_headline"], f"digitalocean full: {found[ORPHAN_KEY]}")
        check(found[LEDGER_KEY]["bounds"] == ["nothing", "stopped"] and any("books" in place for place in found[LEDGER_KEY]["place"]), f"digitalocean full: {found[LEDGER_KEY]}")
        check(any("apps" in place for place in found[f"digitalocean:volume/{CLAIM}"]["place"]), f"digitalocean full: {found[f'digitalocean:volume/{CLAIM}']}")
        check(f"digitalocean:space/uploads" in found and "digitalocean:droplet/3164444" in found, f"digitalocean full: {list(found)}")
        token = credential(assessment, "digitalocean")
        check(token["status"] == "live" and "team Northwind" in token["scope"], f"digitalocean full: {token}")
        check(platform.deletes("DELETE /v2/volumes/{volume_id}", (ORPHAN,), shown("full")), "the server deletes a volume")
        check(any(one["resource_id"] == ORPHAN for one in platform.data["snapshots"]), "and keeps its snapshot")
        check(platform.deletes(database, (DATABASE,), shown("full")) and not platform.data["backups"], "the server deletes the cluster with its backups")
    with DigitalOcean() as platform:
        _, assessment, found = live(platform, text("reader"), "digitalocean-reader", secrets=[DigitalOcean.PASSWORD])
        check(found[SHOP]["answer"] == "unknown" and found[SHOP]["bounds"] == ["nothing", "stopped"], f"digitalocean reader: {found[SHOP]}")
        check(state(assessment, found[SHOP], "permit") == "unknown", f"digitalocean reader: {found[SHOP]}")
        check(not platform.deletes(database, (DATABASE,), shown("reader")), "the server refuses a reader the cluster")
    with DigitalOcean() as platform:
        _, assessment, found = live(platform, text("narrow"), "digitalocean-narrow", secrets=[DigitalOcean.PASSWORD])
        token = credential(assessment, "digitalocean")
        check(token["status"] == "live" and "not told whose it is" in token["identity"], f"digitalocean narrow: {token}")
        check(found[SHOP]["bounds"][0] == "nothing" and found[SHOP]["environment"] == "production", f"digitalocean narrow: {found[SHOP]}")
        check(platform.deletes(database, (DATABASE,), shown("narrow")), "the server lets a narrow token delete the cluster")
    with DigitalOcean() as platform:
        # What one token is not told the place of, another one is: the first may delete it all the same.
        check(adds(platform, text("reader"), f"OTHER_{text('narrow')}", SHOP, "digitalocean-two", secrets=[DigitalOcean.PASSWORD]), "digitalocean two")
        check(platform.deletes(database, (DATABASE,), shown("narrow")), "the server lets a narrow token delete the cluster")
    with DigitalOcean() as platform:
        # A URL of the cluster that is in reach leads to it; one of another does not.
        for name, host, expected in [("own", "shop-do-user-1.db.ondigitalocean.com", True), ("private", "private-shop-do-user-1.db.ondigitalocean.com", True), ("another", "other-do-user-1.db.ondigitalocean.com", False)]:
            platform.asked.clear()
            url = f"DATABASE_URL=postgres://app:Tr0ub4dor-and-3@{host}:25060/defaultdb\n"
            _, assessment, found = live(platform, url + text("reader"), f"digitalocean-url-{name}")
            actions = {path["action"] for path in assessment["paths"] if path["id"] in found[SHOP]["paths"]}
            check(any("same:" in action for action in actions) == expected, f"digitalocean url {name}: {actions}")
    with DigitalOcean() as platform:
        code, assessment, _ = live(platform, f"DIGITALOCEAN_ACCESS_TOKEN=dop_v1_{made_up('nobody', 64)}\n", "digitalocean-dead")
        check(credential(assessment, "digitalocean")["status"] == "unverified" and code == 3, f"digitalocean dead: exit {code}")
    return [[DigitalOcean, text("full"), [SHOP, LEDGER_KEY], lambda asset: asset["in_headline"]]]
