#include "report/internal/html_text.h"

#include <nlohmann/json.hpp>

namespace mpca::report::internal {
namespace {

// Valid UTF-8 with U+FFFD in the place of what was not.
std::string repaired(std::string_view text) {
  const std::string dumped =
      nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(dumped).get<std::string>();
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  for (const char c : repaired(text)) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        if (const auto byte = static_cast<unsigned char>(c); (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F)
          html += "\xEF\xBF\xBD";
        else
          html += c;
    }
  }
  return html;
}

std::string json_string(std::string_view text) {
  std::string json;
  for (const char c : nlohmann::json(std::string(text)).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)) {
    if (c == '<') {
      json += "\\u003c";
    } else if (c == '>') {
      json += "\\u003e";
    } else if (c == '&') {
      json += "\\u0026";
    } else {
      json += c;
    }
  }
  return json;
}

}  // namespace mpca::report::internal
