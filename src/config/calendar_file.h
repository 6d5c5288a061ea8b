// The calendar of known events as people write it: local times in the workload's time zone.
//
//   timeZone: Europe/Berlin
//   events:
//     - {name: sale, start: 2026-11-27T08:00, end: 2026-11-27T22:00, factor: 3}       # times the usual
//     - {name: broadcast, start: 2026-12-31T20:00, end: 2026-12-31T21:00, demandRps: 500}  # at least this much
//   alike:
//     - {name: holidays, days: [2025-12-25, 2025-12-26, 2026-12-25]}   # like each other, not like their weekday
//     - {name: may, days: [2026-05-01], like: sunday}
//
// docs/how-to/known-events.md says what for.
#pragma once

#include <string>
#include <string_view>

#include "config/document.h"
#include "core/os/time_zone.h"
#include "core/result.h"
#include "policy/predictive/calendar.h"

namespace mpca::config {

/// YAML or JSON. A local time that the zone's clocks show twice is the first of them, one that they leave out the
/// moment of the change.
///
///   where    what each message begins with: the file
///   errors   invalid_argument  every problem with its field, those of policy::Calendar::create() among them
Result<policy::Calendar> parse_calendar(std::string_view text, std::string_view where);

///   errors   not_found, io  of the file; and those of parse_calendar()
Result<policy::Calendar> load_calendar(const std::string& path);

/// `events` and `alike` of an object that has been read. Problems are noted in the fields' list.
///   zone   of the local times; nullptr: not known, which has been noted
policy::Calendar read_calendar(const Fields& fields, const os::TimeZone* zone);

}  // namespace mpca::config
