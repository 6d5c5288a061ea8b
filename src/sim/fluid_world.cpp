#include "sim/fluid_world.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <utility>

#include "core/result.h"

namespace mpca::sim {
namespace {

constexpr Duration kStep = std::chrono::seconds(1);
constexpr int kPartsOfABusySecond = 8;
// A backlog below this is none: what sums of fractions leave behind.
constexpr double kNoRequests = 1e-9;

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
        service_s_(to_seconds(settings.service_time)),
        timeout_s_(to_seconds(settings.client_timeout)),
        patience_s_(to_seconds(settings.latency_target - settings.service_time)),
        hope_s_(to_seconds(settings.client_timeout - settings.service_time)),
        calm_(static_cast<std::size_t>(waiting_->servers()) * waiting_->utilization_count(), 0.0),
        seconds_per_period_(workload.period / kStep) {
    MPCA_CHECK(workload.period > Duration::zero() && workload.period % kStep == Duration::zero(),
               "a control period of the fluid world is a whole number of seconds");
    late_.reserve(calm_.size());
    for (std::size_t row = 0; row < calm_.size(); ++row) {
      const int servers = static_cast<int>(row / waiting_->utilization_count()) + 1;
      const std::size_t utilization = row % waiting_->utilization_count();
      late_.push_back({.late = waiting_->tail_at(servers, utilization, patience_s_),
                       .failed = waiting_->tail_at(servers, utilization, hope_s_)});
    }
    follow_pods();
    if (metrics_.next_scrape() <= now()) scrape(1.0, {}, {});
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
    if (!pods_.draining().empty()) {
      std::sort(observation.pods.begin(), observation.pods.end(),
                [](const auto& a, const auto& b) { return a.id < b.id; });
    }
    // By id is by age, the oldest first.
    metrics_.show(observation);
    return observation;
  }

  policy::PeriodOutcome apply(const policy::Decision& decision) override {
    MPCA_CHECK(second_ < arrivals_->count.size(), "apply() after the end of the arrivals");
    const double ready_before = truth_.ready_replica_seconds;
    const policy::RequestOutcome before = requests_so_far();
    if (decision.replicas != pods_.spec()) {
      truth_.replica_churn += std::abs(decision.replicas - pods_.spec());
      pods_.scale_to(decision.replicas, now());
      truth_.pods_started = pods_.started();
      follow_pods();
    }

    policy::PeriodOutcome outcome;
    outcome.start = now();
    outcome.spec_replicas = pods_.spec();
    const std::size_t end = std::min(second_ + static_cast<std::size_t>(seconds_per_period_), arrivals_->count.size());
    const auto seconds = static_cast<double>(end - second_);
    outcome.length = kStep * static_cast<std::int64_t>(end - second_);
    while (second_ < end) step();
    outcome.backlog_requests = backlog_;
    if (second_ == arrivals_->count.size()) let_the_last_ones_go();
    // What happened up to now, the next observation sees.
    pass_time_of_pods(now());

    const double ready = (truth_.ready_replica_seconds - ready_before) / seconds;
    outcome.ready_replicas = static_cast<int>(std::lround(ready));
    const policy::RequestOutcome after = requests_so_far();
    outcome.requests = {.arrived = after.arrived - before.arrived,
                        .late = after.late - before.late,
                        .failed = after.failed - before.failed};
    outcome.demand_rps = outcome.requests->arrived / seconds;
    outcome.utilization = outcome.demand_rps / (pod_capacity_rps_ * std::max(ready, 1.0));
    return outcome;
  }

  const Truth& truth() const override {
    // The calm seconds were only counted; here they become latencies.
    for (std::size_t row = 0; row < calm_.size(); ++row) {
      if (calm_[row] <= 0.0) continue;
      const std::size_t servers_before = row / waiting_->utilization_count();
      record_strata({.servers = static_cast<int>(servers_before) + 1, .row = row % waiting_->utilization_count()}, 0.0,
                    std::exchange(calm_[row], 0.0));
    }
    record_strata({}, 0.0, std::exchange(unhindered_, 0.0));
    return truth_;
  }

 private:
  /// All ready pods share the work alike: a pod's counters are the increase of a common one since it became Ready.
  struct Counted {
    std::int64_t id = 0;
    bool is_ready = false;
    double served_since = 0.0;
    double cpu_since = 0.0;
  };

  /// Requests that wait, those that arrived at about the same time: evenly over [begin_s, begin_s + length_s).
  struct Waiting {
    double begin_s = 0.0;
    double length_s = 0.0;
    double count = 0.0;
  };

  struct LateAndFailed {
    double late = 0.0;
    double failed = 0.0;
  };

  /// Of one second.
  struct Flow {
    double served = 0.0;  // with success
    double wasted = 0.0;  // served for clients that had gone
    double failed = 0.0;
    double backlog_before = 0.0;
  };
  /// Of a pod that is Ready all the time, cumulative.
  struct PerPod {
    double served = 0.0;
    double cpu_seconds = 0.0;
  };

  TimePoint now() const { return TimePoint(kStep * static_cast<std::int64_t>(second_)); }

  policy::RequestOutcome requests_so_far() const {
    return {.arrived = truth_.requests, .late = truth_.late, .failed = truth_.failed()};
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

  void pass_time_of_pods(TimePoint until) {
    bool has_changed = false;
    while (const auto event = pods_.advance(until)) {
      has_changed = true;
      // Even if it is Ready again at once, it counts from zero.
      if (event->kind == PodEventKind::crashed) follow_pods();
    }
    if (has_changed) follow_pods();
  }

  /// Brings counters_ in step with the pods.
  void follow_pods() {
    std::size_t known = 0;
    followed_.clear();
    for (const Pod& pod : pods_.pods()) {
      while (known < counters_.size() && counters_[known].id < pod.id) ++known;
      const bool is_known = known < counters_.size() && counters_[known].id == pod.id;
      if (is_known && counters_[known].is_ready == pod.is_ready) {
        followed_.push_back(counters_[known]);
      } else {
        followed_.push_back({.id = pod.id,
                             .is_ready = pod.is_ready,
                             .served_since = per_pod_.served,
                             .cpu_since = per_pod_.cpu_seconds});
      }
    }
    counters_.swap(followed_);
  }

  void step() {
    // A pod serves the seconds of whose greater part it is Ready.
    if (const TimePoint middle = now() + kStep / 2; pods_.next_event() <= middle) pass_time_of_pods(middle);
    const int ready = pods_.ready();
    const double arrived = arrivals_->count[second_];
    const double capacity = pod_capacity_rps_ * ready;  // requests in this second
    const WaitingBelowSaturation calm = waiting_at(ready, capacity);

    Flow flow{.backlog_before = backlog_};
    if (backlog_ <= 0.0 && arrived <= capacity) {
      account_calm(arrived, calm, flow);
    } else {
      const double begin_s = static_cast<double>(second_);
      for (int part = 0; part < kPartsOfABusySecond; ++part)
        pass_busy_part(begin_s + static_cast<double>(part) / kPartsOfABusySecond, arrived, capacity, calm, flow);
    }

    truth_.seconds += 1.0;
    truth_.replica_seconds += pods_.existing();
    truth_.ready_replica_seconds += ready;
    truth_.requests += arrived;
    const double used = capacity > 0.0 ? (flow.served + flow.wasted) / capacity : 0.0;
    truth_.unserved_work_s += ready * settings_.slots * std::max(1.0 - used, 0.0);
    failed_ += flow.failed;
    const PerPod before = per_pod_;
    if (ready > 0) {
      per_pod_.served += flow.served / ready;
      per_pod_.cpu_seconds += used;
    }
    ++second_;
    while (metrics_.next_scrape() <= now()) scrape(1.0 - to_seconds(now() - metrics_.next_scrape()), before, flow);
  }

  /// Who waits at the end of the run stays to his own end, with the pods as they are.
  void let_the_last_ones_go() {
    const int ready = pods_.ready();
    Flow flow;
    for (double begin_s = static_cast<double>(second_); !queue_.empty(); begin_s += 1.0 / kPartsOfABusySecond)
      pass_busy_part(begin_s, 0.0, pod_capacity_rps_ * ready, {}, flow);
  }

  /// Whom the stationary queue holds up, and for how long.
  struct WaitingBelowSaturation {
    int servers = 0;      // 0: nobody waits
    std::size_t row = 0;  // the nearest utilization of the tables
    double late = 0.0;    // share that is late or fails
    double failed = 0.0;  // share that its client gives up
  };

  WaitingBelowSaturation waiting_at(int ready, double capacity) const {
    if (ready == 0) return {};
    WaitingBelowSaturation calm;
    // Requests that come evenly spaced do not wait for one another.
    if (arrivals_->kind != ArrivalKind::constant) {
      calm.servers = std::min(ready * settings_.slots, waiting_->servers());
      const WaitingTimes::Position place = waiting_->position(arrivals_->rate_rps[second_] / capacity);
      const LateAndFailed* const low =
          &late_[static_cast<std::size_t>(calm.servers - 1) * waiting_->utilization_count() + place.index];
      calm.late = low[0].late + (low[1].late - low[0].late) * place.weight;
      calm.failed = low[0].failed + (low[1].failed - low[0].failed) * place.weight;
      calm.row = place.index + (place.weight > 0.5 ? 1 : 0);
    } else {
      calm.late = patience_s_ < 0.0 ? 1.0 : 0.0;
      calm.failed = hope_s_ < 0.0 ? 1.0 : 0.0;
    }
    calm.late = std::max(calm.late, calm.failed);
    return calm;
  }

  void account_calm(double requests, const WaitingBelowSaturation& calm, Flow& flow) {
    if (requests <= 0.0) return;
    take_fates(requests, calm.late, calm.failed, flow);
    if (calm.servers == 0) {
      unhindered_ += requests;
    } else {
      calm_[static_cast<std::size_t>(calm.servers - 1) * waiting_->utilization_count() + calm.row] += requests;
    }
  }

  void take_fates(double requests, double late_or_failed, double failed, Flow& flow) {
    const double gone = requests * failed;
    truth_.late += requests * (late_or_failed - failed);
    truth_.timed_out += gone;
    flow.failed += gone;
    flow.wasted += gone;
    flow.served += requests - gone;
    truth_.served += requests - gone;
  }

  /// First come, first served, an eighth of a second at a time.
  void pass_busy_part(double begin_s, double arrived_per_s, double capacity_rps, const WaitingBelowSaturation& calm,
                      Flow& flow) {
    constexpr double kPartLength = 1.0 / kPartsOfABusySecond;
    while (!queue_.empty() && queue_.front().begin_s + 0.5 * queue_.front().length_s < begin_s - timeout_s_) {
      give_up(queue_.front().count, flow);
      queue_.pop_front();
    }
    const double arrived = arrived_per_s * kPartLength;
    double can_serve = capacity_rps * kPartLength;
    const double room = capacity_rps * to_seconds(settings_.queue_limit);
    const double refused = std::clamp(backlog_ + arrived - can_serve - room, 0.0, arrived);
    if (refused > 0.0) {
      truth_.refused += refused;
      flow.failed += refused;
      record(settings_.client_timeout, refused);
    }
    if (arrived > refused) {
      queue_.push_back({begin_s, kPartLength, arrived - refused});
      backlog_ += arrived - refused;
    }
    double served_s = begin_s;
    while (can_serve > kNoRequests && !queue_.empty()) {
      Waiting& first = queue_.front();
      const double requests = std::min(first.count, can_serve);
      const double share = requests / first.count;
      const double takes_s = requests / capacity_rps;
      const double wait_s = std::max(served_s + 0.5 * takes_s - (first.begin_s + 0.5 * share * first.length_s), 0.0);
      account_busy(requests, wait_s, calm, flow);
      served_s += takes_s;
      can_serve -= requests;
      backlog_ -= requests;
      first.begin_s += share * first.length_s;
      first.length_s -= share * first.length_s;
      first.count -= requests;
      if (first.count <= kNoRequests) queue_.pop_front();
    }
    if (queue_.empty()) backlog_ = 0.0;
  }

  void give_up(double requests, Flow& flow) {
    truth_.timed_out += requests;
    flow.failed += requests;
    backlog_ -= requests;
    record(settings_.client_timeout, requests);
  }

  /// The backlog and the stationary queue are not added: they are one queue, seen at two scales.
  void account_busy(double requests, double wait_s, const WaitingBelowSaturation& calm, Flow& flow) {
    if (wait_s <= 0.0) return account_calm(requests, calm, flow);
    const double failed = wait_s > hope_s_ ? 1.0 : calm.failed;
    take_fates(requests, std::max(wait_s > patience_s_ ? 1.0 : calm.late, failed), failed, flow);
    record_strata(calm, wait_s, requests);
  }

  void record_strata(const WaitingBelowSaturation& calm, double least_wait_s, double requests) const {
    double alike = calm.servers == 0 ? 1.0 : 0.0;
    for (int stratum = 0; calm.servers > 0 && stratum < WaitingTimes::kStrata; ++stratum) {
      const double wait_s = waiting_->stratum_wait_s(calm.servers, calm.row, stratum);
      if (wait_s <= least_wait_s) {
        alike += WaitingTimes::stratum_share(stratum);
      } else {
        record(from_seconds(wait_s + service_s_), requests * WaitingTimes::stratum_share(stratum));
      }
    }
    record(from_seconds(least_wait_s + service_s_), requests * alike);
  }

  /// Whole requests from fractions, the rest carried on: their number stays true.
  void record(Duration latency, double requests) const {
    owed_ += requests;
    if (owed_ < 1.0) return;
    const double whole = std::floor(owed_);
    owed_ -= whole;
    truth_.latency.record(std::min(latency, settings_.client_timeout), static_cast<std::uint64_t>(whole));
  }

  /// The scrape that falls into the last second, `part` of it gone; `before` and `flow` are of that second.
  void scrape(double part, const PerPod& before, const Flow& flow) {
    scraped_.clear();
    const double served = before.served + (per_pod_.served - before.served) * part;
    const double cpu_seconds = before.cpu_seconds + (per_pod_.cpu_seconds - before.cpu_seconds) * part;
    for (const Counted& pod : counters_) {
      // A pod that became Ready in this very second has not served before.
      const bool serves = pod.is_ready;
      scraped_.push_back({pod.id, serves ? std::max(served - pod.served_since, 0.0) : 0.0,
                          serves ? std::max(cpu_seconds - pod.cpu_since, 0.0) : 0.0});
    }
    double in_flight =
        flow.backlog_before + (backlog_ - flow.backlog_before) * part + (flow.served + flow.wasted) * service_s_;
    if (second_ > 0 && backlog_ <= 0.0 && pods_.ready() > 0 && arrivals_->kind != ArrivalKind::constant) {
      const int servers = std::min(pods_.ready() * settings_.slots, waiting_->servers());
      const double rate_rps = arrivals_->rate_rps[second_ - 1];
      in_flight += rate_rps * waiting_->mean_s(servers, rate_rps / (pod_capacity_rps_ * pods_.ready()));
    }
    metrics_.scrape(scraped_, {.failed = failed_ - flow.failed * (1.0 - part), .in_flight = std::round(in_flight)});
  }

  std::shared_ptr<const Arrivals> arrivals_;
  policy::Workload workload_;
  FluidSettings settings_;
  std::shared_ptr<const WaitingTimes> waiting_;
  PodSet pods_;
  MetricsPipeline metrics_;
  double pod_capacity_rps_;
  double service_s_;
  double timeout_s_;
  double patience_s_;  // who waits longer is late
  double hope_s_;      // who waits longer is served for nobody

  std::size_t second_ = 0;
  double backlog_ = 0.0;  // requests that wait: the sum of queue_
  std::deque<Waiting> queue_;
  double failed_ = 0.0;
  PerPod per_pod_;
  std::vector<Counted> counters_;  // by id
  std::vector<Counted> followed_;  // memory of follow_pods()
  std::vector<PodCounters> scraped_;

  std::vector<LateAndFailed> late_;  // by waiting alone, servers x utilizations

  mutable Truth truth_;
  mutable std::vector<double> calm_;  // requests that met no backlog, servers x utilizations
  mutable double unhindered_ = 0.0;   // and those that did not wait at all
  mutable double owed_ = 0.5;         // of record(); a half, so that the count is the nearest whole one
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
  // In an M/D/c queue every server works on one request: a pod's slots are servers of their own.
  return std::make_shared<const WaitingTimes>(
      settings.service_time, std::min(settings.queue_limit, settings.client_timeout), settings.pooled_slots);
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
