#include "study/play.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/stats.h"
#include "core/text.h"
#include "sim/demand_curve.h"
#include "trace/timestamps.h"

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

/// The rate that `peak-replicas` stand for; 0 without demand. Of the whole trace, also when only a part is played: a
/// quiet beginning stays quiet.
double peak_rps(const trace::DemandTrace& trace, double level) {
  std::vector<double> sorted = trace.demand_rps;
  const double quantile = quantile_linear(sorted, level);
  return quantile > 0.0 ? quantile : *std::max_element(sorted.begin(), sorted.end());
}

}  // namespace

Result<Preset> at_own_rates(const trace::DemandTrace& trace, Preset preset, double capacity_rps) {
  const double service_s = preset.fluid.slots / capacity_rps;
  if (service_s >= to_seconds(preset.fluid.latency_target))
    return invalid(cat("--capacity is ", capacity_rps, "; with ", preset.fluid.slots,
                       " at a time a request then takes ", format_duration(from_seconds(service_s)),
                       ", not under the latency target of ", format_duration(preset.fluid.latency_target),
                       "; give --set slots=N, how many a pod serves at a time"));
  const double peak = peak_rps(trace, preset.play.peak_level);
  if (peak > capacity_rps * preset.workload.max_replicas)
    return invalid(cat("--capacity is ", capacity_rps, "; the trace's peak of ", fixed(peak, 0), " rps takes ",
                       fixed(std::ceil(peak / capacity_rps), 0), " replicas, more than max-replicas, ",
                       preset.workload.max_replicas, "; give --set max-replicas=N"));
  preset.workload.capacity_rps = capacity_rps;
  preset.fluid.service_time = from_seconds(service_s);
  if (peak > 0.0) preset.play.peak_replicas = peak / capacity_rps;
  preset.name += cat("+capacity=", capacity_rps);
  return preset;
}

Result<Play> prepare(const trace::DemandTrace& trace, const std::string& file, const Preset& preset) {
  const PlaySettings& settings = preset.play;
  trace::DemandTrace cut = trace;
  if (settings.longest_step > Duration::zero()) cut.step = std::min(trace.step, settings.longest_step);
  const auto longest = static_cast<std::size_t>(std::max<std::int64_t>(settings.longest_play / cut.step, 1));
  if (cut.demand_rps.size() > longest) cut.demand_rps.resize(longest);

  const double peak = peak_rps(trace, settings.peak_level);
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

std::vector<std::pair<std::string, std::string>> clock_rows(const sim::WallClock& clock) {
  if (clock.ahead == Duration::zero() && clock.time_zone == sim::WallClock{}.time_zone) return {};
  return {{"time-zone", clock.time_zone}, {"starts-at", trace::format_rfc3339(TimePoint(clock.ahead))}};
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
