#include "hpa/pods.h"

#include <algorithm>

#include "hpa/internal/go_arithmetic.h"

namespace mpca::hpa {
namespace {

using internal::add;

/// What the scheduler would reserve: containers and sidecars together, or more while an init container runs. No request
/// anywhere is not the same as a request of zero.
std::optional<std::int64_t> aggregate_of_containers(const PodRequests& pod) {
  std::optional<std::int64_t> sum;
  const auto add_to = [](std::optional<std::int64_t>& total, std::optional<std::int64_t> milli) {
    if (milli) total = add(total.value_or(0), *milli);
  };
  for (const auto& container : pod.containers) add_to(sum, container.milli);
  std::optional<std::int64_t> sidecars;
  std::optional<std::int64_t> largest_init;
  for (const auto& container : pod.init_containers) {
    std::optional<std::int64_t> running = sidecars;
    add_to(running, container.milli);
    if (container.restarts_always) {
      add_to(sum, container.milli);
      sidecars = running;
    }
    if (running) largest_init = std::max(largest_init.value_or(INT64_MIN), *running);
  }
  if (largest_init) sum = std::max(sum.value_or(INT64_MIN), *largest_init);
  return sum;
}

std::optional<std::int64_t> pod_level_request(const PodRequests& pod) {
  std::optional<std::int64_t> request = pod.pod_level_milli ? pod.pod_level_milli : aggregate_of_containers(pod);
  if (pod.overhead_milli) request = add(request.value_or(0), *pod.overhead_milli);
  return request;
}

}  // namespace

std::optional<std::int64_t> request_milli(const PodRequests& pod, std::string_view container, bool use_pod_level) {
  if (use_pod_level && pod.has_pod_level && container.empty()) return pod_level_request(pod);
  std::int64_t sum = 0;
  for (const auto& each : pod.containers) {
    if (!container.empty() && each.name != container) continue;
    if (!each.milli) return std::nullopt;
    sum = add(sum, *each.milli);
    if (!container.empty()) return sum;
  }
  for (const auto& each : pod.init_containers) {
    if (!each.restarts_always || (!container.empty() && each.name != container)) continue;
    if (!each.milli) return std::nullopt;
    sum = add(sum, *each.milli);
    if (!container.empty()) return sum;
  }
  return container.empty() ? std::optional(sum) : std::nullopt;
}

std::optional<std::int64_t> usage_milli(std::span<const ContainerUsage> containers, std::string_view container) {
  if (!container.empty()) {
    const auto found = std::ranges::find(containers, container, &ContainerUsage::name);
    return found == containers.end() ? std::nullopt : found->milli;
  }
  if (containers.empty()) return std::nullopt;
  std::int64_t sum = 0;
  for (const ContainerUsage& each : containers) {
    if (!each.milli) return std::nullopt;
    sum = add(sum, *each.milli);
  }
  return sum;
}

}  // namespace mpca::hpa
