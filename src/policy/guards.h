// Small steps that policies share: each changes a recommendation and, if it did, says so in the explanation.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "policy/decision.h"
#include "policy/policy.h"

namespace mpca::policy {

/// Replaces `replicas` by `after`, noting `guard` when that is a change.
inline void change_to(int after, std::string_view guard, int& replicas, Explanation& explanation) {
  if (after == replicas) return;
  explanation.guards.push_back({std::string(guard), replicas, after});
  replicas = after;
}

inline void clamp_to_bounds(const Workload& workload, int& replicas, Explanation& explanation) {
  change_to(std::clamp(replicas, workload.min_replicas, workload.max_replicas), "bounds", replicas, explanation);
}

/// The served rate. When it is missing, notes that the policy holds: missing is not zero.
std::optional<double> served_rate_or_hold(const Observation& observation, Explanation& explanation);

/// ceil(x) as replicas; what does not fit an int is a bound's business, not undefined behaviour.
int ceil_replicas(double replicas);

}  // namespace mpca::policy
