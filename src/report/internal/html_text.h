// User text (policy and trace names, commands, settings) on its way into HTML and into JSON inside HTML.
#pragma once

#include <string>
#include <string_view>

namespace mpca::report::internal {

/// Safe as text and inside a quoted attribute. Control characters and bytes that are not UTF-8 become U+FFFD.
std::string escaped(std::string_view text);

/// A JSON string with its quotes that is safe inside a <script> element: `<`, `>` and `&` are written as \u00XX.
std::string json_string(std::string_view text);

}  // namespace mpca::report::internal
