#include "core/os/parallel.h"

#include <gtest/gtest.h>

#include <vector>

namespace mpca::os {
namespace {

TEST(Parallel, EachJobRunsOnceOnAnyNumberOfThreads) {
  for (const int jobs : {1, 2, 7, 100}) {
    std::vector<int> runs(50);
    EXPECT_EQ(parallel_for(50, jobs, {}, [&](int i) { ++runs[static_cast<std::size_t>(i)]; }), 50);
    EXPECT_EQ(runs, std::vector<int>(50, 1));
  }
}

TEST(Parallel, AfterAStopNoNewJobBegins) {
  std::stop_source stop;
  int ran = 0;
  EXPECT_EQ(parallel_for(50, 1, stop.get_token(),
                         [&](int i) {
                           ++ran;
                           if (i == 2) stop.request_stop();
                         }),
            3);
  EXPECT_EQ(ran, 3);
}

}  // namespace
}  // namespace mpca::os
