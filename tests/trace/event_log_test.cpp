#include "trace/event_log.h"

#include <gtest/gtest.h>

#include <random>

#include "core/text.h"

namespace mpca::trace {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::string log_line(std::string_view time_of_day) {
  return cat("10.0.0.1 - - [10/Oct/2000:", time_of_day, " +0000] \"GET /index.html HTTP/1.0\" 200 2326\n");
}

struct Read {
  Result<Imported> imported;
  EventCounts counts;
};

Read read(std::string_view text, EventLogOptions options = {}) {
  EventLogReader reader(options);
  reader.feed(text);
  auto imported = reader.finish("log");
  return {std::move(imported), reader.counts()};
}

TEST(EventLog, RequestsAreCountedIntoStepsFromTheFirstOne) {
  // Steps of 10 s from 12:00:05: three requests, none, one; the step that begins at 12:00:35 is not finished.
  const auto [imported, counts] = read(
      log_line("12:00:05") + log_line("12:00:05") + log_line("12:00:14") + log_line("12:00:25") + log_line("12:00:35"),
      {.step = seconds(10)});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->trace.demand_rps, (std::vector<double>{0.3, 0.0, 0.1}));
  EXPECT_EQ(imported->trace.step, seconds(10));
  EXPECT_EQ(counts.counted, 4);
  EXPECT_EQ(counts.in_last_step, 1);
  EXPECT_EQ(imported->notes, (std::vector<std::string>{"begins at 2000-10-10T12:00:05Z; 4 requests in 3 steps",
                                                       "the last, unfinished step was dropped (1 request)"}));
}

TEST(EventLog, TheCombinedFormatAndAwkwardLinesAreRead) {
  const std::string text =
      "::1 - frank [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 5 \"http://a/\" \"Mozilla/4.08 [en]\"\r\n"
      "host.example.com - user name [10/Oct/2000:13:55:37 -0700] \"GET /\\\"x\\\" HTTP/1.1\" 404 -\n"
      "host - - [10/Oct/2000:13:56:37 -0700] \"\" 400 0";  // no line end
  const auto [imported, counts] = read(text);
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(counts.lines, 3);
  EXPECT_EQ(counts.unreadable, 0);
}

TEST(EventLog, LinesALittleOutOfOrderStillCount) {
  const auto [imported, counts] = read(log_line("12:00:30") + log_line("12:01:00") + log_line("12:00:31") +
                                       log_line("12:00:29") + log_line("12:01:30"));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->trace.demand_rps[0], 2.0 / 15.0);
  EXPECT_EQ(counts.before_begin, 1);
}

TEST(EventLog, ALineFarBehindIsNotCountedAndSaid) {
  std::string text = log_line("12:00:00");
  for (int i = 0; i < 200; ++i) text += log_line("12:10:00");
  text += log_line("12:04:59");
  const auto [imported, counts] = read(text, {.step = minutes(1), .late = minutes(5)});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(counts.too_late, 1);
  EXPECT_EQ(imported->notes.back(), "line 202: 2000-10-10T12:04:59Z is more than 5m behind 2000-10-10T12:10:00Z");
}

TEST(EventLog, AFewUnreadableLinesAreReportedAndManyAreRefused) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += log_line(i < 75 ? "12:00:00" : "12:01:00");
  const auto one_bad = read(text + "garbage\n").imported;
  ASSERT_TRUE(one_bad);
  EXPECT_EQ(one_bad->notes[2], "1 of 151 lines could not be used:");
  EXPECT_EQ(one_bad->notes[3], "line 151: not a line of the Common Log Format");
  const auto two_bad = read("garbage\n" + text + "host - - [32/Oct/2000:12:00:00 +0000] \"GET /\" 200 1\n").imported;
  ASSERT_FALSE(two_bad);
  EXPECT_EQ(two_bad.error().message,
            "2 of 152 lines cannot be used, more than the allowed 1 %; allow a larger share if that is harmless:\n"
            "line 1: not a line of the Common Log Format\nline 152: not a line of the Common Log Format");
}

TEST(EventLog, AClockErrorFarInTheFutureDoesNotFillTheMemory) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += log_line(i < 75 ? "12:00:00" : "12:01:00");
  text += "host - - [10/Oct/2100:12:00:00 +0000] \"GET /\" 200 1\n";
  const auto [imported, counts] = read(text);
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(counts.unreadable, 1);
  EXPECT_EQ(imported->trace.demand_rps.size(), 4u);
}

TEST(EventLog, GarbageWithoutLineEndsIsOneUnreadableLine) {
  EventLogReader reader({});
  for (int i = 0; i < 100; ++i) reader.feed(std::string(1 << 16, 'x'));
  const auto imported = reader.finish("log");
  ASSERT_FALSE(imported);
  EXPECT_EQ(reader.counts().lines, 1);
}

TEST(EventLog, OneTimeStampPerLine) {
  const auto [imported, counts] = read("1700000000\n1700000000.5\n\n2023-11-14T22:13:35Z\r\n1700000031000\n",
                                       {.format = EventLogFormat::timestamps, .step = seconds(10)});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->trace.demand_rps, (std::vector<double>{0.2, 0.1, 0.0}));  // 22:13:20 is 1700000000
  EXPECT_EQ(counts.lines, 4);
}

TEST(EventLog, TooLittleIsAnErrorAndNotAGuess) {
  EXPECT_EQ(read("").imported.error().code, ErrorCode::not_enough_data);
  EXPECT_EQ(read(log_line("12:00:00")).imported.error().message,
            "the log covers less than one step of 15s; use a shorter step");
  EXPECT_EQ(read(log_line("12:00:00"), {.step = seconds(0)}).imported.error().message,
            "the step of a trace must be > 0");
}

TEST(EventLog, AnySplitIntoPiecesGivesTheSameTrace) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (int i = 0; i < 30; ++i) {
      const auto second = static_cast<int>(random() % 60);
      text += random() % 10 == 0 ? "x\n" : log_line(cat("12:0", i / 10, second < 10 ? ":0" : ":", second));
    }
    const EventLogOptions options{.max_unusable_share = 1.0};
    const auto whole = read(text, options).imported;
    EventLogReader reader(options);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t size = random() % 100;
      reader.feed(std::string_view(text).substr(begin, size));
      begin += size;
    }
    const auto pieces = reader.finish("log");
    ASSERT_EQ(whole.has_value(), pieces.has_value());
    if (whole) {
      ASSERT_EQ(*whole, *pieces);
    }
  }
}

}  // namespace
}  // namespace mpca::trace
