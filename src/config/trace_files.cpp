#include "config/trace_files.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "config/prometheus_range.h"
#include "core/os/file.h"
#include "core/text.h"

namespace mpca::config {
namespace {

using trace::DemandTrace;
using trace::Imported;

constexpr std::size_t kBeginningBytes = 4096;
constexpr std::size_t kLargestJson = std::size_t{256} << 20;
constexpr Duration kLogStep = std::chrono::seconds(15);

// What every reader looks like from here.
struct Reader {
  std::function<bool(std::string_view)> feed;  // false: further input cannot change anything
  std::function<Result<Imported>(std::string name)> finish;
};

trace::SeriesOptions series_options(const LoadOptions& options) {
  return {.step = options.step, .kind = options.kind, .gaps = options.gaps, .refine = options.refine};
}

Reader trace_csv_reader(const LoadOptions& options) {
  auto collector = std::make_shared<trace::TraceCsvCollector>();
  return {.feed =
              [collector](std::string_view piece) {
                collector->feed(piece);
                return !collector->is_hopeless();
              },
          .finish = [collector, options](std::string name) -> Result<Imported> {
            MPCA_TRY(trace::TraceCsvContent content, collector->finish(std::move(name)));
            if (options.step == Duration::zero()) return Imported{std::move(content.trace), {}};
            MPCA_TRY(DemandTrace resampled, trace::resample(content.trace, options.step, options.refine));
            return Imported{std::move(resampled), {}};
          }};
}

Reader series_csv_reader(const LoadOptions& options) {
  auto reader = std::make_shared<trace::SeriesCsvReader>(trace::SeriesCsvOptions{
      .time_column = options.time_column, .value_column = options.value_column, .unit = options.unit});
  return {.feed =
              [reader](std::string_view piece) {
                reader->feed(piece);
                return !reader->is_hopeless();
              },
          .finish = [reader, options](std::string name) -> Result<Imported> {
            MPCA_TRY(const std::vector<trace::Sample> samples, reader->finish());
            return trace::trace_from_samples(samples, series_options(options), std::move(name));
          }};
}

Reader event_log_reader(const LoadOptions& options, trace::EventLogFormat format) {
  auto reader = std::make_shared<trace::EventLogReader>(
      trace::EventLogOptions{.format = format,
                             .step = options.step == Duration::zero() ? kLogStep : options.step,
                             .late = options.late,
                             .max_unusable_share = options.max_unusable_share,
                             .unit = options.unit});
  return {.feed =
              [reader](std::string_view piece) {
                reader->feed(piece);
                return true;
              },
          .finish = [reader](std::string name) { return reader->finish(std::move(name)); }};
}

Reader access_log_reader(const LoadOptions& options) {
  return event_log_reader(options, trace::EventLogFormat::access_log);
}

Reader timestamps_reader(const LoadOptions& options) {
  return event_log_reader(options, trace::EventLogFormat::timestamps);
}

Reader prometheus_reader(const LoadOptions& options) {
  auto text = std::make_shared<std::string>();
  return {.feed =
              [text](std::string_view piece) {
                text->append(piece);
                return text->size() <= kLargestJson;
              },
          .finish = [text, options](std::string name) -> Result<Imported> {
            if (text->size() > kLargestJson) return invalid(cat("larger than ", kLargestJson, " bytes of JSON"));
            MPCA_TRY(const std::vector<trace::Sample> samples, parse_prometheus_range(*text));
            text->clear();
            return trace::trace_from_samples(samples, series_options(options), std::move(name));
          }};
}

bool looks_like_trace_csv(std::string_view line) {
  bool has_time = false;
  bool has_demand = false;
  for (const std::string_view field : split(line, ',')) {
    has_time = has_time || trim(field) == "timestamp_s";
    has_demand = has_demand || trim(field) == "rps";
  }
  return has_time && has_demand;
}

bool looks_like_series(std::string_view line) {
  const std::vector<std::string_view> fields = split(line, ',');
  // Without a header only two columns are certain: `0,0,20` is a trace whose header was forgotten.
  if (fields.size() == 2 && trace::parse_timestamp(fields[0])) return true;
  return fields.size() >= 2 && std::any_of(fields.begin(), fields.end(), trace::is_time_column_name);
}

struct Format {
  TraceFormat format;
  std::string_view name;
  bool (*looks_like)(std::string_view first_line);
  Reader (*reader)(const LoadOptions&);
};

// In the order of detection.
const Format kFormats[] = {
    {TraceFormat::prometheus, "prometheus", [](std::string_view line) { return line.starts_with('{'); },
     prometheus_reader},
    {TraceFormat::trace_csv, "trace-csv", looks_like_trace_csv, trace_csv_reader},
    {TraceFormat::access_log, "access-log",
     [](std::string_view line) { return trace::access_log_time(line).has_value(); }, access_log_reader},
    {TraceFormat::timestamps, "timestamps",
     [](std::string_view line) { return trace::parse_timestamp(line).has_value(); }, timestamps_reader},
    {TraceFormat::series_csv, "series-csv", looks_like_series, series_csv_reader},
};

const Format& row_of(TraceFormat format) {
  const auto found =
      std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& row) { return row.format == format; });
  MPCA_CHECK(found != std::end(kFormats), "a trace format without a row");
  return *found;
}

Error prefixed(const Error& error, const std::string& path) {
  std::string message;
  for (const std::string_view line : split(error.message, '\n')) {
    message += cat(message.empty() ? "" : "\n", path, ": ", line);
  }
  return {error.code, std::move(message)};
}

}  // namespace

std::vector<std::string> trace_format_names() {
  std::vector<std::string> names = {"detect"};
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

std::optional<TraceFormat> trace_format_of(std::string_view name) {
  if (name == "detect") return TraceFormat::detect;
  for (const Format& format : kFormats) {
    if (format.name == name) return format.format;
  }
  return std::nullopt;
}

std::string_view name_of(TraceFormat format) { return format == TraceFormat::detect ? "detect" : row_of(format).name; }

TraceFormat detect_trace_format(std::string_view beginning) {
  if (beginning.starts_with("\xEF\xBB\xBF")) beginning.remove_prefix(3);
  const std::size_t text_begin = beginning.find_first_not_of(" \t\r\n");
  if (text_begin == std::string_view::npos) return TraceFormat::trace_csv;
  beginning.remove_prefix(text_begin);
  const std::string_view line = trim(beginning.substr(0, beginning.find('\n')));
  for (const Format& format : kFormats) {
    if (format.looks_like(line)) return format.format;
  }
  return TraceFormat::trace_csv;
}

Result<TraceFormat> detect_file_format(const std::string& path) {
  std::string beginning;
  MPCA_TRY_VOID(read_pieces(path, [&](std::string_view piece) {
    beginning += piece;
    return beginning.size() < kBeginningBytes;
  }));
  return detect_trace_format(beginning);
}

Result<Imported> import_trace(const std::string& path, const LoadOptions& options) {
  std::string beginning;  // held back until the format is known
  std::optional<Reader> reader;
  TraceFormat format = options.format;
  const auto start = [&] {
    if (format == TraceFormat::detect) format = detect_trace_format(beginning);
    reader = row_of(format).reader(options);
    return reader->feed(beginning);
  };
  MPCA_TRY_VOID(read_pieces(path, [&](std::string_view piece) {
    if (options.stop.stop_requested()) return false;
    if (reader) return reader->feed(piece);
    beginning += piece;
    return beginning.size() < kBeginningBytes || start();
  }));
  if (options.stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
  if (!reader) start();
  auto imported = reader->finish(trace_name_of(path));
  if (!imported) return std::unexpected(prefixed(imported.error(), path));
  if (options.format == TraceFormat::detect && format != TraceFormat::trace_csv) {
    imported->notes.insert(imported->notes.begin(), cat("read as ", name_of(format)));
  }
  return imported;
}

Result<DemandTrace> load_trace(const std::string& path, const LoadOptions& options) {
  MPCA_TRY(Imported imported, import_trace(path, options));
  return std::move(imported.trace);
}

Result<trace::TraceCsvContent> load_trace_csv(const std::string& path, const trace::TraceCsvOptions& options) {
  trace::TraceCsvCollector collector(options);
  MPCA_TRY_VOID(read_pieces(path, [&](std::string_view piece) {
    collector.feed(piece);
    return !collector.is_hopeless();
  }));
  auto content = collector.finish(trace_name_of(path));
  if (!content && options.manners == trace::Manners::strict) {
    return std::unexpected(prefixed(content.error(), path));
  }
  return content;
}

std::string trace_name_of(const std::string& path) {
  if (path == "-") return "stdin";
  const std::string_view file = std::string_view(path).substr(path.find_last_of('/') + 1);
  const std::size_t dot = file.find_last_of('.');
  std::string_view name = dot == std::string_view::npos || dot == 0 ? file : file.substr(0, dot);
  // The reference lab wraps the scenario in two words that say nothing here; a person compares "on spike".
  constexpr std::string_view kBefore = "baseline_";
  const std::size_t after = name.rfind("_profile_dt");
  if (name.starts_with(kBefore) && after != std::string_view::npos && after > kBefore.size()) {
    name = name.substr(kBefore.size(), after - kBefore.size());
  }
  return std::string(name);
}

Result<void> read_pieces(const std::string& path, const std::function<bool(std::string_view)>& on_piece) {
  return os::read_in_pieces(path == "-" ? "/dev/stdin" : path, on_piece);
}

}  // namespace mpca::config
