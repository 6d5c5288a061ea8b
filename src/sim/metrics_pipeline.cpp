#include "sim/metrics_pipeline.h"

#include <algorithm>
#include <utility>

#include "core/result.h"
#include "core/text.h"

namespace mpca::sim {

SettingsTable settings_of(MetricsSettings& settings) {
  return {
      {"scrape-interval", &settings.scrape_interval, "duration", Range::above(0), "between two scrapes"},
      {"scrape-phase", &settings.scrape_phase,
       "of the first scrape after the start: a duration, or `drawn` by the seed"},
      {"rate-window", &settings.rate_window, "duration", Range::above(0), "over which rates are taken"},
      {"least-delay", &settings.least_delay, "duration", Range::at_least(0), "until a scrape is visible, at least"},
      {"greatest-delay", &settings.greatest_delay, "duration", Range::at_least(0), "and at most"},
      {"scrape-loss", &settings.loss, "fraction", Range::between(0, 1),
       "of scrapes of a pod or the balancer that fail"},
      {"shows-failures", &settings.shows_failures, "failed requests are counted somewhere"},
  };
}

Duration fresh_for(const MetricsSettings& settings) { return 2 * settings.scrape_interval + settings.greatest_delay; }

Result<std::optional<Duration>> parse_scrape_phase(std::string_view text) {
  if (trim(text) == "drawn") return std::nullopt;
  const auto phase = parse_duration(trim(text));
  if (!phase) return invalid(cat("\"", text, "\" must be `drawn` or a duration such as 3s"));
  return phase;
}

MetricsPipeline::MetricsPipeline(const MetricsSettings& settings, std::uint64_t seed, TimePoint start)
    : settings_(settings), delays_(seed, "metric delays"), losses_(seed, "lost scrapes") {
  MPCA_CHECK(settings.scrape_interval > Duration::zero(), "scrapes are apart");
  MPCA_CHECK(settings.greatest_delay >= settings.least_delay, "the greatest delay is not less than the least");
  RandomStream phases(seed, "scrape phase");
  const double drawn_s = phases.uniform() * to_seconds(settings.scrape_interval);
  const auto phase = parse_scrape_phase(settings.scrape_phase);
  MPCA_CHECK(phase.has_value(), "the scrape phase was checked before");
  next_scrape_ = start + phase->value_or(from_seconds(drawn_s));
}

void MetricsPipeline::scrape(std::span<const PodCounters> pods, const BalancerCounters& balancer) {
  const TimePoint now = next_scrape_;
  next_scrape_ += settings_.scrape_interval;
  Sample& sample = samples_.emplace_back();
  sample.time = now;
  const double spread_s = to_seconds(settings_.greatest_delay - settings_.least_delay);
  sample.visible = now + settings_.least_delay + from_seconds(delays_.uniform() * spread_s);

  double served = 0.0;
  double cpu_seconds = 0.0;
  seen_.clear();
  seen_.reserve(pods.size());
  if (!spare_.empty()) {
    sample.pods = std::move(spare_.back());
    spare_.pop_back();
    sample.pods.clear();
  }
  sample.pods.reserve(pods.size());
  // Nearly all pods were scraped at the same time before.
  Duration window{};
  double window_s = 1.0;
  double share = 1.0;
  auto before = series_.begin();
  for (const PodCounters& pod : pods) {
    while (before != series_.end() && before->id < pod.id) ++before;
    const bool is_known = before != series_.end() && before->id == pod.id;
    if (is_lost()) {
      if (is_known) seen_.push_back(*before);
      continue;
    }
    seen_.push_back({pod.id, now, pod});
    if (!is_known) continue;
    const bool was_reset = pod.served < before->last.served || pod.cpu_seconds < before->last.cpu_seconds;
    const double pod_served = was_reset ? pod.served : pod.served - before->last.served;
    const double pod_cpu = was_reset ? pod.cpu_seconds : pod.cpu_seconds - before->last.cpu_seconds;
    sample.has_pods = true;
    if (window != now - before->time) {
      window = now - before->time;
      window_s = to_seconds(window);
      // What a pod did while its scrapes were lost is spread over that time, not heaped on the last interval.
      share = to_seconds(now - last_scrape_) / window_s;
    }
    sample.pods.push_back({pod.id, pod_cpu / window_s, window});
    served += pod_served * share;
    cpu_seconds += pod_cpu * share;
  }
  series_.swap(seen_);

  // With no pod at all nothing is served: that is known, and not missing.
  const bool is_known = sample.has_pods || pods.empty();
  if (has_scraped_ && is_known) intervals_.push_back({now, to_seconds(now - last_scrape_), served, cpu_seconds});
  if (!has_scraped_ || is_known) last_scrape_ = now;
  has_scraped_ = true;
  while (intervals_.size() > 1 && intervals_.front().end <= now - settings_.rate_window) intervals_.pop_front();
  double length_s = 0.0;
  for (const Interval& interval : intervals_) {
    length_s += interval.length_s;
    sample.served_rps += interval.served;
    sample.cpu_cores += interval.cpu_seconds;
  }
  sample.has_pods = length_s > 0.0 && is_known;
  if (length_s > 0.0) {
    sample.served_rps /= length_s;
    sample.cpu_cores /= length_s;
  }

  if (is_lost()) return;
  sample.has_balancer = true;
  sample.in_flight = balancer.in_flight;
  failed_counters_.push_back({now, balancer.failed});
  // The newest one at or before the beginning of the window stays: the increase is taken from there.
  while (failed_counters_.size() > 2 && failed_counters_[1].time <= now - settings_.rate_window)
    failed_counters_.pop_front();
  if (failed_counters_.size() > 1) {
    const FailedCounter& first = failed_counters_.front();
    sample.has_failed_rate = settings_.shows_failures;
    sample.failed_rps = (balancer.failed - first.failed) / to_seconds(now - first.time);
  }
}

void MetricsPipeline::show(policy::Observation& observation) {
  const TimePoint now = observation.now;
  // Delays vary, but a newer scrape is never shown before an older one.
  while (!samples_.empty() && samples_.front().visible <= now) {
    const Sample& sample = samples_.front();
    if (sample.has_pods) {
      served_.value = sample.served_rps;
      cpu_.value = sample.cpu_cores;
      served_.quality = cpu_.quality = policy::Quality::fresh;
      served_time_ = sample.time;
    }
    if (sample.has_failed_rate) {
      failed_.value = sample.failed_rps;
      failed_.quality = policy::Quality::fresh;
      failed_time_ = sample.time;
    }
    if (sample.has_balancer) {
      in_flight_.value = sample.in_flight;
      in_flight_.quality = policy::Quality::fresh;
      in_flight_time_ = sample.time;
    }
    shown_pods_.swap(samples_.front().pods);
    shown_pods_time_ = sample.time;
    spare_.push_back(std::move(samples_.front().pods));
    samples_.pop_front();
  }
  const Duration still_fresh = fresh_for(settings_);
  const auto aged = [&](policy::Signal signal, TimePoint time) {
    if (signal.quality == policy::Quality::missing) return signal;
    signal.age = now - time;
    signal.quality = signal.age > still_fresh ? policy::Quality::stale : policy::Quality::fresh;
    return signal;
  };
  // A window within one interval holds no other sample than the last two.
  observation.rate_window =
      settings_.rate_window > settings_.scrape_interval ? settings_.rate_window : Duration::zero();
  observation.served_rate_rps = aged(served_, served_time_);
  observation.cpu_cores = aged(cpu_, served_time_);
  observation.failed_rate_rps = aged(failed_, failed_time_);
  observation.in_flight_requests = aged(in_flight_, in_flight_time_);

  policy::Signal cpu = aged(policy::Signal::fresh(0.0), shown_pods_time_);
  auto known = shown_pods_.begin();
  for (policy::PodObservation& pod : observation.pods) {
    while (known != shown_pods_.end() && known->id < pod.id) ++known;
    if (known == shown_pods_.end()) break;
    if (known->id != pod.id) continue;
    cpu.value = known->cores;
    pod.cpu_cores = cpu;
    pod.cpu_window = known->window;
  }
}

bool MetricsPipeline::is_lost() { return settings_.loss > 0.0 && losses_.uniform() < settings_.loss; }

}  // namespace mpca::sim
