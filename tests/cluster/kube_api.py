"""Kubernetes' API by the standard library: JSON objects over kept connections, one per thread."""

import http.client
import json
import ssl
import threading
import time
import urllib.parse

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


class ApiError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status} {body.get('reason', '')}: {body.get('message', '')}" if isinstance(body, dict) else f"{status} {body}")
        self.status = status


class Api:
    """Requests by one identity: a client certificate (file, key file) or a token."""

    def __init__(self, server, ca, certificate=None, token=None):
        self.host = urllib.parse.urlsplit(server).netloc
        self.context = ssl.create_default_context(cafile=ca)
        if certificate:
            self.context.load_cert_chain(*certificate)
        self.token = token
        self.kept = threading.local()

    def connect(self, timeout=30):
        return http.client.HTTPSConnection(self.host, context=self.context, timeout=timeout)

    def headers(self, content_type):
        headers = {"Accept": "application/json", "Content-Type": content_type}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def request(self, method, path, body=None, content_type="application/json"):
        data = None if body is None else body if isinstance(body, str) else json.dumps(body)
        for attempt in (0, 1):
            connection = getattr(self.kept, "connection", None) or self.connect()
            self.kept.connection = connection
            try:
                connection.request(method, path, data, self.headers(content_type))
                answer = connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                # A kept connection may have been closed meanwhile; on a new one it is the server's trouble.
                connection.close()
                self.kept.connection = None
                if attempt:
                    raise
        try:
            parsed = json.loads(text) if text else {}
        except ValueError:
            parsed = text.decode(errors="replace")
        if answer.status >= 400:
            raise ApiError(answer.status, parsed)
        return parsed

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body):
        return self.request("POST", path, body)

    def put(self, path, body):
        return self.request("PUT", path, body)

    def patch(self, path, body, content_type=MERGE):
        return self.request("PATCH", path, body, content_type)

    def delete(self, path, body=None):
        return self.request("DELETE", path, body)

    def try_get(self, path):
        """None when it is not there."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def make(self, *objects):
        """Creates what is not there yet."""
        for item in objects:
            try:
                self.post(collection_path(item), item)
            except ApiError as error:
                if error.status != 409:
                    raise

    def watch(self, path, on_event, stop):
        """Lists and then watches, over and over, until `stop` is set: on_event(type, object), and for each list
        on_event("LIST", objects)."""
        mark = "&" if "?" in path else "?"
        while not stop.is_set():
            try:
                listed = self.get(path)
                on_event("LIST", listed["items"])
                self.follow(f"{path}{mark}watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion="
                            + listed["metadata"]["resourceVersion"], on_event, stop)  # fmt: skip
            except (OSError, http.client.HTTPException, ApiError, ValueError):
                stop.wait(0.3)

    def follow(self, path, on_event, stop):
        connection = self.connect(timeout=400)
        try:
            connection.request("GET", path, headers=self.headers("application/json"))
            answer = connection.getresponse()
            if answer.status != 200:
                raise ApiError(answer.status, answer.read().decode(errors="replace"))
            while not stop.is_set():
                line = answer.readline()
                if not line:
                    return
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                if event["type"] != "BOOKMARK":
                    on_event(event["type"], event["object"])
        finally:
            connection.close()


PLURALS = {"Endpoints": "endpoints", "Ingress": "ingresses"}
CLUSTER_WIDE = {"Namespace", "Node", "ClusterRole", "ClusterRoleBinding", "APIService", "CustomResourceDefinition", "PriorityLevelConfiguration",
                "FlowSchema", "ValidatingWebhookConfiguration"}  # fmt: skip


def collection_path(item):
    """Where objects like this one are created."""
    version, kind = item["apiVersion"], item["kind"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    plural = PLURALS.get(kind) or (kind[:-1] + "ies" if kind.endswith("y") else kind + "s").lower()
    return f"{root}/{plural}" if kind in CLUSTER_WIDE else f"{root}/namespaces/{item['metadata'].get('namespace', 'default')}/{plural}"


def wait_for(what, claim, seconds=60, pause=0.1):
    """What `claim` returns as soon as it is true; errors of the API on the way do not matter."""
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        try:
            last = claim()
            if last:
                return last
        except (OSError, http.client.HTTPException, ApiError) as error:
            last = error
        time.sleep(pause)
    raise TimeoutError(f"{what}: not within {seconds} s; last: {str(last)[:500]}")
