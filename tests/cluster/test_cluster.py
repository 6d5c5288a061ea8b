#!/usr/bin/env python3
"""Brings a Kubernetes control plane up in this network namespace, runs suites against it, and brings it down.

Called by scripts/test-cluster, which makes the namespace. Prints a line per check that fails, the time of each suite, and
`N passed, M failed, 0 skipped` at the end.
"""

import argparse
import importlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cli"))

import checks  # noqa: E402
import prometheus  # noqa: E402
from control_plane import SERVER, ControlPlane  # noqa: E402
from node_agent import NodeAgent  # noqa: E402

SUITES = ("client", "run_one", "faults", "first_day", "controller", "experiment", "hpa")


class Cluster:
    """What suites get: the control plane, our programs, and a folder for what they leave behind."""

    server = SERVER

    def __init__(self, build, control_plane, folder):
        self.programs, self.tests, self.folder = build / "bin", build / "tests", folder
        self.plane = ControlPlane(control_plane, folder)
        self.agent = None

    def start(self):
        self.plane.start()

    def need_node(self):
        """From now on pods run. Images are our programs, and "nothing": a pod whose status the suite writes."""
        if self.agent is None:
            # Pods share the addresses of the namespace, so the controller is told to listen at its own one only. Clocks of a
            # cluster's machines differ: that of every other pod is ahead, its monotonic one is as it is. (Not by the program
            # faketime, which stays as the parent of what it starts, so that this would outlive a kill.)
            library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
            skew = f"case $HOST in *[13579]) export FAKETIME=+60s DONT_FAKE_MONOTONIC=1 LD_PRELOAD={library};; esac"
            controller = ["sh", "-c", f'{skew}; exec {self.programs / "mpc-autoscaler"} "$@" --listen "$HOST:8080"', "sh"]
            images = {"nothing": None, "toy-load": [self.programs / "toy-load"], "loadgen": [self.programs / "loadgen"],
                      "mpc-autoscaler": controller, "prometheus": prometheus.COMMAND}  # fmt: skip
            self.agent = NodeAgent(self.plane, images, self.folder / "pods")
            self.agent.start()
        return self.agent

    def program(self, *words):
        """mpc-autoscaler, to its end."""
        return subprocess.run([self.programs / "mpc-autoscaler", *map(str, words)], capture_output=True, text=True, timeout=120, check=False)

    def stop(self):
        if self.agent:
            self.agent.stop()
        self.plane.stop()


def prepare_network():
    for command in ("ip link set lo up", "ip route add local 198.18.0.0/16 dev lo", "ip route add local 10.96.0.0/16 dev lo"):
        subprocess.run(command.split(), check=True)


def run_suite(name, cluster):
    started, before = time.monotonic(), (checks.passed, checks.failed)
    try:
        importlib.import_module(f"suite_{name}").run(cluster)
    except Exception:  # a suite that breaks off is a failure, and the next one may still run
        checks.check(False, f"{name} ends", traceback.format_exc()[-3000:])
    print(f"{name}: {checks.passed - before[0]} passed, {checks.failed - before[1]} failed ({time.monotonic() - started:.0f} s)", flush=True)


def leave_open(cluster):
    print(f"KUBECONFIG={cluster.plane.kubeconfig('admin')}\nlogs: {cluster.folder / 'logs'}\nCtrl-C ends it.", flush=True)
    while True:
        signal.pause()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder with bin/ and tests/")
    parser.add_argument("--control-plane", type=pathlib.Path, required=True, help="folder with kube-apiserver and the others")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="for data, certificates and logs; new")
    parser.add_argument("--up", action="store_true", help="leave it up until it is interrupted")
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], help="all unless named")
    options = parser.parse_args()

    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    prepare_network()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    started = time.monotonic()
    cluster = Cluster(options.build.resolve(), options.control_plane.resolve(), options.folder.resolve())
    try:
        cluster.start()
        print(f"the control plane is up ({time.monotonic() - started:.0f} s)", flush=True)
        if options.up:
            leave_open(cluster)
        for name in options.suites or SUITES:
            run_suite(name, cluster)
    except KeyboardInterrupt:
        return 130
    finally:
        cluster.stop()
    print(f"{checks.passed} passed, {checks.failed} failed, 0 skipped")
    return 1 if checks.failed or not checks.passed else 0


if __name__ == "__main__":
    sys.exit(main())
