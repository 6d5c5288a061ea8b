#include "policy/guards.h"

#include <cmath>

namespace mpca::policy {

std::optional<double> served_rate_or_hold(const Observation& observation, Explanation& explanation) {
  const auto served = observation.served_rate_rps.value_if_known();
  if (!served) {
    explanation.status = "hold: the served rate is missing";
  } else if (!std::isfinite(*served)) {
    explanation.status = "hold: the served rate is not a number";
    return std::nullopt;
  }
  return served;
}

int ceil_replicas(double replicas) {
  constexpr double kFarBeyondAnyBound = 1e9;
  return static_cast<int>(std::ceil(std::clamp(replicas, -kFarBeyondAnyBound, kFarBeyondAnyBound)));
}

}  // namespace mpca::policy
