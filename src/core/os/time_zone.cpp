#include "core/os/time_zone.h"

#include <date/tz.h>

#include <vector>

#include "core/text.h"

namespace mpca::os {
namespace {

constexpr int kMostChanges = 100'000;

date::sys_info info_at(const date::time_zone& zone, TimePoint time) {
  return zone.get_info(date::sys_time<Duration>(time.time_since_epoch()));
}

}  // namespace

const std::string& TimeZone::name() const { return zone_->name(); }

Duration TimeZone::offset_at(TimePoint time) const { return info_at(*zone_, time).offset; }

TimePoint TimeZone::to_time(LocalTime time) const {
  const date::local_time<Duration> local(time.time_since_epoch());
  const date::local_info info = zone_->get_info(local);
  if (info.result == date::local_info::nonexistent) return TimePoint(info.first.end.time_since_epoch());
  return TimePoint(local.time_since_epoch() - info.first.offset);
}

UtcOffsets TimeZone::offsets(TimePoint from, TimePoint to) const {
  std::vector<UtcOffsets::Change> changes;
  date::sys_info info = info_at(*zone_, from);
  changes.push_back({from, info.offset});
  // The last of all ends beyond what nanoseconds reach.
  const std::chrono::sys_seconds last = std::chrono::floor<std::chrono::seconds>(to);
  for (int i = 0; i < kMostChanges && info.end <= last; ++i) {
    const TimePoint at(info.end.time_since_epoch());
    info = info_at(*zone_, at);
    changes.push_back({at, info.offset});
  }
  return UtcOffsets(std::move(changes));
}

Result<TimeZone> find_time_zone(std::string_view name) {
  try {
    // locate_zone() throws for an unknown name as well as without a database; which it was, the list tells.
    const date::tzdb& database = date::get_tzdb();
    std::vector<std::string_view> names;
    for (const date::time_zone& zone : database.zones) {
      if (zone.name() == name) {
        (void)info_at(zone, TimePoint{});  // reads the zone's file, which throws if it is damaged
        return TimeZone(zone);
      }
      names.emplace_back(zone.name());
    }
    return fail(ErrorCode::not_found, cat("\"", name, "\"; must be a time zone's name such as Europe/Berlin or UTC",
                                          did_you_mean(name, names)));
  } catch (const std::exception& error) {
    return fail(ErrorCode::not_found, cat("\"", name, "\"; this machine's time zones cannot be read (", error.what(),
                                          "); the package tzdata has them"));
  }
}

}  // namespace mpca::os
