"""Turso: a server that answers as it describes itself, and what must hold of the answers about it."""
from runs import check, credential, live
from server import Denied, Platform, made_up

EVERY = {"read", "db:create", "db:delete", "db:configure", "db:mint-token", "db:rotate-creds", "group:configure", "group:delete"}


class Turso(Platform):
    provider = "turso"
    # A token of the organization, and tokens of a group with these scopes.
    TOKENS = {"organization": EVERY, "reader": {"read"}, "maker": {"read", "db:create", "db:delete"}}

    @classmethod
    def token(cls, name):
        return f"eyJhbGciOiJFZERTQSJ9.{made_up(name, 60)}.{made_up(name, 64)}"

    @staticmethod
    def company():
        return {"groups": [{"name": "default", "uuid": "g-1", "primary": "fra", "delete_protection": False}],
                "databases": [{"Name": "orders", "DbId": "d-1", "Hostname": "orders-northwind.turso.io", "group": "default", "delete_protection": True},
                              {"Name": "trial", "DbId": "d-2", "Hostname": "trial-northwind.turso.io", "group": "default", "delete_protection": False}]}

    def who(self, shown):
        for name, scopes in self.TOKENS.items():
            if shown == f"Bearer {self.token(name)}":
                return name, scopes
        raise Denied(401)

    def operations(self):
        organization = "/v1/organizations/{organizationSlug}"
        return {
            "GET /v1/auth/validate": lambda who: {"exp": 1999999999},
            "GET /v1/user": self.user,
            "GET /v1/organizations": lambda who: [{"name": "Northwind", "slug": "northwind", "type": "team", "plan_id": "scaler"}],
            f"GET {organization}/groups": lambda who, slug: {"groups": self.data["groups"]},
            f"GET {organization}/databases": lambda who, slug: {"databases": self.data["databases"]},
            f"DELETE {organization}/databases/{{databaseName}}": self.delete,
            f"DELETE {organization}/groups/{{groupName}}": lambda who, slug, name: (self.needs(who, "group:delete"), self.data.update(groups=[], databases=[]), {})[2],
            f"PATCH {organization}/databases/{{databaseName}}/configuration": self.unprotect,
        }

    @staticmethod
    def needs(who, scope):
        if scope not in who[1]:
            raise Denied()

    def user(self, who):
        if who[0] != "organization":
            raise Denied()
        return {"user": {"username": "dana", "name": "Dana", "email": "dana@northwind.example"}}

    def delete(self, who, slug, name):
        self.needs(who, "db:delete")
        if next(one for one in self.data["databases"] if one["Name"] == name)["delete_protection"]:
            raise Denied(400)
        self.data["databases"] = [one for one in self.data["databases"] if one["Name"] != name]
        return {}

    def unprotect(self, who, slug, name):
        self.needs(who, "db:configure")
        next(one for one in self.data["databases"] if one["Name"] == name)["delete_protection"] = False
        return {}


ORDERS, TRIAL = "turso:northwind/orders", "turso:northwind/trial"


def text(name):
    return f"TURSO_API_TOKEN={Turso.token(name)}\n"


def prove():
    shown = lambda name: f"Bearer {Turso.token(name)}"
    delete = "DELETE /v1/organizations/{organizationSlug}/databases/{databaseName}"
    unprotect = "PATCH /v1/organizations/{organizationSlug}/databases/{databaseName}/configuration"
    for name in Turso.TOKENS:
        with Turso() as platform:
            # No call tells them apart.
            _, assessment, found = live(platform, text(name), f"turso-{name}")
            for key in (ORDERS, TRIAL):
                check(found[key]["bounds"] == ["nothing", "stopped"], f"turso {name}: {found[key]}")
            paths = [path for path in assessment["paths"] if path["id"] in found[ORDERS]["paths"] and path["action"] == "db:delete"]
            check(all(one["state"] == "unknown" for path in paths for one in path["layers"] if one["layer"] == "protect"), f"turso {name}: {paths}")
            check(any("group default" in place for place in found[ORDERS]["place"]), f"turso {name}: {found[ORDERS]['place']}")
            token = credential(assessment, "turso")
            check(token["status"] == "live" and "organizations Northwind" in token["scope"], f"turso {name}: {token}")
            check(("user dana" in token["identity"]) == (name == "organization"), f"turso {name}: {token}")
            check(not platform.deletes(delete, ("northwind", "orders"), shown(name)), f"the server refuses {name} a protected database")
            check(platform.deletes(delete, ("northwind", "trial"), shown(name)) == (name != "reader"), f"the server and {name}")
            check(platform.deletes(unprotect, ("northwind", "orders"), shown(name)) == (name == "organization"), f"the server lets {name} take the protection off")
    with Turso() as platform:
        code, assessment, _ = live(platform, text("nobody"), "turso-dead")
        check(credential(assessment, "turso")["status"] == "unverified" and code == 3, f"turso dead: exit {code}")
    return [[Turso, text("organization"), [ORDERS, TRIAL], lambda asset: asset["in_headline"]]]
