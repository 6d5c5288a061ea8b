#include "policy/predictive/calendar.h"

#include <gtest/gtest.h>

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;

TimePoint utc(std::string_view text) { return TimePoint(parse_local_time(text).value().time_since_epoch()); }

constexpr std::string_view kText =
    "sale@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z*3;"
    "campaign@2026-11-27T20:00:00Z/2026-11-28T08:00:00Z*1.5;"
    "broadcast@2026-11-27T20:30:00Z/2026-11-27T20:45:00Z>500;"
    "holidays=2025-12-25/2026-12-25;"
    "may=sunday:2026-05-01";

TEST(Calendar, TheTextReadsBackAsItWasWritten) {
  EXPECT_EQ(Calendar::parse(kText).value().text(), kText);
  EXPECT_TRUE(Calendar::parse("").value().is_empty());
  EXPECT_EQ(Calendar().text(), "");
  EXPECT_EQ(Calendar().factor_at(at_seconds(1e9)), 1.0);
}

// sale 7 to 21 h, campaign 20 h to 8 h: 3, then 3 x 1.5 for an hour, then 1.5.
TEST(Calendar, OverlappingFactorsMultiplyAndAnEventEndsBeforeItsEnd) {
  const Calendar calendar = Calendar::parse(kText).value();
  EXPECT_EQ(calendar.factor_at(utc("2026-11-27T06:59:59")), 1.0);
  EXPECT_EQ(calendar.factor_at(utc("2026-11-27T07:00")), 3.0);
  EXPECT_EQ(calendar.factor_at(utc("2026-11-27T20:15")), 4.5);
  EXPECT_EQ(calendar.factor_at(utc("2026-11-27T21:00")), 1.5);
  EXPECT_EQ(calendar.factor_at(utc("2026-11-28T08:00")), 1.0);
}

TEST(Calendar, TheProductStaysWithinWhatOneFactorMayBe) {
  const Calendar calendar =
      Calendar::parse("a@2026-01-01T00:00Z/2026-01-02T00:00Z*50;b@2026-01-01T00:00Z/2026-01-02T00:00Z*50").value();
  EXPECT_EQ(calendar.factor_at(utc("2026-01-01T12:00")), 100.0);
}

TEST(Calendar, AnOutlookHasWhatIsOnAtBothItsEnds) {
  const Calendar calendar = Calendar::parse(kText).value();
  const auto outlook = [&](std::string_view from, std::string_view to) { return calendar.outlook(utc(from), utc(to)); };
  EXPECT_EQ(outlook("2026-11-27T06:50", "2026-11-27T06:59:59").greatest_factor, 1.0);
  EXPECT_EQ(outlook("2026-11-27T06:50", "2026-11-27T07:00").greatest_factor, 3.0);
  EXPECT_EQ(outlook("2026-11-27T06:50", "2026-11-27T07:00").least_factor, 1.0);
  EXPECT_EQ(outlook("2026-11-27T12:00", "2026-11-27T12:05").least_factor, 3.0);
  EXPECT_EQ(outlook("2026-11-27T20:59", "2026-11-27T21:00").greatest_factor, 4.5);
  EXPECT_EQ(outlook("2026-11-27T21:00", "2026-11-28T08:00").least_factor, 1.0);
  EXPECT_EQ(outlook("2026-11-27T20:00", "2026-11-27T20:29").demand_rps, 0.0);
  EXPECT_EQ(outlook("2026-11-27T20:00", "2026-11-27T20:30").demand_rps, 500.0);
  EXPECT_EQ(outlook("2026-11-27T20:45", "2026-11-27T20:50").demand_rps, 0.0);
}

TEST(Calendar, NamesTheFirstEventWithinATime) {
  const Calendar calendar = Calendar::parse(kText).value();
  EXPECT_EQ(calendar.event_within(utc("2026-11-27T06:00"), utc("2026-11-27T06:59")), nullptr);
  EXPECT_EQ(calendar.event_within(utc("2026-11-27T06:00"), utc("2026-11-27T07:00"))->name, "sale");
  EXPECT_EQ(calendar.event_within(utc("2026-11-27T21:00"), utc("2026-11-27T21:10"))->name, "campaign");
}

TEST(Calendar, DaysAreInOrderAndKnowTheirClassOrTheirWeekday) {
  const forecast::SpecialDays days = Calendar::parse(kText).value().special_days();
  ASSERT_EQ(days.classes.size(), 1U);
  ASSERT_EQ(days.days.size(), 3U);
  EXPECT_EQ(format_local_date(days.days[0].date), "2025-12-25");
  EXPECT_EQ(days.days[1].weekday, std::chrono::Sunday);
  EXPECT_EQ(days.find(parse_local_date("2026-12-25").value())->day_class, 0);
  EXPECT_EQ(days.find(parse_local_date("2026-12-26").value()), nullptr);
  // The same name is the same class, wherever it stands.
  EXPECT_EQ(Calendar::parse("x=2026-01-01;holidays=2027-01-01").value().special_days().classes[1], days.classes[0]);
}

TEST(Calendar, EveryProblemIsNamed) {
  const auto calendar = Calendar::parse(
      "sale@2026-11-27T07:00:00Z/2026-11-27T07:00:00Z*3;sale@2026-11-27T07:00Z/2026-11-27T08:00Z*1000;"
      "a=2026-01-01;b=2026-01-01;c@d;e=funday:2026-01-01;f=2026-02-30;");
  ASSERT_FALSE(calendar);
  const std::string tail =
      " is neither NAME@START/END*FACTOR or NAME@START/END>RPS, with times such as 2026-11-27T07:00:00Z, nor "
      "NAME=DAY/DAY or NAME=sunday:DAY; a file is named as @FILE\n";
  EXPECT_EQ(calendar.error().message,
            "\"c@d\"" + tail + "\"e=funday:2026-01-01\"" + tail + "\"f=2026-02-30\"" + tail + "\"\"" + tail +
                "event \"sale\" ends at 2026-11-27T07:00:00Z; must be after its start, 2026-11-27T07:00:00Z\n"
                "event \"sale\" is there twice\n"
                "event \"sale\": factor is 1000; must be between 0.01 and 100\n"
                "day 2026-01-01 of \"b\" is there already, in \"a\"");
}

TEST(Calendar, ThereAreNoMoreThanFitIntoThePlan) {
  std::vector<CalendarEvent> events;
  for (int i = 0; i < 513; ++i)
    events.push_back({.name = std::to_string(i), .start = at_seconds(i), .end = at_seconds(i + 1), .factor = 2.0});
  EXPECT_EQ(Calendar::create(events, {}).error().message, "513 events; must be at most 512");
  events.pop_back();
  EXPECT_EQ(Calendar::parse(Calendar::create(events, {}).value().text()).value().factor_at(at_seconds(300)), 2.0);
  std::vector<AlikeDays> alike;
  for (int i = 0; i < 9; ++i)
    alike.push_back({.name = std::to_string(i), .days = {LocalDate(std::chrono::days(i))}, .like = {}});
  EXPECT_EQ(Calendar::create({}, alike).error().message, "9 lists of days that are like each other; must be at most 8");
}

}  // namespace
}  // namespace mpca::policy
