#include "keda/scaler_answer.h"

#include <algorithm>

#include "core/text.h"

namespace mpca::keda {
namespace {

constexpr std::size_t kLongestName = 253;
constexpr int kPeriodsOfPatience = 3;

/// A DNS subdomain, as the names of Kubernetes' objects are.
bool is_name(std::string_view text) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= kLongestName && is_plain(text.front()) && is_plain(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return is_plain(c) || c == '-' || c == '.'; });
}

const std::string& autoscaler_of(const ScaledObject& object) {
  const auto found = object.metadata.find(std::string(kAutoscalerKey));
  return found == object.metadata.end() ? object.name : found->second;
}

Answer refused(Refusal refusal, std::string message) { return {.refusal = refusal, .message = std::move(message)}; }

}  // namespace

std::optional<Answer> refuse_names(const ScaledObject& object) {
  if (!is_name(object.namespace_name))
    return refused(Refusal::bad_request, "the ScaledObject's namespace is no name of Kubernetes");
  if (!is_name(autoscaler_of(object)))
    return refused(Refusal::bad_request, cat("metadata `", kAutoscalerKey,
                                             "` (without it, the ScaledObject's name) is no name of Kubernetes; must "
                                             "name a PredictiveAutoscaler of the ScaledObject's namespace"));
  return std::nullopt;
}

Answer answer(const ScaledObject& object, const Source& source) {
  if (auto refusal = refuse_names(object)) return *std::move(refusal);
  if (!source.is_leading())
    return refused(Refusal::unavailable, "this process stands by; the one that leads decides, and answers");
  const std::string& name = autoscaler_of(object);
  const std::string shown = cat("PredictiveAutoscaler ", object.namespace_name, "/", name);
  const std::optional<LastDecision> last = source.find(object.namespace_name, name);
  if (!last)
    return refused(Refusal::not_found, cat("there is no ", shown, "; the trigger's metadata `", kAutoscalerKey,
                                           "` names one of the ScaledObject's namespace"));
  if (!last->age)
    return refused(Refusal::unavailable, cat("nothing was decided for ", shown, " yet; its conditions say why"));
  const Duration patience = std::max(kLeastPatience, kPeriodsOfPatience * last->period);
  if (*last->age > patience)
    return refused(Refusal::unavailable, cat("the last decision for ", shown, " is older than ",
                                             format_duration(patience), "; its conditions say why"));
  return {.desired_replicas = last->desired_replicas, .refusal = std::nullopt, .message = {}};
}

}  // namespace mpca::keda
