#include <nlohmann/json.hpp>

#include "report/tune_text.h"

namespace mpca::report {
namespace {

using nlohmann::ordered_json;

template <class Value>
ordered_json or_null(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json json_of(const Interval& interval) {
  return {{"value", interval.value}, {"low", or_null(interval.low)}, {"high", or_null(interval.high)}};
}

ordered_json json_of(const TuneFigures& figures) {
  return {{"bill", figures.bill},
          {"relative_cost", figures.relative_cost},
          {"mean_replicas", figures.mean_replicas},
          {"violation_ratio", figures.violation_ratio},
          {"churn_per_hour", figures.churn_per_hour}};
}

ordered_json json_of(const TuneRule& rule) {
  ordered_json object;
  object["kind"] = rule.kind;
  object["policy"] = rule.policy;
  object["settings_tried"] = rule.settings;
  object["held_out"] = json_of(rule.figures);
  object["saving"] = json_of(rule.saving);
  object["keeps_late_share"] = rule.keeps;
  object["same_choice_blocks"] = rule.same_choice;
  if (rule.hpa)
    object["hpa"] = {{"average_utilization", or_null(rule.hpa->average_utilization)},
                     {"scale_down_stabilization_window_s", rule.hpa->scale_down_window_s}};
  object["blocks"] = ordered_json::array();
  for (const TuneBlock& block : rule.blocks)
    object["blocks"].push_back({{"policy", block.policy},
                                {"bill", block.bill},
                                {"violation_ratio", block.violation_ratio},
                                {"saving", or_null(block.saving)}});
  return object;
}

}  // namespace

std::string to_json(const TuneReport& report) {
  ordered_json object;
  object["format"] = "mpca-tune";
  object["version"] = 1;
  object["verdict"] = to_string(report.verdict);
  object["recommended"] =
      report.rules.empty() ? ordered_json(nullptr) : ordered_json(report.rules[report.chosen].policy);
  object["trace"] = {{"name", report.trace.name},
                     {"file", report.trace.file},
                     {"file_step_s", report.trace.file_step_s},
                     {"played_step_s", report.trace.played_step_s},
                     {"seconds", report.trace.seconds},
                     {"recorded_seconds", report.recorded_seconds},
                     {"needed_seconds", report.needed_seconds},
                     {"scale", report.trace.scale}};
  object["present"] = report.present;
  object["late_price"] = report.late_share > 0.0 ? ordered_json(nullptr) : ordered_json(report.late_price);
  object["late_share"] = report.late_share > 0.0 ? ordered_json(report.late_share) : ordered_json(nullptr);
  object["folds"] = report.folds;
  object["seeds"] = report.seeds;
  object["rules"] = ordered_json::array();
  for (const TuneRule& rule : report.rules) object["rules"].push_back(json_of(rule));
  if (!report.rules.empty()) {
    object["best_without_prediction"] = report.rules[report.best_simple].kind;
    object["predictive_saving_against_it"] = json_of(report.predictive_saving);
  }
  object["foresight"] = report.foresight ? json_of(*report.foresight) : ordered_json(nullptr);
  object["foresight_saving"] = or_null(report.foresight_saving);
  object["preset"] = report.preset;
  for (const auto& [key, value] : report.configuration) object["configuration"][key] = value;
  object["command"] = report.command;
  object["program"] = report.version;
  return object.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace mpca::report
