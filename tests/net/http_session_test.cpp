#include "net/internal/http_session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mpca::net::internal {
namespace {

/// Answers every request with its path, at once or when told.
struct Client final : HttpSession::Requests {
  HttpSession session{HeadLimits{.max_bytes = 1000, .max_fields = 20}};
  HttpOutput output;
  std::vector<std::string> seen;
  bool answers_at_once = true;
  std::size_t fill = 0;

  void on_request(const HttpRequest& request) override {
    seen.push_back(std::string(request.method) + " " + std::string(request.path));
    if (answers_at_once) answer();
  }
  void answer() {
    const std::string body = seen.back();
    session.answer({.body = body, .fill_bytes = fill}, "now", false, output);
  }
  void send(std::string_view bytes) { session.receive(bytes, *this, output); }
  std::string take() {
    std::string all = output.bytes + std::string(output.fill, 'a');
    output = {};
    session.resume(*this, output);
    return all;
  }
};

const std::string kGetA = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kGetB = "GET /b HTTP/1.1\r\nHost: x\r\n\r\n";

std::string ok(const std::string& body, const std::string& connection = "") {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nDate: now\r\n" + connection + "\r\n" + body;
}

TEST(HttpSession, PipelinedRequestsAreAnsweredTogetherInOrder) {
  Client client;
  client.send(kGetA + kGetB);
  EXPECT_EQ(client.take(), ok("GET /a") + ok("GET /b"));
  EXPECT_FALSE(client.session.is_closing());
}

TEST(HttpSession, HowTheBytesAreCutChangesNothing) {
  const std::string all =
      kGetA + "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + kGetB;
  Client whole;
  whole.send(all);
  const std::string expected = whole.take();
  for (std::size_t first = 0; first <= all.size(); ++first) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, all.size()}) {
      Client client;
      client.send(all.substr(0, first));
      for (std::size_t at = first; at < all.size(); at += step) client.send(std::string_view(all).substr(at, step));
      ASSERT_EQ(client.take(), expected);
    }
  }
}

TEST(HttpSession, ALaterRequestWaitsForAnEarlierAnswer) {
  Client client;
  client.answers_at_once = false;
  client.send(kGetA + kGetB);
  EXPECT_EQ(client.seen.size(), 1u);
  EXPECT_TRUE(client.session.is_working());
  client.answer();
  EXPECT_EQ(client.take(), ok("GET /a"));
  EXPECT_EQ(client.seen.back(), "GET /b");
}

TEST(HttpSession, ALongAnswerIsWrittenBeforeTheNextRequestIsRead) {
  Client client;
  client.fill = 100'000;
  client.send(kGetA + kGetB);
  EXPECT_EQ(client.seen.size(), 1u);
  EXPECT_EQ(client.take().size(), ok("GET /a").size() + 100'000 + 5);  // Content-Length has six digits instead of one
  EXPECT_EQ(client.seen.size(), 2u);
}

TEST(HttpSession, AHeadRequestGetsTheHeadOfTheAnswer) {
  Client client;
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + kGetB);
  const std::string head = ok("HEAD /a");
  EXPECT_EQ(client.take(), head.substr(0, head.size() - 7) + ok("GET /b"));
}

TEST(HttpSession, AnHttp10ClientIsToldWhatBecomesOfTheConnection) {
  Client client;
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.take(), ok("GET /a", "Connection: keep-alive\r\n"));
  client.send("GET /b HTTP/1.0\r\n\r\n" + kGetA);
  EXPECT_EQ(client.take(), ok("GET /b", "Connection: close\r\n"));
  EXPECT_TRUE(client.session.is_closing());
  EXPECT_EQ(client.seen.size(), 2u);
}

TEST(HttpSession, GarbageIsAnsweredOnceAndNothingAfterItIsRead) {
  Client client;
  client.send(kGetA + "nonsense\r\n\r\n" + kGetB);
  const std::string all = client.take();
  EXPECT_TRUE(all.starts_with(ok("GET /a") + "HTTP/1.1 400 Bad Request\r\n")) << all;
  EXPECT_NE(all.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(client.session.is_closing());
  EXPECT_TRUE(client.session.has_unread());
  client.send(kGetB);
  EXPECT_EQ(client.take(), "");
  EXPECT_EQ(client.seen.size(), 1u);
}

TEST(HttpSession, WhoExpects100GetsTheFinalAnswerAndAClosedConnection) {
  Client client;
  client.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.take(), ok("PUT /a", "Connection: close\r\n"));
  EXPECT_TRUE(client.session.is_closing());
}

TEST(HttpSession, AnEndlessBodyIsGivenUp) {
  Client client;
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n");
  EXPECT_EQ(client.take(), ok("POST /a"));
  EXPECT_TRUE(client.session.is_in_body());
  const std::string piece(64 << 10, 'b');
  for (int i = 0; i < 5; ++i) client.send(piece);
  EXPECT_TRUE(client.session.is_closing());
}

TEST(HttpSession, ABrokenBodyEndsTheConnectionAfterTheAnswer) {
  Client client;
  client.answers_at_once = false;
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz" + kGetB);
  client.answer();
  EXPECT_EQ(client.take(), ok("POST /a", "Connection: close\r\n"));
  EXPECT_EQ(client.seen.size(), 1u);
}

}  // namespace
}  // namespace mpca::net::internal
