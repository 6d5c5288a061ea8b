#include "mpc/replica_qp.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/text.h"

namespace mpca::mpc {
namespace {

// What a stage sits on. The first three choose x freely, the others by a limit; `busy` ones leave a backlog.
enum Mode : int {
  kIdle,
  kBusy,
  kKink,  // x serves the load exactly
  kFallIdle,
  kFallBusy,
  kRiseIdle,
  kRiseBusy,
  kLowIdle,
  kLowBusy,
  kHighIdle,
  kHighBusy,
  kUnknown,
};

// Of the largest replica number: what rounding moves a decision by.
constexpr double kHair = 4e-15;

// A random-looking word per stage and mode: the exclusive or over the stages tells mode sequences apart (Zobrist). Two
// that collide only send a solve the long way.
std::uint64_t mark(int stage, int mode) {
  std::uint64_t word = static_cast<std::uint64_t>(stage) * 16 + static_cast<std::uint64_t>(mode) + 1;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9U;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebU;
  return word ^ (word >> 31);
}

}  // namespace

Result<ReplicaQp> ReplicaQp::create(const ReplicaQpSettings& settings) {
  Problems problems;
  const auto need = [&](bool good, const char* name, double value, const char* accepted) {
    if (!good) problems.add(cat(name, " is ", value, "; must be ", accepted));
  };
  const auto finite_from = [](double value, double low) { return std::isfinite(value) && value >= low; };
  need(settings.horizon_stages >= 1, "horizon_stages", settings.horizon_stages, ">= 1");
  need(finite_from(settings.alpha, 0), "alpha", settings.alpha, ">= 0");
  need(finite_from(settings.beta, 0), "beta", settings.beta, ">= 0");
  need(finite_from(settings.gamma, 0), "gamma", settings.gamma, ">= 0");
  need(finite_from(settings.capacity_rps, 0) && settings.capacity_rps > 0, "capacity_rps", settings.capacity_rps,
       "> 0");
  need(settings.target_utilization > 0 && settings.target_utilization <= 1, "target_utilization",
       settings.target_utilization, "> 0 and <= 1");
  need(settings.min_replicas >= 0, "min_replicas", settings.min_replicas, ">= 0");
  need(settings.max_replicas >= settings.min_replicas, "max_replicas", settings.max_replicas, ">= min_replicas");
  need(settings.max_step >= 1, "max_step", settings.max_step, ">= 1");
  need(finite_from(settings.period_s, 0) && settings.period_s > 0, "period_s", settings.period_s, "> 0");
  need(std::isfinite(settings.normalization_reference_replicas), "normalization_reference_replicas",
       settings.normalization_reference_replicas, "a finite number");
  MPCA_TRY_VOID(problems.to_result());
  return ReplicaQp(settings);
}

ReplicaQp::ReplicaQp(const ReplicaQpSettings& settings)
    : settings_(settings),
      stages_(static_cast<std::size_t>(settings.horizon_stages) + 1),
      replicas_(static_cast<std::size_t>(settings.horizon_stages)),
      demands_(replicas_.size()),
      interior_point_(static_cast<std::size_t>(settings.horizon_stages)) {
  replica_requests_ = settings.period_s * settings.capacity_rps * settings.target_utilization;
  if (settings.normalized_objective) {
    const double reference = settings.normalization_reference_replicas > 0 ? settings.normalization_reference_replicas
                                                                           : std::max(settings.max_replicas, 1);
    backlog_weight_ = settings.alpha / (reference * reference);
    churn_weight_ = settings.beta / (static_cast<double>(settings.max_step) * settings.max_step);
    replica_weight_ = settings.gamma / reference;
  } else {
    backlog_weight_ = settings.alpha * replica_requests_ * replica_requests_;
    churn_weight_ = settings.beta;
    replica_weight_ = settings.gamma;
  }
}

// One Riccati step per stage. A, B, C are the weights of backlog, churn and replicas; W the cost of the later stages.
void ReplicaQp::go_back(int from_stage) {
  const double A = backlog_weight_, B = churn_weight_, C = replica_weight_;
  const double rise = settings_.max_step, low = settings_.min_replicas, high = settings_.max_replicas;
  CostToGo W = stages_[static_cast<std::size_t>(from_stage) + 1].cost;
  for (int k = from_stage; k >= 0; --k) {
    Stage& stage = stages_[static_cast<std::size_t>(k)];
    const double l = stage.demand;
    const double idle_curvature = 2 * B + W.xx;
    const double g = C + W.x;
    const double a = 2 * A + W.vv;
    const double M = a - W.xv;
    const double busy_curvature = idle_curvature - W.xv + M;
    const double h = g - W.v;
    const double idle_inverse = idle_curvature > 0 ? 1 / idle_curvature : 0;
    const double busy_inverse = busy_curvature > 0 ? 1 / busy_curvature : 0;
    if (idle_curvature > 0) {
      stage.idle_by_x = 2 * B * idle_inverse;
      stage.idle = -g * idle_inverse;
    } else {  // flat or linear: stay, or go as far as something stops it
      stage.idle_by_x = g > 0 ? 0 : 1;
      stage.idle = g > 0 ? -1e300 : 0;
    }
    stage.busy_by_x = 2 * B * busy_inverse;
    stage.busy_by_load = M * busy_inverse;
    stage.busy = -h * busy_inverse;

    CostToGo V{};
    const auto after_limit = [&](double y_shift, double xx, double xv, double vv, double x, double v) {
      // The decision is x_{k-1} + y_shift.
      V = {xx, xv, vv, x + xx * y_shift, v + xv * y_shift};
    };
    switch (stage.mode) {
      case kIdle:
        V.xx = 2 * B * W.xx * idle_inverse;
        V.x = 2 * B * g * idle_inverse;
        break;
      case kBusy:
        V.xx = 2 * B * (busy_curvature - 2 * B) * busy_inverse;
        V.xv = -2 * B * M * busy_inverse;
        V.vv = (a * idle_curvature - W.xv * W.xv) * busy_inverse;
        V.x = 2 * B * h * busy_inverse;
        V.v = W.v + M * h * busy_inverse;
        break;
      case kKink:
        V = {2 * B, -2 * B, idle_curvature, 0, g};
        break;
      case kFallIdle:
        after_limit(-rise, W.xx, 0, 0, g, 0);
        break;
      case kRiseIdle:
        after_limit(rise, W.xx, 0, 0, g, 0);
        break;
      case kFallBusy:
        after_limit(-rise, W.xx - W.xv + M, -M, a, h, W.v);
        break;
      case kRiseBusy:
        after_limit(rise, W.xx - W.xv + M, -M, a, h, W.v);
        break;
      case kLowIdle:
        V.xx = 2 * B;
        V.x = -2 * B * low;
        break;
      case kHighIdle:
        V.xx = 2 * B;
        V.x = -2 * B * high;
        break;
      case kLowBusy:
        V = {2 * B, 0, a, -2 * B * low, W.v - M * low};
        break;
      default:
        V = {2 * B, 0, a, -2 * B * high, W.v - M * high};
        break;
    }
    // From load (backlog before + demand) to backlog before.
    V.x += V.xv * l;
    V.v += V.vv * l;
    stage.cost = V;
    W = V;
  }
}

// Whether `mode` is as good as the one that rounding prefers: its decision is the best within a hair of its limits.
// Without this a constraint that holds with equality and a multiplier of zero flips for ever.
bool ReplicaQp::still_holds(int mode, const Choice& choice) const {
  const double hair = kHair * largest_;
  const auto [load, idle, busy, best, least, most, fall_to, rise_to] = choice;
  const auto at_limit = [&](double limit, double other_limit, double sign, bool leaves_backlog) {
    return sign * (limit - best) >= -hair && sign * (limit - other_limit) >= -hair &&
           (leaves_backlog ? load - limit : limit - load) >= -hair;
  };
  const double low = settings_.min_replicas, high = settings_.max_replicas;
  const auto within = [&](double to) { return to >= least - hair && to <= most + hair; };
  switch (mode) {
    case kIdle:
      return idle >= load - hair && within(idle);
    case kBusy:
      return busy <= load + hair && within(busy);
    case kKink:
      return idle <= load + hair && busy >= load - hair && within(load);
    case kFallIdle:
    case kFallBusy:
      return at_limit(fall_to, low, 1, mode == kFallBusy);
    case kLowIdle:
    case kLowBusy:
      return at_limit(low, fall_to, 1, mode == kLowBusy);
    case kRiseIdle:
    case kRiseBusy:
      return at_limit(rise_to, high, -1, mode == kRiseBusy);
    default:
      return at_limit(high, rise_to, -1, mode == kHighBusy);
  }
}

int ReplicaQp::go_forward(double backlog, double replicas_now) {
  const double rise = settings_.max_step, low = settings_.min_replicas, high = settings_.max_replicas;
  double x = replicas_now, v = backlog;
  int last_changed = -1;
  for (int k = 0; k < settings_.horizon_stages; ++k) {
    Stage& stage = stages_[static_cast<std::size_t>(k)];
    const double load = v + stage.demand;
    const double idle = stage.idle_by_x * x + stage.idle;
    const double busy = stage.busy_by_x * x + stage.busy_by_load * load + stage.busy;
    const double best = std::max(idle, std::min(busy, load));
    const double fall_to = x - rise, rise_to = x + rise;
    const double least = std::max(low, fall_to), most = std::min(high, rise_to);
    const double decision = std::min(std::max(best, least), most);
    v = std::max(0.0, load - decision);
    const bool is_busy = v > 0;
    int mode;
    if (best < least)
      mode = (low >= fall_to ? kLowIdle : kFallIdle) + is_busy;
    else if (best > most)
      mode = (high <= rise_to ? kHighIdle : kRiseIdle) + is_busy;
    else
      mode = decision == load ? kKink : is_busy ? kBusy : kIdle;
    if (mode != stage.mode && !still_holds(stage.mode, {load, idle, busy, best, least, most, fall_to, rise_to})) {
      last_changed = k;
      signature_ ^= mark(k, stage.mode) ^ mark(k, mode);
      stage.mode = mode;
    }
    replicas_[static_cast<std::size_t>(k)] = decision;
    x = decision;
  }
  return last_changed;
}

double ReplicaQp::objective(double backlog, double replicas_now) const {
  double x = replicas_now, v = backlog, sum_v2 = 0, sum_dx2 = 0, sum_x = 0;
  for (std::size_t k = 0; k < replicas_.size(); ++k) {
    const double next = replicas_[k];
    v = std::max(0.0, v + stages_[k].demand - next);
    sum_v2 += v * v;
    sum_dx2 += (next - x) * (next - x);
    sum_x += next;
    x = next;
  }
  return backlog_weight_ * sum_v2 + churn_weight_ * sum_dx2 + replica_weight_ * sum_x;
}

bool ReplicaQp::solve_from_inside(double backlog, double replicas_now, int& iterations) {
  internal::Chain chain{.demand = demands_,
                        .backlog = backlog,
                        .replicas_now = replicas_now,
                        .backlog_weight = backlog_weight_ > 0 ? backlog_weight_ : 1,
                        .churn_weight = churn_weight_,
                        .replica_weight = replica_weight_,
                        .low = static_cast<double>(settings_.min_replicas),
                        .high = static_cast<double>(settings_.max_replicas),
                        .step = static_cast<double>(settings_.max_step)};
  for (std::size_t k = 0; k < replicas_.size(); ++k) demands_[k] = stages_[k].demand;
  std::span<double> replicas = replicas_;
  const double least = std::max(chain.low, replicas_now - chain.step);
  const double most = std::min(chain.high, replicas_now + chain.step);
  if (least >= most) {  // the first stage has no choice
    replicas[0] = least;
    chain.backlog = std::max(0.0, backlog + chain.demand[0] - least);
    chain.replicas_now = least;
    chain.demand = chain.demand.subspan(1);
    replicas = replicas.subspan(1);
  }
  return replicas.empty() || interior_point_.solve(chain, replicas, iterations);
}

QpSolution ReplicaQp::solve(std::span<const double> forecast_rps, double backlog_requests, int current_replicas) {
  MPCA_CHECK(forecast_rps.size() == replicas_.size(), "one forecast value per stage");
  double finite = backlog_requests;
  for (const double value : forecast_rps) finite += value;
  if (!std::isfinite(finite)) return {QpStatus::invalid_input, {}, 0, 0};
  const double now = current_replicas;
  if (now + settings_.max_step < settings_.min_replicas || now - settings_.max_step > settings_.max_replicas)
    return {QpStatus::infeasible, {}, 0, 0};

  const double to_replicas = 1 / replica_requests_;
  // Without a weight on it nothing counts the backlog: leave it out, with a demand that any plan serves.
  const bool counts_backlog = backlog_weight_ > 0;
  const double backlog = counts_backlog ? backlog_requests * to_replicas : 0;
  const double held = std::clamp<double>(now, settings_.min_replicas, settings_.max_replicas);
  double v = backlog;
  for (std::size_t k = 0; k < replicas_.size(); ++k) {
    const double demand = counts_backlog ? forecast_rps[k] * settings_.period_s * to_replicas : -1;
    stages_[k].demand = demand;
    replicas_[k] = held;
    v = std::max(0.0, v + demand - held);
    stages_[k].mode = v > 0 ? kBusy : kIdle;
  }
  stages_.back().cost = {};
  int last_changed = settings_.horizon_stages - 1;
  int iterations = 0;
  bool is_new = true;
  signature_ = 0;
  largest_ = std::max<double>(std::abs(now), settings_.max_replicas);
  while (is_new && iterations < kMaxIterations) {
    seen_[static_cast<std::size_t>(iterations)] = signature_;
    ++iterations;
    go_back(last_changed);
    last_changed = go_forward(backlog, now);
    if (last_changed < 0) return {QpStatus::optimal, replicas_, objective(backlog, now), iterations};
    is_new = std::find(seen_.begin(), seen_.begin() + iterations, signature_) == seen_.begin() + iterations;
  }
  if (!solve_from_inside(backlog, now, iterations)) return {QpStatus::not_converged, {}, 0, iterations};
  return {QpStatus::optimal, replicas_, objective(backlog, now), iterations};
}

int rounded_action(const ReplicaQpSettings& settings, double first_replicas, int current_replicas) {
  const double now = current_replicas;
  const double least = std::max<double>(settings.min_replicas, now - settings.max_step);
  const double most = std::min<double>(settings.max_replicas, now + settings.max_step);
  return static_cast<int>(std::min(std::max(std::floor(first_replicas + 0.5), least), most));
}

int greedy_action(const ReplicaQpSettings& settings, double first_forecast_rps, int current_replicas) {
  const double now = current_replicas;
  const double needed =
      std::ceil(std::max(first_forecast_rps, 0.0) / (settings.capacity_rps * settings.target_utilization));
  const double moved = std::clamp(needed, now - settings.max_step, now + settings.max_step);
  return static_cast<int>(std::clamp<double>(moved, settings.min_replicas, settings.max_replicas));
}

}  // namespace mpca::mpc
