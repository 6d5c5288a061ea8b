// Drawn instances of the lab's plan, and the same instance as a plain dense quadratic program that knows nothing of
// stages.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

#include "mpc/replica_qp.h"
#include "support/dense_dual_active_set.h"

namespace mpca::test {

/// The standard fixes the engine but not its distributions, so these are ours: the same numbers everywhere.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}
  double uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(engine_() >> 11U) * 0x1p-53);
  }
  double power_of_ten(double low, double high) { return std::pow(10.0, uniform(low, high)); }
  int integer(int low, int high) {
    return low + static_cast<int>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(double share) { return uniform(0, 1) < share; }

 private:
  std::mt19937_64 engine_;
};

struct ReplicaQpCase {
  mpc::ReplicaQpSettings settings;
  std::vector<double> forecast_rps;
  double backlog_requests = 0;
  int current_replicas = 0;
};

/// Feasible instances of every shape: flat, balanced to the last bit, ramps, waves, spikes, noise; tight and wide
/// limits; backlog none, some or huge; weights over `decades` powers of ten around the lab's.
inline ReplicaQpCase draw_replica_qp(Draw& draw, int least_stages, int most_stages, int most_replicas, double decades) {
  ReplicaQpCase result;
  mpc::ReplicaQpSettings& s = result.settings;
  s.horizon_stages = draw.integer(least_stages, most_stages);
  s.alpha = 15 * draw.power_of_ten(-decades, decades);
  s.beta = 4 * draw.power_of_ten(-decades, decades);
  s.gamma = draw.chance(0.15) ? 0 : 0.08 * draw.power_of_ten(-decades, decades);
  s.capacity_rps = draw.chance(0.5) ? 25 : draw.uniform(1, 200);
  s.target_utilization = draw.chance(0.5) ? 0.7 : draw.uniform(0.2, 1);
  const int scale = std::max(4, static_cast<int>(most_replicas * draw.power_of_ten(-1.5, 0)));
  s.min_replicas = draw.chance(0.5) ? 2 : draw.integer(0, scale / 2);
  s.max_replicas = draw.integer(std::max(3, scale / 2), scale);
  if (draw.chance(0.02)) s.min_replicas = s.max_replicas;
  s.max_step = draw.chance(0.5) ? draw.integer(1, 4) : draw.integer(1, std::max(1, scale / 2));
  s.period_s = draw.chance(0.7) ? 15 : draw.uniform(1, 60);
  s.normalized_objective = draw.chance(0.8);
  s.normalization_reference_replicas = draw.chance(0.8) ? s.max_replicas : draw.integer(-1, 40);
  // At, near or outside a bound, but one step leads back.
  const int low = std::max(0, s.min_replicas - s.max_step), high = s.max_replicas + s.max_step;
  result.current_replicas = draw.chance(0.1)   ? low
                            : draw.chance(0.1) ? high
                                               : draw.integer(s.min_replicas, s.max_replicas);

  const double replica_rps = s.capacity_rps * s.target_utilization;
  const double level = draw.uniform(0, 1.2) * s.max_replicas;
  const int shape = draw.integer(0, 5);
  const double slope = draw.uniform(-0.5, 0.5) * s.max_replicas / s.horizon_stages;
  const double noise = draw.power_of_ten(-3, -0.5);
  const double length = draw.uniform(4, 40);
  const int spike = draw.integer(0, s.horizon_stages - 1);
  for (int k = 0; k < s.horizon_stages; ++k) {
    double replicas = level;
    if (shape == 0) replicas = result.current_replicas;  // exactly balanced
    if (shape == 2) replicas += slope * k;
    if (shape == 3) replicas *= 1 + 0.5 * std::sin(2 * std::numbers::pi * k / length);
    if (shape == 4 && std::abs(k - spike) <= 1) replicas *= 4;
    if (shape >= 3) replicas *= 1 + noise * draw.uniform(-1, 1);
    result.forecast_rps.push_back(std::max(0.0, replicas * replica_rps));
  }
  if (draw.chance(0.5)) result.backlog_requests = draw.uniform(0, 1) * s.max_replicas * replica_rps * s.period_s;
  if (draw.chance(0.05)) result.backlog_requests *= 1000;
  return result;
}

/// x_0 … x_{H-1}, v_0 … v_{H-1} with v = backlog in replicas' worth of one stage; the cost divided by `cost_scale`.
struct DenseForm {
  Matrix P, G;
  Vector q, h;
  Real cost_scale = 1;
};

inline DenseForm dense_form(const ReplicaQpCase& instance) {
  const mpc::ReplicaQpSettings& s = instance.settings;
  const Real served = Real(s.capacity_rps) * s.target_utilization * s.period_s;
  const Real reference = s.normalization_reference_replicas > 0 ? s.normalization_reference_replicas : s.max_replicas;
  const Real backlog_scale = s.normalized_objective ? served * reference : 1;
  const Real step_scale = s.normalized_objective ? s.max_step : 1;
  const Real replica_scale = s.normalized_objective ? reference : 1;
  DenseForm form;
  const Real A = s.alpha * served * served / (backlog_scale * backlog_scale);
  const Real B = s.beta / (step_scale * step_scale), C = s.gamma / replica_scale;
  form.cost_scale = std::max({A, B, C});
  const auto stages = static_cast<std::size_t>(s.horizon_stages);
  form.P.assign(2 * stages, Vector(2 * stages));
  form.q.assign(2 * stages, 0);
  const Real now = instance.current_replicas, backlog = instance.backlog_requests / served;
  const auto row = [&](Real bound) -> Vector& {
    form.h.push_back(bound);
    return form.G.emplace_back(2 * stages);
  };
  for (std::size_t k = 0; k < stages; ++k) {
    const std::size_t x = k, v = stages + k;
    form.P[v][v] = 2 * A / form.cost_scale;
    form.P[x][x] += 2 * B / form.cost_scale;
    form.q[x] += C / form.cost_scale;
    if (k > 0) {
      form.P[x - 1][x - 1] += 2 * B / form.cost_scale;
      form.P[x][x - 1] -= 2 * B / form.cost_scale;
      form.P[x - 1][x] -= 2 * B / form.cost_scale;
    } else {
      form.q[x] -= 2 * B * now / form.cost_scale;
    }
    Vector& serve = row(Real(instance.forecast_rps[k]) * s.period_s / served + (k > 0 ? 0 : backlog));
    serve[v] = serve[x] = 1;
    if (k > 0) serve[v - 1] = -1;
    row(0)[v] = 1;
    Vector& rise = row(-s.max_step - (k > 0 ? 0 : now));
    rise[x] = -1;
    if (k > 0) rise[x - 1] = 1;
    Vector& fall = row(-s.max_step + (k > 0 ? 0 : now));
    fall[x] = 1;
    if (k > 0) fall[x - 1] = -1;
    row(s.min_replicas)[x] = 1;
    row(-s.max_replicas)[x] = -1;
  }
  return form;
}

/// The backlog that follows from a plan, in replicas' worth of one stage.
inline std::vector<double> backlog_of(const ReplicaQpCase& instance, std::span<const double> replicas) {
  const mpc::ReplicaQpSettings& s = instance.settings;
  const double replica_rps = s.capacity_rps * s.target_utilization;
  double v = instance.backlog_requests / (replica_rps * s.period_s);
  std::vector<double> result;
  for (std::size_t k = 0; k < replicas.size(); ++k) {
    v = std::max(0.0, v + instance.forecast_rps[k] / replica_rps - replicas[k]);
    result.push_back(v);
  }
  return result;
}

/// The lab's objective of any plan.
inline double objective_of(const ReplicaQpCase& instance, std::span<const double> replicas) {
  const mpc::ReplicaQpSettings& s = instance.settings;
  const double served = s.capacity_rps * s.target_utilization * s.period_s;
  const double reference = s.normalization_reference_replicas > 0 ? s.normalization_reference_replicas : s.max_replicas;
  const double backlog_scale = s.normalized_objective ? served * reference : 1;
  const double step_scale = s.normalized_objective ? s.max_step : 1;
  const double replica_scale = s.normalized_objective ? reference : 1;
  const std::vector<double> backlog = backlog_of(instance, replicas);
  double before = instance.current_replicas, sum = 0;
  for (std::size_t k = 0; k < replicas.size(); ++k) {
    const double b = backlog[k] * served / backlog_scale, change = (replicas[k] - before) / step_scale;
    sum += s.alpha * b * b + s.beta * change * change + s.gamma * replicas[k] / replica_scale;
    before = replicas[k];
  }
  return sum;
}

/// The largest amount by which a plan leaves a limit, in replicas.
inline double violation_of(const ReplicaQpCase& instance, std::span<const double> replicas) {
  const mpc::ReplicaQpSettings& s = instance.settings;
  double before = instance.current_replicas, worst = 0;
  for (const double x : replicas) {
    worst = std::max({worst, s.min_replicas - x, x - s.max_replicas, std::abs(x - before) - s.max_step});
    before = x;
  }
  return worst;
}

}  // namespace mpca::test
