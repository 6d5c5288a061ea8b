// Asks a policy again what a log says it was asked. The same policy must give the same decisions, bit for bit; another
// one tells what it would have done on the same observations (which its own decisions would have changed: a first look,
// no simulation).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/result.h"
#include "runlog/decision_log.h"

namespace mpca::runlog {

struct ReplayDifference {
  std::int64_t step = 0;  // counts from 0
  DecisionRecord recorded;
  policy::Decision replayed;
};

struct ReplayResult {
  DecisionLogHeader header;
  std::int64_t decisions = 0;
  std::int64_t different_replicas = 0;
  std::int64_t different_explanations = 0;  // same replicas, another reason
};

/// Replays `path` through `other_policy`, or the log's own policy when empty.
///
///   on_difference  for each decision that is not equal in every bit, in order
///   errors         those of read_decision_log and create_policy
Result<ReplayResult> replay(const std::string& path, const std::string& other_policy,
                            const std::function<void(const ReplayDifference&)>& on_difference);

}  // namespace mpca::runlog
