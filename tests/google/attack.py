"""What somebody can really do to the data of a world: every call, first as whoever he can be without changing anything, then with all
that he can give himself, switch off and become."""
from world import EVERYTHING, Refused

HOLDS_DATA = {"sql", "bucket", "disk", "dataset", "spanner_database", "firestore", "secret", "cluster", "snapshot"}


def attempt(call, *arguments):
    try:
        call(*arguments)
    except (Refused, KeyError):
        pass


def becomes(world, who, changing):
    """Whom somebody can act as: service accounts whose tokens, statements or keys he can have made; with changes also those whose
    programs he can have run, and those that he can let himself have."""
    found = set()
    for mail, account in world.accounts.items():
        may = lambda permission: world.may(who, permission, account["key"])
        if account["disabled"]:
            continue
        free = any(may(f"iam.serviceAccounts.{one}") for one in ("getAccessToken", "signJwt", "signBlob"))
        project = f"projects/{account['project']}"
        runs = may("iam.serviceAccounts.actAs") and any(world.may(who, one, project) for one in ("compute.instances.create", "run.services.create", "cloudfunctions.functions.create"))
        if free or changing and (may("iam.serviceAccountKeys.create") or may("iam.serviceAccounts.setIamPolicy") or runs):
            found.add(f"serviceAccount:{mail}")
    return found


def identities(world, who, changing):
    known, todo = {who}, [who]
    while todo:
        at = todo.pop()
        for one in sorted(becomes(world, at, changing) - known):
            known.add(one)
            todo.append(one)
    return sorted(known)


def take_rights(world, who):
    """Gives somebody the rights that he may give."""
    taken = False
    for project in world.projects:
        node = f"projects/{project}"
        own = any(world.is_member(who, member) for member in world.own_roles.get(project, ()))
        if (world.may(who, "resourcemanager.projects.setIamPolicy", node) or own and world.may(who, "iam.roles.update", node)) and not all(world.may(who, one, node) for one in EVERYTHING if not denied(world, who, one, node)):
            world.bind(node, who, *EVERYTHING)
            taken = True
    gives = {"bucket": "storage.buckets.setIamPolicy", "spanner_database": "spanner.databases.setIamPolicy", "secret": "secretmanager.secrets.setIamPolicy"}
    for key, one in world.things.items():
        if one["kind"] in gives and world.may(who, gives[one["kind"]], key) and not any(at == key and member == who for at, member, _, _ in world.bindings):
            world.bind(key, who, *EVERYTHING)
            taken = True
    return taken


def denied(world, who, permission, node):
    line = list(world.above(node))
    return any(at in line and world.is_member(who, member) and permission in permissions for at, member, permissions in world.denies)


def weaken(world, who):
    """Switches off every protection that somebody may switch off."""
    for key, one in world.things.items():
        may = lambda permission: world.may(who, permission, key)
        kind = one["kind"]
        if kind == "sql" and may("cloudsql.instances.update"):
            one.update(protected=False, retained=False)
            one["copies"].pop("pitr", None)
        if kind == "bucket" and may("storage.buckets.update"):
            one["soft"] = 0
            if not one.get("locked"):
                one["retention"] = 0
        if kind == "instance" and may("compute.instances.setDeletionProtection"):
            one["protected"] = False
        if kind == "instance" and may("compute.instances.detachDisk"):
            one["disks"] = []
        if kind == "spanner_database" and may("spanner.databases.update"):
            one["protected"] = False
        if kind == "firestore" and may("datastore.databases.update"):
            one["protected"] = False
    for project in world.projects:
        if world.may(who, "resourcemanager.projects.updateLiens", f"projects/{project}"):
            world.liens[project] = []


def destroy_copies(world, who):
    for key, one in world.things.items():
        takes = {"sql": "cloudsql.backupRuns.delete", "firestore": "datastore.backups.delete"}.get(one["kind"])
        at = key if one["kind"] == "sql" else f"projects/{one['project']}"
        if takes and world.may(who, takes, at):
            one["copies"] = {}
        if one["kind"] == "spanner_database" and world.may(who, "spanner.backups.delete", one["up"]):
            one["copies"] = {}


def attached(world, name):
    return [one for one in world.things.values() if one["kind"] == "instance" and not one.get("deleted") and name in one["disks"]]


def destroy(world, who):
    """Calls everything that destroys."""
    for key in list(world.things):
        attempt(destroy_one, world, who, key)
    for project in world.projects:
        if world.may(who, "resourcemanager.projects.delete", f"projects/{project}") and not world.liens.get(project):
            for one in world.things.values():
                if one["project"] == project:
                    # Within 30 days its owners may have it back, if all of it is still there.
                    one["data"], one["window"] = False, one["data"] or one.get("window", False)


def destroy_one(world, who, key):
    one = world.things[key]
    may = lambda permission: world.may(who, permission, key)
    lose = lambda thing: thing.update(data=False, window=False)
    kind = one["kind"]
    if kind == "sql":
        if may("cloudsql.databases.delete"):
            lose(one)
        if may("cloudsql.instances.delete") and not one.get("protected"):
            lose(one)
            one["copies"] = dict(one["copies"]) if one.get("retained") else {}
    if kind == "bucket" and (may("storage.objects.delete") or may("storage.buckets.update")) and not one.get("retention") and not one.get("held"):
        lose(one)
        if one["soft"]:
            one["copies"]["soft"] = one["soft"]
    if kind == "instance" and may("compute.instances.delete") and not one.get("protected"):
        one["deleted"] = True
        for name in one["disks"]:
            disk = world.things[f"projects/{one['project']}/disk/{name}"]
            if disk.get("goes"):
                lose(disk)
    if kind == "disk" and may("compute.disks.delete") and not attached(world, one["name"]):
        lose(one)
    if kind == "snapshot" and may("compute.snapshots.delete"):
        lose(one)
    if kind == "dataset" and may("bigquery.datasets.delete"):
        lose(one)
    if kind == "table" and (may("bigquery.tables.delete") or may("bigquery.tables.updateData")):
        lose(world.things[one["up"]])
    if kind == "spanner_database":
        if may("spanner.databases.drop") and not one.get("protected") or may("spanner.databases.updateDdl") or may("spanner.databases.write"):
            lose(one)
        if world.may(who, "spanner.instances.delete", one["up"]):
            lose(one)
            one["copies"] = {}
    if kind == "firestore" and (may("datastore.entities.delete") or may("datastore.databases.delete") and not one.get("protected")):
        lose(one)
    if kind == "secret" and (may("secretmanager.secrets.delete") or may("secretmanager.versions.destroy")):
        lose(one)
    if kind == "cluster" and may("container.clusters.delete"):
        lose(one)


NOTICED = 8 * 86400


def comes_back(world, one):
    """Whether a copy is left that lasts until the loss is noticed."""
    soft = one["copies"].get("soft", 0)
    if soft >= NOTICED or any(name != "soft" and name != "pitr" for name in one["copies"]):
        return True
    if one["kind"] == "disk":
        return any(other["kind"] == "snapshot" and other["of"] == one["name"] and other["data"] for other in world.things.values())
    return False


def outcome(world, who):
    """For each thing that holds data: whether it is lost without a change, lost at all, lost for good without a change, and lost for good."""
    after = {}
    for changing in (False, True):
        mine = world.copy()
        if changing:
            while any(take_rights(mine, one) for one in identities(mine, who, True)):
                pass
        all_of_them = identities(mine, who, changing)
        if changing:
            for one in all_of_them:
                weaken(mine, one)
        everything = mine.copy()
        for one in all_of_them:
            destroy(mine, one)
        for one in all_of_them:
            destroy_copies(everything, one)
        for _ in range(2):
            for one in all_of_them:
                destroy(everything, one)
        for key, thing in world.things.items():
            if thing["kind"] not in HOLDS_DATA:
                continue
            lost = not mine.things[key]["data"]
            gone = everything.things[key]
            for_good = not gone["data"] and not gone.get("window") and not comes_back(everything, gone)
            after.setdefault(key, {}).update({("changed" if changing else "free"): (lost, for_good)})
    return after
