// Files into traces: ours and the lab's CSV, and the foreign formats. A file is streamed through its reader, so what a
// reader needs is all the memory there is to it; only JSON is read as a whole.
//
// A format is one entry of the table in trace_files.cpp: its name, how its beginning looks, its reader.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "trace/demand_trace.h"
#include "trace/event_log.h"
#include "trace/series.h"
#include "trace/trace_csv.h"

namespace mpca::config {

enum class TraceFormat {
  detect,      // from the first bytes
  trace_csv,   // step,timestamp_s,rps[,phase_idx]
  series_csv,  // timestamp,value
  access_log,  // Common or Combined Log Format
  timestamps,  // one time stamp per line
  prometheus,  // range query, JSON
};

/// `trace-csv`, `series-csv`, `access-log`, `timestamps`, `prometheus`; `detect`.
std::vector<std::string> trace_format_names();
std::optional<TraceFormat> trace_format_of(std::string_view name);
std::string_view name_of(TraceFormat format);

/// The format that a text beginning like this has; trace_csv when nothing else fits, whose reader then says what it
/// misses.
TraceFormat detect_trace_format(std::string_view beginning);

/// The same of a file, which is opened for it and closed again.
Result<TraceFormat> detect_file_format(const std::string& path);

struct LoadOptions {
  TraceFormat format = TraceFormat::detect;
  Duration step{};  // of the trace; 0: as in the file, for logs 15 s
  trace::SampleKind kind = trace::SampleKind::rate;
  trace::GapRule gaps = trace::GapRule::refuse;
  trace::Refine refine = trace::Refine::repeat;
  std::string time_column = "";   // series_csv
  std::string value_column = "";  // series_csv
  trace::EpochUnit unit = trace::EpochUnit::detect;
  Duration late = trace::EventLogOptions{}.late;
  double max_unusable_share = trace::EventLogOptions{}.max_unusable_share;
  std::stop_token stop = {};  // asked for: reading ends with the error `interrupted`
};

/// Any file of a known format as a trace with the file's stem as its name. The strict manners, always.
///
///   path     `-` is the standard input
///   errors   not_found, io     from the file
///            others            from the reader; each line of the message begins with the path
Result<trace::Imported> import_trace(const std::string& path, const LoadOptions& options = {});

/// import_trace() without its notes.
Result<trace::DemandTrace> load_trace(const std::string& path, const LoadOptions& options = {});

/// A trace CSV with all that its reader can tell, in the manners that `options` ask for. Messages are not prefixed with
/// the path when they are the lab's.
Result<trace::TraceCsvContent> load_trace_csv(const std::string& path, const trace::TraceCsvOptions& options = {});

/// `dir/spike.csv` is `spike`, as is the reference lab's `baseline_spike_profile_dt15.csv`; `-` is `stdin`.
std::string trace_name_of(const std::string& path);

/// os::read_in_pieces(), with `-` as the standard input.
Result<void> read_pieces(const std::string& path, const std::function<bool(std::string_view)>& on_piece);

}  // namespace mpca::config
