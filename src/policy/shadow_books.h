// The books of a policy that only watches, beside whoever is in charge of a workload: what both have asked for, and how
// much demand both have been late for. From them come the status of a shadowed workload, its metrics and its report.
//
// After each observation the time since the one before is booked. In charge: what was asked for then, and the Ready
// pods of both ends. Ours: what we decided then and before, carried out in thought and Ready after the readiness lag
// that the policy has learned. Demand is the estimate that the new decision rests on, capacity what the policy has
// learned, the same for both; late is demand beyond Ready pods x capacity.
//
// What this is not. Our decisions are not carried out, so the demand in an overload of the other is an estimate (its
// failures and its queue would not have been ours), and where it was not known how much was refused, both are booked
// too little. Queues are not simulated: what is late is so while pods are missing, not while the queue is worked off.
// Our rule sees the other's replicas and keeps what lies within its dead band or its hold times; in charge it would see
// its own. And a mean over a period hides what is shorter.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"
#include "policy/decision.h"
#include "policy/observation.h"
#include "policy/policy.h"
#include "policy/shadow_fleet.h"

namespace mpca::policy {

/// Until the policy says something of its own.
struct ShadowPrior {
  Duration readiness_lag = std::chrono::seconds(30);
};

struct ShadowFigures {
  TimePoint since;     // the first observation
  TimePoint until;     // the last one
  Duration booked{};   // of that time: gaps longer than four periods are booked for these
  Duration unknown{};  // of what is booked: replicas, but no demand was known
  double replica_hours = 0.0, would_be_replica_hours = 0.0;
  double demand_requests = 0.0;
  double late_requests = 0.0, would_be_late_requests = 0.0;

  double late_share() const { return demand_requests > 0.0 ? late_requests / demand_requests : 0.0; }
  double would_be_late_share() const { return demand_requests > 0.0 ? would_be_late_requests / demand_requests : 0.0; }
};

/// What was booked by one observation.
struct ShadowEntry {
  TimePoint from;
  Duration length{};
  std::optional<double> demand_rps;
  double capacity_rps = 0.0;                                   // of a Ready pod
  int replicas = 0, would_be_replicas = 0;                     // asked for
  double ready_replicas = 0.0, would_be_ready_replicas = 0.0;  // means
  double late_rps = 0.0, would_be_late_rps = 0.0;              // means
};

class ShadowBooks {
 public:
  explicit ShadowBooks(const Workload& workload, const ShadowPrior& prior = {});

  /// Once per decision, with times that rise (others are ignored). The would-be fleet begins as the real one is.
  ///   returns  what was booked; nullopt of the first one
  ///   cost     O(decisions within a readiness lag), no allocation but for a fleet that grows
  std::optional<ShadowEntry> observe(const Observation& observation, const Decision& decision);

  const ShadowFigures& figures() const { return figures_; }
  /// What there would be now.
  const ShadowFleet& fleet() const { return fleet_; }

  std::string save_state() const;
  ///   errors   invalid_argument  not a state of these books; they are then as they were
  Result<void> load_state(std::string_view state);

 private:
  void book_would_be(TimePoint to, Duration readiness_lag, ShadowEntry& entry);

  Workload workload_;
  ShadowPrior prior_;
  ShadowFigures figures_;
  ShadowFleet fleet_;
  int spec_replicas_ = 0, ready_replicas_ = 0;  // at the last observation
};

}  // namespace mpca::policy
