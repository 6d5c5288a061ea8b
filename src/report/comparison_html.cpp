#include "report/comparison_html.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/text.h"
#include "core/time.h"
#include "report/internal/assets.h"
#include "report/internal/chart_data.h"
#include "report/internal/html_text.h"
#include "report/internal/measured_figures.h"
#include "report/internal/overview_picture.h"
#include "report/internal/words.h"
#include "report/verdict.h"

namespace mpca::report {
namespace {

using internal::escaped;
using internal::words_of_duration;

std::string swatch(std::size_t policy) {
  return cat("<svg class='swatch' viewBox='0 0 34 16' aria-hidden='true'><path class='line' data-dash='", policy % 6,
             "' style='--c:var(--p", policy % 8, ")' d='M1 8H33'/>",
             internal::policy_marker(static_cast<int>(policy), 17, 8), "</svg>");
}

// With places to break where the grammar of policy texts has them, so that narrow columns do not cut through words.
std::string breakable(std::string_view name) {
  std::string html;
  while (!name.empty()) {
    const std::size_t piece = std::min(name.find_first_of(":,=;"), name.size() - 1) + 1;
    html += escaped(name.substr(0, piece));
    name.remove_prefix(piece);
    if (!name.empty()) html += "<wbr>";
  }
  return html;
}

// Policy names inside a sentence in bold, each in its colour. Only whole names count: `hpa` is not in `lab-hpa`.
std::string with_names_marked(const std::string& sentence, const TraceComparison& trace) {
  const auto ends_a_name = [](char c) { return c == ' ' || c == ',' || c == ';' || c == ':' || c == '.' || c == ')'; };
  std::string html;
  std::string plain;
  for (std::size_t at = 0; at < sentence.size();) {
    std::size_t found = trace.runs.size();
    if (at == 0 || sentence[at - 1] == ' ' || sentence[at - 1] == '(') {
      for (std::size_t i = 0; i < trace.runs.size(); ++i) {
        const std::string& name = trace.runs[i].policy;
        const std::size_t end = at + name.size();
        if (name.empty() || sentence.compare(at, name.size(), name) != 0) continue;
        if (end < sentence.size() && !ends_a_name(sentence[end])) continue;
        if (found == trace.runs.size() || name.size() > trace.runs[found].policy.size()) found = i;
      }
    }
    if (found == trace.runs.size()) {
      plain += sentence[at++];
      continue;
    }
    const std::string& name = trace.runs[found].policy;
    html += cat(escaped(plain), "<b class='policy' style='--c:var(--p", found % 8, ")'>", escaped(name), "</b>");
    plain.clear();
    at += name.size();
  }
  return html + escaped(plain);
}

std::string grouped(long long value) {
  std::string digits = cat(value);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), "\xE2\x80\xAF");
  return digits;
}

std::string head(const Comparison& comparison) {
  std::string names;
  for (const TraceComparison& trace : comparison.traces) names += cat(names.empty() ? "" : ", ", trace.name);
  return cat(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="mpc-autoscaler )",
             escaped(comparison.version), R"(">
<link rel="icon" href="data:,">
<title>Policies compared on )",
             escaped(names), "</title>\n<style>\n", internal::uplot_css(), "\n", internal::report_css(),
             "</style>\n</head>\n");
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
  std::string html = cat(R"(<body>
<a class="skip" href="#main">Skip to the report</a>
<header class="page">
<div class="eyebrow"><span>Autoscaling policies compared</span><button type="button" id="theme" hidden>Theme: auto</button></div>
<h1>)",
                         with_names_marked(verdict.sentence, first), "</h1>\n", cautions(comparison),
                         "<p class='facts'>", escaped(facts), "</p>\n");
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
  for (std::size_t i = 0; i < first.runs.size(); ++i)
    html += cat("<label class='chip'><input type='checkbox' checked autocomplete='off' data-policy='", i, "'>",
                swatch(i), "<span>", escaped(first.runs[i].policy), "</span></label>\n");
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
  html += "</dl>\n</section>\n";
  if (!comparison.configuration.empty()) {
    html +=
        "<section class='about' aria-labelledby='configuration'>\n<h2 "
        "id='configuration'>Configuration</h2>\n<div "
        "class='scroll' tabindex='0' role='region' aria-label='Configuration'><table "
        "class='configuration'>\n<caption "
        "class='hidden'>Settings of this comparison</caption>\n<thead class='hidden'><tr><th "
        "scope='col'>Setting</th><th "
        "scope='col'>Value</th></tr></thead><tbody>\n";
    for (const auto& [name, value] : comparison.configuration)
      html += cat("<tr><th scope='row'>", escaped(name), "</th><td>", escaped(value), "</td></tr>\n");
    html += "</tbody></table></div>\n</section>\n";
  }
  if (!comparison.command.empty()) {
    html +=
        cat("<section class='about' aria-labelledby='repeat'>\n<h2 id='repeat'>Repeat it</h2>\n<div "
            "class='command'><pre "
            "tabindex='0' aria-label='Command'><code id='command'>",
            escaped(comparison.command),
            "</code></pre><button type='button' id='copy' hidden>Copy</button></div>\n</section>\n");
  }
  html += cat("</main>\n<footer>mpc-autoscaler ", escaped(comparison.version),
              " · charts by uPlot 1.6.32, © Leon Sorokin, MIT licence</footer>\n<p class='hidden' id='status' "
              "role='status'></p>\n");
  return html;
}

// uPlot takes its canvas resolution from devicePixelRatio. At least 2 keeps lines sharp on paper, too.
std::string scripts(const Comparison& comparison) {
  return cat("<script type='application/json' id='data'>", internal::chart_data_json(comparison),
             "</script>\n<script>\n/*\n", internal::uplot_license(), "*/\n(function (devicePixelRatio) {\n",
             internal::uplot_js(),
             "\nwindow.uPlot = uPlot;\n})(Math.max(2, window.devicePixelRatio || 1));\n</script>\n<script>\n",
             internal::report_js(), "</script>\n</body>\n</html>\n");
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
