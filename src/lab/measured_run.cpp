#include "lab/measured_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "core/stats.h"
#include "core/text.h"
#include "report/costs.h"
#include "report/metrics.h"

namespace mpca::lab {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kFormat = "mpca-measured-run";
constexpr int kVersion = 1;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kDrawnPoints = 1500;

Json numbers(const std::vector<double>& values) {
  Json all = Json::array();
  for (const double value : values) all.push_back(std::isfinite(value) ? Json(value) : Json(nullptr));
  return all;
}

std::vector<double> read_numbers(const Json& array) {
  std::vector<double> values;
  for (const Json& value : array) values.push_back(value.is_null() ? kNan : value.get<double>());
  return values;
}

Json to_object(const load::Counts& counts) {
  Json object = {{"due", counts.due}, {"succeeded", counts.succeeded}, {"cancelled", counts.cancelled}};
  object["by_status"] = Json::object();
  for (const auto& [status, count] : counts.by_status) object["by_status"][std::to_string(status)] = count;
  object["by_error"] = Json::object();
  for (const auto& [error, count] : counts.by_error) object["by_error"][error] = count;
  return object;
}

load::Counts read_counts(const Json& object) {
  load::Counts counts;
  counts.due = object.at("due").get<std::uint64_t>();
  counts.succeeded = object.at("succeeded").get<std::uint64_t>();
  counts.cancelled = object.at("cancelled").get<std::uint64_t>();
  for (const auto& [status, count] : object.at("by_status").items())
    counts.by_status[std::stoi(status)] = count.get<std::uint64_t>();
  for (const auto& [error, count] : object.at("by_error").items()) counts.by_error[error] = count.get<std::uint64_t>();
  return counts;
}

Json to_object(const report::MeasuredPhase& phase) {
  return {{"start_s", phase.start_s},
          {"length_s", phase.length_s},
          {"rate_rps", phase.rate_rps},
          {"due", phase.due},
          {"failed", phase.failed},
          {"latency_p50_ms", phase.latency_p50_ms},
          {"latency_p95_ms", phase.latency_p95_ms},
          {"latency_p99_ms", phase.latency_p99_ms},
          {"latency_max_ms", phase.latency_max_ms}};
}

report::MeasuredPhase read_phase(const Json& object) {
  report::MeasuredPhase phase;
  object.at("start_s").get_to(phase.start_s);
  object.at("length_s").get_to(phase.length_s);
  object.at("rate_rps").get_to(phase.rate_rps);
  object.at("due").get_to(phase.due);
  object.at("failed").get_to(phase.failed);
  object.at("latency_p50_ms").get_to(phase.latency_p50_ms);
  object.at("latency_p95_ms").get_to(phase.latency_p95_ms);
  object.at("latency_p99_ms").get_to(phase.latency_p99_ms);
  object.at("latency_max_ms").get_to(phase.latency_max_ms);
  return phase;
}

/// Every `stride`-th sample would lose the extremes, so each series keeps the worst of its bucket.
std::vector<double> thinned_worst(const std::vector<double>& values, std::size_t bucket) {
  std::vector<double> worst;
  for (std::size_t i = 0; i < values.size(); i += bucket) {
    double most = kNan;
    for (std::size_t j = i; j < std::min(i + bucket, values.size()); ++j)
      if (!std::isnan(values[j]) && !(values[j] <= most)) most = values[j];
    worst.push_back(most);
  }
  return worst;
}

std::size_t bucket_for(std::size_t samples, int points) {
  const auto wanted = static_cast<std::size_t>(std::max(points, 1));
  return std::max<std::size_t>(1, (samples + wanted - 1) / wanted);
}

policy::PeriodOutcome outcome_of(const MeasuredRun& run, std::size_t i) {
  const FleetSample& fleet = run.fleet[i];
  policy::PeriodOutcome outcome;
  outcome.start = at_seconds(static_cast<double>(i) * run.sample_s);
  outcome.length = from_seconds(run.sample_s);
  outcome.demand_rps = run.demand_rps[i];
  outcome.spec_replicas = fleet.spec_replicas;
  outcome.ready_replicas = fleet.ready_replicas;
  outcome.utilization = run.demand_rps[i] / (run.workload.capacity_rps * std::max(fleet.ready_replicas, 1));
  if (run.concurrency) {
    outcome.backlog_requests =
        run.speed * std::max(0.0, static_cast<double>(fleet.outstanding) -
                                      static_cast<double>(*run.concurrency * fleet.ready_replicas));
  }
  if (!std::isnan(run.latency_p95_ms[i])) outcome.latency_p95_s = run.latency_p95_ms[i] / 1e3;
  return outcome;
}

report::RunMetrics metrics_of(const MeasuredRun& run) {
  report::MetricsAccumulator accumulator(run.workload.capacity_rps, run.workload.target_utilization);
  for (std::size_t i = 0; i < run.fleet.size(); ++i) accumulator.add(outcome_of(run, i));
  report::RunMetrics metrics = accumulator.finish();
  if (!run.concurrency) metrics.backlog_max_requests.reset();
  if (run.latency.count() > 0) {
    metrics.request_latency_p50_s = to_seconds(run.latency.quantile(0.50));
    metrics.request_latency_p95_s = to_seconds(run.latency.quantile(0.95));
    metrics.request_latency_p99_s = to_seconds(run.latency.quantile(0.99));
  }
  if (run.counts.due > 0) {
    metrics.failed_ratio =
        static_cast<double>(run.counts.failed() + run.counts.cancelled) / static_cast<double>(run.counts.due);
  }
  metrics.cost_usd = metrics.replica_hours * report::usd_per_replica_hour();
  return metrics;
}

std::vector<std::string> notes_of(const MeasuredRun& run) {
  std::vector<std::string> notes;
  if (run.concurrency) {
    notes.push_back(
        cat("Measured, not simulated: every pod is a process, every request was sent. A pod works by sleeping: ",
            *run.concurrency, " requests at once, ", sleep_ms_for(run.workload.capacity_rps, *run.concurrency),
            " ms each, so ", shortest(run.workload.capacity_rps), " rps; its CPU is its busy slots / ",
            *run.concurrency, "."));
  } else {
    notes.push_back(
        "Measured in a cluster: its pods, its scheduler, its metrics. The load came from a Job in it, and latencies "
        "are "
        "what that pod saw, counted from the instant a request was due.");
  }
  if (run.speed != 1.0) {
    notes.push_back(
        cat("The experiment ran ", shortest(run.speed),
            " times as fast as life: phases, start-up lags, scrapes, control periods and stabilization are that much "
            "shorter, service times are not. A queue gets 1/",
            shortest(run.speed),
            " of the requests that it would get, so latencies under overload are smaller than in "
            "life; where policies and charts count waiting requests, they count them ",
            shortest(run.speed), " times."));
  }
  return notes;
}

/// Medians and ranges of every metric over `runs`.
report::RepeatedRuns repeated(const std::string& policy, const std::vector<report::RunMetrics>& runs) {
  report::RepeatedRuns result;
  result.policy = policy;
  result.repeats = static_cast<int>(runs.size());
  for (const report::MetricRow& row : report::metric_table()) {
    std::vector<double> values;
    for (const report::RunMetrics& metrics : runs)
      if (const auto value = row.value(metrics)) values.push_back(*value);
    if (values.empty()) {
      result.figures.emplace_back();
      continue;
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const report::RepeatedFigure range{.lowest = *low, .highest = *high};
    result.figures.push_back(report::RepeatedFigure{quantile_linear(values, 0.5), range.lowest, range.highest});
  }
  return result;
}

/// `bucket` samples become one point.
report::PolicyRun to_policy_run(const MeasuredRun& run, std::size_t bucket) {
  report::PolicyRun row;
  row.policy = run.label;
  row.metrics = metrics_of(run);
  report::Measured measured;
  for (std::size_t i = 0; i < run.fleet.size(); i += bucket) {
    const policy::PeriodOutcome outcome = outcome_of(run, i);
    row.spec_replicas.push_back(outcome.spec_replicas);
    row.ready_replicas.push_back(outcome.ready_replicas);
    row.utilization.push_back(outcome.utilization);
    if (run.concurrency) row.backlog_requests.push_back(outcome.backlog_requests);
  }
  measured.latency_p50_ms = thinned_worst(run.latency_p50_ms, bucket);
  measured.latency_p95_ms = thinned_worst(run.latency_p95_ms, bucket);
  measured.latency_p99_ms = thinned_worst(run.latency_p99_ms, bucket);
  measured.failed_ratio = thinned_worst(run.failed_ratio, bucket);
  measured.phases = run.phases;
  measured.cautions = run.cautions;
  row.measured = std::move(measured);
  row.decisions = run.decisions;
  return row;
}

/// Runs that met the same load, as one block of the report.
report::TraceComparison to_trace(std::string name, const std::vector<const MeasuredRun*>& runs) {
  const MeasuredRun& first = *runs.front();
  report::TraceComparison trace;
  trace.name = std::move(name);
  trace.step_s = first.sample_s;
  trace.steps = static_cast<int>(first.fleet.size());
  const std::size_t bucket = bucket_for(first.fleet.size(), kDrawnPoints);
  for (std::size_t i = 0; i < first.fleet.size(); i += bucket) {
    trace.time_s.push_back(static_cast<double>(i) * first.sample_s);
    trace.demand_rps.push_back(first.demand_rps[i]);
  }
  for (const MeasuredRun* run : runs) {
    report::PolicyRun row = to_policy_run(*run, bucket);
    for (auto* series : {&row.spec_replicas, &row.ready_replicas, &row.utilization, &row.measured->latency_p50_ms,
                         &row.measured->latency_p95_ms, &row.measured->latency_p99_ms, &row.measured->failed_ratio}) {
      series->resize(trace.time_s.size(), kNan);
    }
    if (!row.backlog_requests.empty()) row.backlog_requests.resize(trace.time_s.size(), kNan);
    trace.runs.push_back(std::move(row));
  }
  return trace;
}

}  // namespace

int sleep_ms_for(double capacity_rps, int concurrency) {
  return static_cast<int>(std::lround(1000.0 * concurrency / capacity_rps));
}

std::string to_json(const MeasuredRun& run) {
  Json object;
  object["format"] = kFormat;
  object["version"] = kVersion;
  object["scenario"] = run.scenario;
  object["policy"] = run.policy;
  object["label"] = run.label;
  object["repeat"] = run.repeat;
  object["seed"] = run.seed;
  object["speed"] = run.speed;
  object["world"] = run.world;
  if (run.concurrency) object["concurrency"] = *run.concurrency;
  object["workload"] = {{"capacity_rps", run.workload.capacity_rps},
                        {"target_utilization", run.workload.target_utilization},
                        {"min_replicas", run.workload.min_replicas},
                        {"max_replicas", run.workload.max_replicas},
                        {"period_ns", run.workload.period.count()}};
  object["sample_s"] = run.sample_s;
  object["demand_rps"] = numbers(run.demand_rps);
  Json spec = Json::array(), ready = Json::array(), outstanding = Json::array();
  for (const FleetSample& sample : run.fleet) {
    spec.push_back(sample.spec_replicas);
    ready.push_back(sample.ready_replicas);
    outstanding.push_back(sample.outstanding);
  }
  object["spec_replicas"] = std::move(spec);
  object["ready_replicas"] = std::move(ready);
  object["outstanding"] = std::move(outstanding);
  object["latency_p50_ms"] = numbers(run.latency_p50_ms);
  object["latency_p95_ms"] = numbers(run.latency_p95_ms);
  object["latency_p99_ms"] = numbers(run.latency_p99_ms);
  object["failed_ratio"] = numbers(run.failed_ratio);
  object["phases"] = Json::array();
  for (const report::MeasuredPhase& phase : run.phases) object["phases"].push_back(to_object(phase));
  object["counts"] = to_object(run.counts);
  object["latency_histogram"] = run.latency.to_text();
  object["cautions"] = run.cautions;
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<MeasuredRun> parse_measured_run(std::string_view json, std::string_view where) {
  try {
    const Json object = Json::parse(json);
    if (object.at("format").get<std::string>() != kFormat) return invalid(cat(where, ": not a measured run"));
    if (const int version = object.at("version").get<int>(); version != kVersion) {
      return invalid(cat(where, ": version is ", version, "; this program reads ", kVersion));
    }
    MeasuredRun run;
    object.at("scenario").get_to(run.scenario);
    object.at("policy").get_to(run.policy);
    object.at("label").get_to(run.label);
    object.at("repeat").get_to(run.repeat);
    object.at("seed").get_to(run.seed);
    object.at("speed").get_to(run.speed);
    // Files from before there was another world do not name it.
    run.world = object.value("world", run.world);
    if (object.contains("concurrency")) run.concurrency = object.at("concurrency").get<int>();
    const Json& workload = object.at("workload");
    workload.at("capacity_rps").get_to(run.workload.capacity_rps);
    workload.at("target_utilization").get_to(run.workload.target_utilization);
    workload.at("min_replicas").get_to(run.workload.min_replicas);
    workload.at("max_replicas").get_to(run.workload.max_replicas);
    run.workload.period = Duration(workload.at("period_ns").get<std::int64_t>());
    object.at("sample_s").get_to(run.sample_s);
    run.demand_rps = read_numbers(object.at("demand_rps"));
    run.latency_p50_ms = read_numbers(object.at("latency_p50_ms"));
    run.latency_p95_ms = read_numbers(object.at("latency_p95_ms"));
    run.latency_p99_ms = read_numbers(object.at("latency_p99_ms"));
    run.failed_ratio = read_numbers(object.at("failed_ratio"));
    const Json& spec = object.at("spec_replicas");
    const Json& ready = object.at("ready_replicas");
    const Json& outstanding = object.at("outstanding");
    const std::size_t samples = run.demand_rps.size();
    if (samples == 0 || spec.size() != samples || ready.size() != samples || outstanding.size() != samples ||
        run.latency_p50_ms.size() != samples || run.latency_p95_ms.size() != samples ||
        run.latency_p99_ms.size() != samples || run.failed_ratio.size() != samples) {
      return invalid(cat(where, ": its series are empty or of unequal size"));
    }
    if (!(run.sample_s > 0.0) || !(run.workload.capacity_rps > 0.0) || run.concurrency.value_or(1) < 1) {
      return invalid(cat(where, ": sample_s, capacity_rps and concurrency must be > 0"));
    }
    for (std::size_t i = 0; i < samples; ++i)
      run.fleet.push_back({spec[i].get<int>(), ready[i].get<int>(), outstanding[i].get<std::uint64_t>()});
    for (const Json& phase : object.at("phases")) run.phases.push_back(read_phase(phase));
    run.counts = read_counts(object.at("counts"));
    auto latency = LatencyHistogram::parse(object.at("latency_histogram").get<std::string>());
    if (!latency) return invalid(cat(where, ": latency_histogram: ", latency.error().message));
    run.latency = *std::move(latency);
    object.at("cautions").get_to(run.cautions);
    return run;
  } catch (const std::exception& error) {
    return invalid(cat(where, ": ", error.what()));
  }
}

report::Comparison to_comparison(std::vector<MeasuredRun> runs) {
  report::Comparison comparison;
  comparison.world = runs.front().world;
  comparison.target_utilization = runs.front().workload.target_utilization;
  comparison.notes = notes_of(runs.front());

  std::vector<std::string> labels, scenarios;  // in the order of their first run
  const auto note = [](std::vector<std::string>& known, const std::string& name) {
    if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(name);
  };
  std::map<std::pair<std::string, int>, std::map<std::string, const MeasuredRun*>> blocks;  // by scenario and repeat
  int repeats = 1;
  for (const MeasuredRun& run : runs) {
    note(labels, run.label);
    note(scenarios, run.scenario);
    blocks[{run.scenario, run.repeat}][run.label] = &run;
    repeats = std::max(repeats, run.repeat);
  }
  for (const std::string& scenario : scenarios) {
    for (int repeat = 1; repeat <= repeats; ++repeat) {
      const auto& block = blocks[{scenario, repeat}];
      if (block.size() != labels.size()) continue;
      std::vector<const MeasuredRun*> side_by_side;
      for (const std::string& label : labels) side_by_side.push_back(block.at(label));
      comparison.traces.push_back(to_trace(repeats > 1 ? cat(scenario, ", repeat ", repeat) : scenario, side_by_side));
    }
    if (repeats == 1) continue;
    for (const std::string& label : labels) {
      std::vector<report::RunMetrics> all;
      for (const MeasuredRun& run : runs)
        if (run.scenario == scenario && run.label == label) all.push_back(metrics_of(run));
      comparison.repeated.push_back(repeated(scenarios.size() > 1 ? cat(label, " on ", scenario) : label, all));
    }
  }
  return comparison;
}

}  // namespace mpca::lab
