// The rules of the lab's online controller, each by hand; then all of them against a slow restatement in words.
#include "policy/lab_online/lab_online.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/text.h"
#include "support/observations.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;

// Capacity 25 rps, target 0.7, 2 to 12 replicas: one replica carries 17.5 rps.
std::unique_ptr<Policy> make(const std::string& settings, const Workload& workload = {}) {
  auto policy = create_policy("lab-online:" + settings, workload, "test");
  EXPECT_TRUE(policy.has_value()) << policy.error().message;
  return *std::move(policy);
}

struct Seen {
  int desired = 4;
  int ready = 4;
  double rps = 70.0;
  double in_flight = 0.0;
};

Observation observed(int second, const Seen& seen) {
  Observation observation = test::observed(second, seen.desired, seen.rps);
  observation.ready_replicas = seen.ready;
  observation.in_flight_requests = Signal::fresh(seen.in_flight);
  return observation;
}

std::string guards_of(const Decision& decision) {
  std::string text;
  for (const GuardStep& step : decision.explanation.guards)
    text += cat(text.empty() ? "" : ", ", step.guard, " ", step.before, "->", step.after);
  return text;
}

// The reactive rule on the served rate makes proposals that are easy to see: ceil(rps / 17.5), at most 2 away.
const std::string kReactive = "control-mode=no_qp_reactive,demand-mode=served";

struct RuleCase {
  const char* name;
  const char* settings;
  Seen seen;
  int replicas;
  const char* guards;
};

void PrintTo(const RuleCase& rule_case, std::ostream* out) { *out << rule_case.name; }

class LabOnlineRule : public testing::TestWithParam<RuleCase> {};

TEST_P(LabOnlineRule, DecidesAsTheLabSays) {
  const RuleCase& rule_case = GetParam();
  const Decision decision = make(kReactive + rule_case.settings)->decide(observed(0, rule_case.seen));
  EXPECT_EQ(decision.replicas, rule_case.replicas);
  EXPECT_EQ(guards_of(decision), rule_case.guards);
}

INSTANTIATE_TEST_SUITE_P(
    Table, LabOnlineRule,
    testing::Values(
        RuleCase{"reactive_up", "", {4, 4, 100, 0}, 6, ""},  // 5.71
        RuleCase{"reactive_up_by_max_step", "", {4, 4, 200, 0}, 6, ""},
        RuleCase{"reactive_down_by_max_step", "", {8, 8, 10, 0}, 6, ""},
        RuleCase{"reactive_exact", "", {4, 4, 70, 0}, 4, ""}, RuleCase{"reactive_minimum", "", {3, 3, 0, 0}, 2, ""},
        RuleCase{"reactive_from_below_the_minimum_at_once", ",max-step=1", {1, 1, 0, 0}, 2, ""},
        RuleCase{"emergency_at_the_threshold", "", {4, 4, 70, 40}, 8, "emergency 4->8"},
        RuleCase{"emergency_below_the_threshold", "", {4, 4, 70, 39.9}, 4, ""},
        RuleCase{"emergency_ends_at_the_maximum", "", {10, 10, 175, 40}, 12, "emergency 10->12"},
        RuleCase{"emergency_counts_from_desired_not_from_the_proposal", "", {8, 8, 10, 40}, 12, "emergency 6->12"},
        RuleCase{"emergency_is_a_floor", ",emergency-step=1", {4, 4, 200, 40}, 6, ""},
        RuleCase{"emergency_to_the_maximum", ",emergency-mode=max", {4, 4, 70, 40}, 12, "emergency 4->12"},
        RuleCase{"capacity_at_the_fraction", ",capacity-trigger-fraction=0.8", {5, 4, 56, 0}, 7, "capacity 4->7"},
        RuleCase{"capacity_below_the_fraction", ",capacity-trigger-fraction=0.8,max-step=1", {4, 4, 55.9, 0}, 4, ""},
        RuleCase{"capacity_of_one_is_on", ",capacity-trigger-fraction=1", {4, 4, 70, 0}, 6, "capacity 4->6"},
        RuleCase{"capacity_above_one_is_off", ",capacity-trigger-fraction=1.01", {4, 4, 80, 0}, 5, ""},
        RuleCase{"capacity_zero_is_off", ",capacity-trigger-fraction=0", {4, 4, 70, 0}, 4, ""},
        RuleCase{"capacity_needs_load", ",capacity-trigger-fraction=0.5", {2, 0, 0, 0}, 2, ""},
        RuleCase{"capacity_with_nothing_ready", ",capacity-trigger-fraction=0.5", {2, 0, 1, 0}, 4, "capacity 2->4"},
        RuleCase{"blocked_above_the_inflight_threshold",
                 ",downscale-inflight-threshold=3",
                 {8, 8, 10, 3.1},
                 8,
                 "downscale_inflight 6->8"},
        RuleCase{"not_blocked_at_the_inflight_threshold", ",downscale-inflight-threshold=3", {8, 8, 10, 3}, 6, ""},
        RuleCase{"an_inflight_threshold_below_zero_is_off",
                 ",downscale-inflight-threshold=-1,emergency-inflight-threshold=1000",
                 {8, 8, 10, 500},
                 6,
                 ""},
        RuleCase{"limited_scale_down", ",max-downscale-step=1", {8, 8, 10, 0}, 7, "max_downscale_step 6->7"},
        RuleCase{"no_limit", ",max-downscale-step=0", {8, 8, 10, 0}, 6, ""},
        RuleCase{"never_down_while_pods_start", "", {8, 7, 10, 0}, 8, "pods_starting 6->8"},
        RuleCase{"never_down_after_the_limit",
                 ",max-downscale-step=1",
                 {8, 7, 10, 0},
                 8,
                 "max_downscale_step 6->7, pods_starting 7->8"},
        RuleCase{"more_ready_than_desired_may_go_down", "", {8, 9, 10, 0}, 6, ""},
        RuleCase{"above_the_maximum_blocks_keep_the_count", "", {20, 18, 10, 0}, 20, "pods_starting 12->20"},
        RuleCase{"above_the_maximum_an_emergency_does_not_raise", "", {20, 20, 10, 40}, 12, ""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(LabOnline, ASurgeIsAJumpOfTheServedRateSinceTheLastDecision) {
  const auto policy = make(kReactive + ",surge-delta-threshold=12,surge-step=4");
  EXPECT_EQ(policy->decide(observed(0, {4, 4, 70, 0})).replicas, 4) << "the first rate is no jump";
  EXPECT_EQ(guards_of(policy->decide(observed(15, {4, 4, 81.9, 0}))), "") << "11.9; the rule itself asks for 5";
  EXPECT_EQ(guards_of(policy->decide(observed(30, {4, 4, 93.9, 0}))), "surge 6->8");
  EXPECT_EQ(policy->decide(observed(45, {8, 8, 93.9, 0})).replicas, 6) << "no jump any more";
}

TEST(LabOnline, EachRuleThatFiresIsToldEvenWhereNothingIsLeftToRaise) {
  const Decision decision = make(kReactive + ",capacity-trigger-fraction=0.1")->decide(observed(0, {12, 12, 300, 50}));
  EXPECT_EQ(decision.replicas, 12);
  EXPECT_EQ(guards_of(decision), "");
  EXPECT_EQ(named_value(decision.explanation, "emergency"), 1.0);
  EXPECT_EQ(named_value(decision.explanation, "capacity"), 1.0);
  EXPECT_FALSE(named_value(decision.explanation, "surge").has_value());
  EXPECT_EQ(named_value(decision.explanation, "plan_replicas"), 12.0);
}

TEST(LabOnline, TheCooldownBeginsWithARaiseAndEndsAfterItsTime) {
  const auto policy = make(kReactive + ",downscale-cooldown-seconds=60");
  EXPECT_EQ(policy->decide(observed(0, {8, 8, 10, 0})).replicas, 6) << "nothing was raised yet";
  EXPECT_EQ(policy->decide(observed(15, {6, 6, 140, 0})).replicas, 8);
  EXPECT_EQ(guards_of(policy->decide(observed(30, {8, 8, 10, 0}))), "downscale_cooldown 6->8");
  EXPECT_EQ(guards_of(policy->decide(observed(74, {8, 8, 10, 0}))), "downscale_cooldown 6->8");
  EXPECT_EQ(policy->decide(observed(75, {8, 8, 10, 0})).replicas, 6) << "60 s after the raise";
}

TEST(LabOnline, DemandIsWhatTheModeSaysUpToTheCap) {
  const auto demand = [](const std::string& settings, double rps, double in_flight) {
    return make(settings)->decide(observed(0, {4, 4, rps, in_flight})).explanation.demand_rps.value();
  };
  EXPECT_EQ(demand("", 60, 10), 100.0) << "served_plus_inflight with gain 4 is the default";
  EXPECT_EQ(demand("demand-mode=served", 60, 10), 60.0);
  EXPECT_EQ(demand("demand-mode=max_served_inflight", 60, 10), 60.0);
  EXPECT_EQ(demand("demand-mode=max_served_inflight", 60, 20), 80.0);
  EXPECT_EQ(demand("inflight-gain=2", 60, 10), 80.0);
  EXPECT_EQ(demand("", 390, 10), 400.0);
  EXPECT_EQ(demand("demand-cap-rps=50", 60, 10), 50.0);
}

// 15 s at 70 + 40 - 4 x 17.5 = 40 rps.
TEST(LabOnline, BacklogIsWhatTheReadyReplicasDoNotServe) {
  const auto policy = make("");
  const Decision decision = policy->decide(observed(0, {6, 4, 70, 10}));
  EXPECT_EQ(named_value(decision.explanation, "backlog_requests"), 600.0);
  const Decision rested = policy->decide(observed(15, {12, 12, 70, 0}));  // 70 - 210 for 15 s
  EXPECT_EQ(named_value(rested.explanation, "backlog_requests"), 0.0);
}

TEST(LabOnline, TheForecastIsFlatAndBelievesARiseAtOnce) {
  const auto last_forecast = [](const std::string& forecast) {
    const auto policy = make("demand-mode=served,forecast=" + forecast);
    policy->decide(observed(0, {4, 4, 100, 0}));
    const double fallen = policy->decide(observed(15, {4, 4, 20, 0})).explanation.forecast.back().demand_rps;
    const double risen = policy->decide(observed(30, {4, 4, 200, 0})).explanation.forecast.back().demand_rps;
    return std::pair(fallen, risen);
  };
  EXPECT_EQ(last_forecast("es"), std::pair(0.45 * 20 + 0.55 * 100, 200.0));
  EXPECT_EQ(last_forecast("hold"), std::pair(20.0, 200.0));
}

// EMA: 140, then 0.45 x 20 + 0.55 x 140 = 86 (4.91), then 56.3 (3.22), 39.965 (2.28).
TEST(LabOnline, TheProxyHpaAveragesAndGoesDownOnlyToTheGreatestRecentNeed) {
  const auto policy = make("control-mode=proxy_hpa_safety,demand-mode=served,max-step=4");
  EXPECT_EQ(policy->decide(observed(0, {8, 8, 140, 0})).replicas, 8);
  const Decision second = policy->decide(observed(150, {8, 8, 20, 0}));
  EXPECT_NEAR(second.explanation.recommendation.value(), 86.0 / 17.5, 1e-12);
  EXPECT_EQ(second.replicas, 8) << "8 were needed 150 s ago";
  EXPECT_EQ(second.explanation.status, "proxy_hpa_safety");
  EXPECT_EQ(policy->decide(observed(300, {8, 8, 20, 0})).replicas, 8) << "300 s ago still counts";
  EXPECT_EQ(policy->decide(observed(301, {8, 8, 20, 0})).replicas, 5) << "the need of 5 is in the window";
  EXPECT_EQ(policy->decide(observed(451, {5, 5, 20, 0})).replicas, 4) << "56.3 rps of 300 s";
}

TEST(LabOnline, TheProxyHpaLooksAtWhatWasNeededNotAtWhatTheStepAllowed) {
  const auto policy = make("control-mode=proxy_hpa_safety,demand-mode=served,proxy-ema-alpha=1");
  EXPECT_EQ(policy->decide(observed(0, {8, 8, 10, 0})).replicas, 6) << "2 were needed, two fewer allowed";
  EXPECT_EQ(policy->decide(observed(15, {6, 6, 10, 0})).replicas, 4);
}

TEST(LabOnline, TheModeIsKnownFromTheExplanation) {
  for (const char* mode : {"qp", "no_qp_reactive", "proxy_hpa_safety"}) {
    const Decision decision = make(std::string("control-mode=") + mode)->decide(observed(0, {}));
    EXPECT_EQ(lab_online_control_mode(decision.explanation), mode);
  }
  EXPECT_EQ(lab_online_control_mode(Explanation{}), "");
}

// Both solve the same problem when demand is the served rate and no rule is on: lab-mpc with the forecast of this one.
TEST(LabOnline, ItsPlanIsThatOfTheLabsSimulators) {
  const auto online = make("demand-mode=served,beta=1,es-alpha=0.45,emergency-inflight-threshold=1e9");
  const auto offline =
      create_policy("lab-mpc:beta=1,forecast=es-or-last,es-alpha=0.45,demand-cap=400", Workload{}, "test").value();
  RandomStream random(4, "plan");
  int replicas = 2;
  for (int step = 0; step < 300; ++step) {
    const Observation observation = observed(15 * step, {replicas, replicas, random.uniform() * 250.0, 0});
    const Decision decision = online->decide(observation);
    ASSERT_EQ(decision.replicas, offline->decide(observation).replicas) << step;
    replicas = decision.replicas;
  }
}

// ---- missing data

TEST(LabOnline, WithoutAnyServedRateItHoldsAndKeepsItsMemory) {
  const auto policy = make("");
  policy->decide(observed(0, {4, 4, 100, 0}));
  const std::string before = policy->save_state();
  Observation blind = observed(15, {9, 9, 0, 50});
  blind.served_rate_rps = Signal{};
  const Decision held = policy->decide(blind);
  EXPECT_EQ(held.replicas, 9);
  EXPECT_EQ(held.explanation.status, "hold: the served rate is missing");
  EXPECT_EQ(policy->save_state(), before);
}

TEST(LabOnline, AStaleValueCountsAsTheLastGoodOne) {
  Observation stale = observed(0, {4, 4, 70, 40});
  stale.in_flight_requests = Signal::stale(40, 30s);
  stale.served_rate_rps = Signal::stale(70, 30s);
  EXPECT_EQ(make(kReactive)->decide(stale).replicas, 8) << "the emergency stands";
}

TEST(LabOnline, InFlightThatWasNeverSeenMayRaiseButNotLower) {
  const auto with = [](const std::string& settings, double rps) {
    Observation observation = test::observed(0, 8, rps);
    return make("control-mode=no_qp_reactive" + settings)->decide(observation);
  };
  const Decision held = with("", 10);
  EXPECT_EQ(guards_of(held), "missing_in_flight 6->8");
  EXPECT_EQ(held.explanation.status, "no_qp_reactive (in flight is missing)");
  EXPECT_EQ(with("", 200).replicas, 10);
  EXPECT_EQ(with(",demand-mode=served", 10).replicas, 6) << "nothing needs it";
  EXPECT_EQ(with(",demand-mode=served,downscale-inflight-threshold=5", 10).replicas, 8) << "the block does";
}

// ---- settings

TEST(LabOnline, DefaultsAreThoseOfTheLabsFlags) {
  const std::vector<std::pair<std::string, std::string>> expected = {{"control-mode", "qp"},
                                                                     {"forecast", "es"},
                                                                     {"es-alpha", "0.45"},
                                                                     {"history-window", "60"},
                                                                     {"demand-mode", "served_plus_inflight"},
                                                                     {"inflight-gain", "4"},
                                                                     {"demand-cap-rps", "400"},
                                                                     {"emergency-inflight-threshold", "40"},
                                                                     {"emergency-step", "4"},
                                                                     {"emergency-mode", "step"},
                                                                     {"surge-delta-threshold", "1e+09"},
                                                                     {"surge-step", "2"},
                                                                     {"capacity-trigger-fraction", "2"},
                                                                     {"capacity-trigger-step", "2"},
                                                                     {"downscale-cooldown-seconds", "0"},
                                                                     {"downscale-inflight-threshold", "-1"},
                                                                     {"max-downscale-step", "0"},
                                                                     {"proxy-ema-alpha", "0.45"},
                                                                     {"proxy-downscale-stabilization-seconds", "300"},
                                                                     {"alpha", "15"},
                                                                     {"beta", "1"},
                                                                     {"gamma", "0.08"},
                                                                     {"horizon", "8"},
                                                                     {"max-step", "2"},
                                                                     {"normalized-objective", "true"},
                                                                     {"normalization-reference-replicas", "12"},
                                                                     {"constraint-tolerance", "0.01"}};
  std::vector<std::pair<std::string, std::string>> found;
  for (const SettingInfo& info : lab_online_settings()) found.emplace_back(info.name, info.default_text);
  EXPECT_EQ(found, expected);
}

TEST(LabOnline, BadSettingsAreRefusedTogether) {
  const auto refused =
      create_policy("lab-online:horizon=0,alpha=-1,normalization-reference-replicas=0,max-step=0", Workload{}, "test");
  ASSERT_FALSE(refused.has_value());
  for (const char* name : {"horizon", "alpha", "normalization-reference-replicas", "max-step"})
    EXPECT_NE(refused.error().message.find(name), std::string::npos) << refused.error().message;
  Workload to_zero;
  to_zero.min_replicas = 0;
  const auto none = create_policy("lab-online", to_zero, "--policy");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().message, "--policy lab-online: min-replicas is 0; must be >= 1 for this policy");
}

TEST(LabOnline, ThePresetsAreThoseOfTheLabsRunner) {
  ASSERT_EQ(lab_online_presets().size(), 3u);
  for (const LabOnlinePreset& preset : lab_online_presets()) {
    Workload workload;
    workload.min_replicas = preset.min_replicas;
    workload.max_replicas = preset.max_replicas;
    workload.period = preset.period;
    EXPECT_EQ(preset.max_replicas, 70);
    make(std::string(preset.settings), workload);
  }
  EXPECT_EQ(lab_online_preset("nothing"), nullptr);
  const LabOnlinePreset& spike = *lab_online_preset("spike");
  EXPECT_EQ(spike.period, 5s);
  EXPECT_EQ(spike.metric_rate_window, 15s);
  EXPECT_EQ(spike.min_replicas, 6);
  EXPECT_EQ(lab_online_preset("step")->min_replicas, 4);
  EXPECT_EQ(lab_online_preset("seasonality")->min_replicas, 2);
  // 4 in flight are an emergency of 6 replicas there; the capacity rule adds 4.
  const auto policy = make(std::string(spike.settings) + "," + kReactive);
  EXPECT_EQ(policy->decide(observed(0, {2, 2, 20, 4})).replicas, 8);
  EXPECT_EQ(policy->decide(observed(5, {2, 2, 29.75, 0})).replicas, 6) << "0.85 x 35";
}

// ---- against the rules once more, slowly

struct Restated {
  std::string mode, demand_mode, emergency_mode;
  double emergency_threshold, surge_threshold, fraction, cooldown, downscale_inflight;
  int emergency_step, surge_step, capacity_step, max_down, max_step;

  std::string text() const {
    return cat("control-mode=", mode, ",demand-mode=", demand_mode, ",emergency-mode=", emergency_mode,
               ",emergency-inflight-threshold=", emergency_threshold, ",surge-delta-threshold=", surge_threshold,
               ",capacity-trigger-fraction=", fraction, ",downscale-cooldown-seconds=", cooldown,
               ",downscale-inflight-threshold=", downscale_inflight, ",emergency-step=", emergency_step,
               ",surge-step=", surge_step, ",capacity-trigger-step=", capacity_step, ",max-downscale-step=", max_down,
               ",max-step=", max_step);
  }
};

/// What SURFACES.md of the lab says, sentence by sentence, over the whole past each time.
class SlowController {
 public:
  explicit SlowController(Restated settings) : s(std::move(settings)) {}

  /// `plan` is asked only in mode qp.
  int decide(double now, int desired, int ready, double rps, double in_flight, int plan) {
    double demand = rps;
    if (s.demand_mode == "served_plus_inflight") demand = rps + 4 * in_flight;
    if (s.demand_mode == "max_served_inflight") demand = std::max(rps, 4 * in_flight);
    if (demand > 400) demand = 400;
    demands.push_back(demand);

    int result = plan;
    if (s.mode == "no_qp_reactive") result = formula(demand, desired);
    if (s.mode == "proxy_hpa_safety") {
      double average = demands[0];
      for (std::size_t i = 1; i < demands.size(); ++i) average = 0.45 * demands[i] + 0.55 * average;
      wanted.emplace_back(now, std::min(12, std::max(2, static_cast<int>(std::ceil(average / 17.5)))));
      int greatest = 0;
      for (const auto& [time, replicas] : wanted) {
        if (time >= now - 300) greatest = std::max(greatest, replicas);
      }
      result = formula(average, desired);
      if (result < desired && greatest > result) result = std::min(desired, greatest);
    }
    if (in_flight >= s.emergency_threshold) {
      const int floor = s.emergency_mode == "max" ? 12 : std::min(12, desired + s.emergency_step);
      if (result < floor) result = floor;
    }
    if (!rates.empty() && rps - rates.back() >= s.surge_threshold && result < std::min(12, desired + s.surge_step))
      result = std::min(12, desired + s.surge_step);
    if (s.fraction <= 1 && s.fraction > 0 && rps > 0 && rps >= s.fraction * 17.5 * ready &&
        result < std::min(12, desired + s.capacity_step)) {
      result = std::min(12, desired + s.capacity_step);
    }
    rates.push_back(rps);
    if (result < desired && s.downscale_inflight >= 0 && in_flight > s.downscale_inflight) result = desired;
    if (result < desired && !raises.empty() && now - raises.back() < s.cooldown) result = desired;
    if (s.max_down > 0 && result < desired - s.max_down) result = desired - s.max_down;
    if (desired > ready && result < desired) result = desired;
    if (result > desired) raises.push_back(now);
    return result;
  }

 private:
  int formula(double demand, int desired) const {
    int replicas = static_cast<int>(std::ceil(demand / 17.5));
    if (replicas > desired + s.max_step) replicas = desired + s.max_step;
    if (replicas < desired - s.max_step) replicas = desired - s.max_step;
    return std::min(12, std::max(2, replicas));
  }

  Restated s;
  std::vector<double> demands, rates, raises;
  std::vector<std::pair<double, int>> wanted;
};

TEST(LabOnline, AgreesWithTheRulesRestatedOverThousandsOfObservations) {
  RandomStream random(2, "lab-online");
  const auto one_of = [&](std::vector<std::string> texts) { return texts[random.below(texts.size())]; };
  const auto up_to = [&](int most) { return static_cast<int>(random.below(static_cast<std::uint64_t>(most) + 1)); };
  int raised = 0, blocked = 0, compared = 0;
  for (int run = 0; run < 300; ++run) {
    const Restated settings{.mode = one_of({"qp", "no_qp_reactive", "proxy_hpa_safety"}),
                            .demand_mode = one_of({"served", "served_plus_inflight", "max_served_inflight"}),
                            .emergency_mode = one_of({"step", "step", "max"}),
                            .emergency_threshold = 10.0 + up_to(40),
                            .surge_threshold = up_to(3) == 0 ? 1e9 : 10.0 * up_to(10),
                            .fraction = 0.25 * up_to(6) - 0.25,
                            .cooldown = 20.0 * up_to(4),
                            .downscale_inflight = up_to(2) == 0 ? -1.0 : 5.0 * up_to(6),
                            .emergency_step = up_to(5),
                            .surge_step = up_to(4),
                            .capacity_step = up_to(4),
                            .max_down = up_to(2),
                            .max_step = 1 + up_to(3)};
    SCOPED_TRACE(settings.text());
    const auto policy = make(settings.text());
    SlowController slow(settings);
    int replicas = 2 + up_to(10);
    int second = 0;
    for (int step = 0; step < 60; ++step) {
      second += 5 + up_to(40);
      // Whole numbers keep both sides' sums exact, so that no rounding decides a ceiling.
      const Seen seen{replicas, std::max(0, replicas - up_to(3) + 1), 1.0 * up_to(220), 1.0 * up_to(60)};
      const Decision decision = policy->decide(observed(second, seen));
      const int plan = static_cast<int>(named_value(decision.explanation, "plan_replicas").value());
      ASSERT_EQ(decision.replicas, slow.decide(second, seen.desired, seen.ready, seen.rps, seen.in_flight, plan))
          << "step " << step << ": " << guards_of(decision);
      ++compared;
      raised += decision.replicas > plan ? 1 : 0;
      blocked += decision.replicas == seen.desired && plan < seen.desired ? 1 : 0;
      replicas = up_to(9) == 0 ? 2 + up_to(10) : decision.replicas;  // now and then somebody else scales
    }
  }
  EXPECT_EQ(compared, 18'000);
  EXPECT_GT(raised, 2'000);
  EXPECT_GT(blocked, 1'000);
}

TEST(LabOnline, AStateOfEachModeGoesOnWhereItWas) {
  for (const char* mode : {"qp", "no_qp_reactive", "proxy_hpa_safety"}) {
    const std::string settings = cat("control-mode=", mode, ",surge-delta-threshold=30,downscale-cooldown-seconds=90");
    const auto original = make(settings);
    RandomStream random(9, mode);
    int replicas = 4;
    const auto next = [&](int step) {
      return observed(15 * step, {replicas, replicas, random.uniform() * 200.0, random.uniform() * 50.0});
    };
    for (int step = 0; step < 40; ++step) replicas = original->decide(next(step)).replicas;
    const auto restarted = make(settings);
    ASSERT_TRUE(restarted->load_state(original->save_state())) << mode;
    EXPECT_EQ(restarted->save_state(), original->save_state());
    for (int step = 40; step < 80; ++step) {
      const Observation observation = next(step);
      const Decision decision = original->decide(observation);
      ASSERT_EQ(restarted->decide(observation), decision) << mode << " step " << step;
      replicas = decision.replicas;
    }
  }
}

}  // namespace
}  // namespace mpca::policy
