// `run-one`, the reference lab's `mpc-control-loop`: one workload of a cluster under live control for a while, with the
// lab's flags and log. A dry run unless --apply is given.
#include <deque>

#include "cli/command.h"
#include "config/policy_text.h"
#include "control/control_run.h"
#include "control/kube_workload.h"
#include "core/os/real_clock.h"
#include "core/os/time_zone.h"
#include "core/text.h"
#include "mpc-autoscaler/cluster_options.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "mpca_version.h"
#include "policy/lab_online/lab_online.h"

namespace mpca::app {
namespace {

constexpr double kCallsPerSecond = 50.0;
constexpr int kCallsAtOnce = 100;
constexpr Duration kKnownOffsets = std::chrono::hours(24 * 365 * 5);

/// A setting of lab-online as a flag of its own; checked when the policy is made.
struct LabFlag {
  std::string name;
  std::string text;
  bool is_on = false;
  bool is_switch = false;
  std::string default_text;

  bool is_changed() const { return is_switch ? is_on != (default_text == "true") : text != default_text; }
  std::string value() const { return is_switch ? (is_on ? "true" : "false") : text; }
};

struct ControlLoopOptions {
  std::string name_space = "default";
  std::string deployment = "toy-load-toy-load";
  std::string kind = "Deployment";
  std::string api_version = "apps/v1";
  PrometheusOptions prometheus;
  double step_seconds = 15.0;
  double duration_seconds = 900.0;
  std::string metric_rate_window = "1m";
  policy::Workload workload;
  std::deque<LabFlag> lab_flags;
  std::string policy;
  std::string time_zone = "UTC";
  std::string log_csv;
  std::string decision_log;
  bool apply = false;
  bool dry_run = false;
  ClusterOptions cluster;
};

SettingsTable settings_of(ControlLoopOptions& options) {
  SettingsTable table = {
      {"namespace", &options.name_space, "of the workload and its pods' metrics"},
      {"deployment", &options.deployment, "name of the workload; also the label `job` of its metrics"},
      {"kind", &options.kind, "of the workload: anything with a scale subresource"},
      {"api-version", &options.api_version, "of that kind, as apps/v1"},
      {"step-seconds", &options.step_seconds, "s", Range::between(0.1, 3600), "between decisions"},
      {"duration-seconds", &options.duration_seconds, "s", Range::between(0, 1e9), "of the run; 0: until stopped"},
      {"metric-rate-window", &options.metric_rate_window, "over which rates are means, as 1m"},
  };
  for (Setting& setting : settings_of(options.prometheus)) table.push_back(std::move(setting));
  for (const SettingInfo& info : policy::lab_online_settings()) {
    LabFlag& flag = options.lab_flags.emplace_back();
    flag.name = info.name;
    flag.text = flag.default_text = info.default_text;
    flag.is_switch = info.default_text == "true" || info.default_text == "false";
    flag.is_on = info.default_text == "true";
    const std::string sentence = cat(info.sentence, " (", info.accepts, ")");
    if (flag.is_switch) {
      table.emplace_back(flag.name, &flag.is_on, sentence);
    } else {
      table.emplace_back(flag.name, &flag.text, sentence);
    }
  }
  for (Setting& setting : policy::settings_of(options.workload)) {
    const SettingInfo& info = setting.info();
    if (setting.name() == "period") continue;
    const std::string name = setting.name() == "capacity"             ? "capacity-per-replica"
                             : setting.name() == "target-utilization" ? "rho-star"
                                                                      : setting.name();
    const Range range = setting.name() == "min-replicas"         ? Range::between(1, 1'000'000)
                        : setting.name() == "max-replicas"       ? Range::between(1, 1'000'000)
                        : setting.name() == "target-utilization" ? Range{.low = 0, .high = 1, .low_open = true}
                                                                 : Range::above(0);
    table.emplace_back(name, setting.place(), info.unit, range, info.sentence);
  }
  const SettingsTable rest = {
      {"policy", &options.policy,
       "NAME[:key=value,...], see `mpc-autoscaler policies`; not given: predictive, or, when the command is called "
       "mpc-control-loop or any of the flags from --control-mode on is given, lab-online with these"},
      {"time-zone", &options.time_zone, "where the workload's users live, as Europe/Berlin"},
      Setting("log-csv", &options.log_csv, "the control log, a row per decision; replaced").require(),
      {"decision-log", &options.decision_log, "the lossless log for `replay`, as FILE.jsonl; replaced"},
      {"apply", &options.apply, "scale the workload; without it nothing is ever written"},
      {"dry-run", &options.dry_run, "say only what would be done (the default)"},
  };
  table.insert(table.end(), rest.begin(), rest.end());
  for (Setting& setting : settings_of(options.cluster)) table.push_back(std::move(setting));
  return table;
}

/// Of the flags that are not as they were.
std::string lab_online_text(const ControlLoopOptions& options) {
  std::string text;
  for (const LabFlag& flag : options.lab_flags)
    if (flag.is_changed()) text += cat(text.empty() ? ":" : ",", flag.name, "=", flag.value());
  return text;
}

Result<std::string> policy_text(const ControlLoopOptions& options, bool lab_manners) {
  const std::string flags = lab_online_text(options);
  if (options.policy.empty())
    return lab_manners || !flags.empty() ? cat("lab-online", flags) : std::string("predictive");
  if (!flags.empty())
    return invalid(cat("--policy ", options.policy, " does not go with flags of lab-online (", flags.substr(1), ")"));
  return config::resolve_policy_text(options.policy);
}

Result<int> control_loop(const ControlLoopOptions& options, Context& context) {
  Problems problems;
  policy::Workload workload = options.workload;
  workload.period = from_seconds(options.step_seconds);
  if (const auto valid = policy::validate(workload); !valid) problems.add(valid.error().message);
  if (options.apply && options.dry_run) problems.add("--apply and --dry-run exclude each other");
  const auto text = policy_text(options, context.lab_manners);
  if (!text) problems.add(text.error().message);
  auto policy =
      text ? policy::create_policy(*text, workload, "--policy") : Result<std::unique_ptr<policy::Policy>>(nullptr);
  if (!policy) problems.add(policy.error().message);
  const auto zone = os::find_time_zone(options.time_zone);
  if (!zone) problems.add(cat("--time-zone: ", zone.error().message));
  const auto window = parse_duration(options.metric_rate_window);
  if (!window) {
    problems.add(
        cat("--metric-rate-window is \"", options.metric_rate_window, "\"; must be a duration such as 30s or 1m"));
  }
  auto cluster = connect(options.cluster);
  if (!cluster) problems.add(cluster.error().message);
  os::RealClock clock;
  // Replicas of a controller are to draw different pauses.
  const auto seed = static_cast<std::uint64_t>(os::monotonic_now().count());
  kube::RateLimit limit(kCallsPerSecond, kCallsAtOnce);
  const kube::Connection connection = cluster ? cluster->connection : kube::Connection{};
  // Its questions are tried again by who asks them; both together outlast many periods.
  auto metrics = prometheus_metrics(
      options.prometheus, options.name_space, options.deployment, window.value_or(std::chrono::minutes(1)),
      kube::Client(connection, {.max_attempts = 1}, limit, clock, RandomStream(seed, "queries")), clock, seed);
  if (!metrics) problems.add(metrics.error().message);
  if (!problems.empty()) return input_failure(problems.to_result().error(), "mpc-control-loop", context);

  context.out << "[mpc] " << cluster->shown << '\n';
  if (!options.apply) context.out << "[mpc] dry-run mode: pass --apply to scale the deployment\n";
  context.out.flush();

  kube::Client client(cluster->connection, {}, limit, clock, RandomStream(seed, "kube"));
  control::KubeWorkload target({.api_version = options.api_version,
                                .kind = options.kind,
                                .namespace_name = options.name_space,
                                .name = options.deployment},
                               client);
  control::LiveWorld world({.workload = workload,
                            .length = from_seconds(options.duration_seconds),
                            .apply = options.apply,
                            .offsets = zone->offsets(clock.now(), clock.now() + kKnownOffsets)},
                           target, **metrics, clock, context.stop, [&](const std::string& trouble) {
                             context.err << "[mpc] " << trouble << '\n' << std::flush;
                           });
  const auto run = control::control(
      world, **policy,
      {.control_log = options.log_csv,
       .decision_log = options.decision_log,
       .header = {.policy = *text,
                  .workload = workload,
                  .world = "live",
                  .trace = options.deployment,
                  .program = kVersionText}},
      context.stop, [&](const policy::Observation& seen, const policy::Decision& decision, const control::Applied&) {
        context.out << "[mpc] " << policy::explanation_sentence(seen, decision) << '\n' << std::flush;
      });
  if (!run) return input_failure(run.error(), "mpc-control-loop", context);
  if (world.periods_without_decision() > 0)
    context.err << "[mpc] no decision in " << world.periods_without_decision() << " periods\n";
  context.out << "Saved control log: " << options.log_csv << '\n';
  return run->was_stopped ? 130 : 0;
}

}  // namespace

Command control_loop_command() {
  Command command;
  command.path = "run-one";
  command.lab_name = "mpc-control-loop";
  command.sentence = "control one live workload, or only say what would be done, and log each decision";
  command.examples = {
      "mpc-autoscaler run-one --namespace shop --deployment web --prom-url http://prometheus:9090 --log-csv "
      "out/web.csv",
      "mpc-autoscaler run-one --deployment toy-load --kube-server http://127.0.0.1:8001 --control-mode no_qp_reactive "
      "--duration-seconds 300 --log-csv out/log.csv --apply"};
  return make_command<ControlLoopOptions>(std::move(command), settings_of, control_loop);
}

}  // namespace mpca::app
