// A TCP server on loopback whose behaviour a test writes as a function: what one connection sees. Each connection has a
// thread; all end with the server.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/result.h"

namespace mpca::test {

class ScriptedServer {
 public:
  class Client {
   public:
    explicit Client(int socket) : socket_(socket) {}
    /// The next request, head and body; empty when the client has gone.
    std::string read_request() {
      while (true) {
        const std::size_t head_end = buffer_.find("\r\n\r\n");
        if (head_end != std::string::npos) {
          std::size_t length = head_end + 4;
          const std::size_t field = buffer_.find("Content-Length: ");
          if (field < head_end) length += std::stoul(buffer_.substr(field + 16));
          if (buffer_.size() >= length) {
            std::string request = buffer_.substr(0, length);
            buffer_.erase(0, length);
            return request;
          }
        }
        char piece[4096];
        const ssize_t got = recv(socket_, piece, sizeof piece, 0);
        if (got <= 0) return "";
        buffer_.append(piece, static_cast<std::size_t>(got));
      }
    }
    void write(std::string_view text) const { send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
    /// Until the client goes or the server ends.
    void wait_for_end() const {
      char piece[4096];
      while (recv(socket_, piece, sizeof piece, 0) > 0) {
      }
    }
    /// The close that follows is a reset.
    void reset_at_end() const {
      const linger at_once{1, 0};
      setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }

   private:
    int socket_;
    std::string buffer_;
  };
  using Script = std::function<void(Client&)>;

  ///   port   0: any free one; else one that a server of before had
  explicit ScriptedServer(Script script, std::uint16_t port = 0) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int reuse = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MPCA_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "a loopback port");
    MPCA_CHECK(listen(listener_, 1024) == 0, "a listening port");
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~ScriptedServer() { stop(); }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  int accepted() const { return accepted_.load(); }

  /// As if the process were killed: all connections break and new ones are refused. Not from a script.
  void stop() {
    if (is_stopped_.exchange(true)) return;
    shutdown(listener_, SHUT_RDWR);
    acceptor_ = {};
    close(listener_);
    {
      const std::scoped_lock lock(mutex_);
      for (const Connection& connection : connections_) shutdown(connection.socket, SHUT_RDWR);
    }
    connections_.clear();
  }

 private:
  struct Connection {
    int socket = -1;
    std::jthread thread;
  };

  void accept_all() {
    while (true) {
      const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0 || is_stopped_) {
        if (socket >= 0) close(socket);
        return;
      }
      ++accepted_;
      const std::scoped_lock lock(mutex_);
      Connection& connection = connections_.emplace_back();
      connection.socket = socket;
      connection.thread = std::jthread([this, &connection] { serve(connection); });
    }
  }

  void serve(Connection& connection) {
    Client client(connection.socket);
    script_(client);
    const std::scoped_lock lock(mutex_);
    close(connection.socket);
    connection.socket = -1;
  }

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::atomic<bool> is_stopped_{false};
  std::mutex mutex_;  // of the connections' sockets
  std::list<Connection> connections_;
  std::jthread acceptor_;
};

/// Answers every request with `answer` until the client goes.
inline ScriptedServer::Script always(std::string answer) {
  return [answer = std::move(answer)](ScriptedServer::Client& client) {
    while (!client.read_request().empty()) client.write(answer);
  };
}

inline std::string http_answer(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) + " Words\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

}  // namespace mpca::test
