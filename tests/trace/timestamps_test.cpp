#include "trace/timestamps.h"

#include <gtest/gtest.h>

namespace mpca::trace {
namespace {

TimePoint at(std::int64_t seconds, std::int64_t nanoseconds = 0) {
  return TimePoint(std::chrono::seconds(seconds) + Duration(nanoseconds));
}

TEST(ParseEpoch, TheUnitIsSeenFromTheSizeAndCanBeGiven) {
  EXPECT_EQ(parse_epoch("1700000000"), at(1700000000));
  EXPECT_EQ(parse_epoch("1700000000123"), at(1700000000, 123'000'000));
  EXPECT_EQ(parse_epoch("1700000000123456"), at(1700000000, 123'456'000));
  EXPECT_EQ(parse_epoch("1700000000123456789"), at(1700000000, 123'456'789));
  EXPECT_EQ(parse_epoch("5", EpochUnit::milliseconds), at(0, 5'000'000));
  EXPECT_EQ(parse_epoch("1700000000.5"), at(1700000000, 500'000'000));
}

TEST(ParseEpoch, WhatIsNoTimeIsNothing) {
  for (const std::string_view text : {"", "x", "-1", "nan", "inf", "1e30", "12:00", "1700000000123456789012"}) {
    EXPECT_FALSE(parse_epoch(text)) << text;
  }
  EXPECT_FALSE(parse_epoch("9300000000", EpochUnit::seconds));  // the year 2264
}

TEST(ParseRfc3339, ZonesFractionsAndASpaceForTheT) {
  // 2024-05-01 is day 19844 of the epoch: 54 years of 365 days and 13 leap days (1972 to 2020) make 19723 at the turn
  // of the year, and 31 + 29 + 31 + 30 = 121 more.
  const std::int64_t noon = 19844LL * 86400 + 12 * 3600;
  EXPECT_EQ(parse_rfc3339("2024-05-01T12:00:00Z"), at(noon));
  EXPECT_EQ(parse_rfc3339("2024-05-01 12:00:00"), at(noon));
  EXPECT_EQ(parse_rfc3339("2024-05-01T14:30:00.25+02:30"), at(noon, 250'000'000));
  EXPECT_EQ(parse_rfc3339("2024-05-01T07:00:00-05:00"), at(noon));
  EXPECT_EQ(parse_rfc3339("2024-05-01T12:00:00.1234567899z"), at(noon, 123'456'789));
  EXPECT_EQ(parse_rfc3339(" 2024-05-01t11:59:60Z\n"), at(noon)) << "a leap second";
}

TEST(ParseRfc3339, ImpossibleDatesAreNothing) {
  for (const std::string_view text :
       {"2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01", "2024-01-01T00:00:00+1",
        "2024-01-01T00:00:00.Z", "1960-01-01T00:00:00Z", "2024-01-01T00:00:00Zx", "2024-01-01T00:00Z",
        "2024-01-01T00:00:61Z", "2261-01-01T00:00:00Z", ""}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(ParseLogTime, TheExampleOfApachesManual) {
  // 13:55:36 at seven hours west of Greenwich is 20:55:36 UTC; 2000-10-10 is day 11240.
  EXPECT_EQ(parse_log_time("10/Oct/2000:13:55:36 -0700"), at(11240LL * 86400 + 20 * 3600 + 55 * 60 + 36));
  for (const std::string_view text :
       {"10/Okt/2000:13:55:36 -0700", "10/ctN/2000:13:55:36 -0700", "31/Jun/2000:13:55:36 -0700",
        "10/Oct/2000:13:55:36", "10/Oct/2000:13:55:36 -0700 ", ""}) {
    EXPECT_FALSE(parse_log_time(text)) << text;
  }
}

TEST(FormatRfc3339, ReadsBack) {
  for (const std::string text : {"2024-05-01T12:00:00Z", "1998-06-10T23:59:59.5Z", "1970-01-01T00:00:00.000000001Z"}) {
    EXPECT_EQ(format_rfc3339(parse_rfc3339(text).value()), text);
  }
}

}  // namespace
}  // namespace mpca::trace
