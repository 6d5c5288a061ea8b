// What tuning one workload says, in words for a terminal: the verdict first, what to paste, what each rule would have
// cost, and how sure that is.
#pragma once

#include <string>

#include "report/tune.h"

namespace mpca::report {

std::string to_text(const TuneReport& report);

/// One JSON object: `"format": "mpca-tune", "version": 1`, the whole report.
std::string to_json(const TuneReport& report);

}  // namespace mpca::report
