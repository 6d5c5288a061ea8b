// What a run prints: vegeta's text and JSON reports, the percentile listing of HdrHistogram, the time series, and a
// file of results that several machines can be merged from. github.com/tsenart/vegeta v12, lib/reporters.go and
// metrics.go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "load/load_run.h"

namespace mpca::load {

/// One block per phase, in vegeta's layout to the letter, with a blank line between blocks. Requests that were
/// cancelled are not in it, as vegeta's do not come back either.
std::string text_report(const std::vector<PhaseResult>& phases);

/// vegeta's keys, one object per phase and line; further keys: `phase`, and `loadgen` with the account and, given an
/// audit, how the client did.
///
///   started_at   what `earliest`, `latest` and `end` count from
std::string json_report(const std::vector<PhaseResult>& phases, TimePoint started_at, const SelfAudit* audit);

/// HdrHistogram's percentile listing of all phases together, in milliseconds: its plotter reads it.
std::string hdr_report(const std::vector<PhaseResult>& phases);

/// `start_s,due,succeeded,failed,cancelled,p50_ms,p95_ms,p99_ms,max_ms`, a row per interval of the due times; without a
/// latency in it, those fields are empty.
std::string series_csv(const LoadResult& result);

/// What the client has to say about itself: lines for people, the last ones its findings.
std::string audit_text(const LoadResult& result);

/// Text that parse_results() reads back: counts and histograms of each phase. Begins with the format's name and
/// version.
std::string results_text(const std::vector<PhaseResult>& phases);
///   errors   invalid_argument  not this format or version, counts that do not add up; names the line
Result<std::vector<PhaseResult>> parse_results(std::string_view text);
/// Phase by phase, as if one client had sent both: counts add up, rates too.
void merge_results(std::vector<PhaseResult>& into, const std::vector<PhaseResult>& other);

/// As Go prints a duration: `1.5s`, `5m0s`, `145.082ms`, `20µs`, `0s`.
std::string go_duration(Duration duration);

}  // namespace mpca::load
