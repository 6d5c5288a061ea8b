#include "study/prior.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mpca::study {
namespace {

using namespace std::chrono_literals;

trace::DemandTrace wave(const std::string& name, double minutes) {
  trace::DemandTrace trace;
  trace.name = name;
  trace.step = 15s;
  for (int i = 0; i < 120; ++i) trace.demand_rps.push_back(100.0 + 50.0 * std::sin(i / (4.0 * minutes)));
  return trace;
}

PriorSettings settings() {
  return {.traces = {{"a.csv", wave("a", 1.0)}, {"b.csv", wave("b", 2.0)}, {"c.csv", wave("c", 3.0)}},
          .preset = load_preset("standard").value(),
          .seeds = 2,
          .jobs = 1};
}

void ignore(const Progress&) {}

TEST(StudyPrior, MediansAndMeansAreOverThoseBooksThatHaveACandidate) {
  const Books all[] = {{{"a", 1.0, 0.5}, {"b", 4.0, 0.1}}, {{"a", 5.0, 0.1}}, {{"a", 3.0, 0.3}, {"b", 1.0, 0.2}}};
  const Books medians = median_books(all), means = mean_books(std::span(all).first(2));
  ASSERT_EQ(medians.size(), 2U);
  EXPECT_EQ(medians[0].candidate, "a");
  EXPECT_EQ(medians[0].cost, 3.0);
  EXPECT_EQ(medians[0].late, 0.3);
  EXPECT_EQ(medians[1].candidate, "b");
  EXPECT_EQ(medians[1].cost, 2.5);
  EXPECT_DOUBLE_EQ(medians[1].late, 0.15);
  EXPECT_EQ(means[0].cost, 3.0);
  EXPECT_DOUBLE_EQ(means[0].late, 0.3);
  EXPECT_EQ(means[1].cost, 4.0);
}

TEST(StudyPrior, IsTheMedianOfThePriorsOfSingleTracesAndTheSameForAnyJobs) {
  const Books one = measure_prior(settings(), {}, ignore).value();
  PriorSettings wide = settings();
  wide.jobs = 4;
  EXPECT_EQ(policy::prior_text(measure_prior(wide, {}, ignore).value()), policy::prior_text(one));
  std::vector<Books> singles;
  for (const TraceInput& input : settings().traces) {
    PriorSettings single = settings();
    single.traces = {input};
    singles.push_back(measure_prior(single, {}, ignore).value());
  }
  EXPECT_EQ(policy::prior_text(median_books(singles)), policy::prior_text(one)) << "of three the middle one, rounded";
  EXPECT_TRUE(policy::read_prior(policy::prior_text(one))) << "is one that predictive takes";
}

TEST(StudyPrior, EveryTraceThatCannotBePlayedIsNamed) {
  PriorSettings bad = settings();
  bad.traces[1].trace.name = "a";
  bad.traces[2].trace.demand_rps.assign(120, 0.0);
  EXPECT_EQ(measure_prior(bad, {}, ignore).error().message,
            "--trace b.csv: a trace called a is there already\nc.csv: no demand in the first 55h33m20s");
  bad.traces.clear();
  EXPECT_EQ(measure_prior(bad, {}, ignore).error().message, "--trace: at least one trace is needed");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(measure_prior(settings(), stop.get_token(), ignore).error().code, ErrorCode::interrupted);
}

}  // namespace
}  // namespace mpca::study
