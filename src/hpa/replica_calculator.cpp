#include "hpa/replica_calculator.h"

#include <algorithm>
#include <cmath>

#include "hpa/internal/go_arithmetic.h"

namespace mpca::hpa {
namespace {

using internal::add;
using internal::divide;
using internal::multiply;
using internal::truncated;

constexpr double kLargestReplicas = 2147483647.0;
constexpr double kBeyondLargestValue = 9223372036854775808.0;

/// A target for the sum: the present size inside the tolerance, else in proportion to the pods that are Ready now.
void for_total(double ratio, const ScaleView& view, Proposal& proposal) {
  proposal.ratio = ratio;
  if (view.spec_replicas == 0) {
    proposal.replicas = truncated<std::int32_t>(std::ceil(ratio));
    return;
  }
  if (view.tolerances.contains(ratio)) {
    proposal.hold = Hold::tolerance;
    proposal.replicas = view.spec_replicas;
    return;
  }
  if (view.pods.empty()) {
    proposal.error = MetricError::no_pods;
    return;
  }
  proposal.ready_pods = static_cast<int>(std::ranges::count_if(
      view.pods, [](const Pod& pod) { return pod.phase == PodPhase::running && pod.readiness == Readiness::ready; }));
  const double replicas = ratio * static_cast<double>(proposal.ready_pods);
  proposal.replicas = replicas > kLargestReplicas ? INT32_MAX : truncated<std::int32_t>(std::ceil(replicas));
}

/// A target for the average: by status.replicas, without looking at pods.
void for_average(std::int64_t value, std::int64_t target, const ScaleView& view, Proposal& proposal) {
  const auto total = static_cast<double>(value);
  proposal.ratio = total / (static_cast<double>(target) * static_cast<double>(view.status_replicas));
  if (view.tolerances.contains(proposal.ratio)) {
    proposal.hold = Hold::tolerance;
    proposal.replicas = view.status_replicas;
  } else {
    proposal.replicas = truncated<std::int32_t>(std::ceil(total / static_cast<double>(target)));
  }
  proposal.average_value_milli = truncated<std::int64_t>(std::ceil(total / static_cast<double>(view.status_replicas)));
}

void for_object(const MetricSpec& metric, std::int64_t value, const ScaleView& view, Proposal& proposal) {
  if (metric.target_type == TargetType::value && metric.value_milli) {
    proposal.value_milli = value;
    for_total(static_cast<double>(value) / static_cast<double>(*metric.value_milli), view, proposal);
  } else if (metric.target_type == TargetType::average_value && metric.average_value_milli) {
    for_average(value, *metric.average_value_milli, view, proposal);
  } else {
    proposal.error = MetricError::no_target;
  }
}

void for_external(const MetricSpec& metric, std::span<const std::int64_t> values, const ScaleView& view,
                  Proposal& proposal) {
  std::int64_t sum = 0;
  if (metric.average_value_milli) {
    for (const std::int64_t value : values) {
      sum = add(sum, value);
      if (sum < 0) {
        sum = INT64_MAX;
        break;
      }
    }
    for_average(sum, *metric.average_value_milli, view, proposal);
    if (static_cast<double>(sum) >= kBeyondLargestValue) proposal.average_value_milli = INT64_MAX;
  } else if (metric.value_milli) {
    for (const std::int64_t value : values) {
      if (value > 0 && sum > INT64_MAX - value) {
        sum = INT64_MAX;
        break;
      }
      sum = add(sum, value);
    }
    proposal.value_milli = sum;
    for_total(static_cast<double>(sum) / static_cast<double>(*metric.value_milli), view, proposal);
  } else {
    proposal.error = MetricError::no_target;
  }
}

void reset(Proposal& proposal) {
  std::vector<PodClass> classes = std::move(proposal.classes);
  classes.clear();
  proposal = Proposal{};
  proposal.classes = std::move(classes);
}

}  // namespace

/// Of samples: those that count now.
struct ReplicaCalculator::Sums {
  std::int64_t values = 0;
  std::int64_t requests = 0;  // of listed pods
  std::int64_t samples = 0;
  std::int64_t listed_samples = 0;

  /// Metric / target; also fills what the status shows of it. nullopt when it can't be known.
  std::optional<double> utilization_ratio(std::int32_t target, Proposal& shown) const {
    if (requests == 0) return std::nullopt;
    const auto percent = static_cast<std::int32_t>(divide(multiply(values, 100), requests));
    shown.utilization = percent;
    shown.average_value_milli = divide(values, listed_samples);
    return static_cast<double>(percent) / static_cast<double>(target);
  }
  double average_ratio(std::int64_t target, Proposal& shown) const {
    const std::int64_t average = divide(values, samples);
    shown.average_value_milli = average;
    return static_cast<double>(average) / static_cast<double>(target);
  }
};

PodClass ReplicaCalculator::class_of(const Pod& pod, const PodSample* sample, bool is_cpu, TimePoint now) const {
  if (pod.is_terminating || pod.phase == PodPhase::failed) return PodClass::ignored;
  if (pod.phase == PodPhase::pending) return PodClass::unready;
  if (sample == nullptr) return PodClass::missing;
  if (!is_cpu) return PodClass::ready;
  if (pod.readiness == Readiness::no_condition || !pod.has_started) return PodClass::unready;
  const bool is_not_ready = pod.readiness == Readiness::not_ready;
  const bool is_young = pod.started + settings_.cpu_initialization_period > now;
  const bool is_unready = is_young
                              ? is_not_ready || sample->timestamp < pod.ready_changed + sample->window
                              : is_not_ready && pod.started + settings_.initial_readiness_delay > pod.ready_changed;
  return is_unready ? PodClass::unready : PodClass::ready;
}

void ReplicaCalculator::per_pod(const MetricSpec& metric, const MetricAnswer& answer, const ScaleView& view,
                                bool is_utilization, Proposal& proposal) {
  const std::span<const Pod> pods = view.pods;
  if (pods.empty()) {
    proposal.error = MetricError::no_pods;
    return;
  }
  const bool is_cpu = metric.type != MetricType::pods && metric.name == "cpu";
  sample_of_pod_.assign(pods.size(), -1);
  Sums sums;
  for (std::size_t i = 0; i < answer.samples.size(); ++i) {
    const PodSample& sample = answer.samples[i];
    if (sample.pod >= 0 && static_cast<std::size_t>(sample.pod) < pods.size()) {
      sample_of_pod_[static_cast<std::size_t>(sample.pod)] = static_cast<int>(i);
    } else {
      ++sums.samples;
      // A utilization knows no request for them and leaves their usage out, but not their number.
      if (!is_utilization) sums.values = add(sums.values, sample.value_milli);
    }
  }

  const auto request = [&](std::size_t pod) { return is_utilization ? answer.requests[pod] : 0; };
  bool requests_are_known = !is_utilization || answer.requests.size() == pods.size();
  int pod_without_request = 0;
  std::int64_t unready = 0;
  std::int64_t missing = 0;
  std::int64_t requests_of_unready = 0;
  std::int64_t requests_of_missing = 0;
  std::int64_t assumed_for_missing = 0;
  const std::int64_t assumed_percent =
      is_utilization ? std::max<std::int64_t>(100, metric.average_utilization.value_or(0)) : 0;
  proposal.classes.resize(pods.size());
  for (std::size_t i = 0; i < pods.size(); ++i) {
    const int at = sample_of_pod_[i];
    const PodSample* sample = at < 0 ? nullptr : &answer.samples[static_cast<std::size_t>(at)];
    const PodClass pod_class = class_of(pods[i], sample, is_cpu, view.now);
    proposal.classes[i] = pod_class;
    std::int64_t requested = 0;
    if (requests_are_known && request(i) == kNoRequest) {
      requests_are_known = false;
      pod_without_request = static_cast<int>(i);
    }
    if (requests_are_known) requested = request(i);
    switch (pod_class) {
      case PodClass::ready:
        ++proposal.ready_pods;
        sums.values = add(sums.values, sample->value_milli);
        sums.requests = add(sums.requests, requested);
        ++sums.samples;
        ++sums.listed_samples;
        break;
      case PodClass::unready:
        ++unready;
        requests_of_unready = add(requests_of_unready, requested);
        break;
      case PodClass::missing:
        ++missing;
        requests_of_missing = add(requests_of_missing, requested);
        assumed_for_missing = add(assumed_for_missing, multiply(requested, assumed_percent) / 100);
        break;
      case PodClass::ignored:
        break;
    }
  }
  if (sums.samples == 0) {
    proposal.error = MetricError::no_samples;
    return;
  }
  if (!requests_are_known) {
    proposal.error = MetricError::missing_request;
    proposal.error_pod = pod_without_request;
    return;
  }

  const auto ratio_of = [&](const Sums& of, Proposal& shown) -> std::optional<double> {
    if (is_utilization) return of.utilization_ratio(*metric.average_utilization, shown);
    return of.average_ratio(*metric.average_value_milli, shown);
  };
  const auto hold = [&](Hold why) {
    proposal.hold = why;
    proposal.replicas = view.spec_replicas;
  };
  const std::optional<double> first_ratio = ratio_of(sums, proposal);
  if (!first_ratio) {
    proposal.error = MetricError::no_known_pods;
    return;
  }
  const double ratio = *first_ratio;
  proposal.ratio = ratio;
  proposal.counted_samples = static_cast<int>(sums.samples);
  const bool up_with_unready = unready > 0 && ratio > 1.0;
  if (!up_with_unready && missing == 0) {
    if (view.tolerances.contains(ratio)) return hold(Hold::tolerance);
    proposal.replicas = truncated<std::int32_t>(std::ceil(ratio * static_cast<double>(proposal.ready_pods)));
    return;
  }

  const auto count_in = [&](std::int64_t samples, std::int64_t values, std::int64_t requests) {
    sums.samples += samples;
    sums.listed_samples += samples;
    sums.values = add(sums.values, values);
    sums.requests = add(sums.requests, requests);
  };
  if (ratio < 1.0) {
    count_in(missing, is_utilization ? assumed_for_missing : multiply(missing, *metric.average_value_milli),
             requests_of_missing);
  } else if (ratio > 1.0) {
    count_in(missing, 0, requests_of_missing);
  }
  if (up_with_unready) count_in(unready, 0, requests_of_unready);
  Proposal not_shown;
  const std::optional<double> again = ratio_of(sums, not_shown);
  if (!again) {
    proposal.error = MetricError::no_known_pods;
    return;
  }
  const double full_ratio = *again;
  proposal.full_ratio = full_ratio;
  proposal.counted_samples = static_cast<int>(sums.samples);
  if (view.tolerances.contains(full_ratio)) return hold(Hold::tolerance);
  if ((ratio < 1.0 && full_ratio > 1.0) || (ratio > 1.0 && full_ratio < 1.0)) return hold(Hold::direction_of_ratio);
  const auto replicas = truncated<std::int32_t>(std::ceil(full_ratio * static_cast<double>(sums.samples)));
  if ((full_ratio < 1.0 && replicas > view.spec_replicas) || (full_ratio > 1.0 && replicas < view.spec_replicas))
    return hold(Hold::direction_of_result);
  proposal.replicas = replicas;
}

void ReplicaCalculator::propose(const MetricSpec& metric, const MetricAnswer& answer, const ScaleView& view,
                                Proposal& proposal) {
  reset(proposal);
  switch (metric.type) {
    case MetricType::unknown:
      proposal.error = MetricError::unknown_type;
      return;
    case MetricType::resource:
    case MetricType::container_resource:
      if (!metric.average_value_milli && !metric.average_utilization) proposal.error = MetricError::no_target;
      break;
    case MetricType::pods:
      if (!metric.average_value_milli) proposal.error = MetricError::no_target;
      break;
    case MetricType::object: {
      const bool has_target = (metric.target_type == TargetType::value && metric.value_milli) ||
                              (metric.target_type == TargetType::average_value && metric.average_value_milli);
      if (!has_target) proposal.error = MetricError::no_target;
      break;
    }
    case MetricType::external:
      if (!metric.average_value_milli && !metric.value_milli) proposal.error = MetricError::no_target;
      break;
  }
  if (proposal.is_valid() && answer.failed) proposal.error = MetricError::api;
  if (!proposal.is_valid()) return;
  const bool is_total = metric.type == MetricType::object || metric.type == MetricType::external;
  if (is_total && answer.values.empty()) {
    proposal.error = MetricError::api;
  } else if (metric.type == MetricType::object) {
    for_object(metric, answer.values[0], view, proposal);
  } else if (metric.type == MetricType::external) {
    for_external(metric, answer.values, view, proposal);
  } else {
    per_pod(metric, answer, view, metric.type != MetricType::pods && !metric.average_value_milli, proposal);
  }
}

}  // namespace mpca::hpa
