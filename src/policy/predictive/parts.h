// Parts of predictive that can be left out, so that what each is worth can be measured (docs/RESULTS.md). Not for use
// with a workload.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "policy/predictive/tournament.h"

namespace mpca::policy {

enum class Part : std::uint8_t {
  levels,     // candidates that hold a factor of the recent maximum
  trends,     // candidates that extrapolate
  planners,   // candidates that follow the forward maximum
  keeping,    // planners with a hold band
  contexts,   // books per situation
  mean,       // of the candidates: the best one decides alone
  in_flight,  // its change, in what demand is
  backlog,    // a queue that is held for and worked off
};

class Parts {
 public:
  bool has(Part part) const { return parts_[static_cast<std::size_t>(part)]; }
  void add(Part part) { parts_.set(static_cast<std::size_t>(part)); }

 private:
  std::bitset<8> parts_;
};

/// `levels, trends, …`
std::string names_of_parts();

/// Names with ; between them; empty: none.
///   errors   invalid_argument  an unknown name; all candidates
Result<Parts> parse_parts(std::string_view text);

/// Who takes part, the own HPA among them.
Tournament::Members candidates_without(Parts parts);

}  // namespace mpca::policy
