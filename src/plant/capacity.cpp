#include "plant/capacity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "plant/internal/plausible.h"

namespace mpca::plant {
namespace {

using internal::Level;

constexpr double kBoundFactor = 4.0;
constexpr double kGreatestReadyUncertainty = 0.1;  // fraction

// What errors that have nothing to do with load may come to, as shares of all requests.
constexpr double kNothingFails = 0.01;
constexpr double kLittleFails = 0.05;
// In flight beyond this many times what is in service at capacity, and beyond a handful, is a backlog. Queues of one
// pod reach it near 90 % utilization, where throughput and capacity are the same within the noise.
constexpr double kBacklogFactor = 2.0;
constexpr double kBacklogHandful = 4.0;

// A queue that takes up this share of what is served grows because pods cannot serve more.
constexpr double kGrows = 0.05;
constexpr double kFarBelow = 0.86;
// Two minutes of intervals of 15 s, and what is then taken off.
constexpr int kWastedInARow = 8;
constexpr double kLowered = 0.85;

// Throughput is a bound only where it is above what was thought possible by more than noise.
constexpr double kBusyMargin = 1.05;
// Below this share of capacity the idle part of CPU shows in CPU / rate.
constexpr double kLeastLoadForCpu = 0.3;
constexpr int kCpuKnown = 5;
constexpr double kCpuDeadBand = 1.1;
// Above this share of capacity waiting shows in in flight / rate.
constexpr double kGreatestLoadForService = 0.6;
// A rate that jumps is a spike, whose queue is no service time, or a counter that began again.
constexpr double kGreatestJump = 1.6;
constexpr double kServiceMemory = 64.0;  // samples
constexpr double kServicePriorWeight = 3.0;
constexpr int kServiceKnown = 12;

// Less is no load to learn from.
constexpr double kLeastRate = 0.01;  // requests per second

constexpr double kMostCounted = 1e6;

bool is_measured(double value) { return value >= 0.0 && value <= 1e12; }

bool is_usable(const std::optional<double>& value) { return !value || is_measured(*value); }

}  // namespace

Capacity::Capacity(const CapacityPrior& prior)
    : prior_(prior),
      level_(prior.capacity_rps, prior.weight, prior.capacity_rps / kBoundFactor, prior.capacity_rps * kBoundFactor),
      cpu_per_request_(1.0, 0.0, 1e-9, 1e6),
      in_flight_sum_(prior.service_time > Duration::zero() ? to_seconds(prior.service_time) : 1.0 / prior.capacity_rps),
      rate_sum_(1.0) {}

void Capacity::observe(const LoadSample& sample) {
  if (!prior_.learn || !internal::is_plausible(sample.end) || (has_sample_ && sample.end <= last_end_)) return;
  if (!(sample.ready > 0.0 && sample.ready <= 1e9) || !is_measured(sample.served_rps) ||
      !is_usable(sample.failed_rps) || !is_usable(sample.in_flight) || !is_usable(sample.cpu_cores))
    return;
  const double failed = sample.failed_rps.value_or(0.0);
  const double failed_share = failed > 0.0 ? failed / (failed + sample.served_rps) : 0.0;
  const bool is_service_known = service_samples_ >= kServiceKnown;
  // A pod works on one request at least.
  const double in_service = sample.ready * std::max(capacity_rps() * service_time_s(), 1.0);
  // Before the service time is known, slots are not, and only failures tell a queue from a large pod.
  const bool has_backlog = sample.in_flight && *sample.in_flight > kBacklogFactor * in_service + kBacklogHandful &&
                           (is_service_known || failed_share > kNothingFails);
  const bool follows = has_sample_ && sample.end - last_end_ <= sample.length + sample.length / 2;
  is_saturated_ = has_backlog && had_backlog_ && follows;
  had_backlog_ = has_backlog;
  has_sample_ = true;
  last_end_ = sample.end;
  const double grown = sample.in_flight.value_or(0.0) - std::exchange(last_in_flight_, sample.in_flight.value_or(0.0));
  const double last_served_rps = std::exchange(last_served_rps_, sample.served_rps);
  if (sample.ready_uncertainty > kGreatestReadyUncertainty * sample.ready) return;

  const bool grows = is_saturated_ && grown > kGrows * sample.served_rps * to_seconds(sample.length);
  const double throughput_rps = sample.served_rps / sample.ready;
  learn_cpu(throughput_rps, failed_share, sample);
  if (is_saturated_) {
    learn_saturated(throughput_rps, failed_share, grows, sample);
  } else {
    learn_busy(throughput_rps, failed_share);
  }
  if (!has_backlog) learn_service_time(throughput_rps, failed_share, last_served_rps, sample);
}

void Capacity::learn_saturated(double throughput_rps, double failed_share, bool grows, const LoadSample& sample) {
  const double factor = cpu_factor();
  const bool fails = failed_share > kNothingFails;
  double worked_rps = throughput_rps;
  if (fails && sample.cpu_cores && cpu_per_request_.samples() >= kCpuKnown)
    worked_rps = *sample.cpu_cores / sample.ready / cpu_per_request_.value();
  worked_rps /= factor;
  if (worked_rps < kFarBelow * level_.value() && !fails && !grows) return;
  const Level::Taken taken = level_.add(worked_rps);
  if (taken == Level::Taken::changed) {
    forget_old_cpu(factor);
    saturated_samples_ = Level::kToAgree;
    busy_samples_ = 0;
    is_lowered_ = false;
  } else if (taken == Level::Taken::near) {
    saturated_samples_ = std::min(saturated_samples_ + 1, Level::kMostSamples);
  }
  const bool is_wasted = taken != Level::Taken::changed && taken != Level::Taken::near && failed_share > kLittleFails &&
                         worked_rps < level_.value();
  wasted_samples_ = is_wasted ? wasted_samples_ + 1 : 0;
  if (wasted_samples_ < kWastedInARow) return;
  wasted_samples_ = 0;
  if (capacity_rps() <= prior_.capacity_rps / kBoundFactor) return;
  level_.scale(kLowered);
  is_lowered_ = true;
  saturated_samples_ = busy_samples_ = 0;
}

/// What was seen is at the present CPU per request, whatever the old one was.
void Capacity::forget_old_cpu(double factor) {
  if (factor < 1.0) level_.scale(factor);
  if (cpu_per_request_.samples() >= kCpuKnown) reference_cpu_ = cpu_per_request_.value();
}

void Capacity::learn_busy(double throughput_rps, double failed_share) {
  wasted_samples_ = 0;
  if (had_backlog_ || failed_share > kNothingFails || throughput_rps <= kBusyMargin * capacity_rps()) return;
  const double factor = cpu_factor();
  const Level::Taken taken = level_.add(throughput_rps / factor);
  if (taken == Level::Taken::changed) {
    forget_old_cpu(factor);
    saturated_samples_ = 0;
    is_lowered_ = false;
  }
  if (taken == Level::Taken::changed || taken == Level::Taken::near)
    busy_samples_ = std::min(busy_samples_ + 1, Level::kMostSamples);
}

void Capacity::learn_cpu(double throughput_rps, double failed_share, const LoadSample& sample) {
  if (!sample.cpu_cores || failed_share > kLittleFails) return;
  if (throughput_rps < kLeastLoadForCpu * capacity_rps() || sample.served_rps < kLeastRate) return;
  cpu_per_request_.add(*sample.cpu_cores / sample.served_rps);
  if (reference_cpu_ <= 0.0 && cpu_per_request_.samples() >= kCpuKnown) reference_cpu_ = cpu_per_request_.value();
}

void Capacity::learn_service_time(double throughput_rps, double failed_share, double last_served_rps,
                                  const LoadSample& sample) {
  if (!sample.in_flight || failed_share > kNothingFails || sample.served_rps < kLeastRate) return;
  if (throughput_rps > kGreatestLoadForService * capacity_rps()) return;
  if (sample.served_rps > kGreatestJump * last_served_rps || last_served_rps > kGreatestJump * sample.served_rps)
    return;
  if (service_samples_ == 0) {
    in_flight_sum_ = kServicePriorWeight * sample.served_rps * service_time_s();
    rate_sum_ = kServicePriorWeight * sample.served_rps;
  }
  // Sums of both, not means of ratios: a gauge that reads 0 or 3 by chance averages out. A wild one is cut.
  const double expected = sample.served_rps * service_time_s();
  const double counted = std::min(*sample.in_flight, 3.0 * expected + 6.0 * std::sqrt(expected) + 3.0);
  const double kept = 1.0 - 1.0 / kServiceMemory;
  in_flight_sum_ = std::clamp(in_flight_sum_ * kept + counted, rate_sum_ * 1e-6, rate_sum_ * 3600.0);
  rate_sum_ = rate_sum_ * kept + sample.served_rps;
  service_samples_ = std::min(service_samples_ + 1, static_cast<int>(kServiceMemory));
}

/// At most 1.
double Capacity::cpu_factor() const {
  if (reference_cpu_ <= 0.0) return 1.0;
  const double rise = cpu_per_request_.value() / reference_cpu_;
  return rise > kCpuDeadBand ? 1.0 / rise : 1.0;
}

/// What the limit of a pod's CPU lets it serve; large when that is not known.
double Capacity::cpu_bound_rps() const {
  if (prior_.cpu_limit_cores <= 0.0 || cpu_per_request_.samples() < kCpuKnown) return prior_.capacity_rps * 1e3;
  return prior_.cpu_limit_cores / cpu_per_request_.value();
}

double Capacity::capacity_rps() const {
  return std::clamp(std::min(level_.value() * cpu_factor(), cpu_bound_rps()), prior_.capacity_rps / kBoundFactor,
                    prior_.capacity_rps * kBoundFactor);
}

Duration Capacity::service_time() const { return from_seconds(std::clamp(service_time_s(), 1e-6, 3600.0)); }

Figure Capacity::capacity_figure() const {
  const double value = capacity_rps();
  const double factor = cpu_factor();
  const double seen = saturated_samples_ > 0 ? saturated_samples_ : 0.5 * busy_samples_;
  Figure figure{.value = value, .confidence = seen / (seen + std::max(prior_.weight, 1.0)), .source = "configured"};
  // Nine in ten priors are right within a factor of two; a bound from below says little about above.
  double below = 2.0;
  double above = 2.0;
  if (saturated_samples_ >= Level::kToAgree) {
    below = above = 1.02 + 2.0 * level_.spread() / std::sqrt(static_cast<double>(saturated_samples_));
    figure.source = "saturated";
  } else if (busy_samples_ > 0) {
    below = 1.1;
    figure.source = "throughput";
  } else if (is_lowered_) {
    figure.source = "overload";
  }
  if (factor < 1.0) {
    figure.source = "CPU per request";
    figure.confidence *= 0.7;
    above *= 1.0 / factor;  // where CPU is not what is short, nothing has changed
    below *= kCpuDeadBand;
  }
  if (cpu_bound_rps() <= value * (1.0 + 1e-9)) {
    figure.source = "CPU limit";
    above = std::min(above, kCpuDeadBand);
  }
  figure.low = std::max(value / below, std::min(value, prior_.capacity_rps / kBoundFactor));
  figure.high = std::min(value * above, std::max(value, prior_.capacity_rps * kBoundFactor));
  return figure;
}

Figure Capacity::service_time_figure() const {
  const double value = to_seconds(service_time());
  const double seen = service_samples_;
  if (service_samples_ == 0) return {value, value / 4.0, value * 4.0, 0.0, "configured"};
  // Numbers in flight vary like Poisson ones; the sums hold `memory` of them.
  const double counted = std::clamp(in_flight_sum_, 0.1, kMostCounted);
  const double factor = std::exp(std::min(1.645 / std::sqrt(counted), 1.4));
  return {value, value / factor, value * factor, seen / (seen + kServiceKnown), "in flight / rate"};
}

void Capacity::save(StateWriter& writer) const {
  writer.put("capacity_last_end", last_end_);
  writer.put("capacity_counts",
             std::array{double(has_sample_), double(had_backlog_), double(is_saturated_), double(saturated_samples_),
                        double(busy_samples_), double(wasted_samples_), double(is_lowered_), double(service_samples_)});
  writer.put("capacity_sums", std::array{last_in_flight_, last_served_rps_, reference_cpu_, in_flight_sum_, rate_sum_});
  level_.save(writer, "capacity_level");
  cpu_per_request_.save(writer, "cpu_per_request");
}

Result<void> Capacity::load(const StateReader& reader) {
  Capacity loaded(prior_);
  MPCA_TRY(loaded.last_end_, reader.time("capacity_last_end"));
  MPCA_TRY(const std::vector<double> counts, reader.numbers("capacity_counts"));
  MPCA_TRY(const std::vector<double> sums, reader.numbers("capacity_sums"));
  MPCA_TRY_VOID(loaded.level_.load(reader, "capacity_level"));
  MPCA_TRY_VOID(loaded.cpu_per_request_.load(reader, "cpu_per_request"));
  const bool is_possible =
      counts.size() == 8 && sums.size() == 5 && internal::is_plausible(loaded.last_end_) &&
      std::all_of(counts.begin(), counts.end(), [](double n) { return n >= 0.0 && n <= kServiceMemory; }) &&
      std::all_of(sums.begin(), sums.end(), [](double sum) { return sum >= 0.0 && sum <= 1e18; }) && sums[4] > 0.0 &&
      sums[3] >= sums[4] * 1e-7;
  if (!is_possible) return invalid("the state of the capacity has a value out of range");
  loaded.has_sample_ = counts[0] != 0.0;
  loaded.had_backlog_ = counts[1] != 0.0;
  loaded.is_saturated_ = counts[2] != 0.0;
  loaded.saturated_samples_ = static_cast<int>(counts[3]);
  loaded.busy_samples_ = static_cast<int>(counts[4]);
  loaded.wasted_samples_ = static_cast<int>(counts[5]);
  loaded.is_lowered_ = counts[6] != 0.0;
  loaded.service_samples_ = static_cast<int>(counts[7]);
  loaded.last_in_flight_ = sums[0];
  loaded.last_served_rps_ = sums[1];
  loaded.reference_cpu_ = sums[2];
  loaded.in_flight_sum_ = sums[3];
  loaded.rate_sum_ = sums[4];
  *this = loaded;
  return {};
}

}  // namespace mpca::plant
