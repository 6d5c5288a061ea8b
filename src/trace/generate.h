// Traces made from formulas: the reference lab's three, and three of ours for when no real trace is at hand. All are
// functions of their arguments; the random ones of the seed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "trace/demand_trace.h"
#include "trace/phases.h"

namespace mpca::trace {

/// The load plan of the lab's scenarios. Rates of seasonality are clamp(round(70 + 50 sin(2 pi i / 20)), 20, 120), i =
/// 0…19, a minute each.
enum class Scenario { step, spike, seasonality };
std::vector<Phase> scenario_phases(Scenario scenario);

/// The lab's synthetic traces: step and spike are their plans in steps of `step`; seasonality is the formula once per
/// step, `seasonality_points` of them, so its period is 20 steps and not 20 minutes. No phases.
///   errors   invalid_argument  a step that is not positive, points < 1
Result<DemandTrace> synthetic_scenario(Scenario scenario, Duration step, int seasonality_points = 80);

/// What the generators of ours have in common.
struct GeneratorOptions {
  Duration step = std::chrono::seconds(15);
  Duration duration = std::chrono::hours(24);
  double mean_rps = 100.0;       // about; > 0
  double relative_noise = 0.05;  // per step, as trace::Noise
  std::uint64_t seed = 1;
};

/// Days: low at 4 in the morning, high at 4 in the afternoon (peak to trough about 4 to 1), a third less on the sixth
/// and seventh day, noise that is correlated over minutes, and two or three bursts a day that rise at once and fall in
/// minutes.
Result<DemandTrace> generate_diurnal(const GeneratorOptions& options);

/// A flat night, then at a third of the time everybody comes: demand grows to ten times within minutes (logistic),
/// stays there shortly and decays over an hour.
Result<DemandTrace> generate_flash_crowd(const GeneratorOptions& options);

/// Batch clients: on and off for exponentially distributed times (means 10 and 20 minutes) at a level drawn anew each
/// time.
Result<DemandTrace> generate_on_off(const GeneratorOptions& options);

/// One of the above by the name that people type.
struct Generator {
  std::string_view name;      // `diurnal`
  std::string_view sentence;  // for help
  Result<DemandTrace> (*generate)(const GeneratorOptions&);
};
std::span<const Generator> generators();

}  // namespace mpca::trace
