// Figures as people say them: in sentences, and in tables whose columns mix magnitudes.
#pragma once

#include <span>
#include <string>

namespace mpca::report::internal {

/// `45 s`, `2 min 30 s`, `1 h 5 min`, `2 d`: two units at most.
std::string words_of_duration(double seconds);

/// `8.4 ms`, `120 ms`, `2.1 s`; `n/a` for what is not finite.
std::string words_of_latency(double milliseconds);

/// `12.5%`; never `0.0%` for something, nor `100.0%` for less than all.
std::string words_of_share(double share);

/// `a, b and c`
std::string listed(std::span<const std::string> names);

}  // namespace mpca::report::internal
