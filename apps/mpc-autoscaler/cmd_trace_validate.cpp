// `trace validate`, the reference lab's `mpc-validate-trace`: is this file a trace? In constant memory.
#include "config/trace_files.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/trace_command.h"

namespace mpca::app {
namespace {

constexpr int kInvalid = 1;  // ran, and the answer is no
constexpr std::int64_t kShownProblems = 20;

struct ValidateOptions {
  std::string trace_csv;
};

SettingsTable settings_of(ValidateOptions& options) {
  return {Setting("trace-csv", &options.trace_csv, "the file: step,timestamp_s,rps[,phase_idx]").require()};
}

Result<int> validate(const ValidateOptions& options, Context& context) {
  using Severity = trace::TraceCsvReader::Severity;
  std::int64_t problems = 0;
  trace::TraceCsvReader reader(
      {.manners = context.lab_manners ? trace::Manners::lab : trace::Manners::strict}, [](const trace::TracePoint&) {},
      [&](Severity severity, const std::string& message) {
        // The lab prints them all.
        if (++problems > kShownProblems && !context.lab_manners) return;
        context.err << (severity == Severity::warning ? "warning: " : "") << message << '\n';
      });
  const auto read = config::read_pieces(options.trace_csv, [&](std::string_view piece) {
    reader.feed(piece);
    return !reader.is_hopeless() && !context.stop.stop_requested();
  });
  if (context.stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
  if (!read) {
    if (!context.lab_manners) return std::unexpected(read.error());
    context.err << read.error().message << '\n';
    return kInvalid;
  }
  const trace::TraceCsvSummary summary = reader.finish();
  if (!context.lab_manners && problems > kShownProblems) {
    context.err << "… and " << problems - kShownProblems << " more\n";
  }
  if (summary.errors > 0) return kInvalid;
  context.out << "valid trace CSV: " << options.trace_csv << " (" << summary.rows
              << " rows; required columns: step, timestamp_s, rps)\n";
  return 0;
}

}  // namespace

Command trace_validate_command() {
  Command command;
  command.path = "trace validate";
  command.lab_name = "mpc-validate-trace";
  command.sentence = "check a trace CSV and name every bad row";
  command.examples = {"mpc-autoscaler trace validate trace.csv", "mpc-autoscaler trace validate --trace-csv trace.csv"};
  command.positionals = {"trace-csv"};
  return make_command<ValidateOptions>(std::move(command), settings_of, validate);
}

}  // namespace mpca::app
