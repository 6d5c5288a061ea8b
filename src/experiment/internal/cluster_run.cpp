#include "experiment/internal/cluster_run.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <thread>

#include "config/document.h"
#include "control/control_run.h"
#include "control/kube_workload.h"
#include "control/live_world.h"
#include "core/os/file.h"
#include "core/os/pause.h"
#include "core/text.h"
#include "experiment/fleet_watch.h"
#include "experiment/guardian.h"
#include "lab/run_files.h"
#include "net/json.h"
#include "runlog/control_log.h"
#include "runlog/run_directory.h"
#include "trace/timestamps.h"

namespace mpca::experiment::internal {
namespace {

constexpr const char* kHpaFile = "hpa-live.yaml";
constexpr const char* kDeploymentFile = "deployment-live.yaml";
constexpr const char* kLoopFile = "mpc-loop.log";
constexpr Duration kRestorePatience = std::chrono::minutes(2);
constexpr Duration kLook = std::chrono::seconds(1);
constexpr Duration kPodLimit = std::chrono::minutes(3);      // from the Job to its running pod: an image may be pulled
constexpr Duration kSilenceLimit = std::chrono::minutes(2);  // of an API server that does not say how the Job is
constexpr Duration kTolerableSkew = std::chrono::seconds(5);
constexpr double kTolerableGaps = 0.05;
constexpr double kTolerablePartial = 0.5;
constexpr Duration kOldRate = std::chrono::minutes(2);  // a sum of some pods is younger

std::string times(int count) { return count == 1 ? std::string("once") : cat(count, " times"); }

/// Passes readings on, and counts those that a policy cannot see the load by.
class CountedMetrics final : public control::LiveMetrics {
 public:
  explicit CountedMetrics(control::LiveMetrics& inner) : inner_(inner) {}
  control::LiveReading read(int ready_replicas) override {
    control::LiveReading reading = inner_.read(ready_replicas);
    const policy::Signal& rate = reading.served_rate_rps;
    ++readings;
    if (rate.quality == policy::Quality::missing || (rate.quality == policy::Quality::stale && rate.age > kOldRate)) {
      ++blind;
      if (!reading.trouble.empty()) trouble = reading.trouble;
    } else if (rate.quality == policy::Quality::stale) {
      ++partial;
    }
    return reading;
  }
  int readings = 0, blind = 0;
  int partial = 0;  // a lower bound; some periods of it are normal, since new pods are ready before they are scraped
  std::string trouble;  // why the last one was blind

 private:
  control::LiveMetrics& inner_;
};

/// Rounds of the guard in a thread of their own.
class GuardThread {
 public:
  ///   on_over   told when the experiment cannot go on, and why; then no round follows
  GuardThread(kube::Client client, Target target, std::string run, bool removes, Duration every, OnWord say,
              std::function<void(const std::string&)> on_over)
      : client_(std::move(client)),
        target_(std::move(target)),
        run_(std::move(run)),
        removes_(removes),
        every_(every),
        say_(std::move(say)),
        on_over_(std::move(on_over)),
        thread_([this](const std::stop_token& stop) { go_round(stop); }) {}
  /// Ends it.
  GuardFindings finish() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return findings_;
  }

 private:
  void go_round(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      guard_round(client_, target_, run_, removes_, findings_, say_);
      if (!findings_.over.empty()) return on_over_(findings_.over);
      os::pause(stop, every_);
    }
  }

  kube::Client client_;
  Target target_;
  std::string run_;
  bool removes_;
  Duration every_;
  OnWord say_;
  std::function<void(const std::string&)> on_over_;
  GuardFindings findings_;
  std::jthread thread_;
};

/// Waits in a thread of its own until the load's pod has ended, and then asks `whoever` goes on meanwhile to stop.
class JobWait {
 public:
  JobWait(LoadJob& job, Duration limit, Clock& clock, std::stop_source whoever)
      : job_(job),
        limit_(limit),
        clock_(clock),
        whoever_(std::move(whoever)),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}
  /// Ends it. What became of the Job; an error when that is not known.
  Result<LoadJob::View> finish() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    return view_;
  }

 private:
  void run(const std::stop_token& stop) {
    const TimePoint end = clock_.now() + limit_;
    TimePoint heard = clock_.now();
    while (!stop.stop_requested()) {
      const auto view = job_.look();
      if (view) {
        heard = clock_.now();
        view_ = *view;
        if (view->state == kube::PodRun::State::succeeded || view->state == kube::PodRun::State::failed) break;
      } else if (clock_.now() - heard > kSilenceLimit) {
        view_ = std::unexpected(to_error(view.error()));
        break;
      }
      if (clock_.now() > end) {
        view_ = fail(ErrorCode::io, cat("the load has not ended within ", format_duration(limit_)));
        break;
      }
      os::pause(stop, kLook);
    }
    whoever_.request_stop();
  }

  LoadJob& job_;
  Duration limit_;
  Clock& clock_;
  std::stop_source whoever_;
  Result<LoadJob::View> view_ = LoadJob::View{};
  std::jthread thread_;
};

/// What was measured, before anything is written.
struct Measurement {
  load::LoadResult load;
  TimePoint created{}, ended{};  // of the Job, by our clock
  std::vector<FleetMoment> fleet;
  GuardFindings guard;
  std::string loop_log;
  std::optional<int> hpa_target_percent;
  int readings = 0, blind = 0, partial = 0;  // of metrics: CountedMetrics
  std::string metrics_trouble;
  int decisions = 0, without_decision = 0, skipped = 0, failed_writes = 0;
};

class ClusterRun {
 public:
  ClusterRun(const ClusterSettings& settings, const ClusterTools& tools, const lab::RunPlan& plan,
             std::optional<ClusterHpa> hpa, const std::stop_token& stop, const lab::OnProgress& on_progress)
      : settings_(settings),
        tools_(tools),
        plan_(plan),
        hpa_(hpa),
        forward_(stop, [this] { end_.request_stop(); }),
        on_progress_(on_progress),
        client_(tools.make_client({})),
        tuning_(tuning_of(settings, plan.scenario)),
        length_(load::length_of(plan.load)),
        name_(cat(plan.scenario, "/", run_id(), " of ", trace::format_rfc3339(tools.clock.now()))) {}

  Result<lab::MeasuredRun> run() {
    MPCA_TRY(auto directory, os::AtomicDirectory::create(plan_.directory, plan_.replace));
    stage("looking for what another experiment has left");
    MPCA_TRY_VOID(put_back_of_others());
    std::vector<std::string> arguments = settings_.guardian_arguments;
    arguments.insert(arguments.end(), {"--run", name_});
    MPCA_TRY(Guardian guardian, Guardian::start(settings_.guardian_program, arguments));
    auto measured = measure(directory.path());
    stage("putting back how it was scaled");
    const auto restored = put_back();
    if (is_settled_) guardian.dismiss();
    if (!measured && !over_.empty()) measured = fail(ErrorCode::io, over_);
    if (!measured) return std::unexpected(with_trouble(measured.error(), restored));
    MPCA_TRY_VOID(restored);
    MPCA_TRY(auto run, write(directory.path(), *measured));
    MPCA_TRY_VOID(directory.commit());
    return run;
  }

 private:
  std::string run_id() const { return plan_.directory.substr(plan_.directory.rfind('/') + 1); }
  void stage(std::string words) {
    lab::Progress progress;
    progress.stage = std::move(words);
    on_progress_(progress);
  }
  std::unexpected<Error> interrupted() const { return fail(ErrorCode::interrupted, "interrupted"); }

  /// What went wrong comes first, and what that leaves behind after it.
  static Error with_trouble(Error error, const Result<void>& restored) {
    if (!restored) {
      error.message += "\n" + restored.error().message;
      // An interrupted batch ends without a word; this is one.
      if (error.code == ErrorCode::interrupted) error.code = ErrorCode::io;
    }
    return error;
  }

  Result<void> put_back_of_others() {
    MPCA_TRY(const auto restored, restore_if_left_behind(client_, settings_.target, {}, tools_.clock, stop_, tools_.say,
                                                         OnDifference::leave));
    if (!restored) return {};
    for (const std::string& sentence : restored->done) tools_.say(cat("left behind and restored: ", sentence));
    return to_result(*restored);
  }

  static Result<void> to_result(const Restored& restored) {
    Problems problems;
    for (const std::string& sentence : restored.left) problems.add(sentence);
    return problems.to_result();
  }

  Result<void> put_back() {
    const auto restored =
        restore_with_patience(client_, settings_.target, name_, kRestorePatience, tools_.clock, {}, tools_.say);
    if (!restored) {
      return fail(ErrorCode::io,
                  cat("NOT RESTORED: ", restored.error().message, "\nConfigMap ", saved_name(settings_.target),
                      " has what was saved; a process stays behind and goes on trying, and `mpc-autoscaler experiment "
                      "restore` does it later"));
    }
    is_settled_ = *restored || !saved_;
    if (*restored) return to_result(**restored);
    return saved_ ? put_back_from_memory() : Result<void>();
  }

  /// Somebody has ended the experiment before us. What they left out is made again, and what cannot be is told in full:
  /// it is written down nowhere else.
  Result<void> put_back_from_memory() {
    const auto restored = restore_what_is_missing(client_, settings_.target, *saved_);
    if (!restored) {
      return fail(ErrorCode::io,
                  cat("NOT RESTORED: ", restored.error().message, "\nConfigMap ", saved_name(settings_.target),
                      " is gone; it had been: ", config_map_of(*saved_, settings_.target)));
    }
    is_settled_ = true;
    for (const std::string& sentence : restored->done) tools_.say(sentence);
    return to_result(*restored);
  }

  Result<Measurement> measure(const std::string& directory) {
    MPCA_TRY(const std::string owner, set_aside(directory));
    GuardThread guard(tools_.make_client({.max_attempts = 1}), settings_.target, name_, !hpa_, settings_.guard_every,
                      tools_.say, [this](const std::string& why) {
                        over_ = why;
                        end_.request_stop();
                      });
    MPCA_TRY_VOID(settle());
    Measurement measurement;
    measurement.hpa_target_percent = hpa_target_percent_;
    stage("starting the load");
    // From before the load on: what there was when it began is known.
    FleetWatch watch(tools_.make_client({.max_attempts = 1}), settings_.target, hpa_ ? hpa_name_ : std::string(),
                     tools_.clock);
    measurement.created = tools_.clock.now();
    MPCA_TRY(LoadJob job, LoadJob::create(tools_.make_client({}), settings_.target, job_name(), plan_, settings_.load,
                                          {.name = saved_name(settings_.target), .uid = owner}));
    MPCA_TRY_VOID(wait_for_pod(job));
    started_ = tools_.clock.now();
    std::stop_source load_ended;
    const std::stop_callback forward(stop_, [&] { load_ended.request_stop(); });
    JobWait wait(job, settings_.load.wait + length_ + settings_.load.timeout + kSilenceLimit, tools_.clock, load_ended);
    const Result<void> went_on =
        hpa_ ? look_on(watch, load_ended.get_token()) : decide(directory, watch, load_ended.get_token(), measurement);
    if (!went_on) load_ended.request_stop();
    const Result<LoadJob::View> end = wait.finish();
    measurement.ended = tools_.clock.now();
    measurement.fleet = watch.finish();
    measurement.guard = guard.finish();
    MPCA_TRY_VOID(went_on);
    if (stop_.stop_requested()) return interrupted();
    if (!end) return std::unexpected(end.error());
    stage("reading the load's result");
    auto load = job.result();
    if (end->state == kube::PodRun::State::failed) {
      return fail(ErrorCode::io, cat("the load failed: ", end->reason, load ? "" : cat("; ", load.error().message)));
    }
    MPCA_TRY(measurement.load, std::move(load));
    if (reads_metrics(plan_.policy) && measurement.readings > 0 && measurement.blind == measurement.readings) {
      return fail(ErrorCode::io,
                  cat("the policy had no request rate in any of ", measurement.readings,
                      " control periods, so what was measured is not the policy: ", measurement.metrics_trouble));
    }
    if (measurement.load.was_interrupted) return fail(ErrorCode::io, "the load's pod was told to end");
    return measurement;
  }

  /// Saves how the Deployment is scaled, writes the live objects down, and makes it what the run needs.
  ///   returns  the ConfigMap's uid
  Result<std::string> set_aside(const std::string& directory) {
    stage("saving how it is scaled");
    const auto deployment = read_deployment(client_, settings_.target);
    if (!deployment) return std::unexpected(to_error(deployment.error()));
    const auto hpas = hpas_of(client_, settings_.target);
    if (!hpas) return std::unexpected(to_error(hpas.error()));
    MPCA_TRY_VOID(check_hpas(settings_.target, *hpas, hpa_));
    SavedScaling saved{.run = name_, .replicas = deployment->state.spec_replicas, .hpas = {}};
    for (const LiveHpa& hpa : *hpas) saved.hpas.push_back(save_hpa(hpa));
    MPCA_TRY(std::string owner, save_scaling(client_, settings_.target, saved));
    SavedScaling& kept = saved_.emplace(std::move(saved));
    if (hpa_) {
      hpa_name_ = hpas->front().state.name;
      least_ = hpas->front().state.min_replicas;
      if (hpa_->target_percent) MPCA_TRY_VOID(set_cpu_target(client_, settings_.target, kept, *hpa_->target_percent));
    } else {
      least_ = tuning_.workload.min_replicas;
      MPCA_TRY_VOID(remove_hpas(client_, settings_.target, kept, tools_.clock, stop_));
    }
    MPCA_TRY_VOID(write_live(directory, *deployment, *hpas));
    return owner;
  }

  /// The HPA is that of the run: with another target, as it has it now.
  Result<void> write_live(const std::string& directory, const LiveDeployment& deployment, std::vector<LiveHpa> hpas) {
    if (hpa_ && hpa_->target_percent) {
      auto now = hpas_of(client_, settings_.target);
      if (!now) return std::unexpected(to_error(now.error()));
      hpas = *std::move(now);
    }
    if (hpa_ && !hpas.empty()) hpa_target_percent_ = hpas.front().state.cpu_target_percent;
    std::string documents;
    for (const LiveHpa& hpa : hpas) {
      MPCA_TRY(const std::string yaml, config::yaml_of_json(hpa.object));
      documents += cat(documents.empty() ? "" : "---\n", yaml);
    }
    MPCA_TRY_VOID(os::write_file(cat(directory, "/", kHpaFile), documents));
    MPCA_TRY(const std::string yaml, config::yaml_of_json(deployment.object));
    return os::write_file(cat(directory, "/", kDeploymentFile), yaml);
  }

  /// Until exactly the initial replicas are there and ready. An HPA may need its stabilization window for that.
  Result<void> settle() {
    const int initial = settings_.initial_replicas.value_or(least_);
    const auto set = set_replicas(client_, settings_.target, initial);
    if (!set) return std::unexpected(to_error(set.error()));
    std::string seen = "nothing is known of it";
    for (const TimePoint end = tools_.clock.now() + settings_.settle_limit; tools_.clock.now() < end;) {
      stage(cat("waiting for ", initial, " ready replicas; ", seen));
      if (const auto live = read_deployment(client_, settings_.target)) {
        const kube::DeploymentState& state = live->state;
        if (state.is_observed && state.spec_replicas == initial && state.ready_replicas == initial &&
            state.replicas == initial)
          return {};
        seen = cat(state.ready_replicas, " of ", state.replicas, " are ready, ", state.spec_replicas, " are asked for");
      } else {
        seen = live.error().message;
      }
      if (stop_.stop_requested()) return interrupted();
      tools_.clock.sleep_until(tools_.clock.now() + kLook);
    }
    return fail(ErrorCode::io, cat(describe(settings_.target), " did not come to ", initial, " ready replicas within ",
                                   format_duration(settings_.settle_limit), ": ", seen));
  }

  Result<void> wait_for_pod(LoadJob& job) {
    std::string seen;
    bool has_pod = false;
    for (const TimePoint end = tools_.clock.now() + kPodLimit; tools_.clock.now() < end;) {
      if (const auto view = job.look()) {
        // What has failed is told when all is known about it.
        if (view->state != kube::PodRun::State::waiting) return {};
        seen = view->reason;
        has_pod = view->has_pod;
      } else {
        seen = view.error().message;
      }
      stage(cat("waiting for the load's pod", seen.empty() ? "" : ": ", seen));
      if (stop_.stop_requested()) return interrupted();
      tools_.clock.sleep_until(tools_.clock.now() + kLook);
    }
    return fail(ErrorCode::io,
                cat("the load's pod did not start within ", format_duration(kPodLimit), ": ", seen, "; it needs image ",
                    settings_.load.image, " and ServiceAccount ", settings_.load.service_account,
                    " (deploy/optional/experiments.yaml)", has_pod ? "" : no_pod_hint(job_name())));
  }

  /// Why is in events, which we may not read.
  std::string no_pod_hint(const std::string& job) const {
    return cat(
        ". No pod was made for it: a ResourceQuota, a LimitRange, Pod Security or an admission webhook of the "
        "namespace may have refused it; `kubectl --namespace ",
        settings_.target.namespace_name, " get events --field-selector involvedObject.name=", job, "` says which");
  }

  void show(const FleetWatch& watch) {
    const Duration elapsed = tools_.clock.now() - started_;
    const runlog::ReplicaWatchSample sample = watch.last().sample;
    on_progress_({.done = std::clamp(to_seconds(elapsed) / to_seconds(length_), 0.0, 1.0),
                  .demand_rps = elapsed < length_ ? lab::mean_rate_rps(plan_.load, elapsed, elapsed + kLook) : 0.0,
                  .spec_replicas = sample.spec_replicas.value_or(0),
                  .ready_replicas = sample.ready_replicas.value_or(0),
                  .latency_p95_ms = std::nullopt});
  }

  /// While the HPA scales.
  Result<void> look_on(const FleetWatch& watch, const std::stop_token& ended) {
    while (!ended.stop_requested()) {
      show(watch);
      os::pause(ended, kLook);
    }
    return {};
  }

  /// While the policy scales.
  Result<void> decide(const std::string& directory, const FleetWatch& watch, const std::stop_token& ended,
                      Measurement& measurement) {
    MPCA_TRY(const auto policy, policy::create_policy(plan_.policy, tuning_.workload, "--policy"));
    MPCA_TRY(const auto source, tools_.make_metrics(tuning_.rate_window));
    CountedMetrics metrics(*source);
    kube::Client client = tools_.make_client({});
    control::KubeWorkload workload(
        {.namespace_name = settings_.target.namespace_name, .name = settings_.target.deployment}, client);
    const auto line = [&](std::string_view text) { measurement.loop_log += cat("[mpc] ", text, "\n"); };
    control::LiveWorld world({.workload = tuning_.workload, .apply = true, .offsets = settings_.offsets}, workload,
                             metrics, tools_.clock, ended, [&](const std::string& trouble) {
                               line(trouble);
                               tools_.say(trouble);
                             });
    MPCA_TRY(const auto run, control::control(world, *policy,
                                              {.control_log = cat(directory, "/", runlog::kControlLogFile),
                                               .decision_log = cat(directory, "/decisions.jsonl"),
                                               .header = {.policy = plan_.policy,
                                                          .workload = tuning_.workload,
                                                          .world = "cluster",
                                                          .trace = plan_.scenario,
                                                          .program = plan_.program}},
                                              ended,
                                              [&](const policy::Observation& seen, const policy::Decision& decision,
                                                  const control::Applied&) {
                                                line(policy::explanation_sentence(seen, decision));
                                                show(watch);
                                              }));
    measurement.readings = metrics.readings;
    measurement.blind = metrics.blind;
    measurement.partial = metrics.partial;
    measurement.metrics_trouble = metrics.trouble;
    measurement.decisions = run.decisions;
    measurement.failed_writes = run.failed_writes;
    measurement.without_decision = world.periods_without_decision();
    measurement.skipped = world.skipped_periods();
    return {};
  }

  /// When the load began, by our clock.
  TimePoint load_started(const Measurement& measured, std::vector<std::string>& cautions) const {
    const load::LoadResult& load = measured.load;
    const bool fits = load.started_at > measured.created - kTolerableSkew &&
                      load.started_at + load.length < measured.ended + kTolerableSkew;
    if (fits) return load.started_at;
    cautions.emplace_back(
        "the clock of the load's node and ours differ by seconds: replicas and latencies are lined up by the end of "
        "the "
        "load");
    return measured.ended - load.length;
  }

  std::vector<std::string> cautions_of(const Measurement& measured, double missing_share) const {
    std::vector<std::string> cautions;
    if (measured.guard.came_back > 0)
      cautions.push_back(cat("an HPA came back ", times(measured.guard.came_back),
                             " during the run and was removed again: for up to ",
                             format_duration(settings_.guard_every), " each time, two scaled the same Deployment"));
    if (measured.guard.failed > 0)
      cautions.push_back(cat(measured.guard.failed, " rounds of the guard failed: ", measured.guard.trouble));
    if (missing_share > kTolerableGaps)
      cautions.push_back(cat("replicas were not known in ", fixed(missing_share * 100, 0),
                             " % of the seconds: the last known ones stand for them"));
    if (reads_metrics(plan_.policy)) {
      if (measured.blind > kTolerableGaps * measured.readings)
        cautions.push_back(cat("the policy had no request rate, or one that was minutes old, in ", measured.blind,
                               " of ", measured.readings, " control periods: ", measured.metrics_trouble));
      if (measured.partial > kTolerablePartial * measured.readings)
        cautions.push_back(cat("the policy had the request rate of some of the pods only in ", measured.partial, " of ",
                               measured.readings, " control periods"));
    }
    if (measured.without_decision > 0)
      cautions.push_back(cat(measured.without_decision, " control periods were without a decision"));
    if (measured.skipped > 0) cautions.push_back(cat(measured.skipped, " control periods were skipped"));
    if (measured.failed_writes > 0)
      cautions.push_back(cat(measured.failed_writes, " decisions could not be carried out"));
    return cautions;
  }

  runlog::RunMetaDocument meta_of(const Measurement& measured) const {
    runlog::RunMetaDocument meta;
    meta.set("cluster_context", settings_.context);
    meta.set("namespace", settings_.target.namespace_name);
    meta.set("workload_name", settings_.target.deployment);
    meta.set("runner_image", settings_.load.image);
    std::string_view query = settings_.load.url;
    query.remove_prefix(std::min(query.find('?'), query.size() - 1) + 1);
    for (const std::string_view knob : split(query, '&')) {
      const std::size_t equals = knob.find('=');
      if (equals != std::string_view::npos)
        meta.set(cat("workload_knobs.", knob.substr(0, equals)), knob.substr(equals + 1));
    }
    meta.set("client.timeout", format_duration(settings_.load.timeout));
    meta.set("artifacts.hpa_live", kHpaFile);
    meta.set("artifacts.deployment_live", kDeploymentFile);
    meta.set("lab.initial_replicas", settings_.initial_replicas.value_or(least_));
    if (hpa_) {
      if (measured.hpa_target_percent) meta.set("hpa_target_average_utilization", cat(*measured.hpa_target_percent));
      return meta;
    }
    meta.set("control_stdout", kLoopFile);
    meta.set("hpa_backup", kHpaFile);
    lab::add_policy_settings(plan_.policy, tuning_.workload, meta);
    meta.set("mpc_metric_rate_window", format_duration(tuning_.rate_window));
    meta.set("mpc_apply", true);
    return meta;
  }

  Result<lab::MeasuredRun> write(const std::string& directory, const Measurement& measured) {
    std::vector<std::string> cautions;
    lab::RunFacts facts{.url = settings_.load.url,
                        .started_at = load_started(measured, cautions),
                        .finished_at = {},
                        .replica_watch = {},
                        .meta = meta_of(measured)};
    facts.finished_at = facts.started_at + measured.load.length;
    facts.replica_watch = replica_watch_of(measured.fleet, facts.started_at);
    const auto seconds = static_cast<std::size_t>(std::ceil(to_seconds(length_) / to_seconds(kFleetSampleEvery)));
    MPCA_TRY(FleetSamples samples, fleet_samples(measured.fleet, facts.started_at, seconds));
    lab::MeasuredRun run =
        lab::measured_run(plan_, tuning_.workload, 1.0, kFleetSampleEvery, measured.load, std::move(samples.fleet));
    run.world = "cluster";
    run.cautions.insert(run.cautions.end(), cautions.begin(), cautions.end());
    for (std::string& caution : cautions_of(measured, samples.missing_share))
      run.cautions.push_back(std::move(caution));
    if (!hpa_) {
      MPCA_TRY(facts.control_log, os::read_file(cat(directory, "/", runlog::kControlLogFile)));
      MPCA_TRY_VOID(os::write_file(cat(directory, "/", kLoopFile), measured.loop_log));
    }
    MPCA_TRY_VOID(lab::write_run_files(directory, plan_, facts, run, measured.load));
    return run;
  }

  /// Unlike any other's: what it is the load of, and when.
  std::string job_name() const { return cat("mpc-load-", stable_hash(cat(name_, settings_.target.deployment))); }

  const ClusterSettings& settings_;
  const ClusterTools& tools_;
  const lab::RunPlan& plan_;
  std::optional<ClusterHpa> hpa_;  // none: a policy of ours
  std::stop_source end_;           // the caller's wish, or the guard's
  const std::stop_token stop_ = end_.get_token();
  std::stop_callback<std::function<void()>> forward_;
  std::string over_;  // what the guard said; of its thread until that has ended
  const lab::OnProgress& on_progress_;
  kube::Client client_;
  Tuning tuning_;
  Duration length_;
  std::string name_;  // SavedScaling::run
  std::optional<SavedScaling> saved_;
  bool is_settled_ = false;  // a guardian could do no more

  std::string hpa_name_;
  std::optional<int> hpa_target_percent_;
  int least_ = 1;
  TimePoint started_{};
};

}  // namespace

Result<void> check_hpas(const Target& target, const std::vector<LiveHpa>& hpas, const std::optional<ClusterHpa>& hpa) {
  Problems problems;
  if (hpa && hpas.empty()) {
    problems.add(cat("no HorizontalPodAutoscaler scales ", describe(target),
                     ": nothing to measure. For one as people have it: kubectl autoscale deployment ",
                     target.deployment, " --namespace ", target.namespace_name, " --cpu=60% --min=2 --max=12"));
  }
  if (hpa && hpas.size() > 1) {
    std::string names;
    for (const LiveHpa& each : hpas) names += cat(names.empty() ? "" : ", ", each.state.name);
    problems.add(cat(describe(target), " has ", hpas.size(), " HorizontalPodAutoscalers (", names, "); must have one"));
  }
  for (const LiveHpa& each : hpas) {
    const bool is_changed = !hpa || hpa->target_percent;
    if (const auto trouble = owner_trouble(each); trouble && is_changed) problems.add(*trouble);
    const nlohmann::json finalizers = net::json_at(net::parse_json(each.object), "metadata", "finalizers");
    if (!hpa && finalizers.is_array() && !finalizers.empty()) {
      problems.add(cat("HorizontalPodAutoscaler ", each.state.name, " has a finalizer, ", net::json_text(finalizers),
                       ": it would not go when it is deleted"));
    }
  }
  if (hpa && hpa->target_percent && hpas.size() == 1) {
    if (const auto spec = spec_at_cpu_target(hpas.front(), *hpa->target_percent); !spec)
      problems.add(spec.error().message);
  }
  return problems.to_result();
}

Result<lab::MeasuredRun> run_in_cluster(const ClusterSettings& settings, const ClusterTools& tools,
                                        const lab::RunPlan& plan, const std::stop_token& stop,
                                        const lab::OnProgress& on_progress) {
  MPCA_TRY(const auto hpa, parse_cluster_hpa(plan.policy));
  return ClusterRun(settings, tools, plan, hpa, stop, on_progress).run();
}

}  // namespace mpca::experiment::internal
