// When a status is written again: upstream compares conditions with their messages, so an error of the same words is no
// change.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "core/time.h"
#include "hpa/autoscaler.h"

namespace mpca::hpa {
namespace {

TimePoint at(int seconds) { return TimePoint{} + std::chrono::seconds(seconds); }

MetricSpec external(std::optional<std::int64_t> average_value_milli) {
  MetricSpec metric;
  metric.type = MetricType::external;
  metric.name = "wanted";
  metric.target_type = TargetType::average_value;
  metric.average_value_milli = average_value_milli;
  return metric;
}

HorizontalPodAutoscaler autoscaler_of(MetricSpec metric) {
  Spec spec;
  spec.max_replicas = 10;
  spec.metrics = {std::move(metric)};
  return {spec, ControllerSettings{}};
}

SyncInput input_of(int now_s, std::span<const MetricAnswer> answers) {
  SyncInput input;
  input.now = at(now_s);
  input.spec_replicas = 3;
  input.status_replicas = 3;
  input.answers = answers;
  return input;
}

TEST(StatusWritten, AMissingTargetIsTheSameErrorWhateverTheApiAnswers) {
  HorizontalPodAutoscaler autoscaler = autoscaler_of(external(std::nullopt));
  const std::array<std::int64_t, 1> values = {5000};
  MetricAnswer answered;
  answered.values = values;
  MetricAnswer failed;
  failed.failed = true;
  const MetricAnswer empty;
  EXPECT_TRUE(autoscaler.sync(input_of(0, {&answered, 1})).status_written);
  EXPECT_FALSE(autoscaler.sync(input_of(15, {&failed, 1})).status_written);
  EXPECT_FALSE(autoscaler.sync(input_of(30, {&empty, 1})).status_written);
}

TEST(StatusWritten, WithoutSamplesItDoesNotMatterWhoLacksARequest) {
  MetricSpec cpu;
  cpu.average_utilization = 50;
  HorizontalPodAutoscaler autoscaler = autoscaler_of(cpu);
  std::array<Pod, 1> pods;
  pods[0].phase = PodPhase::pending;
  std::array<PodSample, 1> samples;
  samples[0].value_milli = 100;
  const std::array<std::int64_t, 1> known = {100};
  const std::array<std::int64_t, 1> unknown = {kNoRequest};
  MetricAnswer with_request;
  with_request.samples = samples;
  with_request.requests = known;
  MetricAnswer without_request = with_request;
  without_request.requests = unknown;
  SyncInput input = input_of(0, {&with_request, 1});
  input.pods = pods;
  EXPECT_TRUE(autoscaler.sync(input).status_written);
  input.now = at(15);
  input.answers = {&without_request, 1};
  EXPECT_FALSE(autoscaler.sync(input).status_written);
}

// Reading the scale fails before and after the change: the status of the old metrics stays, and only a sync that reads
// the new one, with equal numbers here, replaces it.
TEST(StatusWritten, OtherMetricsCountInTheSyncThatReadsThem) {
  HorizontalPodAutoscaler autoscaler = autoscaler_of(external(1000));
  const std::array<std::int64_t, 1> values = {3000};
  MetricAnswer answered;
  answered.values = values;
  EXPECT_TRUE(autoscaler.sync(input_of(0, {&answered, 1})).status_written);
  SyncInput failing = input_of(15, {&answered, 1});
  failing.scale_get_fails = true;
  EXPECT_TRUE(autoscaler.sync(failing).status_written);
  Spec changed = autoscaler.spec();
  changed.metrics[0].name = "wanted-by-others";
  autoscaler.set_spec(changed);
  failing.now = at(30);
  EXPECT_FALSE(autoscaler.sync(failing).status_written);
  EXPECT_TRUE(autoscaler.sync(input_of(45, {&answered, 1})).status_written);
  EXPECT_FALSE(autoscaler.sync(input_of(60, {&answered, 1})).status_written);
}

TEST(StatusWritten, AnotherTargetOfTheSameMetricIsNotShown) {
  HorizontalPodAutoscaler autoscaler = autoscaler_of(external(1000));
  const std::array<std::int64_t, 1> values = {3000};
  MetricAnswer answered;
  answered.values = values;
  EXPECT_TRUE(autoscaler.sync(input_of(0, {&answered, 1})).status_written);
  Spec changed = autoscaler.spec();
  changed.metrics[0].average_value_milli = 1001;
  autoscaler.set_spec(changed);
  EXPECT_FALSE(autoscaler.sync(input_of(15, {&answered, 1})).status_written);
}

}  // namespace
}  // namespace mpca::hpa
