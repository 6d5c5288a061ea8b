#include "lab/run_files.h"

#include <algorithm>

#include "core/os/file.h"
#include "core/text.h"
#include "load/load_report.h"
#include "report/run_summary.h"
#include "report/vegeta_report.h"
#include "runlog/run_directory.h"

namespace mpca::lab {
namespace {

constexpr std::string_view kTargetFile = "target.txt";
constexpr std::string_view kPhaseSummaryFile = "phase-summary.csv";
constexpr std::string_view kDirtyMark = "-dirty";

/// `mpc_` and the setting's name, as the lab spells its keys.
std::string meta_key(std::string_view setting) {
  std::string key = cat("mpc_", setting);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

std::string meta_of(const RunPlan& plan, const RunFacts& facts, const MeasuredRun& run) {
  runlog::RunMetaDocument meta = facts.meta;
  meta.set("scenario", plan.scenario);
  meta.set("mode", plan.mode);
  meta.set("run_id", plan.directory.substr(plan.directory.rfind('/') + 1));
  meta.set("started_at_utc", runlog::run_meta_time(facts.started_at));
  meta.set("finished_at_utc", runlog::run_meta_time(facts.finished_at));
  meta.set("target_url", facts.url);
  if (!plan.phases.empty()) meta.set("profile_file", std::string(runlog::kPhasesFile));
  meta.set("git.commit", plan.git_revision.substr(0, plan.git_revision.find('-')));
  meta.set("git.dirty", plan.git_revision.ends_with(kDirtyMark));
  meta.set("artifacts.report_txt", std::string(runlog::kReportFile));
  meta.set("artifacts.replica_watch", std::string(runlog::kReplicaWatchFile));
  if (!facts.control_log.empty()) meta.set("control_log", std::string(runlog::kControlLogFile));
  meta.set("policy", plan.policy);
  meta.set("lab.speed", run.speed);
  meta.set("lab.repeat", plan.repeat);
  meta.set("lab.seed", plan.seed);
  meta.set("lab.trusted", run.cautions.empty());
  meta.set("lab.program", plan.program);
  return runlog::run_meta_yaml(meta);
}

}  // namespace

void add_policy_settings(const std::string& policy, const policy::Workload& workload, runlog::RunMetaDocument& meta) {
  const std::size_t colon = policy.find(':');
  const std::string_view name = trim(std::string_view(policy).substr(0, colon));
  for (const policy::PolicyKind& kind : policy::policy_kinds()) {
    if (kind.name != name) continue;
    for (const SettingInfo& info : kind.settings()) meta.set(meta_key(info.name), info.default_text);
  }
  if (colon != std::string::npos) {
    for (const std::string_view setting : split(std::string_view(policy).substr(colon + 1), ',')) {
      const std::size_t equals = setting.find('=');
      if (equals != std::string_view::npos)
        meta.set(meta_key(trim(setting.substr(0, equals))), trim(setting.substr(equals + 1)));
    }
  }
  meta.set("mpc_rho_star", workload.target_utilization);
  meta.set("mpc_capacity_per_replica", workload.capacity_rps);
  meta.set("mpc_min_replicas", workload.min_replicas);
  meta.set("mpc_max_replicas", workload.max_replicas);
  meta.set("mpc_step_seconds", to_seconds(workload.period));
}

Result<void> write_run_files(const std::string& directory, const RunPlan& plan, const RunFacts& facts,
                             const MeasuredRun& run, const load::LoadResult& load) {
  const auto add = [&](std::string_view name, std::string_view content) {
    return os::write_file(cat(directory, "/", name), content);
  };
  const std::string report = load::text_report(load.phases);
  MPCA_TRY_VOID(add(kTargetFile, cat("GET ", facts.url, "\n")));
  if (!plan.phases.empty()) MPCA_TRY_VOID(add(runlog::kPhasesFile, trace::phases_csv(plan.phases)));
  MPCA_TRY_VOID(add(runlog::kReportFile, report));
  MPCA_TRY_VOID(add(kPhaseSummaryFile, report::phase_summary_csv(report::parse_vegeta_report(report))));
  MPCA_TRY_VOID(add(runlog::kReplicaWatchFile, facts.replica_watch));
  if (!facts.control_log.empty()) {
    MPCA_TRY_VOID(add(runlog::kControlLogFile, facts.control_log));
    MPCA_TRY(const auto samples, runlog::read_control_log(cat(directory, "/", runlog::kControlLogFile)));
    MPCA_TRY_VOID(add(runlog::kControlSummaryFile, report::control_summary_csv(report::summarize_control(samples))));
  }
  MPCA_TRY_VOID(add(kMeasuredRunFile, to_json(run)));
  return add(runlog::kRunMetaFile, meta_of(plan, facts, run));
}

}  // namespace mpca::lab
