#include "policy/lab_online/lab_online.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "core/text.h"
#include "policy/guards.h"
#include "policy/kind.h"

namespace mpca::policy {
namespace {

struct Mode {
  std::string_view name;
  std::string_view rule;
};
constexpr std::string_view kQp = "qp", kReactive = "no_qp_reactive", kProxyHpa = "proxy_hpa_safety";
constexpr Mode kModes[] = {
    {kQp, "qp: quadratic programme over backlog, changes and replicas"},
    {kReactive, "no_qp_reactive: ceil(demand / (capacity x target))"},
    {kProxyHpa, "proxy_hpa_safety: ceil(EMA of demand / (capacity x target))"},
};

struct LabOnlineSettings {
  LabPlanSettings plan;
  std::string control_mode{kQp};
  std::string forecast = "es";
  double emergency_in_flight = 40.0;
  int emergency_step = 4;
  std::string emergency_mode = "step";
  double surge_delta_rps = 1e9;
  int surge_step = 2;
  double capacity_fraction = 2.0;
  int capacity_step = 2;
  double downscale_cooldown_s = 0.0;
  double downscale_in_flight = -1.0;
  int max_downscale_step = 0;
  double proxy_smoothing = 0.45;
  double proxy_stabilization_s = 300.0;
  double constraint_tolerance = 0.01;
};

LabOnlineSettings defaults() {
  LabOnlineSettings settings;
  settings.plan.beta = 1.0;
  settings.plan.smoothing = 0.45;
  settings.plan.demand_mode = "served_plus_inflight";
  settings.plan.demand_cap_rps = 400.0;
  return settings;
}

SettingsTable settings_of(LabOnlineSettings& settings) {
  SettingsTable table = {
      {"control-mode",
       &settings.control_mode,
       "the rule: the plan, the reactive formula, or that formula on a moving average",
       {std::string(kQp), std::string(kReactive), std::string(kProxyHpa)}},
      {"forecast",
       &settings.forecast,
       "how demand goes on: es the greater of smoothed and last value, hold the last value",
       {"es", "hold"}},
      {"es-alpha", &settings.plan.smoothing, "", Range::between(0, 1),
       "smoothing of es: the weight of the newest value"},
      {"history-window", &settings.plan.history_window, "samples", Range::between(1, 100'000),
       "how many past values the forecast sees"},
      {"demand-mode",
       &settings.plan.demand_mode,
       "what counts as demand: the served rate, plus gain x in flight, or the greater of both",
       {"served", "served_plus_inflight", "max_served_inflight"}},
      {"inflight-gain", &settings.plan.in_flight_gain, "rps per request", Range::at_least(0),
       "demand that one request in flight stands for"},
      {"demand-cap-rps", &settings.plan.demand_cap_rps, "rps", Range::at_least(0),
       "largest believed demand; 0 means no cap"},
      {"emergency-inflight-threshold", &settings.emergency_in_flight, "requests", Range::at_least(0),
       "in flight from which replicas are added at once"},
      {"emergency-step", &settings.emergency_step, "replicas", Range::at_least(0), "how many an emergency adds"},
      {"emergency-mode",
       &settings.emergency_mode,
       "whether an emergency adds the step or goes to the maximum",
       {"step", "max"}},
      {"surge-delta-threshold", &settings.surge_delta_rps, "rps", Range::at_least(0),
       "jump of the served rate that adds replicas at once"},
      {"surge-step", &settings.surge_step, "replicas", Range::at_least(0), "how many a surge adds"},
      {"capacity-trigger-fraction", &settings.capacity_fraction, "fraction", Range{},
       "share of the ready replicas' capacity at the target from which replicas are added; > 1 or <= 0 is off"},
      {"capacity-trigger-step", &settings.capacity_step, "replicas", Range::at_least(0),
       "how many the capacity rule adds"},
      {"downscale-cooldown-seconds", &settings.downscale_cooldown_s, "s", Range::between(0, 1e9),
       "no scale-down for that long after a scale-up"},
      {"downscale-inflight-threshold", &settings.downscale_in_flight, "requests", Range{},
       "no scale-down while more than that is in flight; below 0 is off"},
      {"max-downscale-step", &settings.max_downscale_step, "replicas", Range::at_least(0),
       "largest scale-down in one period; 0 is no limit"},
      {"proxy-ema-alpha", &settings.proxy_smoothing, "", Range::between(0, 1),
       "proxy_hpa_safety: the weight of the newest demand in its average"},
      {"proxy-downscale-stabilization-seconds", &settings.proxy_stabilization_s, "s", Range::between(0, 1e9),
       "proxy_hpa_safety: down only to the greatest need of that long"},
  };
  const SettingsTable plan = plan_rows(settings.plan);
  table.insert(table.end(), plan.begin(), plan.end());
  const SettingsTable rest = {
      {"normalization-reference-replicas", &settings.plan.normalization_reference_replicas, "replicas", Range::above(0),
       "the scale N of the normalized objective"},
      {"constraint-tolerance", &settings.constraint_tolerance, "", Range::at_least(0),
       "of the lab's numerical solver; taken for its sake and without effect, since plans here are exact"},
  };
  table.insert(table.end(), rest.begin(), rest.end());
  return table;
}

std::string_view rule_of(std::string_view control_mode) {
  return std::ranges::find(kModes, control_mode, &Mode::name)->rule;
}

class LabOnline final : public Policy {
 public:
  LabOnline(LabOnlineSettings settings, const Workload& workload, LabPlan plan)
      : settings_(std::move(settings)), workload_(workload), plan_(std::move(plan)) {}

  Decision decide(const Observation& observation) override {
    Decision decision{.replicas = observation.spec_replicas, .explanation = {}};
    Explanation& explanation = decision.explanation;
    explanation.rule = rule_of(settings_.control_mode);
    const auto served = served_rate_or_hold(observation, explanation);
    if (!served) return decision;
    const double demand = plan_.observe(observation, *served, explanation);
    decision.replicas = proposal(observation, demand, explanation);
    explanation.values.push_back({"plan_replicas", static_cast<double>(decision.replicas)});
    raise_if_needed(observation, *served, decision.replicas, explanation);
    restrain_scale_down(observation, decision.replicas, explanation);
    last_served_rps_ = *served;
    if (decision.replicas > observation.spec_replicas) last_raise_ = observation.now;
    return decision;
  }

  std::string save_state() const override {
    StateWriter writer("lab-online", 1);
    plan_.save(writer);
    writer.put("has_last_served", static_cast<std::int64_t>(last_served_rps_.has_value()));
    writer.put("last_served_rps", last_served_rps_.value_or(0.0));
    writer.put("has_average", static_cast<std::int64_t>(average_demand_rps_.has_value()));
    writer.put("average_demand_rps", average_demand_rps_.value_or(0.0));
    writer.put("has_last_raise", static_cast<std::int64_t>(last_raise_.has_value()));
    writer.put("last_raise", last_raise_.value_or(TimePoint{}));
    std::vector<double> needs;
    for (const Need& need : needs_) needs.push_back(need.replicas);
    writer.put("needs", needs);
    for (std::size_t i = 0; i < needs_.size(); ++i) writer.put(cat("need_time_", i), needs_[i].time);
    return writer.take();
  }

  Result<void> load_state(std::string_view state) override {
    MPCA_TRY(const StateReader reader, StateReader::open(state, "lab-online", 1));
    MPCA_TRY(const std::int64_t has_last_served, reader.integer("has_last_served"));
    MPCA_TRY(const double last_served, reader.number("last_served_rps"));
    MPCA_TRY(const std::int64_t has_average, reader.integer("has_average"));
    MPCA_TRY(const double average, reader.number("average_demand_rps"));
    MPCA_TRY(const std::int64_t has_last_raise, reader.integer("has_last_raise"));
    MPCA_TRY(const TimePoint last_raise, reader.time("last_raise"));
    MPCA_TRY(const std::vector<double> replicas, reader.numbers("needs"));
    std::deque<Need> needs;
    for (std::size_t i = 0; i < replicas.size(); ++i) {
      MPCA_TRY(const TimePoint time, reader.time(cat("need_time_", i)));
      needs.push_back({time, ceil_replicas(replicas[i])});
    }
    MPCA_TRY_VOID(plan_.load(reader));
    last_served_rps_ = has_last_served != 0 ? std::optional(last_served) : std::nullopt;
    average_demand_rps_ = has_average != 0 ? std::optional(average) : std::nullopt;
    last_raise_ = has_last_raise != 0 ? std::optional(last_raise) : std::nullopt;
    needs_ = std::move(needs);
    return {};
  }

 private:
  struct Need {
    TimePoint time;
    int replicas;
  };

  int proposal(const Observation& observation, double demand, Explanation& explanation) {
    const int desired = observation.spec_replicas;
    if (settings_.control_mode == kQp) return plan_.action(desired, explanation);
    explanation.status = settings_.control_mode;
    if (settings_.control_mode == kReactive) {
      explanation.recommendation = demand / usable_rps(1);
      return plan_.greedy_action(demand, desired);
    }
    const double weight = settings_.proxy_smoothing;
    average_demand_rps_ = average_demand_rps_ ? weight * demand + (1.0 - weight) * *average_demand_rps_ : demand;
    explanation.values.push_back({"average_demand_rps", *average_demand_rps_});
    explanation.recommendation = *average_demand_rps_ / usable_rps(1);
    const int proposed = plan_.greedy_action(*average_demand_rps_, desired);
    return std::max(proposed, std::min(desired, greatest_recent_need(observation.now, *explanation.recommendation)));
  }

  int greatest_recent_need(TimePoint now, double wanted) {
    const Duration window = from_seconds(settings_.proxy_stabilization_s);
    while (!needs_.empty() && needs_.front().time < now - window) needs_.pop_front();
    needs_.push_back({now, std::clamp(ceil_replicas(wanted), workload_.min_replicas, workload_.max_replicas)});
    return std::ranges::max_element(needs_, {}, &Need::replicas)->replicas;
  }

  void raise_if_needed(const Observation& observation, double served, int& replicas, Explanation& explanation) const {
    const auto fired = [&](std::string_view rule, int wanted) {
      explanation.values.push_back({std::string(rule), 1.0});
      change_to(std::max(replicas, std::min(wanted, workload_.max_replicas)), rule, replicas, explanation);
    };
    const int desired = observation.spec_replicas;
    const auto in_flight = observation.in_flight_requests.value_if_known();
    if (in_flight && *in_flight >= settings_.emergency_in_flight) {
      fired("emergency",
            settings_.emergency_mode == "max" ? workload_.max_replicas : desired + settings_.emergency_step);
    }
    if (last_served_rps_ && served - *last_served_rps_ >= settings_.surge_delta_rps)
      fired("surge", desired + settings_.surge_step);
    const bool capacity_rule_is_on = settings_.capacity_fraction > 0.0 && settings_.capacity_fraction <= 1.0;
    if (capacity_rule_is_on && served > 0.0 &&
        served >= settings_.capacity_fraction * usable_rps(observation.ready_replicas)) {
      fired("capacity", desired + settings_.capacity_step);
    }
  }

  void restrain_scale_down(const Observation& observation, int& replicas, Explanation& explanation) const {
    const int desired = observation.spec_replicas;
    const auto at_least = [&](int floor, std::string_view guard) {
      change_to(std::max(replicas, floor), guard, replicas, explanation);
    };
    const auto in_flight = observation.in_flight_requests.value_if_known();
    const bool inflight_rule_is_on = settings_.downscale_in_flight >= 0.0;
    if (!in_flight && (inflight_rule_is_on || settings_.plan.demand_mode != "served")) {
      explanation.status += " (in flight is missing)";
      at_least(desired, "missing_in_flight");
    }
    if (inflight_rule_is_on && in_flight && *in_flight > settings_.downscale_in_flight)
      at_least(desired, "downscale_inflight");
    if (last_raise_ && observation.now - *last_raise_ < from_seconds(settings_.downscale_cooldown_s))
      at_least(desired, "downscale_cooldown");
    if (settings_.max_downscale_step > 0) at_least(desired - settings_.max_downscale_step, "max_downscale_step");
    if (desired > observation.ready_replicas) at_least(desired, "pods_starting");
  }

  double usable_rps(int replicas) const { return workload_.capacity_rps * workload_.target_utilization * replicas; }

  LabOnlineSettings settings_;
  Workload workload_;
  LabPlan plan_;
  std::optional<double> last_served_rps_;
  std::optional<double> average_demand_rps_;  // proxy_hpa_safety
  std::deque<Need> needs_;                    // proxy_hpa_safety: of the stabilization window, oldest first
  std::optional<TimePoint> last_raise_;
};

#define MPCA_LAB_WEIGHTS "alpha=2.5,beta=0.5,gamma=0.2"
constexpr LabOnlinePreset kPresets[] = {
    {"step", MPCA_LAB_WEIGHTS ",emergency-inflight-threshold=20,emergency-step=4,surge-delta-threshold=12,surge-step=4",
     std::chrono::seconds(30), std::chrono::seconds(15), 4, 70},
    {"spike",
     MPCA_LAB_WEIGHTS ",emergency-inflight-threshold=4,emergency-step=6,capacity-trigger-fraction=0.85,"
                      "capacity-trigger-step=4",
     std::chrono::seconds(15), std::chrono::seconds(5), 6, 70},
    {"seasonality", MPCA_LAB_WEIGHTS ",emergency-inflight-threshold=20,emergency-step=4", std::chrono::seconds(30),
     std::chrono::seconds(15), 2, 70},
};
#undef MPCA_LAB_WEIGHTS

}  // namespace

std::vector<SettingInfo> lab_online_settings() { return described(defaults()); }

Result<std::unique_ptr<Policy>> create_lab_online(std::string_view text, const Workload& workload,
                                                  std::string_view where) {
  MPCA_TRY(LabOnlineSettings settings, read_settings(defaults(), text, where));
  if (workload.min_replicas < 1)
    return invalid(cat(where, ": min-replicas is ", workload.min_replicas, "; must be >= 1 for this policy"));
  settings.plan.forecast = settings.forecast == "es" ? "es-or-last" : settings.forecast;
  MPCA_TRY(LabPlan plan, LabPlan::create(settings.plan, workload));
  return std::make_unique<LabOnline>(std::move(settings), workload, std::move(plan));
}

std::string_view lab_online_control_mode(const Explanation& explanation) {
  const auto mode = std::ranges::find(kModes, explanation.rule, &Mode::rule);
  return mode == std::end(kModes) ? std::string_view{} : mode->name;
}

std::span<const LabOnlinePreset> lab_online_presets() { return kPresets; }

const LabOnlinePreset* lab_online_preset(std::string_view scenario) {
  const auto preset = std::ranges::find(kPresets, scenario, &LabOnlinePreset::scenario);
  return preset == std::end(kPresets) ? nullptr : preset;
}

}  // namespace mpca::policy
