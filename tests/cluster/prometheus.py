"""Debian's Prometheus in the test cluster. It is built without the discovery of Kubernetes, so a watch of ours tells it the
running pods of a namespace, labelled as the reference lab's are (`namespace`, and `job` with the label `app`). It runs in a
pod, since the API server's proxy leads only to pods."""

import http.client
import json
import threading
import urllib.parse

from kube_api import wait_for

PORT = 9090
NAMESPACE, SERVICE = "monitoring", "prometheus"
# What the node agent runs for the image `prometheus`.
COMMAND = ["sh", "-c", f'exec prometheus "$@" --web.listen-address="$HOST:{PORT}"', "sh"]


class Prometheus:
    def __init__(self, plane, watched_namespace, folder, interval_s=1):
        self.plane, self.folder = plane, folder
        self.watched, self.pods, self.targets, self.stopped = watched_namespace, {}, folder / "targets.json", threading.Event()
        self.tell_targets()
        self.config = folder / "prometheus.yml"
        self.config.write_text(json.dumps({
            "global": {"scrape_interval": f"{interval_s}s", "scrape_timeout": f"{interval_s}s"},
            "scrape_configs": [{"job_name": "pods", "file_sd_configs": [{"files": [str(self.targets)]}]}]}))  # fmt: skip

    def start(self):
        labels, admin = {"app": SERVICE}, self.plane.admin
        meta = {"name": SERVICE, "namespace": NAMESPACE}
        container = {"name": "main", "image": "prometheus", "ports": [{"containerPort": PORT}],
                     "args": [f"--config.file={self.config}", f"--storage.tsdb.path={self.folder / 'prometheus'}"],
                     "readinessProbe": {"httpGet": {"path": "/-/ready", "port": PORT}, "periodSeconds": 1}}  # fmt: skip
        admin.make(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": labels, "ports": [{"port": PORT}]}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}}})  # fmt: skip
        self.address = wait_for("prometheus", self.ready_address)
        path = f"/api/v1/namespaces/{self.watched}/pods"
        threading.Thread(target=self.plane.admin.watch, args=(path, self.on_event, self.stopped), daemon=True).start()

    def on_event(self, kind, what):
        if kind == "LIST":
            self.pods = {item["metadata"]["name"]: item for item in what}
        elif kind == "DELETED":
            self.pods.pop(what["metadata"]["name"], None)
        else:
            self.pods[what["metadata"]["name"]] = what
        self.tell_targets()

    def tell_targets(self):
        targets = [{"targets": [f"{pod['status']['podIP']}:{pod['spec']['containers'][0]['ports'][0]['containerPort']}"],
                    "labels": {"namespace": self.watched, "job": pod["metadata"]["labels"]["app"], "pod": name}}
                   for name, pod in sorted(self.pods.items()) if pod["status"].get("phase") == "Running" and "podIP" in pod["status"]
                   and "app" in pod["metadata"].get("labels", {}) and "ports" in pod["spec"]["containers"][0]]  # fmt: skip
        fresh = self.targets.with_suffix(".new")
        fresh.write_text(json.dumps(targets))
        fresh.rename(self.targets)

    def ready_address(self):
        for pod in self.plane.admin.get(f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=app%3D{SERVICE}")["items"]:
            if any(item["type"] == "Ready" and item["status"] == "True" for item in pod["status"].get("conditions", [])):
                return pod["status"]["podIP"]
        return None

    def series(self, query):
        """Of an instant query: pairs of labels and value."""
        connection = http.client.HTTPConnection(self.address, PORT, timeout=5)
        connection.request("GET", "/api/v1/query?query=" + urllib.parse.quote(query))
        return [(item["metric"], float(item["value"][1])) for item in json.loads(connection.getresponse().read())["data"]["result"]]

    def value(self, query):
        """Of an instant query with one answer; None when there is none."""
        found = self.series(query)
        return found[0][1] if found else None

    def stop(self):
        self.stopped.set()
        for kind in ("apis/apps/v1", "deployments"), ("api/v1", "services"):
            self.plane.admin.delete(f"/{kind[0]}/namespaces/{NAMESPACE}/{kind[1]}/{SERVICE}")
