#include "sim/pods.h"

#include <algorithm>

#include "core/result.h"

namespace mpca::sim {
namespace {

constexpr Duration kLongestBackoff = std::chrono::seconds(300);

DurationDistribution parsed(const std::string& text) {
  const auto distribution = DurationDistribution::parse(text);
  MPCA_CHECK(distribution.has_value(), "the readiness lag was checked before");
  return *distribution;
}

TimePoint later(TimePoint time, Duration wait) {
  return wait > TimePoint::max() - time ? TimePoint::max() : time + wait;
}

/// Whether `a` is taken away before `b`.
bool leaves_before(const Pod& a, const Pod& b) {
  if (a.is_ready != b.is_ready) return b.is_ready;
  if (a.is_ready && a.ready_changed != b.ready_changed) return a.ready_changed > b.ready_changed;
  if (a.restarts != b.restarts) return a.restarts > b.restarts;
  return a.id > b.id;
}

}  // namespace

SettingsTable settings_of(PodSettings& settings) {
  return {
      {"readiness-lag", &settings.readiness_lag,
       "from asking for a pod until it is Ready: 40s, lognormal(mean=30s,cv=0.3), quantiles(0.1=20s;0.9=50s) or "
       "samples(20s;31s)"},
      {"stuck-share", &settings.stuck_share, "fraction", Range::between(0, 1), "of pods that never become Ready"},
      {"crashes-per-hour", &settings.crashes_per_hour, "1/h", Range::between(0, 3600), "of each Ready pod"},
      {"crash-backoff", &settings.crash_backoff, "duration", Range::at_least(0),
       "before a crashed pod starts again; doubles up to 300 s"},
      {"drain", &settings.drain, "duration", Range::at_least(0), "a removed pod exists, and is paid, this long"},
  };
}

PodSet::PodSet(const PodSettings& settings, std::uint64_t seed, TimePoint start, int initial_replicas)
    : settings_(settings),
      seed_(seed),
      lag_(parsed(settings.readiness_lag)),
      lags_(seed, "readiness lag"),
      stuck_(seed, "stuck pods") {
  MPCA_CHECK(initial_replicas >= 0, "replicas are never negative");
  for (int i = 0; i < initial_replicas; ++i) {
    Pod& pod = pods_.emplace_back();
    pod.id = next_id_++;
    pod.created = start - std::chrono::hours(1);
    pod.is_ready = true;
    pod.ready_changed = pod.created;
    pod.next_change = time_of_crash(pod, start);
  }
  ready_ = initial_replicas;
  find_next_event();
}

std::span<const std::int64_t> PodSet::scale_to(int replicas, TimePoint now) {
  MPCA_CHECK(replicas >= 0, "replicas are never negative");
  removed_.clear();
  while (spec() < replicas) start_pod(now);
  while (spec() > replicas) {
    const auto leaving = std::min_element(pods_.begin(), pods_.end(), leaves_before);
    removed_.push_back(leaving->id);
    ready_ -= leaving->is_ready ? 1 : 0;
    if (settings_.drain > Duration::zero()) {
      Pod& draining = draining_.emplace_back(*leaving);
      draining.is_ready = false;
      draining.next_change = now + settings_.drain;
    }
    pods_.erase(leaving);
  }
  find_next_event();
  return removed_;
}

std::optional<PodEvent> PodSet::advance(TimePoint until) {
  if (next_event_ > until) return std::nullopt;
  PodEvent event{.time = next_event_, .kind = PodEventKind::gone, .pod = 0};
  if (!draining_.empty() && draining_.front().next_change == next_event_) {
    event.pod = draining_.front().id;
    draining_.erase(draining_.begin());
    find_next_event();
    return event;
  }
  const auto pod = std::find_if(pods_.begin(), pods_.end(), [&](const Pod& p) { return p.next_change == next_event_; });
  event.pod = pod->id;
  pod->ready_changed = event.time;
  pod->is_ready = !pod->is_ready;
  if (pod->is_ready) {
    event.kind = PodEventKind::ready;
    ++ready_;
    pod->next_change = time_of_crash(*pod, event.time);
  } else {
    event.kind = PodEventKind::crashed;
    --ready_;
    Duration backoff = settings_.crash_backoff;
    for (int i = 0; i < pod->restarts && backoff < kLongestBackoff; ++i) backoff *= 2;
    ++pod->restarts;
    pod->next_change = later(event.time + std::min(backoff, kLongestBackoff), restart_lag(*pod));
  }
  find_next_event();
  return event;
}

void PodSet::start_pod(TimePoint now) {
  Pod& pod = pods_.emplace_back();
  pod.id = next_id_++;
  pod.created = now;
  pod.ready_changed = now;
  ++started_;
  // Drawn for every pod, stuck or not: the k-th pod of a run has the same lag whatever the policy and the settings.
  const Duration lag = lag_.sample(lags_);
  const bool is_stuck = stuck_.uniform() < settings_.stuck_share;
  pod.next_change = is_stuck ? TimePoint::max() : later(now, lag);
}

// A pod's own streams: when others crash, and how many there are, must not change what happens to this one.
TimePoint PodSet::time_of_crash(const Pod& pod, TimePoint now) const {
  if (settings_.crashes_per_hour <= 0.0) return TimePoint::max();
  constexpr double kNeverSeconds = 1e9;
  RandomStream crashes(seed_, "crashes", static_cast<std::uint32_t>(pod.id));
  for (int i = 0; i < pod.restarts; ++i) crashes.exponential();
  return now + from_seconds(std::min(crashes.exponential() * 3600.0 / settings_.crashes_per_hour, kNeverSeconds));
}

Duration PodSet::restart_lag(const Pod& pod) const {
  RandomStream lags(seed_, "restart lag", static_cast<std::uint32_t>(pod.id));
  for (int i = 1; i < pod.restarts; ++i) lag_.sample(lags);
  return lag_.sample(lags);
}

void PodSet::find_next_event() {
  next_event_ = draining_.empty() ? TimePoint::max() : draining_.front().next_change;
  for (const Pod& pod : pods_) next_event_ = std::min(next_event_, pod.next_change);
}

}  // namespace mpca::sim
