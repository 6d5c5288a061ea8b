// What a simulator knows and no policy is shown: the accounts of a whole run.
#pragma once

#include <cstdint>

#include "core/latency_histogram.h"
#include "policy/world.h"

namespace mpca::sim {

struct Truth {
  double seconds = 0.0;                // of the run so far
  double replica_seconds = 0.0;        // paid: every pod that exists, starting and draining ones included
  double ready_replica_seconds = 0.0;  // serving
  double requests = 0.0;               // sent by users; a retry is not a new request
  double served = 0.0;                 // answered with success, late ones included
  double late = 0.0;                   // answered with success, slower than the latency target
  double refused = 0.0;                // failed at once, the queue was full or nothing was ready
  double timed_out = 0.0;              // failed because the client gave up, or its pod died
  std::int64_t pods_started = 0;       // asked for, those of the beginning not included
  std::int64_t replica_churn = 0;      // sum of absolute changes of the spec
  double unserved_work_s = 0.0;        // slack: ready slots' idle seconds
  /// Of every request; one that failed counts as the client's time-out, or a service that fails fast would look fast.
  LatencyHistogram latency;

  double failed() const { return refused + timed_out; }
  /// Late or failed, out of all; 0 before the first request.
  double violation_ratio() const { return requests > 0.0 ? (late + failed()) / requests : 0.0; }
};

/// A world that can tell.
class SimulatedWorld : public policy::World {
 public:
  virtual const Truth& truth() const = 0;
};

}  // namespace mpca::sim
