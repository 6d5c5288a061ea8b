// Known events in a world that does not know that they are known: the pods are there when the users come, and gone when
// they go.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "core/text.h"
#include "policy/run_policy.h"
#include "sim/dated_world.h"
#include "sim/fluid_world.h"

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;

constexpr policy::Workload kWorkload{.min_replicas = 1, .max_replicas = 100};
// 27 November 2026, midnight.
constexpr Duration kAhead = 20784 * 24h;
constexpr double kUsualRps = 200.0;  // 8 replicas' worth

/// Three hours; three times the usual from 1:00 to 1:30.
std::shared_ptr<const Arrivals> a_sale(std::uint64_t seed) {
  std::vector<double> rates(3 * 3600, kUsualRps);
  std::fill(rates.begin() + 3600, rates.begin() + 5400, 3.0 * kUsualRps);
  return make_arrivals(std::move(rates), ArrivalKind::poisson, {}, seed);
}

struct Played {
  double violation_ratio = 0.0;
  double replica_seconds = 0.0;
  int ready_at_start = 0;
  int asked_after_end = 0;          // two minutes later
  double greatest_before = 0.0;     // replicas asked for in the half hour before, but for its last five minutes
  std::string values_before_start;  // of the explanation on the last decision before
};

Played play(const std::string& text, const std::shared_ptr<const Arrivals>& arrivals) {
  static const auto kWaiting = make_waiting_times(FluidSettings{});
  const auto world = make_fluid_world(arrivals, kWorkload, 12, {}, kWaiting, {}, {});
  DatedWorld dated(*world, {.ahead = kAhead});
  const auto policy = policy::create_policy(text, kWorkload, "test").value();
  Played run;
  EXPECT_TRUE(policy::run_policy(dated, *policy, {},
                                 [&](const policy::Observation& seen, const policy::Decision& decision, const auto&) {
                                   const double now_s = to_seconds(seen.now.time_since_epoch() - kAhead);
                                   if (now_s == 3600.0) run.ready_at_start = seen.ready_replicas;
                                   if (now_s == 5520.0) run.asked_after_end = decision.replicas;
                                   if (now_s >= 1800.0 && now_s <= 3300.0)
                                     run.greatest_before = std::max<double>(run.greatest_before, decision.replicas);
                                   if (now_s == 3585.0)
                                     for (const auto& value : decision.explanation.values)
                                       if (value.name.starts_with("event"))
                                         run.values_before_start += cat(value.name, " ", value.value, "; ");
                                 }));
  run.violation_ratio = world->truth().violation_ratio();
  run.replica_seconds = world->truth().replica_seconds;
  return run;
}

TEST(CalendarInFluidWorld, AKnownEventMeetsPodsThatAreReady) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto arrivals = a_sale(seed);
    const Played blind = play("predictive", arrivals);
    const Played knowing = play("predictive:calendar=sale@2026-11-27T01:00:00Z/2026-11-27T01:30:00Z*3", arrivals);
    std::printf("seed %d: %.3f %% late or failed with %.0f replica-seconds; with the calendar %.3f %% with %.0f\n",
                static_cast<int>(seed), 100.0 * blind.violation_ratio, blind.replica_seconds,
                100.0 * knowing.violation_ratio, knowing.replica_seconds);
    EXPECT_LT(blind.ready_at_start, 24);
    EXPECT_GE(knowing.ready_at_start, 24) << "three times 8 replicas' worth";
    EXPECT_LT(knowing.violation_ratio, 0.1 * blind.violation_ratio);
    EXPECT_LE(knowing.asked_after_end, 14) << "the event is over";
    EXPECT_LE(knowing.greatest_before, 14) << "and had not begun";
    EXPECT_EQ(knowing.values_before_start, "event: sale 1; event_factor 3; event_demand_rps 0; ");
    EXPECT_EQ(blind.values_before_start, "");
  }
}

TEST(CalendarInFluidWorld, AKnownAmountIsReadyWhateverIsUsual) {
  const auto arrivals = a_sale(1);
  const Played knowing = play("predictive:calendar=show@2026-11-27T01:00:00Z/2026-11-27T01:30:00Z>600", arrivals);
  EXPECT_GE(knowing.ready_at_start, 24);
  EXPECT_LT(knowing.violation_ratio, 0.1 * play("predictive", arrivals).violation_ratio);
}

// Nobody comes: what was promised is held while it lasts and given back.
TEST(CalendarInFluidWorld, AnEventThatDoesNotHappenCostsItsPodsAndNothingAfterwards) {
  const auto quiet = make_arrivals(std::vector<double>(3 * 3600, kUsualRps), ArrivalKind::poisson, {}, 1);
  const Played knowing = play("predictive:calendar=sale@2026-11-27T01:00:00Z/2026-11-27T01:30:00Z*3", quiet);
  EXPECT_GE(knowing.ready_at_start, 24);
  EXPECT_LT(knowing.violation_ratio, 0.01);
  EXPECT_LE(knowing.asked_after_end, 14);
}

// The greatest demand that is forecast on the day after, when the event began on the day before.
double forecast_on_the_day_after(const std::string& text) {
  static const auto kWaiting = make_waiting_times(FluidSettings{});
  std::vector<double> rates(4 * 86400, kUsualRps);
  std::fill(rates.begin() + 2 * 86400 + 43200, rates.begin() + 2 * 86400 + 46800, 3.0 * kUsualRps);
  const auto world = make_fluid_world(make_arrivals(std::move(rates), ArrivalKind::poisson, {}, 1), kWorkload, 12, {},
                                      kWaiting, {}, {});
  DatedWorld dated(*world, {.ahead = kAhead});
  const auto policy = policy::create_policy(text, kWorkload, "test").value();
  double greatest = 0.0;
  policy::run_policy(dated, *policy, {},
                     [&](const policy::Observation& seen, const policy::Decision& decision, const auto&) {
                       const double of_day_s = to_seconds(seen.now.time_since_epoch() - kAhead) - 3 * 86400.0;
                       if (of_day_s < 43200.0 - 900.0 || of_day_s > 43200.0 + 900.0) return;
                       for (const auto& point : decision.explanation.forecast)
                         if (point.level == 0.97) greatest = std::max(greatest, point.demand_rps);
                     });
  return greatest;
}

TEST(CalendarInFluidWorld, AKnownEventTeachesNothingAboutUsualDays) {
  const double blind = forecast_on_the_day_after("predictive");
  const double knowing =
      forecast_on_the_day_after("predictive:calendar=sale@2026-11-29T12:00:00Z/2026-11-29T13:00:00Z*3");
  std::printf("forecast on the day after: %.0f requests/s without, %.0f with the calendar\n", blind, knowing);
  EXPECT_LT(knowing, 1.2 * kUsualRps);
}

TEST(DatedWorld, ShowsAnotherDateAndLocalTimeAndTheSameRun) {
  static const auto kWaiting = make_waiting_times(FluidSettings{});
  const auto arrivals = a_sale(1);
  const auto plain = make_fluid_world(arrivals, kWorkload, 12, {}, kWaiting, {}, {});
  const auto shown = make_fluid_world(arrivals, kWorkload, 12, {}, kWaiting, {}, {});
  DatedWorld dated(*shown, {.ahead = kAhead, .offsets = UtcOffsets({{TimePoint{}, 1h}, {TimePoint(kAhead + 1h), 2h}})});
  while (auto want = plain->next()) {
    const auto got = dated.next();
    want->utc_offset = want->now < TimePoint(1h) ? 1h : 2h;
    want->now += kAhead;
    for (auto& pod : want->pods) {
      pod.started += kAhead;
      pod.ready_changed += kAhead;
    }
    ASSERT_EQ(*got, *want);
    auto outcome = plain->apply({.replicas = 20, .explanation = {}});
    outcome.start += kAhead;
    ASSERT_EQ(dated.apply({.replicas = 20, .explanation = {}}), outcome);
  }
  EXPECT_FALSE(dated.next());
}

}  // namespace
}  // namespace mpca::sim
