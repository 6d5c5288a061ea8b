// mpc-control-log.csv, the reference lab's view of what its controller did, a row per decision. Rounded: it is for
// people and for the lab's scripts, and replay never reads it (decision_log.h is what it reads). read_control_log() of
// run_directory.h reads the rows back as far as summaries need them.
#pragma once

#include <string>

#include "core/time.h"
#include "policy/decision.h"
#include "policy/observation.h"

namespace mpca::runlog {

/// The 24 columns in the lab's order, with a line end.
std::string control_log_header();

/// One row, with a line end. Of `lab-online` every column says what the lab's would. Of any other policy: its own
/// states where it has them, as qp_recommended_replicas what its rule said before its guards, as control_mode its rule
/// in words, and flags of rules that it does not have are 0.
///
///   start             of the run: elapsed_s counts from here
///   applied_replicas  what is asked for after this decision: `observation.spec_replicas` in a dry run or when scaling
///                     failed (then the caller makes the decision's status `scale_error:KIND` before)
///
/// prev_replicas and desired_replicas are both those before the decision. A value that is not known is an empty field;
/// each `…_query_failed` is 1 when its signal is not fresh, the value then being the last good one. ts_utc has whole
/// seconds, elapsed_s one decimal, the other numbers six.
std::string control_log_row(TimePoint start, const policy::Observation& observation, const policy::Decision& decision,
                            int applied_replicas);

}  // namespace mpca::runlog
