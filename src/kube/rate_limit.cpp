#include "kube/rate_limit.h"

#include <algorithm>

#include "core/result.h"

namespace mpca::kube {
namespace {

constexpr double kReservedShare = 0.2;
constexpr double kReservedFromBackground = 0.5;
constexpr Duration kShortestWait = std::chrono::milliseconds(1);

}  // namespace

RateLimit::RateLimit(double per_second, int burst) : per_second_(per_second), burst_(burst), tokens_(burst) {
  MPCA_CHECK(per_second > 0 && burst >= 1, "a rate limit that lets nothing through");
}

void RateLimit::fill(TimePoint now) {
  if (filled_ && now > *filled_) tokens_ = std::min(burst_, tokens_ + per_second_ * to_seconds(now - *filled_));
  filled_ = now;
}

double RateLimit::needed(Priority priority) const {
  switch (priority) {
    case Priority::lease:
      return 0;
    case Priority::scale:
      return 1;
    case Priority::normal:
      return 1 + std::min(kReservedShare * burst_, burst_ - 1);
    case Priority::background:
      break;
  }
  return 1 + std::min(kReservedFromBackground * burst_, burst_ - 1);
}

Duration RateLimit::take(Priority priority, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  fill(now);
  if (tokens_ >= needed(priority)) {
    tokens_ = std::max(0.0, tokens_ - 1);
    return {};
  }
  return std::max(kShortestWait, from_seconds((needed(priority) - tokens_) / per_second_));
}

bool RateLimit::has_room(Priority priority, TimePoint now) {
  const std::scoped_lock lock(mutex_);
  fill(now);
  return tokens_ >= needed(priority);
}

}  // namespace mpca::kube
