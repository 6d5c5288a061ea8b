#include "runlog/run_recorder.h"

#include "core/text.h"

namespace mpca::runlog {
namespace {

constexpr std::string_view kCsvHeader =
    "step,time_s,demand_rps,served_rps,in_flight,spec_replicas,ready_replicas,decided_replicas,recommendation,"
    "utilization,"
    "backlog_requests,latency_p95_ms,status,why\n";

void append_optional(std::string& row, std::optional<double> value, int decimals) {
  row += ',';
  if (value) row += fixed(*value, decimals);
}

std::string csv_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + "\"";
}

}  // namespace

RunRecorder::RunRecorder(os::AtomicDirectory directory, os::AtomicFile log, os::AtomicFile csv)
    : directory_(std::move(directory)), log_(std::move(log)), csv_(std::move(csv)) {}

Result<RunRecorder> RunRecorder::create(const std::string& path, const DecisionLogHeader& header, bool replace) {
  MPCA_TRY(os::AtomicDirectory directory, os::AtomicDirectory::create(path, replace));
  MPCA_TRY(os::AtomicFile log, os::AtomicFile::create(cat(directory.path(), "/", kDecisionLogName)));
  MPCA_TRY(os::AtomicFile csv, os::AtomicFile::create(directory.path() + "/decisions.csv"));
  log.append(header_line(header));
  csv.append(kCsvHeader);
  return RunRecorder(std::move(directory), std::move(log), std::move(csv));
}

void RunRecorder::record(const policy::Observation& observation, const policy::Decision& decision,
                         const policy::PeriodOutcome& outcome) {
  record_.observation = observation;
  record_.decision = decision;
  buffer_.clear();
  formatter_.append(record_, buffer_);
  log_.append(buffer_);

  if (step_ == 0) first_start_ = outcome.start;
  buffer_ = cat(step_++, ",", to_seconds(outcome.start - first_start_), ",", fixed(outcome.demand_rps, 3));
  append_optional(buffer_, observation.served_rate_rps.value_if_known(), 3);
  append_optional(buffer_, observation.in_flight_requests.value_if_known(), 3);
  buffer_ += cat(",", outcome.spec_replicas, ",", outcome.ready_replicas, ",", decision.replicas);
  append_optional(buffer_, decision.explanation.recommendation, 4);
  append_optional(buffer_, outcome.utilization, 4);
  append_optional(buffer_, outcome.backlog_requests, 1);
  append_optional(buffer_, outcome.latency_p95_s ? std::optional(*outcome.latency_p95_s * 1e3) : std::nullopt, 3);
  buffer_ += cat(",", csv_quoted(decision.explanation.status), ",",
                 csv_quoted(explanation_sentence(observation, decision)), "\n");
  csv_.append(buffer_);
}

Result<void> RunRecorder::add_file(const std::string& name, std::string_view content) {
  return os::write_file(cat(directory_.path(), "/", name), content);
}

Result<void> RunRecorder::commit() {
  MPCA_TRY_VOID(log_.commit());
  MPCA_TRY_VOID(csv_.commit());
  return directory_.commit();
}

}  // namespace mpca::runlog
