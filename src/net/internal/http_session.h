// What the bytes of one connection mean, without the connection: bytes in, requests out; answers in, bytes out. No
// socket and no clock, so a fuzzer can be the client.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "net/http_server.h"
#include "net/internal/request_parser.h"

namespace mpca::net::internal {

/// To be written: `bytes`, then `fill` letters a. Nothing is appended while `fill` is open.
struct HttpOutput {
  std::string bytes;
  std::size_t fill = 0;

  bool empty() const { return bytes.empty() && fill == 0; }
};

class HttpSession {
 public:
  struct Requests {
    virtual ~Requests() = default;
    /// answer() may be called before this returns, or later.
    virtual void on_request(const HttpRequest& request) = 0;
  };

  explicit HttpSession(const HeadLimits& limits) : parser_(limits) {}

  /// Takes what the client sent. Hands over one request at a time: the next one when the last is answered, its body
  /// read past, and `output` not too full. What comes early is kept for resume().
  void receive(std::string_view bytes, Requests& requests, HttpOutput& output);
  /// Goes on with what was kept: after an answer that came later, and after the output was written.
  void resume(Requests& requests, HttpOutput& output);

  /// Answers the request handed over last. `date`: the value of the Date header. `is_last`: the connection closes after
  /// it.
  void answer(const HttpAnswer& answer, std::string_view date, bool is_last, HttpOutput& output);
  /// An answer to what never became a request (a time limit); nothing more is read.
  void reject(int status, std::string_view why, HttpOutput& output);

  /// A request was handed over and not yet answered.
  bool is_working() const { return working_; }
  /// Nothing more will be handed over; close when the output is written.
  bool is_closing() const { return closing_; }
  /// Bytes of the client were or will be left unread: closing at once could take the answer from it.
  bool has_unread() const { return has_unread_; }
  bool is_in_body() const { return parser_.state() == RequestParser::State::body; }
  /// A head or a part of a body has begun and is not complete, or waits for its turn.
  bool has_kept_bytes() const { return !input_.empty(); }
  std::size_t kept_bytes() const { return input_.size(); }
  /// Requests handed over so far.
  std::uint64_t requests() const { return requests_; }

  /// As new, for the next connection; keeps no large buffers.
  void reset();

 private:
  explicit HttpSession(RequestParser parser) : parser_(std::move(parser)) {}
  std::size_t consume(std::string_view bytes, Requests& requests, HttpOutput& output);
  void keep_rest(std::string_view rest);

  RequestParser parser_;
  std::string input_;              // received, not consumed
  std::size_t drained_bytes_ = 0;  // of the body, after the answer
  std::uint64_t requests_ = 0;
  bool working_ = false;
  bool closing_ = false;
  bool has_unread_ = false;
  bool keep_alive_ = true;
  bool is_http_1_0_ = false;
  bool is_head_ = false;
};

}  // namespace mpca::net::internal
