#include "report/internal/measured_figures.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "report/internal/words.h"

namespace mpca::report::internal {
namespace {

double value_of(PhaseFigure figure, const MeasuredPhase& phase) {
  switch (figure) {
    case PhaseFigure::failed:
      return static_cast<double>(phase.failed) / static_cast<double>(std::max<std::uint64_t>(phase.due, 1));
    case PhaseFigure::latency_p50:
      return phase.latency_p50_ms;
    case PhaseFigure::latency_p95:
      return phase.latency_p95_ms;
    case PhaseFigure::latency_p99:
      return phase.latency_p99_ms;
    case PhaseFigure::latency_max:
      return phase.latency_max_ms;
  }
  return 0.0;
}

}  // namespace

std::string heading(PhaseFigure figure) {
  switch (figure) {
    case PhaseFigure::failed:
      return "failed";
    case PhaseFigure::latency_p50:
      return "p50";
    case PhaseFigure::latency_p95:
      return "p95";
    case PhaseFigure::latency_p99:
      return "p99";
    case PhaseFigure::latency_max:
      return "max";
  }
  return "";
}

std::string shown_figure(PhaseFigure figure, const MeasuredPhase& phase) {
  if (phase.due == 0) return "n/a";
  const double value = value_of(figure, phase);
  return figure == PhaseFigure::failed ? words_of_share(value) : words_of_latency(value);
}

std::size_t phases_of(const TraceComparison& trace) {
  std::size_t phases = 0;
  for (const PolicyRun& run : trace.runs) phases = std::max(phases, run.measured ? run.measured->phases.size() : 0);
  return phases;
}

std::vector<const MeasuredPhase*> phase_of_runs(const TraceComparison& trace, std::size_t phase) {
  std::vector<const MeasuredPhase*> phases;
  for (const PolicyRun& run : trace.runs)
    phases.push_back(run.measured && phase < run.measured->phases.size() ? &run.measured->phases[phase] : nullptr);
  return phases;
}

std::string words_of_phase(const TraceComparison& trace, std::size_t phase) {
  const auto phases = phase_of_runs(trace, phase);
  const auto known = std::find_if(phases.begin(), phases.end(), [](const MeasuredPhase* p) { return p != nullptr; });
  if (known == phases.end()) return "";
  const MeasuredPhase& first = **known;
  return cat("from ", words_of_duration(first.start_s), ", ", words_of_duration(first.length_s), " at ",
             shortest(std::round(first.rate_rps * (first.rate_rps < 10.0 ? 10.0 : 1.0)) /
                      (first.rate_rps < 10.0 ? 10.0 : 1.0)),
             " requests/s");
}

std::vector<double> failed_over_time(const TraceComparison& trace, const PolicyRun& run) {
  if (!run.measured) return {};
  if (!run.measured->failed_ratio.empty()) return run.measured->failed_ratio;
  std::vector<double> ratio(run.measured->phases.empty() ? 0 : trace.time_s.size(), std::nan(""));
  for (const MeasuredPhase& phase : run.measured->phases) {
    if (phase.due == 0) continue;
    for (std::size_t i = 0; i < ratio.size(); ++i) {
      if (trace.time_s[i] >= phase.start_s && trace.time_s[i] < phase.start_s + phase.length_s)
        ratio[i] = static_cast<double>(phase.failed) / static_cast<double>(phase.due);
    }
  }
  return ratio;
}

std::vector<bool> best_of_phase(PhaseFigure figure, const std::vector<const MeasuredPhase*>& phases) {
  std::vector<bool> best(phases.size(), false);
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < phases.size(); ++i)
    if (phases[i] && phases[i]->due > 0 && std::isfinite(value_of(figure, *phases[i]))) known.push_back(i);
  if (known.empty()) return best;
  const std::size_t leader = *std::min_element(known.begin(), known.end(), [&](std::size_t a, std::size_t b) {
    return value_of(figure, *phases[a]) < value_of(figure, *phases[b]);
  });
  const std::string shown = shown_figure(figure, *phases[leader]);
  for (std::size_t i : known) best[i] = shown_figure(figure, *phases[i]) == shown;
  if (std::all_of(known.begin(), known.end(), [&](std::size_t i) { return best[i]; })) best.assign(best.size(), false);
  return best;
}

const RepeatedFigure* figure_of(const MetricRow& row, const RepeatedRuns& runs) {
  const auto index = static_cast<std::size_t>(&row - metric_table().data());
  return index < runs.figures.size() && runs.figures[index] ? &*runs.figures[index] : nullptr;
}

std::vector<const MetricRow*> repeated_rows(const std::vector<RepeatedRuns>& repeated) {
  const auto is_known = [&](const MetricRow& row) {
    return std::any_of(repeated.begin(), repeated.end(),
                       [&](const RepeatedRuns& runs) { return figure_of(row, runs) != nullptr; });
  };
  bool knows_requests = false;
  for (const MetricRow& row : metric_table()) knows_requests |= row.key == "request_latency_p95_s" && is_known(row);
  std::vector<const MetricRow*> rows;
  for (const MetricRow& row : metric_table()) {
    if (row.group == MetricGroup::run || !is_known(row) || (knows_requests && row.key == "latency_p95_s")) continue;
    rows.push_back(&row);
  }
  return rows;
}

std::string shown_repeated(const MetricRow& row, const RepeatedRuns& runs) {
  const RepeatedFigure* figure = figure_of(row, runs);
  if (!figure) return "n/a";
  const std::string median = shown_value(row, figure->median);
  const std::string lowest = shown_value(row, figure->lowest), highest = shown_value(row, figure->highest);
  return lowest == highest ? median : cat(median, " (", lowest, "–", highest, ")");
}

std::vector<bool> best_repeated(const MetricRow& row, const std::vector<RepeatedRuns>& repeated) {
  std::vector<bool> best(repeated.size(), false);
  if (row.better == Better::neither || repeated.size() < 2) return best;
  for (std::size_t i = 0; i < repeated.size(); ++i) {
    const RepeatedFigure* mine = figure_of(row, repeated[i]);
    best[i] = mine != nullptr;
    for (std::size_t j = 0; j < repeated.size() && best[i]; ++j) {
      const RepeatedFigure* other = figure_of(row, repeated[j]);
      if (j == i || !other) continue;
      best[i] = row.better == Better::lower ? mine->highest < other->lowest : mine->lowest > other->highest;
    }
  }
  return best;
}

}  // namespace mpca::report::internal
