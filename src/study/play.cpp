#include "study/play.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/stats.h"
#include "core/text.h"
#include "sim/demand_curve.h"

namespace mpca::study {
namespace {

constexpr std::size_t kDrawnPoints = 240;

/// Extremes survive: each bucket gives its least and its greatest rate.
void thin(const std::vector<double>& rate_rps, report::PlayedTrace& played) {
  const std::size_t bucket = std::max<std::size_t>((2 * rate_rps.size() + kDrawnPoints - 1) / kDrawnPoints, 2);
  for (std::size_t begin = 0; begin < rate_rps.size(); begin += bucket) {
    const auto first = rate_rps.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = rate_rps.begin() + static_cast<std::ptrdiff_t>(std::min(begin + bucket, rate_rps.size()));
    auto [low, high] = std::minmax_element(first, last);
    if (high < low) std::swap(low, high);
    for (const auto extreme : {low, high}) {
      played.time_s.push_back(static_cast<double>(extreme - rate_rps.begin()));
      played.demand_rps.push_back(*extreme);
      if (low == high) break;
    }
  }
}

}  // namespace

Result<Play> prepare(const trace::DemandTrace& trace, const std::string& file, const Preset& preset) {
  const PlaySettings& settings = preset.play;
  trace::DemandTrace cut = trace;
  if (settings.longest_step > Duration::zero()) cut.step = std::min(trace.step, settings.longest_step);
  const auto longest = static_cast<std::size_t>(std::max<std::int64_t>(settings.longest_play / cut.step, 1));
  if (cut.demand_rps.size() > longest) cut.demand_rps.resize(longest);

  // The whole trace's peak, also when only a part is played: a quiet beginning stays quiet.
  std::vector<double> sorted = trace.demand_rps;
  const double quantile = quantile_linear(sorted, settings.peak_level);
  const double peak = quantile > 0.0 ? quantile : *std::max_element(sorted.begin(), sorted.end());
  if (!(*std::max_element(cut.demand_rps.begin(), cut.demand_rps.end()) > 0.0))
    return invalid(cat(file, ": no demand in the first ", format_duration(settings.longest_play)));
  Play play;
  play.played.scale = settings.peak_replicas * preset.workload.capacity_rps / peak;
  for (double& demand : cut.demand_rps) demand = std::max(demand, 0.0) * play.played.scale;

  const bool is_held =
      settings.interpolation == "held" || (settings.interpolation == "by-trace" && !trace.phase_idx.empty());
  play.rate_rps = sim::rate_per_second(cut, is_held ? sim::Interpolation::held : sim::Interpolation::linear);
  if (from_seconds(static_cast<double>(play.rate_rps.size())) < preset.workload.period)
    return invalid(cat(file, ": shorter than a control period of ", format_duration(preset.workload.period)));
  play.played.name = trace.name;
  play.played.file = std::filesystem::path(file).filename();  // shards come from machines with other folders
  play.played.file_step_s = to_seconds(trace.step);
  play.played.played_step_s = to_seconds(cut.step);
  play.played.seconds = static_cast<double>(play.rate_rps.size());
  play.played.is_held = is_held;
  thin(play.rate_rps, play.played);
  return play;
}

std::shared_ptr<const sim::Arrivals> arrivals_of(const Play& play, const Preset& preset, std::uint64_t seed) {
  const std::string& name = preset.play.arrivals;
  const sim::ArrivalKind kind = name == "constant" ? sim::ArrivalKind::constant
                                : name == "bursty" ? sim::ArrivalKind::bursty
                                                   : sim::ArrivalKind::poisson;
  return sim::make_arrivals(play.rate_rps, kind, preset.play.bursts, seed);
}

int initial_replicas(const Play& play, const Preset& preset) {
  const auto window_s = static_cast<std::size_t>(std::ceil(to_seconds(preset.play.initial_window)));
  const auto end = play.rate_rps.begin() + static_cast<std::ptrdiff_t>(std::min(window_s, play.rate_rps.size()));
  const double needed =
      *std::max_element(play.rate_rps.begin(), end) / (preset.workload.capacity_rps * preset.play.initial_utilization);
  const double bounded = std::clamp(std::ceil(needed), static_cast<double>(std::max(preset.workload.min_replicas, 1)),
                                    static_cast<double>(preset.workload.max_replicas));
  return static_cast<int>(bounded);
}

WorldMaker::WorldMaker(const Preset& preset, std::string world)
    : preset_(preset), world_(std::move(world)), waiting_(sim::make_waiting_times(preset.fluid)) {}

std::unique_ptr<sim::SimulatedWorld> WorldMaker::operator()(std::shared_ptr<const sim::Arrivals> arrivals,
                                                            int initial_replicas) const {
  const std::uint64_t seed = arrivals->seed;
  auto world = world_ == "requests" ? sim::make_request_world(arrivals, preset_.workload, initial_replicas,
                                                              preset_.requests, preset_.pods, preset_.metrics)
                                    : sim::make_fluid_world(std::move(arrivals), preset_.workload, initial_replicas,
                                                            preset_.fluid, waiting_, preset_.pods, preset_.metrics);
  sim::FaultSettings faults = preset_.faults;
  faults.fresh_for = sim::fresh_for(preset_.metrics);
  return sim::make_faulty_world(std::move(world), faults, seed);
}

}  // namespace mpca::study
