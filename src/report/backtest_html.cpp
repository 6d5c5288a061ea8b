#include "report/backtest_html.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text.h"
#include "report/internal/assets.h"
#include "report/internal/backtest_summary.h"
#include "report/internal/chart_data.h"
#include "report/internal/front_picture.h"
#include "report/internal/html_text.h"
#include "report/internal/page.h"
#include "report/internal/words.h"

namespace mpca::report {
namespace {

using internal::breakable;
using internal::escaped;
using internal::json_string;
using internal::LevelSummary;
using internal::swatch;
using internal::words_of_level;
using internal::words_of_percent;

constexpr internal::FrontSize kWide{764, 430}, kNarrow{358, 330}, kCard{340, 250, false};
constexpr const char* kStar = "<span class='star' aria-hidden='true'>★</span>";
constexpr const char* kBest = "<span class='hidden'> (best)</span>";
constexpr const char* kNotReached = "<span class='none'>not reached</span>";

// The page's families: numbers, names, colours.
struct Families {
  std::vector<std::string> names;
  std::vector<std::size_t> slots;
  std::vector<std::pair<std::string, std::size_t>> marks;

  explicit Families(const BacktestReport& report)
      : names(internal::families_of(report)), slots(internal::slots_of(names)) {
    for (std::size_t i = 0; i < names.size(); ++i) marks.emplace_back(names[i], slots[i]);
  }
  std::size_t number(std::string_view name) const {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }
  std::size_t slot(std::string_view name) const {
    const std::size_t at = number(name);
    return at < slots.size() ? slots[at] : 0;
  }
  // ` data-p='2'`, so that its switch dims it.
  std::string tag(std::size_t number) const { return number < names.size() ? cat(" data-p='", number, "'") : ""; }
  std::string marked(const std::string& sentence) const { return internal::with_names_marked(sentence, marks); }
};

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return cat(count, " ", count == 1 ? one : many);
}

std::string cost(const std::optional<double>& value) { return value ? fixed(*value, 2) : std::string(kNotReached); }

std::string range_of(const Interval& figure) {
  if (!figure.low || !figure.high) return "";
  return cat("<span class='range'>", words_of_percent(*figure.low), " to ", words_of_percent(*figure.high), "</span>");
}

std::string table_open(std::string_view region, std::string_view classes, std::string_view caption,
                       std::string_view note, std::string_view style = "") {
  return cat("<div class='scroll' tabindex='0' role='region' aria-label='", escaped(region), "'>\n<table class='",
             classes, "'", style.empty() ? "" : " style='", style, style.empty() ? "" : "'", ">\n<caption>",
             escaped(caption), note.empty() ? "" : "<span class='note'>", escaped(note), note.empty() ? "" : "</span>",
             "</caption>\n");
}

std::string top(const BacktestReport& report, const Families& families) {
  const internal::BacktestVerdict verdict = internal::verdict_of(report);
  std::string facts =
      cat(report.preset.empty() ? "" : cat("preset ", report.preset, " · "),
          report.world.empty() ? "" : cat(report.world, " world · "), counted(report.traces.size(), "trace", "traces"),
          " · ", counted(families.names.size(), "policy family", "policy families"), " · ",
          counted(static_cast<std::size_t>(std::max(report.seeds, 0)), "seed", "seeds"), " · late above ",
          shortest(report.latency_target_ms), " ms · ", shortest(report.capacity_rps), " requests/s per replica");
  std::string html = cat(internal::page_eyebrow("Autoscaling policies on recorded demand"), "<h1>",
                         families.marked(verdict.sentence), "</h1>\n<p class='facts'>", escaped(facts), "</p>\n");
  if (!verdict.details.empty()) {
    html += "<ul class='details'>\n";
    for (const std::string& detail : verdict.details) html += cat("<li>", families.marked(detail), "</li>\n");
    html += "</ul>\n";
  }
  html +=
      "</header>\n<main id='main'>\n<fieldset class='policies'><legend class='hidden'>Families shown in the pictures "
      "and "
      "tables</legend><div class='chips'>\n";
  for (std::size_t i = 0; i < families.names.size(); ++i)
    html += internal::policy_chip(i, families.slots[i], families.names[i]);
  return html + "</div></fieldset>\n";
}

// Of one family at one level over all traces; `savings` and their median are against one of the opponents.
std::string saving_cell(const LevelSummary& one, const std::vector<double>& savings, std::optional<double> median,
                        double reach, std::size_t slot, bool is_first_half) {
  if (!median) {
    const std::string why = one.reached == 0       ? "not reached on any trace"
                            : is_first_half        ? "no trace to compare on"
                            : one.hpa_reached == 0 ? "no HPA gets there"
                                                   : "no trace where both get there";
    return cat("<td><span class='none'>", why, "</span>",
               one.policy_cost && !is_first_half
                   ? cat("<span class='range'>cost ", fixed(*one.policy_cost, 2), " times the least</span>")
                   : "",
               "</td>");
  }
  const auto worst = std::min_element(savings.begin(), savings.end());
  std::string under;
  if (savings.size() > 1) under += cat("worst ", words_of_percent(*worst), " · ");
  under += cat(savings.size(), " of ", counted(one.traces, "trace", "traces"));
  if (!is_first_half && one.gap_closed) under += cat("<br>gap closed ", words_of_percent(*one.gap_closed));
  return cat("<td><span class='figure",
             *median < -0.0005  ? " worse"
             : *median > 0.0005 ? " better"
                                : "",
             "'>", words_of_percent(*median), "</span>", internal::savings_strip(savings, *median, reach, slot),
             "<span class='range'>", under, "</span></td>");
}

std::string savings_table(const BacktestReport& report, const Families& families,
                          const std::vector<std::string>& compared) {
  std::vector<std::vector<LevelSummary>> rows;
  double reach = 0.05;
  for (const std::string& family : compared) {
    auto& row = rows.emplace_back();
    for (const double level : report.violation_levels) {
      row.push_back(internal::level_summary(report, family, level));
      for (const double saving : row.back().savings) reach = std::max(reach, std::abs(saving));
      for (const double saving : row.back().first_savings) reach = std::max(reach, std::abs(saving));
    }
  }
  reach = std::min(std::ceil(reach * 20.0) / 20.0, 1.0);
  std::string html =
      table_open("Savings at equal violations", "savings", "Savings at equal violations",
                 cat("median over the traces; a dot per trace, from −", shortest(std::round(reach * 100)), "% to ",
                     shortest(std::round(reach * 100)), "%, right of the middle is cheaper"),
                 cat("--n:", report.violation_levels.size()));
  html += cat("<colgroup><col class='first'><col span='", report.violation_levels.size(),
              "'></colgroup>\n<thead><tr><th scope='col'>Against the HPA</th>");
  for (const double level : report.violation_levels)
    html += cat("<th scope='col'>", words_of_level(level), " late or failed</th>");
  html += "</tr></thead>\n";
  for (std::size_t i = 0; i < compared.size(); ++i) {
    const std::size_t number = families.number(compared[i]), slot = families.slot(compared[i]);
    const bool has_first_half = std::any_of(rows[i].begin(), rows[i].end(),
                                            [](const LevelSummary& one) { return one.saving_first_half.has_value(); });
    html += cat("<tbody", families.tag(number), "><tr><th scope='row'>", swatch(slot), "<b>", breakable(compared[i]),
                "</b><span class='range'>HPA tuned in hindsight</span></th>");
    for (const LevelSummary& one : rows[i]) html += saving_cell(one, one.savings, one.saving, reach, slot, false);
    html += "</tr>\n";
    if (has_first_half) {
      html += cat("<tr><th scope='row'><span class='hidden'>", escaped(compared[i]),
                  ", </span><span class='range'>HPA tuned on the first half, judged on the second</span></th>");
      for (const LevelSummary& one : rows[i])
        html += saving_cell(one, one.first_savings, one.saving_first_half, reach, slot, true);
      html += "</tr>\n";
    }
    html += "</tbody>\n";
  }
  return html + "</table>\n</div>\n";
}

struct BillRow {
  std::size_t family;  // number; beyond the families: none
  std::size_t slot;
  std::string html;
  std::vector<std::optional<double>> values;
  bool competes;  // on the whole trace, without foresight
};

// Families, then their opponents, then the floor.
template <class BillOf>
std::vector<BillRow> bill_rows(const BacktestReport& report, const Families& families,
                               const std::vector<std::string>& compared, const BillOf& bill_of) {
  std::vector<BillRow> rows;
  const auto add = [&](const std::string& family, std::size_t number, std::size_t slot, const std::string& html,
                       std::optional<double> Bill::* part, bool competes) {
    std::vector<std::optional<double>> values;
    for (const double price : report.prices) values.push_back(bill_of(family, price).*part);
    if (competes || std::any_of(values.begin(), values.end(), [](const auto& value) { return value.has_value(); }))
      rows.push_back({number, slot, html, std::move(values), competes});
  };
  const auto is_there = [&](const std::string& family, std::optional<double> Bill::* part) {
    return std::any_of(report.prices.begin(), report.prices.end(),
                       [&](double price) { return (bill_of(family, price).*part).has_value(); });
  };
  for (const std::string& family : compared)
    add(family, families.number(family), families.slot(family), breakable(family), &Bill::policy, true);
  if (compared.empty()) return rows;
  const std::string& first = compared.front();
  std::size_t hpa = families.names.size(), clairvoyant = hpa;
  for (std::size_t i = families.names.size(); i-- > 0;) {
    if (internal::is_hpa(families.names[i])) hpa = i;
    if (internal::is_clairvoyant(families.names[i])) clairvoyant = i;
  }
  if (is_there(first, &Bill::hpa_hindsight)) add(first, hpa, 1, "HPA tuned in hindsight", &Bill::hpa_hindsight, true);
  if (is_there(first, &Bill::hpa60)) add(first, hpa, 1, "HPA, target 60%, 300 s", &Bill::hpa60, true);
  add(first, clairvoyant, 5, "clairvoyant", &Bill::clairvoyant, false);
  for (const std::string& family : compared)
    add(family, families.number(family), families.slot(family),
        cat(breakable(family), " <span class='unit'>second half, tuned on the first</span>"), &Bill::policy_second_half,
        false);
  add(first, hpa, 1, "HPA <span class='unit'>second half, tuned on the first</span>", &Bill::hpa_first_half, false);
  return rows;
}

std::string bills_table(const std::vector<BillRow>& rows, const std::vector<double>& prices, const Families& families,
                        std::string_view region, std::string_view note) {
  if (rows.empty() || prices.empty()) return "";
  std::string html = table_open(region, "phases bills", "The bill J(P) = cost + P × violations", note);
  html += "<thead><tr><th scope='col'>Best member of</th>";
  for (const double price : prices) html += cat("<th scope='col'>P = ", shortest(price), "</th>");
  html += "</tr></thead>\n<tbody>\n";
  std::vector<std::optional<double>> least(prices.size());
  std::size_t competitors = 0;
  for (const BillRow& row : rows) {
    if (!row.competes) continue;
    ++competitors;
    for (std::size_t i = 0; i < prices.size(); ++i)
      if (row.values[i] && (!least[i] || *row.values[i] < *least[i])) least[i] = row.values[i];
  }
  for (const BillRow& row : rows) {
    html += cat("<tr", families.tag(row.family), "><th scope='row'><span>", swatch(row.slot), "<span>", row.html,
                "</span></span></th>");
    for (std::size_t i = 0; i < prices.size(); ++i) {
      const bool is_best = competitors > 1 && row.competes && row.values[i] && *row.values[i] == *least[i];
      html += cat("<td", is_best ? " class='best'>" : ">", is_best ? kStar : "",
                  row.values[i] ? fixed(*row.values[i], 2) : "<span class='none'>n/a</span>", is_best ? kBest : "",
                  "</td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

std::string summary(const BacktestReport& report, const Families& families, const std::vector<std::string>& compared) {
  if (report.traces.size() < 2 || compared.empty()) return "";
  std::string html =
      "<section class='summary' aria-labelledby='summary'>\n<h2 id='summary' class='hidden'>Over all traces</h2>\n";
  if (!report.violation_levels.empty()) html += savings_table(report, families, compared);
  const auto bill_of = [&](const std::string& family, double price) {
    return internal::median_bill(report, family, price);
  };
  html += bills_table(bill_rows(report, families, compared, bill_of), report.prices, families, "Bills over all traces",
                      "median over the traces · ★ least without foresight · lower is better");
  return html + "</section>\n";
}

std::string glance(const BacktestReport& report, const Families& families, const std::vector<std::string>& compared) {
  if (report.traces.size() < 2) return "";
  const std::optional<double> level = internal::main_level(report);
  std::string html =
      "<section class='glance' aria-labelledby='glance'>\n<h2 id='glance' class='hidden'>Each trace</h2>\n";
  for (std::size_t i = 0; i < report.traces.size(); ++i) {
    const PlayedTrace& trace = report.traces[i];
    html += cat("<article class='card'>\n<h3><a href='#trace-", i, "'>", escaped(trace.name), "</a></h3>\n",
                internal::demand_picture(trace), "\n");
    if (i < report.fronts.size())
      html += internal::front_picture(report.fronts[i], families.names, report.violation_levels, trace.name, kCard).svg;
    const LevelComparison* best = nullptr;
    for (const LevelComparison& one : report.comparisons) {
      if (one.trace != trace.name || !level || one.violation_ratio != *level || !one.saving_hindsight) continue;
      if (internal::is_hpa(one.policy) || internal::is_clairvoyant(one.policy)) continue;
      if (!best || one.saving_hindsight->value > best->saving_hindsight->value) best = &one;
    }
    if (best) {
      const double saving = best->saving_hindsight->value;
      html += cat("<p>", families.marked(best->policy), saving >= 0.0 ? " saves " : " costs ",
                  words_of_percent(std::abs(saving)), saving >= 0.0 ? "" : " more", " at ", words_of_level(*level),
                  "</p>\n");
    } else if (!compared.empty() && level) {
      html += cat("<p>no comparison at ", words_of_level(*level), "</p>\n");
    }
    html += "</article>\n";
  }
  return html + "</section>\n";
}

std::string levels_table(const BacktestReport& report, const Families& families, const PlayedTrace& trace) {
  std::vector<const LevelComparison*> rows;
  for (const LevelComparison& one : report.comparisons)
    if (one.trace == trace.name) rows.push_back(&one);
  if (rows.empty()) return "";
  const bool is_short = internal::is_too_short_for_halves(&trace);
  const bool has_halves = std::any_of(rows.begin(), rows.end(), [](const LevelComparison* one) {
    return one->hpa_first_half_cost || one->policy_second_half_cost;
  });
  const bool has_hpa = internal::has_hpa(report);
  const bool has_floor = std::any_of(rows.begin(), rows.end(),
                                     [](const LevelComparison* one) { return one->clairvoyant_cost.has_value(); });
  std::string note = "cost as a multiple of the least that serves the demand";
  if (report.seeds > 1) note += " · savings with 95% intervals over the seeds";
  if (is_short && !has_halves) note += " · too short for an HPA tuned on its first half";
  std::string html =
      table_open(cat("Costs at equal violations on ", trace.name), "phases levels", "Costs at equal violations", note);
  const int columns = 2 + (has_hpa ? 2 : 0) + (has_floor ? 2 : 0) + (has_halves ? 3 : 0);
  html += "<thead>";
  if (has_halves)
    html += cat("<tr class='heads'><td></td><th scope='colgroup' colspan='", columns - 4,
                "'>whole trace</th><th scope='colgroup' class='second' colspan='3'>second half, HPA tuned on the "
                "first</th></tr>");
  html += "<tr><th scope='col'>Policy</th><th scope='col'>cost</th>";
  if (has_hpa) html += "<th scope='col'>HPA in hindsight</th><th scope='col'>saving</th>";
  if (has_floor) html += "<th scope='col'>clairvoyant</th><th scope='col'>gap closed</th>";
  if (has_halves) html += "<th scope='col' class='second'>cost</th><th scope='col'>HPA</th><th scope='col'>saving</th>";
  html += "</tr></thead>\n";
  for (const double level : report.violation_levels) {
    std::vector<const LevelComparison*> here;
    const LevelComparison* best = nullptr;
    for (const LevelComparison* one : rows) {
      if (one->violation_ratio != level) continue;
      here.push_back(one);
      if (one->saving_hindsight && (!best || one->saving_hindsight->value > best->saving_hindsight->value)) best = one;
    }
    if (here.empty()) continue;
    html += cat("<tbody><tr class='group'><th scope='rowgroup' colspan='", columns, "'><b>", words_of_level(level),
                "</b> late or failed</th></tr>\n");
    const auto saving = [&](const std::optional<Interval>& figure, bool is_best) {
      if (!figure) return cat("<td><span class='none'>n/a</span></td>");
      return cat("<td",
                 is_best                   ? " class='best'>"
                 : figure->value < -0.0005 ? " class='bad'>"
                                           : ">",
                 is_best ? kStar : "", words_of_percent(figure->value), is_best ? kBest : "", range_of(*figure),
                 "</td>");
    };
    for (const LevelComparison* one : here) {
      const bool is_best = one == best && here.size() > 1 && one->saving_hindsight->value > 0.0;
      html += cat("<tr", families.tag(families.number(one->policy)), "><th scope='row'><span>",
                  swatch(families.slot(one->policy)), "<span>", breakable(one->policy), "</span></span></th><td>",
                  cost(one->policy_cost), "</td>");
      if (has_hpa) html += cat("<td>", cost(one->hpa_hindsight_cost), "</td>", saving(one->saving_hindsight, is_best));
      if (has_floor)
        html += cat("<td>", cost(one->clairvoyant_cost), "</td><td>",
                    one->gap_closed ? words_of_percent(*one->gap_closed) : "<span class='none'>n/a</span>", "</td>");
      if (has_halves)
        html += cat("<td class='second'>", cost(one->policy_second_half_cost), "</td><td>",
                    cost(one->hpa_first_half_cost), "</td>", saving(one->saving_first_half, false));
      html += "</tr>\n";
    }
    html += "</tbody>\n";
  }
  return html + "</table>\n</div>\n";
}

std::string trace_bills(const BacktestReport& report, const Families& families,
                        const std::vector<std::string>& compared, const PlayedTrace& trace) {
  const auto bill_of = [&](const std::string& family, double price) {
    for (const LevelComparison& one : report.comparisons) {
      if (one.trace != trace.name || one.policy != family) continue;
      for (const Bill& bill : one.bills)
        if (std::abs(bill.price - price) <= 1e-9 * price) return bill;
    }
    return Bill{};
  };
  std::vector<BillRow> rows = bill_rows(report, families, compared, bill_of);
  const bool has_some = std::any_of(rows.begin(), rows.end(), [](const BillRow& row) {
    return std::any_of(row.values.begin(), row.values.end(), [](const auto& value) { return value.has_value(); });
  });
  if (!has_some) return "";
  return bills_table(rows, report.prices, families, cat("Bills on ", trace.name),
                     "★ least without foresight · lower is better");
}

std::string trace_facts(const PlayedTrace& trace) {
  double peak = 0.0;
  for (const double demand : trace.demand_rps) peak = std::max(peak, demand);
  const double speed = internal::speed_up(trace);
  return cat(internal::words_of_duration(trace.seconds), " played",
             speed > 1.0001 ? cat(", ", shortest(std::round(speed * 100.0) / 100.0), " times as fast as recorded") : "",
             peak > 0.0 ? cat(" · peak ", internal::grouped(std::llround(peak)), " requests/s") : "");
}

std::string trace_section(const BacktestReport& report, const Families& families,
                          const std::vector<std::string>& compared, std::size_t index) {
  const PlayedTrace& trace = report.traces[index];
  std::string html = cat("<section class='trace' id='trace-", index, "' aria-labelledby='trace-", index,
                         "-name'>\n<h2 id='trace-", index, "-name'>", escaped(trace.name), "</h2>\n<p class='facts'>",
                         trace_facts(trace), "</p>\n", internal::demand_picture(trace), "\n");
  const bool has_members =
      index < report.fronts.size() && std::any_of(
                                          report.fronts[index].begin(), report.fronts[index].end(),
                                          [](const Front& front) { return !front.points.empty(); });
  if (has_members) {
    const auto picture = [&](const internal::FrontSize& size) {
      return internal::front_picture(report.fronts[index], families.names, report.violation_levels, trace.name, size);
    };
    const internal::FrontPicture wide = picture(kWide);
    std::string narrow = picture(kNarrow).svg;
    narrow.replace(narrow.find("front full"), 10, "front small");
    html += cat("<div class='front-host' data-trace='", index,
                "'>\n<div class='fronts' tabindex='0' role='group' "
                "aria-label='Fronts on ",
                escaped(trace.name), ". Arrow keys go from member to member, Enter shows the trajectory of one.'>\n",
                wide.svg, "\n", narrow, "\n");
    if (wide.costlier > 0)
      html += cat("<p class='note'>", counted(wide.costlier, "member costs", "members cost"),
                  " more than is shown; on the upper edge.</p>\n");
    html += "</div>\n</div>\n<div class='trajectory'></div>\n";
  } else {
    html += "<p class='note'>No run of this trace was kept.</p>\n";
  }
  return html + cat("<div class='tables'>\n", levels_table(report, families, trace),
                    trace_bills(report, families, compared, trace), "</div>\n</section>\n");
}

std::string played_section(const BacktestReport& report) {
  if (report.traces.empty()) return "";
  std::string html =
      cat("<section class='about' aria-labelledby='played'>\n<h2 id='played'>How traces were played</h2>\n",
          "<div class='scroll' tabindex='0' role='region' aria-label='How traces were played'>\n<table "
          "class='phases played'>\n<caption class='hidden'>How traces were played</caption>\n<thead><tr>");
  for (const char* name : {"Trace", "file", "step", "played at", "speed", "length", "rates times", "between steps"})
    html += cat("<th scope='col'>", name, "</th>");
  html += "</tr></thead>\n<tbody>\n";
  for (const PlayedTrace& trace : report.traces) {
    const double speed = internal::speed_up(trace);
    html += cat("<tr><th scope='row'>", escaped(trace.name), "</th><td class='text'>", escaped(trace.file), "</td><td>",
                internal::words_of_duration(trace.file_step_s), "</td><td>",
                internal::words_of_duration(trace.played_step_s), "</td><td>",
                speed > 1.0001 ? cat("× ", shortest(std::round(speed * 100.0) / 100.0)) : std::string("as recorded"),
                "</td><td>", internal::words_of_duration(trace.seconds), "</td><td>",
                fixed(trace.scale, trace.scale < 0.1    ? 4
                                   : trace.scale < 10.0 ? 2
                                                        : 1),
                "</td><td>", trace.is_held ? "held" : "straight lines", "</td></tr>\n");
  }
  return html + "</tbody></table></div>\n</section>\n";
}

std::string says_section(const BacktestReport& report) {
  return cat(
      "<section class='about' aria-labelledby='says'>\n<h2 id='says'>What the figures say, and what they do "
      "not</h2>\n<p "
      "class='says'><b>Cost</b> is replica-seconds paid (what the spec asks for) over requests ÷ capacity, the least "
      "that "
      "serves the demand. A <b>violation</b> is a request that was late (waiting and service above ",
      shortest(report.latency_target_ms),
      " ms) or failed. A family is its members, one setting each; its line is the lower convex hull of them, which a "
      "mixture of two settings reaches, and a level is reached where that line is. <b>Saving</b> is 1 − policy ÷ HPA "
      "at "
      "the same violations. <b>In hindsight</b> means the best of the sweep for this very trace and level: nobody can "
      "tune an HPA so well before the fact, and the policy's member is chosen in the same way. <b>Tuned on the first "
      "half</b> is what one could have done: chosen there, judged on the second, and compared at the violations it had "
      "there. <b>Gap closed</b> is (HPA − policy) ÷ "
      "(HPA − clairvoyant), where the clairvoyant knows all demand and has the same dead time and limits. The "
      "<b>bill</b> J(P) puts a price on violations and so compares also where a level is not reached. Every policy "
      "meets "
      "the same arrivals of each seed; intervals are 95% of a paired bootstrap over the ",
      report.seeds > 0 ? cat(report.seeds) : std::string(), report.seeds == 1 ? " seed" : " seeds",
      report.seeds == 1 ? ", so there are none here" : "",
      ": they hold chance in arrivals and pods, not the choice of traces, and medians give each trace the same weight. "
      "<b>Not in the figures:</b> the worlds are simulated, with one service-time shape, no nodes that fill up, no "
      "neighbours, no cold caches and no retries unless the configuration says so; traces are scaled to one peak and "
      "some "
      "are played faster than recorded, which makes their ramps steeper than life; and the best of many families at "
      "many "
      "levels looks a little better than it is.</p>\n</section>\n");
}

// To four significant digits: more than a reader sees, and half the bytes.
double rounded(double value) {
  if (!std::isfinite(value) || value == 0.0) return value;
  const double magnitude = std::pow(10.0, 3.0 - std::floor(std::log10(std::abs(value))));
  return std::round(value * magnitude) / magnitude;
}

std::string packed(const std::vector<FrontPoint>& points, double FrontPoint::* figure) {
  std::string text;
  for (const FrontPoint& point : points)
    text += cat(&point == &points.front() ? "" : ",",
                std::isfinite(point.*figure) ? shortest(rounded(point.*figure)) : std::string());
  return cat("\"", text, "\"");
}

std::string packed_places(const std::vector<internal::PlacedPoint>& places) {
  std::vector<double> values;
  for (const internal::PlacedPoint& place : places) {
    values.push_back(place.x);
    values.push_back(place.y);
  }
  return cat("\"", internal::packed(values, 1.0, 1), "\"");
}

// The folder that all trajectories of a trace have in common.
std::string common_folder(const std::vector<Front>& fronts) {
  std::optional<std::string> folder;
  for (const Front& front : fronts) {
    for (const FrontPoint& point : front.points) {
      if (point.trajectory.empty()) continue;
      if (!folder) folder = point.trajectory.substr(0, point.trajectory.rfind('/') + 1);
      while (!point.trajectory.starts_with(*folder)) {
        folder->pop_back();
        folder->resize(folder->rfind('/') + 1);
      }
    }
  }
  return folder.value_or("");
}

std::string data_json(const BacktestReport& report, const Families& families) {
  std::map<std::string, std::size_t> numbers;
  std::string names, traces;
  for (std::size_t i = 0; i < report.traces.size(); ++i) {
    const std::vector<Front> none;
    const std::vector<Front>& fronts = i < report.fronts.size() ? report.fronts[i] : none;
    const auto places = [&](const internal::FrontSize& size) {
      return internal::front_picture(fronts, families.names, report.violation_levels, "", size).points;
    };
    const auto wide = places(kWide), narrow = places(kNarrow);
    const std::string folder = common_folder(fronts);
    std::string list;
    for (std::size_t f = 0; f < fronts.size(); ++f) {
      const std::vector<FrontPoint>& points = fronts[f].points;
      std::string members, files, hull;
      for (std::size_t k = 0; k < points.size(); ++k) {
        const auto [found, is_new] = numbers.try_emplace(points[k].policy, numbers.size());
        if (is_new) names += cat(names.empty() ? "" : ",", json_string(points[k].policy));
        members += cat(k > 0 ? "," : "", found->second);
        files += cat(k > 0 ? "," : "", points[k].trajectory.empty()
                                           ? std::string("\"\"")
                                           : json_string(points[k].trajectory.substr(folder.size())));
        if (points[k].is_on_front) hull += cat(hull.empty() ? "" : ",", k);
      }
      list += cat(
          f > 0 ? ",\n" : "", "{\"family\":", families.number(fronts[f].family), ",\"names\":[", members,
          "],\"files\":[", files, "],\"hull\":[", hull, "],\"places\":[", packed_places(wide[f]), ",",
          packed_places(narrow[f]), "],\"figures\":{\"violations\":", packed(points, &FrontPoint::violation_ratio),
          ",\"cost\":", packed(points, &FrontPoint::relative_cost), ",\"p95\":", packed(points, &FrontPoint::p95_ms),
          ",\"p99\":", packed(points, &FrontPoint::p99_ms), ",\"churn\":", packed(points, &FrontPoint::churn_per_hour),
          ",\"started\":", packed(points, &FrontPoint::pods_started),
          ",\"slack\":", packed(points, &FrontPoint::slack_ratio), "}}");
    }
    traces += cat(i > 0 ? ",\n" : "", "{\"name\":", json_string(report.traces[i].name),
                  ",\"folder\":", json_string(folder), ",\"fronts\":[", list, "]}");
  }
  std::string slots, ranks;
  for (std::size_t i = 0; i < families.names.size(); ++i) {
    slots += cat(i > 0 ? "," : "", families.slots[i]);
    ranks += cat(i > 0 ? "," : "", internal::is_clairvoyant(families.names[i]) ? 2
                                   : internal::is_hpa(families.names[i])       ? 1
                                                                               : 0);
  }
  return cat("{\"slots\":[", slots, "],\"ranks\":[", ranks, "],\n\"names\":[", names, "],\n\"traces\":[", traces, "]}");
}

std::string title(const BacktestReport& report) {
  std::string names;
  for (const PlayedTrace& trace : report.traces) names += cat(names.empty() ? "" : ", ", trace.name);
  return report.traces.size() > 3 ? cat("Backtest on ", report.traces.size(), " traces") : cat("Backtest on ", names);
}

}  // namespace

// Chromium and Firefox count a file beside the page neither as 'self' nor as foreign in the same way; `file:` names it.
std::string to_html(const BacktestReport& report) {
  const Families families(report);
  const std::vector<std::string> compared = internal::compared_families(report);
  std::string html = internal::page_head({title(report), report.version, internal::backtest_css(), "'self' file:"}) +
                     top(report, families) + summary(report, families, compared) + glance(report, families, compared);
  for (std::size_t i = 0; i < report.traces.size(); ++i) html += trace_section(report, families, compared, i);
  return html + says_section(report) + played_section(report) +
         internal::configuration_section(report.configuration, "Settings of this study") +
         internal::repeat_section(report.command) + internal::page_footer(report.version) +
         internal::page_scripts(data_json(report, families), {internal::backtest_js()});
}

}  // namespace mpca::report
