#!/usr/bin/env python3
"""`mpc-autoscaler lab` as its users call it, with real pods.

lab_test.py BIN: the folder with mpc-autoscaler and toy-load. Prints a line per check that fails, then `N passed, M failed`.
"""

import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from checks import check, finish

BIN = pathlib.Path(sys.argv[1]).resolve()
# Twenty requests/s for a minute, sixty times as fast: a second.
FAST = ["--speed", "60", "--policy", "static:2", "--max", "4"]


def lab(*arguments):
    return subprocess.run([BIN / "mpc-autoscaler", "lab", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def status_of(pid):
    """Name, state and parent of a process, or None."""
    try:
        name, rest = pathlib.Path(f"/proc/{pid}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
    except OSError:
        return None
    state, parent = rest.split()[:2]
    return name, state, int(parent)


def is_running(pid):
    status = status_of(pid)
    return status is not None and status[1] != "Z"


def pods_of(parent):
    """The toy-load processes below a lab."""
    everybody = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in everybody if is_running(pid) and (status := status_of(pid)) and status[0] == "toy-load" and status[2] == parent]


def wait_until(condition, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def usage(tmp):
    result = lab()
    check(result.returncode == 2 and "--out is required" in result.stderr, "lab without anything", result.stderr)
    result = lab("--out", tmp / "x", "--readiness-lag", "soon", "--chaos", "kill-pot@5s", "--scenario", "spik")
    for text in ("--readiness-lag: ", "lognormal(mean=", 'unknown event "kill-pot" (did you mean "kill-pod"?)',
                 '--scenario is "spik"; must be one of step, spike, seasonality'):
        check(text in result.stderr, f"every problem at once: {text}", result.stderr)
    check(result.returncode == 2 and not (tmp / "x").exists(), "nothing written on bad usage", result.stderr)
    for arguments, text in (
        (["--scenario", "spike", "--policy", "static:2", "--initial-replicas", "50"], "--initial-replicas is 50; must lie within --min 2 and --max 30"),
        (["--scenario", "spike", "--policy", "static:2", "--speed", "0"], "--speed is"),
        (["--scenario", "spike", "--policy", "lab-onlin"], 'unknown policy "lab-onlin" (did you mean "lab-online"?)'),
        (["--scenario", "spike", "--policy", "static:2", "--rate-window", "20s"], "at least two scrape intervals"),
        (["--scenario", "spike", "--policy", "static:2", "--batch", "matched"], "--batch brings its own policies"),
        (["--scenario", "spike", "--batch", "match"], "--batch is"),
    ):
        result = lab(*arguments, "--out", tmp / "x")
        check(result.returncode == 2 and text in result.stderr, " ".join(arguments), result.stderr)
    check(not (tmp / "x").exists(), "nothing written")
    result = lab("--help")
    check(result.returncode == 0 and "kill-pod" in result.stdout and "mpc-autoscaler lab --scenario" in result.stdout, "help", result.stdout)


def run_and_resume(tmp, phases):
    out = tmp / "run"
    result = lab("--phases", phases, *FAST, "--out", out)
    check(result.returncode == 0 and f"Report: {out}/report.html" in result.stdout, "a run", result.stderr)
    check(re.search(r"\[1/1\] static:2 on minute: 20 requests, 0 failed, p95 \d+ ms", result.stderr), "its line", result.stderr)
    check("\r" not in result.stderr, "no progress line where there is no terminal")
    page = (out / "report.html").read_text()
    check("Measured, not simulated" in page and "http://" not in page.replace("http://www.w3.org", ""), "its report")
    check(lab("--phases", phases, *FAST, "--out", out).returncode == 2, "results are not overwritten")
    result = lab("--phases", phases, *FAST, "--out", out, "--resume")
    check(result.returncode == 0 and "there already" in result.stderr, "resume", result.stderr)
    summary = subprocess.run([BIN / "mpc-summarize-run", "--run-dir", out / "minute" / "static_2-1", "--out-phase-csv", tmp / "phases.csv",
                              "--out-control-csv", tmp / "control.csv"], capture_output=True, text=True, timeout=60)
    check(summary.returncode == 0 and (tmp / "phases.csv").read_text().startswith("phase,throughput_rps"), "the lab's summary reads it", summary.stderr)
    costs = subprocess.run([BIN / "mpc-summarize-costs", "--hybrid-root", out, "--out-csv", tmp / "rows.csv", "--out-aggregate-csv", tmp / "sums.csv"],
                           capture_output=True, text=True, timeout=60)
    check(costs.returncode == 0 and "minute" in (tmp / "rows.csv").read_text(), "the lab's costs read it", costs.stderr)
    result = lab("--phases", phases, *FAST, "--out", tmp / "none", "--toy-load", tmp / "no-such-program")
    check(result.returncode == 1 and "program not found" in result.stderr and "1 of 1 runs failed" in result.stderr, "a failed run", result.stderr)


def ends(tmp):
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        process = subprocess.Popen([BIN / "mpc-autoscaler", "lab", "--scenario", "step", "--policy", "static:3", "--out", tmp / f"end{number}"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        check(wait_until(lambda: len(pods_of(process.pid)) >= 2), "its pods run")
        pods = pods_of(process.pid)
        process.send_signal(number)
        _, talk = process.communicate(timeout=60)
        check(process.returncode == code, f"it ends on signal {number}", f"{process.returncode} {talk}")
        check(wait_until(lambda: not any(map(is_running, pods))), f"no pod outlives it after signal {number}", pods)
        if number == signal.SIGINT:
            check("--resume goes on from there" in talk, "it says what is left", talk)


def two_at_once(tmp, phases):
    labs = [subprocess.Popen([BIN / "mpc-autoscaler", "lab", "--phases", str(phases), *FAST, "--out", tmp / f"both{i}"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True) for i in range(2)]
    for process in labs:
        _, talk = process.communicate(timeout=120)
        check(process.returncode == 0 and "20 requests, 0 failed" in talk, "two labs at once", talk)


def main():
    with tempfile.TemporaryDirectory() as folder:
        tmp = pathlib.Path(folder)
        phases = tmp / "minute.csv"
        phases.write_text("phase_idx,duration,rate_rps\n0,1m,20\n")
        usage(tmp)
        run_and_resume(tmp, phases)
        ends(tmp)
        two_at_once(tmp, phases)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
