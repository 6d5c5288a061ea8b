// The answer of Prometheus' range query (`/api/v1/query_range`, HTTP API v1) as samples: `resultType` matrix, values as
// `[seconds, "text"]`.
#pragma once

#include <string_view>
#include <vector>

#include "core/result.h"
#include "trace/series.h"

namespace mpca::config {

/// The sum of all series at each time; a series without a sample, or with NaN, adds nothing there. Where every series
/// has NaN, the sample has no value. In the order of time.
///
///   errors   invalid_argument  not JSON, not this shape (the message names the place), `status` error (with
///   Prometheus' own
///                              words), an infinite value
///            not_enough_data   the query matched no series
///            unsupported       native histograms
///   cost     O(n log n); about ten times the text's size in memory
Result<std::vector<trace::Sample>> parse_prometheus_range(std::string_view json_text);

}  // namespace mpca::config
