// What the reference lab's MPC is made of wherever the lab runs it (two simulators, the online controller): a demand
// proxy, the backlog that it leaves, a flat or trending forecast, and the plan whose first replica count is taken. What
// differs from place to place are the safety rules around it, and they are the policies'.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/state_text.h"
#include "mpc/replica_qp.h"
#include "policy/policy.h"

namespace mpca::policy {

struct LabPlanSettings {
  double alpha = 15.0;
  double beta = 4.0;
  double gamma = 0.08;
  int horizon_stages = 8;
  int max_step = 2;
  bool normalized_objective = true;
  double normalization_reference_replicas = 12.0;

  std::string forecast = "es";  // es, hw, hold, es-or-last, lab-realistic
  double smoothing = 0.35;
  int history_window = 60;

  std::string demand_mode = "served";  // served, served_plus_inflight, max_served_inflight
  double in_flight_gain = 4.0;
  double demand_cap_rps = 0.0;  // 0: no cap
};

/// The rows of the weights, the horizon, the step and the scaling, under the names that all lab policies share.
SettingsTable plan_rows(LabPlanSettings& settings);

class LabPlan {
 public:
  ///   errors   invalid_argument  a setting outside its range
  static Result<LabPlan> create(const LabPlanSettings& settings, const Workload& workload);

  /// Takes in one observation and returns its demand proxy, never negative. Without a known in-flight it is the served
  /// rate alone. Backlog b <- max(0, b + elapsed (demand - mu rho* ready)); the first observation knows no elapsed time
  /// and takes the period. Explains demand and backlog (`backlog_requests`).
  double observe(const Observation& observation, double served_rps, Explanation& explanation);

  /// The plan's action from what was observed; the greedy rule when there is no plan (status `greedy`). Explains
  /// forecast, recommendation and status.
  int action(int current_replicas, Explanation& explanation);

  /// The greedy rule for a demand: ceil(demand / (mu rho*)), moved at most max_step, the bounds last.
  int greedy_action(double demand_rps, int current_replicas) const;

  void save(StateWriter& writer) const;
  ///   errors   invalid_argument  a line that is missing or malformed; the plan is then as it was
  Result<void> load(const StateReader& reader);

 private:
  LabPlan(const LabPlanSettings& settings, const Workload& workload, mpc::ReplicaQp qp);
  double demand_proxy(const Observation& observation, double served_rps, Explanation& explanation) const;
  void fill_forecast();
  void explain_forecast(Explanation& explanation) const;

  LabPlanSettings settings_;
  Workload workload_;
  mpc::ReplicaQp qp_;
  std::vector<double> forecast_;
  std::vector<double> history_;  // demand proxies, oldest first
  double backlog_requests_ = 0.0;
  TimePoint last_time_;
};

}  // namespace mpca::policy
