#include "runlog/log_source.h"

#include "core/text.h"
#include "runlog/flight_recording.h"

namespace mpca::runlog {
namespace {

constexpr std::size_t kNamedWorkloads = 20;

Result<std::string> only_workload(const FlightRecording& recording, const std::string& path) {
  MPCA_TRY(const FlightRecording::Inventory inventory, recording.inventory());
  if (inventory.workloads.empty()) return invalid(cat(path, ": holds no decision"));
  if (inventory.workloads.size() == 1) return inventory.workloads.front().name;
  return invalid(cat(
      path, ": holds several workloads; say which with --workload: ", names_of(inventory.workloads, kNamedWorkloads)));
}

Result<LogRead> read_recording(const LogSource& source, const std::function<bool(const LogBeginning&)>& on_beginning,
                               const std::function<bool(const DecisionRecord&)>& on_record) {
  MPCA_TRY(const FlightRecording recording, FlightRecording::open(source.path));
  std::string workload = source.workload;
  if (workload.empty()) {
    MPCA_TRY(workload, only_workload(recording, source.path));
  }
  std::optional<DecisionLogHeader> header;
  LogRead read;
  MPCA_TRY(read.findings, recording.read(
                              workload,
                              [&](const LogBeginning& beginning) {
                                if (!header) header = beginning.header;
                                return on_beginning(beginning);
                              },
                              on_record));
  if (!header) return invalid(cat(source.path, ": holds no decision of ", workload));
  read.header = *std::move(header);
  return read;
}

}  // namespace

Result<std::vector<std::string>> workloads_in(const std::string& path) {
  std::vector<std::string> names;
  if (!is_flight_recording(path)) return names;
  MPCA_TRY(const FlightRecording recording, FlightRecording::open(path));
  MPCA_TRY(const FlightRecording::Inventory inventory, recording.inventory());
  for (const RecordedWorkload& workload : inventory.workloads) names.push_back(workload.name);
  return names;
}

Result<LogRead> read_log(const LogSource& source, const std::function<bool(const LogBeginning&)>& on_beginning,
                         const std::function<bool(const DecisionRecord&)>& on_record) {
  if (is_flight_recording(source.path)) return read_recording(source, on_beginning, on_record);
  if (!source.workload.empty())
    return invalid(cat(source.path, ": no flight recording, so --workload has no meaning for it"));
  LogRead read;
  MPCA_TRY(read.header, read_decision_log(
                            source.path,
                            [&](const DecisionLogHeader& header) {
                              return on_beginning({.header = header, .state = "", .goes_on = false});
                            },
                            on_record));
  return read;
}

}  // namespace mpca::runlog
