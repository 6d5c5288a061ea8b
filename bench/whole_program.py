#!/usr/bin/env python3
"""Time and memory of whole commands, as a user types them: rows for bench/table.py.

Each command runs a few times and the median counts, so the files it reads are in the page cache. Memory is the peak resident
set of that process.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
POLICIES = ["lab-mpc", "lab-hpa", "reactive", "static:6"]


def measure(command, folder):
    """Seconds and peak MB of one run."""
    with open(folder / "log", "wb") as log:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{(folder / 'log').read_text()[-4000:]}")
    return seconds, usage.ru_maxrss * 1024 / 1e6


def write_trace(path, rows):
    """A day's rhythm with a ripple on it, at a step of 15 s; no random numbers."""
    with open(path, "w", encoding="ascii") as out:
        out.write("step,timestamp_s,rps\n")
        for start in range(0, rows, 100_000):
            out.write(
                "".join(
                    f"{k},{15 * k},{110 + 80 * math.sin(k * math.tau / 5760) + 15 * math.sin(k * 0.7):.3f}\n"
                    for k in range(start, min(rows, start + 100_000))
                )
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder of the programs")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the *.rows.json to write")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    program = arguments.bin.resolve()
    rows = []

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)

        def add(what, command, goal_s=None, goal_mb=None, repeat=arguments.repeat):
            print(f"  {what}", file=sys.stderr)
            runs = [measure(command, folder) for _ in range(repeat)]
            rows.append({"name": what, "figure": statistics.median(s for s, _ in runs), "unit": "s", "goal": goal_s})
            if goal_mb:
                peak = max(mb for _, mb in runs)
                rows.append({"name": f"{what}, peak memory", "figure": peak, "unit": "MB", "goal": goal_mb})

        add("mpc-grid-search, 300 rows x 2 traces", [program / "mpc-grid-search", "--out-csv", folder / "grid.csv"], goal_s=1)
        add("mpc-realistic-grid, 720 rows x 2 + 30", [program / "mpc-realistic-grid", "--out-csv", folder / "grid.csv"], goal_s=1)
        add("scripts/demo --offline, warm", ["scripts/demo", "--offline", "--out", folder / "demo"], goal_s=10)

        million = folder / "million_15s.csv"
        write_trace(million, 1_000_000)
        add(
            f"compare {' '.join(POLICIES)}, 1,000,000 steps",
            [program / "mpc-autoscaler", "compare", "--trace", million, "--policy", *POLICIES, "--world", "realistic",
             "--out", folder / "million", "--force"],
            goal_mb=300, repeat=1,
        )  # fmt: skip

        ten_million = folder / "ten_million_15s.csv"
        write_trace(ten_million, 10_000_000)
        add(
            "trace validate, 10,000,000 rows",
            [program / "mpc-autoscaler", "trace", "validate", "--trace-csv", ten_million],
            goal_s=2, goal_mb=50,
        )  # fmt: skip

    arguments.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
