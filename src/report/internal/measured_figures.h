// The figures that only measured comparisons have, as people see them: phases of the load, and repeats.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "report/comparison.h"

namespace mpca::report::internal {

enum class PhaseFigure { failed, latency_p50, latency_p95, latency_p99, latency_max };
inline constexpr std::array kPhaseFigures = {PhaseFigure::failed, PhaseFigure::latency_p50, PhaseFigure::latency_p95,
                                             PhaseFigure::latency_p99, PhaseFigure::latency_max};

std::string heading(PhaseFigure figure);                                   // `p95`
std::string shown_figure(PhaseFigure figure, const MeasuredPhase& phase);  // `120 ms`, `3.2%`; `n/a` without requests

/// How many phases the trace has; 0 where nothing was measured.
std::size_t phases_of(const TraceComparison& trace);

/// A phase of every run, in the order of the runs; nullptr where a run does not have it.
std::vector<const MeasuredPhase*> phase_of_runs(const TraceComparison& trace, std::size_t phase);

/// `1 min at 200 requests/s from 3 min`
std::string words_of_phase(const TraceComparison& trace, std::size_t phase);

/// The share of failed requests at each time of the trace: as recorded, else each phase's; empty where neither is
/// known.
std::vector<double> failed_over_time(const TraceComparison& trace, const PolicyRun& run);

/// Per run, whether its figure is the best of the phase; as best_of().
std::vector<bool> best_of_phase(PhaseFigure figure, const std::vector<const MeasuredPhase*>& phases);

/// The rows of metric_table() that some policy's repeats have, as compared_rows() chooses them.
std::vector<const MetricRow*> repeated_rows(const std::vector<RepeatedRuns>& repeated);

/// `3.20 (2.90–4.10)`
std::string shown_repeated(const MetricRow& row, const RepeatedRuns& runs);

/// Per policy, whether even its worst repeat is better than the best one of all others.
std::vector<bool> best_repeated(const MetricRow& row, const std::vector<RepeatedRuns>& repeated);

/// nullptr where the repeats do not know the row.
const RepeatedFigure* figure_of(const MetricRow& row, const RepeatedRuns& runs);

}  // namespace mpca::report::internal
