#include "hpa/selector.h"

#include <gtest/gtest.h>

namespace mpca::hpa {
namespace {

const Labels kWeb = {{"app", "web"}, {"tier", "front"}, {"shop.example/size", "5"}};

bool matches(std::string_view text) {
  const auto selector = Selector::parse(text);
  EXPECT_TRUE(selector) << text;
  return selector && selector->matches(kWeb);
}

TEST(Selector, AllItsRequirementsMustHold) {
  EXPECT_TRUE(matches("app=web,tier==front"));
  EXPECT_FALSE(matches("app=web,tier=back"));
  EXPECT_TRUE(matches("app"));
  EXPECT_FALSE(matches("canary"));
  EXPECT_TRUE(matches("!canary"));
  EXPECT_FALSE(matches("!app"));
  EXPECT_TRUE(matches(" app in ( web , api ) , tier notin (back)"));
  EXPECT_TRUE(matches("shop.example/size>4"));
  EXPECT_FALSE(matches("shop.example/size<5"));
}

TEST(Selector, NotEqualAndNotInAlsoMatchWhereTheLabelIsAbsent) {
  EXPECT_TRUE(matches("team!=blue"));
  EXPECT_TRUE(matches("team notin (blue,red)"));
  EXPECT_FALSE(matches("app!=web"));
  EXPECT_FALSE(matches("team in (blue)"));
}

TEST(Selector, AValueMayBeEmpty) {
  EXPECT_FALSE(matches("app="));
  EXPECT_TRUE(Selector::parse("app=,tier")->matches({{"app", ""}, {"tier", "x"}}));
}

TEST(Selector, OtherTextsAreRefused) {
  for (const char* text : {"blue team", "app=web,", "=web", "app=(web)", "app in web", "app in (web", "-app",
                           "app=we b", "app>many", "!", "a/b/c", "app=_x"})
    EXPECT_FALSE(Selector::parse(text)) << text;
}

TEST(Selector, AnotherAutoscalersSelectorIsAmbiguousOnlyWhereItMatchesAPod) {
  const std::vector<Labels> pods = {kWeb, {{"app", "api"}}};
  const std::vector<Selector> others = {*Selector::parse("tier=front")};
  EXPECT_EQ(selector_state("app=web", pods, others), SelectorState::ambiguous);
  EXPECT_EQ(selector_state("app=api", pods, others), SelectorState::valid);
  EXPECT_EQ(selector_state("app=web", {}, others), SelectorState::valid);
  EXPECT_EQ(selector_state("", pods, others), SelectorState::missing);
  EXPECT_EQ(selector_state("blue team", pods, others), SelectorState::unparsable);
}

}  // namespace
}  // namespace mpca::hpa
