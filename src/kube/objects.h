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

}  // namespace mpca::kube
