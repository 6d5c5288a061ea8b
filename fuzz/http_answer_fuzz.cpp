// Any bytes that a server sends before it closes the connection, to our HTTP client over a real socket: a failure with
// words or an answer, and a stream's lines are those of the whole answer's body.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/result.h"
#include "net/http_client.h"

namespace {

using namespace mpca;

/// Answers each connection with the bytes of the moment, then closes it.
class Server {
 public:
  Server() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    MPCA_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0 && listen(listener_, 64) == 0 &&
                   getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0,
               "a free port");
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
    std::thread([this] { serve(); }).detach();  // as long as the fuzzer
  }
  const std::string& url() const { return url_; }
  /// Only while nothing is asked.
  void set_answer(std::string_view bytes) { answer_ = bytes; }

 private:
  void serve() const {
    while (true) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      std::string request;
      char piece[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t count = recv(connection, piece, sizeof piece, 0);
        if (count <= 0) break;
        request.append(piece, static_cast<std::size_t>(count));
      }
      if (!answer_.empty()) static_cast<void>(send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL));
      shutdown(connection, SHUT_WR);
      while (recv(connection, piece, sizeof piece, 0) > 0) {
      }
      close(connection);
    }
  }

  int listener_ = -1;
  std::string url_;
  std::string answer_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono_literals;
  static Server& server = *new Server;
  server.set_answer({reinterpret_cast<const char*>(data), size});
  const auto client = [] { return net::HttpClient({.timeout = 2s, .reply_headers = {"Retry-After"}}); };
  const auto reply = client().send({.url = server.url()});
  std::string lines;
  const auto streamed = client().stream_lines({.url = server.url()}, 2s, {}, [&](std::string_view line) {
    MPCA_CHECK(line.find('\n') == std::string_view::npos, "a line has no line break");
    lines += line;
    lines += '\n';
    return true;
  });
  MPCA_CHECK(reply.has_value() == streamed.has_value(), "both ways come to an answer or to none");
  if (!reply) {
    MPCA_CHECK(!reply.error().message.empty(), "a failure has words");
    return 0;
  }
  MPCA_CHECK(reply->status >= 100 && reply->status <= 999 && reply->status == streamed->status, "the same status");
  MPCA_CHECK(reply->header("Retry-After") == streamed->header("Retry-After"), "the same header");
  if (reply->status / 100 == 2) {
    std::string whole = reply->body.substr(0, reply->body.rfind('\n') + 1);  // a part of a line is none
    std::erase(whole, '\r');
    std::erase(lines, '\r');
    MPCA_CHECK(whole == lines, "the lines of the body");
  } else {
    MPCA_CHECK(reply->body == streamed->body, "the same body");
  }
  return 0;
}
