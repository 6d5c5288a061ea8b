#!/usr/bin/env python3
"""loadgen beside vegeta and wrk against one null server: rows for bench/table.py.

The server has one core, the client under test the other. The honest limit is the highest constant rate at which 99.9 % of
the requests leave within 1 ms of the instant that the schedule gives them and all succeed; it is searched by halving. A
rate gets three tries, since other work on the machine can only make a client look worse. vegeta's schedule error comes
from the time stamps of its own results (`vegeta encode`), counted from the start that suits it best. wrk sends as fast as
answers come back and has no schedule: it shows what the server and one core can do at all.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
VEGETA = "github.com/tsenart/vegeta/v12@v12.12.0"
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
LIMIT_S = 1e-3
TRIES = 3
SEARCH_RPS = (100, 204_800)
SECONDS = 3


def pinned(core, *command):
    return ["taskset", "-c", str(core), *map(str, command)]


def usage_of(command, log):
    """What the kernel says of one run."""
    with open(log, "wb") as err:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{pathlib.Path(log).read_text()[-2000:]}")
    return usage


def peak_mb(command, log):
    return usage_of(command, log).ru_maxrss * 1024 / 1e6


def cpu_us_per_request(command, requests, log):
    runs = [usage_of(command, log) for _ in range(TRIES)]
    return statistics.median(run.ru_utime + run.ru_stime for run in runs) / requests * 1e6


def loadgen_error(program, url, rate, _folder, seconds=SECONDS):
    """Schedule error p99.9 in seconds, infinite when a request failed; and the share of its core that the client used."""
    command = pinned(CLIENT_CORE, program, "--url", url, "--rate", rate, "--duration", f"{seconds}s", "--timeout", "2s",
                     "--report", "json")  # fmt: skip
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    own = report["loadgen"]
    good = own["due"] == own["succeeded"] == rate * seconds
    return (own["lateness_ns"]["p99_9"] / 1e9 if good else float("inf")), own["busiest_thread_cpu"]


def vegeta_error(program, url, rate, folder, seconds=SECONDS):
    results = folder / "vegeta.bin"
    attack = pinned(CLIENT_CORE, program, "attack", f"-rate={rate}/s", f"-duration={seconds}s", "-timeout=2s", "-output", results)
    target = f"GET {url}\n"
    environment = {**os.environ, "GOMAXPROCS": "1"}
    subprocess.run(attack, input=target, text=True, check=True, env=environment, stderr=subprocess.DEVNULL)
    lines = subprocess.run([program, "encode", "-to=csv", results], check=True, capture_output=True, text=True).stdout.splitlines()
    if len(lines) < 0.999 * rate * seconds:  # it ends with its duration, whether all were sent or not
        return float("inf"), None
    sent = []
    for line in lines:
        fields = line.split(",")
        if not fields[1].startswith("2"):
            return float("inf"), None
        sent.append((int(fields[0]), int(fields[8])))
    # How far each was behind the k-th instant of the schedule, against the request that was furthest ahead.
    behind = sorted(timestamp_ns - sequence * 1e9 / rate for timestamp_ns, sequence in sent)
    return (behind[int(0.999 * len(behind))] - behind[0]) / 1e9, None


def is_honest(measure, program, url, rate, folder):
    for _ in range(TRIES):
        error_s, _ = measure(program, url, rate, folder)
        if error_s < LIMIT_S:
            return True
    return False


def honest_limit(measure, program, url, folder):
    """To about 3 %."""
    low, high = SEARCH_RPS
    if not is_honest(measure, program, url, low, folder):
        return 0
    while high > low * 1.03:
        rate = int((low * high) ** 0.5)
        if is_honest(measure, program, url, rate, folder):
            low = rate
        else:
            high = rate
        print(f"    {rate}/s: {'on time' if low == rate else 'late'}", file=sys.stderr)
    return low


def install_vegeta(folder):
    """From Go's module proxy; None when that is not to be had here."""
    if not shutil.which("go"):
        print("skipped: vegeta: no go here", file=sys.stderr)
        return None
    environment = {**os.environ, "GOBIN": str(folder)}
    built = subprocess.run(["go", "install", VEGETA], env=environment, capture_output=True, text=True)
    if built.returncode != 0:
        print(f"skipped: vegeta: {built.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return folder / "vegeta"


def saturation(url):
    if not shutil.which("wrk"):
        print("skipped: wrk: not installed", file=sys.stderr)
        return None
    command = pinned(CLIENT_CORE, "wrk", "-t1", "-c64", f"-d{SECONDS}s", url)
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loadgen", type=pathlib.Path, default=ROOT / "build/release/bin/loadgen")
    parser.add_argument("--server", type=pathlib.Path, default=ROOT / "build/bench/bench/null_server")
    parser.add_argument("--vegeta", type=pathlib.Path, help="a vegeta that is there already")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the *.rows.json to write")
    arguments = parser.parse_args()
    if len(CORES) < 2:
        print("skipped: loadgen: needs two cores, one for the server", file=sys.stderr)
        return
    programs = {name: path.resolve() for name, path in vars(arguments).items() if name in ("loadgen", "server", "vegeta") and path}
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        loadgen = programs["loadgen"]
        vegeta = programs.get("vegeta") or install_vegeta(folder)
        server = subprocess.Popen(pinned(SERVER_CORE, programs["server"]), stdout=subprocess.PIPE, text=True)
        try:
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}/"
            print("  honest limit of loadgen", file=sys.stderr)
            ours = honest_limit(loadgen_error, loadgen, url, folder)
            row = {"name": "loadgen, honest rate on one core", "figure": ours, "unit": "requests/s", "better": "higher"}
            if vegeta:
                print("  honest limit of vegeta", file=sys.stderr)
                theirs = honest_limit(vegeta_error, vegeta, url, folder)
                row.update(peer="vegeta", peer_figure=theirs, goal=3 * theirs if theirs else None)
            rows.append(row)
            if (wrk := saturation(url)) is not None:
                rows.append({"name": "wrk at saturation, for comparison", "figure": wrk, "unit": "requests/s", "better": "higher"})

            # Less of a core per request is more requests per core, and other work on the machine changes it little.
            print("  CPU per request at 5,000/s", file=sys.stderr)
            (folder / "target").write_text(f"GET {url}\n")
            requests = 5_000 * SECONDS
            ours_us = cpu_us_per_request(
                pinned(CLIENT_CORE, loadgen, "--url", url, "--rate", 5_000, "--duration", f"{SECONDS}s"), requests, folder / "log"
            )
            row = {"name": "loadgen, CPU per request at 5,000/s", "figure": ours_us, "unit": "us"}
            if vegeta:
                attack = pinned(CLIENT_CORE, vegeta, "attack", "-rate=5000/s", f"-duration={SECONDS}s", "-targets", folder / "target",
                                "-output", folder / "vegeta.bin")  # fmt: skip
                theirs_us = cpu_us_per_request(attack, requests, folder / "log")
                row.update(peer="vegeta", peer_figure=theirs_us, goal=theirs_us / 3)
            rows.append(row)

            print("  lateness at 50,000/s", file=sys.stderr)
            runs = [loadgen_error(loadgen, url, 50_000, folder, seconds=5) for _ in range(TRIES)]
            error_s, busy = min(runs)
            rows.append({"name": "loadgen, late p99.9 at 50,000/s", "figure": error_s, "unit": "s", "goal": LIMIT_S})
            rows.append({"name": "loadgen, busy at 50,000/s", "figure": busy, "unit": "of a core"})

            print("  memory", file=sys.stderr)
            for results, seconds in ((100_000, 5), (1_000_000, 50)):
                command = [loadgen, "--url", url, "--rate", "20000", "--duration", f"{seconds}s"]
                peak = peak_mb(command, folder / "log")
                row = {"name": f"loadgen, peak memory of {results:,} results", "figure": peak, "unit": "MB"}
                if vegeta and results == 1_000_000:
                    # Its attack alone; a report of the million results takes more.
                    attack = [vegeta, "attack", "-rate=20000/s", f"-duration={seconds}s", "-targets", folder / "target", "-output",
                              folder / "million.bin"]  # fmt: skip
                    row.update(peer="vegeta", peer_figure=peak_mb(attack, folder / "log"))
                rows.append(row)
        finally:
            server.kill()
            server.wait()
    arguments.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
