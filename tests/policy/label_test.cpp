#include "policy/label.h"

#include <gtest/gtest.h>

#include <string>

namespace mpca::policy {
namespace {

const std::string kCalendar =
    "black friday@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z*3;broadcast@2026-12-31T19:00:00Z/2026-12-31T20:00:00Z>500";

TEST(PolicyLabel, ShortTextsAreTheirOwn) {
  for (const char* text : {"predictive", "static:6", "hpa:target=60,stabilization=300s", "reactive:sweep", "",
                           "a:", "predictive:calendar=sale@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z*3"})
    EXPECT_EQ(label_of(text), text);
}

TEST(PolicyLabel, AWholeCalendarIsCutAndTheOtherSettingsStay) {
  const std::string label = label_of("predictive:hold=60s,calendar=" + kCalendar + ",late-price=30");
  EXPECT_TRUE(label.starts_with("predictive:hold=60s,calendar=black friday@2026-11-27T…")) << label;
  EXPECT_TRUE(label.ends_with(",late-price=30")) << label;
  EXPECT_EQ(label.size(), std::string("predictive:hold=60s,calendar=,late-price=30").size() + 24 + 3 + 4);
  EXPECT_EQ(label_of(label), label);
}

TEST(PolicyLabel, CalendarsThatDifferAtTheirEndsHaveTwoLabels) {
  EXPECT_NE(label_of("predictive:calendar=" + kCalendar), label_of("predictive:calendar=" + kCalendar + "0"));
}

// 23 letters and then two bytes of one character: the cut is before both.
TEST(PolicyLabel, NoCharacterIsCutInTwo) {
  const std::string label = label_of("x:k=" + std::string(23, 'a') + "é" + std::string(60, 'b'));
  EXPECT_TRUE(label.starts_with("x:k=" + std::string(23, 'a') + "…")) << label;
}

}  // namespace
}  // namespace mpca::policy
