// Pods that become Ready after a given lag, looked at now and then: what a readiness lag is learned from, with the
// truth beside it.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "core/random.h"
#include "plant/readiness_lag.h"

namespace mpca::test {

class PodsInTime {
 public:
  struct Pod {
    std::int64_t id;
    TimePoint asked;
    TimePoint ready;
  };

  PodsInTime(std::function<double(RandomStream&)> lag_s, std::uint64_t seed)
      : lag_s_(std::move(lag_s)), lags_(seed, "lags"), moves_(seed, "moves") {}

  void set_lag(std::function<double(RandomStream&)> lag_s) { lag_s_ = std::move(lag_s); }
  void ask(int pods) {
    for (int k = 0; k < pods; ++k) {
      // One draw after the other, whatever is cancelled.
      const double lag_s = lag_s_(lags_);
      pods_.push_back({next_id_++, now_, now_ + from_seconds(lag_s)});
      ++asked_;
    }
  }
  /// The youngest starting ones first, then those Ready last.
  void remove(int pods) {
    for (int k = 0; k < pods && !pods_.empty(); ++k) {
      auto leaves = pods_.end();
      for (auto pod = pods_.begin(); pod != pods_.end(); ++pod) {
        if (pod->ready > now_) leaves = pod;
      }
      if (leaves == pods_.end())
        leaves = std::max_element(pods_.begin(), pods_.end(), [](auto& a, auto& b) { return a.ready < b.ready; });
      pods_.erase(leaves);
    }
  }
  void pass(Duration time) { now_ += time; }

  void show_counts(plant::ReadinessLag& lag) const {
    std::vector<Duration> ages;
    int ready = 0;
    for (const Pod& pod : pods_) {
      if (pod.ready > now_) {
        ages.push_back(now_ - pod.asked);
      } else {
        ++ready;
      }
    }
    lag.observe_counts(now_, static_cast<int>(pods_.size()), ready, ages);
  }
  void show_pods(plant::ReadinessLag& lag) const {
    std::vector<plant::PodSight> sights;
    for (const Pod& pod : pods_)
      sights.push_back({pod.id, pod.asked, pod.ready <= now_, pod.ready <= now_ ? pod.ready : pod.asked, false});
    lag.observe_pods(now_, sights);
  }

  /// One period of a busy service: a random move, some of it taken back at once.
  void move_at_random() {
    const double draw = moves_.uniform();
    const int by = 1 + static_cast<int>(moves_.below(3));
    if (draw < 0.4 && pods_.size() < 40) {
      ask(by);
    } else if (draw > 0.6 && pods_.size() > 4) {
      remove(std::min(by, static_cast<int>(pods_.size()) - 3));
    }
  }

  TimePoint now() const { return now_; }
  int asked() const { return asked_; }
  const std::vector<Pod>& pods() const { return pods_; }

 private:
  std::function<double(RandomStream&)> lag_s_;
  RandomStream lags_;
  RandomStream moves_;
  TimePoint now_ = TimePoint(std::chrono::hours(1000));
  std::int64_t next_id_ = 1;
  int asked_ = 0;
  std::vector<Pod> pods_;
};

inline std::function<double(RandomStream&)> lognormal_lag(double mean_s, double cv) {
  const double variance = std::log1p(cv * cv);
  return [=](RandomStream& stream) {
    return std::exp(std::log(mean_s) - 0.5 * variance + std::sqrt(variance) * stream.normal());
  };
}

}  // namespace mpca::test
