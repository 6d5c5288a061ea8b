"""`run-one` on a real API server, with pods that take their time to start, real load and a real Prometheus behind the API
server's proxy."""

import csv
import json

from checks import check
from kube_api import wait_for
from shop import CAPACITY_RPS, RIGHTS, Shop


# Times as short as the rest of the story.
POLICY = ("predictive:readiness-lag=5s,metric-age=2s,sample-interval=2s,rate-window=5s,start-hold=10s,recovery-hold=10s,"
          "zero-confirmation=10s,rollout-hold=10s")


def rows(log):
    with open(log, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def run(cluster):
    shop = Shop(cluster, "run-one").open()
    try:
        watches_only(shop)
        for right in (("deployments/scale", "get"), ("deployments/scale", "patch"), ("pods", "list")):
            one_right_less(shop, *right)
        scales(shop)
    finally:
        shop.close()


def watches_only(shop):
    log = shop.folder / "dry.csv"
    load = shop.load([(30, 60)], "dry-load")
    wait_for("a rate", lambda: (shop.prometheus.value('sum(rate(toy_http_requests_total{path="/work"}[5s]))') or 0) > 45)
    version = shop.object()["metadata"]["resourceVersion"]
    done = shop.run_one(log, "--duration-seconds", "11")
    check(done.returncode == 0 and "dry-run mode" in done.stdout, "a dry run", done.stdout + done.stderr)
    table = rows(log)
    check(len(table) >= 4, "a decision each two seconds", table)
    check(all(40 < float(row["observed_rps"] or 0) < 80 for row in table), "sees about 60 requests/s by the proxy", table)
    check(all(int(row["recommended_replicas"]) > 60 / CAPACITY_RPS for row in table), "recommends enough for them", table)
    check(shop.object()["metadata"]["resourceVersion"] == version, "and writes nothing", done.stdout)
    check(load.child.wait(60) == 0, "the load", load.tail())


def one_right_less(shop, resource, verb):
    """The role of the docs has exactly the verbs that are used: each that is missing is told."""
    rules = [{**rule, "verbs": [word for word in rule["verbs"] if (rule["resources"][0], word) != (resource, verb)]} for rule in RIGHTS]
    shop.grant(shop.namespace, [rule for rule in rules if rule["verbs"]])
    before = shop.desired()
    done = shop.run_one(shop.folder / "less.csv", "--policy", "static:5", "--duration-seconds", "3", "--apply")
    shop.grant(shop.namespace, RIGHTS)
    if resource == "pods":
        # The scale's status stands in for the pods.
        check(done.returncode == 0, f"without {verb} {resource} it goes on", done.stderr)
        shop.scale_to(before)
        return
    check(shop.desired() == before, f"without {verb} {resource} nothing is scaled", done.stderr)
    check("forbidden" in done.stderr.lower() and resource in done.stderr and f'cannot {verb} ' in done.stderr,
          f"without {verb} {resource} it says which right is missing", done.stdout + done.stderr)  # fmt: skip


def scales(shop):
    """Up with the load, and down again after it; decisions can be replayed."""
    log, decisions = shop.folder / "apply.csv", shop.folder / "apply.jsonl"
    shop.scale_to(2)
    child = shop.start_run_one(log, "--duration-seconds", "0", "--decision-log", decisions, "--policy", POLICY, "--apply")
    load = shop.load([(15, 20), (45, 150), (5, 20)])
    most = 0

    def has_scaled_up():
        nonlocal most
        most = max(most, shop.ready())
        return most * CAPACITY_RPS >= 150

    wait_for("enough ready pods for 150 requests/s", has_scaled_up, 60)
    check(load.child.wait(120) == 0, "the load", load.tail())
    wait_for("down again", lambda: shop.desired() <= 3, 120)
    check(child.stop() == 130, "an interrupt ends it", child.tail())
    table = rows(log)
    check(all(row["solver_status"] == "ok" or not row["solver_status"].startswith("scale_error") for row in table), "every write succeeded",
          [row["solver_status"] for row in table])  # fmt: skip
    report = [json.loads(line) for line in (shop.folder / "load.json").read_text().splitlines()]
    print(f"run_one: up to {most} ready pods; success by phase {[round(phase['success'], 3) for phase in report]}")
    replay = shop.cluster.program("replay", decisions)
    check(replay.returncode == 0, "the decisions replay", replay.stdout + replay.stderr)
