#!/usr/bin/env python3
"""bench/table.py: names, peers, ratios and goals, from the documents that the measurements write."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import table  # noqa: E402


def run(name, real_time, unit="us", **more):
    return {"name": name, "run_name": name.removesuffix("_median"), "real_time": real_time, "time_unit": unit, **more}


class Table(unittest.TestCase):
    def test_a_peer_component_makes_a_run_the_peer_of_the_same_name(self):
        rows = table.rows_of_google_benchmark(
            {"benchmarks": [run("solve/stages:8", 2), run("solve/peer:dense/stages:8", 30), run("solve/stages:20", 5)]}
        )
        self.assertEqual([r["name"] for r in rows], ["solve/stages:8", "solve/stages:20"])
        self.assertEqual((rows[0]["peer"], rows[0]["peer_figure"]), ("dense", 30_000))
        self.assertNotIn("peer", rows[1])

    def test_each_peer_of_a_function_has_a_row(self):
        rows = table.rows_of_google_benchmark({"benchmarks": [run("f", 1), run("f/peer:a", 2), run("f/peer:b", 3)]})
        self.assertEqual([(r["name"], r["peer_figure"]) for r in rows], [("f", 2000), ("f", 3000)])

    def test_the_median_replaces_single_runs_and_counters_are_rows(self):
        rows = table.rows_of_google_benchmark(
            {
                "benchmarks": [
                    run("f", 9),
                    run("f_mean", 8, run_name="f", aggregate_name="mean"),
                    run("f_median", 7, aggregate_name="median", allocations=0.0),
                ]
            }
        )
        self.assertEqual([(r["name"], r["figure"]) for r in rows], [("f", 7000), ("f allocations", 0)])

    def test_the_ratio_is_how_many_times_better_we_are(self):
        row = {"name": "x", "figure": 2, "unit": "s", "peer": "p", "peer_figure": 10}
        self.assertEqual(table.with_ratio(row)["ratio"], 5)
        self.assertEqual(table.with_ratio({**row, "unit": "rows/s", "better": "higher"})["ratio"], 0.2)

    def test_a_goal_is_met_from_the_side_that_is_better(self):
        self.assertTrue(table.with_ratio({"name": "x", "figure": 1, "unit": "s", "goal": 1})["reached"])
        self.assertFalse(table.with_ratio({"name": "x", "figure": 350, "unit": "MB", "goal": 300})["reached"])
        self.assertFalse(table.with_ratio({"name": "x", "figure": 5, "unit": "rows/s", "goal": 9, "better": "higher"})["reached"])

    def test_times_are_shown_in_the_unit_that_reads_best_and_goals_with_them(self):
        row = table.with_ratio({"name": "x", "figure": 0.4, "unit": "s", "goal": 1, "peer": "p", "peer_figure": 2.0})
        self.assertEqual(table.readable(row), ["x", "400", "ms", "≤ 1,000 ✓", "p", "2,000", "5×"])


if __name__ == "__main__":
    unittest.main()
