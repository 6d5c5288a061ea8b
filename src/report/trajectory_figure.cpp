#include "report/trajectory_figure.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/text.h"

namespace mpca::report {
namespace {

constexpr double kWidth = 1200, kHeight = 1280;
constexpr double kLeft = 92, kRight = kWidth - 36, kTop = 62, kBottom = kHeight - 74, kPanelHead = 46;

struct Colour {
  double red, green, blue, alpha = 1.0;
};
constexpr Colour kPaper{1, 1, 1};
constexpr Colour kText{0.106, 0.122, 0.141};
constexpr Colour kSoft{0.349, 0.384, 0.427};
constexpr Colour kGrid{0.906, 0.914, 0.925};
constexpr Colour kDemand{0.35, 0.39, 0.44};
constexpr Colour kForecast{0.0, 0.50, 0.37};
constexpr Colour kHpa{0.796, 0.294, 0.0};
constexpr Colour kMpc{0.0, 0.404, 0.694};
constexpr Colour kTarget{0.70, 0.15, 0.12};
constexpr Colour kOverTarget{0.70, 0.15, 0.12, 0.05};

struct Curve {
  std::string_view name;
  std::span<const double> values;
  double factor;
  Colour colour;
  bool dashed;
};

struct Panel {
  std::string_view title;
  std::string_view unit;
  std::vector<Curve> curves;
  bool filled;
  bool whole_ticks;
  std::optional<double> target;  // in the panel's unit
  double height_share;
};

double round_step(double span, double most_steps, double smallest) {
  const double rough = std::max(span / most_steps, smallest);
  const double magnitude = std::pow(10.0, std::floor(std::log10(rough)));
  for (double factor : {1.0, 2.0, 5.0})
    if (factor * magnitude >= rough * 0.999999) return factor * magnitude;
  return 10.0 * magnitude;
}

struct TimeUnit {
  double seconds;
  std::string_view name;
};

TimeUnit time_unit(double span_s) {
  if (span_s < 180) return {1, "s"};
  if (span_s < 3 * 3600) return {60, "min"};
  return span_s < 3 * 86400 ? TimeUnit{3600, "h"} : TimeUnit{86400, "d"};
}

// Thousands apart, so that 12,000 and 120,000 are told apart at a look.
std::string tick_text(double value) {
  std::string text = shortest(std::round(value * 1e6) / 1e6 + 0.0);  // + 0.0: no `-0`
  const std::size_t end = std::min(text.find_first_of(".e"), text.size());
  for (std::size_t at = end; at > 3 && at - 3 > (text[0] == '-' ? 1u : 0u); at -= 3) text.insert(at - 3, ",");
  return text;
}

class Drawing {
 public:
  Drawing(cairo_t* cairo, const TrajectoryFigure& figure) : cairo_(cairo), figure_(figure) {
    const std::vector<double>& time = figure.time_s;
    begin_s_ = time.front();
    end_s_ = time.back() + (time.size() > 1 ? time.back() - time[time.size() - 2] : 1.0);
  }

  void draw(std::span<const Panel> panels) {
    fill(kPaper);
    cairo_paint(cairo_);
    text(figure_.title, kLeft, 44, 24, kText, Align::left, true);
    double shares = 0.0;
    for (const Panel& panel : panels) shares += panel.height_share;
    const double height = kBottom - kTop;
    double top = kTop;
    for (const Panel& panel : panels) {
      const double bottom = top + height * panel.height_share / shares;
      draw_panel(panel, top + kPanelHead, bottom, &panel == &panels.back());
      top = bottom;
    }
  }

 private:
  enum class Align { left, middle, right };

  void fill(const Colour& c) { cairo_set_source_rgba(cairo_, c.red, c.green, c.blue, c.alpha); }

  double text(std::string_view words, double x, double y, double size, const Colour& colour, Align align, bool bold) {
    const std::string zero_ended(words);
    cairo_select_font_face(cairo_, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo_, size);
    cairo_text_extents_t extents;
    cairo_text_extents(cairo_, zero_ended.c_str(), &extents);
    const double shift = align == Align::left ? 0.0 : align == Align::middle ? 0.5 : 1.0;
    fill(colour);
    cairo_move_to(cairo_, x - shift * extents.x_advance, y);
    cairo_show_text(cairo_, zero_ended.c_str());
    return extents.x_advance;
  }

  void line(double x1, double y1, double x2, double y2) {
    cairo_move_to(cairo_, x1, y1);
    cairo_line_to(cairo_, x2, y2);
    cairo_stroke(cairo_);
  }

  void pen(const Colour& colour, double width, bool dashed) {
    static constexpr double kDash[] = {8, 4.5};
    fill(colour);
    cairo_set_line_width(cairo_, width);
    cairo_set_dash(cairo_, kDash, dashed ? 2 : 0, 0);
  }

  void draw_panel(const Panel& panel, double top, double bottom, bool with_time) {
    double highest = panel.target.value_or(0.0) * 1.12;
    for (const Curve& curve : panel.curves)
      for (double value : curve.values)
        if (std::isfinite(value)) highest = std::max(highest, value * curve.factor);
    highest = highest > 0.0 ? highest * 1.07 : 1.0;
    const auto x_of = [&](double time_s) {
      return kLeft + (kRight - kLeft) * (time_s - begin_s_) / (end_s_ - begin_s_);
    };
    const auto y_of = [&](double value) { return bottom - (bottom - top) * value / highest; };

    const double below_title = text(panel.title, kLeft, top - 14, 16, kText, Align::left, true);
    text(panel.unit, kLeft + below_title + 10, top - 14, 14, kSoft, Align::left, false);
    draw_legend(panel, top - 14);

    const double step = round_step(highest, (bottom - top) / 36, panel.whole_ticks ? 1.0 : 1e-9);
    for (double value = 0.0; value <= highest; value += step) {
      const double y = std::round(y_of(value)) + 0.5;
      pen(kGrid, 1, false);
      line(kLeft, y, kRight, y);
      text(tick_text(value), kLeft - 12, y + 4.5, 13, kSoft, Align::right, false);
    }
    draw_time_axis(x_of, top, bottom, with_time);
    if (panel.target) {
      fill(kOverTarget);
      cairo_rectangle(cairo_, kLeft, top, kRight - kLeft, y_of(*panel.target) - top);
      cairo_fill(cairo_);
      pen(kTarget, 1.5, true);
      line(kLeft, y_of(*panel.target), kRight, y_of(*panel.target));
    }
    if (panel.filled) {
      const Colour& colour = panel.curves.front().colour;
      draw_steps(panel.curves.front(), x_of, y_of, bottom);
      fill({colour.red, colour.green, colour.blue, 0.13});
      cairo_fill(cairo_);
    }
    // Dashed lines over solid ones, so that both are seen where they agree. Where steps are narrower than dashes,
    // dashes are noise.
    const bool is_dense = static_cast<double>(figure_.time_s.size()) > (kRight - kLeft) / 2;
    for (const bool dashed : {false, true}) {
      for (const Curve& curve : panel.curves) {
        if (curve.dashed != dashed) continue;
        draw_steps(curve, x_of, y_of, std::nullopt);
        pen(curve.colour, is_dense ? 1.0 : 2.25, dashed && !is_dense);
        cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
        cairo_stroke(cairo_);
      }
    }
  }

  void draw_time_axis(const auto& x_of, double top, double bottom, bool with_labels) {
    const TimeUnit unit = time_unit(end_s_ - begin_s_);
    const double step_s = round_step((end_s_ - begin_s_) / unit.seconds, 12, 1e-9) * unit.seconds;
    for (double time_s = std::ceil(begin_s_ / step_s - 1e-9) * step_s; time_s <= end_s_ * (1 + 1e-12);
         time_s += step_s) {
      const double x = std::round(x_of(time_s)) + 0.5;
      pen(kGrid, 1, false);
      line(x, top, x, bottom);
      if (with_labels) text(tick_text(time_s / unit.seconds), x, bottom + 22, 13, kSoft, Align::middle, false);
    }
    if (with_labels) text(cat("time, ", unit.name), (kLeft + kRight) / 2, bottom + 50, 14, kSoft, Align::middle, false);
  }

  void draw_legend(const Panel& panel, double y) {
    double x = kRight;
    const auto entry = [&](std::string_view name, const Colour& colour, bool dashed, double width) {
      x -= text(name, x, y, 14, kText, Align::right, false) + 8;
      pen(colour, width, dashed);
      line(x - 32, y - 5, x, y - 5);
      x -= 32 + 26;
    };
    if (panel.target)
      entry(cat("target ", shortest(std::round(*panel.target * 10.0) / 10.0), panel.unit), kTarget, true, 1.5);
    for (std::size_t i = panel.curves.size(); i-- > 0;) {
      const Curve& curve = panel.curves[i];
      if (!curve.name.empty()) entry(curve.name, curve.colour, curve.dashed, 2.25);
    }
  }

  // The path of a line that holds each value until the next. Values that fall on one pixel become their extremes. With
  // `floor`, every unbroken piece goes down to it at both ends, to be filled.
  void draw_steps(const Curve& curve, const auto& x_of, const auto& y_of, std::optional<double> floor) {
    cairo_new_path(cairo_);
    const std::vector<double>& time = figure_.time_s;
    bool open = false;
    double x_last = 0.0;
    const auto close = [&] {
      if (open && floor) cairo_line_to(cairo_, x_last, *floor);
      open = false;
    };
    for (std::size_t i = 0; i < time.size();) {
      const double value = curve.values[i] * curve.factor;
      if (!std::isfinite(value)) {
        close();
        ++i;
        continue;
      }
      const double x = x_of(time[i]);
      double low = value, high = value, last = value;
      std::size_t next = i + 1;
      for (; next < time.size() && x_of(time[next]) < x + 0.5; ++next) {
        if (!std::isfinite(curve.values[next])) continue;
        last = curve.values[next] * curve.factor;
        low = std::min(low, last);
        high = std::max(high, last);
      }
      if (!open && floor) cairo_move_to(cairo_, x, *floor);
      if (!open && !floor) cairo_move_to(cairo_, x, y_of(value));
      open = true;
      cairo_line_to(cairo_, x, y_of(value));
      if (low < high) {
        cairo_line_to(cairo_, x, y_of(low));
        cairo_line_to(cairo_, x, y_of(high));
        cairo_line_to(cairo_, x, y_of(last));
      }
      x_last = x_of(next < time.size() ? time[next] : end_s_);
      cairo_line_to(cairo_, x_last, y_of(last));
      i = next;
    }
    close();
  }

  cairo_t* cairo_;
  const TrajectoryFigure& figure_;
  double begin_s_ = 0.0;
  double end_s_ = 1.0;
};

std::vector<Panel> panels_of(const TrajectoryFigure& figure) {
  return {
      {"Demand and forecast",
       "requests/s",
       {{"demand", figure.demand_rps, 1, kDemand, false}, {"forecast", figure.forecast_rps, 1, kForecast, true}},
       true,
       false,
       std::nullopt,
       1.0},
      {"Replicas",
       "",
       {{"HPA", figure.hpa_replicas, 1, kHpa, true}, {"MPC", figure.mpc_replicas, 1, kMpc, false}},
       false,
       true,
       std::nullopt,
       1.1},
      {"Utilization",
       "%",
       {{"HPA", figure.hpa_utilization, 100, kHpa, true}, {"MPC", figure.mpc_utilization, 100, kMpc, false}},
       false,
       false,
       100.0 * figure.target_utilization,
       1.1},
      {"Backlog", "requests", {{"MPC", figure.mpc_backlog_requests, 1, kMpc, false}}, true, false, std::nullopt, 0.9},
  };
}

Result<void> validate(const TrajectoryFigure& figure) {
  const std::size_t size = figure.time_s.size();
  if (size == 0) return invalid("trajectory figure: there is nothing to draw");
  for (const auto* column : {&figure.demand_rps, &figure.forecast_rps, &figure.hpa_replicas, &figure.mpc_replicas,
                             &figure.hpa_utilization, &figure.mpc_utilization, &figure.mpc_backlog_requests})
    if (column->size() != size)
      return invalid(cat("trajectory figure: a column has ", column->size(), " values, the time has ", size));
  for (std::size_t i = 0; i < size; ++i)
    if (!std::isfinite(figure.time_s[i]) || (i > 0 && figure.time_s[i] <= figure.time_s[i - 1]))
      return invalid(
          cat("trajectory figure: the time at index ", i, " is ", figure.time_s[i], "; times must increase"));
  return {};
}

cairo_status_t append(void* bytes, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;

Result<void> draw_on(cairo_surface_t* surface, const TrajectoryFigure& figure) {
  const std::unique_ptr<cairo_t, decltype(&cairo_destroy)> cairo(cairo_create(surface), &cairo_destroy);
  Drawing(cairo.get(), figure).draw(panels_of(figure));
  if (const cairo_status_t status = cairo_status(cairo.get()); status != CAIRO_STATUS_SUCCESS)
    return fail(ErrorCode::io, cat("trajectory figure: Cairo: ", cairo_status_to_string(status)));
  return {};
}

}  // namespace

Result<std::string> trajectory_png(const TrajectoryFigure& figure) {
  MPCA_TRY_VOID(validate(figure));
  const Surface surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(kWidth), static_cast<int>(kHeight)),
      &cairo_surface_destroy);
  MPCA_TRY_VOID(draw_on(surface.get(), figure));
  std::string bytes;
  if (const cairo_status_t status = cairo_surface_write_to_png_stream(surface.get(), &append, &bytes);
      status != CAIRO_STATUS_SUCCESS)
    return fail(ErrorCode::io, cat("trajectory figure: Cairo: ", cairo_status_to_string(status)));
  return bytes;
}

Result<std::string> trajectory_svg(const TrajectoryFigure& figure) {
  MPCA_TRY_VOID(validate(figure));
  std::string bytes;
  {
    const Surface surface(cairo_svg_surface_create_for_stream(&append, &bytes, kWidth, kHeight),
                          &cairo_surface_destroy);
    MPCA_TRY_VOID(draw_on(surface.get(), figure));
    cairo_surface_finish(surface.get());
    if (const cairo_status_t status = cairo_surface_status(surface.get()); status != CAIRO_STATUS_SUCCESS)
      return fail(ErrorCode::io, cat("trajectory figure: Cairo: ", cairo_status_to_string(status)));
  }
  return bytes;
}

}  // namespace mpca::report

#ifdef __SANITIZE_ADDRESS__
// Fontconfig keeps its caches until the process ends; that is no leak of ours.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }
#endif
