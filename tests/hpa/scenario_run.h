// Plays one scenario of tests/data/hpa (its format: docs/HPA.md) against the twin and tells every disagreement.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/hpa_object.h"
#include "config/hpa_situation.h"
#include "core/text.h"
#include "hpa/autoscaler.h"

namespace mpca::test {

using config::Fields;
using config::Node;

inline Node node_of(std::int64_t value) {
  Node node;
  node.kind = Node::Kind::integer;
  node.integer = value;
  return node;
}
inline Node node_of(bool value) {
  Node node;
  node.kind = Node::Kind::boolean;
  node.boolean = value;
  return node;
}
inline Node node_of(std::string_view value) {
  Node node;
  node.kind = Node::Kind::text;
  node.text = value;
  return node;
}
inline Node node_of(TimePoint time) {
  return node_of(static_cast<std::int64_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count()));
}
template <class T>
Node node_of(const std::optional<T>& value) {
  return value ? node_of(*value) : Node{};
}
inline Node list_of(std::vector<Node> items) {
  Node node;
  node.kind = Node::Kind::list;
  node.items = std::move(items);
  return node;
}
inline Node object_of(std::vector<Node::Member> members) {
  Node node;
  node.kind = Node::Kind::object;
  node.members = std::move(members);
  return node;
}

/// As JSON.
inline std::string text_of(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::text:
      return cat("\"", node.text, "\"");
    case Node::Kind::list:
      for (const Node& item : node.items) text += cat(text.empty() ? "" : ", ", text_of(item));
      return cat("[", text, "]");
    case Node::Kind::object:
      for (const auto& [key, value] : node.members)
        text += cat(text.empty() ? "" : ", ", "\"", key, "\": ", text_of(value));
      return cat("{", text, "}");
    default:
      return node.describe();
  }
}

/// What is expected is there; an object may show more than is asked for, and null is the same as absent.
inline bool agrees(const Node& expected, const Node& got) {
  if (expected.kind != got.kind) return false;
  switch (expected.kind) {
    case Node::Kind::null:
      return true;
    case Node::Kind::boolean:
      return expected.boolean == got.boolean;
    case Node::Kind::integer:
      return expected.integer == got.integer;
    case Node::Kind::number:
    case Node::Kind::text:
      return expected.text == got.text;
    case Node::Kind::list:
      if (expected.items.size() != got.items.size()) return false;
      for (std::size_t i = 0; i < expected.items.size(); ++i) {
        if (!agrees(expected.items[i], got.items[i])) return false;
      }
      return true;
    case Node::Kind::object:
      for (const auto& [key, value] : expected.members) {
        const Node* found = got.find(key);
        if (found == nullptr ? value.kind != Node::Kind::null : !agrees(value, *found)) return false;
      }
      return true;
  }
  return false;
}

class ScenarioRun {
 public:
  /// Every disagreement of the scenario; empty: the twin agrees. Errors name fields that can't be read.
  static Result<std::vector<std::string>> play(const Node& scenario) {
    Problems problems;
    ScenarioRun run;
    if (const auto* format = scenario.find("format"); format == nullptr || format->integer != 1)
      return invalid("format must be 1");
    run.play_all(Fields(scenario, problems, ""));
    MPCA_TRY_VOID(problems.to_result());
    return std::move(run.disagreements_);
  }

 private:
  void play_all(const Fields& scenario) {
    scenario.only({"format", "name", "kind", "about", "pinned_by", "pinned", "controller", "hpa", "initial", "ticks"});
    hpa::ControllerSettings settings;
    if (const Node* node = scenario.object("controller"))
      settings = config::read_controller(Fields(*node, scenario, "controller"));
    const Node* object = scenario.object("hpa");
    const Node* initial = scenario.object("initial");
    if (object == nullptr || initial == nullptr) {
      scenario.problem(object == nullptr ? "hpa" : "initial", "is missing");
      return;
    }
    const config::HpaObject hpa =
        config::read_hpa_object(Fields(*object, scenario, "hpa"), config::HpaChecks::only_readable);
    namespace_ = hpa.namespace_name;
    const Fields before(*initial, scenario, "initial");
    before.only({"scale", "status", "recommendations", "scale_up_events", "scale_down_events", "other_hpas"});
    if (const Node* node = before.object("scale")) config::read_scale(Fields(*node, before, "scale"), scale_);
    hpa::Status status;
    if (const Node* node = before.object("status"))
      status = config::read_scenario_status(Fields(*node, before, "status"));
    others_ = config::read_other_hpas(before, "other_hpas");
    hpa::HorizontalPodAutoscaler twin(hpa.spec, settings, std::move(status), config::read_memory(before));
    const std::vector<Node>& ticks = scenario.list("ticks");
    for (std::size_t i = 0; i < ticks.size(); ++i) play_tick(Fields(ticks[i], scenario, "ticks", i), i, twin);
  }

  void play_tick(const Fields& tick, std::size_t number, hpa::HorizontalPodAutoscaler& twin) {
    tick.only({"now_s", "now_ms", "restart", "hpa_spec", "other_hpas", "scale", "scale_get_error", "scale_update_error",
               "pods", "metrics", "expect"});
    TimePoint now(std::chrono::seconds(tick.integer("now_s", 0, 9'000'000'000).value_or(0)));
    // Of a recorded sync, which does not happen on the second.
    if (const auto exact = tick.integer("now_ms", 0, 9'000'000'000'000))
      now = TimePoint(std::chrono::milliseconds(*exact));
    if (tick.boolean("restart").value_or(false)) twin.forget();
    if (const Node* spec = tick.object("hpa_spec"))
      twin.set_spec(config::read_hpa_spec(Fields(*spec, tick, "hpa_spec"), config::HpaChecks::only_readable));
    if (tick.has("other_hpas")) others_ = config::read_other_hpas(tick, "other_hpas");
    if (const Node* scale = tick.object("scale")) config::read_scale(Fields(*scale, tick, "scale"), scale_);
    if (tick.has("pods")) pods_ = config::read_pods(tick, "pods");
    // Answers without a time stamp are of now, also those that stay from a tick before.
    if (tick.has("metrics")) answers_of_ = &tick.node();
    std::vector<config::HpaAnswer> answers;
    if (answers_of_ != nullptr) answers = config::read_answers(Fields(*answers_of_, tick, "metrics"), "metrics", now);

    config::PreparedSync prepared(twin.spec(), twin.settings(), namespace_, scale_, pods_, answers, others_, now);
    prepared.input.scale_get_fails = fails(tick, "scale_get_error");
    prepared.input.scale_update_fails = fails(tick, "scale_update_error");
    const hpa::SyncResult& result = twin.sync(prepared.input);
    if (result.rescaled) scale_.spec_replicas = scale_.status_replicas = result.desired_replicas;

    const Node* expect = tick.object("expect");
    if (expect == nullptr) return;
    for (const auto& [key, expected] : expect->members) {
      const auto got = got_of(key, expected, twin, result, prepared.pod_names);
      if (!got) {
        tick.problem("expect", cat("asks for the unknown key \"", key, "\""));
      } else if (!agrees(expected, *got) || (key == "conditions" && expected.members.size() != got->members.size())) {
        disagreements_.push_back(cat("tick ", number, " (now_s ", node_of(now).integer, "): ", key, ": expected ",
                                     text_of(expected), ", got ", text_of(*got)));
      }
    }
  }

  /// The error's text, or true.
  static bool fails(const Fields& tick, std::string_view key) {
    const Node* error = tick.node().find(key);
    return error != nullptr && (error->kind != Node::Kind::boolean || error->boolean);
  }

  static Node events_of(const std::vector<hpa::ScaleEvent>& events) {
    std::vector<Node> items;
    for (const hpa::ScaleEvent& event : events)
      items.push_back(list_of({node_of(std::int64_t{event.change}), node_of(event.time), node_of(event.is_outdated)}));
    return list_of(std::move(items));
  }

  static Node groups_of(const hpa::Proposal& proposal, const std::vector<std::string>& pod_names) {
    std::vector<Node> unready;
    std::vector<Node> missing;
    std::vector<Node> ignored;
    std::int64_t ready = 0;
    for (std::size_t i = 0; i < proposal.classes.size(); ++i) {
      switch (proposal.classes[i]) {
        case hpa::PodClass::ready:
          ++ready;
          break;
        case hpa::PodClass::unready:
          unready.push_back(node_of(std::string_view(pod_names[i])));
          break;
        case hpa::PodClass::missing:
          missing.push_back(node_of(std::string_view(pod_names[i])));
          break;
        case hpa::PodClass::ignored:
          ignored.push_back(node_of(std::string_view(pod_names[i])));
          break;
      }
    }
    return object_of({{"ready", node_of(ready)},
                      {"unready", list_of(std::move(unready))},
                      {"missing", list_of(std::move(missing))},
                      {"ignored", list_of(std::move(ignored))}});
  }

  static Node proposals_of(const hpa::SyncResult& result, const std::vector<std::string>& pod_names) {
    if (!result.metrics_were_read) return {};
    std::vector<Node> items;
    const auto wide = [](std::optional<std::int32_t> value) { return value ? node_of(std::int64_t{*value}) : Node{}; };
    for (const hpa::Proposal& proposal : result.proposals) {
      Node item = proposal.is_valid() ? object_of({{"replicas", node_of(std::int64_t{proposal.replicas})},
                                                   {"utilization", wide(proposal.utilization)},
                                                   {"average_value_milli", node_of(proposal.average_value_milli)},
                                                   {"value_milli", node_of(proposal.value_milli)}})
                                      : object_of({{"error", node_of(true)}});
      item.members.push_back({"groups", groups_of(proposal, pod_names)});
      items.push_back(std::move(item));
    }
    return list_of(std::move(items));
  }

  static std::optional<Node> got_of(const std::string& key, const Node& expected,
                                    const hpa::HorizontalPodAutoscaler& twin, const hpa::SyncResult& result,
                                    const std::vector<std::string>& pod_names) {
    const auto integer = [](std::int64_t value) { return node_of(value); };
    if (key == "desired_replicas") return integer(result.desired_replicas);
    if (key == "rescaled") return node_of(result.rescaled);
    if (key == "status_written") return node_of(result.status_written);
    if (key == "proposals") return proposals_of(result, pod_names);
    if (key == "metric_replicas") {
      if (result.metrics_failed) return integer(-1);
      return result.metric_replicas ? integer(*result.metric_replicas) : Node{};
    }
    if (key == "metric_name") {
      return result.metric < 0
                 ? Node{}
                 : node_of(std::string_view(twin.metric_names()[static_cast<std::size_t>(result.metric)]));
    }
    if (key == "stabilized_replicas") return result.stabilized_replicas ? integer(*result.stabilized_replicas) : Node{};
    if (key == "rescale_reason") return node_of(std::string_view(hpa::rescale_reason_text(twin, result)));
    if (key == "events") {
      std::vector<Node> items;
      for (const hpa::Event& event : result.events) items.push_back(node_of(hpa::name_of(event.reason)));
      return list_of(std::move(items));
    }
    if (key == "conditions") {
      std::vector<Node::Member> members;
      for (const hpa::Condition& condition : twin.status().conditions) {
        members.push_back(
            {std::string(hpa::name_of(condition.type)),
             list_of({node_of(hpa::name_of(condition.status)), node_of(hpa::name_of(condition.reason))})});
      }
      return object_of(std::move(members));
    }
    if (key == "status") {
      return object_of({{"current_replicas", integer(twin.status().current_replicas)},
                        {"desired_replicas", integer(twin.status().desired_replicas)},
                        {"last_scale_time_s", node_of(twin.status().last_scale_time)}});
    }
    if (key == "recommendations") {
      std::vector<Node> items;
      if (!twin.memory().recommendations) return expected.items.empty() ? list_of({}) : Node{};
      for (const hpa::Recommendation& past : *twin.memory().recommendations)
        items.push_back(list_of({integer(past.replicas), node_of(past.time)}));
      return list_of(std::move(items));
    }
    if (key == "scale_up_events") return events_of(twin.memory().scale_up_events);
    if (key == "scale_down_events") return events_of(twin.memory().scale_down_events);
    return std::nullopt;
  }

  std::string namespace_;
  config::HpaScale scale_;
  std::vector<config::HpaPod> pods_;
  const Node* answers_of_ = nullptr;
  std::vector<config::HpaOther> others_;
  std::vector<std::string> disagreements_;
};

}  // namespace mpca::test
