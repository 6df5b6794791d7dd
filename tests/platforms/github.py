"""GitHub: a server that answers as it describes itself, and what must hold of the answers about it."""
from runs import adds, check, credential, live, state
from server import Denied, Platform, made_up


class GitHub(Platform):
    provider = "github"
    # User and scopes; without scopes it is a fine-grained token, of which no header speaks.
    TOKENS = {
        "deleter": ("dana", ["delete_repo", "read:org", "repo"]),
        "pusher": ("dana", ["read:org", "repo"]),
        "signer": ("dana", ["admin:public_key", "read:org", "read:user"]),
        "reader": ("dana", ["read:org", "read:user"]),
        "owner": ("dana", ["admin:org", "read:user"]),
        "steward": ("dana", ["read:org", "read:user", "write:org"]),
        "strange": ("dana", ["read:org", "rule_the_world"]),
        "member": ("milan", ["delete_repo", "read:org", "repo"]),
        "fine": ("dana", None),
        # Of a token of an app the header is there, and empty.
        "app": ("dana", []),
        "blunt": ("dana", ["delete_repo"]),
    }
    # Whose list breaks off after its first page, and whether organizations that ask for a sign-on are left out of it.
    cut, signed = None, False

    @classmethod
    def token(cls, name):
        return f"github_pat_{made_up(name, 64)}{made_up(name, 10)}" if name == "fine" else f"{'ghu' if name == 'app' else 'ghp'}_{made_up(name, 36)}"

    @staticmethod
    def company():
        repository = lambda number, owner, kind, name, private, forks: {
            "id": number, "name": name, "full_name": f"{owner}/{name}", "owner": {"login": owner, "type": kind}, "private": private, "fork": False, "forks_count": forks, "archived": False,
            "default_branch": "main", "size": 120, "permissions": {"admin": True, "push": True, "pull": True}}
        return {
            "repositories": [repository(1, "northwind", "Organization", "shop", True, 0), repository(2, "northwind", "Organization", "site", False, 2),
                             repository(3, "dana", "User", "notes", True, 0)],
            "roles": {"dana": "admin", "milan": "member"},
            # Only owners delete: "Setting permissions for deleting or transferring repositories".
            "members_can_delete_repositories": False,
        }

    def who(self, shown):
        for name, who in self.TOKENS.items():
            if shown == f"Bearer {self.token(name)}":
                return who
        raise Denied(401)

    def told(self, key, query, shown):
        scopes = self.who(shown)[1]
        headers = [] if scopes is None else [("X-OAuth-Scopes", ", ".join(scopes))]
        at = int(query.get("page") or 1)
        if key == "GET /user/repos" and at * 2 < len(self.seen(self.who(shown))):
            headers.append(("Link", f'<https://api.github.com/user/repos?page={at + 1}>; rel="next", <https://api.github.com/user/repos?page=9>; rel="last"'))
        if key == "GET /user/repos" and self.signed:
            headers.append(("X-GitHub-SSO", "partial-results; organizations=21955855,20582480"))
        return headers

    def seen(self, who):
        user, scopes = who
        shown = lambda one: not one["private"] or scopes is None or "repo" in scopes
        return [one for one in self.data["repositories"] if shown(one) and (one["owner"]["login"] == user or one["owner"]["type"] == "Organization")]

    def listed(self, who, page):
        if self.cut and who == self.TOKENS[self.cut] and page != "1":
            raise Denied(404)
        return self.seen(who)

    def operations(self):
        page = lambda items, page: items[(int(page or 1) - 1) * 2:int(page or 1) * 2]
        return {
            "GET /user": lambda who: {"id": {"dana": 583231, "milan": 583232}[who[0]], "login": who[0], "type": "User"},
            "GET /user/memberships/orgs": self.memberships,
            "GET /user/repos": lambda who, per_page=None, page=None, _page=page: _page(self.listed(who, page), page),
            "DELETE /repos/{owner}/{repo}": self.delete,
            "PATCH /repos/{owner}/{repo}/git/refs/{ref}": self.overwrite,
            "DELETE /orgs/{org}": self.delete_organization,
        }

    def memberships(self, who, state=None, per_page=None, page=None):
        user, scopes = who
        if scopes is not None and not {"read:org", "admin:org"} & set(scopes):
            raise Denied()
        return [{"state": "active", "role": self.data["roles"][user], "organization": {"login": "northwind"}}] if int(page or 1) == 1 else []

    def delete(self, who, owner, name):
        user, scopes = who
        owns = owner == user or self.data["roles"][user] == "admin" or self.data["members_can_delete_repositories"]
        if "delete_repo" not in (scopes or ()) or not owns:
            raise Denied()
        self.data["repositories"] = [one for one in self.data["repositories"] if one["full_name"] != f"{owner}/{name}"]
        return {}

    def overwrite(self, who, owner, name, ref):
        one = next(one for one in self.data["repositories"] if one["full_name"] == f"{owner}/{name}")
        if "repo" not in (who[1] or ()) and not ("public_repo" in (who[1] or ()) and not one["private"]):
            raise Denied()
        return {}

    def delete_organization(self, who, organization):
        if "admin:org" not in (who[1] or ()) or self.data["roles"][who[0]] != "admin":
            raise Denied()
        return {}


SHOP, SITE = "github:northwind/shop", "github:northwind/site"


def text(name):
    return f"GITHUB_TOKEN={GitHub.token(name)}\n"


def prove():
    shown = lambda name: f"Bearer {GitHub.token(name)}"
    delete, overwrite = "DELETE /repos/{owner}/{repo}", "PATCH /repos/{owner}/{repo}/git/refs/{ref}"
    acts = lambda assessment, asset: {path["action"] for path in assessment["paths"] if path["id"] in asset["paths"]}
    with GitHub() as platform:
        code, assessment, found = live(platform, text("deleter"), "github-deleter")
        # It comes back for 90 days, without what was overwritten before; a repository with forks does not come back.
        check(found[SHOP]["answer"] == "nothing" and found[SHOP]["prevention"] == "open", f"github deleter: {found[SHOP]}")
        deletes = next(path for path in assessment["paths"] if path["id"] in found[SHOP]["paths"] and path["action"] == "repos/delete")
        check(next(one["state"] for one in deletes["layers"] if one["layer"] == "survive") == "slows", f"github deleter: {deletes}")
        check(code == 1 and found[SITE]["answer"] == "nothing" and found[SITE]["prevention"] == "open", f"github deleter: exit {code}, {found[SITE]}")
        check("github:dana/notes" in found, f"github deleter: {list(found)}")
        token = credential(assessment, "github")
        check("scopes delete_repo, read:org, repo" in token["scope"] and "user dana" in token["identity"], f"github deleter: {token}")
        check(platform.deletes(delete, ("northwind", "shop"), shown("deleter")), "the server deletes the repository")
    with GitHub() as platform:
        _, assessment, found = live(platform, text("pusher"), "github-pusher")
        check(found[SITE]["bounds"][0] == "nothing" and state(assessment, found[SITE], "protect") == "unknown", f"github pusher: {found[SITE]}")
        deletes = [path for path in assessment["paths"] if path["id"] in found[SITE]["paths"] and path["action"] == "repos/delete"]
        check(all(one["state"] == "unknown" for path in deletes for one in path["layers"] if one["layer"] == "permit"), f"github pusher: {deletes}")
        check(not platform.deletes(delete, ("northwind", "site"), shown("pusher")), "the server refuses a token without delete_repo")
        check(platform.deletes(overwrite, ("northwind", "site", "main"), shown("pusher")), "and lets it overwrite a branch")
    with GitHub() as platform:
        _, assessment, found = live(platform, text("reader"), "github-reader")
        check(found[SITE]["answer"] == "stopped" and state(assessment, found[SITE], "permit") == "stops", f"github reader: {found[SITE]}")
        for key, parts in [(delete, ("northwind", "site")), (overwrite, ("northwind", "site", "main")), ("DELETE /orgs/{org}", ("northwind",))]:
            check(not platform.deletes(key, parts, shown("reader")), f"the server refuses a reader {key}")
    with GitHub() as platform:
        # A key that it may add pushes.
        _, assessment, found = live(platform, text("signer"), "github-signer")
        check(found[SITE]["bounds"] == ["nothing", "stopped"], f"github signer: {found[SITE]}")
    with GitHub() as platform:
        _, assessment, found = live(platform, text("owner"), "github-owner")
        check(found[SITE]["answer"] == "nothing" and "orgs/delete" in acts(assessment, found[SITE]), f"github owner: {found[SITE]}, {acts(assessment, found[SITE])}")
        check(platform.deletes("DELETE /orgs/{org}", ("northwind",), shown("owner")), "the server deletes the organization")
    for name in ("member", "fine", "app", "strange", "steward"):
        with GitHub() as platform:
            _, assessment, found = live(platform, text(name), f"github-{name}")
            check(found[SITE]["answer"] == "unknown" and found[SITE]["bounds"][0] == "nothing", f"github {name}: {found[SITE]}")
            check(not platform.deletes(delete, ("northwind", "site"), shown(name)), f"the server refuses {name}")
    with GitHub() as platform:
        # To delete a repository takes the scope delete_repo; to be shown a private one takes repo.
        check(adds(platform, text("pusher"), f"OTHER_{text('blunt')}", SHOP, "github-two"), "github two")
        check(platform.deletes(delete, ("northwind", "shop"), shown("blunt")), "the server deletes what it does not show")
    with GitHub() as platform:
        # A page that one token was refused, and another was not.
        platform.cut = "deleter"
        check(adds(platform, text("pusher"), f"OTHER_{text('deleter')}", "github:dana/notes", "github-cut"), "github cut")
    for name, signed in (("deleter", True), ("member", False)):
        with GitHub() as platform:
            platform.signed = signed
            _, _, found = live(platform, text(name), f"github-partial-{name}")
            check("github:northwind/?" in found, f"github partial {name}: {list(found)}")
    for name, line in (("variable", "GITHUB_HOST=https://ghe.example"), ("api", "GITHUB_API_URL=https://ghe.example/api/v3")):
        # What is for a server of somebody's own is sent nowhere.
        with GitHub() as platform:
            _, assessment, _ = live(platform, f"{text('deleter')}{line}\n", f"github-elsewhere-{name}")
            check(not platform.asked and credential(assessment, "github")["kind"] == "enterprise_token", f"github elsewhere {name}: {platform.asked}, {credential(assessment, 'github')}")
    # An answer without the header that tells a classic token's scopes tells nothing.
    with GitHub() as platform:
        platform.told = lambda *_: []
        _, _, found = live(platform, text("reader"), "github-untold")
        check(found[SITE]["answer"] == "unknown", f"github untold: {found[SITE]}")
    with GitHub() as platform:
        code, assessment, _ = live(platform, f"GITHUB_TOKEN=ghp_{made_up('nobody', 36)}\n", "github-dead")
        check(credential(assessment, "github")["status"] == "unverified" and code == 3, f"github dead: exit {code}")
    return [[GitHub, text("deleter"), [SITE], lambda asset: asset["in_headline"]]]
