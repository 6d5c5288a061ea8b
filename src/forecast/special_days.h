// Days that are not like their weekday: holidays, the days before them, the last of the month. Those of a class are
// like each other and have a day profile of their own; or a day is like another weekday.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/local_time.h"

namespace mpca::forecast {

struct SpecialDay {
  LocalDate date;
  std::uint8_t day_class = 0;                   // index of SpecialDays::classes, unless
  std::optional<std::chrono::weekday> weekday;  // it is like this one
};

struct SpecialDays {
  static constexpr std::size_t kMostClasses = 8;

  std::vector<SpecialDay> days;        // ascending, none twice
  std::vector<std::uint32_t> classes;  // a number by which a saved memory knows each class again

  /// nullptr: a day like others.
  const SpecialDay* find(LocalDate date) const;
};

}  // namespace mpca::forecast
