#include "sim/fluid_world.h"

#include <algorithm>
#include <cmath>

#include "core/result.h"

namespace mpca::sim {
namespace {

constexpr Duration kStep = std::chrono::seconds(1);
constexpr int kPartsOfABusySecond = 8;

/// Whole numbers from fractions, the rest carried on: sums stay true.
class Rounding {
 public:
  std::uint64_t operator()(double value) {
    owed_ += value;
    const double whole = std::floor(owed_);
    owed_ -= whole;
    return static_cast<std::uint64_t>(std::max(whole, 0.0));
  }

 private:
  double owed_ = 0.5;
};

class FluidWorld final : public SimulatedWorld {
 public:
  FluidWorld(std::shared_ptr<const Arrivals> arrivals, const policy::Workload& workload, int initial_replicas,
             const FluidSettings& settings, std::shared_ptr<const WaitingTimes> waiting, const PodSettings& pods,
             const MetricsSettings& metrics)
      : arrivals_(std::move(arrivals)),
        workload_(workload),
        settings_(settings),
        waiting_(std::move(waiting)),
        pods_(pods, arrivals_->seed, TimePoint{}, initial_replicas),
        metrics_(metrics, arrivals_->seed, TimePoint{}),
        pod_capacity_rps_(settings.slots / to_seconds(settings.service_time)),
        calm_(static_cast<std::size_t>(waiting_->servers()) * waiting_->utilization_count(), 0.0),
        seconds_per_period_(workload.period / kStep) {
    MPCA_CHECK(workload.period > Duration::zero() && workload.period % kStep == Duration::zero(),
               "a control period of the fluid world is a whole number of seconds");
    for (const Pod& pod : pods_.pods()) counters_.push_back({.id = pod.id, .is_ready = true});
  }

  std::optional<policy::Observation> next() override {
    if (second_ >= arrivals_->count.size()) return std::nullopt;
    policy::Observation observation;
    observation.now = now();
    observation.spec_replicas = pods_.spec();
    observation.ready_replicas = pods_.ready();
    observation.pods.reserve(pods_.pods().size() + pods_.draining().size());
    for (const Pod& pod : pods_.pods()) {
      if (!pod.is_ready) observation.starting_pod_ages.push_back(now() - pod.created);
      observation.pods.push_back(shown(pod, false));
    }
    for (const Pod& pod : pods_.draining()) observation.pods.push_back(shown(pod, true));
    std::sort(observation.pods.begin(), observation.pods.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    std::sort(observation.starting_pod_ages.begin(), observation.starting_pod_ages.end(), std::greater<>());
    metrics_.show(observation);
    return observation;
  }

  policy::PeriodOutcome apply(const policy::Decision& decision) override {
    MPCA_CHECK(second_ < arrivals_->count.size(), "apply() after the end of the arrivals");
    const Truth before = totals_without_latency();
    const std::int64_t started_before = pods_.started();
    truth_.replica_churn += std::abs(decision.replicas - pods_.spec());
    pods_.scale_to(decision.replicas, now());
    truth_.pods_started += pods_.started() - started_before;
    follow_pods();

    policy::PeriodOutcome outcome;
    outcome.start = now();
    outcome.spec_replicas = pods_.spec();
    const std::size_t end = std::min(second_ + static_cast<std::size_t>(seconds_per_period_), arrivals_->count.size());
    const auto seconds = static_cast<double>(end - second_);
    outcome.length = kStep * static_cast<std::int64_t>(end - second_);
    while (second_ < end) step();

    const double ready = (truth_.ready_replica_seconds - before.ready_replica_seconds) / seconds;
    outcome.ready_replicas = static_cast<int>(std::lround(ready));
    outcome.requests = {.arrived = truth_.requests - before.requests,
                        .late = truth_.late - before.late,
                        .failed = truth_.failed() - before.failed()};
    outcome.demand_rps = outcome.requests->arrived / seconds;
    outcome.utilization = outcome.demand_rps / (pod_capacity_rps_ * std::max(ready, 1.0));
    outcome.backlog_requests = backlog_;
    return outcome;
  }

  const Truth& truth() const override {
    // The calm seconds were only counted; here they become latencies.
    for (std::size_t row = 0; row < calm_.size(); ++row) {
      if (calm_[row] <= 0.0) continue;
      const int servers = static_cast<int>(row / waiting_->utilization_count()) + 1;
      record_strata(servers, row % waiting_->utilization_count(), 0.0, std::exchange(calm_[row], 0.0));
    }
    return truth_;
  }

 private:
  /// What a pod has counted, as the increase of what each ready pod serves since it became Ready.
  struct Counted {
    std::int64_t id = 0;
    bool is_ready = false;
    int restarts = 0;
    double served = 0.0;  // before served_since
    double served_since = 0.0;
    double cpu = 0.0;
    double cpu_since = 0.0;
  };

  TimePoint now() const { return TimePoint(kStep * static_cast<std::int64_t>(second_)); }

  Truth totals_without_latency() const {
    Truth totals;
    totals.ready_replica_seconds = truth_.ready_replica_seconds;
    totals.requests = truth_.requests;
    totals.late = truth_.late;
    totals.refused = truth_.refused;
    totals.timed_out = truth_.timed_out;
    return totals;
  }

  policy::PodObservation shown(const Pod& pod, bool is_terminating) const {
    policy::PodObservation shown;
    shown.id = pod.id;
    shown.started = pod.created;
    shown.is_ready = pod.is_ready;
    shown.ready_changed = pod.ready_changed;
    shown.is_terminating = is_terminating;
    return shown;
  }

  /// Brings counters_ in step with the pods.
  void follow_pods() {
    std::size_t known = 0;
    followed_.clear();
    for (const Pod& pod : pods_.pods()) {
      while (known < counters_.size() && counters_[known].id < pod.id) ++known;
      Counted& counted = followed_.emplace_back();
      if (known < counters_.size() && counters_[known].id == pod.id) counted = counters_[known];
      counted.id = pod.id;
      if (counted.restarts != pod.restarts) counted = {.id = pod.id, .restarts = pod.restarts};
      if (counted.is_ready != pod.is_ready) {
        counted.is_ready = pod.is_ready;
        counted.served_since = served_per_pod_;
        counted.cpu_since = cpu_per_pod_;
      }
    }
    counters_.swap(followed_);
  }

  void step() {
    const TimePoint middle = now() + kStep / 2;
    bool has_changed = false;
    while (pods_.advance(middle)) has_changed = true;
    if (has_changed) follow_pods();

    const int ready = pods_.ready();
    const double arrived = arrivals_->count[second_];
    const double rate_rps = arrivals_->rate_rps[second_];
    const double capacity = pod_capacity_rps_ * ready;  // requests in this second
    const double backlog_before = backlog_;

    const double served = std::min(backlog_ + arrived, capacity);
    double waiting = backlog_ + arrived - served;
    const double room = capacity * to_seconds(settings_.queue_limit);
    // What came last is refused; what waited already, behind pods that are gone now, is given up by its clients.
    const double refused = std::min(std::max(waiting - room, 0.0), arrived);
    waiting -= refused;
    const double patience_s = to_seconds(settings_.client_timeout);
    const double timed_out = std::max(waiting - std::min(room, capacity * patience_s), 0.0);
    waiting -= timed_out;
    backlog_ = waiting;

    const double accepted = arrived - refused;
    const double queue_before = backlog_before + accepted;
    double late = 0.0;
    if (ready > 0)
      late = late_among(accepted, ready, rate_rps / capacity, backlog_before / capacity, backlog_ / capacity);
    // Those that time out after they waited were counted as late when they came; each request has one fate.
    backlog_late_ += late;
    const double undone = queue_before > 0.0 ? backlog_late_ * std::min(timed_out / queue_before, 1.0) : 0.0;
    truth_.late += late - undone;
    backlog_late_ =
        queue_before > 0.0 ? (backlog_late_ - undone) * backlog_ / std::max(queue_before - timed_out, backlog_) : 0.0;
    if (backlog_ <= 0.0) backlog_late_ = 0.0;

    truth_.seconds += 1.0;
    truth_.replica_seconds += pods_.existing();
    truth_.ready_replica_seconds += ready;
    truth_.requests += arrived;
    truth_.refused += refused;
    truth_.timed_out += timed_out;
    truth_.unserved_work_s += ready * settings_.slots * (capacity > 0.0 ? 1.0 - served / capacity : 0.0);
    failed_ += refused + timed_out;
    record_failures(refused);

    const double served_before = served_per_pod_;
    const double cpu_before = cpu_per_pod_;
    if (ready > 0) {
      served_per_pod_ += served / ready;
      cpu_per_pod_ += served / capacity;
    }
    ++second_;
    while (metrics_.next_scrape() < now()) {
      const double part = 1.0 - to_seconds(now() - metrics_.next_scrape());
      scrape(part, served_before, cpu_before, refused + timed_out, served, rate_rps, capacity, backlog_before);
    }
  }

  /// Of `accepted` requests that come while the wait for the backlog goes from `first_s` to `last_s`; also records
  /// their latencies.
  double late_among(double accepted, int ready, double utilization, double first_s, double last_s) {
    const int servers = std::min(ready * settings_.slots, waiting_->servers());
    const double patience_s = to_seconds(settings_.latency_target - settings_.service_time);
    const std::size_t row = waiting_->nearest_utilization(utilization);
    if (first_s <= 0.0 && last_s <= 0.0) {
      calm_[static_cast<std::size_t>(servers - 1) * waiting_->utilization_count() + row] += accepted;
      return accepted * waiting_->tail(servers, utilization, patience_s);
    }
    double late = 0.0;
    for (int part = 0; part < kPartsOfABusySecond; ++part) {
      const double wait_s = first_s + (last_s - first_s) * (part + 0.5) / kPartsOfABusySecond;
      late += waiting_->tail(servers, utilization, patience_s - wait_s);
      record_strata(servers, row, wait_s, accepted / kPartsOfABusySecond);
    }
    return accepted * late / kPartsOfABusySecond;
  }

  void record_strata(int servers, std::size_t row, double wait_s, double requests) const {
    for (int stratum = 0; stratum < WaitingTimes::kStrata; ++stratum) {
      const double latency_s =
          wait_s + waiting_->stratum_wait_s(servers, row, stratum) + to_seconds(settings_.service_time);
      const std::uint64_t times =
          strata_[static_cast<std::size_t>(stratum)](requests * WaitingTimes::stratum_share(stratum));
      if (times > 0) truth_.latency.record(std::min(from_seconds(latency_s), settings_.client_timeout), times);
    }
  }

  void record_failures(double failures) {
    if (failures <= 0.0) return;
    if (const std::uint64_t times = failures_(failures); times > 0)
      truth_.latency.record(settings_.client_timeout, times);
  }

  /// The scrape that falls into the last second, `part` of it gone.
  void scrape(double part, double served_before, double cpu_before, double failed, double served, double rate_rps,
              double capacity, double backlog_before) {
    scraped_.clear();
    const double served_now = served_before + (served_per_pod_ - served_before) * part;
    const double cpu_now = cpu_before + (cpu_per_pod_ - cpu_before) * part;
    for (const Counted& pod : counters_) {
      // A pod that became Ready in this very second has not served before.
      const double more = pod.is_ready ? std::max(served_now - pod.served_since, 0.0) : 0.0;
      const double more_cpu = pod.is_ready ? std::max(cpu_now - pod.cpu_since, 0.0) : 0.0;
      scraped_.push_back({pod.id, pod.served + more, pod.cpu + more_cpu});
    }
    double in_flight =
        backlog_before + (backlog_ - backlog_before) * part + served * to_seconds(settings_.service_time);
    if (capacity > 0.0 && backlog_ <= 0.0) {
      const int servers = std::min(pods_.ready() * settings_.slots, waiting_->servers());
      in_flight += rate_rps * waiting_->mean_s(servers, rate_rps / capacity);
    }
    metrics_.scrape(scraped_, {.failed = failed_ - failed * (1.0 - part), .in_flight = std::round(in_flight)});
  }

  std::shared_ptr<const Arrivals> arrivals_;
  policy::Workload workload_;
  FluidSettings settings_;
  std::shared_ptr<const WaitingTimes> waiting_;
  PodSet pods_;
  MetricsPipeline metrics_;
  double pod_capacity_rps_;

  std::size_t second_ = 0;
  double backlog_ = 0.0;       // requests that wait
  double backlog_late_ = 0.0;  // of them, counted as late already
  double failed_ = 0.0;
  double served_per_pod_ = 0.0;  // cumulative, of one that was Ready all the time
  double cpu_per_pod_ = 0.0;
  std::vector<Counted> counters_;  // by id
  std::vector<Counted> followed_;  // memory of follow_pods()
  std::vector<PodCounters> scraped_;

  mutable Truth truth_;
  mutable std::vector<double> calm_;  // requests that met no backlog, servers x utilizations
  mutable std::array<Rounding, WaitingTimes::kStrata> strata_;
  mutable Rounding failures_;
  std::int64_t seconds_per_period_;
};

}  // namespace

SettingsTable settings_of(FluidSettings& settings) {
  return {
      {"service-time", &settings.service_time, "duration", Range::above(0), "of a request, deterministic"},
      {"slots", &settings.slots, "", Range::at_least(1), "requests that a pod works on at the same time"},
      {"pooled-slots", &settings.pooled_slots, "", Range::between(1, 64),
       "below saturation requests wait as with this many servers at most"},
      {"queue-limit", &settings.queue_limit, "duration", Range::above(0),
       "requests are refused when what waits takes the ready pods longer than this"},
      {"client-timeout", &settings.client_timeout, "duration", Range::above(0), "after which a client gives up"},
      {"latency-target", &settings.latency_target, "duration", Range::above(0), "slower answers are late"},
  };
}

std::shared_ptr<const WaitingTimes> make_waiting_times(const FluidSettings& settings) {
  const double per_slot_s = to_seconds(settings.service_time);
  // In an M/D/c queue every server works on one request: a pod's slots are servers of their own.
  return std::make_shared<const WaitingTimes>(
      from_seconds(per_slot_s), std::min(settings.queue_limit, settings.client_timeout), settings.pooled_slots);
}

std::unique_ptr<SimulatedWorld> make_fluid_world(std::shared_ptr<const Arrivals> arrivals,
                                                 const policy::Workload& workload, int initial_replicas,
                                                 const FluidSettings& fluid,
                                                 std::shared_ptr<const WaitingTimes> waiting, const PodSettings& pods,
                                                 const MetricsSettings& metrics) {
  return std::make_unique<FluidWorld>(std::move(arrivals), workload, initial_replicas, fluid, std::move(waiting), pods,
                                      metrics);
}

}  // namespace mpca::sim
