#include "core/local_time.h"

#include <algorithm>

#include "core/result.h"
#include "core/text.h"

namespace mpca {
namespace {

using std::chrono::day;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::month;
using std::chrono::seconds;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr int kFirstYear = 1700, kLastYear = 2261;  // of 64 bits of nanoseconds

std::optional<int> digits(std::string_view text, std::size_t count) {
  if (text.size() != count || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return static_cast<int>(*parse_int(text));
}

}  // namespace

std::optional<LocalDate> parse_local_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto y = digits(text.substr(0, 4), 4), m = digits(text.substr(5, 2), 2), d = digits(text.substr(8), 2);
  if (!y || !m || !d || *y < kFirstYear || *y > kLastYear) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d))};
  return date.ok() ? std::optional<LocalDate>(date) : std::nullopt;
}

std::optional<LeadingDateTime> read_date_time(std::string_view text) {
  if (text.size() < 16 || std::string_view("Tt ").find(text[10]) == std::string_view::npos || text[13] != ':')
    return std::nullopt;
  const auto date = parse_local_date(text.substr(0, 10));
  const auto hour = digits(text.substr(11, 2), 2), minute = digits(text.substr(14, 2), 2);
  if (!date || !hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  LeadingDateTime read{.date = *date, .separator = text[10], .hour = *hour, .minute = *minute};
  read.rest = text.substr(16);
  if (!read.rest.starts_with(':')) return read;
  read.second = digits(read.rest.substr(1, 2), 2);
  if (!read.second || *read.second > 60) return std::nullopt;
  read.rest.remove_prefix(3);
  if (!read.rest.starts_with('.')) return read;
  read.rest.remove_prefix(1);
  read.decimals = std::min(read.rest.find_first_not_of("0123456789"), read.rest.size());
  if (read.decimals == 0) return std::nullopt;
  std::int64_t weight = 100'000'000;
  for (const char digit : read.rest.substr(0, read.decimals)) {
    read.nanoseconds += weight * (digit - '0');
    weight /= 10;
  }
  read.rest.remove_prefix(read.decimals);
  return read;
}

std::optional<LocalTime> parse_local_time(std::string_view text) {
  constexpr std::size_t kMostDecimals = 9;
  const auto read = read_date_time(text);
  if (!read || !read->rest.empty() || read->separator == 't' || read->second.value_or(0) > 59 ||
      read->decimals > kMostDecimals)
    return std::nullopt;
  return LocalTime(read->date) + hours(read->hour) + minutes(read->minute) + seconds(read->second.value_or(0)) +
         Duration(read->nanoseconds);
}

std::string format_local_date(LocalDate date) {
  const year_month_day parts(date);
  const auto two = [](unsigned value) { return cat(value < 10 ? "0" : "", value); };
  return cat(static_cast<int>(parts.year()), "-", two(static_cast<unsigned>(parts.month())), "-",
             two(static_cast<unsigned>(parts.day())));
}

UtcOffsets::UtcOffsets(std::vector<Change> changes) : changes_(std::move(changes)) {
  MPCA_CHECK(
      std::is_sorted(changes_.begin(), changes_.end(), [](const auto& a, const auto& b) { return a.from < b.from; }),
      "changes of an offset are in order of time");
}

Duration UtcOffsets::at(TimePoint time) const {
  if (changes_.empty()) return {};
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), time,
                                      [](TimePoint t, const Change& change) { return t < change.from; });
  return after == changes_.begin() ? changes_.front().offset : std::prev(after)->offset;
}

}  // namespace mpca
