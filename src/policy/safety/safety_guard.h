// The last word before a decision: what a policy wants, made safe. Prediction may add and may delay removal; it never
// takes away what the demand of now needs, and nothing is taken away on metrics that cannot be believed.
//
// The rules, in the order they act; each that changes something says so in the explanation under its name:
//
//   blind                no served rate to believe for `blind-after`: what is there, or `fallback-replicas` if more
//   reactive_floor       up to what the demand takes at `floor-utilization`
//   missing_metrics,     not down, whatever is wanted: the served rate is missing, stale, a duplicate or an older one,
//   stale_metrics,       or suspicious; another signal is not a number; too few of the ready pods have metrics
//   metrics_not_new,
//   suspicious_metrics,
//   partial_metrics
//   rollout_hold         not down in a rollout: more pods than the spec, or many gone at once with the spec unchanged
//   recovery_hold        not down for a while after having been blind
//   start_hold           not down for a while after the first observation without a memory
//   max_step_up          bounded steps up. The floor may go beyond, but only on clean metrics
//   max_step_down        bounded steps down per minute
//   bounds               the workload's; always last
#pragma once

#include <optional>

#include "core/result.h"
#include "core/state_text.h"
#include "policy/decision.h"
#include "policy/policy.h"
#include "policy/safety/safety_settings.h"
#include "policy/safety/signal_screen.h"

namespace mpca::policy {

class SafetyGuard {
 public:
  SafetyGuard(const SafetySettings& settings, const Workload& workload)
      : settings_(settings), workload_(workload), capacity_rps_(workload.capacity_rps) {}

  /// Once for each observation, in order of their times.
  ///   screened     of this observation
  ///   demand_rps   what users send now, scaled up for pods that were not seen; nullopt, or not a number >= 0: not
  ///                known, and then there is no floor. It may rest on a stale value, since that may raise
  ///   replicas     in: the total that is wanted, starting ones included; out: the decision, within the workload's
  ///                bounds
  ///   explanation  gets a guard step for each change and, while metrics are not believed, a status `hold: …`
  ///   cost         O(pods); allocates for the explanation only
  void apply(const ScreenedObservation& screened, std::optional<double> demand_rps, int& replicas,
             Explanation& explanation);

  /// When it was identified anew. Not part of the state: the plant's estimate is saved with the plant.
  void set_capacity_rps(double capacity_rps) { capacity_rps_ = capacity_rps; }

  void save(StateWriter& writer) const;
  ///   errors   invalid_argument  a line is missing or malformed; nothing is changed then
  Result<void> load(const StateReader& reader);

 private:
  struct State {
    TimePoint last_now = TimePoint::min();  // min: nothing seen yet
    TimePoint rollout_since = TimePoint::min();
    TimePoint rollout_until = TimePoint::min();
    TimePoint recovery_until = TimePoint::min();
    TimePoint start_until = TimePoint::min();
    double lowered = 0.0;  // replicas taken away, less what the minute since allows
    int last_spec = 0;
    int last_disturbed = 0;  // pods of the spec that are not ready, and terminating ones
    bool was_blind = false;
  };
  static_assert(sizeof(State) <= 128);

  bool is_in_rollout(const Observation& observation);
  int lowest_by_step(int current, Duration elapsed);

  SafetySettings settings_;
  Workload workload_;
  double capacity_rps_;
  State state_;
};

}  // namespace mpca::policy
