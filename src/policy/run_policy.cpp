#include "policy/run_policy.h"

namespace mpca::policy {

bool run_policy(World& world, Policy& policy, const std::stop_token& stop, const OnPeriod& on_period) {
  while (const auto observation = world.next()) {
    if (stop.stop_requested()) return false;
    const Decision decision = policy.decide(*observation);
    on_period(*observation, decision, world.apply(decision));
  }
  return true;
}

}  // namespace mpca::policy
