#include "policy/guards.h"

#include <cmath>

namespace mpca::policy {

int ceil_replicas(double replicas) {
  constexpr double kFarBeyondAnyBound = 1e9;
  return static_cast<int>(std::ceil(std::clamp(replicas, -kFarBeyondAnyBound, kFarBeyondAnyBound)));
}

}  // namespace mpca::policy
