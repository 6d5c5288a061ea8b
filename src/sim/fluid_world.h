// The fast world that does not flatter: a second at a time, requests as a fluid. Arrivals are random, pods become Ready
// late or never, capacity is hard, the queue is bounded, and the controller sees scraped metrics only. A year of a
// service costs minutes, so sweeps and studies live here; what a single request meets is the request-level world's.
//
// Waiting below saturation: M/D/c at the second's mean rate (sim/waiting_times.h), on top of what the backlog makes
// everybody wait. c is bounded, since a balancer does not pool a whole fleet into one queue.
#pragma once

#include <memory>

#include "policy/policy.h"
#include "sim/arrivals.h"
#include "sim/metrics_pipeline.h"
#include "sim/pods.h"
#include "sim/truth.h"
#include "sim/waiting_times.h"

namespace mpca::sim {

struct FluidSettings {
  Duration service_time = std::chrono::milliseconds(40);  // deterministic
  int slots = 1;                                          // of a pod; its capacity is slots / service time
  int pooled_slots = 4;                                   // waiting is that of min(slots of ready pods, this) servers
  Duration queue_limit = std::chrono::seconds(2);         // refused when what waits takes longer than this to serve
  Duration client_timeout = std::chrono::seconds(2);
  Duration latency_target = std::chrono::milliseconds(250);  // waiting + service above it is late
};

SettingsTable settings_of(FluidSettings& settings);

/// The waiting times that runs with these settings share.
std::shared_ptr<const WaitingTimes> make_waiting_times(const FluidSettings& settings);

/// One run over `arrivals`.
///   workload   what policies believe and are bound by; its period is a whole number of seconds (checked)
///   waiting    made from the same settings
std::unique_ptr<SimulatedWorld> make_fluid_world(std::shared_ptr<const Arrivals> arrivals,
                                                 const policy::Workload& workload, int initial_replicas,
                                                 const FluidSettings& fluid,
                                                 std::shared_ptr<const WaitingTimes> waiting, const PodSettings& pods,
                                                 const MetricsSettings& metrics);

}  // namespace mpca::sim
