// Time zones by name, from the system's database (Debian: tzdata) through Howard Hinnant's date library; the standard
// library of g++ 12 has none. A pure room is given offset_at() of each moment, or offsets() for a span.
//
// The library reads the transitions that a zone's file lists. Debian's files list them up to 2037; after that the
// offset of the last one goes on.
#pragma once

#include <string>
#include <string_view>

#include "core/local_time.h"
#include "core/result.h"
#include "core/time.h"

namespace date {
class time_zone;  // NOLINT: the library's name
}

namespace mpca::os {

/// Cheap to copy; valid as long as the program runs. Any thread.
class TimeZone {
 public:
  explicit TimeZone(const date::time_zone& zone) : zone_(&zone) {}

  const std::string& name() const;
  /// Local time minus UTC.
  Duration offset_at(TimePoint time) const;
  /// When a clock there shows `time`. Where it shows that twice (back from summer time), the first; where never (in the
  /// hour that is left out), the moment at which the hands are moved.
  TimePoint to_time(LocalTime time) const;
  /// The offset at `from` and its changes until `to`.
  UtcOffsets offsets(TimePoint from, TimePoint to) const;

 private:
  const date::time_zone* zone_;
};

/// `Europe/Berlin`, `UTC`.
///   errors   not_found  no such zone (with the nearest known), or no database on this machine; begins with the
///   name, as in `"Berlin"; must be …`
Result<TimeZone> find_time_zone(std::string_view name);

}  // namespace mpca::os
