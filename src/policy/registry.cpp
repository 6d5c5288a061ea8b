#include "core/text.h"
#include "policy/fixed/static_policy.h"
#include "policy/hpa/hpa_policy.h"
#include "policy/lab_hpa/lab_hpa.h"
#include "policy/lab_mpc/lab_mpc.h"
#include "policy/lab_online/lab_online.h"
#include "policy/policy.h"
#include "policy/predictive/predictive.h"
#include "policy/reactive/reactive.h"

namespace mpca::policy {
namespace {

constexpr PolicyKind kKinds[] = {
    kPredictiveKind,      kReactiveKind,  kHpaKind,    kStaticKind,          kLabMpcKind,
    kLabMpcRealisticKind, kLabOnlineKind, kLabHpaKind, kLabHpaRealisticKind,
};

constexpr std::string_view kSweep = "sweep";

struct PolicyText {
  std::string_view name;
  std::string_view settings;
};

PolicyText parts_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {trim(text), {}};
  return {trim(text.substr(0, colon)), text.substr(colon + 1)};
}

bool is_sweep(std::string_view settings) { return trim(settings.substr(0, settings.find(','))) == kSweep; }

std::string refusal_of_sweep(const PolicyKind& kind) {
  if (kind.sweep == nullptr) return cat(kind.name, " has no sweep");
  const std::vector<std::string> family = kind.sweep();
  return cat("\"", kind.name, ":sweep\" is a family of ", family.size(), " policies, not one; such as ",
             family.front());
}

}  // namespace

std::span<const PolicyKind> policy_kinds() { return kKinds; }

std::vector<std::string> expand_sweep(std::string_view text) {
  const auto [name, settings] = parts_of(text);
  for (const PolicyKind& kind : kKinds) {
    if (kind.name != name || kind.sweep == nullptr || !is_sweep(settings)) continue;
    std::vector<std::string> family = kind.sweep();
    const std::size_t comma = settings.find(',');
    if (comma == std::string_view::npos) return family;
    for (std::string& each : family) each += settings.substr(comma);
    return family;
  }
  return {std::string(text)};
}

Result<std::unique_ptr<Policy>> create_policy(std::string_view text, const Workload& workload, std::string_view where) {
  const auto [name, settings] = parts_of(text);
  std::vector<std::string_view> names;
  for (const PolicyKind& kind : kKinds) {
    if (kind.name == name && is_sweep(settings)) return invalid(cat(where, ": ", refusal_of_sweep(kind)));
    if (kind.name == name) return kind.create(settings, workload, cat(where, " ", name));
    names.push_back(kind.name);
  }
  std::string known;
  for (const std::string_view known_name : names) known += cat(known.empty() ? "" : ", ", known_name);
  return invalid(cat(where, ": unknown policy \"", name, "\"", did_you_mean(name, names), "; known: ", known));
}

}  // namespace mpca::policy
