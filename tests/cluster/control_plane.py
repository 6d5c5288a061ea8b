"""A Kubernetes control plane of its own: etcd, API server, controller manager and scheduler as processes of this network
namespace, on the loopback. It knows no kubelet; nodes are the business of node_agent.py.

Pods and Services have addresses of 198.18.0.0/16 and 10.96.0.0/16, which are local to the namespace: any process in it can
bind any of them. Certificates are made anew for each cluster.
"""

import datetime
import http.client
import json
import os
import pathlib
import ssl
import subprocess

from kube_api import Api, wait_for
from processes import Process

SERVER = "https://127.0.0.1:6443"
ETCD = "http://127.0.0.1:2379"
NODE, NODE_ADDRESS = "vnode-0", "198.18.0.2"
FRONT_PROXY = "front-proxy-client"
ADAPTER_NAME = "metrics-adapter.kube-system.svc"

# Of each call its outcome and who made it; of writes of a scale what was asked, too.
AUDIT_POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived", "ResponseStarted"], "rules": [
    {"level": "Request", "resources": [{"group": "apps", "resources": ["deployments/scale", "statefulsets/scale"]}]},
    {"level": "Metadata", "userGroups": ["system:serviceaccounts"]}, {"level": "None"}]}  # fmt: skip


class Certificates:
    """Two authorities and what they sign. The subject is the identity: CN the user, O its groups."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("ca", "front-proxy-ca"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                         f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt", "-addext",
                         "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
        self.sign("apiserver", "/CN=kube-apiserver", "DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:198.18.0.1,IP:10.96.0.1")
        self.sign("adapter", "/CN=metrics-adapter", f"DNS:localhost,DNS:{ADAPTER_NAME}")
        self.sign("admin", "/O=system:masters/CN=admin")
        self.sign("controller-manager", "/CN=system:kube-controller-manager")
        self.sign("scheduler", "/CN=system:kube-scheduler")
        self.sign("kubelet", f"/CN=system:node:{NODE}", f"DNS:{NODE},IP:{NODE_ADDRESS}")
        self.sign("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client")
        self.sign("node", f"/O=system:nodes/CN=system:node:{NODE}")
        self.sign("front-proxy", f"/CN={FRONT_PROXY}", authority="front-proxy-ca")
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "service-accounts.key")
        self.openssl("ec", "-in", folder / "service-accounts.key", "-pubout", "-out", folder / "service-accounts.pub")

    @staticmethod
    def openssl(*words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {words[0]}: {done.stderr}")

    def sign(self, name, subject, names="", authority="ca"):
        """A server's certificate when it has names, else a client's."""
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
                     self.folder / f"{name}.key", "-out", request)  # fmt: skip
        extensions.write_text("basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                              + (f"extendedKeyUsage=serverAuth\nsubjectAltName={names}\n" if names else "extendedKeyUsage=clientAuth\n"))  # fmt: skip
        self.openssl("x509", "-req", "-in", request, "-CA", self.folder / f"{authority}.crt", "-CAkey", self.folder / f"{authority}.key",
                     "-CAcreateserial", "-days", "30", "-sha256", "-extfile", extensions, "-out", self.folder / f"{name}.crt")  # fmt: skip

    def pair(self, name):
        return str(self.folder / f"{name}.crt"), str(self.folder / f"{name}.key")

    @property
    def ca(self):
        return str(self.folder / "ca.crt")


class ControlPlane:
    """
    programs    folder with kube-apiserver, kube-controller-manager, kube-scheduler, kubectl
    folder      its data, logs and certificates go there
    """

    def __init__(self, programs, folder):
        self.programs, self.folder = pathlib.Path(programs), pathlib.Path(folder)
        self.certificates = Certificates(self.folder / "pki")
        self.processes = {}
        self.audit_policy, self.audit_log = self.folder / "audit-policy.json", self.folder / "audit.jsonl"
        for name in ("admin", "controller-manager", "scheduler"):
            self.write_kubeconfig(name, certificate=self.certificates.pair(name))
        self.admin = Api(SERVER, self.certificates.ca, certificate=self.certificates.pair("admin"))

    def kubeconfig(self, name):
        return self.folder / f"{name}.kubeconfig"

    def write_kubeconfig(self, name, certificate=None, token=None, token_file=None, server=SERVER):
        """For our programs and kubectl; as JSON, which YAML is too."""
        user = {"token": token} if token else {"tokenFile": str(token_file)} if token_file else {}
        if certificate:
            user = {"client-certificate": certificate[0], "client-key": certificate[1]}
        self.kubeconfig(name).write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority": self.certificates.ca}}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": "test", "user": name}}]}, indent=1))  # fmt: skip
        return self.kubeconfig(name)

    def run(self, name, *command):
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        self.processes[name] = Process(name, command, log)

    def start(self):
        self.start_etcd()
        self.start_api_server()
        self.wait_until_ready()
        self.start_controller_manager()
        self.start_scheduler()

    def start_etcd(self):
        self.run("etcd", "etcd", "--name=node0", f"--data-dir={self.folder / 'etcd'}", f"--listen-client-urls={ETCD}",
                 f"--advertise-client-urls={ETCD}", "--listen-peer-urls=http://127.0.0.1:2380",
                 "--initial-advertise-peer-urls=http://127.0.0.1:2380", "--initial-cluster=node0=http://127.0.0.1:2380",
                 "--unsafe-no-fsync")  # fmt: skip

    def start_api_server(self, *more):
        pki = self.certificates
        apiserver, proxy, to_kubelet = pki.pair("apiserver"), pki.pair("front-proxy"), pki.pair("kubelet-client")
        self.audit_policy.write_text(json.dumps(AUDIT_POLICY))
        # The gate: Debian's etcd is older than what a watch list needs. No reconciler: it would publish a loopback address.
        self.run("apiserver", self.programs / "kube-apiserver", f"--etcd-servers={ETCD}", "--bind-address=127.0.0.1", "--secure-port=6443",
                 "--advertise-address=198.18.0.1", "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16",
                 f"--tls-cert-file={apiserver[0]}", f"--tls-private-key-file={apiserver[1]}", f"--client-ca-file={pki.ca}",
                 "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
                 "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={pki.folder / 'service-accounts.pub'}",
                 f"--service-account-signing-key-file={pki.folder / 'service-accounts.key'}",
                 f"--requestheader-client-ca-file={pki.folder / 'front-proxy-ca.crt'}", f"--requestheader-allowed-names={FRONT_PROXY}",
                 "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
                 "--requestheader-extra-headers-prefix=X-Remote-Extra-", f"--proxy-client-cert-file={proxy[0]}",
                 f"--proxy-client-key-file={proxy[1]}", f"--kubelet-certificate-authority={pki.ca}",
                 f"--kubelet-client-certificate={to_kubelet[0]}", f"--kubelet-client-key={to_kubelet[1]}",
                 "--kubelet-preferred-address-types=InternalIP", "--profiling=false", "--feature-gates=WatchList=false", f"--audit-policy-file={self.audit_policy}",
                 f"--audit-log-path={self.audit_log}", *more)  # fmt: skip

    def controller(self, name, *more):
        config = self.kubeconfig(name)
        self.run(name, self.programs / f"kube-{name}", f"--kubeconfig={config}", f"--authentication-kubeconfig={config}",
                 f"--authorization-kubeconfig={config}", "--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false",
                 "--kube-api-qps=300", "--kube-api-burst=600", *more)  # fmt: skip

    def start_controller_manager(self, *more):
        self.controller("controller-manager", "--use-service-account-credentials=true", "--controllers=*",
                        f"--service-account-private-key-file={self.certificates.folder / 'service-accounts.key'}",
                        f"--root-ca-file={self.certificates.ca}", *more)  # fmt: skip
        self.wait_until_healthy("controller-manager", 10257)

    def start_scheduler(self):
        self.controller("scheduler")
        self.wait_until_healthy("scheduler", 10259)

    def restart_controller_manager(self, *more):
        self.processes["controller-manager"].stop()
        self.start_controller_manager(*more)

    def restart_api_server(self, kill=False):
        """In order it waits for watches to end, which is no use here: not for long."""
        process = self.processes["apiserver"]
        process.kill() if kill else process.stop(grace_s=5)
        self.start_api_server()
        self.wait_until_ready()

    def check_running(self, name):
        if not self.processes[name].is_running():
            raise RuntimeError(f"{name} ended by itself:\n{self.processes[name].tail()}")

    def wait_until_ready(self, seconds=180):
        def is_ready():
            self.check_running("etcd")
            self.check_running("apiserver")
            return self.admin.get("/readyz") == "ok"

        wait_for("the API server", is_ready, seconds)

    def wait_until_healthy(self, name, port):
        context = ssl._create_unverified_context()  # its certificate is one that it made for itself

        def is_healthy():
            self.check_running(name)
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200

        wait_for(name, is_healthy)

    def kubectl(self, *words, check=True):
        """Its output, by the administrator."""
        env = dict(os.environ, KUBECONFIG=str(self.kubeconfig("admin")), HOME=str(self.folder))
        done = subprocess.run([self.programs / "kubectl", *map(str, words)], env=env, capture_output=True, text=True, timeout=120, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"kubectl {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout if check else done

    def audited(self, account, since):
        """What this service account asked for from then on, in order; writes of a scale with their bodies. Each event's `at`
        is when it came and `ended` when it was answered, as time.time() tells it."""
        with open(self.audit_log, encoding="utf-8") as file:
            events = [json.loads(line) for line in file if account in line and line.endswith("\n")]
        for event in events:
            for name, stamp in (("at", "requestReceivedTimestamp"), ("ended", "stageTimestamp")):
                event[name] = datetime.datetime.fromisoformat(event[stamp].replace("Z", "+00:00")).timestamp()
        return [event for event in events if event["user"]["username"] == f"system:serviceaccount:{account}" and event["at"] >= since]

    def token(self, namespace, account, seconds=3600, bound_to=None):
        """Of a service account."""
        spec = {"expirationSeconds": seconds, **({"boundObjectRef": bound_to} if bound_to else {})}
        made = self.admin.post(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
                               {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})  # fmt: skip
        return made["status"]["token"]

    def stop(self):
        """Nothing is kept, so nothing needs to end in order."""
        for process in self.processes.values():
            process.kill()
