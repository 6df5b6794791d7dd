"""Fly.io: a server that answers as it describes itself, and what must hold of the answers about it."""
from runs import adds, check, credential, live, state
from server import Denied, Platform, ago, made_up

ORGANIZATION = "o1Zk7Qm2Xw9Rt4"


class Fly(Platform):
    provider = "fly"
    # The role of a user, or the caveats of a macaroon.
    USERS = {"admin": "admin", "member": "member"}
    MACAROONS = {"deploy": {"write"}, "readonly": set()}

    @classmethod
    def token(cls, name):
        return f"fo1_{made_up(name, 43)}" if name in cls.USERS or name == "nobody" else f"fm2_{made_up(name, 64)}{made_up(name[::-1], 36)}"

    @staticmethod
    def company():
        volume = lambda name, state, machine: {"id": f"vol_{name}", "name": name, "state": state, "size_gb": 10, "region": "fra", "zone": "180d", "encrypted": True, "attached_machine_id": machine,
                                               "attached_alloc_id": None, "created_at": ago(days=90), "snapshot_retention": 5, "auto_backup_enabled": True}
        snapshot = lambda hours, days: {"id": f"vs_{hours}", "size": 17, "volume_size": 10, "digest": "d", "created_at": ago(hours=hours), "status": "created", "retention_days": days}
        return {
            "apps": {"shop": [volume("orders", "created", "m-1"), volume("photos", "created", None), volume("old", "pending_destroy", None)], "blog": [volume("posts", "created", None)]},
            "snapshots": {"vol_orders": [snapshot(3, 5), snapshot(27, 5)], "vol_photos": [snapshot(3, 60)], "vol_posts": []},
            "clusters": [{"id": "qzyl4rxq2n1ok2pv", "version": 1, "name": "ledger", "region": "fra", "status": "ready", "plan": "basic", "disk": 10, "replicas": 1}],
            "extensions": [{"id": "ext-1", "name": "late-surf-5384", "addOnProvider": {"name": "tigris"}}, {"id": "ext-2", "name": "cache", "addOnProvider": {"name": "upstash_redis"}}],
        }

    def who(self, shown):
        scheme, _, token = shown.partition(" ")
        for name in [*self.USERS, *self.MACAROONS]:
            if token == self.token(name) and (scheme == "Bearer" or name in self.MACAROONS):
                return name
        raise Denied(401)

    @staticmethod
    def page(items, after):
        at = int(after or 0)
        return {"pageInfo": {"hasNextPage": at + 1 < len(items), "endCursor": str(at + 1)}, "edges": [{"node": one} for one in items[at:at + 1]]}

    def operations(self):
        app, organization = "/v1/apps/{app_name}", "/api/v1/organizations/{org}"
        return {
            "QUERY viewer": lambda who: {"viewer": {"__typename": "User", "id": f"u-{who}"} if who in self.USERS else {"__typename": "Macaroon"}},
            "QUERY organizations": lambda who, after=None: {"organizations": self.page([{"id": ORGANIZATION, "slug": "northwind", "rawSlug": "northwind", "viewerRole": self.USERS.get(who, "member")}], after)},
            "QUERY extensions": lambda who, slug, after=None: {"organization": {"addOns": self.page(self.data["extensions"], after)}},
            "GET /v1/apps": lambda who, org_slug: {"total_apps": len(self.data["apps"]), "apps": [{"id": f"a-{name}", "name": name, "volume_count": 1} for name in self.data["apps"]]},
            f"GET {app}/volumes": lambda who, name: self.data["apps"][name],
            f"GET {app}/volumes/{{volume_id}}/snapshots": lambda who, name, volume: self.data["snapshots"][volume],
            f"GET {organization}/postgres": lambda who, slug: {"data": self.data["clusters"]},
            f"DELETE {app}/volumes/{{volume_id}}": self.delete,
            f"DELETE {app}": lambda who, name: (self.needs(who), self.data["apps"].pop(name), {})[2],
            f"DELETE {app}/machines/{{machine_id}}": self.detach,
            f"DELETE {organization}/postgres/{{id}}": lambda who, slug, cluster: (self.needs(who), self.data["clusters"].clear(), {})[2],
        }

    def needs(self, who):
        if who not in self.USERS and "write" not in self.MACAROONS[who]:
            raise Denied()

    def delete(self, who, app, volume):
        self.needs(who)
        if next(one for one in self.data["apps"][app] if one["id"] == volume)["attached_machine_id"]:
            raise Denied(412)
        self.data["apps"][app] = [one for one in self.data["apps"][app] if one["id"] != volume]
        return {}

    def detach(self, who, app, machine):
        self.needs(who)
        for volume in self.data["apps"][app]:
            volume["attached_machine_id"] = None
        return {}


ORDERS, PHOTOS, POSTS, LEDGER, BUCKET = "fly:shop/vol_orders", "fly:shop/vol_photos", "fly:blog/vol_posts", "fly:postgres/qzyl4rxq2n1ok2pv", "fly:extension/ext-1"


def text(name):
    return f"FLY_API_TOKEN={Fly.token(name)}\n"


def prove():
    shown = lambda name: f"Bearer {Fly.token(name)}"
    delete, app = "DELETE /v1/apps/{app_name}/volumes/{volume_id}", "DELETE /v1/apps/{app_name}"
    for name in Fly.USERS:
        with Fly() as platform:
            code, assessment, found = live(platform, text(name), f"fly-{name}")
            # Five days end before anybody notices; of sixty it is not known whether they outlive the app.
            check(code == 1 and found[ORDERS]["answer"] == "nothing" and found[POSTS]["answer"] == "nothing", f"fly {name}: exit {code}, {found[ORDERS]}, {found[POSTS]}")
            check(found[PHOTOS]["prevention"] == "open" and found[PHOTOS]["bounds"] == ["nothing", "recoverable-untested"], f"fly {name}: {found[PHOTOS]}")
            check(found[LEDGER]["prevention"] == "open" and found[BUCKET]["prevention"] == "open" and "fly:shop/vol_old" not in found, f"fly {name}: {list(found)}")
            deletes = [path for path in assessment["paths"] if path["id"] in found[ORDERS]["paths"] and path["action"] == "deleteVolume"]
            check(deletes and all(one["state"] == "slows" for path in deletes for one in path["layers"] if one["layer"] == "protect"), f"fly {name}: {deletes}")
            actions = {path["action"] for path in assessment["paths"] if path["id"] in found[ORDERS]["paths"]}
            permits = {one["state"] for path in assessment["paths"] if path["action"] == "deleteOrganization" for one in path["layers"] if one["layer"] == "permit"}
            check("open" in permits if name == "admin" else "open" not in permits, f"fly {name}: {actions} {permits}")
            check(any("app shop" in place for place in found[ORDERS]["place"]) and any("organization northwind" in place for place in found[ORDERS]["place"]), f"fly {name}: {found[ORDERS]['place']}")
            token = credential(assessment, "fly")
            check(token["status"] == "live" and "organizations northwind" in token["scope"] and f"user u-{name}" in token["identity"], f"fly {name}: {token}")
            check(not platform.deletes(delete, ("shop", "vol_orders"), shown(name)), "the server refuses a volume that is attached")
            check(platform.deletes("DELETE /v1/apps/{app_name}/machines/{machine_id}", ("shop", "m-1"), shown(name)) and platform.deletes(delete, ("shop", "vol_orders"), shown(name)), "until its machine is gone")
            check("vol_orders" in platform.data["snapshots"], "and keeps its snapshots")
            check(platform.deletes(app, ("shop",), shown(name)), "and an app with what is in it")
    for name in Fly.MACAROONS:
        with Fly() as platform:
            _, assessment, found = live(platform, text(name), f"fly-{name}")
            for key in (ORDERS, PHOTOS, POSTS, LEDGER, BUCKET):
                check(found[key]["bounds"] == ["nothing", "stopped"] and state(assessment, found[key], "permit") == "unknown", f"fly {name}: {found[key]}")
            check(all(shown.startswith("FlyV1 fm2_") or path.startswith("/api/v1/") for shown, path, *_ in platform.asked), f"fly {name}: {platform.asked}")
            check(platform.deletes(delete, ("shop", "vol_photos"), shown(name)) == (name == "deploy"), f"the server and {name}")
    for name, url, mine, other in (("redis", "redis://default:{}@fly-cache.upstash.io:6379", "fly:extension/ext-2", BUCKET), ("app", "postgres://postgres:{}@shop-db.internal:5432/shop", ORDERS, BUCKET),
                                   ("elsewhere", "postgres://app:{}@db.abcdefghijklmnopqrst.supabase.co/shop", None, ORDERS)):
        with Fly() as platform:
            # A login may be one to an extension at its platform's hosts, or to a database on a volume under any name.
            _, assessment, found = live(platform, f"DATABASE_URL={url.format(made_up('data', 30))}\n" + text("readonly"), f"fly-url-{name}")
            joined = lambda key: any("same:" in path["action"] for path in assessment["paths"] if path["id"] in found[key]["paths"])
            check((mine is None or joined(mine)) and not joined(other), f"fly url {name}: {mine} {other}")
    with Fly() as platform:
        # A macaroon tells nobody what it allows.
        check(adds(platform, text("readonly"), f"OTHER_{text('deploy')}", PHOTOS, "fly-two"), "fly two")
    with Fly() as platform:
        code, assessment, _ = live(platform, text("nobody"), "fly-dead")
        check(credential(assessment, "fly")["status"] == "unverified" and code == 3, f"fly dead: exit {code}")
    return [[Fly, text("admin"), [ORDERS, POSTS, LEDGER], lambda asset: asset["in_headline"]]]
