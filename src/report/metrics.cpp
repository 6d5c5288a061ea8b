#include "report/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "core/stats.h"
#include "core/text.h"

namespace mpca::report {

MetricsAccumulator::MetricsAccumulator(double capacity_rps, double target_utilization)
    : capacity_rps_(capacity_rps), target_utilization_(target_utilization) {}

void MetricsAccumulator::add(const policy::PeriodOutcome& outcome) {
  const double length_s = to_seconds(outcome.length);
  const double ready = outcome.ready_replicas;
  const double served_at_most_rps = capacity_rps_ * ready;
  const double needed_replicas = outcome.demand_rps / (capacity_rps_ * target_utilization_);

  // Integrals over time; finish() divides.
  sums_.duration_s += length_s;
  sums_.replica_hours += outcome.spec_replicas * length_s / 3600.0;
  sums_.utilization_mean += outcome.utilization * length_s;
  if (outcome.utilization > target_utilization_) sums_.violation_ratio += length_s;
  sums_.shortfall_replicas_mean += std::max(0.0, needed_replicas - ready) * length_s;
  demand_requests_ += outcome.demand_rps * length_s;
  unserved_requests_ += std::max(0.0, outcome.demand_rps - served_at_most_rps) * length_s;

  sums_.max_replicas = std::max(sums_.max_replicas, outcome.spec_replicas);
  sums_.backlog_max_requests = std::max(sums_.backlog_max_requests.value_or(0.0), outcome.backlog_requests);
  if (last_spec_ >= 0) sums_.replica_churn += std::abs(outcome.spec_replicas - last_spec_);
  last_spec_ = outcome.spec_replicas;

  utilization_.push_back(outcome.utilization);
  if (outcome.latency_p95_s) latency_p95_s_.push_back(*outcome.latency_p95_s);
}

RunMetrics MetricsAccumulator::finish() const {
  if (sums_.duration_s <= 0.0) return {};
  RunMetrics metrics = sums_;
  metrics.mean_replicas = sums_.replica_hours * 3600.0 / sums_.duration_s;
  metrics.utilization_mean /= sums_.duration_s;
  metrics.violation_ratio /= sums_.duration_s;
  metrics.shortfall_replicas_mean /= sums_.duration_s;
  std::vector<double> values = utilization_;
  metrics.utilization_p95 = quantile_linear(values, 0.95);
  if (demand_requests_ > 0.0) metrics.unserved_ratio = unserved_requests_ / demand_requests_;
  values = latency_p95_s_;
  if (!values.empty()) metrics.latency_p95_s = quantile_linear(values, 0.95);
  return metrics;
}

std::string_view heading(MetricGroup group) {
  switch (group) {
    case MetricGroup::users:
      return "What users got";
    case MetricGroup::cost:
      return "What it took";
    case MetricGroup::behaviour:
      return "How it behaved";
    case MetricGroup::run:
      return "The run";
  }
  return "";
}

std::span<const MetricRow> metric_table() {
  using M = const RunMetrics&;
  using V = std::optional<double>;
  using enum MetricGroup;
  static constexpr std::array kRows = {
      MetricRow{"failed_ratio", "requests failed", "%",
                "Share of all requests that got no good answer: refused, timed out, broken off, or answered with an "
                "error.",
                users, Better::lower, 100.0, 2, [](M m) -> V { return m.failed_ratio; }, true},
      MetricRow{"request_latency_p50_s", "p50 latency", "ms",
                "Half of all requests were answered within this, from the instant each was due.", users, Better::lower,
                1000.0, 1, [](M m) -> V { return m.request_latency_p50_s; }, true},
      MetricRow{"request_latency_p95_s", "p95 latency", "ms",
                "95 of 100 requests were answered within this, from the instant each was due.", users, Better::lower,
                1000.0, 1, [](M m) -> V { return m.request_latency_p95_s; }, true},
      MetricRow{"request_latency_p99_s", "p99 latency", "ms",
                "99 of 100 requests were answered within this, from the instant each was due.", users, Better::lower,
                1000.0, 1, [](M m) -> V { return m.request_latency_p99_s; }, true},
      MetricRow{"violation_ratio", "time over target", "%",
                "Share of the time in which utilization was over the target. Users feel it as rising latency.", users,
                Better::lower, 100.0, 2, [](M m) -> V { return m.violation_ratio; }},
      MetricRow{
          "unserved_ratio", "requests beyond capacity", "%",
          "Share of all requests that arrived while the ready replicas could not serve them at once: they waited, "
          "timed out or failed.",
          users, Better::lower, 100.0, 2, [](M m) -> V { return m.unserved_ratio; }},
      MetricRow{
          "shortfall_replicas_mean", "mean shortfall", "replicas",
          "How many ready replicas were missing to keep utilization at the target, on average over the time; zero "
          "while there were enough.",
          users, Better::lower, 1.0, 2, [](M m) -> V { return m.shortfall_replicas_mean; }},
      MetricRow{
          "backlog_max_requests", "largest backlog", "requests",
          "The most requests that were owed at any time: arrived beyond what the ready replicas should carry and not "
          "yet worked off.",
          users, Better::lower, 1.0, 0, [](M m) -> V { return m.backlog_max_requests; }},
      MetricRow{"latency_p95_s", "p95 latency by period", "ms",
                "The 95th percentile, over all periods, of each period's 95th percentile of response time.", users,
                Better::lower, 1000.0, 1, [](M m) -> V { return m.latency_p95_s; }},
      MetricRow{"replica_hours", "replica-hours", "h", "Replicas asked for, times how long: what is paid.", cost,
                Better::lower, 1.0, 2, [](M m) -> V { return m.replica_hours; }},
      MetricRow{"cost_usd", "cost", "USD",
                "What these replica-hours cost at AWS Fargate's list price in us-east-1, with 0.1 vCPU and 64 MiB for "
                "a replica.",
                cost, Better::lower, 1.0, 5, [](M m) -> V { return m.cost_usd; }, true},
      MetricRow{"mean_replicas", "mean replicas", "replicas", "Replicas asked for, on average over the time.", cost,
                Better::lower, 1.0, 2, [](M m) -> V { return m.mean_replicas; }},
      MetricRow{"max_replicas", "most replicas", "replicas",
                "The most replicas asked for at any time: what the cluster has to have room for.", cost,
                Better::neither, 1.0, 0, [](M m) -> V { return m.max_replicas; }},
      MetricRow{"replica_churn", "replica churn", "replicas",
                "Sum of all changes of the replicas asked for, up and down. Every change starts or ends pods.",
                behaviour, Better::lower, 1.0, 0, [](M m) -> V { return m.replica_churn; }},
      MetricRow{
          "utilization_mean", "mean utilization", "%",
          "Demand divided by the capacity of the ready replicas, on average over the time. Low is idle, over 100 is "
          "overload.",
          behaviour, Better::neither, 100.0, 1, [](M m) -> V { return m.utilization_mean; }},
      MetricRow{"utilization_p95", "p95 utilization", "%", "Utilization stayed at or under this in 95 of 100 periods.",
                behaviour, Better::neither, 100.0, 1, [](M m) -> V { return m.utilization_p95; }},
      MetricRow{"duration_s", "duration", "s", "Length of the run in simulated or real time.", run, Better::neither,
                1.0, 0, [](M m) -> V { return m.duration_s; }},
  };
  return kRows;
}

std::vector<const MetricRow*> compared_rows(std::span<const RunMetrics> runs) {
  const auto is_known = [&](const MetricRow& row) {
    return std::any_of(runs.begin(), runs.end(), [&](const RunMetrics& run) { return row.value(run).has_value(); });
  };
  const bool knows_requests = std::any_of(runs.begin(), runs.end(),
                                          [](const RunMetrics& run) { return run.request_latency_p95_s.has_value(); });
  std::vector<const MetricRow*> rows;
  for (const MetricRow& row : metric_table()) {
    if (row.group == MetricGroup::run || !is_known(row)) continue;
    if (knows_requests && row.key == "latency_p95_s") continue;
    rows.push_back(&row);
  }
  return rows;
}

std::vector<const MetricRow*> filed_rows(std::span<const RunMetrics> runs) {
  std::vector<const MetricRow*> rows;
  for (const MetricRow& row : metric_table()) {
    if (!row.only_measured ||
        std::any_of(runs.begin(), runs.end(), [&](const RunMetrics& run) { return row.value(run).has_value(); }))
      rows.push_back(&row);
  }
  return rows;
}

std::string shown_value(const MetricRow& row, const RunMetrics& metrics) {
  return shown_value(row, row.value(metrics));
}

std::string shown_value(const MetricRow& row, std::optional<double> value) {
  if (!value) return "n/a";
  const double shown = *value * row.shown_factor;
  const double smallest = std::pow(10.0, -row.decimals);
  if (shown > 0.0 && shown < smallest / 2) return cat("<", fixed(smallest, row.decimals));
  return fixed(shown, row.decimals);
}

std::vector<bool> best_of(const MetricRow& row, std::span<const RunMetrics> runs) {
  std::vector<bool> best(runs.size(), false);
  if (row.better == Better::neither) return best;
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (row.value(runs[i])) known.push_back(i);
  if (known.empty()) return best;
  const std::size_t leader = *std::min_element(known.begin(), known.end(), [&](std::size_t a, std::size_t b) {
    return row.better == Better::lower ? *row.value(runs[a]) < *row.value(runs[b])
                                       : *row.value(runs[b]) < *row.value(runs[a]);
  });
  const std::string shown = shown_value(row, runs[leader]);
  for (std::size_t i : known) best[i] = shown_value(row, runs[i]) == shown;
  if (std::all_of(known.begin(), known.end(), [&](std::size_t i) { return best[i]; })) best.assign(runs.size(), false);
  return best;
}

}  // namespace mpca::report
