// `lab`: experiments with real processes on this machine. Policies, a load and a world of pods in; run directories in
// the reference lab's layout, a table and a report out.
#include <algorithm>
#include <filesystem>

#include "cli/command.h"
#include "config/policy_text.h"
#include "core/text.h"
#include "lab/experiment.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/default_policies.h"
#include "mpc-autoscaler/experiment_batch.h"
#include "mpc-autoscaler/experiment_loads.h"
#include "mpc-autoscaler/wall_clock_options.h"
#include "mpca_version.h"
#include "policy/label.h"

namespace mpca::app {
namespace {

constexpr int kMostPods = 300;

struct LabOptions {
  std::vector<std::string> scenarios;
  std::vector<std::string> traces;
  std::string phases;
  std::vector<std::string> policies;
  std::string batch;
  int repeats = 1;
  std::string arrivals = "constant";
  std::string readiness_lag = "40s";
  std::vector<std::string> chaos;
  int initial_replicas = -1;
  int seed = 1;
  std::string toy_load;
  std::string out;
  bool resume = false;
  bool force = false;
  WallClockOptions clock;  // the date is that of today
  lab::ExperimentSettings experiment{.workload = {.capacity_rps = 17.5, .max_replicas = 30}};
};

std::vector<std::string> batch_names() {
  std::vector<std::string> names = {""};
  for (const lab::BatchKind& kind : lab::batch_kinds()) names.emplace_back(kind.name);
  return names;
}

SettingsTable settings_of(LabOptions& options) {
  SettingsTable table = {
      {"scenario", &options.scenarios, "the reference lab's loads: step, spike, seasonality"},
      {"trace", &options.traces, "demand traces as loads: our CSV or any format that `trace import` reads"},
      {"phases", &options.phases, "a phases CSV (phase_idx,duration,rate_rps) as load"},
      {"policy", &options.policies, policies_sentence("policies as NAME[:key=value,...]", kComparedPolicies)},
      {"batch", &options.batch, batch_sentence("a batch of the reference lab instead of --policy and --repeat:"),
       batch_names()},
      {"repeat", &options.repeats, "", Range::between(1, 1000),
       "how often each policy meets each load; seeds differ between repeats, not between policies"},
      {"arrivals", &options.arrivals, "constant (as vegeta paces) or poisson", {"constant", "poisson"}},
      {"readiness-lag", &options.readiness_lag,
       "from asking for a pod until it is ready: 40s, lognormal(mean=40s,cv=0.3), quantiles(0.1=20s;0.9=50s) or "
       "samples(20s;31s)"},
      {"chaos", &options.chaos,
       "what goes wrong on purpose, as NAME@TIME: kill-pod, hang-pod, scrape-failures[-end], stale-metrics[-end], "
       "never-ready[-end], restart-balancer"},
      {"initial-replicas", &options.initial_replicas, "replicas", Range::at_least(-1),
       "ready at the start; -1 is --min-replicas"},
      {"seed", &options.seed, "", Range::at_least(0), "of start-up lags and arrivals"},
      {"toy-load", &options.toy_load, "the workload's program; not given: the one beside this program, else on PATH"},
      Setting("out", &options.out, "directory for run directories, summary.csv and report.html").require(),
      {"resume", &options.resume, "keep the finished runs in --out and run what is missing"},
      {"force", &options.force, "replace results that are already in --out"},
      time_zone_setting(options.clock),
  };
  for (Setting& setting : policy::settings_of(options.experiment.workload)) {
    const std::string& name = setting.name();
    const SettingInfo& info = setting.info();
    if (name == "min-replicas" || name == "max-replicas") {
      table.emplace_back(name.substr(0, 3), setting.place(), info.unit, Range::between(0, kMostPods),
                         info.sentence + "; a pod is a process here");
    } else if (name == "capacity") {
      table.emplace_back("capacity-rps", setting.place(), info.unit, Range::above(0), info.sentence);
    } else {
      table.push_back(std::move(setting));
    }
  }
  for (Setting& setting : lab::settings_of(options.experiment)) table.push_back(std::move(setting));
  return table;
}

/// A policy is the HPA's stand-in or a controller of its own: what run-meta.yaml calls its mode.
std::string mode_of(const std::string& policy) {
  const bool is_hpa = policy.starts_with("lab-hpa") || policy.starts_with("hpa") || policy.starts_with("reactive") ||
                      policy.starts_with("static");
  return is_hpa ? "baseline-incluster" : "mpc-online";
}

std::string toy_load_program(const std::string& given) {
  if (!given.empty()) return given;
  std::error_code error;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "toy-load";
  return std::filesystem::exists(beside, error) ? beside.string() : "toy-load";
}

Result<int> run_lab(const LabOptions& options, Context& context) {
  lab::ExperimentSettings experiment = options.experiment;
  experiment.toy_load = toy_load_program(options.toy_load);
  experiment.initial_replicas =
      options.initial_replicas < 0 ? options.experiment.workload.min_replicas : options.initial_replicas;
  lab::BatchSettings settings;
  settings.seed = static_cast<std::uint64_t>(options.seed);
  settings.resume = options.resume;
  settings.replace = options.force;
  settings.out = options.out;
  settings.command = context.command_line;
  settings.program = kVersionText;
  settings.git_revision = kGitRevision;

  Problems problems;
  if (const auto lag = DurationDistribution::parse(options.readiness_lag)) {
    experiment.readiness_lag = *lag;
  } else {
    problems.add(cat("--readiness-lag: ", lag.error().message));
  }
  for (const std::string& text : options.chaos) {
    if (const auto event = lab::parse_chaos_event(text, "--chaos")) {
      experiment.chaos.push_back(*event);
    } else {
      problems.add(event.error().message);
    }
  }
  if (options.resume && options.force) problems.add("--resume keeps what --force replaces; give one of them");
  const std::vector<std::string> policies =
      options.batch.empty() ? given_or(options.policies, kComparedPolicies) : options.policies;
  if (!options.batch.empty() && !policies.empty()) problems.add("--batch brings its own policies; leave out --policy");
  for (const lab::BatchKind& kind : lab::batch_kinds())
    if (kind.name == options.batch) settings.entries = kind.entries(lab::lab_hpa);
  for (const std::string& policy : policies) {
    if (std::count(policies.begin(), policies.end(), policy) > 1)
      problems.add(cat("--policy ", policy, " is given twice"));
    const auto resolved = config::resolve_policy_text(policy);
    if (resolved) {
      settings.entries.push_back({*resolved, policy::label_of(*resolved), mode_of(*resolved), options.repeats});
    } else {
      problems.add(cat("--policy: ", resolved.error().message));
    }
  }
  if (auto clock = wall_clock(options.clock)) {
    experiment.offsets = std::move(clock->offsets);
  } else {
    problems.add(clock.error().message);
  }
  auto scenarios =
      loads({.scenarios = options.scenarios,
             .phases = options.phases,
             .traces = options.traces,
             .arrivals = options.arrivals == "poisson" ? load::ArrivalKind::poisson : load::ArrivalKind::constant},
            context.stop);
  if (scenarios) {
    settings.scenarios = *std::move(scenarios);
  } else {
    problems.add(scenarios.error().message);
  }
  MPCA_TRY_VOID(problems.to_result());

  lab::LocalPlace place(std::move(experiment));
  return run_and_report(place, settings, context);
}

}  // namespace

Command lab_command() {
  Command command;
  command.path = "lab";
  command.sentence =
      "run policies against real processes on this machine: pods, a balancer, scraped metrics, real load";
  command.examples = {"mpc-autoscaler lab --scenario spike --speed 8 --out out/lab",
                      "mpc-autoscaler lab --scenario step --policy predictive reactive --readiness-lag "
                      "'lognormal(mean=40s,cv=0.3)' --repeat 3 "
                      "--speed 10 --out out/step"};
  return make_command<LabOptions>(std::move(command), settings_of, run_lab);
}

}  // namespace mpca::app
