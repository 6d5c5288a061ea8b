#include "study/backtest.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "core/os/file.h"
#include "core/os/parallel.h"
#include "core/text.h"
#include "policy/label.h"
#include "policy/policy.h"
#include "policy/run_policy.h"
#include "report/backtest_html.h"
#include "report/backtest_table.h"
#include "report/trajectory_file.h"
#include "sim/dated_world.h"
#include "study/foresight.h"
#include "study/internal/study_files.h"
#include "study/play.h"
#include "study/ruler.h"

namespace mpca::study {
namespace {

using internal::StudyDefinition;

/// What people run, as it is written in the sweep.
constexpr std::string_view kHpa60 = "hpa:target=60,stabilization=300s";
constexpr int kTrajectoryPoints = 400;

/// One policy on one trace, with all seeds.
struct Job {
  std::size_t trace = 0;
  std::string policy;
  std::string name;  // TRACE/POLICY, of its files
};

std::vector<Family> families_of(const BacktestSettings& settings) {
  std::vector<std::string> texts = settings.policies;
  if (settings.with_opponents) {
    for (const std::string_view opponent : {kHpaSweep, kClairvoyant}) {
      if (std::find(texts.begin(), texts.end(), opponent) == texts.end()) texts.emplace_back(opponent);
    }
  }
  std::vector<Family> families;
  for (const std::string& text : texts)
    families.push_back(
        {.name = text,
         .members = text == kClairvoyant ? clairvoyant_family(settings.preset) : policy::expand_sweep(text)});
  return families;
}

Result<void> check(const BacktestSettings& settings, const std::vector<Family>& families) {
  Problems problems;
  if (settings.traces.empty()) problems.add("--trace: at least one trace is needed");
  if (settings.policies.empty()) problems.add("--policy: at least one policy is needed");
  std::set<std::string> seen;
  for (const TraceInput& input : settings.traces) {
    if (!seen.insert(input.trace.name).second)
      problems.add(cat("--trace ", input.file, ": a trace called ", input.trace.name, " is there already"));
  }
  seen.clear();
  for (const Family& family : families) {
    if (!seen.insert(family.name).second) problems.add(cat("--policy ", family.name, " is given twice"));
    for (const std::string& member : family.members) {
      if (is_clairvoyant(member)) {
        if (family.name != kClairvoyant) problems.add(cat("--policy ", member, ": write clairvoyant, it is a family"));
        continue;
      }
      if (const auto made = policy::create_policy(member, settings.preset.workload, "--policy"); !made)
        problems.add(made.error().message);
    }
  }
  return problems.to_result();
}

/// Rows and trajectories of a job, played.
class Player {
 public:
  Player(const BacktestSettings& settings, const std::vector<Play>& plays, const std::vector<int>& jobs_per_trace)
      : settings_(settings),
        plays_(plays),
        make_world_(settings.preset, settings.world),
        arrivals_(plays.size()),
        jobs_left_(jobs_per_trace) {}

  Result<void> play(const Job& job, const std::stop_token& stop, const std::function<void()>& on_run) {
    const Play& play = plays_[job.trace];
    const auto arrivals = arrivals_of_all_seeds(job.trace);
    std::vector<int> plan;
    if (is_clairvoyant(job.policy)) {
      MPCA_TRY(plan, clairvoyant_plan(job.policy, play, settings_.preset, make_world_.waiting()));
    }
    std::vector<report::BacktestRow> rows;
    std::vector<report::TrajectoryRun> runs;
    for (int i = 0; i < settings_.seeds; ++i) {
      std::unique_ptr<policy::Policy> policy;
      if (plan.empty()) {
        MPCA_TRY(policy, policy::create_policy(job.policy, settings_.preset.workload, "--policy"));
      } else {
        policy = follow_plan(plan);
      }
      if (!play_one(play, job, arrivals[static_cast<std::size_t>(i)], *policy, stop, rows, runs))
        return fail(ErrorCode::interrupted, "interrupted");
      on_run();
    }
    release(job.trace);
    const std::string trajectory = internal::trajectory_path(settings_.out, job.name);
    MPCA_TRY_VOID(os::write_file(trajectory, report::trajectory_js(play.played.name, job.policy, runs)));
    // Last: where the rows are, the job is done.
    return os::write_file(internal::rows_path(settings_.out, job.name), internal::rows_json(rows));
  }

 private:
  using ArrivalsOfSeeds = std::vector<std::shared_ptr<const sim::Arrivals>>;

  /// Made when the first job of a trace begins, and let go with its last: jobs come in the order of traces.
  ArrivalsOfSeeds arrivals_of_all_seeds(std::size_t trace) {
    const std::scoped_lock lock(mutex_);
    ArrivalsOfSeeds& arrivals = arrivals_[trace];
    for (int seed = static_cast<int>(arrivals.size()) + 1; seed <= settings_.seeds; ++seed)
      arrivals.push_back(arrivals_of(plays_[trace], settings_.preset, static_cast<std::uint64_t>(seed)));
    return arrivals;
  }

  void release(std::size_t trace) {
    const std::scoped_lock lock(mutex_);
    if (--jobs_left_[trace] == 0) arrivals_[trace].clear();
  }

  bool play_one(const Play& play, const Job& job, const std::shared_ptr<const sim::Arrivals>& arrivals,
                policy::Policy& policy, const std::stop_token& stop, std::vector<report::BacktestRow>& rows,
                std::vector<report::TrajectoryRun>& runs) const {
    const auto world = make_world_(arrivals, initial_replicas(play, settings_.preset));
    const double half_s = play.played.seconds / 2.0;
    const double capacity_rps = settings_.preset.workload.capacity_rps;
    const auto periods = static_cast<int>(play.played.seconds / to_seconds(settings_.preset.workload.period)) + 1;
    report::TrajectoryRecorder trajectory(periods, kTrajectoryPoints, capacity_rps);
    std::optional<report::RunSums> at_half;
    double elapsed_s = 0.0;
    sim::DatedWorld dated(*world, settings_.clock);
    const bool finished = run_policy(dated, policy, stop, [&](const auto&, const auto&, const auto& outcome) {
      trajectory.add(outcome);
      elapsed_s += to_seconds(outcome.length);
      if (!at_half && elapsed_s >= half_s) at_half = sums_of(world->truth());
    });
    if (!finished) return false;

    const sim::Truth& truth = world->truth();
    const report::RunSums first_half = at_half.value_or(sums_of(truth));
    report::BacktestRow& row = rows.emplace_back();
    row.trace = play.played.name;
    row.policy = job.policy;
    row.seed = arrivals->seed;
    row.whole = sums_of(truth);
    row.halves[0] = first_half;
    row.halves[1] = {.seconds = row.whole.seconds - first_half.seconds,
                     .replica_seconds = row.whole.replica_seconds - first_half.replica_seconds,
                     .requests = row.whole.requests - first_half.requests,
                     .late = row.whole.late - first_half.late,
                     .failed = row.whole.failed - first_half.failed};
    row.demand_replica_seconds = row.whole.requests / capacity_rps;
    for (int half = 0; half < 2; ++half)
      row.half_demand_replica_seconds[half] = row.halves[half].requests / capacity_rps;
    row.p95_ms = to_seconds(truth.latency.quantile(0.95)) * 1e3;
    row.p99_ms = to_seconds(truth.latency.quantile(0.99)) * 1e3;
    row.churn = static_cast<double>(truth.replica_churn);
    row.pods_started = static_cast<double>(truth.pods_started);
    row.slack_ratio =
        report::BacktestRow::ratio(truth.unserved_work_s, truth.ready_replica_seconds * settings_.preset.fluid.slots);
    runs.push_back(trajectory.finish(row.seed));
    return true;
  }

  static report::RunSums sums_of(const sim::Truth& truth) {
    return {.seconds = truth.seconds,
            .replica_seconds = truth.replica_seconds,
            .requests = truth.requests,
            .late = truth.late,
            .failed = truth.failed()};
  }

  const BacktestSettings& settings_;
  const std::vector<Play>& plays_;
  WorldMaker make_world_;
  std::mutex mutex_;  // guards the two below
  std::vector<ArrivalsOfSeeds> arrivals_;
  std::vector<int> jobs_left_;
};

std::vector<Job> jobs_of(const StudyDefinition& definition) {
  std::vector<Job> jobs;
  for (std::size_t t = 0; t < definition.traces.size(); ++t) {
    std::set<std::string> policies;
    std::set<std::string> names;
    for (const Family& family : definition.families) {
      for (const std::string& member : family.members) {
        // A policy may stand in two families, such as hpa:target=60 beside the sweep; it is played once.
        if (!policies.insert(member).second) continue;
        std::string name = file_name_of(member);
        for (int i = 2; !names.insert(name).second; ++i) name = cat(file_name_of(member), "-", i);
        jobs.push_back({t, member, cat(file_name_of(definition.traces[t].name), "/", name)});
      }
    }
  }
  return jobs;
}

Result<void> make_directories(const std::string& out, const StudyDefinition& definition) {
  for (const report::PlayedTrace& trace : definition.traces) {
    const std::string name = file_name_of(trace.name) + "/x";
    for (const std::string& path : {internal::rows_path(out, name), internal::trajectory_path(out, name)})
      MPCA_TRY_VOID(os::make_directories(std::filesystem::path(path).parent_path()));
  }
  return {};
}

/// The whole report, from the files of all jobs.
Result<report::BacktestReport> write_report(const std::string& out, const StudyDefinition& definition,
                                            const std::string& command, const std::string& program) {
  report::BacktestReport report;
  report.preset = definition.preset;
  report.world = definition.world;
  report.seeds = definition.seeds;
  report.capacity_rps = definition.capacity_rps;
  report.latency_target_ms = definition.latency_target_ms;
  report.violation_levels = definition.violation_levels;
  report.prices = definition.prices;
  report.configuration = definition.configuration;
  report.command = command;
  report.version = program;
  report.traces = definition.traces;
  std::map<std::pair<std::string, std::string>, std::string> trajectories;
  std::string missing;
  int missing_count = 0;
  for (const Job& job : jobs_of(definition)) {
    auto rows = internal::read_rows(internal::rows_path(out, job.name));
    if (!rows && rows.error().code == ErrorCode::not_found) {
      constexpr int kNamed = 5;
      if (++missing_count <= kNamed) missing += cat(missing.empty() ? "" : ", ", job.name);
      continue;
    }
    if (!rows) return std::unexpected(rows.error());
    trajectories[{definition.traces[job.trace].name, policy::label_of(job.policy)}] =
        internal::trajectory_path("", job.name);
    for (report::BacktestRow& row : *rows) {
      row.policy = policy::label_of(row.policy);
      report.rows.push_back(std::move(row));
    }
  }
  if (missing_count > 0)
    return invalid(cat(out, ": ", missing_count, " runs are missing: ", missing, missing_count > 5 ? ", …" : ""));

  std::vector<std::string> names;
  for (const report::PlayedTrace& trace : report.traces) names.push_back(trace.name);
  std::vector<Family> families = definition.families;
  for (Family& family : families) {
    family.name = policy::label_of(family.name);
    for (std::string& member : family.members) member = policy::label_of(member);
  }
  report.fronts = fronts_of(report.rows, names, families);
  for (std::size_t t = 0; t < names.size(); ++t) {
    for (report::Front& front : report.fronts[t]) {
      for (report::FrontPoint& point : front.points) point.trajectory = trajectories[{names[t], point.policy}];
    }
  }
  report.comparisons =
      compare_at_levels(report.rows, report.traces, families, std::string(kHpa60),
                        {.violation_levels = definition.violation_levels, .prices = definition.prices});
  MPCA_TRY_VOID(os::write_file(out + "/rows.csv", report::rows_csv(report)));
  MPCA_TRY_VOID(os::write_file(out + "/report.html", report::to_html(report)));
  return report;
}

/// `out` is empty, holds this very study, or gives way.
Result<void> prepare_out(const std::string& out, const StudyDefinition& definition, bool replace) {
  MPCA_TRY(const bool is_free, internal::is_free_or_same(out, definition));
  if (!is_free && !replace)
    return fail(ErrorCode::already_exists,
                cat("--out ", out, " holds something else than this study; choose another or add --force"));
  if (!is_free) MPCA_TRY_VOID(internal::remove_study(out));
  MPCA_TRY_VOID(os::make_directories(out));
  MPCA_TRY_VOID(make_directories(out, definition));
  return os::write_file(out + "/study.json", internal::definition_json(definition));
}

}  // namespace

Result<report::BacktestReport> backtest(const BacktestSettings& settings, const std::stop_token& stop,
                                        const std::function<void(const Progress&)>& on_progress) {
  const std::vector<Family> families = families_of(settings);
  MPCA_TRY_VOID(check(settings, families));
  StudyDefinition definition;
  std::vector<Play> plays;
  Problems problems;
  for (const TraceInput& input : settings.traces) {
    auto play = prepare(input.trace, input.file, settings.preset);
    if (!play) {
      problems.add(play.error().message);
      continue;
    }
    definition.traces.push_back(play->played);
    plays.push_back(*std::move(play));
  }
  MPCA_TRY_VOID(problems.to_result());
  definition.preset = settings.preset.name;
  definition.world = settings.world;
  definition.seeds = settings.seeds;
  definition.capacity_rps = settings.preset.workload.capacity_rps;
  definition.latency_target_ms = to_seconds(settings.preset.fluid.latency_target) * 1e3;
  definition.violation_levels = settings.preset.violation_levels;
  definition.prices = settings.preset.prices;
  definition.configuration = preset_rows(settings.preset);
  // None for a study without dates: such studies go on as they began.
  for (auto& row : clock_rows(settings.clock)) definition.configuration.push_back(std::move(row));
  definition.families = families;
  MPCA_TRY_VOID(prepare_out(settings.out, definition, settings.replace));

  const std::vector<Job> all = jobs_of(definition);
  std::vector<Job> jobs;
  std::vector<int> jobs_per_trace(plays.size(), 0);
  double work = 0.0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (static_cast<int>(i % static_cast<std::size_t>(settings.shard.count)) != settings.shard.index - 1) continue;
    if (internal::read_rows(internal::rows_path(settings.out, all[i].name))) continue;
    jobs.push_back(all[i]);
    ++jobs_per_trace[all[i].trace];
    work += plays[all[i].trace].played.seconds * settings.seeds;
  }

  Player player(settings, plays, jobs_per_trace);
  std::vector<Result<void>> results(jobs.size());
  std::mutex mutex;  // guards done and the listener
  double done = 0.0;
  const int ran = os::parallel_for(static_cast<int>(jobs.size()), settings.jobs, stop, [&](int index) {
    const Job& job = jobs[static_cast<std::size_t>(index)];
    results[static_cast<std::size_t>(index)] = player.play(job, stop, [&] {
      const std::scoped_lock lock(mutex);
      done += plays[job.trace].played.seconds;
      on_progress({.done = work > 0.0 ? done / work : 1.0});
    });
  });
  int kept = 0;
  for (int i = 0; i < ran; ++i) {
    const Result<void>& result = results[static_cast<std::size_t>(i)];
    if (result) {
      ++kept;
    } else if (result.error().code != ErrorCode::interrupted) {
      return std::unexpected(result.error());
    }
  }
  if (kept < static_cast<int>(jobs.size()))
    return fail(ErrorCode::interrupted,
                cat("interrupted: ", kept, " of ", jobs.size(), " were played; the same command goes on from here"));
  if (settings.shard.count > 1) {
    report::BacktestReport part;
    part.preset = definition.preset;
    part.traces = definition.traces;
    return part;
  }
  return write_report(settings.out, definition, settings.command, settings.program);
}

Result<report::BacktestReport> merge_backtests(const std::vector<std::string>& parts, const std::string& out,
                                               bool replace, const std::string& command, const std::string& program) {
  MPCA_CHECK(!parts.empty(), "something to merge");
  MPCA_TRY(const StudyDefinition definition, internal::read_definition(parts.front() + "/study.json"));
  Problems problems;
  for (const std::string& part : parts) {
    MPCA_TRY(const StudyDefinition other, internal::read_definition(part + "/study.json"));
    if (internal::definition_json(other) != internal::definition_json(definition))
      problems.add(cat(part, " is not of the same study as ", parts.front()));
  }
  MPCA_TRY_VOID(problems.to_result());
  MPCA_TRY_VOID(prepare_out(out, definition, replace));
  for (const Job& job : jobs_of(definition)) {
    for (const std::string& part : parts) {
      const auto rows = os::read_file(internal::rows_path(part, job.name));
      if (!rows) continue;
      MPCA_TRY(const std::string trajectory, os::read_file(internal::trajectory_path(part, job.name)));
      MPCA_TRY_VOID(os::write_file(internal::trajectory_path(out, job.name), trajectory));
      MPCA_TRY_VOID(os::write_file(internal::rows_path(out, job.name), *rows));
      break;
    }
  }
  return write_report(out, definition, command, program);
}

}  // namespace mpca::study
