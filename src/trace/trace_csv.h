// The reference lab's trace CSV: `step,timestamp_s,rps[,phase_idx]`, one row per step. Columns may stand in any order,
// and further ones are ignored.
//
// Two manners. The strict one is ours: a trace with a hole, with time that goes back or with a step that changes would
// make every result after that row wrong without a sign, so it is refused. The lab accepts those (here: a warning); it
// counts rows and takes the step from a flag. NaN and infinity are numbers to the lab; here they are errors in both
// manners.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/csv.h"
#include "core/result.h"
#include "core/time.h"
#include "trace/demand_trace.h"
#include "trace/problem_list.h"

namespace mpca::trace {

enum class Manners { strict, lab };

struct TraceCsvOptions {
  Manners manners = Manners::strict;
  /// The step of a trace of one row, which cannot tell it; in the lab's manners, of every trace.
  Duration fallback_step = std::chrono::seconds(15);
  std::string rps_column = "rps";
  std::string time_column = "timestamp_s";
  /// False: only the rps column has to be there, as the lab's simulator has it. Present columns are checked all the
  /// same; without a time column the rows are `fallback_step` apart.
  bool needs_step_and_time = true;
};

/// One row. `timestamp_s` is what the file says, or step times `fallback_step` without a time column.
struct TracePoint {
  std::int64_t step = 0;
  double timestamp_s = 0.0;
  double demand_rps = 0.0;
  std::optional<int> phase_idx;
};

struct TraceCsvSummary {
  std::int64_t rows = 0;  // data rows, bad ones included
  std::int64_t errors = 0;
  std::int64_t warnings = 0;
  double first_timestamp_s = 0.0;
  double last_timestamp_s = 0.0;
  Duration step{};  // the mean distance of rows, or `fallback_step` (see there)
};

/// Reads rows as they come, in the memory of one row.
class TraceCsvReader {
 public:
  enum class Severity { error, warning };
  /// Gets each row without an error, in order.
  using OnPoint = std::function<void(const TracePoint&)>;
  /// Gets each problem, in order: the exact words of the lab where it has them.
  using OnProblem = std::function<void(Severity, std::string message)>;

  TraceCsvReader(TraceCsvOptions options, OnPoint on_point, OnProblem on_problem);
  TraceCsvReader(const TraceCsvReader&) = delete;
  TraceCsvReader& operator=(const TraceCsvReader&) = delete;

  void feed(std::string_view piece);
  /// True when further input cannot change anything: the header or the text itself is broken.
  bool is_hopeless() const { return hopeless_; }
  /// The input was a trace when `errors` is 0.
  TraceCsvSummary finish();

 private:
  bool take_row(std::int64_t row, std::span<const std::string_view> fields);
  bool take_header(std::span<const std::string_view> fields);
  bool read_point(std::int64_t row, std::span<const std::string_view> fields, TracePoint& point);
  void check_sequence(std::int64_t row, const TracePoint& point);
  void error(std::string message);
  void row_error(std::int64_t row, std::string_view what);
  void row_doubt(std::int64_t row, std::string_view what);

  TraceCsvOptions options_;
  OnPoint on_point_;
  OnProblem on_problem_;
  CsvParser parser_;
  TraceCsvSummary summary_;
  std::size_t columns_ = 0;
  std::optional<std::size_t> step_column_, time_column_, rps_column_, phase_column_;
  std::optional<TracePoint> previous_;
  double expected_step_s_ = 0.0;  // the first distance of two rows; 0 until it is known
  std::int64_t good_rows_ = 0;
  bool has_header_ = false;
  bool hopeless_ = false;
};

/// A whole trace and what was odd about it.
struct TraceCsvContent {
  DemandTrace trace;
  std::vector<double> timestamp_s;    // the time column as it was read, n values
  std::vector<std::string> warnings;  // the first 20, and how many more
};

/// Collects the rows of a TraceCsvReader into a trace.
class TraceCsvCollector {
 public:
  explicit TraceCsvCollector(TraceCsvOptions options = {});

  void feed(std::string_view piece) { reader_.feed(piece); }
  bool is_hopeless() const { return reader_.is_hopeless(); }
  /// errors   invalid_argument  the first 20 problems, a line each, and `… and N more`
  Result<TraceCsvContent> finish(std::string name);

 private:
  TraceCsvContent content_;
  ProblemList errors_, warnings_;
  TraceCsvReader reader_;
};

/// The text of a trace, strictly read.
Result<DemandTrace> parse_trace_csv(std::string_view text, std::string name, TraceCsvOptions options = {});

/// `step,timestamp_s,rps[,phase_idx]` with its line end.
std::string_view trace_csv_header(bool with_phase);
/// One row with its line end, appended to `out`. Numbers as in the lab's files: `20`, `0.5`, the shortest that reads
/// back.
void append_trace_csv_row(const TracePoint& point, std::string& out);
/// The whole trace; parse_trace_csv() of it gives the same trace (times to the nanosecond below 10^6 s).
std::string trace_csv(const DemandTrace& trace);

}  // namespace mpca::trace
