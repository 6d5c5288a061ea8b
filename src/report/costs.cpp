#include "report/costs.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>
#include <utility>

#include "core/text.h"
#include "core/time.h"
#include "report/internal/csv_row.h"

namespace mpca::report {
namespace {

using internal::csv_row;
using internal::fixed_or_empty;

constexpr double kSecondsPerHour = 3600.0;

/// A number of replicas that begins to hold.
struct ReplicaStep {
  double elapsed_s = 0.0;
  double replicas = 0.0;
};

std::vector<ReplicaStep> steps_of_watch(std::span<const runlog::ReplicaSample> samples) {
  std::vector<ReplicaStep> steps;
  for (const runlog::ReplicaSample& sample : samples) {
    const std::optional<double> replicas = sample.spec_replicas ? sample.spec_replicas : sample.ready_replicas;
    if (replicas) steps.push_back({sample.elapsed_s, *replicas});
  }
  return steps;
}

std::vector<ReplicaStep> steps_of_log(std::span<const runlog::ControlSample> samples) {
  std::vector<ReplicaStep> steps;
  for (const runlog::ControlSample& sample : samples) {
    if (sample.applied_replicas) steps.push_back({sample.elapsed_s, *sample.applied_replicas});
  }
  return steps;
}

std::optional<runlog::ReplicaSummary> hold_between(std::vector<ReplicaStep> steps, double duration_s) {
  std::erase_if(steps, [&](const ReplicaStep& step) { return step.elapsed_s > duration_s; });
  if (steps.empty()) return std::nullopt;
  std::ranges::stable_sort(steps, {}, &ReplicaStep::elapsed_s);
  runlog::ReplicaSummary summary;
  double replica_seconds = 0.0;
  double from_s = 0.0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool is_last = i + 1 == steps.size();
    const double until_s = is_last ? duration_s : steps[i + 1].elapsed_s;
    replica_seconds += steps[i].replicas * (until_s - from_s);
    from_s = until_s;
    summary.max_replicas = std::max(summary.max_replicas, steps[i].replicas);
    if (i > 0) summary.replica_churn += std::abs(steps[i].replicas - steps[i - 1].replicas);
  }
  summary.mean_replicas = replica_seconds / duration_s;
  return summary;
}

std::optional<runlog::ReplicaSummary> replicas_of(const runlog::RunDirectory& run, Controller controller,
                                                  double duration_s) {
  if (controller == Controller::hpa) {
    return run.replica_watch ? hold_between(steps_of_watch(*run.replica_watch), duration_s) : std::nullopt;
  }
  if (run.control_log) {
    if (const auto summary = hold_between(steps_of_log(*run.control_log), duration_s)) return summary;
  }
  return run.control_summary;
}

double duration_s_of(const runlog::RunDirectory& run) {
  double planned_s = 0.0;
  for (const trace::Phase& phase : run.phases) planned_s += to_seconds(phase.duration);
  if (planned_s > 0.0) return planned_s;
  if (!run.meta.started_at || !run.meta.finished_at) return 0.0;
  return to_seconds(*run.meta.finished_at - *run.meta.started_at);
}

std::vector<std::string_view> directories_of(std::string_view path) {
  std::vector<std::string_view> names = split(path, '/');
  std::erase_if(names, [](std::string_view name) { return name.empty(); });
  return names;
}

std::string scenario_of(const runlog::RunDirectory& run) {
  if (!run.meta.scenario.empty()) return run.meta.scenario;
  const auto names = directories_of(run.path);
  return names.size() >= 2 ? std::string(names[names.size() - 2]) : std::string();
}

std::string hpa_target_of(const runlog::RunDirectory& run) {
  if (!run.meta.hpa_target_average_utilization.empty()) return run.meta.hpa_target_average_utilization;
  constexpr std::string_view kPrefix = "target_";
  auto names = directories_of(run.path);
  std::ranges::reverse(names);
  for (const std::string_view name : names) {
    if (name.starts_with(kPrefix) && parse_int(name.substr(kPrefix.size()))) {
      return std::string(name.substr(kPrefix.size()));
    }
  }
  return "unknown";
}

FocusPhase focus_of(const VegetaPhase& phase) {
  // A parsed phase has readable numbers: that is when a block counts as complete.
  return {.p95_ms = latency_ms(phase.p95).value_or(0.0),
          .p99_ms = latency_ms(phase.p99).value_or(0.0),
          .success_pct = parse_double(phase.success_ratio_pct).value_or(0.0)};
}

double price_per_replica_hour(const Provider& provider) {
  return kReplicaVcpu * provider.vcpu_hour + kReplicaMemoryGib * provider.memory_gib_hour;
}

std::optional<double> larger(std::optional<double> a, std::optional<double> b) {
  return a && b ? std::max(*a, *b) : (a ? a : b);
}

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  return a && b ? std::min(*a, *b) : (a ? a : b);
}

}  // namespace

std::vector<Provider> providers(double yandex_vcpu_hour_rub, double yandex_memory_gib_hour_rub) {
  // Fargate is billed by the second, and its prices are given so.
  std::vector<Provider> all = {
      {"aws_fargate_us_east_1", "USD", 0.000011244 * kSecondsPerHour, 0.000001235 * kSecondsPerHour},
      {"gke_autopilot_us_central1", "USD", 0.0445, 0.0049225}};
  if (yandex_vcpu_hour_rub > 0.0 && yandex_memory_gib_hour_rub > 0.0) {
    all.push_back({"yandex_compute_custom_rub", "RUB", yandex_vcpu_hour_rub, yandex_memory_gib_hour_rub});
  }
  return all;
}

double usd_per_replica_hour() { return price_per_replica_hour(providers(0.0, 0.0).front()); }

std::string_view name(Controller controller) { return controller == Controller::hpa ? "hpa" : "hybrid"; }

Result<RunUsage> usage_of_run(const runlog::RunDirectory& run, Controller controller) {
  const auto left_out = [&](std::string_view why) {
    return fail(ErrorCode::not_enough_data, cat(run.path, " is left out: ", why));
  };
  RunUsage usage;
  usage.controller = controller;
  usage.target = controller == Controller::hpa ? hpa_target_of(run) : "final";
  usage.scenario = scenario_of(run);
  usage.run_dir = run.path;
  usage.duration_s = duration_s_of(run);
  if (usage.duration_s <= 0.0) return left_out("no duration, neither planned phases nor start and finish times");
  const auto replicas = replicas_of(run, controller, usage.duration_s);
  if (!replicas) {
    return left_out(controller == Controller::hpa
                        ? "no replica sample within its duration in replica-watch.csv"
                        : "no replica sample within its duration in mpc-control-log.csv, and no control-summary.csv");
  }
  if (replicas->mean_replicas <= 0.0) return left_out("0 replicas throughout");
  usage.mean_replicas = replicas->mean_replicas;
  usage.max_replicas = replicas->max_replicas;
  usage.replica_churn = replicas->replica_churn;
  if (run.report_text) {
    if (const auto focus = focus_phase(parse_vegeta_report(*run.report_text), usage.scenario)) {
      usage.focus_p95_ms = focus->p95_ms;
      usage.focus_p99_ms = focus->p99_ms;
      usage.success_pct = focus->success_pct;
    }
  }
  return usage;
}

std::optional<FocusPhase> focus_phase(const VegetaReport& report, std::string_view scenario) {
  if (report.blocks >= 2 && (scenario == "step" || scenario == "spike")) {
    const auto second = std::ranges::find(report.phases, 2, &VegetaPhase::phase);
    return second == report.phases.end() ? std::nullopt : std::optional(focus_of(*second));
  }
  std::optional<FocusPhase> worst;
  double min_success_pct = std::numeric_limits<double>::infinity();
  for (const VegetaPhase& phase : report.phases) {
    const FocusPhase focus = focus_of(phase);
    if (!worst || focus.p95_ms > worst->p95_ms) worst = focus;
    min_success_pct = std::min(min_success_pct, focus.success_pct);
  }
  if (worst) worst->success_pct = min_success_pct;
  return worst;
}

std::string cost_rows_csv(std::span<const RunUsage> runs, std::span<const Provider> providers) {
  std::string csv =
      "provider,currency,controller,target,scenario,run_dir,duration_s,avg_replicas,max_replicas,replica_variation,"
      "vcpu_hours,mem_gib_hours,cost,cost_per_hour,focus_p95_ms,focus_p99_ms,success_pct\n";
  for (const RunUsage& run : runs) {
    for (const Provider& provider : providers) {
      const double price = price_per_replica_hour(provider);
      csv += csv_row({provider.name, provider.currency, std::string(name(run.controller)), run.target, run.scenario,
                      run.run_dir, fixed(run.duration_s, 0), fixed(run.mean_replicas, 3), fixed(run.max_replicas, 0),
                      fixed(run.replica_churn, 3), fixed(run.replica_hours() * kReplicaVcpu, 6),
                      fixed(run.replica_hours() * kReplicaMemoryGib, 6), fixed(run.replica_hours() * price, 8),
                      fixed(run.mean_replicas * price, 8), fixed_or_empty(run.focus_p95_ms, 3),
                      fixed_or_empty(run.focus_p99_ms, 3), fixed_or_empty(run.success_pct, 3)});
    }
  }
  return csv;
}

std::vector<UsageAggregate> aggregate_usage(std::span<const RunUsage> runs) {
  std::vector<UsageAggregate> all;
  for (const RunUsage& run : runs) {
    auto found = std::ranges::find_if(all, [&](const UsageAggregate& aggregate) {
      return aggregate.controller == run.controller && aggregate.target == run.target;
    });
    if (found == all.end()) {
      UsageAggregate fresh;
      fresh.controller = run.controller;
      fresh.target = run.target;
      found = all.insert(all.end(), std::move(fresh));
    }
    found->duration_s += run.duration_s;
    found->replica_hours += run.replica_hours();
    found->replica_churn += run.replica_churn;
    found->worst_p95_ms = larger(found->worst_p95_ms, run.focus_p95_ms);
    found->worst_p99_ms = larger(found->worst_p99_ms, run.focus_p99_ms);
    found->min_success_pct = smaller(found->min_success_pct, run.success_pct);
  }
  std::ranges::stable_sort(all, {}, [](const UsageAggregate& aggregate) {
    const auto number = parse_int(aggregate.target).value_or(std::numeric_limits<std::int64_t>::max());
    return std::tuple(aggregate.controller, number, aggregate.target);
  });
  return all;
}

std::string cost_aggregates_csv(std::span<const UsageAggregate> aggregates, std::span<const Provider> providers) {
  std::string csv =
      "provider,currency,controller,target,scenarios,duration_s,avg_replicas_weighted,replica_variation_sum,cost,"
      "cost_per_hour,worst_p95_ms,worst_p99_ms,min_success_pct\n";
  for (const Provider& provider : providers) {
    for (const UsageAggregate& aggregate : aggregates) {
      const double cost = aggregate.replica_hours * price_per_replica_hour(provider);
      const double hours = aggregate.duration_s / kSecondsPerHour;
      csv += csv_row({provider.name, provider.currency, std::string(name(aggregate.controller)), aggregate.target,
                      "all", fixed(aggregate.duration_s, 0), fixed(aggregate.replica_hours / hours, 3),
                      fixed(aggregate.replica_churn, 3), fixed(cost, 8), fixed(cost / hours, 8),
                      fixed_or_empty(aggregate.worst_p95_ms, 3), fixed_or_empty(aggregate.worst_p99_ms, 3),
                      fixed_or_empty(aggregate.min_success_pct, 3)});
    }
  }
  return csv;
}

}  // namespace mpca::report
