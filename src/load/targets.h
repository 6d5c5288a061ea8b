// What to request: vegeta's target format, one request each: a line `METHOD URL`, header lines `Name: value`,
// optionally
// `@FILE` for the body; blank lines between, `#` comments. github.com/tsenart/vegeta, README, "-targets".
#pragma once

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

}  // namespace mpca::load
