#include "report/decision_block.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "report/internal/text_columns.h"

namespace mpca::report {
namespace {

using internal::padded_left;
using internal::padded_right;

constexpr std::size_t kLabelWidth = 12;

/// `share` of `width` characters, to an eighth of one.
std::string bar(double share, std::size_t width) {
  static constexpr std::array<std::string_view, 8> kParts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths =
      static_cast<std::size_t>(std::lround(8.0 * static_cast<double>(width) * std::clamp(share, 0.0, 1.0)));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
  return text += kParts[eighths % 8];
}

std::string laid_out(const AccountColumn& column, const std::string& cell) {
  switch (column.kind) {
    case AccountColumn::Kind::number:
      return padded_left(cell, column.width);
    case AccountColumn::Kind::bar:
      return padded_right(bar(std::strtod(cell.c_str(), nullptr), column.width), column.width);
    case AccountColumn::Kind::words:
      return cat("   ", padded_right(cell, column.width));
    case AccountColumn::Kind::name:
      break;
  }
  return padded_right(cell, column.width);
}

std::string laid_out(const AccountPart& part) {
  std::vector<std::string> lines;
  if (!part.words.empty()) lines.push_back(part.words);
  std::string headings;
  for (const AccountColumn& column : part.columns) {
    const std::string heading(column.heading);
    headings += column.kind == AccountColumn::Kind::number ? padded_left(heading, column.width)
                                                           : padded_right(heading, column.width);
  }
  if (headings.find_first_not_of(' ') != std::string::npos) lines.push_back(headings);
  for (const std::vector<std::string>& row : part.rows) {
    std::string& line = lines.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) line += laid_out(part.columns[i], row[i]);
  }
  if (!part.note.empty()) lines.push_back(part.note);
  std::string text;
  for (const std::string& line : lines)
    text += internal::trimmed_line(padded_right(text.empty() ? std::string(part.label) : std::string(), kLabelWidth) +
                                   line);
  return text;
}

}  // namespace

std::string decision_block(const runlog::DecisionRecord& record, const policy::Workload& workload) {
  std::string text;
  for (const AccountPart& part : account_parts(record.observation, record.decision, workload)) text += laid_out(part);
  return text;
}

}  // namespace mpca::report
