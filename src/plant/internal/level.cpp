#include "plant/internal/level.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/text.h"

namespace mpca::plant::internal {
namespace {

// Within 15 %: near. Throughput of a saturated pod over one scrape interval varies by 5 % (exponential service times,
// 25 a second, 15 s), so this is three standard deviations; a release that is 30 % slower is outside.
constexpr double kNear = 0.15;
// What agrees lies within 6 % of its middle.
constexpr double kAgreement = 0.06;

}  // namespace

Level::Level(double prior, double prior_weight, double least, double greatest)
    : least_(least), greatest_(greatest), prior_(prior), prior_weight_(std::max(prior_weight, 0.0)) {
  find_value();
}

Level::Taken Level::add(double value) {
  // Also not a number.
  if (!(value > 0.0 && value >= least_ && value <= greatest_)) return Taken::ignored;
  if (std::abs(std::log(value / value_)) <= kNear) {
    far_count_ = 0;
    if (count_ == kMostSamples) {
      std::shift_left(samples_.begin(), samples_.end(), 1);
      --count_;
    }
    samples_[static_cast<std::size_t>(count_)] = value;
    ++count_;
    since_change_ = std::min(since_change_ + 1, kSettled);
    find_value();
    return Taken::near;
  }
  if (far_count_ == kToAgree) {
    std::shift_left(far_.begin(), far_.end(), 1);
    --far_count_;
  }
  far_[static_cast<std::size_t>(far_count_++)] = value;
  if (far_count_ < kToAgree) return Taken::far;
  const auto [low, high] = std::minmax_element(far_.begin(), far_.end());
  if (std::log(*high / *low) > 2.0 * kAgreement) return Taken::far;
  // Not known yet, and known by other samples, are the beginning and a change.
  since_change_ = count_ >= kToAgree ? 0 : kSettled;
  std::copy(far_.begin(), far_.end(), samples_.begin());
  count_ = kToAgree;
  far_count_ = 0;
  prior_weight_ = 0.0;
  find_value();
  return Taken::changed;
}

void Level::scale(double factor) {
  for (double& sample : samples_) sample *= factor;
  for (double& sample : far_) sample *= factor;
  prior_ *= factor;
  find_value();
}

/// The weighted median, half-way between two where the weights are even.
void Level::find_value() {
  struct Weighted {
    double value;
    double weight;
  };
  std::array<Weighted, kMostSamples + 1> all;
  int size = 0;
  double total = 0.0;
  const auto add = [&](double value, double weight) {
    all[static_cast<std::size_t>(size++)] = {value, weight};
    total += weight;
  };
  for (int k = 0; k < count_; ++k) add(samples_[static_cast<std::size_t>(k)], 1.0);
  if (prior_weight_ > 0.0 || count_ == 0) add(prior_, std::max(prior_weight_, 1e-6));
  std::sort(all.begin(), all.begin() + size, [](const auto& a, const auto& b) { return a.value < b.value; });
  double below = 0.0;
  for (int k = 0; k < size; ++k) {
    const Weighted& at = all[static_cast<std::size_t>(k)];
    below += at.weight;
    if (below < 0.5 * total) continue;
    const bool is_even = below <= 0.5 * total && k + 1 < size;
    value_ = is_even ? 0.5 * (at.value + all[static_cast<std::size_t>(k) + 1].value) : at.value;
    break;
  }
  value_ = std::clamp(value_, least_, greatest_);
}

double Level::spread() const {
  if (count_ < 3) return 0.0;
  std::array<double, kMostSamples> apart;
  for (int k = 0; k < count_; ++k)
    apart[static_cast<std::size_t>(k)] = std::abs(samples_[static_cast<std::size_t>(k)] / value_ - 1.0);
  const auto middle = apart.begin() + count_ / 2;
  std::nth_element(apart.begin(), middle, apart.begin() + count_);
  return 1.4826 * *middle;  // the median deviation of a normal distribution is its standard deviation / 1.4826
}

void Level::save(StateWriter& writer, std::string_view name) const {
  writer.put(cat(name, "_prior"), std::array{prior_, prior_weight_, double(since_change_)});
  writer.put(cat(name, "_samples"), std::span(samples_).first(static_cast<std::size_t>(count_)));
  writer.put(cat(name, "_far"), std::span(far_).first(static_cast<std::size_t>(far_count_)));
}

Result<void> Level::load(const StateReader& reader, std::string_view name) {
  MPCA_TRY(const std::vector<double> prior, reader.numbers(cat(name, "_prior")));
  MPCA_TRY(const std::vector<double> samples, reader.numbers(cat(name, "_samples")));
  MPCA_TRY(const std::vector<double> far, reader.numbers(cat(name, "_far")));
  const auto is_positive = [](double value) { return value > 0.0 && value < 1e300; };
  if (prior.size() != 3 || samples.size() > kMostSamples || far.size() > kToAgree || !is_positive(prior[0]) ||
      !(prior[1] >= 0.0 && prior[1] <= 1e9) || !(prior[2] >= 0.0 && prior[2] <= kSettled) ||
      !std::all_of(samples.begin(), samples.end(), is_positive) || !std::all_of(far.begin(), far.end(), is_positive))
    return invalid(cat("the state of ", name, " has a value out of range"));
  prior_ = prior[0];
  prior_weight_ = prior[1];
  since_change_ = static_cast<int>(prior[2]);
  count_ = static_cast<int>(samples.size());
  far_count_ = static_cast<int>(far.size());
  std::copy(samples.begin(), samples.end(), samples_.begin());
  std::copy(far.begin(), far.end(), far_.begin());
  find_value();
  return {};
}

}  // namespace mpca::plant::internal
