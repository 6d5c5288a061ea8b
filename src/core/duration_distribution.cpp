#include "core/duration_distribution.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "core/text.h"

namespace mpca {
namespace {

constexpr double kMaxCoefficientOfVariation = 10.0;
// A wide distribution has a tail beyond what integer nanoseconds hold (292 years).
constexpr double kLongestSampleSeconds = 9e9;

std::unexpected<Error> neither_form(std::string_view text) {
  return invalid(cat("\"", text,
                     "\" must be a duration like 40s, or lognormal(mean=40s,cv=0.3) with a mean above 0 and cv "
                     "(standard deviation / mean) between 0 and 10"));
}

/// What stands behind `key=` in `part`.
std::optional<std::string_view> value_of(std::string_view part, std::string_view key) {
  const std::size_t equals = part.find('=');
  if (equals == std::string_view::npos || trim(part.substr(0, equals)) != key) return std::nullopt;
  return trim(part.substr(equals + 1));
}

}  // namespace

DurationDistribution DurationDistribution::constant(Duration value) {
  MPCA_CHECK(value >= Duration::zero(), "a lag is never negative");
  return DurationDistribution(value, 0.0);
}

Result<DurationDistribution> DurationDistribution::parse(std::string_view text) {
  constexpr std::string_view kLognormal = "lognormal(";
  std::string_view inside = trim(text);
  if (!inside.starts_with(kLognormal)) {
    const auto value = parse_duration(inside);
    return value ? Result<DurationDistribution>(constant(*value)) : neither_form(text);
  }
  if (!inside.ends_with(')')) return neither_form(text);
  inside = inside.substr(kLognormal.size(), inside.size() - kLognormal.size() - 1);
  const std::vector<std::string_view> parts = split(inside, ',');
  if (parts.size() != 2) return neither_form(text);
  const auto mean_text = value_of(parts[0], "mean"), cv_text = value_of(parts[1], "cv");
  if (!mean_text || !cv_text) return neither_form(text);
  const auto mean = parse_duration(*mean_text);
  const auto cv = parse_double(*cv_text);
  if (!mean || *mean <= Duration::zero() || !cv || !(*cv >= 0.0 && *cv <= kMaxCoefficientOfVariation))
    return neither_form(text);
  return DurationDistribution(*mean, *cv);
}

Duration DurationDistribution::sample(RandomStream& stream) const {
  if (cv_ == 0.0) return mean_;
  const double variance = std::log1p(cv_ * cv_);
  const double location = std::log(to_seconds(mean_)) - variance / 2.0;
  return from_seconds(std::min(std::exp(location + std::sqrt(variance) * stream.normal()), kLongestSampleSeconds));
}

DurationDistribution DurationDistribution::sped_up(double factor) const {
  MPCA_CHECK(factor > 0.0 && std::isfinite(factor), "time passes forward");
  const double mean_s = std::min(to_seconds(mean_) / factor, kLongestSampleSeconds);
  // A lognormal mean stays above 0, or its text could not be read back.
  return DurationDistribution(std::max(from_seconds(mean_s), Duration(cv_ > 0.0 ? 1 : 0)), cv_);
}

std::string DurationDistribution::text() const {
  if (cv_ == 0.0) return format_duration(mean_);
  return cat("lognormal(mean=", format_duration(mean_), ",cv=", cv_, ")");
}

}  // namespace mpca
