// The directory that one experiment leaves behind, `<root>/<scenario>/<run-id>/`, in the reference lab's layout: what
// was run (run-meta.yaml, phases.csv), what users saw (incluster-report.txt), what the cluster did (replica-watch.csv)
// and what the controller decided (mpc-control-log.csv, control-summary.csv). Every world of ours that runs an
// experiment leaves the same files, so one summary reads them all. The controller's CSV is a rounded view: replay reads
// the decision log instead.
//
// run-meta.yaml is written last, so its presence says that the run came to an end. Any other file may be missing; a
// file that is there has to be sound, and each of its problems is reported with file, row and field. Columns are found
// by name, in any order; further columns are ignored.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "trace/phases.h"

namespace mpca::runlog {

inline constexpr std::string_view kRunMetaFile = "run-meta.yaml";
inline constexpr std::string_view kPhasesFile = "phases.csv";
inline constexpr std::string_view kReportFile = "incluster-report.txt";
inline constexpr std::string_view kReplicaWatchFile = "replica-watch.csv";
inline constexpr std::string_view kControlLogFile = "mpc-control-log.csv";
inline constexpr std::string_view kControlSummaryFile = "control-summary.csv";

/// run-meta.yaml. Keys that are not there leave their field empty.
struct RunMeta {
  std::string scenario;
  std::string mode;  // `baseline-incluster`, `mpc-online`, `hpa-target-grid`, `mpc-isolation`
  std::string run_id;
  std::optional<TimePoint> started_at;
  std::optional<TimePoint> finished_at;
  std::string hpa_target_average_utilization;  // as written: `60`
  std::map<std::string, std::string> values;  // every scalar by its path: `git.commit`, `mpc_alpha`; nulls are left out
};

/// A row of replica-watch.csv. Empty fields are queries that failed, and not zero.
struct ReplicaSample {
  double elapsed_s = 0.0;
  std::optional<double> spec_replicas;
  std::optional<double> ready_replicas;
};

/// A row of mpc-control-log.csv, as far as summaries need it. An empty field, or a column that an older log does not
/// have, is nullopt.
struct ControlSample {
  double elapsed_s = 0.0;
  std::optional<double> observed_rps;
  std::optional<double> observed_cpu_cores;
  std::optional<double> observed_inflight;
  std::optional<double> demand_proxy_rps;
  std::optional<double> applied_replicas;
  bool emergency_scale_up = false;
  std::string solver_status;
};

/// What control-summary.csv says about replicas: nullopt when the log it was made from was empty.
struct ReplicaSummary {
  double mean_replicas = 0.0;
  double max_replicas = 0.0;
  double replica_churn = 0.0;
};

struct RunDirectory {
  std::string path;
  RunMeta meta;
  std::vector<trace::Phase> phases;  // as planned; empty without phases.csv
  std::optional<std::string> report_text;
  std::optional<std::vector<ReplicaSample>> replica_watch;
  std::optional<std::vector<ControlSample>> control_log;
  std::optional<ReplicaSummary> control_summary;
};

/// Everything of one run.
///
///   errors   not_found         no run-meta.yaml
///            invalid_argument  every problem of every file, a line each: `DIR/phases.csv: row 3: duration is "5x"; …`
///            io                a file that cannot be read
Result<RunDirectory> read_run_directory(const std::string& path);

/// The directories below `root` that lie `depth` levels down and hold a run-meta.yaml, sorted by path; and, apart,
/// those that hold other files of a run but none (aborted, or still running).
struct FoundRuns {
  std::vector<std::string> finished;
  std::vector<std::string> unfinished;
};
///   errors   not_found  `root` is not a directory; io  a directory that cannot be listed
Result<FoundRuns> find_run_directories(const std::string& root, int depth);

/// The text of a run-meta.yaml. `where` begins the messages.
///   errors   invalid_argument  not YAML, not a map at the top, a list or map where a text belongs, a time that is none
Result<RunMeta> parse_run_meta(std::string_view yaml, std::string_view where);

/// One file of a run directory; `path` begins the messages.
///   errors   not_found; io; invalid_argument with a line per problem
Result<std::vector<trace::Phase>> read_phases(const std::string& path);
Result<std::vector<ReplicaSample>> read_replica_watch(const std::string& path);
Result<std::vector<ControlSample>> read_control_log(const std::string& path);
Result<std::optional<ReplicaSummary>> read_control_summary(const std::string& path);

}  // namespace mpca::runlog
