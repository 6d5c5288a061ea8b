#include "config/calendar_file.h"

#include <gtest/gtest.h>

#include "config/policy_text.h"
#include "core/os/file.h"
#include "core/text.h"
#include "policy/policy.h"
#include "support/temporary_directory.h"

namespace mpca::config {
namespace {

using test::TemporaryDirectory;

constexpr std::string_view kFile = R"(timeZone: Europe/Berlin
events:
  - {name: sale, start: 2026-11-27T08:00, end: 2026-11-27T22:00, factor: 3}
  - {name: summer, start: 2026-07-27 08:00, end: 2026-07-27 09:00, factor: 0.5}
  - {name: broadcast, start: "2026-12-31T20:00", end: 2026-12-31T21:00, demandRps: 500}
alike:
  - {name: holidays, days: [2025-12-25, 2026-12-25]}
  - {name: may, days: [2026-05-01], like: sunday}
)";
// Berlin is an hour ahead of UTC in winter, two in summer.
constexpr std::string_view kText =
    "sale@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z*3;summer@2026-07-27T06:00:00Z/2026-07-27T07:00:00Z*0.5;"
    "broadcast@2026-12-31T19:00:00Z/2026-12-31T20:00:00Z>500;holidays=2025-12-25/2026-12-25;may=sunday:2026-05-01";

TEST(CalendarFile, LocalTimesBecomePointsOfTime) { EXPECT_EQ(parse_calendar(kFile, "f").value().text(), kText); }

// On 25 October 2026 clocks go from 3:00 back to 2:00 (1:00 UTC), on 29 March from 2:00 to 3:00 (1:00 UTC).
TEST(CalendarFile, AnHourThatComesTwiceIsItsFirstAndOneThatIsLeftOutIsTheChange) {
  EXPECT_EQ(parse_calendar("timeZone: Europe/Berlin\nevents:\n"
                           "  - {name: a, start: 2026-10-25T02:30, end: 2026-10-25T03:30, factor: 2}\n"
                           "  - {name: b, start: 2026-03-29T02:30, end: 2026-03-29T03:30, factor: 2}\n",
                           "f")
                .value()
                .text(),
            "a@2026-10-25T00:30:00Z/2026-10-25T02:30:00Z*2;b@2026-03-29T01:00:00Z/2026-03-29T01:30:00Z*2");
}

TEST(CalendarFile, EveryProblemIsNamedWithItsField) {
  const auto calendar = parse_calendar(R"(timeZone: Europe/Berlni
events:
  - {name: a, start: 2026-11-27T08:00Z, end: 2026-11-27, factor: 1000}
  - {start: 2026-11-27T08:00, factor: 2, demandRps: 5, until: 7}
  - 7
alike:
  - {name: b, days: [2026-02-30, 5], like: funday}
  - {name: c}
)",
                                       "f.yaml");
  ASSERT_FALSE(calendar);
  EXPECT_EQ(
      calendar.error().message,
      "f.yaml: timeZone is \"Europe/Berlni\"; must be a time zone's name such as Europe/Berlin or UTC (did you "
      "mean \"Europe/Berlin\"?)\n"
      "f.yaml: events[0].start is \"2026-11-27T08:00Z\"; must be a local time such as 2026-11-27T08:00, without a "
      "zone of its own\n"
      "f.yaml: events[0].end is \"2026-11-27\"; must be a local time such as 2026-11-27T08:00, without a zone of "
      "its own\n"
      "f.yaml: events[0].factor is 1000; must be between 0.01 and 100\n"
      "f.yaml: events[1].until is not a field of this object\n"
      "f.yaml: events[1].name is missing\n"
      "f.yaml: events[1].end is missing\n"
      "f.yaml: events[1].factor is there beside demandRps; give one of them\n"
      "f.yaml: events[2] is 7; must be an object\n"
      "f.yaml: alike[0].days[0] is \"2026-02-30\"; must be a date such as 2026-12-25\n"
      "f.yaml: alike[0].days[1] is 5; must be a date such as 2026-12-25\n"
      "f.yaml: alike[0].like is \"funday\"; must be a day of the week such as sunday\n"
      "f.yaml: alike[1].days is missing");
  EXPECT_EQ(parse_calendar("timeZone: UTC\nevents:\n"
                           "  - {name: a, start: 2026-11-27T09:00, end: 2026-11-27T08:00, factor: 2}\n"
                           "  - {name: a, start: 2026-11-27T08:00, end: 2026-11-27T09:00, factor: 2}\n",
                           "f.yaml")
                .error()
                .message,
            "f.yaml: event \"a\" ends at 2026-11-27T08:00:00Z; must be after its start, 2026-11-27T09:00:00Z\n"
            "f.yaml: event \"a\" is there twice");
  EXPECT_EQ(parse_calendar("[]", "f").error().message, "f: must be one object with timeZone, events and alike");
  EXPECT_EQ(parse_calendar("events: []", "f").error().message,
            "f: timeZone is missing; must be a name such as Europe/Berlin");
}

TEST(PolicyText, ACalendarsFileIsWrittenOutAndMakesAPolicy) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("sales.yaml");
  ASSERT_TRUE(os::write_file(path, kFile));
  const std::string text =
      resolve_policy_text(cat("predictive:late-price=5,calendar=@", path, ",dead-band=0.1")).value();
  EXPECT_EQ(text, cat("predictive:late-price=5,calendar=", kText, ",dead-band=0.1"));
  EXPECT_TRUE(policy::create_policy(text, {}, "--policy"));
  EXPECT_EQ(resolve_policy_text("predictive:calendar=@").error().message,
            "calendar=@ needs the name of a calendar file");
  EXPECT_EQ(resolve_policy_text(cat("predictive:calendar=@", path, ".gone")).error().code, ErrorCode::not_found);
  EXPECT_EQ(resolve_policy_text("predictive:late-price=5").value(), "predictive:late-price=5");
  // Nobody resolved it.
  const auto unresolved = policy::create_policy("predictive:calendar=@x.yaml", {}, "--policy");
  ASSERT_FALSE(unresolved);
  EXPECT_TRUE(unresolved.error().message.starts_with("--policy predictive: calendar: \"@x.yaml\" is neither"));
}

}  // namespace
}  // namespace mpca::config
