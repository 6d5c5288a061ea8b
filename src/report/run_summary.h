// One experiment in two small tables, with the reference lab's columns: what users saw in each phase, and what the
// controller did over the whole run.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "report/vegeta_report.h"
#include "runlog/run_directory.h"

namespace mpca::report {

/// `phase,throughput_rps,p95,p99,max,success_ratio_pct`, a row per complete block.
std::string phase_summary_csv(const VegetaReport& report);

/// Means and maxima over the samples that have a value; nullopt when none has one.
struct ControlSummary {
  int samples = 0;
  std::optional<double> mean_replicas;  // applied; per sample, not weighted by time
  std::optional<double> max_replicas;
  std::optional<double> replica_churn;  // sum of absolute changes of applied replicas
  std::optional<double> max_observed_rps;
  std::optional<double> mean_observed_rps;
  std::optional<double> mean_cpu_cores;
  std::optional<double> max_observed_inflight;
  std::optional<double> mean_demand_proxy_rps;
  int emergency_scale_events = 0;            // samples in which the emergency rule raised replicas
  std::vector<std::string> solver_statuses;  // sorted, each once
};

ControlSummary summarize_control(std::span<const runlog::ControlSample> samples);

/// `samples,avg_replicas,max_replicas,…` and one row; of an empty log the row is `0` and empty fields.
std::string control_summary_csv(const ControlSummary& summary);

}  // namespace mpca::report
