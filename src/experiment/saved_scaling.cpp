#include "experiment/saved_scaling.h"

#include <limits>

#include "core/text.h"
#include "experiment/internal/json.h"

namespace mpca::experiment {
namespace {

using internal::at;
using internal::dump;
using internal::json;
using internal::text_at;

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
    json entry = {{"name", hpa.name}, {"uid", hpa.uid}, {"object", internal::parse(hpa.object)}};
    if (!hpa.spec_during.empty()) entry["specDuring"] = internal::parse(hpa.spec_during);
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
               {"data", {{kKey, dump(document, 2)}}}});
}

Result<SavedScaling> parse_config_map(std::string_view object) {
  const json map = internal::parse(object);
  const auto refuse = [&](std::string_view why) {
    return invalid(cat("ConfigMap ", text_at(map, "metadata", "name"), ": ", why));
  };
  const json document = internal::parse(text_at(map, "data", kKey));
  if (text_at(document, "format") != kFormat) return refuse(cat("has no ", kKey, " of an experiment"));
  if (at(document, "version") != kVersion)
    return refuse(cat("is of version ", dump(at(document, "version")), "; this program reads ", kVersion));
  SavedScaling saved;
  saved.run = text_at(map, "metadata", "annotations", "experiment.mpc.dev/run");
  const json& replicas = at(document, "replicas");
  if (!replicas.is_number_unsigned() || replicas > std::numeric_limits<std::int32_t>::max())
    return refuse("replicas is no number of replicas");
  saved.replicas = replicas.get<int>();
  const json& hpas = at(document, "horizontalPodAutoscalers");
  if (!hpas.is_array()) return refuse("horizontalPodAutoscalers is no list");
  for (const json& entry : hpas) {
    SavedHpa& hpa = saved.hpas.emplace_back();
    hpa.name = text_at(entry, "name");
    hpa.uid = text_at(entry, "uid");
    if (hpa.name.empty() || hpa.uid.empty() || !at(entry, "object").is_object())
      return refuse("an entry of horizontalPodAutoscalers lacks name, uid or object");
    hpa.object = dump(at(entry, "object"));
    if (at(entry, "specDuring").is_object()) hpa.spec_during = dump(at(entry, "specDuring"));
  }
  return saved;
}

SavedHpa save_hpa(const LiveHpa& hpa) {
  json object = internal::parse(hpa.object);
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
  json spec = at(internal::parse(hpa.object), "spec");
  if (at(spec, "metrics").is_array()) {
    for (json& metric : spec["metrics"]) {
      if (text_at(metric, "resource", "name") != "cpu" ||
          !at(metric, "resource", "target", "averageUtilization").is_number())
        continue;
      metric["resource"]["target"]["averageUtilization"] = percent;
      return dump(spec);
    }
  }
  return fail(ErrorCode::not_found, cat("HorizontalPodAutoscaler ", hpa.state.name,
                                        " has no metric of CPU utilization that could be set to ", percent, " %"));
}

HpaRepair repair_of(const SavedHpa& saved, std::string_view live) {
  if (live.empty()) return HpaRepair::create;
  const json now = internal::parse(live);
  const json& spec = at(now, "spec");
  if (spec == at(internal::parse(saved.object), "spec")) return HpaRepair::nothing;
  const bool is_ours = !saved.spec_during.empty() && spec == internal::parse(saved.spec_during) &&
                       text_at(now, "metadata", "uid") == saved.uid;
  return is_ours ? HpaRepair::put_back : HpaRepair::differs;
}

std::string spec_of(std::string_view object) {
  const json tree = internal::parse(object);
  const json& spec = at(tree, "spec");
  return spec.is_object() ? dump(spec) : std::string();
}

}  // namespace mpca::experiment
