"""Heroku: a server that answers as its schema describes it, and what must hold of the answers about it."""
from runs import adds, check, credential, live, state
from server import Denied, Platform, made_up

APP, TRY, TEAM = "01234567-89ab-cdef-0123-456789abcde0", "01234567-89ab-cdef-0123-456789abcde1", "11234567-89ab-cdef-0123-456789abcdef"
DATABASE, CACHE, TRIAL = (f"21234567-89ab-cdef-0123-45678{number}abcdef"[:36] for number in (1, 2, 3))


class Heroku(Platform):
    provider = "heroku"
    KEYS = {"global": {"global"}, "reader": {"read"}, "identity": {"identity"}, "colleague": {"global", "of a colleague"}}

    @classmethod
    def key(cls, name):
        return f"HRKU-AA{made_up(name, 58)}"

    @staticmethod
    def company():
        addon = lambda identity, name, service, app, app_name: {
            "id": identity, "name": name, "state": "provisioned", "app": {"id": app, "name": app_name}, "addon_service": {"id": TEAM, "name": service}, "plan": {"id": TEAM, "name": f"{service}:standard-0"},
            "config_vars": ["DATABASE_URL"]}
        return {
            "teams": [{"id": TEAM, "name": "northwind", "role": "admin"}],
            "apps": [{"id": APP, "name": "shop", "owner": {"id": TEAM, "email": "northwind@herokumanager.com"}, "team": {"id": TEAM, "name": "northwind"}},
                     {"id": TRY, "name": "shop-try", "owner": {"id": TEAM, "email": "dana@northwind.example"}, "team": None},
                     {"id": "31234567-89ab-cdef-0123-456789abcdef", "name": "plain", "owner": {"id": TEAM, "email": "dana@northwind.example"}, "team": None}],
            "couplings": [{"id": TEAM, "app": {"id": APP}, "stage": "production"}, {"id": TEAM, "app": {"id": TRY}, "stage": "staging"}],
            "addons": [addon(DATABASE, "postgresql-round-1", "heroku-postgresql", APP, "shop"), addon(CACHE, "redis-flat-2", "heroku-redis", APP, "shop"),
                       addon(TRIAL, "postgresql-square-3", "heroku-postgresql", TRY, "shop-try")],
        }

    def who(self, shown):
        for name, scopes in self.KEYS.items():
            if shown == f"Bearer {self.key(name)}":
                return scopes
        raise Denied(401)

    def listed(self, kind):
        def page(who, range=None):
            if not who & {"global", "read", "write"}:
                raise Denied()
            at = int(range.split("..")[0].removeprefix("id ]")) if range else 0
            return self.data[kind][at:at + 2]
        return page

    def told(self, key, query, shown):
        kind = {"GET /apps": "apps", "GET /addons": "addons", "GET /teams": "teams", "GET /pipeline-couplings": "couplings"}.get(key)
        at = int(query["range"].split("..")[0].removeprefix("id ]")) if query.get("range") else 0
        return [("Next-Range", f"id ]{at + 2}..; max=200")] if kind and at + 2 < len(self.data[kind]) else []

    def operations(self):
        return {
            "GET /account": lambda who: {"id": DATABASE if "of a colleague" in who else TEAM, "email": "dana@northwind.example"},
            "GET /teams": self.listed("teams"),
            "GET /apps": self.listed("apps"),
            "GET /pipeline-couplings": self.listed("couplings"),
            "GET /addons": self.listed("addons"),
            "DELETE /apps/{app}": self.delete_app,
            "DELETE /apps/{app}/addons/{addon}": self.delete_addon,
        }

    def delete_app(self, who, app):
        if not who & {"global", "write"}:
            raise Denied()
        self.data["apps"] = [one for one in self.data["apps"] if one["id"] != app]
        self.data["addons"] = [one for one in self.data["addons"] if one["app"]["id"] != app]
        return {}

    def delete_addon(self, who, app, addon):
        if not who & {"global", "write"}:
            raise Denied()
        self.data["addons"] = [one for one in self.data["addons"] if one["id"] != addon]
        return {}


SHOP, CARTS, TRY_OUT = f"heroku:addon/{DATABASE}", f"heroku:addon/{CACHE}", f"heroku:addon/{TRIAL}"


def text(name):
    return f"HEROKU_API_KEY={Heroku.key(name)}\n"


def prove():
    shown = lambda name: f"Bearer {Heroku.key(name)}"
    for name in ("global", "reader"):
        with Heroku() as platform:
            _, assessment, found = live(platform, text(name), f"heroku-{name}")
            check(found[SHOP]["bounds"] == ["nothing", "stopped"] and state(assessment, found[SHOP], "permit") == "unknown", f"heroku {name}: {found[SHOP]}")
            check(found[SHOP]["environment"] == "production" and not found[TRY_OUT]["in_headline"] and CARTS in found, f"heroku {name}: {list(found)}")
            check(any("app shop" in place for place in found[SHOP]["place"]) and any("team northwind" in place for place in found[SHOP]["place"]), f"heroku {name}: {found[SHOP]['place']}")
            actions = {path["action"] for path in assessment["paths"] if path["id"] in found[SHOP]["paths"]}
            check({"app.delete", "addon.delete", "team.delete"} & actions, f"heroku {name}: {actions}")
            gone = platform.deletes("DELETE /apps/{app}", (APP,), shown(name))
            check(gone == (name == "global") and gone == (DATABASE not in [one["id"] for one in platform.data["addons"]]), f"the server and {name}: an app goes with its add-ons")
    with Heroku() as platform:
        # An app of one's own and of those that one works on it with.
        check(adds(platform, text("global"), f"OTHER_{text('colleague')}", TRY_OUT, "heroku-two"), "heroku two")
        for name in ("colleague", "global"):
            check(platform.call("DELETE /apps/{app}/addons/{addon}", (TRY, DATABASE), {}, shown(name))[0] == 200, f"the server lets {name} delete the add-on")
    with Heroku() as platform:
        code, assessment, _ = live(platform, text("identity"), "heroku-identity")
        token = credential(assessment, "heroku")
        check(token["status"] == "live" and code != 0, f"heroku identity: exit {code}, {token}")
    with Heroku() as platform:
        code, assessment, _ = live(platform, f"HEROKU_API_KEY=HRKU-AA{made_up('nobody', 58)}\n", "heroku-dead")
        check(credential(assessment, "heroku")["status"] == "unverified" and code == 3, f"heroku dead: exit {code}")
    return [[Heroku, text("global"), [SHOP, CARTS], lambda asset: asset["in_headline"]]]
