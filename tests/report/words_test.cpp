#include "report/internal/words.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "report/internal/overview_picture.h"
#include "report/sample_comparison.h"
#include "report/sample_measured.h"

namespace mpca::report {
namespace {

TEST(Words, LatencyTakesTheUnitThatPeopleSay) {
  EXPECT_EQ(internal::words_of_latency(8.44), "8.4 ms");
  EXPECT_EQ(internal::words_of_latency(119.6), "120 ms");
  EXPECT_EQ(internal::words_of_latency(999.6), "1.00 s");
  EXPECT_EQ(internal::words_of_latency(30000.0), "30.0 s");
  EXPECT_EQ(internal::words_of_latency(std::nan("")), "n/a");
}

TEST(Words, AShareIsNeverRoundedToNothingOrAll) {
  EXPECT_EQ(internal::words_of_share(0.0), "0.0%");
  EXPECT_EQ(internal::words_of_share(0.0002), "under 0.1%");
  EXPECT_EQ(internal::words_of_share(0.9998), "over 99.9%");
}

TEST(Words, AListEndsWithAnd) {
  EXPECT_EQ(internal::listed(std::vector<std::string>{"a"}), "a");
  EXPECT_EQ(internal::listed(std::vector<std::string>{"a", "b", "c"}), "a, b and c");
}

// The longest p95 is that of lab-hpa at 195 s: 1.6 x (200 + 60 x 75) = 7520 ms; the shortest of both is 1.6 x 116.
TEST(WaitingPicture, SaysItsScale) {
  const std::string picture = internal::waiting_picture(sample_measured().traces[0]);
  EXPECT_NE(picture.find("p95 from 186 ms to 7.52 s"), std::string::npos);
  EXPECT_NE(picture.find("o-fail"), std::string::npos);
}

TEST(WaitingPicture, ASimulatorHasNone) { EXPECT_EQ(internal::waiting_picture(sample_comparison().traces[0]), ""); }

}  // namespace
}  // namespace mpca::report
