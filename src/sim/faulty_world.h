// Metrics that lie, now and then, in any simulated world: what scrapers, adapters and clocks do to a controller in real
// clusters. Only what is shown is corrupted; requests, pods and accounts are the world's own, so a policy that looks at
// nothing has the same run with and without faults.
//
// Faults come in episodes: exponential lengths, and exponential times between them, so that a share of the time is in
// one from the first second on. When they are depends on the seed alone, not on the policy: all meet the same faults.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/settings.h"
#include "core/time.h"
#include "sim/truth.h"

namespace mpca::sim {

struct FaultSettings {
  /// `none`, or what happens in an episode to the signals that are known (single pods' CPU included):
  ///
  ///   missing    all are gone
  ///   stale      the last ones before it again and again, older each time
  ///   nan        each is NaN, infinite or negative, drawn each time
  ///   zero       all read 0, and fresh, whatever happens
  ///   half       half of the pods (by id; one stays) have no metrics: their CPU is missing, and served rate and CPU
  ///              are those of the others. In flight and failures are the balancer's and stay
  ///   skew       a clock is wrong: all ages are off by up to 30 s, the same in the whole episode; some get negative
  ///   reset      counters start again: of each sample served and failed rates are a thousand times too large, or 0
  ///              (a negative increase, clamped), or a part of the true ones
  ///   duplicate  every other time the sample of the time before, with its time stamp
  ///   reordered  every other time one that is older than the sample of the time before
  ///   mixed      one of the above, drawn for each episode
  std::string kind = "none";
  double share = 0.1;                               // of the time that is in episodes
  Duration mean_length = std::chrono::seconds(60);  // of an episode
  Duration fresh_for = std::chrono::seconds(35);    // an older sample calls itself stale; as MetricsPipeline has it
};

/// `fresh_for` is not a setting: it follows from how metrics are scraped.
SettingsTable settings_of(FaultSettings& settings);

/// The kinds that are a fault of their own, in the order above: without `none` and `mixed`.
std::span<const std::string_view> fault_kinds();

/// `world` with faults; with kind `none`, or share 0, `world` itself.
///   settings   kind is one of the names (checked)
///   cost       of an observation: O(its pods), copies their metrics
std::unique_ptr<SimulatedWorld> make_faulty_world(std::unique_ptr<SimulatedWorld> world, const FaultSettings& settings,
                                                  std::uint64_t seed);

}  // namespace mpca::sim
