"""Aiven: a server that answers as its own client reads it, and what must hold of the answers about it."""
from runs import check, credential, live, state
from server import Denied, Platform, ago, made_up

PASSWORD = f"AVNS_{made_up('avnadmin', 40)}"


class Aiven(Platform):
    provider = "aiven"
    # The role of each user in the project (`concepts/permissions`).
    USERS = {"admin": "admin", "operator": "operator", "developer": "developer", "reader": "read_only"}

    @classmethod
    def token(cls, name):
        return made_up(name, 64) * 3

    @staticmethod
    def company():
        service = lambda name, kind, protected, hours: {
            "service_name": name, "service_type": kind, "plan": "business-8", "state": "RUNNING", "termination_protection": protected, "backups": [{"backup_time": ago(hours=hour), "backup_name": "b"} for hour in hours],
            "components": [{"component": kind, "host": f"{name}-northwind.a.aivencloud.com", "port": 12691, "route": "dynamic", "usage": "primary"}],
            "service_uri": f"postgres://avnadmin:{PASSWORD}@{name}-northwind.a.aivencloud.com:12691/defaultdb", "service_uri_params": {"password": PASSWORD},
            "connection_info": {"pg": [f"postgres://avnadmin:{PASSWORD}@x"]}, "users": [{"username": "avnadmin", "password": PASSWORD}]}
        return {"services": [service("orders", "pg", True, (3, 27)), service("trial", "pg", False, (3, 27)), service("events", "kafka", False, ())], "backups": {"orders", "trial"}}

    def who(self, shown):
        for name in self.USERS:
            if shown == f"aivenv1 {self.token(name)}":
                return name
        raise Denied(403)

    def operations(self):
        service = "/v1/project/{project}/service"
        return {
            "GET /v1/me": lambda who: {"user": {"user_id": f"u{made_up(who, 11)}", "user": f"{who}@northwind.example", "real_name": who, "projects": ["northwind-prod"], "project_membership": {"northwind-prod": self.USERS[who]}}},
            "GET /v1/project": lambda who: {"projects": [{"project_name": "northwind-prod", "account_id": "a1", "tags": {"environment": "production"}}]},
            f"GET {service}": lambda who, project: {"services": self.data["services"]},
            f"DELETE {service}/{{service_name}}": self.delete,
            f"PUT {service}/{{service_name}}": self.update,
        }

    def needs(self, who):
        if self.USERS[who] not in ("admin", "operator"):
            raise Denied()

    def delete(self, who, project, name):
        self.needs(who)
        if next(one for one in self.data["services"] if one["service_name"] == name)["termination_protection"]:
            raise Denied()
        self.data["services"] = [one for one in self.data["services"] if one["service_name"] != name]
        return {}

    def update(self, who, project, name):
        self.needs(who)
        next(one for one in self.data["services"] if one["service_name"] == name)["termination_protection"] = False
        return {}


ORDERS, TRIAL, EVENTS = (f"aiven:northwind-prod/{name}" for name in ("orders", "trial", "events"))


def text(name):
    return f"AIVEN_TOKEN={Aiven.token(name)}\n"


def prove():
    shown = lambda name: f"aivenv1 {Aiven.token(name)}"
    delete, update = (f"{method} /v1/project/{{project}}/service/{{service_name}}" for method in ("DELETE", "PUT"))
    for name in ("admin", "operator"):
        with Aiven() as platform:
            code, assessment, found = live(platform, text(name), f"aiven-{name}", secrets=[PASSWORD])
            check(found[TRIAL]["prevention"] == "open" and found[TRIAL]["bounds"] == ["nothing", "recoverable-untested"], f"aiven {name}: {found[TRIAL]}")
            # Kafka has no backups.
            check(code == 1 and found[EVENTS]["answer"] == "nothing", f"aiven {name}: exit {code}, {found[EVENTS]}")
            deletes = [path for path in assessment["paths"] if path["id"] in found[ORDERS]["paths"] and path["action"] == "ServiceDelete"]
            check(all(one["state"] == "slows" for path in deletes for one in path["layers"] if one["layer"] == "protect"), f"aiven {name}: {deletes}")
            check(found[ORDERS]["environment"] == "production", f"aiven {name}: {found[ORDERS]}")
            token = credential(assessment, "aiven")
            check(token["status"] == "live" and "projects northwind-prod" in token["scope"], f"aiven {name}: {token}")
            check(not platform.deletes(delete, ("northwind-prod", "orders"), shown(name)), "the server refuses a protected service")
            check(platform.deletes(update, ("northwind-prod", "orders"), shown(name)) and platform.deletes(delete, ("northwind-prod", "orders"), shown(name)), "until the protection is off")
            check(platform.deletes(delete, ("northwind-prod", "trial"), shown(name)) and "trial" in platform.data["backups"], "and keeps the backups of what it deletes")
    for name in ("developer", "reader"):
        with Aiven() as platform:
            _, assessment, found = live(platform, text(name), f"aiven-{name}", secrets=[PASSWORD])
            check(found[TRIAL]["bounds"][0] == "nothing" and state(assessment, found[TRIAL], "permit") == "unknown", f"aiven {name}: {found[TRIAL]}")
            check(not platform.deletes(delete, ("northwind-prod", "trial"), shown(name)), f"the server refuses {name}")
    with Aiven() as platform:
        code, assessment, _ = live(platform, text("nobody"), "aiven-dead")
        check(credential(assessment, "aiven")["status"] == "unverified" and code == 3, f"aiven dead: exit {code}")
    return [[Aiven, text("admin"), [TRIAL, EVENTS], lambda asset: asset["in_headline"]]]
