"""The three metrics APIs as one aggregated API server: what its feed says is what the HPA reads.

A feed has three methods, called with the request's names; each returns a list of items or raises Unavailable:
  pod_metrics(namespace, selector)                     PodMetrics
  external(namespace, metric)                          ExternalMetricValue
  custom(namespace, resource, name, metric)            MetricValue; for pods the name is "*"
"""

import base64
import http.server
import pathlib
import ssl
import threading
import urllib.parse

from control_plane import FRONT_PROXY
from json_handler import JsonHandler
from kube_api import wait_for

PORT = 7443
APIS = {"metrics.k8s.io/v1beta1": [("pods", "PodMetrics")], "external.metrics.k8s.io/v1beta1": [("any", "ExternalMetricValueList")],
        "custom.metrics.k8s.io/v1beta2": [("pods/any", "MetricValueList"), ("services/any", "MetricValueList")]}  # fmt: skip


class Unavailable(Exception):
    """Nothing is known of this metric now."""


class Handler(JsonHandler):
    def do_GET(self):
        subject = dict(pair[0] for pair in self.connection.getpeercert().get("subject", ()))
        if subject.get("commonName") != FRONT_PROXY:
            return self.answer({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403}, 403)
        url = urllib.parse.urlsplit(self.path)
        words = [urllib.parse.unquote(word) for word in url.path.strip("/").split("/")]
        version = "/".join(words[1:3])
        if words[0] != "apis" or version not in APIS:
            return self.answer({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}, 404)
        if len(words) == 3:
            resources = [{"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get", "list"]} for name, kind in APIS[version]]
            return self.answer({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources})
        try:
            kind, items = self.items(version, words[4], words[5:], urllib.parse.parse_qs(url.query))
        except Unavailable as error:
            return self.answer({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404, "message": str(error)}, 404)
        return self.answer({"kind": kind, "apiVersion": version, "metadata": {}, "items": items})

    def items(self, version, namespace, rest, query):
        feed = self.server.feed
        if version.startswith("metrics."):
            return "PodMetricsList", feed.pod_metrics(namespace, query.get("labelSelector", [""])[0])
        if version.startswith("external."):
            return "ExternalMetricValueList", feed.external(namespace, rest[0])
        return "MetricValueList", feed.custom(namespace, *rest)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # a client that goes away is nobody's trouble


class MetricsAdapter:
    def __init__(self, plane, feed):
        self.plane = plane
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*plane.certificates.pair("adapter"))
        context.load_verify_locations(plane.certificates.folder / "front-proxy-ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = Server(("127.0.0.1", PORT), Handler)
        self.server.feed = feed
        # The handshake is the handler thread's business, not that of the one that accepts.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)

    def start(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        authority = base64.b64encode(pathlib.Path(self.plane.certificates.ca).read_bytes()).decode()
        # A Service without pods: the aggregator asks its external name, which is this machine.
        self.plane.admin.make({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "metrics-adapter", "namespace": "kube-system"},
                               "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": PORT}]}})  # fmt: skip
        for api in APIS:
            group, version = api.split("/")
            name = f"{version}.{group}"
            self.plane.admin.make({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": name},
                                   "spec": {"group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100,
                                            "service": {"name": "metrics-adapter", "namespace": "kube-system", "port": PORT},
                                            "caBundle": authority}})  # fmt: skip
        for api in APIS:
            group, version = api.split("/")
            wait_for(f"APIService {version}.{group}", lambda path=f"/apis/apiregistration.k8s.io/v1/apiservices/{version}.{group}": any(
                item["type"] == "Available" and item["status"] == "True"
                for item in self.plane.admin.get(path).get("status", {}).get("conditions", [])))  # fmt: skip

    def stop(self):
        for api in APIS:
            group, version = api.split("/")
            self.plane.admin.delete(f"/apis/apiregistration.k8s.io/v1/apiservices/{version}.{group}")
        self.server.shutdown()
        self.server.server_close()
