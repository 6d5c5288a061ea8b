#include "control/cluster_index.h"

#include <algorithm>
#include <mutex>

#include "kube/objects.h"

namespace mpca::control {
namespace {

/// Versions of an API are one target: an HPA may say apps/v1beta1 of what we call apps/v1.
TargetRef without_version(TargetRef ref) {
  const auto slash = ref.api_version.find('/');
  ref.api_version = slash == std::string::npos ? std::string() : ref.api_version.substr(0, slash);
  return ref;
}

}  // namespace

void ClusterIndex::forget_pod(Namespace& space, const std::string& name) {
  const auto found = space.by_name.find(name);
  if (found == space.by_name.end()) return;
  for (const auto& label : found->second->labels) {
    const auto with_label = space.by_label.find(label);
    if (with_label == space.by_label.end()) continue;
    with_label->second.erase(found->second);
    if (with_label->second.empty()) space.by_label.erase(with_label);
  }
  space.by_name.erase(found);
}

void ClusterIndex::on_pod(const kube::Change& change) {
  PodPointer pod;
  if (change.kind != kube::Change::Kind::deleted)
    if (auto read = kube::parse_pod(change.object)) pod = std::make_shared<const kube::Pod>(*std::move(read));
  const std::scoped_lock lock(mutex_);
  Namespace& space = namespaces_[change.namespace_name];
  forget_pod(space, change.name);
  if (pod) {
    for (const auto& label : pod->labels) space.by_label[label].insert(pod);
    space.by_name.emplace(change.name, std::move(pod));
  }
  if (space.by_name.empty()) namespaces_.erase(change.namespace_name);
}

void ClusterIndex::on_target(std::string_view api_version, std::string_view kind, const kube::Change& change) {
  const TargetRef ref{.api_version = std::string(api_version),
                      .kind = std::string(kind),
                      .namespace_name = change.namespace_name,
                      .name = change.name};
  std::optional<TargetState> state;
  if (change.kind != kube::Change::Kind::deleted) {
    if (const auto read = kube::parse_scalable(change.object))
      state = {.spec_replicas = read->spec_replicas,
               .version = read->resource_version,
               .selector = kube::LabelSelector::parse_object(read->selector)};
  }
  const std::scoped_lock lock(mutex_);
  if (state) {
    targets_.insert_or_assign(ref, *std::move(state));
  } else {
    targets_.erase(ref);
  }
}

void ClusterIndex::on_hpa(const kube::Change& change) {
  std::optional<Hpa> hpa;
  if (change.kind != kube::Change::Kind::deleted) {
    if (auto read = kube::parse_autoscaler_of_others(change.object))
      hpa = {.target = without_version({.api_version = std::move(read->target_api_version),
                                        .kind = std::move(read->target_kind),
                                        .namespace_name = change.namespace_name,
                                        .name = std::move(read->target_name)}),
             .other = {.name = change.name, .owner_kind = std::move(read->owner_kind)}};
  }
  const std::pair key(change.namespace_name, change.name);
  const std::scoped_lock lock(mutex_);
  if (const auto known = hpas_.find(key); known != hpas_.end()) {
    const auto [begin, end] = by_target_.equal_range(known->second.target);
    const auto entry = std::find_if(begin, end, [&](const auto& each) { return each.second.name == change.name; });
    if (entry != end) by_target_.erase(entry);
    hpas_.erase(known);
  }
  if (hpa) {
    by_target_.emplace(hpa->target, hpa->other);
    hpas_.emplace(key, *std::move(hpa));
  }
}

std::optional<TargetState> ClusterIndex::target(const TargetRef& ref) const {
  const std::shared_lock lock(mutex_);
  const auto found = targets_.find(ref);
  return found == targets_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::shared_ptr<const kube::Pod>> ClusterIndex::pods(const std::string& namespace_name,
                                                                 const kube::LabelSelector& selector) const {
  std::vector<PodPointer> found;
  const std::shared_lock lock(mutex_);
  const auto space = namespaces_.find(namespace_name);
  if (space == namespaces_.end()) return found;
  const auto take = [&](const PodPointer& pod) {
    if (selector.matches(pod->labels)) found.push_back(pod);
  };
  // Only those with the rarest of the labels that are asked for are looked at: a namespace may hold all pods there are.
  const std::set<PodPointer>* fewest = nullptr;
  for (const auto& requirement : selector.requirements()) {
    if (requirement.op != kube::LabelSelector::Requirement::Operator::in || requirement.values.size() != 1) continue;
    const auto with_label = space->second.by_label.find({requirement.key, requirement.values.front()});
    if (with_label == space->second.by_label.end()) return found;
    if (fewest == nullptr || with_label->second.size() < fewest->size()) fewest = &with_label->second;
  }
  if (fewest != nullptr) {
    std::ranges::for_each(*fewest, take);
  } else {
    for (const auto& [name, pod] : space->second.by_name) take(pod);
  }
  std::ranges::sort(found, {}, [](const PodPointer& pod) -> const std::string& { return pod->name; });
  return found;
}

std::vector<OtherAutoscaler> ClusterIndex::others_of(const TargetRef& ref) const {
  std::vector<OtherAutoscaler> others;
  const std::shared_lock lock(mutex_);
  const auto [begin, end] = by_target_.equal_range(without_version(ref));
  for (auto each = begin; each != end; ++each) others.push_back(each->second);
  return others;
}

std::size_t ClusterIndex::pod_count() const {
  const std::shared_lock lock(mutex_);
  std::size_t count = 0;
  for (const auto& [name, space] : namespaces_) count += space.by_name.size();
  return count;
}

}  // namespace mpca::control
