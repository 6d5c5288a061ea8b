// From the counters of pods and balancer to what a controller is shown: scraped now and then, late by a random delay,
// with scrapes that fail and counters that start again at zero. The only way from a simulator's truth into an
// Observation.
//
// A rate is the increase between scrapes over the time between them, as Prometheus' rate() without its extrapolation: a
// pod counts from the second time it was seen, a counter that fell is taken to have started again at zero.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/settings.h"
#include "policy/observation.h"

namespace mpca::sim {

struct MetricsSettings {
  Duration scrape_interval = std::chrono::seconds(15);
  std::string scrape_phase = "drawn";               // of the first scrape after the start; or a duration
  Duration rate_window = std::chrono::seconds(15);  // intervals that end within it count, the last one always
  Duration least_delay = std::chrono::seconds(1);   // from a scrape until it is visible, uniform between the two
  Duration greatest_delay = std::chrono::seconds(5);
  double loss = 0.0;           // share of scrapes of a pod, or of the balancer, that fail
  bool shows_failures = true;  // failed requests are counted somewhere
};

SettingsTable settings_of(MetricsSettings& settings);

/// An older sample is stale: two intervals and the greatest delay.
Duration fresh_for(const MetricsSettings& settings);

/// The phase that `text` asks for, nullopt for `drawn`.
///   errors   invalid_argument  neither
Result<std::optional<Duration>> parse_scrape_phase(std::string_view text);

/// Cumulative since the pod's (re)start.
struct PodCounters {
  std::int64_t id = 0;
  double served = 0.0;
  double cpu_seconds = 0.0;
};

/// The balancer's; cumulative since the start of the run but for in_flight, which is a gauge.
struct BalancerCounters {
  double failed = 0.0;
  double in_flight = 0.0;
};

class MetricsPipeline {
 public:
  MetricsPipeline(const MetricsSettings& settings, std::uint64_t seed, TimePoint start);

  TimePoint next_scrape() const { return next_scrape_; }
  /// What is there at next_scrape(); `pods` by id. Goes on to the next one.
  void scrape(std::span<const PodCounters> pods, const BalancerCounters& balancer);

  /// Writes the signals of the newest scrape that is visible at `observation.now`, and each pod's CPU into
  /// `observation.pods` (which is by id). A signal is stale when it is older than two scrape intervals and the greatest
  /// delay; one that was never seen is missing.
  void show(policy::Observation& observation);

 private:
  struct Series {
    std::int64_t id;
    TimePoint time;
    PodCounters last;
  };
  struct PodCpu {
    std::int64_t id;
    double cores;
    Duration window;
  };
  struct Sample {
    TimePoint time;
    TimePoint visible;
    bool has_pods = false;
    bool has_balancer = false;
    bool has_failed_rate = false;
    double served_rps = 0.0;
    double cpu_cores = 0.0;
    double failed_rps = 0.0;
    double in_flight = 0.0;
    std::vector<PodCpu> pods;  // by id
  };
  struct Interval {
    TimePoint end;
    double length_s;
    double served;
    double cpu_seconds;
  };
  struct FailedCounter {
    TimePoint time;
    double failed;
  };

  bool is_lost();

  MetricsSettings settings_;
  RandomStream delays_;
  RandomStream losses_;
  TimePoint next_scrape_;
  TimePoint last_scrape_;
  bool has_scraped_ = false;
  std::vector<Series> series_;  // by id: the pods of the last scrape
  std::vector<Series> seen_;    // memory of scrape()
  std::deque<Interval> intervals_;
  std::deque<FailedCounter> failed_counters_;
  std::deque<Sample> samples_;                        // not yet visible
  policy::Signal served_, failed_, in_flight_, cpu_;  // of the newest visible scrape that had them; age unused
  TimePoint served_time_, failed_time_, in_flight_time_, shown_pods_time_;
  std::vector<PodCpu> shown_pods_;
  std::vector<std::vector<PodCpu>> spare_;  // memory of scrapes that were shown
};

}  // namespace mpca::sim
