// reference_parity DIR: holds our offline half against recorded values of the reference lab, for any folder laid out as
// tests/data/reference/vectors (whose README in the reference material says how they were made).
//
// A run diverges for good after one step on the other side of a rounding boundary, so rows are checked step by step:
// the world is led along the recorded decisions and the policy is asked at each of its states. Whole runs are compared
// where no row is marked near a boundary. Prints per file how many values agreed, then `N passed, M failed`.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "core/csv.h"
#include "core/os/file.h"
#include "core/os/parallel.h"
#include "core/text.h"
#include "forecast/holt.h"
#include "mpc/replica_qp.h"
#include "policy/lab_mpc/lab_mpc.h"
#include "sim/idealised_world.h"
#include "sim/realistic_world.h"
#include "study/lab_idealised.h"
#include "study/lab_realistic.h"
#include "support/replica_qp_json.h"
#include "trace/generate.h"

namespace mpca {
namespace {

using nlohmann::json;

// Tolerances of the vectors' README.
constexpr double kSummaryTolerance = 1e-9;
constexpr double kPlanTolerance = 1e-7;
constexpr double kBoundaryBand = 0.02;
constexpr double kHoltAbsolute = 2.0;
constexpr double kHoltRelative = 0.05;
constexpr double kHoltShare = 0.9;

/// Counts the values of one file, and shows the first that disagree.
class FileCheck {
 public:
  explicit FileCheck(std::string name) : name_(std::move(name)) {}

  void equal(const std::string& what, const std::string& ours, const std::string& theirs) {
    note(ours == theirs, what, ours, theirs);
  }
  void equal(const std::string& what, double ours, double theirs) {
    note(ours == theirs, what, shortest(ours), shortest(theirs));
  }
  void close(const std::string& what, double ours, double theirs, double relative) {
    const bool is_close = std::abs(ours - theirs) <= relative * std::max({1e-6, std::abs(ours), std::abs(theirs)});
    note(is_close, what, shortest(ours), shortest(theirs));
  }
  void within(const std::string& what, double ours, double theirs, double absolute) {
    note(std::abs(ours - theirs) <= absolute, what, shortest(ours), shortest(theirs));
  }
  void is_true(const std::string& what, bool claim) { note(claim, what, "false", "true"); }
  void skip() { ++skipped_; }

  void print() const {
    std::printf("%-32s %7d values agree, %d disagree", name_.c_str(), agreed_, failed_);
    if (skipped_ > 0) std::printf(", %d rest on a rounding boundary and are not compared", skipped_);
    std::printf("\n");
  }
  int agreed() const { return agreed_; }
  int failed() const { return failed_; }

 private:
  void note(bool agrees, const std::string& what, const std::string& ours, const std::string& theirs) {
    constexpr int kShown = 10;
    if (agrees) {
      ++agreed_;
      return;
    }
    if (++failed_ <= kShown)
      std::printf("  %s: %s: ours %s, recorded %s\n", name_.c_str(), what.c_str(), ours.c_str(), theirs.c_str());
  }
  std::string name_;
  int agreed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
};

using Row = std::map<std::string, std::string, std::less<>>;

double number(const Row& row, const std::string& column) {
  const auto found = row.find(column);
  const auto value = found == row.end() ? std::nullopt : parse_double(found->second);
  return value.value_or(std::nan(""));
}

int whole(const Row& row, const std::string& column) { return static_cast<int>(std::lround(number(row, column))); }

Result<std::vector<Row>> read_rows(const std::string& path) {
  MPCA_TRY(const std::string text, os::read_file(path));
  std::vector<std::string> header;
  std::vector<Row> rows;
  CsvParser parser([&](std::int64_t, std::span<const std::string_view> fields) {
    if (header.empty()) {
      header.assign(fields.begin(), fields.end());
      return true;
    }
    Row& row = rows.emplace_back();
    for (std::size_t i = 0; i < std::min(header.size(), fields.size()); ++i) row[header[i]] = fields[i];
    return true;
  });
  MPCA_TRY_VOID(parser.feed(text));
  MPCA_TRY_VOID(parser.finish());
  return rows;
}

Result<json> read_json(const std::string& path) {
  MPCA_TRY(const std::string text, os::read_file(path));
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) return invalid(path + ": not JSON");
  return value;
}

bool near_boundary(double x0) { return std::abs(x0 + 0.5 - std::round(x0 + 0.5)) <= kBoundaryBand; }

/// The action itself, or next to a boundary either neighbour.
void check_action(FileCheck& check, const std::string& what, int ours, int theirs, bool is_near) {
  if (is_near && std::abs(ours - theirs) == 1) {
    check.equal(what, theirs, theirs);
  } else {
    check.equal(what, ours, theirs);
  }
}

// ---- qp.json

double plan_objective(const mpc::ReplicaQpSettings& s, const std::vector<double>& forecast, double backlog, int current,
                      std::span<const double> x) {
  const double reference = s.normalization_reference_replicas > 0 ? s.normalization_reference_replicas : s.max_replicas;
  const double serve = s.capacity_rps * s.target_utilization;
  const double backlog_scale = s.normalized_objective ? serve * reference * s.period_s : 1.0;
  const double step_scale = s.normalized_objective ? s.max_step : 1.0;
  const double replica_scale = s.normalized_objective ? reference : 1.0;
  double total = 0.0;
  double previous = current;
  for (std::size_t k = 0; k < x.size(); ++k) {
    backlog = std::max(0.0, backlog + s.period_s * (forecast[k] - serve * x[k]));
    total += s.alpha * std::pow(backlog / backlog_scale, 2) + s.beta * std::pow((x[k] - previous) / step_scale, 2) +
             s.gamma * x[k] / replica_scale;
    previous = x[k];
  }
  return total;
}

void check_qp(FileCheck& check, const json& instances) {
  for (const json& instance : instances) {
    const json& in = instance.at("in");
    const std::vector<double> forecast = in.at("forecast");
    const mpc::ReplicaQpSettings settings = test::replica_qp_settings(in);
    const int current = in.at("r_current");
    const std::string where = cat("instance ", instance.at("id").get<int>());
    auto qp = mpc::ReplicaQp::create(settings);
    if (!qp) {
      check.equal(where, qp.error().message, "settings accepted");
      continue;
    }
    check.equal(where + " greedy_action", mpc::greedy_action(settings, forecast[0], current),
                instance.at("greedy_action").get<int>());
    const double backlog = in.at("b0");
    const mpc::QpSolution solution = qp->solve(forecast, backlog, current);
    const bool is_optimal = solution.status == mpc::QpStatus::optimal;
    check.equal(where + " status", is_optimal ? "optimal" : "no_solution", instance.at("status").get<std::string>());
    if (!is_optimal || instance.at("status") != "optimal") continue;

    const std::span<const double> x = solution.replicas;
    const bool x_unique = instance.value("x_unique", true);
    check.close(where + " objective", plan_objective(settings, forecast, backlog, current, x), instance.at("objective"),
                kSummaryTolerance);
    double previous = current;
    bool feasible = true;
    for (const double replicas : x) {
      feasible = feasible && replicas >= settings.min_replicas - kPlanTolerance &&
                 replicas <= settings.max_replicas + kPlanTolerance &&
                 std::abs(replicas - previous) <= settings.max_step + kPlanTolerance;
      previous = replicas;
    }
    check.is_true(where + " feasible", feasible);
    if (!x_unique) continue;
    const std::vector<double> recorded = instance.at("x");
    for (std::size_t k = 0; k < recorded.size(); ++k)
      check.within(cat(where, " x[", k, "]"), x[k], recorded[k], kPlanTolerance);
    check_action(check, where + " action", mpc::rounded_action(settings, x[0], current), instance.at("action"),
                 instance.value("x0_near_boundary", false));
  }
}

// ---- idealised runs

study::IdealisedSettings settings_from(const json& config) {
  study::IdealisedSettings settings;
  settings.mpc.forecast = config.at("forecast");
  settings.mpc.horizon_stages = config.at("horizon");
  settings.mpc.history_window = config.at("history_window");
  settings.mpc.smoothing = config.at("es_alpha");
  settings.workload.capacity_rps = config.at("capacity_per_replica");
  settings.workload.target_utilization = config.at("rho_star");
  settings.mpc.alpha = config.at("alpha");
  settings.mpc.beta = config.at("beta");
  settings.mpc.gamma = config.at("gamma");
  settings.workload.min_replicas = config.at("min_replicas");
  settings.workload.max_replicas = config.at("max_replicas");
  settings.mpc.max_step = config.at("max_step");
  settings.initial_replicas = config.at("initial_replicas");
  settings.hpa_target = config.at("hpa_target");
  settings.hpa_hold_steps = config.at("hpa_scale_down_hold_steps");
  settings.workload.period = from_seconds(config.at("dt_seconds"));
  settings.mpc.normalized_objective = config.at("normalized_objective");
  settings.mpc.normalization_reference_replicas = config.at("normalization_reference_replicas");
  return settings;
}

using RunKey = std::pair<std::string, std::string>;  // setting, trace

struct RecordedRun {
  std::vector<Row> steps;
  std::vector<std::vector<double>> holt_forecasts;  // of each step; empty unless forecast=hw

  trace::DemandTrace trace(const std::string& name) const {
    trace::DemandTrace trace;
    trace.name = name;
    for (const Row& row : steps) trace.demand_rps.push_back(number(row, "demand_rps"));
    return trace;
  }
  bool rests_on_boundary() const {
    return std::any_of(steps.begin(), steps.end(), [](const Row& row) { return row.at("near_boundary") == "1"; });
  }
};

std::map<RunKey, RecordedRun> group_runs(const std::vector<Row>& steps, const std::vector<Row>& holt) {
  std::map<RunKey, RecordedRun> runs;
  for (const Row& row : steps) runs[{row.at("setting"), row.at("trace")}].steps.push_back(row);
  for (const Row& row : holt) {
    std::vector<double> forecast;
    for (int k = 0; row.contains(cat("f", k)) && !row.at(cat("f", k)).empty(); ++k)
      forecast.push_back(number(row, cat("f", k)));
    runs[{row.at("setting"), row.at("trace")}].holt_forecasts.push_back(std::move(forecast));
  }
  return runs;
}

mpc::ReplicaQpSettings qp_settings(const study::IdealisedSettings& settings) {
  return {.horizon_stages = settings.mpc.horizon_stages,
          .alpha = settings.mpc.alpha,
          .beta = settings.mpc.beta,
          .gamma = settings.mpc.gamma,
          .capacity_rps = settings.workload.capacity_rps,
          .target_utilization = settings.workload.target_utilization,
          .min_replicas = settings.workload.min_replicas,
          .max_replicas = settings.workload.max_replicas,
          .max_step = settings.mpc.max_step,
          .period_s = to_seconds(settings.workload.period),
          .normalized_objective = settings.mpc.normalized_objective,
          .normalization_reference_replicas = settings.mpc.normalization_reference_replicas};
}

/// Leads a world along the recorded decisions of one side and asks `policy` at each step.
void follow(const trace::DemandTrace& trace, const study::IdealisedSettings& settings, policy::Policy& policy,
            const std::vector<Row>& rows, const std::string& recorded_column,
            const std::function<void(const Row&, const policy::Decision&, const policy::PeriodOutcome&)>& check_row) {
  sim::IdealisedWorld world(trace, settings.workload, settings.initial_replicas);
  for (const Row& row : rows) {
    const auto observation = world.next();
    const policy::Decision decision = policy.decide(*observation);
    policy::Decision recorded;
    recorded.replicas = whole(row, recorded_column);
    check_row(row, decision, world.apply(recorded));
  }
}

double value_of(const policy::Decision& decision, std::string_view name) {
  return named_value(decision.explanation, name).value_or(std::nan(""));
}

void check_steps(FileCheck& check, const RunKey& key, const RecordedRun& run,
                 const study::IdealisedSettings& settings) {
  const trace::DemandTrace trace = run.trace(key.second);
  const auto hpa =
      policy::create_policy(cat("lab-hpa:target=", settings.hpa_target, ",hold-steps=", settings.hpa_hold_steps,
                                ",max-step=", settings.mpc.max_step),
                            settings.workload, "hpa");
  const auto mpc = policy::create_lab_mpc(settings.mpc, settings.workload);
  check.is_true(cat(key.first, " ", key.second, " settings accepted"), hpa.has_value() && mpc.has_value());
  if (!hpa || !mpc) return;
  const auto where = [&](const Row& row, const char* column) {
    return cat(key.first, " ", key.second, " step ", row.at("step"), " ", column);
  };
  follow(trace, settings, **hpa, run.steps, "hpa_recommended_replicas",
         [&](const Row& row, const policy::Decision& decision, const policy::PeriodOutcome& outcome) {
           check.equal(where(row, "hpa_replicas"), outcome.spec_replicas, whole(row, "hpa_replicas"));
           check.equal(where(row, "hpa_recommended_replicas"), decision.replicas,
                       whole(row, "hpa_recommended_replicas"));
         });
  const bool is_holt = settings.mpc.forecast == "hw";
  auto qp = mpc::ReplicaQp::create(qp_settings(settings));
  int active = settings.initial_replicas;
  std::size_t index = 0;
  follow(trace, settings, **mpc, run.steps, "mpc_recommended_replicas",
         [&](const Row& row, const policy::Decision& decision, const policy::PeriodOutcome& outcome) {
           check.equal(where(row, "mpc_replicas"), outcome.spec_replicas, whole(row, "mpc_replicas"));
           check.close(where(row, "mpc_b0"), value_of(decision, "backlog_requests"), number(row, "mpc_b0"),
                       kSummaryTolerance);
           int action = decision.replicas;
           std::string status = decision.explanation.status == "optimal" ? "optimal" : "fallback";
           double x0 = decision.explanation.recommendation.value_or(std::nan(""));
           if (is_holt) {
             // From the recorded forecast on everything is exact; the fit itself is compared in
             // offline_holt_forecasts.csv.
             const std::vector<double>& forecast = run.holt_forecasts.at(index);
             const mpc::QpSolution solution = qp->solve(forecast, number(row, "mpc_b0"), active);
             const bool is_optimal = solution.status == mpc::QpStatus::optimal;
             status = is_optimal ? "optimal" : "fallback";
             action = is_optimal ? mpc::rounded_action(qp->settings(), solution.replicas[0], active)
                                 : mpc::greedy_action(qp->settings(), forecast[0], active);
             x0 = is_optimal ? solution.replicas[0] : std::nan("");
           } else {
             check.close(where(row, "forecast_rps_t0"), decision.explanation.forecast.front().demand_rps,
                         number(row, "forecast_rps_t0"), kSummaryTolerance);
           }
           check.equal(where(row, "mpc_status"), status, row.at("mpc_status"));
           if (status == "optimal" && row.at("mpc_status") == "optimal")
             check.within(where(row, "x0"), x0, number(row, "x0"), kPlanTolerance);
           check_action(check, where(row, "mpc_recommended_replicas"), action, whole(row, "mpc_recommended_replicas"),
                        row.at("near_boundary") == "1");
           active = whole(row, "mpc_recommended_replicas");
           ++index;
         });
}

/// The lab's run with Holt's forecast, from its recorded forecasts on.
Result<study::IdealisedRun> run_with_recorded_forecasts(const RecordedRun& recorded,
                                                        const study::IdealisedSettings& settings,
                                                        const trace::DemandTrace& trace) {
  study::IdealisedSettings with_es = settings;
  with_es.mpc.forecast = "es";  // the HPA's side is the same; the MPC's side is replaced below
  MPCA_TRY(study::IdealisedRun run, study::simulate_idealised(trace, with_es, {}));
  MPCA_TRY(mpc::ReplicaQp qp, mpc::ReplicaQp::create(qp_settings(settings)));
  const policy::Workload& workload = settings.workload;
  const double serve = workload.capacity_rps * workload.target_utilization;
  int active = settings.initial_replicas;
  double backlog = 0.0;
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    study::TrajectoryRow& row = run.rows[i];
    const std::vector<double>& forecast = recorded.holt_forecasts.at(i);
    backlog = std::max(0.0, backlog + to_seconds(workload.period) * (row.demand_rps - serve * active));
    const mpc::QpSolution solution = qp.solve(forecast, backlog, active);
    const bool is_optimal = solution.status == mpc::QpStatus::optimal;
    const int action = is_optimal ? mpc::rounded_action(qp.settings(), solution.replicas[0], active)
                                  : mpc::greedy_action(qp.settings(), forecast[0], active);
    row.mpc_backlog = backlog;
    row.mpc_replicas = active;
    row.mpc_recommended = action;
    row.mpc_utilization = row.demand_rps / (workload.capacity_rps * std::max(active, 1));
    row.mpc_overflow = std::max(0.0, row.demand_rps / serve - active);
    active = action;
  }
  return study::summarize_rows(std::move(run.rows), workload.target_utilization);
}

void check_summary(FileCheck& check, const std::string& where, const json& ours, const json& theirs) {
  for (const auto& [name, value] : theirs.items()) {
    if (!ours.contains(name)) {
      check.equal(cat(where, " ", name), "missing", value.dump());
    } else if (value.is_object()) {
      check_summary(check, cat(where, " ", name), ours.at(name), value);
    } else if (value.is_number()) {
      check.close(cat(where, " ", name), ours.at(name).get<double>(), value.get<double>(), kSummaryTolerance);
    } else {
      check.equal(cat(where, " ", name), ours.at(name).dump(), value.dump());
    }
  }
}

void check_holt(FileCheck& check, const std::map<RunKey, RecordedRun>& runs, const json& settings_of_runs) {
  int close = 0;
  int total = 0;
  for (const auto& [key, run] : runs) {
    if (run.holt_forecasts.empty()) continue;
    const study::IdealisedSettings settings = settings_from(settings_of_runs.at(key.first).at("config"));
    const std::vector<double> demand = run.trace(key.second).demand_rps;
    for (std::size_t i = 0; i < run.holt_forecasts.size(); ++i) {
      const std::size_t window = std::min(i + 1, static_cast<std::size_t>(settings.mpc.history_window));
      std::vector<double> forecast(run.holt_forecasts[i].size());
      forecast::holt_damped_forecast(std::span(demand).subspan(i + 1 - window, window), settings.mpc.smoothing,
                                     forecast);
      for (std::size_t k = 0; k < forecast.size(); ++k) {
        const double recorded = run.holt_forecasts[i][k];
        close +=
            std::abs(forecast[k] - recorded) <= std::max(kHoltAbsolute, kHoltRelative * std::abs(recorded)) ? 1 : 0;
        ++total;
      }
    }
  }
  const double share = total > 0 ? static_cast<double>(close) / total : 1.0;
  std::printf("  offline_holt_forecasts.csv: %d of %d forecasts within max(2 rps, 5 %%): %.1f %% (90 %% needed)\n",
              close, total, 100.0 * share);
  check.is_true("share of close forecasts >= 90 %", share >= kHoltShare);
}

// ---- the idealised grid

/// The packaged trace of a scenario as some recorded run has it, else as the lab generates it, which is the same
/// demand.
trace::DemandTrace scenario_trace(const std::map<RunKey, RecordedRun>& runs, const std::string& scenario) {
  for (const auto& [key, run] : runs) {
    if (key.second == "packaged_" + scenario) return run.trace(scenario);
  }
  const auto generated = trace::synthetic_scenario(scenario == "spike" ? trace::Scenario::spike : trace::Scenario::step,
                                                   std::chrono::seconds(15));
  return generated.value();
}

bool grid_row_meets_boundary(const Row& row, const trace::DemandTrace& trace) {
  study::IdealisedSettings settings;
  settings.mpc.smoothing = 0.45;
  settings.mpc.alpha = number(row, "alpha");
  settings.mpc.beta = number(row, "beta");
  settings.mpc.gamma = number(row, "gamma");
  settings.mpc.horizon_stages = whole(row, "horizon");
  const auto policy = policy::create_lab_mpc(settings.mpc, settings.workload);
  sim::IdealisedWorld world(trace, settings.workload, settings.initial_replicas);
  while (const auto observation = world.next()) {
    const policy::Decision decision = (*policy)->decide(*observation);
    if (near_boundary(decision.explanation.recommendation.value_or(0.0))) return true;
    world.apply(decision);
  }
  return false;
}

void check_idealised_grid(FileCheck& check, const std::vector<Row>& rows, const trace::DemandTrace& spike,
                          const trace::DemandTrace& step) {
  const auto grid = study::search_idealised_grid(spike, step, os::hardware_jobs(), {});
  if (!grid) {
    check.equal("grid", grid.error().message, "done");
    return;
  }
  const std::string text = study::idealised_grid_csv(*grid);
  std::vector<std::string> header;
  std::map<std::array<double, 4>, Row> ours;
  CsvParser parser([&](std::int64_t, std::span<const std::string_view> fields) {
    if (header.empty()) {
      header.assign(fields.begin(), fields.end());
      return true;
    }
    Row row;
    for (std::size_t i = 0; i < fields.size(); ++i) row[header[i]] = fields[i];
    ours[{number(row, "alpha"), number(row, "beta"), number(row, "gamma"), number(row, "horizon")}] = row;
    return true;
  });
  check.is_true("our CSV parses", parser.feed(text) && parser.finish());
  for (const Row& row : rows) {
    const auto found =
        ours.find({number(row, "alpha"), number(row, "beta"), number(row, "gamma"), number(row, "horizon")});
    const std::string where = cat("alpha ", row.at("alpha"), " beta ", row.at("beta"), " gamma ", row.at("gamma"),
                                  " horizon ", row.at("horizon"));
    if (found == ours.end()) {
      check.equal(where, "missing", "there");
      continue;
    }
    for (const auto& [column, recorded] : row) {
      const double mine = number(found->second, column);
      const double theirs = number(row, column);
      const bool differs =
          std::abs(mine - theirs) > kSummaryTolerance * std::max({1e-6, std::abs(mine), std::abs(theirs)});
      if (differs && (grid_row_meets_boundary(row, spike) || grid_row_meets_boundary(row, step))) {
        check.skip();
      } else {
        check.close(cat(where, " ", column), mine, theirs, kSummaryTolerance);
      }
    }
  }
}

// ---- the realistic simulator

study::LabRealisticSettings realistic_settings(const json& params, int mpc_min_replicas) {
  study::LabRealisticSettings settings;
  const json& physics = params.at("physics");
  const json& mpc = params.at("mpc");
  const json& safety = params.at("safety");
  const json& sim = params.at("sim");
  const json& hpa = params.at("hpa");
  settings.workload.capacity_rps = physics.at("mu");
  settings.workload.target_utilization = physics.at("rho_star");
  settings.workload.min_replicas = hpa.at("min_replicas");
  settings.workload.max_replicas = hpa.at("max_replicas");
  settings.workload.period = from_seconds(sim.at("control_step_s"));
  settings.world.service_time = from_seconds(physics.at("service_time_s"));
  settings.world.in_flight_cap_per_replica = physics.at("inflight_cap_per_replica");
  settings.world.scrape_interval = from_seconds(sim.at("scrape_interval_s"));
  settings.world.ready_delay_periods = sim.at("ready_delay_steps");
  settings.mpc.in_flight_gain = physics.at("inflight_gain");
  settings.mpc.demand_cap_rps = physics.at("demand_cap_rps");
  settings.mpc.alpha = mpc.at("alpha");
  settings.mpc.beta = mpc.at("beta");
  settings.mpc.gamma = mpc.at("gamma");
  settings.mpc.horizon_stages = mpc.at("horizon");
  settings.mpc.smoothing = mpc.at("es_alpha");
  settings.mpc.max_step = mpc.at("max_step");
  settings.mpc.normalized_objective = mpc.at("normalized_objective");
  settings.mpc.normalization_reference_replicas = mpc.at("normalization_reference_replicas");
  settings.mpc.emergency_in_flight = safety.at("emergency_inflight_threshold");
  settings.mpc.emergency_step = safety.at("emergency_step");
  settings.mpc.surge_delta_rps = safety.at("surge_delta_rps");
  settings.mpc.surge_step = safety.at("surge_step");
  settings.mpc_min_replicas = mpc_min_replicas;
  settings.mpc_max_replicas = mpc.at("max_replicas");
  settings.initial_replicas = sim.at("initial_replicas");
  settings.hpa_target = hpa.at("cpu_target");
  settings.hpa_down_steps = hpa.at("scale_down_stab_steps");
  settings.hpa_up_factor = hpa.at("scale_up_pct");
  return settings;
}

struct TickRun {
  trace::DemandTrace trace;
  std::vector<Row> rows;
};

/// The MPC's side led along the recorded decisions, so that each tick starts from the recorded state.
void check_mpc_ticks(FileCheck& check, const std::string& where, const TickRun& run,
                     const study::LabRealisticSettings& settings) {
  policy::Workload workload = settings.workload;
  workload.min_replicas = settings.mpc_min_replicas;
  workload.max_replicas = settings.mpc_max_replicas;
  const auto policy = policy::create_lab_mpc(settings.mpc, workload);
  check.is_true(where + " settings accepted", policy.has_value());
  if (!policy) return;
  sim::RealisticWorld world(run.trace, workload, std::max(settings.initial_replicas, workload.min_replicas),
                            settings.world);
  for (const Row& row : run.rows) {
    const auto at = [&](const char* column) { return cat(where, " step ", row.at("step"), " ", column); };
    const auto observation = world.next();
    const policy::Decision decision = (*policy)->decide(*observation);
    policy::Decision recorded;
    recorded.replicas = whole(row, "mpc_replicas_desired");
    const policy::PeriodOutcome outcome = world.apply(recorded);
    const bool is_near = row.at("near_boundary") == "1";
    check.equal(at("qp_r_current"), observation->spec_replicas, whole(row, "qp_r_current"));
    check.close(at("mpc_demand_proxy"), decision.explanation.demand_rps.value_or(-1), number(row, "mpc_demand_proxy"),
                kSummaryTolerance);
    check.close(at("forecast_rps"), decision.explanation.forecast.front().demand_rps, number(row, "forecast_rps"),
                kSummaryTolerance);
    check.close(at("mpc_b0"), value_of(decision, "backlog_requests"), number(row, "mpc_b0"), kSummaryTolerance);
    check.equal(at("mpc_status"), decision.explanation.status, row.at("mpc_status"));
    if (row.at("mpc_status") == "optimal")
      check.within(at("x0"), decision.explanation.recommendation.value_or(-1), number(row, "x0"), kPlanTolerance);
    check_action(check, at("qp_action"), static_cast<int>(value_of(decision, "plan_replicas")), whole(row, "qp_action"),
                 is_near);
    // After the safety rules: an equal of the next column in every recorded tick.
    check_action(check, at("mpc_rec"), decision.replicas, whole(row, "mpc_rec"), is_near);
    check_action(check, at("mpc_replicas_desired"), decision.replicas, recorded.replicas, is_near);
    check.equal(at("mpc_emergency"), value_of(decision, "emergency") == 1.0 ? 1 : 0, whole(row, "mpc_emergency"));
    check.equal(at("mpc_replicas_ready"), outcome.ready_replicas, whole(row, "mpc_replicas_ready"));
    check.close(at("mpc_inflight"),
                sim::md1_in_flight(outcome.demand_rps, workload.capacity_rps, outcome.ready_replicas),
                number(row, "mpc_inflight"), kSummaryTolerance);
    check.close(at("mpc_p95_ms"), outcome.latency_p95_s.value_or(-1) * 1e3, number(row, "mpc_p95_ms"),
                kSummaryTolerance);
    check.close(at("mpc_util"), outcome.utilization, number(row, "mpc_util"), kSummaryTolerance);
    check.equal(at("mpc_slo_violated"), outcome.utilization > workload.target_utilization ? 1 : 0,
                whole(row, "mpc_slo_violated"));
  }
}

void check_hpa_ticks(FileCheck& check, const std::string& where, const TickRun& run,
                     const std::vector<study::RealisticTick>& ticks) {
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    const Row& row = run.rows[i];
    const study::RealisticSide& hpa = ticks[i].hpa;
    const auto at = [&](const char* column) { return cat(where, " step ", row.at("step"), " ", column); };
    check.equal(at("hpa_replicas_desired"), hpa.desired, whole(row, "hpa_replicas_desired"));
    check.equal(at("hpa_replicas_ready"), hpa.ready, whole(row, "hpa_replicas_ready"));
    check.close(at("hpa_inflight"), hpa.in_flight, number(row, "hpa_inflight"), kSummaryTolerance);
    check.close(at("hpa_p95_ms"), hpa.p95_ms, number(row, "hpa_p95_ms"), kSummaryTolerance);
    check.close(at("hpa_util"), hpa.utilization, number(row, "hpa_util"), kSummaryTolerance);
    check.equal(at("hpa_slo_violated"), hpa.violated ? 1 : 0, whole(row, "hpa_slo_violated"));
  }
}

void check_realistic(FileCheck& points_check, FileCheck& ticks_check, const json& points,
                     const std::vector<Row>& tick_rows) {
  std::map<std::pair<int, std::string>, TickRun> runs;
  for (const Row& row : tick_rows) {
    TickRun& run = runs[{whole(row, "point"), row.at("scenario")}];
    run.trace.demand_rps.push_back(number(row, "rps"));
    run.trace.phase_idx.push_back(whole(row, "phase"));
    run.rows.push_back(row);
  }
  for (const json& point : points) {
    for (const auto& [scenario, content] : point.at("scenarios").items()) {
      const std::string where = cat("point ", point.at("point").get<int>(), " ", scenario);
      const TickRun& run = runs[{point.at("point").get<int>(), scenario}];
      ticks_check.is_true(where + " has ticks", !run.rows.empty());
      if (run.rows.empty()) continue;
      const study::LabRealisticSettings settings =
          realistic_settings(point.at("params"), content.at("mpc_min_replicas"));
      const auto ticks = study::simulate_realistic(run.trace, settings, {});
      ticks_check.is_true(where + " settings accepted", ticks.has_value());
      if (!ticks) continue;
      check_mpc_ticks(ticks_check, where, run, settings);
      check_hpa_ticks(ticks_check, where, run, *ticks);

      const bool rests =
          std::any_of(run.rows.begin(), run.rows.end(), [](const Row& row) { return row.at("near_boundary") == "1"; });
      const std::vector<int> phases = content.at("focus_phases");
      points_check.is_true(where + " focus_phases", phases == study::focus_phases(scenario));
      const study::RealisticMetrics all = study::realistic_metrics(*ticks, {});
      const study::RealisticMetrics focus = study::realistic_metrics(*ticks, phases);
      for (const auto& [name, recorded] : content.at("metrics").items()) {
        const bool is_focus = name.starts_with("focus_");
        const std::string column = name.substr(is_focus ? 6 : 4);
        const auto metric =
            std::find_if(study::realistic_metric_columns().begin(), study::realistic_metric_columns().end(),
                         [&](const study::NamedMetric& candidate) { return column == candidate.name; });
        if (metric == study::realistic_metric_columns().end()) {
          points_check.equal(cat(where, " ", name), "missing", recorded.dump());
        } else if (rests) {
          points_check.skip();
        } else {
          points_check.close(cat(where, " ", name), metric->value(is_focus ? focus : all), recorded.get<double>(),
                             kSummaryTolerance);
        }
      }
    }
  }
}

// ---- all files

int run(const std::string& directory) {
  std::vector<FileCheck> checks;
  const auto path = [&](const char* name) { return cat(directory, "/", name); };
  const auto missing = [&](const char* name, const Error& error) {
    FileCheck check(name);
    check.equal("file", error.message, "readable");
    check.print();
    checks.push_back(check);
  };
  const auto finish = [&](FileCheck& check) {
    check.print();
    checks.push_back(check);
  };

  if (const auto instances = read_json(path("qp.json"))) {
    FileCheck check("qp.json");
    check_qp(check, *instances);
    finish(check);
  } else {
    missing("qp.json", instances.error());
  }

  const auto steps = read_rows(path("offline_steps.csv"));
  const auto holt = read_rows(path("offline_holt_forecasts.csv"));
  const auto settings = read_json(path("offline_runs.json"));
  if (!steps) missing("offline_steps.csv", steps.error());
  if (!holt) missing("offline_holt_forecasts.csv", holt.error());
  if (!settings) missing("offline_runs.json", settings.error());
  std::map<RunKey, RecordedRun> runs;
  if (steps && holt && settings) {
    runs = group_runs(*steps, *holt);
    FileCheck steps_check("offline_steps.csv");
    FileCheck holt_check("offline_holt_forecasts.csv");
    FileCheck runs_check("offline_runs.json");
    FileCheck trajectories_check("trajectories/");
    for (const auto& [key, run] : runs)
      check_steps(steps_check, key, run, settings_from(settings->at(key.first).at("config")));
    check_holt(holt_check, runs, *settings);
    for (const auto& [setting, content] : settings->items()) {
      const study::IdealisedSettings own = settings_from(content.at("config"));
      for (const auto& [trace_name, recorded] : content.at("summaries").items()) {
        const RecordedRun& run = runs[{setting, trace_name}];
        const std::string where = cat(setting, " ", trace_name);
        runs_check.is_true(where + " has steps", !run.steps.empty());
        if (run.steps.empty()) continue;
        const trace::DemandTrace trace = run.trace(trace_name);
        const auto ours = own.mpc.forecast == "hw" ? run_with_recorded_forecasts(run, own, trace)
                                                   : study::simulate_idealised(trace, own, {});
        runs_check.is_true(where + " runs", ours.has_value());
        if (!ours) continue;
        const std::string trajectory = path(cat("trajectories/", setting, "_", trace_name, ".csv").c_str());
        if (run.rests_on_boundary()) {
          runs_check.skip();
          continue;
        }
        json summary = json::parse(study::idealised_summary_json(*ours, own));
        check_summary(runs_check, where, summary, recorded);
        check_summary(runs_check, where, summary.at("config"), content.at("config"));
        if (const auto text = os::read_file(trajectory)) {
          std::vector<std::string> times;
          for (std::size_t i = 0; i < run.steps.size(); ++i) times.push_back(shortest(static_cast<double>(i) * 15.0));
          std::vector<std::string_view> recorded_lines = split(*text, '\n');
          const std::string own_text = study::trajectory_csv(*ours, times);
          const std::vector<std::string_view> own_lines = split(own_text, '\n');
          trajectories_check.equal(where + " lines", static_cast<double>(own_lines.size()),
                                   static_cast<double>(recorded_lines.size()));
          for (std::size_t i = 0; i < std::min(own_lines.size(), recorded_lines.size()); ++i) {
            trajectories_check.equal(cat(where, " line ", i + 1), std::string(own_lines[i]),
                                     std::string(trim(recorded_lines[i])));
          }
        }
      }
    }
    finish(runs_check);
    finish(steps_check);
    finish(holt_check);
    finish(trajectories_check);
  }

  if (const auto grid = read_rows(path("offline_grid.csv"))) {
    FileCheck check("offline_grid.csv");
    check_idealised_grid(check, *grid, scenario_trace(runs, "spike"), scenario_trace(runs, "step"));
    finish(check);
  } else {
    missing("offline_grid.csv", grid.error());
  }

  const auto points = read_json(path("realistic_points.json"));
  const auto ticks = read_rows(path("realistic_ticks.csv"));
  if (!points) missing("realistic_points.json", points.error());
  if (!ticks) missing("realistic_ticks.csv", ticks.error());
  if (points && ticks) {
    FileCheck points_check("realistic_points.json");
    FileCheck ticks_check("realistic_ticks.csv");
    check_realistic(points_check, ticks_check, *points, *ticks);
    finish(points_check);
    finish(ticks_check);
  }

  int passed = 0;
  int failed = 0;
  for (const FileCheck& check : checks) {
    passed += check.agreed();
    failed += check.failed();
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace mpca

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: reference_parity DIR\n");
    return 2;
  }
  try {
    return mpca::run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reference_parity: %s: %s\n", argv[1], error.what());
    return 1;
  }
}
