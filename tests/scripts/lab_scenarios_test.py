#!/usr/bin/env python3
"""scripts/lab-scenarios: the table of made-up runs, and what it asks the lab for."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/lab-scenarios"


def rows(text):
    """Cells of the table lines, without the rules under the heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


class LabScenarios(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.out = self.root / "out"

    def call(self, *arguments):
        return subprocess.run(
            [sys.executable, "-B", SCRIPT, "--out", self.out, *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    def add_run(self, policy, repeat, p95_ms, spec, failed=0, cautions=()):
        """100 requests: 94 of them in 1 ms, the others in `p95_ms`."""
        path = self.out / "spike" / f"{policy}-{repeat}" / "measured-run.json"
        path.parent.mkdir(parents=True)
        run = {
            "scenario": "spike",
            "label": policy,
            "repeat": repeat,
            "spec_replicas": spec,
            "counts": {"due": 100, "succeeded": 100 - failed},
            "latency_histogram": f"count 100\nfrom_ns 1000000 94\nfrom_ns {p95_ms}000000 6\n",
            "cautions": list(cautions),
        }
        path.write_text(json.dumps(run), encoding="utf-8")

    def add_runs(self):
        # Replicas: means 3, 4, 5 against 4, 4, 4; churn |2-4| = 2, 0, |4-6| = 2 against none.
        self.add_run("ours", 1, 20, [2, 4])
        self.add_run("ours", 2, 30, [4, 4], failed=1)
        self.add_run("ours", 3, 40, [4, 6], cautions=["the machine was busy"])
        for repeat in (1, 2, 3):
            self.add_run("theirs", repeat, 40, [4, 4])
        self.add_run("other", 1, 40, [4, 4])

    def test_a_row_has_the_median_and_the_range_of_its_runs(self):
        self.add_runs()
        result = self.call("--no-runs", "--policy", "ours", "theirs")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(
            rows(result.stdout)[:3],
            [
                ["scenario", "policy", "runs", "p95 [ms]", "replicas", "failed [%]", "churn", "not trusted"],
                ["spike", "ours", "3", "30 (20 – 40)", "4.00 (3.00 – 5.00)", "0.00 (0.00 – 1.00)", "2 (0 – 2)", "1"],
                ["spike", "theirs", "3", "40", "4.00", "0.00", "0", "0"],
            ],
        )

    def test_runs_are_compared_pair_by_pair(self):
        self.add_runs()
        # p95 20, 30, 40 against 40: -50, -25, 0 %; replicas 3, 4, 5 against 4: -25, 0, +25 %.
        self.assertEqual(
            rows(self.call("--no-runs", "--policy", "ours", "theirs").stdout)[3:],
            [
                ["scenario", "ours against", "pairs", "p95 [%]", "p95 lower in", "replicas [%]", "fewer in"],
                ["spike", "theirs", "3", "-25 (-50 – 0)", "2", "0 (-25 – 25)", "1"],
            ],
        )
        # Only the first of ours has a partner.
        self.assertEqual(
            rows(self.call("--no-runs", "--policy", "ours", "other").stdout)[-1], ["spike", "other", "1", "-50", "1", "-25", "1"]
        )

    def test_without_a_finished_run_there_is_no_table(self):
        self.out.mkdir()
        result = self.call("--no-runs")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(result.stderr, f"lab-scenarios: error: no finished run in {self.out}\n")

    def fake_lab(self, code):
        program = self.root / "mpc-autoscaler"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{self.root}/asked"\nexit {code}\n', encoding="utf-8")
        program.chmod(0o755)
        return "--bin", self.root, "--scenario", "spike", "--policy", "ours", "theirs"

    def test_the_lab_is_asked_to_go_on_with_what_is_there(self):
        self.add_runs()
        lab = self.fake_lab(0)
        result = self.call(*lab, "--runs", "3", "--set", "max-replicas=9")
        self.assertEqual(result.returncode, 0, result.stderr)
        asked = (self.root / "asked").read_text(encoding="utf-8").splitlines()
        self.assertEqual(asked[:6], ["lab", "--scenario", "spike", "--policy", "ours", "theirs"])
        self.assertEqual(asked[-5:], ["--max-replicas", "9", "--out", str(self.out), "--resume"])
        self.assertEqual(asked[asked.index("--repeat") + 1], "3")

    def test_what_the_lab_finished_is_shown_though_it_failed_but_not_after_bad_usage(self):
        self.add_runs()
        result = self.call(*self.fake_lab(1))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(rows(result.stdout)), 5)
        result = self.call(*self.fake_lab(2))
        self.assertEqual((result.returncode, result.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main()
