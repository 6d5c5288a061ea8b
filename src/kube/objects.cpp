#include "kube/objects.h"

#include <limits>

#include "kube/internal/json.h"

namespace mpca::kube {

using internal::json;

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

}  // namespace mpca::kube
