// What a scrape of a Prometheus endpoint says: the text exposition format, version 0.0.4.
// prometheus.io/docs/instrumenting/exposition_formats.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace mpca::prom {

struct Sample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  // in the order of the text, unescaped
  double value = 0.0;                                       // NaN and infinities as the text says
};

/// Every sample of `text`, in order; comments and types are skipped, timestamps ignored.
///   errors   invalid_argument  the first line that is neither, as `line N: …`
Result<std::vector<Sample>> parse_exposition(std::string_view text);

/// The value of `name` on `sample`, empty when it has no such label.
std::string_view label(const Sample& sample, std::string_view name);

}  // namespace mpca::prom
