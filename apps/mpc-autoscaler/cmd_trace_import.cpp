// `trace import`: access logs, time stamps, sampled series and Prometheus range queries as a trace.
#include "config/trace_files.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/trace_command.h"

namespace mpca::app {
namespace {

struct ImportOptions {
  std::string file;
  std::string out;
  std::string format = "detect";
  Duration step{};
  std::string kind = "rate";
  std::string gaps = "refuse";
  std::string refine = "repeat";
  std::string time_column;
  std::string value_column;
  std::string unit = "detect";
  Duration late = config::LoadOptions{}.late;
  double max_unusable = config::LoadOptions{}.max_unusable_share;
};

SettingsTable settings_of(ImportOptions& options) {
  return {
      Setting("file", &options.file, "what to read; - is the standard input").require(),
      Setting("out", &options.out, "where to write the trace CSV; - is the standard output").require(),
      Setting("format", &options.format, "of the file; detect looks at its beginning", config::trace_format_names()),
      Setting("step", &options.step, "duration", Range::between(0.0, 1e9),
              "length of a step of the trace; 0s keeps the file's own, and is 15s for logs"),
      Setting("kind", &options.kind,
              "what a value of a series is: requests per second, or requests in the interval that begins with it",
              {"rate", "count"}),
      Setting("gaps", &options.gaps, "what to do where a series has no sample", {"refuse", "zero", "hold", "linear"}),
      Setting("refine", &options.refine, "how a series gets steps shorter than its own", {"repeat", "linear"}),
      Setting("time-column", &options.time_column,
              "of a series CSV; empty finds timestamp, time, ts, date or the first"),
      Setting("value-column", &options.value_column, "of a series CSV; empty takes the first other one"),
      Setting("unit", &options.unit, "of bare numbers as time stamps; detect sees it from their size",
              {"detect", "s", "ms", "us", "ns"}),
      Setting("late", &options.late, "duration", Range::between(0.0, 1e9),
              "how far a log line may be behind the newest one and still count"),
      Setting("max-unusable", &options.max_unusable, "fraction", Range::between(0.0, 1.0),
              "share of log lines that may be unreadable or too late"),
  };
}

config::LoadOptions load_options(const ImportOptions& options, const Context& context) {
  const auto pick = [](const std::string& name, auto... rows) {
    std::common_type_t<decltype(rows.second)...> value{};
    ((name == rows.first ? void(value = rows.second) : void()), ...);
    return value;
  };
  using std::pair;
  using trace::EpochUnit, trace::GapRule, trace::Refine, trace::SampleKind;
  return {.format = config::trace_format_of(options.format).value_or(config::TraceFormat::detect),
          .step = options.step,
          .kind = pick(options.kind, pair("rate", SampleKind::rate), pair("count", SampleKind::count)),
          .gaps = pick(options.gaps, pair("refuse", GapRule::refuse), pair("zero", GapRule::zero),
                       pair("hold", GapRule::hold), pair("linear", GapRule::linear)),
          .refine = pick(options.refine, pair("repeat", Refine::repeat), pair("linear", Refine::linear)),
          .time_column = options.time_column,
          .value_column = options.value_column,
          .unit = pick(options.unit, pair("detect", EpochUnit::detect), pair("s", EpochUnit::seconds),
                       pair("ms", EpochUnit::milliseconds), pair("us", EpochUnit::microseconds),
                       pair("ns", EpochUnit::nanoseconds)),
          .late = options.late,
          .max_unusable_share = options.max_unusable,
          .stop = context.stop};
}

Result<int> run_import(const ImportOptions& options, Context& context) {
  MPCA_TRY(const trace::Imported imported, config::import_trace(options.file, load_options(options, context)));
  for (const std::string& note : imported.notes) context.err << options.file << ": " << note << '\n';
  MPCA_TRY_VOID(write_trace(imported.trace, options.out, context));
  say_saved(imported.trace, options.out, context);
  return 0;
}

}  // namespace

Command trace_import_command() {
  Command command;
  command.path = "trace import";
  command.sentence = "a demand trace from an access log, time stamps, a series CSV or a Prometheus range query";
  command.examples = {"mpc-autoscaler trace import access.log --step 60s --out trace.csv",
                      "mpc-autoscaler trace import range.json --gaps hold --out trace.csv"};
  command.positionals = {"file"};
  return make_command<ImportOptions>(std::move(command), settings_of, run_import);
}

}  // namespace mpca::app
