#include "lab/balancer.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "core/os/real_clock.h"
#include "core/text.h"
#include "net/http_client.h"
#include "support/scripted_server.h"

namespace mpca::lab {
namespace {

using namespace std::chrono_literals;
using test::ScriptedServer;

std::string answer(std::string_view body) {
  return cat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

ScriptedServer::Script says(std::string body) {
  return [body](ScriptedServer::Client& client) {
    while (!client.read_request().empty()) client.write(answer(body));
  };
}

struct Front {
  std::unique_ptr<Balancer> balancer = built_in_balancer(Listener::open().value());
  net::HttpClient client{{.timeout = 10s}};
  std::string url = cat("http://127.0.0.1:", balancer->port(), "/work");

  std::string get() {
    const auto reply = client.get(url);
    return reply ? cat(reply->status, " ", reply->body) : reply.error().message;
  }
};

TEST(Balancer, WithoutABackendItSaysSo) {
  Front front;
  EXPECT_EQ(front.get(), "503 no backend is ready\n");
  EXPECT_EQ(front.balancer->counts().no_backend, 1u);
}

TEST(Balancer, PassesAnswersOnAndTakesTurnsAmongIdleBackends) {
  ScriptedServer one(says("one")), two(says("two"));
  Front front;
  front.balancer->set_backends({{1, one.port()}, {2, two.port()}});
  std::vector<std::string> got;
  for (int i = 0; i < 4; ++i) got.push_back(front.get());
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (std::vector<std::string>{"200 one", "200 one", "200 two", "200 two"}));
  EXPECT_EQ(one.accepted(), 1) << "its connection is kept";
  EXPECT_EQ(front.balancer->counts().answered, 4u);
  EXPECT_EQ(front.balancer->counts().outstanding, 0u);
}

TEST(Balancer, ABusyBackendGetsNothingWhileAnIdleOneIsThere) {
  std::latch release(1), busy(1);
  ScriptedServer slow([&](ScriptedServer::Client& client) {
    if (client.read_request().empty()) return;
    busy.count_down();
    release.wait();
    client.write(answer("slow"));
  });
  ScriptedServer quick(says("quick"));
  Front front;
  front.balancer->set_backends({{1, slow.port()}});
  std::thread first([&] {
    net::HttpClient client{{.timeout = 10s}};
    EXPECT_EQ(client.get(front.url).value().body, "slow");
  });
  busy.wait();
  front.balancer->set_backends({{1, slow.port()}, {2, quick.port()}});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(front.get(), "200 quick");
  release.count_down();
  first.join();
}

TEST(Balancer, ARefusedConnectionIsTriedOnAnotherBackend) {
  const int nobody = Listener::open().value().port();  // closed again at once
  ScriptedServer server(says("here"));
  Front front;
  front.balancer->set_backends({{1, nobody}, {2, server.port()}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(front.get(), "200 here");
  EXPECT_GE(front.balancer->counts().retried, 1u);
  EXPECT_EQ(front.balancer->counts().bad_gateway, 0u);
}

TEST(Balancer, AConnectionThatBreaksTwiceIsABadGateway) {
  ScriptedServer breaks([](ScriptedServer::Client& client) {
    client.read_request();
    client.reset_at_end();
  });
  Front front;
  front.balancer->set_backends({{1, breaks.port()}});
  EXPECT_EQ(front.get(), "502 the backend's connection failed\n");
  EXPECT_EQ(front.balancer->counts().retried, 1u);
  EXPECT_EQ(breaks.accepted(), 2);
}

TEST(Balancer, AServersOwnErrorIsAnAnswerAndNotTriedAgain) {
  ScriptedServer failing([](ScriptedServer::Client& client) {
    while (!client.read_request().empty())
      client.write("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
  });
  Front front;
  front.balancer->set_backends({{1, failing.port()}});
  EXPECT_EQ(front.get(), "500 ");
  EXPECT_EQ(front.balancer->counts().retried, 0u);
}

TEST(Balancer, ARemovedBackendFinishesWhatItHas) {
  std::latch release(1), busy(1);
  ScriptedServer leaving([&](ScriptedServer::Client& client) {
    if (client.read_request().empty()) return;
    busy.count_down();
    release.wait();
    client.write(answer("done"));
  });
  Front front;
  front.balancer->set_backends({{1, leaving.port()}});
  std::thread first([&] {
    net::HttpClient client{{.timeout = 10s}};
    EXPECT_EQ(client.get(front.url).value().body, "done");
  });
  busy.wait();
  front.balancer->set_backends({});
  EXPECT_EQ(front.get(), "503 no backend is ready\n");
  release.count_down();
  first.join();
}

TEST(Balancer, AClientThatLeavesTakesItsRequestWithIt) {
  std::latch gone(1);
  ScriptedServer waits([&](ScriptedServer::Client& client) {
    if (client.read_request().empty()) return;
    client.wait_for_end();
    gone.count_down();
  });
  Front front;
  front.balancer->set_backends({{1, waits.port()}});
  net::HttpClient impatient{{.timeout = 50ms}};
  EXPECT_FALSE(impatient.get(front.url));
  gone.wait();  // the backend sees the end of its connection
  const Duration deadline = os::monotonic_now() + 10s;
  while (front.balancer->counts().client_gone == 0 && os::monotonic_now() < deadline) std::this_thread::yield();
  EXPECT_EQ(front.balancer->counts().client_gone, 1u);
  EXPECT_EQ(front.balancer->counts().outstanding, 0u);
}

TEST(Balancer, ARestartDropsConnectionsAndServesTheNext) {
  std::latch busy(1);
  std::atomic<bool> waits = true;
  ScriptedServer server([&](ScriptedServer::Client& client) {
    while (!client.read_request().empty()) {
      if (!waits) {
        client.write(answer("again"));
        continue;
      }
      busy.count_down();
      client.wait_for_end();
      return;
    }
  });
  Front front;
  front.balancer->set_backends({{1, server.port()}});
  std::thread dropped([&] {
    net::HttpClient client{{.timeout = 10s}};
    EXPECT_FALSE(client.get(front.url));
  });
  busy.wait();
  waits = false;
  front.balancer->restart();
  dropped.join();
  EXPECT_EQ(front.get(), "200 again");
}

}  // namespace
}  // namespace mpca::lab
