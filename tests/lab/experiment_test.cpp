// Whole experiments with real processes, as short as they can be.
#include "lab/experiment.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <thread>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/text.h"
#include "lab/balancer.h"
#include "lab/batch.h"
#include "lab/pod_fleet.h"
#include "report/costs.h"
#include "runlog/replay.h"
#include "runlog/run_directory.h"
#include "support/temporary_directory.h"

namespace mpca::lab {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPatience = 15s;

template <class Condition>
bool becomes_true(Condition condition) {
  const Duration deadline = os::monotonic_now() + kPatience;
  os::RealClock clock;
  while (os::monotonic_now() < deadline) {
    if (condition()) return true;
    clock.sleep_until(clock.now() + 5ms);
  }
  return condition();
}

struct Fleet {
  Fleet() {
    const auto started = fleet.start(2, kPatience);
    EXPECT_TRUE(started) << started.error().message;
  }
  std::unique_ptr<Balancer> balancer = built_in_balancer(Listener::open().value());
  PodFleet fleet{{.program = MPCA_TOY_LOAD,
                  .concurrency = 1,
                  .readiness_lag = DurationDistribution::constant(200ms),
                  .probe_period = 20ms,
                  .termination_grace = 5s,
                  .log_file = {}},
                 *balancer};
};

TEST(PodFleet, StartsReadyAndNewPodsTakeTheirLag) {
  Fleet lab;
  EXPECT_EQ(lab.fleet.view().ready_replicas, 2);
  lab.fleet.set_replicas(4);
  ASSERT_TRUE(becomes_true([&] { return lab.fleet.view().pods.size() == 4; }));
  ASSERT_TRUE(becomes_true([&] { return lab.fleet.view().ready_replicas == 4; }));
  for (const PodView& pod : lab.fleet.view().pods) EXPECT_GE(pod.age, pod.id > 2 ? 200ms : 0ms);
  EXPECT_EQ(lab.fleet.view().restarts, 0);
}

TEST(PodFleet, TheYoungestLeaveAndTheirProcessesEnd) {
  Fleet lab;
  lab.fleet.set_replicas(1);
  ASSERT_TRUE(becomes_true([&] { return lab.fleet.view().pods.size() == 1; }));
  EXPECT_EQ(lab.fleet.view().pods[0].id, 1);
  lab.fleet.set_replicas(0);
  ASSERT_TRUE(becomes_true([&] { return lab.fleet.view().pods.empty(); }));
}

TEST(PodFleet, APodThatDiesIsStartedAnewInItsPlace) {
  Fleet lab;
  EXPECT_TRUE(lab.fleet.kill_pod());
  ASSERT_TRUE(becomes_true([&] { return lab.fleet.view().restarts == 1; }));
  ASSERT_TRUE(becomes_true([&] { return lab.fleet.view().ready_replicas == 2; }));
  EXPECT_EQ(lab.fleet.view().pods.size(), 2u);
}

TEST(PodFleet, APodThatHangsLosesItsReadinessAndIsRestarted) {
  Fleet lab;
  EXPECT_TRUE(lab.fleet.hang_pod());
  ASSERT_TRUE(becomes_true([&] { return lab.fleet.view().ready_replicas == 1; }));
  ASSERT_TRUE(becomes_true([&] { return lab.fleet.view().restarts == 1 && lab.fleet.view().ready_replicas == 2; }));
}

TEST(PodFleet, APodThatNeverBecomesReadyStaysStarting) {
  Fleet lab;
  lab.fleet.set_never_ready(true);
  lab.fleet.set_replicas(3);
  ASSERT_TRUE(becomes_true([&] { return lab.fleet.view().pods.size() == 3 && lab.fleet.view().pods[2].age > 400ms; }));
  EXPECT_EQ(lab.fleet.view().ready_replicas, 2);
}

TEST(PodFleet, AMissingProgramIsSaid) {
  const auto balancer = built_in_balancer(Listener::open().value());
  PodFleet fleet({.program = "no-such-toy-load", .log_file = {}}, *balancer);
  const auto started = fleet.start(1, kPatience);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "program not found: no-such-toy-load");
}

/// A minute at 20 rps, then a minute at 60, sixty times as fast: two real seconds.
LabScenario two_minutes() {
  const std::vector<trace::Phase> phases = {{0, 60s, 20.0}, {1, 60s, 60.0}};
  return {"two-minutes", load::plan_from_phases(phases), phases};
}

ExperimentSettings fast() {
  ExperimentSettings settings;
  settings.workload = {.capacity_rps = 50.0, .min_replicas = 1, .max_replicas = 4, .period = 15s};
  settings.speed = 60.0;
  settings.initial_replicas = 1;
  settings.toy_load = MPCA_TOY_LOAD;
  return settings;
}

/// A batch and where it takes place.
struct LocalBatch : BatchSettings {
  ExperimentSettings experiment = fast();
};

LocalBatch batch(const std::string& out) {
  LocalBatch settings;
  settings.scenarios = {two_minutes()};
  settings.entries = {{"reactive", "reactive", "baseline-incluster"}, {"static:2", "static:2", "mpc-online"}};
  settings.out = out;
  settings.command = "mpc-autoscaler lab …";
  settings.program = "test";
  settings.git_revision = "abc1234-dirty";
  return settings;
}

Result<BatchResult> run(
    const LocalBatch& settings, const OnBatchRun& on_run, const std::stop_token& stop = {},
    const OnBatchProgress& on_progress = [](const BatchProgress&) {}) {
  LocalPlace place(settings.experiment);
  return run_batch(place, settings, stop, on_progress, on_run);
}

Result<BatchResult> run(const LocalBatch& settings, std::vector<std::string>* lines = nullptr) {
  return run(settings, [&](const BatchProgress& progress, const MeasuredRun*, const Error* error, bool was_there) {
    if (lines != nullptr)
      lines->push_back(cat(progress.policy, was_there ? " was there" : error != nullptr ? " failed" : " ran"));
  });
}

// By hand: 60 s at 20 rps and 60 s at 60 rps, sixty times as fast, are 20 + 60 requests.
TEST(Experiment, LeavesARunDirectoryThatEveryReaderUnderstands) {
  test::TemporaryDirectory directory;
  const std::string out = directory.path() + "/lab";
  std::vector<std::string> lines;
  const auto result = run(batch(out), &lines);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(lines, (std::vector<std::string>{"reactive ran", "static:2 ran"}));
  EXPECT_EQ(result->finished, 2);
  ASSERT_EQ(result->comparison.traces.size(), 1u);
  EXPECT_EQ(result->comparison.traces[0].runs.size(), 2u);
  EXPECT_TRUE(std::filesystem::exists(out + "/report.html"));
  EXPECT_TRUE(std::filesystem::exists(out + "/summary.csv"));

  for (const char* name : {"reactive-1", "static_2-1"}) {
    const std::string path = cat(out, "/two-minutes/", name);
    const auto read = runlog::read_run_directory(path);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->meta.scenario, "two-minutes");
    EXPECT_EQ(read->meta.values.at("git.commit"), "abc1234");
    EXPECT_EQ(read->phases, two_minutes().phases);
    ASSERT_TRUE(read->replica_watch && read->control_log && read->report_text && read->control_summary);
    EXPECT_EQ(read->replica_watch->size(), 120u);
    EXPECT_EQ(read->control_log->size(), 8u) << "a decision every 15 s";
    const auto usage = report::usage_of_run(*read, report::Controller::hpa);
    ASSERT_TRUE(usage) << usage.error().message;
    EXPECT_EQ(usage->duration_s, 120.0);
    const auto vegeta = report::parse_vegeta_report(*read->report_text);
    EXPECT_EQ(vegeta.phases.size(), 2u);

    const auto text = os::read_file(path + "/measured-run.json");
    ASSERT_TRUE(text);
    const auto measured = parse_measured_run(*text, path);
    ASSERT_TRUE(measured) << measured.error().message;
    const load::Counts& counts = measured->counts;
    EXPECT_EQ(counts.due, 80u);
    EXPECT_EQ(counts.due, counts.succeeded + counts.failed() + counts.cancelled);
    EXPECT_EQ(counts.failed(), 0u);
    EXPECT_EQ(measured->phases.at(1).due, 60u);
    EXPECT_GE(measured->latency.min(), 40ms) << "a pod sleeps 2 / 50 s";

    const auto replayed = runlog::replay(path + "/decisions.jsonl", {}, [](const auto&) {});
    ASSERT_TRUE(replayed) << replayed.error().message;
    EXPECT_EQ(replayed->decisions, 8);
    EXPECT_EQ(replayed->different_replicas + replayed->different_explanations, 0);
  }
}

TEST(Experiment, ResumeRunsOnlyWhatIsMissing) {
  test::TemporaryDirectory directory;
  const std::string out = directory.path() + "/lab";
  LocalBatch first = batch(out);
  first.entries.pop_back();
  ASSERT_TRUE(run(first));
  LocalBatch second = batch(out);
  EXPECT_EQ(run(second).error().code, ErrorCode::already_exists);
  second.resume = true;
  std::vector<std::string> lines;
  const auto result = run(second, &lines);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(lines, (std::vector<std::string>{"reactive was there", "static:2 ran"}));
  ASSERT_EQ(result->comparison.traces.at(0).runs.size(), 2u);
  for (const report::PolicyRun& shown : result->comparison.traces[0].runs)
    EXPECT_EQ(shown.decisions.made, 8) << shown.policy << ": the report explains runs that were there, too";
}

TEST(Experiment, AFailedRunDoesNotStopTheOthers) {
  test::TemporaryDirectory directory;
  LocalBatch settings = batch(directory.path() + "/lab");
  settings.experiment.toy_load = directory.path() + "/no-such-program";
  std::vector<std::string> lines;
  const auto result = run(settings, &lines);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(lines, (std::vector<std::string>{"reactive failed", "static:2 failed"}));
  EXPECT_EQ(result->failed, 2);
}

TEST(Experiment, KilledPodsCostLatencyAndNotRequests) {
  test::TemporaryDirectory directory;
  LocalBatch settings = batch(directory.path() + "/lab");
  settings.entries = {{"static:3", "static:3", "mpc-online"}};
  settings.experiment.initial_replicas = 3;
  settings.experiment.chaos = {{"kill-pod", 30s}, {"restart-balancer", 60s}};
  std::vector<MeasuredRun> runs;
  const auto result = run(settings, [&](const BatchProgress&, const MeasuredRun* measured, const Error*, bool) {
    if (measured != nullptr) runs.push_back(*measured);
  });
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(runs.size(), 1u);
  const load::Counts& counts = runs[0].counts;
  EXPECT_EQ(counts.due, 80u);
  EXPECT_EQ(counts.due, counts.succeeded + counts.failed() + counts.cancelled);
}

TEST(Experiment, LostMetricsAreStaleAndNeverZero) {
  test::TemporaryDirectory directory;
  const std::string out = directory.path() + "/lab";
  LocalBatch settings = batch(out);
  settings.entries = {{"reactive", "reactive", "baseline-incluster"}};
  settings.experiment.initial_replicas = 2;
  settings.experiment.chaos = {{"scrape-failures", 50s}};
  ASSERT_TRUE(run(settings));
  std::vector<policy::Observation> seen;
  ASSERT_TRUE(runlog::read_decision_log(
      out + "/two-minutes/reactive-1/decisions.jsonl", [](const auto&) { return true; },
      [&](const runlog::DecisionRecord& record) {
        seen.push_back(record.observation);
        return true;
      }));
  ASSERT_EQ(seen.size(), 8u);
  bool was_fresh = false;
  for (const policy::Observation& observation : seen)
    was_fresh |= observation.served_rate_rps.quality == policy::Quality::fresh;
  EXPECT_TRUE(was_fresh);
  const policy::Signal last = seen.back().served_rate_rps;
  EXPECT_EQ(last.quality, policy::Quality::stale);
  EXPECT_GT(last.value, 1.0);
  EXPECT_GE(last.age, 37s) << "2.5 scrapes without news";
}

TEST(Experiment, AnInterruptedRunLeavesNothingHalfDone) {
  test::TemporaryDirectory directory;
  const std::string out = directory.path() + "/lab";
  std::stop_source stop;
  LocalBatch settings = batch(out);
  const auto result = run(
      settings, [](const BatchProgress&, const MeasuredRun*, const Error*, bool) {}, stop.get_token(),
      [&](const BatchProgress&) { stop.request_stop(); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::interrupted);
  EXPECT_TRUE(std::filesystem::is_empty(out + "/two-minutes"));
}

/// One run with Debian's programs; skipped where they are not installed.
void expect_sound_run(const ExperimentSettings& experiment) {
  test::TemporaryDirectory directory;
  LocalBatch settings = batch(directory.path() + "/lab");
  settings.experiment = experiment;
  settings.entries = {{"static:2", "static:2", "mpc-online"}};
  settings.experiment.initial_replicas = 2;
  std::optional<MeasuredRun> measured;
  std::optional<Error> failure;
  const auto result = run(settings, [&](const BatchProgress&, const MeasuredRun* run, const Error* error, bool) {
    if (run != nullptr) measured = *run;
    if (error != nullptr) failure = *error;
  });
  ASSERT_TRUE(result) << result.error().message;
  if (failure && failure->code == ErrorCode::not_found) GTEST_SKIP() << failure->message;
  ASSERT_TRUE(measured) << failure->message;
  EXPECT_EQ(measured->counts.due, 240u) << "60 s at 20 and 60 s at 60 requests/s, twenty times as fast";
  EXPECT_EQ(measured->counts.succeeded, 240u);
  double last_rate = 0.0;
  ASSERT_TRUE(runlog::read_decision_log(
      directory.path() + "/lab/two-minutes/static_2-1/decisions.jsonl", [](const auto&) { return true; },
      [&](const runlog::DecisionRecord& record) {
        last_rate = record.observation.served_rate_rps.value_if_known().value_or(0.0);
        return true;
      }));
  // A minute's mean of 20 and then 60 requests/s, seen 15 s before the end.
  EXPECT_GT(last_rate, 20.0);
  EXPECT_LT(last_rate, 75.0);
}

TEST(ExperimentSlow, PrometheusTellsAPolicyTheRates) {
  ExperimentSettings settings = fast();
  settings.metrics = "prometheus";
  settings.speed = 20.0;
  expect_sound_run(settings);
}

TEST(ExperimentSlow, HaproxyCarriesAnExperiment) {
  ExperimentSettings settings = fast();
  settings.balancer = "haproxy";
  settings.speed = 20.0;
  expect_sound_run(settings);
}

TEST(Batch, EveryBatchOfTheLabMakesPoliciesThatExist) {
  std::vector<std::string> labels;
  for (const BatchKind& kind : batch_kinds()) {
    test::TemporaryDirectory directory;
    LocalBatch settings = batch(directory.path() + "/lab");
    settings.entries = kind.entries(lab_hpa);
    settings.experiment.toy_load = directory.path() + "/no-such-program";
    settings.experiment.workload.max_replicas = 70;
    for (const char* scenario : {"step", "spike", "seasonality"}) {
      settings.scenarios[0].name = scenario;
      settings.replace = true;
      const auto result =
          run(settings, [&](const BatchProgress& progress, const MeasuredRun*, const Error* error, bool) {
            labels.push_back(progress.policy);
            ASSERT_NE(error, nullptr);
            EXPECT_TRUE(error->message.starts_with("program not found")) << error->message;
          });
      ASSERT_TRUE(result) << kind.name << " on " << scenario << ": " << result.error().message;
    }
  }
  // Runs per scenario, by the lab's runners: 5 + 3, 8, 7, 5.
  EXPECT_EQ(labels.size(), 3u * (8 + 8 + 7 + 5));
  EXPECT_EQ(std::count(labels.begin(), labels.end(), "hold_safe"), 3);
}

TEST(Experiment, BadSettingsAreReportedTogether) {
  ExperimentSettings settings = fast();
  settings.initial_replicas = 9;
  settings.rate_window = 20s;
  EXPECT_EQ(validate(settings).error().message,
            "--initial-replicas is 9; must lie within --min 1 and --max 4\n"
            "--rate-window is 20s; must be at least two scrape intervals (30s) to hold two samples");
  EXPECT_EQ(parse_chaos_event("kill-pot@3s", "--chaos").error().message.substr(0, 60),
            "--chaos: unknown event \"kill-pot\" (did you mean \"kill-pod\"?)");
  EXPECT_EQ(parse_chaos_event("kill-pod", "--chaos").error().message,
            "--chaos is \"kill-pod\"; must be NAME@TIME such as kill-pod@90s");
  EXPECT_EQ(parse_chaos_event("hang-pod@1m30s", "--chaos").value(), (ChaosEvent{"hang-pod", 90s}));
}

}  // namespace
}  // namespace mpca::lab
