#include "trace/trace_csv.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "core/text.h"

namespace mpca::trace {
namespace {

constexpr double kLongestSeconds = 9.2e9;  // what a Duration can hold, 292 years

// Rows may be this far from their place, as a share of the step: time stamps are rounded, often to milliseconds.
constexpr double kStepTolerance = 0.01;

std::optional<std::size_t> find_column(std::span<const std::string_view> fields, std::string_view name) {
  std::optional<std::size_t> found;  // the last one wins, as in the lab; the strict manners refuse doubles
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (trim(fields[i]) == name) found = i;
  }
  return found;
}

// Up to 15 digits with a point among them: digits and power of ten are exact doubles then, so one division rounds
// correctly (Clinger 1990, How to read floating point numbers accurately, PLDI). Nearly every number of a trace is one.
std::optional<double> short_decimal(std::string_view text) {
  constexpr double kPowersOfTen[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
  if (text.empty() || text.size() > 15) return std::nullopt;
  std::int64_t digits = 0;
  std::size_t point = text.size() - 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int digit = text[i] - '0';
    if (digit >= 0 && digit <= 9) {
      digits = digits * 10 + digit;
    } else if (text[i] == '.' && point == text.size() - 1 && i != point) {
      point = i;
    } else {
      return std::nullopt;
    }
  }
  return static_cast<double>(digits) / kPowersOfTen[text.size() - 1 - point];
}

std::optional<double> finite_number(std::string_view text) {
  if (const auto value = short_decimal(text)) return value;
  const auto value = parse_double(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return value;
}

void append_number(double value, std::string& out) {
  std::array<char, 64> buffer;
  const double magnitude = std::abs(value);
  // Python's borders of the exponent form; to_chars alone would write 100000 as 1e+05.
  const bool plain = value == 0.0 || (magnitude >= 1e-4 && magnitude < 1e16);
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  out.append(buffer.data(), end.ptr);
}

}  // namespace

TraceCsvReader::TraceCsvReader(TraceCsvOptions options, OnPoint on_point, OnProblem on_problem)
    : options_(std::move(options)),
      on_point_(std::move(on_point)),
      on_problem_(std::move(on_problem)),
      parser_([this](std::int64_t row, std::span<const std::string_view> fields) { return take_row(row, fields); }) {}

void TraceCsvReader::feed(std::string_view piece) {
  if (hopeless_) return;
  if (const auto fed = parser_.feed(piece); !fed) {
    error(fed.error().message);
    hopeless_ = true;
  }
}

TraceCsvSummary TraceCsvReader::finish() {
  if (!hopeless_) {
    if (const auto finished = parser_.finish(); !finished) {
      error(finished.error().message);
      hopeless_ = true;
    }
  }
  if (!hopeless_) {
    if (!has_header_) {
      error("header row is required");
    } else if (summary_.rows == 0) {
      error("trace CSV must contain at least one data row");
    }
  }
  summary_.step = options_.fallback_step;
  if (options_.manners == Manners::strict && summary_.errors == 0 && good_rows_ >= 2) {
    const double mean_step_s =
        (summary_.last_timestamp_s - summary_.first_timestamp_s) / static_cast<double>(good_rows_ - 1);
    summary_.step = from_seconds(mean_step_s);
    if (summary_.step <= Duration::zero()) error("the step is shorter than a nanosecond");
  }
  return summary_;
}

bool TraceCsvReader::take_row(std::int64_t row, std::span<const std::string_view> fields) {
  if (!has_header_) {
    has_header_ = true;
    hopeless_ = !take_header(fields);
    return !hopeless_;
  }
  ++summary_.rows;
  TracePoint point;
  if (!read_point(row, fields, point)) return true;
  if (time_column_) check_sequence(row, point);
  if (good_rows_ == 0) summary_.first_timestamp_s = point.timestamp_s;
  summary_.last_timestamp_s = point.timestamp_s;
  ++good_rows_;
  on_point_(point);
  previous_ = point;
  return true;
}

bool TraceCsvReader::take_header(std::span<const std::string_view> fields) {
  columns_ = fields.size();
  step_column_ = find_column(fields, "step");
  time_column_ = find_column(fields, options_.time_column);
  rps_column_ = find_column(fields, options_.rps_column);
  phase_column_ = find_column(fields, "phase_idx");
  std::vector<std::string> missing;
  if (!step_column_ && options_.needs_step_and_time) missing.emplace_back("step");
  if (!time_column_ && options_.needs_step_and_time) missing.push_back(options_.time_column);
  if (!rps_column_) missing.push_back(options_.rps_column);
  if (!missing.empty()) error(cat("missing required columns: ", join(missing, ", ")));
  if (options_.manners == Manners::strict) {
    for (const std::string_view name : {std::string_view("step"), std::string_view(options_.time_column),
                                        std::string_view(options_.rps_column), std::string_view("phase_idx")}) {
      std::size_t count = 0;
      for (const std::string_view field : fields) count += trim(field) == name ? 1 : 0;
      if (count > 1) error(cat("row 1: column ", name, " appears ", count, " times"));
    }
  }
  return summary_.errors == 0;
}

bool TraceCsvReader::read_point(std::int64_t row, std::span<const std::string_view> fields, TracePoint& point) {
  const std::int64_t errors_before = summary_.errors;
  const auto field = [&](std::size_t column) { return column < fields.size() ? fields[column] : std::string_view{}; };

  // A decimal comma makes one field too many, and the number before it would pass.
  if (options_.manners == Manners::strict && fields.size() > columns_) {
    row_error(row, cat("has ", fields.size(), " fields; the header has ", columns_));
  }
  point.step = summary_.rows - 1;
  if (step_column_) {
    const auto step = parse_int(field(*step_column_));
    if (!step) {
      row_error(row, "step must be an integer");
    } else if (*step < 0) {
      row_error(row, "step must be >= 0");
    } else {
      point.step = *step;
    }
  }
  point.timestamp_s = static_cast<double>(point.step) * to_seconds(options_.fallback_step);
  if (time_column_) {
    const auto timestamp_s = finite_number(field(*time_column_));
    if (!timestamp_s) {
      row_error(row, cat(options_.time_column, " must be a number of seconds"));
    } else if (*timestamp_s < 0.0) {
      row_error(row, cat(options_.time_column, " must be >= 0 seconds"));
    } else if (options_.manners == Manners::strict && *timestamp_s >= kLongestSeconds) {
      row_error(row, cat(options_.time_column, " must be below 9200000000 seconds (292 years)"));
    } else {
      point.timestamp_s = *timestamp_s;
    }
  }
  const auto demand_rps = finite_number(field(*rps_column_));
  if (!demand_rps) {
    row_error(row, cat(options_.rps_column, " must be a number"));
  } else if (*demand_rps < 0.0) {
    row_error(row, cat(options_.rps_column, " must be >= 0 requests/second"));
  } else {
    point.demand_rps = *demand_rps;
  }
  if (phase_column_) {
    const auto phase_idx = parse_int(field(*phase_column_));
    if (!phase_idx || *phase_idx > std::numeric_limits<int>::max()) {
      row_error(row, "phase_idx must be an integer");
    } else if (*phase_idx < 0) {
      row_error(row, "phase_idx must be >= 0");
    } else {
      point.phase_idx = static_cast<int>(*phase_idx);
    }
  }
  return summary_.errors == errors_before;
}

void TraceCsvReader::check_sequence(std::int64_t row, const TracePoint& point) {
  if (!previous_) return;
  const double distance_s = point.timestamp_s - previous_->timestamp_s;
  if (distance_s <= 0.0) {
    row_doubt(row, cat(options_.time_column, " is ", point.timestamp_s, " after ", previous_->timestamp_s,
                       "; time must go forward"));
    return;
  }
  if (expected_step_s_ == 0.0) expected_step_s_ = distance_s;
  if (std::abs(distance_s - expected_step_s_) > kStepTolerance * expected_step_s_) {
    row_doubt(row, cat(options_.time_column, " is ", point.timestamp_s, " after ", previous_->timestamp_s,
                       distance_s > expected_step_s_ ? "; a gap: the step is " : "; too early: the step is ",
                       expected_step_s_, " s"));
    return;
  }
  if (step_column_ && point.step != previous_->step + 1) {
    row_doubt(row, cat("step is ", point.step, " after ", previous_->step, "; must count up by 1"));
  }
}

void TraceCsvReader::error(std::string message) {
  ++summary_.errors;
  on_problem_(Severity::error, std::move(message));
}

void TraceCsvReader::row_error(std::int64_t row, std::string_view what) { error(cat("row ", row, ": ", what)); }

void TraceCsvReader::row_doubt(std::int64_t row, std::string_view what) {
  if (options_.manners == Manners::strict) return row_error(row, what);
  ++summary_.warnings;
  on_problem_(Severity::warning, cat("row ", row, ": ", what));
}

TraceCsvCollector::TraceCsvCollector(TraceCsvOptions options)
    : reader_(
          std::move(options),
          [this](const TracePoint& point) {
            content_.trace.demand_rps.push_back(point.demand_rps);
            content_.timestamp_s.push_back(point.timestamp_s);
            if (point.phase_idx) content_.trace.phase_idx.push_back(*point.phase_idx);
          },
          [this](TraceCsvReader::Severity severity, std::string message) {
            (severity == TraceCsvReader::Severity::error ? errors_ : warnings_).add(std::move(message));
          }) {}

Result<TraceCsvContent> TraceCsvCollector::finish(std::string name) {
  const TraceCsvSummary summary = reader_.finish();
  MPCA_TRY_VOID(errors_.to_result());
  content_.trace.name = std::move(name);
  content_.trace.step = summary.step;
  if (summary.first_timestamp_s < kLongestSeconds) content_.trace.start = from_seconds(summary.first_timestamp_s);
  content_.warnings = warnings_.lines();
  return std::move(content_);
}

Result<DemandTrace> parse_trace_csv(std::string_view text, std::string name, TraceCsvOptions options) {
  TraceCsvCollector collector(std::move(options));
  collector.feed(text);
  MPCA_TRY(TraceCsvContent content, collector.finish(std::move(name)));
  return std::move(content.trace);
}

std::string_view trace_csv_header(bool with_phase) {
  return with_phase ? "step,timestamp_s,rps,phase_idx\n" : "step,timestamp_s,rps\n";
}

void append_trace_csv_row(const TracePoint& point, std::string& out) {
  out += std::to_string(point.step);
  out += ',';
  append_number(point.timestamp_s, out);
  out += ',';
  append_number(point.demand_rps, out);
  if (point.phase_idx) {
    out += ',';
    out += std::to_string(*point.phase_idx);
  }
  out += '\n';
}

std::string trace_csv(const DemandTrace& trace) {
  std::string out(trace_csv_header(!trace.phase_idx.empty()));
  for (std::size_t i = 0; i < trace.demand_rps.size(); ++i) {
    TracePoint point{.step = static_cast<std::int64_t>(i),
                     .timestamp_s = to_seconds(trace.start + static_cast<std::int64_t>(i) * trace.step),
                     .demand_rps = trace.demand_rps[i],
                     .phase_idx = std::nullopt};
    if (!trace.phase_idx.empty()) point.phase_idx = trace.phase_idx[i];
    append_trace_csv_row(point, out);
  }
  return out;
}

}  // namespace mpca::trace
