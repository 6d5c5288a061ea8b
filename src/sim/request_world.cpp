#include "sim/request_world.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "core/result.h"
#include "sim/internal/request_engine.h"
#include "sim/internal/request_source.h"

namespace mpca::sim {
namespace {

using internal::BalancerRule;
using internal::EngineSettings;
using internal::RequestCounts;
using internal::RequestEngine;
using internal::RequestSource;

constexpr Duration kSecond = std::chrono::seconds(1);

EngineSettings engine_settings(const RequestSettings& settings) {
  MPCA_CHECK(settings.queue == "balancer" || settings.queue == "pod", "the queue's place was validated before");
  return {.service_time = settings.service_time,
          .equal_services = settings.service == "deterministic",
          .slots = settings.slots,
          .waits_at_pod = settings.queue == "pod",
          .balancer = internal::balancer_rule(settings.balancer),
          .queue_limit = settings.queue_limit,
          .client_timeout = settings.client_timeout,
          .retries = settings.retries,
          .latency_target = settings.latency_target};
}

class RequestWorld final : public SimulatedWorld {
 public:
  RequestWorld(const std::shared_ptr<const Arrivals>& arrivals, const policy::Workload& workload, int initial_replicas,
               const RequestSettings& requests, const PodSettings& pods, const MetricsSettings& metrics)
      : period_(workload.period),
        settings_(requests),
        source_(arrivals, internal::service_kind(requests.service), requests.service_time, requests.service_cv),
        end_(kSecond * static_cast<std::int64_t>(arrivals->count.size())),
        engine_(engine_settings(requests), arrivals->seed),
        pods_(pods, arrivals->seed, TimePoint{}, initial_replicas),
        metrics_(metrics, arrivals->seed, TimePoint{}) {
    MPCA_CHECK(period_ > Duration::zero(), "a control period lasts");
    for (const Pod& pod : pods_.pods()) engine_.add_pod(pod.id, {});
  }

  std::optional<policy::Observation> next() override {
    if (now_ >= end_) return std::nullopt;
    policy::Observation observation;
    observation.now = TimePoint(now_);
    observation.spec_replicas = pods_.spec();
    observation.ready_replicas = pods_.ready();
    observation.pods.reserve(pods_.pods().size() + pods_.draining().size());
    for (const Pod& pod : pods_.pods()) {
      if (!pod.is_ready) observation.starting_pod_ages.push_back(observation.now - pod.created);
      observation.pods.push_back(shown(pod, false));
    }
    for (const Pod& pod : pods_.draining()) observation.pods.push_back(shown(pod, true));
    for (const Leaving& pod : leaving_) {
      if (pod.is_gone && engine_.has_pod(pod.pod.id)) observation.pods.push_back(shown(pod.pod, true));
    }
    std::sort(observation.pods.begin(), observation.pods.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    std::sort(observation.starting_pod_ages.begin(), observation.starting_pod_ages.end(), std::greater<>());
    metrics_.show(observation);
    return observation;
  }

  policy::PeriodOutcome apply(const policy::Decision& decision) override {
    MPCA_CHECK(now_ < end_, "apply() after the end of the arrivals");
    const RequestCounts before = engine_.counts();
    const double ready_before_s = truth_.ready_replica_seconds;
    scale_to(decision.replicas);

    policy::PeriodOutcome outcome;
    outcome.start = TimePoint(now_);
    outcome.spec_replicas = pods_.spec();
    const Duration period_end = std::min(now_ + period_, end_);
    outcome.length = period_end - now_;
    while (now_ < period_end) advance(period_end);
    outcome.backlog_requests = static_cast<double>(engine_.waiting());
    account_pods();
    // Who is inside at the end of the run stays to its own end, with the pods as they are.
    if (now_ == end_) engine_.run_until(Duration::max());

    const double seconds = to_seconds(outcome.length);
    const double ready = (truth_.ready_replica_seconds - ready_before_s) / seconds;
    const LatencyHistogram latency = account_requests();
    const RequestCounts& after = engine_.counts();
    const auto failed = [](const RequestCounts& counts) { return counts.refused + counts.timed_out; };
    outcome.requests = {.arrived = static_cast<double>(after.requests - before.requests),
                        .late = static_cast<double>(after.late - before.late),
                        .failed = static_cast<double>(failed(after) - failed(before))};
    outcome.demand_rps = outcome.requests->arrived / seconds;
    outcome.ready_replicas = static_cast<int>(std::lround(ready));
    const double pod_capacity_rps = settings_.slots / to_seconds(settings_.service_time);
    outcome.utilization = outcome.demand_rps / (pod_capacity_rps * std::max(ready, 1.0));
    if (latency.count() > 0) outcome.latency_p95_s = to_seconds(latency.quantile(0.95));
    return outcome;
  }

  const Truth& truth() const override { return truth_; }

 private:
  /// A Ready pod that was removed and may finish what it has.
  struct Leaving {
    Pod pod;
    Duration killed_at{};
    bool is_gone = false;  // from the pod set
  };

  static policy::PodObservation shown(const Pod& pod, bool is_terminating) {
    policy::PodObservation shown;
    shown.id = pod.id;
    shown.started = pod.created;
    shown.is_ready = pod.is_ready;
    shown.ready_changed = pod.ready_changed;
    shown.is_terminating = is_terminating;
    return shown;
  }

  void scale_to(int replicas) {
    truth_.replica_churn += std::abs(replicas - pods_.spec());
    const std::int64_t started_before = pods_.started();
    before_scaling_.assign(pods_.pods().begin(), pods_.pods().end());
    for (const std::int64_t id : pods_.scale_to(replicas, TimePoint(now_))) {
      if (!engine_.has_pod(id)) continue;  // it was not Ready
      engine_.drain_pod(id, now_);
      const auto removed = std::lower_bound(before_scaling_.begin(), before_scaling_.end(), id,
                                            [](const Pod& pod, std::int64_t i) { return pod.id < i; });
      Leaving& leaving = leaving_.emplace_back(Leaving{*removed, now_ + settings_.grace_period, false});
      leaving.pod.is_ready = false;
      const auto draining = pods_.draining();
      if (std::none_of(draining.begin(), draining.end(), [&](const Pod& pod) { return pod.id == id; })) gone(id);
    }
    truth_.pods_started += pods_.started() - started_before;
    end_grace_periods();
  }

  /// Goes to the next thing that happens outside the engine.
  void advance(Duration period_end) {
    if (now_ == batch_end_) {
      engine_.offer(source_.next_second());
      batch_end_ += kSecond;
    }
    const Duration next_pod = pods_.next_event().time_since_epoch();
    const Duration next_scrape = metrics_.next_scrape().time_since_epoch();
    const Duration next_kill = leaving_.empty() ? Duration::max() : leaving_.front().killed_at;
    const Duration until = std::min({period_end, batch_end_, next_pod, next_scrape, next_kill});
    engine_.run_until(until);
    const double seconds = to_seconds(until - now_);
    truth_.seconds += seconds;
    truth_.replica_seconds += seconds * pods_.existing();
    truth_.ready_replica_seconds += seconds * pods_.ready();
    now_ = until;

    end_grace_periods();
    while (const auto event = pods_.advance(TimePoint(now_))) {
      switch (event->kind) {
        case PodEventKind::ready:
          engine_.add_pod(event->pod, now_);
          break;
        case PodEventKind::crashed:
          engine_.kill_pod(event->pod, now_);
          break;
        case PodEventKind::gone:
          if (engine_.has_pod(event->pod)) gone(event->pod);
          break;
      }
    }
    while (metrics_.next_scrape() <= TimePoint(now_)) scrape();
  }

  void end_grace_periods() {
    while (!leaving_.empty() && leaving_.front().killed_at <= now_) {
      const std::int64_t id = leaving_.front().pod.id;
      leaving_.pop_front();
      if (engine_.has_pod(id)) engine_.kill_pod(id, now_);
    }
  }

  void gone(std::int64_t id) {
    const auto leaving =
        std::find_if(leaving_.begin(), leaving_.end(), [&](const Leaving& l) { return l.pod.id == id; });
    if (leaving != leaving_.end()) leaving->is_gone = true;
    engine_.release_pod(id, now_);
  }

  // Starting pods are there and have counted nothing; a crashed one begins again at nothing.
  void scrape() {
    counters_.clear();
    engine_.pod_counters(now_, counters_);
    scraped_.clear();
    auto counted = counters_.begin();
    for (const Pod& pod : pods_.pods()) {
      for (; counted != counters_.end() && counted->id < pod.id; ++counted) scraped_.push_back(*counted);
      const bool is_counted = counted != counters_.end() && counted->id == pod.id;
      scraped_.push_back(is_counted ? *counted++ : PodCounters{.id = pod.id});
    }
    scraped_.insert(scraped_.end(), counted, counters_.end());
    metrics_.scrape(scraped_, {.failed = static_cast<double>(engine_.counts().failed_tries),
                               .in_flight = static_cast<double>(engine_.in_flight())});
  }

  void account_pods() {
    const double lingered_s = to_seconds(engine_.lingered(now_));
    truth_.replica_seconds += lingered_s - std::exchange(lingered_before_s_, lingered_s);
    truth_.unserved_work_s = truth_.ready_replica_seconds * settings_.slots - to_seconds(engine_.ready_busy(now_));
  }

  /// Returns the latencies of what ended since the last call.
  LatencyHistogram account_requests() {
    const RequestCounts& counts = engine_.counts();
    truth_.requests = static_cast<double>(counts.requests);
    truth_.served = static_cast<double>(counts.served);
    truth_.late = static_cast<double>(counts.late);
    truth_.refused = static_cast<double>(counts.refused);
    truth_.timed_out = static_cast<double>(counts.timed_out);
    LatencyHistogram latency = engine_.take_latency();
    truth_.latency.merge(latency);
    return latency;
  }

  Duration period_;
  RequestSettings settings_;
  RequestSource source_;
  Duration end_;
  RequestEngine engine_;
  PodSet pods_;
  MetricsPipeline metrics_;
  Duration now_{};
  Duration batch_end_{};  // to where requests were drawn
  std::deque<Leaving> leaving_;
  std::vector<Pod> before_scaling_;
  std::vector<PodCounters> counters_;
  std::vector<PodCounters> scraped_;
  double lingered_before_s_ = 0.0;
  Truth truth_;
};

}  // namespace

SettingsTable settings_of(RequestSettings& settings) {
  return {
      {"service", &settings.service, "distribution of service times", {"deterministic", "exponential", "lognormal"}},
      {"service-time", &settings.service_time, "duration", Range::above(0), "mean time on a slot"},
      {"service-cv", &settings.service_cv, "", Range::between(0, 10),
       "standard deviation / mean of lognormal service times"},
      {"slots", &settings.slots, "", Range::between(1, 10'000), "requests that a pod works on at the same time"},
      {"queue", &settings.queue, "where requests wait", {"balancer", "pod"}},
      {"balancer",
       &settings.balancer,
       "who gets a request",
       {"round-robin", "random", "two-choices", "least-outstanding"}},
      {"queue-limit", &settings.queue_limit, "duration", Range::between(0, 1e6),
       "requests are refused when what waits, they included, takes the ready pods longer than this"},
      {"client-timeout",
       &settings.client_timeout,
       "duration",
       {.low = 0, .high = 1e6, .low_open = true},
       "of each try; then the client gives up"},
      {"retries", &settings.retries, "", Range::between(0, 100), "of a failed request, at once"},
      {"latency-target", &settings.latency_target, "duration", Range::above(0), "slower answers are late"},
      {"grace-period", &settings.grace_period, "duration", Range::between(0, 1e6),
       "for which a removed pod may finish what it has"},
  };
}

std::unique_ptr<SimulatedWorld> make_request_world(const std::shared_ptr<const Arrivals>& arrivals,
                                                   const policy::Workload& workload, int initial_replicas,
                                                   const RequestSettings& requests, const PodSettings& pods,
                                                   const MetricsSettings& metrics) {
  return std::make_unique<RequestWorld>(arrivals, workload, initial_replicas, requests, pods, metrics);
}

}  // namespace mpca::sim
