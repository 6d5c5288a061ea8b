// The reference lab's plan as a relaxed (real-valued) quadratic program: how many replicas over the next stages, so
// that backlog, churn and replicas together cost least. With x_k replicas and b_k backlog after stage k = 0 … H-1,
//
//   minimise    alpha Σ (b_k / S_b)² + beta Σ (x_k - x_{k-1})² / S_s² + gamma Σ x_k / S_x
//   subject to  b_k >= b_{k-1} + period (forecast_k - mu rho x_k),  b_k >= 0,  |x_k - x_{k-1}| <= max_step,
//               min_replicas <= x_k <= max_replicas;     x_{-1}, b_{-1} = replicas and backlog now; mu, rho = capacity
//               per replica and target utilization; S_b, S_s, S_x = mu rho N period, max_step, N (normalised) or 1.
//
// It is a chain with two states (replicas, backlog) and one decision per stage, so it is solved by dynamic programming
// on modes: which constraint each stage sits on. Given the modes, the cost to go is one quadratic per stage (a Riccati
// step, going back); going forward with these quadratics, each stage picks its decision exactly, a minimum in one
// variable with kinks, and so its new mode. Modes that reproduce themselves satisfy all optimality conditions: the
// answer is exact up to rounding, not up to a tolerance. Where the modes cycle, an augmented Lagrangian goes on from
// their last plan, and an interior-point method where that fails (internal/interior_point.h).
// docs/explanation/qp-solver.md derives it.
//
// Jacobson and Mayne (1970), Differential Dynamic Programming. Tassa, Mansard and Todorov (2014), Control-limited
// differential dynamic programming, ICRA. Mehrotra (1992), On the implementation of a primal-dual interior point
// method, SIAM J. Optim. 2(4). Rao, Wright and Rawlings (1998), Application of interior-point methods to MPC, JOTA
// 99(3).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "mpc/internal/interior_point.h"

namespace mpca::mpc {

/// Defaults are the lab's.
struct ReplicaQpSettings {
  int horizon_stages = 8;
  double alpha = 15;         // weight of backlog
  double beta = 4;           // weight of churn
  double gamma = 0.08;       // weight of replicas
  double capacity_rps = 25;  // per replica
  double target_utilization = 0.7;
  int min_replicas = 2;
  int max_replicas = 12;
  int max_step = 2;  // replicas per stage, up or down
  double period_s = 15;
  bool normalized_objective = true;
  double normalization_reference_replicas = 12;  // N; max_replicas when <= 0
};

enum class QpStatus {
  optimal,
  infeasible,     // no plan reaches [min_replicas, max_replicas] within max_step of the current replicas
  not_converged,  // the iteration budget ended first
  invalid_input,  // a forecast or backlog that is not a finite number
};

struct QpSolution {
  QpStatus status;
  std::span<const double> replicas;  // x_0 … x_{H-1}, valid until the next solve; empty unless optimal
  double objective;                  // the minimum of the sum above; 0 unless optimal
  int iterations;                    // passes over the chain, factorisations included
};

class ReplicaQp {
 public:
  ///   errors   invalid_argument  every setting outside its range, a line each: horizon_stages and max_step >= 1,
  ///            weights finite and >= 0, capacity_rps and period_s > 0, target_utilization in (0, 1],
  ///            0 <= min_replicas <= max_replicas
  static Result<ReplicaQp> create(const ReplicaQpSettings& settings);

  /// The optimal plan: the only one when beta > 0, else one of them. The result depends on the arguments alone, not on
  /// earlier calls, so a replay gives the same bits.
  ///
  ///   forecast_rps       horizon_stages values (MPCA_CHECK)
  ///   backlog_requests   b_{-1}
  ///   current_replicas   x_{-1}; may lie outside the bounds as long as max_step leads back at once
  ///   accuracy           some 1e-12 replicas where the modes settle, 1e-8 where they cycle; 1e-7 when weights differ
  ///                      by 1e8
  ///   cost               O(horizon_stages) per pass, usually 1 to 5 passes, at most some 200; allocates nothing. Not
  ///                      thread safe: the work memory is the object's.
  QpSolution solve(std::span<const double> forecast_rps, double backlog_requests, int current_replicas);

  const ReplicaQpSettings& settings() const { return settings_; }

 private:
  // What the later stages will cost, as a function of replicas x and backlog v (in replicas' worth of one stage):
  // ½ xx x² + xv x v + ½ vv v² + x x + v v.
  struct CostToGo {
    double xx, xv, vv, x, v;
  };
  struct Stage {
    double demand;                         // forecast in replicas
    double idle_by_x, idle;                // the best x while no backlog remains: idle_by_x x_{k-1} + idle
    double busy_by_x, busy_by_load, busy;  // the same while backlog remains; load = backlog before + demand
    CostToGo cost;                         // from this stage on
    int mode;
  };

  // What a stage chooses from: the best x without and with backlog, the better of them, and the limits.
  struct Choice {
    double load, idle, busy, best, least, most, fall_to, rise_to;
  };

  explicit ReplicaQp(const ReplicaQpSettings& settings);
  bool still_holds(int mode, const Choice& choice) const;
  void go_back(int from_stage);
  int go_forward(double backlog, double replicas_now);
  bool solve_from_inside(double backlog, double replicas_now, int& iterations);
  double objective(double backlog, double replicas_now) const;

  ReplicaQpSettings settings_;
  double replica_requests_;  // what one replica serves per stage at the target utilization
  double backlog_weight_, churn_weight_, replica_weight_;  // A, B, C of the page
  std::vector<Stage> stages_;                              // H and one past the end (zero cost)
  // The mode sequences met in this solve: one that comes back would come back for ever.
  static constexpr int kMaxIterations = 40;
  std::array<std::uint64_t, kMaxIterations> seen_{};
  std::uint64_t signature_ = 0;
  double largest_ = 0;  // replica number of this solve
  std::vector<double> replicas_, demands_;
  internal::InteriorPoint interior_point_;
};

/// The action of a plan: floor(first_replicas + 0.5), kept within the bounds and within max_step of `current_replicas`.
int rounded_action(const ReplicaQpSettings& settings, double first_replicas, int current_replicas);

/// What the lab does when there is no plan: enough replicas for the first forecast, moved at most max_step, the bounds
/// last (from below min_replicas it goes to min_replicas at once).
int greedy_action(const ReplicaQpSettings& settings, double first_forecast_rps, int current_replicas);

}  // namespace mpca::mpc
