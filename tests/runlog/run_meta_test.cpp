#include "runlog/run_meta.h"

#include <gtest/gtest.h>

#include <string>

#include "core/os/file.h"
#include "runlog/run_directory.h"

namespace mpca::runlog {
namespace {

TEST(RunMetaWriter, WritesARunOfTheLabByteForByte) {
  RunMetaDocument document;
  // In an order of no meaning: the file has the lab's.
  document.set("git.commit", "0123456789abcdef0123456789abcdef01234567");
  document.set("git.branch", "main");
  document.set("git.dirty", false);
  document.set("artifacts.report_txt", "incluster-report.txt");
  document.set("artifacts.hpa_live", "hpa-live.yaml");
  document.set("artifacts.deployment_live", "deployment-live.yaml");
  document.set("artifacts.replica_watch", "replica-watch.csv");
  document.set("hpa_target_average_utilization", 60);
  document.set("client.timeout", "30s");
  document.set("workload_knobs.cpu_ms", 20);
  document.set("workload_knobs.jitter_ms", 5);
  document.set("finished_at_utc", run_meta_time(at_seconds(1767225600 + 920.9)));
  document.set("started_at_utc", run_meta_time(at_seconds(1767225600)));
  document.set("cluster_context", "kind-lab");
  document.set("namespace", "default");
  document.set("workload_name", "toy-load-toy-load");
  document.set("target_url", "http://toy-load-toy-load.default.svc:9090/work?cpu_ms=20&jitter_ms=5");
  document.set("profile_file", "phases.csv");
  document.set("runner_image", "peterevans/vegeta:6.9.1");
  document.set("run_id", "20260101-000000");
  document.set("mode", "hpa-target-grid");
  document.set("scenario", "step");
  EXPECT_EQ(run_meta_yaml(document),
            os::read_file(MPCA_TEST_DATA "/runs/hpa/target_60/step/20260101-000000/run-meta.yaml").value());
}

TEST(RunMetaWriter, WhatItWritesIsReadBack) {
  const std::string hard = "a \"quote\", a \\, a: colon #\nand a line\t\x01\x7f µs";
  RunMetaDocument document;
  document.set("scenario", hard);
  document.set("mpc_alpha", 2.5);
  document.set("mpc_surge_delta_threshold", 1e9);
  document.set("mpc_normalized_objective", true);
  document.set("of_ours", -3);
  document.set("also_ours.deep", "null");
  document.set("not_a_number", 0.0 / 0.0);
  document.set("mpc_alpha", 0.5);
  const std::string yaml = run_meta_yaml(document);
  const auto meta = parse_run_meta(yaml, "M");
  ASSERT_TRUE(meta.has_value()) << meta.error().message;
  const std::map<std::string, std::string> expected = {{"scenario", hard},
                                                       {"mpc_alpha", "0.5"},
                                                       {"mpc_surge_delta_threshold", "1.0e+09"},
                                                       {"mpc_normalized_objective", "true"},
                                                       {"of_ours", "-3"},
                                                       {"also_ours.deep", "null"}};
  EXPECT_EQ(meta->values, expected) << yaml;
}

TEST(RunMetaWriter, KeysOfOursComeAfterThoseOfTheLab) {
  RunMetaDocument document;
  document.set("speed", 8.0);
  document.set("machine.cores", 2);
  document.set("hpa_backup", "hpa-backup.yaml");
  document.set("machine.name", "here");
  document.set("scenario", "step");
  EXPECT_EQ(run_meta_yaml(document),
            "scenario: \"step\"\nhpa_backup: \"hpa-backup.yaml\"\nspeed: 8\nmachine:\n  cores: 2\n  name: \"here\"\n");
  EXPECT_EQ(run_meta_yaml({}), "");
}

TEST(RunMetaWriter, ASectionIsNoKey) {
  RunMetaDocument document;
  document.set("git.commit", "x");
  EXPECT_DEATH(document.set("git", "y"), "a section is no key");
  document.set("scenario", "step");
  EXPECT_DEATH(document.set("scenario.name", "y"), "a key is no section");
  EXPECT_DEATH(document.set("a.b.c", "y"), "a section and a key");
}

}  // namespace
}  // namespace mpca::runlog
