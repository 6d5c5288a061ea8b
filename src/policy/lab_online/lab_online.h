// The control step of the reference lab's online controller: what it decides every period from what it measured, its
// safety rules in their order included. Names and defaults are those of the lab's flags; what belongs to the loop
// around (addresses, intervals, retries) is not here, capacity, target utilization and bounds are the Workload's.
//
// A rule proposes, by `control-mode`:
//   qp                 the plan (lab_plan.h); without one the greedy rule
//   no_qp_reactive     ceil(demand / (capacity x target)), moved at most max-step, the bounds last
//   proxy_hpa_safety   the same on a moving average (EMA) of the demand; down only to the greatest that the last
//                      proxy-downscale-stabilization-seconds asked for (before max-step, as an HPA remembers it)
// Then, each seeing what the one before left, with `desired` = the replicas asked for now:
//   emergency    in flight >= threshold: at least desired + step, or the maximum (emergency-mode)
//   surge        served rate rose by >= threshold since the last decision: at least desired + step
//   capacity     served rate > 0 and >= fraction x ready x capacity x target: at least desired + step; off when the
//                fraction is > 1 or <= 0
//   downscale_inflight, downscale_cooldown    no scale-down while in flight > threshold (< 0: off), or for the
//   cool-down
//                after this policy raised replicas
//   max_downscale_step    at most that many fewer (0: off)
//   pods_starting         never below desired while desired > ready
// Raises end at the maximum. The last four may keep a count that lies above it; it comes down by their pace.
//
// Missing data. A signal that is stale counts with its last good value; the control log flags it. Without any value of
// the served rate the policy holds (status `hold: the served rate is missing`). In flight that was never seen counts in
// no rule, and where demand or downscale_inflight would need it, replicas do not go down (guard `missing_in_flight`;
// the status ends in `(in flight is missing)`). The lab reads both as 0; a missing metric is not a zero load.
//
// In the explanation: values `backlog_requests`, `plan_replicas` (the rule's proposal in any mode), `emergency`,
// `surge` and `capacity` (1 when the rule fired, also at the maximum where nothing is left to raise); guards under the
// names above. That is all that mpc-control-log.csv shows.
#pragma once

#include <span>
#include <string_view>

#include "policy/lab_mpc/lab_plan.h"
#include "policy/policy.h"

namespace mpca::policy {

std::vector<SettingInfo> lab_online_settings();
///   errors   invalid_argument  as every policy, and a workload with less than one replica as minimum
Result<std::unique_ptr<Policy>> create_lab_online(std::string_view settings, const Workload& workload,
                                                  std::string_view where);

/// `qp`, `no_qp_reactive` or `proxy_hpa_safety`, of a decision of this policy; else empty.
std::string_view lab_online_control_mode(const Explanation& explanation);

/// What the lab's runner gives its controller in one of its scenarios.
struct LabOnlinePreset {
  std::string_view scenario;
  std::string_view settings;  // of this policy: `alpha=2.5,…`
  Duration metric_rate_window;
  Duration period;
  int min_replicas;
  int max_replicas;
};

/// step, spike, seasonality.
std::span<const LabOnlinePreset> lab_online_presets();
/// nullptr when the lab has no such scenario.
const LabOnlinePreset* lab_online_preset(std::string_view scenario);

inline constexpr PolicyKind kLabOnlineKind{
    .name = "lab-online",
    .sentence = "the control step of the reference lab's online controller: its MPC and safety rules",
    .settings = lab_online_settings,
    .create = create_lab_online};

}  // namespace mpca::policy
