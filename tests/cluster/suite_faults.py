"""`run-one` while the control plane fails under it: it holds, says so, comes back, and nothing is scaled down on the way."""

import time

from checks import check
from kube_api import wait_for
from shop import CONTROLLER, Shop
from suite_run_one import POLICY, rows

LOAD_RPS = 70
PAUSE_S = 20


class Watch:
    """What the log of a running controller says since it began."""

    def __init__(self, child, log):
        self.child, self.log = child, log

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
        log = shop.folder / "faults.csv"
        child = shop.start_run_one(log, "--duration-seconds", "0", "--policy", POLICY, "--apply",
                                   kubeconfig=shop.kubeconfig(token_file=token))  # fmt: skip
        watch = Watch(child, log)
        watch.wait_for_more(3)
        for fault in (api_server_killed, api_server_restarted, etcd_paused, token_deleted):
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
    time.sleep(8)
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
