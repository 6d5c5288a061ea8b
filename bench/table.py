#!/usr/bin/env python3
"""One table of figures and ratios out of everything that scripts/bench measured.

Two kinds of source contribute rows:

  *.gbench.json   written by Google Benchmark. A name with a component `peer:NAME` (`solve_qp/peer:dense/stages:20`) is the
                  peer of the same name without it. The median is taken when there are repetitions. A counter of SHOWN_COUNTERS
                  becomes a row of its own (`solve_qp/stages:20 allocations`).
  *.rows.json     {"rows": [{"name", "figure", "unit", and if there is one "peer", "peer_figure", "goal", "better"}, ...]}:
                  `better` is "lower" unless said, `goal` a figure not to be worse than, or a text.

The ratio is how many times better than the peer we are: above 1 is good, whichever way the unit counts.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

COLUMNS = ("name", "figure", "unit", "goal", "peer", "peer_figure", "ratio")
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
# Counters of a benchmark that are figures of their own, with their unit; the others stay in Google Benchmark's JSON.
SHOWN_COUNTERS = {"allocations": "per call", "state_bytes": "bytes", "record_bytes": "bytes"}
NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


def rows_of_google_benchmark(document):
    runs = {}
    for run in document["benchmarks"]:
        if run.get("error_occurred") or run.get("skipped"):
            continue
        name = run.get("run_name", run["name"])
        if run.get("aggregate_name", "median") == "median":
            # A median comes after the single runs and replaces them.
            runs[name] = run
    ours, peers = [], []
    for name, run in runs.items():
        name = re.sub(r"/(real_time|process_time|manual_time|min_time:[^/]*|repeats:\d+|iterations:\d+)(?=/|$)", "", name)
        row = {"name": name, "figure": run["real_time"] * NANOSECONDS[run["time_unit"]], "unit": "ns"}
        peer = re.search(r"/peer:([^/]+)", name)
        if peer:
            peers.append((name.replace(peer[0], "", 1), peer[1], row["figure"]))
            continue
        ours.append(row)
        for counter, unit in SHOWN_COUNTERS.items():
            if counter in run:
                ours.append({"name": f"{name} {counter}", "figure": run[counter], "unit": unit})
    by_name = {row["name"]: row for row in ours}
    for name, peer, figure in peers:
        base = by_name.get(name)
        if base is None:
            ours.append({"name": f"{name} ({peer})", "figure": figure, "unit": "ns"})
        elif "peer" not in base:
            base.update(peer=peer, peer_figure=figure)
        else:  # a second peer of the same function
            ours.insert(ours.index(base) + 1, {**{k: base[k] for k in ("name", "figure", "unit")}, "peer": peer, "peer_figure": figure})
    return ours


def with_ratio(row):
    row = {"better": "lower", **row}
    if row.get("peer_figure") and row["figure"]:
        ratio = row["peer_figure"] / row["figure"]
        row["ratio"] = ratio if row["better"] == "lower" else 1 / ratio
    goal = row.get("goal")
    if isinstance(goal, (int, float)):
        row["reached"] = row["figure"] <= goal if row["better"] == "lower" else row["figure"] >= goal
    return row


def read_rows(folder):
    rows = []
    for path in sorted(folder.glob("*.gbench.json")):
        rows += rows_of_google_benchmark(json.loads(path.read_text()))
    for path in sorted(folder.glob("*.rows.json")):
        rows += json.loads(path.read_text())["rows"]
    return [with_ratio(row) for row in rows]


def first_match(pattern, path):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text(), re.MULTILINE)
    except OSError:
        return None
    return found[1].strip() if found else None


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split("\n")[0]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine():
    memory_kb = first_match(r"^MemTotal:\s*(\d+)", "/proc/meminfo")
    return {
        "processor": first_match(r"^model name\s*:\s*(.*)", "/proc/cpuinfo") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory_kb) / 2**20) if memory_kb else None,
        "system": first_match(r'^PRETTY_NAME="(.*)"', "/etc/os-release") or platform.system(),
        "compiler": output_of("g++", "--version"),
        "commit": output_of("git", "describe", "--always", "--exclude=*", "--abbrev=7", "--dirty"),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
    }


def number(value):
    """Three figures, thousands apart."""
    if value is None or isinstance(value, str):
        return value or ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def readable(row):
    """The row as texts; times in the unit that reads best."""
    unit, figures = row["unit"], [row["figure"], row.get("peer_figure"), row.get("goal")]
    if unit in NANOSECONDS:
        in_ns = row["figure"] * NANOSECONDS[unit]
        best = next((u for u in ("s", "ms", "us") if in_ns >= NANOSECONDS[u]), "ns")
        factor = NANOSECONDS[unit] / NANOSECONDS[best]
        figures = [f * factor if isinstance(f, (int, float)) else f for f in figures]
        unit = {"us": "µs"}.get(best, best)
    goal = number(figures[2])
    if goal and "reached" in row:
        goal = f"{'≤' if row['better'] == 'lower' else '≥'} {goal} {'✓' if row['reached'] else '✗'}"
    ratio = f"{number(row['ratio'])}×" if "ratio" in row else ""
    return [row["name"], number(figures[0]), unit, goal, row.get("peer", ""), number(figures[1]), ratio]


def text_table(rows):
    cells = [[c.replace("_", " ") for c in COLUMNS]] + [readable(row) for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    right = {1, 5, 6}
    lines = ["  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def markdown_table(rows, where):
    titles = ["what", "figure", "unit", "goal", "peer", "peer's figure", "times better"]
    lines = [
        f"Commit {where['commit']}, {where['date']}. {where['processor']}, {where['cores']} cores, {where['memory_gib']} GiB, "
        f"{where['system']}, {where['compiler']}.",
        "",
        "| " + " | ".join(titles) + " |",
        "|---|---:|---|---|---|---:|---:|",
    ]
    return "\n".join(lines + ["| " + " | ".join([f"`{c}`" if i == 0 else c for i, c in enumerate(readable(r))]) + " |" for r in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="holds *.gbench.json and *.rows.json")
    parser.add_argument("--json", type=pathlib.Path, help="write all rows and the machine here")
    parser.add_argument("--markdown", type=pathlib.Path, help=f"replace what stands between {BEGIN} and {END} in this document")
    arguments = parser.parse_args()
    rows = read_rows(arguments.folder)
    if not rows:
        sys.exit(f"{arguments.folder}: no *.gbench.json and no *.rows.json with a row")
    where = machine()
    print(text_table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps({"format": 1, "machine": where, "rows": rows}, indent=1, ensure_ascii=False) + "\n")
    if arguments.markdown:
        document = arguments.markdown.read_text()
        if BEGIN not in document or END not in document:
            sys.exit(f"{arguments.markdown}: wants the lines {BEGIN} and {END}")
        before, after = document.split(BEGIN)[0], document.split(END)[1]
        arguments.markdown.write_text(f"{before}{BEGIN}\n{markdown_table(rows, where)}\n{END}{after}")


if __name__ == "__main__":
    main()
