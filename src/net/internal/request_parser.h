// One HTTP/1.x request after the other out of the bytes of a connection: Boost.Beast's parser, and on top of it what
// Beast leaves to its user. Strict where leniency lets two readers of one byte stream disagree about where a request
// ends (request smuggling). RFC 9112, HTTP/1.1; RFC 9110, HTTP Semantics.
//
// Beast refuses what is malformed, lone LFs, a space before the colon, different lengths, a length beside a chunked
// body. We refuse what it takes: folded lines, any transfer coding but one `chunked`, bodies of HTTP/1.0 in chunks,
// heads without a Host or with two, expectations that nobody can meet, and whatever is too large.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace mpca::net::internal {

struct HeadLimits {
  std::size_t max_bytes = std::size_t{1} << 20;
  std::size_t max_fields = 200;
};

struct RequestHead {
  std::string_view method;
  std::string_view path;   // as sent, before `?`; of an absolute-form target without scheme and authority
  std::string_view query;  // after the first `?`
  int minor_version = 1;
  bool keep_alive = true;
  bool expects_continue = false;
};

class RequestParser {
 public:
  enum class State { head, body, done, bad };

  explicit RequestParser(const HeadLimits& limits);
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;
  ~RequestParser();

  /// Reads the head. `bytes` begin where the request begins (or empty lines before it), also when earlier calls have
  /// seen a part of them.
  ///   returns  head  there is more of it to come
  ///            body, done  head() is complete, and the body follows or there is none
  ///            bad   status() and why() say what to answer. Garbage is bad as early as its first bytes show it, if
  ///                  they came together; a head longer than the limit is before it is complete
  ///   cost     O(bytes) over all calls, no allocation
  State read_head(std::string_view bytes);
  /// Views into the bytes of the last read_head().
  const RequestHead& head() const;
  std::size_t head_bytes() const;

  /// Reads past the body, which nobody wants.
  ///   returns  how many of `bytes` belong to it; what is left has to come again with more behind it
  std::size_t read_body(std::string_view bytes);

  State state() const;
  int status() const;
  const char* why() const;

  /// For the next request.
  void restart();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::net::internal
