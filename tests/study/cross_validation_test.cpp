#include "study/cross_validation.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mpca::study {
namespace {

/// A block in which `replica_seconds` were paid for 100 requests of which `violations` were late.
BlockAccount block(double replica_seconds, double violations = 0.0) {
  return {
      .seconds = 10.0, .replica_seconds = replica_seconds, .requests = 100.0, .violations = violations, .churn = 1.0};
}

// A replica serves one request per second: 100 requests take 100 replica-seconds, and the bill is what was paid.
const Wish kCost{.capacity_rps = 1.0, .late_price = 10.0, .late_share = 0.0};
const Wish kShare{.capacity_rps = 1.0, .late_price = 10.0, .late_share = 0.02};

TEST(BlockMeter, CutsARunIntoSpansThatAddUpToIt) {
  // Seven periods of 10 s in three blocks: 70 / 3 = 23.3, so the first ends at 30 s, the second (46.7) at 50 s.
  BlockMeter meter(70.0, 3);
  sim::Truth truth;
  for (int period = 1; period <= 7; ++period) {
    truth.seconds += 10.0;
    truth.replica_seconds += period;
    truth.requests += 100.0;
    truth.late += 2.0;
    truth.refused += 1.0;
    truth.timed_out += 3.0;
    truth.replica_churn += 1;
    meter.period_ended(truth);
  }
  const std::vector<BlockAccount> blocks = meter.finish(truth);
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0], (BlockAccount{30.0, 1.0 + 2.0 + 3.0, 300.0, 18.0, 3.0}));
  EXPECT_EQ(blocks[1], (BlockAccount{20.0, 4.0 + 5.0, 200.0, 12.0, 2.0}));
  EXPECT_EQ(blocks[2], (BlockAccount{20.0, 6.0 + 7.0, 200.0, 12.0, 2.0}));
}

TEST(BlockMeter, ARunThatEndsEarlyHasEmptyBlocks) {
  BlockMeter meter(5.0, 3);
  sim::Truth truth;
  truth.seconds = 5.0;
  meter.period_ended(truth);
  const std::vector<BlockAccount> blocks = meter.finish(truth);
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0].seconds + blocks[1].seconds + blocks[2].seconds, 5.0);
}

TEST(Bill, IsWhatWasPaidAndThePriceOfWhatWasLate) {
  EXPECT_EQ(bill(block(120.0, 3.0), kCost), 120.0 + 10.0 * 3.0);
  EXPECT_EQ(bill(block(120.0, 3.0), {.capacity_rps = 25.0, .late_price = 10.0}), 120.0 * 25.0 + 10.0 * 3.0);
  EXPECT_EQ(bill(block(120.0, 3.0), kShare), 120.0) << "with a share, what is late has no price";
}

TEST(Bill, AShareIsKeptToAFifthOfIt) {
  EXPECT_TRUE(is_kept(block(1.0, 2.4), kShare));
  EXPECT_FALSE(is_kept(block(1.0, 2.5), kShare));
  EXPECT_TRUE(is_kept(block(1.0, 100.0), kCost));
}

// Bills by hand. On all: a 100 + 100 + 160 = 360, b 110 + 110 + 110 = 330. Without block 0: a 260, b 220: b. Without
// block 1: the same. Without block 2: a 200, b 220: a. So block 2 is judged by a, which is bad there.
const std::vector<Candidate> kTwo = {{"a", {block(100.0), block(100.0), block(160.0)}},
                                     {"b", {block(110.0), block(110.0), block(100.0, 1.0)}}};

TEST(CrossValidation, JudgesEachBlockWithWhatWasBestOnTheOthers) {
  const HeldOut held_out = cross_validate(kTwo, kCost);
  EXPECT_EQ(held_out.on_all, 1u);
  EXPECT_EQ(held_out.chosen, (std::vector<std::size_t>{1, 1, 0}));
  EXPECT_EQ(held_out.blocks, (std::vector<BlockAccount>{block(110.0), block(110.0), block(160.0)}));
  EXPECT_EQ(sum_of(held_out.blocks).replica_seconds, 380.0);
}

TEST(CrossValidation, ABlocksOwnAccountsDoNotDecideAboutItsSettings) {
  const HeldOut before = cross_validate(kTwo, kCost);
  for (std::size_t altered = 0; altered < 3; ++altered) {
    for (std::size_t candidate = 0; candidate < 2; ++candidate) {
      for (const double replica_seconds : {0.0, 1e9}) {
        std::vector<Candidate> candidates = kTwo;
        candidates[candidate].blocks[altered] = block(replica_seconds);
        EXPECT_EQ(cross_validate(candidates, kCost).chosen[altered], before.chosen[altered]);
      }
    }
  }
}

TEST(CrossValidation, TheFirstOfEqualsIsChosen) {
  const std::vector<Candidate> equal(3, {"same", {block(5.0), block(6.0)}});
  EXPECT_EQ(best_without(equal, std::nullopt, kCost), 0u);
}

TEST(CrossValidation, AShareIsAskedOfTheOtherBlocksTogetherAndThenTheCheapestWins) {
  // On both blocks: lean 5 % late, fair 2 % (3 % and 1 %), safe none.
  const std::vector<Candidate> candidates = {{"lean", {block(100.0, 5.0), block(100.0, 5.0)}},
                                             {"safe", {block(200.0), block(200.0)}},
                                             {"fair", {block(150.0, 3.0), block(150.0, 1.0)}}};
  EXPECT_EQ(best_without(candidates, std::nullopt, kShare), 2u);
  EXPECT_EQ(best_without(candidates, 0, kShare), 2u) << "1 % in the other block";
  EXPECT_EQ(best_without(candidates, 1, kShare), 1u) << "3 % in the other block";
}

TEST(CrossValidation, WhereNothingKeepsTheShareTheFewestViolationsWin) {
  const std::vector<Candidate> candidates = {{"worse", {block(100.0, 9.0), block(100.0, 9.0)}},
                                             {"better", {block(300.0, 4.0), block(300.0, 4.0)}}};
  EXPECT_EQ(best_without(candidates, std::nullopt, kShare), 1u);
}

// By hand: R = (80 + 90 + 100) / 300 = 0.9. Residuals 80 - 90, 90 - 90, 100 - 90: squares 200; s² = 200 / 2 / 3 =
// 33.33, s = 5.7735 of a mean of 100: 0.057735; t with 2 degrees is 4.303, half width 0.24843.
TEST(SavingOf, IsARatioOfSumsWithStudentsInterval) {
  const std::vector<BlockAccount> policy = {block(80.0), block(90.0), block(100.0)};
  const std::vector<BlockAccount> against(3, block(100.0));
  const report::Interval saving = saving_of(policy, against, kCost);
  EXPECT_NEAR(saving.value, 0.1, 1e-12);
  EXPECT_NEAR(saving.low.value(), 0.1 - 0.24843, 1e-5);
  EXPECT_NEAR(saving.high.value(), 0.1 + 0.24843, 1e-5);
}

TEST(SavingOf, IsPairedABlockThatIsDearForBothSaysNothing) {
  const std::vector<BlockAccount> policy = {block(80.0), block(800.0), block(8.0)};
  const std::vector<BlockAccount> against = {block(100.0), block(1000.0), block(10.0)};
  const report::Interval saving = saving_of(policy, against, kCost);
  EXPECT_NEAR(saving.value, 0.2, 1e-12);
  EXPECT_NEAR(saving.low.value(), 0.2, 1e-9);
  EXPECT_NEAR(saving.high.value(), 0.2, 1e-9);
}

TEST(SavingOf, BlocksWeighByWhatTheyCostAndIdleOnesNothing) {
  const std::vector<BlockAccount> policy = {block(50.0), block(300.0), {}};
  const std::vector<BlockAccount> against = {block(100.0), block(300.0), {}};
  EXPECT_NEAR(saving_of(policy, against, kCost).value, 1.0 - 350.0 / 400.0, 1e-12);
  const std::vector<BlockAccount> nothing(3);
  EXPECT_FALSE(saving_of(nothing, nothing, kCost).low.has_value());
}

TEST(SavingOf, TheTableOfStudentsQuantiles) {
  EXPECT_EQ(student_t_975(1), 12.706);
  EXPECT_EQ(student_t_975(3), 3.182);
  EXPECT_EQ(student_t_975(5), 2.571);
  EXPECT_EQ(student_t_975(10), 2.228);
  EXPECT_EQ(student_t_975(23), 2.069);
}

}  // namespace
}  // namespace mpca::study
