"""A workload of toy-load in a namespace, as users have it: Deployment, Service, the Service's load balancer, Prometheus, load,
and the account that controls it with exactly the rights of its role."""

import subprocess

from balancer import Balancer
from kube_api import wait_for
from node_agent import START_DELAY
from processes import Process
from prometheus import NAMESPACE as MONITORING
from prometheus import SERVICE, Prometheus

READY_AFTER_S = 2
# One request works 40 ms, one at a time: a pod serves 25 requests/s.
CAPACITY_RPS, WORK_MS = 25, 40
CONTROLLER = "controller"
RIGHTS = [{"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get", "patch"]},
          {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]  # fmt: skip


def deployment(namespace, name, replicas, start_s):
    labels = {"app": name}
    container = {"name": "main", "image": "toy-load", "ports": [{"name": "http", "containerPort": 8080}],
                 "env": [{"name": "PORT", "value": "8080"}, {"name": "READY_AFTER", "value": f"{READY_AFTER_S}s"},
                         {"name": "CONCURRENCY", "value": "1"}, {"name": "LOG_LEVEL", "value": "warn"}],
                 "resources": {"requests": {"cpu": "100m"}},
                 "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1, "failureThreshold": 1}}  # fmt: skip
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels, "annotations": {START_DELAY: str(start_s)}},
            "spec": {"terminationGracePeriodSeconds": 5, "containers": [container]}}}}  # fmt: skip


class Shop:
    def __init__(self, cluster, namespace, name="web", replicas=2, start_s=3):
        self.cluster, self.plane, self.namespace, self.name = cluster, cluster.plane, namespace, name
        self.folder = cluster.folder / namespace
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self.replicas, self.start_s = replicas, start_s
        self.children = []

    def open(self):
        admin = self.plane.admin
        self.cluster.need_node()
        admin.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}},
                   deployment(self.namespace, self.name, self.replicas, self.start_s),
                   {"apiVersion": "v1", "kind": "Service", "metadata": {"name": self.name, "namespace": self.namespace},
                    "spec": {"selector": {"app": self.name}, "ports": [{"port": 80, "targetPort": "http"}]}},
                   {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": CONTROLLER, "namespace": self.namespace}})  # fmt: skip
        self.grant(self.namespace, RIGHTS)
        self.prometheus = Prometheus(self.plane, self.namespace, self.folder)
        self.prometheus.start()
        self.grant(MONITORING, [{"apiGroups": [""], "resources": ["services/proxy"], "verbs": ["get"]}])
        self.balancer = Balancer(self.plane, self.namespace, self.name, self.folder)
        self.balancer.start()
        wait_for("the first pods", lambda: self.ready() == self.replicas)
        return self

    def close(self):
        for child in self.children:
            child.stop()
        self.balancer.stop()
        self.prometheus.stop()
        self.plane.admin.delete(f"/api/v1/namespaces/{self.namespace}")

    def grant(self, namespace, rules):
        """Replaces what the controller may do in this namespace."""
        meta = {"name": f"{self.namespace}-{CONTROLLER}", "namespace": namespace}
        path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        if self.plane.admin.try_get(f"{path}/roles/{meta['name']}"):
            self.plane.admin.patch(f"{path}/roles/{meta['name']}", {"rules": rules})
            return
        self.plane.admin.make(
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": rules},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta,
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": meta["name"]},
             "subjects": [{"kind": "ServiceAccount", "name": CONTROLLER, "namespace": self.namespace}]})  # fmt: skip

    def object(self):
        return self.plane.admin.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.name}")

    def desired(self):
        return self.object()["spec"]["replicas"]

    def ready(self):
        return self.object()["status"].get("readyReplicas", 0)

    def scale_to(self, replicas):
        self.plane.admin.patch(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.name}/scale", {"spec": {"replicas": replicas}})
        wait_for(f"{replicas} ready pods", lambda: self.ready() == replicas and self.object()["status"]["replicas"] == replicas)

    def load(self, phases, report="load"):
        """Runs beside: [(seconds, requests per second)]."""
        file = self.folder / f"{report}.csv"
        file.write_text("phase_idx,duration,rate_rps\n" + "".join(f"{i},{length}s,{rate}\n" for i, (length, rate) in enumerate(phases)))
        url = f"http://{self.balancer.address}/work?sleep_ms={WORK_MS}"
        child = Process("loadgen", [self.cluster.programs / "loadgen", "--url", url, "--phases", file, "--arrivals", "poisson", "--timeout",
                                    "10s", "--report", "json", "--out", self.folder / f"{report}.json"], self.folder / "logs" / f"{report}.log")  # fmt: skip
        self.children.append(child)
        return child

    def kubeconfig(self, token=None, **more):
        """Of the controller's account; `more` as write_kubeconfig() takes it."""
        token = token or (None if "token_file" in more else self.plane.token(self.namespace, CONTROLLER))
        return self.plane.write_kubeconfig(f"{self.namespace}-{CONTROLLER}", token=token, **more)

    def run_one_command(self, log, *more, kubeconfig=None):
        return [self.cluster.programs / "mpc-autoscaler", "run-one", "--kubeconfig", kubeconfig or self.kubeconfig(), "--namespace",
                self.namespace, "--deployment", self.name, "--prom-namespace", MONITORING, "--prom-service", SERVICE, "--step-seconds", "2",
                "--metric-rate-window", "5s", "--capacity-per-replica", CAPACITY_RPS, "--max-replicas", "12", "--log-csv", log, *more]  # fmt: skip

    def run_one(self, log, *more, **options):
        """To its end: exit code, stdout and stderr."""
        command = [str(word) for word in self.run_one_command(log, *more, **options)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        (self.folder / "logs" / f"{log.stem}.log").write_text(done.stdout + done.stderr)
        return done

    def start_run_one(self, log, *more, **options):
        child = Process("run-one", self.run_one_command(log, *more, **options), self.folder / "logs" / "run-one.log")
        self.children.append(child)
        return child
