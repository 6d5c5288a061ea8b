// What a KEDA external scaler answers: the replicas that were decided last for a PredictiveAutoscaler. KEDA makes an
// HPA with an external metric of it. With target 1 and AverageValue that HPA wants as many replicas as the metric says,
// within its own tolerance and behavior.
//
// Whenever the answer would be a guess it is an error: then KEDA's own fallback acts, which its users have set and
// know.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace mpca::keda {

/// The one metric, and what KEDA is told to aim at.
inline constexpr std::string_view kMetricName = "mpca-replicas";
inline constexpr int kTargetSize = 1;
/// Key of a trigger's metadata: which PredictiveAutoscaler, in the namespace of the ScaledObject; without it, the one
/// called like the ScaledObject.
inline constexpr std::string_view kAutoscalerKey = "autoscaler";
/// The youngest age that may be too old, whatever the period.
inline constexpr Duration kLeastPatience = std::chrono::minutes(1);

/// What is known of a PredictiveAutoscaler.
struct LastDecision {
  int desired_replicas = 0;
  std::optional<Duration> age;  // nullopt: nothing was decided yet
  Duration period{};
};

struct Source {
  /// This process decides; others stand by. Any thread.
  std::function<bool()> is_leading;
  /// nullopt: there is no such object. Any thread.
  std::function<std::optional<LastDecision>(const std::string& namespace_name, const std::string& name)> find;
};

/// As KEDA sends it: from whoever reaches the port.
struct ScaledObject {
  std::string namespace_name, name;
  std::map<std::string, std::string> metadata;
};

enum class Refusal {
  bad_request,  // no namespace or name of Kubernetes
  not_found,    // no such PredictiveAutoscaler
  unavailable,  // not decided here, not yet, or not any more
};

struct Answer {
  int desired_replicas = 0;  // when it is not refused
  std::optional<Refusal> refusal;
  std::string message;  // of a refusal, for people; holds nothing of the request that is no name
};

/// What is wrong with the names in it, whatever is known; nullopt when nothing is.
std::optional<Answer> refuse_names(const ScaledObject& object);

/// The replicas of the last decision, unless that is older than three periods and `kLeastPatience`.
Answer answer(const ScaledObject& object, const Source& source);

}  // namespace mpca::keda
