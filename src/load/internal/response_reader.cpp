#include "load/internal/response_reader.h"

#include <algorithm>
#include <cstring>

namespace mpca::load {
namespace {

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character | 0x20) : character;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lower_case[i]) return false;
  }
  return true;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_digit(char character) { return character >= '0' && character <= '9'; }

}  // namespace

void ResponseReader::begin(bool is_answer_to_head) {
  state_ = State::reading;
  part_ = Part::status_line;
  is_answer_to_head_ = is_answer_to_head;
  has_begun_ = false;
  keeps_alive_ = true;
  is_chunked_ = false;
  has_other_coding_ = false;
  has_length_ = false;
  status_ = 0;
  body_bytes_ = 0;
  left_bytes_ = 0;
  head_bytes_ = 0;
  line_.clear();
  problem_ = "";
}

void ResponseReader::fail(const char* problem) {
  state_ = State::malformed;
  keeps_alive_ = false;
  problem_ = problem;
}

std::size_t ResponseReader::feed(std::string_view bytes) {
  std::size_t taken = 0;
  if (!bytes.empty() && state_ == State::reading) has_begun_ = true;
  while (state_ == State::reading && taken < bytes.size()) {
    const std::string_view rest = bytes.substr(taken);
    if (part_ == Part::endless_body) {
      body_bytes_ += rest.size();
      return bytes.size();
    }
    if (!is_line_next()) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_bytes_, rest.size()));
      left_bytes_ -= count;
      body_bytes_ += count;
      taken += count;
      if (left_bytes_ == 0) {
        if (part_ == Part::sized_body) {
          complete();
        } else {
          part_ = Part::chunk_end;
        }
      }
      continue;
    }
    const auto* end = static_cast<const char*>(std::memchr(rest.data(), '\n', rest.size()));
    const std::size_t count = end == nullptr ? rest.size() : static_cast<std::size_t>(end - rest.data()) + 1;
    if (head_bytes_ + count > kMaxHeadBytes) {
      // The same bytes are taken however the line was split.
      taken += kMaxHeadBytes - head_bytes_;
      fail("head longer than 64 KiB");
      return taken;
    }
    head_bytes_ += count;
    taken += count;
    if (end == nullptr) {
      line_.append(rest);
      // A status line shows with its first bytes that it is none; a port that speaks something else may send no line
      // end.
      if (part_ == Part::status_line &&
          std::string_view(line_).substr(0, 5) != std::string_view("HTTP/").substr(0, line_.size())) {
        fail("not HTTP");
      }
      return taken;
    }
    if (line_.empty()) {
      take_line(rest.substr(0, count - 1));
    } else {
      line_.append(rest.substr(0, count - 1));
      const std::string line = std::move(line_);
      line_.clear();
      take_line(line);
    }
  }
  return taken;
}

bool ResponseReader::end() {
  if (state_ == State::reading && part_ == Part::endless_body) {
    keeps_alive_ = false;
    complete();
  }
  return state_ == State::complete;
}

// `line` has no line end.
void ResponseReader::take_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  switch (part_) {
    case Part::status_line:
      take_status_line(line);
      return;
    case Part::header_line:
      if (line.empty()) {
        take_head_end();
      } else {
        take_header(line);
      }
      return;
    case Part::chunk_size:
      take_chunk_size(line);
      return;
    case Part::chunk_end:
      if (!line.empty()) {
        fail("chunk longer than its size");
        return;
      }
      part_ = Part::chunk_size;
      head_bytes_ = 0;
      return;
    case Part::trailer_line:
      if (line.empty()) complete();
      return;
    default:
      return;
  }
}

void ResponseReader::take_status_line(std::string_view line) {
  // `HTTP/1.1 200 OK`; the reason may be empty, and its space missing.
  const bool is_http = line.size() >= 12 && line.starts_with("HTTP/1.") && is_digit(line[7]) && line[8] == ' ' &&
                       is_digit(line[9]) && is_digit(line[10]) && is_digit(line[11]) &&
                       (line.size() == 12 || line[12] == ' ');
  if (!is_http) {
    fail("not HTTP/1");
    return;
  }
  status_ = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (status_ < 100) {
    fail("status below 100");
    return;
  }
  keeps_alive_ = line[7] != '0';
  part_ = Part::header_line;
}

void ResponseReader::take_header(std::string_view line) {
  const char first = lower(line.front());
  if (first != 'c' && first != 't') {
    if (line.find(':') == std::string_view::npos && first != ' ' && first != '\t') fail("header line without a colon");
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    fail("header line without a colon");
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (equal_ignoring_case(name, "content-length")) {
    std::uint64_t length = 0;
    if (value.empty() || value.size() > 18) {
      fail("content-length is no number");
      return;
    }
    for (const char digit : value) {
      if (!is_digit(digit)) {
        fail("content-length is no number");
        return;
      }
      length = length * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    if (has_length_ && length != left_bytes_) {
      fail("two content-lengths");
      return;
    }
    has_length_ = true;
    left_bytes_ = length;
  } else if (equal_ignoring_case(name, "transfer-encoding")) {
    // Only the last coding frames the message.
    const std::size_t comma = value.rfind(',');
    const std::string_view last = comma == std::string_view::npos ? value : trim_blanks(value.substr(comma + 1));
    is_chunked_ = equal_ignoring_case(last, "chunked");
    has_other_coding_ = !is_chunked_;
  } else if (equal_ignoring_case(name, "connection")) {
    // Almost every server sends this header, so no list is made of it.
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t comma = rest.find(',');
      const std::string_view option = trim_blanks(rest.substr(0, comma));
      if (equal_ignoring_case(option, "close")) keeps_alive_ = false;
      if (equal_ignoring_case(option, "keep-alive")) keeps_alive_ = true;
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
}

void ResponseReader::take_head_end() {
  if (status_ < 200 && status_ != 101) {
    // An interim answer (100 Continue, 103 Early Hints): the final one follows.
    const bool is_answer_to_head = is_answer_to_head_;
    begin(is_answer_to_head);
    has_begun_ = true;
    return;
  }
  if (status_ == 101) keeps_alive_ = false;  // from here on another protocol
  if (is_answer_to_head_ || status_ == 204 || status_ == 304 || status_ == 101) {
    complete();
  } else if (is_chunked_) {
    // With a length beside it somebody on the way is confused; the chunks count, and the connection is not used again.
    if (has_length_) keeps_alive_ = false;
    part_ = Part::chunk_size;
    head_bytes_ = 0;
  } else if (has_other_coding_ || !has_length_) {
    part_ = Part::endless_body;
    keeps_alive_ = false;
  } else if (left_bytes_ == 0) {
    complete();
  } else {
    part_ = Part::sized_body;
  }
}

void ResponseReader::take_chunk_size(std::string_view line) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line.size(); ++digits) {
    const char digit = lower(line[digits]);
    if (is_digit(digit)) {
      size = size * 16 + static_cast<std::uint64_t>(digit - '0');
    } else if (digit >= 'a' && digit <= 'f') {
      size = size * 16 + static_cast<std::uint64_t>(digit - 'a' + 10);
    } else {
      break;
    }
    if (digits >= 15) {
      fail("chunk size too long");
      return;
    }
  }
  const std::string_view rest = trim_blanks(line.substr(digits));
  if (digits == 0 || (!rest.empty() && rest.front() != ';')) {
    fail("chunk size is no number");
    return;
  }
  left_bytes_ = size;
  if (size == 0) {
    part_ = Part::trailer_line;
    head_bytes_ = 0;
  } else {
    part_ = Part::chunk_data;
  }
}

}  // namespace mpca::load
