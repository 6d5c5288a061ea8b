#include "control/pod_numbers.h"

#include <algorithm>
#include <vector>

#include "core/state_text.h"

namespace mpca::control {
namespace {

bool has_ended(const kube::Pod& pod) {
  return pod.phase == hpa::PodPhase::failed || pod.phase == hpa::PodPhase::succeeded;
}

}  // namespace

void PodNumbers::show(std::span<const std::shared_ptr<const kube::Pod>> pods, TimePoint now, WorkloadView& view) {
  std::vector<const kube::Pod*> shown;
  for (const auto& pod : pods)
    if (!has_ended(*pod)) shown.push_back(pod.get());
  const auto created = [&](const kube::Pod* pod) { return pod->created.value_or(now); };
  std::ranges::stable_sort(shown, {}, created);
  std::map<std::int64_t, std::int64_t> ids;
  for (const kube::Pod* pod : shown) {
    const std::int64_t number = state_number(pod->uid);
    const auto known = ids_.find(number);
    const std::int64_t id = known != ids_.end() ? known->second : ++last_id_;
    ids.emplace(number, id);
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
    view.addresses.push_back({id, pod->ip});
  }
  ids_ = std::move(ids);
  std::ranges::sort(view.pods, {}, &policy::PodObservation::id);
}

void PodNumbers::save(StateWriter& writer) const {
  std::vector<double> numbers;
  for (const auto& [number, id] : ids_) {
    numbers.push_back(static_cast<double>(number));
    numbers.push_back(static_cast<double>(id));
  }
  writer.put("pod_numbers", numbers);
  writer.put("last_pod_number", last_id_);
}

Result<void> PodNumbers::load(const StateReader& reader) {
  MPCA_TRY(const std::vector<double> numbers, reader.numbers("pod_numbers"));
  MPCA_TRY(const std::int64_t last_id, reader.integer("last_pod_number"));
  if (numbers.size() % 2 != 0) return invalid("pod_numbers is not made of pairs");
  std::map<std::int64_t, std::int64_t> ids;
  for (std::size_t i = 0; i < numbers.size(); i += 2)
    ids.emplace(static_cast<std::int64_t>(numbers[i]), static_cast<std::int64_t>(numbers[i + 1]));
  ids_ = std::move(ids);
  last_id_ = last_id;
  return {};
}

}  // namespace mpca::control
