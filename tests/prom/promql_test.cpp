#include "prom/promql.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/random.h"
#include "core/text.h"
#include "support/promql_string.h"

namespace mpca::prom {
namespace {

using namespace std::chrono_literals;

TEST(EscapeLabelValue, QuotesBackslashesAndLineEndsCannotLeaveTheQuotes) {
  EXPECT_EQ(escape_label_value("plain-name_1"), "plain-name_1");
  EXPECT_EQ(escape_label_value("a\"} or vector(1) #\\\n"), "a\\\"} or vector(1) #\\\\\\n");
}

TEST(EscapeLabelValue, WhatTheLexerDoesNotTakeBecomesHex) {
  EXPECT_EQ(escape_label_value("Grüße 東京 🚀"), "Grüße 東京 🚀");
  EXPECT_EQ(escape_label_value(std::string_view("\0\t\x7f", 3)), "\\x00\\x09\\x7f");
  EXPECT_EQ(escape_label_value("\xEF\xBF\xBD"), "\\xef\\xbf\\xbd");
  EXPECT_EQ(escape_label_value("a\xFF"), "a\\xff");
  EXPECT_EQ(escape_label_value("\xC3"), "\\xc3") << "cut off";
  EXPECT_EQ(escape_label_value("\xC0\xAF"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(escape_label_value("\xED\xA0\x80"), "\\xed\\xa0\\x80") << "half of a surrogate pair";
  EXPECT_EQ(escape_label_value("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
}

// Twenty thousand texts of hostile pieces and of any bytes.
TEST(EscapeLabelValue, IsReadBackAsTheSameBytesAndNothingFollowsIt) {
  constexpr std::string_view kPieces[] = {"\"", "\\", "\n",   "\r",           "}", "{", "\\x", "\\\"",     "é",
                                          "東", "🚀", "\xFF", "\xEF\xBF\xBD", "#", "`", "'",   "] or up[", "a"};
  RandomStream random(3, "labels");
  for (int i = 0; i < 20'000; ++i) {
    std::string value;
    for (std::uint64_t left = random.below(12); left > 0; --left) {
      if (random.below(3) == 0)
        value += static_cast<char>(random.below(256));
      else
        value += kPieces[random.below(std::size(kPieces))];
    }
    const std::string escaped = escape_label_value(value);
    ASSERT_FALSE(std::ranges::any_of(escaped, [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
    const auto read = test::read_promql_string(cat("\"", escaped, "\"}"));
    ASSERT_TRUE(read.has_value()) << escaped;
    ASSERT_EQ(read->first, value) << escaped;
    ASSERT_EQ(read->second, escaped.size() + 2) << escaped;
  }
}

TEST(PromqlDuration, IsWrittenInWholeUnits) {
  EXPECT_EQ(promql_duration(1min, "w").value(), "1m");
  EXPECT_EQ(promql_duration(90s, "w").value(), "1m30s");
  EXPECT_EQ(promql_duration(1500ms, "w").value(), "1s500ms");
  EXPECT_EQ(promql_duration(25h, "w").value(), "25h");
  EXPECT_EQ(promql_duration(1ms, "w").value(), "1ms");
}

TEST(PromqlDuration, WhatPrometheusCannotTakeIsRefused) {
  EXPECT_EQ(promql_duration(0s, "w").error().message, "w is 0s; must be > 0 in whole milliseconds");
  EXPECT_EQ(promql_duration(-15s, "w").error().message, "w is -15s; must be > 0 in whole milliseconds");
  EXPECT_EQ(promql_duration(1500us, "w").error().message, "w is 1.5ms; must be > 0 in whole milliseconds");
}

}  // namespace
}  // namespace mpca::prom
