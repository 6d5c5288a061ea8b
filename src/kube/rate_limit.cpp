#include "kube/rate_limit.h"

#include <algorithm>

#include "core/result.h"

namespace mpca::kube {
namespace {

constexpr double kReservedShare = 0.2;
constexpr Duration kShortestWait = std::chrono::milliseconds(1);

}  // namespace

RateLimit::RateLimit(double per_second, int burst) : per_second_(per_second), burst_(burst), tokens_(burst) {
  MPCA_CHECK(per_second > 0 && burst >= 1, "a rate limit that lets nothing through");
}

Duration RateLimit::take(Priority priority, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  if (filled_ && now > *filled_) tokens_ = std::min(burst_, tokens_ + per_second_ * to_seconds(now - *filled_));
  filled_ = now;
  const double kept = priority == Priority::normal ? std::min(kReservedShare * burst_, burst_ - 1) : 0;
  if (priority == Priority::lease || tokens_ >= 1 + kept) {
    tokens_ = std::max(0.0, tokens_ - 1);
    return {};
  }
  return std::max(kShortestWait, from_seconds((1 + kept - tokens_) / per_second_));
}

}  // namespace mpca::kube
