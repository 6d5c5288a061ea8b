#include "forecast/residual_histogram.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <numeric>

#include "core/random.h"

namespace mpca::forecast {
namespace {

using Counts = std::array<std::uint16_t, ResidualBins::kBins>;

int sum_of(const ResidualHistogram& histogram) {
  return std::accumulate(histogram.counts().begin(), histogram.counts().end(), 0);
}

// By hand: sinh(5) = 74.203; the first edge beside zero is 3 sinh(5/16) / 74.203 = 3 x 0.31761 / 74.203.
TEST(ResidualBins, AreNarrowAtZeroAndReachAFactorOfTwenty) {
  EXPECT_DOUBLE_EQ(ResidualBins::edge(0), -3.0);
  EXPECT_EQ(ResidualBins::edge(16), 0.0);
  EXPECT_DOUBLE_EQ(ResidualBins::edge(32), 3.0);
  EXPECT_NEAR(ResidualBins::edge(17), 0.012841, 1e-6);
  EXPECT_NEAR(ResidualBins::edge(15), -0.012841, 1e-6);
}

TEST(ResidualBins, AreMonotoneAndCoverEveryResidual) {
  int last = 0;
  for (int i = -50000; i <= 50000; ++i) {
    const double residual = i * 1e-4;
    const int bin = ResidualBins::bin_of(residual);
    ASSERT_GE(bin, last) << residual;
    ASSERT_LE(bin, last + 1) << residual;
    last = bin;
  }
  EXPECT_EQ(ResidualBins::bin_of(-5.0), 0);
  EXPECT_EQ(ResidualBins::bin_of(5.0), ResidualBins::kBins - 1);
  EXPECT_EQ(ResidualBins::bin_of(-1e300), 0);
  EXPECT_EQ(ResidualBins::bin_of(1e300), ResidualBins::kBins - 1);
}

TEST(ResidualBins, AResidualLiesBetweenTheEdgesOfItsBin) {
  RandomStream stream(1, "residuals");
  for (int round = 0; round < 20000; ++round) {
    const double residual = 6.0 * stream.uniform() - 3.0;
    const int bin = ResidualBins::bin_of(residual);
    ASSERT_GE(residual, ResidualBins::edge(bin) - 1e-12);
    ASSERT_LE(residual, ResidualBins::edge(bin + 1) + 1e-12);
  }
}

// By hand: with the 3000th observation 1000 x 16 and 2000 x 16 become 8000 and 16000, which stand for 1500.
TEST(ResidualHistogram, IsHalvedWhenItStandsForItsMemory) {
  ResidualHistogram histogram;
  for (int i = 0; i < 1000; ++i) histogram.add(3);
  for (int i = 0; i < 1999; ++i) histogram.add(31);
  EXPECT_EQ(histogram.weight(), 2999.0);
  histogram.add(31);
  EXPECT_EQ(histogram.weight(), 1500.0);
  EXPECT_EQ(histogram.counts()[3], 8000);
  EXPECT_EQ(histogram.counts()[31], 16000);
}

// By hand: one observation is 16, 8, 4, 2, 1, 0 after so many halvings; each half-life but the first is 1500 long.
TEST(ResidualHistogram, OneObservationIsForgottenByHalfLives) {
  ResidualHistogram histogram;
  histogram.add(5);
  for (int i = 1; i < 3000; ++i) histogram.add(20);
  for (const int left : {8, 4, 2, 1, 0}) {
    EXPECT_EQ(histogram.counts()[5], left);
    int added = 0;
    for (double before = -1.0; histogram.weight() > before && added < 3000; ++added) {
      before = histogram.weight();
      histogram.add(20);
    }
    EXPECT_NEAR(added, 1500, 2);
  }
}

TEST(ResidualHistogram, NeitherACountNorTheTotalEverOverflows) {
  ResidualHistogram histogram;
  for (int i = 0; i < 100'000; ++i) {
    histogram.add(7);
    ASSERT_EQ(histogram.counts()[7], sum_of(histogram));
    ASSERT_LT(histogram.weight(), ResidualHistogram::kMemory);
    ASSERT_GE(histogram.weight(), i < 1499 ? i + 1 : 1500);
  }
}

TEST(ResidualHistogram, TakesSavedCountsAndGoesOnAlike) {
  RandomStream stream(2, "bins");
  ResidualHistogram histogram, loaded;
  for (int i = 0; i < 5000; ++i) histogram.add(static_cast<int>(stream.below(32)));
  ASSERT_TRUE(loaded.set_counts(histogram.counts()));
  for (int i = 0; i < 5000; ++i) {
    const int bin = static_cast<int>(stream.below(32));
    histogram.add(bin);
    loaded.add(bin);
  }
  EXPECT_EQ(loaded.weight(), histogram.weight());
  EXPECT_TRUE(std::equal(loaded.counts().begin(), loaded.counts().end(), histogram.counts().begin()));
}

// 48000 = 3000 x 16 is where it would have been halved, so no histogram was ever saved with it.
TEST(ResidualHistogram, RefusesCountsThatItCannotHaveHad) {
  ResidualHistogram histogram;
  histogram.add(9);
  Counts counts{};
  counts[0] = 47'999;
  counts[31] = 1;
  EXPECT_FALSE(histogram.set_counts(counts));
  counts.fill(65'535);
  EXPECT_FALSE(histogram.set_counts(counts));
  EXPECT_EQ(histogram.weight(), 1.0);
  EXPECT_EQ(histogram.counts()[9], 16);
  counts.fill(0);
  counts[0] = 47'999;
  EXPECT_TRUE(histogram.set_counts(counts));
  EXPECT_EQ(histogram.counts()[9], 0);
}

// By hand: 255 in bin 15 are full; odd ones are halved up and down by turns of the bins, beginning with up after an
// even total and with down after an odd one. Total 255 + 3 + 1 + 1 = 260: bins 0, 2, 4, … go up.
TEST(SmallResidualHistogram, IsHalvedWhenABinIsFullAndKeepsHalfOfWhatIsRare) {
  SmallResidualHistogram histogram;
  for (int i = 0; i < 255; ++i) histogram.add(15);
  for (const int bin : {2, 4, 7, 7, 7}) histogram.add(bin);
  EXPECT_EQ(histogram.weight(), 260);
  histogram.add(15);
  EXPECT_EQ(histogram.counts()[15], 127 + 1);
  EXPECT_EQ(histogram.counts()[2], 1);
  EXPECT_EQ(histogram.counts()[4], 1);
  EXPECT_EQ(histogram.counts()[7], 1);
}

// Two of a thousand in the tail, for long: what is kept of them is that share, and not lost in halvings. Its memory is
// some 400 observations, so single looks differ; their mean over 1000 looks has a standard error of about 3e-4.
TEST(SmallResidualHistogram, KeepsTheShareOfRareObservations) {
  RandomStream stream(9, "tail");
  SmallResidualHistogram histogram;
  double share = 0.0;
  constexpr int kLooks = 1000;
  for (int look = 0; look < kLooks; ++look) {
    for (int i = 0; i < 500; ++i)
      histogram.add(stream.uniform() < 0.002 ? 25 + static_cast<int>(stream.below(2))
                                             : 14 + static_cast<int>(stream.below(3)));
    share += (histogram.counts()[25] + histogram.counts()[26]) / static_cast<double>(histogram.weight()) / kLooks;
  }
  EXPECT_NEAR(share, 0.002, 0.0005);
}

}  // namespace
}  // namespace mpca::forecast
