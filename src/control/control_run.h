// One workload under live control for a while: the loop of `run-one`, which is the reference lab's mpc-control-loop.
// Writes its control log row by row, so that a controller that is killed has told all it did, and, if asked, the
// lossless decision log that `replay` and `explain` read.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "control/live_world.h"
#include "core/result.h"
#include "policy/policy.h"
#include "runlog/decision_log.h"

namespace mpca::control {

struct ControlRunSettings {
  std::string control_log;   // a file that is replaced
  std::string decision_log;  // as well; empty: none
  runlog::DecisionLogHeader header;
};

struct ControlRunResult {
  int decisions = 0;
  int failed_writes = 0;
  bool was_stopped = false;
};

using OnDecision = std::function<void(const policy::Observation&, const policy::Decision&, const Applied&)>;

/// Until the world is over. In the control log the status of a decision that could not be carried out is
/// `scale_error:KIND`; the decision log keeps what the policy said.
///   errors   io  a log cannot be written: the run ends, the workload stays as it is
Result<ControlRunResult> control(LiveWorld& world, policy::Policy& policy, const ControlRunSettings& settings,
                                 const std::stop_token& stop, const OnDecision& on_decision);

}  // namespace mpca::control
