// The controller's handling of one HorizontalPodAutoscaler, sync after sync: which pods count, several metrics, the
// stabilization window, rate limits, bounds, and what the object's status, conditions and events say of it. It has the
// memory that upstream has, with the same slots in the same order, and forgets it at a restart like upstream.
// Kubernetes 1.35, pkg/controller/podautoscaler/horizontal.go.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hpa/pods.h"
#include "hpa/replica_calculator.h"
#include "hpa/selector.h"
#include "hpa/spec.h"

namespace mpca::hpa {

/// Of conditions and events; name_of() has upstream's spelling.
enum class Reason : std::uint8_t {
  none,
  succeeded_get_scale,
  ready_for_new_scale,
  scale_down_stabilized,
  scale_up_stabilized,
  succeeded_rescale,
  failed_get_scale,
  failed_update_scale,
  valid_metric_found,
  scaling_disabled,
  invalid_selector,
  ambiguous_selector,
  failed_get_resource_metric,
  failed_get_container_resource_metric,
  failed_get_pods_metric,
  failed_get_object_metric,
  failed_get_external_metric,
  invalid_metric_source_type,
  desired_within_range,
  too_few_replicas,
  too_many_replicas,
  scale_up_limit,
  scale_down_limit,
  successful_rescale,
  failed_rescale,
  failed_update_status,
  failed_compute_metrics_replicas,
  selector_required,
  other,  // read from somewhere, and not one of upstream's
};
std::string_view name_of(Reason reason);
/// `other` when it is none of them.
Reason reason_of(std::string_view name);

enum class ConditionType : std::uint8_t { able_to_scale, scaling_active, scaling_limited };
enum class ConditionStatus : std::uint8_t { no, yes, unknown };
std::string_view name_of(ConditionType type);
std::string_view name_of(ConditionStatus status);

/// What a message says beyond its reason. Equal details with equal reasons are equal texts; the text itself is made by
/// message_of() when somebody asks.
struct MessageDetail {
  int metric = -1;          // place in spec.metrics
  std::int32_t number = 0;  // replicas, or a SelectorState
  MetricError error = MetricError::none;
  int error_pod = -1;
  bool is_known = true;  // false: the condition was read from somewhere
  bool operator==(const MessageDetail&) const = default;
};

struct Condition {
  ConditionType type = ConditionType::able_to_scale;
  ConditionStatus status = ConditionStatus::unknown;
  Reason reason = Reason::none;
  TimePoint last_transition;
  MessageDetail detail;
  bool operator==(const Condition&) const = default;
};

struct MetricStatus {
  bool is_set = false;  // false: the metric failed and left an empty entry
  std::optional<std::int32_t> utilization;
  std::optional<std::int64_t> average_value_milli;
  std::optional<std::int64_t> value_milli;
  bool operator==(const MetricStatus&) const = default;
};

/// The object's status: survives a restart of the controller.
struct Status {
  std::int32_t current_replicas = 0;
  std::int32_t desired_replicas = 0;
  std::optional<TimePoint> last_scale_time;
  std::vector<MetricStatus> current_metrics;
  std::vector<Condition> conditions;  // in the order in which they were first set
  bool operator==(const Status&) const = default;

  const Condition* find(ConditionType type) const;
};

struct Recommendation {
  std::int32_t replicas = 0;
  TimePoint time;
  bool operator==(const Recommendation&) const = default;
};

struct ScaleEvent {
  std::int32_t change = 0;
  TimePoint time;
  bool is_outdated = false;
  bool operator==(const ScaleEvent&) const = default;
};

/// What the controller knows between syncs and loses at a restart. Lists are in slot order, not in time order.
struct Memory {
  std::optional<std::vector<Recommendation>> recommendations;  // never set: the next sync records the present size
  std::vector<ScaleEvent> scale_up_events;
  std::vector<ScaleEvent> scale_down_events;
  bool operator==(const Memory&) const = default;
};

/// Everything that one sync reads.
struct SyncInput {
  TimePoint now;
  std::int32_t spec_replicas = 0;    // of the scale
  std::int32_t status_replicas = 0;  // of the scale
  SelectorState selector = SelectorState::valid;
  std::span<const Pod> pods;              // that the selector matches
  std::span<const MetricAnswer> answers;  // one per entry of spec.metrics
  bool scale_get_fails = false;
  bool scale_update_fails = false;
  bool status_update_fails = false;
};

struct Event {
  Reason reason = Reason::none;
  MessageDetail detail;
};

enum class RescaleReason : std::uint8_t { none, above_max, below_min, metric_above_target, all_below_target };

struct SyncResult {
  std::int32_t desired_replicas = 0;  // the scale's spec.replicas after the sync
  bool rescaled = false;              // and it was this sync that wrote it
  bool status_written = false;

  bool metrics_were_read = false;
  std::vector<Proposal> proposals;                  // one per metric when metrics were read, else of no meaning
  std::optional<std::int32_t> metric_replicas;      // the largest proposal; empty: none was computed, or failure
  bool metrics_failed = false;                      // no decision could be made of them
  int metric = -1;                                  // place of the one that the reason names
  std::optional<std::int32_t> stabilized_replicas;  // after the window, before the limits
  std::optional<std::int32_t> bound;                // the limit that `stabilized_replicas` was held against
  RescaleReason rescale_reason = RescaleReason::none;
  std::int32_t wanted_replicas = 0;  // what was to be written
  std::vector<Event> events;
};

class HorizontalPodAutoscaler {
 public:
  /// `spec` as the user wrote it: the API's defaults are applied here.
  HorizontalPodAutoscaler(Spec spec, const ControllerSettings& settings, Status status = {}, Memory memory = {});

  /// One sync. `input.now` must be later than that of the call before. The result is valid until the next call.
  ///   cost   O(pods + samples + memory); no allocation once the memory has its size
  const SyncResult& sync(const SyncInput& input);

  /// The object was changed. Status and memory stay.
  void set_spec(Spec spec);
  /// The controller restarted.
  void forget() { memory_ = {}; }

  const Spec& spec() const { return spec_; }
  const ControllerSettings& settings() const { return settings_; }
  const Status& status() const { return status_; }
  const Memory& memory() const { return memory_; }
  /// Names as in reasons, one per entry of spec.metrics.
  const std::vector<std::string>& metric_names() const { return metric_names_; }

  /// The scale-down window that holds: the rules' own, else the controller's.
  Duration scale_down_window() const;
  /// The tolerances that hold, likewise.
  Tolerances tolerances() const;

 private:
  void reset_result(std::int32_t current);
  void set_condition(ConditionType type, ConditionStatus status, Reason reason, const MessageDetail& detail = {});
  void add_event(Reason reason, const MessageDetail& detail = {});
  bool shows_another_metric() const;
  void write_status(bool fails);
  void finish(std::int32_t current, std::int32_t desired, bool rescaled);
  void set_metric_statuses();
  bool compute_from_metrics(const SyncInput& input);
  bool check_selector(SelectorState state);
  std::int32_t stabilize(std::int32_t proposal);
  std::int32_t stabilize_with_behavior(std::int32_t proposal, std::int32_t current);
  std::int32_t limit(std::int32_t stabilized, std::int32_t current);
  std::int32_t limit_with_behavior(std::int32_t stabilized, std::int32_t current);
  void record(std::int32_t replicas, std::optional<std::size_t> slot);
  bool is_before(std::size_t recommendation, TimePoint cutoff) const;
  std::int32_t change_since(std::span<const ScaleEvent> events, TimePoint cutoff) const;
  std::int32_t scale_up_bound(std::int32_t current) const;
  std::int32_t scale_down_bound(std::int32_t current) const;
  void store_scale_event(std::int32_t before, std::int32_t after);
  std::int32_t min_replicas() const { return spec_.min_replicas.value_or(1); }

  Spec spec_;
  ControllerSettings settings_;
  std::vector<std::string> metric_names_;
  std::vector<int> same_name_as_;  // per metric: the first with that name
  ReplicaCalculator calculator_;
  Status status_;
  Memory memory_;

  // Of the sync under way.
  TimePoint now_;
  bool is_first_recommendation_ = false;  // recorded in this sync, so a little earlier than its `now`
  Status status_before_;
  bool metrics_changed_ = false;               // since the status was made
  std::vector<MetricSpec> metrics_of_status_;  // equal numbers of another metric are not an equal status
  SyncResult result_;
};

/// The text after `reason: ` of SuccessfulRescale; empty when there is none.
std::string rescale_reason_text(const HorizontalPodAutoscaler& autoscaler, const SyncResult& result);

/// The condition's message, in upstream's words. Errors of an API are not told in detail.
std::string message_of(const HorizontalPodAutoscaler& autoscaler, const Condition& condition);

}  // namespace mpca::hpa
