// The fall-back of ReplicaQp: the same chain, by methods that converge from anywhere.
//
//   polish      augmented Lagrangian: Newton on a piecewise quadratic, multipliers updated with the same factor. Tried
//               first, from the plan that the modes ended with and the multipliers it would have.
//   approach    primal-dual interior point (Mehrotra's predictor and corrector) until the active constraints show.
//   fix_active  these constraints as equations; accepted when no sign is wrong. Else polish, else a smaller barrier.
//
// Ordered x_0, v_0, x_1, v_1, …, every matrix is pentadiagonal, so a factorisation is linear in the number of stages.
//
// Mehrotra (1992), SIAM J. Optim. 2(4), 575-601. Rao, Wright and Rawlings (1998), JOTA 99(3), 723-757. Rockafellar
// (1976), Augmented Lagrangians and applications of the proximal point algorithm, Math. Oper. Res. 1(2), 97-116.
// Hermans, Themelis and Patrinos (2019), QPALM, CDC.
#pragma once

#include <span>
#include <vector>

namespace mpca::mpc::internal {

/// minimise Σ A v_k² + B (x_k - x_{k-1})² + C x_k subject to v_k >= v_{k-1} + demand_k - x_k, v_k >= 0,
/// |x_k - x_{k-1}| <= step, low <= x_k <= high; everything in replicas (backlog: replicas' worth of one stage).
struct Chain {
  std::span<const double> demand;
  double backlog;                                       // v_{-1}
  double replicas_now;                                  // x_{-1}
  double backlog_weight, churn_weight, replica_weight;  // A > 0, B >= 0, C >= 0
  double low, high, step;
};

class InteriorPoint {
 public:
  /// Work memory for chains of up to `stages` stages.
  explicit InteriorPoint(std::size_t stages);

  /// The optimal x, within the limits. False when no part reached its accuracy.
  ///
  ///   chain        low < high, and more than one feasible value for the first stage: a set without an interior has no
  ///                interior point, so the caller fixes such a stage
  ///   replicas     one per stage; in: where to start, a feasible plan that is nearly right; out: the optimum
  ///   iterations   increased by the number of factorisations
  bool solve(const Chain& chain, std::span<double> replicas, int& iterations);

 private:
  bool approach(double target);
  bool polish(double penalty, int max_factorisations);
  bool fix_active(double penalty);
  double line_search(double penalty);
  void guess_multipliers();
  void start_inside();
  void row_steps(std::span<const double> step, std::span<double> out) const;
  void gradient(std::span<double> out) const;
  void slacks(std::span<double> out) const;
  void add_rows(std::span<const double> weights, double sign, std::span<double> out) const;
  void factorise(std::span<const double> row_weights);
  void back_substitute(std::span<double> in_out) const;

  Chain chain_{};
  double a_ = 0, b_ = 0, c_ = 0;  // weights over the gradient's scale
  double size_ = 1;               // of the replica numbers
  double magnitude_ = 1;          // of these and the backlog
  int factorisations_ = 0;
  std::vector<double> memory_;
  std::span<double> z_, step_z_, residual_, diagonal_, lower1_, lower2_, near_z_;  // two per stage
  std::span<double> slack_, multiplier_, row_weight_, step_slack_, step_multiplier_, row_,
      near_multiplier_;  // six per stage
};

}  // namespace mpca::mpc::internal
