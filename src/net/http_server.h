// An HTTP/1.1 server on one thread: of toy-load, and of metrics and health ports. Its handler may answer at once or
// later on the same thread, and hears when the client has gone. Request bodies are read past, never handed over:
// nothing here takes one. On Boost.Asio and Boost.Beast's parser, with the timers and the mailbox that such a handler
// needs.
//
// A client that goes away, or closes its half of the connection, gives up the request it waits for, as with Go's
// net/http.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace mpca::net {

struct HttpServerSettings {
  /// An IPv4 or IPv6 address, or `localhost` (127.0.0.1). Empty: every address of both families.
  std::string host = {};
  /// 0: any free one; HttpServer::port() says which.
  int port = 0;
  /// A listening socket to take over instead of host and port (systemd's socket activation); -1: none.
  int inherited_listener = -1;

  std::size_t max_header_bytes = std::size_t{1} << 20;     // 431 beyond
  std::size_t max_header_fields = 200;                     // 431 beyond
  Duration read_header_timeout = std::chrono::seconds(5);  // first byte (or accept) to the end of the head
  Duration read_timeout = std::chrono::seconds(5);         // first byte to the end of the body
  Duration write_timeout = std::chrono::seconds(20);       // an answer that the client does not read
  Duration idle_timeout = std::chrono::seconds(60);        // between two requests
};

/// Views that live as long as the handler runs.
struct HttpRequest {
  std::string_view method;
  std::string_view path;   // as sent, before `?`
  std::string_view query;  // as sent, after `?`
};

/// Copied when given. Content-Length, Date and Connection are the server's to say.
struct HttpAnswer {
  int status = 200;
  std::string_view body = {};
  std::string_view content_type = "text/plain; charset=utf-8";
  /// Further header lines, each ended by CR LF: `Allow: GET\r\n`.
  std::string_view header_lines = {};
  /// So many letters `a` after the body: a payload of any size costs no memory.
  std::size_t fill_bytes = 0;
};

class HttpServer;

/// The right to answer one request, once. Cheap to copy; valid as long as its server lives, also after the client has
/// gone; for the server's thread only.
class Responder {
 public:
  /// False, and nothing happens, when the client has gone or the request is answered already.
  bool answer(const HttpAnswer& answer) const;
  /// Calls `callback` if the client goes away before the answer. Replaces an earlier one.
  void on_gone(std::function<void()> callback) const;

 private:
  friend class HttpServer;
  void* connection_ = nullptr;
  std::uint64_t request_ = 0;
};

class HttpServer {
 public:
  using Handler = std::function<void(const HttpRequest&, const Responder&)>;

  /// Listens from here on; answers from run() on. `handler` must not throw.
  ///   errors   invalid_argument  `host` is no address, or the inherited descriptor no listening socket
  ///            io                the address is in use or not allowed, with the system's reason
  static Result<HttpServer> create(const HttpServerSettings& settings, Handler handler);
  HttpServer(HttpServer&&) noexcept;
  HttpServer& operator=(HttpServer&&) noexcept;
  ~HttpServer();

  int port() const;

  /// Serves until drained or stopped.
  ///   returns  how many requests were cut off unanswered
  int run();

  /// Runs `task` in run(), soon. The only function that other threads may call; valid until the server is destroyed.
  void post(std::function<void()> task);

  // What follows is for the server's thread: the handler, tasks and timers, or anybody while run() does not run.

  /// Stops listening. Requests that have begun, and what open connections still ask, are answered with
  /// `Connection: close`; run() returns when nothing is left to answer, at the latest after `limit`.
  void drain(Duration limit);
  /// run() returns now.
  void stop();

  using TimerId = std::uint64_t;
  /// Runs `task` once at `time` (of os::monotonic_now()) or soon after. Equal times run in the order they were asked
  /// for.
  TimerId call_at(Duration time, std::function<void()> task);
  /// False when it has run already.
  bool cancel(TimerId timer);

  int open_connections() const;

 private:
  friend class Responder;
  struct Connection;
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::net
