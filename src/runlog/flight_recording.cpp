#include "runlog/flight_recording.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <unordered_map>

#include "core/os/file.h"
#include "core/text.h"
#include "runlog/internal/flight_format.h"
#include "runlog/internal/record_codec.h"

namespace mpca::runlog {
namespace {

using internal::BeginningFrame;
using internal::FrameKind;
using internal::RecordFrame;
using internal::RecordMemory;

constexpr std::size_t kNamedWorkloads = 10;

/// Frames of one segment as records of the workloads that are asked for.
class SegmentReader {
 public:
  struct Follow {
    RecordMemory memory;
    std::uint8_t next = 0;
    bool is_lost = false;  // something before its next record was not read
  };

  void take_text(std::string_view payload) {
    if (const auto frame = internal::read_text_frame(payload))
      texts_.insert_or_assign(frame->number, std::string(frame->text));
  }
  Follow& begin(std::uint32_t workload, std::int64_t next) {
    return followed_[workload] = {.memory = {}, .next = static_cast<std::uint8_t>(next)};
  }
  void forget(std::uint32_t workload) { followed_.erase(workload); }
  /// nullptr: of another workload, or lost.
  Follow* follow(const RecordFrame& frame) {
    const auto found = followed_.find(frame.workload);
    if (found == followed_.end()) return nullptr;
    Follow& follow = found->second;
    if (frame.number != follow.next) follow.is_lost = true;
    ++follow.next;
    if (!follow.is_lost) return &follow;
    ++lost_;
    return nullptr;
  }
  const internal::FoundTexts& texts() const { return texts_; }
  void count_lost() { ++lost_; }
  std::int64_t lost() const { return lost_; }

 private:
  internal::FoundTexts texts_;
  std::unordered_map<std::uint32_t, Follow> followed_;
  std::int64_t lost_ = 0;
};

void add_findings(const std::string& path, const internal::FramesRead& read, std::int64_t lost,
                  std::vector<std::string>& findings) {
  if (read.skipped > 0) findings.push_back(cat(path, ": ", read.skipped, " damaged frames are skipped"));
  if (lost > 0) findings.push_back(cat(path, ": ", lost, " records after damage cannot be read"));
  if (read.unread_bytes > 0)
    findings.push_back(
        cat(path, ": the last ", read.unread_bytes, " bytes are no whole record: being written, torn off or damaged"));
}

/// Adds the findings of a segment to `findings`. One that was removed meanwhile has none.
Result<void> read_segment(const std::string& path, SegmentReader& reader,
                          const std::function<bool(std::string_view)>& on_payload, std::vector<std::string>& findings) {
  const auto read = internal::read_frames(path, [&](std::string_view payload) {
    if (static_cast<FrameKind>(payload.front()) == FrameKind::text) {
      reader.take_text(payload);
      return true;
    }
    return on_payload(payload);
  });
  if (!read && read.error().code == ErrorCode::not_found) return {};
  if (!read) return std::unexpected(read.error());
  add_findings(path, *read, reader.lost(), findings);
  return {};
}

}  // namespace

bool is_flight_recording(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    const auto segments = internal::segments_of(path);
    return segments && !segments->empty();
  }
  std::string start;
  const auto read = os::read_in_pieces(
      path,
      [&](std::string_view piece) {
        start = piece;
        return false;
      },
      64);
  return read && start.starts_with("mpca-flight ");
}

Result<FlightRecording> FlightRecording::open(const std::string& path) {
  FlightRecording recording;
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    MPCA_TRY_VOID(internal::read_frames(path, [](std::string_view) { return false; }));
    recording.segments_ = {path};
    return recording;
  }
  MPCA_TRY(const auto segments, internal::segments_of(path));
  if (segments.empty()) return invalid(cat(path, ": no segment of a flight recorder in it"));
  for (const internal::SegmentFile& segment : segments) recording.segments_.push_back(segment.path);
  return recording;
}

Result<FlightRecording::Inventory> FlightRecording::inventory() const {
  Inventory inventory;
  std::map<std::string, RecordedWorkload> workloads;
  for (const std::string& path : segments_) {
    SegmentReader reader;
    std::unordered_map<std::uint32_t, RecordedWorkload*> by_number;
    MPCA_TRY_VOID(read_segment(
        path, reader,
        [&](std::string_view payload) {
          if (const auto beginning = internal::read_beginning_name(payload)) {
            RecordedWorkload& workload = workloads[beginning->name];
            workload.name = beginning->name;
            by_number[beginning->workload] = &workload;
            reader.begin(beginning->workload, beginning->next);
          } else if (const auto frame = internal::read_record_frame(payload)) {
            SegmentReader::Follow* follow = reader.follow(*frame);
            const auto now = follow != nullptr ? internal::decode_time(frame->record, follow->memory) : std::nullopt;
            if (!now) return true;
            RecordedWorkload& workload = *by_number[frame->workload];
            if (workload.decisions++ == 0) workload.first = *now;
            workload.last = *now;
          }
          return true;
        },
        inventory.findings));
  }
  for (auto& [name, workload] : workloads)
    if (workload.decisions > 0) inventory.workloads.push_back(std::move(workload));
  return inventory;
}

Result<std::vector<std::string>> FlightRecording::read(
    std::string_view workload, const std::function<bool(const LogBeginning&)>& on_beginning,
    const std::function<bool(const DecisionRecord&)>& on_record) const {
  std::vector<std::string> findings;
  bool is_stopped = false, was_found = false;
  std::optional<std::pair<std::int64_t, std::int64_t>> expected;  // run and number of the next record without a gap
  for (const std::string& path : segments_) {
    SegmentReader reader;
    const auto begin = [&](std::string_view payload, const BeginningFrame& head) {
      reader.forget(head.workload);
      const auto frame = internal::read_beginning_frame(payload);
      if (!frame) {
        findings.push_back(cat(path, ": ", frame.error().message));
        return true;
      }
      reader.begin(frame->workload, frame->next);
      was_found = true;
      const bool goes_on = expected && *expected == std::pair(frame->run, frame->next);
      expected = {frame->run, frame->next};
      LogBeginning beginning{.header = frame->header, .state = frame->state, .goes_on = goes_on};
      if (frame->state.empty()) beginning.state.reset();
      return on_beginning(beginning);
    };
    MPCA_TRY_VOID(read_segment(
        path, reader,
        [&](std::string_view payload) {
          if (const auto head = internal::read_beginning_name(payload)) {
            if (head->name == workload) is_stopped = !begin(payload, *head);
            return !is_stopped;
          }
          const auto frame = internal::read_record_frame(payload);
          SegmentReader::Follow* follow = frame ? reader.follow(*frame) : nullptr;
          if (follow == nullptr) return true;
          const auto record = internal::decode(frame->record, follow->memory, reader.texts());
          if (!record) {
            follow->is_lost = true;
            reader.count_lost();
            return true;
          }
          if (expected) ++expected->second;
          is_stopped = !on_record(*record);
          return !is_stopped;
        },
        findings));
    if (is_stopped) break;
  }
  if (was_found) return findings;
  MPCA_TRY(const Inventory all, inventory());
  return fail(ErrorCode::not_found,
              cat("no workload \"", workload, "\" is recorded; there are: ", names_of(all.workloads, kNamedWorkloads)));
}

std::string names_of(std::span<const RecordedWorkload> workloads, std::size_t most) {
  std::string names;
  for (const RecordedWorkload& workload : workloads.first(std::min(workloads.size(), most)))
    names += cat(names.empty() ? "" : ", ", workload.name);
  if (workloads.size() > most) names += cat(" and ", workloads.size() - most, " more");
  return names;
}

}  // namespace mpca::runlog
