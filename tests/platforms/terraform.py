"""HCP Terraform: a server that answers as it describes itself, and what must hold of the answers about it."""
import hashlib

from runs import adds, check, credential, live, state
from server import Denied, Platform

RIGHTS = ("can-update", "can-destroy", "can-force-delete", "can-queue-run", "can-queue-apply", "can-queue-destroy", "can-create-state-versions", "can-lock", "can-update-variable", "can-manage-run-tasks", "can-read-variable")
ORGANIZATION = ("can-destroy", "can-manage-recoverable-items", "can-update", "can-create-team", "can-manage-users", "can-update-authentication-token", "can-update-api-token", "can-update-agent-pools", "can-traverse")


class Terraform(Platform):
    provider = "terraform"
    # What each team may do: "Permissions" of the documentation.
    TEAMS = {"owners": set(RIGHTS), "admins": set(RIGHTS), "writers": {"can-queue-run", "can-queue-apply", "can-queue-destroy", "can-create-state-versions", "can-lock"},
             "planners": {"can-queue-run"}, "readers": set(), "careful": {"can-destroy", "can-update", "can-queue-destroy"},
             "variables": {"can-read-variable", "can-update-variable"}, "pools": {"can-read-variable"}}
    # Rights to the organization of those that do not own it.
    OF_ORGANIZATION = {"pools": {"can-update-agent-pools", "can-traverse"}, "readers": {"can-traverse"}}
    # Whose list of workspaces breaks off after its first page.
    cut = None

    @classmethod
    def token(cls, name):
        digits = hashlib.sha512(name.encode()).hexdigest()
        return f"{digits[:14]}.atlasv1.{digits[14:80]}"

    @staticmethod
    def company():
        workspace = lambda number, name, destroy: {"id": f"ws-{number}", "name": name, "project": "prj-1", "allow-destroy-plan": destroy, "auto-apply": False, "resource-count": 41}
        return {"workspaces": [workspace(1, "production", True), workspace(2, "network", False), workspace(3, "trial", True)], "recoverable": False}

    def who(self, shown):
        for name in self.TEAMS:
            if shown == f"Bearer {self.token(name)}":
                return name
        raise Denied(401)

    @staticmethod
    def page(items, query):
        at = int(query.get("page[number]") or 1)
        pages = max(1, (len(items) + 1) // 2)
        return {"data": items[(at - 1) * 2:at * 2], "meta": {"pagination": {"current-page": at, "next-page": at + 1 if at < pages else None, "prev-page": at - 1 or None, "total-pages": pages, "total-count": len(items)}}}

    def operations(self):
        organization = lambda who: {"id": "northwind", "type": "organizations", "attributes": {
            "name": "northwind", "recoverable-items-enabled": self.data["recoverable"], **({"stacks-enabled": False} if self.data.get("plain") else {}),
            "permissions": {right: who == "owners" or right in self.OF_ORGANIZATION.get(who, ()) for right in ORGANIZATION}}}
        return {
            "GET /api/v2/account/details": lambda who: {"data": {"id": f"user-{who}", "type": "users", "attributes": {"username": f"api-{who}", "is-service-account": True}}},
            "GET /api/v2/organizations": lambda who, **query: self.page([organization(who)], query),
            "GET /api/v2/organizations/{organization_name}/projects": lambda who, name, **query: self.page(
                [{"id": "prj-1", "type": "projects", "attributes": {"name": "shop", "permissions": {right: who == "owners" for right in ("can-destroy", "can-update", "can-manage-teams")}}}], query),
            "GET /api/v2/organizations/{organization_name}/workspaces": self.workspaces,
            "DELETE /api/v2/workspaces/{workspace_id}": self.delete,
            "PATCH /api/v2/workspaces/{workspace_id}": self.allow,
            "POST /api/v2/runs": lambda who, workspace: self.destroy(who, workspace),
        }

    def workspaces(self, who, name, **query):
        if who == self.cut and query.get("page[number]", "1") != "1":
            raise Denied(404)
        attributes = ("name", "allow-destroy-plan", "auto-apply", "resource-count")
        permissions = {right: right in self.TEAMS[who] for right in RIGHTS}
        return self.page([{"id": one["id"], "type": "workspaces", "attributes": {**{key: one[key] for key in attributes}, "locked": False, "permissions": permissions},
                           "relationships": {"project": {"data": {"id": one["project"], "type": "projects"}}}} for one in self.data["workspaces"]], query)

    def delete(self, who, workspace):
        if "can-force-delete" not in self.TEAMS[who]:
            raise Denied(404)
        self.data["workspaces"] = [one for one in self.data["workspaces"] if one["id"] != workspace]
        return {}

    def allow(self, who, workspace):
        if "can-update" not in self.TEAMS[who]:
            raise Denied(404)
        next(one for one in self.data["workspaces"] if one["id"] == workspace)["allow-destroy-plan"] = True
        return {}

    def destroy(self, who, workspace):
        """A run that destroys everything."""
        one = next(one for one in self.data["workspaces"] if one["id"] == workspace)
        if "can-queue-destroy" not in self.TEAMS[who] or not one["allow-destroy-plan"]:
            raise Denied(422)
        one["resource-count"] = 0
        return {}

    def destroys(self, name, workspace):
        try:
            self.destroy(name, workspace)
        except Denied:
            return False
        return True


PRODUCTION, NETWORK, TRIAL = "terraform:northwind/ws-1", "terraform:northwind/ws-2", "terraform:northwind/ws-3"


def text(name):
    return f"TFE_TOKEN={Terraform.token(name)}\n"


def prove():
    shown = lambda name: f"Bearer {Terraform.token(name)}"
    delete, update = "DELETE /api/v2/workspaces/{workspace_id}", "PATCH /api/v2/workspaces/{workspace_id}"
    for name in ("owners", "admins", "writers"):
        with Terraform() as platform:
            code, assessment, found = live(platform, text(name), f"terraform-{name}")
            check(code == 1 and found[PRODUCTION]["answer"] == "nothing", f"terraform {name}: exit {code}, {found[PRODUCTION]}")
            token = credential(assessment, "terraform")
            check(token["status"] == "live" and f"api-{name}" in token["identity"] and "organizations northwind" in token["scope"], f"terraform {name}: {token}")
            check(platform.destroys(name, "ws-1"), f"the server lets {name} destroy")
            check(platform.deletes(delete, ("ws-1",), shown(name)) == (name != "writers"), f"the server and {name}")
    for name in ("planners", "readers"):
        with Terraform() as platform:
            _, assessment, found = live(platform, text(name), f"terraform-{name}")
            for key in (PRODUCTION, NETWORK):
                # A plan runs what a configuration says, with the credentials of the workspace.
                expected = ("unknown", "unknown") if name == "planners" else ("stopped", "stops")
                check((found[key]["answer"], state(assessment, found[key], "permit")) == expected, f"terraform {name}: {found[key]}")
            check(not platform.destroys(name, "ws-1") and not platform.deletes(delete, ("ws-1",), shown(name)), f"the server refuses {name}")
    with Terraform() as platform:
        # Where no destroy plan is allowed, one who may change the workspace allows it first.
        _, assessment, found = live(platform, text("careful"), "terraform-careful")
        check(found[NETWORK]["answer"] == "unknown" and found[PRODUCTION]["bounds"] == ["nothing", "nothing"], f"terraform careful: {found[NETWORK]}, {found[PRODUCTION]}")
        path = next(path for path in assessment["paths"] if path["id"] in found[NETWORK]["paths"] and path["action"] == "queueDestroy")
        check(next(one["state"] for one in path["layers"] if one["layer"] == "protect") == "slows", f"terraform careful: {path}")
        check(not platform.destroys("careful", "ws-2"), "the server refuses a destroy plan")
        check(platform.deletes(update, ("ws-2",), shown("careful")) and platform.destroys("careful", "ws-2"), "lets it be allowed, and destroys then")
    for name in ("variables", "pools"):
        # A variable may take every resource away; an agent runs what every workspace runs.
        with Terraform() as platform:
            _, assessment, found = live(platform, text(name), f"terraform-{name}")
            check(found[PRODUCTION]["bounds"] == ["nothing", "stopped"] and state(assessment, found[PRODUCTION], "permit") == "unknown", f"terraform {name}: {found[PRODUCTION]}")
    with Terraform() as platform:
        platform.cut = "admins"
        check(adds(platform, text("readers"), f"OTHER_{text('admins')}", TRIAL, "terraform-cut"), "terraform cut")
        check(platform.destroys("admins", "ws-3"), "the server lets it destroy what it did not list")
    for name, line in (("variable", f"{text('owners')}TFE_HOSTNAME=tfe.example"), ("name", f"TF_TOKEN_tfe_example={Terraform.token('owners')}")):
        # What is for a server of somebody's own is sent nowhere.
        with Terraform() as platform:
            _, assessment, _ = live(platform, f"{line}\n", f"terraform-elsewhere-{name}")
            check(not platform.asked and credential(assessment, "terraform")["kind"] == "server_token", f"terraform elsewhere {name}: {platform.asked}")
    for plain in (False, True):
        # Stacks keep state too.
        with Terraform({**Terraform.company(), "plain": plain}) as platform:
            _, _, found = live(platform, text("owners"), f"terraform-stacks-{plain}")
            check(("terraform:northwind/?" in found) != plain, f"terraform stacks {plain}: {list(found)}")
    for name, purged in (("owners", True), ("admins", False)):
        with Terraform({**Terraform.company(), "recoverable": True}) as platform:
            _, assessment, found = live(platform, text(name), f"terraform-recoverable-{name}")
            check(found[PRODUCTION]["answer"] == "nothing", f"terraform recoverable {name}: {found[PRODUCTION]}")
    with Terraform() as platform:
        code, assessment, _ = live(platform, text("nobody"), "terraform-dead")
        check(credential(assessment, "terraform")["status"] == "unverified" and code == 3, f"terraform dead: exit {code}")
    return [[Terraform, text("admins"), [PRODUCTION], lambda asset: asset["in_headline"]]]
