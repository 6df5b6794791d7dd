"""What somebody can really do to the data of a world: every call by itself, first as who he is, then as whoever he can become."""
from world import Refused

ADMIN_VERBS = ("*", "*", "*")


def tries(world, call):
    """The world after a call, or nothing if it is refused."""
    after = world.copy()
    try:
        call(after)
    except (Refused, KeyError):
        return None
    return after


def direct(world, user, groups):
    """Each call that may destroy something, as a function of a world."""
    calls = []
    demand = lambda w, *what, **more: w.demand(user, *what, groups=groups, **more)

    def add(what, does):
        calls.append((what, does))

    for namespace, name in world.claims:
        def claim(w, namespace=namespace, name=name):
            demand(w, "delete", "", "persistentvolumeclaims", namespace, name)
            w.drop_claim((namespace, name))
        add(f"delete claim {namespace}/{name}", claim)

        def run(w, namespace=namespace, name=name):
            makers = [("create", "", "pods"), ("create", "apps", "deployments"), ("patch", "apps", "deployments"), ("create", "batch", "jobs"), ("create", "batch", "cronjobs"), ("patch", "apps", "statefulsets")]
            if not any(w.may(user, *maker, namespace, groups=groups) for maker in makers):
                raise Refused()
            demand_hooks(w, "create", "pods")
            w.wipe(namespace, [name])
        add(f"run a pod with {namespace}/{name}", run)
    for namespace, pod in world.pods:
        def enter(w, namespace=namespace, pod=pod):
            ways = [("create", "", "pods/exec"), ("get", "", "pods/exec"), ("patch", "", "pods/ephemeralcontainers"), ("create", "", "nodes/proxy"), ("get", "", "nodes/proxy")]
            if not any(w.may(user, *way, None if "nodes" in way[2] else namespace, pod, groups=groups) for way in ways):
                raise Refused()
            w.wipe(namespace, w.pods[namespace, pod]["claims"])
        add(f"enter {namespace}/{pod}", enter)
    for namespace in world.namespaces:
        def every(w, namespace=namespace):
            demand(w, "deletecollection", "", "persistentvolumeclaims", namespace)
            for key in [key for key in w.claims if key[0] == namespace]:
                w.drop_claim(key)
        add(f"delete all claims of {namespace}", every)

        def gone(w, namespace=namespace):
            demand(w, "delete", "", "namespaces", namespace, namespace)
            w.drop_namespace(namespace)
        add(f"delete namespace {namespace}", gone)
    for name in world.volumes:
        def take(w, name=name):
            if not any(w.may(user, verb, "", "persistentvolumes", None, name, groups=groups) for verb in ("patch", "update")):
                raise Refused()
            spec = w.volumes[name]["spec"]
            spec["persistentVolumeReclaimPolicy"] = "Delete"
            spec["claimRef"] = {**spec["claimRef"], "uid": "another"}
            w.settle(name)
        add(f"take volume {name} from its claim", take)

        def alias(w, name=name):
            demand(w, "create", "", "persistentvolumes")
            spec = {**w.volumes[name]["spec"], "persistentVolumeReclaimPolicy": "Delete", "claimRef": {"namespace": "none", "name": "none", "uid": "none"}}
            w.volumes["alias"] = {"metadata": {"name": "alias"}, "spec": spec, "status": {}}
            w.settle("alias")
        add(f"make another volume of the disk of {name}", alias)
    for namespace, name in world.sets:
        def delete_set(w, namespace=namespace, name=name):
            if not (w.may(user, "delete", "apps", "statefulsets", namespace, name, groups=groups) or w.may(user, "deletecollection", "apps", "statefulsets", namespace, groups=groups)):
                raise Refused()
            w.drop_owner(namespace, "StatefulSet", name)
        add(f"delete set {namespace}/{name}", delete_set)
    for namespace, name in world.customs:
        def delete_custom(w, namespace=namespace, name=name):
            demand(w, "delete", "postgresql.cnpg.io", "clusters", namespace, name)
            w.drop_owner(namespace, "Cluster", name)
        add(f"delete database {namespace}/{name}", delete_custom)
    for kind in world.kinds:
        def delete_kind(w, kind=kind):
            demand(w, "delete", "apiextensions.k8s.io", "customresourcedefinitions", None, kind)
            for namespace, name in list(w.customs):
                w.drop_owner(namespace, "Cluster", name)
        add(f"delete the kind {kind}", delete_kind)
    return calls


def demand_hooks(world, verb, resource):
    for asked in world.hooks.values():
        if (verb, resource) in asked.get("refuses", []):
            raise Refused()


def lost(world, user, groups):
    """The claims whose data somebody can destroy by one call."""
    gone = set()
    before = [key for key in world.claims if world.disk(*key)]
    for _, call in direct(world, user, groups):
        after = tries(world, call)
        if after:
            gone.update(key for key in before if not after.disk(*key))
    return gone


def becomes(world, user, groups):
    """Whoever somebody can become: worlds with the rights that he gave himself, and other identities."""
    rbac = "rbac.authorization.k8s.io"
    may = lambda verb, group, resource, namespace=None, name=None: world.may(user, verb, group, resource, namespace, name, groups)
    everything = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    if may("bind", rbac, "clusterroles") and any(may(verb, rbac, "clusterrolebindings") for verb in ("create", "patch", "update")) or \
            may("escalate", rbac, "clusterroles") and any(may(verb, rbac, "clusterroles") for verb in ("patch", "update")):
        more = world.copy()
        more.bind(user, everything)
        yield more, user, groups
    if may("impersonate", "", "users") and may("impersonate", "", "groups", name="system:masters"):
        yield world, "somebody", ["system:masters"]
    for namespace in world.namespaces:
        if (may("bind", rbac, "clusterroles", namespace) or may("bind", rbac, "roles", namespace)) and any(may(verb, rbac, "rolebindings", namespace) for verb in ("create", "patch", "update")):
            more = world.copy()
            more.bind(user, everything, namespace)
            yield more, user, groups
        accounts = [name for name in world.users if name.startswith(f"system:serviceaccount:{namespace}:")]
        for account in accounts:
            short = account.rsplit(":", 1)[1]
            runs = any(may(verb, group, kind, namespace) for verb, group, kind in [("create", "", "pods"), ("create", "apps", "deployments"), ("patch", "apps", "deployments"), ("create", "batch", "jobs")])
            enters = any(pod["account"] == short and (may("create", "", "pods/exec", namespace, name) or may("get", "", "pods/exec", namespace, name)) for (within, name), pod in world.pods.items() if within == namespace)
            token = may("create", "", "serviceaccounts/token", namespace, short) or may("impersonate", "", "serviceaccounts", namespace, short)
            read = any(may(verb, "", "secrets", namespace, f"token-{short}") for verb in ("get", "list")) and (namespace, f"token-{short}") in world.secrets
            # What a program of the cluster does on the word of whoever may write what it acts on.
            steered = may("patch", "", "configmaps", namespace) and ("steers", namespace, short) in world.silent
            if runs or enters or token or read or steered:
                yield world, account, world.users[account]


def all_lost(world, user, groups):
    """The same with all that somebody may give himself and become."""
    gone, seen, todo = set(), set(), [(world, user, groups)]
    while todo:
        at, who, held = todo.pop()
        mark = (who, tuple(held), len(at.bound))
        if mark in seen or len(seen) > 40:
            continue
        seen.add(mark)
        gone |= lost(at, who, held)
        todo.extend(becomes(at, who, held))
    return gone
