#include "control/live_world.h"

#include <algorithm>

#include "core/text.h"

namespace mpca::control {
namespace {

constexpr Duration kLongestSleep = std::chrono::milliseconds(100);  // a stop is heard at least this often

}  // namespace

LiveWorld::LiveWorld(const LiveWorldSettings& settings, LiveWorkload& workload, LiveMetrics& metrics, Clock& clock,
                     std::stop_token stop, OnTrouble on_trouble)
    : settings_(settings),
      workload_(workload),
      metrics_(metrics),
      clock_(clock),
      stop_(std::move(stop)),
      on_trouble_(std::move(on_trouble)),
      started_(clock.now()),
      next_instant_(started_),
      step_(settings.stale_after, settings.offsets) {}

/// False when the run is over.
bool LiveWorld::wait_for_next_instant() {
  const Duration period = settings_.workload.period;
  while (next_instant_ + period <= clock_.now()) {
    next_instant_ += period;
    ++skipped_;
  }
  const bool is_over = settings_.length > Duration::zero() && next_instant_ >= started_ + settings_.length;
  while (!is_over && !stop_.stop_requested() && clock_.now() < next_instant_)
    clock_.sleep_until(std::min(next_instant_, clock_.now() + kLongestSleep));
  return !is_over && !stop_.stop_requested();
}

std::optional<policy::Observation> LiveWorld::next() {
  while (wait_for_next_instant()) {
    next_instant_ += settings_.workload.period;
    auto seen = step_.observe(workload_, metrics_, clock_);
    if (!seen) {
      ++without_decision_;
      on_trouble_(cat("no decision, replicas stay as they are: ", seen.error().message));
      continue;
    }
    if (!step_.metrics_trouble().empty()) on_trouble_(cat("metrics: ", step_.metrics_trouble()));
    observation_ = *std::move(seen);
    return observation_;
  }
  return std::nullopt;
}

policy::PeriodOutcome LiveWorld::apply(const policy::Decision& decision) {
  const int decided = settings_.apply ? decision.replicas : observation_.spec_replicas;
  applied_ = step_.carry_out(decided, workload_, clock_, [] { return true; });
  if (applied_.trouble) on_trouble_(cat("could not set ", decided, " replicas: ", applied_.message));
  policy::PeriodOutcome outcome;
  outcome.start = observation_.now;
  outcome.length = settings_.workload.period;
  outcome.demand_rps =
      decision.explanation.demand_rps.value_or(observation_.served_rate_rps.value_if_known().value_or(0.0));
  outcome.spec_replicas = applied_.replicas;
  outcome.ready_replicas = observation_.ready_replicas;
  outcome.utilization = outcome.demand_rps / (settings_.workload.capacity_rps * std::max(outcome.ready_replicas, 1));
  return outcome;
}

}  // namespace mpca::control
