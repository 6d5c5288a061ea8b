#!/usr/bin/env python3
"""The program as its users call it: the reference lab's nine names, then our own commands with what goes wrong.

cli_test.py BIN: the folder with mpc-autoscaler and its links. Prints a line per check that fails, then `N passed, M failed`.
"""

import csv
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from checks import check, finish

BIN = pathlib.Path(sys.argv[1]).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
TRACES = SOURCE / "data" / "traces"
SPIKE = str(TRACES / "baseline_spike_profile_dt15.csv")


def run(name, *arguments, cwd=None, **more):
    return subprocess.run([str(BIN / name), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120, **more)


def expect(result, code, out=None, err=None, what=""):
    what = what or " ".join(result.args[0:1] + result.args[1:])
    shown = f"exit {result.returncode}\n  out: {result.stdout[:600]!r}\n  err: {result.stderr[:600]!r}"
    check(result.returncode == code, f"{what}: exit code {code}", shown)
    for text in [out] if isinstance(out, str) else out or []:
        check(text in result.stdout, f"{what}: stdout has {text!r}", shown)
    for text in [err] if isinstance(err, str) else err or []:
        check(text in result.stderr, f"{what}: stderr has {text!r}", shown)


def write(path, text):
    data = text if isinstance(text, bytes) else text.encode()
    pathlib.Path(path).write_bytes(data)
    return str(path)


LAB_NAMES = {
    "mpc-generate-synthetic-trace": "--scenario --dt-seconds --seasonality-points --out",
    "mpc-build-trace": "--phases-csv --out --dt-seconds",
    "mpc-validate-trace": "--trace-csv",
    "mpc-offline-sim": "--trace-csv --out-dir --rps-column --time-column --forecast --horizon --history-window --es-alpha "
    "--capacity-per-replica --rho-star --alpha --beta --gamma --min-replicas --max-replicas --max-step --initial-replicas "
    "--hpa-target --hpa-scale-down-hold-steps --dt-seconds --[no-]normalized-objective --normalization-reference-replicas",
    "mpc-grid-search": "--trace-dir --out-csv",
    "mpc-realistic-grid": "--scenario --mu --rho-star --inflight-gain --inflight-cap-per-replica --demand-cap-rps "
    "--service-time-ms --control-step --scrape-interval --ready-delay-steps --initial-replicas --step-min-replicas "
    "--spike-min-replicas --seasonality-min-replicas --mpc-max-replicas --hpa-max-replicas --[no-]normalized-objective "
    "--normalization-reference-replicas --trace-dir --out-csv --alpha-vals --beta-vals --gamma-vals --horizon-vals "
    "--emerg-thresh-vals",
    "mpc-summarize-run": "--run-dir --out-phase-csv --out-control-csv",
    "mpc-summarize-costs": "--hpa-root --hybrid-root --out-csv --out-aggregate-csv --yandex-vcpu-hour-rub "
    "--yandex-memory-gib-hour-rub",
    "mpc-control-loop": "--namespace --deployment --prom-namespace --prom-service --step-seconds --duration-seconds --control-mode "
    "--forecast --es-alpha --history-window --prom-query-retries --prom-query-backoff-seconds --demand-mode --inflight-gain "
    "--demand-cap-rps --emergency-inflight-threshold --emergency-step --emergency-mode --metric-rate-window "
    "--surge-delta-threshold --surge-step --capacity-trigger-fraction --capacity-trigger-step --downscale-cooldown-seconds "
    "--downscale-inflight-threshold --max-downscale-step --proxy-ema-alpha --proxy-downscale-stabilization-seconds --horizon "
    "--alpha --beta --gamma --rho-star --capacity-per-replica --normalization-reference-replicas --min-replicas "
    "--max-replicas --max-step --[no-]normalized-objective --constraint-tolerance --log-csv --apply --dry-run --kube-server "
    "--kube-context",
}


def lab_help():
    for name, flags in LAB_NAMES.items():
        result = run(name, "--help")
        expect(result, 0)
        check(result.stdout.startswith("usage: "), f"{name} --help begins with usage:", result.stdout[:100])
        for flag in flags.split():
            check(flag in result.stdout, f"{name} --help has {flag}", result.stdout)
        expect(run(name, "--no-such-flag"), 2, err="--no-such-flag")


def lab_traces(tmp):
    out = tmp / "t.csv"
    for scenario, points, first, last in [("step", 60, "0,0,20", "59,885,40"), ("spike", 26, "0,0,20", "25,375,20"),
                                          ("seasonality", 80, "0,0,70", None)]:
        expect(run("mpc-generate-synthetic-trace", "--scenario", scenario, "--out", out), 0,
               out=f"Saved trace to {out} ({points} points)")
        lines = out.read_text().splitlines()
        check(lines[0] == "step,timestamp_s,rps" and len(lines) == points + 1, f"{scenario}: {points} rows", lines[:2])
        check(lines[1] == first and (last is None or lines[-1] == last), f"{scenario}: first and last row", [lines[1], lines[-1]])
    expect(run("mpc-generate-synthetic-trace", "--out", out), 2, err="--scenario")
    expect(run("mpc-generate-synthetic-trace", "--scenario", "stepp", "--out", out), 2, err="step, spike, seasonality")

    phases = write(tmp / "phases.csv", "phase_idx,duration,rate_rps\n1,5m,20\n2,30s,200\n3,1m,20\n")
    expect(run("mpc-build-trace", "--phases-csv", phases, "--out", out), 0, out=f"saved {out} (26 points, dt=15s)")
    lines = out.read_text().splitlines()
    check(lines[0] == "step,timestamp_s,rps,phase_idx" and lines[21] == "20,300,200,2", "build-trace rows", lines[20:23])
    halves = write(tmp / "halves.csv", "phase_idx,duration,rate_rps\n1,15s,1\n2,25s,2\n")
    run("mpc-build-trace", "--phases-csv", halves, "--out", out, "--dt-seconds", 10)
    check(len(out.read_text().splitlines()) == 1 + 2 + 2, "1.5 and 2.5 points both round to 2", out.read_text())

    expect(run("mpc-validate-trace", "--trace-csv", SPIKE), 0,
           out=f"valid trace CSV: {SPIKE} (26 rows; required columns: step, timestamp_s, rps)")
    bad = {
        "": ["header row is required"],
        "a,b\n1,2\n": ["missing required columns: step, timestamp_s, rps"],
        "step,timestamp_s,rps\n": ["trace CSV must contain at least one data row"],
        "step,timestamp_s,rps\nx,0,1\n-1,0,1\n": ["row 2: step must be an integer", "row 3: step must be >= 0"],
        "step,timestamp_s,rps\n0,x,1\n1,-5,1\n": ["row 2: timestamp_s must be a number of seconds",
                                                 "row 3: timestamp_s must be >= 0 seconds"],
        "step,timestamp_s,rps\n0,0,x\n1,15,-3\n": ["row 2: rps must be a number", "row 3: rps must be >= 0 requests/second"],
        "step,timestamp_s,rps,phase_idx\n0,0,1,x\n1,15,1,-1\n": ["row 2: phase_idx must be an integer",
                                                                "row 3: phase_idx must be >= 0"],
        "step,timestamp_s,rps\n0,0,nan\n1,15,inf\n": ["row 2: rps must be a number", "row 3: rps must be a number"],
    }
    for text, lines in bad.items():
        result = run("mpc-validate-trace", "--trace-csv", write(tmp / "bad.csv", text))
        expect(result, 1, what=f"validate {text!r}")
        check(result.stderr.splitlines() == lines, f"validate {text!r} says {lines}", result.stderr)
        expect(run("mpc-autoscaler", "compare", "--trace", tmp / "bad.csv", "--policy", "static:2", "--out", tmp / "no"), 2,
               what=f"compare refuses {text!r}")
    check(not (tmp / "no").exists(), "a refused trace leaves no output directory")
    missing = tmp / "missing.csv"
    expect(run("mpc-validate-trace", "--trace-csv", missing), 1, err=f"file not found: {missing}")
    for text in ["step,timestamp_s,rps\n0,0,1\n1,30,1\n2,15,1\n", "step,timestamp_s,rps\n0,0,1\n1,15,1\n2,60,1\n"]:
        result = run("mpc-validate-trace", "--trace-csv", write(tmp / "odd.csv", text))
        expect(result, 0, out="valid trace CSV", what="gaps and time that goes back are warnings to the lab")
        check(result.stderr != "", "... said on stderr", result.stderr)
        expect(run("mpc-autoscaler", "compare", "--trace", tmp / "odd.csv", "--policy", "static:2", "--out", tmp / "no"), 2,
               what="... and refused by our own commands")
    fancy = write(tmp / "fancy.csv", b'\xef\xbb\xbf"step","timestamp_s","rps"\r\n0,0,"20"\r\n1,15,30\r\n')
    expect(run("mpc-validate-trace", "--trace-csv", fancy), 0, out="(2 rows;", what="BOM, CRLF and quotes are read")


def lab_simulation(tmp):
    out = tmp / "sim"
    expect(run("mpc-offline-sim", "--trace-csv", SPIKE, "--out-dir", out), 0,
           out=[f"Input trace: {SPIKE}", f"Saved trajectory: {out}/trajectory.csv", f"Saved summary: {out}/summary.json",
                f"Saved plot: {out}/trajectory.png"])
    recorded = SOURCE / "tests/data/reference/vectors/trajectories/default_packaged_spike.csv"
    check((out / "trajectory.csv").read_bytes() == recorded.read_bytes(), "trajectory.csv is the lab's, byte for byte")
    summary = json.loads((out / "summary.json").read_text())
    check(summary["mpc"]["avg_replicas"] == 4.769230769230769 and summary["config"]["dt_seconds"] == 15, "summary.json", summary)
    check((out / "trajectory.png").read_bytes().startswith(b"\x89PNG"), "trajectory.png is a PNG")
    own = write(tmp / "own.csv", "when,load\n7,20\n9,30\n4,40\n")
    expect(run("mpc-offline-sim", "--trace-csv", own, "--rps-column", "load", "--time-column", "when", "--out-dir", out,
               "--no-normalized-objective", "--forecast", "hw"), 0)
    rows = list(csv.DictReader((out / "trajectory.csv").open()))
    check([row["timestamp_s"] for row in rows] == ["7", "9", "4"], "the second column is --time-column", rows)
    run("mpc-offline-sim", "--trace-csv", own, "--rps-column", "load", "--out-dir", out, "--dt-seconds", "5")
    rows = list(csv.DictReader((out / "trajectory.csv").open()))
    check([row["timestamp_s"] for row in rows] == ["0", "5", "10"], "... else step x dt", rows)
    expect(run("mpc-offline-sim", "--trace-csv", tmp / "none.csv", "--out-dir", out), 1, err="file not found")
    expect(run("mpc-offline-sim", "--trace-csv", SPIKE, "--out-dir", out, "--horizon", "0"), 2, err="--horizon")


def lab_grids(tmp):
    expect(run("mpc-grid-search", cwd=tmp), 0,
           out=["Configs passing all criteria: 0 / 300", "Full results saved to: analysis/out/offline/grid_search_results.csv"])
    rows = list(csv.DictReader((tmp / "analysis/out/offline/grid_search_results.csv").open()))
    check(len(rows) == 300 and list(rows[0])[4] == "spike_delta_V", "300 rows in the lab's columns", list(rows[0]))
    result = run("mpc-realistic-grid", cwd=tmp)
    expect(result, 0, out=["Results saved: analysis/out/offline/realistic_grid_results.csv"])
    check(re.search(r"Configs passing feasibility filter: \d+ / 720", result.stdout), "the count of 720", result.stdout)
    rows = list(csv.DictReader((tmp / "analysis/out/offline/realistic_grid_results.csv").open()))
    with_seasonality = [row for row in rows if row["seasonality_focus_mpc_V"] != ""]
    check(len(rows) == 720 and 0 < len(with_seasonality) <= 30, "720 rows, seasonality for 30", len(with_seasonality))
    small = tmp / "small.csv"
    expect(run("mpc-realistic-grid", "--scenario", "spike", "--alpha-vals", "5,10", "--beta-vals", "1", "--gamma-vals", ".05",
               "--horizon-vals", "8", "--emerg-thresh-vals", "40", "--out-csv", small), 0, out="/ 2")
    expect(run("mpc-grid-search", "--trace-dir", tmp / "nowhere"), 1, err="file not found")


def lab_rest(tmp):
    expect(run("mpc-summarize-run", "--run-dir", tmp, "--out-phase-csv", tmp / "p.csv"), 1)
    check(not (tmp / "p.csv").exists(), "a failed summary writes nothing")
    expect(run("mpc-control-loop", "--log-csv", tmp / "x.csv", "--kube-context", "none", "--alpha", "-1"), 1, err=["alpha", "kube"])
    check(not (tmp / "x.csv").exists(), "a loop that cannot begin writes nothing")


def own_usage(tmp):
    expect(run("mpc-autoscaler"), 2, err="usage: mpc-autoscaler")
    expect(run("mpc-autoscaler", "--help"), 0, out=["compare", "trace generate"])
    check(re.match(r"mpc-autoscaler \d+\.\d+\.\d+", run("mpc-autoscaler", "--version").stdout), "--version")
    expect(run("mpc-autoscaler", "compere"), 2, err='did you mean "compare"?')
    expect(run("mpc-autoscaler", "trace"), 2, err="trace generate")
    expect(run("mpc-autoscaler", "trace", "--help"), 0, out="trace validate")
    expect(run("mpc-autoscaler", "trace", "genrate"), 2, err='did you mean "generate"?')
    expect(run("mpc-autoscaler", "compare"), 2, err=["--trace is required", "--out is required"])
    for command in ("compare", "lab", "backtest"):
        expect(run("mpc-autoscaler", command, "--help"), 0, out=["not given:", "predictive"])
    expect(run("mpc-autoscaler", "compare", "--trace", SPIKE, "--polcy", "x", "--out", tmp / "x"), 2,
           err='unknown flag --polcy (did you mean "--policy"?)')
    expect(run("mpc-autoscaler", "compare", "--trace", SPIKE, "--policy", "reactive:targt=0.5", "--out", tmp / "x"), 2,
           err='unknown key "targt" (did you mean "target"?)')
    expect(run("mpc-autoscaler", "compare", "--trace", SPIKE, "--policy", "static:6", "--out", tmp / "x", "--jobs", "0"), 2,
           err='--jobs is "0"; must be a whole number >= 1')
    check(not (tmp / "x").exists(), "bad usage writes nothing")
    for command in run("mpc-autoscaler", "--help").stdout.split("commands:")[1].splitlines():
        words = command.split("  ")[1].split() if command.startswith("  ") and command[2:3].strip() else []
        if words:
            expect(run("mpc-autoscaler", *words, "--help"), 0, out="usage: mpc-autoscaler " + " ".join(words))


def own_explain(tmp, out):
    runs = sorted(path.parent for path in out.glob("*/*/decisions.jsonl"))
    for run_directory in runs:
        expect(run("mpc-autoscaler", "explain", run_directory), 0, out=[" of 26, ", "replicas    ", "┤"])
    picture = tmp / "why" / "picture.svg"
    expect(run("mpc-autoscaler", "explain", runs[0] / "decisions.jsonl", "--at", "3m", "--svg", picture), 0,
           out=["decision 12 of 26, 3m after the start", f"Picture: {picture}"])
    check(picture.read_text().startswith("<svg "), "explain --svg writes a picture")
    expect(run("mpc-autoscaler", "explain", runs[0], "--step", "25"), 0, out="decision 25 of 26")
    expect(run("mpc-autoscaler", "explain", runs[0], "--step", "26"), 2, err="has the decisions 0 to 25")
    expect(run("mpc-autoscaler", "explain", runs[0], "--at", "1h"), 2, err="outside the run, which has decisions from 0s")
    expect(run("mpc-autoscaler", "explain", runs[0], "--at", "soon"), 2, err="must be a duration from the run's start")
    expect(run("mpc-autoscaler", "explain", runs[0], "--at", "1m", "--step", "3"), 2, err="give one")
    expect(run("mpc-autoscaler", "explain", out), 2, err=["no run", f"runs in it: {runs[0]}"])
    expect(run("mpc-autoscaler", "explain", tmp / "nowhere"), 2, err="file not found")
    empty = tmp / "empty.jsonl"
    empty.write_text((runs[0] / "decisions.jsonl").read_text().split("\n")[0] + "\n")
    expect(run("mpc-autoscaler", "explain", empty), 2, err="holds no decision")


def own_compare(tmp):
    out = tmp / "out"
    arguments = ["compare", "--trace", SPIKE, "--policy", "lab-mpc", "reactive:hold=60s", "static:6", "--world", "realistic"]
    expect(run("mpc-autoscaler", *arguments, "--out", out), 0, out=["reactive:hold=60s", f"Report: {out}/report.html"])
    page = (out / "report.html").read_text()
    check("mpc-autoscaler compare --trace" in page and "http://" not in page.replace("http://www.w3.org", ""),
          "the report holds its command and no address")
    expect(run("mpc-autoscaler", "compare", "--trace", SPIKE, "--world", "fluid", "--out", tmp / "ours"), 0,
           out=["predictive", "hpa", "requests failed [%]"])
    check(sorted(path.name for path in (tmp / "ours" / "spike").iterdir()) == ["hpa", "predictive"], "predictive and the HPA unless told")
    expect(run("mpc-autoscaler", *arguments, "--out", out), 2, err="already exists")
    expect(run("mpc-autoscaler", *arguments, "--out", out, "--force"), 0)
    logs = sorted(out.glob("*/*/decisions.jsonl"))
    check(len(logs) == 3, "a run directory per pair", logs)
    for log in logs:
        expect(run("mpc-autoscaler", "replay", log), 0, out="26 decisions")
    own_explain(tmp, out)
    expect(run("mpc-autoscaler", "replay", logs[0], "--policy", "static:9"), 1, out="with other replicas")
    expect(run("mpc-autoscaler", "replay", SPIKE), 2, err="not a decision log")
    expect(run("mpc-autoscaler", *arguments, "--out", SPIKE), 2, err=SPIKE)
    expect(run("mpc-autoscaler", *arguments, "--out", "/proc/none"), 2, err="/proc/none")


def own_interrupt(tmp):
    long = tmp / "long.csv"
    with long.open("w") as file:
        file.write("step,timestamp_s,rps\n")
        for i in range(400_000):
            file.write(f"{i},{15 * i},{20 + i % 100}\n")
    out = tmp / "interrupted"
    process = subprocess.Popen([str(BIN / "mpc-autoscaler"), "compare", "--trace", SPIKE, str(long), "--policy", "static:6",
                                "lab-mpc:forecast=hw", "--jobs", "1", "--out", str(out)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    finished, deadline = [], time.monotonic() + 200  # a program with sanitizers on a busy machine needs a minute
    while len(finished) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        finished = list(out.glob("*/*/summary.json"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    check(process.returncode == 130, "Ctrl-C ends with 130", f"{process.returncode} {err}")
    check("runs are complete" in err, "... and says what is kept", err)
    check(len(finished) >= 2 and all(path.exists() for path in finished), "finished runs are kept")
    leftovers = [path for path in out.rglob("*") if ".partial" in path.name]
    check(not leftovers and not (out / "report.html").exists(), "nothing half-written", leftovers)


def own_garbage(tmp):
    garbage = tmp / "garbage"
    with garbage.open("wb") as file:  # a file with holes: 1 GB that takes no disk
        file.write(os.urandom(1 << 16))
        file.truncate(1 << 30)
    started = time.monotonic()
    result = run("mpc-autoscaler", "trace", "validate", "--trace-csv", garbage)
    check(result.returncode in (1, 2) and len(result.stderr) < 10_000, "1 GB of garbage is refused in few words", result.stderr[:300])
    check(time.monotonic() - started < 60, "... and is not read for ever")
    result = run("mpc-validate-trace", "--trace-csv", "/bin/true")
    check(result.returncode == 1 and result.stderr, "a binary is no trace", result.stderr[:200])


def own_full_disk(tmp):
    # A file system of 64 kB, when the machine lets us mount one.
    disk = tmp / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], capture_output=True).returncode != 0:
        print("skipped: full disk: may not mount a small file system here")
        return
    try:
        seasonality = str(TRACES / "baseline_seasonality_profile_dt15.csv")
        result = run("mpc-autoscaler", "compare", "--trace", seasonality, "--policy", "static:6", "lab-mpc", "lab-hpa", "reactive",
                     "--out", disk / "out")
        expect(result, 2, err="No space left on device", what="compare on a full disk")
        check(not [path for path in disk.rglob("*") if ".partial" in path.name], "nothing half-written on a full disk",
              list(disk.rglob("*")))
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def main():
    with tempfile.TemporaryDirectory() as directory:
        tmp = pathlib.Path(directory)
        lab_help()
        for part in (lab_traces, lab_simulation, lab_grids, lab_rest, own_usage, own_compare, own_interrupt, own_garbage,
                     own_full_disk):
            (tmp / part.__name__).mkdir()
            part(tmp / part.__name__)
    return finish()


sys.exit(main())
