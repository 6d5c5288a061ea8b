// What `predictive` says about a decision: how demand was known, the plant's dead time, the forecast's fan, who of the
// candidates carried the decision and what they would have cost so far (all books, not those of the context alone), and
// the band within which nothing changes.
//
// The band. A candidate's answer depends on what it held only where it is a planner that keeps more than it goes up to;
// then it lies between the answers of the two planners without that memory, at its lower and at its upper quantile. So
// the mean lies between the weighted means of all lower and all upper ends, and the band is these two, rounded as the
// decision is.
#pragma once

#include "forecast/forward_maximum.h"
#include "plant/plant_model.h"
#include "policy/decision.h"
#include "policy/predictive/calendar.h"
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
  double late_price = 0.0;               // as people give it
  double late_share = 0.0;               // the target; 0: the price was given
  double round_down = 0.0;               // a fraction of a replica up to here is given up
  double dead_band = 0.0;                // a share of the replicas up to here is not worth a change
  double unit_rps = 0.0;                 // the workload's configured capacity
  const CalendarEvent* event = nullptr;  // that is on within the dead time
  double event_factor = 1.0;             // of known events over the dead time
  double event_demand_rps = 0.0;         // at least, known from events
};

/// Fills in all but the rule, the recommendation and the guards.
void explain(const Grounds& grounds, Explanation& explanation);

}  // namespace mpca::policy
