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

TEST(DurationDistribution, ItsTextIsReadBack) {
  for (const char* text : {"40s", "0s", "1.5s", "lognormal(mean=40s,cv=0.3)", "lognormal(mean=1m30s,cv=10)"}) {
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

TEST(DurationDistribution, AnythingElseIsRefusedWithBothForms) {
  for (const char* text : {"", "40", "-1s", "lognormal", "lognormal()", "lognormal(mean=40s)",
                           "lognormal(cv=0.3,mean=40s)", "lognormal(mean=40s,cv=0.3", "lognormal(mean=0s,cv=0.3)",
                           "lognormal(mean=40s,cv=-1)", "lognormal(mean=40s,cv=11)", "lognormal(mean=40s,cv=nan)",
                           "lognormal(mean=40s,cv=0.3,x=1)", "normal(mean=40s,cv=1)"}) {
    const auto refused = DurationDistribution::parse(text);
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_EQ(refused.error().message.rfind("\"" + std::string(text) + "\" must be a duration like 40s", 0), 0);
    EXPECT_NE(refused.error().message.find("lognormal(mean=40s,cv=0.3)"), std::string::npos);
  }
}

}  // namespace
}  // namespace mpca
