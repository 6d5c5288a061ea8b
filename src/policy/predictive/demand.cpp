#include "policy/predictive/demand.h"

#include <algorithm>
#include <span>

namespace mpca::policy {
namespace {

constexpr double kBoostStep = 1.5;
constexpr double kGreatestBoost = 4.0;
constexpr double kGreatestRps = 1e9;  // finite, whatever a failed rate or a count in flight reads

}  // namespace

bool Demand::observe(const ScreenedObservation& screened, bool is_saturated, Duration dead_time) {
  const Observation& observation = screened.observation;
  if (screened.served_rate != Finding::good) return observe_collapse(screened);
  const TimePoint sampled = observation.now - observation.served_rate_rps.age;
  if (has_sample_ && sampled <= sample_.sampled) return false;

  double rps = observation.served_rate_rps.value;
  // Rates are sums over the pods that were seen.
  used_coverage_ = screened.covered_share && *screened.covered_share < 1.0;
  if (used_coverage_) rps /= *screened.covered_share;
  used_failed_ = screened.failed_rate == Finding::good || screened.failed_rate == Finding::duplicate;
  if (used_failed_) rps += observation.failed_rate_rps.value;
  used_change_ = false;
  if (screened.in_flight == Finding::good) {
    const Signal& in_flight = observation.in_flight_requests;
    const auto change = change_rps({observation.now - in_flight.age, in_flight.value}, observation.rate_window);
    used_change_ = change.has_value();
    rps += change.value_or(0.0);
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

/// Over the nearest to `window` that is kept.
std::optional<double> Demand::change_rps(InFlight now, Duration window) {
  const auto newest = [&] { return in_flight_[static_cast<std::size_t>(kept_ - 1)]; };
  if (kept_ > 0 && now.sampled <= newest().sampled) kept_ = 0;  // a clock that was set back
  std::optional<double> rps;
  if (kept_ > 0) {
    InFlight before = newest();
    const auto misses_by = [&](const InFlight& sample) {
      return std::chrono::abs(now.sampled - sample.sampled - window);
    };
    for (int i = kept_ - 1; i-- > 0 && misses_by(in_flight_[static_cast<std::size_t>(i)]) < misses_by(before);)
      before = in_flight_[static_cast<std::size_t>(i)];
    rps = (now.requests - before.requests) / to_seconds(now.sampled - before.sampled);
  }
  // So far apart that they reach over the window, however dense samples are; the newest is always there.
  constexpr int kApart = kMostKept - 2;
  if (kept_ > 1 && newest().sampled - in_flight_[static_cast<std::size_t>(kept_ - 2)].sampled < window / kApart)
    --kept_;
  if (kept_ == kMostKept) {
    std::copy(in_flight_.begin() + 1, in_flight_.end(), in_flight_.begin());
    --kept_;
  }
  in_flight_[static_cast<std::size_t>(kept_++)] = now;
  return rps;
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
  used_coverage_ = used_change_ = false;
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
