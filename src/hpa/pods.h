// What the controller is shown of pods and of their metrics. No names: a pod is its place in the list of one sync, so a
// caller that calls often prepares spans and no text. The list holds the pods that the target's selector matches.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace mpca::hpa {

enum class PodPhase : std::uint8_t { pending, running, succeeded, failed, unknown };

/// Status of the Ready condition.
enum class Readiness : std::uint8_t { no_condition, not_ready, ready, unknown };

struct Pod {
  TimePoint started;        // status.startTime, if `has_started`
  TimePoint ready_changed;  // last transition of the Ready condition
  PodPhase phase = PodPhase::running;
  Readiness readiness = Readiness::ready;
  bool has_started = true;
  bool is_terminating = false;  // has a deletion timestamp
};

/// A sample of a pod that is not in the list: deleted meanwhile, or not yet seen.
inline constexpr int kUnlistedPod = -1;

struct PodSample {
  int pod = 0;  // its place in the list, or kUnlistedPod
  std::int64_t value_milli = 0;
  TimePoint timestamp;
  Duration window{};
};

/// In MetricAnswer::requests: this pod, or a container of it, requests none of the resource.
inline constexpr std::int64_t kNoRequest = INT64_MIN;

/// What the metrics API answered for one metric of the spec.
struct MetricAnswer {
  bool failed = false;                     // an error, or an answer without items
  std::span<const PodSample> samples;      // Resource, ContainerResource, Pods; at most one per listed pod
  std::span<const std::int64_t> requests;  // utilization targets: per listed pod, see request_milli()
  std::span<const std::int64_t> values;    // Object: one value; External: one per series
};

/// What the pod's spec requests of one resource.
struct PodRequests {
  struct Container {
    std::string name;
    std::optional<std::int64_t> milli;
  };
  struct InitContainer {
    std::string name;
    std::optional<std::int64_t> milli;
    bool restarts_always = false;  // a sidecar
  };
  std::vector<Container> containers;
  std::vector<InitContainer> init_containers;
  bool has_pod_level = false;                   // the pod itself requests some resource, maybe another one
  std::optional<std::int64_t> pod_level_milli;  // of this resource
  std::optional<std::int64_t> overhead_milli;
};

/// The request that a utilization is measured against.
///
///   container        of a ContainerResource metric; empty for the whole pod
///   use_pod_level    the feature gate
///   returns          nullopt when a container that counts has no request, or there is no such container
std::optional<std::int64_t> request_milli(const PodRequests& pod, std::string_view container, bool use_pod_level);

/// One container's usage of one resource in an answer of the resource metrics API.
struct ContainerUsage {
  std::string name;
  std::optional<std::int64_t> milli;
};

/// The pod's sample: of all containers, or of the one named; nullopt when one of them lacks the resource.
std::optional<std::int64_t> usage_milli(std::span<const ContainerUsage> containers, std::string_view container);

}  // namespace mpca::hpa
