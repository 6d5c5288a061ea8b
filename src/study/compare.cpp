#include "study/compare.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "core/os/file.h"
#include "core/os/parallel.h"
#include "core/stats.h"
#include "core/text.h"
#include "policy/label.h"
#include "policy/run_policy.h"
#include "report/comparison_html.h"
#include "report/comparison_table.h"
#include "report/run_decisions.h"
#include "report/thin_series.h"
#include "runlog/run_recorder.h"
#include "sim/demand_curve.h"
#include "sim/idealised_world.h"
#include "study/play.h"

namespace mpca::study {
namespace {

constexpr int kDrawnPoints = 3000;
constexpr double kDefaultPeakReplicas = 12.0;
constexpr double kPeakLevel = 0.999;
constexpr std::int64_t kPeriodsPerProgress = 1 << 12;

/// One policy on one trace.
struct Job {
  std::size_t trace = 0;
  std::size_t policy = 0;
  std::string directory;
  report::RunMetrics metrics;
  report::ThinSeries series;
  int decisions_kept_every = 1;
  report::RunDecisions decisions;
  Result<void> result;
};

bool has_requests(const CompareSettings& settings) { return settings.world == "fluid" || settings.world == "requests"; }

policy::Workload workload_on(const CompareSettings& settings, const trace::DemandTrace& trace) {
  policy::Workload workload = settings.workload;
  if (!has_requests(settings)) workload.period = trace.step;
  return workload;
}

/// What `fluid` and `requests` are made of.
Preset preset_of(const CompareSettings& settings) {
  Preset preset = settings.preset;
  const double scale = preset.workload.capacity_rps / settings.workload.capacity_rps;
  preset.workload = settings.workload;
  preset.fluid.service_time = from_seconds(to_seconds(preset.fluid.service_time) * scale);
  preset.requests.service_time = from_seconds(to_seconds(preset.requests.service_time) * scale);
  return preset;
}

Result<void> check(const CompareSettings& settings) {
  Problems problems;
  if (settings.traces.empty()) problems.add("--trace: at least one trace is needed");
  if (settings.policies.empty()) problems.add("--policy: at least one policy is needed");
  if (const auto valid = policy::validate(settings.workload); !valid) problems.add(valid.error().message);
  std::set<std::string> seen;
  for (const std::string& text : settings.policies) {
    if (const auto made = policy::create_policy(text, settings.workload, "--policy"); !made)
      problems.add(made.error().message);
    if (!seen.insert(text).second) problems.add(cat("--policy ", text, " is given twice"));
  }
  const policy::Workload& workload = settings.workload;
  if (settings.initial_replicas < workload.min_replicas || settings.initial_replicas > workload.max_replicas) {
    problems.add(cat("--initial-replicas is ", settings.initial_replicas, "; must lie within --min-replicas ",
                     workload.min_replicas, " and --max-replicas ", workload.max_replicas));
  }
  if (has_requests(settings)) {
    if (workload.period % std::chrono::seconds(1) != Duration::zero())
      problems.add(cat("--period is ", format_duration(workload.period), "; the world ", settings.world,
                       " wants whole seconds"));
    for (const trace::DemandTrace& trace : settings.traces) {
      const Duration length = trace.step * static_cast<std::int64_t>(trace.demand_rps.size());
      if (length < std::max<Duration>(workload.period, std::chrono::seconds(1)))
        problems.add(cat(trace.name, ": shorter than a control period of ", format_duration(workload.period)));
    }
  }
  return problems.to_result();
}

Result<void> prepare_out(const CompareSettings& settings) {
  std::error_code error;
  const bool holds_something =
      std::filesystem::exists(settings.out, error) &&
      !(std::filesystem::is_directory(settings.out, error) && std::filesystem::is_empty(settings.out, error));
  if (holds_something && !settings.replace) {
    return fail(ErrorCode::already_exists,
                cat("--out ", settings.out, " already exists and is not empty; choose another or add --force"));
  }
  return os::make_directories(settings.out);
}

/// `name`, or `name-2` and so on when it is taken.
std::string unique_name(const std::string& name, std::set<std::string>& taken) {
  std::string unique = name;
  for (int i = 2; !taken.insert(unique).second; ++i) unique = cat(name, "-", i);
  return unique;
}

/// Makes the world of each run. Runs on one trace share its arrivals: they meet the same requests.
class Worlds {
 public:
  struct Made {
    std::unique_ptr<policy::World> world;
    const sim::SimulatedWorld* teller = nullptr;  // `world`, when it knows single requests
    int periods = 0;
  };

  explicit Worlds(const CompareSettings& settings) : settings_(settings), preset_(preset_of(settings)) {
    if (!has_requests(settings)) return;
    maker_.emplace(preset_, settings.world);
    for (const trace::DemandTrace& trace : settings.traces) {
      const bool is_held = preset_.play.interpolation == "held" ||
                           (preset_.play.interpolation == "by-trace" && !trace.phase_idx.empty());
      Play play;
      play.rate_rps = sim::rate_per_second(trace, is_held ? sim::Interpolation::held : sim::Interpolation::linear);
      arrivals_.push_back(arrivals_of(play, preset_, settings.seed));
    }
  }

  int periods(std::size_t trace) const {
    if (arrivals_.empty()) return static_cast<int>(settings_.traces[trace].demand_rps.size());
    const std::int64_t period_s = settings_.workload.period / std::chrono::seconds(1);
    return static_cast<int>((static_cast<std::int64_t>(arrivals_[trace]->count.size()) + period_s - 1) / period_s);
  }

  Made make(std::size_t trace) const {
    if (!arrivals_.empty()) {
      auto world = (*maker_)(arrivals_[trace], settings_.initial_replicas);
      const sim::SimulatedWorld* const teller = world.get();
      return {std::move(world), teller, periods(trace)};
    }
    const trace::DemandTrace& demand = settings_.traces[trace];
    const policy::Workload workload = workload_on(settings_, demand);
    if (settings_.world == "realistic") {
      return {std::make_unique<sim::RealisticWorld>(demand, workload, settings_.initial_replicas, settings_.realistic),
              nullptr, periods(trace)};
    }
    return {std::make_unique<sim::IdealisedWorld>(demand, workload, settings_.initial_replicas), nullptr,
            periods(trace)};
  }

 private:
  const CompareSettings& settings_;
  Preset preset_;
  // Of `fluid` and `requests`: from preset_, and by trace.
  std::optional<WorldMaker> maker_;
  std::vector<std::shared_ptr<const sim::Arrivals>> arrivals_;
};

/// What users got, where single requests are known.
void add_requests(const sim::Truth& truth, report::RunMetrics& metrics) {
  if (truth.requests <= 0.0) return;
  metrics.failed_ratio = truth.failed() / truth.requests;
  metrics.request_latency_p50_s = to_seconds(truth.latency.quantile(0.50));
  metrics.request_latency_p95_s = to_seconds(truth.latency.quantile(0.95));
  metrics.request_latency_p99_s = to_seconds(truth.latency.quantile(0.99));
}

std::string summary_json(const report::RunMetrics& metrics) {
  nlohmann::ordered_json object;
  object["format"] = "mpca-run-summary";
  object["version"] = 1;
  for (const report::MetricRow* row : report::filed_rows({&metrics, 1})) {
    const auto value = row->value(metrics);
    object[std::string(row->key)] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
  }
  return object.dump(2) + "\n";
}

std::vector<std::pair<std::string, std::string>> configuration_of(const CompareSettings& settings) {
  std::vector<std::pair<std::string, std::string>> rows = {{"world", settings.world}};
  CompareSettings copy = settings;
  const auto add = [&](const SettingsTable& table) {
    for (const Setting& setting : table) {
      if (setting.name() != "period")
        rows.emplace_back(
            setting.name(),
            cat(setting.text(),
                setting.info().unit.empty() || setting.info().unit == "duration" ? "" : " " + setting.info().unit));
    }
  };
  add(policy::settings_of(copy.workload));
  rows.emplace_back("initial-replicas", cat(settings.initial_replicas, " replicas"));
  if (settings.world == "realistic") add(sim::settings_of(copy.realistic));
  if (has_requests(settings)) {
    copy.preset = preset_of(settings);
    rows.emplace_back("preset", copy.preset.name);
    rows.emplace_back("arrivals", copy.preset.play.arrivals);
    add(settings.world == "fluid" ? sim::settings_of(copy.preset.fluid) : sim::settings_of(copy.preset.requests));
    add(sim::settings_of(copy.preset.pods));
    add(sim::settings_of(copy.preset.metrics));
    add(sim::settings_of(copy.preset.faults));
    rows.emplace_back("period", format_duration(settings.workload.period));
  } else {
    rows.emplace_back("period", "the step of each trace");
  }
  rows.emplace_back("seed", std::to_string(settings.seed));
  for (auto& row : clock_rows(settings.clock)) rows.push_back(std::move(row));
  return rows;
}

std::string config_json(const CompareSettings& settings, const trace::DemandTrace& trace, const std::string& policy,
                        double scale) {
  nlohmann::ordered_json object;
  object["format"] = "mpca-run-config";
  object["version"] = 1;
  object["program"] = settings.program;
  object["policy"] = policy;
  object["trace"] = {
      {"name", trace.name}, {"steps", trace.demand_rps.size()}, {"step_s", to_seconds(trace.step)}, {"scale", scale}};
  for (const auto& [name, value] : configuration_of(settings)) object["configuration"][name] = value;
  object["command"] = settings.command;
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// Adds up the periods of all runs and tells the listener now and then.
class Progress {
 public:
  Progress(std::int64_t total, const OnProgress& listener)
      : total_(std::max<std::int64_t>(total, 1)), listener_(listener) {}
  void add(std::int64_t periods) {
    done_ += periods;
    const std::scoped_lock lock(mutex_);
    listener_(static_cast<double>(done_.load()) / static_cast<double>(total_));
  }

 private:
  std::int64_t total_;
  std::atomic<std::int64_t> done_{0};
  std::mutex mutex_;  // guards listener_
  const OnProgress& listener_;
};

Result<void> run_job(const CompareSettings& settings, const Worlds& worlds, double scale, const std::stop_token& stop,
                     Progress& progress, Job& job) {
  const trace::DemandTrace& trace = settings.traces[job.trace];
  const std::string& text = settings.policies[job.policy];
  const policy::Workload workload = workload_on(settings, trace);
  MPCA_TRY(const auto policy, policy::create_policy(text, workload, "--policy"));
  const Worlds::Made made = worlds.make(job.trace);
  sim::DatedWorld dated(*made.world, settings.clock);
  MPCA_TRY(auto recorder,
           runlog::RunRecorder::create(job.directory, {text, workload, settings.world, trace.name, settings.program},
                                       settings.replace));
  report::MetricsAccumulator metrics(workload.capacity_rps, workload.target_utilization);
  report::SeriesThinner thinner(made.periods, kDrawnPoints);
  report::DecisionKeeper decisions(workload, job.decisions_kept_every);
  std::int64_t unreported = 0;
  const bool finished =
      run_policy(dated, *policy, stop, [&](const auto& observation, const auto& decision, const auto& outcome) {
        recorder.record(observation, decision, outcome);
        metrics.add(outcome);
        thinner.add(outcome);
        decisions.add(observation, decision);
        if (++unreported == kPeriodsPerProgress) progress.add(std::exchange(unreported, 0));
      });
  if (!finished) return fail(ErrorCode::interrupted, "interrupted");
  progress.add(unreported);
  job.metrics = metrics.finish();
  if (made.teller != nullptr) add_requests(made.teller->truth(), job.metrics);
  job.series = thinner.finish();
  job.decisions = decisions.finish();
  MPCA_TRY_VOID(recorder.add_file("summary.json", summary_json(job.metrics)));
  MPCA_TRY_VOID(recorder.add_file("config.json", config_json(settings, trace, text, scale)));
  return recorder.commit();
}

std::string scale_note(double scale, std::optional<double> asked, const policy::Workload& workload) {
  if (scale == 1.0) return {};
  const double replicas = asked.value_or(std::min(kDefaultPeakReplicas, static_cast<double>(workload.max_replicas)));
  return cat("demand scaled by ", fixed(scale, scale < 0.1 ? 5 : 3), " so that its 99.9th percentile needs ",
             shortest(replicas), " replicas");
}

}  // namespace

double peak_scale(const trace::DemandTrace& trace, const policy::Workload& workload,
                  std::optional<double> peak_replicas) {
  const double per_replica = workload.capacity_rps * workload.target_utilization;
  if (peak_replicas == 0.0) return 1.0;
  const double peak = *std::max_element(trace.demand_rps.begin(), trace.demand_rps.end());
  if (!peak_replicas && std::ceil(peak / per_replica) <= workload.max_replicas) return 1.0;
  std::vector<double> demand = trace.demand_rps;
  const double high = quantile_linear(demand, kPeakLevel);
  const double reference = high > 0.0 ? high : peak;  // a trace that is idle but for a moment
  if (reference <= 0.0) return 1.0;
  return peak_replicas.value_or(std::min(kDefaultPeakReplicas, static_cast<double>(workload.max_replicas))) *
         per_replica / reference;
}

Result<report::Comparison> compare(CompareSettings settings, const std::stop_token& stop,
                                   const OnProgress& on_progress) {
  MPCA_TRY_VOID(check(settings));
  MPCA_TRY_VOID(prepare_out(settings));

  std::vector<double> scales;
  std::int64_t periods = 0;
  for (trace::DemandTrace& trace : settings.traces) {
    scales.push_back(peak_scale(trace, settings.workload, settings.peak_replicas));
    for (double& demand : trace.demand_rps) demand *= scales.back();
  }
  const Worlds worlds(settings);
  for (std::size_t t = 0; t < settings.traces.size(); ++t)
    periods += static_cast<std::int64_t>(worlds.periods(t)) * static_cast<std::int64_t>(settings.policies.size());

  std::vector<Job> jobs;
  std::set<std::string> trace_names;
  for (std::size_t t = 0; t < settings.traces.size(); ++t) {
    const std::string trace_name = unique_name(file_name_of(settings.traces[t].name), trace_names);
    std::set<std::string> policy_names;
    MPCA_TRY_VOID(os::make_directories(cat(settings.out, "/", trace_name)));
    for (std::size_t p = 0; p < settings.policies.size(); ++p) {
      Job& job = jobs.emplace_back();
      job.trace = t;
      job.policy = p;
      job.directory =
          cat(settings.out, "/", trace_name, "/", unique_name(file_name_of(settings.policies[p]), policy_names));
    }
  }

  std::vector<std::int64_t> decisions;
  for (const Job& job : jobs) decisions.push_back(worlds.periods(job.trace));
  const std::vector<int> every = report::kept_every(decisions);
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].decisions_kept_every = every[i];

  Progress progress(periods, on_progress);
  const int ran = os::parallel_for(static_cast<int>(jobs.size()), settings.jobs, stop, [&](int index) {
    Job& job = jobs[static_cast<std::size_t>(index)];
    job.result = run_job(settings, worlds, scales[job.trace], stop, progress, job);
  });
  int kept = 0;
  for (int i = 0; i < ran; ++i) kept += jobs[static_cast<std::size_t>(i)].result.has_value() ? 1 : 0;
  for (const Job& job : jobs) {
    if (!job.result && job.result.error().code != ErrorCode::interrupted) return std::unexpected(job.result.error());
  }
  if (kept < static_cast<int>(jobs.size())) {
    return fail(ErrorCode::interrupted,
                cat("interrupted: ", kept, " of ", jobs.size(), " runs are complete in ", settings.out));
  }

  report::Comparison comparison;
  comparison.world = settings.world;
  comparison.target_utilization = settings.workload.target_utilization;
  comparison.configuration = configuration_of(settings);
  comparison.command = settings.command;
  comparison.version = settings.program;
  for (std::size_t t = 0; t < settings.traces.size(); ++t) {
    const trace::DemandTrace& trace = settings.traces[t];
    report::TraceComparison& shown = comparison.traces.emplace_back();
    shown.name = trace.name;
    shown.note = scale_note(scales[t], settings.peak_replicas, settings.workload);
    shown.step_s = to_seconds(trace.step);
    shown.steps = static_cast<int>(trace.demand_rps.size());
    for (Job& job : jobs) {
      if (job.trace != t) continue;
      shown.time_s = job.series.time_s;
      shown.demand_rps = job.series.demand_rps;
      shown.runs.push_back({.policy = policy::label_of(settings.policies[job.policy]),
                            .metrics = job.metrics,
                            .ready_replicas = std::move(job.series.ready_replicas),
                            .spec_replicas = std::move(job.series.spec_replicas),
                            .utilization = std::move(job.series.utilization),
                            .backlog_requests = std::move(job.series.backlog_requests),
                            .decisions = std::move(job.decisions)});
    }
  }
  MPCA_TRY_VOID(os::write_file(settings.out + "/summary.csv", report::summary_csv(comparison)));
  MPCA_TRY_VOID(os::write_file(settings.out + "/report.html", report::to_html(comparison)));
  return comparison;
}

}  // namespace mpca::study
