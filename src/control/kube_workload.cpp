#include "control/kube_workload.h"

#include <memory>
#include <vector>

namespace mpca::control {

LiveError live_error(const kube::ApiError& error) {
  const auto trouble = [&] {
    switch (error.failure) {
      case kube::Failure::unauthorized:
      case kube::Failure::forbidden:
        return Trouble::forbidden;
      case kube::Failure::not_found:
        return Trouble::not_found;
      case kube::Failure::conflict:
        return Trouble::conflict;
      case kube::Failure::invalid:
      case kube::Failure::already_exists:
        return Trouble::refused;
      default:
        return Trouble::unreachable;
    }
  };
  return {trouble(), error.message};
}

KubeWorkload::KubeWorkload(TargetRef target, kube::Client& client)
    : target_{.api_version = std::move(target.api_version),
              .kind = std::move(target.kind),
              .namespace_name = std::move(target.namespace_name),
              .name = std::move(target.name),
              .resource = {}},
      client_(client) {}

LiveResult<WorkloadView> KubeWorkload::read(TimePoint now) {
  if (target_.resource.empty()) {
    auto resource = discovery_.scalable_resource(client_, target_.api_version, target_.kind);
    if (!resource) return std::unexpected(live_error(resource.error()));
    target_.resource = *std::move(resource);
  }
  const auto scale = kube::get_scale(client_, target_, kube::Priority::scale);
  if (!scale) return std::unexpected(live_error(scale.error()));
  WorkloadView view;
  view.spec_replicas = scale->spec_replicas;
  view.version = scale->resource_version;
  const auto pods = kube::list_pods(client_, target_.namespace_name, scale->selector);
  if (pods) {
    std::vector<std::shared_ptr<const kube::Pod>> shown;
    for (const kube::Pod& pod : *pods) shown.push_back(std::make_shared<const kube::Pod>(pod));
    numbers_.show(shown, now, view);
  } else if (pods.error().failure == kube::Failure::forbidden) {
    view.ready_replicas = scale->status_replicas;
  } else {
    return std::unexpected(live_error(pods.error()));
  }
  return view;
}

LiveResult<void> KubeWorkload::set_replicas(int replicas, const std::string& version) {
  const auto written = kube::patch_scale(client_, target_, replicas, version);
  if (!written) return std::unexpected(live_error(written.error()));
  return {};
}

}  // namespace mpca::control
