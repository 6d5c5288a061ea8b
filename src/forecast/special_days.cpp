#include "forecast/special_days.h"

#include <algorithm>

namespace mpca::forecast {

const SpecialDay* SpecialDays::find(LocalDate date) const {
  if (days.empty()) return nullptr;
  const auto found = std::lower_bound(days.begin(), days.end(), date,
                                      [](const SpecialDay& day, LocalDate wanted) { return day.date < wanted; });
  return found != days.end() && found->date == date ? &*found : nullptr;
}

}  // namespace mpca::forecast
