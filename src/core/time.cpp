#include "core/time.h"

#include <cmath>

#include "core/text.h"

namespace mpca {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

// `ms` before `m`, so that the longer name wins.
constexpr Unit kUnits[] = {{"ns", 1},
                           {"us", 1'000},
                           {"\u00b5s", 1'000},
                           {"ms", 1'000'000},
                           {"s", 1'000'000'000},
                           {"m", 60'000'000'000},
                           {"h", 3'600'000'000'000}};

constexpr double kLongestSeconds = 9.2e9;

}  // namespace

Duration from_seconds(double seconds) {
  MPCA_CHECK(std::isfinite(seconds) && std::abs(seconds) < kLongestSeconds, "a duration of more than 292 years");
  return Duration(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

Result<Duration> parse_duration(std::string_view text) {
  const auto refuse = [&] {
    return invalid(cat("\"", text, "\" is not a duration; use a number with a unit, such as 45s, 1m30s or 150ms"));
  };
  std::string_view rest = trim(text);
  if (rest == "0") return Duration{0};
  if (rest.empty()) return refuse();
  double total_ns = 0.0;
  while (!rest.empty()) {
    const std::size_t digits = rest.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return refuse();
    const auto number = parse_double(rest.substr(0, digits));
    if (!number) return refuse();
    rest.remove_prefix(digits);
    const std::size_t unit_length = rest.find_first_of("0123456789.");
    const std::string_view unit_name = rest.substr(0, unit_length);
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      if (candidate.name == unit_name) unit = &candidate;
    }
    if (unit == nullptr) return refuse();
    total_ns += *number * static_cast<double>(unit->nanoseconds);
    rest.remove_prefix(unit_name.size());
  }
  if (total_ns > kLongestSeconds * 1e9) return refuse();
  return Duration(static_cast<std::int64_t>(std::llround(total_ns)));
}

std::string format_duration(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  std::string text = duration < Duration::zero() ? "-" : "";
  std::int64_t left = std::abs(duration.count());
  if (left < 1'000'000'000) {
    for (const Unit& unit : {kUnits[3], kUnits[1], kUnits[0]}) {
      if (left >= unit.nanoseconds) {
        return text + shortest(static_cast<double>(left) / static_cast<double>(unit.nanoseconds)) +
               std::string(unit.name);
      }
    }
  }
  for (const Unit& unit : {kUnits[6], kUnits[5]}) {
    if (left >= unit.nanoseconds) {
      text += std::to_string(left / unit.nanoseconds) + std::string(unit.name);
      left %= unit.nanoseconds;
    }
  }
  if (left > 0) {
    std::string seconds = fixed(static_cast<double>(left) / 1e9, 9);
    seconds.erase(seconds.find_last_not_of('0') + 1);
    if (seconds.back() == '.') seconds.pop_back();
    text += seconds + "s";
  }
  return text;
}

}  // namespace mpca
