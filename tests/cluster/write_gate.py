"""An admission webhook that holds the next write of one pod's replicas, so that it reaches the store late: everything the API
server checks before has been checked, and meanwhile others write."""

import base64
import http.server
import pathlib
import ssl
import threading

from json_handler import JsonHandler
from kube_api import ApiError

PORT = 7444
NAME = "write-gate.mpc.dev"
PATH = f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{NAME}"
# The longest the API server waits for a webhook.
LONGEST_S = 30


class Handler(JsonHandler):
    def do_POST(self):
        review = self.body()
        request = review["request"]
        self.server.gate.pass_through(request["userInfo"].get("extra", {}).get("authentication.kubernetes.io/pod-name", [None])[0])
        self.answer({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": {"uid": request["uid"], "allowed": True}})


class WriteGate:
    def __init__(self, plane, namespace):
        self.plane, self.namespace = plane, namespace
        self.pod, self.holds, self.opened = None, threading.Event(), threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*plane.certificates.pair("adapter"))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
        self.server.daemon_threads = True
        self.server.gate = self
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hold_next_of(self, pod):
        self.pod = pod
        rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments/scale"]}
        authority = base64.b64encode(pathlib.Path(self.plane.certificates.ca).read_bytes()).decode()
        self.plane.admin.make({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": NAME},
            "webhooks": [{"name": NAME, "rules": [rule], "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": LONGEST_S,
                          "failurePolicy": "Fail", "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}},
                          "clientConfig": {"url": f"https://localhost:{PORT}/", "caBundle": authority}}]})  # fmt: skip

    def pass_through(self, pod):
        if pod == self.pod and not self.holds.is_set():
            self.holds.set()
            self.opened.wait(LONGEST_S)

    def close(self):
        """What is held goes on."""
        self.opened.set()
        try:
            self.plane.admin.delete(PATH)
        except ApiError:
            pass  # it was never there
        self.server.shutdown()
        self.server.server_close()
