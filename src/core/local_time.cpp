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

std::optional<LocalTime> parse_local_time(std::string_view text) {
  if (text.size() < 16 || (text[10] != 'T' && text[10] != ' ') || text[13] != ':') return std::nullopt;
  const auto date = parse_local_date(text.substr(0, 10));
  const auto h = digits(text.substr(11, 2), 2), m = digits(text.substr(14, 2), 2);
  if (!date || !h || !m || *h > 23 || *m > 59) return std::nullopt;
  Duration of_day = hours(*h) + minutes(*m);
  if (std::string_view rest = text.substr(16); !rest.empty()) {
    const auto s = rest.size() >= 3 ? digits(rest.substr(1, 2), 2) : std::nullopt;
    if (rest[0] != ':' || !s || *s > 59) return std::nullopt;
    of_day += seconds(*s);
    rest.remove_prefix(3);
    if (!rest.empty()) {
      constexpr std::size_t kMostDecimals = 9;
      const std::string_view decimals = rest.substr(1);
      const auto fraction = digits(decimals, decimals.size());
      if (rest[0] != '.' || decimals.empty() || decimals.size() > kMostDecimals || !fraction) return std::nullopt;
      std::int64_t nanoseconds = *fraction;
      for (std::size_t i = decimals.size(); i < kMostDecimals; ++i) nanoseconds *= 10;
      of_day += Duration(nanoseconds);
    }
  }
  return LocalTime(*date) + of_day;
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
