#include "study/prior.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <set>

#include "core/os/parallel.h"
#include "core/stats.h"
#include "core/text.h"
#include "policy/predictive/predictive.h"
#include "policy/run_policy.h"
#include "sim/dated_world.h"
#include "study/play.h"

namespace mpca::study {
namespace {

using policy::CandidateBooks;

constexpr double kDecimals = 1e5;  // more would be noise, and differ between machines

Books combined(std::span<const Books> all, double (*combine)(std::vector<double>& values)) {
  struct Figures {
    std::string candidate;
    std::vector<double> cost, late;
  };
  std::vector<Figures> candidates;
  for (const Books& books : all) {
    for (const CandidateBooks& each : books) {
      auto found = std::find_if(candidates.begin(), candidates.end(),
                                [&](const Figures& figures) { return figures.candidate == each.candidate; });
      if (found == candidates.end()) found = candidates.insert(found, {each.candidate, {}, {}});
      found->cost.push_back(each.cost);
      found->late.push_back(each.late);
    }
  }
  Books result;
  for (Figures& figures : candidates)
    result.push_back({figures.candidate, combine(figures.cost), combine(figures.late)});
  return result;
}

Result<Books> books_of_run(const Play& play, const Preset& preset, const WorldMaker& make_world, std::uint64_t seed,
                           const std::stop_token& stop) {
  const auto world = make_world(arrivals_of(play, preset, seed), initial_replicas(play, preset));
  sim::DatedWorld dated(*world, {});
  MPCA_TRY(const auto policy, policy::create_policy(policy::kPredictiveKind.name, preset.workload, "--preset"));
  if (!policy::run_policy(dated, *policy, stop, [](const auto&, const auto&, const auto&) {}))
    return fail(ErrorCode::interrupted, "interrupted: nothing was written");
  auto books = policy::predictive_books(policy->save_state());
  if (!books) return fail(books.error().code, cat(play.played.file, ": ", books.error().message));
  return books;
}

Result<std::vector<Play>> prepare_all(const PriorSettings& settings) {
  Problems problems;
  if (settings.traces.empty()) problems.add("--trace: at least one trace is needed");
  std::set<std::string> seen;
  std::vector<Play> plays;
  for (const TraceInput& input : settings.traces) {
    if (!seen.insert(input.trace.name).second)
      problems.add(cat("--trace ", input.file, ": a trace called ", input.trace.name, " is there already"));
    auto play = prepare(input.trace, input.file, settings.preset);
    if (play) {
      plays.push_back(*std::move(play));
    } else {
      problems.add(play.error().message);
    }
  }
  MPCA_TRY_VOID(problems.to_result());
  return plays;
}

}  // namespace

Books median_books(std::span<const Books> all) {
  return combined(all, [](std::vector<double>& values) { return quantile_linear(values, 0.5); });
}

Books mean_books(std::span<const Books> all) {
  return combined(all, [](std::vector<double>& values) { return mean(values); });
}

Result<Books> measure_prior(const PriorSettings& settings, const std::stop_token& stop,
                            const std::function<void(const Progress&)>& on_progress) {
  MPCA_TRY(const std::vector<Play> plays, prepare_all(settings));
  const WorldMaker make_world(settings.preset, "fluid");
  const int count = static_cast<int>(plays.size()) * settings.seeds;
  double work = 0.0;
  for (const Play& play : plays) work += play.played.seconds * settings.seeds;
  std::vector<Result<Books>> runs(static_cast<std::size_t>(count));
  std::mutex mutex;  // guards done and the listener
  double done = 0.0;
  const int ran = os::parallel_for(count, settings.jobs, stop, [&](int index) {
    const Play& play = plays[static_cast<std::size_t>(index / settings.seeds)];
    const auto seed = static_cast<std::uint64_t>(index % settings.seeds) + 1;
    runs[static_cast<std::size_t>(index)] = books_of_run(play, settings.preset, make_world, seed, stop);
    const std::scoped_lock lock(mutex);
    done += play.played.seconds;
    on_progress({.done = done / work});
  });
  if (ran < count) return fail(ErrorCode::interrupted, "interrupted: nothing was written");
  std::vector<Books> by_trace;
  for (std::size_t t = 0; t < plays.size(); ++t) {
    std::vector<Books> by_seed;
    for (int seed = 0; seed < settings.seeds; ++seed) {
      Result<Books>& run = runs[t * static_cast<std::size_t>(settings.seeds) + static_cast<std::size_t>(seed)];
      if (!run) return std::unexpected(run.error());
      by_seed.push_back(*std::move(run));
    }
    by_trace.push_back(mean_books(by_seed));
  }
  Books medians = median_books(by_trace);
  for (CandidateBooks& each : medians) {
    each.cost = std::round(each.cost * kDecimals) / kDecimals;
    each.late = std::round(each.late * kDecimals) / kDecimals;
  }
  return medians;
}

}  // namespace mpca::study
