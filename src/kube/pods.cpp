#include "kube/pods.h"

#include "core/text.h"
#include "hpa/quantity.h"
#include "kube/internal/time_text.h"
#include "kube/scale.h"
#include "net/json.h"
#include "net/url.h"

namespace mpca::kube {
namespace {

using nlohmann::json;

hpa::PodPhase phase_of(std::string_view text) {
  if (text == "Pending") return hpa::PodPhase::pending;
  if (text == "Running") return hpa::PodPhase::running;
  if (text == "Succeeded") return hpa::PodPhase::succeeded;
  if (text == "Failed") return hpa::PodPhase::failed;
  return hpa::PodPhase::unknown;
}

template <class... Keys>
std::optional<TimePoint> time_at(const json& value, Keys... keys) {
  return internal::parse_time(net::text_at(value, keys...));
}

std::optional<std::int64_t> cpu_milli(const json& requests) {
  const json& cpu = net::json_at(requests, "cpu");
  if (!cpu.is_string() && !cpu.is_number()) return std::nullopt;
  const auto quantity = hpa::parse_quantity(cpu.is_string() ? cpu.get<std::string>() : cpu.dump());
  return quantity ? std::optional(quantity->milli) : std::nullopt;
}

void read_ready(const json& status, Pod& pod) {
  const json& conditions = net::json_at(status, "conditions");
  if (!conditions.is_array()) return;
  for (const json& condition : conditions) {
    if (net::text_at(condition, "type") != "Ready") continue;
    const std::string state = net::text_at(condition, "status");
    pod.readiness = state == "True"    ? hpa::Readiness::ready
                    : state == "False" ? hpa::Readiness::not_ready
                                       : hpa::Readiness::unknown;
    pod.ready_changed = time_at(condition, "lastTransitionTime");
  }
}

void read_containers(const json& spec, Pod& pod) {
  const json& containers = net::json_at(spec, "containers");
  if (containers.is_array()) {
    for (const json& container : containers) {
      const std::string name = net::text_at(container, "name");
      pod.cpu.containers.push_back({name, cpu_milli(net::json_at(container, "resources", "requests"))});
      const json& ports = net::json_at(container, "ports");
      if (!ports.is_array()) continue;
      for (const json& port : ports) {
        const auto number = net::integer_at(port, "containerPort");
        if (number && *number > 0 && *number < 65536)
          pod.ports.push_back({name, net::text_at(port, "name"), static_cast<int>(*number)});
      }
    }
  }
  const json& init_containers = net::json_at(spec, "initContainers");
  if (init_containers.is_array()) {
    for (const json& container : init_containers) {
      pod.cpu.init_containers.push_back({net::text_at(container, "name"),
                                         cpu_milli(net::json_at(container, "resources", "requests")),
                                         net::text_at(container, "restartPolicy") == "Always"});
    }
  }
  const json& pod_level = net::json_at(spec, "resources", "requests");
  pod.cpu.has_pod_level = pod_level.is_object() && !pod_level.empty();
  pod.cpu.pod_level_milli = cpu_milli(pod_level);
  pod.cpu.overhead_milli = cpu_milli(net::json_at(spec, "overhead"));
}

}  // namespace

std::string pods_path(std::string_view namespace_name, std::string_view selector) {
  return cat(object_path("v1", namespace_name, "pods"), "?labelSelector=", net::percent_encoded(selector));
}

std::optional<Pod> parse_pod(std::string_view object) {
  const json tree = net::parse_json(object);
  const json& meta = net::json_at(tree, "metadata");
  const json& status = net::json_at(tree, "status");
  Pod pod;
  pod.name = net::text_at(meta, "name");
  if (pod.name.empty()) return std::nullopt;
  pod.namespace_name = net::text_at(meta, "namespace");
  pod.uid = net::text_at(meta, "uid");
  const json& labels = net::json_at(meta, "labels");
  if (labels.is_object())
    for (const auto& [key, value] : labels.items())
      if (value.is_string()) pod.labels.emplace(key, value.get<std::string>());
  pod.created = time_at(meta, "creationTimestamp");
  pod.deleted = time_at(meta, "deletionTimestamp");
  pod.phase = phase_of(net::text_at(status, "phase"));
  pod.started = time_at(status, "startTime");
  pod.ip = net::text_at(status, "podIP");
  read_ready(status, pod);
  read_containers(net::json_at(tree, "spec"), pod);
  return pod;
}

ApiResult<std::vector<Pod>> list_pods(Client& client, std::string_view namespace_name, std::string_view selector) {
  const std::string path = pods_path(namespace_name, selector);
  const auto list = client.list(path);
  if (!list) return std::unexpected(list.error());
  std::vector<Pod> pods;
  for (const std::string& item : list->items) {
    auto pod = parse_pod(item);
    if (!pod) {
      return std::unexpected(ApiError{
          .failure = Failure::server,
          .status = 200,
          .message = cat(client.connection().description, ": ", path, ": the answer holds an object that is no pod")});
    }
    pods.push_back(*std::move(pod));
  }
  return pods;
}

}  // namespace mpca::kube
