#!/usr/bin/env python3
"""`mpc-autoscaler experiment` as its users call it: a stand-in of an API server on the loopback that stores objects, makes the pods
of a Deployment ready at once, and runs the load's Job for as long as it is told.

experiment_test.py BIN: the folder with mpc-autoscaler. Prints a line per check that fails, then `N passed, M failed`.
"""

import http.server
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from checks import check, finish

BIN = pathlib.Path(sys.argv[1]).resolve()
CORE, APPS, SCALING, BATCH = "/api/v1/namespaces/shop", "/apis/apps/v1/namespaces/shop", "/apis/autoscaling/v2/namespaces/shop", "/apis/batch/v1/namespaces/shop"
HPA = f"{SCALING}/horizontalpodautoscalers/web"
SAVED = f"{CORE}/configmaps/mpc-experiment-web"


def merged(object_, patch):
    if not isinstance(patch, dict) or not isinstance(object_, dict):
        return patch
    result = {**object_, **{key: merged(object_.get(key), value) for key, value in patch.items()}}
    return {key: value for key, value in result.items() if value is not None}


class Cluster:
    def __init__(self, load_code=None):
        """The load's pod runs until it is deleted, or ends at once with `load_code`."""
        self.objects, self.version, self.load_code, self.lock = {}, 0, load_code, threading.Lock()
        self.denied, self.away, self.refused = set(), False, 0
        self.put(f"{APPS}/deployments/web", {"metadata": {"name": "web"}, "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}}})
        self.put(HPA, {"metadata": {"name": "web"}, "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                                                             "maxReplicas": 9}})  # fmt: skip
        cluster = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with cluster.lock:
                    status, answer = cluster.answer(self.command, urllib.parse.urlsplit(self.path), json.loads(body) if body else None)
                data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path, object_):
        self.version += 1
        meta = object_.setdefault("metadata", {})
        meta["resourceVersion"], meta["uid"] = str(self.version), meta.get("uid", f"uid-{self.version}")
        self.objects[path] = object_
        return object_

    def get(self, path):
        with self.lock:
            return self.objects.get(path)

    @staticmethod
    def failure(status, reason):
        return status, {"kind": "Status", "status": "Failure", "reason": reason, "code": status, "message": reason}

    def answer(self, method, url, body):
        path = url.path
        if self.away:
            self.refused += 1
            return self.failure(503, "ServiceUnavailable")
        if path.endswith("/selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            return 201, {"status": {"allowed": (asked["verb"], asked["resource"]) not in self.denied}}
        if path == "/apis/apps/v1":
            return 200, {"kind": "APIResourceList", "resources": [{"name": "deployments", "kind": "Deployment"}, {"name": "deployments/scale", "kind": "Scale"}]}
        if path.endswith("/log"):
            return 200, "no good answer within 1m: connection refused\n"
        name = path.rsplit("/", 1)[1]
        if path.endswith("/scale"):
            return self.scale(method, path.removesuffix("/scale"), body)
        if method == "POST":
            name = body["metadata"]["name"]
            if f"{path}/{name}" in self.objects:
                return self.failure(409, "AlreadyExists")
            if path.endswith("/jobs"):
                self.start_pod(name, body)
            return 201, self.put(f"{path}/{name}", body)
        if method == "GET" and name in ("pods", "horizontalpodautoscalers"):
            return 200, {"kind": "List", "metadata": {"resourceVersion": str(self.version)},
                         "items": [item for each, item in self.objects.items() if each.rsplit("/", 1)[0] == path]}  # fmt: skip
        if path not in self.objects:
            return self.failure(404, "NotFound")
        if method == "PATCH":
            return 200, self.put(path, merged(self.objects[path], body))
        if method == "DELETE":
            self.objects.pop(f"{CORE}/pods/{name}-x", None)
            return 200, self.objects.pop(path)
        return 200, self.with_status(self.objects[path])

    def with_status(self, object_):
        if "selector" not in object_.get("spec", {}):
            return object_
        count = object_["spec"]["replicas"]
        return {**object_, "status": {"replicas": count, "readyReplicas": count, "availableReplicas": count}}

    def scale(self, method, path, body):
        object_ = self.objects[path]
        if method == "PATCH":
            object_["spec"]["replicas"] = body["spec"]["replicas"]
            self.put(path, object_)
        return 200, {"kind": "Scale", "metadata": {"resourceVersion": object_["metadata"]["resourceVersion"]},
                     "spec": {"replicas": object_["spec"]["replicas"]}, "status": {"replicas": object_["spec"]["replicas"], "selector": "app=web"}}  # fmt: skip

    def start_pod(self, name, job):
        state = {"phase": "Running", "containerStatuses": [{"name": "loadgen", "state": {"running": {}}}]}
        if self.load_code is not None:
            state = {"phase": "Failed", "containerStatuses": [{"name": "loadgen", "state": {"terminated": {"exitCode": self.load_code}}}]}
        self.put(f"{CORE}/pods/{name}-x", {"metadata": {"name": f"{name}-x", "labels": job["spec"]["template"]["metadata"]["labels"]}, "status": state})

    def jobs(self):
        with self.lock:
            return [path for path in self.objects if path.startswith(f"{BATCH}/jobs/")]

    def is_as_before(self):
        return (self.get(HPA) is not None and self.get(HPA)["spec"]["maxReplicas"] == 9 and self.get(SAVED) is None and not self.jobs()
                and self.get(f"{APPS}/deployments/web")["spec"]["replicas"] == 3)  # fmt: skip


def words(cluster, out, *more):
    return [str(word) for word in (BIN / "mpc-autoscaler", "experiment", "mpc", "step", "--kube-server", cluster.url, "--namespace", "shop",
            "--deployment", "web", "--policy", "static:5", "--step-seconds", "0.5", "--prom-url", "http://127.0.0.1:1", "--out", out, *more)]  # fmt: skip


def run(*arguments):
    return subprocess.run([BIN / "mpc-autoscaler", "experiment", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


def wait_until(claim, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not claim():
        time.sleep(0.05)
    return claim()


def started(cluster, out, *more):
    process = subprocess.Popen(words(cluster, out, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(wait_until(lambda: cluster.jobs() and cluster.get(HPA) is None), "the load runs and the HPA is away")
    check("static:5" not in str(cluster.get(SAVED)) and "step/static_5-1" in str(cluster.get(SAVED)), "the ConfigMap says of which run it is", cluster.get(SAVED))
    return process


def usage(folder):
    cluster, out = Cluster(), folder / "usage"
    for arguments, parts in (
        (["mpc", "--out", out], ["a load is needed: --scenario step|spike|seasonality or --phases FILE\n"]),
        (["mpc", "spik", "--out", out, "--kube-server", cluster.url], ['is "spik"; must be one of step, spike, seasonality']),
        (["hpa", "step"], ["--out is required"]),
        (["batch", "pairs", "step", "--out", out], ["--kind is \"pairs\"; must be one of pair, matched"]),
        (["batch", "matched", "step", "--policy", "predictive", "--out", out], ["brings its own policies"]),
        (["mpc", "step", "--out", out, "--kube-server", cluster.url, "--metric-rate-window", "soon", "--time-zone", "Nowhere", "--target-url", "web"],
         ["--metric-rate-window", "--time-zone", '--target-url is "web"; must begin with http://']),
        (["mpc", "step", "--out", out, "--kube-server", cluster.url, "--policy", "predictiv"], ["--policy"]),
        (["mpc", "step", "--out", out, "--kube-server", cluster.url, "--namespace", "shop", "--deployment", "web", "--initial-replicas", "99"],
         ["--initial-replicas is 99; must lie within 4 and 70"]),
        (["mpc", "step", "--out", out, "--kube-server", cluster.url, "--namespace", "shop", "--deployment", "wib"], ["404"]),
        (["hpa", "step", "--out", out, "--kube-server", cluster.url, "--namespace", "shop", "--deployment", "web", "--hpa-target", "80"],
         ["no metric of CPU utilization"]),
        (["restore", "--overwrite", "--discard"], ["exclude each other"]),
        (["mpc", "step", "--out", out, "--kubeconfig", folder / "none"], ["none"]),
    ):  # fmt: skip
        done = run(*arguments)
        check(done.returncode == 2 and all(part in done.stderr for part in parts), " ".join(map(str, arguments)), done.stderr)
    done = subprocess.run([word.replace("static:5", "reactive") for word in words(cluster, out)], capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 2 and "Prometheus did not answer: " in done.stderr and "give --prom-namespace and --prom-service, or --prom-url" in done.stderr,
          "a policy without metrics", done.stderr)  # fmt: skip
    through_proxy = [*words(cluster, out)[: words(cluster, out).index("--prom-url")], "--out", str(out), "--policy", "reactive"]
    done = subprocess.run(through_proxy, capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 2 and "Prometheus did not answer: " in done.stderr and "404" in done.stderr, "a Prometheus that is not there", done.stderr)
    cluster.denied = {("get", "services")}
    done = subprocess.run(through_proxy, capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 2 and "missing right: get services/proxy in namespace toy-monitoring (http:toy-prometheus:9090)" in done.stderr,
          "nobody may ask it", done.stderr)  # fmt: skip
    cluster.denied = {("delete", "horizontalpodautoscalers")}
    done = subprocess.run(words(cluster, out), capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 2 and "missing right: delete horizontalpodautoscalers of autoscaling in namespace shop" in done.stderr, "a missing right", done.stderr)
    check(not out.exists() and cluster.is_as_before(), "nothing is written, nothing touched")
    for command in ("hpa", "mpc", "batch", "restore"):
        page = run(command, "--help")
        check(page.returncode == 0 and page.stdout.count(f"  mpc-autoscaler experiment {command} ") == 2, f"{command} --help has two examples", page.stdout)


def load_fails(folder):
    cluster = Cluster(load_code=1)
    done = subprocess.run(words(cluster, folder / "fails"), capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 1 and "the load failed: exit code 1" in done.stderr and "connection refused" in done.stderr, "a load that fails", done.stderr)
    check("1 of 1 runs failed; --resume runs them again" in done.stderr and cluster.is_as_before(), "everything is back", done.stderr)
    check(not list((folder / "fails").glob("*/*")), "no run is left")


def interrupted(folder):
    cluster = Cluster()
    process = started(cluster, folder / "interrupted")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    check(process.returncode == 130 and "interrupted; 0 finished runs" in err, "Ctrl-C ends with 130", (process.returncode, err))
    check(cluster.is_as_before(), "everything is back", cluster.objects)


def killed(folder):
    cluster = Cluster()
    process = started(cluster, folder / "killed")
    process.kill()
    process.communicate(timeout=60)
    # A cluster deletes the Job with the ConfigMap that owns it.
    check(wait_until(lambda: cluster.get(HPA) is not None and cluster.get(SAVED) is None), "kill -9: the HPA is back", cluster.objects)
    check(cluster.get(f"{APPS}/deployments/web")["spec"]["replicas"] == 3, "and the replicas")


def without_readers(folder):
    """As `2>&1 | tee log` after a Ctrl-C that tee has got, too: each line that is written breaks the pipe."""
    cluster = Cluster()
    process = started(cluster, folder / "unread")
    process.stdout.close()
    process.stderr.close()
    process.send_signal(signal.SIGINT)
    check(process.wait(timeout=60) == 130, "Ctrl-C ends with 130 though nobody reads", process.returncode)
    check(cluster.is_as_before(), "everything is back", cluster.objects)

    # Killed as well, while the API server is away: the guardian, which has the same pipe, says that it cannot restore yet.
    cluster = Cluster()
    process = started(cluster, folder / "unread-killed")
    process.stdout.close()
    process.stderr.close()
    cluster.away = True
    process.kill()
    process.wait(timeout=60)
    check(wait_until(lambda: cluster.refused > 2), "the guardian tries", cluster.refused)
    time.sleep(1)  # it has said so
    cluster.away = False
    check(wait_until(lambda: cluster.get(HPA) is not None and cluster.get(SAVED) is None), "and restores when the API server is there", cluster.objects)


def restore(folder):
    cluster = Cluster()
    where = ["--kube-server", cluster.url, "--namespace", "shop", "--deployment", "web"]
    nothing = run("restore", *where)
    check(nothing.returncode == 0 and "Nothing to restore: there is no ConfigMap mpc-experiment-web in namespace shop" in nothing.stdout, "nothing to do", nothing.stdout)
    process = started(cluster, folder / "restore")
    busy = run("restore", *where)
    check(busy.returncode == 2 and "is under way on Deployment web in namespace shop" in busy.stderr, "not while it is under way", busy.stderr)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    check(process.returncode == 130 and cluster.is_as_before(), "SIGTERM is as good as Ctrl-C", cluster.objects)


with tempfile.TemporaryDirectory() as scratch:
    for test in (usage, load_fails, interrupted, killed, without_readers, restore):
        test(pathlib.Path(scratch))
sys.exit(finish())
