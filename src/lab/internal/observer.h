// Watches a run from aside: samples the fleet, tells the metrics source which pods there are, causes the chaos that was
// asked for, and notes whether the machine kept up. A thread of its own.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "lab/balancer.h"
#include "lab/experiment.h"
#include "lab/experiment_clock.h"
#include "lab/lab_world.h"
#include "lab/metrics_source.h"
#include "lab/pod_fleet.h"

namespace mpca::lab::internal {

class Observer {
 public:
  struct Parts {
    ExperimentClock& clock;
    PodFleet& fleet;
    Balancer& balancer;
    MetricsSource& metrics;
    LabWorld& world;
  };

  /// Samples `count` times, every `sample` of experiment time from the clock's start on. All parts must outlive it.
  Observer(const Parts& parts, Duration sample, std::size_t count, std::vector<ChaosEvent> chaos);
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// Ends it. As many samples as were due; what was sampled late is what was seen then.
  std::vector<FleetSample> finish();
  /// Mean and share of windows of a real second with all cores busy. Call after finish().
  double mean_busy() const { return mean_busy_; }
  double saturated_share() const { return windows_ == 0 ? 0.0 : static_cast<double>(saturated_) / windows_; }

 private:
  void run();
  void cause(const ChaosEvent& event);

  Parts parts_;
  Duration sample_;
  std::size_t count_;
  std::vector<ChaosEvent> chaos_;  // by time
  std::size_t next_chaos_ = 0;
  std::vector<FleetSample> samples_;
  std::vector<ScrapeTarget> targets_;
  double mean_busy_ = 0.0;
  int windows_ = 0;
  int saturated_ = 0;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;
};

/// The names of what Observer can cause.
std::vector<std::string_view> known_chaos();

/// The pods that a scrape finds: those that are not terminating.
std::vector<ScrapeTarget> scrape_targets(const FleetView& fleet);

}  // namespace mpca::lab::internal
