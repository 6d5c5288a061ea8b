#include "policy/predictive/candidates.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace mpca::policy {
namespace {

// The share of a replica that planners and their floor use: beyond, requests begin to wait.
constexpr double kPlannedUtilization = 0.88;
constexpr double kFloorUtilization = 0.97;
constexpr double kSlopeSmoothing = 0.4;  // per sample
// An exact multiple of a factor is no reason for one more replica, nor is what a held float is off by (6e-8 of it).
constexpr double kTiny = 1e-9, kTinyShare = 1e-7;
constexpr std::int32_t kSlotNumbers = 0x7fffffff;

}  // namespace

double HeldMaximum::observe(TimePoint time, Duration hold, double value) {
  const auto number = static_cast<float>(value);
  if (hold <= Duration::zero()) {
    greatest_.fill(number);
    return value;
  }
  const Duration width = std::max<Duration>(hold / kSlots, std::chrono::seconds(1));
  const Duration since_epoch = time.time_since_epoch();
  const std::int64_t slot = since_epoch / width - (since_epoch % width < Duration::zero() ? 1 : 0);
  const auto place = [](std::int64_t s) { return static_cast<std::size_t>((s % kSlots + kSlots) % kSlots); };
  // Slot numbers are kept modulo 2^31: only their distance matters. More than half of that is a step back.
  const auto number_of_slot = static_cast<std::int32_t>(slot & kSlotNumbers);
  const std::int32_t distance = slot_ < 0 ? kSlotNumbers / 2 : (number_of_slot - slot_) & kSlotNumbers;
  const std::int64_t ahead = distance > kSlotNumbers / 2 ? 0 : std::min<std::int64_t>(distance, kSlots);
  for (std::int64_t i = 0; i < ahead; ++i) greatest_[place(slot - i)] = 0.0F;
  slot_ = number_of_slot;
  greatest_[place(slot)] = std::max(greatest_[place(slot)], number);
  const std::int64_t held = std::clamp<std::int64_t>((hold + width - Duration(1)) / width, 1, kSlots);
  float greatest = 0.0F;
  for (std::int64_t i = 0; i < held; ++i) greatest = std::max(greatest, greatest_[place(slot - i)]);
  return static_cast<double>(greatest);
}

const Candidates::Replicas& Candidates::decide(const Situation& now) {
  const double elapsed_s = has_decided_ ? to_seconds(now.sampled - last_sampled_) : 0.0;
  if (elapsed_s > 0.0) {
    const double slope = (now.load - last_load_) / elapsed_s;
    slope_per_s_ += kSlopeSmoothing * (slope - slope_per_s_);
  }
  last_sampled_ = now.sampled;
  last_load_ = now.load;

  std::size_t i = 0;
  const double least = now.min_replicas, greatest = now.max_replicas;
  const double known = now.least_load / kPlannedUtilization;
  const auto put = [&](double usual_replicas) {
    const double replicas = std::max(usual_replicas * now.event_factor, known);
    const double whole = std::ceil(replicas - std::max(kTiny, kTinyShare * replicas));
    replicas_[i++] = static_cast<std::uint16_t>(std::max(least, std::min(greatest, whole)));
  };
  for (std::size_t h = 0; h < kHoldSeconds.size(); ++h) {
    const double held = held_load_[h].observe(now.sampled, std::chrono::seconds(kHoldSeconds[h]), now.load);
    for (const double factor : kFactors) put(factor * held);
  }
  for (std::size_t g = 0; g < kTrendGains.size(); ++g) {
    const double ahead = std::max(slope_per_s_, 0.0) * kTrendGains[g] * to_seconds(now.dead_time);
    for (std::size_t h = 0; h < kTrendHoldSeconds.size(); ++h) {
      const double held =
          held_trend_[g][h].observe(now.sampled, std::chrono::seconds(kTrendHoldSeconds[h]), now.load + ahead);
      for (const double factor : kTrendFactors) put(factor * held);
    }
  }
  const auto plan = [&](std::size_t up_level, std::size_t keep_level) {
    const double before = has_decided_ ? replicas_[i] / now.event_factor : 0.0;
    const double up = now.forward[up_level] / kPlannedUtilization;
    const double keep = now.forward[keep_level] / kPlannedUtilization;
    put(std::max(up >= before ? up : std::min(before, keep), now.load / kFloorUtilization));
  };
  for (std::size_t l = 0; l < kLevels; ++l) plan(l, l);
  for (std::size_t l = 0; l < kPlannerPairs; ++l) plan(l, l + 2);
  replicas_[kOwnHpa] = static_cast<std::uint16_t>(std::clamp(now.own_hpa_replicas, now.min_replicas, now.max_replicas));
  has_decided_ = true;
  return replicas_;
}

bool Candidates::is_valid() const {
  constexpr double kBeyondAnyFleet = 1e15;
  return last_load_ >= 0.0 && last_load_ < kBeyondAnyFleet && std::abs(slope_per_s_) < kBeyondAnyFleet;
}

std::string Candidates::name(std::size_t candidate) {
  if (candidate == kOwnHpa) return "own HPA";
  const auto held = [](int seconds) {
    return seconds == 0 ? std::string() : " held " + format_duration(std::chrono::seconds(seconds));
  };
  if (candidate < kRules)
    return cat("level x", kFactors[candidate % kFactors.size()], held(kHoldSeconds[candidate / kFactors.size()]));
  candidate -= kRules;
  if (candidate < kTrends) {
    const std::size_t family = candidate / kTrendFactors.size();
    return cat("trend ", kTrendGains[family / kTrendHoldSeconds.size()], " x",
               kTrendFactors[candidate % kTrendFactors.size()],
               held(kTrendHoldSeconds[family % kTrendHoldSeconds.size()]));
  }
  candidate -= kTrends;
  if (candidate < kLevels) return cat("planner q ", forecast::kForwardLevels[candidate]);
  candidate -= kLevels;
  return cat("planner q ", forecast::kForwardLevels[candidate], " keeping ", forecast::kForwardLevels[candidate + 2]);
}

}  // namespace mpca::policy
