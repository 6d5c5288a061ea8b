#include "lab/lab_world.h"

#include <algorithm>
#include <cmath>

namespace mpca::lab {
namespace {

// Ctrl-C is heard at least this often.
constexpr Duration kLongestSleep = std::chrono::milliseconds(50);
// A scrape that is a little late is not an outage.
constexpr double kStaleAfterScrapes = 2.5;

}  // namespace

void LoadMeter::add(const load::LiveInterval& interval) {
  const std::scoped_lock lock(mutex_);
  sum_.due += interval.ended.counts.due;
  sum_.latency.merge(interval.ended.latency);
  failed_ += interval.ended.counts.failed();
}

std::uint64_t LoadMeter::failed() const {
  const std::scoped_lock lock(mutex_);
  return failed_;
}

LoadMeter::Sum LoadMeter::take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(sum_, {});
}

LabWorld::LabWorld(const LabWorldSettings& settings, ExperimentClock& clock, PodFleet& fleet, MetricsSource& metrics,
                   const Balancer& balancer, LoadMeter& meter, std::stop_token stop)
    : settings_(settings),
      clock_(clock),
      fleet_(fleet),
      metrics_(metrics),
      balancer_(balancer),
      meter_(meter),
      stop_(std::move(stop)),
      next_instant_(clock.started_at()) {}

policy::Signal LabWorld::signal(std::optional<double> value, policy::Signal& last, Duration age) const {
  const Duration stale_after = from_seconds(kStaleAfterScrapes * to_seconds(settings_.scrape_interval));
  if (value && age <= stale_after) return last = policy::Signal::fresh(*value, age);
  if (value) return last = policy::Signal::stale(*value, age);
  // What was known last is still worth something to a policy that asks for its age.
  if (last.quality != policy::Quality::missing) last.quality = policy::Quality::stale;
  return last;
}

std::optional<double> LabWorld::in_flight_in_life(const Reading& reading) const {
  if (!reading.in_flight_requests) return std::nullopt;
  return *reading.in_flight_requests + (clock_.speed() - 1.0) * reading.waiting_requests.value_or(0.0);
}

std::optional<policy::Observation> LabWorld::next() {
  const TimePoint end = clock_.started_at() + settings_.length;
  while (next_instant_ + settings_.workload.period < clock_.now()) {
    next_instant_ += settings_.workload.period;
    ++skipped_periods_;
  }
  if (next_instant_ >= end || stop_.stop_requested()) return std::nullopt;

  policy::Observation observation;
  observation.now = std::max(clock_.now(), next_instant_);
  if (last_shown_ && observation.now <= *last_shown_) observation.now = *last_shown_ + Duration(1);
  observation.utc_offset = settings_.offsets.at(observation.now);
  const FleetView fleet = fleet_.view();
  observation.spec_replicas = fleet.spec_replicas;
  observation.ready_replicas = fleet.ready_replicas;
  for (const PodView& pod : fleet.pods)
    if (!pod.is_ready && !pod.is_terminating) observation.starting_pod_ages.push_back(clock_.to_experiment(pod.age));
  std::sort(observation.starting_pod_ages.rbegin(), observation.starting_pod_ages.rend());

  Reading reading = is_frozen_ ? Reading{} : metrics_.read();
  const Duration elapsed = last_shown_ ? observation.now - *last_shown_ : Duration::zero();
  for (policy::Signal* known : {&last_.served, &last_.failed, &last_.in_flight, &last_.cpu}) known->age += elapsed;
  const Duration age = clock_.to_experiment(reading.age.value_or(Duration::zero()));
  observation.rate_window = settings_.rate_window;
  observation.served_rate_rps = signal(reading.served_rate_rps, last_.served, age);
  observation.failed_rate_rps = signal(reading.failed_rate_rps, last_.failed, age);
  observation.in_flight_requests = signal(in_flight_in_life(reading), last_.in_flight, age);
  observation.cpu_cores = signal(reading.cpu_cores, last_.cpu, age);
  last_shown_ = observation.now;
  return observation;
}

policy::PeriodOutcome LabWorld::apply(const policy::Decision& decision) {
  policy::PeriodOutcome outcome;
  outcome.start = next_instant_;
  fleet_.set_replicas(decision.replicas);
  next_instant_ += settings_.workload.period;
  double ready_time = 0.0;
  TimePoint seen = clock_.now();
  while (clock_.now() < next_instant_ && !stop_.stop_requested()) {
    clock_.sleep_until(std::min(next_instant_, clock_.now() + clock_.to_experiment(kLongestSleep)));
    const TimePoint now = clock_.now();
    ready_time += to_seconds(now - seen) * fleet_.view().ready_replicas;
    seen = now;
  }
  outcome.length = settings_.workload.period;
  const double length_s = std::max(to_seconds(seen - outcome.start), 1e-9);
  const LoadMeter::Sum load = meter_.take();
  outcome.demand_rps = static_cast<double>(load.due) / to_seconds(clock_.to_real(outcome.length));
  outcome.spec_replicas = decision.replicas;
  outcome.ready_replicas = static_cast<int>(std::lround(ready_time / length_s));
  outcome.utilization = outcome.demand_rps / (settings_.workload.capacity_rps * std::max(outcome.ready_replicas, 1));
  const double working = static_cast<double>(settings_.concurrency) * fleet_.view().ready_replicas;
  outcome.backlog_requests =
      clock_.speed() * std::max(0.0, static_cast<double>(balancer_.counts().outstanding) - working);
  if (load.latency.count() > 0) outcome.latency_p95_s = to_seconds(load.latency.quantile(0.95));
  return outcome;
}

}  // namespace mpca::lab
