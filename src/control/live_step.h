// One period of one live workload: what is there becomes an Observation, a decision becomes a write or none. Who waits
// for the next period, and what else is done in it, is the caller's: LiveWorld for one workload, Session for one of
// many.
//
// Metrics that are missing are shown as missing, and what to do then is the policy's business. Nothing is written over
// somebody else's change: a write is of the version that was read, and if that has moved meanwhile, it is done again
// only when the replicas are still those that the decision was made on.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "control/live_metrics.h"
#include "control/live_workload.h"
#include "core/clock.h"
#include "core/local_time.h"

namespace mpca::control {

/// What became of a decision.
struct Applied {
  int replicas = 0;                // asked for after it
  std::optional<Trouble> trouble;  // why that is not what was decided
  std::string message;
};

class LiveStep {
 public:
  ///   stale_after   an older value is stale, whatever its source says
  ///   offsets       of the workload's people from UTC
  LiveStep(Duration stale_after, UtcOffsets offsets) : stale_after_(stale_after), offsets_(std::move(offsets)) {}

  /// The times of two observations differ, whatever the clock does.
  ///   errors   as LiveWorkload::read(): without the workload's replicas there is nothing to decide on
  LiveResult<policy::Observation> observe(LiveWorkload& workload, LiveMetrics& metrics, const Clock& clock);
  /// Why metrics of the last observation are missing, for people.
  const std::string& metrics_trouble() const { return metrics_trouble_; }
  /// Behind the last observation.
  const WorkloadView& view() const { return view_; }

  /// Writes what was decided on the last observation, if it is another number.
  ///   may_write   asked right before each try
  Applied carry_out(int replicas, LiveWorkload& workload, const Clock& clock,
                    const std::function<bool()>& may_write) const;

 private:
  policy::Signal shown(const policy::Signal& read, policy::Signal& last) const;

  Duration stale_after_;
  UtcOffsets offsets_;
  WorkloadView view_;
  std::string metrics_trouble_;
  std::optional<TimePoint> last_shown_;
  struct {
    policy::Signal served, failed, in_flight, cpu;
  } last_;
};

}  // namespace mpca::control
