// The decision log: what a policy was shown and what it answered, without loss, so that `replay` can ask it again and
// compare bit for bit. JSON lines: a header that says how to make the policy, then one object per decision. Numbers are
// the shortest that read back exactly, times are nanoseconds. Texts that stay the same from one decision to the next
// are written once. docs/reference/decision-log.md has the fields; docs/decisions/004-decision-log.md the reasons.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "policy/decision.h"
#include "policy/observation.h"
#include "policy/policy.h"

namespace mpca::runlog {

inline constexpr int kDecisionLogVersion = 3;

struct DecisionLogHeader {
  std::string policy;  // as create_policy() takes it
  policy::Workload workload;
  std::string world;    // `idealised`, `realistic`, …: for people
  std::string trace;    // its name: for people
  std::string program;  // the version that wrote the log
  bool operator==(const DecisionLogHeader&) const = default;
};

struct DecisionRecord {
  policy::Observation observation;
  policy::Decision decision;
  bool operator==(const DecisionRecord&) const = default;
};

std::string header_line(const DecisionLogHeader& header);

/// Makes the lines of one log in order.
class DecisionLogFormatter {
 public:
  /// Appends the line of `record`, line end included.
  void append(const DecisionRecord& record, std::string& out);

 private:
  std::string last_rule_, last_source_, last_status_;
};

/// Reads the lines of one log in order.
class DecisionLogParser {
 public:
  ///   errors   invalid_argument  not a decision log, a version this program does not know, a field missing or of the
  ///   wrong
  ///            type (named)
  Result<DecisionLogHeader> parse_header(std::string_view line);
  Result<DecisionRecord> parse_record(std::string_view line);

 private:
  std::string last_rule_, last_source_, last_status_;
};

/// Reads a log file, a record at a time; stops early when `on_record` returns false.
///   errors   not_found, io; invalid_argument naming file and line. What came before the bad line was delivered.
Result<DecisionLogHeader> read_decision_log(const std::string& path,
                                            const std::function<bool(const DecisionLogHeader&)>& on_header,
                                            const std::function<bool(const DecisionRecord&)>& on_record);

}  // namespace mpca::runlog
