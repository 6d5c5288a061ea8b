// The request engine's rules, written down as plainly as possible: a list of tries, every question answered by looking
// at all of them. For comparing with sim/internal/request_engine.h, which says what the rules are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/random.h"
#include "sim/internal/request_engine.h"

namespace mpca::test {

class SlowRequestSystem {
 public:
  using Settings = sim::internal::EngineSettings;
  using Fate = sim::internal::RequestFate;

  SlowRequestSystem(const Settings& settings, std::uint64_t seed) : settings_(settings), stream_(seed, "balancer") {}

  void offer(std::span<const sim::internal::RequestArrival> arrivals) {
    arrivals_.insert(arrivals_.end(), arrivals.begin(), arrivals.end());
  }

  void run_until(Duration until) {
    while (step(until)) {
    }
  }

  void add_pod(std::int64_t id, Duration now) {
    pods_.push_back({.id = id, .is_ready = true, .since = ++changes_});
    while (!settings_.waits_at_pod && running_at(id) < settings_.slots && first_waiting(kAtBalancer) != nullptr)
      start(*first_waiting(kAtBalancer), id, now);
    note_outstanding(id);
  }
  void drain_pod(std::int64_t id, Duration) { pod(id).is_ready = false; }
  void release_pod(std::int64_t id, Duration now) {
    pod(id).released_at = now;
    leave_if_done(id, now);
  }
  void kill_pod(std::int64_t id, Duration now) {
    std::vector<Try> failing;
    for (const Try& each : by_start())
      if (each.pod == id && !each.client_left) failing.push_back(each);
    for (const Try& each : tries_)
      if (!each.is_running && each.pod == id) failing.push_back(each);
    std::erase_if(tries_, [&](const Try& each) { return each.pod == id; });
    remove(id, now);
    for (const Try& each : failing) fail(each, now, Fate::died);
  }
  bool has_pod(std::int64_t id) const {
    return std::any_of(pods_.begin(), pods_.end(), [&](const Pod& each) { return each.id == id; });
  }

  std::vector<sim::internal::RequestEnd> log;
  std::uint64_t failed_tries = 0;
  Duration lingered{};

  std::uint64_t waiting() const {
    return static_cast<std::uint64_t>(
        std::count_if(tries_.begin(), tries_.end(), [](const Try& each) { return !each.is_running; }));
  }
  std::uint64_t in_flight() const {
    return static_cast<std::uint64_t>(
        std::count_if(tries_.begin(), tries_.end(), [](const Try& each) { return !each.client_left; }));
  }

 private:
  static constexpr std::int64_t kAtBalancer = 0;

  struct Try {
    std::uint32_t request = 0;
    Duration sent{}, first{}, service{};
    int tries_left = 0;
    std::int64_t pod = kAtBalancer;
    bool is_running = false;
    bool client_left = false;
    std::uint64_t start_number = 0;
    Duration ends{};
    std::uint64_t number = 0;  // of the try
  };
  struct Pod {
    std::int64_t id = 0;
    bool is_ready = false;
    std::uint64_t since = 0;  // when its outstanding requests changed last
    int outstanding = 0;
    Duration released_at = Duration::max();
  };

  Pod& pod(std::int64_t id) {
    return *std::find_if(pods_.begin(), pods_.end(), [&](const Pod& each) { return each.id == id; });
  }
  std::vector<Try> by_start() const {
    std::vector<Try> running;
    for (const Try& each : tries_)
      if (each.is_running) running.push_back(each);
    std::sort(running.begin(), running.end(),
              [](const Try& a, const Try& b) { return a.start_number < b.start_number; });
    return running;
  }
  int running_at(std::int64_t id) const {
    return static_cast<int>(std::count_if(tries_.begin(), tries_.end(),
                                          [&](const Try& each) { return each.is_running && each.pod == id; }));
  }
  int waiting_at(std::int64_t id) const {
    return static_cast<int>(std::count_if(tries_.begin(), tries_.end(),
                                          [&](const Try& each) { return !each.is_running && each.pod == id; }));
  }
  Try* first_waiting(std::int64_t place) {
    for (Try& each : tries_)
      if (!each.is_running && each.pod == place) return &each;
    return nullptr;
  }
  int outstanding(std::int64_t id) const {
    if (!settings_.waits_at_pod) return running_at(id);
    return static_cast<int>(std::count_if(tries_.begin(), tries_.end(),
                                          [&](const Try& each) { return each.pod == id && !each.client_left; }));
  }
  void note_outstanding(std::int64_t id) {
    Pod& changed = pod(id);
    if (changed.outstanding != outstanding(id)) changed.since = ++changes_;
    changed.outstanding = outstanding(id);
  }
  bool is_open(const Pod& each) const {
    return each.is_ready && (settings_.waits_at_pod || running_at(each.id) < settings_.slots);
  }

  /// 0: no pod takes a request.
  std::int64_t pick() {
    std::sort(pods_.begin(), pods_.end(), [](const Pod& a, const Pod& b) { return a.id < b.id; });
    std::vector<Pod> ready, open;
    for (const Pod& each : pods_) {
      if (each.is_ready) ready.push_back(each);
      if (is_open(each)) open.push_back(each);
    }
    if (open.empty()) return 0;
    const auto draw = [&](std::int64_t other_than) {
      for (;;) {
        const Pod& drawn = ready[static_cast<std::size_t>(stream_.uniform() * static_cast<double>(ready.size()))];
        if (is_open(drawn) && drawn.id != other_than) return drawn;
      }
    };
    switch (settings_.balancer) {
      case sim::internal::BalancerRule::round_robin: {
        auto next = std::find_if(open.begin(), open.end(), [&](const Pod& each) { return each.id > last_picked_; });
        if (next == open.end()) next = open.begin();
        return last_picked_ = next->id;
      }
      case sim::internal::BalancerRule::random:
        return draw(0).id;
      case sim::internal::BalancerRule::two_choices: {
        const Pod first = draw(0);
        if (open.size() == 1) return first.id;
        const Pod second = draw(first.id);
        return outstanding(second.id) < outstanding(first.id) ? second.id : first.id;
      }
      case sim::internal::BalancerRule::least_outstanding:
        break;
    }
    return std::min_element(open.begin(), open.end(),
                            [&](const Pod& a, const Pod& b) {
                              const int at_a = outstanding(a.id), at_b = outstanding(b.id);
                              return at_a != at_b ? at_a < at_b : a.since < b.since;
                            })
        ->id;
  }

  bool has_room(std::int64_t place) const {
    const auto ready = std::count_if(pods_.begin(), pods_.end(), [](const Pod& each) { return each.is_ready; });
    const auto servers = settings_.slots * (place == kAtBalancer ? ready : 1);
    // (waiting + 1) services on so many servers take no longer than the limit.
    return (waiting_at(place) + 1) * settings_.service_time <= settings_.queue_limit * servers;
  }

  void arrive(Try next, Duration now) {
    for (;;) {
      next.pod = pick();
      next.number = ++tries_made_;
      if (settings_.waits_at_pod) {
        const bool starts = next.pod != 0 && running_at(next.pod) < settings_.slots;
        if (starts || (next.pod != 0 && has_room(next.pod))) {
          tries_.push_back(next);
          if (starts) start(tries_.back(), next.pod, now);
          note_outstanding(next.pod);
          return;
        }
      } else if (next.pod != 0 || has_room(kAtBalancer)) {
        tries_.push_back(next);
        if (next.pod == 0) return;
        start(tries_.back(), next.pod, now);
        note_outstanding(next.pod);
        return;
      }
      ++failed_tries;
      if (next.tries_left == 0) return log.push_back({next.request, now, Fate::refused, 0});
      --next.tries_left;
    }
  }

  void start(Try& waiting, std::int64_t id, Duration now) {
    waiting.pod = id;
    waiting.is_running = true;
    waiting.start_number = ++starts_;
    waiting.ends = now + waiting.service;
  }

  void fail(Try failed, Duration now, Fate fate) {
    ++failed_tries;
    if (failed.tries_left == 0) return log.push_back({failed.request, now, fate, 0});
    arrive({.request = failed.request,
            .sent = now,
            .first = failed.first,
            .service = failed.service,
            .tries_left = failed.tries_left - 1},
           now);
  }

  void remove(std::int64_t id, Duration now) {
    if (pod(id).released_at < Duration::max()) lingered += now - pod(id).released_at;
    std::erase_if(pods_, [&](const Pod& each) { return each.id == id; });
  }
  void leave_if_done(std::int64_t id, Duration now) {
    if (pod(id).released_at < Duration::max() && running_at(id) == 0) remove(id, now);
  }

  bool step(Duration until) {
    // The earliest of all that may happen; at equal times by kind, then by number.
    struct Next {
      Duration time = Duration::max();
      int kind = 0;
      std::uint64_t number = 0;
      std::size_t which = 0;
      bool operator<(const Next& other) const {
        if (time != other.time) return time < other.time;
        return kind != other.kind ? kind < other.kind : number < other.number;
      }
    };
    Next next;
    const auto consider = [&](const Next& candidate) { next = std::min(next, candidate); };
    for (std::size_t i = 0; i < tries_.size(); ++i) {
      const Try& each = tries_[i];
      const Duration leaves = each.sent + settings_.client_timeout;
      if (!each.is_running) {
        consider({leaves, 1, each.number, i});
      } else {
        consider({each.ends, 0, each.start_number, i});
        if (!each.client_left && leaves < each.ends) consider({leaves, 2, each.start_number, i});
      }
    }
    if (arrived_ < arrivals_.size()) consider({arrivals_[arrived_].time, 3, 0, 0});
    if (next.time > until || next.time == Duration::max() || (next.kind == 3 && next.time == until)) return false;

    const Duration now = next.time;
    if (next.kind == 3) {
      const auto& [time, service] = arrivals_[arrived_];
      arrive({.request = static_cast<std::uint32_t>(arrived_++),
              .sent = time,
              .first = time,
              .service = service,
              .tries_left = settings_.retries},
             now);
      return true;
    }
    const Try touched = tries_[next.which];
    if (next.kind == 2) {
      tries_[next.which].client_left = true;
      note_outstanding(touched.pod);
      fail(touched, now, Fate::timed_out);
      return true;
    }
    tries_.erase(tries_.begin() + static_cast<std::ptrdiff_t>(next.which));
    if (next.kind == 1) {
      if (touched.pod != kAtBalancer) note_outstanding(touched.pod);
      fail(touched, now, Fate::timed_out);
      return true;
    }
    if (!touched.client_left) log.push_back({touched.request, now, Fate::served, touched.pod});
    // Who waited until its time-out leaves before anybody starts.
    std::vector<Try> left;
    const std::int64_t place = settings_.waits_at_pod ? touched.pod : kAtBalancer;
    if (settings_.waits_at_pod || pod(touched.pod).is_ready) {
      for (Try* first = first_waiting(place); first != nullptr; first = first_waiting(place)) {
        if (first->sent + settings_.client_timeout > now) {
          start(*first, touched.pod, now);
          break;
        }
        left.push_back(*first);
        tries_.erase(tries_.begin() + (first - tries_.data()));
      }
    }
    note_outstanding(touched.pod);
    leave_if_done(touched.pod, now);
    for (const Try& each : left) fail(each, now, Fate::timed_out);
    return true;
  }

  Settings settings_;
  RandomStream stream_;
  std::vector<sim::internal::RequestArrival> arrivals_;
  std::size_t arrived_ = 0;
  std::vector<Try> tries_;  // in the order they were made
  std::vector<Pod> pods_;
  std::uint64_t changes_ = 0, starts_ = 0, tries_made_ = 0;
  std::int64_t last_picked_ = -1;
};

}  // namespace mpca::test
