// Live Kubernetes as a World: the same policy object that ran in the simulators and in the lab is shown one workload of
// a cluster and takes charge of it, or only says what it would do.
//
// Without the workload's replicas there is nothing to decide on: such a period is skipped, and said.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "control/live_step.h"
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

  LiveWorldSettings settings_;
  LiveWorkload& workload_;
  LiveMetrics& metrics_;
  Clock& clock_;
  std::stop_token stop_;
  OnTrouble on_trouble_;

  TimePoint started_, next_instant_;
  LiveStep step_;
  policy::Observation observation_;
  Applied applied_;
  int without_decision_ = 0, skipped_ = 0;
};

}  // namespace mpca::control
