// What a policy is put into: a simulator, the local lab, a cluster. It advances to the next control instant, shows what
// can be measured there, and takes the decision. What really happened is told only to the record, never to the policy.
#pragma once

#include <optional>

#include "core/time.h"
#include "policy/decision.h"
#include "policy/observation.h"

namespace mpca::policy {

/// What became of the requests that users sent in a period.
struct RequestOutcome {
  double arrived = 0.0;
  double late = 0.0;    // answered with success, but slower than the latency target
  double failed = 0.0;  // refused, timed out, lost with a pod
  bool operator==(const RequestOutcome&) const = default;
};

/// The truth about one period, for the record. Simulators know it all; a world of real processes fills what it
/// measured.
struct PeriodOutcome {
  TimePoint start;
  Duration length{};
  double demand_rps = 0.0;        // requests per second that users sent, mean over the period
  int spec_replicas = 0;          // asked for during the period: what is paid
  int ready_replicas = 0;         // serving during the period
  double utilization = 0.0;       // demand / (capacity x max(ready, 1)); over 1 means overload
  double backlog_requests = 0.0;  // owed beyond what capacity served, at the end of the period
  std::optional<double> latency_p95_s;
  std::optional<RequestOutcome> requests = std::nullopt;  // where single requests, or their shares, are known
  bool operator==(const PeriodOutcome&) const = default;
};

class World {
 public:
  virtual ~World() = default;

  /// Goes to the next control instant and shows it; nullopt when the run is over. Alternate with apply().
  virtual std::optional<Observation> next() = 0;

  /// Carries out the decision on the last observation, lets the period pass, and tells what happened in it.
  virtual PeriodOutcome apply(const Decision& decision) = 0;
};

}  // namespace mpca::policy
