#!/usr/bin/env python3
"""`run` as its users call it: a stand-in of an API server on the loopback, with one Deployment and one PredictiveAutoscaler.

run_test.py BIN [ASK_SCALER]: the folder with mpc-autoscaler, and the program that asks as KEDA does, if it is built. Prints a line per check that fails, then `N passed, M failed`.
"""

import http.server
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from checks import check, finish
from json_handler import JsonHandler

BIN = pathlib.Path(sys.argv[1]).resolve()
ASK_SCALER = next(iter(sys.argv[2:]), "")
WAIT = 30.0


def collection(path):
    """`deployments` of `/apis/apps/v1/namespaces/shop/deployments`."""
    return path.rstrip("/").rsplit("/", 1)[-1]


class Cluster:
    def __init__(self):
        self.forbidden, self.replicas, self.version, self.status, self.patches = set(), 3, 10, {}, []
        self.autoscaler = {
            "apiVersion": "autoscaling.mpc.dev/v1alpha1", "kind": "PredictiveAutoscaler",
            "metadata": {"namespace": "shop", "name": "web", "uid": "uid-1", "generation": 1, "resourceVersion": "5"},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "mode": "Auto", "minReplicas": 1, "maxReplicas": 9,
                     "capacityPerReplica": 25, "period": "1s", "policy": {"name": "static", "settings": {"replicas": "6"}},
                     "load": {"scrape": {"port": 9}}},
        }  # fmt: skip
        self.leases, self.lock = {}, threading.Lock()
        cluster = self

        class Handler(JsonHandler):
            def handle_any(self):
                url = urllib.parse.urlsplit(self.path)
                body = self.body()
                if "watch=" in url.query:
                    # Nothing ever happens: the answer stays open until the client goes.
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.rfile.read(1)
                    self.close_connection = True
                    return
                with cluster.lock:
                    self.answer(*cluster.request(self.command, url.path, body))

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def deployment(self):
        return {"metadata": {"namespace": "shop", "name": "web", "uid": "uid-2", "resourceVersion": str(self.version)},
                "spec": {"replicas": self.replicas, "selector": {"matchLabels": {"app": "web"}}}}  # fmt: skip

    def request(self, method, path, body):
        missing = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": f"{path} not found"}, 404
        if path.endswith("/selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            body["status"] = {"allowed": (asked["verb"], asked["resource"]) not in self.forbidden}
            return body, 201
        if "/leases" in path:
            if method == "GET":
                return (self.leases[path],) if path in self.leases else missing
            if method == "POST":
                path += "/" + body["metadata"]["name"]
            self.version += 1
            body["metadata"]["resourceVersion"] = str(self.version)
            self.leases[path] = body
            return (body,)
        if path.endswith("/deployments/web/scale") and method == "PATCH":
            self.patches.append(body)
            self.replicas = body["spec"]["replicas"]
            self.version += 1
            return ({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "web", "resourceVersion": str(self.version)},
                     "spec": {"replicas": self.replicas}, "status": {"replicas": self.replicas, "selector": "app=web"}},)  # fmt: skip
        if path.endswith("/predictiveautoscalers/web/status"):
            self.status = body["status"]
            return (body,)
        if method == "GET" and collection(path) in ("pods", "deployments", "statefulsets", "horizontalpodautoscalers",
                                                     "predictiveautoscalers", "configmaps"):  # fmt: skip
            items = {"deployments": [self.deployment()], "predictiveautoscalers": [self.autoscaler]}.get(collection(path), [])
            return ({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "20"}, "items": items},)
        if method in ("POST", "PATCH", "DELETE"):
            return body or {}, 200
        return missing

    def condition(self, kind):
        with self.lock:
            return next((each for each in self.status.get("conditions", []) if each["type"] == kind), {})


class Run:
    """A controller until the end of the block."""

    def __init__(self, cluster, *words):
        self.command = [BIN / "mpc-autoscaler", "run", "--kube-server", cluster.url, "--listen", "127.0.0.1:0", *words]
        self.log, self.code = [], None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()
        return self

    def read(self):
        for line in self.process.stderr:
            self.log.append(line)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.code = self.process.wait(WAIT)

    def get(self, path):
        port = re.search(r"listening on port (\d+)", "".join(self.log))[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode()


def eventually(claim):
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if claim():
            return True
        time.sleep(0.05)
    return False


def test_dry_run_then_apply(folder):
    cluster = Cluster()
    with Run(cluster) as controller:
        check(eventually(lambda: cluster.condition("Acting").get("reason") == "DryRun"), "a dry run says so in status", controller.log)
        check(eventually(lambda: cluster.status.get("desiredReplicas") == 6), "and what it would do", cluster.status)
        check("mpca_leading 1" in controller.get("/metrics"), "it leads")
        check(controller.get("/healthz") == "ok\n" and controller.get("/readyz") == "ok\n", "it is well and ready")
    check(controller.code == 0, "SIGTERM ends it in order", controller.log)
    check(not cluster.patches, "nothing was written")
    with Run(cluster, "--apply", "--record", str(folder / "record")) as controller:
        check(eventually(lambda: cluster.replicas == 6), "with --apply the workload is scaled", controller.log)
        check(eventually(lambda: cluster.condition("Acting").get("reason") == "Acting"), "and it says so", cluster.status)
    check(all(patch["metadata"]["resourceVersion"] for patch in cluster.patches), "each write is of a version", cluster.patches)
    replay = subprocess.run([BIN / "mpc-autoscaler", "replay", folder / "record"], capture_output=True, text=True, check=False)
    check(replay.returncode == 0, "what was recorded replays", replay.stdout + replay.stderr)


def test_switch(folder):
    cluster, switch = Cluster(), folder / "apply"
    switch.write_text("false\n", encoding="utf-8")
    with Run(cluster, "--apply", "--apply-file", str(switch)) as controller:
        check(eventually(lambda: cluster.condition("Acting").get("reason") == "DryRun"), "the file says no", controller.log)
        check(not cluster.patches, "nothing is written")
        switch.write_text("true\n", encoding="utf-8")
        check(eventually(lambda: cluster.replicas == 6), "the file says yes", controller.log)


def test_rights():
    cluster = Cluster()
    cluster.forbidden = {("patch", "deployments"), ("create", "events")}
    with Run(cluster, "--apply") as controller:
        check(eventually(lambda: controller.process.poll() is not None), "without a right that it needs it ends", controller.log)
    log = "".join(controller.log)
    check(controller.code == 1, "with 1", controller.code)
    check("missing right: patch deployments/scale of apps in all namespaces; deploy/rbac.yaml grants it" in log, "it names the right", log)
    check("going on without: create events of events.k8s.io" in log, "and those that it can do without", log)


def test_keda():
    """KEDA asks the program, and hears what the object's status says."""
    with Run(Cluster(), "--keda-listen", "127.0.0.1:0") as controller:
        check(eventually(lambda: "for KEDA on port" in "".join(controller.log)), "it serves KEDA", controller.log)
        port = re.search(r"for KEDA on port (\d+)", "".join(controller.log))[1]

        def asked(name):
            return subprocess.run([ASK_SCALER, f"127.0.0.1:{port}", "shop", name], capture_output=True, text=True, timeout=60, check=False).stdout

        check(eventually(lambda: asked("web") == "active mpca-replicas 6 of 1\n"), "KEDA hears the decision", asked("web"))
        check(asked("other").startswith("error 5: there is no PredictiveAutoscaler shop/other"), "or why there is none", asked("other"))
    check(controller.code == 0, "SIGTERM ends it in order", controller.log)


def test_usage(folder):
    for words, part in ((["--workers", "0"], "--workers"), (["--apply-file", "x"], "--apply-file is only of use with --apply"),
                        (["--listen", "nowhere"], "HOST:PORT"), (["--kubeconfig", str(folder / "none")], "none"), (["--lease", ""], "name"),
                        (["--watch-namespace", ""], '--watch-namespace ""'), (["--watch-namespace", "Shop,web"], "--watch-namespace"),
                        (["--status-interval", "1ms"], "status-interval"), (["--prom-url", "web:9090"], "is no http(s) address"),
                        (["--prom-url", "http://web", "--prom-token-file", "none"], "would get the token where others can read it")):  # fmt: skip
        where = [] if "--kubeconfig" in words else ["--kube-server", "http://127.0.0.1:9"]
        done = subprocess.run([BIN / "mpc-autoscaler", "run", *where, *words], capture_output=True, text=True, timeout=60, check=False)
        check(done.returncode == 2 and part in done.stderr, f"{words}", f"{done.returncode} {done.stderr}")


with tempfile.TemporaryDirectory() as scratch:
    test_dry_run_then_apply(pathlib.Path(scratch))
    test_switch(pathlib.Path(scratch))
    test_rights()
    if ASK_SCALER:
        test_keda()
    test_usage(pathlib.Path(scratch))
sys.exit(finish())
