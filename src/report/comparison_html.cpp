#include "report/comparison_html.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/text.h"
#include "core/time.h"
#include "report/internal/assets.h"
#include "report/internal/chart_data.h"
#include "report/internal/html_text.h"
#include "report/internal/measured_figures.h"
#include "report/internal/overview_picture.h"
#include "report/internal/page.h"
#include "report/internal/words.h"
#include "report/verdict.h"

namespace mpca::report {
namespace {

using internal::breakable;
using internal::escaped;
using internal::grouped;
using internal::swatch;
using internal::words_of_duration;

std::string with_names_marked(const std::string& sentence, const TraceComparison& trace) {
  std::vector<std::pair<std::string, std::size_t>> names;
  for (std::size_t i = 0; i < trace.runs.size(); ++i) names.emplace_back(trace.runs[i].policy, i);
  return internal::with_names_marked(sentence, names);
}

std::string head(const Comparison& comparison) {
  std::string names;
  for (const TraceComparison& trace : comparison.traces) names += cat(names.empty() ? "" : ", ", trace.name);
  return internal::page_head({cat("Policies compared on ", names), comparison.version});
}

bool has_cautions(const PolicyRun& run) { return run.measured && !run.measured->cautions.empty(); }

std::string cautions(const Comparison& comparison) {
  std::string items;
  for (const TraceComparison& trace : comparison.traces) {
    for (const PolicyRun& run : trace.runs) {
      if (!has_cautions(run)) continue;
      for (const std::string& caution : run.measured->cautions)
        items += cat("<li>", with_names_marked(run.policy, trace),
                     comparison.traces.size() > 1 ? cat(" on ", escaped(trace.name)) : "", ": ", escaped(caution),
                     "</li>\n");
    }
  }
  if (items.empty()) return "";
  return cat("<section class='cautions' aria-labelledby='cautions'>\n<h2 id='cautions'>Not to be trusted</h2>\n<ul>\n",
             items, "</ul>\n</section>\n");
}

std::string top(const Comparison& comparison) {
  const TraceComparison& first = comparison.traces.front();
  const Verdict verdict = overall_verdict(comparison);
  const bool are_repeats = !comparison.repeated.empty();
  std::string facts = cat(comparison.world.empty() ? "" : cat(comparison.world, " world · "), first.runs.size(),
                          first.runs.size() == 1 ? " policy" : " policies", " · ", comparison.traces.size(),
                          are_repeats                     ? " measured runs of each"
                          : comparison.traces.size() == 1 ? " trace"
                                                          : " traces",
                          " · target utilization ", shortest(std::round(1000.0 * comparison.target_utilization) / 10.0),
                          "%", comparison.traces.size() > 1 && !are_repeats ? " · each trace counts the same" : "");
  std::string html =
      cat(internal::page_eyebrow("Autoscaling policies compared"), "<h1>", with_names_marked(verdict.sentence, first),
          "</h1>\n", cautions(comparison), "<p class='facts'>", escaped(facts), "</p>\n");
  if (!comparison.notes.empty()) {
    html += "<div class='notes' role='note'>\n";
    for (const std::string& note : comparison.notes) html += cat("<p>", escaped(note), "</p>\n");
    html += "</div>\n";
  }
  if (!verdict.details.empty()) {
    html += "<ul class='details'>\n";
    for (const std::string& detail : verdict.details) html += cat("<li>", with_names_marked(detail, first), "</li>\n");
    html += "</ul>\n";
  }
  html += "</header>\n<main id='main'>\n";
  html +=
      "<fieldset class='policies'><legend class='hidden'>Policies shown in the charts and tables</legend><div "
      "class='chips'>\n";
  for (std::size_t i = 0; i < first.runs.size(); ++i) html += internal::policy_chip(i, i, first.runs[i].policy);
  return html + "</div></fieldset>\n";
}

std::string glance(const Comparison& comparison) {
  const std::string waiting =
      comparison.traces.size() == 1 ? internal::waiting_picture(comparison.traces.front()) : std::string();
  const std::size_t cards = comparison.traces.size() + (waiting.empty() ? 0 : 1);
  std::string html = cat("<section class='glance glance-", std::min<std::size_t>(cards, 5),
                         "' aria-labelledby='glance'>\n<h2 id='glance' class='hidden'>At a glance</h2>\n");
  for (std::size_t i = 0; i < comparison.traces.size(); ++i) {
    const TraceComparison& trace = comparison.traces[i];
    html += cat("<article class='card'>\n<h3><a href='#trace-", i, "'>", escaped(trace.name), "</a></h3>\n",
                internal::overview_picture(trace), "\n");
    if (comparison.traces.size() > 1)
      html += cat("<p>", with_names_marked(verdict_of(trace, comparison.target_utilization).sentence, trace), "</p>\n");
    html += "</article>\n";
  }
  if (!waiting.empty()) html += cat("<article class='card'>\n<h3>When users waited</h3>\n", waiting, "\n</article>\n");
  return html + "</section>\n";
}

// The first cell of its row.
std::string metric_name(const MetricRow& metric) {
  const char* direction = metric.better == Better::lower ? " <span class='direction' title='lower is better'>↓</span>"
                          : metric.better == Better::higher
                              ? " <span class='direction' title='higher is better'>↑</span>"
                              : "";
  return cat("<tr><th scope='row'><a href='#metric-", metric.key, "' title='", escaped(metric.sentence), "'>",
             escaped(metric.label), "</a> <span class='unit'>", escaped(metric.unit), "</span>", direction, "</th>");
}

constexpr const char* kStar = "<span class='star' aria-hidden='true'>★</span>";

// Empty where all repeats look the same.
std::string range_words(const MetricRow& metric, const RepeatedFigure& figure) {
  const std::string lowest = shown_value(metric, figure.lowest), highest = shown_value(metric, figure.highest);
  return lowest == highest ? "" : cat(lowest, " – ", highest);
}

std::string repeats_section(const Comparison& comparison) {
  const std::vector<RepeatedRuns>& repeated = comparison.repeated;
  if (repeated.empty()) return "";
  const TraceComparison& first = comparison.traces.front();
  // A policy's own number where the repeats are of the runs, so that its switch dims its column.
  const auto policy_of = [&](std::size_t i) { return i % first.runs.size(); };
  const int repeats = repeated.front().repeats;
  std::string html = cat(
      "<section class='trace' id='repeats' aria-labelledby='repeats-name'>\n<h2 id='repeats-name'>All ", repeats,
      " repeats</h2>\n<p class='note'>Every figure is the median of the repeats, with the lowest and the highest below "
      "it. ",
      "The single runs follow.</p>\n<div class='scroll' tabindex='0' role='region' aria-label='Medians of the "
      "repeats'>\n<table class='metrics repeats' style='--n:",
      repeated.size(), "'>\n<caption>Medians of ", repeats, " repeats",
      repeated.size() > 1 ? "<span class='note'>★ better in every repeat than any other · ↓ lower is better</span>"
                          : "",
      "</caption>\n<colgroup><col class='first'><col span='", repeated.size(),
      "'></colgroup>\n<thead><tr><th scope='col'>Metric</th>");
  for (std::size_t i = 0; i < repeated.size(); ++i)
    html += cat("<th scope='col' data-p='", policy_of(i), "'>", swatch(policy_of(i)), "<span>",
                breakable(repeated[i].policy), "</span></th>");
  html += "</tr></thead>\n";
  std::string_view open_group;
  for (const MetricRow* metric : internal::repeated_rows(repeated)) {
    if (heading(metric->group) != open_group) {
      html += cat(open_group.empty() ? "" : "</tbody>\n", "<tbody><tr class='group'><th scope='rowgroup' colspan='",
                  repeated.size() + 1, "'>", heading(metric->group), "</th></tr>\n");
      open_group = heading(metric->group);
    }
    html += metric_name(*metric);
    double largest = 0.0;
    for (const RepeatedRuns& runs : repeated)
      if (const RepeatedFigure* figure = internal::figure_of(*metric, runs))
        largest = std::max(largest, figure->highest);
    const std::vector<bool> best = internal::best_repeated(*metric, repeated);
    for (std::size_t i = 0; i < repeated.size(); ++i) {
      const RepeatedFigure* figure = internal::figure_of(*metric, repeated[i]);
      html += cat("<td data-p='", policy_of(i), "'", best[i] ? " class='best'" : "", ">", best[i] ? kStar : "");
      if (!figure) {
        html += "n/a</td>";
        continue;
      }
      const auto share = [&](double value) { return fixed(largest > 0.0 ? value / largest : 0.0, 3); };
      html += cat(escaped(shown_value(*metric, figure->median)), best[i] ? "<span class='hidden'> (best)</span>" : "",
                  "<span class='range'>", escaped(range_words(*metric, *figure)),
                  "</span><i class='spread' style='--from:", share(figure->lowest), ";--to:", share(figure->highest),
                  ";--at:", share(figure->median), ";--c:var(--p", policy_of(i) % 8, ")'></i></td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n</div>\n</section>\n";
}

std::string phases_table(const TraceComparison& trace) {
  const std::size_t phases = internal::phases_of(trace);
  if (phases == 0) return "";
  std::string html = cat("<div class='scroll' tabindex='0' role='region' aria-label='Phases of ", escaped(trace.name),
                         "'>\n<table class='phases'>\n<caption>What users got in each phase",
                         trace.runs.size() > 1
                             ? "<span class='note'>★ best of the phase · lower is better · latency from the instant a "
                               "request was due</span>"
                             : "<span class='note'>latency from the instant a request was due</span>",
                         "</caption>\n<thead><tr><th scope='col'>Policy</th><th scope='col'>requests</th>");
  for (const internal::PhaseFigure figure : internal::kPhaseFigures)
    html += cat("<th scope='col'>", internal::heading(figure), "</th>");
  html += "</tr></thead>\n";
  for (std::size_t i = 0; i < phases; ++i) {
    const std::vector<const MeasuredPhase*> runs = internal::phase_of_runs(trace, i);
    html += cat("<tbody><tr class='group'><th scope='rowgroup' colspan='", 2 + internal::kPhaseFigures.size(),
                "'><b>Phase ", i + 1, "</b> ", escaped(internal::words_of_phase(trace, i)), "</th></tr>\n");
    std::vector<std::vector<bool>> best;
    for (const internal::PhaseFigure figure : internal::kPhaseFigures)
      best.push_back(internal::best_of_phase(figure, runs));
    for (std::size_t run = 0; run < runs.size(); ++run) {
      html +=
          cat("<tr data-p='", run, "'><th scope='row'><span>", swatch(run), "<span>", breakable(trace.runs[run].policy),
              "</span></span></th><td>", runs[run] ? grouped(static_cast<long long>(runs[run]->due)) : "n/a", "</td>");
      for (std::size_t column = 0; column < internal::kPhaseFigures.size(); ++column) {
        const internal::PhaseFigure figure = internal::kPhaseFigures[column];
        const bool is_best = best[column][run];
        const bool is_bad = figure == internal::PhaseFigure::failed && runs[run] && runs[run]->failed > 0 && !is_best;
        html += cat("<td",
                    is_best  ? " class='best'"
                    : is_bad ? " class='bad'"
                             : "",
                    ">", is_best ? kStar : "", runs[run] ? escaped(internal::shown_figure(figure, *runs[run])) : "n/a",
                    is_best ? "<span class='hidden'> (best)</span>" : "", "</td>");
      }
      html += "</tr>\n";
    }
    html += "</tbody>\n";
  }
  return html + "</table>\n</div>\n";
}

std::string metrics_table(const TraceComparison& trace) {
  std::vector<RunMetrics> runs;
  for (const PolicyRun& run : trace.runs) runs.push_back(run.metrics);
  std::string html =
      cat("<div class='scroll' tabindex='0' role='region' aria-label='Metrics on ", escaped(trace.name),
          "'>\n<table class='metrics' style='--n:", trace.runs.size(), "'>\n<caption>Metrics on ", escaped(trace.name),
          runs.size() > 1 ? "<span class='note'>★ best of the row · ↓ lower is better</span>" : "",
          "</caption>\n<colgroup><col class='first'>", "<col span='", runs.size(),
          "'></colgroup>\n<thead><tr><th scope='col'>Metric</th>");
  for (std::size_t i = 0; i < trace.runs.size(); ++i)
    html += cat("<th scope='col' data-p='", i, "'>", swatch(i), "<span>", breakable(trace.runs[i].policy), "</span>",
                has_cautions(trace.runs[i]) ? "<span class='doubt'>⚠ not to be trusted</span>" : "", "</th>");
  html += "</tr></thead>\n";
  std::string_view open_group;
  for (const MetricRow* row : compared_rows(runs)) {
    const MetricRow& metric = *row;
    if (heading(metric.group) != open_group) {
      html += cat(open_group.empty() ? "" : "</tbody>\n", "<tbody><tr class='group'><th scope='rowgroup' colspan='",
                  runs.size() + 1, "'>", heading(metric.group), "</th></tr>\n");
      open_group = heading(metric.group);
    }
    html += metric_name(metric);
    double largest = 0.0;
    for (const RunMetrics& run : runs) largest = std::max(largest, metric.value(run).value_or(0.0));
    const std::vector<bool> best = best_of(metric, runs);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double share = largest > 0.0 ? metric.value(runs[i]).value_or(0.0) / largest : 0.0;
      html += cat("<td data-p='", i, "'", best[i] ? " class='best'" : "", ">", best[i] ? kStar : "",
                  escaped(shown_value(metric, runs[i])), best[i] ? "<span class='hidden'> (best)</span>" : "",
                  "<i class='bar' style='--w:", fixed(share, 3), ";--c:var(--p", i % 8, ")'></i></td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

std::string trace_section(const TraceComparison& trace, std::size_t index, double target_utilization) {
  const double peak =
      trace.demand_rps.empty() ? 0.0 : *std::max_element(trace.demand_rps.begin(), trace.demand_rps.end());
  const bool thinned = static_cast<std::size_t>(std::max(trace.steps, 0)) > trace.time_s.size();
  const bool is_measured = internal::phases_of(trace) > 0;
  std::string html =
      cat("<section class='trace' id='trace-", index, "' aria-labelledby='trace-", index, "-name'>\n<h2 id='trace-",
          index, "-name'>", escaped(trace.name), "</h2>\n<p class='facts'>", grouped(trace.steps),
          is_measured ? " samples of " : " periods of ", words_of_duration(trace.step_s), " · ",
          words_of_duration(trace.steps * trace.step_s), " · peak ", grouped(std::llround(peak)), " requests/s</p>\n");
  if (!trace.note.empty()) html += cat("<p class='note'>", escaped(trace.note), "</p>\n");
  const Verdict verdict = verdict_of(trace, target_utilization);
  if (!verdict.details.empty()) {
    html += "<ul class='details'>\n";
    for (const std::string& detail : verdict.details) html += cat("<li>", with_names_marked(detail, trace), "</li>\n");
    html += "</ul>\n";
  }
  html += cat("<div class='charts-host' data-trace='", index,
              "'><noscript><p class='note'>The charts need JavaScript; "
              "the figures below do not.</p></noscript></div>\n");
  if (thinned)
    html += cat("<p class='note'>The charts show ", grouped(static_cast<long long>(trace.time_s.size())), " points of ",
                grouped(trace.steps),
                " periods: of each group of neighbours the lowest and the highest value. The metrics count every "
                "period.</p>\n");
  return html + phases_table(trace) + metrics_table(trace) + "</section>\n";
}

std::string ending(const Comparison& comparison) {
  std::string html =
      "<section class='about' aria-labelledby='meaning'>\n<h2 id='meaning'>What the metrics mean</h2>\n<dl "
      "class='glossary'>\n";
  std::vector<RunMetrics> all;
  for (const TraceComparison& trace : comparison.traces)
    for (const PolicyRun& run : trace.runs) all.push_back(run.metrics);
  for (const MetricRow* metric : compared_rows(all)) {
    html += cat("<div id='metric-", metric->key, "'><dt>", escaped(metric->label), " <span class='unit'>",
                escaped(metric->unit), "</span></dt><dd>", escaped(metric->sentence), "</dd></div>\n");
  }
  return html + "</dl>\n</section>\n" +
         internal::configuration_section(comparison.configuration, "Settings of this comparison") +
         internal::repeat_section(comparison.command) + internal::page_footer(comparison.version);
}

std::string scripts(const Comparison& comparison) {
  return internal::page_scripts(internal::chart_data_json(comparison),
                                {internal::decisions_js(), internal::report_js()});
}

}  // namespace

std::string to_html(const Comparison& comparison) {
  MPCA_CHECK(!comparison.traces.empty() && !comparison.traces.front().runs.empty(),
             "a comparison has a trace and a policy");
  std::string html = head(comparison) + top(comparison);
  if (comparison.traces.front().runs.size() > 1) html += glance(comparison);
  html += repeats_section(comparison);
  for (std::size_t i = 0; i < comparison.traces.size(); ++i)
    html += trace_section(comparison.traces[i], i, comparison.target_utilization);
  return html + ending(comparison) + scripts(comparison);
}

}  // namespace mpca::report
