#include "report/internal/overview_picture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "report/internal/html_text.h"
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

std::string policy_marker(int index, double x, double y) {
  const std::string attributes = cat(" class='marker' style='--c:var(--p", index % 8, ")'");
  const std::string translate = cat(" transform='translate(", fixed(x, 1), " ", fixed(y, 1), ")'");
  switch (index % 6) {
    case 0:
      return cat("<circle r='5.5'", attributes, translate, "/>");
    case 1:
      return cat("<rect x='-5' y='-5' width='10' height='10'", attributes, translate, "/>");
    case 2:
      return cat("<path d='M0-6.5 6 4.5H-6Z'", attributes, translate, "/>");
    case 3:
      return cat("<path d='M0-7 7 0 0 7-7 0Z'", attributes, translate, "/>");
    case 4:
      return cat("<path d='M0 6.5 6-4.5H-6Z'", attributes, translate, "/>");
    default:
      return cat("<path d='M-2-6h4v4h4v4h-4v4h-4v-4h-4v-4h4Z'", attributes, translate, "/>");
  }
}

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

}  // namespace mpca::report::internal
