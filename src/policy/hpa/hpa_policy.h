// `hpa:target=60,stabilization=300s`: what the upstream HorizontalPodAutoscaler of Kubernetes 1.35 would do, by its
// exact twin (src/hpa). One sync per decision, whatever the period is. Without any of the `up-` and `down-` settings
// the object has no behavior and the legacy rules hold, as for most people. Of single pods it sees what the world
// shows; where a world shows only counts, Ready pods share the CPU equally and are old, and starting ones use none.
//
// Missing metrics hold, as upstream does (FailedGetResourceMetric). From zero replicas it never scales up unless `min`
// is 0.
#pragma once

#include "policy/policy.h"

namespace mpca::policy {

std::vector<SettingInfo> hpa_settings();
Result<std::unique_ptr<Policy>> create_hpa(std::string_view settings, const Workload& workload, std::string_view where);

/// target 30, 35, …, 90 x stabilization 0, 60, 120, 300, 600, 1200 s.
std::vector<std::string> hpa_sweep();

inline constexpr PolicyKind kHpaKind{
    .name = "hpa",
    .sentence = "the upstream HorizontalPodAutoscaler of Kubernetes 1.35, by its exact twin",
    .settings = hpa_settings,
    .create = create_hpa,
    .sweep = hpa_sweep};

}  // namespace mpca::policy
