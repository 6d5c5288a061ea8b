#include "net/http_client.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <latch>
#include <string>

#include "support/tiny_http_server.h"

namespace mpca::net {
namespace {

using namespace std::chrono_literals;
using test::TinyHttpServer;

HttpClient client_with(Duration timeout = 5s, std::size_t max_body_bytes = 1 << 20) {
  return HttpClient(HttpClientSettings{.timeout = timeout, .max_body_bytes = max_body_bytes});
}

TEST(HttpClient, AnyStatusIsAReply) {
  TinyHttpServer server([](std::string_view path) {
    return TinyHttpServer::Answer{TinyHttpServer::reply(path == "/metrics" ? 200 : 503, path), false};
  });
  HttpClient client = client_with();
  const auto good = client.get(server.url("/metrics"));
  ASSERT_TRUE(good.has_value()) << good.error().message;
  EXPECT_EQ(good->status, 200);
  EXPECT_EQ(good->body, "/metrics");
  const auto unready = client.get(server.url("/readyz"));
  ASSERT_TRUE(unready.has_value());
  EXPECT_EQ(unready->status, 503);
}

TEST(HttpClient, OneConnectionServesManyCalls) {
  TinyHttpServer server([](std::string_view) { return TinyHttpServer::ok("x"); });
  HttpClient client = client_with();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client.get(server.url()).has_value());
  EXPECT_EQ(server.accepted_connections(), 1);
}

TEST(HttpClient, AConnectionThatTheServerClosedInBetweenIsNoFailure) {
  TinyHttpServer server([](std::string_view) {
    return TinyHttpServer::Answer{TinyHttpServer::reply(200, "x"), true};  // says keep-alive, and closes
  });
  HttpClient client = client_with();
  for (int i = 0; i < 20; ++i) {
    const auto reply = client.get(server.url());
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
  }
}

TEST(HttpClient, ManyAreAskedAtTheSameTimeAndAnswerInOrder) {
  std::latch all_have_come(5);  // in turn they would never all be there
  TinyHttpServer server([&](std::string_view path) {
    all_have_come.arrive_and_wait();
    return TinyHttpServer::ok(path);
  });
  std::vector<std::string> urls;
  for (int i = 0; i < 5; ++i) urls.push_back(server.url("/" + std::to_string(i)));
  HttpClient client = client_with(30s);
  const auto replies = client.get_all(urls);
  ASSERT_EQ(replies.size(), 5u);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(replies[i].has_value()) << replies[i].error().message;
    EXPECT_EQ(replies[i]->body, "/" + std::to_string(i));
  }
}

TEST(HttpClient, TheBadOnesOfManyDoNotSpoilTheOthers) {
  TinyHttpServer server([](std::string_view) { return TinyHttpServer::ok("x"); });
  HttpClient client = client_with();
  const std::string urls[] = {"ftp://127.0.0.1/", server.url(), "http://127.0.0.1:1/", server.url("/b")};
  const auto replies = client.get_all(urls);
  EXPECT_EQ(replies[0].error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(replies[1].has_value());
  EXPECT_EQ(replies[2].error().message, "http://127.0.0.1:1/: connection refused");
  EXPECT_TRUE(replies[3].has_value());
  EXPECT_TRUE(client.get_all({}).empty());
}

TEST(HttpClient, SilenceEndsAtTheTimeLimit) {
  TinyHttpServer server([](std::string_view) { return std::nullopt; });
  HttpClient client = client_with(50ms);
  const auto reply = client.get(server.url());
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, ErrorCode::io);
  EXPECT_EQ(reply.error().message, server.url() + ": timed out after 50ms");
}

TEST(HttpClient, AnAnswerLargerThanTheLimitIsRefusedAnnouncedOrNot) {
  TinyHttpServer server([](std::string_view path) {
    const std::string body(path == "/fits" ? 1000 : 1001, 'a');
    if (path == "/unannounced") return TinyHttpServer::Answer{"HTTP/1.1 200 OK\r\n\r\n" + body, true};
    return TinyHttpServer::ok(body);
  });
  HttpClient client = client_with(5s, 1000);
  EXPECT_EQ(client.get(server.url("/fits")).value().body.size(), 1000u);
  for (const char* path : {"/announced", "/unannounced"}) {
    EXPECT_EQ(client.get(server.url(path)).error().message,
              server.url(path) + ": the answer is larger than 1000 bytes");
  }
}

TEST(HttpClient, WhatIsNoCompleteAnswerIsAnErrorAndTheNextCallWorks) {
  TinyHttpServer server([](std::string_view path) {
    if (path == "/closed") return TinyHttpServer::Answer{"", true};
    if (path == "/cut") return TinyHttpServer::Answer{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true};
    if (path == "/garbage") return TinyHttpServer::Answer{"\x16\x03\x01 what is this\r\n\r\n", true};
    return TinyHttpServer::ok("x");
  });
  HttpClient client = client_with();
  EXPECT_EQ(client.get(server.url("/closed")).error().message,
            server.url("/closed") + ": the connection was closed without an answer");
  EXPECT_EQ(client.get(server.url("/cut")).error().message, server.url("/cut") + ": the answer ended too early");
  EXPECT_EQ(client.get(server.url("/garbage")).error().code, ErrorCode::io);
  EXPECT_TRUE(client.get(server.url("/good")).has_value());
}

TEST(HttpClient, HttpsNeedsAServerThatSpeaksTls) {
  TinyHttpServer server([](std::string_view) { return TinyHttpServer::ok("x"); });
  HttpClient client = client_with(50ms);
  EXPECT_EQ(client.get("https://127.0.0.1:" + std::to_string(server.port())).error().code, ErrorCode::io);
}

TEST(HttpClient, WhatIsNoUrlIsRefused) {
  HttpClient client = client_with();
  for (const char* url : {"", "127.0.0.1:9090/x", "file:///etc/passwd", "http://", "http://a b/"}) {
    const auto reply = client.get(url);
    ASSERT_FALSE(reply.has_value()) << url;
    EXPECT_EQ(reply.error().code, ErrorCode::invalid_argument) << url;
  }
}

TEST(HttpClient, TheEnvironmentsProxyIsForOtherMachinesOnly) {
  TinyHttpServer proxy([](std::string_view path) { return TinyHttpServer::ok("proxy for " + std::string(path)); });
  TinyHttpServer server([](std::string_view) { return TinyHttpServer::ok("direct"); });
  setenv("http_proxy", proxy.url().c_str(), 1);
  HttpClient client = client_with();
  EXPECT_EQ(client.get(server.url()).value().body, "direct");
  EXPECT_EQ(client.get("http://prometheus.invalid/x").value().body, "proxy for http://prometheus.invalid/x");
  HttpClient without(HttpClientSettings{.proxy_from_environment = false});
  EXPECT_FALSE(without.get("http://prometheus.invalid/x").has_value());
  unsetenv("http_proxy");
}

TEST(HttpClient, MayBeMoved) {
  TinyHttpServer server([](std::string_view) { return TinyHttpServer::ok("x"); });
  HttpClient first = client_with();
  ASSERT_TRUE(first.get(server.url()).has_value());
  HttpClient second = std::move(first);
  EXPECT_TRUE(second.get(server.url()).has_value());
}

}  // namespace
}  // namespace mpca::net
