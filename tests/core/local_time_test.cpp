#include "core/local_time.h"

#include <gtest/gtest.h>

namespace mpca {
namespace {

using namespace std::chrono_literals;

TEST(LocalTime, IsADateAndATimeAndNothingElse) {
  // 20,784 days from 1970-01-01 to 2026-11-27: 56 years of 365 days, 14 leap days, 330 days of 2026.
  const LocalTime day(std::chrono::days(56 * 365 + 14 + 330));
  EXPECT_EQ(parse_local_time("2026-11-27T08:00"), day + 8h);
  EXPECT_EQ(parse_local_time("2026-11-27 08:30:15"), day + 8h + 30min + 15s);
  EXPECT_EQ(parse_local_time("2026-11-27T23:59:59.25"), day + 23h + 59min + 59s + 250ms);
  for (const char* text :
       {"", "2026-11-27", "2026-11-27T08", "2026-11-27T8:00", "2026-11-27T24:00", "2026-11-27T08:60",
        "2026-02-29T08:00", "2026-13-01T08:00", "2026-11-27T08:00Z", "2026-11-27T08:00+01:00",
        "2026-11-27T08:00:", "2026-11-27T08:00:00.", "2026-11-27T08:00:00.1234567890", "1600-11-27T08:00",
        "2026/11/27T08:00", " 2026-11-27T08:00", "2026-11-27x08:00", "2026-11-27t08:00", "2026-11-27T08:00:60"})
    EXPECT_FALSE(parse_local_time(text)) << text;
}

TEST(LocalTime, ADateAndTimeIsReadOffTheFrontOfAText) {
  const auto read = read_date_time("2026-11-27t08:30:60.1234567899+01:00").value();
  EXPECT_EQ(read.date, LocalDate(std::chrono::days(56 * 365 + 14 + 330)));
  EXPECT_EQ(read.separator, 't');
  EXPECT_EQ(read.hour, 8);
  EXPECT_EQ(read.minute, 30);
  EXPECT_EQ(read.second, 60) << "a leap second";
  EXPECT_EQ(read.decimals, 10u);
  EXPECT_EQ(read.nanoseconds, 123'456'789);
  EXPECT_EQ(read.rest, "+01:00");
  EXPECT_EQ(read_date_time("2026-11-27 08:30Z").value().second, std::nullopt);
  EXPECT_EQ(read_date_time("2026-11-27 08:30Z").value().rest, "Z");
  for (const char* text : {"2026-11-27T08:00:61", "2026-11-27T08:00:5", "2026-11-27T08:00:00.x"})
    EXPECT_FALSE(read_date_time(text)) << text;
}

TEST(LocalTime, ADateIsReadAsItIsWritten) {
  for (const char* text : {"1970-01-01", "2024-02-29", "1999-12-31", "2261-01-01"})
    EXPECT_EQ(format_local_date(parse_local_date(text).value()), text);
  EXPECT_EQ(parse_local_date("1970-01-02").value().time_since_epoch(), std::chrono::days(1));
  for (const char* text : {"", "2023-02-29", "2026-1-01", "2026-01-1", "26-01-01", "2026-01-01T"})
    EXPECT_FALSE(parse_local_date(text)) << text;
}

TEST(UtcOffsets, HoldFromEachChangeOn) {
  const UtcOffsets offsets({{at_seconds(100), 1h}, {at_seconds(200), 2h}});
  EXPECT_EQ(offsets.at(at_seconds(0)), 1h) << "before the first, too";
  EXPECT_EQ(offsets.at(at_seconds(199.9)), 1h);
  EXPECT_EQ(offsets.at(at_seconds(200)), 2h);
  EXPECT_EQ(offsets.at(at_seconds(1e9)), 2h);
  EXPECT_EQ(UtcOffsets().at(at_seconds(1e9)), 0h);
}

}  // namespace
}  // namespace mpca
