// CSV as it comes (RFC 4180 with the usual liberties): LF or CRLF, a UTF-8 byte order mark, quoted fields with commas, line
// ends and doubled quotes in them, an unfinished last line. Fed in pieces, so a file of any size needs the memory of a row.
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
  /// Gets each row in order. `row` counts from 1 (the header is row 1, as spreadsheets do; a quoted line end does not start
  /// a row); the views die with the call. Return false to stop: later input is ignored. Blank lines are skipped but counted.
  using OnRow = std::function<bool(std::int64_t row, std::span<const std::string_view> fields)>;

  /// A row longer than `max_row_bytes` is an error: a binary file has no line ends, and must not fill the memory.
  explicit CsvParser(OnRow on_row, std::size_t max_row_bytes = 1 << 20);

  /// Any split of the input into pieces gives the same rows.
  ///   errors   invalid_argument  a row too long, a NUL byte, or text after a closing quote (the message names the row)
  Result<void> feed(std::string_view piece);

  /// The last row if it had no line end.
  ///   errors   invalid_argument  as feed(), and a quote that never closes
  Result<void> finish();

 private:
  Result<void> take_line(std::string_view line);
  Result<void> split_quoted(std::string_view row);

  OnRow on_row_;
  std::size_t max_row_bytes_;
  std::string pending_;  // the beginning of a row whose end has not come yet
  std::vector<std::string_view> fields_;
  std::vector<std::string> unquoted_;
  std::int64_t row_ = 0;
  bool in_quotes_ = false;
  bool stopped_ = false;
  bool at_start_ = true;
};

}  // namespace mpca
