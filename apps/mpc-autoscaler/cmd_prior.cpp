// `prior`: what the candidates of `predictive` cost on one's own traces, as a file that it can begin with.
#include "core/os/file.h"
#include "core/os/parallel.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/load_traces.h"
#include "mpc-autoscaler/preset_changes.h"
#include "mpc-autoscaler/progress_bar.h"
#include "study/prior.h"

namespace mpca::app {
namespace {

struct PriorOptions {
  std::vector<std::string> traces;
  std::string preset = "standard";
  std::vector<std::string> changes;
  int seeds = 3;
  int jobs = os::hardware_jobs();
  std::string out;
};

SettingsTable settings_of(PriorOptions& options) {
  return {
      Setting("trace", &options.traces, "trace files: our CSV or any format that `trace import` reads").require(),
      {"preset", &options.preset,
       "the set-up: " + join(study::preset_names(), ", ") + ", or a file of that form (src/study/presets)"},
      {"set", &options.changes,
       "changes of the preset as KEY=VALUE, such as readiness-lag=45s, or readiness-lag=@FILE with a measured lag per "
       "line"},
      {"seeds", &options.seeds, "", Range::between(1, 1000), "runs on each trace, with seeds 1, 2, ..."},
      {"jobs", &options.jobs, "", Range::between(1, 1024), "runs at the same time; the result does not depend on it"},
      Setting("out", &options.out, "file for the prior, for predictive:prior=@FILE").require(),
  };
}

std::string counted(auto count, std::string_view what) { return cat(count, " ", what, count == 1 ? "" : "s"); }

Result<int> prior(const PriorOptions& options, Context& context) {
  MPCA_TRY(const std::vector<std::string> changes, with_files_read(options.changes));
  MPCA_TRY(study::Preset preset, study::load_preset(options.preset, changes));
  MPCA_TRY(std::vector<trace::DemandTrace> traces, load_traces(options.traces, context.stop));
  study::PriorSettings settings{
      .traces = {}, .preset = std::move(preset), .seeds = options.seeds, .jobs = options.jobs};
  std::string names;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    names += cat(i == 0 ? "" : ", ", traces[i].name);
    settings.traces.push_back({options.traces[i], std::move(traces[i])});
  }

  ProgressBar bar(context.err, context.err_is_terminal);
  const auto books =
      study::measure_prior(settings, context.stop, [&](const auto& progress) { bar.show(progress.done); });
  bar.clear();
  if (!books) return std::unexpected(books.error());
  const std::string of = counted(settings.traces.size(), "trace");
  const std::string about =
      cat("medians over ", of, ", preset ", settings.preset.name, ", ", counted(settings.seeds, "seed"), ": ", names);
  MPCA_TRY_VOID(os::write_file(options.out, policy::prior_file(*books, about)));
  context.out << "Prior of " << books->size() << " candidates from " << of << ": " << options.out
              << "\nA policy that begins with it: predictive:prior=@" << options.out << "\n";
  return 0;
}

}  // namespace

Command prior_command() {
  Command command;
  command.path = "prior";
  command.sentence = "measure what predictive's candidates cost on your traces, for new workloads to begin with";
  command.examples = {
      "mpc-autoscaler prior --trace data/traces/baseline_seasonality_profile_dt15.csv --out prior.csv",
      "mpc-autoscaler prior --trace shop.csv search.csv --preset standard-native --set readiness-lag=45s --seeds 2 "
      "--out prior.csv"};
  return make_command<PriorOptions>(std::move(command), settings_of, prior);
}

}  // namespace mpca::app
