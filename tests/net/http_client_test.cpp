#include "net/http_client.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <latch>
#include <string>
#include <thread>

#include "support/scripted_server.h"
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
    if (path == "/no-status") return TinyHttpServer::Answer{"HTTP/200 OK\r\n\r\nabc", true};
    return TinyHttpServer::ok("x");
  });
  HttpClient client = client_with();
  EXPECT_EQ(client.get(server.url("/no-status")).error().message,
            server.url("/no-status") + ": the answer has no status");
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

TEST(HttpClient, MethodBodyAndHeadersGoOutAndTheHeadersAskedForComeBack) {
  std::string seen;
  test::ScriptedServer server([&](test::ScriptedServer::Client& client) {
    seen = client.read_request();
    client.write("HTTP/1.1 429 Slow\r\nretry-after: 7\r\nX-Other: 1\r\nContent-Length: 2\r\n\r\nno");
  });
  HttpClient client(HttpClientSettings{.reply_headers = {"Retry-After", "Content-Type"}});
  const auto reply = client.send({.method = "PATCH",
                                  .url = server.url("/a?b=c"),
                                  .body = R"({"x":1})",
                                  .content_type = "application/merge-patch+json",
                                  .headers = {{"Authorization", "Bearer t0k"}}});
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->status, 429);
  EXPECT_EQ(reply->body, "no");
  EXPECT_EQ(reply->header("Retry-After"), "7");
  EXPECT_EQ(reply->header("Content-Type"), "");
  EXPECT_EQ(reply->headers.size(), 1u);
  EXPECT_TRUE(seen.starts_with("PATCH /a?b=c HTTP/1.1\r\n")) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\n{\"x\":1}")) << seen;
  EXPECT_NE(seen.find("\r\nContent-Type: application/merge-patch+json\r\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("\r\nAuthorization: Bearer t0k\r\n"), std::string::npos) << seen;
}

TEST(HttpClient, AWriteOnAConnectionThatDiesIsNotSentASecondTime) {
  std::atomic<int> writes = 0;
  test::ScriptedServer server([&](test::ScriptedServer::Client& client) {
    client.read_request();
    client.write(test::http_answer(200, "warm"));
    if (client.read_request().starts_with("POST")) ++writes;  // and no answer: the connection closes
  });
  HttpClient client = client_with();
  ASSERT_TRUE(client.get(server.url()).has_value());
  const auto reply = client.send({.method = "POST", .url = server.url(), .body = "once"});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().kind, HttpFailure::Kind::no_answer);
  EXPECT_TRUE(reply.error().may_have_arrived);
  EXPECT_EQ(writes, 1);
}

TEST(HttpClient, ADeletionWithoutABodyIsNotSentASecondTimeEither) {
  std::atomic<int> deletions = 0;
  test::ScriptedServer server([&](test::ScriptedServer::Client& client) {
    for (int i = 0; i < 2; ++i) {
      const std::string request = client.read_request();
      if (request.starts_with("DELETE")) {
        ++deletions;  // and no answer: the connection closes
        return;
      }
      if (!request.empty()) client.write(test::http_answer(200, "warm"));
    }
  });
  HttpClient client = client_with();
  ASSERT_TRUE(client.get(server.url()).has_value());
  const auto reply = client.send({.method = "DELETE", .url = server.url()});
  ASSERT_FALSE(reply.has_value());
  EXPECT_TRUE(reply.error().may_have_arrived);
  EXPECT_EQ(deletions, 1);
}

TEST(HttpClient, OnlyThisMachinesAddressesAreThisMachine) {
  for (const char* here : {"http://localhost/", "http://a.localhost:1/", "http://127.0.0.1/", "http://127.8.9.1:1/x",
                           "https://[::1]:6443/"})
    EXPECT_TRUE(privacy_of(here).value().is_loopback) << here;
  for (const char* there : {"http://127.example.com/", "http://128.0.0.1/", "http://localhost.example.com/",
                            "http://127.0.0.1@example.com/", "https://[::2]/"})
    EXPECT_FALSE(privacy_of(there).value().is_loopback) << there;
}

TEST(HttpClient, WhatNeverLeftIsToldApartFromWhatMayHaveArrived) {
  test::ScriptedServer silent([](test::ScriptedServer::Client& client) { client.wait_for_end(); });
  HttpClient client = client_with(50ms);
  const auto refused = client.send({.method = "PUT", .url = "http://127.0.0.1:1/", .body = "x"});
  EXPECT_FALSE(refused.error().may_have_arrived);
  const auto late = client.send({.method = "PUT", .url = silent.url(), .body = "x"});
  EXPECT_EQ(late.error().kind, HttpFailure::Kind::timed_out);
  EXPECT_TRUE(late.error().may_have_arrived);
}

TEST(HttpClient, SecretsAreInNoMessageAndALineBreakDoesNotSmuggleAHeaderIn) {
  HttpClient client(HttpClientSettings{.proxy = "http://user:proxy-secret@127.0.0.1:1"});
  const auto call = [](std::string url, std::string token) {
    return HttpCall{.url = std::move(url), .headers = {{"Authorization", std::move(token)}}};
  };
  EXPECT_EQ(client.send(call("http://user:url-secret@a.test/x", "Bearer header-secret")).error().message,
            "http://a.test/x: connection refused");
  EXPECT_EQ(client.send(call("http://a.test/x", "header-secret\r\nX-Admin: 1")).error().message,
            "http://a.test/x: a header's value holds a line break");
  EXPECT_EQ(client.send(call("ftp://user:url-secret@a.test/", "")).error().message,
            "URL: must be a URL of the form http://host or https://host");
}

TEST(HttpClient, AProxyOfOnesOwnIsForThisMachineToo) {
  TinyHttpServer proxy([](std::string_view path) { return TinyHttpServer::ok("proxy for " + std::string(path)); });
  HttpClient client(HttpClientSettings{.proxy = proxy.url()});
  EXPECT_EQ(client.get("http://127.0.0.1:1/x").value().body, "proxy for http://127.0.0.1:1/x");
}

TEST(HttpStream, LinesComeWholeHoweverTheBytesAreCut) {
  test::ScriptedServer server([](test::ScriptedServer::Client& client) {
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char* piece : {"3\r\none\r\n", "5\r\n\ntwo\r\r\n", "7\r\n\n\nthree\r\n", "0\r\n\r\n"})
      client.write(piece);
    client.wait_for_end();
  });
  HttpClient client = client_with();
  std::vector<std::string> lines;
  const auto reply = client.stream_lines({.url = server.url()}, 30s, {}, [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", ""}));  // `three` is cut off and no line
}

TEST(HttpStream, EndsWhenTheCallerHasEnoughAndTheNextCallWorks) {
  test::ScriptedServer server([](test::ScriptedServer::Client& client) {
    if (client.read_request().starts_with("GET /endless")) {
      client.write("HTTP/1.1 200 OK\r\n\r\n1\n2\n3\n");
      client.wait_for_end();
    }
    client.write(test::http_answer(200, "x"));
  });
  HttpClient client = client_with();
  int count = 0;
  const auto reply =
      client.stream_lines({.url = server.url("/endless")}, 30s, {}, [&](std::string_view) { return ++count < 2; });
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(count, 2);
  EXPECT_TRUE(client.get(server.url("/next")).has_value());
}

TEST(HttpStream, IsStoppedByAnotherThreadWhileNothingComes) {
  test::ScriptedServer server([](test::ScriptedServer::Client& client) {
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\n\r\nfirst\n");
    client.wait_for_end();
  });
  HttpClient client = client_with();
  std::stop_source stop;
  std::jthread stopper;
  const auto reply = client.stream_lines({.url = server.url()}, 300s, stop.get_token(), [&](std::string_view) {
    stopper = std::jthread([&] { stop.request_stop(); });
    return true;
  });
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().kind, HttpFailure::Kind::stopped);
}

TEST(HttpStream, SilenceEndsAtTheIdleLimitAndARefusalIsAReplyWithItsBody) {
  test::ScriptedServer server([](test::ScriptedServer::Client& client) {
    if (client.read_request().starts_with("GET /silent")) {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.wait_for_end();
    } else {
      client.write(test::http_answer(410, "gone\n"));
    }
  });
  HttpClient client = client_with();
  int lines = 0;
  const auto count = [&](std::string_view) { return ++lines > 0; };
  const auto silent = client.stream_lines({.url = server.url("/silent")}, 50ms, {}, count);
  EXPECT_EQ(silent.error().message, server.url("/silent") + ": nothing came for 50ms");
  const auto gone = client.stream_lines({.url = server.url("/gone")}, 30s, {}, count);
  ASSERT_TRUE(gone.has_value()) << gone.error().message;
  EXPECT_EQ(gone->status, 410);
  EXPECT_EQ(gone->body, "gone\n");
  EXPECT_EQ(lines, 0);
}

TEST(HttpStream, AnEndlessLineIsRefusedAndACutAnswerIsAFailure) {
  test::ScriptedServer server([](test::ScriptedServer::Client& client) {
    if (client.read_request().starts_with("GET /long")) {
      client.write("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'a'));
      client.wait_for_end();
    } else {
      client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nwhole\nhalf");
    }
  });
  HttpClient client = client_with(5s, 1000);
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  };
  EXPECT_EQ(client.stream_lines({.url = server.url("/long")}, 30s, {}, take).error().message,
            server.url("/long") + ": a line of the answer is larger than 1000 bytes");
  EXPECT_FALSE(client.stream_lines({.url = server.url("/cut")}, 30s, {}, take).has_value());
  EXPECT_EQ(lines, std::vector<std::string>{"whole"});
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
