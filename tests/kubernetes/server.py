"""An API server over a world (world.py): TLS with an authority of its own, tokens and client certificates, lists in pages, reviews, deletes."""
import http.server
import json
import pathlib
import re
import ssl
import subprocess
import threading
import time
import urllib.parse

import published
from world import Refused, made_up

REVIEWS = {"SelfSubjectReview", "SelfSubjectRulesReview", "SelfSubjectAccessReview"}


class Authority:
    """Makes certificates, by openssl."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=kubernetes", "-keyout", "ca.key", "-out", "ca.pem")
        self.certificate("server", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1,DNS:localhost")

    def run(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def certificate(self, name, subject, extension=None, kind="ec"):
        """Key and certificate of this subject, as PEM: the key in PKCS 8, or as kubeadm and older tools write it (`rsa`, `sec1`)."""
        keys = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        self.run("req", "-newkey", *keys, "-nodes", "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(extension or "extendedKeyUsage=clientAuth")
        self.run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        if kind != "ec":
            self.run(*(["rsa", "-traditional"] if kind == "rsa" else ["ec"]), "-in", f"{name}.key", "-out", f"{name}.old")
            return self.read(f"{name}.pem"), self.read(f"{name}.old")
        return self.read(f"{name}.pem"), self.read(f"{name}.key")

    def read(self, name):
        return (self.folder / name).read_bytes()


class Server:
    """`fault`: a function of the question (method, path, review) that gives what becomes of its answer, or nothing."""

    def __init__(self, world, authority, page=500):
        self.world, self.page, self.fault = world, page, None
        self.asked, self.wrong, self.lock = [], [], threading.Lock()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            timeout = 60

            def log_message(self, *_):
                pass

            def handle_one(self):
                server.reply(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_one

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.http = Quiet(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.folder / "server.pem", authority.folder / "server.key")
        context.load_verify_locations(authority.folder / "ca.pem")
        context.verify_mode = ssl.CERT_OPTIONAL
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.place = f"127.0.0.1:{self.http.server_address[1]}"
        self.url = f"https://{self.place}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    def who(self, request):
        shown = request.headers.get("Authorization") or ""
        if shown:
            name = self.world.tokens.get(shown.removeprefix("Bearer "))
            if not name:
                raise Refused(401)
            return name, self.world.users[name]
        certificate = request.connection.getpeercert() or {}
        fields = [pair for part in certificate.get("subject", ()) for pair in part]
        names = [value for key, value in fields if key == "commonName"]
        if not names and "system:anonymous" not in self.world.users:
            raise Refused(401)
        if not names:
            return "system:anonymous", self.world.users["system:anonymous"]
        return names[0], ["system:authenticated", *[value for key, value in fields if key == "organizationName"]]

    def reply(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        review = json.loads(body) if body else None
        key = (request.command, url.path, json.dumps(review.get("spec"), sort_keys=True) if review else "")
        wrong = []
        if not published.is_published(request.command, url.path):
            wrong.append(f"{request.command} {url.path} is not published")
        if request.command == "POST" and review.get("kind") not in REVIEWS or request.command not in ("GET", "POST"):
            wrong.append(f"{request.command} {url.path} changes something")
        if request.command == "GET" and set(query) - {"limit", "continue"} or request.command == "POST" and query:
            wrong.append(f"{request.command} {request.path} asks for more")
        if "secrets" in url.path:
            wrong.append("secrets were read")
        with self.lock:
            self.wrong += wrong
            self.asked.append((request.headers.get("Authorization"), *key, query.get("continue")))
            try:
                user, groups = self.who(request)
                status, answer = self.answer(request.command, url.path, query, review, user, groups)
            except Refused as refused:
                status = refused.status
                answer = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "no", "reason": "Forbidden", "code": status}
        if status < 300:
            problems = published.check(answer)
            self.wrong += problems
        text = json.dumps(answer).encode()
        fault = self.fault(key) if self.fault else None
        if fault == "hangs":
            time.sleep(40)
            return self.drop(request)
        if fault == "drops":
            return self.drop(request)
        headers = []
        if fault:
            status, text, headers = fault(status, text)
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        for name, value in headers:
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    @staticmethod
    def drop(request):
        request.close_connection = True
        try:
            request.connection.shutdown(2)
        except OSError:
            pass

    def answer(self, method, path, query, review, user, groups):
        world = self.world
        if method == "POST":
            return 201, {**review, "metadata": {}, "spec": review.get("spec") or {}, "status": self.review(review, user, groups)} if review["kind"] != "SelfSubjectReview" else {**review, "metadata": {}, "status": self.review(review, user, groups)}
        if path == "/apis":
            return 200, self.groups()
        for pattern, kind, group, resource, items in self.lists():
            found = re.fullmatch(pattern, path)
            if found:
                namespace = found.groupdict().get("namespace")
                world.demand(user, "list", group, resource, namespace, groups=groups)
                served = [one for one in items() if not namespace or one["metadata"].get("namespace") == namespace]
                if kind in self.absent():
                    raise Refused(404)
                return 200, self.paged(kind, group, served, query)
        raise Refused(404)

    def absent(self):
        return set()

    def groups(self):
        names = ["apps", "postgresql.cnpg.io", "snapshot.storage.k8s.io", "velero.io"]
        version = lambda name: {"groupVersion": f"{name}/v1", "version": "v1"}
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [{"name": name, "versions": [version(name)], "preferredVersion": version(name)} for name in names]}

    def lists(self):
        world = self.world
        each = lambda table: lambda: [table[key] for key in sorted(table)]
        of = lambda path, plural: f"{path}/(namespaces/(?P<namespace>[^/]+)/)?{plural}"
        core, admission, snapshot, velero = "/api/v1", "/apis/admissionregistration.k8s.io/v1", "/apis/snapshot.storage.k8s.io/v1", "/apis/velero.io/v1"
        return [(f"{core}/namespaces", "Namespace", "", "namespaces", each(world.namespaces)),
                (of(core, "persistentvolumeclaims"), "PersistentVolumeClaim", "", "persistentvolumeclaims", each(world.claims)),
                (f"{core}/persistentvolumes", "PersistentVolume", "", "persistentvolumes", each(world.volumes)),
                (f"{admission}/validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "admissionregistration.k8s.io", "validatingwebhookconfigurations", lambda: [one["object"] for one in world.hooks.values()]),
                (f"{admission}/mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", list),
                (f"{admission}/validatingadmissionpolicies", "ValidatingAdmissionPolicy", "admissionregistration.k8s.io", "validatingadmissionpolicies", each(world.policies)),
                (f"{admission}/validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io", "validatingadmissionpolicybindings", each(world.bindings)),
                (of(snapshot, "volumesnapshots"), "VolumeSnapshot", "snapshot.storage.k8s.io", "volumesnapshots", each(world.snapshots)),
                (f"{snapshot}/volumesnapshotcontents", "VolumeSnapshotContent", "snapshot.storage.k8s.io", "volumesnapshotcontents", each(world.contents)),
                (of(velero, "backups"), "Backup", "velero.io", "backups", each(world.backups)),
                (of(velero, "schedules"), "Schedule", "velero.io", "schedules", list),
                (of(velero, "backupstoragelocations"), "BackupStorageLocation", "velero.io", "backupstoragelocations", each(world.locations)),
                (of("/apis/postgresql.cnpg.io/v1", "clusters"), "Cluster", "postgresql.cnpg.io", "clusters", each(world.customs))]

    def paged(self, kind, group, items, query):
        limit = min(int(query.get("limit", 0)) or 500, self.page)
        start = int(query.get("continue") or 0)
        part, rest = items[start:start + limit], len(items) - start - limit
        meta = {"resourceVersion": "42"}
        if rest > 0:
            meta.update({"continue": str(start + limit), "remainingItemCount": rest})
        return {"kind": f"{kind}List", "apiVersion": f"{group}/v1" if group else "v1", "metadata": meta, "items": part}

    def review(self, review, user, groups):
        world, spec = self.world, review.get("spec") or {}
        if review["kind"] == "SelfSubjectReview":
            world.demand(user, "create", "authentication.k8s.io", "selfsubjectreviews", groups=groups)
            return {"userInfo": {"username": user, "uid": made_up(user), "groups": groups}}
        if review["kind"] == "SelfSubjectRulesReview":
            world.demand(user, "create", "authorization.k8s.io", "selfsubjectrulesreviews", groups=groups)
            if not spec.get("namespace"):
                raise Refused(400)
            return world.review_rules(user, spec["namespace"]) if groups == world.users.get(user) else {"resourceRules": list(world.rules(user, spec["namespace"], groups)), "nonResourceRules": [], "incomplete": False}
        world.demand(user, "create", "authorization.k8s.io", "selfsubjectaccessreviews", groups=groups)
        about = spec["resourceAttributes"]
        resource = about.get("resource", "") + (f"/{about['subresource']}" if about.get("subresource") else "")
        allowed = world.may(user, about.get("verb", ""), about.get("group", ""), resource, about.get("namespace"), about.get("name"), groups)
        return {"allowed": allowed}
