#!/usr/bin/env python3
"""The lab's plan by its own means, OSQP and CVXPY, beside ours: rows for bench/table.py.

Same instances, same run: `mpc_bench --dump` walks its closed loops and writes every instance with our x_0 and our time; the
peers solve the same ones.

  OSQP    called directly with the matrices set up once, so without any modelling cost; its own reported solve_time, without
          its set-up, update and polish times. eps 1e-4, polish, at most 20000 iterations, as the lab sets it. Warm: from its
          last solution; cold: from zero. Backlog in replicas' worth of a stage, which it solves better than in requests.
  CVXPY   the problem built and solved at every step, by the wall clock. Our writing of the lab's published problem, with
          vectors; a constraint per stage is several times slower.
  truth   Clarabel (interior point) at 1e-13, or as near as rounding lets it come. Instances with x_0 within 1e-6 of a rounding boundary are left out.

The environment: bench/make_venv.sh. Run with its python.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import clarabel
import cvxpy
import numpy as np
import osqp
from scipy import sparse

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOALS_US = {8: 1.0, 20: 2.0}
BOUNDARY = 1e-6


class Chain:
    """minimise ½ zᵀPz + qᵀz, l <= Az <= u with z = (x, v); only q, l and u move from step to step."""

    def __init__(self, s):
        h = s["stages"]
        a, b = s["alpha"] / s["reference"] ** 2, s["beta"] / s["step"] ** 2
        self.s, self.h, self.b, self.c = s, h, b, s["gamma"] / s["reference"]
        difference = sparse.eye(h) - sparse.eye(h, k=-1)
        self.P = sparse.triu(sparse.block_diag([2 * b * difference.T @ difference, 2 * a * sparse.eye(h)]), format="csc")
        zero = sparse.csc_matrix((h, h))
        self.A = sparse.bmat(
            [[sparse.eye(h), difference], [zero, sparse.eye(h)], [difference, zero], [sparse.eye(h), zero]], format="csc"
        )

    def vectors(self, step):
        s, h = self.s, self.h
        replica_rps = s["capacity"] * s["rho"]
        q = np.zeros(2 * h)
        q[:h] = self.c
        q[0] -= 2 * self.b * step["now"]
        serve = np.array(step["forecast"]) / replica_rps
        serve[0] += step["backlog"] / (replica_rps * s["period_s"])
        move = np.zeros(h)
        move[0] = step["now"]
        infinite = np.full(h, np.inf)
        lower = np.concatenate([serve, np.zeros(h), move - s["step"], np.full(h, float(s["min"]))])
        upper = np.concatenate([infinite, infinite, move + s["step"], np.full(h, float(s["max"]))])
        return q, lower, upper


def action(s, x0, now):
    return int(min(max(math.floor(x0 + 0.5), max(s["min"], now - s["step"])), min(s["max"], now + s["step"])))


def osqp_run(chain, steps, warm):
    solver, seconds, polish_seconds, x0s = None, [], [], []
    for step in steps:
        q, lower, upper = chain.vectors(step)
        if solver is None:
            solver = osqp.OSQP()
            solver.setup(chain.P, q, chain.A, lower, upper, eps_abs=1e-4, eps_rel=1e-4, polishing=True, max_iter=20000,
                         warm_starting=warm, verbose=False)  # fmt: skip
        else:
            solver.update(q=q, l=lower, u=upper)
            if not warm:
                solver.warm_start(x=np.zeros(len(q)), y=np.zeros(len(lower)))
        result = solver.solve(raise_error=False)
        seconds.append(result.info.solve_time)
        polish_seconds.append(result.info.polish_time)
        x0s.append(result.x[0] if result.info.status.startswith("solved") else math.nan)
    return seconds, polish_seconds, x0s


def true_x0(chain, step):
    # In units of the largest replica number the normalised weights are of the size of alpha and beta.
    unit = float(chain.s["max"])
    q, lower, upper = chain.vectors(step)
    q, lower, upper = q * unit, lower / unit, upper / unit
    bounded = np.isfinite(upper)
    rows = sparse.vstack([-chain.A, chain.A[bounded]], format="csc")
    right = np.concatenate([-lower, upper[bounded]])
    for tolerance in (1e-13, 1e-12, 1e-11, 1e-10):
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = tolerance
        solution = clarabel.DefaultSolver(chain.P * unit**2, q, rows, right, [clarabel.NonnegativeConeT(len(right))], settings).solve()
        if str(solution.status) == "Solved":
            return solution.x[0] * unit
    return math.nan


def cvxpy_run(s, steps):
    seconds = []
    for step in steps:
        started = time.perf_counter()
        h, served = s["stages"], s["capacity"] * s["rho"]
        x, b = cvxpy.Variable(h), cvxpy.Variable(h)
        before_x, before_b = cvxpy.hstack([step["now"], x[:-1]]), cvxpy.hstack([step["backlog"], b[:-1]])
        change = x - before_x
        constraints = [
            b >= before_b + s["period_s"] * (np.array(step["forecast"]) - served * x),
            b >= 0, change <= s["step"], change >= -s["step"], x >= s["min"], x <= s["max"],
        ]  # fmt: skip
        cost = s["alpha"] * cvxpy.sum_squares(b / (served * s["reference"] * s["period_s"]))
        cost += s["beta"] * cvxpy.sum_squares(change / s["step"]) + s["gamma"] * cvxpy.sum(x) / s["reference"]
        problem = cvxpy.Problem(cvxpy.Minimize(cost), constraints)
        problem.solve(solver=cvxpy.OSQP, eps_abs=1e-4, eps_rel=1e-4, polishing=True, max_iter=20000, warm_start=False)
        seconds.append(time.perf_counter() - started)
    return seconds[1:]  # the first call loads


def p99(values):
    return sorted(values)[int(0.99 * (len(values) - 1))]


def program():
    for folder in ("build/bench/bench", "build/mpc-bench/bench"):
        if (ROOT / folder / "mpc_bench").exists():
            return ROOT / folder / "mpc_bench"
    sys.exit("mpc_bench is not built: scripts/build bench")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", "--json", type=pathlib.Path, dest="out", help="the *.rows.json to write")
    parser.add_argument("--steps", type=int, default=240, help="of each closed loop; a round of its day is 480")
    parser.add_argument("--cvxpy-calls", type=int, default=10)
    parser.add_argument("--mpc-bench", type=pathlib.Path, default=None, help="the program, if not the one of preset bench")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        dumped = pathlib.Path(folder) / "instances.jsonl"
        subprocess.run([arguments.mpc_bench or program(), f"--dump={dumped}"], check=True)
        loops = [json.loads(line) for line in dumped.read_text().splitlines()]

    rows, details = [], []
    print("                     median µs                    p99 µs              wrong integers      largest error of x_0")
    print("replicas H   forecast     ours  warm  cold  ratio     ours    warm    cold   ours warm cold  of      ours    warm")
    for s in loops:
        steps, h, name = s.pop("steps")[: arguments.steps], s["stages"], f"plan, {s['stages']} stages, {s['max']} replicas, {s['forecast']} forecast"
        chain = Chain(s)
        warm, warm_polish, warm_x0 = osqp_run(chain, steps, warm=True)
        cold, cold_polish, cold_x0 = osqp_run(chain, steps, warm=False)
        ours, ours_x0 = [step["ns"] / 1e3 for step in steps], [step["x0"] for step in steps]
        truth = [true_x0(chain, step) for step in steps]
        judged = [k for k, x in enumerate(truth) if math.isfinite(x) and abs(x - math.floor(x) - 0.5) >= BOUNDARY]

        def wrong(x0s):
            return sum(not math.isfinite(x0s[k]) or action(s, x0s[k], steps[k]["now"]) != action(s, truth[k], steps[k]["now"]) for k in judged)

        def error(x0s):
            return max(abs(x0s[k] - truth[k]) for k in judged)

        figures = {
            "ours_us": {"median": statistics.median(ours), "p99": p99(ours)},
            "osqp_warm_us": {"median": 1e6 * statistics.median(warm), "p99": 1e6 * p99(warm), "polish_median": 1e6 * statistics.median(warm_polish)},
            "osqp_cold_us": {"median": 1e6 * statistics.median(cold), "p99": 1e6 * p99(cold), "polish_median": 1e6 * statistics.median(cold_polish)},
            "wrong_integers": {"ours": wrong(ours_x0), "osqp_warm": wrong(warm_x0), "osqp_cold": wrong(cold_x0), "judged": len(judged), "steps": len(steps)},
            "largest_error_x0": {"ours": error(ours_x0), "osqp_warm": error(warm_x0), "osqp_cold": error(cold_x0)},
        }  # fmt: skip
        o, w, c, n, e = figures.values()
        print(
            f"{s['max']:8} {h:3} {s['forecast']:>6}  {o['median']:8.2f} {w['median']:6.1f} {c['median']:6.1f} {w['median'] / o['median']:5.0f}x"
            f" {o['p99']:8.1f} {w['p99']:7.1f} {c['p99']:7.1f}   {n['ours']:4} {n['osqp_warm']:4} {n['osqp_cold']:4} {n['judged']:4}"
            f"   {e['ours']:.1e} {e['osqp_warm']:.1e}"
        )
        goal = GOALS_US.get(h) if s["max"] == 12 else None
        rows.append({"name": f"{name}: median", "figure": o["median"], "unit": "us", "peer": "OSQP, warm", "peer_figure": w["median"], "goal": goal})
        rows.append({"name": f"{name}: median", "figure": o["median"], "unit": "us", "peer": "OSQP, cold", "peer_figure": c["median"]})
        rows.append({"name": f"{name}: p99", "figure": o["p99"], "unit": "us", "peer": "OSQP, warm", "peer_figure": w["p99"]})
        rows.append({"name": f"{name}: wrong integers", "figure": n["ours"], "unit": f"of {n['judged']}", "peer": "OSQP, warm", "peer_figure": n["osqp_warm"], "goal": 0})
        if s["max"] == 12:
            calls = cvxpy_run(s, steps[: arguments.cvxpy_calls + 1])
            figures["cvxpy_us"] = {"median": 1e6 * statistics.median(calls), "calls": len(calls)}
            rows.append({"name": f"{name}: median", "figure": o["median"], "unit": "us", "peer": "CVXPY + OSQP", "peer_figure": 1e6 * statistics.median(calls)})
            print(f"{'':22}CVXPY + OSQP, built at each step: {statistics.median(calls) * 1e3:.1f} ms, {1e6 * statistics.median(calls) / o['median']:,.0f}x")
        details.append({**s, **figures})
    if arguments.out:
        arguments.out.write_text(json.dumps({"rows": rows, "loops": details}, indent=1) + "\n")


if __name__ == "__main__":
    main()
