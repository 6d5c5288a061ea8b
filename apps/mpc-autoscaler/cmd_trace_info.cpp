// `trace info`: what a trace looks like, in numbers.
#include <nlohmann/json.hpp>

#include "config/trace_files.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "trace/transform.h"

namespace mpca::app {
namespace {

struct InfoOptions {
  std::vector<std::string> trace;
  std::string format = "text";
};

SettingsTable settings_of(InfoOptions& options) {
  return {
      Setting("trace", &options.trace, "files of any known format; - is the standard input").require(),
      Setting("format", &options.format, "of the output", {"text", "json"}),
  };
}

std::string number(double value) {
  const double magnitude = value < 0.0 ? -value : value;
  return fixed(value, magnitude >= 100.0 ? 0 : magnitude >= 1.0 ? 2 : 4);
}

std::string text_of(const std::string& name, const trace::TraceInfo& info) {
  return cat(name, "\n  ", info.points, info.points == 1 ? " step" : " steps", " of ", format_duration(info.step), ", ",
             format_duration(info.duration), " from ", format_duration(info.start),
             info.phases > 0 ? cat(", ", info.phases, info.phases == 1 ? " phase" : " phases") : "",
             "\n  requests/s: min ", number(info.min_rps), ", median ", number(info.p50_rps), ", mean ",
             number(info.mean_rps), ", p99 ", number(info.p99_rps), ", max ", number(info.max_rps),
             "\n  requests: ", fixed(info.total_requests, 0), "\n");
}

nlohmann::ordered_json json_of(const std::string& name, const trace::TraceInfo& info) {
  return {{"name", name},
          {"points", info.points},
          {"step_s", to_seconds(info.step)},
          {"start_s", to_seconds(info.start)},
          {"duration_s", to_seconds(info.duration)},
          {"phases", info.phases},
          {"min_rps", info.min_rps},
          {"p50_rps", info.p50_rps},
          {"mean_rps", info.mean_rps},
          {"p99_rps", info.p99_rps},
          {"max_rps", info.max_rps},
          {"total_requests", info.total_requests}};
}

Result<int> run_info(const InfoOptions& options, Context& context) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::string text;
  for (const std::string& path : options.trace) {
    MPCA_TRY(const trace::DemandTrace trace, config::load_trace(path, {.stop = context.stop}));
    const trace::TraceInfo info = trace::info(trace);
    all.push_back(json_of(trace.name, info));
    text += text_of(trace.name, info);
  }
  context.out << (options.format == "json" ? all.dump(2) + "\n" : text);
  return 0;
}

}  // namespace

Command trace_info_command() {
  Command command;
  command.path = "trace info";
  command.sentence = "steps, duration and demand of traces";
  command.examples = {"mpc-autoscaler trace info trace.csv",
                      "mpc-autoscaler trace info day1.csv day2.csv --format json"};
  command.positionals = {"trace"};
  return make_command<InfoOptions>(std::move(command), settings_of, run_info);
}

}  // namespace mpca::app
