// Sampled series (`timestamp,value` CSV, a monitoring system's range query) as traces.
//
// A trace has equal steps and no holes; a series has jitter, missing samples and NaN. Samples are put on a grid of
// their median distance, and what to do with an empty place is the caller's decision: a hole read as zero is an outage
// that never was.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/csv.h"
#include "core/result.h"
#include "core/time.h"
#include "trace/demand_trace.h"
#include "trace/event_log.h"
#include "trace/timestamps.h"
#include "trace/transform.h"

namespace mpca::trace {

struct Sample {
  TimePoint time;
  std::optional<double> value;  // nothing: the source has no number here
  bool operator==(const Sample&) const = default;
};

enum class SampleKind {
  rate,   // requests per second at or over the interval that begins with the sample
  count,  // requests in that interval
};

enum class GapRule { refuse, zero, hold, linear };

struct SeriesOptions {
  Duration step{};  // of the trace; 0: the distance of the samples
  SampleKind kind = SampleKind::rate;
  GapRule gaps = GapRule::refuse;
  Refine refine = Refine::repeat;  // when the step is shorter than the distance of the samples
};

/// The trace of a series. It starts at 0; missing samples at both ends are cut off unless gaps are refused.
///   samples  n >= 2 with growing times
///   errors   not_enough_data   fewer than two samples with a number
///            invalid_argument  times that do not grow, negative or infinite values, gaps when refused (the first 20, a
///            line
///                              each); more than 20 million places
Result<Imported> trace_from_samples(const std::vector<Sample>& samples, const SeriesOptions& options, std::string name);

struct SeriesCsvOptions {
  std::string time_column =
      "";  // empty: `timestamp`, `time`, `ts`, `date` or `datetime` if there is one, else the first
  std::string value_column = "";  // empty: the first other one
  EpochUnit unit = EpochUnit::detect;
};

/// Reads `timestamp,value` CSV: epoch seconds, milliseconds, … or RFC 3339; with a header unless the first row's time
/// is one. An empty value or NaN is a missing sample.
class SeriesCsvReader {
 public:
  explicit SeriesCsvReader(SeriesCsvOptions options = {});
  SeriesCsvReader(const SeriesCsvReader&) = delete;
  SeriesCsvReader& operator=(const SeriesCsvReader&) = delete;

  void feed(std::string_view piece);
  bool is_hopeless() const { return hopeless_; }
  /// errors   invalid_argument  the first 20 bad rows as `row N: …`, missing columns, no row
  Result<std::vector<Sample>> finish();

 private:
  bool take_row(std::int64_t row, std::span<const std::string_view> fields);
  bool take_header(std::span<const std::string_view> fields);

  SeriesCsvOptions options_;
  CsvParser parser_;
  std::vector<Sample> samples_;
  ProblemList problems_;
  std::size_t time_column_ = 0;
  std::size_t value_column_ = 1;
  bool has_header_ = false;
  bool hopeless_ = false;
};

/// True for the names that a time column is found by.
bool is_time_column_name(std::string_view name);

}  // namespace mpca::trace
