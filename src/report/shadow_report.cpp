#include "report/shadow_report.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/text.h"
#include "report/internal/shadow_figures.h"
#include "report/internal/text_columns.h"
#include "report/internal/words.h"

namespace mpca::report {
namespace {

constexpr int kWindows = 48;  // of the run
constexpr Duration kShortestWindow = std::chrono::minutes(5);
constexpr std::size_t kMoments = 6;
constexpr int kPoints = 3000;        // drawn
constexpr double kLatePrice = 10.0;  // replica-seconds, where the policy names none: predictive's default

int kept_of(std::int64_t decisions) { return kept_every(std::vector{decisions}).front(); }

policy::PeriodOutcome drawn(const policy::ShadowEntry& entry, int replicas, double ready) {
  const double demand_rps = entry.demand_rps.value_or(0.0);
  return {.start = entry.from,
          .length = entry.length,
          .demand_rps = demand_rps,
          .spec_replicas = replicas,
          .ready_replicas = static_cast<int>(std::lround(ready)),
          .utilization = demand_rps / (entry.capacity_rps * std::max(ready, 1.0)),
          .latency_p95_s = std::nullopt};
}

}  // namespace

ShadowReporter::ShadowReporter(std::string workload, const runlog::DecisionLogHeader& header, std::int64_t decisions)
    : books_(header.workload),
      window_length_(
          std::max(header.workload.period * std::max<std::int64_t>(decisions, 1) / kWindows, kShortestWindow)),
      in_charge_(static_cast<int>(std::clamp<std::int64_t>(decisions, 1, 1 << 30)), kPoints),
      would_be_(static_cast<int>(std::clamp<std::int64_t>(decisions, 1, 1 << 30)), kPoints),
      keeper_(header.workload, kept_of(decisions)) {
  report_.workload = std::move(workload);
  report_.header = header;
}

void ShadowReporter::add(const runlog::DecisionRecord& record) {
  ++report_.decisions;
  const auto entry = books_.observe(record.observation, record.decision);
  keeper_.add(record.observation, record.decision);
  if (entry) book(*entry, record);
}

void ShadowReporter::book(const policy::ShadowEntry& entry, const runlog::DecisionRecord& record) {
  in_charge_.add(drawn(entry, entry.replicas, entry.ready_replicas));
  would_be_.add(drawn(entry, entry.would_be_replicas, entry.would_be_ready_replicas));
  if (windows_.empty() || entry.from - windows_.back().moment.from >= window_length_)
    windows_.push_back({.moment = {.from = entry.from, .to = {}, .at = {}, .sentence = {}}});
  Window& window = windows_.back();
  const double length_s = to_seconds(entry.length);
  window.moment.to = entry.from + entry.length;
  window.length_s += length_s;
  window.moment.replicas += length_s * entry.replicas;
  window.moment.would_be_replicas += length_s * entry.would_be_replicas;
  window.demand += length_s * entry.demand_rps.value_or(0.0);
  window.late += length_s * entry.late_rps;
  window.would_be_late += length_s * entry.would_be_late_rps;
  const double late_price = named_value(record.decision.explanation, "late_price").value_or(kLatePrice);
  window.bill += length_s * (entry.would_be_replicas - entry.replicas +
                             late_price * (entry.would_be_late_rps - entry.late_rps) / entry.capacity_rps);
  // The decision that is told is the one after which they differ most.
  const int difference = std::abs(record.decision.replicas - record.observation.spec_replicas);
  if (difference <= window.greatest) return;
  window.greatest = difference;
  window.moment.at = record.observation.now;
  window.moment.sentence = explanation_sentence(record.observation, record.decision);
}

/// Those windows in which the bills differ most.
std::vector<ShadowMoment> ShadowReporter::moments() {
  std::erase_if(windows_, [](const Window& window) { return window.bill == 0.0; });
  std::stable_sort(windows_.begin(), windows_.end(),
                   [](const Window& a, const Window& b) { return std::abs(a.bill) > std::abs(b.bill); });
  windows_.resize(std::min(windows_.size(), kMoments));
  std::stable_sort(windows_.begin(), windows_.end(),
                   [](const Window& a, const Window& b) { return a.moment.from < b.moment.from; });
  std::vector<ShadowMoment> moments;
  for (Window& window : windows_) {
    ShadowMoment& moment = moments.emplace_back(std::move(window.moment));
    moment.replicas /= window.length_s;
    moment.would_be_replicas /= window.length_s;
    if (!(window.demand > 0.0)) continue;
    moment.late_share = window.late / window.demand;
    moment.would_be_late_share = window.would_be_late / window.demand;
  }
  return moments;
}

ShadowReport ShadowReporter::finish() {
  report_.figures = books_.figures();
  report_.moments = moments();
  ThinSeries in_charge = in_charge_.finish(), would_be = would_be_.finish();
  TraceComparison& chart = report_.chart;
  chart.name = report_.workload;
  chart.step_s = to_seconds(report_.header.workload.period);
  chart.steps = static_cast<int>(report_.decisions);
  chart.time_s = std::move(in_charge.time_s);
  chart.demand_rps = std::move(in_charge.demand_rps);
  const auto run_of = [](std::string name, ThinSeries& series) {
    PolicyRun run;
    run.policy = std::move(name);
    run.ready_replicas = std::move(series.ready_replicas);
    run.spec_replicas = std::move(series.spec_replicas);
    run.utilization = std::move(series.utilization);
    return run;
  };
  chart.runs.push_back(run_of("in charge", in_charge));
  chart.runs.push_back(run_of(report_.header.policy, would_be));
  chart.runs.back().decisions = keeper_.finish();
  return std::move(report_);
}

std::string shadow_text(const ShadowReport& report, const std::vector<Provider>& providers, const ReplicaSize& size) {
  const policy::ShadowFigures& figures = report.figures;
  std::string text = cat(report.workload, ": ", report.decisions, " decisions of ", report.header.policy, ", ",
                         internal::minute_of(figures.since), " to ", internal::minute_of(figures.until), " UTC\n",
                         internal::shadow_verdict(report), "\n\n");
  std::vector<internal::Cells> rows = {{"", "in charge", "would have been", "change"}};
  for (const internal::ShadowRow& row : internal::shadow_rows(report, providers, size))
    rows.push_back(
        {cat(row.label, row.unit.empty() ? "" : cat(" [", row.unit, "]")), row.in_charge, row.would_be, row.change});
  text += internal::laid_out(rows, 1);
  if (!report.moments.empty()) text += "\nWhere they differed most:\n";
  for (const ShadowMoment& moment : report.moments)
    text += cat("  ", internal::minute_of(moment.from), " to ", internal::minute_of(moment.to), ": in charge ",
                fixed(moment.replicas, 1), " replicas, late ", internal::words_of_share(moment.late_share),
                "; would have been ", fixed(moment.would_be_replicas, 1), ", late ",
                internal::words_of_share(moment.would_be_late_share), "\n    ", internal::minute_of(moment.at), " ",
                internal::printable(moment.sentence), "\n");
  text += "\n";
  for (const std::string& caution : internal::shadow_cautions(report)) text += caution + "\n";
  return text;
}

}  // namespace mpca::report
