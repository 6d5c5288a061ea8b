#include "lab/experiment.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

#include "core/os/file.h"
#include "core/text.h"
#include "lab/balancer.h"
#include "lab/experiment_clock.h"
#include "lab/internal/observer.h"
#include "lab/lab_world.h"
#include "lab/metrics_source.h"
#include "lab/pod_fleet.h"
#include "lab/run_files.h"
#include "policy/run_policy.h"
#include "runlog/control_log.h"
#include "runlog/replica_watch.h"
#include "runlog/run_recorder.h"

namespace mpca::lab {
namespace {

constexpr Duration kSample = std::chrono::seconds(1);  // of experiment time
constexpr Duration kStartLimit = std::chrono::seconds(20);
constexpr double kBusyMachine = 0.85;
constexpr double kSaturatedShare = 0.1;

std::vector<std::string> cautions_of(const internal::Observer& observer, const LabWorld& world, const FleetView& fleet,
                                     bool has_chaos) {
  std::vector<std::string> cautions;
  if (observer.mean_busy() > kBusyMachine) {
    cautions.push_back(cat("the machine was ", fixed(observer.mean_busy() * 100, 0),
                           " % busy over the run: latencies include its own queues"));
  } else if (observer.saturated_share() > kSaturatedShare) {
    cautions.push_back(cat("all cores were busy in ", fixed(observer.saturated_share() * 100, 0),
                           " % of the seconds: latencies there include the machine's own queues"));
  }
  if (world.skipped_periods() > 0) {
    cautions.push_back(cat(world.skipped_periods(), " control periods were skipped: the machine was too slow"));
  }
  if (fleet.restarts > 0 && !has_chaos) cautions.push_back(cat(fleet.restarts, " pods died and were started anew"));
  if (!fleet.problem.empty()) cautions.push_back(cat("a pod could not be started: ", fleet.problem));
  return cautions;
}

std::string replica_watch(const MeasuredRun& run, TimePoint started_at) {
  std::string csv = runlog::replica_watch_header();
  for (std::size_t i = 0; i < run.fleet.size(); ++i) {
    const double elapsed_s = static_cast<double>(i) * run.sample_s;
    const FleetSample& fleet = run.fleet[i];
    csv += runlog::replica_watch_row(started_at + from_seconds(elapsed_s), elapsed_s,
                                     {.spec_replicas = fleet.spec_replicas,
                                      .ready_replicas = fleet.ready_replicas,
                                      .available_replicas = fleet.ready_replicas});
  }
  return csv;
}

/// What makes it an experiment on one machine.
runlog::RunMetaDocument meta_of(const ExperimentSettings& settings, const RunPlan& plan) {
  runlog::RunMetaDocument meta;
  meta.set("cluster_context", "local lab: processes, no cluster");
  meta.set("namespace", "");
  meta.set("workload_name", "toy-load");
  meta.set("runner_image", "");
  meta.set("workload_knobs.cpu_ms", 0);
  meta.set("workload_knobs.jitter_ms", 0);
  meta.set("workload_knobs.sleep_ms", sleep_ms_for(settings.workload.capacity_rps, settings.concurrency));
  meta.set("workload_knobs.concurrency", settings.concurrency);
  meta.set("client.timeout", format_duration(settings.timeout));
  add_policy_settings(plan.policy, settings.workload, meta);
  meta.set("mpc_metric_rate_window", format_duration(settings.rate_window));
  meta.set("mpc_apply", true);
  meta.set("lab.readiness_lag", settings.readiness_lag.text());
  meta.set("lab.scrape_interval", format_duration(settings.scrape_interval));
  meta.set("lab.metrics", settings.metrics);
  meta.set("lab.balancer", settings.balancer);
  meta.set("lab.initial_replicas", settings.initial_replicas);
  return meta;
}

/// A directory for the processes' own files, gone afterwards.
class Scratch {
 public:
  static Result<Scratch> create() {
    std::string name = (std::filesystem::temp_directory_path() / "mpca-lab-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return fail(ErrorCode::io, cat("cannot make a directory like ", name));
    return Scratch(name);
  }
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<std::unique_ptr<Balancer>> make_balancer(const ExperimentSettings& settings, const std::string& directory) {
  MPCA_TRY(Listener listener, Listener::open());
  if (settings.balancer == "haproxy") return haproxy_balancer(std::move(listener), directory);
  return built_in_balancer(std::move(listener));
}

Result<std::unique_ptr<MetricsSource>> make_metrics(const ExperimentSettings& settings, const std::string& directory) {
  const auto real = [&](Duration experiment) { return from_seconds(to_seconds(experiment) / settings.speed); };
  const MetricsSettings metrics{.scrape_interval = real(settings.scrape_interval),
                                .rate_window = real(settings.rate_window),
                                .concurrency = settings.concurrency};
  if (settings.metrics == "prometheus") return scrape_with_prometheus(metrics, directory);
  return scrape_directly(metrics);
}

}  // namespace

Result<ChaosEvent> parse_chaos_event(std::string_view text, std::string_view where) {
  const std::size_t at = text.find('@');
  const std::string_view name = text.substr(0, at);
  const std::vector<std::string_view> names = internal::known_chaos();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    std::string known;
    for (const std::string_view one : names) known += cat(known.empty() ? "" : ", ", one);
    return invalid(cat(where, ": unknown event \"", name, "\"", did_you_mean(name, names), "; known: ", known));
  }
  const auto time = at == std::string_view::npos ? invalid("") : parse_duration(text.substr(at + 1));
  if (!time) return invalid(cat(where, " is \"", text, "\"; must be NAME@TIME such as ", name, "@90s"));
  return ChaosEvent{std::string(name), *time};
}

SettingsTable settings_of(ExperimentSettings& settings) {
  return {
      {"speed", &settings.speed, "", Range{.low = 0.1, .high = 100},
       "experiment seconds per real second: phases, lags, scrapes and control periods are that much shorter"},
      {"scrape-interval", &settings.scrape_interval, "duration", Range{.low = 0.1, .high = 3600},
       "between scrapes of the pods' metrics"},
      {"rate-window", &settings.rate_window, "duration", Range{.low = 0.1, .high = 86400},
       "over which rates are taken; several scrapes long"},
      {"metrics",
       &settings.metrics,
       "direct (our own scrapes) or prometheus (Debian's, the same questions in PromQL)",
       {"direct", "prometheus"}},
      {"balancer", &settings.balancer, "built-in or haproxy (Debian's)", {"built-in", "haproxy"}},
      {"concurrency", &settings.concurrency, "requests", Range::between(1, 1000),
       "that a pod works on at once; each sleeps concurrency / capacity"},
      {"timeout", &settings.timeout, "duration", Range{.low = 0.001, .high = 3600},
       "of a request, in real time, whatever the speed"},
  };
}

Result<void> validate(const ExperimentSettings& settings) {
  Problems problems;
  if (const auto valid = policy::validate(settings.workload); !valid) problems.add(valid.error().message);
  const int initial = settings.initial_replicas;
  if (initial < settings.workload.min_replicas || initial > settings.workload.max_replicas) {
    problems.add(cat("--initial-replicas is ", initial, "; must lie within --min ", settings.workload.min_replicas,
                     " and --max ", settings.workload.max_replicas));
  }
  if (settings.rate_window < 2 * settings.scrape_interval) {
    problems.add(cat("--rate-window is ", format_duration(settings.rate_window),
                     "; must be at least two scrape intervals (", format_duration(2 * settings.scrape_interval),
                     ") to hold two samples"));
  }
  if (sleep_ms_for(settings.workload.capacity_rps, settings.concurrency) < 1 ||
      sleep_ms_for(settings.workload.capacity_rps, settings.concurrency) > 5000) {
    problems.add(cat("--capacity-rps ", shortest(settings.workload.capacity_rps), " and --concurrency ",
                     settings.concurrency, " make each request sleep ",
                     sleep_ms_for(settings.workload.capacity_rps, settings.concurrency), " ms; must be 1 to 5000"));
  }
  return problems.to_result();
}

Result<MeasuredRun> run_experiment(const ExperimentSettings& settings, const RunPlan& plan, const std::stop_token& stop,
                                   const OnProgress& on_progress) {
  MPCA_TRY(const auto policy, policy::create_policy(plan.policy, settings.workload, "--policy"));
  MPCA_TRY(const Scratch scratch, Scratch::create());
  MPCA_TRY(auto recorder, runlog::RunRecorder::create(plan.directory,
                                                      {.policy = plan.policy,
                                                       .workload = settings.workload,
                                                       .world = "lab",
                                                       .trace = plan.scenario,
                                                       .program = plan.program},
                                                      plan.replace));
  MPCA_TRY(const auto balancer, make_balancer(settings, scratch.path()));
  PodFleet fleet({.program = settings.toy_load,
                  .concurrency = settings.concurrency,
                  .readiness_lag = settings.readiness_lag.sped_up(settings.speed),
                  .probe_period = from_seconds(1.0 / settings.speed),
                  .termination_grace = settings.timeout,
                  .log_file = scratch.path() + "/pods.log",
                  .seed = plan.seed,
                  .replication = static_cast<std::uint32_t>(plan.repeat)},
                 *balancer);
  MPCA_TRY_VOID(fleet.start(settings.initial_replicas, kStartLimit));
  MPCA_TRY(const auto metrics, make_metrics(settings, scratch.path()));
  metrics->set_targets(internal::scrape_targets(fleet.view()));
  const Duration limit = kStartLimit + from_seconds(to_seconds(settings.scrape_interval) / settings.speed);
  if (!metrics->wait_for_first_scrape(limit))
    return fail(ErrorCode::io, cat("the pods' metrics could not be scraped within ", format_duration(limit)));

  const std::string url = cat("http://127.0.0.1:", balancer->port(),
                              "/work?sleep_ms=", sleep_ms_for(settings.workload.capacity_rps, settings.concurrency));
  const Duration length = load::length_of(plan.load);
  LoadMeter meter;
  std::stop_source load_stop;
  const std::stop_callback forward(stop, [&] { load_stop.request_stop(); });
  ExperimentClock clock(settings.speed);
  Result<load::LoadResult> load = fail(ErrorCode::io, "the load generator did not run");
  std::thread generator([&] {
    load::LoadSettings load_settings;
    load_settings.targets = {{.method = "GET", .url = url, .headers = {}, .body = {}}};
    load_settings.timeout = settings.timeout;
    load_settings.interval = clock.to_real(kSample);
    load = load::run_load(load::sped_up(plan.load, settings.speed), load_settings, load_stop.get_token(),
                          [&](const load::LiveInterval& interval) { meter.add(interval); });
  });
  LabWorld world({.workload = settings.workload,
                  .length = length,
                  .scrape_interval = settings.scrape_interval,
                  .rate_window = settings.rate_window,
                  .concurrency = settings.concurrency,
                  .offsets = settings.offsets},
                 clock, fleet, *metrics, *balancer, meter, stop);
  internal::Observer observer({clock, fleet, *balancer, *metrics, world}, kSample,
                              static_cast<std::size_t>(std::ceil(to_seconds(length) / to_seconds(kSample))),
                              settings.chaos);

  RunFacts facts{.url = url,
                 .started_at = clock.started_at(),
                 .finished_at = clock.started_at() + length,
                 .replica_watch = {},
                 .control_log = runlog::control_log_header(),
                 .meta = meta_of(settings, plan)};
  const bool finished = policy::run_policy(
      world, *policy, stop,
      [&](const policy::Observation& observation, const policy::Decision& decision,
          const policy::PeriodOutcome& outcome) {
        recorder.record(observation, decision, outcome);
        facts.control_log += runlog::control_log_row(facts.started_at, observation, decision, decision.replicas);
        on_progress(
            {.done = to_seconds(clock.elapsed()) / to_seconds(length),
             .demand_rps = outcome.demand_rps,
             .spec_replicas = outcome.spec_replicas,
             .ready_replicas = outcome.ready_replicas,
             .latency_p95_ms = outcome.latency_p95_s ? std::optional(*outcome.latency_p95_s * 1e3) : std::nullopt,
             .failed = meter.failed()});
      });
  generator.join();
  std::vector<FleetSample> samples = observer.finish();
  if (!load) return std::unexpected(load.error());
  if (!finished || stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");

  MeasuredRun run = measured_run(plan, settings.workload, settings.speed, kSample, *load, std::move(samples));
  run.concurrency = settings.concurrency;
  for (std::string& caution : cautions_of(observer, world, fleet.view(), !settings.chaos.empty()))
    run.cautions.push_back(std::move(caution));
  facts.replica_watch = replica_watch(run, facts.started_at);
  MPCA_TRY_VOID(write_run_files(recorder.path(), plan, facts, run, *load));
  MPCA_TRY_VOID(recorder.commit());
  return run;
}

Result<void> LocalPlace::check(const RunPlan& plan) {
  Problems problems;
  if (const auto valid = validate(settings_); !valid) problems.add(valid.error().message);
  if (const auto made = policy::create_policy(plan.policy, settings_.workload, "--policy"); !made)
    problems.add(made.error().message);
  return problems.to_result();
}

Result<MeasuredRun> LocalPlace::run(const RunPlan& plan, const std::stop_token& stop, const OnProgress& on_progress) {
  return run_experiment(settings_, plan, stop, on_progress);
}

ConfigurationRows LocalPlace::configuration() const {
  ConfigurationRows rows = {{"world", "lab"}};
  ExperimentSettings copy = settings_;
  add_rows(policy::settings_of(copy.workload), rows);
  add_rows(settings_of(copy), rows);
  rows.emplace_back("readiness-lag", settings_.readiness_lag.text());
  rows.emplace_back("initial-replicas", cat(settings_.initial_replicas, " replicas"));
  std::string chaos;
  for (const ChaosEvent& event : settings_.chaos)
    chaos += cat(chaos.empty() ? "" : " ", event.what, "@", format_duration(event.at));
  if (!chaos.empty()) rows.emplace_back("chaos", chaos);
  return rows;
}

}  // namespace mpca::lab
