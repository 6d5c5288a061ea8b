// The one interface of everything that decides about replicas. The same object runs in the simulators, in the local lab
// and against a live cluster; a decision made there can be repeated offline from its log, bit for bit.
//
// A policy does no I/O and has no clock, no threads and no randomness: what it needs is in the Observation. Real loops
// are late and skip periods, so elapsed time comes from `Observation::now`.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "core/time.h"
#include "policy/decision.h"
#include "policy/observation.h"

namespace mpca::policy {

/// What a policy is told about the workload it controls, the same for every policy of a comparison.
struct Workload {
  double capacity_rps = 25.0;       // per Ready replica
  double target_utilization = 0.7;  // fraction of capacity that users should not see exceeded, rho*
  int min_replicas = 2;
  int max_replicas = 12;
  Duration period = std::chrono::seconds(15);  // between decisions, when nothing is late
  bool operator==(const Workload&) const = default;
};

/// The table of a Workload, bound to `workload`.
SettingsTable settings_of(Workload& workload);

/// Every problem at once: ranges and max below min.
Result<void> validate(const Workload& workload);

class Policy {
 public:
  virtual ~Policy() = default;

  /// Called once per period with strictly increasing `observation.now`. Always answers: on missing data a policy holds
  /// or falls back and says so in `explanation.status`. The answer lies within the workload's bounds unless the
  /// policy's rule says otherwise (documented there).
  virtual Decision decide(const Observation& observation) = 0;

  /// The whole memory as text (lines of `name value…`): a policy that loads it goes on as if it had never stopped.
  virtual std::string save_state() const = 0;
  ///   errors   invalid_argument  not a state of this policy and version; the policy is then as it was before the call
  virtual Result<void> load_state(std::string_view state) = 0;
};

/// One row of the registry.
struct PolicyKind {
  std::string_view name;
  std::string_view sentence;
  /// Its settings with their defaults, for help and reference pages.
  std::vector<SettingInfo> (*settings)();
  /// `settings` as `key=value,…`. `where` begins the messages.
  Result<std::unique_ptr<Policy>> (*create)(std::string_view settings, const Workload& workload,
                                            std::string_view where);
  /// The texts of the family's own front, from its own knobs; nullptr: it has none. `NAME:sweep` stands for them.
  std::vector<std::string> (*sweep)() = nullptr;
};

/// All policies, in the order they are listed to people. Adding one: its folder, and a line in registry.cpp.
std::span<const PolicyKind> policy_kinds();

/// The policies that a text stands for: of `NAME:sweep` the whole family, with what follows
/// (`hpa:sweep,cpu-request=0.5`) added to each; any other text is itself.
std::vector<std::string> expand_sweep(std::string_view text);

/// `NAME[:key=value,…]`, or `static:N` for short. A sweep is refused: it is more than one.
///   errors   invalid_argument  unknown name or key (with the nearest known), value out of range; begins with `where`
Result<std::unique_ptr<Policy>> create_policy(std::string_view text, const Workload& workload, std::string_view where);

}  // namespace mpca::policy
