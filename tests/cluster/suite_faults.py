"""`run-one` while the control plane fails under it: it holds, says so, comes back, and nothing is scaled down on the way."""

import http.client
import shutil
import threading
import time

from checks import check
from control_plane import SERVER
from kube_api import Api, ApiError, wait_for
from processes import Process
from shop import CONTROLLER, Shop
from suite_run_one import POLICY, rows

LOAD_RPS = 70
PAUSE_S = 20
# The controller's way to the API server: only packets, so TLS is between the two.
DETOUR = "https://127.0.0.1:6444"
DETOUR_CONFIG = """defaults
  mode tcp
  timeout connect 5s
  timeout client 600s
  timeout server 600s
listen api
  bind 127.0.0.1:6444
  server api 127.0.0.1:6443
"""


class Watch:
    """What the log of a running controller says since it began."""

    def __init__(self, child, log, detour):
        self.child, self.log, self.detour = child, log, detour

    def said(self):
        return self.child.tail(100_000)

    def decisions(self):
        return len(rows(self.log)) if self.log.exists() else 0

    def wait_for_more(self, count=2, seconds=60):
        before = self.decisions()
        started = time.monotonic()
        wait_for("decisions again", lambda: self.decisions() >= before + count, seconds)
        return time.monotonic() - started


def run(cluster):
    shop = Shop(cluster, "faults", replicas=5).open()
    plane = cluster.plane
    try:
        shop.load([(400, LOAD_RPS)])
        wait_for("a rate", lambda: (shop.prometheus.value('sum(rate(toy_http_requests_total{path="/work"}[5s]))') or 0) > LOAD_RPS * 0.8)
        token = shop.folder / "token"
        token.write_text(plane.token(shop.namespace, CONTROLLER))
        log, config = shop.folder / "faults.csv", shop.folder / "detour.cfg"
        config.write_text(DETOUR_CONFIG)
        detour = Process("detour", [shutil.which("haproxy"), "-db", "-f", config], shop.folder / "logs" / "detour.log")
        shop.children.append(detour)
        child = shop.start_run_one(log, "--duration-seconds", "0", "--policy", POLICY, "--apply",
                                   kubeconfig=shop.kubeconfig(token_file=token, server=DETOUR))  # fmt: skip
        watch = Watch(child, log, detour)
        watch.wait_for_more(3)
        for fault in (api_server_killed, api_server_restarted, etcd_paused, cut_off, throttled, token_deleted):
            before = min(shop.desired(), shop.ready())
            took_s = fault(shop, watch, token)
            after = shop.desired()
            print(f"faults: {fault.__name__.replace('_', ' ')}: decisions again {took_s:.0f} s after it was over; {before} replicas before, {after} after")
            check(child.is_running(), f"{fault.__name__}: it still runs", watch.said())
            check(after >= min(before, LOAD_RPS // 25 + 1), f"{fault.__name__}: nothing was scaled down on bad data", (before, after))
        check(child.stop() == 130, "it ends in order", watch.said())
        written = [int(row["applied_replicas"]) for row in rows(log)]
        check(min(written) * 25 >= LOAD_RPS, "never fewer replicas than the load takes", written)
    finally:
        shop.close()


def during(shop, watch, what):
    """Decisions are not made up while nothing is known."""
    said = watch.said()
    check("no decision" in said or "metrics:" in said, f"{what}: it is said", said[-1500:])


def api_server_killed(shop, watch, _):
    process = shop.plane.processes["apiserver"]
    process.kill()
    time.sleep(14)  # longer than any retry
    shop.plane.start_api_server()
    shop.plane.wait_until_ready()
    during(shop, watch, "API server killed")
    return watch.wait_for_more()


def api_server_restarted(shop, watch, _):
    shop.plane.restart_api_server()
    return watch.wait_for_more()


def etcd_paused(shop, watch, _):
    etcd = shop.plane.processes["etcd"]
    etcd.pause()
    time.sleep(PAUSE_S)
    etcd.resume()
    during(shop, watch, "etcd paused")
    shop.plane.wait_until_ready()
    return watch.wait_for_more()


def cut_off(shop, watch, _):
    """Connections stay, and nothing comes through them."""
    watch.detour.pause()
    time.sleep(PAUSE_S)
    watch.detour.resume()
    during(shop, watch, "cut off")
    return watch.wait_for_more()


def throttled(shop, watch, _):
    """The API server has no seat for this account, so it serves one request of it at a time (a lone one it always serves) and
    answers 429 to the others; and others there are."""
    account = {"kind": "ServiceAccount", "serviceAccount": {"name": CONTROLLER, "namespace": shop.namespace}}
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]}
    group, name = "flowcontrol.apiserver.k8s.io/v1", "no-seats"
    shop.plane.admin.make(
        {"apiVersion": group, "kind": "PriorityLevelConfiguration", "metadata": {"name": name}, "spec": {
            "type": "Limited", "limited": {"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0,
                                           "limitResponse": {"type": "Reject"}}}},
        {"apiVersion": group, "kind": "FlowSchema", "metadata": {"name": name}, "spec": {
            "matchingPrecedence": 50, "priorityLevelConfiguration": {"name": name},
            "rules": [{"subjects": [account], "resourceRules": [everything]}]}})  # fmt: skip
    crowd, stop = Api(SERVER, shop.plane.certificates.ca, token=shop.plane.token(shop.namespace, CONTROLLER)), threading.Event()

    def ask():
        while not stop.is_set():
            try:
                crowd.get(f"/api/v1/namespaces/{shop.namespace}/pods")
            except (OSError, http.client.HTTPException, ApiError):
                pass

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        wait_for("a refusal", lambda: "429" in watch.said(), 60)
        during(shop, watch, "throttled")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for kind in ("flowschemas", "prioritylevelconfigurations"):
        shop.plane.admin.delete(f"/apis/{group}/{kind}/{name}")
    return watch.wait_for_more()


def token_deleted(shop, watch, token):
    """The account is made anew, so the token is of nobody; a fresh one comes into the file only later."""
    admin, path = shop.plane.admin, f"/api/v1/namespaces/{shop.namespace}/serviceaccounts"
    admin.delete(f"{path}/{CONTROLLER}")
    admin.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": CONTROLLER, "namespace": shop.namespace}})
    wait_for("the old token is refused", lambda: "unauthorized" in watch.said().lower(), 60)
    fresh = token.with_suffix(".new")
    fresh.write_text(shop.plane.token(shop.namespace, CONTROLLER))
    fresh.rename(token)
    return watch.wait_for_more()
