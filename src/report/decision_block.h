// One decision of a run as text for a terminal: what was known, what was expected, who was heard, what changed it, as
// far as the policy says so.
#pragma once

#include <string>

#include "policy/policy.h"
#include "runlog/decision_log.h"

namespace mpca::report {

/// Lines of at most some 100 characters, each ended. What the explanation does not have is left out; numbers of the
/// policy that have no place of their own come last.
std::string decision_block(const runlog::DecisionRecord& record, const policy::Workload& workload);

/// What a Ready replica serves, as the policy knew it then; else as configured.
double known_capacity_rps(const policy::Explanation& explanation, const policy::Workload& workload);

}  // namespace mpca::report
