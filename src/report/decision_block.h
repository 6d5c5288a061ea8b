// One decision of a run as text for a terminal: the rows of decision_account.h, laid out.
#pragma once

#include <string>

#include "policy/policy.h"
#include "report/decision_account.h"
#include "runlog/decision_log.h"

namespace mpca::report {

/// Lines of at most some 100 characters, each ended. What the explanation does not have is left out.
std::string decision_block(const runlog::DecisionRecord& record, const policy::Workload& workload);

}  // namespace mpca::report
