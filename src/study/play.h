// A trace as a study plays it: cut, sped up where its steps are long, scaled to a peak, and as requests that arrive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "report/backtest.h"
#include "sim/arrivals.h"
#include "sim/dated_world.h"
#include "sim/truth.h"
#include "study/preset.h"
#include "trace/demand_trace.h"

namespace mpca::study {

struct Play {
  report::PlayedTrace played;    // for the report
  std::vector<double> rate_rps;  // per second, n >= one control period
};

/// `preset` for a service whose pods serve `capacity_rps` each, with the trace's rates played as they are: a request
/// then takes slots / capacity, and the peak what it takes.
///   errors   invalid_argument  a request that takes longer than the latency target, a peak over max-replicas
Result<Preset> at_own_rates(const trace::DemandTrace& trace, Preset preset, double capacity_rps);

///   file     the trace's path, for the report
///   errors   invalid_argument  no demand at all, or shorter than a control period; the message begins with `file`
Result<Play> prepare(const trace::DemandTrace& trace, const std::string& file, const Preset& preset);

/// The requests of `play` with this seed; equal for equal arguments.
std::shared_ptr<const sim::Arrivals> arrivals_of(const Play& play, const Preset& preset, std::uint64_t seed);

/// What a run begins with, of every policy.
int initial_replicas(const Play& play, const Preset& preset);

/// `time-zone` and `starts-at` (UTC) of a run for people and files; none when nobody said when and where.
std::vector<std::pair<std::string, std::string>> clock_rows(const sim::WallClock& clock);

/// Makes the worlds of a preset.
class WorldMaker {
 public:
  ///   world    `fluid` or `requests`
  WorldMaker(const Preset& preset, std::string world);
  std::unique_ptr<sim::SimulatedWorld> operator()(std::shared_ptr<const sim::Arrivals> arrivals,
                                                  int initial_replicas) const;

  /// Waiting below saturation, as the fluid world and perfect foresight have it.
  const sim::WaitingTimes& waiting() const { return *waiting_; }

 private:
  const Preset& preset_;
  std::string world_;
  std::shared_ptr<const sim::WaitingTimes> waiting_;
};

}  // namespace mpca::study
