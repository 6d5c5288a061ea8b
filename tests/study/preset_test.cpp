#include "study/preset.h"

#include <gtest/gtest.h>

#include "core/os/file.h"
#include "support/temporary_directory.h"

namespace mpca::study {
namespace {

using namespace std::chrono_literals;

// The issue that froze it, number by number. Who changes one makes a preset of another name.
TEST(Preset, StandardIsFrozen) {
  const Preset standard = load_preset("standard").value();
  EXPECT_EQ(standard.name, "standard");
  EXPECT_EQ(standard.workload.capacity_rps, 25.0);
  EXPECT_EQ(standard.workload.min_replicas, 1);
  EXPECT_EQ(standard.workload.max_replicas, 400);
  EXPECT_EQ(standard.workload.period, 15s);
  EXPECT_EQ(standard.play.peak_replicas, 60.0);
  EXPECT_EQ(standard.play.peak_level, 0.999);
  EXPECT_EQ(standard.play.longest_step, 60s);
  EXPECT_EQ(standard.play.longest_play, 200000s);
  EXPECT_EQ(standard.play.interpolation, "by-trace");
  EXPECT_EQ(standard.play.arrivals, "poisson");
  EXPECT_EQ(standard.fluid.service_time, 40ms);
  EXPECT_EQ(standard.fluid.slots, 1);
  EXPECT_EQ(standard.fluid.pooled_slots, 4);
  EXPECT_EQ(standard.fluid.queue_limit + standard.fluid.service_time, 2s) << "what 2 s serve";
  EXPECT_EQ(standard.fluid.client_timeout, 2s);
  EXPECT_EQ(standard.fluid.latency_target, 250ms);
  EXPECT_EQ(standard.pods.readiness_lag, "lognormal(mean=30s,cv=0.3)");
  EXPECT_EQ(standard.metrics.scrape_interval, 15s);
  EXPECT_EQ(standard.metrics.least_delay, 1s);
  EXPECT_EQ(standard.metrics.greatest_delay, 5s);
  EXPECT_TRUE(standard.metrics.shows_failures);
  EXPECT_EQ(standard.faults.kind, "none");
  EXPECT_EQ(standard.violation_levels, (std::vector<double>{0.003, 0.01, 0.03, 0.1}));
  EXPECT_EQ(standard.prices, (std::vector<double>{3, 10, 30, 100}));
}

TEST(Preset, BothSimulatorsGetOneService) {
  const Preset standard = load_preset("standard").value();
  EXPECT_EQ(standard.requests.service, "deterministic");
  EXPECT_EQ(standard.requests.service_time, standard.fluid.service_time);
  EXPECT_EQ(standard.requests.queue_limit, standard.fluid.queue_limit);
  EXPECT_EQ(standard.requests.balancer, "least-outstanding");
}

TEST(Preset, VariantsChangeOneThing) {
  EXPECT_EQ(load_preset("standard-10s").value().pods.readiness_lag, "lognormal(mean=10s,cv=0.3)");
  EXPECT_EQ(load_preset("standard-60s").value().pods.readiness_lag, "lognormal(mean=60s,cv=0.3)");
  EXPECT_EQ(load_preset("standard-native").value().play.longest_step, 0s);
  EXPECT_EQ(load_preset("standard-held").value().play.interpolation, "held");
  EXPECT_EQ(load_preset("standard-60s").value().play.peak_replicas, 60.0);
}

TEST(Preset, AChangeBecomesPartOfTheName) {
  const Preset changed = load_preset("standard", {"readiness-lag=45s", "client-timeout = 1s"}).value();
  EXPECT_EQ(changed.name, "standard+readiness-lag=45s+client-timeout=1s");
  EXPECT_EQ(changed.pods.readiness_lag, "45s");
  EXPECT_EQ(changed.fluid.client_timeout, 1s);
  EXPECT_EQ(changed.requests.client_timeout, 1s);
}

TEST(Preset, FaultsAreAChangeLikeAnyOther) {
  const Preset faulty = load_preset("standard", {"faults=zero", "fault-share=0.25"}).value();
  EXPECT_EQ(faulty.name, "standard+faults=zero+fault-share=0.25");
  EXPECT_EQ(faulty.faults.kind, "zero");
  EXPECT_EQ(faulty.faults.share, 0.25);
  EXPECT_EQ(faulty.faults.mean_length, 60s);
  const auto unknown = load_preset("standard", {"faults=lies"});
  ASSERT_FALSE(unknown.has_value());
  EXPECT_NE(unknown.error().message.find("must be one of none, missing"), std::string::npos) << unknown.error().message;
}

TEST(Preset, ABadChangeNamesTheKeyThatWasMeant) {
  const auto changed = load_preset("standard", {"readines-lag=45s", "drain"});
  ASSERT_FALSE(changed.has_value());
  EXPECT_NE(
      changed.error().message.find("--set readines-lag=45s: unknown key readines-lag (did you mean \"readiness-lag\""),
      std::string::npos)
      << changed.error().message;
  EXPECT_NE(changed.error().message.find("--set drain: must be KEY=VALUE"), std::string::npos);
}

TEST(Preset, AnUnknownNameIsAnErrorThatListsTheKnownOnes) {
  const auto preset = load_preset("standart");
  ASSERT_FALSE(preset.has_value());
  EXPECT_EQ(preset.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(preset.error().message.find("standard-native"), std::string::npos) << preset.error().message;
}

TEST(Preset, AFileOfOnesOwnExtendsABuiltInOne) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/mine.yaml";
  ASSERT_TRUE(os::write_file(path, "preset: mine\nextends: standard\nmin-replicas: 2\n").has_value());
  const Preset mine = load_preset(path).value();
  EXPECT_EQ(mine.name, "mine");
  EXPECT_EQ(mine.workload.min_replicas, 2);
  EXPECT_EQ(mine.workload.max_replicas, 400);
}

TEST(Preset, EveryProblemOfAFileIsReportedAtOnce) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/bad.yaml";
  ASSERT_TRUE(os::write_file(path, "extends: standard\nmin-replica: 2\nslots: 0\nreadiness-lag: soon\n").has_value());
  const auto preset = load_preset(path);
  ASSERT_FALSE(preset.has_value());
  for (const char* part : {"unknown key min-replica (did you mean \"min-replicas\"", "slots is \"0\""})
    EXPECT_NE(preset.error().message.find(part), std::string::npos) << preset.error().message;
}

TEST(Preset, AFileWithoutEverythingSaysWhatIsMissing) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/short.yaml";
  ASSERT_TRUE(os::write_file(path, "capacity: 25\n").has_value());
  const auto preset = load_preset(path);
  ASSERT_FALSE(preset.has_value());
  EXPECT_NE(preset.error().message.find("client-timeout is missing"), std::string::npos) << preset.error().message;
}

TEST(Preset, AFileThatExtendsItselfEnds) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/circle.yaml";
  ASSERT_TRUE(os::write_file(path, "extends: " + path + "\n").has_value());
  const auto preset = load_preset(path);
  ASSERT_FALSE(preset.has_value());
  EXPECT_NE(preset.error().message.find("circle"), std::string::npos) << preset.error().message;
}

}  // namespace
}  // namespace mpca::study
