// Reads the pods' own /metrics, for numbers that are one or two seconds old instead of the thirty to sixty of a
// Prometheus between. Pods that are due are asked at the same time, kMostAtOnce of them, those first that have been due
// longest; each has its time limit. A workload's pods are due at different parts of the interval. Those that did not
// answer last time are asked by a thread of their own, so that one that hangs keeps nobody waiting.
//
// Memory: each of the two threads holds kMostAtOnce pages of max_page_bytes at most (128 MiB together as it is set) and
// what it reads of one of them at a time, however many pods there are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/time.h"
#include "prom/pod_window.h"

namespace mpca::prom {

/// Pods that one thread asks at the same time.
constexpr std::size_t kMostAtOnce = 32;

struct ScrapeTarget {
  std::int64_t id = 0;    // of this pod for its whole life
  std::string address{};  // `10.0.0.7:8080`, `[fd00::7]:8080`
  bool operator==(const ScrapeTarget&) const = default;
};

struct ScrapedWorkload {
  MetricNames names{};
  std::string path = "/metrics";
  Duration rate_window = std::chrono::seconds(15);
  std::vector<ScrapeTarget> targets{};
  /// When nobody has set or read it for so long, it ends by itself: what is scraped on for nobody is an address that
  /// may be somebody else's pod by now. Zero: only when it is removed.
  Duration forget_after{};
};

struct ScraperSettings {
  Duration interval = std::chrono::seconds(1);        // between scrapes of a pod; > 0
  Duration time_limit = std::chrono::seconds(1);      // of one scrape
  int slots = 4;                                      // parts of the interval that pods are spread over; 1: all at once
  std::size_t max_page_bytes = std::size_t{2} << 20;  // a pod with a larger one did not answer
};

/// Safe for any number of threads.
class Scraper {
 public:
  /// Scrapes from here on until destroyed, in two threads.
  explicit Scraper(const ScraperSettings& settings);
  ~Scraper();

  /// What is scraped of this workload from now on; new pods at once. Pods that stay keep their samples, also under
  /// another address; a workload whose names or window change begins anew.
  void set_workload(const std::string& key, const ScrapedWorkload& workload);
  void remove_workload(const std::string& key);

  /// As of now; of an unknown workload, nothing of no pods.
  WorkloadReading read(const std::string& key);
  /// Waits until a pod of it answers; false when that takes longer than `limit`.
  bool wait_until_answering(const std::string& key, Duration limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::prom
