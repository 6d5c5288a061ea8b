#include "report/internal/decision_data.h"

#include <utility>

#include "core/text.h"
#include "report/internal/chart_data.h"
#include "report/internal/html_text.h"

namespace mpca::report::internal {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view name_of(AccountColumn::Kind kind) {
  switch (kind) {
    case AccountColumn::Kind::name:
      return "name";
    case AccountColumn::Kind::number:
      return "number";
    case AccountColumn::Kind::bar:
      return "bar";
    case AccountColumn::Kind::words:
      break;
  }
  return "words";
}

std::string phrase_of(const AccountPart& part, std::string& numbers) {
  const auto text = [&](std::string_view words) { return json_string(without_numbers(words, numbers)); };
  const std::string label = text(part.label), words = text(part.words), note = text(part.note);
  std::string kinds, heads;
  for (const AccountColumn& column : part.columns) {
    kinds += cat(kinds.empty() ? "" : ",", json_string(name_of(column.kind)));
    heads += cat(heads.empty() ? "" : ",", json_string(column.heading));
  }
  return cat("{\"label\":", label, ",\"words\":", words, ",\"note\":", note, ",\"kinds\":[", kinds, "],\"heads\":[",
             heads, "]}");
}

std::string phrase_of(const std::vector<std::string>& row, std::string& numbers) {
  std::string cells;
  for (const std::string& cell : row)
    cells += cat(cells.empty() ? "" : ",", json_string(without_numbers(cell, numbers)));
  return cat("[", cells, "]");
}

}  // namespace

std::string without_numbers(std::string_view text, std::string& numbers) {
  std::string phrase;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      phrase += text[at++];
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
      ++end;
      while (end < text.size() && is_digit(text[end])) ++end;
    }
    phrase += '0';
    numbers += cat(",", text.substr(at, end - at));
    at = end;
  }
  return phrase;
}

std::size_t DecisionPacker::phrase(std::string json) {
  const auto [found, is_new] = numbers_.try_emplace(std::move(json), phrases_.size());
  if (is_new) phrases_.push_back(found->first);
  return found->second;
}

std::string DecisionPacker::packed(const ToldDecision& decision) {
  std::string numbers;
  const std::string sentence = json_string(without_numbers(decision.sentence, numbers));
  std::string json = cat("[", phrase(sentence));
  for (const AccountPart& part : decision.parts) {
    json += cat(",", phrase(phrase_of(part, numbers)));
    for (const std::vector<std::string>& row : part.rows) json += cat(",", phrase(phrase_of(row, numbers)));
  }
  return cat(json, ",\"", numbers.empty() ? std::string_view() : std::string_view(numbers).substr(1), "\"]");
}

std::string DecisionPacker::packed(const RunDecisions& decisions) {
  if (decisions.kept.empty()) return "null";
  std::vector<double> times;
  std::string told;
  for (const ToldDecision& decision : decisions.kept) {
    times.push_back(decision.time_s);
    told += cat(told.empty() ? "" : ",", packed(decision));
  }
  return cat("{\"made\":", decisions.made, ",\"every\":", decisions.every, ",\"time\":\"", packed_differences(times),
             "\",\"told\":[", told, "]}");
}

std::string DecisionPacker::phrases_json() const { return cat("[", join(phrases_, ","), "]"); }

}  // namespace mpca::report::internal
