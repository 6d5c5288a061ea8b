// What candidates cost on other loads: the books that a workload begins with, so that its first hour is not spent on
// finding out that 2.6 times the load is too much. `mpc-autoscaler prior` measures them; as a file
//
//   # mpca-prior 1
//   # medians over 13 traces, …
//   candidate,cost,late
//   level x1.02,1.06,0.5221
//
// and, since a policy reads no file, within its text as `level x1.02:1.06:0.5221;…`. Candidates are found by their
// names, in any order, so that a log of before there was another candidate can be repeated.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "policy/predictive/tournament.h"

namespace mpca::policy {

struct CandidateBooks {
  std::string candidate;  // Candidates::name()
  double cost = 0.0;      // replica-samples per load-sample, within [0, 1e6]
  double late = 0.0;      // share of the demand, within [0, 1]
};

/// Of a file; those that the shipped prior has are all there, each once.
///   where    what each message begins with: the file
///   errors   invalid_argument  every problem with its line
Result<std::vector<CandidateBooks>> parse_prior_file(std::string_view text, std::string_view where);

///   about    for people, a line
std::string prior_file(std::span<const CandidateBooks> books, std::string_view about);
std::string prior_text(std::span<const CandidateBooks> books);

/// `shipped`; `none`: nullptr, all are alike at first; or what prior_text() writes. A candidate that nothing is said
/// about begins with the medians of the others. Equal texts in a row give the same object: a fleet has one.
///   errors   invalid_argument  every problem, a line each
Result<std::shared_ptr<const Tournament::Prior>> read_prior(std::string_view text);

/// shipped_prior.csv, which is built in.
std::string_view shipped_prior_file();

}  // namespace mpca::policy
