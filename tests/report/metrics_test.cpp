#include "report/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace mpca::report {
namespace {

using policy::PeriodOutcome;
using namespace std::chrono_literals;

PeriodOutcome period(Duration length, double demand_rps, int spec, int ready, double backlog = 0.0) {
  PeriodOutcome outcome;
  outcome.length = length;
  outcome.demand_rps = demand_rps;
  outcome.spec_replicas = spec;
  outcome.ready_replicas = ready;
  outcome.utilization = demand_rps / (25.0 * ready);
  outcome.backlog_requests = backlog;
  return outcome;
}

// Capacity 25 rps per replica, target 0.7: a replica carries 17.5 rps at the target. Three periods of 15, 15 and 30 s:
//   demand  spec ready  utilization  needed  missing  unserved rps
//     20     2     2       0.4       1.1429    0          0
//    200     6     4       2.0      11.4286    7.4286    100
//     50     4     6       0.3333    2.8571    0          0
RunMetrics three_periods() {
  MetricsAccumulator accumulator(25.0, 0.7);
  accumulator.add(period(15s, 20.0, 2, 2));
  accumulator.add(period(15s, 200.0, 6, 4, 1950.0));
  accumulator.add(period(30s, 50.0, 4, 6, 300.0));
  return accumulator.finish();
}

TEST(Metrics, CostWeightsReplicasAskedForByTime) {
  const RunMetrics metrics = three_periods();
  EXPECT_DOUBLE_EQ(metrics.duration_s, 60.0);
  EXPECT_DOUBLE_EQ(metrics.replica_hours, (2 * 15 + 6 * 15 + 4 * 30) / 3600.0);
  EXPECT_DOUBLE_EQ(metrics.mean_replicas, 4.0);
  EXPECT_EQ(metrics.max_replicas, 6);
}

TEST(Metrics, ChurnCountsChangesUpAndDownAndNotTheFirstValue) {
  EXPECT_DOUBLE_EQ(three_periods().replica_churn, 4.0 + 2.0);
}

TEST(Metrics, ServiceIsMeasuredOnReadyReplicas) {
  const RunMetrics metrics = three_periods();
  EXPECT_DOUBLE_EQ(metrics.violation_ratio, 0.25);
  EXPECT_NEAR(metrics.shortfall_replicas_mean, (200.0 / 17.5 - 4.0) * 0.25, 1e-12);
  EXPECT_NEAR(metrics.unserved_ratio, 100.0 * 15 / (20.0 * 15 + 200.0 * 15 + 50.0 * 30), 1e-12);
  EXPECT_DOUBLE_EQ(metrics.backlog_max_requests.value(), 1950.0);
}

// numpy.quantile([1/3, 0.4, 2], 0.95): position 1.9, so 0.4 + 0.9 x 1.6.
TEST(Metrics, TheUtilizationQuantileInterpolatesBetweenPeriods) {
  const RunMetrics metrics = three_periods();
  EXPECT_NEAR(metrics.utilization_p95, 1.84, 1e-12);
  EXPECT_NEAR(metrics.utilization_mean, (0.4 * 15 + 2.0 * 15 + 50.0 / 150.0 * 30) / 60.0, 1e-12);
}

TEST(Metrics, UtilizationExactlyAtTheTargetIsNoViolation) {
  MetricsAccumulator accumulator(25.0, 0.8);
  accumulator.add(period(15s, 40.0, 2, 2));
  EXPECT_EQ(accumulator.finish().violation_ratio, 0.0);
}

TEST(Metrics, LatencyIsAbsentWhereTheWorldDoesNotKnowIt) {
  EXPECT_FALSE(three_periods().latency_p95_s.has_value());
  MetricsAccumulator accumulator(25.0, 0.7);
  for (double latency_s : {0.010, 0.030, 0.020}) {
    PeriodOutcome outcome = period(15s, 20.0, 2, 2);
    outcome.latency_p95_s = latency_s;
    accumulator.add(outcome);
  }
  EXPECT_NEAR(accumulator.finish().latency_p95_s.value(), 0.029, 1e-12);
}

TEST(Metrics, ARunOfNoTimeIsAllZerosAndNotNan) {
  const RunMetrics metrics = MetricsAccumulator(25.0, 0.7).finish();
  EXPECT_EQ(metrics.mean_replicas, 0.0);
  EXPECT_EQ(metrics.violation_ratio, 0.0);
}

TEST(Metrics, ATraceWithoutDemandLeavesNothingUnserved) {
  MetricsAccumulator accumulator(25.0, 0.7);
  accumulator.add(period(15s, 0.0, 2, 2));
  EXPECT_EQ(accumulator.finish().unserved_ratio, 0.0);
}

TEST(MetricTable, KeysAreUniqueAndEveryRowExplainsItself) {
  std::set<std::string_view> keys;
  for (const MetricRow& row : metric_table()) {
    EXPECT_TRUE(keys.insert(row.key).second) << row.key;
    EXPECT_FALSE(row.sentence.empty()) << row.key;
    EXPECT_EQ(row.sentence.back(), '.') << row.key;
  }
}

TEST(MetricTable, RowsOfAGroupStandTogether) {
  std::set<MetricGroup> closed;
  MetricGroup current = metric_table().front().group;
  for (const MetricRow& row : metric_table()) {
    if (row.group == current) continue;
    closed.insert(current);
    current = row.group;
    EXPECT_EQ(closed.count(current), 0u) << row.key;
  }
}

std::vector<std::string_view> keys_of(const std::vector<const MetricRow*>& rows) {
  std::vector<std::string_view> keys;
  for (const MetricRow* row : rows) keys.push_back(row->key);
  return keys;
}

bool has(const std::vector<std::string_view>& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

TEST(ComparedRows, WhatNoRunKnowsIsNoRow) {
  std::vector<RunMetrics> runs(2);
  EXPECT_FALSE(has(keys_of(compared_rows(runs)), "failed_ratio"));
  EXPECT_FALSE(has(keys_of(compared_rows(runs)), "latency_p95_s"));
  EXPECT_FALSE(has(keys_of(compared_rows(runs)), "duration_s"));
  runs[1].failed_ratio = 0.0;
  EXPECT_EQ(keys_of(compared_rows(runs)).front(), "failed_ratio");
}

TEST(ComparedRows, TheLatencyOfRequestsReplacesThatOfPeriods) {
  std::vector<RunMetrics> runs(2);
  runs[0].latency_p95_s = 0.2;
  EXPECT_TRUE(has(keys_of(compared_rows(runs)), "latency_p95_s"));
  runs[1].request_latency_p95_s = 0.2;
  EXPECT_FALSE(has(keys_of(compared_rows(runs)), "latency_p95_s"));
  EXPECT_TRUE(has(keys_of(compared_rows(runs)), "request_latency_p95_s"));
}

TEST(FiledRows, OnlyMeasuredRunsAddTheirs) {
  std::vector<RunMetrics> runs(1);
  const auto simulated = keys_of(filed_rows(runs));
  EXPECT_TRUE(has(simulated, "latency_p95_s"));
  EXPECT_TRUE(has(simulated, "duration_s"));
  EXPECT_FALSE(has(simulated, "cost_usd"));
  runs[0].cost_usd = 0.004;
  EXPECT_EQ(filed_rows(runs).size(), simulated.size() + 1);
}

const MetricRow& row_named(std::string_view key) {
  for (const MetricRow& row : metric_table())
    if (row.key == key) return row;
  std::abort();
}

TEST(ShownValue, RoundsToTheRowsDecimalsInTheRowsUnit) {
  RunMetrics metrics;
  metrics.violation_ratio = 0.0769230769;
  EXPECT_EQ(shown_value(row_named("violation_ratio"), metrics), "7.69");
  EXPECT_EQ(shown_value(row_named("latency_p95_s"), metrics), "n/a");
}

TEST(ShownValue, SomethingSmallIsNeverShownAsNothing) {
  RunMetrics metrics;
  metrics.violation_ratio = 0.00001;
  EXPECT_EQ(shown_value(row_named("violation_ratio"), metrics), "<0.01");
  metrics.violation_ratio = 0.0;
  EXPECT_EQ(shown_value(row_named("violation_ratio"), metrics), "0.00");
}

std::vector<RunMetrics> with_replica_hours(std::initializer_list<double> values) {
  std::vector<RunMetrics> runs;
  for (double value : values) runs.emplace_back().replica_hours = value;
  return runs;
}

TEST(BestOf, TheSmallestCostIsBest) {
  const auto best = best_of(row_named("replica_hours"), with_replica_hours({3.0, 1.5, 2.0}));
  EXPECT_EQ(best, (std::vector<bool>{false, true, false}));
}

TEST(BestOf, ValuesThatLookTheSameAreEquallyBest) {
  const auto best = best_of(row_named("replica_hours"), with_replica_hours({1.5001, 1.5, 2.0}));
  EXPECT_EQ(best, (std::vector<bool>{true, true, false}));
}

TEST(BestOf, NothingIsBestWhenThereIsNothingToTellApart) {
  EXPECT_EQ(best_of(row_named("replica_hours"), with_replica_hours({1.5, 1.5})), (std::vector<bool>{false, false}));
  EXPECT_EQ(best_of(row_named("replica_hours"), with_replica_hours({1.5})), (std::vector<bool>{false}));
  EXPECT_EQ(best_of(row_named("max_replicas"), with_replica_hours({1.5, 2.0})), (std::vector<bool>{false, false}));
  EXPECT_EQ(best_of(row_named("latency_p95_s"), with_replica_hours({1.5, 2.0})), (std::vector<bool>{false, false}));
}

}  // namespace
}  // namespace mpca::report
