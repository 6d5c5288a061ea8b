// A batch of experiments as a command runs it, wherever it takes place: a progress line, a line per run, a table.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"
#include "core/result.h"
#include "lab/batch.h"

namespace mpca::app {

/// `before` and each kind of batch with its sentence: for help.
std::string batch_sentence(std::string_view before);

/// The exit code: 1 when a run failed.
Result<int> run_and_report(lab::Place& place, const lab::BatchSettings& settings, Context& context);

}  // namespace mpca::app
