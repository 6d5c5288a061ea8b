#include "load/internal/response_reader.h"

#include <gtest/gtest.h>

#include "core/random.h"

namespace mpca::load {
namespace {

using State = ResponseReader::State;

struct Outcome {
  State state = State::reading;
  int status = 0;
  std::uint64_t body_bytes = 0;
  bool keeps_alive = false;
  std::size_t taken = 0;
  bool operator==(const Outcome&) const = default;
};

// `text` in pieces that end at `cuts`, and the connection's end after it.
Outcome read(std::string_view text, std::vector<std::size_t> cuts = {}, bool is_head = false) {
  ResponseReader reader;
  reader.begin(is_head);
  cuts.push_back(text.size());
  std::size_t taken = 0;
  for (std::size_t begin = 0; const std::size_t end : cuts) {
    const std::size_t here = reader.feed(text.substr(begin, end - begin));
    taken += here;
    if (here < end - begin) break;
    begin = end;
  }
  reader.end();
  const bool is_complete = reader.state() == State::complete;
  return {reader.state(), is_complete ? reader.status() : 0, is_complete ? reader.body_bytes() : 0,
          is_complete && reader.keeps_alive(), is_complete ? taken : 0};
}

Outcome complete(int status, std::uint64_t body_bytes, bool keeps_alive, std::size_t taken) {
  return {State::complete, status, body_bytes, keeps_alive, taken};
}

const std::string kSized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST(ResponseReader, ASizedBodyEndsWhereItsLengthSays) {
  EXPECT_EQ(read(kSized), complete(200, 5, true, kSized.size()));
  EXPECT_EQ(read(kSized + "next"), complete(200, 5, true, kSized.size()));
  EXPECT_EQ(read("HTTP/1.1 200\r\ncontent-length:0\r\n\r\n").state, State::complete);
  EXPECT_EQ(read(kSized.substr(0, kSized.size() - 1)).state, State::reading);
}

TEST(ResponseReader, BareLineFeedsEndLinesToo) {
  const std::string text = "HTTP/1.1 200 OK\nContent-Length: 2\n\nok";
  EXPECT_EQ(read(text), complete(200, 2, true, text.size()));
}

TEST(ResponseReader, ChunksCountWithoutTheirFraming) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5\r\nhello\r\nA;name=\"x\"\r\n0123456789\r\n0\r\n"
      "Trailer: x\r\n\r\n";
  EXPECT_EQ(read(text), complete(200, 15, true, text.size()));
}

TEST(ResponseReader, ABodyWithoutALengthEndsWithTheConnection) {
  const std::string text = "HTTP/1.1 200 OK\r\n\r\nall of it";
  EXPECT_EQ(read(text), complete(200, 9, false, text.size()));
}

TEST(ResponseReader, SomeAnswersHaveNoBodyWhateverTheirHeadSays) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
  EXPECT_EQ(read(head, {}, true), complete(200, 0, true, head.size()));
  const std::string none = "HTTP/1.1 204 No Content\r\nContent-Length: 500\r\n\r\n";
  EXPECT_EQ(read(none), complete(204, 0, true, none.size()));
  const std::string same = "HTTP/1.1 304 Not Modified\r\n\r\n";
  EXPECT_EQ(read(same), complete(304, 0, true, same.size()));
}

TEST(ResponseReader, InterimAnswersAreSkipped) {
  const std::string text =
      "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + kSized;
  EXPECT_EQ(read(text), complete(200, 5, true, text.size()));
}

TEST(ResponseReader, TheConnectionStaysOpenAsVersionAndHeaderSay) {
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 0\r\n\r\n").keeps_alive);
  EXPECT_FALSE(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keeps_alive);
  EXPECT_TRUE(read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n").keeps_alive);
  // A length beside chunks: RFC 9112, section 6.1, asks to close afterwards.
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").keeps_alive);
}

TEST(ResponseReader, WhatIsNotHttpIsMalformed) {
  for (const std::string text :
       {"SSH-2.0-OpenSSH_9\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 099 No\r\n\r\n", "\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n"}) {
    EXPECT_EQ(read(text).state, State::malformed) << text;
  }
}

TEST(ResponseReader, AnEndlessHeadIsRefusedAtItsLimit) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  while (text.size() <= ResponseReader::kMaxHeadBytes) text += "X-Filler: " + std::string(100, 'x') + "\r\n";
  EXPECT_EQ(read(text).state, State::malformed);
  EXPECT_EQ(read("HTTP/1.1 200 " + std::string(1 << 17, 'x')).state, State::malformed);
  EXPECT_EQ(read(std::string(100, '\0')).state, State::malformed);
}

// The whole at once is the slow, obvious reading; any split must come to the same.
TEST(ResponseReader, AnySplitGivesTheSameOutcome) {
  const std::string parts[] = {"HTTP/1.1 200 OK\r\n",
                               "HTTP/1.1 100 Continue\r\n",
                               "Content-Length: 7\r\n",
                               "Transfer-Encoding: chunked\r\n",
                               "Connection: close\r\n",
                               "\r\n",
                               "3\r\nabc\r\n",
                               "0\r\n",
                               "7 bytes",
                               "\n",
                               "X: y\r\n",
                               "HTTP/1.0 304 x\r\n"};
  RandomStream stream(1, "answers");
  for (int round = 0; round < 20'000; ++round) {
    std::string text = stream.below(4) == 0 ? "" : parts[0];
    for (std::uint64_t i = 0; i < 1 + stream.below(7); ++i) text += parts[stream.below(std::size(parts))];
    std::vector<std::size_t> cuts;
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (stream.below(5) == 0) cuts.push_back(i);
    }
    EXPECT_EQ(read(text, cuts), read(text)) << text;
  }
}

}  // namespace
}  // namespace mpca::load
