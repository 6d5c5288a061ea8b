// What tables, reports and directories call a policy. Its text may hold whole files, written out so that a log repeats
// the policy without them: a calendar, a prior. Nobody can read such a name, and no table has room for it.
#pragma once

#include <string>
#include <string_view>

namespace mpca::policy {

/// The text as create_policy() takes it, with each value of more than 60 bytes cut to its first 24 and a number of four
/// hexadecimal digits that is of the whole value: `calendar=black friday@2026-11-27T…51fb`. So two texts have two
/// labels, but for one pair in 65,536. A label of a label is the same.
std::string label_of(std::string_view policy_text);

}  // namespace mpca::policy
