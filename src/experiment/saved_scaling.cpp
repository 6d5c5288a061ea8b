#include "experiment/saved_scaling.h"

#include <limits>

#include "core/text.h"
#include "net/json.h"

namespace mpca::experiment {
namespace {

using net::json_at;
using net::json_text;
using net::text_at;
using nlohmann::json;

constexpr std::string_view kPrefix = "mpc-experiment-";
constexpr std::size_t kLongestName = 253;
constexpr const char* kKey = "saved.json";
constexpr const char* kFormat = "mpca-saved-scaling";
constexpr int kVersion = 1;

}  // namespace

std::string saved_name(const Target& target) {
  std::string name = cat(kPrefix, target.deployment);
  if (name.size() <= kLongestName) return name;
  const std::string number = cat("-", stable_hash(target.deployment));
  return name.substr(0, kLongestName - number.size()) + number;
}

std::string saved_path(const Target& target) {
  return kube::object_path("v1", target.namespace_name, "configmaps", saved_name(target));
}

std::string config_map_of(const SavedScaling& saved, const Target& target) {
  json hpas = json::array();
  for (const SavedHpa& hpa : saved.hpas) {
    json entry = {{"name", hpa.name}, {"uid", hpa.uid}, {"object", net::parse_json(hpa.object)}};
    if (!hpa.spec_during.empty()) entry["specDuring"] = net::parse_json(hpa.spec_during);
    hpas.push_back(std::move(entry));
  }
  const json document = {
      {"format", kFormat}, {"version", kVersion}, {"replicas", saved.replicas}, {"horizontalPodAutoscalers", hpas}};
  return json_text(
      {{"apiVersion", "v1"},
       {"kind", "ConfigMap"},
       {"metadata",
        {{"name", saved_name(target)},
         {"namespace", target.namespace_name},
         {"labels",
          {{"app.kubernetes.io/managed-by", "mpc-autoscaler"}, {"app.kubernetes.io/component", "experiment"}}},
         {"annotations",
          {{"experiment.mpc.dev/run", saved.run},
           {"experiment.mpc.dev/deployment", target.deployment},
           {"experiment.mpc.dev/what-is-this",
            "how the Deployment was scaled before the experiment; `mpc-autoscaler experiment restore` puts it "
            "back and deletes this"}}}}},
       // Indented, since a person may have to read it at three in the morning.
       {"data", {{kKey, json_text(document, 2)}}}});
}

Result<SavedScaling> parse_config_map(std::string_view object) {
  const json map = net::parse_json(object);
  const auto refuse = [&](std::string_view why) {
    return invalid(cat("ConfigMap ", text_at(map, "metadata", "name"), ": ", why));
  };
  const json document = net::parse_json(text_at(map, "data", kKey));
  if (text_at(document, "format") != kFormat) return refuse(cat("has no ", kKey, " of an experiment"));
  if (json_at(document, "version") != kVersion)
    return refuse(cat("is of version ", json_text(json_at(document, "version")), "; this program reads ", kVersion));
  SavedScaling saved;
  saved.run = text_at(map, "metadata", "annotations", "experiment.mpc.dev/run");
  const json& replicas = json_at(document, "replicas");
  if (!replicas.is_number_unsigned() || replicas > std::numeric_limits<std::int32_t>::max())
    return refuse("replicas is no number of replicas");
  saved.replicas = replicas.get<int>();
  const json& hpas = json_at(document, "horizontalPodAutoscalers");
  if (!hpas.is_array()) return refuse("horizontalPodAutoscalers is no list");
  for (const json& entry : hpas) {
    SavedHpa& hpa = saved.hpas.emplace_back();
    hpa.name = text_at(entry, "name");
    hpa.uid = text_at(entry, "uid");
    if (hpa.name.empty() || hpa.uid.empty() || !json_at(entry, "object").is_object())
      return refuse("an entry of horizontalPodAutoscalers lacks name, uid or object");
    hpa.object = json_text(json_at(entry, "object"));
    if (json_at(entry, "specDuring").is_object()) hpa.spec_during = json_text(json_at(entry, "specDuring"));
  }
  return saved;
}

SavedHpa save_hpa(const LiveHpa& hpa) {
  json object = net::parse_json(hpa.object);
  // An item of a list does not say what it is.
  object["apiVersion"] = "autoscaling/v2";
  object["kind"] = "HorizontalPodAutoscaler";
  object.erase("status");
  // Owners stay: whoever would have taken the old one along takes the new one.
  for (const char* key : {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
                          "deletionTimestamp", "deletionGracePeriodSeconds"})
    object["metadata"].erase(key);
  return {.name = hpa.state.name, .uid = hpa.state.uid, .object = json_text(object)};
}

Result<std::string> spec_at_cpu_target(const LiveHpa& hpa, int percent) {
  json spec = json_at(net::parse_json(hpa.object), "spec");
  if (json_at(spec, "metrics").is_array()) {
    for (json& metric : spec["metrics"]) {
      if (text_at(metric, "resource", "name") != "cpu" ||
          !json_at(metric, "resource", "target", "averageUtilization").is_number())
        continue;
      metric["resource"]["target"]["averageUtilization"] = percent;
      return json_text(spec);
    }
  }
  return fail(ErrorCode::not_found, cat("HorizontalPodAutoscaler ", hpa.state.name,
                                        " has no metric of CPU utilization that could be set to ", percent, " %"));
}

HpaRepair repair_of(const SavedHpa& saved, std::string_view live) {
  if (live.empty()) return HpaRepair::create;
  const json now = net::parse_json(live);
  const json& spec = json_at(now, "spec");
  if (spec == json_at(net::parse_json(saved.object), "spec")) return HpaRepair::nothing;
  const bool is_ours = !saved.spec_during.empty() && spec == net::parse_json(saved.spec_during) &&
                       text_at(now, "metadata", "uid") == saved.uid;
  return is_ours ? HpaRepair::put_back : HpaRepair::differs;
}

std::string spec_of(std::string_view object) {
  const json tree = net::parse_json(object);
  const json& spec = json_at(tree, "spec");
  return spec.is_object() ? json_text(spec) : std::string();
}

}  // namespace mpca::experiment
