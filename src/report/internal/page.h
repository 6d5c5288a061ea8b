// What the HTML pages of this room share around their contents: the frame (head with its content policy, style,
// scripts), the words and marks of policies, the tables at the end.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mpca::report::internal {

struct PageHead {
  std::string title;
  std::string version;
  std::string_view more_css = {};        // after the style that all pages have
  std::string_view script_sources = {};  // of the content policy, beside the page's own
};

/// From the document type to </head>.
std::string page_head(const PageHead& head);

/// `<body>` up to the verdict, which follows as the page's first heading.
std::string page_eyebrow(std::string_view words);

/// `data_json` (safe in a script), uPlot, and the scripts that all pages have before `script`; to the end of the file.
std::string page_scripts(std::string_view data_json, std::initializer_list<std::string_view> scripts);

/// Settings as a table under a heading; nothing without settings.
std::string configuration_section(const std::vector<std::pair<std::string, std::string>>& configuration,
                                  std::string_view caption);

/// The command that repeats it, with a button to copy it; nothing without a command.
std::string repeat_section(std::string_view command);

/// Closes main; the footer, and the place where the script says what changed.
std::string page_footer(std::string_view version);

/// The line and the marker of policy number `slot`.
std::string swatch(std::size_t slot);

/// The marker of policy number `slot`, 16 x 16 times `scale` around (x, y): the same shape in pictures, legends and
/// tables.
std::string policy_marker(int slot, double x, double y, double scale = 1.0);

/// A switch of the bar at the top. `policy` is its number among the switches.
std::string policy_chip(std::size_t policy, std::size_t slot, std::string_view name);

/// `name` escaped, with places to break where the grammar of policy texts has them, so that narrow columns do not cut
/// through words.
std::string breakable(std::string_view name);

/// `sentence` escaped, the names in it in bold, each in the colour of its slot. Only whole names count: `hpa` is not in
/// `lab-hpa`.
std::string with_names_marked(const std::string& sentence,
                              const std::vector<std::pair<std::string, std::size_t>>& names);

/// Thousands apart.
std::string grouped(long long value);

}  // namespace mpca::report::internal
