#include "kube/internal/time_text.h"

#include <array>
#include <cstdio>

#include "core/local_time.h"

namespace mpca::kube::internal {

std::optional<TimePoint> parse_time(std::string_view text) {
  const auto read = read_date_time(text);
  if (!read || read->separator != 'T' || !read->second || read->rest != "Z") return std::nullopt;
  const auto day = std::chrono::sys_days(read->date.time_since_epoch());
  return TimePoint(day) + std::chrono::hours(read->hour) + std::chrono::minutes(read->minute) +
         std::chrono::seconds(*read->second) + std::chrono::nanoseconds(read->nanoseconds);
}

std::string micro_time(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::microseconds>(time - day));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text.data();
}

}  // namespace mpca::kube::internal
