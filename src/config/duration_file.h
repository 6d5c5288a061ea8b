// Lags that somebody measured, from a file: wherever a duration that may vary is asked for
// (core/duration_distribution.h),
// `@lags.txt` is the `samples(…)` that stand in it.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace mpca::config {

/// `text` as it is, or for `@PATH` the text `samples(D;D;…)` of the file's durations: one a line, what follows a `#`
/// and empty lines left out.
///   errors   not_found, io     from the file
///            invalid_argument  each line that is no duration, as `PATH: line 3: "40" is …`, or no duration at all
Result<std::string> resolve_duration_text(std::string_view text);

}  // namespace mpca::config
