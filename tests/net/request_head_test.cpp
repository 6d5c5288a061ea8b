#include "net/internal/request_head.h"

#include <gtest/gtest.h>

#include <string>

namespace mpca::net::internal {
namespace {

using State = HeadResult::State;

HeadResult parse(std::string_view text) { return parse_request_head(text, {}); }

TEST(RequestHead, ARequestSaysItsMethodPathAndQuery) {
  const HeadResult result = parse("GET /work?cpu_ms=5&id=a?b HTTP/1.1\r\nHost: x\r\n\r\nrest");
  ASSERT_EQ(result.state, State::complete);
  EXPECT_EQ(result.bytes, 47u);  // 36 + 9 + 2
  EXPECT_EQ(result.head.method, "GET");
  EXPECT_EQ(result.head.path, "/work");
  EXPECT_EQ(result.head.query, "cpu_ms=5&id=a?b");
  EXPECT_TRUE(result.head.keep_alive);
  EXPECT_FALSE(result.head.chunked);
  EXPECT_EQ(result.head.content_length, 0u);
}

TEST(RequestHead, EveryBeginningOfARequestIsIncompleteWhateverWasScannedBefore) {
  const std::string text = "\r\nPOST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    for (std::size_t scanned = 0; scanned <= size; ++scanned) {
      EXPECT_EQ(parse_request_head(text.substr(0, size), {}, scanned).state, State::incomplete) << size;
    }
  }
  for (std::size_t scanned = 0; scanned < text.size(); ++scanned) {
    const HeadResult result = parse_request_head(text, {}, scanned);
    ASSERT_EQ(result.state, State::complete);
    EXPECT_EQ(result.bytes, text.size());
    EXPECT_EQ(result.head.content_length, 3u);
  }
}

TEST(RequestHead, KeepAliveFollowsVersionAndConnection) {
  const auto keeps = [](const char* version, const char* connection) {
    const std::string text = std::string("GET / ") + version + "\r\nHost: x\r\nConnection: " + connection + "\r\n\r\n";
    return parse_request_head(text, {}).head.keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1", "Upgrade"));
  EXPECT_FALSE(keeps("HTTP/1.1", "foo, Close"));
  EXPECT_FALSE(keeps("HTTP/1.0", "foo"));
  EXPECT_TRUE(keeps("HTTP/1.0", "Keep-Alive"));
  EXPECT_FALSE(keeps("HTTP/1.0", "keep-alive, close"));
}

TEST(RequestHead, ALineMayEndWithoutCarriageReturn) { EXPECT_EQ(parse("GET / HTTP/1.0\n\n").state, State::complete); }

TEST(RequestHead, ATargetMayBeAbsoluteAsToAProxy) {
  EXPECT_EQ(parse("GET http://h:1/work?a HTTP/1.1\r\nHost: h\r\n\r\n").head.path, "/work");
  EXPECT_EQ(parse("GET http://h:1/work?a HTTP/1.1\r\nHost: h\r\n\r\n").head.query, "a");
  EXPECT_EQ(parse("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n").head.path, "/");
  EXPECT_EQ(parse("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n").head.path, "/");
  EXPECT_EQ(parse("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").head.path, "*");
  EXPECT_EQ(parse("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n").head.method, "CONNECT");
}

TEST(RequestHead, WhatIsWrongHasItsStatus) {
  const struct {
    const char* text;
    int status;
  } cases[] = {
      {"\x16\x03\x01", 400},  // TLS
      {"hello\r\n", 400},
      {"GET /\r\n", 400},  // HTTP/0.9, before the head is complete
      {"GET / HTTP/1.1 \r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"GET / HTTP/x.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},                        // no Host
      {"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},  // two
      {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},            // RFC 9112, 5.1
      {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},  // RFC 9112, 5.2
      {"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},  // a lone CR
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n", 417},
      {"\n\n\n\n\n\n\n\n\n\n", 400},
  };
  for (const auto& one : cases) {
    const HeadResult result = parse(one.text);
    EXPECT_EQ(result.state, State::bad) << one.text;
    EXPECT_EQ(result.status, one.status) << one.text;
  }
}

TEST(RequestHead, ABadFirstLineIsSeenWhenItEndsHoweverItCame) {
  EXPECT_EQ(parse_request_head("GET / HTTP/2.1\r\nHo", {}, 10).status, 505);
  EXPECT_EQ(parse_request_head("GET / HTTP/2.1\r\nHo", {}, 10).state, State::bad);
}

TEST(RequestHead, EqualLengthsAreOneLength) {
  EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 7, 7\r\n\r\n").head.content_length, 7u);
}

TEST(RequestHead, LimitsOfSizeAndCountAreTooLarge) {
  const HeadLimits limits{.max_bytes = 60, .max_fields = 2};
  const std::string fits = "GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n";
  EXPECT_EQ(parse_request_head(fits, limits).state, State::complete);
  EXPECT_EQ(parse_request_head("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 1\r\n\r\n", limits).status, 431);
  const std::string long_one = "GET / HTTP/1.1\r\nHost: " + std::string(60, 'x');
  EXPECT_EQ(parse_request_head(long_one, limits).status, 431);
  EXPECT_EQ(parse_request_head(long_one + "\r\n\r\n", limits).status, 431);
}

BodyDrain body_of(std::string_view head_fields) {
  const std::string text = "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(head_fields) + "\r\n\r\n";
  return BodyDrain(parse_request_head(text, {}).head);
}

TEST(BodyDrain, ALengthIsReadPastAndNoMore) {
  BodyDrain body = body_of("Content-Length: 5");
  EXPECT_EQ(body.drain("abc"), 3u);
  EXPECT_FALSE(body.is_done());
  EXPECT_EQ(body.drain("deGET"), 2u);
  EXPECT_TRUE(body.is_done());
  EXPECT_EQ(body.drain("GET"), 0u);
}

TEST(BodyDrain, ChunksEndWithTheirTrailersHoweverTheyAreCut) {
  const std::string chunks = "4\r\nabcd\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: z\r\n\r\n";
  for (std::size_t cut = 0; cut <= chunks.size(); ++cut) {
    BodyDrain body = body_of("Transfer-Encoding: chunked");
    const std::size_t first = body.drain(std::string_view(chunks).substr(0, cut));
    EXPECT_EQ(first, cut);
    EXPECT_EQ(first + body.drain(chunks.substr(cut) + "GET"), chunks.size());
    EXPECT_TRUE(body.is_done()) << cut;
  }
}

TEST(BodyDrain, WhatIsNoChunkIsBad) {
  for (const char* const text : {"\r\n", "x\r\n", "1\nab", "1\r\nab\r\n", "1\r\na\n0", "11111111111111111\r\n"}) {
    BodyDrain body = body_of("Transfer-Encoding: chunked");
    body.drain(text);
    EXPECT_TRUE(body.is_bad()) << text;
  }
  BodyDrain endless = body_of("Transfer-Encoding: chunked");
  endless.drain("1;" + std::string(20'000, 'e'));
  EXPECT_TRUE(endless.is_bad());
}

}  // namespace
}  // namespace mpca::net::internal
