// Independent jobs on several threads. Results go where the job's index says, so the outcome does not depend on the
// number of threads.
#pragma once

#include <functional>
#include <stop_token>

namespace mpca::os {

/// Hardware threads, at least 1.
int hardware_jobs();

/// Calls job(i) once for each i in [0, count) on up to `jobs` threads (the calling one included) and waits for all.
/// Indices are taken in order. After `stop` is requested no new job begins. `job` must be safe to call from several
/// threads.
///   returns  the number of jobs that ran
int parallel_for(int count, int jobs, std::stop_token stop, const std::function<void(int)>& job);

}  // namespace mpca::os
