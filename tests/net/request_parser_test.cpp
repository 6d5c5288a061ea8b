#include "net/internal/request_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace mpca::net::internal {
namespace {

using State = RequestParser::State;

/// A parser that was given one text at once.
struct Parsed {
  explicit Parsed(std::string_view text, const HeadLimits& limits = {}) : parser(limits) { parser.read_head(text); }
  RequestParser parser;
};

const std::string kWork = "GET /work?cpu_ms=5&id=a?b HTTP/1.1\r\nHost: x\r\n\r\nrest";

TEST(RequestParser, ARequestSaysItsMethodPathAndQuery) {
  const Parsed parsed(kWork);
  ASSERT_EQ(parsed.parser.state(), State::done);
  EXPECT_EQ(parsed.parser.head_bytes(), 47u);  // 36 + 9 + 2
  EXPECT_EQ(parsed.parser.head().method, "GET");
  EXPECT_EQ(parsed.parser.head().path, "/work");
  EXPECT_EQ(parsed.parser.head().query, "cpu_ms=5&id=a?b");
  EXPECT_TRUE(parsed.parser.head().keep_alive);
}

TEST(RequestParser, AHeadMayComeInAnyPiecesAndMoveInMemory) {
  const std::string text = "\r\nPOST /x?y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t step = 1; step < 5; ++step) {
      RequestParser parser{HeadLimits{}};
      for (std::size_t size = first; size < text.size(); size += step) {
        const std::string elsewhere = text.substr(0, size);
        ASSERT_EQ(parser.read_head(elsewhere), State::head) << size;
      }
      ASSERT_EQ(parser.read_head(text), State::body);
      EXPECT_EQ(parser.head_bytes(), text.size());
      EXPECT_EQ(parser.head().method, "POST");
      EXPECT_EQ(parser.head().path, "/x");
      EXPECT_EQ(parser.head().query, "y");
    }
  }
}

TEST(RequestParser, KeepAliveFollowsVersionAndConnection) {
  const auto keeps = [](const char* version, const char* connection) {
    const std::string text = std::string("GET / ") + version + "\r\nHost: x\r\nConnection: " + connection + "\r\n\r\n";
    return Parsed(text).parser.head().keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1", "Upgrade"));
  EXPECT_FALSE(keeps("HTTP/1.1", "foo, Close"));
  EXPECT_FALSE(keeps("HTTP/1.0", "foo"));
  EXPECT_TRUE(keeps("HTTP/1.0", "Keep-Alive"));
}

TEST(RequestParser, ATargetMayBeAbsoluteAsToAProxy) {
  const auto head_of = [](const std::string& line) {
    const std::string text = line + " HTTP/1.1\r\nHost: h\r\n\r\n";
    const Parsed parsed(text);
    const RequestHead& head = parsed.parser.head();
    return std::string(head.method) + "|" + std::string(head.path) + "|" + std::string(head.query);
  };
  EXPECT_EQ(head_of("GET http://h:1/work?a"), "GET|/work|a");
  EXPECT_EQ(head_of("GET http://h"), "GET|/|");
  EXPECT_EQ(head_of("GET http://h?q"), "GET|/|q");
  EXPECT_EQ(head_of("OPTIONS *"), "OPTIONS|*|");
  EXPECT_EQ(head_of("CONNECT h:443"), "CONNECT|h:443|");
}

TEST(RequestParser, WhatIsWrongHasItsStatus) {
  const struct {
    const char* text;
    int status;
  } cases[] = {
      {"\x16\x03\x01", 400},  // TLS
      {"hello\r\n", 400},
      {"GET /\r\n", 400},           // HTTP/0.9, before the head is complete
      {"GET / HTTP/1.0\n\n", 400},  // lone LFs
      {"GET / HTTP/1.1 \r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"GET / HTTP/x.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},                                // no Host
      {"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},          // two
      {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},                    // RFC 9112, 5.1
      {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},          // RFC 9112, 5.2
      {"GET / HTTP/1.1\r\nHost: x\r\nA:\r\n folded\r\n\r\n", 400},    // with nothing before the fold
      {"GET / HTTP/1.1\r\nHost: x\r\nA:\r\n \r\nB: 1\r\n\r\n", 400},  // nothing folded
      {"GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\n \r\nB: 1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n A: 1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},  // a lone CR
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0b"
       "chunked\r\n\r\n",
       400},
      {"GET / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n", 417},
      {"\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", 400},
  };
  for (const auto& one : cases) {
    const Parsed parsed(one.text);
    EXPECT_EQ(parsed.parser.state(), State::bad) << one.text;
    EXPECT_EQ(parsed.parser.status(), one.status) << one.text;
  }
}

TEST(RequestParser, EqualLengthsAreOneLength) {
  Parsed parsed("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 7, 7\r\n\r\n");
  ASSERT_EQ(parsed.parser.state(), State::body);
  EXPECT_EQ(parsed.parser.read_body("1234567GET"), 7u);
  EXPECT_EQ(parsed.parser.state(), State::done);
}

TEST(RequestParser, LimitsOfSizeAndCountAreTooLarge) {
  const HeadLimits limits{.max_bytes = 60, .max_fields = 2};
  EXPECT_EQ(Parsed("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n", limits).parser.state(), State::done);
  EXPECT_EQ(Parsed("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 1\r\n\r\n", limits).parser.status(), 431);
  const std::string host = "GET / HTTP/1.1\r\nHost: ";  // 22 bytes; 34 and two line ends make 60
  EXPECT_EQ(Parsed(host + std::string(34, 'x') + "\r\n\r\n", limits).parser.state(), State::done);
  EXPECT_EQ(Parsed(host + std::string(35, 'x') + "\r\n\r\n", limits).parser.status(), 431);
  EXPECT_EQ(Parsed(host + std::string(60, 'x'), limits).parser.status(), 431);
  EXPECT_EQ(Parsed("GET /" + std::string(60, 'x'), limits).parser.status(), 431);
  // What comes after the head does not count.
  EXPECT_EQ(Parsed("GET / HTTP/1.0\r\n\r\n" + std::string(100, 'x'), limits).parser.state(), State::done);
}

RequestParser with_body(std::string_view head_fields) {
  RequestParser parser{HeadLimits{}};
  parser.read_head("POST / HTTP/1.1\r\nHost: x\r\n" + std::string(head_fields) + "\r\n\r\n");
  return parser;
}

TEST(RequestParser, ALengthIsReadPastAndNoMore) {
  RequestParser parser = with_body("Content-Length: 5");
  EXPECT_EQ(parser.read_body("abc"), 3u);
  EXPECT_EQ(parser.state(), State::body);
  EXPECT_EQ(parser.read_body("deGET"), 2u);
  EXPECT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.read_body("GET"), 0u);
}

TEST(RequestParser, ChunksEndWithTheirTrailersHoweverTheyAreCut) {
  const std::string chunks = "4\r\nabcd\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: z\r\nHost: two\r\n\r\n";
  for (std::size_t step = 1; step <= chunks.size(); ++step) {
    RequestParser parser = with_body("Transfer-Encoding: chunked");
    const std::string all = chunks + "GET";
    std::string kept;
    std::size_t taken = 0;
    for (std::size_t at = 0; at < all.size(); at += step) {
      kept += all.substr(at, step);
      const std::size_t read = parser.read_body(kept);
      taken += read;
      kept.erase(0, read);
    }
    EXPECT_EQ(parser.state(), State::done) << step;
    EXPECT_EQ(taken, chunks.size()) << step;
  }
}

TEST(RequestParser, WhatIsNoChunkIsBad) {
  for (const char* const text :
       {"\r\n\r\n\r\n", "x\r\n\r\n\r\n", "1\nab\r\n", "1\r\nab\r\n\r\n", "1\r\na\n0\r\n\r\n", "-1\r\nab\r\n",
        "0x1\r\na: b\r\n\r\n", "11111111111111111\r\n", "0\r\nContent-Length: 5\r\n\r\n"}) {
    RequestParser parser = with_body("Transfer-Encoding: chunked");
    parser.read_body(text);
    EXPECT_EQ(parser.state(), State::bad) << text;
  }
}

TEST(RequestParser, ExtensionsAndTrailersHaveAnEnd) {
  RequestParser endless = with_body("Transfer-Encoding: chunked");
  endless.read_body("1;" + std::string(20'000, 'e'));
  EXPECT_EQ(endless.state(), State::bad);
  RequestParser trailers = with_body("Transfer-Encoding: chunked");
  trailers.read_body("0\r\nA: " + std::string(20'000, 'e'));
  EXPECT_EQ(trailers.state(), State::bad);
  RequestParser many = with_body("Transfer-Encoding: chunked");
  for (int i = 0; i < 20; ++i) many.read_body("1;" + std::string(1'000, 'e') + "\r\na\r\n");
  EXPECT_EQ(many.state(), State::bad);
}

TEST(RequestParser, TheNextRequestBeginsAnew) {
  Parsed parsed("GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_TRUE(parsed.parser.head().expects_continue);
  parsed.parser.restart();
  EXPECT_EQ(parsed.parser.read_head(kWork), State::done);
  EXPECT_FALSE(parsed.parser.head().expects_continue);
}

}  // namespace
}  // namespace mpca::net::internal
