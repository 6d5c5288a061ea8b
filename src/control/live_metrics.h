// What the live controller asks about the load of its workload, whoever answers: a Prometheus, or its own scrapes.
#pragma once

#include <string>

#include "core/time.h"
#include "policy/observation.h"

namespace mpca::control {

/// A signal is missing or stale when its source says so; the last good value is kept by who reads.
struct LiveReading {
  Duration rate_window{};
  policy::Signal served_rate_rps;
  policy::Signal failed_rate_rps;
  policy::Signal in_flight_requests;
  policy::Signal cpu_cores;
  std::string trouble;       // why something is missing, for people; empty when nothing is
  bool was_answered = true;  // false: no question was, so whether there are series is not known
};

class LiveMetrics {
 public:
  virtual ~LiveMetrics() = default;
  ///   ready_replicas   whose metrics have to be there
  virtual LiveReading read(int ready_replicas) = 0;
};

}  // namespace mpca::control
