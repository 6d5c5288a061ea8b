#include "report/trajectory_figure.h"

#include <cairo/cairo.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>

namespace mpca::report {
namespace {

TrajectoryFigure flat(std::size_t steps) {
  TrajectoryFigure figure;
  figure.title = "flat";
  for (std::size_t i = 0; i < steps; ++i) figure.time_s.push_back(15.0 * static_cast<double>(i));
  figure.demand_rps.assign(steps, 20.0);
  figure.forecast_rps.assign(steps, 20.0);
  figure.hpa_replicas.assign(steps, 2.0);
  figure.mpc_replicas.assign(steps, 4.0);
  figure.hpa_utilization.assign(steps, 0.4);
  figure.mpc_utilization.assign(steps, 0.2);
  figure.mpc_backlog_requests.assign(steps, 0.0);
  return figure;
}

struct Pixels {
  int width = 0;
  int height = 0;
  std::vector<unsigned> rgb;

  int count_near(int red, int green, int blue) const {
    int count = 0;
    for (unsigned pixel : rgb) {
      const auto part = [&](int shift) { return static_cast<int>((pixel >> shift) & 0xFF); };
      count += std::abs(part(16) - red) + std::abs(part(8) - green) + std::abs(part(0) - blue) < 30;
    }
    return count;
  }
};

Pixels decode(const std::string& png) {
  std::pair<const std::string*, std::size_t> input{&png, 0};
  cairo_surface_t* surface = cairo_image_surface_create_from_png_stream(
      [](void* closure, unsigned char* data, unsigned int length) {
        auto& [bytes, at] = *static_cast<std::pair<const std::string*, std::size_t>*>(closure);
        if (at + length > bytes->size()) return CAIRO_STATUS_READ_ERROR;
        std::memcpy(data, bytes->data() + at, length);
        at += length;
        return CAIRO_STATUS_SUCCESS;
      },
      &input);
  Pixels pixels{cairo_image_surface_get_width(surface), cairo_image_surface_get_height(surface), {}};
  const unsigned char* row = cairo_image_surface_get_data(surface);
  for (int y = 0; y < pixels.height; ++y, row += cairo_image_surface_get_stride(surface))
    for (int x = 0; x < pixels.width; ++x) {
      unsigned pixel;
      std::memcpy(&pixel, row + 4 * x, 4);
      pixels.rgb.push_back(pixel);
    }
  cairo_surface_destroy(surface);
  return pixels;
}

TEST(TrajectoryFigure, IsAPictureWithBothPoliciesInTheirColours) {
  const auto png = trajectory_png(flat(20));
  ASSERT_TRUE(png.has_value()) << png.error().message;
  const Pixels pixels = decode(*png);
  EXPECT_EQ(pixels.width, 1200);
  EXPECT_EQ(pixels.height, 1280);
  EXPECT_GT(pixels.count_near(0, 103, 177), 1000);  // MPC: two lines across two panels
  EXPECT_GT(pixels.count_near(203, 75, 0), 1000);   // HPA
}

TEST(TrajectoryFigure, OnePeriodIsEnough) { EXPECT_TRUE(trajectory_png(flat(1)).has_value()); }

TEST(TrajectoryFigure, AGapIsNoLineAndNoFailure) {
  TrajectoryFigure figure = flat(20);
  figure.mpc_utilization.assign(20, std::numeric_limits<double>::quiet_NaN());
  const auto png = trajectory_png(figure);
  ASSERT_TRUE(png.has_value());
  EXPECT_LT(decode(*png).count_near(0, 103, 177), decode(*trajectory_png(flat(20))).count_near(0, 103, 177) - 500);
}

TEST(TrajectoryFigure, AMillionPeriodsKeepASpikeOfOne) {
  TrajectoryFigure figure = flat(1'000'000);
  const auto without = trajectory_svg(figure);
  figure.mpc_replicas[700'000] = 12.0;
  const auto with = trajectory_svg(figure);
  ASSERT_TRUE(with.has_value());
  EXPECT_NE(*with, *without);
  EXPECT_LT(with->size(), 2'000'000u);
}

TEST(TrajectoryFigure, TheSvgIsTheSameDrawing) {
  const auto svg = trajectory_svg(flat(20));
  ASSERT_TRUE(svg.has_value());
  EXPECT_EQ(svg->find("<?xml"), 0u);
  EXPECT_NE(svg->find("</svg>"), std::string::npos);
}

TEST(TrajectoryFigure, RefusesWhatIsNoTrajectory) {
  EXPECT_EQ(trajectory_png({}).error().message, "trajectory figure: there is nothing to draw");
  TrajectoryFigure short_column = flat(20);
  short_column.hpa_replicas.pop_back();
  EXPECT_EQ(trajectory_png(short_column).error().message, "trajectory figure: a column has 19 values, the time has 20");
  TrajectoryFigure back_in_time = flat(3);
  back_in_time.time_s[2] = 10.0;
  EXPECT_EQ(trajectory_png(back_in_time).error().message,
            "trajectory figure: the time at index 2 is 10; times must increase");
}

}  // namespace
}  // namespace mpca::report
