#include "study/tune.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/text.h"
#include "policy/policy.h"
#include "policy/predictive/calendar.h"
#include "report/tune_text.h"

namespace mpca::study {
namespace {

using namespace std::chrono_literals;

template <class Rate>
trace::DemandTrace trace_of(int hours, const Rate& rate_at_s) {
  trace::DemandTrace trace;
  trace.name = "made";
  trace.step = 15s;
  for (int i = 0; i < hours * 240; ++i) trace.demand_rps.push_back(rate_at_s(15.0 * i));
  return trace;
}

/// Few settings, so that the tests are quick.
TuneSettings settings_for(trace::DemandTrace trace) {
  TuneSettings settings;
  settings.input = {.file = "made.csv", .trace = std::move(trace)};
  settings.preset = load_preset("standard").value();
  settings.seeds = 1;
  settings.families = {
      {.name = "hpa",
       .members = {"hpa:target=60,down-window=60s", "hpa:target=75,down-window=60s", "hpa:target=85,down-window=60s",
                   "hpa:target=75,down-window=300s"}},
      {.name = "reactive", .members = {"reactive:target=0.8,hold=60s", "reactive:target=0.9,hold=120s"}},
      {.name = "predictive",
       .members = {"predictive:late-price=10,dead-band=0.03", "predictive:late-price=10,dead-band=0.08"}}};
  return settings;
}

void ignore(const Progress&) {}

// Half a day up and down in 12 h with pods that are Ready in 5 s: nothing to know before.
trace::DemandTrace slow_wave() {
  return trace_of(24, [](double t) { return 60.0 + 30.0 * std::sin(2.0 * std::numbers::pi * t / 43'200.0); });
}

// Six times the load for 3 of every 12 minutes: a rule that waits for it is a readiness lag late each time.
trace::DemandTrace fast_waves() {
  return trace_of(8, [](double t) { return std::fmod(t, 720.0) < 180.0 ? 90.0 : 15.0; });
}

TEST(Tune, OnASmoothLoadWithQuickPodsPredictionDoesNotPay) {
  TuneSettings settings = settings_for(slow_wave());
  settings.preset = load_preset("standard", {"readiness-lag=5s"}).value();
  const report::TuneReport report = tune(settings, {}, ignore).value();
  EXPECT_NE(report.verdict, report::TuneVerdict::use_predictive);
  EXPECT_NE(report.verdict, report::TuneVerdict::too_short);
  EXPECT_NE(report::to_text(report).find("Prediction does not pay here"), std::string::npos) << report::to_text(report);
}

TEST(Tune, OnWavesThatItCanLearnPredictionPays) {
  TuneSettings settings = settings_for(fast_waves());
  settings.preset = load_preset("standard", {"readiness-lag=60s"}).value();
  const report::TuneReport report = tune(settings, {}, ignore).value();
  EXPECT_EQ(report.verdict, report::TuneVerdict::use_predictive) << report::to_text(report);
  EXPECT_GT(report.predictive_saving.low.value(), 0.0);
  ASSERT_TRUE(report.foresight_saving);
  EXPECT_GT(*report.foresight_saving, report.rules[report.chosen].saving.value) << "foresight is the ceiling";
}

// Three times the load for a quarter of an hour in every block, at times that are no rhythm: nobody learns that, and a
// calendar knows it. The run begins on 27 November 2026 at midnight, 20,784 days after 1970-01-01.
TEST(Tune, WhatACalendarKnowsIsSavedWhereTheDateIsGivenAndOnlyThere) {
  constexpr int kStarts_s[] = {2400, 5100, 12'000, 16'800, 19'500, 27'000};
  TuneSettings settings = settings_for(trace_of(8, [&](double t) {
    const bool is_event = std::any_of(std::begin(kStarts_s), std::end(kStarts_s),
                                      [&](int start_s) { return t >= start_s && t < start_s + 900; });
    return is_event ? 150.0 : 50.0;
  }));
  settings.preset = load_preset("standard", {"readiness-lag=60s"}).value();
  constexpr auto kAhead = std::chrono::days(20'784);
  std::vector<policy::CalendarEvent> events;
  for (const int start_s : kStarts_s) {
    const TimePoint start = TimePoint(kAhead) + std::chrono::seconds(start_s);
    events.push_back({.name = cat("event ", start_s), .start = start, .end = start + 900s, .factor = 3.0});
  }
  const std::string calendar = policy::Calendar::create(std::move(events), {}).value().text();
  settings.families = {{.name = "predictive", .members = {"predictive:calendar=" + calendar}}};
  const report::TuneReport undated = tune(settings, {}, ignore).value();
  settings.clock = {.ahead = kAhead, .offsets = {}, .time_zone = "Europe/Berlin"};
  const report::TuneReport dated = tune(settings, {}, ignore).value();
  EXPECT_LT(dated.rules[1].figures.bill, 0.8 * undated.rules[1].figures.bill);
  EXPECT_EQ(dated.rules[0].figures.bill, undated.rules[0].figures.bill) << "an HPA has no calendar";
  const auto& rows = dated.configuration;
  EXPECT_TRUE(std::find(rows.begin(), rows.end(), std::pair<std::string, std::string>("time-zone", "Europe/Berlin")) !=
              rows.end());
  EXPECT_TRUE(std::find(rows.begin(), rows.end(),
                        std::pair<std::string, std::string>("starts-at", "2026-11-27T00:00:00Z")) != rows.end());
  EXPECT_EQ(undated.configuration.size() + 2, rows.size());
}

TEST(Tune, TenMinutesAreTooShortAndNothingIsPlayed) {
  TuneSettings settings = settings_for(trace_of(1, [](double) { return 50.0; }));
  settings.input.trace.demand_rps.resize(40);
  int runs = 0;
  const report::TuneReport report = tune(settings, {}, [&](const Progress&) { ++runs; }).value();
  EXPECT_EQ(report.verdict, report::TuneVerdict::too_short);
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(report.needed_seconds, 7200.0);
  EXPECT_NE(report::to_text(report).find("Too short to tell: 10 min of history; 2 h are needed"), std::string::npos)
      << report::to_text(report);
}

// By hand: scraped every 15 s, decided every 15 s, Ready after 10 min: 630 s; ten of them for each of six blocks.
TEST(Tune, SlowPodsNeedALongerHistory) {
  const Preset slow = load_preset("standard", {"readiness-lag=10m"}).value();
  EXPECT_EQ(shortest_history_s(slow, 6), 630.0 * 10.0 * 6.0);
  EXPECT_EQ(shortest_history_s(load_preset("standard").value(), 6), 7200.0);
}

TEST(Tune, JobsDoNotChangeTheReportAndTheBlocksAddUp) {
  TuneSettings one = settings_for(fast_waves());
  one.input.trace.demand_rps.resize(600);
  one.folds = 4;
  one.seeds = 2;
  TuneSettings many = one;
  many.jobs = 4;
  double last = 0.0;
  const report::TuneReport report = tune(one, {}, [&](const Progress& p) { last = p.done; }).value();
  EXPECT_EQ(last, 1.0);
  EXPECT_EQ(report::to_json(report), report::to_json(tune(many, {}, ignore).value()));
  ASSERT_EQ(report.rules.size(), 4u);
  for (const report::TuneRule& rule : report.rules) EXPECT_EQ(rule.blocks.size(), 4u);
  EXPECT_EQ(report.rules[0].kind, "today");
  EXPECT_EQ(report.rules[0].saving.value, 0.0);
  EXPECT_EQ(report.rules[0].same_choice, 4);
}

TEST(Tune, APresentRuleThatCannotBeMadeAndAStopAreErrors) {
  TuneSettings settings = settings_for(fast_waves());
  settings.present = "hpa:taget=60";
  const auto refused = tune(settings, {}, ignore);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(refused.error().message.starts_with("--present hpa")) << refused.error().message;

  std::stop_source stop;
  stop.request_stop();
  const auto stopped = tune(settings_for(fast_waves()), stop.get_token(), ignore);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::interrupted);
}

bool has(const std::vector<std::string>& members, const std::string& text) {
  return std::find(members.begin(), members.end(), text) != members.end();
}

TEST(FamiliesToTune, TheHpaKeepsWhatElseTheUsersObjectSays) {
  const auto hpa = [](const std::string& present) { return families_to_tune(present, {}).front().members; };
  EXPECT_EQ(hpa("hpa:target=60,stabilization=300s").size(), 13u * 6u);
  EXPECT_TRUE(has(hpa("hpa"), "hpa:target=60,down-window=300s"));
  EXPECT_TRUE(has(hpa("static:5"), "hpa:target=60,down-window=300s"));
  EXPECT_TRUE(has(hpa("hpa:metrics=cpu:60%,min=2,max=9,down-window=0s"), "hpa:target=45,down-window=120s,min=2,max=9"));
  EXPECT_TRUE(has(hpa("hpa:target=60,cpu-request=0.5"), "hpa:target=120,down-window=0s,cpu-request=0.5"));
  // Another metric has targets of its own, which are not ours to guess: only the window is tuned.
  EXPECT_EQ(hpa("hpa:metrics=pods/served-rate:20").size(), 6u);
  EXPECT_TRUE(has(hpa("hpa:metrics=pods/served-rate:20"), "hpa:down-window=60s,metrics=pods/served-rate:20"));
}

TEST(FamiliesToTune, PredictiveHasTheCalendarThatIsGivenOrElseThatOfThePresentRule) {
  const std::string given = "sale@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z*3", present = "may=sunday:2026-05-01";
  const auto first = [](const std::vector<Family>& families) { return families.back().members.front(); };
  EXPECT_EQ(first(families_to_tune("hpa", {}, given)), "predictive:late-price=10,dead-band=0.03,calendar=" + given);
  EXPECT_EQ(first(families_to_tune("predictive:dead-band=0.2,calendar=" + present, {})),
            "predictive:late-price=10,dead-band=0.03,calendar=" + present);
  EXPECT_EQ(first(families_to_tune("predictive:calendar=" + present, {}, given)),
            "predictive:late-price=10,dead-band=0.03,calendar=" + given);
  EXPECT_EQ(first(families_to_tune("hpa", {})), "predictive:late-price=10,dead-band=0.03");
}

TEST(FamiliesToTune, TheWishIsNotTunedAwayAndEverythingCanBeMade) {
  for (const Wish& wish : {Wish{.late_price = 30.0}, Wish{.late_share = 0.01}}) {
    for (const Family& family : families_to_tune("hpa:metrics=cpu:60%,up-window=0s", wish)) {
      for (const std::string& member : family.members) {
        EXPECT_TRUE(policy::create_policy(member, {}, "test")) << member;
        if (family.name != "predictive") continue;
        EXPECT_NE(member.find(wish.is_share() ? "late-share=0.01" : "late-price=30"), std::string::npos) << member;
      }
    }
  }
}

/// A report with rules of these kinds, and blocks of constant bills with a ripple that makes intervals narrow.
struct Judged {
  report::TuneReport report;
  std::vector<std::vector<BlockAccount>> blocks;
};

BlockAccount account(double replica_seconds, double violations) {
  return {.seconds = 10.0, .replica_seconds = replica_seconds, .requests = 100.0, .violations = violations};
}

Judged judge(const std::vector<std::pair<std::string, double>>& bills, double ripple = 0.001) {
  Judged judged;
  for (const auto& [kind, paid] : bills) {
    report::TuneRule& rule = judged.report.rules.emplace_back();
    rule.kind = kind;
    const double sign = kind == "predictive" ? -1.0 : 1.0;
    judged.blocks.push_back({account(paid * (1.0 + sign * ripple), 0), account(paid, 0), account(paid, 0),
                             account(paid * (1.0 - sign * ripple), 0)});
  }
  decide(judged.report, judged.blocks, {.capacity_rps = 1.0});
  return judged;
}

using enum report::TuneVerdict;

TEST(Decide, AMoreComplexRuleHasToSaveTwoPercentAgainstTheSimplerOne) {
  EXPECT_EQ(judge({{"today", 100}, {"hpa", 99}, {"reactive", 98.5}, {"predictive", 98.1}}).report.verdict,
            keep_present);
  EXPECT_EQ(judge({{"today", 100}, {"hpa", 90}, {"reactive", 89}, {"predictive", 88.5}}).report.verdict, use_hpa);
  EXPECT_EQ(judge({{"today", 100}, {"hpa", 90}, {"reactive", 85}, {"predictive", 84}}).report.verdict, use_reactive);
  EXPECT_EQ(judge({{"today", 100}, {"hpa", 90}, {"reactive", 85}, {"predictive", 80}}).report.verdict, use_predictive);
}

TEST(Decide, PredictionIsComparedWithTheBestRuleWithoutIt) {
  const Judged judged = judge({{"today", 100}, {"hpa", 80}, {"reactive", 95}, {"predictive", 79}});
  EXPECT_EQ(judged.report.best_simple, 1u);
  EXPECT_NEAR(judged.report.predictive_saving.value, 1.0 - 79.0 / 80.0, 1e-12);
  EXPECT_EQ(judged.report.verdict, use_hpa);
}

TEST(Decide, ASavingThatTheBlocksDoNotAgreeOnIsNone) {
  EXPECT_EQ(judge({{"today", 100}, {"predictive", 90}}, 0.001).report.verdict, use_predictive);
  EXPECT_EQ(judge({{"today", 100}, {"predictive", 90}}, 0.5).report.verdict, keep_present);
}

TEST(Decide, WithAShareTheRuleThatAloneKeepsItWinsThoughItCostsMore) {
  Judged judged = judge({{"today", 100}, {"predictive", 120}});
  judged.report.rules[0].keeps = false;
  const Wish share{.capacity_rps = 1.0, .late_share = 0.01};
  decide(judged.report, judged.blocks, share);
  EXPECT_EQ(judged.report.verdict, use_predictive);
  judged.report.rules[0].keeps = true;
  judged.report.rules[1].keeps = false;
  decide(judged.report, judged.blocks, share);
  EXPECT_EQ(judged.report.verdict, keep_present);
  // Nobody keeps it: a fifth fewer violations.
  judged.report.rules[0].keeps = false;
  judged.report.rules[0].figures.violation_ratio = 0.10;
  judged.report.rules[1].figures.violation_ratio = 0.085;
  decide(judged.report, judged.blocks, share);
  EXPECT_EQ(judged.report.verdict, keep_present);
  judged.report.rules[1].figures.violation_ratio = 0.075;
  decide(judged.report, judged.blocks, share);
  EXPECT_EQ(judged.report.verdict, use_predictive);
}

}  // namespace
}  // namespace mpca::study
