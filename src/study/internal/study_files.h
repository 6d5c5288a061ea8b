// The files of a study's directory. `study.json` says what was asked for, so that a directory is gone on with, or
// merged, only where it is the same; `runs/` and `trajectories/` hold a file per trace and policy.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "report/backtest.h"
#include "study/ruler.h"

namespace mpca::study::internal {

/// Everything that decides about a study's results, shards and jobs left out.
struct StudyDefinition {
  std::string preset;
  std::string world;
  int seeds = 0;
  double capacity_rps = 0.0;
  double latency_target_ms = 0.0;
  std::vector<double> violation_levels;
  std::vector<double> prices;
  std::vector<std::pair<std::string, std::string>> configuration;
  std::vector<report::PlayedTrace> traces;
  std::vector<Family> families;
};

std::string definition_json(const StudyDefinition& definition);
///   errors   not_found, io, invalid_argument with the file's name
Result<StudyDefinition> read_definition(const std::string& path);

/// `name` is TRACE/POLICY.
std::string rows_path(const std::string& out, const std::string& name);
/// Relative to the report when `out` is empty.
std::string trajectory_path(const std::string& out, const std::string& name);

std::string rows_json(std::span<const report::BacktestRow> rows);
Result<std::vector<report::BacktestRow>> read_rows(const std::string& path);

/// Whether `out` does not exist, is empty, or holds the same study.
///   errors   io
Result<bool> is_free_or_same(const std::string& out, const StudyDefinition& definition);
/// Removes what a study writes; other files stay.
Result<void> remove_study(const std::string& out);

}  // namespace mpca::study::internal
