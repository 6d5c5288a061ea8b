#include "prom/exposition.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mpca::prom {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

// The format's page, prometheus.io/docs/instrumenting/exposition_formats, shows such a text.
TEST(Exposition, ReadsSamplesAndSkipsTheRest) {
  const auto samples = parse_exposition(
      "# HELP http_requests_total The total number of HTTP requests.\n"
      "# TYPE http_requests_total counter\n"
      "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
      "\n"
      "# Minimalistic line:\n"
      "metric_without_timestamp_and_labels 12.47\n"
      "something_weird{problem=\"division by zero\"} +Inf -3982045\n"
      "http_request_duration_seconds_bucket{le=\"+Inf\"} 144320\n"
      "job:requests:rate1m NaN\n"
      "#no blank after the sign\n"
      "last 1e-3");
  ASSERT_TRUE(samples.has_value()) << samples.error().message;
  ASSERT_EQ(samples->size(), 6u);
  EXPECT_EQ((*samples)[0].name, "http_requests_total");
  EXPECT_EQ((*samples)[0].labels, (Labels{{"method", "post"}, {"code", "200"}}));
  EXPECT_EQ((*samples)[0].value, 1027.0);
  EXPECT_EQ((*samples)[1].value, 12.47);
  EXPECT_TRUE((*samples)[1].labels.empty());
  EXPECT_TRUE(std::isinf((*samples)[2].value));
  EXPECT_EQ(label((*samples)[3], "le"), "+Inf");
  EXPECT_EQ(label((*samples)[3], "code"), "");
  EXPECT_TRUE(std::isnan((*samples)[4].value));
  EXPECT_EQ((*samples)[5].value, 0.001);
}

TEST(Exposition, BlanksCommasAndEscapesAsTheFormatAllowsThem) {
  const auto samples = parse_exposition("  a \t{ b = \"x\" , c=\"\\\\ \\\" \\n \\t } ,\" , } \t 1 \t 2 \t\r\nd{} 2\n");
  ASSERT_TRUE(samples.has_value()) << samples.error().message;
  EXPECT_EQ((*samples)[0].labels, (Labels{{"b", "x"}, {"c", "\\ \" \n \\t } ,"}}));
  EXPECT_EQ((*samples)[0].value, 1.0);
  EXPECT_EQ((*samples)[1].name, "d");
}

TEST(Exposition, NothingIsNoSamples) {
  EXPECT_TRUE(parse_exposition("").value().empty());
  EXPECT_TRUE(parse_exposition("\n\n# only words\n").value().empty());
}

TEST(Exposition, TheFirstBadLineIsNamed) {
  const auto message = [](std::string_view line) {
    const auto parsed = parse_exposition("good 1\n" + std::string(line) + "\nworse{\n");
    return parsed ? std::string("accepted") : parsed.error().message;
  };
  EXPECT_EQ(message("<html>"), "line 2: a metric name has to begin with a letter, _ or :");
  EXPECT_EQ(message("a"), "line 2: the value is \"\"; must be a number, NaN, +Inf or -Inf");
  EXPECT_EQ(message("a one"), "line 2: the value is \"one\"; must be a number, NaN, +Inf or -Inf");
  EXPECT_EQ(message("a 1 1.5"), "line 2: the timestamp is \"1.5\"; must be whole milliseconds");
  EXPECT_EQ(message("a 1 2 3"), "line 2: \"3\" after the timestamp");
  EXPECT_EQ(message("a{2=\"x\"} 1"), "line 2: a label name has to begin with a letter or _");
  EXPECT_EQ(message("a{b:c=\"x\"} 1"), "line 2: label b needs = and a value in quotes");
  EXPECT_EQ(message("a{b=x} 1"), "line 2: label b needs a value in quotes");
  EXPECT_EQ(message("a{b=\"x} 1"), "line 2: the value of label b has no closing quote");
  EXPECT_EQ(message("a{b=\"x\\"), "line 2: the value of label b has no closing quote");
  EXPECT_EQ(message("a{b=\"x\" c=\"y\"} 1"), "line 2: labels have to end with }");
  EXPECT_EQ(message("a{,} 1"), "line 2: a label name has to begin with a letter or _");
  EXPECT_EQ(message("a{b=\"x\",,} 1"), "line 2: a label name has to begin with a letter or _");
}

}  // namespace
}  // namespace mpca::prom
