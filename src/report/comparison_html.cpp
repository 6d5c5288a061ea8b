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
#include "report/internal/overview_picture.h"
#include "report/verdict.h"

namespace mpca::report {
namespace {

using internal::escaped;

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

std::string words_of_duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return cat(shortest(std::round(seconds * 1000) / 1000), " s");
  if (whole < 3600) return cat(whole / 60, " min", whole % 60 ? cat(" ", whole % 60, " s") : "");
  if (whole < 86400) return cat(whole / 3600, " h", whole % 3600 / 60 ? cat(" ", whole % 3600 / 60, " min") : "");
  return cat(whole / 86400, " d", whole % 86400 / 3600 ? cat(" ", whole % 86400 / 3600, " h") : "");
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

std::string top(const Comparison& comparison) {
  const TraceComparison& first = comparison.traces.front();
  const Verdict verdict = overall_verdict(comparison);
  std::string facts = cat(comparison.world.empty() ? "" : cat(comparison.world, " world · "), first.runs.size(),
                          first.runs.size() == 1 ? " policy" : " policies", " · ", comparison.traces.size(),
                          comparison.traces.size() == 1 ? " trace" : " traces", " · target utilization ",
                          shortest(std::round(1000.0 * comparison.target_utilization) / 10.0), "%",
                          comparison.traces.size() > 1 ? " · each trace counts the same" : "");
  std::string html =
      cat(R"(<body>
<a class="skip" href="#main">Skip to the report</a>
<header class="page">
<div class="eyebrow"><span>Autoscaling policies compared</span><button type="button" id="theme" hidden>Theme: auto</button></div>
<h1>)",
          with_names_marked(verdict.sentence, first), "</h1>\n<p class='facts'>", escaped(facts), "</p>\n");
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
  std::string html = cat("<section class='glance glance-", std::min<std::size_t>(comparison.traces.size(), 5),
                         "' aria-labelledby='glance'>\n<h2 id='glance' class='hidden'>At a glance</h2>\n");
  for (std::size_t i = 0; i < comparison.traces.size(); ++i) {
    const TraceComparison& trace = comparison.traces[i];
    html += cat("<article class='card'>\n<h3><a href='#trace-", i, "'>", escaped(trace.name), "</a></h3>\n",
                internal::overview_picture(trace), "\n");
    if (comparison.traces.size() > 1)
      html += cat("<p>", with_names_marked(verdict_of(trace, comparison.target_utilization).sentence, trace), "</p>\n");
    html += "</article>\n";
  }
  return html + "</section>\n";
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
    html +=
        cat("<th scope='col' data-p='", i, "'>", swatch(i), "<span>", breakable(trace.runs[i].policy), "</span></th>");
  html += "</tr></thead>\n";
  std::string_view open_group;
  for (const MetricRow& metric : metric_table()) {
    if (metric.group == MetricGroup::run) continue;
    if (std::none_of(runs.begin(), runs.end(), [&](const RunMetrics& run) { return metric.value(run).has_value(); }))
      continue;
    if (heading(metric.group) != open_group) {
      html += cat(open_group.empty() ? "" : "</tbody>\n", "<tbody><tr class='group'><th scope='rowgroup' colspan='",
                  runs.size() + 1, "'>", heading(metric.group), "</th></tr>\n");
      open_group = heading(metric.group);
    }
    const char* direction = metric.better == Better::lower ? " <span class='direction' title='lower is better'>↓</span>"
                            : metric.better == Better::higher
                                ? " <span class='direction' title='higher is better'>↑</span>"
                                : "";
    html += cat("<tr><th scope='row'><a href='#metric-", metric.key, "' title='", escaped(metric.sentence), "'>",
                escaped(metric.label), "</a> <span class='unit'>", escaped(metric.unit), "</span>", direction, "</th>");
    double largest = 0.0;
    for (const RunMetrics& run : runs) largest = std::max(largest, metric.value(run).value_or(0.0));
    const std::vector<bool> best = best_of(metric, runs);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double share = largest > 0.0 ? metric.value(runs[i]).value_or(0.0) / largest : 0.0;
      html += cat("<td data-p='", i, "'", best[i] ? " class='best'" : "", ">",
                  best[i] ? "<span class='star' aria-hidden='true'>★</span>" : "",
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
  std::string html =
      cat("<section class='trace' id='trace-", index, "' aria-labelledby='trace-", index, "-name'>\n<h2 id='trace-",
          index, "-name'>", escaped(trace.name), "</h2>\n<p class='facts'>", grouped(trace.steps), " periods of ",
          words_of_duration(trace.step_s), " · ", words_of_duration(trace.steps * trace.step_s), " · peak ",
          grouped(std::llround(peak)), " requests/s</p>\n");
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
  return html + metrics_table(trace) + "</section>\n";
}

std::string ending(const Comparison& comparison) {
  std::string html =
      "<section class='about' aria-labelledby='meaning'>\n<h2 id='meaning'>What the metrics mean</h2>\n<dl "
      "class='glossary'>\n";
  for (const MetricRow& metric : metric_table()) {
    if (metric.group == MetricGroup::run) continue;
    html += cat("<div id='metric-", metric.key, "'><dt>", escaped(metric.label), " <span class='unit'>",
                escaped(metric.unit), "</span></dt><dd>", escaped(metric.sentence), "</dd></div>\n");
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
  for (std::size_t i = 0; i < comparison.traces.size(); ++i)
    html += trace_section(comparison.traces[i], i, comparison.target_utilization);
  return html + ending(comparison) + scripts(comparison);
}

}  // namespace mpca::report
