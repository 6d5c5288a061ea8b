// `trace transform`: traces made from traces. The steps have a fixed order, as the help says.
#include <algorithm>
#include <filesystem>

#include "config/trace_files.h"
#include "core/os/file.h"
#include "core/random.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/trace_command.h"
#include "trace/transform.h"

namespace mpca::app {
namespace {

struct TransformOptions {
  std::vector<std::string> trace;
  std::string out;
  Duration from{};
  Duration to{};
  Duration resample{};
  std::string refine = "repeat";
  double scale = 1.0;
  double peak_rps = 0.0;
  double noise = 0.0;
  bool poisson = false;
  int seed = 1;
};

SettingsTable settings_of(TransformOptions& options) {
  return {
      Setting("trace", &options.trace,
              "files of any known format; several are first put one after the other. - is the standard input")
          .require(),
      Setting("out", &options.out, "where to write the trace CSV; - is the standard output").require(),
      Setting("from", &options.from, "duration", Range::between(0.0, 9e9), "second: keep the steps from here on …"),
      Setting("to", &options.to, "duration", Range::between(0.0, 9e9),
              "… that end by here; 0s is the end of the trace"),
      Setting("resample", &options.resample, "duration", Range::between(0.0, 9e9),
              "third: the same requests in steps of this length; 0s keeps the step. Comes first when the files have "
              "different steps"),
      Setting("refine", &options.refine,
              "how to fill steps shorter than before: the same value, or a line through the middles",
              {"repeat", "linear"}),
      Setting("scale", &options.scale, "", Range::at_least(0.0), "fourth: multiply the demand"),
      Setting("peak-rps", &options.peak_rps, "rps", Range::at_least(0.0),
              "instead of scale: multiply so that the greatest value is this; 0 is off"),
      Setting("noise", &options.noise, "fraction", Range::between(0.0, 10.0),
              "fifth: add normal noise with this share of each value as its standard deviation"),
      Setting("poisson", &options.poisson, "", Range{}, "last: whole requests, a Poisson number per step"),
      Setting("seed", &options.seed, "", Range::at_least(0.0), "of the noise"),
  };
}

// Scaling alone needs no more than a row at a time, so that a file of any size can be scaled.
bool only_scales(const TransformOptions& options) {
  return options.trace.size() == 1 && options.trace[0] != "-" && options.out != "-" &&
         options.from == Duration::zero() && options.to == Duration::zero() && options.resample == Duration::zero() &&
         options.peak_rps == 0.0 && options.noise == 0.0 && !options.poisson;
}

Result<int> scale_rows(const TransformOptions& options, Context& context) {
  const std::string directory = std::filesystem::path(options.out).parent_path().string();
  if (!directory.empty()) MPCA_TRY_VOID(os::make_directories(directory));
  MPCA_TRY(os::AtomicFile file, os::AtomicFile::create(options.out));
  trace::ProblemList problems;
  std::string rows;
  std::int64_t count = 0;
  trace::TraceCsvReader reader(
      {},
      [&](const trace::TracePoint& point) {
        if (count == 0) rows += trace::trace_csv_header(point.phase_idx.has_value());
        trace::TracePoint scaled = point;
        scaled.step = count++;
        scaled.demand_rps *= options.scale;
        trace::append_trace_csv_row(scaled, rows);
      },
      [&](trace::TraceCsvReader::Severity, const std::string& message) {
        problems.add(cat(options.trace[0], ": ", message));
      });
  MPCA_TRY_VOID(config::read_pieces(options.trace[0], [&](std::string_view piece) {
    reader.feed(piece);
    file.append(rows);
    rows.clear();
    return !reader.is_hopeless() && !context.stop.stop_requested();
  }));
  if (context.stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
  const trace::TraceCsvSummary summary = reader.finish();
  MPCA_TRY_VOID(problems.to_result());
  file.append(rows);
  MPCA_TRY_VOID(file.commit());
  say_saved(options.out, count, summary.step, context);
  return 0;
}

Result<trace::DemandTrace> transform(const TransformOptions& options, Context& context) {
  std::vector<trace::DemandTrace> traces;
  for (const std::string& path : options.trace) {
    MPCA_TRY(trace::Imported imported, config::import_trace(path, {.stop = context.stop}));
    for (const std::string& note : imported.notes) context.err << path << ": " << note << '\n';
    traces.push_back(std::move(imported.trace));
  }
  const trace::Refine refine = options.refine == "linear" ? trace::Refine::linear : trace::Refine::repeat;
  const bool steps_differ = std::any_of(traces.begin(), traces.end(),
                                        [&](const trace::DemandTrace& trace) { return trace.step != traces[0].step; });
  if (steps_differ && options.resample != Duration::zero()) {
    for (trace::DemandTrace& trace : traces) {
      MPCA_TRY(trace, trace::resample(trace, options.resample, refine));
    }
  }
  MPCA_TRY(trace::DemandTrace trace, trace::concatenate(traces));
  traces.clear();
  if (options.from != Duration::zero() || options.to != Duration::zero()) {
    const Duration to = options.to == Duration::zero() ? Duration::max() : options.to;
    MPCA_TRY(trace, trace::crop(trace, options.from, to));
  }
  if (options.resample != Duration::zero()) {
    MPCA_TRY(trace, trace::resample(trace, options.resample, refine));
  }
  double factor = options.scale;
  if (options.peak_rps > 0.0) {
    const double peak_rps = trace::info(trace).max_rps;
    if (peak_rps == 0.0) return invalid("--peak-rps: the demand is 0 everywhere; there is no peak to scale");
    factor = options.peak_rps / peak_rps;
  }
  MPCA_TRY(trace, trace::scale(std::move(trace), factor));
  RandomStream random(static_cast<std::uint64_t>(options.seed), "trace transform");
  return trace::add_noise(std::move(trace), {.relative = options.noise, .poisson = options.poisson}, random);
}

Result<int> run_transform(const TransformOptions& options, Context& context) {
  if (options.peak_rps > 0.0 && options.scale != 1.0) return invalid("--scale and --peak-rps exclude each other");
  if (only_scales(options)) {
    MPCA_TRY(const config::TraceFormat format, config::detect_file_format(options.trace[0]));
    if (format == config::TraceFormat::trace_csv) return scale_rows(options, context);
  }
  MPCA_TRY(const trace::DemandTrace trace, transform(options, context));
  MPCA_TRY_VOID(write_trace(trace, options.out, context));
  say_saved(trace, options.out, context);
  return 0;
}

}  // namespace

Command trace_transform_command() {
  Command command;
  command.path = "trace transform";
  command.sentence = "concatenate, crop, resample and scale traces and add noise, in this order";
  command.examples = {
      "mpc-autoscaler trace transform day1.csv day2.csv --resample 60s --peak-rps 250 --out both.csv",
      "mpc-autoscaler trace transform trace.csv --from 1h --to 3h --noise 0.1 --seed 7 --out noisy.csv"};
  command.positionals = {"trace"};
  return make_command<TransformOptions>(std::move(command), settings_of, run_transform);
}

}  // namespace mpca::app
