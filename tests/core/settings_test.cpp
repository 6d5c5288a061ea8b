#include "core/settings.h"

#include <gtest/gtest.h>

namespace mpca {
namespace {

struct Options {
  bool normalized = true;
  int horizon = 8;
  double alpha = 15.0;
  Duration hold = std::chrono::seconds(120);
  std::string forecast = "es";
  std::vector<double> weights = {0.1, 0.5};
  std::vector<std::string> traces;
};

SettingsTable settings_of(Options& options) {
  return {
      {"normalized", &options.normalized, "scale the objective"},
      {"horizon", &options.horizon, "stages", Range::at_least(1), "how far the plan looks"},
      {"alpha", &options.alpha, "", Range::at_least(0), "weight of the backlog"},
      {"hold", &options.hold, "", Range::at_least(0), "how long to keep a peak"},
      {"forecast", &options.forecast, "method", {"es", "hold"}},
      {"weights", &options.weights, "", Range::above(0), "a list"},
      {"trace", &options.traces, "files"},
  };
}

TEST(Settings, ATextSetsTheFieldsItNames) {
  Options options;
  const auto table = settings_of(options);
  ASSERT_TRUE(
      set_from_text(table, "horizon=10, hold=1m30s,forecast=hold,normalized=false,weights=1;2;3", "--policy x"));
  EXPECT_EQ(options.horizon, 10);
  EXPECT_EQ(options.hold, std::chrono::seconds(90));
  EXPECT_EQ(options.forecast, "hold");
  EXPECT_FALSE(options.normalized);
  EXPECT_EQ(options.weights, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(changed_settings_text(table), "normalized=false,horizon=10,hold=1m30s,forecast=hold,weights=1,2,3");
}

TEST(Settings, EveryProblemIsNamedWithWhatIsAccepted) {
  Options options;
  const auto result = set_from_text(
      settings_of(options), "horizont=3,alpha=-1,alpha=nan,forecast=hodl,horizon=2.5,hold=5,weights=1;0,normalized",
      "--policy x");
  ASSERT_FALSE(result);
  EXPECT_EQ(
      result.error().message,
      "--policy x: unknown key \"horizont\" (did you mean \"horizon\"?); known: normalized, horizon, alpha, hold, "
      "forecast, weights, trace\n"
      "--policy x: alpha is \"-1\"; must be >= 0\n"
      "--policy x: alpha is given twice\n"
      "--policy x: forecast is \"hodl\"; must be one of es, hold (did you mean \"hold\"?)\n"
      "--policy x: horizon is \"2.5\"; must be a whole number >= 1\n"
      "--policy x: hold is \"5\"; must be a duration such as 45s or 1m30s, >= 0s\n"
      "--policy x: weights is \"1;0\"; must be > 0\n"
      "--policy x: normalized has no value; write normalized=VALUE");
  EXPECT_EQ(options.weights, (std::vector<double>{0.1, 0.5})) << "a refused list leaves the old one";
}

TEST(Settings, RangesAreWrittenAsPeopleWriteThem) {
  EXPECT_EQ(Range::between(1, 100'000).describe(), "must be >= 1 and <= 100000");
  EXPECT_EQ((Range{.low = 0, .high = 0.5, .low_open = true}).describe(), "must be > 0 and <= 0.5");
  EXPECT_EQ(Range{}.describe(), "must be a finite number");
}

TEST(Settings, TheDefaultIsWhatThePlaceHeldWhenTheTableWasMade) {
  Options options;
  const auto all = infos(settings_of(options));
  EXPECT_EQ(all[0].default_text, "true");
  EXPECT_EQ(all[3].default_text, "2m");
  EXPECT_EQ(all[5].default_text, "0.1,0.5");
}

TEST(Settings, WhatIsKnownOfEachIsThereAsData) {
  bool flag = false;
  int integer = 3;
  double number = 0.5;
  Duration duration = std::chrono::seconds(5);
  std::string text, choice = "es";
  std::vector<std::string> texts;
  std::vector<double> numbers;
  std::vector<int> integers;
  const SettingsTable table = {
      {"flag", &flag, "s"},
      {"integer", &integer, "pods", Range::between(1, 10), "s"},
      {"number", &number, "fraction", {.low = 0, .high = 1, .low_open = true}, "s"},
      // The unit is for people: a duration is one without it, and a number named so is none.
      {"duration", &duration, "", Range::at_least(1.5), "s"},
      {"seconds", &number, "duration", Range{}, "s"},
      {"text", &text, "s"},
      {"choice", &choice, "s", {"es", "hold"}},
      {"texts", &texts, "s"},
      {"numbers", &numbers, "", Range::above(2), "s"},
      {"integers", &integers, "", Range::at_least(7), "s"},
  };
  std::vector<SettingKind> kinds;
  std::string lists;
  for (const SettingInfo& info : infos(table)) {
    kinds.push_back(info.kind);
    if (info.is_list) lists += info.name + " ";
  }
  EXPECT_EQ(kinds, (std::vector{SettingKind::flag, SettingKind::integer, SettingKind::number, SettingKind::duration,
                                SettingKind::number, SettingKind::text, SettingKind::text, SettingKind::text,
                                SettingKind::number, SettingKind::integer}));
  EXPECT_EQ(lists, "texts numbers integers ");
  const auto range = [&](std::size_t row) { return table[row].info().range; };
  EXPECT_EQ(range(1).low, 1.0);
  EXPECT_EQ(range(1).high, 10.0);
  EXPECT_TRUE(range(2).low_open && !range(2).high_open);
  EXPECT_EQ(range(3).low, 1.5) << "in seconds";
  EXPECT_TRUE(range(3).has_low() && !range(3).has_high());
  EXPECT_FALSE(range(4).has_low() || range(4).has_high());
  EXPECT_EQ(range(8).low, 2.0);
  EXPECT_EQ(range(9).low, 7.0);
  EXPECT_EQ(table[6].info().choices, (std::vector<std::string>{"es", "hold"}));
  EXPECT_TRUE(table[5].info().takes_any_text());
  EXPECT_FALSE(table[6].info().takes_any_text());
  EXPECT_FALSE(table[0].info().takes_any_text());
}

}  // namespace
}  // namespace mpca
