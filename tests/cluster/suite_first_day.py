"""Each command of docs/how-to/first-day.md, in its order, as a stranger would type it. Not the page's blocks marked `text`: this
cluster's node has no containers, so there is nothing to load an image into; tests/cli/image_test.py builds the image and runs it.
For the same reason what `kubectl exec` would run in a pod runs here in the mounts of the pod's process."""

import os
import pathlib
import re
import subprocess

from balancer import Balancer
from checks import check
from kube_api import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "first-day.md"
LOAD_RPS = 140  # the page's
# What the page says in words of the step with this command: see the replicas rise.
LOAD = "kubectl run load "
ASSIGNMENT = re.compile(r"\w+=\$\(.*\)")
EXEC = re.compile(r"kubectl --namespace (\S+) exec (\S+) -- (.*)")


def run(cluster):
    cluster.need_node()
    plane = cluster.plane
    env = dict(os.environ, KUBECONFIG=str(plane.kubeconfig("admin")), PATH=f"{cluster.programs}:{plane.programs}:{os.environ['PATH']}", HOME=str(cluster.folder))
    children = []

    def shell(command, prefix=()):
        return subprocess.run([*prefix, "bash", "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=200, check=False)

    def in_pod(assignments, command):
        """The command as `exec` would run it: in the pod that is named, with the file systems of its process."""
        namespace, word, inner = EXEC.fullmatch(command).groups()
        pod = shell("\n".join([*assignments, f"printf %s {word}"])).stdout
        return shell(inner, ("nsenter", "--mount", "--target", str(cluster.agent.process(namespace, pod).pid), "--wd=" + str(ROOT)))

    try:
        for block in re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            if LOAD in block:
                balancer = Balancer(plane, "default", "web", cluster.folder)
                balancer.start()
                children.append(balancer)
            assignments = []
            for command in block.splitlines():
                done = in_pod(assignments, command) if EXEC.match(command) else shell("\n".join([*assignments, command]))
                check(done.returncode == 0, command, done.stdout + done.stderr)
                if ASSIGNMENT.fullmatch(command):
                    assignments.append(command)
                if EXEC.match(command):
                    check("demand" in done.stdout, "it explains a decision", done.stdout + done.stderr)
            if LOAD in block:
                rises_with_the_load(cluster)
    finally:
        for child in children:
            child.stop()
        plane.kubectl("delete", "-f", ROOT / "deploy", "-f", ROOT / "deploy" / "examples", "--ignore-not-found", check=False)
    wait_for("the namespace to go", lambda: plane.admin.try_get("/api/v1/namespaces/mpc-system") is None)


def rises_with_the_load(cluster):
    deployment = "/apis/apps/v1/namespaces/default/deployments/web"
    wait_for("the replicas to rise with the load",
             lambda: cluster.plane.admin.get(deployment)["status"].get("readyReplicas", 0) * 25 >= LOAD_RPS, 180)  # fmt: skip
    check(True, "the replicas rise with the load")
