// The lab as a World: at each control instant it shows a policy what it would see in a cluster (scraped metrics with
// their age, pods ready and starting), and carries out its decision on real processes. Control instants lie on a grid
// of experiment time; when one was missed, whole periods are skipped, never bunched up.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>

#include "core/latency_histogram.h"
#include "core/local_time.h"
#include "lab/balancer.h"
#include "lab/experiment_clock.h"
#include "lab/metrics_source.h"
#include "lab/pod_fleet.h"
#include "load/load_run.h"
#include "policy/policy.h"
#include "policy/world.h"

namespace mpca::lab {

/// What the load generator saw since it was asked last. The engine's thread adds, the world takes.
class LoadMeter {
 public:
  struct Sum {
    std::uint64_t due = 0;
    LatencyHistogram latency;  // of requests that ended
  };
  void add(const load::LiveInterval& interval);
  Sum take();
  /// Requests that ended without a good answer, from the start on.
  std::uint64_t failed() const;

 private:
  mutable std::mutex mutex_;  // guards both
  Sum sum_;
  std::uint64_t failed_ = 0;
};

struct LabWorldSettings {
  policy::Workload workload;
  Duration length{};           // of the experiment
  Duration scrape_interval{};  // experiment time: what is older than this and a half is stale
  Duration rate_window{};      // experiment time
  int concurrency = 2;
  UtcOffsets offsets{};  // of the workload's local time
};

class LabWorld final : public policy::World {
 public:
  /// All must outlive the world.
  LabWorld(const LabWorldSettings& settings, ExperimentClock& clock, PodFleet& fleet, MetricsSource& metrics,
           const Balancer& balancer, LoadMeter& meter, std::stop_token stop);

  std::optional<policy::Observation> next() override;
  policy::PeriodOutcome apply(const policy::Decision& decision) override;

  /// Stale metrics from now on (`true`): what is shown stays what it was, and grows old.
  void set_metrics_frozen(bool frozen) { is_frozen_ = frozen; }
  int skipped_periods() const { return skipped_periods_; }

 private:
  std::optional<double> in_flight_in_life(const Reading& reading) const;
  policy::Signal signal(std::optional<double> value, policy::Signal& last, Duration age) const;

  LabWorldSettings settings_;
  ExperimentClock& clock_;
  PodFleet& fleet_;
  MetricsSource& metrics_;
  const Balancer& balancer_;
  LoadMeter& meter_;
  std::stop_token stop_;
  std::atomic<bool> is_frozen_ = false;
  int skipped_periods_ = 0;
  TimePoint next_instant_;
  std::optional<TimePoint> last_shown_;
  struct Last {
    policy::Signal served, failed, in_flight, cpu;
  } last_;
};

}  // namespace mpca::lab
