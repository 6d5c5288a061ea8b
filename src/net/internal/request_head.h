// The head of an HTTP/1.x request: request line and header fields, up to the empty line. Strict where leniency lets two
// readers of one byte stream disagree about where a request ends (request smuggling), lenient where people type by
// hand. RFC 9112, HTTP/1.1; RFC 9110, HTTP Semantics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mpca::net::internal {

struct RequestHead {
  std::string_view method;
  std::string_view path;   // as sent, before `?`; of an absolute-form target without scheme and authority
  std::string_view query;  // after the first `?`
  int minor_version = 1;   // HTTP/1.0 or HTTP/1.1; a later minor version is 1.1 to us
  bool keep_alive = true;
  bool chunked = false;
  std::uint64_t content_length = 0;
  bool expects_continue = false;
};

struct HeadLimits {
  std::size_t max_bytes = std::size_t{1} << 20;
  std::size_t max_fields = 200;
};

struct HeadResult {
  enum class State { complete, incomplete, bad };
  State state = State::incomplete;
  std::size_t bytes = 0;  // complete: the length of the head, its empty line and empty lines before it included
  RequestHead head;       // complete: views into the text
  int status = 400;       // bad: what to answer
  const char* why = "";   // bad: what was wrong
};

/// Reads one head from the start of `bytes`.
///
/// Garbage is bad as early as its first bytes show it; a head longer than the limit is 431 before it is complete.
/// `Host` has to be there once in HTTP/1.1. Both lengths at once, two different lengths, a transfer coding other than
/// chunked, a folded line and a space before the colon are bad. A lone LF ends a line as CR LF does.
///   scanned  how many of these bytes an earlier call found incomplete: those are not searched again
///   cost     O(bytes), no allocation
HeadResult parse_request_head(std::string_view bytes, const HeadLimits& limits, std::size_t scanned = 0);

/// Reads past a body that nobody wants.
class BodyDrain {
 public:
  BodyDrain() = default;
  explicit BodyDrain(const RequestHead& head)
      : state_(head.chunked ? State::size : State::data), remaining_(head.content_length), chunked_(head.chunked) {
    if (!chunked_ && remaining_ == 0) state_ = State::done;
  }

  /// How many of `bytes` belong to the body.
  std::size_t drain(std::string_view bytes);
  bool is_done() const { return state_ == State::done; }
  /// Not the chunked coding: where the body ends will never be known.
  bool is_bad() const { return state_ == State::bad; }

 private:
  enum class State {
    size,
    extension,
    size_end,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_end,
    done,
    bad
  };
  State step(char byte);

  State state_ = State::done;
  std::uint64_t remaining_ = 0;  // of the body or the chunk
  bool chunked_ = false;
  int size_digits_ = 0;
  std::size_t overhead_bytes_ = 0;  // extensions and trailers of the whole body
};

}  // namespace mpca::net::internal
