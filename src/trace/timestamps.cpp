#include "trace/timestamps.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "core/local_time.h"
#include "core/text.h"

namespace mpca::trace {
namespace {

// Reads from the front of a text; after the first mismatch everything fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count) ok_ = false;
    for (std::size_t i = 0; ok_ && i < count; ++i) {
      ok_ = rest_[i] >= '0' && rest_[i] <= '9';
      value = value * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(count);
    return ok_ ? value : 0;
  }
  void one_of(std::string_view characters) {
    ok_ = ok_ && !rest_.empty() && characters.find(rest_.front()) != std::string_view::npos;
    if (ok_) rest_.remove_prefix(1);
  }
  bool accept(char character) {
    if (!ok_ || !rest_.starts_with(character)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take(std::size_t count) {
    ok_ = ok_ && rest_.size() >= count;
    if (!ok_) return {};
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  bool done() const { return ok_ && rest_.empty(); }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Clock24 {
  int hour = 0, minute = 0, second = 0;
  bool valid() const { return hour < 24 && minute < 60 && second <= 60; }  // 60 is a leap second
};

std::optional<TimePoint> utc(const std::chrono::year_month_day& date, const Clock24& clock, std::int64_t fraction_ns,
                             std::int64_t zone_minutes) {
  const int year = static_cast<int>(date.year());
  if (!date.ok() || year < 1970 || year > 2260 || !clock.valid()) return std::nullopt;
  const std::int64_t seconds = std::int64_t{clock.hour} * 3600 + clock.minute * 60 + clock.second - zone_minutes * 60;
  return TimePoint(std::chrono::sys_days(date)) + std::chrono::seconds(seconds) + Duration(fraction_ns);
}

// `+hh:mm`, or `+hhmm` without the colon.
std::int64_t zone_minutes(Scanner& scanner, bool with_colon) {
  const bool negative = scanner.accept('-');
  if (!negative) scanner.one_of("+");
  const int hours = scanner.digits(2);
  if (with_colon) scanner.one_of(":");
  const int minutes = scanner.digits(2);
  const std::int64_t total = std::int64_t{hours} * 60 + minutes;
  return negative ? -total : total;
}

}  // namespace

std::optional<TimePoint> parse_epoch(std::string_view text, EpochUnit unit) {
  const auto number = parse_double(text);
  if (!number || !std::isfinite(*number) || *number < 0.0) return std::nullopt;
  if (unit == EpochUnit::detect) {
    unit = *number < 1e11   ? EpochUnit::seconds
           : *number < 1e14 ? EpochUnit::milliseconds
           : *number < 1e17 ? EpochUnit::microseconds
                            : EpochUnit::nanoseconds;
  }
  const std::int64_t unit_ns = unit == EpochUnit::seconds        ? 1'000'000'000
                               : unit == EpochUnit::milliseconds ? 1'000'000
                               : unit == EpochUnit::microseconds ? 1'000
                                                                 : 1;
  if (*number * static_cast<double>(unit_ns) >= 9.18e18) return std::nullopt;
  // Doubles have no nanoseconds left in this century; whole numbers are taken exactly.
  if (const auto whole = parse_int(text)) return TimePoint(Duration(*whole * unit_ns));
  const double whole = std::floor(*number);
  return TimePoint(Duration(static_cast<std::int64_t>(whole) * unit_ns +
                            std::llround((*number - whole) * static_cast<double>(unit_ns))));
}

std::optional<TimePoint> parse_rfc3339(std::string_view text) {
  const auto read = read_date_time(trim(text));
  if (!read || !read->second) return std::nullopt;
  Scanner scanner(read->rest);
  std::int64_t zone = 0;
  if (!scanner.empty() && !scanner.accept('Z') && !scanner.accept('z')) zone = zone_minutes(scanner, true);
  if (!scanner.done()) return std::nullopt;
  return utc(std::chrono::year_month_day(read->date), {read->hour, read->minute, *read->second}, read->nanoseconds,
             zone);
}

std::optional<TimePoint> parse_log_time(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  Scanner scanner(text);
  const int day = scanner.digits(2);
  scanner.one_of("/");
  const std::size_t month_at = kMonths.find(scanner.take(3));
  scanner.one_of("/");
  const int year = scanner.digits(4);
  Clock24 clock;
  scanner.one_of(":");
  clock.hour = scanner.digits(2);
  scanner.one_of(":");
  clock.minute = scanner.digits(2);
  scanner.one_of(":");
  clock.second = scanner.digits(2);
  scanner.one_of(" ");
  const std::int64_t zone = zone_minutes(scanner, false);
  if (!scanner.done() || month_at == std::string_view::npos || month_at % 3 != 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month_at / 3) + 1),
                                         std::chrono::day(static_cast<unsigned>(day))};
  return utc(date, clock, 0, zone);
}

std::optional<TimePoint> parse_timestamp(std::string_view text, EpochUnit unit) {
  if (const auto time = parse_epoch(text, unit)) return time;
  return parse_rfc3339(text);
}

std::string format_rfc3339(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const Duration of_day = time - day;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(of_day).count();
  const std::int64_t fraction_ns = of_day.count() % 1'000'000'000;
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(seconds / 3600), static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string text = buffer.data();
  if (fraction_ns > 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%09lld", static_cast<long long>(fraction_ns));
    text += buffer.data();
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

}  // namespace mpca::trace
