// How fast a process may ask the API server: a token bucket that all its clients share. Who waits holds no place in a
// queue, so what is urgent overtakes what waits: a controller with a thousand objects to read still renews its lease
// and still scales.
#pragma once

#include <mutex>
#include <optional>

#include "core/time.h"

namespace mpca::kube {

enum class Priority {
  lease,       // never waits, but counts
  scale,       // waits only for an empty bucket
  normal,      // leaves a fifth of the bucket to the others
  background,  // leaves half of it; what can also be done later asks has_room() first
};

/// Any thread.
class RateLimit {
 public:
  /// per_second > 0, burst >= 1 (checked).
  RateLimit(double per_second, int burst);

  /// Zero: go, the token is taken. Else nothing is taken; ask again after that long. A clock that was set back costs
  /// nothing and gives nothing.
  Duration take(Priority priority, TimePoint now);
  /// Whether take() would let it go. Takes nothing.
  bool has_room(Priority priority, TimePoint now);

 private:
  void fill(TimePoint now);
  double needed(Priority priority) const;

  const double per_second_;
  const double burst_;
  std::mutex mutex_;  // of what follows
  double tokens_;
  std::optional<TimePoint> filled_;
};

}  // namespace mpca::kube
