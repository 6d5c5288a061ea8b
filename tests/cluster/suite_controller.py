"""The controller as a stranger installs it: deploy/ applied as it stands, an object that only recommends, then one that acts,
an HPA on the same target, leaders that die or sleep, a write that comes too late; and from the API server's audit log what it
asked for and wrote. The clock of every other controller is a minute ahead."""

import http.client
import json
import pathlib
import threading
import time

from checks import check
from kube_api import ApiError, wait_for
from shop import CAPACITY_RPS, Shop
from write_gate import WriteGate

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
SYSTEM, NAME, ACCOUNT = "mpc-system", "mpc-autoscaler", "mpc-system:mpc-autoscaler"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/{NAME}"
HIGH_RPS, LOW_RPS = 140, 20


class Controller:
    def __init__(self, cluster):
        self.cluster, self.plane, self.admin = cluster, cluster.plane, cluster.plane.admin
        self.began = time.time()  # an earlier suite may have run as the same account
        self.terms, self.stopped = [], threading.Event()  # (since when, who leads)

    def note_terms(self):
        while not self.stopped.wait(0.2):
            try:
                leader = self.leader()
            except (OSError, http.client.HTTPException, ApiError):
                continue
            if not self.terms or self.terms[-1][1] != leader:
                self.terms.append((time.time(), leader))

    def led(self, at):
        """Who led at this time, or took or lost the lead just then."""
        before = [leader for since, leader in self.terms if since <= at + 1]
        just = [leader for (_, leader), (until, _) in zip(self.terms, self.terms[1:]) if at - 0.5 <= until <= at + 1]
        return {*before[-1:], *just}

    def install(self):
        for file in ("namespace", "crd", "rbac", "run"):
            self.plane.kubectl("apply", "-f", DEPLOY / f"{file}.yaml")
        threading.Thread(target=self.note_terms, daemon=True).start()
        wait_for("two controllers", lambda: self.ready() == 2, 90)

    def deployment(self):
        return self.admin.get(f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/{NAME}")

    def ready(self):
        status = self.deployment()["status"]
        return status.get("readyReplicas", 0) if status.get("updatedReplicas") == status.get("replicas") else 0

    def act(self):
        """As run.yaml says: one word more."""
        patch = [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--apply"}]
        self.plane.kubectl("patch", "deployment", NAME, "-n", SYSTEM, "--type=json", "-p", json.dumps(patch))
        self.plane.kubectl("rollout", "status", "deployment", NAME, "-n", SYSTEM, "--timeout=90s")

    def leader(self):
        """The pod's name; None when nobody leads."""
        lease = self.admin.try_get(LEASE)
        holder = lease["spec"].get("holderIdentity", "") if lease else ""
        return holder.rsplit("_", 1)[0] or None

    def process(self, pod):
        return self.cluster.agent.process(SYSTEM, pod)

    def said(self):
        return "".join(file.read_text(errors="replace") for file in sorted((self.cluster.folder / "pods").glob("mpc-autoscaler-*.log")))


def autoscaler(shop, mode):
    return {"apiVersion": "autoscaling.mpc.dev/v1alpha1", "kind": "PredictiveAutoscaler", "metadata": {"name": shop.name, "namespace": shop.namespace},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": shop.name}, "mode": mode, "minReplicas": 2,
                     "maxReplicas": 10, "capacityPerReplica": CAPACITY_RPS, "period": "2s",
                     "load": {"rateWindow": "5s", "scrape": {"port": 8080, "requestLabels": {"path": "/work"}}},
                     "readiness": {"lag": "6s"},
                     # Times as short as the rest of the story.
                     "policy": {"settings": {"start-hold": "10s", "recovery-hold": "10s", "zero-confirmation": "10s", "rollout-hold": "10s",
                                             "metric-age": "1s", "sample-interval": "1s"}}}}  # fmt: skip


class Object:
    def __init__(self, shop):
        self.shop = shop
        self.path = f"/apis/autoscaling.mpc.dev/v1alpha1/namespaces/{shop.namespace}/predictiveautoscalers/{shop.name}"

    def status(self):
        return self.shop.plane.admin.get(self.path).get("status", {})

    def condition(self, kind):
        return next((item for item in self.status().get("conditions", []) if item["type"] == kind), {})

    def wait_for_reason(self, reason, seconds=60):
        return wait_for(f"Acting to be {reason}", lambda: self.condition("Acting").get("reason") == reason, seconds)

    def patch(self, body):
        self.shop.plane.admin.patch(self.path, body)


def run(cluster):
    shop = Shop(cluster, "shop").open()
    controller = Controller(cluster)
    try:
        controller.install()
        thing = Object(shop)
        cluster.plane.admin.make(autoscaler(shop, "Recommend"))
        for story in (recommends, reads_well, acts, paused_by_annotation, refuses_beside_an_hpa, leader_killed, leader_asleep, late_write, goes_down,
                      is_audited):  # fmt: skip
            started = time.monotonic()
            story(shop, controller, thing)
            print(f"controller: {story.__name__.replace('_', ' ')} ({time.monotonic() - started:.0f} s)", flush=True)
    finally:
        controller.stopped.set()
        (cluster.folder / "logs" / "controller.log").write_text(controller.said())
        shop.close()
        controller.plane.kubectl("delete", "-f", DEPLOY / "run.yaml", "--wait=false", check=False)


def recommends(shop, _, thing):
    shop.load([(1200, HIGH_RPS)], "high")
    wait_for("a recommendation for the load", lambda: thing.status().get("desiredReplicas", 0) * CAPACITY_RPS >= HIGH_RPS, 90)
    check(shop.desired() == shop.replicas, "Recommend changes nothing", shop.desired())
    check(thing.condition("Acting").get("reason") == "ModeRecommend", "and says so", thing.status())
    check(thing.condition("Ready").get("status") == "True", "the object is understood", thing.status())


def reads_well(shop, _, thing):
    kubectl = shop.plane.kubectl
    table = kubectl("get", "pa", shop.name, "-n", shop.namespace)
    check(table.split()[:4] == ["NAME", "REFERENCE", "MODE", "MINPODS"] and "Recommend" in table, "kubectl get pa", table)
    told = kubectl("explain", "pa.spec.mode")
    check("Recommend" in told and "Auto" in told, "kubectl explain", told)
    check(thing.status().get("decision"), "status has the decision's sentence", thing.status())
    bad = kubectl("patch", "pa", shop.name, "-n", shop.namespace, "--type=merge", "-p", '{"spec":{"maxReplicas":1}}', check=False)
    check(bad.returncode != 0 and "must be >= minReplicas" in bad.stderr, "bounds that contradict are refused at once", bad.stderr)


def acts(shop, controller, thing):
    thing.patch({"spec": {"mode": "Auto"}})
    thing.wait_for_reason("DryRun")
    check(shop.desired() == shop.replicas, "Auto without --apply changes nothing", shop.desired())
    controller.act()
    thing.wait_for_reason("Acting")
    wait_for("enough ready pods", lambda: shop.ready() * CAPACITY_RPS >= HIGH_RPS, 90)
    events = shop.plane.kubectl("get", "events", "-n", shop.namespace, "--field-selector", f"involvedObject.name={shop.name}")
    check("mpc" in events or "Rescale" in events, "events tell of it", events)


def paused_by_annotation(shop, _, thing):
    key = "autoscaling.mpc.dev/paused"
    thing.patch({"metadata": {"annotations": {key: "true"}}})
    thing.wait_for_reason("Paused")
    thing.patch({"metadata": {"annotations": {key: None}}})
    thing.wait_for_reason("Acting")


def refuses_beside_an_hpa(shop, _, thing):
    path = f"/apis/autoscaling/v2/namespaces/{shop.namespace}/horizontalpodautoscalers"
    shop.plane.admin.make({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "rival", "namespace": shop.namespace},
                           "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": shop.name}, "maxReplicas": 10}})  # fmt: skip
    thing.wait_for_reason("AnotherAutoscaler")
    check("rival" in thing.condition("Acting")["message"], "the HPA is named", thing.status())
    shop.plane.admin.delete(f"{path}/rival")
    thing.wait_for_reason("Acting")


def another_leads(controller, before, seconds=60):
    started = time.monotonic()
    wait_for("another leader", lambda: controller.leader() not in (None, before), seconds)
    return time.monotonic() - started


def takes_back(shop, controller):
    """Somebody takes pods away; who leads now sets them again. So each term has a write."""
    shop.plane.kubectl("scale", "deployment", shop.name, "-n", shop.namespace, "--replicas=3")
    wait_for(f"{controller.leader()} to set the replicas again", lambda: shop.desired() * CAPACITY_RPS >= HIGH_RPS * 0.9)


def leader_killed(shop, controller, thing):
    first = controller.leader()
    least = shop.desired()
    controller.process(first).kill()
    took_s = another_leads(controller, first)
    print(f"controller: another leads {took_s:.0f} s after the leader was killed")
    thing.wait_for_reason("Acting")
    check(shop.desired() >= min(least, HIGH_RPS // CAPACITY_RPS), "the new leader takes nothing away", (least, shop.desired()))
    takes_back(shop, controller)
    wait_for("two controllers again", lambda: controller.ready() == 2)


def leader_asleep(shop, controller, thing):
    first = controller.leader()
    process = controller.process(first)
    process.pause()
    took_s = another_leads(controller, first)
    second = controller.leader()
    takes_back(shop, controller)  # whatever the sleeper had in mind is of a version that is no longer
    process.resume()
    time.sleep(20)
    print(f"controller: another leads {took_s:.0f} s after the leader fell asleep")
    check(controller.leader() == second, "who wakes up does not take the lease back", controller.leader())
    check(shop.desired() * CAPACITY_RPS >= HIGH_RPS, "and scales nothing down", shop.desired())
    thing.wait_for_reason("Acting")


def late_write(shop, controller, thing):
    """The leader's write has passed all that the API server checks, and waits there. The leader sleeps, another leads and
    writes; then the old write comes through."""
    first, gate = controller.leader(), WriteGate(shop.plane, shop.namespace)
    process, began = controller.process(first), time.time()
    try:
        gate.hold_next_of(first)
        time.sleep(1)  # the API server has taken the hook over
        shop.plane.kubectl("scale", "deployment", shop.name, "-n", shop.namespace, "--replicas=3")
        check(gate.holds.wait(30), "the leader's write is on its way", controller.said()[-2000:])
        process.pause()
        another_leads(controller, first)
        second = controller.leader()
        wait_for(f"{second} to set the replicas", lambda: shop.desired() * CAPACITY_RPS >= HIGH_RPS * 0.9)
        newer = shop.desired()
    finally:
        gate.close()
        process.resume()
    writes = wait_for("the late write to end", lambda: [event for event in scale_writes(shop.plane.audited(ACCOUNT, began))
                                                        if writer(event) == first])  # fmt: skip
    print(f"controller: the late write, {writes[0]['ended'] - writes[0]['at']:.0f} s on its way, ended with {writes[0]['responseStatus']['code']}")
    check(writes[0]["responseStatus"]["code"] == 409, "a write of who leads no longer fails", writes)
    check(shop.desired() >= min(newer, HIGH_RPS // CAPACITY_RPS), "and changes nothing", (newer, shop.desired()))
    thing.wait_for_reason("Acting")


def scale_writes(events):
    return [event for event in events if event["objectRef"].get("subresource") == "scale" and event["verb"] == "patch"]


def writer(event):
    """The pod."""
    return event["user"]["extra"]["authentication.kubernetes.io/pod-name"][0]


def goes_down(shop, _, thing):
    shop.children[-1].stop()
    shop.load([(600, LOW_RPS)], "low")
    # How far and how fast is the policy's business; on a busy machine pods start slowly, and it learns that.
    wait_for("fewer replicas than the high load took", lambda: shop.desired() * CAPACITY_RPS < HIGH_RPS, 240)


def is_audited(shop, controller, _):
    """No two writes of one version, no writes of two leaders mixed, all rights used and none missing."""
    events = shop.plane.audited(ACCOUNT, controller.began)
    writes = scale_writes(events)
    done = [event for event in writes if event["responseStatus"]["code"] == 200]
    versions = [event["requestObject"]["metadata"]["resourceVersion"] for event in done]
    check(len(done) >= 2, "it wrote", len(writes))
    check(len(set(versions)) == len(versions), "no two writes are based on the same version", versions)
    writers = [(event["at"], writer(event)) for event in done]
    wrong = [(at, pod, controller.led(at)) for at, pod in writers if pod not in controller.led(at)]
    check(not wrong, "only who leads writes", (wrong, controller.terms))
    check(len(controller.terms) >= 3, "there were at least three leaders", controller.terms)
    refused = {(event["verb"], event["objectRef"]["resource"]) for event in events if event["responseStatus"]["code"] == 403}
    check(not refused, "no right is missing in deploy/rbac.yaml", refused)
    used = {(event["verb"], "/".join(filter(None, (event["objectRef"]["resource"], event["objectRef"].get("subresource")))))
            for event in events if "objectRef" in event}  # fmt: skip
    granted = {(verb, resource) for role in granted_roles(shop.plane.admin) for rule in role["rules"] for verb in rule["verbs"]
               for resource in rule["resources"]}  # fmt: skip
    idle = {right for right in granted - used if not right[1].startswith("statefulsets")}
    print(f"controller: {len(events)} calls; granted and not used here: {sorted(idle) or 'none'}")
    moments = [int(event["at"]) for event in events]
    busiest = max((moments.count(moment) for moment in set(moments)), default=0)
    check(busiest <= 120, "never more than a few calls a second", busiest)
    print(f"controller: {len(done)} writes of {len(writes)} succeeded, in {len(controller.terms)} terms; at most {busiest} calls in one second")


def granted_roles(admin):
    root = "/apis/rbac.authorization.k8s.io/v1"
    return [admin.get(f"{root}/clusterroles/{NAME}"), admin.get(f"{root}/namespaces/{SYSTEM}/roles/{NAME}")]
