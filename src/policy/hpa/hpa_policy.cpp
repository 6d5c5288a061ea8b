#include "policy/hpa/hpa_policy.h"

#include <algorithm>
#include <cmath>

#include "core/state_text.h"
#include "core/text.h"
#include "hpa/autoscaler.h"
#include "policy/guards.h"
#include "policy/hpa/hpa_settings.h"
#include "policy/kind.h"

namespace mpca::policy {
namespace {

constexpr std::string_view kStateKind = "hpa";
constexpr int kStateVersion = 1;
constexpr double kMostAmount = 9e15;
// A Ready pod of unknown age is older than any setting about young pods.
constexpr Duration kLongAgo = std::chrono::hours(24 * 365);

/// As metrics-server counts: whole nanocores, which the controller rounds up to milli-cores.
std::int64_t milli_cores(double cores) {
  const auto nanocores = static_cast<std::int64_t>(std::llround(std::clamp(cores, 0.0, 1e9) * 1e9));
  return (nanocores + 999'999) / 1'000'000;
}

/// As the adapter of Prometheus counts: cut to milli-units.
std::int64_t milli_units(double value) {
  return static_cast<std::int64_t>(std::clamp(value * 1000.0, -kMostAmount, kMostAmount));
}

std::string_view words_of(hpa::Hold hold) {
  switch (hold) {
    case hpa::Hold::none:
      break;
    case hpa::Hold::tolerance:
      return "tolerance";
    case hpa::Hold::direction_of_ratio:
      return "unready_or_missing_pods";
    case hpa::Hold::direction_of_result:
      return "fewer_pods_than_replicas";
  }
  return "rounding";
}

std::string_view words_of(hpa::Reason reason) {
  switch (reason) {
    case hpa::Reason::scale_up_limit:
      return "scale_up_limit";
    case hpa::Reason::scale_down_limit:
      return "scale_down_limit";
    case hpa::Reason::too_many_replicas:
      return "max_replicas";
    case hpa::Reason::too_few_replicas:
      return "min_replicas";
    default:
      return "limits";
  }
}

std::string rule_of(const hpa::Spec& spec) {
  if (spec.metrics.size() > 1) return cat("largest of ", spec.metrics.size(), " metrics");
  const hpa::MetricSpec& metric = spec.metrics[0];
  if (metric.average_utilization && !metric.average_value_milli) return "ceil(pods x utilization / target)";
  return cat("ceil(pods x ", metric.name, " / target)");
}

/// What the proposal was before it was rounded or held.
double unrounded(const hpa::MetricSpec& metric, const hpa::Proposal& proposal, int pods) {
  switch (metric.type) {
    case hpa::MetricType::object:
    case hpa::MetricType::external:
      if (proposal.value_milli)
        return proposal.hold == hpa::Hold::none ? proposal.ratio * proposal.ready_pods : proposal.ratio * pods;
      return proposal.ratio * pods;
    default:
      return proposal.full_ratio.value_or(proposal.ratio) * proposal.counted_samples;
  }
}

class HpaPolicy final : public Policy {
 public:
  HpaPolicy(HpaPlan plan, const Workload& workload)
      : plan_(std::move(plan)),
        workload_(workload),
        twin_(plan_.spec, plan_.controller),
        rule_(rule_of(twin_.spec())) {}

  Decision decide(const Observation& observation) override {
    look_at_pods(observation);
    look_at_metrics(observation);
    hpa::SyncInput input;
    input.now = observation.now;
    input.spec_replicas = observation.spec_replicas;
    input.status_replicas = live_pods_;
    input.pods = pods_;
    input.answers = answers_;
    const hpa::SyncResult& result = twin_.sync(input);
    Decision decision{.replicas = observation.spec_replicas, .explanation = {}};
    explain(observation, result, decision);
    decision.replicas = result.desired_replicas;
    clamp_to_bounds(workload_, decision.replicas, decision.explanation);
    return decision;
  }

  std::string save_state() const override {
    StateWriter writer(kStateKind, kStateVersion);
    const auto put = [&](std::string_view name, std::int64_t value) { writer.put(name, value); };
    const hpa::Memory& memory = twin_.memory();
    put("has_recommendations", memory.recommendations.has_value() ? 1 : 0);
    put("recommendations", memory.recommendations ? std::ssize(*memory.recommendations) : 0);
    for (std::size_t i = 0; memory.recommendations && i < memory.recommendations->size(); ++i) {
      const hpa::Recommendation& past = (*memory.recommendations)[i];
      put(cat("recommendation_replicas_", i), past.replicas);
      writer.put(cat("recommendation_time_", i), past.time);
    }
    save_events(writer, "up", memory.scale_up_events);
    save_events(writer, "down", memory.scale_down_events);
    const hpa::Status& status = twin_.status();
    put("current_replicas", status.current_replicas);
    put("desired_replicas", status.desired_replicas);
    put("has_last_scale_time", status.last_scale_time.has_value() ? 1 : 0);
    writer.put("last_scale_time", status.last_scale_time.value_or(TimePoint{}));
    put("conditions", std::ssize(status.conditions));
    for (std::size_t i = 0; i < status.conditions.size(); ++i) {
      const hpa::Condition& condition = status.conditions[i];
      put(cat("condition_type_", i), static_cast<std::int64_t>(condition.type));
      put(cat("condition_status_", i), static_cast<std::int64_t>(condition.status));
      put(cat("condition_reason_", i), static_cast<std::int64_t>(condition.reason));
      writer.put(cat("condition_since_", i), condition.last_transition);
    }
    return writer.take();
  }

  Result<void> load_state(std::string_view state) override {
    MPCA_TRY(const StateReader reader, StateReader::open(state, kStateKind, kStateVersion));
    hpa::Memory memory;
    MPCA_TRY(const std::int64_t has_recommendations, reader.integer("has_recommendations"));
    MPCA_TRY(const std::int64_t recommendations, reader.integer("recommendations"));
    if (has_recommendations != 0) memory.recommendations.emplace();
    for (std::int64_t i = 0; has_recommendations != 0 && i < recommendations; ++i) {
      MPCA_TRY(const std::int32_t replicas, small(reader, cat("recommendation_replicas_", i), INT32_MIN, INT32_MAX));
      MPCA_TRY(const TimePoint time, reader.time(cat("recommendation_time_", i)));
      memory.recommendations->push_back({replicas, time});
    }
    MPCA_TRY(memory.scale_up_events, load_events(reader, "up"));
    MPCA_TRY(memory.scale_down_events, load_events(reader, "down"));
    hpa::Status status;
    MPCA_TRY(status.current_replicas, small(reader, "current_replicas", INT32_MIN, INT32_MAX));
    MPCA_TRY(status.desired_replicas, small(reader, "desired_replicas", INT32_MIN, INT32_MAX));
    MPCA_TRY(const std::int64_t has_time, reader.integer("has_last_scale_time"));
    MPCA_TRY(const TimePoint last_scale_time, reader.time("last_scale_time"));
    if (has_time != 0) status.last_scale_time = last_scale_time;
    MPCA_TRY(const std::int64_t conditions, reader.integer("conditions"));
    for (std::int64_t i = 0; i < conditions; ++i) {
      hpa::Condition condition;
      MPCA_TRY(const std::int32_t type, small(reader, cat("condition_type_", i), 0, 2));
      MPCA_TRY(const std::int32_t value, small(reader, cat("condition_status_", i), 0, 2));
      MPCA_TRY(const std::int32_t reason,
               small(reader, cat("condition_reason_", i), 0, static_cast<std::int32_t>(hpa::Reason::other)));
      MPCA_TRY(condition.last_transition, reader.time(cat("condition_since_", i)));
      condition.type = static_cast<hpa::ConditionType>(type);
      condition.status = static_cast<hpa::ConditionStatus>(value);
      condition.reason = static_cast<hpa::Reason>(reason);
      condition.detail.is_known = false;
      status.conditions.push_back(condition);
    }
    twin_ = hpa::HorizontalPodAutoscaler(plan_.spec, plan_.controller, std::move(status), std::move(memory));
    return {};
  }

 private:
  static void save_events(StateWriter& writer, std::string_view direction, const std::vector<hpa::ScaleEvent>& events) {
    writer.put(cat(direction, "_events"), static_cast<std::int64_t>(events.size()));
    for (std::size_t i = 0; i < events.size(); ++i) {
      writer.put(cat(direction, "_change_", i), std::int64_t{events[i].change});
      writer.put(cat(direction, "_time_", i), events[i].time);
      writer.put(cat(direction, "_outdated_", i), std::int64_t{events[i].is_outdated});
    }
  }

  static Result<std::vector<hpa::ScaleEvent>> load_events(const StateReader& reader, std::string_view direction) {
    std::vector<hpa::ScaleEvent> events;
    MPCA_TRY(const std::int64_t count, reader.integer(cat(direction, "_events")));
    for (std::int64_t i = 0; i < count; ++i) {
      MPCA_TRY(const std::int32_t change, small(reader, cat(direction, "_change_", i), INT32_MIN, INT32_MAX));
      MPCA_TRY(const TimePoint time, reader.time(cat(direction, "_time_", i)));
      MPCA_TRY(const std::int32_t is_outdated, small(reader, cat(direction, "_outdated_", i), 0, 1));
      events.push_back({change, time, is_outdated != 0});
    }
    return events;
  }

  static Result<std::int32_t> small(const StateReader& reader, const std::string& name, std::int32_t low,
                                    std::int32_t high) {
    MPCA_TRY(const std::int64_t value, reader.integer(name));
    if (value < low || value > high) return invalid(cat("line \"", name, "\" of the state holds ", value));
    return static_cast<std::int32_t>(value);
  }

  void look_at_pods(const Observation& observation) {
    pods_.clear();
    cpu_samples_.clear();
    live_pods_ = 0;
    for (const PodObservation& seen : observation.pods) {
      hpa::Pod pod;
      pod.started = seen.started;
      pod.phase = seen.started > observation.now ? hpa::PodPhase::pending : hpa::PodPhase::running;
      pod.readiness = seen.is_ready ? hpa::Readiness::ready : hpa::Readiness::not_ready;
      pod.ready_changed = seen.ready_changed;
      pod.is_terminating = seen.is_terminating;
      if (!seen.is_terminating) ++live_pods_;
      if (const auto cores = seen.cpu_cores.value_if_known()) {
        cpu_samples_.push_back({static_cast<int>(pods_.size()), milli_cores(*cores),
                                observation.now - seen.cpu_cores.age, seen.cpu_window});
      }
      pods_.push_back(pod);
    }
    cpu_is_known_ = !cpu_samples_.empty();
    if (observation.pods.empty()) make_pods(observation);
  }

  /// Of a world that shows only counts.
  void make_pods(const Observation& observation) {
    const auto cores = observation.cpu_cores.value_if_known();
    cpu_is_known_ = cores.has_value();
    const TimePoint sampled = observation.now - observation.cpu_cores.age;
    const TimePoint long_ago = observation.now - kLongAgo;
    const int ready = observation.ready_replicas;
    for (int i = 0; i < ready; ++i) {
      if (cores) cpu_samples_.push_back({static_cast<int>(pods_.size()), milli_cores(*cores / ready), sampled, {}});
      hpa::Pod pod;
      pod.started = pod.ready_changed = long_ago;
      pods_.push_back(pod);
    }
    for (const Duration age : observation.starting_pod_ages) {
      if (cores) cpu_samples_.push_back({static_cast<int>(pods_.size()), 0, sampled, {}});
      hpa::Pod pod;
      pod.started = pod.ready_changed = observation.now - age;
      pod.readiness = hpa::Readiness::not_ready;
      pods_.push_back(pod);
    }
    live_pods_ = static_cast<int>(pods_.size());
  }

  static std::optional<double> value_of(HpaSignal signal, const Observation& observation) {
    switch (signal) {
      case HpaSignal::cpu:
        return observation.cpu_cores.value_if_known();
      case HpaSignal::served_rate:
        return observation.served_rate_rps.value_if_known();
      case HpaSignal::failed_rate:
        return observation.failed_rate_rps.value_if_known();
      case HpaSignal::in_flight:
        return observation.in_flight_requests.value_if_known();
      case HpaSignal::offered_rate:
        break;
    }
    // What failed may not be shown; what was served must be.
    const auto served = observation.served_rate_rps.value_if_known();
    if (!served) return std::nullopt;
    return *served + observation.failed_rate_rps.value_if_known().value_or(0.0);
  }

  void look_at_metrics(const Observation& observation) {
    const std::size_t count = twin_.spec().metrics.size();
    answers_.assign(count, {});
    samples_.resize(count);
    totals_.resize(count);
    requests_.assign(pods_.size(), plan_.cpu_request_milli);
    for (std::size_t i = 0; i < count; ++i) {
      hpa::MetricAnswer& answer = answers_[i];
      const hpa::MetricType type = twin_.spec().metrics[i].type;
      if (type == hpa::MetricType::resource || type == hpa::MetricType::container_resource) {
        answer.failed = !cpu_is_known_;
        answer.samples = cpu_samples_;
        answer.requests = requests_;
        continue;
      }
      const auto value = value_of(plan_.signals[i], observation);
      answer.failed = !value.has_value();
      if (!value) continue;
      totals_[i] = milli_units(*value);
      answer.values = std::span(&totals_[i], 1);
      if (type != hpa::MetricType::pods) continue;
      samples_[i].clear();
      const auto ready = std::ranges::count(pods_, hpa::Readiness::ready, &hpa::Pod::readiness);
      for (std::size_t pod = 0; pod < pods_.size(); ++pod) {
        if (pods_[pod].readiness != hpa::Readiness::ready) continue;
        samples_[i].push_back(
            {static_cast<int>(pod), milli_units(*value / static_cast<double>(ready)), observation.now, {}});
      }
      answer.failed = samples_[i].empty();
      answer.samples = samples_[i];
    }
  }

  void explain(const Observation& observation, const hpa::SyncResult& result, Decision& decision) const {
    Explanation& explanation = decision.explanation;
    explanation.rule = rule_;
    std::int64_t cpu_milli = 0;
    for (const hpa::PodSample& sample : cpu_samples_) cpu_milli += sample.value_milli;
    if (cpu_is_known_) {
      explanation.demand_rps = static_cast<double>(cpu_milli) / 1000.0 * workload_.capacity_rps;
      explanation.demand_source = "cpu x capacity of a core";
    }
    explain_guards(observation, result, explanation);
    const hpa::Status& status = twin_.status();
    for (const hpa::Condition& condition : status.conditions) {
      explanation.status += cat(explanation.status.empty() ? "" : ", ", hpa::name_of(condition.reason));
    }
    if (result.metrics_failed) explanation.status += ": hold, the metric is missing";
  }

  void explain_guards(const Observation& observation, const hpa::SyncResult& result, Explanation& explanation) const {
    int replicas = observation.spec_replicas;
    if (result.metric >= 0 && result.metric_replicas) {
      const auto at = static_cast<std::size_t>(result.metric);
      const hpa::Proposal& proposal = result.proposals[at];
      const double wanted = unrounded(twin_.spec().metrics[at], proposal, live_pods_);
      explanation.recommendation = wanted;
      if (proposal.utilization) explanation.values.push_back({"utilization", *proposal.utilization / 100.0});
      explanation.values.push_back({"counted_pods", static_cast<double>(proposal.counted_samples)});
      replicas = proposal.hold == hpa::Hold::none ? *result.metric_replicas : ceil_replicas(wanted);
      change_to(*result.metric_replicas, words_of(proposal.hold), replicas, explanation);
    }
    if (result.stabilized_replicas) change_to(*result.stabilized_replicas, "stabilization", replicas, explanation);
    const hpa::Condition* limited = twin_.status().find(hpa::ConditionType::scaling_limited);
    if (result.stabilized_replicas && limited != nullptr)
      change_to(result.desired_replicas, words_of(limited->reason), replicas, explanation);
    if (result.rescale_reason == hpa::RescaleReason::above_max)
      change_to(result.desired_replicas, "max_replicas", replicas, explanation);
    if (result.rescale_reason == hpa::RescaleReason::below_min)
      change_to(result.desired_replicas, "min_replicas", replicas, explanation);
  }

  HpaPlan plan_;
  Workload workload_;
  hpa::HorizontalPodAutoscaler twin_;
  std::string rule_;

  // Of the decision under way; kept for their memory.
  std::vector<hpa::Pod> pods_;
  std::vector<hpa::PodSample> cpu_samples_;
  bool cpu_is_known_ = false;
  int live_pods_ = 0;
  std::vector<hpa::MetricAnswer> answers_;
  std::vector<std::vector<hpa::PodSample>> samples_;
  std::vector<std::int64_t> totals_;
  std::vector<std::int64_t> requests_;
};

}  // namespace

std::vector<SettingInfo> hpa_settings() { return described(HpaSettings{}); }

Result<std::unique_ptr<Policy>> create_hpa(std::string_view text, const Workload& workload, std::string_view where) {
  if (trim(text).starts_with('@')) {
    return invalid(cat(where, ": \"", trim(text),
                       "\" names a file, which is read only where a policy is given on the command line"));
  }
  MPCA_TRY(const HpaSettings settings, read_settings(HpaSettings{}, text, where));
  // Straight from the result: g++ 12 takes a local plan's optional behavior for uninitialized.
  auto plan = plan_hpa(settings, workload, where);
  if (!plan) return std::unexpected(std::move(plan.error()));
  return std::make_unique<HpaPolicy>(*std::move(plan), workload);
}

std::vector<std::string> hpa_sweep() {
  constexpr int kFirstTarget = 30;
  constexpr int kLastTarget = 90;
  constexpr int kTargetStep = 5;
  std::vector<std::string> texts;
  for (int target = kFirstTarget; target <= kLastTarget; target += kTargetStep) {
    for (const int seconds : {0, 60, 120, 300, 600, 1200}) {
      texts.push_back(cat("hpa:target=", target, ",stabilization=", seconds, "s"));
    }
  }
  return texts;
}

}  // namespace mpca::policy
