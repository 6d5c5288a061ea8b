#include "experiment/cluster_place.h"

#include <algorithm>

#include "core/text.h"
#include "experiment/internal/cluster_run.h"
#include "policy/lab_online/lab_online.h"

namespace mpca::experiment {
namespace {

constexpr std::string_view kClusterHpa = "cluster-hpa";
constexpr std::string_view kTarget = "target=";
constexpr Duration kRateWindow = std::chrono::minutes(1);  // of run-one

}  // namespace

Result<std::optional<ClusterHpa>> parse_cluster_hpa(const std::string& policy) {
  std::string_view text = trim(policy);
  if (!text.starts_with(kClusterHpa)) return std::nullopt;
  text.remove_prefix(kClusterHpa.size());
  if (text.empty()) return ClusterHpa{};
  if (!text.starts_with(':')) return std::nullopt;
  text.remove_prefix(1);
  const auto percent = text.starts_with(kTarget) ? parse_int(text.substr(kTarget.size())) : std::nullopt;
  if (!percent || *percent < 1 || *percent > 10'000)
    return invalid(cat("--policy ", policy, ": must be ", kClusterHpa, " or ", kClusterHpa,
                       ":target=PERCENT, with a CPU target of 1 to 10000 % of the pods' requests"));
  return ClusterHpa{static_cast<int>(*percent)};
}

lab::BatchEntry cluster_hpa_entry(std::optional<int> target_percent) {
  lab::BatchEntry entry{.label = "HPA", .policy = std::string(kClusterHpa), .mode = "baseline-incluster"};
  if (target_percent) {
    entry.label = cat("HPA at ", *target_percent, " %");
    entry.policy = cat(kClusterHpa, ":", kTarget, *target_percent);
  }
  return entry;
}

bool reads_metrics(const std::string& policy) { return trim(policy.substr(0, policy.find(':'))) != "static"; }

Tuning tuning_of(const ClusterSettings& settings, const std::string& scenario) {
  Tuning tuning{.workload = {.capacity_rps = settings.capacity_rps, .target_utilization = settings.target_utilization},
                .rate_window = kRateWindow};
  if (const policy::LabOnlinePreset* preset = policy::lab_online_preset(scenario); preset != nullptr) {
    tuning.workload.period = preset->period;
    tuning.workload.min_replicas = preset->min_replicas;
    tuning.workload.max_replicas = preset->max_replicas;
    tuning.rate_window = preset->metric_rate_window;
  }
  tuning.workload.min_replicas = settings.min_replicas.value_or(tuning.workload.min_replicas);
  tuning.workload.max_replicas = settings.max_replicas.value_or(tuning.workload.max_replicas);
  tuning.workload.period = settings.period.value_or(tuning.workload.period);
  tuning.rate_window = settings.rate_window.value_or(tuning.rate_window);
  return tuning;
}

std::vector<kube::Right> needed_rights(const Target& target) {
  std::vector<kube::Right> rights;
  const auto need = [&](std::string_view verbs, const std::string& group, const std::string& resource) {
    for (const std::string_view verb : split(verbs, ' '))
      rights.push_back({std::string(verb), group, resource, target.namespace_name});
  };
  need("get", "apps", "deployments");
  need("get patch", "apps", "deployments/scale");
  need("get list create update delete", "autoscaling", "horizontalpodautoscalers");
  need("get create patch delete", "", "configmaps");
  need("get create delete", "batch", "jobs");
  need("list", "", "pods");
  need("get", "", "pods/log");
  return rights;
}

Result<void> ClusterPlace::check(const lab::RunPlan& plan) {
  Problems problems;
  const Tuning tuning = tuning_of(settings_, plan.scenario);
  if (const auto valid = policy::validate(tuning.workload); !valid)
    problems.add(cat(plan.scenario, ": ", valid.error().message));
  if (plan.phases.empty())
    problems.add(cat(plan.scenario, ": has no phases of a constant rate, which is what a load Job takes"));
  const auto hpa = parse_cluster_hpa(plan.policy);
  if (!hpa) {
    problems.add(hpa.error().message);
  } else if (!*hpa) {
    if (const auto made = policy::create_policy(plan.policy, tuning.workload, "--policy"); !made)
      problems.add(made.error().message);
  }
  if (settings_.initial_replicas && (*settings_.initial_replicas < tuning.workload.min_replicas ||
                                     *settings_.initial_replicas > tuning.workload.max_replicas)) {
    problems.add(cat("--initial-replicas is ", *settings_.initial_replicas, "; must lie within ",
                     tuning.workload.min_replicas, " and ", tuning.workload.max_replicas, ", the bounds on ",
                     plan.scenario));
  }
  MPCA_TRY_VOID(problems.to_result());
  const bool needs_metrics = !*hpa && reads_metrics(plan.policy);
  const std::string kind = *hpa ? "hpa" : needs_metrics ? "policy with metrics" : "policy";
  if (!checked_.insert(kind).second) return {};
  return check_cluster(*hpa, needs_metrics, tuning.rate_window);
}

Result<void> ClusterPlace::check_cluster(const std::optional<ClusterHpa>& hpa, bool needs_metrics,
                                         Duration rate_window) {
  kube::Client client = tools_.make_client({});
  Problems problems;
  for (const kube::Right& right : needed_rights(settings_.target)) {
    const auto allowed = kube::is_allowed(client, right);
    if (!allowed) return std::unexpected(to_error(allowed.error()));
    if (!*allowed)
      problems.add(cat("missing right: ", describe(right), "; deploy/optional/experiments.yaml grants it"));
  }
  if (needs_metrics && settings_.metrics_right) {
    const auto allowed = kube::is_allowed(client, *settings_.metrics_right);
    if (!allowed) return std::unexpected(to_error(allowed.error()));
    if (!*allowed)
      problems.add(cat("missing right: ", describe(*settings_.metrics_right),
                       "; deploy/optional/prometheus-proxy.yaml grants it. If that is not where Prometheus is, give "
                       "--prom-namespace and --prom-service, or --prom-url"));
  }
  MPCA_TRY_VOID(problems.to_result());
  const auto deployment = read_deployment(client, settings_.target);
  if (!deployment) return std::unexpected(to_error(deployment.error()));
  const auto hpas = hpas_of(client, settings_.target);
  if (!hpas) return std::unexpected(to_error(hpas.error()));
  MPCA_TRY_VOID(internal::check_hpas(settings_.target, *hpas, hpa));
  return needs_metrics ? check_metrics(deployment->state.ready_replicas, rate_window) : Result<void>();
}

/// A workload without load may have no series yet; a source that does not answer will not have them later.
Result<void> ClusterPlace::check_metrics(int ready_replicas, Duration rate_window) {
  MPCA_TRY(const auto metrics, tools_.make_metrics(rate_window));
  const control::LiveReading reading = metrics->read(ready_replicas);
  if (!reading.was_answered) {
    return invalid(cat("the policy decides by metrics, and Prometheus did not answer: ", reading.trouble,
                       "; give --prom-namespace and --prom-service, or --prom-url"));
  }
  if (!reading.trouble.empty())
    tools_.say(cat("before the load, metrics of ", describe(settings_.target), ": ", reading.trouble));
  return {};
}

Result<lab::MeasuredRun> ClusterPlace::run(const lab::RunPlan& plan, const std::stop_token& stop,
                                           const lab::OnProgress& on_progress) {
  return internal::run_in_cluster(settings_, tools_, plan, stop, on_progress);
}

lab::ConfigurationRows ClusterPlace::configuration() const {
  lab::ConfigurationRows rows = {{"world", "cluster"},
                                 {"cluster", settings_.context},
                                 {"namespace", settings_.target.namespace_name},
                                 {"deployment", settings_.target.deployment},
                                 {"load", settings_.load.url},
                                 {"load image", settings_.load.image},
                                 {"capacity", cat(settings_.capacity_rps, " rps")},
                                 {"target-utilization", shortest(settings_.target_utilization)}};
  const auto add = [&](const char* name, const auto& value, const auto& text) {
    rows.emplace_back(name, value ? text(*value) : std::string("the scenario's"));
  };
  const auto count = [](int replicas) { return cat(replicas, " replicas"); };
  add("min-replicas", settings_.min_replicas, count);
  add("max-replicas", settings_.max_replicas, count);
  add("period", settings_.period, format_duration);
  add("rate-window", settings_.rate_window, format_duration);
  return rows;
}

}  // namespace mpca::experiment
