#include "runlog/internal/flight_format.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "core/crc32c.h"
#include "core/text.h"
#include "runlog/compression.h"

namespace mpca::runlog::internal {
namespace {

constexpr std::string_view kPrefix = "segment-", kSuffix = ".flight";
constexpr std::size_t kDigits = 10;
constexpr std::size_t kFrameHead = 8;  // length and checksum, 4 bytes each
constexpr std::size_t kLongestName = 1000;
constexpr std::size_t kLargestBeginning = kLargestPayload;  // header and state before compression

void append_fixed(std::uint64_t value, int bytes, std::string& out) {
  for (int i = 0; i < bytes; ++i, value >>= 8) out += static_cast<char>(value & 0xFFU);
}
std::uint64_t fixed_at(std::string_view bytes, std::size_t at, int count) {
  std::uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i)
    value = (value << 8) | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return value;
}

/// LEB128, as DWARF and protocol buffers have it.
void append_number(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7FU) | 0x80U);
  out += static_cast<char>(value);
}
std::optional<std::uint64_t> take_number(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

/// Begins a frame; end_frame() puts length and checksum where they belong.
std::size_t begin_frame(FrameKind kind, std::string& out) {
  const std::size_t at = out.size();
  out.append(kFrameHead, '\0');
  out += static_cast<char>(kind);
  return at;
}
void end_frame(std::size_t at, std::string& out) {
  std::string head;
  append_fixed(out.size() - at - kFrameHead, 4, head);
  const std::uint32_t checksum = crc32c(std::string_view(out).substr(at + kFrameHead), crc32c(head));
  append_fixed(checksum, 4, head);
  std::copy(head.begin(), head.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
}

bool takes_kind(std::string_view& payload, FrameKind kind) {
  if (payload.empty() || payload.front() != static_cast<char>(kind)) return false;
  payload.remove_prefix(1);
  return true;
}

/// Head of a beginning; what remains of `payload` is the compressed rest.
std::optional<BeginningFrame> take_beginning_head(std::string_view& payload) {
  if (!takes_kind(payload, FrameKind::beginning)) return std::nullopt;
  const auto workload = take_number(payload);
  const auto next = take_number(payload);
  if (!workload || !next || payload.size() < 8) return std::nullopt;
  BeginningFrame frame;
  frame.workload = static_cast<std::uint32_t>(*workload);
  frame.next = static_cast<std::int64_t>(*next);
  frame.run = static_cast<std::int64_t>(fixed_at(payload, 0, 8));
  payload.remove_prefix(8);
  const auto size = take_number(payload);
  if (!size || *size > std::min(kLongestName, payload.size())) return std::nullopt;
  frame.name = payload.substr(0, *size);
  payload.remove_prefix(*size);
  return frame;
}

/// How long the frame at `at` is with its head, if the bytes can be one at all.
std::optional<std::size_t> frame_size(std::string_view bytes, std::size_t at) {
  if (bytes.size() - at < kFrameHead) return std::nullopt;
  const std::uint64_t length = fixed_at(bytes, at, 4);
  if (length == 0 || length > kLargestPayload || bytes.size() - at - kFrameHead < length) return std::nullopt;
  return kFrameHead + length;
}

bool is_whole(std::string_view bytes, std::size_t at, std::size_t size) {
  const std::uint32_t checksum = crc32c(bytes.substr(at + kFrameHead, size - kFrameHead), crc32c(bytes.substr(at, 4)));
  return checksum == fixed_at(bytes, at + 4, 4);
}

/// A file in memory without a copy of it. Who writes it only ever cuts off what no reader takes for good.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info{};
    if (descriptor < 0 || ::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
      const int code = descriptor < 0 ? errno : EISDIR;
      if (descriptor >= 0) ::close(descriptor);
      if (code == ENOENT) return fail(ErrorCode::not_found, cat("file not found: ", path));
      return fail(ErrorCode::io, cat("cannot read ", path, ": ", std::strerror(code)));
    }
    const auto size = static_cast<std::size_t>(info.st_size);
    void* bytes = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    const int code = errno;
    ::close(descriptor);
    if (bytes == MAP_FAILED) return fail(ErrorCode::io, cat("cannot read ", path, ": ", std::strerror(code)));
    return MappedFile(bytes, size);
  }
  MappedFile(MappedFile&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile() {
    if (bytes_ != nullptr) ::munmap(bytes_, size_);
  }
  std::string_view view() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  MappedFile(void* bytes, std::size_t size) : bytes_(bytes), size_(size) {}
  void* bytes_;
  std::size_t size_;
};

}  // namespace

std::string segment_name(std::int64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return cat(kPrefix, std::string(kDigits - std::min(kDigits, digits.size()), '0'), digits, kSuffix);
}

std::optional<std::int64_t> sequence_of(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  std::int64_t sequence = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), sequence);
  if (code != std::errc() || end != name.data() + name.size() || name.size() < kDigits) return std::nullopt;
  return sequence;
}

Result<std::vector<SegmentFile>> segments_of(const std::string& directory) {
  std::vector<SegmentFile> found;
  std::error_code error;
  auto entry = std::filesystem::directory_iterator(directory, error);
  if (error == std::errc::no_such_file_or_directory)
    return fail(ErrorCode::not_found, cat("file not found: ", directory));
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
    const auto sequence = sequence_of(entry->path().filename().string());
    if (!sequence) continue;
    std::error_code gone;
    const auto bytes = entry->file_size(gone);
    if (!gone) found.push_back({entry->path().string(), *sequence, static_cast<std::int64_t>(bytes)});
  }
  if (error) return fail(ErrorCode::io, cat("cannot read ", directory, ": ", error.message()));
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  return found;
}

void append_text_frame(const TextFrame& frame, std::string& out) {
  const std::size_t at = begin_frame(FrameKind::text, out);
  append_number(frame.number, out);
  out += frame.text;
  end_frame(at, out);
}

void append_beginning_frame(const BeginningFrame& frame, std::string& out) {
  const std::size_t at = begin_frame(FrameKind::beginning, out);
  append_number(frame.workload, out);
  append_number(static_cast<std::uint64_t>(frame.next), out);
  append_fixed(static_cast<std::uint64_t>(frame.run), 8, out);
  append_number(frame.name.size(), out);
  out += frame.name;
  const std::string rest = header_line(frame.header) + frame.state;
  append_number(rest.size(), out);
  out += compressed(rest);
  end_frame(at, out);
}

void append_record_frame(const RecordFrame& frame, std::string& out) {
  const std::size_t at = begin_frame(FrameKind::record, out);
  append_number(frame.workload, out);
  out += static_cast<char>(frame.number);
  out += frame.record;
  end_frame(at, out);
}

std::optional<TextFrame> read_text_frame(std::string_view payload) {
  if (!takes_kind(payload, FrameKind::text)) return std::nullopt;
  const auto number = take_number(payload);
  if (!number) return std::nullopt;
  return TextFrame{static_cast<std::uint32_t>(*number), payload};
}

std::optional<RecordFrame> read_record_frame(std::string_view payload) {
  if (!takes_kind(payload, FrameKind::record)) return std::nullopt;
  const auto workload = take_number(payload);
  if (!workload || payload.empty()) return std::nullopt;
  return RecordFrame{static_cast<std::uint32_t>(*workload), static_cast<std::uint8_t>(payload.front()),
                     payload.substr(1)};
}

std::optional<BeginningFrame> read_beginning_name(std::string_view payload) { return take_beginning_head(payload); }

Result<BeginningFrame> read_beginning_frame(std::string_view payload) {
  auto frame = take_beginning_head(payload);
  if (!frame) return invalid("a workload's beginning is damaged");
  const auto size = take_number(payload);
  if (!size || *size > kLargestBeginning) return invalid("a workload's beginning is damaged");
  const auto rest = uncompressed(payload, *size);
  const std::size_t line_end = rest ? rest->find('\n') : std::string::npos;
  if (line_end == std::string::npos) return invalid("a workload's beginning is damaged");
  DecisionLogParser parser;
  MPCA_TRY(frame->header, parser.parse_header(std::string_view(*rest).substr(0, line_end)));
  frame->state = rest->substr(line_end + 1);
  return *std::move(frame);
}

Result<FramesRead> read_frames_of(std::string_view segment, const std::string& where,
                                  const std::function<bool(std::string_view)>& on_payload) {
  FramesRead read{.file_bytes = static_cast<std::int64_t>(segment.size())};
  if (kSegmentStart.starts_with(segment) && segment.size() < kSegmentStart.size()) {  // killed when it began
    read.unread_bytes = read.file_bytes;
    return read;
  }
  if (!segment.starts_with(kSegmentStart)) {
    const std::string_view start = segment.substr(0, std::min<std::size_t>(segment.find('\n'), 40));
    if (!start.starts_with("mpca-flight "))
      return invalid(cat(where, ": not a flight recorder's segment: it has to begin with \"mpca-flight 1\""));
    return invalid(cat(where, ": flight recorder version ", start.substr(12), "; this program reads version 1"));
  }
  std::size_t at = kSegmentStart.size();
  read.good_bytes = static_cast<std::int64_t>(at);
  while (at < segment.size()) {
    const auto size = frame_size(segment, at);
    if (!size) break;
    const std::size_t end = at + *size;
    if (is_whole(segment, at, *size)) {
      read.good_bytes = static_cast<std::int64_t>(end);
      at = end;
      if (!on_payload(segment.substr(at - *size + kFrameHead, *size - kFrameHead))) return read;
      continue;
    }
    const auto next = end < segment.size() ? frame_size(segment, end) : std::nullopt;
    if (!next || !is_whole(segment, end, *next)) break;
    ++read.skipped;
    at = end;
  }
  read.unread_bytes = static_cast<std::int64_t>(segment.size() - at);
  return read;
}

Result<FramesRead> read_frames(const std::string& path, const std::function<bool(std::string_view)>& on_payload) {
  MPCA_TRY(const MappedFile file, MappedFile::open(path));
  return read_frames_of(file.view(), path, on_payload);
}

}  // namespace mpca::runlog::internal
