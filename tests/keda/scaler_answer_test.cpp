// What KEDA is told, and when it is told nothing so that its fallback acts.
#include "keda/scaler_answer.h"

#include <gtest/gtest.h>

namespace mpca::keda {
namespace {

using namespace std::chrono_literals;

Source knows(std::optional<LastDecision> last, bool leads = true) {
  return {.is_leading = [leads] { return leads; },
          .find = [last](const std::string& namespace_name, const std::string& name) -> std::optional<LastDecision> {
            return namespace_name == "shop" && name == "web" ? last : std::nullopt;
          }};
}

const ScaledObject kWeb{.namespace_name = "shop", .name = "web-scaler", .metadata = {{"autoscaler", "web"}}};

TEST(ScalerAnswer, TheReplicasOfTheLastDecision) {
  const Answer found = answer(kWeb, knows(LastDecision{.desired_replicas = 7, .age = 20s, .period = 15s}));
  EXPECT_FALSE(found.refusal);
  EXPECT_EQ(found.desired_replicas, 7);
}

TEST(ScalerAnswer, WithoutMetadataTheObjectOfTheSameName) {
  const Source source = knows(LastDecision{.desired_replicas = 3, .age = 0s, .period = 15s});
  EXPECT_EQ(answer({.namespace_name = "shop", .name = "web", .metadata = {{"scalerAddress", "x:1"}}}, source)
                .desired_replicas,
            3);
  const Answer other = answer({.namespace_name = "shop", .name = "shop-web", .metadata = {}}, source);
  EXPECT_EQ(other.refusal, Refusal::not_found);
  EXPECT_EQ(other.message,
            "there is no PredictiveAutoscaler shop/shop-web; the trigger's metadata `autoscaler` names one of the "
            "ScaledObject's namespace");
}

// Three periods of 15 s are less than a minute; three of 40 s are two minutes.
TEST(ScalerAnswer, AnOldDecisionIsNotPassedOn) {
  const auto refusal = [](Duration age, Duration period) {
    return answer(kWeb, knows(LastDecision{.desired_replicas = 7, .age = age, .period = period})).refusal;
  };
  EXPECT_EQ(refusal(60s, 15s), std::nullopt);
  EXPECT_EQ(refusal(61s, 15s), Refusal::unavailable);
  EXPECT_EQ(refusal(120s, 40s), std::nullopt);
  EXPECT_EQ(refusal(121s, 40s), Refusal::unavailable);
  EXPECT_EQ(refusal(-5s, 15s), std::nullopt) << "the clock was set back";
}

TEST(ScalerAnswer, NoDecisionYetAndNotLeadingAreUnavailable) {
  const Answer none = answer(kWeb, knows(LastDecision{.desired_replicas = 0, .age = std::nullopt, .period = 15s}));
  EXPECT_EQ(none.refusal, Refusal::unavailable);
  EXPECT_EQ(none.message, "nothing was decided for PredictiveAutoscaler shop/web yet; its conditions say why");
  const Answer standby = answer(kWeb, knows(LastDecision{.desired_replicas = 7, .age = 0s, .period = 15s}, false));
  EXPECT_EQ(standby.refusal, Refusal::unavailable);
  EXPECT_EQ(standby.message, "this process stands by; the one that leads decides, and answers");
}

TEST(ScalerAnswer, NamesThatAreNoneAreRefusedAndNotRepeated) {
  const Source source = knows(LastDecision{.desired_replicas = 7, .age = 0s, .period = 15s});
  for (const std::string& name : {std::string(), std::string("../web"), std::string("shop/web"), std::string("Web"),
                                  std::string("web\n2026 forged line"), std::string("a\0b", 3), std::string(254, 'a'),
                                  std::string("-web"), std::string("w\xc3\xa9")}) {
    const Answer found = answer({.namespace_name = "shop", .name = "web", .metadata = {{"autoscaler", name}}}, source);
    EXPECT_EQ(found.refusal, Refusal::bad_request) << name;
    EXPECT_EQ(found.message.find("forged"), std::string::npos);
    EXPECT_EQ(answer({.namespace_name = name, .name = "web", .metadata = {}}, source).refusal, Refusal::bad_request);
  }
}

}  // namespace
}  // namespace mpca::keda
