#include "plant/readiness_lag.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/text.h"
#include "plant/internal/normal.h"
#include "plant/internal/plausible.h"

namespace mpca::plant {
namespace {

using internal::is_plausible;
using internal::Moments;
using internal::moments_within;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The grid: 48 bins of 0.2 standard deviations. What lies outside is in the outermost bins.
constexpr double kBinWidth = 0.2;
constexpr double kGridEnd = 4.8;

/// The standard normal distribution's share of each bin, the tails in the outermost ones. By its power series, so that
/// the table is made by the compiler: P(0 < Z < z) = density(0) (z - z^3 / (2 3) + z^5 / (2^2 2! 5) - ...).
constexpr std::array<double, 48> normal_bins() {
  const auto share_below = [](double z) {
    double power = z;
    double sum = 0.0;
    for (int k = 0; k < 120; ++k) {
      sum += power / (2 * k + 1);
      power *= -0.5 * z * z / (k + 1);
    }
    return 0.5 + sum * 0.398942280401432678;
  };
  std::array<double, 48> bins{};
  double below = 0.0;
  for (std::size_t b = 0; b < bins.size(); ++b) {
    const double share = b + 1 < bins.size() ? share_below(static_cast<double>(b + 1) * kBinWidth - kGridEnd) : 1.0;
    bins[b] = share - below;
    below = share;
  }
  return bins;
}
constexpr std::array<double, 48> kLognormalBins = normal_bins();

// The fitted lognormal's part of the answer, in pods. More makes lags of one kind a little more exact, less shows two
// kinds of pods sooner.
constexpr double kLognormalWeight = 6.0;

// The prior's weight halves with every so many pods seen: it is for the beginning. One that stayed would keep a
// workload of 120 s ten per cent below its lag for ever.
constexpr double kPriorHalving = 8.0;

// Page's sums: a lag of one standard deviation more than expected is the change to be found (half of it is the
// reference value, and a quarter more since the expectation is itself estimated). The alarm is set so that pods whose
// lag does not change give one in several thousand pods, and one in 800 where it varies by 80 %
// (tests/plant/readiness_lag_test.cpp).
constexpr double kReference = 0.75;
constexpr double kAlarm = 6.0;
constexpr double kGreatestSurprise = 3.0;
// Pods of one look have much in common, such as a node or an image: they count as two at most.
constexpr int kMostOfOneLook = 2;
// The expectation follows the fit, an eighth per look at which something became Ready, while neither sum is above this.
constexpr double kDoubt = 1.5;
constexpr double kExpectationGain = 0.125;
// Older than 95 % of pods: told to the sums before it is Ready, if ever.
constexpr double kOverdue = 1.645;

// Stuck: twice as old as any pod was when it became Ready, and as this.
constexpr Duration kStuck = std::chrono::minutes(10);

// Listings are a little late, and clocks differ. A pod that is seen first and is older than the last look by more than
// this was Ready before.
constexpr Duration kListingSlack = std::chrono::seconds(30);
// The upstream HPA's rule (pkg/controller/podautoscaler/replica_calculator.go, delay of initial readiness status): a
// condition that changed later than this after the start has been Ready before.
constexpr Duration kInitialReadiness = std::chrono::seconds(30);
// Of a pod that was Ready before the first look: longer, and it is a node's or the pod's second life.
constexpr Duration kGreatestPastLag = std::chrono::minutes(10);
// Times of the API server are whole seconds.
constexpr Duration kTimeGrain = std::chrono::milliseconds(500);
constexpr Duration kSameStart = std::chrono::milliseconds(1500);

constexpr double kLeastScale = 0.05;
constexpr double kGreatestScale = 2.0;

const double kGreatestLog = std::log(to_seconds(ReadinessLag::kGreatest));

/// -inf below the least lag, which is all that is said of shorter ones.
double log_seconds(Duration age) { return age < ReadinessLag::kLeast ? -kInfinity : std::log(to_seconds(age)); }

// So that their sums are numbers.
constexpr int kMostPods = 1'000'000'000;

// Whatever is older says no more, and sums with it do not overflow.
constexpr Duration kVeryOld = 2 * ReadinessLag::kGreatest;
Duration as_age(Duration age) { return std::clamp(age, Duration::zero(), kVeryOld); }

}  // namespace

ReadinessLag::ReadinessLag(const ReadinessLagPrior& prior) : prior_(prior) {
  const double variance = std::log1p(prior.spread * prior.spread);
  base_scale_ = std::clamp(std::sqrt(variance), kLeastScale, kGreatestScale);
  base_location_ = std::clamp(std::log(std::max(to_seconds(prior.mean), 1.0)) - 0.5 * variance, 0.0, kGreatestLog);
  base_weight_ = std::max(prior.weight, 0.0);
  location_ = expected_location_ = base_location_;
  scale_ = expected_scale_ = base_scale_;
  build({});
}

void ReadinessLag::observe_counts(TimePoint now, int spec_replicas, int ready_replicas,
                                  std::span<const Duration> starting_ages) {
  if (!begin_look(now, false)) return;
  const int spec = std::clamp(spec_replicas, 0, kMostPods);
  const int total = std::clamp(ready_replicas, 0, kMostPods) + static_cast<int>(starting_ages.size());
  const bool is_first = !has_looked_;
  const TimePoint before = last_look_;
  const std::array<Start, kMostStarting> seen_before = starts_;
  const int seen_count = std::exchange(starting_count_, 0);
  const int not_followed = std::exchange(not_followed_, 0);
  std::array<Start, kMostStarting> gone;
  int gone_count = 0;
  int new_count = 0;

  int i = 0;
  for (const Duration age : starting_ages) {
    const TimePoint asked = now - as_age(age);
    while (i < seen_count && seen_before[static_cast<std::size_t>(i)].asked < asked - kSameStart)
      gone[static_cast<std::size_t>(gone_count++)] = seen_before[static_cast<std::size_t>(i++)];
    if (i < seen_count && seen_before[static_cast<std::size_t>(i)].asked <= asked + kSameStart) {
      follow(seen_before[static_cast<std::size_t>(i++)]);
    } else if (is_first || asked >= before - kListingSlack) {
      ++new_count;
      follow({.id = 0, .asked = asked});
    }
  }
  while (i < seen_count) gone[static_cast<std::size_t>(gone_count++)] = seen_before[static_cast<std::size_t>(i++)];

  if (!is_first) {
    const int removed = last_total_ + new_count - total;
    const int cancelled = std::clamp(removed - std::max(not_followed - not_followed_, 0), 0, gone_count);
    for (int k = 0; k < gone_count; ++k) {
      const Start& start = gone[static_cast<std::size_t>(k)];
      const Duration last_age = as_age(before - start.asked);
      if (k >= gone_count - cancelled) {
        add_censored(last_age);
      } else {
        add_sample(last_age, now - start.asked, start.is_overdue ? nullptr : &surprise_);
      }
    }
    // A spec that did not rise asked for nothing: pods that come back after an outage of the API are no starts.
    const int at_once = std::min({-removed, spec - last_spec_ - new_count, kMostSamples / 4});
    for (int k = 0; k < at_once; ++k) add_sample(Duration::zero(), now - before, &surprise_);
  }
  last_spec_ = spec;
  last_total_ = total;
  end_look(now);
}

void ReadinessLag::observe_pods(TimePoint now, std::span<const PodSight> pods) {
  if (!begin_look(now, true)) return;
  const bool is_first = !has_looked_;
  const TimePoint before = last_look_;
  const std::array<Start, kMostStarting> seen_before = starts_;
  const int seen_count = std::exchange(starting_count_, 0);
  not_followed_ = 0;
  const auto exact = [this](Duration lag, Surprise* surprise) {
    add_sample(lag - kTimeGrain, lag + kTimeGrain, surprise);
  };

  int i = 0;
  const auto cancel_before = [&](std::int64_t id) {
    for (; i < seen_count && seen_before[static_cast<std::size_t>(i)].id < id; ++i)
      add_censored(before - seen_before[static_cast<std::size_t>(i)].asked);
  };
  std::size_t past_to_skip = pods.size() > kMostSamples / 2 ? pods.size() - kMostSamples / 2 : 0;
  for (const PodSight& pod : pods) {
    if (!is_plausible(pod.asked) || !is_plausible(pod.ready_changed)) continue;
    const Duration lag = pod.ready_changed - pod.asked;
    cancel_before(pod.id);
    if (i < seen_count && seen_before[static_cast<std::size_t>(i)].id == pod.id) {
      const Start& start = seen_before[static_cast<std::size_t>(i++)];
      const Duration last_age = as_age(before - start.asked);
      Surprise* const surprise = start.is_overdue ? nullptr : &surprise_;
      if (pod.is_terminating) {
        add_censored(last_age);
      } else if (!pod.is_ready) {
        follow(start);
      } else if (lag >= last_age - kSameStart && pod.ready_changed <= now + kSameStart) {
        exact(lag, surprise);
      } else {
        add_sample(last_age, now - start.asked, surprise);
      }
    } else if (pod.id > newest_id_ || is_first) {
      if (pod.is_terminating) {
      } else if (!pod.is_ready) {
        if (lag <= kInitialReadiness && pod.asked <= now + kListingSlack)
          follow({.id = pod.id, .asked = std::min(pod.asked, now)});
      } else if (!is_first) {
        if (lag >= Duration::zero() && pod.ready_changed <= now + kSameStart) exact(lag, &surprise_);
      } else if (past_to_skip > 0) {
        --past_to_skip;
      } else if (lag >= kLeast && lag <= kGreatestPastLag) {
        exact(lag, nullptr);
      }
    }
    newest_id_ = std::max(newest_id_, pod.id);
  }
  cancel_before(std::numeric_limits<std::int64_t>::max());
  end_look(now);
}

bool ReadinessLag::begin_look(TimePoint now, bool has_ids) {
  if (!prior_.learn || !is_plausible(now) || (has_looked_ && now <= last_look_)) return false;
  if (has_looked_ && has_ids != has_ids_) {
    // Who is who cannot be told across the two.
    starting_count_ = 0;
    has_looked_ = false;
  }
  has_ids_ = has_ids;
  surprise_ = {};
  return true;
}

void ReadinessLag::end_look(TimePoint now) {
  has_looked_ = true;
  last_look_ = now;
  look_for_overdue(now);
  look_for_change();
  if (starting_count_ > 0) is_settled_ = false;
  if (is_settled_) return;
  const DistinctSamples samples = distinct_samples();
  fit_once(samples.view());
  build(samples.view());
  if (surprise_.count > 0) expect();
}

void ReadinessLag::expect() {
  if (sample_count_ >= kSettled && std::max(slower_, faster_) > kDoubt) return;
  const double gain = sample_count_ < kSettled ? 1.0 : kExpectationGain;
  expected_location_ += gain * (location_ - expected_location_);
  expected_scale_ += gain * (scale_ - expected_scale_);
}

double ReadinessLag::base_weight_left(double samples) const { return base_weight_ / (1.0 + samples / kPriorHalving); }

void ReadinessLag::add_sample(Duration low, Duration high, Surprise* surprise) {
  const Sample sample{static_cast<float>(log_seconds(low)),
                      static_cast<float>(std::clamp(log_seconds(std::max(high, kLeast)), 0.0, kGreatestLog))};
  if (low > kGreatest || sample.low > sample.high) return;
  if (surprise != nullptr) {
    const double z = moments_within((sample.low - expected_location_) / expected_scale_,
                                    (static_cast<double>(sample.high) - expected_location_) / expected_scale_)
                         .mean;
    surprise->sum += std::clamp(z, -kGreatestSurprise, kGreatestSurprise);
    ++surprise->count;
  }
  push(sample);
}

void ReadinessLag::add_censored(Duration age) {
  // Younger than hardly any pod becomes Ready: it says nothing, and would only push out one that does.
  if (age < kLeast || age > kGreatest || share_by(age) < 0.01) return;
  push({static_cast<float>(log_seconds(age)), static_cast<float>(kInfinity)});
}

void ReadinessLag::push(Sample sample) {
  if (sample_count_ == kMostSamples) {
    std::shift_left(samples_.begin(), samples_.end(), 1);
    --sample_count_;
  }
  samples_[static_cast<std::size_t>(sample_count_++)] = sample;
  since_change_ = std::min(since_change_ + 1, kSettled);
  if (slower_ > 0.0) since_slower_ = std::min(since_slower_ + 1, kMostSamples);
  if (faster_ > 0.0) since_faster_ = std::min(since_faster_ + 1, kMostSamples);
  is_settled_ = false;
}

void ReadinessLag::follow(Start start) {
  if (starting_count_ == kMostStarting && is_probably_stuck(starts_[0])) {
    // It must not keep new ones out.
    add_censored(last_look_ - starts_[0].asked);
    std::shift_left(starts_.begin(), starts_.end(), 1);
    --starting_count_;
  }
  if (starting_count_ == kMostStarting) {
    ++not_followed_;
  } else {
    starts_[static_cast<std::size_t>(starting_count_++)] = start;
  }
}

/// In the sample; kLeast when there is none.
double ReadinessLag::longest_log_s() const {
  double longest = 0.0;
  for (const Sample& sample : std::span(samples_).first(static_cast<std::size_t>(sample_count_))) {
    if (!std::isinf(sample.high)) longest = std::max(longest, double{sample.high});
  }
  return longest;
}

bool ReadinessLag::is_probably_stuck(const Start& start) const {
  const double least = log_seconds(std::max(kStuck, 4 * prior_.mean));
  return log_seconds(last_look_ - start.asked) > std::max(longest_log_s() + std::log(2.0), least);
}

void ReadinessLag::look_for_overdue(TimePoint now) {
  const double overdue_log_s = expected_location_ + kOverdue * expected_scale_;
  for (Start& start : std::span(starts_).first(static_cast<std::size_t>(starting_count_))) {
    const double log_s = log_seconds(now - start.asked);
    if (start.is_overdue || log_s < overdue_log_s) continue;
    start.is_overdue = true;
    surprise_.sum +=
        std::min(moments_within((log_s - expected_location_) / expected_scale_, kInfinity).mean, kGreatestSurprise);
    ++surprise_.count;
  }
}

void ReadinessLag::look_for_change() {
  if (surprise_.count == 0) return;
  const double z = surprise_.sum / surprise_.count;
  const double counted = std::min(surprise_.count, kMostOfOneLook);
  const auto move = [&](double& sum, int& since, double surprise) {
    const bool was_zero = sum <= 0.0;
    sum = std::max(0.0, sum + counted * (surprise - kReference));
    if (sum <= 0.0) {
      since = 0;
    } else if (was_zero) {
      since = std::min(surprise_.count, sample_count_);
    }
  };
  move(slower_, since_slower_, z);
  move(faster_, since_faster_, -z);
  if (std::max(slower_, faster_) < kAlarm) return;

  const bool is_faster = faster_ >= slower_;
  const int kept = std::min(is_faster ? since_faster_ : since_slower_, sample_count_);
  std::shift_left(samples_.begin(), samples_.begin() + sample_count_, sample_count_ - kept);
  sample_count_ = kept;
  if (is_faster && kept > 0) {
    // What still starts is of before the change.
    const double longest = longest_log_s() + std::log(2.0);
    const auto end = starts_.begin() + starting_count_;
    starting_count_ = static_cast<int>(
        std::remove_if(starts_.begin(), end,
                       [&](const Start& start) { return log_seconds(last_look_ - start.asked) > longest; }) -
        starts_.begin());
  }
  // What was learned before is now the prior, and a weak one.
  base_location_ = location_;
  base_scale_ = std::max(scale_, 0.3);
  base_weight_ = std::min(base_weight_, 1.0);
  slower_ = faster_ = 0.0;
  since_slower_ = since_faster_ = 0;
  since_change_ = 0;
  is_settled_ = false;
}

ReadinessLag::DistinctSamples ReadinessLag::distinct_samples() const {
  DistinctSamples distinct;
  std::array<std::uint8_t, 256> slots{};  // index + 1; at most 96 of 256 are in use
  const auto add = [&](double low, double high) {
    const std::uint64_t mixed = std::bit_cast<std::uint64_t>(low) * 0x9e3779b97f4a7c15U ^
                                std::bit_cast<std::uint64_t>(high) * 0xc2b2ae3d27d4eb4fU;
    for (std::size_t slot = mixed >> 56U;; slot = (slot + 1) % slots.size()) {
      if (slots[slot] == 0) {
        distinct.all[distinct.size++] = {low, high, 1.0};
        slots[slot] = static_cast<std::uint8_t>(distinct.size);
        return;
      }
      Distinct& known = distinct.all[slots[slot] - 1U];
      if (known.low != low || known.high != high) continue;
      known.count += 1.0;
      return;
    }
  };
  for (const Sample& sample : std::span(samples_).first(static_cast<std::size_t>(sample_count_)))
    add(sample.low, sample.high);
  for (const Start& start : std::span(starts_).first(static_cast<std::size_t>(starting_count_)))
    add(std::min(log_seconds(last_look_ - start.asked), kGreatestLog), kInfinity);
  return distinct;
}

void ReadinessLag::fit_once(std::span<const Distinct> all) {
  double samples = 0.0;
  double sum = 0.0;  // of z, in units of the present fit
  double square = 0.0;
  for (const Distinct& sample : all) {
    const Moments within = moments_within((sample.low - location_) / scale_, (sample.high - location_) / scale_);
    samples += sample.count;
    sum += sample.count * within.mean;
    square += sample.count * within.square;
  }
  const double base = base_weight_left(effective_samples_);
  if (samples + base <= 0.0) return;

  const double shift = (sum + base * (base_location_ - location_) / scale_) / (samples + base);
  const double deviation = std::max(square - 2.0 * shift * sum + samples * shift * shift, 0.0);
  const double base_ratio = base_scale_ / scale_;
  const double variance = (deviation + base * base_ratio * base_ratio) / (samples + base);
  const double location = std::clamp(location_ + scale_ * shift, 0.0, kGreatestLog);
  const double scale = std::clamp(scale_ * std::sqrt(variance), kLeastScale, kGreatestScale);
  is_settled_ = std::abs(location - location_) < 1e-5 && std::abs(scale - scale_) < 1e-5;
  location_ = location;
  scale_ = scale;
}

void ReadinessLag::build(std::span<const Distinct> samples) {
  using Bins = std::array<double, kBins>;
  const auto bin_of = [this](double log_s) { return std::clamp(position_of(log_s), 0.0, double{kBins}); };

  Bins ready;  // became Ready within the bin
  Bins censored{};
  Bins at_risk_within{};  // what was seen for half of a bin was half at risk in it
  for (std::size_t b = 0; b < kBins; ++b)
    ready[b] = std::max(kLognormalWeight, base_weight_left(sample_count_)) * kLognormalBins[b];
  double ready_samples = 0.0;
  for (const Distinct& sample : samples) {
    const double low = bin_of(sample.low);
    const std::size_t first = std::min(static_cast<std::size_t>(low), std::size_t{kBins - 1});
    if (std::isinf(sample.high)) {
      censored[first] += sample.count;
      at_risk_within[first] += sample.count * (low - static_cast<double>(first));
      continue;
    }
    ready_samples += sample.count;
    // Within the interval as the lognormal says.
    const double high = bin_of(sample.high);
    const std::size_t last = std::clamp(static_cast<std::size_t>(high), first, std::size_t{kBins - 1});
    const auto part = [&](std::size_t b) {
      const auto left = static_cast<double>(b);
      return kLognormalBins[b] * std::clamp(std::min(high, left + 1.0) - std::max(low, left), 0.0, 1.0);
    };
    double share = 0.0;
    for (std::size_t b = first; b <= last; ++b) share += part(b);
    if (share <= 1e-12) {
      ready[first] += sample.count;
      continue;
    }
    for (std::size_t b = first; b <= last; ++b) ready[b] += sample.count * part(b) / share;
  }

  double beyond = 0.0;  // ready or censored in later bins
  Bins at_risk;
  for (std::size_t b = kBins; b-- > 0;) {
    at_risk[b] = beyond + ready[b] + at_risk_within[b];
    beyond += ready[b] + censored[b];
  }
  double starting = 1.0;
  for (std::size_t b = 0; b < kBins; ++b) {
    cumulative_[b] = static_cast<float>(1.0 - starting);
    if (at_risk[b] > 0.0) starting *= std::clamp(1.0 - ready[b] / at_risk[b], 0.0, 1.0);
  }
  cumulative_[kBins] = 1.0F;

  effective_samples_ = ready_samples;
  for (const Distinct& sample : samples) {
    if (std::isinf(sample.high)) effective_samples_ += sample.count * share_by_position(position_of(sample.low));
  }
  // The middles of bins are a geometric sequence.
  const double ratio = std::exp(scale_ * kBinWidth);
  double middle_s = std::exp(location_ + scale_ * (0.5 * kBinWidth - kGridEnd));
  double sum = 0.0;
  double square = 0.0;
  for (std::size_t b = 0; b < kBins; ++b, middle_s *= ratio) {
    const double bounded_s = std::clamp(middle_s, to_seconds(kLeast), to_seconds(kGreatest));
    const double mass = cumulative_[b + 1] - cumulative_[b];
    sum += mass * bounded_s;
    square += mass * bounded_s * bounded_s;
  }
  mean_s_ = sum;
  spread_ = std::sqrt(std::max(square - sum * sum, 0.0)) / sum;
}

/// In bins, not clamped.
double ReadinessLag::position_of(double log_s) const { return ((log_s - location_) / scale_ + kGridEnd) / kBinWidth; }

double ReadinessLag::share_by_position(double position) const {
  const double bounded = std::clamp(position, 0.0, double{kBins});
  const std::size_t bin = std::min(static_cast<std::size_t>(bounded), std::size_t{kBins - 1});
  const double low = cumulative_[bin];
  return low + (cumulative_[bin + 1] - low) * (bounded - static_cast<double>(bin));
}

double ReadinessLag::share_by(Duration age) const { return share_by_position(position_of(log_seconds(age))); }

Duration ReadinessLag::quantile(double level) const {
  const double wanted = std::clamp(level, 0.001, 0.999);
  std::size_t bin = 0;
  while (bin + 1 < kBins && cumulative_[bin + 1] < wanted) ++bin;
  const double low = cumulative_[bin];
  const double mass = cumulative_[bin + 1] - low;
  const double within = mass > 0.0 ? std::clamp((wanted - low) / mass, 0.0, 1.0) : 0.0;
  const double z = (static_cast<double>(bin) + within) * kBinWidth - kGridEnd;
  return from_seconds(std::exp(std::clamp(location_ + scale_ * z, 0.0, kGreatestLog)));
}

double ReadinessLag::ready_share(Duration age, Duration ahead) const {
  const double by_now = share_by(as_age(age));
  const double left = 1.0 - by_now;
  if (left < 1e-3) return 0.0;
  const Duration later = as_age(age) + as_age(ahead);
  return std::clamp((share_by(later) - by_now) / left, 0.0, 1.0);
}

double ReadinessLag::confidence() const {
  return effective_samples_ / (effective_samples_ + std::max(1.0, prior_.weight));
}

bool ReadinessLag::is_drifting() const { return since_change_ < kSettled; }

Figure ReadinessLag::mean_figure() const {
  const double value = mean_s_;
  const double samples = effective_samples_ + base_weight_left(effective_samples_) + 1.0;
  const double factor = std::exp(1.645 * spread_ / std::sqrt(samples));
  return {value, value / factor, value * factor, confidence(),
          effective_samples_ < 0.5 ? "configured"
          : has_ids_               ? "single pods"
                                   : "starting pods"};
}

Figure ReadinessLag::quantile_figure(double level) const {
  const double wanted = std::clamp(level, 0.01, 0.99);
  const double samples = effective_samples_ + base_weight_left(effective_samples_) + 1.0;
  const double apart = 1.645 * std::sqrt(wanted * (1.0 - wanted) / samples);
  Figure figure = mean_figure();
  figure.value = to_seconds(quantile(wanted));
  figure.low = to_seconds(quantile(wanted - apart));
  figure.high = to_seconds(quantile(wanted + apart));
  return figure;
}

void ReadinessLag::save(StateWriter& writer) const {
  writer.put("lag_fit", std::array{base_location_, base_scale_, base_weight_, location_, scale_, expected_location_,
                                   expected_scale_});
  writer.put("lag_change", std::array{slower_, faster_, double(since_slower_), double(since_faster_),
                                      double(since_change_), double(is_settled_)});
  writer.put("lag_look", std::array{double(has_looked_), double(has_ids_), double(last_spec_), double(last_total_),
                                    double(not_followed_)});
  writer.put("lag_last_look", last_look_);
  writer.put("lag_newest_id", newest_id_);
  std::vector<double> numbers;
  for (const Sample& sample : std::span(samples_).first(static_cast<std::size_t>(sample_count_))) {
    numbers.push_back(sample.low);
    numbers.push_back(sample.high);
  }
  writer.put("lag_samples", numbers);
  writer.put("lag_starting", std::int64_t{starting_count_});
  for (int k = 0; k < starting_count_; ++k) {
    const Start& start = starts_[static_cast<std::size_t>(k)];
    writer.put(cat("lag_start_id_", k), start.id);
    writer.put(cat("lag_start_asked_", k), start.asked);
    writer.put(cat("lag_start_overdue_", k), std::int64_t{start.is_overdue});
  }
}

Result<void> ReadinessLag::load(const StateReader& reader) {
  MPCA_TRY(const std::vector<double> fit, reader.numbers("lag_fit"));
  MPCA_TRY(const std::vector<double> change, reader.numbers("lag_change"));
  MPCA_TRY(const std::vector<double> look, reader.numbers("lag_look"));
  MPCA_TRY(const std::vector<double> samples, reader.numbers("lag_samples"));
  MPCA_TRY(const std::int64_t starting, reader.integer("lag_starting"));
  if (fit.size() != 7 || change.size() != 6 || look.size() != 5 || samples.size() % 2 != 0 ||
      samples.size() > 2 * std::size_t{kMostSamples} || starting < 0 || starting > kMostStarting)
    return invalid("the state of the readiness lag has a wrong number of values");
  const auto within = [](double value, double low, double high) { return value >= low && value <= high; };
  bool is_possible = within(fit[0], 0.0, kGreatestLog) && within(fit[1], kLeastScale, kGreatestScale) &&
                     within(fit[2], 0.0, 1e9) && within(fit[3], 0.0, kGreatestLog) &&
                     within(fit[4], kLeastScale, kGreatestScale) && within(fit[5], 0.0, kGreatestLog) &&
                     within(fit[6], kLeastScale, kGreatestScale) && within(change[4], 0.0, kSettled) &&
                     within(change[0], 0.0, kAlarm) && within(change[1], 0.0, kAlarm) &&
                     within(change[2], 0.0, kMostSamples) && within(change[3], 0.0, kMostSamples);
  for (std::size_t k = 2; k < 5; ++k) is_possible = is_possible && within(look[k], 0.0, 2.0 * kMostPods);
  for (std::size_t k = 0; k + 1 < samples.size(); k += 2) {
    is_possible = is_possible && samples[k] <= samples[k + 1] && samples[k + 1] >= 0.0 &&
                  (samples[k] == -kInfinity || within(samples[k], 0.0, kGreatestLog + 0.1));
  }
  if (!is_possible) return invalid("the state of the readiness lag has a value out of range");

  ReadinessLag loaded(prior_);
  loaded.base_location_ = fit[0];
  loaded.base_scale_ = fit[1];
  loaded.base_weight_ = fit[2];
  loaded.location_ = fit[3];
  loaded.scale_ = fit[4];
  loaded.expected_location_ = fit[5];
  loaded.expected_scale_ = fit[6];
  loaded.slower_ = change[0];
  loaded.faster_ = change[1];
  loaded.since_slower_ = static_cast<int>(change[2]);
  loaded.since_faster_ = static_cast<int>(change[3]);
  loaded.since_change_ = static_cast<int>(change[4]);
  loaded.is_settled_ = change[5] != 0.0;
  loaded.has_looked_ = look[0] != 0.0;
  loaded.has_ids_ = look[1] != 0.0;
  loaded.last_spec_ = static_cast<int>(look[2]);
  loaded.last_total_ = static_cast<int>(look[3]);
  loaded.not_followed_ = static_cast<int>(look[4]);
  MPCA_TRY(loaded.last_look_, reader.time("lag_last_look"));
  MPCA_TRY(loaded.newest_id_, reader.integer("lag_newest_id"));
  loaded.sample_count_ = static_cast<int>(samples.size() / 2);
  for (std::size_t k = 0; k < samples.size() / 2; ++k)
    loaded.samples_[k] = {static_cast<float>(samples[2 * k]), static_cast<float>(samples[2 * k + 1])};
  loaded.starting_count_ = static_cast<int>(starting);
  for (int k = 0; k < starting; ++k) {
    Start& start = loaded.starts_[static_cast<std::size_t>(k)];
    MPCA_TRY(start.id, reader.integer(cat("lag_start_id_", k)));
    MPCA_TRY(start.asked, reader.time(cat("lag_start_asked_", k)));
    MPCA_TRY(const std::int64_t is_overdue, reader.integer(cat("lag_start_overdue_", k)));
    start.is_overdue = is_overdue != 0;
    if (!is_plausible(start.asked)) return invalid("the state of the readiness lag has an impossible time");
  }
  if (!is_plausible(loaded.last_look_)) return invalid("the state of the readiness lag has an impossible time");
  loaded.build(loaded.distinct_samples().view());
  *this = loaded;
  return {};
}

}  // namespace mpca::plant
