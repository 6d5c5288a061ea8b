#include "policy/lab_mpc/lab_mpc.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "core/state_text.h"
#include "core/text.h"
#include "forecast/exponential_smoothing.h"
#include "forecast/hold.h"
#include "forecast/holt.h"
#include "policy/guards.h"
#include "policy/kind.h"

namespace mpca::policy {

SettingsTable settings_of(LabMpcSettings& settings) {
  return {
      {"alpha", &settings.alpha, "", Range::at_least(0), "weight of the squared backlog"},
      {"beta", &settings.beta, "", Range::at_least(0), "weight of squared replica changes"},
      {"gamma", &settings.gamma, "", Range::at_least(0), "price of a replica"},
      {"horizon", &settings.horizon_stages, "stages", Range::between(1, 512), "how many periods the plan looks ahead"},
      {"max-step", &settings.max_step, "replicas", Range::at_least(1), "largest change in one period"},
      {"normalized-objective", &settings.normalized_objective, "scale the terms of the objective to comparable size"},
      {"normalization-reference-replicas", &settings.normalization_reference_replicas, "replicas", Range{},
       "the scale N of the normalized objective; <= 0 means max-replicas"},
      {"forecast",
       &settings.forecast,
       "how demand goes on: es smoothed, hw damped trend, hold last value, es-or-last the "
       "greater of both, lab-realistic what the lab's realistic simulator does",
       {"es", "hw", "hold", "es-or-last", "lab-realistic"}},
      {"es-alpha", &settings.smoothing, "", Range::between(0, 1), "smoothing of es: the weight of the newest value"},
      {"history-window", &settings.history_window, "samples", Range::between(1, 100'000),
       "how many past values the forecast sees"},
      {"demand",
       &settings.demand_mode,
       "what counts as demand: the served rate, plus gain x in flight, or the greater of both",
       {"served", "served_plus_inflight", "max_served_inflight"}},
      {"inflight-gain", &settings.in_flight_gain, "rps per request", Range::at_least(0),
       "demand that one request in flight stands for"},
      {"demand-cap", &settings.demand_cap_rps, "rps", Range::at_least(0), "largest believed demand; 0 means no cap"},
      {"emergency-inflight", &settings.emergency_in_flight, "requests", Range::at_least(0),
       "in flight from which replicas are added at once; 0 is off"},
      {"emergency-step", &settings.emergency_step, "replicas", Range::at_least(0), "how many an emergency adds"},
      {"surge-delta", &settings.surge_delta_rps, "rps", Range::at_least(0),
       "jump of the served rate that adds replicas at once; 0 is off"},
      {"surge-step", &settings.surge_step, "replicas", Range::at_least(0), "how many a surge adds"},
      {"hold-while-starting", &settings.hold_while_starting, "never below the present count while pods are starting"},
  };
}

namespace {

constexpr std::size_t kLabRealisticSmoothedSamples = 3;

mpc::ReplicaQpSettings qp_settings(const LabMpcSettings& settings, const Workload& workload) {
  return {.horizon_stages = settings.horizon_stages,
          .alpha = settings.alpha,
          .beta = settings.beta,
          .gamma = settings.gamma,
          .capacity_rps = workload.capacity_rps,
          .target_utilization = workload.target_utilization,
          .min_replicas = workload.min_replicas,
          .max_replicas = workload.max_replicas,
          .max_step = settings.max_step,
          .period_s = to_seconds(workload.period),
          .normalized_objective = settings.normalized_objective,
          .normalization_reference_replicas = settings.normalization_reference_replicas};
}

class LabMpc final : public Policy {
 public:
  LabMpc(const LabMpcSettings& settings, const Workload& workload, mpc::ReplicaQp qp)
      : settings_(settings),
        workload_(workload),
        qp_settings_(qp_settings(settings, workload)),
        qp_(std::move(qp)),
        forecast_(static_cast<std::size_t>(settings.horizon_stages)) {
    history_.reserve(static_cast<std::size_t>(settings.history_window) + 1);
  }

  Decision decide(const Observation& observation) override {
    Decision decision{.replicas = observation.spec_replicas, .explanation = {}};
    Explanation& explanation = decision.explanation;
    explanation.rule = "quadratic programme over backlog, changes and replicas";
    const auto served = served_rate_or_hold(observation, explanation);
    if (!served) return decision;
    const double demand = demand_proxy(observation, *served, explanation);
    explanation.demand_rps = demand;
    update_backlog(observation, demand);
    remember(demand);
    fill_forecast();
    explanation.values.push_back({"backlog_requests", backlog_requests_});
    explain_forecast(explanation);

    const int current = observation.spec_replicas;
    const mpc::QpSolution solution = qp_.solve(forecast_, backlog_requests_, current);
    if (solution.status == mpc::QpStatus::optimal) {
      explanation.status = "optimal";
      explanation.recommendation = solution.replicas[0];
      decision.replicas = mpc::rounded_action(qp_settings_, solution.replicas[0], current);
    } else {
      explanation.status = "greedy";
      decision.replicas = mpc::greedy_action(qp_settings_, forecast_[0], current);
      explanation.recommendation = decision.replicas;
    }
    explanation.values.push_back({"plan_replicas", static_cast<double>(decision.replicas)});
    apply_safety(observation, *served, decision.replicas, explanation);
    last_served_rps_ = *served;
    return decision;
  }

  std::string save_state() const override {
    StateWriter writer("lab-mpc", 1);
    writer.put("backlog_requests", backlog_requests_);
    writer.put("history_rps", history_);
    writer.put("has_last", static_cast<std::int64_t>(last_served_rps_.has_value()));
    writer.put("last_served_rps", last_served_rps_.value_or(0.0));
    writer.put("last_time", last_time_);
    return writer.take();
  }

  Result<void> load_state(std::string_view state) override {
    MPCA_TRY(const StateReader reader, StateReader::open(state, "lab-mpc", 1));
    MPCA_TRY(const double backlog, reader.number("backlog_requests"));
    MPCA_TRY(std::vector<double> history, reader.numbers("history_rps"));
    MPCA_TRY(const std::int64_t has_last, reader.integer("has_last"));
    MPCA_TRY(const double last_served, reader.number("last_served_rps"));
    MPCA_TRY(const TimePoint last_time, reader.time("last_time"));
    if (history.size() > static_cast<std::size_t>(settings_.history_window))
      return invalid("the state's history_rps is longer than history-window");
    backlog_requests_ = backlog;
    history_.assign(history.begin(), history.end());
    last_served_rps_ = has_last != 0 ? std::optional(last_served) : std::nullopt;
    last_time_ = last_time;
    return {};
  }

 private:
  double demand_proxy(const Observation& observation, double served, Explanation& explanation) const {
    double demand = served;
    explanation.demand_source = "served rate";
    const auto in_flight = observation.in_flight_requests.value_if_known();
    if (settings_.demand_mode != "served" && in_flight) {
      const double waiting = settings_.in_flight_gain * *in_flight;
      if (settings_.demand_mode == "served_plus_inflight") {
        demand += waiting;
        explanation.demand_source = "served rate + gain x in flight";
      } else {
        demand = std::max(demand, waiting);
        explanation.demand_source = "greater of served rate and gain x in flight";
      }
    }
    if (settings_.demand_cap_rps > 0.0) demand = std::min(demand, settings_.demand_cap_rps);
    return std::max(demand, 0.0);
  }

  /// b <- max(0, b + elapsed (demand - mu rho* ready)). The first decision knows no elapsed time and takes the period.
  void update_backlog(const Observation& observation, double demand) {
    const Duration elapsed = last_served_rps_ ? observation.now - last_time_ : workload_.period;
    last_time_ = observation.now;
    const double served_rps = workload_.capacity_rps * workload_.target_utilization * observation.ready_replicas;
    backlog_requests_ = std::max(0.0, backlog_requests_ + to_seconds(elapsed) * (demand - served_rps));
  }

  void remember(double demand) {
    if (history_.size() == static_cast<std::size_t>(settings_.history_window)) history_.erase(history_.begin());
    history_.push_back(demand);
  }

  void fill_forecast() {
    if (settings_.forecast == "hw") {
      forecast::holt_damped_forecast(history_, settings_.smoothing, forecast_);
      return;
    }
    double level = 0.0;
    if (settings_.forecast == "es") {
      level = forecast::smoothed_level(history_, settings_.smoothing);
    } else if (settings_.forecast == "es-or-last") {
      level = forecast::smoothed_level_or_last(history_, settings_.smoothing);
    } else if (settings_.forecast == "lab-realistic" && history_.size() > 1 &&
               history_.size() <= kLabRealisticSmoothedSamples) {
      // With two or three samples the lab smooths from the newest to the oldest, as its results show.
      level = history_.back();
      for (auto older = history_.rbegin() + 1; older != history_.rend(); ++older) {
        level = settings_.smoothing * level + (1.0 - settings_.smoothing) * *older;
      }
      level = std::max({level, history_.back(), 0.0});
    } else {
      level = std::max(forecast::held_value(history_), 0.0);
    }
    std::fill(forecast_.begin(), forecast_.end(), level);
  }

  /// Stage k covers [now + k period, now + (k + 1) period). A flat forecast is told by its two ends.
  void explain_forecast(Explanation& explanation) const {
    const bool is_flat =
        std::adjacent_find(forecast_.begin(), forecast_.end(), std::not_equal_to<>()) == forecast_.end();
    for (std::size_t k = 0; k < forecast_.size(); ++k) {
      if (is_flat && k > 0 && k + 1 < forecast_.size()) continue;
      explanation.forecast.push_back({workload_.period * static_cast<int>(k), 0.5, forecast_[k]});
    }
  }

  void apply_safety(const Observation& observation, double served, int& replicas, Explanation& explanation) {
    const int current = observation.spec_replicas;
    const auto raise_to_at_least = [&](int wanted, std::string_view guard) {
      change_to(std::max(replicas, std::min(wanted, workload_.max_replicas)), guard, replicas, explanation);
    };
    const auto in_flight = observation.in_flight_requests.value_if_known();
    if (settings_.emergency_in_flight > 0.0 && in_flight && *in_flight >= settings_.emergency_in_flight) {
      explanation.values.push_back({"emergency", 1.0});
      raise_to_at_least(current + settings_.emergency_step, "emergency");
    }
    if (settings_.surge_delta_rps > 0.0 && last_served_rps_ &&
        served - *last_served_rps_ >= settings_.surge_delta_rps) {
      explanation.values.push_back({"surge", 1.0});
      raise_to_at_least(current + settings_.surge_step, "surge");
    }
    if (settings_.hold_while_starting && current > observation.ready_replicas)
      raise_to_at_least(current, "pods_starting");
  }

  LabMpcSettings settings_;
  Workload workload_;
  mpc::ReplicaQpSettings qp_settings_;
  mpc::ReplicaQp qp_;
  std::vector<double> forecast_;
  std::vector<double> history_;  // demand proxies, oldest first
  double backlog_requests_ = 0.0;
  std::optional<double> last_served_rps_;
  TimePoint last_time_;
};

Result<std::unique_ptr<Policy>> create_from_text(const LabMpcSettings& defaults, std::string_view text,
                                                 const Workload& workload, std::string_view where) {
  MPCA_TRY(const LabMpcSettings settings, read_settings(defaults, text, where));
  return create_lab_mpc(settings, workload);
}

}  // namespace

LabMpcSettings lab_mpc_realistic_defaults() {
  return {.beta = 1.0,
          .forecast = "lab-realistic",
          .smoothing = 0.45,
          .demand_mode = "served_plus_inflight",
          .demand_cap_rps = 400.0,
          .emergency_in_flight = 40.0,
          .hold_while_starting = true};
}

Result<std::unique_ptr<Policy>> create_lab_mpc(const LabMpcSettings& settings, const Workload& workload) {
  MPCA_TRY(mpc::ReplicaQp qp, mpc::ReplicaQp::create(qp_settings(settings, workload)));
  return std::make_unique<LabMpc>(settings, workload, std::move(qp));
}

std::vector<SettingInfo> lab_mpc_settings() { return described(LabMpcSettings{}); }

Result<std::unique_ptr<Policy>> create_lab_mpc_from_text(std::string_view text, const Workload& workload,
                                                         std::string_view where) {
  return create_from_text({}, text, workload, where);
}

std::vector<SettingInfo> lab_mpc_realistic_settings() { return described(lab_mpc_realistic_defaults()); }

Result<std::unique_ptr<Policy>> create_lab_mpc_realistic(std::string_view text, const Workload& workload,
                                                         std::string_view where) {
  return create_from_text(lab_mpc_realistic_defaults(), text, workload, where);
}

}  // namespace mpca::policy
