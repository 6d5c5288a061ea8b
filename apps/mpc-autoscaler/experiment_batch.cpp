#include "mpc-autoscaler/experiment_batch.h"

#include "core/text.h"
#include "report/comparison_table.h"

namespace mpca::app {
namespace {

/// One line that is drawn over itself, and only on a terminal.
class ProgressLine {
 public:
  ProgressLine(std::ostream& err, bool is_terminal) : err_(err), is_on_(is_terminal) {}
  void show(const lab::BatchProgress& progress) {
    if (!is_on_) return;
    const lab::Progress& live = progress.live;
    err_ << "\r\033[K" << heading(progress) << ": ";
    if (!live.stage.empty()) {
      err_ << live.stage << std::flush;
      return;
    }
    err_ << fixed(live.done * 100, 0) << " %, " << fixed(live.demand_rps, 0) << " rps, " << live.ready_replicas
         << " of " << live.spec_replicas << " replicas ready";
    if (live.latency_p95_ms) err_ << ", p95 " << fixed(*live.latency_p95_ms, 0) << " ms";
    if (live.failed > 0) err_ << ", " << live.failed << " failed";
    err_ << std::flush;
  }
  void clear() {
    if (is_on_) err_ << "\r\033[K" << std::flush;
  }
  static std::string heading(const lab::BatchProgress& progress) {
    return cat("[", progress.run, "/", progress.runs, "] ", progress.policy, " on ", progress.scenario,
               progress.repeats > 1 ? cat(", repeat ", progress.repeat) : "");
  }

 private:
  std::ostream& err_;
  bool is_on_;
};

}  // namespace

std::string batch_sentence(std::string_view before) {
  std::string sentence(before);
  for (const lab::BatchKind& kind : lab::batch_kinds()) sentence += cat(" ", kind.name, " (", kind.sentence, ");");
  sentence.pop_back();
  return sentence;
}

Result<int> run_and_report(lab::Place& place, const lab::BatchSettings& settings, Context& context) {
  ProgressLine line(context.err, context.err_is_terminal);
  const auto result = lab::run_batch(
      place, settings, context.stop, [&](const lab::BatchProgress& progress) { line.show(progress); },
      [&](const lab::BatchProgress& progress, const lab::MeasuredRun* run, const Error* error, bool was_there) {
        line.clear();
        context.err << ProgressLine::heading(progress) << ": ";
        if (error != nullptr) {
          context.err << "failed: " << error->message << '\n';
          return;
        }
        context.err << (was_there ? "there already: " : "") << run->counts.due << " requests, "
                    << run->counts.failed() + run->counts.cancelled << " failed, p95 "
                    << fixed(to_seconds(run->latency.quantile(0.95)) * 1e3, 0) << " ms, p99 "
                    << fixed(to_seconds(run->latency.quantile(0.99)) * 1e3, 0) << " ms\n";
      });
  line.clear();
  if (!result) return std::unexpected(result.error());
  if (!result->comparison.traces.empty()) {
    context.out << trim(report::to_text(result->comparison)) << "\n\nReport: " << settings.out << "/report.html\n";
  }
  if (result->failed > 0) {
    context.err << result->failed << " of " << result->failed + result->finished
                << " runs failed; --resume runs them again\n";
    return 1;
  }
  return 0;
}

}  // namespace mpca::app
