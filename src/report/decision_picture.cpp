#include "report/decision_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/text.h"
#include "core/time.h"
#include "report/internal/html_text.h"
#include "report/internal/words.h"

namespace mpca::report {
namespace {

constexpr double kShownPeriods = 64.0, kPeriodsBefore = 42.0;
constexpr double kMostAboveTheRest = 2.0;
constexpr double kLeadTimesPerWindow = 4.0;  // so that a fan is not a line

bool is_fan(const DecisionPicture& picture) {
  return std::any_of(picture.forecast.begin(), picture.forecast.end(),
                     [](const policy::ForecastPoint& point) { return point.level != 0.5; });
}

double lead_time_s(const DecisionPicture& picture) {
  double longest = 0.0;
  for (const policy::ForecastPoint& point : picture.forecast) longest = std::max(longest, to_seconds(point.lead_time));
  return longest;
}

/// What the picture shows of replicas, from its floor to its ceiling.
struct Scale {
  double low = 0.0, high = 1.0;
};

Scale scale_of(const DecisionPicture& picture) {
  double low = 1e300, high = 0.0;
  const auto take = [&](double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const PicturedDecision& decision : picture.decisions) {
    take(decision.replicas);
    if (decision.demand_rps) take(*decision.demand_rps / picture.capacity_rps);
  }
  // A forecast that knows little may go far beyond all that is real; then its top is cut off.
  const double most = kMostAboveTheRest * high;
  for (const policy::ForecastPoint& point : picture.forecast)
    take(std::min(point.demand_rps / picture.capacity_rps, std::max(most, 1.0)));
  if (low < 0.55 * high) low = 0.0;
  const double room = std::max(0.06 * (high - low), 0.5);
  return {std::max(0.0, low - room), high + room};
}

/// The last decision at or before `time_s`, if there is one.
const PicturedDecision* in_force(const DecisionPicture& picture, double time_s) {
  const auto next = std::upper_bound(picture.decisions.begin(), picture.decisions.end(), time_s,
                                     [](double time, const PicturedDecision& one) { return time < one.time_s; });
  return next == picture.decisions.begin() ? nullptr : &*(next - 1);
}

double round_step(double span, double most_steps, double least) {
  const double rough = std::max(span / most_steps, least);
  const double magnitude = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * magnitude >= rough * 0.999999) return factor * magnitude;
  return 10.0 * magnitude;
}

double round_time_step(double span_s, double most_steps) {
  for (const double step : {5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0,
                            21600.0, 43200.0, 86400.0})
    if (span_s / step <= most_steps) return step;
  return 86400.0 * std::ceil(span_s / 86400.0 / most_steps);
}

std::string time_words(double seconds) {
  return format_duration(std::chrono::round<std::chrono::seconds>(from_seconds(seconds)));
}

// Text --------------------------------------------------------------------------------------------------------------

constexpr int kAxisWidth = 6;

class Canvas {
 public:
  Canvas(const DecisionPicture& picture, int columns, int rows)
      : picture_(picture),
        scale_(scale_of(picture)),
        columns_(columns - kAxisWidth),
        rows_(rows),
        cells_(static_cast<std::size_t>(columns_ * rows_), " ") {}

  void fan(std::string_view outer, std::string_view inner) {
    if (!is_fan(picture_)) return;
    const double from = picture_.decisions[picture_.at].time_s;
    const int first = column_of(from) + 1, last = std::max(first, column_of(from + lead_time_s(picture_)));
    const auto replicas_at = [&](std::size_t i) { return picture_.forecast[i].demand_rps / picture_.capacity_rps; };
    const std::size_t top = picture_.forecast.size() - 1;
    for (int column = first; column <= last; ++column)
      for (int row = row_of(replicas_at(top)); row <= row_of(replicas_at(0)); ++row)
        put(column, row, row >= row_of(replicas_at(top / 2)) ? inner : outer);
  }
  void moment(std::string_view mark) {
    for (int row = 0; row < rows_; ++row) put(column_of(picture_.decisions[picture_.at].time_s), row, mark);
  }
  void demand(std::string_view mark) {
    for (const PicturedDecision& decision : picture_.decisions)
      if (decision.demand_rps)
        put(column_of(decision.time_s), row_of(*decision.demand_rps / picture_.capacity_rps), mark);
  }
  void replicas() {
    int before = -1;
    for (int column = 0; column < columns_; ++column) {
      const PicturedDecision* held = in_force(picture_, time_of(column + 1) - 1e-9);
      if (held == nullptr || time_of(column) > end_s()) continue;
      const int row = row_of(held->replicas);
      if (before < 0 || before == row) {
        put(column, row, "━");
      } else {
        for (int between = std::min(row, before) + 1; between < std::max(row, before); ++between)
          put(column, between, "┃");
        put(column, before, row < before ? "┛" : "┓");
        put(column, row, row < before ? "┏" : "┗");
      }
      before = row;
    }
  }

  std::string text() const {
    std::string out;
    double labelled = 1e300;
    for (int row = 0; row < rows_; ++row) {
      const double value = std::round(scale_.high - (row + 0.5) * step());
      const bool has_label = row_of(value) == row && value != labelled && row % 2 == 0;
      labelled = has_label ? value : labelled;
      const std::string label = has_label ? shortest(value) : "";
      std::string body;
      for (int column = 0; column < columns_; ++column) body += cells_[index(column, row)];
      while (body.ends_with(' ')) body.pop_back();
      out += cat(std::string(std::max<std::size_t>(kAxisWidth - 2, label.size()) - label.size(), ' '), label,
                 has_label ? " ┤" : " │", body, "\n");
    }
    const double every = round_time_step(picture_.to_s - picture_.from_s, columns_ / 10.0);
    std::string labels(kAxisWidth, ' ');
    std::size_t filled = 0;
    std::string marks;
    for (int column = 0; column < columns_; ++column) {
      const double tick = std::ceil(time_of(column) / every - 1e-9) * every;
      const bool is_tick = tick < time_of(column + 1) && tick >= -1e-9;
      marks += is_tick ? "┴" : "─";
      const std::string words = time_words(tick);
      if (!is_tick || (filled > 0 && static_cast<std::size_t>(column) < filled + 1) ||
          column + static_cast<int>(words.size()) > columns_)
        continue;
      labels.resize(static_cast<std::size_t>(kAxisWidth) + static_cast<std::size_t>(column), ' ');
      labels += words;
      filled = static_cast<std::size_t>(column) + words.size();
    }
    return out + cat(std::string(kAxisWidth - 1, ' '), "└", marks, "\n", labels, "\n");
  }

 private:
  double step() const { return (scale_.high - scale_.low) / rows_; }
  double end_s() const { return std::min(picture_.to_s, picture_.decisions.back().time_s + period_s()); }
  double period_s() const {
    const std::size_t n = picture_.decisions.size();
    return n < 2 ? picture_.to_s - picture_.from_s
                 : picture_.decisions[n - 1].time_s - picture_.decisions[n - 2].time_s;
  }
  double time_of(int column) const { return picture_.from_s + (picture_.to_s - picture_.from_s) * column / columns_; }
  int column_of(double time_s) const {
    return static_cast<int>(
        std::floor((time_s - picture_.from_s) / (picture_.to_s - picture_.from_s) * columns_ + 1e-6));
  }
  int row_of(double value) const {
    return std::clamp(static_cast<int>(std::floor((scale_.high - value) / step())), 0, rows_ - 1);
  }
  std::size_t index(int column, int row) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(column);
  }
  void put(int column, int row, std::string_view mark) {
    if (column >= 0 && column < columns_ && row >= 0 && row < rows_) cells_[index(column, row)] = mark;
  }

  const DecisionPicture& picture_;
  Scale scale_;
  int columns_, rows_;
  std::vector<std::string> cells_;
};

// SVG ---------------------------------------------------------------------------------------------------------------

constexpr double kWidth = 860, kLeft = 52, kRight = 812, kTop = 62, kBottom = 352;
constexpr std::size_t kCharactersPerLine = 118;

constexpr std::string_view kStyle =
    "<style>\n"
    "svg{--bg:#fcfcfb;--text:#1b1f24;--soft:#59626d;--grid:#e6e8eb;--demand:#6b7480;--held:#0067b1;--fan:#cb4b00;"
    "--band:#00805f;font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif}\n"
    "@media (prefers-color-scheme:dark){svg{--bg:#12151a;--text:#e8eaed;--soft:#a0a9b4;--grid:#2a3038;"
    "--demand:#9aa4b0;--held:#62b4f5;--fan:#ff9457;--band:#45cfa2}}\n"
    ".bg{fill:var(--bg)}text{fill:var(--soft);font-variant-numeric:tabular-nums}"
    ".title{fill:var(--text);font-size:17px;font-weight:600}.says{fill:var(--text);font-size:13px}"
    ".grid{stroke:var(--grid);fill:none}.axis{stroke:var(--soft);fill:none}"
    ".held{stroke:var(--held);stroke-width:2.5;fill:none;stroke-linejoin:round}"
    ".under{fill:var(--held);opacity:.09}.demand{stroke:var(--demand);stroke-width:1.5;fill:none;stroke-linejoin:round}"
    ".dot{fill:var(--demand)}.fan{fill:var(--fan);opacity:.13}.level{stroke:var(--fan);stroke-width:1;opacity:.75}"
    ".moment{stroke:var(--text);stroke-dasharray:3 4;fill:none}.band{stroke:var(--band);stroke-width:5;"
    "stroke-linecap:round}.now{fill:var(--text);font-weight:600}.k-held{fill:var(--held);font-weight:600}"
    ".k-demand{fill:var(--demand);font-weight:600}.k-fan{fill:var(--fan);font-weight:600}"
    ".k-band{fill:var(--band);font-weight:600}\n</style>\n";

class Drawing {
 public:
  explicit Drawing(const DecisionPicture& picture) : picture_(picture), scale_(scale_of(picture)) {}

  std::string svg() const {
    const std::vector<std::string> sentence = wrapped(picture_.sentence);
    const double height = kBottom + 78.0 + 19.0 * static_cast<double>(sentence.size());
    std::string words;
    for (std::size_t i = 0; i < sentence.size(); ++i)
      words += cat("<text class='says' x='", kLeft, "' y='", fixed(kBottom + 76.0 + 19.0 * static_cast<double>(i), 0),
                   "'>", internal::escaped(sentence[i]), "</text>\n");
    return cat("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ", kWidth, " ", fixed(height, 0), "' width='",
               kWidth, "' height='", fixed(height, 0), "' role='img' aria-label='",
               internal::escaped(picture_.sentence), "'>\n", kStyle, "<rect class='bg' width='", kWidth, "' height='",
               fixed(height, 0), "'/>\n<text class='title' x='", kLeft, "' y='32'>", internal::escaped(picture_.title),
               "</text>\n<text x='", kLeft, "' y='", kTop - 10, "'>replicas</text>\n", grid(), fan(), lines(), band(),
               moment(), legend(), words, "</svg>\n");
  }

 private:
  double x_of(double time_s) const {
    const double share = (time_s - picture_.from_s) / (picture_.to_s - picture_.from_s);
    return kLeft + (kRight - kLeft) * std::clamp(share, 0.0, 1.0);
  }
  double y_of(double replicas) const {
    return kBottom - (kBottom - kTop) * (replicas - scale_.low) / (scale_.high - scale_.low);
  }
  static std::string at(double x, double y) { return cat(fixed(x, 1), " ", fixed(y, 1)); }
  double now_s() const { return picture_.decisions[picture_.at].time_s; }

  std::string grid() const {
    std::string svg;
    const double step = round_step(scale_.high - scale_.low, 7.0, 1.0);
    for (double value = std::ceil(scale_.low / step) * step; value <= scale_.high; value += step)
      svg += cat("<path class='grid' d='M", at(kLeft, y_of(value)), "H", kRight, "'/><text x='", kLeft - 8, "' y='",
                 fixed(y_of(value) + 4.0, 1), "' text-anchor='end'>", shortest(value), "</text>\n");
    const double every = round_time_step(picture_.to_s - picture_.from_s, 9.0);
    for (double time = std::ceil(picture_.from_s / every) * every; time <= picture_.to_s; time += every)
      svg += cat("<path class='axis' d='M", at(x_of(time), kBottom), "v5'/><text x='", fixed(x_of(time), 1), "' y='",
                 kBottom + 19, "' text-anchor='middle'>", time_words(time), "</text>\n");
    return svg + cat("<path class='axis' d='M", at(kLeft, kBottom), "H", kRight, "'/>\n");
  }

  std::string fan() const {
    if (!is_fan(picture_)) return "";
    std::string svg;
    const double left = x_of(now_s()), right = x_of(now_s() + lead_time_s(picture_));
    const auto replicas_at = [&](std::size_t i) { return picture_.forecast[i].demand_rps / picture_.capacity_rps; };
    const auto y_at = [&](std::size_t i) { return y_of(std::min(replicas_at(i), scale_.high)); };
    const double bottom = y_at(0);
    for (std::size_t i = 1; i < picture_.forecast.size(); ++i)
      svg += cat("<rect class='fan' x='", fixed(left, 1), "' y='", fixed(y_at(i), 1), "' width='",
                 fixed(right - left, 1), "' height='", fixed(std::max(bottom - y_at(i), 0.5), 1), "'/>");
    double labelled = 1e300;
    for (std::size_t i = picture_.forecast.size(); i-- > 0;) {
      svg += cat("<path class='level' d='M", at(left, y_at(i)), "H", fixed(right, 1), "'/>");
      if (i + 1 < picture_.forecast.size() && std::abs(y_at(i) - labelled) < 13.0) continue;
      labelled = y_at(i);
      svg += cat("<text class='k-fan' x='", fixed(right + 5.0, 1), "' y='", fixed(labelled + 4.0, 1), "'>q ",
                 picture_.forecast[i].level,
                 replicas_at(i) > scale_.high ? cat(" ↑ ", fixed(replicas_at(i), 0)) : std::string(), "</text>");
    }
    return svg + "\n";
  }

  std::string lines() const {
    std::string held, demand, dots;
    bool has_gap = true;
    const std::size_t n = picture_.decisions.size();
    const double period = n > 1 ? picture_.decisions[n - 1].time_s - picture_.decisions[n - 2].time_s : 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      const PicturedDecision& one = picture_.decisions[i];
      const double next = i + 1 < n ? picture_.decisions[i + 1].time_s : one.time_s + period;
      held += cat(i == 0 ? cat("M", at(x_of(one.time_s), y_of(one.replicas))) : cat("V", fixed(y_of(one.replicas), 1)),
                  "H", fixed(x_of(next), 1));
      if (!one.demand_rps || one.time_s < picture_.from_s) {
        has_gap = true;
        continue;
      }
      const std::string place = at(x_of(one.time_s), y_of(*one.demand_rps / picture_.capacity_rps));
      demand += cat(has_gap ? "M" : "L", place);
      has_gap = false;
      dots += cat("<circle class='dot' r='2' cx='", fixed(x_of(one.time_s), 1), "' cy='",
                  fixed(y_of(*one.demand_rps / picture_.capacity_rps), 1), "'/>");
    }
    const PicturedDecision& first = picture_.decisions.front();
    return cat("<path class='under' d='", held, "V", fixed(kBottom, 1), "H", fixed(x_of(first.time_s), 1), "Z'/>\n",
               "<path class='demand' d='", demand, "'/>\n", n <= 90 ? dots : std::string(), "\n<path class='held' d='",
               held, "'/>\n");
  }

  std::string band() const {
    if (!picture_.band || picture_.band->raise_below >= picture_.band->lower_above) return "";
    const double x = x_of(now_s());
    return cat("<path class='band' d='M", at(x, y_of(picture_.band->raise_below)), "V",
               fixed(y_of(picture_.band->lower_above), 1), "'/>\n");
  }

  std::string moment() const {
    const double x = x_of(now_s());
    const bool is_right = x > kLeft + 60.0;  // of its label: the fan is on the other side
    return cat("<path class='moment' d='M", at(x, kTop - 4.0), "V", kBottom, "'/><text class='now' x='",
               fixed(is_right ? x - 6.0 : x + 6.0, 1), "' y='", kTop + 2, "'", is_right ? " text-anchor='end'" : "",
               ">", time_words(now_s()), "</text>\n");
  }

  std::string legend() const {
    double x = kLeft;
    std::string svg;
    const auto add = [&](std::string_view style, const std::string& words) {
      svg += cat("<text class='", style, "' x='", fixed(x, 0), "' y='", kBottom + 46, "'>", internal::escaped(words),
                 "</text>");
      x += 7.2 * static_cast<double>(words.size()) + 22.0;
    };
    add("k-held", "replicas decided");
    add("k-demand", cat("demand / ", fixed(picture_.capacity_rps, 1), " rps"));
    if (is_fan(picture_)) add("k-fan", cat("greatest demand within ", time_words(lead_time_s(picture_))));
    if (picture_.band && picture_.band->raise_below < picture_.band->lower_above)
      add("k-band", cat("band ", picture_.band->raise_below, " to ", picture_.band->lower_above));
    return svg + "\n";
  }

  static std::vector<std::string> wrapped(const std::string& sentence) {
    std::vector<std::string> lines(1);
    for (const std::string_view word : split(sentence, ' ')) {
      if (lines.back().size() + word.size() > kCharactersPerLine) lines.emplace_back();
      lines.back() += cat(lines.back().empty() ? "" : " ", word);
    }
    return lines;
  }

  const DecisionPicture& picture_;
  Scale scale_;
};

}  // namespace

PictureWindow window_around(double at_s, double period_s, double lead_time_s, double end_s) {
  const double length = std::max(kShownPeriods * period_s, kLeadTimesPerWindow * lead_time_s);
  PictureWindow window{at_s - length * kPeriodsBefore / kShownPeriods, 0.0};
  window.from_s = std::max(std::min(window.from_s, end_s - length), 0.0);
  window.to_s = std::min(window.from_s + length, std::max(end_s, at_s + lead_time_s));
  return window;
}

std::string text_picture(const DecisionPicture& picture, int columns, int rows) {
  Canvas canvas(picture, std::max(columns, 30), std::max(rows, 6));
  canvas.fan("░", "▒");
  canvas.moment("┊");
  canvas.demand("•");
  canvas.replicas();
  std::string legend = "      ━ replicas decided  • demand in replicas";
  if (is_fan(picture)) {
    const std::size_t top = picture.forecast.size() - 1;
    legend += cat("\n      ▒ greatest demand within ", time_words(lead_time_s(picture)), ", q ",
                  picture.forecast.front().level, " to ", picture.forecast[top / 2].level, "  ░ to q ",
                  picture.forecast[top].level);
  }
  return cat(canvas.text(), legend, "  ┊ the decision\n");
}

std::string svg_picture(const DecisionPicture& picture) { return Drawing(picture).svg(); }

}  // namespace mpca::report
