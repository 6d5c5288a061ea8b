#include "control/kube_workload.h"

#include <algorithm>

namespace mpca::control {
namespace {

std::unexpected<LiveError> failure(const kube::ApiError& error) {
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
  return std::unexpected(LiveError{trouble(), error.message});
}

bool has_ended(const kube::Pod& pod) {
  return pod.phase == hpa::PodPhase::failed || pod.phase == hpa::PodPhase::succeeded;
}

}  // namespace

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
    if (!resource) return failure(resource.error());
    target_.resource = *std::move(resource);
  }
  const auto scale = kube::get_scale(client_, target_, kube::Priority::scale);
  if (!scale) return failure(scale.error());
  WorkloadView view;
  view.spec_replicas = scale->spec_replicas;
  view.version = scale->resource_version;
  const auto pods = kube::list_pods(client_, target_.namespace_name, scale->selector);
  if (pods) {
    show(*pods, now, view);
  } else if (pods.error().failure == kube::Failure::forbidden) {
    view.ready_replicas = scale->status_replicas;
  } else {
    return failure(pods.error());
  }
  return view;
}

void KubeWorkload::show(const std::vector<kube::Pod>& pods, TimePoint now, WorkloadView& view) {
  std::vector<const kube::Pod*> shown;
  for (const kube::Pod& pod : pods)
    if (!has_ended(pod)) shown.push_back(&pod);
  const auto created = [&](const kube::Pod* pod) { return pod->created.value_or(now); };
  std::ranges::stable_sort(shown, {}, created);
  std::map<std::string, std::int64_t> ids;
  for (const kube::Pod* pod : shown) {
    const auto known = ids_.find(pod->uid);
    const std::int64_t id = known != ids_.end() ? known->second : ++last_id_;
    ids.emplace(pod->uid, id);
    policy::PodObservation& seen = view.pods.emplace_back();
    seen.id = id;
    seen.started = std::min(created(pod), now);
    seen.is_terminating = pod->deleted.has_value();
    seen.is_ready = pod->readiness == hpa::Readiness::ready;
    seen.ready_changed = pod->ready_changed.value_or(seen.started);
    if (seen.is_terminating) continue;
    if (seen.is_ready) {
      ++view.ready_replicas;
    } else {
      view.starting_pod_ages.push_back(now - seen.started);
    }
  }
  ids_ = std::move(ids);
  std::ranges::sort(view.pods, {}, &policy::PodObservation::id);
}

LiveResult<void> KubeWorkload::set_replicas(int replicas, const std::string& version) {
  const auto written = kube::patch_scale(client_, target_, replicas, version);
  if (!written) return failure(written.error());
  return {};
}

}  // namespace mpca::control
