#include "net/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/os/real_clock.h"

namespace mpca::net {
namespace {

using namespace std::chrono_literals;

/// A blocking client connection that gives up after ten seconds.
class Connection {
 public:
  explicit Connection(int port) : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{10, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { close_now(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_connected() const { return connected_; }
  void send(std::string_view text) {
    ASSERT_EQ(::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
  }
  void half_close() { shutdown(descriptor_, SHUT_WR); }
  void close_now() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }
  /// Until the text so far contains `part`, or the end.
  std::string read_until(std::string_view part) {
    std::string text;
    while (text.find(part) == std::string::npos && receive(text)) {
    }
    return text;
  }
  std::string read_to_the_end() {
    std::string text;
    while (receive(text)) {
    }
    return text;
  }

 private:
  bool receive(std::string& text) {
    const ssize_t count = recv(descriptor_, buffer_.data(), buffer_.size(), 0);
    if (count > 0) text.append(buffer_.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

  int descriptor_;
  std::vector<char> buffer_ = std::vector<char>(1 << 16);
  bool connected_ = false;
};

/// A server on a thread of its own. `/hold` is answered when held() is released; `/gone` counts those that went.
class Served {
 public:
  explicit Served(HttpServerSettings settings = {}) {
    settings.host = "127.0.0.1";
    server_ = HttpServer::create(settings, [this](const HttpRequest& request, const Responder& responder) {
                if (request.path == "/hold") {
                  held_.push_back(responder);
                  responder.on_gone([this] { ++gone_; });
                } else if (request.path == "/large") {
                  responder.answer({.body = "<", .fill_bytes = 32 << 20});
                } else if (request.path == "/release") {
                  server_->post([this] { release(); });
                  responder.answer({.body = "released"});
                } else if (request.path == "/counts") {
                  const std::string body =
                      "gone=" + std::to_string(gone_) + " open=" + std::to_string(server_->open_connections()) + " end";
                  responder.answer({.body = body});
                } else {
                  responder.answer({.body = request.path});
                }
              }).value();
    thread_ = std::thread([this] { cut_off_ = server_->run(); });
  }
  ~Served() {
    if (thread_.joinable()) {
      server_->post([this] { server_->stop(); });
      thread_.join();
    }
  }
  int port() const { return server_->port(); }
  void drain(Duration limit) {
    server_->post([this, limit] { server_->drain(limit); });
  }
  int join() {
    thread_.join();
    return cut_off_;
  }
  /// The body of /counts on a connection of its own.
  std::string counts() {
    Connection connection(port());
    connection.send("GET /counts HTTP/1.0\r\n\r\n");
    const std::string text = connection.read_to_the_end();
    return text.substr(text.find("\r\n\r\n") + 4);
  }
  /// Asks until the counts are so; a bounded number of times.
  bool come_to(const std::string& expected) {
    for (int i = 0; i < 2000; ++i) {
      if (counts() == expected) return true;
      std::this_thread::yield();
    }
    return false;
  }

 private:
  void release() {
    for (const Responder& responder : held_) responder.answer({.body = "held"});
    held_.clear();
  }
  std::optional<HttpServer> server_;
  std::vector<Responder> held_;
  int gone_ = 0;
  int cut_off_ = -1;
  std::thread thread_;
};

const std::string kHold = "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kNow = "GET /now HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(HttpServer, AnswersPipelinedRequestsInOrderAlsoWhenOneTakesLonger) {
  Served served;
  Connection connection(served.port());
  connection.send(kNow + kHold + kNow);
  EXPECT_TRUE(connection.read_until("/now").ends_with("/now"));
  Connection(served.port()).send("GET /release HTTP/1.0\r\n\r\n");
  const std::string rest = connection.read_until("/now");
  EXPECT_LT(rest.find("\r\n\r\nheld"), rest.find("\r\n\r\n/now")) << rest;
}

TEST(HttpServer, AClientThatGoesAwayGivesItsRequestUp) {
  Served served;
  Connection connection(served.port());
  connection.send(kHold);
  EXPECT_EQ(served.counts(), "gone=0 open=2 end");
  connection.close_now();
  EXPECT_TRUE(served.come_to("gone=1 open=1 end"));
  Connection(served.port()).send("GET /release HTTP/1.0\r\n\r\n");  // answering it does no harm
  EXPECT_TRUE(served.come_to("gone=1 open=1 end"));
}

TEST(HttpServer, AHalfClosedClientIsAnsweredWhatCanBeAnsweredAtOnce) {
  Served served;
  Connection connection(served.port());
  connection.send(kNow + kNow);
  connection.half_close();
  const std::string text = connection.read_to_the_end();
  EXPECT_NE(text.find("/now"), text.rfind("/now"));
  EXPECT_TRUE(served.come_to("gone=0 open=1 end"));
}

TEST(HttpServer, ALargeAnswerComesWholeToASlowReader) {
  Served served;
  Connection connection(served.port());
  connection.send("GET /large HTTP/1.0\r\n\r\n");
  const std::string text = connection.read_to_the_end();
  EXPECT_EQ(text.size() - text.find('<'), 1u + (32u << 20));
}

TEST(HttpServer, AClientThatDoesNotReadIsClosedInTime) {
  Served served({.write_timeout = 50ms});
  Connection connection(served.port());
  connection.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(served.come_to("gone=0 open=1 end"));
}

TEST(HttpServer, SlowHeadsIdleConnectionsAndSlowBodiesEndInTime) {
  Served served({.read_header_timeout = 30ms, .read_timeout = 30ms, .idle_timeout = 40ms});
  Connection silent(served.port()), slow(served.port()), idle(served.port()), body(served.port());
  slow.send("GET / HTT");
  idle.send(kNow);
  body.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n1");
  EXPECT_EQ(silent.read_to_the_end(), "");
  EXPECT_TRUE(slow.read_to_the_end().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_TRUE(idle.read_to_the_end().ends_with("/now"));
  EXPECT_TRUE(body.read_to_the_end().ends_with("/b"));
  slow.close_now();  // until then it would be read on, for half a second
  EXPECT_TRUE(served.come_to("gone=0 open=1 end"));
}

TEST(HttpServer, ALimitIsAnsweredBeforeTheConnectionCloses) {
  Served served({.max_header_bytes = 1000});
  Connection connection(served.port());
  connection.send("GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(connection.read_to_the_end().starts_with("HTTP/1.1 431 "));
}

TEST(HttpServer, DrainingAnswersWhatHasBegunAndTakesNothingNew) {
  Served served;
  Connection held(served.port()), idle(served.port());
  held.send(kHold);
  idle.send(kNow);
  idle.read_until("/now");
  served.counts();
  served.drain(1min);
  // The open connection still gets its answer, and is told that it is the last.
  idle.send("GET /release HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(idle.read_to_the_end().find("Connection: close"), std::string::npos);
  const std::string last = held.read_to_the_end();
  EXPECT_NE(last.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(last.ends_with("held"));
  EXPECT_EQ(served.join(), 0);
  EXPECT_FALSE(Connection(served.port()).is_connected());
}

TEST(HttpServer, DrainingCutsOffWhatTakesTooLong) {
  Served served;
  Connection held(served.port());
  held.send(kHold);
  served.counts();
  served.drain(20ms);
  EXPECT_EQ(served.join(), 1);
  EXPECT_EQ(held.read_to_the_end(), "");
}

TEST(HttpServer, AnAddressInUseAndANameAreErrors) {
  Served served;
  const auto quiet = [](const HttpRequest&, const Responder&) {};
  const auto taken = HttpServer::create({.host = "127.0.0.1", .port = served.port()}, quiet);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().code, ErrorCode::io);
  EXPECT_EQ(taken.error().message,
            "cannot listen on 127.0.0.1 port " + std::to_string(served.port()) + ": Address already in use");
  const auto named = HttpServer::create({.host = "example.test"}, quiet);
  ASSERT_FALSE(named.has_value());
  EXPECT_EQ(named.error().message, "host is \"example.test\"; must be an IPv4 or IPv6 address or localhost");
}

TEST(HttpServer, TakesOverAListeningSocketAndNothingElse) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const auto quiet = [](const HttpRequest&, const Responder&) {};
  EXPECT_FALSE(HttpServer::create({.inherited_listener = descriptor}, quiet).has_value());
  ASSERT_EQ(listen(descriptor, 10), 0);
  const auto server = HttpServer::create({.inherited_listener = descriptor}, quiet);
  ASSERT_TRUE(server.has_value());
  EXPECT_GT(server->port(), 0);
}

TEST(HttpServer, TimersRunInOrderAndCanBeCancelled) {
  auto server = HttpServer::create({.host = "127.0.0.1"}, [](const HttpRequest&, const Responder&) {}).value();
  std::string ran;
  const Duration now = os::monotonic_now();
  server.call_at(now + 3ms, [&] { ran += 'b'; });
  server.call_at(now + 1ms, [&] { ran += 'a'; });
  const auto cancelled = server.call_at(now + 2ms, [&] { ran += 'x'; });
  server.call_at(now + 4ms, [&] { server.stop(); });
  EXPECT_TRUE(server.cancel(cancelled));
  EXPECT_EQ(server.run(), 0);
  EXPECT_EQ(ran, "ab");
}

}  // namespace
}  // namespace mpca::net
