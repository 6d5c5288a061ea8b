#include "mpc/internal/interior_point.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace mpca::mpc::internal {
namespace {

// Rows of a stage, all as "row >= 0".
enum Row { kServe, kBacklog, kFall, kRise, kLow, kHigh, kRows };

constexpr int kMaxApproach = 60;
constexpr int kMaxUpdates = 100;  // of z in one polish, most of them with an old factor
constexpr int kMaxNewton = 20;    // factorisations in one polish
constexpr int kFreeSteps = 6;     // of Newton before the line search: many rows can change at once
constexpr int kMaxFixed = 30;     // updates of the multipliers with one factor
constexpr double kSigns = 1e-10;  // what may stand on the wrong side of zero, relative
constexpr double kRounding = 2e-15;
constexpr double kExact = 1e-11;  // relative residuals of a polished answer

// Complementarity at which the active constraints are tried: mostly the first has told them apart already.
constexpr double kTargets[] = {1e-8, 1e-10, 1e-12};
constexpr double kResidual = 1e-9;  // what rounding leaves of the residuals, relative

// Over the largest curvature: the multipliers then settle in a few updates. A smaller one where the large one cycles.
constexpr double kPenalties[] = {1e4, 1e2};

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

// How the rows move with a step of the variables.
void InteriorPoint::row_steps(std::span<const double> step, std::span<double> out) const {
  double x_before = 0, v_before = 0;
  for (std::size_t k = 0; k < chain_.demand.size(); ++k) {
    const double x = step[2 * k], v = step[2 * k + 1];
    double* row = &out[kRows * k];
    row[kServe] = v - v_before + x;
    row[kBacklog] = v;
    row[kFall] = x - x_before;
    row[kRise] = x_before - x;
    row[kLow] = x;
    row[kHigh] = -x;
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
    const double residual_target = std::max(target, kResidual) * (1 + largest(multiplier_));
    if (mu <= target && primal <= kResidual * size_ && largest(residual_) <= residual_target) return true;
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
      row_steps(step_z_, step_slack_);
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
        const double share = mu_after / mu;
        centre = mu * share * share * share;
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

// Newton on the augmented Lagrangian from z_ and multiplier_; each time its set of active rows repeats with a gradient
// of zero, the multipliers take the step.
bool InteriorPoint::polish(double penalty, int max_factorisations) {
  const std::size_t rows = slack_.size();
  const int last = factorisations_ + max_factorisations;
  // Rows are differences of numbers of this size; the penalty magnifies their rounding, in the multipliers only.
  const double rounding = kRounding * magnitude_ * penalty;
  bool has_factor = false;
  int steps = 0;  // since the multipliers moved
  for (int iteration = 0; iteration < kMaxUpdates; ++iteration) {
    slacks(row_);
    double infeasible = 0;
    bool same_set = has_factor;
    for (std::size_t i = 0; i < rows; ++i) {
      const double estimate = multiplier_[i] - penalty * row_[i];
      const double weight = estimate > 0 ? penalty : 0;
      same_set = same_set && weight == row_weight_[i];
      row_weight_[i] = weight;
      step_multiplier_[i] = std::max(0.0, estimate);
      infeasible = std::max(infeasible, std::abs(std::min(row_[i], multiplier_[i] / penalty)));
    }
    gradient(residual_);
    add_rows(step_multiplier_, -1, residual_);
    const double stationary = largest(residual_);
    if (!std::isfinite(stationary)) return false;
    if (stationary <= kExact * (1 + largest(step_multiplier_)) + rounding) {
      if (infeasible <= kExact * size_) return true;
      std::copy(step_multiplier_.begin(), step_multiplier_.end(), multiplier_.begin());
      steps = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        const double estimate = multiplier_[i] - penalty * row_[i];
        const double weight = estimate > 0 ? penalty : 0;
        same_set = same_set && weight == row_weight_[i];
        row_weight_[i] = weight;
        step_multiplier_[i] = std::max(0.0, estimate);
      }
      gradient(residual_);
      add_rows(step_multiplier_, -1, residual_);
    }
    if (!same_set) {
      if (factorisations_ == last) return false;
      factorise(row_weight_);
    }
    has_factor = true;
    for (std::size_t i = 0; i < z_.size(); ++i) step_z_[i] = -residual_[i];
    back_substitute(step_z_);
    const double length = ++steps > kFreeSteps ? line_search(penalty) : 1;
    for (std::size_t i = 0; i < z_.size(); ++i) z_[i] += length * step_z_[i];
  }
  return false;
}

// Rows whose multiplier exceeds their slack are equations, the others are not there; true when the answer agrees.
bool InteriorPoint::fix_active(double penalty) {
  const std::size_t rows = slack_.size();
  for (std::size_t i = 0; i < rows; ++i) {
    const bool active = multiplier_[i] > slack_[i];
    row_weight_[i] = active ? penalty : 0;
    if (!active) multiplier_[i] = 0;
  }
  factorise(row_weight_);
  for (int update = 0; update < kMaxFixed; ++update) {
    slacks(row_);
    for (std::size_t i = 0; i < rows; ++i) step_multiplier_[i] = multiplier_[i] - row_weight_[i] * row_[i];
    gradient(step_z_);
    add_rows(step_multiplier_, -1, step_z_);
    for (double& step : step_z_) step = -step;
    back_substitute(step_z_);
    for (std::size_t i = 0; i < z_.size(); ++i) z_[i] += step_z_[i];
    slacks(row_);
    double off = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      multiplier_[i] -= row_weight_[i] * row_[i];
      if (row_weight_[i] > 0) off = std::max(off, std::abs(row_[i]));
    }
    if (!std::isfinite(off)) return false;
    if (off <= kExact * size_) break;
  }
  gradient(residual_);
  add_rows(multiplier_, -1, residual_);
  const double size = 1 + largest(multiplier_);
  double primal = 0, dual = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    primal = std::max(primal, row_weight_[i] > 0 ? std::abs(row_[i]) : -row_[i]);
    dual = std::max(dual, -multiplier_[i]);
  }
  return primal <= kSigns * size_ && dual <= kSigns * size &&
         largest(residual_) <= kSigns * size + kRounding * magnitude_ * penalty;
}

// The minimum of the augmented Lagrangian along step_z_ (convex, its slope piecewise linear), at most 1.
double InteriorPoint::line_search(double penalty) {
  row_steps(step_z_, step_slack_);
  double slope0 = 0, curvature = 0, before = 0;
  gradient(residual_);
  for (std::size_t k = 0; k < chain_.demand.size(); ++k) {
    const double x = step_z_[2 * k], v = step_z_[2 * k + 1];
    slope0 += residual_[2 * k] * x + residual_[2 * k + 1] * v;
    curvature += 2 * a_ * v * v + 2 * b_ * (x - before) * (x - before);
    before = x;
  }
  const auto slope = [&](double length) {
    double result = slope0 + length * curvature;
    for (std::size_t i = 0; i < slack_.size(); ++i)
      result -= step_slack_[i] * std::max(0.0, multiplier_[i] - penalty * (row_[i] + length * step_slack_[i]));
    return result;
  };
  // Past the minimum rather than short of it: where a new row bends the slope, stopping short would never meet that
  // row.
  const double start = slope(0);
  double low = 0, high = 1, low_slope = start, high_slope = slope(1);
  for (int i = 0; i < 30 && high_slope > -0.5 * start && high - low > 1e-9 * high; ++i) {
    // Secant, kept away from the ends so that both of them move.
    const double share = std::clamp(low_slope / (low_slope - high_slope), 0.05, 0.95);
    const double middle = low + share * (high - low);
    const double at = slope(middle);
    (at < 0 ? low : high) = middle;
    (at < 0 ? low_slope : high_slope) = at;
  }
  return high;
}

// The multipliers that the plan in z_ would have if it were optimal: going back, a stage at a limit takes what is
// missing.
void InteriorPoint::guess_multipliers() {
  const std::size_t stages = chain_.demand.size();
  const double tie = 1e-9 * size_;
  slacks(row_);
  std::fill(multiplier_.begin(), multiplier_.end(), 0.0);
  double serve_after = 0, move_after = 0, x_after = z_[2 * stages - 2];
  for (std::size_t k = stages; k-- > 0;) {
    const double x = z_[2 * k], v = z_[2 * k + 1], x_before = k > 0 ? z_[2 * k - 2] : chain_.replicas_now;
    const double* slack = &row_[kRows * k];
    double* row = &multiplier_[kRows * k];
    const double without_serve = 2 * b_ * (x - x_before) - 2 * b_ * (x_after - x) + c_ + move_after;
    if (v > tie)
      row[kServe] = 2 * a_ * v + serve_after;
    else if (slack[kServe] <= tie)
      row[kServe] = std::clamp(without_serve, 0.0, serve_after);
    row[kBacklog] = std::max(0.0, serve_after - row[kServe] + 2 * a_ * v);
    const double missing = without_serve - row[kServe];
    if (missing > 0) {
      if (slack[kLow] <= tie)
        row[kLow] = missing;
      else if (slack[kFall] <= tie)
        row[kFall] = missing;
    } else {
      if (slack[kHigh] <= tie)
        row[kHigh] = -missing;
      else if (slack[kRise] <= tie)
        row[kRise] = -missing;
    }
    serve_after = row[kServe];
    move_after = row[kFall] - row[kRise];
    x_after = x;
  }
}

// Replicas held where they are, and slacks and multipliers well inside.
void InteriorPoint::start_inside() {
  const double hold = std::clamp(chain_.replicas_now, chain_.low, chain_.high);
  double v = chain_.backlog;
  for (std::size_t k = 0; k < chain_.demand.size(); ++k) {
    v = std::max(0.0, v + chain_.demand[k] - hold);
    z_[2 * k] = hold;
    z_[2 * k + 1] = v;
  }
  slacks(slack_);
  for (double& slack : slack_) slack = std::max(slack, 1.0);
  std::fill(multiplier_.begin(), multiplier_.end(), 1.0);
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

  double v = chain.backlog, most_backlog = 0;
  for (std::size_t k = 0; k < stages; ++k) {
    v = std::max(0.0, v + chain.demand[k] - replicas[k]);
    most_backlog = std::max(most_backlog, v);
    z_[2 * k] = replicas[k];
    z_[2 * k + 1] = v;
  }
  // A gradient of about one, whatever the units of the weights.
  const double scale = std::max(
      {chain.backlog_weight, chain.churn_weight, chain.replica_weight, 0.1 * chain.backlog_weight * most_backlog});
  a_ = chain.backlog_weight / scale;
  b_ = chain.churn_weight / scale;
  c_ = chain.replica_weight / scale;
  size_ = std::max({1.0, std::abs(chain.high), std::abs(chain.replicas_now)});
  magnitude_ = std::max(size_, most_backlog);
  factorisations_ = 0;
  guess_multipliers();
  bool done = polish(kPenalties[0] * std::max(a_, b_), kMaxNewton);
  if (!done) {
    start_inside();
    for (const double target : kTargets) {
      if (!approach(target)) break;
      std::copy(z_.begin(), z_.end(), near_z_.begin());
      std::copy(multiplier_.begin(), multiplier_.end(), near_multiplier_.begin());
      const auto back_to_barrier = [&] {
        std::copy(near_z_.begin(), near_z_.end(), z_.begin());
        std::copy(near_multiplier_.begin(), near_multiplier_.end(), multiplier_.begin());
      };
      done = fix_active(kPenalties[0] * std::max(a_, b_));
      if (!done) back_to_barrier();
      for (std::size_t i = 0; i < std::size(kPenalties) && !done; ++i) {
        done = polish(kPenalties[i] * std::max(a_, b_), kMaxNewton);
        if (!done) back_to_barrier();
      }
      // The last target is as exact as a barrier gets: taken as it is.
      done = done || target == kTargets[std::size(kTargets) - 1];
      if (done) break;
    }
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
