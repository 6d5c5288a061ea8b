#include "trace/phases.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "core/csv.h"
#include "core/text.h"
#include "trace/problem_list.h"

namespace mpca::trace {
namespace {

constexpr std::int64_t kMostSteps = 100'000'000;
constexpr std::string_view kColumns[] = {"phase_idx", "duration", "rate_rps"};

std::optional<Duration> phase_duration(std::string_view text) {
  text = trim(text);
  if (text.size() < 2 || text.find_first_not_of("0123456789") != text.size() - 1) return std::nullopt;
  const auto count = parse_int(text.substr(0, text.size() - 1));
  const std::int64_t unit_s = text.back() == 's' ? 1 : text.back() == 'm' ? 60 : text.back() == 'h' ? 3600 : 0;
  constexpr std::int64_t kLongestSeconds = 9'000'000'000;
  if (!count || unit_s == 0 || *count > kLongestSeconds / unit_s) return std::nullopt;
  return std::chrono::seconds(*count * unit_s);
}

// Integer arithmetic: a ratio in floating point would put 37.5 on either side of the half.
std::int64_t round_half_to_even(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t whole = numerator / denominator;
  const std::int64_t rest = numerator % denominator;
  const bool up = rest > denominator - rest || (rest == denominator - rest && whole % 2 != 0);
  return whole + (up ? 1 : 0);
}

class PhaseRows {
 public:
  bool take(std::int64_t row, std::span<const std::string_view> fields) {
    if (!has_header_) return take_header(fields);
    Phase phase;
    const auto field = [&](int i) { return column_[i] < fields.size() ? fields[column_[i]] : std::string_view{}; };
    const auto problem = [&](std::string_view what) { problems_.add(cat("row ", row, ": ", what)); };
    const auto phase_idx = parse_int(field(0));
    if (!phase_idx || *phase_idx > std::numeric_limits<int>::max()) {
      problem("phase_idx must be an integer");
    } else if (*phase_idx < 0) {
      problem("phase_idx must be >= 0");
    } else {
      phase.phase_idx = static_cast<int>(*phase_idx);
    }
    const auto duration = phase_duration(field(1));
    if (!duration) {
      problem(cat("duration is \"", field(1), "\"; must be a whole number with s, m or h, such as 30s"));
    } else if (*duration == Duration::zero()) {
      problem("duration must be > 0");
    } else {
      phase.duration = *duration;
    }
    const auto rate_rps = parse_double(field(2));
    if (!rate_rps || !std::isfinite(*rate_rps)) {
      problem("rate_rps must be a number");
    } else if (*rate_rps < 0.0) {
      problem("rate_rps must be >= 0 requests/second");
    } else {
      phase.rate_rps = *rate_rps;
    }
    phases_.push_back(phase);
    return true;
  }

  Result<std::vector<Phase>> finish() {
    if (!has_header_) problems_.add("header row is required");
    if (problems_.empty() && phases_.empty()) problems_.add("phases CSV must contain at least one data row");
    MPCA_TRY_VOID(problems_.to_result());
    return std::move(phases_);
  }

 private:
  bool take_header(std::span<const std::string_view> fields) {
    has_header_ = true;
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < std::size(kColumns); ++i) {
      const auto found =
          std::find_if(fields.begin(), fields.end(), [&](std::string_view name) { return trim(name) == kColumns[i]; });
      column_[i] = static_cast<std::size_t>(found - fields.begin());
      if (found == fields.end()) missing.emplace_back(kColumns[i]);
    }
    if (!missing.empty()) problems_.add(cat("missing required columns: ", join(missing, ", ")));
    return missing.empty();
  }

  bool has_header_ = false;
  std::size_t column_[std::size(kColumns)] = {};
  std::vector<Phase> phases_;
  ProblemList problems_;
};

}  // namespace

Result<std::vector<Phase>> parse_phases_csv(std::string_view text) {
  PhaseRows rows;
  CsvParser parser([&](std::int64_t row, std::span<const std::string_view> fields) { return rows.take(row, fields); });
  MPCA_TRY_VOID(parser.feed(text));
  MPCA_TRY_VOID(parser.finish());
  return rows.finish();
}

std::string phases_csv(const std::vector<Phase>& phases) {
  std::string out = "phase_idx,duration,rate_rps\n";
  for (const Phase& phase : phases) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(phase.duration).count();
    const bool in_minutes = seconds % 60 == 0;
    out +=
        cat(phase.phase_idx, ",", in_minutes ? seconds / 60 : seconds, in_minutes ? "m," : "s,", phase.rate_rps, "\n");
  }
  return out;
}

Result<DemandTrace> trace_from_phases(const std::vector<Phase>& phases, Duration step, std::string name) {
  if (phases.empty()) return invalid("a trace needs at least one phase");
  if (step <= Duration::zero()) return invalid("the step of a trace must be > 0");
  std::int64_t total = 0;
  for (const Phase& phase : phases) {
    total += std::max<std::int64_t>(1, round_half_to_even(phase.duration.count(), step.count()));
    if (total > kMostSteps) {
      return invalid(cat("the phases make more than ", kMostSteps, " steps of ", format_duration(step)));
    }
  }
  DemandTrace trace{.name = std::move(name), .start = {}, .step = step, .demand_rps = {}, .phase_idx = {}};
  for (const Phase& phase : phases) {
    const auto steps =
        static_cast<std::size_t>(std::max<std::int64_t>(1, round_half_to_even(phase.duration.count(), step.count())));
    trace.demand_rps.insert(trace.demand_rps.end(), steps, phase.rate_rps);
    trace.phase_idx.insert(trace.phase_idx.end(), steps, phase.phase_idx);
  }
  return trace;
}

}  // namespace mpca::trace
