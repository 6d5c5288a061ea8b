#include "trace/event_log.h"

#include <cstring>
#include <utility>

#include "core/text.h"

namespace mpca::trace {
namespace {

constexpr std::size_t kLongestLine = 1 << 16;  // nginx and Apache cut requests far below

std::string count_of(std::int64_t count, std::string_view noun) { return cat(count, " ", noun, count == 1 ? "" : "s"); }

}  // namespace

std::optional<TimePoint> access_log_time(std::string_view line) {
  const std::size_t open = line.find(" [");
  if (open == std::string_view::npos || open == 0) return std::nullopt;
  const std::size_t close = line.find(']', open);
  if (close == std::string_view::npos || !line.substr(close + 1).starts_with(" \"")) return std::nullopt;
  return parse_log_time(line.substr(open + 2, close - open - 2));
}

EventLogReader::EventLogReader(EventLogOptions options) : options_(options) {}

void EventLogReader::feed(std::string_view piece) {
  if (options_.step <= Duration::zero()) return;  // finish() says so
  while (!piece.empty()) {
    const void* found = std::memchr(piece.data(), '\n', piece.size());
    const std::size_t length =
        found == nullptr ? piece.size() : static_cast<std::size_t>(static_cast<const char*>(found) - piece.data());
    if (!skips_line_ && pending_.size() + length > kLongestLine) {
      skips_line_ = true;
      pending_.clear();
    }
    if (found == nullptr) {
      if (!skips_line_) pending_.append(piece);
      return;
    }
    if (skips_line_) {
      ++line_;
      ++counts_.lines;
      unreadable(cat("longer than ", kLongestLine, " bytes"));
      skips_line_ = false;
    } else if (pending_.empty()) {
      take_line(piece.substr(0, length));
    } else {
      pending_.append(piece.substr(0, length));
      take_line(pending_);
      pending_.clear();
    }
    piece.remove_prefix(length + 1);
  }
}

void EventLogReader::take_line(std::string_view line) {
  ++line_;
  line = trim(line);
  if (line_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (line.empty()) return;
  ++counts_.lines;
  const bool is_access_log = options_.format == EventLogFormat::access_log;
  const auto time = is_access_log ? access_log_time(line) : parse_timestamp(line, options_.unit);
  if (!time) {
    unreadable(is_access_log ? "not a line of the Common Log Format" : "not an epoch time or RFC 3339 time stamp");
    return;
  }
  if (!begin_) begin_ = newest_ = *time;
  if (*time < newest_ - options_.late) {
    ++counts_.too_late;
    problems_.add(cat("line ", line_, ": ", format_rfc3339(*time), " is more than ", format_duration(options_.late),
                      " behind ", format_rfc3339(newest_)));
    return;
  }
  if (*time < *begin_) {
    ++counts_.before_begin;
    return;
  }
  const std::int64_t step = (*time - *begin_) / options_.step;
  if (step >= options_.max_steps) {
    unreadable(cat(format_rfc3339(*time), " is more than ", options_.max_steps, " steps of ",
                   format_duration(options_.step), " after the first line"));
    return;
  }
  if (*time > newest_) newest_ = *time;
  if (static_cast<std::size_t>(step) >= requests_.size()) requests_.resize(static_cast<std::size_t>(step) + 1);
  requests_[static_cast<std::size_t>(step)] += 1.0;
  ++counts_.counted;
}

void EventLogReader::unreadable(std::string_view what) {
  ++counts_.unreadable;
  problems_.add(cat("line ", line_, ": ", what));
}

Result<Imported> EventLogReader::finish(std::string name) {
  if (options_.step <= Duration::zero()) return invalid("the step of a trace must be > 0");
  if (skips_line_) feed("\n");
  if (!pending_.empty()) take_line(std::exchange(pending_, {}));
  const std::int64_t unusable = counts_.unreadable + counts_.too_late;
  const double allowed = options_.max_unusable_share * static_cast<double>(counts_.lines);
  if (static_cast<double>(unusable) > allowed) {
    std::string message =
        cat(unusable, " of ", count_of(counts_.lines, "line"), " cannot be used, more than the allowed ",
            100.0 * options_.max_unusable_share, " %; allow a larger share if that is harmless:");
    for (const std::string& line : problems_.lines()) message += "\n" + line;
    return invalid(std::move(message));
  }
  if (counts_.counted == 0) return fail(ErrorCode::not_enough_data, "no request in the log");
  if (requests_.size() < 2) {
    return fail(ErrorCode::not_enough_data,
                cat("the log covers less than one step of ", format_duration(options_.step), "; use a shorter step"));
  }
  counts_.in_last_step = static_cast<std::int64_t>(requests_.back());
  counts_.counted -= counts_.in_last_step;
  requests_.pop_back();

  Imported imported;
  imported.trace = {.name = std::move(name), .start = {}, .step = options_.step, .demand_rps = {}, .phase_idx = {}};
  const double step_s = to_seconds(options_.step);
  for (double& requests : requests_) requests /= step_s;
  imported.trace.demand_rps = std::move(requests_);
  imported.notes.push_back(cat("begins at ", format_rfc3339(*begin_), "; ", count_of(counts_.counted, "request"),
                               " in ", count_of(static_cast<std::int64_t>(imported.trace.demand_rps.size()), "step")));
  imported.notes.push_back(
      cat("the last, unfinished step was dropped (", count_of(counts_.in_last_step, "request"), ")"));
  if (counts_.before_begin > 0) {
    imported.notes.push_back(
        cat(count_of(counts_.before_begin, "request"), " before the time of the first line left out"));
  }
  if (unusable > 0) {
    imported.notes.push_back(cat(unusable, " of ", count_of(counts_.lines, "line"), " could not be used:"));
    for (std::string& line : problems_.lines()) imported.notes.push_back(std::move(line));
  }
  return imported;
}

}  // namespace mpca::trace
