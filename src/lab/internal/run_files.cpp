#include "lab/internal/run_files.h"

#include <algorithm>

#include "core/text.h"
#include "load/load_report.h"
#include "report/run_summary.h"
#include "report/vegeta_report.h"
#include "runlog/control_log.h"
#include "runlog/replica_watch.h"
#include "runlog/run_directory.h"
#include "runlog/run_meta.h"

namespace mpca::lab::internal {
namespace {

constexpr const char kTargetFile[] = "target.txt";
constexpr const char kPhaseSummaryFile[] = "phase-summary.csv";
constexpr const char kDirtyMark[] = "-dirty";

/// `mpc_` and the setting's name, as the lab spells its keys.
std::string meta_key(std::string_view setting) {
  std::string key = cat("mpc_", setting);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

/// Every setting of the policy with the value it ran with.
void add_policy(const std::string& text, runlog::RunMetaDocument& meta) {
  const std::size_t colon = text.find(':');
  const std::string_view name = trim(std::string_view(text).substr(0, colon));
  meta.set("policy", text);
  for (const policy::PolicyKind& kind : policy::policy_kinds()) {
    if (kind.name != name) continue;
    for (const SettingInfo& info : kind.settings()) meta.set(meta_key(info.name), info.default_text);
  }
  if (colon == std::string::npos) return;
  for (const std::string_view setting : split(std::string_view(text).substr(colon + 1), ',')) {
    const std::size_t equals = setting.find('=');
    if (equals != std::string_view::npos)
      meta.set(meta_key(trim(setting.substr(0, equals))), trim(setting.substr(equals + 1)));
  }
}

}  // namespace

RunFiles::RunFiles(const ExperimentSettings& settings, const RunPlan& plan, std::string url, TimePoint started_at)
    : settings_(settings),
      plan_(plan),
      url_(std::move(url)),
      started_at_(started_at),
      control_log_(runlog::control_log_header()) {}

void RunFiles::add_decision(const policy::Observation& observation, const policy::Decision& decision) {
  control_log_ += runlog::control_log_row(started_at_, observation, decision, decision.replicas);
}

std::string RunFiles::meta(const MeasuredRun& run) const {
  const policy::Workload& workload = settings_.workload;
  runlog::RunMetaDocument meta;
  meta.set("scenario", plan_.scenario);
  meta.set("mode", plan_.mode);
  meta.set("run_id", plan_.directory.substr(plan_.directory.rfind('/') + 1));
  meta.set("started_at_utc", runlog::run_meta_time(started_at_));
  meta.set("finished_at_utc", runlog::run_meta_time(started_at_ + load::length_of(plan_.load)));
  meta.set("cluster_context", "local lab: processes, no cluster");
  meta.set("namespace", "");
  meta.set("workload_name", "toy-load");
  meta.set("target_url", url_);
  if (!plan_.phases.empty()) meta.set("profile_file", std::string(runlog::kPhasesFile));
  meta.set("runner_image", "");
  meta.set("workload_knobs.cpu_ms", 0);
  meta.set("workload_knobs.jitter_ms", 0);
  meta.set("workload_knobs.sleep_ms", sleep_ms_for(workload.capacity_rps, settings_.concurrency));
  meta.set("workload_knobs.concurrency", settings_.concurrency);
  meta.set("client.timeout", format_duration(settings_.timeout));
  meta.set("git.commit", plan_.git_revision.substr(0, plan_.git_revision.find('-')));
  meta.set("git.dirty", plan_.git_revision.ends_with(kDirtyMark));
  meta.set("artifacts.report_txt", std::string(runlog::kReportFile));
  meta.set("artifacts.replica_watch", std::string(runlog::kReplicaWatchFile));
  meta.set("control_log", std::string(runlog::kControlLogFile));
  add_policy(plan_.policy, meta);
  meta.set("mpc_rho_star", workload.target_utilization);
  meta.set("mpc_capacity_per_replica", workload.capacity_rps);
  meta.set("mpc_min_replicas", workload.min_replicas);
  meta.set("mpc_max_replicas", workload.max_replicas);
  meta.set("mpc_step_seconds", to_seconds(workload.period));
  meta.set("mpc_metric_rate_window", format_duration(settings_.rate_window));
  meta.set("mpc_apply", true);
  // Beyond the lab's keys: what makes this an experiment on one machine.
  meta.set("lab.speed", settings_.speed);
  meta.set("lab.readiness_lag", settings_.readiness_lag.text());
  meta.set("lab.scrape_interval", format_duration(settings_.scrape_interval));
  meta.set("lab.metrics", settings_.metrics);
  meta.set("lab.balancer", settings_.balancer);
  meta.set("lab.initial_replicas", settings_.initial_replicas);
  meta.set("lab.repeat", plan_.repeat);
  meta.set("lab.seed", plan_.seed);
  meta.set("lab.trusted", run.cautions.empty());
  meta.set("lab.program", plan_.program);
  return runlog::run_meta_yaml(meta);
}

std::string RunFiles::replica_watch(const MeasuredRun& run) const {
  std::string csv = runlog::replica_watch_header();
  for (std::size_t i = 0; i < run.fleet.size(); ++i) {
    const double elapsed_s = static_cast<double>(i) * run.sample_s;
    const FleetSample& fleet = run.fleet[i];
    csv += runlog::replica_watch_row(started_at_ + from_seconds(elapsed_s), elapsed_s, fleet.spec_replicas,
                                     fleet.ready_replicas, fleet.ready_replicas, std::nullopt, std::nullopt);
  }
  return csv;
}

Result<void> RunFiles::write(const MeasuredRun& run, const load::LoadResult& load,
                             runlog::RunRecorder& recorder) const {
  const auto add = [&](std::string_view name, std::string_view content) {
    return recorder.add_file(std::string(name), content);
  };
  const std::string report = load::text_report(load.phases);
  MPCA_TRY_VOID(add(kTargetFile, cat("GET ", url_, "\n")));
  if (!plan_.phases.empty()) MPCA_TRY_VOID(add(runlog::kPhasesFile, trace::phases_csv(plan_.phases)));
  MPCA_TRY_VOID(add(runlog::kReportFile, report));
  MPCA_TRY_VOID(add(kPhaseSummaryFile, report::phase_summary_csv(report::parse_vegeta_report(report))));
  MPCA_TRY_VOID(add(runlog::kReplicaWatchFile, replica_watch(run)));
  MPCA_TRY_VOID(add(runlog::kControlLogFile, control_log_));
  MPCA_TRY(const auto samples, runlog::read_control_log(cat(recorder.path(), "/", runlog::kControlLogFile)));
  MPCA_TRY_VOID(add(runlog::kControlSummaryFile, report::control_summary_csv(report::summarize_control(samples))));
  MPCA_TRY_VOID(add(kMeasuredRunFile, to_json(run)));
  return add(runlog::kRunMetaFile, meta(run));
}

}  // namespace mpca::lab::internal
