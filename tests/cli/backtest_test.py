#!/usr/bin/env python3
"""`backtest` and `study merge` as their users call them: the JSON to the letter, going on, parts, and what goes wrong.

backtest_test.py BIN: the folder with mpc-autoscaler. Prints a line per check that fails, then `N passed, M failed`.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from checks import check, finish

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "mpc-autoscaler"
SOURCE = pathlib.Path(__file__).resolve().parents[2]
WAVE = str(SOURCE / "data" / "traces" / "baseline_seasonality_profile_dt15.csv")
SPIKE = str(SOURCE / "data" / "traces" / "baseline_spike_profile_dt15.csv")


def run(*arguments):
    return subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=300)


def expect(result, code, *texts):
    shown = f"{result.args[1:]}: exit {result.returncode}\n  out: {result.stdout[-800:]!r}\n  err: {result.stderr[:800]!r}"
    check(result.returncode == code, f"exit code {code}", shown)
    for text in texts:
        check(text in (result.stderr if code else result.stdout), f"says {text!r}", shown)


def close(a, b):
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1.0)


def the_json_is_as_documented(document):
    check({"format", "preset", "rows", "comparison"} <= document.keys(), "the document's keys", document.keys())
    check(document["preset"] == "standard", "the preset's name", document["preset"])
    row_keys = {"trace", "policy", "seed", "replica_seconds", "relative_cost", "violation_ratio", "p95_ms", "p99_ms", "churn", "regret"}
    for row in document["rows"]:
        check(row_keys <= row.keys(), "a row's keys", row)
        check(0 <= row["violation_ratio"] <= 1 and row["relative_cost"] > 0 and row["p99_ms"] >= row["p95_ms"] >= 40, "a row's figures", row)
    seen = set()
    for one in document["comparison"]:
        check((one["trace"], one["violation_ratio"]) not in seen, "one comparison per trace and level", one["trace"])
        seen.add((one["trace"], one["violation_ratio"]))
        check(one["policy_name"] == "reactive:sweep", "the policy's name", one["policy_name"])
        for saving, cost, of in (("saving_hindsight", "policy_cost", "hpa_hindsight_cost"),
                                 ("saving_first_half", "policy_second_half_cost", "hpa_first_half_cost")):
            if one[saving] is not None:
                check(close(one[saving], 1 - one[cost] / one[of]), f"{saving} is 1 - policy / HPA", one)
        if one["gap_closed"] is not None:
            hpa, policy, foresight = (one[key] for key in ("hpa_hindsight_cost", "policy_cost", "clairvoyant_cost"))
            check(close(one["gap_closed"], (hpa - policy) / (hpa - foresight)), "gap_closed by its formula", one)
        check(list(one["bill"]) == ["3", "10", "30", "100"], "the prices", list(one["bill"]))
        for bill in one["bill"].values():
            check({"policy", "hpa_hindsight", "hpa_first_half", "hpa60", "clairvoyant"} <= bill.keys(), "a bill's keys", bill)
            check(bill["hpa_first_half"] is None, "traces under two hours have no halves", bill)
            check(bill["hpa_hindsight"] <= bill["hpa60"], "hindsight is not dearer than what people run", bill)
    levels = sorted({level for _, level in seen})
    check(levels == [0.003, 0.01, 0.03, 0.1], "the violation levels", levels)


def main(tmp):
    study = ["backtest", "--trace", WAVE, SPIKE, "--policy", "reactive:sweep", "--seeds", "2"]
    expect(run(*study, "--out", tmp / "whole", "--json", tmp / "whole.json"), 0, "Report: ")
    document = json.loads((tmp / "whole.json").read_text())
    the_json_is_as_documented(document)
    check(len({row["policy"] for row in document["rows"] if row["policy"].startswith("hpa:")}) == 78, "the whole sweep of the HPA")
    check((tmp / "whole" / "report.html").stat().st_size > 50_000, "a report")

    (tmp / "whole" / "report.html").unlink()
    expect(run(*study, "--out", tmp / "whole", "--json", tmp / "again.json"), 0, "Report: ")
    check(json.loads((tmp / "again.json").read_text())["rows"] == document["rows"], "going on changes nothing")
    expect(run(*study, "--seeds", "3", "--out", tmp / "whole"), 2, "holds something else")

    # Counted from 0, as the pods of an Indexed Job, and with a folder of traces.
    (tmp / "traces" / "lost+found").mkdir(parents=True)
    (tmp / "traces" / ".hidden").write_text("no trace")
    expect(run("backtest", "--trace", tmp / "traces", "--policy", "reactive", "--out", tmp / "x"), 2, "there are no files in")
    for path in (WAVE, SPIKE):
        shutil.copy(path, tmp / "traces")
    for part in (0, 1):
        expect(run("backtest", "--trace", tmp / "traces", *study[4:], "--shard", f"{part}/2", "--out", tmp / f"pod{part}"), 0, "is complete")
    expect(run("study", "merge", tmp / "pod0", tmp / "pod1", "--out", tmp / "pods", "--json", tmp / "pods.json"), 0, "Report: ")
    check(json.loads((tmp / "pods.json").read_text())["rows"] == document["rows"], "so do parts that are counted from 0")

    for part in (1, 2):
        expect(run(*study, "--shard", f"{part}/2", "--out", tmp / f"part{part}", "--jobs", "1"), 0, "is complete")
    expect(run("study", "merge", tmp / "part1", tmp / "part2", "--out", tmp / "merged", "--json", tmp / "merged.json"), 0, "Report: ")
    check(json.loads((tmp / "merged.json").read_text())["rows"] == document["rows"], "parts together are the whole")
    expect(run("study", "merge", tmp / "part1", "--out", tmp / "half"), 2, "runs are missing")

    (tmp / "lags.txt").write_text("# measured\n12s\n31s\n50s\n")
    lean = ["backtest", "--trace", SPIKE, "--policy", "reactive", "--no-opponents", "--seeds", "1"]
    expect(run(*lean, "--world", "requests", "--set", f"readiness-lag=@{tmp / 'lags.txt'}", "--out", tmp / "lags"), 0, "Report: ")
    expect(run(*lean, "--set", "readines-lag=4s", "--out", tmp / "x"), 2, 'did you mean "readiness-lag"?')
    expect(run(*lean, "--set", "readiness-lag=@nowhere.txt", "--out", tmp / "x"), 2, "nowhere.txt")
    expect(run(*lean, "--shard", "3/2", "--out", tmp / "x"), 2, "must be I/N with 0 <= I <= N")
    expect(run(*lean, "--shard", "0/0", "--out", tmp / "x"), 2, "must be I/N with 0 <= I <= N")
    expect(run(*lean, "--preset", "standart", "--out", tmp / "x"), 2, 'did you mean "standard"?')
    expect(run("backtest", "--trace", SPIKE, "--policy", "reactiv", "--out", tmp / "x"), 2, 'did you mean "reactive"?')
    expect(run("backtest", "--trace", tmp / "none.csv", "--policy", "reactive", "--out", tmp / "x"), 2, "none.csv")
    check(not (tmp / "x").exists(), "nothing is written on bad input")

    prior = ["prior", "--trace", WAVE, SPIKE, "--seeds", "1"]
    expect(run(*prior, "--jobs", "2", "--out", tmp / "prior.csv"), 0, "Prior of 60 candidates from 2 traces: ")
    expect(run(*prior, "--jobs", "1", "--out", tmp / "again.csv"), 0, "Prior of 60 candidates from 2 traces: ")
    check((tmp / "prior.csv").read_text() == (tmp / "again.csv").read_text(), "the prior does not depend on the jobs")
    judge = ["backtest", "--trace", SPIKE, "--no-opponents", "--seeds", "1", "--policy"]
    expect(run(*judge, f"predictive:prior=@{tmp / 'prior.csv'}", "predictive:prior=none", "--out", tmp / "priors"), 0, "Report: ")
    (tmp / "again.csv").write_text((tmp / "prior.csv").read_text().replace("level x1.08,", "level x1.8,"))
    expect(run(*judge, f"predictive:prior=@{tmp / 'again.csv'}", "--out", tmp / "x"), 2, "again.csv: line 5: no candidate is called")
    expect(run("prior", "--trace", WAVE, WAVE, "--out", tmp / "x"), 2, "is there already")
    check(not (tmp / "x").exists(), "no prior is written on bad input")


with tempfile.TemporaryDirectory() as folder:
    main(pathlib.Path(folder))
sys.exit(finish())
