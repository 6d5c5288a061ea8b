// `reactive:target=0.7,hold=120s`: what a careful person does by rule. As many replicas as the demand of now needs at
// the target utilization, and down only to the greatest of what the last `hold` asked for. Demand is what users send,
// not only what came back: under overload the served rate saturates, and failures and the growth of what is in flight
// are the rest.
#pragma once

#include "policy/policy.h"

namespace mpca::policy {

std::vector<SettingInfo> reactive_settings();
Result<std::unique_ptr<Policy>> create_reactive(std::string_view settings, const Workload& workload,
                                                std::string_view where);

/// target 0.5, 0.55, …, 0.95 x hold 0, 60, 120, 300, 600 s.
std::vector<std::string> reactive_sweep();

inline constexpr PolicyKind kReactiveKind{
    .name = "reactive",
    .sentence = "replicas for the demand of now at a target utilization; down after a hold",
    .settings = reactive_settings,
    .create = create_reactive,
    .sweep = reactive_sweep};

}  // namespace mpca::policy
