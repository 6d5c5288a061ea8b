#include "control/cluster_watch.h"

#include <algorithm>

#include "config/predictive_autoscaler.h"
#include "core/text.h"
#include "kube/scale.h"

namespace mpca::control {
namespace {

struct Collection {
  std::string_view api_version;
  std::string_view resource;
  std::string_view kind;  // of targets; empty for what is none
};
constexpr Collection kTargets[] = {{"apps/v1", "deployments", "Deployment"},
                                   {"apps/v1", "statefulsets", "StatefulSet"}};
constexpr std::string_view kHpas = "autoscaling/v2";

}  // namespace

ClusterWatch::ClusterWatch(const std::function<kube::Client()>& make_client, const std::vector<std::string>& namespaces,
                           ClusterIndex& index, const kube::OnChange& on_object, std::uint64_t seed) {
  std::uint32_t number = 0;
  const auto add = [&](std::string_view api_version, std::string_view resource, const kube::OnChange& on_change) {
    for (const std::string& space : namespaces.empty() ? std::vector<std::string>{""} : namespaces) {
      std::string path = kube::object_path(api_version, space, resource);
      watches_.push_back({.what = cat(resource, space.empty() ? "" : " of ", space),
                          .watcher = std::make_unique<kube::Watcher>(
                              make_client(), std::move(path), RandomStream(seed, "watch", ++number), on_change)});
    }
  };
  // Objects last: when they come, most of what they are about is known.
  add("v1", "pods", [&index](const kube::Change& change) { index.on_pod(change); });
  for (const Collection& each : kTargets)
    add(each.api_version, each.resource,
        [&index, &each](const kube::Change& change) { index.on_target(each.api_version, each.kind, change); });
  add(kHpas, "horizontalpodautoscalers", [&index](const kube::Change& change) { index.on_hpa(change); });
  add(config::kAutoscalerApiVersion, config::kAutoscalerResource, on_object);
}

bool ClusterWatch::has_synced() const {
  return std::ranges::all_of(watches_, [](const Watch& each) { return each.watcher->has_synced(); });
}

std::optional<std::string> ClusterWatch::trouble() const {
  for (const Watch& each : watches_)
    if (const auto failure = each.watcher->last_failure()) return cat(each.what, ": ", failure->message);
  return std::nullopt;
}

bool ClusterWatch::covers(const TargetRef& ref) {
  return std::ranges::any_of(
      kTargets, [&](const Collection& each) { return each.api_version == ref.api_version && each.kind == ref.kind; });
}

}  // namespace mpca::control
