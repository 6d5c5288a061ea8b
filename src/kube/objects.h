// What a controller reads of objects that are not its own, from the JSON of a list or a watch.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mpca::kube {

/// A Deployment, a StatefulSet, or anything else that keeps `spec.replicas` and `spec.selector`.
struct Scalable {
  int spec_replicas = 1;  // the API's default
  std::string resource_version;
  std::string selector;  // JSON, as LabelSelector::parse_object() takes it
};
/// nullopt when it is no such object.
std::optional<Scalable> parse_scalable(std::string_view object);

/// A HorizontalPodAutoscaler, as far as it says whom it scales.
struct AutoscalerOfOthers {
  std::string target_api_version, target_kind, target_name;
  std::string owner_kind;  // of the owner that controls it; empty: nobody
};
std::optional<AutoscalerOfOthers> parse_autoscaler_of_others(std::string_view object);

/// The same with what it does at the moment.
struct HpaState {
  AutoscalerOfOthers scales;
  std::string name, uid, resource_version;
  std::string owner_name{};                                   // beside scales.owner_kind
  int min_replicas = 1;                                       // the API's default
  std::optional<int> cpu_target_percent{};                    // of the pods' requests; nullopt: it has no such metric
  std::optional<int> current_replicas{}, desired_replicas{};  // nullopt: it has not said so yet
};
std::optional<HpaState> parse_hpa_state(std::string_view object);

struct DeploymentState {
  std::string uid, resource_version;
  int spec_replicas = 1;  // the API's default
  int replicas = 0;       // pods that there are, those that end not counted
  int ready_replicas = 0;
  int available_replicas = 0;
  bool is_observed = false;  // the status is that of this spec
};
std::optional<DeploymentState> parse_deployment_state(std::string_view object);

/// A container that runs once, as that of a Job, in its pod. Others may be put beside it, as a service mesh does, and
/// run on when it has ended.
struct PodRun {
  enum class State { waiting, running, succeeded, failed };
  std::string name;
  State state = State::waiting;
  std::string reason{};  // why it waits or has failed, for people: `ImagePullBackOff: …`
};
std::optional<PodRun> parse_pod_run(std::string_view object, std::string_view container);

}  // namespace mpca::kube
