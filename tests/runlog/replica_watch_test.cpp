#include "runlog/replica_watch.h"

#include <gtest/gtest.h>

#include "core/os/file.h"
#include "runlog/run_directory.h"
#include "support/temporary_directory.h"

namespace mpca::runlog {
namespace {

// 2026-01-01T00:00:00Z.
const TimePoint kStart = at_seconds(1767225600);

TEST(ReplicaWatch, WritesTheLabsRows) {
  const std::string csv = replica_watch_header() +
                          replica_watch_row(kStart + std::chrono::seconds(5), 5, {4, 4, 4, 4, 4}) +
                          replica_watch_row(kStart + std::chrono::minutes(5), 300, {5, 4, 4, 4, 5});
  EXPECT_TRUE(os::read_file(MPCA_TEST_DATA "/runs/hpa/target_60/step/20260101-000000/replica-watch.csv")
                  .value()
                  .starts_with(csv));
}

TEST(ReplicaWatch, WithoutAnHpaItsFieldsAreEmptyAndTheReaderTakesThem) {
  const test::TemporaryDirectory directory;
  const std::string row = replica_watch_row(kStart + std::chrono::milliseconds(2'949), 2.949, {3, 2, 1});
  EXPECT_EQ(row, "2026-01-01T00:00:02Z,2.9,3,2,1,,\n");
  ASSERT_TRUE(os::write_file(directory.file("watch.csv"), replica_watch_header() + row));
  const auto samples = read_replica_watch(directory.file("watch.csv"));
  ASSERT_TRUE(samples.has_value()) << samples.error().message;
  ASSERT_EQ(samples->size(), 1u);
  EXPECT_EQ((*samples)[0].elapsed_s, 2.9);
  EXPECT_EQ((*samples)[0].spec_replicas, 3.0);
  EXPECT_EQ((*samples)[0].ready_replicas, 2.0);
}

}  // namespace
}  // namespace mpca::runlog
