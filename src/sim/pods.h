// The pods behind a scale subresource, as a ReplicaSet and its nodes treat them: new ones become Ready after a random
// lag or never, ready ones may crash and start again after a back-off, and what is taken away first is what serves
// least. Both simulators have their pods from here.
//
// Order of removal: not Ready before Ready; then those that became Ready last; then those with more restarts; then the
// youngest (Kubernetes 1.35, pkg/controller/controller_utils.go, ActivePodsWithRanks, without deletion costs and
// node ranks; there times since Ready count as equal within a power of two and then the UID decides, which is as good
// as a draw: here the one that became Ready last goes, always).
//
// The k-th pod of a run has the same lags and crashes the same time after each Ready, whatever the policy.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/duration_distribution.h"
#include "core/random.h"
#include "core/settings.h"
#include "core/time.h"

namespace mpca::sim {

struct PodSettings {
  std::string readiness_lag = "lognormal(mean=30s,cv=0.3)";  // as DurationDistribution::parse() takes it
  double stuck_share = 0.0;       // of the pods that never become Ready; they stay until they are removed
  double crashes_per_hour = 0.0;  // of each Ready pod
  Duration crash_backoff = std::chrono::seconds(10);  // before the first restart; doubles up to 300 s
  Duration drain{};  // a removed pod exists, and is paid, this long; it gets no new requests
};

SettingsTable settings_of(PodSettings& settings);

struct Pod {
  std::int64_t id = 0;
  TimePoint created;
  bool is_ready = false;
  TimePoint ready_changed;  // last transition of Ready; `created` before the first
  int restarts = 0;
  TimePoint next_change;  // becomes Ready, or crashes; TimePoint::max() when never
};

enum class PodEventKind { ready, crashed, gone };

struct PodEvent {
  TimePoint time;
  PodEventKind kind{};
  std::int64_t pod = 0;
};

class PodSet {
 public:
  /// Begins with `initial_replicas` pods that have been Ready for a long time.
  ///   settings   valid; `readiness_lag` parses (checked)
  PodSet(const PodSettings& settings, std::uint64_t seed, TimePoint start, int initial_replicas);

  /// Makes or removes pods. Those removed no longer serve from `now` on; their ids are returned, in order of removal.
  std::span<const std::int64_t> scale_to(int replicas, TimePoint now);

  /// The next thing that happens to a pod by itself, if it happens at or before `until`; nullopt: nothing does. At
  /// equal times what drained goes first, then in order of id.
  std::optional<PodEvent> advance(TimePoint until);
  /// When the next call has something to tell; max() when never.
  TimePoint next_event() const { return next_event_; }

  int spec() const { return static_cast<int>(pods_.size()); }
  int ready() const { return ready_; }
  /// Those that exist: the spec and what drains.
  int existing() const { return static_cast<int>(pods_.size() + draining_.size()); }
  std::int64_t started() const { return started_; }
  /// By id, those that drain left out.
  std::span<const Pod> pods() const { return pods_; }
  /// Those that drain, the first to go first.
  std::span<const Pod> draining() const { return draining_; }

 private:
  void start_pod(TimePoint now);
  TimePoint time_of_crash(const Pod& pod, TimePoint now) const;
  Duration restart_lag(const Pod& pod) const;
  void find_next_event();

  PodSettings settings_;
  std::uint64_t seed_;
  DurationDistribution lag_;
  RandomStream lags_;
  RandomStream stuck_;
  std::vector<Pod> pods_;      // by id
  std::vector<Pod> draining_;  // next_change: when it is gone
  std::vector<std::int64_t> removed_;
  std::int64_t next_id_ = 1;
  std::int64_t started_ = 0;
  int ready_ = 0;
  TimePoint next_event_ = TimePoint::max();
};

}  // namespace mpca::sim
