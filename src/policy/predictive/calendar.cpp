#include "policy/predictive/calendar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/text.h"

namespace mpca::policy {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                       "thursday", "friday", "saturday"};

std::string time_text(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const auto of_day = std::chrono::floor<std::chrono::seconds>(time - day);
  const std::chrono::hh_mm_ss clock(of_day);
  const auto two = [](std::int64_t value) { return cat(value < 10 ? "0" : "", value); };
  return cat(format_local_date(LocalDate(day.time_since_epoch())), "T", two(clock.hours().count()), ":",
             two(clock.minutes().count()), ":", two(clock.seconds().count()), "Z");
}

std::optional<TimePoint> parse_time(std::string_view text) {
  if (!text.ends_with('Z')) return std::nullopt;
  text.remove_suffix(1);
  const auto time = parse_local_time(text);
  if (!time) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(TimePoint(time->time_since_epoch()));
}

std::optional<CalendarEvent> parse_event(std::string_view name, std::string_view rest) {
  const std::size_t slash = rest.find('/');
  const std::size_t mark = rest.find_first_of("*>");
  if (slash == std::string_view::npos || mark == std::string_view::npos || mark < slash) return std::nullopt;
  const auto start = parse_time(rest.substr(0, slash)), end = parse_time(rest.substr(slash + 1, mark - slash - 1));
  const auto amount = parse_double(rest.substr(mark + 1));
  if (!start || !end || !amount) return std::nullopt;
  CalendarEvent event{.name = std::string(name), .start = *start, .end = *end};
  (rest[mark] == '*' ? event.factor : event.demand_rps) = *amount;
  return event;
}

std::optional<AlikeDays> parse_alike(std::string_view name, std::string_view rest) {
  AlikeDays alike{.name = std::string(name), .days = {}, .like = {}};
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    alike.like = parse_weekday(rest.substr(0, colon));
    if (!alike.like) return std::nullopt;
    rest.remove_prefix(colon + 1);
  }
  for (const std::string_view part : split(rest, '/')) {
    const auto date = parse_local_date(part);
    if (!date) return std::nullopt;
    alike.days.push_back(*date);
  }
  return alike;
}

void check_name(const std::string& name, std::string_view what, std::set<std::string>& seen, Problems& problems) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(" ._-").find(c) != std::string_view::npos;
  };
  if (name.empty() || name.size() > Calendar::kLongestName || trim(name) != name ||
      !std::all_of(name.begin(), name.end(), is_plain)) {
    problems.add(cat(what, " \"", name, "\": a name is 1 to ", Calendar::kLongestName,
                     " letters, digits, spaces, `.`, `_` or `-`"));
  } else if (!seen.insert(name).second) {
    problems.add(cat(what, " \"", name, "\" is there twice"));
  }
}

void check_event(const CalendarEvent& event, Problems& problems) {
  if (event.end <= event.start)
    problems.add(cat("event \"", event.name, "\" ends at ", time_text(event.end), "; must be after its start, ",
                     time_text(event.start)));
  if (!(event.factor >= Calendar::kLeastFactor && event.factor <= Calendar::kGreatestFactor))
    problems.add(cat("event \"", event.name, "\": factor is ", event.factor, "; must be between ",
                     Calendar::kLeastFactor, " and ", Calendar::kGreatestFactor));
  if (event.factor != 1.0 && event.demand_rps != 0.0)
    problems.add(cat("event \"", event.name, "\" has a factor and an amount; give one of them"));
  if (!(event.demand_rps >= 0.0 && event.demand_rps <= Calendar::kGreatestDemandRps))
    problems.add(
        cat("event \"", event.name, "\": demand is ", event.demand_rps, " requests/s; must be >= 0 and <= 1e9"));
}

}  // namespace

std::optional<std::chrono::weekday> parse_weekday(std::string_view text) {
  const auto found = std::find(kWeekdays.begin(), kWeekdays.end(), text);
  if (found == kWeekdays.end()) return std::nullopt;
  return std::chrono::weekday(static_cast<unsigned>(found - kWeekdays.begin()));
}

std::string_view name_of(std::chrono::weekday weekday) { return kWeekdays[weekday.c_encoding()]; }

Result<Calendar> Calendar::create(std::vector<CalendarEvent> events, std::vector<AlikeDays> alike) {
  Problems problems;
  if (events.size() > kMostEvents) problems.add(cat(events.size(), " events; must be at most ", kMostEvents));
  std::set<std::string> seen;
  for (const CalendarEvent& event : events) {
    check_name(event.name, "event", seen, problems);
    check_event(event, problems);
  }
  seen.clear();
  std::size_t classes = 0, days = 0;
  std::map<LocalDate, const AlikeDays*> owners;
  for (const AlikeDays& list : alike) {
    check_name(list.name, "days", seen, problems);
    if (list.days.empty()) problems.add(cat("days \"", list.name, "\" are none; give at least one"));
    if (!list.like) ++classes;
    days += list.days.size();
    for (const LocalDate date : list.days) {
      const auto [owner, is_new] = owners.emplace(date, &list);
      if (!is_new)
        problems.add(cat("day ", format_local_date(date), " of \"", list.name, "\" is there already, in \"",
                         owner->second->name, "\""));
    }
  }
  if (days > kMostDays) problems.add(cat(days, " days; must be at most ", kMostDays));
  if (classes > forecast::SpecialDays::kMostClasses)
    problems.add(
        cat(classes, " lists of days that are like each other; must be at most ", forecast::SpecialDays::kMostClasses));
  MPCA_TRY_VOID(problems.to_result());
  Calendar calendar;
  calendar.events_ = std::move(events);
  calendar.alike_ = std::move(alike);
  calendar.lay_out_steps();
  return calendar;
}

Result<Calendar> Calendar::parse(std::string_view text) {
  std::vector<CalendarEvent> events;
  std::vector<AlikeDays> alike;
  Problems problems;
  if (trim(text).empty()) return Calendar();
  for (const std::string_view part : split(text, ';')) {
    const std::size_t mark = part.find_first_of("@=");
    const std::string_view name = trim(part.substr(0, mark));
    const std::string_view rest = mark == std::string_view::npos ? std::string_view() : part.substr(mark + 1);
    std::optional<CalendarEvent> event;
    std::optional<AlikeDays> list;
    if (mark != std::string_view::npos && part[mark] == '@') event = parse_event(name, rest);
    if (mark != std::string_view::npos && part[mark] == '=') list = parse_alike(name, rest);
    if (!event && !list)
      problems.add(cat("\"", part,
                       "\" is neither NAME@START/END*FACTOR or NAME@START/END>RPS, with times such as "
                       "2026-11-27T07:00:00Z, nor NAME=DAY/DAY or NAME=sunday:DAY; a file is named as @FILE"));
    if (event) events.push_back(*std::move(event));
    if (list) alike.push_back(*std::move(list));
  }
  auto calendar = create(std::move(events), std::move(alike));
  if (!calendar) problems.add(calendar.error().message);
  MPCA_TRY_VOID(problems.to_result());
  return calendar;
}

std::string Calendar::text() const {
  std::string text;
  const auto next = [&] { return text.empty() ? "" : ";"; };
  for (const CalendarEvent& event : events_)
    text += cat(next(), event.name, "@", time_text(event.start), "/", time_text(event.end),
                event.demand_rps > 0.0 ? cat(">", event.demand_rps) : cat("*", event.factor));
  for (const AlikeDays& list : alike_) {
    text += cat(next(), list.name, "=", list.like ? cat(name_of(*list.like), ":") : "");
    for (std::size_t i = 0; i < list.days.size(); ++i) text += cat(i == 0 ? "" : "/", format_local_date(list.days[i]));
  }
  return text;
}

void Calendar::lay_out_steps() {
  std::set<TimePoint> changes;
  for (const CalendarEvent& event : events_) changes.insert({event.start, event.end});
  for (const TimePoint from : changes) {
    Step step{.from = from};
    for (const CalendarEvent& event : events_) {
      if (from < event.start || from >= event.end) continue;
      step.factor *= event.factor;
      step.demand_rps = std::max(step.demand_rps, event.demand_rps);
    }
    step.factor = std::clamp(step.factor, kLeastFactor, kGreatestFactor);
    steps_.push_back(step);
  }
}

std::vector<Calendar::Step>::const_iterator Calendar::step_at(TimePoint time) const {
  return std::upper_bound(steps_.begin(), steps_.end(), time,
                          [](TimePoint wanted, const Step& step) { return wanted < step.from; });
}

double Calendar::factor_at(TimePoint time) const {
  const auto after = step_at(time);
  return after == steps_.begin() ? 1.0 : std::prev(after)->factor;
}

Calendar::Outlook Calendar::outlook(TimePoint from, TimePoint to) const {
  Outlook outlook;
  auto step = step_at(from);
  if (step != steps_.begin()) {
    --step;
    outlook = {step->factor, step->factor, step->demand_rps};
    ++step;
  }
  for (; step != steps_.end() && step->from <= to; ++step) {
    outlook.least_factor = std::min(outlook.least_factor, step->factor);
    outlook.greatest_factor = std::max(outlook.greatest_factor, step->factor);
    outlook.demand_rps = std::max(outlook.demand_rps, step->demand_rps);
  }
  return outlook;
}

const CalendarEvent* Calendar::event_within(TimePoint from, TimePoint to) const {
  const CalendarEvent* first = nullptr;
  for (const CalendarEvent& event : events_) {
    if (event.end <= from || event.start > to) continue;
    if (first == nullptr || event.start < first->start) first = &event;
  }
  return first;
}

forecast::SpecialDays Calendar::special_days() const {
  forecast::SpecialDays special;
  for (const AlikeDays& list : alike_) {
    const auto day_class = static_cast<std::uint8_t>(special.classes.size());
    if (!list.like) special.classes.push_back(stable_hash(list.name));
    for (const LocalDate date : list.days)
      special.days.push_back({.date = date, .day_class = day_class, .weekday = list.like});
  }
  std::sort(special.days.begin(), special.days.end(), [](const auto& a, const auto& b) { return a.date < b.date; });
  return special;
}

}  // namespace mpca::policy
