#include "sim/realistic_world.h"

#include <algorithm>

#include "core/result.h"

namespace mpca::sim {
namespace {

double utilization_below(double demand_rps, double capacity_rps, int ready_replicas, double limit) {
  return std::min(demand_rps / (std::max(ready_replicas, 1) * capacity_rps), limit);
}

}  // namespace

SettingsTable settings_of(RealisticSettings& settings) {
  return {
      {"ready-delay-periods", &settings.ready_delay_periods, "periods", Range::between(0, 10'000),
       "from asking for a replica until it serves"},
      {"scrape-interval", &settings.scrape_interval, "duration", Range::above(0), "between two looks at the metrics"},
      {"service-time", &settings.service_time, "duration", Range::above(0),
       "mean time one request takes on an idle replica"},
      {"in-flight-cap-per-replica", &settings.in_flight_cap_per_replica, "requests", Range::at_least(0),
       "most in-flight requests that a scrape shows, per ready replica"},
  };
}

double md1_in_flight(double demand_rps, double capacity_rps, int ready_replicas) {
  const double rho = utilization_below(demand_rps, capacity_rps, ready_replicas, 0.999);
  return rho + rho * rho / (2.0 * (1.0 - rho));
}

double md1_latency_p95_s(double demand_rps, double capacity_rps, int ready_replicas, double service_time_s) {
  const double rho = utilization_below(demand_rps, capacity_rps, ready_replicas, 0.9999);
  const double mean = service_time_s * (2.0 - rho) / (2.0 * (1.0 - rho));
  return mean * (1.1 + 1.9 * rho * rho);
}

RealisticWorld::RealisticWorld(const trace::DemandTrace& trace, const policy::Workload& workload, int initial_replicas,
                               const RealisticSettings& settings)
    : trace_(trace),
      workload_(workload),
      settings_(settings),
      spec_replicas_(initial_replicas),
      ready_replicas_(initial_replicas),
      pipeline_(static_cast<std::size_t>(settings.ready_delay_periods), initial_replicas),
      next_scrape_(trace.start) {}

double RealisticWorld::demand_now() const { return std::max(trace_.demand_rps[step_], 0.0); }

std::optional<policy::Observation> RealisticWorld::next() {
  if (step_ >= trace_.demand_rps.size()) return std::nullopt;
  policy::Observation observation;
  observation.now = TimePoint(trace_.start + workload_.period * static_cast<std::int64_t>(step_));
  ready_replicas_ = pipeline_.empty() ? spec_replicas_ : pipeline_.front();
  if (observation.now >= next_scrape_) {
    scraped_rate_rps_ = demand_now();
    scraped_in_flight_ = std::min(md1_in_flight(demand_now(), workload_.capacity_rps, ready_replicas_),
                                  ready_replicas_ * settings_.in_flight_cap_per_replica);
    // A replica at its capacity keeps one core busy.
    scraped_cpu_cores_ = std::min(demand_now() / workload_.capacity_rps, static_cast<double>(ready_replicas_));
    last_scrape_ = observation.now;
    while (next_scrape_ <= observation.now) next_scrape_ += settings_.scrape_interval;
  }
  observation.spec_replicas = spec_replicas_;
  observation.ready_replicas = ready_replicas_;
  // Each rise within the pipeline is a group of pods of one age.
  int seen = ready_replicas_;
  for (std::size_t i = 1; i <= pipeline_.size(); ++i) {
    const int asked = i < pipeline_.size() ? pipeline_[i] : spec_replicas_;
    const Duration age = workload_.period * static_cast<std::int64_t>(pipeline_.size() - i);
    for (; seen < asked; ++seen) observation.starting_pod_ages.push_back(age);
  }
  const Duration metric_age = observation.now - last_scrape_;
  observation.served_rate_rps = policy::Signal::fresh(scraped_rate_rps_, metric_age);
  observation.in_flight_requests = policy::Signal::fresh(scraped_in_flight_, metric_age);
  observation.cpu_cores = policy::Signal::fresh(scraped_cpu_cores_, metric_age);
  return observation;
}

policy::PeriodOutcome RealisticWorld::apply(const policy::Decision& decision) {
  MPCA_CHECK(step_ < trace_.demand_rps.size(), "apply() after the end of the trace");
  spec_replicas_ = decision.replicas;
  pipeline_.push_back(spec_replicas_);
  if (settings_.ready_delay_periods == 0) ready_replicas_ = spec_replicas_;
  pipeline_.pop_front();

  const double demand = demand_now();
  backlog_requests_ = std::max(
      0.0, backlog_requests_ + to_seconds(workload_.period) * (demand - workload_.capacity_rps * ready_replicas_));
  policy::PeriodOutcome outcome;
  outcome.start = TimePoint(trace_.start + workload_.period * static_cast<std::int64_t>(step_));
  outcome.length = workload_.period;
  outcome.demand_rps = demand;
  outcome.spec_replicas = spec_replicas_;
  outcome.ready_replicas = ready_replicas_;
  outcome.utilization = demand / (workload_.capacity_rps * std::max(ready_replicas_, 1));
  outcome.backlog_requests = backlog_requests_;
  outcome.latency_p95_s =
      md1_latency_p95_s(demand, workload_.capacity_rps, ready_replicas_, to_seconds(settings_.service_time));
  ++step_;
  return outcome;
}

}  // namespace mpca::sim
