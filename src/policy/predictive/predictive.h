// `predictive:late-price=10`: forecasts what the dead time will need, lets candidates compete on what they would have
// cost, and wraps the answer in the safety layer. One knob: what late demand costs, or which share of it may be late.
//
//   screen the signals           safety/signal_screen.h
//   identify the plant           plant/plant_model.h      readiness lag, capacity, age of metrics
//   reconstruct the demand       predictive/demand.h
//   forecast its forward maximum forecast/forward_maximum.h
//   ask and score candidates     predictive/candidates.h, predictive/tournament.h
//   guard the answer             safety/safety_guard.h
//
// docs/POLICY.md explains it with pictures, and says when not to use it.
#pragma once

#include "policy/policy.h"
#include "policy/predictive/prior.h"

namespace mpca::policy {

std::vector<SettingInfo> predictive_settings();
Result<std::unique_ptr<Policy>> create_predictive(std::string_view settings, const Workload& workload,
                                                  std::string_view where);
/// Prices of late demand from 1 to 250.
std::vector<std::string> predictive_sweep();

/// What each candidate would have cost until now, from what save_state() wrote: without the prior, and without the
/// workload's own HPA, which is another one elsewhere.
///   errors   invalid_argument  not a state of this version
///            not_enough_data   nothing was booked yet
Result<std::vector<CandidateBooks>> predictive_books(std::string_view state);

/// Bytes of fixed memory that one workload takes.
std::size_t predictive_state_bytes();

inline constexpr PolicyKind kPredictiveKind{
    .name = "predictive",
    .sentence = "plans for the greatest demand of the dead time; candidates compete in shadow; guarded",
    .settings = predictive_settings,
    .create = create_predictive,
    .sweep = predictive_sweep};

}  // namespace mpca::policy
