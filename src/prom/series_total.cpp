#include "prom/series_total.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace mpca::prom {

std::uint64_t series_of(const Sample& sample) {
  auto labels = sample.labels;
  std::ranges::sort(labels);
  std::string text = sample.name;
  // A NUL between the parts: neither a name nor, but for mischief, a value has one.
  for (const auto& [name, value] : labels) text.append(1, '\0').append(name).append(1, '\0').append(value);
  return std::hash<std::string>{}(text);
}

double SeriesTotal::advance(TimePoint at, std::span<const SeriesValue> page) {
  std::vector<Kept> now;
  now.reserve(kept_.size() + page.size());
  double increase = 0.0, sum = 0.0;
  bool goes_on = page.empty();  // some series does
  auto old = kept_.begin();
  for (const auto& [series, value] : page) {
    for (; old != kept_.end() && old->series < series; ++old) now.push_back(*old);
    const bool is_known = old != kept_.end() && old->series == series;
    if (!is_known || value < old->value) {
      increase += value;
    } else {
      goes_on = true;
      if (at - old->at <= window_) increase += value - old->value;
    }
    if (is_known) ++old;
    sum += value;
    now.push_back({series, value, at});
  }
  now.insert(now.end(), old, kept_.end());
  // Room for those of this page. The others may come back, but there cannot be so many that matter.
  if (now.size() > kMostSeries) std::erase_if(now, [&](const Kept& one) { return one.at != at; });
  kept_ = std::move(now);

  if (!std::exchange(has_begun_, true)) {
    total_ = sum;
  } else if (!goes_on && increase < total_) {
    total_ = increase;  // rate() takes the fall for the restart that it is
  } else {
    total_ += increase;
  }
  return total_;
}

}  // namespace mpca::prom
