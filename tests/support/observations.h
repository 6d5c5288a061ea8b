// Observations for tests, a line each.
#pragma once

#include "policy/observation.h"

namespace mpca::test {

/// `replicas` all ready, a fresh served rate, nothing else shown.
inline policy::Observation observed(int second, int replicas, double served_rps) {
  policy::Observation observation;
  observation.now = TimePoint(std::chrono::seconds(second));
  observation.spec_replicas = replicas;
  observation.ready_replicas = replicas;
  observation.served_rate_rps = policy::Signal::fresh(served_rps);
  return observation;
}

}  // namespace mpca::test
