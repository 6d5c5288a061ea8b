// Asks a policy again what a log says it was asked. The same policy must give the same decisions, bit for bit; another
// one tells what it would have done on the same observations (which its own decisions would have changed: a first look,
// no simulation).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "runlog/decision_log.h"
#include "runlog/log_source.h"

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
  std::int64_t not_asked = 0;               // of the decisions: the policy's memory before them is not known
  std::vector<std::string> findings;        // of a recording: torn ends, damage
};

/// Replays a log through `other_policy`, or through its own policy when that is empty. Own policies begin with the
/// memories that a recording has of them; another one goes on from the first such memory when it can read it.
///
///   on_difference  for each decision that is not equal in every bit, in order
///   errors         those of read_log and create_policy
Result<ReplayResult> replay(const LogSource& source, const std::string& other_policy,
                            const std::function<void(const ReplayDifference&)>& on_difference);

}  // namespace mpca::runlog
