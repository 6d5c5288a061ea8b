// What to request: vegeta's target format, one request each: a line `METHOD URL`, header lines `Name: value`,
// optionally `@FILE` for the body; blank lines between, `#` comments. github.com/tsenart/vegeta, README, "-targets".
//
// One thing is ours: `METHOD URL weight=N`. vegeta takes anything after the method as the URL, and a URL has no spaces.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace mpca::load {

struct Target {
  std::string method = "GET";
  std::string url;  // http:// or https://
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  double weight = 0.0;  // 0: take targets in turn; else drawn with this weight
  bool operator==(const Target&) const = default;
};

/// Reads targets; `read_body` gets what stands after each `@`. Once any target has a weight, those without have 1.
///
///   errors   invalid_argument  every bad line as `line N: …`, no target at all, bodies that `read_body` refused
Result<std::vector<Target>> parse_targets(std::string_view text,
                                          const std::function<Result<std::string>(const std::string& path)>& read_body);

/// `Name: value`, as in a file and in --header.
///   errors   invalid_argument  no colon, or a name that is no token
Result<std::pair<std::string, std::string>> parse_header(std::string_view text);

/// Of RFC 9110, section 5.6.2: what methods and header names are made of.
bool is_token(std::string_view text);

}  // namespace mpca::load
