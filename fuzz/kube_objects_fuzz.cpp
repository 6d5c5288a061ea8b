// Any bytes as objects of an API server and as label selectors: what is accepted, written again, reads as the same.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/text.h"
#include "kube/label_selector.h"
#include "kube/objects.h"
#include "kube/pods.h"

namespace {

using namespace mpca::kube;
using nlohmann::json;
using Operator = LabelSelector::Requirement::Operator;

std::string text_of(const LabelSelector::Requirement& requirement) {
  std::string values;
  for (std::size_t i = 0; i < requirement.values.size(); ++i)
    values += mpca::cat(i == 0 ? "" : ",", requirement.values[i]);
  switch (requirement.op) {
    case Operator::in:
      return mpca::cat(requirement.key, " in (", values, ")");
    case Operator::not_in:
      return mpca::cat(requirement.key, " notin (", values, ")");
    case Operator::exists:
      return requirement.key;
    case Operator::does_not_exist:
      break;
  }
  return "!" + requirement.key;
}

json expression_of(const LabelSelector::Requirement& requirement) {
  constexpr const char* kNames[] = {"In", "NotIn", "Exists", "DoesNotExist"};
  return {{"key", requirement.key},
          {"operator", kNames[static_cast<std::size_t>(requirement.op)]},
          {"values", requirement.values}};
}

void check_selector(std::string_view text) {
  if (const auto selector = LabelSelector::parse(text)) {
    std::string written;
    json expressions = json::array();
    for (const auto& requirement : selector->requirements()) {
      MPCA_CHECK(!requirement.key.empty(), "a requirement is of a label");
      written += mpca::cat(written.empty() ? "" : ",", text_of(requirement));
      expressions.push_back(expression_of(requirement));
    }
    MPCA_CHECK(LabelSelector::parse(written) == selector, "a text reads as it was");
    MPCA_CHECK(LabelSelector::parse_object(json{{"matchExpressions", expressions}}.dump()) == selector,
               "and says the same as an object");
  }
  if (const auto selector = LabelSelector::parse_object(text)) {
    MPCA_CHECK(!selector->requirements().empty(), "nobody means all pods");
    Labels labels;
    for (const auto& requirement : selector->requirements())
      if (requirement.op == Operator::in && !requirement.values.empty())
        labels.emplace(requirement.key, requirement.values.front());
    static_cast<void>(selector->matches(labels));
  }
}

void check_pod(std::string_view text) {
  const auto pod = parse_pod(text);
  if (!pod) return;
  MPCA_CHECK(!pod->name.empty(), "a pod has a name");
  for (const ContainerPort& port : pod->ports) MPCA_CHECK(port.number > 0 && port.number < 65536, "a port");
  const json written = {
      {"metadata",
       {{"name", pod->name}, {"namespace", pod->namespace_name}, {"uid", pod->uid}, {"labels", pod->labels}}},
      {"status", {{"podIP", pod->ip}}}};
  const auto again = parse_pod(written.dump());
  MPCA_CHECK(again && again->name == pod->name && again->namespace_name == pod->namespace_name &&
                 again->uid == pod->uid && again->labels == pod->labels && again->ip == pod->ip,
             "a pod reads as it was");
}

void check_others(std::string_view text) {
  if (const auto scalable = parse_scalable(text)) {
    MPCA_CHECK(scalable->spec_replicas >= 0, "replicas are counted");
    const json written = {
        {"metadata", {{"resourceVersion", scalable->resource_version}}},
        {"spec",
         {{"replicas", scalable->spec_replicas}, {"selector", json::parse(scalable->selector, nullptr, false)}}}};
    const auto again = parse_scalable(written.dump());
    MPCA_CHECK(again && again->spec_replicas == scalable->spec_replicas &&
                   again->resource_version == scalable->resource_version && again->selector == scalable->selector,
               "a target reads as it was");
  }
  if (const auto other = parse_autoscaler_of_others(text)) {
    const json written = {
        {"metadata", {{"ownerReferences", {{{"controller", true}, {"kind", other->owner_kind}}}}}},
        {"spec",
         {{"scaleTargetRef",
           {{"apiVersion", other->target_api_version}, {"kind", other->target_kind}, {"name", other->target_name}}}}}};
    const auto again = parse_autoscaler_of_others(written.dump());
    MPCA_CHECK(again && again->target_api_version == other->target_api_version &&
                   again->target_kind == other->target_kind && again->target_name == other->target_name &&
                   again->owner_kind == other->owner_kind,
               "an autoscaler reads as it was");
  }
  if (const auto hpa = parse_hpa_state(text)) {
    MPCA_CHECK(hpa->scales.target_name == parse_autoscaler_of_others(text)->target_name && hpa->min_replicas >= 0 &&
                   hpa->current_replicas.value_or(0) >= 0 && hpa->desired_replicas.value_or(0) >= 0,
               "an HPA scales what it says, and no fewer than nothing");
  }
  if (const auto deployment = parse_deployment_state(text)) {
    MPCA_CHECK(deployment->spec_replicas >= 0 && deployment->replicas >= 0 && deployment->ready_replicas >= 0,
               "there are no fewer pods than none");
  }
  if (const auto run = parse_pod_run(text, "loadgen")) MPCA_CHECK(!run->name.empty(), "a pod has a name");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_selector(text);
  check_pod(text);
  check_others(text);
  return 0;
}
