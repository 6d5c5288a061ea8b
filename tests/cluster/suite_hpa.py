"""The HPA's twin against the real controller: the same specs, pods and metrics, sync after sync.

Each story is an HPA of its own with a random spec on a Deployment of its own. The suite is the metrics API of the stories, so
each sync of the controller comes to it as a request. It notes all that the controller can see, and answers; what the object
says at the next request is the outcome of that sync. Between two syncs the suite changes pods and the Deployment comes to
rest. An answer waits while something that the controller remembers is about as old as one of its windows, so that tenths of a
second never decide. Where the controller was told meanwhile to look again at once (on a machine that is busy), it works with
an older object than its own last status; where a question of it did not come through, its status tells of a sync that nobody saw. Such a
story begins anew with a new HPA.

What was noted is a scenario in the format of tests/data/hpa, which hpa_conformance plays against the twin.
"""

import datetime
import json
import math
import os
import random
import re
import subprocess
import threading
import time

from checks import check
from kube_api import STRATEGIC, ApiError
from metrics_adapter import MetricsAdapter, Unavailable
from node_agent import now_text

NAMESPACE = "hpa-twin"
STORIES = int(os.environ.get("MPCA_TEST_CLUSTER_HPAS", "24"))
SECONDS = float(os.environ.get("MPCA_TEST_CLUSTER_HPA_SECONDS", "180"))
SEED = int(os.environ.get("MPCA_TEST_CLUSTER_SEED", "1"))
SYNC_PERIOD_S = 4
FLAGS = {"tolerance": 0.1, "downscale_stabilization_s": 18, "cpu_initialization_period_s": 21, "initial_readiness_delay_s": 5}
# What the controller says of a question that the API server did not pass on to us, or whose answer it did not get.
NOT_REACHED = re.compile("currently unable to handle the request|connection (refused|reset|lost)|[Tt]imeout|deadline exceeded|EOF")
CONTAINERS = {"main": 200, "side": 100}  # and what they request of cpu, in milli


def controller_flags():
    flag = "--horizontal-pod-autoscaler-"
    return [f"{flag}sync-period={SYNC_PERIOD_S}s", f"{flag}tolerance={FLAGS['tolerance']}",
            f"{flag}downscale-stabilization={FLAGS['downscale_stabilization_s']}s",
            f"{flag}cpu-initialization-period={FLAGS['cpu_initialization_period_s']}s",
            f"{flag}initial-readiness-delay={FLAGS['initial_readiness_delay_s']}s",
            "--concurrent-horizontal-pod-autoscaler-syncs=60"]  # fmt: skip


def seconds_of(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) if text else None


def random_rules(draw, up):
    rules = {}
    if draw.random() < 0.6:
        rules["stabilizationWindowSeconds"] = draw.choice((0, 6, 10, 18) if up else (0, 6, 10, 18, 30))
    if draw.random() < 0.6:
        rules["policies"] = [{"type": "Pods", "value": draw.choice((1, 2, 4)), "periodSeconds": draw.choice((2, 6, 14, 30))}
                             if draw.random() < 0.5 else
                             {"type": "Percent", "value": draw.choice((10, 50, 100, 200)), "periodSeconds": draw.choice((2, 6, 14, 30))}
                             for _ in range(draw.choice((1, 1, 2, 3)))]  # fmt: skip
        rules["selectPolicy"] = draw.choice(("Max", "Max", "Min"))
    if draw.random() < 0.08:
        rules["selectPolicy"] = "Disabled"
    if draw.random() < 0.3:
        rules["tolerance"] = draw.choice(("0", "0.05", "0.3"))
    return rules


def windows_of(spec):
    """How long, in seconds, the controller remembers what it recommended and did, for this HPA."""
    rules = spec.get("behavior", {}).values()
    return {FLAGS["downscale_stabilization_s"], *(rule.get("stabilizationWindowSeconds", 0) for rule in rules),
            *(policy["periodSeconds"] for rule in rules for policy in rule.get("policies", []))} - {0}  # fmt: skip


def is_too_close(scenario, now_s):
    """Whether at the sync of this second something was as old as a window is long, to a second: on a machine that is busy the
    controller works so much later than it was answered, and only itself knows on which side of the window that was."""
    moments = [tick["now_ms"] / 1000 for tick in scenario["ticks"]]
    now = next(moment for moment in moments if int(moment) == now_s)
    return any(abs(now - moment - window) <= 1 for moment in moments if moment < now for window in windows_of(scenario["hpa"]["spec"]))


class Metric:
    """One entry of spec.metrics, and what its API answers."""

    def __init__(self, draw, story, number):
        self.draw, self.story, self.name = draw, story, f"m{number}-{story}"
        self.kind = draw.choice(("External", "External", "Pods", "Object", "Resource", "Resource", "ContainerResource"))
        self.is_average = draw.random() < 0.5
        self.target_milli = draw.choice((500, 1000, 2500, 10000, 100000))
        if self.kind in ("Resource", "ContainerResource"):
            self.target_milli = draw.choice((50, 120))

    def spec(self):
        quantity = f"{self.target_milli}m"
        target = {"type": "AverageValue", "averageValue": quantity} if self.is_average or self.kind == "Pods" else {"type": "Value", "value": quantity}
        if self.kind == "External":
            return {"type": "External", "external": {"metric": {"name": self.name}, "target": target}}
        if self.kind == "Pods":
            return {"type": "Pods", "pods": {"metric": {"name": self.name}, "target": target}}
        if self.kind == "Object":
            return {"type": "Object", "object": {"describedObject": {"apiVersion": "v1", "kind": "Service", "name": self.story},
                                                 "metric": {"name": self.name}, "target": target}}  # fmt: skip
        if not self.is_average:
            target = {"type": "Utilization", "averageUtilization": 60}
        if self.kind == "Resource":
            return {"type": "Resource", "resource": {"name": "cpu", "target": target}}
        return {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "main", "target": target}}

    def answer(self, wanted, pods, ready, now):
        """In the scenario's shape, as if `wanted` replicas were about right. Missing values and pods happen."""
        draw = self.draw
        if draw.random() < 0.06:
            return {"error": "not known now"}
        if self.kind in ("External", "Object"):
            total = self.target_milli * (wanted if self.is_average else wanted / max(1, ready))
            if self.kind == "Object":
                return {"value_milli": math.ceil(total)}
            part = draw.random() if draw.random() < 0.3 else 1.0
            return {"values_milli": [math.ceil(total * part), *([math.ceil(total * (1 - part))] if part < 1 else [])]}
        items = []
        for pod in pods:
            if draw.random() < 0.08:
                continue
            share = wanted / max(1, len(pods)) * draw.uniform(0.8, 1.2)
            item = {"pod": pod["name"], "timestamp_s": now - draw.choice((0, 1, 4)), "window_s": draw.choice((1, 5, 15))}
            if self.kind == "Pods":
                item["value_milli"] = math.ceil(self.target_milli * share)
            else:
                per_container = self.target_milli * share
                if not self.is_average:
                    per_container = 0.6 * CONTAINERS["main"] * share
                item["containers"] = [{"name": name, "usage": {"cpu_milli": math.ceil(per_container * draw.uniform(0.7, 1.3))}} for name in CONTAINERS]
            items.append(item)
        return {"pods": items}


class Story:
    def __init__(self, plane, number):
        self.plane, self.name, self.draw = plane, f"web-{number}", random.Random(f"{SEED}-{number}")
        draw = self.draw
        self.metrics = [Metric(draw, self.name, i) for i in range(draw.choice((1, 1, 2, 3)))]
        self.low, self.high = draw.choice((1, 1, 2, 3)), draw.choice((6, 10, 15))
        self.wanted = draw.uniform(self.low, self.high)
        spec = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": self.name}, "minReplicas": self.low,
                "maxReplicas": self.high, "metrics": [metric.spec() for metric in self.metrics]}  # fmt: skip
        if draw.random() < 0.7:
            spec["behavior"] = {key: rules for key, rules in (("scaleUp", random_rules(draw, True)), ("scaleDown", random_rules(draw, False))) if rules}
        self.hpa = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": self.name, "namespace": NAMESPACE},
                    "spec": spec}  # fmt: skip
        self.lock = threading.Lock()
        self.windows = windows_of(spec)
        self.scenarios, self.ends = [], 0
        self.begin()
        self.start_replicas = draw.randint(self.low, self.high)

    def begin(self):
        self.next_metric, self.answers, self.ticks, self.open_tick = 0, [], [], None
        self.last_answer, self.is_over, self.moments = 0, False, []

    def objects(self):
        labels = {"app": self.name}
        containers = [{"name": name, "image": "nothing", "resources": {"requests": {"cpu": f"{milli}m"}}} for name, milli in CONTAINERS.items()]
        meta = {"name": self.name, "namespace": NAMESPACE}
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {
            "replicas": self.start_replicas, "selector": {"matchLabels": labels}, "progressDeadlineSeconds": 100000,
            "template": {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 0, "containers": containers}}}}  # fmt: skip
        service = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": labels, "ports": [{"port": 80}]}}
        return deployment, service, self.hpa

    # What the controller can see.

    def scale(self):
        scale = self.plane.admin.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{self.name}/scale")
        return {"spec_replicas": scale["spec"]["replicas"], "status_replicas": scale["status"]["replicas"], "selector": scale["status"]["selector"]}

    def pods(self):
        return self.plane.admin.get(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app%3D{self.name}")["items"]

    @staticmethod
    def shown(pod):
        """In the scenario's shape."""
        status = pod.get("status", {})
        item = {"name": pod["metadata"]["name"], "labels": pod["metadata"]["labels"], "phase": status.get("phase", "Pending"),
                "containers": [{"name": name, "requests": {"cpu_milli": milli}} for name, milli in CONTAINERS.items()]}  # fmt: skip
        if "startTime" in status:
            item["start_time_s"] = seconds_of(status["startTime"])
        for condition in status.get("conditions", []):
            if condition["type"] == "Ready":
                item["ready"], item["ready_since_s"] = condition["status"], seconds_of(condition["lastTransitionTime"])
        if "deletionTimestamp" in pod["metadata"]:
            item["deleted"] = True
        return item

    # A sync.

    def answer(self, number):
        """Called for the metric with this place, in the order in which the controller asks."""
        with self.lock:
            self.is_over |= number != self.next_metric
            if number == 0:
                self.begin_sync()
            self.next_metric = (number + 1) % len(self.metrics)
            if self.next_metric == 0:
                self.end_sync()
            return self.answers[number]

    def begin_sync(self):
        self.began = time.time()
        since_last = self.began - self.last_answer
        is_next = SYNC_PERIOD_S / 2 <= since_last < SYNC_PERIOD_S * 1.5
        scale = self.scale()
        if self.open_tick and is_next and not self.is_over:
            self.close_tick(scale)
        self.is_over |= self.last_answer != 0 and not is_next
        now, pods = int(time.time()), [self.shown(pod) for pod in self.pods()]
        ready = sum(pod.get("ready") == "True" for pod in pods)
        self.move()
        at_rest = scale["spec_replicas"] == scale["status_replicas"] == len(pods)
        self.answers = [metric.answer(self.wanted, pods, ready, now) if at_rest else {"error": "still scaling"} for metric in self.metrics]
        self.open_tick = {"scale": scale, "pods": pods, "metrics": self.answers}

    def end_sync(self):
        deadline = time.time() + SYNC_PERIOD_S / 2
        while self.is_delicate(time.time()) and time.time() < deadline:
            time.sleep(0.02)
        self.last_answer = time.time()
        self.is_over |= self.is_delicate(self.last_answer)
        self.moments.append((self.began, self.last_answer))
        self.open_tick["now_ms"] = int(self.last_answer * 1000)

    def is_delicate(self, now):
        """What the controller does next should still be in the second that we note, and nothing of its memory just as old as
        a window is long."""
        return not 0.02 < now % 1 < 0.75 or any(now - answered - 0.3 < window < now - began + 0.4
                                                for began, answered in self.moments for window in self.windows)  # fmt: skip

    def close_tick(self, scale):
        status = self.plane.admin.get(f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/{self.name}")["status"]
        if any(NOT_REACHED.search(item.get("message", "")) for item in status.get("conditions", [])):
            self.is_over = True
            return
        self.open_tick["expect"] = {
            "desired_replicas": scale["spec_replicas"],
            "status": {"current_replicas": status.get("currentReplicas", 0), "desired_replicas": status["desiredReplicas"],
                       "last_scale_time_s": seconds_of(status.get("lastScaleTime"))},
            "conditions": {item["type"]: [item["status"], item["reason"]] for item in status.get("conditions", [])}}  # fmt: skip
        # A slow moment: the controller says itself when it was.
        late_s = (seconds_of(status.get("lastScaleTime")) or 0) - self.open_tick["now_ms"] // 1000
        if late_s > 1:
            self.is_over = True
            return
        if late_s == 1:
            self.open_tick["now_ms"] = (self.open_tick["now_ms"] // 1000 + 1) * 1000
        self.ticks.append(self.open_tick)
        self.open_tick = None

    def move(self):
        """The load: a random walk with jumps and quiet times, at times beyond what the bounds allow."""
        draw = self.draw
        if draw.random() < 0.5:
            self.wanted *= math.exp(draw.gauss(0, 0.12))
        if draw.random() < 0.06:
            self.wanted *= draw.choice((0.3, 0.5, 2, 3))
        self.wanted = min(max(self.wanted, 0.3 * self.low), 1.3 * self.high)

    def live(self, number, stop):
        """Plays the kubelet of its pods, in the pauses between a sync and the next."""
        stop.wait(SYNC_PERIOD_S * number / STORIES)  # the stories are spread over the period
        self.plane.admin.make(self.hpa)
        done = 0
        while not stop.is_set():
            stop.wait(0.05)
            if self.is_over:
                self.begin_anew(stop)
            elif self.last_answer != done and time.time() - self.last_answer > 0.8:
                done = self.last_answer
                for pod in self.pods():
                    if time.time() - done < SYNC_PERIOD_S / 2:
                        self.step(pod)

    def begin_anew(self, stop):
        """With another object of the name: the controller remembers nothing of the one before."""
        self.ends += 1
        self.plane.admin.delete(f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/{self.name}")
        if stop.wait(2 * SYNC_PERIOD_S):
            return
        with self.lock:
            self.keep_scenario()
            self.begin()
        self.plane.admin.make(self.hpa)

    def step(self, pod):
        draw, meta, status = self.draw, pod["metadata"], pod.get("status", {})
        conditions = {item["type"]: item["status"] for item in status.get("conditions", [])}
        ready = conditions.get("Ready")
        if status.get("phase") == "Failed" or "deletionTimestamp" in meta or "nodeName" not in pod["spec"]:
            return
        change = None
        if "startTime" not in status:
            if draw.random() < 0.7:
                change = {"startTime": now_text()}
        elif status["phase"] == "Pending":
            if draw.random() < 0.6:
                change = {"phase": "Running", **self.readiness("False")}
        elif ready == "False" and draw.random() < 0.5:
            change = self.readiness("True")
        elif ready == "True" and draw.random() < 0.01:
            change = self.readiness("False")
        elif draw.random() < 0.003:
            change = {"phase": "Failed"}
        if change:
            try:
                self.plane.admin.patch(f"/api/v1/namespaces/{NAMESPACE}/pods/{meta['name']}/status", {"status": change}, STRATEGIC)
            except ApiError:
                pass  # deleted meanwhile

    @staticmethod
    def readiness(status):
        return {"conditions": [{"type": "Ready", "status": status, "lastTransitionTime": now_text()}]}

    def keep_scenario(self):
        if self.ticks:
            self.scenarios.append({
                "format": 1, "name": f"{self.name}.{self.ends}", "kind": "cluster", "about": "a real controller's syncs", "controller": FLAGS,
                "hpa": self.hpa, "initial": {"scale": self.ticks[0]["scale"], "status": {}}, "ticks": self.ticks})  # fmt: skip


class Feed:
    def __init__(self, stories):
        self.stories = {story.name: story for story in stories}

    def pod_metrics(self, _, selector):
        """Of which metric is not said: it is the next one of that kind."""
        story = self.stories[selector.removeprefix("app=")]
        number = story.next_metric
        while story.metrics[number].kind not in ("Resource", "ContainerResource"):
            number = (number + 1) % len(story.metrics)
        return self.pod_items(story.answer(number), lambda item: {
            "metadata": {"name": item["pod"], "namespace": NAMESPACE}, "window": f"{item['window_s']}s",
            "containers": [{"name": container["name"], "usage": {"cpu": f"{container['usage']['cpu_milli']}m", "memory": "1Mi"}}
                           for container in item["containers"]]})  # fmt: skip

    def external(self, _, metric):
        answer = self.answer(metric)
        return [{"metricName": metric, "metricLabels": {"part": str(i)}, "timestamp": now_text(), "value": f"{value}m"}
                for i, value in enumerate(answer["values_milli"])]  # fmt: skip

    def custom(self, _, resource, name, metric):
        answer = self.answer(metric)
        if resource != "pods":
            return [{"describedObject": {"kind": "Service", "namespace": NAMESPACE, "name": name, "apiVersion": "v1"}, "metric": {"name": metric},
                     "timestamp": now_text(), "value": f"{answer['value_milli']}m"}]  # fmt: skip
        return self.pod_items(answer, lambda item: {
            "describedObject": {"kind": "Pod", "namespace": NAMESPACE, "name": item["pod"], "apiVersion": "v1"}, "metric": {"name": metric},
            "windowSeconds": item["window_s"], "value": f"{item['value_milli']}m"})  # fmt: skip

    def answer(self, metric):
        number, story = re.fullmatch(r"m(\d+)-(.*)", metric).groups()
        answer = self.stories[story].answer(int(number))
        if "error" in answer:
            raise Unavailable(answer["error"])
        return answer

    @staticmethod
    def pod_items(answer, shape):
        if "error" in answer:
            raise Unavailable(answer["error"])
        return [{**shape(item), "timestamp": datetime.datetime.fromtimestamp(item["timestamp_s"], datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}
                for item in answer["pods"]]  # fmt: skip


def run(cluster):
    plane = cluster.plane
    cluster.need_node()
    stories = [Story(plane, i) for i in range(STORIES)]
    adapter = MetricsAdapter(plane, Feed(stories))
    adapter.start()
    plane.restart_controller_manager(*controller_flags())
    stop, lives = threading.Event(), []
    try:
        plane.admin.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for story in stories:
            plane.admin.make(*story.objects()[:2])
        time.sleep(3)  # pods are there before the first sync
        lives = [threading.Thread(target=story.live, args=(number, stop), daemon=True) for number, story in enumerate(stories)]
        for life in lives:
            life.start()
        time.sleep(SECONDS)
    finally:
        stop.set()
        for life in lives:
            life.join(10)
        plane.admin.delete(f"/api/v1/namespaces/{NAMESPACE}")
        plane.restart_controller_manager()
        adapter.stop()
    judge(cluster, stories)


def judge(cluster, stories):
    for story in stories:
        with story.lock:
            story.keep_scenario()
    scenarios = [scenario for story in stories for scenario in story.scenarios]
    file = cluster.folder / "hpa-twin.jsonl"
    file.write_text("".join(json.dumps(scenario) + "\n" for scenario in scenarios))
    done = subprocess.run([cluster.tests / "hpa_conformance", file], capture_output=True, text=True, check=False)
    (cluster.folder / "logs" / "hpa-twin.log").write_text(done.stdout)
    ticks = [tick for scenario in scenarios for tick in scenario["ticks"]]
    rescaled = sum(tick["scale"]["spec_replicas"] != tick["expect"]["desired_replicas"] for tick in ticks)
    differ = set(re.findall(r"^\S+ tick \d+", done.stdout, re.MULTILINE))
    print(f"hpa: {len(ticks) - len(differ)} of {len(ticks)} syncs agree, {rescaled} of them rescaled ({len(stories)} HPAs, {len(scenarios)} beginnings, "
          f"seed {SEED})")  # fmt: skip
    check(len(ticks) > 2 * STORIES, "there were many syncs", len(ticks))
    check(rescaled > len(ticks) / 50, "the real HPA scaled", rescaled)
    close = 0
    for number, scenario in enumerate(scenarios):
        lines = [line for line in done.stdout.splitlines() if line.startswith(f"{file}:{number + 1}:")]
        seconds = {int(now_s) for line in lines for now_s in re.findall(r" tick \d+ \(now_s (\d+)\)", line)}
        undecided = {now_s for now_s in seconds if is_too_close(scenario, now_s)}
        close += len(undecided)
        lines = [line for line in lines if not any(f"(now_s {now_s})" in line for now_s in undecided)]
        check(not lines, f"the twin agrees on {scenario['name']}", "\n".join(lines[:5]))
    print(f"hpa: {close} syncs were too close to a window's end to tell")
    check(close <= len(ticks) / 200, "hardly a sync is too close to tell", close)
