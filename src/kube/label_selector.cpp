#include "kube/label_selector.h"

#include <algorithm>

#include "core/text.h"
#include "net/json.h"

namespace mpca::kube {
namespace {

using Requirement = LabelSelector::Requirement;
using Operator = Requirement::Operator;
using nlohmann::json;

/// A label's key or value; keys may have a `/`.
bool is_word(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '/';
  });
}

bool is_key(std::string_view text) { return !text.empty() && is_word(text); }

/// `(a, b)`.
std::optional<std::vector<std::string>> parse_set(std::string_view text) {
  text = trim(text);
  if (!text.starts_with('(') || !text.ends_with(')') || text.size() < 2) return std::nullopt;
  std::vector<std::string> values;
  for (const std::string_view part : split(text.substr(1, text.size() - 2), ',')) {
    const std::string_view value = trim(part);
    if (!is_word(value)) return std::nullopt;
    values.emplace_back(value);
  }
  return values;
}

std::optional<Requirement> comparison(std::string_view key, Operator op, std::string_view value) {
  key = trim(key);
  value = trim(value);
  if (!is_key(key) || !is_word(value)) return std::nullopt;
  return Requirement{std::string(key), op, {std::string(value)}};
}

std::optional<Requirement> parse_requirement(std::string_view text) {
  text = trim(text);
  if (text.starts_with('!')) {
    const std::string_view key = trim(text.substr(1));
    return is_key(key) ? std::optional(Requirement{std::string(key), Operator::does_not_exist}) : std::nullopt;
  }
  if (const auto at = text.find("!="); at != std::string_view::npos)
    return comparison(text.substr(0, at), Operator::not_in, text.substr(at + 2));
  if (const auto at = text.find("=="); at != std::string_view::npos)
    return comparison(text.substr(0, at), Operator::in, text.substr(at + 2));
  if (const auto at = text.find('='); at != std::string_view::npos)
    return comparison(text.substr(0, at), Operator::in, text.substr(at + 1));
  const auto space = text.find(' ');
  if (space == std::string_view::npos)
    return is_key(text) ? std::optional(Requirement{std::string(text), Operator::exists}) : std::nullopt;
  const std::string_view key = text.substr(0, space);
  const std::string_view rest = trim(text.substr(space));
  const bool is_negative = rest.starts_with("notin");
  if (!is_key(key) || (!is_negative && !rest.starts_with("in"))) return std::nullopt;
  auto values = parse_set(rest.substr(is_negative ? 5 : 2));
  if (!values) return std::nullopt;
  return Requirement{std::string(key), is_negative ? Operator::not_in : Operator::in, *std::move(values)};
}

std::optional<Requirement> read_expression(const json& expression) {
  Requirement requirement{.key = net::text_at(expression, "key")};
  const std::string op = net::text_at(expression, "operator");
  if (op == "In") {
    requirement.op = Operator::in;
  } else if (op == "NotIn") {
    requirement.op = Operator::not_in;
  } else if (op == "Exists") {
    requirement.op = Operator::exists;
  } else if (op == "DoesNotExist") {
    requirement.op = Operator::does_not_exist;
  } else {
    return std::nullopt;
  }
  if (!is_key(requirement.key)) return std::nullopt;
  const json& values = net::json_at(expression, "values");
  if (values.is_array())
    for (const json& value : values)
      if (value.is_string()) requirement.values.push_back(value.get<std::string>());
  return requirement;
}

}  // namespace

std::optional<LabelSelector> LabelSelector::parse(std::string_view text) {
  if (trim(text).empty()) return std::nullopt;
  LabelSelector selector;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = begin;
    for (int depth = 0; end < text.size() && (text[end] != ',' || depth > 0); ++end)
      depth += (text[end] == '(' ? 1 : 0) - (text[end] == ')' ? 1 : 0);
    auto requirement = parse_requirement(text.substr(begin, end - begin));
    if (!requirement) return std::nullopt;
    selector.requirements_.push_back(*std::move(requirement));
    begin = end + 1;
  }
  return selector;
}

std::optional<LabelSelector> LabelSelector::parse_object(std::string_view text) {
  const json object = net::parse_json(text);
  LabelSelector selector;
  const json& labels = net::json_at(object, "matchLabels");
  if (labels.is_object())
    for (const auto& [key, value] : labels.items())
      if (value.is_string())
        selector.requirements_.push_back({key, Requirement::Operator::in, {value.get<std::string>()}});
  const json& expressions = net::json_at(object, "matchExpressions");
  if (expressions.is_array()) {
    for (const json& expression : expressions) {
      auto requirement = read_expression(expression);
      if (!requirement) return std::nullopt;
      selector.requirements_.push_back(*std::move(requirement));
    }
  }
  if (selector.requirements_.empty()) return std::nullopt;
  return selector;
}

bool LabelSelector::matches(const Labels& labels) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& requirement) {
    const auto found = labels.find(requirement.key);
    const bool is_there = found != labels.end();
    const bool is_listed = is_there && std::ranges::find(requirement.values, found->second) != requirement.values.end();
    switch (requirement.op) {
      case Operator::in:
        return is_listed;
      case Operator::not_in:
        return !is_listed;
      case Operator::exists:
        return is_there;
      case Operator::does_not_exist:
        return !is_there;
    }
    return false;
  });
}

}  // namespace mpca::kube
