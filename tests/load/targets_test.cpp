#include "load/targets.h"

#include <gtest/gtest.h>

#include "core/text.h"
#include "load/internal/url.h"

namespace mpca::load {
namespace {

Result<std::string> body_of(const std::string& path) {
  if (path == "missing") return fail(ErrorCode::not_found, "file not found: missing");
  return "content of " + path;
}

Result<std::vector<Target>> parse(std::string_view text) { return parse_targets(text, body_of); }

std::string refusal(std::string_view text) {
  const auto targets = parse(text);
  return targets ? "read" : targets.error().message;
}

TEST(Targets, ReadVegetasFormat) {
  const auto targets = parse(
      "# two requests\n"
      "GET http://goku:9090/path/to/dragon?item=balls\n"
      "\n"
      "POST https://[::1]:8443/things\r\n"
      "X-Account-ID: 8675309\r\n"
      "Authorization:Bearer a:b\n"
      "# the body\n"
      "@body.json\n");
  ASSERT_TRUE(targets.has_value()) << targets.error().message;
  ASSERT_EQ(targets->size(), 2u);
  EXPECT_EQ((*targets)[0], (Target{"GET", "http://goku:9090/path/to/dragon?item=balls", {}, "", 0.0}));
  EXPECT_EQ((*targets)[1], (Target{"POST",
                                   "https://[::1]:8443/things",
                                   {{"X-Account-ID", "8675309"}, {"Authorization", "Bearer a:b"}},
                                   "content of body.json",
                                   0.0}));
}

TEST(Targets, ATargetMayFollowWithoutABlankLine) {
  EXPECT_EQ(parse("GET http://a/\nGET http://b/\nX: y\nHEAD http://c/\n")->size(), 3u);
}

TEST(Targets, OnceOneHasAWeightTheOthersHaveOne) {
  const auto targets = parse("GET http://a/ weight=2.5\nGET http://b/\n");
  EXPECT_EQ((*targets)[0].weight, 2.5);
  EXPECT_EQ((*targets)[1].weight, 1.0);
}

TEST(Targets, EveryBadLineIsNamed) {
  EXPECT_EQ(refusal("GET\n\nGET ftp://a/\n\nGET http://a/\nno header\n@missing\n\nGET http://a/ weight=0\n"),
            "line 1: is \"GET\"; must be `METHOD URL`, or `METHOD URL weight=N`\n"
            "line 3: \"ftp://a/\" is no URL: must begin with http:// or https://\n"
            "line 6: is \"no header\"; must be `Name: value`\n"
            "line 7: file not found: missing\n"
            "line 9: is \"weight=0\" after the URL; must be weight=N with N > 0");
  EXPECT_EQ(refusal("# nothing\n\n"), "no target; must hold at least one line `METHOD URL`");
}

TEST(Url, IsCutIntoWhatAClientNeeds) {
  EXPECT_EQ(parse_url("http://host").value(), (Url{false, "host", 80, "host", "/"}));
  EXPECT_EQ(parse_url("https://host:443/a?b#c").value(), (Url{true, "host", 443, "host", "/a?b"}));
  EXPECT_EQ(parse_url("http://[::1]:81?q").value(), (Url{false, "::1", 81, "[::1]:81", "/?q"}));
  for (const std::string_view bad : {"", "host", "http://", "http://a:0", "http://a:99999", "http://a:x", "http://u@a",
                                     "http://a b", "http://[::1", "http://::1/", "http://a/\n"}) {
    EXPECT_FALSE(parse_url(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace mpca::load
