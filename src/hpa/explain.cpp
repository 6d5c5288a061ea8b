#include "hpa/explain.h"

#include <algorithm>

#include "core/text.h"
#include "hpa/quantity.h"

namespace mpca::hpa {
namespace {

constexpr int kDecimals = 4;

std::string number(double value) {
  std::string text = fixed(value, kDecimals);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string ago(TimePoint now, TimePoint time) {
  return time == now ? "now" : time > now ? "in the future" : cat(format_duration(now - time), " ago");
}

std::string_view error_text(MetricError error) {
  switch (error) {
    case MetricError::none:
      break;
    case MetricError::api:
      return "the metrics API failed, or answered without items";
    case MetricError::no_pods:
      return "the selector matches no pod";
    case MetricError::no_samples:
      return "no pod that counts has a sample";
    case MetricError::missing_request:
      return "a container that counts requests none of the resource";
    case MetricError::no_known_pods:
      return "the samples are of no known pod, or requests are zero";
    case MetricError::no_target:
      return "the target has no value of its type";
    case MetricError::unknown_type:
      return "unknown type of metric";
  }
  return "";
}

class Story {
 public:
  Story(const HorizontalPodAutoscaler& before, const SyncInput& input, const std::vector<std::string>& pod_names)
      : before_(before), twin_(before), input_(input), pod_names_(pod_names), result_(twin_.sync(input)) {}

  std::string tell() {
    const Spec& spec = twin_.spec();
    line(cat("replicas: ", input_.spec_replicas, " in the scale's spec, ", input_.status_replicas,
             " in its status; minReplicas ", spec.min_replicas.value_or(1), ", maxReplicas ", spec.max_replicas));
    if (input_.scale_get_fails) line("the scale can't be read: nothing is done");
    if (result_.metrics_were_read) {
      for (std::size_t i = 0; i < spec.metrics.size(); ++i) tell_metric(i);
      tell_choice();
    } else {
      tell_why_no_metrics();
    }
    if (result_.stabilized_replicas) {
      tell_stabilization();
      tell_limits();
    }
    tell_result();
    return std::move(text_);
  }

 private:
  void line(std::string_view words, int indent = 0) {
    text_.append(2 * static_cast<std::size_t>(indent), ' ');
    text_ += words;
    text_ += '\n';
  }

  void tell_why_no_metrics() {
    if (input_.scale_get_fails) return;
    switch (input_.selector) {
      case SelectorState::valid:
        break;
      case SelectorState::missing:
        line("selector: the scale has none, so no pods can be found");
        return;
      case SelectorState::unparsable:
        line("selector: the scale's selector is not one");
        return;
      case SelectorState::ambiguous:
        line("selector: another autoscaler selects some of these pods, too");
        return;
    }
    switch (result_.rescale_reason) {
      case RescaleReason::above_max:
        line("more replicas than maxReplicas: metrics are not looked at");
        break;
      case RescaleReason::below_min:
        line("fewer replicas than minReplicas: metrics are not looked at");
        break;
      default:
        line("zero replicas and minReplicas above zero: scaling is switched off");
        break;
    }
  }

  std::string target_words(const MetricSpec& metric) const {
    const bool is_resource = metric.type == MetricType::resource || metric.type == MetricType::container_resource;
    if (is_resource && !metric.average_value_milli && metric.average_utilization)
      return cat("target ", *metric.average_utilization, " % of the request");
    const bool is_total = metric.type == MetricType::object ? metric.target_type == TargetType::value
                                                            : !metric.average_value_milli.has_value();
    if (is_total && metric.value_milli) return cat("target ", milli_text(*metric.value_milli), " in all");
    if (metric.average_value_milli) return cat("target ", milli_text(*metric.average_value_milli), " per pod");
    return "without a target";
  }

  void tell_metric(std::size_t index) {
    const MetricSpec& metric = twin_.spec().metrics[index];
    const Proposal& proposal = result_.proposals[index];
    line(cat("metric ", index + 1, ": ", twin_.metric_names()[index], ", ", target_words(metric)));
    if (!proposal.classes.empty()) tell_pods(proposal);
    if (!proposal.is_valid()) {
      line(cat("no proposal: ", error_text(proposal.error),
               proposal.error_pod >= 0 ? cat(" (pod ", name_of_pod(proposal.error_pod), ")") : ""),
           1);
      return;
    }
    tell_ratio(metric, proposal);
    if (proposal.value_milli || !proposal.classes.empty()) {
      tell_proposal_by_pods(proposal);
    } else if (proposal.hold == Hold::tolerance) {
      line(cat("inside the tolerance: as many as in the scale's status, ", proposal.replicas), 1);
    } else {
      line(cat("proposal: ceil(value / target) = ", proposal.replicas), 1);
    }
  }

  std::string name_of_pod(int pod) const {
    const auto at = static_cast<std::size_t>(pod);
    return at < pod_names_.size() ? pod_names_[at] : cat("#", pod);
  }

  void tell_pods(const Proposal& proposal) {
    const struct {
      PodClass pod_class;
      std::string_view words;
    } groups[] = {{PodClass::ready, "count as they are"},
                  {PodClass::unready, "unready: left out, and idle if that damps a scale-up"},
                  {PodClass::missing, "without a sample: assumed at the target on the way down, idle on the way up"},
                  {PodClass::ignored, "ignored: failed or being deleted"}};
    constexpr int kShown = 8;
    for (const auto& group : groups) {
      std::string names;
      int count = 0;
      for (std::size_t i = 0; i < proposal.classes.size(); ++i) {
        if (proposal.classes[i] != group.pod_class) continue;
        if (++count <= kShown) names += cat(names.empty() ? "" : ", ", name_of_pod(static_cast<int>(i)));
      }
      if (count == 0) continue;
      if (count > kShown) names += ", ...";
      line(cat(count, count == 1 ? " pod " : " pods ", group.words, " (", names, ")"), 1);
    }
  }

  void tell_ratio(const MetricSpec& metric, const Proposal& proposal) {
    std::string now;
    if (proposal.utilization) {
      now = cat(*proposal.utilization, " % (", milli_text(proposal.average_value_milli.value_or(0)), " per pod) / ",
                metric.average_utilization.value_or(0), " %");
    } else if (proposal.value_milli) {
      now = cat(milli_text(*proposal.value_milli), " / ", milli_text(metric.value_milli.value_or(0)));
    } else {
      now = cat(milli_text(proposal.average_value_milli.value_or(0)), " per pod / ",
                milli_text(metric.average_value_milli.value_or(0)));
    }
    line(cat("ratio: ", now, " = ", number(proposal.ratio)), 1);
    if (proposal.full_ratio && *proposal.full_ratio != proposal.ratio) {
      line(cat("with what is assumed of unready pods and of pods without a sample: ", number(*proposal.full_ratio)), 1);
    }
    const Tolerances tolerances = twin_.tolerances();
    line(cat("tolerance: ", number(1.0 - tolerances.down), " to ", number(1.0 + tolerances.up)), 1);
  }

  void tell_proposal_by_pods(const Proposal& proposal) {
    const double ratio = proposal.full_ratio.value_or(proposal.ratio);
    switch (proposal.hold) {
      case Hold::tolerance:
        line(cat("inside the tolerance: no change, ", proposal.replicas), 1);
        return;
      case Hold::direction_of_ratio:
        line(cat("the assumed samples turn the direction around: no change, ", proposal.replicas), 1);
        return;
      case Hold::direction_of_result:
        line(
            cat("there are so few or many pods that the result would go the other way: no change, ", proposal.replicas),
            1);
        return;
      case Hold::none:
        break;
    }
    const int pods = proposal.value_milli ? proposal.ready_pods : proposal.counted_samples;
    if (input_.spec_replicas == 0 && proposal.value_milli) {
      line(cat("from zero: ceil(", number(ratio), ") = ", proposal.replicas), 1);
    } else {
      line(cat("proposal: ceil(", number(ratio), " x ", pods, pods == 1 ? " pod) = " : " pods) = ", proposal.replicas),
           1);
    }
  }

  void tell_choice() {
    if (result_.metrics_failed) {
      line("metrics: too many failed to go on (all of them, or some while the others ask for less): hold");
      return;
    }
    if (result_.proposals.size() > 1) {
      line(cat("largest proposal: ", *result_.metric_replicas, ", of ",
               twin_.metric_names()[static_cast<std::size_t>(result_.metric)]));
    }
  }

  void tell_stabilization() {
    const std::int32_t proposal = std::max(0, result_.metric_replicas.value_or(0));
    const Duration down = twin_.scale_down_window();
    Duration longest = down;
    if (twin_.spec().behavior) {
      const Duration up = std::chrono::seconds(*twin_.spec().behavior->scale_up.stabilization_window_seconds);
      longest = std::max(up, down);
      line(cat("stabilization: lowest of the last ", format_duration(up), " on the way up, greatest of the last ",
               format_duration(down), " on the way down"));
    } else {
      line(cat("stabilization: greatest recommendation of the last ", format_duration(down)));
    }
    if (!before_.memory().recommendations) {
      line(cat(input_.spec_replicas, " (the size at the controller's start, now)"), 1);
    } else {
      for (const Recommendation& past : *before_.memory().recommendations) {
        if (past.time >= input_.now - longest) line(cat(past.replicas, " (", ago(input_.now, past.time), ")"), 1);
      }
    }
    line(cat(proposal, " (now) -> ", *result_.stabilized_replicas), 1);
  }

  void tell_limits() {
    const Condition* limited = twin_.status().find(ConditionType::scaling_limited);
    if (limited == nullptr) return;
    if (!result_.bound) {
      line(cat("limits: none is reached, ", result_.wanted_replicas));
    } else {
      line(cat("limits: ", hpa::name_of(limited->reason), ", ", *result_.stabilized_replicas, " -> ", *result_.bound));
    }
  }

  void tell_result() {
    const std::string reason = rescale_reason_text(twin_, result_);
    if (result_.rescaled) {
      line(cat("result: ", input_.spec_replicas, " -> ", result_.desired_replicas, "; reason: ", reason));
    } else if (result_.wanted_replicas != input_.spec_replicas && input_.scale_update_fails) {
      line(cat("result: ", result_.wanted_replicas, " can't be written, so it stays at ", input_.spec_replicas));
    } else {
      line(cat("result: stays at ", input_.spec_replicas));
    }
    line("conditions:");
    for (const Condition& condition : twin_.status().conditions) {
      const std::string message = message_of(twin_, condition);
      line(cat(hpa::name_of(condition.type), " ", hpa::name_of(condition.status), " ", hpa::name_of(condition.reason),
               message.empty() ? "" : ": ", message),
           1);
    }
    if (result_.events.empty()) return;
    std::string events;
    for (const Event& event : result_.events) events += cat(events.empty() ? "" : ", ", hpa::name_of(event.reason));
    line(cat("events: ", events));
  }

  const HorizontalPodAutoscaler& before_;
  HorizontalPodAutoscaler twin_;
  const SyncInput& input_;
  const std::vector<std::string>& pod_names_;
  const SyncResult& result_;
  std::string text_;
};

}  // namespace

std::string explain_sync(const HorizontalPodAutoscaler& before, const SyncInput& input,
                         const std::vector<std::string>& pod_names) {
  return Story(before, input, pod_names).tell();
}

}  // namespace mpca::hpa
