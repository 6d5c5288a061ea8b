#include "kube/label_selector.h"

#include <gtest/gtest.h>

namespace mpca::kube {
namespace {

bool selects(std::string_view text, const Labels& labels) {
  const auto selector = LabelSelector::parse(text);
  EXPECT_TRUE(selector) << text;
  return selector && selector->matches(labels);
}

TEST(LabelSelector, AllRequirementsHaveToHold) {
  const Labels web = {{"app", "web"}, {"tier", "front"}};
  EXPECT_TRUE(selects("app=web", web));
  EXPECT_TRUE(selects("app==web , tier=front", web));
  EXPECT_FALSE(selects("app=web,tier=back", web));
  EXPECT_TRUE(selects("app!=shop", web));
  EXPECT_FALSE(selects("app!=web", web));
}

TEST(LabelSelector, SetsAndPresence) {
  const Labels web = {{"app", "web"}, {"example.com/tier", "front"}};
  EXPECT_TRUE(selects("app in (shop, web),example.com/tier", web));
  EXPECT_FALSE(selects("app notin (shop,web)", web));
  EXPECT_FALSE(selects("!app", web));
  EXPECT_TRUE(selects("!canary,app", web));
}

// As the API server has it: who has no such label is not among the listed, either.
TEST(LabelSelector, AnObjectWithoutTheLabelIsNotIn) {
  EXPECT_TRUE(selects("app!=web", {}));
  EXPECT_TRUE(selects("app notin (web)", {}));
  EXPECT_FALSE(selects("app=web", {}));
}

TEST(LabelSelector, AnEmptyValueIsAValue) {
  EXPECT_TRUE(selects("app=", {{"app", ""}}));
  EXPECT_FALSE(selects("app=", {{"app", "web"}}));
}

TEST(LabelSelector, WhatIsNoSelectorIsRefused) {
  for (const char* text :
       {"", "  ", "=web", "app in web", "app in (a", "app within (a)", "app=web,,tier=x", "a b", "app=we b"})
    EXPECT_FALSE(LabelSelector::parse(text)) << text;
}

TEST(LabelSelector, TheObjectOfADeploymentMeansTheSame) {
  const auto object = LabelSelector::parse_object(
      R"({"matchLabels":{"app":"web"},"matchExpressions":[{"key":"tier","operator":"In","values":["front","edge"]},)"
      R"({"key":"canary","operator":"DoesNotExist"}]})");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object, *LabelSelector::parse("app=web,tier in (front,edge),!canary"));
}

TEST(LabelSelector, AnObjectThatSelectsAllOrNothingKnownIsRefused) {
  for (const char* text :
       {"{}", "[]", R"({"matchLabels":{}})", R"({"matchExpressions":[{"key":"a","operator":"Near","values":["b"]}]})"})
    EXPECT_FALSE(LabelSelector::parse_object(text)) << text;
}

}  // namespace
}  // namespace mpca::kube
