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
                           ClusterIndex& index, const kube::OnChange& on_object, std::uint64_t seed, Duration patience)
    : patience_(patience) {
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

std::optional<std::string> ClusterWatch::trouble() const {
  for (const Watch& each : watches_) {
    const auto trouble = each.watcher->trouble();
    if (!each.watcher->has_synced())
      return cat("the cluster is not known yet: ", each.what, ": ", trouble ? trouble->error.message : "listing");
    if (trouble && trouble->lasted > patience_)
      return cat("what is known of the cluster is old: ", each.what, ": no news for ", format_duration(patience_), ": ",
                 trouble->error.message);
  }
  return std::nullopt;
}

bool ClusterWatch::covers(const TargetRef& ref) {
  return std::ranges::any_of(
      kTargets, [&](const Collection& each) { return each.api_version == ref.api_version && each.kind == ref.kind; });
}

}  // namespace mpca::control
