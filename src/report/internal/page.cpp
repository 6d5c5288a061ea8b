#include "report/internal/page.h"

#include <algorithm>

#include "core/text.h"
#include "report/internal/assets.h"
#include "report/internal/html_text.h"

namespace mpca::report::internal {

std::string page_head(const PageHead& head) {
  return cat(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline')",
             head.script_sources.empty() ? "" : " ", head.script_sources, R"(; img-src data:">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="mpc-autoscaler )",
             escaped(head.version), R"(">
<link rel="icon" href="data:,">
<title>)",
             escaped(head.title), "</title>\n<style>\n", uplot_css(), "\n", report_css(), head.more_css,
             "</style>\n</head>\n");
}

std::string page_eyebrow(std::string_view words) {
  return cat(R"(<body>
<a class="skip" href="#main">Skip to the report</a>
<header class="page">
<div class="eyebrow"><span>)",
             words, R"(</span><button type="button" id="theme" hidden>Theme: auto</button></div>
)");
}

// uPlot takes its canvas resolution from devicePixelRatio. At least 2 keeps lines sharp on paper, too.
std::string page_scripts(std::string_view data_json, std::initializer_list<std::string_view> scripts) {
  std::string html =
      cat("<script type='application/json' id='data'>", data_json, "</script>\n<script>\n/*\n", uplot_license(),
          "*/\n(function (devicePixelRatio) {\n", uplot_js(),
          "\nwindow.uPlot = uPlot;\n})(Math.max(2, window.devicePixelRatio || 1));\n</script>\n<script>\n", page_js(),
          charts_js());
  for (const std::string_view script : scripts) html += script;
  return html + "</script>\n</body>\n</html>\n";
}

std::string configuration_section(const std::vector<std::pair<std::string, std::string>>& configuration,
                                  std::string_view caption) {
  if (configuration.empty()) return "";
  std::string html =
      cat("<section class='about' aria-labelledby='configuration'>\n<h2 id='configuration'>Configuration</h2>\n<div "
          "class='scroll' tabindex='0' role='region' aria-label='Configuration'><table "
          "class='configuration'>\n<caption class='hidden'>",
          caption,
          "</caption>\n<thead class='hidden'><tr><th scope='col'>Setting</th><th "
          "scope='col'>Value</th></tr></thead><tbody>\n");
  for (const auto& [name, value] : configuration)
    html += cat("<tr><th scope='row'>", escaped(name), "</th><td>", escaped(value), "</td></tr>\n");
  return html + "</tbody></table></div>\n</section>\n";
}

std::string repeat_section(std::string_view command) {
  if (command.empty()) return "";
  return cat(
      "<section class='about' aria-labelledby='repeat'>\n<h2 id='repeat'>Repeat it</h2>\n<div class='command'><pre "
      "tabindex='0' aria-label='Command'><code id='command'>",
      escaped(command), "</code></pre><button type='button' id='copy' hidden>Copy</button></div>\n</section>\n");
}

std::string page_footer(std::string_view version) {
  return cat("</main>\n<footer>mpc-autoscaler ", escaped(version),
             " · charts by uPlot 1.6.32, © Leon Sorokin, MIT licence</footer>\n<p class='hidden' id='status' "
             "role='status'></p>\n");
}

std::string swatch(std::size_t slot) {
  return cat("<svg class='swatch' viewBox='0 0 34 16' aria-hidden='true'><path class='line' data-dash='", slot % 6,
             "' style='--c:var(--p", slot % 8, ")' d='M1 8H33'/>", policy_marker(static_cast<int>(slot), 17, 8),
             "</svg>");
}

std::string policy_marker(int slot, double x, double y, double scale) {
  const std::string attributes = cat(" class='marker' style='--c:var(--p", slot % 8, ")'");
  const std::string translate = cat(" transform='translate(", fixed(x, 1), " ", fixed(y, 1), ")",
                                    scale == 1.0 ? "" : cat(" scale(", scale, ")"), "'");
  switch (slot % 6) {
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

std::string policy_chip(std::size_t policy, std::size_t slot, std::string_view name) {
  return cat("<label class='chip'><input type='checkbox' checked autocomplete='off' data-policy='", policy, "'>",
             swatch(slot), "<span>", escaped(name), "</span></label>\n");
}

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

std::string with_names_marked(const std::string& sentence,
                              const std::vector<std::pair<std::string, std::size_t>>& names) {
  const auto ends_a_name = [](char c) { return c == ' ' || c == ',' || c == ';' || c == ':' || c == '.' || c == ')'; };
  std::string html;
  std::string plain;
  for (std::size_t at = 0; at < sentence.size();) {
    std::size_t found = names.size();
    if (at == 0 || sentence[at - 1] == ' ' || sentence[at - 1] == '(') {
      for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string& name = names[i].first;
        const std::size_t end = at + name.size();
        if (name.empty() || sentence.compare(at, name.size(), name) != 0) continue;
        if (end < sentence.size() && !ends_a_name(sentence[end])) continue;
        if (found == names.size() || name.size() > names[found].first.size()) found = i;
      }
    }
    if (found == names.size()) {
      plain += sentence[at++];
      continue;
    }
    const std::string& name = names[found].first;
    html += cat(escaped(plain), "<b class='policy' style='--c:var(--p", names[found].second % 8, ")'>", escaped(name),
                "</b>");
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

}  // namespace mpca::report::internal
