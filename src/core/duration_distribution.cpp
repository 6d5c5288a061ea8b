#include "core/duration_distribution.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "core/text.h"

namespace mpca {
namespace {

constexpr double kMaxCoefficientOfVariation = 10.0;
// A wide distribution has a tail beyond what integer nanoseconds hold (292 years).
constexpr double kLongestSampleSeconds = 9e9;

std::unexpected<Error> no_form(std::string_view text) {
  return invalid(cat("\"", text,
                     "\" must be a duration like 40s, or lognormal(mean=40s,cv=0.3) with a mean above 0 and cv "
                     "(standard deviation / mean) between 0 and 10, or quantiles(0.1=20s;0.5=30s;0.9=50s) with rising "
                     "levels between 0 and 1 and durations that do not fall, or samples(20s;31s;25s)"));
}

/// What stands behind `key=` in `part`.
std::optional<std::string_view> value_of(std::string_view part, std::string_view key) {
  const std::size_t equals = part.find('=');
  if (equals == std::string_view::npos || trim(part.substr(0, equals)) != key) return std::nullopt;
  return trim(part.substr(equals + 1));
}

/// What stands between the brackets of `name(…)`.
std::optional<std::string_view> inside_of(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || !text.ends_with(')')) return std::nullopt;
  text.remove_prefix(name.size());
  if (!text.starts_with('(')) return std::nullopt;
  return text.substr(1, text.size() - 2);
}

}  // namespace

DurationDistribution DurationDistribution::constant(Duration value) {
  MPCA_CHECK(value >= Duration::zero(), "a lag is never negative");
  return DurationDistribution(value, 0.0);
}

DurationDistribution DurationDistribution::of_quantiles(std::vector<Quantile> quantiles) {
  // Pieces of the inverse: constant, then straight lines, then constant. E[X^2] of a line a … b is (a^2 + a b + b^2)/3.
  const double first_s = to_seconds(quantiles.front().value);
  const double last_s = to_seconds(quantiles.back().value);
  const double above = 1.0 - quantiles.back().level;
  double mean_s = quantiles.front().level * first_s + above * last_s;
  double square = quantiles.front().level * first_s * first_s + above * last_s * last_s;
  for (std::size_t i = 1; i < quantiles.size(); ++i) {
    const double share = quantiles[i].level - quantiles[i - 1].level;
    const double a = to_seconds(quantiles[i - 1].value);
    const double b = to_seconds(quantiles[i].value);
    mean_s += share * (a + b) / 2.0;
    square += share * (a * a + a * b + b * b) / 3.0;
  }
  if (quantiles.front().value == quantiles.back().value) return constant(quantiles.front().value);
  DurationDistribution result(from_seconds(mean_s), std::sqrt(std::max(square - mean_s * mean_s, 0.0)) / mean_s);
  result.quantiles_ = std::move(quantiles);
  return result;
}

DurationDistribution DurationDistribution::of_samples(std::vector<Duration> samples) {
  double mean_s = 0.0;
  for (const Duration sample : samples) mean_s += to_seconds(sample) / static_cast<double>(samples.size());
  double variance = 0.0;
  for (const Duration sample : samples) {
    const double off_s = to_seconds(sample) - mean_s;
    variance += off_s * off_s / static_cast<double>(samples.size());
  }
  const auto [least, greatest] = std::minmax_element(samples.begin(), samples.end());
  if (*least == *greatest) return constant(*least);
  DurationDistribution result(from_seconds(mean_s), std::sqrt(variance) / mean_s);
  result.samples_ = std::move(samples);
  return result;
}

Result<DurationDistribution> DurationDistribution::parse(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (const auto inside = inside_of(trimmed, "lognormal")) {
    const std::vector<std::string_view> parts = split(*inside, ',');
    if (parts.size() != 2) return no_form(text);
    const auto mean_text = value_of(parts[0], "mean"), cv_text = value_of(parts[1], "cv");
    if (!mean_text || !cv_text) return no_form(text);
    const auto mean = parse_duration(*mean_text);
    const auto cv = parse_double(*cv_text);
    if (!mean || *mean <= Duration::zero() || !cv || !(*cv >= 0.0 && *cv <= kMaxCoefficientOfVariation))
      return no_form(text);
    return DurationDistribution(*mean, *cv);
  }
  if (const auto inside = inside_of(trimmed, "quantiles")) {
    std::vector<Quantile> quantiles;
    for (const std::string_view part : split(*inside, ';')) {
      const std::size_t equals = part.find('=');
      if (equals == std::string_view::npos) return no_form(text);
      const auto level = parse_double(part.substr(0, equals));
      const auto value = parse_duration(trim(part.substr(equals + 1)));
      if (!level || !(*level >= 0.0 && *level <= 1.0) || !value) return no_form(text);
      if (!quantiles.empty() && (*level <= quantiles.back().level || *value < quantiles.back().value))
        return no_form(text);
      quantiles.push_back({*level, *value});
    }
    return of_quantiles(std::move(quantiles));
  }
  if (const auto inside = inside_of(trimmed, "samples")) {
    std::vector<Duration> samples;
    for (const std::string_view part : split(*inside, ';')) {
      const auto value = parse_duration(trim(part));
      if (!value) return no_form(text);
      samples.push_back(*value);
    }
    return of_samples(std::move(samples));
  }
  const auto value = parse_duration(trimmed);
  return value ? Result<DurationDistribution>(constant(*value)) : no_form(text);
}

Duration DurationDistribution::sample(RandomStream& stream) const {
  if (!samples_.empty()) return samples_[static_cast<std::size_t>(stream.below(samples_.size()))];
  if (!quantiles_.empty()) {
    const double level = stream.uniform();
    const auto above = std::upper_bound(quantiles_.begin(), quantiles_.end(), level,
                                        [](double l, const Quantile& quantile) { return l < quantile.level; });
    if (above == quantiles_.begin()) return quantiles_.front().value;
    if (above == quantiles_.end()) return quantiles_.back().value;
    const Quantile& below = *(above - 1);
    const double part = (level - below.level) / (above->level - below.level);
    return below.value + from_seconds(part * to_seconds(above->value - below.value));
  }
  if (cv_ == 0.0) return mean_;
  const double variance = std::log1p(cv_ * cv_);
  const double location = std::log(to_seconds(mean_)) - variance / 2.0;
  return from_seconds(std::min(std::exp(location + std::sqrt(variance) * stream.normal()), kLongestSampleSeconds));
}

DurationDistribution DurationDistribution::sped_up(double factor) const {
  MPCA_CHECK(factor > 0.0 && std::isfinite(factor), "time passes forward");
  const auto faster = [factor](Duration duration) {
    return from_seconds(std::min(to_seconds(duration) / factor, kLongestSampleSeconds));
  };
  if (!quantiles_.empty()) {
    std::vector<Quantile> quantiles = quantiles_;
    for (Quantile& quantile : quantiles) quantile.value = faster(quantile.value);
    return of_quantiles(std::move(quantiles));
  }
  if (!samples_.empty()) {
    std::vector<Duration> samples = samples_;
    for (Duration& sample : samples) sample = faster(sample);
    return of_samples(std::move(samples));
  }
  // A lognormal mean stays above 0, or its text could not be read back.
  return DurationDistribution(std::max(faster(mean_), Duration(cv_ > 0.0 ? 1 : 0)), cv_);
}

std::string DurationDistribution::text() const {
  if (cv_ == 0.0) return format_duration(mean_);
  std::vector<std::string> parts;
  for (const Quantile& quantile : quantiles_)
    parts.push_back(cat(quantile.level, "=", format_duration(quantile.value)));
  if (!quantiles_.empty()) return cat("quantiles(", join(parts, ";"), ")");
  for (const Duration sample : samples_) parts.push_back(format_duration(sample));
  if (!samples_.empty()) return cat("samples(", join(parts, ";"), ")");
  return cat("lognormal(mean=", format_duration(mean_), ",cv=", cv_, ")");
}

}  // namespace mpca
