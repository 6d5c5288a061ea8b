// Any bytes as a segment of a flight recorder: refused with a message, or read into records that are written and read
// back the same. As it is, then with a first line and a frame around it, so that what lies behind a checksum is
// reached.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/crc32c.h"
#include "runlog/internal/flight_format.h"
#include "runlog/internal/record_codec.h"

namespace {

using namespace mpca;
using namespace mpca::runlog;
namespace recorder = mpca::runlog::internal;

std::string as_frame(std::string_view payload) {
  std::string frame;
  for (std::size_t i = 0, length = payload.size(); i < 4; ++i, length >>= 8) frame += static_cast<char>(length & 0xFFU);
  std::uint32_t checksum = crc32c(payload, crc32c(frame));
  for (int i = 0; i < 4; ++i, checksum >>= 8) frame += static_cast<char>(checksum & 0xFFU);
  return frame.append(payload);
}

/// NaN differs from itself: written again, it has to give the same bytes.
void check_round_trip(const DecisionRecord& record) {
  const auto written = [&](const DecisionRecord& one, recorder::FoundTexts& texts) {
    recorder::TextTable table;
    recorder::RecordMemory memory;
    std::string bytes;
    recorder::encode(
        one, memory, table, [&](std::uint32_t number, std::string_view text) { texts[number] = text; }, bytes);
    return bytes;
  };
  recorder::FoundTexts texts, again_texts;
  recorder::RecordMemory memory;
  const std::string bytes = written(record, texts);
  const auto read = recorder::decode(bytes, memory, texts);
  if (!read || written(*read, again_texts) != bytes || texts != again_texts) std::abort();
}

void read_segment(std::string_view segment) {
  recorder::FoundTexts texts;
  recorder::RecordMemory memory;
  const auto read = recorder::read_frames_of(segment, "fuzz", [&](std::string_view payload) {
    if (const auto text = recorder::read_text_frame(payload)) texts[text->number] = text->text;
    if (const auto beginning = recorder::read_beginning_frame(payload); !beginning && beginning.error().message.empty())
      std::abort();
    if (const auto frame = recorder::read_record_frame(payload)) {
      if (const auto record = recorder::decode(frame->record, memory, texts)) {
        check_round_trip(*record);
      } else {
        memory = {};
      }
    }
    return true;
  });
  if (!read && read.error().message.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_segment(bytes);
  // The texts that a record may name, then two records with the same bytes.
  std::string segment(recorder::kSegmentStart);
  segment += as_frame(std::string("T\x01").append("rule")) + as_frame(std::string("T\x02").append("status"));
  segment += as_frame(bytes) + as_frame(std::string("R").append(2, '\0').append(bytes)) +
             as_frame(std::string("R").append(2, '\0').append(bytes));
  read_segment(segment);
  return 0;
}
