#include "policy/lab_mpc/lab_mpc.h"

#include <algorithm>
#include <optional>

#include "core/state_text.h"
#include "core/text.h"
#include "policy/guards.h"
#include "policy/kind.h"

namespace mpca::policy {

SettingsTable settings_of(LabMpcSettings& settings) {
  SettingsTable table = plan_rows(settings);
  const SettingsTable own = {
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
  table.insert(table.end(), own.begin(), own.end());
  return table;
}

namespace {

class LabMpc final : public Policy {
 public:
  LabMpc(const LabMpcSettings& settings, const Workload& workload, LabPlan plan)
      : settings_(settings), workload_(workload), plan_(std::move(plan)) {}

  Decision decide(const Observation& observation) override {
    Decision decision{.replicas = observation.spec_replicas, .explanation = {}};
    Explanation& explanation = decision.explanation;
    explanation.rule = "quadratic programme over backlog, changes and replicas";
    const auto served = served_rate_or_hold(observation, explanation);
    if (!served) return decision;
    plan_.observe(observation, *served, explanation);
    decision.replicas = plan_.action(observation.spec_replicas, explanation);
    explanation.values.push_back({"plan_replicas", static_cast<double>(decision.replicas)});
    apply_safety(observation, *served, decision.replicas, explanation);
    last_served_rps_ = *served;
    return decision;
  }

  std::string save_state() const override {
    StateWriter writer("lab-mpc", 1);
    plan_.save(writer);
    writer.put("has_last", static_cast<std::int64_t>(last_served_rps_.has_value()));
    writer.put("last_served_rps", last_served_rps_.value_or(0.0));
    return writer.take();
  }

  Result<void> load_state(std::string_view state) override {
    MPCA_TRY(const StateReader reader, StateReader::open(state, "lab-mpc", 1));
    MPCA_TRY(const std::int64_t has_last, reader.integer("has_last"));
    MPCA_TRY(const double last_served, reader.number("last_served_rps"));
    MPCA_TRY_VOID(plan_.load(reader));
    last_served_rps_ = has_last != 0 ? std::optional(last_served) : std::nullopt;
    return {};
  }

 private:
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
  LabPlan plan_;
  std::optional<double> last_served_rps_;
};

Result<std::unique_ptr<Policy>> create_from_text(const LabMpcSettings& defaults, std::string_view text,
                                                 const Workload& workload, std::string_view where) {
  MPCA_TRY(const LabMpcSettings settings, read_settings(defaults, text, where));
  return create_lab_mpc(settings, workload);
}

std::vector<std::string> sweep_of(std::string_view name) {
  std::vector<std::string> texts;
  for (const double gamma : {0.01, 0.08, 0.5, 2.0}) {
    for (const int max_step : {2, 8, 30}) texts.push_back(cat(name, ":gamma=", gamma, ",max-step=", max_step));
  }
  return texts;
}

}  // namespace

std::vector<std::string> lab_mpc_sweep() { return sweep_of("lab-mpc"); }
std::vector<std::string> lab_mpc_realistic_sweep() { return sweep_of("lab-mpc-realistic"); }

LabMpcSettings lab_mpc_realistic_defaults() {
  LabMpcSettings settings;
  settings.beta = 1.0;
  settings.forecast = "lab-realistic";
  settings.smoothing = 0.45;
  settings.demand_mode = "served_plus_inflight";
  settings.demand_cap_rps = 400.0;
  settings.emergency_in_flight = 40.0;
  settings.hold_while_starting = true;
  return settings;
}

Result<std::unique_ptr<Policy>> create_lab_mpc(const LabMpcSettings& settings, const Workload& workload) {
  MPCA_TRY(LabPlan plan, LabPlan::create(settings, workload));
  return std::make_unique<LabMpc>(settings, workload, std::move(plan));
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
