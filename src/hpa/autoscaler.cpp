#include "hpa/autoscaler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "core/text.h"
#include "hpa/internal/go_arithmetic.h"

namespace mpca::hpa {
namespace {

using internal::add32;
using internal::subtract32;
using internal::truncated;

constexpr double kLegacyLimitMinimum = 4.0;

constexpr std::array<std::string_view, 29> kReasonNames = {
    "",
    "SucceededGetScale",
    "ReadyForNewScale",
    "ScaleDownStabilized",
    "ScaleUpStabilized",
    "SucceededRescale",
    "FailedGetScale",
    "FailedUpdateScale",
    "ValidMetricFound",
    "ScalingDisabled",
    "InvalidSelector",
    "AmbiguousSelector",
    "FailedGetResourceMetric",
    "FailedGetContainerResourceMetric",
    "FailedGetPodsMetric",
    "FailedGetObjectMetric",
    "FailedGetExternalMetric",
    "InvalidMetricSourceType",
    "DesiredWithinRange",
    "TooFewReplicas",
    "TooManyReplicas",
    "ScaleUpLimit",
    "ScaleDownLimit",
    "SuccessfulRescale",
    "FailedRescale",
    "FailedUpdateStatus",
    "FailedComputeMetricsReplicas",
    "SelectorRequired",
    "other",
};

Reason failure_of(MetricType type) {
  switch (type) {
    case MetricType::resource:
      return Reason::failed_get_resource_metric;
    case MetricType::container_resource:
      return Reason::failed_get_container_resource_metric;
    case MetricType::pods:
      return Reason::failed_get_pods_metric;
    case MetricType::object:
      return Reason::failed_get_object_metric;
    case MetricType::external:
      return Reason::failed_get_external_metric;
    case MetricType::unknown:
      break;
  }
  return Reason::invalid_metric_source_type;
}

Duration seconds(std::int32_t count) { return std::chrono::seconds(count); }

std::int32_t longest_period(const ScalingRules& rules) {
  std::int32_t longest = 0;
  for (const ScalingPolicy& policy : *rules.policies) longest = std::max(longest, policy.period_seconds);
  return longest;
}

}  // namespace

std::string_view name_of(Reason reason) { return kReasonNames[static_cast<std::size_t>(reason)]; }

Reason reason_of(std::string_view name) {
  const auto found = std::ranges::find(kReasonNames, name);
  return found == kReasonNames.end() ? Reason::other : static_cast<Reason>(found - kReasonNames.begin());
}

std::string_view name_of(ConditionType type) {
  switch (type) {
    case ConditionType::able_to_scale:
      return "AbleToScale";
    case ConditionType::scaling_active:
      return "ScalingActive";
    case ConditionType::scaling_limited:
      break;
  }
  return "ScalingLimited";
}

std::string_view name_of(ConditionStatus status) {
  switch (status) {
    case ConditionStatus::no:
      return "False";
    case ConditionStatus::yes:
      return "True";
    case ConditionStatus::unknown:
      break;
  }
  return "Unknown";
}

const Condition* Status::find(ConditionType type) const {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

HorizontalPodAutoscaler::HorizontalPodAutoscaler(Spec spec, const ControllerSettings& settings, Status status,
                                                 Memory memory)
    : settings_(settings), calculator_(settings), status_(std::move(status)), memory_(std::move(memory)) {
  set_spec(std::move(spec));
  metrics_of_status_ = spec_.metrics;
  metrics_changed_ = false;
}

void HorizontalPodAutoscaler::set_spec(Spec spec) {
  spec = with_defaults(std::move(spec));
  metrics_changed_ = metrics_changed_ || spec.metrics != spec_.metrics;
  spec_ = std::move(spec);
  metric_names_.clear();
  same_name_as_.clear();
  for (const MetricSpec& metric : spec_.metrics) {
    metric_names_.push_back(metric_name(metric));
    same_name_as_.push_back(
        static_cast<int>(std::ranges::find(metric_names_, metric_names_.back()) - metric_names_.begin()));
  }
}

void HorizontalPodAutoscaler::set_condition(ConditionType type, ConditionStatus status, Reason reason,
                                            const MessageDetail& detail) {
  auto condition = std::ranges::find(status_.conditions, type, &Condition::type);
  if (condition == status_.conditions.end()) {
    status_.conditions.push_back({type, status, reason, now_, detail});
    return;
  }
  if (condition->status != status) condition->last_transition = now_;
  condition->status = status;
  condition->reason = reason;
  condition->detail = detail;
}

void HorizontalPodAutoscaler::add_event(Reason reason, const MessageDetail& detail) {
  result_.events.push_back({reason, detail});
}

void HorizontalPodAutoscaler::set_metric_statuses() {
  status_.current_metrics.clear();
  if (!result_.metrics_were_read) return;
  for (const Proposal& proposal : result_.proposals) {
    if (proposal.is_valid()) {
      status_.current_metrics.push_back(
          {true, proposal.utilization, proposal.average_value_milli, proposal.value_milli});
    } else {
      status_.current_metrics.emplace_back();
    }
  }
}

bool HorizontalPodAutoscaler::shows_another_metric() const {
  const auto is_same = [](const MetricSpec& a, const MetricSpec& b) {
    return std::tie(a.type, a.name, a.container, a.object_kind, a.object_name, a.selector) ==
           std::tie(b.type, b.name, b.container, b.object_kind, b.object_name, b.selector);
  };
  const std::size_t both = std::min(status_.current_metrics.size(), status_before_.current_metrics.size());
  for (std::size_t i = 0; i < both; ++i) {
    if (status_.current_metrics[i].is_set && status_before_.current_metrics[i].is_set &&
        (i >= metrics_of_status_.size() || !is_same(metrics_of_status_[i], spec_.metrics[i])))
      return true;
  }
  return false;
}

void HorizontalPodAutoscaler::write_status(bool fails) {
  const bool is_other_metric = metrics_changed_ && result_.metrics_were_read && shows_another_metric();
  if (status_ == status_before_ && !is_other_metric) return;
  if (fails) {
    add_event(Reason::failed_update_status);
    status_ = status_before_;
    return;
  }
  result_.status_written = true;
  if (metrics_changed_ && result_.metrics_were_read) {
    metrics_of_status_ = spec_.metrics;
    metrics_changed_ = false;
  }
}

void HorizontalPodAutoscaler::reset_result(std::int32_t current) {
  std::vector<Proposal> proposals = std::move(result_.proposals);
  std::vector<Event> events = std::move(result_.events);
  events.clear();
  result_ = {};
  result_.desired_replicas = current;
  result_.proposals = std::move(proposals);
  result_.events = std::move(events);
}

const SyncResult& HorizontalPodAutoscaler::sync(const SyncInput& input) {
  now_ = input.now;
  is_first_recommendation_ = false;
  status_before_ = status_;
  const std::int32_t current = input.spec_replicas;
  reset_result(current);
  if (input.scale_get_fails) {
    add_event(Reason::failed_get_scale);
    set_condition(ConditionType::able_to_scale, ConditionStatus::no, Reason::failed_get_scale);
    write_status(input.status_update_fails);
    return result_;
  }
  set_condition(ConditionType::able_to_scale, ConditionStatus::yes, Reason::succeeded_get_scale);
  if (!memory_.recommendations) {
    memory_.recommendations = {{current, now_}};
    is_first_recommendation_ = true;
  }

  std::int32_t desired = 0;
  bool rescale = true;
  if (current == 0 && min_replicas() != 0) {
    rescale = false;
    set_condition(ConditionType::scaling_active, ConditionStatus::no, Reason::scaling_disabled);
  } else if (current > spec_.max_replicas) {
    result_.rescale_reason = RescaleReason::above_max;
    desired = spec_.max_replicas;
  } else if (current < min_replicas()) {
    result_.rescale_reason = RescaleReason::below_min;
    desired = min_replicas();
  } else {
    if (!compute_from_metrics(input)) {
      result_.metrics_failed = true;
      status_.current_replicas = current;
      set_metric_statuses();
      write_status(input.status_update_fails);
      add_event(Reason::failed_compute_metrics_replicas);
      return result_;
    }
    const std::int32_t proposal = std::max(0, *result_.metric_replicas);
    if (proposal > current) result_.rescale_reason = RescaleReason::metric_above_target;
    if (proposal < current) result_.rescale_reason = RescaleReason::all_below_target;
    if (spec_.behavior) {
      result_.stabilized_replicas = stabilize_with_behavior(proposal, current);
      desired = limit_with_behavior(*result_.stabilized_replicas, current);
    } else {
      result_.stabilized_replicas = stabilize(proposal);
      desired = limit(*result_.stabilized_replicas, current);
    }
    rescale = desired != current;
  }

  if (!rescale) {
    result_.wanted_replicas = current;
    finish(current, current, false);
    write_status(input.status_update_fails);
    return result_;
  }
  result_.wanted_replicas = desired;
  if (input.scale_update_fails) {
    add_event(Reason::failed_rescale, {.number = desired});
    set_condition(ConditionType::able_to_scale, ConditionStatus::no, Reason::failed_update_scale);
    status_.current_replicas = current;
    set_metric_statuses();
    write_status(input.status_update_fails);
    return result_;
  }
  set_condition(ConditionType::able_to_scale, ConditionStatus::yes, Reason::succeeded_rescale, {.number = desired});
  add_event(Reason::successful_rescale, {.number = desired});
  store_scale_event(current, desired);
  result_.rescaled = true;
  result_.desired_replicas = desired;
  finish(current, desired, true);
  write_status(input.status_update_fails);
  return result_;
}

void HorizontalPodAutoscaler::finish(std::int32_t current, std::int32_t desired, bool rescaled) {
  status_.current_replicas = current;
  status_.desired_replicas = desired;
  set_metric_statuses();
  if (rescaled) status_.last_scale_time = now_;
}

bool HorizontalPodAutoscaler::check_selector(SelectorState state) {
  Reason event = Reason::none;
  Reason condition = Reason::invalid_selector;
  switch (state) {
    case SelectorState::valid:
      return true;
    case SelectorState::missing:
      event = Reason::selector_required;
      break;
    case SelectorState::unparsable:
      event = Reason::invalid_selector;
      break;
    case SelectorState::ambiguous:
      event = condition = Reason::ambiguous_selector;
      break;
  }
  add_event(event);
  set_condition(ConditionType::scaling_active, ConditionStatus::no, condition,
                {.number = static_cast<std::int32_t>(state)});
  return false;
}

Tolerances HorizontalPodAutoscaler::tolerances() const {
  Tolerances tolerances{settings_.tolerance, settings_.tolerance};
  if (!spec_.behavior || !settings_.configurable_tolerance) return tolerances;
  tolerances.down = spec_.behavior->scale_down.tolerance.value_or(tolerances.down);
  tolerances.up = spec_.behavior->scale_up.tolerance.value_or(tolerances.up);
  return tolerances;
}

bool HorizontalPodAutoscaler::compute_from_metrics(const SyncInput& input) {
  if (!check_selector(input.selector)) return false;
  result_.metrics_were_read = true;
  const std::size_t count = spec_.metrics.size();
  result_.proposals.resize(count);
  const ScaleView view{input.now, input.spec_replicas, input.status_replicas, input.pods, tolerances()};
  std::int32_t best = 0;
  std::size_t invalid = 0;
  std::optional<std::size_t> first_invalid;
  for (std::size_t i = 0; i < count; ++i) {
    Proposal& proposal = result_.proposals[i];
    MetricAnswer no_answer;
    no_answer.failed = true;
    calculator_.propose(spec_.metrics[i], i < input.answers.size() ? input.answers[i] : no_answer, view, proposal);
    if (!proposal.is_valid()) {
      ++invalid;
      if (!first_invalid) first_invalid = i;
      add_event(failure_of(spec_.metrics[i].type), {.metric = static_cast<int>(i), .error = proposal.error});
    } else if (best == 0 || proposal.replicas > best) {
      best = proposal.replicas;
      result_.metric = static_cast<int>(i);
    }
  }
  if (invalid >= count || (invalid > 0 && best < input.spec_replicas)) {
    const Proposal& first = result_.proposals[*first_invalid];
    set_condition(ConditionType::scaling_active, ConditionStatus::no, failure_of(spec_.metrics[*first_invalid].type),
                  {.metric = same_name_as_[*first_invalid], .error = first.error, .error_pod = first.error_pod});
    result_.metric = -1;
    return false;
  }
  set_condition(ConditionType::scaling_active, ConditionStatus::yes, Reason::valid_metric_found,
                {.metric = same_name_as_[static_cast<std::size_t>(result_.metric)]});
  result_.metric_replicas = best;
  return true;
}

bool HorizontalPodAutoscaler::is_before(std::size_t recommendation, TimePoint cutoff) const {
  const TimePoint time = (*memory_.recommendations)[recommendation].time;
  // The first one is older than this sync's `now` by the time that reading the metrics took.
  return time < cutoff || (is_first_recommendation_ && recommendation == 0 && time == cutoff);
}

void HorizontalPodAutoscaler::record(std::int32_t replicas, std::optional<std::size_t> slot) {
  std::vector<Recommendation>& all = *memory_.recommendations;
  if (slot) {
    all[*slot] = {replicas, now_};
  } else {
    all.push_back({replicas, now_});
  }
}

std::int32_t HorizontalPodAutoscaler::stabilize(std::int32_t proposal) {
  const TimePoint cutoff = now_ - settings_.downscale_stabilization;
  std::int32_t greatest = proposal;
  std::optional<std::size_t> old_slot;
  for (std::size_t i = 0; i < memory_.recommendations->size(); ++i) {
    if (is_before(i, cutoff)) {
      old_slot = i;
    } else {
      greatest = std::max(greatest, (*memory_.recommendations)[i].replicas);
    }
  }
  record(proposal, old_slot);
  set_condition(ConditionType::able_to_scale, ConditionStatus::yes,
                greatest != proposal ? Reason::scale_down_stabilized : Reason::ready_for_new_scale);
  return greatest;
}

Duration HorizontalPodAutoscaler::scale_down_window() const {
  if (!spec_.behavior) return settings_.downscale_stabilization;
  const auto& own = spec_.behavior->scale_down.stabilization_window_seconds;
  return own ? Duration(seconds(*own)) : std::chrono::floor<std::chrono::seconds>(settings_.downscale_stabilization);
}

std::int32_t HorizontalPodAutoscaler::stabilize_with_behavior(std::int32_t proposal, std::int32_t current) {
  const TimePoint up_cutoff = now_ - seconds(*spec_.behavior->scale_up.stabilization_window_seconds);
  const TimePoint down_cutoff = now_ - scale_down_window();
  std::int32_t lowest = proposal;
  std::int32_t greatest = proposal;
  std::optional<std::size_t> old_slot;
  for (std::size_t i = 0; i < memory_.recommendations->size(); ++i) {
    const Recommendation& past = (*memory_.recommendations)[i];
    if (past.time > up_cutoff) lowest = std::min(lowest, past.replicas);
    if (past.time > down_cutoff) greatest = std::max(greatest, past.replicas);
    if (is_before(i, up_cutoff) && is_before(i, down_cutoff)) old_slot = i;
  }
  record(proposal, old_slot);
  std::int32_t stabilized = current;
  if (stabilized < lowest) stabilized = lowest;
  if (stabilized > greatest) stabilized = greatest;
  const Reason stabilized_reason = proposal >= current ? Reason::scale_up_stabilized : Reason::scale_down_stabilized;
  set_condition(ConditionType::able_to_scale, ConditionStatus::yes,
                stabilized == proposal ? Reason::ready_for_new_scale : stabilized_reason);
  return stabilized;
}

std::int32_t HorizontalPodAutoscaler::limit(std::int32_t stabilized, std::int32_t current) {
  const auto rate = truncated<std::int32_t>(
      std::max(settings_.legacy_scale_up_factor * static_cast<double>(current), kLegacyLimitMinimum));
  const bool rate_limits = spec_.max_replicas > rate;
  const std::int32_t top = rate_limits ? rate : spec_.max_replicas;
  std::int32_t desired = stabilized;
  Reason reason = Reason::desired_within_range;
  if (stabilized < min_replicas()) {
    result_.bound = desired = min_replicas();
    reason = Reason::too_few_replicas;
  } else if (stabilized > top) {
    result_.bound = desired = top;
    reason = rate_limits ? Reason::scale_up_limit : Reason::too_many_replicas;
  }
  set_condition(ConditionType::scaling_limited, desired == stabilized ? ConditionStatus::no : ConditionStatus::yes,
                reason);
  return desired;
}

std::int32_t HorizontalPodAutoscaler::limit_with_behavior(std::int32_t stabilized, std::int32_t current) {
  std::int32_t desired = stabilized;
  Reason reason = Reason::desired_within_range;
  if (stabilized > current) {
    const std::int32_t rate = std::max(current, scale_up_bound(current));
    const bool rate_limits = spec_.max_replicas > rate;
    const std::int32_t top = rate_limits ? rate : spec_.max_replicas;
    if (stabilized > top) {
      result_.bound = desired = top;
      reason = rate_limits ? Reason::scale_up_limit : Reason::too_many_replicas;
    }
  } else if (stabilized < current) {
    const std::int32_t rate = std::min(current, scale_down_bound(current));
    const bool rate_limits = min_replicas() < rate;
    const std::int32_t bottom = rate_limits ? rate : min_replicas();
    if (stabilized < bottom) {
      result_.bound = desired = bottom;
      reason = rate_limits ? Reason::scale_down_limit : Reason::too_few_replicas;
    }
  }
  set_condition(ConditionType::scaling_limited, desired == stabilized ? ConditionStatus::no : ConditionStatus::yes,
                reason);
  return desired;
}

std::int32_t HorizontalPodAutoscaler::change_since(std::span<const ScaleEvent> events, TimePoint cutoff) const {
  std::int32_t sum = 0;
  for (const ScaleEvent& event : events) {
    if (event.time > cutoff) sum = add32(sum, event.change);
  }
  return sum;
}

std::int32_t HorizontalPodAutoscaler::scale_up_bound(std::int32_t current) const {
  const ScalingRules& rules = spec_.behavior->scale_up;
  if (rules.select_policy == SelectPolicy::disabled) return current;
  const bool takes_least = rules.select_policy == SelectPolicy::min;
  std::int32_t bound = takes_least ? INT32_MAX : INT32_MIN;
  std::int32_t allowed = 0;
  for (const ScalingPolicy& policy : *rules.policies) {
    const TimePoint cutoff = now_ - seconds(policy.period_seconds);
    const std::int32_t start = add32(subtract32(current, change_since(memory_.scale_up_events, cutoff)),
                                     change_since(memory_.scale_down_events, cutoff));
    if (policy.type == PolicyType::pods) allowed = add32(start, policy.value);
    if (policy.type == PolicyType::percent) {
      allowed = truncated<std::int32_t>(
          std::ceil(static_cast<double>(start) * (1.0 + static_cast<double>(policy.value) / 100.0)));
    }
    bound = takes_least ? std::min(bound, allowed) : std::max(bound, allowed);
  }
  return bound;
}

std::int32_t HorizontalPodAutoscaler::scale_down_bound(std::int32_t current) const {
  const ScalingRules& rules = spec_.behavior->scale_down;
  if (rules.select_policy == SelectPolicy::disabled) return current;
  const bool takes_least = rules.select_policy == SelectPolicy::min;
  std::int32_t bound = takes_least ? INT32_MIN : INT32_MAX;
  std::int32_t allowed = 0;
  for (const ScalingPolicy& policy : *rules.policies) {
    const TimePoint cutoff = now_ - seconds(policy.period_seconds);
    const std::int32_t start = add32(subtract32(current, change_since(memory_.scale_up_events, cutoff)),
                                     change_since(memory_.scale_down_events, cutoff));
    if (policy.type == PolicyType::pods) allowed = subtract32(start, policy.value);
    if (policy.type == PolicyType::percent) {
      allowed = truncated<std::int32_t>(static_cast<double>(start) * (1.0 - static_cast<double>(policy.value) / 100.0));
    }
    bound = takes_least ? std::max(bound, allowed) : std::min(bound, allowed);
  }
  return bound;
}

void HorizontalPodAutoscaler::store_scale_event(std::int32_t before, std::int32_t after) {
  if (!spec_.behavior) return;
  const bool is_up = after > before;
  std::vector<ScaleEvent>& events = is_up ? memory_.scale_up_events : memory_.scale_down_events;
  const ScalingRules& rules = is_up ? spec_.behavior->scale_up : spec_.behavior->scale_down;
  const TimePoint cutoff = now_ - seconds(longest_period(rules));
  ScaleEvent* slot = nullptr;
  for (ScaleEvent& event : events) {
    if (event.time < cutoff) event.is_outdated = true;
    if (event.is_outdated) slot = &event;
  }
  const ScaleEvent stored{is_up ? subtract32(after, before) : subtract32(before, after), now_, false};
  if (slot != nullptr) {
    *slot = stored;
  } else {
    events.push_back(stored);
  }
}

std::string rescale_reason_text(const HorizontalPodAutoscaler& autoscaler, const SyncResult& result) {
  switch (result.rescale_reason) {
    case RescaleReason::none:
      return "";
    case RescaleReason::above_max:
      return "Current number of replicas above Spec.MaxReplicas";
    case RescaleReason::below_min:
      return "Current number of replicas below Spec.MinReplicas";
    case RescaleReason::metric_above_target:
      return cat(autoscaler.metric_names()[static_cast<std::size_t>(result.metric)], " above target");
    case RescaleReason::all_below_target:
      break;
  }
  return "All metrics below target";
}

namespace {

std::string_view error_words(MetricError error) {
  switch (error) {
    case MetricError::none:
      break;
    case MetricError::api:
      return "unable to get metrics: the metrics API failed or answered without items";
    case MetricError::no_pods:
      return "no pods returned by selector while calculating replica count";
    case MetricError::no_samples:
      return "did not receive metrics for targeted pods (pods might be unready)";
    case MetricError::missing_request:
      return "missing request for the resource in a container of a pod";
    case MetricError::no_known_pods:
      return "no metrics returned matched known pods";
    case MetricError::no_target:
      return "invalid metric source: the target has no value of its type";
    case MetricError::unknown_type:
      return "unknown metric source type";
  }
  return "";
}

}  // namespace

std::string message_of(const HorizontalPodAutoscaler& autoscaler, const Condition& condition) {
  const MessageDetail& detail = condition.detail;
  if (!detail.is_known) return "";
  switch (condition.reason) {
    case Reason::succeeded_get_scale:
      return "the HPA controller was able to get the target's current scale";
    case Reason::failed_get_scale:
      return "the HPA controller was unable to get the target's current scale";
    case Reason::failed_update_scale:
      return "the HPA controller was unable to update the target scale";
    case Reason::succeeded_rescale:
      return cat("the HPA controller was able to update the target scale to ", detail.number);
    case Reason::ready_for_new_scale:
      return "recommended size matches current size";
    case Reason::scale_down_stabilized:
      return "recent recommendations were higher than current one, applying the highest recent recommendation";
    case Reason::scale_up_stabilized:
      return "recent recommendations were lower than current one, applying the lowest recent recommendation";
    case Reason::scaling_disabled:
      return "scaling is disabled since the replica count of the target is zero";
    case Reason::valid_metric_found:
      return cat("the HPA was able to successfully calculate a replica count from ",
                 autoscaler.metric_names()[static_cast<std::size_t>(detail.metric)]);
    case Reason::invalid_selector:
      return detail.number == static_cast<std::int32_t>(SelectorState::missing)
                 ? "the HPA target's scale is missing a selector"
                 : "couldn't convert selector into a corresponding internal selector object";
    case Reason::ambiguous_selector:
      return "pods by selector are controlled by multiple HPAs";
    case Reason::desired_within_range:
      return "the desired count is within the acceptable range";
    case Reason::too_few_replicas:
      return "the desired replica count is less than the minimum replica count";
    case Reason::too_many_replicas:
      return "the desired replica count is more than the maximum replica count";
    case Reason::scale_up_limit:
      return "the desired replica count is increasing faster than the maximum scale rate";
    case Reason::scale_down_limit:
      return "the desired replica count is decreasing faster than the maximum scale rate";
    default:
      break;
  }
  return cat("the HPA was unable to compute the replica count: ", error_words(detail.error));
}

}  // namespace mpca::hpa
