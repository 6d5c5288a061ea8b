#include "core/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"

namespace mpca {
namespace {

using namespace std::chrono_literals;

LatencyHistogram of(std::initializer_list<Duration> values) {
  LatencyHistogram all;
  for (const Duration value : values) all.record(value);
  return all;
}

TEST(LatencyHistogram, NothingRecordedIsZeroEverywhere) {
  const LatencyHistogram none;
  EXPECT_EQ(none.count(), 0u);
  EXPECT_EQ(none.min(), 0ns);
  EXPECT_EQ(none.max(), 0ns);
  EXPECT_EQ(none.mean(), 0ns);
  EXPECT_EQ(none.quantile(0.5), 0ns);
  EXPECT_EQ(none.standard_deviation(), 0ns);
}

// By hand: (1 + 2 + 9) / 3 = 4 ms; two of three are at or below 2 ms.
TEST(LatencyHistogram, MinMaxAndMeanAreExactAndQuantilesToOnePartIn128) {
  const LatencyHistogram three = of({9ms, 1ms, 2ms});
  EXPECT_EQ(three.min(), 1ms);
  EXPECT_EQ(three.max(), 9ms);
  EXPECT_EQ(three.mean(), 4ms);
  EXPECT_EQ(three.quantile(1.0), 9ms);
  EXPECT_NEAR(to_seconds(three.quantile(0.5)), 0.002, 0.002 / 128);
  EXPECT_NEAR(to_seconds(three.quantile(0.0)), 0.001, 0.001 / 128);
}

TEST(LatencyHistogram, NegativeIsZeroAndLongerThanAnHourIsAnHour) {
  const LatencyHistogram ends = of({-5s, 100h});
  EXPECT_EQ(ends.min(), 0s);
  EXPECT_EQ(ends.max(), 1h);
  EXPECT_EQ(ends.quantile(1.0), 1h);
}

// By hand: ten million hours are 3.6e19 ns, more than 64 bits with a sign hold.
TEST(LatencyHistogram, TheSumDoesNotOverflow) {
  LatencyHistogram many;
  many.record(1h, 10'000'000);
  many.record(1ns, 10'000'000);
  EXPECT_EQ(many.mean(), 30min + 1ns);  // 1800.0000000005 s, rounded
}

TEST(LatencyHistogram, QuantilesAgreeWithASortedVector) {
  RandomStream stream(7, "latencies");
  for (int round = 0; round < 300; ++round) {
    std::vector<std::int64_t> values(1 + stream.below(200));
    LatencyHistogram histogram;
    for (std::int64_t& value : values) {
      value = static_cast<std::int64_t>(std::exp(stream.uniform() * 28.0));  // 1 ns to 24 minutes
      histogram.record(Duration(value));
    }
    std::sort(values.begin(), values.end());
    for (const double level : {0.0, 0.1, 0.5, 0.95, 0.99, 0.999, 1.0}) {
      const double rank = std::max(1.0, std::ceil(level * static_cast<double>(values.size())));
      const std::int64_t exact = values[static_cast<std::size_t>(rank) - 1];
      const std::int64_t found = histogram.quantile(level).count();
      EXPECT_GE(found, exact);
      EXPECT_LE(found, exact + exact / 128 + 8);
    }
  }
}

TEST(LatencyHistogram, MergingIsRecordingInOne) {
  RandomStream stream(9, "latencies");
  for (int round = 0; round < 200; ++round) {
    LatencyHistogram one, two, both;
    const auto values = stream.below(30);
    for (std::uint64_t i = 0; i < values; ++i) {
      const Duration value(static_cast<std::int64_t>(std::exp(stream.uniform() * 29.0)));
      (stream.below(2) == 0 ? one : two).record(value);
      both.record(value);
    }
    one.merge(two);
    EXPECT_EQ(one, both);
  }
}

TEST(LatencyHistogram, ItsTextReadsBackEqual) {
  RandomStream stream(11, "latencies");
  for (int round = 0; round < 200; ++round) {
    LatencyHistogram histogram;
    const auto values = stream.below(30);
    for (std::uint64_t i = 0; i < values; ++i) {
      histogram.record(Duration(static_cast<std::int64_t>(std::exp(stream.uniform() * 29.0))), 1 + stream.below(1000));
    }
    const auto read = LatencyHistogram::parse(histogram.to_text());
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, histogram);
  }
}

TEST(LatencyHistogram, TheTextIsForPeopleToo) {
  EXPECT_EQ(of({1us, 1us, 3us}).to_text(),
            "mpca-latency-histogram 1\ncount 3\nmin_ns 1000\nmax_ns 3000\nsum_s 0.000005000\nfrom_ns 1000 2\n"
            "from_ns 2992 1\n");
}

TEST(LatencyHistogram, ATextThatDoesNotAddUpIsRefusedWithItsLine) {
  const std::string head = "mpca-latency-histogram 1\ncount 3\nmin_ns 1000\nmax_ns 3000\nsum_s 0.000005000\n";
  const auto refusal = [](const std::string& text) {
    const auto read = LatencyHistogram::parse(text);
    return read ? std::string("read") : read.error().message;
  };
  EXPECT_EQ(refusal("mpca-latency-histogram 2\n"),
            "line 1: is \"mpca-latency-histogram 2\"; must be \"mpca-latency-histogram 1\"");
  EXPECT_EQ(refusal(head + "from_ns 1000 2\n"), "line 6: the counts add up to 2, not 3");
  EXPECT_EQ(refusal(head + "from_ns 1000 4\n"), "line 6: the counts are more than 3");
  EXPECT_EQ(refusal(head + "from_ns 1001 3\n"), "line 6: no bucket begins at 1001 ns");
  EXPECT_EQ(refusal(head + "from_ns 2992 3\n"), "line 6: min_ns is not in the first bucket");
  EXPECT_EQ(refusal(head + "from_ns 1000 3\n"), "line 6: max_ns is not in the last bucket");
  EXPECT_EQ(refusal(head + "from_ns 1000 1\nfrom_ns 1000 2\n"), "line 7: buckets must ascend");
  EXPECT_EQ(refusal(head + "from_ns 1000 1\nfrom_ns 2992 2\n"), "line 7: sum_s does not fit the buckets");
  EXPECT_EQ(refusal(""), "line 1: is \"\"; must be \"mpca-latency-histogram 1\"");
}

}  // namespace
}  // namespace mpca
