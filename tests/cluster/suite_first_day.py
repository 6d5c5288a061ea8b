"""Each command of docs/how-to/first-day.md, in its order, as a stranger would type it."""

import os
import pathlib
import re
import subprocess

from balancer import Balancer
from checks import check
from kube_api import wait_for
from processes import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "first-day.md"
LOAD_RPS = 140
# After the step with this command, what the page says in words: give it load, see the replicas rise.
ACTING = "--for=condition=Acting --timeout"


def run(cluster):
    cluster.need_node()
    plane = cluster.plane
    env = dict(os.environ, KUBECONFIG=str(plane.kubeconfig("admin")), PATH=f"{plane.programs}:{os.environ['PATH']}", HOME=str(cluster.folder))
    children = []
    try:
        for block in re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for command in block.splitlines():
                done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=200, check=False)
                check(done.returncode == 0, command, done.stdout + done.stderr)
            if ACTING in block:
                rises_with_the_load(cluster, children)
    finally:
        for child in children:
            child.stop()
        plane.kubectl("delete", "-f", ROOT / "deploy", "-f", ROOT / "deploy" / "examples", "--ignore-not-found", check=False)
    wait_for("the namespace to go", lambda: plane.admin.try_get("/api/v1/namespaces/mpc-system") is None)


def rises_with_the_load(cluster, children):
    balancer = Balancer(cluster.plane, "default", "web", cluster.folder)
    balancer.start()
    children.append(balancer)
    url = f"http://{balancer.address}/work?sleep_ms=40"
    children.append(Process("loadgen", [cluster.programs / "loadgen", "--url", url, "--rate", str(LOAD_RPS), "--duration", "300s", "--timeout", "10s"],
                            cluster.folder / "logs" / "first-day-load.log"))  # fmt: skip
    deployment = "/apis/apps/v1/namespaces/default/deployments/web"
    wait_for("the replicas to rise with the load",
             lambda: cluster.plane.admin.get(deployment)["status"].get("readyReplicas", 0) * 25 >= LOAD_RPS, 180)  # fmt: skip
    check(True, "the replicas rise with the load")
