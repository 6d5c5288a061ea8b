// `loadgen merge`: the results of several runs or machines as one report.
#include "core/os/file.h"
#include "core/text.h"
#include "load/load_report.h"
#include "loadgen/commands.h"

namespace mpca::app {
namespace {

struct MergeOptions {
  std::vector<std::string> files;
  std::string report = "text";
  std::string out = "-";
};

SettingsTable settings_of(MergeOptions& options) {
  return {
      Setting("file", &options.files, "results that loadgen wrote with --histogram").require(),
      Setting("report", &options.report, "form of the report; results is what --histogram writes",
              {"text", "json", "hdr", "results"}),
      Setting("out", &options.out, "where the report goes; - is the standard output"),
  };
}

Result<int> merge(const MergeOptions& options, Context& context) {
  std::vector<load::PhaseResult> all;
  Problems problems;
  for (const std::string& path : options.files) {
    const auto text = os::read_file(path);
    const auto phases = text ? load::parse_results(*text) : std::unexpected(text.error());
    if (!phases) {
      problems.add(text ? cat(path, ": ", phases.error().message) : phases.error().message);
    } else {
      load::merge_results(all, *phases);
    }
  }
  MPCA_TRY_VOID(problems.to_result());
  const std::string report = options.report == "text"   ? load::text_report(all)
                             : options.report == "json" ? load::json_report(all, TimePoint{}, nullptr)
                             : options.report == "hdr"  ? load::hdr_report(all)
                                                        : load::results_text(all);
  if (options.out == "-") {
    context.out << report;
  } else {
    MPCA_TRY_VOID(os::write_file(options.out, report));
  }
  return 0;
}

}  // namespace

Command merge_command() {
  Command command;
  command.path = "merge";
  command.sentence = "one report of several runs or machines; counts and histograms merge exactly";
  command.examples = {"loadgen merge one.results two.results", "loadgen merge --report hdr --out all.hdr *.results"};
  command.positionals = {"file"};
  return make_command<MergeOptions>(std::move(command), settings_of, merge);
}

}  // namespace mpca::app
