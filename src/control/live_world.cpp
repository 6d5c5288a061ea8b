#include "control/live_world.h"

#include <algorithm>

#include "core/text.h"

namespace mpca::control {
namespace {

constexpr Duration kLongestSleep = std::chrono::milliseconds(100);  // a stop is heard at least this often
constexpr int kMostWrites = 3;

}  // namespace

std::string_view name_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::unreachable:
      return "unreachable";
    case Trouble::forbidden:
      return "forbidden";
    case Trouble::not_found:
      return "not_found";
    case Trouble::conflict:
      return "conflict";
    case Trouble::refused:
      break;
  }
  return "refused";
}

LiveWorld::LiveWorld(const LiveWorldSettings& settings, LiveWorkload& workload, LiveMetrics& metrics, Clock& clock,
                     std::stop_token stop, OnTrouble on_trouble)
    : settings_(settings),
      workload_(workload),
      metrics_(metrics),
      clock_(clock),
      stop_(std::move(stop)),
      on_trouble_(std::move(on_trouble)),
      started_(clock.now()),
      next_instant_(started_) {}

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
    auto view = workload_.read(clock_.now());
    if (!view) {
      ++without_decision_;
      on_trouble_(cat("no decision, replicas stay as they are: ", view.error().message));
      continue;
    }
    view_ = *std::move(view);
    const LiveReading reading = metrics_.read(view_.ready_replicas);
    if (!reading.trouble.empty()) on_trouble_(cat("metrics: ", reading.trouble));

    policy::Observation& seen = observation_;
    seen.now = clock_.now();
    if (last_shown_ && seen.now <= *last_shown_) seen.now = *last_shown_ + Duration(1);
    const Duration elapsed = last_shown_ ? seen.now - *last_shown_ : Duration::zero();
    last_shown_ = seen.now;
    for (policy::Signal* known : {&last_.served, &last_.failed, &last_.in_flight, &last_.cpu}) known->age += elapsed;
    seen.utc_offset = settings_.offsets.at(seen.now);
    seen.spec_replicas = view_.spec_replicas;
    seen.ready_replicas = view_.ready_replicas;
    seen.starting_pod_ages = view_.starting_pod_ages;
    seen.pods = view_.pods;
    seen.rate_window = reading.rate_window;
    seen.served_rate_rps = shown(reading.served_rate_rps, last_.served);
    seen.failed_rate_rps = shown(reading.failed_rate_rps, last_.failed);
    seen.in_flight_requests = shown(reading.in_flight_requests, last_.in_flight);
    seen.cpu_cores = shown(reading.cpu_cores, last_.cpu);
    return seen;
  }
  return std::nullopt;
}

/// What was known last is still worth something to a policy that asks for its age.
policy::Signal LiveWorld::shown(const policy::Signal& read, policy::Signal& last) const {
  if (read.quality != policy::Quality::missing) {
    last = read;
    if (last.age > settings_.stale_after) last.quality = policy::Quality::stale;
  } else if (last.quality != policy::Quality::missing) {
    last.quality = policy::Quality::stale;
  }
  return last;
}

policy::PeriodOutcome LiveWorld::apply(const policy::Decision& decision) {
  applied_ = {.replicas = view_.spec_replicas, .trouble = std::nullopt, .message = {}};
  if (settings_.apply && decision.replicas != view_.spec_replicas) write(decision.replicas);
  policy::PeriodOutcome outcome;
  outcome.start = observation_.now;
  outcome.length = settings_.workload.period;
  outcome.demand_rps =
      decision.explanation.demand_rps.value_or(observation_.served_rate_rps.value_if_known().value_or(0.0));
  outcome.spec_replicas = applied_.replicas;
  outcome.ready_replicas = view_.ready_replicas;
  outcome.utilization = outcome.demand_rps / (settings_.workload.capacity_rps * std::max(outcome.ready_replicas, 1));
  return outcome;
}

void LiveWorld::write(int replicas) {
  std::string version = view_.version;
  for (int i = 0; i < kMostWrites; ++i) {
    const auto written = workload_.set_replicas(replicas, version);
    if (written) {
      applied_ = {.replicas = replicas, .trouble = std::nullopt, .message = {}};
      return;
    }
    applied_.trouble = written.error().trouble;
    applied_.message = written.error().message;
    const auto now = workload_.read(clock_.now());
    if (!now) break;
    applied_.replicas = now->spec_replicas;
    // It may have happened before the answer was lost.
    if (now->spec_replicas == replicas) {
      applied_.trouble.reset();
      return;
    }
    if (now->spec_replicas != view_.spec_replicas) {
      applied_.message = cat("somebody else has set ", now->spec_replicas, " replicas meanwhile, they stay");
      break;
    }
    if (written.error().trouble != Trouble::conflict) break;
    version = now->version;
  }
  on_trouble_(cat("could not set ", replicas, " replicas: ", applied_.message));
}

}  // namespace mpca::control
