#include "core/time.h"

#include <gtest/gtest.h>

namespace mpca {
namespace {

using namespace std::chrono_literals;

TEST(Time, DurationsReadGosGrammar) {
  EXPECT_EQ(parse_duration("45s").value(), 45s);
  EXPECT_EQ(parse_duration("1m30s").value(), 90s);
  EXPECT_EQ(parse_duration("1.5h").value(), 90min);
  EXPECT_EQ(parse_duration("150ms").value(), 150ms);
  EXPECT_EQ(parse_duration("2us").value(), 2us);
  EXPECT_EQ(parse_duration("0").value(), 0s);
}

TEST(Time, WhatIsNotADurationSaysHowOneLooks) {
  for (const char* text : {"", "15", "s", "-3s", "3 s", "1x", "1.2.3s", "1e3s", "999999999h"}) {
    const auto result = parse_duration(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_NE(result.error().message.find("45s"), std::string::npos);
  }
}

TEST(Time, FormattingReadsBackExactly) {
  for (const Duration duration : {Duration(0s), Duration(45s), Duration(90s), Duration(1h), Duration(1500ms),
                                  Duration(150ms), Duration(1h + 1ns), Duration(7us), Duration(3661s)}) {
    EXPECT_EQ(parse_duration(format_duration(duration)).value(), duration) << format_duration(duration);
  }
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
}

TEST(Time, SecondsGoToTheNearestNanosecond) {
  EXPECT_EQ(from_seconds(0.1), 100ms);
  EXPECT_DOUBLE_EQ(to_seconds(15s), 15.0);
}

}  // namespace
}  // namespace mpca
