// CSV as it comes (RFC 4180 with the usual liberties): LF or CRLF, a UTF-8 byte order mark, quoted fields with commas,
// line ends and doubled quotes in them, an unfinished last line. Fed in pieces, so a file of any size needs the memory
// of a row.
//
// A piece without any quote is cut at its line ends and commas with memchr; only pieces that hold a quote are looked at
// byte by byte. A quote counts only where a field begins; anywhere else it is a character like others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mpca {

class CsvParser {
 public:
  /// Gets each row in order. `row` counts from 1 (the header is row 1, as spreadsheets do; a quoted line end does not
  /// start a row); the views die with the call. Return false to stop: later input is ignored. Blank lines are skipped
  /// but counted.
  using OnRow = std::function<bool(std::int64_t row, std::span<const std::string_view> fields)>;

  /// A row longer than `max_row_bytes` is an error: a binary file has no line ends, and must not fill the memory.
  explicit CsvParser(OnRow on_row, std::size_t max_row_bytes = 1 << 20);

  /// Any split of the input into pieces gives the same rows and the same error: the first one in the order of the
  /// bytes, after all rows before it. Input after an error is ignored.
  ///   errors   invalid_argument  a row too long, a NUL byte, or text after a closing quote (the message names the row)
  ///   cost     O(bytes); no allocation once the longest row has been seen
  Result<void> feed(std::string_view piece);

  /// The last row if it had no line end.
  ///   errors   invalid_argument  as feed(), and a quote that never closes
  Result<void> finish();

 private:
  // Where in a row the next byte stands.
  enum class State { field_start, plain, quoted, quote_in_quoted, carriage_return_after_quote };

  std::string_view skip_byte_order_mark(std::string_view piece);
  Result<void> feed_without_quotes(std::string_view piece);
  Result<void> feed_bytewise(std::string_view piece);
  void end_row(std::string_view rest_of_row);
  void split_plain(std::string_view row);
  void split_quoted(std::string_view row);
  std::unexpected<Error> stop_with(std::string_view what);
  std::unexpected<Error> stop_with_long_row();

  OnRow on_row_;
  std::size_t max_row_bytes_;
  std::string pending_;  // the beginning of a row whose end has not come yet
  std::vector<std::string_view> fields_;
  std::string unquoted_;  // the text of the quoted fields of one row, without the quotes
  std::int64_t row_ = 1;  // the one that is being read
  State state_ = State::field_start;
  bool row_has_quotes_ = false;
  bool stopped_ = false;
  bool at_start_ = true;
  std::size_t mark_bytes_ = 0;  // how much of a byte order mark has been seen
};

/// Writes `text` as one CSV field: quoted when it holds a comma, a quote or a line end, else as it is.
std::string csv_field(std::string_view text);

}  // namespace mpca
