// Latencies in fixed memory: an HDR-style histogram, log-linear buckets with a bounded relative error, so that a
// million results cost no more than ten and two histograms merge exactly. Tene (2013), HdrHistogram, hdrhistogram.org.
//
// Only the octaves between the smallest and the largest value have counters (1 KB each, 33 KB when all have): a time
// series of many histograms costs what its values spread over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca {

/// Values from 0 to 1 hour; what is longer counts as 1 hour. Each is known to better than 1 part in 128 from above 1 us
/// on; the smallest, the largest and the sum are exact.
class LatencyHistogram {
 public:
  /// Values that count as one: from `low` to `high`, both included.
  struct Bucket {
    Duration low{};
    Duration high{};
    std::uint64_t count = 0;
  };

  /// A negative value counts as 0. O(1); allocates when a value reaches a new octave, at most 33 times.
  void record(Duration value, std::uint64_t times = 1);
  /// Exactly what recording both in one would have given.
  void merge(const LatencyHistogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  Duration min() const { return min_; }  // 0 when empty, as all that follow
  Duration max() const { return max_; }
  Duration mean() const;
  /// The smallest recorded value (to the precision above, rounded up) with at least a share `level` in [0, 1] of all at
  /// or below it.
  Duration quantile(double level) const;
  /// From the buckets, each value taken in the middle of its bucket.
  Duration standard_deviation() const;
  /// Those that hold something, from the smallest value to the largest.
  std::vector<Bucket> buckets() const;

  /// Lines of text that parse() reads back to an equal histogram; begins with the format's name and version.
  std::string to_text() const;
  ///   errors   invalid_argument  not this format or version, counts that do not add up; names the line
  static Result<LatencyHistogram> parse(std::string_view text);

  bool operator==(const LatencyHistogram&) const = default;

 private:
  std::uint64_t& counter(std::size_t bucket);

  std::vector<std::uint64_t> counts_;  // of whole octaves from first_octave_ on, exactly those from min_ to max_
  std::size_t first_octave_ = 0;
  std::uint64_t count_ = 0;
  Duration min_{};
  Duration max_{};
  // The sum in two parts: in nanoseconds alone, a few million results of an hour would overflow.
  std::uint64_t sum_s_ = 0;
  std::uint64_t sum_ns_ = 0;  // below 10^9
};

}  // namespace mpca
