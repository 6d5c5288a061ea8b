#include "report/internal/overview_picture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "report/internal/html_text.h"
#include "report/internal/measured_figures.h"
#include "report/internal/page.h"
#include "report/internal/words.h"

namespace mpca::report::internal {
namespace {

constexpr double kWidth = 340, kHeight = 216;
constexpr double kLeft = 46, kRight = kWidth - 14, kTop = 24, kBottom = kHeight - 42;
constexpr double kLabelHeight = 15;

// A round step of which at most six fit into `largest`.
double round_step(double largest) {
  const double rough = std::max(largest, 1e-6) / 6.0;
  const double magnitude = std::pow(10.0, std::floor(std::log10(rough)));
  for (double factor : {1.0, 2.0, 5.0})
    if (factor * magnitude >= rough * 0.999999) return factor * magnitude;
  return 10.0 * magnitude;
}

std::string tick_text(double value) { return shortest(std::round(value * 1e6) / 1e6); }

std::string shortened(const std::string& name) {
  constexpr std::size_t kLongest = 20;
  std::size_t at = 0, characters = 0;
  while (at < name.size() && characters < kLongest) {
    ++at;
    while (at < name.size() && (static_cast<unsigned char>(name[at]) & 0xC0) == 0x80) ++at;
    ++characters;
  }
  return at == name.size() ? name : name.substr(0, at) + "…";
}

struct Box {
  double left, top, right, bottom;

  bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

// Where the name of the point at (x, y) covers nothing: right of it or left, at its height or a few lines above or
// below.
Box free_place(double x, double y, const std::string& name, const std::vector<Box>& taken) {
  const double width = 6.6 * static_cast<double>(name.size());
  const auto place = [&](bool on_the_left, double shift) {
    const double left = on_the_left ? x - 11 - width : x + 11;
    return Box{left, y + shift - kLabelHeight / 2, left + width, y + shift + kLabelHeight / 2};
  };
  const bool left_first = x > (kLeft + kRight) / 2;
  for (double lines : {0.0, -1.0, 1.0, -2.0, 2.0, -3.0, 3.0}) {
    for (bool on_the_left : {left_first, !left_first}) {
      const Box box = place(on_the_left, lines * kLabelHeight);
      if (box.left < kLeft - 40 || box.right > kWidth || box.top < kTop - 8 || box.bottom > kBottom + 8) continue;
      if (std::none_of(taken.begin(), taken.end(), [&](const Box& other) { return box.overlaps(other); })) return box;
    }
  }
  return place(left_first, 0.0);
}

// What a policy is drawn at, the height: of measured runs what users waited, else how often the target was missed.
struct Height {
  std::string_view axis;       // above it
  std::string_view tick_unit;  // after each number
  std::string_view words;      // `12.50% of the time over target`
  int decimals;
  double (*value)(const RunMetrics&);
};

// `, 3.2% failed`, or nothing when nothing did.
std::string failed_words(const RunMetrics& metrics) {
  const double failed = metrics.failed_ratio.value_or(0.0);
  return failed > 0.0 ? cat(", ", words_of_share(failed), " failed") : "";
}

Height height_for(const TraceComparison& trace) {
  const bool is_measured = std::all_of(trace.runs.begin(), trace.runs.end(), [](const PolicyRun& run) {
    return run.metrics.request_latency_p95_s.has_value();
  });
  if (is_measured)
    return {"p95 latency, ms", "", " ms p95 latency", 0,
            [](const RunMetrics& metrics) { return 1000.0 * *metrics.request_latency_p95_s; }};
  return {"time over target", "%", "% of the time over target", 2,
          [](const RunMetrics& metrics) { return 100.0 * metrics.violation_ratio; }};
}

}  // namespace

std::string overview_picture(const TraceComparison& trace) {
  const Height height = height_for(trace);
  double most_replicas = 1.0, most_time = 1.0;
  for (const PolicyRun& run : trace.runs) {
    most_replicas = std::max(most_replicas, run.metrics.mean_replicas);
    most_time = std::max(most_time, height.value(run.metrics));
  }
  const double x_step = round_step(most_replicas), x_end = most_replicas * 1.1;
  const double y_step = round_step(most_time), y_end = most_time * 1.12;
  const auto x_of = [&](double replicas) { return kLeft + (kRight - kLeft) * replicas / x_end; };
  const auto y_of = [&](double percent) { return kBottom - (kBottom - kTop) * percent / y_end; };

  std::string alternative;
  for (const PolicyRun& run : trace.runs)
    alternative +=
        cat(alternative.empty() ? "" : "; ", run.policy, ": ", fixed(run.metrics.mean_replicas, 2), " mean replicas, ",
            fixed(height.value(run.metrics), height.decimals), height.words, failed_words(run.metrics));
  std::string svg = cat("<svg class='overview' viewBox='0 0 ", fixed(kWidth, 0), " ", fixed(kHeight, 0),
                        "' role='img' aria-label='", escaped(alternative), "'>");
  for (double x = 0.0; x <= x_end * 1.0001; x += x_step) {
    const std::string at = fixed(x_of(x), 1);
    svg +=
        cat("<path class='o-grid' d='M", at, " ", fixed(kTop, 0), "V", fixed(kBottom, 0), "'/><text class='o-tick' x='",
            at, "' y='", fixed(kBottom + 16, 0), "' text-anchor='middle'>", tick_text(x), "</text>");
  }
  for (double y = 0.0; y <= y_end * 1.0001; y += y_step) {
    const std::string at = fixed(y_of(y), 1);
    svg += cat("<path class='o-grid' d='M", fixed(kLeft, 0), " ", at, "H", fixed(kRight, 0),
               "'/><text class='o-tick' x='", fixed(kLeft - 8, 0), "' y='", fixed(y_of(y) + 4, 1),
               "' text-anchor='end'>", tick_text(y), height.tick_unit, "</text>");
  }
  svg += cat("<text class='o-axis' x='", fixed(kRight, 0), "' y='", fixed(kHeight - 6, 0),
             "' text-anchor='end'>mean replicas</text><text class='o-axis' x='", fixed(4, 0), "' y='",
             fixed(kTop - 10, 0), "'>", height.axis, "</text><text class='o-better' x='", fixed(kLeft - 8, 0), "' y='",
             fixed(kHeight - 6, 0), "'>↙ better</text>");

  std::vector<Box> taken;
  for (const PolicyRun& run : trace.runs) {
    const double x = x_of(run.metrics.mean_replicas), y = y_of(height.value(run.metrics));
    taken.push_back({x - 7, y - 7, x + 7, y + 7});
  }
  for (std::size_t i = 0; i < trace.runs.size(); ++i) {
    const PolicyRun& run = trace.runs[i];
    const double x = x_of(run.metrics.mean_replicas), y = y_of(height.value(run.metrics));
    const std::string name = shortened(run.policy);
    const std::string failed = failed_words(run.metrics);
    const Box label = free_place(x, y, name + failed, taken);
    taken.push_back(label);
    svg += cat("<g data-p='", i, "'>", policy_marker(static_cast<int>(i), x, y), "<text class='o-name' x='",
               fixed(label.left < x ? label.right : label.left, 1), "' y='", fixed(label.bottom - 4, 1),
               "' text-anchor='", label.left < x ? "end" : "start", "'>", escaped(name),
               failed.empty() ? "" : cat("<tspan class='o-failed'>", failed, "</tspan>"), "</text></g>");
  }
  return svg + "</svg>";
}

std::string waiting_picture(const TraceComparison& trace) {
  constexpr double kStripHeight = 20, kRowHeight = 50, kCells = 120;
  const std::size_t points = trace.time_s.size();
  double least = 1e300, most = 0.0;
  for (const PolicyRun& run : trace.runs) {
    if (!run.measured || run.measured->latency_p95_ms.size() != points) return "";
    for (const double latency : run.measured->latency_p95_ms) {
      if (!(latency > 0.0)) continue;
      least = std::min(least, latency);
      most = std::max(most, latency);
    }
  }
  if (points < 2 || most <= 0.0) return "";
  const double end_s = trace.time_s.back() + (trace.time_s.back() - trace.time_s[points - 2]);
  const double left = 8, right = kWidth - 8, bottom = 14 + kRowHeight * static_cast<double>(trace.runs.size());
  const auto x_of = [&](double time_s) {
    return left + (right - left) * (time_s - trace.time_s.front()) / (end_s - trace.time_s.front());
  };
  const std::string words =
      cat("Latency over time: p95 from ", words_of_latency(least), " to ", words_of_latency(most));
  std::string svg = cat("<svg class='overview' viewBox='0 0 ", fixed(kWidth, 0), " ", fixed(bottom + 34, 0),
                        "' role='img' aria-label='", words, "'>");
  const auto stride = static_cast<std::size_t>(std::ceil(static_cast<double>(points) / kCells));
  for (std::size_t r = 0; r < trace.runs.size(); ++r) {
    const PolicyRun& run = trace.runs[r];
    const double top = 26 + kRowHeight * static_cast<double>(r);
    const std::vector<double> failed_ratio = failed_over_time(trace, run);
    svg +=
        cat("<g data-p='", r, "'>", policy_marker(static_cast<int>(r), left + 6, top - 12), "<text class='o-name' x='",
            fixed(left + 18, 0), "' y='", fixed(top - 8, 1), "'>", escaped(shortened(run.policy)),
            "</text><rect class='o-strip' x='", fixed(left, 1), "' y='", fixed(top, 1), "' width='",
            fixed(right - left, 1), "' height='", fixed(kStripHeight, 0), "'/><g style='--c:var(--p", r % 8, ")'>");
    for (std::size_t i = 0; i < points; i += stride) {
      const std::size_t last = std::min(i + stride, points);
      double latency = 0.0, failed = 0.0;
      for (std::size_t k = i; k < last; ++k) {
        if (run.measured->latency_p95_ms[k] > latency) latency = run.measured->latency_p95_ms[k];
        if (k < failed_ratio.size() && failed_ratio[k] > failed) failed = failed_ratio[k];
      }
      const double x = x_of(trace.time_s[i]), wide = x_of(last < points ? trace.time_s[last] : end_s) - x;
      // Twice the least is the smallest range that gets the whole of the scale: noise stays pale.
      const double depth =
          latency > 0.0 ? std::log(latency / least) / std::max(std::log(most / least), std::log(2.0)) : 0.0;
      if (depth >= 0.02)
        svg += cat("<rect class='o-wait' x='", fixed(x, 2), "' y='", fixed(top, 1), "' width='", fixed(wide + 0.15, 2),
                   "' height='", fixed(kStripHeight, 0), "' style='opacity:", fixed(depth, 2), "'/>");
      if (failed > 0.0)
        svg += cat("<rect class='o-fail' x='", fixed(x, 2), "' y='", fixed(top + kStripHeight + 2, 1), "' width='",
                   fixed(wide + 0.15, 2), "' height='3'/>");
    }
    svg += "</g></g>";
  }
  svg += cat("<text class='o-tick' x='", fixed(left, 0), "' y='", fixed(bottom + 8, 0),
             "'>0</text><text class='o-tick' x='", fixed(right, 0), "' y='", fixed(bottom + 8, 0),
             "' text-anchor='end'>", words_of_duration(end_s - trace.time_s.front()), "</text><text class='o-axis' x='",
             fixed(left, 0), "' y='", fixed(bottom + 28, 0), "'>pale ", words_of_latency(least), ", deep ",
             words_of_latency(most), "; line: requests failed</text>");
  return svg + "</svg>";
}

}  // namespace mpca::report::internal
