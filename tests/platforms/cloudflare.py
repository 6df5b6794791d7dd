"""Cloudflare: a server that answers as it describes itself, and what must hold of the answers about it."""
import json

from runs import check, credential, live, state
from server import Denied, Platform, ahead, made_up

ACCOUNT, OTHER = "023e105f4ecef8ad9ca31a8372d0c353", "123e105f4ecef8ad9ca31a8372d0c353"
D1, KV = "xxxxxxxx-8d50-4f1d-8b2c-000000000001".replace("x", "a"), "0f2ac74b498b48028cb68387c421e279"
READS = ["API Tokens Read", "Account Settings Read", "Workers R2 Storage Read", "Workers KV Storage Read"]


class Cloudflare(Platform):
    provider = "cloudflare"
    # The groups of permissions of each, in one account; `blind` may not read its own policies.
    TOKENS = {
        "writer": [*READS, "Workers R2 Storage Write", "D1 Write", "Workers KV Storage Write"],
        "objects": [*READS, "Workers R2 Storage Bucket Item Write"],
        "reader": READS,
        "prober": [*READS, "D1 Read"],
        "deployer": [*READS, "Workers Scripts Write"],
        "elsewhere": [*READS, "D1 Write"],
        "blind": [*READS[1:], "D1 Write"],
        "account": [*READS, "D1 Write"],
        "minter": READS,
        "newer": [*READS, "Something New Read"],
    }

    @classmethod
    def token(cls, name):
        return f"{'cfat' if name == 'account' else 'cfut'}_{made_up(name, 48)}"

    @staticmethod
    def company():
        return {
            "buckets": {"uploads": [], "ledger": [{"id": "all", "enabled": True, "prefix": "", "condition": {"type": "Indefinite"}}],
                        "logs": [{"id": "old", "enabled": True, "prefix": "2026/", "condition": {"type": "Indefinite"}}, {"id": "age", "enabled": True, "condition": {"type": "Age", "maxAgeSeconds": 86400}},
                                 {"id": "date", "enabled": False, "prefix": "", "condition": {"type": "Date", "date": ahead(days=90)}}],
                        "monthly": [{"id": "date", "enabled": True, "prefix": "", "condition": {"type": "Date", "date": ahead(days=1)}}]},
            "databases": [{"uuid": D1, "name": "orders", "version": "production"}],
            "namespaces": [{"id": KV, "title": "sessions"}, {"id": KV.replace("0", "1"), "title": "flags"}, {"id": KV.replace("0", "2"), "title": "carts"}],
        }

    def who(self, shown):
        for name in self.TOKENS:
            if shown == f"Bearer {self.token(name)}":
                return name
        raise Denied(401)

    @staticmethod
    def page(items, page):
        at = int(page or 1)
        return {"success": True, "result": items[(at - 1) * 2:at * 2], "result_info": {"page": at, "per_page": 2, "count": len(items[(at - 1) * 2:at * 2]), "total_count": len(items)}}

    def operations(self):
        account = "/client/v4/accounts/{account_id}"
        listed = lambda kind: lambda who, account, page=None, per_page=None: self.page(self.data[kind], page)
        return {
            "GET /client/v4/user/tokens/verify": lambda who: self.verify(who, who != "account"),
            "GET /client/v4/user/tokens/{token_id}": self.policies,
            "GET /client/v4/accounts": lambda who, page=None, per_page=None: self.page([{"id": ACCOUNT, "name": "Northwind"}], page),
            f"GET {account}/tokens/verify": lambda who, account: self.verify(who, who == "account"),
            f"GET {account}/tokens/{{token_id}}": lambda who, account, token: self.policies(who, token),
            f"GET {account}/r2/buckets": self.buckets,
            f"GET {account}/r2/buckets/{{bucket_name}}/lock": lambda who, account, bucket: {"success": True, "result": {"rules": self.data["buckets"][bucket]}},
            f"GET {account}/d1/database": listed("databases"),
            f"GET {account}/storage/kv/namespaces": listed("namespaces"),
            f"DELETE {account}/d1/database/{{database_id}}": lambda who, account, database: self.delete(who, "D1 Write", lambda: self.data.update(databases=[])),
            f"DELETE {account}/storage/kv/namespaces/{{namespace_id}}": lambda who, account, namespace: self.delete(who, "Workers KV Storage Write", lambda: self.data.update(namespaces=[])),
            f"PUT {account}/r2/buckets/{{bucket_name}}/lock": lambda who, account, bucket: self.delete(who, "Workers R2 Storage Write", lambda: self.data["buckets"].update({bucket: []})),
            f"DELETE {account}/r2/buckets/{{bucket_name}}/objects/{{object_key}}": self.delete_object,
        }

    @staticmethod
    def verify(who, right):
        if not right:
            raise Denied(401)
        return {"success": True, "result": {"id": made_up(f"id of {who}", 32), "status": "active"}}

    def policies(self, who, token):
        if "API Tokens Read" not in self.TOKENS[who]:
            raise Denied()
        groups = [{"id": made_up(name, 32), "name": name} for name in self.TOKENS[who]]
        # The template "Create additional tokens".
        minting = [{"id": made_up("minting", 32), "effect": "allow", "permission_groups": [{"id": made_up("minting", 32), "name": "API Tokens Write"}],
                    "resources": {f"com.cloudflare.api.user.{ACCOUNT}": "*"}}] if who == "minter" else []
        return {"success": True, "result": {"id": token, "name": who, "policies": [*minting,
            {"id": made_up(f"policy of {who}", 32), "effect": "allow", "permission_groups": groups, "resources": {f"com.cloudflare.api.account.{OTHER if who == 'elsewhere' else ACCOUNT}": "*"}},
            {"id": made_up("zone", 32), "effect": "allow", "permission_groups": [{"id": made_up("zone", 32), "name": "DNS Write"}], "resources": {"com.cloudflare.api.account.zone.*": "*"}}]}}

    def buckets(self, who, account, per_page=None, cursor=None):
        names = sorted(self.data["buckets"])
        at = int(cursor or 0)
        return {"success": True, "result": {"buckets": [{"name": name} for name in names[at:at + 2]]}, "result_info": {"per_page": 2, "cursor": str(at + 2)} if at + 2 < len(names) else {"per_page": 2}}

    def delete(self, who, group, do):
        if who == "elsewhere" or group not in self.TOKENS[who]:
            raise Denied()
        do()
        return {"success": True, "result": {}}

    def delete_object(self, who, account, bucket, key):
        if not {"Workers R2 Storage Write", "Workers R2 Storage Bucket Item Write"} & set(self.TOKENS[who]) or any(rule["enabled"] and key.startswith(rule.get("prefix") or "") for rule in self.data["buckets"][bucket]):
            raise Denied()
        return {"success": True, "result": {}}


ROOT = f"cloudflare:{ACCOUNT}"
ORDERS, SESSIONS, UPLOADS, LEDGER, LOGS, MONTHLY = f"{ROOT}/d1/{D1}", f"{ROOT}/kv/{KV}", f"{ROOT}/r2/uploads", f"{ROOT}/r2/ledger", f"{ROOT}/r2/logs", f"{ROOT}/r2/monthly"


def text(name):
    return f"CLOUDFLARE_API_TOKEN={Cloudflare.token(name)}\n"


def prove():
    shown = lambda name: f"Bearer {Cloudflare.token(name)}"
    account = "/client/v4/accounts/{account_id}"
    database, lock, thing = f"DELETE {account}/d1/database/{{database_id}}", f"PUT {account}/r2/buckets/{{bucket_name}}/lock", f"DELETE {account}/r2/buckets/{{bucket_name}}/objects/{{object_key}}"
    with Cloudflare() as platform:
        _, assessment, found = live(platform, text("writer"), "cloudflare-writer")
        for key in (ORDERS, SESSIONS, UPLOADS, LOGS):
            check(found[key]["bounds"][0] == "nothing" and found[key]["prevention"] == "open", f"cloudflare writer: {found[key]}")
        # Whoever may write to buckets takes the rules of a lock away first.
        check(found[LEDGER]["prevention"] == "slowed", f"cloudflare writer: {found[LEDGER]}")
        token = credential(assessment, "cloudflare")
        check(token["status"] == "live" and token["scope"] == "accounts Northwind, as its policies say", f"cloudflare writer: {token}")
        check(not platform.deletes(thing, (ACCOUNT, "ledger", "a"), shown("writer")), "the server refuses a locked object")
        check(platform.deletes(lock, (ACCOUNT, "ledger"), shown("writer")) and platform.deletes(thing, (ACCOUNT, "ledger", "a"), shown("writer")), "until the rules are gone")
        check(platform.deletes(database, (ACCOUNT, D1), shown("writer")), "the server deletes a database")
    with Cloudflare() as platform:
        _, assessment, found = live(platform, text("objects"), "cloudflare-objects")
        check(found[UPLOADS]["prevention"] == "open" and found[LEDGER]["answer"] == "stopped" and state(assessment, found[LEDGER], "protect") == "stops", f"cloudflare objects: {found[LEDGER]}")
        check(found[ORDERS]["answer"] == "stopped", f"cloudflare objects: {found[ORDERS]}")
        # A lock that ends tomorrow ends before anybody may notice.
        check(found[MONTHLY]["answer"] == "unknown" and state(assessment, found[MONTHLY], "protect") == "unknown", f"cloudflare objects: {found[MONTHLY]}")
        check(not platform.deletes(lock, (ACCOUNT, "ledger"), shown("objects")) and not platform.deletes(thing, (ACCOUNT, "ledger", "a"), shown("objects")), "the server keeps a locked object")
        check(platform.deletes(thing, (ACCOUNT, "uploads", "a"), shown("objects")), "and deletes one that is not locked")
    for name in ("reader", "elsewhere"):
        with Cloudflare() as platform:
            _, assessment, found = live(platform, text(name), f"cloudflare-{name}")
            for key in (ORDERS, SESSIONS, UPLOADS, LEDGER):
                check(found[key]["answer"] == "stopped" and state(assessment, found[key], "permit") == "stops", f"cloudflare {name}: {found[key]}")
            # What its policies name and no list has.
            check((f"cloudflare:{OTHER}/?" in found) == (name == "elsewhere"), f"cloudflare {name}: {list(found)}")
            check(name != "elsewhere" or found[f"cloudflare:{OTHER}/?"]["bounds"][0] == "nothing", f"cloudflare {name}: {found}")
            check(not platform.deletes(database, (ACCOUNT, D1), shown(name)) and not platform.deletes(thing, (ACCOUNT, "uploads", "a"), shown(name)), f"the server refuses {name}")
    for name, unknown in (("prober", [ORDERS]), ("deployer", [ORDERS, SESSIONS, UPLOADS]), ("blind", [ORDERS, SESSIONS, UPLOADS]), ("minter", [ORDERS, SESSIONS, UPLOADS]), ("newer", [ORDERS, SESSIONS, UPLOADS])):
        with Cloudflare() as platform:
            _, _, found = live(platform, text(name), f"cloudflare-{name}")
            for key in unknown:
                check(found[key]["bounds"] == ["nothing", "stopped"], f"cloudflare {name}: {found[key]}")
    with Cloudflare() as platform:
        _, assessment, found = live(platform, text("account"), "cloudflare-account")
        check(found[ORDERS]["prevention"] == "open" and found[UPLOADS]["answer"] == "stopped", f"cloudflare account: {found[ORDERS]}")
    for version, kept in (("production", True), ("alpha", False)):
        data = Cloudflare.company()
        data["databases"][0]["version"] = version
        with Cloudflare(data) as platform:
            # Databases of the version alpha have no Time Travel.
            _, assessment, _ = live(platform, text("writer"), f"cloudflare-{version}")
            check(("Time Travel of orders" in json.dumps(assessment)) == kept, f"cloudflare {version}")
    with Cloudflare() as platform:
        code, assessment, _ = live(platform, f"CLOUDFLARE_API_TOKEN=cfut_{made_up('nobody', 48)}\n", "cloudflare-dead")
        check(credential(assessment, "cloudflare")["status"] == "unverified" and code == 3, f"cloudflare dead: exit {code}")
    return [[Cloudflare, text("writer"), [ORDERS, SESSIONS, UPLOADS], lambda asset: asset["in_headline"]]]
