// Answers of an HTTP/1.1 server as they arrive, in any pieces: where each ends, its status, whether the connection can
// be used again. Bodies are counted and dropped. Its own reader, because a load generator spends most of its time here
// (docs/explanation/load-generator.md has the figures). RFC 9112, sections 4 to 7 and 9.
//
// A server under test may be broken: lengths, numbers and the size of a head are limited, and what is not HTTP fails at
// once instead of being waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mpca::load {

class ResponseReader {
 public:
  static constexpr std::size_t kMaxHeadBytes = 1 << 16;  // of a head, and of the trailers after a chunked body

  enum class State { reading, complete, malformed };

  /// For the next answer. The answer to HEAD has no body, whatever its head says.
  void begin(bool is_answer_to_head);

  /// Takes the bytes up to the end of the answer and returns how many: fewer than given only when the answer is
  /// complete (what follows belongs to nobody yet) or malformed. Any split into pieces gives the same outcome.
  std::size_t feed(std::string_view bytes);
  /// The server closed the connection: a body without a length is complete now, any other unfinished answer never will
  /// be.
  ///   returns  whether the answer is complete
  bool end();

  State state() const { return state_; }
  int status() const { return status_; }                    // once complete
  std::uint64_t body_bytes() const { return body_bytes_; }  // so far, without the framing of chunks
  bool has_begun() const { return has_begun_; }             // at least one byte of the answer was there
  /// Once complete: the server keeps the connection open.
  bool keeps_alive() const { return keeps_alive_; }
  /// Once malformed: what was wrong, a text that lives forever.
  const char* problem() const { return problem_; }

 private:
  enum class Part {
    status_line,
    header_line,
    sized_body,
    endless_body,
    chunk_size,
    chunk_data,
    chunk_end,
    trailer_line
  };

  bool is_line_next() const {
    return part_ != Part::sized_body && part_ != Part::endless_body && part_ != Part::chunk_data;
  }
  void take_line(std::string_view line);
  void take_status_line(std::string_view line);
  void take_header(std::string_view line);
  void take_head_end();
  void take_chunk_size(std::string_view line);
  void complete() { state_ = State::complete; }
  void fail(const char* problem);

  State state_ = State::complete;
  Part part_ = Part::status_line;
  bool is_answer_to_head_ = false;
  bool has_begun_ = false;
  bool keeps_alive_ = true;
  bool is_chunked_ = false;
  bool has_other_coding_ = false;
  bool has_length_ = false;
  int status_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t left_bytes_ = 0;  // of a sized body or a chunk
  std::size_t head_bytes_ = 0;    // of the lines read, against the limit
  std::string line_;              // the beginning of a line whose end has not come yet
  const char* problem_ = "";
};

}  // namespace mpca::load
