// What the Deployment and its HPA look like, once a second while an experiment goes on, by a thread of its own. What
// cannot be asked is a gap, never a zero.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "experiment/target.h"
#include "kube/client.h"
#include "lab/measured_run.h"
#include "runlog/replica_watch.h"

namespace mpca::experiment {

inline constexpr Duration kFleetSampleEvery = std::chrono::seconds(1);

struct FleetMoment {
  TimePoint at{};
  runlog::ReplicaWatchSample sample{};
};

/// One look. `hpa` empty: nobody is asked about one.
runlog::ReplicaWatchSample look_at_fleet(kube::Client& client, const Target& target, const std::string& hpa);

class FleetWatch {
 public:
  /// Begins at once. The clock outlives it and is used by its thread.
  ///   client   with `max_attempts = 1`: what fails now is asked again a second later
  FleetWatch(kube::Client client, Target target, std::string hpa, Clock& clock);
  ~FleetWatch() { finish(); }
  FleetWatch(const FleetWatch&) = delete;
  FleetWatch& operator=(const FleetWatch&) = delete;

  /// The last look.
  FleetMoment last() const;
  /// Ends it.
  std::vector<FleetMoment> finish();

 private:
  void run(const std::stop_token& stop);

  kube::Client client_;
  Target target_;
  std::string hpa_;
  Clock& clock_;
  mutable std::mutex mutex_;  // of what follows
  std::vector<FleetMoment> moments_;
  std::jthread thread_;
};

/// replica-watch.csv of the moments from `start` on.
std::string replica_watch_of(const std::vector<FleetMoment>& moments, TimePoint start);

struct FleetSamples {
  std::vector<lab::FleetSample> fleet;  // `count` of them, kFleetSampleEvery apart
  double missing_share = 0.0;  // of them, for which nothing was known: the last before, or else the first after
};
/// What was known at each second from `start` on.
///   errors   not_enough_data  nothing was ever known
Result<FleetSamples> fleet_samples(const std::vector<FleetMoment>& moments, TimePoint start, std::size_t count);

}  // namespace mpca::experiment
