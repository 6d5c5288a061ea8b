#include "policy/predictive/candidates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/random.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration since_epoch) { return TimePoint(since_epoch); }

// A hold of 120 s has slots of 10 s: [0, 10), [10, 20), … The slot of second 5 is the twelfth before that of 115 s, and
// has left at 120 s.
TEST(HeldMaximum, AValueIsHeldForTwelveSlots) {
  HeldMaximum held;
  EXPECT_EQ(held.observe(at(5s), 120s, 8.0), 8.0);
  EXPECT_EQ(held.observe(at(60s), 120s, 3.0), 8.0);
  EXPECT_EQ(held.observe(at(119s), 120s, 1.0), 8.0);
  EXPECT_EQ(held.observe(at(120s), 120s, 1.0), 3.0);
  EXPECT_EQ(held.observe(at(179s), 120s, 1.0), 3.0);
  EXPECT_EQ(held.observe(at(180s), 120s, 1.0), 1.0);
}

TEST(HeldMaximum, AGreaterValueCountsAtOnceAndWithinASlotTheGreatestStays) {
  HeldMaximum held;
  EXPECT_EQ(held.observe(at(0s), 120s, 2.0), 2.0);
  EXPECT_EQ(held.observe(at(3s), 120s, 9.0), 9.0);
  EXPECT_EQ(held.observe(at(6s), 120s, 4.0), 9.0);
}

TEST(HeldMaximum, WithoutAHoldItIsTheLastValue) {
  HeldMaximum held;
  EXPECT_EQ(held.observe(at(0s), 0s, 8.0), 8.0);
  EXPECT_EQ(held.observe(at(1s), 0s, 0.1), 0.1) << "to the last bit";
}

TEST(HeldMaximum, AfterAGapOfAnyLengthNothingOldIsLeft) {
  for (const Duration gap : {Duration(120s), Duration(121s), Duration(24h), Duration(24h * 365 * 50)}) {
    HeldMaximum held;
    held.observe(at(5s), 120s, 8.0);
    EXPECT_EQ(held.observe(at(5s) + gap, 120s, 1.0), 1.0) << gap.count();
  }
}

TEST(HeldMaximum, AGapLeavesWhatIsYoungerThanTheHold) {
  HeldMaximum held;
  held.observe(at(0s), 120s, 8.0);
  held.observe(at(50s), 120s, 5.0);
  EXPECT_EQ(held.observe(at(160s), 120s, 1.0), 5.0) << "the slot of 50 s is the twelfth, that of 0 s long gone";
}

// Slots are [-20, -10), [-10, 0), [0, 10): the epoch is an instant like others.
TEST(HeldMaximum, TheEpochIsAnInstantLikeOthers) {
  HeldMaximum held;
  EXPECT_EQ(held.observe(at(-60s), 120s, 8.0), 8.0);
  EXPECT_EQ(held.observe(at(-1s), 120s, 2.0), 8.0);
  EXPECT_EQ(held.observe(at(59s), 120s, 1.0), 8.0) << "eleven slots after that of -60 s";
  EXPECT_EQ(held.observe(at(60s), 120s, 1.0), 2.0);
  EXPECT_EQ(held.observe(at(109s), 120s, 1.0), 2.0);
  EXPECT_EQ(held.observe(at(110s), 120s, 0.5), 1.0) << "the slot of -1 s is [-10, 0)";
}

// Slots are at least a second, so that their numbers last; a hold of 5 s has five of them.
TEST(HeldMaximum, ShortHoldsAreHeldToASecond) {
  HeldMaximum held;
  held.observe(at(0s), 5s, 8.0);
  EXPECT_EQ(held.observe(at(4s), 5s, 1.0), 8.0);
  EXPECT_EQ(held.observe(at(5s), 5s, 1.0), 1.0);
  EXPECT_EQ(held.observe(at(6s), 1ns, 0.5), 0.5);
}

TEST(HeldMaximum, AClockSetBackKeepsTheGreatest) {
  HeldMaximum held;
  held.observe(at(1000s), 120s, 8.0);
  EXPECT_EQ(held.observe(at(995s), 120s, 1.0), 8.0);
}

// Slow and obvious: the greatest of all whose slot is one of the last twelve.
TEST(HeldMaximum, AgreesWithASearchThroughAllValues) {
  for (std::uint32_t sequence = 0; sequence < 200; ++sequence) {
    RandomStream random(3, "held", sequence);
    const auto width = static_cast<std::int64_t>(1 + random.below(100));
    const Duration hold = std::chrono::seconds(12 * width);
    const auto start = static_cast<std::int64_t>(random.below(4000)) - 2000;
    std::int64_t second = start;
    HeldMaximum held;
    std::vector<std::pair<std::int64_t, float>> all;
    for (int step = 0; step < 100; ++step) {
      second += static_cast<std::int64_t>(random.below(random.uniform() < 0.05 ? 4000 : 60));
      const double value = random.uniform() * 100.0;
      const std::int64_t slot = (second + 1'000'000 * width) / width;
      all.emplace_back(slot, static_cast<float>(value));
      float greatest = 0.0F;
      for (const auto& [each_slot, each] : all)
        if (slot - each_slot < 12) greatest = std::max(greatest, each);
      ASSERT_EQ(held.observe(at(std::chrono::seconds(second)), hold, value), static_cast<double>(greatest))
          << "sequence " << sequence << " step " << step;
    }
  }
}

constexpr std::size_t kTrendsBegin = Candidates::kRules;
constexpr std::size_t kPlannersBegin = kTrendsBegin + Candidates::kTrends;
constexpr std::size_t kPairsBegin = kPlannersBegin + Candidates::kLevels;

std::size_t level(std::size_t factor, std::size_t hold) { return hold * Candidates::kFactors.size() + factor; }
std::size_t trend(std::size_t factor, std::size_t hold, std::size_t gain) {
  return kTrendsBegin + (gain * Candidates::kTrendHoldSeconds.size() + hold) * Candidates::kTrendFactors.size() +
         factor;
}

Candidates::Situation situation(int second, double load) {
  return {.sampled = at(std::chrono::seconds(second)),
          .load = load,
          .dead_time = 60s,
          .min_replicas = 1,
          .max_replicas = 100};
}

/// Quantiles so that a planner wants these replicas: of which it uses 88 %.
forecast::ForwardQuantiles wanting(const std::array<double, 7>& replicas) {
  forecast::ForwardQuantiles quantiles{};
  for (std::size_t l = 0; l < quantiles.size(); ++l) quantiles[l] = replicas[l] * 0.88;
  return quantiles;
}

// 4 x 1.02 = 4.08, x 1.25 = 5, x 2.6 = 10.4.
TEST(Candidates, LevelsAreFactorsOfTheLoad) {
  Candidates candidates;
  const Candidates::Replicas& replicas = candidates.decide(situation(0, 4.0));
  EXPECT_EQ(replicas[level(0, 0)], 5);
  EXPECT_EQ(replicas[level(3, 0)], 5) << "exactly 5 is no reason for 6";
  EXPECT_EQ(replicas[level(7, 0)], 11);
  EXPECT_EQ(Candidates::name(level(3, 0)), "level x1.25");
  EXPECT_EQ(Candidates::name(level(2, 1)), "level x1.15 held 2m");
}

// 3.2 is no float, and its neighbour times 1.25 is a little more than 4.
TEST(Candidates, AHeldLoadIsNoReasonForOneMoreReplicaEither) {
  Candidates candidates;
  const Candidates::Replicas& replicas = candidates.decide(situation(0, 3.2));
  for (std::size_t hold = 0; hold < Candidates::kHoldSeconds.size(); ++hold)
    EXPECT_EQ(replicas[level(3, hold)], 4) << Candidates::name(level(3, hold));
}

// 10 x 1.25 = 12.5; then 4 x 1.25 = 5. The slots of 2 min, 20 min, 6 h are 10 s, 100 s, 30 min.
TEST(Candidates, LevelsAreHeldForAsLongAsTheySay) {
  Candidates candidates;
  candidates.decide(situation(0, 10.0));
  const auto after = [&](int second) {
    const Candidates::Replicas& replicas = candidates.decide(situation(second, 4.0));
    return std::vector<int>{replicas[level(3, 0)], replicas[level(3, 1)], replicas[level(3, 2)], replicas[level(3, 3)]};
  };
  EXPECT_EQ(after(105), (std::vector{5, 13, 13, 13}));
  EXPECT_EQ(after(120), (std::vector{5, 5, 13, 13}));
  EXPECT_EQ(after(1185), (std::vector{5, 5, 13, 13}));
  EXPECT_EQ(after(1200), (std::vector{5, 5, 5, 13}));
  EXPECT_EQ(after(21'585), (std::vector{5, 5, 5, 13}));
  EXPECT_EQ(after(21'600), (std::vector{5, 5, 5, 5}));
}

// From 2 to 5 in 15 s is 0.2/s, smoothed by 0.4: 0.08/s. Over 60 s 4.8 more, or 0.4 of that: 1.92.
// (5 + 4.8) x 1.2 = 11.76; (5 + 1.92) x 1.2 = 8.304.
TEST(Candidates, TrendsReachAsFarAsTheDeadTime) {
  Candidates candidates;
  EXPECT_EQ(candidates.decide(situation(0, 2.0))[trend(1, 0, 1)], 3) << "no slope yet: 2 x 1.2 = 2.4";
  const Candidates::Replicas& replicas = candidates.decide(situation(15, 5.0));
  EXPECT_EQ(replicas[trend(1, 0, 1)], 12);
  EXPECT_EQ(replicas[trend(1, 0, 0)], 9);
  EXPECT_EQ(Candidates::name(trend(1, 0, 1)), "trend 1 x1.2 held 1m");
  EXPECT_EQ(Candidates::name(trend(0, 1, 0)), "trend 0.4 x1.08 held 6m40s");
}

// The slope becomes 0.08 + 0.4 (-0.2 - 0.08) = -0.032/s, and counts as none: 2 x 1.2 = 2.4. A hold of 60 s remembers
// 9.8 within 12 slots of 5 s.
TEST(Candidates, AFallingTrendIsNoReasonForLess) {
  Candidates candidates;
  candidates.decide(situation(0, 2.0));
  candidates.decide(situation(15, 5.0));
  EXPECT_EQ(candidates.decide(situation(30, 2.0))[trend(1, 0, 1)], 12);
  EXPECT_EQ(candidates.decide(situation(75, 2.0))[trend(1, 0, 1)], 3);
  EXPECT_EQ(candidates.decide(situation(90, 2.0))[trend(1, 1, 1)], 12) << "held 400 s";
}

TEST(Candidates, PlannersGoUpToTheirQuantileAndDownToTheOneTheyKeep) {
  Candidates candidates;
  Candidates::Situation now = situation(0, 1.0);
  now.forward = wanting({5, 6, 7, 8, 9, 10, 11});
  const Candidates::Replicas& replicas = candidates.decide(now);
  EXPECT_EQ(replicas[kPlannersBegin], 5);
  EXPECT_EQ(replicas[kPlannersBegin + 6], 11);
  EXPECT_EQ(replicas[kPairsBegin], 5) << "nothing to keep yet";

  now = situation(15, 1.0);
  now.forward = wanting({2, 3, 4, 5, 6, 7, 8});
  candidates.decide(now);
  EXPECT_EQ(replicas[kPlannersBegin], 2);
  EXPECT_EQ(replicas[kPairsBegin], 4) << "down to the quantile 0.85 only";
  now = situation(30, 1.0);
  now.forward = wanting({1, 2, 6, 7, 8, 9, 10});
  candidates.decide(now);
  EXPECT_EQ(replicas[kPairsBegin], 4) << "between both: it stays";
  now = situation(45, 1.0);
  now.forward = wanting({9, 10, 11, 12, 13, 14, 15});
  candidates.decide(now);
  EXPECT_EQ(replicas[kPairsBegin], 9) << "up at once";
  EXPECT_EQ(Candidates::name(kPlannersBegin + 4), "planner q 0.97");
  EXPECT_EQ(Candidates::name(kPairsBegin), "planner q 0.5 keeping 0.85");
}

// 6 / 0.97 = 6.19.
TEST(Candidates, PlannersNeverGoBelowTheLoadOfNow) {
  Candidates candidates;
  Candidates::Situation now = situation(0, 6.0);
  now.forward = wanting({1, 1, 1, 1, 1, 1, 9});
  const Candidates::Replicas& replicas = candidates.decide(now);
  for (std::size_t c = kPlannersBegin; c < Candidates::kOwnHpa; ++c)
    EXPECT_EQ(replicas[c], c == kPlannersBegin + 6 ? 9 : 7) << Candidates::name(c);
}

TEST(Candidates, AllStayWithinTheBounds) {
  Candidates candidates;
  RandomStream random(5, "bounds");
  for (int step = 0; step < 500; ++step) {
    Candidates::Situation now = situation(step * 15, step % 50 == 0 ? 1e9 : random.exponential() * 20.0);
    now.min_replicas = 3;
    now.max_replicas = step < 250 ? 40 : 65535;
    now.forward.fill(random.uniform() * 1e6);
    for (const int each : candidates.decide(now)) {
      ASSERT_GE(each, 3);
      ASSERT_LE(each, now.max_replicas);
    }
  }
}

TEST(Candidates, EachHasANameOfItsOwn) {
  std::set<std::string> names;
  for (std::size_t c = 0; c < Candidates::kCount; ++c) names.insert(Candidates::name(c));
  EXPECT_EQ(names.size(), Candidates::kCount);
  EXPECT_EQ(Candidates::kCount, 61U);
}

}  // namespace
}  // namespace mpca::policy
