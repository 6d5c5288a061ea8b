#include "net/internal/http_session.h"

#include <charconv>
#include <utility>

namespace mpca::net::internal {
namespace {

using State = RequestParser::State;

// A body that goes on after its answer is read past so far, as Go's net/http does, before the connection is given up.
constexpr std::size_t kMaxDrainedBytes = std::size_t{256} << 10;
// Pipelined requests wait when their answers pile up.
constexpr std::size_t kFullOutputBytes = std::size_t{64} << 10;
constexpr std::size_t kKeptCapacityBytes = 4096;

std::string_view status_line(int status) {
  switch (status) {
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 405:
      return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 408:
      return "HTTP/1.1 408 Request Timeout\r\n";
    case 417:
      return "HTTP/1.1 417 Expectation Failed\r\n";
    case 431:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case 500:
      return "HTTP/1.1 500 Internal Server Error\r\n";
    case 501:
      return "HTTP/1.1 501 Not Implemented\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    case 505:
      return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
    default:
      return {};
  }
}

void append_number(std::string& text, std::uint64_t number) {
  char digits[20];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

void HttpSession::receive(std::string_view bytes, Requests& requests, HttpOutput& output) {
  if (input_.empty()) {
    keep_rest(bytes.substr(consume(bytes, requests, output)));
    return;
  }
  input_.append(bytes);
  resume(requests, output);
}

void HttpSession::resume(Requests& requests, HttpOutput& output) {
  if (input_.empty()) return;
  const std::size_t consumed = consume(input_, requests, output);
  if (consumed == input_.size()) {
    input_.clear();
    if (input_.capacity() > kKeptCapacityBytes) input_.shrink_to_fit();
  } else if (consumed > 0) {
    input_.erase(0, consumed);
  }
}

void HttpSession::keep_rest(std::string_view rest) {
  if (!rest.empty()) input_.assign(rest);
}

std::size_t HttpSession::consume(std::string_view bytes, Requests& requests, HttpOutput& output) {
  std::size_t at = 0;
  while (true) {
    if (closing_) {
      has_unread_ = has_unread_ || at < bytes.size();
      return bytes.size();
    }
    if (is_in_body()) {
      const std::size_t drained = parser_.read_body(bytes.substr(at));
      at += drained;
      if (!working_) drained_bytes_ += drained;
      if (parser_.state() == State::bad || drained_bytes_ > kMaxDrainedBytes) {
        parser_.restart();
        keep_alive_ = false;
        has_unread_ = true;
        closing_ = !working_;
        if (working_) return bytes.size();
        continue;
      }
      if (is_in_body()) return at;
    }
    if (working_) {
      if (keep_alive_) return at;
      has_unread_ = has_unread_ || at < bytes.size();  // nothing is wanted after the last request
      return bytes.size();
    }
    if (at == bytes.size() || output.fill > 0 || output.bytes.size() > kFullOutputBytes) return at;

    if (parser_.state() != State::head) parser_.restart();
    const State state = parser_.read_head(bytes.substr(at));
    if (state == State::head) return at;
    if (state == State::bad) {
      reject(parser_.status(), parser_.why(), output);
      continue;
    }
    at += parser_.head_bytes();
    const RequestHead& head = parser_.head();
    drained_bytes_ = 0;
    keep_alive_ = head.keep_alive;
    is_http_1_0_ = head.minor_version == 0;
    is_head_ = head.method == "HEAD";
    const HttpRequest request{.method = head.method, .path = head.path, .query = head.query};
    if (head.expects_continue && is_in_body()) {
      // The final answer comes without the body (RFC 9110, 10.1.1); whether the client sends it all the same is
      // unknown.
      parser_.restart();
      keep_alive_ = false;
      has_unread_ = true;
    }
    working_ = true;
    ++requests_;
    requests.on_request(request);
  }
}

void HttpSession::answer(const HttpAnswer& answer, std::string_view date, bool is_last, HttpOutput& output) {
  MPCA_CHECK(working_ && output.fill == 0, "an answer belongs to a request");
  working_ = false;
  if (is_last) keep_alive_ = false;
  std::string& text = output.bytes;
  if (const std::string_view line = status_line(answer.status); !line.empty()) {
    text.append(line);
  } else {
    text.append("HTTP/1.1 ");
    append_number(text, static_cast<std::uint64_t>(answer.status));
    text.append(" -\r\n");
  }
  text.append("Content-Type: ").append(answer.content_type);
  text.append("\r\nContent-Length: ");
  append_number(text, answer.body.size() + answer.fill_bytes);
  if (!date.empty()) text.append("\r\nDate: ").append(date);
  if (!keep_alive_)
    text.append("\r\nConnection: close");
  else if (is_http_1_0_)
    text.append("\r\nConnection: keep-alive");
  text.append("\r\n").append(answer.header_lines).append("\r\n");
  if (!is_head_) {
    text.append(answer.body);
    output.fill = answer.fill_bytes;
  }
  if (!keep_alive_) {
    closing_ = true;
    has_unread_ = has_unread_ || is_in_body();
    parser_.restart();
  }
}

void HttpSession::reject(int status, std::string_view why, HttpOutput& output) {
  working_ = true;
  keep_alive_ = false;
  is_head_ = false;
  has_unread_ = true;
  std::string body(why);
  body += '\n';
  answer({.status = status, .body = body}, {}, true, output);
}

void HttpSession::reset() {
  RequestParser parser = std::move(parser_);
  parser.restart();
  std::string buffer = std::move(input_);
  buffer.clear();
  *this = HttpSession(std::move(parser));
  if (buffer.capacity() <= kKeptCapacityBytes) input_ = std::move(buffer);
}

}  // namespace mpca::net::internal
