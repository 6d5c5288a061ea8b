#include "policy/reactive/reactive.h"

#include <deque>
#include <optional>

#include "core/state_text.h"
#include "core/text.h"
#include "policy/guards.h"
#include "policy/kind.h"

namespace mpca::policy {
namespace {

struct ReactiveSettings {
  double target = 0.7;
  Duration hold = std::chrono::seconds(120);
};

SettingsTable settings_of(ReactiveSettings& settings) {
  return {
      {"target", &settings.target, "fraction", {.low = 0, .high = 1, .low_open = true}, "utilization to run at"},
      {"hold", &settings.hold, "duration", Range::at_least(0), "how long a past need still holds replicas up"},
  };
}

class ReactivePolicy final : public Policy {
 public:
  ReactivePolicy(const ReactiveSettings& settings, const Workload& workload)
      : settings_(settings), workload_(workload) {}

  Decision decide(const Observation& observation) override {
    Decision decision{.replicas = observation.spec_replicas, .explanation = {}};
    Explanation& explanation = decision.explanation;
    explanation.rule = "ceil(demand / (capacity x target))";
    const auto served = served_rate_or_hold(observation, explanation);
    if (!served) {
      clamp_to_bounds(workload_, decision.replicas, explanation);
      return decision;
    }
    explanation.demand_rps = estimate_demand(observation, *served, explanation);
    const double wanted = *explanation.demand_rps / (workload_.capacity_rps * settings_.target);
    explanation.recommendation = wanted;

    const int desired = std::clamp(ceil_replicas(wanted), workload_.min_replicas, workload_.max_replicas);
    remember(observation.now, desired);
    decision.replicas = desired;
    if (desired < observation.spec_replicas) {
      int greatest = desired;
      for (const Recommendation& past : recent_) greatest = std::max(greatest, past.replicas);
      change_to(std::min(observation.spec_replicas, greatest), "hold", decision.replicas, explanation);
      // An old value may raise (overload is no less real for being late) but is no reason to take replicas away.
      if (observation.served_rate_rps.quality == Quality::stale) {
        explanation.status = "hold: the served rate is stale";
        change_to(observation.spec_replicas, "stale_metrics", decision.replicas, explanation);
      }
    }
    clamp_to_bounds(workload_, decision.replicas, explanation);
    return decision;
  }

  std::string save_state() const override {
    StateWriter writer("reactive", 1);
    std::vector<double> times;
    std::vector<double> replicas;
    for (const Recommendation& past : recent_) replicas.push_back(past.replicas);
    writer.put("recent_count", static_cast<std::int64_t>(recent_.size()));
    for (std::size_t i = 0; i < recent_.size(); ++i) writer.put("recent_time_" + std::to_string(i), recent_[i].time);
    writer.put("recent_replicas", replicas);
    writer.put("has_in_flight", static_cast<std::int64_t>(last_in_flight_.has_value()));
    writer.put("last_in_flight", last_in_flight_.value_or(0.0));
    writer.put("last_in_flight_time", last_in_flight_time_);
    writer.put("in_flight_slope", in_flight_slope_);
    return writer.take();
  }

  Result<void> load_state(std::string_view state) override {
    MPCA_TRY(const StateReader reader, StateReader::open(state, "reactive", 1));
    MPCA_TRY(const std::int64_t count, reader.integer("recent_count"));
    MPCA_TRY(const std::vector<double> replicas, reader.numbers("recent_replicas"));
    if (count < 0 || static_cast<std::size_t>(count) != replicas.size())
      return invalid("recent_count is not the number of recent_replicas");
    std::deque<Recommendation> recent;
    for (std::size_t i = 0; i < replicas.size(); ++i) {
      MPCA_TRY(const TimePoint time, reader.time("recent_time_" + std::to_string(i)));
      recent.push_back({time, static_cast<int>(replicas[i])});
    }
    MPCA_TRY(const std::int64_t has_in_flight, reader.integer("has_in_flight"));
    MPCA_TRY(const double in_flight, reader.number("last_in_flight"));
    MPCA_TRY(const TimePoint in_flight_time, reader.time("last_in_flight_time"));
    MPCA_TRY(const double slope, reader.number("in_flight_slope"));
    recent_ = std::move(recent);
    in_flight_slope_ = slope;
    last_in_flight_ = has_in_flight != 0 ? std::optional(in_flight) : std::nullopt;
    last_in_flight_time_ = in_flight_time;
    return {};
  }

 private:
  struct Recommendation {
    TimePoint time;
    int replicas;
  };

  /// served + failed + change of in-flight per second, as far as the world shows them; never below zero.
  double estimate_demand(const Observation& observation, double served, Explanation& explanation) {
    double demand = served;
    explanation.demand_source = "served rate";
    if (const auto failed = observation.failed_rate_rps.value_if_known()) {
      demand += *failed;
      explanation.demand_source += " + failed rate";
    }
    if (const auto in_flight = observation.in_flight_requests.value_if_known()) {
      // The change belongs to the time between the two samples; a sample seen again brings no change.
      const TimePoint sampled = observation.now - observation.in_flight_requests.age;
      if (last_in_flight_ && sampled > last_in_flight_time_) {
        in_flight_slope_ = (*in_flight - *last_in_flight_) / to_seconds(sampled - last_in_flight_time_);
      }
      if (last_in_flight_) {
        demand += in_flight_slope_;
        explanation.demand_source += " + change of in flight";
        explanation.values.push_back({"in_flight_slope_rps", in_flight_slope_});
      }
      last_in_flight_ = in_flight;
      last_in_flight_time_ = sampled;
    }
    return std::max(demand, 0.0);
  }

  void remember(TimePoint now, int desired) {
    while (!recent_.empty() && recent_.front().time <= now - settings_.hold) recent_.pop_front();
    recent_.push_back({now, desired});
  }

  ReactiveSettings settings_;
  Workload workload_;
  std::deque<Recommendation> recent_;  // of the last `hold`, oldest first
  std::optional<double> last_in_flight_;
  TimePoint last_in_flight_time_;
  double in_flight_slope_ = 0.0;
};

}  // namespace

std::vector<SettingInfo> reactive_settings() { return described(ReactiveSettings{}); }

Result<std::unique_ptr<Policy>> create_reactive(std::string_view text, const Workload& workload,
                                                std::string_view where) {
  MPCA_TRY(const ReactiveSettings settings, read_settings(ReactiveSettings{}, text, where));
  return std::make_unique<ReactivePolicy>(settings, workload);
}

std::vector<std::string> reactive_sweep() {
  std::vector<std::string> texts;
  for (int percent = 50; percent <= 95; percent += 5) {
    for (const int seconds : {0, 60, 120, 300, 600}) {
      texts.push_back(cat("reactive:target=", percent / 100.0, ",hold=", seconds, "s"));
    }
  }
  return texts;
}

}  // namespace mpca::policy
