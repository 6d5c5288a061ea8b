// One HPA for tests: pods that are all old and Ready, and the CPU of each.
#pragma once

#include <vector>

#include "hpa/autoscaler.h"

namespace mpca::test {

inline TimePoint at(int second) { return TimePoint(std::chrono::seconds(second)); }

inline hpa::Spec cpu_spec(int target_percent, int min, int max) {
  hpa::Spec spec;
  spec.min_replicas = min;
  spec.max_replicas = max;
  spec.metrics.emplace_back().average_utilization = target_percent;
  return spec;
}

/// External metric with a target per pod: its proposal is ceil(value / 1000), whatever the pods do.
inline hpa::Spec wanted_spec(int min, int max) {
  hpa::Spec spec;
  spec.min_replicas = min;
  spec.max_replicas = max;
  hpa::MetricSpec& metric = spec.metrics.emplace_back();
  metric.type = hpa::MetricType::external;
  metric.name = "wanted";
  metric.target_type = hpa::TargetType::average_value;
  metric.average_value_milli = 1000;
  return spec;
}

/// `wanted_spec` followed sync by sync: the scale does what is written.
class Followed {
 public:
  explicit Followed(hpa::Spec spec, hpa::ControllerSettings settings = {}, int first_replicas = 1,
                    hpa::Memory memory = {})
      : replicas(first_replicas), twin(std::move(spec), settings, {}, std::move(memory)) {}

  /// The metric asks for `wanted` at `second`; the replicas afterwards.
  int sync(int second, std::int64_t wanted) {
    const std::int64_t value = wanted * 1000;
    hpa::MetricAnswer answer;
    answer.values = std::span(&value, 1);
    hpa::SyncInput input;
    input.now = at(second);
    input.spec_replicas = input.status_replicas = replicas;
    input.answers = std::span(&answer, 1);
    result = twin.sync(input);
    return replicas = result.desired_replicas;
  }

  int replicas;
  hpa::HorizontalPodAutoscaler twin;
  hpa::SyncResult result;
};

/// One proposal for pods that are listed with their samples.
struct Group {
  std::vector<hpa::Pod> pods;
  std::vector<hpa::PodSample> samples;
  std::vector<std::int64_t> requests;
  int now = 10'000;

  hpa::Pod& add(std::int64_t usage_milli, std::int64_t request_milli = 1000) {
    samples.push_back({static_cast<int>(pods.size()), usage_milli, at(now), std::chrono::seconds(60)});
    return add_silent(request_milli);
  }
  hpa::Pod& add_silent(std::int64_t request_milli = 1000) {
    hpa::Pod pod;
    pod.started = pod.ready_changed = at(0);
    pods.push_back(pod);
    requests.push_back(request_milli);
    return pods.back();
  }

  hpa::Proposal propose(const hpa::MetricSpec& metric, int spec_replicas = -1,
                        const hpa::ControllerSettings& settings = {}) const {
    hpa::ReplicaCalculator calculator(settings);
    hpa::MetricAnswer answer;
    answer.samples = samples;
    answer.requests = requests;
    const int size = spec_replicas < 0 ? static_cast<int>(pods.size()) : spec_replicas;
    hpa::Proposal proposal;
    calculator.propose(metric, answer, {at(now), size, size, pods, {}}, proposal);
    return proposal;
  }
};

inline hpa::MetricSpec cpu_percent(int target) {
  hpa::MetricSpec metric;
  metric.average_utilization = target;
  return metric;
}

}  // namespace mpca::test
