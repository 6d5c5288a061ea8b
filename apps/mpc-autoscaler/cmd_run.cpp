// `run`, the controller: all PredictiveAutoscalers of a cluster. A dry run unless --apply is given; then the objects
// with mode Auto are acted on.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

#include "cli/command.h"
#include "control/cluster_watch.h"
#include "control/controller.h"
#include "control/controller_metrics.h"
#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/text.h"
#include "keda/scaler_server.h"
#include "kube/access.h"
#include "kube/lease.h"
#include "mpc-autoscaler/cluster_options.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "mpca_version.h"
#include "trace/timestamps.h"

namespace mpca::app {
namespace {

constexpr Duration kSwitchReadEvery = std::chrono::seconds(2);

struct RunOptions {
  bool apply = false;
  std::string apply_file;
  std::vector<std::string> watch_namespaces;
  std::string own_namespace;
  std::string lease = "mpc-autoscaler";
  bool no_leader_election = false;
  bool no_saved_state = false;
  std::string listen = ":8080";
  int workers = 8;
  double calls_per_second = 50.0;
  int calls_at_once = 100;
  Duration status_interval = std::chrono::minutes(1);
  Duration save_interval = std::chrono::minutes(15);
  Duration scrape_interval = std::chrono::seconds(1);
  std::string record;
  runlog::FlightRecorderSettings recorder;
  keda::ScalerServerSettings keda;
  control::PrometheusAccess prometheus;
  ClusterOptions cluster;
};

SettingsTable settings_of(RunOptions& options) {
  const std::string pod_namespace = environment("POD_NAMESPACE");
  options.own_namespace = pod_namespace.empty() ? "default" : pod_namespace;
  SettingsTable table = {
      {"apply", &options.apply, "act on objects with mode Auto; without it nothing is ever written to a workload"},
      {"apply-file", &options.apply_file,
       "with --apply: act only while this file says true; a mounted ConfigMap is a switch for all, without a restart"},
      {"watch-namespace", &options.watch_namespaces, "only objects in it; may be repeated; not given: all namespaces"},
      {"namespace", &options.own_namespace, "of the lease and of what is saved (POD_NAMESPACE)"},
      {"lease", &options.lease, "by which the processes agree on who acts"},
      {"no-leader-election", &options.no_leader_election, "there is only this process; two of them would both act"},
      {"no-saved-state", &options.no_saved_state, "forget what was learned when the process ends"},
      {"listen", &options.listen, "HOST:PORT or :PORT for /metrics, /healthz and /readyz"},
      {"workers", &options.workers, "", Range::between(1, 256), "threads that run the periods of objects"},
      {"calls-per-second", &options.calls_per_second, "1/s", Range::between(1, 10'000), "to the API server, in all"},
      {"calls-at-once", &options.calls_at_once, "", Range::between(1, 10'000), "of those, after a pause"},
      {"status-interval", &options.status_interval, "duration", Range::between(1, 3600),
       "between writes of a status in which only numbers move"},
      {"save-interval", &options.save_interval, "duration", Range::between(10, 86400),
       "between savings of what was learned"},
      {"scrape-interval", &options.scrape_interval, "duration", Range::between(0.2, 300),
       "between scrapes of a pod, where objects say load.scrape"},
      {"prom-url", &options.prometheus.urls,
       "address that objects may name in load.prometheus.url; may be repeated; not given: none"},
      {"record", &options.record, "directory of the flight recorder, for `replay`, `explain` and `report shadow`"},
  };
  for (const Setting& setting : app::settings_of(options.prometheus.credentials)) table.push_back(setting);
  for (const Setting& setting : runlog::settings_of(options.recorder)) table.push_back(setting);
  for (const Setting& setting : keda::settings_of(options.keda)) table.push_back(setting);
  for (const Setting& setting : settings_of(options.cluster)) table.push_back(setting);
  return table;
}

/// Lines of any thread.
class Log {
 public:
  explicit Log(std::ostream& out) : out_(out) {}
  void operator()(const std::string& line) {
    const std::scoped_lock lock(mutex_);
    out_ << trace::format_rfc3339(os::RealClock().now()) << ' ' << line << '\n' << std::flush;
  }

 private:
  std::mutex mutex_;
  std::ostream& out_;
};

/// Whether the process may act: --apply, and the switch when there is one. What cannot be read says no.
class ApplySwitch {
 public:
  ApplySwitch(bool apply, std::string file) : apply_(apply), file_(std::move(file)) {}
  bool is_on() {
    if (!apply_ || file_.empty()) return apply_;
    const std::scoped_lock lock(mutex_);
    const Duration now = os::monotonic_now();
    if (!read_at_ || now - *read_at_ >= kSwitchReadEvery) {
      const auto text = os::read_file(file_, 100);
      is_on_ = text && trim(*text) == "true";
      read_at_ = now;
    }
    return is_on_;
  }

 private:
  const bool apply_;
  const std::string file_;
  std::mutex mutex_;  // of what follows
  std::optional<Duration> read_at_;
  bool is_on_ = false;
};

std::string identity(std::uint64_t seed) {
  std::string name = environment("POD_NAME");
  if (name.empty()) {
    std::array<char, 256> host{};
    name = gethostname(host.data(), host.size() - 1) == 0 ? host.data() : "unknown";
  }
  return cat(name, "_", RandomStream(seed, "identity").bits());
}

class ClusterWorker final : public control::Controller::Worker {
 public:
  ClusterWorker(const control::PrometheusAccess& prometheus, kube::Client client, prom::Scraper& scraper, Clock& clock,
                RandomStream random)
      : client_(std::move(client)), load_(prometheus, client_, scraper, clock, random) {}
  control::SessionTools tools() override { return {client_, load_}; }

 private:
  kube::Client client_;
  control::ClusterLoadReader load_;
};

struct NeededRight {
  kube::Right right;
  bool is_required = true;
};

std::vector<NeededRight> needed_rights(const RunOptions& options) {
  std::vector<NeededRight> needed;
  const auto everywhere = [&](std::string_view verbs, std::string group, const std::string& resource, bool required) {
    for (const std::string_view verb : split(verbs, ' '))
      for (const std::string& space :
           options.watch_namespaces.empty() ? std::vector<std::string>{""} : options.watch_namespaces)
        needed.push_back({{std::string(verb), group, resource, space}, required});
  };
  everywhere("list watch", "", "pods", true);
  everywhere("list watch", "apps", "deployments", true);
  everywhere("list watch", "apps", "statefulsets", true);
  everywhere("list watch", "autoscaling", "horizontalpodautoscalers", true);
  everywhere("list watch", "autoscaling.mpc.dev", "predictiveautoscalers", true);
  everywhere("patch", "autoscaling.mpc.dev", "predictiveautoscalers/status", true);
  if (options.apply) everywhere("get patch", "apps", "deployments/scale", true);
  if (options.apply) everywhere("get patch", "apps", "statefulsets/scale", false);
  everywhere("create patch", "events.k8s.io", "events", false);
  const auto own = [&](std::string_view verbs, std::string group, const std::string& resource, std::string name) {
    for (const std::string_view verb : split(verbs, ' '))
      needed.push_back({{std::string(verb), group, resource, options.own_namespace, name}, true});
  };
  if (!options.no_leader_election) {
    own("create", "coordination.k8s.io", "leases", "");
    own("get update", "coordination.k8s.io", "leases", options.lease);
  }
  if (!options.no_saved_state) own("get list create patch delete", "", "configmaps", "");
  return needed;
}

/// Says each right that is missing. False when nothing can be done without one of them.
bool has_rights(kube::Client& client, const RunOptions& options, Log& log) {
  bool has_all = true;
  for (const NeededRight& needed : needed_rights(options)) {
    const auto allowed = kube::is_allowed(client, needed.right);
    if (!allowed) {
      log(cat("rights were not checked: ", allowed.error().message));
      return true;
    }
    if (*allowed) continue;
    log(cat(needed.is_required ? "missing right: " : "missing right, going on without: ", describe(needed.right),
            "; deploy/rbac.yaml grants it"));
    has_all = has_all && !needed.is_required;
  }
  return has_all;
}

/// As the API server takes a namespace's name. An empty one, of a variable that is not set, would mean the whole
/// cluster.
bool is_dns_label(std::string_view text) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && is_alnum(text.front()) && is_alnum(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return is_alnum(c) || c == '-'; });
}

keda::Source keda_source(const control::Controller& controller, Clock& clock) {
  return {.is_leading = [&controller] { return controller.is_leading(); },
          .find = [&controller, &clock](const std::string& namespace_name,
                                        const std::string& name) -> std::optional<keda::LastDecision> {
            const auto summary = controller.summary(namespace_name, name);
            if (!summary) return std::nullopt;
            keda::LastDecision last{
                .desired_replicas = summary->desired_replicas, .age = std::nullopt, .period = summary->period};
            if (summary->last_decision) last.age = clock.now() - *summary->last_decision;
            return last;
          }};
}

Result<int> run(const RunOptions& options, Context& context) {
  Problems problems;
  auto cluster = connect(options.cluster);
  if (!cluster) problems.add(cluster.error().message);
  const auto seed = static_cast<std::uint64_t>(os::RealClock().now().time_since_epoch().count() ^
                                               (os::monotonic_now().count() << 20) ^ getpid());
  const kube::LeaseSettings lease{
      .namespace_name = options.own_namespace, .name = options.lease, .identity = identity(seed)};
  if (const auto valid = kube::check(lease); !valid) problems.add(valid.error().message);
  for (const std::string& space : options.watch_namespaces)
    if (!is_dns_label(space))
      problems.add(
          cat("--watch-namespace \"", space,
              "\" is no namespace; must be 1 to 63 of a-z, 0-9 and '-', with no '-' at an end; leave it out to "
              "watch all"));
  if (!options.apply_file.empty() && !options.apply) problems.add("--apply-file is only of use with --apply");
  if (const auto valid = keda::check(options.keda); !valid) problems.add(valid.error().message);
  if (const auto valid = control::check(options.prometheus.urls, options.prometheus.credentials); !valid)
    problems.add(valid.error().message);
  if (!problems.empty()) return input_failure(problems.to_result().error(), "mpc-autoscaler run", context);
  std::optional<runlog::FlightRecorder> recorder;
  if (!options.record.empty()) {
    auto opened = runlog::FlightRecorder::open(options.record, options.recorder);
    if (!opened) return input_failure(opened.error(), "mpc-autoscaler run", context);
    recorder = *std::move(opened);
  }

  Log log(context.err);
  os::RealClock clock;
  kube::RateLimit limit(options.calls_per_second, options.calls_at_once);
  std::atomic<std::uint32_t> clients = 0;
  const auto make_client = [&](const kube::ClientSettings& settings) {
    return kube::Client(cluster->connection, settings, limit, clock, RandomStream(seed, "kube", ++clients));
  };
  const kube::ClientSettings once{.max_attempts = 1};
  log(cat("mpc-autoscaler ", kVersionText, ", ", cluster->shown,
          options.apply ? "; acts on objects with mode Auto" : "; dry run: --apply acts"));
  if (recorder)
    for (const std::string& repair : recorder->repairs()) log(cat("recorder: ", repair));
  {
    kube::Client client = make_client(once);
    if (!has_rights(client, options, log)) return 1;
  }

  control::ClusterIndex index;
  control::SavedStates states(options.no_saved_state ? std::string() : options.own_namespace);
  ApplySwitch apply(options.apply, options.apply_file);
  control::ControllerMetrics metrics;
  prom::Scraper scraper({.interval = options.scrape_interval});
  std::unique_ptr<kube::LeaseElector> elector;
  const control::ClusterWatch* known = nullptr;  // made below, before anything is decided
  control::Controller controller(
      {.index = index,
       .states = states,
       .clock = clock,
       .may_write = [&] { return elector == nullptr || elector->may_write(); },
       .may_apply = [&] { return apply.is_on(); },
       .has_room = [&] { return limit.has_room(kube::Priority::background, clock.now()); },
       .has_rival = {},
       .recorder = recorder ? &*recorder : nullptr,
       .program = kVersionText,
       .took = [&](control::Stage stage, Duration time) { metrics.took(stage, time); },
       .log = [&](const std::string& line) { log(line); },
       .instance = lease.identity,
       .status_interval = options.status_interval,
       .save_interval = options.save_interval,
       .sees_all_objects = options.watch_namespaces.empty()},
      [&] {
        return std::make_unique<ClusterWorker>(options.prometheus, make_client({}), scraper, clock,
                                               RandomStream(seed, "load", ++clients));
      },
      [&] { return known->trouble(); }, [&](const std::string& uid) { scraper.remove_workload(uid); });

  const control::ClusterWatch watch([&] { return make_client(once); }, options.watch_namespaces, index,
                                    [&](const kube::Change& change) { controller.on_object(change); }, seed);
  known = &watch;
  auto server = control::ControllerServer::start(
      options.listen, {.metrics = [&] { return metrics.text(controller, recorder ? &*recorder : nullptr); },
                       .health = [&] { return control::stuck(controller.figures()); },
                       .readiness = [&] { return watch.trouble(); }});
  if (!server) return input_failure(server.error(), "mpc-autoscaler run", context);
  log(cat("listening on port ", server->port()));
  std::optional<keda::ScalerServer> scaler;
  if (!options.keda.listen.empty()) {
    auto started = keda::ScalerServer::start(options.keda, keda_source(controller, clock),
                                             [&](const std::string& line) { log(line); });
    if (!started) return input_failure(started.error(), "mpc-autoscaler run", context);
    scaler = *std::move(started);
    log(cat("for KEDA on port ", scaler->port(), ", while this process leads"));
  }
  if (!options.no_leader_election)
    elector = std::make_unique<kube::LeaseElector>(make_client({.timeout = std::chrono::seconds(3), .max_attempts = 1}),
                                                   lease, RandomStream(seed, "lease"));

  controller.run(context.stop, options.workers, std::chrono::seconds(20));
  scaler.reset();
  elector.reset();
  log("stopped");
  return 0;
}

}  // namespace

Command run_command() {
  Command command;
  command.path = "run";
  command.sentence = "the controller: decide for all PredictiveAutoscalers of a cluster, and act where that is allowed";
  command.examples = {"mpc-autoscaler run --kube-context staging", "mpc-autoscaler run --apply --record /var/lib/mpca"};
  return make_command<RunOptions>(std::move(command), settings_of, run);
}

}  // namespace mpca::app
