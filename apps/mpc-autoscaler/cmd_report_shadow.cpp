// `report shadow`: what a policy that only watched would have cost, and when users would have waited.
#include "core/text.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "report/shadow_report.h"
#include "runlog/flight_recording.h"
#include "runlog/log_source.h"

namespace mpca::app {
namespace {

struct ShadowOptions {
  std::string log;
  std::string workload;
  std::string html;
  report::ReplicaSize size;
  double yandex_vcpu_hour_rub = 0.0;
  double yandex_memory_gib_hour_rub = 0.0;
};

SettingsTable settings_of(ShadowOptions& options) {
  return {
      Setting("log", &options.log, "a flight recorder's directory or one of its segments, or a decisions.jsonl")
          .require(),
      {"workload", &options.workload, "NAMESPACE/NAME, where a recorder's directory holds several"},
      {"html", &options.html,
       "write the report there as a page, too; -: to the standard output, and the text to the standard error"},
      {"replica-vcpu", &options.size.vcpu, "vCPU", Range::above(0), "what a replica asks for"},
      {"replica-memory-gib", &options.size.memory_gib, "GiB", Range::at_least(0), "what a replica asks for"},
      {"yandex-vcpu-hour-rub", &options.yandex_vcpu_hour_rub, "RUB", Range::at_least(0.0),
       "price of a vCPU for an hour; with the other one above 0, adds the provider yandex_compute_custom_rub"},
      {"yandex-memory-gib-hour-rub", &options.yandex_memory_gib_hour_rub, "RUB", Range::at_least(0.0),
       "price of a GiB of memory for an hour"},
  };
}

/// Twice through the log: how long it is decides how it is thinned.
Result<report::ShadowReport> read_shadow(const runlog::LogSource& source, Context& context) {
  std::int64_t decisions = 0;
  MPCA_TRY(const runlog::LogRead counted,
           runlog::read_log(source, [](const auto&) { return true; }, [&](const auto&) { return ++decisions > 0; }));
  if (decisions < 2) return invalid(cat(source.path, ": holds ", decisions, " decisions; nothing to report"));
  report::ShadowReporter reporter(source.workload.empty() ? source.path : source.workload, counted.header, decisions);
  MPCA_TRY(const runlog::LogRead read, runlog::read_log(
                                           source, [](const auto&) { return true; },
                                           [&](const runlog::DecisionRecord& record) {
                                             reporter.add(record);
                                             return true;
                                           }));
  for (const std::string& finding : read.findings) context.err << "warning: " << finding << '\n';
  return reporter.finish();
}

Result<int> shadow(const ShadowOptions& options, Context& context) {
  runlog::LogSource source(options.log, options.workload);
  if (source.workload.empty()) {
    MPCA_TRY(const std::vector<std::string> names, runlog::workloads_in(source.path));
    if (names.size() == 1) source.workload = names.front();
  }
  MPCA_TRY(const report::ShadowReport report, read_shadow(source, context));
  const auto providers = report::providers(options.yandex_vcpu_hour_rub, options.yandex_memory_gib_hour_rub);
  talk(options.html, context) << report::shadow_text(report, providers, options.size);
  if (options.html.empty()) return 0;
  const std::string command =
      cat("mpc-autoscaler report shadow ", options.log,
          options.workload.empty() ? "" : cat(" --workload ", options.workload), " --html ", options.html);
  MPCA_TRY_VOID(write_or_print(options.html, report::shadow_html(report, providers, options.size, command), context));
  if (options.html != "-") context.out << "\nReport: " << options.html << '\n';
  return 0;
}

}  // namespace

Command report_shadow_command() {
  Command command;
  command.path = "report shadow";
  command.sentence = "what a policy that only watched would have cost beside whoever was in charge";
  command.positionals = {"log"};
  command.examples = {"mpc-autoscaler report shadow /var/lib/mpc-autoscaler --workload shop/web --html shadow.html",
                      "mpc-autoscaler report shadow out/spike/spike/predictive/decisions.jsonl --replica-vcpu 0.5"};
  return make_command<ShadowOptions>(std::move(command), settings_of, shadow);
}

}  // namespace mpca::app
