// One metric, one proposal: how many replicas the present ones would have to be for the metric to meet its target. The
// arithmetic is upstream's to the letter, with its truncated percentages and its order of operations, because the
// interesting cases are the ones that lie exactly on an edge.
// Kubernetes 1.35, pkg/controller/podautoscaler/replica_calculator.go.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hpa/pods.h"
#include "hpa/spec.h"

namespace mpca::hpa {

/// Why a metric has no proposal.
enum class MetricError : std::uint8_t {
  none,
  api,              // the metrics API failed, or answered without items
  no_pods,          // the selector matches none
  no_samples,       // no sample is left of a pod that counts
  missing_request,  // a container without a request, or no such container
  no_known_pods,    // all samples are of pods that are not in the list, or their requests are zero
  no_target,        // the target has no value of the kind that it says
  unknown_type,
};

enum class PodClass : std::uint8_t { ready, unready, missing, ignored };

/// Why a proposal is the present size.
enum class Hold : std::uint8_t {
  none,
  tolerance,            // the ratio is close enough to 1
  direction_of_ratio,   // with unready and missing pods counted, the ratio points the other way
  direction_of_result,  // the ratio points one way, the number of counted pods the other
};

struct Tolerances {
  double down = 0.1;
  double up = 0.1;
  bool contains(double ratio) const { return (1.0 - down) <= ratio && ratio <= (1.0 + up); }
};

struct Proposal {
  MetricError error = MetricError::none;
  std::int32_t replicas = 0;
  std::optional<std::int32_t> utilization;  // percent
  std::optional<std::int64_t> average_value_milli;
  std::optional<std::int64_t> value_milli;

  // How it came about.
  std::vector<PodClass> classes;     // per pod; empty where pods are not looked at one by one
  int ready_pods = 0;                // of class ready; for a `value` target: running and Ready
  int counted_samples = 0;           // that the final ratio rests on
  double ratio = 0.0;                // metric / target
  std::optional<double> full_ratio;  // the same with assumed samples of unready and missing pods
  Hold hold = Hold::none;
  int error_pod = -1;  // missing_request: whose

  bool is_valid() const { return error == MetricError::none; }
};

/// What a proposal depends on besides its own metric.
struct ScaleView {
  TimePoint now;
  std::int32_t spec_replicas = 0;
  std::int32_t status_replicas = 0;
  std::span<const Pod> pods;
  Tolerances tolerances;
};

class ReplicaCalculator {
 public:
  explicit ReplicaCalculator(const ControllerSettings& settings) : settings_(settings) {}

  /// Overwrites all of `proposal`; its memory is used again. O(pods + samples), no allocation once warm.
  void propose(const MetricSpec& metric, const MetricAnswer& answer, const ScaleView& view, Proposal& proposal);

 private:
  struct Sums;
  void per_pod(const MetricSpec& metric, const MetricAnswer& answer, const ScaleView& view, bool is_utilization,
               Proposal& proposal);
  PodClass class_of(const Pod& pod, const PodSample* sample, bool is_cpu, TimePoint now) const;

  ControllerSettings settings_;
  std::vector<int> sample_of_pod_;  // between calls: -1 everywhere
};

}  // namespace mpca::hpa
