// Where the lab's controller gets its numbers: our own scrapes of the pods' /metrics, or a real Prometheus that scrapes
// them. Both answer the same questions over the same window, so a policy cannot tell them apart. Times are real.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca::lab {

struct MetricsSettings {
  Duration scrape_interval = std::chrono::seconds(15);
  Duration rate_window = std::chrono::minutes(1);
  int concurrency = 2;  // of a pod: its CPU is its busy slots by this
};

/// The answers; what has none is nullopt, never zero.
struct Reading {
  std::optional<double> served_rate_rps;
  std::optional<double> failed_rate_rps;
  std::optional<double> in_flight_requests;  // with a pod, waiting ones included
  std::optional<double> waiting_requests;    // of those, not worked on yet
  std::optional<double> cpu_cores;
  std::optional<Duration> age;  // of the newest sample behind them
};

/// A pod to scrape.
struct ScrapeTarget {
  int id = 0;
  int port = 0;
  bool operator==(const ScrapeTarget&) const = default;
};

class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  /// What to scrape from now on.
  virtual void set_targets(const std::vector<ScrapeTarget>& targets) = 0;
  /// Waits until targets have been scraped; false when that took longer than `limit`.
  virtual bool wait_for_first_scrape(Duration limit) = 0;
  /// As of now.
  virtual Reading read() = 0;
  /// Scrapes fail from now on (`true`), or work again.
  virtual void set_failing(bool failing) = 0;
};

std::unique_ptr<MetricsSource> scrape_directly(const MetricsSettings& settings);

/// Starts Debian's `prometheus` on 127.0.0.1 with its data in `directory`. It notices new targets within 5 s, as it
/// does those of Kubernetes, and that does not get faster in a fast experiment.
///   errors   not_found  no such program; io  it did not become ready (the end of its log is in the message)
Result<std::unique_ptr<MetricsSource>> scrape_with_prometheus(const MetricsSettings& settings,
                                                              const std::string& directory);

}  // namespace mpca::lab
