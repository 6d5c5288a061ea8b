// The reference lab's Model Predictive Control: a demand proxy, a flat or trending forecast, a quadratic programme over
// backlog and replicas solved anew each period, the first replica count taken. Blind to the readiness lag, which is why
// it loses on bursts; here as it was, to be compared with. `lab-mpc` has the defaults of its idealised simulator,
// `lab-mpc-realistic` those of its realistic one (in-flight in the demand proxy, emergency and surge rules).
#pragma once

#include "policy/lab_mpc/lab_plan.h"
#include "policy/policy.h"

namespace mpca::policy {

struct LabMpcSettings : LabPlanSettings {
  double emergency_in_flight = 0.0;  // 0: off
  int emergency_step = 4;
  double surge_delta_rps = 0.0;  // 0: off
  int surge_step = 2;
  bool hold_while_starting = false;
};

SettingsTable settings_of(LabMpcSettings& settings);

/// What the realistic simulator of the lab runs with.
LabMpcSettings lab_mpc_realistic_defaults();

/// For callers that sweep settings, without the way through text.
///   errors   invalid_argument  a setting outside its range
Result<std::unique_ptr<Policy>> create_lab_mpc(const LabMpcSettings& settings, const Workload& workload);

std::vector<SettingInfo> lab_mpc_settings();
Result<std::unique_ptr<Policy>> create_lab_mpc_from_text(std::string_view settings, const Workload& workload,
                                                         std::string_view where);
std::vector<SettingInfo> lab_mpc_realistic_settings();
Result<std::unique_ptr<Policy>> create_lab_mpc_realistic(std::string_view settings, const Workload& workload,
                                                         std::string_view where);

/// gamma 0.01, 0.08, 0.5, 2 x max-step 2, 8, 30: the price of a replica, and steps also for workloads larger than the
/// lab's.
std::vector<std::string> lab_mpc_sweep();
std::vector<std::string> lab_mpc_realistic_sweep();

inline constexpr PolicyKind kLabMpcKind{.name = "lab-mpc",
                                        .sentence = "the reference lab's MPC as its idealised simulator runs it",
                                        .settings = lab_mpc_settings,
                                        .create = create_lab_mpc_from_text,
                                        .sweep = lab_mpc_sweep};

inline constexpr PolicyKind kLabMpcRealisticKind{
    .name = "lab-mpc-realistic",
    .sentence = "the reference lab's MPC as its realistic simulator runs it: in-flight and safety rules",
    .settings = lab_mpc_realistic_settings,
    .create = create_lab_mpc_realistic,
    .sweep = lab_mpc_realistic_sweep};

}  // namespace mpca::policy
