#include "core/os/time_zone.h"

#include <gtest/gtest.h>

#include "core/local_time.h"

namespace mpca::os {
namespace {

using namespace std::chrono_literals;

// Summer time in Berlin in 2026: from 29 March, 2:00 (1:00 UTC), to 25 October, 3:00 (1:00 UTC).
TimePoint utc(std::string_view text) { return TimePoint(parse_local_time(text).value().time_since_epoch()); }

TEST(TimeZone, KnowsSummerAndWinter) {
  const TimeZone berlin = find_time_zone("Europe/Berlin").value();
  EXPECT_EQ(berlin.name(), "Europe/Berlin");
  EXPECT_EQ(berlin.offset_at(utc("2026-01-15T12:00")), 1h);
  EXPECT_EQ(berlin.offset_at(utc("2026-03-29T00:59:59")), 1h);
  EXPECT_EQ(berlin.offset_at(utc("2026-03-29T01:00")), 2h);
  EXPECT_EQ(berlin.offset_at(utc("2026-10-25T00:59:59")), 2h);
  EXPECT_EQ(berlin.offset_at(utc("2026-10-25T01:00")), 1h);
  EXPECT_EQ(berlin.offset_at(utc("2036-07-01T00:00")), 2h);
  EXPECT_EQ(find_time_zone("UTC").value().offset_at(utc("2026-07-01T00:00")), 0h);
  EXPECT_EQ(find_time_zone("Asia/Kolkata").value().offset_at(utc("2026-07-01T00:00")), 5h + 30min);
}

TEST(TimeZone, AnHourThatComesTwiceIsItsFirstAndOneThatIsLeftOutIsTheChange) {
  const TimeZone berlin = find_time_zone("Europe/Berlin").value();
  EXPECT_EQ(berlin.to_time(parse_local_time("2026-11-27T08:00").value()), utc("2026-11-27T07:00"));
  EXPECT_EQ(berlin.to_time(parse_local_time("2026-07-27T08:00").value()), utc("2026-07-27T06:00"));
  // 2:30 in the night of October is 0:30 UTC and again 1:30 UTC.
  EXPECT_EQ(berlin.to_time(parse_local_time("2026-10-25T02:30").value()), utc("2026-10-25T00:30"));
  // From 2:00 the hands go to 3:00, at 1:00 UTC.
  EXPECT_EQ(berlin.to_time(parse_local_time("2026-03-29T02:30").value()), utc("2026-03-29T01:00"));
}

TEST(TimeZone, ATableOfASpanSaysTheSameAsTheZone) {
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"}) {
    const TimeZone zone = find_time_zone(name).value();
    const TimePoint from = utc("2024-05-01T00:00"), to = utc("2029-05-01T00:00");
    const UtcOffsets table = zone.offsets(from, to);
    for (TimePoint time = from; time <= to; time += 7h) ASSERT_EQ(table.at(time), zone.offset_at(time)) << name;
  }
  const UtcOffsets berlin =
      find_time_zone("Europe/Berlin").value().offsets(utc("2026-01-01T00:00"), utc("2026-12-31T00:00"));
  EXPECT_EQ(berlin.changes(),
            (std::vector<UtcOffsets::Change>{
                {utc("2026-01-01T00:00"), 1h}, {utc("2026-03-29T01:00"), 2h}, {utc("2026-10-25T01:00"), 1h}}));
}

TEST(TimeZone, AnUnknownNameIsRefusedWithTheNearest) {
  const auto zone = find_time_zone("Europe/Berlni");
  ASSERT_FALSE(zone);
  EXPECT_EQ(
      zone.error().message,
      "\"Europe/Berlni\"; must be a time zone's name such as Europe/Berlin or UTC (did you mean \"Europe/Berlin\"?)");
  EXPECT_FALSE(find_time_zone(""));
  EXPECT_FALSE(find_time_zone("../../etc/passwd"));
}

}  // namespace
}  // namespace mpca::os
