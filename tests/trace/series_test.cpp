#include "trace/series.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mpca::trace {
namespace {

using std::chrono::seconds;

std::vector<Sample> every_10_s(std::vector<std::optional<double>> values) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < values.size(); ++i) {
    samples.push_back({TimePoint(seconds(1700000000 + 10 * static_cast<int>(i))), values[i]});
  }
  return samples;
}

Result<std::vector<Sample>> read_csv(std::string_view text, SeriesCsvOptions options = {}) {
  SeriesCsvReader reader(std::move(options));
  reader.feed(text);
  return reader.finish();
}

TEST(TraceFromSamples, TheDistanceOfTheSamplesIsTheStep) {
  const auto imported = trace_from_samples(every_10_s({1, 2, 3}), {}, "s").value();
  EXPECT_EQ(imported.trace.step, seconds(10));
  EXPECT_EQ(imported.trace.start, seconds(0));
  EXPECT_EQ(imported.trace.demand_rps, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(imported.notes, (std::vector<std::string>{"begins at 2023-11-14T22:13:20Z; 3 samples, 10s apart"}));
}

TEST(TraceFromSamples, CountsAreDividedByTheirInterval) {
  EXPECT_EQ(trace_from_samples(every_10_s({10, 25}), {.kind = SampleKind::count}, "s").value().trace.demand_rps,
            (std::vector<double>{1, 2.5}));
}

TEST(TraceFromSamples, AnotherStepResamplesTheResult) {
  EXPECT_EQ(trace_from_samples(every_10_s({1, 3, 5, 7}), {.step = seconds(20)}, "s").value().trace.demand_rps,
            (std::vector<double>{2, 6}));
}

TEST(TraceFromSamples, JitterStaysInItsPlace) {
  std::vector<Sample> samples = every_10_s({1, 2, 3, 4, 5, 6, 7});
  samples[1].time += seconds(4);
  samples[4].time -= seconds(3);
  EXPECT_EQ(trace_from_samples(samples, {}, "s").value().trace.demand_rps, (std::vector<double>{1, 2, 3, 4, 5, 6, 7}));
}

TEST(TraceFromSamples, GapsAreRefusedUnlessTheCallerSaysHowToFillThem) {
  const auto samples = every_10_s({{}, 2, {}, {}, 8, 9, std::nullopt});
  EXPECT_EQ(trace_from_samples(samples, {}, "s").error().message,
            "nothing for 10s from 2023-11-14T22:13:20Z; choose how to fill gaps: zero, hold or linear\n"
            "nothing for 20s from 2023-11-14T22:13:40Z; choose how to fill gaps: zero, hold or linear\n"
            "nothing for 10s from 2023-11-14T22:14:20Z; choose how to fill gaps: zero, hold or linear");
  const auto filled = [&](GapRule rule) {
    return trace_from_samples(samples, {.gaps = rule}, "s").value().trace.demand_rps;
  };
  EXPECT_EQ(filled(GapRule::zero), (std::vector<double>{2, 0, 0, 8, 9}));
  EXPECT_EQ(filled(GapRule::hold), (std::vector<double>{2, 2, 2, 8, 9}));
  EXPECT_EQ(filled(GapRule::linear), (std::vector<double>{2, 4, 6, 8, 9}));
}

TEST(TraceFromSamples, AMissingSampleIsAGapLikeAnAbsentOne) {
  std::vector<Sample> samples = every_10_s({1, 2, 3, 4, 5});
  samples.erase(samples.begin() + 2);
  const auto imported = trace_from_samples(samples, {.gaps = GapRule::hold}, "s").value();
  EXPECT_EQ(imported.trace.demand_rps, (std::vector<double>{1, 2, 2, 4, 5}));
  EXPECT_EQ(imported.notes[1], "1 of 5 places had no sample and were filled (hold)");
}

TEST(TraceFromSamples, BadValuesAndTimesAreNamed) {
  std::vector<Sample> samples = every_10_s({1, -2, std::numeric_limits<double>::infinity()});
  samples[2].time = samples[0].time;
  EXPECT_EQ(trace_from_samples(samples, {}, "s").error().message,
            "sample 2 (2023-11-14T22:13:30Z): value is -2; must be >= 0\n"
            "sample 3 (2023-11-14T22:13:20Z): is not after the one before, 2023-11-14T22:13:30Z\n"
            "sample 3 (2023-11-14T22:13:20Z): value is inf; must be >= 0");
}

TEST(TraceFromSamples, TooLittleOrTooSparseIsAnError) {
  EXPECT_EQ(trace_from_samples(every_10_s({1}), {}, "s").error().code, ErrorCode::not_enough_data);
  EXPECT_EQ(trace_from_samples(every_10_s({1, {}, {}}), {}, "s").error().code, ErrorCode::not_enough_data);
  std::vector<Sample> samples = every_10_s({1, 2, 3, 4});
  samples[0].time = TimePoint(seconds(0));
  EXPECT_FALSE(trace_from_samples(samples, {.gaps = GapRule::zero}, "s"));  // 170 million places of 10 s
  std::vector<Sample> close = every_10_s({1e308, 1e308});
  close[1].time = close[0].time + Duration(1);
  EXPECT_EQ(trace_from_samples(close, {.kind = SampleKind::count}, "s").error().message,
            "the values are too large for a rate in requests per second");
}

TEST(SeriesCsv, HeaderOrNotEpochOrRfc3339) {
  const auto expected = every_10_s({1, 2.5});
  EXPECT_EQ(read_csv("timestamp,value\n1700000000,1\n1700000010,2.5\n"), expected);
  EXPECT_EQ(read_csv("1700000000000,1\n1700000010000,2.5"), expected);
  EXPECT_EQ(read_csv("2023-11-14T22:13:20Z,1\r\n2023-11-14 22:13:30,2.5\r\n"), expected);
  EXPECT_EQ(read_csv("rps,Time,x\n1,1700000000,7\n2.5,1700000010,7\n"), expected);
}

TEST(SeriesCsv, ColumnsCanBeNamed) {
  EXPECT_EQ(read_csv("at,a,b\n1700000000,9,1\n1700000010,9,2.5\n", {.time_column = "at", .value_column = "b"}),
            every_10_s({1, 2.5}));
  EXPECT_EQ(read_csv("t,v\n1,1\n", {.time_column = "at", .value_column = "b"}).error().message,
            "missing required columns: at, b");
}

TEST(SeriesCsv, AnEmptyValueAndNanAreMissing) {
  EXPECT_EQ(read_csv("time,v\n1700000000,\n1700000010,NaN\n1700000020,3\n"), every_10_s({{}, {}, 3}));
}

TEST(SeriesCsv, EveryBadRowIsNamed) {
  EXPECT_EQ(read_csv("time,v\nyesterday,1\n1700000010,many\n\n1700000020\n").error().message,
            "row 2: time is \"yesterday\"; must be an epoch time or RFC 3339\n"
            "row 3: value is \"many\"; must be a number");
  EXPECT_EQ(read_csv("").error().message, "no row with a time and a value");
  EXPECT_EQ(read_csv("time\n1\n").error().message, "row 1: a series needs a column with times and one with values");
}

}  // namespace
}  // namespace mpca::trace
