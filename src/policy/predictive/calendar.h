// What people know about days to come: events that multiply demand or bring a known amount of it, and days that are
// like each other and not like their weekday. A policy reads no file and knows no time zone, so the calendar comes as
// text with points of time (config/calendar_file.h makes it from a file for people), and a log repeats it without the
// file.
//
//   name@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z*3       demand is three times the usual
//   name@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z>500     it is at least 500 requests/s
//   name=2025-12-25/2026-12-25                             these days, by the workload's clock, are like each other
//   name=sunday:2026-05-01                                 these are like Sundays
//
// with `;` between. Where events overlap, factors multiply (they are reasons apart: a sale in the holidays) and the
// greatest amount counts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "forecast/special_days.h"

namespace mpca::policy {

/// [start, end).
struct CalendarEvent {
  std::string name;
  TimePoint start, end;
  double factor = 1.0;      // of the usual demand, within [kLeastFactor, kGreatestFactor]
  double demand_rps = 0.0;  // at least; 0: nothing known. With an amount, the factor is 1
};

struct AlikeDays {
  std::string name;
  std::vector<LocalDate> days;
  std::optional<std::chrono::weekday> like;  // not set: only each other
};

class Calendar {
 public:
  static constexpr double kLeastFactor = 0.01, kGreatestFactor = 100.0;  // of all events together, too
  static constexpr double kGreatestDemandRps = 1e9;
  static constexpr std::size_t kMostEvents = 512, kMostDays = 4096, kLongestName = 40;

  Calendar() = default;
  ///   errors   invalid_argument  every problem, a line each: too many events, days or classes; an event that ends
  ///   before
  ///            it starts; a factor or amount out of range; a name that is empty, too long, doubled or of other
  ///            characters than letters, digits, space, `.`, `_` and `-`; a day in two lists
  static Result<Calendar> create(std::vector<CalendarEvent> events, std::vector<AlikeDays> alike);
  /// The text of above; empty: nothing is known.
  ///   errors   invalid_argument  every part that is no event and no list of days, and those of create()
  static Result<Calendar> parse(std::string_view text);
  std::string text() const;

  bool is_empty() const { return events_.empty() && alike_.empty(); }
  bool has_events() const { return !events_.empty(); }
  double factor_at(TimePoint time) const;
  struct Outlook {
    double least_factor = 1.0, greatest_factor = 1.0;
    double demand_rps = 0.0;  // the greatest known amount
  };
  /// From `from` to `to`, both included; O(changes in between).
  Outlook outlook(TimePoint from, TimePoint to) const;
  /// The first event that is on within that time; nullptr: none.
  const CalendarEvent* event_within(TimePoint from, TimePoint to) const;
  forecast::SpecialDays special_days() const;

 private:
  struct Step {
    TimePoint from;
    double factor = 1.0;
    double demand_rps = 0.0;
  };
  void lay_out_steps();
  std::vector<Step>::const_iterator step_at(TimePoint time) const;

  std::vector<CalendarEvent> events_;  // as given
  std::vector<AlikeDays> alike_;
  std::vector<Step> steps_;  // by time; before the first all is usual
};

/// `sunday`, …, `saturday`; nullopt: none of them.
std::optional<std::chrono::weekday> parse_weekday(std::string_view text);
std::string_view name_of(std::chrono::weekday weekday);

}  // namespace mpca::policy
