// The series of one counter of a pod (`…{code="200"}`, `…{code="503"}`) as one counter that never falls by itself: the
// increases are summed and not the values, as in PromQL's sum(rate()). When a label set disappears (an expired stat, a
// deleted label value), the sum of the values falls; a rate of that sum would take the fall for a restart and count all
// that was ever served as if it had just come.
//
// What a page adds:
//   higher than before        the difference
//   lower                     its value: it began again at 0
//   absent                    nothing, and what it was is kept: it may come back
//   back after over a window  nothing (when lower: its value). How much of the difference is recent, nobody knows, and
//                             PromQL has then only one sample of it
//   there for the first time  its value. Otherwise than in PromQL, where a first value gives nothing: there, a series
//                             may be old and only newly found. Here the pod was seen without it, counters begin at 0,
//                             and the first failures of a pod are the ones that matter most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/time.h"
#include "prom/exposition.h"

namespace mpca::prom {

/// Of one counter and pod. A page of 2 MiB hardly holds more; they take 24 bytes each.
constexpr std::size_t kMostSeries = 4096;

struct SeriesValue {
  std::uint64_t series = 0;  // as series_of() has it
  double value = 0.0;
  bool operator==(const SeriesValue&) const = default;
};

/// A number for name and labels, whatever the order of the labels. The same only within one process.
std::uint64_t series_of(const Sample& sample);

class SeriesTotal {
 public:
  /// What was not on a page for longer than `window` is no news when it comes back.
  explicit SeriesTotal(Duration window) : window_(window) {}

  /// The counter after one more page. The first page begins it with the sum of its values; pages after a restart begin
  /// it anew where that says the same, so that of one series it is that series.
  ///   at    later than the one before
  ///   page  by rising `series`, none twice, at most kMostSeries
  ///   cost  O(n) for n series that are kept: kMostSeries at most, those on the page before others
  double advance(TimePoint at, std::span<const SeriesValue> page);

  std::size_t kept_series() const { return kept_.size(); }

 private:
  struct Kept {
    std::uint64_t series;
    double value;
    TimePoint at;
  };
  Duration window_;
  std::vector<Kept> kept_;  // by series
  double total_ = 0.0;
  bool has_begun_ = false;
};

}  // namespace mpca::prom
