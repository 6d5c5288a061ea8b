#include "runlog/control_log.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "core/csv.h"
#include "core/text.h"
#include "policy/lab_online/lab_online.h"
#include "trace/timestamps.h"

namespace mpca::runlog {
namespace {

using policy::Decision;
using policy::Explanation;
using policy::Observation;
using policy::Signal;

constexpr int kDecimals = 6;

std::string number(std::optional<double> value) {
  return value && std::isfinite(*value) ? fixed(*value, kDecimals) : std::string();
}

std::string flag(bool value) { return value ? "1" : "0"; }

bool fired(const Explanation& explanation, std::string_view rule) {
  return named_value(explanation, rule).value_or(0.0) != 0.0;
}

bool acted(const Explanation& explanation, std::initializer_list<std::string_view> guards) {
  return std::ranges::any_of(explanation.guards, [&](const policy::GuardStep& step) {
    return std::ranges::find(guards, step.guard) != guards.end();
  });
}

/// What the rule said before any guard.
int rule_replicas(const Decision& decision) {
  const Explanation& explanation = decision.explanation;
  if (const auto planned = named_value(explanation, "plan_replicas")) return static_cast<int>(*planned);
  return explanation.guards.empty() ? decision.replicas : explanation.guards.front().before;
}

std::string_view control_mode(const Explanation& explanation) {
  const std::string_view mode = policy::lab_online_control_mode(explanation);
  return mode.empty() ? std::string_view(explanation.rule) : mode;
}

}  // namespace

std::string control_log_header() {
  return "ts_utc,control_mode,elapsed_s,observed_rps,observed_cpu_cores,observed_inflight,rps_query_failed,"
         "cpu_query_failed,inflight_query_failed,demand_proxy_rps,backlog_state,prev_replicas,ready_replicas,"
         "desired_replicas,qp_recommended_replicas,recommended_replicas,applied_replicas,emergency_scale_up,"
         "surge_scale_up,capacity_scale_up,downscale_blocked,downscale_limited,safety_raised,solver_status\n";
}

std::string control_log_row(TimePoint start, const Observation& observation, const Decision& decision,
                            int applied_replicas) {
  const Explanation& explanation = decision.explanation;
  const int by_rule = rule_replicas(decision);
  const Signal* const signals[] = {&observation.served_rate_rps, &observation.cpu_cores,
                                   &observation.in_flight_requests};
  std::string row = cat(trace::format_rfc3339(std::chrono::floor<std::chrono::seconds>(observation.now)), ",",
                        csv_field(control_mode(explanation)), ",", fixed(to_seconds(observation.now - start), 1));
  for (const Signal* signal : signals) row += cat(",", number(signal->value_if_known()));
  for (const Signal* signal : signals) row += cat(",", flag(signal->quality != policy::Quality::fresh));
  row += cat(",", number(explanation.demand_rps), ",", number(named_value(explanation, "backlog_requests")));
  for (const int replicas : {observation.spec_replicas, observation.ready_replicas, observation.spec_replicas, by_rule,
                             decision.replicas, applied_replicas}) {
    row += cat(",", replicas);
  }
  for (const bool happened :
       {fired(explanation, "emergency"), fired(explanation, "surge"), fired(explanation, "capacity"),
        acted(explanation, {"downscale_inflight", "downscale_cooldown", "missing_in_flight"}),
        acted(explanation, {"max_downscale_step"}), decision.replicas > by_rule}) {
    row += cat(",", flag(happened));
  }
  return row + cat(",", csv_field(explanation.status), "\n");
}

}  // namespace mpca::runlog
