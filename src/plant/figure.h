// One identified figure, with what an explanation has to say about it.
#pragma once

#include <string_view>

namespace mpca::plant {

struct Figure {
  double value = 0.0;
  double low = 0.0;         // low <= value <= high: nine times in ten the truth lies between them
  double high = 0.0;        // (as far as what was seen is like what comes)
  double confidence = 0.0;  // 0: the prior alone; towards 1: what was observed alone
  std::string_view source;  // a word or two: `configured`, `single pods`, `saturated`, …
  bool operator==(const Figure&) const = default;
};

}  // namespace mpca::plant
