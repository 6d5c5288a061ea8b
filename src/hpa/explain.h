// The arithmetic of one sync in words: which pods count and why, the ratio, what is held back and by what.
#pragma once

#include <string>
#include <vector>

#include "hpa/autoscaler.h"

namespace mpca::hpa {

/// Lines for a person. The sync is made on a copy of `before`, which stays as it is.
///
///   pod_names   of input.pods, in their order
std::string explain_sync(const HorizontalPodAutoscaler& before, const SyncInput& input,
                         const std::vector<std::string>& pod_names);

}  // namespace mpca::hpa
