#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "config/document.h"
#include "config/predictive_autoscaler.h"
#include "core/text.h"
#include "trace/timestamps.h"

namespace mpca::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view status_text(ConditionStatus status) {
  return status == ConditionStatus::yes ? "True" : status == ConditionStatus::no ? "False" : "Unknown";
}

/// JSON has no NaN: what is not a number is left out.
void put(Json& object, const char* key, std::optional<double> value) {
  if (value && std::isfinite(*value)) object[key] = *value;
}

void put(Json& object, const char* key, std::optional<TimePoint> time) {
  if (time) object[key] = trace::format_rfc3339(*time);
}

Json forecast_json(const std::vector<ForecastStatus>& forecast) {
  Json list = Json::array();
  for (const ForecastStatus& each : forecast) {
    Json row = {{"leadTime", format_duration(each.lead_time)}};
    put(row, "level", each.level);
    put(row, "demandRps", each.demand_rps);
    list.push_back(std::move(row));
  }
  return list;
}

Json shadow_json(const ShadowStatus& shadow) {
  Json object;
  put(object, "since", shadow.since);
  put(object, "replicaHours", shadow.replica_hours);
  put(object, "wouldBeReplicaHours", shadow.would_be_replica_hours);
  put(object, "lateShare", shadow.late_share);
  put(object, "wouldBeLateShare", shadow.would_be_late_share);
  return object;
}

Json conditions_json(const std::vector<Condition>& conditions) {
  Json list = Json::array();
  for (const Condition& each : conditions) {
    list.push_back({{"type", each.type},
                    {"status", status_text(each.status)},
                    {"reason", each.reason},
                    {"message", each.message},
                    {"lastTransitionTime", trace::format_rfc3339(each.last_transition)}});
  }
  return list;
}

Json status_json(const AutoscalerStatus& status) {
  Json object = {{"observedGeneration", status.observed_generation},
                 {"currentReplicas", status.current_replicas},
                 {"readyReplicas", status.ready_replicas},
                 {"desiredReplicas", status.desired_replicas}};
  put(object, "demandRps", status.demand_rps);
  put(object, "lastDecisionTime", status.last_decision);
  put(object, "lastScaleTime", status.last_scale);
  if (!status.decision.empty()) object["decision"] = status.decision;
  if (!status.forecast.empty()) object["forecast"] = forecast_json(status.forecast);
  Json learned = Json::object();
  put(learned, "readinessLagSeconds", status.readiness_lag_s);
  put(learned, "capacityPerReplica", status.capacity_rps);
  if (!learned.empty()) object["learned"] = std::move(learned);
  if (status.shadow) object["shadow"] = shadow_json(*status.shadow);
  object["conditions"] = conditions_json(status.conditions);
  return object;
}

std::vector<ForecastStatus> read_forecast(const Fields& status) {
  std::vector<ForecastStatus> forecast;
  const std::vector<Node>& nodes = status.list("forecast");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Fields row(nodes[i], status, "forecast", i);
    ForecastStatus& each = forecast.emplace_back();
    if (const std::string* text = row.text("leadTime")) {
      const auto lead_time = parse_duration(*text);
      if (!lead_time) row.problem("leadTime", cat("is ", lead_time.error().message));
      each.lead_time = lead_time.value_or(Duration::zero());
    }
    each.level = row.number("level").value_or(0.0);
    each.demand_rps = row.number("demandRps").value_or(0.0);
  }
  return forecast;
}

ShadowStatus read_shadow(const Fields& fields) {
  return {.since = fields.time("since").value_or(TimePoint{}),
          .replica_hours = fields.number("replicaHours").value_or(0.0),
          .would_be_replica_hours = fields.number("wouldBeReplicaHours").value_or(0.0),
          .late_share = fields.number("lateShare").value_or(0.0),
          .would_be_late_share = fields.number("wouldBeLateShare").value_or(0.0)};
}

ConditionStatus read_condition_status(const Fields& fields) {
  const std::string* text = fields.text("status");
  for (const ConditionStatus status : {ConditionStatus::yes, ConditionStatus::no})
    if (text != nullptr && *text == status_text(status)) return status;
  return ConditionStatus::unknown;
}

std::vector<Condition> read_conditions(const Fields& status) {
  std::vector<Condition> conditions;
  const std::vector<Node>& nodes = status.list("conditions");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Fields fields(nodes[i], status, "conditions", i);
    const auto text = [&](std::string_view key) {
      const std::string* found = fields.text(key);
      return found != nullptr ? *found : std::string();
    };
    conditions.push_back({.type = text("type"),
                          .status = read_condition_status(fields),
                          .reason = text("reason"),
                          .message = text("message"),
                          .last_transition = fields.time("lastTransitionTime").value_or(TimePoint{})});
  }
  return conditions;
}

AutoscalerStatus read_status(const Fields& fields) {
  AutoscalerStatus status;
  status.observed_generation = fields.integer("observedGeneration").value_or(0);
  status.current_replicas = fields.int32("currentReplicas").value_or(0);
  status.ready_replicas = fields.int32("readyReplicas").value_or(0);
  status.desired_replicas = fields.int32("desiredReplicas").value_or(0);
  status.demand_rps = fields.number("demandRps");
  status.last_decision = fields.time("lastDecisionTime");
  status.last_scale = fields.time("lastScaleTime");
  if (const std::string* sentence = fields.text("decision")) status.decision = *sentence;
  status.forecast = read_forecast(fields);
  if (const Node* node = fields.object("learned")) {
    const Fields learned(*node, fields, "learned");
    status.readiness_lag_s = learned.number("readinessLagSeconds");
    status.capacity_rps = learned.number("capacityPerReplica");
  }
  if (const Node* node = fields.object("shadow")) status.shadow = read_shadow(Fields(*node, fields, "shadow"));
  status.conditions = read_conditions(fields);
  return status;
}

}  // namespace

std::string status_apply_body(const AutoscalerObject& object, const AutoscalerStatus& status) {
  Json metadata = {{"name", object.name}, {"namespace", object.namespace_name}};
  // Of another object of that name, made meanwhile, this is not the status: the API server answers with a conflict.
  if (!object.uid.empty()) metadata["uid"] = object.uid;
  const Json body = {{"apiVersion", kAutoscalerApiVersion},
                     {"kind", kAutoscalerKind},
                     {"metadata", std::move(metadata)},
                     {"status", status_json(status)}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<AutoscalerStatus> parse_status(std::string_view json) {
  const auto node = parse_json(json);
  if (!node) return invalid(cat("status: ", node.error().message));
  if (node->kind != Node::Kind::object) return invalid(cat("status is ", node->describe(), "; must be an object"));
  Problems problems;
  AutoscalerStatus status = read_status(Fields(*node, problems, "status"));
  MPCA_TRY_VOID(problems.to_result());
  return status;
}

}  // namespace mpca::config
