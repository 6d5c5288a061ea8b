#include "study/run_policy.h"

namespace mpca::study {

bool run_policy(policy::World& world, policy::Policy& policy, const std::stop_token& stop, const OnPeriod& on_period) {
  while (const auto observation = world.next()) {
    if (stop.stop_requested()) return false;
    const policy::Decision decision = policy.decide(*observation);
    on_period(*observation, decision, world.apply(decision));
  }
  return true;
}

}  // namespace mpca::study
