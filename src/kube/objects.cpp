#include "kube/objects.h"

#include <limits>

#include "net/json.h"

namespace mpca::kube {

using nlohmann::json;

namespace {

template <class... Keys>
std::optional<int> count_at(const json& value, Keys... keys) {
  const auto count = net::integer_at(value, keys...);
  if (!count || *count < 0 || *count > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<int>(*count);
}

}  // namespace

std::optional<Scalable> parse_scalable(std::string_view object) {
  const json tree = net::parse_json(object);
  const json& spec = net::json_at(tree, "spec");
  if (!spec.is_object()) return std::nullopt;
  Scalable scalable{.resource_version = net::text_at(tree, "metadata", "resourceVersion"),
                    .selector = net::json_text(net::json_at(spec, "selector"))};
  const std::int64_t replicas = net::integer_at(spec, "replicas").value_or(1);
  if (replicas < 0 || replicas > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  scalable.spec_replicas = static_cast<int>(replicas);
  return scalable;
}

std::optional<AutoscalerOfOthers> parse_autoscaler_of_others(std::string_view object) {
  const json tree = net::parse_json(object);
  const json& reference = net::json_at(tree, "spec", "scaleTargetRef");
  AutoscalerOfOthers found{.target_api_version = net::text_at(reference, "apiVersion"),
                           .target_kind = net::text_at(reference, "kind"),
                           .target_name = net::text_at(reference, "name"),
                           .owner_kind = {}};
  if (found.target_kind.empty() || found.target_name.empty()) return std::nullopt;
  const json& owners = net::json_at(tree, "metadata", "ownerReferences");
  if (owners.is_array())
    for (const json& owner : owners)
      if (net::json_at(owner, "controller") == true) found.owner_kind = net::text_at(owner, "kind");
  return found;
}

std::optional<HpaState> parse_hpa_state(std::string_view object) {
  const auto scales = parse_autoscaler_of_others(object);
  if (!scales) return std::nullopt;
  const json tree = net::parse_json(object);
  HpaState state{.scales = *scales,
                 .name = net::text_at(tree, "metadata", "name"),
                 .uid = net::text_at(tree, "metadata", "uid"),
                 .resource_version = net::text_at(tree, "metadata", "resourceVersion")};
  const json& owners = net::json_at(tree, "metadata", "ownerReferences");
  if (owners.is_array())
    for (const json& owner : owners)
      if (net::json_at(owner, "controller") == true) state.owner_name = net::text_at(owner, "name");
  state.min_replicas = count_at(tree, "spec", "minReplicas").value_or(1);
  const json& metrics = net::json_at(tree, "spec", "metrics");
  if (metrics.is_array()) {
    for (const json& metric : metrics)
      if (net::text_at(metric, "resource", "name") == "cpu")
        state.cpu_target_percent = count_at(metric, "resource", "target", "averageUtilization");
  }
  state.current_replicas = count_at(tree, "status", "currentReplicas");
  state.desired_replicas = count_at(tree, "status", "desiredReplicas");
  return state;
}

std::optional<DeploymentState> parse_deployment_state(std::string_view object) {
  const json tree = net::parse_json(object);
  if (!net::json_at(tree, "spec").is_object()) return std::nullopt;
  // Counts of the status are omitted when they are zero.
  DeploymentState state{.uid = net::text_at(tree, "metadata", "uid"),
                        .resource_version = net::text_at(tree, "metadata", "resourceVersion"),
                        .spec_replicas = count_at(tree, "spec", "replicas").value_or(1),
                        .replicas = count_at(tree, "status", "replicas").value_or(0),
                        .ready_replicas = count_at(tree, "status", "readyReplicas").value_or(0),
                        .available_replicas = count_at(tree, "status", "availableReplicas").value_or(0)};
  state.is_observed = net::integer_at(tree, "status", "observedGeneration").value_or(0) >=
                      net::integer_at(tree, "metadata", "generation").value_or(0);
  return state;
}

std::optional<PodRun> parse_pod_run(std::string_view object, std::string_view container) {
  const json tree = net::parse_json(object);
  PodRun run{.name = net::text_at(tree, "metadata", "name")};
  if (run.name.empty()) return std::nullopt;
  const auto say = [&](const json& part) {
    const std::string reason = net::text_at(part, "reason"), message = net::text_at(part, "message");
    if (!reason.empty()) run.reason = message.empty() ? reason : reason + ": " + message;
  };
  const std::string phase = net::text_at(tree, "status", "phase");
  const json& conditions = net::json_at(tree, "status", "conditions");
  if (conditions.is_array()) {
    for (const json& condition : conditions)
      if (net::text_at(condition, "type") == "PodScheduled" && net::text_at(condition, "status") == "False")
        say(condition);
  }
  say(net::json_at(tree, "status"));
  const json& containers = net::json_at(tree, "status", "containerStatuses");
  const json none;
  const json* ours = &none;
  if (containers.is_array()) {
    for (const json& each : containers)
      if (net::text_at(each, "name") == container) ours = &each;
  }
  const json& state = net::json_at(*ours, "state");
  const auto code = net::integer_at(state, "terminated", "exitCode");
  say(net::json_at(state, "waiting"));
  say(net::json_at(state, "terminated"));
  if (code) {
    run.state = *code == 0 ? PodRun::State::succeeded : PodRun::State::failed;
  } else if (phase == "Succeeded") {
    run.state = PodRun::State::succeeded;
  } else if (phase == "Failed") {
    run.state = PodRun::State::failed;
  } else if (net::json_at(state, "running").is_object()) {
    run.state = PodRun::State::running;
  }
  if (code && *code != 0) run.reason += (run.reason.empty() ? "exit code " : ", exit code ") + std::to_string(*code);
  return run;
}

}  // namespace mpca::kube
