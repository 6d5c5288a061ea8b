// `static:N`: always N replicas. The ruler at both ends: what the peak costs when held all day, and what no scaling
// serves.
#pragma once

#include "policy/policy.h"

namespace mpca::policy {

std::vector<SettingInfo> static_settings();
Result<std::unique_ptr<Policy>> create_static(std::string_view settings, const Workload& workload,
                                              std::string_view where);

inline constexpr PolicyKind kStaticKind{.name = "static",
                                        .sentence = "always the same number of replicas: static:N",
                                        .settings = static_settings,
                                        .create = create_static};

}  // namespace mpca::policy
