// `report costs`, the reference lab's `mpc-summarize-costs`: what the runs below some roots would have cost.
#include <algorithm>
#include <utility>

#include "core/text.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "report/costs.h"
#include "runlog/run_directory.h"

namespace mpca::app {
namespace {

constexpr std::string_view kLabName = "mpc-summarize-costs";

struct CostsOptions {
  std::vector<std::string> hpa_roots;
  std::vector<std::string> hybrid_roots;
  std::string out_csv;
  std::string out_aggregate_csv;
  double yandex_vcpu_hour_rub = 0.0;
  double yandex_memory_gib_hour_rub = 0.0;
};

SettingsTable settings_of(CostsOptions& options) {
  return {
      Setting("hpa-root", &options.hpa_roots,
              "a directory of HPA runs, laid out target_N/SCENARIO/RUN or SCENARIO/RUN; may be given several times"),
      Setting("hybrid-root", &options.hybrid_roots,
              "a directory of MPC runs, laid out SCENARIO/RUN; may be given several times"),
      Setting("out-csv", &options.out_csv, "where to write a row per run and provider").require(),
      Setting("out-aggregate-csv", &options.out_aggregate_csv,
              "where to write a row per provider, controller and target")
          .require(),
      Setting("yandex-vcpu-hour-rub", &options.yandex_vcpu_hour_rub, "RUB", Range::at_least(0.0),
              "price of a vCPU for an hour; with the other one above 0, adds the provider yandex_compute_custom_rub"),
      Setting("yandex-memory-gib-hour-rub", &options.yandex_memory_gib_hour_rub, "RUB", Range::at_least(0.0),
              "price of a GiB of memory for an hour"),
  };
}

struct RunPlace {
  std::string path;
  report::Controller controller;
};

bool is_below_target_folder(const std::string& run, const std::string& root) {
  std::string_view below = std::string_view(run).substr(root.size());
  below.remove_prefix(std::min(below.find_first_not_of('/'), below.size()));
  return below.starts_with("target_");
}

/// All runs below the roots in the order of the rows: HPA first, roots as given, runs by path.
Result<std::vector<RunPlace>> find_runs(const CostsOptions& options, Context& context) {
  std::vector<RunPlace> places;
  std::vector<std::string> unfinished;
  const auto take = [&](const runlog::FoundRuns& found, report::Controller controller, auto&& wanted) {
    for (const std::string& path : found.finished) {
      if (wanted(path)) places.push_back({path, controller});
    }
    for (const std::string& path : found.unfinished) {
      if (wanted(path)) unfinished.push_back(path);
    }
  };
  for (const std::string& root : options.hpa_roots) {
    MPCA_TRY(const auto plain, runlog::find_run_directories(root, 2));
    MPCA_TRY(const auto by_target, runlog::find_run_directories(root, 3));
    take(plain, report::Controller::hpa, [](const std::string&) { return true; });
    take(by_target, report::Controller::hpa, [&](const std::string& run) { return is_below_target_folder(run, root); });
  }
  for (const std::string& root : options.hybrid_roots) {
    MPCA_TRY(const auto found, runlog::find_run_directories(root, 2));
    take(found, report::Controller::hybrid, [](const std::string&) { return true; });
  }
  for (const std::string& path : unfinished) {
    context.err << "warning: " << path << " is left out: no " << runlog::kRunMetaFile << ", so the run did not end\n";
  }
  return places;
}

Result<std::vector<report::RunUsage>> read_runs(const std::vector<RunPlace>& places, Context& context) {
  std::vector<report::RunUsage> runs;
  Problems problems;
  for (const RunPlace& place : places) {
    if (context.stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted; nothing is written");
    const auto directory = runlog::read_run_directory(place.path);
    if (!directory) {
      problems.add(directory.error().message);
      continue;
    }
    auto usage = report::usage_of_run(*directory, place.controller);
    if (usage) {
      runs.push_back(*std::move(usage));
    } else {
      context.err << "warning: " << usage.error().message << '\n';
    }
  }
  MPCA_TRY_VOID(problems.to_result());
  return runs;
}

Result<int> write_costs(const CostsOptions& options, Context& context) {
  MPCA_TRY(const auto places, find_runs(options, context));
  MPCA_TRY(const auto runs, read_runs(places, context));
  if (runs.empty()) context.err << "warning: no run to cost below the given roots; the tables have no rows\n";
  const bool one_price = (options.yandex_vcpu_hour_rub > 0.0) != (options.yandex_memory_gib_hour_rub > 0.0);
  if (one_price) context.err << "warning: yandex_compute_custom_rub is left out: it needs both of its prices\n";
  const auto providers = report::providers(options.yandex_vcpu_hour_rub, options.yandex_memory_gib_hour_rub);
  MPCA_TRY_VOID(write_result(options.out_csv, report::cost_rows_csv(runs, providers)));
  context.out << "Wrote cost rows: " << options.out_csv << '\n';
  MPCA_TRY_VOID(
      write_result(options.out_aggregate_csv, report::cost_aggregates_csv(report::aggregate_usage(runs), providers)));
  context.out << "Wrote aggregate rows: " << options.out_aggregate_csv << '\n';
  return 0;
}

Result<int> costs(const CostsOptions& options, Context& context) {
  const auto code = write_costs(options, context);
  if (!code) return input_failure(code.error(), kLabName, context);
  return code;
}

}  // namespace

Command report_costs_command() {
  Command command;
  command.path = "report costs";
  command.lab_name = kLabName;
  command.sentence = "what runs would have cost at cloud list prices, run by run and in sum";
  command.examples = {
      "mpc-autoscaler report costs --hpa-root runs/hpa --hybrid-root runs/mpc --out-csv costs.csv --out-aggregate-csv "
      "costs-sum.csv",
      "mpc-autoscaler report costs --hpa-root runs/hpa --out-csv costs.csv --out-aggregate-csv costs-sum.csv "
      "--yandex-vcpu-hour-rub 1.2 --yandex-memory-gib-hour-rub 0.3"};
  return make_command<CostsOptions>(std::move(command), settings_of, costs);
}

}  // namespace mpca::app
