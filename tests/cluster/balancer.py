"""What kube-proxy would do for one Service: its address, and behind it the endpoints that are ready. HAProxy, told of the
endpoints as they come and go."""

import shutil
import socket
import threading

from kube_api import wait_for
from processes import Process

PLACES = 100


class Balancer:
    def __init__(self, plane, namespace, service, folder):
        self.plane, self.namespace, self.service, self.folder = plane, namespace, service, folder
        spec = plane.admin.get(f"/api/v1/namespaces/{namespace}/services/{service}")["spec"]
        self.address = f"{spec['clusterIP']}:{spec['ports'][0]['port']}"
        self.socket = str(folder / f"{service}.sock")
        self.slices, self.seats = {}, {}
        self.free = list(range(PLACES, 0, -1))
        self.stopped = threading.Event()

    def start(self):
        config = self.folder / f"{self.service}.cfg"
        config.write_text(f"""global
  maxconn 4000
  stats socket {self.socket} mode 600 level admin
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  retries 1
  option redispatch 1
  retry-on conn-failure empty-response
frontend service
  bind {self.address}
  default_backend pods
backend pods
  balance leastconn
  server-template pod 1-{PLACES} 198.18.0.0:1 disabled
""")
        program = shutil.which("haproxy")
        self.process = Process("haproxy", [program, "-db", "-f", config], self.folder / "logs" / f"haproxy-{self.service}.log")
        wait_for("haproxy", lambda: self.tell("show info"))
        path = (f"/apis/discovery.k8s.io/v1/namespaces/{self.namespace}/endpointslices"
                f"?labelSelector=kubernetes.io/service-name%3D{self.service}")  # fmt: skip
        threading.Thread(target=self.plane.admin.watch, args=(path, self.on_event, self.stopped), daemon=True).start()

    def stop(self):
        self.stopped.set()
        self.process.stop()

    def tell(self, command):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(self.socket)
            connection.sendall(command.encode() + b"\n")
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return answer.decode()

    def on_event(self, kind, what):
        if kind == "LIST":
            self.slices = {item["metadata"]["name"]: item for item in what}
        elif kind == "DELETED":
            self.slices.pop(what["metadata"]["name"], None)
        else:
            self.slices[what["metadata"]["name"]] = what
        self.seat({f"{address}:{item['ports'][0]['port']}" for item in self.slices.values() if item.get("ports")
                   for endpoint in item.get("endpoints") or [] if endpoint.get("conditions", {}).get("ready", True)
                   for address in endpoint["addresses"]})  # fmt: skip

    def seat(self, wanted):
        for target in [target for target in self.seats if target not in wanted]:
            place = self.seats.pop(target)
            self.tell(f"set server pods/pod{place} state maint")
            self.free.insert(0, place)
        for target in sorted(wanted - set(self.seats)):
            place = self.free.pop()
            self.seats[target] = place
            host, port = target.rsplit(":", 1)
            self.tell(f"set server pods/pod{place} addr {host} port {port}; set server pods/pod{place} state ready")
