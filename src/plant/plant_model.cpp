#include "plant/plant_model.h"

#include <algorithm>
#include <cmath>

#include "plant/internal/plausible.h"

namespace mpca::plant {
namespace {

// Signals of the same scrape may be evaluated at slightly different times.
constexpr Duration kSameScrape = std::chrono::seconds(2);
constexpr Duration kLongestWindow = std::chrono::hours(1);  // as the setting

bool is_usable(const std::optional<Reading>& reading) {
  return reading && std::isfinite(reading->value) && reading->value >= 0.0 &&
         reading->age >= std::chrono::seconds(-1) && reading->age <= std::chrono::minutes(10);
}

/// The value, if it is of the same scrape as `other`.
std::optional<double> value_with(const std::optional<Reading>& reading, const Reading& other) {
  if (!is_usable(reading) || std::chrono::abs(reading->age - other.age) > kSameScrape) return std::nullopt;
  return reading->value;
}

}  // namespace

SettingsTable settings_of(PlantSettings& settings) {
  return {
      {"readiness-lag", &settings.readiness_lag, "duration", Range::between(1, 3600),
       "from asking for a pod until it is Ready, mean; where learning begins"},
      {"readiness-lag-spread", &settings.readiness_lag_spread, "", Range::between(0, 5),
       "of the readiness lag, standard deviation / mean"},
      {"readiness-lag-weight", &settings.readiness_lag_weight, "pods", Range::between(0, 1000),
       "seen pods that the given lag counts for"},
      {"learn-readiness-lag", &settings.learn_readiness_lag, "from the pods that are seen starting"},
      {"capacity", &settings.capacity_rps, "rps", Range{.low = 0, .high = 1e9, .low_open = true},
       "of a Ready pod; what is learned stays within a quarter and four times of it"},
      {"capacity-weight", &settings.capacity_weight, "samples", Range::between(0, 1000),
       "samples that the given capacity counts for"},
      {"learn-capacity", &settings.learn_capacity, "from throughput when saturated, and from CPU"},
      {"service-time", &settings.service_time, "duration", Range::between(0, 3600),
       "of a request; 0: 1 / capacity; where learning begins"},
      {"cpu-limit", &settings.cpu_limit_cores, "cores", Range::between(0, 1e6), "of a pod; 0: not known"},
      {"rate-window", &settings.rate_window, "duration", Range::between(0, 3600),
       "over which rates are means; 0: the interval of samples"},
      {"metric-age", &settings.metric_age, "duration", Range::between(0, 600),
       "of signals when a decision is made, mean; where learning begins"},
      {"sample-interval", &settings.sample_interval, "duration", Range{.low = 0, .high = 600, .low_open = true},
       "between new samples; where learning begins"},
      {"learn-metric-age", &settings.learn_metric_age, "and the interval of samples, from the signals' ages"},
  };
}

PlantModel::PlantModel(const PlantSettings& settings)
    : rate_window_(settings.rate_window),
      readiness_lag_({.mean = settings.readiness_lag,
                      .spread = settings.readiness_lag_spread,
                      .weight = settings.readiness_lag_weight,
                      .learn = settings.learn_readiness_lag}),
      metric_age_(
          {.age = settings.metric_age, .interval = settings.sample_interval, .learn = settings.learn_metric_age}),
      capacity_({.capacity_rps = settings.capacity_rps,
                 .weight = settings.capacity_weight,
                 .learn = settings.learn_capacity,
                 .service_time = settings.service_time,
                 .cpu_limit_cores = settings.cpu_limit_cores}) {}

void PlantModel::observe(const PlantObservation& observation) {
  if (!internal::is_plausible(observation.now) || (has_observed_ && observation.now <= last_now_)) return;
  has_observed_ = true;
  last_now_ = observation.now;
  const int ready = std::clamp(observation.ready_replicas, 0, 1'000'000'000);
  if (observation.pods.empty()) {
    readiness_lag_.observe_counts(observation.now, observation.spec_replicas, ready, observation.starting_pod_ages);
  } else {
    readiness_lag_.observe_pods(observation.now, observation.pods);
  }
  ready_.add(observation.now, ready);
  if (!is_usable(observation.served_rate_rps)) return;
  metric_age_.observe(observation.now, observation.served_rate_rps->age);
  observe_load(observation);
}

void PlantModel::observe_load(const PlantObservation& observation) {
  const Reading& served = *observation.served_rate_rps;
  const TimePoint end = observation.now - std::max(served.age, Duration::zero());
  const Duration interval = metric_age_.sample_interval();
  Duration window = std::min<Duration>(observation.rate_window, kLongestWindow);
  if (window <= Duration::zero()) window = rate_window_;
  if (window <= Duration::zero()) window = interval;
  // A mean of 60 s at 5 s of age is of what was Ready 5 to 65 s ago, however often there is a new one: with the pods of
  // the last interval, pods that come would seem to serve less than they do.
  const auto ready = ready_.mean(end - window, end);
  if (!ready) return;
  capacity_.observe({.end = end,
                     .length = interval,
                     .ready = ready->ready,
                     .ready_uncertainty = ready->uncertainty,
                     .served_rps = served.value,
                     .failed_rps = value_with(observation.failed_rate_rps, served),
                     .in_flight = value_with(observation.in_flight_requests, served),
                     .cpu_cores = value_with(observation.cpu_cores, served)});
}

PlantEstimate PlantModel::estimate() const {
  return {.readiness_lag_s = readiness_lag_.mean_figure(),
          .readiness_lag_median_s = readiness_lag_.quantile_figure(0.5),
          .readiness_lag_late_s = readiness_lag_.quantile_figure(0.8),
          .readiness_lag_spread = readiness_lag_.spread(),
          .capacity_rps = capacity_.capacity_figure(),
          .service_time_s = capacity_.service_time_figure(),
          .metric_age_s = metric_age_.mean_figure(),
          .metric_age_late_s = metric_age_.quantile_figure(0.9),
          .sample_interval_s = metric_age_.sample_interval_figure(),
          .is_readiness_lag_drifting = readiness_lag_.is_drifting(),
          .is_capacity_drifting = capacity_.is_drifting(),
          .is_saturated = capacity_.is_saturated()};
}

void PlantModel::save_state(StateWriter& writer) const {
  writer.put("plant_observed", std::int64_t{has_observed_});
  writer.put("plant_last_now", last_now_);
  readiness_lag_.save(writer);
  ready_.save(writer);
  metric_age_.save(writer);
  capacity_.save(writer);
}

Result<void> PlantModel::load_state(const StateReader& reader) {
  PlantModel loaded = *this;
  MPCA_TRY(const std::int64_t has_observed, reader.integer("plant_observed"));
  MPCA_TRY(loaded.last_now_, reader.time("plant_last_now"));
  if (!internal::is_plausible(loaded.last_now_))
    return invalid("line \"plant_last_now\" of the state is no time of today");
  loaded.has_observed_ = has_observed != 0;
  MPCA_TRY_VOID(loaded.readiness_lag_.load(reader));
  MPCA_TRY_VOID(loaded.ready_.load(reader));
  MPCA_TRY_VOID(loaded.metric_age_.load(reader));
  MPCA_TRY_VOID(loaded.capacity_.load(reader));
  *this = loaded;
  return {};
}

}  // namespace mpca::plant
