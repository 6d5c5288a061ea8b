// Records that no policy would make, to see whether a log keeps them.
#pragma once

#include <cmath>
#include <string>

#include "core/random.h"
#include "runlog/decision_log.h"

namespace mpca::test {

inline double wild_number(RandomStream& random) {
  return (random.uniform() - 0.3) * std::pow(10.0, static_cast<double>(random.below(30)) - 15.0);
}

inline policy::Signal wild_signal(RandomStream& random) {
  const Duration age(static_cast<std::int64_t>(random.below(1'000'000'000'000)));
  switch (random.below(3)) {
    case 0:
      return {};
    case 1:
      return policy::Signal::stale(wild_number(random), age);
    default:
      return policy::Signal::fresh(wild_number(random), age);
  }
}

inline runlog::DecisionRecord wild_record(std::uint32_t index) {
  RandomStream random(5, "records", index);
  runlog::DecisionRecord record;
  policy::Observation& observation = record.observation;
  if (random.uniform() < 0.3)
    observation.utc_offset = std::chrono::minutes(15) * static_cast<int>(random.below(100)) - std::chrono::hours(12);
  if (random.uniform() < 0.3) observation.rate_window = std::chrono::seconds(random.below(600));
  observation.now = TimePoint(Duration(static_cast<std::int64_t>(random.bits() >> 2)));
  observation.spec_replicas = static_cast<int>(random.below(100));
  observation.ready_replicas = static_cast<int>(random.below(100));
  for (std::uint64_t i = random.below(4); i > 0; --i)
    observation.starting_pod_ages.emplace_back(static_cast<std::int64_t>(random.below(1'000'000)));
  observation.served_rate_rps = wild_signal(random);
  observation.failed_rate_rps = wild_signal(random);
  observation.in_flight_requests = wild_signal(random);
  observation.cpu_cores = wild_signal(random);
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    policy::PodObservation& pod = observation.pods.emplace_back();
    pod.id = static_cast<std::int64_t>(random.bits() >> 1);
    pod.started = TimePoint(Duration(static_cast<std::int64_t>(random.bits() >> 2)));
    pod.is_ready = random.below(2) == 0;
    pod.ready_changed = TimePoint(Duration(static_cast<std::int64_t>(random.bits() >> 2)));
    pod.is_terminating = random.below(2) == 0;
    pod.cpu_cores = wild_signal(random);
    if (pod.cpu_cores.quality != policy::Quality::missing)
      pod.cpu_window = Duration(static_cast<std::int64_t>(random.bits() >> 2));
  }
  record.decision.replicas = static_cast<int>(random.below(100));
  policy::Explanation& explanation = record.decision.explanation;
  explanation.rule = random.below(2) == 0 ? "a rule" : "another \\ \"rule\"\t\x01";
  explanation.demand_source = random.below(2) == 0 ? "" : "somewhere";
  explanation.status = random.below(2) == 0 ? "optimal" : "";
  if (random.below(2) == 0) explanation.demand_rps = wild_number(random);
  if (random.below(2) == 0) explanation.recommendation = wild_number(random);
  for (std::uint64_t i = random.below(3); i > 0; --i)
    explanation.forecast.push_back({std::chrono::seconds(i), 0.95, wild_number(random)});
  for (std::uint64_t i = random.below(3); i > 0; --i)
    explanation.values.push_back({"value_" + std::to_string(i), wild_number(random)});
  for (std::uint64_t i = random.below(3); i > 0; --i)
    explanation.candidates.push_back({"candidate \"" + std::to_string(i) + "\"", random.uniform(), wild_number(random),
                                      wild_number(random), random.uniform()});
  if (random.below(2) == 0) explanation.band = {static_cast<int>(random.below(9)), static_cast<int>(random.below(99))};
  for (std::uint64_t i = random.below(3); i > 0; --i) explanation.guards.push_back({"guard", 3, static_cast<int>(i)});
  return record;
}

}  // namespace mpca::test
