#include "sim/arrivals.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/random.h"
#include "core/text.h"

namespace mpca::sim {
namespace {

constexpr double kLargestRate = 1e9;
constexpr double kSmallMean = 10.0;  // PTRS holds from 10 on

// std::lgamma writes a global. Stirling's series after 10 has an error below 1e-11.
double log_factorial(double k) {
  static constexpr std::array<double, 10> kFactorials = {1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880};
  if (k < 10.0) return std::log(kFactorials[static_cast<std::size_t>(k)]);
  const double inverse = 1.0 / k;
  return (k + 0.5) * std::log(k) - k + 0.5 * std::log(2.0 * std::numbers::pi) +
         inverse * (1.0 / 12.0 - inverse * inverse * (1.0 / 360.0 - inverse * inverse / 1260.0));
}

class PoissonCounts {
 public:
  PoissonCounts(std::uint64_t seed, std::string_view purpose) : stream_(seed, purpose) {}

  std::uint32_t draw(double mean) {
    if (!(mean > 0.0)) return 0;
    return mean < kSmallMean ? by_inversion(mean) : by_transformed_rejection(mean);
  }

 private:
  // The first k whose cumulated probability passes a uniform. Beyond k = 110 nothing is left of 53 bits at mean 10.
  std::uint32_t by_inversion(double mean) {
    if (mean != mean_) {
      mean_ = mean;
      none_ = std::exp(-mean);
    }
    double rest = stream_.uniform();
    double probability = none_;
    std::uint32_t k = 0;
    while (rest >= probability && k < 110) {
      rest -= probability;
      probability *= mean / ++k;
    }
    return k;
  }

  // Hoermann (1993), The transformed rejection method for generating Poisson random variables, Insurance: Mathematics
  // and Economics 12, 39-45, algorithm PTRS; b, a, v_r and 1/alpha as there.
  std::uint32_t by_transformed_rejection(double mean) {
    const double b = 0.931 + 2.53 * std::sqrt(mean);
    const double a = -0.059 + 0.02483 * b;
    const double v_r = 0.9277 - 3.6224 / (b - 2.0);
    for (;;) {
      const double u = stream_.uniform() - 0.5;
      const double v = 1.0 - stream_.uniform();
      const double u_s = 0.5 - std::abs(u);
      const double k = std::floor((2.0 * a / u_s + b) * u + mean + 0.43);
      if (u_s >= 0.07 && v <= v_r) return static_cast<std::uint32_t>(k);
      if (k < 0.0 || (u_s < 0.013 && v > u_s)) continue;
      const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
      if (std::log(v * inverse_alpha / (a / (u_s * u_s) + b)) <= k * std::log(mean) - mean - log_factorial(k))
        return static_cast<std::uint32_t>(k);
    }
  }

  RandomStream stream_;
  double mean_ = 0.0;
  double none_ = 1.0;  // probability of no arrival at mean_
};

// Says what the trace's rate is multiplied by, integrated over each second.
class BurstFactors {
 public:
  BurstFactors(const BurstSettings& settings, std::uint64_t seed)
      : stream_(seed, "bursts"),
        outside_(1.0 / (1.0 - settings.share + settings.share * settings.factor)),
        inside_(settings.factor * outside_),
        mean_inside_s_(to_seconds(settings.mean_length)),
        mean_outside_s_(mean_inside_s_ * (1.0 - settings.share) / settings.share) {
    MPCA_CHECK(settings.factor >= 1.0 && settings.share > 0.0 && settings.share < 1.0 && mean_inside_s_ > 0.0,
               "bursts are validated before they are made");
    is_inside_ = stream_.uniform() < settings.share;
    rest_s_ = dwell();
  }

  double next_second() {
    double left_s = 1.0, sum = 0.0;
    while (rest_s_ < left_s) {
      sum += rest_s_ * level();
      left_s -= rest_s_;
      is_inside_ = !is_inside_;
      rest_s_ = dwell();
    }
    rest_s_ -= left_s;
    return sum + left_s * level();
  }

 private:
  double level() const { return is_inside_ ? inside_ : outside_; }
  double dwell() { return (is_inside_ ? mean_inside_s_ : mean_outside_s_) * stream_.exponential(); }

  RandomStream stream_;
  double outside_, inside_;
  double mean_inside_s_, mean_outside_s_;
  bool is_inside_ = false;
  double rest_s_ = 0.0;
};

}  // namespace

std::shared_ptr<const Arrivals> make_arrivals(std::vector<double> rate_rps, ArrivalKind kind,
                                              const BurstSettings& bursts, std::uint64_t seed) {
  MPCA_CHECK(!rate_rps.empty() && kind != ArrivalKind::recorded, "a trace of rates");
  for (const double rate : rate_rps) MPCA_CHECK(rate >= 0.0 && rate <= kLargestRate, "rates are validated before");
  auto arrivals = std::make_shared<Arrivals>();
  arrivals->count.reserve(rate_rps.size());
  switch (kind) {
    case ArrivalKind::constant: {
      double carried = 0.0;
      for (const double rate : rate_rps) {
        // Sums of rates that are no binary fractions miss a whole request by some 1e-12 of it.
        const double whole = std::floor(carried + rate + 1e-9);
        carried = std::max(0.0, carried + rate - whole);
        arrivals->count.push_back(static_cast<std::uint32_t>(whole));
      }
      break;
    }
    case ArrivalKind::poisson: {
      PoissonCounts counts(seed, "arrivals");
      for (const double rate : rate_rps) arrivals->count.push_back(counts.draw(rate));
      break;
    }
    case ArrivalKind::bursty: {
      PoissonCounts counts(seed, "arrivals");
      BurstFactors factors(bursts, seed);
      for (const double rate : rate_rps) arrivals->count.push_back(counts.draw(rate * factors.next_second()));
      break;
    }
    case ArrivalKind::recorded:
      break;
  }
  arrivals->rate_rps = std::move(rate_rps);
  arrivals->kind = kind;
  arrivals->seed = seed;
  return arrivals;
}

Result<std::shared_ptr<const Arrivals>> arrivals_from_times(std::vector<Duration> times, std::size_t seconds,
                                                            std::uint64_t seed) {
  MPCA_CHECK(seconds >= 1, "a run lasts");
  auto arrivals = std::make_shared<Arrivals>();
  arrivals->count.resize(seconds, 0);
  Duration previous{};
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times[i] < previous) {
      return invalid(cat("arrival ", i, " at ", format_duration(std::max(times[i], Duration::zero())),
                         " is before the one ahead of it, or before the start"));
    }
    const auto second = static_cast<std::size_t>(times[i] / std::chrono::seconds(1));
    if (second >= seconds)
      return invalid(
          cat("arrival ", i, " at ", format_duration(times[i]), " is after the end of the run at ", seconds, "s"));
    ++arrivals->count[second];
    previous = times[i];
  }
  arrivals->rate_rps.assign(arrivals->count.begin(), arrivals->count.end());
  arrivals->kind = ArrivalKind::recorded;
  arrivals->seed = seed;
  arrivals->times = std::move(times);
  return arrivals;
}

}  // namespace mpca::sim
