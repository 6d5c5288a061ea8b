// Every request and every pod: arrivals in continuous time, slots and queues, a balancer, clients that give up and try
// again, pods that start, drain and die. Nothing is averaged, so latencies have their true distribution; checked
// against queueing theory (tests/sim/queueing_theory_test.cpp) and against the lab of real processes.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "core/settings.h"
#include "policy/policy.h"
#include "sim/arrivals.h"
#include "sim/metrics_pipeline.h"
#include "sim/pods.h"
#include "sim/truth.h"

namespace mpca::sim {

struct RequestSettings {
  std::string service = "deterministic";                  // or `exponential`, `lognormal`
  Duration service_time = std::chrono::milliseconds(40);  // mean
  double service_cv = 1.0;                                // of lognormal
  int slots = 1;                                          // requests that a pod works on at the same time
  /// Where a request waits when no slot is free: `balancer` (one queue for all, FIFO) or `pod` (each its own).
  std::string queue = "balancer";
  std::string balancer = "least-outstanding";  // or `round-robin`, `random`, `two-choices`
  /// A request is refused when what waits, it included, would take the ready pods longer than this to serve.
  Duration queue_limit = std::chrono::seconds(2);
  /// Of each try, from its arrival; a waiting request leaves, a running one is served for nobody.
  Duration client_timeout = std::chrono::seconds(2);
  int retries = 0;                                           // of a failed request, at once, by the client
  Duration latency_target = std::chrono::milliseconds(250);  // slower is late
  Duration grace_period = std::chrono::seconds(30);          // a removed pod may finish what runs; then it is killed
};

SettingsTable settings_of(RequestSettings& settings);

/// One run. Control periods are `workload.period`; what a policy believes about capacity is in `workload`, the truth is
/// slots / service time. Requests that are inside when the arrivals end are followed to their end.
///   arrivals   shared; a second's requests come at uniform random times in it (constant kind: evenly spaced; recorded
///              kind: as recorded). Their seed is that of everything random in the run
std::unique_ptr<SimulatedWorld> make_request_world(const std::shared_ptr<const Arrivals>& arrivals,
                                                   const policy::Workload& workload, int initial_replicas,
                                                   const RequestSettings& requests, const PodSettings& pods,
                                                   const MetricsSettings& metrics);

}  // namespace mpca::sim
