#include "config/calendar_file.h"

#include <optional>

#include "config/document.h"
#include "core/os/file.h"
#include "core/os/time_zone.h"
#include "core/text.h"

namespace mpca::config {
namespace {

using policy::AlikeDays;
using policy::Calendar;
using policy::CalendarEvent;

constexpr std::size_t kLargestFile = 1U << 20;

std::string required_text(const Fields& fields, std::string_view key) {
  if (!fields.has(key)) fields.problem(key, "is missing");
  const std::string* text = fields.text(key);
  return text != nullptr ? *text : std::string();
}

/// The zone, to the second.
TimePoint time_of(const Fields& fields, std::string_view key, const os::TimeZone* zone) {
  const std::string text = required_text(fields, key);
  if (text.empty()) return {};
  const auto local = parse_local_time(text);
  if (!local) {
    fields.problem(key,
                   cat("is \"", text, "\"; must be a local time such as 2026-11-27T08:00, without a zone of its own"));
    return {};
  }
  return zone != nullptr ? std::chrono::floor<std::chrono::seconds>(zone->to_time(*local)) : TimePoint{};
}

std::optional<double> number_within(const Fields& fields, std::string_view key, double low, double high) {
  const auto number = fields.number(key);
  if (number && !(*number >= low && *number <= high)) {
    fields.problem(key, cat("is ", *number, "; must be between ", low, " and ", high));
    return std::nullopt;
  }
  return number;
}

CalendarEvent event_of(const Fields& fields, const os::TimeZone* zone) {
  fields.only({"name", "start", "end", "factor", "demandRps"});
  CalendarEvent event;
  event.name = required_text(fields, "name");
  event.start = time_of(fields, "start", zone);
  event.end = time_of(fields, "end", zone);
  if (fields.has("factor") == fields.has("demandRps"))
    fields.problem("factor", fields.has("factor") ? "is there beside demandRps; give one of them"
                                                  : "is missing; give it or demandRps");
  event.factor = number_within(fields, "factor", Calendar::kLeastFactor, Calendar::kGreatestFactor).value_or(1.0);
  event.demand_rps = number_within(fields, "demandRps", 0.0, Calendar::kGreatestDemandRps).value_or(0.0);
  return event;
}

AlikeDays alike_of(const Fields& fields) {
  fields.only({"name", "days", "like"});
  AlikeDays alike;
  alike.name = required_text(fields, "name");
  if (!fields.has("days")) fields.problem("days", "is missing");
  const std::vector<Node>& days = fields.list("days");
  for (std::size_t i = 0; i < days.size(); ++i) {
    const auto date = days[i].kind == Node::Kind::text ? parse_local_date(days[i].text) : std::nullopt;
    if (date) {
      alike.days.push_back(*date);
    } else {
      fields.problem(cat("days[", i, "]"), cat("is ", days[i].describe(), "; must be a date such as 2026-12-25"));
    }
  }
  if (const std::string* like = fields.text("like")) {
    alike.like = policy::parse_weekday(*like);
    if (!alike.like) fields.problem("like", cat("is \"", *like, "\"; must be a day of the week such as sunday"));
  }
  return alike;
}

void check_kind(const Fields& fields) {
  if (fields.node().kind != Node::Kind::object)
    fields.problem("", cat("is ", fields.node().describe(), "; must be an object"));
}

}  // namespace

Calendar read_calendar(const Fields& fields, const os::TimeZone* zone) {
  const std::size_t problems_before = fields.problem_count();
  std::vector<CalendarEvent> events;
  const std::vector<Node>& event_nodes = fields.list("events");
  for (std::size_t i = 0; i < event_nodes.size(); ++i) {
    const Fields each(event_nodes[i], fields, "events", i);
    check_kind(each);
    if (event_nodes[i].kind == Node::Kind::object) events.push_back(event_of(each, zone));
  }
  std::vector<AlikeDays> alike;
  const std::vector<Node>& alike_nodes = fields.list("alike");
  for (std::size_t i = 0; i < alike_nodes.size(); ++i) {
    const Fields each(alike_nodes[i], fields, "alike", i);
    check_kind(each);
    if (alike_nodes[i].kind == Node::Kind::object) alike.push_back(alike_of(each));
  }
  // What could not be read would be complained about once more.
  if (zone == nullptr || fields.problem_count() > problems_before) return {};
  auto calendar = Calendar::create(std::move(events), std::move(alike));
  if (calendar) return *std::move(calendar);
  for (const std::string_view line : split(calendar.error().message, '\n')) fields.problem("", line);
  return {};
}

Result<Calendar> parse_calendar(std::string_view text, std::string_view where) {
  auto documents = parse_yaml(text);
  if (!documents) return invalid(cat(where, ": ", documents.error().message));
  if (documents->size() != 1 || documents->front().kind != Node::Kind::object)
    return invalid(cat(where, ": must be one object with timeZone, events and alike"));
  Problems problems;
  const Fields fields(documents->front(), problems, where);
  fields.only({"timeZone", "events", "alike"});
  std::optional<os::TimeZone> zone;
  if (!fields.has("timeZone")) fields.problem("timeZone", "is missing; must be a name such as Europe/Berlin");
  if (const std::string* name = fields.text("timeZone")) {
    if (const auto found = os::find_time_zone(*name)) {
      zone = *found;
    } else {
      fields.problem("timeZone", cat("is ", found.error().message));
    }
  }
  Calendar calendar = read_calendar(fields, zone ? &*zone : nullptr);
  MPCA_TRY_VOID(problems.to_result());
  return calendar;
}

Result<Calendar> load_calendar(const std::string& path) {
  MPCA_TRY(const std::string text, os::read_file(path, kLargestFile));
  return parse_calendar(text, path);
}

}  // namespace mpca::config
