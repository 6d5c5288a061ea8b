#include "trace/generate.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/random.h"
#include "core/text.h"
#include "trace/transform.h"

namespace mpca::trace {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kSeasonPoints = 20;
constexpr std::int64_t kMostSteps = 100'000'000;

double seasonality_rps(int i) {
  const double angle = 2.0 * std::numbers::pi * static_cast<double>(i) / kSeasonPoints;
  return std::clamp(std::round(70.0 + 50.0 * std::sin(angle)), 20.0, 120.0);
}

Result<std::int64_t> checked_steps(const GeneratorOptions& options) {
  if (options.step <= Duration::zero()) return invalid("the step of a trace must be > 0");
  if (options.duration < options.step) {
    return invalid(cat("the duration ", format_duration(options.duration), " is shorter than the step ",
                       format_duration(options.step)));
  }
  if (!(options.mean_rps > 0.0) || !std::isfinite(options.mean_rps)) return invalid("the mean rate must be > 0");
  const std::int64_t steps = options.duration / options.step;
  if (steps > kMostSteps) return invalid(cat("the duration makes more than ", kMostSteps, " steps"));
  return steps;
}

// `shape(seconds)` with noise, scaled to the mean rate.
template <class Shape>
Result<DemandTrace> from_shape(const GeneratorOptions& options, std::string name, const Shape& shape) {
  MPCA_TRY(const std::int64_t steps, checked_steps(options));
  DemandTrace trace{.name = std::move(name), .start = {}, .step = options.step, .demand_rps = {}, .phase_idx = {}};
  trace.demand_rps.reserve(static_cast<std::size_t>(steps));
  double sum = 0.0;
  for (std::int64_t i = 0; i < steps; ++i) {
    trace.demand_rps.push_back(shape(to_seconds(i * options.step)));
    sum += trace.demand_rps.back();
  }
  if (sum > 0.0) {
    MPCA_TRY(trace, scale(std::move(trace), options.mean_rps * static_cast<double>(steps) / sum));
  }
  RandomStream random(options.seed, "trace noise");
  return add_noise(std::move(trace), {.relative = options.relative_noise, .poisson = false}, random);
}

// Bursts that rise at once and fall exponentially, as a factor on top of 1.
class Bursts {
 public:
  Bursts(std::uint64_t seed, double mean_gap_s) : random_(seed, "trace bursts"), mean_gap_s_(mean_gap_s) { draw(); }

  // Times must not go back.
  double at(double time_s) {
    while (time_s >= next_s_) {
      height_ = height_ * std::exp(-(next_s_ - begin_s_) / decay_s_) + 0.3 + 0.7 * random_.uniform();
      decay_s_ = 120.0 + 480.0 * random_.uniform();
      begin_s_ = next_s_;
      draw();
    }
    return height_ * std::exp(-(time_s - begin_s_) / decay_s_);
  }

 private:
  void draw() { next_s_ = begin_s_ + mean_gap_s_ * random_.exponential(); }

  RandomStream random_;
  double mean_gap_s_;
  double begin_s_ = 0.0;
  double next_s_ = 0.0;
  double height_ = 0.0;
  double decay_s_ = 300.0;
};

// Noise that forgets with a time constant (an Ornstein-Uhlenbeck process, exactly sampled), standard deviation 1.
class SlowNoise {
 public:
  SlowNoise(std::uint64_t seed, double step_s, double time_constant_s)
      : random_(seed, "trace slow noise"), keep_(std::exp(-step_s / time_constant_s)), value_(random_.normal()) {}
  double next() { return value_ = keep_ * value_ + std::sqrt(1.0 - keep_ * keep_) * random_.normal(); }

 private:
  RandomStream random_;
  double keep_;
  double value_;
};

constexpr Generator kGenerators[] = {
    {"diurnal", "days and weeks with correlated noise and bursts", generate_diurnal},
    {"flash-crowd", "a flat line, then ten times the demand within minutes", generate_flash_crowd},
    {"on-off", "batch clients that come and go", generate_on_off},
};

}  // namespace

std::vector<Phase> scenario_phases(Scenario scenario) {
  switch (scenario) {
    case Scenario::step:
      return {{1, minutes(5), 20.0}, {2, minutes(5), 80.0}, {3, minutes(5), 40.0}};
    case Scenario::spike:
      return {{1, minutes(3), 20.0}, {2, seconds(30), 200.0}, {3, minutes(3), 20.0}};
    case Scenario::seasonality:
      break;
  }
  std::vector<Phase> phases;
  for (int i = 0; i < kSeasonPoints; ++i) phases.push_back({i + 1, minutes(1), seasonality_rps(i)});
  return phases;
}

Result<DemandTrace> synthetic_scenario(Scenario scenario, Duration step, int seasonality_points) {
  if (scenario != Scenario::seasonality) {
    MPCA_TRY(DemandTrace trace,
             trace_from_phases(scenario_phases(scenario), step, scenario == Scenario::step ? "step" : "spike"));
    trace.phase_idx.clear();
    return trace;
  }
  if (step <= Duration::zero()) return invalid("the step of a trace must be > 0");
  if (seasonality_points < 1) return invalid("a trace needs at least one point");
  DemandTrace trace{.name = "seasonality", .start = {}, .step = step, .demand_rps = {}, .phase_idx = {}};
  for (int i = 0; i < seasonality_points; ++i) trace.demand_rps.push_back(seasonality_rps(i));
  return trace;
}

Result<DemandTrace> generate_diurnal(const GeneratorOptions& options) {
  constexpr double kDay = 86400.0;
  Bursts bursts(options.seed, kDay / 2.5);
  SlowNoise slow(options.seed, to_seconds(options.step), 600.0);
  return from_shape(options, "diurnal", [&](double time_s) {
    const double day_shape = 1.0 - 0.6 * std::cos(2.0 * std::numbers::pi * (time_s / kDay - 4.0 / 24.0));
    const bool weekend = static_cast<int>(std::fmod(time_s / kDay, 7.0)) >= 5;
    return day_shape * (weekend ? 0.67 : 1.0) * (1.0 + bursts.at(time_s)) * std::max(0.0, 1.0 + 0.05 * slow.next());
  });
}

Result<DemandTrace> generate_flash_crowd(const GeneratorOptions& options) {
  const double begin_s = to_seconds(options.duration) / 3.0;
  return from_shape(options, "flash-crowd", [&](double time_s) {
    constexpr double kRise = 60.0, kPlateau = 900.0, kDecay = 3600.0;
    const double rising = 9.0 / (1.0 + std::exp(-(time_s - begin_s) / kRise));
    return 1.0 + rising * std::exp(-std::max(0.0, time_s - begin_s - kPlateau) / kDecay);
  });
}

Result<DemandTrace> generate_on_off(const GeneratorOptions& options) {
  RandomStream random(options.seed, "trace on off");
  double until_s = 0.0;
  double level = 0.0;
  bool on = true;
  return from_shape(options, "on-off", [&](double time_s) {
    while (time_s >= until_s) {
      on = !on;
      level = on ? 0.5 + random.uniform() : 0.0;
      until_s += (on ? 600.0 : 1200.0) * random.exponential();
    }
    return level;
  });
}

std::span<const Generator> generators() { return kGenerators; }

}  // namespace mpca::trace
