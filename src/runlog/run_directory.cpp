#include "runlog/run_directory.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <filesystem>
#include <functional>
#include <span>
#include <utility>

#include "core/csv.h"
#include "core/os/file.h"
#include "core/text.h"
#include "trace/problem_list.h"

namespace mpca::runlog {
namespace {

constexpr std::size_t kMaxMetaBytes = 1 << 18;
constexpr std::size_t kMaxPhasesBytes = 1 << 24;
constexpr std::size_t kMaxReportBytes = 1 << 26;

std::string file_in(const std::string& directory, std::string_view name) { return cat(directory, "/", name); }

/// The problems of one file, each message beginning with its path.
class FileProblems {
 public:
  explicit FileProblems(std::string_view where) : where_(where) {}
  void add(std::string_view message) { list_.add(cat(where_, ": ", message)); }
  Result<void> to_result() const { return list_.to_result(); }

 private:
  std::string where_;
  trace::ProblemList list_;
};

// ---- CSV by column name

struct Header {
  std::vector<std::string> names;

  std::optional<std::size_t> find(std::string_view name) const {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
  }
};

/// One row; what is wrong with its fields is added to the problems of the file.
class Row {
 public:
  Row(std::int64_t number, const Header& header, std::span<const std::string_view> fields, FileProblems& problems)
      : number_(number), header_(header), fields_(fields), problems_(problems) {}

  std::string_view text(std::string_view column) const {
    const auto index = header_.find(column);
    return index ? trim(fields_[*index]) : std::string_view{};
  }

  std::optional<double> number(std::string_view column) const {
    const std::string_view field = text(column);
    if (field.empty()) return std::nullopt;
    const auto value = parse_double(field);
    if (value && std::isfinite(*value) && *value >= 0.0) return value;
    refuse(column, "must be a finite number >= 0");
    return std::nullopt;
  }

  std::optional<double> required_number(std::string_view column) const {
    if (text(column).empty()) refuse(column, "must be a finite number >= 0");
    return number(column);
  }

  bool flag(std::string_view column) const {
    const std::string_view field = text(column);
    for (const std::string_view yes : {"1", "true", "True", "TRUE"}) {
      if (field == yes) return true;
    }
    for (const std::string_view no : {"", "0", "false", "False", "FALSE"}) {
      if (field == no) return false;
    }
    refuse(column, "must be 0, 1, true or false");
    return false;
  }

  void refuse(std::string_view column, std::string_view accepts) const {
    problems_.add(cat("row ", number_, ": ", column, " is \"", text(column), "\"; ", accepts));
  }

 private:
  std::int64_t number_;
  const Header& header_;
  std::span<const std::string_view> fields_;
  FileProblems& problems_;
};

/// Calls `on_row` for each data row. A file without any row, the header included, has none.
Result<void> read_rows(const std::string& path, std::span<const std::string_view> required,
                       const std::function<void(const Row&)>& on_row) {
  FileProblems problems(path);
  std::optional<Header> header;
  CsvParser parser([&](std::int64_t number, std::span<const std::string_view> fields) {
    if (!header) {
      header.emplace();
      for (const std::string_view name : fields) header->names.emplace_back(trim(name));
      std::vector<std::string> missing;
      for (const std::string_view name : required) {
        if (!header->find(name)) missing.emplace_back(name);
      }
      if (!missing.empty()) problems.add(cat("missing required columns: ", join(missing, ", ")));
      return missing.empty();
    }
    if (fields.size() != header->names.size()) {
      problems.add(cat("row ", number, ": has ", fields.size(), " fields; the header has ", header->names.size()));
    } else {
      on_row(Row(number, *header, fields, problems));
    }
    return true;
  });
  Result<void> parsed;
  MPCA_TRY_VOID(os::read_in_pieces(path, [&](std::string_view piece) {
    parsed = parser.feed(piece);
    return parsed.has_value();
  }));
  if (parsed) parsed = parser.finish();
  if (!parsed) problems.add(parsed.error().message);
  return problems.to_result();
}

// ---- run-meta.yaml

/// The scalars of a YAML tree by their path. An anchor may contain itself, so depth and number of nodes are bounded.
class MetaValues {
 public:
  explicit MetaValues(FileProblems& problems) : problems_(problems) {}

  void collect(const YAML::Node& node, const std::string& path, int depth = 0) {
    constexpr int kMaxDepth = 8;
    constexpr int kMaxNodes = 10'000;
    if (++nodes_ > kMaxNodes || depth > kMaxDepth) {
      if (!too_large_) problems_.add("more than 10000 values or 8 levels; this is no run-meta.yaml");
      too_large_ = true;
      return;
    }
    if (node.IsScalar()) {
      if (!values_.emplace(path, node.Scalar()).second) problems_.add(cat(path, " stands twice"));
    } else if (node.IsSequence()) {
      for (std::size_t i = 0; i < node.size() && !too_large_; ++i)
        collect(node[i], child(path, std::to_string(i)), depth + 1);
    } else if (node.IsMap()) {
      for (auto entry = node.begin(); entry != node.end() && !too_large_; ++entry) {
        if (entry->first.IsScalar()) {
          collect(entry->second, child(path, entry->first.Scalar()), depth + 1);
        } else {
          problems_.add(cat("a key of ", path.empty() ? "the top level" : path, " has to be a text"));
        }
      }
    }
  }

  std::map<std::string, std::string> take() { return std::move(values_); }

 private:
  static std::string child(const std::string& path, const std::string& key) {
    return path.empty() ? key : cat(path, ".", key);
  }

  FileProblems& problems_;
  std::map<std::string, std::string> values_;
  int nodes_ = 0;
  bool too_large_ = false;
};

std::optional<int> digits(std::string_view text) {
  if (!std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  const auto value = parse_int(text);
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

/// `2026-01-01T00:00:00Z`, also with a fraction of a second or `+00:00`.
std::optional<TimePoint> parse_utc(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() <= kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != '0' && kShape[i] != text[i]) return std::nullopt;
  }
  const auto year = digits(text.substr(0, 4)), month = digits(text.substr(5, 2)), day = digits(text.substr(8, 2)),
             hour = digits(text.substr(11, 2)), minute = digits(text.substr(14, 2)),
             second = digits(text.substr(17, 2));
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  std::string_view rest = text.substr(kShape.size());
  double fraction_s = 0.0;
  if (rest.starts_with('.')) {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    const auto fraction = parse_double(cat("0", rest.substr(0, end)));
    if (!fraction || end == 1) return std::nullopt;
    fraction_s = *fraction;
    rest.remove_prefix(end);
  }
  if (rest != "Z" && rest != "+00:00") return std::nullopt;
  const auto date = std::chrono::year(*year) / std::chrono::month(static_cast<unsigned>(*month)) /
                    std::chrono::day(static_cast<unsigned>(*day));
  // The year keeps integer nanoseconds from overflowing; 60 is a leap second.
  if (!date.ok() || *year < 1970 || *year > 2200 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return TimePoint(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second) + from_seconds(fraction_s);
}

RunMeta meta_from(std::map<std::string, std::string> values, const YAML::Node& top, FileProblems& problems) {
  RunMeta meta;
  const auto text = [&](const std::string& key) -> std::string {
    const YAML::Node node = top[key];
    if (node.IsDefined() && !node.IsScalar() && !node.IsNull()) problems.add(cat(key, " must be a text"));
    const auto found = values.find(key);
    return found == values.end() ? std::string() : found->second;
  };
  const auto time = [&](const std::string& key) -> std::optional<TimePoint> {
    const std::string written = text(key);
    if (written.empty()) return std::nullopt;
    const auto parsed = parse_utc(written);
    if (!parsed) problems.add(cat(key, " is \"", written, "\"; must be a time like 2026-01-01T00:00:00Z"));
    return parsed;
  };
  meta.scenario = text("scenario");
  meta.mode = text("mode");
  meta.run_id = text("run_id");
  meta.started_at = time("started_at_utc");
  meta.finished_at = time("finished_at_utc");
  meta.hpa_target_average_utilization = text("hpa_target_average_utilization");
  meta.values = std::move(values);
  return meta;
}

// ---- directories

namespace fs = std::filesystem;

Result<std::vector<std::string>> directories_in(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code no_status;  // a dangling link is no directory
    if (entry->is_directory(no_status)) names.push_back(entry->path().string());
  }
  if (error) return fail(ErrorCode::io, cat(path, ": ", error.message()));
  std::ranges::sort(names);
  return names;
}

bool has_file(const std::string& directory, std::string_view name) {
  std::error_code error;
  return fs::exists(file_in(directory, name), error);
}

Result<void> collect_runs(const std::string& path, int depth, FoundRuns& found) {
  if (depth > 0) {
    MPCA_TRY(const auto directories, directories_in(path));
    for (const std::string& directory : directories) MPCA_TRY_VOID(collect_runs(directory, depth - 1, found));
  } else if (has_file(path, kRunMetaFile)) {
    found.finished.push_back(path);
  } else if (has_file(path, kPhasesFile) || has_file(path, kReportFile) || has_file(path, kReplicaWatchFile) ||
             has_file(path, kControlLogFile)) {
    found.unfinished.push_back(path);
  }
  return {};
}

/// A file that may be missing. What is wrong with it joins `problems`, so that all files of a run report at once.
template <class T>
std::optional<T> if_there(Result<T> content, Problems& problems) {
  if (content) return *std::move(content);
  if (content.error().code != ErrorCode::not_found) problems.add(std::move(content).error().message);
  return std::nullopt;
}

}  // namespace

Result<RunMeta> parse_run_meta(std::string_view yaml, std::string_view where) {
  FileProblems problems(where);
  RunMeta meta;
  try {
    const YAML::Node top = YAML::Load(std::string(yaml));
    if (!top.IsMap()) return invalid(cat(where, ": must be a map of keys and values"));
    MetaValues values(problems);
    values.collect(top, "");
    meta = meta_from(values.take(), top, problems);
  } catch (const YAML::Exception& error) {
    return invalid(cat(where, ": line ", error.mark.line + 1, ": ", error.msg));
  } catch (const std::exception& error) {
    return invalid(cat(where, ": not YAML that can be read: ", error.what()));
  }
  MPCA_TRY_VOID(problems.to_result());
  return meta;
}

Result<std::vector<trace::Phase>> read_phases(const std::string& path) {
  MPCA_TRY(const std::string text, os::read_file(path, kMaxPhasesBytes));
  auto phases = trace::parse_phases_csv(text);
  if (phases) return phases;
  FileProblems problems(path);
  for (const std::string_view line : split(phases.error().message, '\n')) problems.add(line);
  return std::unexpected(problems.to_result().error());
}

Result<std::vector<ReplicaSample>> read_replica_watch(const std::string& path) {
  constexpr std::string_view kRequired[] = {"elapsed_s"};
  std::vector<ReplicaSample> samples;
  MPCA_TRY_VOID(read_rows(path, kRequired, [&](const Row& row) {
    const auto elapsed_s = row.required_number("elapsed_s");
    const auto spec = row.number("spec_replicas");
    const auto ready = row.number("ready_replicas");
    if (elapsed_s) samples.push_back({*elapsed_s, spec, ready});
  }));
  return samples;
}

Result<std::vector<ControlSample>> read_control_log(const std::string& path) {
  constexpr std::string_view kRequired[] = {"elapsed_s", "applied_replicas"};
  std::vector<ControlSample> samples;
  MPCA_TRY_VOID(read_rows(path, kRequired, [&](const Row& row) {
    ControlSample sample;
    sample.elapsed_s = row.required_number("elapsed_s").value_or(0.0);
    sample.observed_rps = row.number("observed_rps");
    sample.observed_cpu_cores = row.number("observed_cpu_cores");
    sample.observed_inflight = row.number("observed_inflight");
    sample.demand_proxy_rps = row.number("demand_proxy_rps");
    sample.applied_replicas = row.number("applied_replicas");
    sample.emergency_scale_up = row.flag("emergency_scale_up");
    sample.solver_status = row.text("solver_status");
    samples.push_back(std::move(sample));
  }));
  return samples;
}

Result<std::optional<ReplicaSummary>> read_control_summary(const std::string& path) {
  constexpr std::string_view kRequired[] = {"avg_replicas", "max_replicas", "replica_variation_sum_abs_delta"};
  std::optional<ReplicaSummary> summary;
  MPCA_TRY_VOID(read_rows(path, kRequired, [&](const Row& row) {
    const auto mean = row.number("avg_replicas");
    const auto max = row.number("max_replicas");
    const auto churn = row.number("replica_variation_sum_abs_delta");
    if (mean && max && churn) summary = ReplicaSummary{*mean, *max, *churn};
  }));
  return summary;
}

Result<RunDirectory> read_run_directory(const std::string& path) {
  RunDirectory run;
  run.path = path;
  Problems problems;
  const std::string meta_path = file_in(path, kRunMetaFile);
  auto meta_text = os::read_file(meta_path, kMaxMetaBytes);
  if (!meta_text && meta_text.error().code == ErrorCode::not_found)
    return std::unexpected(std::move(meta_text).error());
  if (!meta_text) {
    problems.add(meta_text.error().message);
  } else if (auto meta = parse_run_meta(*meta_text, meta_path)) {
    run.meta = *std::move(meta);
  } else {
    problems.add(meta.error().message);
  }
  if (auto phases = if_there(read_phases(file_in(path, kPhasesFile)), problems)) run.phases = *std::move(phases);
  run.report_text = if_there(os::read_file(file_in(path, kReportFile), kMaxReportBytes), problems);
  run.replica_watch = if_there(read_replica_watch(file_in(path, kReplicaWatchFile)), problems);
  run.control_log = if_there(read_control_log(file_in(path, kControlLogFile)), problems);
  run.control_summary =
      if_there(read_control_summary(file_in(path, kControlSummaryFile)), problems).value_or(std::nullopt);
  MPCA_TRY_VOID(problems.to_result());
  return run;
}

Result<FoundRuns> find_run_directories(const std::string& root, int depth) {
  std::error_code error;
  if (!fs::is_directory(root, error)) return fail(ErrorCode::not_found, cat("directory not found: ", root));
  FoundRuns found;
  MPCA_TRY_VOID(collect_runs(root, depth, found));
  return found;
}

}  // namespace mpca::runlog
