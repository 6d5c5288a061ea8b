// The decisions of a comparison as JSON for the page's script (assets/decisions.js), packed small: what is the same
// from one decision to the next, which is nearly all but the numbers, stands in the file once.
//
// A line of a decision is its sentence, the head of a part, or a row of it. Every number in a line's texts gives way to
// a `0`; what is left is the line's phrase, and no digit in it means anything else. A decision is the numbers of its
// phrases, and after them, in order, the numbers that stood there, as they were written.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "report/comparison.h"

namespace mpca::report::internal {

class DecisionPacker {
 public:
  /// `{"made":80,"every":1,"time":"0,15*79","told":[[0,1,4,"118.9,6.8"],…]}`, or `null` where none was kept.
  std::string packed(const RunDecisions& decisions);

  /// Those of all that was packed. A phrase is a sentence; of a part `{"label","words","note","kinds","heads"}`, whose
  /// numbers come in this order; of a row the array of its cells.
  std::string phrases_json() const;

 private:
  std::string packed(const ToldDecision& decision);
  std::size_t phrase(std::string json);

  std::map<std::string, std::size_t> numbers_;  // of phrases
  std::vector<std::string> phrases_;            // as JSON
};

/// `text` with a `0` for every number in it, each of which is added to `numbers` with a comma before it.
std::string without_numbers(std::string_view text, std::string& numbers);

}  // namespace mpca::report::internal
