// `report summarize-run`, the reference lab's `mpc-summarize-run`: one run directory as one or two small CSV tables.
#include "core/os/file.h"
#include "core/text.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "report/run_summary.h"
#include "report/vegeta_report.h"
#include "runlog/run_directory.h"

namespace mpca::app {
namespace {

constexpr std::string_view kLabName = "mpc-summarize-run";

struct SummarizeRunOptions {
  std::string run_dir;
  std::string out_phase_csv;
  std::string out_control_csv;
};

SettingsTable settings_of(SummarizeRunOptions& options) {
  return {
      Setting("run-dir", &options.run_dir, "the run directory; its incluster-report.txt has to be there").require(),
      Setting("out-phase-csv", &options.out_phase_csv, "where to write the rows of the phases").require(),
      Setting("out-control-csv", &options.out_control_csv,
              "where to write the summary of mpc-control-log.csv; nowhere when empty"),
  };
}

struct RunTables {
  std::string phase_csv;
  std::string control_csv;  // empty: not wanted, or no log to make it from
};

Result<RunTables> make_tables(const SummarizeRunOptions& options, Context& context) {
  RunTables tables;
  const std::string report_path = cat(options.run_dir, "/", runlog::kReportFile);
  MPCA_TRY(const std::string text, os::read_file(report_path));
  const report::VegetaReport report = report::parse_vegeta_report(text);
  const int complete = static_cast<int>(report.phases.size());
  if (complete < report.blocks || report.blocks == 0) {
    context.err << "warning: " << report_path << ": " << complete << " of " << report.blocks
                << " blocks are complete; the others are skipped\n";
  }
  tables.phase_csv = report::phase_summary_csv(report);
  if (options.out_control_csv.empty()) return tables;

  const std::string log_path = cat(options.run_dir, "/", runlog::kControlLogFile);
  const auto log = runlog::read_control_log(log_path);
  if (log) {
    tables.control_csv = report::control_summary_csv(report::summarize_control(*log));
  } else if (log.error().code == ErrorCode::not_found) {
    context.err << "warning: " << log.error().message << "; no control summary is written (an HPA run has none)\n";
  } else {
    return std::unexpected(log.error());
  }
  return tables;
}

Result<int> write_tables(const RunTables& tables, const SummarizeRunOptions& options, Context& context) {
  MPCA_TRY_VOID(write_result(options.out_phase_csv, tables.phase_csv));
  context.out << "Wrote phase summary: " << options.out_phase_csv << '\n';
  if (tables.control_csv.empty()) return 0;
  MPCA_TRY_VOID(write_result(options.out_control_csv, tables.control_csv));
  context.out << "Wrote control summary: " << options.out_control_csv << '\n';
  return 0;
}

Result<int> summarize_run(const SummarizeRunOptions& options, Context& context) {
  const auto tables = make_tables(options, context);
  if (!tables) return input_failure(tables.error(), kLabName, context);
  const auto code = write_tables(*tables, options, context);
  if (!code) return input_failure(code.error(), kLabName, context);
  return code;
}

}  // namespace

Command report_summarize_run_command() {
  Command command;
  command.path = "report summarize-run";
  command.lab_name = kLabName;
  command.sentence = "latency by phase, and what the controller did, from one run directory";
  command.examples = {
      "mpc-autoscaler report summarize-run --run-dir runs/step/001 --out-phase-csv phase-summary.csv",
      "mpc-autoscaler report summarize-run --run-dir runs/step/001 --out-phase-csv phase-summary.csv --out-control-csv "
      "control-summary.csv"};
  return make_command<SummarizeRunOptions>(std::move(command), settings_of, summarize_run);
}

}  // namespace mpca::app
