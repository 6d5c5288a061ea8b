// The bytes of a recorder's segment: a first line with format and version, then frames of a length, a checksum and a
// payload. What the payloads are is told in docs/reference/flight-recorder.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "runlog/decision_log.h"

namespace mpca::runlog::internal {

inline constexpr std::string_view kSegmentStart = "mpca-flight 1\n";
inline constexpr std::size_t kLargestPayload = std::size_t{1} << 26;

/// `segment-0000000042.flight`
std::string segment_name(std::int64_t sequence);
std::optional<std::int64_t> sequence_of(std::string_view name);

struct SegmentFile {
  std::string path;
  std::int64_t sequence = 0;
  std::int64_t bytes = 0;
};
/// Those of a directory, oldest first.
///   errors   not_found, io
Result<std::vector<SegmentFile>> segments_of(const std::string& directory);

enum class FrameKind : char { text = 'T', beginning = 'B', record = 'R' };

struct TextFrame {
  std::uint32_t number = 0;
  std::string_view text;
};
struct BeginningFrame {
  std::uint32_t workload = 0;  // its number in this segment from now on
  std::int64_t run = 0;        // of the recorder: when it was opened
  std::int64_t next = 0;       // number of the workload's next record in that run
  std::string name;
  DecisionLogHeader header;
  std::string state;
};
struct RecordFrame {
  std::uint32_t workload = 0;
  std::uint8_t number = 0;  // its last eight bits
  std::string_view record;
};

void append_text_frame(const TextFrame& frame, std::string& out);
/// Header and state are compressed: 1 ms for 50 kB.
void append_beginning_frame(const BeginningFrame& frame, std::string& out);
/// `append_record` appends the record's bytes.
void append_record_frame(const RecordFrame& frame, std::string& out);

/// nullopt: not one. Views into `payload`.
std::optional<TextFrame> read_text_frame(std::string_view payload);
std::optional<RecordFrame> read_record_frame(std::string_view payload);
/// Without header and state, which cost more to read.
std::optional<BeginningFrame> read_beginning_name(std::string_view payload);
Result<BeginningFrame> read_beginning_frame(std::string_view payload);

/// How the reading of a segment ended.
struct FramesRead {
  std::int64_t good_bytes = 0;    // up to the end of the last good frame
  std::int64_t skipped = 0;       // damaged frames with good ones after them
  std::int64_t unread_bytes = 0;  // at the end: torn, or damaged so that no frame can be found after it
  std::int64_t file_bytes = 0;
};

/// The payloads of all good frames in order; false stops early. A frame whose checksum is wrong is skipped when a good
/// one, or the end, stands where its length says.
///   errors   not_found, io; invalid_argument  not a segment, or of a version that this program does not know
Result<FramesRead> read_frames(const std::string& path, const std::function<bool(std::string_view)>& on_payload);

/// The same of bytes: what is fuzzed.
Result<FramesRead> read_frames_of(std::string_view segment, const std::string& where,
                                  const std::function<bool(std::string_view)>& on_payload);

}  // namespace mpca::runlog::internal
