// Saving and loading of large plain memories (histograms, histories, scores) without a line of code per member: an
// object shows each member once to a visitor, and the same list writes them as numbers and reads them back.
//
//   template <class Visit> void visit(Visit&& visit) { visit(counts_); visit(head_); visit(last_time_); }
//
// Members are numbers (integers of up to 53 bits), bools, enums, TimePoints, Durations, arrays of these, and objects
// with visit() themselves. Who loads checks what numbers mean (indices above all) before using them.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "core/time.h"

namespace mpca {

namespace internal {
template <class T>
concept Visited = requires(T& object) { object.visit([](auto&) {}); };
// Nanoseconds since the epoch do not fit the 53 bits of a double: hours and the rest do.
inline constexpr std::int64_t kNanosecondsPerHour = 3'600'000'000'000;
}  // namespace internal

class StateNumbers {
 public:
  template <class T>
  void operator()(T& member) {
    if constexpr (internal::Visited<T>) {
      member.visit(*this);
    } else if constexpr (std::is_same_v<T, TimePoint>) {
      add_time(member.time_since_epoch().count());
    } else if constexpr (std::is_same_v<T, Duration>) {
      add_time(member.count());
    } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      numbers_.push_back(static_cast<double>(member));
    } else {
      for (auto& element : member) (*this)(element);
    }
  }
  const std::vector<double>& numbers() const { return numbers_; }

 private:
  void add_time(std::int64_t nanoseconds) {
    const std::int64_t hours = nanoseconds / internal::kNanosecondsPerHour;
    numbers_.push_back(static_cast<double>(hours));
    numbers_.push_back(static_cast<double>(nanoseconds % internal::kNanosecondsPerHour));
  }
  std::vector<double> numbers_;
};

/// Reads what StateNumbers wrote. After a number that its member cannot hold, or too few of them, `is_good()` is false
/// and what was read is worth nothing.
class StateNumbersReader {
 public:
  explicit StateNumbersReader(std::span<const double> numbers) : rest_(numbers) {}

  template <class T>
  void operator()(T& member) {
    if constexpr (internal::Visited<T>) {
      member.visit(*this);
    } else if constexpr (std::is_same_v<T, TimePoint>) {
      member = TimePoint(Duration(take_time()));
    } else if constexpr (std::is_same_v<T, Duration>) {
      member = Duration(take_time());
    } else if constexpr (std::is_enum_v<T>) {
      member = static_cast<T>(take<std::underlying_type_t<T>>());
    } else if constexpr (std::is_arithmetic_v<T>) {
      member = take<T>();
    } else {
      for (auto& element : member) (*this)(element);
    }
  }
  /// All numbers were read, and each was one that its member holds.
  bool is_good() const { return is_good_ && rest_.empty(); }

 private:
  template <class T>
  T take() {
    if (rest_.empty()) {
      is_good_ = false;
      return T{};
    }
    const double number = rest_.front();
    rest_ = rest_.subspan(1);
    if constexpr (std::is_floating_point_v<T>) {
      const T value = static_cast<T>(number);
      if (!std::isfinite(value)) is_good_ = false;
      return is_good_ ? value : T{};
    } else {
      const bool fits = number >= static_cast<double>(std::numeric_limits<T>::lowest()) &&
                        number < std::ldexp(1.0, std::numeric_limits<T>::digits) && number == std::trunc(number);
      if (!fits) is_good_ = false;
      return fits ? static_cast<T>(number) : T{};
    }
  }
  std::int64_t take_time() {
    const std::int64_t hours = take<std::int32_t>();
    const double rest = take<double>();
    constexpr auto kHour = static_cast<double>(internal::kNanosecondsPerHour);
    std::int64_t nanoseconds = 0;
    if (!(rest > -kHour && rest < kHour) || rest != std::trunc(rest) ||
        __builtin_mul_overflow(hours, internal::kNanosecondsPerHour, &nanoseconds) ||
        __builtin_add_overflow(nanoseconds, static_cast<std::int64_t>(rest), &nanoseconds)) {
      is_good_ = false;
      return 0;
    }
    return nanoseconds;
  }

  std::span<const double> rest_;
  bool is_good_ = true;
};

}  // namespace mpca
