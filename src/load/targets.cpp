#include "load/targets.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/text.h"
#include "load/internal/url.h"

namespace mpca::load {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(line, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

Result<Target> parse_request_line(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() < 2 || words.size() > 3 || !is_token(words[0])) {
    return invalid(cat("is \"", line.substr(0, 200), "\"; must be `METHOD URL`, or `METHOD URL weight=N`"));
  }
  Target target;
  target.method = words[0];
  target.url = words[1];
  MPCA_TRY([[maybe_unused]] const Url url, parse_url(words[1]));
  if (words.size() == 3) {
    const auto weight = words[2].starts_with("weight=") ? parse_double(words[2].substr(7)) : std::nullopt;
    if (!weight || !std::isfinite(*weight) || *weight <= 0.0) {
      return invalid(cat("is \"", words[2], "\" after the URL; must be weight=N with N > 0"));
    }
    target.weight = *weight;
  }
  return target;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char character) {
    return std::isalnum(static_cast<unsigned char>(character)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(character) != std::string_view::npos;
  });
}

Result<std::pair<std::string, std::string>> parse_header(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_token(trim(text.substr(0, colon)))) {
    return invalid(cat("is \"", text.substr(0, 200), "\"; must be `Name: value`"));
  }
  return std::pair(std::string(trim(text.substr(0, colon))), std::string(trim(text.substr(colon + 1))));
}

Result<std::vector<Target>> parse_targets(
    std::string_view text, const std::function<Result<std::string>(const std::string& path)>& read_body) {
  std::vector<Target> targets;
  Problems problems;
  bool is_in_target = false;  // from a request line to the next blank line
  bool is_bad_target = false;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    line = trim(line);
    const auto refuse = [&](std::string_view what) { problems.add(cat("line ", number, ": ", what)); };
    if (line.starts_with('#')) continue;
    if (line.empty()) {
      is_in_target = false;
      continue;
    }
    if (is_in_target && line.starts_with('@')) {
      if (is_bad_target) continue;
      auto body = read_body(std::string(trim(line.substr(1))));
      if (!body) {
        refuse(body.error().message);
      } else {
        targets.back().body = std::move(*body);
      }
      continue;
    }
    // As vegeta has it, a target may also begin without a blank line before it.
    const std::vector<std::string_view> words = words_of(line);
    const bool looks_like_request = words.size() >= 2 && is_token(words[0]) &&
                                    words[0].find(':') == std::string_view::npos &&
                                    (words[1].starts_with("http://") || words[1].starts_with("https://"));
    if (!is_in_target || looks_like_request) {
      auto target = parse_request_line(line);
      is_in_target = true;
      is_bad_target = !target.has_value();
      if (!target) {
        refuse(target.error().message);
      } else {
        targets.push_back(std::move(*target));
      }
      continue;
    }
    auto header = parse_header(line);
    if (!header) {
      refuse(header.error().message);
    } else if (!is_bad_target) {
      targets.back().headers.push_back(std::move(*header));
    }
  }
  MPCA_TRY_VOID(problems.to_result());
  if (targets.empty()) return invalid("no target; must hold at least one line `METHOD URL`");
  if (std::any_of(targets.begin(), targets.end(), [](const Target& target) { return target.weight > 0.0; })) {
    for (Target& target : targets) {
      if (target.weight == 0.0) target.weight = 1.0;
    }
  }
  return targets;
}

}  // namespace mpca::load
