#include "policy/predictive/demand.h"

#include <algorithm>
#include <span>

namespace mpca::policy {
namespace {

constexpr double kBoostStep = 1.5;
constexpr double kGreatestBoost = 4.0;
// Growth over less than that is noise, and over more it comes late.
constexpr Duration kQuickWindow = std::chrono::seconds(10);
constexpr double kGreatestRps = 1e9;  // finite, whatever a failed rate or a count in flight reads

}  // namespace

bool Demand::observe(const ScreenedObservation& screened, bool is_saturated, Duration dead_time,
                     std::optional<double> queued_rps) {
  const Observation& observation = screened.observation;
  if (screened.served_rate != Finding::good) {
    if (screened.served_rate == Finding::missing) keep_in_flight(screened);
    return observe_collapse(screened);
  }
  const TimePoint sampled = observation.now - observation.served_rate_rps.age;
  if (has_sample_ && sampled <= sample_.sampled) return false;

  double served_rps = observation.served_rate_rps.value;
  // Rates are sums over the pods that were seen.
  used_coverage_ = screened.covered_share && *screened.covered_share < 1.0;
  if (used_coverage_) served_rps /= *screened.covered_share;
  used_failed_ = screened.failed_rate == Finding::good || screened.failed_rate == Finding::duplicate;
  const double failed_rps = used_failed_ ? observation.failed_rate_rps.value : 0.0;
  double rps = served_rps + failed_rps;
  used_change_ = used_queue_ = false;
  if (const std::optional<InFlight> now = keep_in_flight(screened)) {
    const auto growth_rps = [&](const InFlight& then) {
      return (now->requests - then.requests) / to_seconds(now->sampled - then.sampled);
    };
    if (const InFlight* then = before(*now, observation.rate_window)) {
      used_change_ = true;
      rps += growth_rps(*then);
    }
    const InFlight* lately = before(*now, std::min(kQuickWindow, observation.rate_window));
    if (queued_rps && lately != nullptr && now->requests > lately->requests) {
      const double quick_rps = std::min(served_rps, *queued_rps) + failed_rps + growth_rps(*lately);
      used_queue_ = quick_rps > rps;
      rps = std::max(rps, quick_rps);
    }
  }

  const bool is_censored = is_saturated && !used_failed_;
  if (is_censored) {
    boost(sampled, dead_time);
  } else {
    boost_ = 1.0;
  }
  is_collapse_ = false;
  sample_ = {.sampled = sampled, .rps = std::clamp(rps, 0.0, kGreatestRps) * boost_, .is_censored = is_censored};
  has_sample_ = true;
  return true;
}

const Demand::InFlight* Demand::before(const InFlight& now, Duration window) const {
  const InFlight* nearest = nullptr;
  const auto misses_by = [&](const InFlight& sample) {
    return std::chrono::abs(now.sampled - sample.sampled - window);
  };
  for (int i = kept_ - 1; i-- > 0;) {
    const InFlight& sample = in_flight_[static_cast<std::size_t>(i)];
    if (nearest != nullptr && misses_by(sample) >= misses_by(*nearest)) break;
    nearest = &sample;
  }
  return nearest;
}

std::optional<Demand::InFlight> Demand::keep_in_flight(const ScreenedObservation& screened) {
  if (screened.in_flight != Finding::good) return std::nullopt;
  const Signal& in_flight = screened.observation.in_flight_requests;
  const InFlight now{screened.observation.now - in_flight.age, in_flight.value};
  const auto back = [&](int i) { return in_flight_[static_cast<std::size_t>(kept_ - i)].sampled; };
  if (kept_ > 0 && now.sampled <= back(1)) kept_ = 0;  // a clock that was set back
  // So far apart that they reach over the window, however dense samples are; the newest two are always there.
  constexpr int kApart = kMostKept - 3;
  if (kept_ > 2 && back(2) - back(3) < screened.observation.rate_window / kApart) {
    in_flight_[static_cast<std::size_t>(kept_ - 2)] = in_flight_[static_cast<std::size_t>(kept_ - 1)];
    --kept_;
  }
  if (kept_ == kMostKept) {
    std::copy(in_flight_.begin() + 1, in_flight_.end(), in_flight_.begin());
    --kept_;
  }
  in_flight_[static_cast<std::size_t>(kept_++)] = now;
  return now;
}

bool Demand::observe_collapse(const ScreenedObservation& screened) {
  const Observation& observation = screened.observation;
  const bool is_contradicted =
      screened.served_rate == Finding::zero_contradicted || screened.served_rate == Finding::below_cpu;
  const bool has_failed = screened.failed_rate == Finding::good;
  const Signal& newest = has_failed ? observation.failed_rate_rps : observation.served_rate_rps;
  if (!is_contradicted || newest.quality == Quality::missing) return false;
  const TimePoint sampled = observation.now - newest.age;
  const double served = observation.served_rate_rps.value_if_known().value_or(0.0);
  const double rps = std::min(served + (has_failed ? observation.failed_rate_rps.value : 0.0), kGreatestRps);
  if (has_sample_ && (sampled <= sample_.sampled || rps <= sample_.rps)) return false;
  used_coverage_ = used_change_ = used_queue_ = false;
  used_failed_ = has_failed;
  is_collapse_ = true;
  sample_ = {.sampled = sampled, .rps = rps, .is_censored = true};
  has_sample_ = true;
  return true;
}

void Demand::boost(TimePoint sampled, Duration dead_time) {
  if (boost_ > 1.0 && sampled < boosted_ + dead_time) return;
  boost_ = std::min(boost_ * kBoostStep, kGreatestBoost);
  boosted_ = sampled;
}

std::string Demand::source() const {
  if (is_collapse_) return "what failed and what CPU speaks for, at least";
  std::string source = "served rate";
  if (used_coverage_) source += " scaled up to all pods";
  if (used_failed_) source += " + failed rate";
  if (used_queue_) return source + " + growth of the queue";
  if (used_change_) source += " + change of in flight";
  if (sample_.is_censored) source += ", at least: the queue is full and failures are not counted";
  return source;
}

bool Demand::is_valid() const {
  if (kept_ < 0 || kept_ > kMostKept) return false;
  const auto kept = std::span(in_flight_).first(static_cast<std::size_t>(kept_));
  const auto is_number = [](const InFlight& sample) { return sample.requests >= 0.0; };
  const auto is_later = [](const InFlight& a, const InFlight& b) { return b.sampled <= a.sampled; };
  return sample_.rps >= 0.0 && boost_ >= 1.0 && boost_ <= kGreatestBoost &&
         std::all_of(kept.begin(), kept.end(), is_number) &&
         std::adjacent_find(kept.begin(), kept.end(), is_later) == kept.end();
}

}  // namespace mpca::policy
