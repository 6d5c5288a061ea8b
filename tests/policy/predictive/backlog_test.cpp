#include "policy/predictive/backlog.h"

#include <gtest/gtest.h>

namespace mpca::policy {
namespace {

/// Four ready pods.
ScreenedObservation with_in_flight(double requests, Finding finding = Finding::good) {
  ScreenedObservation screened;
  screened.observation.ready_replicas = 4;
  screened.observation.in_flight_requests = Signal::fresh(requests);
  screened.in_flight = finding;
  return screened;
}

plant::PlantEstimate plant_with(double capacity_rps, double service_time_s) {
  plant::PlantEstimate plant;
  plant.capacity_rps.value = capacity_rps;
  plant.service_time_s.value = service_time_s;
  return plant;
}

// 5 s x 4 pods x 25 requests/s = 500.
TEST(Backlog, IsWhatWaitsBeyondFiveSecondsOfServing) {
  const plant::PlantEstimate plant = plant_with(25.0, 0.04);
  EXPECT_EQ(backlog_requests(with_in_flight(500.0), plant), 0.0);
  EXPECT_EQ(backlog_requests(with_in_flight(800.0), plant), 300.0);
  EXPECT_EQ(backlog_requests(with_in_flight(800.0, Finding::duplicate), plant), 300.0);
  for (const Finding finding : {Finding::missing, Finding::invalid, Finding::stale, Finding::reordered})
    EXPECT_EQ(backlog_requests(with_in_flight(800.0, finding), plant), 0.0) << words_of(finding);
}

// 2 requests/s of 20 s each are 40 in a pod that is busy: 2 x 4 x 40 + 4 = 324, more than 5 s x 8 = 40.
TEST(Backlog, SlowRequestsThatAreWorkedOnAreNone) {
  const plant::PlantEstimate plant = plant_with(2.0, 20.0);
  EXPECT_EQ(backlog_requests(with_in_flight(324.0), plant), 0.0);
  EXPECT_EQ(backlog_requests(with_in_flight(400.0), plant), 76.0);
}

TEST(Backlog, WithNothingReadyAllButAHandfulWaits) {
  ScreenedObservation screened = with_in_flight(104.0);
  screened.observation.ready_replicas = 0;
  EXPECT_EQ(backlog_requests(screened, plant_with(25.0, 0.04)), 100.0);
}

}  // namespace
}  // namespace mpca::policy
