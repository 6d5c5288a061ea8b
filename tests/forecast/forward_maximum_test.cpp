#include "forecast/forward_maximum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/text.h"

namespace mpca::forecast {
namespace {

using namespace std::chrono_literals;

constexpr double kSample = 15.0;

TimePoint time_of(int sample) { return at_seconds(1.7e9 + kSample * sample); }

std::string saved(const ForwardMaximum& forward) {
  StateWriter writer("test", 1);
  forward.save(writer);
  return writer.take();
}

Result<void> load(ForwardMaximum& forward, const std::string& text) {
  return forward.load(StateReader::open(text, "test", 1).value());
}

/// Line 1 is the memory, 2 the counts of the residuals.
std::string line_of(const std::string& text, std::size_t index) { return std::string(split(text, '\n')[index]); }

void expect_ascending_and_finite(const ForwardMaximum& forward) {
  const ForwardQuantiles& quantiles = forward.quantiles();
  ASSERT_TRUE(std::all_of(quantiles.begin(), quantiles.end(), [](double q) { return q >= 0.0 && q < 1.1e13; }));
  ASSERT_TRUE(std::is_sorted(quantiles.begin(), quantiles.end()));
  ASSERT_TRUE(std::isfinite(forward.volatility()));
}

/// Feeds demand and compares each forecast with what came: the share of maxima above each quantile, and the median's
/// mean error in logarithms beside that of persistence.
struct Score {
  std::array<double, kForwardLevels.size()> above{};
  double median_error = 0.0, persistence_error = 0.0;
};
Score score_of(const std::vector<double>& demand, int horizon_samples, std::size_t warm_up) {
  ForwardMaximum forward;
  std::vector<ForwardQuantiles> quantiles;
  for (std::size_t i = 0; i < demand.size(); ++i) {
    forward.observe(time_of(static_cast<int>(i)), demand[i], false, from_seconds(kSample * horizon_samples + 5.0));
    quantiles.push_back(forward.quantiles());
  }
  Score score;
  const std::size_t last = demand.size() - static_cast<std::size_t>(horizon_samples);
  const double each = 1.0 / static_cast<double>(last - warm_up);
  for (std::size_t i = warm_up; i < last; ++i) {
    const auto first = demand.begin() + static_cast<std::ptrdiff_t>(i) + 1;
    const double greatest = *std::max_element(first, first + horizon_samples);
    for (std::size_t l = 0; l < kForwardLevels.size(); ++l) score.above[l] += greatest > quantiles[i][l] ? each : 0.0;
    score.median_error += each * std::abs(std::log1p(greatest) - std::log1p(quantiles[i][0]));
    score.persistence_error += each * std::abs(std::log1p(greatest) - std::log1p(demand[i]));
  }
  return score;
}

std::vector<double> demand_of(int samples, const std::function<double(int)>& log_demand) {
  std::vector<double> demand;
  for (int i = 0; i < samples; ++i) demand.push_back(std::exp(log_demand(i)));
  return demand;
}

/// A job of 10 minutes every 2 hours.
double job(int sample) { return sample % 480 < 40 ? 2.9 : 2.3; }

TEST(ForwardMaximum, AnswersZeroBeforeTheFirstSampleAndFitsIntoItsMemory) {
  const ForwardMaximum forward;
  EXPECT_EQ(forward.quantiles(), ForwardQuantiles{});
  EXPECT_EQ(forward.cycle_length(), Duration::zero());
  EXPECT_LE(ForwardMaximum::state_bytes(), 8U * 1024U);
}

TEST(ForwardMaximum, WildDemandGivesAscendingFiniteQuantiles) {
  const std::vector<std::function<double(int, RandomStream&)>> kinds = {
      [](int, RandomStream&) { return 0.0; },
      [](int, RandomStream&) { return 7.0; },
      [](int, RandomStream&) { return 1e12; },
      [](int, RandomStream&) { return std::numeric_limits<double>::max(); },
      [](int i, RandomStream&) { return i % 20 < 10 ? 0.0 : 1e12; },
      [](int i, RandomStream&) { return i % 2 == 0 ? 0.0 : 1.0; },
      [](int, RandomStream& stream) { return std::exp(60.0 * stream.uniform() - 30.0); }};
  for (const auto& kind : kinds) {
    RandomStream stream(1, "wild");
    ForwardMaximum forward;
    for (int i = 0; i < 3000; ++i) {
      forward.observe(time_of(i), kind(i, stream), i % 50 == 7, i % 3 == 0 ? 5min : 50s);
      expect_ascending_and_finite(forward);
    }
    ForwardMaximum loaded;
    EXPECT_TRUE(load(loaded, saved(forward)).has_value());
  }
}

TEST(ForwardMaximum, AConstantLoadIsExpectedToStay) {
  ForwardMaximum forward;
  for (int i = 0; i < 5000; ++i) forward.observe(time_of(i), 10.0, false, 50s);
  EXPECT_NEAR(forward.quantiles()[0], 10.0, 0.3);
  EXPECT_NEAR(forward.quantiles()[4], 10.0, 0.3);
}

TEST(ForwardMaximum, ASampleThatDoesNotRiseInTimeOrIsNotFiniteChangesNothing) {
  ForwardMaximum forward;
  for (int i = 0; i < 200; ++i) forward.observe(time_of(i), 5.0 + i % 7, false, 50s);
  const std::string before = saved(forward);
  forward.observe(time_of(199), 1e6, false, 50s);
  forward.observe(time_of(10), 1e6, false, 50s);
  forward.observe(time_of(200), std::nan(""), false, 50s);
  forward.observe(time_of(200), std::numeric_limits<double>::infinity(), false, 50s);
  EXPECT_EQ(saved(forward), before);
}

// A forecast that a gap has cut teaches nothing, and neither does what came after it.
TEST(ForwardMaximum, AGapTeachesNothing) {
  ForwardMaximum forward;
  for (int i = 0; i < 200; ++i) forward.observe(time_of(i), 5.0 + i % 7, false, 50s);
  const std::string before = line_of(saved(forward), 2);
  forward.observe(time_of(300), 500.0, false, 50s);
  EXPECT_EQ(line_of(saved(forward), 2), before);
  for (int i = 301; i < 400; ++i) {
    forward.observe(time_of(i), 5.0 + i % 7, false, 50s);
    expect_ascending_and_finite(forward);
  }
  EXPECT_NE(line_of(saved(forward), 2), before);
}

// The forecasts that are open when it begins end within it, and those that are made in it rest on it.
TEST(ForwardMaximum, ACensoredSampleActsAndTeachesNothing) {
  ForwardMaximum forward;
  for (int i = 0; i < 500; ++i) forward.observe(time_of(i), 5.0 + i % 7, false, 50s);
  const std::string before = line_of(saved(forward), 2);
  for (int i = 500; i < 600; ++i) forward.observe(time_of(i), 50.0 + 5.0 * (i % 9), true, 50s);
  EXPECT_EQ(line_of(saved(forward), 2), before);
  EXPECT_GE(forward.quantiles().back(), 50.0);
}

// Of 1 - level, within a quarter of it and 0.01 more; forecasts overlap, so one miss comes with its neighbours.
TEST(ForwardMaximum, TheShareOfMaximaAboveAQuantileIsWhatItsLevelSays) {
  for (const int horizon_samples : {3, 20}) {
    for (int kind = 0; kind < 4; ++kind) {
      RandomStream stream(2, "calibration", static_cast<std::uint32_t>(kind));
      double state = 0.0, walk = 2.3;
      const std::vector<double> demand = demand_of(20'000, [&](int i) {
        const double noise = stream.normal(), chance = stream.uniform(), size = stream.uniform();
        switch (kind) {
          case 0:
            return 2.3 + (state = 0.98 * state + 0.03 * noise);
          case 1:
            walk += 0.02 * noise;
            return walk = std::clamp(walk, 0.5, 7.0);
          case 2:
            return job(i) + 0.03 * noise;
          default:
            state = chance < 0.005 ? 0.5 + size : 0.9 * state;
            return 2.3 + state + 0.03 * noise;
        }
      });
      const Score score = score_of(demand, horizon_samples, 4000);
      for (std::size_t l = 0; l < 5; ++l) {
        const double expected = 1.0 - kForwardLevels[l];
        EXPECT_NEAR(score.above[l], expected, 0.25 * expected + 0.01)
            << "kind " << kind << ", horizon " << horizon_samples << ", level " << kForwardLevels[l];
      }
    }
  }
}

TEST(ForwardMaximum, AJobEveryTwoHoursIsFoundAndFarBetterPredictedThanByPersistence) {
  RandomStream stream(3, "job");
  ForwardMaximum forward;
  const std::vector<double> demand = demand_of(8000, [&](int i) { return job(i) + 0.02 * stream.normal(); });
  for (std::size_t i = 0; i < demand.size(); ++i) forward.observe(time_of(static_cast<int>(i)), demand[i], false, 305s);
  EXPECT_EQ(forward.cycle_length(), 2h);
  const Score score = score_of(demand_of(8000, [](int i) { return 2.3 + 0.5 * std::sin(i * 0.0130900); }), 20, 4000);
  EXPECT_LT(score.median_error, 0.35 * score.persistence_error);
}

TEST(ForwardMaximum, SavesAndGoesOnBitForBit) {
  RandomStream stream(4, "save");
  ForwardMaximum forward, loaded;
  const std::vector<double> demand = demand_of(3000, [&](int i) { return job(i) + 0.1 * stream.normal(); });
  for (int i = 0; i < 3000; ++i) {
    if (i == 1777) {
      ASSERT_TRUE(load(loaded, saved(forward)).has_value());
      ASSERT_EQ(saved(loaded), saved(forward));
    }
    for (ForwardMaximum* one : {&forward, &loaded})
      if (i >= 1777 || one == &forward)
        one->observe(time_of(i), demand[static_cast<std::size_t>(i)], i % 90 == 1, 5min);
    if (i >= 1777) {
      ASSERT_EQ(loaded.quantiles(), forward.quantiles()) << i;
    }
  }
  EXPECT_EQ(saved(loaded), saved(forward));
}

// One number after the other is replaced by what no memory has; whatever is accepted nevertheless has to go on with
// finite answers, and whatever is refused has changed nothing.
TEST(ForwardMaximum, ADamagedMemoryIsRefusedOrHarmless) {
  RandomStream stream(5, "damage");
  ForwardMaximum forward;
  for (int i = 0; i < 600; ++i) forward.observe(time_of(i), std::exp(job(i) + 0.1 * stream.normal()), false, 50s);
  const std::string good = saved(forward);
  for (std::size_t line = 1; line <= 2; ++line) {
    const std::string whole = line_of(good, line);
    const auto parts = split(whole, ' ');
    for (int round = 0; round < 300; ++round) {
      const std::size_t at = 1 + stream.below(parts.size() - 1);
      const char* const wrong[] = {"nan", "inf", "1e300", "-1e300", "-7", "65536", "2147483647", ""};
      const std::string bad = wrong[stream.below(8)];
      std::string text = line_of(good, 0) + "\n";
      for (std::size_t other = 1; other <= 2; ++other) {
        if (other != line) {
          text += line_of(good, other) + "\n";
          continue;
        }
        text += parts[0];
        for (std::size_t i = 1; i < parts.size(); ++i)
          if (i != at || !bad.empty()) text += cat(" ", i == at ? std::string_view(bad) : parts[i]);
        text += "\n";
      }
      ForwardMaximum loaded;
      const std::string before = saved(loaded);
      if (!load(loaded, text)) {
        ASSERT_EQ(saved(loaded), before);
        continue;
      }
      ASSERT_TRUE(line == 1 && (bad == "-7" || bad == "65536" || bad == "2147483647"))
          << line << " " << at << " " << bad;
      for (int i = 600; i < 700; ++i) {
        loaded.observe(time_of(i), std::exp(job(i)), false, 50s);
        expect_ascending_and_finite(loaded);
      }
    }
  }
}

TEST(ForwardMaximum, AMissingLineIsRefused) {
  ForwardMaximum forward;
  forward.observe(time_of(0), 3.0, false, 50s);
  const std::string text = saved(forward);
  EXPECT_FALSE(load(forward, line_of(text, 0) + "\n" + line_of(text, 1) + "\n").has_value());
  EXPECT_FALSE(load(forward, line_of(text, 0) + "\n" + line_of(text, 2) + "\n").has_value());
  EXPECT_EQ(saved(forward), text);
}

// A service that lives by local time: up at 9, down at 17, with a sample every two minutes, and its offset from UTC
// before the last day and on it.
struct Clocks {
  Duration before, after;
};
constexpr int kDaysBefore = 20;
constexpr int kMinutesPerDay = 24 * 60;

double office_hours(double local_s) {
  const double hour = std::fmod(local_s, 86400.0) / 3600.0;
  return hour >= 9.0 && hour < 17.0 ? 20.0 : 5.0;
}

/// The greatest quantile at 97 % that is answered at 8:50 local time, for half an hour, on the day after the change.
double before_nine(
    const Clocks& clocks, bool knows_local_time, SpecialDays special = {},
    const std::function<double(int, double)>& demand = [](int, double s) { return office_hours(s); }) {
  ForwardMaximum forward(std::move(special));
  double answer = 0.0;
  for (int day = 0; day <= kDaysBefore; ++day) {
    const Duration offset = day < kDaysBefore ? clocks.before : clocks.after;
    for (int minute = 0; minute < kMinutesPerDay; minute += 2) {
      const double local_s = 86400.0 * day + 60.0 * minute;
      const TimePoint now = at_seconds(local_s) - offset;
      RandomStream noise(3, "noise", static_cast<std::uint32_t>(day * kMinutesPerDay + minute));
      forward.observe(now, demand(day, local_s) * (0.97 + 0.06 * noise.uniform()), false, 30min,
                      knows_local_time ? offset : Duration{});
      if (day == kDaysBefore && minute == 8 * 60 + 50) answer = forward.quantiles()[4];
    }
  }
  return answer;
}

TEST(ForwardMaximum, AWorkloadThatLivesByLocalTimeIsAnticipatedAcrossSummerTime) {
  const Clocks spring{1h, 2h}, autumn{2h, 1h};
  for (const Clocks& clocks : {spring, autumn}) {
    EXPECT_GT(before_nine(clocks, true), 18.0) << "20 come";
    // In UTC nine o'clock has moved, and nobody knows.
    EXPECT_LT(before_nine(clocks, false), 8.0);
  }
}

LocalDate day_of(int day) { return LocalDate(std::chrono::days(day)); }

/// Two days of the last three weeks, and the last day, are holidays: nobody comes at nine.
double with_holidays(int day, double local_s) {
  return day == 7 || day == 14 || day == kDaysBefore ? 5.0 : office_hours(local_s);
}

TEST(ForwardMaximum, DaysThatAreAlikeHaveAProfileOfTheirOwn) {
  const SpecialDays holidays{.days = {{.date = day_of(7), .weekday = {}},
                                      {.date = day_of(14), .weekday = {}},
                                      {.date = day_of(kDaysBefore), .weekday = {}}},
                             .classes = {17}};
  EXPECT_LT(before_nine({1h, 1h}, true, holidays, with_holidays), 8.0) << "5 come";
  EXPECT_GT(before_nine({1h, 1h}, true, {}, with_holidays), 12.0) << "or so it seems to who knows of no holidays";
  // Nobody has seen one before: nothing is expected of it, and not the rise of other days.
  const SpecialDays first{.days = {{.date = day_of(kDaysBefore), .weekday = {}}}, .classes = {17}};
  EXPECT_LT(before_nine({1h, 1h}, true, first), 8.0);
}

/// The epoch's first day was a Thursday: days 3, 10 and 17 were Sundays.
double with_quiet_sundays(int day, double local_s) { return day % 7 == 3 ? 5.0 : office_hours(local_s); }

TEST(ForwardMaximum, ADayMayBeLikeAnotherWeekday) {
  const SpecialDays like_sunday{.days = {{.date = day_of(kDaysBefore), .weekday = std::chrono::Sunday}}, .classes = {}};
  EXPECT_LT(before_nine({0h, 0h}, true, like_sunday, with_quiet_sundays),
            0.8 * before_nine({0h, 0h}, true, {}, with_quiet_sundays));
}

TEST(ForwardMaximum, WhatIsLearnedOnSpecialDaysIsSavedUnderTheirIdentity) {
  const auto days = [](std::vector<std::uint32_t> classes) {
    SpecialDays special{.days = {{.date = day_of(1), .day_class = 0, .weekday = {}}}, .classes = std::move(classes)};
    return special;
  };
  ForwardMaximum forward(days({17, 4'000'000'000U}));
  for (int minute = 0; minute < 3 * kMinutesPerDay; ++minute)
    forward.observe(at_seconds(60.0 * minute), 5.0 + minute % 3, false, 5min);
  const std::string text = saved(forward);
  ForwardMaximum same(days({17, 4'000'000'000U})), other(days({18})), none;
  ASSERT_TRUE(load(same, text));
  EXPECT_EQ(saved(same), text);
  same.observe(at_seconds(3 * 86400.0), 7.0, false, 5min);
  forward.observe(at_seconds(3 * 86400.0), 7.0, false, 5min);
  EXPECT_EQ(saved(same), saved(forward));
  // What nobody asks for any more is forgotten, what is new begins with nothing, and the rest stays.
  ASSERT_TRUE(load(none, text));
  EXPECT_EQ(line_of(saved(none), 1), line_of(text, 1));
  EXPECT_EQ(saved(none).find("forward_maximum_days"), std::string::npos);
  ASSERT_TRUE(load(other, text));
  EXPECT_EQ(line_of(saved(other), 1), line_of(text, 1));
  EXPECT_NE(line_of(saved(other), 3), line_of(text, 3));
  ASSERT_TRUE(load(same, saved(none)));
  // Damaged: refused, and nothing is changed.
  const std::string before = saved(other);
  EXPECT_FALSE(load(other, text.substr(0, text.find("forward_maximum_days")) + "forward_maximum_days 1 2 3\n"));
  EXPECT_FALSE(load(other, text.substr(0, text.find("forward_maximum_days")) + "forward_maximum_days x\n"));
  EXPECT_EQ(saved(other), before);
}

}  // namespace
}  // namespace mpca::forecast
