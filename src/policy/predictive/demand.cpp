#include "policy/predictive/demand.h"

#include <algorithm>

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
    const TimePoint in_flight_sampled = observation.now - observation.in_flight_requests.age;
    const double in_flight = observation.in_flight_requests.value;
    if (has_in_flight_ && in_flight_sampled > in_flight_sampled_) {
      rps += (in_flight - in_flight_) / to_seconds(in_flight_sampled - in_flight_sampled_);
      used_change_ = true;
    }
    has_in_flight_ = true;
    in_flight_ = in_flight;
    in_flight_sampled_ = in_flight_sampled;
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
  return sample_.rps >= 0.0 && in_flight_ >= 0.0 && boost_ >= 1.0 && boost_ <= kGreatestBoost;
}

}  // namespace mpca::policy
