// Text in columns on a terminal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mpca::report::internal {

/// Columns that a text takes: code points, which is right for all but exotic names.
inline std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

inline std::string padded_left(const std::string& text, std::size_t columns) {
  return std::string(columns - std::min(columns, width(text)), ' ') + text;
}

inline std::string padded_right(const std::string& text, std::size_t columns) {
  return text + std::string(columns - std::min(columns, width(text)), ' ');
}

/// Control characters in a name must not reach the terminal.
inline std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return text;
}

inline std::string trimmed_line(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

using Cells = std::vector<std::string>;

/// Columns as wide as their widest cell; the first `names` of them and those from `left_from` on to the left.
inline std::string laid_out(const std::vector<Cells>& rows, std::size_t names,
                            std::size_t left_from = std::string::npos) {
  std::vector<std::size_t> widths;
  for (const Cells& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const Cells& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += "  " + (i < names || i >= left_from ? padded_right(row[i], widths[i]) : padded_left(row[i], widths[i]));
    text += trimmed_line(line);
  }
  return text;
}

}  // namespace mpca::report::internal
