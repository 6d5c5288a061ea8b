// The figures by which policies are compared. A metric exists once, as a row of metric_table(): from it come the
// summary JSON, summary.csv, the text table and the report, with unit, direction and decimals.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/world.h"

namespace mpca::report {

/// All over the whole run, each period weighted by its length unless said otherwise. A run of no time at all is all
/// zeros.
struct RunMetrics {
  double duration_s = 0.0;
  double replica_hours = 0.0;            // spec replicas x time: what is paid
  double mean_replicas = 0.0;            // spec
  int max_replicas = 0;                  // spec
  double replica_churn = 0.0;            // sum of absolute changes of spec
  double utilization_mean = 0.0;         // fraction
  double utilization_p95 = 0.0;          // linear-interpolated quantile over periods, as numpy does it
  double violation_ratio = 0.0;          // share of time with utilization over the target
  double shortfall_replicas_mean = 0.0;  // max(0, demand / (capacity x target) - ready)
  double unserved_ratio = 0.0;  // share of requests beyond capacity: sum max(0, demand - capacity x ready) / sum demand
  std::optional<double> backlog_max_requests = 0.0;  // nullopt: the world does not know what waits
  std::optional<double>
      latency_p95_s;  // the 0.95 quantile over periods of each period's p95, where the world knows latency
  // Of all requests of the run, from the instant each was due; where they were really sent.
  std::optional<double> request_latency_p50_s;
  std::optional<double> request_latency_p95_s;
  std::optional<double> request_latency_p99_s;
  std::optional<double> failed_ratio;  // share of requests without a good answer
  std::optional<double> cost_usd;      // of the replica-hours, at a list price
};

/// Collects the outcomes of one run; O(periods) memory for the exact quantiles.
class MetricsAccumulator {
 public:
  MetricsAccumulator(double capacity_rps, double target_utilization);
  void add(const policy::PeriodOutcome& outcome);
  RunMetrics finish() const;

 private:
  double capacity_rps_;
  double target_utilization_;
  RunMetrics sums_;
  std::vector<double> utilization_;
  std::vector<double> latency_p95_s_;
  double demand_requests_ = 0.0;
  double unserved_requests_ = 0.0;
  int last_spec_ = -1;
};

enum class Better { lower, higher, neither };

/// What a metric speaks about. Tables show the groups in this order, each under its heading.
enum class MetricGroup {
  users,      // what users got
  cost,       // what it took
  behaviour,  // how the policy went about it; no value is better as such
  run,        // the same for every policy: said once, not compared
};
std::string_view heading(MetricGroup group);

struct MetricRow {
  std::string_view key;       // snake_case with unit, as in summary.json
  std::string_view label;     // `replica-hours`
  std::string_view unit;      // as shown: `h`, `%`, `replicas`
  std::string_view sentence;  // what it means, for the tooltip and the docs
  MetricGroup group;
  Better better;
  double shown_factor;                                // shown value = value x factor (100 for fractions shown in %)
  int decimals;                                       // of the shown value
  std::optional<double> (*value)(const RunMetrics&);  // nullopt: this world does not know it
  bool only_measured = false;                         // known only where requests were really sent
};

/// In the order that people read them; rows of a group stand together.
std::span<const MetricRow> metric_table();

/// The rows by which people compare these runs: of metric_table(), in its order, what some run knows and is not the
/// same for all; the latency of periods only where that of requests is unknown. Pointers stay good for ever.
std::vector<const MetricRow*> compared_rows(std::span<const RunMetrics> runs);

/// The rows that files about these runs carry: all, but those of measured runs only where some run was measured.
std::vector<const MetricRow*> filed_rows(std::span<const RunMetrics> runs);

/// A value of the row as people see it, without the unit: `96.20`; `<0.01` for what is not zero but would look like it;
/// `n/a` when the world does not know it.
std::string shown_value(const MetricRow& row, std::optional<double> value);
std::string shown_value(const MetricRow& row, const RunMetrics& metrics);

/// Per run, whether its value is the best of the row. Values that look the same are equally best; when there is nothing
/// to tell apart (one run, all the same, no better direction) none is.
std::vector<bool> best_of(const MetricRow& row, std::span<const RunMetrics> runs);

}  // namespace mpca::report
