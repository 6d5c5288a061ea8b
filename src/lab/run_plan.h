// One run of an experiment as a plan, whoever carries it out: processes of this machine (experiment.h), or a cluster
// (room experiment).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "lab/measured_run.h"
#include "load/arrivals.h"
#include "trace/phases.h"

namespace mpca::lab {

struct RunPlan {
  std::string scenario;
  std::string policy;  // as create_policy() takes it, or what the place knows beside those
  std::string label;   // what comparisons call it
  std::string mode;    // of run-meta.yaml: `mpc-online`, `baseline-incluster`, …
  int repeat = 1;
  load::ArrivalPlan load;            // experiment time, real rates
  std::vector<trace::Phase> phases;  // for phases.csv; empty: none
  std::uint64_t seed = 1;            // of start-up lags; the arrivals have their own in `load`
  std::string directory;             // where the run's directory appears when it is complete
  bool replace = false;
  std::string program;       // version
  std::string git_revision;  // of it, `-dirty` when its checkout had changes
};

/// Live: for a progress line.
struct Progress {
  double done = 0.0;  // part of the run, 0 to 1
  double demand_rps = 0.0;
  int spec_replicas = 0;
  int ready_replicas = 0;
  std::optional<double> latency_p95_ms;  // of requests that ended lately
  std::uint64_t failed = 0;
  std::string stage{};  // what it waits for before and after the load: `waiting for 2 ready pods`; empty: the load runs
};
using OnProgress = std::function<void(const Progress&)>;

/// Name and value, as a reader of the report sees them.
using ConfigurationRows = std::vector<std::pair<std::string, std::string>>;
void add_rows(const SettingsTable& table, ConfigurationRows& rows);

/// Where runs take place.
class Place {
 public:
  virtual ~Place() = default;

  /// What can be known of a run before any of them begins: its policy's text, its bounds.
  ///   errors   invalid_argument  every problem
  virtual Result<void> check(const RunPlan& plan) = 0;

  /// Carries it out and leaves its directory.
  ///   errors   interrupted  nothing is left of the run
  virtual Result<MeasuredRun> run(const RunPlan& plan, const std::stop_token& stop, const OnProgress& on_progress) = 0;

  /// What a reader of the report has to know about the place.
  virtual ConfigurationRows configuration() const = 0;
};

/// The plan's mean rate over [from, to).
double mean_rate_rps(const load::ArrivalPlan& plan, Duration from, Duration to);

/// What the load generator measured, sample by sample, beside what the fleet looked like.
///
///   workload   what the policy was told
///   speed      experiment seconds per real second; the load's times are real ones
///   sample     experiment time between two elements of `fleet`, and of the load's intervals once sped up
///   fleet      n >= 1; as many samples has the run
MeasuredRun measured_run(const RunPlan& plan, const policy::Workload& workload, double speed, Duration sample,
                         const load::LoadResult& load, std::vector<FleetSample> fleet);

}  // namespace mpca::lab
