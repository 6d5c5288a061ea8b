#include "hpa/selector.h"

#include <algorithm>
#include <optional>

#include "core/text.h"

namespace mpca::hpa {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kLongestPrefix = 253;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Letters, digits, `-`, `_` and `.`, the first and the last a letter or digit.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && is_alphanumeric(text.front()) &&
         is_alphanumeric(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_dns_label(std::string_view text) {
  const auto is_inner = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.front() != '-' && text.back() != '-' && std::ranges::all_of(text, is_inner);
}

bool is_key(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return is_name(text);
  const std::string_view prefix = text.substr(0, slash);
  return prefix.size() <= kLongestPrefix && std::ranges::all_of(split(prefix, '.'), is_dns_label) &&
         is_name(text.substr(slash + 1));
}

bool is_value(std::string_view text) { return text.empty() || is_name(text); }

}  // namespace

class Selector::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Selector> parse() {
    Selector selector;
    advance();
    if (token_.empty()) return selector;
    while (true) {
      Requirement requirement;
      if (!read(requirement)) return invalid(cat("\"", text_, "\" is not a label selector: ", problem_));
      selector.requirements_.push_back(std::move(requirement));
      if (token_.empty()) return selector;
      if (token_ != ",")
        return invalid(cat("\"", text_, "\" is not a label selector: found \"", token_, "\" where a comma belongs"));
      advance();
    }
  }

 private:
  static bool is_special(char c) { return std::string_view("=!(),<>").find(c) != std::string_view::npos; }

  /// The next token: a word, or one of `! = == != < > ( ) ,`; empty at the end.
  void advance() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    const std::size_t begin = at_;
    if (at_ < text_.size() && is_special(text_[at_])) {
      const char first = text_[at_++];
      if ((first == '=' || first == '!') && at_ < text_.size() && text_[at_] == '=') ++at_;
    } else {
      while (at_ < text_.size() && !is_special(text_[at_]) && !is_space(text_[at_])) ++at_;
    }
    token_ = text_.substr(begin, at_ - begin);
  }

  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool read(Requirement& requirement) {
    const bool is_absence = token_ == "!";
    if (is_absence) advance();
    if (!is_key(token_)) return fail(cat("\"", token_, "\" is not a label's key"));
    requirement.key = token_;
    advance();
    if (is_absence || token_.empty() || token_ == ",") {
      requirement.op = is_absence ? Operator::does_not_exist : Operator::exists;
      return true;
    }
    const std::string_view op = token_;
    advance();
    if (op == "in" || op == "notin") {
      requirement.op = op == "in" ? Operator::in : Operator::not_in;
      return read_list(requirement.values);
    }
    if (op == "=" || op == "==" || op == "!=") {
      requirement.op = op == "!=" ? Operator::not_in : Operator::in;
      return read_value(requirement.values);
    }
    if (op == "<" || op == ">") {
      requirement.op = op == ">" ? Operator::greater : Operator::less;
      return read_value(requirement.values) && (parse_int(requirement.values[0]) || fail("an integer must follow"));
    }
    return fail(cat("\"", op, "\" is no operator"));
  }

  /// A value may be empty: `key=`, `key=,…`.
  bool read_value(std::vector<std::string>& values) {
    if (token_.empty() || token_ == "," || token_ == ")") {
      values.emplace_back();
      return true;
    }
    if (!is_value(token_)) return fail(cat("\"", token_, "\" is not a label's value"));
    values.emplace_back(token_);
    advance();
    return true;
  }

  bool read_list(std::vector<std::string>& values) {
    if (token_ != "(") return fail("values belong in parentheses");
    advance();
    while (true) {
      if (!read_value(values)) return false;
      if (token_ == ")") break;
      if (token_ != ",") return fail("the list of values does not end");
      advance();
    }
    advance();
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view token_;
  std::string problem_;
};

Result<Selector> Selector::parse(std::string_view text) { return Parser(text).parse(); }

bool Selector::Requirement::holds(const Labels& labels) const {
  const auto label = std::ranges::find(labels, key, &Labels::value_type::first);
  const bool is_there = label != labels.end();
  const auto is_listed = [&] { return std::ranges::find(values, label->second) != values.end(); };
  const auto number = [&] { return is_there ? parse_int(label->second) : std::nullopt; };
  switch (op) {
    case Operator::exists:
      return is_there;
    case Operator::does_not_exist:
      return !is_there;
    case Operator::in:
      return is_there && is_listed();
    case Operator::not_in:
      return !is_there || !is_listed();
    case Operator::greater:
      return number() && *number() > *parse_int(values[0]);
    case Operator::less:
      return number() && *number() < *parse_int(values[0]);
  }
  return false;
}

bool Selector::matches(const Labels& labels) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& requirement) { return requirement.holds(labels); });
}

SelectorState selector_state(std::string_view text, std::span<const Labels> pods, std::span<const Selector> others) {
  if (text.empty()) return SelectorState::missing;
  const auto own = Selector::parse(text);
  if (!own) return SelectorState::unparsable;
  for (const Labels& labels : pods) {
    if (!own->matches(labels)) continue;
    if (std::ranges::any_of(others, [&](const Selector& other) { return other.matches(labels); }))
      return SelectorState::ambiguous;
  }
  return SelectorState::valid;
}

}  // namespace mpca::hpa
