"""A node without containers: pods that the scheduler puts on it become processes of this machine, each bound to its pod's own
address, and the node says of them what a kubelet would. Pods of Jobs run once. Logs come by the API server, as from a kubelet;
names of Services are in each pod's /etc/hosts, which is all the DNS that there is.

A container's image is a name in `images`, as is the first word of its `command` if it has one: a program, or None for a pod
that others speak for. Delays of the start (pulling an image) come from the annotation `test.mpc.dev/start-seconds` of the pod; what the program itself needs until its
readiness probe succeeds comes on top.
"""

import datetime
import http.client
import http.server
import itertools
import json
import os
import shlex
import ssl
import threading
import time

from control_plane import NODE, NODE_ADDRESS, SERVER
from kube_api import STRATEGIC, Api, ApiError
from processes import Process

START_DELAY = "test.mpc.dev/start-seconds"
LEASE_S = 40
PORT = 10250  # of a kubelet
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 2, 60


def now_text():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class LogServer(http.server.ThreadingHTTPServer):
    """The part of a kubelet's API that `kubectl logs` needs, for the API server alone."""

    daemon_threads = True

    def __init__(self, agent):
        super().__init__((NODE_ADDRESS, PORT), LogHandler)
        self.agent = agent
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*agent.plane.certificates.pair("kubelet"))
        context.load_verify_locations(agent.plane.certificates.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_):
        pass  # a client that goes away is nobody's trouble


class LogHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        """/containerLogs/NAMESPACE/POD/CONTAINER"""
        words = self.path.split("?")[0].strip("/").split("/")
        pods = [pod for pod in list(self.server.agent.pods.values()) if words[0] == "containerLogs" and [pod.namespace, pod.name] == words[1:3]]
        data = pods[0].log.read_bytes() if pods and pods[0].log.exists() else b""
        self.send_response(200 if pods else 404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class NodeAgent:
    def __init__(self, plane, images, folder):
        self.plane, self.images, self.folder = plane, images, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.api = Api(SERVER, plane.certificates.ca, certificate=plane.certificates.pair("node"))
        self.stopped = threading.Event()
        self.pods = {}  # by uid
        self.addresses = itertools.count(1)

    def start(self):
        self.plane.admin.make({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": {
            "kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"}}})  # fmt: skip
        self.logs = LogServer(self)
        threading.Thread(target=self.logs.serve_forever, daemon=True).start()
        self.report_node()
        threading.Thread(target=self.keep_lease, daemon=True).start()
        path = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{NODE}"
        threading.Thread(target=self.api.watch, args=(path, self.on_event, self.stopped), daemon=True).start()

    def stop(self):
        self.stopped.set()
        self.logs.shutdown()
        self.logs.server_close()
        for pod in list(self.pods.values()):
            pod.kill()

    def report_node(self):
        size = {"cpu": "64", "memory": "64Gi", "pods": "500"}
        at = now_text()
        conditions = [{"type": kind, "status": "False", "reason": "Enough", "message": "", "lastHeartbeatTime": at, "lastTransitionTime": at}
                      for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")]  # fmt: skip
        conditions.append({"type": "Ready", "status": "True", "reason": "AgentReady", "message": "", "lastHeartbeatTime": at, "lastTransitionTime": at})
        self.api.patch(f"/api/v1/nodes/{NODE}/status", {"status": {
            "addresses": [{"type": "InternalIP", "address": NODE_ADDRESS}, {"type": "Hostname", "address": NODE}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": PORT}},
            "capacity": size, "allocatable": size, "conditions": conditions}}, STRATEGIC)  # fmt: skip

    def keep_lease(self):
        path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        while not self.stopped.is_set():
            spec = {"holderIdentity": NODE, "leaseDurationSeconds": LEASE_S,
                    "renewTime": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}  # fmt: skip
            try:
                if self.api.try_get(f"{path}/{NODE}") is None:
                    self.api.make({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                                   "metadata": {"name": NODE, "namespace": "kube-node-lease"}, "spec": spec})  # fmt: skip
                else:
                    self.api.patch(f"{path}/{NODE}", {"spec": spec})
            except (OSError, http.client.HTTPException, ApiError):
                pass  # the next time
            self.stopped.wait(LEASE_S / 4)

    def on_event(self, kind, what):
        if kind == "LIST":
            listed = {item["metadata"]["uid"] for item in what}
            for uid in [uid for uid in self.pods if uid not in listed]:
                self.pods.pop(uid).vanish()
            for item in what:
                self.on_event("MODIFIED", item)
            return
        uid = what["metadata"]["uid"]
        if kind == "DELETED":
            pod = self.pods.pop(uid, None)
            if pod:
                pod.vanish()
            return
        if uid not in self.pods:
            number = next(self.addresses)
            self.pods[uid] = Pod(self, what, f"198.18.{1 + number // 250}.{1 + number % 250}")
            threading.Thread(target=self.pods[uid].live, daemon=True).start()
        if "deletionTimestamp" in what["metadata"]:
            self.pods[uid].delete(what["metadata"].get("deletionGracePeriodSeconds", 30))

    def process(self, namespace, name):
        """Of a pod."""
        return next(pod.process for pod in list(self.pods.values()) if (pod.namespace, pod.name) == (namespace, name))


class Gone(Exception):
    """The pod is to end, or is no longer there."""


class Pod:
    def __init__(self, agent, item, address):
        self.agent, self.item, self.address = agent, item, address
        meta = item["metadata"]
        self.namespace, self.name, self.uid = meta["namespace"], meta["name"], meta["uid"]
        self.path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self.container = item["spec"]["containers"][0]
        self.log = agent.folder / f"{self.name}.log"
        self.ended, self.grace_s = threading.Event(), 30
        self.process, self.restarts, self.last_state = None, 0, {}
        self.started_at = item.get("status", {}).get("startTime") or now_text()
        self.transitions = {}  # of conditions: their status and since when

    def delete(self, grace_s):
        self.grace_s = grace_s
        self.ended.set()

    def vanish(self):
        """Deleted by force: nobody is to be told."""
        self.ended.set()
        self.kill()

    def kill(self):
        if self.process and self.process.is_running():
            self.process.kill()

    def pause(self, seconds):
        if self.ended.wait(seconds):
            raise Gone

    def live(self):
        try:
            name, *arguments = self.container.get("command") or [self.container["image"].split(":")[0]]
            command = self.agent.images[name]
            if command is None:
                self.ended.wait()
                self.remove()
                return
            self.report("Pending", state={"waiting": {"reason": "ContainerCreating"}})
            self.pause(float(self.item["metadata"].get("annotations", {}).get(START_DELAY, 0)))
            back_off_s = FIRST_BACK_OFF_S
            while True:
                code = self.run_once([*command, *arguments, *self.container.get("args", [])])
                if self.item["spec"].get("restartPolicy") == "Never":
                    self.complete(code if code >= 0 else 128 - code)
                    return
                self.last_state = {"terminated": {"exitCode": code if code >= 0 else 128 - code, "reason": "Error" if code else "Completed",
                                                  "finishedAt": now_text()}}  # fmt: skip
                self.restarts += 1
                self.report("Running", state={"waiting": {"reason": "CrashLoopBackOff"}})
                self.pause(back_off_s)
                back_off_s = min(2 * back_off_s, LONGEST_BACK_OFF_S)
        except Gone:
            self.end()
        except KeyError as error:
            self.report("Failed", state={"terminated": {"exitCode": 1, "reason": "ErrImagePull", "message": str(error)}})

    def complete(self, code):
        """Of a pod that runs once: it stays, with its log, until it is deleted."""
        self.report("Failed" if code else "Succeeded", state={"terminated": {"exitCode": code, "reason": "Error" if code else "Completed",
                                                                            "finishedAt": now_text()}})  # fmt: skip
        self.ended.wait()
        self.remove()

    def run_once(self, words):
        """Until the process ends; its exit code."""
        env = dict(os.environ, HOST=self.address)
        env.update({item["name"]: self.value(item) for item in self.container.get("env", [])})
        mounts = self.mounts()
        if mounts:
            words = ["unshare", "--mount", "sh", "-c", " && ".join([*mounts, 'exec "$@"']), "sh", *words]
        env |= {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"} if hasattr(self, "token_folder") else {}
        env.pop("KUBECONFIG", None)
        self.process = Process(self.name, words, self.log, env)
        running = {"running": {"startedAt": now_text()}}
        self.report("Running", state=running)
        probe = self.container.get("readinessProbe")
        ready, failures = False, 0
        if probe:
            self.pause(probe.get("initialDelaySeconds", 0))
        while self.process.is_running():
            answered = probe is None or self.probe(probe["httpGet"])
            failures = 0 if answered else failures + 1
            if answered != ready and (answered or failures >= probe.get("failureThreshold", 3)):
                ready = answered
                self.report("Running", ready=ready, state=running)
            self.pause(probe.get("periodSeconds", 10) if probe else 0.5)
        return self.process.stop()

    def value(self, variable):
        if "valueFrom" not in variable:
            return variable.get("value", "")
        known = {"metadata.name": self.name, "metadata.namespace": self.namespace, "status.podIP": self.address}
        return known[variable["valueFrom"]["fieldRef"]["fieldPath"]]

    def probe(self, get):
        port = get["port"]
        if isinstance(port, str):
            port = next(item["containerPort"] for item in self.container["ports"] if item.get("name") == port)
        connection = http.client.HTTPConnection(self.address, port, timeout=1)
        try:
            connection.request("GET", get.get("path", "/"))
            return connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def mounts(self):
        """Shell commands that put volumes and the account's token where the container finds them, in mounts of its own. The
        folder above each is covered first, so that nothing is made in the machine's."""
        places = {}
        spec = self.item["spec"]
        if spec.get("serviceAccountName", "default") != "default" and spec.get("automountServiceAccountToken", True):
            self.token_folder = self.agent.folder / self.uid / "token"
            places["/run/secrets/kubernetes.io/serviceaccount"] = self.token_folder
        empty = {volume["name"] for volume in spec.get("volumes", []) if "emptyDir" in volume}
        for mount in self.container.get("volumeMounts", []):
            if mount["name"] in empty:
                places[mount["mountPath"]] = self.agent.folder / self.uid / mount["name"]
        for folder in places.values():
            folder.mkdir(parents=True, exist_ok=True)
        if hasattr(self, "token_folder"):
            self.renew_token()
        commands = [f"mount -t tmpfs tmpfs {'/run' if place.startswith('/run/') else os.path.dirname(place)} && mkdir -p {place} && "
                    f"mount --bind {shlex.quote(str(folder))} {place}" for place, folder in places.items()]  # fmt: skip
        if spec.get("restartPolicy") == "Never":
            commands.append(f"mount --bind {shlex.quote(str(self.hosts()))} /etc/hosts")
        return commands

    def hosts(self):
        """A file with the Services that there are now. What calls names here runs once and begins after they are made."""
        services = self.agent.plane.admin.get("/api/v1/services")["items"]
        lines = [f"{item['spec']['clusterIP']} {item['metadata']['name']}.{item['metadata']['namespace']}.svc" for item in services
                 if item["spec"].get("clusterIP", "None") != "None"]  # fmt: skip
        file = self.agent.folder / self.uid / "hosts"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(["127.0.0.1 localhost", *lines]) + "\n")
        return file

    def renew_token(self, seconds=3600):
        account = self.item["spec"]["serviceAccountName"]
        token = self.agent.plane.token(self.namespace, account, seconds,
                                       bound_to={"kind": "Pod", "apiVersion": "v1", "name": self.name, "uid": self.uid})  # fmt: skip
        for name, text in (("token", token), ("namespace", self.namespace), ("ca.crt", open(self.agent.plane.certificates.ca).read())):
            fresh = self.token_folder / f".{name}"
            fresh.write_text(text)
            fresh.rename(self.token_folder / name)

    def end(self):
        """As a kubelet: out of the endpoints first, then the process, then the object."""
        if self.process and self.process.is_running():
            self.report("Running", state={"running": {"startedAt": self.started_at}})
            self.process.stop(grace_s=max(1, self.grace_s))
        self.report("Succeeded", state={"terminated": {"exitCode": 0, "reason": "Completed"}})
        self.remove()

    def remove(self):
        try:
            self.agent.api.delete(self.path, {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}})
        except (OSError, http.client.HTTPException, ApiError):
            pass  # the watch will tell when it has gone

    def condition(self, kind, status, reason=None):
        """Its time moves only when it changes."""
        if self.transitions.get(kind, (None,))[0] != status:
            self.transitions[kind] = (status, now_text())
        return {"type": kind, "status": status, "lastTransitionTime": self.transitions[kind][1], **({"reason": reason} if reason else {})}

    def report(self, phase, state, ready=False):
        has_started = phase != "Pending"
        yes_no = ("False", "True")
        container = {"name": self.container["name"], "image": self.container["image"], "imageID": self.container["image"], "ready": ready,
                     "started": "running" in state, "restartCount": self.restarts, "state": state, "lastState": self.last_state,
                     **({"containerID": f"proc://{self.process.pid}"} if self.process else {})}  # fmt: skip
        status = {"phase": phase, "startTime": self.started_at, "hostIP": NODE_ADDRESS, "hostIPs": [{"ip": NODE_ADDRESS}],
                  "conditions": [self.condition("PodReadyToStartContainers", yes_no[has_started]), self.condition("Initialized", "True"),
                                 self.condition("ContainersReady", yes_no[ready]), self.condition("Ready", yes_no[ready])],
                  "containerStatuses": [container]}  # fmt: skip
        if has_started:
            status |= {"podIP": self.address, "podIPs": [{"ip": self.address}]}
        body = json.dumps({"metadata": {"uid": self.uid}, "status": status})
        for _ in range(100):
            try:
                self.agent.api.patch(self.path + "/status", body, STRATEGIC)
                return
            except ApiError as error:
                if error.status in (404, 409, 422):
                    return  # it is another pod now, or none
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.3)
