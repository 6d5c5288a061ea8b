#include "core/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/text.h"

namespace mpca {
namespace {

constexpr std::int64_t kLongestNs = 3'600'000'000'000;
constexpr int kUnitBits = 3;  // the narrowest bucket is 8 ns wide: 1 part in 128 of 1 us
constexpr std::size_t kPerOctave = 128;
constexpr std::uint64_t kNsPerS = 1'000'000'000;
constexpr std::string_view kFormat = "mpca-latency-histogram 1";

// Bucket `128 octave + position`: below 2 us one bucket per 8 ns, then each octave is twice as wide as the one before.
std::size_t bucket_of(std::int64_t value_ns) {
  const auto units = static_cast<std::uint64_t>(value_ns) >> kUnitBits;
  if (units < 2 * kPerOctave) return units;
  const auto doublings = static_cast<int>(std::bit_width(units)) - 8;
  return static_cast<std::size_t>(doublings) * kPerOctave + (units >> doublings);
}

std::int64_t low_of(std::size_t bucket) {
  if (bucket < 2 * kPerOctave) return static_cast<std::int64_t>(bucket << kUnitBits);
  const std::size_t doublings = bucket / kPerOctave - 1;
  return static_cast<std::int64_t>((bucket - doublings * kPerOctave) << (doublings + kUnitBits));
}

std::int64_t high_of(std::size_t bucket) { return std::min(low_of(bucket + 1) - 1, kLongestNs); }

}  // namespace

// Grows the counters to the octave of `bucket`.
std::uint64_t& LatencyHistogram::counter(std::size_t bucket) {
  const std::size_t octave = bucket / kPerOctave;
  if (counts_.empty()) first_octave_ = octave;
  if (octave < first_octave_) {
    counts_.insert(counts_.begin(), (first_octave_ - octave) * kPerOctave, 0);
    first_octave_ = octave;
  }
  const std::size_t position = bucket - first_octave_ * kPerOctave;
  if (position >= counts_.size()) counts_.resize((octave - first_octave_ + 1) * kPerOctave, 0);
  return counts_[position];
}

void LatencyHistogram::record(Duration value, std::uint64_t times) {
  if (times == 0) return;
  value = std::clamp(value, Duration::zero(), Duration(kLongestNs));
  counter(bucket_of(value.count())) += times;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  count_ += times;
  const auto value_ns = static_cast<std::uint64_t>(value.count());
  if (times == 1) {
    // What a simulator does for each request, without the divisions.
    sum_ns_ += value_ns;
    if (sum_ns_ < kNsPerS) return;
    sum_s_ += sum_ns_ / kNsPerS;
    sum_ns_ %= kNsPerS;
    return;
  }
  const std::uint64_t rest_ns = value_ns % kNsPerS;
  // In two steps, so that no product overflows below 10^18 recorded values.
  sum_s_ += value_ns / kNsPerS * times + times / kNsPerS * rest_ns;
  sum_ns_ += times % kNsPerS * rest_ns;
  sum_s_ += sum_ns_ / kNsPerS;
  sum_ns_ %= kNsPerS;
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < other.counts_.size(); ++i) {
    if (other.counts_[i] != 0) counter(other.first_octave_ * kPerOctave + i) += other.counts_[i];
  }
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  sum_s_ += other.sum_s_ + sum_ns_ / kNsPerS;
  sum_ns_ %= kNsPerS;
}

void LatencyHistogram::clear() { *this = LatencyHistogram(); }

Duration LatencyHistogram::mean() const {
  if (count_ == 0) return {};
  const long double mean_ns = (static_cast<long double>(sum_s_) * kNsPerS + static_cast<long double>(sum_ns_)) /
                              static_cast<long double>(count_);
  return Duration(std::llroundl(mean_ns));
}

Duration LatencyHistogram::quantile(double level) const {
  if (count_ == 0) return {};
  const double wanted = std::ceil(std::clamp(level, 0.0, 1.0) * static_cast<double>(count_));
  const std::uint64_t rank = std::max<std::uint64_t>(1, std::min(count_, static_cast<std::uint64_t>(wanted)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(Duration(high_of(first_octave_ * kPerOctave + i)), max_);
  }
  return max_;
}

Duration LatencyHistogram::standard_deviation() const {
  if (count_ == 0) return {};
  const double mean_ns = static_cast<double>(mean().count());
  double squares = 0.0;
  for (const Bucket& bucket : buckets()) {
    const double middle_ns = 0.5 * static_cast<double>(bucket.low.count() + bucket.high.count());
    squares += static_cast<double>(bucket.count) * (middle_ns - mean_ns) * (middle_ns - mean_ns);
  }
  return Duration(std::llround(std::sqrt(squares / static_cast<double>(count_))));
}

std::vector<LatencyHistogram::Bucket> LatencyHistogram::buckets() const {
  std::vector<Bucket> all;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const std::size_t bucket = first_octave_ * kPerOctave + i;
    all.push_back({Duration(low_of(bucket)), Duration(high_of(bucket)), counts_[i]});
  }
  return all;
}

std::string LatencyHistogram::to_text() const {
  const std::string rest = std::to_string(sum_ns_);
  std::string text = cat(kFormat, "\ncount ", count_, "\nmin_ns ", min_.count(), "\nmax_ns ", max_.count(), "\nsum_s ",
                         sum_s_, ".", std::string(9 - rest.size(), '0'), rest, "\n");
  for (const Bucket& bucket : buckets()) text += cat("from_ns ", bucket.low.count(), " ", bucket.count, "\n");
  return text;
}

namespace {

// Reads `name VALUE` lines and remembers where it is.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  std::string_view next() {
    ++number_;
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  std::unexpected<Error> refuse(std::string_view what) const { return invalid(cat("line ", number_, ": ", what)); }

 private:
  std::string_view rest_;
  int number_ = 0;
};

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t value = 0;
  if (text.empty() || text.size() > 19) return std::nullopt;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

}  // namespace

Result<LatencyHistogram> LatencyHistogram::parse(std::string_view text) {
  LineReader lines(text);
  const std::string_view format = lines.next();
  if (format != kFormat) return lines.refuse(cat("is \"", format.substr(0, 60), "\"; must be \"", kFormat, "\""));

  LatencyHistogram read;
  const auto named = [&](std::string_view name, std::string_view line) -> std::optional<std::string_view> {
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with(' ')) return std::nullopt;
    return line.substr(name.size() + 1);
  };
  std::uint64_t numbers[3] = {};  // count, min, max
  constexpr std::string_view kNames[3] = {"count", "min_ns", "max_ns"};
  for (int i = 0; i < 3; ++i) {
    const auto value = named(kNames[i], lines.next());
    const auto number = value ? whole(*value) : std::nullopt;
    if (!number) return lines.refuse(cat("must be `", kNames[i], " N` with a whole number N"));
    numbers[i] = *number;
  }
  const auto sum = named("sum_s", lines.next());
  const std::size_t point = sum ? sum->find('.') : std::string_view::npos;
  const auto sum_s = point == std::string_view::npos ? std::nullopt : whole(sum->substr(0, point));
  const auto sum_ns = sum_s && sum->size() == point + 10 ? whole(sum->substr(point + 1)) : std::nullopt;
  if (!sum_ns) return lines.refuse("must be `sum_s N.NNNNNNNNN`");
  const auto longest = static_cast<std::uint64_t>(kLongestNs);
  if (numbers[1] > numbers[2] || numbers[2] > longest) return lines.refuse("min_ns <= max_ns <= 1 hour does not hold");
  const auto min_ns = static_cast<std::int64_t>(numbers[1]);
  const auto max_ns = static_cast<std::int64_t>(numbers[2]);

  std::uint64_t counted = 0;
  long double least_ns = 0.0L;
  long double most_ns = 0.0L;
  std::optional<std::size_t> previous;
  while (!lines.at_end()) {
    const auto value = named("from_ns", lines.next());
    const std::size_t space = value ? value->find(' ') : std::string_view::npos;
    const auto low_ns = space == std::string_view::npos ? std::nullopt : whole(value->substr(0, space));
    const auto count = low_ns ? whole(value->substr(space + 1)) : std::nullopt;
    if (!count || *count == 0) return lines.refuse("must be `from_ns VALUE COUNT` with a count above 0");
    if (*low_ns > longest) return lines.refuse(cat(*low_ns, " ns is above 1 hour"));
    const std::size_t bucket = bucket_of(static_cast<std::int64_t>(*low_ns));
    if (low_of(bucket) != static_cast<std::int64_t>(*low_ns))
      return lines.refuse(cat("no bucket begins at ", *low_ns, " ns"));
    if (previous && bucket <= *previous) return lines.refuse("buckets must ascend");
    if (!previous && bucket != bucket_of(min_ns)) return lines.refuse("min_ns is not in the first bucket");
    previous = bucket;
    if (*count > numbers[0] - counted) return lines.refuse(cat("the counts are more than ", numbers[0]));
    counted += *count;
    read.counter(bucket) = *count;
    least_ns += static_cast<long double>(*count) * static_cast<long double>(low_of(bucket));
    most_ns += static_cast<long double>(*count) * static_cast<long double>(high_of(bucket));
  }
  if (counted != numbers[0]) return lines.refuse(cat("the counts add up to ", counted, ", not ", numbers[0]));
  if (previous ? *previous != bucket_of(max_ns) : max_ns != 0) return lines.refuse("max_ns is not in the last bucket");
  const long double sum_in_ns = static_cast<long double>(*sum_s) * kNsPerS + static_cast<long double>(*sum_ns);
  // The bounds in floating point may be off in their last digits; the sum itself is read exactly.
  constexpr long double kRounding = 1e-15L;
  if (sum_in_ns < least_ns * (1 - kRounding) || sum_in_ns > most_ns * (1 + kRounding)) {
    return lines.refuse("sum_s does not fit the buckets");
  }
  read.count_ = numbers[0];
  read.min_ = Duration(min_ns);
  read.max_ = Duration(max_ns);
  read.sum_s_ = *sum_s;
  read.sum_ns_ = *sum_ns;
  return read;
}

}  // namespace mpca
