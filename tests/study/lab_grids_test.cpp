#include <gtest/gtest.h>

#include "core/text.h"
#include "study/lab_idealised.h"
#include "study/lab_realistic.h"

namespace mpca::study {
namespace {

// The lab's packaged demand: phases of 20, 80, 40 rps, and 20 with a burst of 200.
trace::DemandTrace phases(std::initializer_list<std::pair<int, double>> parts) {
  trace::DemandTrace trace;
  int phase = 0;
  for (const auto& [points, rps] : parts) {
    ++phase;
    for (int i = 0; i < points; ++i) {
      trace.demand_rps.push_back(rps);
      trace.phase_idx.push_back(phase);
    }
  }
  return trace;
}
const trace::DemandTrace kStep = phases({{20, 20}, {20, 80}, {20, 40}});
const trace::DemandTrace kSpike = phases({{12, 20}, {2, 200}, {12, 20}});

TEST(IdealisedGrid, Has300RowsOfWhichNonePasses) {
  const auto grid = search_idealised_grid(kSpike, kStep, 2, {});
  ASSERT_TRUE(grid);
  EXPECT_EQ(grid->rows.size(), 300u);
  EXPECT_EQ(grid->passing, 0);
  for (std::size_t i = 1; i < grid->rows.size(); ++i) {
    EXPECT_LE(grid->rows[i - 1].spike_delta_variation() + grid->rows[i - 1].step_delta_variation(),
              grid->rows[i].spike_delta_variation() + grid->rows[i].step_delta_variation());
  }
}

TEST(IdealisedGrid, DoesNotDependOnTheNumberOfJobs) {
  EXPECT_EQ(idealised_grid_csv(*search_idealised_grid(kSpike, kStep, 1, {})),
            idealised_grid_csv(*search_idealised_grid(kSpike, kStep, 4, {})));
}

TEST(RealisticGrid, CoreRunsSeasonalityForTheBestThirtyOnly) {
  RealisticGridSettings settings;
  const auto grid = search_realistic_grid({&kSpike, &kStep, &kStep}, settings, 2, {});
  ASSERT_TRUE(grid) << grid.error().message;
  EXPECT_EQ(grid->rows.size(), 720u);
  EXPECT_LE(grid->pool.size(), 30u);
  int with_seasonality = 0;
  for (const RealisticGridRow& row : grid->rows) with_seasonality += row.seasonality ? 1 : 0;
  EXPECT_EQ(with_seasonality, static_cast<int>(grid->pool.size()));
  for (std::size_t i = 1; i < grid->pool.size(); ++i) {
    EXPECT_LE(grid->rows[static_cast<std::size_t>(grid->pool[i - 1])].score(),
              grid->rows[static_cast<std::size_t>(grid->pool[i])].score());
  }
  const std::string csv = realistic_grid_csv(*grid);
  const auto header = split(std::string_view(csv).substr(0, csv.find('\n')), ',');
  EXPECT_EQ(header.size(), 5u + 3 * 2 * 13);
  EXPECT_EQ(header[5], "spike_all_mpc_V");
  EXPECT_EQ(header.back(), "seasonality_focus_mpc_emergency_count");
}

TEST(RealisticGrid, AnInterruptionWritesNothing) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(search_realistic_grid({&kSpike, &kStep, &kStep}, {}, 2, stop.get_token()).error().code,
            ErrorCode::interrupted);
  EXPECT_EQ(search_idealised_grid(kSpike, kStep, 2, stop.get_token()).error().code, ErrorCode::interrupted);
}

TEST(RealisticMetrics, FocusCountsOnlyItsPhases) {
  std::vector<RealisticTick> ticks(4);
  ticks[1].phase = ticks[2].phase = 2;
  ticks[1].mpc.ready = 3;
  ticks[2].mpc.ready = 5;
  ticks[2].mpc.violated = true;
  ticks[3].mpc.ready = 9;
  const RealisticMetrics metrics = realistic_metrics(ticks, focus_phases("spike"));
  EXPECT_EQ(metrics.mpc_variation, 2.0);
  EXPECT_EQ(metrics.mpc_slo, 0.5);
  EXPECT_EQ(metrics.mpc_avg, 4.0);
}

}  // namespace
}  // namespace mpca::study
