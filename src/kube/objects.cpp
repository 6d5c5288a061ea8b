#include "kube/objects.h"

#include <limits>

#include "kube/internal/json.h"

namespace mpca::kube {

using internal::json;

namespace {

template <class... Keys>
std::optional<int> count_at(const json& value, Keys... keys) {
  const auto count = internal::integer_at(value, keys...);
  if (!count || *count < 0 || *count > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<int>(*count);
}

}  // namespace

std::optional<Scalable> parse_scalable(std::string_view object) {
  const json tree = internal::parse(object);
  const json& spec = internal::at(tree, "spec");
  if (!spec.is_object()) return std::nullopt;
  Scalable scalable{.resource_version = internal::text_at(tree, "metadata", "resourceVersion"),
                    .selector = internal::dump(internal::at(spec, "selector"))};
  const std::int64_t replicas = internal::integer_at(spec, "replicas").value_or(1);
  if (replicas < 0 || replicas > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  scalable.spec_replicas = static_cast<int>(replicas);
  return scalable;
}

std::optional<AutoscalerOfOthers> parse_autoscaler_of_others(std::string_view object) {
  const json tree = internal::parse(object);
  const json& reference = internal::at(tree, "spec", "scaleTargetRef");
  AutoscalerOfOthers found{.target_api_version = internal::text_at(reference, "apiVersion"),
                           .target_kind = internal::text_at(reference, "kind"),
                           .target_name = internal::text_at(reference, "name"),
                           .owner_kind = {}};
  if (found.target_kind.empty() || found.target_name.empty()) return std::nullopt;
  const json& owners = internal::at(tree, "metadata", "ownerReferences");
  if (owners.is_array())
    for (const json& owner : owners)
      if (internal::at(owner, "controller") == true) found.owner_kind = internal::text_at(owner, "kind");
  return found;
}

std::optional<HpaState> parse_hpa_state(std::string_view object) {
  const auto scales = parse_autoscaler_of_others(object);
  if (!scales) return std::nullopt;
  const json tree = internal::parse(object);
  HpaState state{.scales = *scales,
                 .name = internal::text_at(tree, "metadata", "name"),
                 .uid = internal::text_at(tree, "metadata", "uid"),
                 .resource_version = internal::text_at(tree, "metadata", "resourceVersion")};
  const json& owners = internal::at(tree, "metadata", "ownerReferences");
  if (owners.is_array())
    for (const json& owner : owners)
      if (internal::at(owner, "controller") == true) state.owner_name = internal::text_at(owner, "name");
  state.min_replicas = count_at(tree, "spec", "minReplicas").value_or(1);
  const json& metrics = internal::at(tree, "spec", "metrics");
  if (metrics.is_array()) {
    for (const json& metric : metrics)
      if (internal::text_at(metric, "resource", "name") == "cpu")
        state.cpu_target_percent = count_at(metric, "resource", "target", "averageUtilization");
  }
  state.current_replicas = count_at(tree, "status", "currentReplicas");
  state.desired_replicas = count_at(tree, "status", "desiredReplicas");
  return state;
}

std::optional<DeploymentState> parse_deployment_state(std::string_view object) {
  const json tree = internal::parse(object);
  if (!internal::at(tree, "spec").is_object()) return std::nullopt;
  // Counts of the status are omitted when they are zero.
  DeploymentState state{.uid = internal::text_at(tree, "metadata", "uid"),
                        .resource_version = internal::text_at(tree, "metadata", "resourceVersion"),
                        .spec_replicas = count_at(tree, "spec", "replicas").value_or(1),
                        .replicas = count_at(tree, "status", "replicas").value_or(0),
                        .ready_replicas = count_at(tree, "status", "readyReplicas").value_or(0),
                        .available_replicas = count_at(tree, "status", "availableReplicas").value_or(0)};
  state.is_observed = internal::integer_at(tree, "status", "observedGeneration").value_or(0) >=
                      internal::integer_at(tree, "metadata", "generation").value_or(0);
  return state;
}

std::optional<PodRun> parse_pod_run(std::string_view object) {
  const json tree = internal::parse(object);
  PodRun run{.name = internal::text_at(tree, "metadata", "name")};
  if (run.name.empty()) return std::nullopt;
  const auto say = [&](const json& part) {
    const std::string reason = internal::text_at(part, "reason"), message = internal::text_at(part, "message");
    if (!reason.empty()) run.reason = message.empty() ? reason : reason + ": " + message;
  };
  const std::string phase = internal::text_at(tree, "status", "phase");
  const json& conditions = internal::at(tree, "status", "conditions");
  if (conditions.is_array()) {
    for (const json& condition : conditions)
      if (internal::text_at(condition, "type") == "PodScheduled" && internal::text_at(condition, "status") == "False")
        say(condition);
  }
  say(internal::at(tree, "status"));
  const json& containers = internal::at(tree, "status", "containerStatuses");
  const json& state =
      internal::at(containers.is_array() && !containers.empty() ? containers[0] : internal::kNull, "state");
  say(internal::at(state, "waiting"));
  say(internal::at(state, "terminated"));
  if (phase == "Succeeded") {
    run.state = PodRun::State::succeeded;
  } else if (phase == "Failed") {
    run.state = PodRun::State::failed;
  } else if (internal::at(state, "running").is_object()) {
    run.state = PodRun::State::running;
  }
  if (const auto code = internal::integer_at(state, "terminated", "exitCode"); code && *code != 0)
    run.reason += (run.reason.empty() ? "exit code " : ", exit code ") + std::to_string(*code);
  return run;
}

}  // namespace mpca::kube
