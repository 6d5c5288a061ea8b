#include "experiment/saved_scaling.h"

#include <nlohmann/json.hpp>

#include "core/text.h"

namespace mpca::experiment {
namespace {

using nlohmann::json;

constexpr std::string_view kPrefix = "mpc-experiment-";
constexpr std::size_t kLongestName = 253;
constexpr const char* kKey = "saved.json";
constexpr const char* kFormat = "mpca-saved-scaling";
constexpr int kVersion = 1;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }
json parsed(std::string_view text) { return json::parse(text, nullptr, false); }

/// Null when it is not there.
const json& member(const json& object, const char* key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

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
    json entry = {{"name", hpa.name}, {"uid", hpa.uid}, {"object", parsed(hpa.object)}};
    if (!hpa.spec_during.empty()) entry["specDuring"] = parsed(hpa.spec_during);
    hpas.push_back(std::move(entry));
  }
  const json document = {
      {"format", kFormat}, {"version", kVersion}, {"replicas", saved.replicas}, {"horizontalPodAutoscalers", hpas}};
  return dump({{"apiVersion", "v1"},
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
               {"data", {{kKey, document.dump(2, ' ', false, json::error_handler_t::replace)}}}});
}

Result<SavedScaling> parse_config_map(std::string_view object) {
  const json map = parsed(object);
  const std::string name = member(member(map, "metadata"), "name").is_string()
                               ? member(member(map, "metadata"), "name").get<std::string>()
                               : std::string("?");
  const auto refuse = [&](std::string_view why) { return invalid(cat("ConfigMap ", name, ": ", why)); };
  const json& text = member(member(map, "data"), kKey);
  const json document = text.is_string() ? parsed(text.get_ref<const std::string&>()) : json();
  if (member(document, "format") != kFormat) return refuse(cat("has no ", kKey, " of an experiment"));
  if (member(document, "version") != kVersion)
    return refuse(cat("is of version ", dump(member(document, "version")), "; this program reads ", kVersion));
  SavedScaling saved;
  const json& run = member(member(member(map, "metadata"), "annotations"), "experiment.mpc.dev/run");
  if (run.is_string()) saved.run = run.get<std::string>();
  const json& replicas = member(document, "replicas");
  if (!replicas.is_number_unsigned()) return refuse("replicas is no number");
  saved.replicas = replicas.get<int>();
  const json& hpas = member(document, "horizontalPodAutoscalers");
  if (!hpas.is_array()) return refuse("horizontalPodAutoscalers is no list");
  for (const json& entry : hpas) {
    if (!member(entry, "name").is_string() || !member(entry, "uid").is_string() || !member(entry, "object").is_object())
      return refuse("an entry of horizontalPodAutoscalers lacks name, uid or object");
    SavedHpa& hpa = saved.hpas.emplace_back();
    hpa.name = member(entry, "name").get<std::string>();
    hpa.uid = member(entry, "uid").get<std::string>();
    hpa.object = dump(member(entry, "object"));
    if (member(entry, "specDuring").is_object()) hpa.spec_during = dump(member(entry, "specDuring"));
  }
  return saved;
}

SavedHpa save_hpa(const LiveHpa& hpa) {
  json object = parsed(hpa.object);
  // An item of a list does not say what it is.
  object["apiVersion"] = "autoscaling/v2";
  object["kind"] = "HorizontalPodAutoscaler";
  object.erase("status");
  // Owners stay: whoever would have taken the old one along takes the new one.
  for (const char* key : {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
                          "deletionTimestamp", "deletionGracePeriodSeconds"})
    object["metadata"].erase(key);
  return {.name = hpa.state.name, .uid = hpa.state.uid, .object = dump(object)};
}

Result<std::string> spec_at_cpu_target(const LiveHpa& hpa, int percent) {
  json spec = member(parsed(hpa.object), "spec");
  for (json& metric : spec["metrics"]) {
    const json& resource = member(metric, "resource");
    if (member(resource, "name") != "cpu" || !member(member(resource, "target"), "averageUtilization").is_number())
      continue;
    metric["resource"]["target"]["averageUtilization"] = percent;
    return dump(spec);
  }
  return fail(ErrorCode::not_found, cat("HorizontalPodAutoscaler ", hpa.state.name,
                                        " has no metric of CPU utilization that could be set to ", percent, " %"));
}

HpaRepair repair_of(const SavedHpa& saved, std::string_view live) {
  if (live.empty()) return HpaRepair::create;
  const json now = parsed(live);
  const json& spec = member(now, "spec");
  if (spec == member(parsed(saved.object), "spec")) return HpaRepair::nothing;
  const bool is_ours = !saved.spec_during.empty() && spec == parsed(saved.spec_during) &&
                       member(member(now, "metadata"), "uid") == saved.uid;
  return is_ours ? HpaRepair::put_back : HpaRepair::differs;
}

std::string spec_of(std::string_view object) {
  const json tree = parsed(object);
  const json& spec = member(tree, "spec");
  return spec.is_object() ? dump(spec) : std::string();
}

}  // namespace mpca::experiment
