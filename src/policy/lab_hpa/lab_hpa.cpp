#include "policy/lab_hpa/lab_hpa.h"

#include <initializer_list>

#include "core/state_text.h"
#include "core/text.h"
#include "policy/guards.h"
#include "policy/kind.h"

namespace mpca::policy {
namespace {

// All that either rule remembers: how many periods in a row asked for less.
std::string save_lower_periods(std::string_view kind, int lower_periods) {
  StateWriter writer(kind, 1);
  writer.put("lower_periods", static_cast<std::int64_t>(lower_periods));
  return writer.take();
}

Result<int> load_lower_periods(std::string_view state, std::string_view kind) {
  MPCA_TRY(const StateReader reader, StateReader::open(state, kind, 1));
  MPCA_TRY(const std::int64_t lower_periods, reader.integer("lower_periods"));
  return static_cast<int>(lower_periods);
}

struct LabHpaSettings {
  double target = 0.6;
  int hold_steps = 5;
  int max_step = 2;
};

SettingsTable settings_of(LabHpaSettings& settings) {
  return {
      {"target", &settings.target, "fraction", Range::above(0), "utilization to run at"},
      {"hold-steps", &settings.hold_steps, "periods", Range::at_least(0),
       "periods in a row that must ask for less before replicas go"},
      {"max-step", &settings.max_step, "replicas", Range::at_least(1), "largest change in one period"},
  };
}

/// desired = ceil(demand / (capacity x target)) in bounds, moved at most max_step, down only after hold_steps periods
/// that asked for less. The step limit comes after the bounds, so from outside them the rule walks in by steps.
class LabHpa final : public Policy {
 public:
  LabHpa(const LabHpaSettings& settings, const Workload& workload) : settings_(settings), workload_(workload) {}

  Decision decide(const Observation& observation) override {
    Decision decision{.replicas = observation.spec_replicas, .explanation = {}};
    Explanation& explanation = decision.explanation;
    explanation.rule = "ceil(demand / (capacity x target))";
    const auto served = served_rate_or_hold(observation, explanation);
    if (!served) return decision;
    explanation.demand_rps = *served;
    explanation.demand_source = "served rate";
    const double wanted = *served / (workload_.capacity_rps * settings_.target);
    explanation.recommendation = wanted;

    const int previous = observation.spec_replicas;
    decision.replicas = ceil_replicas(wanted);
    clamp_to_bounds(workload_, decision.replicas, explanation);
    change_to(std::clamp(decision.replicas, previous - settings_.max_step, previous + settings_.max_step), "max_step",
              decision.replicas, explanation);
    if (decision.replicas < previous && lower_periods_ < settings_.hold_steps) {
      ++lower_periods_;
      change_to(previous, "scale_down_hold", decision.replicas, explanation);
    } else if (decision.replicas != previous) {
      lower_periods_ = 0;
    }
    explanation.values.push_back({"lower_periods", static_cast<double>(lower_periods_)});
    return decision;
  }

  std::string save_state() const override { return save_lower_periods("lab-hpa", lower_periods_); }
  Result<void> load_state(std::string_view state) override {
    MPCA_TRY(lower_periods_, load_lower_periods(state, "lab-hpa"));
    return {};
  }

 private:
  LabHpaSettings settings_;
  Workload workload_;
  int lower_periods_ = 0;
};

struct LabHpaRealisticSettings {
  double target = 0.6;
  int down_steps = 20;
  double up_factor = 2.0;
};

SettingsTable settings_of(LabHpaRealisticSettings& settings) {
  return {
      {"target", &settings.target, "fraction", Range::above(0), "utilization to run at"},
      {"down-steps", &settings.down_steps, "periods", Range::at_least(0),
       "periods in a row that must ask for less before replicas go"},
      {"up-factor", &settings.up_factor, "factor", Range::at_least(1), "largest growth in one period"},
  };
}

/// desired = ceil(ready x utilization / target) in bounds, at most ceil(current x up_factor), down only with the
/// down_steps-th period in a row that asks for less, never below current while pods are starting.
class LabHpaRealistic final : public Policy {
 public:
  LabHpaRealistic(const LabHpaRealisticSettings& settings, const Workload& workload)
      : settings_(settings), workload_(workload) {}

  Decision decide(const Observation& observation) override {
    Decision decision{.replicas = observation.spec_replicas, .explanation = {}};
    Explanation& explanation = decision.explanation;
    explanation.rule = "ceil(ready x utilization / target)";
    const auto served = served_rate_or_hold(observation, explanation);
    if (!served) return decision;
    explanation.demand_rps = *served;
    explanation.demand_source = "served rate";
    const int current = observation.spec_replicas;
    const double ready = std::max(observation.ready_replicas, 1);
    const double utilization = *served / (ready * workload_.capacity_rps);
    const double wanted = ready * utilization / settings_.target;
    explanation.recommendation = wanted;
    explanation.values.push_back({"utilization", utilization});

    decision.replicas = ceil_replicas(wanted);
    clamp_to_bounds(workload_, decision.replicas, explanation);
    change_to(std::min(decision.replicas, ceil_replicas(current * settings_.up_factor)), "up_factor", decision.replicas,
              explanation);
    if (decision.replicas < current) {
      ++lower_periods_;
      if (lower_periods_ < settings_.down_steps) {
        change_to(current, "scale_down_hold", decision.replicas, explanation);
      } else {
        lower_periods_ = 0;
      }
    } else {
      lower_periods_ = 0;
    }
    if (current > observation.ready_replicas) {
      change_to(std::max(decision.replicas, current), "pods_starting", decision.replicas, explanation);
    }
    return decision;
  }

  std::string save_state() const override { return save_lower_periods("lab-hpa-realistic", lower_periods_); }
  Result<void> load_state(std::string_view state) override {
    MPCA_TRY(lower_periods_, load_lower_periods(state, "lab-hpa-realistic"));
    return {};
  }

 private:
  LabHpaRealisticSettings settings_;
  Workload workload_;
  int lower_periods_ = 0;
};

std::vector<std::string> sweep_of(std::string_view name, std::string_view knob, std::initializer_list<int> steps) {
  std::vector<std::string> texts;
  for (int tenths = 3; tenths <= 9; ++tenths) {
    for (const int step : steps) texts.push_back(cat(name, ":target=", tenths / 10.0, ",", knob, "=", step));
  }
  return texts;
}

}  // namespace

std::vector<std::string> lab_hpa_sweep() { return sweep_of("lab-hpa", "hold-steps", {0, 5, 20}); }
std::vector<std::string> lab_hpa_realistic_sweep() { return sweep_of("lab-hpa-realistic", "down-steps", {1, 5, 20}); }

std::vector<SettingInfo> lab_hpa_settings() { return described(LabHpaSettings{}); }

Result<std::unique_ptr<Policy>> create_lab_hpa(std::string_view text, const Workload& workload,
                                               std::string_view where) {
  MPCA_TRY(const LabHpaSettings settings, read_settings(LabHpaSettings{}, text, where));
  return std::make_unique<LabHpa>(settings, workload);
}

std::vector<SettingInfo> lab_hpa_realistic_settings() { return described(LabHpaRealisticSettings{}); }

Result<std::unique_ptr<Policy>> create_lab_hpa_realistic(std::string_view text, const Workload& workload,
                                                         std::string_view where) {
  MPCA_TRY(const LabHpaRealisticSettings settings, read_settings(LabHpaRealisticSettings{}, text, where));
  return std::make_unique<LabHpaRealistic>(settings, workload);
}

}  // namespace mpca::policy
