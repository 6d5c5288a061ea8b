#include "workload/work_request.h"

#include <gtest/gtest.h>

namespace mpca::workload {
namespace {

constexpr std::size_t kMaxIdBytes = 8;

TEST(WorkRequest, AnEmptyQueryAsksForNothing) { EXPECT_EQ(parse_work_query("", kMaxIdBytes).value(), WorkRequest{}); }

TEST(WorkRequest, EveryParameterIsReadAndClamped) {
  const auto read = parse_work_query(
      "cpu_ms=20&sleep_ms=-7&jitter_ms=5001&payload_bytes=9999999&err_rate=0.25&id=abcdefghijk&other=1", kMaxIdBytes);
  const WorkRequest expected{
      .cpu_ms = 20, .sleep_ms = 0, .jitter_ms = 5000, .payload_bytes = 1048576, .err_rate = 0.25, .id = "abcdefgh"};
  EXPECT_EQ(read.value(), expected);
}

TEST(WorkRequest, ReadsAsGosQueryDoes) {
  const auto cpu_ms = [](std::string_view query) { return parse_work_query(query, kMaxIdBytes).value().cpu_ms; };
  EXPECT_EQ(cpu_ms("cpu_ms=1&cpu_ms=2"), 1);  // the first counts
  EXPECT_EQ(cpu_ms("cpu_ms="), 0);            // empty is not given
  EXPECT_EQ(cpu_ms("cpu_ms"), 0);
  EXPECT_EQ(cpu_ms("%63pu_ms=%31%32"), 12);     // percent-encoded
  EXPECT_EQ(cpu_ms("cpu_ms=%zz&cpu_ms=3"), 3);  // no encoding: passed over
  EXPECT_EQ(cpu_ms("cpu_ms=%3&&cpu_ms=3"), 3);
  EXPECT_EQ(cpu_ms("a;cpu_ms=4&cpu_ms=3"), 3);  // no separator since Go 1.17
  EXPECT_EQ(cpu_ms("cpu_ms=%2B4"), 4);          // a sign
}

TEST(WorkRequest, WhatIsNoNumberIsNamed) {
  const struct {
    const char* query;
    const char* message;
  } cases[] = {
      {"cpu_ms=x", "invalid cpu_ms: must be an integer"},
      {"cpu_ms=1.5", "invalid cpu_ms: must be an integer"},
      {"cpu_ms=+1", "invalid cpu_ms: must be an integer"},  // a space, in a query
      {"sleep_ms=99999999999999999999", "invalid sleep_ms: must be an integer"},
      {"jitter_ms=0x10", "invalid jitter_ms: must be an integer"},
      {"payload_bytes=1k", "invalid payload_bytes: must be an integer"},
      {"err_rate=1.01", "invalid err_rate: must be a number in [0, 1]"},
      {"err_rate=nan", "invalid err_rate: must be a number in [0, 1]"},
      {"err_rate=often", "invalid err_rate: must be a number in [0, 1]"},
  };
  for (const auto& one : cases) {
    const auto read = parse_work_query(one.query, kMaxIdBytes);
    ASSERT_FALSE(read.has_value()) << one.query;
    EXPECT_EQ(read.error().message, one.message);
  }
}

}  // namespace
}  // namespace mpca::workload
