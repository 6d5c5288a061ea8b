"""Experiments on a real cluster: each command of docs/how-to/experiment-in-a-cluster.md, with the cluster's own HPA and a policy
in charge; what a run does to the HPA, and that it comes back however the run ends; exactly the rights of
deploy/optional/experiments.yaml, by the audit log, and each that is missing named."""

import csv
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import yaml
from checks import check
from kube_api import wait_for
from metrics_adapter import MetricsAdapter
from node_agent import now_text
from processes import Process
from prometheus import NAMESPACE as MONITORING
from prometheus import SERVICE
from shop import WORK_MS, Shop

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "experiment-in-a-cluster.md"
MANIFEST = ROOT / "deploy" / "optional" / "experiments.yaml"
NAMESPACE, ACCOUNT = "shop", "mpc-experiments"
LOW_RPS, HIGH_RPS, CAPACITY_RPS = 20, 140, 25
REQUEST_MILLI = 100  # of CPU, by a pod of the shop
POLICY = ("predictive:readiness-lag=5s,metric-age=2s,sample-interval=2s,start-hold=10s,recovery-hold=10s,zero-confirmation=10s,"
          "rollout-hold=10s")  # fmt: skip
# Times as short as the loads.
HPA_FLAGS = [f"--horizontal-pod-autoscaler-{flag}" for flag in ("sync-period=2s", "cpu-initialization-period=5s", "initial-readiness-delay=2s")]


class BusySlots:
    """The metrics API: a pod of toy-load that works all the time uses what it requests."""

    def __init__(self, shop):
        self.shop = shop

    def pod_metrics(self, _, selector):
        busy = self.shop.prometheus.series(f'rate(toy_work_sleep_seconds_sum{{namespace="{NAMESPACE}"}}[6s])') if "app=web" in selector else []
        return [{"metadata": {"name": labels["pod"], "namespace": NAMESPACE}, "timestamp": now_text(), "window": "6s",
                 "containers": [{"name": "main", "usage": {"cpu": f"{round(1000 * share * REQUEST_MILLI)}u"}}]} for labels, share in busy]  # fmt: skip

    def external(self, *_):
        return []

    custom = external


class Story:
    def __init__(self, cluster):
        self.cluster, self.plane, self.admin = cluster, cluster.plane, cluster.plane.admin
        self.shop = Shop(cluster, NAMESPACE)
        self.hpa_path = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/web"
        self.map_path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/mpc-experiment-web"
        self.folder = cluster.folder / "experiment"
        self.folder.mkdir(exist_ok=True)
        # The page's files are beside the checkout's, and what it writes is not in the checkout.
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)
        for name in ("deploy", "docs"):
            (self.home / name).symlink_to(ROOT / name)
        self.env = dict(os.environ, KUBECONFIG=str(self.plane.kubeconfig("admin")), HOME=str(self.folder),
                        PATH=f"{cluster.programs}:{self.plane.programs}:{os.environ['PATH']}")  # fmt: skip

    def open(self):
        wait_for("the namespace of an earlier suite to go", lambda: self.admin.try_get(f"/api/v1/namespaces/{NAMESPACE}") is None, 90)
        self.shop.open()
        self.adapter = MetricsAdapter(self.plane, BusySlots(self.shop))
        self.adapter.start()
        self.plane.restart_controller_manager(*HPA_FLAGS)
        self.admin.make({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {
            "name": "web", "namespace": NAMESPACE, "labels": {"team": "shop"}, "annotations": {"note": "kept as it is"}}, "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 2, "maxReplicas": 10,
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 10}}}})  # fmt: skip
        self.before = self.hpa()

    def close(self):
        self.plane.restart_controller_manager()
        self.adapter.stop()
        self.shop.close()

    def hpa(self):
        return self.admin.try_get(self.hpa_path)

    def jobs(self):
        return self.admin.get(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")["items"]

    def is_back(self):
        """As before: the HPA in all that is its own, nothing saved, no Job."""
        hpa = self.hpa()
        return (hpa is not None and hpa["spec"] == self.before["spec"] and self.admin.try_get(self.map_path) is None and not self.jobs()
                and all(hpa["metadata"][part] == self.before["metadata"][part] for part in ("labels", "annotations")))  # fmt: skip

    def check_back(self, what, seconds=30):
        try:
            wait_for("the HPA to be back", self.is_back, seconds)
        except TimeoutError as error:
            check(False, f"{what}: everything is back", error)
        else:
            check(True, f"{what}: everything is back")

    def phases(self, name, *phases):
        file = self.folder / f"{name}.csv"
        file.write_text("phase_idx,duration,rate_rps\n" + "".join(f"{i},{length}s,{rate}\n" for i, (length, rate) in enumerate(phases)))
        return file

    def command(self, load, out, *more, kubeconfig=None):
        return [self.cluster.programs / "mpc-autoscaler", "experiment", "mpc", "--phases", load, "--kubeconfig",
                kubeconfig or self.plane.kubeconfig("admin"), "--namespace", NAMESPACE, "--deployment", "web", "--target-url",
                f"http://web.{NAMESPACE}.svc/work?sleep_ms={WORK_MS}", "--capacity-per-replica", CAPACITY_RPS, "--max-replicas", "10",
                "--initial-replicas", "2", "--step-seconds", "2", "--metric-rate-window", "5s", "--policy", POLICY, "--prom-namespace",
                MONITORING, "--prom-service", SERVICE, "--out", out, *more]  # fmt: skip

    def start(self, name, load, *more, **options):
        words = self.command(load, self.folder / name, *more, **options)
        return Process(name, words, self.folder / f"{name}.log", self.env)

    def wait_for_load(self):
        """The policy is in charge, and requests come."""
        wait_for("the HPA to go", lambda: self.hpa() is None, 90)
        return wait_for("the load's pod", lambda: next((pod for pod in self.load_pods() if pod["status"].get("phase") == "Running"), None), 120)

    def load_pods(self):
        return [pod for pod in self.admin.get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"] if "experiment.mpc.dev/load" in pod["metadata"]["labels"]]


def run(cluster):
    story = Story(cluster)
    story.open()
    try:
        for chapter in (follows_the_page, leaves_what_it_should, scales_with_the_load, ready_before_a_known_event, hpa_that_comes_back,
                        killed, killed_with_its_guardian, interrupted, has_exactly_its_rights):  # fmt: skip
            started = time.monotonic()
            chapter(story)
            print(f"experiment: {chapter.__name__.replace('_', ' ')} ({time.monotonic() - started:.0f} s)", flush=True)
    finally:
        story.close()


def follows_the_page(story):
    """Meanwhile it is watched that the HPA goes for the second run and is there in the first."""
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for command in block.splitlines():
            done = subprocess.run(["bash", "-c", command], cwd=story.home, env=story.env, capture_output=True, text=True, timeout=500, check=False)
            check(done.returncode == 0, command, done.stdout + done.stderr)
            print(f"experiment: {command[:60]}: {done.stderr[-300:].strip()}", flush=True)
    story.check_back("after the page's runs")


def leaves_what_it_should(story):
    out = story.home / "out" / "pair"
    hpa_run, policy_run = out / "short" / "HPA-1", out / "short" / "predictive-1"
    common = {"run-meta.yaml", "phases.csv", "target.txt", "incluster-report.txt", "replica-watch.csv", "hpa-live.yaml", "deployment-live.yaml",
              "phase-summary.csv", "measured-run.json"}  # fmt: skip
    check({file.name for file in hpa_run.iterdir()} == common, "the HPA's run", sorted(file.name for file in hpa_run.iterdir()))
    own = {"mpc-control-log.csv", "mpc-loop.log", "control-summary.csv", "decisions.jsonl"}
    check({file.name for file in policy_run.iterdir()} == common | own, "the policy's run", sorted(file.name for file in policy_run.iterdir()))
    live = yaml.safe_load((policy_run / "hpa-live.yaml").read_text())
    check(live["spec"] == story.before["spec"], "hpa-live.yaml is the HPA that was set aside", live)
    meta = yaml.safe_load((policy_run / "run-meta.yaml").read_text())
    check(meta["mode"] == "mpc-online" and meta["namespace"] == NAMESPACE and meta["workload_name"] == "web" and meta["mpc_apply"] is True
          and meta["workload_knobs"] == {"sleep_ms": str(WORK_MS)} and meta["artifacts"]["hpa_live"] == "hpa-live.yaml", "run-meta.yaml", meta)  # fmt: skip
    check(yaml.safe_load((hpa_run / "run-meta.yaml").read_text())["hpa_target_average_utilization"] == "60", "the HPA's target is in its meta")
    for directory in (hpa_run, policy_run):
        counts = json.loads((directory / "measured-run.json").read_text())["counts"]
        check(counts["due"] == 25 * (LOW_RPS + HIGH_RPS + LOW_RPS), f"{directory.name}: every request is in the account", counts)
        check(counts["succeeded"] > 0.5 * counts["due"], f"{directory.name}: most were answered", counts)
    replay = story.cluster.program("replay", policy_run / "decisions.jsonl")
    check(replay.returncode == 0, "the decisions replay", replay.stdout + replay.stderr)
    page = (out / "report.html").read_text()
    check("<html" in page and "HPA" in page and "cluster world" in page, "the page", page[:300])
    shutil.copytree(out, story.folder / "pair")  # for --keep


def rows(directory):
    with open(directory / "replica-watch.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scales_with_the_load(story):
    short = story.home / "out" / "pair" / "short"
    for directory in short.iterdir():
        watch = rows(directory)
        ready = [int(row["ready_replicas"]) for row in watch if row["ready_replicas"]]
        check(len(watch) >= 60, f"{directory.name}: a sample each second", len(watch))
        check(ready[0] == 2 and max(ready) * CAPACITY_RPS >= 0.7 * HIGH_RPS, f"{directory.name}: up with the load", ready)
        has_hpa = any(row["hpa_desired_replicas"] for row in watch)
        check(has_hpa == (directory.name == "HPA-1"), f"{directory.name}: the HPA is there if it scales, and only then", watch[0])
        print(f"experiment: {directory.name}: ready {min(ready)} to {max(ready)}, at the end {ready[-1]}")


def ready_before_a_known_event(story):
    """The pods are there before the users are, and go when the event is over."""
    now = datetime.datetime.now(datetime.timezone.utc)
    begin = (now + datetime.timedelta(seconds=110)).replace(second=0, microsecond=0)
    calendar = story.folder / "calendar.yaml"
    end = begin + datetime.timedelta(minutes=2)
    calendar.write_text(f"timeZone: UTC\nevents:\n  - {{name: sale, start: {begin:%Y-%m-%dT%H:%M}, end: {end:%Y-%m-%dT%H:%M}, demandRps: {HIGH_RPS}}}\n")
    quiet_s = round((begin - now).total_seconds()) + 20  # the load begins some seconds after the command
    load = story.phases("event", (quiet_s, LOW_RPS), (20, HIGH_RPS))
    words = story.command(load, story.folder / "event", "--label", "predictive")
    words[words.index(POLICY)] = f"{POLICY},calendar=@{calendar}"
    run_ = Process("event", words, story.folder / "event.log", story.env)
    check(run_.child.wait(300) == 0, "a run with a calendar", run_.tail())
    directory = story.folder / "event" / "event" / "predictive-1"
    ready = {int(float(row["elapsed_s"])): int(row["ready_replicas"]) for row in rows(directory) if row["ready_replicas"]}
    before = ready.get(quiet_s - 1, ready.get(quiet_s - 2, 0))
    check(before * CAPACITY_RPS >= HIGH_RPS, "enough pods are ready before the event's users come", ready)
    late = json.loads((directory / "measured-run.json").read_text())["phases"][1]
    check(late["failed"] == 0 and late["latency_p95_ms"] < 1000, "so nobody waits long", late)
    print(f"experiment: {before} pods ready before {HIGH_RPS} requests/s came; their p95 was {late['latency_p95_ms']:.0f} ms")
    story.check_back("after the event")


def hpa_that_comes_back(story):
    """Somebody's GitOps puts the HPA back in the middle."""
    load = story.phases("guarded", (40, LOW_RPS))
    run_ = story.start("guarded", load)
    story.wait_for_load()
    story.admin.post(story.hpa_path.rsplit("/", 1)[0], {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                     "metadata": {"name": "web", "namespace": NAMESPACE}, "spec": story.before["spec"]})  # fmt: skip
    wait_for("the guard to remove it again", lambda: story.hpa() is None, 20)
    check(run_.child.wait(180) == 0, "the run goes on to its end", run_.tail())
    check("came back during the experiment and was removed again" in run_.log.read_text(), "and says so", run_.log.read_text()[:2000])
    found = list((story.folder / "guarded" / "guarded").glob("*/measured-run.json"))
    cautions = json.loads(found[0].read_text())["cautions"] if found else []
    check(any("an HPA came back once" in caution for caution in cautions), "and so does the page", cautions)
    story.check_back("after a run that met a returning HPA")


def killed(story):
    run_ = story.start("killed", story.phases("killed", (300, LOW_RPS)))
    pod = story.wait_for_load()
    spec = pod["spec"]
    check(not any("projected" in volume for volume in spec.get("volumes", [])) and spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"],
          "the load's pod has no token and writes nothing", spec)  # fmt: skip
    started = time.monotonic()
    run_.kill()
    wait_for("the HPA after kill -9", lambda: story.hpa() is not None, 30)
    print(f"experiment: the HPA was back {time.monotonic() - started:.1f} s after kill -9")
    story.check_back("after kill -9")
    check(not (story.folder / "killed" / "killed").exists() or not list((story.folder / "killed" / "killed").glob("*/run-meta.yaml")),
          "nothing looks like a finished run")  # fmt: skip


def children_of(parent):
    """Process ids."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def killed_with_its_guardian(story):
    """As when the machine goes: the ConfigMap stays, and a person puts things back."""
    run_ = story.start("gone", story.phases("gone", (300, LOW_RPS)))
    story.wait_for_load()
    for pid in children_of(run_.pid):
        os.kill(pid, signal.SIGKILL)
    run_.kill()
    time.sleep(3)
    check(story.hpa() is None and story.admin.try_get(story.map_path) is not None, "what was saved is there, and nobody restores it")
    done = story.cluster.program("experiment", "restore", "--kubeconfig", story.plane.kubeconfig("admin"), "--namespace", NAMESPACE,
                                 "--deployment", "web")  # fmt: skip
    check(done.returncode == 0 and "HorizontalPodAutoscaler web is back" in done.stdout, "experiment restore", done.stdout + done.stderr)
    story.check_back("after experiment restore")


def interrupted(story):
    run_ = story.start("interrupted", story.phases("interrupted", (300, LOW_RPS)))
    story.wait_for_load()
    check(run_.stop(grace_s=60) == 130, "an interrupt ends it with 130", run_.tail())
    check(story.is_back() or wait_for("the Job to go", story.is_back, 15), "and everything is back", run_.tail())


def has_exactly_its_rights(story):
    """A run by the account of the manifest; then without each of its rights."""
    shop = story.shop
    rules = next(each for each in yaml.safe_load_all(MANIFEST.read_text()) if each["kind"] == "Role")["rules"]
    role_path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/{ACCOUNT}"
    # The Prometheus behind the API server is asked as prometheus-proxy.yaml allows it.
    meta = {"name": ACCOUNT, "namespace": MONITORING}
    story.admin.make({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta, "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": f"{shop.namespace}-controller"}, "subjects": [
            {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}]})  # fmt: skip
    kubeconfig = story.plane.write_kubeconfig(ACCOUNT, token=story.plane.token(NAMESPACE, ACCOUNT))
    load = story.phases("rights", (20, 4 * CAPACITY_RPS))  # more than the first pods serve
    run_ = story.start("rights", load, kubeconfig=kubeconfig)
    check(run_.child.wait(240) == 0, "a run with the rights of the manifest", run_.tail())
    # Another CPU target for a while is the one thing that a policy's run does not do.
    words = [str(word) for word in story.command(load, story.folder / "rights-hpa", "--hpa-target", "150", kubeconfig=kubeconfig)]
    words[2:3] = ["hpa"]
    at = words.index("--policy")
    del words[at : at + 2]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240, env=story.env, check=False)
    check(done.returncode == 0, "and one of the HPA at another target", done.stdout + done.stderr)
    story.check_back("after runs with the rights of the manifest")
    events = story.plane.audited(f"{NAMESPACE}:{ACCOUNT}", since=0)
    refused = {(event["verb"], event["objectRef"]["resource"]) for event in events if event["responseStatus"]["code"] == 403}
    check(not refused, "no right is missing in deploy/optional/experiments.yaml", refused)
    used = {(event["verb"], "/".join(filter(None, (event["objectRef"]["resource"], event["objectRef"].get("subresource")))))
            for event in events if event.get("objectRef", {}).get("namespace") == NAMESPACE}  # fmt: skip
    granted = {(verb, resource) for rule in rules for verb in rule["verbs"] for resource in rule["resources"]}
    check(used == granted, "exactly what is granted is used", f"not used: {sorted(granted - used)}; not granted: {sorted(used - granted)}")
    for verb, resource in sorted(granted):
        fewer = [{**rule, "verbs": [word for word in rule["verbs"] if (word, resource) != (verb, rule["resources"][0])]} for rule in rules]
        story.admin.patch(role_path, {"rules": [rule for rule in fewer if rule["verbs"]]})
        less = subprocess.run([str(word) for word in story.command(load, story.folder / "less", kubeconfig=kubeconfig)], capture_output=True,
                              text=True, timeout=60, env=story.env, check=False)  # fmt: skip
        check(less.returncode == 2 and f"missing right: {verb} {resource}" in less.stderr and not (story.folder / "less").exists(),
              f"without {verb} {resource} it says so and touches nothing", less.stderr)  # fmt: skip
    story.admin.patch(role_path, {"rules": rules})
    check(story.is_back(), "after refusals nothing has changed")
