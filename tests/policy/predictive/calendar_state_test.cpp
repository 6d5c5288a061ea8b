// The state of a policy that has a calendar. The calendar is no part of it: it comes with the settings.
#include <gtest/gtest.h>

#include <string>

#include "core/random.h"
#include "policy/policy.h"
#include "support/observations.h"

namespace mpca::policy {
namespace {

using test::observed;

// By the clock of the test, in seconds: a sale from 1:00 to 1:30, a broadcast from 1:20 to 1:40, and days alike.
constexpr std::string_view kPolicy =
    "predictive:calendar=sale@1970-01-01T01:00:00Z/1970-01-01T01:30:00Z*3;"
    "broadcast@1970-01-01T01:20:00Z/1970-01-01T01:40:00Z>900;holidays=1970-01-01/1970-12-25;may=sunday:1970-01-02";

/// Decision `step` of two hours around 100 requests/s, three times that in the sale; the clocks go back at 1:15.
Decision decide(Policy& policy, int step, int replicas) {
  RandomStream random(5, "calendar state", static_cast<std::uint32_t>(step));
  const int second = 15 * step;
  const double demand_rps = (second >= 3600 && second < 5400 ? 300.0 : 100.0) * (0.9 + 0.2 * random.uniform());
  Observation observation = observed(second, replicas, std::min(demand_rps, replicas * 25.0));
  observation.utc_offset = std::chrono::hours(second < 4500 ? 2 : 1);
  return policy.decide(observation);
}

TEST(CalendarState, ALoadedStateGoesOnBitForBitBeforeInAndAfterAnEvent) {
  constexpr Workload kWorkload{.min_replicas = 1, .max_replicas = 100};
  // Long before the sale, when pods are asked for it, in its first minute, in both events, after everything.
  for (const int restart : {60, 238, 242, 330, 420}) {
    const auto original = create_policy(kPolicy, kWorkload, "test").value();
    int replicas = 6;
    bool has_met_event = false;
    for (int step = 0; step < restart; ++step) replicas = decide(*original, step, replicas).replicas;
    const auto restarted = create_policy(kPolicy, kWorkload, "test").value();
    const auto loaded = restarted->load_state(original->save_state());
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_EQ(restarted->save_state(), original->save_state());
    for (int step = restart; step < 480; ++step) {
      const Decision decision = decide(*original, step, replicas);
      ASSERT_EQ(decide(*restarted, step, replicas), decision) << "restarted at " << restart << ", step " << step;
      has_met_event = has_met_event || named_value(decision.explanation, "event_factor").has_value();
      replicas = decision.replicas;
    }
    EXPECT_EQ(restarted->save_state(), original->save_state());
    EXPECT_EQ(has_met_event, restart < 420);
  }
}

}  // namespace
}  // namespace mpca::policy
