// The reference lab's two HPA-like rules, kept for parity with its results under names of their own; neither is the
// upstream HorizontalPodAutoscaler. `lab-hpa` is the rule of its idealised simulator, `lab-hpa-realistic` that of its
// realistic one.
#pragma once

#include "policy/policy.h"

namespace mpca::policy {

std::vector<SettingInfo> lab_hpa_settings();
Result<std::unique_ptr<Policy>> create_lab_hpa(std::string_view settings, const Workload& workload,
                                               std::string_view where);

std::vector<SettingInfo> lab_hpa_realistic_settings();
Result<std::unique_ptr<Policy>> create_lab_hpa_realistic(std::string_view settings, const Workload& workload,
                                                         std::string_view where);

/// target 0.3, 0.4, …, 0.9 x hold-steps 0, 5, 20.
std::vector<std::string> lab_hpa_sweep();
/// target 0.3, 0.4, …, 0.9 x down-steps 1, 5, 20.
std::vector<std::string> lab_hpa_realistic_sweep();

inline constexpr PolicyKind kLabHpaKind{.name = "lab-hpa",
                                        .sentence = "the reference lab's HPA-like rule of its idealised simulator",
                                        .settings = lab_hpa_settings,
                                        .create = create_lab_hpa,
                                        .sweep = lab_hpa_sweep};

inline constexpr PolicyKind kLabHpaRealisticKind{
    .name = "lab-hpa-realistic",
    .sentence = "the reference lab's HPA-like rule of its realistic simulator",
    .settings = lab_hpa_realistic_settings,
    .create = create_lab_hpa_realistic,
    .sweep = lab_hpa_realistic_sweep};

}  // namespace mpca::policy
