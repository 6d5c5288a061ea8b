#include "core/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace mpca {
namespace {

// The known-answer vectors of philox4x32 with 10 rounds that the Random123 library publishes.
TEST(Random, PhiloxGivesItsPublishedVectors) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, AStreamDependsOnSeedPurposeAndReplicationOnly) {
  EXPECT_EQ(RandomStream(1, "arrivals").bits(), RandomStream(1, "arrivals").bits());
  std::set<std::uint64_t> firsts;
  for (const std::uint64_t seed : {1u, 2u}) {
    for (const char* purpose : {"arrivals", "noise"}) {
      for (const std::uint32_t replication : {0u, 1u}) firsts.insert(RandomStream(seed, purpose, replication).bits());
    }
  }
  EXPECT_EQ(firsts.size(), 8u);
}

// 100,000 draws: the standard error of a mean is sigma / 316, so five of them bound a correct generator comfortably.
TEST(Random, DistributionsHaveTheirMoments) {
  RandomStream stream(7, "moments");
  constexpr int kDraws = 100'000;
  double uniform = 0, normal = 0, normal_square = 0, exponential = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = stream.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    uniform += u;
    const double z = stream.normal();
    normal += z;
    normal_square += z * z;
    exponential += stream.exponential();
    ASSERT_LT(stream.below(3), 3u);
  }
  EXPECT_NEAR(uniform / kDraws, 0.5, 5 * 0.2887 / 316);
  EXPECT_NEAR(normal / kDraws, 0.0, 5 / 316.0);
  EXPECT_NEAR(normal_square / kDraws, 1.0, 5 * 1.4143 / 316);
  EXPECT_NEAR(exponential / kDraws, 1.0, 5 / 316.0);
}

}  // namespace
}  // namespace mpca
