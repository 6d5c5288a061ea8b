// Latencies in fixed memory: an HDR-style histogram, log-linear buckets with a bounded relative error, so that a
// million results cost no more than ten and two histograms merge exactly. Tene (2013), HdrHistogram, hdrhistogram.org.
#pragma once

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
  LatencyHistogram();

  /// A negative value counts as 0. O(1), no allocation.
  void record(Duration value, std::uint64_t times = 1);
  /// Exactly what recording both in one would have given.
  void merge(const LatencyHistogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  Duration min() const;  // 0 when empty, as all that follow
  Duration max() const;
  Duration mean() const;
  /// The smallest recorded value (to the precision above) with at least a share `level` in [0, 1] of all at or below
  /// it.
  Duration quantile(double level) const;

  /// Lines of text that parse() reads back to an equal histogram; begins with the format's name and version.
  std::string to_text() const;
  ///   errors   invalid_argument  not this format or version, counts that do not add up; names the line
  static Result<LatencyHistogram> parse(std::string_view text);

  bool operator==(const LatencyHistogram&) const = default;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  Duration min_{};
  Duration max_{};
  Duration sum_{};
};

}  // namespace mpca
