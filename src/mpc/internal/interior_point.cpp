#include "mpc/internal/interior_point.h"

#include <algorithm>
#include <cmath>

namespace mpca::mpc::internal {
namespace {

// Rows of a stage, all as "row >= 0".
enum Row { kServe, kBacklog, kFall, kRise, kLow, kHigh, kRows };

constexpr int kMaxApproach = 60;
constexpr int kMaxNewton = 40;
constexpr double kNear = 1e-8;    // where the active constraints have shown themselves
constexpr double kTight = 1e-13;  // when the polish fails, the barrier alone
constexpr double kExact = 1e-11;  // relative residuals of a polished answer
// Over the largest curvature: the multipliers then settle in a few updates. A smaller one where the large one cycles.
constexpr double kPenalties[] = {1e4, 1e3, 1e2};

double largest(std::span<const double> values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

}  // namespace

InteriorPoint::InteriorPoint(std::size_t stages) : memory_(stages * (7 * 2 + 7 * kRows)) {}

void InteriorPoint::gradient(std::span<double> out) const {
  const std::size_t stages = chain_.demand.size();
  double before = chain_.replicas_now;
  for (std::size_t k = 0; k < stages; ++k) {
    const double churn = 2 * b_ * (z_[2 * k] - before);
    out[2 * k] = churn + c_;
    out[2 * k + 1] = 2 * a_ * z_[2 * k + 1];
    if (k > 0) out[2 * k - 2] -= churn;
    before = z_[2 * k];
  }
}

void InteriorPoint::slacks(std::span<double> out) const {
  double x_before = chain_.replicas_now, v_before = chain_.backlog;
  for (std::size_t k = 0; k < chain_.demand.size(); ++k) {
    const double x = z_[2 * k], v = z_[2 * k + 1];
    double* row = &out[kRows * k];
    row[kServe] = v - v_before + x - chain_.demand[k];
    row[kBacklog] = v;
    row[kFall] = x - x_before + chain_.step;
    row[kRise] = x_before + chain_.step - x;
    row[kLow] = x - chain_.low;
    row[kHigh] = chain_.high - x;
    x_before = x;
    v_before = v;
  }
}

// out += sign · (rows' coefficients)ᵀ weights.
void InteriorPoint::add_rows(std::span<const double> weights, double sign, std::span<double> out) const {
  for (std::size_t k = 0; k < chain_.demand.size(); ++k) {
    const double* row = &weights[kRows * k];
    const double serve = sign * row[kServe], move = sign * (row[kFall] - row[kRise]);
    out[2 * k] += serve + move + sign * (row[kLow] - row[kHigh]);
    out[2 * k + 1] += serve + sign * row[kBacklog];
    if (k > 0) {
      out[2 * k - 2] -= move;
      out[2 * k - 1] -= serve;
    }
  }
}

// LDLᵀ of the cost's matrix plus each row's outer product times its weight.
void InteriorPoint::factorise(std::span<const double> row_weights) {
  ++factorisations_;
  const std::size_t stages = chain_.demand.size(), n = 2 * stages;
  for (std::size_t k = 0; k < stages; ++k) {
    const double* row = &row_weights[kRows * k];
    const double serve = row[kServe], move = 2 * b_ + row[kFall] + row[kRise];
    diagonal_[2 * k] = move + serve + row[kLow] + row[kHigh];
    diagonal_[2 * k + 1] = 2 * a_ + serve + row[kBacklog];
    lower1_[2 * k] = serve;  // x_k and v_k
    lower1_[2 * k + 1] = lower2_[2 * k] = lower2_[2 * k + 1] = 0;
    if (k > 0) {
      diagonal_[2 * k - 2] += move;
      diagonal_[2 * k - 1] += serve;
      lower1_[2 * k - 1] = -serve;  // v_{k-1} and x_k
      lower2_[2 * k - 2] = -move;
      lower2_[2 * k - 1] = -serve;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    // A pivot that rounding has eaten belongs to a direction nothing decides: keep it where it is.
    if (!(diagonal_[i] > 1e-300)) diagonal_[i] = 1e300;
    const double inverse = 1 / diagonal_[i];
    const double l1 = i + 1 < n ? lower1_[i] * inverse : 0, l2 = i + 2 < n ? lower2_[i] * inverse : 0;
    if (i + 1 < n) diagonal_[i + 1] -= l1 * lower1_[i];
    if (i + 2 < n) {
      diagonal_[i + 2] -= l2 * lower2_[i];
      lower1_[i + 1] -= l2 * lower1_[i];
    }
    lower1_[i] = l1;
    lower2_[i] = l2;
    diagonal_[i] = inverse;
  }
}

void InteriorPoint::back_substitute(std::span<double> in_out) const {
  const std::size_t n = in_out.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) in_out[i] -= lower1_[i - 1] * in_out[i - 1];
    if (i > 1) in_out[i] -= lower2_[i - 2] * in_out[i - 2];
  }
  for (std::size_t i = n; i-- > 0;) {
    in_out[i] *= diagonal_[i];
    if (i + 1 < n) in_out[i] -= lower1_[i] * in_out[i + 1];
    if (i + 2 < n) in_out[i] -= lower2_[i] * in_out[i + 2];
  }
}

// Predictor and corrector until complementarity and residuals are below `target`.
bool InteriorPoint::approach(double target) {
  const std::size_t rows = slack_.size();
  for (int iteration = 0; iteration < kMaxApproach; ++iteration) {
    gradient(residual_);
    add_rows(multiplier_, -1, residual_);
    slacks(row_);
    double mu = 0, primal = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      mu += slack_[i] * multiplier_[i];
      row_[i] -= slack_[i];  // primal residual
      primal = std::max(primal, std::abs(row_[i]));
    }
    mu /= static_cast<double>(rows);
    if (!std::isfinite(mu)) return false;
    if (mu <= target && primal <= target * size_ && largest(residual_) <= target) return true;
    for (std::size_t i = 0; i < rows; ++i) row_weight_[i] = multiplier_[i] / slack_[i];
    factorise(row_weight_);

    double centre = 0;
    for (const bool corrects : {false, true}) {
      for (std::size_t i = 0; i < rows; ++i) {
        const double second_order = corrects ? step_slack_[i] * step_multiplier_[i] : 0;
        step_multiplier_[i] = (centre - second_order) / slack_[i] - multiplier_[i] - row_weight_[i] * row_[i];
      }
      for (std::size_t i = 0; i < residual_.size(); ++i) step_z_[i] = -residual_[i];
      add_rows(step_multiplier_, 1, step_z_);
      back_substitute(step_z_);
      // step_slack = rows(step_z) + row residual, without the constants.
      double x_before = 0, v_before = 0;
      for (std::size_t k = 0; k < chain_.demand.size(); ++k) {
        const double x = step_z_[2 * k], v = step_z_[2 * k + 1];
        double* out = &step_slack_[kRows * k];
        out[kServe] = v - v_before + x;
        out[kBacklog] = v;
        out[kFall] = x - x_before;
        out[kRise] = x_before - x;
        out[kLow] = x;
        out[kHigh] = -x;
        x_before = x;
        v_before = v;
      }
      double primal_step = 1, dual_step = 1;
      for (std::size_t i = 0; i < rows; ++i) {
        step_multiplier_[i] -= row_weight_[i] * step_slack_[i];
        step_slack_[i] += row_[i];
        if (step_slack_[i] < 0) primal_step = std::min(primal_step, -slack_[i] / step_slack_[i]);
        if (step_multiplier_[i] < 0) dual_step = std::min(dual_step, -multiplier_[i] / step_multiplier_[i]);
      }
      if (!corrects) {
        double mu_after = 0;
        const double both = std::min(primal_step, dual_step);
        for (std::size_t i = 0; i < rows; ++i)
          mu_after += (slack_[i] + both * step_slack_[i]) * (multiplier_[i] + both * step_multiplier_[i]);
        mu_after /= static_cast<double>(rows);
        centre = mu * std::pow(mu_after / mu, 3);
      } else {
        // One length for both: with a quadratic cost unequal ones would spoil the dual residual.
        const double length = std::min(1.0, 0.99 * std::min(primal_step, dual_step));
        for (std::size_t i = 0; i < rows; ++i) {
          slack_[i] += length * step_slack_[i];
          multiplier_[i] += length * step_multiplier_[i];
        }
        for (std::size_t i = 0; i < z_.size(); ++i) z_[i] += length * step_z_[i];
      }
    }
  }
  return false;
}

// Augmented Lagrangian from z_ and multiplier_.
bool InteriorPoint::polish(double penalty) {
  const std::size_t rows = slack_.size();
  bool factor_is_current = false;
  for (int iteration = 0; iteration < kMaxNewton; ++iteration) {
    slacks(row_);
    double infeasible = 0;
    bool same = factor_is_current;
    for (std::size_t i = 0; i < rows; ++i) {
      const double estimate = multiplier_[i] - penalty * row_[i];
      const double weight = estimate > 0 ? penalty : 0;
      same = same && weight == row_weight_[i];
      row_weight_[i] = weight;
      step_multiplier_[i] = std::max(0.0, estimate);
      infeasible = std::max(infeasible, weight > 0 ? std::abs(row_[i]) : 0.0);
    }
    gradient(residual_);
    add_rows(step_multiplier_, -1, residual_);
    const double stationary = largest(residual_);
    const double dual_size = 1 + largest(step_multiplier_);
    if (!std::isfinite(stationary)) return false;
    if (stationary <= kExact * dual_size) {
      if (infeasible <= kExact * size_) return true;
      std::copy(step_multiplier_.begin(), step_multiplier_.end(), multiplier_.begin());
      // The new multipliers make the same point non-stationary: go on with the same factor.
      for (std::size_t i = 0; i < rows; ++i) step_multiplier_[i] = std::max(0.0, multiplier_[i] - penalty * row_[i]);
      gradient(residual_);
      add_rows(step_multiplier_, -1, residual_);
    }
    if (!same) factorise(row_weight_);
    factor_is_current = true;
    for (std::size_t i = 0; i < z_.size(); ++i) step_z_[i] = -residual_[i];
    back_substitute(step_z_);
    for (std::size_t i = 0; i < z_.size(); ++i) z_[i] += step_z_[i];
  }
  return false;
}

bool InteriorPoint::solve(const Chain& chain, std::span<double> replicas, int& iterations) {
  chain_ = chain;
  const std::size_t stages = chain.demand.size();
  std::span<double> rest(memory_);
  const auto take = [&](std::size_t count) {
    const auto taken = rest.first(count);
    rest = rest.subspan(count);
    return taken;
  };
  for (auto* part : {&z_, &step_z_, &residual_, &diagonal_, &lower1_, &lower2_, &near_z_}) *part = take(2 * stages);
  for (auto* part : {&slack_, &multiplier_, &row_weight_, &step_slack_, &step_multiplier_, &row_, &near_multiplier_})
    *part = take(kRows * stages);

  const double hold = std::clamp(chain.replicas_now, chain.low, chain.high);
  double v = chain.backlog, most_backlog = 0;
  for (std::size_t k = 0; k < stages; ++k) {
    v = std::max(0.0, v + chain.demand[k] - hold);
    most_backlog = std::max(most_backlog, v);
    z_[2 * k] = hold;
    z_[2 * k + 1] = v;
  }
  // A gradient of about one, whatever the units of the weights.
  const double scale = std::max(
      {chain.backlog_weight, chain.churn_weight, chain.replica_weight, 0.1 * chain.backlog_weight * most_backlog});
  a_ = chain.backlog_weight / scale;
  b_ = chain.churn_weight / scale;
  c_ = chain.replica_weight / scale;
  size_ = std::max({1.0, std::abs(chain.high), std::abs(chain.replicas_now)});
  slacks(slack_);
  for (double& slack : slack_) slack = std::max(slack, 1.0);
  std::fill(multiplier_.begin(), multiplier_.end(), 1.0);

  factorisations_ = 0;
  bool done = false;
  if (approach(kNear)) {
    std::copy(z_.begin(), z_.end(), near_z_.begin());
    std::copy(multiplier_.begin(), multiplier_.end(), near_multiplier_.begin());
    const auto go_back = [&] {
      std::copy(near_z_.begin(), near_z_.end(), z_.begin());
      std::copy(near_multiplier_.begin(), near_multiplier_.end(), multiplier_.begin());
    };
    for (const double penalty : kPenalties) {
      done = polish(penalty * std::max(a_, b_));
      if (done) break;
      go_back();
    }
    if (!done) done = approach(kTight);
  }
  iterations += factorisations_;
  if (!done) return false;

  // What rounding left outside a limit goes back onto it.
  double x = chain.replicas_now;
  for (std::size_t k = 0; k < stages; ++k) {
    x = std::clamp(z_[2 * k], std::max(chain.low, x - chain.step), std::min(chain.high, x + chain.step));
    replicas[k] = x;
  }
  return true;
}

}  // namespace mpca::mpc::internal
