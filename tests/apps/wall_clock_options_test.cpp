// `--time-zone` and `--starts-at`, and what they are for: a run with a calendar, called as main calls it.
#include "mpc-autoscaler/wall_clock_options.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "apps/call_command.h"
#include "core/os/file.h"
#include "core/text.h"
#include "support/temporary_directory.h"

namespace mpca::app {
namespace {

using namespace std::chrono_literals;

/// Four hours of 60 requests/s, a row a minute.
std::string trace_file(const test::TemporaryDirectory& directory) {
  std::string csv = "step,timestamp_s,rps\n";
  for (int i = 0; i < 240; ++i) csv += cat(i, ",", 60 * i, ",60\n");
  const std::string path = directory.file("web.csv");
  EXPECT_TRUE(os::write_file(path, csv));
  return path;
}

/// A sale from 2:30 to 4:00 local time of the night in which Berlin's clocks go back, at 3:00 to 2:00: 0:30 to 3:00
/// UTC.
std::string calendar_file(const test::TemporaryDirectory& directory) {
  const std::string path = directory.file("shop.yaml");
  EXPECT_TRUE(os::write_file(path,
                             "timeZone: Europe/Berlin\n"
                             "events:\n"
                             "  - {name: night sale, start: 2026-10-25T02:30, end: 2026-10-25T04:00, factor: 2}\n"
                             "alike:\n"
                             "  - {name: holidays, days: [2026-10-25]}\n"));
  return path;
}

// By hand: 20,751 days from 1970-01-01 to 2026-10-25 (56 years of 365 days, 14 leap days, 297 of 2026); two hours less
// in UTC.
TEST(WallClockOptions, AreALocalTimeInItsZoneAndTheOffsetsFromThereOn) {
  const auto clock = wall_clock({.time_zone = "Europe/Berlin", .starts_at = "2026-10-25T00:00"});
  ASSERT_TRUE(clock) << clock.error().message;
  EXPECT_EQ(clock->time_zone, "Europe/Berlin");
  EXPECT_EQ(clock->ahead, (56 * 365 + 14 + 297) * 24h - 2h);
  EXPECT_EQ(clock->offsets.at(TimePoint(clock->ahead)), 2h);
  EXPECT_EQ(clock->offsets.at(TimePoint(clock->ahead + 3h)), 1h) << "back from summer time";
  EXPECT_EQ(wall_clock({}).value().ahead, 0s);
  EXPECT_EQ(wall_clock({}).value().offsets.at(TimePoint{}), 0s);
}

TEST(WallClockOptions, BadValuesAreAllNamedAndNothingIsWritten) {
  const test::TemporaryDirectory directory;
  const std::string trace = trace_file(directory);
  const Command commands[] = {compare_command(), backtest_command(), tune_command()};
  for (const Command& command : commands) {
    Flags flags = {{"trace", trace}, {"time-zone", "Europe/Berln"}, {"starts-at", "2026-11-20"}};
    flags.emplace_back(command.path == "tune" ? "json" : "out", directory.file("out"));
    const Answer answer = call(command, flags);
    EXPECT_EQ(answer.code, 2) << command.path;
    for (const char* words : {"--time-zone is \"Europe/Berln\"", "did you mean \"Europe/Berlin\"?",
                              "--starts-at is \"2026-11-20\"; must be a local time such as 2026-11-20T00:00"})
      EXPECT_NE(answer.err.find(words), std::string::npos) << command.path << ": " << words << "\nin\n" << answer.err;
  }
  EXPECT_EQ(directory.names(), std::vector<std::string>{"web.csv"});
}

TEST(WallClockOptions, ACalendarWithoutADateIsRefused) {
  const test::TemporaryDirectory directory;
  const std::string trace = trace_file(directory);
  const std::string policy = cat("predictive:calendar=@", calendar_file(directory));
  for (const auto& [command, flag] : {std::pair(compare_command(), "policy"), std::pair(backtest_command(), "policy"),
                                      std::pair(tune_command(), "present")}) {
    Flags flags = {{"trace", trace}, {flag, policy}};
    flags.emplace_back(command.path == "tune" ? "json" : "out", directory.file("out"));
    const Answer answer = call(command, flags);
    EXPECT_EQ(answer.code, 2) << command.path;
    EXPECT_TRUE(answer.err.starts_with(cat("--", flag, " predictive:calendar=night sale@"))) << answer.err;
    EXPECT_NE(answer.err.find(": a calendar needs --starts-at, the date of the trace's beginning"), std::string::npos)
        << answer.err;
  }
  const Answer tune = call(tune_command(), {{"trace", trace}, {"calendar", calendar_file(directory)}});
  EXPECT_EQ(tune.code, 2);
  EXPECT_EQ(tune.err, "--calendar needs --starts-at, the date of the trace's beginning");
  const Answer missing = call(tune_command(), {{"trace", trace}, {"calendar", directory.file("no.yaml")}});
  EXPECT_EQ(missing.code, 2);
  EXPECT_TRUE(missing.err.starts_with("--calendar: file not found")) << missing.err;
}

TEST(WallClockOptions, ACompareRunWithACalendarReplaysBitForBitAndItsConfigurationSaysWhenAndWhere) {
  const test::TemporaryDirectory directory;
  const std::string out = directory.file("out");
  const std::string lags = directory.file("lags.txt");
  ASSERT_TRUE(os::write_file(lags, "20s\n40s\n"));
  const Answer compared = call(compare_command(), {{"trace", trace_file(directory)},
                                                   {"policy", cat("predictive:calendar=@", calendar_file(directory))},
                                                   {"world", "fluid"},
                                                   {"set", cat("readiness-lag=@", lags)},
                                                   {"time-zone", "Europe/Berlin"},
                                                   {"starts-at", "2026-10-25T00:00"},
                                                   {"out", out}});
  ASSERT_EQ(compared.code, 0) << compared.err;
  std::string run;
  for (const auto& entry : std::filesystem::directory_iterator(out + "/web")) run = entry.path();
  const std::string config = os::read_file(run + "/config.json").value();
  for (const char* line : {"\"time-zone\": \"Europe/Berlin\"", "\"starts-at\": \"2026-10-24T22:00:00Z\"",
                           "calendar=night sale@2026-10-25T00:30:00Z/2026-10-25T03:00:00Z*2;holidays=2026-10-25"})
    EXPECT_NE(config.find(line), std::string::npos) << line << "\nin\n" << config;
  const std::string log = os::read_file(run + "/decisions.jsonl").value();
  EXPECT_NE(log.find("event: night sale"), std::string::npos) << "the event was met";
  EXPECT_NE(log.find("\"utc_offset_ns\":7200000000000"), std::string::npos);
  EXPECT_NE(log.find("\"utc_offset_ns\":3600000000000"), std::string::npos) << "and so was the change of the clocks";

  const Answer replayed = call(replay_command(), {{"log", run + "/decisions.jsonl"}});
  EXPECT_EQ(replayed.code, 0) << replayed.out;
  EXPECT_NE(replayed.out.find(" 960 the same, 0 with other replicas, 0 with another explanation only"),
            std::string::npos)
      << replayed.out;
}

}  // namespace
}  // namespace mpca::app
