// `prior`: what the candidates of `predictive` cost on one's own traces, for a new workload of that kind to begin with
// (policy/predictive/prior.h). Each trace is played with each seed, as `backtest` plays it in the fluid world, and the
// books of the candidates at the end are taken. They do not depend on the prior that the run began with: a candidate is
// booked what it would have cost, whoever was heard, as demand does not depend on that.
#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/result.h"
#include "policy/predictive/prior.h"
#include "study/backtest.h"

namespace mpca::study {

using Books = std::vector<policy::CandidateBooks>;

struct PriorSettings {
  std::vector<TraceInput> traces;
  Preset preset;
  int seeds = 3;  // 1 … seeds
  int jobs = 1;
};

/// For each candidate the medians over traces of its mean over the seeds, to five decimals; the same for any number of
/// jobs.
///   errors   invalid_argument  no trace, doubled traces, one that cannot be played (all)
///            not_enough_data   a trace so short that nothing is booked
///            interrupted
Result<Books> measure_prior(const PriorSettings& settings, const std::stop_token& stop,
                            const std::function<void(const Progress&)>& on_progress);

/// By candidate, over those books that have it, in the order of their first appearance. An even number of values has
/// the mean of the middle two.
Books median_books(std::span<const Books> all);
Books mean_books(std::span<const Books> all);

}  // namespace mpca::study
