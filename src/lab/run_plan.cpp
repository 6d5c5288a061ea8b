#include "lab/run_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"

namespace mpca::lab {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double milliseconds(Duration duration) { return to_seconds(duration) * 1e3; }

double failed_share(const load::Counts& counts) {
  return static_cast<double>(counts.failed() + counts.cancelled) / static_cast<double>(counts.due);
}

}  // namespace

void add_rows(const SettingsTable& table, ConfigurationRows& rows) {
  for (const Setting& setting : table) {
    const bool has_unit = !setting.info().unit.empty() && setting.info().unit != "duration";
    rows.emplace_back(setting.name(), cat(setting.text(), has_unit ? " " + setting.info().unit : ""));
  }
}

double mean_rate_rps(const load::ArrivalPlan& plan, Duration from, Duration to) {
  double requests = 0.0;
  Duration start{};
  for (const load::RateSegment& segment : plan.segments) {
    const Duration low = std::max(from, start), high = std::min(to, start + segment.length);
    if (low < high) {
      const auto at = [&](Duration time) {
        return std::lerp(segment.start_rps, segment.end_rps, to_seconds(time - start) / to_seconds(segment.length));
      };
      requests += (at(low) + at(high)) / 2.0 * to_seconds(high - low);
    }
    start += segment.length;
  }
  return requests / to_seconds(to - from);
}

MeasuredRun measured_run(const RunPlan& plan, const policy::Workload& workload, double speed, Duration sample,
                         const load::LoadResult& load, std::vector<FleetSample> fleet) {
  MeasuredRun run;
  run.scenario = plan.scenario;
  run.policy = plan.policy;
  run.label = plan.label;
  run.repeat = plan.repeat;
  run.seed = plan.seed;
  run.speed = speed;
  run.workload = workload;
  run.sample_s = to_seconds(sample);
  run.fleet = std::move(fleet);
  for (std::size_t i = 0; i < run.fleet.size(); ++i) {
    const Duration start = sample * static_cast<std::int64_t>(i);
    run.demand_rps.push_back(mean_rate_rps(plan.load, start, start + sample));
    const bool has_answers = i < load.intervals.size() && load.intervals[i].latency.count() > 0;
    const auto quantile = [&](double level) {
      return has_answers ? milliseconds(load.intervals[i].latency.quantile(level)) : kNan;
    };
    const bool has_due = i < load.intervals.size() && load.intervals[i].counts.due > 0;
    run.failed_ratio.push_back(has_due ? failed_share(load.intervals[i].counts) : kNan);
    run.latency_p50_ms.push_back(quantile(0.50));
    run.latency_p95_ms.push_back(quantile(0.95));
    run.latency_p99_ms.push_back(quantile(0.99));
  }
  for (const load::PhaseResult& phase : load.phases) {
    const double real_s = to_seconds(phase.planned_length);
    run.phases.push_back({.start_s = to_seconds(phase.planned_start) * speed,
                          .length_s = real_s * speed,
                          .rate_rps = static_cast<double>(phase.counts.due) / real_s,
                          .due = phase.counts.due,
                          .failed = phase.counts.failed() + phase.counts.cancelled,
                          .latency_p50_ms = milliseconds(phase.latency.quantile(0.50)),
                          .latency_p95_ms = milliseconds(phase.latency.quantile(0.95)),
                          .latency_p99_ms = milliseconds(phase.latency.quantile(0.99)),
                          .latency_max_ms = milliseconds(phase.latency.max())});
    run.latency.merge(phase.latency);
  }
  run.counts = load.total();
  for (const std::string& finding : load.audit.findings) run.cautions.push_back("load generator: " + finding);
  return run;
}

}  // namespace mpca::lab
