#include "core/text.h"
#include "policy/fixed/static_policy.h"
#include "policy/lab_hpa/lab_hpa.h"
#include "policy/lab_mpc/lab_mpc.h"
#include "policy/lab_online/lab_online.h"
#include "policy/policy.h"
#include "policy/reactive/reactive.h"

namespace mpca::policy {
namespace {

constexpr PolicyKind kKinds[] = {
    kReactiveKind, kStaticKind, kLabMpcKind, kLabMpcRealisticKind, kLabOnlineKind, kLabHpaKind, kLabHpaRealisticKind,
};

}  // namespace

std::span<const PolicyKind> policy_kinds() { return kKinds; }

Result<std::unique_ptr<Policy>> create_policy(std::string_view text, const Workload& workload, std::string_view where) {
  const std::size_t colon = text.find(':');
  const std::string_view name = trim(text.substr(0, colon));
  const std::string_view settings = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  std::vector<std::string_view> names;
  for (const PolicyKind& kind : kKinds) {
    if (kind.name == name) return kind.create(settings, workload, cat(where, " ", name));
    names.push_back(kind.name);
  }
  std::string known;
  for (const std::string_view known_name : names) known += cat(known.empty() ? "" : ", ", known_name);
  return invalid(cat(where, ": unknown policy \"", name, "\"", did_you_mean(name, names), "; known: ", known));
}

}  // namespace mpca::policy
