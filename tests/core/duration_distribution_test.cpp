#include "core/duration_distribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace mpca {
namespace {

using namespace std::chrono_literals;

DurationDistribution parsed(std::string_view text) { return DurationDistribution::parse(text).value(); }

TEST(DurationDistribution, ADurationIsAConstantAndDrawsNothing) {
  const DurationDistribution lag = parsed("1m30s");
  EXPECT_EQ(lag, DurationDistribution::constant(90s));
  RandomStream stream(1, "lag");
  EXPECT_EQ(lag.sample(stream), 90s);
  EXPECT_EQ(stream.bits(), RandomStream(1, "lag").bits());
}

TEST(DurationDistribution, ALognormalIsGivenByMeanAndCoefficientOfVariation) {
  const DurationDistribution lag = parsed("lognormal(mean=40s,cv=0.3)");
  EXPECT_EQ(lag.mean(), 40s);
  EXPECT_EQ(lag.coefficient_of_variation(), 0.3);
}

// sigma^2 = ln(1 + 0.09) = 0.0861777, sigma = 0.293560; mu = ln 40 - 0.0430888 = 3.645791, so the median is
// exp(mu) = 38.3131 s.
TEST(DurationDistribution, EachValueIsTheExponentialOfANormalOne) {
  RandomStream samples(7, "lag"), normals(7, "lag");
  const DurationDistribution lag = parsed("lognormal(mean=40s,cv=0.3)");
  for (int i = 0; i < 10; ++i)
    EXPECT_NEAR(to_seconds(lag.sample(samples)), 38.3131 * std::exp(0.293560 * normals.normal()), 1e-3);
}

TEST(DurationDistribution, ManyValuesHaveTheMeanAndTheSpreadThatWereAskedFor) {
  constexpr int kSamples = 200'000;
  RandomStream stream(3, "lag");
  const DurationDistribution lag = parsed("lognormal(mean=40s,cv=0.3)");
  double sum = 0.0, squares = 0.0;
  for (int i = 0; i < kSamples; ++i) {
    const double value = to_seconds(lag.sample(stream));
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kSamples;
  EXPECT_NEAR(mean, 40.0, 0.15);  // five standard errors of 12 / sqrt(200000) = 0.027
  EXPECT_NEAR(std::sqrt(squares / kSamples - mean * mean) / mean, 0.3, 0.005);
}

TEST(DurationDistribution, FasterTimeDividesEveryValue) {
  RandomStream slow(5, "lag"), fast(5, "lag");
  const DurationDistribution lag = parsed("lognormal(mean=40s,cv=0.3)");
  EXPECT_EQ(lag.sped_up(8), parsed("lognormal(mean=5s,cv=0.3)"));
  for (int i = 0; i < 5; ++i)
    EXPECT_NEAR(to_seconds(lag.sped_up(8).sample(fast)) * 8, to_seconds(lag.sample(slow)), 1e-7);
  EXPECT_EQ(parsed("30s").sped_up(0.5), parsed("1m"));
}

// 0.1 x 20 + 0.4 x 25 + 0.4 x 40 + 0.1 x 50 = 33 s. Squares: 0.1 x 400 + 0.4 x (400 + 600 + 900) / 3
// + 0.4 x (900 + 1500 + 2500) / 3 + 0.1 x 2500 = 1196.67; less 33^2 = 107.67, root 10.376 s, / 33 = 0.31443.
TEST(DurationDistribution, QuantilesHaveStraightLinesBetweenThemAndNothingOutside) {
  const DurationDistribution lag = parsed("quantiles(0.1=20s;0.5=30s;0.9=50s)");
  EXPECT_EQ(lag.mean(), 33s);
  EXPECT_NEAR(lag.coefficient_of_variation(), 0.31443, 1e-5);
  RandomStream samples(7, "lag"), levels(7, "lag");
  int below = 0, above = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double level = levels.uniform();
    const double expected_s = level < 0.1   ? 20.0
                              : level < 0.5 ? 20.0 + (level - 0.1) / 0.4 * 10.0
                              : level < 0.9 ? 30.0 + (level - 0.5) / 0.4 * 20.0
                                            : 50.0;
    ASSERT_NEAR(to_seconds(lag.sample(samples)), expected_s, 1e-8);
    below += level < 0.1 ? 1 : 0;
    above += level >= 0.9 ? 1 : 0;
  }
  EXPECT_GT(below, 900);
  EXPECT_GT(above, 900);
  EXPECT_EQ(parsed("quantiles(0=10s;1=20s)").mean(), 15s);
}

// Mean 30, deviations 10, 0, 10: root of 200 / 3 = 8.16497, / 30.
TEST(DurationDistribution, SamplesAreEquallyLikely) {
  const DurationDistribution lag = parsed("samples(40s;30s;20s)");
  EXPECT_EQ(lag.mean(), 30s);
  EXPECT_NEAR(lag.coefficient_of_variation(), 0.2721655, 1e-6);
  RandomStream stream(7, "lag");
  int counts[3] = {};
  for (int i = 0; i < 30'000; ++i) {
    const Duration value = lag.sample(stream);
    ASSERT_TRUE(value == 20s || value == 30s || value == 40s);
    ++counts[value / Duration(10s) - 2];
  }
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 5 * 82);  // root of 30000 x 1/3 x 2/3
}

TEST(DurationDistribution, ValuesThatAreAllTheSameAreAConstant) {
  EXPECT_EQ(parsed("samples(20s)"), parsed("20s"));
  EXPECT_EQ(parsed("samples(20s;20s)"), parsed("20s"));
  EXPECT_EQ(parsed("quantiles(0.5=20s)"), parsed("20s"));
  EXPECT_EQ(parsed("samples(0s;0s)"), parsed("0s"));
}

TEST(DurationDistribution, FasterTimeDividesQuantilesAndSamplesToo) {
  EXPECT_EQ(parsed("quantiles(0.1=20s;0.9=50s)").sped_up(10), parsed("quantiles(0.1=2s;0.9=5s)"));
  EXPECT_EQ(parsed("samples(20s;50s)").sped_up(10), parsed("samples(2s;5s)"));
}

TEST(DurationDistribution, ItsTextIsReadBack) {
  for (const char* text : {"40s", "0s", "1.5s", "lognormal(mean=40s,cv=0.3)", "lognormal(mean=1m30s,cv=10)",
                           "quantiles(0.1=20s;0.5=30s;0.9=50s)", "samples(20s;31s;20s)"}) {
    EXPECT_EQ(parsed(text).text(), text);
  }
  EXPECT_EQ(parsed(" lognormal( mean = 40s , cv = 0.3 ) ").text(), "lognormal(mean=40s,cv=0.3)");
  EXPECT_EQ(parsed("lognormal(mean=40s,cv=0)"), parsed("40s")) << "no spread is a constant";
  EXPECT_EQ(parsed(parsed("lognormal(mean=1ns,cv=1)").sped_up(100).text()).mean(), 1ns);
}

TEST(DurationDistribution, TheTailStaysWithinWhatNanosecondsHold) {
  RandomStream stream(3, "lag");
  const DurationDistribution wide = parsed("lognormal(mean=2000000h,cv=10)");
  for (int i = 0; i < 20'000; ++i) EXPECT_GE(wide.sample(stream), 0s);
}

TEST(DurationDistribution, AnythingElseIsRefusedWithAllForms) {
  for (const char* text : {"",
                           "40",
                           "-1s",
                           "lognormal",
                           "lognormal()",
                           "lognormal(mean=40s)",
                           "lognormal(cv=0.3,mean=40s)",
                           "lognormal(mean=40s,cv=0.3",
                           "lognormal(mean=0s,cv=0.3)",
                           "lognormal(mean=40s,cv=-1)",
                           "lognormal(mean=40s,cv=11)",
                           "lognormal(mean=40s,cv=nan)",
                           "lognormal(mean=40s,cv=0.3,x=1)",
                           "normal(mean=40s,cv=1)",
                           "quantiles()",
                           "quantiles(20s)",
                           "quantiles(0.5=20s;0.5=30s)",
                           "quantiles(0.5=20s;0.4=30s)",
                           "quantiles(0.1=20s;0.9=10s)",
                           "quantiles(1.1=20s)",
                           "quantiles(-0.1=20s)",
                           "quantiles(nan=20s)",
                           "quantiles(0.5=20)",
                           "quantiles(0.5=20s",
                           "quantiles(0.5=20s;)",
                           "samples()",
                           "samples(20s;)",
                           "samples(20s,30s)",
                           "samples(-1s)",
                           "samples",
                           "samples)"}) {
    const auto refused = DurationDistribution::parse(text);
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_EQ(refused.error().message.rfind("\"" + std::string(text) + "\" must be a duration like 40s", 0), 0);
    for (const char* form :
         {"lognormal(mean=40s,cv=0.3)", "quantiles(0.1=20s;0.5=30s;0.9=50s)", "samples(20s;31s;25s)"})
      EXPECT_NE(refused.error().message.find(form), std::string::npos);
  }
}

}  // namespace
}  // namespace mpca
