"""Render: a server that answers as its own client reads it, and what must hold of the answers about it."""
from runs import adds, check, credential, live
from server import Denied, Platform, ago, made_up

OWNER = {"email": "team@northwind.example", "id": "tea-northwind0000000001", "name": "Northwind", "type": "team"}


class Render(Platform):
    provider = "render"
    # A classic key of an administrator, one of a developer, and a scoped key for reading alone.
    KEYS = {"admin": {"write": True, "admin": True}, "developer": {"write": True, "admin": False}, "reader": {"write": False, "admin": True}}
    # A scoped key that is shown disks alone.
    SCOPED = {"write": True, "admin": True, "shown": ("disk",)}

    @classmethod
    def key(cls, name):
        return f"rnd_{made_up(name, 32)}"

    @staticmethod
    def company():
        return {
            "environments": [{"id": "evm-production", "name": "production", "projectId": "prj-shop", "protectedStatus": "protected"},
                             {"id": "evm-staging", "name": "staging", "projectId": "prj-shop", "protectedStatus": "unprotected"}],
            "postgres": [{"id": f"dpg-{name}-a", "name": name, "owner": OWNER, "role": role, "databaseName": "app", "databaseUser": "app", "region": "frankfurt", "status": "available", "environmentId": at}
                         for name, role, at in [("orders", "primary", "evm-production"), ("orders-copy", "replica", "evm-production"), ("trial", "primary", "evm-staging")]],
            "stores": [{"id": "red-carts", "name": "carts", "owner": OWNER, "status": "available"}],
            "services": [{"id": "srv-uploads", "name": "uploads", "ownerId": OWNER["id"], "type": "web_service", "environmentId": "evm-production"}],
            "disks": [{"id": "dsk-uploads", "name": "files", "mountPath": "/data", "sizeGB": 20, "serviceId": "srv-uploads"}],
        }

    def who(self, shown):
        for name, who in [*self.KEYS.items(), ("scoped", self.SCOPED)]:
            if shown == f"Bearer {self.key(name)}":
                return who
        raise Denied(401)

    @staticmethod
    def page(key, items, cursor):
        at = int(cursor or 0)
        return [{"cursor": str(number + 1), key: item} for number, item in enumerate(items) if at <= number < at + 2]

    def operations(self):
        def page_of(who, key, items, cursor):
            if key not in who.get("shown", key):
                raise Denied()
            return self.page(key, items, cursor)
        listed = lambda key, items: lambda who, limit=None, cursor=None: page_of(who, key, items(), cursor)
        return {
            "GET /v1/owners": listed("owner", lambda: [OWNER]),
            "GET /v1/projects": listed("project", lambda: [{"id": "prj-shop", "name": "shop", "owner": OWNER, "environmentIds": ["evm-production", "evm-staging"]}]),
            "GET /v1/environments": lambda who, projectId=None, limit=None, cursor=None: self.page("environment", [one for one in self.data["environments"] if one["projectId"] == projectId], cursor),
            "GET /v1/postgres": listed("postgres", lambda: self.data["postgres"]),
            "GET /v1/postgres/{postgresId}/recovery": lambda who, database: {"recoveryStatus": "AVAILABLE", "startsAt": ago(days=7)},
            "GET /v1/key-value": listed("keyValue", lambda: self.data["stores"]),
            "GET /v1/services": listed("service", lambda: self.data["services"]),
            "GET /v1/disks": listed("disk", lambda: self.data["disks"]),
            "GET /v1/disks/{diskId}/snapshots": lambda who, disk: [{"createdAt": ago(hours=hours), "snapshotKey": "key"} for hours in (5, 29)],
            "DELETE /v1/postgres/{postgresId}": lambda who, identity: self.delete(who, "postgres", identity),
            "DELETE /v1/key-value/{keyValueId}": lambda who, identity: self.delete(who, "stores", identity),
            "DELETE /v1/disks/{diskId}": lambda who, identity: self.delete(who, "disks", identity),
        }

    def delete(self, who, kind, identity):
        one = next(one for one in self.data[kind] if one["id"] == identity)
        place = one.get("environmentId") or next((service.get("environmentId") for service in self.data["services"] if service["id"] == one.get("serviceId")), None)
        protected = any(environment["id"] == place and environment["protectedStatus"] == "protected" for environment in self.data["environments"])
        if not who["write"] or (protected and not who["admin"]):
            raise Denied()
        self.data[kind] = [other for other in self.data[kind] if other["id"] != identity]
        return {}


ORDERS, TRIAL, CARTS, FILES = "render:dpg-orders-a", "render:dpg-trial-a", "render:red-carts", "render:dsk-uploads"


def text(name):
    return f"RENDER_API_KEY={Render.key(name)}\n"


def prove():
    shown = lambda name: f"Bearer {Render.key(name)}"
    delete = "DELETE /v1/postgres/{postgresId}"
    for name in Render.KEYS:
        with Render() as platform:
            # The three are not told apart, so that nothing is said of any that is not so of each.
            _, assessment, found = live(platform, text(name), f"render-{name}")
            for key in (ORDERS, CARTS, FILES):
                check(found[key]["bounds"] == ["nothing", "stopped"], f"render {name}: {found[key]}")
            # A protected environment stops all but administrators, and whether the key is one's is not told.
            guarded = {path["asset"]: next(one["state"] for one in path["layers"] if one["layer"] == "protect") for path in assessment["paths"] if path["action"] in ("deletePostgres", "deleteKeyValue")}
            check(guarded.get(found[ORDERS]["id"], "unknown") == "unknown" and guarded[found[CARTS]["id"]] == "open", f"render {name}: {guarded}")
            check(found[ORDERS]["environment"] == "production" and found[FILES]["environment"] == "production", f"render {name}: {found[FILES]}")
            check(not found[TRIAL]["in_headline"] and "render:dpg-orders-copy-a" not in found, f"render {name}: {list(found)}")
            check("database app" in found[ORDERS]["holds"], f"render {name}: {found[ORDERS]}")
            token = credential(assessment, "render")
            check(token["status"] == "live" and "workspaces Northwind" in token["scope"], f"render {name}: {token}")
            deleted = [platform.deletes(delete, (identity,), shown(name)) for identity in ("dpg-trial-a", "dpg-orders-a")]
            check(deleted == {"admin": [True, True], "developer": [True, False], "reader": [False, False]}[name], f"the server and {name}: {deleted}")
    with Render() as platform:
        # One key is shown neither services nor workspaces, where another sees the disk.
        check(adds(platform, text("admin"), f"OTHER_{text('scoped')}", FILES, "render-two"), "render two")
        check(platform.deletes("DELETE /v1/disks/{diskId}", ("dsk-uploads",), shown("scoped")), "the server lets a scoped key delete the disk")
    with Render() as platform:
        code, assessment, _ = live(platform, f"RENDER_API_KEY=rnd_{made_up('nobody', 32)}\n", "render-dead")
        check(credential(assessment, "render")["status"] == "unverified" and code == 3, f"render dead: exit {code}")
    return [[Render, text("admin"), [ORDERS, CARTS], lambda asset: asset["in_headline"]]]
