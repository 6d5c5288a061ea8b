#include "report/run_summary.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.h"
#include "report/internal/csv_row.h"

namespace mpca::report {
namespace {

/// Mean and maximum of a field of the samples, over those that have it.
class FieldStatistics {
 public:
  void add(std::optional<double> value) {
    if (!value) return;
    sum_ += *value;
    max_ = max_ ? std::max(*max_, *value) : *value;
    ++count_;
  }
  std::optional<double> mean() const { return count_ > 0 ? std::optional(sum_ / count_) : std::nullopt; }
  std::optional<double> max() const { return max_; }

 private:
  double sum_ = 0.0;
  std::optional<double> max_;
  int count_ = 0;
};

}  // namespace

std::string phase_summary_csv(const VegetaReport& report) {
  std::string csv = "phase,throughput_rps,p95,p99,max,success_ratio_pct\n";
  for (const VegetaPhase& phase : report.phases) {
    csv += internal::csv_row(
        {cat(phase.phase), phase.throughput_rps, phase.p95, phase.p99, phase.max, phase.success_ratio_pct});
  }
  return csv;
}

ControlSummary summarize_control(std::span<const runlog::ControlSample> samples) {
  FieldStatistics replicas, rps, cpu_cores, inflight, demand_proxy_rps;
  std::set<std::string> statuses;
  std::optional<double> last_replicas;
  ControlSummary summary;
  for (const runlog::ControlSample& sample : samples) {
    ++summary.samples;
    replicas.add(sample.applied_replicas);
    rps.add(sample.observed_rps);
    cpu_cores.add(sample.observed_cpu_cores);
    inflight.add(sample.observed_inflight);
    demand_proxy_rps.add(sample.demand_proxy_rps);
    if (sample.applied_replicas) {
      const double change = last_replicas ? std::abs(*sample.applied_replicas - *last_replicas) : 0.0;
      summary.replica_churn = summary.replica_churn.value_or(0.0) + change;
      last_replicas = sample.applied_replicas;
    }
    if (sample.emergency_scale_up) ++summary.emergency_scale_events;
    if (!sample.solver_status.empty()) statuses.insert(sample.solver_status);
  }
  summary.mean_replicas = replicas.mean();
  summary.max_replicas = replicas.max();
  summary.max_observed_rps = rps.max();
  summary.mean_observed_rps = rps.mean();
  summary.mean_cpu_cores = cpu_cores.mean();
  summary.max_observed_inflight = inflight.max();
  summary.mean_demand_proxy_rps = demand_proxy_rps.mean();
  summary.solver_statuses.assign(statuses.begin(), statuses.end());
  return summary;
}

std::string control_summary_csv(const ControlSummary& summary) {
  using internal::fixed_or_empty;
  const bool empty = summary.samples == 0;
  return "samples,avg_replicas,max_replicas,replica_variation_sum_abs_delta,max_observed_rps,avg_observed_rps,"
         "avg_cpu_cores,max_observed_inflight,avg_demand_proxy_rps,emergency_scale_events,solver_status_unique\n" +
         internal::csv_row(
             {cat(summary.samples), fixed_or_empty(summary.mean_replicas, 3), fixed_or_empty(summary.max_replicas, 0),
              fixed_or_empty(summary.replica_churn, 3), fixed_or_empty(summary.max_observed_rps, 3),
              fixed_or_empty(summary.mean_observed_rps, 3), fixed_or_empty(summary.mean_cpu_cores, 3),
              fixed_or_empty(summary.max_observed_inflight, 3), fixed_or_empty(summary.mean_demand_proxy_rps, 3),
              empty ? std::string() : cat(summary.emergency_scale_events), join(summary.solver_statuses, ";")});
}

}  // namespace mpca::report
