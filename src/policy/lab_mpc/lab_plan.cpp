#include "policy/lab_mpc/lab_plan.h"

#include <algorithm>
#include <functional>

#include "forecast/exponential_smoothing.h"
#include "forecast/hold.h"
#include "forecast/holt.h"

namespace mpca::policy {
namespace {

constexpr std::size_t kLabRealisticSmoothedSamples = 3;

mpc::ReplicaQpSettings qp_settings(const LabPlanSettings& settings, const Workload& workload) {
  return {.horizon_stages = settings.horizon_stages,
          .alpha = settings.alpha,
          .beta = settings.beta,
          .gamma = settings.gamma,
          .capacity_rps = workload.capacity_rps,
          .target_utilization = workload.target_utilization,
          .min_replicas = workload.min_replicas,
          .max_replicas = workload.max_replicas,
          .max_step = settings.max_step,
          .period_s = to_seconds(workload.period),
          .normalized_objective = settings.normalized_objective,
          .normalization_reference_replicas = settings.normalization_reference_replicas};
}

}  // namespace

SettingsTable plan_rows(LabPlanSettings& settings) {
  return {
      {"alpha", &settings.alpha, "", Range::at_least(0), "weight of the squared backlog"},
      {"beta", &settings.beta, "", Range::at_least(0), "weight of squared replica changes"},
      {"gamma", &settings.gamma, "", Range::at_least(0), "price of a replica"},
      {"horizon", &settings.horizon_stages, "stages", Range::between(1, 512), "how many periods the plan looks ahead"},
      {"max-step", &settings.max_step, "replicas", Range::at_least(1), "largest change in one period"},
      {"normalized-objective", &settings.normalized_objective, "scale the terms of the objective to comparable size"},
  };
}

LabPlan::LabPlan(const LabPlanSettings& settings, const Workload& workload, mpc::ReplicaQp qp)
    : settings_(settings),
      workload_(workload),
      qp_(std::move(qp)),
      forecast_(static_cast<std::size_t>(settings.horizon_stages)) {
  history_.reserve(static_cast<std::size_t>(settings.history_window) + 1);
}

Result<LabPlan> LabPlan::create(const LabPlanSettings& settings, const Workload& workload) {
  MPCA_TRY(mpc::ReplicaQp qp, mpc::ReplicaQp::create(qp_settings(settings, workload)));
  return LabPlan(settings, workload, std::move(qp));
}

double LabPlan::observe(const Observation& observation, double served_rps, Explanation& explanation) {
  const double demand = demand_proxy(observation, served_rps, explanation);
  explanation.demand_rps = demand;
  const Duration elapsed = history_.empty() ? workload_.period : observation.now - last_time_;
  last_time_ = observation.now;
  const double capacity_rps = workload_.capacity_rps * workload_.target_utilization * observation.ready_replicas;
  backlog_requests_ = std::max(0.0, backlog_requests_ + to_seconds(elapsed) * (demand - capacity_rps));
  explanation.values.push_back({"backlog_requests", backlog_requests_});
  if (history_.size() == static_cast<std::size_t>(settings_.history_window)) history_.erase(history_.begin());
  history_.push_back(demand);
  return demand;
}

int LabPlan::action(int current_replicas, Explanation& explanation) {
  fill_forecast();
  explain_forecast(explanation);
  const mpc::QpSolution solution = qp_.solve(forecast_, backlog_requests_, current_replicas);
  if (solution.status == mpc::QpStatus::optimal) {
    explanation.status = "optimal";
    explanation.recommendation = solution.replicas[0];
    return mpc::rounded_action(qp_.settings(), solution.replicas[0], current_replicas);
  }
  explanation.status = "greedy";
  const int replicas = greedy_action(forecast_[0], current_replicas);
  explanation.recommendation = replicas;
  return replicas;
}

int LabPlan::greedy_action(double demand_rps, int current_replicas) const {
  return mpc::greedy_action(qp_.settings(), demand_rps, current_replicas);
}

double LabPlan::demand_proxy(const Observation& observation, double served_rps, Explanation& explanation) const {
  double demand = served_rps;
  explanation.demand_source = "served rate";
  const auto in_flight = observation.in_flight_requests.value_if_known();
  if (settings_.demand_mode != "served" && in_flight) {
    const double waiting = settings_.in_flight_gain * *in_flight;
    if (settings_.demand_mode == "served_plus_inflight") {
      demand += waiting;
      explanation.demand_source = "served rate + gain x in flight";
    } else {
      demand = std::max(demand, waiting);
      explanation.demand_source = "greater of served rate and gain x in flight";
    }
  }
  if (settings_.demand_cap_rps > 0.0) demand = std::min(demand, settings_.demand_cap_rps);
  return std::max(demand, 0.0);
}

void LabPlan::fill_forecast() {
  if (settings_.forecast == "hw") {
    forecast::holt_damped_forecast(history_, settings_.smoothing, forecast_);
    return;
  }
  double level = 0.0;
  if (settings_.forecast == "es") {
    level = forecast::smoothed_level(history_, settings_.smoothing);
  } else if (settings_.forecast == "es-or-last") {
    level = forecast::smoothed_level_or_last(history_, settings_.smoothing);
  } else if (settings_.forecast == "lab-realistic" && history_.size() > 1 &&
             history_.size() <= kLabRealisticSmoothedSamples) {
    // With two or three samples the lab smooths from the newest to the oldest, as its results show.
    level = history_.back();
    for (auto older = history_.rbegin() + 1; older != history_.rend(); ++older) {
      level = settings_.smoothing * level + (1.0 - settings_.smoothing) * *older;
    }
    level = std::max({level, history_.back(), 0.0});
  } else {
    level = std::max(forecast::held_value(history_), 0.0);
  }
  std::fill(forecast_.begin(), forecast_.end(), level);
}

/// Stage k covers [now + k period, now + (k + 1) period). A flat forecast is told by its two ends.
void LabPlan::explain_forecast(Explanation& explanation) const {
  const bool is_flat = std::adjacent_find(forecast_.begin(), forecast_.end(), std::not_equal_to<>()) == forecast_.end();
  for (std::size_t k = 0; k < forecast_.size(); ++k) {
    if (is_flat && k > 0 && k + 1 < forecast_.size()) continue;
    explanation.forecast.push_back({workload_.period * static_cast<int>(k), 0.5, forecast_[k]});
  }
}

void LabPlan::save(StateWriter& writer) const {
  writer.put("backlog_requests", backlog_requests_);
  writer.put("history_rps", history_);
  writer.put("last_time", last_time_);
}

Result<void> LabPlan::load(const StateReader& reader) {
  MPCA_TRY(const double backlog, reader.number("backlog_requests"));
  MPCA_TRY(const std::vector<double> history, reader.numbers("history_rps"));
  MPCA_TRY(const TimePoint last_time, reader.time("last_time"));
  if (history.size() > static_cast<std::size_t>(settings_.history_window))
    return invalid("the state's history_rps is longer than history-window");
  backlog_requests_ = backlog;
  history_.assign(history.begin(), history.end());
  last_time_ = last_time;
  return {};
}

}  // namespace mpca::policy
