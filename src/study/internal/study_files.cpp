#include "study/internal/study_files.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/os/file.h"
#include "core/text.h"

namespace mpca::study::internal {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using report::BacktestRow;
using report::PlayedTrace;
using report::RunSums;

constexpr std::string_view kStudyFormat = "mpca-study";
constexpr std::string_view kRowsFormat = "mpca-backtest-rows";
constexpr int kVersion = 1;

// A table per struct: what is written is what is read.
template <class Struct>
struct Column {
  const char* key;
  double Struct::* place;
};
constexpr Column<RunSums> kSums[] = {
    {"seconds", &RunSums::seconds},   {"replica_seconds", &RunSums::replica_seconds},
    {"requests", &RunSums::requests}, {"late", &RunSums::late},
    {"failed", &RunSums::failed},
};
constexpr Column<BacktestRow> kFigures[] = {
    {"demand_replica_seconds", &BacktestRow::demand_replica_seconds},
    {"p95_ms", &BacktestRow::p95_ms},
    {"p99_ms", &BacktestRow::p99_ms},
    {"churn", &BacktestRow::churn},
    {"pods_started", &BacktestRow::pods_started},
    {"slack_ratio", &BacktestRow::slack_ratio},
};
constexpr Column<PlayedTrace> kPlayed[] = {
    {"file_step_s", &PlayedTrace::file_step_s},
    {"played_step_s", &PlayedTrace::played_step_s},
    {"seconds", &PlayedTrace::seconds},
    {"scale", &PlayedTrace::scale},
};

template <class Struct, std::size_t Count>
ordered_json written(const Struct& values, const Column<Struct> (&columns)[Count]) {
  ordered_json object;
  for (const Column<Struct>& column : columns) object[column.key] = values.*column.place;
  return object;
}

template <class Struct, std::size_t Count>
void read(const json& object, const Column<Struct> (&columns)[Count], Struct& values) {
  for (const Column<Struct>& column : columns) values.*column.place = object.at(column.key).template get<double>();
}

/// `read_object` on the file's JSON; its exceptions become errors that name the file.
template <class Function>
auto read_json(const std::string& path, std::string_view format, Function read_object)
    -> Result<decltype(read_object(json()))> {
  MPCA_TRY(const std::string text, os::read_file(path));
  try {
    const json object = json::parse(text);
    if (!object.is_object() || object.value("format", "") != format)
      return invalid(cat(path, ": not a file of format ", format));
    if (object.at("version") != kVersion)
      return invalid(cat(path, ": version ", object.at("version").dump(), "; this program reads version ", kVersion));
    return read_object(object);
  } catch (const json::exception& error) {
    return invalid(cat(path, ": ", error.what()));
  }
}

}  // namespace

std::string definition_json(const StudyDefinition& definition) {
  ordered_json object;
  object["format"] = kStudyFormat;
  object["version"] = kVersion;
  object["preset"] = definition.preset;
  object["world"] = definition.world;
  object["seeds"] = definition.seeds;
  object["capacity_rps"] = definition.capacity_rps;
  object["latency_target_ms"] = definition.latency_target_ms;
  object["violation_levels"] = definition.violation_levels;
  object["prices"] = definition.prices;
  object["configuration"] = ordered_json::array();
  for (const auto& [key, value] : definition.configuration) object["configuration"].push_back({key, value});
  object["families"] = ordered_json::array();
  for (const Family& family : definition.families)
    object["families"].push_back({{"name", family.name}, {"members", family.members}});
  object["traces"] = ordered_json::array();
  for (const PlayedTrace& trace : definition.traces) {
    ordered_json played = {{"name", trace.name}, {"file", trace.file}, {"is_held", trace.is_held}};
    played.update(written(trace, kPlayed));
    played["time_s"] = trace.time_s;
    played["demand_rps"] = trace.demand_rps;
    object["traces"].push_back(std::move(played));
  }
  return object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<StudyDefinition> read_definition(const std::string& path) {
  return read_json(path, kStudyFormat, [](const json& object) {
    StudyDefinition definition;
    definition.preset = object.at("preset").get<std::string>();
    definition.world = object.at("world").get<std::string>();
    definition.seeds = object.at("seeds").get<int>();
    definition.capacity_rps = object.at("capacity_rps").get<double>();
    definition.latency_target_ms = object.at("latency_target_ms").get<double>();
    definition.violation_levels = object.at("violation_levels").get<std::vector<double>>();
    definition.prices = object.at("prices").get<std::vector<double>>();
    definition.configuration = object.at("configuration").get<std::vector<std::pair<std::string, std::string>>>();
    for (const json& family : object.at("families"))
      definition.families.push_back(
          {family.at("name").get<std::string>(), family.at("members").get<std::vector<std::string>>()});
    for (const json& trace : object.at("traces")) {
      PlayedTrace& played = definition.traces.emplace_back();
      played.name = trace.at("name").get<std::string>();
      played.file = trace.at("file").get<std::string>();
      played.is_held = trace.at("is_held").get<bool>();
      read(trace, kPlayed, played);
      played.time_s = trace.at("time_s").get<std::vector<double>>();
      played.demand_rps = trace.at("demand_rps").get<std::vector<double>>();
    }
    return definition;
  });
}

std::string rows_path(const std::string& out, const std::string& name) { return cat(out, "/runs/", name, ".json"); }

std::string trajectory_path(const std::string& out, const std::string& name) {
  return cat(out, out.empty() ? "" : "/", "trajectories/", name, ".js");
}

std::string rows_json(std::span<const BacktestRow> rows) {
  ordered_json object;
  object["format"] = kRowsFormat;
  object["version"] = kVersion;
  object["rows"] = ordered_json::array();
  for (const BacktestRow& row : rows) {
    ordered_json written_row = {{"trace", row.trace}, {"policy", row.policy}, {"seed", row.seed}};
    written_row.update(written(row, kFigures));
    written_row["whole"] = written(row.whole, kSums);
    written_row["halves"] = {written(row.halves[0], kSums), written(row.halves[1], kSums)};
    written_row["half_demand_replica_seconds"] = row.half_demand_replica_seconds;
    object["rows"].push_back(std::move(written_row));
  }
  return object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<std::vector<BacktestRow>> read_rows(const std::string& path) {
  return read_json(path, kRowsFormat, [](const json& object) {
    std::vector<BacktestRow> rows;
    for (const json& fields : object.at("rows")) {
      BacktestRow& row = rows.emplace_back();
      row.trace = fields.at("trace").get<std::string>();
      row.policy = fields.at("policy").get<std::string>();
      row.seed = fields.at("seed").get<std::uint64_t>();
      read(fields, kFigures, row);
      read(fields.at("whole"), kSums, row.whole);
      for (std::size_t half = 0; half < 2; ++half) {
        read(fields.at("halves").at(half), kSums, row.halves[half]);
        row.half_demand_replica_seconds[half] = fields.at("half_demand_replica_seconds").at(half).get<double>();
      }
    }
    return rows;
  });
}

Result<bool> is_free_or_same(const std::string& out, const StudyDefinition& definition) {
  std::error_code error;
  if (!std::filesystem::exists(out, error)) return true;
  if (!std::filesystem::is_directory(out, error)) return false;
  if (std::filesystem::is_empty(out, error)) return true;
  const auto there = read_definition(out + "/study.json");
  return there && definition_json(*there) == definition_json(definition);
}

Result<void> remove_study(const std::string& out) {
  for (const char* name : {"study.json", "runs", "trajectories", "rows.csv", "report.html"}) {
    std::error_code error;
    std::filesystem::remove_all(std::filesystem::path(out) / name, error);
    if (error) return fail(ErrorCode::io, cat(out, "/", name, ": ", error.message()));
  }
  return {};
}

}  // namespace mpca::study::internal
