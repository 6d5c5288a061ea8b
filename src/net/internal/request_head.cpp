#include "net/internal/request_head.h"

#include <array>
#include <cstring>

namespace mpca::net::internal {
namespace {

constexpr std::size_t kMaxMethodBytes = 32;
// Chunk extensions and trailers are read past for nobody; more than this of them is an attack.
constexpr std::size_t kMaxBodyOverheadBytes = std::size_t{16} << 10;

// What a byte may be: part of a token (RFC 9110, 5.6.2), of a field's value, of a request target.
enum : unsigned char { kToken = 1, kValue = 2, kTarget = 4 };

constexpr std::array<unsigned char, 256> make_byte_table() {
  std::array<unsigned char, 256> table{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    unsigned char kinds = 0;
    const bool is_control = byte < 0x20 || byte == 0x7f;
    if (!is_control || byte == '\t') kinds |= kValue;
    if (!is_control && byte != ' ') kinds |= kTarget;
    if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')) kinds |= kToken;
    table[byte] = kinds;
  }
  for (const char mark : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(mark)] |= kToken;
  return table;
}
constexpr std::array<unsigned char, 256> kByteTable = make_byte_table();

bool is_kind(char byte, unsigned char kind) { return (kByteTable[static_cast<unsigned char>(byte)] & kind) != 0; }

bool all_are(std::string_view text, unsigned char kind) {
  unsigned char all = kind;
  for (const char byte : text) all = static_cast<unsigned char>(all & kByteTable[static_cast<unsigned char>(byte)]);
  return all != 0;
}

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter; }

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lower_case[i]) return false;
  }
  return true;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Whether a comma-separated list has `word`.
bool lists(std::string_view list, std::string_view lower_case_word) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (equals_ignoring_case(without_blanks(list.substr(0, comma)), lower_case_word)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

HeadResult bad(int status, const char* why) {
  HeadResult result;
  result.state = HeadResult::State::bad;
  result.status = status;
  result.why = why;
  return result;
}

/// Where the head ends (after its empty line), or npos. `from`: no end begins before it.
std::size_t find_head_end(std::string_view bytes, std::size_t from) {
  std::size_t at = from;
  while ((at = bytes.find('\n', at)) != std::string_view::npos) {
    ++at;
    if (at < bytes.size() && bytes[at] == '\n') return at + 1;
    if (at + 1 < bytes.size() && bytes[at] == '\r' && bytes[at + 1] == '\n') return at + 2;
  }
  return std::string_view::npos;
}

/// What an incomplete first line already shows. Port scanners speak TLS, SMB or nothing known; none begins like a
/// method.
bool can_become_a_request(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == ' ') return i > 0;
    if (!is_kind(bytes[i], kToken) || i >= kMaxMethodBytes) return false;
  }
  return true;
}

/// `GET /work?sleep_ms=5 HTTP/1.1`; an empty text when all is well.
HeadResult parse_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos || first == 0 || first > kMaxMethodBytes)
    return bad(400, "malformed request line");
  head.method = line.substr(0, first);
  const std::size_t second = line.rfind(' ');
  if (second <= first) return bad(400, "malformed request line");
  std::string_view target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (!all_are(head.method, kToken)) return bad(400, "malformed method");
  if (target.empty() || !all_are(target, kTarget)) return bad(400, "malformed request target");
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.' || version[5] < '0' ||
      version[5] > '9' || version[7] < '0' || version[7] > '9') {
    return bad(400, "malformed HTTP version");
  }
  if (version[5] != '1') return bad(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  head.minor_version = version[7] == '0' ? 0 : 1;

  if (target[0] != '/') {
    const std::size_t scheme = target.find("://");
    if (scheme != std::string_view::npos && target.find('/') == scheme + 1 && head.method != "CONNECT") {
      // As a client speaks to a proxy (RFC 9112, 3.2.2): what follows the authority is ours.
      const std::size_t path = target.find_first_of("/?", scheme + 3);
      target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    } else if (head.method != "CONNECT" && target != "*") {
      return bad(400, "malformed request target");
    }
  }
  const std::size_t question = target.find('?');
  head.path = question == 0 ? std::string_view("/") : target.substr(0, question);
  head.query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  HeadResult fine;
  fine.state = HeadResult::State::complete;
  return fine;
}

/// What the fields of one head have said so far.
struct Fields {
  int hosts = 0;
  bool has_length = false;
  bool has_coding = false;
  bool closes = false;
  bool keeps = false;
  bool expects_other = false;
};

/// A problem, or nullptr.
const char* read_length(std::string_view value, RequestHead& head, Fields& fields) {
  // `5, 5` is what a proxy makes of two equal fields.
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view digits = without_blanks(value.substr(0, comma));
    if (digits.empty() || digits.size() > 18) return "malformed Content-Length";
    std::uint64_t length = 0;
    for (const char digit : digits) {
      if (digit < '0' || digit > '9') return "malformed Content-Length";
      length = length * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    if (fields.has_length && length != head.content_length) return "two different Content-Lengths";
    fields.has_length = true;
    head.content_length = length;
    if (comma == std::string_view::npos) return nullptr;
    value.remove_prefix(comma + 1);
  }
}

/// One field line; a status and its reason in `problem` when it is bad.
bool read_field(std::string_view line, RequestHead& head, Fields& fields, HeadResult& problem) {
  const std::size_t colon = line.find(':');
  const auto reject = [&](int status, const char* why) {
    problem = bad(status, why);
    return false;
  };
  if (line[0] == ' ' || line[0] == '\t') return reject(400, "folded header line");
  if (colon == std::string_view::npos || colon == 0) return reject(400, "malformed header line");
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = without_blanks(line.substr(colon + 1));
  if (!all_are(name, kToken)) return reject(400, "malformed header name");
  if (!all_are(value, kValue)) return reject(400, "malformed header value");
  switch (name.size()) {
    case 4:
      if (equals_ignoring_case(name, "host")) ++fields.hosts;
      break;
    case 6:
      if (equals_ignoring_case(name, "expect")) {
        if (equals_ignoring_case(value, "100-continue"))
          head.expects_continue = true;
        else
          fields.expects_other = true;
      }
      break;
    case 10:
      if (equals_ignoring_case(name, "connection")) {
        fields.closes = fields.closes || lists(value, "close");
        fields.keeps = fields.keeps || lists(value, "keep-alive");
      }
      break;
    case 14:
      if (equals_ignoring_case(name, "content-length")) {
        if (const char* why = read_length(value, head, fields)) return reject(400, why);
      }
      break;
    case 17:
      if (equals_ignoring_case(name, "transfer-encoding")) {
        if (fields.has_coding) return reject(400, "two transfer codings");
        fields.has_coding = true;
        if (!equals_ignoring_case(value, "chunked"))
          return reject(501, "only the transfer coding chunked is known here");
        head.chunked = true;
      }
      break;
    default:
      break;
  }
  return true;
}

}  // namespace

HeadResult parse_request_head(std::string_view bytes, const HeadLimits& limits, std::size_t scanned) {
  HeadResult result;
  // Empty lines before a request (RFC 9112, 2.2): left over by clients that end a body with one.
  std::size_t start = 0;
  while (start < bytes.size() &&
         (bytes[start] == '\n' || (bytes[start] == '\r' && start + 1 < bytes.size() && bytes[start + 1] == '\n'))) {
    start += bytes[start] == '\n' ? 1 : 2;
  }
  if (start > 8) return bad(400, "empty lines instead of a request");

  // The last three bytes of what was searched may be the beginning of the end.
  const std::size_t end = find_head_end(bytes, std::max(start, scanned > 3 ? scanned - 3 : 0));
  if (end == std::string_view::npos || end > limits.max_bytes) {
    if (bytes.size() - start > limits.max_bytes || end != std::string_view::npos)
      return bad(431, "the request head is too large");
    const std::string_view begun = bytes.substr(start);
    if (begun != "\r" && !can_become_a_request(begun)) return bad(400, "malformed request line");
    if (const std::size_t line_end = begun.find('\n');
        line_end != std::string_view::npos && start + line_end >= scanned) {
      std::string_view line = begun.substr(0, line_end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      HeadResult line_result = parse_request_line(line, result.head);
      if (line_result.state == HeadResult::State::bad) return line_result;
    }
    return result;
  }

  Fields fields;
  std::size_t count = 0;
  std::size_t at = start;
  bool is_request_line = true;
  while (true) {
    const std::size_t line_end = bytes.find('\n', at);
    std::string_view line = bytes.substr(at, line_end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at = line_end + 1;
    if (is_request_line) {
      HeadResult line_result = parse_request_line(line, result.head);
      if (line_result.state == HeadResult::State::bad) return line_result;
      is_request_line = false;
      continue;
    }
    if (line.empty()) break;
    if (++count > limits.max_fields) return bad(431, "too many header fields");
    if (!read_field(line, result.head, fields, result)) return result;
  }

  RequestHead& head = result.head;
  if (fields.hosts > 1 || (fields.hosts == 0 && head.minor_version == 1))
    return bad(400, "one Host header is required");
  if (fields.has_coding && (fields.has_length || head.minor_version == 0)) {
    return bad(400, "Transfer-Encoding beside Content-Length or in HTTP/1.0");
  }
  if (fields.expects_other) return bad(417, "only Expect: 100-continue can be met");
  head.expects_continue = head.expects_continue && head.minor_version == 1;
  head.keep_alive = !fields.closes && (head.minor_version == 1 || fields.keeps);
  result.state = HeadResult::State::complete;
  result.bytes = at;
  return result;
}

std::size_t BodyDrain::drain(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::done && state_ != State::bad) {
    if (state_ == State::data) {
      const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size() - at));
      at += skipped;
      remaining_ -= skipped;
      if (remaining_ == 0) state_ = chunked_ ? State::data_cr : State::done;
      continue;
    }
    state_ = step(bytes[at++]);
  }
  return at;
}

BodyDrain::State BodyDrain::step(char byte) {
  switch (state_) {
    case State::size: {
      const char letter = lower(byte);
      int digit = -1;
      if (byte >= '0' && byte <= '9') digit = byte - '0';
      if (letter >= 'a' && letter <= 'f') digit = letter - 'a' + 10;
      if (digit >= 0) {
        if (++size_digits_ > 15) return State::bad;
        remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(digit);
        return State::size;
      }
      if (size_digits_ == 0) return State::bad;
      if (byte == '\r') return State::size_end;
      return byte == ';' || byte == ' ' || byte == '\t' ? State::extension : State::bad;
    }
    case State::extension:
      if (byte == '\r') return State::size_end;
      return byte == '\n' || ++overhead_bytes_ > kMaxBodyOverheadBytes ? State::bad : State::extension;
    case State::size_end:
      size_digits_ = 0;
      if (byte != '\n') return State::bad;
      return remaining_ == 0 ? State::trailer_start : State::data;
    case State::data_cr:
      return byte == '\r' ? State::data_lf : State::bad;
    case State::data_lf:
      return byte == '\n' ? State::size : State::bad;
    case State::trailer_start:
      if (byte == '\r') return State::trailer_end;
      [[fallthrough]];
    case State::trailer:
      if (byte == '\n') return state_ == State::trailer ? State::trailer_start : State::bad;
      return ++overhead_bytes_ > kMaxBodyOverheadBytes ? State::bad : State::trailer;
    case State::trailer_end:
      return byte == '\n' ? State::done : State::bad;
    case State::data:
    case State::done:
    case State::bad:
      break;
  }
  return State::bad;
}

}  // namespace mpca::net::internal
