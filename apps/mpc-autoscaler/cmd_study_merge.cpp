// `study merge`: the parts of a backtest, played on several machines, become one report.
#include "core/os/file.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "mpca_version.h"
#include "report/backtest_json.h"
#include "report/backtest_table.h"
#include "study/backtest.h"

namespace mpca::app {
namespace {

struct StudyMergeOptions {
  std::vector<std::string> parts;
  std::string out;
  std::string json;
  bool force = false;
};

SettingsTable settings_of(StudyMergeOptions& options) {
  return {
      Setting("part", &options.parts, "directories that `backtest --shard` wrote").require(),
      Setting("out", &options.out, "directory for the whole study").require(),
      {"json", &options.json, "file for rows and comparisons as JSON; empty: none"},
      {"force", &options.force, "replace the results of another study in --out"},
  };
}

Result<int> study_merge(const StudyMergeOptions& options, Context& context) {
  MPCA_TRY(const report::BacktestReport report,
           study::merge_backtests(options.parts, options.out, options.force, context.command_line, kVersionText));
  if (!options.json.empty()) MPCA_TRY_VOID(os::write_file(options.json, report::to_json(report)));
  context.out << trim(report::to_text(report)) << "\n\nReport: " << options.out << "/report.html\n";
  return 0;
}

}  // namespace

Command study_merge_command() {
  Command command;
  command.path = "study merge";
  command.sentence = "put the parts of a backtest, played with --shard, together and write its report";
  command.positionals = {"part"};
  command.examples = {"mpc-autoscaler study merge parts/0 parts/1 parts/2 --out out/study",
                      "mpc-autoscaler study merge --part parts/0 parts/1 --out out/study --json out/study.json"};
  return make_command<StudyMergeOptions>(std::move(command), settings_of, study_merge);
}

}  // namespace mpca::app
