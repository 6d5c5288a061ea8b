#!/usr/bin/env python3
"""`run-one` as its users call it: a stand-in of an API server and a Prometheus behind its proxy, on the loopback.

run_one_test.py BIN: the folder with mpc-autoscaler. Prints a line per check that fails, then `N passed, M failed`.
"""

import csv
import http.server
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from checks import check, finish
from json_handler import JsonHandler

BIN = pathlib.Path(sys.argv[1]).resolve()


class Cluster:
    """One Deployment, its pods, and three sums of metrics."""

    def __init__(self):
        self.replicas, self.version, self.rate, self.in_flight = 3, 10, 60.0, 4.0
        self.patches, self.queries, self.patch_status = [], [], 200
        cluster = self

        class Handler(JsonHandler):
            def do_GET(self):
                self.answer(*cluster.get(urllib.parse.urlsplit(self.path)))

            def do_PATCH(self):
                self.answer(*cluster.patch(self.body()))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def scale(self):
        return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "web", "resourceVersion": str(self.version)},
                "spec": {"replicas": self.replicas}, "status": {"replicas": self.replicas, "selector": "app=web"}}  # fmt: skip

    def get(self, url):
        if url.path == "/apis/apps/v1":
            return ({"kind": "APIResourceList", "groupVersion": "apps/v1",
                     "resources": [{"name": "deployments", "kind": "Deployment"}, {"name": "deployments/scale", "kind": "Scale"}]},)  # fmt: skip
        if url.path.endswith("/deployments/web/scale"):
            return (self.scale(),)
        if url.path.endswith("/pods"):
            ready = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
            pods = [{"metadata": {"name": f"web-{i}", "uid": f"u{i}", "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"},
                     "status": {"phase": "Running", "conditions": ready}} for i in range(self.replicas)]  # fmt: skip
            return ({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": pods},)
        if url.path.endswith("/proxy/api/v1/query"):
            query = urllib.parse.parse_qs(url.query)["query"][0]
            self.queries.append(query)
            return (self.prometheus(query),)
        status = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404, "message": f"{url.path} not found"}
        return status, 404

    def prometheus(self, query):
        if query.startswith("time()"):
            value = 5.0
        elif query.startswith("count("):
            value = float(self.replicas)
        elif "toy_http_requests_total" in query:
            value = self.rate
        elif "process_cpu" in query:
            value = 1.5
        else:
            value = self.in_flight
        result = [] if value is None else [{"metric": {}, "value": [time.time(), str(value)]}]
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    def patch(self, body):
        self.patches.append(body)
        if self.patch_status != 200:
            return {"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "patch is not allowed"}, 403
        if body["metadata"]["resourceVersion"] != str(self.version):
            return {"kind": "Status", "status": "Failure", "reason": "Conflict", "code": 409, "message": "changed"}, 409
        self.replicas = body["spec"]["replicas"]
        self.version += 1
        return (self.scale(),)


def arguments(cluster, log, *more):
    return ["--kube-server", cluster.url, "--namespace", "shop", "--deployment", "web", "--log-csv", str(log), "--step-seconds", "0.3",
            "--duration-seconds", "1.4", "--max-replicas", "20", *more]  # fmt: skip


def run(name, *words):
    command = [BIN / name] if name == "mpc-control-loop" else [BIN / "mpc-autoscaler", name]
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=60, check=False)


def rows(log):
    with open(log, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_dry_run(folder):
    cluster, log = Cluster(), folder / "dry.csv"
    done = run("mpc-control-loop", *arguments(cluster, log))
    check(done.returncode == 0, f"a dry run ends with 0: {done.returncode} {done.stderr}")
    check(f"[mpc] kubectl proxy: {cluster.url}" in done.stdout, f"the lab's first line: {done.stdout}")
    check("[mpc] dry-run mode: pass --apply to scale the deployment" in done.stdout, "the lab's second line")
    check(done.stdout.rstrip().endswith(f"Saved control log: {log}"), "the lab's last line")
    table = rows(log)
    check(2 <= len(table) <= 5, f"up to five decisions in 1.4 s: {len(table)}")
    check(table[0]["control_mode"] == "qp", f"the lab's rule: {table[0]}")
    check(float(table[0]["observed_rps"]) == 60.0 and float(table[0]["observed_inflight"]) == 4.0, f"what was measured: {table[0]}")
    check(int(table[0]["recommended_replicas"]) > 3, f"76 requests/s need more than 3 of 25 x 0.7: {table[0]}")
    check(table[0]["applied_replicas"] == "3" and not cluster.patches, "nothing is written")
    check('toy_http_requests_total{namespace="shop",job="web",path="/work"}[1m]' in "".join(cluster.queries), "the lab's question")


def test_apply(folder):
    cluster, log, decisions = Cluster(), folder / "apply.csv", folder / "apply.jsonl"
    cluster.rate = 120.0
    done = run("run-one", *arguments(cluster, log, "--policy", "predictive:readiness-lag=1s", "--decision-log", str(decisions), "--apply"))
    check(done.returncode == 0, f"ends with 0: {done.stderr}")
    check("dry-run" not in done.stdout, "no dry run")
    check(cluster.patches and cluster.replicas > 3, f"the workload was scaled up: {cluster.replicas}")
    check(all(patch["metadata"]["resourceVersion"] for patch in cluster.patches), "each write is of a version")
    check(int(rows(log)[-1]["applied_replicas"]) == cluster.replicas, "the log says what is there")
    replay = run("replay", str(decisions))
    check(replay.returncode == 0, f"the decision log replays: {replay.stdout} {replay.stderr}")


def test_troubles(folder):
    cluster, log = Cluster(), folder / "trouble.csv"
    cluster.patch_status = 403
    done = run("run-one", *arguments(cluster, log, "--policy", "static:9", "--apply"))
    check(done.returncode == 0 and "could not set 9 replicas" in done.stderr, f"a write that is forbidden is said: {done.stderr}")
    check(all(row["solver_status"] == "scale_error:forbidden" for row in rows(log)), "and stands in the log")
    cluster.patch_status, cluster.rate = 200, None
    done = run("mpc-control-loop", *arguments(cluster, log, "--apply"))
    check("request rate: no series" in done.stderr, f"a missing metric is said: {done.stderr}")
    check(cluster.replicas == 3 and rows(log)[0]["rps_query_failed"] == "1", "and is not a zero load")
    done = run("run-one", *arguments(cluster, log, "--kind", "Gadget"))
    check("no decision" in done.stderr and "Gadget" in done.stderr, f"a kind that there is not: {done.stderr}")
    cluster.server.shutdown()
    cluster.server.server_close()
    done = run("run-one", *arguments(cluster, log))
    check(done.returncode == 0 and "no decision" in done.stderr and not rows(log), f"no API server: {done.stderr}")


def test_usage(folder):
    cluster, log = Cluster(), folder / "never.csv"
    for words, part in ((["--apply", "--dry-run"], "--apply and --dry-run"), (["--control-mode", "magic"], "control-mode"),
                        (["--policy", "predictive", "--horizon", "5"], "does not go with"), (["--metric-rate-window", "soon"], "metric-rate-window"),
                        (["--min-replicas", "0"], "--min-replicas"), (["--time-zone", "Nowhere"], "--time-zone")):  # fmt: skip
        done = run("run-one", *arguments(cluster, log, *words))
        check(done.returncode == 2 and part in done.stderr, f"{words}: {done.returncode} {done.stderr}")
    done = run("run-one", "--log-csv", str(log), "--kubeconfig", str(folder / "none"))
    check(done.returncode == 2 and "none" in done.stderr, f"no kubeconfig: {done.stderr}")
    check(not log.exists(), "nothing is written for bad usage")


def test_interrupt(folder):
    cluster, log = Cluster(), folder / "interrupt.csv"
    with subprocess.Popen([BIN / "mpc-autoscaler", "run-one", *arguments(cluster, log, "--duration-seconds", "0")],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (log.exists() and len(rows(log)) > 1):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    check(process.returncode == 130, f"Ctrl-C ends with 130: {process.returncode}")
    check(f"Saved control log: {log}" in out, "and says where the log is")


with tempfile.TemporaryDirectory() as scratch:
    for test in (test_dry_run, test_apply, test_troubles, test_usage, test_interrupt):
        test(pathlib.Path(scratch))
sys.exit(finish())
