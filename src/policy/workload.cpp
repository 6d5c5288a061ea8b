#include "core/text.h"
#include "policy/policy.h"

namespace mpca::policy {

SettingsTable settings_of(Workload& workload) {
  return {
      {"capacity", &workload.capacity_rps, "rps", Range::above(0), "requests per second that one ready replica serves"},
      {"target-utilization",
       &workload.target_utilization,
       "fraction",
       {.low = 0, .high = 1, .low_open = true},
       "share of capacity that users should not see exceeded"},
      {"min-replicas", &workload.min_replicas, "replicas", Range::between(0, 1'000'000),
       "lower bound of every decision"},
      {"max-replicas", &workload.max_replicas, "replicas", Range::between(1, 1'000'000),
       "upper bound of every decision"},
      {"period", &workload.period, "duration", Range::above(0), "time between decisions"},
  };
}

Result<void> validate(const Workload& workload) {
  Problems problems;
  Workload checked = workload;
  for (const Setting& setting : settings_of(checked)) {
    if (const auto done = setting.set(setting.text()); !done) problems.add("--" + done.error().message);
  }
  if (workload.max_replicas < workload.min_replicas) {
    problems.add(
        cat("--max-replicas is ", workload.max_replicas, "; must be >= --min-replicas, ", workload.min_replicas));
  }
  return problems.to_result();
}

}  // namespace mpca::policy
