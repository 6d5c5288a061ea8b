// A policy in a world, to its end. The loop of every simulation: look, decide, let the period pass, tell the listener.
#pragma once

#include <functional>
#include <stop_token>

#include "policy/policy.h"
#include "policy/world.h"

namespace mpca::policy {

using OnPeriod = std::function<void(const Observation&, const Decision&, const PeriodOutcome&)>;

///   returns  false when `stop` ended the run early
bool run_policy(World& world, Policy& policy, const std::stop_token& stop, const OnPeriod& on_period);

}  // namespace mpca::policy
