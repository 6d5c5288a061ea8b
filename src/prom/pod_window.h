// What the pods of one workload said of themselves over the last window: counters as rates with Prometheus' own rule,
// gauges as they are now. A counter of many series is followed series by series (series_total.h), so one that
// disappears is no leap of the rate. A pod that does not answer has no gauge and its rate stays what it was at its last
// answer, as old as that is; nothing is taken for zero because it was not seen. Pods that have gone still count for the
// part of the window that they served in, as in PromQL's sum(rate()).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/time.h"
#include "prom/exposition.h"
#include "prom/rate.h"
#include "prom/series_total.h"

namespace mpca::prom {

/// Which samples of a page mean what; an empty name is a figure that the workload does not have. The gauges of a name
/// are summed, of counters the increases. A histogram's `…_count` is a counter as good as any.
struct MetricNames {
  std::string requests = "toy_http_requests_total";
  std::vector<std::pair<std::string, std::string>> request_labels = {{"path", "/work"}};  // that a sample has to have
  /// Served are those whose status begins so; the others have failed. Without a label, all requests are served.
  std::string status_label = "code";
  std::vector<std::string> served_statuses = {"2", "3"};
  std::string failures{};  // a counter of its own, for requests without status
  std::string in_flight = "toy_in_flight_requests";
  std::string waiting{};  // of those in flight, not worked on yet
  std::string cpu_seconds = "process_cpu_seconds_total";
};

/// One page. nullopt: no such sample, or only ones that are NaN, infinite or, of a counter, below 0; or a counter with
/// more than kMostSeries series.
struct PageFigures {
  using Counter = std::vector<SeriesValue>;  // by rising `series`, none twice; empty: there is none of that kind yet
  std::optional<Counter> served{};
  std::optional<Counter> failed{};
  std::optional<Counter> cpu_s{};
  std::optional<double> in_flight{};
  std::optional<double> waiting{};
};

/// With the labels of `names`. Where requests are told apart by status and there is one of either kind, there is none
/// of the other yet. Of a label set that stands there twice, the first counts, as in Prometheus.
PageFigures figures_of(const MetricNames& names, std::span<const Sample> page);

/// A figure of one pod, or the sum over those that have one.
struct Measured {
  double value = 0.0;
  Duration age{};         // of the newest sample behind it
  Duration oldest_age{};  // of the newest sample of the pod that was silent longest; of a pod: the same
  int pods = 0;           // n >= 1 that it is the sum of, without those that have gone
};

struct PodReading {
  std::int64_t id = 0;
  bool is_answering = false;  // its last scrape
  std::optional<Measured> served_rate_rps{};
  std::optional<Measured> failed_rate_rps{};
  std::optional<Measured> cpu_cores{};
  std::optional<Measured> in_flight{};
  std::optional<Measured> waiting{};
};

struct WorkloadReading {
  int pods = 0;                   // that are to be scraped
  int answering = 0;              // of those, the ones whose last scrape succeeded
  std::optional<Duration> age{};  // of the newest answer of any pod
  std::optional<Measured> served_rate_rps{};
  std::optional<Measured> failed_rate_rps{};
  std::optional<Measured> cpu_cores{};
  std::optional<Measured> in_flight{};
  std::optional<Measured> waiting{};
  std::vector<PodReading> by_pod{};  // of `pods`, by id
};

/// Not thread safe.
class PodWindow {
 public:
  /// Samples are kept for `rate_window`, so many at most as one every `interval` are (and 3 more). When they come
  /// faster, the newest takes the place of the one before: the window stays whole. Of each counter of a pod, at most
  /// kMostSeries series besides.
  PodWindow(Duration rate_window, Duration interval);

  /// The pods there are now.
  void set_pods(std::span<const std::int64_t> ids);
  /// A scrape that began at `at`, later than the pod's scrape before. Of a pod that is not there any more: nothing.
  void answered(std::int64_t id, TimePoint at, const PageFigures& figures);
  void missed(std::int64_t id);
  /// As of `now`, not before the last scrape. A counter that a pod has not shown yet counts from 0, but only when some
  /// pod has shown it: else it may just be called otherwise.
  WorkloadReading read(TimePoint now);

  std::size_t kept_samples() const;
  std::size_t kept_series() const;

 private:
  enum Counter { kServed, kFailed, kCpu, kCounters };
  struct Pod {
    explicit Pod(Duration window) : totals{SeriesTotal(window), SeriesTotal(window), SeriesTotal(window)} {}
    SeriesTotal totals[kCounters];
    std::vector<CounterSample> counters[kCounters];  // what the totals were
    bool has_shown[kCounters] = {};
    std::optional<double> in_flight{};
    std::optional<double> waiting{};
    std::optional<TimePoint> last_answer;
    bool is_answering = false;
    bool is_gone = false;
  };
  void keep(std::vector<CounterSample>& samples, CounterSample sample) const;
  void forget(TimePoint now);
  std::optional<Measured> rate_of(const Pod& pod, Counter counter, TimePoint now) const;

  Duration rate_window_;
  std::size_t capacity_;
  bool is_known_[kCounters] = {};
  std::map<std::int64_t, Pod> pods_;
};

}  // namespace mpca::prom
