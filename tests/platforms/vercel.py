"""Vercel: a server that answers as its SDK and its command-line client read it, and what must hold of the answers about it."""
from runs import adds, check, credential, live, state
from server import Denied, Platform, made_up

TEAM, OTHER = "team_Zk7Qm2Xw9Rt4Lp8V", "team_b3Nc6Hd1Js5Gf0Yy"
VALUE = f"eyJ{made_up('variable', 60)}"


class Vercel(Platform):
    provider = "vercel"
    # The user, the role in the team, and the scopes of the token.
    TOKENS = {"owner": ("dana", "OWNER", ["user"]), "team": ("dana", "OWNER", [TEAM]), "member": ("milan", "MEMBER", ["user"]),
              "viewer": ("vera", "VIEWER", [TEAM]), "untold": ("dana", "OWNER", []), "project": ("dana", "OWNER", ["project"]), "colleague": ("cora", "OWNER", ["user"]), "lost": ("dana", "OWNER", [TEAM, "team_q0Zk7Qm2Xw9Rt4Lp"])}

    @classmethod
    def token(cls, name):
        return f"vcp_{made_up(name, 56)}"

    @staticmethod
    def company():
        connected = lambda *environments: [{"id": "spc_1", "projectId": "prj_shop", "name": "shop", "environments": list(environments)}]
        project = lambda name: {"id": f"prj_{name}", "name": name, "accountId": TEAM, "env": [{"key": "DATABASE_URL", "value": VALUE, "type": "encrypted"}], "passwordProtection": {"password": VALUE}}
        return {
            "projects": {TEAM: [project("shop"), project("blog"), project("docs")], OTHER: [], None: [{**project("toy"), "accountId": "dana"}]},
            "stores": {TEAM: [{"id": "store_photos", "name": "photos", "type": "blob", "projectsMetadata": connected("production", "preview")},
                              {"id": "store_trial", "name": "trial", "type": "blob", "projectsMetadata": []},
                              {"id": "store_orders", "name": "orders", "type": "integration", "product": {"name": "Neon", "slug": "neon"}, "projectsMetadata": connected("production")}], OTHER: [], None: []},
            "configs": {TEAM: [{"id": "ecfg_flags", "slug": "flags", "ownerId": TEAM, "createdAt": 1, "updatedAt": 1, "digest": "d", "sizeInBytes": 4, "itemCount": 2},
                               {"id": "ecfg_gone", "slug": "gone", "ownerId": TEAM, "createdAt": 1, "updatedAt": 1, "digest": "d", "sizeInBytes": 4, "itemCount": 2, "deletedAt": 2}], OTHER: [], None: []},
        }

    def who(self, shown):
        for name in self.TOKENS:
            if shown == f"Bearer {self.token(name)}":
                return name
        raise Denied(403)

    def acts(self, who, team):
        """Whether a token acts for its user there."""
        scopes = self.TOKENS[who][2]
        if team is None and who in ("team", "viewer"):
            raise Denied()
        if not ({"user", team} & set(scopes) or who in ("untold", "project")):
            raise Denied()

    def owns(self, who, team=TEAM):
        if self.TOKENS[who][1] != "OWNER" or self.TOKENS[who][2] == ["project"]:
            raise Denied()
        self.acts(who, team)

    def operations(self):
        return {
            "GET /v2/user": lambda who: {"user": {"id": self.TOKENS[who][0], "email": f"{self.TOKENS[who][0]}@northwind.example", "name": None, "username": self.TOKENS[who][0], "avatar": None, "defaultTeamId": TEAM, "limited": True}},
            "GET /v5/user/tokens/{tokenId}": self.current,
            "GET /v2/teams": self.teams,
            "GET /v10/projects": self.projects,
            "GET /v1/storage/stores": lambda who, teamId=None: (self.acts(who, teamId), {"stores": self.data["stores"][teamId]})[1],
            "GET /v1/global-config": lambda who, teamId=None: (self.acts(who, teamId), self.data["configs"][teamId])[1],
            "DELETE /storage/stores/blob/{id}": lambda who, store: self.gone(who, "stores", store),
            "DELETE /v9/projects/{idOrName}": lambda who, project: self.gone(who, "projects", project),
            "DELETE /v1/global-config/{edgeConfigId}": lambda who, config: self.gone(who, "configs", config),
            "DELETE /v1/teams/{teamId}": lambda who, team: (self.owns(who, team), self.data.update(projects={}, stores={}, configs={}), {})[2],
        }

    def current(self, who, token):
        assert token == "current"
        scopes = [{"type": "team", "teamId": scope, "createdAt": 1} if scope.startswith("team_") else {"type": scope, "createdAt": 1} for scope in self.TOKENS[who][2]]
        return {"token": {"id": made_up(who, 64), "name": who, "type": "token", "createdAt": 1, "activeAt": 1, **({"scopes": scopes} if scopes else {})}}

    def teams(self, who, limit=None, until=None):
        _, role, scopes = self.TOKENS[who]
        of = lambda team, slug: {"id": team, "slug": slug, "name": slug, "avatar": None, "createdAt": 1, "membership": {"confirmed": True, "role": role, "createdAt": 1, "created": 1}}
        shown = [of(TEAM, "northwind")]
        if "user" in scopes:
            # One that asks for a sign-on of its own.
            shown.append({**of(OTHER, "southwind"), "limited": True, "limitedBy": ["scope"]})
        at = int(until or 0)
        return {"teams": shown[at:at + 1], "pagination": {"count": 1, "next": at + 1 if at + 1 < len(shown) else None, "prev": None}}

    def projects(self, who, teamId=None, limit=None, **query):
        self.acts(who, teamId)
        all, at = self.data["projects"][teamId], int((query.get("from") or "0").removeprefix("after-"))
        return {"projects": all[at:at + 2], "pagination": {"count": 2, "next": f"after-{at + 2}" if at + 2 < len(all) else None}}

    def gone(self, who, kind, name):
        self.owns(who)
        self.data[kind][TEAM] = [one for one in self.data[kind][TEAM] if one["id"] != name]
        return {}


SHOP, DOCS, PHOTOS, ORDERS, FLAGS = (f"vercel:{name}" for name in ("prj_shop", "prj_docs", "store_photos", "store_orders", "ecfg_flags"))
DELETE = "DELETE /storage/stores/blob/{id}"


def text(name):
    return f"VERCEL_TOKEN={Vercel.token(name)}\n"


def prove():
    shown = lambda name: f"Bearer {Vercel.token(name)}"
    for name in ("owner", "team"):
        with Vercel() as platform:
            code, assessment, found = live(platform, text(name), f"vercel-{name}", secrets=[VALUE])
            check(code == 1 and found[PHOTOS]["answer"] == "nothing" and found[SHOP]["answer"] == "nothing", f"vercel {name}: exit {code}, {found[PHOTOS]}, {found[SHOP]}")
            check(found[PHOTOS]["environment"] == "production" and DOCS in found and "vercel:ecfg_gone" not in found, f"vercel {name}: {found[PHOTOS]}, {list(found)}")
            # What an integration keeps is told by its provider alone.
            check(found[ORDERS]["prevention"] == "open" and found[ORDERS]["bounds"][0] == "nothing" and found[ORDERS]["answer"] == "unknown", f"vercel {name}: {found[ORDERS]}")
            check(found[FLAGS]["prevention"] == "open", f"vercel {name}: {found[FLAGS]}")
            check(("vercel:prj_toy" in found) == (name == "owner"), f"vercel {name}: {list(found)}")
            check(any("team northwind" in place for place in found[PHOTOS]["place"]), f"vercel {name}: {found[PHOTOS]['place']}")
            token = credential(assessment, "vercel")
            check(token["status"] == "live" and "teams northwind" in token["scope"].replace("in teams", "teams") and "user dana" in token["identity"], f"vercel {name}: {token}")
            check(platform.deletes(DELETE, ("store_photos",), shown(name)), f"the server lets {name} delete the store")
            check(platform.deletes("DELETE /v9/projects/{idOrName}", ("prj_shop",), shown(name)) and len(platform.data["stores"][TEAM]) == 2, f"the server lets {name} delete the project, and keeps the stores")
    for name in ("member", "viewer", "untold", "project"):
        with Vercel() as platform:
            _, assessment, found = live(platform, text(name), f"vercel-{name}", secrets=[VALUE])
            for key in (SHOP, PHOTOS, ORDERS, FLAGS):
                check(found[key]["bounds"] == ["nothing", "stopped"] and state(assessment, found[key], "permit") == "unknown", f"vercel {name}: {found[key]}")
            check(platform.deletes(DELETE, ("store_photos",), shown(name)) == (name == "untold"), f"the server and {name}")
    for name, host, orders in (("neon", "ep-calm-main-1.eu-central-1.aws.neon.tech", True), ("tunnel", "localhost", True), ("other", "db.abcdefghijklmnopqrst.supabase.co", False)):
        with Vercel() as platform:
            # A store of the Marketplace may be the database at any host of its product.
            _, assessment, found = live(platform, f"DATABASE_URL=postgres://app:{made_up('data', 30)}@{host}/app\n" + text("viewer"), f"vercel-url-{name}", secrets=[VALUE])
            actions = lambda key: {path["action"] for path in assessment["paths"] if path["id"] in found[key]["paths"]}
            check(any("same:" in action for action in actions(ORDERS)) == orders and not any("same:" in action for action in actions(PHOTOS)), f"vercel url {name}: {actions(ORDERS)}")
    for name in ("team", "lost"):
        with Vercel() as platform:
            # A team of the token's scopes that is not listed may have anything.
            _, _, found = live(platform, text(name), f"vercel-scope-{name}", secrets=[VALUE])
            check(any(key.startswith("vercel:scope/") for key in found) == (name == "lost"), f"vercel scope {name}: {list(found)}")
    with Vercel() as platform:
        # A token that tells no scopes may act wherever its user may.
        check(adds(platform, text("viewer"), f"OTHER_{text('untold')}", PHOTOS, "vercel-two", secrets=[VALUE]), "vercel two")
    for name in ("BLOB_READ_WRITE_TOKEN=vercel_blob_rw_", "AI_GATEWAY_API_KEY=vck_"):
        # What is for the data of a store, or for models, is sent nowhere.
        with Vercel() as platform:
            live(platform, f"{name}{made_up(name, 40)}\n", f"vercel-elsewhere-{name[:2]}")
            check(not platform.asked, f"vercel elsewhere {name}: {platform.asked}")
    with Vercel() as platform:
        code, assessment, _ = live(platform, text("nobody"), "vercel-dead")
        check(credential(assessment, "vercel")["status"] == "unverified" and code == 3, f"vercel dead: exit {code}")
    return [[Vercel, text("owner"), [SHOP, PHOTOS, ORDERS], lambda asset: asset["in_headline"]]]
