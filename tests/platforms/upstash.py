"""Upstash: a server that answers as it describes itself, and what must hold of the answers about it."""
import base64

from runs import adds, check, credential, live, state
from server import NOW, Denied, Platform, made_up

ACCOUNT = "dana@nw.test"
TOKEN = made_up("token of the data", 48)


class Upstash(Platform):
    provider = "upstash"
    KEYS = {"full": {"write"}, "readonly": set()}

    @classmethod
    def key(cls, name):
        return made_up(name, 36)

    @classmethod
    def shown(cls, name, account=ACCOUNT):
        return f"Basic {base64.b64encode(f'{account}:{cls.key(name)}'.encode()).decode()}"

    @staticmethod
    def company():
        at = int(NOW.timestamp())
        database = lambda name, daily: {"database_id": f"db-{name}", "database_name": name, "region": "global", "port": 6379, "creation_time": at - 9_000_000, "state": "active", "endpoint": f"calm-{name}-58500", "tls": True,
                                        "type": "payg", "customer_id": ACCOUNT, "daily_backup_enabled": daily, "prod_pack_enabled": False}
        backup = lambda hours, state: {"database_id": "db-carts", "customer_id": ACCOUNT, "name": "daily", "backup_id": f"b-{hours}", "creation_time": at - hours * 3600, "state": state, "backup_size": 17}
        index = lambda kind, name: {"id": f"{kind}-{name}", "name": name, "customer_id": ACCOUNT, "endpoint": f"{name}.upstash.io", "type": "free", "region": "eu-west-1", "token": TOKEN, "read_only_token": TOKEN}
        return {"databases": [database("carts", True), database("trial", False)], "backups": {"db-carts": [backup(1, "failed"), backup(3, "completed"), backup(27, "completed")], "db-trial": []},
                "vectors": [index("v", "faces")], "searches": [index("s", "pages")], "teams": [{"team_id": "75b471f2-15a1-47b0", "team_name": "northwind", "copy_cc": True}]}

    def who(self, shown):
        for name in self.KEYS:
            if shown == self.shown(name):
                return name
        raise Denied(401)

    def operations(self):
        return {
            "GET /v2/redis/databases": lambda who: self.data["databases"],
            "GET /v2/redis/list-backup/{id}": lambda who, database: self.data["backups"][database],
            "GET /v2/vector/index": lambda who: self.data["vectors"],
            "GET /v2/search": lambda who: self.data["searches"],
            "GET /v2/teams": lambda who: self.data["teams"],
            "DELETE /v2/redis/database/{id}": lambda who, database: self.gone(who, "databases", "database_id", database),
            "DELETE /v2/redis/delete-backup/{id}/{backup_id}": lambda who, database, backup: (self.needs(who), self.data["backups"].update({database: []}), {})[2],
            "DELETE /v2/vector/index/{id}": lambda who, index: self.gone(who, "vectors", "id", index),
        }

    def needs(self, who):
        if "write" not in self.KEYS[who]:
            raise Denied(message="Readonly API key")

    def gone(self, who, kind, key, name):
        self.needs(who)
        self.data[kind] = [one for one in self.data[kind] if one[key] != name]
        return {}


CARTS, TRIAL, FACES, PAGES = "upstash:redis/db-carts", "upstash:redis/db-trial", "upstash:vector_index/v-faces", "upstash:search_index/s-pages"


def text(name, account=ACCOUNT):
    return f"UPSTASH_EMAIL={account}\nUPSTASH_API_KEY={Upstash.key(name)}\n"


def prove():
    for name in Upstash.KEYS:
        with Upstash() as platform:
            # No call tells them apart; a list that shows a token of the data lets either delete that.
            _, assessment, found = live(platform, text(name), f"upstash-{name}", secrets=[TOKEN])
            for key in (CARTS, TRIAL):
                check(found[key]["bounds"] == ["nothing", "stopped"] and state(assessment, found[key], "permit") == "unknown", f"upstash {name}: {found[key]}")
            for key in (FACES, PAGES):
                check(found[key]["prevention"] == "open" and found[key]["bounds"][0] == "nothing", f"upstash {name}: {found[key]}")
            token = credential(assessment, "upstash")
            check(token["status"] == "live" and ACCOUNT in token["identity"], f"upstash {name}: {token}")
            gone = platform.deletes("DELETE /v2/redis/database/{id}", ("db-trial",), Upstash.shown(name))
            check(gone == (name == "full"), f"the server and {name}")
            check(platform.deletes("DELETE /v2/redis/delete-backup/{id}/{backup_id}", ("db-carts", "b-3"), Upstash.shown(name)) == (name == "full"), f"the server and {name}: a backup")
    with Upstash() as platform:
        # A database that is in reach by its URL is the one whose host it names.
        url = f"REDIS_URL=rediss://default:{made_up('data', 30)}@calm-carts-58500.upstash.io:6379\n"
        _, assessment, found = live(platform, url + text("readonly"), "upstash-url", secrets=[TOKEN])
        actions = lambda key: {path["action"] for path in assessment["paths"] if path["id"] in found[key]["paths"]}
        check(any("same:" in action for action in actions(CARTS)) and not any("same:" in action for action in actions(TRIAL)), f"upstash url: {actions(CARTS)} {actions(TRIAL)}")
    with Upstash() as platform:
        # Of a slug it is not known what else its hosts are called.
        url = f"REDIS_URL=rediss://default:{made_up('data', 30)}@us1-calm-carts-58500.upstash.io:6379\n"
        _, assessment, found = live(platform, url + text("readonly"), "upstash-region", secrets=[TOKEN])
        actions = lambda key: {path["action"] for path in assessment["paths"] if path["id"] in found[key]["paths"]}
        check(all(any("same:" in action for action in actions(key)) for key in (CARTS, TRIAL)), f"upstash region: {actions(CARTS)} {actions(TRIAL)}")
    for key in ("password", "rest_token"):
        data = Upstash.company()
        data["databases"][0][key] = TOKEN
        with Upstash(data) as platform:
            # Where the list shows a secret of the data, whoever reads it can delete that.
            _, _, found = live(platform, text("readonly"), f"upstash-{key}", secrets=[TOKEN])
            check(found[CARTS]["bounds"][1] != "stopped" and found[TRIAL]["bounds"] == ["nothing", "stopped"], f"upstash {key}: {found[CARTS]} {found[TRIAL]}")
    with Upstash() as platform:
        check(adds(platform, text("readonly"), f"OTHER_UPSTASH_API_KEY={Upstash.key('full')}\n".replace("OTHER_", ""), CARTS, "upstash-two", secrets=[TOKEN]), "upstash two")
    with Upstash() as platform:
        # Without the address of its account a key is sent nowhere.
        code, assessment, _ = live(platform, f"UPSTASH_API_KEY={Upstash.key('full')}\n", "upstash-alone")
        check(not platform.asked and code == 3, f"upstash alone: exit {code}, {platform.asked}")
    with Upstash() as platform:
        code, assessment, _ = live(platform, text("nobody"), "upstash-dead")
        check(credential(assessment, "upstash")["status"] == "unverified" and code == 3, f"upstash dead: exit {code}")
    return [[Upstash, text("full"), [CARTS, TRIAL, FACES], lambda asset: asset["in_headline"]]]
