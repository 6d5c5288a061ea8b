#include "load/result_in_log.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/crc32c.h"
#include "core/random.h"
#include "core/text.h"

namespace mpca::load {
namespace {

using namespace std::chrono_literals;

/// Two phases over 60 seconds, ten requests in each, some of them failed; big enough for several lines.
LoadResult a_result() {
  LoadResult result;
  result.started_at = TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h + 3ns);
  result.length = 61s;
  RandomStream random(7, "latencies");
  for (int i = 0; i < 60; ++i) {
    if (i % 30 == 0) {
      PhaseResult& phase = result.phases.emplace_back();
      phase.phase = i / 30;
      phase.planned_start = i * 1s;
      phase.planned_length = 30s;
      phase.first_due = phase.planned_start;
    }
    PhaseResult& phase = result.phases.back();
    IntervalResult& interval = result.intervals.emplace_back();
    interval.start = i * 1s;
    interval.counts.due = 10;
    interval.counts.by_status = {{200, 8}, {503, 1}};
    interval.counts.succeeded = 8;
    interval.counts.by_error = {{"connection refused \"x\"", 1}};
    for (int k = 0; k < 10; ++k) {
      const Duration latency = from_seconds(0.02 + 0.2 * random.uniform());
      interval.latency.record(latency);
      phase.latency.record(latency);
    }
    phase.counts.add(interval.counts);
    phase.last_due = phase.last_end = interval.start + 900ms;
  }
  result.audit.lateness.record(20us, 600);
  result.audit.busiest_thread_cpu = 0.25;
  result.audit.findings = {"requests were sent late: p99.9 4.1ms (limit 1ms)"};
  return result;
}

TEST(ResultInLog, ReadsBackWhatWasWritten) {
  const LoadResult result = a_result();
  const auto again = parse_result_lines(result_lines(result));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(result_lines(*again), result_lines(result));
  EXPECT_EQ(again->started_at, result.started_at);
  EXPECT_EQ(again->total(), result.total());
  ASSERT_EQ(again->intervals.size(), 60U);
  EXPECT_EQ(again->intervals[59].start, 59s);
  EXPECT_EQ(again->intervals[59].latency, result.intervals[59].latency);
  EXPECT_EQ(again->audit.findings, result.audit.findings);
}

TEST(ResultInLog, LinesOfOthersAndCarriageReturnsDoNoHarm) {
  std::string log = "warming up\n";
  const std::string lines = result_lines(a_result());
  EXPECT_GT(std::count(lines.begin(), lines.end(), '\n'), 3) << "several pieces";
  for (const std::string_view line : split(lines, '\n')) {
    EXPECT_LT(line.size(), 8192U) << "container runtimes cut at 16 KiB";
    log += cat(line, "\r\nsomebody else says something\n");
  }
  const auto again = parse_result_lines(log);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->total(), a_result().total());
}

TEST(ResultInLog, TheLastOneCounts) {
  LoadResult later = a_result();
  later.length = 99s;
  EXPECT_EQ(parse_result_lines(result_lines(a_result()) + result_lines(later))->length, 99s);
}

TEST(ResultInLog, WhatIsNotAllThereIsNone) {
  const std::string lines = result_lines(a_result());
  EXPECT_EQ(parse_result_lines("hello\n").error().code, ErrorCode::not_found);
  const auto cut = parse_result_lines(lines.substr(0, lines.size() / 2));
  ASSERT_FALSE(cut);
  EXPECT_TRUE(cut.error().message.starts_with("the log holds ")) << cut.error().message;
  std::string damaged = lines;
  damaged[damaged.find("started_at_ns")] = 'S';
  EXPECT_EQ(parse_result_lines(damaged).error().message, "the result in the log is damaged: its checksum is another");
}

TEST(ResultInLog, WhatHasTheRightChecksumAndIsNoResultIsRefusedInWords) {
  const auto refusal = [](const std::string& document) {
    return parse_result_lines(cat("loadgen-result head ", crc32c(document), " 1\nloadgen-result 0 ", document, "\n"))
        .error()
        .message;
  };
  EXPECT_EQ(refusal("{"), "the log's result is not JSON");
  EXPECT_EQ(refusal(std::string(101, '[') + std::string(101, ']')), "the log's result is not JSON");
  EXPECT_EQ(refusal(R"({"format":"another"})"), "the log's result is of another format");
  EXPECT_TRUE(refusal("[]").starts_with("the log's result cannot be read: ")) << refusal("[]");
}

}  // namespace
}  // namespace mpca::load
