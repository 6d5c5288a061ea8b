// Live Kubernetes as a World: the same policy object that ran in the simulators and in the lab is shown one workload of
// a cluster and takes charge of it, or only says what it would do.
//
// Without the workload's replicas there is nothing to decide on: such a period is skipped, and said. Metrics that are
// missing are shown as missing, and what to do then is the policy's business. Nothing is written over somebody else's
// change: a write is of the version that was read, and if that has moved meanwhile, it is done again only when the
// replicas are still those that the decision was made on.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "control/live_metrics.h"
#include "control/live_workload.h"
#include "core/clock.h"
#include "core/local_time.h"
#include "policy/policy.h"
#include "policy/world.h"

namespace mpca::control {

struct LiveWorldSettings {
  policy::Workload workload;  // its period is that of decisions
  Duration length{};          // of the run; zero: until it is stopped
  bool apply = false;         // false: dry run, nothing is ever written
  Duration stale_after = std::chrono::minutes(2);
  UtcOffsets offsets{};
};

/// What became of the last decision.
struct Applied {
  int replicas = 0;                // asked for after it
  std::optional<Trouble> trouble;  // why that is not what was decided
  std::string message;
};

class LiveWorld final : public policy::World {
 public:
  /// What people should know and no decision tells: a period without a decision, a write that failed.
  using OnTrouble = std::function<void(const std::string&)>;

  /// All but the settings outlive the world.
  LiveWorld(const LiveWorldSettings& settings, LiveWorkload& workload, LiveMetrics& metrics, Clock& clock,
            std::stop_token stop, OnTrouble on_trouble);

  std::optional<policy::Observation> next() override;
  /// Returns at once; the outcome is what was measured at the decision.
  policy::PeriodOutcome apply(const policy::Decision& decision) override;

  TimePoint started_at() const { return started_; }
  const Applied& applied() const { return applied_; }
  int periods_without_decision() const { return without_decision_; }
  int skipped_periods() const { return skipped_; }

 private:
  bool wait_for_next_instant();
  policy::Signal shown(const policy::Signal& read, policy::Signal& last) const;
  void write(int replicas);

  LiveWorldSettings settings_;
  LiveWorkload& workload_;
  LiveMetrics& metrics_;
  Clock& clock_;
  std::stop_token stop_;
  OnTrouble on_trouble_;

  TimePoint started_, next_instant_;
  std::optional<TimePoint> last_shown_;
  WorkloadView view_;
  policy::Observation observation_;
  struct {
    policy::Signal served, failed, in_flight, cpu;
  } last_;
  Applied applied_;
  int without_decision_ = 0, skipped_ = 0;
};

}  // namespace mpca::control
