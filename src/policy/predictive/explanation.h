// What `predictive` says about a decision: how demand was known, the plant's dead time, the forecast's fan, and who of
// the candidates carried the decision.
#pragma once

#include "forecast/forward_maximum.h"
#include "plant/plant_model.h"
#include "policy/decision.h"
#include "policy/predictive/candidates.h"
#include "policy/predictive/demand.h"
#include "policy/predictive/tournament.h"

namespace mpca::policy {

/// What a decision rested on. It lives where the policy has it, and is looked at during explain() only.
struct Grounds {
  const Demand& demand;  // has a sample
  const plant::PlantEstimate& plant;
  const forecast::ForwardMaximum& forward;  // in units of unit_rps
  const Candidates& candidates;
  const Tournament& tournament;
  const Tournament::Weights& weights;
  Duration dead_time;
  double late_price = 0.0;  // as people give it
  double unit_rps = 0.0;    // the workload's configured capacity
};

/// Fills in all but the rule, the recommendation and the guards.
void explain(const Grounds& grounds, Explanation& explanation);

}  // namespace mpca::policy
