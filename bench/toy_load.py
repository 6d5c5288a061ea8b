#!/usr/bin/env python3
"""toy-load beside the same server on Go's net/http and client_golang: rows for bench/table.py.

Both servers run one after the other in each round, three rounds, and the median counts. CPU per request is what the kernel
says of the server's process; the client (wrk at saturation, loadgen at fixed rates) has its own. Memory is the resident
set; memory of its own is the part of it that is no page of a file: the rest is programs and libraries, which all pods of a
machine share. The goal is of the former.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEER = "Go net/http"
RATES_RPS = (1000, 5000)
SECONDS = 4


class Server:
    def __init__(self, program):
        started = time.monotonic()
        environment = {**os.environ, "HOST": "127.0.0.1", "PORT": "0"}
        self.process = subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"
        self.start_s = time.monotonic() - started

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def cpu_s(self):
        with urllib.request.urlopen(self.url + "/metrics") as answer:
            return float(re.search(r"^process_cpu_seconds_total (\S+)", answer.read().decode(), re.MULTILINE)[1])

    def memory_mb(self, field="VmRSS"):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s*(\d+)", status)[1]) * 1024 / 1e6


def requests_answered(server):
    with urllib.request.urlopen(server.url + "/metrics") as answer:
        found = re.findall(r'^toy_http_requests_total\{[^}]*path="/work"[^}]*\} (\S+)', answer.read().decode(), re.MULTILINE)
    return sum(map(float, found))


def saturate(server):
    """CPU microseconds per request with wrk asking as fast as it can."""
    before_s, before = server.cpu_s(), requests_answered(server)
    command = ["wrk", "-t1", "-c32", f"-d{SECONDS}s", server.url + "/work"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (server.cpu_s() - before_s) / (requests_answered(server) - before) * 1e6


def at_rate(loadgen, server, rate_rps):
    """CPU microseconds per request, and latencies in seconds, at a constant rate."""
    before_s, before = server.cpu_s(), requests_answered(server)
    command = [loadgen, "--url", server.url + "/work", "--rate", str(rate_rps), "--duration", f"{SECONDS}s", "--report", "hdr"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    cpu_us = (server.cpu_s() - before_s) / (requests_answered(server) - before) * 1e6
    latencies = {}
    for value_ms, quantile in re.findall(r"^\s*([\d.]+)\s+([\d.]+)\s+\d+", text, re.MULTILINE):
        for wanted in (0.5, 0.99, 0.999):
            if float(quantile) >= wanted:
                latencies.setdefault(wanted, float(value_ms) / 1e3)
    return cpu_us, latencies


def measure(program, loadgen, figures):
    def add(what, value):
        figures.setdefault(what, []).append(value)

    with Server(program) as server:
        add(("start to listening", "s"), server.start_s)
        time.sleep(0.3)
        add(("memory, idle", "MB"), server.memory_mb())
        add(("memory of its own, idle", "MB"), server.memory_mb("RssAnon"))
        add(("CPU per request, saturated", "us"), saturate(server))
        for rate_rps in RATES_RPS if loadgen else ():
            cpu_us, latencies = at_rate(loadgen, server, rate_rps)
            add((f"CPU per request, {rate_rps}/s", "us"), cpu_us)
            for quantile, seconds in latencies.items():
                add((f"p{100 * quantile:g}, {rate_rps}/s", "s"), seconds)
        add(("memory, after load", "MB"), server.memory_mb())
        add(("memory of its own, after load", "MB"), server.memory_mb("RssAnon"))


def build_peer(folder):
    if shutil.which("go") is None:
        return None
    program = folder / "toy-load-go"
    built = subprocess.run(["go", "build", "-o", program, "."], cwd=ROOT / "bench/peers/toy-load-go", check=False)
    return program if built.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder of the programs")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the *.rows.json to write")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: scripts/install-packages bench")
    loadgen = arguments.bin.resolve() / "loadgen"
    if not loadgen.exists():
        print("skipped: fixed rates: loadgen is not built", file=sys.stderr)
        loadgen = None

    ours, peers = {}, {}
    with tempfile.TemporaryDirectory() as name:
        peer = build_peer(pathlib.Path(name))
        if peer is None:
            print("skipped: the Go peer of toy-load: no go, or its modules are not to be had here", file=sys.stderr)
        for _ in range(arguments.repeat):
            measure(arguments.bin.resolve() / "toy-load", loadgen, ours)
            if peer:
                measure(peer, loadgen, peers)

    rows = []
    for (what, unit), values in ours.items():
        row = {"name": f"toy-load, {what}", "figure": statistics.median(values), "unit": unit}
        if what == "start to listening":
            row["goal"] = 0.005
        if (what, unit) in peers:
            row.update(peer=PEER, peer_figure=statistics.median(peers[what, unit]))
            # The goals are ratios; the table knows figures.
            if what.startswith("CPU"):
                row["goal"] = row["peer_figure"] / 1.8
            if what.startswith("memory, "):
                row["goal"] = row["peer_figure"] / 3
        rows.append(row)
    arguments.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
