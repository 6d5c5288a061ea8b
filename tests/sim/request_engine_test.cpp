#include "sim/internal/request_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "core/text.h"
#include "sim/slow_request_system.h"

namespace mpca::sim::internal {
namespace {

using namespace std::chrono_literals;

/// A run: requests, and what happens to pods in between.
struct Script {
  enum class What { add, drain, release, kill };
  struct PodChange {
    Duration time{};
    What what{};
    std::int64_t pod = 0;
  };
  EngineSettings settings;
  std::vector<RequestArrival> arrivals;
  std::vector<PodChange> changes;  // by time
};

/// Changes of pods happen to both at the same points between the same runs.
template <class System>
void play(System& system, const Script& script, std::vector<std::uint64_t>& gauges) {
  system.offer(script.arrivals);
  for (const auto& [time, what, pod] : script.changes) {
    system.run_until(time);
    const bool has = system.has_pod(pod);
    switch (what) {
      case Script::What::add:
        if (!has) system.add_pod(pod, time);
        break;
      case Script::What::drain:
        if (has) system.drain_pod(pod, time);
        break;
      case Script::What::release:
        if (has) system.release_pod(pod, time);
        break;
      case Script::What::kill:
        if (has) system.kill_pod(pod, time);
        break;
    }
    gauges.push_back(system.waiting());
    gauges.push_back(system.in_flight());
  }
  system.run_until(Duration::max());
  gauges.push_back(system.waiting());
  gauges.push_back(system.in_flight());
}

std::string described(const std::vector<RequestEnd>& log) {
  std::string text;
  for (const RequestEnd& end : log)
    text += cat("  request ", end.request, " at ", end.time / 1ms, " ms: fate ", static_cast<int>(end.fate), " pod ",
                end.pod, "\n");
  return text;
}

/// Times on a grid of 1 ms, so that much happens at the same time.
Script drawn(RandomStream& draw) {
  const auto between = [&](int low, int high) {
    return low + static_cast<int>(draw.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  const auto ms = [&](int low, int high) { return Duration(1ms * between(low, high)); };
  Script script;
  EngineSettings& settings = script.settings;
  settings.service_time = ms(1, 6);
  settings.equal_services = between(0, 1) == 1;
  settings.slots = between(1, 3);
  settings.waits_at_pod = between(0, 1) == 1;
  settings.balancer = static_cast<BalancerRule>(between(0, 3));
  settings.queue_limit = ms(0, 12);
  settings.client_timeout = ms(1, 12);
  settings.retries = between(0, 3);
  settings.latency_target = ms(1, 10);
  const int count = between(1, 60), length_ms = between(1, 80);
  for (int i = 0; i < count; ++i) {
    const Duration service = settings.equal_services ? settings.service_time : ms(0, 9);
    script.arrivals.push_back({ms(0, length_ms), service});
  }
  std::stable_sort(script.arrivals.begin(), script.arrivals.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  const int pods = between(1, 5);
  for (int pod = 1; pod <= pods; ++pod) {
    // Each comes, and is drained, killed, crashed and started again, or stays.
    Duration time = between(0, 2) == 0 ? ms(0, length_ms) : Duration(0);
    const auto change = [&](Script::What what) {
      script.changes.push_back({time, what, pod});
      time += ms(0, 20);
    };
    change(Script::What::add);
    const int fate = between(0, 4);
    if (fate == 1 || fate == 4) {
      time += ms(0, 30);
      change(Script::What::kill);
      change(Script::What::add);
    }
    if (fate >= 2) {
      time += ms(0, 30);
      change(Script::What::drain);
      if (between(0, 1) == 1) change(Script::What::release);
      change(Script::What::kill);
    }
  }
  std::stable_sort(script.changes.begin(), script.changes.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  return script;
}

TEST(RequestEngine, EveryRequestEndsAsInASimulationThatLooksAtEverythingAllTheTime) {
  RandomStream draw(20, "scripts");
  std::uint64_t fates[4] = {};
  for (std::uint64_t number = 0; number < 20'000; ++number) {
    const Script script = drawn(draw);
    RequestEngine engine(script.settings, number);
    test::SlowRequestSystem slow(script.settings, number);
    std::vector<RequestEnd> log;
    engine.set_log(&log);
    std::vector<std::uint64_t> gauges, slow_gauges;
    play(engine, script, gauges);
    play(slow, script, slow_gauges);
    ASSERT_EQ(log, slow.log) << "script " << number << "\nengine:\n"
                             << described(log) << "slow:\n"
                             << described(slow.log);
    ASSERT_EQ(gauges, slow_gauges) << "script " << number;
    ASSERT_EQ(engine.counts().failed_tries, slow.failed_tries) << "script " << number;
    ASSERT_EQ(engine.lingered(200ms), slow.lingered) << "script " << number;
    for (const RequestEnd& end : log) ++fates[static_cast<int>(end.fate)];

    const RequestCounts& counts = engine.counts();
    ASSERT_EQ(counts.requests, script.arrivals.size());
    ASSERT_EQ(counts.requests, counts.served + counts.refused + counts.timed_out) << "every request has one end";
    ASSERT_EQ(engine.take_latency().count(), counts.requests);
  }
  for (const std::uint64_t count : fates) EXPECT_GT(count, 5'000u) << "each fate is common among the scripts";
}

}  // namespace
}  // namespace mpca::sim::internal
