#include "policy/safety/safety_guard.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "policy/guards.h"

namespace mpca::policy {
namespace {

constexpr double kRoundingError = 1e-9;
constexpr double kMinuteS = 60.0;
// One pod more or less is a crash or a node's maintenance.
constexpr int kFewPods = 2;

struct Distrust {
  std::string_view guard;
  std::string status;
};

/// Why nothing may be taken away; of an observation that is not clean.
Distrust distrust(const ScreenedObservation& seen) {
  const auto served = [&](std::string_view guard) {
    return Distrust{guard, cat("hold: the served rate ", words_of(seen.served_rate))};
  };
  switch (seen.served_rate) {
    case Finding::good:
      break;
    case Finding::missing:
    case Finding::invalid:
      return served("missing_metrics");
    case Finding::stale:
      return served("stale_metrics");
    case Finding::duplicate:
    case Finding::reordered:
      return served("metrics_not_new");
    default:
      return served("suspicious_metrics");
  }
  if (seen.failed_rate == Finding::invalid) return {"missing_metrics", "hold: the failed rate is not a number >= 0"};
  if (seen.in_flight == Finding::invalid) return {"missing_metrics", "hold: in flight is not a number >= 0"};
  if (seen.cpu == Finding::invalid) return {"missing_metrics", "hold: CPU is not a number >= 0"};
  return {"partial_metrics",
          cat("hold: metrics of ", fixed(100.0 * seen.covered_share.value_or(0.0), 0), " % of the ready pods only")};
}

}  // namespace

void SafetyGuard::apply(const ScreenedObservation& screened, std::optional<double> demand_rps, int& replicas,
                        Explanation& explanation) {
  const Observation& observation = screened.observation;
  const TimePoint now = observation.now;
  const int current = std::max(observation.spec_replicas, 0);
  const bool is_first = state_.last_now == TimePoint::min();
  const Duration elapsed = is_first ? Duration::zero() : std::max(now - state_.last_now, Duration::zero());
  const auto never_down = [&](std::string_view guard) {
    change_to(std::max(replicas, current), guard, replicas, explanation);
  };

  const bool is_blind = screened.blind_for >= settings_.blind_after;
  if (is_blind) change_to(std::max(current, settings_.fallback_replicas), "blind", replicas, explanation);
  if (state_.was_blind && !is_blind) state_.recovery_until = now + settings_.recovery_hold;
  state_.was_blind = is_blind;

  int floor = 0;
  if (demand_rps && std::isfinite(*demand_rps) && *demand_rps > 0.0)
    floor = ceil_replicas(*demand_rps / (capacity_rps_ * settings_.floor_utilization) - kRoundingError);
  change_to(std::max(replicas, floor), "reactive_floor", replicas, explanation);

  if (!screened.is_clean) {
    // A sample seen again is everyday life where scrapes are rarer than decisions: said only where it matters.
    const bool is_ordinary = screened.served_rate == Finding::duplicate;
    if (replicas < current || !is_ordinary) {
      Distrust why = distrust(screened);
      explanation.status =
          is_blind ? cat("blind for ", format_duration(std::chrono::floor<std::chrono::seconds>(screened.blind_for)),
                         ", ", why.status)
                   : std::move(why.status);
      never_down(why.guard);
    }
  }
  if (is_in_rollout(observation)) never_down("rollout_hold");
  if (now < state_.recovery_until) never_down("recovery_hold");
  if (is_first) state_.start_until = now + settings_.start_hold;
  if (now < state_.start_until) never_down("start_hold");

  const double share_up = std::min(settings_.max_up_share * current, 1e9 - 1.0);
  int highest = current + std::max(settings_.max_up_pods, ceil_replicas(share_up - kRoundingError));
  if (screened.is_clean) highest = std::max(highest, floor);
  change_to(std::min(replicas, highest), "max_step_up", replicas, explanation);
  change_to(std::max(replicas, lowest_by_step(current, elapsed)), "max_step_down", replicas, explanation);
  clamp_to_bounds(workload_, replicas, explanation);

  state_.lowered += std::max(current - replicas, 0);
  state_.last_now = now;
  state_.last_spec = current;
}

bool SafetyGuard::is_in_rollout(const Observation& observation) {
  const TimePoint now = observation.now;
  const int spec = observation.spec_replicas;
  int terminating = 0;
  for (const PodObservation& pod : observation.pods) terminating += pod.is_terminating ? 1 : 0;
  const int disturbed = std::max(spec - observation.ready_replicas, 0) + terminating;
  const int many = std::max(kFewPods, ceil_replicas(std::min(settings_.rollout_share * spec, 1e9) - kRoundingError));
  const bool is_known = state_.last_now != TimePoint::min();
  const bool is_sudden = is_known && state_.last_spec == spec && disturbed - state_.last_disturbed >= many;
  const bool has_more = observation.ready_replicas + static_cast<int>(observation.starting_pod_ages.size()) > spec;
  state_.last_disturbed = disturbed;

  if (has_more || is_sudden) {
    if (now >= state_.rollout_until) state_.rollout_since = now;
    state_.rollout_until = now + settings_.rollout_hold;
  }
  return now < state_.rollout_until && now - state_.rollout_since < settings_.rollout_longest;
}

/// A share of what is there per minute, at least one; the budget comes back evenly within a minute.
int SafetyGuard::lowest_by_step(int current, Duration elapsed) {
  if (settings_.max_down_share >= 1.0) {
    state_.lowered = 0.0;
    return 0;
  }
  const double budget = std::max(settings_.max_down_share * current, 1.0);
  state_.lowered = std::max(state_.lowered - budget * to_seconds(elapsed) / kMinuteS, 0.0);
  return current - static_cast<int>(std::floor(std::max(budget - state_.lowered, 0.0) + kRoundingError));
}

void SafetyGuard::save(StateWriter& writer) const {
  writer.put("guard_last_now", state_.last_now);
  writer.put("guard_rollout_since", state_.rollout_since);
  writer.put("guard_rollout_until", state_.rollout_until);
  writer.put("guard_recovery_until", state_.recovery_until);
  writer.put("guard_start_until", state_.start_until);
  writer.put("guard_lowered", state_.lowered);
  writer.put("guard_last_spec", static_cast<std::int64_t>(state_.last_spec));
  writer.put("guard_last_disturbed", static_cast<std::int64_t>(state_.last_disturbed));
  writer.put("guard_was_blind", static_cast<std::int64_t>(state_.was_blind));
}

Result<void> SafetyGuard::load(const StateReader& reader) {
  State state;
  MPCA_TRY(state.last_now, reader.time("guard_last_now"));
  MPCA_TRY(state.rollout_since, reader.time("guard_rollout_since"));
  MPCA_TRY(state.rollout_until, reader.time("guard_rollout_until"));
  MPCA_TRY(state.recovery_until, reader.time("guard_recovery_until"));
  MPCA_TRY(state.start_until, reader.time("guard_start_until"));
  MPCA_TRY(state.lowered, reader.number("guard_lowered"));
  MPCA_TRY(const std::int64_t last_spec, reader.integer("guard_last_spec"));
  MPCA_TRY(const std::int64_t last_disturbed, reader.integer("guard_last_disturbed"));
  MPCA_TRY(const std::int64_t was_blind, reader.integer("guard_was_blind"));
  if (!std::isfinite(state.lowered)) return invalid("line \"guard_lowered\" of the state is not finite");
  state.last_spec = static_cast<int>(last_spec);
  state.last_disturbed = static_cast<int>(last_disturbed);
  state.was_blind = was_blind != 0;
  state_ = state;
  return {};
}

}  // namespace mpca::policy
