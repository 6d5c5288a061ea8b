#include "plant/metric_age.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "plant/internal/plausible.h"

namespace mpca::plant {
namespace {

constexpr Duration kClocksDiffer = std::chrono::seconds(-1);
constexpr Duration kGreatestAge = std::chrono::minutes(10);
// The age of one sample, taken at two instants, differs by rounding.
constexpr Duration kSameSample = std::chrono::milliseconds(200);

template <std::size_t N>
void push(std::array<float, N>& ring, int& count, float value) {
  if (count == static_cast<int>(N)) {
    std::shift_left(ring.begin(), ring.end(), 1);
    --count;
  }
  ring[static_cast<std::size_t>(count++)] = value;
}

/// Linear between order statistics; `values` ascend, at least one.
double quantile_of(std::span<const float> values, double level) {
  const double position = std::clamp(level, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(position);
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (double{values[high]} - values[low]) * (position - static_cast<double>(low));
}

}  // namespace

MetricAge::MetricAge(const MetricAgePrior& prior) : prior_(prior) {}

void MetricAge::observe(TimePoint now, Duration age) {
  if (!prior_.learn || !internal::is_plausible(now) || age < kClocksDiffer || age > kGreatestAge) return;
  if (has_observed_ && now <= last_now_) return;
  const Duration real_age = std::max(age, Duration::zero());
  const TimePoint sampled = now - real_age;
  last_now_ = now;
  if (has_observed_) {
    const Duration distance = sampled - newest_sample_;
    if (distance < -kSameSample) return;
    if (distance > kSameSample && distance <= kGreatestAge)
      push(intervals_s_, interval_count_, static_cast<float>(to_seconds(distance)));
  }
  // A sample seen again stays where it was: rounding must not add up.
  if (!has_observed_ || sampled > newest_sample_ + kSameSample) newest_sample_ = sampled;
  has_observed_ = true;
  push(ages_s_, age_count_, static_cast<float>(to_seconds(real_age)));
  sort_ages();
}

void MetricAge::sort_ages() {
  sorted_ages_s_ = ages_s_;
  std::sort(sorted_ages_s_.begin(), sorted_ages_s_.begin() + age_count_);
}

Duration MetricAge::mean() const {
  if (age_count_ == 0) return prior_.age;
  const auto ages = std::span(sorted_ages_s_).first(static_cast<std::size_t>(age_count_));
  const double greatest = 4.0 * quantile_of(ages, 0.5) + 2.0;
  double weight = prior_.weight * std::max(1.0 - age_count_ / 16.0, 0.0);  // for the beginning only
  double sum = weight * to_seconds(prior_.age);
  for (const float age_s : ages) {
    sum += std::min(double{age_s}, greatest);
    weight += 1.0;
  }
  return from_seconds(sum / weight);
}

Duration MetricAge::quantile(double level) const {
  if (age_count_ == 0) {
    // Between a delay and a delay + an interval, evenly.
    const double interval_s = to_seconds(sample_interval());
    return from_seconds(std::max(to_seconds(prior_.age) + (std::clamp(level, 0.0, 1.0) - 0.5) * interval_s, 0.0));
  }
  return from_seconds(quantile_of(std::span(sorted_ages_s_).first(static_cast<std::size_t>(age_count_)), level));
}

Duration MetricAge::sample_interval() const {
  if (interval_count_ < 3) return prior_.interval;
  std::array<float, kMostIntervals> sorted = intervals_s_;
  const auto middle = sorted.begin() + interval_count_ / 2;
  std::nth_element(sorted.begin(), middle, sorted.begin() + interval_count_);
  return from_seconds(double{*middle});
}

Figure MetricAge::mean_figure() const {
  const double value = to_seconds(mean());
  const double apart = 0.5 * (to_seconds(quantile(0.95)) - to_seconds(quantile(0.05))) / std::sqrt(age_count_ + 1.0);
  return {value, std::max(value - apart, 0.0), value + apart, confidence(age_count_),
          age_count_ == 0 ? "configured" : "age of signals"};
}

Figure MetricAge::quantile_figure(double level) const {
  const double value = to_seconds(quantile(level));
  return {value, std::min(value, to_seconds(quantile(level - 0.1))), std::max(value, to_seconds(quantile(level + 0.1))),
          confidence(age_count_), age_count_ == 0 ? "configured" : "age of signals"};
}

Figure MetricAge::sample_interval_figure() const {
  const double value = to_seconds(sample_interval());
  if (interval_count_ < 3) return {value, 0.5 * value, 2.0 * value, 0.0, "configured"};
  std::array<float, kMostIntervals> sorted = intervals_s_;
  const auto seen = std::span(sorted).first(static_cast<std::size_t>(interval_count_));
  std::sort(seen.begin(), seen.end());
  return {value, quantile_of(seen, 0.25), quantile_of(seen, 0.75), confidence(interval_count_), "fresh samples"};
}

void MetricAge::save(StateWriter& writer) const {
  writer.put("age_observed", std::int64_t{has_observed_});
  writer.put("age_last_now", last_now_);
  writer.put("age_newest_sample", newest_sample_);
  writer.put("age_ages", std::vector<double>(ages_s_.begin(), ages_s_.begin() + age_count_));
  writer.put("age_intervals", std::vector<double>(intervals_s_.begin(), intervals_s_.begin() + interval_count_));
}

Result<void> MetricAge::load(const StateReader& reader) {
  MetricAge loaded(prior_);
  MPCA_TRY(const std::int64_t has_observed, reader.integer("age_observed"));
  MPCA_TRY(loaded.last_now_, reader.time("age_last_now"));
  MPCA_TRY(loaded.newest_sample_, reader.time("age_newest_sample"));
  MPCA_TRY(const std::vector<double> ages, reader.numbers("age_ages"));
  MPCA_TRY(const std::vector<double> intervals, reader.numbers("age_intervals"));
  const auto is_possible = [](double seconds) { return seconds >= 0.0 && seconds <= to_seconds(kGreatestAge); };
  if (ages.size() > kMostAges || intervals.size() > kMostIntervals || !internal::is_plausible(loaded.last_now_) ||
      !internal::is_plausible(loaded.newest_sample_) || !std::all_of(ages.begin(), ages.end(), is_possible) ||
      !std::all_of(intervals.begin(), intervals.end(), is_possible))
    return invalid("the state of the metric age has a value out of range");
  loaded.has_observed_ = has_observed != 0;
  for (const double age : ages) push(loaded.ages_s_, loaded.age_count_, static_cast<float>(age));
  for (const double interval : intervals)
    push(loaded.intervals_s_, loaded.interval_count_, static_cast<float>(interval));
  loaded.sort_ages();
  *this = loaded;
  return {};
}

}  // namespace mpca::plant
