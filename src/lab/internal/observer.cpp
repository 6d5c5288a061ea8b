#include "lab/internal/observer.h"

#include <algorithm>
#include <optional>

#include "core/os/real_clock.h"
#include "lab/internal/machine_load.h"

namespace mpca::lab::internal {
namespace {

constexpr Duration kMachineWindow = std::chrono::seconds(1);
constexpr double kSaturated = 0.97;
constexpr Duration kLongestSleep = std::chrono::milliseconds(50);

struct Chaos {
  std::string_view name;
  void (*cause)(Observer::Parts& parts);
};

using Parts = Observer::Parts;
constexpr Chaos kChaos[] = {
    {"kill-pod", [](Parts& parts) { parts.fleet.kill_pod(); }},
    {"hang-pod", [](Parts& parts) { parts.fleet.hang_pod(); }},
    {"scrape-failures", [](Parts& parts) { parts.metrics.set_failing(true); }},
    {"scrape-failures-end", [](Parts& parts) { parts.metrics.set_failing(false); }},
    {"stale-metrics", [](Parts& parts) { parts.world.set_metrics_frozen(true); }},
    {"stale-metrics-end", [](Parts& parts) { parts.world.set_metrics_frozen(false); }},
    {"never-ready", [](Parts& parts) { parts.fleet.set_never_ready(true); }},
    {"never-ready-end", [](Parts& parts) { parts.fleet.set_never_ready(false); }},
    {"restart-balancer", [](Parts& parts) { parts.balancer.restart(); }},
};

}  // namespace

std::vector<std::string_view> known_chaos() {
  std::vector<std::string_view> names;
  for (const Chaos& chaos : kChaos) names.push_back(chaos.name);
  return names;
}

std::vector<ScrapeTarget> scrape_targets(const FleetView& fleet) {
  std::vector<ScrapeTarget> targets;
  for (const PodView& pod : fleet.pods)
    if (!pod.is_terminating) targets.push_back({pod.id, pod.port});
  return targets;
}

Observer::Observer(const Parts& parts, Duration sample, std::size_t count, std::vector<ChaosEvent> chaos)
    : parts_(parts), sample_(sample), count_(count), chaos_(std::move(chaos)) {
  std::stable_sort(chaos_.begin(), chaos_.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  samples_.reserve(count);
  thread_ = std::thread([this] { run(); });
}

Observer::~Observer() { finish(); }

std::vector<FleetSample> Observer::finish() {
  is_stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return samples_;
}

void Observer::run() {
  std::optional<CpuTicks> first = read_cpu_ticks(), window = first, now_ticks = first;
  Duration window_end = os::monotonic_now() + kMachineWindow;
  while (!is_stopping_ && samples_.size() < count_) {
    const TimePoint due = parts_.clock.started_at() + sample_ * static_cast<std::int64_t>(samples_.size());
    if (parts_.clock.now() < due) {
      parts_.clock.sleep_until(std::min(due, parts_.clock.now() + parts_.clock.to_experiment(kLongestSleep)));
      continue;
    }
    while (next_chaos_ < chaos_.size() && chaos_[next_chaos_].at <= parts_.clock.elapsed())
      cause(chaos_[next_chaos_++]);
    const FleetView fleet = parts_.fleet.view();
    if (auto targets = scrape_targets(fleet); targets != targets_) {
      parts_.metrics.set_targets(targets);
      targets_ = std::move(targets);
    }
    samples_.push_back({fleet.spec_replicas, fleet.ready_replicas, parts_.balancer.counts().outstanding});
    if (window && os::monotonic_now() >= window_end) {
      now_ticks = read_cpu_ticks();
      ++windows_;
      if (now_ticks && busy_fraction(*window, *now_ticks) >= kSaturated) ++saturated_;
      window = now_ticks;
      window_end = os::monotonic_now() + kMachineWindow;
    }
  }
  if (const auto last = read_cpu_ticks(); first && last) mean_busy_ = busy_fraction(*first, *last);
}

void Observer::cause(const ChaosEvent& event) {
  for (const Chaos& chaos : kChaos)
    if (chaos.name == event.what) chaos.cause(parts_);
}

}  // namespace mpca::lab::internal
