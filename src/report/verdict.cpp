#include "report/verdict.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "core/text.h"
#include "report/internal/ranking.h"
#include "report/internal/words.h"

namespace mpca::report {
namespace {

using internal::listed;
using internal::words_of_latency;
using internal::words_of_share;

std::string time_within_target(const Standing& standing) {
  return standing.violation_ratio <= 0.0 ? "all of the time"
                                         : words_of_share(1.0 - standing.violation_ratio) + " of the time";
}

std::string rough_percent(double share) { return fixed(100.0 * share, share < 0.0995 ? 1 : 0) + "%"; }

std::string points(double difference) { return fixed(100.0 * difference, 1) + " points"; }

// -1 when `a` is the smaller (better) one, 0 when they count as equal.
int compare(double a, double b, double margin) { return a < b - margin ? -1 : a > b + margin ? 1 : 0; }

int compare_cost(const Standing& a, const Standing& b, const Margins& margins) {
  return compare(a.cost, b.cost, margins.cost_share * std::max(a.cost, b.cost));
}

// Why `loser` has no reason to be chosen: all that `winner` does better.
std::string beaten_sentence(const Standing& loser, const Standing& winner, const Margins& margins) {
  std::vector<std::string> worse;
  if (compare(loser.violation_ratio, winner.violation_ratio, margins.violation_ratio) > 0)
    worse.push_back(
        cat("over the target ", points(loser.violation_ratio - winner.violation_ratio), " more of the time"));
  if (compare(loser.unserved_ratio, winner.unserved_ratio, margins.unserved_ratio) > 0)
    worse.push_back(cat(points(loser.unserved_ratio - winner.unserved_ratio), " more of the requests beyond capacity"));
  if (compare_cost(loser, winner, margins) > 0)
    worse.push_back(winner.cost > 0.0 ? rough_percent(loser.cost / winner.cost - 1.0) + " more replica-hours"
                                      : "more replica-hours");
  return cat(loser.policy, " against ", winner.policy, ": ", join(worse, ", "), "; better in nothing.");
}

// `winners` are all as good as `winner`, which is one of them.
std::string winner_sentence(std::span<const std::string> winners, const Standing& winner, const Standing& next,
                            const std::string& kept, const Margins& margins) {
  const std::string cost = compare_cost(winner, next, margins) < 0
                               ? rough_percent(1.0 - winner.cost / next.cost) + " fewer replica-hours than "
                               : std::string("as many replica-hours as ");
  const std::string start = cat(listed(winners), winners.size() > 1 ? " each " : " ", kept, " ",
                                time_within_target(winner), " with ", cost, next.policy);
  if (compare(next.violation_ratio, winner.violation_ratio, margins.violation_ratio) != 0)
    return cat(start, " (", time_within_target(next), ").");
  if (compare(next.unserved_ratio, winner.unserved_ratio, margins.unserved_ratio) != 0)
    return cat(start, ", which left ", words_of_share(next.unserved_ratio), " of the requests beyond capacity (",
               winner.policy, ": ", words_of_share(winner.unserved_ratio), ").");
  return start + ", which served users as well.";
}

std::string trade_off_sentence(const Standing& server, const Standing& cheapest, const std::string& kept,
                               const Margins& margins) {
  const std::string fewer = rough_percent(1.0 - cheapest.cost / server.cost) + " fewer replica-hours";
  if (compare(server.violation_ratio, cheapest.violation_ratio, margins.violation_ratio) != 0)
    return cat("it is a trade-off: ", server.policy, " ", kept, " ", time_within_target(server), ", ", cheapest.policy,
               " ", time_within_target(cheapest), " with ", fewer, ".");
  return cat("it is a trade-off: ", cheapest.policy, " took ", fewer, " than ", server.policy, ", but left ",
             words_of_share(cheapest.unserved_ratio), " of the requests beyond capacity (", server.policy, ": ",
             words_of_share(server.unserved_ratio), ").");
}

using Field = double Standing::*;
internal::Measure measure_of(std::span<const Standing> standings, Field field, double margin, double margin_share) {
  internal::Measure measure{.figures = {}, .margin = margin, .margin_share = margin_share};
  for (const Standing& standing : standings)
    measure.figures.push_back({standing.*field, standing.*field, standing.*field});
  return measure;
}

using MeasuredField = RepeatedFigure MeasuredStanding::*;
internal::Measure measure_of(std::span<const MeasuredStanding> standings, MeasuredField field, double margin,
                             double margin_share) {
  internal::Measure measure{.figures = {}, .margin = margin, .margin_share = margin_share};
  for (const MeasuredStanding& standing : standings) measure.figures.push_back(standing.*field);
  return measure;
}

std::string latency_words(const RepeatedFigure& latency_s) { return words_of_latency(1000.0 * latency_s.median); }

// `p95 latency 120 ms against 480 ms`, or `no request failed`: what users of `a` got, and those of `b`.
std::vector<std::string> service_words(const MeasuredStanding& a, const MeasuredStanding& b) {
  const double failed = std::max(a.failed_ratio.median, b.failed_ratio.median);
  return {
      cat("p95 latency ", latency_words(a.latency_p95_s), " against ", latency_words(b.latency_p95_s)),
      cat("p99 ", latency_words(a.latency_p99_s), " against ", latency_words(b.latency_p99_s)),
      failed <= 0.0 ? std::string("no request failed")
                    : cat(words_of_share(a.failed_ratio.median), " of the requests failed against ",
                          words_of_share(b.failed_ratio.median)),
  };
}

std::string service_words(const MeasuredStanding& a) {
  return cat("a p95 latency of ", latency_words(a.latency_p95_s), ", a p99 of ", latency_words(a.latency_p99_s),
             " and ",
             a.failed_ratio.median <= 0.0 ? std::string("no failed request")
                                          : words_of_share(a.failed_ratio.median) + " of the requests failed");
}

std::string fewer_replica_hours(const MeasuredStanding& a, const MeasuredStanding& than) {
  return rough_percent(1.0 - a.replica_hours.median / than.replica_hours.median) + " fewer replica-hours";
}

std::string measured_winner(const std::vector<std::string>& winners, const MeasuredStanding& winner,
                            const MeasuredStanding& next, bool serves_better, bool is_cheaper) {
  const std::string who = cat(listed(winners), winners.size() > 1 ? " each" : "");
  const std::string figures = join(service_words(winner, next), ", ");
  if (serves_better && is_cheaper)
    return cat(who, " served users better and took ", fewer_replica_hours(winner, next), " than ", next.policy, ": ",
               figures, ".");
  if (serves_better)
    return cat(who, " served users better than ", next.policy, " with as many replica-hours: ", figures, ".");
  return cat(who, " took ", fewer_replica_hours(winner, next), " than ", next.policy,
             " and served users as well: ", figures, ".");
}

// A difference that would count if the repeats did not overlap: said, so that nobody reads it out of the table.
std::optional<std::string> unconfirmed(std::string_view label, const internal::Measure& measure, const std::string& a,
                                       std::size_t a_index, const std::string& b, std::size_t b_index,
                                       std::string (*words)(double)) {
  const RepeatedFigure& x = measure.figures[a_index];
  const RepeatedFigure& y = measure.figures[b_index];
  const double margin = std::max(measure.margin, measure.margin_share * std::max(x.median, y.median));
  if (std::abs(x.median - y.median) <= margin || internal::compare(measure, a_index, b_index) != 0) return std::nullopt;
  const auto range = [&](const RepeatedFigure& figure) {
    return cat(words(figure.median), " (", words(figure.lowest), " to ", words(figure.highest), ")");
  };
  return cat("No difference in ", label, " that the repeats confirm, their ranges overlap: ", a, " ", range(x), ", ", b,
             " ", range(y), ".");
}

std::string words_of_latency_s(double seconds) { return words_of_latency(1000.0 * seconds); }
std::string words_of_hours(double hours) { return fixed(hours, 2) + " h"; }

RepeatedFigure single(double value) { return {value, value, value}; }

bool is_measured(const RunMetrics& metrics) {
  return metrics.failed_ratio && metrics.request_latency_p95_s && metrics.request_latency_p99_s;
}

bool is_measured(const TraceComparison& trace) {
  return std::all_of(trace.runs.begin(), trace.runs.end(),
                     [](const PolicyRun& run) { return is_measured(run.metrics); });
}

// The repeats of every policy, in the order of the runs; empty when they are not there for all.
std::vector<MeasuredStanding> standings_of_repeats(const Comparison& comparison) {
  std::vector<MeasuredStanding> standings;
  for (const PolicyRun& run : comparison.traces.front().runs) {
    const auto found = std::find_if(comparison.repeated.begin(), comparison.repeated.end(),
                                    [&](const RepeatedRuns& repeated) { return repeated.policy == run.policy; });
    if (found == comparison.repeated.end()) return {};
    const auto figure = [&](std::string_view key) -> std::optional<RepeatedFigure> {
      const auto rows = metric_table();
      for (std::size_t i = 0; i < rows.size() && i < found->figures.size(); ++i)
        if (rows[i].key == key) return found->figures[i];
      return std::nullopt;
    };
    const auto failed = figure("failed_ratio"), p95 = figure("request_latency_p95_s");
    const auto p99 = figure("request_latency_p99_s"), hours = figure("replica_hours");
    if (!failed || !p95 || !p99 || !hours) return {};
    standings.push_back({run.policy, *failed, *p95, *p99, *hours});
  }
  return standings;
}

double geometric_mean(const std::vector<TraceComparison>& traces, std::size_t run, double (*value)(const RunMetrics&)) {
  double sum = 0.0;
  for (const TraceComparison& trace : traces) sum += std::log(std::max(value(trace.runs[run].metrics), 1e-9));
  return std::exp(sum / static_cast<double>(traces.size()));
}

// Latencies and replicas as geometric means, the share of failed requests as the mean.
std::vector<MeasuredStanding> standings_over_traces(const Comparison& comparison) {
  const auto& traces = comparison.traces;
  std::vector<MeasuredStanding> standings;
  for (std::size_t i = 0; i < traces.front().runs.size(); ++i) {
    double failed_ratio = 0.0;
    for (const TraceComparison& trace : traces)
      failed_ratio += *trace.runs[i].metrics.failed_ratio / static_cast<double>(traces.size());
    using M = const RunMetrics&;
    standings.push_back({traces.front().runs[i].policy, single(failed_ratio),
                         single(geometric_mean(traces, i, [](M m) { return *m.request_latency_p95_s; })),
                         single(geometric_mean(traces, i, [](M m) { return *m.request_latency_p99_s; })),
                         single(geometric_mean(traces, i, [](M m) { return m.mean_replicas; }))});
  }
  return standings;
}

// Before everything else, so that nobody reads on without it.
Verdict with_doubts(Verdict verdict, std::span<const TraceComparison> traces) {
  std::vector<std::string> doubtful;
  for (const TraceComparison& trace : traces) {
    for (const PolicyRun& run : trace.runs) {
      if (run.measured && !run.measured->cautions.empty() &&
          std::find(doubtful.begin(), doubtful.end(), run.policy) == doubtful.end())
        doubtful.push_back(run.policy);
    }
  }
  verdict.is_doubtful = !doubtful.empty();
  if (verdict.is_doubtful)
    verdict.sentence = cat("Not to be trusted, see the cautions on ", listed(doubtful), ". ", verdict.sentence);
  return verdict;
}

}  // namespace

Verdict judge(const std::string& subject, std::span<const Standing> standings, double target_utilization,
              const Margins& margins) {
  MPCA_CHECK(!standings.empty(), "a verdict needs a policy");
  const internal::Contest contest{
      .service = {measure_of(standings, &Standing::violation_ratio, margins.violation_ratio, 0.0),
                  measure_of(standings, &Standing::unserved_ratio, margins.unserved_ratio, 0.0)},
      .cost = measure_of(standings, &Standing::cost, 0.0, margins.cost_share)};
  const internal::Ranking ranking = internal::rank(contest);
  const Standing& best = standings[ranking.server];
  const std::string kept =
      cat("kept utilization within the ", shortest(std::round(1000.0 * target_utilization) / 10.0), "% target");

  Verdict verdict;
  verdict.outcome = ranking.outcome;
  verdict.server = static_cast<int>(ranking.server);
  verdict.cheapest = static_cast<int>(ranking.cheapest);
  switch (ranking.outcome) {
    case Outcome::alone:
      verdict.sentence = cat(subject, ", ", best.policy, " ", kept, " ", time_within_target(best),
                             "; there is no other policy to compare it with.");
      break;
    case Outcome::tie:
      verdict.sentence = cat(subject, ", there is no difference that matters: ", standings.size() == 2 ? "both" : "all",
                             " policies ", kept, " ", time_within_target(best), " with as many replica-hours.");
      break;
    case Outcome::winner:
    case Outcome::shared: {
      std::vector<std::string> equals;
      for (std::size_t i : ranking.equals) equals.push_back(standings[i].policy);
      verdict.sentence = cat(subject, ", ", winner_sentence(equals, best, standings[ranking.next], kept, margins));
      break;
    }
    case Outcome::trade_off:
      verdict.sentence = cat(subject, ", ", trade_off_sentence(best, standings[ranking.cheapest], kept, margins));
      break;
  }

  if (best.violation_ratio > 0.2)
    verdict.details.push_back(cat(standings.size() == 1 ? "" : "None held the target well: even ", best.policy,
                                  " was over it for ", words_of_share(best.violation_ratio), " of the time."));
  for (const auto& [loser, winner] : ranking.beaten)
    verdict.details.push_back(beaten_sentence(standings[loser], standings[winner], margins));
  return verdict;
}

Verdict judge_measured(const std::string& subject, std::span<const MeasuredStanding> standings,
                       const MeasuredMargins& margins) {
  MPCA_CHECK(!standings.empty(), "a verdict needs a policy");
  const internal::Measure failed = measure_of(standings, &MeasuredStanding::failed_ratio, margins.failed_ratio, 0.0);
  const internal::Measure p95 =
      measure_of(standings, &MeasuredStanding::latency_p95_s, margins.latency_s, margins.latency_share);
  const internal::Measure p99 =
      measure_of(standings, &MeasuredStanding::latency_p99_s, margins.latency_s, margins.latency_share);
  const internal::Measure hours = measure_of(standings, &MeasuredStanding::replica_hours, 0.0, margins.cost_share);
  const internal::Contest contest{.service = {failed, p95, p99}, .cost = hours};
  const internal::Ranking ranking = internal::rank(contest);
  const MeasuredStanding& best = standings[ranking.server];

  Verdict verdict;
  verdict.outcome = ranking.outcome;
  verdict.server = static_cast<int>(ranking.server);
  verdict.cheapest = static_cast<int>(ranking.cheapest);
  std::size_t other = ranking.cheapest;
  switch (ranking.outcome) {
    case Outcome::alone:
      verdict.sentence = cat(subject, ", ", best.policy, " had ", service_words(best),
                             "; there is no other policy to compare it with.");
      break;
    case Outcome::tie:
      other = ranking.server == 0 ? 1 : 0;
      verdict.sentence = cat(subject, ", there is no difference that matters: ", best.policy, " had ",
                             service_words(best), ", ", standings.size() == 2 ? standings[other].policy : "the others",
                             " much the same, with as many replica-hours.");
      break;
    case Outcome::winner:
    case Outcome::shared: {
      other = ranking.next;
      std::vector<std::string> equals;
      for (std::size_t i : ranking.equals) equals.push_back(standings[i].policy);
      verdict.sentence = cat(
          subject, ", ",
          measured_winner(equals, best, standings[other], internal::compare_service(contest, ranking.server, other) < 0,
                          internal::compare(hours, ranking.server, other) < 0));
      break;
    }
    case Outcome::trade_off:
      verdict.sentence = cat(subject, ", it is a trade-off: ", best.policy, " served users better (",
                             join(service_words(best, standings[other]), ", "), "), ", standings[other].policy,
                             " took ", fewer_replica_hours(standings[other], best), ".");
      break;
  }

  if (best.failed_ratio.median > 0.05)
    verdict.details.push_back(cat(standings.size() == 1 ? "" : "None served users well: even of ", best.policy,
                                  standings.size() == 1 ? " failed " : ", ", words_of_share(best.failed_ratio.median),
                                  standings.size() == 1 ? " of the requests." : " of the requests failed."));
  if (other != ranking.server) {
    const auto tell = [&](std::string_view label, const internal::Measure& measure, std::string (*words)(double)) {
      if (auto sentence =
              unconfirmed(label, measure, best.policy, ranking.server, standings[other].policy, other, words))
        verdict.details.push_back(*std::move(sentence));
    };
    tell("failed requests", failed, &words_of_share);
    tell("p95 latency", p95, &words_of_latency_s);
    tell("p99 latency", p99, &words_of_latency_s);
    tell("replica-hours", hours, &words_of_hours);
  }
  for (const auto& [loser, winner] : ranking.beaten) {
    const MeasuredStanding& a = standings[loser];
    const MeasuredStanding& b = standings[winner];
    std::vector<std::string> worse;
    if (internal::compare_service(contest, loser, winner) > 0) worse = service_words(a, b);
    if (internal::compare(hours, loser, winner) > 0)
      worse.push_back(rough_percent(a.replica_hours.median / std::max(b.replica_hours.median, 1e-9) - 1.0) +
                      " more replica-hours");
    verdict.details.push_back(cat(a.policy, " against ", b.policy, ": ", join(worse, ", "), "; better in nothing."));
  }
  return verdict;
}

Verdict verdict_of(const TraceComparison& trace, double target_utilization) {
  const std::string subject = cat("On ", trace.name);
  if (is_measured(trace)) {
    std::vector<MeasuredStanding> standings;
    for (const PolicyRun& run : trace.runs)
      standings.push_back({run.policy, single(*run.metrics.failed_ratio), single(*run.metrics.request_latency_p95_s),
                           single(*run.metrics.request_latency_p99_s), single(run.metrics.replica_hours)});
    return with_doubts(judge_measured(subject, standings), {&trace, 1});
  }
  std::vector<Standing> standings;
  for (const PolicyRun& run : trace.runs)
    standings.push_back(
        {run.policy, run.metrics.violation_ratio, run.metrics.unserved_ratio, run.metrics.replica_hours});
  return with_doubts(judge(subject, standings, target_utilization), {&trace, 1});
}

Verdict overall_verdict(const Comparison& comparison) {
  MPCA_CHECK(!comparison.traces.empty(), "a comparison needs a trace");
  const auto& traces = comparison.traces;
  for (const TraceComparison& trace : traces)
    MPCA_CHECK(trace.runs.size() == traces.front().runs.size(), "every trace has every policy, in the same order");
  const bool all_measured =
      std::all_of(traces.begin(), traces.end(), [](const TraceComparison& trace) { return is_measured(trace); });

  if (const auto repeats = standings_of_repeats(comparison); all_measured && !repeats.empty()) {
    const int count = comparison.repeated.front().repeats;
    return with_doubts(judge_measured(cat("In the medians of ", count, " repeats"), repeats), traces);
  }
  if (traces.size() == 1) {
    Verdict verdict = verdict_of(traces.front(), comparison.target_utilization);
    if (all_measured && traces.front().runs.size() > 1)
      verdict.details.push_back("Every policy ran once: how much of a difference is chance, only repeats can tell.");
    return verdict;
  }
  const std::string subject = cat("Over all ", traces.size(), " traces");
  if (all_measured)
    return with_doubts(judge_measured(subject + ", on average", standings_over_traces(comparison)), traces);

  const auto count = static_cast<double>(traces.size());
  std::vector<Standing> standings;
  for (std::size_t i = 0; i < traces.front().runs.size(); ++i) {
    Standing& standing = standings.emplace_back();
    standing.policy = traces.front().runs[i].policy;
    for (const TraceComparison& trace : traces) {
      standing.violation_ratio += trace.runs[i].metrics.violation_ratio / count;
      standing.unserved_ratio += trace.runs[i].metrics.unserved_ratio / count;
    }
    standing.cost = geometric_mean(traces, i, [](const RunMetrics& metrics) { return metrics.mean_replicas; });
  }
  return with_doubts(judge(subject, standings, comparison.target_utilization), traces);
}

}  // namespace mpca::report
