#include "policy/safety/safety_settings.h"

namespace mpca::policy {

SettingsTable settings_of(SafetySettings& settings) {
  const Range fraction{.low = 0, .high = 1, .low_open = true};
  return {
      {"stale-after", &settings.stale_after, "duration", Range::above(0),
       "an older value is stale, whatever its source says"},
      {"zero-confirmation", &settings.zero_confirmation, "duration", Range::at_least(0),
       "how long a served rate that is hard to believe has to last until it is"},
      {"idle-cpu", &settings.idle_cpu_cores, "cores", Range::at_least(0),
       "what a ready pod uses at most when it serves nothing"},
      {"impossible-factor", &settings.impossible_factor, "", Range::above(1),
       "a served rate that jumps beyond this many times what the ready pods can serve is not believed"},
      {"cpu-disagreement", &settings.cpu_disagreement, "", Range::above(1),
       "a served rate that falls is not believed when CPU speaks for more than this many times as much"},
      {"least-coverage", &settings.least_coverage, "fraction", Range::between(0, 1),
       "of the ready pods whose metrics have to be known to scale down"},
      {"floor-utilization", &settings.floor_utilization, "fraction", fraction,
       "never fewer replicas than the demand of now takes at this utilization"},
      {"max-up-pods", &settings.max_up_pods, "replicas", Range::between(1, 1e6),
       "added at most at once, or max-up-share if that is more"},
      {"max-up-share", &settings.max_up_share, "fraction", Range::between(0, 1e6),
       "of the replicas, added at most at once"},
      {"max-down-share", &settings.max_down_share, "fraction", fraction,
       "of the replicas, taken away at most per minute; 1: no limit"},
      {"rollout-share", &settings.rollout_share, "fraction", fraction,
       "of the replicas (at least 2) that stop being ready at once: taken for a rollout"},
      {"rollout-hold", &settings.rollout_hold, "duration", Range::at_least(0),
       "no scale-down so long after the last sign of a rollout"},
      {"rollout-longest", &settings.rollout_longest, "duration", Range::at_least(0),
       "a rollout that takes longer is stuck and holds nothing any more"},
      {"blind-after", &settings.blind_after, "duration", Range::above(0),
       "without a served rate to believe: hold, or fallback-replicas"},
      {"fallback-replicas", &settings.fallback_replicas, "replicas", Range::between(0, 1e6),
       "at least so many when blind; 0: hold"},
      {"start-hold", &settings.start_hold, "duration", Range::at_least(0),
       "after the first observation nothing is taken away for so long: who set the replicas knew something"},
      {"recovery-hold", &settings.recovery_hold, "duration", Range::at_least(0),
       "no scale-down so long after having been blind"},
  };
}

}  // namespace mpca::policy
