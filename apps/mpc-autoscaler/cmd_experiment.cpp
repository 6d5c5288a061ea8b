// `experiment hpa`, `mpc` and `batch`: experiments on a Deployment of a cluster, with load from a Job; `experiment
// restore`: puts back what a run has set aside and could not put back itself.
#include <csignal>
#include <mutex>

#include "cli/command.h"
#include "config/policy_text.h"
#include "core/os/real_clock.h"
#include "core/os/time_zone.h"
#include "core/text.h"
#include "experiment/cluster_place.h"
#include "experiment/guardian.h"
#include "experiment/scaling_guard.h"
#include "mpc-autoscaler/cluster_options.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/experiment_batch.h"
#include "mpc-autoscaler/experiment_loads.h"
#include "mpca_version.h"
#include "policy/label.h"

namespace mpca::app {
namespace {

constexpr double kCallsPerSecond = 50.0;
constexpr int kCallsAtOnce = 100;
constexpr Duration kKnownOffsets = std::chrono::hours(24 * 365);
constexpr Duration kGuardianPatience = std::chrono::minutes(30);
constexpr const char* kTunedMpc = "lab-online:{preset}";
constexpr const char* kPair = "pair";
constexpr const char* kThisProgram = "/proc/self/exe";

struct TargetOptions {
  std::string name_space = "default";
  std::string deployment = "toy-load-toy-load";
  ClusterOptions cluster;
};

SettingsTable settings_of_target(TargetOptions& options) {
  return {{"namespace", &options.name_space, "of the Deployment, its HPA, and the Job that sends the load"},
          {"deployment", &options.deployment, "name of the Deployment; also the label `job` of its metrics"}};
}

struct ExperimentOptions {
  std::string kind;  // of batch
  std::vector<std::string> scenarios;
  std::string phases;
  TargetOptions target;
  std::string policy = kTunedMpc;
  std::string label;
  int hpa_target = 0;
  int repeats = 1;
  std::string target_url;
  experiment::LoadJobSettings load;
  std::string arrivals = "constant";
  int seed = 1;
  double capacity_rps = policy::Workload{}.capacity_rps;
  double rho_star = policy::Workload{}.target_utilization;
  int min_replicas = -1;
  int max_replicas = -1;
  double step_seconds = 0.0;
  std::string metric_rate_window;
  int initial_replicas = -1;
  Duration settle_limit = experiment::ClusterSettings{}.settle_limit;
  std::string time_zone = "UTC";
  PrometheusOptions prometheus;
  std::string out;
  bool resume = false;
  bool force = false;
};

/// What every kind of run has; `own` stands first.
SettingsTable with_common(SettingsTable own, ExperimentOptions& options) {
  const auto add = [&](SettingsTable rows) {
    for (Setting& row : rows) own.push_back(std::move(row));
  };
  add({{"phases", &options.phases, "a phases CSV (phase_idx,duration,rate_rps) as load"}});
  add(settings_of_target(options.target));
  add({
      {"target-url", &options.target_url,
       "that the load goes to, as pods see it; not given: http://DEPLOYMENT.NAMESPACE.svc/work?cpu_ms=20&jitter_ms=5"},
      {"image", &options.load.image, "of the load's pod: ours, as scripts/image makes it"},
      {"load-service-account", &options.load.service_account,
       "of the load's pod, which needs no rights and gets no token; deploy/optional/experiments.yaml has it"},
      {"timeout", &options.load.timeout, "duration", Range{.low = 0.001, .high = 3600}, "of a request"},
      {"wait", &options.load.wait, "duration", Range{.low = 1, .high = 3600},
       "for the first good answer, before the load begins"},
      {"arrivals", &options.arrivals, "constant (as vegeta paces) or poisson", {"constant", "poisson"}},
      {"seed", &options.seed, "", Range::at_least(0), "of random arrivals; each repeat has its own of it"},
      {"capacity-per-replica", &options.capacity_rps, "rps", Range::above(0), "of one ready pod"},
      {"rho-star", &options.rho_star, "", Range{.low = 0, .high = 1, .low_open = true},
       "part of the capacity that users should not see exceeded"},
      {"min-replicas", &options.min_replicas, "replicas", Range::between(-1, 1'000'000),
       "of a policy; -1: the scenario's (step 4, spike 6, else 2)"},
      {"max-replicas", &options.max_replicas, "replicas", Range::between(-1, 1'000'000),
       "of a policy; -1: the scenario's (70, else 12)"},
      {"step-seconds", &options.step_seconds, "s", Range::between(0, 3600),
       "between decisions; 0: the scenario's (spike 5, else 15)"},
      {"metric-rate-window", &options.metric_rate_window,
       "over which rates are means, as 1m; not given: the scenario's (spike 15s, step and seasonality 30s, else 1m)"},
      {"initial-replicas", &options.initial_replicas, "replicas", Range::between(-1, 1'000'000),
       "ready before the load begins; -1: the least of the HPA or the policy"},
      {"settle-limit", &options.settle_limit, "duration", Range{.low = 1, .high = 86400},
       "until exactly those are ready; an HPA may need its stabilization window"},
      {"time-zone", &options.time_zone, "where the workload's users live, as Europe/Berlin"},
      Setting("out", &options.out, "directory for run directories, summary.csv and report.html").require(),
      {"resume", &options.resume, "keep the finished runs in --out and run what is missing"},
      {"force", &options.force, "replace results that are already in --out"},
  });
  add(settings_of(options.prometheus));
  add(settings_of(options.target.cluster));
  return own;
}

Setting scenario_setting(ExperimentOptions& options) {
  return {"scenario", &options.scenarios, "the reference lab's loads: step, spike, seasonality"};
}
Setting repeat_setting(ExperimentOptions& options) {
  return {"repeat", &options.repeats, "", Range::between(1, 1000), "how often each scenario is run"};
}
Setting policy_setting(ExperimentOptions& options) {
  return {"policy", &options.policy,
          "NAME[:key=value,...], see `mpc-autoscaler policies`; {preset} in it stands for the scenario's tuning of "
          "lab-online"};
}

Setting label_setting(ExperimentOptions& options) {
  return {"label", &options.label, "what tables and directories call --policy; not given: its text"};
}

SettingsTable hpa_settings(ExperimentOptions& options) {
  return with_common({scenario_setting(options),
                      {"hpa-target", &options.hpa_target, "%", Range::between(0, 10'000),
                       "CPU target during the run, in percent of the pods' requests; 0: the HPA as it is"},
                      repeat_setting(options)},
                     options);
}

SettingsTable mpc_settings(ExperimentOptions& options) {
  return with_common(
      {scenario_setting(options), policy_setting(options), label_setting(options), repeat_setting(options)}, options);
}

std::vector<std::string> kinds() {
  std::vector<std::string> names = {kPair};
  for (const lab::BatchKind& kind : lab::batch_kinds()) names.emplace_back(kind.name);
  return names;
}

SettingsTable batch_settings(ExperimentOptions& options) {
  return with_common(
      {Setting("kind", &options.kind,
               batch_sentence("pair (the HPA and --policy, --repeat times each), or a batch of the reference lab:"),
               kinds())
           .require(),
       scenario_setting(options), policy_setting(options), label_setting(options), repeat_setting(options)},
      options);
}

/// Lines of any thread, on the error stream.
class Talk {
 public:
  explicit Talk(std::ostream& err) : err_(err) {}
  void operator()(const std::string& words) {
    const std::scoped_lock lock(mutex_);
    err_ << "[experiment] " << words << '\n' << std::flush;
  }

 private:
  std::mutex mutex_;
  std::ostream& err_;
};

/// Whoever reads what we say may go before us (`2>&1 | tee log`, and Ctrl-C ends tee, too): then it is lost, and what
/// has been set aside is put back all the same.
void outlive_our_readers() { std::signal(SIGPIPE, SIG_IGN); }

/// Makes clients of one cluster that share its limit of calls.
class Clients {
 public:
  Clients(kube::Connection connection, Clock& clock)
      : connection_(std::move(connection)),
        clock_(clock),
        seed_(static_cast<std::uint64_t>(os::monotonic_now().count())) {}
  kube::Client make(const kube::ClientSettings& settings) {
    return {connection_, settings, limit_, clock_, RandomStream(seed_, "kube", ++made_)};
  }

 private:
  kube::Connection connection_;
  Clock& clock_;
  std::uint64_t seed_;
  kube::RateLimit limit_{kCallsPerSecond, kCallsAtOnce};
  std::uint32_t made_ = 0;
};

std::vector<std::string> guardian_arguments(const TargetOptions& target) {
  std::vector<std::string> words = {"experiment",      "restore",      "--when-stdin-ends", "--namespace",
                                    target.name_space, "--deployment", target.deployment};
  for (const auto& [flag, value] :
       {std::pair{"--kube-server", target.cluster.kube_server},
        std::pair{"--kube-context", target.cluster.kube_context}, std::pair{"--kubeconfig", target.cluster.kubeconfig}})
    if (!value.empty()) words.insert(words.end(), {flag, value});
  return words;
}

Result<experiment::ClusterSettings> cluster_settings(const ExperimentOptions& options, Clock& clock) {
  Problems problems;
  experiment::ClusterSettings settings;
  settings.target = {.namespace_name = options.target.name_space, .deployment = options.target.deployment};
  settings.capacity_rps = options.capacity_rps;
  settings.target_utilization = options.rho_star;
  if (options.min_replicas >= 0) settings.min_replicas = options.min_replicas;
  if (options.max_replicas >= 0) settings.max_replicas = options.max_replicas;
  if (options.step_seconds > 0) settings.period = from_seconds(options.step_seconds);
  if (options.initial_replicas >= 0) settings.initial_replicas = options.initial_replicas;
  settings.settle_limit = options.settle_limit;
  settings.load = options.load;
  settings.load.url = options.target_url.empty() ? cat("http://", options.target.deployment, ".",
                                                       options.target.name_space, ".svc/work?cpu_ms=20&jitter_ms=5")
                                                 : options.target_url;
  if (!settings.load.url.starts_with("http://") && !settings.load.url.starts_with("https://"))
    problems.add(cat("--target-url is \"", settings.load.url, "\"; must begin with http:// or https://"));
  if (!options.metric_rate_window.empty()) {
    if (const auto window = parse_duration(options.metric_rate_window); window && *window > Duration::zero()) {
      settings.rate_window = *window;
    } else {
      problems.add(
          cat("--metric-rate-window is \"", options.metric_rate_window, "\"; must be a duration such as 30s or 1m"));
    }
  }
  if (const auto zone = os::find_time_zone(options.time_zone)) {
    settings.offsets = zone->offsets(clock.now(), clock.now() + kKnownOffsets);
  } else {
    problems.add(cat("--time-zone: ", zone.error().message));
  }
  settings.guardian_program = kThisProgram;
  settings.guardian_arguments = guardian_arguments(options.target);
  MPCA_TRY_VOID(problems.to_result());
  return settings;
}

Result<int> run_entries(const ExperimentOptions& options, std::vector<lab::BatchEntry> entries, Context& context) {
  outlive_our_readers();
  os::RealClock clock;
  Problems problems;
  auto settings = cluster_settings(options, clock);
  if (!settings) problems.add(settings.error().message);
  if (options.resume && options.force) problems.add("--resume keeps what --force replaces; give one of them");
  for (lab::BatchEntry& entry : entries) {
    if (entry.policy.find("{preset}") != std::string::npos) continue;  // told when the scenario is known
    if (const auto hpa = experiment::parse_cluster_hpa(entry.policy); !hpa || *hpa) continue;
    if (auto resolved = config::resolve_policy_text(entry.policy)) {
      entry.policy = *std::move(resolved);
    } else {
      problems.add(cat("--policy: ", resolved.error().message));
    }
  }
  auto scenarios =
      loads({.scenarios = options.scenarios,
             .phases = options.phases,
             .arrivals = options.arrivals == "poisson" ? load::ArrivalKind::poisson : load::ArrivalKind::constant},
            context.stop);
  if (!scenarios) problems.add(scenarios.error().message);
  auto cluster = connect(options.target.cluster);
  if (!cluster) problems.add(cluster.error().message);
  MPCA_TRY_VOID(problems.to_result());

  settings->context = cluster->connection.description;
  settings->metrics_right = right_to_ask(options.prometheus);
  Talk talk(context.err);
  Clients clients(cluster->connection, clock);
  const auto make_metrics = [&](Duration window) {
    return prometheus_metrics(options.prometheus, options.target.name_space, options.target.deployment, window,
                              clients.make({.max_attempts = 1}), clock,
                              static_cast<std::uint64_t>(os::monotonic_now().count()));
  };
  // What Prometheus is asked has problems of its own; they are those of the flags, so now is the time.
  MPCA_TRY_VOID(make_metrics(std::chrono::minutes(1)));
  experiment::ClusterPlace place(
      *std::move(settings), {.make_client = [&](const kube::ClientSettings& wanted) { return clients.make(wanted); },
                             .make_metrics = make_metrics,
                             .clock = clock,
                             .say = [&](const std::string& words) { talk(words); }});
  lab::BatchSettings batch;
  batch.scenarios = *std::move(scenarios);
  batch.entries = std::move(entries);
  batch.seed = static_cast<std::uint64_t>(options.seed);
  batch.resume = options.resume;
  batch.replace = options.force;
  batch.out = options.out;
  batch.command = context.command_line;
  batch.program = kVersionText;
  batch.git_revision = kGitRevision;
  return run_and_report(place, batch, context);
}

lab::BatchEntry policy_entry(const ExperimentOptions& options) {
  const std::string own = options.policy == kTunedMpc ? "lab-online tuned" : policy::label_of(options.policy);
  return {.label = options.label.empty() ? own : options.label,
          .policy = options.policy,
          .mode = "mpc-online",
          .repeats = options.repeats};
}

lab::BatchEntry hpa_entry(const ExperimentOptions& options, std::optional<int> target) {
  lab::BatchEntry entry = experiment::cluster_hpa_entry(target);
  entry.repeats = options.repeats;
  return entry;
}

Result<int> run_hpa(const ExperimentOptions& options, Context& context) {
  return run_entries(options,
                     {hpa_entry(options, options.hpa_target > 0 ? std::optional(options.hpa_target) : std::nullopt)},
                     context);
}

Result<int> run_mpc(const ExperimentOptions& options, Context& context) {
  return run_entries(options, {policy_entry(options)}, context);
}

Result<int> run_batch(const ExperimentOptions& options, Context& context) {
  if (options.kind == kPair)
    return run_entries(options, {hpa_entry(options, std::nullopt), policy_entry(options)}, context);
  for (const lab::BatchKind& kind : lab::batch_kinds()) {
    if (kind.name != options.kind) continue;
    if (options.policy != kTunedMpc || !options.label.empty() || options.repeats != 1) {
      return invalid(cat("batch ", options.kind,
                         " brings its own policies and repeats; leave out --policy, --label and --repeat"));
    }
    return run_entries(options, kind.entries(experiment::cluster_hpa_entry), context);
  }
  return invalid(cat("there is no batch \"", options.kind, "\""));
}

struct RestoreOptions {
  TargetOptions target;
  bool overwrite = false;
  bool discard = false;
  bool now = false;
  bool when_stdin_ends = false;
  std::string run;
};

SettingsTable settings_of(RestoreOptions& options) {
  SettingsTable table = settings_of_target(options.target);
  const SettingsTable own = {
      {"overwrite", &options.overwrite, "an HPA that others have changed meanwhile gets back what was saved"},
      {"discard", &options.discard, "an HPA that others have changed meanwhile stays, and what was saved is forgotten"},
      {"now", &options.now, "do not look first, for 40 s, whether the experiment is still under way"},
      {"run", &options.run, "only what this run has saved, as the ConfigMap names it"},
      {"when-stdin-ends", &options.when_stdin_ends,
       "wait until the standard input ends without `dismissed`: what each run starts beside itself, for its own death"},
  };
  table.insert(table.end(), own.begin(), own.end());
  for (Setting& setting : app::settings_of(options.target.cluster)) table.push_back(std::move(setting));
  return table;
}

Result<int> restore(const RestoreOptions& options, Context& context) {
  outlive_our_readers();
  if (options.overwrite && options.discard) return invalid("--overwrite and --discard exclude each other");
  const auto difference = options.overwrite ? experiment::OnDifference::overwrite
                          : options.discard ? experiment::OnDifference::discard
                                            : experiment::OnDifference::leave;
  MPCA_TRY(const ReachedCluster cluster, connect(options.target.cluster));
  const experiment::Target target{.namespace_name = options.target.name_space, .deployment = options.target.deployment};
  os::RealClock clock;
  Clients clients(cluster.connection, clock);
  kube::Client client = clients.make({});
  Talk talk(context.err);
  const auto say = [&](const std::string& words) { talk(words); };
  if (options.when_stdin_ends) {
    if (!experiment::await_abandonment()) return 0;
    // Nobody is to end this one before it is done: it is the last that knows. So it does not listen to `stop`.
    const auto restored =
        experiment::restore_with_patience(client, target, options.run, kGuardianPatience, clock, {}, say);
    if (!restored) return std::unexpected(restored.error());
    if (!*restored) return 0;
    say("the experiment was killed; its guardian restores");
    for (const std::string& sentence : (*restored)->done) say(sentence);
    for (const std::string& sentence : (*restored)->left) say(sentence);
    return (*restored)->left.empty() ? 0 : 1;
  }
  const auto restored =
      options.now
          ? experiment::restore_scaling(client, target, options.run, difference, experiment::SavedWhen::long_ago)
          : experiment::restore_if_left_behind(client, target, options.run, clock, context.stop, say, difference);
  if (!restored) return std::unexpected(restored.error());
  if (!*restored) {
    context.out << "Nothing to restore: there is no ConfigMap " << experiment::saved_name(target) << " in namespace "
                << target.namespace_name << (options.run.empty() ? "" : cat(" of the run \"", options.run, "\""))
                << '\n';
    return 0;
  }
  for (const std::string& sentence : (*restored)->done) context.out << sentence << '\n';
  for (const std::string& sentence : (*restored)->left) context.err << sentence << '\n';
  return (*restored)->left.empty() ? 0 : 1;
}

}  // namespace

Command experiment_hpa_command() {
  Command command;
  command.path = "experiment hpa";
  command.sentence = "measure the HPA of a Deployment in a cluster, under load from a Job";
  command.positionals = {"scenario"};
  command.examples = {"mpc-autoscaler experiment hpa spike --namespace shop --deployment web --out out/hpa",
                      "mpc-autoscaler experiment hpa step --namespace shop --deployment web --hpa-target 150 "
                      "--repeat 3 --out out/hpa-150"};
  return make_command<ExperimentOptions>(std::move(command), hpa_settings, run_hpa);
}

Command experiment_mpc_command() {
  Command command;
  command.path = "experiment mpc";
  command.sentence = "measure a policy in charge of a Deployment in a cluster; its HPA is set aside and comes back";
  command.positionals = {"scenario"};
  command.examples = {
      "mpc-autoscaler experiment mpc spike --namespace shop --deployment web --prom-namespace monitoring "
      "--prom-service prometheus --out out/mpc",
      "mpc-autoscaler experiment mpc step --namespace shop --deployment web --policy predictive "
      "--max-replicas 20 --prom-url http://prometheus:9090 --out out/predictive"};
  return make_command<ExperimentOptions>(std::move(command), mpc_settings, run_mpc);
}

Command experiment_batch_command() {
  Command command;
  command.path = "experiment batch";
  command.sentence = "measure the HPA and policies on the same loads, one after the other, and compare them on a page";
  command.positionals = {"kind", "scenario"};
  command.examples = {
      "mpc-autoscaler experiment batch pair spike --namespace shop --deployment web --policy predictive "
      "--prom-namespace monitoring --prom-service prometheus --out out/pair",
      "mpc-autoscaler experiment batch matched step spike seasonality --out out/matched --resume"};
  return make_command<ExperimentOptions>(std::move(command), batch_settings, run_batch);
}

Command experiment_restore_command() {
  Command command;
  command.path = "experiment restore";
  command.sentence = "put back the HPA and the replicas that an experiment has set aside and left behind";
  command.examples = {"mpc-autoscaler experiment restore --namespace shop --deployment web",
                      "mpc-autoscaler experiment restore --namespace shop --deployment web --now --overwrite"};
  return make_command<RestoreOptions>(std::move(command), settings_of, restore);
}

}  // namespace mpca::app
