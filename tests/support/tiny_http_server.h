// An HTTP server for tests of clients, on a port of 127.0.0.1 that the system chooses. It answers each request with the
// bytes that the test's function gives for its path: nothing is checked or completed, so it can also answer garbage.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/result.h"

namespace mpca::test {

class TinyHttpServer {
 public:
  struct Answer {
    std::string bytes;
    bool then_close = false;
  };
  /// Gets the path with its query; nullopt answers nothing and leaves the connection open. Called from several threads.
  using Respond = std::function<std::optional<Answer>(std::string_view path)>;

  explicit TinyHttpServer(Respond respond) : respond_(std::move(respond)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    MPCA_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0 && listen(listener_, 64) == 0 &&
                   getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0,
               "a test needs a free port");
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~TinyHttpServer() {
    shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : connections_) shutdown(connection, SHUT_RDWR);
    }
    for (std::thread& thread : serving_) thread.join();
    for (const int connection : connections_) close(connection);
    close(listener_);
  }
  TinyHttpServer(const TinyHttpServer&) = delete;
  TinyHttpServer& operator=(const TinyHttpServer&) = delete;

  int port() const { return port_; }
  std::string url(std::string_view path = "") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  int accepted_connections() const { return accepted_; }

  static Answer ok(std::string_view body) { return {reply(200, body), false}; }
  static std::string reply(int status, std::string_view body) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string(body);
  }

 private:
  void accept_all() {
    while (true) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      ++accepted_;
      const std::lock_guard lock(mutex_);
      connections_.push_back(connection);
      serving_.emplace_back([this, connection] { serve(connection); });
    }
  }

  void serve(int connection) const {
    std::string received;
    char piece[4096];
    while (true) {
      const ssize_t count = recv(connection, piece, sizeof piece, 0);
      if (count <= 0) return;
      received.append(piece, static_cast<std::size_t>(count));
      for (std::size_t end; (end = received.find("\r\n\r\n")) != std::string::npos; received.erase(0, end + 4)) {
        const std::size_t path = received.find(' ') + 1;
        const auto answer = respond_(std::string_view(received).substr(path, received.find(' ', path) - path));
        if (!answer) continue;
        if (!send_all(connection, answer->bytes)) return;
        if (answer->then_close) {
          shutdown(connection, SHUT_RDWR);
          return;
        }
      }
    }
  }

  static bool send_all(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  Respond respond_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::mutex mutex_;  // of the two below
  std::vector<int> connections_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

}  // namespace mpca::test
