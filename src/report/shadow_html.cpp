#include "core/text.h"
#include "report/internal/assets.h"
#include "report/internal/chart_data.h"
#include "report/internal/html_text.h"
#include "report/internal/page.h"
#include "report/internal/shadow_figures.h"
#include "report/internal/words.h"
#include "report/shadow_report.h"

namespace mpca::report {
namespace {

using internal::breakable;
using internal::escaped;
using internal::swatch;

std::string top(const ShadowReport& report) {
  const policy::ShadowFigures& figures = report.figures;
  std::string html =
      cat(internal::page_eyebrow("In the shadow of whoever is in charge"), "<h1>",
          escaped(internal::shadow_verdict(report)), "</h1>\n<p class='facts'>", escaped(report.workload), " · ",
          internal::grouped(report.decisions), " decisions · ", internal::minute_of(figures.since), " to ",
          internal::minute_of(figures.until), " UTC</p>\n<div class='notes' role='note'>\n");
  for (const std::string& caution : internal::shadow_cautions(report)) html += cat("<p>", escaped(caution), "</p>\n");
  html +=
      "</div>\n</header>\n<main id='main'>\n<fieldset class='policies'><legend class='hidden'>Shown in the charts and "
      "tables</legend><div class='chips'>\n";
  for (std::size_t i = 0; i < report.chart.runs.size(); ++i)
    html += internal::policy_chip(i, i, report.chart.runs[i].policy);
  return html + "</div></fieldset>\n";
}

std::string bills(const ShadowReport& report, const std::vector<Provider>& providers, const ReplicaSize& size) {
  std::string html =
      cat("<div class='scroll' tabindex='0' role='region' aria-label='Both bills'>\n<table class='metrics' "
          "style='--n:3'>\n<caption>Both bills<span class='note'>a replica of ",
          shortest(size.vcpu), " vCPU and ", shortest(size.memory_gib * 1024.0),
          " MiB</span></caption>\n<colgroup><col class='first'><col span='3'></colgroup>\n<thead><tr><th "
          "scope='col'></th>");
  for (std::size_t i = 0; i < report.chart.runs.size(); ++i)
    html += cat("<th scope='col' data-p='", i, "'>", swatch(i), "<span>", breakable(report.chart.runs[i].policy),
                "</span></th>");
  html += "<th scope='col'>change</th></tr></thead>\n<tbody>\n";
  for (const internal::ShadowRow& row : internal::shadow_rows(report, providers, size)) {
    const auto cell = [&](std::size_t run, const std::string& text, double value) {
      return cat("<td data-p='", run, "'>", escaped(text),
                 "<i class='bar' style='--w:", fixed(row.larger > 0.0 ? value / row.larger : 0.0, 3), ";--c:var(--p",
                 run, ")'></i></td>");
    };
    html += cat("<tr><th scope='row'>", escaped(row.label), " <span class='unit'>", escaped(row.unit), "</span></th>",
                cell(0, row.in_charge, row.in_charge_value), cell(1, row.would_be, row.would_be_value), "<td>",
                escaped(row.change), "</td></tr>\n");
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

std::string moments(const ShadowReport& report) {
  if (report.moments.empty()) return "";
  std::string html =
      "<div class='scroll' tabindex='0' role='region' aria-label='Where they differed most'>\n<table "
      "class='phases'>\n<caption>Where they differed most<span class='note'>mean replicas asked for, and the share of "
      "demand that was late</span></caption>\n<thead><tr><th scope='col'>UTC</th>";
  for (std::size_t i = 0; i < report.chart.runs.size(); ++i)
    html += cat("<th scope='col' colspan='2' data-p='", i, "'>", breakable(report.chart.runs[i].policy), "</th>");
  html += "</tr></thead>\n<tbody>\n";
  for (const ShadowMoment& moment : report.moments) {
    const bool is_less_late = moment.would_be_late_share < moment.late_share;
    html += cat("<tr class='group'><th scope='rowgroup' colspan='5'>", internal::minute_of(moment.at), ": ",
                escaped(moment.sentence), "</th></tr>\n<tr><th scope='row'>", internal::minute_of(moment.from), " to ",
                internal::minute_of(moment.to).substr(11), "</th><td data-p='0'>", fixed(moment.replicas, 1),
                "</td><td data-p='0'", moment.late_share > 0.0 && is_less_late ? " class='bad'" : "", ">",
                internal::words_of_share(moment.late_share), "</td><td data-p='1'>", fixed(moment.would_be_replicas, 1),
                "</td><td data-p='1'", moment.would_be_late_share > moment.late_share ? " class='bad'" : "", ">",
                internal::words_of_share(moment.would_be_late_share), "</td></tr>\n");
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

}  // namespace

std::string shadow_html(const ShadowReport& report, const std::vector<Provider>& providers, const ReplicaSize& size,
                        std::string_view command) {
  Comparison chart;
  chart.target_utilization = report.header.workload.target_utilization;
  chart.traces = {report.chart};
  const std::string& version = report.header.program;
  return cat(
      internal::page_head({cat("Shadow of ", report.workload), version}), top(report),
      "<section class='trace' aria-labelledby='trace-0-name'>\n<h2 id='trace-0-name'>", escaped(report.workload),
      "</h2>\n<div class='charts-host' data-trace='0'><noscript><p class='note'>The charts need JavaScript; the "
      "figures below do not.</p></noscript></div>\n",
      bills(report, providers, size), moments(report), "</section>\n",
      internal::configuration_section(
          {{"policy", report.header.policy},
           {"capacity", cat(report.header.workload.capacity_rps, " requests/s a replica, until it learns its own")},
           {"bounds",
            cat(report.header.workload.min_replicas, " to ", report.header.workload.max_replicas, " replicas")},
           {"period", format_duration(report.header.workload.period)}},
          "What the policy was told"),
      internal::repeat_section(command), internal::page_footer(version),
      internal::page_scripts(internal::chart_data_json(chart), {internal::decisions_js(), internal::report_js()}));
}

}  // namespace mpca::report
