#include "sim/dated_world.h"

namespace mpca::sim {

std::optional<policy::Observation> DatedWorld::next() {
  auto observation = world_.next();
  if (!observation) return observation;
  observation->now += clock_.ahead;
  observation->utc_offset = clock_.offsets.at(observation->now);
  for (policy::PodObservation& pod : observation->pods) {
    pod.started += clock_.ahead;
    pod.ready_changed += clock_.ahead;
  }
  return observation;
}

policy::PeriodOutcome DatedWorld::apply(const policy::Decision& decision) {
  policy::PeriodOutcome outcome = world_.apply(decision);
  outcome.start += clock_.ahead;
  return outcome;
}

}  // namespace mpca::sim
