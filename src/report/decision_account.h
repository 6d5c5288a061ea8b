// What one decision of a run rests on, as rows: what was known, what was expected, who was heard, what changed it, as
// far as the policy says so. There is one list of them: the text of `explain` (decision_block.h) and the panel of the
// report's page (internal/decision_data.h) only lay it out, so both say the same in the same words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policy/policy.h"

namespace mpca::report {

/// A column of a part's rows.
struct AccountColumn {
  enum class Kind {
    name,    // of the row
    number,  // with its unit, to the right
    bar,     // a share in [0, 1], to be drawn
    words,
  };
  Kind kind = Kind::words;
  std::size_t width = 0;          // in a text of fixed pitch
  std::string_view heading = {};  // empty in all columns: they need none
};

/// One subject.
struct AccountPart {
  std::string_view label;  // `dead time`
  std::string words = {};  // beside the label; empty: the rows say it
  std::vector<AccountColumn> columns = {};
  std::vector<std::vector<std::string>> rows = {};  // a cell per column
  std::string note = {};                            // below the rows
};

/// Every subject that the policy says something about, numbers that have no place of their own before the last one,
/// which is what became of the replicas.
std::vector<AccountPart> account_parts(const policy::Observation& observation, const policy::Decision& decision,
                                       const policy::Workload& workload);

/// Whether there is more to say than explanation_sentence() does. Of a constant or an empty explanation there is not.
bool says_more_than_its_sentence(const policy::Explanation& explanation);

/// What a Ready replica serves, as the policy knew it then; else as configured.
double known_capacity_rps(const policy::Explanation& explanation, const policy::Workload& workload);

}  // namespace mpca::report
