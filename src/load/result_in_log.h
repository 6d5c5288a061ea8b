// A whole result as lines of a log: what a load generator in a pod has to hand back, and `kubectl logs` is the one
// thing that every cluster carries out of a pod. Container runtimes cut long lines, and standard output and error end
// in one log, line by line in any order between each other; so it travels in short numbered lines with a checksum, and
// whatever else the log says does no harm.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "load/load_run.h"

namespace mpca::load {

/// About 20 bytes per bucket of each interval's histogram: 1 MB for a quarter of an hour at 80 requests/s.
std::string result_lines(const LoadResult& result);

/// The last result in `log`.
///   errors   not_found         none begins in it
///            invalid_argument  it is not all there, or not of this format or version
Result<LoadResult> parse_result_lines(std::string_view log);

}  // namespace mpca::load
