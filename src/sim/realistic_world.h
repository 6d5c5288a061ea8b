// The reference lab's "realistic" simulator as a World: replicas become ready some periods after they were asked for
// (and leave as late), metrics are seen at the scrape cadence only, in flight and latency come from M/D/1 with the true
// rate. It knows no queue that outlives a period, no failures and no random lag.
//
// Number in system of M/D/1: rho + rho^2 / (2 (1 - rho)) (Pollaczek 1930, Khinchine 1932; Kleinrock (1975), Queueing
// Systems I, section 5.6). The p95 is the lab's rule of thumb, mean x (1.1 + 1.9 rho^2).
#pragma once

#include <deque>

#include "policy/policy.h"
#include "policy/world.h"
#include "trace/demand_trace.h"

namespace mpca::sim {

struct RealisticSettings {
  int ready_delay_periods = 2;  // 0: a decision serves in the period it is taken for
  Duration scrape_interval = std::chrono::seconds(30);
  Duration service_time = std::chrono::milliseconds(23);
  double in_flight_cap_per_replica = 2.0;  // of what the scrape shows; the truth has no cap
};

SettingsTable settings_of(RealisticSettings& settings);

/// Requests in the system of M/D/1 per replica count; utilization is cut at 0.999.
double md1_in_flight(double demand_rps, double capacity_rps, int ready_replicas);

/// The lab's p95 of M/D/1; utilization is cut at 0.9999.
double md1_latency_p95_s(double demand_rps, double capacity_rps, int ready_replicas, double service_time_s);

class RealisticWorld final : public policy::World {
 public:
  /// One step of the trace is one period of `workload`. The trace must outlive the world.
  RealisticWorld(const trace::DemandTrace& trace, const policy::Workload& workload, int initial_replicas,
                 const RealisticSettings& settings);

  std::optional<policy::Observation> next() override;
  policy::PeriodOutcome apply(const policy::Decision& decision) override;

 private:
  double demand_now() const;

  const trace::DemandTrace& trace_;
  policy::Workload workload_;
  RealisticSettings settings_;
  std::size_t step_ = 0;
  int spec_replicas_;
  int ready_replicas_;
  std::deque<int> pipeline_;  // asked for in the last periods, the next to become ready first
  double backlog_requests_ = 0.0;
  TimePoint next_scrape_;
  TimePoint last_scrape_;
  double scraped_rate_rps_ = 0.0;
  double scraped_in_flight_ = 0.0;
  double scraped_cpu_cores_ = 0.0;
};

}  // namespace mpca::sim
