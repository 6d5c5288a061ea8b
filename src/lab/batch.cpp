#include "lab/batch.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/os/file.h"
#include "core/text.h"
#include "policy/lab_online/lab_online.h"
#include "report/comparison_html.h"
#include "report/comparison_table.h"
#include "report/run_decisions.h"
#include "runlog/decision_log.h"
#include "runlog/run_recorder.h"

namespace mpca::lab {
namespace {

constexpr std::string_view kPresetMark = "{preset}";
constexpr const char kMpcMode[] = "mpc-online";
constexpr const char kHpaMode[] = "baseline-incluster";
// The lab's HPA aims at a percentage of the pod's CPU request, 0.1 cores, while a pod's useful capacity costs 0.35
// (17.5 rps x 20 ms): its 350 % is our utilization of 1.
constexpr double kPercentOfCapacity = 350.0;

constexpr const char kTunedMpc[] = "lab-online:{preset}";

BatchEntry with_mode(BatchEntry entry, std::string mode, int repeats) {
  entry.mode = std::move(mode);
  entry.repeats = repeats;
  return entry;
}

std::vector<BatchEntry> matched(const HpaEntry& hpa) {
  return {{"lab-online tuned", kTunedMpc, kMpcMode, 5}, with_mode(hpa(std::nullopt), kHpaMode, 3)};
}

std::vector<BatchEntry> mpc_only(const HpaEntry&) { return {{"lab-online tuned", kTunedMpc, kMpcMode, 8}}; }

std::vector<BatchEntry> hpa_target_grid(const HpaEntry& hpa) {
  std::vector<BatchEntry> entries;
  for (const int percent : {60, 100, 150, 200, 250, 300, 350}) {
    BatchEntry& entry = entries.emplace_back(with_mode(hpa(percent), "hpa-target-grid", 1));
    entry.folder = cat("target_", percent);
  }
  return entries;
}

/// The names are the lab's.
std::vector<BatchEntry> isolation(const HpaEntry&) {
  const std::string tuned = std::string(kTunedMpc) + ",";
  const std::string no_safety =
      "emergency-inflight-threshold=1000000000,surge-delta-threshold=1000000000,capacity-trigger-fraction=2";
  constexpr const char kMode[] = "mpc-isolation";
  return {{"hold_safe", tuned + "forecast=hold", kMode, 1},
          {"es_safety", tuned + "forecast=es", kMode, 1},
          {"es_no_safety", tuned + "forecast=es," + no_safety, kMode, 1},
          {"no_qp_reactive", tuned + "control-mode=no_qp_reactive,forecast=hold", kMode, 1},
          {"proxy_hpa_safety", tuned + "control-mode=proxy_hpa_safety,forecast=hold", kMode, 1}};
}

constexpr BatchKind kKinds[] = {
    {"matched", "5 runs of the lab's online MPC with the scenario's tuning and 3 of the HPA", matched},
    {"mpc-only", "8 runs of the lab's online MPC", mpc_only},
    {"hpa-target-grid", "the HPA at 60, 100, 150, 200, 250, 300 and 350 % of the CPU request", hpa_target_grid},
    {"isolation", "the online MPC with one part changed at a time: forecast, safety rules, plan", isolation},
};

/// A run that is to be there in the end.
struct PlannedRun {
  const LabScenario* scenario = nullptr;
  std::string policy;
  std::string label;
  std::string mode;
  int repeat = 1;
  int repeats = 1;
  std::string directory;
};

std::vector<PlannedRun> planned_runs(const BatchSettings& settings) {
  int most = 0;
  for (const BatchEntry& entry : settings.entries) most = std::max(most, entry.repeats);
  std::vector<PlannedRun> runs;
  // Repeat by repeat: an interrupted batch has whole comparisons.
  for (int repeat = 1; repeat <= most; ++repeat) {
    for (const LabScenario& scenario : settings.scenarios) {
      std::set<std::string> names;
      for (const BatchEntry& entry : settings.entries) {
        if (repeat > entry.repeats) continue;
        const std::string policy = with_preset(entry.policy, scenario.name);
        const std::string name = cat(file_name_of(entry.label).substr(0, 80), "-", repeat);
        std::string unique = name;
        for (int i = 2; !names.insert(entry.folder + unique).second; ++i) unique = cat(name, ".", i);
        runs.push_back({&scenario, policy, entry.label, entry.mode, repeat, entry.repeats,
                        cat(settings.out, "/", entry.folder, entry.folder.empty() ? "" : "/",
                            file_name_of(scenario.name), "/", unique)});
      }
    }
  }
  return runs;
}

RunPlan plan_of(const BatchSettings& settings, const PlannedRun& run) {
  RunPlan plan{.scenario = run.scenario->name,
               .policy = run.policy,
               .label = run.label,
               .mode = run.mode,
               .repeat = run.repeat,
               .load = run.scenario->load,
               .phases = run.scenario->phases,
               .seed = settings.seed + static_cast<std::uint64_t>(run.repeat - 1),
               .directory = run.directory,
               .replace = settings.replace || settings.resume,
               .program = settings.program,
               .git_revision = settings.git_revision};
  plan.load.seed = plan.seed;
  return plan;
}

/// Every problem once: what many runs have in common is one.
Result<void> check(Place& place, const BatchSettings& settings, const std::vector<PlannedRun>& runs) {
  std::vector<std::string> lines;
  for (const PlannedRun& run : runs) {
    const auto valid = place.check(plan_of(settings, run));
    if (valid) continue;
    for (const std::string_view line : split(valid.error().message, '\n'))
      if (std::ranges::find(lines, line) == lines.end()) lines.emplace_back(line);
  }
  Problems problems;
  for (std::string& line : lines) problems.add(std::move(line));
  return problems.to_result();
}

Result<void> prepare_out(const BatchSettings& settings) {
  std::error_code error;
  const bool holds_something =
      std::filesystem::exists(settings.out, error) &&
      !(std::filesystem::is_directory(settings.out, error) && std::filesystem::is_empty(settings.out, error));
  if (holds_something && !settings.replace && !settings.resume) {
    return fail(ErrorCode::already_exists, cat("--out ", settings.out,
                                               " already exists and is not empty; choose another, "
                                               "go on with --resume, or replace with --force"));
  }
  return os::make_directories(settings.out);
}

/// nullopt when the run is not there, or not of this plan.
std::optional<MeasuredRun> finished_run(const PlannedRun& planned) {
  const std::string path = cat(planned.directory, "/", kMeasuredRunFile);
  const auto text = os::read_file(path);
  if (!text) return std::nullopt;
  auto run = parse_measured_run(*text, path);
  if (!run || run->policy != planned.policy) return std::nullopt;
  return *std::move(run);
}

/// The decisions of each run from its log, as many as a page holds. The measurements stand without them: a log that is
/// gone leaves its run with none.
void read_decisions(const std::vector<std::string>& directories, std::vector<MeasuredRun>& runs) {
  const auto read = [](const std::string& directory, const auto& on_record) {
    [[maybe_unused]] const auto header = runlog::read_decision_log(
        cat(directory, "/", runlog::kDecisionLogName), [](const auto&) { return true; },
        [&](const runlog::DecisionRecord& record) {
          on_record(record);
          return true;
        });
  };
  std::vector<std::int64_t> made;
  for (const std::string& directory : directories) {
    std::int64_t& count = made.emplace_back();
    read(directory, [&](const auto&) { ++count; });
  }
  const std::vector<int> every = report::kept_every(made);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    report::DecisionKeeper keeper(runs[i].workload, every[i]);
    read(directories[i], [&](const auto& record) { keeper.add(record.observation, record.decision); });
    runs[i].decisions = keeper.finish();
  }
}

}  // namespace

std::span<const BatchKind> batch_kinds() { return kKinds; }

BatchEntry lab_hpa(std::optional<int> target_percent) {
  if (!target_percent) return {"lab-hpa-realistic", "lab-hpa-realistic", kHpaMode};
  return {cat("hpa at ", *target_percent, " %"),
          cat("lab-hpa-realistic:target=", fixed(*target_percent / kPercentOfCapacity, 3)), kHpaMode};
}

std::string with_preset(const std::string& policy, const std::string& scenario) {
  const std::size_t at = policy.find(kPresetMark);
  if (at == std::string::npos) return policy;
  const policy::LabOnlinePreset* found = policy::lab_online_preset(scenario);
  const std::string_view preset = found == nullptr ? std::string_view{} : found->settings;
  std::string after = policy.substr(at + kPresetMark.size());
  if (preset.empty() && after.starts_with(',')) after.erase(0, 1);
  // What comes later in the text is a change of the preset: a key must not stand twice.
  std::string kept;
  for (const std::string_view setting : split(preset, ',')) {
    const std::string_view key = setting.substr(0, setting.find('='));
    if (cat(",", after).find(cat(",", key, "=")) == std::string::npos && !setting.empty())
      kept += cat(kept.empty() ? "" : ",", setting);
  }
  if (kept.empty() && after.starts_with(',')) after.erase(0, 1);
  std::string text = policy.substr(0, at) + kept + after;
  if (text.ends_with(':')) text.pop_back();
  return text;
}

Result<BatchResult> run_batch(Place& place, const BatchSettings& settings, const std::stop_token& stop,
                              const OnBatchProgress& on_progress, const OnBatchRun& on_run) {
  const std::vector<PlannedRun> planned = planned_runs(settings);
  MPCA_TRY_VOID(check(place, settings, planned));
  MPCA_TRY_VOID(prepare_out(settings));
  BatchResult result;
  std::vector<MeasuredRun> finished;
  std::vector<std::string> directories;  // of them
  BatchProgress progress;
  progress.runs = static_cast<int>(planned.size());
  for (const PlannedRun& run : planned) {
    ++progress.run;
    progress.scenario = run.scenario->name;
    progress.policy = run.label;
    progress.repeat = run.repeat;
    progress.repeats = run.repeats;
    progress.live = {};
    if (settings.resume) {
      if (auto before = finished_run(run)) {
        finished.push_back(*std::move(before));
        directories.push_back(run.directory);
        on_run(progress, &finished.back(), nullptr, true);
        continue;
      }
    }
    MPCA_TRY_VOID(os::make_directories(std::filesystem::path(run.directory).parent_path().string()));
    auto measured = place.run(plan_of(settings, run), stop, [&](const Progress& live) {
      progress.live = live;
      on_progress(progress);
    });
    if (measured) {
      finished.push_back(*std::move(measured));
      directories.push_back(run.directory);
      on_run(progress, &finished.back(), nullptr, false);
    } else if (measured.error().code == ErrorCode::interrupted) {
      return fail(ErrorCode::interrupted, cat("interrupted; ", finished.size(), " finished runs are in ", settings.out,
                                              ", and --resume goes on from there"));
    } else {
      ++result.failed;
      on_run(progress, nullptr, &measured.error(), false);
    }
  }
  result.finished = static_cast<int>(finished.size());
  if (finished.empty()) return result;
  read_decisions(directories, finished);
  result.comparison = to_comparison(std::move(finished));
  result.comparison.command = settings.command;
  result.comparison.version = settings.program;
  result.comparison.configuration = place.configuration();
  result.comparison.configuration.emplace_back("seed", std::to_string(settings.seed));
  if (result.comparison.traces.empty()) return result;
  MPCA_TRY_VOID(os::write_file(settings.out + "/summary.csv", report::summary_csv(result.comparison)));
  MPCA_TRY_VOID(os::write_file(settings.out + "/report.html", report::to_html(result.comparison)));
  return result;
}

}  // namespace mpca::lab
